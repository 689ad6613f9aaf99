//! Defines the deck's state: what is known, what is selected, and which layers lie on top.

use super::effect::Ticket;
use super::layer::Layer;
use super::layout::{Column, Layout, Size};
use super::list::{List, Row};
use super::rows::Widths;
use super::unseen::Unseen;
use super::world::{ResourceKey, World};
use crate::config::keymap::Keymap;
use crate::model::command::Place;
use crate::model::{
    AppId, Automation, ClusterId, DeploymentId, Fetched, FieldChange, FieldPath, Level, Notice, RepoId,
    Story, TextDiff, Timestamp, limits,
};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// A row of Repos or Clusters that stands for all of them, or for one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Choice<T> {
    All,
    One(T),
}

impl<T> Choice<T> {
    pub fn one(&self) -> Option<&T> {
        if let Choice::One(id) = self { Some(id) } else { None }
    }
}

/// A row below the columns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DriftRow {
    /// Heads the resources of one deployment, where several are listed.
    Deployment(DeploymentId),
    /// Why a deployment, or a part of it, could not be compared.
    Notice(DeploymentId, usize),
    /// Its engine is paused.
    Held(DeploymentId),
    Resource(Arc<ResourceKey>),
    /// Why the resource is what it is: what holds it, what is wrong with its manifest.
    Why(Arc<ResourceKey>, usize),
    Change(Arc<ResourceKey>, FieldPath),
    /// The values of a change, on a line of their own where the screen is narrow.
    Values(Arc<ResourceKey>, FieldPath),
    /// Counts what is in sync and not listed.
    InSync(DeploymentId),
    /// Counts what is excluded and not listed.
    Excluded(DeploymentId),
}

impl Row for DriftRow {
    fn selectable(&self) -> bool {
        !matches!(self, DriftRow::Values(..) | DriftRow::Why(..))
    }
}

impl Row for AppId {}
impl Row for Choice<RepoId> {}
impl Row for Choice<ClusterId> {}

impl DriftRow {
    pub fn deployment(&self) -> &DeploymentId {
        match self {
            DriftRow::Deployment(id)
            | DriftRow::Notice(id, _)
            | DriftRow::Held(id)
            | DriftRow::InSync(id)
            | DriftRow::Excluded(id) => id,
            DriftRow::Resource(key)
            | DriftRow::Why(key, _)
            | DriftRow::Change(key, _)
            | DriftRow::Values(key, _) => &key.deployment,
        }
    }

    pub fn resource(&self) -> Option<&Arc<ResourceKey>> {
        match self {
            DriftRow::Resource(key)
            | DriftRow::Why(key, _)
            | DriftRow::Change(key, _)
            | DriftRow::Values(key, _) => Some(key),
            _ => None,
        }
    }
}

/// How the lists are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    #[default]
    Worst,
    Name,
    /// As the repo declares them.
    Declared,
}

impl Sort {
    pub fn word(self) -> &'static str {
        match self {
            Sort::Worst => "worst first",
            Sort::Name => "by name",
            Sort::Declared => "as declared",
        }
    }
}

/// What the deck is told at its start.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    pub keymap: Keymap,
    /// The one time zone of every screen.
    pub zone: TimeZone,
    /// Marks and rules of ASCII only.
    pub ascii: bool,
    /// Words of four letters instead of marks.
    pub words: bool,
    /// Nothing is ever written.
    pub read_only: bool,
    /// Every app is checked exactly once everything is known.
    pub exact: bool,
    /// The app to select first.
    pub app: Option<String>,
    /// The context to select first.
    pub context: Option<String>,
    /// What the program looks at, in words, until the first repo is known.
    pub opening: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            keymap: Keymap::default(),
            zone: TimeZone::UTC,
            ascii: false,
            words: false,
            read_only: false,
            exact: false,
            app: None,
            context: None,
            opening: String::new(),
        }
    }
}

/// A line that says what just happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub level: Level,
    pub text: String,
}

/// A notice with when it came last and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    pub at: Timestamp,
    pub notice: Notice,
    pub times: usize,
}

/// An exact check that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExactRun {
    pub ticket: Ticket,
    pub done: usize,
    /// `None`: not known yet.
    pub total: Option<usize>,
}

