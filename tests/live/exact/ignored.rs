//! Ignore rules and the exact check: what a rule hides is not asked about, and what only the server sees can be hidden.

use super::{exactly, resource};
use crate::catalogue::{Stage, WAYS, deployment};
use crate::support::Webhook;
use serde_json::{Value, json};

const JOB: &str = "\
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: app, image: 'job:1'}
";
const IMAGE: &str = "/spec/template/spec/containers/0/image";

/// The verdict, whether it is exact, and the paths that rules hide.
fn told(resource: &Value) -> (String, String, Vec<String>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let changes = resource["changes"].as_array().unwrap().iter().filter(|c| c["class"] == "ignored");
    let paths = changes.map(|change| text(&change["path"])).collect();
    (text(&resource["verdict"]), text(&resource["confidence"]), paths)
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_field_that_a_rule_hides_is_not_sent_even_where_the_server_would_refuse_it() {
    for way in WAYS {
        let stage = Stage::applied("ignored-job", way, JOB);
        stage.declare(&JOB.replace("job:1", "job:2"));
        assert_eq!(resource(&exactly(&stage), "Job", "once")["needsReplace"], json!(true), "{way:?}");
        stage.home.write("repo/.driftdeck.yaml", "ignore:\n- {kind: Job, fields: .spec.template}\n");
        let once = resource(&exactly(&stage), "Job", "once");
        let image = r#".spec.template.spec.containers[name="app"].image"#.to_owned();
        assert_eq!(told(&once), ("in-sync".to_owned(), "exact".to_owned(), vec![image]), "{way:?} {once:#}");
        assert_eq!(once["problems"], json!([]), "{once:#}");
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_only_the_server_sees_is_hidden_by_a_rule_as_everything_else() {
    let stage = Stage::applied("ignored-unseen", WAYS[1], &deployment("", ""));
    let webhook = Webhook::on(&stage.namespace, "apps", "deployments", |request| {
        let image = request["object"].pointer(IMAGE).and_then(Value::as_str).unwrap_or_default();
        let operation = json!({"op": "replace", "path": IMAGE, "value": "web:1@pinned"});
        Ok(if image == "web:1" { vec![operation] } else { Vec::new() })
    });
    webhook.await_in_force(|| {
        let label = r#"{"metadata":{"labels":{"a":"b"}}}"#;
        let words =
            ["patch", "deployment", "web", "--type=merge", "-p", label, "--dry-run=server", "-o", "yaml"];
        stage.namespace.kubectl(&words).contains("web:1@pinned")
    });
    let web = resource(&exactly(&stage), "Deployment", "web");
    assert_eq!(told(&web), ("drifted".to_owned(), "exact".to_owned(), Vec::new()), "{web:#}");
    stage.home.write(
        "repo/.driftdeck.yaml",
        "ignore:\n- {kind: Deployment, fields: '.spec.template.spec.containers[*].image'}\n",
    );
    let web = resource(&exactly(&stage), "Deployment", "web");
    let image = r#".spec.template.spec.containers[name="app"].image"#.to_owned();
    assert_eq!(told(&web), ("in-sync".to_owned(), "exact".to_owned(), vec![image]), "{web:#}");
    assert_eq!(web["exact"]["disagreements"], json!([]), "{web:#}");
}
