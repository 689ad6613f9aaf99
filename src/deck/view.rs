//! Defines the view of one resource, or of a whole app's resources one below the other: fields, unified, side by side.

use super::anchor::{self, Anchor};
use super::world::{ResourceKey, World};
use crate::model::text_diff::Side;
use crate::model::{DeploymentId, Fetched, FieldChange, FieldPath, ResourceId, TextDiff};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Equal lines that stay in sight around a change.
const CONTEXT: usize = 3;
/// Fewer equal lines than these are not worth a fold.
const WORTH_A_FOLD: usize = 3;

/// How differences are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    #[default]
    Fields,
    Unified,
    SideBySide,
}

impl Mode {
    pub const ALL: [Mode; 3] = [Mode::Fields, Mode::Unified, Mode::SideBySide];

    pub fn words(self) -> &'static str {
        match self {
            Mode::Fields => "fields",
            Mode::Unified => "unified",
            Mode::SideBySide => "side by side",
        }
    }

    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Mode::Fields => Mode::Unified,
            Mode::Unified => Mode::SideBySide,
            Mode::SideBySide => Mode::Fields,
        }
    }
}

/// One row of the view. Numbers are positions in the resource's changes or diff lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ViewRow {
    /// Heads a resource, where several are shown.
    Resource {
        resource: usize,
    },
    Path {
        resource: usize,
        change: usize,
    },
    Desired {
        resource: usize,
        change: usize,
    },
    Live {
        resource: usize,
        change: usize,
    },
    Note {
        resource: usize,
        change: usize,
    },
    /// What is wrong with the manifest, what holds the object, why it was not compared.
    About {
        resource: usize,
        line: usize,
    },
    Line {
        resource: usize,
        line: usize,
    },
    Pair {
        resource: usize,
        desired: Option<usize>,
        live: Option<usize>,
    },
    Fold {
        resource: usize,
        from: usize,
        lines: usize,
    },
    Loading {
        resource: usize,
    },
    Failed {
        resource: usize,
    },
    Same {
        resource: usize,
    },
    Cut {
        resource: usize,
    },
    Space,
}

/// The view.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceView {
    pub deployment: DeploymentId,
    /// What can be gone through, in the order of the list it was opened from.
    pub resources: Vec<ResourceId>,
    /// All of them one below the other, not one at a time.
    pub whole_app: bool,
    /// The one that is shown, if one at a time.
    pub current: usize,
    pub mode: Mode,
    /// Changes that do not count are listed too.
    pub quiet: bool,
    pub folded: bool,
    /// Folds that were opened.
    pub(super) unfolded: BTreeSet<Anchor>,
    pub rows: Vec<ViewRow>,
    /// What each row is known by; `None` for blank lines.
    anchors: Vec<Option<Anchor>>,
    pub cursor: usize,
    pub top: usize,
    pub sideways: usize,
    pub search: Option<String>,
}

impl ResourceView {
    pub fn new(deployment: DeploymentId, resources: Vec<ResourceId>, current: usize) -> Self {
        Self {
            deployment,
            resources,
            whole_app: false,
            current,
            mode: Mode::Fields,
            quiet: false,
            folded: true,
            unfolded: BTreeSet::new(),
            rows: Vec::new(),
            anchors: Vec::new(),
            cursor: 0,
            top: 0,
            sideways: 0,
            search: None,
        }
    }

    /// Builds the view of all these resources.
    pub fn whole_app(deployment: DeploymentId, resources: Vec<ResourceId>) -> Self {
        Self { whole_app: true, mode: Mode::Unified, ..Self::new(deployment, resources, 0) }
    }

    pub fn key(&self, resource: usize) -> Option<ResourceKey> {
        let id = self.resources.get(resource)?.clone();
        Some(ResourceKey { deployment: self.deployment.clone(), id })
    }

    /// Returns the positions of the resources that are shown.
    pub fn shown(&self) -> std::ops::Range<usize> {
        if self.whole_app { 0..self.resources.len() } else { self.current..self.current + 1 }
    }

    /// Returns the resource under the cursor.
    pub fn resource(&self) -> Option<Arc<ResourceKey>> {
        let at = self.rows.get(self.cursor).and_then(ViewRow::resource).unwrap_or(self.current);
        self.key(at).map(Arc::new)
    }

    /// Returns the field under the cursor, in the view of fields.
    pub fn field(&self, world: &World) -> Option<(Arc<ResourceKey>, FieldPath)> {
        let (resource, change) = self.rows.get(self.cursor)?.change()?;
        let key = self.key(resource)?;
        let path = world.resource(&key)?.judgement.changes.get(change)?.path.clone();
        Some((Arc::new(key), path))
    }

    /// Goes to the top, because something else is shown from now on.
    pub fn start_over(&mut self) {
        (self.cursor, self.top, self.sideways) = (0, 0, 0);
        self.anchors.clear();
    }

