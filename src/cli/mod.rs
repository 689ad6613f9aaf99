//! The headless commands, over the same pipeline and actions as the deck.
//!
//! What belongs to the user goes to stdout, progress and notices to stderr. Every command returns an [`Exit`]; errors are
//! [`Notice`]s, so that they read the same here and in the deck.

mod acting;
mod apply;
mod apps;
pub mod arguments;
mod capture;
mod changes;
mod check;
mod commit_plan;
mod committing;
mod compare;
mod declared;
mod diff;
mod doctor;
mod document;
mod exact;
mod exit;
mod gather;
mod handover;
mod history;
mod hold;
mod ignore;
mod journal;
mod live;
mod manual;
mod opening;
mod output;
mod plan;
mod plan_file;
mod render;
mod report;
mod revert;
mod select;
mod signals;
mod stdin;
mod sync;
mod undo;

pub use exit::Exit;

use crate::config::paths::Folders;
use crate::config::{log, private};
use crate::model::{Notice, Timestamp};
use crate::process;
use arguments::{Arguments, Command, Options};
use output::Output;
use signals::{Asked, Signals};
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

/// What a command could not do, for the user.
pub(crate) type Failed = Box<Notice>;

/// Carries out a headless command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let options = &arguments.options;
    let output = Output::new(options.output, options.quiet, options.no_color);
    if let Some(Command::SelectPaths) = &arguments.command {
        // It is bounded in memory: too little for the threads of a runtime.
        return select::run();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::notice(&Notice::error("the async runtime cannot start").cause(error.to_string()));
            return Exit::Failure.into();
        }
    };
    let (exit, asked) = runtime.block_on(until_asked(arguments, &output));
    // Child programs and exported copies go with the tasks that made them.
    process::close(runtime);
    match exit {
        Ok(Exit::Interrupted) => asked.unwrap_or_default().into(),
        Ok(exit) => exit.into(),
        Err(notice) => {
            failed(arguments.command.as_ref().map(Command::name), &notice, &output);
            Exit::Failure.into()
        }
    }
}

/// Carries a command out until it is done, or a signal asks it to end; returns that too.
async fn until_asked(arguments: &Arguments, output: &Output) -> (Result<Exit, Failed>, Option<Asked>) {
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            let notice = Notice::error("signals cannot be received").cause(error.to_string());
            return (Err(Box::new(notice)), None);
        }
    };
    let cancel = CancellationToken::new();
    let work = dispatch(arguments, output, &cancel);
    tokio::pin!(work);
    let mut first = None;
    loop {
        tokio::select! {
            done = &mut work => return (done, first),
            // What writes ends its step and writes its journal first; whoever asks twice does not want to wait.
            asked = signals.next() => {
                let again = first.replace(asked).is_some();
                cancel.cancel();
                if again || !arguments.command.as_ref().is_some_and(Command::writes) {
                    return (Ok(Exit::Interrupted), first);
                }
            }
        }
    }
}

/// Says why a command could not begin: on stderr, or as the one document that a program waits for on stdout.
fn failed(command: Option<&str>, notice: &Notice, output: &Output) {
    let Some(command) = command.filter(|_| output.format != output::Format::Text) else {
        return output::notice(notice);
    };
    if output.document(|| document::failure(command, notice, now()), String::new).is_err() {
        output::notice(notice);
    }
}

/// Reads the command line. What cannot be understood is said, as a document too where one was asked for; then the exit
/// code is returned.
pub fn typed() -> Result<Arguments, ExitCode> {
    let words: Vec<std::ffi::OsString> = std::env::args_os().collect();
    let typed = arguments::read(&words);
    if let Ok(arguments) = &typed
        && let Some(notice) = arguments.no_such_place()
    {
        output::notice(&notice);
        return Err(Exit::Failure.into());
    }
    typed.map_err(|error| {
        // Nobody can be told that stderr is closed. Help and version are no errors.
        let _ = error.print();
        let (format, command) = arguments::glance(&words, std::env::var("DRIFTDECK_OUTPUT").ok().as_deref());
        if let (true, Some(command)) = (error.use_stderr(), command) {
            let mistake = error.kind().as_str().unwrap_or("the command line cannot be understood");
            let notice = Notice::error(mistake).cause(error.to_string().trim().to_owned());
            let output = Output::new(format, false, true);
            if format != output::Format::Text {
                // As above, of stdout.
                let _ = output.document(|| document::failure(&command, &notice, now()), String::new);
            }
        }
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    })
}

