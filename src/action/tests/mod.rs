//! Tests of the sync on an offline cluster: a world with a namespace, a few managers, and a journal of its own.

mod carrying_out;
mod laws;
mod planning;
mod undoing;

use super::journal::Journal;
use super::sync::{self, Inputs, Options, PlanError};
use super::{ExecuteError, Execution, execute};
use crate::cluster::offline::{Offline, Target};
use crate::cluster::{Cluster as _, Patch, Write};
use crate::drift::{Autoscaled, IgnoreRules, Managers};
use crate::model::last_applied::last_applied;
use crate::model::manifest::BodyLines;
use crate::model::sealed::{LAST_APPLIED, seal_object};
use crate::model::{
    AppId, Asked, DeploymentId, Engine, FieldPath, GroupVersionKind, Identity, LiveObject, Manifest, Oid,
    Origin, Plan, RepoId, ResourceId, Revision, Timestamp, Value,
};
use crate::value;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub struct World {
    pub cluster: Offline,
    pub manifests: Vec<Arc<Manifest>>,
    pub extras: Vec<(GroupVersionKind, ResourceId)>,
    pub incomplete: Vec<String>,
    pub options: Options,
    pub rules: IgnoreRules,
    pub revision: Revision,
    pub protected: bool,
    pub answers: Vec<String>,
    pub home: TempDir,
}

fn clock() -> crate::cluster::offline::Clock {
    let seconds = AtomicI64::new(1_700_000_000);
    Arc::new(move || Timestamp::from_second(seconds.fetch_add(1, Ordering::Relaxed)).unwrap())
}

/// A Deployment with one container.
pub fn deployment(name: &str, replicas: i64, image: &str) -> Value {
    value!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": image, "ports": [{"containerPort": 80}]}]}
            }
        }
    })
}

pub fn config(name: &str, data: &Value) -> Value {
    value!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": null})
        .with("data", data.clone())
}

trait With {
    fn with(self, field: &str, value: Value) -> Self;
}

impl With for Value {
    fn with(mut self, field: &str, value: Value) -> Self {
        self.as_map_mut().unwrap().insert(field.to_owned(), value);
        self
    }
}

fn manifest(mut body: Value) -> Manifest {
    let kind = GroupVersionKind::from_api_version(
        body.str_at(&["apiVersion"]).unwrap(),
        body.str_at(&["kind"]).unwrap(),
    );
    seal_object(&kind.group_kind(), &mut body);
    let id = ResourceId::from(Identity {
        cluster: crate::model::ClusterId("offline:prod".into()),
        kind: kind.group_kind(),
        namespace: body.str_at(&["metadata", "namespace"]).map(str::to_owned),
        name: body.str_at(&["metadata", "name"]).map(str::to_owned),
    });
    Manifest {
        id,
        kind,
        body,
        origin: Origin::default(),
        problems: Vec::new(),
        lines: BodyLines::default(),
        overlay: None,
    }
}

fn named(object: &str) -> (GroupVersionKind, String) {
    let (kind, name) = object.split_once('/').unwrap();
    let group = if kind == "Deployment" { "apps" } else { "" };
    (GroupVersionKind::new(group, "v1", kind), name.to_owned())
}

