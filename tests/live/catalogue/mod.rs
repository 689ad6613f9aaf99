//! The rows of the drift catalogue on the real API server with the real controller manager, seen through
//! `driftdeck check`. Where it makes a difference, each row is tried client-side and server-side applied.

mod contended;
mod definitions;
mod drifted;
mod finer;
mod in_sync;
mod objects;

use crate::support::{Home, Namespace};
use serde_json::Value;

/// How manifests get into the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    ClientSide,
    ServerSide,
}

/// Both usual ways.
pub const WAYS: [Way; 2] = [Way::ClientSide, Way::ServerSide];

/// An app in a folder of its own, and the namespace that it is deployed in.
pub struct Stage {
    pub namespace: Namespace,
    pub home: Home,
    pub way: Way,
}

impl Stage {
    /// Declares and applies manifests.
    #[track_caller]
    pub fn applied(subject: &str, way: Way, manifests: &str) -> Self {
        let stage = Self::declared(subject, way, manifests);
        stage.apply(manifests);
        stage
    }

    /// Declares manifests without applying them.
    #[track_caller]
    pub fn declared(subject: &str, way: Way, manifests: &str) -> Self {
        let namespace = Namespace::new(subject);
        let home = namespace.home();
        let stage = Self { namespace, home, way };
        stage.declare(manifests);
        stage
    }

    /// Writes what Git declares now.
    pub fn declare(&self, manifests: &str) {
        self.home.write("repo/app.yaml", manifests);
    }

    /// Applies manifests the way of this stage.
    #[track_caller]
    pub fn apply(&self, manifests: &str) {
        match self.way {
            Way::ClientSide => self.namespace.apply(manifests),
            Way::ServerSide => self.namespace.apply_server_side(manifests, "deploy-bot"),
        };
    }

    /// Runs `driftdeck check` and returns its document.
    #[track_caller]
    pub fn check(&self) -> Value {
        self.home.driftdeck(["check", "repo", "-o", "json"]).json()
    }

    /// Returns what is said of one object.
    #[track_caller]
    pub fn resource(&self, kind: &str, name: &str) -> Value {
        let document = self.check();
        let found =
            document["resources"].as_array().unwrap().iter().find(|r| r["kind"] == kind && r["name"] == name);
        found.unwrap_or_else(|| panic!("{kind} {name} is not in {document:#}")).clone()
    }

    /// Asserts that everything declared is in sync.
    #[track_caller]
    pub fn assert_in_sync(&self) {
        let document = self.check();
        assert_eq!(document["verdict"], "in-sync", "{:?}: {}", self.way, counted_everywhere(&document));
        assert_eq!(document["complete"], true, "{document:#}");
    }

    /// Asserts that exactly these fields of one object are drift, each as path and class, and nothing else anywhere.
    #[track_caller]
    pub fn assert_drift(&self, expected: &[(&str, &str)]) -> Vec<Value> {
        let document = self.check();
        let changes: Vec<Value> = counted(&document);
        let seen: Vec<(&str, &str)> =
            changes.iter().map(|c| (c["path"].as_str().unwrap(), c["class"].as_str().unwrap())).collect();
        assert_eq!(seen, expected, "{:?}: {document:#}", self.way);
        assert_eq!(document["verdict"], "drifted");
        changes
    }
}

/// Returns every change that counts.
pub fn counted(document: &Value) -> Vec<Value> {
    let resources = document["resources"].as_array().unwrap();
    resources
        .iter()
        .flat_map(|r| r["changes"].as_array().unwrap())
        .filter(|c| c["counts"] == true)
        .cloned()
        .collect()
}

fn counted_everywhere(document: &Value) -> String {
    let words: Vec<String> = document["resources"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["verdict"] != "in-sync")
        .map(|r| {
            let changes: Vec<String> = r["changes"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|c| c["counts"] == true)
                .map(|c| format!("{} {} {} -> {}", c["class"], c["path"], c["desired"], c["live"]))
                .collect();
            format!(
                "{} {} is {} ({}) {} {:?}",
                r["kind"], r["name"], r["verdict"], r["why"], r["problems"], changes
            )
        })
        .collect();
    format!("{} / notices {}", words.join("\n"), document["notices"])
}

/// A Deployment with one container; `{more}` goes into the container, `{spec}` into the Deployment's spec.
pub fn deployment(container: &str, spec: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
{spec}
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: app
        image: web:1
{container}
"
    )
}

/// Applies a ClusterRole that is aggregated from another one, and waits until a controller has filled in its rules.
pub fn aggregated(subject: &str, name: &str) -> Stage {
    let roles = format!(
        "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: {name}}}
aggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{row: {name}}}}}]}}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: {name}-part, labels: {{row: {name}}}}}
rules: [{{apiGroups: [''], resources: [pods], verbs: [get]}}]
"
    );
    let stage = Stage::applied(subject, Way::ClientSide, &roles);
    stage.namespace.await_object(&format!("clusterrole/{name}"), "is aggregated", |role| {
        role["rules"].as_array().is_some_and(|rules| !rules.is_empty())
    });
    stage
}

/// A webhook that is never asked anything; `bundle` is what its client configuration says besides the service.
fn webhook(name: &str, bundle: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: {name}}}
webhooks:
- name: {name}
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
  clientConfig: {{service: {{name: hook, namespace: nowhere}}{bundle}}}
  rules: [{{apiGroups: [nothing.example.com], apiVersions: [v1], operations: [CREATE], resources: [nothings]}}]
"
    )
}

/// Fills in a certificate as cert-manager's injector does: an `add` also replaces what is there (RFC 6902).
fn inject_certificate(stage: &Stage, object: &str) {
    let injected = r#"[{"op":"add","path":"/webhooks/0/clientConfig/caBundle","value":"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCi0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0K"}]"#;
    stage.namespace.patch(object, "json", injected, "cainjector");
}
