//! Defines what can lie on the deck: screens, menus and prompts. Keys go to the topmost; drawing goes upwards.

use super::changes_view::ChangesView;
use super::commit_view::CommitView;
use super::effect::Ticket;
use super::history_view::{EffectView, HistoryView};
use super::list::Row;
use super::picker::Picker;
use super::plan_view::{Phase, PlanView};
use super::pods_view::PodsView;
use super::view::ResourceView;
use super::world::ResourceKey;
use super::wrap::Words;
use crate::model::command::{Command, Place};
use crate::model::confirm::Ask;
use crate::model::recorded::RecordedAction;
use crate::model::{AppId, ClusterId, DeploymentId, Fetched};
use std::sync::Arc;

/// One layer.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    Resource(Box<ResourceView>),
    Plan(Box<PlanView>),
    /// The plan of a commit.
    Commit(Box<CommitView>),
    /// Asks for the first line of a commit's message.
    Message(MessagePrompt),
    /// Asks for a name: that of a protected cluster, or of what would be deleted.
    Confirm(Confirm),
    Who(WhoView),
    Matrix(MatrixView),
    Changes(Box<ChangesView>),
    Pods(Box<PodsView>),
    History(Box<HistoryView>),
    /// What one commit of a history is against something.
    Effect(Box<EffectView>),
    Help(HelpView),
    Notices(Scroll),
    Journal(JournalView),
    Palette(Picker),
    /// What can be copied here.
    Copy(Menu<CopyItem>),
    /// Asks how long an engine is to be paused, and why.
    Hold(HoldPrompt),
    /// Everything that is possible here.
    Everything(Menu<Command>),
    /// Asks for the text of a filter or search.
    Search(Search),
}

/// A prompt for a name that must be typed before a plan may be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    pub ticket: Ticket,
    pub ask: Ask,
    pub typed: String,
}

impl Confirm {
    /// Returns whether what was typed answers what is asked.
    pub fn is_answered(&self) -> bool {
        self.ask.words.contains(&self.typed)
    }
}

/// A prompt for the first line of a commit's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagePrompt {
    pub ticket: Ticket,
    pub typed: String,
}

/// A prompt for how long an engine is to be paused, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldPrompt {
    pub deployment: DeploymentId,
    pub typed: String,
}

/// Who wrote each side of a resource's changes.
#[derive(Debug, Clone, PartialEq)]
pub struct WhoView {
    pub key: Arc<ResourceKey>,
    pub scroll: Scroll,
}

/// Apps against clusters.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MatrixView {
    pub apps: Vec<AppId>,
    pub clusters: Vec<ClusterId>,
    pub row: usize,
    pub column: usize,
    pub top: usize,
}

/// The keys of where the person was, as they stood when help was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct HelpView {
    pub lines: Vec<Words>,
    pub scroll: Scroll,
}

/// What the journal tells, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalView {
    pub actions: Fetched<Vec<RecordedAction>>,
    pub scroll: Scroll,
}

/// How far something is scrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scroll {
    pub top: usize,
}

/// Items to choose from.
#[derive(Debug, Clone, PartialEq)]
pub struct Menu<T> {
    pub items: Vec<T>,
    pub cursor: usize,
}

/// Something that can be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyItem {
    /// What it is: `name`, `path`, `command` …
    pub what: &'static str,
    pub text: String,
}

/// A filter or search that is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    pub text: String,
    /// What stood before, to go back to.
    pub before: Option<String>,
}

impl Row for Command {}

impl Layer {
    /// Returns which keys of the table apply.
    pub fn place(&self) -> Place {
        match self {
            Layer::Resource(_) => Place::Resource,
            Layer::Plan(_) => Place::Plan,
            Layer::Commit(_) => Place::Commit,
            Layer::Matrix(_) => Place::Matrix,
            Layer::Changes(_) => Place::Changes,
            Layer::History(_) => Place::History,
            Layer::Effect(_) => Place::Effect,
            _ => Place::Reading,
        }
    }

