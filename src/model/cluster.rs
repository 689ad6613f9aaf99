//! Defines what is known of a cluster: identity, version, user, and the kinds that it serves.

use super::id::{ClusterId, GroupKind, GroupVersionKind};

/// What a cluster says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterFacts {
    pub id: ClusterId,
    /// Such as `1.36`; `None` for a snapshot.
    pub version: Option<String>,
    /// The user as the cluster knows them (a SelfSubjectReview), where it tells.
    pub user: Option<String>,
    pub kinds: Vec<ServedKind>,
    /// API groups whose discovery failed (a broken aggregated API), with the reason: their kinds are unknown, never absent.
    pub failed_groups: Vec<(String, String)>,
}

/// One kind in one version that a cluster serves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServedKind {
    pub kind: GroupVersionKind,
    /// The name in URLs, such as `deployments`.
    pub plural: String,
    pub namespaced: bool,
    pub verbs: Vec<String>,
    /// Whether the server prefers this version of the group.
    pub preferred: bool,
    pub status_subresource: bool,
}

/// Where a list or watch looks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everywhere, and the only scope of cluster-scoped kinds.
    All,
    Namespace(String),
}

impl ClusterFacts {
    /// Returns the served kind in this very version.
    pub fn served(&self, kind: &GroupVersionKind) -> Option<&ServedKind> {
        self.kinds.iter().find(|k| &k.kind == kind)
    }

    /// Returns the version of a kind that the server prefers, else any that it serves.
    pub fn preferred(&self, kind: &GroupKind) -> Option<&ServedKind> {
        let mut versions =
            self.kinds.iter().filter(|k| k.kind.group == kind.group && k.kind.kind == kind.kind);
        let first = versions.clone().next();
        versions.find(|k| k.preferred).or(first)
    }
}

impl ServedKind {
    /// Returns the resource as RBAC and kubectl name it, such as `deployments.apps`.
    pub fn resource(&self) -> String {
        if self.kind.group.is_empty() {
            self.plural.clone()
        } else {
            format!("{}.{}", self.plural, self.kind.group)
        }
    }

    pub fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|v| v == verb)
    }
}
