//! Plays the pods of the demo's workloads: who owns them, how they are, and what they print.

use super::DemoError;
use super::rollout::set_name;
use crate::cluster::offline::{Logs, Offline};
use crate::cluster::{Cluster as _, LogOf, Propagation, Write};
use crate::model::{GroupVersionKind, LiveObject, Map, Scope, ServedKind, Timestamp, Value};
use crate::value;
use futures::FutureExt as _;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often a container that crashes was started again.
const RESTARTS: i64 = 6;
/// The nodes that pods are spread over.
const NODES: [&str; 3] = ["node-a", "node-b", "node-c"];

/// What containers print, by the last word of their image's name.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Prints(BTreeMap<String, Printed>);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Printed {
    runs: Vec<String>,
    #[serde(default)]
    crash: Vec<String>,
}

impl Prints {
    /// Returns how a cluster tells what its containers printed.
    pub fn logs(self, crashing: Vec<String>) -> Logs {
        Arc::new(move |pod: &LiveObject, of: &LogOf| {
            let containers = pod.body.at(&["spec", "containers"]).and_then(Value::as_list)?;
            let container = containers.iter().find(|c| c.str_at(&["name"]) == Some(&of.container))?;
            let image = container.str_at(&["image"])?;
            let printed = self.0.get(image.rsplit('/').next()?.split([':', '@']).next()?)?;
            let crashes = crashing.iter().any(|c| c == image);
            // A container that crashes has ended: what it printed is that of the one before.
            (crashes == of.previous).then(|| if crashes { &printed.crash } else { &printed.runs }.clone())
        })
    }
}

/// Lets the pods of a workload, and the ReplicaSet between them, be what its status says: what is new is made at the first
/// time, what happens to it happens at the second.
pub(super) fn tend(
    cluster: &Offline,
    workload: &LiveObject,
    crashing: &[String],
    (at, now): (Timestamp, Timestamp),
) -> Result<(), DemoError> {
    let is_set = match workload.kind.kind.as_str() {
        "Deployment" => false,
        "StatefulSet" => true,
        _ => return Ok(()),
    };
    let number = |field: &str| {
        let number = workload.body.at(&["status", field]).and_then(Value::as_i64).unwrap_or(0);
        usize::try_from(number).unwrap_or(0)
    };
    let (wanted, updated, ready) = (number("replicas"), number("updatedReplicas"), number("readyReplicas"));
    let set = set_name(workload);
    let hash = set.rsplit('-').next().unwrap_or_default();
    let known = pods_of(cluster, workload);
    let is_new = |pod: &LiveObject| is_set || pod.label(HASH) == Some(hash);
    let mut old: Vec<String> =
        known.iter().filter(|pod| !is_new(pod)).filter_map(|pod| pod.id.name.clone()).collect();
    // Of a rollout that was under way when the world was made, the template before is not known.
    let before = format!("{}-before", name(workload));
    old.extend((old.len()..wanted.saturating_sub(updated)).map(|place| pod_name(&before, place, is_set)));
    old.truncate(wanted.saturating_sub(updated));
    let crashes = super::rollout::crashes(&workload.body, crashing);
    let mut left = ready;
    let mut take_ready = |may: bool| {
        let is_ready = may && left > 0;
        left -= usize::from(is_ready);
        is_ready
    };
    let mut stays: Vec<String> = Vec::new();
    for (place, pod) in old.into_iter().enumerate() {
        let looks = Looks { place, crashes: false, is_ready: take_ready(true) };
        put_pod(cluster, &known, &body_of(workload, &before, &pod, looks), at);
        stays.push(pod);
    }
    if !is_set && updated > 0 {
        cluster.put(&replica_set(workload, &set, updated), at);
    }
    for place in 0..updated {
        let pod = pod_name(if is_set { name(workload) } else { &set }, place, is_set);
        let looks = Looks { place, crashes, is_ready: take_ready(!crashes) };
        put_pod(cluster, &known, &body_of(workload, &set, &pod, looks), at);
        if crashes {
            cluster.put(&backing_off(workload, &pod, now), now);
        }
        stays.push(pod);
    }
    for gone in known.iter().filter(|pod| !stays.iter().any(|name| pod.id.name.as_ref() == Some(name))) {
        let write = Write::Delete {
            kind: served(cluster, "", "Pod")?,
            namespace: gone.id.namespace.clone(),
            name: gone.id.name.clone().unwrap_or_default(),
            uid: None,
            resource_version: None,
            propagation: Propagation::Background,
        };
        let refused = |error| DemoError::Refused {
            cluster: cluster.name().to_owned(),
            object: format!("Pod {}", gone.id.name.as_deref().unwrap_or_default()),
            error: Box::new(error),
        };
        cluster.act(&write, now).map_err(refused)?;
    }
    Ok(())
}

/// Names the template that a pod was made of.
const HASH: &str = "pod-template-hash";

/// How a pod is to look.
#[derive(Clone, Copy)]
struct Looks {
    place: usize,
    crashes: bool,
    is_ready: bool,
}

fn name(workload: &LiveObject) -> &str {
    workload.id.name.as_deref().unwrap_or_default()
}

fn pod_name(set: &str, place: usize, counted: bool) -> String {
    if counted {
        return format!("{set}-{place}");
    }
    let digest = blake3::hash(format!("{set}/{place}").as_bytes()).to_hex();
    format!("{set}-{}", digest.get(..5).unwrap_or_default())
}

fn served(cluster: &Offline, group: &str, kind: &str) -> Result<ServedKind, DemoError> {
    cluster.served(&GroupVersionKind::new(group, "v1", kind)).map_err(|error| DemoError::Refused {
        cluster: cluster.name().to_owned(),
        object: kind.to_owned(),
        error: Box::new(error),
    })
}

