//! Has the API server say what each step would do, by a dry run, and holds it against what the step shows.

use super::dependent::goes_with;
use super::read::AT_ONCE;
use crate::action::dry_run::{dry_run, served};
use crate::action::effect::shows;
use crate::action::{notices, order};
use crate::cluster::{Cluster, ClusterError};
use crate::model::change::{BROUGHT_ALONG, add_note};
use crate::model::{
    Cause, Class, ClusterFacts, Effect, FieldChange, FieldPath, LiveObject, Operation, Plan, ResourceId,
    Schema, ServedKind, Step, StepAction, StepOutcome, Way, Writer,
};
use futures::StreamExt as _;

/// What a dry run came to.
enum Proof {
    /// The kind or the namespace comes with this plan: the server is asked when it is there.
    Later(String),
    Shown(Box<Step>),
    /// The server would change nothing.
    Idle,
}

/// Who is asked.
pub struct Asked<'a> {
    pub cluster: &'a dyn Cluster,
    pub facts: &'a ClusterFacts,
    pub schema: &'a Schema,
}

/// Proves every step of a plan, the unticked ones too, and drops those that would change nothing. `live` finds an object
/// as it was read for the plan.
pub async fn prove<'l>(
    plan: &mut Plan,
    live: &(dyn Fn(&ResourceId) -> Option<&'l LiveObject> + Sync),
    with: &Asked<'_>,
) {
    let steps = std::mem::take(&mut plan.steps);
    let arriving: Vec<String> = steps
        .iter()
        .filter(|s| s.action == StepAction::Create && order::is_namespace(&s.resource.kind))
        .filter_map(|s| s.resource.name.clone())
        .collect();
    let proofs: Vec<(Step, Proof)> = futures::stream::iter(steps)
        .map(|step| {
            let live = live(&step.resource);
            let arrives = step.resource.namespace.as_ref().is_some_and(|ns| arriving.contains(ns));
            async move {
                let proof = prove_step(&step, live, arrives, with).await;
                (step, proof)
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    for (mut step, proof) in proofs {
        match proof {
            Proof::Later(why) => {
                add_note(&mut step.note, &why);
                plan.steps.push(step);
            }
            Proof::Shown(proven) => plan.steps.push(*proven),
            Proof::Idle => {
                let what = if step.ticked { "changes nothing" } else { "would change nothing" };
                plan.remarks.push(format!(
                    "{}: a write {what}, says the API server's dry run, so none is planned",
                    step.resource
                ));
            }
        }
    }
}

async fn prove_step(step: &Step, live: Option<&LiveObject>, arrives: bool, with: &Asked<'_>) -> Proof {
    let Some(kind) = served(with.facts, step) else {
        return Proof::Later("its kind comes with this plan: checked as soon as it is served".to_owned());
    };
    if arrives && live.is_none() {
        return Proof::Later("its namespace comes with this plan: checked as soon as it is there".to_owned());
    }
    let mut step = step.clone();
    match attempt(with.cluster, with.schema, &mut step, &kind, live).await {
        Ok(Some(found)) => {
            if found.is_empty()
                && matches!(step.action, StepAction::Apply | StepAction::Patch | StepAction::Engine)
            {
                return Proof::Idle;
            }
            if let Some(live) = live
                && step.action != StepAction::Delete
            {
                show(&mut step, live, &found);
            }
            step.effect = Some(found);
        }
        Ok(None) => {}
        Err(error) => step.outcome = StepOutcome::Refused(notices::refused(&step, &error)),
    }
    Proof::Shown(Box::new(step))
}

/// Sends the dry run of a step and returns what it changes. A server-side apply goes without force first: the conflict
/// names everybody who would lose a field, where managed fields show only who wrote it last.
async fn attempt(
    cluster: &dyn Cluster,
    schema: &Schema,
    step: &mut Step,
    kind: &ServedKind,
    live: Option<&LiveObject>,
) -> Result<Option<Vec<Effect>>, ClusterError> {
    let first = dry_run(cluster, schema, step, kind, live).await;
    let shown = match first {
        Err(ClusterError::Conflict { managers, .. }) if !managers.is_empty() => {
            take_over(step, live, &managers);
            dry_run(cluster, schema, step, kind, live).await?
        }
        other => other?,
    };
    Ok(shown.effects)
}

/// Notes whom a server-side apply takes fields from, as the server names them.
fn take_over(step: &mut Step, live: Option<&LiveObject>, managers: &[(String, Vec<String>)]) {
    for (manager, _) in managers {
        if *manager == step.manager || step.takes_over_from.iter().any(|w| w.manager == *manager) {
            continue;
        }
        let entry =
            live.and_then(|l| l.managed.as_ref()).and_then(|m| m.iter().find(|e| e.manager == *manager));
        step.takes_over_from.push(Writer {
            manager: manager.clone(),
            called: None,
            operation: entry.map_or(Operation::Update, |e| e.operation),
            subresource: entry.and_then(|e| e.subresource.clone()),
            time: entry.and_then(|e| e.time),
        });
    }
    if let Way::ServerSide { force, .. } = &mut step.way {
        *force = true;
    }
}

/// Holds the effect against what the step shows. What the server adds, or takes away with a field that it depends on,
/// becomes shown; another removal of what somebody wrote, and that is not the step's purpose, refuses it.
fn show(step: &mut Step, live: &LiveObject, found: &[Effect]) {
    let mut removed = Vec::new();
    for leaf in found {
        let shown = step.changes.iter().any(|c| shows(c, leaf));
        if shown {
            continue;
        }
        let mut consequence = consequence(leaf);
        if let Some(field) = goes_with(&step.resource.kind, leaf, found) {
            consequence.note = Some(format!("the API server takes it away with the change of {field}"));
        } else if leaf.after.is_none() && is_owned(live, &leaf.path) {
            removed.push(leaf.path.to_string());
        }
        step.changes.push(consequence);
    }
    for change in &mut step.changes {
        let touched = found.iter().any(|leaf| shows(change, leaf));
        if change.counts && !touched {
            add_note(
                &mut change.note,
                "the API server keeps the live value: another manager owns it, or something there sets it",
            );
        }
    }
    // Of an engine's object the switch comes first, and what is noted beside it after that.
    if step.action != StepAction::Engine {
        step.changes.sort_by_cached_key(|c| c.path.to_string());
    }
    if !removed.is_empty() {
        step.outcome = StepOutcome::Refused(notices::removes(step, &removed));
    }
}

fn is_owned(live: &LiveObject, path: &FieldPath) -> bool {
    live.managed.iter().flatten().any(|entry| entry.fields.touches(path))
}

fn consequence(leaf: &Effect) -> FieldChange {
    FieldChange {
        counts: false,
        cause: Cause::Webhook,
        desired: leaf.after.clone(),
        live: leaf.before.clone(),
        note: Some(BROUGHT_ALONG.to_owned()),
        order_by: leaf.order_by.clone(),
        ..FieldChange::new(leaf.path.clone(), if leaf.is_order() { Class::Order } else { Class::Changed })
    }
}
