//! Holds the objects of an offline cluster, and the log of what happened to them.

use super::catalogue::Catalogue;
use crate::model::{GroupKind, GroupVersionKind, ManagedEntry, Map, Scope, ServedKind, Timestamp, Value};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Events that are kept for watchers; one that falls behind is given everything anew.
const EVENTS_KEPT: usize = 4096;

/// Where an object stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub kind: GroupKind,
    pub namespace: Option<String>,
    pub name: String,
}

/// One object as it is kept: opened, and with its managed fields beside it. It has no `Debug` on purpose.
#[derive(Clone, PartialEq)]
pub(super) struct Stored {
    pub body: Value,
    /// `None` where the source hides managed fields (a dump); a write begins them.
    pub managed: Option<Vec<ManagedEntry>>,
}

/// One change of the world.
#[derive(Clone)]
pub(super) struct Event {
    pub key: Key,
    /// `None`: deleted.
    pub object: Option<Arc<Stored>>,
}

pub(super) struct World {
    pub catalogue: Catalogue,
    pub(super) objects: BTreeMap<Key, Arc<Stored>>,
    /// Namespaces that no object declares but other objects are in.
    pub(super) implied: BTreeSet<String>,
    pub(super) revision: u64,
    log: VecDeque<Event>,
    /// How many events have left the log.
    forgotten: u64,
}

/// Who writes, and when.
pub(super) struct Actor<'a> {
    pub manager: &'a str,
    pub subresource: Option<&'a str>,
    pub at: Timestamp,
}

/// What a write does to one object.
pub(super) enum Effect {
    Put(Key, Arc<Stored>),
    Remove(Key),
}

/// What a write would do: the effects in order, and what the written object is then.
pub(super) struct Planned {
    pub effects: Vec<Effect>,
    pub object: Option<Arc<Stored>>,
}

impl World {
    pub fn new() -> Self {
        Self {
            catalogue: Catalogue::built_in(),
            objects: BTreeMap::new(),
            implied: BTreeSet::new(),
            revision: 0,
            log: VecDeque::new(),
            forgotten: 0,
        }
    }

    /// Puts an object as it is, as a dump has it; what a server always fills in is filled in where it is absent.
    pub fn seed(&mut self, mut body: Value, at: Timestamp) -> Option<Key> {
        let api_version = body.str_at(&["apiVersion"])?.to_owned();
        let kind = GroupVersionKind::from_api_version(&api_version, body.str_at(&["kind"])?);
        self.catalogue.meet(&kind, body.str_at(&["metadata", "namespace"]).is_some());
        let metadata = body.as_map_mut()?.get_mut("metadata")?.as_map_mut()?;
        let name = metadata.get("name")?.as_str()?.to_owned();
        let managed = metadata.remove("managedFields").and_then(|list| {
            list.as_list().map(|entries| entries.iter().filter_map(ManagedEntry::read).collect::<Vec<_>>())
        });
        let namespace = metadata.get("namespace").and_then(Value::as_str).map(str::to_owned);
        let key = Key { kind: kind.group_kind(), namespace, name };
        let known = self.objects.get(&key).and_then(|live| live.body.at(&["metadata", "uid"]));
        let uid = known.cloned().unwrap_or_else(|| self.new_uid(&key));
        metadata.entry("uid".into()).or_insert(uid);
        metadata.entry("creationTimestamp".into()).or_insert_with(|| time(at));
        if let Some(namespace) = &key.namespace {
            self.implied.insert(namespace.clone());
        }
        let stored = self.revised(Stored { body, managed });
        self.commit(vec![Effect::Put(key.clone(), stored)]);
        Some(key)
    }

    pub fn get(&self, key: &Key) -> Option<&Arc<Stored>> {
        self.objects.get(key)
    }

    pub fn list<'a>(
        &'a self,
        kind: &'a GroupKind,
        scope: &'a Scope,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Stored>)> + 'a {
        self.objects.iter().filter(move |(key, _)| &key.kind == kind && is_in(key, scope))
    }

    /// Returns how many events there have ever been: where a new watcher begins.
    pub fn now(&self) -> u64 {
        self.forgotten + self.log.len() as u64
    }

