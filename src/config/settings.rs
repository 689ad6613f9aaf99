//! Defines what `config.yaml` can say. Everything has a default: no configuration is needed.

use crate::model::manager::KnownManager;
use crate::model::{BuiltIn, Glob, HealthRule, IgnoreRule, KindPattern, Origin};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often a remote is fetched unless the configuration says otherwise.
pub const FETCH_EVERY: Duration = Duration::from_secs(60);

/// What the user's `config.yaml` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub repos: Vec<RepoSetting>,
    /// Whether apps are looked for in the repos; otherwise there are only those of `apps`.
    pub discovery: bool,
    pub apps: Vec<AppSetting>,
    pub clusters: Vec<ClusterSetting>,
    pub hosts: Hosts,
    pub secrets: SecretSettings,
    /// How many objects a minute the API server is asked about unasked, where only it can settle the verdict.
    pub exact_background: u32,
    /// What is known of field managers beyond the built-in table.
    pub managers: Vec<KnownManager>,
    /// Rules of health that go before the built-in ones; the first that holds speaks.
    pub health: Vec<(KindPattern, HealthRule)>,
    /// Differences that do not count, in every repo.
    pub ignore: Vec<Arc<IgnoreRule>>,
    /// Built-in rules that are switched off.
    pub built_in_off: Vec<BuiltIn>,
    /// The name of a theme.
    pub theme: Option<String>,
    pub glyphs: Glyphs,
    /// The IANA name of the time zone that times are shown in; `None`: the machine's.
    pub time_zone: Option<String>,
    /// Keys by the name of the command that they run. Whether there is such a command, the command table knows.
    pub keys: BTreeMap<String, KeySetting>,
}

/// A repo that is shown at every start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoSetting {
    pub place: Place,
    /// The name for people, instead of the one from its URL or folder.
    pub name: Option<String>,
    /// A branch, tag or commit, instead of the working folder or the default branch.
    pub revision: Option<String>,
    /// How often it is fetched; `None`: only when asked. A local folder is watched and not fetched.
    pub fetch_every: Option<Duration>,
    pub declared: Origin,
}

/// Where a repo is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// As it was written: what speaks no https or ssh is refused when it is opened.
    Url(String),
    Path(PathBuf),
}

/// An app that the configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSetting {
    pub name: String,
    /// The name, URL or path of a repo; `None`: the repo that driftdeck was started in.
    pub repo: Option<String>,
    /// Relative to the repo's root.
    pub path: String,
    pub revision: Option<String>,
    /// Kubeconfig contexts; empty: every cluster of the run.
    pub contexts: Vec<String>,
    pub namespace: Option<String>,
    /// Values files of a chart, relative to the repo's root, the last wins.
    pub values: Vec<String>,
    pub declared: Origin,
}

/// A cluster that the configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSetting {
    /// The kubeconfig context.
    pub context: String,
    /// The name for people.
    pub name: Option<String>,
    /// The kubeconfig that holds the context, instead of the usual ones.
    pub kubeconfig: Option<PathBuf>,
    /// Whether writes want the context's name; `None`: whether the name looks like production.
    pub protected: Option<bool>,
    pub read_only: bool,
    pub declared: Origin,
}

/// Hosts that may be contacted although only a repo or cluster names them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hosts {
    /// For repositories that engines or submodules name.
    pub git: Vec<String>,
    /// For remote bases and charts of kustomizations.
    pub kustomize: Vec<String>,
}

/// What is treated as secret beyond the built-in rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecretSettings {
    /// Names of fields and keys whose values are masked.
    pub mask: Vec<Glob>,
    /// Whether Secrets may be listed in all namespaces at once.
    pub list_cluster_wide: bool,
}

/// How marks are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Glyphs {
    /// By the locale.
    #[default]
    Auto,
    Unicode,
    Ascii,
    /// Four letters, such as `DRFT`.
    Words,
}

/// A key that the user gave a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySetting {
    pub key: String,
    pub declared: Origin,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            repos: Vec::new(),
            discovery: true,
            apps: Vec::new(),
            clusters: Vec::new(),
            hosts: Hosts::default(),
            secrets: SecretSettings::default(),
            exact_background: 0,
            managers: Vec::new(),
            health: Vec::new(),
            ignore: Vec::new(),
            built_in_off: Vec::new(),
            theme: None,
            glyphs: Glyphs::default(),
            time_zone: None,
            keys: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Returns what the configuration says of a context.
    pub fn cluster(&self, context: &str) -> Option<&ClusterSetting> {
        self.clusters.iter().find(|cluster| cluster.context == context)
    }
}
