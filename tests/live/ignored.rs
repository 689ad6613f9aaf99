//! Ignore rules against a real cluster: what they hide stays counted, and a sync leaves it alone.

use crate::support::Namespace;
use serde_json::json;

const APP: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: app, image: 'web:1'}
";

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_a_rule_hides_is_in_sync_and_counted_and_a_sync_leaves_it_alone() {
    for server_side in [false, true] {
        let namespace = Namespace::new(if server_side { "ignored-ssa" } else { "ignored" });
        let home = namespace.home();
        home.write("repo/web/app.yaml", APP);
        if server_side {
            namespace.apply_server_side(APP, "driftdeck");
        } else {
            namespace.apply(APP);
        }
        namespace.kubectl(&["scale", "deployment", "web", "--replicas=5"]);
        let check = |exit| home.driftdeck(["check", "repo", "-o", "json"]).exits(exit).json();
        assert_eq!(check(1)["apps"][0]["ignored"], 0);

        home.write(
            "repo/.driftdeck.yaml",
            "ignore:\n- {kind: Deployment, fields: .spec.replicas}\n- {kind: StatefulSet, fields: .spec.replicas}\n",
        );
        let document = check(0);
        assert_eq!((&document["verdict"], &document["apps"][0]["ignored"]), (&json!("in-sync"), &json!(1)));
        let notices: Vec<_> = document["notices"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|n| n["file"] == ".driftdeck.yaml")
            .map(|n| {
                (n["level"].as_str().unwrap(), n["title"].as_str().unwrap(), n["line"].as_u64().unwrap())
            })
            .collect();
        assert_eq!(
            notices,
            [
                ("warning", "repo has 2 ignore rules more than when it was last looked at", 2),
                (
                    "warning",
                    "an ignore rule is about no object of this run: kind StatefulSet, .spec.replicas",
                    3
                ),
            ]
        );

        // Another field drifts: a sync puts that right, and does not scale.
        namespace.kubectl(&["set", "image", "deployment/web", "app=web:9"]);
        home.driftdeck(["sync", "web", "repo", "--yes", "--dirty"]).exits(0);
        let live = |path: &str| {
            namespace.kubectl(&["get", "deployment", "web", "-o", &format!("jsonpath={{{path}}}")])
        };
        assert_eq!((live(".spec.replicas"), live("..image")), ("5".to_owned(), "web:1".to_owned()));
        assert_eq!(check(0)["apps"][0]["ignored"], 1);
    }
}
