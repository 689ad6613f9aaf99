//! Defines the health of custom kinds: what their controllers report in conditions, phases and states.

use super::{NOT_SEEN, conditions, is_behind};
use crate::model::{Health, HealthStatus, LiveObject, Value};

/// Switches of a spec that stop its controller.
const SUSPENDING: [&[&str]; 6] = [
    &["spec", "suspend"],
    &["spec", "suspended"],
    &["spec", "pause"],
    &["spec", "paused"],
    &["spec", "updateStrategy", "paused"],
    &["spec", "updateStrategy", "rollingUpdate", "paused"],
];

/// Returns what a custom object's controller reports, if it reports anything.
pub(super) fn of(object: &LiveObject) -> Option<Health> {
    let body = &object.body;
    let flag = |path: &[&str]| body.at(path).and_then(Value::as_bool) == Some(true);
    if is_behind(body) {
        return Some(Health::with(HealthStatus::Progressing, NOT_SEEN));
    }
    if SUSPENDING.iter().any(|path| flag(path)) {
        return Some(Health::with(HealthStatus::Suspended, "suspended"));
    }
    let status = body.get("status").filter(|s| !s.is_null())?;
    if status.is_empty() {
        return Some(Health::with(HealthStatus::Progressing, "its controller has reported nothing yet"));
    }
    let by_conditions = conditions::of(body);
    let by_word = words(status);
    if by_word.is_none()
        && by_conditions.as_ref().is_none_or(|c| c.status == HealthStatus::Healthy)
        && let Some(part) = parts(status)
    {
        return Some(part);
    }
    let by_rest = by_word
        .or_else(|| other_words(status))
        .or_else(|| failed(status))
        .or_else(|| flags(status))
        .or_else(|| replicas(body, status))
        .or_else(|| counts(status))
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

/// Reads the parts of a status, such as `environments[].phase` or `statuses.gateway.state`, and their own conditions: the whole is
/// as good as the worst of them at most. What has been is passed over.
fn parts(status: &Value) -> Option<Health> {
    const PAST: [&str; 6] = ["history", "previous", "last", "old", "event", "retr"];
    const SAY: [&str; 6] = ["phase", "state", "status", "health", "healthStatus", "compliant"];
    let is_past = |name: &str| {
        let name = name.to_lowercase();
        PAST.iter().any(|word| name.contains(word))
    };
    // These have been read as the object's own.
    let is_own = |name: &str| matches!(name, "conditions" | "parents" | "ancestors");
    let fields = status.as_map()?.iter().filter(|(name, _)| !is_past(name) && !is_own(name));
    let said = |part: &Value| -> Option<Health> {
        let word = SAY.iter().filter_map(|field| word(part.str_at(&[field])?)).max();
        let by_word = word.map(|status| Health { status, message: message(part) });
        let by_count = counts(part).map(Health::of);
        let all = by_word.into_iter().chain(conditions::of_part(part)).chain(by_count);
        all.max_by_key(|health| health.status)
    };
    let parts = fields.flat_map(|(_, value)| match value {
        Value::List(items) => items.iter().collect::<Vec<_>>(),
        Value::Map(below) => {
            [value].into_iter().chain(below.values().filter(|v| v.as_map().is_some())).collect()
        }
        _ => Vec::new(),
    });
    let worst = parts.filter_map(said).max_by_key(|health| health.status)?;
    matches!(worst.status, HealthStatus::Progressing | HealthStatus::Degraded).then_some(worst)
}

/// Returns that a status tells something and nobody knows what: that is no good news. What tells nothing about how the object is
/// doing, such as an address, is none of it.
fn not_understood(body: &Value, status: &Value) -> Option<Health> {
    let states = || STATES.iter().filter_map(|field| Some((field, status.str_at(&[field])?)));
    let state =
        || states().find(|(_, word)| !word.is_empty()).map(|(field, word)| format!("{field} is {word}"));
    if conditions::is_any_known(body) {
        return None;
    }
    let what = conditions::first(body).or_else(state)?;
    Some(Health::with(HealthStatus::Unknown, format!("what it reports is not understood: {what}")))
}

/// Fields in which controllers put how the object is doing, and nothing else.
const STATES: [&str; 7] =
    ["phase", "state", "health", "healthStatus", "status", "currentState", "currentPhase"];

/// Fields of a status in which controllers put one word.
const WORDED: [&str; 10] = [
    "phase",
    "state",
    "health",
    "healthStatus",
    "status",
    "currentState",
    "syncStatus",
    "result",
    "currentPhase",
    "compliant",
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
    const ERRORS: [&str; 8] = [
        "failed",
        "aborted",
        "error",
        "errMsg",
        "errorMessage",
        "failureMessage",
        "failureReason",
        "lastError",
    ];
    let says = |field: &&str| match status.get(field) {
        Some(Value::Bool(is)) => *is,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Map(_) | Value::List(_)) => status.get(field).is_some_and(|e| !e.is_empty()),
        _ => false,
    };
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

/// Reads the counts of kinds that run replicas as Deployments or DaemonSets do.
fn replicas(body: &Value, status: &Value) -> Option<HealthStatus> {
    const READY: [&str; 5] = [
        "availableReplicas",
        "readyReplicas",
        "updatedAvailableReplicas",
        "updatedReadyReplicas",
        "numberReady",
    ];
    let wanted = body.at(&["spec", "replicas"]).or_else(|| status.get("desiredNumberScheduled"));
    let wanted = wanted.or_else(|| status.get("replicas"))?.as_i64()?;
    let ready = READY.iter().find_map(|f| status.get(f)?.as_i64())?;
    Some(if ready < wanted { HealthStatus::Progressing } else { HealthStatus::Healthy })
}

/// Reads counts beside what they count: `members` and `readyMembers`, and those that are written as `1/3`.
fn counts(part: &Value) -> Option<HealthStatus> {
    let fields = part.as_map()?;
    let ready = |name: &str| {
        let mut letters = name.chars();
        let first = letters.next()?.to_ascii_uppercase();
        let beside = format!("ready{first}{}", letters.as_str());
        fields.get(beside.as_str())?.as_i64()
    };
    let is_short = fields.iter().any(|(name, value)| match value {
        Value::String(text) if name.ends_with("eplicas") || name.ends_with("eady") => {
            let counts =
                text.split_once('/').and_then(|(some, all)| Some((some.parse().ok()?, all.parse().ok()?)));
            counts.is_some_and(|(some, all): (u64, u64)| some < all)
        }
        value => value.as_i64().is_some_and(|all| ready(name).is_some_and(|ready| ready < all)),
    });
    is_short.then_some(HealthStatus::Progressing)
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
    const HEALTHY: [&str; 25] = [
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
        "compliant",
    ];
    const DEGRADED: [&str; 19] = [
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
        "noncompliant",
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
