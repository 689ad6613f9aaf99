//! Rows 41-51: what must be called drift, at which path, in which class, by whom.

use super::{Stage, WAYS, Way, counted, deployment};
use serde_json::json;

const APP: &str = r#".spec.template.spec.containers[name="app"]"#;

fn at(below: &str) -> String {
    format!("{APP}{below}")
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_41_an_edited_value_is_changed_with_its_manager_and_time() {
    for way in WAYS {
        let stage = Stage::applied("row-41", way, &deployment("", ""));
        let patch = r#"[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"web:2"}]"#;
        stage.namespace.patch("deployment/web", "json", patch, "kubectl-edit");
        let changes = stage.assert_drift(&[(&at(".image"), "changed")]);
        let change = &changes[0];
        assert_eq!(
            (&change["desired"], &change["live"], &change["manager"], &change["operation"], &change["cause"]),
            (&json!("web:1"), &json!("web:2"), &json!("kubectl-edit"), &json!("Update"), &json!("by-hand"))
        );
        assert!(change["time"].is_string());
        assert_eq!((&change["file"], &change["line"]), (&json!("app.yaml"), &json!(18)), "{change:#}");
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_41_a_scaled_deployment_names_its_replicas() {
    for way in WAYS {
        let stage = Stage::applied("row-41", way, &deployment("", ""));
        stage.namespace.kubectl(&["scale", "deployment/web", "--replicas=3"]);
        let changes = stage.assert_drift(&[(".spec.replicas", "changed")]);
        assert_eq!(
            (&changes[0]["manager"], &changes[0]["subresource"]),
            (&json!("kubectl"), &json!("scale"))
        );
        assert_eq!(changes[0]["cause"], "by-hand");
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_42_a_declared_field_that_was_deleted_has_no_actor() {
    for way in WAYS {
        let stage = Stage::applied(
            "row-42",
            way,
            &deployment("        env: [{name: A, value: '1'}, {name: B, value: '2'}]", ""),
        );
        let patch = r#"[{"op":"remove","path":"/spec/template/spec/containers/0/env/1"}]"#;
        stage.namespace.patch("deployment/web", "json", patch, "kubectl-edit");
        let changes = stage.assert_drift(&[(&at(r#".env[name="B"]"#), "deleted")]);
        assert_eq!(changes[0]["manager"], json!(null), "who deleted it is not recorded");
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn rows_43_and_44_what_git_no_longer_declares_is_a_leftover() {
    for way in WAYS {
        let stage = Stage::applied(
            "row-43",
            way,
            &deployment("        env: [{name: A, value: '1'}]", "  minReadySeconds: 5"),
        );
        stage.declare(&deployment("", ""));
        stage.assert_drift(&[(".spec.minReadySeconds", "leftover"), (&at(".env"), "leftover")]);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_45_a_removed_field_that_equals_its_default_is_in_sync() {
    for way in WAYS {
        let stage = Stage::applied(
            "row-45",
            way,
            &deployment("        imagePullPolicy: IfNotPresent", "  revisionHistoryLimit: 10"),
        );
        stage.declare(&deployment("", ""));
        stage.assert_in_sync();
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_46_a_leftover_that_another_manager_owns_too_is_kept_by_it() {
    let stage = Stage::applied("row-46", Way::ServerSide, &deployment("", "  minReadySeconds: 5"));
    let part = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {minReadySeconds: 5}\n";
    stage.namespace.apply_server_side(part, "other-bot");
    stage.declare(&deployment("", ""));
    let resource = stage.resource("Deployment", "web");
    let change = resource["changes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["path"] == ".spec.minReadySeconds")
        .cloned();
    let change = change.unwrap_or_else(|| panic!("{resource:#}"));
    assert!(change["note"].as_str().is_some_and(|note| note.contains("other-bot")), "{change:#}");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_47_a_removed_label_is_a_leftover() {
    let labelled = |labels: &str| {
        deployment("", "").replace("  name: web\nspec:", &format!("  name: web\n  labels: {labels}\nspec:"))
    };
    for way in WAYS {
        let stage = Stage::applied("row-47", way, &labelled("{tier: front, team: shop}"));
        stage.declare(&labelled("{tier: front}"));
        stage.assert_drift(&[(".metadata.labels.team", "leftover")]);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_48_a_custom_resource_edited_by_hand_is_drift() {
    let group = format!("row48-{}.example.com", std::process::id());
    let definition = format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: coupons.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{plural: coupons, kind: Coupon}}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {{spec: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}
"
    );
    let coupon = format!(
        "apiVersion: {group}/v1\nkind: Coupon\nmetadata: {{name: c}}\nspec: {{percent: 10, codes: [a, b]}}\n"
    );
    for way in WAYS {
        let stage = Stage::declared("row-48", way, &coupon);
        stage.namespace.apply(&definition);
        stage.namespace.plane.established(&[&format!("crd/coupons.{group}")]);
        stage.apply(&coupon);
        stage.assert_in_sync();
        let patch = r#"{"spec":{"percent":50,"codes":["a"],"free":true}}"#;
        stage.namespace.patch(&format!("coupons.{group}/c"), "merge", patch, "kubectl-edit");
        stage.assert_drift(&[
            (".spec.codes", "changed"),
            (".spec.free", "foreign"),
            (".spec.percent", "changed"),
        ]);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_49_an_env_variable_a_port_and_a_container_added_by_hand_are_drift() {
    for way in WAYS {
        let stage = Stage::applied(
            "row-49",
            way,
            &deployment("        env: [{name: A, value: '1'}]\n        ports: [{containerPort: 80}]", ""),
        );
        let patch = r#"[
            {"op":"add","path":"/spec/template/spec/containers/0/env/-","value":{"name":"DEBUG","value":"1"}},
            {"op":"add","path":"/spec/template/spec/containers/0/ports/-","value":{"containerPort":9090}},
            {"op":"add","path":"/spec/template/spec/containers/-","value":{"name":"shell","image":"shell:1"}}]"#;
        stage.namespace.patch("deployment/web", "json", patch, "kubectl-edit");
        let changes = stage.assert_drift(&[
            (&at(r#".env[name="DEBUG"]"#), "foreign"),
            (&at(r#".ports[containerPort=9090,protocol="TCP"]"#), "foreign"),
            (r#".spec.template.spec.containers[name="shell"]"#, "foreign"),
        ]);
        assert!(
            changes.iter().all(|c| c["manager"] == "kubectl-edit" && c["cause"] == "by-hand"),
            "{changes:#?}"
        );
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_50_a_map_key_added_by_hand_is_drift() {
    for way in WAYS {
        let stage = Stage::applied(
            "row-50",
            way,
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: '1'}\n",
        );
        stage.namespace.patch("configmap/c", "merge", r#"{"data":{"b":"2"}}"#, "kubectl-edit");
        stage.namespace.kubectl(&["label", "configmap/c", "team=night"]);
        // Labels are told one by one even where Git declares none: the server and deployers keep keys of their own there.
        let changes = stage.assert_drift(&[(".data.b", "foreign"), (".metadata.labels.team", "foreign")]);
        assert_eq!(changes[1]["manager"], "kubectl-label");
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_51_a_default_changed_by_hand_is_drift() {
    for way in WAYS {
        let stage = Stage::applied("row-51", way, &deployment("", ""));
        let patch = r#"{"spec":{"paused":true,"revisionHistoryLimit":3}}"#;
        stage.namespace.patch("deployment/web", "merge", patch, "kubectl-edit");
        stage.assert_drift(&[(".spec.paused", "foreign"), (".spec.revisionHistoryLimit", "foreign")]);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_a_controller_adds_is_shown_and_does_not_count() {
    for way in WAYS {
        let stage = Stage::applied("foreign", way, &deployment("", ""));
        stage.namespace.patch(
            "deployment/web",
            "merge",
            r#"{"metadata":{"annotations":{"example.com/seen":"1"}}}"#,
            "kube-controller-manager",
        );
        stage.assert_in_sync();
        let resource = stage.resource("Deployment", "web");
        let shown = resource["changes"].as_array().unwrap();
        assert!(
            shown.iter().any(|c| c["class"] == "foreign" && c["manager"] == "kube-controller-manager"),
            "{resource:#}"
        );
        assert!(counted(&stage.check()).is_empty());
    }
}
