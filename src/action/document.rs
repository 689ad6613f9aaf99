//! Defines what the journal keeps of a plan, as JSON.

use crate::model::{Notice, Plan, ResourceId, Step, Timestamp};
use serde_json::{Value as Json, json};

/// What an object was before and after a step, as lasting digests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Digests {
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Returns a time as RFC 3339 in UTC with whole seconds.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn revision(plan: &Plan) -> Json {
    let revision = &plan.revision;
    json!({
        "asked": revision.asked.words(),
        "commit": revision.commit.as_ref().map(|c| c.0.as_str()),
        "dirty": revision.dirty,
        "behind": revision.behind,
        "ahead": revision.ahead,
    })
}

/// Returns a plan for the journal: every step with its paths, digests and outcome, and no values.
pub fn recorded(plan: &Plan, digests: &[Digests]) -> Json {
    let steps: Vec<Json> = plan
        .steps
        .iter()
        .enumerate()
        .map(|(at, step)| {
            let none = Digests::default();
            let digests = digests.get(at).unwrap_or(&none);
            json!({
                "resource": resource(&step.resource, &step.kind.version),
                "action": step.action.word(),
                "manager": step.manager,
                "paths": step.changes.iter().map(|c| c.path.to_string()).collect::<Vec<_>>(),
                "takesOverFrom": takes_over_from(step),
                "before": digests.before,
                "after": digests.after,
                "outcome": outcome(step),
                "notice": step.outcome.notice().map(notice),
            })
        })
        .collect();
    json!({
        "id": plan.id,
        "undoes": plan.undoes,
        "namespace": plan.namespace,
        "revision": revision(plan),
        "manager": plan.manager,
        "boundTo": plan.bound_to,
        "headless": plan.headless,
        "steps": steps,
    })
}

/// Returns an object as the contract writes it.
pub fn resource(id: &ResourceId, version: &str) -> Json {
    json!({
        "group": id.kind.group, "version": version, "kind": id.kind.kind,
        "namespace": id.namespace, "name": id.name,
    })
}

/// Returns the word for a step: what is not ticked is skipped before it is begun.
pub fn outcome(step: &Step) -> &'static str {
    if step.ticked || step.outcome.is_final() { step.outcome.word() } else { "skipped" }
}

/// Returns who loses a field by a step.
pub fn takes_over_from(step: &Step) -> Vec<&str> {
    let mut managers: Vec<&str> = step.takes_over_from.iter().map(|w| w.manager.as_str()).collect();
    managers.dedup();
    managers
}

fn notice(notice: &Notice) -> Json {
    json!({
        "level": notice.level.word(), "title": notice.title, "cause": notice.cause, "hint": notice.hint,
        "file": notice.file, "line": notice.line, "object": notice.object,
    })
}
