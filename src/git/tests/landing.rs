//! Tests how a branch moves to a commit, and what keeps it from moving.

use super::fixture::{Ground, Made};
use crate::git::{LandError, Obstacle, Repo};
use crate::model::commit_plan::Landing;
use crate::model::{Asked, Oid};

const FILES: [&str; 3] = ["web/a.yaml", "web/gone.yaml", "web/new.yaml"];

struct Fleet {
    made: Made,
    repo: Repo,
    base: Oid,
    /// A commit on top of `base`: as one, with `web/gone.yaml` and without `web/new.yaml`.
    commit: Oid,
}

fn fleet(ground: &Ground) -> Fleet {
    let made = ground.repo("fleet");
    let one =
        made.write("web/a.yaml", "a: 1\n").write("web/gone.yaml", "x\n").write("o.yaml", "o\n").commit("one");
    made.git(&["rm", "-q", "web/gone.yaml"]);
    let base = made.write("web/a.yaml", "a: 2\n").write("web/new.yaml", "n\n").commit("two");
    let commit = made.git(&["commit-tree", &format!("{one}^{{tree}}"), "-p", &base, "-m", "back"]);
    let repo = Repo::open(&made.path).unwrap();
    Fleet { made, repo, base: Oid(base), commit: Oid(commit) }
}

fn files() -> Vec<String> {
    FILES.map(str::to_owned).to_vec()
}

impl Fleet {
    fn land(&self, landing: &Landing) -> Result<(), LandError> {
        self.repo.land(landing, &self.base, &self.commit, &files())
    }

    fn main(&self) -> String {
        self.made.git(&["rev-parse", "main"])
    }
}

fn checked_out(keeps: &[&str]) -> Landing {
    Landing::CheckedOut { branch: "main".into(), keeps: keeps.iter().map(|k| (*k).to_owned()).collect() }
}

#[test]
fn a_branch_that_is_checked_out_moves_with_its_files() {
    let ground = Ground::new();
    let fleet = fleet(&ground);
    fleet.made.write("o.yaml", "mine\n").write("untracked.yaml", "u\n");
    fleet.land(&checked_out(&[])).unwrap();
    assert_eq!(fleet.main(), fleet.commit.0);
    assert_eq!(fleet.made.git(&["status", "--porcelain"]), "M o.yaml\n?? untracked.yaml");
    assert_eq!(std::fs::read_to_string(fleet.made.path.join("web/a.yaml")).unwrap(), "a: 1\n");
    assert!(fleet.made.path.join("web/gone.yaml").exists() && !fleet.made.path.join("web/new.yaml").exists());
    fleet.made.git(&["fsck", "--strict"]);
}

#[test]
fn whatever_is_uncommitted_at_those_paths_keeps_the_branch_where_it_is() {
    type Change = fn(&Made);
    let changes: [(Change, &str); 5] = [
        (
            |made| {
                made.write("web/a.yaml", "mine\n");
            },
            "web/a.yaml",
        ),
        (
            |made| {
                made.write("web/a.yaml", "mine\n").git(&["add", "-A"]);
            },
            "web/a.yaml",
        ),
        (|made| std::fs::remove_file(made.path.join("web/new.yaml")).unwrap(), "web/new.yaml"),
        (
            |made| {
                made.write("web/gone.yaml", "mine\n");
            },
            "web/gone.yaml",
        ),
        (
            |made| {
                made.write(".git/info/exclude", "gone.yaml\n").write("web/gone.yaml", "ignored\n");
            },
            "web/gone.yaml",
        ),
    ];
    for (change, file) in changes {
        let ground = Ground::new();
        let fleet = fleet(&ground);
        change(&fleet.made);
        let status = fleet.made.git(&["status", "--porcelain", "--ignored"]);
        assert_eq!(fleet.repo.obstacles(&files()), [Obstacle::Uncommitted { file: file.into() }]);
        let refused = fleet.land(&checked_out(&[])).unwrap_err();
        assert!(
            matches!(&refused, LandError::Obstructed { obstacle, .. } if obstacle.contains(file)),
            "{refused}"
        );
        assert_eq!(
            (fleet.main(), fleet.made.git(&["status", "--porcelain", "--ignored"])),
            (fleet.base.0, status)
        );
    }
}

#[test]
fn files_that_are_kept_stay_as_they_are_beside_the_commit() {
    let ground = Ground::new();
    let fleet = fleet(&ground);
    fleet.made.write("web/a.yaml", "mine\n").write("web/gone.yaml", "mine too\n");
    fleet.land(&checked_out(&["web/a.yaml", "web/gone.yaml"])).unwrap();
    assert_eq!(fleet.main(), fleet.commit.0);
    assert_eq!(fleet.made.git(&["status", "--porcelain"]), "M web/a.yaml\n M web/gone.yaml");
    assert_eq!(std::fs::read_to_string(fleet.made.path.join("web/a.yaml")).unwrap(), "mine\n");
}

