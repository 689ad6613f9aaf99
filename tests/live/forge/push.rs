//! Pushes, by https and ssh: what counts, what is refused, and what is said of it.

use super::{Stage, read, wait};
use crate::support::{Fault, Forge, Home, Matching};
use driftdeck::git::{Before, PushError};
use driftdeck::model::Oid;
use tokio_util::sync::CancellationToken;

#[test]
#[ignore = "needs the forge: run tests/run"]
fn a_commit_is_pushed_over_https_to_a_branch_and_to_a_new_one() {
    let stage = Stage::new("https");
    let pushed = stage.push("driftdeck/web-revert-1", Before::Nothing).unwrap();
    assert_eq!(stage.remote.head("driftdeck/web-revert-1"), Some(stage.next.clone()));
    assert_eq!(stage.remote.head("main"), Some(stage.base.clone()), "nothing else moves");
    let offered = pushed.offered.unwrap();
    let page = stage.remote.url().trim_end_matches(".git").to_owned();
    assert!(offered.starts_with(&page) && offered.ends_with("driftdeck/web-revert-1"), "{offered}");

    stage.push("main", stage.onto_base()).unwrap();
    assert_eq!(stage.remote.head("main"), Some(stage.next.clone()));
    let known = stage.local.git(&["rev-parse", "refs/remotes/origin/main"]);
    assert_eq!(known.trim(), stage.next, "the checkout knows that it is pushed");
    assert_eq!(stage.local.git(&["status", "--porcelain"]), "");
    let again = stage.push("main", stage.onto_base());
    assert!(again.is_ok(), "the same push again changes nothing and counts: {again:?}");
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn a_commit_is_pushed_over_ssh_with_a_key_and_known_hosts() {
    let mut stage = Stage::new("ssh");
    stage.by_ssh();
    stage.push("driftdeck/web-revert-1", Before::Nothing).unwrap();
    assert_eq!(stage.remote.head("driftdeck/web-revert-1"), Some(stage.next.clone()));
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn a_host_whose_key_is_not_known_or_has_changed_is_refused() {
    let mut stage = Stage::new("hostkey");
    stage.by_ssh();
    let key = stage.home.path().join("key");
    let nobody = stage.home.write("nobody", "");
    stage.home.set("GIT_SSH_COMMAND", Forge::ssh_with(&key, &nobody));
    let error = stage.push("main", stage.onto_base()).unwrap_err();
    assert_eq!(
        read(&error),
        "the key of the host 127.0.0.1 is not known | compare its key and accept it once: ssh -T 127.0.0.1"
    );

    let other = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let address =
        stage.remote.forge.ssh.trim_start_matches("ssh://git@").replace("127.0.0.1:", "[127.0.0.1]:");
    let changed = stage.home.write("changed", format!("{address} {other}"));
    stage.home.set("GIT_SSH_COMMAND", Forge::ssh_with(&key, &changed));
    let error = stage.push("main", stage.onto_base()).unwrap_err();
    assert!(
        read(&error).starts_with("the key of the host 127.0.0.1 has changed | ask the host's owner"),
        "{error}"
    );
    assert_eq!(stage.remote.head("main"), Some(stage.base.clone()));
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn a_certificate_that_nobody_vouches_for_is_refused_with_what_to_do() {
    let mut stage = Stage::new("certificate");
    stage.home.unset("GIT_SSL_CAINFO");
    let error = stage.push("main", stage.onto_base()).unwrap_err();
    assert_eq!(
        read(&error),
        "the certificate of 127.0.0.1 is not trusted | \
         set http.sslCAInfo in your git configuration to the authority's file"
    );
    assert_eq!(stage.remote.head("main"), Some(stage.base.clone()));
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn a_protected_branch_is_refused_in_the_servers_words() {
    let mut stage = Stage::new("protected");
    stage.remote.protect("main");
    for ssh in [false, true] {
        if ssh {
            stage.by_ssh();
        }
        let error = stage.push("main", stage.onto_base()).unwrap_err();
        assert!(matches!(error, PushError::Protected { .. }), "{error:?}");
        let said = read(&error);
        assert!(said.contains("Not allowed to push to protected branch main"), "{said}");
        assert!(said.ends_with("| open a pull request from a branch of its own"), "{said}");
        assert_eq!(stage.remote.head("main"), Some(stage.base.clone()));
    }
    stage.push("driftdeck/web-revert-1", Before::Nothing).unwrap();
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn a_hook_of_the_server_is_heard_and_its_words_are_text() {
    let stage = Stage::new("hook");
    stage.remote.pre_receive("printf 'no change on a Friday\\n\\033]0;canary\\007 ask ana\\n' >&2; exit 1");
    let error = stage.push("main", stage.onto_base()).unwrap_err();
    assert!(matches!(error, PushError::Hook { .. }), "{error:?}");
    let said = read(&error);
    assert!(said.contains("no change on a Friday\n␛]0;canary␇ ask ana | do as it says"), "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");
    assert_eq!(stage.remote.head("main"), Some(stage.base.clone()));
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn what_someone_else_pushed_is_neither_overwritten_nor_lost() {
    let stage = Stage::new("moved");
    stage.local.git(&["checkout", "--quiet", "-b", "theirs", &stage.base]);
    let theirs = stage.local.write("web/other.yaml", "a: 1\n").commit("Add another");
    stage.push_commit(&theirs, "main", stage.onto_base()).unwrap();
    stage.local.git(&["checkout", "--quiet", "main"]);

    let error = stage.push("main", stage.onto_base()).unwrap_err();
    let PushError::Moved { found, .. } = &error else { panic!("{error:?}") };
    assert_eq!(found.as_ref(), Some(&Oid(theirs.clone())), "where it is now is said");
    assert!(
        read(&error).starts_with("someone else pushed to main of https://127.0.0.1:"),
        "{}",
        read(&error)
    );
    let backwards = stage.push("main", Before::Commit(Oid(theirs.clone()))).unwrap_err();
    assert!(matches!(backwards, PushError::NotForward { .. }), "{backwards:?}");
    assert_eq!(stage.remote.head("main"), Some(theirs.clone()));

    let taken = stage.push("main", Before::Nothing).unwrap_err();
    assert!(matches!(&taken, PushError::Exists { found: Some(found), .. } if found.0 == theirs), "{taken:?}");
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn what_someone_else_pushed_is_fetched_without_a_branch_or_file_that_moves() {
    let stage = Stage::new("fetch");
    let theirs = crate::support::Repository::new();
    let with = format!("http.sslCAInfo={}", stage.remote.forge.authority().display());
    let token = format!("https://op:{}@", stage.remote.forge.owner.token);
    let url = stage.remote.url().replace("https://", &token);
    theirs.git(&["-c", &with, "pull", "--quiet", &url, "main"]);
    let new = theirs.write("web/other.yaml", "a: 1\n").commit("Add another");
    theirs.git(&["-c", &with, "push", "--quiet", &url, "main"]);

    let fetched = wait(async {
        let known = [Oid(stage.base.clone())];
        let git = stage.git().await;
        stage.repo().fetch_branch(&git, &stage.origin(), "main", &known, &CancellationToken::new()).await
    });
    assert_eq!(fetched.unwrap(), Some(Oid(new.clone())));
    assert_eq!(stage.local.git(&["rev-parse", "refs/remotes/origin/main"]).trim(), new);
    assert_eq!(stage.local.head(), stage.next);
    stage.local.git(&["cat-file", "-e", &format!("{new}:web/other.yaml")]);
    stage.local.git(&["fsck", "--strict"]);
    let none = wait(async {
        let git = stage.git().await;
        stage.repo().fetch_branch(&git, &stage.origin(), "none", &[], &CancellationToken::new()).await
    });
    assert_eq!(none.unwrap(), None);
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn who_may_only_read_is_told_so() {
    let mut stage = Stage::new("reader");
    let forge = stage.remote.forge.clone();
    stage.home = forge.home(&forge.reader);
    let error = stage.push("main", stage.onto_base()).unwrap_err();
    assert!(matches!(error, PushError::NoPermission { .. }), "{error:?}");
    assert!(
        read(&error).ends_with("| ask for the right to write, or use credentials that have it"),
        "{error}"
    );

    let command = forge.ssh_command(&stage.home, &forge.reader);
    stage.home.set("GIT_SSH_COMMAND", command);
    stage.local.git(&["remote", "set-url", "origin", &stage.remote.ssh_url()]);
    let error = stage.push("main", stage.onto_base()).unwrap_err();
    assert!(matches!(error, PushError::NoPermission { .. }), "{error:?}");
    assert_eq!(stage.remote.head("main"), Some(stage.base.clone()));
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn an_archived_repository_and_missing_credentials_are_told_apart() {
    let mut stage = Stage::new("archived");
    let known = std::mem::replace(&mut stage.home, Home::new());
    stage.home.set("GIT_SSL_CAINFO", stage.remote.forge.authority().display().to_string());
    let error = stage.push("main", stage.onto_base()).unwrap_err();
    assert!(read(&error).contains("asked for credentials and none were found"), "{error}");
    stage.home = known;
    stage.remote.archive();
    let error = stage.push("main", stage.onto_base()).unwrap_err();
    assert!(matches!(error, PushError::Archived { .. }), "{error:?}");
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn a_connection_lost_before_the_server_acted_pushes_nothing_and_can_be_pushed_again() {
    let stage = Stage::new("before");
    let proxy = stage.remote.forge.proxy();
    let url = stage.remote.url().replace(&stage.remote.forge.url, &proxy.server());
    stage.local.git(&["remote", "set-url", "origin", &url]);
    let packs = || Matching::verbs(&["post"]).path("git-receive-pack");
    proxy.once(packs(), Fault::DropBefore);
    let error = stage.push("main", stage.onto_base()).unwrap_err();
    assert!(!error.is_open(), "{error:?}");
    assert!(read(&error).ends_with("push again: the commit is kept"), "{}", read(&error));
    assert_eq!(stage.remote.head("main"), Some(stage.base.clone()));
    stage.push("main", stage.onto_base()).unwrap();
    assert_eq!(stage.remote.head("main"), Some(stage.next.clone()));
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn a_connection_lost_after_the_server_acted_is_found_to_have_been_enough() {
    let stage = Stage::new("after");
    let proxy = stage.remote.forge.proxy();
    let url = stage.remote.url().replace(&stage.remote.forge.url, &proxy.server());
    stage.local.git(&["remote", "set-url", "origin", &url]);
    proxy.once(Matching::verbs(&["post"]).path("git-receive-pack"), Fault::DropAfter);
    stage.push("main", stage.onto_base()).unwrap();
    assert_eq!(stage.remote.head("main"), Some(stage.next.clone()));

    // The same, and nobody answers when it is read back.
    let next = stage.local.write("web/settings.yaml", "replicas: 4\n").commit("Scale web again");
    proxy.once(Matching::verbs(&["post"]).path("git-receive-pack"), Fault::DropAfter);
    proxy.always(Matching::any().path("info/refs").query("git-upload-pack"), Fault::DropBefore);
    let onto = || Before::Commit(Oid(stage.next.clone()));
    let error = stage.push_commit(&next, "main", onto()).unwrap_err();
    assert!(matches!(error, PushError::Indeterminate { .. }) && error.is_open(), "{error:?}");
    proxy.clear();
    stage.push_commit(&next, "main", onto()).unwrap();
    assert_eq!(stage.remote.head("main"), Some(next));
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn a_push_that_is_cancelled_ends_at_once() {
    let stage = Stage::new("cancel");
    let proxy = stage.remote.forge.proxy();
    let url = stage.remote.url().replace(&stage.remote.forge.url, &proxy.server());
    stage.local.git(&["remote", "set-url", "origin", &url]);
    let packs = Matching::verbs(&["post"]).path("git-receive-pack");
    proxy.once(packs.clone(), Fault::BlackHole);
    let push = driftdeck::git::Push {
        commit: Oid(stage.next.clone()),
        branch: "main".into(),
        before: stage.onto_base(),
    };
    let cancel = CancellationToken::new();
    let error = wait(async {
        let (git, repo, origin) = (stage.git().await, stage.repo(), stage.origin());
        let stop = cancel.clone();
        tokio::join!(
            async { repo.push(&git, &origin, &push, &cancel).await },
            tokio::task::spawn_blocking(move || {
                proxy.await_seen(&packs, 1);
                stop.cancel();
            })
        )
        .0
    })
    .unwrap_err();
    assert!(matches!(error, PushError::Cancelled { .. }) && error.is_open(), "{error:?}");
    assert_eq!(stage.remote.head("main"), Some(stage.base.clone()));
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn hooks_and_settings_of_the_repository_have_no_say() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::new("hooks");
    let canary = stage.home.path().join("canary");
    let hook = stage.local.path().join(".git/hooks/pre-push");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, format!("#!/bin/sh\ntouch {}\nexit 1\n", canary.display())).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let touch = format!("!touch {}", canary.display());
    for (key, value) in [
        ("credential.helper", touch.as_str()),
        ("core.sshCommand", &touch[1..]),
        ("core.askPass", &touch[1..]),
        ("remote.origin.receivepack", &touch[1..]),
        ("url.https://evil.example/.insteadOf", &stage.remote.forge.url),
        ("http.proxy", "http://127.0.0.1:1"),
        ("push.followTags", "true"),
    ] {
        stage.local.git(&["config", key, value]);
    }
    stage.local.git(&["tag", "--annotate", "--message", "x", "v1"]);
    stage.push("main", stage.onto_base()).unwrap();
    assert_eq!(stage.remote.head("main"), Some(stage.next.clone()));
    assert!(!canary.exists());
    assert_eq!(stage.remote.ask("GET", "/tags", &serde_json::Value::Null), serde_json::json!([]));
}
