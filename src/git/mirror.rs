//! Defines mirrors: bare copies of remote repos in the cache folder, fetched by the user's git and read through libgit2.
//!
//! A mirror has the remote's branches and tags under their own names, so that a forced push moves them and a deletion
//! removes them. Its configuration is written anew before each fetch. Several driftdecks may share it: one fetches at a
//! time, the others wait; reading needs no lock.

use super::fetch_error::FetchError;
use super::program::Git;
use super::progress::{Progress, Stage};
use super::repo::{OpenError, Repo};
use super::revision::is_name;
use super::{RemoteUrl, mirror_folder};
use crate::model::{Oid, limits};
use crate::text::Outside;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the lock is tried while another driftdeck holds it.
const LOCK_EVERY: Duration = Duration::from_millis(100);
/// Packs before they are put together.
const PACKS: usize = 50;

/// A bare copy of a remote repo.
#[derive(Clone)]
pub struct Mirror {
    url: RemoteUrl,
    folder: PathBuf,
    git: Git,
    time: Duration,
}

/// What a fetch brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FetchOutcome {
    /// Branches and tags that are other than before, by their full names.
    pub moved: Vec<RefMove>,
    /// The remote's default branch, such as `main`; `None` where its HEAD leads to none.
    pub default_branch: Option<String>,
}

/// A branch or tag that is other than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefMove {
    pub name: String,
    pub before: Option<Oid>,
    pub after: Option<Oid>,
}

/// Refs by full name.
type Refs = BTreeMap<String, Oid>;

impl Mirror {
    /// Describes the mirror of a remote within a private cache folder. Nothing is read or written yet.
    pub fn of(url: RemoteUrl, cache: &Path, git: Git) -> Self {
        let folder = mirror_folder::of(&url, cache);
        Self { url, folder, git, time: limits::FETCH_TIME }
    }

