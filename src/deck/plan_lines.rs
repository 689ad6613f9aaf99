//! Defines the lines of the plan screen, in order: what it writes step by step, what it will not do, what follows.

use super::plan_view::{Phase, PlanView};
use super::state::State;
use super::words;
use crate::model::{StepAction, StepOutcome};

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanLine {
    /// Why this plan is another one than a moment ago.
    Moved(String),
    /// Heads the steps.
    Writes,
    Step(usize),
    Change {
        step: usize,
        change: usize,
    },
    /// Changes that are not shown until the step is unfolded.
    More {
        step: usize,
        hidden: usize,
    },
    /// What else must be known about a step.
    About {
        step: usize,
        text: String,
    },
    Outcome {
        step: usize,
        text: String,
        bad: bool,
    },
    Nothing,
    WillNot(String),
    Remark(String),
    Shell(String),
    Phase(String),
    Space,
}

/// Changes of a step that are shown before it is unfolded.
const FOLDED: usize = 3;

impl PlanLine {
    /// Returns the step that the line is about.
    pub fn step(&self) -> Option<usize> {
        match self {
            PlanLine::Step(step)
            | PlanLine::Change { step, .. }
            | PlanLine::More { step, .. }
            | PlanLine::About { step, .. }
            | PlanLine::Outcome { step, .. } => Some(*step),
            _ => None,
        }
    }
}

/// Returns the lines of a plan as far as it is known.
pub fn lines(state: &State, view: &PlanView) -> Vec<PlanLine> {
    let mut lines = Vec::new();
    match &view.phase {
        Phase::Planning { .. } => {
            lines.push(PlanLine::Phase(
                "computing the plan, with dry runs where the cluster allows them".to_owned(),
            ));
        }
        Phase::Failed(notice) => {
            lines.push(PlanLine::Phase(format!("no plan: {}", notice.title)));
            for more in [&notice.cause, &notice.hint].into_iter().flatten() {
                lines.push(PlanLine::Remark(more.clone()));
            }
        }
        _ => {}
    }
    lines.extend(
        view.moved
            .iter()
            .map(|why| PlanLine::Moved(format!("nothing was written: {why}; this is the new plan"))),
    );
    let Some(plan) = &view.plan else { return lines };
    if plan.steps.is_empty() {
        lines.push(PlanLine::Nothing);
    } else {
        lines.push(PlanLine::Writes);
    }
    for at in 0..plan.steps.len() {
        push_step(state, view, at, &mut lines);
    }
    lines.push(PlanLine::Space);
    lines.extend(plan.will_not.iter().cloned().map(PlanLine::WillNot));
    lines.extend(plan.remarks.iter().cloned().map(PlanLine::Remark));
    lines.push(PlanLine::Shell(plan.headless.clone()));
    push_phase(state, view, &mut lines);
    lines
}

fn push_step(state: &State, view: &PlanView, at: usize, lines: &mut Vec<PlanLine>) {
    let Some(step) = view.plan.as_ref().and_then(|plan| plan.steps.get(at)) else { return };
    lines.push(PlanLine::Step(at));
    let unfolded = view.unfolded.contains(&at);
    // Everything of a new object comes from Git: its fields are listed only when asked for.
    let shown = match (unfolded, step.action) {
        (true, _) => step.changes.len(),
        (false, StepAction::Create | StepAction::Delete) => 0,
        (false, _) => step.changes.len().min(FOLDED),
    };
    lines.extend((0..shown).map(|change| PlanLine::Change { step: at, change }));
    if shown < step.changes.len() {
        lines.push(PlanLine::More { step: at, hidden: step.changes.len() - shown });
    }
    if unfolded {
        for writer in &step.takes_over_from {
            let from = words::manager(writer, state.now, &state.options.zone);
            lines.push(PlanLine::About { step: at, text: format!("takes over from {from}") });
        }
        lines.push(PlanLine::About { step: at, text: format!("writes as {}", step.manager) });
    }
    lines.extend(step.note.iter().map(|note| PlanLine::About { step: at, text: note.clone() }));
    if let Some(notice) = step.outcome.notice() {
        let mut text = notice.title.clone();
        for more in [&notice.cause, &notice.hint].into_iter().flatten() {
            text.push_str(". ");
            text.push_str(more);
        }
        lines.push(PlanLine::Outcome { step: at, text, bad: true });
    }
    if let StepOutcome::Skipped(why) = &step.outcome {
        lines.push(PlanLine::Outcome { step: at, text: why.clone(), bad: false });
    }
}

fn push_phase(state: &State, view: &PlanView, lines: &mut Vec<PlanLine>) {
    let (ended, good) = view.outcomes();
    let ticked = view.ticked();
    match &view.phase {
        Phase::Applying { cancelled: true, .. } => {
            lines.push(PlanLine::Phase(format!("stopping: {ended} of {ticked} written so far")));
        }
        Phase::Applying { .. } => lines.push(PlanLine::Phase(format!("writing: {ended} of {ticked}"))),
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
            lines.push(PlanLine::Phase(format!("done at {at}: {good} of {ticked} as planned{verdict}")));
        }
        _ => {}
    }
}
