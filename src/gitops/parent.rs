//! Says who else writes an engine's object, and may undo what is done to it.

use super::owner::Owner;
use super::{argocd, flux};
use crate::model::{LiveObject, Value};

/// Returns one sentence for each parent of an engine's object that may undo a pause of it.
pub fn parents(object: &LiveObject) -> Vec<String> {
    let is_application = object.id.kind == argocd::application();
    let owning =
        object.body.at(&["metadata", "ownerReferences"]).and_then(Value::as_list).unwrap_or_default();
    let sets = owning.iter().filter(|owner| owner.str_at(&["kind"]) == Some("ApplicationSet"));
    let mut said: Vec<String> = sets
        .map(|owner| {
            let name = owner.str_at(&["name"]).unwrap_or_default();
            format!(
                "ApplicationSet {name} makes this Application and will undo it, unless it ignores differences of its sync policy"
            )
        })
        .collect();
    let field = if is_application { "spec.syncPolicy" } else { "spec.suspend" };
    for owner in Owner::of(object) {
        let called = owner.called();
        said.push(if owner.is(object) {
            format!("{called} applies itself: if Git declares its {field}, that is put back when it next reconciles")
        } else if owner.kind == argocd::application() {
            format!(
                "Argo CD's {called} deploys this {}: if Git declares its {field}, its next sync, or self-heal, undoes it",
                object.id.kind.kind
            )
        } else if flux::is_operators(&owner.kind) {
            format!("{called} makes this {} and will undo it when it next reconciles, if it sets its {field}", object.id.kind.kind)
        } else {
            format!(
                "Flux's {called} deploys this {}: if Git declares its {field}, it undoes it when it next reconciles",
                object.id.kind.kind
            )
        });
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ClusterId;
    use crate::value;

    #[test]
    fn whoever_will_undo_a_pause_is_named() {
        let read = |body: Value| LiveObject::read(&ClusterId("c".into()), body).unwrap();
        let application = |metadata: Value| {
            let mut body = value!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"});
            body.as_map_mut().unwrap().insert("metadata".into(), metadata);
            read(body)
        };
        let kustomization = |name: &str| {
            read(value!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
                "metadata": {"name": name, "namespace": "flux-system", "labels": {
                    "kustomize.toolkit.fluxcd.io/name": "flux-system", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}}}))
        };
        for (object, begins) in [
            (application(value!({"name": "web", "namespace": "argocd"})), None),
            (
                application(value!({"name": "web", "namespace": "argocd",
                    "ownerReferences": [{"kind": "ApplicationSet", "name": "shop"}]})),
                Some("ApplicationSet shop makes this Application and will undo it"),
            ),
            (
                application(value!({"name": "web", "namespace": "argocd", "annotations": {
                    "argocd.argoproj.io/tracking-id": "root:argoproj.io/Application:argocd/web"}})),
                Some(
                    "Argo CD's Application root deploys this Application: if Git declares its spec.syncPolicy",
                ),
            ),
            (
                kustomization("web"),
                Some(
                    "Flux's Kustomization flux-system/flux-system deploys this Kustomization: if Git declares its spec.suspend",
                ),
            ),
            (kustomization("flux-system"), Some("Kustomization flux-system/flux-system applies itself")),
        ] {
            let said = parents(&object);
            assert_eq!(said.len(), usize::from(begins.is_some()), "{said:?}");
            assert!(begins.is_none_or(|begins| said[0].starts_with(begins)), "{said:?}");
        }
    }
}
