//! Defines what a key does: a prompt takes it as text, the keymap makes a command of it, and the command is routed.

use super::{changes, commit, exact, history, hold, lists, overlays, plan, pods, prompts, view};
use crate::deck::effect::Effect;
use crate::deck::layer::Layer;
use crate::deck::possible::{self, possible};
use crate::deck::state::{INTERRUPT_AGAIN, State};
use crate::model::command::Command;
use crate::model::{Key, KeyCode, Timestamp};

/// Takes in a key.
pub(super) fn key(state: &mut State, at: Timestamp, key: Key, effects: &mut Vec<Effect>) {
    let always = state.options.keymap.command(crate::model::Place::Everywhere, key);
    match always {
        Some(Command::Interrupt) => return interrupt(state, at, effects),
        Some(Command::Suspend) => return effects.push(Effect::Suspend),
        Some(Command::Redraw) => return effects.push(Effect::Redraw),
        _ => {}
    }
    state.interrupted = None;
    // Whatever was typed before the plan appeared was meant for something else.
    let guarded = match state.layers.last() {
        Some(Layer::Plan(plan)) => plan.is_guarded(at),
        Some(Layer::Commit(plan)) => plan.is_guarded(at),
        _ => false,
    };
    if guarded {
        return;
    }
    state.said = None;
    if state.layers.last().is_some_and(Layer::is_prompt) {
        return prompts::key(state, key, effects);
    }
    if overlays::menu_key(state, at, key, effects) {
        return;
    }
    let Some(command) = state.options.keymap.command(state.place(), key) else {
        return say_unbound(state, key);
    };
    run(state, at, command, effects);
}

fn say_unbound(state: &mut State, key: Key) {
    if matches!(key.code, KeyCode::Char(_) | KeyCode::Function(_)) {
        let help = state
            .options
            .keymap
            .key(Command::Help)
            .map(|k| format!("; {k} shows the keys"))
            .unwrap_or_default();
        state.refuse(format!("{key} means nothing here{help}"));
    }
}

/// Carries out a command, or says why it cannot work.
pub(super) fn run(state: &mut State, at: Timestamp, command: Command, effects: &mut Vec<Effect>) {
    if let Err(why) = possible(state, command) {
        return state.refuse(why);
    }
    match command {
        Command::Interrupt => interrupt(state, at, effects),
        Command::Suspend => effects.push(Effect::Suspend),
        Command::Redraw => effects.push(Effect::Redraw),
        Command::Close => close(state, effects),
        Command::Back => back(state, effects),
        Command::Refresh => {
            state.say("reading repos and clusters again");
            effects.push(Effect::Refresh);
            state.holds.clear();
            changes::look(state, true, effects);
            pods::look(state, effects);
            history::look(state, effects);
        }
        Command::Mouse => {
            state.mouse = !state.mouse;
            state.say(if state.mouse {
                "the mouse is driftdeck's now"
            } else {
                "the mouse is the terminal's again"
            });
            effects.push(Effect::Mouse { on: state.mouse });
        }
        Command::Editor => match possible::local_file(state) {
            Ok((file, line)) => effects.push(Effect::OpenEditor { file, line }),
            Err(why) => state.refuse(why),
        },
        Command::LogIn => match possible::login(state) {
            Ok(context) => effects.push(Effect::LogIn { context }),
            Err(why) => state.refuse(why),
        },
        Command::Forge => match possible::page(state) {
            Ok(url) => {
                state.say(url.clone());
                effects.push(Effect::OpenUrl { url });
            }
            Err(why) => state.refuse(why),
        },
        Command::Sync => plan::begin_sync(state, at, effects),
        Command::Undo => plan::begin_undo(state, at, effects),
        Command::Hold => hold::begin(state, at, effects),
        Command::Exact => exact::begin(state, effects),
        Command::Capture => commit::begin_capture(state, at, effects),
        Command::Ignore => commit::begin_ignore(state, at, effects),
        Command::Revert | Command::TakeOut => commit::begin(state, at, command, effects),
        Command::Palette
        | Command::Help
        | Command::Matrix
        | Command::Notices
        | Command::Copy
        | Command::Everything
        | Command::Who => overlays::open(state, command),
        Command::Journal => overlays::open_journal(state, effects),
        Command::Changes => changes::open(state, effects),
        Command::Pods => pods::open(state, effects),
        Command::History => history::open(state, effects),
        Command::Search => prompts::open_search(state),
        Command::NextUnseen => lists::next_unseen(state, at, effects),
        _ => route(state, at, command, effects),
    }
}

