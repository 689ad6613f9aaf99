//! Commits that are pushed, over the real forge and the real API server: to the branch itself, and for a pull request.

use crate::support::{Forge, ForgeRepository, Home, Namespace, Repository, Run};
use serde_json::{Value, json};

fn map(colour: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{colour: {colour}}}\n")
}

/// A repository of the forge with its clone, deployed: blue, then red; the cluster is red.
struct Stage {
    namespace: Namespace,
    home: Home,
    local: Repository,
    remote: ForgeRepository,
    blue: String,
}

impl Stage {
    fn new(subject: &str) -> Self {
        let (namespace, local, forge) =
            (Namespace::new(subject), Repository::named("fleet"), Forge::of_this_run());
        let blue = local.write("web/all.yaml", map("blue")).commit("Paint it blue");
        local.write("web/all.yaml", map("red")).commit("Paint it red");
        let remote = forge.of_repository(subject, &local);
        namespace.apply_path(local.path().join("web"));
        let home = forge.home(&forge.owner);
        namespace.access().write_into(&home);
        Self { namespace, home, local, remote, blue }
    }

    fn run(&self, words: &[&str], code: i32) -> Run {
        self.home.driftdeck_in(self.local.path(), words, "").exits(code)
    }

    fn revert(&self, words: &[&str], code: i32) -> Value {
        self.run(&[&["revert", "web", self.blue.as_str(), "--yes", "-o", "json"], words].concat(), code)
            .json()
    }

    fn head(&self) -> String {
        self.remote.head("main").unwrap()
    }

    fn git(&self, words: &[&str]) -> String {
        self.local.git(words).trim().to_owned()
    }

    fn outcomes(document: &Value) -> Vec<(String, String)> {
        let steps = document["plan"]["steps"].as_array().unwrap().iter();
        let of = |step: &Value, key: &str| step[key].as_str().unwrap().to_owned();
        steps.map(|step| (of(step, "action"), of(step, "outcome"))).collect()
    }
}

