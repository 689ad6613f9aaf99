//! Defines the journal: what was done, on what, by whom, and how it turned out.
//!
//! The journal is one JSON line for each action, in `journal.jsonl`. While an action runs, its intents are in a file of
//! their own under `intents`, with a lock beside it, one line before each write and one after it. A file whose lock nobody
//! holds any more belongs to a driftdeck that was killed: [`close_abandoned`] reads back what became of its last write, so that the
//! journal agrees with the cluster.

use super::bind;
use super::dry_run::served_kind;
use super::read_back::{ReadBack, Sent, judge};
use crate::cluster::Cluster;
use crate::config::private::{Lock, PrivateError, PrivateFolder};
use crate::model::{
    Bound, ClusterFacts, GroupVersionKind, LiveObject, Plan, Step, StepAction, StepOutcome, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};

const JOURNAL: &str = "journal.jsonl";
const INTENTS: &str = "intents";
/// What the file of an action's intents is called after its id.
const SUFFIX: &str = ".jsonl";

/// Why the journal cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("the journal cannot be kept: {0}")]
    File(#[from] PrivateError),
    #[error("{} cannot be listed: {error}", .folder.display())]
    List { folder: PathBuf, error: std::io::Error },
    #[error("a line of the journal cannot be made: {0}")]
    Line(#[from] serde_json::Error),
    #[error("an action called {id} is running already")]
    Running { id: String },
}

/// Says what became of the commit that was under way in an action: outcome and cause.
pub(super) type Became<'a> = dyn FnMut(&Entry, Option<&CommitIntent>) -> (&'static str, Option<String>) + 'a;

/// The journal in the state folder.
#[derive(Debug, Clone)]
pub struct Journal {
    folder: PathBuf,
}

/// One action of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub id: String,
    pub time: String,
    /// As the cluster knows them, where it tells.
    pub user: Option<String>,
    /// Whom the user acted as.
    #[serde(rename = "as")]
    pub acted_as: Option<String>,
    pub command: String,
    pub app: String,
    /// The context.
    pub cluster: String,
    #[serde(rename = "clusterId")]
    pub cluster_id: String,
    /// `applied`, `unchanged`, or the worst of the steps' outcomes.
    pub outcome: String,
    /// When its last step was over; `None` where it was cut short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    pub plan: Json,
}

/// A line of an intents file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Line {
    Begin(Box<Entry>),
    Intent(Intent),
    Commit(CommitIntent),
    Outcome(Told),
}

/// A commit that is there, and that a branch is about to lead to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitIntent {
    pub step: usize,
    pub time: String,
    /// Where the repository is on this machine.
    pub location: String,
    pub branch: String,
    /// The remote that it is being pushed to; `None`: the branch here is about to move.
    pub remote: Option<String>,
    /// The commit that the branch is at.
    pub base: String,
    pub commit: String,
    /// The files that it changes.
    pub files: Vec<String>,
}

/// What is about to be written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    pub step: usize,
    pub time: String,
    pub kind: GroupVersionKind,
    pub namespace: Option<String>,
    pub name: String,
    pub action: String,
    pub manager: String,
    pub uid: Option<String>,
    pub resource_version: Option<String>,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// How a step turned out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    pub step: usize,
    pub time: String,
    pub outcome: String,
    pub cause: Option<String>,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// A running action with its file of intents, locked as long as it runs.
#[derive(Debug)]
pub struct Action {
    journal: Journal,
    intents: PrivateFolder,
    /// Shows others that this action is running.
    _lock: Lock,
    entry: Entry,
}

impl Journal {
    /// Takes the journal of a state folder. Nothing is touched before it is used.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Returns the folder that the journal lies in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Begins an action: from here on it is on disk that it was begun.
    pub fn begin(&self, entry: Entry) -> Result<Action, JournalError> {
        let intents = PrivateFolder::open(&self.folder)?.folder(INTENTS)?;
        let lock =
            intents.try_lock(&entry.id)?.ok_or_else(|| JournalError::Running { id: entry.id.clone() })?;
        let action = Action { journal: self.clone(), intents, _lock: lock, entry };
        action.line(&Line::Begin(Box::new(action.entry.clone())))?;
        Ok(action)
    }

