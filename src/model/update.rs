//! Defines the neutral events that the pipeline emits; the deck turns them into messages, `check` gathers them.

use super::id::{ClusterId, DeploymentId, RepoId, ResourceId};
use super::notice::Notice;
use super::status::{AppStatus, ClusterStatus, DeploymentStatus, RepoStatus, ResourceStatus};

/// Something that the pipeline found out. A later update of the same thing replaces the earlier one.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// `was`: the identity under which the repo was known before, if it changed.
    Repo {
        status: RepoStatus,
        was: Option<RepoId>,
    },
    /// All apps of a repo, in the order to be shown.
    Apps {
        repo: RepoId,
        apps: Vec<AppStatus>,
    },
    /// `was`: the identity under which the cluster was known before, if it changed.
    Cluster {
        status: ClusterStatus,
        was: Option<ClusterId>,
    },
    Deployment(DeploymentStatus),
    /// The deployment is no longer there.
    DeploymentGone(DeploymentId),
    /// Resources of one deployment that were judged anew, and those that are gone.
    Resources {
        deployment: DeploymentId,
        changed: Vec<ResourceStatus>,
        gone: Vec<ResourceId>,
    },
    /// Everything that was asked for has been judged once.
    Settled,
    Notice(Notice),
}
