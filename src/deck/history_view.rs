//! Defines the screen "history": the commits that touch an app, how far the cluster is off each, and what one of them would
//! be against the cluster, against what Git declares now, or against another commit.

use super::effect::Ticket;
use super::layer::Scroll;
use super::list::{List, Row};
use super::state::State;
use super::words;
use super::wrap::Words;
use crate::config::theme::Role;
use crate::model::history::{self, Against, PastCommit, Step};
use crate::model::status::ResourceStatus;
use crate::model::{AppId, DeploymentId, Fetched, History, Notice, Oid, Signature, Timestamp, Verdict};
use std::collections::{BTreeMap, HashMap};

impl Row for Oid {}

/// What the commits are held against, in the order of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Held {
    #[default]
    Live,
    Desired,
    /// Each commit against the one before it in the list.
    Previous,
}

impl Held {
    pub const ALL: [Self; 3] = [Self::Live, Self::Desired, Self::Previous];

    /// Returns how the screen's title calls it.
    pub fn words(self) -> &'static str {
        match self {
            Held::Live => "against live",
            Held::Desired => "against desired",
            Held::Previous => "each commit",
        }
    }

    /// Returns what comes after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Held::Live => Held::Desired,
            Held::Desired => Held::Previous,
            Held::Previous => Held::Live,
        }
    }
}

/// The screen.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryView {
    pub app: AppId,
    /// `None`: the app alone, in no cluster.
    pub deployment: Option<DeploymentId>,
    /// What is being asked for; `None`: nothing.
    pub ticket: Option<Ticket>,
    /// Why it cannot be told.
    pub failed: Option<Notice>,
    pub history: History,
    /// Where each commit stands in it.
    places: HashMap<Oid, usize>,
    pub rows: List<Oid>,
    pub distances: BTreeMap<Oid, Result<usize, String>>,
    pub held: Held,
    /// Commits are held against this one instead.
    pub base: Option<Oid>,
}

impl HistoryView {
    pub fn new(app: AppId, deployment: Option<DeploymentId>, ticket: Ticket) -> Self {
        let held = if deployment.is_some() { Held::Live } else { Held::Previous };
        Self {
            app,
            deployment,
            ticket: Some(ticket),
            failed: None,
            history: History::default(),
            places: HashMap::new(),
            rows: List::default(),
            distances: BTreeMap::new(),
            held,
            base: None,
        }
    }

    pub fn commit(&self, id: &Oid) -> Option<&PastCommit> {
        self.history.commits.get(*self.places.get(id)?)
    }

    /// Returns the commit under the cursor.
    pub fn current(&self) -> Option<&PastCommit> {
        self.commit(self.rows.current()?)
    }

    /// Returns the commit of the app before this one.
    fn before(&self, id: &Oid) -> Option<&PastCommit> {
        self.history.commits.get(self.places.get(id)? + 1)
    }

    /// Returns what the commit under the cursor is held against; `None` where there is nothing before it.
    pub fn against(&self) -> Option<Against> {
        let current = self.rows.current()?;
        if let Some(base) = self.base.as_ref().filter(|base| *base != current) {
            return Some(Against::Commit(base.clone()));
        }
        match self.held {
            Held::Live => Some(Against::Live),
            Held::Desired => Some(Against::Desired),
            Held::Previous => self.before(current).map(|before| Against::Commit(before.id.clone())),
        }
    }

    /// Takes in what is told.
    pub fn take(&mut self, step: Step, now: Timestamp, height: usize) {
        match step {
            Step::Commits(history) => {
                let places = history.commits.iter().enumerate().map(|(at, commit)| (commit.id.clone(), at));
                self.places = places.collect();
                let rows = history.commits.iter().map(|commit| commit.id.clone()).collect();
                self.history = history;
                self.rows.refresh(rows, now, height);
            }
            Step::Distance(commit, distance) => drop(self.distances.insert(commit, distance)),
            Step::Signatures(checked) => {
                for commit in &mut self.history.commits {
                    if let Some(signature) = checked.get(&commit.id) {
                        commit.signature = *signature;
                    }
                }
            }
        }
    }

    /// Returns the commit that the cluster fits best, with how far it is off.
    pub fn best(&self) -> Option<(&Oid, usize)> {
        history::best(self.history.commits.iter(), &self.distances)
    }

