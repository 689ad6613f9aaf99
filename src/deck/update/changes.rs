//! Defines what keys and answers do to the screen "what changed".

use super::lists;
use crate::deck::changes_view::{ChangesView, markdown, rows_seen};
use crate::deck::effect::{Effect, Ticket};
use crate::deck::layer::Layer;
use crate::deck::layout::Column;
use crate::deck::state::State;
use crate::deck::world::ResourceKey;
use crate::model::command::Command;
use crate::model::{Past, Timestamp, Where};
use std::sync::Arc;

fn view(state: &mut State) -> Option<&mut ChangesView> {
    state.layers.iter_mut().rev().find_map(|layer| match layer {
        Layer::Changes(view) => Some(&mut **view),
        _ => None,
    })
}

pub(super) fn open(state: &mut State, effects: &mut Vec<Effect>) {
    if matches!(state.layers.last(), Some(Layer::Changes(_))) {
        // The same screen is not opened on itself: its key closes it.
        return super::commands::back(state, effects);
    }
    if let Some(at) = state.layers.iter().position(|layer| matches!(layer, Layer::Changes(_))) {
        // It is open already: back to it.
        state.layers.truncate(at + 1);
        return;
    }
    let ticket = state.ticket();
    let view = ChangesView::new(ticket, state.now);
    let since = view.since(state.now);
    state.layers.push(Layer::Changes(Box::new(view)));
    effects.push(Effect::LoadChanges { ticket, since, ask: true });
}

/// Looks again, with or without asking the clusters. What was asked before is given up.
pub(super) fn look(state: &mut State, ask: bool, effects: &mut Vec<Effect>) {
    let (ticket, now) = (state.ticket(), state.now);
    let Some(view) = view(state) else { return };
    effects.extend(view.ticket.map(|ticket| Effect::Cancel { ticket }));
    view.look_anew(ticket, now);
    let since = view.since(now);
    effects.push(Effect::LoadChanges { ticket, since, ask });
}

/// Looks again at what is known, where that has changed and nobody looks already.
pub(super) fn follow(state: &mut State, effects: &mut Vec<Effect>) {
    let now = state.now;
    let Some(view) = view(state) else { return };
    if view.is_due(now) {
        look(state, false, effects);
    } else if view.is_stale(now) {
        refresh(state);
    }
}

pub(super) fn came(state: &mut State, ticket: Ticket, past: Past, asked: bool, last: bool) {
    let now = state.now;
    let Some(view) = view(state).filter(|view| view.ticket == Some(ticket)) else { return };
    view.take(past, asked, last, now);
    if last {
        view.ticket = None;
    }
    refresh(state);
}

/// Lists anew what happened.
pub(super) fn refresh(state: &mut State) {
    let (now, zone) = (state.now, state.options.zone.clone());
    for _ in 0..2 {
        // What cannot be known takes lines of its own, and so decides how many are left.
        let Some(height) = height(state) else { return };
        if let Some(view) = view(state) {
            view.list(now, &zone, height);
        }
    }
}

fn height(state: &State) -> Option<usize> {
    let view = state.layers.iter().rev().find_map(|layer| match layer {
        Layer::Changes(view) => Some(view),
        _ => None,
    })?;
    Some(rows_seen(state, view))
}

pub(super) fn command(state: &mut State, at: Timestamp, command: Command, effects: &mut Vec<Effect>) {
    let Some(height) = height(state) else { return };
    let page = (height / 2).max(1).cast_signed();
    let by = match command {
        Command::Down | Command::NextMatch => 1,
        Command::Up | Command::PreviousMatch => -1,
        Command::PageDown => page,
        Command::PageUp => -page,
        Command::First => isize::MIN / 2,
        Command::Last => isize::MAX / 2,
        Command::Since => {
            let (ticket, now) = (state.ticket(), state.now);
            let Some(view) = view(state) else { return };
            effects.extend(view.ticket.map(|ticket| Effect::Cancel { ticket }));
            view.next_span(ticket, now);
            let (since, span) = (view.since(now), view.span());
            effects.push(Effect::LoadChanges { ticket, since, ask: true });
            return state.say(format!("what changed in the last {span}"));
        }
        Command::Open => return open_row(state, effects),
        Command::CopyChanges => {
            let Some(Layer::Changes(view)) = state.layers.last() else { return };
            let text = markdown(state, view);
            effects.push(Effect::Copy { what: "Markdown".to_owned(), text });
            return;
        }
        _ => return,
    };
    let Some(view) = view(state) else { return };
    view.rows.touch(at);
    match command {
        Command::First => view.rows.go(0, height),
        Command::Last => view.rows.go_last(height),
        _ => view.rows.step(by, height),
    }
}

/// Opens the resource of the row under the cursor, or the app where it is there no more.
fn open_row(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(happening) = view(state).and_then(|view| view.rows.current().cloned()) else { return };
    let Where::Cluster { deployment, .. } = &happening.at else {
        return state.refuse("a commit is not shown here");
    };
    let Some(deployment) = deployment.clone() else {
        return state.refuse("it belongs to no app of the deck");
    };
    let key = happening.resource.clone().map(|id| ResourceKey { deployment: deployment.clone(), id });
    match key.filter(|key| state.world.resource(key).is_some()) {
        Some(key) => lists::open_resource(state, &Arc::new(key), effects),
        None if super::commands::leave_all(state, effects) => {
            lists::show_deployment(state, &deployment);
            state.focus = Column::Drift;
        }
        None => {}
    }
}
