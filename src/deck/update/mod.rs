//! Defines the update: what each message does to the state, and which effects follow. This file only routes.

mod changes;
mod commands;
mod commit;
mod exact;
mod history;
mod hold;
mod lists;
mod log;
mod overlays;
mod pipeline;
mod plan;
mod pods;
mod prompts;
mod story;
mod view;

use super::effect::Effect;
use super::layer::Layer;
use super::layout::Column;
use super::message::{Copied, Message};
use super::rows;
use super::state::State;
use crate::model::Notice;

/// Takes in one message and returns what is to be done outside.
pub fn update(state: &mut State, message: Message) -> Vec<Effect> {
    update_all(state, [message])
}

/// Takes in messages that came together. Lists are made anew once, or before a key that needs them.
pub fn update_all(state: &mut State, messages: impl IntoIterator<Item = Message>) -> Vec<Effect> {
    let mut effects = Vec::new();
    for message in messages {
        route(state, message, &mut effects);
    }
    settle(state, &mut effects);
    effects
}

fn route(state: &mut State, message: Message, effects: &mut Vec<Effect>) {
    match message {
        Message::Pipeline { at, update } => {
            pass_time(state, at);
            pipeline::fold(state, at, update);
        }
        Message::Key { at, key } => {
            pass_time(state, at);
            act(state, effects, |state, effects| commands::key(state, at, key, effects));
        }
        Message::Paste { at, text } => {
            pass_time(state, at);
            act(state, effects, |state, _| prompts::paste(state, &text));
        }
        Message::Mouse { at, event } => {
            pass_time(state, at);
            act(state, effects, |state, effects| lists::mouse(state, at, event, effects));
        }
        Message::Resize { size } => {
            state.size = size;
            state.outdated = true;
            lists::fit(state);
            history::resize(state);
        }
        Message::Tick { now } => {
            pass_time(state, now);
            let waiting = [state.apps.sorts_at(), state.clusters.sorts_at(), state.drift.sorts_at()];
            state.outdated |= waiting.into_iter().flatten().any(|at| at <= now);
            changes::follow(state, effects);
            hold::tell_expired(state);
        }
        Message::Diff { at, deployment, resource, result } => {
            pass_time(state, at);
            view::diff_came(state, at, deployment, resource, result);
        }
        Message::Story { at, deployment, resource, result } => {
            pass_time(state, at);
            story::came(state, at, deployment, resource, result);
        }
        Message::Automation { at, deployment, result } => {
            pass_time(state, at);
            hold::came(state, at, deployment, result);
        }
        Message::Journal { at, result } => {
            pass_time(state, at);
            overlays::journal_came(state, at, &result);
        }
        Message::Changes { at, ticket, past, asked, last } => {
            pass_time(state, at);
            changes::came(state, ticket, *past, asked, last);
        }
        Message::Running { at, ticket, result, last } => {
            pass_time(state, at);
            pods::came(state, at, ticket, result, last);
        }
        Message::HistoryStep { at, ticket, step } => {
            pass_time(state, at);
            history::came(state, ticket, step.map(|step| *step));
        }
        Message::HistoryEnded { at, ticket } => {
            pass_time(state, at);
            history::ended(state, ticket);
        }
        Message::CommitEffect { at, ticket, result } => {
            pass_time(state, at);
            history::effect_came(state, at, ticket, result);
        }
        Message::PlanReady { at, ticket, plan } => plan::ready(state, at, ticket, *plan, None),
        Message::PlanTied { at, ticket, resource, managers } => {
            plan::tied(state, at, ticket, &resource, managers);
        }
        Message::PlanOpen { at, ticket, syncs } => plan::several_open(state, at, ticket, syncs),
        Message::PlanMoved { at, ticket, plan, why } => plan::ready(state, at, ticket, *plan, Some(why)),
        Message::PlanFailed { at, ticket, notice } => plan::failed(state, at, ticket, notice),
        Message::StepDone { ticket, step, outcome } => plan::step_done(state, ticket, step, outcome),
        Message::PlanDone { at, ticket, verdict } => plan::done(state, at, ticket, verdict),
        Message::CommitReady { at, ticket, plan, moved } => {
            pass_time(state, at);
            commit::ready(state, at, ticket, *plan, moved);
        }
        Message::CommitFailed { at, ticket, notice } => {
            pass_time(state, at);
            commit::failed(state, at, ticket, notice);
        }
        Message::CommitDone { at, ticket, plan } => {
            pass_time(state, at);
            commit::done(state, at, ticket, *plan, effects);
        }
        Message::MessageWritten { at, ticket, result } => {
            pass_time(state, at);
            commit::written(state, ticket, result, effects);
        }
        Message::ExactProgress { ticket, done, total } => exact::progress(state, ticket, done, total),
        Message::ExactDone { at, ticket, outcome, silent } => {
            pass_time(state, at);
            exact::done(state, at, ticket, outcome, silent);
        }
        Message::Notice { at, notice } => {
            pass_time(state, at);
            state.note(at, notice);
        }
        Message::Copied { what, how } => copied(state, &what, how),
        Message::LoggedIn { at, context, result } => {
            pass_time(state, at);
            match result {
                Ok(()) => {
                    state.say(format!("logged in to {context}; asking it again"));
                    effects.push(Effect::Refresh);
                }
                Err(notice) => fail(state, notice),
            }
        }
        Message::EditorClosed { at, result } => {
            pass_time(state, at);
            if let Err(notice) = result {
                fail(state, notice);
            }
        }
        Message::Resumed { at } => {
            pass_time(state, at);
            effects.push(Effect::Redraw);
        }
        Message::Terminate => quit(state, effects),
    }
}

