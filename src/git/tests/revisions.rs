//! What is asked, and the revision that it becomes.

use super::fixture::{Ground, Made, git};
use crate::git::{Ask, Repo, RevisionError, Snapshot};
use crate::model::{Asked, Oid, Revision};

fn at(made: &Made, ask: &Ask) -> Result<Snapshot, RevisionError> {
    Repo::open(&made.path).expect("it opens").revision(ask)
}

fn name(name: &str) -> Ask {
    Ask::Name(name.into())
}

fn commit(made: &Made, ask: &str) -> String {
    at(made, &name(ask)).expect(ask).revision.commit.expect("a commit").0
}

#[test]
fn branches_tags_commits_and_their_ancestors_resolve_as_git_resolves_them() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    let first = made.write("a.yaml", "a: 1\n").commit("first");
    made.git(&["tag", "v1"]);
    made.git(&["tag", "-a", "-m", "signed off", "v1-annotated"]);
    made.git(&["branch", "feature/one"]);
    let second = made.write("a.yaml", "a: 2\n").commit("second");
    for (ask, commit_id) in [
        ("main", &second),
        ("HEAD", &second),
        ("refs/heads/main", &second),
        ("main~1", &first),
        ("v1", &first),
        ("v1-annotated", &first),
        ("feature/one", &first),
        (first.get(..8).expect("digits"), &first),
        (&first, &first),
    ] {
        assert_eq!(&commit(&made, ask), commit_id, "{ask}");
    }
    let snapshot = at(&made, &name("v1")).expect("a tag");
    assert_eq!(snapshot.tree.read("a.yaml"), Ok(b"a: 1\n".to_vec()));
    assert_eq!(snapshot.tree.revision(), &snapshot.revision);
}

#[test]
fn a_commit_tells_who_when_and_why() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    let id = made.commit("Raise memory of web\n\nIt was killed.");
    let repo = Repo::open(&made.path).expect("it opens");
    let snapshot = repo.revision(&Ask::Default).expect("a revision");
    let facts = snapshot.commit.clone().expect("a commit");
    assert_eq!(facts.id.0, id);
    assert_eq!((facts.author.as_str(), facts.email.as_str()), ("Ana", "ana@example.com"));
    assert_eq!(facts.subject, "Raise memory of web");
    assert_eq!(facts.authored.map(|t| t.to_string()), Some("2026-03-01T09:00:00Z".into()));
    assert_eq!(repo.commit_facts(&Oid(id)), Ok(facts));
    let status = repo.status(Some(&snapshot));
    assert_eq!((status.name.as_str(), status.author.as_deref()), ("fleet", Some("Ana")));
    assert_eq!(status.revision, Some(snapshot.revision));
}

#[test]
fn the_working_folder_is_dirty_where_something_uncommitted_would_count() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    made.write("apps/web/a.yaml", "a: 1\n").write(".gitignore", "*.tmp\n").commit("first");
    let repo = Repo::open(&made.path).expect("it opens");
    let dirty = |path: &str| repo.dirty_under(&[path.to_owned()]).expect("a status");
    made.write("apps/web/x.tmp", "ignored");
    assert!(!repo.revision(&Ask::Default).expect("a revision").revision.dirty);
    made.write("apps/web/b.yaml", "b: 1\n");
    assert!(repo.revision(&Ask::Default).expect("a revision").revision.dirty);
    assert!(!repo.revision(&Ask::Head).expect("a revision").revision.dirty);
    made.write("apps/cart/c.yaml", "c: 1\n").commit("second");
    std::fs::remove_file(made.path.join("apps/web/a.yaml")).expect("it was there");
    assert_eq!(
        (dirty(""), dirty("apps/web"), dirty("apps/cart"), dirty("apps/we")),
        (true, true, false, false)
    );
}

