//! Defines the health of custom kinds: what their controllers report in conditions, phases and states.

use super::{NOT_SEEN, conditions, is_behind};
use crate::model::{Health, HealthStatus, LiveObject, Value};

/// Returns what a custom object's controller reports, if it reports anything.
pub(super) fn of(object: &LiveObject) -> Option<Health> {
    let body = &object.body;
    let flag = |path: &[&str]| body.at(path).and_then(Value::as_bool) == Some(true);
    if is_behind(body) {
        return Some(Health::with(HealthStatus::Progressing, NOT_SEEN));
    }
    if flag(&["spec", "suspend"]) || flag(&["spec", "suspended"]) || flag(&["spec", "paused"]) {
        return Some(Health::with(HealthStatus::Suspended, "suspended"));
    }
    let status = body.get("status").filter(|s| !s.is_null())?;
    if status.is_empty() {
        return Some(Health::with(HealthStatus::Progressing, "its controller has reported nothing yet"));
    }
    let by_conditions = conditions::of(body);
    let by_word = words(status);
    let by_rest = by_word
        .or_else(|| other_words(status))
        .or_else(|| failed(status))
        .or_else(|| flags(status))
        .or_else(|| replicas(body, status))
        .or_else(|| nothing_said_of(status));
    match (by_conditions, by_rest) {
        // A phase tells more than a condition which is good news.
        (Some(c), Some(w)) if c.status == HealthStatus::Healthy => {
            Some(if w == HealthStatus::Healthy { c } else { Health { status: w, message: message(status) } })
        }
        (Some(c), _) if c.status == HealthStatus::Degraded && by_word == Some(HealthStatus::Progressing) => {
            Some(Health { status: HealthStatus::Progressing, ..c })
        }
        (Some(c), _) if c.status == HealthStatus::Progressing && by_word == Some(HealthStatus::Degraded) => {
            Some(Health { status: HealthStatus::Degraded, message: message(status).or(c.message) })
        }
        (Some(c), _) => Some(c),
        (None, Some(word)) => Some(Health { status: word, message: message(status) }),
        (None, None) => not_understood(body, status),
    }
}

/// Returns that a status tells something and nobody knows what: that is no good news. What tells nothing about how the object is
/// doing, such as an address, is none of it.
fn not_understood(body: &Value, status: &Value) -> Option<Health> {
    let states = || STATES.iter().filter_map(|field| Some((field, status.str_at(&[field])?)));
    let state =
        || states().find(|(_, word)| !word.is_empty()).map(|(field, word)| format!("{field} is {word}"));
    let what = conditions::not_understood(body).or_else(state)?;
    Some(Health::with(HealthStatus::Unknown, format!("what it reports is not understood: {what}")))
}

/// Fields in which controllers put how the object is doing, and nothing else.
const STATES: [&str; 7] =
    ["phase", "state", "health", "healthStatus", "status", "currentState", "currentPhase"];

/// Fields of a status in which controllers put one word.
const WORDED: [&str; 9] = [
    "phase",
    "state",
    "health",
    "healthStatus",
    "status",
    "currentState",
    "syncStatus",
    "result",
    "currentPhase",
];

/// Reads the fields that hold one word; the worst counts.
fn words(status: &Value) -> Option<HealthStatus> {
    WORDED.iter().filter_map(|field| word(status.str_at(&[field])?)).max()
}

/// Reads lists of conditions that are there and empty: the controller has begun and has not come far.
fn nothing_said_of(status: &Value) -> Option<HealthStatus> {
    let empty = |field: &&str| status.get(field).is_some_and(Value::is_empty);
    ["conditions", "parents", "ancestors"].iter().any(empty).then_some(HealthStatus::Progressing)
}

/// Reads fields whose names end as those do, such as `updateStatus` and `applicationState.state`; the worst word counts.
fn other_words(status: &Value) -> Option<HealthStatus> {
    const ENDS: [&str; 4] = ["State", "Status", "Phase", "Health"];
    let named = |name: &str| ENDS.iter().any(|end| name.ends_with(end));
    let fields = status.as_map()?.iter().filter(|(name, _)| named(name));
    let words = fields.filter_map(|(_, value)| match value {
        Value::String(text) => word(text),
        part => WORDED.iter().find_map(|field| word(part.str_at(&[field])?)),
    });
    words.max()
}

