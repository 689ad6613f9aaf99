//! Defines health: how a live object is doing, by the rules of its kind and by the conditions that it reports.
//!
//! The words and the rules of built-in kinds follow Argo CD's resource health; what other kinds report is read by the
//! conventions of the Kubernetes API (conditions, `observedGeneration`, as `kstatus` reads them) and by the words that
//! controllers use.

mod conditions;
mod notation;
mod pods;
mod reported;
mod rules;
mod workloads;

pub use pods::{Pods, Workload, trouble};
pub use rules::HealthRules;

use crate::model::{Health, HealthStatus, LiveObject, Value};
use crate::text::redact;

/// Returns how a live object is doing: by the user's rules, by those of its kind, else by what it reports. A message that
/// looks like a secret is hidden.
pub fn health(object: &LiveObject, rules: &HealthRules) -> Health {
    let mut health = judged(object, rules);
    if let Some(message) = &mut health.message {
        let told = redact::line(message);
        if told != message {
            *message = told.to_owned();
        }
    }
    health
}

fn judged(object: &LiveObject, rules: &HealthRules) -> Health {
    let body = &object.body;
    if body.at(&["metadata", "deletionTimestamp"]).is_some_and(|t| !t.is_null()) {
        return Health::with(HealthStatus::Progressing, "being deleted");
    }
    let (group, kind) = (object.kind.group.as_str(), object.kind.kind.as_str());
    if let Some(health) = rules
        .by_user(group, kind, body)
        .or_else(|| workloads::of(group, kind, body))
        .or_else(|| rules.by_table(group, kind, body))
    {
        return health;
    }
    if is_built_in(group) {
        return conditions::of(body).unwrap_or_else(healthy);
    }
    reported::of(object).unwrap_or_else(healthy)
}

fn healthy() -> Health {
    Health::of(HealthStatus::Healthy)
}

/// Kubernetes' own groups, whose objects without a status have nothing to say.
fn is_built_in(group: &str) -> bool {
    !group.contains('.')
        || matches!(
            group,
            "networking.k8s.io"
                | "rbac.authorization.k8s.io"
                | "storage.k8s.io"
                | "admissionregistration.k8s.io"
                | "scheduling.k8s.io"
                | "coordination.k8s.io"
                | "discovery.k8s.io"
                | "flowcontrol.apiserver.k8s.io"
                | "certificates.k8s.io"
                | "node.k8s.io"
                | "resource.k8s.io"
        )
}

/// Returns an integer of the status, zero where it is absent.
fn count(body: &Value, path: &[&str]) -> i64 {
    body.at(path).and_then(Value::as_i64).unwrap_or(0)
}

/// Returns the generation that the status is of, where it says so.
fn observed_generation(body: &Value) -> Option<i64> {
    let observed = body.at(&["status", "observedGeneration"])?;
    // Some controllers write it as text.
    observed.as_i64().or_else(|| observed.as_str()?.parse().ok())
}

/// Returns whether the controllers have not seen the object's newest generation.
fn is_behind(body: &Value) -> bool {
    let generation = body.at(&["metadata", "generation"]).and_then(Value::as_i64);
    matches!((generation, observed_generation(body)), (Some(generation), Some(observed)) if observed < generation)
}

const NOT_SEEN: &str = "its controller has not seen the newest generation yet";

#[cfg(test)]
mod tests;
