//! Defines whether the engine that applies an object failed to, in the words of the engine's own object.
//!
//! An object that is as an earlier commit had it may wait for its engine, or the engine may have tried in vain. Only the
//! engine tells: its object is read once, when somebody looks at what it applies.

use crate::cluster::Cluster;
use crate::gitops::Owner;
use crate::model::{ClusterFacts, ClusterId, LiveObject, Mark, ResourceId, Value};
use crate::text::redact;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

/// How long an engine's object is waited for.
const TIME: Duration = Duration::from_secs(3);
/// How much of an engine's message is told, in characters.
const MESSAGE: usize = 300;

/// An engine's object, where it could be read.
type Found = Option<Arc<LiveObject>>;

/// An engine's object in its cluster.
type Key = (ClusterId, Owner);

/// What engines' own objects say, each read once; it lives as long as one look does.
#[derive(Default)]
pub struct Engines {
    read: Mutex<HashMap<Key, Arc<OnceCell<Found>>>>,
}

impl Engines {
    /// Returns the engine's own words for why it could not apply an object, where its mark is on the object, it can be
    /// read, and it failed.
    pub async fn failure(
        &self,
        cluster: &dyn Cluster,
        facts: &ClusterFacts,
        live: &LiveObject,
    ) -> Option<String> {
        for mark in Mark::of(live) {
            let Some(owner) = Owner::behind(&mark) else { continue };
            let Some(engine) = self.read(cluster, facts, &live.id.cluster, owner).await else { continue };
            if let Some(words) = failure(&mark, &engine.body, &live.id) {
                return Some(words);
            }
        }
        None
    }

    async fn read(&self, cluster: &dyn Cluster, facts: &ClusterFacts, id: &ClusterId, owner: Owner) -> Found {
        // Whoever asks for another one does not wait for this one.
        let cell = {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            read.entry((id.clone(), owner.clone())).or_default().clone()
        };
        let reading = async {
            tokio::time::timeout(TIME, get(cluster, facts, &owner)).await.ok().flatten().map(Arc::new)
        };
        cell.get_or_init(|| reading).await.clone()
    }
}

/// Reads an engine's object. What cannot be read says nothing.
async fn get(cluster: &dyn Cluster, facts: &ClusterFacts, owner: &Owner) -> Option<LiveObject> {
    owner.read(cluster, facts).await.ok().flatten()
}

fn failure(mark: &Mark, engine: &Value, of: &ResourceId) -> Option<String> {
    let name = engine.str_at(&["metadata", "name"]).unwrap_or_default();
    let place = engine.str_at(&["metadata", "namespace"]).map(|ns| format!("{ns}/")).unwrap_or_default();
    let (called, message) = match mark {
        Mark::ArgoCd { .. } => ("Argo CD's application", argo(engine, of)?),
        Mark::Flux { helm: true, .. } => ("Flux's Helm release", flux(engine)?),
        Mark::Flux { helm: false, .. } => ("Flux's kustomization", flux(engine)?),
        Mark::JenkinsX { .. } | Mark::Helm { .. } | Mark::ApplySet { .. } => return None,
    };
    Some(format!("{called} {place}{name}: {}", bounded(&message)))
}

/// Returns why the last sync of an Application did not bring an object.
///
/// Source: Argo CD, `pkg/apis/application/v1alpha1/types.go`: `OperationState`, `ResourceResult`, `ApplicationCondition`.
fn argo(app: &Value, of: &ResourceId) -> Option<String> {
    let items = |path: &[&str]| app.at(path).and_then(Value::as_list).unwrap_or_default();
    let is_it = |item: &&Value| {
        let says = |field: &str, wanted: &str| item.str_at(&[field]).unwrap_or_default() == wanted;
        says("group", &of.kind.group)
            && says("kind", &of.kind.kind)
            && says("namespace", of.namespace.as_deref().unwrap_or_default())
            && says("name", of.name.as_deref().unwrap_or_default())
    };
    let listed = items(&["status", "resources"]);
    if !listed.is_empty() && !listed.iter().any(|item| is_it(&item)) {
        // Another application of the same name: what applies this one is in another cluster.
        return None;
    }
    let operation = |field: &str| app.str_at(&["status", "operationState", field]);
    let own = items(&["status", "operationState", "syncResult", "resources"]).iter().find(is_it);
    let said = |message: Option<&str>| message.filter(|message| !message.is_empty()).map(str::to_owned);
    let phase = operation("phase").unwrap_or_default();
    let failed = matches!(phase, "Failed" | "Error");
    match own.and_then(|own| own.str_at(&["status"])) {
        // While it tries again, what failed is still there.
        Some("SyncFailed") if failed || phase == "Running" => {
            let message = own.and_then(|own| said(own.str_at(&["message"])));
            return Some(
                message.or_else(|| said(operation("message"))).unwrap_or_else(|| "SyncFailed".to_owned()),
            );
        }
        None if failed => return Some(said(operation("message")).unwrap_or_else(|| phase.to_owned())),
        // The sync failed in something else.
        Some(_) | None => {}
    }
    let cannot_begin = |condition: &&Value| {
        matches!(condition.str_at(&["type"]), Some("ComparisonError" | "InvalidSpecError" | "UnknownError"))
    };
    items(&["status", "conditions"])
        .iter()
        .find(cannot_begin)
        .and_then(|condition| said(condition.str_at(&["message"])))
}

