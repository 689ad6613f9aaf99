//! Defines where a comparison stands in a kind's structure: the schema's node and the defaulting table's part together.

use super::defaults::{Defaults, Fact, Part, Rule};
use super::scalar::same_scalar;
use crate::model::schema::{ListKind, Node, Shape};
use crate::model::{FieldPath, GroupVersionKind, Map, Schema, Segment, Value};

/// What is known of a value's type. `node` is `None` where no schema reaches.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Typed<'a> {
    pub node: Option<&'a Node>,
    pub part: Option<&'a Part>,
}

/// What is known of a field: its type, and the facts of the defaulting table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub name: &'a str,
    pub typed: Typed<'a>,
    pub fact: Option<&'a Fact>,
    /// A key of a map that somebody chose: that it is there says something, whatever its value.
    pub chosen: bool,
}

impl<'a> Typed<'a> {
    /// Returns how a value of this type is compared.
    pub fn structure(self) -> Structure<'a> {
        match self.node.map(|n| &n.shape) {
            None | Some(Shape::Any) => Structure::Plain,
            Some(Shape::Struct { atomic: false, .. }) => Structure::Struct,
            Some(Shape::Map { atomic: false, .. }) => Structure::Map,
            Some(Shape::List { kind: ListKind::Keyed(keys), .. }) => Structure::Keyed(keys),
            Some(Shape::List { kind: ListKind::Set, .. }) => Structure::Set,
            Some(_) => Structure::Whole,
        }
    }
}

impl<'a> Field<'a> {
    /// Makes a field of which nothing but its type is known.
    pub fn plain(name: &'a str, typed: Typed<'a>) -> Self {
        Self { name, typed, fact: None, chosen: false }
    }

    /// Returns whether the server creates a part by itself, so that what differs inside is reported there and not as a
    /// whole part that somebody added.
    pub fn may_appear_by_itself(&self) -> bool {
        let by_table = self.fact.is_some_and(|f| f.rules.iter().any(Rule::creates_part));
        by_table || self.published_default().is_some()
    }

    /// Returns whether the server or an admission plugin chooses the value.
    pub fn is_allocated(&self) -> bool {
        self.fact.is_some_and(|f| f.rules.contains(&Rule::Allocated))
    }

    /// Returns whether a declared value that is not there live equals what the server would fill in.
    pub fn declares_default(&self, declared: &Value, beside: &Map) -> bool {
        self.published_default().is_some_and(|default| equals_json(declared, default))
            || self.rules().iter().any(|rule| rule.value(beside).is_some_and(|value| *value == *declared))
    }

    /// Returns the schema's default. That of a map's values stands for those that are null, not for keys that are not there.
    fn published_default(&self) -> Option<&'a serde_json::Value> {
        self.typed.node.filter(|_| !self.chosen).and_then(|n| n.default.as_ref())
    }

    /// Returns the table's rules. A default that the connected cluster publishes itself stands above them.
    fn rules(&self) -> &[Rule] {
        let published = self.published_default().is_some_and(|default| !is_zero_json(default));
        match self.fact {
            Some(fact) if !published => &fact.rules,
            _ => &[],
        }
    }

    /// Returns whether the table's value is the server's own only as long as no person wrote it.
    pub fn may_be_a_persons(&self) -> bool {
        self.fact.is_some_and(|f| f.unless_by_a_person)
    }
}

/// How a map or list is compared.
#[derive(Debug, Clone, Copy)]
pub(super) enum Structure<'a> {
    /// Fields with defaults, one by one.
    Struct,
    /// Free keys, one by one.
    Map,
    /// Items told apart by these fields.
    Keyed(&'a [String]),
    /// Scalars without order.
    Set,
    /// Compared as a whole; `typed` says that its inside has a type all the same.
    Whole,
    /// No schema: maps key by key, lists as a whole.
    Plain,
}

