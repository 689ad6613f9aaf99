//! What is in the cluster and no longer in Git.

use crate::ground::{Told, cluster};
use crate::support::Repository;
use driftdeck::model::Value;
use driftdeck::value;

const AUTOSCALER: &str = "\
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
";

fn map(name: &str, data: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shop}}\ndata: {{a: \"{data}\"}}\n"
    )
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: web}]}}
";

/// The object of a manifest as `kubectl apply` leaves it behind.
fn applied(manifest: &str) -> Value {
    let document = driftdeck::text::yaml::read_documents(manifest.as_bytes()).remove(0).unwrap();
    let mut object = document.value;
    let text = driftdeck::model::last_applied::last_applied(&object);
    let metadata = object.as_map_mut().unwrap().get_mut("metadata").unwrap().as_map_mut().unwrap();
    metadata
        .insert("annotations".to_owned(), value!({"kubectl.kubernetes.io/last-applied-configuration": null}));
    let annotations = metadata.get_mut("annotations").unwrap().as_map_mut().unwrap();
    annotations.insert("kubectl.kubernetes.io/last-applied-configuration".to_owned(), text);
    object
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_declared_in_another_version_than_it_is_watched_in_is_no_extra() {
    let repository = Repository::new();
    repository.write("web/all.yaml", format!("{AUTOSCALER}---\n{DEPLOYMENT}")).commit("Add web");
    repository.write("web/all.yaml", format!("{AUTOSCALER}---\n{DEPLOYMENT}---\n{}", map("a", "1")));
    repository.commit("Add a map");
    let live = cluster(&[applied(AUTOSCALER), applied(DEPLOYMENT), applied(&map("a", "1"))]);
    let told = Told::once(&repository, live).await;
    assert_eq!(
        told.verdicts(),
        [
            "web ConfigMap/shop/a in-sync",
            "web Deployment.apps/shop/web in-sync",
            "web HorizontalPodAutoscaler.autoscaling/shop/web in-sync",
        ]
    );
    let id = told.deployments.keys().next().unwrap().clone();
    assert_eq!(told.handle.deployed(id).await.unwrap().extras, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_kind_declared_by_two_apps_in_two_versions_is_neither_lost_nor_extra() {
    let second = AUTOSCALER
        .replace("name: web, namespace", "name: api, namespace")
        .replace("autoscaling/v1", "autoscaling/v2");
    let repository = Repository::new();
    repository.write("web/a.yaml", AUTOSCALER).write("api/a.yaml", &second).commit("Add both");
    repository.write("web/a.yaml", AUTOSCALER.replace("maxReplicas: 3", "maxReplicas: 4"));
    repository.write("api/a.yaml", second.replace("maxReplicas: 3", "maxReplicas: 4")).commit("Grow");
    let told = Told::once(&repository, cluster(&[applied(AUTOSCALER), applied(&second)])).await;
    assert_eq!(
        told.verdicts(),
        [
            "api HorizontalPodAutoscaler.autoscaling/shop/api drifted",
            "web HorizontalPodAutoscaler.autoscaling/shop/web drifted",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_moves_to_another_app_is_no_extra_of_the_first() {
    let repository = Repository::new();
    repository.write("web/all.yaml", format!("{}---\n{}", map("a", "1"), map("b", "1")));
    repository.write("api/all.yaml", map("c", "1")).commit("Add both");
    let live = cluster(&[applied(&map("a", "1")), applied(&map("b", "1")), applied(&map("c", "1"))]);
    let mut told = Told::following(&repository, live).await;
    repository.write("web/all.yaml", map("a", "1")).commit("Take b out");
    told.until("it is an extra", |told| told.verdicts().contains(&"web ConfigMap/shop/b extra".to_owned()))
        .await;
    repository.write("api/all.yaml", format!("{}---\n{}", map("c", "1"), map("b", "1"))).commit("Move b");
    let moved =
        ["api ConfigMap/shop/b in-sync", "api ConfigMap/shop/c in-sync", "web ConfigMap/shop/a in-sync"];
    told.until("it has moved", |told| told.verdicts() == moved).await;
}
