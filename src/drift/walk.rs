//! Defines the typed walk: desired and live side by side through the kind's structure, each difference reported once, at the
//! path that the API server would name.

use super::agents;
use super::autoscaled::Scales;
use super::bookkeeping::{INSTANCE_LABEL, is_server_finalizer, is_server_owned, is_tracking};
use super::keyed;
use super::ownership::{Ownership, Provenance};
use super::path::{Step, Steps};
use super::types::{Field, Structure, Typed, Types};
use crate::model::change::ANOTHER_ORDER;
use crate::model::{BuiltIn, Cause, Class, FieldChange, Manifest, Map, Origin, Value};

/// A walk through one object.
pub(super) struct Walk<'a> {
    pub types: Types<'a>,
    pub ownership: &'a Ownership<'a>,
    pub manifest: &'a Manifest,
    pub scales: Scales,
    steps: Steps<'a>,
    pub changes: Vec<FieldChange>,
    /// Why only the API server could say more.
    pub needs_exact: Option<String>,
}

impl<'a> Walk<'a> {
    pub fn new(
        types: Types<'a>,
        ownership: &'a Ownership<'a>,
        manifest: &'a Manifest,
        scales: Scales,
    ) -> Self {
        Self {
            types,
            ownership,
            manifest,
            scales,
            steps: Steps::default(),
            changes: Vec::new(),
            needs_exact: None,
        }
    }

    /// Compares two whole objects. What identifies them and what the server keeps is passed over.
    pub fn objects(&mut self, desired: &'a Map, live: &'a Map) {
        let applied = self.ownership.applied.and_then(Value::as_map);
        let aggregated = self.is_aggregated(desired);
        let compared = |name: &str| match name {
            "apiVersion" | "kind" | "metadata" => false,
            "status" => !self.types.status_subresource,
            _ => true,
        };
        let names = names_of_both(desired, live).filter(|(name, _, _)| compared(name)).collect::<Vec<_>>();
        for (name, declared, held) in names {
            let field = self.types.field(self.types.root, name);
            let was = applied.and_then(|a| a.get(name));
            match (declared, held) {
                (declared, Some(held)) if aggregated && name == "rules" => {
                    self.aggregated_rules(&field, declared, held, was, live);
                }
                (Some(declared), Some(held)) => self.both(&field, declared, held, was, live),
                (Some(declared), None) => self.missing(&field, declared, was, desired),
                // A status that Git does not declare is the controllers' alone.
                (None, Some(held)) if name != "status" => self.undeclared(&field, held, was, live),
                _ => {}
            }
        }
        let none = nothing();
        let metadata = |object: &'a Map| object.get("metadata").and_then(Value::as_map).unwrap_or(none);
        let copied = self.labels_of_template(live).filter(|_| !declares_labels(desired)).unwrap_or(none);
        self.metadata(metadata(desired), metadata(live), applied.map(metadata), copied);
    }

