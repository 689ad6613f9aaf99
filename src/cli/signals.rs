//! Defines which signals end a headless command, and with which exit code.

use std::io;
use std::process::ExitCode;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask a command to end.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

/// A signal that asked a command to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked(SignalKind);

impl Signals {
    /// Listens from now on. Must be called on an async runtime.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked(SignalKind::interrupt()),
            _ = self.terminate.recv() => Asked(SignalKind::terminate()),
            _ = self.hang_up.recv() => Asked(SignalKind::hangup()),
        }
    }
}

impl Default for Asked {
    fn default() -> Self {
        Self(SignalKind::interrupt())
    }
}

impl From<Asked> for ExitCode {
    /// As a shell has it: 128 and the signal's number, so 130 for ctrl-C.
    fn from(Asked(kind): Asked) -> Self {
        ExitCode::from(128_u8.saturating_add(u8::try_from(kind.as_raw_value()).unwrap_or_default()))
    }
}
