//! What runs of an app or an object: pods by their owners, events, last lines, and what cannot be told.

use crate::ground::{Told, applied, noon};
use crate::support::Repository;
use driftdeck::cluster::LogOf;
use driftdeck::cluster::offline::{Builder, Offline};
use driftdeck::model::{GroupKind, LiveObject, ResourceId, Running, Value};
use driftdeck::pipeline::running;
use driftdeck::value;
use serde_json::{Value as Json, json};
use std::sync::Arc;

const DECLARED: [&str; 4] = [
    "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: web}]}}
",
    "\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 80, protocol: TCP}]}
",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\ndata: {a: b}\n",
    "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: k8s, namespace: shop}\nspec: {replicas: 1}\n",
];

fn owned(
    api_version: &str,
    kind: &str,
    name: &str,
    owner: Option<(&str, &str, &str)>,
    status: &Json,
) -> Value {
    let owners: Vec<Json> = owner
        .map(|(api_version, kind, name)| json!({"apiVersion": api_version, "kind": kind, "name": name, "uid": name, "controller": true}))
        .into_iter()
        .collect();
    Value::from(json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": "web"}, "ownerReferences": owners},
        "spec": {"containers": [{"name": "app"}]}, "status": status,
    }))
}

fn event(about: (&str, &str, &str), reason: &str, message: &str, time: &str) -> Value {
    let (api_version, kind, name) = about;
    value!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("{name}.{reason}"), "namespace": "shop"},
        "involvedObject": {"apiVersion": api_version, "kind": kind, "namespace": "shop", "name": name},
        "type": "Warning", "reason": reason, "message": message, "count": 3,
        "lastTimestamp": format!("2026-03-01T11:{time}:00Z"), "source": {"component": "kubelet"},
    })
}

fn runs() -> Json {
    json!({
        "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"name": "app", "ready": true, "restartCount": 0, "state": {"running": {}}}],
    })
}

/// Two pods of a Deployment, one of a custom resource's, one that nobody owns, and those of somebody else; of these kinds
/// nothing may be read.
fn world(denied: &[&str]) -> Offline {
    let crashes = json!({
        "phase": "Running",
        "containerStatuses": [{
            "name": "app", "ready": false, "restartCount": 7,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
            "lastState": {"terminated": {"exitCode": 1}},
        }],
    });
    let none = json!({});
    let set = ("apps/v1", "ReplicaSet", "web-5c9f");
    let mut objects: Vec<Value> = DECLARED.iter().map(|manifest| applied(manifest)).collect();
    objects.extend([
        owned("apps/v1", "ReplicaSet", "web-5c9f", Some(("apps/v1", "Deployment", "web")), &none),
        owned("v1", "Pod", "web-5c9f-b", Some(set), &runs()),
        owned("v1", "Pod", "web-5c9f-a", Some(set), &crashes),
        owned(
            "apps/v1",
            "StatefulSet",
            "prometheus-k8s",
            Some(("monitoring.coreos.com/v1", "Prometheus", "k8s")),
            &none,
        ),
        owned("v1", "Pod", "prometheus-k8s-0", Some(("apps/v1", "StatefulSet", "prometheus-k8s")), &runs()),
        owned("v1", "Pod", "alone", None, &runs()),
        owned("v1", "Pod", "other-1", Some(("apps/v1", "StatefulSet", "other")), &runs()),
        event(("v1", "Pod", "web-5c9f-a"), "BackOff", "restarting failed container", "40"),
        event(("apps/v1", "ReplicaSet", "web-5c9f"), "FailedCreate", "password=hunter2hunter2", "41"),
        event(("v1", "Pod", "other-1"), "Odd", "none of yours", "42"),
        event(("v1", "ConfigMap", "web"), "Seen", "\u{1b}]0;x\u{7}", "43"),
    ]);
    let namespace = value!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    let builder = Offline::builder("prod", noon()).object(&namespace);
    let builder = denied.iter().fold(builder, |builder, kind| builder.deny(GroupKind::new("", *kind)));
    let cluster = objects.iter().fold(builder, Builder::object).build();
    cluster.set_logs(Arc::new(|_: &LiveObject, of: &LogOf| {
        let last = if of.previous { "panicked" } else { "all is well" };
        Some(
            (0..50)
                .map(|n| format!("line {n}"))
                .chain(["token=ghp_0123456789abcdefghijklmnopqrstuvwxyz".into(), last.into()])
                .collect(),
        )
    }));
    cluster
}

