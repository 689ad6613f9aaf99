//! Tests of the offline cluster.

use super::*;
use crate::model::change::Operation;
use crate::value;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn clock() -> Clock {
    Arc::new(|| at(0))
}

fn cluster() -> Offline {
    Offline::builder("test", clock())
        .object(&value!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}))
        .build()
}

fn kind(cluster: &Offline, group: &str, version: &str, kind: &str) -> ServedKind {
    cluster.served(&GroupVersionKind::new(group, version, kind)).unwrap()
}

fn apply(
    cluster: &Offline,
    manager: &str,
    force: bool,
    body: Value,
    second: i64,
) -> Result<LiveObject, ClusterError> {
    let kind = GroupVersionKind::from_api_version(
        body.str_at(&["apiVersion"]).unwrap(),
        body.str_at(&["kind"]).unwrap(),
    );
    let write = Write::Apply {
        kind: cluster.served(&kind).unwrap(),
        namespace: Some("shop".into()),
        name: body.str_at(&["metadata", "name"]).unwrap().to_owned(),
        body,
        manager: manager.into(),
        force,
    };
    cluster.act(&write, at(second)).map(Option::unwrap)
}

fn config(data: Value) -> Value {
    let mut body = value!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}});
    body.as_map_mut().unwrap().insert("data".into(), data);
    body
}

fn deployment(containers: Value, replicas: Option<i64>) -> Value {
    let mut body = value!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"}, "spec": {
        "selector": {"matchLabels": {"app": "api"}}, "template": {"metadata": {"labels": {"app": "api"}}, "spec": {}}}});
    let spec = body.as_map_mut().unwrap().get_mut("spec").unwrap().as_map_mut().unwrap();
    if let Some(replicas) = replicas {
        spec.insert("replicas".into(), Value::int(replicas));
    }
    let template = spec.get_mut("template").unwrap().as_map_mut().unwrap();
    template.get_mut("spec").unwrap().as_map_mut().unwrap().insert("containers".into(), containers);
    body
}

fn target(group: &str, kind: &str, name: &str) -> Target {
    Target {
        kind: GroupVersionKind::new(group, "v1", kind),
        namespace: Some("shop".into()),
        name: name.into(),
    }
}

fn owned(object: &LiveObject, manager: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for entry in object.managed.iter().flatten().filter(|entry| entry.manager == manager) {
        entry.fields.each(&mut |path| paths.push(path.to_string()));
    }
    paths
}

#[test]
fn applying_creates_with_uid_revision_and_managed_fields() {
    let cluster = cluster();
    let object = apply(&cluster, "deployer", false, config(value!({"a": "1"})), 1).unwrap();
    assert!(object.uid.is_some() && object.resource_version.is_some());
    assert_eq!(object.body.str_at(&["metadata", "creationTimestamp"]), Some("2023-11-14T22:13:21Z"));
    assert_eq!(owned(&object, "deployer"), [".data.a"]);
    let entry = &object.managed.unwrap()[0];
    assert_eq!((entry.operation, entry.time), (Operation::Apply, Some(at(1))));
}

#[test]
fn applying_again_removes_what_is_no_longer_applied_and_nobody_else_holds() {
    let cluster = cluster();
    apply(&cluster, "deployer", false, config(value!({"a": "1", "b": "2", "c": "3"})), 1).unwrap();
    apply(&cluster, "other", false, config(value!({"c": "3"})), 2).unwrap();
    let object = apply(&cluster, "deployer", false, config(value!({"a": "1"})), 3).unwrap();
    assert_eq!(object.body.get("data"), Some(&value!({"a": "1", "c": "3"})));
    assert_eq!(owned(&object, "deployer"), [".data.a"]);
    assert_eq!(owned(&object, "other"), [".data.c"]);
}

#[test]
fn applying_the_same_again_changes_nothing() {
    let cluster = cluster();
    let first = apply(&cluster, "deployer", false, config(value!({"a": "1"})), 1).unwrap();
    let second = apply(&cluster, "deployer", false, config(value!({"a": "1"})), 9).unwrap();
    assert_eq!(first, second);
}

