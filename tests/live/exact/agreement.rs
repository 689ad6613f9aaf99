//! How far the comparison here agrees with the API server, as `driftdeck doctor --exact` prints it. The test of all of
//! kube-prometheus stands in `whole.rs`.

use super::{exactly, resource};
use crate::catalogue::aggregated;
use crate::support::{Home, Namespace, Run, corpus};
use serde_json::Value;

/// Runs the doctor on a repository and asserts that everything was asked about and that both agree.
#[track_caller]
pub fn assert_agrees(home: &Home, place: &str, at_least: u64, subject: &str) {
    let document = home.driftdeck(["doctor", "--exact", place, "-o", "json"]).exits(0).json();
    let agreement = &document["agreement"];
    let objects = agreement["objects"].as_u64().unwrap();
    assert!(objects >= at_least, "{subject}: {document:#}");
    assert_eq!(agreement["disagreements"], Value::Array(Vec::new()), "{subject}");
    assert_eq!(agreement["withoutAnswer"], 0, "{subject}: {document:#}");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn local_and_exact_agree_over_podinfo_in_every_way_of_deploying_drifted_or_not() {
    let Some(podinfo) = corpus("manifests/podinfo") else { return };
    for way in ["client-side", "server-side", "helm"] {
        let namespace = Namespace::new("agree");
        let home = namespace.home();
        let folder = if way == "helm" {
            let chart = home.copy(&podinfo.join("charts/podinfo"), "repo/charts/podinfo");
            let install = ["install", "podinfo", ".", "--namespace", &namespace.name];
            Run::of(home.command("helm").current_dir(&chart).args(install)).exits(0);
            "repo/charts/podinfo"
        } else {
            let folder = home.copy(&podinfo.join("kustomize"), "repo").display().to_string();
            let more: &[&str] = if way == "server-side" { &["--server-side"] } else { &[] };
            namespace.kubectl(&[&["apply", "-k", &folder], more].concat());
            "repo"
        };
        assert_agrees(&home, folder, 2, way);
        let replace = r#"[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"podinfo:hot"},
            {"op":"replace","path":"/spec/template/spec/containers/0/ports/0/containerPort","value":9999},
            {"op":"add","path":"/spec/template/spec/containers/0/env/-","value":{"name":"DEBUG","value":"1"}},
            {"op":"add","path":"/metadata/labels","value":{"by":"hand"}}]"#;
        let replace = if way == "helm" {
            replace.replace("env/-\",\"value\":{", "env\",\"value\":[{").replace("\"1\"}}", "\"1\"}]}")
        } else {
            replace.to_owned()
        };
        namespace.patch("deployment/podinfo", "json", &replace, "kubectl-edit");
        assert_agrees(&home, folder, 2, &format!("{way}, drifted"));
        if way == "helm" {
            let words = ["uninstall", "podinfo", "--namespace", &namespace.name];
            Run::of(home.command("helm").args(words)).exits(0);
        }
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_8_is_where_both_disagree_because_a_dry_run_does_not_know_that_a_controller_fills_in_the_rules() {
    let name = format!("agree-{}", std::process::id());
    let stage = aggregated("agree-row-8", &name);
    let role = resource(&exactly(&stage), "ClusterRole", &name);
    assert_eq!((&role["verdict"], &role["confidence"]), (&"in-sync".into(), &"exact".into()), "{role:#}");
    let disagreements = role["exact"]["disagreements"].as_array().unwrap();
    assert_eq!(disagreements.len(), 1, "{role:#}");
    let told = |field: &str| disagreements[0][field].as_str().unwrap().to_owned();
    assert_eq!((told("path"), told("shown")), (".rules".to_owned(), "local".to_owned()), "{role:#}");
    assert_eq!((told("local"), told("exact")), ("delegated".to_owned(), "changed".to_owned()));
    assert!(!told("why").is_empty());
    stage.namespace.kubectl(&["delete", "clusterrole", &name, &format!("{name}-part")]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn the_doctor_says_what_is_there_what_is_missing_and_what_follows() {
    let namespace = Namespace::new("doctor");
    let home = Home::new();
    namespace.plane.access("ana").in_namespace(&namespace.name).write_into(&home);
    namespace.allow("ana", "get,list,watch", "configmaps");
    home.write(
        "repo/app.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n",
    );
    crate::support::eventually("the rights are in force", || {
        let document = home.driftdeck(["doctor", "repo", "-o", "json"]).exits(0).json();
        assert_eq!(document["command"], "doctor");
        let findings = document["findings"].as_array().unwrap().clone();
        let find =
            |subject: &str| findings.iter().find(|f| f["subject"] == subject).cloned().unwrap_or_default();
        let rights = find("rights");
        let says = rights["says"].as_str().unwrap_or_default().to_owned();
        (says == "may list 1 and patch 0 of 1 declared kinds and namespaces").then_some(())?;
        assert!(rights["follows"].as_str().unwrap().contains("no exact check and no sync"), "{rights:#}");
        assert_eq!(find("webhooks and policies")["condition"], "limited", "ana may not read them");
        assert!(find("connection")["says"].as_str().unwrap().starts_with("Kubernetes 1.36, as ana"));
        assert_eq!(find("git")["condition"], "fine");
        assert_eq!(find("configuration")["condition"], "fine");
        Some(())
    });
    let text = home.driftdeck(["doctor", "repo"]).exits(0).stdout;
    assert!(text.contains("kubeconfig") && text.contains("plane"), "{text}");
}