    /// Changes how long one fetch may take, which is [`limits::FETCH_TIME`] otherwise.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    pub fn url(&self) -> &RemoteUrl {
        &self.url
    }

    /// Returns the remote, to push to.
    pub fn remote(&self) -> super::Remote {
        super::Remote { name: None, url: self.url.clone() }
    }

    /// Opens what was fetched so far; `None` if nothing ever was. Blocks on the disk.
    pub fn repo(&self) -> Option<Result<Repo, OpenError>> {
        mirror_folder::is_filled(&self.folder).then(|| Repo::open_mirror(&self.folder, &self.url))
    }

    /// Fetches all branches and tags, and learns the default branch.
    ///
    /// One small request asks what the remote has; only if that differs is anything fetched. On an error the mirror keeps
    /// what it had. Cancelling ends the program with everything that it started.
    pub async fn fetch(
        &self,
        progress: &mut (dyn FnMut(Progress) + Send),
        cancel: &CancellationToken,
    ) -> Result<FetchOutcome, FetchError> {
        let lock = self.lock(progress, cancel).await?;
        let before = self.blocking(|folder| mirror_folder::prepare(folder, &|path| read_refs(path))).await?;
        progress(Progress::at(Stage::Connecting));
        let remote = self.ask_remote(cancel).await?;
        if remote.refs != before {
            self.fetch_refs(progress, cancel).await?;
            self.tidy(cancel).await;
        }
        let head = remote.default_branch.clone();
        let after = self.blocking(move |folder| finish(folder, head.as_deref())).await?;
        drop(lock);
        Ok(FetchOutcome { moved: moves(&before, &after), default_branch: remote.default_branch })
    }

    /// Waits until no other driftdeck fetches this mirror. The lock goes with the file, also when a process dies.
    async fn lock(
        &self,
        progress: &mut (dyn FnMut(Progress) + Send),
        cancel: &CancellationToken,
    ) -> Result<File, FetchError> {
        let folder = self.folder.clone();
        let file =
            off_thread(move || mirror_folder::open_lock(&folder)).await.map_err(|e| self.unkept(&e))?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(std::fs::TryLockError::WouldBlock) => {}
                Err(std::fs::TryLockError::Error(error)) => return Err(self.unkept(&error)),
            }
            if waited.is_zero() {
                progress(Progress::at(Stage::Waiting));
            }
            if waited >= self.time {
                return Err(FetchError::Busy { remote: self.url.clone(), seconds: waited.as_secs() });
            }
            tokio::select! {
                () = cancel.cancelled() => return Err(FetchError::Cancelled { remote: self.url.clone() }),
                () = tokio::time::sleep(LOCK_EVERY) => waited += LOCK_EVERY,
            }
        }
    }

    async fn ask_remote(&self, cancel: &CancellationToken) -> Result<RemoteRefs, FetchError> {
        let url = self.url.for_git();
        let operands = [url.as_str(), "HEAD", "refs/heads/*", "refs/tags/*"];
        let said = self
            .git
            .run(&self.folder, &["ls-remote", "--symref"], &operands, self.time, cancel, &mut |_| {})
            .await
            .map_err(|error| FetchError::of_child(&self.url, error))?;
        Ok(RemoteRefs::read(&String::from_utf8_lossy(&said.stdout)))
    }

    async fn fetch_refs(
        &self,
        progress: &mut (dyn FnMut(Progress) + Send),
        cancel: &CancellationToken,
    ) -> Result<(), FetchError> {
        let arguments = [
            "fetch",
            "--progress",
            "--prune",
            "--force",
            "--no-tags",
            "--no-auto-gc",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
        ];
        let url = self.url.for_git();
        let operands = [url.as_str(), "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
        let mut last = None;
        let mut on_line = |line: &Outside| {
            let read = Progress::read(line.raw());
            if let Some(read) = read.filter(|read| Some(*read) != last) {
                last = Some(read);
                progress(read);
            }
        };
        self.git
            .run(&self.folder, &arguments, &operands, self.time, cancel, &mut on_line)
            .await
            .map_err(|error| FetchError::of_child(&self.url, error))?;
        Ok(())
    }

    /// Puts many small packs together. What goes wrong here costs only room.
    async fn tidy(&self, cancel: &CancellationToken) {
        let packs = std::fs::read_dir(self.folder.join("objects/pack")).map_or(0, Iterator::count);
        // A pack has an index, and may have a reverse index, beside it.
        if packs < PACKS * 2 {
            return;
        }
        let arguments = [
            "-c",
            "gc.auto=6700",
            "-c",
            "gc.autoPackLimit=50",
            "-c",
            "gc.autoDetach=false",
            "gc",
            "--auto",
            "--quiet",
        ];
        let tidied = self.git.run(&self.folder, &arguments, &[], self.time, cancel, &mut |_| {}).await;
        if let Err(error) = tidied {
            tracing::warn!(remote = %self.url, %error, "the mirror could not be tidied");
        }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, FetchError> {
        let folder = self.folder.clone();
        off_thread(move || work(&folder)).await.map_err(|error| self.unkept(&error))
    }

    fn unkept(&self, error: &std::io::Error) -> FetchError {
        let folder = self.folder.display().to_string();
        match error.kind() {
            std::io::ErrorKind::PermissionDenied if error.get_ref().is_some() => {
                FetchError::NotPrivate { folder }
            }
            std::io::ErrorKind::StorageFull => FetchError::DiskFull { remote: self.url.clone() },
            _ => FetchError::Unwritable { folder, reason: error.to_string() },
        }
    }
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
}

/// Returns all branches and tags of a mirror; fails if it is broken.
fn read_refs(folder: &Path) -> std::io::Result<Refs> {
    let repo = git2::Repository::open_bare(folder).map_err(std::io::Error::other)?;
    repo.find_reference("HEAD").map_err(std::io::Error::other)?;
    let mut refs = Refs::new();
    for glob in ["refs/heads/*", "refs/tags/*"] {
        for reference in repo.references_glob(glob).map_err(std::io::Error::other)? {
            let reference = reference.map_err(std::io::Error::other)?;
            if let (Ok(name), Some(target)) = (reference.name(), reference.target()) {
                refs.insert(name.to_owned(), Oid(target.to_string()));
            }
        }
    }
    Ok(refs)
}

/// Points HEAD to the remote's default branch, and returns what the mirror has now.
fn finish(folder: &Path, default_branch: Option<&str>) -> std::io::Result<Refs> {
    if let Some(branch) = default_branch {
        let repo = git2::Repository::open_bare(folder).map_err(std::io::Error::other)?;
        repo.set_head(&format!("refs/heads/{branch}")).map_err(std::io::Error::other)?;
    }
    mirror_folder::mark_filled(folder)?;
    read_refs(folder)
}

fn moves(before: &Refs, after: &Refs) -> Vec<RefMove> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| RefMove {
            name: name.clone(),
            before: before.get(name).cloned(),
            after: after.get(name).cloned(),
        })
        .collect()
}

/// What a remote says that it has.
struct RemoteRefs {
    refs: Refs,
    default_branch: Option<String>,
}

impl RemoteRefs {
    /// Reads the output of `git ls-remote --symref`: `ref: refs/heads/main<TAB>HEAD`, then `<id><TAB><ref>` lines.
    fn read(said: &str) -> Self {
        let mut found = Self { refs: Refs::new(), default_branch: None };
        for line in said.lines() {
            let Some((what, name)) = line.split_once('\t') else { continue };
            if name == "HEAD" {
                let branch = what.strip_prefix("ref: refs/heads/").filter(|branch| is_name(branch));
                found.default_branch = found.default_branch.or(branch.map(str::to_owned));
            } else if !name.ends_with("^{}") && git2::Reference::is_valid_name(name) {
                found.refs.insert(name.to_owned(), Oid(what.to_owned()));
            }
        }
        found
    }
}
