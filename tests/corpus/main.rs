//! Scores driftdeck against the corpus of real inputs with known answers, found through `DRIFTDECK_CORPUS`; beside it what
//! needs no corpus: the rows of the catalogue of drift, and laws.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test crate"
)]

mod api;
mod health;
mod laws;
mod mutation;
mod objects;
mod pairs;
mod rows;
mod yaml;

use std::path::PathBuf;

/// Returns the folder of the corpus; where it is not given, says so, and the test proves nothing.
fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("DRIFTDECK_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("LEFT OUT: DRIFTDECK_CORPUS is not set");
    }
    folder
}
