//! Defines how what was asked (a branch, a tag, a commit, the working folder) becomes a revision with files to read.

use super::commit_tree::{CommitTree, root_of};
use super::ignores::Ignores;
use super::repo::{Handle, Kind, Repo};
use super::working_tree::WorkingTree;
use crate::model::limits;
use crate::model::{Asked, Notice, Oid, Revision, Timestamp, Tree};
use git2::{BranchType, ErrorClass, ErrorCode, StatusOptions};
use std::sync::Arc;

/// What is asked of a repo.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ask {
    /// The working folder where there is one, else the default branch.
    Default,
    /// The commit of HEAD, without uncommitted changes: what a sync takes unless told otherwise.
    Head,
    /// A branch, tag or commit: `main`, `origin/main`, `v1.2`, `3f2c1d9`, `main~2`.
    Name(String),
}

/// A repo at a revision: facts for people and the files.
#[derive(Clone)]
pub struct Snapshot {
    pub revision: Revision,
    pub tree: Arc<dyn Tree>,
    /// `None` for a plain folder, and for a repository without commits.
    pub commit: Option<CommitFacts>,
    /// The branch that `behind` and `ahead` are counted against, such as `origin/main`.
    pub upstream: Option<String>,
}

/// What people want to know of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitFacts {
    pub id: Oid,
    pub author: String,
    pub email: String,
    /// `None` where the commit's time is no time.
    pub authored: Option<Timestamp>,
    /// The first paragraph of the message on one line, at most 500 characters.
    pub subject: String,
}

/// Why a revision cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RevisionError {
    #[error("{repo} has no commits yet")]
    NoCommits { repo: String },
    #[error("{repo} has no branch, tag or commit {name}")]
    NoSuchRevision { repo: String, name: String, near: Option<String>, shallow: bool },
    #[error("{name} is the beginning of more than one commit of {repo}")]
    Ambiguous { repo: String, name: String },
    #[error("{name} of {repo} leads to no commit")]
    NotCommit { repo: String, name: String },
    #[error("{name} is no name of a branch, tag or commit")]
    NotName { name: String },
    #[error("{path} is in no Git repository, so it has no revision {name}")]
    NoRepository { path: String, name: String },
    #[error("{repo} tracks {files} files; more than {limit} are not looked at")]
    TooLarge { repo: String, files: usize, limit: usize },
    #[error("{commit} of {repo} is not in this clone")]
    NotInClone { repo: String, commit: String },
    #[error("{repo} cannot be read: {reason}")]
    Unreadable { repo: String, reason: String },
}

impl RevisionError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            RevisionError::NoCommits { .. } => Some("commit something first".into()),
            RevisionError::NoSuchRevision { near: Some(near), .. } => Some(format!("did you mean {near}?")),
            RevisionError::NoSuchRevision { shallow: true, .. } => {
                Some("this is a shallow clone: git fetch --unshallow may bring it".into())
            }
            RevisionError::Ambiguous { .. } => Some("give more digits".into()),
            RevisionError::NoRepository { .. } => {
                Some("leave --revision out to read the files as they are".into())
            }
            RevisionError::TooLarge { .. } => Some("name a revision: its files are not all looked at".into()),
            RevisionError::NotInClone { .. } => Some("git fetch may bring it".into()),
            _ => None,
        }
    }

    /// Returns it as the user reads it.
    pub fn notice(&self) -> Notice {
        Notice::error(self.to_string()).hinted(self.hint())
    }
}

const SUBJECT_CHARACTERS: usize = 500;

impl Repo {
    /// Returns the repo at a revision. Blocks on the disk; of a working folder it compares every file's times with the
    /// index, as `git status` does.
    pub fn revision(&self, ask: &Ask) -> Result<Snapshot, RevisionError> {
        let Some(handle) = &self.inner.handle else { return self.plain(ask) };
        match ask {
            Ask::Default if self.has_working_folder() => self.working(handle),
            Ask::Default | Ask::Head => self.head(handle),
            Ask::Name(name) => self.named(handle, name),
        }
    }

    /// Returns whether uncommitted changes stand under one of these paths: changed, deleted or untracked files that are
    /// not ignored.
    pub fn dirty_under(&self, paths: &[String]) -> Result<bool, RevisionError> {
        match &self.inner.handle {
            Some(handle) if self.has_working_folder() => self.dirty(&handle.lock(), paths),
            _ => Ok(false),
        }
    }

    /// Returns what people want to know of a commit.
    pub fn commit_facts(&self, commit: &Oid) -> Result<CommitFacts, RevisionError> {
        let none = || RevisionError::NotInClone { repo: self.name().into(), commit: commit.short().into() };
        let handle = self.inner.handle.as_ref().ok_or_else(none)?;
        let repo = handle.lock();
        let oid = git2::Oid::from_str(&commit.0).map_err(|_| none())?;
        let found = repo.find_commit(oid).map_err(|_| none())?;
        Ok(facts(&found))
    }

