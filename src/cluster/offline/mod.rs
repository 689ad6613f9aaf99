//! Defines the offline cluster: a Kubernetes API in memory, for the demo, for snapshots of files and for tests.
//!
//! It keeps objects as a server does: uids, resource versions, generations, field managers with server-side apply and
//! its conflicts, finalizers, patches, deletion in the background, watches that tell every change in order. What a
//! server's own code adds (defaults that no schema publishes, admission, controllers) is not there.

mod catalogue;
mod defaults;
mod merge;
mod patch;
mod sets;
pub mod snapshot;
mod world;
mod writes;

use super::access::{Cluster, ClusterError, LogOf, Part, Patch, WatchEvent, Write, Writer};
use super::body;
use crate::model::{
    ClusterFacts, ClusterId, GroupKind, GroupVersionKind, LiveObject, ManagedEntry, Map, Packed, Schema,
    Scope, Selector, ServedKind, Timestamp, Value,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use world::{Actor, Event, Key, Planned, Stored, World};

/// How often a quiet watch shows that it is up to date.
const CONFIRMED_EVERY: Duration = Duration::from_secs(3);
/// After how long a watch that was interrupted says that it is tried again.
const RETRY_IN: Duration = Duration::from_secs(2);

/// Tells the time at which something is written; given by the caller, for this room has no clock.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Tells what a container printed, oldest line first; `None`: nothing is kept of it. Given the pod and what is asked.
pub type Logs = Arc<dyn Fn(&LiveObject, &LogOf) -> Option<Vec<String>> + Send + Sync>;

/// A cluster in memory. Clones share one world.
#[derive(Clone)]
pub struct Offline {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    id: ClusterId,
    version: Option<String>,
    user: Option<String>,
    writable: bool,
    clock: Clock,
    state: Mutex<State>,
    /// Counts what watchers must look at: events, and comings and goings of the connection.
    moved: watch::Sender<u64>,
}

struct State {
    world: World,
    /// Kinds that the user may not list, watch or read.
    denied: BTreeSet<GroupKind>,
    /// Why the cluster does not answer, if it does not.
    unreachable: Option<String>,
    logs: Option<Logs>,
}

/// Says what an offline cluster is to be.
pub struct Builder {
    name: String,
    id: ClusterId,
    version: Option<String>,
    user: Option<String>,
    writable: bool,
    clock: Clock,
    world: World,
    denied: BTreeSet<GroupKind>,
}

/// One object of an offline cluster: what the demo's script edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub kind: GroupVersionKind,
    pub namespace: Option<String>,
    pub name: String,
}

impl Offline {
    /// Begins an offline cluster by its name. Writes are stamped with the clock's time.
    pub fn builder(name: impl Into<String>, clock: Clock) -> Builder {
        let name = name.into();
        Builder {
            id: ClusterId(format!("offline:{name}").into()),
            name,
            version: None,
            user: None,
            writable: true,
            clock,
            world: World::new(),
            denied: BTreeSet::new(),
        }
    }

    /// Does a write as its manager at a time: how the demo's world changes by itself. Allowed in read-only too.
    pub fn act(&self, write: &Write, at: Timestamp) -> Result<Option<LiveObject>, ClusterError> {
        let actor = Actor { manager: manager_of(write), subresource: None, at };
        self.change(write.kind(), |world| world.plan(write, &actor))
    }

    /// Patches an object as a manager at a time, or only its subresource (`status`, `scale`): a scripted edit.
    pub fn edit(
        &self,
        target: &Target,
        patch: Patch,
        manager: &str,
        subresource: Option<&str>,
        at: Timestamp,
    ) -> Result<Option<LiveObject>, ClusterError> {
        let kind = self.served(&target.kind)?;
        let write = Write::Patch {
            kind: kind.clone(),
            namespace: target.namespace.clone(),
            name: target.name.clone(),
            patch,
            manager: manager.to_owned(),
        };
        let actor = Actor { manager, subresource, at };
        self.change(&kind, |world| world.plan(&write, &actor))
    }

