//! Reads a repo: opens it, resolves the revision, discovers its apps; and tells when it moved.

use crate::git::{self, Ask, Repo, Watch};
use crate::model::status::{Fetching, RepoStatus};
use crate::model::{App, IgnoreRule, Notice, RepoId, Tree};
use crate::pipeline::configured::{configured, unfit};
use crate::pipeline::deployment::{Member, Role};
use crate::pipeline::discovery::{self, Discovered};
use crate::pipeline::remotes;
use crate::pipeline::rules;
use crate::pipeline::setup::{Place, Setup, Source};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// A repo as it was read.
pub struct Read {
    pub status: RepoStatus,
    pub tree: Arc<dyn Tree>,
    pub repo: Repo,
    /// All apps of the repo, each with what it is in this run.
    pub apps: Vec<Member>,
    pub notices: Vec<Notice>,
    /// The repo's own ignore rules.
    pub rules: Vec<Arc<IgnoreRule>>,
    /// What is wrong with the first of them that cannot be read.
    pub rule_mistake: Option<String>,
    /// What is to be said of those that it did not have before.
    pub news: Option<Notice>,
}

/// Returns what is shown of a repo before it was read.
pub fn pending(source: &Source) -> RepoStatus {
    let location = match &source.place {
        Place::Local(path) => path.display().to_string(),
        Place::Remote(url) => git::shown_url(url),
    };
    let name = location
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(&location)
        .trim_end_matches(".git")
        .to_owned();
    RepoStatus {
        id: RepoId(location.as_str().into()),
        name: source.name.clone().unwrap_or(name),
        location,
        upstream: None,
        revision: None,
        author: None,
        subject: None,
        authored: None,
        fetched: None,
        fetching: matches!(source.place, Place::Remote(_)).then(Fetching::default),
        notice: None,
    }
}

/// Opens a repo at the revision that was asked for and discovers its apps. On failure, what is shown of it.
/// `progress` is told how far a fetch has come.
pub async fn read(
    source: &Source,
    setup: &Setup,
    progress: &mut (dyn FnMut(Fetching) + Send),
    cancel: &CancellationToken,
) -> Result<Read, RepoStatus> {
    let failed = |notice: Notice| {
        let mut status = pending(source);
        status.fetching = None;
        status.notice = Some(notice);
        status
    };
    let (opened, notice, fetched) = match &source.place {
        Place::Local(path) => {
            let path = path.clone();
            let opened =
                tokio::task::spawn_blocking(move || Repo::open(&path).map_err(|e| Box::new(e.notice())))
                    .await;
            (opened.unwrap_or_else(|_| Err(panicked())), None, None)
        }
        Place::Remote(url) => match remotes::open(url, setup, progress, cancel).await {
            Ok(opened) => (Ok(opened.repo), opened.notice, opened.fresh.then(|| (setup.clock)())),
            Err(notice) => (Err(notice), None, None),
        },
    };
    let repo = opened.map_err(|notice| failed(*notice))?;
    let (source, ignoring) = (source.clone(), setup.ignoring.clone());
    let work = tokio::task::spawn_blocking(move || {
        let mut read = read_blocking(&repo, &source)?;
        read.news = ignoring.news(&read.status.id, &read.status.name, &read.rules);
        Ok(read)
    })
    .await;
    let mut read = work.unwrap_or_else(|_| Err(panicked())).map_err(|notice| failed(*notice))?;
    read.status.fetched = fetched;
    read.status.notice = notice;
    Ok(read)
}

fn panicked() -> Box<Notice> {
    Box::new(Notice::error("driftdeck failed while reading the repo; the log says where"))
}

