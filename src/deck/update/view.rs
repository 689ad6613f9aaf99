//! Defines what commands do in the view of a resource, and how its diffs come in.

use super::pipeline::OUTDATED;
use crate::deck::effect::Effect;
use crate::deck::layer::Layer;
use crate::deck::reading::resource_rows;
use crate::deck::state::State;
use crate::deck::view::{Mode, ResourceView, ViewRow};
use crate::deck::world::ResourceKey;
use crate::model::command::Command;
use crate::model::{DeploymentId, Fetched, FieldPath, Notice, ResourceId, TextDiff, Timestamp};
use std::sync::Arc;

/// Columns of one step sideways.
const SIDEWAYS: usize = 8;

/// Does something to the view on top.
fn with_view<T>(state: &mut State, act: impl FnOnce(&mut ResourceView) -> T) -> Option<T> {
    match state.layers.last_mut() {
        Some(Layer::Resource(view)) => Some(act(view)),
        _ => None,
    }
}

pub(super) fn command(state: &mut State, command: Command, effects: &mut Vec<Effect>) {
    let page = (resource_rows(state) / 2).max(1).cast_signed();
    match command {
        Command::Down => step(state, 1),
        Command::Up => step(state, -1),
        Command::PageDown => step(state, page),
        Command::PageUp => step(state, -page),
        Command::First => step(state, isize::MIN / 2),
        Command::Last => step(state, isize::MAX / 2),
        Command::NextChange => to_change(state, true),
        Command::PreviousChange => to_change(state, false),
        Command::NextResource => to_resource(state, 1, effects),
        Command::PreviousResource => to_resource(state, -1, effects),
        Command::CycleView => {
            with_view(state, |view| {
                view.mode = view.mode.next();
                view.start_over();
            });
            refresh(state, effects);
            to_first_change(state);
        }
        Command::Fold => {
            with_view(state, ResourceView::fold);
            refresh(state, effects);
        }
        Command::ShowQuiet => {
            with_view(state, |view| view.quiet = !view.quiet);
            refresh(state, effects);
        }
        Command::ScrollLeft => {
            with_view(state, |view| view.sideways = view.sideways.saturating_sub(SIDEWAYS));
        }
        Command::ScrollRight => {
            with_view(state, |view| view.sideways = (view.sideways + SIDEWAYS).min(4096));
        }
        Command::NextMatch => to_match(state, true),
        Command::PreviousMatch => to_match(state, false),
        _ => {}
    }
}

fn step(state: &mut State, by: isize) {
    let height = resource_rows(state);
    with_view(state, |view| go(view, view.cursor.saturating_add_signed(by), height));
}

fn go(view: &mut ResourceView, to: usize, height: usize) {
    view.cursor = to.min(view.rows.len().saturating_sub(1));
    keep_in_sight(view, height);
}

fn keep_in_sight(view: &mut ResourceView, height: usize) {
    view.top = view.top.clamp((view.cursor + 1).saturating_sub(height), view.cursor);
    view.top = view.top.min(view.rows.len().saturating_sub(height));
}

fn to_first_change(state: &mut State) {
    let height = resource_rows(state);
    let State { layers, diffs, .. } = state;
    if let Some(Layer::Resource(view)) = layers.last_mut()
        && let Some(first) = view.changes(diffs).first()
    {
        go(view, *first, height);
    }
}

fn to_change(state: &mut State, forward: bool) {
    let height = resource_rows(state);
    let State { layers, diffs, .. } = state;
    let Some(Layer::Resource(view)) = layers.last_mut() else { return };
    let changes = view.changes(diffs);
    let next = if forward {
        changes.iter().find(|at| **at > view.cursor).or_else(|| changes.first())
    } else {
        changes.iter().rev().find(|at| **at < view.cursor).or_else(|| changes.last())
    };
    match next {
        Some(at) => go(view, *at, height),
        None => state.refuse("no change is shown here"),
    }
}

fn to_resource(state: &mut State, by: isize, effects: &mut Vec<Effect>) {
    let height = resource_rows(state);
    let moved = with_view(state, |view| {
        if view.whole_app {
            let heads =
                view.rows.iter().enumerate().filter(|(_, row)| matches!(row, ViewRow::Resource { .. }));
            let mut heads = heads.map(|(at, _)| at);
            let next =
                if by > 0 { heads.find(|at| *at > view.cursor) } else { heads.rfind(|at| *at < view.cursor) };
            return next.is_some_and(|at| {
                go(view, at, height);
                view.top = at.min(view.rows.len().saturating_sub(height));
                true
            });
        }
        let next = view.current.saturating_add_signed(by).min(view.resources.len().saturating_sub(1));
        let moved = next != view.current;
        view.current = next;
        if moved {
            view.start_over();
            view.unfolded.clear();
        }
        moved
    });
    if moved == Some(false) {
        return state.refuse(if by > 0 { "this is the last resource" } else { "this is the first resource" });
    }
    refresh(state, effects);
    if with_view(state, |view| view.mode != Mode::Fields && !view.whole_app) == Some(true) {
        to_first_change(state);
    }
}

