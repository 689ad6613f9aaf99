//! Defines what the pipeline is started with.

use crate::cluster::Cluster;
use crate::model::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Reads the clock: the pipeline has none of its own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Everything that the pipeline is started with.
#[derive(Clone)]
pub struct Setup {
    pub places: Vec<Place>,
    /// Branch, tag or commit for every place; `None`: the working folder, or a remote's default branch.
    pub revision: Option<String>,
    /// Only apps whose name matches one of these; empty: all.
    pub only_apps: Vec<String>,
    /// The namespace asked for on the command line.
    pub namespace: Option<String>,
    pub clusters: Vec<ClusterSetup>,
    /// Whether to follow changes, or to look once.
    pub follow: bool,
    /// Whether Secrets may be listed cluster-wide.
    pub secrets_everywhere: bool,
    /// Hosts that may be contacted because a repo refers to them.
    pub allowed_hosts: Vec<String>,
    /// Where mirrors and renderings are cached; `None`: nowhere.
    pub cache: Option<PathBuf>,
    /// How often remotes are fetched.
    pub fetch_interval: Duration,
    pub clock: Clock,
}

/// Where a repo is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder or file, in a repository or not.
    Local(PathBuf),
    /// A remote of https or ssh.
    Remote(String),
}

/// A cluster with what the kubeconfig and the configuration say of it.
#[derive(Clone)]
pub struct ClusterSetup {
    pub cluster: Arc<dyn Cluster>,
    /// The namespace of the context.
    pub namespace: Option<String>,
    pub protected: bool,
    pub read_only: bool,
}
