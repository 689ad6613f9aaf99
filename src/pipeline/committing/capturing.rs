//! Finds what is to be captured of a deployment, at the commit that the capture builds on, and the edits for it.

use crate::action::capture::{Captured, Chosen, Ground as From, Told, capture};
use crate::model::status::ResourceStatus;
use crate::model::{FieldPath, Notice, ResourceId, Tree, Verdict};
use crate::pipeline::history::{self, Ground};
use crate::pipeline::rendering::For;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What is captured of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub resource: ResourceId,
    /// The fields; none named: everything of it that counts.
    pub fields: Vec<FieldPath>,
}

/// Works out the edits. Nothing is written.
pub async fn captured(
    ground: &Ground,
    tree: &Arc<dyn Tree>,
    wishes: &[Wish],
    cancel: &CancellationToken,
) -> Result<Captured, Box<Notice>> {
    let at = ground.deployed.as_ref().ok_or_else(|| {
        Box::new(
            Notice::error("nothing is captured without a cluster")
                .hint("choose one, or name it with --context"),
        )
    })?;
    let failed = |why: String| Box::new(Notice::error("it cannot be captured").cause(why));
    let manifests = history::rendered_tree(ground, at, tree, cancel).await.map_err(failed)?;
    let declared: Vec<ResourceId> = manifests.iter().map(|manifest| manifest.id.clone()).collect();
    let differing = history::held_to_live(at, manifests).await.map_err(failed)?;
    let mut chosen = Vec::new();
    for wish in wishes_of(wishes, &differing) {
        let status = differing.iter().find(|status| status.id == wish.resource);
        let live = at.live.get(&wish.resource).and_then(Option::as_ref);
        let live = live.and_then(|packed| packed.open(&at.id.cluster).ok());
        let changes = match status {
            Some(status) if *status.verdict() == Verdict::Drifted => chosen_fields(status, &wish.fields),
            _ => Vec::new(),
        };
        let is_there = declared.contains(&wish.resource);
        // Neither differs: there is nothing to capture of it.
        if is_there && live.is_some() && changes.is_empty() {
            continue;
        }
        chosen.push(Chosen { id: wish.resource.clone(), live, changes });
    }
    if chosen.is_empty() {
        return Err(Box::new(Notice::error(
            "nothing of it differs from what is committed: there is nothing to capture",
        )));
    }
    let whom = For { facts: &at.facts, context: &at.context };
    let context = ground.renderer.context(whom);
    let from = From { app: &ground.inputs.app, tree, tools: ground.renderer.tools(), context: &context };
    let captured = capture(&from, &chosen, cancel).await;
    let captured = captured.map_err(|error| failed(error.to_string()))?;
    if captured.edits.is_empty() {
        let refused = captured.refused.first().map(crate::action::capture::Refusal::notice);
        return Err(Box::new(refused.unwrap_or_else(|| Notice::error("nothing could be captured"))));
    }
    Ok(captured)
}

/// Returns what was asked for; nothing named: everything that drifted.
fn wishes_of(wishes: &[Wish], differing: &[ResourceStatus]) -> Vec<Wish> {
    if !wishes.is_empty() {
        return wishes.to_vec();
    }
    let drifted = differing.iter().filter(|status| *status.verdict() == Verdict::Drifted);
    drifted.map(|status| Wish { resource: status.id.clone(), fields: Vec::new() }).collect()
}

fn chosen_fields(status: &ResourceStatus, fields: &[FieldPath]) -> Vec<crate::model::FieldChange> {
    let is_chosen = |path: &FieldPath| fields.is_empty() || fields.contains(path);
    status.judgement.counted().filter(|change| is_chosen(&change.path)).cloned().collect()
}

/// Says what was done for one field: `.spec.replicas of Deployment/shop/web: set in web.yaml, line 7`.
pub fn words(told: &Told) -> String {
    let of = match &told.path {
        Some(path) => format!("{path} of {}", told.object),
        None => told.object.to_string(),
    };
    let line = told.line.map(|line| format!(", line {line}")).unwrap_or_default();
    let also = told.also.iter().map(|also| format!("; {also}")).collect::<String>();
    format!("{of}: {}{line}{also}", told.done)
}
