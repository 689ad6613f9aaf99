//! Defines the exact check: asked for with a key, told how far it has come, cancelled with ctrl-c. What it finds comes as
//! verdicts.

use crate::deck::effect::{Effect, Ticket};
use crate::deck::possible;
use crate::deck::state::{ExactRun, State};
use crate::deck::words;
use crate::model::command::Command;
use crate::model::{DeploymentId, Notice, ResourceId, Timestamp};
use std::collections::VecDeque;

/// Asks about the ticked resources, else the one under the cursor, else the whole app.
pub(super) fn begin(state: &mut State, effects: &mut Vec<Effect>) {
    let deployment = match possible::checkable(state) {
        Ok(deployment) => deployment,
        Err(why) => return state.refuse(why),
    };
    let resources = possible::chosen(state);
    ask(state, effects, deployment, resources);
}

/// Asks about every app whose cluster answers, one after the other, once everything is known, where the deck was opened
/// so.
pub(super) fn ask_as_opened(state: &mut State, effects: &mut Vec<Effect>) {
    if !state.world.settled || state.exact.is_some() {
        return;
    }
    let mut unasked =
        state.unasked.take().unwrap_or_else(|| state.world.deployments.keys().cloned().collect());
    let next = std::iter::from_fn(|| unasked.pop_front()).find(|id| possible::is_reached(state, id));
    state.unasked = Some(unasked);
    if let Some(deployment) = next {
        ask(state, effects, deployment, Vec::new());
    }
}

fn ask(state: &mut State, effects: &mut Vec<Effect>, deployment: DeploymentId, resources: Vec<ResourceId>) {
    let ticket = state.ticket();
    state.exact = Some(ExactRun { ticket, done: 0, total: None });
    let cancel = possible::key(state, Command::Interrupt);
    let context = state.world.called(&deployment.cluster).to_owned();
    state.say(format!("asking the API server of {context} by dry runs; {cancel} cancels"));
    effects.push(Effect::CheckExactly { ticket, deployment, resources });
}

/// Takes in how far the check has come.
pub(super) fn progress(state: &mut State, ticket: Ticket, done: usize, total: usize) {
    if let Some(run) = state.exact.as_mut().filter(|run| run.ticket == ticket) {
        (run.done, run.total) = (done, Some(total));
    }
}

/// Takes in that the check has ended. Objects that keep their local verdict are named with the reason.
pub(super) fn done(
    state: &mut State,
    at: Timestamp,
    ticket: Ticket,
    outcome: Result<(usize, usize), Notice>,
    silent: Vec<Notice>,
) {
    if state.exact.as_ref().is_none_or(|run| run.ticket != ticket) {
        return;
    }
    state.exact = None;
    match outcome {
        Ok((_, 0)) => state.say("nothing here that a dry run could settle"),
        Ok((exact, total)) => {
            let objects = words::count(total, "object");
            let local = total - exact;
            match silent.first().and_then(|notice| notice.cause.clone()) {
                Some(why) => state.refuse(format!("{local} of {objects} keep the local verdict: {why}")),
                None => state.say(format!("the API server was asked about {objects}: the verdict is exact")),
            }
        }
        Err(notice) => state.refuse(notice.title),
    }
    for notice in silent {
        state.note(at, notice);
    }
}

/// Cancels a check that runs, and what would follow it. Returns whether one did.
pub(super) fn cancel(state: &mut State, effects: &mut Vec<Effect>) -> bool {
    let Some(run) = state.exact.take() else { return false };
    state.unasked.as_mut().map(VecDeque::clear);
    effects.push(Effect::Cancel { ticket: run.ticket });
    let of = run.total.map(|total| format!(" after {} of {total}", run.done)).unwrap_or_default();
    state.say(format!("the exact check was cancelled{of}; what was answered counts"));
    true
}
