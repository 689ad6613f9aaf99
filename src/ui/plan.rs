//! Draws a plan: what it writes step by step, what it will not do, what follows, and how to get out.

use super::cursor_row;
use super::frame::spinner;
use super::header::guard;
use super::pen::{Cut, Pen, after, first};
use crate::config::theme::Role;
use crate::deck::commit_view::{self, CommitView};
use crate::deck::plan_lines::{PlanLine, lines, says_takes_over, takes_over};
use crate::deck::plan_view::{Phase, PlanView};
use crate::deck::reading;
use crate::deck::{HoldRequest, Layer, PlanRequest, Rect, State, marks, words};
use crate::model::{Plan, Step, StepAction, StepOutcome};

pub(super) fn draw(pen: &mut Pen, state: &State, view: &PlanView, at: Rect) {
    pen.clear(at);
    title(pen, state, view, at.row(0));
    let body = at.below(1);
    let focused = matches!(state.layers.last(), Some(Layer::Plan(_)));
    let mut marked = false;
    let all = lines(state, view);
    for (i, line) in all.iter().enumerate().skip(view.top).take(body.height.into()) {
        let place = body.row(u16::try_from(i - view.top).unwrap_or(u16::MAX));
        draw_line(pen, state, view, place, line);
        if !marked && *line == PlanLine::Step(view.step) {
            cursor_row(pen, place, focused);
            let cursor = pen.glyphs.cursor;
            pen.put(first(after(place, 1), 1), cursor, Role::Accent);
            marked = true;
        }
    }
}

/// Draws what the plan is: `Sync web to prod-eu   PROTECTED   plan of 02:44`.
fn title(pen: &mut Pen, state: &State, view: &PlanView, at: Rect) {
    let at = Rect { x: at.x + 1, width: at.width.saturating_sub(2), ..at };
    let zone = &state.options.zone;
    let (right, role) = match (&view.phase, view.shown_at) {
        (Phase::Planning { .. }, _) => (format!("{} planning", spinner(pen, state)), Role::Dim),
        (Phase::Failed(_), _) => ("no plan".to_owned(), Role::Error),
        (Phase::Applying { .. }, _) => (format!("{} writing to live", spinner(pen, state)), Role::Live),
        (Phase::Done { at, .. }, _) => (format!("done at {}", words::clock(*at, zone)), Role::Text),
        (Phase::Ready, Some(shown)) => (
            format!("plan of {}, {} of {} ticked", words::clock(shown, zone), view.ticked(), steps(view)),
            Role::Dim,
        ),
        (Phase::Ready, None) => (String::new(), Role::Dim),
    };
    let guard = state.world.cluster(&view.deployment.cluster).and_then(|c| guard(state, c));
    let guard = guard.map(|word| format!(" {word} ")).unwrap_or_default();
    let context = state.world.context(&view.deployment.cluster);
    let app = &view.deployment.app.name;
    let (what, from) = match &view.request {
        PlanRequest::Sync(request) => {
            let what = match request.only.as_slice() {
                [] => app.clone(),
                [one] => format!("{} {} of {app}", one.kind.kind, words::name(one)),
                more => format!("{} of {app}", words::count(more.len(), "ticked resource")),
            };
            let from = view.plan.as_ref().map(|plan| format!(" from {}", from(state, plan)));
            (format!("Sync {what} to {context}"), from.unwrap_or_default())
        }
        PlanRequest::Undo(request) => {
            let action = request.action.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
            (format!("Undo a sync of {app} on {context}"), action)
        }
        PlanRequest::Hold(HoldRequest { pause: Some(_), .. }) => {
            (format!("Hold the engine of {app} on {context}"), String::new())
        }
        PlanRequest::Hold(_) => (format!("Resume the engine of {app} on {context}"), String::new()),
    };
    // What it is and the guard go before when it was made, and that before from where.
    let wanted = pen.width(&what) + pen.width(&guard) + 2;
    let mut room = at;
    if wanted + pen.width(&right) + 2 <= at.width {
        let used = pen.put_right(room, &right, role, Cut::End) + 2;
        room.width = room.width.saturating_sub(used);
    }
    if !guard.is_empty() {
        let used = pen.put_right(room, &guard, Role::Guard, Cut::End) + 2;
        room.width = room.width.saturating_sub(used);
    }
    let used = pen.put_cut(room, &what, Role::Title, Cut::Middle);
    let rest = after(room, used);
    if rest.width >= pen.width(&from).min(24) {
        pen.put(rest, &from, Role::Dim);
    }
}

