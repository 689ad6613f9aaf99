//! Watching real folders. The tests wait for what must come; nothing is asserted about how long it takes.

use super::fixture::{Ground, Made};
use crate::git::{Changed, ChangedFiles, Repo, Watch};
use std::collections::BTreeSet;
use std::time::Duration;

/// Long enough for any machine; a test that waits for it has failed.
const MUST: Duration = Duration::from_secs(30);

fn both(made: &Made) -> [Watch; 2] {
    let repo = Repo::open(&made.path).expect("it opens");
    [
        Watch::start(&repo).expect("it can be watched"),
        Watch::polling(&repo, Duration::from_millis(50)).expect("it can be looked at"),
    ]
}

/// Gathers changes until `enough` has come.
async fn until(watch: &mut Watch, enough: impl Fn(&Changed) -> bool) -> Changed {
    let mut all = Changed::default();
    let gather = async {
        while !enough(&all) {
            let more = watch.next().await.expect("it goes on");
            all.refs |= more.refs;
            match (&mut all.files, more.files) {
                (ChangedFiles::These(files), ChangedFiles::These(more)) => files.extend(more),
                (files, _) => *files = ChangedFiles::Any,
            }
        }
    };
    let came = tokio::time::timeout(MUST, gather).await;
    assert!(came.is_ok(), "only this came: {all:?}");
    all
}

fn names(changed: &Changed) -> BTreeSet<&str> {
    match &changed.files {
        ChangedFiles::These(files) => files.iter().map(String::as_str).collect(),
        ChangedFiles::Any => BTreeSet::from(["any"]),
    }
}

fn has(name: &'static str) -> impl Fn(&Changed) -> bool {
    move |changed| names(changed).contains(name)
}

#[tokio::test]
async fn changed_new_and_deleted_files_are_named_and_ignored_ones_are_not() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    made.write(".gitignore", "*.tmp\nbuild/\n")
        .write("apps/web/a.yaml", "a: 1\n")
        .write("apps/b.yaml", "b: 1\n");
    made.write("build/x/out", "1").commit("first");
    for mut watch in both(&made) {
        made.write("apps/x.tmp", "x").write("build/x/out", "22").write("apps/web/a.yaml", "a: 22\n");
        std::fs::remove_file(made.path.join("apps/b.yaml")).expect("it was there");
        let changed = until(&mut watch, |c| has("apps/web/a.yaml")(c) && has("apps/b.yaml")(c)).await;
        assert_eq!(names(&changed), BTreeSet::from(["apps/b.yaml", "apps/web/a.yaml"]));
        assert!(!changed.refs);
        made.write("apps/web/a.yaml", "a: 1\n").write("apps/b.yaml", "b: 1\n");
        until(&mut watch, |c| has("apps/web/a.yaml")(c) && has("apps/b.yaml")(c)).await;
    }
}

#[tokio::test]
async fn files_in_folders_that_appear_later_are_seen() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    made.write("a.yaml", "a: 1\n").commit("first");
    for (mut watch, app) in both(&made).into_iter().zip(["one", "two"]) {
        made.write(&format!("apps/{app}/deep/er/x.yaml"), "x: 1\n");
        let file = format!("apps/{app}/deep/er/x.yaml");
        until(&mut watch, |c| names(c).contains(file.as_str())).await;
        made.write(&file, "x: 22\n");
        until(&mut watch, |c| names(c).contains(file.as_str())).await;
    }
}

#[tokio::test]
async fn a_commit_a_branch_and_a_switch_move_refs_and_gits_other_noise_does_not() {
    for way in 0..2 {
        let ground = Ground::new();
        let made = ground.repo("fleet");
        made.write("a.yaml", "a: 1\n").commit("first");
        let mut watch = both(&made).into_iter().nth(way).expect("two ways");
        made.commit("another");
        assert_eq!(names(&until(&mut watch, |c| c.refs).await), BTreeSet::new());
        made.git(&["branch", "topic/one"]);
        until(&mut watch, |c| c.refs).await;
        made.git(&["switch", "-q", "topic/one"]);
        until(&mut watch, |c| c.refs).await;
        made.git(&["pack-refs", "--all"]);
        until(&mut watch, |c| c.refs).await;
        made.git(&["branch", "topic/two"]);
        until(&mut watch, |c| c.refs).await;
        made.write("noise.yaml", "n: 1\n").git(&["add", "noise.yaml"]);
        assert_eq!(names(&until(&mut watch, has("noise.yaml")).await), BTreeSet::from(["noise.yaml"]));
    }
}

#[tokio::test]
async fn worktrees_and_bare_repositories_are_watched_where_their_refs_are() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    made.write("a.yaml", "a: 1\n").commit("first");
    made.git(&["worktree", "add", "-q", "../side", "-b", "side"]);
    super::fixture::git(&ground.path(), &["clone", "-q", "--bare", "fleet", "fleet.git"]);
    let side = Made { path: ground.path().join("side") };
    for mut watch in both(&side) {
        side.commit("on the side");
        until(&mut watch, |c| c.refs).await;
    }
    let bare = Made { path: ground.path().join("fleet.git") };
    for mut watch in both(&bare) {
        made.commit("more");
        made.git(&["push", "-q", "../fleet.git", "main"]);
        assert_eq!(names(&until(&mut watch, |c| c.refs).await), BTreeSet::new());
    }
}

#[tokio::test]
async fn a_plain_folder_is_watched_too() {
    let ground = Ground::new();
    let plain = Made { path: ground.path().join("plain") };
    plain.write("a.yaml", "a: 1\n");
    for (mut watch, text) in both(&plain).into_iter().zip(["a: 22\n", "a: 333\n"]) {
        plain.write("a.yaml", text);
        assert_eq!(
            until(&mut watch, has("a.yaml")).await,
            Changed { files: ChangedFiles::These(BTreeSet::from(["a.yaml".to_owned()])), refs: false }
        );
    }
}