/// The whole deck.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    pub now: Timestamp,
    pub size: Size,
    pub options: Options,
    pub world: World,
    pub focus: Column,
    pub repos: List<Choice<RepoId>>,
    pub apps: List<AppId>,
    pub clusters: List<Choice<ClusterId>>,
    pub drift: List<DriftRow>,
    pub drift_widths: Widths,
    pub unseen: Unseen,
    pub ticks: BTreeSet<Arc<ResourceKey>>,
    /// Ticking while moving: the row where it began.
    pub range: Option<Arc<ResourceKey>>,
    pub faults_only: bool,
    pub show_quiet: bool,
    pub sort: Sort,
    /// What lies on the deck, the topmost last.
    pub layers: Vec<Layer>,
    pub diffs: BTreeMap<Arc<ResourceKey>, Fetched<TextDiff>>,
    /// Since when Git declares what differs, of what was looked at.
    pub stories: BTreeMap<Arc<ResourceKey>, Fetched<Story>>,
    /// Whether the engines of the apps that were looked at act by themselves.
    pub holds: BTreeMap<DeploymentId, Fetched<Automation>>,
    /// Those whose hold was said to have expired.
    pub(super) expired: BTreeSet<DeploymentId>,
    pub notices: VecDeque<Noted>,
    /// Errors and warnings that came since the notices were last read.
    pub unread: usize,
    pub log: VecDeque<(Timestamp, String)>,
    pub said: Option<Said>,
    /// The exact check that runs.
    pub exact: Option<ExactRun>,
    /// What is still to be checked exactly because the deck was opened so; `None` until everything is known.
    pub(super) unasked: Option<VecDeque<DeploymentId>>,
    pub mouse: bool,
    pub(super) tickets: u64,
    /// Rows must be listed anew before anybody looks.
    pub(super) outdated: bool,
    /// What a key, the mouse or a paste asked for is being done: rows that change now were changed by the person.
    pub(super) acting: bool,
    /// Ctrl-c was pressed at this time with nothing to cancel: again quits.
    pub(super) interrupted: Option<Timestamp>,
    /// The app and context of the start were found, or the person moved.
    pub(super) opened: bool,
    pub(super) quitting: bool,
}

/// For so long after a first ctrl-c a second one quits.
pub(super) const INTERRUPT_AGAIN: SignedDuration = SignedDuration::from_secs(2);

impl State {
    pub fn new(size: Size, now: Timestamp, options: Options) -> Self {
        Self {
            now,
            size,
            world: World::default(),
            focus: Column::Apps,
            repos: List::default(),
            apps: List::default(),
            clusters: List::default(),
            drift: List::default(),
            drift_widths: Widths::default(),
            unseen: Unseen::default(),
            ticks: BTreeSet::new(),
            range: None,
            faults_only: false,
            show_quiet: false,
            sort: Sort::default(),
            layers: Vec::new(),
            diffs: BTreeMap::new(),
            stories: BTreeMap::new(),
            holds: BTreeMap::new(),
            expired: BTreeSet::new(),
            notices: VecDeque::new(),
            unread: 0,
            log: VecDeque::new(),
            said: None,
            exact: None,
            unasked: (!options.exact).then(VecDeque::new),
            mouse: false,
            tickets: 0,
            outdated: false,
            acting: false,
            interrupted: None,
            opened: false,
            quitting: false,
            options,
        }
    }

    pub fn layout(&self) -> Layout {
        Layout::of(self.size)
    }

    /// Returns how many rows a column shows.
    pub fn height(&self, column: Column) -> usize {
        usize::from(self.layout().rows(column).height)
    }

    /// Returns how many rows of the focused column are below what is seen of it.
    pub fn list_below(&self) -> usize {
        let height = self.height(self.focus);
        match self.focus {
            Column::Repos => self.repos.below(height),
            Column::Apps => self.apps.below(height),
            Column::Clusters => self.clusters.below(height),
            Column::Drift => self.drift.below(height),
        }
    }

    /// Returns where the keys go.
    pub fn place(&self) -> Place {
        self.layers.last().map_or(Place::Lists, Layer::place)
    }

    pub fn selected_repo(&self) -> Option<&RepoId> {
        self.repos.current().and_then(Choice::one)
    }

    pub fn selected_app(&self) -> Option<&AppId> {
        self.apps.current()
    }

    pub fn selected_cluster(&self) -> Option<&ClusterId> {
        self.clusters.current().and_then(Choice::one)
    }

    /// Returns the one deployment that keys are about: that of the screen on top, of the row under the cursor, or of
    /// the selection, if it is one.
    pub fn deployment(&self) -> Option<&DeploymentId> {
        if let Some(id) = self.layers.iter().rev().find_map(Layer::deployment) {
            return Some(id);
        }
        if self.focus == Column::Drift
            && let Some(row) = self.drift.current()
        {
            return Some(row.deployment());
        }
        let app = self.selected_app()?;
        let cluster = self.selected_cluster();
        let mut chosen = self
            .world
            .deployments_of(app)
            .filter(|d| cluster.is_none_or(|c| d.id.cluster == *c))
            .map(|d| &d.id);
        let first = chosen.next()?;
        chosen.next().is_none().then_some(first)
    }

