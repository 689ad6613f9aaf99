//! Defines how conditions are read: which kinds of condition are good news, which are bad, and which reasons pass.

use super::{NOT_SEEN, is_behind};
use crate::model::{Health, HealthStatus, Value};

/// One condition of a status.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Condition<'a> {
    pub kind: &'a str,
    pub status: &'a str,
    pub reason: &'a str,
    pub message: &'a str,
    pub observed_generation: Option<i64>,
}

impl Condition<'_> {
    /// Returns what the condition says to people.
    pub fn text(&self) -> &str {
        if self.message.is_empty() { self.reason } else { self.message }
    }
}

/// Returns the conditions of an object's status: its own, those for each parent and ancestor, as routes and policies of
/// the Gateway API report them, or those of a part of the status.
pub(super) fn all(body: &Value) -> Vec<Condition<'_>> {
    if let Some(own) = body.at(&["status", "conditions"]) {
        return read(own);
    }
    let Some(status) = body.get("status").and_then(Value::as_map) else { return Vec::new() };
    let lists = |field: &str| {
        let parts = status.get(field).and_then(Value::as_list).unwrap_or_default();
        parts.iter().filter_map(|part| part.get("conditions")).map(read).collect::<Vec<_>>()
    };
    let mut parents = lists("parents");
    let generation = body.at(&["metadata", "generation"]).and_then(Value::as_i64);
    if parents.iter().flatten().any(|c| c.observed_generation.is_some()) && generation.is_some() {
        // What a parent said of an older object counts no more.
        parents.retain(|said| said.iter().any(|c| c.observed_generation == generation));
    }
    let mut found: Vec<Condition<'_>> = parents.into_iter().chain(lists("ancestors")).flatten().collect();
    // The worst first: what one parent refuses is not made good by another.
    found.sort_by_key(|c| c.status != "False");
    if found.is_empty() && !["parents", "ancestors"].iter().any(|field| status.contains_key(*field)) {
        let nested = status.values().find_map(|part| part.get("conditions"));
        return nested.map(read).unwrap_or_default();
    }
    found
}

pub(super) fn find<'a>(body: &'a Value, kind: &str) -> Option<Condition<'a>> {
    all(body).into_iter().find(|c| c.kind == kind)
}

/// Reads a list of conditions. A status may be written as text or as a boolean.
pub(super) fn read(list: &Value) -> Vec<Condition<'_>> {
    fn text<'a>(condition: &'a Value, name: &str) -> &'a str {
        match condition.get(name) {
            Some(Value::String(s)) => s,
            Some(Value::Bool(true)) => "True",
            Some(Value::Bool(false)) => "False",
            _ => "",
        }
    }
    list.as_list()
        .unwrap_or_default()
        .iter()
        .filter(|c| c.as_map().is_some())
        .map(|c| Condition {
            kind: text(c, "type"),
            status: text(c, "status"),
            reason: text(c, "reason"),
            message: text(c, "message"),
            observed_generation: c.get("observedGeneration").and_then(Value::as_i64),
        })
        .collect()
}

/// Conditions that say that something is wrong while they are true.
const BAD: [&str; 18] = [
    "Stalled",
    "Failed",
    "Failure",
    "Degraded",
    "Error",
    "Errored",
    "ErrorOccurred",
    "ReconcileError",
    "ReplicaFailure",
    "Invalid",
    "InvalidSpec",
    "ConfigError",
    "Fallback",
    "NotReady",
    "Misscheduled",
    "Rejected",
    "Lost",
    "Violated",
];

/// Conditions that say that work goes on while they are true.
const WORKING: [&str; 10] = [
    "Reconciling",
    "Progressing",
    "Updating",
    "Installing",
    "Pending",
    "Issuing",
    "Running",
    "RollingUpdate",
    "Provisioning",
    "Deploying",
];

/// Conditions that say that all is well while they are true, the summary first.
const GOOD: [&str; 26] = [
    "Ready",
    "Succeeded",
    "Complete",
    "Completed",
    "Available",
    "Healthy",
    "Synced",
    "Installed",
    "Accepted",
    "Programmed",
    "ResolvedRefs",
    "Established",
    "Valid",
    "Deployed",
    "Initialized",
    "Scheduled",
    "Promoted",
    "Reconciled",
    "Successful",
    "Running",
    "Applied",
    "ResourcesApplied",
    "Created",
    "Registered",
    "RemoteSynced",
    "DataUploaded",
];

