//! Rows 57-60: whole objects.

use super::{Stage, WAYS, Way};
use crate::support::Repository;

fn config_map(name: &str) -> String {
    format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{x: '1'}}\n")
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_57_an_object_that_is_not_live_is_missing() {
    for way in WAYS {
        let stage = Stage::applied("row-57", way, &config_map("a"));
        stage.declare(&(config_map("a") + &config_map("b")));
        assert_eq!(stage.resource("ConfigMap", "b")["verdict"], "missing");
        assert_eq!(stage.resource("ConfigMap", "a")["verdict"], "in-sync");
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_57_a_kind_that_is_not_served_is_unknown_and_its_definition_is_named() {
    let stage = Stage::applied("row-57", Way::ClientSide, &config_map("a"));
    stage.declare(&format!(
        "{}---\napiVersion: nowhere.example.com/v1\nkind: Widget\nmetadata: {{name: w}}\n",
        config_map("a")
    ));
    let widget = stage.resource("Widget", "w");
    assert_eq!(widget["verdict"], "unknown");
    let why = widget["why"].as_str().unwrap();
    assert!(why.contains("Widget") && why.contains("nowhere.example.com"), "{why}");
    stage.home.driftdeck(["check", "repo"]).exits(3);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_58_an_object_that_git_no_longer_declares_is_extra() {
    for way in WAYS {
        let stage = Stage::declared("row-58", way, &config_map("unused"));
        let repo = Repository::named("fleet");
        repo.write("app/all.yaml", config_map("a") + &config_map("b"));
        repo.commit("Declare both");
        stage.apply(&(config_map("a") + &config_map("b")));
        repo.write("app/all.yaml", config_map("a"));
        repo.commit("Declare one");
        let document = stage.home.driftdeck(["check", repo.path().to_str().unwrap(), "-o", "json"]).json();
        let rows: Vec<_> = document["resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| (r["name"].clone(), r["verdict"].clone()))
            .collect();
        assert_eq!(rows, [("b".into(), "extra".into()), ("a".into(), "in-sync".into())], "{document:#}");
        let mine = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: somebody-elses}\ndata: {}\n";
        stage.apply(mine);
        let document = stage.home.driftdeck(["check", repo.path().to_str().unwrap(), "-o", "json"]).json();
        assert_eq!(
            document["resources"].as_array().unwrap().len(),
            2,
            "what this app never declared is not its business"
        );
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_59_an_object_being_deleted_is_terminating_with_what_holds_it() {
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, finalizers: [example.com/hold]}\ndata: {x: '1'}\n";
    let stage = Stage::applied("row-59", Way::ClientSide, manifest);
    stage.namespace.kubectl(&["delete", "configmap/held", "--wait=false"]);
    let held = stage.resource("ConfigMap", "held");
    assert_eq!(
        (&held["verdict"], &held["finalizers"]),
        (&"terminating".into(), &serde_json::json!(["example.com/hold"]))
    );
    stage.namespace.patch(
        "configmap/held",
        "json",
        r#"[{"op":"remove","path":"/metadata/finalizers"}]"#,
        "test",
    );
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_60_an_object_with_a_generated_name_is_excluded() {
    let generated = "---\napiVersion: batch/v1\nkind: Job\nmetadata: {generateName: once-}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: 'a:1'}]}}}\n";
    let stage = Stage::applied("row-60", Way::ClientSide, &config_map("a"));
    stage.declare(&(config_map("a") + generated));
    let document = stage.check();
    let job = document["resources"].as_array().unwrap().iter().find(|r| r["kind"] == "Job").unwrap().clone();
    assert_eq!((&job["verdict"], &job["why"]), (&"excluded".into(), &"generateName".into()));
    assert_eq!(document["verdict"], "in-sync");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_app_that_was_never_deployed_here_is_excluded_and_an_expected_one_is_missing() {
    let stage = Stage::declared("not-here", Way::ClientSide, &config_map("a"));
    let repo = Repository::named("fleet");
    repo.write("apps/web/a.yaml", config_map("a"));
    repo.write("apps/cart/b.yaml", config_map("b"));
    repo.commit("Declare two apps");
    stage.apply(&config_map("a"));
    let place = repo.path().to_str().unwrap();
    let document = stage.home.driftdeck(["check", place, "-o", "json"]).json();
    let rows: Vec<_> = document["apps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| (a["name"].clone(), a["verdict"].clone(), a["why"].clone()))
        .collect();
    assert_eq!(
        rows,
        [
            ("cart".into(), "excluded".into(), "not deployed here".into()),
            ("web".into(), "in-sync".into(), serde_json::Value::Null)
        ]
    );
    let document = stage.home.driftdeck(["check", place, "--app", "cart", "-o", "json"]).json();
    assert_eq!(document["resources"][0]["verdict"], "missing", "asked for by its name: {document:#}");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_app_that_was_there_and_is_gone_is_missing_not_silent() {
    let stage = Stage::declared("gone", Way::ClientSide, &config_map("unused"));
    let repo = Repository::named("fleet");
    repo.write("apps/web/a.yaml", config_map("a"));
    repo.write("apps/cart/b.yaml", config_map("b"));
    repo.commit("Declare two apps");
    stage.apply(&(config_map("a") + &config_map("b")));
    let place = repo.path().to_str().unwrap();
    stage.home.driftdeck(["check", place]).exits(0);
    stage.namespace.kubectl(&["delete", "configmap/b"]);
    let document = stage.home.driftdeck(["check", place, "-o", "json"]).exits(1).json();
    let verdicts: Vec<_> = document["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["name"].clone(), r["verdict"].clone()))
        .collect();
    assert_eq!(verdicts, [("b".into(), "missing".into()), ("a".into(), "in-sync".into())], "{document:#}");
}
