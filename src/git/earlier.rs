//! Defines which earlier commits touched a path: what an app used to declare is what its extras are known by.

use super::repo::Repo;
use crate::model::Oid;

/// Commits that are walked at most, whether they touch the path or not.
const WALKED: usize = 2_000;

impl Repo {
    /// Returns up to `limit` commits before `from` at which the path was other than at the commit after it, newest first.
    ///
    /// A commit stands for the state of the path that the following commit replaced, so that together they show every
    /// state that the path had. Of merges the first parent is followed. Empty for a plain folder, and where nothing of
    /// the path's past is found within two thousand commits. Blocks on the disk.
    pub fn earlier_states(&self, from: &Oid, path: &str, limit: usize) -> Vec<Oid> {
        let Some(handle) = &self.inner.handle else { return Vec::new() };
        let repo = handle.lock();
        walk(&repo, from, path, limit).unwrap_or_default()
    }
}

fn walk(repo: &git2::Repository, from: &Oid, path: &str, limit: usize) -> Result<Vec<Oid>, git2::Error> {
    let mut commit = repo.find_commit(git2::Oid::from_str(&from.0)?)?;
    let mut state = entry(&commit, path);
    let mut states = Vec::new();
    for _ in 0..WALKED {
        // A shallow clone ends here, and so does history.
        let Ok(parent) = commit.parent(0) else { break };
        let before = entry(&parent, path);
        if before != state {
            if before.is_some() {
                states.push(Oid(parent.id().to_string()));
            }
            if states.len() >= limit {
                break;
            }
            state = before;
        }
        commit = parent;
    }
    Ok(states)
}

/// Returns the object id of what stands at the path; the root's is the tree's.
fn entry(commit: &git2::Commit<'_>, path: &str) -> Option<git2::Oid> {
    let tree = commit.tree().ok()?;
    if path.is_empty() {
        return Some(tree.id());
    }
    tree.get_path(std::path::Path::new(path)).ok().map(|entry| entry.id())
}
