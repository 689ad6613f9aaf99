//! Defines how a local repo is watched: what changed in its working files, and whether a branch, a tag or HEAD moved.
//!
//! Events of the file system are gathered until it is calm, so that a checkout or an editor's save is one change. Where
//! the system cannot watch that many folders, they are looked at every two seconds instead, and that is said.

mod notified;
mod polled;

use super::Repo;
use crate::model::{Notice, Tree as _, TreeError, limits};
use notified::Notified;
use polled::Polled;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// For how long nothing may happen before what was gathered is told.
const CALM: Duration = Duration::from_millis(100);
/// How long something may be held back while it never gets calm.
const LONGEST: Duration = Duration::from_secs(1);
/// How often folders are looked at that cannot be watched.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Changed files that are named; more is everything.
const NAMED: usize = 10_000;

/// What changed in a repo.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    pub files: ChangedFiles,
    /// HEAD, a branch or a tag moved, or HEAD is on another branch.
    pub refs: bool,
}

/// Which working files changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangedFiles {
    /// Files and folders by their paths in the tree; empty: none. They may be gone, or new.
    These(BTreeSet<String>),
    /// Too many, or events were lost: any may have.
    Any,
}

impl Default for ChangedFiles {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

/// Why a repo cannot be watched at all.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error("{place} has more than {limit} folders, which are not watched")]
    TooMany { place: String, limit: usize },
    #[error("{place} cannot be watched")]
    Unreadable { place: String, source: TreeError },
    #[error("the file system of {place} cannot be watched")]
    Refused { place: String, source: notify::Error },
}

impl WatchError {
    /// Returns it as the user reads it.
    pub fn notice(&self) -> Notice {
        let notice = Notice::warning(self.to_string()).hint("ctrl-r looks again");
        match self {
            Self::TooMany { .. } => notice.cause("changes of its files are not seen by themselves"),
            Self::Unreadable { source, .. } => notice.cause(source.to_string()),
            Self::Refused { source, .. } => notice.cause(source.to_string()),
        }
    }
}

/// A watch on a repo. It ends when it is dropped.
pub struct Watch {
    source: Source,
    gathered: Changed,
    notice: Option<Notice>,
}

enum Source {
    Notified(Notified),
    Polled(Polled),
}

/// What is watched of a repo.
#[derive(Clone)]
struct Watched {
    repo: Repo,
    /// Git's own folders: that of this working folder, and that of the repository where it is another.
    git: BTreeSet<PathBuf>,
}

impl Watch {
    /// Begins to watch a repo: its working files, where it has some, without what is ignored; and its refs. Blocks on the
    /// disk while it finds the folders.
    pub fn start(repo: &Repo) -> Result<Self, WatchError> {
        let watched = Watched::of(repo);
        match Notified::start(&watched) {
            Ok(notified) => Ok(Self::from(Source::Notified(notified), None)),
            Err(WatchError::Refused { place, source }) if is_limit(&source) => {
                let notice = Notice::warning(format!("{place} is looked at every two seconds"))
                    .cause("the system's limit of watched folders is reached")
                    .hint("raise fs.inotify.max_user_watches and max_user_instances (sysctl)");
                let polled = Polled::start(watched, LOOK_EVERY)?;
                Ok(Self::from(Source::Polled(polled), Some(notice)))
            }
            Err(error) => Err(error),
        }
    }

    /// Begins to watch by looking every so often, for file systems that tell nothing (NFS, some containers).
    pub fn polling(repo: &Repo, every: Duration) -> Result<Self, WatchError> {
        Ok(Self::from(Source::Polled(Polled::start(Watched::of(repo), every)?), None))
    }

    fn from(source: Source, notice: Option<Notice>) -> Self {
        Self { source, gathered: Changed::default(), notice }
    }

    /// Returns what a person should know of how this repo is watched.
    pub fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    /// Waits for a change and until it is calm again, at most a second longer. `None`: nothing will ever come again.
    ///
    /// Nothing is lost if the future is dropped and the method called again.
    pub async fn next(&mut self) -> Option<Changed> {
        while self.gathered.is_empty() {
            let more = self.source.next().await?;
            self.gathered.add(more);
        }
        let latest = tokio::time::sleep(LONGEST);
        tokio::pin!(latest);
        loop {
            tokio::select! {
                biased;
                more = self.source.next() => match more {
                    Some(more) => self.gathered.add(more),
                    None => break,
                },
                () = tokio::time::sleep(CALM) => break,
                () = &mut latest => break,
            }
        }
        Some(std::mem::take(&mut self.gathered))
    }
}

impl Source {
    async fn next(&mut self) -> Option<Changed> {
        match self {
            Source::Notified(notified) => notified.next().await,
            Source::Polled(polled) => polled.next().await,
        }
    }
}

