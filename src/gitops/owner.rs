//! Finds the engine's object that owns an app: by the marks that the app's objects carry.

use super::{argocd, flux, hold};
use crate::cluster::{Cluster, ClusterError};
use crate::model::cluster::Scope;
use crate::model::hold::Automation;
use crate::model::{ClusterFacts, Engine, GroupKind, LiveObject, Mark};

/// The object by which an engine is told what to apply.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    pub engine: Engine,
    pub kind: GroupKind,
    /// `None`: the mark does not say.
    pub namespace: Option<String>,
    pub name: String,
}

/// Returns the kinds of engines' objects whose automation can be paused, with their engine.
pub fn kinds() -> [(Engine, GroupKind); 5] {
    [
        (Engine::ArgoCd, argocd::application()),
        (Engine::Flux, flux::kustomization()),
        (Engine::Flux, flux::helm_release()),
        (Engine::Flux, flux::instance()),
        (Engine::Flux, flux::resource_set()),
    ]
}

impl Owner {
    /// Returns the object that stands behind a mark, of the engines that have one.
    pub fn behind(mark: &Mark) -> Option<Self> {
        match mark {
            Mark::ArgoCd { app } => {
                // Source: Argo CD, `Application.InstanceName`: outside the controller's namespace the namespace comes first.
                let (namespace, name) =
                    app.split_once('_').map_or((None, &**app), |(ns, name)| (Some(ns), name));
                Some(Self {
                    engine: Engine::ArgoCd,
                    kind: argocd::application(),
                    namespace: namespace.map(str::to_owned),
                    name: name.to_owned(),
                })
            }
            Mark::Flux { helm, namespace, name } => Some(Self {
                engine: Engine::Flux,
                kind: if *helm { flux::helm_release() } else { flux::kustomization() },
                namespace: Some(namespace.clone()),
                name: name.clone(),
            }),
            Mark::JenkinsX { .. } | Mark::Helm { .. } | Mark::ApplySet { .. } => None,
        }
    }

    /// Returns every object that claims to own another one: of Flux Operator too, which labels what it applies.
    ///
    /// Source: Flux Operator, the owner labels `resourceset.fluxcd.controlplane.io/{name,namespace}` and
    /// `fluxcd.controlplane.io/{name,namespace}`.
    pub fn of(object: &LiveObject) -> Vec<Self> {
        let mut owners: Vec<Self> = Mark::of(object).iter().filter_map(Self::behind).collect();
        let operators = [
            (flux::resource_set(), "resourceset.fluxcd.controlplane.io"),
            (flux::instance(), "fluxcd.controlplane.io"),
        ];
        for (kind, prefix) in operators {
            let label = |field: &str| object.label(&format!("{prefix}/{field}")).map(str::to_owned);
            if let (Some(name), namespace @ Some(_)) = (label("name"), label("namespace")) {
                owners.push(Self { engine: Engine::Flux, kind, namespace, name });
            }
        }
        owners
    }

    /// Returns whether this is the owner's own object.
    pub fn is(&self, object: &LiveObject) -> bool {
        self.kind == object.id.kind
            && object.id.name.as_ref() == Some(&self.name)
            && (self.namespace.is_none() || self.namespace == object.id.namespace)
    }

