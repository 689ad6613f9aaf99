//! Defines how a plan changes a file of a repository: what stands there before, and what stands there after.

use std::fmt;
use std::sync::Arc;

/// One file of a repository as a plan changes it. The path is relative to the root of the tree, as in [`super::Tree`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEdit {
    pub path: String,
    /// What the plan was made from; `None`: nothing stands there yet.
    pub before: Option<FileState>,
    /// `None`: the file goes.
    pub after: Option<FileState>,
}

/// What a path of a tree holds. It prints its size only: files may hold what nobody should read in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct FileState {
    pub mode: FileMode,
    /// The content; of a link, the path that it leads to as it is written.
    pub bytes: Arc<[u8]>,
}

/// What kind of file a path holds, as Git tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileMode {
    Regular,
    Executable,
    /// A symbolic link.
    Link,
}

impl FileEdit {
    /// Returns whether it changes anything.
    pub fn changes(&self) -> bool {
        self.before != self.after
    }
}

impl FileState {
    /// Makes a regular file.
    pub fn regular(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { mode: FileMode::Regular, bytes: bytes.into() }
    }

    /// Returns a file with the same mode and another content.
    #[must_use]
    pub fn with(&self, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { mode: self.mode, bytes: bytes.into() }
    }
}

impl FileMode {
    /// Returns the mode as Git writes it into its trees (`gitformat-index`, "mode").
    pub fn bits(self) -> u32 {
        match self {
            FileMode::Regular => 0o100_644,
            FileMode::Executable => 0o100_755,
            FileMode::Link => 0o120_000,
        }
    }
}

impl fmt::Debug for FileState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {} bytes", self.mode, self.bytes.len())
    }
}