#[test]
fn a_conflict_names_the_manager_and_its_fields_and_force_takes_them_over() {
    let cluster = cluster();
    let containers = value!([{"name": "app", "image": "a:1"}]);
    apply(&cluster, "deployer", false, deployment(containers, Some(1)), 1).unwrap();
    let patch = Patch::Strategic(
        value!({"spec": {"replicas": 3, "template": {"spec": {"containers": [{"name": "app", "image": "a:2"}]}}}}),
    );
    cluster.edit(&target("apps", "Deployment", "api"), patch, "kubectl-edit", None, at(2)).unwrap();

    let again = deployment(value!([{"name": "app", "image": "a:1"}]), Some(1));
    let Err(ClusterError::Conflict { managers, .. }) = apply(&cluster, "deployer", false, again.clone(), 3)
    else {
        panic!("no conflict")
    };
    let image = r#".spec.template.spec.containers[name="app"].image"#;
    assert_eq!(managers, [("kubectl-edit".to_owned(), vec![".spec.replicas".to_owned(), image.to_owned()])]);

    let object = apply(&cluster, "deployer", true, again, 4).unwrap();
    assert_eq!(owned(&object, "kubectl-edit"), Vec::<String>::new());
    assert_eq!(object.body.at(&["spec", "replicas"]), Some(&value!(1)));
    assert_eq!(object.body.at(&["metadata", "generation"]), Some(&value!(3)));
}

#[test]
fn a_container_that_is_no_longer_applied_goes_with_its_defaults() {
    let cluster = cluster();
    let two = value!([{"name": "app", "image": "a"}, {"name": "side", "image": "s", "ports": [{"containerPort": 80}]}]);
    let object = apply(&cluster, "deployer", false, deployment(two, None), 1).unwrap();
    let containers =
        object.body.at(&["spec", "template", "spec", "containers"]).and_then(Value::as_list).unwrap();
    assert_eq!(containers[1].at(&["ports"]), Some(&value!([{"containerPort": 80, "protocol": "TCP"}])));
    let object =
        apply(&cluster, "deployer", false, deployment(value!([{"name": "app", "image": "a"}]), None), 2)
            .unwrap();
    let containers = object.body.at(&["spec", "template", "spec", "containers"]).unwrap();
    assert_eq!(containers, &value!([{"name": "app", "image": "a"}]));
}