    /// Puts an object as it is (managed fields included), whatever was there: how a script sets the scene.
    pub fn put(&self, body: &Value, at: Timestamp) {
        self.lock().world.seed(body::opened(body), at);
        self.tell();
    }

    /// Returns a served kind in this version.
    pub fn served(&self, kind: &GroupVersionKind) -> Result<ServedKind, ClusterError> {
        self.lock()
            .world
            .catalogue
            .served(kind)
            .cloned()
            .ok_or_else(|| ClusterError::NotServed { kind: kind.group_kind().to_string() })
    }

    /// Lets containers have printed something: without it nothing is kept of any.
    pub fn set_logs(&self, logs: Logs) {
        self.lock().logs = Some(logs);
    }

    /// Lets the cluster stop answering, with a reason, or answer again.
    pub fn set_unreachable(&self, reason: Option<&str>) {
        self.lock().unreachable = reason.map(str::to_owned);
        self.tell();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.inner.moved.send_modify(|count| *count += 1);
    }

    fn change(
        &self,
        kind: &ServedKind,
        plan: impl FnOnce(&World) -> Result<Planned, ClusterError>,
    ) -> Result<Option<LiveObject>, ClusterError> {
        let done = {
            let mut state = self.lock();
            let planned = plan(&state.world)?;
            state.world.carry_out(planned)
        };
        self.tell();
        done.map(|stored| self.live(kind, &stored)).transpose()
    }

    fn live(&self, kind: &ServedKind, stored: &Stored) -> Result<LiveObject, ClusterError> {
        LiveObject::read(&self.inner.id, as_served(kind, stored)).map_err(|error| damaged(&error.to_string()))
    }

    /// Answers for a kind, unless the cluster is unreachable, the kind denied or not served.
    fn answer<T>(
        &self,
        verb: &str,
        kind: &ServedKind,
        scope: &Scope,
        read: impl FnOnce(&State) -> Result<T, ClusterError>,
    ) -> Result<T, ClusterError> {
        let state = self.lock();
        if let Some(reason) = &state.unreachable {
            return Err(ClusterError::Unreachable {
                server: self.inner.name.clone(),
                reason: reason.clone(),
            });
        }
        if state.denied.contains(&kind.kind.group_kind()) {
            return Err(ClusterError::Denied {
                verb: verb.to_owned(),
                resource: kind.resource(),
                namespace: if let Scope::Namespace(namespace) = scope {
                    Some(namespace.clone())
                } else {
                    None
                },
                reason: "forbidden".to_owned(),
            });
        }
        if state.world.catalogue.served(&kind.kind).is_none() {
            return Err(ClusterError::NotServed { kind: kind.kind.group_kind().to_string() });
        }
        read(&state)
    }

    fn listed(
        &self,
        verb: &str,
        kind: &ServedKind,
        scope: &Scope,
    ) -> Result<(Vec<Packed>, u64), ClusterError> {
        self.answer(verb, kind, scope, |state| {
            let group_kind = kind.kind.group_kind();
            let objects = state.world.list(&group_kind, scope).map(|(_, stored)| self.pack(kind, stored));
            Ok((objects.collect::<Result<_, _>>()?, state.world.now()))
        })
    }

    fn pack(&self, kind: &ServedKind, stored: &Stored) -> Result<Packed, ClusterError> {
        let json = zeroize::Zeroizing::new(body::to_json(&as_served(kind, stored)).to_string());
        Packed::read(&self.inner.id, kind, &json).map_err(|error| damaged(&error.to_string()))
    }

    fn event(&self, kind: &ServedKind, event: &Event) -> Result<WatchEvent, ClusterError> {
        match &event.object {
            Some(stored) => self.pack(kind, stored).map(WatchEvent::Applied),
            None => Ok(WatchEvent::Deleted(event.key.resource(&self.inner.id))),
        }
    }
}

