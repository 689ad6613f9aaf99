//! Rows 37-40: desired state that cannot be applied is caught before anybody syncs, with file and line.

use super::{exactly, resource};
use crate::catalogue::{Stage, WAYS, Way, deployment};
use serde_json::{Value, json};

/// Asserts that an object is invalid, locally or only exactly, with these problems as path, words and line.
#[track_caller]
fn assert_invalid(stage: &Stage, kind: &str, name: &str, locally: bool, expected: &[(&str, &str, u64)]) {
    let local = stage.resource(kind, name);
    assert_eq!(local["verdict"] == "invalid", locally, "locally: {local:#}");
    let exact = resource(&exactly(stage), kind, name);
    assert_eq!((&exact["verdict"], &exact["confidence"]), (&json!("invalid"), &json!("exact")), "{exact:#}");
    let problems = exact["problems"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for (path, words, line) in expected {
        let found = problems.iter().find(|p| p["path"] == *path && text(&p["title"]).contains(words));
        let problem = found.unwrap_or_else(|| panic!("no {path} with {words}: {exact:#}"));
        assert_eq!(
            (text(&problem["file"]), &problem["line"]),
            ("app.yaml".to_owned(), &json!(line)),
            "{exact:#}"
        );
    }
    assert_eq!(problems.len(), expected.len(), "{exact:#}");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_37_a_key_that_stands_twice_in_the_file_is_invalid_though_the_server_never_sees_it() {
    for way in WAYS {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata:\n  a: one\n  a: two\n";
        let stage = Stage::declared("row-37", way, text);
        stage.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata:\n  a: two\n");
        assert_invalid(&stage, "ConfigMap", "settings", true, &[(".data.a", "duplicate key", 6)]);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_38_a_list_key_that_stands_twice_is_invalid() {
    for way in WAYS {
        let stage = Stage::applied("row-38", way, &deployment("", ""));
        stage.declare(&deployment(
            "        env:\n        - {name: A, value: '1'}\n        - {name: A, value: '2'}",
            "",
        ));
        let at = r#".spec.template.spec.containers[name="app"].env[name="A"]"#;
        assert_invalid(&stage, "Deployment", "web", true, &[(at, "same name", 21)]);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_39_a_misspelled_field_is_invalid_at_its_line() {
    for way in WAYS {
        let stage = Stage::applied("row-39", way, &deployment("", ""));
        stage.declare(&deployment("        imagePulPolicy: Always", ""));
        let at = r#".spec.template.spec.containers[name="app"].imagePulPolicy"#;
        assert_invalid(&stage, "Deployment", "web", true, &[(at, "", 19)]);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_40_what_validation_refuses_is_invalid_only_exactly_in_the_servers_words_at_its_line() {
    for way in WAYS {
        let stage = Stage::applied("row-40", way, &deployment("", ""));
        stage.declare(&deployment("        ports:\n        - {containerPort: 70000}", ""));
        let at = ".spec.template.spec.containers[0].ports[0].containerPort";
        assert_invalid(&stage, "Deployment", "web", false, &[(at, "must be between 1 and 65535", 20)]);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_40_an_object_that_is_not_there_yet_is_checked_too() {
    let stage = Stage::declared("row-40", Way::ServerSide, "");
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n---\n\
                apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports:\n  - port: 80\n    targetPort: -1\n";
    stage.declare(text);
    stage.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n");
    assert_invalid(&stage, "Service", "web", false, &[(".spec.ports[0].targetPort", "", 11)]);
    let document = exactly(&stage);
    assert_eq!(resource(&document, "ConfigMap", "settings")["verdict"], "in-sync");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_40_what_a_policy_refuses_is_invalid_in_its_words() {
    let stage = Stage::applied("row-40", Way::ClientSide, &deployment("", ""));
    let name = &stage.namespace.name;
    let policy = format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{name: {name}}}\n\
         spec:\n  matchConstraints:\n    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {name}}}}}\n    \
         resourceRules: [{{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}}]\n  \
         validations: [{{expression: 'object.spec.replicas <= 5', message: 'at most five'}}]\n---\n\
         apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {{name: {name}}}\n\
         spec: {{policyName: {name}, validationActions: [Deny]}}\n"
    );
    stage.namespace.plane.try_kubectl(&["apply", "-f", "-"], &policy).exits(0);
    crate::support::eventually("the policy is in force", || {
        let scale = ["scale", "deployment/web", "--replicas=9", "--dry-run=server"];
        (stage.namespace.try_kubectl(&scale, "").code == 0).then_some(())?;
        let patch = ["patch", "deployment/web", "--dry-run=server", "--patch", r#"{"spec":{"replicas":9}}"#];
        (stage.namespace.try_kubectl(&patch, "").code != 0).then_some(())
    });
    stage.declare(&deployment("", "").replace("replicas: 1", "replicas: 9"));
    assert_invalid(&stage, "Deployment", "web", false, &[(".", "at most five", 1)]);
    stage.namespace.plane.try_kubectl(&["delete", "-f", "-"], &policy).exits(0);
}
