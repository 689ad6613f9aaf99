//! Defines what follows when pods say something else of their workload.

use super::World;
use crate::cluster::WatchEvent;
use crate::model::GroupVersionKind;

impl World {
    /// Takes in an event of the watch of a namespace's pods.
    pub fn pod_event(&mut self, at: usize, namespace: &str, event: WatchEvent) {
        let Some(cluster) = self.clusters.get_mut(at) else { return };
        let id = cluster.status.id.clone();
        for workload in cluster.troubles.take(&id, namespace, event) {
            let Some(name) = workload.name.clone() else { continue };
            let kind = GroupVersionKind::new(&workload.kind.group, "v1", &workload.kind.kind);
            self.mark_object(at, &kind, &(workload.namespace.clone(), name));
        }
    }
}