impl Changed {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn anything() -> Self {
        Self { files: ChangedFiles::Any, refs: true }
    }

    fn add(&mut self, more: Self) {
        self.refs |= more.refs;
        match (&mut self.files, more.files) {
            (ChangedFiles::Any, _) => {}
            (files, ChangedFiles::Any) => *files = ChangedFiles::Any,
            (ChangedFiles::These(files), ChangedFiles::These(more)) => {
                files.extend(more);
                if files.len() > NAMED {
                    self.files = ChangedFiles::Any;
                }
            }
        }
    }
}

impl Watched {
    fn of(repo: &Repo) -> Self {
        Self { repo: repo.clone(), git: repo.git_folders() }
    }

    fn place(&self) -> String {
        self.repo.location().to_owned()
    }

    /// Returns what stands below a folder of the tree, itself included: folders first, then files and links. Ignored
    /// ones and submodules are left out.
    fn walk(&self, from: &str) -> Result<(Vec<String>, Vec<String>), WatchError> {
        use crate::model::tree::EntryKind;
        let mut folders = Vec::new();
        let mut files = Vec::new();
        let Some(tree) = self.repo.working_files() else { return Ok((folders, files)) };
        let mut ahead = vec![from.to_owned()];
        while let Some(folder) = ahead.pop() {
            let entries = match tree.list(&folder) {
                Ok(entries) => entries,
                // It went away, or may not be read: what can be watched is.
                Err(_) if folder != from => continue,
                Err(source) => return Err(WatchError::Unreadable { place: self.place(), source }),
            };
            for entry in entries {
                let path = super::resolve::join(&folder, &entry.name);
                match entry.kind {
                    EntryKind::Folder if path.matches('/').count() < limits::FOLDER_DEPTH => ahead.push(path),
                    EntryKind::File | EntryKind::Link => files.push(path),
                    EntryKind::Folder | EntryKind::Submodule => {}
                }
            }
            folders.push(folder);
            if folders.len() > limits::FOLDER_ENTRIES || files.len() > limits::REPO_FILES {
                return Err(WatchError::TooMany { place: self.place(), limit: limits::FOLDER_ENTRIES });
            }
        }
        Ok((folders, files))
    }

    /// Returns whether a path is one of Git's own files that say where HEAD, branches and tags are.
    fn is_ref(&self, path: &std::path::Path) -> bool {
        if path.extension().is_some_and(|extension| extension == "lock") {
            return false;
        }
        self.git.iter().filter_map(|folder| path.strip_prefix(folder).ok()).any(|inside| {
            inside == std::path::Path::new("HEAD")
                || inside == std::path::Path::new("packed-refs")
                || (inside.starts_with("refs") && inside.components().count() > 1)
        })
    }

    /// Returns the folders that hold refs.
    fn ref_folders(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = self.git.iter().cloned().collect();
        let mut ahead: Vec<PathBuf> = self.git.iter().map(|folder| folder.join("refs")).collect();
        while let Some(folder) = ahead.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            let within = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            ahead.extend(within.map(|entry| entry.path()));
            folders.push(folder);
            if folders.len() > limits::FOLDER_ENTRIES {
                break;
            }
        }
        folders
    }
}

/// Returns whether the system's own limit is what stops a watch.
fn is_limit(error: &notify::Error) -> bool {
    match &error.kind {
        notify::ErrorKind::MaxFilesWatch => true,
        notify::ErrorKind::Io(error) => {
            let code = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
            matches!(
                code,
                Some(rustix::io::Errno::NOSPC | rustix::io::Errno::MFILE | rustix::io::Errno::NFILE)
            )
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_limits_are_told_from_other_errors() {
        let io = |code| notify::Error::io(std::io::Error::from_raw_os_error(code));
        assert!(is_limit(&notify::Error::new(notify::ErrorKind::MaxFilesWatch)));
        assert!(is_limit(&io(rustix::io::Errno::MFILE.raw_os_error())));
        assert!(!is_limit(&io(rustix::io::Errno::ACCESS.raw_os_error())));
    }

    #[test]
    fn changes_add_up_until_they_are_everything() {
        let these = |names: std::ops::Range<usize>| Changed {
            files: ChangedFiles::These(names.map(|n| n.to_string()).collect()),
            refs: false,
        };
        let mut all = these(0..2);
        all.add(Changed { refs: true, ..Changed::default() });
        all.add(these(1..3));
        assert_eq!(all, Changed { refs: true, ..these(0..3) });
        all.add(these(0..NAMED + 1));
        assert_eq!(all, Changed::anything());
        all.add(these(0..1));
        assert_eq!(all, Changed::anything());
    }
}
