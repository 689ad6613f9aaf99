//! Reads what engines tell of their syncs in the objects by which they are told what to do.
//!
//! Sources: Argo CD, `pkg/apis/application/v1alpha1/types.go` (`RevisionHistory`, `OperationState`); Flux,
//! `kustomize-controller/api/v1` (`status.history`, `status.lastAppliedRevision`) and `helm-controller/api/v2`
//! (`status.history`, a list of snapshots).

use crate::model::{By, HappeningKind, LiveObject, Timestamp, Value, Who};
use crate::text::redact;

/// The kinds that engines tell of their syncs in.
pub const KINDS: [(&str, &str); 3] = [
    ("argoproj.io", "Application"),
    ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
];

/// One sync of an engine.
#[derive(Debug, PartialEq)]
pub struct Synced {
    pub time: Timestamp,
    pub kind: HappeningKind,
    pub what: String,
    pub who: Who,
}

/// Returns every sync that an engine's object tells of.
pub fn syncs(object: &LiveObject) -> Vec<Synced> {
    let Some(status) = object.body.get("status") else { return Vec::new() };
    match (object.id.kind.group.as_str(), object.id.kind.kind.as_str()) {
        ("argoproj.io", "Application") => argo(status),
        ("kustomize.toolkit.fluxcd.io", "Kustomization") => kustomization(status),
        ("helm.toolkit.fluxcd.io", "HelmRelease") => helm_release(status),
        _ => Vec::new(),
    }
}

fn time(value: &Value, path: &[&str]) -> Option<Timestamp> {
    value.str_at(path)?.parse().ok()
}

fn history(status: &Value) -> &[Value] {
    status.get("history").and_then(Value::as_list).unwrap_or_default()
}

/// Shortens commit ids within a revision: `main@sha1:3f2c1d9…` becomes `main@3f2c1d9`.
fn short(revision: &str) -> String {
    let (name, id) = match revision.rsplit_once("sha1:") {
        Some((name, id)) => (name, id),
        None => ("", revision),
    };
    let is_commit = id.len() == 40 && id.chars().all(|c| c.is_ascii_hexdigit());
    if is_commit { format!("{name}{}", id.get(..7).unwrap_or(id)) } else { revision.to_owned() }
}

fn argo(status: &Value) -> Vec<Synced> {
    let initiated = |value: Option<&Value>| {
        let user = value.and_then(|value| value.str_at(&["username"])).filter(|user| !user.is_empty());
        match user {
            Some(user) => Who::new(user, By::Hand),
            None => {
                Who { name: Some("argocd".to_owned()), called: Some("Argo CD".to_owned()), by: By::Deployer }
            }
        }
    };
    let mut synced: Vec<Synced> = history(status)
        .iter()
        .filter_map(|entry| {
            let revision = entry.str_at(&["revision"]).map(short).unwrap_or_default();
            Some(Synced {
                time: time(entry, &["deployedAt"])?,
                kind: HappeningKind::Sync,
                what: format!("synced to {revision}"),
                who: initiated(entry.get("initiatedBy")),
            })
        })
        .collect();
    // What went well is in the history; what failed or still runs is only here.
    if let Some(state) = status.get("operationState")
        && let Some(phase) = state.str_at(&["phase"]).filter(|phase| *phase != "Succeeded")
        && let Some(time) = time(state, &["finishedAt"]).or_else(|| time(state, &["startedAt"]))
    {
        let revision = state.str_at(&["syncResult", "revision"]).map(short).unwrap_or_default();
        let message = state.str_at(&["message"]).map(redact::line).unwrap_or_default();
        let who = initiated(state.at(&["operation", "initiatedBy"]));
        let what = format!("sync to {revision} {}: {message}", phase.to_lowercase());
        synced.push(Synced { time, kind: HappeningKind::Sync, what, who });
    }
    synced
}

fn flux() -> Who {
    Who { name: Some("flux".to_owned()), called: Some("Flux".to_owned()), by: By::Deployer }
}

