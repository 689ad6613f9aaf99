//! Real Git repositories in temporary folders, with authors and dates that never change.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::programs::{Home, Run};

/// The second of the first commit: 2024-01-01T00:00:00Z. Each later commit of a repository is a minute younger.
pub const FIRST_COMMIT: u32 = 1_704_067_200;

/// A repository with a working folder and the branch `main`, removed when it goes out of scope.
pub struct Repository {
    home: Home,
    folder: PathBuf,
    commits: AtomicU32,
}

impl Repository {
    /// An empty repository, in a folder called `fleet`.
    pub fn new() -> Self {
        Self::named("fleet")
    }

    /// An empty repository in a folder of that name, which is where driftdeck takes the repository's name from.
    pub fn named(name: &str) -> Self {
        let home = Home::new();
        let folder = home.path().join(name);
        std::fs::create_dir(&folder).expect("a folder for the repository");
        let repository = Self { home, folder, commits: AtomicU32::new(0) };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Writes a file of the working folder, with its folders.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a file in a folder"))
            .expect("folders in the repository");
        std::fs::write(path, content).expect("a file in the repository");
        self
    }

    /// Removes a file or folder of the working folder.
    pub fn remove(&self, path: &str) -> &Self {
        let path = self.folder.join(path);
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
            .expect("removed");
        self
    }

    /// Commits everything in the working folder as Ana, and returns the commit's full name.
    pub fn commit(&self, subject: &str) -> String {
        self.commit_as("Ana <ana@example.com>", subject)
    }

    /// Commits everything in the working folder as somebody (`Name <address>`).
    pub fn commit_as(&self, author: &str, subject: &str) -> String {
        self.git(&["add", "--all"]);
        let author = format!("--author={author}");
        self.git(&["commit", "--quiet", "--allow-empty", &author, "--message", subject]);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.head()
    }

    /// The commit that HEAD names.
    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// Clones this repository into a bare one beside it, makes that `origin` with `main` tracking it, and returns
    /// its folder.
    pub fn with_bare_origin(&self) -> PathBuf {
        let origin = self.folder.with_extension("git");
        let path = origin.display().to_string();
        self.git(&["clone", "--quiet", "--bare", ".", &path]);
        self.git(&["remote", "add", "origin", &path]);
        self.git(&["fetch", "--quiet", "origin"]);
        self.git(&["branch", "--quiet", "--set-upstream-to=origin/main", "main"]);
        origin
    }

    /// Runs git in the working folder and returns its stdout; panics where it fails.
    #[track_caller]
    pub fn git<S: AsRef<str>>(&self, arguments: &[S]) -> String {
        self.try_git(arguments).exits(0).stdout
    }

    /// Runs git in the working folder, whatever comes of it.
    pub fn try_git<S: AsRef<str>>(&self, arguments: &[S]) -> Run {
        let second = FIRST_COMMIT + 60 * self.commits.load(Ordering::Relaxed);
        let date = format!("{second} +0000");
        let mut command = self.home.command("git");
        command
            .current_dir(&self.folder)
            .args(arguments.iter().map(AsRef::as_ref))
            .env("GIT_AUTHOR_NAME", "Ana")
            .env("GIT_AUTHOR_EMAIL", "ana@example.com")
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_NAME", "Ana")
            .env("GIT_COMMITTER_EMAIL", "ana@example.com")
            .env("GIT_COMMITTER_DATE", &date)
            .env("GIT_TERMINAL_PROMPT", "0");
        Run::of(&mut command)
    }
}
