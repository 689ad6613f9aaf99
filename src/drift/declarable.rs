//! Defines what of a live object a person would declare: everything but what the server and the deployers keep, and what the
//! server fills in by itself.

use super::bookkeeping::{is_server_finalizer, is_server_owned, is_tracking};
use super::types::{Field, Structure, Typed, Types};
use crate::model::value::Map;
use crate::model::{LiveObject, Schema, Value};

/// Returns a live object as a manifest would declare it. It may still hold sealed values.
pub fn declarable(live: &LiveObject, schema: &Schema) -> Value {
    let types = Types::of(schema, &live.kind);
    let none = Map::new();
    let body = live.body.as_map().unwrap_or(&none);
    let mut kept = Map::new();
    for (name, value) in body {
        match name.as_str() {
            "status" => {}
            "metadata" => drop(kept.insert(name.clone(), metadata(value))),
            "apiVersion" | "kind" => drop(kept.insert(name.clone(), value.clone())),
            _ => {
                let field = types.field(types.root, name);
                if !is_the_servers(&types, &field, value, body) {
                    kept.insert(name.clone(), below(&types, field.typed, value));
                }
            }
        }
    }
    Value::Map(kept)
}

/// Returns the metadata that people write.
fn metadata(value: &Value) -> Value {
    let none = Map::new();
    let mut kept = Map::new();
    for (name, value) in value.as_map().unwrap_or(&none) {
        let value = match name.as_str() {
            "name" | "namespace" | "generateName" => value.clone(),
            "labels" | "annotations" => {
                let marks = value.as_map().unwrap_or(&none).iter();
                let marks =
                    marks.filter(|(key, value)| !is_server_owned(key) && !is_tracking(key, value.as_str()));
                Value::Map(marks.map(|(key, value)| (key.clone(), value.clone())).collect())
            }
            "finalizers" => {
                let names = value.as_list().unwrap_or_default().iter();
                let names = names.filter(|name| !name.as_str().is_some_and(is_server_finalizer));
                Value::List(names.cloned().collect())
            }
            _ => continue,
        };
        if !value.is_empty() {
            kept.insert(name.clone(), value);
        }
    }
    Value::Map(kept)
}

/// Returns whether the server gave a field its value.
fn is_the_servers<'a>(types: &Types<'a>, field: &Field<'a>, value: &'a Value, beside: &'a Map) -> bool {
    // A Service without an address of its own asks for none.
    let is_headless = field.name == "clusterIP" && value.as_str() == Some("None");
    !is_headless && !field.chosen && (field.is_allocated() || types.is_filled_in(field, value, beside, true))
}

fn below<'a>(types: &Types<'a>, typed: Typed<'a>, value: &'a Value) -> Value {
    match value {
        Value::Map(fields) if !matches!(typed.structure(), Structure::Plain) => {
            let kept = fields.iter().filter_map(|(name, value)| {
                let field = types.field(typed, name);
                let is_servers = is_the_servers(types, &field, value, fields);
                (!is_servers).then(|| (name.clone(), below(types, field.typed, value)))
            });
            Value::Map(kept.collect())
        }
        Value::List(items) => {
            Value::List(items.iter().map(|item| below(types, types.item(typed), item)).collect())
        }
        other => other.clone(),
    }
}
