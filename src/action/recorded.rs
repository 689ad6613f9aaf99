//! Defines how the journal's record of a plan is read again: what was done to which object, and what came of it.

use super::journal::Entry;
use serde_json::Value as Json;

/// One step of an action, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The word of the headless contract, such as `patch`.
    pub action: String,
    /// The object for people, such as `Deployment shop/web`.
    pub object: String,
    /// The fields that it was about.
    pub paths: Vec<String>,
    pub outcome: String,
    /// What went wrong.
    pub notice: Option<String>,
}

/// Returns the steps of an action in their order. What the journal does not say of one is left empty.
pub fn steps(entry: &Entry) -> Vec<Recorded> {
    let steps = entry.plan.get("steps").and_then(Json::as_array);
    steps.into_iter().flatten().map(recorded).collect()
}

fn recorded(step: &Json) -> Recorded {
    let word = |value: Option<&Json>| value.and_then(Json::as_str).unwrap_or_default().to_owned();
    let resource = step.get("resource");
    let part = |name: &str| word(resource.and_then(|resource| resource.get(name)));
    let place = match part("namespace") {
        namespace if namespace.is_empty() => String::new(),
        namespace => format!("{namespace}/"),
    };
    let paths = step.get("paths").and_then(Json::as_array).into_iter().flatten();
    let notice = step.get("notice").and_then(|notice| notice.get("title")).and_then(Json::as_str);
    Recorded {
        action: word(step.get("action")),
        object: format!("{} {place}{}", part("kind"), part("name")).trim().to_owned(),
        paths: paths.filter_map(Json::as_str).map(str::to_owned).collect(),
        outcome: word(step.get("outcome")),
        notice: notice.map(str::to_owned),
    }
}
