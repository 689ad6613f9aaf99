//! Users who may look into namespaces, and not into all of them at once.

use crate::ground::{Told, cluster};
use crate::scripted::{Script, Scripted};
use crate::support::Repository;

fn files(repository: &Repository, namespaces: &[&str]) {
    let map =
        |ns: &&str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: {ns}}}\n");
    let web = |ns: &&str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: {ns}}}\n\
             spec: {{selector: {{}}, template: {{}}}}\n"
        )
    };
    let all: Vec<String> = namespaces.iter().flat_map(|ns| [map(ns), web(ns)]).collect();
    repository.write("web/all.yaml", all.join("---\n")).commit("Another namespace");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_is_added_to_those_that_are_watched_one_by_one_is_watched_too() {
    let repository = Repository::new();
    files(&repository, &["a", "b", "c", "d"]);
    let narrow = ["ConfigMap", "Deployment", "HorizontalPodAutoscaler"].map(str::to_owned).to_vec();
    let live = Scripted::new(cluster(&[]), Script { narrow, ..Script::default() });
    let mut told = Told::following(&repository, live.clone()).await;
    let denied = |told: &Told| told.verdicts().iter().filter(|line| line.ends_with(" unknown")).count();
    assert_eq!((told.resources.len(), denied(&told)), (8, 0), "{:#?}", told.verdicts());
    files(&repository, &["a", "b", "c", "d", "e"]);
    told.until("the fifth is judged", |told| told.resources.len() == 10 && denied(told) == 0).await;
}