/// Returns the health that conditions tell, if they tell any.
pub(super) fn of(body: &Value) -> Option<Health> {
    if is_behind(body) {
        return Some(Health::with(HealthStatus::Progressing, NOT_SEEN));
    }
    let conditions = all(body);
    if conditions.is_empty() {
        return None;
    }
    let is = |c: &&Condition<'_>, status: &str| c.status.eq_ignore_ascii_case(status);
    if let Some(paused) = conditions
        .iter()
        .find(|c| matches!(c.kind, "Paused" | "Suspended") && is(c, "True") || c.reason == "ReconcilePaused")
    {
        return Some(told(HealthStatus::Suspended, paused));
    }
    let generation = body.at(&["metadata", "generation"]).and_then(Value::as_i64);
    let old =
        |c: &Condition<'_>| c.observed_generation.is_some_and(|seen| generation.is_some_and(|g| seen < g));
    if conditions.iter().any(|c| (c.kind == "Ready" || c.kind == "Accepted") && old(c)) {
        return Some(Health::with(HealthStatus::Progressing, NOT_SEEN));
    }
    if let Some(bad) = conditions.iter().find(|c| is_bad(c.kind) && is(c, "True")) {
        return Some(told(HealthStatus::Degraded, bad));
    }
    if let Some(stuck) = conditions.iter().find(|c| c.kind == "Progressing" && is(c, "False") && fails(c)) {
        return Some(told(HealthStatus::Degraded, stuck));
    }
    let summary = GOOD.iter().find_map(|kind| conditions.iter().find(|c| c.kind == *kind));
    let working = conditions.iter().find(|c| WORKING.contains(&c.kind) && is(c, "True"));
    if let Some(failing) = conditions.iter().find(|c| c.kind == "Synced" && is(c, "False") && fails(c)) {
        return Some(told(HealthStatus::Degraded, failing));
    }
    match summary {
        Some(good) if is(&good, "True") => {
            match working.filter(|w| w.kind == "Reconciling" || w.kind == "Issuing") {
                Some(working) => Some(told(HealthStatus::Progressing, working)),
                None => Some(told(other_news(&conditions), good)),
            }
        }
        Some(unknown) if is(&unknown, "Unknown") || unknown.status.is_empty() => Some(told(
            if fails(unknown) { HealthStatus::Degraded } else { HealthStatus::Progressing },
            unknown,
        )),
        // What is tried again after a failure has failed. Source: the conventions of Flux' controllers.
        Some(not) if working.is_some_and(|w| w.reason.ends_with("WithRetry")) => {
            Some(told(HealthStatus::Degraded, not))
        }
        Some(not) if working.is_some() || passes(not) || not.text().is_empty() => {
            Some(told(HealthStatus::Progressing, not))
        }
        Some(not) => Some(told(HealthStatus::Degraded, not)),
        None => working.map(|w| told(HealthStatus::Progressing, w)).or_else(|| by_suffix(&conditions)),
    }
}

/// Returns the health that the conditions of a part of a status tell, if they tell any: of a listener, say.
pub(super) fn of_part(part: &Value) -> Option<Health> {
    let conditions = part.get("conditions").map(read)?;
    let is = |c: &Condition<'_>, status: &str| c.status.eq_ignore_ascii_case(status);
    if let Some(bad) = conditions.iter().find(|c| is_bad(c.kind) && is(c, "True")) {
        return Some(told(HealthStatus::Degraded, bad));
    }
    let good = |c: &&Condition<'_>| {
        GOOD.contains(&c.kind) || ends(c.kind, &WELL_ENDS) || ends(c.kind, &REACHED_ENDS)
    };
    let not = conditions.iter().filter(good).find(|c| is(c, "False"))?;
    Some(told(if passes(not) { HealthStatus::Progressing } else { HealthStatus::Degraded }, not))
}

/// A good summary may stand beside a part that is not there yet.
fn other_news(conditions: &[Condition<'_>]) -> HealthStatus {
    let own = ["Accepted", "Programmed", "ResolvedRefs", "Healthy", "Installed", "Available", "Synced"];
    let not = |c: &&Condition<'_>| c.status.eq_ignore_ascii_case("False");
    let fails = |c: &&Condition<'_>| fails(c) && !is_bad(c.kind) && !WORKING.contains(&c.kind);
    let bad = conditions.iter().filter(not).find(|c| own.contains(&c.kind) || fails(c));
    match bad {
        Some(c) if passes(c) => HealthStatus::Progressing,
        Some(_) => HealthStatus::Degraded,
        None => HealthStatus::Healthy,
    }
}

/// Ends of names that say that something is wrong while the condition is true.
const BAD_ENDS: [&str; 27] = [
    "Failed",
    "Failure",
    "Error",
    "Errors",
    "Unhealthy",
    "Unavailable",
    "Degraded",
    "Stalled",
    "Invalid",
    "Rejected",
    "Conflict",
    "Conflicted",
    "Exceeded",
    "Expired",
    "Lost",
    "Missing",
    "Blocked",
    "Denied",
    "Aborted",
    "Unreachable",
    "Pressure",
    "Violated",
    "Stuck",
    "Faulted",
    "Orphan",
    "NotFound",
    "NotReady",
];

/// Ends of names that say that something has been reached while the condition is true. What is not reached yet may be on its
/// way.
const REACHED_ENDS: [&str; 41] = [
    "Created",
    "Installed",
    "Provisioned",
    "Provided",
    "Initialized",
    "Registered",
    "Reconciled",
    "Resolved",
    "Refs",
    "Bound",
    "Attached",
    "Validated",
    "Verified",
    "Valid",
    "Approved",
    "Issued",
    "Admitted",
    "Connected",
    "Established",
    "Programmed",
    "Completed",
    "Complete",
    "Finished",
    "Scheduled",
    "Launched",
    "Started",
    "Joined",
    "Active",
    "Running",
    "Online",
    "UpToDate",
    "Success",
    "Successful",
    "Synchronized",
    "Generated",
    "Published",
    "Uploaded",
    "Imported",
    "Advertised",
    "Updated",
    "Compliant",
];

/// Ends of names that say that all of something is well while the condition is true.
const WELL_ENDS: [&str; 9] =
    ["Ready", "Healthy", "Available", "Synced", "Succeeded", "Deployed", "Accepted", "Applied", "Configured"];

fn is_bad(kind: &str) -> bool {
    BAD.contains(&kind) || kind.starts_with("Failed") || ends(kind, &BAD_ENDS)
}

/// Returns whether a name ends as one of these; `NotReady` does not end as `Ready` does.
fn ends(kind: &str, ends: &[&str]) -> bool {
    let kind = kind.rsplit('/').next().unwrap_or(kind);
    let denied = |stem: &str| ["Not", "No", "Non", "Never"].iter().any(|word| stem.ends_with(word));
    let words: String;
    let kind = if kind.contains('-') || kind.starts_with(|c: char| c.is_ascii_lowercase()) {
        // `app-ready` is written as `AppReady` elsewhere.
        let capital = |word: &str| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
                .collect::<String>()
        };
        words = kind.split('-').map(capital).collect();
        &words
    } else {
        kind
    };
    ends.iter().any(|end| kind.strip_suffix(end).is_some_and(|stem| !denied(stem)))
}

