//! Defines the tree of a folder on disk: the working files of a repository, uncommitted changes included, or a plain
//! folder that is in no repository.

use super::digest::{self, Source};
use super::disk::{Disk, Hashes};
use super::ignores::Ignores;
use super::lfs;
use super::resolve::{self, Node, missing, unreadable};
use crate::model::tree::EntryKind;
use crate::model::{FileMode, FileState, Revision, Tree, TreeEntry, TreeError};
use std::path::PathBuf;
use std::sync::Arc;

/// The files of a folder as they are now: what is read later may differ from what was listed.
pub(super) struct WorkingTree {
    disk: Disk,
    hashes: Arc<Hashes>,
    /// `None` for a folder in no repository: there every file counts.
    ignores: Option<Ignores>,
    revision: Revision,
}

impl WorkingTree {
    pub(super) fn new(
        root: PathBuf,
        hashes: Arc<Hashes>,
        ignores: Option<Ignores>,
        revision: Revision,
    ) -> Self {
        Self { disk: Disk::new(root), hashes, ignores, revision }
    }

    fn found_at(&self, path: &str) -> Result<resolve::Resolved, TreeError> {
        let found = resolve::resolve(path, |at| self.look(at))?;
        let is_folder = found.kind == EntryKind::Folder;
        if self.ignores.as_ref().is_some_and(|ignores| ignores.hides(&found.path, is_folder)) {
            return Err(missing(path));
        }
        Ok(found)
    }
}

impl Source for WorkingTree {
    fn look(&self, path: &str) -> Result<Node, TreeError> {
        let node = self.disk.look(path)?;
        let is_repo_within = node == Node::Folder
            && self.ignores.is_some()
            && self.disk.root().join(path).join(".git").symlink_metadata().is_ok();
        Ok(if is_repo_within { Node::Submodule } else { node })
    }

    fn entries(&self, folder: &str) -> Result<Vec<TreeEntry>, TreeError> {
        let entries = self.disk.entries(folder)?;
        match &self.ignores {
            Some(ignores) => ignores.keep(self.disk.root(), folder, entries),
            None => Ok(entries),
        }
    }

    fn file_digest(&self, file: &str) -> Result<String, TreeError> {
        self.disk.digest(file, &self.hashes)
    }

    fn folder_digest(&self, _folder: &str) -> Result<Option<String>, TreeError> {
        Ok(None)
    }
}

impl Tree for WorkingTree {
    fn list(&self, folder: &str) -> Result<Vec<TreeEntry>, TreeError> {
        let found = self.found_at(folder)?;
        match found.kind {
            EntryKind::Folder => self.entries(&found.path),
            EntryKind::Submodule => Err(unreadable(folder, "it is a submodule, which is not read")),
            EntryKind::File | EntryKind::Link => Err(unreadable(folder, "it is a file")),
        }
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, TreeError> {
        let found = self.found_at(file)?;
        match found.kind {
            EntryKind::Folder => Err(TreeError::IsFolder { path: file.to_owned() }),
            EntryKind::Submodule => Err(unreadable(file, "it is a submodule, which is not read")),
            EntryKind::File | EntryKind::Link => lfs::refuse_pointer(file, self.disk.read(&found.path)?),
        }
    }

    fn resolve(&self, path: &str) -> Result<String, TreeError> {
        self.found_at(path).map(|found| found.path)
    }

    fn state(&self, path: &str) -> Result<Option<FileState>, TreeError> {
        if !resolve::is_plain(path) {
            return Ok(None);
        }
        let mut way = String::new();
        for segment in path.split('/') {
            if !way.is_empty() && self.look(&way)? != Node::Folder {
                return Ok(None);
            }
            way = resolve::join(&way, segment);
        }
        let node = self.look(path)?;
        let is_folder = matches!(node, Node::Folder | Node::Submodule);
        if self.ignores.as_ref().is_some_and(|ignores| ignores.hides(path, is_folder)) {
            return Ok(None);
        }
        match node {
            Node::Missing => Ok(None),
            Node::Folder | Node::Submodule => Err(TreeError::IsFolder { path: path.to_owned() }),
            Node::Link(target) => {
                Ok(Some(FileState { mode: FileMode::Link, bytes: target.into_bytes().into() }))
            }
            Node::File => {
                let executable = self.disk.is_executable(path)?;
                let mode = if executable { FileMode::Executable } else { FileMode::Regular };
                Ok(Some(FileState { mode, bytes: self.disk.read(path)?.into() }))
            }
        }
    }

    fn digest(&self, path: &str) -> Result<String, TreeError> {
        self.found_at(path)?;
        digest::digest(self, path)
    }

    fn revision(&self) -> &Revision {
        &self.revision
    }
}
