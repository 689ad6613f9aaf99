//! Small objects of many kinds, and how they are doing.

use super::{HealthRules, health};
use crate::model::health_rule::{ConditionFits, HealthTest, RuleMessage, ValuePath};
use crate::model::{ClusterId, Health, HealthRule, HealthStatus, KindPattern, LiveObject, Value};
use crate::value;

fn live(api_version: &str, kind: &str, rest: &Value) -> LiveObject {
    let mut body =
        value!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": "it", "generation": 2 } });
    let (Some(into), Some(rest)) = (body.as_map_mut(), rest.as_map()) else { panic!("maps") };
    for (name, value) in rest {
        into.insert(name.clone(), value.clone());
    }
    LiveObject::read(&ClusterId("test".into()), body).expect("an object")
}

fn status_of(api_version: &str, kind: &str, rest: &Value) -> &'static str {
    health(&live(api_version, kind, rest), HealthRules::built_in()).status.word()
}

#[test]
fn kinds_of_kubernetes_are_doing_as_their_status_says() {
    let condition = |kind: &str, status: &str, reason: &str| value!({ "status": { "conditions": [{ "type": kind, "status": status, "reason": reason, "message": "m" }] } });
    let of = status_of;
    for (found, known) in [
        (of("apps/v1", "Deployment", &value!({ "spec": { "paused": true } })), "Suspended"),
        (of("apps/v1", "Deployment", &value!({ "status": { "observedGeneration": 1 } })), "Progressing"),
        (
            of("apps/v1", "Deployment", &condition("Progressing", "False", "ProgressDeadlineExceeded")),
            "Degraded",
        ),
        (
            of(
                "apps/v1",
                "Deployment",
                &value!({ "spec": { "replicas": 2 }, "status": { "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1 } }),
            ),
            "Progressing",
        ),
        (of("apps/v1", "Deployment", &value!({ "spec": { "replicas": 0 } })), "Healthy"),
        (of("batch/v1", "CronJob", &value!({ "spec": { "suspend": true } })), "Suspended"),
        (
            of(
                "batch/v1",
                "CronJob",
                &value!({ "status": { "lastScheduleTime": "2026-01-02T00:00:00Z", "lastSuccessfulTime": "2026-01-01T00:00:09Z" } }),
            ),
            "Degraded",
        ),
        (of("batch/v1", "Job", &condition("Failed", "True", "BackoffLimitExceeded")), "Degraded"),
        (of("v1", "PersistentVolumeClaim", &value!({ "status": { "phase": "Lost" } })), "Degraded"),
        (of("v1", "Service", &value!({ "spec": { "type": "LoadBalancer" } })), "Progressing"),
        (of("v1", "Service", &value!({ "spec": { "type": "ClusterIP" } })), "Healthy"),
        (of("v1", "Node", &condition("Ready", "Unknown", "NodeStatusUnknown")), "Degraded"),
        (of("v1", "Node", &condition("Ready", "True", "KubeletReady")), "Healthy"),
        (
            of("policy/v1", "PodDisruptionBudget", &condition("DisruptionAllowed", "False", "SyncFailed")),
            "Degraded",
        ),
        (
            of(
                "policy/v1",
                "PodDisruptionBudget",
                &condition("DisruptionAllowed", "False", "InsufficientPods"),
            ),
            "Healthy",
        ),
        (of("v1", "ConfigMap", &value!({})), "Healthy"),
        (
            of(
                "apiregistration.k8s.io/v1",
                "APIService",
                &condition("Available", "False", "MissingEndpoints"),
            ),
            "Progressing",
        ),
    ] {
        assert_eq!(found, known);
    }
}

#[test]
fn the_table_tells_kinds_of_operators_apart_by_data_alone() {
    let of = |api_version: &str, kind: &str, rest: Value| status_of(api_version, kind, &rest);
    for (found, known) in [
        (of("longhorn.io/v1beta2", "Volume", value!({ "status": { "robustness": "faulted" } })), "Degraded"),
        (of("keda.sh/v1alpha1", "ScaledObject", value!({})), "Progressing"),
        (
            of(
                "cert-manager.io/v1",
                "Certificate",
                value!({ "status": { "conditions": [{ "type": "Ready", "status": "False" }, { "type": "Issuing", "status": "True" }] } }),
            ),
            "Progressing",
        ),
        (
            of(
                "apps.kruise.io/v1alpha1",
                "StatefulSet",
                value!({
                    "spec": { "updateStrategy": { "rollingUpdate": { "partition": 3 } } },
                    "status": { "replicas": 5, "updatedReplicas": 3, "updatedAvailableReplicas": 3 },
                }),
            ),
            "Suspended",
        ),
        (
            of(
                "opentelemetry.io/v1beta1",
                "OpenTelemetryCollector",
                value!({ "status": { "scale": { "statusReplicas": "2/2" } } }),
            ),
            "Healthy",
        ),
        (
            of(
                "opentelemetry.io/v1beta1",
                "OpenTelemetryCollector",
                value!({ "status": { "scale": { "statusReplicas": "1/2" } } }),
            ),
            "Progressing",
        ),
        (
            of(
                "work.karmada.io/v1alpha2",
                "ResourceBinding",
                value!({ "spec": { "clusters": [{}, {}] }, "status": { "aggregatedStatus": [{ "health": "Healthy" }] } }),
            ),
            "Progressing",
        ),
    ] {
        assert_eq!(found, known);
    }
}

#[test]
fn what_no_table_knows_is_read_by_what_it_reports() {
    for (rest, known) in [
        (value!({}), "Healthy"),
        (value!({ "status": {} }), "Progressing"),
        (value!({ "status": { "conditions": [] } }), "Progressing"),
        (value!({ "status": { "phase": "Scheduling" } }), "Progressing"),
        (value!({ "status": { "phase": "Waiting for the moon" } }), "Progressing"),
        (value!({ "status": { "phase": "Ready", "health": "red" } }), "Degraded"),
        (value!({ "status": { "deployState": "DEPLOYED_NOT_READY" } }), "Progressing"),
        (value!({ "status": { "jobStatus": { "state": "FAILED" } } }), "Degraded"),
        (value!({ "status": { "error": { "message": "no" } } }), "Degraded"),
        (value!({ "status": { "ready": false } }), "Progressing"),
        (value!({ "status": { "observedGeneration": 1, "phase": "Ready" } }), "Progressing"),
        (value!({ "spec": { "suspend": true }, "status": { "phase": "Ready" } }), "Suspended"),
        (
            value!({ "status": { "conditions": [{ "type": "Ready", "status": "False", "reason": "NotReady" }] } }),
            "Degraded",
        ),
        (
            value!({ "status": { "conditions": [{ "type": "Ready", "status": "False", "reason": "PodsNotReady" }] } }),
            "Progressing",
        ),
        (
            value!({ "status": { "deep": { "conditions": [{ "type": "Ready", "status": "True" }] } } }),
            "Healthy",
        ),
    ] {
        assert_eq!(status_of("example.com/v1", "Widget", &rest), known, "{rest:?}");
    }
}

#[test]
fn the_users_rules_go_before_the_built_in_ones_and_give_way_where_they_do_not_hold() {
    let rule = |kind: &str, test: HealthTest, status: HealthStatus, message: &str| {
        let pattern = KindPattern { group: "*example.com".into(), kind: kind.into() };
        let message = Some(message).filter(|m| !m.is_empty()).map(|m| RuleMessage::Text(m.to_owned()));
        (pattern, HealthRule { tests: vec![test], status, message })
    };
    let phase = ValuePath::parse("status.phase").expect("a path");
    let rules = HealthRules::with(vec![
        rule(
            "Widget",
            HealthTest::Is { path: phase, patterns: vec!["Dr*".into()] },
            HealthStatus::Suspended,
            "by hand",
        ),
        rule(
            "*",
            HealthTest::Condition {
                kind: "Wet".into(),
                fits: ConditionFits { status: vec!["True".into()], ..ConditionFits::default() },
            },
            HealthStatus::Degraded,
            "",
        ),
    ]);
    let of = |kind: &str, status: &Value| {
        let mut rest = value!({ "status": null });
        if let Some(map) = rest.as_map_mut() {
            map.insert("status".to_owned(), status.clone());
        }
        health(&live("a.example.com/v1", kind, &rest), &rules)
    };
    assert_eq!(
        of("Widget", &value!({ "phase": "Draining" })),
        Health::with(HealthStatus::Suspended, "by hand")
    );
    assert_eq!(of("Widget", &value!({ "phase": "Failed" })).status, HealthStatus::Degraded);
    assert_eq!(
        of("Gadget", &value!({ "conditions": [{ "type": "Wet", "status": "True", "message": "it rains" }] })),
        Health::with(HealthStatus::Degraded, "it rains")
    );
    assert_eq!(of("Gadget", &value!({ "phase": "Draining" })).status, HealthStatus::Progressing);
}

#[test]
fn what_is_not_understood_is_unknown_and_what_says_nothing_is_as_before() {
    let condition = |kind: &str, status: &str| value!({ "status": { "conditions": [{ "type": kind, "status": status }] } });
    let of = |rest: &Value| {
        let found = health(&live("example.com/v1", "Widget", rest), HealthRules::built_in());
        (found.status.word(), found.message.unwrap_or_default())
    };
    let unknown = |what: &str| ("Unknown", format!("what it reports is not understood: {what}"));
    let plain = |word: &'static str| (word, String::new());
    for (rest, known) in [
        (condition("Reachable", "False"), unknown("Reachable is False")),
        (condition("Example", "True"), unknown("Example is True")),
        (value!({ "status": { "state": "Quarantined" } }), unknown("state is Quarantined")),
        (value!({ "status": { "phase": "Zugzwang", "ready": true } }), plain("Healthy")),
        (value!({ "status": { "loadBalancer": { "ip": "192.0.2.1" } } }), plain("Healthy")),
        (value!({ "status": { "syncStatus": "odd" } }), plain("Healthy")),
        (value!({ "spec": { "a": 1 } }), plain("Healthy")),
        (condition("example.com/app-ready", "True"), plain("Healthy")),
        (condition("AppNotReady", "False"), plain("Healthy")),
        (condition("AppNotReady", "True"), plain("Degraded")),
        (condition("DiskPressure", "True"), plain("Degraded")),
        (condition("FailedCreatePod", "True"), plain("Degraded")),
        (condition("DatabaseProvisioned", "True"), plain("Healthy")),
        (condition("DatabaseProvisioned", "False"), plain("Progressing")),
        (condition("Unavailable", "False"), plain("Healthy")),
    ] {
        assert_eq!(of(&rest), known, "{rest:?}");
    }
}

#[test]
fn a_custom_object_is_as_well_as_the_worst_of_its_parts_says_and_the_past_of_them_says_nothing() {
    let ready = || value!([{ "type": "Ready", "status": "True", "reason": "Done" }]);
    let with = |part: &str, value: Value| {
        let mut status = value!({});
        status.as_map_mut().unwrap().extend([("conditions".to_owned(), ready()), (part.to_owned(), value)]);
        let mut rest = value!({});
        rest.as_map_mut().unwrap().insert("status".to_owned(), status);
        status_of("example.com/v1", "Widget", &rest)
    };
    for (found, known) in [
        (with("environments", value!([{ "phase": "success" }, { "phase": "failure" }])), "Degraded"),
        (with("environments", value!([{ "phase": "success" }, { "phase": "pending" }])), "Progressing"),
        (with("statuses", value!({ "gateway": { "state": "Rejected" } })), "Degraded"),
        (with("history", value!([{ "phase": "failure" }])), "Healthy"),
        (with("lastBackup", value!({ "phase": "Failed" })), "Healthy"),
        (with("racks", value!({ "a": { "members": 3, "readyMembers": 1 } })), "Progressing"),
        (with("scale", value!({ "statusReplicas": "2/2" })), "Healthy"),
        (
            with(
                "listeners",
                value!([{ "conditions": [{ "type": "Accepted", "status": "False", "reason": "PortUnavailable" }] }]),
            ),
            "Progressing",
        ),
        (
            with(
                "listeners",
                value!([{ "conditions": [{ "type": "Accepted", "status": "False", "reason": "Invalid" }] }]),
            ),
            "Degraded",
        ),
        (
            status_of(
                "example.com/v1",
                "Widget",
                &value!({ "status": { "phase": "Succeeded", "nodes": { "a": { "phase": "Failed" } } } }),
            ),
            "Healthy",
        ),
        (status_of("example.com/v1", "Widget", &value!({ "status": { "failed": true } })), "Degraded"),
        (status_of("example.com/v1", "Widget", &value!({ "status": { "failed": 0 } })), "Healthy"),
        (
            status_of(
                "example.com/v1",
                "Widget",
                &value!({ "spec": { "updateStrategy": { "paused": true } }, "status": { "a": 1 } }),
            ),
            "Suspended",
        ),
    ] {
        assert_eq!(found, known);
    }
}

#[test]
fn a_message_that_looks_like_a_secret_is_hidden_and_the_word_stays() {
    let clone = "unable to clone 'https://bot:hunter2@git.example.com/shop'";
    let hidden = "<hidden: it looks like a secret>";
    let failed = value!({"status": {"conditions": [
        {"type": "Ready", "status": "False", "reason": "GitFailed", "message": clone}]}});
    let waiting = value!({"status": {"containerStatuses": [
        {"name": "app", "state": {"waiting": {"reason": "CrashLoopBackOff", "message": clone}}}]}});
    for (api_version, kind, rest, message) in [
        ("source.toolkit.fluxcd.io/v1", "GitRepository", failed, hidden.to_owned()),
        ("v1", "Pod", waiting, format!("app: CrashLoopBackOff: {hidden}")),
    ] {
        let said = health(&live(api_version, kind, &rest), HealthRules::built_in());
        assert_eq!(said, Health::with(HealthStatus::Degraded, message), "{kind}");
    }
}