/// Makes the process ready: no core dumps, which would hold Secrets, and the log in its file, never on the screen.
pub fn prepare(options: &Options) {
    if let Err(error) = private::forbid_core_dumps() {
        tracing::warn!(%error, "core dumps could not be switched off");
    }
    let Ok(folders) = Folders::of_this_user() else { return };
    let directives = std::env::var("RUST_LOG").ok();
    if let Err(error) = log::start(options.log_file.as_deref(), &folders.state, directives.as_deref()) {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let notice = Notice::warning(error.to_string());
        output::notice(&match cause {
            Some(cause) => notice.cause(cause),
            None => notice,
        });
    }
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "driftdeck starts");
}

/// Returns the exit code of what ended, and says why if it failed.
pub fn ended(done: Result<ExitCode, Box<Notice>>) -> ExitCode {
    done.unwrap_or_else(|notice| {
        output::notice(&notice);
        Exit::Failure.into()
    })
}

async fn dispatch(
    arguments: &Arguments,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failed> {
    let options = &arguments.options;
    match &arguments.command {
        Some(Command::Apps(places)) => apps::run(places, options, output).await,
        Some(Command::Render(what)) => {
            opening::in_time(options.timeout, render::run(what, options, output)).await
        }
        Some(Command::Compare(what)) => {
            opening::in_time(options.timeout, compare::run(what, options, output)).await
        }
        Some(Command::Check(places)) => check::run(places, options, output).await,
        Some(Command::Diff(what)) => diff::run(what, options, output).await,
        Some(Command::Changes(what)) => {
            opening::in_time(options.timeout, changes::run(what, options, output)).await
        }
        Some(Command::History(what)) => {
            opening::in_time(options.timeout, history::run(what, options, output)).await
        }
        Some(Command::Sync(what)) => sync::run(what, options, output, cancel).await,
        Some(Command::Revert(what)) => revert::run(what, options, output, cancel).await,
        Some(Command::Capture(what)) => capture::run(what, options, output, cancel).await,
        Some(Command::Ignore(what)) => ignore::run(what, options, output, cancel).await,
        Some(Command::Undo(what)) => undo::run(what, options, output, cancel).await,
        Some(Command::Hold(what)) => hold::run(what, options, output, cancel).await,
        Some(Command::Resume(what)) => hold::resume(what, options, output, cancel).await,
        Some(Command::Apply(what)) => apply::run(what, options, output, cancel).await,
        Some(Command::Doctor(places)) => doctor::run(places, options, output).await,
        Some(Command::Journal(what)) => journal::run(what, output),
        Some(Command::Report(what)) => handover::run(what, options, output).await,
        Some(Command::Completions { shell }) => manual::completions(*shell),
        Some(Command::Man) => manual::man(),
        Some(Command::Demo(_) | Command::SelectPaths) | None => {
            Err(Box::new(Notice::error("the deck needs a terminal")))
        }
    }
}

/// Reads the clock: the headless commands are where it is read.
#[allow(clippy::disallowed_methods)] // this is the one place of the cli
pub(crate) fn now() -> Timestamp {
    Timestamp::try_from(std::time::SystemTime::now()).unwrap_or_default()
}

/// Turns a write error on stdout into a failure.
pub(crate) fn written(result: std::io::Result<()>) -> Result<(), Failed> {
    result.map_err(|error| Box::new(Notice::error("stdout cannot be written").cause(error.to_string())))
}