/// Gives a command to what the keys go to.
fn route(state: &mut State, at: Timestamp, command: Command, effects: &mut Vec<Effect>) {
    match state.layers.last() {
        None => lists::command(state, at, command, effects),
        Some(Layer::Resource(_)) => view::command(state, command, effects),
        Some(Layer::Plan(_)) => plan::command(state, at, command, effects),
        Some(Layer::Commit(_)) => commit::command(state, at, command, effects),
        Some(Layer::Changes(_)) => changes::command(state, at, command, effects),
        Some(Layer::History(_)) => history::command(state, at, command, effects),
        Some(Layer::Effect(_)) if command == Command::Against => history::cycle_effect(state, effects),
        Some(_) => overlays::command(state, at, command, effects),
    }
}

/// One step back: the topmost layer, then the filter of the column, then the column itself.
pub(super) fn back(state: &mut State, effects: &mut Vec<Effect>) {
    if !state.layers.is_empty() {
        return leave(state, effects);
    }
    lists::back(state);
}

fn close(state: &mut State, effects: &mut Vec<Effect>) {
    if state.layers.is_empty() { super::quit(state, effects) } else { leave(state, effects) }
}

/// Leaves the topmost layer.
fn leave(state: &mut State, effects: &mut Vec<Effect>) {
    leave_from(state, state.layers.len().saturating_sub(1), effects);
}

/// Leaves every layer for the deck. Returns whether it did.
pub(super) fn leave_all(state: &mut State, effects: &mut Vec<Effect>) -> bool {
    leave_from(state, 0, effects)
}

/// Leaves this layer and what lies on it. A plan that is being computed is given up; one that is being carried out is
/// not left, and then nothing is. Returns whether they were left.
fn leave_from(state: &mut State, lowest: usize, effects: &mut Vec<Effect>) -> bool {
    let plans = || state.layers.iter().skip(lowest).filter_map(Layer::phase);
    if plans().any(|(_, phase)| phase.is_applying()) {
        let key = possible::key(state, Command::Interrupt);
        state.refuse(format!("the plan is being carried out: {key} stops before the next step"));
        return false;
    }
    let running = plans().filter(|(_, phase)| phase.is_running());
    effects.extend(running.map(|(ticket, _)| Effect::Cancel { ticket }));
    let looks = state.layers.iter().skip(lowest).filter_map(Layer::looking);
    effects.extend(looks.map(|ticket| Effect::Cancel { ticket }));
    state.layers.truncate(lowest);
    state.outdated = true;
    true
}

/// Cancels what runs; with nothing to cancel, a second time within two seconds quits.
fn interrupt(state: &mut State, at: Timestamp, effects: &mut Vec<Effect>) {
    if state.interrupted.is_some_and(|first| at.duration_since(first) < INTERRUPT_AGAIN) {
        return super::quit(state, effects);
    }
    state.interrupted = Some(at);
    if plan::cancel(state, effects)
        || exact::cancel(state, effects)
        || pods::cancel(state, effects)
        || history::cancel(state, effects)
    {
        return;
    }
    if state.layers.last().is_some_and(Layer::is_prompt) {
        prompts::cancel(state);
        return;
    }
    state.say("nothing runs that could be cancelled; ctrl-c again quits");
}
