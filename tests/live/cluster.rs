//! The cluster room against the real API server: lists and watches through faults, refusals with facts, the gate.

use std::sync::Arc;
use std::time::Duration;

use driftdeck::cluster::offline::Offline;
use driftdeck::cluster::remote::{Options, Remote, SchemaCache, Sources};
use driftdeck::cluster::{Cluster, ClusterError, Patch, Propagation, WatchEvent, Write, builtin};
use driftdeck::model::schema::Shape;
use driftdeck::model::{ClusterFacts, GroupVersionKind, LiveObject, Scope, ServedKind, Timestamp, Value};
use driftdeck::value;
use futures::StreamExt as _;
use futures::stream::BoxStream;

use crate::support::{Access, Fault, FaultProxy, Home, Matching, Namespace, eventually};

const CONFIG_MAP: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: blue}\n";

fn options() -> Options {
    let mut options = Options::new(Arc::new(|| Timestamp::UNIX_EPOCH));
    options.request_timeout = Duration::from_secs(5);
    options
}

/// A cluster behind a way in; the home holds its kubeconfig.
fn remote(access: &Access, options: Options) -> (Home, Remote) {
    let home = Home::new();
    let file = access.write_into(&home);
    let sources = Sources { file: Some(file), ..Sources::default() };
    (home, Remote::new(&access.context, sources, options))
}

fn admin(namespace: &Namespace) -> (Home, Remote) {
    remote(&namespace.access(), options())
}

/// Starts a proxy, which has a runtime of its own, from within a test's runtime.
fn proxy_of(namespace: &Namespace) -> FaultProxy {
    tokio::task::block_in_place(|| FaultProxy::in_front_of(&namespace.plane))
}

fn behind_a_proxy(namespace: &Namespace) -> (FaultProxy, Home, Remote) {
    let proxy = proxy_of(namespace);
    let (home, cluster) = remote(&proxy.through(namespace.access()), options());
    (proxy, home, cluster)
}

fn kind(group: &str, version: &str, kind: &str) -> ServedKind {
    let wanted = GroupVersionKind::new(group, version, kind);
    builtin::kinds().iter().find(|served| served.kind == wanted).expect("a built-in kind").clone()
}

fn config_maps() -> ServedKind {
    kind("", "v1", "ConfigMap")
}

fn within(namespace: &Namespace) -> Scope {
    Scope::Namespace(namespace.name.clone())
}

/// The next thing that a watch tells, with a bound far above what it needs.
async fn next(watch: &mut BoxStream<'static, WatchEvent>) -> WatchEvent {
    let told = tokio::time::timeout(Duration::from_secs(60), watch.next()).await;
    told.expect("the watch says something").expect("a watch never ends")
}

/// The next event that is no confirmation.
async fn next_change(watch: &mut BoxStream<'static, WatchEvent>) -> WatchEvent {
    loop {
        match next(watch).await {
            WatchEvent::Confirmed => {}
            event => return event,
        }
    }
}

fn colour(event: &WatchEvent, facts: &ClusterFacts) -> String {
    let WatchEvent::Applied(packed) = event else { panic!("{event:?}") };
    packed.open(&facts.id).unwrap().body.str_at(&["data", "colour"]).unwrap_or_default().to_owned()
}

