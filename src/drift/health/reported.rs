//! Defines the health of custom kinds: what their controllers report in conditions, phases and states.

use super::{NOT_SEEN, conditions, is_behind};
use crate::model::{Health, HealthStatus, LiveObject, Value};

/// Returns what a custom object's controller reports, if it reports anything.
pub(super) fn of(object: &LiveObject) -> Option<Health> {
    let body = &object.body;
    let flag = |path: &[&str]| body.at(path).and_then(Value::as_bool) == Some(true);
    if is_behind(body) {
        return Some(Health::with(HealthStatus::Progressing, NOT_SEEN));
    }
    if flag(&["spec", "suspend"]) || flag(&["spec", "suspended"]) || flag(&["spec", "paused"]) {
        return Some(Health::with(HealthStatus::Suspended, "suspended"));
    }
    let Some(status) = body.get("status").filter(|s| !s.is_empty()) else {
        return reports(&object.kind.group)
            .then(|| Health::with(HealthStatus::Progressing, "its controller has reported nothing yet"));
    };
    let by_conditions = conditions::of(body);
    let by_word = WORDED
        .iter()
        .find_map(|field| word(status.str_at(&[field])?))
        .or_else(|| verdicts_of_reporters(status))
        .or_else(|| replicas(body, status));
    match (by_conditions, by_word) {
        // A phase tells more than a condition which is good news.
        (Some(c), Some(w)) if c.status == HealthStatus::Healthy => {
            Some(if w == HealthStatus::Healthy { c } else { Health { status: w, message: message(status) } })
        }
        (Some(c), Some(HealthStatus::Progressing)) if c.status == HealthStatus::Degraded => {
            Some(Health { status: HealthStatus::Progressing, ..c })
        }
        (Some(c), _) => Some(c),
        (None, Some(word)) => Some(Health { status: word, message: message(status) }),
        (None, None) => None,
    }
}

/// Fields of a status in which controllers put one word.
const WORDED: [&str; 9] = [
    "phase",
    "state",
    "health",
    "healthStatus",
    "status",
    "currentState",
    "syncStatus",
    "result",
    "currentPhase",
];

/// Reads the verdicts that Gloo's controllers give, by number or by word, one or one for each reporter.
fn verdicts_of_reporters(status: &Value) -> Option<HealthStatus> {
    fn verdict(status: &Value) -> Option<HealthStatus> {
        match (status.get("state")?, status.get("reportedBy").is_some()) {
            (Value::String(s), true) if s == "Accepted" => Some(HealthStatus::Healthy),
            (Value::String(s), true) if s == "Pending" => Some(HealthStatus::Suspended),
            (Value::String(_), true) => Some(HealthStatus::Degraded),
            (Value::Number(n), _) => Some(match n.as_i64() {
                Some(0) => HealthStatus::Suspended,
                Some(1) => HealthStatus::Healthy,
                _ => HealthStatus::Degraded,
            }),
            _ => None,
        }
    }
    let each = status.get("statuses").and_then(Value::as_map);
    each.and_then(|each| each.values().filter_map(verdict).max()).or_else(|| verdict(status))
}

/// Reads the counts of kinds that run replicas as Deployments do.
fn replicas(body: &Value, status: &Value) -> Option<HealthStatus> {
    let wanted = body.at(&["spec", "replicas"])?.as_i64()?;
    let ready = ["availableReplicas", "readyReplicas"].iter().find_map(|f| status.get(f)?.as_i64())?;
    Some(if ready < wanted { HealthStatus::Progressing } else { HealthStatus::Healthy })
}

fn message(status: &Value) -> Option<String> {
    ["message", "reason", "errorMessage", "error"]
        .iter()
        .find_map(|field| status.str_at(&[field]))
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

/// Returns what a controller's word means.
fn word(word: &str) -> Option<HealthStatus> {
    const HEALTHY: [&str; 24] = [
        "healthy",
        "ready",
        "running",
        "active",
        "available",
        "bound",
        "succeeded",
        "success",
        "successful",
        "completed",
        "complete",
        "green",
        "deployed",
        "synced",
        "ok",
        "online",
        "exists",
        "valid",
        "provisioned",
        "initialized",
        "accepted",
        "open",
        "installed",
        "finished",
    ];
    const DEGRADED: [&str; 17] = [
        "degraded",
        "failed",
        "failure",
        "error",
        "errored",
        "red",
        "invalid",
        "unhealthy",
        "crashloopbackoff",
        "lost",
        "warning",
        "configerror",
        "rejected",
        "aborted",
        "cancelled",
        "stopping",
        "disabled",
    ];
    const PROGRESSING: [&str; 24] = [
        "progressing",
        "pending",
        "creating",
        "provisioning",
        "deploying",
        "updating",
        "upgrading",
        "inprogress",
        "installing",
        "initializing",
        "waiting",
        "reconciling",
        "scheduled",
        "starting",
        "terminating",
        "deleting",
        "restarting",
        "finalising",
        "promoting",
        "processing",
        "upgradepending",
        "yellow",
        "new",
        "queued",
    ];
    const SUSPENDED: [&str; 5] = ["suspended", "paused", "stopped", "hibernated", "inactive"];
    let lower: String = word.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let says = |words: &[&str]| words.contains(&lower.as_str());
    if says(&HEALTHY) {
        Some(HealthStatus::Healthy)
    } else if says(&DEGRADED) || lower.ends_with("failed") || lower.ends_with("error") {
        Some(HealthStatus::Degraded)
    } else if says(&PROGRESSING) || lower.ends_with("inprogress") {
        Some(HealthStatus::Progressing)
    } else if says(&SUSPENDED) {
        Some(HealthStatus::Suspended)
    } else if lower == "notfound" {
        Some(HealthStatus::Missing)
    } else if lower == "unknown" || lower == "inconclusive" {
        Some(HealthStatus::Unknown)
    } else {
        None
    }
}

/// Returns whether the controllers of a group report on every object, so that silence means that they have not come to
/// it yet. Elsewhere silence is what most objects have to say.
fn reports(group: &str) -> bool {
    const GROUPS: [&str; 34] = [
        "cert-manager.io",
        "certmanager.k8s.io",
        "external-secrets.io",
        "kubernetes-client.io",
        "bitnami.com",
        "argoproj.io",
        "promoter.argoproj.io",
        "numaplane.numaproj.io",
        "kafka.strimzi.io",
        "ceph.rook.io",
        "snapshot.storage.k8s.io",
        "policy.open-cluster-management.io",
        "projectcontour.io",
        "kyverno.io",
        "pkg.crossplane.io",
        "stacks.crossplane.io",
        "apps.kruise.io",
        "gateway.solo.io",
        "gloo.solo.io",
        "core.humio.com",
        "coralogix.com",
        "astra.netapp.io",
        "grafana.integreatly.org",
        "jaegertracing.io",
        "k8s.keycloak.org",
        "onepassword.com",
        "solr.apache.org",
        "tower.ansible.com",
        "iammanager.keikoproj.io",
        "core.spinkube.dev",
        "addons.cluster.x-k8s.io",
        "clickhouse-keeper.altinity.com",
        "toolkit.fluxcd.io",
        "cluster.x-k8s.io",
    ];
    GROUPS.contains(&group)
        || group.ends_with(".toolkit.fluxcd.io")
        || group.ends_with(".aws.crossplane.io")
        || group.ends_with(".cluster.x-k8s.io")
        || group.ends_with(".kubitus-project.gitlab.io")
}
