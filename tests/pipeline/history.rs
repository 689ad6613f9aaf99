//! The history of an app: its commits, how far a cluster is off each, and what one of them is against something.

use crate::ground::{Told, applied, cluster};
use crate::support::Repository;
use driftdeck::model::history::{Against, Step, best};
use driftdeck::model::{ClusterId, History, Oid, Verdict};
use driftdeck::pipeline::history::{Ground, Histories, against};
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

fn map(name: &str, data: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shop}}\ndata: {{{data}}}\n"
    )
}

/// Three commits of web and one of another app; the cluster is at the second, but for one edit.
async fn told() -> (Repository, Told, [Oid; 3]) {
    let repository = Repository::new();
    let first = repository.write("web/a.yaml", map("a", "p: '1', q: '1'")).commit("First of web");
    repository.write("web/b.yaml", map("b", "z: '1'"));
    let second = repository.write("web/a.yaml", map("a", "p: '2', q: '2'")).commit("Second (#12)");
    repository.write("api/c.yaml", map("c", "z: '1'")).commit("Of another");
    let third = repository.write("web/a.yaml", map("a", "p: '3', q: '3'")).commit("Third of web");
    let live = cluster(&[applied(&map("a", "p: '2', q: 'by hand'")), applied(&map("b", "z: '1'"))]);
    let told = Told::once(&repository, live).await;
    (repository, told, [Oid(first), Oid(second), Oid(third)])
}

async fn ground(told: &Told, in_cluster: bool) -> Ground {
    let id = told.deployments.keys().find(|id| id.app.name == "web").unwrap();
    let cluster: Option<ClusterId> = in_cluster.then(|| id.cluster.clone());
    told.handle.past(id.app.clone(), cluster).await.unwrap()
}

async fn history(ground: &Ground) -> (History, BTreeMap<Oid, Result<usize, String>>) {
    let (steps, mut said) = mpsc::channel(100);
    let histories = Histories::default();
    let cancel = CancellationToken::new();
    let (mut history, mut distances) = (History::default(), BTreeMap::new());
    let telling = async {
        histories.tell(ground, &cancel, &steps).await.unwrap();
        drop(steps);
    };
    let taking = async {
        while let Some(step) = said.recv().await {
            match step {
                Step::Commits(commits) => history = commits,
                Step::Distance(commit, distance) => drop(distances.insert(commit, distance)),
                Step::Signatures(_) => {}
            }
        }
    };
    tokio::join!(telling, taking);
    (history, distances)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commits_of_the_app_are_told_with_how_far_the_cluster_is_off_and_the_best_match() {
    let (_repository, told, [first, second, third]) = told().await;
    let (history, distances) = history(&ground(&told, true).await).await;
    let subjects: Vec<&str> = history.commits.iter().map(|commit| commit.subject.as_str()).collect();
    assert_eq!(subjects, ["Third of web", "Second (#12)", "First of web"]);
    assert_eq!((history.of, history.more), (Some(4), false));
    assert_eq!(history.commits[1].pull_request.as_deref(), Some("#12"));
    assert_eq!(history.commits[1].files, ["web/a.yaml", "web/b.yaml"]);
    // Of the first also an object that was not declared then is there.
    assert_eq!(distances, BTreeMap::from([(third, Ok(2)), (second.clone(), Ok(1)), (first, Ok(3))]));
    assert_eq!(best(history.commits.iter(), &distances), Some((&second, 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_cluster_the_commits_are_told_alone() {
    let (_repository, told, _) = told().await;
    let (history, distances) = history(&ground(&told, false).await).await;
    assert_eq!((history.commits.len(), distances.len()), (3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_held_against_live_desired_and_another() {
    let (_repository, told, [first, second, third]) = told().await;
    let ground = ground(&told, true).await;
    let cancel = CancellationToken::new();
    let lines = async |commit: &Oid, other: Against| -> Vec<String> {
        let effect = against(&ground, commit, &other, &cancel).await.unwrap();
        let of = |status: &driftdeck::model::status::ResourceStatus| {
            let name = status.id.name.clone().unwrap();
            match status.verdict() {
                Verdict::Drifted => {
                    let paths: Vec<String> = status.judgement.counted().map(|c| c.path.to_string()).collect();
                    format!("{name} {}", paths.join(" "))
                }
                other => format!("{name} {}", other.word()),
            }
        };
        effect.iter().map(of).collect()
    };
    assert_eq!(lines(&second, Against::Live).await, ["a .data.q"]);
    assert_eq!(lines(&third, Against::Desired).await, Vec::<String>::new());
    assert_eq!(lines(&second, Against::Desired).await, ["a .data.p .data.q"]);
    assert_eq!(lines(&first, Against::Commit(second.clone())).await, ["a .data.p .data.q", "b extra"]);
    assert_eq!(lines(&second, Against::Commit(first)).await, ["a .data.p .data.q", "b missing"]);
    let nowhere = Oid("0".repeat(40));
    assert!(against(&ground, &nowhere, &Against::Live, &cancel).await.is_err());
}
