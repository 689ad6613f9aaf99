//! Defines a tree with some files in another state than they are: what a plan would make of it, before anything is written.

use super::file_edit::{FileEdit, FileState};
use super::revision::Revision;
use super::tree::{EntryKind, Tree, TreeEntry, TreeError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A tree below, and the files that are not as they are there.
#[derive(Clone)]
pub struct Overlaid {
    below: Arc<dyn Tree>,
    /// By path; `None`: the file is gone.
    files: BTreeMap<String, Option<FileState>>,
}

impl Overlaid {
    pub fn over(below: Arc<dyn Tree>) -> Self {
        Self { below, files: BTreeMap::new() }
    }

    /// Puts a file in another state. The path must carry no links.
    pub fn put(&mut self, path: &str, state: Option<FileState>) {
        self.files.insert(path.to_owned(), state);
    }

    /// Returns what is not as it is below, by path.
    ///
    /// Errors: what stands below at one of the paths cannot be read.
    pub fn edits(&self) -> Result<Vec<FileEdit>, TreeError> {
        let mut edits = Vec::new();
        for (path, after) in &self.files {
            let before = self.below.state(path)?;
            let edit = FileEdit { path: path.clone(), before, after: after.clone() };
            edits.extend(Some(edit).filter(FileEdit::changes));
        }
        Ok(edits)
    }

    /// Returns the path without links that a path leads to. What is not there below may be a file that was put there.
    fn resolved(&self, path: &str) -> Result<String, TreeError> {
        if self.files.contains_key(path) {
            return Ok(path.to_owned());
        }
        match self.below.resolve(path) {
            Err(TreeError::NotFound { .. }) => {
                let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
                let folder = if folder.is_empty() { String::new() } else { self.resolved(folder)? };
                Ok(if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") })
            }
            resolved => resolved,
        }
    }
}

impl Tree for Overlaid {
    fn list(&self, folder: &str) -> Result<Vec<TreeEntry>, TreeError> {
        let at = self.resolved(folder)?;
        let listed = self.below.list(&at);
        let mut entries: BTreeMap<String, EntryKind> = match &listed {
            Ok(entries) => entries.iter().map(|entry| (entry.name.clone(), entry.kind)).collect(),
            Err(TreeError::NotFound { .. }) => BTreeMap::new(),
            Err(_) => return listed,
        };
        let mut any = listed.is_ok();
        for (path, state) in &self.files {
            let rest = match at.as_str() {
                "" => Some(path.as_str()),
                at => path.strip_prefix(at).and_then(|rest| rest.strip_prefix('/')),
            };
            match (
                rest.map(|rest| rest.split_once('/').map_or((rest, false), |(name, _)| (name, true))),
                state,
            ) {
                (Some((name, false)), None) => drop(entries.remove(name)),
                (Some((name, is_folder)), Some(_)) => {
                    let kind = if is_folder { EntryKind::Folder } else { EntryKind::File };
                    entries.entry(name.to_owned()).or_insert(kind);
                    any = true;
                }
                _ => {}
            }
        }
        if any {
            Ok(entries.into_iter().map(|(name, kind)| TreeEntry { name, kind }).collect())
        } else {
            listed
        }
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, TreeError> {
        match self.files.get(&self.resolved(file)?) {
            Some(Some(state)) => Ok(state.bytes.to_vec()),
            Some(None) => Err(TreeError::NotFound { path: file.to_owned() }),
            None => self.below.read(file),
        }
    }

    fn resolve(&self, path: &str) -> Result<String, TreeError> {
        let resolved = self.resolved(path)?;
        let inside = format!("{resolved}/");
        let put = || self.files.iter().any(|(file, state)| state.is_some() && file.starts_with(&inside));
        match self.files.get(&resolved) {
            Some(Some(_)) => Ok(resolved),
            Some(None) => Err(TreeError::NotFound { path: path.to_owned() }),
            None if put() => Ok(resolved),
            None => self.below.resolve(path),
        }
    }

    fn state(&self, path: &str) -> Result<Option<FileState>, TreeError> {
        match self.files.get(path) {
            Some(state) => Ok(state.clone()),
            None => self.below.state(path),
        }
    }

    fn digest(&self, path: &str) -> Result<String, TreeError> {
        let below = match self.below.digest(path) {
            Err(TreeError::NotFound { .. }) => String::new(),
            digest => digest?,
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update(below.as_bytes());
        for (file, state) in &self.files {
            let content = state.as_ref().map(|state| blake3::hash(&state.bytes).to_hex().to_string());
            hasher.update(file.as_bytes()).update(&[0]).update(content.unwrap_or_default().as_bytes());
        }
        Ok(hasher.finalize().to_hex().to_string())
    }

    fn revision(&self) -> &Revision {
        self.below.revision()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MemoryTree;

    fn names(tree: &dyn Tree, folder: &str) -> Vec<String> {
        tree.list(folder).unwrap().into_iter().map(|entry| entry.name).collect()
    }

    #[test]
    fn files_come_go_and_change_and_all_else_is_as_it_is_below() {
        let below = MemoryTree::default().file("a/b", "1").file("a/c", "2").file("d", "3").link("to", "a");
        let before = below.clone();
        let mut tree = Overlaid::over(Arc::new(below));
        tree.put("a/b", Some(FileState::regular(&b"x"[..])));
        tree.put("a/c", None);
        tree.put("new/e/f", Some(FileState::regular(&b"y"[..])));
        assert_eq!(names(&tree, ""), ["a", "d", "new", "to"]);
        assert_eq!(names(&tree, "a"), ["b"]);
        assert_eq!(names(&tree, "new"), ["e"]);
        assert_eq!(names(&tree, "to"), ["b"], "what a link leads to changes with it");
        assert_eq!(tree.read("to/b").unwrap(), b"x");
        assert_eq!(tree.read("new/e/f").unwrap(), b"y");
        assert_eq!(tree.read("d").unwrap(), b"3");
        assert!(matches!(tree.read("a/c"), Err(TreeError::NotFound { .. })));
        assert!(matches!(tree.list("none"), Err(TreeError::NotFound { .. })));
        assert_eq!(tree.resolve("new/e").unwrap(), "new/e");
        assert_ne!(tree.digest("").unwrap(), before.digest("").unwrap());
        let edits: Vec<_> = tree
            .edits()
            .unwrap()
            .into_iter()
            .map(|e| (e.path, e.before.is_some(), e.after.is_some()))
            .collect();
        assert_eq!(
            edits,
            [("a/b".into(), true, true), ("a/c".into(), true, false), ("new/e/f".into(), false, true)]
        );
    }
}
