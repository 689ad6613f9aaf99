//! Scores driftdeck against the corpus of real inputs with known answers, found through `DRIFTDECK_CORPUS`.
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
mod mutation;
mod objects;
mod pairs;
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