/// Reads conditions whose names are nobody's but end as usual.
fn by_suffix(conditions: &[Condition<'_>]) -> Option<Health> {
    let is = |c: &Condition<'_>, status: &str| c.status.eq_ignore_ascii_case(status);
    let well = |c: &&Condition<'_>| ends(c.kind, &WELL_ENDS);
    let reached = |c: &&Condition<'_>| ends(c.kind, &REACHED_ENDS);
    let not = |c: &&Condition<'_>| !is(c, "True");
    if let Some(c) = conditions.iter().filter(well).find(not) {
        let failed = is(c, "False") && !passes(c);
        return Some(told(if failed { HealthStatus::Degraded } else { HealthStatus::Progressing }, c));
    }
    if let Some(c) = conditions.iter().filter(reached).find(not) {
        return Some(told(if fails(c) { HealthStatus::Degraded } else { HealthStatus::Progressing }, c));
    }
    conditions.iter().any(|c| well(&c) || reached(&c)).then(|| Health::of(HealthStatus::Healthy))
}

/// Returns whether it is known what a condition means.
fn is_known(c: &Condition<'_>) -> bool {
    is_bad(c.kind)
        || WORKING.contains(&c.kind)
        || GOOD.contains(&c.kind)
        || matches!(c.kind, "Paused" | "Suspended")
        || ends(c.kind, &WELL_ENDS)
        || ends(c.kind, &REACHED_ENDS)
}

/// Returns whether it is known of any of an object's own conditions what it means.
pub(super) fn is_any_known(body: &Value) -> bool {
    body.at(&["status", "conditions"]).is_some_and(|own| read(own).iter().any(is_known))
}

/// Returns what the first of an object's own conditions says: `Reachable is False`.
pub(super) fn first(body: &Value) -> Option<String> {
    let first = read(body.at(&["status", "conditions"])?).into_iter().next()?;
    let said = if first.message.is_empty() { String::new() } else { format!(": {}", first.message) };
    Some(format!("{} is {}{said}", first.kind, if first.status.is_empty() { "unset" } else { first.status }))
}

fn told(status: HealthStatus, condition: &Condition<'_>) -> Health {
    Health { status, message: Some(condition.text().to_owned()).filter(|t| !t.is_empty()) }
}

/// Returns whether the reason of a condition that is not true passes by itself.
fn passes(condition: &Condition<'_>) -> bool {
    let reason = condition.reason.to_lowercase();
    // `NotReady` alone only repeats the status; `PodsNotReady` says what is waited for.
    !fails(condition)
        && reason != "notready"
        && [
            "progress",
            "creating",
            "waiting",
            "pending",
            "notready",
            "reconciling",
            "provisioning",
            "running",
            "starting",
            "installing",
            "updating",
            "notcomplete",
            "inprogress",
            "initializing",
            "deploying",
            "unavailable",
            "issuing",
            "cloning",
            "scaling",
            "isnotready",
            "transfer",
            "doesnotexist",
            "upgrading",
            "inactive",
            "unknown",
            "deleting",
            "terminating",
            "wait",
            "suspended",
            "being ",
            "notall",
        ]
        .iter()
        .any(|word| reason.contains(word))
}

fn fails(condition: &Condition<'_>) -> bool {
    let reason = condition.reason.to_lowercase();
    [
        "error",
        "fail",
        "invalid",
        "denied",
        "forbidden",
        "rejected",
        "conflict",
        "notfound",
        "exceeded",
        "crash",
    ]
    .iter()
    .any(|word| reason.contains(word))
}
