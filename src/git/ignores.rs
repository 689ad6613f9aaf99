//! Defines which files of a working folder Git would ever commit: what is tracked, and what is not ignored.

use super::repo::Handle;
use super::resolve::join;
use crate::model::TreeError;
use crate::model::tree::{EntryKind, TreeEntry};
use std::path::Path;

/// The ignore rules and the index of a working folder.
pub(super) struct Ignores {
    handle: Handle,
    /// An ignored file or folder that the user named: nothing in it is hidden.
    named: Option<String>,
}

impl Ignores {
    /// Takes the rules of a working folder. `named` is what the user asked for, relative to its root: what somebody names is
    /// meant, also where a rule ignores it.
    pub(super) fn new(handle: Handle, named: &str) -> Self {
        let rules = Self { handle, named: None };
        // Whether it is a folder is not known here: the rule for either will do.
        let is_ignored = rules.hides(named, false) || rules.hides(named, true);
        Self { named: is_ignored.then(|| named.to_owned()), ..rules }
    }

    fn is_named(&self, path: &str) -> bool {
        let rest = self.named.as_ref().and_then(|named| path.strip_prefix(named.as_str()));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Removes ignored entries of a folder, and marks repositories within it as submodules.
    ///
    /// A tracked file counts even where a rule would ignore it, as `git status` has it.
    pub(super) fn keep(
        &self,
        root: &Path,
        folder: &str,
        entries: Vec<TreeEntry>,
    ) -> Result<Vec<TreeEntry>, TreeError> {
        let repo = self.handle.lock();
        let mut index = repo.index().map_err(|error| failed(folder, &error))?;
        // Rereads only if the file on disk has changed.
        index.read(false).map_err(|error| failed(folder, &error))?;
        let mut kept = Vec::with_capacity(entries.len());
        for mut entry in entries {
            let path = join(folder, &entry.name);
            let is_folder = entry.kind == EntryKind::Folder;
            let asked = if is_folder { format!("{path}/") } else { path.clone() };
            let ignored = repo.is_path_ignored(&asked).map_err(|error| failed(&path, &error))?;
            if ignored && !self.is_named(&path) && !is_tracked(&index, &path, is_folder) {
                continue;
            }
            if is_folder && root.join(&path).join(".git").symlink_metadata().is_ok() {
                entry.kind = EntryKind::Submodule;
            }
            kept.push(entry);
        }
        Ok(kept)
    }

    /// Returns whether a path, or any folder that it is in, is ignored and untracked.
    pub(super) fn hides(&self, path: &str, is_folder: bool) -> bool {
        if path.is_empty() || self.is_named(path) {
            return false;
        }
        let repo = self.handle.lock();
        let asked = if is_folder { format!("{path}/") } else { path.to_owned() };
        if !repo.is_path_ignored(asked).unwrap_or(false) {
            return false;
        }
        repo.index().is_ok_and(|index| !is_tracked(&index, path, is_folder))
    }
}

fn is_tracked(index: &git2::Index, path: &str, is_folder: bool) -> bool {
    if is_folder {
        return index.find_prefix(format!("{path}/")).is_ok() || is_gitlink(index, path);
    }
    index.get_path(Path::new(path), 0).is_some()
}

/// A submodule stands in the index as an entry of its own.
fn is_gitlink(index: &git2::Index, path: &str) -> bool {
    index.get_path(Path::new(path), 0).is_some()
}

fn failed(path: &str, error: &git2::Error) -> TreeError {
    super::resolve::unreadable(path, error.message())
}
