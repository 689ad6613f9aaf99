//! Defines what the deck knows of repos, apps, clusters, deployments and resources: the pipeline's updates, folded.

use super::words;
use crate::model::status::{
    AppStatus, ClusterState, ClusterStatus, DeploymentStatus, RepoStatus, ResourceStatus,
};
use crate::model::update::Update;
use crate::model::{AppId, ClusterId, Counts, DeploymentId, HealthStatus, RepoId, ResourceId, Verdict, Why};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names a resource of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKey {
    pub deployment: DeploymentId,
    pub id: ResourceId,
}

/// One resource with its key, shared by every row that is about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: Arc<ResourceKey>,
    pub status: ResourceStatus,
}

/// Everything that the pipeline has told.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct World {
    pub repos: Vec<RepoStatus>,
    pub apps: BTreeMap<RepoId, Vec<AppStatus>>,
    pub clusters: Vec<ClusterStatus>,
    pub deployments: BTreeMap<DeploymentId, DeploymentStatus>,
    pub resources: BTreeMap<DeploymentId, BTreeMap<ResourceId, Entry>>,
    /// Everything that was asked for has been judged once.
    pub settled: bool,
}

/// How an app stands, over one cluster or several.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    pub verdict: Verdict,
    pub counts: Counts,
    /// Of the worst object.
    pub health: HealthStatus,
    /// In how many clusters it was looked for.
    pub deployments: usize,
}

/// How many apps stand how, over all clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AppCounts {
    pub drifted: usize,
    pub unknown: usize,
    pub degraded: usize,
}

impl Standing {
    pub fn is_degraded(&self) -> bool {
        self.health == HealthStatus::Degraded
    }

    /// Returns whether it needs a person: for how it differs from Git, or for how it is.
    pub fn is_fault(&self) -> bool {
        self.verdict.is_fault() || self.is_degraded() || self.counts.terminating > 0
    }

    /// Returns the verdict whose mark stands at the app: something that is being deleted and does not go makes an app none
    /// the less in sync, and is nothing to be green about.
    pub fn marked(&self) -> &Verdict {
        if self.verdict == Verdict::InSync && self.counts.terminating > 0 {
            &Verdict::Terminating
        } else {
            &self.verdict
        }
    }
}

impl World {
    /// Takes in an update. Notices belong to the deck's state, not to the world.
    pub fn fold(&mut self, update: Update) {
        match update {
            Update::Repo { status, was } => self.fold_repo(status, was),
            Update::Apps { repo, apps } => {
                self.apps.insert(repo, apps);
            }
            Update::Cluster { status, was } => self.fold_cluster(status, was),
            Update::Deployment(status) => {
                self.deployments.insert(status.id.clone(), status);
            }
            Update::DeploymentGone(id) => {
                self.deployments.remove(&id);
                self.resources.remove(&id);
            }
            Update::Resources { deployment, changed, gone } => {
                let known = self.resources.entry(deployment.clone()).or_default();
                for id in gone {
                    known.remove(&id);
                }
                for status in changed {
                    if let Some(entry) = known.get_mut(&status.id) {
                        entry.status = status;
                    } else {
                        let id = status.id.clone();
                        let key = Arc::new(ResourceKey { deployment: deployment.clone(), id: id.clone() });
                        known.insert(id, Entry { key, status });
                    }
                }
            }
            Update::Settled => self.settled = true,
            Update::Notice(_) => {}
        }
    }

    /// A repo that was read for the first time gets its real identity, and takes the stand-in's place, unless it is there
    /// already, named by another path.
    fn fold_repo(&mut self, status: RepoStatus, was: Option<RepoId>) {
        let there = self.repos.iter().any(|known| known.id == status.id);
        if let Some(was) = was.filter(|was| *was != status.id) {
            self.apps.remove(&was);
            self.repos.retain(|known| !there || known.id != was);
            if let Some(known) = self.repos.iter_mut().find(|known| known.id == was) {
                *known = status;
                return;
            }
        }
        match self.repos.iter_mut().find(|known| known.id == status.id) {
            Some(known) => *known = status,
            None => self.repos.push(status),
        }
    }

    /// A cluster that answers for the first time gets its real identity, and takes the stand-in's place.
    fn fold_cluster(&mut self, status: ClusterStatus, was: Option<ClusterId>) {
        let known = self.clusters.iter().position(|c| Some(&c.id) == was.as_ref() || c.id == status.id);
        if let Some(was) = was.filter(|was| *was != status.id) {
            self.deployments.retain(|id, _| id.cluster != was);
            self.resources.retain(|id, _| id.cluster != was);
        }
        match known.and_then(|at| self.clusters.get_mut(at)) {
            Some(known) => *known = status,
            None => self.clusters.push(status),
        }
    }

    pub fn repo(&self, id: &RepoId) -> Option<&RepoStatus> {
        self.repos.iter().find(|r| r.id == *id)
    }

    pub fn app(&self, id: &AppId) -> Option<&AppStatus> {
        self.apps.get(&id.repo)?.iter().find(|a| a.app.id == *id)
    }

    pub fn cluster(&self, id: &ClusterId) -> Option<&ClusterStatus> {
        self.clusters.iter().find(|c| c.id == *id)
    }

    /// Returns the name of a cluster for people.
    pub fn called<'a>(&'a self, id: &'a ClusterId) -> &'a str {
        self.cluster(id).map_or(&id.0, |c| &c.name)
    }

