//! Defines revisions: what was asked, together with the commit that it resolved to.

use super::id::Oid;

/// A revision of a repo.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Revision {
    pub asked: Asked,
    /// `None` for a folder that is in no repository, and for a repository without commits.
    pub commit: Option<Oid>,
    /// Uncommitted changes are part of it.
    pub dirty: bool,
    /// How many commits the upstream is ahead of it.
    pub behind: usize,
    /// How many commits it is ahead of the upstream.
    pub ahead: usize,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Asked {
    /// The files of the working folder, uncommitted changes included.
    WorkingFolder { branch: Option<String> },
    /// A branch, tag or commit by its name.
    Name(String),
}

impl Asked {
    /// Returns the words for it: the branch, tag or commit; `working folder` for a detached or missing HEAD.
    pub fn words(&self) -> &str {
        match self {
            Asked::WorkingFolder { branch: Some(name) } | Asked::Name(name) => name,
            Asked::WorkingFolder { branch: None } => "working folder",
        }
    }
}
