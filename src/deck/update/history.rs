//! Defines what keys and answers do to the screen "history", and to what one commit is against something.

use crate::deck::effect::{Effect, Ticket};
use crate::deck::history_view::{EffectView, Held, HistoryView, rows_seen};
use crate::deck::layer::{Layer, Scroll};
use crate::deck::state::State;
use crate::model::command::Command;
use crate::model::history::{Against, Step};
use crate::model::status::ResourceStatus;
use crate::model::{Fetched, Notice, Timestamp};

fn view(state: &mut State) -> Option<&mut HistoryView> {
    state.layers.iter_mut().rev().find_map(|layer| match layer {
        Layer::History(view) => Some(&mut **view),
        _ => None,
    })
}

fn effect_view(state: &mut State) -> Option<&mut EffectView> {
    match state.layers.last_mut() {
        Some(Layer::Effect(view)) => Some(view),
        _ => None,
    }
}

/// Opens the history of the app at hand, held against the cluster at hand if there is one.
pub(super) fn open(state: &mut State, effects: &mut Vec<Effect>) {
    let deployment = state.deployment().cloned();
    let Some(app) = deployment.as_ref().map(|d| d.app.clone()).or_else(|| state.selected_app().cloned())
    else {
        return state.refuse("no app is selected");
    };
    let ticket = state.ticket();
    let cluster = deployment.as_ref().map(|d| d.cluster.clone());
    effects.push(Effect::LoadHistory { ticket, app: app.clone(), cluster });
    state.layers.push(Layer::History(Box::new(HistoryView::new(app, deployment, ticket))));
}

/// Asks again. What was asked before is given up.
pub(super) fn look(state: &mut State, effects: &mut Vec<Effect>) {
    let ticket = state.ticket();
    let Some(view) = view(state) else { return };
    effects.extend(view.ticket.map(|ticket| Effect::Cancel { ticket }));
    (view.ticket, view.failed) = (Some(ticket), None);
    view.distances.clear();
    let cluster = view.deployment.as_ref().map(|d| d.cluster.clone());
    effects.push(Effect::LoadHistory { ticket, app: view.app.clone(), cluster });
}

pub(super) fn came(state: &mut State, ticket: Ticket, step: Result<Step, Notice>) {
    let (now, height) = (state.now, rows_seen(state));
    let Some(view) = view(state).filter(|view| view.ticket == Some(ticket)) else { return };
    match step {
        Ok(step) => view.take(step, now, height),
        Err(notice) => view.failed = Some(notice),
    }
}

/// Marks that nothing more is told.
pub(super) fn ended(state: &mut State, ticket: Ticket) {
    if let Some(view) = view(state).filter(|view| view.ticket == Some(ticket)) {
        view.ticket = None;
    }
}

/// Gives up what is being asked for. Returns whether anything was.
pub(super) fn cancel(state: &mut State, effects: &mut Vec<Effect>) -> bool {
    let ticket = match state.layers.last_mut() {
        Some(Layer::History(view)) => view.ticket.take(),
        Some(Layer::Effect(view)) => view.ticket.take(),
        _ => None,
    };
    effects.extend(ticket.map(|ticket| Effect::Cancel { ticket }));
    ticket.is_some()
}

pub(super) fn command(state: &mut State, at: Timestamp, command: Command, effects: &mut Vec<Effect>) {
    let height = rows_seen(state);
    let page = (height / 2).max(1).cast_signed();
    let Some(view) = view(state) else { return };
    view.rows.touch(at);
    match command {
        Command::Down => view.rows.step(1, height),
        Command::Up => view.rows.step(-1, height),
        Command::PageDown => view.rows.step(page, height),
        Command::PageUp => view.rows.step(-page, height),
        Command::First => view.rows.go(0, height),
        Command::Last => view.rows.go_last(height),
        Command::Against => {
            view.held = view.held.next();
            if view.deployment.is_none() {
                view.held = Held::Previous;
                state.refuse("no cluster is chosen: there is nothing else to hold it against");
            }
        }
        Command::BestMatch => match view.best().map(|(id, _)| id.clone()) {
            Some(id) => drop(view.rows.go_to(&id, height)),
            None => state.refuse("how far the cluster is off is not known yet"),
        },
        Command::Base => {
            let current = view.rows.current().cloned();
            view.base = current.filter(|current| view.base.as_ref() != Some(current));
        }
        Command::Open => open_effect(state, effects),
        _ => {}
    }
}

/// Opens what the commit under the cursor is against what it is held against.
fn open_effect(state: &mut State, effects: &mut Vec<Effect>) {
    let ticket = state.ticket();
    let Some(view) = view(state) else { return };
    let Some(commit) = view.current().cloned() else { return };
    let Some(deployment) = view.deployment.clone() else {
        return state.refuse("a commit is rendered for a cluster: choose one before its history");
    };
    let Some(against) = view.against() else {
        return state.refuse("no commit of the app is known before it");
    };
    let app = view.app.clone();
    effects.push(Effect::LoadEffect {
        ticket,
        deployment: deployment.clone(),
        commit: commit.id.clone(),
        against: against.clone(),
    });
    let differing = Fetched::Loading { last: None };
    let (ticket, scroll) = (Some(ticket), Scroll::default());
    let view = EffectView { app, deployment, commit, against, ticket, differing, scroll };
    state.layers.push(Layer::Effect(Box::new(view)));
}

/// Holds the commit that is shown against the next thing.
pub(super) fn cycle_effect(state: &mut State, effects: &mut Vec<Effect>) {
    let ticket = state.ticket();
    let before = effect_view(state).map(|view| view.commit.id.clone());
    let previous = {
        let Some(history) = view(state) else { return };
        let commits = &history.history.commits;
        let at = before.and_then(|id| commits.iter().position(|commit| commit.id == id));
        at.and_then(|at| commits.get(at + 1)).map(|commit| commit.id.clone())
    };
    let Some(view) = effect_view(state) else { return };
    let next = match (&view.against, previous) {
        (Against::Live, _) => Against::Desired,
        (Against::Desired, Some(previous)) => Against::Commit(previous),
        _ => Against::Live,
    };
    effects.extend(view.ticket.map(|ticket| Effect::Cancel { ticket }));
    view.ticket = Some(ticket);
    view.against = next.clone();
    view.differing = Fetched::Loading { last: None };
    view.scroll = Scroll::default();
    let (deployment, commit) = (view.deployment.clone(), view.commit.id.clone());
    effects.push(Effect::LoadEffect { ticket, deployment, commit, against: next });
}

pub(super) fn effect_came(
    state: &mut State,
    at: Timestamp,
    ticket: Ticket,
    result: Result<Vec<ResourceStatus>, Notice>,
) {
    let Some(view) = effect_view(state).filter(|view| view.ticket == Some(ticket)) else { return };
    view.ticket = None;
    view.differing = match result {
        Ok(value) => Fetched::Ready { at, value },
        Err(notice) => std::mem::take(&mut view.differing).failed(at, notice),
    };
}

/// Keeps the cursor in sight when the screen changes its size.
pub(super) fn resize(state: &mut State) {
    let height = rows_seen(state);
    if let Some(view) = view(state) {
        view.rows.resize(height);
    }
}
