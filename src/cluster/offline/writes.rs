//! Works out what a write does to an offline cluster, as an API server does: merge, ownership, conflicts, finalizers.

use super::world::{Actor, Effect, Key, Planned, Stored, World, edit_metadata, key, time};
use super::{defaults, merge, patch, sets};
use crate::cluster::{ClusterError, Patch, Write, body};
use crate::model::change::Operation;
use crate::model::schema::NodeId;
use crate::model::{FieldPath, FieldSet, GroupKind, ManagedEntry, Map, ServedKind, Timestamp, Value};
use base64::Engine as _;
use std::sync::Arc;

impl World {
    /// Works out what a write would do, or why it is refused.
    pub fn plan(&self, write: &Write, actor: &Actor) -> Result<Planned, ClusterError> {
        match write {
            Write::Create { kind, namespace, body, .. } => {
                self.plan_create(kind, namespace.as_deref(), body, actor, Operation::Update)
            }
            Write::Apply { kind, namespace, name, body, force, .. } => {
                self.plan_apply(kind, key(kind, namespace.as_deref(), name), body, *force, actor)
            }
            Write::Patch { kind, namespace, name, patch, .. } => {
                self.plan_patch(kind, key(kind, namespace.as_deref(), name), patch, actor)
            }
            Write::Delete { kind, namespace, name, uid, resource_version, .. } => {
                let key = key(kind, namespace.as_deref(), name);
                self.plan_delete(&key, uid.as_deref(), resource_version.as_deref(), actor.at)
            }
        }
    }

    fn plan_create(
        &self,
        kind: &ServedKind,
        namespace: Option<&str>,
        given: &Value,
        actor: &Actor,
        operation: Operation,
    ) -> Result<Planned, ClusterError> {
        let mut body = incoming(kind, given);
        let name = match (body.str_at(&["metadata", "name"]), body.str_at(&["metadata", "generateName"])) {
            (Some(name), _) => name.to_owned(),
            (None, Some(prefix)) => format!("{prefix}{:05x}", self.revision + 1),
            (None, None) => {
                return Err(invalid(&kind.kind.kind, ".metadata.name", "a name or generateName is required"));
            }
        };
        let key = key(kind, namespace, &name);
        if self.objects.contains_key(&key) {
            return Err(conflict(&key, "it already exists"));
        }
        self.check_namespace(&key)?;
        edit_metadata(&mut body, |metadata| {
            metadata.insert("name".into(), Value::string(&name));
            if let Some(namespace) = &key.namespace {
                metadata.insert("namespace".into(), Value::string(namespace));
            }
        });
        let node = self.node(kind);
        let fields = match operation {
            Operation::Apply => self.applied_fields(&key, node, &body)?,
            Operation::Update => FieldSet::default(),
        };
        self.settle(kind, &mut body);
        let fields = match operation {
            Operation::Apply => fields,
            Operation::Update => {
                let nothing = Value::Map(Map::new());
                stripped(&merge::compare(&self.catalogue.schema(), node, &nothing, &body).set)
            }
        };
        let counts = counts_generations(&body);
        edit_metadata(&mut body, |metadata| {
            metadata.insert("uid".into(), self.new_uid(&key));
            metadata.insert("creationTimestamp".into(), time(actor.at));
            if counts {
                metadata.insert("generation".into(), Value::int(1));
            }
        });
        let stored =
            self.revised(Stored { body, managed: Some(vec![entry(kind, actor, operation, fields)]) });
        Ok(Planned { effects: vec![Effect::Put(key, Arc::clone(&stored))], object: Some(stored) })
    }

