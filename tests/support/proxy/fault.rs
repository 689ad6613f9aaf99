//! What can be put in a request's way, and the book that says in whose way.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::request::{Matching, Seen};

/// A fault in one request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The connection is cut before the server has heard of the request.
    DropBefore,
    /// The server does what it was asked; the connection is cut before the client hears of it.
    DropAfter,
    /// Nobody ever answers, and the server never hears of it.
    BlackHole,
    /// The server acts, and nobody ever answers.
    BlackHoleAfter,
    /// The server answers late.
    Delay(Duration),
    /// The answer ends in the middle: this many bytes of its body, then the connection is cut.
    Truncate(usize),
    /// Another answer, and the server never hears of the request.
    Answer { status: u16, headers: Vec<(String, String)>, body: String },
    /// A watch begins, and its first event says that the resource version is gone.
    GoneInWatch,
}

impl Fault {
    /// Forbidden, as the API server says it.
    pub fn forbidden() -> Self {
        Self::status(403, "Forbidden", "forbidden: the fault proxy does not allow it")
    }

    /// Gone: the resource version is too old to list or watch from.
    pub fn gone() -> Self {
        Self::status(410, "Expired", "too old resource version")
    }

    /// Conflict: the object has been modified.
    pub fn conflict() -> Self {
        Self::status(
            409,
            "Conflict",
            "the object has been modified; please apply your changes to the latest version",
        )
    }

    /// Too many requests; come back after some seconds.
    pub fn too_many_requests(retry_after: u32) -> Self {
        let Self::Answer { status, body, .. } = Self::status(429, "TooManyRequests", "too many requests")
        else {
            unreachable!("an answer")
        };
        Self::Answer { status, headers: vec![("retry-after".to_owned(), retry_after.to_string())], body }
    }

    /// Service unavailable, as a broken aggregated API answers.
    pub fn unavailable() -> Self {
        Self::status(503, "ServiceUnavailable", "the server is currently unable to handle the request")
    }

    /// A `Status` object with a code, a reason and a message.
    pub fn status(code: u16, reason: &str, message: &str) -> Self {
        let body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code,
        });
        Self::Answer { status: code, headers: Vec::new(), body: body.to_string() }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::DropBefore => "drop before",
            Self::DropAfter => "drop after",
            Self::BlackHole => "black hole",
            Self::BlackHoleAfter => "black hole after",
            Self::Delay(_) => "delay",
            Self::Truncate(_) => "truncate",
            Self::Answer { .. } => "answer",
            Self::GoneInWatch => "gone in watch",
        }
    }
}

/// Runs once, before a request is forwarded.
pub(super) type Hook = Box<dyn FnOnce() + Send>;

/// Names a fault that was put in, so that a test can take it out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FaultId(usize);

/// Which fault is in whose way.
#[derive(Default)]
pub(super) struct Book {
    next: usize,
    faults: BTreeMap<FaultId, Entry>,
    hooks: Vec<(Matching, usize, Hook)>,
}

struct Entry {
    matching: Matching,
    /// How many matching requests pass before it strikes.
    passes: usize,
    /// How often it strikes; none is for ever.
    left: Option<usize>,
    fault: Fault,
}

impl Book {
    pub(super) fn put(
        &mut self,
        matching: Matching,
        passes: usize,
        left: Option<usize>,
        fault: Fault,
    ) -> FaultId {
        let id = FaultId(self.next);
        self.next += 1;
        self.faults.insert(id, Entry { matching, passes, left, fault });
        id
    }

    pub(super) fn take_out(&mut self, id: FaultId) {
        self.faults.remove(&id);
    }

    pub(super) fn clear(&mut self) {
        self.faults.clear();
        self.hooks.clear();
    }

    pub(super) fn put_hook(&mut self, matching: Matching, passes: usize, hook: Hook) {
        self.hooks.push((matching, passes, hook));
    }

    /// Returns the fault that strikes a request; the one put in first wins.
    pub(super) fn strike(&mut self, seen: &Seen) -> Option<Fault> {
        for entry in self.faults.values_mut() {
            if entry.left == Some(0) || !entry.matching.matches(seen) {
                continue;
            }
            if entry.passes > 0 {
                entry.passes -= 1;
                continue;
            }
            entry.left = entry.left.map(|left| left - 1);
            return Some(entry.fault.clone());
        }
        None
    }

    /// Returns the hooks that are due before a request.
    pub(super) fn due(&mut self, seen: &Seen) -> Vec<Hook> {
        let mut due = Vec::new();
        for (matching, passes, hook) in std::mem::take(&mut self.hooks) {
            match (matching.matches(seen), passes) {
                (true, 0) => due.push(hook),
                (true, passes) => self.hooks.push((matching, passes - 1, hook)),
                (false, passes) => self.hooks.push((matching, passes, hook)),
            }
        }
        due
    }
}