/// Reads an error that stands in a field of its own.
fn failed(status: &Value) -> Option<HealthStatus> {
    const ERRORS: [&str; 6] =
        ["error", "errMsg", "errorMessage", "failureMessage", "failureReason", "lastError"];
    let says = |field: &&str| status.get(field).is_some_and(|e| !e.is_empty() && e.as_bool() != Some(false));
    ERRORS.iter().any(says).then_some(HealthStatus::Degraded)
}

/// Reads switches that say that all is there.
fn flags(status: &Value) -> Option<HealthStatus> {
    if status.get("healthy").and_then(Value::as_bool) == Some(false) {
        return Some(HealthStatus::Degraded);
    }
    let flag = ["ready", "isReady", "readyToUse", "healthy", "available"]
        .iter()
        .find_map(|field| status.get(field)?.as_bool())?;
    Some(if flag { HealthStatus::Healthy } else { HealthStatus::Progressing })
}

/// Reads the counts of kinds that run replicas as Deployments do.
fn replicas(body: &Value, status: &Value) -> Option<HealthStatus> {
    let wanted = body.at(&["spec", "replicas"])?.as_i64()?;
    let ready = ["availableReplicas", "readyReplicas"].iter().find_map(|f| status.get(f)?.as_i64())?;
    Some(if ready < wanted { HealthStatus::Progressing } else { HealthStatus::Healthy })
}

pub(super) fn message(status: &Value) -> Option<String> {
    ["message", "reason", "errorMessage", "error"]
        .iter()
        .find_map(|field| status.str_at(&[field]))
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// Returns what a controller's word means.
fn word(text: &str) -> Option<HealthStatus> {
    const HEALTHY: [&str; 24] = [
        "healthy",
        "ready",
        "running",
        "active",
        "available",
        "bound",
        "succeeded",
        "success",
        "successful",
        "completed",
        "complete",
        "green",
        "deployed",
        "synced",
        "ok",
        "online",
        "exists",
        "valid",
        "provisioned",
        "initialized",
        "accepted",
        "open",
        "installed",
        "finished",
    ];
    const DEGRADED: [&str; 18] = [
        "degraded",
        "failed",
        "failure",
        "error",
        "errored",
        "red",
        "invalid",
        "unhealthy",
        "crashloopbackoff",
        "lost",
        "warning",
        "configerror",
        "rejected",
        "aborted",
        "cancelled",
        "stopping",
        "failing",
        "disabled",
    ];
    const PROGRESSING: [&str; 24] = [
        "progressing",
        "pending",
        "creating",
        "provisioning",
        "deploying",
        "updating",
        "upgrading",
        "inprogress",
        "installing",
        "initializing",
        "waiting",
        "reconciling",
        "scheduled",
        "starting",
        "terminating",
        "deleting",
        "restarting",
        "finalising",
        "promoting",
        "processing",
        "upgradepending",
        "yellow",
        "new",
        "queued",
    ];
    const SUSPENDED: [&str; 5] = ["suspended", "paused", "stopped", "hibernated", "inactive"];
    let lower: String = text.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let says = |words: &[&str]| words.contains(&lower.as_str());
    if says(&HEALTHY) {
        Some(HealthStatus::Healthy)
    } else if says(&DEGRADED) || ["failed", "error", "failure"].iter().any(|end| lower.ends_with(end)) {
        Some(HealthStatus::Degraded)
    } else if says(&PROGRESSING) || lower.ends_with("inprogress") || lower.ends_with("notready") {
        Some(HealthStatus::Progressing)
    } else if says(&SUSPENDED) {
        Some(HealthStatus::Suspended)
    } else if lower == "notfound" {
        Some(HealthStatus::Missing)
    } else if lower == "unknown" || lower == "inconclusive" {
        Some(HealthStatus::Unknown)
    } else if let Some((first, _)) = text.split_once(' ') {
        // A sentence says by its first word what goes on.
        word(first).filter(|status| *status != HealthStatus::Healthy)
    } else {
        // What somebody is at, such as `Scheduling`.
        lower.ends_with("ing").then_some(HealthStatus::Progressing)
    }
}
