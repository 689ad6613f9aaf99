//! Exact mode on the real API server: what its own dry run says, and where that wins over the comparison here.

pub mod agreement;
mod background;
mod empties;
mod ignored;
mod invalid;
mod pace;
mod webhooks;

use crate::catalogue::Stage;
use serde_json::Value;

/// Runs `driftdeck check --exact` on a stage's repository and returns its document.
#[track_caller]
fn exactly(stage: &Stage) -> Value {
    stage.home.driftdeck(["check", "repo", "--exact", "-o", "json"]).json()
}

/// What is said of one object.
#[track_caller]
fn resource(document: &Value, kind: &str, name: &str) -> Value {
    let found =
        document["resources"].as_array().unwrap().iter().find(|r| r["kind"] == kind && r["name"] == name);
    found.unwrap_or_else(|| panic!("{kind} {name} is not in {document:#}")).clone()
}

/// The changes of an object that count, as path and class.
fn counted(resource: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let changes = resource["changes"].as_array().unwrap().iter();
    changes.filter(|c| c["counts"] == true).map(|c| (text(&c["path"]), text(&c["class"]))).collect()
}
