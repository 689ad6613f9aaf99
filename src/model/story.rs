//! Defines the story of an object's fields: since when Git declares them so, what they were before, and what the cluster's
//! events say.

use super::change::{Cause, Declared, DeclaringCommit, FieldChange, add_note};
use super::field_path::FieldPath;
use super::manifest::Origin;
use super::value::Value;
use jiff::Timestamp;

/// The story of one object, of what differs in it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Story {
    /// With the values that its fields had before, and the cluster's events.
    pub whole: bool,
    /// In the order of the changes.
    pub fields: Vec<FieldStory>,
    /// Why its engine could not apply what Git declares, in the engine's own words.
    pub failed_sync: Option<String>,
    /// What the cluster's events say of it, newest first; empty unless the whole story was asked for.
    pub events: Vec<Event>,
    /// Why its events could not be read.
    pub no_events: Option<String>,
}

impl Story {
    /// Adds to a change what the story tells of it: where it is set, since which commit, and whether a sync failed.
    pub fn tell(&self, change: &mut FieldChange) {
        if let Some(words) = self.failed_sync.as_ref().filter(|_| change.cause == Cause::UnsyncedCommit) {
            change.cause = Cause::FailedSync;
            add_note(&mut change.note, words);
        }
        // What was judged anew since is not found by its place.
        let Some(field) = self.fields.iter().find(|field| field.path == change.path) else { return };
        change.origin = field.origin.clone().or(change.origin.take());
        change.declared = field.declared.clone().or(change.declared.take());
    }
}

/// The story of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldStory {
    pub path: FieldPath,
    pub origin: Option<Origin>,
    pub declared: Option<Declared>,
    /// What kubectl applied last, where that is neither what is declared nor what is live.
    pub applied: Option<Value>,
    /// What was declared before, newest first; empty unless the whole story was asked for.
    pub earlier: Vec<EarlierValue>,
    /// There may be more than those.
    pub earlier_more: bool,
}

/// A value that a field was declared with once; `None`: it was not declared.
#[derive(Debug, Clone, PartialEq)]
pub struct EarlierValue {
    pub commit: DeclaringCommit,
    pub value: Option<Value>,
}

/// An event of the cluster about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub at: Option<Timestamp>,
    pub warning: bool,
    pub reason: String,
    pub message: String,
    /// Who reported it.
    pub by: String,
    pub count: u64,
}
