//! What is in the cluster and no longer in Git.

use crate::ground::{Told, applied, cluster, noon, read};
use crate::support::Repository;
use driftdeck::cluster::offline::Offline;
use driftdeck::cluster::{Propagation, Write};
use driftdeck::model::{GroupKind, GroupVersionKind};

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
async fn extras_that_a_rule_hides_are_counted_and_the_rule_is_not_idle() {
    let repository = Repository::new();
    let extras = ["tmp-a", "tmp-b", "tmp-c"].map(|name| map(name, "1"));
    repository.write("web/all.yaml", format!("{DEPLOYMENT}---\n{}", extras.join("---\n"))).commit("Add web");
    repository.write("web/all.yaml", DEPLOYMENT).write(
        ".driftdeck.yaml",
        "ignore:\n- {kind: ConfigMap, name: tmp-*, fields: .}\n- {kind: Secret, fields: .}\n",
    );
    repository.commit("Drop the maps");
    let live =
        cluster(&extras.iter().map(|map| applied(map)).chain([applied(DEPLOYMENT)]).collect::<Vec<_>>());
    let told = Told::once(&repository, live).await;
    let excluded = told
        .resources
        .values()
        .filter(|status| status.verdict().why() == Some("ignored by .driftdeck.yaml:2"));
    assert_eq!(excluded.count(), 3, "{:#?}", told.verdicts());
    let status = told.deployments.values().next().unwrap();
    assert_eq!(status.hidden.words().as_deref(), Some("3 objects ignored"));
    let idle: Vec<_> =
        told.notices.iter().filter(|n| n.title.contains("ignore rule")).map(|n| n.line).collect();
    assert_eq!(idle, [Some(3)], "{:#?}", told.notices);
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

#[tokio::test(flavor = "multi_thread")]
async fn the_last_object_of_a_kind_or_of_a_namespace_is_an_extra_once_git_no_longer_declares_it() {
    let elsewhere = map("b", "1").replace("namespace: shop", "namespace: jobs");
    let repository = Repository::new();
    repository.write("web/all.yaml", format!("{DEPLOYMENT}---\n{}---\n{elsewhere}", map("a", "1")));
    repository.commit("Add web");
    repository
        .write("web/all.yaml", format!("{AUTOSCALER}---\n{elsewhere}"))
        .commit("Leave the autoscaler alone");
    repository.write("web/all.yaml", AUTOSCALER).commit("Leave nothing in jobs");
    let objects = [DEPLOYMENT, AUTOSCALER, &map("a", "1"), &elsewhere].map(applied);
    let told = Told::once(&repository, cluster(&objects)).await;
    assert_eq!(
        told.verdicts(),
        [
            "web ConfigMap/jobs/b extra",
            "web ConfigMap/shop/a extra",
            "web Deployment.apps/shop/web extra",
            "web HorizontalPodAutoscaler.autoscaling/shop/web in-sync",
        ]
    );
    assert_eq!(told.deployments.values().flat_map(|d| &d.notices).count(), 0, "all is known");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_an_extra_of_a_kind_that_is_not_declared_any_more_is_found_while_following() {
    let repository = Repository::new();
    repository.write("web/all.yaml", format!("{DEPLOYMENT}---\n{}", map("a", "1"))).commit("Add web");
    let live = cluster(&[applied(DEPLOYMENT), applied(&map("a", "1"))]);
    let mut told = Told::following(&repository, live.clone()).await;
    repository.write("web/all.yaml", DEPLOYMENT).commit("Drop the map");
    let extra = "web ConfigMap/shop/a extra".to_owned();
    told.until("it is an extra", |told| told.verdicts().contains(&extra)).await;
    let kind = live.served(&GroupVersionKind::new("", "v1", "ConfigMap")).unwrap();
    let delete = Write::Delete {
        kind,
        namespace: Some("shop".into()),
        name: "a".into(),
        uid: None,
        resource_version: None,
        propagation: Propagation::Background,
    };
    live.act(&delete, noon()()).unwrap();
    told.until("it is gone", |told| !told.verdicts().contains(&extra)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_carries_the_apps_mark_is_an_extra_of_whatever_kind_and_where_its_marks_are_copies_it_is_none() {
    let marks =
        "labels: {kustomize.toolkit.fluxcd.io/name: web, kustomize.toolkit.fluxcd.io/namespace: flux}";
    let owner = "ownerReferences: [{kind: ReplicaSet, name: web, uid: u}]";
    let marked = |kind: &str, namespace: &str, more: &str| {
        let metadata = format!("{{name: web, namespace: {namespace}, {marks}, {more}}}");
        read(&format!("apiVersion: v1\nkind: {kind}\nmetadata: {metadata}\n"))
    };
    let repository = Repository::new();
    repository
        .write("web/all.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\n");
    repository.commit("Add web");
    let objects = [
        marked("ConfigMap", "shop", ""),
        marked("Service", "jobs", ""),
        marked("Secret", "shop", ""),
        marked("Endpoints", "shop", ""),
        marked("Pod", "shop", owner),
    ];
    let told = Told::once(&repository, cluster(&objects)).await;
    assert_eq!(
        told.verdicts(),
        ["web ConfigMap/shop/web in-sync", "web Secret/shop/web extra", "web Service/jobs/web extra"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn extras_that_may_not_be_listed_are_said_to_be_unknown() {
    let repository = Repository::new();
    repository.write("web/all.yaml", format!("{DEPLOYMENT}---\n{}", map("a", "1"))).commit("Add web");
    repository.write("web/all.yaml", DEPLOYMENT).commit("Drop the map");
    let builder =
        Offline::builder("prod", noon()).object(&applied(DEPLOYMENT)).object(&applied(&map("a", "1")));
    let told = Told::once(&repository, builder.deny(GroupKind::new("", "ConfigMap")).build()).await;
    let notices: Vec<_> = told.deployments.values().flat_map(|d| &d.notices).collect();
    assert_eq!(notices[0].title, "extras of ConfigMap are not known");
    assert_eq!(told.notices, [notices[0].clone()]);
}