    /// Returns a cluster's context: what commands, plans and confirmations name.
    pub fn context<'a>(&'a self, id: &'a ClusterId) -> &'a str {
        self.cluster(id).map_or(&id.0, |c| &c.context)
    }

    pub fn resource(&self, key: &ResourceKey) -> Option<&ResourceStatus> {
        self.resources.get(&key.deployment)?.get(&key.id).map(|entry| &entry.status)
    }

    /// Returns the deployments of an app.
    pub fn deployments_of<'a>(&'a self, app: &'a AppId) -> impl Iterator<Item = &'a DeploymentStatus> {
        let first = DeploymentId::new(app.clone(), ClusterId("".into()));
        self.deployments.range(first..).map(|(_, d)| d).take_while(move |d| d.id.app == *app)
    }

    /// Returns the clusters that an app is to be looked for in once they answer: one, or all of them.
    pub fn awaited<'a>(
        &'a self,
        app: &'a AppId,
        cluster: Option<&'a ClusterId>,
    ) -> impl Iterator<Item = &'a ClusterStatus> {
        let silent = |c: &ClusterStatus| !matches!(c.state, ClusterState::Live | ClusterState::Stale { .. });
        let contexts = self.app(app).map(|known| &known.app.contexts);
        self.clusters
            .iter()
            .filter(move |c| cluster.is_none_or(|chosen| c.id == *chosen) && silent(c))
            .filter(move |c| contexts.is_some_and(|named| named.is_empty() || named.contains(&c.context)))
            .filter(move |c| !self.deployments.contains_key(&DeploymentId::new(app.clone(), c.id.clone())))
    }

    /// Returns how an app stands in one cluster, or in all of them; `None` before anything is known. An app that was
    /// compared nowhere, for no cluster lets it be compared, is unknown.
    pub fn standing(&self, app: &AppId, cluster: Option<&ClusterId>) -> Option<Standing> {
        let mut standing: Option<Standing> = None;
        for deployment in self.deployments_of(app).filter(|d| cluster.is_none_or(|c| d.id.cluster == *c)) {
            let Some(so_far) = &mut standing else {
                standing = Some(Standing {
                    verdict: deployment.verdict.clone(),
                    counts: deployment.counts,
                    health: deployment.health,
                    deployments: 1,
                });
                continue;
            };
            so_far.deployments += 1;
            so_far.counts = sum(so_far.counts, deployment.counts);
            so_far.health = so_far.health.max(deployment.health);
            if deployment.verdict.severity() < so_far.verdict.severity() {
                so_far.verdict = deployment.verdict.clone();
            }
        }
        if let Some(failed) = self.app(app).and_then(|a| a.notice.as_ref())
            && standing.as_ref().is_none_or(|s| !s.verdict.is_drift())
        {
            let verdict = Verdict::Unknown(Why::new(&failed.title));
            let nothing = Standing {
                verdict: verdict.clone(),
                counts: Counts::default(),
                health: HealthStatus::Unknown,
                deployments: 0,
            };
            return Some(Standing { verdict, ..standing.unwrap_or(nothing) });
        }
        standing.or_else(|| {
            let mut silent = self.awaited(app, cluster);
            let why = silent.find_map(|c| words::not_reached(&c.state))?;
            Some(Standing {
                verdict: Verdict::Unknown(Why::new(why)),
                counts: Counts::default(),
                health: HealthStatus::Unknown,
                deployments: 0,
            })
        })
    }

    /// Counts apps over all clusters: those that have drifted, those that are unknown, and those in a bad way, drifted
    /// or not.
    pub fn app_counts(&self) -> AppCounts {
        let mut counts = AppCounts::default();
        for app in self.apps.values().flatten() {
            let Some(standing) = self.standing(&app.app.id, None) else { continue };
            counts.drifted += usize::from(standing.verdict.is_drift());
            counts.unknown += usize::from(matches!(standing.verdict, Verdict::Unknown(_)));
            counts.degraded += usize::from(standing.is_degraded());
        }
        counts
    }
}

fn sum(a: Counts, b: Counts) -> Counts {
    Counts {
        in_sync: a.in_sync + b.in_sync,
        drifted: a.drifted + b.drifted,
        missing: a.missing + b.missing,
        extra: a.extra + b.extra,
        terminating: a.terminating + b.terminating,
        invalid: a.invalid + b.invalid,
        unknown: a.unknown + b.unknown,
        excluded: a.excluded + b.excluded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repo(id: &str) -> RepoStatus {
        RepoStatus {
            id: RepoId(id.into()),
            name: id.to_owned(),
            location: id.to_owned(),
            upstream: None,
            revision: None,
            author: None,
            subject: None,
            authored: None,
            fetched: None,
            fetching: None,
            notice: None,
        }
    }

    #[test]
    fn a_repo_takes_the_place_of_what_stood_in_for_it_and_two_paths_of_one_repo_are_one_row() {
        let mut world = World::default();
        for path in ["apps/web", "apps/cart", "other"] {
            world.fold(Update::Repo { status: repo(path), was: None });
        }
        for path in ["apps/web", "apps/cart"] {
            world.fold(Update::Repo { status: repo("/fleet"), was: Some(RepoId(path.into())) });
        }
        assert_eq!(world.repos, [repo("/fleet"), repo("other")]);
    }
}
