//! Proves that a child program stays within its limits and that nothing of it survives.

use super::*;
use crate::text::Outside;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn shell(script: &str) -> Job {
    let limits = Limits {
        time: Duration::from_secs(20),
        stdout_bytes: 1 << 20,
        stderr_bytes: 64,
        memory_bytes: None,
        processes: 40,
    };
    Job::new("/bin/sh", "/", limits).args(["-c", script]).env("PATH", "/usr/local/bin:/usr/bin:/bin")
}

async fn run_shell(script: &str) -> Result<Finished, ChildError> {
    run(shell(script), &CancellationToken::new()).await
}

/// Returns whether a process with this argument is alive.
fn is_alive(argument: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| line.split(|byte| *byte == 0).any(|word| word == argument.as_bytes()))
    })
}

#[tokio::test]
async fn a_program_gets_its_input_and_environment_and_nothing_else() {
    let job = shell("cat; env | grep -vE '^(PWD|SHLVL|_|OLDPWD|DRIFTDECK_CHILD)='; pwd; echo no >&2; exit 3")
        .stdin(b"in\n".to_vec());
    let finished = run(job, &CancellationToken::new()).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&finished.stdout), "in\nPATH=/usr/local/bin:/usr/bin:/bin\n/\n");
    assert_eq!((finished.code, finished.stderr.raw()), (Some(3), "no\n"));
    let error = finished.success().unwrap_err();
    assert_eq!(error.to_string(), "sh failed (exit code 3): no");
}

#[tokio::test]
async fn a_program_has_no_terminal() {
    let finished = run_shell("(: < /dev/tty) 2>/dev/null && echo has; echo done").await.unwrap();
    assert_eq!(finished.stdout, b"done\n");
}

#[tokio::test]
async fn what_a_program_says_is_encoded_when_it_is_printed() {
    let error = run_shell("printf 'bad \\033[2J\\n\\n' >&2; exit 1").await.unwrap().success().unwrap_err();
    assert_eq!(error.to_string(), "sh failed (exit code 1): bad ␛[2J");
    assert!(!format!("{error:?}").contains('\x1b'));
}

#[tokio::test]
async fn a_hanging_program_is_ended_with_its_children() {
    let mut job = shell("sleep 61.001 & echo before >&2; sleep 61.001");
    job.limits.time = Duration::from_millis(300);
    let error = run(job, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, ChildError::TimedOut { .. }), "{error}");
    assert_eq!(error.stderr().map(Outside::raw), Some("before\n"));
    assert!(!is_alive("61.001"));
}

#[tokio::test]
async fn a_cancelled_program_is_ended() {
    let cancel = CancellationToken::new();
    let running = tokio::spawn({
        let cancel = cancel.clone();
        async move { run(shell("sleep 61.002"), &cancel).await }
    });
    while !is_alive("61.002") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    cancel.cancel();
    assert!(matches!(running.await.unwrap(), Err(ChildError::Cancelled { .. })));
    assert!(!is_alive("61.002"));
}