#[test]
fn an_applied_list_keeps_live_items_of_others_in_their_place() {
    let cluster = cluster();
    apply(
        &cluster,
        "deployer",
        false,
        deployment(value!([{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]), None),
        1,
    )
    .unwrap();
    let patch = Patch::Strategic(
        value!({"spec": {"template": {"spec": {"containers": [{"name": "z", "image": "1"}]}}}}),
    );
    cluster.edit(&target("apps", "Deployment", "api"), patch, "injector", None, at(2)).unwrap();
    let object = apply(
        &cluster,
        "deployer",
        false,
        deployment(value!([{"name": "b", "image": "1"}, {"name": "a", "image": "1"}]), None),
        3,
    )
    .unwrap();
    let containers =
        object.body.at(&["spec", "template", "spec", "containers"]).and_then(Value::as_list).unwrap();
    let names: Vec<_> = containers.iter().filter_map(|c| c.str_at(&["name"])).collect();
    // As the API server merges: `a` waits for `b`, and `z` keeps its place behind `b`.
    assert_eq!(names, ["b", "z", "a"]);
}

#[test]
fn a_field_that_the_schema_does_not_know_cannot_be_applied() {
    let cluster = cluster();
    let body = deployment(value!([{"name": "app", "image": "a", "imagee": "b"}]), None);
    let Err(ClusterError::Invalid { fields, .. }) = apply(&cluster, "deployer", false, body, 1) else {
        panic!("applied")
    };
    assert_eq!(fields[0].0, r#".spec.template.spec.containers[name="app"].imagee"#);
}

#[test]
fn a_status_edit_reaches_the_status_alone_and_a_spec_edit_leaves_it() {
    let cluster = cluster();
    apply(&cluster, "deployer", false, deployment(value!([{"name": "app", "image": "a"}]), Some(1)), 1)
        .unwrap();
    let both = Patch::Merge(value!({"status": {"readyReplicas": 1}, "spec": {"replicas": 9}}));
    let it = target("apps", "Deployment", "api");
    let object = cluster.edit(&it, both, "kube-controller-manager", Some("status"), at(2)).unwrap().unwrap();
    assert_eq!(object.body.at(&["spec", "replicas"]), Some(&value!(1)));
    assert_eq!(object.body.at(&["metadata", "generation"]), Some(&value!(1)));
    let entry =
        object.managed.as_ref().unwrap().iter().find(|e| e.manager == "kube-controller-manager").unwrap();
    assert_eq!(entry.subresource.as_deref(), Some("status"));
    let object =
        apply(&cluster, "deployer", false, deployment(value!([{"name": "app", "image": "b"}]), Some(1)), 3)
            .unwrap();
    assert_eq!(object.body.at(&["status", "readyReplicas"]), Some(&value!(1)));
}

#[test]
fn a_write_with_another_uid_or_revision_is_refused() {
    let cluster = cluster();
    let first = apply(&cluster, "deployer", false, config(value!({"a": "1"})), 1).unwrap();
    let mut moved = config(value!({"a": "2"}));
    moved.as_map_mut().unwrap().insert("metadata".into(), value!({"name": "c", "resourceVersion": "1"}));
    assert!(matches!(apply(&cluster, "deployer", false, moved, 2), Err(ClusterError::Conflict { .. })));
    let delete = |uid: &str, resource_version: Option<String>| Write::Delete {
        kind: kind(&cluster, "", "v1", "ConfigMap"),
        namespace: Some("shop".into()),
        name: "c".into(),
        uid: Some(uid.into()),
        resource_version,
        propagation: crate::cluster::Propagation::Background,
    };
    assert!(matches!(cluster.act(&delete("other", None), at(3)), Err(ClusterError::Conflict { .. })));
    let uid = first.uid.unwrap();
    cluster.act(&delete(&uid, first.resource_version), at(4)).unwrap();
    assert!(matches!(cluster.act(&delete(&uid, None), at(5)), Err(ClusterError::NotFound { .. })));
}

#[test]
fn a_finalizer_keeps_a_deleted_object_until_it_is_taken_off() {
    let cluster = cluster();
    let mut body = config(value!({"a": "1"}));
    body.as_map_mut().unwrap().insert("metadata".into(), value!({"name": "c", "finalizers": ["x/y"]}));
    apply(&cluster, "deployer", false, body, 1).unwrap();
    let delete = Write::Delete {
        kind: kind(&cluster, "", "v1", "ConfigMap"),
        namespace: Some("shop".into()),
        name: "c".into(),
        uid: None,
        resource_version: None,
        propagation: crate::cluster::Propagation::Background,
    };
    cluster.act(&delete, at(2)).unwrap();
    let listed = cluster.listed("list", &kind(&cluster, "", "v1", "ConfigMap"), &Scope::All).unwrap().0;
    let live = listed[0].open(&cluster.inner.id).unwrap();
    assert_eq!(live.body.str_at(&["metadata", "deletionTimestamp"]), Some("2023-11-14T22:13:22Z"));
    let patch = Patch::Json(vec![value!({"op": "remove", "path": "/metadata/finalizers"})]);
    cluster.edit(&target("", "ConfigMap", "c"), patch, "controller", None, at(3)).unwrap();
    assert_eq!(
        cluster.listed("list", &kind(&cluster, "", "v1", "ConfigMap"), &Scope::All).unwrap().0.len(),
        0
    );
}

#[test]
fn deleting_a_namespace_takes_its_objects_along() {
    let cluster = cluster();
    apply(&cluster, "deployer", false, config(value!({"a": "1"})), 1).unwrap();
    let delete = Write::Delete {
        kind: kind(&cluster, "", "v1", "Namespace"),
        namespace: None,
        name: "shop".into(),
        uid: None,
        resource_version: None,
        propagation: crate::cluster::Propagation::Background,
    };
    cluster.act(&delete, at(2)).unwrap();
    assert_eq!(
        cluster.listed("list", &kind(&cluster, "", "v1", "ConfigMap"), &Scope::All).unwrap().0.len(),
        0
    );
    let again = apply(&cluster, "deployer", false, config(value!({"a": "1"})), 3);
    assert!(matches!(again, Err(ClusterError::NotFound { .. })), "{again:?}");
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_read_only_has_no_writer() {
    let cluster = cluster();
    let write = Write::Apply {
        kind: kind(&cluster, "", "v1", "ConfigMap"),
        namespace: Some("shop".into()),
        name: "c".into(),
        body: config(value!({"a": "1"})),
        manager: "deployer".into(),
        force: false,
    };
    let object = cluster.dry_run(write.clone()).await.unwrap().unwrap();
    assert_eq!(object.body.at(&["data", "a"]), Some(&value!("1")));
    let config_maps = kind(&cluster, "", "v1", "ConfigMap");
    assert_eq!(cluster.get(config_maps.clone(), Some("shop".into()), "c".into()).await, Ok(None));
    cluster.writer().unwrap().write(write).await.unwrap();
    assert!(cluster.get(config_maps, Some("shop".into()), "c".into()).await.unwrap().is_some());
    assert!(Offline::builder("shut", clock()).read_only().build().writer().is_none());
}

#[tokio::test]
async fn a_watch_lists_and_then_tells_every_change_in_order() {
    let cluster = cluster();
    apply(&cluster, "deployer", false, config(value!({"a": "1"})), 1).unwrap();
    let mut watch = cluster.watch(kind(&cluster, "", "v1", "ConfigMap"), Scope::Namespace("shop".into()));
    let Some(WatchEvent::Listed(objects)) = watch.next().await else { panic!("not listed") };
    assert_eq!(objects.len(), 1);
    apply(&cluster, "deployer", false, config(value!({"a": "2"})), 2).unwrap();
    apply(&cluster, "deployer", false, deployment(value!([]), None), 3).unwrap();
    apply(&cluster, "deployer", false, config(value!({"a": "3"})), 4).unwrap();
    cluster.set_unreachable(Some("the cable is out"));
    for wanted in ["2", "3"] {
        // What happened before the connection broke is not lost: it is in the list that follows.
        match watch.next().await {
            Some(WatchEvent::Applied(packed)) => {
                let live = packed.open(&cluster.inner.id).unwrap();
                assert_eq!(live.body.str_at(&["data", "a"]), Some(wanted));
            }
            Some(WatchEvent::Interrupted { .. }) => break,
            other => panic!("{other:?}"),
        }
    }
    cluster.set_unreachable(None);
    let Some(WatchEvent::Listed(objects)) = watch.next().await else { panic!("not listed anew") };
    assert_eq!(objects[0].open(&cluster.inner.id).unwrap().body.str_at(&["data", "a"]), Some("3"));
    let patch = Patch::Merge(value!({"data": {"a": "4"}}));
    cluster.edit(&target("", "ConfigMap", "c"), patch, "kubectl-edit", None, at(5)).unwrap();
    assert!(matches!(watch.next().await, Some(WatchEvent::Applied(_))));
}

#[tokio::test]
async fn a_denied_kind_says_so_and_hides_no_other() {
    let cluster = Offline::builder("test", clock()).deny(GroupKind::new("", "Secret")).build();
    let secrets = kind(&cluster, "", "v1", "Secret");
    let denied = cluster.list(secrets, Scope::Namespace("shop".into())).await.unwrap_err();
    assert_eq!(denied.to_string(), "not allowed to list secrets in namespace shop: forbidden");
    assert!(cluster.list(kind(&cluster, "", "v1", "ConfigMap"), Scope::All).await.is_ok());
}

#[tokio::test]
async fn a_custom_resource_is_served_once_its_definition_is_there() {
    let cluster = cluster();
    let things = GroupVersionKind::new("example.com", "v1", "Thing");
    assert!(cluster.served(&things).is_err());
    cluster.put(
        &value!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "things.example.com"},
            "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                    "type": "object", "properties": {"spec": {"type": "object", "properties": {
                        "size": {"type": "integer", "default": 3}, "color": {"type": "string"}}}}}}}]}}),
        at(1),
    );
    let thing = value!({"apiVersion": "example.com/v1", "kind": "Thing",
        "metadata": {"name": "t", "labels": {"a": "b"}}, "spec": {"color": "red"}});
    let object = apply(&cluster, "deployer", false, thing, 2).unwrap();
    assert_eq!(object.body.get("spec"), Some(&value!({"color": "red", "size": 3})));
    assert_eq!(owned(&object, "deployer"), [".metadata.labels.a", ".spec.color"]);
    assert!(cluster.schema(vec![]).await.unwrap().kind(&things).unwrap().custom);
}

