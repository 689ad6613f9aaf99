//! Defines how one commit is pushed to one branch of a remote, and when that counts as done.
//!
//! The user's git sends it, from an empty repository of driftdeck's own that reads the objects of the other: neither
//! hooks nor settings of the repository have a say, and none of its refs move. A branch is only ever moved forward from
//! where it was shown to be, or made new. What git and the server say is not the result: the remote is asked what it
//! has now, and only that counts.

use super::fetch_error::FetchError;
use super::history::HistoryError;
use super::program::Git;
use super::push_error::{Evidence, PushError};
use super::remote::Remote;
use super::repo::Repo;
use crate::model::{Oid, limits};
use crate::process::ChildError;
use crate::text::Outside;
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// The name that a fetched branch has in the empty repository.
const FETCHED: &str = "refs/heads/fetched";

/// A commit on its way to a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    pub commit: Oid,
    /// The branch's short name at the remote, such as `driftdeck/web-revert-1a2b3c`.
    pub branch: String,
    /// What the remote's branch must be for the push to happen.
    pub before: Before,
}

/// What a remote's branch must be for a push to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before {
    /// There must be no such branch.
    Nothing,
    /// It must be at this commit, which the pushed one must follow on.
    Commit(Oid),
}

/// A push that counts: the remote was asked, and its branch is at the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// What the server said, line by line, without git's own words.
    pub words: Vec<Outside>,
    /// The address at which the server offers to open a request for the branch: https, and of the remote's own host.
    pub offered: Option<String>,
}

impl Repo {
    /// Pushes a commit, and returns once the remote's branch was read back and is at it.
    ///
    /// The commit must be in this repository; no ref of it need lead there. An error other than
    /// [`PushError::Indeterminate`] and [`PushError::Cancelled`] means that the remote's branch is not at the commit. The
    /// same push may be tried again after every error: one that went through all the same is found to be done.
    pub async fn push(
        &self,
        git: &Git,
        remote: &Remote,
        push: &Push,
        cancel: &CancellationToken,
    ) -> Result<Pushed, PushError> {
        let evidence = Evidence { remote: &remote.url, branch: &push.branch };
        self.check_push(push, evidence).await?;
        let lens = self.lens().await.map_err(|error| PushError::Unreadable { reason: error.to_string() })?;
        let refspec = format!("{}:refs/heads/{}", push.commit.0, push.branch);
        let from = match &push.before {
            Before::Nothing => String::new(),
            Before::Commit(commit) => commit.0.clone(),
        };
        // The server is told what its branch must be, and compares and sets in one step. It is no force: that the
        // commit follows on that one was looked at before.
        let lease = format!("--force-with-lease=refs/heads/{}:{from}", push.branch);
        let arguments = [
            "push",
            "--porcelain",
            "--no-verify",
            "--no-follow-tags",
            "--recurse-submodules=no",
            lease.as_str(),
        ];
        let url = remote.url.for_git();
        let operands = [url.as_str(), refspec.as_str()];
        let sent = git
            .run_with(
                lens.folder(),
                &lens.env(),
                &arguments,
                &operands,
                limits::FETCH_TIME,
                cancel,
                &mut |_| {},
            )
            .await;
        let (words, failure) = match sent {
            Ok(ended) => {
                let words = super::push_words::of_server(&ended.stderr);
                let failure = (!ended.succeeded()).then(|| evidence.of_ending(&ended, &words));
                (words, failure)
            }
            Err(ChildError::Cancelled { .. }) => {
                return Err(PushError::Cancelled { remote: remote.url.clone(), branch: push.branch.clone() });
            }
            Err(error) => (Vec::new(), Some(evidence.of_child(error))),
        };
        match failure {
            // It never got as far as the branch.
            Some(error) if error.is_before_sending() => return Err(error),
            failure => {
                let found = read_branch(git, lens.folder(), remote, &push.branch, cancel).await;
                if let Some(error) = evidence.judge(push, failure, found) {
                    return Err(error);
                }
            }
        }
        let (repo, to, done) = (self.clone(), remote.clone(), push.clone());
        let noted =
            tokio::task::spawn_blocking(move || repo.note_remote_branch(&to, &done.branch, &done.commit));
        // What could not be noted is in the log.
        let _ = noted.await;
        let offered = super::push_words::offered(&words, remote.url.host());
        Ok(Pushed { words, offered })
    }

    /// Asks a remote where one of its branches is; `None`: it has none of that name.
    pub async fn remote_branch(
        &self,
        git: &Git,
        remote: &Remote,
        branch: &str,
        cancel: &CancellationToken,
    ) -> Result<Option<Oid>, FetchError> {
        let lens = self.lens().await.map_err(|error| self.unreadable_here(&error))?;
        read_branch(git, lens.folder(), remote, branch, cancel).await
    }

