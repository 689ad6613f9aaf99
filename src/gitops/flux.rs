//! Defines Flux's side: Kustomizations and HelmReleases with their `suspend`, and what Flux Operator reconciles.

use super::hold::Switch;
use crate::model::{FieldPath, GroupKind, LiveObject, Value};

/// The annotation by which Flux Operator leaves one of its objects alone.
///
/// Source: Flux Operator, `api/v1/common.go`: `ReconcileAnnotation`, with `enabled` and `disabled`.
pub const RECONCILE: &str = "fluxcd.controlplane.io/reconcile";

pub fn kustomization() -> GroupKind {
    GroupKind::new("kustomize.toolkit.fluxcd.io", "Kustomization")
}

pub fn helm_release() -> GroupKind {
    GroupKind::new("helm.toolkit.fluxcd.io", "HelmRelease")
}

pub fn instance() -> GroupKind {
    GroupKind::new("fluxcd.controlplane.io", "FluxInstance")
}

pub fn resource_set() -> GroupKind {
    GroupKind::new("fluxcd.controlplane.io", "ResourceSet")
}

/// Returns whether objects of a kind are paused by the annotation.
pub fn is_operators(kind: &GroupKind) -> bool {
    *kind == instance() || *kind == resource_set()
}

pub fn suspend() -> FieldPath {
    FieldPath::fields(&["spec", "suspend"])
}

pub fn reconcile() -> FieldPath {
    FieldPath::fields(&["metadata", "annotations", RECONCILE])
}

/// Reads whether Flux reconciles one of its objects.
pub fn switch(object: &LiveObject) -> Switch {
    let off = if is_operators(&object.id.kind) {
        object.annotation(RECONCILE) == Some("disabled")
    } else {
        object.body.at(&["spec", "suspend"]).and_then(Value::as_bool) == Some(true)
    };
    if off { Switch::Off } else { Switch::On }
}
