//! Structured merge of objects by their schema, as the API server's server-side apply does it.
//!
//! Source: KEP-555 and `sigs.k8s.io/structured-merge-diff` (`typed/merge.go`, `typed/tofieldset.go`,
//! `typed/compare.go`, `typed/remove.go`, `merge/update.go`). Where the schema knows nothing, maps are granular and
//! lists atomic, as with upstream's deduced type.

use super::sets;
use crate::model::field_path::Scalar;
use crate::model::schema::{ListKind, NodeId, Shape};
use crate::model::{FieldPath, FieldSet, Map, Schema, Segment, Value};
use std::collections::BTreeMap;

/// What keeps an applied object from being merged.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    pub path: FieldPath,
    pub what: String,
}

/// How a value at a node takes part in the merge.
enum Part<'a> {
    Leaf,
    /// Field by field, each with its node and whether it is a field of a struct.
    Fields(&'a Shape),
    Keyed(NodeId, &'a [String]),
    Set(NodeId),
}

static UNKNOWN: Shape = Shape::Any;

fn part<'a>(schema: &'a Schema, node: Option<NodeId>, value: &Value) -> Part<'a> {
    let shape = node.and_then(|id| schema.node(id)).map_or(&UNKNOWN, |node| &node.shape);
    match (shape, value) {
        (Shape::Struct { atomic: true, .. } | Shape::Map { atomic: true, .. }, _) => Part::Leaf,
        (Shape::Struct { .. } | Shape::Map { .. } | Shape::Any, Value::Map(_)) => Part::Fields(shape),
        (Shape::List { item, kind: ListKind::Keyed(keys) }, Value::List(_)) => Part::Keyed(*item, keys),
        (Shape::List { item, kind: ListKind::Set }, Value::List(_)) => Part::Set(*item),
        _ => Part::Leaf,
    }
}

fn field_node(shape: &Shape, name: &str) -> Option<NodeId> {
    match shape {
        Shape::Struct { fields, .. } => fields.get(name).copied(),
        Shape::Map { value, .. } => Some(*value),
        _ => None,
    }
}

fn is_struct_field(shape: &Shape, name: &str) -> bool {
    matches!(shape, Shape::Struct { fields, .. } if fields.contains_key(name))
}

/// Returns how an item of a keyed list is told apart; absent keys take their schema's default.
fn item_keys(schema: &Schema, item: NodeId, keys: &[String], value: &Value) -> Option<Segment> {
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        let given = value.get(key).filter(|v| !v.is_null()).cloned();
        let default = || {
            let Shape::Struct { fields, .. } = &schema.node(item)?.shape else { return None };
            schema.node(*fields.get(key)?)?.default.clone().map(Value::from)
        };
        if let Some(value) = given.or_else(default) {
            found.push((key.clone(), Scalar(value)));
        }
    }
    found.sort();
    (!found.is_empty()).then_some(Segment::Keys(found))
}

/// A list's items under their segments, in order.
type Items<'v> = Vec<(Segment, &'v Value)>;

/// Returns a list's items under their segments, in order; the first fault if two are the same or lack their keys.
fn items<'v>(
    schema: &Schema,
    item: NodeId,
    keys: Option<&[String]>,
    list: &'v [Value],
    at: &FieldPath,
) -> Result<Items<'v>, Fault> {
    let mut found: Items = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let segment = match keys {
            Some(keys) => item_keys(schema, item, keys, value).ok_or_else(|| Fault {
                path: at.join(Segment::Index(index)),
                what: format!(
                    "associative list with keys has an element that omits key field {:?}",
                    keys.join(", ")
                ),
            })?,
            None => Segment::Item(Scalar(value.clone())),
        };
        if found.iter().any(|(other, _)| other == &segment) {
            return Err(Fault { path: at.clone(), what: format!("duplicate entries for key {segment}") });
        }
        found.push((segment, value));
    }
    Ok(found)
}

fn part_items<'v>(
    schema: &Schema,
    part: &Part,
    list: &'v [Value],
    at: &FieldPath,
) -> Result<(NodeId, Items<'v>), Fault> {
    match part {
        Part::Keyed(item, keys) => Ok((*item, items(schema, *item, Some(keys), list, at)?)),
        Part::Set(item) => Ok((*item, items(schema, *item, None, list, at)?)),
        _ => Ok((NodeId(u32::MAX), Vec::new())),
    }
}

