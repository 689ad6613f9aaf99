//! Defines the demo's world: a made-up shop's repository with its history, and two offline clusters that have drifted from
//! it in every way that there is.
//!
//! It is written down in `assets/demo` and built anew at each start, with all times relative to now: a bare remote, a clone
//! of it as the working folder, and the clusters in memory. Whatever is done to it, by [`play`] or by the user, stays in it.

mod assets;
mod history;
mod play;
mod pods;
mod rollout;
pub mod script;
mod stage;
#[cfg(test)]
mod tests;

pub use play::play;

use crate::cluster::{Cluster, ClusterError, Offline};
use crate::drift::{HealthRules, Managers};
use crate::git::write::WriteError;
use crate::pipeline::rules::Ignoring;
use crate::pipeline::setup::{Clock, ClusterSetup, Place, Setup, Source, find_tools};
use history::{Past, Repos};
use pods::Prints;
use script::{ClusterScript, History, Incident};
use std::path::Path;
use std::sync::Arc;

/// The demo's world.
#[derive(Clone)]
pub struct DemoWorld {
    pub clusters: Vec<DemoCluster>,
    repos: Repos,
    incident: Incident,
}

/// A cluster of the demo.
#[derive(Clone)]
pub struct DemoCluster {
    pub cluster: Offline,
    pub protected: bool,
}

/// Why the demo's world cannot be built, or a step of its incident not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DemoError {
    #[error("{file} of the demo cannot be read: {reason}")]
    Unreadable { file: String, reason: String },
    #[error("the demo has no file {file}")]
    NoFile { file: String },
    #[error("no commit of the demo adds {file}")]
    NeverAdded { file: String },
    #[error("{file} of the demo does not hold once: {text}")]
    NotOnce { file: String, text: String },
    #[error("the demo has no commit {id}")]
    NoCommit { id: String },
    #[error("the demo has no author {name}")]
    NoAuthor { name: String },
    #[error("the demo has no cluster {name}")]
    NoCluster { name: String },
    #[error("an edit of the demo names no object")]
    Aimless,
    #[error("an edit of the demo has not one patch: {object}")]
    NotOnePatch { object: String },
    #[error(transparent)]
    Repository(#[from] WriteError),
    #[error("{cluster} refused {object}: {error}")]
    Refused { cluster: String, object: String, error: Box<ClusterError> },
}

impl DemoWorld {
    /// Builds the world as it is now: the repositories in the empty folder `ground`, the clusters in memory. The caller
    /// makes the folder private and removes it. Blocks on the disk.
    pub fn build(ground: &Path, clock: &Clock) -> Result<Self, DemoError> {
        let now = clock();
        let past = Past::work_out(read::<History>("history.yaml", assets::HISTORY)?, assets::REPO)?;
        let incident: Incident = read("incident.yaml", assets::INCIDENT)?;
        let mut clusters = Vec::new();
        for (file, text) in assets::CLUSTERS {
            let script: ClusterScript = read(file, text)?;
            let prints: Prints = read("logs.yaml", assets::LOGS)?;
            let cluster = stage::build(&script, &past, &incident.crashing, now, Arc::clone(clock))?;
            cluster.set_logs(prints.logs(incident.crashing.clone()));
            clusters.push(DemoCluster { cluster, protected: script.protected });
        }
        let repos = Repos::create(ground, past, now)?;
        Ok(Self { clusters, repos, incident })
    }

    /// Returns the working folder.
    pub fn folder(&self) -> &Path {
        &self.repos.folder
    }

    /// Returns what the pipeline is started with, to follow this world.
    pub fn setup(&self, clock: Clock) -> Setup {
        let source = Source { named: true, ..Source::at(Place::Local(self.folder().to_owned())) };
        Setup {
            managers: Arc::new(Managers::built_in()),
            ignoring: Ignoring::default(),
            sources: vec![source],
            only_apps: Vec::new(),
            expected: Vec::new(),
            namespace: None,
            clusters: self.cluster_setups(),
            follow: true,
            exact_background: 0,
            secrets_everywhere: false,
            health: Arc::new(HealthRules::built_in().clone()),
            tools: Arc::new(find_tools(Vec::new())),
            seen: None,
            acting_as: None,
            cache: None,
            clock,
        }
    }

    fn cluster_setups(&self) -> Vec<ClusterSetup> {
        let setup = |demo: &DemoCluster| ClusterSetup {
            cluster: Arc::new(demo.cluster.clone()),
            name: demo.cluster.name().to_owned(),
            namespace: None,
            protected: demo.protected,
            read_only: false,
        };
        self.clusters.iter().map(setup).collect()
    }
}

fn read<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, DemoError> {
    serde_yaml::from_str(text)
        .map_err(|error| DemoError::Unreadable { file: file.to_owned(), reason: error.to_string() })
}
