//! Defines the way from a key to a commit: ask for a plan, show it, let its message be written, and make it.

use crate::deck::commit_view::{self, CommitRequest, CommitView, CommitWhat};
use crate::deck::effect::{Effect, Ticket};
use crate::deck::layer::{Confirm, Layer, MessagePrompt};
use crate::deck::plan_view::Phase;
use crate::deck::possible;
use crate::deck::state::State;
use crate::deck::world::ResourceKey;
use crate::model::command::Command;
use crate::model::commit_plan::{CommitPlan, Reach};
use crate::model::{FieldPath, Notice, Timestamp, Verdict};

fn with_ticket(state: &mut State, ticket: Ticket, act: impl FnOnce(&mut CommitView)) {
    let views = state.layers.iter_mut().filter_map(|layer| match layer {
        Layer::Commit(view) if view.ticket == ticket => Some(view),
        _ => None,
    });
    if let Some(view) = views.last() {
        act(view);
    }
}

fn on_top(state: &mut State) -> Option<&mut CommitView> {
    match state.layers.last_mut() {
        Some(Layer::Commit(view)) => Some(view),
        _ => None,
    }
}

/// Asks for the plan that goes back to the commit under the cursor, or takes it out; from elsewhere the commits are shown
/// first.
pub(super) fn begin(state: &mut State, at: Timestamp, command: Command, effects: &mut Vec<Effect>) {
    let (app, deployment, commit) = match state.layers.last() {
        Some(Layer::History(view)) => {
            let Some(commit) = view.rows.current() else {
                return state.refuse("no commit is under the cursor");
            };
            (view.app.clone(), view.deployment.clone(), commit.clone())
        }
        Some(Layer::Effect(view)) => {
            (view.app.clone(), Some(view.deployment.clone()), view.commit.id.clone())
        }
        _ => {
            super::history::open(state, effects);
            if matches!(state.layers.last(), Some(Layer::History(_))) {
                let key = crate::deck::possible::key(state, Command::Revert);
                state.say(format!("choose the commit to go back to: {key} on it plans"));
            }
            return;
        }
    };
    let what = match command {
        Command::TakeOut => CommitWhat::Undo { commit },
        _ => CommitWhat::Back { to: commit },
    };
    let request = CommitRequest::new(app, deployment.map(|id| id.cluster.clone()), what);
    let ticket = state.ticket();
    effects.push(Effect::PlanCommit { ticket, request: request.clone() });
    state.layers.push(Layer::Commit(Box::new(CommitView::new(ticket, request, at))));
}

/// Asks for the plan of an ignore rule for the difference under the cursor.
pub(super) fn begin_ignore(state: &mut State, at: Timestamp, effects: &mut Vec<Effect>) {
    let Some(key) = state.resource() else { return state.refuse("no resource is under the cursor") };
    let path = match state.field() {
        Some((_, path)) => path,
        None => match only_difference(state, &key) {
            Ok(path) => path,
            Err(why) => return state.refuse(why),
        },
    };
    let what = CommitWhat::Ignore { resource: key.id.clone(), path, reach: Reach::Object };
    let cluster = Some(key.deployment.cluster.clone());
    let request = CommitRequest::new(key.deployment.app.clone(), cluster, what);
    let ticket = state.ticket();
    effects.push(Effect::PlanCommit { ticket, request: request.clone() });
    state.layers.push(Layer::Commit(Box::new(CommitView::new(ticket, request, at))));
}

/// Asks for the plan that captures the field under the cursor, else the ticked resources or the one under the cursor, else
/// everything that drifted.
pub(super) fn begin_capture(state: &mut State, at: Timestamp, effects: &mut Vec<Effect>) {
    let field = state.field().filter(|_| state.ticks.is_empty());
    let (deployment, resources, field) = match field {
        Some((key, path)) => (key.deployment.clone(), vec![key.id.clone()], Some(path)),
        None => match possible::one_deployment(state) {
            Ok(deployment) => (deployment, possible::chosen(state), None),
            Err(why) => return state.refuse(why),
        },
    };
    let what = CommitWhat::Capture { resources, field };
    let request = CommitRequest::new(deployment.app.clone(), Some(deployment.cluster.clone()), what);
    let ticket = state.ticket();
    effects.push(Effect::PlanCommit { ticket, request: request.clone() });
    state.layers.push(Layer::Commit(Box::new(CommitView::new(ticket, request, at))));
}

/// Returns the one thing that counts of a resource: its one field, or that it is there or not there as a whole.
fn only_difference(state: &State, key: &ResourceKey) -> Result<FieldPath, String> {
    let Some(status) = state.world.resource(key) else { return Err("it is gone".to_owned()) };
    if matches!(status.verdict(), Verdict::Extra | Verdict::Missing) {
        return Ok(FieldPath::root());
    }
    let mut counted = status.judgement.counted();
    match (counted.next(), counted.next()) {
        (Some(change), None) => Ok(change.path.clone()),
        (None, _) => Err("nothing that counts differs there".to_owned()),
        (Some(_), Some(_)) => Err("several fields differ: go to the line of the one to ignore".to_owned()),
    }
}

pub(super) fn ready(
    state: &mut State,
    at: Timestamp,
    ticket: Ticket,
    plan: CommitPlan,
    moved: Option<String>,
) {
    with_ticket(state, ticket, |view| view.show(plan, at, moved));
}

pub(super) fn failed(state: &mut State, at: Timestamp, ticket: Ticket, notice: Notice) {
    state.note(at, notice.clone());
    with_ticket(state, ticket, |view| {
        view.phase = Phase::Failed(notice);
        view.plan = None;
        view.shown_at = Some(at);
    });
}

