//! Scores driftdeck against the corpus of real inputs with known answers, found through `DRIFTDECK_CORPUS`; beside it what
//! needs no corpus: the rows of the catalogue of drift, and laws.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test crate"
)]

mod api;
mod defaults;
mod edits;
mod fuzz;
mod fuzzed;
mod health;
mod ignored;
mod laws;
mod leaves;
mod mutation;
mod noise;
mod objects;
mod orders;
mod pairs;
mod rows;
mod yaml;

use std::io::Write as _;
use std::path::PathBuf;

/// Says something that is seen when the test passes too: the harness keeps what is printed, but not what is written.
fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Returns the folder of the corpus; where it is not given, says so, and the test proves nothing.
fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("DRIFTDECK_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        say("LEFT OUT: DRIFTDECK_CORPUS is not set");
    }
    folder
}
