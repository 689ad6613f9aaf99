//! The files of commits, working folders and plain folders, as `Tree` shows them.

use super::fixture::{Ground, Made};
use crate::git::{Ask, Repo};
use crate::model::tree::EntryKind;
use crate::model::{Tree, TreeEntry, TreeError, limits};
use std::sync::Arc;

fn tree(made: &Made, ask: &Ask) -> Arc<dyn Tree> {
    Repo::open(&made.path).expect("it opens").revision(ask).expect("a revision").tree
}

/// The same files as a commit and as a working folder.
fn both(made: &Made) -> [Arc<dyn Tree>; 2] {
    made.commit("all of it");
    [tree(made, &Ask::Head), tree(made, &Ask::Default)]
}

fn entry(name: &str, kind: EntryKind) -> TreeEntry {
    TreeEntry { name: name.into(), kind }
}

#[test]
fn a_commit_and_its_checkout_show_the_same_files() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    made.write("apps/web/a.yaml", "a: 1\n").write("apps/b.yaml", "b: 1\n").write("apps.yaml", "c: 1\n");
    made.link("apps/web/base", "../../shared").write("shared/s.yaml", "s: 1\n");
    for tree in both(&made) {
        assert_eq!(
            tree.list("apps"),
            Ok(vec![entry("b.yaml", EntryKind::File), entry("web", EntryKind::Folder)])
        );
        assert_eq!(
            tree.list(""),
            Ok(vec![
                entry("apps", EntryKind::Folder),
                entry("apps.yaml", EntryKind::File),
                entry("shared", EntryKind::Folder)
            ])
        );
        assert_eq!(
            tree.list("apps/web"),
            Ok(vec![entry("a.yaml", EntryKind::File), entry("base", EntryKind::Link)])
        );
        assert_eq!(tree.list("apps/web/base"), Ok(vec![entry("s.yaml", EntryKind::File)]));
        assert_eq!(tree.read("apps/web/base/s.yaml"), Ok(b"s: 1\n".to_vec()));
        assert_eq!(tree.read("apps/web"), Err(TreeError::IsFolder { path: "apps/web".into() }));
        assert_eq!(tree.read("none"), Err(TreeError::NotFound { path: "none".into() }));
        assert!(matches!(tree.list("apps.yaml"), Err(TreeError::Unreadable { .. })));
    }
}

#[test]
fn what_stands_at_a_path_is_told_with_its_mode_and_no_link_is_followed() {
    use crate::model::{FileMode, FileState};
    use std::os::unix::fs::PermissionsExt as _;
    let ground = Ground::new();
    std::fs::write(ground.path().join("secret"), "hunter2").expect("a file");
    let made = ground.repo("fleet");
    made.write("a/plain.yaml", "a: 1\n").write("a/run.sh", "#!/bin/sh\n");
    made.link("to", "a").link("a/link", "plain.yaml").link("out", "../secret");
    let run = made.path.join("a/run.sh");
    std::fs::set_permissions(run, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    let state = |mode, text: &str| Ok(Some(FileState { mode, bytes: text.as_bytes().into() }));
    for tree in both(&made) {
        assert_eq!(tree.state("a/plain.yaml"), state(FileMode::Regular, "a: 1\n"));
        assert_eq!(tree.state("a/run.sh"), state(FileMode::Executable, "#!/bin/sh\n"));
        assert_eq!(tree.state("a/link"), state(FileMode::Link, "plain.yaml"));
        assert_eq!(tree.state("out"), state(FileMode::Link, "../secret"));
        for none in ["none", "to/plain.yaml", "../secret", "/etc/passwd", ".git/config", "a/plain.yaml/x"] {
            assert_eq!(tree.state(none), Ok(None), "{none}");
        }
        for folder in ["", "a"] {
            assert_eq!(tree.state(folder), Err(TreeError::IsFolder { path: folder.into() }));
        }
    }
}

#[test]
fn links_out_of_the_tree_and_into_gits_folder_are_refused() {
    let ground = Ground::new();
    std::fs::write(ground.path().join("secret"), "hunter2").expect("a file");
    let made = ground.repo("fleet");
    made.link("up", "../secret").link("absolute", "/etc/passwd").link("apps/far", "../../secret");
    made.link("config", ".git/config").link("self", "self").link("folder", "..");
    for tree in both(&made) {
        for path in ["up", "absolute", "apps/far", "folder/secret", "../secret", "/etc/passwd"] {
            assert_eq!(tree.read(path), Err(TreeError::LeavesTree { path: path.into() }));
        }
        for path in ["config", ".git/config", ".git", ".GIT/HEAD"] {
            assert_eq!(tree.read(path), Err(TreeError::NotFound { path: path.into() }));
        }
        assert!(matches!(tree.read("self"), Err(TreeError::Unreadable { .. })));
        assert!(tree.digest("").is_ok(), "a broken link is no reason to have no digest");
        assert!(!tree.list("").expect("a list").iter().any(|e| e.name == ".git"));
    }
}

#[test]
fn untracked_files_count_and_ignored_ones_do_not() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    made.write(".gitignore", "*.tmp\nnode_modules/\nbuild/*\n")
        .write("kept.tmp", "kept")
        .write("a.yaml", "a: 1\n");
    made.git(&["add", "-f", "kept.tmp"]);
    made.commit("first");
    made.write("new.yaml", "n: 1\n").write("x.tmp", "x").write("node_modules/m.yaml", "m: 1\n");
    made.write("build/out.yaml", "o: 1\n").write("apps/sub/y.tmp", "y").write("a.yaml", "a: 2\n");
    let working = tree(&made, &Ask::Default);
    let names = |folder: &str| -> Vec<String> {
        working.list(folder).expect("a list").into_iter().map(|e| e.name).collect()
    };
    assert_eq!(names(""), [".gitignore", "a.yaml", "apps", "build", "kept.tmp", "new.yaml"]);
    assert_eq!(names("apps/sub"), [""; 0]);
    assert_eq!(working.read("a.yaml"), Ok(b"a: 2\n".to_vec()));
    for path in ["x.tmp", "node_modules/m.yaml", "build/out.yaml"] {
        assert_eq!(working.read(path), Err(TreeError::NotFound { path: path.into() }));
    }
    assert_eq!(working.read("kept.tmp"), Ok(b"kept".to_vec()));
}

