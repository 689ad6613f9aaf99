//! Installs what happens on a panic: the terminal is given back first, and no value reaches the screen or the log.

use super::screen::give_back;
use crate::text;
use color_eyre::config::HookBuilder;
use color_eyre::section::PanicMessage;
use std::fmt;
use std::panic::PanicHookInfo;

/// Says where it failed, and nothing of the values: a panic's own message may quote a Secret.
struct PlaceOnly;

impl PanicMessage for PlaceOnly {
    fn display(&self, panic: &PanicHookInfo<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "driftdeck failed. Nothing that was not shown has been written to a cluster or to Git.")?;
        match panic.location() {
            Some(place) => write!(f, "It failed at {}:{}; the log has more.", place.file(), place.line()),
            None => write!(f, "The log has more."),
        }
    }
}

/// Installs the hooks for errors and panics. A panic that is caught where it happens is left alone; one of a thread in
/// the background is only logged, since the deck goes on without it.
pub fn install() {
    let (panic_hook, error_hook) =
        HookBuilder::blank().panic_message(PlaceOnly).display_env_section(false).into_hooks();
    // A second call is refused and changes nothing.
    let _ = error_hook.install();
    let main = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        if text::is_guarded() {
            return;
        }
        if let Some(place) = info.location() {
            tracing::error!(file = place.file(), line = place.line(), "panic");
        }
        if std::thread::current().id() == main {
            give_back();
            let report = panic_hook.panic_report(info).to_string();
            let mut stderr = std::io::stderr().lock();
            // A terminal that is gone cannot be told anything.
            let _ = std::io::Write::write_all(&mut stderr, format!("{report}\n").as_bytes());
        }
    }));
}
