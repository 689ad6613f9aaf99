//! Defines the plan screen's state: a plan on its way, ready, being carried out, or done.

use super::effect::{PlanRequest, Ticket};
use super::words;
use crate::model::plan::CannotTick;
use crate::model::{
    DeploymentId, Notice, Plan, ResourceId, Step, StepAction, StepOutcome, Timestamp, Verdict,
};
use jiff::SignedDuration;
use std::collections::{BTreeSet, HashMap};

/// Keys that arrive so soon after a plan appeared were meant for what was there before.
pub const KEY_GUARD: SignedDuration = SignedDuration::from_millis(500);

/// One plan on the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanView {
    pub ticket: Ticket,
    pub deployment: DeploymentId,
    pub request: PlanRequest,
    pub phase: Phase,
    pub plan: Option<Plan>,
    /// When the plan that is shown appeared.
    pub shown_at: Option<Timestamp>,
    /// Why the plan is another one than a moment ago.
    pub moved: Option<String>,
    /// What the person ticked or unticked, which holds for the plans that replace this one.
    chosen: HashMap<(ResourceId, StepAction), bool>,
    /// What the person ticked or unticked and the plan that is shown has no place for, in words.
    pub lost: Vec<String>,
    /// The step under the cursor.
    pub step: usize,
    /// The first line of the plan's text that is seen.
    pub top: usize,
    pub unfolded: BTreeSet<usize>,
    /// What was typed for what the plan asks.
    pub confirmed: Vec<String>,
}

/// How far a plan is.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    Planning { since: Timestamp },
    Ready,
    Failed(Notice),
    Applying { since: Timestamp, cancelled: bool },
    Done { at: Timestamp, verdict: Option<Verdict> },
}

impl Phase {
    pub fn is_running(&self) -> bool {
        matches!(self, Phase::Planning { .. } | Phase::Applying { .. })
    }

    pub fn is_applying(&self) -> bool {
        matches!(self, Phase::Applying { .. })
    }
}

/// Returns whether a key that arrives so soon after a plan was shown is dropped.
pub(super) fn is_guarded(shown_at: Option<Timestamp>, at: Timestamp) -> bool {
    shown_at.is_some_and(|shown| at.duration_since(shown) < KEY_GUARD)
}

impl PlanView {
    pub fn new(ticket: Ticket, request: PlanRequest, now: Timestamp) -> Self {
        Self {
            ticket,
            deployment: request.deployment().clone(),
            request,
            phase: Phase::Planning { since: now },
            plan: None,
            shown_at: None,
            moved: None,
            chosen: HashMap::new(),
            lost: Vec::new(),
            step: 0,
            top: 0,
            unfolded: BTreeSet::new(),
            confirmed: Vec::new(),
        }
    }

    /// Returns the view of the plan that is to replace this one, with the same ticks.
    ///
    /// What a plan that was carried out has written is done with: only what was left alone stays so.
    #[must_use]
    pub fn again(&self, ticket: Ticket, now: Timestamp) -> Self {
        let done = matches!(self.phase, Phase::Done { .. });
        let chosen = self.chosen.iter().filter(|(_, ticked)| !(done && **ticked));
        let chosen = chosen.map(|(of, ticked)| (of.clone(), *ticked)).collect();
        Self { chosen, ..Self::new(ticket, self.request.clone(), now) }
    }

    /// Ticks the step under the cursor, or unticks it. Returns why that may not be.
    pub fn tick(&mut self) -> Result<(), CannotTick> {
        let Some(plan) = &mut self.plan else { return Ok(()) };
        let Some(step) = plan.steps.get(self.step) else { return Ok(()) };
        let (of, ticked) = ((step.resource.clone(), step.action), !step.ticked);
        plan.tick(self.step, ticked)?;
        self.chosen.insert(of, ticked);
        Ok(())
    }

    /// Returns whether a key that arrives now is dropped.
    pub fn is_guarded(&self, at: Timestamp) -> bool {
        is_guarded(self.shown_at, at)
    }

    /// Shows a plan. What was typed or unfolded for another one is forgotten; what was ticked or unticked is not.
    pub fn show(&mut self, mut plan: Plan, at: Timestamp, moved: Option<String>) {
        self.lost = self.carry_ticks_over(&mut plan);
        // Planned again it is about the same action, whatever was done meanwhile.
        if let PlanRequest::Undo(request) = &mut self.request {
            request.action.clone_from(&plan.undoes);
        }
        self.plan = Some(plan);
        self.phase = Phase::Ready;
        self.shown_at = Some(at);
        self.moved = moved;
        self.confirmed.clear();
        self.step = 0;
        self.top = 0;
        self.unfolded.clear();
    }

    /// Ticks the steps of a plan as the person ticked those that do the same to the same resource. Returns what of that
    /// could not be, in words.
    fn carry_ticks_over(&self, plan: &mut Plan) -> Vec<String> {
        let mut lost = BTreeSet::new();
        let named = |of: &ResourceId| format!("{} {}", of.kind.kind, words::name(of));
        for ((of, action), ticked) in &self.chosen {
            let same = |step: &Step| step.resource == *of && step.action == *action;
            let steps = plan.steps.iter().enumerate().filter(|(_, step)| same(step));
            let steps: Vec<usize> = steps.map(|(at, _)| at).collect();
            let word = if *ticked { "ticked" } else { "unticked" };
            for at in &steps {
                if let Err(why) = plan.tick(*at, *ticked) {
                    lost.insert(format!("{} is not {word} any more: {why}", named(of)));
                }
            }
            // What was unticked and is no longer planned is left alone all the same.
            let other = plan.steps.iter().find(|step| step.resource == *of);
            match other {
                _ if !steps.is_empty() => {}
                Some(other) => {
                    let (before, now) = (action.word(), other.action.word());
                    lost.insert(format!("{} was {word} to {before}, and is now to {now}", named(of)));
                }
                None if *ticked => {
                    lost.insert(format!("{} was ticked, and is no longer planned", named(of)));
                }
                None => {}
            }
        }
        lost.into_iter().collect()
    }

    /// Returns the step that is being written: the first ticked one without an outcome.
    pub fn writing(&self) -> Option<usize> {
        let plan = self.plan.as_ref().filter(|_| self.phase.is_applying())?;
        plan.steps.iter().position(|step| step.ticked && step.outcome == StepOutcome::Planned)
    }

    /// Returns how many steps are ticked.
    pub fn ticked(&self) -> usize {
        self.plan.as_ref().map_or(0, |plan| plan.steps.iter().filter(|step| step.ticked).count())
    }

    /// Returns how many steps have come to an end, and how many of those did what they should.
    pub fn outcomes(&self) -> (usize, usize) {
        let steps = self.plan.iter().flat_map(|plan| &plan.steps).filter(|step| step.ticked);
        steps.fold((0, 0), |(ended, good), step| match step.outcome {
            StepOutcome::Planned => (ended, good),
            StepOutcome::Applied | StepOutcome::Unchanged => (ended + 1, good + 1),
            _ => (ended + 1, good),
        })
    }
}