/// Does what the person asks for, on rows that are up to date before and after.
fn act(state: &mut State, effects: &mut Vec<Effect>, act: impl FnOnce(&mut State, &mut Vec<Effect>)) {
    settle(state, effects);
    state.acting = true;
    act(state, effects);
    settle(state, effects);
    state.acting = false;
}

/// Time only goes forward, whatever the clock does.
fn pass_time(state: &mut State, now: crate::model::Timestamp) {
    state.now = state.now.max(now);
}

/// Lists anew what is out of date, and marks as looked at what is under the cursor.
fn settle(state: &mut State, effects: &mut Vec<Effect>) {
    if state.outdated {
        lists::open_as_asked(state);
        rows::refresh(state);
        view::refresh(state, effects);
        overlays::refresh(state);
        changes::refresh(state);
    }
    lists::look(state);
    story::look(state, effects);
    hold::look(state, effects);
    exact::ask_as_opened(state, effects);
}

/// Shows a failure in the status line, and keeps it behind `!`.
fn fail(state: &mut State, notice: Notice) {
    state.refuse(notice.title.clone());
    let now = state.now;
    state.note(now, notice);
}

fn copied(state: &mut State, what: &str, how: Copied) {
    match how {
        Copied::Sent { file: None } => state.say(format!("{what} sent to the terminal's clipboard")),
        Copied::Sent { file: Some(file) } => {
            state
                .say(format!("{what} sent to the terminal, which does not confirm it; also saved to {file}"));
        }
        Copied::Saved { file } => {
            state.say(format!("{what} saved to {file}: this terminal is not known to take copies"));
        }
        Copied::Failed(notice) => fail(state, notice),
    }
}

fn quit(state: &mut State, effects: &mut Vec<Effect>) {
    state.quitting = true;
    effects.push(Effect::Quit);
}

/// Returns whether `n` and `N` have something to go to.
pub(super) fn has_search(state: &State) -> bool {
    match state.layers.last() {
        Some(Layer::Resource(view)) => view.search.is_some(),
        Some(Layer::Changes(view)) => view.rows.filter.is_some(),
        Some(_) => false,
        None => match state.focus {
            Column::Repos => state.repos.filter.is_some(),
            Column::Apps => state.apps.filter.is_some(),
            Column::Clusters => state.clusters.filter.is_some(),
            Column::Drift => state.drift.filter.is_some(),
        },
    }
}
