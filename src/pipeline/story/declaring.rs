//! Tells which commit declared the value of a field, and where it is set; what was asked once is remembered.

use super::Inputs;
use crate::git::{Begin, Known, LineBy};
use crate::model::{
    Class, Declared, DeclaringCommit, FieldChange, Manifest, Oid, Origin, RepoId, ResourceId, Told,
};
use crate::pipeline::unsynced::{Past, Remover};
use crate::render::{self, Place};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// Lines that are remembered; beyond that all are forgotten.
const REMEMBERED: usize = 20_000;

/// A line by repo, commit, file, digest of the file's text, and number.
type Line = (RepoId, Option<Oid>, String, blake3::Hash, usize);

/// A value without a line, by repo, commit, app path, and the file that it comes from as far as that is known.
type Lineless = (RepoId, Oid, String, Option<String>);

/// Who wrote which lines, as far as it was asked.
#[derive(Default)]
pub struct Blames {
    lines: Mutex<HashMap<Line, LineBy>>,
    lineless: Mutex<HashMap<Lineless, Option<Known>>>,
}

/// Tells which commits declared the values of changes, and where, as far as `stop` lets it; beside each change, where in its
/// origin's document the value stands, if that is known. Blocks on the disk.
pub(super) fn declare(
    inputs: &Inputs,
    manifest: &Manifest,
    changes: &mut [(FieldChange, Option<Place>)],
    blames: &Blames,
    stop: &CancellationToken,
) {
    for (change, place) in changes.iter_mut() {
        let Some(desired) = &change.desired else { continue };
        if change.origin.as_ref().is_some_and(|origin| origin.line.is_some()) {
            *place = Some(Place::Own);
        } else if let Some(setting) =
            render::setting(&inputs.app, &*inputs.tree, manifest, &change.path, desired)
        {
            (change.origin, *place) = (Some(setting.origin), setting.place);
        }
    }
    let declared = || changes.iter().map(|(change, _)| change).filter(|change| change.desired.is_some());
    let mut asked: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for origin in declared().filter_map(|change| change.origin.as_ref()) {
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
    for (change, _) in changes.iter_mut().filter(|(change, _)| change.desired.is_some()) {
        let line = change.origin.as_ref().and_then(|origin| Some((&origin.file, origin.line?)));
        let by = line.and_then(|(file, line)| told.get(file)?.get(&line));
        change.declared = match by {
            Some(LineBy::Commit(known)) => Some(Declared::By(commit(known, Told::Line))),
            Some(LineBy::Uncommitted) => Some(Declared::Uncommitted),
            Some(LineBy::GivenUp) => Some(given_up()),
            None => blames.without_line(inputs, change.origin.as_ref(), stop),
        };
    }
}

/// Tells which commit took what is left over out of Git, as far as the app's earlier renderings show it. Blocks on the disk.
pub(super) fn removed(
    inputs: &Inputs,
    id: &ResourceId,
    past: &Past,
    changes: &mut [(FieldChange, Option<Place>)],
    blames: &Blames,
    stop: &CancellationToken,
) {
    let left_over = |change: &FieldChange| change.class == Class::Leftover && change.desired.is_none();
    for (change, _) in changes.iter_mut().filter(|(change, _)| left_over(change)) {
        change.declared = match past.remover(id, &change.path) {
            None => None,
            Some(Remover::Uncommitted) => Some(Declared::Uncommitted),
            Some(Remover::Newest) => match blames.without_line(inputs, None, stop) {
                Some(Declared::By(commit)) => {
                    Some(Declared::By(DeclaringCommit { told: Told::Removed, ..commit }))
                }
                other => other,
            },
            Some(Remover::Commit(id)) => inputs
                .repo
                .commit_facts(&id)
                .ok()
                .map(|facts| Declared::By(commit(&Known { facts, or_earlier: false }, Told::Removed))),
        };
    }
}

fn given_up() -> Declared {
    Declared::Unknown("the search for its commit took too long".to_owned())
}

pub(super) fn commit(known: &Known, told: Told) -> DeclaringCommit {
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

    /// Returns the last commit that touched what can have set a value of which no line is known: the files behind its
    /// origin where those are known, else all that the app is rendered from.
    fn without_line(
        &self,
        inputs: &Inputs,
        origin: Option<&Origin>,
        stop: &CancellationToken,
    ) -> Option<Declared> {
        let Inputs { repo, app, tree, revision } = inputs;
        let commit_now = revision.commit.clone()?;
        let file = origin.map(|origin| origin.file.as_str()).filter(|file| render::is_told_apart(app, file));
        let told = if file.is_some() { Told::Files } else { Told::Inputs };
        let key = (repo.id().clone(), commit_now.clone(), app.path.clone(), file.map(str::to_owned));
        let known = self.lineless.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let found = if let Some(found) = known {
            found
        } else {
            let paths = match file {
                Some(file) => render::inputs_of(app, &**tree, file),
                None => render::inputs(app, &**tree),
            };
            let found = repo.last_touching(&commit_now, &paths, stop);
            if stop.is_cancelled() {
                return Some(given_up());
            }
            self.lineless.lock().unwrap_or_else(PoisonError::into_inner).insert(key, found.clone());
            found
        };
        found.map(|known| Declared::By(commit(&known, told)))
    }
}
