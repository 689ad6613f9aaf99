//! Defines what the pipeline tells of repos, apps, clusters, deployments and resources: the rows of the deck and the
//! entries of `check`.

use super::app::{App, Engine};
use super::health::{Health, HealthStatus};
use super::id::{AppId, ClusterId, DeploymentId, GroupVersionKind, RepoId, ResourceId};
use super::manifest::Origin;
use super::notice::Notice;
use super::revision::Revision;
use super::verdict::{AsAt, Counts, Hidden, Judgement, Verdict, Why};
use jiff::Timestamp;
use std::sync::Arc;

/// A repo as a row.
#[derive(Debug, Clone, PartialEq)]
pub struct RepoStatus {
    pub id: RepoId,
    /// Short name for people, such as `fleet`.
    pub name: String,
    /// A remote URL without userinfo, or a local path.
    pub location: String,
    /// Of a local folder: the URL of its remote without userinfo, where it is https or ssh.
    pub upstream: Option<String>,
    pub revision: Option<Revision>,
    /// Of the commit at the revision.
    pub author: Option<String>,
    pub subject: Option<String>,
    pub authored: Option<Timestamp>,
    /// When the remote last answered; `None` for a local folder or before the first answer.
    pub fetched: Option<Timestamp>,
    /// How far the fetch that runs has come; `None`: none runs.
    pub fetching: Option<Fetching>,
    pub notice: Option<Notice>,
}

/// How far a fetch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fetching {
    /// Of what it does now; `None` before that is known.
    pub percent: Option<u8>,
}

/// An app as a row.
#[derive(Debug, Clone, PartialEq)]
pub struct AppStatus {
    pub app: App,
    /// Rendering or discovery failed.
    pub notice: Option<Notice>,
}

/// A cluster as a row.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterStatus {
    /// The real identity once the cluster has answered; until then the context's name stands in.
    pub id: ClusterId,
    pub context: String,
    /// The name for people: the configuration's, else the context's.
    pub name: String,
    pub version: Option<String>,
    /// As whom, if the cluster tells.
    pub user: Option<String>,
    pub state: ClusterState,
    pub protected: bool,
    pub read_only: bool,
    /// A plugin gives the credentials, so that one can log in by hand.
    pub has_login: bool,
}

/// How a cluster is reached right now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterState {
    Connecting,
    Live,
    /// Nothing was confirmed since; nothing of it is green.
    Stale {
        since: Timestamp,
        why: String,
    },
    /// The user is not let in.
    Denied {
        why: String,
        next_try: Option<Timestamp>,
    },
    Unreachable {
        since: Timestamp,
        why: String,
        next_try: Option<Timestamp>,
    },
}

/// A deployment: an app in a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentStatus {
    pub id: DeploymentId,
    pub namespace: Option<String>,
    pub engine: Engine,
    /// The path of the app in its repo.
    pub path: String,
    pub revision: Revision,
    pub verdict: Verdict,
    /// Of the worst object.
    pub health: HealthStatus,
    pub counts: Counts,
    /// What ignore rules hide.
    pub hidden: Hidden,
    /// Kinds and scopes that could not be listed, or a failed render.
    pub notices: Vec<Notice>,
    /// It drifts because the cluster has not got what was committed since: all of it is as this commit had it.
    pub as_at: Option<AsAt>,
}

impl DeploymentStatus {
    /// Returns why the deployment has its verdict; of one that is not deployed here, in which namespace it was looked for.
    pub fn why(&self) -> Option<String> {
        let why = self.verdict.why()?;
        let namespace = self.namespace.as_ref().filter(|_| *why == *Why::not_deployed_here().0);
        let place = namespace.map(|namespace| format!(", in namespace {namespace}"));
        Some(why.to_owned() + &place.unwrap_or_default())
    }
}

/// One object of a deployment with its judgement.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceStatus {
    pub deployment: DeploymentId,
    pub id: ResourceId,
    pub kind: GroupVersionKind,
    /// `None` for extras.
    pub origin: Option<Origin>,
    pub judgement: Arc<Judgement>,
}

impl ResourceStatus {
    pub fn verdict(&self) -> &Verdict {
        &self.judgement.verdict
    }

    pub fn health(&self) -> &Health {
        &self.judgement.health
    }
}

/// Returns the order in which resources are listed: app, cluster, worst verdict, group, kind, namespace, name.
pub fn resource_order(a: &ResourceStatus, b: &ResourceStatus) -> std::cmp::Ordering {
    fn key(r: &ResourceStatus) -> (&AppId, &ClusterId, u8, &str, &str, Option<&str>, Option<&str>) {
        (
            &r.deployment.app,
            &r.deployment.cluster,
            r.verdict().severity(),
            &r.id.kind.group,
            &r.id.kind.kind,
            r.id.namespace.as_deref(),
            r.id.name.as_deref(),
        )
    }
    key(a).cmp(&key(b))
}