fn read_blocking(repo: &Repo, source: &Source) -> Result<Read, Box<Notice>> {
    let ask = source.revision.clone().map_or(Ask::Default, Ask::Name);
    let snapshot = repo.revision(&ask).map_err(|e| Box::new(e.notice()))?;
    let mut status = repo.status(Some(&snapshot));
    if let Some(name) = &source.name {
        status.name.clone_from(name);
    }
    if source.only_configured {
        status.id = RepoId(format!("{}@{}", status.id.0, snapshot.revision.asked.words()).into());
    }
    let at = |path: &str| {
        discovery::discover_at(&*snapshot.tree, &status.id, repo.name(), path)
            .map_err(|error| Box::new(Notice::error(error.to_string())))
    };
    let mut found = if !source.discovery {
        Discovered::default()
    } else if source.named || !repo.prefix().is_empty() {
        at(repo.prefix())?
    } else {
        discovery::discover(&*snapshot.tree, &status.id, repo.name())
    };
    found.apps.retain(|app| !source.elsewhere.contains(&app.path));
    found.others.retain(|app| !source.elsewhere.contains(&app.path));
    for setting in &source.apps {
        match at(&setting.path).map(|found| configured(setting, found)) {
            Ok(Some(app)) => {
                let differs = |other: &App| other.path != app.path && other.id != app.id;
                found.apps.retain(differs);
                found.others.retain(differs);
                let asked = lies_in(&app.path, repo.prefix());
                if asked { found.apps.push(app) } else { found.others.push(app) }
            }
            Ok(None) => found.notices.push(unfit(setting, "it is not exactly one thing to render")),
            Err(notice) => found.notices.push(unfit(setting, &notice.title)),
        }
    }
    let Discovered { apps, others, parts, notices: of_discovery } = found;
    let mut notices = repo.notices();
    notices.extend(of_discovery);
    let (rules, wrong) = rules::of_tree(&*snapshot.tree);
    let rule_mistake = wrong.first().map(|notice| {
        let line = notice.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("{}{line}: {}", notice.file.as_deref().unwrap_or_default(), notice.title)
    });
    notices.extend(wrong);
    let asked = apps.into_iter().map(|app| {
        let role = if parts.contains(&app.id) { Role::Part } else { Role::Asked };
        Member { app, role }
    });
    let apps = asked.chain(others.into_iter().map(|app| Member { app, role: Role::Other })).collect();
    Ok(Read {
        status,
        tree: snapshot.tree,
        repo: repo.clone(),
        apps,
        notices,
        rules,
        rule_mistake,
        news: None,
    })
}

/// Returns whether a path of a repo is a folder or file, or lies below it; everything lies in the repo's root.
fn lies_in(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Tells whenever a repo moved, until the pipeline ends: the file system's notifications for a local folder, the fetch
/// interval for a remote, told by `failures` how its fetches end. Returns what is to be said where a folder cannot be watched well, or at all.
pub async fn follow(
    source: Source,
    failures: watch::Receiver<u32>,
    moved: mpsc::Sender<()>,
    say: mpsc::Sender<Notice>,
    cancel: CancellationToken,
) {
    match source.place {
        Place::Local(path) => follow_folder(path, moved, say, cancel).await,
        Place::Remote(url) => {
            // Without an interval it is fetched only when asked.
            if let Some(interval) = source.fetch_interval {
                remotes::follow(&url, interval, failures, moved, tokio::time::sleep).await;
            }
        }
    }
}

async fn follow_folder(
    path: std::path::PathBuf,
    moved: mpsc::Sender<()>,
    say: mpsc::Sender<Notice>,
    cancel: CancellationToken,
) {
    let starting = tokio::task::spawn_blocking(move || {
        // A folder that cannot be opened has said so when it was read.
        let repo = Repo::open(&path).ok()?;
        Some(Watch::start(&repo))
    });
    let mut watch = match starting.await {
        Ok(Some(Ok(watch))) => watch,
        Ok(Some(Err(error))) => {
            // Nobody listens any more once the pipeline has ended.
            let _ = say.send(error.notice()).await;
            return;
        }
        Ok(None) | Err(_) => return,
    };
    if let Some(notice) = watch.notice() {
        let _ = say.send(notice.clone()).await;
    }
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            changed = watch.next() => if changed.is_none() || moved.send(()).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_remote_without_an_interval_is_never_fetched_by_itself() {
        let place = Place::Remote("https://git.example.com/a".to_owned());
        let source = Source { fetch_interval: None, ..Source::at(place) };
        let (tell, failures) = watch::channel(0);
        tell.send(0).unwrap();
        let ((moved, mut told), (say, _said)) = (mpsc::channel(1), mpsc::channel(1));
        follow(source, failures, moved, say, CancellationToken::new()).await;
        assert_eq!(told.recv().await, None);
    }
}
