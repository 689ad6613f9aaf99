//! Files that `driftdeck apply` is given and that hold no plan: what is said of each, before any cluster is asked.

use crate::support::{Home, Repository, Run};
use serde_json::{Value, json};

/// A plan of one deletion, as far as a file must say it.
fn document() -> Value {
    json!({
        "schema": "driftdeck/v1", "command": "sync", "verdict": null, "notices": [], "of another version": true,
        "plan": {
            "id": "20261120T080000Z-0a1b2c", "app": "web", "cluster": "prod", "clusterId": "uid", "boundTo": "0a1b2c",
            "revision": {"commit": "0a1b2c", "dirty": false},
            "request": {"revision": null, "namespace": null, "only": [], "prune": true, "manager": null, "dirty": false,
                "maxDeletions": null},
            "steps": [{
                "resource": {"group": "", "version": "v1", "kind": "ConfigMap", "namespace": "shop", "name": "old"},
                "action": "delete", "manager": "driftdeck", "ticked": true, "changes": [], "takesOverFrom": [],
                "bound": {"uid": "u", "digest": "d"}, "outcome": "planned", "notice": null,
            }],
        },
    })
}

fn apply(home: &Home, content: &[u8]) -> Run {
    home.write("plan.json", content);
    home.driftdeck(["apply", "plan.json", "--yes", "-o", "json"]).exits(2)
}

#[test]
fn a_file_that_holds_no_plan_is_refused_with_what_is_wrong_and_none_of_its_values() {
    let home = Home::new();
    let with = |pointer: &str, value: Value| {
        let mut changed = document();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed.to_string()
    };
    let without = |pointer: &str, field: &str| {
        let mut changed = document();
        changed.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(field).unwrap();
        changed.to_string()
    };
    let canary = "canary-hunter2";
    for (content, cause) in [
        (String::new(), "it is not JSON: EOF while parsing a value at line 1 column 0"),
        ("{\n\"schema\": canary-hunter2}".to_owned(), "it is not JSON: expected value at line 2 column 11"),
        ("[]".to_owned(), "it is no document of driftdeck"),
        (
            json!({"apiVersion": "v1", "kind": "Secret", "data": canary}).to_string(),
            "it is no document of driftdeck",
        ),
        (with("/schema", json!("driftdeck/v2")), "it is written in another version than driftdeck/v1"),
        (with("/schema", json!(canary)), "it is no document of driftdeck"),
        (with("/command", json!("check")), "it is a document of another command"),
        (with("/plan", json!(null)), "it holds no plan, only what went wrong when one was to be made"),
        (with("/plan", json!([])), "plan.clusterId is missing"),
        (without("/plan", "boundTo"), "plan.boundTo is missing"),
        (without("/plan", "request"), "plan.request.only is missing"),
        (with("/plan/request/prune", json!(canary)), "plan.request.prune is neither true nor false"),
        (with("/plan/request/only", json!(["ConfigMap/a", canary])), "plan.request.only[1] names no object"),
        (with("/plan/request/maxDeletions", json!(-1)), "plan.request.maxDeletions is no number of objects"),
        (with("/plan/steps", json!({})), "plan.steps is no list"),
        (with("/plan/steps/0/action", json!(1)), "plan.steps[0].action is no text"),
        (without("/plan/steps/0", "changes"), "plan.steps[0].changes is missing"),
        (with("/plan/steps/0/outcome", json!(canary)), "plan.steps[0].outcome is no outcome"),
        (
            with("/plan/steps/0/outcome", json!("applied")),
            "the plan was carried out already: ConfigMap/shop/old is applied",
        ),
    ] {
        let run = apply(&home, content.as_bytes());
        let document = run.json();
        assert_eq!((&document["command"], &document["plan"]), (&json!("apply"), &json!(null)), "{content}");
        let notice = &document["notices"][0];
        assert_eq!(notice["title"], "the plan cannot be read", "{content}");
        assert_eq!((&notice["cause"], &notice["file"]), (&json!(cause), &json!("plan.json")), "{content}");
        assert!(!format!("{}{}", run.stdout, run.stderr).contains(canary), "{}", run.stdout);
    }
}

#[test]
fn a_mistake_in_a_plan_reads_with_its_file_and_line_and_where_plans_come_from() {
    let home = Home::new();
    home.write("plan.json", "{\n\"schema\": }");
    let run = home.driftdeck(["apply", "plan.json"]).exits(2);
    assert_eq!(
        (run.stdout.as_str(), run.stderr.as_str()),
        (
            "",
            "error: the plan cannot be read at plan.json:2\n  cause: it is not JSON: expected value at line 2 column 11\n  \
             hint: apply takes what driftdeck sync APP --dry-run -o json wrote\n"
        )
    );
    let run = home.driftdeck_in(home.path(), ["apply", "-"], "[]").exits(2);
    assert!(run.stderr.starts_with("error: the plan cannot be read at standard input\n"), "{}", run.stderr);
}

#[test]
fn a_plan_that_is_not_there_or_has_no_end_is_refused() {
    let home = Home::new();
    let run = home.driftdeck(["apply", "nothing.json"]).exits(2);
    assert!(
        run.stderr.starts_with("error: nothing.json cannot be read\n  cause: No such file"),
        "{}",
        run.stderr
    );
    let run = home.driftdeck(["apply", "/dev/zero"]).exits(2);
    assert_eq!(run.stderr, "error: /dev/zero has more than 16777216 bytes\n");
    let deep = "[".repeat(100_000);
    let run = apply(&home, deep.as_bytes());
    let cause = run.json()["notices"][0]["cause"].as_str().unwrap().to_owned();
    assert!(cause.starts_with("it is not JSON: recursion limit exceeded"), "{cause}");
}

#[test]
fn a_plan_that_can_be_read_goes_on_to_the_cluster() {
    let (home, repository) = (Home::new(), Repository::new());
    repository
        .write("web/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n")
        .commit("Add web");
    let words = ["apply", "-", "-o", "json"];
    let run = home.driftdeck_in(repository.path(), words, document().to_string()).exits(2);
    assert_eq!(run.json()["notices"][0]["title"], "no kubeconfig was found", "{}", run.stdout);
}
