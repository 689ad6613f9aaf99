//! `driftdeck render`.

use crate::support::Home;
use serde_json::json;

const TWO: &str = "\
# the first
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {mode: 0644, on: yes}
---
---
# only a comment
---
apiVersion: v1
kind: Secret
metadata: {name: b, namespace: shop}
stringData: {password: canary-value}
";

#[test]
fn manifests_come_with_origin_and_as_kubectl_reads_them() {
    let home = Home::new();
    home.write("app/two.yaml", TWO);
    let run = home.driftdeck(["render", "app", "-o", "json"]);
    let run = run.exits(0);
    let document = run.json();
    assert_eq!((&document["schema"], &document["command"]), (&json!("driftdeck/v1"), &json!("render")));
    let rows: Vec<_> = document["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| {
            json!([m["group"], m["version"], m["kind"], m["namespace"], m["name"], m["line"], m["problems"]])
        })
        .collect();
    assert_eq!(
        rows,
        [
            json!(["", "v1", "ConfigMap", "default", "a", 2, []]),
            json!(["", "v1", "Secret", "shop", "b", 10, []]),
        ]
    );
    assert_eq!(document["manifests"][0]["body"]["data"], json!({"mode": 420, "true": true}));
}

#[test]
fn secrets_are_fingerprints_unless_shown_on_purpose() {
    let home = Home::new();
    home.write("two.yaml", TWO);
    for form in ["json", "yaml", "text"] {
        let run = home.driftdeck(["render", "two.yaml", "-o", form]);
        let run = run.exits(0);
        assert!(!run.stdout.contains("canary-value"), "{form}");
    }
    let shown = home.driftdeck(["render", "two.yaml", "-o", "json", "--show-secrets"]);
    let shown = shown.exits(0);
    assert_eq!(shown.json()["manifests"][1]["body"]["stringData"]["password"], "canary-value");
}

#[test]
fn a_document_that_cannot_be_read_does_not_hide_the_rest() {
    let home = Home::new();
    home.write("two.yaml", format!("{TWO}---\nkind: [\n"));
    let run = home.driftdeck(["render", "two.yaml", "-o", "json"]);
    let run = run.exits(2);
    let document = run.json();
    assert_eq!(document["manifests"].as_array().unwrap().len(), 2);
    assert_eq!(document["notices"][0]["level"], "error");
    assert!(document["notices"][0]["file"].as_str().unwrap().ends_with("two.yaml"));
}

#[test]
fn standard_input_and_lists_are_read() {
    let home = Home::new();
    let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n";
    let run = home.driftdeck_in(home.path(), ["render", "-", "-o", "json", "--namespace", "shop"], list);
    let run = run.exits(0);
    let names: Vec<_> = run.json()["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| json!([m["namespace"], m["name"]]))
        .collect();
    assert_eq!(names, [json!(["shop", "a"]), json!(["shop", "b"])]);
}

#[test]
fn hostile_text_reaches_no_terminal_in_its_own_form() {
    let home = Home::new();
    home.write(
        "a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: \"\\e[2J\\u202e\\u009b31m\"}\n",
    );
    for form in ["text", "json", "yaml"] {
        let run = home.driftdeck(["render", "a.yaml", "-o", form]);
        let run = run.exits(0);
        let hostile = run.stdout.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(hostile, None, "{form}: {:?}", run.stdout);
    }
}

#[test]
fn a_path_with_nothing_to_render_says_so() {
    let home = Home::new();
    home.write("empty/notes.txt", "nothing");
    let run = home.driftdeck(["render", "empty"]);
    let run = run.exits(2);
    assert!(run.stderr.contains("nothing to render"), "{}", run.stderr);
}
