//! Defines what is run, within which limits, and what it left behind.

use super::error::ChildError;
use crate::model::limits;
use crate::text::Outside;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A program to run.
///
/// Nothing is inherited: the environment is exactly `env` (and the family's mark), the folder is `dir`, standard input
/// is `stdin`. Nothing sensitive belongs in `args`: other users of the machine see them.
#[derive(Clone)]
pub struct Job {
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub env: Vec<(OsString, OsString)>,
    pub dir: PathBuf,
    /// What the program reads from standard input, which is closed afterwards.
    pub stdin: Vec<u8>,
    pub limits: Limits,
}

/// What a job may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wall-clock time from start to end of output.
    pub time: Duration,
    /// Bytes on standard output; one more ends the job.
    pub stdout_bytes: usize,
    /// Bytes of standard error that are kept, the last ones; the rest is read and dropped.
    pub stderr_bytes: usize,
    /// Address space of each process (Linux only); `None`: as driftdeck itself.
    pub memory_bytes: Option<u64>,
    /// Processes of the family at once (Linux only).
    pub processes: u64,
}

impl Limits {
    /// Returns the usual limits within a time, from the table of limits.
    pub fn within(time: Duration) -> Self {
        Self {
            time,
            stdout_bytes: limits::CHILD_OUTPUT_BYTES,
            stderr_bytes: limits::CHILD_ERROR_BYTES,
            memory_bytes: None,
            processes: limits::CHILD_PROCESSES,
        }
    }
}

impl Job {
    /// Describes a run of `program` in `dir` with an empty environment and nothing on standard input.
    pub fn new(program: impl Into<PathBuf>, dir: impl Into<PathBuf>, limits: Limits) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            dir: dir.into(),
            stdin: Vec::new(),
            limits,
        }
    }

    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.stdin = bytes;
        self
    }

    /// Returns the program's name as people say it: `git` for `/usr/bin/git`.
    pub fn name(&self) -> String {
        name_of(&self.program)
    }
}

/// Returns the last part of a program's path.
pub(super) fn name_of(program: &Path) -> String {
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

impl std::fmt::Debug for Job {
    /// Prints the program and its arguments, and of the environment only the names.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("program", &self.program)
            .field("args", &self.args)
            .field("env", &self.env.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("dir", &self.dir)
            .field("stdin", &format_args!("{} bytes", self.stdin.len()))
            .field("limits", &self.limits)
            .finish()
    }
}

/// What a program left behind. It ended by itself, with success or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The program's name.
    pub program: String,
    /// The exit code; `None`: a signal ended it.
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: Vec<u8>,
    /// The last bytes of standard error.
    pub stderr: Outside,
}

impl Finished {
    pub fn succeeded(&self) -> bool {
        self.code == Some(0)
    }

    /// Returns itself if the program succeeded, else [`ChildError::Failed`] with the program's own words.
    pub fn success(self) -> Result<Self, ChildError> {
        if self.succeeded() {
            Ok(self)
        } else {
            Err(ChildError::Failed {
                program: self.program,
                code: self.code,
                signal: self.signal,
                stderr: self.stderr,
            })
        }
    }
}
