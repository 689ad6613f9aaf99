//! Gets at remote repos: the mirror is fetched first, and what was fetched before serves where the remote does not answer.

use crate::git::{Git, Mirror, RemoteUrl, Repo, next_fetch};
use crate::model::Notice;
use crate::pipeline::setup::Setup;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A repo that was opened, with what is to be said of its remote.
pub struct Opened {
    pub repo: Repo,
    /// The remote answered just now.
    pub fresh: bool,
    pub notice: Option<Notice>,
}

/// Fetches a remote into its mirror and opens that.
pub async fn open(url: &str, setup: &Setup, cancel: &CancellationToken) -> Result<Opened, Box<Notice>> {
    let mirror = mirror(url, setup, cancel).await?;
    let failed = match mirror.fetch(&mut |_| {}, cancel).await {
        Ok(_) => None,
        Err(error) => Some(error.notice()),
    };
    let reader = mirror.clone();
    let opened = tokio::task::spawn_blocking(move || reader.repo()).await.ok().flatten();
    match (opened, failed) {
        (Some(Ok(repo)), notice) => Ok(Opened { repo, fresh: notice.is_none(), notice }),
        (Some(Err(error)), _) => Err(Box::new(error.notice())),
        (None, Some(notice)) => Err(Box::new(notice)),
        (None, None) => Err(Box::new(Notice::error(format!("{} has no branches yet", mirror.url())))),
    }
}

async fn mirror(url: &str, setup: &Setup, cancel: &CancellationToken) -> Result<Mirror, Box<Notice>> {
    let url = RemoteUrl::read(url)
        .map_err(|error| Box::new(Notice::error(error.to_string()).hint(error.hint())))?;
    let cache = setup.cache.as_deref().ok_or_else(|| {
        Box::new(
            Notice::error("there is no cache folder for remote repos").hint("set XDG_CACHE_HOME, or HOME"),
        )
    })?;
    let environment: Vec<_> = std::env::vars_os().collect();
    let git = Git::find(environment, cancel)
        .await
        .map_err(|error| Box::new(Notice::error(error.to_string()).hint(error.hint())))?;
    Ok(Mirror::of(url, cache, git))
}

/// Tells at the fetch interval, moved by up to a tenth, that a remote is to be fetched again.
pub async fn follow(url: &str, interval: Duration, moved: mpsc::Sender<()>, cancel: CancellationToken) {
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    std::process::id().hash(&mut hasher);
    let mut seed = hasher.finish();
    loop {
        seed = seed.wrapping_add(1);
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(next_fetch(interval, 0, seed)) => {}
        }
        if moved.send(()).await.is_err() {
            return;
        }
    }
}
