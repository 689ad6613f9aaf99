//! Defines effects: what the deck asks for and cannot do itself. Runtime and shell perform them and answer with messages.

use super::commit_view::CommitRequest;
use crate::model::history::Against;
use crate::model::{AppId, ClusterId, DeploymentId, Oid, Plan, ResourceId, Timestamp};
use jiff::SignedDuration;

/// Numbers what runs, so that an answer to something that was given up is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Ticket(pub u64);

/// Something to be done outside. Those that [`Effect::is_for_the_shell`] names need the terminal.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Compute the text diff of one resource; answered by [`super::Message::Diff`].
    LoadDiff {
        deployment: DeploymentId,
        resource: ResourceId,
    },
    /// Look up since when Git declares what differs in a resource; `whole`: with what was before, and the cluster's events.
    /// Answered by [`super::Message::Story`].
    LoadStory {
        deployment: DeploymentId,
        resource: ResourceId,
        whole: bool,
    },
    /// Ask an app's engine whether it acts by itself; answered by [`super::Message::Automation`].
    LoadAutomation {
        deployment: DeploymentId,
    },
    /// Read the journal; answered by [`super::Message::Journal`].
    LoadJournal,
    /// Tell what changed since a time: what is known at once, and with `ask` also what clusters must be asked for.
    /// Answered by [`super::Message::Changes`], for each of the two.
    LoadChanges {
        ticket: Ticket,
        since: Timestamp,
        ask: bool,
    },
    /// Tell what runs of a resource, or of the whole app: pods, events, last lines. Answered by
    /// [`super::Message::Running`], the pods first.
    LoadRunning {
        ticket: Ticket,
        deployment: DeploymentId,
        resource: Option<ResourceId>,
    },
    /// Tell the history of an app, and where a cluster is named, how far that is off. Answered by
    /// [`super::Message::HistoryStep`] for each step, and `HistoryEnded`.
    LoadHistory {
        ticket: Ticket,
        app: AppId,
        cluster: Option<ClusterId>,
    },
    /// Tell what a commit of an app is against something. Answered by [`super::Message::CommitEffect`].
    LoadEffect {
        ticket: Ticket,
        deployment: DeploymentId,
        commit: Oid,
        against: Against,
    },
    /// Compute a plan of writes to a cluster; writes nothing. Answered by [`super::Message::PlanReady`] or `PlanFailed`, or
    /// by `PlanTied` or `PlanOpen` where the person must choose first.
    Plan {
        ticket: Ticket,
        request: PlanRequest,
    },
    /// Carry out a plan whose steps are ticked as shown. Answered by `StepDone` for each step and `PlanDone`, or by
    /// `PlanMoved` if something that the plan is bound to has moved.
    ApplyPlan {
        ticket: Ticket,
        plan: Box<Plan>,
        /// What the person typed for what the plan asks; see [`crate::model::confirm`].
        confirmed: Vec<String>,
    },
    /// Compute the plan of a commit; writes nothing. Answered by [`super::Message::CommitReady`] or `CommitFailed`.
    PlanCommit {
        ticket: Ticket,
        request: CommitRequest,
    },
    /// Carry out the plan of a commit of this id. Answered by [`super::Message::CommitDone`], by `CommitReady` with a
    /// reason if what it is bound to has moved, or by `CommitFailed`.
    MakeCommit {
        ticket: Ticket,
        id: String,
    },
    /// Have a commit's message written in the editor; answered by [`super::Message::MessageWritten`].
    EditMessage {
        ticket: Ticket,
        text: String,
    },
    /// Have the API server dry-run objects of a deployment; none named: all. Writes nothing. Answered by
    /// [`super::Message::ExactProgress`] and `ExactDone`; the verdicts come from the pipeline.
    CheckExactly {
        ticket: Ticket,
        deployment: DeploymentId,
        resources: Vec<ResourceId>,
    },
    /// Give up what runs under this ticket. A step whose request is on its way ends as it ends.
    Cancel {
        ticket: Ticket,
    },
    /// Read repos and clusters again, at once.
    Refresh,
    /// Put text on the clipboard; answered by [`super::Message::Copied`].
    Copy {
        what: String,
        text: String,
    },
    /// Open the editor at a file of a local repo; answered by [`super::Message::EditorClosed`].
    OpenEditor {
        file: String,
        line: Option<usize>,
    },
    /// Run the credential plugin of a context with the terminal; answered by [`super::Message::LoggedIn`].
    LogIn {
        context: String,
    },
    /// Show a page of the forge in the browser: https only.
    OpenUrl {
        url: String,
    },
    /// Draw every cell anew.
    Redraw,
    /// Take the mouse, or leave it to the terminal.
    Mouse {
        on: bool,
    },
    /// Give the terminal back and stop, until the shell continues the process.
    Suspend,
    Quit,
}

/// What a plan is asked to be of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanRequest {
    Sync(SyncRequest),
    Undo(UndoRequest),
    Hold(HoldRequest),
}

impl PlanRequest {
    /// Returns what is written to.
    pub fn deployment(&self) -> &DeploymentId {
        match self {
            Self::Sync(request) => &request.deployment,
            Self::Undo(request) => &request.deployment,
            Self::Hold(request) => &request.deployment,
        }
    }
}

/// What an undo is asked to be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoRequest {
    pub deployment: DeploymentId,
    /// The action of the journal; `None`: the one sync of the deployment that is not undone yet.
    pub action: Option<String>,
}

/// Whose engine is to be paused, or to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRequest {
    pub deployment: DeploymentId,
    /// `None`: it is to go on.
    pub pause: Option<Pause>,
}

/// What a pause is to say of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    pub reason: String,
    pub lasting: SignedDuration,
}

/// What a sync is asked to be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRequest {
    pub deployment: DeploymentId,
    /// The resources to look at; empty: the whole app.
    pub only: Vec<ResourceId>,
    /// Takes uncommitted and unpushed files too.
    pub dirty: bool,
    /// As whom objects are written that several managers apply equally much of: the answers so far.
    pub deployers: Vec<(ResourceId, String)>,
}

impl Effect {
    /// Returns whether the shell performs it, because it concerns the terminal; everything else is the runtime's.
    pub fn is_for_the_shell(&self) -> bool {
        matches!(
            self,
            Effect::Copy { .. }
                | Effect::OpenEditor { .. }
                | Effect::EditMessage { .. }
                | Effect::LogIn { .. }
                | Effect::OpenUrl { .. }
                | Effect::Redraw
                | Effect::Mouse { .. }
                | Effect::Suspend
                | Effect::Quit
        )
    }
}
