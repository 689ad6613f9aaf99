//! Defines data that comes from far away: what it is now, and what it was last.

use super::notice::Notice;
use jiff::Timestamp;

/// Something that is fetched, with the last good value kept while it is fetched again or has failed.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Fetched<T> {
    #[default]
    Idle,
    Loading {
        last: Option<T>,
    },
    Ready {
        at: Timestamp,
        value: T,
    },
    Failed {
        at: Timestamp,
        notice: Notice,
        last: Option<T>,
    },
}

impl<T> Fetched<T> {
    /// Returns the newest good value.
    pub fn value(&self) -> Option<&T> {
        match self {
            Fetched::Idle => None,
            Fetched::Loading { last } | Fetched::Failed { last, .. } => last.as_ref(),
            Fetched::Ready { value, .. } => Some(value),
        }
    }

    /// Marks that it is being fetched, keeping the last good value.
    #[must_use]
    pub fn loading(self) -> Self {
        Fetched::Loading { last: self.into_value() }
    }

    /// Marks that fetching failed, keeping the last good value.
    #[must_use]
    pub fn failed(self, at: Timestamp, notice: Notice) -> Self {
        Fetched::Failed { at, notice, last: self.into_value() }
    }

    fn into_value(self) -> Option<T> {
        match self {
            Fetched::Idle => None,
            Fetched::Loading { last } | Fetched::Failed { last, .. } => last,
            Fetched::Ready { value, .. } => Some(value),
        }
    }
}
