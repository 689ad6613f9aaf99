//! Defines the remotes of a repository, and which of them a branch is pushed to.

use super::RemoteUrl;
use super::repo::{Kind, Repo};
use super::revision::is_name;
use crate::model::{Notice, Oid};

/// A remote of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// As the repository calls it, such as `origin`; `None` for a mirror, which has only the one.
    pub name: Option<String>,
    pub url: RemoteUrl,
}

/// Where a local branch goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    pub remote: Remote,
    /// The branch of the remote that the local one follows; `None` where it follows none.
    pub branch: Option<String>,
    /// Where that branch was when the remote was last asked.
    pub known: Option<Oid>,
}

/// Why no remote can be pushed to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    #[error("{repo} has no remote")]
    None { repo: String },
    #[error("{repo} has several remotes ({}) and none of them is called origin", names.join(", "))]
    Several { repo: String, names: Vec<String> },
    #[error("the remote {name} of {repo} cannot be used: {reason}")]
    Unusable { repo: String, name: String, reason: String, hint: String },
    #[error("the remotes of {repo} cannot be read: {reason}")]
    Unreadable { repo: String, reason: String },
}

impl RemoteError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::None { .. } => "git remote add origin URL".into(),
            Self::Several { .. } => "let the branch follow one of them: git branch --set-upstream-to".into(),
            Self::Unusable { hint, .. } => hint.clone(),
            Self::Unreadable { .. } => return None,
        })
    }

    /// Returns it as the user reads it.
    pub fn notice(&self) -> Notice {
        Notice::error(self.to_string()).hinted(self.hint())
    }
}

impl Repo {
    /// Returns the remote that a local branch goes to: the one that it follows, else the only one, else `origin`.
    ///
    /// The repository's own configuration names it, and so may name any host: nothing is contacted before a person has
    /// seen the URL and confirmed. A mirror's is given by [`super::Mirror::remote`]. Blocks on the disk.
    pub fn push_target(&self, branch: Option<&str>) -> Result<Upstream, RemoteError> {
        let repo = self.name().to_owned();
        let Some(handle) = self.inner.handle.as_ref().filter(|_| self.kind() != Kind::Mirror) else {
            return Err(RemoteError::None { repo });
        };
        let handle = handle.lock();
        let unreadable = |error: git2::Error| RemoteError::Unreadable {
            repo: repo.clone(),
            reason: error.message().to_owned(),
        };
        let config = handle.config().and_then(|mut config| config.snapshot()).map_err(unreadable)?;
        let setting = |key: String| config.get_str(&key).ok().map(str::to_owned);
        let followed = branch.and_then(|branch| {
            let remote = setting(format!("branch.{branch}.remote")).filter(|name| name != ".")?;
            let merged = setting(format!("branch.{branch}.merge"));
            let merged = merged.as_deref().and_then(|name| name.strip_prefix("refs/heads/"));
            Some((remote, merged.filter(|name| is_name(name)).map(str::to_owned)))
        });
        let (name, branch) = if let Some(followed) = followed {
            followed
        } else {
            let remotes = handle.remotes().map_err(unreadable)?;
            let names: Vec<String> =
                remotes.iter().filter_map(|name| name.ok().flatten().map(str::to_owned)).collect();
            match names.as_slice() {
                [] => return Err(RemoteError::None { repo }),
                [only] => (only.clone(), None),
                several => match several.iter().find(|name| *name == "origin") {
                    Some(origin) => (origin.clone(), None),
                    None => return Err(RemoteError::Several { repo, names }),
                },
            }
        };
        let text =
            setting(format!("remote.{name}.pushurl")).or_else(|| setting(format!("remote.{name}.url")));
        let text = text.ok_or_else(|| RemoteError::None { repo: repo.clone() })?;
        let url = RemoteUrl::read(&text).map_err(|error| RemoteError::Unusable {
            repo: repo.clone(),
            name: name.clone(),
            reason: error.to_string(),
            hint: error.hint().to_owned(),
        })?;
        let known = branch.as_ref().and_then(|branch| {
            let kept = tracking_ref(&handle, &name, branch)?;
            Some(Oid(handle.refname_to_id(&kept).ok()?.to_string()))
        });
        Ok(Upstream { remote: Remote { name: Some(name), url }, branch, known })
    }

    /// Notes where a branch of a remote is now, as git does after it has pushed or fetched. Blocks on the disk.
    pub(super) fn note_remote_branch(&self, remote: &Remote, branch: &str, commit: &Oid) {
        let (Some(handle), Some(name)) = (&self.inner.handle, &remote.name) else { return };
        let handle = handle.lock();
        let noted = tracking_ref(&handle, name, branch).map(|kept| {
            let commit = git2::Oid::from_str(&commit.0)?;
            handle.reference(&kept, commit, true, "driftdeck: seen at the remote").map(drop)
        });
        if let Some(Err(error)) = noted {
            // Nothing but how far behind the checkout seems depends on it, and the next fetch puts it right.
            tracing::warn!(remote = name, branch, %error, "the remote's branch could not be noted");
        }
    }
}

/// Returns the name under which a repository keeps what it knows of a remote's branch, such as
/// `refs/remotes/origin/main`; `None` where it keeps nothing.
fn tracking_ref(repo: &git2::Repository, remote: &str, branch: &str) -> Option<String> {
    let remote = repo.find_remote(remote).ok()?;
    let wanted = format!("refs/heads/{branch}");
    remote.refspecs().find_map(|spec| {
        let fetches = spec.direction() == git2::Direction::Fetch && spec.src_matches(&wanted);
        let name = fetches.then(|| spec.transform(&wanted).ok()).flatten()?;
        let name = std::str::from_utf8(&name).ok()?;
        // A repository may say anything; only what it knows of remotes is ever written so.
        name.starts_with("refs/remotes/").then(|| name.to_owned())
    })
}
