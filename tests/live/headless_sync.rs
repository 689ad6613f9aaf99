//! `driftdeck sync` as scripts call it: what is printed, what is asked, where it stops.

use crate::support::{Home, Namespace, Repository, Terminal};
use serde_json::{Value, json};

const WEB: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {colour: blue}\n";
const CART: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cart}\ndata: {colour: blue}\n";

/// A namespace, a home that leads into it, and a repo with the app `web` of two objects that are not there yet.
fn ground(subject: &str) -> (Namespace, Home, Repository) {
    let (namespace, repo) = (Namespace::new(subject), Repository::named("fleet"));
    repo.write("web/web.yaml", WEB);
    repo.write("web/cart.yaml", CART);
    repo.commit("Add web");
    let home = namespace.home();
    (namespace, home, repo)
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_plan_that_nobody_confirmed_is_printed_and_nothing_is_written() {
    let (namespace, home, repo) = ground("unconfirmed");
    let sync = |more: &[&str]| {
        let words = ["sync", "web", repo.path().to_str().unwrap()];
        home.driftdeck(words.iter().chain(more).copied())
    };
    let planned = sync(&["--dry-run"]).exits(1);
    assert!(planned.stdout.contains("create ConfigMap"), "{}", planned.stdout);
    let run = sync(&[]).exits(2);
    assert_eq!(run.stdout, planned.stdout);
    assert_eq!(run.stderr, "error: nothing was written: the plan is not confirmed\n  hint: it wants --yes\n");
    let document = sync(&["-o", "json"]).exits(2).json();
    let steps: Vec<_> = document["plan"]["steps"].as_array().unwrap().iter().map(|s| &s["outcome"]).collect();
    assert_eq!(steps, [&json!("planned"), &json!("planned")]);
    assert_eq!(document["notices"][0]["title"], "nothing was written: the plan is not confirmed");
    assert_eq!(namespace.get("configmap/web"), None);
}

/// A ground whose two objects are deployed, with a third that an earlier commit declared, and `web` changed by hand.
fn deployed(subject: &str) -> (Namespace, Home, Repository) {
    let (namespace, home, repo) = ground(subject);
    let old = WEB.replace("name: web", "name: old");
    repo.write("web/old.yaml", &old);
    repo.commit("Add old");
    repo.remove("web/old.yaml");
    repo.commit("Remove old");
    namespace.apply(&format!("{WEB}---\n{CART}---\n{old}"));
    namespace.patch("configmap/web", "merge", r#"{"data":{"colour":"red"}}"#, "kubectl-edit");
    (namespace, home, repo)
}

/// Returns the steps of a document as action, name and outcome.
fn steps(document: &Value) -> Vec<Value> {
    let list = document["plan"]["steps"].as_array().expect("steps").iter();
    list.filter(|s| s["ticked"] == true)
        .map(|s| json!([s["action"], s["resource"]["name"], s["outcome"]]))
        .collect()
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn the_switches_of_a_sync_do_what_they_say() {
    let (namespace, home, repo) = deployed("switches");
    let sync = |more: &[&str], code| {
        let words = ["sync", "web", repo.path().to_str().unwrap(), "-o", "json", "--yes"];
        home.driftdeck(words.iter().chain(more).copied()).exits(code).json()
    };
    let web = json!(["patch", "web", "planned"]);
    let old = json!(["delete", "old", "planned"]);
    assert_eq!(steps(&sync(&["--dry-run"], 1)), std::slice::from_ref(&web));
    assert_eq!(steps(&sync(&["--dry-run", "--prune"], 1)), [web.clone(), old]);
    assert_eq!(steps(&sync(&["--dry-run", "--only", "ConfigMap/web"], 1)), [web]);
    assert_eq!(steps(&sync(&["--dry-run", "--only", "ConfigMap/cart"], 1)), Vec::<Value>::new());
    let refused = sync(&["--prune", "--max-deletions", "0"], 2);
    assert_eq!((&refused["plan"], &refused["notices"][0]["level"]), (&json!(null), &json!("error")));
    let read_only = sync(&["--read-only"], 2);
    assert!(read_only["notices"][0]["title"].as_str().unwrap().contains("read-only"), "{read_only:#}");
    let managed = sync(&["--dry-run", "--manager", "somebody"], 1);
    assert_eq!(managed["plan"]["manager"], "somebody");
    assert_eq!(namespace.get("configmap/web").unwrap()["data"]["colour"], "red", "nothing was written");

    let done = sync(&["--no-wait"], 0);
    assert_eq!((steps(&done), &done["verdict"]), (vec![json!(["patch", "web", "applied"])], &json!(null)));
    let done = sync(&["--prune", "--confirm", "web"], 0);
    assert_eq!(
        (steps(&done), &done["verdict"]),
        (vec![json!(["delete", "old", "applied"])], &json!("in-sync"))
    );
    assert_eq!(namespace.get("configmap/old"), None);
}

/// How long a time of the contract is: `2026-11-20T08:00:00Z`.
const LENGTH: usize = 20;

/// Returns a text with what differs from run to run by its name.
pub fn named(text: &str, namespace: &Namespace, repo: &Repository) -> String {
    let text = text.replace(&namespace.name, "NAMESPACE").replace(&repo.head()[..7], "COMMIT");
    let text = text.replace(repo.path().to_str().unwrap(), "REPO");
    // Times of the server, with what follows.
    let is_time = |word: &str| {
        word.starts_with("20")
            && word.get(..LENGTH).is_some_and(|time| time.contains('T') && time.ends_with('Z'))
    };
    let words = text.split(' ').map(|word| match word.get(LENGTH..) {
        Some(rest) if is_time(word) => format!("TIME{rest}"),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_plan_reads_as_people_confirm_it() {
    let (namespace, home, repo) = deployed("plan-text");
    let words = ["sync", "web", repo.path().to_str().unwrap(), "--prune", "--dry-run"];
    let text = home.driftdeck(words).exits(1).stdout;
    insta::assert_snapshot!("plan", named(&text, &namespace, &repo));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_is_found_reads_as_it_always_did() {
    let (namespace, home, repo) = deployed("found-text");
    repo.write("web/broken.yaml", "a: [\n");
    for command in ["check", "diff", "apps"] {
        let run = home.driftdeck([command, repo.path().to_str().unwrap()]);
        let whole = format!("exit {}\n--- stdout\n{}--- stderr\n{}", run.code, run.stdout, run.stderr);
        insta::assert_snapshot!(command, named(&whole, &namespace, &repo));
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn files_that_move_while_the_plan_is_read_let_nothing_be_written_and_print_the_new_plan() {
    let (namespace, home, repo) = ground("moved-files");
    let words = ["sync", "web", repo.path().to_str().unwrap()];
    let mut terminal = Terminal::driftdeck(&home, &words, 120, 60);
    terminal.await_text("write this? [y/N]");
    repo.write("web/web.yaml", WEB.replace("blue", "red")).commit("Another colour");
    terminal.keys("y<enter>");
    terminal.await_text("nothing was written: what Git declares has moved");
    let both = |screen: &vt100::Screen| screen.contents().matches("create ConfigMap").count() >= 4;
    terminal.await_screen("both plans", both);
    assert_eq!(terminal.await_exit(), (2, None));
    assert_eq!(namespace.get("configmap/web"), None);
}
