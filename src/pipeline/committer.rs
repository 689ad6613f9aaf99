//! Finds the git that commits are made with, once, with the environment that says who commits.

use crate::git::Git;
use crate::model::Notice;
use std::ffi::OsString;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

/// The git that commits are made with.
#[derive(Default)]
pub struct Committer {
    env: Option<Vec<(OsString, OsString)>>,
    found: OnceCell<Git>,
}

impl Committer {
    /// Commits as somebody made up, whatever git is configured to: for a world that is made up as well.
    pub fn made_up() -> Self {
        let own = |(name, _): &(OsString, OsString)| name == "PATH" || name == "HOME" || name == "TMPDIR";
        let mut env: Vec<_> = std::env::vars_os().filter(own).collect();
        for (name, value) in [
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "You"),
            ("GIT_AUTHOR_EMAIL", "you@example.com"),
            ("GIT_COMMITTER_NAME", "You"),
            ("GIT_COMMITTER_EMAIL", "you@example.com"),
        ] {
            env.push((name.into(), value.into()));
        }
        Self { env: Some(env), found: OnceCell::new() }
    }

    /// Returns git. Errors: why it cannot be run.
    pub async fn git(&self) -> Result<Git, Notice> {
        let find = || async {
            let env = self.env.clone().unwrap_or_else(|| std::env::vars_os().collect());
            Git::find(env, &CancellationToken::new()).await
        };
        let found = self.found.get_or_try_init(find).await;
        found.cloned().map_err(|error| Notice::error(error.to_string()).hint(error.hint()))
    }
}
