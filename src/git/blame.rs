//! Defines which commit wrote a line, which states a file and an app's inputs had before, and which commit touched them
//! last.
//!
//! A few lines of one file are asked for, of histories of thousands of commits, while a person waits: so only the object
//! ids on the path's way are compared at each commit, and lines only where the file is another. libgit2's own blame
//! compares trees whole and can be neither bounded nor given up. The answers are those of `git blame` (a line that a
//! commit did not touch is passed to the parent that has it, of a merge to the first that has it; a renamed file is
//! followed), except that lines which moved within a file are not looked for.
//!
//! Nothing here runs a program or takes the lock of a repo that is read at the same time.

use super::repo::Repo;
use super::revision::{CommitFacts, facts};
use crate::model::{Oid, limits};
use git2::{Commit, DiffFindOptions, DiffOptions, Patch, Repository};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// Commits that are walked at most: history before that is not looked at.
const WALKED: usize = 100_000;
/// Files that a rename is looked for among, in one commit.
const RENAME_LIMIT: usize = 1_000;

/// Where the past begins.
#[derive(Debug, Clone, Copy)]
pub enum Begin<'a> {
    Commit(&'a Oid),
    /// The text of a working file, on a commit; none where there are no commits yet.
    Working {
        head: Option<&'a Oid>,
        text: &'a [u8],
    },
}

/// Who wrote a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineBy {
    Commit(Known),
    /// It is not as it is committed.
    Uncommitted,
    /// The walk was given up, or history is longer than what is walked.
    GivenUp,
}

/// A commit that something is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub facts: CommitFacts,
    /// History ends there (a shallow clone): it may have been so before.
    pub or_earlier: bool,
}

/// A file as it was from one commit on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The commit that made it so.
    pub since: Known,
    /// Its path then.
    pub path: String,
    pub text: Vec<u8>,
}

/// A state that some paths had together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastState {
    /// The commit that made it so.
    pub since: Known,
    /// How many commits have changed the paths since.
    pub behind: usize,
}

impl Repo {
    /// Returns who wrote these lines (counted from 1) of a file. A line that the file does not have has no answer.
    /// Empty for a plain folder, and where the file cannot be read. Blocks on the disk.
    pub fn blame(
        &self,
        file: &str,
        begin: Begin<'_>,
        lines: &BTreeSet<usize>,
        stop: &CancellationToken,
    ) -> BTreeMap<usize, LineBy> {
        let Some(history) = self.history_of(stop) else { return BTreeMap::new() };
        history.blame(file, begin, lines).unwrap_or_default()
    }

    /// Returns what a file was at up to `limit` commits that changed it, newest first, and whether there may be more.
    /// Blocks on the disk.
    pub fn versions(
        &self,
        file: &str,
        from: &Oid,
        limit: usize,
        stop: &CancellationToken,
    ) -> (Vec<Version>, bool) {
        let Some(history) = self.history_of(stop) else { return Default::default() };
        history.versions(file, from, limit).unwrap_or_default()
    }

    /// Returns the last commit that touched any of these paths; `None` where it is not found. Blocks on the disk.
    pub fn last_touching(&self, from: &Oid, paths: &[String], stop: &CancellationToken) -> Option<Known> {
        self.history_of(stop)?.states(from, paths, 1).ok()?.pop().map(|state| state.since)
    }

    /// Returns up to `limit` commits that touch these paths, newest first; of merges the first parent is followed. Blocks on
    /// the disk.
    pub(super) fn touching(
        &self,
        from: &Oid,
        paths: &[String],
        limit: usize,
        stop: &CancellationToken,
    ) -> Vec<Oid> {
        let states = self.history_of(stop).and_then(|history| history.states(from, paths, limit).ok());
        states.unwrap_or_default().into_iter().map(|state| state.since.facts.id).collect()
    }

    /// Returns up to `limit` states that these paths had together before the one of `from`, newest first. Of merges the
    /// first parent is followed: that is the branch's own history. Blocks on the disk.
    pub fn past_states(
        &self,
        from: &Oid,
        paths: &[String],
        limit: usize,
        stop: &CancellationToken,
    ) -> Vec<PastState> {
        let states = self.history_of(stop).and_then(|history| history.states(from, paths, limit + 1).ok());
        states.unwrap_or_default().into_iter().skip(1).collect()
    }

    fn history_of<'s>(&self, stop: &'s CancellationToken) -> Option<History<'s>> {
        let folder = self.inner.handle.as_ref()?.lock().path().to_owned();
        let none: [&std::ffi::OsStr; 0] = [];
        let repo = Repository::open_ext(folder, git2::RepositoryOpenFlags::NO_SEARCH, none).ok()?;
        let ends = std::fs::read_to_string(repo.commondir().join("shallow")).unwrap_or_default();
        let ends = ends.lines().filter_map(|line| git2::Oid::from_str(line.trim()).ok()).collect();
        Some(History { repo, ends, stop })
    }
}

/// A repository with an end of its own: it is read beside everything else.
struct History<'s> {
    repo: Repository,
    /// The commits at which a shallow clone ends.
    ends: HashSet<git2::Oid>,
    stop: &'s CancellationToken,
}

