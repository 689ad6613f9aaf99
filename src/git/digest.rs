//! Defines the digest of a path of a tree: equal digests mean equal files, what links lead to included.

use super::resolve::{Node, Resolved, join, resolve, unreadable};
use crate::model::TreeError;
use crate::model::limits;
use crate::model::tree::{EntryKind, TreeEntry};
use std::collections::BTreeSet;

/// What a digest is taken from. Paths carry no links.
pub(super) trait Source {
    fn look(&self, path: &str) -> Result<Node, TreeError>;
    fn entries(&self, folder: &str) -> Result<Vec<TreeEntry>, TreeError>;
    fn file_digest(&self, file: &str) -> Result<String, TreeError>;

    /// Returns a ready digest of a folder that holds no links at all, where the source has one.
    fn folder_digest(&self, folder: &str) -> Result<Option<String>, TreeError>;
}

/// Returns the digest of everything under a path, and of whatever links under it lead to.
pub(super) fn digest(source: &impl Source, path: &str) -> Result<String, TreeError> {
    let top = resolve(path, |at| source.look(at))?;
    if top.kind == EntryKind::Folder
        && let Some(ready) = source.folder_digest(&top.path)?
    {
        return Ok(ready);
    }
    if top.kind == EntryKind::File {
        return source.file_digest(&top.path);
    }
    let mut walk =
        Walk { source, hasher: blake3::Hasher::new(), seen: BTreeSet::new(), files: 0, asked: path };
    walk.add(&top)?;
    Ok(format!("walk:{}", walk.hasher.finalize().to_hex()))
}

struct Walk<'a, S> {
    source: &'a S,
    hasher: blake3::Hasher,
    /// Folders that are already part of the digest: a link back to one adds nothing.
    seen: BTreeSet<String>,
    files: usize,
    asked: &'a str,
}

impl<S: Source> Walk<'_, S> {
    fn add(&mut self, at: &Resolved) -> Result<(), TreeError> {
        self.files += 1;
        if self.files > limits::REPO_FILES {
            return Err(TreeError::TooMany { path: self.asked.to_owned(), limit: limits::REPO_FILES });
        }
        match at.kind {
            EntryKind::File => {
                let digest = self.source.file_digest(&at.path)?;
                self.mark(b'f', &digest);
            }
            EntryKind::Folder if self.seen.insert(at.path.clone()) => self.add_folder(&at.path)?,
            EntryKind::Folder => self.mark(b'=', &at.path),
            EntryKind::Submodule | EntryKind::Link => self.mark(b's', ""),
        }
        Ok(())
    }

    fn add_folder(&mut self, folder: &str) -> Result<(), TreeError> {
        if let Some(ready) = self.source.folder_digest(folder)? {
            self.mark(b'd', &ready);
            return Ok(());
        }
        if folder.matches('/').count() >= limits::FOLDER_DEPTH {
            let reason = format!("it is more than {} folders deep", limits::FOLDER_DEPTH);
            return Err(unreadable(folder, &reason));
        }
        let entries = self.source.entries(folder)?;
        self.mark(b'(', &entries.len().to_string());
        for entry in entries {
            self.mark(b'n', &entry.name);
            let path = join(folder, &entry.name);
            let found = match entry.kind {
                EntryKind::Link => match resolve(&path, |at| self.source.look(at)) {
                    Ok(found) => found,
                    // Where it leads is no part of the tree; that it leads nowhere is.
                    Err(broken) => {
                        self.mark(b'!', &broken.to_string());
                        continue;
                    }
                },
                kind => Resolved { path, kind },
            };
            self.add(&found)?;
        }
        self.mark(b')', "");
        Ok(())
    }

    /// Adds a tagged text with its length, so that no two walks run together into the same bytes.
    fn mark(&mut self, tag: u8, text: &str) {
        self.hasher.update(&[tag]);
        self.hasher.update(&(text.len() as u64).to_le_bytes());
        self.hasher.update(text.as_bytes());
    }
}
