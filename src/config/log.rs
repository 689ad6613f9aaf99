//! Defines the log: a private file, never the screen, with driftdeck's own words only.
//!
//! What dependencies say is not logged, whatever `RUST_LOG` asks for: at their debug levels they print headers and
//! bodies. Every event is one line, with control characters made visible.

use super::private::{PrivateError, PrivateFolder, appender_at};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Mutex;
use tracing::Subscriber;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{FilterExt as _, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;

/// The targets that are logged: these modules and what is below them.
const ALLOWED: [&str; 1] = ["driftdeck"];
/// The log's name in the state folder, and that of the one before.
const FILE: &str = "driftdeck.log";
const FILE_BEFORE: &str = "driftdeck.log.1";
/// Bytes after which a new log is begun at the next start.
const MOST_BYTES: u64 = 8 << 20;

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("the log cannot be written")]
    File(#[from] PrivateError),
    #[error("RUST_LOG says `{text}`, which is no list of targets and levels")]
    Directives { text: String },
    #[error("the log was started before")]
    StartedBefore,
}

/// Starts the log of this process: into `file` where the user named one, else into the state folder.
///
/// `directives` is the value of `RUST_LOG`; without it, `info` and above.
pub fn start(file: Option<&Path>, state: &Path, directives: Option<&str>) -> Result<(), LogError> {
    let wanted = wanted(directives)?;
    let to = match file {
        Some(file) => appender_at(file)?,
        None => open_in_state(state)?,
    };
    tracing::subscriber::set_global_default(subscriber(to, wanted)).map_err(|_| LogError::StartedBefore)
}

fn wanted(directives: Option<&str>) -> Result<Targets, LogError> {
    match directives.map(str::trim).filter(|text| !text.is_empty()) {
        None => Ok(Targets::new().with_default(tracing::Level::INFO)),
        Some(text) => Targets::from_str(text).map_err(|_| LogError::Directives { text: text.to_owned() }),
    }
}

fn open_in_state(state: &Path) -> Result<File, PrivateError> {
    let folder = PrivateFolder::open(state)?;
    let file = folder.appender(FILE)?;
    if file.metadata().is_ok_and(|facts| facts.len() > MOST_BYTES) {
        folder.rename(FILE, FILE_BEFORE)?;
        return folder.appender(FILE);
    }
    Ok(file)
}

fn subscriber(to: File, wanted: Targets) -> impl Subscriber + for<'a> LookupSpan<'a> + Send + Sync {
    let allowed = filter_fn(|event| is_allowed(event.target()));
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Lines(Mutex::new(to)));
    tracing_subscriber::registry().with(lines.with_filter(wanted.and(allowed)))
}

fn is_allowed(target: &str) -> bool {
    ALLOWED.iter().any(|allowed| {
        target.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    })
}

/// Writes each event as one encoded line.
struct Lines(Mutex<File>);

struct Line<'a>(&'a Mutex<File>);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Line(&self.0)
    }
}

impl Write for Line<'_> {
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        // The formatter hands over an event at a time, with its line break.
        let text = String::from_utf8_lossy(event);
        let line = format!("{}\n", crate::text::log_line(text.trim_end_matches('\n')));
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(directives: Option<&str>, say: impl FnOnce()) -> String {
        let state = tempfile::tempdir().unwrap();
        let to = open_in_state(state.path()).unwrap();
        tracing::subscriber::with_default(subscriber(to, wanted(directives).unwrap()), say);
        std::fs::read_to_string(state.path().join(FILE)).unwrap()
    }

    #[test]
    fn rust_log_cannot_widen_the_allowed_targets() {
        for directives in
            ["trace", "kube=trace,hyper=debug,driftdeck=trace", "kube_client::client=trace,trace"]
        {
            let log = logged(Some(directives), || {
                tracing::trace!(target: "driftdeck::config::log", "ours");
                tracing::error!(target: "kube_client::client", "canary");
                tracing::trace!(target: "hyper::proto", "canary");
                tracing::error!(target: "driftdeckish", "canary");
            });
            assert!(log.contains("ours") && !log.contains("canary"), "{directives}: {log}");
        }
    }

    #[test]
    fn without_rust_log_info_and_above_is_logged() {
        let log = logged(None, || {
            tracing::info!("seen");
            tracing::debug!("unseen");
        });
        assert!(log.contains("seen") && !log.contains("unseen"), "{log}");
        assert!(matches!(wanted(Some("driftdeck=loudest")), Err(LogError::Directives { .. })));
    }

    #[test]
    fn an_event_is_one_line_whatever_it_says() {
        for hostile in crate::text::hostile::STRINGS {
            let log = logged(None, || tracing::info!("{}", hostile));
            assert_eq!(log.matches('\n').count(), 1, "{hostile:?}");
            assert!(!log.trim_end().chars().any(char::is_control), "{log:?}");
        }
    }

    #[test]
    fn a_large_log_makes_room_for_a_new_one() {
        let state = tempfile::tempdir().unwrap();
        let file = open_in_state(state.path()).unwrap();
        file.set_len(MOST_BYTES + 1).unwrap();
        assert_eq!(open_in_state(state.path()).unwrap().metadata().unwrap().len(), 0);
        assert_eq!(std::fs::metadata(state.path().join(FILE_BEFORE)).unwrap().len(), MOST_BYTES + 1);
    }
}