    /// Returns every action, oldest first. A line that cannot be read is passed over.
    pub fn entries(&self) -> Result<Vec<Entry>, JournalError> {
        // Looking at a journal that was never written makes no folders.
        if !self.folder.is_dir() {
            return Ok(Vec::new());
        }
        let bytes = PrivateFolder::open(&self.folder)?.read(JOURNAL)?.unwrap_or_default();
        let lines = bytes.split(|byte| *byte == b'\n');
        Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    /// Returns the actions that were begun and not ended, with whether a driftdeck carries them out right now. Nothing is
    /// changed.
    pub fn unfinished(&self) -> Result<Vec<(Entry, bool)>, JournalError> {
        let mut found = Vec::new();
        for Begun { lock, bytes, .. } in self.begun()? {
            let begun =
                bytes.split(|byte| *byte == b'\n').find_map(|line| match serde_json::from_slice(line) {
                    Ok(Line::Begin(entry)) => Some(*entry),
                    _ => None,
                });
            found.extend(begun.map(|entry| (entry, lock.is_none())));
        }
        found.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
        Ok(found)
    }

    /// Returns the actions that were begun and not ended, and that nobody runs any more.
    fn abandoned(&self) -> Result<Vec<Abandoned>, JournalError> {
        let begun = self.begun()?.into_iter();
        // Locked: the driftdeck that runs this action lives.
        Ok(begun.filter_map(|Begun { id, lock, bytes }| Some(Abandoned::read(&id, lock?, &bytes))).collect())
    }

    /// Returns what was begun and not ended.
    fn begun(&self) -> Result<Vec<Begun>, JournalError> {
        let folder = self.folder.join(INTENTS);
        let listed = match std::fs::read_dir(&folder) {
            Ok(listed) => listed,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(JournalError::List { folder, error }),
        };
        let intents = PrivateFolder::open(&folder)?;
        let mut found = Vec::new();
        for entry in listed.filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(id) = name.strip_suffix(SUFFIX) else { continue };
            let lock = intents.try_lock(id)?;
            if let Some(bytes) = intents.read(&name)? {
                found.push(Begun { id: id.to_owned(), lock, bytes });
            }
        }
        Ok(found)
    }

    /// Closes the actions on repos that were begun and not ended, and that nobody runs any more. `became` says of each what
    /// became of the commit that was under way, as outcome and cause.
    pub(super) fn close_commits(&self, now: Timestamp, became: &mut Became<'_>) -> Result<(), JournalError> {
        let mut recorded: Option<Vec<String>> = None;
        for mut left in self.abandoned()? {
            let Some(mut entry) = left.entry.take_if(|entry| entry.cluster_id.is_empty()) else { continue };
            let recorded = match &mut recorded {
                Some(recorded) => recorded,
                none => none.insert(self.entries()?.into_iter().map(|entry| entry.id).collect()),
            };
            if !recorded.contains(&entry.id) {
                let under_way = left.commit.as_ref().map_or(0, |commit| commit.step);
                if left.told.iter().all(|told| told.step != under_way) {
                    let (outcome, cause) = became(&entry, left.commit.as_ref());
                    let step = under_way;
                    let time = super::document::time(now);
                    let outcome = outcome.to_owned();
                    left.told.push(Told { step, time, outcome, cause, before: None, after: None });
                }
                settle(&mut entry, &left.told);
                self.append(&entry)?;
            }
            self.discard(&left.id)?;
        }
        Ok(())
    }

    fn append(&self, entry: &Entry) -> Result<(), JournalError> {
        Ok(PrivateFolder::open(&self.folder)?.append_line(JOURNAL, &serde_json::to_vec(entry)?)?)
    }

    /// Removes the file of an action's intents and its lock.
    fn discard(&self, id: &str) -> Result<(), JournalError> {
        let intents = PrivateFolder::open(&self.folder.join(INTENTS))?;
        intents.remove(&format!("{id}{SUFFIX}"))?;
        Ok(intents.remove(&format!("{id}.lock"))?)
    }
}

impl Action {
    /// Puts on disk what is about to be written. If this fails, nothing may be written.
    pub fn intend(&self, intent: &Intent) -> Result<(), JournalError> {
        self.line(&Line::Intent(intent.clone()))
    }

    /// Puts on disk which commit a branch is about to lead to. If this fails, no branch may be moved.
    pub fn intend_commit(&self, intent: &CommitIntent) -> Result<(), JournalError> {
        self.line(&Line::Commit(intent.clone()))
    }