    /// Opens the fold under the cursor; elsewhere all of them open or close.
    pub fn fold(&mut self) {
        if let Some(ViewRow::Fold { .. }) = self.rows.get(self.cursor)
            && let Some(Some(anchor)) = self.anchors.get(self.cursor)
        {
            self.unfolded.insert(*anchor);
        } else {
            self.folded = !self.folded;
            self.unfolded.clear();
        }
    }

    /// Lists the rows anew, with the cursor on what it was on, as near as that is still there, and on the same line of
    /// the screen.
    pub fn refresh(&mut self, world: &World, diffs: &BTreeMap<Arc<ResourceKey>, Fetched<TextDiff>>) {
        let mut rows = Vec::new();
        for at in self.shown() {
            let Some(key) = self.key(at) else { continue };
            if self.whole_app {
                if !rows.is_empty() {
                    rows.push(ViewRow::Space);
                }
                rows.push(ViewRow::Resource { resource: at });
            }
            if self.mode == Mode::Fields {
                self.push_fields(&mut rows, at, world, &key);
            } else {
                self.push_lines(&mut rows, at, &key, diffs.get(&key));
            }
        }
        let anchors = self.anchors_of(&rows, world, diffs);
        let before = self.cursor;
        self.cursor = anchor::kept(&self.anchors, before, &anchors).unwrap_or(before);
        self.cursor = self.cursor.min(rows.len().saturating_sub(1));
        self.top = (self.top + self.cursor).saturating_sub(before);
        (self.rows, self.anchors) = (rows, anchors);
    }

    fn anchors_of(
        &self,
        rows: &[ViewRow],
        world: &World,
        diffs: &BTreeMap<Arc<ResourceKey>, Fetched<TextDiff>>,
    ) -> Vec<Option<Anchor>> {
        let keys: BTreeMap<usize, ResourceKey> =
            self.shown().filter_map(|at| Some((at, self.key(at)?))).collect();
        let anchor = |row: &ViewRow| {
            let key = keys.get(&row.resource()?)?;
            let changes = world.resource(key).map_or(&[][..], |status| &status.judgement.changes);
            Some(Anchor::of(row, key, changes, diffs.get(key).and_then(Fetched::value)))
        };
        rows.iter().map(anchor).collect()
    }

    fn push_fields(&self, rows: &mut Vec<ViewRow>, at: usize, world: &World, key: &ResourceKey) {
        let Some(status) = world.resource(key) else {
            rows.push(ViewRow::Failed { resource: at });
            return;
        };
        let about = super::words::about(status).len();
        rows.extend((0..about).map(|line| ViewRow::About { resource: at, line }));
        let mut listed = 0;
        for (change, field) in status.judgement.changes.iter().enumerate() {
            if !field.counts && !self.quiet {
                continue;
            }
            if listed > 0 {
                rows.push(ViewRow::Space);
            }
            listed += 1;
            rows.push(ViewRow::Path { resource: at, change });
            rows.push(ViewRow::Desired { resource: at, change });
            rows.push(ViewRow::Live { resource: at, change });
            if field.note.is_some() {
                rows.push(ViewRow::Note { resource: at, change });
            }
        }
        if listed == 0 && about == 0 {
            rows.push(ViewRow::Same { resource: at });
        }
    }

    fn push_lines(
        &self,
        rows: &mut Vec<ViewRow>,
        at: usize,
        key: &ResourceKey,
        fetched: Option<&Fetched<TextDiff>>,
    ) {
        let diff = match fetched {
            Some(Fetched::Failed { last: None, .. }) => {
                rows.push(ViewRow::Failed { resource: at });
                return;
            }
            None | Some(Fetched::Idle | Fetched::Loading { last: None }) => {
                rows.push(ViewRow::Loading { resource: at });
                return;
            }
            Some(fetched) => match fetched.value() {
                Some(diff) => diff,
                None => return,
            },
        };
        if diff.lines.iter().all(|line| line.side == Side::Both) {
            rows.push(ViewRow::Same { resource: at });
        }
        for stretch in stretches(diff) {
            match stretch {
                Stretch::Equal { from, to, head, tail } => {
                    let hidden = (from + head, to.saturating_sub(tail));
                    let fold = ViewRow::Fold {
                        resource: at,
                        from: hidden.0,
                        lines: hidden.1.saturating_sub(hidden.0),
                    };
                    let open =
                        !self.folded || self.unfolded.contains(&Anchor::of(&fold, key, &[], Some(diff)));
                    self.push_equal(rows, (from, to), hidden, fold, open);
                }
                Stretch::Changed { from, to } if self.mode == Mode::Unified => {
                    rows.extend((from..to).map(|line| ViewRow::Line { resource: at, line }));
                }
                Stretch::Changed { from, to } => {
                    let of = |side: Side| {
                        (from..to).filter(move |i| diff.lines.get(*i).is_some_and(|l| l.side == side))
                    };
                    let (mut desired, mut live) = (of(Side::Desired), of(Side::Live));
                    loop {
                        let pair = (desired.next(), live.next());
                        if pair == (None, None) {
                            break;
                        }
                        rows.push(ViewRow::Pair { resource: at, desired: pair.0, live: pair.1 });
                    }
                }
            }
        }
        if diff.cut {
            rows.push(ViewRow::Cut { resource: at });
        }
    }

