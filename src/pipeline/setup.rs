//! Defines what the pipeline is started with.

use crate::cluster::Cluster;
use crate::config::settings::{AppSetting, FETCH_EVERY};
use crate::drift::{HealthRules, Managers};
use crate::model::{Notice, Timestamp};
use crate::pipeline::rules::Ignoring;
use crate::pipeline::seen::Seen;
use crate::render::Tools;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Reads the clock: the pipeline has none of its own.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Everything that the pipeline is started with.
#[derive(Clone)]
pub struct Setup {
    pub sources: Vec<Source>,
    /// Only apps whose name matches one of these; empty: all.
    pub only_apps: Vec<String>,
    /// Apps that are expected to be deployed because they were named, though all are looked at.
    pub expected: Vec<String>,
    /// The namespace asked for on the command line.
    pub namespace: Option<String>,
    pub clusters: Vec<ClusterSetup>,
    /// Whether to follow changes, or to look once.
    pub follow: bool,
    /// Whether Secrets may be listed cluster-wide.
    pub secrets_everywhere: bool,
    /// What field managers are.
    pub managers: Arc<Managers>,
    /// How objects are found to be doing.
    pub health: Arc<HealthRules>,
    /// How many objects a minute the API server is asked about unasked, where only it can settle the verdict.
    pub exact_background: u32,
    /// The programs that render.
    pub tools: Arc<Tools>,
    /// Which differences do not count.
    pub ignoring: Ignoring,
    /// What was seen in earlier runs; `None`: nothing is remembered.
    pub seen: Option<Arc<Seen>>,
    /// Whom the user acts as in the clusters.
    pub acting_as: Option<String>,
    /// Where mirrors and renderings are cached; `None`: nowhere.
    pub cache: Option<PathBuf>,
    pub clock: Clock,
}

/// Finds the programs that render, on the user's PATH; remote references are refused unless to these hosts.
pub fn find_tools(allowed_hosts: Vec<String>) -> Tools {
    let search_path = std::env::var_os("PATH").unwrap_or_default();
    Tools::on(&search_path, std::env::temp_dir()).allow_hosts(allowed_hosts)
}

/// A repo to be read, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    pub place: Place,
    /// The configuration's name for people, instead of the one from its URL or folder.
    pub name: Option<String>,
    /// Branch, tag or commit; `None`: the working folder, or a remote's default branch.
    pub revision: Option<String>,
    /// The user named the place: if it is a single app, that is expected to be deployed.
    pub named: bool,
    /// Whether apps are looked for.
    pub discovery: bool,
    /// Apps that the configuration names.
    pub apps: Vec<AppSetting>,
    /// Paths of apps that the configuration wants at another revision: they are read with a source of their own.
    pub elsewhere: Vec<String>,
    /// It is read for the configured apps alone, at a revision of their own.
    pub only_configured: bool,
    /// How often a remote is fetched; `None`: only when asked.
    pub fetch_interval: Option<Duration>,
}

impl Source {
    /// Returns a place that is read as it stands there, with discovery and nothing configured.
    pub fn at(place: Place) -> Self {
        Self {
            place,
            name: None,
            revision: None,
            named: false,
            discovery: true,
            apps: Vec::new(),
            elsewhere: Vec::new(),
            only_configured: false,
            fetch_interval: Some(FETCH_EVERY),
        }
    }
}

/// Where a repo is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder or file, in a repository or not.
    Local(PathBuf),
    /// A remote of https or ssh.
    Remote(String),
}

/// Runs the credential plugin of a context with the terminal, and blocks until it has ended. The terminal must have been
/// given back.
pub fn log_in(clusters: &[ClusterSetup], context: &str) -> Result<(), Box<Notice>> {
    let found = clusters.iter().find(|setup| setup.cluster.name() == context);
    let Some(login) = found.and_then(|setup| setup.cluster.login()) else {
        return Err(Box::new(Notice::error(format!("{context} has no plugin to log in with"))));
    };
    // What the plugin hands out is put where async tasks use it: not from a thread that runs such.
    match std::thread::spawn(login).join() {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Box::new(Notice::error(error.to_string()))),
        Err(_) => Err(Box::new(Notice::error("driftdeck failed while logging in; the log says where"))),
    }
}

/// A cluster with what the kubeconfig and the configuration say of it.
#[derive(Clone)]
pub struct ClusterSetup {
    pub cluster: Arc<dyn Cluster>,
    /// The configuration's name for people, else the context's.
    pub name: String,
    /// The namespace of the context.
    pub namespace: Option<String>,
    pub protected: bool,
    pub read_only: bool,
}
