//! Defines repos: Git repositories and plain folders that hold desired state, what they hold at a revision, and how
//! remote ones are fetched.
//!
//! - [`Repo`] opens what the user named and gives a [`Snapshot`] of it at a revision: facts for people and a
//!   [`crate::model::Tree`] to read. Everything is read from the object database or the working folder; reading checks
//!   nothing out and writes nothing.
//! - [`Mirror`] keeps a bare copy of a remote repo in the cache folder, fetched by the user's own `git` program through
//!   the one wrapper in [`program`].
//! - [`Repo::push`] sends one commit to one branch of a remote, and asks the remote what came of it.
//! - History is walked by the program too, through an empty repository of our own onto the objects of the other.
//! - [`Repo::propose`] tells what a commit would hold before any of it is there, [`Repo::commit`] makes it, and
//!   [`Repo::land`] moves a branch to it.
//! - [`mod@write`] makes local repositories and commits: whole trees, for the demo's world.
//! - [`Watch`] tells when working files or refs of a local repo change.
//!
//! Repositories are hostile: libgit2 runs no programs at all (no hooks, filters, fsmonitor or text converters), and
//! `git` itself only ever runs in a repository whose configuration this room wrote. Functions that are not `async` read the
//! disk and block; call them off the async threads.

mod blame;
mod commit_tree;
mod committing;
mod digest;
mod disk;
mod fetch_error;
pub mod forge;
mod history;
mod ignores;
mod interval;
mod landing;
mod lfs;
mod log;
mod mirror;
mod mirror_folder;
pub mod program;
mod progress;
mod propose;
mod push;
mod push_error;
mod push_words;
mod remote;
mod remote_url;
mod repo;
mod resolve;
mod revision;
mod watch;
mod working_tree;
pub mod write;

pub use blame::{Begin, Known, LineBy, PastState, Version};
pub use committing::{CommitError, Committing};
pub use fetch_error::FetchError;
pub use history::HistoryError;
pub use interval::next_fetch;
pub use landing::{Ground, LandError, Obstacle};
pub use log::Logged;
pub use mirror::{FetchOutcome, Mirror, RefMove};
pub use program::{Git, GitError};
pub use progress::{Progress, Stage};
pub use propose::{ProposeError, Proposed, Recipe};
pub use push::{Before, Push, Pushed};
pub use push_error::PushError;
pub use remote::{Remote, RemoteError, Upstream};
pub use remote_url::{RemoteUrl, Transport, UrlError, shown_url};
pub use repo::{Kind, OpenError, Repo};
pub use revision::{Ask, CommitFacts, RevisionError, Snapshot};
pub use watch::{Changed, ChangedFiles, Watch, WatchError};

#[cfg(test)]
mod tests;