    fn plain(&self, ask: &Ask) -> Result<Snapshot, RevisionError> {
        if let Ask::Name(name) = ask {
            return Err(RevisionError::NoRepository { path: self.location().into(), name: name.clone() });
        }
        let asked = Asked::WorkingFolder { branch: None };
        let revision = Revision { asked, commit: None, dirty: false, behind: 0, ahead: 0 };
        let tree = WorkingTree::new(self.root().into(), self.inner.hashes.clone(), None, revision.clone());
        Ok(Snapshot { revision, tree: Arc::new(tree), commit: None, upstream: None })
    }

    fn working(&self, handle: &Handle) -> Result<Snapshot, RevisionError> {
        let (revision, commit, upstream) = {
            let repo = handle.lock();
            let dirty = self.dirty(&repo, &[])?;
            let at = self.at_head(&repo)?;
            let asked = Asked::WorkingFolder { branch: at.branch };
            let id = at.commit.as_ref().map(|c| c.id.clone());
            let revision = Revision { asked, commit: id, dirty, behind: at.behind, ahead: at.ahead };
            (revision, at.commit, at.upstream)
        };
        let ignores = Ignores::new(handle.clone(), self.prefix());
        let tree =
            WorkingTree::new(self.root().into(), self.inner.hashes.clone(), Some(ignores), revision.clone());
        Ok(Snapshot { revision, tree: Arc::new(tree), commit, upstream })
    }

    fn head(&self, handle: &Handle) -> Result<Snapshot, RevisionError> {
        let at = self.at_head(&handle.lock())?;
        let Some(commit) = at.commit else {
            return Err(RevisionError::NoCommits { repo: self.name().into() });
        };
        let name = at.branch.unwrap_or_else(|| commit.id.short().to_owned());
        let counted = Counted { upstream: at.upstream, behind: at.behind, ahead: at.ahead };
        self.committed(handle, name, commit, counted)
    }

    fn named(&self, handle: &Handle, name: &str) -> Result<Snapshot, RevisionError> {
        if !is_name(name) {
            return Err(RevisionError::NotName { name: name.to_owned() });
        }
        let (commit, counted) = {
            let repo = handle.lock();
            let (commit, branch) = self.find(&repo, name)?;
            let counted = match branch {
                Some(branch) => counted(&repo, &branch, commit.id()),
                None => Counted::default(),
            };
            (facts(&commit), counted)
        };
        self.committed(handle, name.to_owned(), commit, counted)
    }

    fn committed(
        &self,
        handle: &Handle,
        name: String,
        commit: CommitFacts,
        counted: Counted,
    ) -> Result<Snapshot, RevisionError> {
        let root = {
            let repo = handle.lock();
            git2::Oid::from_str(&commit.id.0)
                .and_then(|oid| root_of(&repo, oid))
                .map_err(|error| self.unreadable_commit(&error, commit.id.short()))?
        };
        let revision = Revision {
            asked: Asked::Name(name),
            commit: Some(commit.id.clone()),
            dirty: false,
            behind: counted.behind,
            ahead: counted.ahead,
        };
        let tree = CommitTree::new(handle.clone(), root, revision.clone());
        Ok(Snapshot { revision, tree: Arc::new(tree), commit: Some(commit), upstream: counted.upstream })
    }