    /// Returns the labels that the server gives a Job or a ReplicationController where it has none: its template's.
    ///
    /// Source: kubernetes, `SetDefaults_Job` and `SetDefaults_ReplicationController`.
    fn labels_of_template(&self, live: &'a Map) -> Option<&'a Map> {
        let kind = &self.manifest.kind;
        let is_given =
            matches!((&*kind.group, &*kind.kind), ("batch", "Job") | ("", "ReplicationController"));
        live.get("spec").filter(|_| is_given)?.at(&["template", "metadata", "labels"])?.as_map()
    }

    /// Labels, annotations, finalizers and declared owners; everything else in the metadata is identity or the server's.
    /// Labels that are `copied` are the server's own.
    fn metadata(&mut self, desired: &'a Map, live: &'a Map, applied: Option<&'a Map>, copied: &'a Map) {
        let typed = self.types.field(self.types.root, "metadata").typed;
        self.steps.push(Step::Field("metadata"));
        for name in ["labels", "annotations"] {
            let map = |object: Option<&'a Map>| object.and_then(|o| o.get(name)).and_then(Value::as_map);
            let none = nothing();
            let (declared, held) = (map(Some(desired)).unwrap_or(none), map(Some(live)).unwrap_or(none));
            self.steps.push(Step::Field(name));
            self.marks(declared, held, map(applied), live, if name == "labels" { copied } else { none });
            self.steps.pop();
        }
        let list =
            |object: Option<&'a Map>, name: &str| object.and_then(|o| o.get(name)).and_then(Value::as_list);
        let finalizers = list(Some(desired), "finalizers").unwrap_or_default();
        let held = list(Some(live), "finalizers").unwrap_or_default();
        let field = self.types.field(typed, "finalizers");
        self.steps.push(Step::Field("finalizers"));
        self.set(&field, finalizers, held, list(applied, "finalizers"));
        self.steps.pop();
        if let Some(owners) = desired.get("ownerReferences") {
            let field = self.types.field(typed, "ownerReferences");
            match live.get("ownerReferences") {
                Some(held) => {
                    self.both(&field, owners, held, applied.and_then(|a| a.get("ownerReferences")), live);
                }
                None => self.missing(&field, owners, None, desired),
            }
        }
        self.steps.pop();
    }

    /// Compares labels or annotations, key by key. Those of `copied` are the server's own.
    fn marks(
        &mut self,
        desired: &'a Map,
        live: &'a Map,
        applied: Option<&'a Map>,
        beside: &'a Map,
        copied: &'a Map,
    ) {
        for (key, declared, held) in names_of_both(desired, live) {
            let is_copied = declared.is_none() && held.is_some() && copied.get(key) == held;
            if is_copied || (is_server_owned(key) && self.ownership.holds(BuiltIn::ServerMarks)) {
                continue;
            }
            let was = applied.and_then(|a| a.get(key));
            let field = Field::plain(key, Typed::default());
            match (declared.filter(|d| !d.is_null()), held) {
                (Some(declared), Some(held)) => self.both(&field, declared, held, was, beside),
                (Some(declared), None) => self.missing(&field, declared, was, desired),
                (None, Some(held)) => {
                    let tracks = is_tracking(key, held.as_str())
                        || (key == INSTANCE_LABEL && self.ownership.is_argo_cds(held));
                    if !tracks || !self.ownership.holds(BuiltIn::TrackingMarks) {
                        self.undeclared(&field, held, was, beside);
                    }
                }
                _ => {}
            }
        }
    }

    /// Compares the fields of a struct, or the keys of a map.
    fn fields(&mut self, typed: Typed<'a>, desired: &'a Map, live: &'a Map, applied: Option<&'a Map>) {
        for (name, declared, held) in names_of_both(desired, live) {
            let field = self.types.field(typed, name);
            let was = applied.and_then(|a| a.get(name));
            match (declared, held) {
                (Some(declared), Some(held)) => self.both(&field, declared, held, was, live),
                (Some(declared), None) => self.missing(&field, declared, was, desired),
                (None, Some(held)) => self.undeclared(&field, held, was, live),
                (None, None) => {}
            }
        }
    }

    /// Compares a field that is on both sides.
    fn both(
        &mut self,
        field: &Field<'a>,
        declared: &'a Value,
        held: &'a Value,
        applied: Option<&'a Value>,
        beside: &'a Map,
    ) {
        if declared.is_null() && field.typed.node.is_some_and(|n| !n.nullable) {
            // The server keeps a key of a map whose value is null, with the zero value of its type.
            if field.chosen && self.types.means_nothing(&Field { chosen: false, ..*field }, held) {
                return;
            }
            return self.undeclared(field, held, applied, beside);
        }
        self.steps.push(Step::Field(field.name));
        self.values(field, declared, held, applied, beside);
        self.steps.pop();
    }

    /// Compares two values at the place where the walk stands.
    fn values(
        &mut self,
        field: &Field<'a>,
        declared: &'a Value,
        held: &'a Value,
        applied: Option<&'a Value>,
        beside: &'a Map,
    ) {
        let structure = field.typed.structure();
        match (declared, held, structure) {
            (Value::Map(d), Value::Map(l), Structure::Struct | Structure::Map | Structure::Plain) => {
                let applied = applied.and_then(Value::as_map);
                if is_marks(&self.steps, field.name) {
                    self.marks(d, l, applied, beside, nothing());
                } else {
                    self.fields(field.typed, d, l, applied);
                }
            }
            (Value::List(d), Value::List(l), Structure::Keyed(keys)) if all_maps(d) && all_maps(l) => {
                self.keyed_list(field, keys, d, l, applied.and_then(Value::as_list));
            }
            (Value::List(d), Value::List(l), Structure::Set) => {
                self.set(field, d, l, applied.and_then(Value::as_list));
            }
            (Value::List(d), Value::List(l), _) if field.fact.is_some_and(|f| f.unordered) => {
                self.unordered(field, declared, held, d, l, applied);
            }
            _ if self.types.same(field.typed, declared, held) => {}
            _ if self.types.means_nothing(field, declared) && self.types.is_default(field, held, beside) => {}
            (_, Value::Null, _) => self.deleted(declared, applied),
            (Value::List(d), Value::List(l), Structure::Plain)
                if holds(d, l) && applied.is_none_or(|was| was == declared) =>
            {
                self.undeclared_whole(held, false);
            }
            _ => self.changed(field, declared, held, applied),
        }
    }

    fn changed(
        &mut self,
        field: &Field<'a>,
        declared: &'a Value,
        held: &'a Value,
        applied: Option<&'a Value>,
    ) {
        if self.types.built_in
            && matches!(declared, Value::Map(_) | Value::List(_))
            && matches!(field.typed.structure(), Structure::Whole)
        {
            self.note_exact(format!("{} is compared as a whole", self.steps.path(&self.types)));
        }
        let path = self.steps.path(&self.types);
        let unsynced = applied.map(|was| self.types.same(field.typed, was, held));
        let as_applied = applied.map(|was| self.types.same(field.typed, declared, was));
        let recorded = self.ownership.applied.is_some();
        let as_applied = as_applied.or(recorded.then_some(false));
        let mut found = self.ownership.changed(&path, unsynced, as_applied);
        if found.cause == Cause::Webhook {
            self.note_exact(format!("a webhook may have rewritten {path}"));
        }
        let injected = field.name == "caBundle" && self.ownership.holds(BuiltIn::InjectedCertificates);
        if injected && is_placeholder(declared) && is_certificate(held) {
            found.class = Class::Delegated;
            found.counts = false;
        } else if self.is_autoscaled() && found.cause != Cause::ByHand && found.cause != Cause::UnsyncedCommit
        {
            found.class = Class::Contended;
            found.counts = false;
            found.note = Some("an active autoscaler sets it".to_owned());
        }
        self.record(found, Some(declared), Some(held), path);
    }

    /// Returns whether the walk stands at what an active autoscaler sets on this object.
    fn is_autoscaled(&self) -> bool {
        (self.scales.replicas && self.steps.are(&["spec", "replicas"]))
            || (self.scales.resources && self.steps.start_with(&["spec", "template", "spec"]) && {
                let path = self.steps.path(&self.types).to_string();
                path.contains("].resources")
            })
    }

    /// Reports a declared field that is not there live.
    fn missing(
        &mut self,
        field: &Field<'a>,
        declared: &'a Value,
        applied: Option<&'a Value>,
        beside: &'a Map,
    ) {
        if self.types.means_nothing(field, declared) || field.declares_default(declared, beside) {
            return;
        }
        self.steps.push(Step::Field(field.name));
        self.deleted(declared, applied);
        self.steps.pop();
    }

    fn deleted(&mut self, declared: &'a Value, applied: Option<&'a Value>) {
        let was_applied = self.ownership.applied.map(|_| applied.is_some());
        let found = Provenance::deleted(was_applied);
        let path = self.steps.path(&self.types);
        self.record(found, Some(declared), None, path);
    }

    /// Compares a keyed list item by item.
    fn keyed_list(
        &mut self,
        field: &Field<'a>,
        keys: &'a [String],
        desired: &'a [Value],
        live: &'a [Value],
        applied: Option<&'a [Value]>,
    ) {
        let typed = self.types.item(field.typed);
        let types = self.types;
        let was = |item: &'a Value| {
            applied?.iter().find(|a| a.as_map().is_some() && keyed::same_item(&types, typed, keys, item, a))
        };
        let paired = keyed::pair(&types, typed, keys, desired, live);
        if paired.duplicates {
            self.note_exact(format!("{} has several items with the same keys", self.steps.path(&self.types)));
        }
        for (at, (item, found)) in desired.iter().zip(&paired.live_of).enumerate() {
            self.steps.push_item(Step::Keyed { item, keys, typed }, Some(at));
            match found.and_then(|i| live.get(i)) {
                Some(held) => {
                    let item_field = Field::plain("", typed);
                    let none = nothing();
                    self.values(&item_field, item, held, was(item), held.as_map().unwrap_or(none));
                }
                None => self.deleted(item, was(item)),
            }
            self.steps.pop();
        }
        for item in paired.extra.iter().filter_map(|i| live.get(*i)) {
            self.steps.push(Step::Keyed { item, keys, typed });
            self.undeclared_item(field, item, was(item).is_some());
            self.steps.pop();
        }
        if keyed::reordered(&paired) {
            let arranged = keyed::arranged(&paired, desired, live);
            self.order(field, keys, arranged, live);
        }
    }

