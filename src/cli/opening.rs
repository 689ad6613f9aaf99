//! Opens what a headless command is about, from the options that were typed.

use crate::action::journal::Journal;
use crate::cli::Failed;
use crate::cli::arguments::Options;
use crate::config::paths::Folders;
use crate::model::Notice;
use crate::pipeline::offline::How;
use crate::pipeline::opening::{self, Opened, Wishes, system_clock};
use crate::pipeline::setup::ClusterSetup;
use std::time::Duration;

/// Returns what was asked for in the words of the pipeline.
pub fn wishes(places: &[String], options: &Options, follow: bool) -> Wishes {
    Wishes {
        places: places.to_vec(),
        contexts: options.context.clone(),
        kubeconfig: options.kubeconfig.clone(),
        as_user: options.as_user.clone(),
        as_groups: options.as_group.clone(),
        namespace: options.namespace.clone(),
        revision: options.revision.clone(),
        apps: options.apps.clone(),
        read_only: options.read_only,
        config: options.config.clone(),
        request_timeout: options.request_timeout,
        follow,
        without_clusters: false,
    }
}

/// Opens repos and clusters.
pub fn open(places: &[String], options: &Options, follow: bool) -> Result<Opened, Failed> {
    opening::open(&wishes(places, options, follow), system_clock())
}

/// Opens repos alone.
pub fn open_repos(places: &[String], options: &Options) -> Result<Opened, Failed> {
    let wishes = Wishes { without_clusters: true, ..wishes(places, options, false) };
    opening::open(&wishes, system_clock())
}

/// Opens the clusters that were asked for and no repos: the contexts of `--context`, else those of the configuration, else
/// the current one.
pub fn clusters(options: &Options) -> Result<(Vec<ClusterSetup>, Vec<Notice>), Failed> {
    opening::open_clusters(&wishes(&[], options, false), &system_clock())
}

/// Opens one cluster and no repos: the context of `--context`, else the one that is known from elsewhere.
pub fn cluster_of(options: &Options, known: String) -> Result<(ClusterSetup, Vec<Notice>), Failed> {
    let mut wishes = wishes(&[], options, false);
    if wishes.contexts.is_empty() {
        wishes.contexts = vec![known];
    }
    let (mut clusters, notices) = opening::open_clusters(&wishes, &system_clock())?;
    match (clusters.pop(), clusters.is_empty()) {
        (Some(one), true) => Ok((one, notices)),
        _ => Err(Box::new(Notice::error("several contexts are asked for").hint("choose one with --context"))),
    }
}

/// Returns how a path is rendered without a cluster (`-` is standard input), and what is to be said about it.
pub fn offline(path: &str, options: &Options) -> Result<(How, Vec<Notice>), Failed> {
    let places: Vec<String> =
        [path].iter().filter(|path| **path != "-").map(|path| (*path).to_owned()).collect();
    opening::offline(&wishes(&places, options, false))
}

/// Waits for work within the time of `--timeout`; what takes longer ends with an error.
pub async fn in_time<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, Failed>>,
) -> Result<T, Failed> {
    let Some(limit) = limit else { return work.await };
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        let title = format!("it was not done within {}s", limit.as_secs_f32());
        Err(Box::new(Notice::error(title).hint("allow more with --timeout")))
    })
}

/// Returns the journal of this user.
pub fn journal() -> Result<Journal, Failed> {
    let folders = Folders::of_this_user().map_err(|error| Box::new(Notice::error(error.to_string())))?;
    Ok(Journal::at(folders.state.join("journal")))
}