    /// Finds a commit by name: as git does, then as a branch of `origin`; in a mirror `origin/main` is `main`. With it the
    /// local branch of that name, if it is one.
    fn find<'r>(
        &self,
        repo: &'r git2::Repository,
        name: &str,
    ) -> Result<(git2::Commit<'r>, Option<String>), RevisionError> {
        let of_mirror = name.strip_prefix("origin/").filter(|_| self.kind() == Kind::Mirror);
        let remote_branch = format!("refs/remotes/origin/{name}");
        let mut spellings = vec![name];
        spellings.extend(of_mirror);
        spellings.push(&remote_branch);
        for spelling in spellings {
            match repo.revparse_ext(spelling) {
                Ok((object, reference)) => {
                    let commit = object.peel_to_commit().map_err(|_| RevisionError::NotCommit {
                        repo: self.name().into(),
                        name: name.into(),
                    })?;
                    let branch = reference
                        .filter(git2::Reference::is_branch)
                        .and_then(|r| r.shorthand().ok().map(str::to_owned));
                    return Ok((commit, branch));
                }
                Err(error) if error.code() == ErrorCode::Ambiguous => {
                    return Err(RevisionError::Ambiguous { repo: self.name().into(), name: name.into() });
                }
                Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec) => {}
                Err(error) => return Err(self.unreadable_commit(&error, name)),
            }
        }
        if name == "HEAD" {
            return Err(RevisionError::NoCommits { repo: self.name().into() });
        }
        Err(RevisionError::NoSuchRevision {
            repo: self.name().into(),
            name: name.into(),
            near: nearest(repo, name),
            shallow: repo.is_shallow(),
        })
    }

    fn at_head(&self, repo: &git2::Repository) -> Result<AtHead, RevisionError> {
        let head = match repo.head() {
            Ok(head) => head,
            Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
                return Ok(AtHead { branch: unborn_branch(repo), ..AtHead::default() });
            }
            Err(error) => return Err(self.unreadable(&error)),
        };
        let commit = head.peel_to_commit().map_err(|error| self.unreadable_commit(&error, "HEAD"))?;
        let branch = if head.is_branch() { head.shorthand().ok().map(str::to_owned) } else { None };
        let counted = branch.as_ref().map(|b| counted(repo, b, commit.id())).unwrap_or_default();
        Ok(AtHead {
            branch,
            commit: Some(facts(&commit)),
            upstream: counted.upstream,
            behind: counted.behind,
            ahead: counted.ahead,
        })
    }

    fn dirty(&self, repo: &git2::Repository, under: &[String]) -> Result<bool, RevisionError> {
        let files = repo.index().map_err(|error| self.unreadable(&error))?.len();
        if files > limits::REPO_FILES {
            let limit = limits::REPO_FILES;
            return Err(RevisionError::TooLarge { repo: self.name().into(), files, limit });
        }
        let mut options = StatusOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(false).include_ignored(false);
        options.exclude_submodules(true).update_index(false);
        if !under.iter().any(String::is_empty) {
            for path in under {
                options.pathspec(path).disable_pathspec_match(true);
            }
        }
        let statuses = repo.statuses(Some(&mut options)).map_err(|error| self.unreadable(&error))?;
        Ok(!statuses.is_empty())
    }

    fn unreadable(&self, error: &git2::Error) -> RevisionError {
        RevisionError::Unreadable { repo: self.name().into(), reason: error.message().into() }
    }

    fn unreadable_commit(&self, error: &git2::Error, commit: &str) -> RevisionError {
        if error.class() == ErrorClass::Odb && error.code() == ErrorCode::NotFound {
            return RevisionError::NotInClone { repo: self.name().into(), commit: commit.into() };
        }
        self.unreadable(error)
    }
}

#[derive(Default)]
struct AtHead {
    branch: Option<String>,
    commit: Option<CommitFacts>,
    upstream: Option<String>,
    behind: usize,
    ahead: usize,
}

#[derive(Default)]
struct Counted {
    upstream: Option<String>,
    behind: usize,
    ahead: usize,
}

/// Counts a local branch against its upstream; nothing is counted where it has none, or where it is gone.
fn counted(repo: &git2::Repository, branch: &str, commit: git2::Oid) -> Counted {
    let Ok(upstream) = repo.find_branch(branch, BranchType::Local).and_then(|b| b.upstream()) else {
        return Counted::default();
    };
    let name = upstream.get().shorthand().ok().map(str::to_owned);
    let Some(target) = upstream.get().resolve().ok().and_then(|r| r.target()) else {
        return Counted::default();
    };
    // In a shallow clone the two may not meet: then only the name is known.
    let (ahead, behind) = repo.graph_ahead_behind(commit, target).unwrap_or((0, 0));
    Counted { upstream: name, behind, ahead }
}

/// Returns the branch that the first commit will make.
fn unborn_branch(repo: &git2::Repository) -> Option<String> {
    let head = repo.find_reference("HEAD").ok()?;
    let target = head.symbolic_target().ok().flatten()?;
    target.strip_prefix("refs/heads/").map(str::to_owned)
}

pub(super) fn facts(commit: &git2::Commit<'_>) -> CommitFacts {
    let author = commit.author();
    let subject = String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default()).into_owned();
    CommitFacts {
        id: Oid(commit.id().to_string()),
        author: String::from_utf8_lossy(author.name_bytes()).into_owned(),
        email: String::from_utf8_lossy(author.email_bytes()).into_owned(),
        authored: Timestamp::from_second(author.when().seconds()).ok(),
        subject: subject.chars().take(SUBJECT_CHARACTERS).collect(),
    }
}

/// Returns whether a text can be a name: no option, and none of the forms that search (`:/`, `^{/`, `@{`).
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 1024
        && !name.starts_with('-')
        && !name.chars().any(|c| c.is_control() || c.is_whitespace() || ":\\?*[".contains(c))
        && !name.contains("@{")
        && !name.contains("^{/")
        && !name.contains("..")
}

/// Returns the branch or tag whose name is closest to a name, if any is close.
fn nearest(repo: &git2::Repository, name: &str) -> Option<String> {
    let mut best: Option<(usize, String)> = None;
    for reference in repo.references().ok()?.flatten().take(limits::FOLDER_ENTRIES) {
        let Ok(short) = reference.shorthand() else { continue };
        let bare = short.strip_prefix("origin/").unwrap_or(short);
        let distance = strsim::damerau_levenshtein(bare, name);
        if distance <= 2 && distance < name.len() && best.as_ref().is_none_or(|(d, _)| distance < *d) {
            best = Some((distance, short.to_owned()));
        }
    }
    best.map(|(_, name)| name)
}
