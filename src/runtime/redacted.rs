//! Takes everything secret out of what goes to the screen.

use crate::model::commit_plan::CommitPlan;
use crate::model::status::ResourceStatus;
use crate::model::update::Update;
use crate::model::{FieldChange, Plan, Story, Value};
use crate::text::redact;
use std::sync::Arc;

/// Returns an update whose values may be shown.
pub fn update(update: Update) -> Update {
    match update {
        Update::Resources { deployment, changed, gone } => {
            Update::Resources { deployment, changed: changed.into_iter().map(status).collect(), gone }
        }
        other => other,
    }
}

/// Returns a story whose values may be shown.
pub fn story(mut story: Story, object: &str) -> Story {
    for field in &mut story.fields {
        let shown = |value: &Value| redact::value(value, object, &field.path);
        field.applied = field.applied.as_ref().map(shown);
        for earlier in &mut field.earlier {
            earlier.value = earlier.value.as_ref().map(shown);
        }
    }
    story
}

/// Returns a resource whose values may be shown.
pub fn status(mut status: ResourceStatus) -> ResourceStatus {
    let object = status.id.to_string();
    let mut judgement = (*status.judgement).clone();
    changes(&mut judgement.changes, &object);
    status.judgement = Arc::new(judgement);
    status
}

/// Returns a plan whose values may be shown; it cannot be carried out.
pub fn plan(plan: &Plan) -> Plan {
    let mut shown = plan.clone();
    for step in &mut shown.steps {
        let object = step.resource.to_string();
        changes(&mut step.changes, &object);
        step.desired = None;
        step.effect = None;
    }
    shown
}

/// Returns a plan of a commit whose values may be shown.
pub fn commit_plan(plan: &CommitPlan) -> CommitPlan {
    let mut shown = plan.clone();
    for statuses in [&mut shown.effect, &mut shown.rendered].into_iter().flatten() {
        *statuses = std::mem::take(statuses).into_iter().map(status).collect();
    }
    shown
}

fn changes(changes: &mut [FieldChange], object: &str) {
    for change in changes {
        let (desired, live) =
            redact::value_sides(change.desired.as_ref(), change.live.as_ref(), object, &change.path);
        (change.desired, change.live) = (desired, live);
    }
}
