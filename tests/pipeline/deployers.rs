//! Who deploys an app, for its verdicts as for its plans.

use crate::ground::{Told, cluster, noon, read};
use crate::support::Repository;
use driftdeck::cluster::Write;
use driftdeck::cluster::offline::Offline;
use driftdeck::model::GroupVersionKind;

const DECLARED: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: shop}
data: {a: \"1\", b: \"2\"}
";

fn apply(live: &Offline, manifest: &str, manager: &str) {
    let write = Write::Apply {
        kind: live.served(&GroupVersionKind::new("", "v1", "ConfigMap")).unwrap(),
        namespace: Some("shop".into()),
        name: "web".into(),
        body: read(manifest),
        manager: manager.into(),
        force: true,
    };
    live.act(&write, noon()()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_engine_applied_and_git_dropped_is_a_leftover_whoever_else_applies_the_object() {
    let repository = Repository::new();
    repository.write("web/a.yaml", DECLARED).commit("Add web");
    let live = cluster(&[]);
    let labels =
        "labels: {kustomize.toolkit.fluxcd.io/name: web, kustomize.toolkit.fluxcd.io/namespace: flux}";
    let by_flux = DECLARED
        .replace("namespace: shop", &format!("namespace: shop, {labels}"))
        .replace("b: \"2\"", "b: \"2\", c: \"3\"");
    apply(&live, &by_flux, "kustomize-controller");
    apply(&live, DECLARED, "someone");
    let told = Told::once(&repository, live).await;
    let changes: Vec<String> = told
        .resources
        .values()
        .flat_map(|status| &status.judgement.changes)
        .filter(|change| change.counts)
        .map(|change| format!("{} {}", change.class.word(), change.path))
        .collect();
    assert_eq!(changes, ["leftover .data.c"]);
}
