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

impl Revision {
    /// Returns it as it is asked, with its commit: `main 3f2c1d9`; `3f2c1d9` where a commit was asked for.
    pub fn words(&self) -> String {
        self.with_mark("")
    }

    /// Returns its words with a mark on uncommitted changes: `main* 7d00e2f`.
    pub fn marked(&self) -> String {
        self.with_mark(if self.dirty { "*" } else { "" })
    }

    fn with_mark(&self, mark: &str) -> String {
        match (&self.asked, &self.commit) {
            (Asked::Name(name), Some(commit)) if commit.0.starts_with(name.as_str()) => {
                format!("{}{mark}", commit.short())
            }
            (asked, Some(commit)) => format!("{}{mark} {}", asked.words(), commit.short()),
            (asked, None) => format!("{}{mark}", asked.words()),
        }
    }

    /// Returns how far it is from its upstream and from what is committed: `14 behind origin/main, uncommitted changes`.
    pub fn distance(&self) -> Option<String> {
        let mut words = Vec::new();
        let upstream = match &self.asked {
            Asked::WorkingFolder { branch: Some(branch) } => format!(" origin/{branch}"),
            _ => String::new(),
        };
        if self.behind > 0 {
            words.push(format!("{} behind{upstream}", self.behind));
        }
        if self.ahead > 0 {
            words.push(format!("{} ahead{}", self.ahead, if self.behind > 0 { "" } else { &upstream }));
        }
        if self.dirty {
            words.push("uncommitted changes".to_owned());
        }
        (!words.is_empty()).then(|| words.join(", "))
    }
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
