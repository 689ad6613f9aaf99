//! Defines the exit codes of the headless contract.

use crate::cli::document::Findings;
use crate::model::Verdict;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything compared is in sync, or the action did all it planned.
    Success,
    /// 1: drift.
    Drift,
    /// 2: it could not do what was asked.
    Failure,
    /// 3: no drift seen, but something could not be compared.
    Incomplete,
    /// 130: ctrl-C; 143 and 129: SIGTERM and SIGHUP.
    Interrupted,
}

impl Exit {
    /// Returns the exit of a run that compared things. `strict`: what was not compared wins over drift;
    /// `exit_zero`: drift and what was not compared are no failure.
    pub fn of(findings: &Findings, strict: bool, exit_zero: bool) -> Self {
        let incomplete = !findings.complete();
        let exit = match findings.verdict() {
            Verdict::Drifted if strict && incomplete => Exit::Incomplete,
            Verdict::Drifted => Exit::Drift,
            _ if incomplete => Exit::Incomplete,
            Verdict::InSync => Exit::Success,
            // Nothing compared in the whole run.
            _ => Exit::Failure,
        };
        if exit_zero && matches!(exit, Exit::Drift | Exit::Incomplete) { Exit::Success } else { exit }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Success => 0,
            Exit::Drift => 1,
            Exit::Failure => 2,
            Exit::Incomplete => 3,
            Exit::Interrupted => 130,
        })
    }
}
