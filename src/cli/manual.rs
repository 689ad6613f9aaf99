//! `driftdeck completions` and `driftdeck man`: made from the command line's own definition.

use crate::cli::arguments::Arguments;
use crate::cli::output;
use crate::cli::{Exit, Failed, written};
use crate::model::Notice;
use clap::CommandFactory;

/// Prints completions for a shell.
pub fn completions(shell: clap_complete::Shell) -> Result<Exit, Failed> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "driftdeck", &mut script);
    print(&script)
}

/// Prints the manual page.
pub fn man() -> Result<Exit, Failed> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command())
        .render(&mut page)
        .map_err(|error| Box::new(Notice::error("the manual cannot be made").cause(error.to_string())))?;
    print(&page)
}

fn print(bytes: &[u8]) -> Result<Exit, Failed> {
    written(output::text(&String::from_utf8_lossy(bytes)))?;
    Ok(Exit::Success)
}
