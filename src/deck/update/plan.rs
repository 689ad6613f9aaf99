//! Defines the way from a key to a write: ask for a plan, show it, let steps be ticked, and apply it.

use super::{hold, log};
use crate::deck::copy;
use crate::deck::effect::{Effect, PlanRequest, SyncRequest, Ticket, UndoRequest};
use crate::deck::layer::{Confirm, Layer};
use crate::deck::message::OpenSync;
use crate::deck::picker::{Item, Pick, Picker};
use crate::deck::plan_view::{Phase, PlanView};
use crate::deck::possible;
use crate::deck::reading::plan_rows;
use crate::deck::state::State;
use crate::deck::words;
use crate::model::command::Command;
use crate::model::confirm;
use crate::model::{Notice, Plan, ResourceId, StepOutcome, Timestamp, Verdict};

/// Asks for the plan of a sync: of the ticked resources, else of the one under the cursor, else of the whole app.
pub(super) fn begin_sync(state: &mut State, at: Timestamp, effects: &mut Vec<Effect>) {
    let deployment = match possible::writable(state) {
        Ok(deployment) => deployment,
        Err(why) => return state.refuse(why),
    };
    let only = possible::chosen(state);
    let request = SyncRequest { deployment, only, dirty: false, deployers: Vec::new() };
    begin(state, at, PlanRequest::Sync(request), effects);
}

/// Asks for the plan that undoes a sync of the whole app.
pub(super) fn begin_undo(state: &mut State, at: Timestamp, effects: &mut Vec<Effect>) {
    match possible::writable(state) {
        Ok(deployment) => {
            let request = UndoRequest { deployment, action: None };
            begin(state, at, PlanRequest::Undo(request), effects);
        }
        Err(why) => state.refuse(why),
    }
}

pub(super) fn begin(state: &mut State, at: Timestamp, request: PlanRequest, effects: &mut Vec<Effect>) {
    let ticket = state.ticket();
    effects.push(Effect::Plan { ticket, request: request.clone() });
    state.layers.push(Layer::Plan(Box::new(PlanView::new(ticket, request, at))));
}

/// Does something to the plan of this ticket, if it is still on the screen.
fn with_ticket(state: &mut State, ticket: Ticket, act: impl FnOnce(&mut PlanView)) {
    let views = state.layers.iter_mut().filter_map(|layer| match layer {
        Layer::Plan(view) if view.ticket == ticket => Some(view),
        _ => None,
    });
    if let Some(view) = views.last() {
        act(view);
    }
}

fn with_plan<T>(state: &mut State, act: impl FnOnce(&mut PlanView) -> T) -> Option<T> {
    match state.layers.last_mut() {
        Some(Layer::Plan(view)) => Some(act(view)),
        _ => None,
    }
}

pub(super) fn ready(state: &mut State, at: Timestamp, ticket: Ticket, plan: Plan, moved: Option<String>) {
    state.now = state.now.max(at);
    // A prompt for the name belongs to the plan that it was opened for.
    state.layers.retain(|layer| !matches!(layer, Layer::Confirm(confirm) if confirm.ticket == ticket));
    with_ticket(state, ticket, |view| view.show(plan, at, moved));
    keep_in_sight(state);
}

pub(super) fn failed(state: &mut State, at: Timestamp, ticket: Ticket, notice: Notice) {
    state.now = state.now.max(at);
    state.note(at, notice.clone());
    state.layers.retain(|layer| !matches!(layer, Layer::Confirm(confirm) if confirm.ticket == ticket));
    with_ticket(state, ticket, |view| {
        view.phase = Phase::Failed(notice);
        view.plan = None;
        view.shown_at = Some(at);
    });
}

/// Takes in what became of a step. A cursor on it goes on to the one that is written next.
pub(super) fn step_done(state: &mut State, ticket: Ticket, step: usize, outcome: StepOutcome) {
    let now = state.now;
    if let Some(notice) = outcome.notice() {
        state.note(now, notice.clone());
    }
    let mut done = None;
    with_ticket(state, ticket, |view| {
        let cluster = view.deployment.cluster.clone();
        let Some(of) = view.plan.as_mut().and_then(|plan| plan.steps.get_mut(step)) else { return };
        done = Some((of.resource.clone(), cluster, outcome.clone()));
        of.outcome = outcome;
        if let Some(next) = view.writing().filter(|_| view.step == step) {
            view.step = next;
        }
    });
    if let Some((resource, cluster, outcome)) = done {
        log::step(state, now, &resource, &cluster, &outcome);
    }
    keep_in_sight(state);
}

pub(super) fn done(state: &mut State, at: Timestamp, ticket: Ticket, verdict: Option<Verdict>) {
    state.now = state.now.max(at);
    let mut of = None;
    with_ticket(state, ticket, |view| {
        view.phase = Phase::Done { at, verdict };
        of = Some((view.deployment.clone(), matches!(view.request, PlanRequest::Hold(_))));
    });
    if let Some((of, of_hold)) = of {
        if of_hold {
            hold::forget(state, &of);
        }
        let to = state.world.called(&of.cluster).to_owned();
        state.log(at, format!("the plan of {} for {to} was carried out", of.app.name));
    }
    state.ticks.clear();
    state.outdated = true;
}