#[test]
fn a_checkout_is_counted_against_its_upstream() {
    let ground = Ground::new();
    let made = ground.repo("origin-fleet");
    made.commit("first");
    git(&ground.path(), &["clone", "-q", "origin-fleet", "mine"]);
    let mine = Made { path: ground.path().join("mine") };
    made.commit("second");
    let third = made.commit("third");
    mine.commit("my own");
    mine.git(&["fetch", "-q"]);
    for ask in [Ask::Default, Ask::Head, name("main")] {
        let snapshot = at(&mine, &ask).expect("a revision");
        assert_eq!(snapshot.upstream.as_deref(), Some("origin/main"));
        assert_eq!((snapshot.revision.behind, snapshot.revision.ahead), (2, 1));
    }
    assert_eq!(commit(&mine, "origin/main"), third);
    made.git(&["branch", "next"]);
    mine.git(&["fetch", "-q"]);
    assert_eq!(commit(&mine, "next"), third, "a branch that only origin has is found by its plain name");
    mine.git(&["update-ref", "-d", "refs/remotes/origin/main"]);
    let snapshot = at(&mine, &Ask::Default).expect("a revision");
    assert_eq!((snapshot.upstream, snapshot.revision.behind, snapshot.revision.ahead), (None, 0, 0));
}

#[test]
fn a_detached_head_has_a_commit_and_no_branch() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    let first = made.commit("first");
    made.commit("second");
    made.git(&["checkout", "-q", "--detach", &first]);
    let working = at(&made, &Ask::Default).expect("a revision").revision;
    let commit = Some(Oid(first.clone()));
    let asked = Asked::WorkingFolder { branch: None };
    assert_eq!(working, Revision { asked, commit, dirty: false, behind: 0, ahead: 0 });
    let head = at(&made, &Ask::Head).expect("a revision").revision;
    assert_eq!(head.asked, Asked::Name(first[..7].to_owned()));
}

#[test]
fn an_empty_repository_has_files_but_no_commit() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    let asked = Asked::WorkingFolder { branch: Some("main".into()) };
    let empty = Revision { asked, commit: None, dirty: false, behind: 0, ahead: 0 };
    assert_eq!(at(&made, &Ask::Default).expect("a revision").revision, empty);
    made.write("a.yaml", "a: 1\n");
    let snapshot = at(&made, &Ask::Default).expect("a revision");
    assert_eq!(snapshot.revision, Revision { dirty: true, ..empty });
    assert_eq!(snapshot.tree.read("a.yaml"), Ok(b"a: 1\n".to_vec()));
    let none = || RevisionError::NoCommits { repo: "fleet".into() };
    assert_eq!(at(&made, &Ask::Head).err(), Some(none()));
    assert_eq!(at(&made, &name("HEAD")).err(), Some(none()));
    let bare = ground.bare("bare.git");
    assert_eq!(at(&bare, &Ask::Default).err().map(|e| e.to_string()), Some("bare has no commits yet".into()));
}

#[test]
fn a_name_that_is_not_there_says_what_is_near() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    made.write("a.yaml", "a: 1\n").commit("first");
    made.git(&["branch", "release-2"]);
    let blob = made.git(&["rev-parse", "HEAD:a.yaml"]);
    made.git(&["tag", "file", &blob]);
    let said = |ask: &str| {
        let error = at(&made, &name(ask)).err().expect("an error");
        (error.to_string(), error.hint())
    };
    assert_eq!(
        said("relaese-2"),
        ("fleet has no branch, tag or commit relaese-2".into(), Some("did you mean release-2?".into()))
    );
    assert_eq!(said("0123456789"), ("fleet has no branch, tag or commit 0123456789".into(), None));
    assert_eq!(said("file"), ("file of fleet leads to no commit".into(), None));
    for hostile in ["-x", "", ":/first", "main^{/(a+)+$}", "main@{1 day ago}", "a b", "main..file"] {
        assert_eq!(said(hostile).0, format!("{hostile} is no name of a branch, tag or commit"));
    }
}

#[test]
fn a_plain_folder_has_files_and_no_revisions() {
    let ground = Ground::new();
    let plain = Made { path: ground.path().join("plain") };
    plain.write("a.yaml", "a: 1\n").write("b/.gitignore", "*\n").write("b/c.yaml", "c: 1\n");
    let snapshot = at(&plain, &Ask::Default).expect("a revision");
    assert_eq!((snapshot.revision.commit.clone(), snapshot.revision.dirty), (None, false));
    assert_eq!(snapshot.tree.read("b/c.yaml"), Ok(b"c: 1\n".to_vec()), "ignore rules are Git's");
    let error = at(&plain, &name("main")).err().expect("an error");
    assert_eq!(
        error.to_string(),
        format!("{} is in no Git repository, so it has no revision main", plain.path.display())
    );
}
