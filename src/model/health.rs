//! Defines health: how a live object is doing, beside its verdict and never mixed with it.

/// The health of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub status: HealthStatus,
    pub message: Option<String>,
}

/// The words of health, worst last: what is known to be bad outweighs what is not known. Source of the words: Argo CD's
/// resource health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HealthStatus {
    Healthy,
    Suspended,
    Progressing,
    Unknown,
    Missing,
    Degraded,
}

impl HealthStatus {
    /// All of them, as a person would list them.
    pub const ALL: [Self; 6] =
        [Self::Healthy, Self::Progressing, Self::Degraded, Self::Suspended, Self::Missing, Self::Unknown];

    /// Returns the status that is called so.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    pub fn word(self) -> &'static str {
        match self {
            HealthStatus::Healthy => "Healthy",
            HealthStatus::Suspended => "Suspended",
            HealthStatus::Progressing => "Progressing",
            HealthStatus::Missing => "Missing",
            HealthStatus::Degraded => "Degraded",
            HealthStatus::Unknown => "Unknown",
        }
    }
}

impl Health {
    pub fn of(status: HealthStatus) -> Self {
        Self { status, message: None }
    }

    pub fn with(status: HealthStatus, message: impl Into<String>) -> Self {
        Self { status, message: Some(message.into()) }
    }
}