pub(super) fn command(state: &mut State, at: Timestamp, command: Command, effects: &mut Vec<Effect>) {
    let page = isize::try_from(plan_rows(state) / 2).unwrap_or(1).max(1);
    match command {
        Command::Down => step(state, 1),
        Command::Up => step(state, -1),
        Command::PageDown => scroll(state, page),
        Command::PageUp => scroll(state, -page),
        Command::First => step(state, isize::MIN / 2),
        Command::Last => step(state, isize::MAX / 2),
        Command::TickStep => {
            if let Some(Err(why)) = with_plan(state, PlanView::tick) {
                state.refuse(why.to_string());
            }
        }
        Command::Unfold => {
            with_plan(state, |view| {
                let at = view.step;
                if !view.unfolded.remove(&at) {
                    view.unfolded.insert(at);
                }
            });
            keep_in_sight(state);
        }
        Command::StepDiff => step_diff(state, effects),
        Command::CopyPlan => {
            if let Some(Layer::Plan(view)) = state.layers.last()
                && let Some(plan) = &view.plan
            {
                let text = copy::plan_markdown(plan);
                effects.push(Effect::Copy { what: "plan".to_owned(), text });
            }
        }
        Command::Replan => plan_again(state, at, effects),
        Command::Uncommitted => {
            with_plan(state, |view| {
                if let PlanRequest::Sync(request) = &mut view.request {
                    request.dirty = !request.dirty;
                }
            });
            plan_again(state, at, effects);
        }
        Command::Apply => apply(state, at, effects),
        _ => {}
    }
}

/// Asks whose an object is that several managers apply equally much of; without an answer nothing is planned.
pub(super) fn tied(
    state: &mut State,
    at: Timestamp,
    ticket: Ticket,
    resource: &ResourceId,
    managers: Vec<String>,
) {
    let who = managers.join(" and ");
    let notice = Notice::warning(format!("{resource}: {who} apply equally many of its fields"))
        .hint("plan again and choose as whom it is written");
    failed(state, at, ticket, notice);
    let item = |manager: String| Item {
        about: format!("writes {resource} as this manager"),
        name: manager.clone(),
        pick: Pick::Manager { resource: resource.clone(), manager },
        refused: None,
    };
    ask(state, ticket, managers.into_iter().map(item).collect());
}

/// Asks which sync is to be undone; without an answer nothing is planned.
pub(super) fn several_open(state: &mut State, at: Timestamp, ticket: Ticket, syncs: Vec<OpenSync>) {
    let notice = Notice::info(format!("{} are not undone", words::count(syncs.len(), "sync")))
        .hint("plan again and choose which of them is to be");
    failed(state, at, ticket, notice);
    let (now, zone) = (state.now, state.options.zone.clone());
    let item = |sync: OpenSync| {
        let by = sync.user.map(|user| format!("by {user}, ")).unwrap_or_default();
        Item {
            name: format!("sync {}", words::when(sync.time, now, &zone)),
            about: format!("{by}{}: {}", words::count(sync.objects.len(), "object"), sync.objects.join(", ")),
            pick: Pick::Undo(sync.id),
            refused: None,
        }
    };
    ask(state, ticket, syncs.into_iter().map(item).collect());
}

/// Lets the person choose, if the plan that the choice is for is what they look at.
fn ask(state: &mut State, ticket: Ticket, items: Vec<Item>) {
    if matches!(state.layers.last(), Some(Layer::Plan(view)) if view.ticket == ticket) {
        state.layers.push(Layer::Palette(Picker::new(items)));
    }
}

/// Plans the undo of the sync that was picked.
pub(super) fn chosen_sync(state: &mut State, id: String, effects: &mut Vec<Effect>) {
    let at = state.now;
    with_plan(state, |view| {
        if let PlanRequest::Undo(request) = &mut view.request {
            request.action = Some(id);
        }
    });
    plan_again(state, at, effects);
}

/// Plans again, with this object written as the manager that was picked for it.
pub(super) fn chosen(state: &mut State, resource: ResourceId, manager: String, effects: &mut Vec<Effect>) {
    let at = state.now;
    with_plan(state, |view| {
        if let PlanRequest::Sync(request) = &mut view.request {
            request.deployers.retain(|(of, _)| *of != resource);
            request.deployers.push((resource, manager));
        }
    });
    plan_again(state, at, effects);
}

fn plan_again(state: &mut State, at: Timestamp, effects: &mut Vec<Effect>) {
    let ticket = state.ticket();
    let Some((given_up, request)) = with_plan(state, |view| {
        let given_up = view.phase.is_running().then_some(view.ticket);
        *view = view.again(ticket, at);
        (given_up, view.request.clone())
    }) else {
        return;
    };
    effects.extend(given_up.map(|ticket| Effect::Cancel { ticket }));
    effects.push(Effect::Plan { ticket, request });
}

