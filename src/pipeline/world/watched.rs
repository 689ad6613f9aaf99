//! Keeps what watches showed and no list can show any more: objects that were deleted, and versions that were overwritten.

use super::World;
use crate::cluster::WatchEvent;
use crate::model::{DeploymentId, Packed, ResourceId, Timestamp};
use crate::pipeline::store::{ObjectKey, WatchKey};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What is kept at most, newest last; the oldest goes first.
const KEPT: usize = 2_000;
/// Bytes of the objects that are kept.
const KEPT_BYTES: usize = 16 << 20;
/// Versions of one object: a status that never rests must not push out what others were.
const VERSIONS: usize = 16;

/// A version of an object that is there no more.
#[derive(Clone)]
pub struct Seen {
    /// When the watch showed that it was gone.
    pub at: Timestamp,
    pub cluster: usize,
    pub deployment: DeploymentId,
    pub object: Arc<Packed>,
    /// The object was deleted; else another version took its place.
    pub deleted: bool,
}

/// What was seen, bounded.
#[derive(Default)]
pub struct Watched {
    seen: VecDeque<Seen>,
    bytes: usize,
}

impl Watched {
    /// Returns everything that is kept, oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter()
    }

    fn push(&mut self, seen: Seen) {
        let same = |other: &Seen| other.cluster == seen.cluster && other.object.id == seen.object.id;
        if !seen.deleted && self.seen.iter().filter(|other| same(other) && !other.deleted).count() >= VERSIONS
        {
            let oldest = self.seen.iter().position(|other| same(other) && !other.deleted);
            self.drop_at(oldest.unwrap_or_default());
        }
        self.bytes += seen.object.size();
        self.seen.push_back(seen);
        while self.seen.len() > KEPT || self.bytes > KEPT_BYTES {
            self.drop_at(0);
        }
    }

    fn drop_at(&mut self, at: usize) {
        if let Some(gone) = self.seen.remove(at) {
            self.bytes = self.bytes.saturating_sub(gone.object.size());
        }
    }
}

/// What a watch held of the objects that an event is about.
pub(super) type Before = BTreeMap<ObjectKey, Arc<Packed>>;

impl World {
    /// Returns what is held of the objects that an event may replace.
    pub(super) fn held_before(&self, at: usize, key: &WatchKey, event: &WatchEvent) -> Before {
        let Some(cluster) = self.clusters.get(at) else { return Before::new() };
        let one = |id: &ResourceId| {
            let place = (id.namespace.clone(), id.name.clone().unwrap_or_default());
            let held = cluster.store.object(&key.kind, place.0.as_deref(), &place.1).cloned();
            held.map(|held| (place, held)).into_iter().collect()
        };
        match event {
            WatchEvent::Listed(_) => {
                let held = cluster.store.of_kind(&key.kind);
                held.map(|(place, object)| (place.clone(), Arc::clone(object))).collect()
            }
            WatchEvent::Applied(object) => one(&object.id),
            WatchEvent::Deleted(id) => one(id),
            WatchEvent::Confirmed | WatchEvent::Interrupted { .. } => Before::new(),
        }
    }

    /// Keeps what was replaced of the objects that changed, as far as they are some deployment's.
    pub(super) fn keep_past(
        &mut self,
        at: usize,
        key: &WatchKey,
        changed: &[ObjectKey],
        mut before: Before,
        now: Timestamp,
    ) {
        for place in changed {
            let Some(object) = before.remove(place) else { continue };
            let Some(cluster) = self.clusters.get(at) else { return };
            let deleted = cluster.store.object(&key.kind, place.0.as_deref(), &place.1).is_none();
            let here = self.deployments.iter().filter(|(_, d)| d.cluster == at && d.role.is_asked());
            let of = here.filter(|(_, d)| d.statuses.contains_key(&object.id)).max_by_key(|(_, d)| d.role);
            if let Some((deployment, _)) = of {
                let deployment = deployment.clone();
                self.watched.push(Seen { at: now, cluster: at, deployment, object, deleted });
            }
        }
    }
}
