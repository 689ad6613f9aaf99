//! The commits that touch some paths, on repositories that real git made.

use super::fixture::{Ground, Made, git};
use crate::git::{Git, Repo};
use crate::model::Oid;
use crate::model::history::{History, Signature};
use std::ffi::OsString;
use tokio_util::sync::CancellationToken;

async fn program(ground: &Ground, more: &[(&str, &str)]) -> Git {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut env: Vec<(OsString, OsString)> = vec![
        ("PATH".into(), path),
        ("HOME".into(), ground.path().into()),
        ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
    ];
    env.extend(more.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
    Git::find(env, &CancellationToken::new()).await.expect("git")
}

async fn history(repo: &Made, git: Option<&Git>, paths: &[&str], limit: usize) -> History {
    let from = Oid(repo.git(&["rev-parse", "HEAD"]));
    let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    let opened = Repo::open(&repo.path).unwrap();
    opened.history(git, &from, &paths, limit, &CancellationToken::new()).await.unwrap()
}

fn subjects(history: &History) -> Vec<&str> {
    history.commits.iter().map(|commit| commit.subject.as_str()).collect()
}

/// A branch with two commits of web, merged; what concerns others lies between.
fn merged(ground: &Ground) -> Made {
    let repo = ground.repo("fleet");
    repo.write("apps/web/a.yaml", "a: 1\n").write("apps/api/a.yaml", "a: 1\n").commit("Add both");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.write("apps/web/a.yaml", "a: 2\n").commit("Raise web (#7)");
    repo.write("apps/web/b.yaml", "b: 1\n").commit("More of web");
    repo.git(&["checkout", "-q", "main"]);
    repo.write("apps/api/a.yaml", "a: 2\n").commit("Raise api");
    repo.git(&["merge", "-q", "--no-ff", "-m", "Merge side", "side"]);
    repo.write("base/c.yaml", "c: 1\n").commit("Add a base");
    repo
}

#[tokio::test]
async fn history_is_what_git_log_says_with_the_commits_of_merged_branches() {
    let ground = Ground::new();
    let repo = merged(&ground);
    let git_found = program(&ground, &[]).await;
    for paths in
        [vec!["apps/web"], vec!["apps/web", "base"], vec!["apps/api/a.yaml"], vec![""], vec!["nowhere"]]
    {
        let told = history(&repo, Some(&git_found), &paths, 50).await;
        let real: Vec<&str> = paths.iter().copied().filter(|path| !path.is_empty()).collect();
        let log = git(&repo.path, &[&["log", "--format=%s", "HEAD", "--"][..], &real[..]].concat());
        assert_eq!(subjects(&told), log.lines().collect::<Vec<_>>(), "{paths:?}");
        assert_eq!((told.more, told.gap), (false, None));
    }
    let told = history(&repo, Some(&git_found), &["apps/web"], 2).await;
    assert_eq!((subjects(&told), told.more), (vec!["More of web", "Raise web (#7)"], true));
    assert_eq!(told.commits[0].files, ["apps/web/b.yaml"]);
    assert_eq!(
        (told.commits[1].pull_request.as_deref(), told.commits[1].signature),
        (Some("#7"), Signature::None)
    );
    let head = Oid(repo.git(&["rev-parse", "HEAD"]));
    let opened = Repo::open(&repo.path).unwrap();
    assert_eq!(opened.count(&git_found, &head, &CancellationToken::new()).await, Some(6));
}

#[tokio::test]
async fn without_the_program_the_branchs_own_commits_are_told_and_that_it_is_so() {
    let ground = Ground::new();
    let told = history(&merged(&ground), None, &["apps/web"], 50).await;
    assert_eq!(subjects(&told), ["Merge side", "Add both"]);
    assert!(told.gap.is_some_and(|gap| gap.contains("git is not installed")));
}

#[tokio::test]
async fn a_path_is_taken_literally_and_a_shallow_clone_ends_where_it_ends() {
    let ground = Ground::new();
    let repo = ground.repo("fleet");
    repo.write(":(glob)*/a.yaml", "a: 1\n").commit("odd");
    repo.write("web/a.yaml", "a: 1\n").commit("plain");
    repo.write("web/a.yaml", "a: 2\n").commit("later");
    let git_found = program(&ground, &[]).await;
    assert_eq!(subjects(&history(&repo, Some(&git_found), &[":(glob)*"], 50).await), ["odd"]);
    let url = format!("file://{}", repo.path.display());
    git(&ground.path(), &["clone", "-q", "--depth", "2", &url, "shallow"]);
    let shallow = Made { path: ground.path().join("shallow") };
    assert_eq!(subjects(&history(&shallow, Some(&git_found), &["web"], 50).await), ["later", "plain"]);
}

#[tokio::test]
async fn signatures_are_checked_by_the_users_own_keys_and_never_by_what_the_repository_names() {
    let ground = Ground::new();
    let repo = ground.repo("fleet");
    repo.write("web/a.yaml", "a: 1\n").commit("unsigned");
    let (key, other) = (ground.path().join("key"), ground.path().join("other"));
    for key in [&key, &other] {
        let file = key.display().to_string();
        let made = std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f", &file])
            .status();
        assert!(made.unwrap().success());
    }
    repo.git(&["config", "gpg.format", "ssh"]);
    for (key, message) in [(&key, "by ana"), (&other, "by a stranger")] {
        repo.git(&["config", "user.signingkey", &key.display().to_string()]);
        repo.write("web/a.yaml", message);
        repo.git(&["add", "-A"]);
        repo.git(&["commit", "-q", "-S", "-m", message]);
    }
    // Whoever asks the repository which program checks signatures runs this one.
    let ran = ground.path().join("ran");
    repo.git(&["config", "gpg.ssh.program", &format!("touch {}", ran.display())]);
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let trusted = ground.path().join("trusted");
    std::fs::write(&trusted, format!("ana@example.com {public}")).unwrap();
    let configuration = ground.path().join("global");
    std::fs::write(&configuration, format!("[gpg \"ssh\"]\n\tallowedSignersFile = {}\n", trusted.display()))
        .unwrap();
    let git_found = program(&ground, &[("GIT_CONFIG_GLOBAL", configuration.to_str().unwrap())]).await;
    let told = history(&repo, Some(&git_found), &["web"], 50).await;
    let signed: Vec<Signature> = told.commits.iter().map(|commit| commit.signature).collect();
    assert_eq!(signed, [Signature::Unchecked, Signature::Unchecked, Signature::None]);
    let ids: Vec<Oid> = told.commits.iter().map(|commit| commit.id.clone()).collect();
    let opened = Repo::open(&repo.path).unwrap();
    let checked = opened.signatures(&git_found, &ids, &CancellationToken::new()).await;
    let checked: Vec<Signature> = ids.iter().map(|id| checked[id]).collect();
    assert_eq!(checked, [Signature::Untrusted, Signature::Good, Signature::None]);
    assert!(!ran.exists());
}
