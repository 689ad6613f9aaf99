//! Defines the lines of the plan screen, in order: what it writes step by step, what it will not do, what follows.

use super::effect::PlanRequest;
use super::plan_view::{Phase, PlanView};
use super::state::State;
use super::wrap::{Words, wrap};
use super::{cut, possible, words};
use crate::config::theme::Role;
use crate::model::command::Command;
use crate::model::{Class, FieldChange, Plan, Step, StepAction, StepOutcome};

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanLine {
    Step(usize),
    Change {
        step: usize,
        change: usize,
    },
    /// Words, about a step or about the whole plan.
    Text {
        step: Option<usize>,
        words: Words,
    },
}

/// Changes of a step that are shown before it is unfolded.
const FOLDED: usize = 3;

impl PlanLine {
    /// Returns the step that the line is about.
    pub fn step(&self) -> Option<usize> {
        match self {
            PlanLine::Step(step) | PlanLine::Change { step, .. } => Some(*step),
            PlanLine::Text { step, .. } => *step,
        }
    }
}

/// The lines so far, with what wrapping them needs.
struct Lines {
    lines: Vec<PlanLine>,
    cells: usize,
    ascii: bool,
}

impl Lines {
    fn push_words(&mut self, step: Option<usize>, words: &Words) {
        let wrapped = wrap(words, self.cells, self.ascii);
        self.lines.extend(wrapped.into_iter().map(|words| PlanLine::Text { step, words }));
    }

    /// A sentence about the whole plan.
    fn push(&mut self, text: impl Into<String>, role: Role) {
        self.push_words(None, &vec![(format!(" {}", text.into()), role)]);
    }

    /// A sentence about the whole plan, behind what kind of sentence it is.
    fn push_labelled(&mut self, label: (&str, Role), text: &str) {
        let label = (format!(" {} ", label.0), label.1);
        self.push_words(None, &vec![label, (text.to_owned(), Role::Text)]);
    }

    /// What else must be known about a step.
    fn push_about(&mut self, step: usize, text: &str, role: Role) {
        self.push_words(Some(step), &vec![(format!("        {text}"), role)]);
    }
}

/// Returns the lines of a plan as far as it is known, each as wide as the screen.
pub fn lines(state: &State, view: &PlanView) -> Vec<PlanLine> {
    let cells = usize::from(state.layout().body.width).saturating_sub(1);
    let mut lines = Lines { lines: Vec::new(), cells, ascii: state.options.ascii };
    match &view.phase {
        Phase::Planning { .. } => {
            let what = match &view.request {
                PlanRequest::Sync(_) => "computing the plan from live to desired",
                PlanRequest::Undo(_) => "computing what undoes it live, whatever is desired",
                PlanRequest::Hold(_) => {
                    "computing what its engine's object is to be live, whatever is desired"
                }
            };
            lines.push(format!("{what}, with dry runs where the cluster allows them"), Role::Text);
        }
        Phase::Failed(notice) => {
            lines.push(format!("no plan: {}", notice.title), Role::Error);
            for more in [&notice.cause, &notice.hint].into_iter().flatten() {
                lines.push(more, Role::Text);
            }
        }
        _ => {}
    }
    if let Some(why) = &view.moved {
        lines.push(format!("nothing was written: {why}; this is the new plan"), Role::Warning);
    }
    for lost in &view.lost {
        lines.push(lost, Role::Warning);
    }
    let Some(plan) = &view.plan else { return lines.lines };
    push_head(view, plan, &mut lines);
    for at in 0..plan.steps.len() {
        push_step(state, view, at, &mut lines);
    }
    lines.push_words(None, &Vec::new());
    let ticked = || plan.steps.iter().filter(|step| step.ticked);
    for sentence in plan.will_not.iter().filter(|sentence| !ticked().any(|step| is_done_by(step, sentence))) {
        lines.push_labelled(("will not:", Role::Warning), sentence);
    }
    if matches!(view.request, PlanRequest::Sync(_)) {
        push_remarks(plan, &mut lines);
    }
    let contended = |step: &Step| step.changes.iter().any(|change| change.class == Class::Contended);
    let shell = if ticked().any(contended) {
        "none: what a controller contends for is only ticked here"
    } else {
        &plan.headless
    };
    lines.push_labelled(("the same from a shell:", Role::Dim), shell);
    push_phase(state, view, &mut lines);
    lines.lines
}

/// Says what is written, and for what.
fn push_head(view: &PlanView, plan: &Plan, lines: &mut Lines) {
    let (context, manager) = (&plan.context, &plan.manager);
    let said = match (&view.request, plan.steps.is_empty()) {
        (PlanRequest::Sync(_), true) => {
            "nothing to write: live is already as desired, as far as sync may go".to_owned()
        }
        (PlanRequest::Sync(_), false) => {
            format!("driftdeck will write what is desired to live {context}, as {manager}")
        }
        (PlanRequest::Hold(_), true) => "nothing to write: live is so already, or cannot be".to_owned(),
        (PlanRequest::Hold(_), false) => format!(
            "driftdeck will write its engine's own object, live {context}, as {manager}; what is desired stays as it is"
        ),
        (PlanRequest::Undo(_), true) => {
            "nothing to write: live is as it was before, as far as that can be undone".to_owned()
        }
        (PlanRequest::Undo(_), false) => format!(
            "driftdeck will write to live {context} what was there before, as {manager}; what is desired stays as it is"
        ),
    };
    lines.push(said, Role::Text);
    // Which action it is and what follows from undoing it is known before what is written is read.
    if !matches!(view.request, PlanRequest::Sync(_)) {
        push_remarks(plan, lines);
    }
}

