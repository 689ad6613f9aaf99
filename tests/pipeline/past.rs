//! What an app used to declare, as far as Git knows and the cluster agrees.

use crate::ground::{Told, applied, cluster, noon, read, setup};
use crate::support::Repository;
use driftdeck::cluster::Write;
use driftdeck::model::GroupVersionKind;
use std::sync::Arc;

fn map(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shop}}\ndata: {{k: \"1\"}}\n"
    )
}

fn files(repository: &Repository, names: &[&str]) {
    let maps: Vec<String> = names.iter().map(|name| map(name)).collect();
    repository.write("web/all.yaml", maps.join("---\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_is_the_past_of_what_is_not() {
    let repository = Repository::new();
    files(&repository, &["a", "b"]);
    repository.commit("Add both");
    files(&repository, &["a"]);
    let told = Told::once(&repository, cluster(&[applied(&map("a")), applied(&map("b"))])).await;
    assert_eq!(told.verdicts(), ["web ConfigMap/shop/a in-sync", "web ConfigMap/shop/b extra"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_after_the_revision_is_none_of_its_past() {
    let repository = Repository::new();
    files(&repository, &["a"]);
    let first = repository.commit("Add a");
    files(&repository, &["a", "b"]);
    repository.commit("Add b");
    files(&repository, &["a"]);
    repository.commit("Drop b");
    let live = cluster(&[applied(&map("a")), applied(&map("b"))]);
    let mut setup = setup(&repository, vec![Arc::new(live)], false);
    setup.sources[0].revision = Some(first);
    let mut told = Told::start(setup);
    told.until_settled().await;
    assert_eq!(told.verdicts(), ["web ConfigMap/shop/a in-sync"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_applies_now_is_no_extra_of_the_app_that_declared_it() {
    let repository = Repository::new();
    files(&repository, &["a", "b", "c"]);
    repository.commit("Add all");
    files(&repository, &["a"]);
    repository.commit("Give b away and drop c");
    let live = cluster(&[]);
    for (name, manager) in [("a", "fleet"), ("b", "others"), ("c", "fleet")] {
        let write = Write::Apply {
            kind: live.served(&GroupVersionKind::new("", "v1", "ConfigMap")).unwrap(),
            namespace: Some("shop".into()),
            name: name.into(),
            body: read(&map(name)),
            manager: manager.into(),
            force: false,
        };
        live.act(&write, noon()()).unwrap();
    }
    let told = Told::once(&repository, live).await;
    assert_eq!(told.verdicts(), ["web ConfigMap/shop/a in-sync", "web ConfigMap/shop/c extra"]);
}