    /// Equal lines: some context, the rest in a fold unless it was opened.
    fn push_equal(
        &self,
        rows: &mut Vec<ViewRow>,
        (from, to): (usize, usize),
        hidden: (usize, usize),
        fold: ViewRow,
        open: bool,
    ) {
        let ViewRow::Fold { resource, lines, .. } = fold else { return };
        let one = |line: usize| {
            if self.mode == Mode::Unified {
                ViewRow::Line { resource, line }
            } else {
                ViewRow::Pair { resource, desired: Some(line), live: Some(line) }
            }
        };
        if lines < WORTH_A_FOLD || open {
            rows.extend((from..to).map(one));
            return;
        }
        rows.extend((from..hidden.0).map(one));
        rows.push(fold);
        rows.extend((hidden.1..to).map(one));
    }

    /// Returns the rows at which a change begins.
    pub fn changes(&self, diffs: &BTreeMap<Arc<ResourceKey>, Fetched<TextDiff>>) -> Vec<usize> {
        let differs = |row: &ViewRow| match row {
            ViewRow::Line { resource, line } => {
                let diff = self.key(*resource).and_then(|key| diffs.get(&key)).and_then(Fetched::value);
                diff.and_then(|d| d.lines.get(*line)).is_some_and(|l| l.side != Side::Both)
            }
            ViewRow::Pair { desired, live, .. } => desired != live,
            _ => false,
        };
        if self.mode == Mode::Fields {
            let starts = self.rows.iter().enumerate();
            return starts.filter(|(_, row)| matches!(row, ViewRow::Path { .. })).map(|(i, _)| i).collect();
        }
        let mut starts = Vec::new();
        let mut inside = false;
        for (at, row) in self.rows.iter().enumerate() {
            let now = differs(row);
            if now && !inside {
                starts.push(at);
            }
            inside = now;
        }
        starts
    }
}

impl ViewRow {
    pub fn resource(&self) -> Option<usize> {
        match self {
            ViewRow::Space => None,
            ViewRow::Resource { resource }
            | ViewRow::Path { resource, .. }
            | ViewRow::Desired { resource, .. }
            | ViewRow::Live { resource, .. }
            | ViewRow::Note { resource, .. }
            | ViewRow::About { resource, .. }
            | ViewRow::Line { resource, .. }
            | ViewRow::Pair { resource, .. }
            | ViewRow::Fold { resource, .. }
            | ViewRow::Loading { resource }
            | ViewRow::Failed { resource }
            | ViewRow::Same { resource }
            | ViewRow::Cut { resource } => Some(*resource),
        }
    }

    /// Returns the resource and change that a row of the fields is about.
    pub fn change(&self) -> Option<(usize, usize)> {
        match self {
            ViewRow::Path { resource, change }
            | ViewRow::Desired { resource, change }
            | ViewRow::Live { resource, change }
            | ViewRow::Note { resource, change } => Some((*resource, *change)),
            _ => None,
        }
    }
}

/// Lines of a diff that belong together.
enum Stretch {
    /// `head` and `tail` lines stay in sight.
    Equal {
        from: usize,
        to: usize,
        head: usize,
        tail: usize,
    },
    Changed {
        from: usize,
        to: usize,
    },
}

fn stretches(diff: &TextDiff) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut from = 0;
    let total = diff.lines.len();
    while from < total {
        let equal = |i: usize| diff.lines.get(i).is_some_and(|line| line.side == Side::Both);
        let kind = equal(from);
        let to = (from..total).find(|i| equal(*i) != kind).unwrap_or(total);
        stretches.push(if kind {
            let head = if from == 0 { 0 } else { CONTEXT.min(to - from) };
            let tail = if to == total { 0 } else { CONTEXT.min(to - from - head) };
            Stretch::Equal { from, to, head, tail }
        } else {
            Stretch::Changed { from, to }
        });
        from = to;
    }
    stretches
}

/// Finds for each line of a diff the change that it shows, where the last field and the value on the line tell it.
///
/// A diff's lines do not say their path. A line is taken for a change's if it stands on the change's side and reads
/// `field: value`; changes and lines are gone through in order, so that equal fields of several items pair up.
pub fn changes_of_lines(diff: &TextDiff, changes: &[FieldChange]) -> BTreeMap<usize, usize> {
    let mut found = BTreeMap::new();
    for side in [Side::Desired, Side::Live] {
        let mut taken = BTreeSet::new();
        for (at, line) in diff.lines.iter().enumerate().filter(|(_, line)| line.side == side) {
            let text: String = line.pieces.iter().map(|piece| piece.text.as_str()).collect();
            let text = text.trim_start_matches([' ', '-']);
            let fits = changes.iter().enumerate().find(|(i, change)| {
                !taken.contains(i) && super::words::line_shows(text, change, side == Side::Desired)
            });
            if let Some((change, _)) = fits {
                taken.insert(change);
                found.insert(at, change);
            }
        }
    }
    found
}
