//! Defines the labels, annotations and finalizers that servers and deployers keep for themselves: nobody declares them, and
//! none of them is drift.

/// The label by which Argo CD tracks objects, unless it is told to use its annotation. Charts declare it too: whose it is,
/// its writer tells.
pub(super) const INSTANCE_LABEL: &str = "app.kubernetes.io/instance";

/// Returns whether the server or its controllers keep a label or annotation, whatever Git says of it.
pub(super) fn is_server_owned(key: &str) -> bool {
    const EXACT: [&str; 16] = [
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/revision",
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.daemonset.template.generation",
        "control-plane.alpha.kubernetes.io/leader",
        "endpoints.kubernetes.io/last-change-trigger-time",
        "batch.kubernetes.io/job-tracking",
        "volume.kubernetes.io/storage-provisioner",
        "volume.beta.kubernetes.io/storage-provisioner",
        "volume.kubernetes.io/selected-node",
        "kubernetes.io/service-account.uid",
        "autoscaling.alpha.kubernetes.io/conditions",
        "autoscaling.alpha.kubernetes.io/current-metrics",
        "kubernetes.io/legacy-token-last-used",
    ];
    EXACT.contains(&key) || key.starts_with("pv.kubernetes.io/")
}

/// Returns whether a label or annotation that Git does not declare is what a deployer, or the server, marks objects with.
///
/// Sources: Argo CD `resource tracking`, Flux `kustomize-controller` and `helm-controller`, Helm 3 release metadata, kubectl
/// ApplySets (KEP-3659), kapp, Fleet, Config Sync, Config Connector's inventory, Pulumi, Skaffold.
pub fn is_tracking(key: &str, value: Option<&str>) -> bool {
    const EXACT: [&str; 17] = [
        "argocd.argoproj.io/tracking-id",
        "argocd.argoproj.io/instance",
        "argocd.argoproj.io/installation-id",
        "kustomize.toolkit.fluxcd.io/name",
        "kustomize.toolkit.fluxcd.io/namespace",
        "kustomize.toolkit.fluxcd.io/checksum",
        "helm.toolkit.fluxcd.io/name",
        "helm.toolkit.fluxcd.io/namespace",
        "meta.helm.sh/release-name",
        "meta.helm.sh/release-namespace",
        "applyset.kubernetes.io/part-of",
        "kapp.k14s.io/app",
        "kapp.k14s.io/association",
        "kapp.k14s.io/identity",
        "kapp.k14s.io/original",
        "config.k8s.io/owning-inventory",
        "kubernetes.io/metadata.name",
    ];
    const PREFIXES: [&str; 7] = [
        "objectset.rio.cattle.io/",
        "fleet.cattle.io/",
        "configsync.gke.io/",
        "configmanagement.gke.io/",
        "kapp.k14s.io/",
        "skaffold.dev/",
        "applyset.kubernetes.io/",
    ];
    EXACT.contains(&key)
        || PREFIXES.iter().any(|prefix| key.starts_with(prefix))
        || (key == "app.kubernetes.io/managed-by"
            && matches!(value, Some("Helm" | "pulumi" | "configmanagement.gke.io" | "kapp")))
        || matches!(
            key,
            // What the Job controller writes into a Job's own template.
            "controller-uid"
                | "job-name"
                | "batch.kubernetes.io/controller-uid"
                | "batch.kubernetes.io/job-name"
        )
}

/// Returns whether a finalizer that Git does not declare is one that the server puts on by itself.
pub(super) fn is_server_finalizer(name: &str) -> bool {
    matches!(
        name,
        "kubernetes"
            | "kubernetes.io/pvc-protection"
            | "kubernetes.io/pv-protection"
            | "kubernetes.io/vac-protection"
            | "networking.k8s.io/service-cidr-finalizer"
            | "resource.kubernetes.io/delete-protection"
            | "scheduling.k8s.io/podgroup-protection"
            | "foregroundDeletion"
            | "orphan"
            | "service.kubernetes.io/load-balancer-cleanup"
            | "customresourcecleanup.apiextensions.k8s.io"
            | "batch.kubernetes.io/job-tracking"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helms_label_is_tracking_and_a_persons_is_not() {
        assert!(is_tracking("app.kubernetes.io/managed-by", Some("Helm")));
        assert!(!is_tracking("app.kubernetes.io/managed-by", Some("me")));
        assert!(is_tracking("argocd.argoproj.io/tracking-id", None));
        assert!(!is_tracking("team", None));
    }
}
