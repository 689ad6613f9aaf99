//! Defines the tree of a commit, read from the object database: nothing is checked out.

use super::digest::{self, Source};
use super::lfs;
use super::repo::Handle;
use super::resolve::{self, Node, is_git_folder, unreadable};
use crate::model::limits;
use crate::model::tree::EntryKind;
use crate::model::{FileMode, FileState, Revision, Tree, TreeEntry, TreeError};
use git2::{ObjectType, Oid};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Bytes of one folder's object: more than the longest names of `FOLDER_ENTRIES` entries is no folder of manifests.
const FOLDER_BYTES: usize = 16 << 20;
/// Bytes of a symbolic link's text, as Linux bounds a path.
const LINK_BYTES: usize = 4096;

const MODE_TYPE: i32 = 0o170_000;
const MODE_FOLDER: i32 = 0o040_000;
const MODE_LINK: i32 = 0o120_000;
const MODE_SUBMODULE: i32 = 0o160_000;
const MODE_EXECUTABLE: i32 = 0o111;

/// The files of a commit.
pub(super) struct CommitTree {
    handle: Handle,
    root: Oid,
    revision: Revision,
    /// Whether a folder's object holds links anywhere below, by object id.
    links: Mutex<HashMap<Oid, bool>>,
}

/// One entry as the object database has it.
#[derive(Clone, Copy)]
struct Stored {
    oid: Oid,
    mode: i32,
}

impl CommitTree {
    pub(super) fn new(handle: Handle, root: Oid, revision: Revision) -> Self {
        Self { handle, root, revision, links: Mutex::default() }
    }

    /// Finds what stands at a path without links.
    fn stored(&self, repo: &git2::Repository, path: &str) -> Result<Option<Stored>, TreeError> {
        if path.is_empty() {
            return Ok(Some(Stored { oid: self.root, mode: MODE_FOLDER }));
        }
        let root = repo.find_tree(self.root).map_err(|error| failed(path, &error))?;
        match root.get_path(Path::new(path)) {
            Ok(entry) => Ok(Some(Stored { oid: entry.id(), mode: entry.filemode() })),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(failed(path, &error)),
        }
    }

    fn found(&self, repo: &git2::Repository, path: &str) -> Result<Stored, TreeError> {
        self.stored(repo, path)?.ok_or_else(|| resolve::missing(path))
    }

    fn found_at(&self, path: &str) -> Result<resolve::Resolved, TreeError> {
        resolve::resolve(path, |at| self.look(at))
    }

    /// Returns whether links stand anywhere in a folder.
    fn holds_links(&self, repo: &git2::Repository, folder: Oid, depth: usize) -> Result<bool, git2::Error> {
        if let Some(known) = self.known_links().get(&folder) {
            return Ok(*known);
        }
        // Too deep to be read: `entries` says so when it is listed.
        let mut holds = depth > limits::FOLDER_DEPTH;
        if !holds {
            let tree = repo.find_tree(folder)?;
            for entry in &tree {
                holds = match entry.filemode() & MODE_TYPE {
                    MODE_LINK => true,
                    MODE_FOLDER => self.holds_links(repo, entry.id(), depth + 1)?,
                    _ => false,
                };
                if holds {
                    break;
                }
            }
        }
        self.known_links().insert(folder, holds);
        Ok(holds)
    }

    fn known_links(&self) -> std::sync::MutexGuard<'_, HashMap<Oid, bool>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for CommitTree {
    fn look(&self, path: &str) -> Result<Node, TreeError> {
        let repo = self.handle.lock();
        let Some(stored) = self.stored(&repo, path)? else { return Ok(Node::Missing) };
        Ok(match kind(stored.mode) {
            EntryKind::File => Node::File,
            EntryKind::Folder => Node::Folder,
            EntryKind::Submodule => Node::Submodule,
            EntryKind::Link => {
                let text = read_blob(&repo, path, stored.oid, LINK_BYTES)?;
                Node::Link(String::from_utf8_lossy(&text).into_owned())
            }
        })
    }

