//! Tests what a commit would hold before any of it is there.

use super::fixture::{Ground, Made};
use crate::git::{ProposeError, Proposed, Recipe, Repo};
use crate::model::commit_plan::{ChangedFile, FileChange};
use crate::model::{FileEdit, FileState, Oid};

fn fleet(ground: &Ground) -> (Made, [String; 3]) {
    let made = ground.repo("fleet");
    made.write("web/a.yaml", "a: 1\nb: 1\nc: 1\nd: 1\ne: 1\n").write("web/gone.yaml", "x: 1\n");
    made.write("web/sub/run.sh", "#!/bin/sh\n")
        .write("base/b.yaml", "b: 1\n")
        .write("other/o.yaml", "o: 1\n");
    made.git(&["add", "-A"]);
    made.git(&["update-index", "--chmod=+x", "web/sub/run.sh"]);
    made.git(&["commit", "-q", "-m", "one"]);
    let one = made.git(&["rev-parse", "HEAD"]);
    made.git(&["reset", "-q", "--hard"]);
    made.git(&["rm", "-q", "web/gone.yaml"]);
    made.write("web/a.yaml", "a: 2\nb: 1\nc: 1\nd: 1\ne: 1\n").write("web/new.yaml", "n: 1\n");
    let two = made.write("base/b.yaml", "b: 2\n").commit("two");
    let three = made
        .write("other/o.yaml", "o: 3\n")
        .write("web/a.yaml", "a: 2\nb: 1\nc: 1\nd: 1\ne: 3\n")
        .commit("three");
    (made, [one, two, three])
}

fn propose(made: &Made, base: &str, recipe: &Recipe) -> Result<Proposed, ProposeError> {
    Repo::open(&made.path).unwrap().propose(&Oid(base.to_owned()), recipe)
}

type Named<'f> = (&'f str, FileChange, Option<(usize, usize)>);

fn named(files: &[ChangedFile]) -> Vec<Named<'_>> {
    files.iter().map(|file| (file.path.as_str(), file.kind, file.lines)).collect()
}

#[test]
fn a_path_goes_back_whole_and_nothing_else_moves() {
    let ground = Ground::new();
    let (made, [one, _, three]) = fleet(&ground);
    let before = made.git(&["count-objects", "-v"]);
    let back = Recipe::Back { to: Oid(one.clone()), paths: vec!["web".into()] };
    let proposed = propose(&made, &three, &back).unwrap();
    assert_eq!(
        named(&proposed.files),
        [
            ("web/a.yaml", FileChange::Changed, Some((2, 2))),
            ("web/gone.yaml", FileChange::Added, Some((1, 0))),
            ("web/new.yaml", FileChange::Removed, Some((0, 1))),
        ]
    );
    assert_eq!(proposed.tree.read("web/gone.yaml").unwrap(), b"x: 1\n");
    assert_eq!(proposed.tree.read("other/o.yaml").unwrap(), b"o: 3\n");
    assert_eq!(made.git(&["count-objects", "-v"]), before, "nothing of it is in the repository");

    proposed.store(&Repo::open(&made.path).unwrap()).unwrap();
    let root = proposed.root();
    assert_eq!(
        made.git(&["rev-parse", &format!("{root}:web")]),
        made.git(&["rev-parse", &format!("{one}:web")])
    );
    for other in ["base", "other"] {
        let now = made.git(&["rev-parse", &format!("{three}:{other}")]);
        assert_eq!(made.git(&["rev-parse", &format!("{root}:{other}")]), now);
    }
    assert!(made.git(&["ls-tree", "-r", &root, "web/sub/run.sh"]).starts_with("100755"));
    made.git(&["fsck", "--strict"]);
}

#[test]
fn a_file_and_the_whole_repository_go_back_too() {
    let ground = Ground::new();
    let (made, [one, two, three]) = fleet(&ground);
    let back = |to: &str, path: &str| Recipe::Back { to: Oid(to.to_owned()), paths: vec![path.to_owned()] };
    let file = propose(&made, &three, &back(&two, "web/a.yaml")).unwrap();
    assert_eq!(named(&file.files), [("web/a.yaml", FileChange::Changed, Some((1, 1)))]);
    let all = propose(&made, &three, &back(&one, "")).unwrap();
    assert_eq!(all.root(), made.git(&["rev-parse", &format!("{one}^{{tree}}")]));
    let none = propose(&made, &three, &back(&three, "web")).unwrap();
    assert!(none.files.is_empty());
    let gone = propose(&made, &three, &back(&one, "web/new.yaml")).unwrap_err();
    assert!(matches!(&gone, ProposeError::NotThere { path, .. } if path == "web/new.yaml"), "{gone}");
}

