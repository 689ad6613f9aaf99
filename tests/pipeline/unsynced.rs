//! At which commit a cluster is, where it has not got what was committed since.

use crate::ground::{Told, applied, cluster};
use crate::support::Repository;
use driftdeck::model::status::{DeploymentStatus, ResourceStatus};
use driftdeck::model::{AsAt, FieldChange};
use driftdeck::value;

fn map(name: &str, data: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shop}}\ndata: {{{data}}}\n"
    )
}

/// The app with one ConfigMap that the next commit changes, and one that stays.
fn files(repository: &Repository, data: &str) {
    repository.write("web/all.yaml", [map("a", data), map("b", "k: \"1\"")].join("---\n"));
}

/// What each deployment, each object and each change says of a commit.
fn said(told: &Told) -> Vec<String> {
    let at = |at: &Option<AsAt>| at.as_ref().map_or_else(|| "-".to_owned(), AsAt::words);
    let of_app = |d: &DeploymentStatus| format!("{}: {}", d.id.app.name, at(&d.as_at));
    let of_change =
        |c: &FieldChange| format!("{} {} {}", c.path, c.cause.word(), c.note.as_deref().unwrap_or("-"));
    let of_object = |r: &ResourceStatus| {
        let changes = r.judgement.changes.iter().map(of_change);
        [format!("{}: {}", r.id, at(&r.judgement.as_at))].into_iter().chain(changes).collect::<Vec<_>>()
    };
    let apps = told.deployments.values().map(of_app);
    apps.chain(told.resources.values().flat_map(of_object)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn live_that_equals_an_earlier_commit_is_said_to_be_at_it() {
    let repository = Repository::new();
    files(&repository, "k: \"1\", gone: x");
    let first = repository.commit("Add all");
    repository.write("README.md", "nothing of the app").commit("Say something");
    files(&repository, "k: \"2\", gone: x");
    repository.commit("Change a");
    files(&repository, "k: \"3\", new: \"y\"");
    repository.commit("Change a again");
    let live = cluster(&[applied(&map("a", "k: \"1\", gone: x")), applied(&map("b", "k: \"1\""))]);
    let told = Told::once(&repository, live).await;
    let at = format!("at {}, 2 commits behind", &first[..7]);
    assert_eq!(
        said(&told),
        [
            format!("web: {at}"),
            format!("ConfigMap/shop/a: {at}"),
            // Of one field the newest commit counts that had it so.
            format!(".data.gone unsynced-commit as {}", told_at(&repository, "Change a", 1)),
            format!(".data.k unsynced-commit as {at}"),
            format!(".data.new unsynced-commit as {}", told_at(&repository, "Change a", 1)),
            "ConfigMap/shop/b: -".to_owned(),
        ]
    );
}

fn told_at(repository: &Repository, subject: &str, behind: usize) -> String {
    let log = repository.git(&["log", "--format=%h %s", "--abbrev=7"]);
    let line = log.lines().find(|line| line.ends_with(&format!(" {subject}"))).unwrap();
    format!("at {}, {behind} commit{} behind", &line[..7], if behind == 1 { "" } else { "s" })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_by_hand_beside_an_unsynced_commit_leaves_only_its_own_field_unexplained() {
    let repository = Repository::new();
    files(&repository, "k: \"1\"");
    repository.commit("Add all");
    files(&repository, "k: \"2\", new: \"y\"");
    repository.commit("Change a");
    let mut edited = applied(&map("a", "k: \"1\""));
    let data = edited.as_map_mut().unwrap().get_mut("data").unwrap().as_map_mut().unwrap();
    data.insert("k".to_owned(), value!("9"));
    let live = cluster(&[edited, applied(&map("b", "k: \"1\""))]);
    let told = Told::once(&repository, live).await;
    let said = said(&told);
    assert_eq!(said[0], "web: -", "{said:?}");
    assert_eq!(said[1], "ConfigMap/shop/a: -", "{said:?}");
    assert!(said[2].starts_with(".data.k ") && !said[2].contains("as at"), "{said:?}");
    assert_eq!(said[3], format!(".data.new unsynced-commit as {}", told_at(&repository, "Add all", 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_committed_is_said_to_be_what_the_cluster_lacks() {
    let repository = Repository::new();
    files(&repository, "k: \"1\"");
    let first = repository.commit("Add all");
    files(&repository, "k: \"2\"");
    let live = cluster(&[applied(&map("a", "k: \"1\"")), applied(&map("b", "k: \"1\""))]);
    let told = Told::once(&repository, live).await;
    assert_eq!(said(&told)[0], format!("web: at {}, without the uncommitted changes", &first[..7]));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_further_commit_that_is_not_synced_puts_the_cluster_one_more_behind() {
    let repository = Repository::new();
    files(&repository, "k: \"1\"");
    let first = repository.commit("Add all");
    files(&repository, "k: \"2\"");
    repository.commit("Change a");
    let live = cluster(&[applied(&map("a", "k: \"1\"")), applied(&map("b", "k: \"1\""))]);
    let mut told = Told::following(&repository, live).await;
    assert_eq!(said(&told)[0], format!("web: at {}, 1 commit behind", &first[..7]));
    files(&repository, "k: \"3\"");
    repository.commit("Change a again");
    let wanted = format!("web: at {}, 2 commits behind", &first[..7]);
    told.until("it is two commits behind", |told| said(told)[0] == wanted).await;
}
