//! Works out the demo's repository at each of its commits, and writes it: a bare remote and a clone of it.
//!
//! What the repository holds today is given; the commits are undone one by one from there.

use super::DemoError;
use super::assets::File;
use super::script::{Change, History, NextCommit, PastCommit};
use crate::git::write::{Author, NewCommit, clone_local, commit_on, create_bare, fetch_local};
use crate::model::Timestamp;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The branch that everything happens on.
pub(super) const BRANCH: &str = "main";

/// The files of the repository at one commit.
pub(super) type Files = BTreeMap<String, String>;

/// The repository at each commit of its history.
#[derive(Debug)]
pub(super) struct Past {
    history: History,
    /// As the commits are: the oldest first.
    trees: Vec<Files>,
}

/// The remote and the working folder that follows it.
#[derive(Debug, Clone)]
pub(super) struct Repos {
    pub remote: PathBuf,
    pub folder: PathBuf,
    past: std::sync::Arc<Past>,
}

impl Past {
    /// Undoes the commits from what the repository holds today.
    pub fn work_out(history: History, today: &[File]) -> Result<Self, DemoError> {
        let mut files: Files =
            today.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let mut trees = Vec::new();
        for commit in history.commits.iter().rev() {
            trees.push(files.clone());
            undo(commit, &mut files)?;
        }
        if let Some((file, _)) = files.first_key_value() {
            return Err(DemoError::NeverAdded { file: file.clone() });
        }
        trees.reverse();
        Ok(Self { history, trees })
    }

    /// Returns the files at a commit.
    pub fn at(&self, id: &str) -> Result<&Files, DemoError> {
        let at = self.history.commits.iter().position(|commit| commit.id == id);
        at.and_then(|at| self.trees.get(at)).ok_or_else(|| DemoError::NoCommit { id: id.to_owned() })
    }

    /// Returns the files at the newest commit.
    pub fn newest(&self) -> Files {
        self.trees.last().cloned().unwrap_or_default()
    }

    fn author(&self, name: &str, at: Timestamp) -> Result<Author, DemoError> {
        let person =
            self.history.authors.get(name).ok_or_else(|| DemoError::NoAuthor { name: name.to_owned() })?;
        Ok(Author { name: person.name.clone(), email: person.email.clone(), at })
    }
}

impl Repos {
    /// Writes the remote with its whole history, and the clone.
    pub fn create(ground: &Path, past: Past, now: Timestamp) -> Result<Self, DemoError> {
        let (remote, folder) = (ground.join("remote").join("fleet.git"), ground.join("fleet"));
        create_bare(&remote, BRANCH)?;
        for (commit, files) in past.history.commits.iter().zip(&past.trees) {
            let author = past.author(&commit.by, commit.ago.before(now))?;
            commit_on(&remote, BRANCH, &NewCommit { author: &author, message: &commit.message, files })?;
        }
        clone_local(&remote, &folder, BRANCH)?;
        Ok(Self { remote, folder, past: std::sync::Arc::new(past) })
    }

    /// Lets a commit arrive on the remote, as somebody's merged pull request, and the clone know of it.
    pub fn receive(&self, commit: &NextCommit, now: Timestamp) -> Result<(), DemoError> {
        let mut files = self.past.newest();
        for change in &commit.changes {
            replace(&mut files, &change.file, &change.was, &change.is)?;
        }
        let author = self.past.author(&commit.by, now)?;
        commit_on(
            &self.remote,
            BRANCH,
            &NewCommit { author: &author, message: &commit.message, files: &files },
        )?;
        fetch_local(&self.folder)?;
        Ok(())
    }
}

fn undo(commit: &PastCommit, files: &mut Files) -> Result<(), DemoError> {
    for Change { file, was, is } in commit.changes.iter().rev() {
        replace(files, file, is, was)?;
    }
    for removal in &commit.removes {
        files.insert(removal.file.clone(), removal.held.clone());
    }
    for added in &commit.adds {
        let before = files.len();
        let below = format!("{added}/");
        files.retain(|path, _| path != added && !path.starts_with(&below));
        if files.len() == before {
            return Err(DemoError::NoFile { file: added.clone() });
        }
    }
    Ok(())
}

fn replace(files: &mut Files, file: &str, from: &str, to: &str) -> Result<(), DemoError> {
    let text = files.get_mut(file).ok_or_else(|| DemoError::NoFile { file: file.to_owned() })?;
    if text.matches(from).count() != 1 {
        return Err(DemoError::NotOnce { file: file.to_owned(), text: from.to_owned() });
    }
    *text = text.replacen(from, to, 1);
    Ok(())
}