    /// Puts on disk how a step turned out.
    pub fn tell(&self, told: &Told) -> Result<(), JournalError> {
        self.line(&Line::Outcome(told.clone()))
    }

    /// Ends the action: one line in the journal, and no file of intents any more.
    pub fn close(mut self, outcome: &str, plan: Json, now: Timestamp) -> Result<(), JournalError> {
        self.entry.ended = Some(super::document::time(now));
        outcome.clone_into(&mut self.entry.outcome);
        self.entry.plan = plan;
        self.journal.append(&self.entry)?;
        self.journal.discard(&self.entry.id)
    }

    fn line(&self, line: &Line) -> Result<(), JournalError> {
        let name = format!("{}{SUFFIX}", self.entry.id);
        Ok(self.intents.append_line(&name, &serde_json::to_vec(line)?)?)
    }
}

/// The file of an action's intents.
struct Begun {
    id: String,
    /// `None`: a driftdeck holds it, and carries the action out right now.
    lock: Option<Lock>,
    bytes: Vec<u8>,
}

/// An action whose driftdeck was killed.
struct Abandoned {
    id: String,
    /// Keeps others from closing it too.
    _lock: Lock,
    entry: Option<Entry>,
    /// The last intent of each step that has no outcome yet.
    open: Vec<Intent>,
    /// The commit that a branch was about to lead to.
    commit: Option<CommitIntent>,
    told: Vec<Told>,
}

impl Abandoned {
    fn read(id: &str, lock: Lock, bytes: &[u8]) -> Self {
        let mut found = Self {
            id: id.to_owned(),
            _lock: lock,
            entry: None,
            open: Vec::new(),
            commit: None,
            told: Vec::new(),
        };
        // The last line may be half written: what it was about had not begun.
        for line in bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()) {
            match line {
                Line::Begin(entry) => found.entry = Some(*entry),
                Line::Intent(intent) => {
                    found.open.retain(|i| i.step != intent.step);
                    found.open.push(intent);
                }
                Line::Commit(intent) => found.commit = Some(intent),
                Line::Outcome(told) => {
                    found.open.retain(|i| i.step != told.step);
                    found.told.push(told);
                }
            }
        }
        found
    }
}

/// Closes the actions of this cluster that a killed driftdeck left behind: reads back what became of the writes that
/// were under way, and puts each action into the journal. Returns them.
pub async fn close_abandoned(
    journal: &Journal,
    cluster: &dyn Cluster,
    facts: &ClusterFacts,
    now: Timestamp,
) -> Result<Vec<Entry>, JournalError> {
    let recorded: Vec<String> = journal.entries()?.into_iter().map(|e| e.id).collect();
    let mut closed = Vec::new();
    for mut left in journal.abandoned()? {
        let Some(mut entry) = left.entry.take() else {
            journal.discard(&left.id)?;
            continue;
        };
        if *entry.cluster_id != *facts.id.0 {
            continue;
        }
        if !recorded.contains(&entry.id) {
            for intent in std::mem::take(&mut left.open) {
                let told = read_back(&intent, cluster, facts, now).await;
                left.told.push(told);
            }
            settle(&mut entry, &left.told);
            journal.append(&entry)?;
            closed.push(entry);
        }
        journal.discard(&left.id)?;
    }
    Ok(closed)
}

async fn read_back(intent: &Intent, cluster: &dyn Cluster, facts: &ClusterFacts, now: Timestamp) -> Told {
    let mut told = Told {
        step: intent.step,
        time: super::document::time(now),
        outcome: "indeterminate".to_owned(),
        cause: None,
        before: intent.before.clone(),
        after: None,
    };
    let read = match served_kind(facts, &intent.kind) {
        Some(kind) => cluster.get(kind, intent.namespace.clone(), intent.name.clone()).await,
        None => return Told { cause: Some(format!("{} is not served", intent.kind.kind)), ..told },
    };
    let live: Option<LiveObject> = match read {
        Ok(live) => live,
        Err(error) => return Told { cause: Some(error.to_string()), ..told },
    };
    let before = Bound {
        uid: intent.uid.clone(),
        resource_version: intent.resource_version.clone(),
        ..Bound::default()
    };
    let sent = Sent {
        action: action(&intent.action),
        manager: &intent.manager,
        before: &before,
        digest_before: intent.before.as_deref(),
        digest_after: intent.after.as_deref(),
    };
    told.after = live.as_ref().map(bind::lasting_digest);
    match judge(&sent, live.as_ref()) {
        ReadBack::Done => "applied".clone_into(&mut told.outcome),
        ReadBack::NotDone => "failed".clone_into(&mut told.outcome),
        ReadBack::Unclear(why) => told.cause = Some(why.to_owned()),
    }
    told.cause
        .get_or_insert_with(|| "driftdeck ended before the answer came; this was read back later".to_owned());
    told
}