#[test]
fn a_branch_that_moved_meanwhile_is_left_alone() {
    let ground = Ground::new();
    let fleet = fleet(&ground);
    let theirs = fleet.made.write("o.yaml", "theirs\n").commit("theirs");
    assert_eq!(fleet.land(&checked_out(&[])), Err(LandError::Moved { branch: "main".into() }));
    fleet.made.git(&["checkout", "-q", "-b", "feature"]);
    let branch = Landing::Branch { branch: "main".into() };
    assert_eq!(fleet.land(&branch), Err(LandError::Moved { branch: "main".into() }));
    assert_eq!(fleet.main(), theirs);
    assert_eq!(fleet.made.git(&["status", "--porcelain"]), "");
}

#[test]
fn the_files_come_back_where_the_branch_cannot_move() {
    let ground = Ground::new();
    let fleet = fleet(&ground);
    // Another git holds the branch, as in the middle of a push to it.
    fleet.made.write(".git/refs/heads/main.lock", "");
    assert_eq!(fleet.land(&checked_out(&[])), Err(LandError::Locked));
    std::fs::remove_file(fleet.made.path.join(".git/refs/heads/main.lock")).unwrap();
    assert_eq!(
        (fleet.main(), fleet.made.git(&["status", "--porcelain"])),
        (fleet.base.0.clone(), String::new())
    );
    assert!(!fleet.made.path.join("web/gone.yaml").exists());

    fleet.made.write(".git/index.lock", "");
    assert_eq!(fleet.land(&checked_out(&[])), Err(LandError::Locked));
    std::fs::remove_file(fleet.made.path.join(".git/index.lock")).unwrap();
    assert_eq!(fleet.made.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_branch_elsewhere_and_a_new_one_move_without_files() {
    let ground = Ground::new();
    let fleet = fleet(&ground);
    let new = Landing::New { branch: "driftdeck/web".into(), why: None };
    fleet.land(&new).unwrap();
    assert_eq!(fleet.made.git(&["rev-parse", "driftdeck/web"]), fleet.commit.0);
    assert_eq!(fleet.land(&new), Err(LandError::Exists { branch: "driftdeck/web".into() }));
    fleet.made.git(&["checkout", "-q", "-b", "feature"]);
    fleet.land(&Landing::Branch { branch: "main".into() }).unwrap();
    assert_eq!((fleet.main(), fleet.made.git(&["status", "--porcelain"])), (fleet.commit.0, String::new()));
}

#[test]
fn the_branch_is_the_one_that_was_asked_for_or_a_new_one_that_says_why() {
    let ground = Ground::new();
    let fleet = fleet(&ground);
    let working = Asked::WorkingFolder { branch: Some("main".into()) };
    let of = |asked: &Asked| {
        let found = fleet.repo.ground(asked).unwrap();
        (found.base.0, found.branch, found.why, found.is_checked_out)
    };
    let base = fleet.base.0.clone();
    assert_eq!(of(&working), (base.clone(), Some("main".into()), None, true));
    fleet.made.git(&["branch", "stable", "HEAD~1"]);
    let one = fleet.made.git(&["rev-parse", "stable"]);
    let named = |name: &str| Asked::Name(name.into());
    assert_eq!(of(&named("stable")), (one.clone(), Some("stable".into()), None, false));
    let other = ground.path().join("other");
    fleet.made.git(&["worktree", "add", "-q", other.to_str().unwrap(), "stable"]);
    let why = "stable is checked out in another working folder".to_owned();
    assert_eq!(of(&named("stable")), (one.clone(), None, Some(why), false));
    fleet.made.git(&["tag", "v1", "HEAD~1"]);
    assert_eq!(of(&named("v1")), (one, None, Some("v1 is no branch of this repository".into()), false));
    fleet.made.git(&["checkout", "-q", "--detach"]);
    assert_eq!(of(&working), (base, None, Some("no branch is checked out".into()), false));
    assert!(fleet.repo.ground(&named("nowhere")).is_none());
}

#[test]
fn a_merge_under_way_a_sparse_checkout_and_filters_are_obstacles() {
    let ground = Ground::new();
    let fleet = fleet(&ground);
    fleet
        .made
        .write(".gitattributes", "web/a.yaml filter=lfs\nweb/new.yaml -filter text\n")
        .commit("attributes");
    assert_eq!(fleet.repo.obstacles(&files()), [Obstacle::Filtered { file: "web/a.yaml".into() }]);
    fleet.made.git(&["config", "core.sparseCheckout", "true"]);
    assert_eq!(fleet.repo.obstacles(&files()), [Obstacle::Sparse]);
    fleet.made.write(".git/MERGE_HEAD", &format!("{}\n", fleet.base.0));
    assert_eq!(fleet.repo.obstacles(&files()), [Obstacle::Doing { what: "merge" }]);
}

#[test]
fn line_ends_are_checked_out_as_the_repository_says() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    made.write(".gitattributes", "*.yaml text eol=crlf\n").write("web/a.yaml", "a: 1\r\n").commit("one");
    let base = made.write("web/a.yaml", "a: 2\r\n").commit("two");
    let commit = made.git(&["commit-tree", "HEAD~1^{tree}", "-p", "HEAD", "-m", "back"]);
    let repo = Repo::open(&made.path).unwrap();
    repo.land(&checked_out(&[]), &Oid(base), &Oid(commit), &["web/a.yaml".into()]).unwrap();
    assert_eq!(std::fs::read_to_string(made.path.join("web/a.yaml")).unwrap(), "a: 1\r\n");
    assert_eq!(made.git(&["status", "--porcelain"]), "");
}