/// The structure of one kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Types<'a> {
    pub schema: &'a Schema,
    pub defaults: &'static Defaults,
    pub root: Typed<'a>,
    /// A kind of Kubernetes itself: empty, zero and absent are the same, and the defaulting table holds.
    pub built_in: bool,
    /// The schema is of the version that Git declares, so that a field which it lacks is one that the server drops.
    pub exact: bool,
    pub status_subresource: bool,
}

impl<'a> Types<'a> {
    /// Finds a kind's structure, in another version if the schema lacks this one.
    pub fn of(schema: &'a Schema, kind: &GroupVersionKind) -> Self {
        let group_kind = kind.group_kind();
        let exact = schema.kind(kind);
        let entry = exact.or_else(|| schema.any_version(&group_kind));
        let built_in = entry.map_or_else(|| is_built_in_group(&kind.group), |e| !e.custom);
        let defaults = Defaults::built_in();
        Self {
            schema,
            defaults,
            root: Typed {
                node: entry.and_then(|e| schema.node(e.root)),
                part: if built_in { defaults.kind(&group_kind) } else { None },
            },
            built_in,
            exact: exact.is_some(),
            status_subresource: entry.is_none_or(|e| e.status_subresource),
        }
    }

    pub fn known(&self) -> bool {
        self.root.node.is_some()
    }

