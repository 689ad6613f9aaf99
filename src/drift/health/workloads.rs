//! Defines the health of Kubernetes' own kinds that run something or are bound to something.

use super::{NOT_SEEN, conditions, count, is_behind};
use crate::model::{Health, HealthStatus, Value};
use crate::text::redact;

/// Returns the health of a kind that has rules of its own.
pub(super) fn of(group: &str, kind: &str, body: &Value) -> Option<Health> {
    Some(match (group, kind) {
        ("apps" | "extensions", "Deployment") => deployment(body),
        ("apps" | "extensions", "ReplicaSet") | ("", "ReplicationController") => replica_set(body),
        ("apps", "StatefulSet") => stateful_set(body),
        ("apps" | "extensions", "DaemonSet") => daemon_set(body),
        ("", "Pod") => pod(body),
        ("batch", "Job") => job(body),
        ("batch", "CronJob") => cron_job(body),
        ("", "PersistentVolumeClaim") => by_phase(body, &["Bound"], &["Pending"], &["Lost"]),
        ("", "PersistentVolume") => {
            by_phase(body, &["Available", "Bound", "Released"], &["Pending"], &["Failed"])
        }
        ("", "Namespace") => by_phase(body, &["Active"], &["Terminating"], &[]),
        ("", "Service") => service(body),
        ("networking.k8s.io" | "extensions", "Ingress") => ingress(body),
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaler(body),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(body),
        ("apiregistration.k8s.io", "APIService") => api_service(body),
        _ => return None,
    })
}

fn progressing(message: impl Into<String>) -> Health {
    Health::with(HealthStatus::Progressing, message)
}

fn degraded(message: impl Into<String>) -> Health {
    Health::with(HealthStatus::Degraded, message)
}

fn healthy() -> Health {
    Health::of(HealthStatus::Healthy)
}

fn wanted_replicas(body: &Value) -> i64 {
    body.at(&["spec", "replicas"]).and_then(Value::as_i64).unwrap_or(1)
}

fn deployment(body: &Value) -> Health {
    if body.at(&["spec", "paused"]).and_then(Value::as_bool) == Some(true) {
        return Health::with(HealthStatus::Suspended, "paused");
    }
    if is_behind(body) {
        return progressing(NOT_SEEN);
    }
    if let Some(condition) = conditions::find(body, "Progressing")
        && condition.reason == "ProgressDeadlineExceeded"
    {
        let set = if condition.message.is_empty() { "" } else { ": " };
        return degraded(format!(
            "it has exceeded its progress deadline{set}{}",
            redact::line(condition.message)
        ));
    }
    // Its pods cannot even be made: a quota, a policy or a webhook refuses them.
    if let Some(failure) = conditions::find(body, "ReplicaFailure").filter(|c| c.status == "True") {
        return degraded(failure.text());
    }
    let (wanted, updated) = (wanted_replicas(body), count(body, &["status", "updatedReplicas"]));
    let (all, available) =
        (count(body, &["status", "replicas"]), count(body, &["status", "availableReplicas"]));
    if updated < wanted {
        progressing(format!("{updated} of {wanted} new replicas are updated"))
    } else if all > updated {
        progressing(format!("{} old replicas wait to end", all - updated))
    } else if available < updated {
        progressing(format!("{available} of {updated} updated replicas are available"))
    } else {
        healthy()
    }
}

fn replica_set(body: &Value) -> Health {
    if is_behind(body) {
        return progressing(NOT_SEEN);
    }
    if let Some(condition) = conditions::find(body, "ReplicaFailure").filter(|c| c.status == "True") {
        return degraded(condition.message);
    }
    let (wanted, available) = (wanted_replicas(body), count(body, &["status", "availableReplicas"]));
    if available < wanted {
        return progressing(format!("{available} of {wanted} replicas are available"));
    }
    healthy()
}

