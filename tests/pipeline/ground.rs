//! A repository, a cluster in memory, and what the pipeline says of them.

use crate::support::Repository;
use driftdeck::cluster::Cluster;
use driftdeck::cluster::offline::{Builder, Offline};
use driftdeck::drift::{HealthRules, Managers};
use driftdeck::model::status::{ClusterStatus, DeploymentStatus, ResourceStatus};
use driftdeck::model::update::Update;
use driftdeck::model::{ClusterId, DeploymentId, Notice, ResourceId, Timestamp, Value};
use driftdeck::pipeline::run::{Handle, start};
use driftdeck::pipeline::setup::{Clock, ClusterSetup, Place, Setup, Source, find_tools};
use driftdeck::value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

pub fn noon() -> Clock {
    let at: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    Arc::new(move || at)
}

/// A cluster in memory with these objects, and the namespace that most of them are in.
pub fn cluster(objects: &[Value]) -> Offline {
    let namespace = value!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    let builder = Offline::builder("prod", noon()).object(&namespace);
    objects.iter().fold(builder, Builder::object).build()
}

/// The object of a manifest.
pub fn read(manifest: &str) -> Value {
    driftdeck::text::yaml::read_documents(manifest.as_bytes()).remove(0).unwrap().value
}

/// The object of a manifest as `kubectl apply` leaves it behind.
pub fn applied(manifest: &str) -> Value {
    let mut object = read(manifest);
    let text = driftdeck::model::last_applied::last_applied(&object);
    let metadata = object.as_map_mut().unwrap().get_mut("metadata").unwrap().as_map_mut().unwrap();
    metadata
        .insert("annotations".to_owned(), value!({"kubectl.kubernetes.io/last-applied-configuration": null}));
    let annotations = metadata.get_mut("annotations").unwrap().as_map_mut().unwrap();
    annotations.insert("kubectl.kubernetes.io/last-applied-configuration".to_owned(), text);
    object
}

/// What the pipeline says, as far as it was heard.
pub struct Told {
    pub handle: Handle,
    pub updates: mpsc::Receiver<Update>,
    pub clusters: BTreeMap<ClusterId, ClusterStatus>,
    pub deployments: BTreeMap<DeploymentId, DeploymentStatus>,
    pub resources: BTreeMap<(DeploymentId, ResourceId), ResourceStatus>,
    pub notices: Vec<Notice>,
}

pub fn setup(repository: &Repository, clusters: Vec<Arc<dyn Cluster>>, follow: bool) -> Setup {
    let source = Source::at(Place::Local(repository.path().to_owned()));
    let clusters = clusters.into_iter().map(|cluster| ClusterSetup {
        name: cluster.name().to_owned(),
        cluster,
        namespace: None,
        protected: false,
        read_only: false,
    });
    Setup {
        ignoring: driftdeck::pipeline::rules::Ignoring::default(),
        sources: vec![source],
        only_apps: Vec::new(),
        expected: Vec::new(),
        namespace: None,
        clusters: clusters.collect(),
        follow,
        exact_background: 0,
        secrets_everywhere: false,
        managers: Arc::new(Managers::built_in()),
        health: Arc::new(HealthRules::built_in().clone()),
        tools: Arc::new(find_tools(Vec::new())),
        seen: None,
        acting_as: None,
        cache: None,
        clock: noon(),
    }
}

impl Told {
    /// Starts the pipeline; nothing was heard yet.
    pub fn start(setup: Setup) -> Self {
        let (handle, updates) = start(setup);
        let (clusters, deployments, resources, notices) = Default::default();
        Self { handle, updates, clusters, deployments, resources, notices }
    }

    /// Looks once at a cluster, until everything has been judged.
    pub async fn once(repository: &Repository, cluster: impl Cluster + 'static) -> Self {
        let mut told = Self::start(setup(repository, vec![Arc::new(cluster)], false));
        told.until_settled().await;
        told
    }

    /// Follows a cluster, from when everything has been judged once.
    pub async fn following(repository: &Repository, cluster: impl Cluster + 'static) -> Self {
        let mut told = Self::start(setup(repository, vec![Arc::new(cluster)], true));
        told.until_settled().await;
        told
    }

    pub async fn until_settled(&mut self) {
        while self.next().await != Update::Settled {}
    }

    /// Listens until something is so.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            let heard = tokio::time::timeout(Duration::from_secs(60), self.next()).await;
            assert!(heard.is_ok(), "waited in vain until {what}: {:#?}", self.verdicts());
        }
    }

    async fn next(&mut self) -> Update {
        let update = self.updates.recv().await.expect("the pipeline runs");
        match update.clone() {
            Update::Cluster { status, was } => {
                was.map(|id| self.clusters.remove(&id));
                self.clusters.insert(status.id.clone(), status);
            }
            Update::Deployment(status) => {
                self.deployments.insert(status.id.clone(), status);
            }
            Update::DeploymentGone(id) => {
                self.deployments.remove(&id);
            }
            Update::Resources { deployment, changed, gone } => {
                for id in gone {
                    self.resources.remove(&(deployment.clone(), id));
                }
                for status in changed {
                    self.resources.insert((deployment.clone(), status.id.clone()), status);
                }
            }
            Update::Notice(notice) => self.notices.push(notice),
            _ => {}
        }
        update
    }

    /// Says each resource's verdict in a line: app, object, verdict.
    pub fn verdicts(&self) -> Vec<String> {
        let line = |((deployment, id), status): (&(DeploymentId, ResourceId), &ResourceStatus)| {
            format!("{} {id} {}", deployment.app.name, status.verdict().word())
        };
        self.resources.iter().map(line).collect()
    }
}