    /// Reads the engine's object; `None` where it is not there, or its kind not served.
    pub async fn read(
        &self,
        cluster: &dyn Cluster,
        facts: &ClusterFacts,
    ) -> Result<Option<LiveObject>, ClusterError> {
        let Some(served) = facts.preferred(&self.kind).cloned() else { return Ok(None) };
        let get =
            |namespace: &str| cluster.get(served.clone(), Some(namespace.to_owned()), self.name.clone());
        if let Some(namespace) = &self.namespace {
            return get(namespace).await;
        }
        if let Ok(Some(found)) = get(argocd::NAMESPACE).await {
            return Ok(Some(found));
        }
        let all = cluster.list_metadata(served.clone(), Scope::All).await?;
        let mut called = all.into_iter().filter(|app| app.id.name.as_ref() == Some(&self.name));
        match (called.next(), called.next()) {
            (Some(only), None) => match only.id.namespace.as_deref() {
                Some(namespace) => get(namespace).await,
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// Returns the owner for people, such as `Kustomization flux-system/web`.
    pub fn called(&self) -> String {
        let place = self.namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
        format!("{} {place}{}", self.kind.kind, self.name)
    }
}

/// Returns who owns an app's objects, each once; what owns most of them first.
pub fn owners(objects: impl IntoIterator<Item = LiveObject>) -> Vec<Owner> {
    let mut found: Vec<(usize, Owner)> = Vec::new();
    for owner in objects.into_iter().flat_map(|object| Owner::of(&object)) {
        match found.iter_mut().find(|(_, known)| *known == owner) {
            Some((count, _)) => *count += 1,
            None => found.push((1, owner)),
        }
    }
    found.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.cmp(other)));
    found.into_iter().map(|(_, owner)| owner).collect()
}

/// Reads whether the engine that owns an app acts by itself. An engine's object that is not there says nothing.
pub async fn automation(
    owners: &[Owner],
    cluster: &dyn Cluster,
    facts: &ClusterFacts,
) -> Result<Automation, ClusterError> {
    let mut found = Automation::NoEngine;
    for owner in owners {
        let Some(object) = owner.read(cluster, facts).await? else { continue };
        match hold::standing(&object) {
            held @ Automation::Held(_) => return Ok(held),
            Automation::NoEngine => {}
            Automation::Manual if found == Automation::Running => {}
            other => found = other,
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClusterId, Value};
    use crate::value;

    #[test]
    fn a_mark_leads_to_its_engines_object() {
        let flux = |helm| Mark::Flux { helm, namespace: "flux-system".into(), name: "apps".into() };
        let argo = |app: &str| Mark::ArgoCd { app: app.into() };
        for (mark, expected) in [
            (argo("shop"), Some(("Application", None, "shop"))),
            (argo("team_shop"), Some(("Application", Some("team"), "shop"))),
            (flux(false), Some(("Kustomization", Some("flux-system"), "apps"))),
            (flux(true), Some(("HelmRelease", Some("flux-system"), "apps"))),
            (Mark::Helm { namespace: "shop".into(), name: "web".into() }, None),
        ] {
            let found = Owner::behind(&mark);
            let found = found.as_ref().map(|o| (&*o.kind.kind, o.namespace.as_deref(), &*o.name));
            assert_eq!(found, expected, "{mark:?}");
        }
    }

    #[test]
    fn whoever_owns_most_of_an_app_is_first_and_flux_operator_is_known_by_its_labels() {
        let object = |name: &str, labels: Value| {
            let mut body = value!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": name, "namespace": "shop"}});
            let metadata = body.as_map_mut().unwrap().get_mut("metadata").unwrap();
            metadata.as_map_mut().unwrap().insert("labels".into(), labels);
            LiveObject::read(&ClusterId("c".into()), body).unwrap()
        };
        let flux = |name: &str| value!({"kustomize.toolkit.fluxcd.io/name": name, "kustomize.toolkit.fluxcd.io/namespace": "flux-system"});
        let set = value!({"resourceset.fluxcd.controlplane.io/name": "tenants",
            "resourceset.fluxcd.controlplane.io/namespace": "flux-system"});
        let instance = value!({"fluxcd.controlplane.io/name": "flux", "fluxcd.controlplane.io/namespace": "flux-system"});
        let objects = [
            object("a", flux("one")),
            object("b", flux("web")),
            object("c", flux("web")),
            object("d", set),
            object("e", instance),
            object("f", value!({"app": "web"})),
        ];
        let called: Vec<String> = owners(objects).iter().map(Owner::called).collect();
        assert_eq!(
            called,
            [
                "Kustomization flux-system/web",
                "FluxInstance flux-system/flux",
                "ResourceSet flux-system/tenants",
                "Kustomization flux-system/one"
            ]
        );
    }
}