impl World {
    pub fn new() -> Self {
        let namespace = value!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
        Self {
            cluster: Offline::builder("prod", clock()).user("ana").object(&namespace).build(),
            manifests: Vec::new(),
            extras: Vec::new(),
            incomplete: Vec::new(),
            options: Options::default(),
            rules: IgnoreRules::default(),
            revision: Revision {
                asked: Asked::Name("main".into()),
                commit: Some(Oid("9c1f07e9c1f07e9c1f07e9c1f07e9c1f07e9c1f0".into())),
                dirty: false,
                behind: 0,
                ahead: 0,
            },
            protected: false,
            answers: Vec::new(),
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// Declares an object in Git.
    pub fn declare(&mut self, body: Value) -> &mut Self {
        let manifest = manifest(body);
        self.manifests.retain(|m| m.id != manifest.id);
        self.manifests.push(Arc::new(manifest));
        self
    }

    /// Declares an object and creates it as `kubectl apply` does.
    pub fn client_side(&mut self, body: Value) -> &mut Self {
        let manifest = manifest(body.clone());
        let mut patcher = super::patch::Patcher::of(manifest.body.clone());
        patcher.set(
            &FieldPath::fields(&["metadata", "annotations", LAST_APPLIED]),
            last_applied(&manifest.body),
        );
        let write = Write::Create {
            kind: self.cluster.served(&manifest.kind).unwrap(),
            namespace: manifest.id.namespace.clone(),
            body: patcher.into_body(),
            manager: "kubectl-client-side-apply".into(),
        };
        self.act(&write);
        self.declare(body)
    }

    /// Declares an object and applies it server-side.
    pub fn server_side(&mut self, body: Value, manager: &str) -> &mut Self {
        let manifest = manifest(body.clone());
        let write = Write::Apply {
            kind: self.cluster.served(&manifest.kind).unwrap(),
            namespace: manifest.id.namespace.clone(),
            name: manifest.id.name.clone().unwrap(),
            body: manifest.body,
            manager: manager.into(),
            force: true,
        };
        self.act(&write);
        self.declare(body)
    }

    pub fn act(&self, write: &Write) {
        self.cluster.act(write, clock()()).unwrap();
    }

    /// Edits an object as a manager, by a merge patch.
    pub fn edit(&self, object: &str, patch: Value, manager: &str) {
        let (kind, name) = named(object);
        self.cluster
            .edit(
                &Target { kind, namespace: Some("shop".into()), name },
                Patch::Merge(patch),
                manager,
                None,
                Timestamp::from_second(1_700_001_000).unwrap(),
            )
            .unwrap();
    }

    /// Edits an object's status.
    pub fn edit_status(&self, object: &str, patch: Value) {
        let (kind, name) = named(object);
        self.cluster
            .edit(
                &Target { kind, namespace: Some("shop".into()), name },
                Patch::Merge(patch),
                "kube-controller-manager",
                Some("status"),
                Timestamp::from_second(1_700_001_000).unwrap(),
            )
            .unwrap();
    }

    pub fn delete(&self, object: &str) {
        let (kind, name) = named(object);
        self.act(&Write::Delete {
            kind: self.cluster.served(&kind).unwrap(),
            namespace: Some("shop".into()),
            name,
            uid: None,
            resource_version: None,
            propagation: crate::cluster::Propagation::Background,
        });
    }

    pub async fn live(&self, object: &str) -> Option<LiveObject> {
        let (kind, name) = named(object);
        let kind = self.cluster.served(&kind).unwrap();
        self.cluster.get(kind, Some("shop".into()), name).await.unwrap()
    }

    pub fn forget(&mut self, object: &str) -> &mut Self {
        let (_, name) = named(object);
        let at = self.manifests.iter().position(|m| m.id.name.as_deref() == Some(&name)).unwrap();
        let manifest = self.manifests.remove(at);
        self.extras.push((manifest.kind.clone(), manifest.id.clone()));
        self
    }

    pub async fn plan(&self) -> Result<Plan, PlanError> {
        let facts = self.cluster.facts().await.unwrap();
        let schema = self.cluster.schema(Vec::new()).await.unwrap();
        let (managers, autoscaled) = (Managers::built_in(), Autoscaled::default());
        let deployment =
            DeploymentId::new(AppId { repo: RepoId("fleet".into()), name: "web".into() }, facts.id.clone());
        sync::plan(&Inputs {
            rules: &self.rules,
            cluster: &self.cluster,
            facts: &facts,
            schema: &schema,
            managers: &managers,
            autoscaled: &autoscaled,
            health: crate::drift::HealthRules::built_in(),
            deployment: &deployment,
            namespace: Some("shop"),
            revision: &self.revision,
            engine: Engine::None,
            engine_manager: None,
            manifests: &self.manifests,
            extras: &self.extras,
            incomplete: &self.incomplete,
            protected: self.protected,
            options: &self.options,
            now: Timestamp::from_second(1_700_002_000).unwrap(),
        })
        .await
    }

    pub fn journal(&self) -> Journal {
        Journal::at(self.home.path().join("state"))
    }

    pub async fn execute(&self, plan: Plan) -> Result<Plan, ExecuteError> {
        self.execute_on(&self.cluster, plan).await
    }

    pub async fn execute_on(
        &self,
        cluster: &dyn crate::cluster::Cluster,
        plan: Plan,
    ) -> Result<Plan, ExecuteError> {
        let schema = self.cluster.schema(Vec::new()).await.unwrap();
        let clock = clock();
        let with = Execution {
            cluster,
            schema: &schema,
            journal: &self.journal(),
            clock: &*clock,
            cancel: &CancellationToken::new(),
            answers: &self.answers,
            acting_as: None,
        };
        execute(plan, &with, &mut |_| {}).await
    }

    /// Plans and carries out, and returns the words of the outcomes.
    pub async fn sync(&self) -> Vec<&'static str> {
        let plan = self.execute(self.plan().await.unwrap()).await.unwrap();
        plan.steps.iter().map(|s| s.outcome.word()).collect()
    }
}

/// Says a plan in lines: what is ticked, the action, the object, the paths.
pub fn said(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| {
            let paths: Vec<String> = step.changes.iter().map(|c| c.path.to_string()).collect();
            format!(
                "{} {} {} as {}: {}{}",
                if step.ticked { "x" } else { "-" },
                step.action.word(),
                step.resource,
                step.manager,
                paths.join(" "),
                step.outcome.notice().map(|n| format!(" !{n:?}")).unwrap_or_default()
            )
        })
        .collect()
}
