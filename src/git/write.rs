//! Defines how repositories and commits are made: whole trees, written to the object database through libgit2, with
//! nothing of the user's Git configuration in them.
//!
//! Only local repositories are written here. What goes over a network goes through [`super::program`].

use crate::model::{Oid, Timestamp};
use git2::{ErrorCode, FileMode, Repository, RepositoryInitOptions};
use std::collections::BTreeMap;
use std::path::Path;

/// Who made a commit, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub name: String,
    pub email: String,
    pub at: Timestamp,
}

/// A commit to be made.
#[derive(Debug)]
pub struct NewCommit<'a> {
    pub author: &'a Author,
    pub message: &'a str,
    /// Every file of the commit's tree by its path; none is executable.
    pub files: &'a BTreeMap<String, String>,
}

/// Why a repository was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    #[error("no repository can be made at {path}: {reason}")]
    NotMade { path: String, reason: String },
    #[error("nothing can be committed to {path}: {reason}")]
    NotCommitted { path: String, reason: String },
    #[error("{path} cannot be brought up to date with its origin: {reason}")]
    NotFetched { path: String, reason: String },
}

/// Makes an empty bare repository.
pub fn create_bare(path: &Path, branch: &str) -> Result<(), WriteError> {
    let mut options = RepositoryInitOptions::new();
    options.bare(true).no_reinit(true).mkpath(true).external_template(false).initial_head(branch);
    let made = Repository::init_opts(path, &options).and_then(|repository| {
        // Text is kept as it is, whatever the user's own configuration says.
        repository.config()?.set_bool("core.autocrlf", false)
    });
    made.map_err(|error| WriteError::NotMade { path: shown(path), reason: reason(&error) })
}

/// Commits a whole tree on top of a branch of a bare repository, and returns the new commit.
pub fn commit_on(bare: &Path, branch: &str, commit: &NewCommit<'_>) -> Result<Oid, WriteError> {
    let write = || {
        let repository = Repository::open_bare(bare)?;
        let tree = repository.find_tree(write_tree(&repository, commit.files)?)?;
        let reference = format!("refs/heads/{branch}");
        let parent = match repository.find_reference(&reference) {
            Ok(found) => Some(found.peel_to_commit()?),
            Err(error) if error.code() == ErrorCode::NotFound => None,
            Err(error) => return Err(error),
        };
        let author = commit.author;
        let time = git2::Time::new(author.at.as_second(), 0);
        let signature = git2::Signature::new(&author.name, &author.email, &time)?;
        let parents: Vec<_> = parent.iter().collect();
        let message = format!("{}\n", commit.message.trim_end());
        repository.commit(Some(&reference), &signature, &signature, &message, &tree, &parents)
    };
    match write() {
        Ok(oid) => Ok(Oid(oid.to_string())),
        Err(error) => Err(WriteError::NotCommitted { path: shown(bare), reason: reason(&error) }),
    }
}

/// Clones a local repository with its working folder on a branch that follows `origin`.
pub fn clone_local(from: &Path, to: &Path, branch: &str) -> Result<(), WriteError> {
    let not_made = |reason: String| WriteError::NotMade { path: shown(to), reason };
    let from = from.to_str().ok_or_else(|| not_made("its origin's path is not UTF-8".into()))?;
    let mut checkout = git2::build::CheckoutBuilder::new();
    checkout.disable_filters(true);
    git2::build::RepoBuilder::new()
        .branch(branch)
        .with_checkout(checkout)
        .clone(from, to)
        .and_then(|repository| repository.config()?.set_bool("core.autocrlf", false))
        .map_err(|error| not_made(reason(&error)))
}

/// Brings the remote branches of a clone of a local repository up to date; its own branch and files stay.
pub fn fetch_local(folder: &Path) -> Result<(), WriteError> {
    let fetch = || {
        let repository = Repository::open(folder)?;
        let mut origin = repository.find_remote("origin")?;
        origin.fetch::<&str>(&[], None, None)
    };
    fetch().map_err(|error| WriteError::NotFetched { path: shown(folder), reason: reason(&error) })
}

fn write_tree(repository: &Repository, files: &BTreeMap<String, String>) -> Result<git2::Oid, git2::Error> {
    let mut update = git2::build::TreeUpdateBuilder::new();
    for (path, text) in files {
        update.upsert(path.as_str(), repository.blob(text.as_bytes())?, FileMode::Blob);
    }
    let nothing = repository.treebuilder(None)?.write()?;
    update.create_updated(repository, &repository.find_tree(nothing)?)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn reason(error: &git2::Error) -> String {
    error.message().to_owned()
}
