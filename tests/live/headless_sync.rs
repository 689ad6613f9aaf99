//! `driftdeck sync` as scripts call it: what is printed, what is asked, where it stops.

use crate::support::{Home, Namespace, Repository};
use serde_json::json;

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
