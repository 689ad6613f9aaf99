//! Tests how commits are made: by whom, signed how, and what a repository cannot have run.

use super::fixture::{Ground, Made, git};
use crate::git::{CommitError, Git, Recipe, Repo};
use crate::model::Oid;
use std::ffi::OsString;
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// Git with a home of its own.
async fn with_home(home: &Path, settings: &[(&str, &str)]) -> Git {
    let file = home.join(".gitconfig");
    std::fs::write(&file, "").unwrap();
    for (name, value) in settings {
        git(home, &["config", "--file", file.to_str().unwrap(), name, value]);
    }
    let path = std::env::var_os("PATH").unwrap();
    let env: Vec<(OsString, OsString)> =
        vec![("PATH".into(), path), ("HOME".into(), home.into()), ("GIT_CONFIG_NOSYSTEM".into(), "1".into())];
    Git::find(env, &CancellationToken::new()).await.unwrap()
}

fn fleet(ground: &Ground) -> (Made, Repo, Oid) {
    let made = ground.repo("fleet");
    let one = made.write("web/a.yaml", "a: 1\n").commit("one");
    made.write("web/a.yaml", "a: 2\n").commit("two");
    let repo = Repo::open(&made.path).unwrap();
    (made, repo, Oid(one))
}

async fn commit(repo: &Repo, git: &Git, to: &Oid, message: &str) -> Result<Oid, CommitError> {
    let cancel = CancellationToken::new();
    let base = repo.ground(&crate::model::Asked::WorkingFolder { branch: None }).unwrap().base;
    let back = Recipe::Back { to: to.clone(), paths: vec!["web".into()] };
    let proposed = repo.propose(&base, &back).unwrap();
    proposed.store(repo).unwrap();
    let how = repo.committing(git, &cancel).await?;
    repo.commit(git, &how, &proposed.root(), &base, message, &cancel).await
}

#[tokio::test]
async fn a_commit_is_by_whom_the_configuration_names() {
    let ground = Ground::new();
    let (made, repo, one) = fleet(&ground);
    let git = with_home(&ground.path(), &[("user.name", "Ana"), ("user.email", "ana@home.example")]).await;
    let at_home = commit(&repo, &git, &one, "Back\n\nwhy\n\n").await.unwrap();
    let told = |id: &Oid| made.git(&["log", "-1", "--format=%an <%ae>|%cn <%ce>|%P|%B", &id.0]);
    let main = made.git(&["rev-parse", "main"]);
    assert_eq!(told(&at_home), format!("Ana <ana@home.example>|Ana <ana@home.example>|{main}|Back\n\nwhy"));
    made.git(&["config", "user.email", "ana@work.example"]);
    made.git(&["config", "committer.name", "Bot"]);
    let at_work = commit(&repo, &git, &one, "Back").await.unwrap();
    assert_eq!(told(&at_work), format!("Ana <ana@work.example>|Bot <ana@work.example>|{main}|Back"));
    assert_eq!(made.git(&["rev-parse", "main"]), main, "no branch moves");
    assert_eq!(made.git(&["status", "--porcelain"]), "");
}

#[tokio::test]
async fn settings_for_folders_count_where_the_repository_is() {
    let ground = Ground::new();
    let (_, repo, _) = fleet(&ground);
    let work = ground.path().join("work.gitconfig");
    std::fs::write(&work, "[user]\n\temail = ana@work.example\n").unwrap();
    let condition = format!("includeIf.gitdir:{}/.path", ground.path().display());
    let settings = [
        ("user.name", "Ana"),
        ("user.email", "ana@home.example"),
        (condition.as_str(), work.to_str().unwrap()),
    ];
    let git = with_home(&ground.path(), &settings).await;
    let how = repo.committing(&git, &CancellationToken::new()).await.unwrap();
    assert_eq!(how.author.to_string(), "Ana <ana@work.example>");
}

#[tokio::test]
async fn nobody_known_is_an_error_that_says_what_to_do() {
    let ground = Ground::new();
    let (_, repo, _) = fleet(&ground);
    let git = with_home(&ground.path(), &[("user.useConfigOnly", "true")]).await;
    let error = repo.committing(&git, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, CommitError::NobodyKnown { .. }), "{error}");
    assert!(error.hint().unwrap().contains("user.name"));
}

#[tokio::test]
async fn a_commit_is_signed_with_ssh_as_git_is_configured() {
    let ground = Ground::new();
    let (made, repo, one) = fleet(&ground);
    let key = ground.path().join("key");
    let made_key = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "ana", "-f"])
        .arg(&key)
        .output()
        .expect("ssh-keygen is installed");
    assert!(made_key.status.success());
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let allowed = ground.path().join("allowed");
    std::fs::write(&allowed, format!("ana@example.com {public}")).unwrap();
    let settings = [
        ("user.name", "Ana"),
        ("user.email", "ana@example.com"),
        ("gpg.format", "ssh"),
        ("user.signingKey", key.to_str().unwrap()),
        ("commit.gpgSign", "true"),
    ];
    let git = with_home(&ground.path(), &settings).await;
    let how = repo.committing(&git, &CancellationToken::new()).await.unwrap();
    assert_eq!(how.signed.as_deref(), Some("ssh"));
    let id = commit(&repo, &git, &one, "Back").await.unwrap();
    let allowed = format!("gpg.ssh.allowedSignersFile={}", allowed.display());
    let said = made.git(&["-c", &allowed, "log", "-1", "--format=%G?", &id.0]);
    assert_eq!(said, "G");

    std::fs::remove_file(&key).unwrap();
    let error = commit(&repo, &git, &one, "Back").await.unwrap_err();
    assert!(matches!(&error, CommitError::NotSigned { how, .. } if how == "ssh"), "{error}");
    assert!(!error.words().unwrap().is_empty());
}

#[tokio::test]
async fn no_program_and_no_hook_of_the_repository_is_run() {
    let ground = Ground::new();
    let (made, repo, one) = fleet(&ground);
    let canary = ground.path().join("canary");
    let script = ground.path().join("evil");
    std::fs::write(&script, format!("#!/bin/sh\ntouch {}\nexit 1\n", canary.display())).unwrap();
    std::process::Command::new("chmod").arg("+x").arg(&script).status().unwrap();
    let evil = script.to_str().unwrap();
    for name in ["gpg.program", "gpg.ssh.program", "core.fsmonitor", "core.sshCommand", "core.editor"] {
        made.git(&["config", name, evil]);
    }
    for hook in ["pre-commit", "commit-msg", "post-commit", "prepare-commit-msg", "reference-transaction"] {
        std::fs::copy(&script, made.path.join(".git/hooks").join(hook)).unwrap();
    }
    let git = with_home(&ground.path(), &[("user.name", "Ana"), ("user.email", "ana@example.com")]).await;
    let base = repo.ground(&crate::model::Asked::WorkingFolder { branch: None }).unwrap().base;
    let id = commit(&repo, &git, &one, "Back").await.unwrap();
    let landing = crate::model::commit_plan::Landing::CheckedOut { branch: "main".into(), keeps: vec![] };
    repo.land(&landing, &base, &id, &["web/a.yaml".into()]).unwrap();
    assert!(!canary.exists());
}
