//! Runs the user's editor on a file, at a line, while the deck waits.

use crate::model::Notice;
use std::process::{Command, Stdio};

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
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Box::new(Notice::warning(format!("{name} ended with {status}")))),
        Err(error) => {
            Err(Box::new(Notice::error(format!("{name} could not be started")).cause(error.to_string())))
        }
    }
}
