//! Defines holds: pauses of an engine's automation for one app, with owner, reason and expiry.

use super::app::Engine;
use super::id::ResourceId;
use jiff::Timestamp;

/// The command of a plan that pauses an engine's automation.
pub const HOLD: &str = "hold";
/// The command of a plan that lets it go on.
pub const RESUME: &str = "resume";

/// A pause of an engine's automation, as the engine's own object tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    pub engine: Engine,
    /// The engine's object.
    pub object: ResourceId,
    /// It was made by driftdeck, this one or a colleague's: whoever made it is its owner. Otherwise somebody paused the
    /// engine in another way, and only managed fields tell of it.
    pub ours: bool,
    pub owner: Option<String>,
    pub reason: Option<String>,
    pub since: Option<Timestamp>,
    /// When it is to end. Nothing ends it by itself.
    pub until: Option<Timestamp>,
    /// The field manager that paused the engine, and when, where that is recorded.
    pub by: Option<String>,
    pub at: Option<Timestamp>,
}

impl Hold {
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// Returns who paused the engine, for people.
    pub fn who(&self) -> &str {
        self.owner.as_deref().or(self.by.as_deref()).unwrap_or("somebody")
    }
}

/// Whether the engine of an app acts by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Automation {
    /// No engine owns the app.
    NoEngine,
    /// Its engine acts only when it is told to.
    Manual,
    Running,
    Held(Hold),
}

impl Automation {
    pub fn hold(&self) -> Option<&Hold> {
        if let Self::Held(hold) = self { Some(hold) } else { None }
    }
}