    /// Returns whether every key is text here.
    pub fn is_prompt(&self) -> bool {
        matches!(
            self,
            Layer::Confirm(_) | Layer::Message(_) | Layer::Hold(_) | Layer::Palette(_) | Layer::Search(_)
        )
    }

    /// Returns whether it takes the whole body, so that nothing below it is seen.
    pub fn is_screen(&self) -> bool {
        matches!(
            self,
            Layer::Resource(_)
                | Layer::Plan(_)
                | Layer::Commit(_)
                | Layer::Matrix(_)
                | Layer::Changes(_)
                | Layer::Pods(_)
                | Layer::History(_)
                | Layer::Effect(_)
                | Layer::Who(_)
        )
    }

    /// Returns how far a plan is, of objects or of a commit, with its ticket.
    pub fn phase(&self) -> Option<(Ticket, &Phase)> {
        match self {
            Layer::Plan(view) => Some((view.ticket, &view.phase)),
            Layer::Commit(view) => Some((view.ticket, &view.phase)),
            _ => None,
        }
    }

    pub fn phase_mut(&mut self) -> Option<(Ticket, &mut Phase)> {
        match self {
            Layer::Plan(view) => Some((view.ticket, &mut view.phase)),
            Layer::Commit(view) => Some((view.ticket, &mut view.phase)),
            _ => None,
        }
    }

    pub fn plan(&self) -> Option<&PlanView> {
        if let Layer::Plan(view) = self { Some(view) } else { None }
    }

    /// Returns the app and the cluster of the matrix's cell under the cursor.
    pub fn cell(&self) -> Option<(&AppId, &ClusterId)> {
        let Layer::Matrix(view) = self else { return None };
        view.apps.get(view.row).zip(view.clusters.get(view.column))
    }

    pub fn deployment(&self) -> Option<&DeploymentId> {
        match self {
            Layer::Resource(view) => Some(&view.deployment),
            Layer::Plan(view) => Some(&view.deployment),
            Layer::Who(view) => Some(&view.key.deployment),
            Layer::Pods(view) => Some(&view.deployment),
            Layer::History(view) => view.deployment.as_ref(),
            Layer::Effect(view) => Some(&view.deployment),
            _ => None,
        }
    }

    pub fn resource(&self) -> Option<Arc<ResourceKey>> {
        match self {
            Layer::Resource(view) => view.resource(),
            Layer::Who(view) => Some(Arc::clone(&view.key)),
            Layer::Pods(view) => {
                let id = view.resource.clone()?;
                Some(Arc::new(ResourceKey { deployment: view.deployment.clone(), id }))
            }
            _ => None,
        }
    }

    /// Returns whether something runs that the person waits for.
    pub fn is_busy(&self) -> bool {
        match self {
            Layer::Plan(_) | Layer::Commit(_) => self.phase().is_some_and(|(_, phase)| phase.is_running()),
            _ => self.looking().is_some(),
        }
    }

    /// Returns under which ticket something is being looked up for it.
    pub fn looking(&self) -> Option<Ticket> {
        match self {
            Layer::Changes(view) => view.ticket,
            Layer::Pods(view) => view.ticket,
            Layer::History(view) => view.ticket,
            Layer::Effect(view) => view.ticket,
            _ => None,
        }
    }
}

impl<T> Menu<T> {
    pub fn new(items: Vec<T>) -> Self {
        Self { items, cursor: 0 }
    }

    pub fn current(&self) -> Option<&T> {
        self.items.get(self.cursor)
    }

    pub fn step(&mut self, by: isize) {
        let last = self.items.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
    }
}

impl Scroll {
    pub fn step(&mut self, by: isize, rows: usize, height: usize) {
        self.top = self.top.saturating_add_signed(by).min(rows.saturating_sub(height));
    }
}