#[tokio::test]
async fn a_dropped_run_leaves_nothing_behind() {
    let running = tokio::spawn(async { run_shell("sleep 61.003 & setsid sleep 61.003 & wait").await });
    while !is_alive("61.003") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    while is_alive("61.003") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn endless_output_is_refused_at_the_limit() {
    let error = run_shell("cat /dev/zero | head -c 10737418240").await.unwrap_err();
    assert!(matches!(error, ChildError::TooMuchOutput { limit: 0x10_0000, .. }), "{error}");
    let exact = run_shell("head -c 1048576 /dev/zero").await.unwrap();
    assert_eq!(exact.stdout.len(), 1 << 20, "as much as the limit is whole");
}

#[tokio::test]
async fn endless_errors_are_read_and_only_the_last_are_kept() {
    let finished =
        run_shell("head -c 5000000 /dev/zero | tr '\\0' x >&2; printf 'the end' >&2").await.unwrap();
    assert_eq!(finished.stderr.raw(), format!("{}the end", "x".repeat(57)));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_program_that_only_starts_others_is_ended() {
    // Harmless where the test fails: each branch ends after some levels.
    let bomb = "b() { [ $1 -gt 12 ] || { b $(($1+1)) & b $(($1+1)) & }; exec sleep 61.004; }; b 0";
    let error = run_shell(bomb).await.unwrap_err();
    assert!(matches!(error, ChildError::TooManyProcesses { limit: 40, .. }), "{error}");
    assert!(!is_alive("61.004"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_became_a_daemon_is_ended_too() {
    let daemon = "setsid sh -c 'sleep 61.005 & sleep 61.005' </dev/null >/dev/null 2>&1 & \
                  (setsid sleep 61.005 &) & sleep 0.2; echo parent is done";
    let finished = run_shell(daemon).await.unwrap();
    assert_eq!(finished.stdout, b"parent is done\n");
    assert!(!is_alive("61.005"));
}

#[tokio::test]
async fn a_child_that_keeps_the_pipe_open_does_not_hold_up_the_result() {
    let finished = run_shell("sleep 61.006 & echo done").await.unwrap();
    assert_eq!(finished.stdout, b"done\n");
    assert!(!is_alive("61.006"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn memory_over_the_limit_is_not_given() {
    let mut job = shell("sleep 0.2; x=$(head -c 300000000 /dev/zero | tr '\\0' x); echo ${#x}");
    job.limits.memory_bytes = Some(100 << 20);
    let finished = run(job, &CancellationToken::new()).await.unwrap();
    assert!(!finished.stdout.starts_with(b"300000000"), "{finished:?}");
}

#[tokio::test]
async fn progress_arrives_line_by_line_also_after_carriage_returns() {
    let mut lines = Vec::new();
    let job = shell("printf 'a 1%%\\ra 2%%\\rdone\\nlast' >&2");
    run_with_progress(job, &CancellationToken::new(), &mut |line| lines.push(line.raw().to_owned()))
        .await
        .unwrap();
    assert_eq!(lines, ["a 1%", "a 2%", "done", "last"]);
}

#[tokio::test]
async fn a_program_that_reads_nothing_is_no_error() {
    let job = shell("exit 0").stdin(vec![b'x'; 4 << 20]);
    assert!(run(job, &CancellationToken::new()).await.unwrap().succeeded());
}

#[tokio::test]
async fn a_program_is_named_by_an_absolute_path_that_exists() {
    let limits = Limits::within(Duration::from_secs(1));
    let cancel = CancellationToken::new();
    let absent = run(Job::new("/nonexistent/tool", "/", limits), &cancel).await.unwrap_err();
    assert_eq!(absent.to_string(), "tool is not installed, or not on PATH");
    let relative = run(Job::new("sh", "/", limits), &cancel).await.unwrap_err();
    assert!(matches!(relative, ChildError::NotAbsolute { .. }));
    let nowhere = run(Job::new("/bin/sh", "/nonexistent", limits), &cancel).await.unwrap_err();
    assert!(matches!(nowhere, ChildError::NotStarted { .. }));
}

#[test]
fn programs_are_found_only_in_absolute_folders() {
    let search = std::ffi::OsString::from("bin:.::/nonexistent:/bin:/usr/bin");
    assert_eq!(find_program("sh", &search), Some("/bin/sh".into()));
    assert_eq!(find_program("sh", std::ffi::OsStr::new(".::bin")), None);
    assert_eq!(find_program("../bin/sh", &search), None);
}

#[test]
fn an_environment_is_not_printed() {
    let printed = format!("{:?}", shell("x").env("TOKEN", "canary").stdin(b"canary".to_vec()));
    assert!(printed.contains("TOKEN") && !printed.contains("canary"), "{printed}");
}