    pub fn field(&self, of: Typed<'a>, name: &'a str) -> Field<'a> {
        let node = match of.node.map(|n| &n.shape) {
            Some(Shape::Struct { fields, .. }) => fields.get(name).and_then(|id| self.schema.node(*id)),
            Some(Shape::Map { value, .. }) => self.schema.node(*value),
            _ => None,
        };
        // What the connected cluster's schema lacks, that cluster's server does not fill in.
        let lacking = node.is_none() && matches!(of.node.map(|n| &n.shape), Some(Shape::Struct { .. }));
        let fact = of.part.filter(|_| !lacking).and_then(|p| p.field(name));
        let chosen = matches!(of.node.map(|n| &n.shape), Some(Shape::Map { .. }));
        Field { name, typed: Typed { node, part: fact.and_then(|f| self.defaults.below(f)) }, fact, chosen }
    }

    pub fn item(&self, of: Typed<'a>) -> Typed<'a> {
        let node = match of.node.map(|n| &n.shape) {
            Some(Shape::List { item, .. }) => self.schema.node(*item),
            _ => None,
        };
        Typed { node, part: of.part.and_then(|p| self.defaults.items(p)) }
    }

    /// Returns whether the server makes no difference between this value of a field and its absence.
    ///
    /// In built-in kinds that are null, empty text, lists and maps, and zero where the API's type is no pointer; in
    /// custom ones, and of the keys of a map, only null.
    pub fn means_nothing(&self, field: &Field<'a>, value: &'a Value) -> bool {
        if value.is_null() {
            return true;
        }
        let typed = field.typed.node.is_some_and(|n| !matches!(n.shape, Shape::Any));
        if !self.built_in || !typed || field.chosen {
            return false;
        }
        let zero_is_unset = || !self.defaults.zero_is_a_value(field.name, field.fact);
        match value {
            Value::Bool(b) => !b && zero_is_unset(),
            Value::Number(n) => n.as_i64() == Some(0) && zero_is_unset(),
            Value::String(s) => s.is_empty() && zero_is_unset(),
            Value::Sealed(s) => s.is_empty(),
            Value::List(items) => items.is_empty(),
            Value::Map(entries) => {
                !self.defaults.present_matters(field.name)
                    && match field.typed.structure() {
                        Structure::Map => entries.is_empty(),
                        _ => entries
                            .iter()
                            .all(|(name, below)| self.means_nothing(&self.field(field.typed, name), below)),
                    }
            }
            Value::Null => true,
        }
    }

    /// Returns whether a value that Git does not declare is what the server sets by itself, whoever wrote it. `beside` are
    /// the live fields around it.
    pub fn is_default(&self, field: &Field<'a>, live: &'a Value, beside: &'a Map) -> bool {
        !field.may_be_a_persons() && self.is_filled_in(field, live, beside, false)
    }

    /// Returns whether the server may have filled in a value. `allocated`: values that the server or an admission plugin
    /// chooses count too; without it, what is said depends on no writer.
    pub fn is_filled_in(&self, field: &Field<'a>, live: &'a Value, beside: &'a Map, allocated: bool) -> bool {
        if self.means_nothing(field, live) {
            return true;
        }
        if let Some(default) = field.published_default()
            && self.equals_default(field.typed, live, default, allocated)
        {
            return true;
        }
        for rule in field.rules() {
            if let Some(value) = rule.value(beside)
                && !matches!(&*value, Value::Map(m) if m.is_empty())
                && self.same_literal(field.typed, &value, live)
            {
                return true;
            }
        }
        match (live, field.typed.structure()) {
            (Value::Map(fields), Structure::Struct | Structure::Whole)
                if !fields.is_empty() && field.may_appear_by_itself() =>
            {
                fields.iter().all(|(name, value)| {
                    let below = self.field(field.typed, name);
                    (allocated && below.is_allocated())
                        || ((allocated || !below.may_be_a_persons())
                            && self.is_filled_in(&below, value, fields, allocated))
                })
            }
            (Value::Map(fields), _) => fields.is_empty() && field.may_appear_by_itself(),
            _ => false,
        }
    }

    /// Compares with a schema's default, which the server fills up with the defaults of what lies below.
    fn equals_default(
        &self,
        typed: Typed<'a>,
        live: &'a Value,
        default: &serde_json::Value,
        allocated: bool,
    ) -> bool {
        match (live, default) {
            (Value::Map(fields), serde_json::Value::Object(defaults)) => {
                defaults.keys().all(|name| fields.contains_key(name))
                    && fields.iter().all(|(name, value)| match defaults.get(name) {
                        Some(default) => {
                            self.equals_default(self.field(typed, name).typed, value, default, allocated)
                        }
                        None => self.is_filled_in(&self.field(typed, name), value, fields, allocated),
                    })
            }
            (Value::List(items), serde_json::Value::Array(defaults)) => {
                let item = self.item(typed);
                items.len() == defaults.len()
                    && items.iter().zip(defaults).all(|(i, d)| self.equals_default(item, i, d, allocated))
            }
            (live, default) => {
                equals_json(live, default)
                    || typed.node.is_some_and(|n| same_scalar(&n.shape, &Value::from(default.clone()), live))
            }
        }
    }

    /// Compares with a value of the table: its scalars by type.
    fn same_literal(&self, typed: Typed<'a>, literal: &Value, live: &'a Value) -> bool {
        match (literal, live) {
            (Value::Map(a), Value::Map(b)) => {
                a.len() == b.len()
                    && b.iter().all(|(name, live)| {
                        a.get(name).is_some_and(|l| self.same_literal(self.field(typed, name).typed, l, live))
                    })
            }
            (Value::List(a), Value::List(b)) => {
                let item = self.item(typed);
                a.len() == b.len() && a.iter().zip(b).all(|(l, live)| self.same_literal(item, l, live))
            }
            (a, b) => same_scalar(typed.node.map_or(&Shape::Any, |n| &n.shape), a, b),
        }
    }

    /// Returns whether two values mean the same, absences filled in: the comparison inside whatever is compared as a whole.
    pub fn same(&self, typed: Typed<'a>, desired: &'a Value, live: &'a Value) -> bool {
        match (desired, live) {
            (Value::Map(d), Value::Map(l)) => match typed.structure() {
                Structure::Plain | Structure::Map => {
                    d.iter().all(|(name, value)| match l.get(name) {
                        Some(live) => self.same(self.field(typed, name).typed, value, live),
                        None => value.is_null(),
                    }) && l.iter().all(|(name, value)| d.contains_key(name) || value.is_null())
                }
                _ => {
                    d.iter().all(|(name, value)| {
                        let field = self.field(typed, name);
                        match l.get(name) {
                            Some(live) => self.same_field(&field, value, live, l),
                            None => self.means_nothing(&field, value) || field.declares_default(value, d),
                        }
                    }) && l.iter().filter(|(name, _)| !d.contains_key(*name)).all(|(name, value)| {
                        let field = self.field(typed, name);
                        field.is_allocated() || self.is_filled_in(&field, value, l, true)
                    })
                }
            },
            (Value::List(d), Value::List(l)) => {
                let item = self.item(typed);
                d.len() == l.len() && d.iter().zip(l).all(|(d, l)| self.same(item, d, l))
            }
            (d, l) => same_scalar(typed.node.map_or(&Shape::Any, |n| &n.shape), d, l),
        }
    }

    /// Compares two values of one field, where zero may mean unset.
    fn same_field(&self, field: &Field<'a>, desired: &'a Value, live: &'a Value, beside: &'a Map) -> bool {
        self.same(field.typed, desired, live)
            || (self.means_nothing(field, desired) && self.is_filled_in(field, live, beside, true))
    }
}

