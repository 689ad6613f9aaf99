//! What a place that the user named opens as.

use super::fixture::{Ground, git};
use crate::git::{Ask, Kind, OpenError, Repo};

fn opened(place: &std::path::Path) -> Repo {
    Repo::open(place).expect("it opens")
}

#[test]
fn a_folder_or_file_within_a_checkout_opens_the_whole_checkout_and_keeps_the_place() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    made.write("apps/web/a.yaml", "a: 1\n").commit("first");
    for (place, prefix) in
        [("", ""), ("apps/web", "apps/web"), ("apps/web/a.yaml", "apps/web/a.yaml"), (".git", "")]
    {
        let repo = opened(&made.path.join(place));
        assert_eq!((repo.kind(), repo.name(), repo.prefix()), (Kind::Checkout, "fleet", prefix));
        assert_eq!(repo.root(), made.path);
        assert_eq!(*repo.id().0, *made.path.display().to_string());
    }
}

#[test]
fn a_repo_is_named_after_its_origin_whatever_its_folder_is_called() {
    let ground = Ground::new();
    let made = ground.repo("checkout-7");
    made.commit("first");
    made.git(&["worktree", "add", "-q", "../side", "-b", "side"]);
    assert_eq!(opened(&ground.path().join("side")).name(), "checkout-7");
    made.git(&["remote", "add", "origin", "git@git.example.com:shop/fleet.git"]);
    assert_eq!(opened(&made.path).name(), "fleet");
    assert_eq!(
        opened(&made.path).origin_url().map(|url| url.canonical()),
        Some("ssh://git.example.com/shop/fleet".into())
    );
}

#[test]
fn a_local_repo_says_where_its_remote_is_and_nothing_of_who_goes_there() {
    let ground = Ground::new();
    let made = ground.repo("checkout");
    made.write("a.yaml", "a: 1\n").commit("first");
    let upstream = || opened(&made.path).status(None).upstream;
    assert_eq!(upstream(), None);
    made.git(&["remote", "add", "origin", "https://ana@git.example.com/shop/fleet.git"]);
    assert_eq!(upstream().as_deref(), Some("https://git.example.com/shop/fleet"));
    made.git(&["remote", "set-url", "origin", "/srv/git/fleet.git"]);
    assert_eq!(upstream(), None, "a folder has no page");
}

#[test]
fn worktrees_submodules_bare_and_plain_folders_open_as_what_they_are() {
    let ground = Ground::new();
    let library = ground.repo("library");
    library.write("lib.yaml", "b: 1\n").commit("first");
    let made = ground.repo("fleet");
    made.write("a.yaml", "a: 1\n").commit("first");
    made.git(&["submodule", "--quiet", "add", library.path.to_str().expect("text"), "vendor/library"]);
    made.commit("vendor");
    made.git(&["worktree", "add", "-q", "../side", "-b", "side"]);
    git(&ground.path(), &["clone", "-q", "--bare", "fleet", "fleet.git"]);
    std::fs::create_dir(ground.path().join("plain")).expect("a folder");

    for (place, kind, files) in [
        ("side", Kind::LinkedWorktree, vec![".gitmodules", "a.yaml", "vendor"]),
        ("fleet/vendor/library", Kind::Submodule, vec!["lib.yaml"]),
        ("fleet.git", Kind::Bare, vec![".gitmodules", "a.yaml", "vendor"]),
        ("plain", Kind::Folder, vec![]),
    ] {
        let repo = opened(&ground.path().join(place));
        assert_eq!(repo.kind(), kind, "{place}");
        let snapshot = repo.revision(&Ask::Default).expect("a revision");
        let names: Vec<_> = snapshot.tree.list("").expect("a list").into_iter().map(|e| e.name).collect();
        assert_eq!(names, files, "{place}");
    }
}

#[test]
fn a_place_that_is_not_there_says_so() {
    let ground = Ground::new();
    let place = ground.path().join("nowhere");
    let error = Repo::open(&place).err();
    assert_eq!(error, Some(OpenError::NoSuchPlace { path: place.display().to_string() }));
}

#[test]
fn a_repository_whose_own_configuration_moves_its_working_folder_is_refused() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    made.commit("first");
    std::fs::create_dir(ground.path().join("private")).expect("a folder");
    for claimed in [ground.path(), "/".into(), ground.path().join("private")] {
        made.git(&["config", "core.worktree", claimed.to_str().expect("text")]);
        let error = Repo::open(&made.path).err();
        assert_eq!(
            error,
            Some(OpenError::WorkingFolderElsewhere {
                path: made.path.display().to_string(),
                claimed: claimed.display().to_string()
            })
        );
    }
}

#[test]
fn an_extension_that_is_not_understood_is_named() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    made.git(&["config", "core.repositoryformatversion", "1"]);
    made.git(&["config", "extensions.partialclone", "origin"]);
    assert_eq!(
        Repo::open(&made.path).err().map(|e| e.to_string()),
        Some(format!(
            "the repository of {} uses extensions.partialclone, which is not supported",
            made.path.display()
        ))
    );
}

#[test]
fn what_a_person_should_know_is_said() {
    let ground = Ground::new();
    let made = ground.repo("fleet");
    made.write("a.yaml", "a: 1\n").commit("first");
    made.write("a.yaml", "a: 2\n").commit("second");
    assert_eq!(opened(&made.path).notices(), []);
    let url = format!("file://{}", made.path.display());
    git(&ground.path(), &["clone", "-q", "--depth", "1", &url, "short"]);
    git(&ground.path().join("short"), &["sparse-checkout", "set", "apps"]);
    std::fs::create_dir(ground.path().join("plain")).expect("a folder");
    let titles = |place: &str| -> Vec<String> {
        opened(&ground.path().join(place)).notices().into_iter().map(|n| n.title).collect()
    };
    assert_eq!(titles("short"), ["fleet is a shallow clone", "fleet is a sparse checkout"]);
    assert_eq!(
        titles("plain"),
        [format!("{} is in no Git repository", ground.path().join("plain").display())]
    );
}
