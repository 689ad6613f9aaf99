//! Defines how repos, apps, clusters and objects are identified.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Identifies a repo: its canonical remote URL without userinfo, or its absolute local path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RepoId(pub Arc<str>);

/// Identifies an app: its repo and its name, which is unique in that repo.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AppId {
    pub repo: RepoId,
    pub name: String,
}

/// Identifies one Kubernetes API: the uid of its kube-system namespace, else its server URL and CA hash.
///
/// A kubeconfig context is only a way to a cluster; two contexts may lead to the same one. A snapshot of files is a
/// cluster too and is identified by its path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClusterId(pub Arc<str>);

/// Identifies an app in one cluster: what has a verdict. A clone shares what it consists of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeploymentId(Arc<AppInCluster>);

/// What a [`DeploymentId`] consists of.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AppInCluster {
    pub app: AppId,
    pub cluster: ClusterId,
}

impl DeploymentId {
    pub fn new(app: AppId, cluster: ClusterId) -> Self {
        Self(Arc::new(AppInCluster { app, cluster }))
    }
}

impl Deref for DeploymentId {
    type Target = AppInCluster;

    fn deref(&self) -> &AppInCluster {
        &self.0
    }
}

/// A Git object id of 40 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Oid(pub String);

impl Oid {
    /// Returns the first seven digits, as Git's own short form.
    pub fn short(&self) -> &str {
        self.0.get(..7).unwrap_or(&self.0)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A kind without its version. The core group is the empty string. A clone shares what it consists of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupKind(Arc<Names>);

/// What a [`GroupKind`] consists of.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Names {
    pub group: String,
    pub kind: String,
}

impl GroupKind {
    pub fn new(group: impl Into<String>, kind: impl Into<String>) -> Self {
        Self(Arc::new(Names { group: group.into(), kind: kind.into() }))
    }

    /// Returns whether this is the core group's Secret, whose values are sealed.
    pub fn is_secret(&self) -> bool {
        self.group.is_empty() && self.kind == "Secret"
    }
}

impl Deref for GroupKind {
    type Target = Names;

    fn deref(&self) -> &Names {
        &self.0
    }
}

impl fmt::Display for GroupKind {
    /// Prints `Kind.group`, or `Kind` for the core group, as kubectl does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        Ok(())
    }
}

impl fmt::Debug for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A kind with its version. A clone shares what it consists of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "VersionedNames", into = "VersionedNames")]
pub struct GroupVersionKind {
    of: GroupKind,
    pub version: Arc<str>,
}

/// How a [`GroupVersionKind`] is stored.
#[derive(Serialize, Deserialize)]
struct VersionedNames {
    group: String,
    version: String,
    kind: String,
}

impl GroupVersionKind {
    pub fn new(group: impl Into<String>, version: impl AsRef<str>, kind: impl Into<String>) -> Self {
        Self { of: GroupKind::new(group, kind), version: version.as_ref().into() }
    }

    /// Splits an object's `apiVersion` (`apps/v1`, `v1`) and adds the kind.
    pub fn from_api_version(api_version: &str, kind: &str) -> Self {
        match api_version.split_once('/') {
            Some((group, version)) => Self::new(group, version, kind),
            None => Self::new("", api_version, kind),
        }
    }

    /// Returns what stands in an object's `apiVersion`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_string()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    pub fn group_kind(&self) -> GroupKind {
        self.of.clone()
    }
}

impl From<VersionedNames> for GroupVersionKind {
    fn from(names: VersionedNames) -> Self {
        Self::new(names.group, names.version, names.kind)
    }
}

impl From<GroupVersionKind> for VersionedNames {
    fn from(kind: GroupVersionKind) -> Self {
        Self { group: kind.group.clone(), version: kind.version.to_string(), kind: kind.kind.clone() }
    }
}

impl Deref for GroupVersionKind {
    type Target = GroupKind;

    fn deref(&self) -> &GroupKind {
        &self.of
    }
}

/// Identifies an object in a cluster, without version and uid: what Git and the cluster agree on.
///
/// It stands in every table about the object, so a clone shares what it consists of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(Arc<Identity>);

/// What a [`ResourceId`] consists of.
///
/// `namespace` is `None` for cluster-scoped objects; `name` is `None` where Git asks for `generateName`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    pub cluster: ClusterId,
    pub kind: GroupKind,
    pub namespace: Option<String>,
    pub name: Option<String>,
}

impl From<Identity> for ResourceId {
    fn from(identity: Identity) -> Self {
        Self(Arc::new(identity))
    }
}

impl Deref for ResourceId {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.0
    }
}

impl DerefMut for ResourceId {
    /// Changes this id alone: what it was cloned from stays.
    fn deref_mut(&mut self) -> &mut Identity {
        Arc::make_mut(&mut self.0)
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for ResourceId {
    /// Prints `Kind[.group]/[namespace/]name`, the form that `--only` takes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(self.name.as_deref().unwrap_or("*"))
    }
}
