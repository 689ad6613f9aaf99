//! Defines prompts, in which every key is text: search and filter, palette, and the name of a protected cluster.

use super::{changes, commands, commit, hold, lists, overlays, plan, view};
use crate::deck::effect::Effect;
use crate::deck::layer::{Layer, Search};
use crate::deck::layout::Column;
use crate::deck::state::State;
use crate::model::{Key, KeyCode};

/// Characters that a prompt takes.
const LONGEST: usize = 256;

pub(super) fn open_search(state: &mut State) {
    let before = match state.layers.last() {
        Some(Layer::Resource(view)) => view.search.clone(),
        Some(Layer::Changes(view)) => view.rows.filter.clone(),
        _ => list_filter(state).clone(),
    };
    let text = before.clone().unwrap_or_default();
    state.layers.push(Layer::Search(Search { text, before }));
}

fn list_filter(state: &mut State) -> &mut Option<String> {
    match state.focus {
        Column::Repos => &mut state.repos.filter,
        Column::Apps => &mut state.apps.filter,
        Column::Clusters => &mut state.clusters.filter,
        Column::Drift => &mut state.drift.filter,
    }
}

pub(super) fn key(state: &mut State, key: Key, effects: &mut Vec<Effect>) {
    match key.code {
        KeyCode::Esc => cancel(state),
        KeyCode::Enter => accept(state, effects),
        KeyCode::Backspace if !key.ctrl => edit(state, |text| {
            text.pop();
        }),
        KeyCode::Char('u') if key.ctrl => edit(state, String::clear),
        KeyCode::Char('w') if key.ctrl => edit(state, |text| {
            let kept = text.trim_end().rfind(' ').map_or(0, |at| at + 1);
            text.truncate(kept);
        }),
        KeyCode::Down | KeyCode::Tab => overlays::step_palette(state, 1),
        KeyCode::Up | KeyCode::BackTab => overlays::step_palette(state, -1),
        KeyCode::Char('n') if key.ctrl => overlays::step_palette(state, 1),
        KeyCode::Char('p') if key.ctrl => overlays::step_palette(state, -1),
        KeyCode::PageDown => overlays::step_palette(state, 10),
        KeyCode::PageUp => overlays::step_palette(state, -10),
        _ => {
            if let Some(c) = key.typed() {
                edit(state, |text| text.push(c));
            }
        }
    }
}

/// Pasted text goes into a prompt on one line, and nowhere else: it never becomes keys.
pub(super) fn paste(state: &mut State, pasted: &str) {
    if !state.layers.last().is_some_and(Layer::is_prompt) {
        return state.refuse("pasted text is taken in prompts only");
    }
    let line = pasted.lines().next().unwrap_or("").to_owned();
    edit(state, |text| text.extend(line.chars().filter(|c| !c.is_control())));
}

fn edit(state: &mut State, change: impl FnOnce(&mut String)) {
    let change = |text: &mut String| {
        change(text);
        if let Some((end, _)) = text.char_indices().nth(LONGEST) {
            text.truncate(end);
        }
    };
    match state.layers.last_mut() {
        Some(Layer::Confirm(confirm)) => change(&mut confirm.typed),
        Some(Layer::Message(prompt)) => change(&mut prompt.typed),
        Some(Layer::Hold(prompt)) => change(&mut prompt.typed),
        Some(Layer::Palette(picker)) => {
            let mut text = picker.text.clone();
            change(&mut text);
            picker.set_text(text);
        }
        Some(Layer::Search(search)) => {
            change(&mut search.text);
            let text = Some(search.text.clone()).filter(|text| !text.is_empty());
            set_search(state, text);
        }
        _ => {}
    }
}

/// Filters the list, or sets what is searched for in the view below the prompt.
fn set_search(state: &mut State, text: Option<String>) {
    let below = state.layers.len().checked_sub(2).and_then(|at| state.layers.get_mut(at));
    if let Some(Layer::Resource(view)) = below {
        view.search = text;
        return;
    }
    if let Some(Layer::Changes(view)) = below {
        view.rows.filter = text;
        return changes::refresh(state);
    }
    *list_filter(state) = text;
    lists::claim(state);
    state.outdated = true;
}

fn accept(state: &mut State, effects: &mut Vec<Effect>) {
    match state.layers.pop() {
        Some(Layer::Hold(prompt)) => hold::asked(state, prompt, effects),
        Some(Layer::Confirm(confirm)) if commit::confirmed(state, &confirm) => {}
        Some(Layer::Confirm(confirm)) => plan::confirmed(state, &confirm),
        Some(Layer::Message(prompt)) => commit::subject_typed(state, &prompt, effects),
        Some(Layer::Palette(picker)) => {
            if let Some(item) = picker.current().cloned() {
                overlays::picked(state, item, effects);
            }
        }
        Some(Layer::Search(_)) => view::to_match(state, true),
        Some(other) => state.layers.push(other),
        None => {}
    }
}

/// Leaves the prompt with everything as it was before.
pub(super) fn cancel(state: &mut State) {
    match state.layers.last() {
        Some(Layer::Search(search)) => {
            let before = search.before.clone();
            set_search(state, before);
            state.layers.pop();
        }
        Some(Layer::Confirm(_)) => {
            state.layers.pop();
            state.say("nothing was written");
        }
        Some(_) => {
            state.layers.pop();
        }
        None => {}
    }
}

/// Runs a command picked by its name.
pub(super) fn run(state: &mut State, command: crate::model::Command, effects: &mut Vec<Effect>) {
    let now = state.now;
    commands::run(state, now, command, effects);
}
