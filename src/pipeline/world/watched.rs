//! Keeps what watches showed and no list can show any more: objects that were deleted, versions that were overwritten, and
//! what each update changed.

use super::World;
use crate::cluster::WatchEvent;
use crate::drift::{Change, Written, edits};
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
/// Changes of one object: one that is written all the time must not push out what happened to others.
const CHANGES: usize = 64;

/// A version of an object that is there no more.
#[derive(Clone)]
pub struct Seen {
    /// Which update replaced it, counted from the first one.
    pub update: u64,
    /// When the watch showed that it was gone.
    pub at: Timestamp,
    pub cluster: usize,
    pub deployment: DeploymentId,
    pub object: Arc<Packed>,
    /// The object was deleted; else another version took its place.
    pub deleted: bool,
}

/// What one writer changed in an update of an object: paths, and no values.
#[derive(Clone)]
pub struct Edited {
    /// Which update it was, counted from the first one.
    pub update: u64,
    pub cluster: usize,
    pub deployment: DeploymentId,
    pub id: ResourceId,
    pub written: Written,
}

/// What was seen, bounded.
#[derive(Default)]
pub struct Watched {
    seen: VecDeque<Seen>,
    bytes: usize,
    edits: VecDeque<Edited>,
    /// Changes had to be forgotten.
    forgot: bool,
    updates: u64,
}

impl Watched {
    /// Returns everything that is kept, oldest first.
    pub fn all(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter()
    }

    /// Returns what updates changed, oldest first.
    pub fn edits(&self) -> impl Iterator<Item = &Edited> {
        self.edits.iter()
    }

    /// Returns whether there was more than is kept, in words.
    pub fn forgotten(&self) -> Option<String> {
        let words = format!(
            "older changes that were watched: no more than {CHANGES} of an object and {KEPT} of all are kept"
        );
        self.forgot.then_some(words)
    }

    fn push_edit(&mut self, edited: Edited) {
        let same = |other: &Edited| other.cluster == edited.cluster && other.id == edited.id;
        let excess = if self.edits.iter().filter(|other| same(other)).count() >= CHANGES {
            self.edits.iter().position(same)
        } else {
            (self.edits.len() >= KEPT).then_some(0)
        };
        if let Some(at) = excess {
            self.edits.remove(at);
            self.forgot = true;
        }
        self.edits.push_back(edited);
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

    /// Keeps what was replaced of the objects that changed, and by what, as far as they are some deployment's. With
    /// `one_write` a single write lies between what was held and what is.
    pub(super) fn keep_past(
        &mut self,
        at: usize,
        key: &WatchKey,
        changed: &[ObjectKey],
        mut before: Before,
        one_write: bool,
        now: Timestamp,
    ) {
        for place in changed {
            let Some(object) = before.remove(place) else { continue };
            let Some(cluster) = self.clusters.get(at) else { return };
            let here = self.deployments.iter().filter(|(_, d)| d.cluster == at && d.role.is_asked());
            let of = here.filter(|(_, d)| d.statuses.contains_key(&object.id)).max_by_key(|(_, d)| d.role);
            let Some((deployment, _)) = of else { continue };
            let deployment = deployment.clone();
            // One of the same name that was made anew is another object.
            let after = cluster.store.object(&key.kind, place.0.as_deref(), &place.1);
            let after = after.filter(|after| after.uid == object.uid);
            let id = &cluster.status.id;
            let versions = after.and_then(|after| Some((object.open(id).ok()?, after.open(id).ok()?)));
            let deleted = after.is_none();
            let mut written = Vec::new();
            if let Some((was, is)) = versions {
                let change = Change { before: &was, after: &is, is_one: one_write, seen: now };
                // A status that never rests is nothing that anybody asks for.
                let Some(edits) = edits(change, &self.managers) else { continue };
                written = edits;
            }
            self.watched.updates += 1;
            let update = self.watched.updates;
            for written in written {
                let (deployment, id) = (deployment.clone(), object.id.clone());
                self.watched.push_edit(Edited { update, cluster: at, deployment, id, written });
            }
            self.watched.push(Seen { update, at: now, cluster: at, deployment, object, deleted });
        }
    }
}
