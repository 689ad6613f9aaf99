//! The program: parses the command line and hands over to the headless commands or the deck.

use clap::Parser;
use driftdeck::cli::{self, arguments::Arguments};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(Arguments::parse())
}
