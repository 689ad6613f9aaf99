//! Defines what runs of an app or an object: its pods, what events say of them, and the last lines that they printed.

use super::health::{Health, HealthStatus};
use super::id::ResourceId;
use super::story::Event;
use jiff::Timestamp;

/// What runs, as it was when it was asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Running {
    /// The pods, those in trouble first.
    pub pods: Vec<Pod>,
    /// Events about the objects, their pods and what stands between, newest first.
    pub events: Vec<TheirEvent>,
    /// What containers printed last, those in trouble first.
    pub logs: Vec<Log>,
    /// What is not told, and why: refused, cut off, or not kept.
    pub gaps: Vec<String>,
}

/// One pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Pod {
    pub id: ResourceId,
    pub health: Health,
    /// In one word how it is: the reason of what holds it up, else its phase.
    pub status: String,
    pub ready: usize,
    pub containers: usize,
    pub restarts: u64,
    pub created: Option<Timestamp>,
    pub node: Option<String>,
}

/// An event, and what it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct TheirEvent {
    /// As people name it, such as `Pod web-5c9f-a`.
    pub about: String,
    pub event: Event,
}

/// The last lines that a container printed.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    pub pod: String,
    pub container: String,
    /// It ended, and these are its last words before it was started again.
    pub previous: bool,
    /// Oldest first; or why they are not known.
    pub lines: Result<Vec<String>, String>,
}

impl Pod {
    /// Returns whether a person should look at it.
    pub fn is_in_trouble(&self) -> bool {
        matches!(self.health.status, HealthStatus::Degraded | HealthStatus::Unknown)
            || (self.health.status == HealthStatus::Progressing && self.ready < self.containers)
    }
}
