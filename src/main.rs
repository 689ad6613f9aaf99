//! The program: parses the command line, installs hooks, and hands over to the headless commands or the deck.

use driftdeck::cli;
use driftdeck::runtime::opening::{Demo, Wanted};
use driftdeck::shell;
use std::process::ExitCode;

/// Several threads read and judge thousands of small values at once: there the system's allocator spends a sixth of the
/// time on its own locks and on getting memory from the kernel.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    shell::hooks::install();
    let arguments = match cli::typed() {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    cli::prepare(&arguments.options);
    let Some(deck) = arguments.deck() else { return cli::run(&arguments) };
    let demo = deck.demo.then_some(Demo { still: deck.still });
    let (exact, ascii, no_color) =
        (arguments.options.exact, arguments.options.ascii, arguments.options.no_color);
    let theme = arguments.options.theme.clone();
    cli::ended(shell::deck(&Wanted { wishes: deck.wishes, demo, exact, ascii, no_color, theme }))
}
