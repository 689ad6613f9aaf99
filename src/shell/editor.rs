//! Runs the user's editor on a file, at a line, while the deck waits.

use crate::model::Notice;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};

/// Editors that take `+LINE FILE`.
const PLUS_LINE: [&str; 9] = ["vi", "vim", "nvim", "view", "nano", "emacs", "emacsclient", "kak", "micro"];
/// Editors that take `FILE:LINE`.
const COLON_LINE: [&str; 3] = ["hx", "helix", "zed"];

/// Opens the editor of `VISUAL` or `EDITOR` and waits until it is closed. The terminal must have been given back.
pub fn open(file: &str, line: Option<usize>) -> Result<(), Box<Notice>> {
    let named = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let Some(editor) = named("VISUAL").or_else(|| named("EDITOR")) else {
        return Err(Box::new(Notice::error("no editor is known").hint("set VISUAL or EDITOR")));
    };
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or_default();
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let name = program.rsplit('/').next().unwrap_or(program);
    match line {
        Some(line) if PLUS_LINE.contains(&name) => command.arg(format!("+{line}")).arg(file),
        Some(line) if COLON_LINE.contains(&name) => command.arg(format!("{file}:{line}")),
        Some(line) if name == "code" || name == "codium" => {
            command.arg("--wait").arg("--goto").arg(format!("{file}:{line}"))
        }
        _ => command.arg(file),
    };
    match run(&mut command) {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Box::new(Notice::warning(format!("{name} ended with {status}")))),
        Err(error) => {
            Err(Box::new(Notice::error(format!("{name} could not be started")).cause(error.to_string())))
        }
    }
}

/// Has a text written in the editor, in a file that only the user can read, and returns it. The terminal must have been
/// given back.
pub fn write(text: &str) -> Result<String, Box<Notice>> {
    let failed = |error: io::Error| {
        Box::new(Notice::error("the text could not be handed to the editor").cause(error.to_string()))
    };
    let folder = tempfile::Builder::new().prefix("driftdeck-message-").tempdir().map_err(failed)?;
    // The name by which editors know how to help with a commit's message.
    let file = folder.path().join("COMMIT_EDITMSG");
    std::fs::write(&file, format!("{text}\n")).map_err(failed)?;
    open(&file.display().to_string(), None)?;
    std::fs::read_to_string(&file).map_err(failed)
}

/// Runs a program that has the terminal until it ends. Where it stops (ctrl-z), driftdeck stops with it, so that the
/// shell gets the terminal; where driftdeck is continued, so is the program.
fn run(command: &mut Command) -> io::Result<ExitStatus> {
    let child = command.spawn()?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
    loop {
        match waitpid(Some(pid), WaitOptions::UNTRACED) {
            Ok(Some((_, status))) if status.stopped() => {
                kill_process(getpid(), Signal::STOP)?;
                // A shell continues the whole job; who continues driftdeck alone means its editor too.
                kill_process(pid, Signal::CONT)?;
            }
            Ok(Some((_, status))) => return Ok(ExitStatus::from_raw(status.as_raw())),
            Ok(None) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
