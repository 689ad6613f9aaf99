//! Defines the fields that the API server does not let anybody change: putting them right means replacing the object.
//!
//! Source: the `Validate…Update` functions of kubernetes 1.36, `pkg/apis/*/validation`.

use crate::model::{FieldChange, GroupKind, LiveObject, Segment};

/// Kind, group, and the paths that are fixed once the object is there; `*` stands for every field but those after it.
const FIXED: [(&str, &str, &[&str]); 21] = [
    ("Deployment", "apps", &["spec.selector"]),
    ("ReplicaSet", "apps", &["spec.selector"]),
    ("DaemonSet", "apps", &["spec.selector"]),
    (
        "StatefulSet",
        "apps",
        &["spec.selector", "spec.serviceName", "spec.podManagementPolicy", "spec.volumeClaimTemplates"],
    ),
    ("Job", "batch", &["spec.selector", "spec.template", "spec.completionMode", "spec.podFailurePolicy"]),
    ("Service", "", &["spec.clusterIP", "spec.healthCheckNodePort", "spec.loadBalancerClass"]),
    (
        "PersistentVolumeClaim",
        "",
        &[
            "spec.accessModes",
            "spec.selector",
            "spec.storageClassName",
            "spec.volumeName",
            "spec.volumeMode",
            "spec.dataSource",
            "spec.dataSourceRef",
        ],
    ),
    (
        "PersistentVolume",
        "",
        &["spec.csi", "spec.nfs", "spec.hostPath", "spec.local", "spec.volumeMode", "spec.nodeAffinity"],
    ),
    ("Secret", "", &["type"]),
    ("RoleBinding", "rbac.authorization.k8s.io", &["roleRef"]),
    ("ClusterRoleBinding", "rbac.authorization.k8s.io", &["roleRef"]),
    ("StorageClass", "storage.k8s.io", &["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"]),
    ("VolumeAttributesClass", "storage.k8s.io", &["driverName", "parameters"]),
    (
        "CSIDriver",
        "storage.k8s.io",
        &["spec.attachRequired", "spec.fsGroupPolicy", "spec.volumeLifecycleModes"],
    ),
    ("IngressClass", "networking.k8s.io", &["spec.controller"]),
    ("PriorityClass", "scheduling.k8s.io", &["value", "preemptionPolicy"]),
    ("RuntimeClass", "node.k8s.io", &["handler"]),
    ("EndpointSlice", "discovery.k8s.io", &["addressType"]),
    (
        "CustomResourceDefinition",
        "apiextensions.k8s.io",
        &["spec.group", "spec.scope", "spec.names.plural", "spec.names.kind"],
    ),
    ("ResourceClaim", "resource.k8s.io", &["spec"]),
    ("ResourceClaimTemplate", "resource.k8s.io", &["spec"]),
];

/// Fields of pods that may be changed in place; the rest of a pod's spec is fixed.
const OF_A_POD: [&str; 4] =
    ["image", "activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"];

/// Returns whether putting a change right means replacing the live object.
pub(super) fn needs_replace(live: &LiveObject, change: &FieldChange) -> bool {
    let kind = &live.id.kind;
    let fields = fields_of(change);
    let starts = |fixed: &str| {
        let mut steps = fixed.split('.');
        let mut given = fields.iter();
        steps.all(|step| given.next().is_some_and(|f| *f == step))
    };
    if is_frozen(live) && ["data", "binaryData", "stringData", "immutable"].iter().any(|f| starts(f)) {
        return true;
    }
    match (kind.kind.as_str(), kind.group.as_str()) {
        ("Pod", "") => starts("spec") && !fields.last().is_some_and(|f| OF_A_POD.contains(f)),
        _ => fixed(kind).iter().any(|path| starts(path)),
    }
}

fn fixed(kind: &GroupKind) -> &'static [&'static str] {
    FIXED.iter().find(|(k, g, _)| *k == kind.kind && *g == kind.group).map_or(&[], |(_, _, paths)| paths)
}

/// A ConfigMap or Secret that is marked immutable.
fn is_frozen(live: &LiveObject) -> bool {
    live.id.kind.group.is_empty()
        && matches!(live.id.kind.kind.as_str(), "ConfigMap" | "Secret")
        && live.body.get("immutable").and_then(crate::model::Value::as_bool) == Some(true)
}

fn fields_of(change: &FieldChange) -> Vec<&str> {
    change
        .path
        .0
        .iter()
        .filter_map(|s| if let Segment::Field(name) = s { Some(name.as_str()) } else { None })
        .collect()
}
