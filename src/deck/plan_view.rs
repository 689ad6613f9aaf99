//! Defines the plan screen's state: a plan on its way, ready, being carried out, or done.

use super::effect::{SyncRequest, Ticket};
use crate::model::{DeploymentId, Notice, Plan, StepOutcome, Timestamp, Verdict};
use jiff::SignedDuration;
use std::collections::BTreeSet;

/// Keys that arrive so soon after a plan appeared were meant for what was there before.
pub const KEY_GUARD: SignedDuration = SignedDuration::from_millis(500);

/// One plan on the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanView {
    pub ticket: Ticket,
    pub deployment: DeploymentId,
    pub request: SyncRequest,
    pub phase: Phase,
    pub plan: Option<Plan>,
    /// When the plan that is shown appeared.
    pub shown_at: Option<Timestamp>,
    /// Why the plan is another one than a moment ago.
    pub moved: Option<String>,
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

impl PlanView {
    pub fn new(ticket: Ticket, request: SyncRequest, now: Timestamp) -> Self {
        Self {
            ticket,
            deployment: request.deployment.clone(),
            request,
            phase: Phase::Planning { since: now },
            plan: None,
            shown_at: None,
            moved: None,
            step: 0,
            top: 0,
            unfolded: BTreeSet::new(),
            confirmed: Vec::new(),
        }
    }

    pub fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Planning { .. } | Phase::Applying { .. })
    }

    pub fn is_applying(&self) -> bool {
        matches!(self.phase, Phase::Applying { .. })
    }

    /// Returns whether a key that arrives now is dropped.
    pub fn is_guarded(&self, at: Timestamp) -> bool {
        self.shown_at.is_some_and(|shown| at.duration_since(shown) < KEY_GUARD)
    }

    /// Shows a plan. What was typed or unfolded for another one is forgotten.
    pub fn show(&mut self, plan: Plan, at: Timestamp, moved: Option<String>) {
        self.plan = Some(plan);
        self.phase = Phase::Ready;
        self.shown_at = Some(at);
        self.moved = moved;
        self.confirmed.clear();
        self.step = 0;
        self.top = 0;
        self.unfolded.clear();
    }

    /// Returns the step that is being written: the first ticked one without an outcome.
    pub fn writing(&self) -> Option<usize> {
        let plan = self.plan.as_ref().filter(|_| self.is_applying())?;
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
