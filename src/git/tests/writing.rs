//! Tests what is written to local repositories.

use super::fixture::Ground;
use crate::git::write::{Author, NewCommit, WriteError, clone_local, commit_on, create_bare, fetch_local};
use crate::git::{Ask, Repo};
use crate::model::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;

fn ana(second: i64) -> Author {
    let at = Timestamp::from_second(second).expect("a time");
    Author { name: "Ana".into(), email: "ana@example.com".into(), at }
}

fn commit(bare: &Path, second: i64, message: &str, files: &[(&str, &str)]) -> String {
    let files: BTreeMap<String, String> =
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let new = NewCommit { author: &ana(second), message, files: &files };
    commit_on(bare, "main", &new).expect("a commit").0
}

#[test]
fn a_commit_holds_exactly_its_files_on_top_of_the_one_before() {
    let ground = Ground::new();
    let bare = ground.path().join("fleet.git");
    create_bare(&bare, "main").unwrap();
    let first = commit(&bare, 100, "one\n\nwhy", &[("a/b.yaml", "x\r\n"), ("c.yaml", "y")]);
    let second = commit(&bare, 200, "two", &[("a/b.yaml", "z")]);
    let made = super::fixture::Made { path: bare };
    assert_eq!(
        made.git(&["log", "--format=%H %an %ae %at %s|%b", "main"]),
        format!("{second} Ana ana@example.com 200 two|\n{first} Ana ana@example.com 100 one|why\n")
            .trim_end()
    );
    assert_eq!(made.git(&["ls-tree", "-r", "--name-only", "main"]), "a/b.yaml");
    assert_eq!(made.git(&["ls-tree", "-r", "--name-only", &first]), "a/b.yaml\nc.yaml");
}

#[test]
fn equal_commits_have_equal_ids() {
    let ground = Ground::new();
    let ids = ["a.git", "b.git"].map(|name| {
        let bare = ground.path().join(name);
        create_bare(&bare, "main").unwrap();
        commit(&bare, 100, "one", &[("a.yaml", "x")])
    });
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn a_fetch_moves_what_is_known_of_the_origin_and_nothing_else() {
    let ground = Ground::new();
    let (bare, folder) = (ground.path().join("fleet.git"), ground.path().join("fleet"));
    create_bare(&bare, "main").unwrap();
    let first = commit(&bare, 100, "one", &[("a.yaml", "x\r\n")]);
    clone_local(&bare, &folder, "main").unwrap();
    assert_eq!(std::fs::read_to_string(folder.join("a.yaml")).unwrap(), "x\r\n");
    commit(&bare, 200, "two", &[("a.yaml", "y")]);
    fetch_local(&folder).unwrap();
    let repo = Repo::open(&folder).unwrap();
    assert_eq!(repo.name(), "fleet");
    let revision = repo.revision(&Ask::Default).unwrap().revision;
    assert_eq!((revision.commit.map(|c| c.0), revision.behind, revision.dirty), (Some(first), 1, false));
}

#[test]
fn a_folder_that_is_no_clone_is_not_fetched() {
    let ground = Ground::new();
    let path = ground.path();
    let found = fetch_local(&path);
    assert!(
        matches!(&found, Err(WriteError::NotFetched { path: shown, .. }) if *shown == path.display().to_string())
    );
}
