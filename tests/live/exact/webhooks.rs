//! Rows 18, 20 and 21: what admission webhooks do to declared objects, and webhooks that refuse dry runs.

use super::{counted, exactly, resource};
use crate::catalogue::{Stage, WAYS, deployment};
use crate::support::{Fault, FaultProxy, Matching, Webhook};
use serde_json::{Value, json};

const IMAGE: &str = "/spec/template/spec/containers/0/image";
const DIGEST: &str = "web:1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Rewrites an image's tag to its digest, as registries' webhooks do.
#[allow(clippy::unnecessary_wraps, reason = "a webhook may refuse")]
fn pins(request: &Value) -> Result<Vec<Value>, String> {
    let image = request["object"].pointer(IMAGE).and_then(Value::as_str).unwrap_or_default();
    let operation = json!({"op": "replace", "path": IMAGE, "value": DIGEST});
    Ok(if image == "web:1" { vec![operation] } else { Vec::new() })
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_21_a_declared_value_that_a_webhook_rewrites_is_in_sync_exactly_and_marked_before() {
    for way in WAYS {
        let stage = Stage::declared("row-21", way, &deployment("", ""));
        let webhook = Webhook::on(&stage.namespace, "apps", "deployments", pins);
        webhook.await_in_force(|| {
            stage.apply(&deployment("", ""));
            let live = stage.namespace.get("deployment/web").unwrap();
            let pinned = live.pointer(IMAGE).is_some_and(|image| image == DIGEST);
            if !pinned {
                stage.namespace.kubectl(&["delete", "deployment", "web"]);
            }
            pinned
        });
        let local = stage.resource("Deployment", "web");
        assert_eq!(local["verdict"], "drifted", "{way:?}: the comparison here cannot know");
        assert_eq!(local["needsExact"], format!("webhook {} may rewrite it", webhook.name), "and says so");
        let document = exactly(&stage);
        let exact = resource(&document, "Deployment", "web");
        assert_eq!(
            (&exact["verdict"], &exact["confidence"]),
            (&json!("in-sync"), &json!("exact")),
            "{exact:#}"
        );
        assert_eq!(exact["needsExact"], json!(null));
        assert!(exact["exact"]["at"].is_string(), "it says when");
        let disagreement = &exact["exact"]["disagreements"][0];
        assert_eq!(
            (&disagreement["local"], &disagreement["exact"], &disagreement["shown"]),
            (&json!("changed"), &json!("unchanged"), &json!("exact")),
            "{exact:#}"
        );
        // What a person changes besides is still found.
        stage.namespace.kubectl(&["scale", "deployment/web", "--replicas=4"]);
        let exact = resource(&exactly(&stage), "Deployment", "web");
        assert_eq!(counted(&exact), [(".spec.replicas".to_owned(), "changed".to_owned())], "{exact:#}");
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_20_an_undeclared_field_that_a_webhook_adds_is_no_drift_locally_or_exactly() {
    for way in WAYS {
        let stage = Stage::declared("row-20", way, &deployment("", ""));
        let injects = |request: &Value| {
            let sidecar = json!({"name": "sidecar", "image": "proxy:1"});
            let at = "/spec/template/spec/containers";
            let count = request["object"].pointer(at).and_then(Value::as_array).map_or(0, Vec::len);
            let operation = json!({"op": "add", "path": format!("{at}/-"), "value": sidecar});
            Ok(if count == 1 { vec![operation] } else { Vec::new() })
        };
        let webhook = Webhook::on(&stage.namespace, "apps", "deployments", injects);
        webhook.await_in_force(|| {
            stage.apply(&deployment("", ""));
            let live = stage.namespace.get("deployment/web").unwrap();
            let there = live.pointer("/spec/template/spec/containers/1").is_some();
            if !there {
                stage.namespace.kubectl(&["delete", "deployment", "web"]);
            }
            there
        });
        let exact = resource(&exactly(&stage), "Deployment", "web");
        assert_eq!(
            (&exact["verdict"], &exact["confidence"]),
            (&json!("in-sync"), &json!("exact")),
            "{way:?} {exact:#}"
        );
        assert_eq!(exact["exact"]["disagreements"], json!([]), "{exact:#}");
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn row_18_an_injected_ca_bundle_that_git_does_not_declare_is_no_drift() {
    for way in WAYS {
        let stage = Stage::declared("row-18", way, "");
        let name = stage.namespace.name.clone();
        let manifest = format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {{name: {name}}}\n\
             webhooks:\n- name: a.example.com\n  clientConfig: {{url: 'https://127.0.0.1:1/'}}\n  failurePolicy: Ignore\n  \
             namespaceSelector: {{matchLabels: {{nobody: has-it}}}}\n  rules:\n  - apiGroups: [nobody.example.com]\n    apiVersions: [v1]\n    \
             resources: [nothing]\n    operations: [CREATE]\n  sideEffects: None\n  admissionReviewVersions: [v1]\n"
        );
        stage.declare(&manifest);
        stage.apply(&manifest);
        let bundle = std::fs::read_to_string(stage.namespace.plane.folder.join("ca.crt")).unwrap();
        let bundle = {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(bundle)
        };
        let patch =
            json!([{"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": bundle}]).to_string();
        let object = format!("validatingwebhookconfiguration/{name}");
        stage.namespace.patch(&object, "json", &patch, "cainjector");
        stage.assert_in_sync();
        let exact = resource(&exactly(&stage), "ValidatingWebhookConfiguration", &name);
        assert_eq!(
            (&exact["verdict"], &exact["confidence"]),
            (&json!("in-sync"), &json!("exact")),
            "{way:?} {exact:#}"
        );
        stage.namespace.kubectl(&["delete", &object]);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_webhook_that_refuses_dry_runs_is_named_and_the_others_keep_their_exact_verdict() {
    let manifests = deployment("", "")
        + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n";
    let stage = Stage::applied("no-dry-run", WAYS[0], &manifests);
    let webhook = Webhook::on(&stage.namespace, "apps", "deployments", |request| {
        if request["dryRun"] == true {
            Err("it books a slot, so no dry runs here".to_owned())
        } else {
            Ok(Vec::new())
        }
    });
    webhook.await_in_force(|| {
        stage.namespace.try_kubectl(&["label", "deployment", "web", "a=b", "--dry-run=server"], "").code != 0
    });
    let document = exactly(&stage);
    let refused = resource(&document, "Deployment", "web");
    assert_eq!((&refused["verdict"], &refused["confidence"]), (&json!("in-sync"), &json!("local")));
    let why = refused["needsExact"].as_str().unwrap();
    assert!(why.contains(&webhook.name) && why.contains("no dry runs"), "{why}");
    let other = resource(&document, "ConfigMap", "settings");
    assert_eq!((&other["verdict"], &other["confidence"]), (&json!("in-sync"), &json!("exact")));
    assert_eq!(document["notices"][0]["title"], "1 object keeps its local verdict", "{document:#}");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_webhook_with_side_effects_of_an_older_cluster_is_named_too() {
    let stage = Stage::applied("side-effects", WAYS[1], &deployment("", ""));
    let proxy = FaultProxy::in_front_of(&stage.namespace.plane);
    proxy.through(stage.namespace.access()).write_into(&stage.home);
    // The v1 API takes no webhook with side effects any more; one that is stored from before still refuses so.
    let words = "admission webhook \"old.example.com\" does not support dry run";
    proxy.always(Matching::verbs(&["patch"]).dry_run(true), Fault::status(400, "BadRequest", words));
    let refused = resource(&exactly(&stage), "Deployment", "web");
    assert_eq!(refused["confidence"], "local");
    assert_eq!(refused["needsExact"], "the webhook old.example.com has side effects and refuses dry runs");
}