/// Draws the plan of a commit.
pub(super) fn commit(pen: &mut Pen, state: &State, layer: &Layer, view: &CommitView, at: Rect) {
    pen.clear(at);
    let zone = &state.options.zone;
    let (right, role) = match (&view.phase, view.shown_at) {
        (Phase::Planning { .. }, _) => (format!("{} planning", spinner(pen, state)), Role::Dim),
        (Phase::Failed(_), _) => ("no plan".to_owned(), Role::Error),
        (Phase::Applying { .. }, _) => (format!("{} committing", spinner(pen, state)), Role::Desired),
        (Phase::Done { at, .. }, _) => (format!("done at {}", words::clock(*at, zone)), Role::Text),
        (Phase::Ready, Some(shown)) => (format!("plan of {}", words::clock(shown, zone)), Role::Dim),
        (Phase::Ready, None) => (String::new(), Role::Dim),
    };
    let head = Rect { x: at.x + 1, width: at.width.saturating_sub(2), ..at.row(0) };
    let used = pen.put_right(head, &right, role, Cut::End) + 2;
    let room = first(head, head.width.saturating_sub(used));
    let context = view.plan.as_ref().and_then(|plan| plan.context()).unwrap_or_default();
    let on = if context.is_empty() { String::new() } else { format!(", held against live {context}") };
    let used = pen.put_cut(room, &commit_view::title(view), Role::Title, Cut::Middle);
    let rest = after(room, used);
    if rest.width >= pen.width(&on) {
        pen.put(rest, &on, Role::Dim);
    }
    super::overlays::lines(pen, at.below(1), &reading::lines(state, layer), view.scroll.top);
}

fn steps(view: &PlanView) -> usize {
    view.plan.as_ref().map_or(0, |plan| plan.steps.len())
}

fn from(state: &State, plan: &Plan) -> String {
    let repo = state.world.repo(&plan.app.repo).map(|repo| format!("{} ", repo.name)).unwrap_or_default();
    let distance = plan.revision.distance().map(|d| format!(", {d}")).unwrap_or_default();
    format!("desired {repo}{}{distance}", plan.revision.marked())
}

fn draw_line(pen: &mut Pen, state: &State, view: &PlanView, at: Rect, line: &PlanLine) {
    match line {
        PlanLine::Step(step) => draw_step(pen, state, view, at, *step),
        PlanLine::Change { step, change } => {
            let step = view.plan.as_ref().and_then(|plan| plan.steps.get(*step));
            let Some(change) = step.and_then(|step| step.changes.get(*change)) else { return };
            let at = after(at, 6);
            let role = if change.counts { Role::Drift } else { Role::Dim };
            pen.put(first(at, 1), marks::class(change.class), role);
            let at = after(at, 2);
            let at = Rect { width: at.width.saturating_sub(1), ..at };
            let path = change.path.to_string();
            let path_width = pen.width(&path).min(at.width * 45 / 100);
            pen.put_cut(first(at, path_width), &path, Role::Text, Cut::Field);
            written(pen, after(at, path_width + 2), change, &view.request);
        }
        PlanLine::Text { words, .. } => {
            pen.put_all(at, words.iter().map(|(text, role)| (text.as_str(), *role)));
        }
    }
}