/// Lines that a commit, or one before it, wrote.
struct Suspect {
    commit: git2::Oid,
    path: String,
    blob: git2::Oid,
    /// The line that was asked for, and which it is in this version.
    lines: Vec<(usize, usize)>,
}

impl History<'_> {
    fn known(&self, commit: &Commit<'_>) -> Known {
        // What is said of a commit without parents is true: only what a clone left out is not known.
        Known { facts: facts(commit), or_earlier: self.ends.contains(&commit.id()) }
    }

    /// Returns the parents that are in the clone.
    fn parents<'r>(&'r self, commit: &Commit<'r>) -> Vec<Commit<'r>> {
        if self.ends.contains(&commit.id()) {
            return Vec::new();
        }
        (0..commit.parent_count()).map_while(|at| commit.parent(at).ok()).collect()
    }

    fn blame(
        &self,
        file: &str,
        begin: Begin<'_>,
        lines: &BTreeSet<usize>,
    ) -> Result<BTreeMap<usize, LineBy>, git2::Error> {
        let mut told = BTreeMap::new();
        let all = || lines.iter().map(|line| (*line, *line));
        let first = match begin {
            Begin::Commit(commit) => self.suspect(commit, file, all().collect()),
            Begin::Working { head, text } => {
                let suspect = head.and_then(|head| self.suspect(head, file, Vec::new()));
                let mut kept = Vec::new();
                let there = text.split(|byte| *byte == b'\n').count();
                let hunks = match &suspect {
                    Some(suspect) => Some(self.hunks(suspect.blob, text)?),
                    None => None,
                };
                for line in lines.iter().copied().filter(|line| (1..=there).contains(line)) {
                    match hunks.as_ref().and_then(|hunks| passed(hunks, line)) {
                        Some(before) => kept.push((line, before)),
                        None => drop(told.insert(line, LineBy::Uncommitted)),
                    }
                }
                suspect.map(|suspect| Suspect { lines: kept, ..suspect })
            }
        };
        let mut suspects: Vec<Suspect> = first.into_iter().collect();
        let mut walked = 0;
        while let Some(suspect) = suspects.pop() {
            walked += 1;
            if suspect.lines.is_empty() {
                continue;
            }
            if walked > WALKED || self.stop.is_cancelled() {
                told.extend(suspect.lines.iter().map(|(line, _)| (*line, LineBy::GivenUp)));
                continue;
            }
            let commit = self.repo.find_commit(suspect.commit)?;
            let left = self.pass_on(&commit, suspect, &mut suspects)?;
            if !left.is_empty() {
                let known = self.known(&commit);
                told.extend(left.into_iter().map(|line| (line, LineBy::Commit(known.clone()))));
            }
        }
        Ok(told)
    }

    fn suspect(&self, commit: &Oid, file: &str, lines: Vec<(usize, usize)>) -> Option<Suspect> {
        let commit = git2::Oid::from_str(&commit.0).ok()?;
        let tree = self.repo.find_commit(commit).ok()?.tree().ok()?;
        let blob = tree.get_path(Path::new(file)).ok()?.id();
        let text = self.repo.find_blob(blob).ok()?;
        let there = text.content().split(|byte| *byte == b'\n').count();
        let lines = lines.into_iter().filter(|(line, _)| (1..=there).contains(line)).collect();
        Some(Suspect { commit, path: file.to_owned(), blob, lines })
    }

    /// Passes lines on to the parents that have them. Returns those that none has: the commit wrote them.
    fn pass_on(
        &self,
        commit: &Commit<'_>,
        suspect: Suspect,
        suspects: &mut Vec<Suspect>,
    ) -> Result<Vec<usize>, git2::Error> {
        let Suspect { path, blob, mut lines, .. } = suspect;
        let mut elsewhere = Vec::new();
        for parent in self.parents(commit) {
            match entry(&parent, &path) {
                Some(same) if same == blob => {
                    suspects.push(Suspect { commit: parent.id(), path, blob, lines });
                    return Ok(Vec::new());
                }
                Some(other) => elsewhere.push((parent, path.clone(), other)),
                None => {
                    if let Some((path, other)) = self.renamed(commit, &parent, &path)? {
                        elsewhere.push((parent, path, other));
                    }
                }
            }
        }
        let text = self.repo.find_blob(blob)?;
        for (parent, path, other) in elsewhere {
            let hunks = self.hunks(other, text.content())?;
            let mut kept = Vec::new();
            lines.retain(|(asked, here)| match passed(&hunks, *here) {
                Some(before) => {
                    kept.push((*asked, before));
                    false
                }
                None => true,
            });
            if !kept.is_empty() {
                suspects.push(Suspect { commit: parent.id(), path, blob: other, lines: kept });
            }
            if lines.is_empty() {
                break;
            }
        }
        Ok(lines.into_iter().map(|(asked, _)| asked).collect())
    }

    /// Compares a blob with a newer text.
    fn hunks(&self, before: git2::Oid, text: &[u8]) -> Result<Vec<Hunk>, git2::Error> {
        let before = self.repo.find_blob(before)?;
        let size = u64::try_from(before.size().max(text.len())).unwrap_or(u64::MAX);
        if size > limits::FILE_BYTES {
            return Err(git2::Error::from_str("the file is too large"));
        }
        let mut options = DiffOptions::new();
        options.context_lines(0).interhunk_lines(0).force_text(true);
        let patch = Patch::from_buffers(before.content(), None, text, None, Some(&mut options))?;
        let mut hunks = Vec::new();
        for at in 0..patch.num_hunks() {
            let (hunk, _) = patch.hunk(at)?;
            let numbers = [hunk.old_lines(), hunk.new_start(), hunk.new_lines()];
            let [gone, start, new] = numbers.map(|number| usize::try_from(number).unwrap_or(usize::MAX));
            // Where nothing is new, the hunk stands behind its line.
            hunks.push(Hunk { start: if new == 0 { start + 1 } else { start }, gone, new });
        }
        Ok(hunks)
    }

    /// Returns under which path a file of a commit stood in its parent, if it was renamed there.
    fn renamed(
        &self,
        commit: &Commit<'_>,
        parent: &Commit<'_>,
        path: &str,
    ) -> Result<Option<(String, git2::Oid)>, git2::Error> {
        let mut diff = self.repo.diff_tree_to_tree(Some(&parent.tree()?), Some(&commit.tree()?), None)?;
        let mut find = DiffFindOptions::new();
        find.renames(true).rename_limit(RENAME_LIMIT);
        diff.find_similar(Some(&mut find))?;
        let mut renames = diff.deltas().filter(|delta| delta.status() == git2::Delta::Renamed);
        let found = renames.find(|delta| delta.new_file().path() == Some(Path::new(path)));
        Ok(found.and_then(|delta| {
            let before = delta.old_file();
            Some((before.path()?.to_str()?.to_owned(), before.id()))
        }))
    }

    fn versions(&self, file: &str, from: &Oid, limit: usize) -> Result<(Vec<Version>, bool), git2::Error> {
        let mut versions = Vec::new();
        let mut commit = self.repo.find_commit(git2::Oid::from_str(&from.0)?)?;
        let mut path = file.to_owned();
        let Some(mut blob) = entry(&commit, &path) else { return Ok((versions, false)) };
        for _ in 0..WALKED {
            if self.stop.is_cancelled() {
                return Ok((versions, true));
            }
            let parents = self.parents(&commit);
            if let Some(same) = parents.iter().find(|parent| entry(parent, &path) == Some(blob)) {
                commit = same.clone();
                continue;
            }
            if versions.len() == limit {
                return Ok((versions, true));
            }
            let text = self.repo.find_blob(blob)?.content().to_owned();
            versions.push(Version { since: self.known(&commit), path: path.clone(), text });
            let mut before = None;
            for parent in parents {
                let found = match entry(&parent, &path) {
                    Some(blob) => Some((path.clone(), blob)),
                    None => self.renamed(&commit, &parent, &path)?,
                };
                if let Some((path, blob)) = found {
                    before = Some((parent, path, blob));
                    break;
                }
            }
            let Some(found) = before else { return Ok((versions, false)) };
            (commit, path, blob) = found;
        }
        Ok((versions, true))
    }

    /// Returns the states of these paths, that of `from` first.
    fn states(&self, from: &Oid, paths: &[String], limit: usize) -> Result<Vec<PastState>, git2::Error> {
        let of = |commit: &Commit<'_>| paths.iter().map(|path| entry(commit, path)).collect::<Vec<_>>();
        let mut commit = self.repo.find_commit(git2::Oid::from_str(&from.0)?)?;
        let mut state = of(&commit);
        let mut states = Vec::new();
        for _ in 0..WALKED {
            if self.stop.is_cancelled() || states.len() >= limit {
                break;
            }
            let parent = self.parents(&commit).into_iter().next();
            let before = parent.as_ref().map(of);
            if before.as_ref() != Some(&state) {
                // Before the paths were there at all, there is no state of theirs.
                if state.iter().any(Option::is_some) {
                    states.push(PastState { since: self.known(&commit), behind: states.len() });
                }
            }
            let (Some(parent), Some(before)) = (parent, before) else { break };
            (commit, state) = (parent, before);
        }
        Ok(states)
    }
}

/// What differs between a text and the one before: from a line on, so many lines are new where so many are gone.
struct Hunk {
    start: usize,
    gone: usize,
    new: usize,
}

/// Returns which line of the text before a line is; `None` where it is new.
fn passed(hunks: &[Hunk], line: usize) -> Option<usize> {
    let mut before = line;
    for Hunk { start, gone, new } in hunks {
        if line < *start {
            break;
        }
        if line < start + new {
            return None;
        }
        before = (before + gone).checked_sub(*new)?;
    }
    Some(before)
}

/// Returns the object id of what stands at a path; the root's is the tree's.
fn entry(commit: &Commit<'_>, path: &str) -> Option<git2::Oid> {
    if path.is_empty() {
        return Some(commit.tree_id());
    }
    commit.tree().ok()?.get_path(Path::new(path)).ok().map(|entry| entry.id())
}