#[test]
fn one_commit_is_taken_out_as_git_revert_does_or_its_conflict_is_told() {
    let ground = Ground::new();
    let (made, [one, two, three]) = fleet(&ground);
    let proposed = propose(&made, &three, &Recipe::Undo { commit: Oid(three.clone()) }).unwrap();
    assert_eq!(proposed.root(), made.git(&["rev-parse", &format!("{two}^{{tree}}")]));
    let older = propose(&made, &three, &Recipe::Undo { commit: Oid(two) }).unwrap();
    proposed.store(&Repo::open(&made.path).unwrap()).unwrap();
    assert_eq!(
        older.tree.read("web/a.yaml").unwrap(),
        b"a: 1\nb: 1\nc: 1\nd: 1\ne: 3\n",
        "what came later stays"
    );
    let last = made.write("web/a.yaml", "a: 9\nb: 1\nc: 1\nd: 1\ne: 3\n").commit("four");
    let conflict = propose(&made, &last, &Recipe::Undo { commit: Oid(made.git(&["rev-parse", "HEAD~2"])) });
    assert_eq!(
        conflict.unwrap_err().to_string(),
        format!(
            "{} cannot be taken out again: web/a.yaml was changed in the same places since",
            &made.git(&["rev-parse", "--short=7", "HEAD~2"])
        )
    );
    let missing = propose(&made, &one, &Recipe::Undo { commit: Oid("1".repeat(40)) }).unwrap_err();
    assert_eq!(missing.to_string(), "1111111 is not in this clone");
}

#[test]
fn a_merge_is_taken_out_as_what_it_brought() {
    let ground = Ground::new();
    let (made, [_, two, _]) = fleet(&ground);
    made.git(&["checkout", "-q", "-b", "feature", &two]);
    made.write("web/feature.yaml", "f: 1\n").commit("feature");
    made.git(&["checkout", "-q", "main"]);
    made.git(&["merge", "-q", "--no-ff", "-m", "Merge feature", "feature"]);
    let merge = made.git(&["rev-parse", "HEAD"]);
    let proposed = propose(&made, &merge, &Recipe::Undo { commit: Oid(merge.clone()) }).unwrap();
    assert_eq!(named(&proposed.files), [("web/feature.yaml", FileChange::Removed, Some((0, 1)))]);
}

#[test]
fn files_are_changed_as_said_unless_they_are_others_by_now() {
    let ground = Ground::new();
    let (made, [_, _, three]) = fleet(&ground);
    let state = |text: &str| Some(FileState::regular(text.as_bytes()));
    let edit = |path: &str, before: Option<FileState>, after: Option<FileState>| FileEdit {
        path: path.into(),
        before,
        after,
    };
    let edits = vec![
        edit("other/o.yaml", state("o: 3\n"), state("o: 4\r\n")),
        edit("web/new.yaml", state("n: 1\n"), None),
        edit("web/deep/er.yaml", None, state("e")),
    ];
    let proposed = propose(&made, &three, &Recipe::Files(edits)).unwrap();
    assert_eq!(
        named(&proposed.files).iter().map(|(path, kind, _)| (*path, *kind)).collect::<Vec<_>>(),
        [
            ("other/o.yaml", FileChange::Changed),
            ("web/deep/er.yaml", FileChange::Added),
            ("web/new.yaml", FileChange::Removed),
        ]
    );
    assert_eq!(proposed.tree.read("other/o.yaml").unwrap(), b"o: 4\r\n");
    for stale in [
        edit("other/o.yaml", state("o: 2\n"), state("o: 4\n")),
        edit("web/deep/er.yaml", state("e"), None),
        edit("web/a.yaml", None, state("a")),
    ] {
        let refused = propose(&made, &three, &Recipe::Files(vec![stale.clone()])).unwrap_err();
        assert_eq!(refused, ProposeError::Moved { file: stale.path });
    }
}