/// Returns the pods that a workload owns, itself or through its ReplicaSets.
fn pods_of(cluster: &Offline, workload: &LiveObject) -> Vec<LiveObject> {
    let Ok(kind) = served(cluster, "", "Pod") else { return Vec::new() };
    let scope = workload.id.namespace.clone().map_or(Scope::All, Scope::Namespace);
    // The world is in memory: it answers at once.
    let listed = cluster.list(kind, scope).now_or_never().and_then(Result::ok).unwrap_or_default();
    let pods = listed.iter().filter_map(|packed| packed.open(&packed.id.cluster).ok());
    pods.filter(|pod| pod.annotation(PLAYED_FOR) == Some(name(workload))).collect()
}

/// Remembers whose pod it is.
const PLAYED_FOR: &str = "driftdeck.demo/workload";

fn put_pod(cluster: &Offline, known: &[LiveObject], pod: &Value, at: Timestamp) {
    let is_it = |live: &&LiveObject| live.id.name.as_deref() == pod.str_at(&["metadata", "name"]);
    match known.iter().find(is_it) {
        Some(live) if live.body.get("status") == pod.get("status") => {}
        Some(live) => {
            // It is the same one, older.
            let mut pod = pod.clone();
            if let Some(created) = live.body.at(&["metadata", "creationTimestamp"]) {
                insert(&mut pod, &["metadata", "creationTimestamp"], created.clone());
            }
            cluster.put(&pod, at);
        }
        None => cluster.put(pod, at),
    }
}

fn owner(api_version: &str, kind: &str, name: &str, uid: &str) -> Value {
    value!([{"apiVersion": api_version, "kind": kind, "name": name, "uid": uid, "controller": true}])
}

fn replica_set(workload: &LiveObject, set: &str, replicas: usize) -> Value {
    let uid = workload.uid.as_deref().unwrap_or_default();
    let mut body = value!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": set, "namespace": workload.id.namespace.as_deref().unwrap_or_default(),
            "uid": set_uid(workload, set),
        },
        "spec": {"replicas": replicas},
    });
    insert(&mut body, &["metadata", "labels"], labels(workload, set));
    insert(&mut body, &["metadata", "ownerReferences"], owner("apps/v1", "Deployment", name(workload), uid));
    body
}

fn set_uid(workload: &LiveObject, set: &str) -> String {
    format!("{}/{set}", workload.uid.as_deref().unwrap_or_default())
}

fn labels(workload: &LiveObject, set: &str) -> Value {
    let labels = workload.body.at(&["spec", "template", "metadata", "labels"]).and_then(Value::as_map);
    let mut labels: Map = labels.cloned().unwrap_or_default();
    if workload.kind.kind == "Deployment" {
        labels.insert(HASH.to_owned(), Value::string(set.rsplit('-').next().unwrap_or_default()));
    }
    Value::Map(labels)
}

fn body_of(workload: &LiveObject, set: &str, pod: &str, looks: Looks) -> Value {
    let uid = workload.uid.as_deref().unwrap_or_default();
    let owner = if workload.kind.kind == "StatefulSet" {
        owner("apps/v1", "StatefulSet", name(workload), uid)
    } else {
        owner("apps/v1", "ReplicaSet", set, &set_uid(workload, set))
    };
    let spec = workload.body.at(&["spec", "template", "spec"]).and_then(Value::as_map);
    let mut spec: Map = spec.cloned().unwrap_or_default();
    spec.insert(
        "nodeName".to_owned(),
        Value::string(NODES.get(looks.place % NODES.len()).copied().unwrap_or("")),
    );
    let containers = spec.get("containers").and_then(Value::as_list).unwrap_or_default();
    let statuses: Vec<Value> = containers
        .iter()
        .map(|container| {
            let name = container.str_at(&["name"]).unwrap_or_default();
            if looks.crashes {
                value!({
                    "name": name, "ready": false, "restartCount": RESTARTS,
                    "state": {"waiting": {
                        "reason": "CrashLoopBackOff",
                        "message": "back-off 2m40s restarting failed container",
                    }},
                    "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
                })
            } else {
                value!({"name": name, "ready": looks.is_ready, "restartCount": 0, "state": {"running": {}}})
            }
        })
        .collect();
    let ready = if looks.is_ready { "True" } else { "False" };
    let mut body = value!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": pod, "namespace": workload.id.namespace.as_deref().unwrap_or_default(),
            "annotations": {PLAYED_FOR: name(workload)},
        },
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]},
    });
    insert(&mut body, &["metadata", "labels"], labels(workload, set));
    insert(&mut body, &["metadata", "ownerReferences"], owner);
    insert(&mut body, &["spec"], Value::Map(spec));
    insert(&mut body, &["status", "containerStatuses"], Value::List(statuses));
    body
}

/// Puts a value into a map of maps, all of which are there but the last.
fn insert(body: &mut Value, path: &[&str], value: Value) {
    let Some((last, above)) = path.split_last() else { return };
    let mut map = body.as_map_mut();
    for key in above {
        map = map.and_then(|map| map.get_mut(*key)).and_then(Value::as_map_mut);
    }
    if let Some(map) = map {
        map.insert((*last).to_owned(), value);
    }
}

/// What the kubelet tells of a container that crashes.
fn backing_off(workload: &LiveObject, pod: &str, at: Timestamp) -> Value {
    let namespace = workload.id.namespace.as_deref().unwrap_or_default();
    value!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": format!("{pod}.back-off"), "namespace": namespace},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": pod},
        "type": "Warning", "reason": "BackOff",
        "message": "Back-off restarting failed container",
        "source": {"component": "kubelet"}, "count": RESTARTS,
        "lastTimestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
}
