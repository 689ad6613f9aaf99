//! Defines where a commit lands: which branch it goes on top of, whether the working folder allows that, and how the branch
//! is moved there, with the files that are checked out.
//!
//! A branch is only ever moved from the commit that was shown: somebody else's is never lost. Where it is checked out, its
//! files come first and the branch after them: cut short in between, the change stands in the index, and no branch has
//! moved. libgit2 does it, which runs no hooks and no filters.

use super::propose::index_entry;
use super::repo::{Kind, Repo};
use crate::model::commit_plan::Landing;
use crate::model::{Asked, Oid};
use git2::build::CheckoutBuilder;
use git2::{BranchType, Repository, RepositoryState, Status, StatusOptions};
use std::path::Path;

/// A branch that a commit can go on top of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// The commit that it is at.
    pub base: Oid,
    /// `None`: a tag, a commit or a detached HEAD was asked for, or another working folder has the branch: it takes a new
    /// branch.
    pub branch: Option<String>,
    /// Why it takes a new branch.
    pub why: Option<String>,
    /// It is what HEAD of this working folder is on.
    pub is_checked_out: bool,
}

/// Why the files that are checked out do not allow that their branch is moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// It has uncommitted changes, or a file that Git does not know stands in its place.
    Uncommitted { file: String },
    /// Something is under way in the working folder: a merge, a rebase.
    Doing { what: &'static str },
    /// Only part of the files are checked out.
    Sparse,
    /// Another program (`git lfs`, `git-crypt`) turns its content into what is checked out.
    Filtered { file: String },
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Obstacle::Uncommitted { file } => write!(f, "{file} has uncommitted changes"),
            Obstacle::Doing { what } => write!(f, "a {what} is under way in the working folder"),
            Obstacle::Sparse => write!(f, "the working folder is a sparse checkout"),
            Obstacle::Filtered { file } => {
                write!(f, "a filter of Git's attributes turns {file} into what is checked out")
            }
        }
    }
}

/// Why a commit did not land.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LandError {
    #[error("{branch} has moved since the plan was made")]
    Moved { branch: String },
    #[error("there is a branch {branch} already")]
    Exists { branch: String },
    #[error("{branch} stays where it is: {obstacle}")]
    Obstructed { branch: String, obstacle: String },
    #[error("the index of the repository is locked: another git is at work there")]
    Locked,
    #[error("{branch} cannot be moved: {reason}")]
    Failed { branch: String, reason: String },
}

impl LandError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            LandError::Moved { .. } | LandError::Obstructed { .. } => "plan again",
            LandError::Exists { .. } => "delete it, or name another",
            LandError::Locked => "wait for it; if it was killed, git says which file to remove",
            LandError::Failed { .. } => return None,
        })
    }
}

impl Repo {
    /// Returns the branch that a commit would go on, for what was asked of the repo. `None`: the repo has no commits, or is no
    /// Git repository. Blocks on the disk.
    pub fn ground(&self, asked: &Asked) -> Option<Ground> {
        let repo = self.inner.handle.as_ref()?.lock();
        let head = repo.head().ok().filter(git2::Reference::is_branch);
        let head_name = head.as_ref().and_then(|head| head.shorthand().ok().map(str::to_owned));
        let is_bare = matches!(self.kind(), Kind::Bare | Kind::Mirror);
        let name = match asked {
            Asked::WorkingFolder { .. } => head_name.clone(),
            Asked::Name(name) => Some(name.clone()),
        };
        let Some(name) = name else {
            let base = repo.head().ok()?.peel_to_commit().ok()?.id();
            let why = Some("no branch is checked out".to_owned());
            return Some(Ground { base: Oid(base.to_string()), branch: None, why, is_checked_out: false });
        };
        let local = repo.find_branch(&name, BranchType::Local).ok();
        if let Some(branch) = local {
            let base = Oid(branch.get().peel_to_commit().ok()?.id().to_string());
            let is_head = head_name.as_deref() == Some(&name);
            if is_head && !is_bare {
                return Some(Ground { base, branch: Some(name), why: None, is_checked_out: true });
            }
            let elsewhere = !is_bare && is_in_other_folder(&repo, &name);
            let why = elsewhere.then(|| format!("{name} is checked out in another working folder"));
            let branch = (!elsewhere).then_some(name);
            return Some(Ground { base, branch, why, is_checked_out: false });
        }
        let origin = format!("refs/remotes/origin/{name}");
        let found = repo.revparse_single(&name).or_else(|_| repo.revparse_single(&origin)).ok()?;
        let base = Oid(found.peel_to_commit().ok()?.id().to_string());
        let why = Some(format!("{name} is no branch of this repository"));
        Some(Ground { base, branch: None, why, is_checked_out: false })
    }

