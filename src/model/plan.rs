//! Defines plans, the exact list of writes that an action would do, and outcomes, what happened to each.

use super::change::{FieldChange, Writer};
use super::id::{AppId, ClusterId, GroupVersionKind, ResourceId};
use super::notice::Notice;
use super::revision::Revision;

/// The exact list of writes that an action would do, bound to what it was computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Names the plan in the journal.
    pub id: String,
    pub command: &'static str,
    pub app: AppId,
    pub cluster: ClusterId,
    /// The context through which the cluster is reached, for people and for confirmation.
    pub context: String,
    pub namespace: Option<String>,
    pub revision: Revision,
    /// The field manager that most steps write as.
    pub manager: String,
    pub steps: Vec<Step>,
    /// Digest of everything that the plan depends on: rendering, commit, cluster identity, each object's uid and spec.
    pub bound_to: String,
    /// The cluster's name must be typed before anything is written.
    pub protected: bool,
    /// What the plan will not do, and why, one sentence each.
    pub will_not: Vec<String>,
    /// Predictions and warnings about the whole, one sentence each.
    pub remarks: Vec<String>,
    /// The headless command that does the same.
    pub headless: String,
}

/// One write of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub resource: ResourceId,
    pub kind: GroupVersionKind,
    pub action: StepAction,
    /// The field manager that this step writes as.
    pub manager: String,
    pub changes: Vec<FieldChange>,
    /// Managers that lose a field by this step.
    pub takes_over_from: Vec<Writer>,
    pub note: Option<String>,
    /// Whether it will be done; a step that is not ticked is shown and left alone.
    pub ticked: bool,
    pub outcome: StepOutcome,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepAction {
    Create,
    Apply,
    Patch,
    Delete,
}

impl StepAction {
    /// Returns the word of the headless contract.
    pub fn word(self) -> &'static str {
        match self {
            StepAction::Create => "create",
            StepAction::Apply => "apply",
            StepAction::Patch => "patch",
            StepAction::Delete => "delete",
        }
    }
}

/// What happened to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepOutcome {
    Planned,
    Applied,
    Unchanged,
    /// Not done, because what the step was planned on has moved or a rule forbids it.
    Refused(Notice),
    Failed(Notice),
    /// The connection was lost after the request was sent: it may or may not have been done.
    Indeterminate(Notice),
    Skipped(String),
    Cancelled,
}

impl StepOutcome {
    /// Returns the word of the headless contract.
    pub fn word(&self) -> &'static str {
        match self {
            StepOutcome::Planned => "planned",
            StepOutcome::Applied => "applied",
            StepOutcome::Unchanged => "unchanged",
            StepOutcome::Refused(_) => "refused",
            StepOutcome::Failed(_) => "failed",
            StepOutcome::Indeterminate(_) => "indeterminate",
            StepOutcome::Skipped(_) => "skipped",
            StepOutcome::Cancelled => "cancelled",
        }
    }

    pub fn notice(&self) -> Option<&Notice> {
        match self {
            StepOutcome::Refused(n) | StepOutcome::Failed(n) | StepOutcome::Indeterminate(n) => Some(n),
            _ => None,
        }
    }
}
