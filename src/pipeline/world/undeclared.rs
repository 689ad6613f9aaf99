//! Finds the live objects that nobody declares: those that a deployment claims are its extras.

use super::{ClusterEntry, Deployment, Dirty, World};
use crate::model::{DeploymentId, GroupVersionKind, ResourceId};
use crate::pipeline::judging::{Item, Trust};
use crate::pipeline::store::ObjectKey;
use std::collections::{BTreeSet, HashSet};

impl World {
    /// Returns whether some deployment declares an object, in whichever version of its kind.
    pub fn declares(&self, cluster: usize, id: &ResourceId) -> bool {
        let key = (id.namespace.clone(), id.name.clone().unwrap_or_default());
        !self.declared.by(cluster, &id.kind, &key).is_empty()
    }

    /// Adds what may be an extra of a deployment, and extras that are to be looked at again.
    pub(super) fn undeclared(
        &self,
        id: &DeploymentId,
        deployment: &Deployment,
        dirty: &Dirty,
        items: &mut Vec<Item>,
    ) {
        let (Some(cluster), Some(rendering)) = (self.clusters.get(deployment.cluster), &deployment.rendered)
        else {
            return;
        };
        if deployment.claims.marks.is_empty()
            && deployment.claims.earlier.is_empty()
            && deployment.statuses.is_empty()
        {
            return;
        }
        let extras: HashSet<&ResourceId> =
            deployment.statuses.keys().filter(|id| !rendering.declares(id)).collect();
        if !dirty.all && !dirty.extras && dirty.objects.is_empty() && extras.is_empty() {
            return;
        }
        let rules = self.rules_of(deployment);
        let item = |id: &DeploymentId, object: &ResourceId, kind: &GroupVersionKind, live, trust| Item {
            deployment: id.clone(),
            id: object.clone(),
            kind: kind.clone(),
            desired: None,
            live,
            trust,
            claims: deployment.claims.clone(),
            deployer: deployment.engine_manager(),
            past: deployment.past.clone(),
            rules: rules.clone(),
            answer: None,
        };
        let trust = self.trust_in_absence(deployment.cluster);
        let mut held: HashSet<&ResourceId> = HashSet::new();
        for kind in cluster.store.kinds() {
            let group_kind = kind.group_kind();
            let of_kind = dirty.objects.iter().filter(|(of, _)| of.group_kind() == group_kind);
            let touched: HashSet<&ObjectKey> = of_kind.map(|(_, key)| key).collect();
            for (key, packed) in cluster.store.of_kind(kind) {
                let wanted =
                    dirty.all || dirty.extras || touched.contains(key) || extras.contains(&packed.id);
                if wanted
                    && self.declared.by(deployment.cluster, &group_kind, key).is_empty()
                    && is_held_as(cluster, kind, key)
                {
                    held.insert(&packed.id);
                    items.push(item(id, &packed.id, kind, Some(packed.clone()), trust.clone()));
                }
            }
        }
        // What is no longer there, or is declared by another app now, is no extra any more.
        let past = deployment.statuses.iter().filter(|(id, _)| extras.contains(id) && !held.contains(id));
        items.extend(past.map(|(object, status)| item(id, object, &status.kind, None, Trust::Fresh)));
    }

    /// Returns how far it can be trusted that nobody declares an object: where a rendering left something out, that may
    /// declare it.
    fn trust_in_absence(&self, cluster: usize) -> Trust {
        let in_cluster = self.deployments.iter().filter(|(_, d)| d.cluster == cluster);
        let incomplete = in_cluster.filter(|(_, d)| d.rendered.as_ref().is_none_or(|r| !r.complete));
        let names: BTreeSet<&str> = incomplete.map(|(id, _)| id.app.name.as_str()).collect();
        if names.is_empty() {
            return Trust::Fresh;
        }
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        Trust::Unknown(format!("it may be declared by {names}, whose rendering is incomplete"))
    }
}

/// Returns whether this version of a kind stands for an object that is watched in several: the first that holds it.
fn is_held_as(cluster: &ClusterEntry, kind: &GroupVersionKind, key: &ObjectKey) -> bool {
    let others = cluster
        .store
        .kinds()
        .filter(|other| other.group == kind.group && other.kind == kind.kind && other.version < kind.version);
    let (namespace, name) = (key.0.as_deref(), key.1.as_str());
    !others.into_iter().any(|other| cluster.store.object(other, namespace, name).is_some())
}
