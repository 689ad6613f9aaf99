//! Defines messages: everything that the deck learns. Time arrives in them; the deck has no clock.

use super::effect::Ticket;
use super::layout::Size;
use crate::model::commit_plan::CommitPlan;
use crate::model::history::Step;
use crate::model::recorded::RecordedAction;
use crate::model::status::ResourceStatus;
use crate::model::update::Update;
use crate::model::{
    Automation, DeploymentId, Key, Notice, Past, Plan, ResourceId, Running, StepOutcome, Story, TextDiff,
    Timestamp, Verdict,
};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "the large variant, what the pipeline tells, is the common one")]
pub enum Message {
    /// The pipeline found something out.
    Pipeline {
        at: Timestamp,
        update: Update,
    },
    Key {
        at: Timestamp,
        key: Key,
    },
    /// Text that was pasted: never keys.
    Paste {
        at: Timestamp,
        text: String,
    },
    Mouse {
        at: Timestamp,
        event: Mouse,
    },
    Resize {
        size: Size,
    },
    /// Time went by.
    Tick {
        now: Timestamp,
    },
    /// The answer to [`super::Effect::LoadDiff`].
    Diff {
        at: Timestamp,
        deployment: DeploymentId,
        resource: ResourceId,
        result: Result<TextDiff, Notice>,
    },
    /// The answer to [`super::Effect::LoadStory`].
    Story {
        at: Timestamp,
        deployment: DeploymentId,
        resource: ResourceId,
        result: Result<Story, Notice>,
    },
    /// The answer to [`super::Effect::LoadAutomation`].
    Automation {
        at: Timestamp,
        deployment: DeploymentId,
        result: Result<Automation, Notice>,
    },
    /// The answer to [`super::Effect::LoadJournal`]: the actions, newest first.
    Journal {
        at: Timestamp,
        result: Result<Vec<RecordedAction>, Notice>,
    },
    /// An answer to [`super::Effect::LoadChanges`]: what is known, or what clusters were asked for.
    Changes {
        at: Timestamp,
        ticket: Ticket,
        past: Box<Past>,
        asked: bool,
        /// No further answer follows.
        last: bool,
    },
    /// An answer to [`super::Effect::LoadRunning`]: what is known so far.
    Running {
        at: Timestamp,
        ticket: Ticket,
        result: Result<Box<Running>, Notice>,
        /// No further answer follows.
        last: bool,
    },
    /// A step of the answer to [`super::Effect::LoadHistory`].
    HistoryStep {
        at: Timestamp,
        ticket: Ticket,
        step: Result<Box<Step>, Notice>,
    },
    /// No further step follows.
    HistoryEnded {
        at: Timestamp,
        ticket: Ticket,
    },
    /// The answer to [`super::Effect::LoadEffect`]: what differs.
    CommitEffect {
        at: Timestamp,
        ticket: Ticket,
        result: Result<Vec<ResourceStatus>, Notice>,
    },
    PlanReady {
        at: Timestamp,
        ticket: Ticket,
        plan: Box<Plan>,
    },
    PlanFailed {
        at: Timestamp,
        ticket: Ticket,
        notice: Notice,
    },
    /// Several managers apply equally much of an object: who deploys it is for the person to say.
    PlanTied {
        at: Timestamp,
        ticket: Ticket,
        resource: ResourceId,
        managers: Vec<String>,
    },
    /// Several syncs of the journal are not undone: which one it is to be is for the person to say. Newest first.
    PlanOpen {
        at: Timestamp,
        ticket: Ticket,
        syncs: Vec<OpenSync>,
    },
    /// What the plan is bound to has moved: nothing was written, and this is the new plan.
    PlanMoved {
        at: Timestamp,
        ticket: Ticket,
        plan: Box<Plan>,
        why: String,
    },
    StepDone {
        ticket: Ticket,
        step: usize,
        outcome: StepOutcome,
    },
    /// Every step has its outcome. `verdict` is the deployment's afterwards, where the watch has told it already.
    PlanDone {
        at: Timestamp,
        ticket: Ticket,
        verdict: Option<Verdict>,
    },
    /// The plan of a commit; `moved`: nothing was written because something moved, and this is the new plan.
    CommitReady {
        at: Timestamp,
        ticket: Ticket,
        plan: Box<CommitPlan>,
        moved: Option<String>,
    },
    CommitFailed {
        at: Timestamp,
        ticket: Ticket,
        notice: Notice,
    },
    /// Every step of the plan of a commit has its outcome.
    CommitDone {
        at: Timestamp,
        ticket: Ticket,
        plan: Box<CommitPlan>,
    },
    /// The answer to [`super::Effect::EditMessage`].
    MessageWritten {
        at: Timestamp,
        ticket: Ticket,
        result: Result<String, Notice>,
    },
    /// How many of how many objects the API server was asked about.
    ExactProgress {
        ticket: Ticket,
        done: usize,
        total: usize,
    },
    /// The exact check has ended: for how many of how many objects it has an answer, and why the others have none.
    ExactDone {
        at: Timestamp,
        ticket: Ticket,
        outcome: Result<(usize, usize), Notice>,
        silent: Vec<Notice>,
    },
    /// Something that failed or is news, and belongs to no row.
    Notice {
        at: Timestamp,
        notice: Notice,
    },
    Copied {
        what: String,
        how: Copied,
    },
    LoggedIn {
        at: Timestamp,
        context: String,
        result: Result<(), Notice>,
    },
    EditorClosed {
        at: Timestamp,
        result: Result<(), Notice>,
    },
    /// The process was stopped and continues.
    Resumed {
        at: Timestamp,
    },
    /// Somebody asks the program to end: SIGTERM, SIGHUP, or a terminal that went away.
    Terminate,
}

/// A sync of the journal that is not undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSync {
    pub id: String,
    pub time: Timestamp,
    /// As the cluster knows them.
    pub user: Option<String>,
    /// What was written, for people.
    pub objects: Vec<String>,
}

/// What became of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copied {
    /// Sent to the terminal, which does not say whether it took it; saved to a file as well.
    Sent {
        file: Option<String>,
    },
    /// Only saved, because the terminal cannot or the text is too long for it.
    Saved {
        file: String,
    },
    Failed(Notice),
}

/// What the mouse did, at a cell counted from the top left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mouse {
    Click { x: u16, y: u16 },
    WheelUp { x: u16, y: u16 },
    WheelDown { x: u16, y: u16 },
}