    fn plan_apply(
        &self,
        kind: &ServedKind,
        key: Key,
        given: &Value,
        force: bool,
        actor: &Actor,
    ) -> Result<Planned, ClusterError> {
        let wanted = |field: &str| given.str_at(&["metadata", field]).filter(|s| !s.is_empty());
        let Some(live) = self.objects.get(&key) else {
            if wanted("uid").is_some() {
                return Err(conflict(&key, "the object with this uid does not exist"));
            }
            let mut body = given.clone();
            edit_metadata(&mut body, |metadata| {
                metadata.insert("name".into(), Value::string(&key.name));
            });
            return self.plan_create(kind, key.namespace.as_deref(), &body, actor, Operation::Apply);
        };
        check_preconditions(&key, live, wanted("uid"), wanted("resourceVersion"))?;
        let config = incoming(kind, given);
        let node = self.node(kind);
        let schema = self.catalogue.schema();
        let fields = self.applied_fields(&key, node, &config)?;
        let mut body = merge::merge(&schema, node, &live.body, &config, &FieldPath::root())
            .map_err(|fault| broken(&key, &fault))?;

        let managed = live.managed.clone().unwrap_or_default();
        let is_self = |e: &ManagedEntry| is_by(e, actor, Operation::Apply);
        let last = managed.iter().find(|e| is_self(e)).map(|e| e.fields.clone()).unwrap_or_default();
        let held = managed
            .iter()
            .filter(|e| !is_self(e))
            .fold(fields.clone(), |held, e| sets::union(&held, &e.fields));
        merge::prune(&schema, node, &mut body, &last, Some(&held));
        self.settle(kind, &mut body);

        let changes = merge::compare(&schema, node, &live.body, &body);
        let conflicts: Vec<(String, Vec<String>)> = managed
            .iter()
            .filter(|e| !is_self(e))
            .filter_map(|e| {
                let lost = sets::intersection(&e.fields, &changes.set);
                let mut paths = Vec::new();
                lost.each(&mut |path| paths.push(path.to_string()));
                (!paths.is_empty()).then(|| (e.manager.clone(), paths))
            })
            .collect();
        if !force && !conflicts.is_empty() {
            let names: Vec<String> = conflicts.iter().map(|(manager, _)| format!("{manager:?}")).collect();
            return Err(ClusterError::Conflict {
                resource: shown(&key),
                reason: format!("fields are owned by {}", names.join(", ")),
                managers: conflicts,
            });
        }
        let lost = sets::union(&changes.set, &changes.removed);
        let mut managed_after = others_without(&managed, &lost, is_self);
        let mut own = entry(kind, actor, Operation::Apply, fields);
        if changes == merge::Changes::default()
            && let Some(before) = managed.iter().find(|e| is_self(e) && e.fields == own.fields)
        {
            own.time = before.time;
        }
        // Who applies nothing owns nothing, and is forgotten.
        if !sets::is_empty(&own.fields) {
            managed_after.push(own);
        }
        Ok(self.plan_put(key, live, body, managed_after))
    }

