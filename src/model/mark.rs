//! Defines the marks by which engines and deployers claim live objects.

use super::app::Engine;
use super::live::LiveObject;

/// A claim on a live object, as its metadata carries it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// `argocd.argoproj.io/tracking-id: <app>:<group>/<Kind>:<namespace>/<name>`, where it describes its carrier.
    ArgoCd { app: String },
    /// `kustomize.toolkit.fluxcd.io/{name,namespace}` or `helm.toolkit.fluxcd.io/{name,namespace}`.
    Flux { helm: bool, namespace: String, name: String },
    /// `gitops.jenkins-x.io/pipeline`, the prune scope of Jenkins X.
    JenkinsX { scope: String },
    /// `meta.helm.sh/release-{name,namespace}` with `app.kubernetes.io/managed-by: Helm`.
    Helm { namespace: String, name: String },
    /// `applyset.kubernetes.io/part-of`, kubectl's pruning.
    ApplySet { id: String },
}

impl Mark {
    /// Returns every mark that an object carries.
    pub fn of(object: &LiveObject) -> Vec<Mark> {
        let mut marks = Vec::new();
        if let Some(id) = object.annotation("argocd.argoproj.io/tracking-id")
            && let Some(app) = tracking_app(object, id)
        {
            marks.push(Mark::ArgoCd { app: app.to_owned() });
        }
        for (helm, prefix) in [(false, "kustomize"), (true, "helm")] {
            let label = |field: &str| object.label(&format!("{prefix}.toolkit.fluxcd.io/{field}"));
            if let (Some(name), Some(namespace)) = (label("name"), label("namespace")) {
                marks.push(Mark::Flux { helm, namespace: namespace.to_owned(), name: name.to_owned() });
            }
        }
        if let Some(scope) = object.label("gitops.jenkins-x.io/pipeline") {
            marks.push(Mark::JenkinsX { scope: scope.to_owned() });
        }
        if let Some(name) = object.annotation("meta.helm.sh/release-name")
            && object.label("app.kubernetes.io/managed-by") == Some("Helm")
        {
            let namespace =
                object.annotation("meta.helm.sh/release-namespace").unwrap_or_default().to_owned();
            marks.push(Mark::Helm { namespace, name: name.to_owned() });
        }
        if let Some(id) = object.label("applyset.kubernetes.io/part-of") {
            marks.push(Mark::ApplySet { id: id.to_owned() });
        }
        marks
    }

    /// Returns the system that the mark is of.
    pub fn engine(&self) -> Engine {
        match self {
            Mark::ArgoCd { .. } => Engine::ArgoCd,
            Mark::Flux { .. } => Engine::Flux,
            Mark::JenkinsX { .. } => Engine::JenkinsX,
            Mark::Helm { .. } => Engine::Helm,
            Mark::ApplySet { .. } => Engine::None,
        }
    }
}

/// Returns the application of a tracking id, if the id describes the object that carries it.
///
/// Source: Argo CD, `util/argo/resource_tracking.go`: an id that names another object means that it was copied.
fn tracking_app<'a>(object: &LiveObject, id: &'a str) -> Option<&'a str> {
    let (app, described) = id.split_once(':')?;
    let (kind, place) = described.rsplit_once(':')?;
    let (group, kind) = kind.split_once('/').unwrap_or(("", kind));
    let name = place.split_once('/').map_or(place, |(_, name)| name);
    let matches = object.id.kind.group == group
        && object.id.kind.kind == kind
        && object.id.name.as_deref() == Some(name);
    matches.then_some(app)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ClusterId;
    use crate::value;

    fn object(tracking: &str) -> LiveObject {
        let body = value!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {
            "name": "web", "namespace": "shop",
            "annotations": {"argocd.argoproj.io/tracking-id": tracking, "meta.helm.sh/release-name": "r", "meta.helm.sh/release-namespace": "shop"},
            "labels": {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}}});
        LiveObject::read(&ClusterId("c".into()), body).unwrap()
    }

    #[test]
    fn a_tracking_id_counts_only_on_the_object_that_it_describes() {
        let flux = Mark::Flux { helm: false, namespace: "flux-system".into(), name: "apps".into() };
        assert_eq!(
            Mark::of(&object("shop:apps/Deployment:shop/web")),
            [Mark::ArgoCd { app: "shop".into() }, flux.clone()]
        );
        assert_eq!(
            Mark::of(&object("shop:apps/Deployment:shop/other")),
            [flux],
            "copied from another object"
        );
    }
}