async fn told() -> Told {
    Told::once(&repository(), world(&[])).await
}

fn repository() -> Repository {
    let repository = Repository::new();
    repository.write("web/all.yaml", DECLARED.join("---\n")).commit("Add web");
    repository
}

async fn running(told: &Told, of: Option<&str>) -> Running {
    let named = |id: &&ResourceId| Some(id.kind.kind.as_str()) == of;
    let resource = told.resources.keys().map(|(_, id)| id).find(named).cloned();
    assert_eq!(resource.is_some(), of.is_some());
    let deployment = told.deployments.keys().next().unwrap().clone();
    let question = told.handle.running(deployment, resource).await.unwrap();
    let found = running::pods(&question).await;
    let whole = running::whole(&question, &found).await;
    assert_eq!(found.running().pods, whole.pods);
    whole
}

fn pods(running: &Running) -> Vec<&str> {
    running.pods.iter().map(|pod| pod.id.name.as_deref().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_are_found_by_their_owners_whatever_stands_between_and_trouble_comes_first() {
    let told = told().await;
    let cases: [(Option<&str>, &[&str]); 5] = [
        (None, &["web-5c9f-a", "prometheus-k8s-0", "web-5c9f-b"]),
        (Some("Deployment"), &["web-5c9f-a", "web-5c9f-b"]),
        (Some("Prometheus"), &["prometheus-k8s-0"]),
        (Some("Service"), &["web-5c9f-a", "alone", "other-1", "prometheus-k8s-0", "web-5c9f-b"]),
        (Some("ConfigMap"), &[]),
    ];
    for (of, expected) in cases {
        let running = running(&told, of).await;
        assert_eq!(pods(&running), expected, "{of:?}");
        assert_eq!(running.gaps, Vec::<String>::new(), "{of:?}");
    }
    let crashing = running(&told, Some("Deployment")).await.pods.remove(0);
    assert_eq!((crashing.status.as_str(), crashing.ready, crashing.restarts), ("CrashLoopBackOff", 0, 7));
    assert_eq!(crashing.health.message.as_deref(), Some("app: CrashLoopBackOff: back-off 5m0s"));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_and_last_lines_are_those_of_what_was_asked_about_and_keep_secrets_to_themselves() {
    let told = told().await;
    let running_of = running(&told, Some("Deployment")).await;
    let events: Vec<String> = running_of
        .events
        .iter()
        .map(|told| format!("{} {} {}", told.about, told.event.reason, told.event.message))
        .collect();
    assert_eq!(
        events,
        [
            "ReplicaSet web-5c9f FailedCreate <hidden: it looks like a secret>",
            "Pod web-5c9f-a BackOff restarting failed container"
        ]
    );
    let logs: Vec<(&str, bool, usize)> = running_of
        .logs
        .iter()
        .map(|log| (log.pod.as_str(), log.previous, log.lines.as_ref().unwrap().len()))
        .collect();
    assert_eq!(logs, [("web-5c9f-a", true, 30), ("web-5c9f-b", false, 30)]);
    let last = |log: usize| running_of.logs[log].lines.as_ref().unwrap()[27..].to_vec();
    assert_eq!(last(0), ["line 49", "<hidden: it looks like a secret>", "panicked"]);
    assert_eq!(last(1)[2], "all is well");
    // Of a whole app fewer lines of each, and one pod of each owner before the second of any.
    let whole = running(&told, None).await;
    let order: Vec<&str> = whole.logs.iter().map(|log| log.pod.as_str()).collect();
    assert_eq!(order, ["web-5c9f-a", "prometheus-k8s-0", "web-5c9f-b"]);
    assert!(whole.logs.iter().all(|log| log.lines.as_ref().unwrap().len() == 10));
    assert_eq!(whole.events.len(), 3, "the ConfigMap's too");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_is_said_and_the_rest_is_told() {
    for (denied, pods_told) in [("Event", 3), ("Pod", 0)] {
        let told = Told::once(&repository(), world(&[denied])).await;
        let running_of = running(&told, None).await;
        assert_eq!(running_of.pods.len(), pods_told);
        assert_eq!(running_of.logs.len(), pods_told);
        assert_eq!(running_of.events.is_empty(), denied == "Event");
        let expected = format!("{}s of namespace shop: not allowed to list", denied.to_lowercase());
        assert!(running_of.gaps.iter().any(|gap| gap.starts_with(&expected)), "{:?}", running_of.gaps);
    }
}
