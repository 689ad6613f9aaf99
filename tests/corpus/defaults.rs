//! Values that the server fills in and Git does not declare: in sync where they are the server's, shown where they are not.

use crate::objects;
use driftdeck::cluster::builtin;
use driftdeck::drift::{Autoscaled, Context, Managers, judge};
use driftdeck::model::schema::{Node, NodeId, Shape};
use driftdeck::model::{GroupVersionKind, Schema, Value};
use driftdeck::text::yaml::read_documents;

fn yaml(text: &str) -> Value {
    read_documents(text.as_bytes()).remove(0).expect("the test's own YAML").value
}

/// Returns the paths that differ, whether they count or not.
fn differs(schema: &Schema, desired: &str, live: &str) -> Vec<String> {
    let (managers, autoscaled) = (Managers::built_in(), Autoscaled::default());
    let live = objects::live(yaml(live)).expect("the test's own object");
    let context = Context::new(schema, &managers, &autoscaled);
    let judgement = judge(Some(&objects::desired(yaml(desired))), Some(&live), &context);
    judgement.changes.iter().map(|c| c.path.to_string()).collect()
}

fn object(kind: &str, api_version: &str, rest: &str) -> String {
    format!("{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: x}}, {rest}}}")
}

#[test]
fn defaults_that_hang_on_other_fields_hold_only_beside_them() {
    let schema = builtin::schema();
    let policy = |rest: &str| {
        object("NetworkPolicy", "networking.k8s.io/v1", &format!("spec: {{podSelector: {{}}{rest}}}"))
    };
    let job = |rest: &str| object("Job", "batch/v1", &format!("spec: {{{rest}}}"));
    let pod = |container: &str| {
        object("Pod", "v1", &format!("spec: {{containers: [{{name: a, image: 'x:1', {container}}}]}}"))
    };
    let limits =
        |rest: &str| object("LimitRange", "v1", &format!("spec: {{limits: [{{type: Container, {rest}}}]}}"));
    let failing =
        "podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: a, status: 'True'}]}]}";
    let cases = [
        (policy(""), policy(", policyTypes: [Ingress]"), None),
        (policy(""), policy(", policyTypes: [Ingress, Egress]"), Some(".spec.policyTypes")),
        (policy(", egress: [{}]"), policy(", egress: [{}], policyTypes: [Ingress, Egress]"), None),
        (
            policy(", egress: [{}]"),
            policy(", egress: [{}], policyTypes: [Ingress]"),
            Some(".spec.policyTypes"),
        ),
        (job("parallelism: 1"), job("parallelism: 1, backoffLimit: 6"), None),
        (job("parallelism: 1"), job("parallelism: 1, backoffLimit: 2147483647"), Some(".spec.backoffLimit")),
        (
            job("backoffLimitPerIndex: 1"),
            job("backoffLimitPerIndex: 1, backoffLimit: 6"),
            Some(".spec.backoffLimit"),
        ),
        (job(failing), job(&format!("{failing}, podReplacementPolicy: Failed")), None),
        (
            job("parallelism: 1"),
            job("parallelism: 1, podReplacementPolicy: Failed"),
            Some(".spec.podReplacementPolicy"),
        ),
        (
            pod("ports: [{containerPort: 80}]"),
            pod("ports: [{containerPort: 80, hostPort: 80, protocol: TCP}]"),
            None,
        ),
        (
            pod("ports: [{containerPort: 80}]"),
            pod("ports: [{containerPort: 80, hostPort: 81, protocol: TCP}]"),
            Some(r#".spec.containers[name="a"].ports[containerPort=80,protocol="TCP"].hostPort"#),
        ),
        (
            limits("max: {cpu: '1'}, min: {memory: 1Mi}"),
            limits(
                "max: {cpu: 1000m}, min: {memory: 1Mi}, default: {cpu: '1'}, defaultRequest: {cpu: '1', memory: 1Mi}",
            ),
            None,
        ),
        (
            limits("max: {cpu: '1'}"),
            limits("max: {cpu: '1'}, default: {cpu: '2'}, defaultRequest: {cpu: '1'}"),
            Some(".spec.limits"),
        ),
        (
            object("PersistentVolume", "v1", "spec: {storageClassName: ''}"),
            object("PersistentVolume", "v1", "spec: {}"),
            None,
        ),
        (
            object("PersistentVolumeClaim", "v1", "spec: {storageClassName: ''}"),
            object("PersistentVolumeClaim", "v1", "spec: {}"),
            Some(".spec.storageClassName"),
        ),
    ];
    for (desired, live, expected) in cases {
        let found = differs(&schema, &desired, &live);
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{desired}\n{live}");
    }
}

#[test]
fn the_labels_that_a_job_takes_from_its_template_are_the_servers_unless_git_declares_some() {
    let schema = builtin::schema();
    let job = |labels: &str| {
        format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: x, labels: {{{labels}}}}}, spec: {{template: {{metadata: {{labels: {{a: b}}}}}}}}}}"
        )
    };
    assert_eq!(differs(&schema, &job(""), &job("a: b")), Vec::<String>::new());
    assert_eq!(differs(&schema, &job(""), &job("a: c")), [".metadata.labels.a"]);
    assert_eq!(differs(&schema, &job("x: y"), &job("x: y, a: b")), [".metadata.labels.a"]);
}

/// Returns the built-in schema with a field of a Deployment's spec published otherwise; `None` takes it out.
fn published_otherwise(field: &str, node: Option<Node>) -> Schema {
    let mut schema = (*builtin::schema()).clone();
    let kind = GroupVersionKind::new("apps", "v1", "Deployment");
    let root = schema.kind(&kind).expect("a Deployment").root;
    let below = |schema: &Schema, id: NodeId, name: &str| match &schema.node(id).expect("a node").shape {
        Shape::Struct { fields, .. } => fields[name],
        shape => panic!("{shape:?}"),
    };
    let spec = below(&schema, root, "spec");
    let added = node.map(|node| schema.add(node));
    let Shape::Struct { fields, .. } = &mut schema.nodes[spec.0 as usize].shape else { panic!("a spec") };
    match added {
        Some(id) => drop(fields.insert(field.to_owned(), id)),
        None => drop(fields.remove(field)),
    }
    schema
}

#[test]
fn what_the_connected_cluster_publishes_stands_above_the_table() {
    let desired = object("Deployment", "apps/v1", "spec: {paused: true}");
    let live = |limit: usize| {
        object("Deployment", "apps/v1", &format!("spec: {{paused: true, revisionHistoryLimit: {limit}}}"))
    };
    let differ = |schema: &Schema, limit: usize| !differs(schema, &desired, &live(limit)).is_empty();

    let ours = builtin::schema();
    assert!(!differ(&ours, 10) && differ(&ours, 3));

    let default = Some(serde_json::json!(3));
    let other = published_otherwise(
        "revisionHistoryLimit",
        Some(Node { shape: Shape::Integer, default, nullable: false }),
    );
    assert!(differ(&other, 10) && !differ(&other, 3), "the published default");

    let lacking = published_otherwise("revisionHistoryLimit", None);
    assert!(differ(&lacking, 10), "a server that does not know the field does not fill it in");
}
