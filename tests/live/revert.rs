//! `driftdeck revert` against a real API server: what it would change there is shown first, and what it did is seen.

use crate::support::{Namespace, Repository};
use serde_json::json;

fn map(colour: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{colour: {colour}, shape: round}}\n"
    )
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn the_rendered_effect_is_shown_before_the_commit_and_a_sync_then_writes_it() {
    let (namespace, repository) = (Namespace::new("revert"), Repository::new());
    let blue = repository.write("web/all.yaml", map("blue")).commit("Paint it blue");
    repository.write("web/all.yaml", map("red")).commit("Paint it red");
    namespace.apply_path(repository.path().join("web"));
    let home = namespace.home();
    home.write("gitconfig", "[user]\n\tname = Ana\n\temail = ana@example.com\n");
    let run = |words: &[&str], code: i32| home.driftdeck_in(repository.path(), words, "").exits(code);
    let document = run(&["revert", "web", &blue, "--dry-run", "-o", "json"], 0).json();
    let plan = &document["plan"];
    assert!(plan["cluster"].is_string(), "{plan:#}");
    for side in ["declared", "live"] {
        let changes = &plan[side]["resources"][0]["changes"];
        let [change] = changes.as_array().unwrap().as_slice() else { panic!("{plan:#}") };
        assert_eq!(
            (&change["path"], &change["desired"], &change["live"]),
            (&json!(".data.colour"), &json!("blue"), &json!("red")),
            "{side}"
        );
    }
    let text = run(&["revert", "web", &blue, "--dry-run"], 0).stdout;
    assert!(text.contains("\"red\" → \"blue\"") && text.contains("changed web/all.yaml  +1 -1"), "{text}");

    run(&["revert", "web", &blue, "--yes"], 0);
    let diff = run(&["check", "-o", "json"], 1).json();
    assert_eq!(diff["resources"][0]["changes"][0]["desired"], "blue");
    run(&["sync", "web", "--yes"], 0);
    assert_eq!(namespace.get("configmap/settings").unwrap()["data"]["colour"], "blue");
}
