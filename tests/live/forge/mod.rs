//! What reaches Git on a server: pushes and pull requests, against a real forge.

mod push;

use std::ffi::OsString;
use std::future::Future;

use crate::support::{Forge, ForgeRepository, Home, Repository};
use driftdeck::git::{Before, Git, Push, PushError, Pushed, Remote, Repo};
use driftdeck::model::Oid;
use tokio_util::sync::CancellationToken;

/// Runs something async to its end.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("a runtime").block_on(future)
}

/// A repository on the forge and a checkout of it, with a commit that is not pushed yet.
struct Stage {
    remote: ForgeRepository,
    local: Repository,
    home: Home,
    /// What `main` of the forge is at.
    base: String,
    /// The next commit, in the checkout alone.
    next: String,
}

impl Stage {
    fn new(subject: &str) -> Self {
        let forge = Forge::of_this_run();
        let local = Repository::new();
        let base = local.write("web/settings.yaml", "replicas: 2\n").commit("Add web");
        let remote = forge.of_repository(subject, &local);
        let next = local.write("web/settings.yaml", "replicas: 3\n").commit("Scale web");
        let home = forge.home(&forge.owner);
        Self { remote, local, home, base, next }
    }

    /// Speaks ssh with the forge from now on, with a key of the owner's.
    fn by_ssh(&mut self) -> &mut Self {
        let command = self.remote.forge.ssh_command(&self.home, &self.remote.forge.owner);
        self.home.set("GIT_SSH_COMMAND", command);
        self.local.git(&["remote", "set-url", "origin", &self.remote.ssh_url()]);
        self
    }

    async fn git(&self) -> Git {
        let environment = self.home.environment().iter().map(|(name, value)| (name.into(), value.into()));
        let environment: Vec<(OsString, OsString)> = environment.collect();
        Git::find(environment, &CancellationToken::new()).await.expect("git")
    }

    fn repo(&self) -> Repo {
        Repo::open(self.local.path()).expect("the checkout")
    }

    fn origin(&self) -> Remote {
        self.repo().push_target(Some("main")).expect("a remote").remote
    }

    #[allow(clippy::result_large_err, reason = "a test looks into it")]
    fn push(&self, branch: &str, before: Before) -> Result<Pushed, PushError> {
        self.push_commit(&self.next, branch, before)
    }

    #[allow(clippy::result_large_err, reason = "a test looks into it")]
    fn push_commit(&self, commit: &str, branch: &str, before: Before) -> Result<Pushed, PushError> {
        let push = Push { commit: Oid(commit.to_owned()), branch: branch.to_owned(), before };
        wait(async {
            self.repo().push(&self.git().await, &self.origin(), &push, &CancellationToken::new()).await
        })
    }

    /// The base, as what the branch must be.
    fn onto_base(&self) -> Before {
        Before::Commit(Oid(self.base.clone()))
    }
}

/// An error as a person reads it: title, cause, hint.
fn read(error: &PushError) -> String {
    let notice = error.notice();
    [Some(notice.title), notice.cause, notice.hint].into_iter().flatten().collect::<Vec<_>>().join(" | ")
}
