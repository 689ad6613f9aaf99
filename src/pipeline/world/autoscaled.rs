//! Gathers what autoscalers set, of all kinds of them and in whichever version they are watched.

use super::World;
use crate::drift::{AUTOSCALERS, Autoscaled};
use crate::model::{GroupVersionKind, LiveObject};
use std::sync::Arc;

fn is_autoscaler(kind: &GroupVersionKind) -> bool {
    AUTOSCALERS.iter().any(|autoscaler| autoscaler.is(&kind.group, &kind.kind))
}

impl World {
    /// Looks anew at what the autoscalers of a cluster set, where objects of such a kind have moved. Where it is something
    /// else now, the cluster is judged anew.
    pub(super) fn gather_autoscalers(&mut self, at: usize, moved: &GroupVersionKind) {
        let Some(cluster) = self.clusters.get_mut(at).filter(|_| is_autoscaler(moved)) else { return };
        let id = cluster.status.id.clone();
        let kinds = cluster.store.kinds().filter(|kind| is_autoscaler(kind));
        let autoscalers: Vec<LiveObject> = kinds
            .flat_map(|kind| cluster.store.of_kind(kind))
            .filter_map(|(_, packed)| packed.open(&id).ok())
            .collect();
        let autoscaled = Autoscaled::of(&autoscalers);
        // Its status moves all the time, what it scales hardly ever.
        if *cluster.autoscaled != autoscaled {
            cluster.autoscaled = Arc::new(autoscaled);
            self.mark_cluster(at);
        }
    }
}