#[test]
fn a_secret_is_kept_and_shown_sealed() {
    let cluster = cluster();
    let secret = value!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": "canary"}});
    let object = apply(&cluster, "deployer", false, secret, 1).unwrap();
    assert!(object.body.holds_sealed());
    assert_eq!(object.body.get("stringData"), None);
    assert_eq!(owned(&object, "deployer"), [".data.password"]);
    assert!(!format!("{object:?}").contains("canary"));
    // What was read sealed can be written again.
    let again = cluster.act(
        &Write::Apply {
            kind: kind(&cluster, "", "v1", "Secret"),
            namespace: Some("shop".into()),
            name: "s".into(),
            body: value!({"metadata": {}}),
            manager: "deployer".into(),
            force: false,
        },
        at(2),
    );
    assert_eq!(again.unwrap().unwrap().body.get("data"), None);
}

#[test]
fn a_dump_without_managed_fields_has_none() {
    let dump = value!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop", "uid": "u"}},
        {"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "p", "namespace": "shop"}}]}
    ]});
    let cluster = snapshot::of_objects("dump", clock(), [dump]);
    let config_maps = cluster.listed("list", &kind(&cluster, "", "v1", "ConfigMap"), &Scope::All).unwrap().0;
    let live = config_maps[0].open(&cluster.inner.id).unwrap();
    assert_eq!((live.uid.as_deref(), live.managed), (Some("u"), None));
    assert_eq!(cluster.listed("list", &kind(&cluster, "", "v1", "Pod"), &Scope::All).unwrap().0.len(), 1);
    assert!(cluster.writer().is_none());
}