    /// Plans a patch; one of a subresource reaches only that part of the object.
    fn plan_patch(
        &self,
        kind: &ServedKind,
        key: Key,
        change: &Patch,
        actor: &Actor,
    ) -> Result<Planned, ClusterError> {
        let live = self.objects.get(&key).ok_or_else(|| ClusterError::NotFound { resource: shown(&key) })?;
        let (node, schema) = (self.node(kind), self.catalogue.schema());
        let mut body = live.body.clone();
        match change {
            Patch::Json(operations) => {
                let operations: Vec<Value> = operations.iter().map(body::opened).collect();
                patch::json(&mut body, &operations).map_err(|misfit| match misfit {
                    patch::Misfit::Test(at) => invalid(&shown(&key), &at, "testing the value failed"),
                    patch::Misfit::Pointer(at) => invalid(&shown(&key), &at, "the path does not exist"),
                })?;
            }
            Patch::Merge(change) => patch::merge(&mut body, &body::opened(change)),
            Patch::Strategic(change) => patch::strategic(&schema, node, &mut body, &body::opened(change)),
        }
        let at = |field: &str| body.str_at(&["metadata", field]).map(str::to_owned);
        check_preconditions(&key, live, at("uid").as_deref(), at("resourceVersion").as_deref())?;
        if at("name").as_deref() != Some(&key.name) || at("namespace") != key.namespace {
            return Err(invalid(&shown(&key), ".metadata.name", "field is immutable"));
        }
        fold_string_data(kind, &mut body);
        self.settle(kind, &mut body);
        keep_other_parts(kind, actor.subresource, &live.body, &mut body);

        let changes = merge::compare(&schema, node, &live.body, &body);
        let managed = live.managed.clone().unwrap_or_default();
        let is_self = |e: &ManagedEntry| is_by(e, actor, Operation::Update);
        let taken = stripped(&changes.set);
        let lost = sets::union(&changes.set, &changes.removed);
        let mut managed_after = others_without(&managed, &lost, is_self);
        let before = managed.iter().find(|e| is_self(e));
        let kept = before.map(|e| sets::difference(&e.fields, &changes.removed)).unwrap_or_default();
        let fields = sets::union(&kept, &taken);
        if !sets::is_empty(&fields) {
            let time = if sets::is_empty(&taken) { before.and_then(|e| e.time) } else { Some(actor.at) };
            managed_after.push(ManagedEntry { time, ..entry(kind, actor, Operation::Update, fields) });
        }
        Ok(self.plan_put(key, live, body, managed_after))
    }

    /// Plans to replace a live object; nothing if it is the same, and a removal if its last finalizer is gone.
    fn plan_put(
        &self,
        key: Key,
        live: &Arc<Stored>,
        mut body: Value,
        mut managed: Vec<ManagedEntry>,
    ) -> Planned {
        let spec_moved = counts_generations(&body) && without_status(&body) != without_status(&live.body);
        edit_metadata(&mut body, |metadata| {
            for field in ["uid", "creationTimestamp", "generation", "resourceVersion", "deletionTimestamp"] {
                match live.body.at(&["metadata", field]) {
                    Some(value) => metadata.insert(field.into(), value.clone()),
                    None => metadata.remove(field),
                };
            }
            if spec_moved {
                let before = live.body.at(&["metadata", "generation"]).and_then(Value::as_i64).unwrap_or(1);
                metadata.insert("generation".into(), Value::int(before + 1));
            }
        });
        managed.sort_by(|a, b| {
            let order = |e: &ManagedEntry| (e.operation == Operation::Update, e.time);
            (order(a), &a.manager).cmp(&(order(b), &b.manager))
        });
        let new = Stored { body, managed: Some(managed) };
        if new == **live {
            return Planned { effects: Vec::new(), object: Some(Arc::clone(live)) };
        }
        let ends = new.body.at(&["metadata", "deletionTimestamp"]).is_some()
            && new.body.at(&["metadata", "finalizers"]).is_none_or(Value::is_empty);
        let stored = self.revised(new);
        let effect = if ends { Effect::Remove(key) } else { Effect::Put(key, Arc::clone(&stored)) };
        Planned { effects: vec![effect], object: Some(stored) }
    }

    fn plan_delete(
        &self,
        key: &Key,
        uid: Option<&str>,
        resource_version: Option<&str>,
        at: Timestamp,
    ) -> Result<Planned, ClusterError> {
        let live = self.objects.get(key).ok_or_else(|| ClusterError::NotFound { resource: shown(key) })?;
        check_preconditions(key, live, uid, resource_version)?;
        let mut effects = Vec::new();
        self.plan_removal(key, live, at, &mut effects);
        Ok(Planned { effects, object: None })
    }