    /// Reports another order: drift where the order has a meaning, else a remark.
    fn order(&mut self, field: &Field<'a>, keys: &[String], desired: Vec<Value>, live: &'a [Value]) {
        let path = self.steps.path(&self.types);
        let matters = match field.name {
            "initContainers" => true,
            "env" => refer_to_each_other(&desired) || refer_to_each_other(live),
            _ => false,
        };
        let mut found = self.ownership.changed(&path, None, None);
        if !matters {
            found.class = Class::Order;
            found.counts = false;
        }
        found.note = Some(ANOTHER_ORDER.to_owned());
        let (desired, live) = (Value::List(desired), Value::List(live.to_vec()));
        self.record_owned(found, Some(desired), Some(live), path);
        if let Some(change) = self.changes.last_mut() {
            change.order_by = Some(keys.to_vec());
        }
    }

    fn set(
        &mut self,
        field: &Field<'a>,
        desired: &'a [Value],
        live: &'a [Value],
        applied: Option<&'a [Value]>,
    ) {
        for (at, member) in desired.iter().enumerate().filter(|(_, m)| !live.contains(m)) {
            let was = applied.and_then(|a| a.iter().find(|m| *m == member));
            self.steps.push_item(Step::Member(member), Some(at));
            self.deleted(member, was);
            self.steps.pop();
        }
        for member in live.iter().filter(|m| !desired.contains(m)) {
            if field.name == "finalizers" && member.as_str().is_some_and(is_server_finalizer) {
                continue;
            }
            self.steps.push(Step::Member(member));
            self.undeclared_item(field, member, applied.is_some_and(|a| a.contains(member)));
            self.steps.pop();
        }
    }

