//! Defines the repositories that the tests make.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A temporary folder that repositories are made in.
pub(in crate::git) struct Ground {
    folder: TempDir,
}

/// A repository with a working folder, or a bare one.
pub(in crate::git) struct Made {
    pub(in crate::git) path: PathBuf,
}

impl Ground {
    pub(in crate::git) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Returns the canonical path, as macOS' temporary folder is behind a link.
    pub(in crate::git) fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("it exists")
    }

    pub(in crate::git) fn repo(&self, name: &str) -> Made {
        let path = self.path().join(name);
        git(&self.path(), &["init", "-q", "-b", "main", name]);
        Made { path }
    }

    pub(in crate::git) fn bare(&self, name: &str) -> Made {
        git(&self.path(), &["init", "-q", "--bare", "-b", "main", name]);
        Made { path: self.path().join(name) }
    }
}

impl Made {
    pub(in crate::git) fn git(&self, arguments: &[&str]) -> String {
        git(&self.path, arguments)
    }

    pub(in crate::git) fn write(&self, file: &str, text: &str) -> &Self {
        let path = self.path.join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
        self
    }

    pub(in crate::git) fn link(&self, file: &str, target: &str) -> &Self {
        let path = self.path.join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::os::unix::fs::symlink(target, path).expect("a link");
        self
    }

    /// Commits everything and returns the commit's id.
    pub(in crate::git) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// Runs git without the user's or the machine's configuration, as Ana at a fixed time, and returns what it printed.
pub(in crate::git) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Runs git as [`git`] does, whether it succeeds or not.
pub(in crate::git) fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .args(["-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").expect("a PATH"))
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "Ana")
        .env("GIT_AUTHOR_EMAIL", "ana@example.com")
        .env("GIT_AUTHOR_DATE", "2026-03-01T10:00:00+01:00")
        .env("GIT_COMMITTER_NAME", "Ana")
        .env("GIT_COMMITTER_EMAIL", "ana@example.com")
        .env("GIT_COMMITTER_DATE", "2026-03-01T10:00:00+01:00")
        .output()
        .expect("git is installed")
}