    /// Returns the cluster that every screen names: that of the deployment at hand, or the only one there is.
    pub fn cluster(&self) -> Option<&crate::model::status::ClusterStatus> {
        let cell = self.layers.iter().rev().find_map(Layer::cell).map(|(_, cluster)| cluster);
        let id = cell.or_else(|| self.deployment().map(|d| &d.cluster)).or_else(|| self.selected_cluster());
        match id {
            Some(id) => self.world.cluster(id),
            None if self.world.clusters.len() == 1 => self.world.clusters.first(),
            None => None,
        }
    }

    /// Returns the repo that every screen names.
    pub fn repo(&self) -> Option<&crate::model::status::RepoStatus> {
        let id = self
            .layers
            .iter()
            .rev()
            .find_map(Layer::deployment)
            .map(|d| &d.app.repo)
            .or_else(|| self.selected_repo())
            .or_else(|| self.selected_app().map(|a| &a.repo));
        match id {
            Some(id) => self.world.repo(id),
            None => self.world.repos.first(),
        }
    }

    /// Returns the resource that keys are about.
    pub fn resource(&self) -> Option<Arc<ResourceKey>> {
        if let Some(layer) = self.layers.iter().rev().find(|layer| layer.deployment().is_some()) {
            return layer.resource();
        }
        if self.focus != Column::Drift {
            return None;
        }
        self.drift.current().and_then(DriftRow::resource).cloned()
    }

    /// Returns the field that keys are about, in the drift list or a resource's view.
    pub fn field(&self) -> Option<(Arc<ResourceKey>, FieldPath)> {
        match self.layers.last() {
            Some(Layer::Resource(view)) => view.field(&self.world),
            Some(_) => None,
            None => match self.drift.current() {
                Some(DriftRow::Change(key, path)) if self.focus == Column::Drift => {
                    Some((Arc::clone(key), path.clone()))
                }
                _ => None,
            },
        }
    }

    /// Returns when something on the screen could change by time alone.
    pub fn next_tick(&self) -> Timestamp {
        if self.busy() {
            return self.now + SignedDuration::from_millis(120);
        }
        let second = self.now + SignedDuration::from_secs(1);
        let sorts = [self.apps.sorts_at(), self.clusters.sorts_at(), self.drift.sorts_at()];
        sorts.into_iter().flatten().filter(|at| *at > self.now).min().map_or(second, |at| at.min(second))
    }

    /// Returns whether something runs that the person waits for, so that a spinner turns.
    pub fn busy(&self) -> bool {
        !self.world.settled
            || self.exact.is_some()
            || self.layers.iter().any(Layer::is_busy)
            || self.diffs.values().any(|diff| matches!(diff, Fetched::Loading { .. }))
    }

    /// Returns a change with what its resource's story tells of it: where it is set, and since which commit.
    pub fn told(&self, key: &ResourceKey, change: &FieldChange) -> FieldChange {
        let mut told = change.clone();
        let story = self.stories.get(key).and_then(Fetched::value);
        if let Some(story) = story {
            story.tell(&mut told);
        }
        told
    }

    /// Returns whether the deck asked to quit.
    pub fn is_quitting(&self) -> bool {
        self.quitting
    }

    pub(super) fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Says something in the status line.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.tell(Level::Info, text.into());
    }

    /// Says in the status line why a key did nothing.
    pub(super) fn refuse(&mut self, why: impl Into<String>) {
        self.tell(Level::Warning, why.into());
    }

    fn tell(&mut self, level: Level, text: String) {
        self.log(self.now, text.clone());
        self.said = Some(Said { level, text });
    }

    /// Keeps a notice; the same one again is counted.
    pub(super) fn note(&mut self, at: Timestamp, notice: Notice) {
        if notice.level != Level::Info {
            self.unread += 1;
        }
        if let Some(known) = self.notices.iter().position(|n| n.notice == notice) {
            if let Some(mut noted) = self.notices.remove(known) {
                noted.at = at;
                noted.times += 1;
                self.notices.push_front(noted);
            }
            return;
        }
        self.notices.push_front(Noted { at, notice, times: 1 });
        self.notices.truncate(limits::NOTICES);
    }

    /// Keeps a line in the log behind `!`; what repeats the newest line is kept once.
    pub(super) fn log(&mut self, at: Timestamp, line: String) {
        if self.log.front().is_some_and(|(_, newest)| *newest == line) {
            self.log.pop_front();
        }
        self.log.push_front((at, line));
        self.log.truncate(limits::NOTICES);
    }
}
