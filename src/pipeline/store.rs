//! Defines what the pipeline holds of one cluster: its objects, packed, and how far each watch can be trusted.

use crate::cluster::{ClusterError, WatchEvent};
use crate::model::{ClusterId, GroupVersionKind, LiveObject, Packed, Scope, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Identifies a watch: a kind in the version that Git asks for, and where it looks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchKey {
    pub kind: GroupVersionKind,
    pub scope: Scope,
}

/// An object's place within a kind: its namespace and name.
pub type ObjectKey = (Option<String>, String);

/// How far a watch can be trusted.
#[derive(Debug, Clone, PartialEq)]
pub enum WatchState {
    /// Nothing was listed yet.
    Pending,
    /// Listed and followed; last shown to be up to date at this time.
    Fresh { confirmed: Timestamp },
    /// Listed once, but the watch broke or was silent: what is known is old.
    Stale { since: Timestamp, why: String },
    /// It cannot be listed.
    Failed { error: ClusterError },
}

/// The objects of one cluster.
#[derive(Debug, Default)]
pub struct Store {
    objects: HashMap<GroupVersionKind, BTreeMap<ObjectKey, Arc<Packed>>>,
    watches: BTreeMap<GroupVersionKind, BTreeMap<Scope, WatchState>>,
}

/// What an event changed.
#[derive(Debug, Default, PartialEq)]
pub struct Changed {
    /// Objects whose content differs from before.
    pub objects: Vec<ObjectKey>,
    /// The watch's trust moved, so that every object in its scope may have another verdict.
    pub trust: bool,
}

impl Store {
    /// Adds a watch that has not listed yet; one that is known stays as it is.
    pub fn expect(&mut self, key: WatchKey) {
        self.watches.entry(key.kind).or_default().entry(key.scope).or_insert(WatchState::Pending);
    }

    /// Forgets a watch, with its objects unless another watch covers them.
    pub fn forget(&mut self, key: &WatchKey) {
        let Some(kept) = self.watches.get_mut(&key.kind) else { return };
        kept.remove(&key.scope);
        if let Some(objects) = self.objects.get_mut(&key.kind) {
            objects.retain(|(namespace, _), _| kept.keys().any(|scope| covers(scope, namespace.as_deref())));
        }
    }

    /// Returns every watch: its kind, where it looks, and how far it can be trusted.
    pub fn watches(&self) -> impl Iterator<Item = (&GroupVersionKind, &Scope, &WatchState)> {
        self.watches.iter().flat_map(|(kind, scopes)| scopes.iter().map(move |(scope, s)| (kind, scope, s)))
    }

    fn states(&mut self) -> impl Iterator<Item = &mut WatchState> {
        self.watches.values_mut().flat_map(BTreeMap::values_mut)
    }

    /// Returns the best state among the watches that cover a place; `None` if no watch does.
    pub fn coverage(&self, kind: &GroupVersionKind, namespace: Option<&str>) -> Option<&WatchState> {
        let rank = |state: &WatchState| match state {
            WatchState::Fresh { .. } => 0,
            WatchState::Stale { .. } => 1,
            WatchState::Pending => 2,
            WatchState::Failed { .. } => 3,
        };
        let scopes = self.watches.get(kind)?;
        let here = namespace.and_then(|namespace| scopes.get(&Scope::Namespace(namespace.to_owned())));
        scopes.get(&Scope::All).into_iter().chain(here).min_by_key(|state| rank(state))
    }

    pub fn object(
        &self,
        kind: &GroupVersionKind,
        namespace: Option<&str>,
        name: &str,
    ) -> Option<&Arc<Packed>> {
        self.objects.get(kind)?.get(&(namespace.map(str::to_owned), name.to_owned()))
    }

    /// Returns every object of a kind.
    pub fn of_kind(&self, kind: &GroupVersionKind) -> impl Iterator<Item = (&ObjectKey, &Arc<Packed>)> {
        self.objects.get(kind).into_iter().flatten()
    }

    pub fn kinds(&self) -> impl Iterator<Item = &GroupVersionKind> {
        self.objects.keys()
    }

    /// Returns how many objects are held and how many bytes they take.
    pub fn size(&self) -> (usize, usize) {
        self.objects
            .values()
            .flat_map(BTreeMap::values)
            .fold((0, 0), |(n, bytes), o| (n + 1, bytes + o.size()))
    }

    /// Marks every watch that was fresh but unconfirmed since `before` as stale; returns whether any was.
    pub fn expire(&mut self, before: Timestamp, why: &str) -> bool {
        let mut any = false;
        for state in self.states() {
            if let WatchState::Fresh { confirmed } = *state
                && confirmed < before
            {
                *state = WatchState::Stale { since: confirmed, why: why.to_owned() };
                any = true;
            }
        }
        any
    }

    /// Confirms every watch that is fresh or went stale by silence alone: the cluster answered, and the streams stand.
    pub fn confirm(&mut self, now: Timestamp, silent: &str) -> bool {
        let mut any = false;
        for state in self.states() {
            match state {
                WatchState::Fresh { confirmed } => *confirmed = now,
                WatchState::Stale { why, .. } if why == silent => {
                    *state = WatchState::Fresh { confirmed: now };
                    any = true;
                }
                _ => {}
            }
        }
        any
    }

    /// Takes in an event of a watch.
    pub fn apply(&mut self, key: &WatchKey, event: WatchEvent, now: Timestamp) -> Changed {
        let state = self.watches.get_mut(&key.kind).and_then(|scopes| scopes.get_mut(&key.scope));
        let Some(state) = state else { return Changed::default() };
        let was_fresh = matches!(state, WatchState::Fresh { .. });
        let fresh = WatchState::Fresh { confirmed: now };
        match event {
            WatchEvent::Listed(objects) => {
                *state = fresh;
                Changed { objects: self.swap(key, objects), trust: !was_fresh }
            }
            WatchEvent::Applied(object) => {
                *state = fresh;
                let place = place(&object);
                let held = self.objects.entry(key.kind.clone()).or_default();
                let same = held.get(&place).is_some_and(|o| o.hash == object.hash && o.uid == object.uid);
                held.insert(place.clone(), Arc::new(object));
                Changed { objects: if same { Vec::new() } else { vec![place] }, trust: !was_fresh }
            }
            WatchEvent::Deleted(id) => {
                *state = fresh;
                let place = (id.namespace.clone(), id.name.clone().unwrap_or_default());
                let gone = self.objects.get_mut(&key.kind).and_then(|held| held.remove(&place)).is_some();
                Changed { objects: if gone { vec![place] } else { Vec::new() }, trust: !was_fresh }
            }
            WatchEvent::Confirmed => {
                *state = fresh;
                Changed { objects: Vec::new(), trust: !was_fresh }
            }
            WatchEvent::Interrupted { error, .. } => {
                let next = match &*state {
                    WatchState::Fresh { confirmed } => {
                        WatchState::Stale { since: *confirmed, why: error.to_string() }
                    }
                    WatchState::Stale { since, .. } => {
                        WatchState::Stale { since: *since, why: error.to_string() }
                    }
                    WatchState::Pending | WatchState::Failed { .. } => WatchState::Failed { error },
                };
                let trust = *state != next;
                *state = next;
                Changed { objects: Vec::new(), trust }
            }
        }
    }

    /// Replaces everything in a watch's scope and returns what differs.
    fn swap(&mut self, key: &WatchKey, objects: Vec<Packed>) -> Vec<ObjectKey> {
        let held = self.objects.entry(key.kind.clone()).or_default();
        let mut changed = BTreeSet::new();
        let mut listed = BTreeSet::new();
        for object in objects {
            let place = place(&object);
            if held.get(&place).is_none_or(|o| o.hash != object.hash || o.uid != object.uid) {
                changed.insert(place.clone());
            }
            listed.insert(place.clone());
            held.insert(place, Arc::new(object));
        }
        held.retain(|place, _| {
            let keep = listed.contains(place) || !covers(&key.scope, place.0.as_deref());
            if !keep {
                changed.insert(place.clone());
            }
            keep
        });
        changed.into_iter().collect()
    }
}

/// Decodes an object; one that cannot be decoded is as good as not read.
pub fn open(packed: &Packed, cluster: &ClusterId) -> Option<LiveObject> {
    packed.open(cluster).ok()
}

fn place(object: &Packed) -> ObjectKey {
    (object.id.namespace.clone(), object.id.name.clone().unwrap_or_default())
}

fn covers(scope: &Scope, namespace: Option<&str>) -> bool {
    match scope {
        Scope::All => true,
        Scope::Namespace(only) => namespace == Some(only),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    fn object(namespace: &str, name: &str, data: &str) -> Packed {
        let json = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": namespace, "uid": name}, "data": {"x": data}});
        let live = LiveObject::read(&ClusterId("c".into()), value!(json.clone())).unwrap();
        Packed::pack(&live, json.to_string().as_bytes())
    }

    fn key(scope: Scope) -> WatchKey {
        WatchKey { kind: GroupVersionKind::new("", "v1", "ConfigMap"), scope }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_relist_is_swapped_in_whole_within_its_scope_only() {
        let mut store = Store::default();
        let (shop, jobs) = (key(Scope::Namespace("shop".into())), key(Scope::Namespace("jobs".into())));
        store.expect(shop.clone());
        store.expect(jobs.clone());
        store.apply(&jobs, WatchEvent::Listed(vec![object("jobs", "z", "1")]), at(1));
        store.apply(
            &shop,
            WatchEvent::Listed(vec![object("shop", "a", "1"), object("shop", "b", "1")]),
            at(1),
        );
        let changed = store.apply(
            &shop,
            WatchEvent::Listed(vec![object("shop", "b", "2"), object("shop", "c", "1")]),
            at(2),
        );
        let names: Vec<_> = changed.objects.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"], "gone, edited and new");
        assert_eq!(store.of_kind(&shop.kind).count(), 3, "the other namespace's object stays");
    }

    #[test]
    fn a_broken_watch_is_stale_until_it_lists_again() {
        let mut store = Store::default();
        let all = key(Scope::All);
        store.expect(all.clone());
        store.apply(&all, WatchEvent::Listed(vec![]), at(1));
        let lost = ClusterError::Unreachable { server: "s".into(), reason: "reset".into() };
        let retry_in = std::time::Duration::from_secs(1);
        assert!(store.apply(&all, WatchEvent::Interrupted { error: lost, retry_in }, at(5)).trust);
        assert!(
            matches!(store.coverage(&all.kind, Some("x")), Some(WatchState::Stale { since, .. }) if *since == at(1))
        );
        assert!(!store.confirm(at(6), "silent"), "an answer elsewhere does not mend a broken watch");
        assert!(store.apply(&all, WatchEvent::Listed(vec![]), at(7)).trust);
        assert_eq!(store.coverage(&all.kind, None), Some(&WatchState::Fresh { confirmed: at(7) }));
    }

    #[test]
    fn silence_makes_a_watch_stale_and_an_answer_makes_it_fresh() {
        let mut store = Store::default();
        let all = key(Scope::All);
        store.expect(all.clone());
        store.apply(&all, WatchEvent::Listed(vec![]), at(1));
        assert!(!store.expire(at(1), "silent"));
        assert!(store.expire(at(2), "silent"));
        assert!(store.confirm(at(20), "silent"));
        assert_eq!(store.coverage(&all.kind, None), Some(&WatchState::Fresh { confirmed: at(20) }));
    }
}
