//! Rows 52-56, 61 and 62: whole lists and maps, immutable fields, finalizers, restarts, hooks, and what is declared twice.

use super::{Stage, WAYS, Way, deployment};
use crate::support::Repository;
use serde_json::json;

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_52_an_extra_entry_in_a_declared_atomic_list_or_map_is_drift_at_the_whole() {
    for way in WAYS {
        let stage = Stage::applied(
            "row-52",
            way,
            &deployment("        args: [a]\n      nodeSelector: {disk: fast}", ""),
        );
        let patch = r#"[
            {"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"b"},
            {"op":"add","path":"/spec/template/spec/nodeSelector/zone","value":"z"}]"#;
        stage.namespace.patch("deployment/web", "json", patch, "kubectl-edit");
        let changes = stage.assert_drift(&[
            (r#".spec.template.spec.containers[name="app"].args"#, "changed"),
            (".spec.template.spec.nodeSelector", "changed"),
        ]);
        assert!(changes.iter().all(|c| c["manager"] == "kubectl-edit"), "{changes:#?}");
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_54_a_changed_immutable_field_is_drift_that_needs_a_replacement() {
    for way in WAYS {
        let stage = Stage::applied("row-54", way, &deployment("", ""));
        stage.declare(&deployment("", "").replace("app: web", "app: other"));
        stage.assert_drift(&[
            (".spec.selector", "changed"),
            (".spec.template.metadata.labels.app", "changed"),
        ]);
        assert_eq!(stage.resource("Deployment", "web")["needsReplace"], true);
        stage.declare(&deployment("", "").replace("web:1", "web:2"));
        assert_eq!(stage.resource("Deployment", "web")["needsReplace"], false);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_55_a_declared_finalizer_that_is_gone_is_drift() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, finalizers: [example.com/hold, example.com/more]}\n";
    let remove = r#"[{"op":"remove","path":"/metadata/finalizers/1"}]"#;
    for way in WAYS {
        let stage = Stage::applied("row-55", way, map);
        stage.assert_in_sync();
        stage.namespace.patch("configmap/c", "json", remove, "kubectl-edit");
        stage.assert_drift(&[(r#".metadata.finalizers[="example.com/more"]"#, "deleted")]);
        stage.namespace.patch("configmap/c", "json", &remove.replace("/1", ""), "kubectl-edit");
        stage.assert_drift(&[
            (r#".metadata.finalizers[="example.com/hold"]"#, "deleted"),
            (r#".metadata.finalizers[="example.com/more"]"#, "deleted"),
        ]);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_56_a_restart_is_shown_and_does_not_count() {
    for way in WAYS {
        let stage = Stage::applied("row-56", way, &deployment("", ""));
        stage.namespace.kubectl(&["rollout", "restart", "deployment/web"]);
        stage.assert_in_sync();
        let changes = stage.resource("Deployment", "web")["changes"].clone();
        let shown = &changes[0];
        assert!(shown["path"].as_str().unwrap().contains("restartedAt"), "{changes:#}");
        assert_eq!((&shown["class"], &shown["counts"]), (&json!("foreign"), &json!(false)));
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_61_hooks_and_what_deployers_are_told_to_skip_are_excluded_whoever_deploys() {
    let marked = |name: &str, annotation: &str| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, annotations: {{{annotation}}}}}\n"
        )
    };
    let plain = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\n";
    let all = [
        ("a", "helm.sh/hook: post-install", "helm.sh/hook: post-install"),
        ("b", "argocd.argoproj.io/hook: PreSync", "argocd.argoproj.io/hook: PreSync"),
        (
            "c",
            "kustomize.toolkit.fluxcd.io/reconcile: disabled",
            "kustomize.toolkit.fluxcd.io/reconcile: disabled",
        ),
        ("d", "config.kubernetes.io/local-config: 'true'", "config.kubernetes.io/local-config: true"),
    ];
    for way in WAYS {
        let stage = Stage::applied("row-61", way, plain);
        let manifests: String = all.iter().map(|(name, annotation, _)| marked(name, annotation)).collect();
        stage.declare(&(manifests + plain));
        let document = stage.check();
        assert_eq!(document["verdict"], "in-sync", "{document:#}");
        for (name, _, why) in all {
            // Neither in the cluster nor missing there.
            let found = document["resources"].as_array().unwrap().iter().find(|r| r["name"] == name);
            if let Some(found) = found {
                assert_eq!((&found["verdict"], &found["why"]), (&json!("excluded"), &json!(why)));
            } else {
                assert_eq!(name, "d", "{document:#}");
            }
        }
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_62_an_object_that_is_declared_twice_is_told_with_both_files_or_both_apps() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {x: '1'}\n";
    let stage = Stage::applied("row-62", Way::ClientSide, map);
    let notices = |place: &str| {
        let document = stage.home.driftdeck(["check", place, "-o", "json"]).json();
        assert_eq!(document["verdict"], "in-sync", "{document:#}");
        document["notices"].to_string()
    };
    stage.home.write("repo/again.yaml", map);
    let told = notices("repo");
    assert!(told.contains("declared twice"), "{told}");
    assert!(told.contains("app.yaml:1") && told.contains("again.yaml:1"), "{told}");

    let repo = Repository::named("fleet");
    repo.write("apps/web/a.yaml", map);
    repo.write("apps/cart/b.yaml", map);
    repo.commit("Declare it in two apps");
    let told = notices(repo.path().to_str().unwrap());
    assert!(told.contains("declared by two apps: cart and web"), "{told}");
}