impl Builder {
    /// Sets the identity; without it the name stands in.
    #[must_use]
    pub fn id(mut self, id: ClusterId) -> Self {
        self.id = id;
        self
    }

    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        self.version = Some(version.to_owned());
        self
    }

    #[must_use]
    pub fn user(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    /// Makes a cluster without a writer.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.writable = false;
        self
    }

    /// Denies reading a kind.
    #[must_use]
    pub fn deny(mut self, kind: GroupKind) -> Self {
        self.denied.insert(kind);
        self
    }

    /// Adds an object as it is, managed fields included. One without kind or name is left out.
    #[must_use]
    pub fn object(mut self, body: &Value) -> Self {
        let at = (self.clock)();
        self.world.seed(body::opened(body), at);
        self
    }

    pub fn build(self) -> Offline {
        let state = State { world: self.world, denied: self.denied, unreachable: None, logs: None };
        Offline {
            inner: Arc::new(Inner {
                name: self.name,
                id: self.id,
                version: self.version,
                user: self.user,
                writable: self.writable,
                clock: self.clock,
                state: Mutex::new(state),
                moved: watch::Sender::new(0),
            }),
        }
    }
}

impl Cluster for Offline {
    fn name(&self) -> &str {
        &self.inner.name
    }

    fn facts(&self) -> BoxFuture<'_, Result<Arc<ClusterFacts>, ClusterError>> {
        let state = self.lock();
        let answer = match &state.unreachable {
            Some(reason) => {
                Err(ClusterError::Unreachable { server: self.inner.name.clone(), reason: reason.clone() })
            }
            None => Ok(Arc::new(ClusterFacts {
                id: self.inner.id.clone(),
                version: self.inner.version.clone(),
                user: self.inner.user.clone(),
                kinds: state.world.catalogue.kinds(),
                failed_groups: Vec::new(),
            })),
        };
        async { answer }.boxed()
    }

    fn schema(&self, _: Vec<GroupVersionKind>) -> BoxFuture<'_, Result<Arc<Schema>, ClusterError>> {
        let schema = self.lock().world.catalogue.schema();
        async { Ok(schema) }.boxed()
    }

    fn list(&self, kind: ServedKind, scope: Scope) -> BoxFuture<'_, Result<Vec<Packed>, ClusterError>> {
        async move { Ok(self.listed("list", &kind, &scope)?.0) }.boxed()
    }

    fn list_part(
        &self,
        kind: ServedKind,
        scope: Scope,
        labels: Option<Selector>,
        most: u32,
    ) -> BoxFuture<'_, Result<Part, ClusterError>> {
        async move {
            self.answer("list", &kind, &scope, |state| {
                let group_kind = kind.kind.group_kind();
                let is_wanted = |stored: &Stored| {
                    let found = stored.body.at(&["metadata", "labels"]);
                    labels.as_ref().is_none_or(|labels| labels.selects(found))
                };
                let listed = state.world.list(&group_kind, &scope).filter(|(_, stored)| is_wanted(stored));
                let mut listed = listed.map(|(_, stored)| self.pack(&kind, stored));
                let most = usize::try_from(most).unwrap_or(usize::MAX);
                let objects = listed.by_ref().take(most).collect::<Result<_, _>>()?;
                Ok(Part { objects, more: listed.next().is_some() })
            })
        }
        .boxed()
    }

    fn list_metadata(
        &self,
        kind: ServedKind,
        scope: Scope,
    ) -> BoxFuture<'_, Result<Vec<LiveObject>, ClusterError>> {
        async move {
            self.answer("list", &kind, &scope, |state| {
                let group_kind = kind.kind.group_kind();
                let objects = state.world.list(&group_kind, &scope).map(|(_, stored)| {
                    let mut body = as_served(&kind, stored);
                    if let Value::Map(fields) = &mut body {
                        fields.retain(|name, _| matches!(name.as_str(), "apiVersion" | "kind" | "metadata"));
                    }
                    LiveObject::read(&self.inner.id, body).map_err(|error| damaged(&error.to_string()))
                });
                objects.collect()
            })
        }
        .boxed()
    }

    fn watch(&self, kind: ServedKind, scope: Scope) -> BoxStream<'static, WatchEvent> {
        let moved = self.inner.moved.subscribe();
        let watcher = Watcher {
            cluster: self.clone(),
            kind,
            scope,
            moved,
            seen: None,
            ready: VecDeque::new(),
            broken: false,
        };
        stream::unfold(watcher, |mut watcher| async move {
            let event = watcher.next().await?;
            Some((event, watcher))
        })
        .boxed()
    }

    fn get(
        &self,
        kind: ServedKind,
        namespace: Option<String>,
        name: String,
    ) -> BoxFuture<'_, Result<Option<LiveObject>, ClusterError>> {
        async move {
            let scope = namespace.clone().map_or(Scope::All, Scope::Namespace);
            self.answer("get", &kind, &scope, |state| {
                let key = world::key(&kind, namespace.as_deref(), &name);
                state.world.get(&key).map(|stored| self.live(&kind, stored)).transpose()
            })
        }
        .boxed()
    }

    fn log(&self, of: LogOf) -> BoxFuture<'_, Result<String, ClusterError>> {
        async move {
            let pods = self.served(&GroupVersionKind::new("", "v1", "Pod"))?;
            let scope = Scope::Namespace(of.namespace.clone());
            let missing = |what: String| ClusterError::NotFound { resource: what };
            let (pod, logs) = self.answer("get", &pods, &scope, |state| {
                let key = world::key(&pods, Some(&of.namespace), &of.pod);
                let stored = state.world.get(&key).ok_or_else(|| missing(format!("pods/{}", of.pod)))?;
                Ok((self.live(&pods, stored)?, state.logs.clone()))
            })?;
            let printed = logs.and_then(|logs| logs(&pod, &of));
            let lines =
                printed.ok_or_else(|| missing(format!("the log of {} in {}", of.container, of.pod)))?;
            let last = lines.len().saturating_sub(usize::try_from(of.lines).unwrap_or(usize::MAX));
            let mut text: String = lines.iter().skip(last).map(|line| format!("{line}\n")).collect();
            text.truncate(text.floor_char_boundary(usize::try_from(of.bytes).unwrap_or(usize::MAX)));
            Ok(text)
        }
        .boxed()
    }

    fn confirm(&self) -> BoxFuture<'_, Result<(), ClusterError>> {
        async { self.facts().await.map(|_| ()) }.boxed()
    }

    fn may(&self, _: &'static str, kind: ServedKind, _: Scope) -> BoxFuture<'_, Result<bool, ClusterError>> {
        let may = !self.lock().denied.contains(&kind.kind.group_kind());
        async move { Ok(may) }.boxed()
    }

    fn dry_run(&self, write: Write) -> BoxFuture<'_, Result<Option<LiveObject>, ClusterError>> {
        async move {
            let kind = write.kind().clone();
            let actor = Actor { manager: manager_of(&write), subresource: None, at: (self.inner.clock)() };
            self.answer("patch", &kind, &Scope::All, |state| {
                let planned = state.world.plan(&write, &actor)?;
                planned.object.map(|stored| self.live(&kind, &state.world.not_kept(&stored))).transpose()
            })
        }
        .boxed()
    }

    fn writer(&self) -> Option<Arc<dyn Writer>> {
        self.inner.writable.then(|| Arc::new(self.clone()) as Arc<dyn Writer>)
    }
}

