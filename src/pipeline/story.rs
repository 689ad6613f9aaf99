//! Tells the story of an object's fields: which commit declared each value, where it is set, what it was before, and what
//! the cluster's events say. Only of what somebody looks at, within a bound, and off the async threads.

use crate::cluster::Cluster;
use crate::git::{self, Begin, Known, LineBy};
use crate::model::cluster::{Scope, ServedKind};
use crate::model::story::{EarlierValue, Event, FieldStory};
use crate::model::{
    App, Cause, ClusterFacts, Declared, DeclaringCommit, FieldChange, GroupKind, Manifest, Oid, Origin,
    RepoId, ResourceId, Revision, Story, Told, Tree, Value, field,
};
use crate::pipeline::event::read_event;
use crate::pipeline::failed_sync::Engines;
use crate::pipeline::run::Inspected;
use crate::render;
use crate::text::redact;
use crate::text::yaml::read_documents;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the past of one object is searched at most.
pub const STORY_TIME: Duration = Duration::from_secs(5);
/// Versions of a file that are looked through for a field's earlier values.
const VERSIONS: usize = 50;
/// Earlier values of a field that are told.
const EARLIER: usize = 8;
/// Events that are told, newest first.
const EVENTS: usize = 10;
/// Lines that are remembered; beyond that all are forgotten.
const REMEMBERED: usize = 20_000;

/// What an app is read from.
#[derive(Clone)]
pub struct Inputs {
    pub repo: git::Repo,
    pub app: App,
    pub tree: Arc<dyn Tree>,
    pub revision: Revision,
}

/// A line by repo, commit, file, digest of the file's text, and number.
type Line = (RepoId, Option<Oid>, String, blake3::Hash, usize);

/// Who wrote which lines, as far as it was asked.
#[derive(Default)]
pub struct Blames {
    lines: Mutex<HashMap<Line, LineBy>>,
    inputs: Mutex<HashMap<(RepoId, Oid, String), Option<Known>>>,
}

/// Tells which commits declared the values of changes, and where, as far as `stop` lets it. Blocks on the disk.
pub fn declare(
    inputs: &Inputs,
    manifest: &Manifest,
    changes: &mut [FieldChange],
    blames: &Blames,
    stop: &CancellationToken,
) {
    for change in changes.iter_mut() {
        let Some(desired) = &change.desired else { continue };
        if change.origin.as_ref().is_none_or(|origin| origin.line.is_none())
            && let Some(origin) = render::setting(&inputs.app, &*inputs.tree, manifest, &change.path, desired)
        {
            change.origin = Some(origin);
        }
    }
    let mut asked: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for origin in changes.iter().filter(|c| c.desired.is_some()).filter_map(|c| c.origin.as_ref()) {
        if let Some(line) = origin.line {
            asked.entry(origin.file.clone()).or_default().insert(line);
        }
    }
    let told: BTreeMap<String, BTreeMap<usize, LineBy>> = asked
        .into_iter()
        .map(|(file, lines)| {
            let told = blames.lines(inputs, &file, lines, stop);
            (file, told)
        })
        .collect();
    for change in changes.iter_mut().filter(|change| change.desired.is_some()) {
        let line = change.origin.as_ref().and_then(|origin| Some((&origin.file, origin.line?)));
        let by = line.and_then(|(file, line)| told.get(file)?.get(&line));
        change.declared = match by {
            Some(LineBy::Commit(known)) => Some(declared(known, Told::Line)),
            Some(LineBy::Uncommitted) => Some(Declared::Uncommitted),
            Some(LineBy::GivenUp) => Some(given_up()),
            None => blames.inputs(inputs, change.origin.as_ref(), stop),
        };
    }
}

fn given_up() -> Declared {
    Declared::Unknown("the search for its commit took too long".to_owned())
}

fn declared(known: &Known, told: Told) -> Declared {
    Declared::By(commit(known, told))
}

fn commit(known: &Known, told: Told) -> DeclaringCommit {
    DeclaringCommit {
        commit: known.facts.id.clone(),
        author: known.facts.author.clone(),
        authored: known.facts.authored,
        subject: known.facts.subject.clone(),
        told,
        or_earlier: known.or_earlier,
    }
}