/// A write goes from live to what will be: the arrow points the way of the write, each side keeps its hue. Only a sync
/// writes what Git desires.
fn written(pen: &mut Pen, at: Rect, change: &crate::model::FieldChange, request: &PlanRequest) {
    let (becomes, hue) = match request {
        PlanRequest::Sync(_) => (": becomes as desired", Role::Desired),
        PlanRequest::Undo(_) => (": becomes as it was", Role::Text),
        PlanRequest::Hold(_) => (": is written", Role::Text),
    };
    if let Some(lines) = words::lines_differ(change) {
        pen.put_all(at, [(lines.as_str(), Role::Text), (becomes, Role::Dim)]);
        return;
    }
    let (desired, live) = words::sides(change);
    let arrow = format!(" {} ", pen.glyphs.arrow);
    let room = at.width.saturating_sub(pen.width(&arrow));
    let half = (room / 2).max(room.saturating_sub(pen.width(&desired)));
    let used = pen.put_cut(first(at, half), &live, Role::Live, Cut::Middle);
    let used = used + pen.put(after(at, used), &arrow, Role::Dim);
    let desired = if change.desired.is_none() { "removed".to_owned() } else { desired };
    pen.put_cut(after(at, used), &desired, hue, Cut::Middle);
}

fn draw_step(pen: &mut Pen, state: &State, view: &PlanView, at: Rect, index: usize) {
    let Some(step) = view.plan.as_ref().and_then(|plan| plan.steps.get(index)) else { return };
    let at = after(at, 2);
    let tick = if step.ticked { "[x] " } else { "[ ] " };
    let mut used = pen.put(at, tick, if step.ticked { Role::Accent } else { Role::Dim });
    let action_role = if step.action == StepAction::Delete { Role::Error } else { Role::Text };
    let role = if step.ticked { Role::Text } else { Role::Dim };
    used += pen.put(
        after(at, used),
        &format!("{:<7}", step.action.word()),
        if step.ticked { action_role } else { Role::Dim },
    );
    let right = Rect { width: at.width.saturating_sub(1), ..at };
    let (text, outcome_role) = outcome(pen, state, view, step, index);
    let outcome_width = pen.put_right(right, &text, outcome_role, Cut::End) + 2;
    let room = after(Rect { width: right.width.saturating_sub(outcome_width), ..right }, used);
    let name = format!("{} {}", step.resource.kind.kind, words::name(&step.resource));
    let used = pen.put_cut(room, &name, role, Cut::Middle);
    if says_takes_over(state, step) && !step.takes_over_from.is_empty() {
        pen.put(after(room, used), &format!("  {}", takes_over(step)), Role::Warning);
    }
}

fn outcome(pen: &Pen, state: &State, view: &PlanView, step: &Step, index: usize) -> (String, Role) {
    if view.writing() == Some(index) {
        return (format!("{} writing", spinner(pen, state)), Role::Live);
    }
    let applying = matches!(view.phase, Phase::Applying { .. } | Phase::Done { .. });
    match &step.outcome {
        StepOutcome::Planned if !step.ticked => ("left alone".to_owned(), Role::Dim),
        StepOutcome::Planned if applying => ("waits".to_owned(), Role::Dim),
        StepOutcome::Planned => (String::new(), Role::Dim),
        StepOutcome::Applied => (format!("{} applied", ok(state)), Role::Good),
        StepOutcome::Unchanged => (format!("{} unchanged", ok(state)), Role::Dim),
        StepOutcome::Refused(_) => ("! refused".to_owned(), Role::Warning),
        StepOutcome::Failed(_) => ("! failed".to_owned(), Role::Error),
        StepOutcome::Indeterminate(_) => ("? indeterminate".to_owned(), Role::Warning),
        StepOutcome::Skipped(_) => ("skipped".to_owned(), Role::Dim),
        StepOutcome::Cancelled => ("cancelled".to_owned(), Role::Warning),
    }
}

fn ok(state: &State) -> &'static str {
    marks::verdict_word("in-sync", &state.options).trim_end()
}
