//! Defines what the pipeline's updates do to the deck: what is known, what is new, what no longer holds.

use super::{log, story};
use crate::deck::layer::Layer;
use crate::deck::state::State;
use crate::deck::world::ResourceKey;
use crate::model::update::Update;
use crate::model::{ClusterId, Fetched, Timestamp};
use std::sync::Arc;

pub(super) fn fold(state: &mut State, at: Timestamp, update: Update) {
    state.outdated = true;
    match &update {
        Update::Notice(notice) => {
            state.note(at, notice.clone());
            return;
        }
        Update::Cluster { status, was: Some(was) } if *was != status.id => {
            drop_resources(state, |key| key.deployment.cluster == *was);
            follow_identity(state, was, &status.id);
        }
        Update::DeploymentGone(id) => {
            let id = id.clone();
            drop_resources(state, |key| key.deployment == id);
        }
        _ => {}
    }
    let touched = match &update {
        Update::Resources { deployment, changed, gone } => {
            for id in gone {
                let gone = ResourceKey { deployment: deployment.clone(), id: id.clone() };
                drop_resources(state, |key| *key == gone);
            }
            Some((deployment.clone(), changed.iter().map(|status| status.id.clone()).collect::<Vec<_>>()))
        }
        _ => None,
    };
    if !matches!(update, Update::Apps { .. }) {
        for layer in &mut state.layers {
            if let Layer::Changes(view) = layer {
                view.outdate();
            }
        }
    }
    log::update(state, at, &update);
    state.world.fold(update);
    let Some((deployment, ids)) = touched else { return };
    for id in &ids {
        story::outdate(state, &ResourceKey { deployment: deployment.clone(), id: id.clone() });
    }
    let Some(entries) = state.world.resources.get(&deployment) else { return };
    for entry in ids.iter().filter_map(|id| entries.get(id)) {
        state.unseen.note(&entry.key, &entry.status.judgement, state.world.settled);
        // A diff of what was before stays in sight until the new one is there.
        if let Some(diff) = state.diffs.get_mut(&entry.key)
            && matches!(diff, Fetched::Ready { .. } | Fetched::Failed { .. })
        {
            let last = diff.value().cloned();
            *diff = match last {
                Some(last) => Fetched::Failed { at, notice: outdated(), last: Some(last) },
                None => Fetched::Idle,
            };
        }
    }
}

/// Marks a diff that no longer shows what is live; the view asks for a new one while the old stays in sight.
fn outdated() -> crate::model::Notice {
    crate::model::Notice::info(OUTDATED)
}

/// The title of the mark for a diff that must be made anew.
pub(super) const OUTDATED: &str = "changed since";

fn drop_resources(state: &mut State, gone: impl Fn(&ResourceKey) -> bool) {
    let keys: Vec<Arc<ResourceKey>> = state
        .ticks
        .iter()
        .chain(state.diffs.keys())
        .chain(state.stories.keys())
        .chain(state.unseen.resources())
        .filter(|key| gone(key))
        .map(Arc::clone)
        .collect();
    for key in keys {
        state.ticks.remove(&key);
        state.diffs.remove(&key);
        story::outdate(state, &key);
        state.unseen.forget(&key);
    }
}

/// A cluster that was selected stays selected under its real identity.
fn follow_identity(state: &mut State, was: &ClusterId, now: &ClusterId) {
    use crate::deck::state::Choice;
    let rows = state.clusters.rows().iter().map(|row| match row {
        Choice::One(id) if id == was => Choice::One(now.clone()),
        other => other.clone(),
    });
    let rows: Vec<_> = rows.collect();
    state.clusters.rename(rows);
}