/// Returns why a Kustomization or a Helm release is not ready, where that keeps it from applying.
///
/// Source: Flux, the condition types of `kustomize-controller` and `helm-controller`: failures end in `Failed`, and a
/// failed upgrade that was undone says so.
fn flux(object: &Value) -> Option<String> {
    const OTHERS: [&str; 5] =
        ["DependencyNotReady", "RetriesExceeded", "AccessDenied", "RollbackSucceeded", "UninstallSucceeded"];
    let conditions = object.at(&["status", "conditions"]).and_then(Value::as_list)?;
    let ready = conditions.iter().find(|condition| condition.str_at(&["type"]) == Some("Ready"))?;
    let reason = ready.str_at(&["reason"])?;
    let failed = reason.ends_with("Failed") || OTHERS.contains(&reason);
    (failed && ready.str_at(&["status"]) == Some("False"))
        .then(|| format!("{reason}: {}", ready.str_at(&["message"]).unwrap_or_default()))
}

/// Returns a message in one line, as much of it as is told.
fn bounded(message: &str) -> String {
    let words: Vec<&str> = message.split_whitespace().collect();
    let line = words.join(" ");
    let line = redact::line(&line);
    match line.char_indices().nth(MESSAGE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;
    use serde_json::{Value as Json, json};

    fn web() -> LiveObject {
        let body = value!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}});
        LiveObject::read(&ClusterId("c".into()), body).unwrap()
    }

    fn item(name: &str, status: &str, message: &str) -> Json {
        json!({"group": "apps", "kind": "Deployment", "namespace": "shop", "name": name, "status": status, "message": message})
    }

    #[test]
    fn an_application_says_why_an_object_was_not_brought() {
        let state = |phase: &str, message: &str, results: Vec<Json>| json!({"phase": phase, "message": message, "syncResult": {"resources": results}});
        let (own, other) = (item("web", "SyncFailed", "field is immutable"), item("db", "SyncFailed", "no"));
        let synced = item("web", "Synced", "configured");
        let broken = json!([{"type": "ComparisonError", "message": "app path does not exist"}]);
        let (mine, foreign) = (vec![item("web", "OutOfSync", "")], vec![item("db", "Synced", "")]);
        for (status, expected) in [
            (json!({"operationState": state("Succeeded", "ok", vec![synced.clone()])}), None),
            (
                json!({"operationState": state("Failed", "one failed", vec![own.clone(), other.clone()])}),
                Some("field is immutable"),
            ),
            (
                json!({"operationState": state("Failed", "one failed", vec![item("web", "SyncFailed", "")])}),
                Some("one failed"),
            ),
            (
                json!({"operationState": state("Failed", "one failed", vec![other.clone()])}),
                Some("one failed"),
            ),
            (
                json!({"operationState": {"phase": "Error", "message": "no such revision"}}),
                Some("no such revision"),
            ),
            (json!({"operationState": state("Failed", "one failed", vec![synced, other])}), None),
            (
                json!({"operationState": state("Running", "retrying", vec![own.clone()])}),
                Some("field is immutable"),
            ),
            (json!({"operationState": state("Running", "waiting", vec![])}), None),
            (json!({"operationState": state("Succeeded", "", vec![own.clone()])}), None),
            (json!({"conditions": broken}), Some("app path does not exist")),
            (json!({"resources": mine, "operationState": {"phase": "Error", "message": "m"}}), Some("m")),
            (json!({"resources": foreign, "operationState": {"phase": "Error", "message": "m"}}), None),
            (json!({}), None),
        ] {
            let app = json!({"metadata": {"name": "shop", "namespace": "argocd"}, "status": status.clone()});
            let said = failure(&Mark::ArgoCd { app: "shop".into() }, &Value::from(app), &web().id);
            let expected = expected.map(|words| format!("Argo CD's application argocd/shop: {words}"));
            assert_eq!(said, expected, "{status}");
        }
    }

    #[test]
    fn what_flux_failed_in_is_told_and_what_it_is_about_to_do_is_not() {
        for (status, reason, told) in [
            ("False", "BuildFailed", true),
            ("False", "ReconciliationFailed", true),
            ("False", "HealthCheckFailed", true),
            ("False", "UpgradeFailed", true),
            ("False", "RollbackSucceeded", true),
            ("False", "DependencyNotReady", true),
            ("False", "Suspended", false),
            ("Unknown", "ProgressingWithRetry", false),
            ("Unknown", "BuildFailed", false),
            ("True", "ReconciliationSucceeded", false),
        ] {
            let engine = value!({"metadata": {"name": "apps", "namespace": "flux-system"}, "status": {"conditions": [
                {"type": "Reconciling", "status": "True", "reason": "OddFailed"},
                {"type": "Ready", "status": status, "reason": reason, "message": "the\n words"}]}});
            let mark = Mark::Flux { helm: false, namespace: "flux-system".into(), name: "apps".into() };
            let said = failure(&mark, &engine, &web().id);
            let expected =
                told.then(|| format!("Flux's kustomization flux-system/apps: {reason}: the words"));
            assert_eq!(said, expected, "{status} {reason}");
        }
    }

    #[test]
    fn a_long_message_is_cut_and_one_that_looks_like_a_secret_is_not_told() {
        assert_eq!(bounded(&"é".repeat(MESSAGE + 1)).chars().count(), MESSAGE + 1);
        assert_eq!(bounded(&"é".repeat(MESSAGE)).chars().count(), MESSAGE);
        assert!(!bounded("password=hunter2hunter2").contains("hunter2"));
    }
}