impl Writer for Offline {
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Option<LiveObject>, ClusterError>> {
        async move {
            if !self.inner.writable {
                return Err(ClusterError::ReadOnly);
            }
            self.answer("patch", write.kind(), &Scope::All, |_| Ok(()))?;
            self.act(&write, (self.inner.clock)())
        }
        .boxed()
    }
}

/// One watch: what it has seen of the log, and what is ready to be told.
struct Watcher {
    cluster: Offline,
    kind: ServedKind,
    scope: Scope,
    moved: watch::Receiver<u64>,
    /// `None`: everything must be listed.
    seen: Option<u64>,
    ready: VecDeque<WatchEvent>,
    /// It was told that the watch broke, and waits for something to move.
    broken: bool,
}

impl Watcher {
    async fn next(&mut self) -> Option<WatchEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            self.moved.mark_unchanged();
            self.gather();
            if !self.ready.is_empty() {
                continue;
            }
            match tokio::time::timeout(CONFIRMED_EVERY, self.moved.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) if self.broken => {}
                Err(_) => return Some(WatchEvent::Confirmed),
            }
        }
    }

    /// Makes ready what happened since: all of it, in order.
    fn gather(&mut self) {
        match self.gathered() {
            Ok(()) => self.broken = false,
            Err(_) if self.broken => {}
            Err(error) => {
                self.broken = true;
                self.seen = None;
                self.ready.push_back(WatchEvent::Interrupted { error, retry_in: RETRY_IN });
            }
        }
    }

    fn gathered(&mut self) -> Result<(), ClusterError> {
        let Self { cluster, kind, scope, seen, ready, .. } = self;
        let relist = |seen: &mut Option<u64>, ready: &mut VecDeque<WatchEvent>| {
            let (objects, now) = cluster.listed("watch", kind, scope)?;
            ready.push_back(WatchEvent::Listed(objects));
            *seen = Some(now);
            Ok(())
        };
        let Some(from) = *seen else { return relist(seen, ready) };
        let group_kind = kind.kind.group_kind();
        let news = cluster.answer("watch", kind, scope, |state| {
            let Some(events) = state.world.since(from) else { return Ok(None) };
            let ours = events.filter(|event| event.key.kind == group_kind && world::is_in(&event.key, scope));
            let told: Result<Vec<_>, _> = ours.map(|event| cluster.event(kind, event)).collect();
            Ok(Some((told?, state.world.now())))
        })?;
        match news {
            Some((events, now)) => {
                ready.extend(events);
                *seen = Some(now);
                Ok(())
            }
            None => relist(seen, ready),
        }
    }
}