/// Writes what was told of the steps into the entry's plan; steps that were not begun are cancelled.
fn settle(entry: &mut Entry, told: &[Told]) {
    let mut words = Vec::new();
    if let Some(steps) = entry.plan.get_mut("steps").and_then(Json::as_array_mut) {
        for (at, step) in steps.iter_mut().enumerate() {
            let Some(fields) = step.as_object_mut() else { continue };
            if let Some(told) = told.iter().rev().find(|t| t.step == at) {
                fields.insert("outcome".to_owned(), json!(told.outcome));
                fields.insert("before".to_owned(), json!(told.before));
                fields.insert("after".to_owned(), json!(told.after));
                if let Some(cause) = &told.cause {
                    fields.insert("notice".to_owned(), json!({"title": cause}));
                }
            } else if fields.get("outcome").and_then(Json::as_str) == Some("planned") {
                fields.insert("outcome".to_owned(), json!("cancelled"));
            }
            words.extend(fields.get("outcome").and_then(Json::as_str).map(str::to_owned));
        }
    }
    overall(words.iter().map(String::as_str)).clone_into(&mut entry.outcome);
}

fn action(word: &str) -> StepAction {
    match word {
        "create" => StepAction::Create,
        "apply" => StepAction::Apply,
        "delete" => StepAction::Delete,
        "engine" => StepAction::Engine,
        _ => StepAction::Patch,
    }
}

/// Returns the word for an action as a whole: the worst of its steps.
pub fn overall<'w>(words: impl Iterator<Item = &'w str>) -> &'static str {
    const WORST_FIRST: [&str; 6] =
        ["indeterminate", "failed", "refused", "cancelled", "applied", "unchanged"];
    let mut worst = WORST_FIRST.len();
    for word in words {
        worst = worst.min(WORST_FIRST.iter().position(|w| *w == word).unwrap_or(worst));
    }
    WORST_FIRST.get(worst).copied().unwrap_or("unchanged")
}

/// Returns the beginning of an entry for a plan.
pub fn entry(plan: &Plan, user: Option<String>, acted_as: Option<String>, now: Timestamp) -> Entry {
    Entry {
        id: plan.id.clone(),
        time: super::document::time(now),
        user,
        acted_as,
        command: plan.command.to_owned(),
        app: plan.app.name.clone(),
        cluster: plan.context.clone(),
        cluster_id: plan.cluster.0.to_string(),
        outcome: "planned".to_owned(),
        ended: None,
        plan: super::document::recorded(plan, &[]),
    }
}

/// Returns what is told of a step.
pub fn told(
    at: usize,
    outcome: &StepOutcome,
    now: Timestamp,
    before: Option<String>,
    after: Option<String>,
) -> Told {
    let cause = outcome.notice().map(|n| n.cause.clone().unwrap_or_else(|| n.title.clone()));
    Told {
        step: at,
        time: super::document::time(now),
        outcome: outcome.word().to_owned(),
        cause,
        before,
        after,
    }
}

/// Returns the intent of a step.
pub fn intent(
    at: usize,
    step: &Step,
    now: Timestamp,
    live: Option<&LiveObject>,
    after: Option<&LiveObject>,
) -> Intent {
    Intent {
        step: at,
        time: super::document::time(now),
        kind: step.kind.clone(),
        namespace: step.resource.namespace.clone(),
        name: step.resource.name.clone().unwrap_or_default(),
        action: step.action.word().to_owned(),
        manager: step.manager.clone(),
        uid: live.and_then(|l| l.uid.clone()),
        resource_version: live.and_then(|l| l.resource_version.clone()),
        before: live.map(bind::lasting_digest),
        after: after.map(bind::lasting_digest),
    }
}