fn stateful_set(body: &Value) -> Health {
    if is_behind(body) || body.at(&["status", "observedGeneration"]).is_none() {
        return progressing(NOT_SEEN);
    }
    let (wanted, ready) = (wanted_replicas(body), count(body, &["status", "readyReplicas"]));
    if ready < wanted {
        return progressing(format!("{ready} of {wanted} pods are ready"));
    }
    if body.str_at(&["spec", "updateStrategy", "type"]) == Some("OnDelete") {
        return healthy();
    }
    let partition = count(body, &["spec", "updateStrategy", "rollingUpdate", "partition"]);
    let updated = count(body, &["status", "updatedReplicas"]);
    if partition > 0 {
        if updated < wanted - partition {
            return progressing(format!(
                "{updated} of {} pods above the partition are updated",
                wanted - partition
            ));
        }
        return healthy();
    }
    let revision = |field: &str| body.str_at(&["status", field]).unwrap_or_default();
    if revision("updateRevision") != revision("currentRevision") {
        return progressing(format!("{updated} pods are at revision {}", revision("updateRevision")));
    }
    healthy()
}

fn daemon_set(body: &Value) -> Health {
    if is_behind(body) {
        return progressing(NOT_SEEN);
    }
    if body.str_at(&["spec", "updateStrategy", "type"]) == Some("OnDelete") {
        return healthy();
    }
    let wanted = count(body, &["status", "desiredNumberScheduled"]);
    let updated = count(body, &["status", "updatedNumberScheduled"]);
    let available = count(body, &["status", "numberAvailable"]);
    if updated < wanted {
        progressing(format!("{updated} of {wanted} pods are updated"))
    } else if available < wanted {
        progressing(format!("{available} of {wanted} pods are available"))
    } else {
        healthy()
    }
}

/// Reasons of waiting containers that do not pass by themselves.
const STUCK: [&str; 8] = [
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "ErrImageNeverPull",
];

fn pod(body: &Value) -> Health {
    let statuses = |field: &str| body.at(&["status", field]).and_then(Value::as_list).unwrap_or_default();
    let message = || body.str_at(&["status", "message"]).unwrap_or_default().to_owned();
    let restarts = !matches!(body.str_at(&["spec", "restartPolicy"]), Some("Never" | "OnFailure"));
    for status in statuses("initContainerStatuses").iter().chain(statuses("containerStatuses")) {
        let waiting = status.at(&["state", "waiting"]);
        if let Some(reason) = waiting.and_then(|w| w.str_at(&["reason"]))
            && (STUCK.contains(&reason) || reason.ends_with("BackOff") || reason.starts_with("Err"))
            && (restarts || reason != "CrashLoopBackOff")
        {
            let detail = waiting.and_then(|w| w.str_at(&["message"]));
            // What is wrong is told even where the details look like a secret.
            let detail = detail.map(|message| format!(": {}", redact::line(message)));
            let name = status.str_at(&["name"]).unwrap_or_default();
            return degraded(format!("{name}: {reason}{}", detail.unwrap_or_default()));
        }
    }
    match body.str_at(&["status", "phase"]) {
        Some("Pending") => progressing("pending"),
        Some("Succeeded") => healthy(),
        Some("Failed") => {
            let failed = statuses("containerStatuses").iter().find_map(|status| {
                let code = status.at(&["state", "terminated", "exitCode"])?.as_i64().filter(|c| *c != 0)?;
                Some(format!("{} ended with {code}", status.str_at(&["name"]).unwrap_or_default()))
            });
            degraded(
                Some(message()).filter(|m| !m.is_empty()).or(failed).unwrap_or_else(|| "failed".to_owned()),
            )
        }
        Some("Running") if !restarts => progressing("running to its end"),
        Some("Running") => {
            let ready = conditions::find(body, "Ready").is_some_and(|c| c.status == "True");
            let ended_badly = statuses("containerStatuses").iter().find(|s| {
                s.at(&["lastState", "terminated"]).is_some_and(|t| !t.is_null())
                    && s.get("ready").and_then(Value::as_bool) != Some(true)
            });
            match (ready, ended_badly) {
                (true, _) => healthy(),
                (false, Some(status)) => degraded(format!(
                    "{} has ended and is not ready",
                    status.str_at(&["name"]).unwrap_or_default()
                )),
                (false, None) => progressing("not ready"),
            }
        }
        _ => Health::with(HealthStatus::Unknown, message()),
    }
}

