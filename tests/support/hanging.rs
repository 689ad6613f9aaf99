//! A program that never ends by itself, run by driftdeck, and what is left once driftdeck was asked to end.

use super::{Home, eventually};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};

/// Puts a script of this name first on a home's search path. It writes down its process and that of a child of its own,
/// and hangs.
pub fn hanging(home: &mut Home, name: &str) {
    let pids = home.path().join("pids");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = version ] && exit\n/bin/sleep 1000 &\necho $$ $! > {pids}.new\n\
         /bin/mv {pids}.new {pids}\nwait\n",
        pids = pids.display()
    );
    let file = home.write(format!("hanging/{name}"), script);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    home.set("PATH", format!("{}:{path}", file.parent().unwrap().display()));
}

/// Starts driftdeck with an open standard input.
pub fn start(home: &Home, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_driftdeck"))
        .args(arguments)
        .current_dir(home.path())
        .env_clear()
        .envs(home.environment().iter().cloned())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Returns the processes of the hanging program once it runs.
pub fn await_hanging(home: &Home) -> Vec<u32> {
    let pids = home.path().join("pids");
    let text = eventually("the program hangs", || std::fs::read_to_string(&pids).ok());
    std::fs::remove_file(&pids).unwrap();
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

/// Waits until a process catches a signal itself.
pub fn await_catching(child: &Child, number: u32) {
    let status = format!("/proc/{}/status", child.id());
    eventually("the signal is caught", || {
        let text = std::fs::read_to_string(&status).ok()?;
        let mask = text.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
        (mask & 1 << (number - 1) != 0).then_some(())
    });
}

/// Sends a signal and waits for the end.
pub fn end(mut child: Child, signal: &str) -> ExitStatus {
    let sent = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    eventually("it has ended", || child.try_wait().unwrap())
}

/// Asserts that nothing of a run is left: no process of the hanging program, no folder.
#[track_caller]
pub fn assert_nothing_is_left(home: &Home, pids: &[u32]) {
    for pid in pids {
        // It was killed; the kernel may still be at it, and whoever adopted it need not have noticed.
        eventually("a child program is gone", || {
            let state = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            (state.is_empty() || state.contains("\nState:\tZ")).then_some(())
        });
    }
    let temporary = home.environment().iter().find(|(name, _)| name == "TMPDIR").unwrap().1.clone();
    let left: Vec<_> =
        std::fs::read_dir(temporary).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}