fn push_remarks(plan: &Plan, lines: &mut Lines) {
    for sentence in &plan.remarks {
        lines.push(sentence, Role::Text);
    }
}

/// Returns whether a step that was ticked does what the plan said that it would not.
fn is_done_by(step: &Step, sentence: &str) -> bool {
    let contended = |change: &FieldChange| {
        change.class == Class::Contended
            && sentence.starts_with(&format!("write {} of {}: contended", change.path, step.resource))
    };
    step.changes.iter().any(contended)
        || (step.action == StepAction::Delete && sentence.starts_with(&format!("delete {}:", step.resource)))
}

/// Returns who a step takes fields over from, in words; empty where nobody is taken from.
pub fn takes_over(step: &Step) -> String {
    if step.takes_over_from.is_empty() {
        return String::new();
    }
    let managers: Vec<&str> = step.takes_over_from.iter().map(|writer| writer.manager.as_str()).collect();
    format!("takes over from {}", managers.join(", "))
}

/// Returns whether a step's line has room for whom it takes over from, beside its name and its outcome.
pub fn says_takes_over(state: &State, step: &Step) -> bool {
    // A tick, the action, gaps, and the longest outcome.
    const REST: usize = 14 + 4 + 16;
    let name = cut::width(&step.resource.kind.kind) + cut::width(&words::name(&step.resource)) + 1;
    name + cut::width(&takes_over(step)) + REST <= usize::from(state.size.width)
}

fn push_step(state: &State, view: &PlanView, at: usize, lines: &mut Lines) {
    let Some(step) = view.plan.as_ref().and_then(|plan| plan.steps.get(at)) else { return };
    lines.lines.push(PlanLine::Step(at));
    let unfolded = view.unfolded.contains(&at);
    if !unfolded && !says_takes_over(state, step) && !step.takes_over_from.is_empty() {
        lines.push_about(at, &takes_over(step), Role::Warning);
    }
    // Everything of a new object comes from Git: its fields are listed only when asked for.
    let shown = match (unfolded, step.action) {
        (true, _) | (false, StepAction::Engine) => step.changes.len(),
        (false, StepAction::Create | StepAction::Delete) => 0,
        (false, _) => step.changes.len().min(FOLDED),
    };
    lines.lines.extend((0..shown).map(|change| PlanLine::Change { step: at, change }));
    if shown < step.changes.len() {
        let more = words::count(step.changes.len() - shown, "field");
        let key = possible::key(state, Command::Unfold);
        lines.push_about(at, &format!("{more} more, {key} unfolds"), Role::Dim);
    }
    if unfolded {
        for writer in &step.takes_over_from {
            let from = words::manager(writer, state.now, &state.options.zone);
            lines.push_about(at, &format!("takes over from {from}"), Role::Warning);
        }
        lines.push_about(at, &format!("writes as {}", step.manager), Role::Dim);
    }
    if let Some(note) = &step.note {
        lines.push_about(at, note, Role::Dim);
    }
    if let Some(notice) = step.outcome.notice() {
        let mut text = notice.title.clone();
        for more in [&notice.cause, &notice.hint].into_iter().flatten() {
            text.push_str(". ");
            text.push_str(more);
        }
        lines.push_about(at, &text, Role::Error);
    }
    if let StepOutcome::Skipped(why) = &step.outcome {
        lines.push_about(at, why, Role::Dim);
    }
}

fn push_phase(state: &State, view: &PlanView, lines: &mut Lines) {
    let (ended, good) = view.outcomes();
    let ticked = view.ticked();
    match &view.phase {
        Phase::Applying { cancelled: true, .. } => {
            lines.push(format!("stopping: {ended} of {ticked} written so far"), Role::Text);
        }
        Phase::Applying { .. } => lines.push(format!("writing: {ended} of {ticked}"), Role::Text),
        Phase::Done { at, verdict } => {
            let known = state.world.deployments.get(&view.deployment).map(|d| &d.verdict);
            let verdict = match verdict.as_ref().or(known) {
                Some(verdict) => {
                    let context = state.world.context(&view.deployment.cluster);
                    format!("; {} on {context} is now {}", view.deployment.app.name, verdict.word())
                }
                None => String::new(),
            };
            let at = words::clock(*at, &state.options.zone);
            let role = if good == ticked { Role::Good } else { Role::Warning };
            // Without it, a verdict of drift reads as if the sync had failed.
            let left = match view.plan.as_ref().map_or(0, |plan| plan.steps.len()) - ticked {
                0 => String::new(),
                1 => "; 1 step was not ticked and left alone".to_owned(),
                n => format!("; {n} steps were not ticked and left alone"),
            };
            lines.push(format!("done at {at}: {good} of {ticked} as planned{left}{verdict}"), role);
        }
        _ => {}
    }
}