    /// Returns the events since; `None` if they are no longer kept.
    pub fn since(&self, seen: u64) -> Option<impl Iterator<Item = &Event>> {
        let skip = usize::try_from(seen.checked_sub(self.forgotten)?).ok()?;
        Some(self.log.iter().skip(skip))
    }

    /// Does what was planned, and tells the log.
    pub fn carry_out(&mut self, planned: Planned) -> Option<Arc<Stored>> {
        let Planned { effects, object } = planned;
        self.commit(effects);
        object
    }

    fn commit(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let (key, object) = match effect {
                Effect::Put(key, object) => {
                    self.revision = self.revision.max(revision_of(&object));
                    self.objects.insert(key.clone(), Arc::clone(&object));
                    (key, Some(object))
                }
                Effect::Remove(key) => {
                    self.revision += 1;
                    self.objects.remove(&key);
                    (key, None)
                }
            };
            if key.kind.kind == "CustomResourceDefinition" {
                self.catalogue.learn(&key.name, object.as_deref().map(|stored| &stored.body));
            }
            if key.kind == GroupKind::new("", "Namespace") && object.is_none() {
                self.implied.remove(&key.name);
            }
            self.log.push_back(Event { key, object });
            if self.log.len() > EVENTS_KEPT {
                self.log.pop_front();
                self.forgotten += 1;
            }
        }
    }

    pub(super) fn revised(&self, mut stored: Stored) -> Arc<Stored> {
        let revision = Value::string((self.revision + 1).to_string());
        edit_metadata(&mut stored.body, |metadata| {
            metadata.insert("resourceVersion".into(), revision);
        });
        Arc::new(stored)
    }

    /// Returns what a dry run shows of a planned object: as on a server, it keeps the resource version of the object that
    /// is there.
    pub(super) fn not_kept(&self, planned: &Stored) -> Stored {
        let uid = |stored: &Stored| stored.body.at(&["metadata", "uid"]).cloned();
        let is_it = |live: &&Arc<Stored>| uid(live).is_some() && uid(live) == uid(planned);
        let version = self
            .objects
            .values()
            .find(is_it)
            .and_then(|live| live.body.at(&["metadata", "resourceVersion"]).cloned());
        let mut shown = planned.clone();
        edit_metadata(&mut shown.body, |metadata| {
            if let Some(version) = version {
                metadata.insert("resourceVersion".into(), version);
            }
        });
        shown
    }

    pub(super) fn new_uid(&self, key: &Key) -> Value {
        let seed = format!("{}/{:?}/{}/{}", key.kind, key.namespace, key.name, self.revision);
        let hex = blake3::hash(seed.as_bytes()).to_hex();
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        Value::string(format!(
            "{}-{}-{}-{}-{}",
            part(0, 8),
            part(8, 12),
            part(12, 16),
            part(16, 20),
            part(20, 32)
        ))
    }
}

pub(super) fn key(kind: &ServedKind, namespace: Option<&str>, name: &str) -> Key {
    Key {
        kind: kind.kind.group_kind(),
        namespace: namespace.filter(|_| kind.namespaced).map(str::to_owned),
        name: name.to_owned(),
    }
}

pub(super) fn is_in(key: &Key, scope: &Scope) -> bool {
    match scope {
        Scope::All => true,
        Scope::Namespace(namespace) => key.namespace.as_deref() == Some(namespace),
    }
}

/// Changes an object's metadata.
pub(super) fn edit_metadata(body: &mut Value, edit: impl FnOnce(&mut Map)) {
    let Value::Map(fields) = body else { return };
    let mut metadata = match fields.remove("metadata") {
        Some(Value::Map(metadata)) => metadata,
        _ => Map::new(),
    };
    edit(&mut metadata);
    fields.insert("metadata".into(), Value::Map(metadata));
}

/// Prints a time as the API server does, to the second.
pub(super) fn time(at: Timestamp) -> Value {
    Value::string(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn revision_of(stored: &Stored) -> u64 {
    stored.body.str_at(&["metadata", "resourceVersion"]).and_then(|text| text.parse().ok()).unwrap_or(0)
}