/// Returns the fields that a value sets: what its applier owns.
pub(super) fn fields_of(
    schema: &Schema,
    node: Option<NodeId>,
    value: &Value,
    at: &FieldPath,
) -> Result<FieldSet, Fault> {
    let part = part(schema, node, value);
    let mut set = FieldSet::default();
    match (&part, value) {
        (Part::Fields(shape), Value::Map(fields)) => {
            for (name, value) in fields {
                if let Shape::Struct { fields, preserve_unknown: false, .. } = shape
                    && !fields.contains_key(name)
                    && !fields.is_empty()
                {
                    return Err(Fault {
                        path: at.field(name),
                        what: "field not declared in schema".to_owned(),
                    });
                }
                let mut below = fields_of(schema, field_node(shape, name), value, &at.field(name))?;
                let bare = value.is_null() || value.as_map().is_some_and(Map::is_empty);
                below.owned |= bare || !is_struct_field(shape, name);
                if !sets::is_empty(&below) {
                    set.children.insert(Segment::Field(name.clone()), below);
                }
            }
        }
        (Part::Keyed(..) | Part::Set(_), Value::List(list)) => {
            let (item, items) = part_items(schema, &part, list, at)?;
            for (segment, value) in items {
                let mut below = fields_of(schema, Some(item), value, &at.join(segment.clone()))?;
                below.owned = true;
                set.children.insert(segment, below);
            }
        }
        _ => set.owned = true,
    }
    Ok(set)
}

/// Returns `live` with everything that `applied` sets.
pub(super) fn merge(
    schema: &Schema,
    node: Option<NodeId>,
    live: &Value,
    applied: &Value,
    at: &FieldPath,
) -> Result<Value, Fault> {
    let part = part(schema, node, applied);
    match (&part, live, applied) {
        (Part::Fields(shape), Value::Map(live), Value::Map(applied)) => {
            let mut merged = live.clone();
            for (name, value) in applied {
                let below = match live.get(name) {
                    Some(live) => merge(schema, field_node(shape, name), live, value, &at.field(name))?,
                    None => value.clone(),
                };
                merged.insert(name.clone(), below);
            }
            Ok(Value::Map(merged))
        }
        (Part::Keyed(..) | Part::Set(_), Value::List(live), Value::List(applied)) => {
            let (item, live) = part_items(schema, &part, live, at)?;
            let (_, applied) = part_items(schema, &part, applied, at)?;
            merge_items(schema, item, &live, &applied, at).map(Value::List)
        }
        _ => Ok(applied.clone()),
    }
}

/// Merges two lists: applied items keep their order, live ones that are not applied stay where they stood.
fn merge_items(
    schema: &Schema,
    item: NodeId,
    live: &[(Segment, &Value)],
    applied: &[(Segment, &Value)],
    at: &FieldPath,
) -> Result<Vec<Value>, Fault> {
    let live_of: BTreeMap<&Segment, &Value> = live.iter().map(|(s, v)| (s, *v)).collect();
    let applied_has = |segment: &Segment| applied.iter().any(|(s, _)| s == segment);
    let mut shared = applied.iter().map(|(s, _)| s).filter(|s| live_of.contains_key(s)).peekable();
    let mut merged = Vec::with_capacity(live.len().max(applied.len()));
    let (mut l, mut a) = (0, 0);
    loop {
        match (live.get(l), applied.get(a)) {
            (None, None) => return Ok(merged),
            // A live item that is not applied goes first; a shared one waits for its turn in the applied order.
            (Some((segment, value)), _) if !applied_has(segment) => {
                merged.push((*value).clone());
                l += 1;
            }
            (Some((segment, _)), Some(_)) if shared.peek() != Some(&segment) => l += 1,
            (Some(_), None) => l += 1,
            (_, Some((segment, value))) => {
                merged.push(match live_of.get(segment) {
                    Some(live) => merge(schema, Some(item), live, value, &at.join(segment.clone()))?,
                    None => (*value).clone(),
                });
                a += 1;
                if shared.peek() == Some(&segment) {
                    shared.next();
                }
            }
        }
    }
}

/// What a write changed.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Changes {
    /// Added or with another value.
    pub set: FieldSet,
    pub removed: FieldSet,
}

/// Compares an object before and after a write. What cannot be walked (broken lists) counts as one change.
pub(super) fn compare(schema: &Schema, node: Option<NodeId>, before: &Value, after: &Value) -> Changes {
    let mut changes = Changes::default();
    walk(schema, node, before, after, &mut FieldPath::root(), &mut changes);
    changes
}

fn walk(
    schema: &Schema,
    node: Option<NodeId>,
    before: &Value,
    after: &Value,
    at: &mut FieldPath,
    changes: &mut Changes,
) {
    let part = part(schema, node, after);
    match (&part, before, after) {
        (Part::Fields(shape), Value::Map(before), Value::Map(after)) => {
            for (name, value) in after {
                at.0.push(Segment::Field(name.clone()));
                let below = field_node(shape, name);
                match before.get(name) {
                    Some(before) => walk(schema, below, before, value, at, changes),
                    None => added(schema, below, value, !is_always_there(schema, shape, name), at, changes),
                }
                at.0.pop();
            }
            for (name, value) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
                at.0.push(Segment::Field(name.clone()));
                removed(schema, field_node(shape, name), value, at, changes);
                at.0.pop();
            }
        }
        (Part::Keyed(..) | Part::Set(_), Value::List(old), Value::List(new)) => {
            let (Ok((item, old)), Ok((_, new))) =
                (part_items(schema, &part, old, at), part_items(schema, &part, new, at))
            else {
                if before != after {
                    sets::insert(&mut changes.set, &at.0);
                }
                return;
            };
            for (segment, value) in &new {
                at.0.push(segment.clone());
                match old.iter().find(|(s, _)| s == segment) {
                    Some((_, before)) => walk(schema, Some(item), before, value, at, changes),
                    None => added(schema, Some(item), value, true, at, changes),
                }
                at.0.pop();
            }
            for (segment, value) in old.iter().filter(|(segment, _)| !new.iter().any(|(s, _)| s == segment)) {
                at.0.push(segment.clone());
                removed(schema, Some(item), value, at, changes);
                at.0.pop();
            }
        }
        _ if before == after => {}
        _ => sets::insert(&mut changes.set, &at.0),
    }
}

