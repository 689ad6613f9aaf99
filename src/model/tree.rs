//! Defines how files of a repo at a revision are read, whatever holds them: the object database, a working folder,
//! or no repository at all.

use super::file_edit::FileState;
use super::revision::Revision;

/// The files of a repo at one revision. Reading is bounded (see `limits`) and never follows a link out of the tree.
///
/// Paths are relative to the tree's root, with `/` between segments and neither a leading `/` nor `..`.
pub trait Tree: Send + Sync {
    /// Returns what stands in a folder, sorted by name; the empty path is the root.
    fn list(&self, folder: &str) -> Result<Vec<TreeEntry>, TreeError>;

    /// Returns a file's bytes. A symbolic link to a file inside the tree is followed.
    fn read(&self, file: &str) -> Result<Vec<u8>, TreeError>;

    /// Returns the path without links that a path leads to.
    fn resolve(&self, path: &str) -> Result<String, TreeError>;

    /// Returns what stands at a path itself, with its mode, following no link: `None` where nothing does, where a folder on
    /// the way is a link, and below a submodule. A folder or submodule is [`TreeError::IsFolder`].
    fn state(&self, path: &str) -> Result<Option<FileState>, TreeError>;

    /// Returns a digest of everything under a path: equal digests mean equal files. The path may be a file.
    fn digest(&self, path: &str) -> Result<String, TreeError>;

    fn revision(&self) -> &Revision;
}

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    pub name: String,
    pub kind: EntryKind,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    File,
    Folder,
    /// A symbolic link; where it leads is known only when it is read.
    Link,
    /// A submodule that is not read.
    Submodule,
}

/// Why a tree cannot be read there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    #[error("there is no {path}")]
    NotFound { path: String },
    #[error("{path} is a folder")]
    IsFolder { path: String },
    #[error("{path} leads out of the tree")]
    LeavesTree { path: String },
    #[error("{path} has {size} bytes; more than {limit} are not read")]
    TooLarge { path: String, size: u64, limit: u64 },
    #[error("the folder {path} has more than {limit} entries")]
    TooMany { path: String, limit: usize },
    #[error("{path} cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
}