fn recolour(namespace: &Namespace, colour: &str) {
    let patch = format!(r#"{{"data":{{"colour":"{colour}"}}}}"#);
    namespace.patch("configmap/settings", "merge", &patch, "kubectl-edit");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn facts_tell_identity_version_user_and_kinds() {
    let namespace = Namespace::new("facts");
    let (_home, cluster) = admin(&namespace);
    let facts = cluster.facts().await.unwrap();
    let uid = namespace.plane.kubectl(&["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"]);
    assert_eq!(*facts.id.0, *uid);
    assert_eq!(facts.version.as_deref(), Some("1.36"));
    assert_eq!(facts.user.as_deref(), Some("admin"));
    assert_eq!(facts.failed_groups, []);
    let deployments = facts.served(&GroupVersionKind::new("apps", "v1", "Deployment")).unwrap();
    assert!(deployments.namespaced && deployments.status_subresource && deployments.preferred);
    assert!(deployments.can("patch") && deployments.can("watch"));

    // By certificate it is the same cluster.
    let sources = Sources { file: Some(namespace.plane.kubeconfig.clone()), ..Sources::default() };
    let by_certificate = Remote::new("plane-cert", sources, options());
    assert_eq!(by_certificate.facts().await.unwrap().id, facts.id);
    cluster.confirm().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn impersonation_asks_as_somebody_else() {
    let namespace = Namespace::new("as");
    let mut options = options();
    options.impersonate = Some("mallory".into());
    let (_home, cluster) = remote(&namespace.access(), options);
    let error = cluster.list(config_maps(), within(&namespace)).await.unwrap_err();
    assert!(error.to_string().contains("mallory"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn a_denied_kind_says_verb_resource_and_namespace_and_hides_no_other() {
    let namespace = Namespace::new("denied");
    namespace.apply(CONFIG_MAP);
    namespace.allow("ana", "get,list,watch", "configmaps");
    let (_home, cluster) = remote(&namespace.plane.access("ana"), options());
    let facts = cluster.facts().await.unwrap();
    assert!(facts.id.0.starts_with("https://"), "kube-system may not be read: {}", facts.id.0);
    cluster.confirm().await.unwrap();
    eventually("the grant is in force", || {
        namespace
            .plane
            .try_kubectl(&["auth", "can-i", "list", "configmaps", "--as=ana", "-n", &namespace.name], "")
            .stdout
            .starts_with("yes")
            .then_some(())
    });
    let listed = cluster.list(config_maps(), within(&namespace)).await.unwrap();
    assert!(listed.iter().any(|object| object.id.name.as_deref() == Some("settings")));
    assert!(cluster.may("list", config_maps(), within(&namespace)).await.unwrap());

    let secrets = kind("", "v1", "Secret");
    assert!(!cluster.may("list", secrets.clone(), within(&namespace)).await.unwrap());
    let Err(ClusterError::Denied { verb, resource, namespace: at, .. }) =
        cluster.list(secrets.clone(), within(&namespace)).await
    else {
        panic!("not denied")
    };
    assert_eq!(
        (verb.as_str(), resource.as_str(), at.as_deref()),
        ("list", "secrets", Some(namespace.name.as_str()))
    );
    let mut watch = cluster.watch(secrets, within(&namespace));
    assert!(matches!(
        next(&mut watch).await,
        WatchEvent::Interrupted { error: ClusterError::Denied { .. }, .. }
    ));
    let everywhere = cluster.list(config_maps(), Scope::All).await.unwrap_err();
    assert!(matches!(everywhere, ClusterError::Denied { namespace: None, .. }), "{everywhere:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn a_list_of_many_pages_is_whole_or_an_error() {
    let namespace = Namespace::new("pages");
    let many: Vec<String> = (0..1100)
        .map(|i| {
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{i:04}}}\ndata: {{n: \"{i}\"}}\n")
        })
        .collect();
    namespace.apply_server_side(&many.join("---\n"), "deployer");
    let (proxy, _home, cluster) = behind_a_proxy(&namespace);
    let lists = || Matching::verbs(&["list"]).resource("configmaps");
    let listed = cluster.list(config_maps(), within(&namespace)).await.unwrap().len();
    assert!(listed >= 1100, "{listed}");
    assert_eq!(proxy.seen_matching(&lists()).len(), 3, "{}", proxy.listing());
    let facts = cluster.facts().await.unwrap();
    let one = &cluster.list_metadata(config_maps(), within(&namespace)).await.unwrap()[0];
    assert_eq!(
        (one.kind.kind.as_str(), one.body.get("data"), &one.id.cluster),
        ("ConfigMap", None, &facts.id)
    );

    proxy.after(1, 1, lists(), Fault::Truncate(5000));
    let truncated = cluster.list(config_maps(), within(&namespace)).await;
    assert!(matches!(truncated, Err(ClusterError::Lost { .. })), "{truncated:?}");
    proxy.clear();
    proxy.after(2, 1, lists(), Fault::too_many_requests(7));
    let busy = cluster.list(config_maps(), within(&namespace)).await;
    assert_eq!(busy.unwrap_err(), ClusterError::Busy { after: Duration::from_secs(7) });
    proxy.clear();
    proxy.after(1, 1, lists(), Fault::gone());
    let anew = cluster.list(config_maps(), within(&namespace)).await.unwrap();
    assert_eq!(anew.len(), listed, "begun anew when the pages expired");
    proxy.clear();
    proxy.once(lists(), Fault::BlackHole);
    let silent = cluster.list(config_maps(), within(&namespace)).await;
    assert!(matches!(silent, Err(ClusterError::TimedOut { .. })), "{silent:?}");
    assert_eq!(cluster.list(config_maps(), within(&namespace)).await.unwrap().len(), listed);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn a_watch_tells_what_kubectl_does_and_resumes_after_it_was_cut() {
    let namespace = Namespace::new("watch");
    namespace.apply(CONFIG_MAP);
    let (proxy, _home, cluster) = behind_a_proxy(&namespace);
    let facts = cluster.facts().await.unwrap();
    let mut watch = cluster.watch(config_maps(), within(&namespace));
    let WatchEvent::Listed(objects) = next(&mut watch).await else { panic!("not listed") };
    assert!(objects.iter().any(|object| object.id.name.as_deref() == Some("settings")));

    // Following begins with the next poll, so the change may come before or after the connection.
    recolour(&namespace, "green");
    let mut seen = next_change(&mut watch).await;
    // The controller manager's own ConfigMap may come in between.
    while !matches!(&seen, WatchEvent::Applied(packed) if packed.id.name.as_deref() == Some("settings")) {
        seen = next_change(&mut watch).await;
    }
    assert_eq!(colour(&seen, &facts), "green");

    proxy.forget();
    proxy.cut_all();
    let WatchEvent::Interrupted { error, .. } = next_change(&mut watch).await else {
        panic!("not interrupted")
    };
    assert!(error.is_passing(), "{error:?}");
    recolour(&namespace, "red");
    assert_eq!(colour(&next_change(&mut watch).await, &facts), "red");
    let lists = proxy.seen_matching(&Matching::verbs(&["list"]).resource("configmaps"));
    assert_eq!(lists.len(), 0, "resumed, not listed anew:\n{}", proxy.listing());

    namespace.kubectl(&["delete", "configmap", "settings"]);
    let WatchEvent::Deleted(id) = next_change(&mut watch).await else { panic!("not deleted") };
    assert_eq!(id.name.as_deref(), Some("settings"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn a_watch_whose_version_is_gone_is_listed_anew_and_told_whole() {
    let namespace = Namespace::new("gone");
    namespace.apply(CONFIG_MAP);
    let (proxy, _home, cluster) = behind_a_proxy(&namespace);
    proxy.once(Matching::verbs(&["watch"]).resource("configmaps"), Fault::GoneInWatch);
    let mut watch = cluster.watch(config_maps(), within(&namespace));
    let WatchEvent::Listed(first) = next(&mut watch).await else { panic!("not listed") };
    let WatchEvent::Listed(second) = next_change(&mut watch).await else { panic!("not listed anew") };
    assert_eq!(first.len(), second.len());
    assert_eq!(first[0].hash, second[0].hash);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn a_definition_that_appears_later_is_served_with_its_schema() {
    let namespace = Namespace::new("crd");
    let group = format!("{}.example.com", namespace.name);
    let (_home, cluster) = admin(&namespace);
    let things = GroupVersionKind::new(&group, "v1", "Thing");
    assert_eq!(cluster.facts().await.unwrap().served(&things), None);
    let definition = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: things.{group}}}\n\
         spec: {{group: {group}, scope: Namespaced, names: {{kind: Thing, plural: things}}, versions: [{{name: v1, \
         served: true, storage: true, subresources: {{status: {{}}}}, schema: {{openAPIV3Schema: {{type: object, \
         properties: {{spec: {{type: object, properties: {{size: {{type: integer, default: 3}}}}}}}}}}}}}}]}}\n"
    );
    namespace.apply(&definition);
    let mut served = None;
    for _ in 0..200 {
        let facts = cluster.facts().await.unwrap();
        served = facts.served(&things).cloned();
        let schema = cluster.schema(vec![things.clone()]).await.unwrap();
        if let (Some(_), Some(entry)) = (&served, schema.kind(&things)) {
            assert!(entry.custom && entry.namespaced && entry.status_subresource);
            let Shape::Struct { fields, .. } = &schema.node(entry.root).unwrap().shape else { panic!() };
            assert!(fields.contains_key("metadata") && fields.contains_key("spec"));
            break;
        }
        served = None;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let served = served.expect("served with a schema");
    assert_eq!(cluster.list(served, within(&namespace)).await.unwrap().len(), 0);
    namespace.plane.kubectl(&["delete", "crd", &format!("things.{group}")]);
}

fn apply(namespace: &Namespace, manager: &str, force: bool, colour: &str) -> Write {
    Write::Apply {
        kind: config_maps(),
        namespace: Some(namespace.name.clone()),
        name: "settings".into(),
        body: value!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": colour}}),
        manager: manager.into(),
        force,
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn an_apply_conflict_names_the_managers_and_a_moved_object_is_refused() {
    let namespace = Namespace::new("conflict");
    namespace.apply_server_side(CONFIG_MAP, "deployer");
    let (_home, cluster) = admin(&namespace);
    let writer = cluster.writer().unwrap();
    recolour(&namespace, "green");
    let Err(ClusterError::Conflict { managers, .. }) =
        writer.write(apply(&namespace, "deployer", false, "blue")).await
    else {
        panic!("no conflict")
    };
    assert_eq!(managers, [("kubectl-edit".to_owned(), vec![".data.colour".to_owned()])]);
    let applied = writer.write(apply(&namespace, "deployer", true, "blue")).await.unwrap().unwrap();
    assert_eq!(applied.body.str_at(&["data", "colour"]), Some("blue"));

    let get = || cluster.get(config_maps(), Some(namespace.name.clone()), "settings".into());
    let before = get().await.unwrap().unwrap();
    recolour(&namespace, "red");
    let delete = Write::Delete {
        kind: config_maps(),
        namespace: Some(namespace.name.clone()),
        name: "settings".into(),
        uid: before.uid.clone(),
        resource_version: before.resource_version,
        propagation: Propagation::Background,
    };
    assert!(matches!(writer.write(delete).await, Err(ClusterError::Conflict { .. })));
    let stale = Patch::Json(vec![
        value!({"op": "test", "path": "/data/colour", "value": "blue"}),
        value!({"op": "replace", "path": "/data/colour", "value": "black"}),
    ]);
    let patch = Write::Patch {
        kind: config_maps(),
        namespace: Some(namespace.name.clone()),
        name: "settings".into(),
        patch: stale,
        manager: "deployer".into(),
    };
    assert!(matches!(writer.write(patch).await, Err(ClusterError::Invalid { .. })));
    assert_eq!(get().await.unwrap().unwrap().body.str_at(&["data", "colour"]), Some("red"));
    let nowhere = cluster.get(config_maps(), Some(namespace.name.clone()), "nowhere".into()).await;
    assert_eq!(nowhere, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn read_only_sends_no_write_and_a_dry_run_keeps_nothing() {
    let namespace = Namespace::new("readonly");
    namespace.apply_server_side(CONFIG_MAP, "deployer");
    let proxy = proxy_of(&namespace);
    let mut options = options();
    options.read_only = true;
    let (_home, cluster) = remote(&proxy.through(namespace.access()), options);
    assert!(cluster.writer().is_none());
    let would = cluster.dry_run(apply(&namespace, "deployer", false, "green")).await.unwrap().unwrap();
    assert_eq!(would.body.str_at(&["data", "colour"]), Some("green"));
    let delete = Write::Delete {
        kind: config_maps(),
        namespace: Some(namespace.name.clone()),
        name: "settings".into(),
        uid: None,
        resource_version: None,
        propagation: Propagation::Background,
    };
    assert_eq!(cluster.dry_run(delete).await, Ok(None));
    cluster.facts().await.unwrap();
    let live =
        cluster.get(config_maps(), Some(namespace.name.clone()), "settings".into()).await.unwrap().unwrap();
    assert_eq!(live.body.str_at(&["data", "colour"]), Some("blue"));
    assert_eq!(proxy.seen_matching(&Matching::writes()).len(), 0, "{}", proxy.listing());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn a_lost_answer_to_a_write_is_told_from_one_that_was_never_sent() {
    let namespace = Namespace::new("lost");
    namespace.apply_server_side(CONFIG_MAP, "deployer");
    let (proxy, _home, cluster) = behind_a_proxy(&namespace);
    let writer = cluster.writer().unwrap();
    proxy.once(Matching::writes(), Fault::DropAfter);
    let lost = writer.write(apply(&namespace, "deployer", false, "green")).await;
    assert!(matches!(lost, Err(ClusterError::Lost { .. })), "{lost:?}");
    let live = namespace.get("configmap/settings").unwrap();
    assert_eq!(live["data"]["colour"], "green", "the server had acted");

    let nobody = namespace.access().by("https://127.0.0.1:1");
    let (_other, unreachable) = remote(&nobody, options());
    let error = unreachable.confirm().await.unwrap_err();
    assert!(
        matches!(&error, ClusterError::Unreachable { server, .. } if server == "https://127.0.0.1:1"),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn what_a_server_says_of_a_secret_does_not_quote_it() {
    let namespace = Namespace::new("sealed");
    let (_home, cluster) = admin(&namespace);
    let secret = Write::Apply {
        kind: kind("", "v1", "Secret"),
        namespace: Some(namespace.name.clone()),
        name: "s".into(),
        body: value!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"p": "canary is no base64"}}),
        manager: "deployer".into(),
        force: false,
    };
    let error = cluster.dry_run(secret).await.unwrap_err();
    assert!(!format!("{error:?}{error}").contains("canary"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn schemas_are_kept_by_their_hash_and_fetched_once() {
    struct Kept(std::sync::Mutex<std::collections::HashMap<String, Vec<u8>>>);
    impl SchemaCache for Kept {
        fn read(&self, key: &str) -> Option<Vec<u8>> {
            self.0.lock().unwrap().get(key).cloned()
        }
        fn write(&self, key: &str, bytes: &[u8]) {
            self.0.lock().unwrap().insert(key.to_owned(), bytes.to_vec());
        }
    }
    let namespace = Namespace::new("schemas");
    let proxy = proxy_of(&namespace);
    let kept = Arc::new(Kept(std::sync::Mutex::default()));
    let deployments = GroupVersionKind::new("apps", "v1", "Deployment");
    let mut read = Vec::new();
    for _ in 0..2 {
        let mut options = options();
        options.cache = Some(kept.clone());
        let (_home, cluster) = remote(&proxy.through(namespace.access()), options);
        read.push(cluster.schema(vec![deployments.clone()]).await.unwrap());
        let again = cluster.schema(vec![deployments.clone()]).await.unwrap();
        assert!(again.kind(&deployments).is_some());
    }
    assert_eq!(read[0], read[1]);
    assert_eq!(
        proxy.seen_matching(&Matching::any().path("/openapi/v3/apis/apps/v1")).len(),
        1,
        "{}",
        proxy.listing()
    );
}

/// One apply: who applies what.
struct Applied {
    manager: &'static str,
    force: bool,
    body: Value,
}

/// A manager, its operation, and the fields that it owns.
type Owner = (String, &'static str, Vec<String>);

/// An object's spec or data and who owns what, in an order of its own.
fn owned(object: &LiveObject) -> (Value, Vec<Owner>) {
    let mut body = object.body.clone();
    let fields = body.as_map_mut().unwrap();
    // A Service's spec is filled in by the server's own code.
    let is_service = fields.get("kind").and_then(Value::as_str) == Some("Service");
    fields
        .retain(|name, _| !(matches!(name.as_str(), "status" | "metadata") || is_service && name == "spec"));
    let mut owners: Vec<_> = object
        .managed
        .iter()
        .flatten()
        .map(|entry| {
            let mut paths = Vec::new();
            entry.fields.each(&mut |path| paths.push(path.to_string()));
            (entry.manager.clone(), entry.operation.word(), paths)
        })
        .collect();
    owners.sort();
    (body, owners)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn the_offline_cluster_applies_as_the_real_server_does() {
    let role = |rules: Value| {
        let mut body = value!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "it", "labels": {"a": "b"}}});
        body.as_map_mut().unwrap().insert("rules".into(), rules);
        body
    };
    let config = |metadata: Value, data: Value| {
        let mut body = value!({"apiVersion": "v1", "kind": "ConfigMap"});
        body.as_map_mut().unwrap().insert("metadata".into(), metadata);
        body.as_map_mut().unwrap().insert("data".into(), data);
        body
    };
    let service = |ports: Value| {
        let mut body = value!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "it"}, "spec": {"clusterIP": "None"}});
        body.as_map_mut()
            .unwrap()
            .get_mut("spec")
            .unwrap()
            .as_map_mut()
            .unwrap()
            .insert("ports".into(), ports);
        body
    };
    let account = |secrets: Value| {
        let mut body = value!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "it"}});
        body.as_map_mut().unwrap().insert("secrets".into(), secrets);
        body
    };
    let by = |manager, force, body| Applied { manager, force, body };
    let stories = [
        vec![
            by(
                "one",
                false,
                config(
                    value!({"name": "it", "labels": {"a": "1", "b": "2"}, "finalizers": ["x.example.com/y"]}),
                    value!({"k": "1", "l": "2"}),
                ),
            ),
            by(
                "two",
                false,
                config(
                    value!({"name": "it", "finalizers": ["x.example.com/z"]}),
                    value!({"l": "2", "m": "3"}),
                ),
            ),
            by("one", false, config(value!({"name": "it", "labels": {"a": "1"}}), value!({"k": "1"}))),
            by("two", true, config(value!({"name": "it"}), value!({"k": "9"}))),
            by("one", false, config(value!({"name": "it", "labels": {"a": "1"}}), value!({"k": "1"}))),
        ],
        vec![
            by("one", false, role(value!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]))),
            by(
                "two",
                false,
                role(value!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}])),
            ),
            by(
                "two",
                true,
                role(value!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}])),
            ),
        ],
        vec![
            by(
                "one",
                false,
                service(
                    value!([{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]),
                ),
            ),
            by(
                "two",
                false,
                service(value!([{"name": "tls", "port": 443, "protocol": "TCP", "targetPort": 8443}])),
            ),
            by("two", false, service(value!([{"name": "web", "port": 80, "targetPort": 8080}]))),
            by("one", true, service(value!([{"name": "dns", "port": 53, "protocol": "UDP"}]))),
        ],
        vec![
            by("one", false, account(value!([{"name": "a"}, {"name": "b"}]))),
            by("two", false, account(value!([{"name": "c"}, {"name": "a"}]))),
            by("one", false, account(value!([{"name": "b"}]))),
            by("one", false, account(value!([]))),
        ],
    ];
    let namespace = Namespace::new("offline");
    let (_home, real) = admin(&namespace);
    let real_writer = real.writer().unwrap();
    for story in stories {
        let offline = Offline::builder("offline", Arc::new(|| Timestamp::UNIX_EPOCH))
            .object(&value!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace.name}}))
            .build();
        for (at, step) in story.iter().enumerate() {
            let gvk = GroupVersionKind::from_api_version(
                step.body.str_at(&["apiVersion"]).unwrap(),
                step.body.str_at(&["kind"]).unwrap(),
            );
            let write = Write::Apply {
                kind: kind(&gvk.group, &gvk.version, &gvk.kind),
                namespace: Some(namespace.name.clone()),
                name: "it".into(),
                body: step.body.clone(),
                manager: step.manager.into(),
                force: step.force,
            };
            let ours = offline.writer().unwrap().write(write.clone()).await;
            let theirs = real_writer.write(write).await;
            let what = format!("{} step {at}: {ours:?}\n{theirs:?}", gvk.kind);
            match (&ours, &theirs) {
                (Ok(Some(ours)), Ok(Some(theirs))) => assert_eq!(owned(ours), owned(theirs), "{what}"),
                (
                    Err(ClusterError::Conflict { managers: ours, .. }),
                    Err(ClusterError::Conflict { managers: theirs, .. }),
                ) => assert_eq!(ours, theirs, "{what}"),
                _ => panic!("{what}"),
            }
        }
    }
    namespace.patch("configmap/it", "merge", r#"{"metadata":{"finalizers":null}}"#, "test");
}

