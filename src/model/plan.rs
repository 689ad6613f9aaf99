//! Defines plans, the exact list of writes that an action would do, and outcomes, what happened to each.

use super::change::{FieldChange, Writer};
use super::field_path::FieldPath;
use super::id::{AppId, ClusterId, GroupVersionKind, ResourceId};
use super::manifest::Manifest;
use super::notice::Notice;
use super::revision::Revision;
use super::value::Value;
use std::sync::Arc;

/// The command of a plan that makes a deployment as Git declares it.
pub const SYNC: &str = "sync";
/// The command of a plan that undoes another.
pub const UNDO: &str = "undo";

/// The exact list of writes that an action would do, bound to what it was computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Names the plan in the journal.
    pub id: String,
    pub command: &'static str,
    /// The id of the action that it undoes, of an undo.
    pub undoes: Option<String>,
    pub app: AppId,
    pub cluster: ClusterId,
    /// The context through which the cluster is reached, for people and for confirmation.
    pub context: String,
    pub namespace: Option<String>,
    pub revision: Revision,
    /// The field manager that most steps write as.
    pub manager: String,
    pub steps: Vec<Step>,
    /// Digest of what Git rendered to.
    pub rendered: String,
    /// Digest of everything that the plan depends on: rendering, commit, cluster identity, each object's uid and spec.
    pub bound_to: String,
    /// The cluster's name must be typed before anything is written.
    pub protected: bool,
    /// What the plan will not do, and why, one sentence each.
    pub will_not: Vec<String>,
    /// Why nothing may be deleted (an incomplete rendering, a denied kind, …); empty where deleting is allowed.
    pub no_pruning: Vec<String>,
    /// How many objects of the app the cluster holds.
    pub objects: usize,
    /// Predictions and warnings about the whole, one sentence each.
    pub remarks: Vec<String>,
    /// The headless command that does the same.
    pub headless: String,
    /// What went wrong while it was carried out, besides its steps.
    pub notices: Vec<Notice>,
}

/// One write of a plan.
///
/// It holds what the write is made of, not the write: that is made anew from the object as it is when it is written.
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
    pub way: Way,
    /// The desired object; `None` for a deletion.
    pub desired: Option<Arc<Manifest>>,
    /// What the object was when the step was planned.
    pub bound: Bound,
    /// What the dry run showed that the write does, leaf by leaf; `None` where none could be made yet.
    pub effect: Option<Vec<Effect>>,
}

/// How a step writes.
#[derive(Debug, Clone, PartialEq)]
pub enum Way {
    /// Server-side apply of the whole declared object, without the fields that are left alone. Creates what is missing.
    ServerSide {
        /// Takes over fields of other managers: those in [`Step::takes_over_from`].
        force: bool,
        /// Declared fields that are not applied, because another writer contends for them.
        without: Vec<FieldPath>,
        /// Leftovers that stay applied as they are, because others own them too: released, they would be what a person
        /// added, and the next sync would remove them.
        keeping: Vec<FieldPath>,
    },
    /// A patch of exactly the changes.
    Patch { last_applied: LastApplied },
    /// A new object from the whole manifest.
    Create {
        last_applied: LastApplied,
        /// Labels and annotations that the deployer adds to what it renders (Helm's release).
        marks: Vec<(FieldPath, String)>,
    },
    /// A deletion, with uid and resource version.
    Delete,
}

/// What becomes of kubectl's last-applied annotation.
#[derive(Debug, Clone, PartialEq)]
pub enum LastApplied {
    /// The deployer keeps none, or another step of the object brings it up to date.
    Untouched,
    /// It becomes the declared object.
    Declared,
    /// It becomes the declared object with these leftovers as they were applied: they are not removed, and it is the
    /// only record of them.
    Keeping(Vec<FieldPath>),
    /// It becomes what it was; `None`: there was none.
    Was(Option<Box<Value>>),
}

/// What a step is bound to: it is refused if the object is another one, or was changed since.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bound {
    /// `None`: the object did not exist.
    pub uid: Option<String>,
    /// Digest of the object without its status and what goes with it; keyed by this run where values are sealed.
    pub digest: Option<String>,
    /// The resource version that was read, for reading back what became of an interrupted write.
    pub resource_version: Option<String>,
    /// What another run can compare: set in plans, for those that are carried out from a file.
    pub lasting: Option<String>,
}

/// One leaf that a write changes, as the API server's dry run shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    pub path: FieldPath,
    /// `None`: not there.
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// Of a list whose items stand in another order: the keys that tell them apart. `before` and `after` are then the
    /// keys alone of the items that are on both sides.
    pub order_by: Option<Vec<String>>,
}

impl Effect {
    /// Returns whether it is the order of a list that changes.
    pub fn is_order(&self) -> bool {
        self.order_by.is_some()
    }
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepAction {
    Create,
    Apply,
    Patch,
    Delete,
    /// A patch of an engine's own object.
    Engine,
}

impl StepAction {
    /// Returns the word of the headless contract.
    pub fn word(self) -> &'static str {
        match self {
            StepAction::Create => "create",
            StepAction::Apply => "apply",
            StepAction::Patch => "patch",
            StepAction::Delete => "delete",
            StepAction::Engine => "engine",
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

    /// Returns whether nothing more will come of the step.
    pub fn is_final(&self) -> bool {
        !matches!(self, StepOutcome::Planned)
    }

    pub fn notice(&self) -> Option<&Notice> {
        match self {
            StepOutcome::Refused(n) | StepOutcome::Failed(n) | StepOutcome::Indeterminate(n) => Some(n),
            _ => None,
        }
    }
}

impl Plan {
    /// Returns the steps that will be done.
    pub fn ticked(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|s| s.ticked && !s.outcome.is_final())
    }

    /// Returns the ticked deletions.
    pub fn deletions(&self) -> impl Iterator<Item = &Step> {
        self.ticked().filter(|s| s.action == StepAction::Delete)
    }

    /// Returns whether the ticked steps would leave nothing of the app in the cluster.
    pub fn deletes_everything(&self) -> bool {
        let deleted = self.deletions().count();
        deleted > 0 && deleted >= self.objects && !self.ticked().any(|s| s.action == StepAction::Create)
    }

    /// Ticks or unticks a step, where that may be: a deletion only if pruning is allowed, nothing that was refused.
    pub fn tick(&mut self, step: usize, ticked: bool) -> Result<(), CannotTick> {
        let forbidden = self.no_pruning.join("; ");
        let Some(step) = self.steps.get_mut(step) else { return Err(CannotTick::NoSuchStep) };
        if ticked && step.action == StepAction::Delete && !forbidden.is_empty() {
            return Err(CannotTick::NoPruning { why: forbidden });
        }
        if step.outcome.is_final() {
            return Err(CannotTick::Settled { outcome: step.outcome.word() });
        }
        step.ticked = ticked;
        Ok(())
    }
}

/// Why a step cannot be ticked or unticked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotTick {
    #[error("nothing can be deleted: {why}")]
    NoPruning { why: String },
    #[error("the step is {outcome} already")]
    Settled { outcome: &'static str },
    #[error("the plan has no such step")]
    NoSuchStep,
}