impl Blames {
    fn lines(
        &self,
        inputs: &Inputs,
        file: &str,
        lines: BTreeSet<usize>,
        stop: &CancellationToken,
    ) -> BTreeMap<usize, LineBy> {
        let Inputs { repo, tree, revision, .. } = inputs;
        let Ok(text) = tree.read(file) else { return BTreeMap::new() };
        let digest = blake3::hash(&text);
        let key = |line| (repo.id().clone(), revision.commit.clone(), file.to_owned(), digest, line);
        let mut told = BTreeMap::new();
        let mut open = BTreeSet::new();
        {
            let known = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            for line in lines {
                match known.get(&key(line)) {
                    Some(by) => drop(told.insert(line, by.clone())),
                    None => drop(open.insert(line)),
                }
            }
        }
        if open.is_empty() {
            return told;
        }
        // The files are read as they stand there, or out of the commit: compared with it, both are right.
        let begin = Begin::Working { head: revision.commit.as_ref(), text: &text };
        let found = repo.blame(file, begin, &open, stop);
        let mut known = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > REMEMBERED {
            known.clear();
        }
        let lasting = found.iter().filter(|(_, by)| **by != LineBy::GivenUp);
        known.extend(lasting.map(|(line, by)| (key(*line), by.clone())));
        told.extend(found);
        told
    }

    /// Returns the last commit that touched the file that a value comes from, or all that the app is rendered from.
    fn inputs(&self, inputs: &Inputs, origin: Option<&Origin>, stop: &CancellationToken) -> Option<Declared> {
        let Inputs { repo, app, tree, revision } = inputs;
        let commit = revision.commit.clone()?;
        let file = origin.map_or(String::new(), |origin| origin.file.clone());
        let key = (repo.id().clone(), commit.clone(), format!("{}\0{file}", app.path));
        let known = self.inputs.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let found = if let Some(found) = known {
            found
        } else {
            let paths = render::inputs(app, &**tree);
            let found = repo.last_touching(&commit, &paths, stop);
            if stop.is_cancelled() {
                return Some(given_up());
            }
            self.inputs.lock().unwrap_or_else(PoisonError::into_inner).insert(key, found.clone());
            found
        };
        found.map(|known| declared(&known, Told::Inputs))
    }
}

/// Tells the story of an object. `whole`: with the values that its fields had before, and the cluster's events.
pub async fn story(inspected: Inspected, blames: Arc<Blames>, engines: &Engines, whole: bool) -> Story {
    let events = async {
        if !whole {
            return (Vec::new(), None);
        }
        let Inspected { cluster, facts, status, .. } = &inspected;
        let read = events(&**cluster, facts, &status.id);
        match tokio::time::timeout(STORY_TIME, read).await {
            Ok(Ok(events)) => (events, None),
            Ok(Err(why)) => (Vec::new(), Some(why)),
            Err(_) => (Vec::new(), Some("the cluster took too long".to_owned())),
        }
    };
    let failed = failed_sync(&inspected, engines);
    let ((events, no_events), fields, failed_sync) =
        tokio::join!(events, fields(&inspected, blames, whole), failed);
    Story { whole, fields, failed_sync, events, no_events }
}

/// Returns why an object that is as an earlier commit had it was not brought further, where its engine tells.
async fn failed_sync(inspected: &Inspected, engines: &Engines) -> Option<String> {
    let waits = |change: &FieldChange| change.cause == Cause::UnsyncedCommit;
    let live = inspected.live.as_ref()?;
    if !inspected.status.judgement.changes.iter().any(waits) {
        return None;
    }
    engines.failure(&*inspected.cluster, &inspected.facts, live).await
}

async fn fields(inspected: &Inspected, blames: Arc<Blames>, whole: bool) -> Vec<FieldStory> {
    let mut changes = inspected.status.judgement.changes.clone();
    let applied = inspected.live.as_ref().and_then(|live| live.last_applied.clone());
    let (inputs, desired) = (inspected.inputs.clone(), inspected.desired.clone());
    let stop = CancellationToken::new();
    let given_up = stop.clone();
    let work = tokio::task::spawn_blocking(move || {
        if let (Some(inputs), Some(manifest)) = (&inputs, &desired) {
            declare(inputs, manifest, &mut changes, &blames, &stop);
        }
        changes
            .into_iter()
            .map(|change| {
                let (earlier, earlier_more) = match &inputs {
                    Some(inputs) if whole && !is_secret(&change) => {
                        earlier(inputs, desired.as_deref(), &change, &stop)
                    }
                    _ => (Vec::new(), false),
                };
                let was = applied.as_ref().and_then(|applied| field::at(applied, &change.path));
                let applied = was.filter(|was| {
                    let same = |side: &Option<Value>| side.as_ref() == Some(was);
                    !same(&change.desired) && !same(&change.live)
                });
                FieldStory {
                    applied: applied.cloned(),
                    path: change.path,
                    origin: change.origin,
                    declared: change.declared,
                    earlier,
                    earlier_more,
                }
            })
            .collect()
    });
    // The walk looks at this at every step, and ends soon after.
    let timer = async {
        tokio::time::sleep(STORY_TIME).await;
        given_up.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        fields = work => fields.unwrap_or_default(),
        () = timer => Vec::new(),
    }
}

