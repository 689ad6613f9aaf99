//! Defines a tree in memory: for what comes from standard input, and for tests.

use super::file_edit::{FileMode, FileState};
use super::revision::{Asked, Revision};
use super::tree::{EntryKind, Tree, TreeEntry, TreeError};
use std::collections::BTreeMap;

/// Files that exist only in memory, under the paths that they were given.
#[derive(Debug, Clone)]
pub struct MemoryTree {
    nodes: BTreeMap<String, Node>,
    revision: Revision,
}

#[derive(Debug, Clone)]
enum Node {
    File(Vec<u8>),
    /// A path from the root of the tree; anything that starts with `/` or `..` leads out of it.
    Link(String),
}

impl Default for MemoryTree {
    fn default() -> Self {
        let asked = Asked::WorkingFolder { branch: None };
        let revision = Revision { asked, commit: None, dirty: false, behind: 0, ahead: 0 };
        Self { nodes: BTreeMap::new(), revision }
    }
}

impl MemoryTree {
    /// Adds a file, or replaces it.
    #[must_use]
    pub fn file(mut self, path: &str, text: impl Into<Vec<u8>>) -> Self {
        self.nodes.insert(path.to_owned(), Node::File(text.into()));
        self
    }

    /// Adds a symbolic link to a path that is counted from the root of the tree.
    #[must_use]
    pub fn link(mut self, path: &str, target: &str) -> Self {
        self.nodes.insert(path.to_owned(), Node::Link(target.to_owned()));
        self
    }

    /// Returns the path with its first link replaced, at whichever segment that stands.
    fn resolved(&self, path: &str) -> Result<String, TreeError> {
        let mut at = path.to_owned();
        for _ in 0..super::limits::LINKS_FOLLOWED {
            let link = self.nodes.iter().find_map(|(name, node)| match node {
                Node::Link(target) if is_at_or_under(&at, name) => Some((name.clone(), target.clone())),
                _ => None,
            });
            let Some((name, target)) = link else { return Ok(at) };
            if target.starts_with('/') || target.starts_with("..") {
                return Err(TreeError::LeavesTree { path: path.to_owned() });
            }
            at = format!("{target}{}", &at[name.len()..]);
        }
        Err(TreeError::Unreadable { path: path.to_owned(), reason: "too many links".to_owned() })
    }

    fn is_folder(&self, path: &str) -> bool {
        path.is_empty() || self.nodes.keys().any(|file| file != path && is_at_or_under(file, path))
    }
}

fn is_at_or_under(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || folder.is_empty() || rest.starts_with('/'))
}

impl Tree for MemoryTree {
    fn list(&self, folder: &str) -> Result<Vec<TreeEntry>, TreeError> {
        let at = self.resolved(folder)?;
        if !self.is_folder(&at) {
            return Err(TreeError::NotFound { path: folder.to_owned() });
        }
        let mut entries = BTreeMap::new();
        for (path, node) in &self.nodes {
            let rest = match at.as_str() {
                "" => path.as_str(),
                at => match path.strip_prefix(at).and_then(|rest| rest.strip_prefix('/')) {
                    Some(rest) => rest,
                    None => continue,
                },
            };
            let (name, kind) = match (rest.split_once('/'), node) {
                (Some((name, _)), _) => (name, EntryKind::Folder),
                (None, Node::File(_)) => (rest, EntryKind::File),
                (None, Node::Link(_)) => (rest, EntryKind::Link),
            };
            entries.insert(name.to_owned(), kind);
        }
        Ok(entries.into_iter().map(|(name, kind)| TreeEntry { name, kind }).collect())
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, TreeError> {
        let at = self.resolved(file)?;
        match self.nodes.get(&at) {
            Some(Node::File(bytes)) => Ok(bytes.clone()),
            _ if self.is_folder(&at) => Err(TreeError::IsFolder { path: file.to_owned() }),
            _ => Err(TreeError::NotFound { path: file.to_owned() }),
        }
    }

    fn resolve(&self, path: &str) -> Result<String, TreeError> {
        let at = self.resolved(path)?;
        if self.nodes.contains_key(&at) || self.is_folder(&at) {
            Ok(at)
        } else {
            Err(TreeError::NotFound { path: path.to_owned() })
        }
    }

    fn state(&self, path: &str) -> Result<Option<FileState>, TreeError> {
        match self.nodes.get(path) {
            Some(Node::File(bytes)) => Ok(Some(FileState::regular(bytes.as_slice()))),
            Some(Node::Link(target)) => {
                Ok(Some(FileState { mode: FileMode::Link, bytes: target.as_bytes().into() }))
            }
            None if self.is_folder(path) => Err(TreeError::IsFolder { path: path.to_owned() }),
            None => Ok(None),
        }
    }

    fn digest(&self, path: &str) -> Result<String, TreeError> {
        let at = self.resolved(path)?;
        let mut hasher = blake3::Hasher::new();
        let mut found = at.is_empty();
        for (name, node) in self.nodes.iter().filter(|(name, _)| is_at_or_under(name, &at)) {
            found = true;
            let content = match node {
                Node::File(bytes) => bytes.as_slice(),
                Node::Link(target) => target.as_bytes(),
            };
            hasher.update(name.as_bytes()).update(&[0]).update(blake3::hash(content).as_bytes());
        }
        if found {
            Ok(hasher.finalize().to_hex().to_string())
        } else {
            Err(TreeError::NotFound { path: path.to_owned() })
        }
    }

    fn revision(&self) -> &Revision {
        &self.revision
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_what_stands_before_a_slash() {
        let tree = MemoryTree::default().file("a/b.yaml", "x").file("a/c/d", "y").file("ab", "z");
        let names = |folder| tree.list(folder).unwrap().into_iter().map(|e| e.name).collect::<Vec<_>>();
        assert_eq!(names(""), ["a", "ab"]);
        assert_eq!(names("a"), ["b.yaml", "c"]);
        assert_eq!(tree.list("x"), Err(TreeError::NotFound { path: "x".into() }));
        assert_eq!(tree.read("a/c"), Err(TreeError::IsFolder { path: "a/c".into() }));
        assert_eq!(tree.read("a/c/d").unwrap(), b"y");
    }

    #[test]
    fn links_are_followed_inside_the_tree_only() {
        let tree = MemoryTree::default().file("a/b", "x").link("to", "a").link("out", "../b");
        assert_eq!(tree.read("to/b").unwrap(), b"x");
        assert_eq!(tree.read("out"), Err(TreeError::LeavesTree { path: "out".into() }));
        assert_eq!(tree.list("to").unwrap().len(), 1);
    }

    #[test]
    fn a_digest_follows_what_is_under_its_path() {
        let one = MemoryTree::default().file("a/b", "x").file("c", "1");
        let two = MemoryTree::default().file("a/b", "x").file("c", "2");
        assert_eq!(one.digest("a"), two.digest("a"));
        assert_ne!(one.digest(""), two.digest(""));
    }
}
