//! A mutating admission webhook of the tests' own: a small https server on loopback that the API server calls, with the
//! API server's own certificate.

use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::patience::eventually;
use super::plane::{Namespace, Plane};
use super::proxy::{Seen, tls};

/// What the webhook says of a request (the `request` of an AdmissionReview): JSON patch operations, or why it refuses.
pub type Answer = dyn Fn(&Value) -> Result<Vec<Value>, String> + Send + Sync;

/// A registered webhook; its registration and its server end when it goes out of scope.
pub struct Webhook {
    pub name: String,
    plane: Plane,
    runtime: Option<tokio::runtime::Runtime>,
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
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("webhook")
            .enable_all()
            .build()
            .expect("threads for the webhook");
        let (acceptor, _) = tls(&namespace.plane);
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let answer: Arc<Answer> = Arc::new(answer);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut stream = acceptor.accept(stream).await.ok()?;
                    let seen = Seen::read(&mut stream).await.ok()??;
                    let body = reviewed(&seen.body, &answer);
                    let head = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                        body.len()
                    );
                    stream.write_all(head.as_bytes()).await.ok()?;
                    stream.write_all(body.as_bytes()).await.ok()?;
                    stream.shutdown().await.ok()
                });
            }
        });
        let name = format!("{}.example.com", namespace.name);
        let hook = Self { name, plane: namespace.plane.clone(), runtime: Some(runtime) };
        hook.register(namespace, group, resource, address);
        hook
    }

    #[track_caller]
    fn register(&self, namespace: &Namespace, group: &str, resource: &str, address: SocketAddr) {
        let authority = std::fs::read(self.plane.folder.join("ca.crt")).expect("the authority");
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": self.name},
            "webhooks": [{
                "name": self.name,
                "clientConfig": {
                    "url": format!("https://{address}/"),
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
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn reviewed(body: &[u8], answer: &Arc<Answer>) -> String {
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
