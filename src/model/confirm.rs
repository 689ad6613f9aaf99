//! Defines which plans want more than a yes, and what must be typed for them.
//!
//! A protected cluster wants its context's name; deleting everything of an app, or any Namespace, CustomResourceDefinition,
//! PersistentVolume or claim, wants a name too: the object's own, or the app's for all of them. So does an undo that deletes
//! what was created.

use super::id::GroupKind;
use super::plan::{Plan, UNDO};

/// Something that must be typed before a plan may be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// What it is about, such as `deletes Namespace/shop`.
    pub why: String,
    /// Any one of these answers it.
    pub words: Vec<String>,
}

/// Returns what a plan asks for, in the order of its steps.
pub fn asks(plan: &Plan) -> Vec<Ask> {
    let mut asks = Vec::new();
    if plan.protected && plan.ticked().next().is_some() {
        asks.push(Ask { why: format!("{} is protected", plan.context), words: vec![plan.context.clone()] });
    }
    let deletions = plan.deletions().count();
    if plan.command == UNDO && deletions > 0 {
        let objects = if deletions == 1 { "object" } else { "objects" };
        asks.push(Ask {
            why: format!("deletes {deletions} {objects} of {} that it created", plan.app.name),
            words: vec![plan.app.name.clone()],
        });
    } else if plan.deletes_everything() {
        asks.push(Ask {
            why: format!("deletes everything of {}", plan.app.name),
            words: vec![plan.app.name.clone()],
        });
    }
    for step in plan.deletions().filter(|s| holds_others(&s.resource.kind)) {
        let own = step.resource.name.clone().unwrap_or_default();
        asks.push(Ask { why: format!("deletes {}", step.resource), words: vec![own, plan.app.name.clone()] });
    }
    asks
}

/// Returns what is still to be typed after these answers.
pub fn unanswered(plan: &Plan, answers: &[String]) -> Vec<Ask> {
    asks(plan).into_iter().filter(|ask| !ask.words.iter().any(|word| answers.contains(word))).collect()
}

/// Returns whether deleting an object of this kind takes other objects or data with it.
fn holds_others(kind: &GroupKind) -> bool {
    match kind.group.as_str() {
        "" => ["Namespace", "PersistentVolume", "PersistentVolumeClaim"].contains(&kind.kind.as_str()),
        "apiextensions.k8s.io" => kind.kind == "CustomResourceDefinition",
        _ => false,
    }
}
