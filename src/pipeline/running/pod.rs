//! Reads what a pod says of itself and of its containers.

use crate::drift::{HealthRules, health};
use crate::model::running::Pod;
use crate::model::{LiveObject, Value};
use crate::text::redact;
use std::cmp::{Ordering, Reverse};

/// Names the container that people mean when they name none. Source: kubectl (`logs`, `exec`).
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

pub(super) fn read(live: &LiveObject, rules: &HealthRules) -> Pod {
    let body = &live.body;
    let containers = statuses(body, "containerStatuses");
    let declared = body.at(&["spec", "containers"]).and_then(Value::as_list).unwrap_or_default();
    let restarts = |status: &Value| status.get("restartCount").and_then(Value::as_i64).unwrap_or(0);
    let restarts: i64 = containers.iter().map(restarts).sum();
    let mut health = health(live, rules);
    health.message = health.message.map(|message| redact::line(&message).to_owned());
    Pod {
        id: live.id.clone(),
        health,
        status: status(body),
        ready: containers.iter().filter(|s| s.get("ready").and_then(Value::as_bool) == Some(true)).count(),
        containers: declared.len().max(containers.len()),
        restarts: u64::try_from(restarts).unwrap_or(0),
        created: body.str_at(&["metadata", "creationTimestamp"]).and_then(|time| time.parse().ok()),
        node: body.str_at(&["spec", "nodeName"]).map(str::to_owned),
    }
}

/// Returns in one word how a pod is, as `kubectl get pods` says it.
///
/// Source: `printPod` in Kubernetes' `pkg/printers/internalversion/printers.go`.
fn status(body: &Value) -> String {
    if body.at(&["metadata", "deletionTimestamp"]).is_some_and(|time| !time.is_null()) {
        return "Terminating".to_owned();
    }
    let said = |status: &Value| {
        let state = status.get("state")?;
        if let Some(reason) = state.str_at(&["waiting", "reason"]).filter(|reason| !reason.is_empty()) {
            return Some(reason.to_owned());
        }
        let ended = state.get("terminated").filter(|ended| !ended.is_null())?;
        match ended.str_at(&["reason"]).filter(|reason| !reason.is_empty()) {
            Some(reason) => Some(reason.to_owned()),
            None => Some(format!("ExitCode:{}", ended.get("exitCode").and_then(Value::as_i64).unwrap_or(0))),
        }
    };
    let begun = statuses(body, "initContainerStatuses").iter().find(|status| !has_done_its_part(status));
    if let Some(reason) = begun.and_then(said).filter(|reason| reason != "PodInitializing") {
        return format!("Init:{reason}");
    }
    let phase = || {
        let reason = body.str_at(&["status", "reason"]).filter(|reason| !reason.is_empty());
        reason.or(body.str_at(&["status", "phase"])).unwrap_or("Unknown").to_owned()
    };
    // A sidecar that ended well says nothing of a pod that goes on.
    let runs = |status: &&Value| status.at(&["state", "running"]).is_some_and(|running| !running.is_null());
    let all = statuses(body, "containerStatuses");
    let completed = |word: &String| word == "Completed" && all.iter().any(|status| runs(&status));
    all.iter().rev().find_map(|status| said(status).filter(|word| !completed(word))).unwrap_or_else(phase)
}

/// Returns whether an init container ended well, or is one that goes on beside the others and has started.
fn has_done_its_part(status: &Value) -> bool {
    status.at(&["state", "terminated", "exitCode"]).and_then(Value::as_i64) == Some(0)
        || status.get("started").and_then(Value::as_bool) == Some(true)
}

