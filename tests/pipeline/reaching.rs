//! Clusters that do not answer, or not everything.

use crate::ground::{Told, cluster, noon, setup};
use crate::scripted::{Script, Scripted};
use crate::support::Repository;
use driftdeck::cluster::ClusterError;
use driftdeck::model::status::ClusterState;
use driftdeck::pipeline::run::Request;
use std::sync::Arc;
use std::time::Duration;

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\n";

fn repository() -> Repository {
    let repository = Repository::new();
    repository.write("web/a.yaml", MAP).commit("Add web");
    repository
}

fn state(told: &Told) -> Option<&ClusterState> {
    told.clusters.values().next().map(|cluster| &cluster.state)
}

fn later(seconds: u64) -> Option<driftdeck::model::Timestamp> {
    noon()().checked_add(Duration::from_secs(seconds)).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_dies_says_since_when_why_and_when_it_is_tried_again_until_it_answers() {
    let live = cluster(&[]);
    let mut told = Told::following(&repository(), live.clone()).await;
    assert_eq!(state(&told), Some(&ClusterState::Live));
    live.set_unreachable(Some("connection refused"));
    let why = "prod does not answer: connection refused".to_owned();
    let dead = ClusterState::Unreachable { since: noon()(), why, next_try: later(4) };
    told.until("it is unreachable", |told| state(told) == Some(&dead)).await;
    live.set_unreachable(None);
    told.until("it is live again", |told| state(told) == Some(&ClusterState::Live)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_was_denied_at_first_is_let_in_later() {
    let refused = ClusterError::Unauthenticated { reason: "the token is over".into() };
    let script = Script { facts: [refused.clone(), refused.clone()].into(), ..Script::default() };
    let live = Scripted::new(cluster(&[]), script);
    let repository = repository();
    let mut told = Told::start(setup(&repository, vec![Arc::new(live.clone())], true));
    let denied = ClusterState::Denied { why: refused.to_string(), next_try: later(30) };
    told.until("it is denied", |told| state(told) == Some(&denied)).await;
    told.handle.requests.send(Request::Refresh).await.unwrap();
    while !live.script.lock().unwrap().facts.is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    told.handle.requests.send(Request::Refresh).await.unwrap();
    told.until("it is live", |told| state(told) == Some(&ClusterState::Live)).await;
}
