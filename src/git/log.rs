//! Defines the commits that led to a revision since some time.

use super::repo::Repo;
use super::revision::{CommitFacts, facts};
use crate::model::{Oid, Timestamp};
use git2::Sort;
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

/// Clocks of committers differ: so far before the time asked for a commit may lie whose ancestors are still looked at.
const SLACK: SignedDuration = SignedDuration::from_hours(24);

/// A commit with when it was made, which may be long after it was authored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    pub facts: CommitFacts,
    pub committed: Timestamp,
}

impl Repo {
    /// Returns up to `limit` commits that lead to `from` and were made since a time, newest first, and whether there may be
    /// more. Empty for a plain folder. Blocks on the disk.
    pub fn log(
        &self,
        from: &Oid,
        since: Timestamp,
        limit: usize,
        stop: &CancellationToken,
    ) -> (Vec<Logged>, bool) {
        let mut found = Vec::new();
        let more = self.walk(from, since, limit, stop, &mut found).unwrap_or(true);
        found.sort_by_key(|logged| std::cmp::Reverse(logged.committed));
        (found, more)
    }

    fn walk(
        &self,
        from: &Oid,
        since: Timestamp,
        limit: usize,
        stop: &CancellationToken,
        found: &mut Vec<Logged>,
    ) -> Result<bool, git2::Error> {
        let Some(handle) = &self.inner.handle else { return Ok(false) };
        let folder = handle.lock().path().to_owned();
        let none: [&std::ffi::OsStr; 0] = [];
        // An end of its own: a long walk does not hold up who reads the repo meanwhile.
        let repo = git2::Repository::open_ext(folder, git2::RepositoryOpenFlags::NO_SEARCH, none)?;
        let mut walk = repo.revwalk()?;
        walk.set_sorting(Sort::TIME)?;
        walk.push(git2::Oid::from_str(&from.0)?)?;
        for id in walk {
            if stop.is_cancelled() || found.len() == limit {
                return Ok(true);
            }
            // A shallow clone ends before its history does.
            let Some(commit) = id.ok().and_then(|id| repo.find_commit(id).ok()) else { return Ok(true) };
            let Ok(committed) = Timestamp::from_second(commit.time().seconds()) else { continue };
            if committed.checked_add(SLACK).is_ok_and(|late| late < since) {
                break;
            }
            if committed >= since {
                found.push(Logged { facts: facts(&commit), committed });
            }
        }
        Ok(false)
    }
}
