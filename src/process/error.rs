//! Defines how a child program can fail, with the program's own words where it said any.

use crate::text::Outside;
use std::path::PathBuf;
use std::time::Duration;

/// Why a program did not run to a good end. Its words are encoded when they are printed.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    #[error("{program} is not installed, or not on PATH")]
    NotFound { program: String },
    #[error("{} is no absolute path to a program", program.display())]
    NotAbsolute { program: PathBuf },
    #[error("{program} could not be started in {}", dir.display())]
    NotStarted { program: String, dir: PathBuf, source: std::io::Error },
    #[error("{program} was ended: it took longer than {} s", after.as_secs_f32())]
    TimedOut { program: String, after: Duration, stderr: Outside },
    #[error("{program} was cancelled")]
    Cancelled { program: String },
    #[error("{program} was ended: it printed more than {limit} bytes")]
    TooMuchOutput { program: String, limit: usize, stderr: Outside },
    #[error("{program} was ended: it started more than {limit} processes")]
    TooManyProcesses { program: String, limit: u64, stderr: Outside },
    #[error("{program} failed ({}){}", ending(*code, *signal), words(stderr))]
    Failed { program: String, code: Option<i32>, signal: Option<i32>, stderr: Outside },
    #[error("talking to {program} failed")]
    Broken { program: String, source: std::io::Error },
}

impl ChildError {
    /// Returns the program's name.
    pub fn program(&self) -> String {
        match self {
            Self::NotAbsolute { program } => super::job::name_of(program),
            Self::NotFound { program }
            | Self::NotStarted { program, .. }
            | Self::TimedOut { program, .. }
            | Self::Cancelled { program }
            | Self::TooMuchOutput { program, .. }
            | Self::TooManyProcesses { program, .. }
            | Self::Failed { program, .. }
            | Self::Broken { program, .. } => program.clone(),
        }
    }

    /// Returns what the program wrote to standard error, where it said anything.
    pub fn stderr(&self) -> Option<&Outside> {
        match self {
            Self::TimedOut { stderr, .. }
            | Self::TooMuchOutput { stderr, .. }
            | Self::TooManyProcesses { stderr, .. }
            | Self::Failed { stderr, .. } => Some(stderr).filter(|words| !words.is_empty()),
            _ => None,
        }
    }
}

fn ending(code: Option<i32>, signal: Option<i32>) -> String {
    match (code, signal) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit code".to_owned(),
    }
}

fn words(stderr: &Outside) -> String {
    stderr.last_line().map_or_else(String::new, |line| format!(": {}", crate::text::terminal(line)))
}