/// Puts the cursor on a field, in the view of fields.
pub(super) fn go_to_field(state: &mut State, path: &FieldPath) {
    let height = resource_rows(state);
    let State { layers, world, .. } = state;
    let Some(Layer::Resource(view)) = layers.last_mut() else { return };
    let row = view.rows.iter().position(|row| match row {
        ViewRow::Path { resource, change } => view
            .key(*resource)
            .and_then(|key| world.resource(&key)?.judgement.changes.get(*change).map(|c| c.path == *path))
            .unwrap_or(false),
        _ => false,
    });
    if let Some(row) = row {
        go(view, row, height);
    }
}

/// Searches from the cursor on.
pub(super) fn to_match(state: &mut State, forward: bool) {
    let height = resource_rows(state);
    let State { layers, world, diffs, .. } = state;
    let Some(Layer::Resource(view)) = layers.last_mut() else { return };
    let Some(wanted) = view.search.as_ref().map(|text| text.to_lowercase()) else { return };
    let rows = view.rows.len();
    let matches = |at: usize| {
        view.rows.get(at).is_some_and(|row| text_of(view, row, world, diffs).to_lowercase().contains(&wanted))
    };
    let found =
        (1..=rows)
            .map(|distance| {
                if forward { (view.cursor + distance) % rows } else { (view.cursor + rows - distance) % rows }
            })
            .find(|at| matches(*at));
    match found {
        Some(at) => go(view, at, height),
        None => state.refuse("not found"),
    }
}

/// Returns the text of a row, to search in.
fn text_of(
    view: &ResourceView,
    row: &ViewRow,
    world: &crate::deck::world::World,
    diffs: &std::collections::BTreeMap<Arc<ResourceKey>, Fetched<TextDiff>>,
) -> String {
    let Some(key) = row.resource().and_then(|at| view.key(at)) else { return String::new() };
    let line = |at: usize| {
        let line = diffs.get(&key).and_then(Fetched::value).and_then(|diff| diff.lines.get(at));
        line.map(|line| line.pieces.iter().map(|piece| piece.text.as_str()).collect::<String>())
            .unwrap_or_default()
    };
    let change = |at: &usize| world.resource(&key).and_then(|status| status.judgement.changes.get(*at));
    match row {
        ViewRow::Line { line: at, .. } => line(*at),
        ViewRow::Pair { desired, live, .. } => {
            let sides = [desired, live].into_iter().flatten();
            sides.map(|at| line(*at)).collect::<Vec<_>>().join(" ")
        }
        ViewRow::Path { change: at, .. } => change(at).map(|c| c.path.to_string()).unwrap_or_default(),
        ViewRow::Desired { change: at, .. } => {
            change(at).map(|c| crate::deck::words::value(c.desired.as_ref())).unwrap_or_default()
        }
        ViewRow::Live { change: at, .. } => {
            change(at).map(|c| crate::deck::words::value(c.live.as_ref())).unwrap_or_default()
        }
        ViewRow::Resource { .. } => key.id.to_string(),
        _ => String::new(),
    }
}

/// Lists the view's rows anew and asks for the diffs that it lacks.
pub(super) fn refresh(state: &mut State, effects: &mut Vec<Effect>) {
    let height = resource_rows(state);
    let State { layers, world, diffs, .. } = state;
    for layer in layers.iter_mut() {
        let Layer::Resource(view) = layer else { continue };
        if view.mode != Mode::Fields {
            for key in view.shown().filter_map(|at| view.key(at)) {
                let diff = diffs.entry(Arc::new(key.clone())).or_default();
                let outdated = matches!(diff, Fetched::Failed { notice, .. } if notice.title == OUTDATED);
                if matches!(diff, Fetched::Idle) || outdated {
                    *diff = std::mem::take(diff).loading();
                    effects.push(Effect::LoadDiff { deployment: key.deployment, resource: key.id });
                }
            }
        }
        view.refresh(world, diffs);
        keep_in_sight(view, height);
    }
}

/// Takes in a diff. One that nobody waits for any more is kept for later.
pub(super) fn diff_came(
    state: &mut State,
    at: Timestamp,
    deployment: DeploymentId,
    resource: ResourceId,
    result: Result<TextDiff, Notice>,
) {
    let key = Arc::new(ResourceKey { deployment, id: resource });
    let known = state.diffs.remove(&key).unwrap_or_default();
    let first = known.value().is_none();
    let diff = match result {
        Ok(value) => Fetched::Ready { at, value },
        Err(notice) => known.failed(at, notice),
    };
    state.diffs.insert(key, diff);
    let height = resource_rows(state);
    let State { layers, world, diffs, .. } = state;
    for layer in layers.iter_mut() {
        if let Layer::Resource(view) = layer {
            view.refresh(world, diffs);
            keep_in_sight(view, height);
        }
    }
    let untouched = with_view(state, |view| view.cursor == 0 && !view.whole_app) == Some(true);
    if first && untouched {
        to_first_change(state);
    }
}