    /// Returns whether a commit is another one, or follows on it.
    pub fn follows(&self, commit: &Oid, earlier: &Oid) -> bool {
        let Some(handle) = &self.inner.handle else { return false };
        let repo = handle.lock();
        let id = |oid: &Oid| git2::Oid::from_str(&oid.0);
        commit == earlier
            || matches!((id(commit), id(earlier)), (Ok(commit), Ok(earlier))
                if repo.graph_descendant_of(commit, earlier).unwrap_or(false))
    }

    /// Returns whether a branch leads to a commit; `None` where the branch or the commit is not there.
    pub fn holds(&self, branch: &str, commit: &str) -> Option<bool> {
        let repo = self.inner.handle.as_ref()?.lock();
        let commit = repo.find_commit(git2::Oid::from_str(commit).ok()?).ok()?.id();
        let kept = format!("refs/driftdeck/{branch}");
        let branch = repo.find_branch(branch, BranchType::Local).map(git2::Branch::into_reference);
        let tip = branch.or_else(|_| repo.find_reference(&kept)).ok()?.peel_to_commit().ok()?.id();
        Some(tip == commit || repo.graph_descendant_of(tip, commit).ok()?)
    }

    /// Returns whether there is a local branch of this name.
    pub fn has_branch(&self, name: &str) -> bool {
        let Some(handle) = &self.inner.handle else { return false };
        handle.lock().find_branch(name, BranchType::Local).is_ok()
    }

    /// Returns what keeps the files that are checked out from becoming others. Blocks on the disk.
    pub fn obstacles(&self, files: &[String]) -> Vec<Obstacle> {
        match &self.inner.handle {
            Some(handle) if self.has_working_folder() => {
                obstacles(&handle.lock(), files).unwrap_or_else(|_| {
                    // What cannot be read is not written either.
                    vec![Obstacle::Doing { what: "change" }]
                })
            }
            _ => Vec::new(),
        }
    }

    /// Moves a branch from `base` to a commit that was made on top of it. `files` are those that the commit changes.
    pub fn land(
        &self,
        landing: &Landing,
        base: &Oid,
        commit: &Oid,
        files: &[String],
    ) -> Result<(), LandError> {
        let branch = landing.branch().to_owned();
        let failed = |error: &git2::Error| LandError::Failed {
            branch: branch.clone(),
            reason: error.message().to_owned(),
        };
        let none = || LandError::Failed {
            branch: branch.clone(),
            reason: format!("{} is in no Git repository", self.name()),
        };
        let repo = self.inner.handle.as_ref().ok_or_else(none)?.lock();
        let id = |oid: &Oid| git2::Oid::from_str(&oid.0).map_err(|error| failed(&error));
        let (base, commit) = (id(base)?, id(commit)?);
        let message = "driftdeck: commit on top";
        match landing {
            Landing::New { .. } => {
                let name = format!("refs/heads/{branch}");
                match repo.reference(&name, commit, false, message) {
                    Ok(_) => Ok(()),
                    Err(error) if error.code() == git2::ErrorCode::Exists => {
                        Err(LandError::Exists { branch: branch.clone() })
                    }
                    Err(error) => Err(failed(&error)),
                }
            }
            Landing::Branch { .. } => moved(&repo, &branch, base, commit, message),
            // Nothing of a mirror is a branch of its own; the name keeps the commit until it has been pushed.
            Landing::Remote { .. } => {
                let name = format!("refs/driftdeck/{branch}");
                repo.reference(&name, commit, true, message).map(drop).map_err(|error| failed(&error))
            }
            Landing::CheckedOut { keeps, .. } => {
                let on = repo.head().ok().and_then(|head| head.name().ok().map(str::to_owned));
                if on.as_deref() != Some(&format!("refs/heads/{branch}"))
                    || repo.refname_to_id(&format!("refs/heads/{branch}")).ok() != Some(base)
                {
                    return Err(LandError::Moved { branch });
                }
                if repo.path().join("index.lock").exists() {
                    return Err(LandError::Locked);
                }
                let written: Vec<String> =
                    files.iter().filter(|file| !keeps.contains(file)).cloned().collect();
                let found = obstacles(&repo, &written).map_err(|error| failed(&error))?;
                if let Some(obstacle) = found.first() {
                    let obstacle = obstacle.to_string();
                    return Err(LandError::Obstructed { branch, obstacle });
                }
                let landed = check_out(&repo, commit, &written, false)
                    .and_then(|()| stage(&repo, commit, keeps))
                    .map_err(|error| failed(&error))
                    .and_then(|()| moved(&repo, &branch, base, commit, message));
                if landed.is_err() {
                    // Back to what was there a moment ago; where that fails, git status shows it.
                    let _ = check_out(&repo, base, &written, true);
                    let _ = stage(&repo, base, keeps);
                }
                landed
            }
        }
    }
}