    /// Plans the removal of an object and, as the garbage collector would, of what it owns or contains.
    fn plan_removal(&self, key: &Key, live: &Arc<Stored>, at: Timestamp, effects: &mut Vec<Effect>) {
        if live.body.at(&["metadata", "finalizers"]).is_some_and(|f| !f.is_empty()) {
            if live.body.at(&["metadata", "deletionTimestamp"]).is_none() {
                let mut ending = (**live).clone();
                edit_metadata(&mut ending.body, |metadata| {
                    metadata.insert("deletionTimestamp".into(), time(at));
                });
                effects.push(Effect::Put(key.clone(), self.revised(ending)));
            }
            return;
        }
        effects.push(Effect::Remove(key.clone()));
        let is_namespace = key.kind == GroupKind::new("", "Namespace");
        let uid = live.body.at(&["metadata", "uid"]);
        for (other, stored) in &self.objects {
            let planned =
                effects.iter().any(|e| matches!(e, Effect::Remove(k) | Effect::Put(k, _) if k == other));
            let owners = stored.body.at(&["metadata", "ownerReferences"]).and_then(Value::as_list);
            let owned = uid.is_some() && owners.into_iter().flatten().any(|owner| owner.get("uid") == uid);
            let contained = is_namespace && other.namespace.as_deref() == Some(&key.name);
            if !planned && (owned || contained) {
                self.plan_removal(other, stored, at, effects);
            }
        }
    }

    fn node(&self, kind: &ServedKind) -> Option<NodeId> {
        self.catalogue.schema().kind(&kind.kind).map(|k| k.root)
    }

    fn applied_fields(
        &self,
        key: &Key,
        node: Option<NodeId>,
        config: &Value,
    ) -> Result<FieldSet, ClusterError> {
        merge::fields_of(&self.catalogue.schema(), node, config, &FieldPath::root())
            .map(|fields| stripped(&fields))
            .map_err(|fault| broken(key, &fault))
    }

    fn settle(&self, kind: &ServedKind, body: &mut Value) {
        defaults::settle(&self.catalogue.schema(), self.node(kind), body);
    }

    fn check_namespace(&self, key: &Key) -> Result<(), ClusterError> {
        let Some(namespace) = &key.namespace else { return Ok(()) };
        let declared =
            Key { kind: GroupKind::new("", "Namespace"), namespace: None, name: namespace.clone() };
        if self.implied.contains(namespace) || self.objects.contains_key(&declared) {
            return Ok(());
        }
        Err(ClusterError::NotFound { resource: shown(&declared) })
    }
}

/// Returns what a client sends, without what only a server may set.
fn incoming(kind: &ServedKind, given: &Value) -> Value {
    let mut body = body::opened(given);
    if !matches!(body, Value::Map(_)) {
        body = Value::Map(Map::new());
    }
    if let Value::Map(fields) = &mut body {
        fields.insert("apiVersion".into(), Value::string(kind.kind.api_version()));
        fields.insert("kind".into(), Value::string(&kind.kind.kind));
        if kind.status_subresource {
            fields.remove("status");
        }
    }
    edit_metadata(&mut body, |metadata| {
        for field in
            ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink"]
        {
            metadata.remove(field);
        }
    });
    fold_string_data(kind, &mut body);
    body
}

/// Folds a Secret's `stringData` into its `data`, as the API server does.
fn fold_string_data(kind: &ServedKind, body: &mut Value) {
    if !kind.kind.group_kind().is_secret() {
        return;
    }
    let Value::Map(fields) = body else { return };
    let Some(Value::Map(plain)) = fields.remove("stringData") else { return };
    let data = fields.entry("data".into()).or_default();
    if !matches!(data, Value::Map(_)) {
        *data = Value::Map(Map::new());
    }
    if let Value::Map(data) = data {
        for (name, value) in plain {
            let text = value.as_str().unwrap_or_default();
            data.insert(name, Value::string(base64::engine::general_purpose::STANDARD.encode(text)));
        }
    }
}

/// Puts back what a write through this way cannot change: status, or everything but status.
fn keep_other_parts(kind: &ServedKind, subresource: Option<&str>, live: &Value, body: &mut Value) {
    let status = |value: &Value| value.get("status").cloned();
    let (kept, wanted) = match subresource {
        Some("status") => {
            let wanted = status(body);
            *body = live.clone();
            (None, wanted)
        }
        _ if kind.status_subresource => (Some(status(live)), None),
        _ => return,
    };
    let Value::Map(fields) = body else { return };
    match kept.unwrap_or(wanted) {
        Some(status) => fields.insert("status".into(), status),
        None => fields.remove("status"),
    };
}