/// Returns the containers of a pod that have printed something, each with whether that was before it ended. Not all of
/// them: only those that a person would look at first.
pub(super) fn containers(body: &Value, all: bool) -> Vec<(String, bool)> {
    let main = body.str_at(&["metadata", "annotations", DEFAULT_CONTAINER]);
    let main = main
        .or_else(|| body.at(&["spec", "containers"]).and_then(Value::as_list)?.first()?.str_at(&["name"]));
    let is_ready = |status: &Value| status.get("ready").and_then(Value::as_bool) == Some(true);
    let init = statuses(body, "initContainerStatuses").iter().filter(|status| !has_done_its_part(status));
    let mut chosen: Vec<(u8, String, bool)> = Vec::new();
    for status in init.chain(statuses(body, "containerStatuses")) {
        let Some(name) = status.str_at(&["name"]) else { continue };
        let rank = if !is_ready(status) {
            0
        } else if Some(name) == main {
            1
        } else if all {
            2
        } else {
            continue;
        };
        let is = |state: &[&str]| status.at(state).is_some_and(|state| !state.is_null());
        let previous = if is(&["state", "running"]) || is(&["state", "terminated"]) {
            false
        } else if is(&["lastState", "terminated"]) {
            true
        } else {
            // It never ran.
            continue;
        };
        chosen.push((rank, name.to_owned(), previous));
    }
    chosen.sort_by_key(|(rank, ..)| *rank);
    chosen.into_iter().map(|(_, name, previous)| (name, previous)).collect()
}

pub(super) fn worst_first(a: &Pod, b: &Pod) -> Ordering {
    let rank = |pod: &Pod| {
        (!pod.is_in_trouble(), Reverse(pod.health.status), Reverse(pod.restarts), Reverse(pod.created))
    };
    rank(a).cmp(&rank(b)).then_with(|| a.id.name.cmp(&b.id.name))
}

fn statuses<'a>(body: &'a Value, field: &str) -> &'a [Value] {
    body.at(&["status", field]).and_then(Value::as_list).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(status: &serde_json::Value) -> Value {
        Value::from(json!({
            "metadata": {"name": "web", "annotations": {"kubectl.kubernetes.io/default-container": "app"}},
            "spec": {"containers": [{"name": "proxy"}, {"name": "app"}]},
            "status": status,
        }))
    }

    #[test]
    fn a_pods_word_is_the_one_that_kubectl_prints() {
        let running = json!({"name": "proxy", "ready": true, "state": {"running": {}}});
        let cases = [
            (json!({"phase": "Running", "containerStatuses": [running.clone()]}), "Running"),
            (
                json!({"phase": "Running", "containerStatuses": [running.clone(),
                    {"name": "app", "ready": false, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}),
                "CrashLoopBackOff",
            ),
            (
                json!({"phase": "Running", "containerStatuses": [running,
                    {"name": "app", "ready": false, "state": {"terminated": {"reason": "Completed", "exitCode": 0}}}]}),
                "Running",
            ),
            (
                json!({"phase": "Failed", "containerStatuses": [
                    {"name": "app", "ready": false, "state": {"terminated": {"exitCode": 3}}}]}),
                "ExitCode:3",
            ),
            (json!({"phase": "Failed", "reason": "Evicted"}), "Evicted"),
            (
                json!({"phase": "Pending",
                    "initContainerStatuses": [{"name": "wait", "ready": false, "state": {"terminated": {"reason": "Error", "exitCode": 1}}}],
                    "containerStatuses": [{"name": "app", "ready": false, "state": {"waiting": {"reason": "PodInitializing"}}}]}),
                "Init:Error",
            ),
            (json!({"phase": "Pending"}), "Pending"),
        ];
        for (status, word) in cases {
            assert_eq!(super::status(&pod(&status)), word);
        }
    }

    #[test]
    fn the_container_in_trouble_comes_first_and_one_that_never_ran_not_at_all() {
        let body = pod(&json!({
            "initContainerStatuses": [{"name": "migrate", "ready": true, "state": {"terminated": {"exitCode": 0}}}],
            "containerStatuses": [
                {"name": "proxy", "ready": true, "state": {"running": {}}},
                {"name": "app", "ready": true, "state": {"running": {}}},
                {"name": "crashing", "ready": false, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": {"exitCode": 1}}},
                {"name": "pulling", "ready": false, "state": {"waiting": {"reason": "ImagePullBackOff"}}},
            ],
        }));
        let of = |all| containers(&body, all);
        let chosen = [("crashing".to_owned(), true), ("app".to_owned(), false)];
        assert_eq!(of(false), chosen);
        assert_eq!(of(true), [chosen.as_slice(), &[("proxy".to_owned(), false)]].concat());
    }
}