/// Moves a branch, if it still is at `base`.
fn moved(
    repo: &Repository,
    branch: &str,
    base: git2::Oid,
    commit: git2::Oid,
    message: &str,
) -> Result<(), LandError> {
    let name = format!("refs/heads/{branch}");
    match repo.reference_matching(&name, commit, true, base, message) {
        Ok(_) => Ok(()),
        Err(error) if error.code() == git2::ErrorCode::Modified => {
            Err(LandError::Moved { branch: branch.to_owned() })
        }
        Err(error) if error.code() == git2::ErrorCode::Locked => Err(LandError::Locked),
        Err(error) => {
            Err(LandError::Failed { branch: branch.to_owned(), reason: error.message().to_owned() })
        }
    }
}

/// Turns files that are checked out into those of a commit, the index with them. Unless it is `forced`, nothing that
/// differs from HEAD's commit is touched.
fn check_out(repo: &Repository, to: git2::Oid, files: &[String], forced: bool) -> Result<(), git2::Error> {
    if files.is_empty() {
        return Ok(());
    }
    let to = repo.find_commit(to)?.tree()?;
    let mut checkout = CheckoutBuilder::new();
    checkout.disable_pathspec_match(true).allow_conflicts(false);
    if forced {
        checkout.force().remove_untracked(true);
    } else {
        checkout.safe();
    }
    for file in files {
        checkout.path(file.as_str());
    }
    repo.checkout_tree(to.as_object(), Some(&mut checkout))
}

/// Puts a commit's version of files into the index, whatever the working folder holds.
fn stage(repo: &Repository, commit: git2::Oid, files: &[String]) -> Result<(), git2::Error> {
    if files.is_empty() {
        return Ok(());
    }
    let tree = repo.find_commit(commit)?.tree()?;
    let mut index = repo.index()?;
    index.read(false)?;
    for file in files {
        let path = Path::new(file);
        match tree.get_path(path) {
            Ok(entry) => {
                let mode = u32::try_from(entry.filemode()).unwrap_or_default();
                index.add(&index_entry(file, mode, entry.id()))?;
            }
            Err(_) => index.remove_path(path)?,
        }
    }
    index.write()
}

fn obstacles(repo: &Repository, files: &[String]) -> Result<Vec<Obstacle>, git2::Error> {
    if let Some(what) = under_way(repo.state()) {
        return Ok(vec![Obstacle::Doing { what }]);
    }
    if repo.config()?.get_bool("core.sparseCheckout").unwrap_or(false) {
        return Ok(vec![Obstacle::Sparse]);
    }
    let mut found = Vec::new();
    if files.is_empty() {
        return Ok(found);
    }
    let mut options = StatusOptions::new();
    options
        .include_untracked(true)
        .recurse_untracked_dirs(true)
        .include_ignored(true)
        .recurse_ignored_dirs(true);
    options.update_index(false).disable_pathspec_match(true);
    for file in files {
        options.pathspec(file);
    }
    let statuses = repo.statuses(Some(&mut options))?;
    for entry in statuses.iter().filter(|entry| entry.status() != Status::CURRENT) {
        let file = String::from_utf8_lossy(entry.path_bytes()).into_owned();
        found.push(Obstacle::Uncommitted { file });
    }
    for file in files {
        let filter = repo.get_attr(Path::new(file), "filter", git2::AttrCheckFlags::FILE_THEN_INDEX)?;
        // Only a value names a program; `-filter` and the like name none.
        if matches!(
            git2::AttrValue::from_string(filter),
            git2::AttrValue::String(_) | git2::AttrValue::Bytes(_)
        ) {
            found.push(Obstacle::Filtered { file: file.clone() });
        }
    }
    Ok(found)
}

fn under_way(state: RepositoryState) -> Option<&'static str> {
    super::repo::in_progress(state)
}

/// Returns whether another working folder of the repository has a branch checked out.
fn is_in_other_folder(repo: &Repository, branch: &str) -> bool {
    let wanted = format!("ref: refs/heads/{branch}");
    let common = repo.commondir().to_owned();
    let is_on = |head: &Path| std::fs::read_to_string(head).is_ok_and(|text| text.trim() == wanted);
    let own = repo.path().join("HEAD");
    let main = common.join("HEAD");
    let others = std::fs::read_dir(common.join("worktrees")).into_iter().flatten().filter_map(Result::ok);
    let heads = others.map(|entry| entry.path().join("HEAD")).chain([main]);
    let same = |a: &Path, b: &Path| matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    heads.filter(|head| !same(head, &own)).any(|head| is_on(&head))
}
