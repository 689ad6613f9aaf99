//! Defines in which order the steps of a plan are done.
//!
//! Sources: Helm, `pkg/release/util/kind_sorter.go` (`InstallOrder`), and Argo CD, `gitops-engine/pkg/sync/sync_tasks.go`
//! (by wave, then by kind, then by name). Unlike Helm, CustomResourceDefinitions come right after Namespaces, because
//! their kinds must be served before anything of those kinds can be checked.

use crate::model::{GroupKind, LiveObject, Manifest, Value};

/// The kinds in the order in which they are created; deletions go the other way.
const INSTALL_ORDER: [&str; 36] = [
    "Namespace",
    "CustomResourceDefinition",
    "PriorityClass",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    // Kinds that are in no list go here, see `UNKNOWN`.
    "",
    // Last, because what they refuse or change is everything that comes after them.
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
    "MutatingAdmissionPolicyBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
];

/// The place of kinds that stand in no list: Helm and Argo CD install them after the built-in ones.
const UNKNOWN: usize = 30;

/// The groups whose kinds the table means; a custom resource may be called `Service` too.
const BUILT_IN_GROUPS: [&str; 12] = [
    "",
    "apps",
    "batch",
    "autoscaling",
    "policy",
    "networking.k8s.io",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "scheduling.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "admissionregistration.k8s.io",
];

const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";

/// Returns the place of a kind in the order of creation.
pub fn place(kind: &GroupKind) -> usize {
    if !BUILT_IN_GROUPS.contains(&kind.group.as_str()) {
        return UNKNOWN;
    }
    INSTALL_ORDER.iter().position(|name| *name == kind.kind).unwrap_or(UNKNOWN)
}

/// Returns the wave that a desired object asks for; 0 where it asks for none, as Argo CD.
pub fn wave(desired: &Manifest) -> i64 {
    wave_of(&desired.body)
}

/// Returns the wave that a live object was put into.
pub fn live_wave(live: &LiveObject) -> i64 {
    wave_of(&live.body)
}

fn wave_of(body: &Value) -> i64 {
    body.str_at(&["metadata", "annotations", SYNC_WAVE]).and_then(|w| w.trim().parse().ok()).unwrap_or(0)
}

/// Returns whether a kind is the core group's Namespace.
pub fn is_namespace(kind: &GroupKind) -> bool {
    kind.group.is_empty() && kind.kind == "Namespace"
}

/// Returns whether a kind is CustomResourceDefinition.
pub fn is_crd(kind: &GroupKind) -> bool {
    kind.group == "apiextensions.k8s.io" && kind.kind == "CustomResourceDefinition"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_and_definitions_come_first_and_webhooks_last() {
        let mut kinds = [
            GroupKind::new("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
            GroupKind::new("example.com", "Service"),
            GroupKind::new("apps", "Deployment"),
            GroupKind::new("", "Service"),
            GroupKind::new("", "ConfigMap"),
            GroupKind::new("apiextensions.k8s.io", "CustomResourceDefinition"),
            GroupKind::new("", "Namespace"),
        ];
        kinds.sort_by_key(place);
        let names: Vec<String> = kinds.iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            [
                "Namespace",
                "CustomResourceDefinition.apiextensions.k8s.io",
                "ConfigMap",
                "Service",
                "Deployment.apps",
                "Service.example.com",
                "ValidatingWebhookConfiguration.admissionregistration.k8s.io",
            ]
        );
        assert_eq!(INSTALL_ORDER[UNKNOWN], "");
    }
}