#[test]
fn a_submodule_is_named_and_not_read() {
    let ground = Ground::new();
    let library = ground.repo("library");
    library.write("lib.yaml", "b: 1\n").commit("first");
    let made = ground.repo("fleet");
    made.git(&["submodule", "--quiet", "add", library.path.to_str().expect("text"), "library"]);
    for tree in both(&made) {
        assert_eq!(
            tree.list(""),
            Ok(vec![entry(".gitmodules", EntryKind::File), entry("library", EntryKind::Submodule)])
        );
        assert_eq!(
            tree.read("library/lib.yaml").unwrap_err().to_string(),
            "library/lib.yaml cannot be read: it is in the submodule library, which is not read"
        );
    }
}

#[test]
fn a_git_lfs_pointer_is_no_content() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    made.write("chart.tgz", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n");
    for tree in both(&made) {
        assert_eq!(
            tree.read("chart.tgz").unwrap_err().to_string(),
            "chart.tgz cannot be read: it is a Git LFS pointer, and its content is not in the repository"
        );
    }
}

#[test]
fn a_file_over_the_limit_is_refused_with_its_size() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    let size = limits::FILE_BYTES + 1;
    let file = std::fs::File::create(made.path.join("big.yaml")).expect("a file");
    file.set_len(size).expect("a size");
    for tree in both(&made) {
        let limit = limits::FILE_BYTES;
        assert_eq!(tree.read("big.yaml"), Err(TreeError::TooLarge { path: "big.yaml".into(), size, limit }));
        assert!(tree.digest("").is_ok());
    }
}

#[test]
fn a_pipe_in_a_working_folder_is_neither_shown_nor_waited_for() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    let status = std::process::Command::new("mkfifo").arg(made.path.join("pipe.yaml")).status();
    assert!(status.expect("mkfifo is there").success());
    let working = tree(&made, &Ask::Default);
    assert_eq!(working.list(""), Ok(vec![]));
    assert_eq!(working.read("pipe.yaml"), Err(TreeError::NotFound { path: "pipe.yaml".into() }));
}

#[test]
fn equal_digests_mean_equal_files_links_included() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    made.write("apps/web/a.yaml", "a: 1\n").write("apps/cart/a.yaml", "a: 1\n");
    made.link("linked/web/base", "../../shared").write("shared/s.yaml", "s: 1\n");
    let paths = ["apps/web", "apps/cart", "linked/web", "shared", "apps/web/a.yaml", ""];
    let digests = |tree: &dyn Tree| paths.map(|path| tree.digest(path).expect(path));
    let before = both(&made).map(|tree| digests(&*tree));
    made.write("shared/s.yaml", "s: 2\n");
    let after = both(&made).map(|tree| digests(&*tree));
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before[0], before[1], "the same files elsewhere");
        let moved: Vec<&str> = paths
            .iter()
            .zip(before.iter().zip(after))
            .filter(|(_, (b, a))| b != a)
            .map(|(p, _)| *p)
            .collect();
        assert_eq!(moved, ["linked/web", "shared", ""]);
    }
}

#[test]
fn a_file_rewritten_in_place_has_another_digest_at_once() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    made.write("a.yaml", "a: 1\n");
    let working = tree(&made, &Ask::Default);
    let mut digests = std::collections::BTreeSet::new();
    for n in 0..50 {
        // The same size, and within the same grain of the clock.
        made.write("a.yaml", &format!("a: {n:02}\n"));
        digests.insert(working.digest("a.yaml").expect("a digest"));
    }
    assert_eq!(digests.len(), 50);
}

#[test]
fn a_tree_object_that_git_would_never_write_is_refused() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    made.write("a.yaml", "a: 1\n").commit("first");
    let blob = made.git(&["rev-parse", "HEAD:a.yaml"]);
    let raw: Vec<u8> =
        (0..20).map(|n| u8::from_str_radix(&blob[n * 2..n * 2 + 2], 16).expect("hex")).collect();
    let mut object = b"100644 ../../escape\0".to_vec();
    object.extend(raw);
    std::fs::write(made.path.join("raw"), object).expect("a file");
    let hostile = made.git(&["hash-object", "-t", "tree", "--literally", "-w", "raw"]);
    let commit = made.git(&["commit-tree", "-m", "hostile", &hostile]);
    let tree = tree(&made, &Ask::Name(commit));
    assert_eq!(tree.list(""), Err(TreeError::LeavesTree { path: "../../escape".into() }));
    assert_eq!(tree.read("../../escape"), Err(TreeError::LeavesTree { path: "../../escape".into() }));
}