fn steps(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(action, outcome)| ((*action).to_owned(), (*outcome).to_owned())).collect()
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn a_commit_that_is_pushed_counts_once_the_remote_has_it() {
    let stage = Stage::new("publish");
    let done = stage.revert(&["--push"], 0);
    let commit = done["commit"].as_str().unwrap();
    assert_eq!(Stage::outcomes(&done), steps(&[("commit", "applied"), ("push", "applied")]));
    assert_eq!((stage.head().as_str(), stage.git(&["rev-parse", "main"]).as_str()), (commit, commit));
    assert_eq!(
        (stage.git(&["status", "--porcelain"]), stage.git(&["rev-parse", "origin/main"])),
        (String::new(), commit.to_owned())
    );
    let journal = stage.run(&["journal", "-o", "json"], 0).json();
    assert_eq!(journal["entries"][0]["plan"]["steps"][1]["outcome"], "applied");
    stage.run(&["sync", "web", "--yes"], 0);
    assert_eq!(stage.namespace.get("configmap/settings").unwrap()["data"]["colour"], "blue");
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn where_somebody_else_has_pushed_it_builds_on_theirs_and_nothing_here_moves() {
    let stage = Stage::new("overtaken");
    let here = stage.git(&["rev-parse", "main"]);
    stage.remote.ask(
        "POST",
        "/contents/other.txt",
        &json!({"content": "dGhlaXJzCg==", "branch": "main", "message": "theirs"}),
    );
    let theirs = stage.head();
    let done = stage.revert(&["--push"], 0);
    let commit = done["commit"].as_str().unwrap();
    assert_eq!(stage.head(), commit);
    stage.local.git(&["cat-file", "-e", commit]);
    assert_eq!(stage.git(&["rev-parse", &format!("{commit}~1")]), theirs, "theirs is not lost");
    assert_eq!(
        (stage.git(&["rev-parse", "main"]), stage.git(&["status", "--porcelain"])),
        (here, String::new())
    );
    let remarks = done["plan"]["remarks"].to_string();
    assert!(remarks.contains("has commits at the remote that are not here"), "{remarks}");
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn what_the_remote_refuses_stays_on_a_branch_with_the_servers_words() {
    let stage = Stage::new("refused");
    let here = stage.git(&["rev-parse", "main"]);
    stage.remote.pre_receive("echo 'not on a Friday' >&2; exit 1");
    let done = stage.revert(&["--push"], 2);
    assert_eq!(Stage::outcomes(&done), steps(&[("commit", "applied"), ("push", "failed")]));
    let notice = done["plan"]["steps"][1]["notice"].to_string();
    assert!(notice.contains("not on a Friday"), "{notice}");
    let branch = done["branch"].as_str().unwrap();
    assert_eq!(stage.git(&["rev-parse", branch]), done["commit"].as_str().unwrap());
    assert_eq!((stage.git(&["rev-parse", "main"]), stage.head()), (here.clone(), here.clone()));
    stage.git(&["fsck", "--strict"]);

    let stage = Stage::new("protected");
    stage.remote.protect("main");
    let done = stage.revert(&["--push"], 2);
    let notice = &done["plan"]["steps"][1]["notice"];
    assert!(notice["title"].as_str().unwrap().contains("is protected"), "{notice}");
    assert!(notice["hint"].as_str().unwrap().contains("pull request"), "{notice}");
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn a_pull_request_gets_a_branch_of_its_own_on_what_the_remote_has() {
    let stage = Stage::new("request");
    stage.remote.protect("main");
    // What was not pushed does not come along.
    stage.local.write("notes.txt", "mine\n").commit("Not pushed yet");
    let here = stage.git(&["rev-parse", "main"]);
    let done = stage.revert(&["--pull-request"], 0);
    let branch = format!("driftdeck/web-revert-{}", &stage.blue[..7]);
    let commit = done["commit"].as_str().unwrap();
    assert_eq!(
        (done["branch"].as_str().unwrap(), stage.remote.head(&branch).as_deref()),
        (branch.as_str(), Some(commit))
    );
    assert_eq!(stage.git(&["rev-parse", &format!("{commit}~1")]), stage.head());
    assert_eq!(stage.git(&["rev-parse", "main"]), here);
    assert_eq!(
        Stage::outcomes(&done),
        steps(&[("commit", "applied"), ("push", "applied"), ("pull-request", "applied")])
    );
    let requests = stage.remote.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        (&requests[0]["html_url"], &requests[0]["head"]["ref"]),
        (&done["pullRequest"], &json!(branch))
    );
    assert_eq!(
        (&requests[0]["base"]["ref"], requests[0]["title"].as_str().unwrap()),
        (&json!("main"), format!("Revert web to {}", &stage.blue[..7]).as_str())
    );
    let body = requests[0]["body"].as_str().unwrap();
    assert!(
        body.contains("-   .data.colour: \"red\"") && body.contains("+   .data.colour: \"blue\""),
        "{body}"
    );

    // Merged in the forge and pulled, it is what Git declares.
    stage.remote.ask("DELETE", "/branch_protections/main", &Value::Null);
    stage.remote.merge(requests[0]["number"].as_u64().unwrap());
    let shown = stage.remote.ask("GET", "/contents/web/all.yaml?ref=main", &Value::Null);
    assert_eq!(shown["size"], map("blue").len());
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn a_repository_that_is_only_a_url_is_reverted_at_the_remote() {
    let stage = Stage::new("mirrored");
    let url = stage.remote.url();
    let words = ["revert", "web", stage.blue.as_str(), &url, "--yes", "-o", "json"];
    let refused = stage.run(&words, 2).json();
    assert!(refused["notices"][0]["title"].as_str().unwrap().contains("not on this machine"), "{refused:#}");
    let done = stage.run(&[&words[..], &["--push"]].concat(), 0).json();
    assert_eq!(stage.head(), done["commit"].as_str().unwrap());
    let shown = stage.remote.ask("GET", "/contents/web/all.yaml?ref=main", &Value::Null);
    assert_eq!(shown["size"], map("blue").len());
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn where_no_api_answers_the_link_is_given() {
    let mut stage = Stage::new("tokenless");
    // Nobody tells an ssh address where the pages are.
    let command = stage.remote.forge.ssh_command(&stage.home, &stage.remote.forge.owner);
    stage.home.set("GIT_SSH_COMMAND", command);
    stage.home.write("gitconfig", "[user]\n\tname = Ana\n\temail = ana@example.com\n");
    stage.local.git(&["remote", "set-url", "origin", &stage.remote.ssh_url()]);
    let done = stage.revert(&["--pull-request"], 0);
    assert_eq!(Stage::outcomes(&done)[2], ("pull-request".to_owned(), "skipped".to_owned()));
    assert!(done["pullRequest"].as_str().unwrap().contains("driftdeck/web-revert"), "{done:#}");
    assert_eq!(stage.remote.requests().len(), 0);
}
