//! Rows 14, 19, 22 and 23: what controllers write beside Git, or over it.

use super::{Stage, WAYS, Way, counted, deployment, inject_certificate, webhook};
use serde_json::json;

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_14_the_metrics_of_an_autoscaler_in_another_order_are_in_sync() {
    let scaler = |metrics: &str| {
        format!(
            "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: web}}
spec: {{scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}, maxReplicas: 3, metrics: [{metrics}]}}
"
        )
    };
    let (cpu, memory) = (
        "{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}",
        "{type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 1024Mi}}}",
    );
    for way in WAYS {
        let stage = Stage::applied("row-14", way, &scaler(&format!("{cpu}, {memory}")));
        stage.assert_in_sync();
        stage.declare(&scaler(&format!("{}, {cpu}", memory.replace("1024Mi", "1Gi"))));
        stage.assert_in_sync();
        stage.declare(&scaler(&format!("{memory}, {}", cpu.replace("70", "60"))));
        stage.assert_drift(&[(".spec.metrics", "changed")]);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_19_a_placeholder_that_a_controller_filled_with_a_certificate_is_delegated() {
    let name = format!("row-19-{}.example.com", std::process::id());
    let manifest = webhook(&name, ", caBundle: Cg==");
    for way in WAYS {
        let stage = Stage::applied("row-19", way, &manifest);
        let object = format!("validatingwebhookconfiguration/{name}");
        stage.assert_in_sync();
        inject_certificate(&stage, &object);
        stage.assert_in_sync();
        let shown = stage.resource("ValidatingWebhookConfiguration", &name)["changes"].clone();
        assert_eq!((&shown[0]["class"], &shown[0]["manager"]), (&json!("delegated"), &json!("cainjector")));
        stage.namespace.kubectl(&["delete", &object]);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_22_a_declared_field_that_a_controller_rewrites_is_contended_and_names_it() {
    for way in WAYS {
        let stage = Stage::applied("row-22", way, &deployment("", ""));
        let patch = r#"{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"web:9"}]}}}}"#;
        stage.namespace.patch("deployment/web", "strategic", patch, "image-operator");
        let image = r#".spec.template.spec.containers[name="app"].image"#;
        let changes = stage.assert_drift(&[(image, "contended")]);
        assert_eq!(
            (&changes[0]["manager"], &changes[0]["cause"]),
            (&json!("image-operator"), &json!("controller"))
        );
        // It does so again after every sync.
        let mut words = vec!["apply", "-f", "-"];
        if way == Way::ServerSide {
            words.extend(["--server-side", "--force-conflicts", "--field-manager=deploy-bot"]);
        }
        stage.namespace.try_kubectl(&words, &deployment("", "")).exits(0);
        stage.assert_in_sync();
        stage.namespace.patch("deployment/web", "strategic", patch, "image-operator");
        stage.assert_drift(&[(image, "contended")]);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_23_replicas_of_an_active_autoscaler_are_in_sync_undeclared_and_contended_but_not_counted_declared() {
    let scaler = "---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, minReplicas: 3, maxReplicas: 5}
";
    for way in WAYS {
        for declared in [true, false] {
            let web = deployment("", "");
            let web = if declared { web } else { web.replace("  replicas: 1\n", "") };
            let stage = Stage::applied("row-23", way, &(web + scaler));
            // The controller brings it up to the least number, with or without metrics.
            stage.namespace.await_object("deployment/web", "is scaled", |live| live["spec"]["replicas"] == 3);
            stage.assert_in_sync();
            let changes = stage.resource("Deployment", "web")["changes"].clone();
            if declared {
                assert_eq!(
                    (
                        &changes[0]["path"],
                        &changes[0]["class"],
                        &changes[0]["counts"],
                        &changes[0]["manager"]
                    ),
                    (
                        &json!(".spec.replicas"),
                        &json!("contended"),
                        &json!(false),
                        &json!("kube-controller-manager")
                    )
                );
                let agent = format!("Horizontal Pod Autoscaler {}/web", stage.namespace.name);
                assert_eq!(
                    (&changes[0]["cause"], &changes[0]["agent"], &changes[0]["subresource"]),
                    (&json!("controller"), &json!(agent), &json!("scale"))
                );
            }
            assert!(counted(&stage.check()).is_empty());
        }
    }
}