    /// Returns what stands at the end of the title: `fleet, 14 commits of 2,310`.
    pub fn counted(&self, state: &State) -> String {
        let repo = state.world.repo(&self.app.repo).map_or("", |repo| repo.name.as_str());
        let more = if self.history.more { "at least " } else { "" };
        let of = self.history.of.map(|of| format!(" of {}", grouped(of))).unwrap_or_default();
        let n = self.history.commits.len();
        let commits = if n == 1 && of.is_empty() { "commit" } else { "commits" };
        let repo = if Room::of(state) == Room::Wide { format!("{repo}, ") } else { String::new() };
        format!("{repo}{more}{}{of} {commits}", grouped(n))
    }
}

/// Writes a number with its thousands apart.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// How much of each commit there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    Wide,
    /// Without what is known of signatures.
    Narrow,
    /// Subject and distance alone.
    Tiny,
}

impl Room {
    pub fn of(state: &State) -> Self {
        match state.layout().body.width {
            100.. => Self::Wide,
            60.. => Self::Narrow,
            _ => Self::Tiny,
        }
    }
}

/// The cells of a row; those that there is no room for are empty.
pub struct Cells {
    pub id: String,
    pub when: String,
    pub author: String,
    pub subject: String,
    /// The forge's number, and what is known of the signature.
    pub marks: String,
    /// How far clusters are off it.
    pub distance: String,
}

impl Cells {
    /// `best`: the commit that the cluster fits best, worked out once for all rows.
    pub fn of(state: &State, view: &HistoryView, commit: &PastCommit, best: Option<&Oid>) -> Self {
        let zone = &state.options.zone;
        let room = Room::of(state);
        let mut marks: Vec<String> =
            commit.pull_request.iter().filter(|_| room != Room::Tiny).cloned().collect();
        if commit.signature != Signature::None && room == Room::Wide {
            marks.push(match commit.signature {
                Signature::Unchecked => "signed".to_owned(),
                other => format!("{} signature", other.word()),
            });
        }
        let mut distance = Vec::new();
        let called = |id: &DeploymentId| state.world.called(&id.cluster).to_owned();
        if view.held != Held::Live || view.base.is_some() {
            // How far live is off says nothing of what the commits are held against then.
            let files = commit.files.len();
            distance.push(if room == Room::Tiny {
                format!("{files} f")
            } else {
                words::count(files, "file")
            });
        } else if let (Some(id), Some(known)) = (&view.deployment, view.distances.get(&commit.id)) {
            let best = best == Some(&commit.id);
            distance.push(match known {
                Ok(0) if room == Room::Tiny => if best { "here" } else { "as live" }.to_owned(),
                Ok(n) if room == Room::Tiny => format!("{n} off{}", if best { ", best" } else { "" }),
                Err(_) if room == Room::Tiny => "?".to_owned(),
                Ok(n) if best && room == Room::Narrow && *n > 0 => {
                    format!("{} off, best", words::count(*n, "field"))
                }
                Ok(0) if best => format!("{} is here", called(id)),
                Ok(0) => "as live".to_owned(),
                Ok(n) if best => format!("{} off live, best match", words::count(*n, "field")),
                Ok(n) => format!("{} off live", words::count(*n, "field")),
                Err(_) => "not known".to_owned(),
            });
        }
        // Of the other clusters what is known anyway: those that are at an earlier commit.
        for other in state.world.deployments_of(&view.app) {
            let is_other = view.deployment.as_ref().is_none_or(|id| *id != other.id);
            if is_other && other.as_at.as_ref().is_some_and(|at| at.commit == commit.id) {
                distance.push(format!("{} is here", called(&other.id)));
            }
        }
        Self {
            id: commit.id.short().to_owned(),
            when: commit
                .authored
                .filter(|_| room != Room::Tiny)
                .map(|at| words::age(at, state.now, zone))
                .unwrap_or_default(),
            author: if room == Room::Tiny { String::new() } else { commit.author.clone() },
            subject: commit.subject.clone(),
            marks: marks.join(" "),
            distance: distance.join(", "),
        }
    }
}

/// Returns how many commits are seen, below the title.
pub fn rows_seen(state: &State) -> usize {
    usize::from(state.layout().body.height).saturating_sub(1).max(1)
}

