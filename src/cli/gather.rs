//! Gathers what the pipeline tells until everything has been judged once.

use crate::cli::document::{AppEntry, Findings, ResourceEntry};
use crate::cli::output::Output;
use crate::model::Glob;
use crate::model::status::{
    AppStatus, ClusterState, ClusterStatus, DeploymentStatus, RepoStatus, ResourceStatus,
};
use crate::model::update::Update;
use crate::model::{
    ClusterId, Counts, DeploymentId, HealthStatus, Hidden, Level, Notice, RepoId, ResourceId, Verdict, Why,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::mpsc;

/// Everything that the pipeline told, the newest of each thing.
#[derive(Debug, Default)]
pub struct Gathered {
    pub repos: BTreeMap<RepoId, RepoStatus>,
    pub apps: BTreeMap<RepoId, Vec<AppStatus>>,
    pub clusters: BTreeMap<ClusterId, ClusterStatus>,
    pub deployments: BTreeMap<DeploymentId, DeploymentStatus>,
    pub resources: BTreeMap<DeploymentId, BTreeMap<ResourceId, ResourceStatus>>,
    pub notices: Vec<Notice>,
    pub settled: bool,
}

impl Gathered {
    /// Takes in updates until everything is judged or the time is over. `None` as limit: waits as long as it takes.
    /// Says on stderr which remotes it waits for.
    pub async fn until_settled(
        &mut self,
        updates: &mut mpsc::Receiver<Update>,
        limit: Option<Duration>,
        output: &Output,
    ) {
        let mut waiting = BTreeSet::new();
        let gathering = async {
            while let Some(update) = updates.recv().await {
                if let Update::Repo { status, .. } = &update
                    && status.fetching.is_some()
                    && waiting.insert(status.location.clone())
                {
                    output.progress(&format!("fetching {}", status.location));
                }
                self.take(update);
                if self.settled {
                    break;
                }
            }
        };
        match limit {
            Some(limit) => {
                let in_time = tokio::time::timeout(limit, gathering).await.is_ok();
                if !in_time {
                    self.notices.push(
                        Notice::error(format!("not everything was compared within {}s", limit.as_secs()))
                            .hint("allow more with --timeout, or look at fewer apps with --app"),
                    );
                }
            }
            None => gathering.await,
        }
    }

    /// Takes in one update.
    pub fn take(&mut self, update: Update) {
        match update {
            Update::Repo { status, was } => {
                if let Some(was) = was {
                    self.repos.remove(&was);
                }
                self.repos.insert(status.id.clone(), status);
            }
            Update::Apps { repo, apps } => {
                self.apps.insert(repo, apps);
            }
            Update::Cluster { status, was } => {
                if let Some(was) = was {
                    self.clusters.remove(&was);
                }
                self.clusters.insert(status.id.clone(), status);
            }
            Update::Deployment(status) => {
                self.deployments.insert(status.id.clone(), status);
            }
            Update::DeploymentGone(id) => {
                self.deployments.remove(&id);
                self.resources.remove(&id);
            }
            Update::Resources { deployment, changed, gone } => {
                let resources = self.resources.entry(deployment).or_default();
                for id in gone {
                    resources.remove(&id);
                }
                resources.extend(changed.into_iter().map(|status| (status.id.clone(), status)));
            }
            Update::Settled => self.settled = true,
            Update::Notice(notice) => {
                if !self.notices.contains(&notice) {
                    self.notices.push(notice);
                }
            }
        }
    }

    /// Returns a cluster's context: what `--context` takes.
    pub fn context(&self, cluster: &ClusterId) -> String {
        self.clusters.get(cluster).map_or_else(|| cluster.0.to_string(), |c| c.context.clone())
    }

    /// Returns what is to be said of gathering, of repos and of clusters, whatever came of comparing.
    pub fn said(&self) -> Vec<Notice> {
        let mut notices = self.notices.clone();
        for notice in self.repos.values().filter_map(|repo| repo.notice.as_ref()) {
            push_new(&mut notices, notice.clone());
        }
        for (cluster, why) in self.not_compared() {
            let notice = Notice::error(format!("{} could not be compared", cluster.name)).cause(why);
            push_new(&mut notices, notice);
        }
        notices
    }

    /// Returns the clusters that did not answer, or not for a while, each with the reason.
    fn not_compared(&self) -> impl Iterator<Item = (&ClusterStatus, &str)> {
        self.clusters.values().filter_map(|cluster| match &cluster.state {
            ClusterState::Denied { why, .. }
            | ClusterState::Unreachable { why, .. }
            | ClusterState::Stale { why, .. } => Some((cluster, why.as_str())),
            ClusterState::Connecting | ClusterState::Live => None,
        })
    }

    /// Returns what was found, in the order of the contract.
    pub fn findings(&self) -> Findings {
        let mut findings =
            Findings { notices: self.said(), incomplete: !self.settled, ..Findings::default() };
        findings.repos = self.repos.values().cloned().collect();
        let failed = |repo: &RepoStatus| repo.notice.as_ref().is_some_and(|n| n.level == Level::Error);
        findings.incomplete |= self.repos.values().any(failed);
        for (cluster, why) in self.not_compared() {
            findings.incomplete = true;
            findings.apps.extend(self.unreached(cluster, why));
        }
        for (id, status) in &self.deployments {
            let cluster = self.context(&id.cluster);
            let repo = self
                .repos
                .get(&id.app.repo)
                .map_or_else(|| id.app.repo.0.to_string(), |r| r.location.clone());
            let resources = self.resources.get(id);
            let unknown_alone = matches!(status.verdict, Verdict::Unknown(_)) && status.counts.unknown == 0;
            findings.incomplete |= unknown_alone || status.notices.iter().any(|n| n.level == Level::Error);
            for resource in resources.into_iter().flat_map(BTreeMap::values) {
                findings.resources.push(ResourceEntry {
                    status: resource.clone(),
                    app: Some(id.app.name.clone()),
                    cluster: Some(cluster.clone()),
                });
            }
            let called = self.clusters.get(&id.cluster).map_or_else(|| cluster.clone(), |c| c.name.clone());
            findings.apps.push(AppEntry { status: status.clone(), repo, cluster, called, hold: None });
        }
        let mistaken = findings.notices.iter().any(|notice| notice.level == Level::Error);
        if matches!(findings.verdict(), Verdict::Excluded(_)) && !mistaken {
            findings.notices.push(Notice::error("nothing was compared").hint(
                "what is not deployed here is expected, and missing, once it is named by --app or a PATH",
            ));
        }
        findings.sort();
        findings
    }

    /// Returns the entries of apps in a cluster that could not be reached: unknown, with the reason, instead of silence.
    fn unreached(&self, cluster: &ClusterStatus, why: &str) -> Vec<AppEntry> {
        let mut entries = Vec::new();
        for (repo, apps) in self.apps.iter().filter_map(|(id, apps)| Some((self.repos.get(id)?, apps))) {
            let Some(revision) = &repo.revision else { continue };
            for app in apps
                .iter()
                .map(|a| &a.app)
                .filter(|a| a.contexts.is_empty() || a.contexts.contains(&cluster.context))
            {
                let id = DeploymentId::new(app.id.clone(), cluster.id.clone());
                if self.deployments.contains_key(&id) {
                    continue;
                }
                let status = DeploymentStatus {
                    id,
                    namespace: app.namespace.clone(),
                    engine: app.engine,
                    path: app.path.clone(),
                    revision: revision.clone(),
                    verdict: Verdict::Unknown(Why::new(why)),
                    health: HealthStatus::Unknown,
                    counts: Counts::default(),
                    hidden: Hidden::default(),
                    notices: Vec::new(),
                    as_at: None,
                };
                entries.push(AppEntry {
                    status,
                    repo: repo.location.clone(),
                    cluster: cluster.context.clone(),
                    called: cluster.name.clone(),
                    hold: None,
                });
            }
        }
        entries
    }

    /// Returns the deployments of an app by its name.
    pub fn deployments_of(&self, app: &str) -> Vec<&DeploymentStatus> {
        self.deployments.values().filter(|d| d.id.app.name == app).collect()
    }

    /// Returns whether no repo could be read at all.
    pub fn read_nothing(&self) -> bool {
        self.repos.values().all(|repo| repo.revision.is_none())
    }

    /// Returns whether an app was asked for, by name or pattern, that is not there.
    pub fn lacks(&self, asked: &[String]) -> bool {
        let names = self.app_names();
        let found = |asked: &String| names.iter().any(|name| Glob::new(asked.as_str()).matches(name));
        !asked.iter().all(found)
    }

    /// Returns the names of all apps.
    pub fn app_names(&self) -> BTreeSet<&str> {
        self.apps.values().flatten().map(|a| a.app.id.name.as_str()).collect()
    }
}

fn push_new(notices: &mut Vec<Notice>, notice: Notice) {
    if !notices.contains(&notice) {
        notices.push(notice);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AppId, Asked, Engine, Revision};

    #[test]
    fn that_nothing_was_compared_is_said_of_a_comparison_alone() {
        let id = DeploymentId::new(
            AppId { repo: RepoId("fleet".into()), name: "web".into() },
            ClusterId("prod".into()),
        );
        let status = DeploymentStatus {
            id: id.clone(),
            namespace: None,
            engine: Engine::None,
            path: "web".into(),
            revision: Revision {
                asked: Asked::Name("main".into()),
                commit: None,
                dirty: false,
                behind: 0,
                ahead: 0,
            },
            verdict: Verdict::Excluded(Why::not_deployed_here()),
            health: HealthStatus::Unknown,
            counts: Counts { excluded: 1, ..Counts::default() },
            hidden: Hidden::default(),
            notices: Vec::new(),
            as_at: None,
        };
        let mut gathered = Gathered::default();
        gathered.take(Update::Notice(Notice::warning("a repo brings rules")));
        gathered.take(Update::Deployment(status));
        gathered.take(Update::Settled);
        let titles =
            |notices: Vec<Notice>| notices.into_iter().map(|notice| notice.title).collect::<Vec<_>>();
        assert_eq!(titles(gathered.said()), ["a repo brings rules"]);
        assert_eq!(titles(gathered.findings().notices), ["nothing was compared", "a repo brings rules"]);
    }
}