/// The asset is what the API server publishes. `tests/control-plane/schema` runs this with every API switched on and
/// `DRIFTDECK_WRITE_SCHEMA` set, and it then writes the asset anew.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the control plane: run tests/run"]
async fn the_built_in_schema_is_what_the_api_server_publishes() {
    let namespace = Namespace::new("builtin");
    let (_home, cluster) = admin(&namespace);
    let facts = cluster.facts().await.unwrap();
    // Definitions of other tests come and go.
    let is_own = |group: &str| !group.contains('.') || group.ends_with(".k8s.io");
    let served: Vec<ServedKind> = facts.kinds.iter().filter(|k| is_own(&k.kind.group)).cloned().collect();
    let schema = cluster.schema(served.iter().map(|k| k.kind.clone()).collect()).await.unwrap();
    let published = builtin::Published::new(vec![(*schema).clone()], served.clone());
    if std::env::var_os("DRIFTDECK_WRITE_SCHEMA").is_some() {
        let asset = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(builtin::ASSET);
        std::fs::write(&asset, published.encode().unwrap()).unwrap();
        return;
    }
    let built_in = builtin::schema();
    for kind in &served {
        let known = builtin::kinds().iter().any(|k| k.kind == kind.kind && k.namespaced == kind.namespaced);
        assert!(known, "{:?} is not built in: run tests/control-plane/schema", kind.kind);
        if let Some(entry) = schema.kind(&kind.kind) {
            let ours = built_in.kind(&kind.kind).expect("a built-in schema");
            let shape = |schema: &driftdeck::model::Schema, root| match &schema.node(root).unwrap().shape {
                Shape::Struct { fields, .. } => fields.keys().cloned().collect::<Vec<_>>(),
                _ => Vec::new(),
            };
            assert_eq!(shape(&schema, entry.root), shape(&built_in, ours.root), "{:?}", kind.kind);
        }
    }
}
