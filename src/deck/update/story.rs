//! Defines when the story of a resource is asked for, and how it comes in: of what is looked at, and only then.

use crate::deck::effect::Effect;
use crate::deck::layer::Layer;
use crate::deck::state::State;
use crate::deck::world::ResourceKey;
use crate::model::{DeploymentId, Fetched, Notice, ResourceId, Story, Timestamp};
use std::sync::Arc;

/// Asks for the story of the resource that is looked at, unless it is known or on its way.
pub(super) fn look(state: &mut State, effects: &mut Vec<Effect>) {
    let (key, whole) = match state.layers.last() {
        Some(Layer::Resource(view)) => (view.resource(), false),
        Some(Layer::Who(view)) => (Some(Arc::clone(&view.key)), true),
        _ => return,
    };
    let Some(key) = key else { return };
    let differs = state.world.resource(&key).is_some_and(|status| !status.judgement.changes.is_empty());
    let known = match state.stories.get(&key) {
        Some(Fetched::Ready { value, .. }) => value.whole || !whole,
        Some(Fetched::Failed { .. } | Fetched::Loading { .. }) => true,
        Some(Fetched::Idle) | None => false,
    };
    if known || !differs {
        return;
    }
    let story = state.stories.remove(&key).unwrap_or_default();
    state.stories.insert(Arc::clone(&key), story.loading());
    let (deployment, resource) = (key.deployment.clone(), key.id.clone());
    effects.push(Effect::LoadStory { deployment, resource, whole });
}

/// Takes in a story. One that nobody looks at any more is kept for later.
pub(super) fn came(
    state: &mut State,
    at: Timestamp,
    deployment: DeploymentId,
    resource: ResourceId,
    result: Result<Story, Notice>,
) {
    let key = Arc::new(ResourceKey { deployment, id: resource });
    let known = state.stories.remove(&key).unwrap_or_default();
    let story = match result {
        Ok(value) => Fetched::Ready { at, value },
        Err(notice) => known.failed(at, notice),
    };
    state.stories.insert(key, story);
}

/// Forgets the story of what changed: it is asked for again where it is looked at.
pub(super) fn outdate(state: &mut State, key: &ResourceKey) {
    state.stories.remove(key);
}
