//! Fills in defaults and drops what the server would not keep.

use crate::model::schema::{NodeId, Shape};
use crate::model::{Schema, Value};

/// Brings an object into the form in which a server keeps it: unknown fields of known structs and nulls dropped,
/// published defaults filled in.
///
/// Of the published defaults, empty ones are left out: they only say that Go's type has no "absent".
pub(super) fn settle(schema: &Schema, node: Option<NodeId>, value: &mut Value) {
    let Some(shape) = node.and_then(|id| schema.node(id)).map(|node| &node.shape) else { return };
    match (shape, value) {
        (Shape::Struct { fields, preserve_unknown, .. }, Value::Map(map)) => {
            map.retain(|name, value| match fields.get(name).and_then(|id| schema.node(*id)) {
                Some(node) => node.nullable || !value.is_null(),
                None => *preserve_unknown || fields.is_empty() || is_type_meta(name),
            });
            for (name, id) in fields {
                if let Some(value) = map.get_mut(name) {
                    settle(schema, Some(*id), value);
                } else if let Some(default) = schema.node(*id).and_then(|node| node.default.clone()) {
                    let mut default = Value::from(default);
                    if !is_zero(&default) {
                        settle(schema, Some(*id), &mut default);
                        map.insert(name.clone(), default);
                    }
                }
            }
        }
        (Shape::Map { value, .. }, Value::Map(map)) => {
            for (_, below) in map.iter_mut() {
                settle(schema, Some(*value), below);
            }
        }
        (Shape::List { item, .. }, Value::List(list)) => {
            for below in list {
                settle(schema, Some(*item), below);
            }
        }
        _ => {}
    }
}

fn is_type_meta(name: &str) -> bool {
    matches!(name, "apiVersion" | "kind" | "metadata")
}

fn is_zero(value: &Value) -> bool {
    value.is_empty() || value.as_bool() == Some(false) || value.as_i64() == Some(0)
}
