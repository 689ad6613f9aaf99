//! Gets at remote repos: the mirror is fetched first, and what was fetched before serves where the remote does not answer.

use crate::git::{Git, Mirror, Progress, RemoteUrl, Repo, Stage, next_fetch};
use crate::model::Notice;
use crate::model::status::Fetching;
use crate::pipeline::setup::Setup;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// A repo that was opened, with what is to be said of its remote.
pub struct Opened {
    pub repo: Repo,
    /// The remote answered just now.
    pub fresh: bool,
    pub notice: Option<Notice>,
}

/// Fetches a remote into its mirror and opens that.
pub async fn open(
    url: &str,
    setup: &Setup,
    progress: &mut (dyn FnMut(Fetching) + Send),
    cancel: &CancellationToken,
) -> Result<Opened, Box<Notice>> {
    let mirror = mirror(url, setup, cancel).await?;
    let mut passed_on = |now: Progress| {
        // Asking whether there is anything to fetch is no fetch yet.
        if now.stage != Stage::Connecting {
            progress(Fetching { percent: now.percent });
        }
    };
    let failed = match mirror.fetch(&mut passed_on, cancel).await {
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

/// Tells that a remote is to be fetched again: at the interval after the last fetch has ended, moved by up to a tenth, and
/// ever more rarely while it fails. `failures` brings, whenever a fetch has ended, how many in a row have failed. Ends when
/// nobody listens or nothing is brought any more.
pub async fn follow<S: Future<Output = ()>>(
    url: &str,
    interval: Duration,
    mut failures: watch::Receiver<u32>,
    moved: mpsc::Sender<()>,
    sleep: impl Fn(Duration) -> S,
) {
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    std::process::id().hash(&mut hasher);
    let mut seed = hasher.finish();
    while failures.changed().await.is_ok() {
        loop {
            seed = seed.wrapping_add(1);
            let wait = next_fetch(interval, *failures.borrow_and_update(), seed);
            tokio::select! {
                biased;
                // Somebody else asked for a fetch meanwhile: the wait begins anew.
                again = failures.changed() => if again.is_err() { return },
                () = sleep(wait) => break,
            }
        }
        if moved.send(()).await.is_err() {
            return;
        }
    }
}

/// Returns how many fetches in a row have failed, after one more.
pub fn failures_after(before: u32, failed: bool) -> u32 {
    if failed { before.saturating_add(1) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Follows a remote whose fetches end so (true: failed), and returns how many seconds it waited after each.
    async fn waits(outcomes: &[bool]) -> Vec<u64> {
        let waits = Mutex::new(Vec::new());
        let (tell, failures) = watch::channel(0);
        let (moved, mut told) = mpsc::channel(1);
        let sleep = |wait: Duration| {
            waits.lock().unwrap().push(wait.as_secs());
            std::future::ready(())
        };
        let fetching = async move {
            let mut before = 0;
            for failed in outcomes {
                before = failures_after(before, *failed);
                tell.send(before).unwrap();
                told.recv().await.unwrap();
            }
        };
        let following = follow("https://git.example.com/a", Duration::from_secs(60), failures, moved, sleep);
        tokio::join!(following, fetching);
        waits.into_inner().unwrap()
    }

    #[tokio::test]
    async fn a_remote_that_fails_is_asked_ever_more_rarely_until_it_answers() {
        let waits = waits(&[false, true, true, true, false]).await;
        assert_eq!(waits.len(), 5);
        for (wait, intervals) in waits.iter().zip([1, 2, 4, 8, 1]) {
            // Moved by up to a tenth.
            assert!((54 * intervals..=66 * intervals).contains(wait), "{waits:?}");
        }
    }
}