fn kustomization(status: &Value) -> Vec<Synced> {
    let told: Vec<Synced> = history(status)
        .iter()
        .filter_map(|entry| {
            let revision = entry.str_at(&["metadata", "revision"]).map(short).unwrap_or_default();
            let outcome = entry.str_at(&["lastReconciledStatus"]).unwrap_or_default();
            let what = if matches!(outcome, "" | "ReconciliationSucceeded") {
                format!("synced to {revision}")
            } else {
                format!("sync to {revision}: {outcome}")
            };
            let time = time(entry, &["firstReconciled"]).or_else(|| time(entry, &["lastReconciled"]))?;
            Some(Synced { time, kind: HappeningKind::Sync, what, who: flux() })
        })
        .collect();
    if !told.is_empty() {
        return told;
    }
    // Older versions keep no history: when it became as it is says when the last sync was, or failed.
    let ready = status.get("conditions").and_then(Value::as_list).unwrap_or_default();
    let ready = ready.iter().find(|condition| condition.str_at(&["type"]) == Some("Ready"));
    let Some((ready, time)) = ready.and_then(|r| Some((r, time(r, &["lastTransitionTime"])?))) else {
        return Vec::new();
    };
    let what = if ready.str_at(&["status"]) == Some("True") {
        format!("synced to {}", status.str_at(&["lastAppliedRevision"]).map(short).unwrap_or_default())
    } else {
        let revision = status.str_at(&["lastAttemptedRevision"]).map(short).unwrap_or_default();
        let message = ready.str_at(&["message"]).map(redact::line).unwrap_or_default();
        format!("sync to {revision}: {message}")
    };
    vec![Synced { time, kind: HappeningKind::Sync, what, who: flux() }]
}

fn helm_release(status: &Value) -> Vec<Synced> {
    let told = history(status).iter().filter_map(|entry| {
        let text = |name: &str| entry.str_at(&[name]).unwrap_or("?");
        let version = entry.get("version").and_then(Value::as_i64).unwrap_or_default();
        Some(Synced {
            time: time(entry, &["lastDeployed"]).or_else(|| time(entry, &["firstDeployed"]))?,
            kind: HappeningKind::Release,
            what: format!(
                "release {} revision {version}, {} {}, {}",
                text("name"),
                text("chartName"),
                text("chartVersion"),
                text("status")
            ),
            who: flux(),
        })
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ClusterId;
    use crate::value;

    fn told(api: &str, kind: &str, status: Value) -> Vec<String> {
        let mut object = value!({"metadata": {"name": "web", "namespace": "apps"}});
        let map = object.as_map_mut().unwrap();
        map.insert("apiVersion".to_owned(), Value::string(api));
        map.insert("kind".to_owned(), Value::string(kind));
        map.insert("status".to_owned(), status);
        let live = LiveObject::read(&ClusterId("c".into()), object).unwrap();
        let line = |s: &Synced| format!("{} {} {} by {}", s.time, s.kind.word(), s.what, s.who.words());
        syncs(&live).iter().map(line).collect()
    }

    #[test]
    fn argo_cd_tells_of_its_history_and_of_a_sync_that_failed() {
        let status = value!({
            "history": [
                {"revision": "3f2c1d93f2c1d93f2c1d93f2c1d93f2c1d93f2c1", "deployedAt": "2026-11-21T02:38:00Z", "initiatedBy": {"automated": true}},
                {"revision": "v1.2", "deployedAt": "2026-11-21T02:39:00Z", "initiatedBy": {"username": "ana"}}],
            "operationState": {"phase": "Failed", "message": "one or more objects failed to apply", "finishedAt": "2026-11-21T02:40:00Z",
                "syncResult": {"revision": "v1.3"}}});
        assert_eq!(
            told("argoproj.io/v1alpha1", "Application", status),
            [
                "2026-11-21T02:38:00Z sync synced to 3f2c1d9 by Argo CD",
                "2026-11-21T02:39:00Z sync synced to v1.2 by by hand, ana",
                "2026-11-21T02:40:00Z sync sync to v1.3 failed: one or more objects failed to apply by Argo CD",
            ]
        );
    }

    #[test]
    fn flux_tells_of_its_history_or_of_its_last_sync() {
        let kind = ("kustomize.toolkit.fluxcd.io/v1", "Kustomization");
        let history = value!({"history": [{"firstReconciled": "2026-11-21T02:38:00Z", "lastReconciledStatus": "ReconciliationSucceeded",
            "metadata": {"revision": "main@sha1:3f2c1d93f2c1d93f2c1d93f2c1d93f2c1d93f2c1"}}]});
        assert_eq!(
            told(kind.0, kind.1, history),
            ["2026-11-21T02:38:00Z sync synced to main@3f2c1d9 by Flux"]
        );
        let older = value!({"lastAppliedRevision": "main@sha1:3f2c1d93f2c1d93f2c1d93f2c1d93f2c1d93f2c1",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-21T02:38:00Z"}]});
        assert_eq!(told(kind.0, kind.1, older), ["2026-11-21T02:38:00Z sync synced to main@3f2c1d9 by Flux"]);
        let release = value!({"history": [{"name": "web", "version": 3, "chartName": "web", "chartVersion": "1.4.2",
            "status": "deployed", "lastDeployed": "2026-11-21T02:38:00Z"}]});
        assert_eq!(
            told("helm.toolkit.fluxcd.io/v2", "HelmRelease", release),
            ["2026-11-21T02:38:00Z release release web revision 3, web 1.4.2, deployed by Flux"]
        );
    }
}