/// What one commit is against something.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectView {
    pub app: AppId,
    pub deployment: DeploymentId,
    pub commit: PastCommit,
    pub against: Against,
    pub ticket: Option<Ticket>,
    pub differing: Fetched<Vec<ResourceStatus>>,
    pub scroll: Scroll,
}

impl EffectView {
    /// Returns what its two sides are called, the one that reads first first.
    pub fn sides(&self) -> [String; 2] {
        let commit = format!("at {}", self.commit.id.short());
        match &self.against {
            Against::Live => [commit, "live now".to_owned()],
            Against::Desired => [commit, "desired now".to_owned()],
            Against::Commit(other) => [commit, format!("at {}", other.short())],
        }
    }
}

/// Returns the lines of what a commit is against something.
pub fn effect_lines(state: &State, view: &EffectView) -> Vec<Words> {
    let mut lines = Vec::new();
    let zone = &state.options.zone;
    let commit = &view.commit;
    let when = commit.authored.map(|at| words::when(at, state.now, zone)).unwrap_or_default();
    lines.push(vec![
        (format!(" {} ", commit.id.short()), Role::Accent),
        (commit.subject.clone(), Role::Text),
        (format!("  {} <{}>, {when}", commit.author, commit.email), Role::Dim),
    ]);
    let files = match commit.files.as_slice() {
        [] => "no file of the app".to_owned(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    };
    lines.push(vec![(" changed: ".to_owned(), Role::Dim), (files, Role::Dim)]);
    lines.push(Vec::new());
    match &view.differing {
        Fetched::Failed { notice, .. } => {
            lines.push(vec![(format!(" {}", notice.title), Role::Warning)]);
            lines.extend(notice.cause.iter().map(|cause| vec![(format!(" {cause}"), Role::Dim)]));
        }
        Fetched::Ready { value, .. } if value.is_empty() => {
            lines.push(vec![(" nothing differs".to_owned(), Role::Dim)]);
        }
        Fetched::Ready { value, .. } => {
            let [first, second] = view.sides();
            let role = if matches!(view.against, Against::Live) { Role::Live } else { Role::Text };
            let (first, second) = (format!("only {first}"), format!("only {second}"));
            let sides = Sides { first: &first, second: &second, role, live_first: false };
            for status in value {
                push_resource(state, &sides, status, &mut lines);
            }
        }
        Fetched::Idle | Fetched::Loading { .. } => {
            lines.push(vec![(" rendering it and comparing".to_owned(), Role::Dim)]);
        }
    }
    lines
}

/// How the two sides of what differs are told.
pub(super) struct Sides<'a> {
    /// What is said of an object that only the first side has, and of one that only the second has.
    pub first: &'a str,
    pub second: &'a str,
    /// The hue of the second side.
    pub role: Role,
    /// What is written reads from what is to what will be: the second side stands first.
    pub live_first: bool,
}

pub(super) fn push_resource(
    state: &State,
    sides: &Sides<'_>,
    status: &ResourceStatus,
    lines: &mut Vec<Words>,
) {
    let fields = status.judgement.counted().count();
    let summary = match status.verdict() {
        Verdict::Missing => sides.first.to_owned(),
        Verdict::Extra => sides.second.to_owned(),
        Verdict::Invalid => "invalid".to_owned(),
        _ => words::count(fields, "field"),
    };
    lines.push(vec![
        (format!(" {} ", super::marks::verdict(status.verdict(), &state.options)), Role::Drift),
        (format!("{} {}  ", status.id.kind.kind, words::name(&status.id)), Role::Title),
        (summary, Role::Dim),
    ]);
    for change in status.judgement.counted() {
        lines.push(vec![
            (format!("   {} ", super::marks::class(change.class)), Role::Drift),
            (change.path.to_string(), Role::Text),
        ]);
        let mut line = vec![("       ".to_owned(), Role::Dim)];
        if let Some(lines) = words::lines_differ(change) {
            line.push((lines, Role::Desired));
        } else {
            let (desired, live) = words::sides(change);
            let mut both = [(desired, Role::Desired), (live, sides.role)];
            if sides.live_first {
                both.reverse();
            }
            let [from, to] = both;
            line.extend([from, (" → ".to_owned(), Role::Dim), to]);
        }
        lines.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_stand_apart() {
        for (n, text) in [(0, "0"), (999, "999"), (2310, "2,310"), (1_000_000, "1,000,000")] {
            assert_eq!(grouped(n), text);
        }
    }
}