/// Takes in what became of a plan. What the repo holds now is read at once.
pub(super) fn done(
    state: &mut State,
    at: Timestamp,
    ticket: Ticket,
    plan: CommitPlan,
    effects: &mut Vec<Effect>,
) {
    for notice in plan.steps.iter().filter_map(|step| step.outcome.notice()).chain(&plan.notices) {
        state.note(at, notice.clone());
    }
    if let Some(commit) = &plan.commit {
        let line =
            format!("{} {}: {} on {}", plan.command, plan.app.name, commit.short(), plan.landing.branch());
        state.log(at, line);
    }
    with_ticket(state, ticket, |view| {
        view.plan = Some(plan);
        view.phase = Phase::Done { at, verdict: None };
        view.scroll = crate::deck::layer::Scroll::default();
    });
    effects.push(Effect::Refresh);
}

pub(super) fn command(state: &mut State, at: Timestamp, command: Command, effects: &mut Vec<Effect>) {
    match command {
        Command::TickStep => {
            let Some(view) = on_top(state) else { return };
            view.request.include = !view.request.include;
            plan_again(state, at, effects);
        }
        Command::Uncommitted => {
            let Some(view) = on_top(state) else { return };
            view.request.dirty = !view.request.dirty;
            plan_again(state, at, effects);
        }
        Command::Publish => {
            let Some(view) = on_top(state) else { return };
            view.request.publish = view.request.publish.next();
            plan_again(state, at, effects);
        }
        Command::Reach => {
            let Some(view) = on_top(state) else { return };
            if let CommitWhat::Ignore { reach, .. } = &mut view.request.what {
                *reach = reach.next();
            }
            plan_again(state, at, effects);
        }
        Command::Replan => plan_again(state, at, effects),
        Command::CopyPlan => {
            if let Some(plan) = on_top(state).and_then(|view| view.plan.as_ref()) {
                let text = commit_view::markdown(plan);
                effects.push(Effect::Copy { what: "plan".to_owned(), text });
            }
        }
        Command::Subject => {
            let Some(view) = on_top(state) else { return };
            let (ticket, message) = (view.ticket, view.message().unwrap_or_default());
            let typed = message.lines().next().unwrap_or_default().to_owned();
            state.layers.push(Layer::Message(MessagePrompt { ticket, typed }));
        }
        Command::Message => {
            let Some(view) = on_top(state) else { return };
            let (ticket, text) = (view.ticket, view.message().unwrap_or_default());
            effects.push(Effect::EditMessage { ticket, text });
        }
        Command::Apply => {
            let Some(view) = on_top(state) else { return };
            let Some(plan) = &view.plan else { return };
            let (ticket, id) = (view.ticket, plan.id.clone());
            if let Some(ask) = plan.unanswered(&view.confirmed).cloned() {
                let confirm = Confirm { ticket, ask, typed: String::new() };
                return state.layers.push(Layer::Confirm(confirm));
            }
            view.phase = Phase::Applying { since: at, cancelled: false };
            view.moved = None;
            effects.push(Effect::MakeCommit { ticket, id });
        }
        _ => super::overlays::command(state, at, command, effects),
    }
}

/// Takes in a name that was typed for the plan of a commit. Returns whether it was for one.
pub(super) fn confirmed(state: &mut State, prompt: &Confirm) -> bool {
    let Some(view) = on_top(state).filter(|view| view.ticket == prompt.ticket) else { return false };
    if prompt.is_answered() {
        view.confirmed.push(prompt.typed.clone());
        let key = crate::deck::possible::key(state, Command::Apply);
        state.say(format!("{} confirmed: {key} makes the commit, esc leaves it", prompt.typed));
    } else {
        state.refuse(format!("that is not {}: nothing was written", prompt.ask.words.join(" or ")));
    }
    true
}

/// Takes in a first line that was typed: what stands below it stays.
pub(super) fn subject_typed(state: &mut State, prompt: &MessagePrompt, effects: &mut Vec<Effect>) {
    let Some(view) = on_top(state).filter(|view| view.ticket == prompt.ticket) else { return };
    let before = view.message().unwrap_or_default();
    let rest = before.split_once('\n').map_or("", |(_, rest)| rest);
    let message = format!("{}\n{rest}", prompt.typed.trim());
    written(state, prompt.ticket, Ok(message), effects);
}

/// Takes in a message that was written. An empty one leaves it as it was.
pub(super) fn written(
    state: &mut State,
    ticket: Ticket,
    result: Result<String, Notice>,
    effects: &mut Vec<Effect>,
) {
    let text = match result {
        Ok(text) => text,
        Err(notice) => return super::fail(state, notice),
    };
    if text.lines().next().unwrap_or_default().trim().is_empty() {
        return state.refuse("a commit needs a first line: the message stays as it was");
    }
    let Some(view) = on_top(state).filter(|view| view.ticket == ticket) else { return };
    view.request.message = Some(text.trim_end().to_owned());
    let at = state.now;
    plan_again(state, at, effects);
}

fn plan_again(state: &mut State, at: Timestamp, effects: &mut Vec<Effect>) {
    let ticket = state.ticket();
    let Some(view) = on_top(state) else { return };
    effects.extend(view.phase.is_running().then_some(Effect::Cancel { ticket: view.ticket }));
    let request = view.request.clone();
    *view = CommitView::new(ticket, request.clone(), at);
    effects.push(Effect::PlanCommit { ticket, request });
}