/// Returns whether the server counts generations of such an object: where there is something to reconcile.
fn counts_generations(body: &Value) -> bool {
    body.get("spec").is_some()
}

/// Returns what a generation counts: everything but metadata and status.
fn without_status(body: &Value) -> Vec<(&String, &Value)> {
    let fields = body.as_map().into_iter().flatten();
    fields.filter(|(name, _)| !matches!(name.as_str(), "metadata" | "status" | "apiVersion")).collect()
}

fn is_by(entry: &ManagedEntry, actor: &Actor, operation: Operation) -> bool {
    entry.manager == actor.manager
        && entry.operation == operation
        && entry.subresource.as_deref() == actor.subresource
}

fn entry(kind: &ServedKind, actor: &Actor, operation: Operation, fields: FieldSet) -> ManagedEntry {
    ManagedEntry {
        manager: actor.manager.to_owned(),
        operation,
        subresource: actor.subresource.map(str::to_owned),
        api_version: kind.kind.api_version(),
        time: Some(actor.at),
        fields: fields.into(),
    }
}

/// Returns the other managers' entries without what they lost; one that lost everything is gone.
fn others_without(
    managed: &[ManagedEntry],
    lost: &FieldSet,
    is_self: impl Fn(&ManagedEntry) -> bool,
) -> Vec<ManagedEntry> {
    let others = managed.iter().filter(|entry| !is_self(entry));
    let left = others.map(|e| ManagedEntry { fields: sets::difference(&e.fields, lost).into(), ..e.clone() });
    left.filter(|entry| !sets::is_empty(&entry.fields)).collect()
}

/// Takes out what nobody manages: identity and what the server itself counts.
fn stripped(fields: &FieldSet) -> FieldSet {
    const METADATA: [&str; 8] = [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "selfLink",
        "managedFields",
    ];
    let mut server = FieldSet::default();
    for field in ["apiVersion", "kind", "metadata"] {
        sets::insert(&mut server, &FieldPath::fields(&[field]).0);
    }
    for field in METADATA {
        sets::insert(&mut server, &FieldPath::fields(&["metadata", field]).0);
    }
    FieldSet { owned: false, ..sets::difference(fields, &server) }
}

fn check_preconditions(
    key: &Key,
    live: &Stored,
    uid: Option<&str>,
    resource_version: Option<&str>,
) -> Result<(), ClusterError> {
    let differs = |field: &str, wanted: Option<&str>| {
        let live = live.body.str_at(&["metadata", field]);
        wanted
            .filter(|wanted| live != Some(wanted))
            .map(|wanted| conflict(key, &format!("{field} is {}, not {wanted}", live.unwrap_or("absent"))))
    };
    match differs("uid", uid).or_else(|| differs("resourceVersion", resource_version)) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

pub(super) fn shown(key: &Key) -> String {
    let namespace = key.namespace.as_ref().map(|n| format!("{n}/")).unwrap_or_default();
    format!("{}/{namespace}{}", key.kind, key.name)
}

fn conflict(key: &Key, reason: &str) -> ClusterError {
    ClusterError::Conflict { resource: shown(key), reason: reason.to_owned(), managers: Vec::new() }
}

fn invalid(resource: &str, path: &str, message: &str) -> ClusterError {
    ClusterError::Invalid {
        resource: resource.to_owned(),
        reason: format!("{path}: {message}"),
        fields: vec![(path.to_owned(), message.to_owned())],
    }
}

fn broken(key: &Key, fault: &merge::Fault) -> ClusterError {
    invalid(&shown(key), &fault.path.to_string(), &fault.what)
}