/// Returns an object in the served version, with its managed fields where a server has them.
fn as_served(kind: &ServedKind, stored: &Stored) -> Value {
    let mut body = stored.body.clone();
    if let Value::Map(fields) = &mut body {
        fields.insert("apiVersion".into(), Value::string(kind.kind.api_version()));
    }
    if let Some(managed) = &stored.managed {
        let entries = managed.iter().map(managed_value).collect();
        world::edit_metadata(&mut body, |metadata| {
            metadata.insert("managedFields".into(), Value::List(entries));
        });
    }
    body
}

fn managed_value(entry: &ManagedEntry) -> Value {
    let mut fields = Map::from_iter([
        ("manager".to_owned(), Value::string(&entry.manager)),
        ("operation".to_owned(), Value::string(entry.operation.word())),
        ("apiVersion".to_owned(), Value::string(&entry.api_version)),
        ("fieldsType".to_owned(), Value::string("FieldsV1")),
        ("fieldsV1".to_owned(), sets::to_fields_v1(&entry.fields)),
    ]);
    if let Some(at) = entry.time {
        fields.insert("time".into(), world::time(at));
    }
    if let Some(subresource) = &entry.subresource {
        fields.insert("subresource".into(), Value::string(subresource));
    }
    Value::Map(fields)
}

fn manager_of(write: &Write) -> &str {
    match write {
        Write::Create { manager, .. } | Write::Apply { manager, .. } | Write::Patch { manager, .. } => {
            manager
        }
        Write::Delete { .. } => "",
    }
}

fn damaged(reason: &str) -> ClusterError {
    ClusterError::Server { status: 500, reason: format!("an object cannot be read: {reason}") }
}

impl Key {
    fn resource(&self, cluster: &ClusterId) -> crate::model::ResourceId {
        crate::model::ResourceId::from(crate::model::Identity {
            cluster: cluster.clone(),
            kind: self.kind.clone(),
            namespace: self.namespace.clone(),
            name: Some(self.name.clone()),
        })
    }
}

#[cfg(test)]
mod tests;
