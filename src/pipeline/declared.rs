//! Defines which deployments declare which objects, so that an event finds its deployments at once, and what two of them
//! declare is told.

use crate::model::{DeploymentId, GroupKind, Manifest, Notice};
use crate::pipeline::store::ObjectKey;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The declared objects of all clusters (by their index), each with the deployments that declare it. In whichever
/// version two of them declare it, it is one object.
#[derive(Debug, Default)]
pub struct Declared {
    objects: HashMap<GroupKind, HashMap<usize, HashMap<ObjectKey, Vec<DeploymentId>>>>,
    /// What was told already of objects that two apps declare.
    told: BTreeSet<String>,
}

impl Declared {
    /// Adds a deployment's manifests. Returns a warning for each object that another app declares too, once in a life,
    /// unless these owners of it are no news.
    pub fn add(
        &mut self,
        id: &DeploymentId,
        cluster: usize,
        manifests: &[Arc<Manifest>],
        is_news: impl Fn(&[DeploymentId]) -> bool,
    ) -> Vec<Notice> {
        let mut notices = Vec::new();
        for manifest in manifests {
            let Some(name) = manifest.id.name.clone() else { continue };
            let key = (manifest.id.namespace.clone(), name);
            let here = self.objects.entry(manifest.id.kind.clone()).or_default().entry(cluster).or_default();
            let owners = here.entry(key).or_default();
            if owners.contains(id) {
                continue;
            }
            owners.push(id.clone());
            notices.extend(declared_twice(manifest, owners).filter(|_| is_news(owners)));
        }
        notices.retain(|notice| self.told.insert(format!("{} {:?}", notice.title, notice.object)));
        notices.sort();
        notices
    }

    /// Takes a deployment's manifests out again.
    pub fn remove(&mut self, id: &DeploymentId, cluster: usize, manifests: &[Arc<Manifest>]) {
        for manifest in manifests {
            let here =
                self.objects.get_mut(&manifest.id.kind).and_then(|clusters| clusters.get_mut(&cluster));
            let Some(objects) = here else { continue };
            let Some(name) = manifest.id.name.clone() else { continue };
            let key = (manifest.id.namespace.clone(), name);
            if let Some(owners) = objects.get_mut(&key) {
                owners.retain(|owner| owner != id);
                if owners.is_empty() {
                    objects.remove(&key);
                }
            }
        }
    }

    /// Returns the deployments that declare an object; empty if nobody does.
    pub fn by(&self, cluster: usize, kind: &GroupKind, object: &ObjectKey) -> &[DeploymentId] {
        let objects = self.objects.get(kind).and_then(|clusters| clusters.get(&cluster));
        objects.and_then(|objects| objects.get(object)).map_or(&[], Vec::as_slice)
    }
}

fn declared_twice(manifest: &Manifest, owners: &[DeploymentId]) -> Option<Notice> {
    let apps: BTreeSet<&str> = owners.iter().map(|owner| owner.app.name.as_str()).collect();
    let (first, last) = (apps.first()?, apps.last()?);
    if first == last {
        return None;
    }
    let place = manifest.id.namespace.as_ref().map(|n| format!("{n}/")).unwrap_or_default();
    let name = manifest.id.name.as_deref().unwrap_or_default();
    let object = format!("{}/{place}{name}", manifest.kind.group_kind());
    Some(
        Notice::warning(format!("declared by two apps: {first} and {last}"))
            .object(object)
            .hint("keep it in one of them; each sync would undo the other"),
    )
}