/// Earlier values are read from files, where nothing is sealed: what is hidden now was a secret then too.
fn is_secret(change: &FieldChange) -> bool {
    let sides = [&change.desired, &change.live];
    sides.into_iter().flatten().any(|value| redact::hides(value, &change.path))
}

/// Returns what a field was declared with before, as far as the history of the file that sets it tells.
fn earlier(
    inputs: &Inputs,
    manifest: Option<&Manifest>,
    change: &FieldChange,
    stop: &CancellationToken,
) -> (Vec<EarlierValue>, bool) {
    let (Some(commit_now), Some(origin)) = (&inputs.revision.commit, &change.origin) else {
        return (Vec::new(), false);
    };
    let Some(steps) = steps_of_line(inputs, origin) else { return (Vec::new(), false) };
    let (versions, more) = inputs.repo.versions(&origin.file, commit_now, VERSIONS, stop);
    let kind = manifest.map(|m| m.kind.kind.as_str().to_owned());
    let values = versions.iter().map(|version| value_of(&version.text, origin, kind.as_deref(), &steps));
    let values: Vec<Option<Value>> = values.collect();
    let mut told = Vec::new();
    for (at, version) in versions.iter().enumerate() {
        let before = values.get(at + 1);
        let value = values.get(at).cloned().flatten();
        // The commit that made it so is the oldest of those that have it in a row.
        let made = match before {
            Some(before) => *before != value,
            None => !more,
        };
        if made {
            told.push(EarlierValue { commit: commit(&version.since, Told::Line), value });
        }
    }
    // The first is what is declared now; before a field was there, nothing is worth a line but that.
    let newest_is_now = told.first().is_some_and(|first| first.value == values.first().cloned().flatten());
    let told: Vec<EarlierValue> = told.into_iter().skip(usize::from(newest_is_now)).collect();
    let cut = told.len() > EARLIER;
    (told.into_iter().take(EARLIER).collect(), more || cut)
}

/// Returns the raw keys and positions that lead to a line of a file, as it is now.
fn steps_of_line(inputs: &Inputs, origin: &Origin) -> Option<Vec<String>> {
    let line = u32::try_from(origin.line?).ok()?;
    let text = inputs.tree.read(&origin.file).ok()?;
    let document = read_documents(&text).into_iter().nth(origin.document)?.ok()?;
    let mut steps = Vec::new();
    let mut node = &document.lines;
    loop {
        // The deepest that begins on the line, or the last that begins before it.
        let next = node
            .children
            .iter()
            .filter(|(_, child)| child.line > 0 && child.line <= line)
            .max_by_key(|(_, c)| c.line)?;
        steps.push(next.0.clone());
        node = &next.1;
        if node.line == line {
            return Some(steps);
        }
    }
}

fn value_of(text: &[u8], origin: &Origin, kind: Option<&str>, steps: &[String]) -> Option<Value> {
    let documents: Vec<_> = read_documents(text).into_iter().flatten().collect();
    let of_kind = |value: &Value| kind.is_some() && value.str_at(&["kind"]) == kind;
    let document = documents
        .iter()
        .find(|document| document.index == origin.document)
        .filter(|document| kind.is_none() || of_kind(&document.value) || document.value.get("kind").is_none())
        .or_else(|| documents.iter().find(|document| of_kind(&document.value)))?;
    let mut value = &document.value;
    for step in steps {
        value = match value {
            Value::List(items) => items.get(step.parse::<usize>().ok()?)?,
            other => other.get(step)?,
        };
    }
    Some(value.clone())
}

/// Reads the events about one object, once. Errors: why they cannot be read.
async fn events(cluster: &dyn Cluster, facts: &ClusterFacts, of: &ResourceId) -> Result<Vec<Event>, String> {
    let Some(served) = facts.preferred(&GroupKind::new("", "Event")).cloned() else {
        return Err("the cluster serves no events".to_owned());
    };
    let served: ServedKind = served;
    let namespace = of.namespace.clone().unwrap_or_else(|| "default".to_owned());
    let objects =
        cluster.list(served, Scope::Namespace(namespace)).await.map_err(|error| error.to_string())?;
    let mut events: Vec<Event> = objects
        .iter()
        .filter_map(|packed| packed.open(&of.cluster).ok())
        .filter(|event| {
            let about = |field: &str| event.body.str_at(&["involvedObject", field]);
            about("kind") == Some(&of.kind.kind) && about("name") == of.name.as_deref()
        })
        .map(|event| read_event(&event.body))
        .collect();
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
    events.truncate(EVENTS);
    Ok(events)
}
