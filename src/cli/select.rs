//! Answers which fields jq expressions name, for a driftdeck that judges: see `pipeline::selecting`.

use crate::cli::Exit;
use crate::text::jq;
use std::io::{Read as _, Write as _};
use std::process::ExitCode;

/// Reads one question from standard input and prints the answer.
pub fn run() -> ExitCode {
    let mut question = Vec::new();
    let asked = std::io::stdin().lock().read_to_end(&mut question);
    let answered = asked.and_then(|_| std::io::stdout().lock().write_all(&jq::answer(&question)));
    answered.map_or(Exit::Failure, |()| Exit::Success).into()
}
