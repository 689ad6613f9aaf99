//! Defines what keys and answers do to the screen of what runs.

use crate::deck::effect::{Effect, Ticket};
use crate::deck::layer::Layer;
use crate::deck::pods_view::PodsView;
use crate::deck::possible;
use crate::deck::state::State;
use crate::model::{Fetched, Notice, Running, Timestamp};

fn view(state: &mut State) -> Option<&mut PodsView> {
    state.layers.iter_mut().rev().find_map(|layer| match layer {
        Layer::Pods(view) => Some(&mut **view),
        _ => None,
    })
}

/// Opens the screen of what is looked at: the resource, else the app.
pub(super) fn open(state: &mut State, effects: &mut Vec<Effect>) {
    let deployment = match possible::askable(state) {
        Ok(deployment) => deployment,
        Err(why) => return state.refuse(why),
    };
    let resource = state.resource().map(|key| key.id.clone());
    let ticket = state.ticket();
    effects.push(Effect::LoadRunning { ticket, deployment: deployment.clone(), resource: resource.clone() });
    state.layers.push(Layer::Pods(Box::new(PodsView::new(deployment, resource, ticket))));
}

/// Asks again. What was asked before is given up.
pub(super) fn look(state: &mut State, effects: &mut Vec<Effect>) {
    let ticket = state.ticket();
    let Some(view) = view(state) else { return };
    effects.extend(view.ticket.map(|ticket| Effect::Cancel { ticket }));
    view.ticket = Some(ticket);
    view.running = std::mem::take(&mut view.running).loading();
    let (deployment, resource) = (view.deployment.clone(), view.resource.clone());
    effects.push(Effect::LoadRunning { ticket, deployment, resource });
}

/// Takes in an answer; after the last one nothing follows.
pub(super) fn came(
    state: &mut State,
    at: Timestamp,
    ticket: Ticket,
    result: Result<Box<Running>, Notice>,
    last: bool,
) {
    let Some(view) = view(state).filter(|view| view.ticket == Some(ticket)) else { return };
    let known = std::mem::take(&mut view.running);
    view.running = match result {
        Ok(value) => Fetched::Ready { at, value: *value },
        Err(notice) => known.failed(at, notice),
    };
    if last {
        view.ticket = None;
    }
}

/// Gives up what is being asked for. Returns whether anything was.
pub(super) fn cancel(state: &mut State, effects: &mut Vec<Effect>) -> bool {
    let Some(Layer::Pods(view)) = state.layers.last_mut() else { return false };
    let Some(ticket) = view.ticket.take() else { return false };
    effects.push(Effect::Cancel { ticket });
    let now = state.now;
    if let Some(Layer::Pods(view)) = state.layers.last_mut() {
        let notice = Notice::warning("given up: what is missing was not asked for");
        view.running = std::mem::take(&mut view.running).failed(now, notice);
    }
    true
}