    /// Compares a list that is compared as a whole, but whose order has no meaning.
    fn unordered(
        &mut self,
        field: &Field<'a>,
        declared: &'a Value,
        held: &'a Value,
        desired: &'a [Value],
        live: &'a [Value],
        applied: Option<&'a Value>,
    ) {
        let typed = self.types.item(field.typed);
        let mut rest: Vec<(usize, &'a Value)> = live.iter().enumerate().collect();
        let mut in_order = desired.len() == live.len();
        for (at, item) in desired.iter().enumerate() {
            match rest.iter().position(|(_, l)| self.types.same(typed, item, l)) {
                Some(found) => in_order &= rest.remove(found).0 == at,
                None => return self.changed(field, declared, held, applied),
            }
        }
        if !rest.is_empty() {
            self.changed(field, declared, held, applied);
        } else if !in_order {
            self.order(field, &[], desired.to_vec(), live);
        }
    }

    /// Looks at a live field that Git does not declare.
    fn undeclared(
        &mut self,
        field: &Field<'a>,
        held: &'a Value,
        applied: Option<&'a Value>,
        beside: &'a Map,
    ) {
        if held.is_null() || self.types.is_default(field, held, beside) {
            return;
        }
        self.steps.push(Step::Field(field.name));
        let is_the_servers = field.is_allocated() || self.types.is_filled_in(field, held, beside, false);
        if is_the_servers && !self.ownership.by_a_person(&self.steps.path(&self.types)) {
            self.steps.pop();
            return;
        }
        self.undeclared_here(field, held, applied);
        self.steps.pop();
    }

    fn undeclared_here(&mut self, field: &Field<'a>, held: &'a Value, applied: Option<&'a Value>) {
        let (Value::Map(below), Structure::Struct | Structure::Map | Structure::Plain) =
            (held, field.typed.structure())
        else {
            return self.undeclared_whole(held, applied.is_some_and(|a| !a.is_null()));
        };
        if below.is_empty() {
            return self.undeclared_whole(held, applied.is_some_and(|a| !a.is_null()));
        }
        let was = applied.and_then(Value::as_map);
        if is_marks(&self.steps, field.name) {
            let none = nothing();
            return self.marks(none, below, was, below, none);
        }
        let before = self.changes.len();
        for (name, value) in below {
            let field = self.types.field(field.typed, name);
            self.undeclared(&field, value, was.and_then(|w| w.get(name)), below);
        }
        // What is of one class and hand is one change at its top, unless the server made the top by itself.
        let found = self.changes.get(before..).unwrap_or_default();
        if found.is_empty() || field.may_appear_by_itself() {
            return;
        }
        let Some(first) = found.first() else { return };
        let alike = |c: &FieldChange| {
            c.class == first.class
                && c.counts == first.counts
                && c.cause == first.cause
                && c.kept_by == first.kept_by
                && (c.writer == first.writer || c.writer.is_none() || first.writer.is_none())
        };
        if found.iter().all(alike) {
            let writer = found.iter().find_map(|c| c.writer.clone());
            let top = Provenance {
                class: first.class,
                counts: first.counts,
                cause: first.cause,
                writer,
                note: first.note.clone(),
                kept_by: first.kept_by.clone(),
            };
            self.changes.truncate(before);
            let path = self.steps.path(&self.types);
            self.record(top, None, Some(held), path);
        }
    }

    fn undeclared_item(&mut self, list: &Field<'a>, held: &'a Value, applied: bool) {
        if list.is_allocated() && !self.ownership.by_a_person(&self.steps.path(&self.types)) {
            return;
        }
        self.undeclared_whole(held, applied);
    }

    fn undeclared_whole(&mut self, held: &'a Value, applied: bool) {
        let path = self.steps.path(&self.types);
        let content = self.steps.start_with(&["spec"]) || self.steps.start_with(&["data"]);
        let mut found = self.ownership.undeclared(&path, applied, content);
        if self.is_autoscaled() {
            found.counts = false;
        } else if found.writer.is_none()
            && self.ownership.is_recorded()
            && self.steps.are(&["spec", "replicas"])
        {
            // The scale subresource of an object whose replicas nobody owned leaves no entry behind.
            found.counts = true;
            found.note = Some("scaled: the actor is not recorded".to_owned());
        }
        self.record(found, None, Some(held), path);
    }

    /// Row 8 of the catalogue: the rules of an aggregated ClusterRole are the control plane's. Rules that Git spells out
    /// all the same are compared where nobody can tell that a controller wrote them.
    fn aggregated_rules(
        &mut self,
        field: &Field<'a>,
        declared: Option<&'a Value>,
        held: &'a Value,
        applied: Option<&'a Value>,
        beside: &'a Map,
    ) {
        let Some(declared) = declared.filter(|d| !d.is_empty()) else { return };
        self.steps.push(Step::Field(field.name));
        let path = self.steps.path(&self.types);
        let by_controller = self.ownership.by_a_controller(&path);
        match by_controller {
            Some(writer) if !self.types.same(field.typed, declared, held) => {
                let found = Provenance {
                    class: Class::Delegated,
                    counts: false,
                    cause: Cause::Controller,
                    writer: Some(writer),
                    note: Some("aggregated from other roles".to_owned()),
                    kept_by: Vec::new(),
                };
                self.record(found, Some(declared), Some(held), path);
            }
            _ => self.values(field, declared, held, applied, beside),
        }
        self.steps.pop();
    }

    fn is_aggregated(&self, desired: &Map) -> bool {
        self.ownership.holds(BuiltIn::AggregatedRoles)
            && self.manifest.kind.group == "rbac.authorization.k8s.io"
            && self.manifest.kind.kind == "ClusterRole"
            && desired.get("aggregationRule").is_some_and(|rule| !rule.is_empty())
    }

    pub fn note_exact(&mut self, why: String) {
        self.needs_exact.get_or_insert(why);
    }

    fn record(
        &mut self,
        found: Provenance,
        desired: Option<&'a Value>,
        live: Option<&'a Value>,
        path: crate::model::FieldPath,
    ) {
        self.record_owned(found, desired.cloned(), live.cloned(), path);
    }

    fn record_owned(
        &mut self,
        mut found: Provenance,
        desired: Option<Value>,
        live: Option<Value>,
        path: crate::model::FieldPath,
    ) {
        let origin = desired.as_ref().map(|_| self.origin());
        let autoscaler =
            self.is_autoscaled().then(|| self.ownership.autoscaler(self.steps.are(&["spec", "replicas"])));
        let agent = agents::behind(self.ownership.live(), &path, autoscaler.flatten(), &mut found);
        self.changes.push(FieldChange {
            counts: found.counts,
            cause: found.cause,
            desired,
            live,
            writer: found.writer,
            agent,
            origin,
            note: found.note,
            kept_by: found.kept_by,
            ..FieldChange::new(path, found.class)
        });
    }

    /// Returns where Git declares the field at which the walk stands.
    fn origin(&self) -> Origin {
        let mut raw = self.steps.raw();
        if raw.first().is_some_and(|f| f == "data")
            && let Some(key) = raw.get(1)
            && self.manifest.body.at(&["stringData", key]).is_some()
            && let Some(first) = raw.first_mut()
        {
            "stringData".clone_into(first);
        }
        self.manifest.origin_of(raw.iter().map(String::as_str))
    }
}

fn declares_labels(object: &Map) -> bool {
    object.get("metadata").and_then(|m| m.get("labels")).is_some_and(|labels| !labels.is_empty())
}

/// Returns a map without entries that lives long enough.
fn nothing() -> &'static Map {
    static NOTHING: Map = Map::new();
    &NOTHING
}