fn job(body: &Value) -> Health {
    if let Some(failed) = conditions::find(body, "Failed").filter(|c| c.status == "True") {
        return degraded(failed.message);
    }
    if conditions::find(body, "Complete").is_some_and(|c| c.status == "True") {
        return healthy();
    }
    let suspended = body.at(&["spec", "suspend"]).and_then(Value::as_bool) == Some(true)
        || conditions::find(body, "Suspended").is_some_and(|c| c.status == "True");
    if suspended {
        return Health::with(HealthStatus::Suspended, "suspended");
    }
    progressing("running")
}

fn cron_job(body: &Value) -> Health {
    if body.at(&["spec", "suspend"]).and_then(Value::as_bool) == Some(true) {
        return Health::with(HealthStatus::Suspended, "suspended");
    }
    let time = |field: &str| body.str_at(&["status", field]);
    let active = body.at(&["status", "active"]).is_some_and(|a| !a.is_empty());
    // Times of the API are written so that their order is that of their letters. A job that never succeeded may be on
    // its first run.
    match (time("lastScheduleTime"), time("lastSuccessfulTime")) {
        (Some(scheduled), Some(succeeded)) if !active && succeeded < scheduled => {
            degraded("its last run did not succeed")
        }
        _ => healthy(),
    }
}

fn by_phase(body: &Value, good: &[&str], passing: &[&str], bad: &[&str]) -> Health {
    match body.str_at(&["status", "phase"]) {
        Some(phase) if good.contains(&phase) => healthy(),
        Some(phase) if passing.contains(&phase) => progressing(phase.to_lowercase()),
        Some(phase) if bad.contains(&phase) => degraded(phase.to_lowercase()),
        Some(phase) => Health::with(HealthStatus::Unknown, phase),
        None => progressing("no phase yet"),
    }
}

fn service(body: &Value) -> Health {
    let balanced = body.str_at(&["spec", "type"]) == Some("LoadBalancer");
    if balanced && !has_ingress(body) {
        return progressing("waiting for a load balancer");
    }
    healthy()
}

fn ingress(body: &Value) -> Health {
    if has_ingress(body) { healthy() } else { progressing("waiting for an address") }
}

fn has_ingress(body: &Value) -> bool {
    body.at(&["status", "loadBalancer", "ingress"]).is_some_and(|i| !i.is_empty())
}

fn autoscaler(body: &Value) -> Health {
    let from_annotation = body
        .str_at(&["metadata", "annotations", "autoscaling.alpha.kubernetes.io/conditions"])
        .and_then(|text| Value::from_json_slice(text.as_bytes()).ok());
    let all = match &from_annotation {
        Some(conditions) => conditions::read(conditions),
        None => conditions::all(body),
    };
    if all.is_empty() {
        return progressing("waiting to autoscale");
    }
    let named = |name: &str| all.iter().find(|c| c.kind == name);
    // The autoscaler is off while its target is scaled to zero; that is no fault.
    let switched_off = |c: &&conditions::Condition<'_>| c.reason == "ScalingDisabled";
    for name in ["AbleToScale", "ScalingActive"] {
        if let Some(condition) = named(name).filter(|c| c.status == "False").filter(|c| !switched_off(c)) {
            return degraded(condition.message);
        }
    }
    let working = named("AbleToScale").or_else(|| named("ScalingLimited"));
    working.map_or_else(
        || progressing("waiting to autoscale"),
        |c| Health::with(HealthStatus::Healthy, c.message),
    )
}

fn definition(body: &Value) -> Health {
    let all = conditions::all(body);
    let is = |kind: &str, status: &str| all.iter().find(|c| c.kind == kind && c.status == status);
    if let Some(terminating) = is("Terminating", "True") {
        return progressing(terminating.message);
    }
    for (kind, status) in
        [("NamesAccepted", "False"), ("Established", "False"), ("NonStructuralSchema", "True")]
    {
        if let Some(condition) = is(kind, status) {
            let passing = condition.reason == "Installing";
            let word = if passing { HealthStatus::Progressing } else { HealthStatus::Degraded };
            return Health::with(word, condition.message);
        }
    }
    if is("Established", "True").is_some() { healthy() } else { progressing("not established yet") }
}

fn api_service(body: &Value) -> Health {
    match conditions::find(body, "Available") {
        Some(c) if c.status == "True" => healthy(),
        Some(c) => progressing(c.message),
        None => progressing("waiting to be processed"),
    }
}