    /// Fetches one branch of a remote into a local repository's objects, notes where it is as git does, and returns that;
    /// `None`: the remote has no such branch. No local branch and no file moves. For a mirror there is
    /// [`super::Mirror::fetch`].
    pub async fn fetch_branch(
        &self,
        git: &Git,
        remote: &Remote,
        branch: &str,
        known: &[Oid],
        cancel: &CancellationToken,
    ) -> Result<Option<Oid>, FetchError> {
        let lens = self.lens().await.map_err(|error| self.unreadable_here(&error))?;
        let Some(there) = read_branch(git, lens.folder(), remote, branch, cancel).await? else {
            return Ok(None);
        };
        if !self.has_commit(&there).await {
            // The empty repository has no refs: what need not be sent is told by name.
            let tips = known.iter().map(|commit| format!("--negotiation-tip={}", commit.0));
            let tips: Vec<String> = tips.take(limits::HISTORY_PAGE).collect();
            let mut arguments = vec![
                "fetch",
                "--no-tags",
                "--no-auto-gc",
                "--no-write-fetch-head",
                "--no-recurse-submodules",
                "--update-shallow",
            ];
            arguments.extend(tips.iter().map(String::as_str));
            let url = remote.url.for_git();
            let refspec = format!("+{}:{FETCHED}", there.0);
            let operands = [url.as_str(), refspec.as_str()];
            git.run_with(
                lens.folder(),
                &lens.env(),
                &arguments,
                &operands,
                limits::FETCH_TIME,
                cancel,
                &mut |_| {},
            )
            .await
            .and_then(crate::process::Finished::success)
            .map_err(|error| FetchError::of_child(&remote.url, error))?;
        }
        let (repo, to, name, at) = (self.clone(), remote.clone(), branch.to_owned(), there.clone());
        let _ = tokio::task::spawn_blocking(move || repo.note_remote_branch(&to, &name, &at)).await;
        Ok(Some(there))
    }

    fn unreadable_here(&self, error: &HistoryError) -> FetchError {
        FetchError::Unreadable { repo: self.name().to_owned(), reason: error.to_string() }
    }

    async fn has_commit(&self, commit: &Oid) -> bool {
        let (repo, commit) = (self.clone(), commit.clone());
        let found = tokio::task::spawn_blocking(move || {
            let handle = repo.inner.handle.as_ref()?.lock();
            handle.find_commit(git2::Oid::from_str(&commit.0).ok()?).ok().map(|_| ())
        });
        found.await.ok().flatten().is_some()
    }

    /// Refuses what must not be sent: a name that is none, a commit that is not here, one that would not move the branch
    /// forward.
    async fn check_push(&self, push: &Push, evidence: Evidence<'_>) -> Result<(), PushError> {
        let name = format!("refs/heads/{}", push.branch);
        if !super::revision::is_name(&push.branch) || !git2::Reference::is_valid_name(&name) {
            return Err(PushError::BadName { branch: push.branch.clone() });
        }
        let (repo, push) = (self.clone(), push.clone());
        let looked = tokio::task::spawn_blocking(move || repo.follows_on(&push));
        let looked = looked.await.unwrap_or_else(|error| Err(error.to_string()));
        match looked {
            Ok(true) => Ok(()),
            Ok(false) => Err(evidence.not_forward()),
            Err(reason) => Err(PushError::Unreadable { reason }),
        }
    }

    /// Returns whether a push only moves its branch forward.
    fn follows_on(&self, push: &Push) -> Result<bool, String> {
        let reason = |error: git2::Error| error.message().to_owned();
        let none = || format!("{} is in no Git repository", self.name());
        let handle = self.inner.handle.as_ref().ok_or_else(none)?.lock();
        let commit = git2::Oid::from_str(&push.commit.0).map_err(reason)?;
        handle.find_commit(commit).map_err(reason)?;
        let Before::Commit(from) = &push.before else { return Ok(true) };
        let from = git2::Oid::from_str(&from.0).map_err(reason)?;
        Ok(commit == from || handle.graph_descendant_of(commit, from).map_err(reason)?)
    }
}

/// Asks a remote where one of its branches is.
async fn read_branch(
    git: &Git,
    bare: &Path,
    remote: &Remote,
    branch: &str,
    cancel: &CancellationToken,
) -> Result<Option<Oid>, FetchError> {
    let url = remote.url.for_git();
    let name = format!("refs/heads/{branch}");
    let operands = [url.as_str(), name.as_str()];
    let said = git
        .run(bare, &["ls-remote"], &operands, limits::FETCH_TIME, cancel, &mut |_| {})
        .await
        .map_err(|error| FetchError::of_child(&remote.url, error))?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    // A pattern also matches the end of longer names.
    let line = said.lines().filter_map(|line| line.split_once('\t')).find(|(_, found)| *found == name);
    Ok(line.map(|(commit, _)| Oid(commit.to_owned())))
}