/// Pairs the names of two maps in their order.
fn names_of_both<'a>(
    desired: &'a Map,
    live: &'a Map,
) -> impl Iterator<Item = (&'a str, Option<&'a Value>, Option<&'a Value>)> {
    let (mut d, mut l) = (desired.iter().peekable(), live.iter().peekable());
    std::iter::from_fn(move || {
        let order = match (d.peek(), l.peek()) {
            (None, None) => return None,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        let declared = if order.is_le() { d.next() } else { None };
        let held = if order.is_ge() { l.next() } else { None };
        let name = declared.or(held).map(|(name, _)| name.as_str())?;
        Some((name, declared.map(|(_, v)| v), held.map(|(_, v)| v)))
    })
}

/// Returns whether the walk stands at the labels or annotations of an object's or template's metadata.
fn is_marks(steps: &Steps<'_>, name: &str) -> bool {
    (name == "labels" || name == "annotations") && steps.parent_field() == Some("metadata")
}

fn all_maps(items: &[Value]) -> bool {
    items.iter().all(|item| matches!(item, Value::Map(_)))
}

/// Returns whether a list without a schema is live as declared, but for fields that were added to its items.
fn holds(desired: &[Value], live: &[Value]) -> bool {
    fn value(desired: &Value, live: &Value) -> bool {
        match (desired, live) {
            (Value::Map(d), Value::Map(l)) => d
                .iter()
                .all(|(name, declared)| l.get(name).map_or(declared.is_null(), |live| value(declared, live))),
            (Value::List(d), Value::List(l)) => holds(d, l),
            (d, l) => d == l,
        }
    }
    desired.len() == live.len() && desired.iter().zip(live).all(|(d, l)| value(d, l))
}

/// Returns whether values of an `env` list use others of it by `$(NAME)`: then the order decides what they become.
fn refer_to_each_other(env: &[Value]) -> bool {
    let names: Vec<String> =
        env.iter().filter_map(|e| e.str_at(&["name"])).map(|name| format!("$({name})")).collect();
    env.iter()
        .filter_map(|e| e.str_at(&["value"]))
        .any(|value| value.contains("$(") && names.iter().any(|name| value.contains(name)))
}

/// Returns whether a declared certificate bundle stands for one that a controller fills in: it is no certificate.
fn is_placeholder(declared: &Value) -> bool {
    !is_certificate(declared)
}

fn is_certificate(value: &Value) -> bool {
    use base64::Engine as _;
    let Some(text) = value.as_str() else { return false };
    let compact: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    base64::engine::general_purpose::STANDARD
        .decode(compact)
        .is_ok_and(|bytes| bytes.windows(11).any(|w| w == b"-----BEGIN "))
}
