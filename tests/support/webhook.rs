//! A mutating admission webhook of the tests' own: a small https server on loopback that the API server calls, with the
//! API server's own certificate.

use base64::Engine as _;
use serde_json::{Value, json};

use super::https::Https;
use super::patience::eventually;
use super::plane::{Namespace, Plane};

/// What the webhook says of a request (the `request` of an AdmissionReview): JSON patch operations, or why it refuses.
pub type Answer = dyn Fn(&Value) -> Result<Vec<Value>, String>;

/// A registered webhook; its registration and its server end when it goes out of scope.
pub struct Webhook {
    pub name: String,
    plane: Plane,
    server: Https,
}

impl Webhook {
    /// Starts a webhook for objects of a resource (`deployments`) of a group within one namespace, and waits until the
    /// API server calls it.
    #[track_caller]
    pub fn on(
        namespace: &Namespace,
        group: &str,
        resource: &str,
        answer: impl Fn(&Value) -> Result<Vec<Value>, String> + Send + Sync + 'static,
    ) -> Self {
        let server =
            Https::serve(&namespace.plane, "application/json", move |seen| reviewed(&seen.body, &answer));
        let name = format!("{}.example.com", namespace.name);
        let hook = Self { name, plane: namespace.plane.clone(), server };
        hook.register(namespace, group, resource);
        hook
    }

    #[track_caller]
    fn register(&self, namespace: &Namespace, group: &str, resource: &str) {
        let authority = std::fs::read(self.plane.folder.join("ca.crt")).expect("the authority");
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": self.name},
            "webhooks": [{
                "name": self.name,
                "clientConfig": {
                    "url": format!("https://{}/", self.server.address),
                    "caBundle": base64::engine::general_purpose::STANDARD.encode(authority)
                },
                "rules": [{"apiGroups": [group], "apiVersions": ["*"], "resources": [resource],
                    "operations": ["CREATE", "UPDATE"]}],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace.name}},
                "sideEffects": "NoneOnDryRun", "admissionReviewVersions": ["v1"], "timeoutSeconds": 5
            }]
        });
        self.plane.try_kubectl(&["apply", "-f", "-"], &configuration.to_string()).exits(0);
    }

    /// Waits until the API server calls the webhook: it takes configurations from a watch of its own. `probe` returns
    /// whether it does.
    #[track_caller]
    pub fn await_in_force(&self, probe: impl Fn() -> bool) {
        eventually(&format!("{} is called", self.name), || probe().then_some(()));
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        // Best effort: the whole control plane is thrown away at the end of the run.
        let words = ["delete", "mutatingwebhookconfiguration", &self.name, "--wait=false"];
        let _ = self.plane.try_kubectl(&words, "");
    }
}

fn reviewed(body: &[u8], answer: &Answer) -> String {
    let review: Value = serde_json::from_slice(body).unwrap_or_default();
    let request = &review["request"];
    let response = match answer(request) {
        Ok(patch) if patch.is_empty() => json!({"uid": request["uid"], "allowed": true}),
        Ok(patch) => {
            let patch = base64::engine::general_purpose::STANDARD.encode(Value::Array(patch).to_string());
            json!({"uid": request["uid"], "allowed": true, "patchType": "JSONPatch", "patch": patch})
        }
        Err(why) => json!({"uid": request["uid"], "allowed": false, "status": {"message": why}}),
    };
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}).to_string()
}