    fn entries(&self, folder: &str) -> Result<Vec<TreeEntry>, TreeError> {
        let repo = self.handle.lock();
        let stored = self.found(&repo, folder)?;
        let size = object_size(&repo, folder, stored.oid)?;
        if size > FOLDER_BYTES {
            return Err(TreeError::TooMany { path: folder.to_owned(), limit: limits::FOLDER_ENTRIES });
        }
        let tree = repo.find_tree(stored.oid).map_err(|error| failed(folder, &error))?;
        if tree.len() > limits::FOLDER_ENTRIES {
            return Err(TreeError::TooMany { path: folder.to_owned(), limit: limits::FOLDER_ENTRIES });
        }
        let mut entries = Vec::with_capacity(tree.len());
        for entry in &tree {
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            // Git never writes such names, but a tree object that somebody made by hand may hold them.
            if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\', '\0']) {
                return Err(TreeError::LeavesTree { path: resolve::join(folder, &name) });
            }
            if !is_git_folder(&name) {
                entries.push(TreeEntry { name, kind: kind(entry.filemode()) });
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn file_digest(&self, file: &str) -> Result<String, TreeError> {
        let repo = self.handle.lock();
        Ok(format!("blob:{}", self.found(&repo, file)?.oid))
    }

    fn folder_digest(&self, folder: &str) -> Result<Option<String>, TreeError> {
        let repo = self.handle.lock();
        let stored = self.found(&repo, folder)?;
        let links = self.holds_links(&repo, stored.oid, 0).map_err(|error| failed(folder, &error))?;
        Ok((!links).then(|| format!("tree:{}", stored.oid)))
    }
}

impl Tree for CommitTree {
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
            EntryKind::Folder => return Err(TreeError::IsFolder { path: file.to_owned() }),
            EntryKind::Submodule => return Err(unreadable(file, "it is a submodule, which is not read")),
            EntryKind::File | EntryKind::Link => {}
        }
        let repo = self.handle.lock();
        let stored = self.found(&repo, &found.path)?;
        let limit = usize::try_from(limits::FILE_BYTES).unwrap_or(usize::MAX);
        lfs::refuse_pointer(file, read_blob(&repo, file, stored.oid, limit)?)
    }

    fn resolve(&self, path: &str) -> Result<String, TreeError> {
        self.found_at(path).map(|found| found.path)
    }

    fn state(&self, path: &str) -> Result<Option<FileState>, TreeError> {
        if !resolve::is_plain(path) {
            return Ok(None);
        }
        let repo = self.handle.lock();
        let Some(stored) = self.stored(&repo, path)? else { return Ok(None) };
        let mode = match kind(stored.mode) {
            EntryKind::Folder | EntryKind::Submodule => {
                return Err(TreeError::IsFolder { path: path.to_owned() });
            }
            EntryKind::Link => FileMode::Link,
            EntryKind::File if stored.mode & MODE_EXECUTABLE != 0 => FileMode::Executable,
            EntryKind::File => FileMode::Regular,
        };
        let limit = usize::try_from(limits::FILE_BYTES).unwrap_or(usize::MAX);
        let bytes = read_blob(&repo, path, stored.oid, limit)?.into();
        Ok(Some(FileState { mode, bytes }))
    }

    fn digest(&self, path: &str) -> Result<String, TreeError> {
        digest::digest(self, path)
    }

    fn revision(&self) -> &Revision {
        &self.revision
    }
}

fn kind(mode: i32) -> EntryKind {
    match mode & MODE_TYPE {
        MODE_FOLDER => EntryKind::Folder,
        MODE_LINK => EntryKind::Link,
        MODE_SUBMODULE => EntryKind::Submodule,
        _ => EntryKind::File,
    }
}

/// Reads a blob after its header has told its size, so that a bomb is refused before it is unpacked.
fn read_blob(repo: &git2::Repository, path: &str, oid: Oid, limit: usize) -> Result<Vec<u8>, TreeError> {
    let size = object_size(repo, path, oid)?;
    if size > limit {
        return Err(TreeError::TooLarge { path: path.to_owned(), size: size as u64, limit: limit as u64 });
    }
    let blob = repo.find_blob(oid).map_err(|error| failed(path, &error))?;
    Ok(blob.content().to_vec())
}

fn object_size(repo: &git2::Repository, path: &str, oid: Oid) -> Result<usize, TreeError> {
    let odb = repo.odb().map_err(|error| failed(path, &error))?;
    let (size, _) = odb.read_header(oid).map_err(|error| failed(path, &error))?;
    Ok(size)
}

/// A path that runs through a file is as absent as one that was never there.
fn is_absent(error: &git2::Error) -> bool {
    error.class() == git2::ErrorClass::Tree && error.code() == git2::ErrorCode::NotFound
}

fn failed(path: &str, error: &git2::Error) -> TreeError {
    if error.class() == git2::ErrorClass::Odb && error.code() == git2::ErrorCode::NotFound {
        return unreadable(path, "its object is not in this clone");
    }
    unreadable(path, error.message())
}

/// Returns the root folder's object of a commit.
pub(super) fn root_of(repo: &git2::Repository, commit: Oid) -> Result<Oid, git2::Error> {
    repo.find_object(commit, Some(ObjectType::Commit))?.peel(ObjectType::Tree).map(|tree| tree.id())
}