/// Returns whether the comparison makes no difference between an empty value at a path of a kind and its absence.
///
/// The metadata of every kind is of the API server's own type, in which nothing is kept empty. That an item is in a list
/// always says something.
pub fn is_unset(schema: &Schema, kind: &GroupVersionKind, path: &FieldPath, value: &Value) -> bool {
    let Some(Segment::Field(_)) = path.0.last() else { return false };
    let types = Types::of(schema, kind);
    let of_metadata =
        |name: &str| matches!(name, "labels" | "annotations" | "finalizers" | "ownerReferences");
    if let [Segment::Field(first), Segment::Field(name)] = path.0.as_slice()
        && first == "metadata"
        && of_metadata(name)
    {
        return value.is_empty();
    }
    let field = path.0.iter().fold(Field::plain("", types.root), |field, segment| match segment {
        Segment::Field(name) => types.field(field.typed, name),
        Segment::Keys(_) | Segment::Item(_) | Segment::Index(_) => Field::plain("", types.item(field.typed)),
    });
    types.means_nothing(&field, value)
}

/// Returns whether a group without a schema is one of Kubernetes' own: it has no dot, or ends in `.k8s.io`.
///
/// Groups under `k8s.io` that come from CustomResourceDefinitions (`gateway.networking.k8s.io`, `snapshot.storage.k8s.io`) have two
/// names before it.
fn is_built_in_group(group: &str) -> bool {
    match group.strip_suffix(".k8s.io") {
        Some(rest) => !rest.contains('.') || rest == "flowcontrol.apiserver" || rest == "rbac.authorization",
        None => !group.contains('.'),
    }
}

/// Returns whether a published default is the zero value. Published schemas give required fields theirs as a default, which
/// says only that Go's type has no "absent".
pub(super) fn is_zero_json(default: &serde_json::Value) -> bool {
    match default {
        serde_json::Value::String(s) => s.is_empty(),
        serde_json::Value::Number(n) => n.as_f64() == Some(0.0),
        serde_json::Value::Object(o) => o.is_empty(),
        _ => default.is_null(),
    }
}

/// Compares a value with plain JSON, numbers by value.
pub(super) fn equals_json(value: &Value, json: &serde_json::Value) -> bool {
    match (value, json) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(a), serde_json::Value::Bool(b)) => a == b,
        (Value::String(a), serde_json::Value::String(b)) => a == b,
        (Value::Number(_), serde_json::Value::Number(_)) => *value == Value::from(json.clone()),
        (Value::List(a), serde_json::Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equals_json(a, b))
        }
        (Value::Map(a), serde_json::Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, a)| b.get(k).is_some_and(|b| equals_json(a, b)))
        }
        _ => false,
    }
}
