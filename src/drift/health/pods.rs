//! Defines what pods say of the workload that they belong to: why it does not come up.

use super::workloads;
use crate::model::{GroupKind, Health, HealthStatus, LiveObject, ResourceId, Value};
use crate::text::redact;
use std::collections::{BTreeMap, HashMap};

/// A workload by kind, namespace and name.
pub type Workload = (GroupKind, Option<String>, String);

/// What is wrong with pods, by the workload that they belong to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pods(HashMap<Workload, BTreeMap<String, String>>);

impl Pods {
    /// Gathers the troubles of pods; other objects, and pods that are doing well, are passed over.
    pub fn of<'a>(objects: impl IntoIterator<Item = &'a LiveObject>) -> Self {
        let mut gathered = Self::default();
        for object in objects {
            if let Some((workload, why)) = trouble(object) {
                gathered.add(workload, object.id.name.clone().unwrap_or_default(), why);
            }
        }
        gathered
    }

    /// Adds what is wrong with one pod.
    pub fn add(&mut self, workload: Workload, pod: String, why: String) {
        self.0.entry(workload).or_default().insert(pod, why);
    }

    /// Returns what is wrong with the pods of a workload, by their names.
    pub fn of_workload(&self, id: &ResourceId) -> Option<&BTreeMap<String, String>> {
        self.0.get(&(id.kind.clone(), id.namespace.clone(), id.name.clone()?))
    }

    /// Returns the health of a workload with what its pods say: its status stays what the rollout makes it.
    pub(in crate::drift) fn told(&self, workload: &LiveObject, health: Health) -> Health {
        if self.0.is_empty() || !matches!(health.status, HealthStatus::Progressing | HealthStatus::Degraded) {
            return health;
        }
        let Some(pods) = self.of_workload(&workload.id) else { return health };
        let Some((pod, why)) = pods.iter().next() else { return health };
        let more = match pods.len() {
            0 | 1 => String::new(),
            pods => format!(" ({pods} pods)"),
        };
        let before = health.message.map(|message| format!("{message}; ")).unwrap_or_default();
        Health::with(health.status, format!("{before}{pod}: {why}{more}"))
    }
}

/// Returns what is wrong with a pod and which workload it belongs to; `None` where nothing is, for pods of nobody, and for
/// anything that is no pod.
pub fn trouble(object: &LiveObject) -> Option<(Workload, String)> {
    if object.kind.kind != "Pod" || !object.kind.group.is_empty() {
        return None;
    }
    let workload = workload_of(object)?;
    let health = workloads::of("", "Pod", &object.body)?;
    let why = match health.status {
        HealthStatus::Degraded => redact::line(&health.message?).to_owned(),
        _ => unscheduled(&object.body)?,
    };
    Some((workload, why))
}

fn unscheduled(body: &Value) -> Option<String> {
    let scheduled = super::conditions::find(body, "PodScheduled").filter(|c| c.status == "False")?;
    Some(format!("{}: {}", scheduled.reason, redact::line(scheduled.message)))
}

/// Returns the workload that a pod's controller is, or stands for: a ReplicaSet is a Deployment's, whose name it has
/// before the hash of the template. Source: the labels of the Deployment controller.
fn workload_of(pod: &LiveObject) -> Option<Workload> {
    let owners = pod.body.at(&["metadata", "ownerReferences"])?.as_list()?;
    let owner = owners.iter().find(|o| o.get("controller").and_then(Value::as_bool) == Some(true))?;
    let (kind, name) = (owner.str_at(&["kind"])?, owner.str_at(&["name"])?);
    let group = owner.str_at(&["apiVersion"])?.split_once('/').map_or("", |(group, _)| group);
    let deployment = pod
        .label("pod-template-hash")
        .filter(|_| kind == "ReplicaSet")
        .and_then(|hash| name.strip_suffix(hash)?.strip_suffix('-'));
    let (kind, name) = deployment.map_or((kind, name), |name| ("Deployment", name));
    Some((GroupKind::new(group, kind), pod.id.namespace.clone(), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ClusterId;
    use crate::value;

    fn live(body: Value) -> LiveObject {
        LiveObject::read(&ClusterId("test".into()), body).expect("an object")
    }

    fn pod(name: &str, owner: &Value, status: &Value) -> LiveObject {
        live(value!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "shop", "labels": {"pod-template-hash": "5c9f"}},
        }))
        .with(owner, status)
    }

    impl LiveObject {
        fn with(mut self, owner: &Value, status: &Value) -> Self {
            let body = self.body.as_map_mut().expect("a map");
            body.insert("status".to_owned(), status.clone());
            let metadata = body.get_mut("metadata").and_then(Value::as_map_mut).expect("metadata");
            metadata.insert("ownerReferences".to_owned(), Value::List(vec![owner.clone()]));
            self
        }
    }

    #[test]
    fn a_workload_that_does_not_come_up_says_what_its_pods_say() {
        let set =
            value!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5c9f", "controller": true});
        let other =
            value!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "controller": true});
        let crashing = value!({
            "phase": "Running",
            "containerStatuses": [{
                "name": "app", "ready": false,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting"}},
            }],
        });
        let unplaced = value!({
            "phase": "Pending",
            "conditions": [{
                "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available",
            }],
        });
        let pods = Pods::of(&[
            pod("web-5c9f-a", &set, &crashing),
            pod("web-5c9f-b", &set, &crashing),
            pod("db-0", &other, &unplaced),
        ]);
        let workload = |kind: &str, name: &str| {
            live(
                value!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"}}),
            )
        };
        let not_up = || Health::with(HealthStatus::Progressing, "0 of 2 updated replicas are available");
        assert_eq!(
            pods.told(&workload("Deployment", "web"), not_up()),
            Health::with(
                HealthStatus::Progressing,
                "0 of 2 updated replicas are available; web-5c9f-a: app: CrashLoopBackOff: back-off 5m0s restarting \
                 (2 pods)"
            )
        );
        assert_eq!(
            pods.told(&workload("StatefulSet", "db"), Health::of(HealthStatus::Progressing)),
            Health::with(HealthStatus::Progressing, "db-0: Unschedulable: 0/3 nodes are available")
        );
        assert_eq!(pods.told(&workload("Deployment", "api"), not_up()), not_up());
        let well = Health::of(HealthStatus::Healthy);
        assert_eq!(pods.told(&workload("Deployment", "web"), well.clone()), well);
    }
}
