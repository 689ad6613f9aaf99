//! Repositories that are named by a URL, over https with git's own server behind it.

use crate::support::{GitServer, Home, Namespace, Repository};
use serde_json::Value;

const SETTINGS: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: blue, size: big}\n";

/// A namespace that has what a repository's bare copy declares, and a home whose git trusts the test's authority.
fn stage(subject: &str) -> (Namespace, Repository, Home) {
    let (namespace, repository) = (Namespace::new(subject), Repository::new());
    repository.write("web/settings.yaml", SETTINGS).commit("Add web");
    repository.with_bare_origin();
    namespace.apply(SETTINGS);
    let mut home = namespace.home();
    home.set("GIT_SSL_CAINFO", namespace.plane.folder.join("ca.crt").display().to_string());
    (namespace, repository, home)
}

fn served(repository: &Repository, namespace: &Namespace, login: Option<&str>) -> (GitServer, String) {
    let root = repository.path().parent().expect("a folder around the repository");
    let server = GitServer::of(root, &namespace.plane, login);
    let url = server.url("fleet.git");
    (server, url)
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_repository_behind_https_is_compared_and_fetched_again() {
    let (namespace, repository, home) = stage("https");
    let (server, url) = served(&repository, &namespace, None);
    let check = home.driftdeck(["check", &url, "-o", "json"]).exits(0).json();
    assert_eq!(check["apps"][0]["revision"]["commit"], repository.head());
    assert_eq!(check["apps"][0]["revision"]["asked"], "main");
    assert!(server.answers().iter().all(|status| *status == 200), "{:?}", server.answers());

    repository.write("web/settings.yaml", SETTINGS.replace("blue", "green")).commit("Make it green");
    repository.git(&["push", "--quiet", "origin", "main"]);
    let check = home.driftdeck(["check", &url, "-o", "json"]).exits(1).json();
    assert_eq!(check["resources"][0]["changes"][0]["path"], ".data.colour");
    assert_eq!(check["resources"][0]["changes"][0]["desired"], "green");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_repository_that_wants_a_login_says_so_and_takes_what_the_users_helper_knows() {
    let (namespace, repository, home) = stage("login");
    let (server, url) = served(&repository, &namespace, Some("ana:canary-of-a-password"));
    let refused = home.driftdeck(["check", &url]).exits(2);
    let said = format!("{}{}", refused.stdout, refused.stderr);
    assert!(said.contains("asked for credentials and none were found"), "{said}");
    assert!(said.contains("credential.helper"), "what to do is said: {said}");
    assert_eq!(server.answers().first(), Some(&401));

    let helper = "!f() { test $1 = get && echo username=ana && echo password=canary-of-a-password; }; f";
    home.write("gitconfig", format!("[credential]\n\thelper = \"{helper}\"\n"));
    let let_in = home.driftdeck(["check", &url, "-o", "json"]).exits(0);
    assert_eq!(let_in.json()["verdict"], Value::from("in-sync"));
    for folder in ["state", "cache", "data", "run", "tmp"] {
        for entry in walkdir::WalkDir::new(home.path().join(folder)).into_iter().filter_map(Result::ok) {
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&bytes).contains("canary-of-a-password"), "{:?}", entry.path());
        }
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_server_that_nobody_vouches_for_is_not_believed() {
    let (namespace, repository, mut home) = stage("untrusted");
    let (server, url) = served(&repository, &namespace, None);
    home.unset("GIT_SSL_CAINFO");
    let refused = home.driftdeck(["check", &url]).exits(2);
    let said = format!("{}{}", refused.stdout, refused.stderr);
    assert!(said.contains("certificate"), "{said}");
    assert_eq!(server.answers(), Vec::<u16>::new(), "nothing was asked of it");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_fetch_that_is_waited_for_is_said_once_without_userinfo_unless_it_is_to_be_quiet() {
    let (namespace, repository, home) = stage("progress");
    let (_server, url) = served(&repository, &namespace, None);
    let canonical = url.trim_end_matches(".git");
    let fetching = format!("fetching {canonical}\n");
    assert_eq!(home.driftdeck(["check", &url]).exits(0).stderr, fetching);
    let with_token = url.replace("https://", "https://ana:never-shown@");
    let run = home.driftdeck(["check", &with_token]);
    assert!(run.stderr.starts_with(&format!("fetching {url}\n")), "{}", run.stderr);
    assert!(!format!("{}{}", run.stdout, run.stderr).contains("never-shown"), "{}{}", run.stdout, run.stderr);
    assert_eq!(home.driftdeck(["check", &url, "-q"]).exits(0).stderr, "");
    assert_eq!(home.driftdeck(["check", &url, "-o", "json"]).exits(0).stderr, "");
}