/// Carries out the plan on the screen. What it asks for is typed first, one name after the other; that alone applies
/// nothing.
fn apply(state: &mut State, at: Timestamp, effects: &mut Vec<Effect>) {
    let Some(Layer::Plan(view)) = state.layers.last() else { return };
    let Some(plan) = &view.plan else { return };
    if let Some(ask) = confirm::unanswered(plan, &view.confirmed).into_iter().next() {
        let confirm = Confirm { ticket: view.ticket, ask, typed: String::new() };
        state.layers.push(Layer::Confirm(confirm));
        return;
    }
    let effect = Effect::ApplyPlan {
        ticket: view.ticket,
        plan: Box::new(plan.clone()),
        confirmed: view.confirmed.clone(),
    };
    effects.push(effect);
    with_plan(state, |view| {
        view.phase = Phase::Applying { since: at, cancelled: false };
        view.moved = None;
    });
}

/// Takes in a name that was typed, and asks for the next one. Nothing is written yet.
pub(super) fn confirmed(state: &mut State, prompt: &Confirm) {
    if !prompt.is_answered() {
        return state.refuse(format!("that is not {}: nothing was written", prompt.ask.words.join(" or ")));
    }
    let mut next = None;
    with_ticket(state, prompt.ticket, |view| {
        view.confirmed.push(prompt.typed.clone());
        next =
            view.plan.as_ref().and_then(|plan| confirm::unanswered(plan, &view.confirmed).into_iter().next());
    });
    if let Some(ask) = next {
        state.layers.push(Layer::Confirm(Confirm { ticket: prompt.ticket, ask, typed: String::new() }));
        return;
    }
    let key = state.options.keymap.key(Command::Apply).map(|k| k.to_string()).unwrap_or_default();
    state.say(format!("{} confirmed: {key} applies the plan, esc leaves it", prompt.typed));
}

/// Stops what runs under the topmost plan, of objects or of a commit. Returns whether something did.
pub(super) fn cancel(state: &mut State, effects: &mut Vec<Effect>) -> bool {
    let plans = state.layers.iter_mut().rev().filter_map(Layer::phase_mut);
    let Some((ticket, phase)) = { plans }.find(|(_, phase)| phase.is_running()) else { return false };
    effects.push(Effect::Cancel { ticket });
    if let Phase::Applying { cancelled, .. } = phase {
        *cancelled = true;
        state.say("stops before the next step");
    } else {
        state.layers.retain(|layer| layer.phase().is_none_or(|(of, _)| of != ticket));
        state.say("planning cancelled");
    }
    true
}

fn step_diff(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(Layer::Plan(view)) = state.layers.last() else { return };
    let Some(step) = view.plan.as_ref().and_then(|plan| plan.steps.get(view.step)) else { return };
    let mut diff =
        crate::deck::view::ResourceView::new(view.deployment.clone(), vec![step.resource.clone()], 0);
    diff.mode = crate::deck::view::Mode::Unified;
    state.layers.push(Layer::Resource(Box::new(diff)));
    super::view::refresh(state, effects);
}

fn step(state: &mut State, by: isize) {
    with_plan(state, |view| {
        let last = view.plan.as_ref().map_or(0, |plan| plan.steps.len()).saturating_sub(1);
        view.step = view.step.saturating_add_signed(by).min(last);
    });
    keep_in_sight(state);
}

/// Moves the text; the cursor follows to the nearest step that is seen.
fn scroll(state: &mut State, by: isize) {
    let height = plan_rows(state);
    let lines = lines_of(state);
    with_plan(state, |view| {
        view.top = view.top.saturating_add_signed(by).min(lines.len().saturating_sub(height));
        let seen = view.top..view.top + height;
        let of_step = |line: &Option<usize>| *line;
        let steps: Vec<usize> = lines
            .get(seen.start.min(lines.len())..seen.end.min(lines.len()))
            .unwrap_or(&[])
            .iter()
            .filter_map(of_step)
            .collect();
        if !steps.contains(&view.step)
            && let Some(step) = if by > 0 { steps.first() } else { steps.last() }
        {
            view.step = *step;
        }
    });
}

/// Returns for each line of the plan's text the step that it is about.
fn lines_of(state: &State) -> Vec<Option<usize>> {
    match state.layers.last() {
        Some(Layer::Plan(view)) => crate::deck::plan_lines::lines(state, view)
            .iter()
            .map(crate::deck::plan_lines::PlanLine::step)
            .collect(),
        _ => Vec::new(),
    }
}

fn keep_in_sight(state: &mut State) {
    let height = plan_rows(state);
    let lines = lines_of(state);
    with_plan(state, |view| {
        let own = |line: &Option<usize>| *line == Some(view.step);
        let first = lines.iter().position(own).unwrap_or(0);
        let last = lines.iter().rposition(own).unwrap_or(first);
        // The first step takes what stands above it into sight.
        let first = if view.step == 0 { 0 } else { first };
        let lowest = (last + 1).saturating_sub(height).min(first);
        view.top = view.top.clamp(lowest, first).min(lines.len().saturating_sub(height));
    });
}
