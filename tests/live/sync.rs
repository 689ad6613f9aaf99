//! A sync against the real API server: each deployer's way, faults between reading and writing, what admission says.

mod faults;
mod ways;

use crate::support::{Access, Home, Namespace};
use driftdeck::action::journal::Journal;
use driftdeck::action::sync::{self, Inputs, Options, PlanError};
use driftdeck::action::{ExecuteError, Execution, execute};
use driftdeck::cluster::Cluster;
use driftdeck::cluster::remote::{self, Remote, Sources};
use driftdeck::drift::{Autoscaled, Managers};
use driftdeck::model::manifest::BodyLines;
use driftdeck::model::sealed::seal_object;
use driftdeck::model::{
    AppId, Asked, ClusterFacts, DeploymentId, Engine, GroupVersionKind, Identity, Manifest, Origin, Plan,
    RepoId, ResourceId, Revision, Schema, Timestamp, Value,
};
use driftdeck::text::yaml::read_documents;
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// A namespace with an app in it, and a way into its cluster.
pub struct Ground {
    pub namespace: Namespace,
    pub home: Home,
    pub runtime: Runtime,
    pub options: Options,
    pub extras: Vec<(GroupVersionKind, ResourceId)>,
    pub manifests: Vec<Arc<Manifest>>,
    pub incomplete: Vec<String>,
}

impl Ground {
    pub fn new(subject: &str) -> Self {
        Self::within(Namespace::new(subject))
    }

    pub fn within(namespace: Namespace) -> Self {
        Self {
            namespace,
            home: Home::new(),
            runtime: Runtime::new().expect("threads"),
            options: Options::default(),
            extras: Vec::new(),
            manifests: Vec::new(),
            incomplete: Vec::new(),
        }
    }

    /// Declares manifests in Git, instead of what was declared before.
    pub fn declare(&mut self, manifests: &str) {
        let cluster = self.cluster(&self.namespace.access());
        let facts = self.facts(&cluster);
        let documents = read_documents(manifests.as_bytes());
        self.manifests = documents
            .into_iter()
            .map(|document| {
                let mut body = document.expect("a document").value;
                let kind = GroupVersionKind::from_api_version(
                    body.str_at(&["apiVersion"]).expect("a version"),
                    body.str_at(&["kind"]).expect("a kind"),
                );
                seal_object(&kind.group_kind(), &mut body);
                let is_namespaced = facts.served(&kind).is_none_or(|served| served.namespaced);
                let id = ResourceId::from(Identity {
                    cluster: facts.id.clone(),
                    kind: kind.group_kind(),
                    namespace: is_namespaced.then(|| self.namespace.name.clone()),
                    name: body.str_at(&["metadata", "name"]).map(str::to_owned),
                });
                Arc::new(Manifest {
                    id,
                    kind,
                    body,
                    origin: Origin::default(),
                    problems: Vec::new(),
                    lines: BodyLines::default(),
                    overlay: None,
                })
            })
            .collect();
    }

    pub fn cluster(&self, access: &Access) -> Remote {
        let name = access.context.clone();
        access.write_into(&self.home);
        let sources = Sources { file: Some(self.home.kubeconfig()), ..Sources::default() };
        Remote::new(&name, sources, remote::Options::new(Arc::new(now)))
    }

    pub fn admin(&self) -> Remote {
        self.cluster(&self.namespace.access())
    }

    pub fn facts(&self, cluster: &Remote) -> Arc<ClusterFacts> {
        self.runtime.block_on(cluster.facts()).expect("the cluster answers")
    }

    fn schema(&self, cluster: &Remote) -> Arc<Schema> {
        let kinds = self.manifests.iter().map(|m| m.kind.clone()).collect();
        self.runtime.block_on(cluster.schema(kinds)).expect("a schema")
    }

    pub fn plan(&self, cluster: &Remote) -> Result<Plan, PlanError> {
        self.plan_knowing(cluster, &self.facts(cluster))
    }

    /// Plans from what was known of the cluster some time ago.
    pub fn plan_knowing(&self, cluster: &Remote, facts: &ClusterFacts) -> Result<Plan, PlanError> {
        let schema = self.schema(cluster);
        let (managers, autoscaled) = (Managers::built_in(), Autoscaled::default());
        let deployment =
            DeploymentId::new(AppId { repo: RepoId("fleet".into()), name: "web".into() }, facts.id.clone());
        let revision =
            Revision { asked: Asked::Name("main".into()), commit: None, dirty: false, behind: 0, ahead: 0 };
        self.runtime.block_on(sync::plan(&Inputs {
            rules: driftdeck::drift::IgnoreRules::none(),
            cluster,
            facts,
            schema: &schema,
            managers: &managers,
            autoscaled: &autoscaled,
            health: driftdeck::drift::HealthRules::built_in(),
            deployment: &deployment,
            namespace: Some(&self.namespace.name),
            revision: &revision,
            engine: Engine::None,
            engine_manager: None,
            manifests: &self.manifests,
            extras: &self.extras,
            incomplete: &self.incomplete,
            protected: false,
            options: &self.options,
            now: now(),
        }))
    }

    pub fn journal(&self) -> Journal {
        Journal::at(self.home.path().join("state/driftdeck"))
    }

    pub fn execute(&self, cluster: &Remote, plan: Plan) -> Result<Plan, ExecuteError> {
        let schema = self.schema(cluster);
        let with = Execution {
            cluster,
            schema: &schema,
            journal: &self.journal(),
            clock: &now,
            cancel: &CancellationToken::new(),
            answers: &[],
            acting_as: None,
        };
        self.runtime.block_on(execute(plan, &with, &mut |_| {}))
    }

    /// Plans and carries out as administrator; returns the plan as said, and the words of the outcomes.
    pub fn sync(&self) -> (Vec<String>, Vec<&'static str>) {
        let cluster = self.admin();
        let plan = self.plan(&cluster).expect("a plan");
        let said = said(&plan);
        (said, words(&self.execute(&cluster, plan).expect("carried out")))
    }

    /// What a sync would plan now.
    pub fn planned(&self) -> Vec<String> {
        said(&self.plan(&self.admin()).expect("a plan"))
    }

    /// Generation and resource version, which only a write moves.
    pub fn version(&self, object: &str) -> (serde_json::Value, serde_json::Value) {
        let live = self.namespace.get(object).expect("it is there");
        (live["metadata"]["generation"].clone(), live["metadata"]["resourceVersion"].clone())
    }
}

fn now() -> Timestamp {
    Timestamp::now()
}

pub fn words(plan: &Plan) -> Vec<&'static str> {
    plan.steps.iter().map(|s| s.outcome.word()).collect()
}

/// Says a plan in lines: the action, the object, the manager, the paths; what is not planned with its reason.
pub fn said(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| {
            let paths: Vec<String> =
                step.changes.iter().filter(|c| c.counts).map(|c| c.path.to_string()).collect();
            let refused = step.outcome.notice().and_then(|n| n.cause.clone());
            format!(
                "{} {}/{} as {}: {}{}",
                step.action.word(),
                step.resource.kind.kind,
                step.resource.name.as_deref().unwrap_or_default(),
                step.manager,
                paths.join(" "),
                refused.map(|why| format!(" ! {why}")).unwrap_or_default()
            )
        })
        .collect()
}

/// Reads a value out of an object's JSON by its pointer.
pub fn at(object: &serde_json::Value, pointer: &str) -> Value {
    Value::from(object.pointer(pointer).cloned().unwrap_or(serde_json::Value::Null))
}