/// Returns whether Go's type has the field even when nobody set it, so that it is never added (`spec`, `containers`).
fn is_always_there(schema: &Schema, shape: &Shape, name: &str) -> bool {
    let Shape::Struct { fields, required, .. } = shape else { return false };
    let default = fields.get(name).and_then(|id| schema.node(*id)).and_then(|node| node.default.as_ref());
    required.iter().any(|r| r == name)
        || matches!(default, Some(serde_json::Value::Object(o)) if o.is_empty())
        || matches!(name, "metadata" | "spec")
}

fn added(
    schema: &Schema,
    node: Option<NodeId>,
    value: &Value,
    itself: bool,
    at: &mut FieldPath,
    changes: &mut Changes,
) {
    let part = part(schema, node, value);
    let bare = value.as_map().is_some_and(Map::is_empty) || value.as_list().is_some_and(<[Value]>::is_empty);
    match (&part, value) {
        (Part::Fields(shape), Value::Map(fields)) if !bare => {
            if itself {
                sets::insert(&mut changes.set, &at.0);
            }
            for (name, value) in fields {
                at.0.push(Segment::Field(name.clone()));
                let itself = !is_always_there(schema, shape, name);
                added(schema, field_node(shape, name), value, itself, at, changes);
                at.0.pop();
            }
        }
        (Part::Keyed(..) | Part::Set(_), Value::List(list)) if !bare => {
            if itself {
                sets::insert(&mut changes.set, &at.0);
            }
            let Ok((item, items)) = part_items(schema, &part, list, at) else { return };
            for (segment, value) in items {
                at.0.push(segment);
                added(schema, Some(item), value, true, at, changes);
                at.0.pop();
            }
        }
        _ => sets::insert(&mut changes.set, &at.0),
    }
}

fn removed(schema: &Schema, node: Option<NodeId>, value: &Value, at: &mut FieldPath, changes: &mut Changes) {
    sets::insert(&mut changes.removed, &at.0);
    let part = part(schema, node, value);
    match (&part, value) {
        (Part::Fields(shape), Value::Map(fields)) => {
            for (name, value) in fields {
                at.0.push(Segment::Field(name.clone()));
                removed(schema, field_node(shape, name), value, at, changes);
                at.0.pop();
            }
        }
        (Part::Keyed(..) | Part::Set(_), Value::List(list)) => {
            let Ok((item, items)) = part_items(schema, &part, list, at) else { return };
            for (segment, value) in items {
                at.0.push(segment);
                removed(schema, Some(item), value, at, changes);
                at.0.pop();
            }
        }
        _ => {}
    }
}

/// Removes what an applier set before (`last`) and neither it nor anybody else holds any more (`held`).
///
/// A subtree that nobody holds goes whole, with what the server had filled in below it.
pub(super) fn prune(
    schema: &Schema,
    node: Option<NodeId>,
    value: &mut Value,
    last: &FieldSet,
    held: Option<&FieldSet>,
) {
    let part = part(schema, node, value);
    let gone = |segment: &Segment| {
        last.children.contains_key(segment)
            && held.and_then(|h| h.children.get(segment)).is_none_or(sets::is_empty)
    };
    let below = |segment: &Segment| {
        last.children.get(segment).map(|last| (last, held.and_then(|held| held.children.get(segment))))
    };
    match (&part, value) {
        (Part::Fields(shape), Value::Map(fields)) => {
            fields.retain(|name, _| !gone(&Segment::Field(name.clone())));
            for (name, value) in fields {
                if let Some((last, held)) = below(&Segment::Field(name.clone())) {
                    prune(schema, field_node(shape, name), value, last, held);
                }
            }
        }
        (Part::Keyed(item, keys), Value::List(list)) => {
            list.retain(|value| item_keys(schema, *item, keys, value).is_none_or(|segment| !gone(&segment)));
            for value in list {
                let Some((last, held)) = item_keys(schema, *item, keys, value).and_then(|s| below(&s)) else {
                    continue;
                };
                prune(schema, Some(*item), value, last, held);
            }
        }
        (Part::Set(_), Value::List(list)) => {
            list.retain(|value| !gone(&Segment::Item(Scalar(value.clone()))));
        }
        _ => {}
    }
}
