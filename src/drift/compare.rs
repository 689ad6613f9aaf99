//! Defines how a live object is compared with the object that Git renders to.

use super::Context;
use crate::model::{Cause, Class, FieldChange, FieldPath, LiveObject, Manifest, Value};

/// Compares two objects and returns what differs, sorted by the bytes of the printed path.
pub fn compare(desired: &Manifest, live: &LiveObject, _context: &Context<'_>) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    for field in ["metadata", "spec", "data", "stringData"] {
        let at = FieldPath::fields(&[field]);
        if let Some(declared) = desired.body.get(field) {
            walk(declared, live.body.get(field), &at, desired, &mut changes);
        }
    }
    changes.sort_by_cached_key(|c: &FieldChange| c.path.to_string());
    changes
}

fn walk(
    declared: &Value,
    live: Option<&Value>,
    at: &FieldPath,
    manifest: &Manifest,
    changes: &mut Vec<FieldChange>,
) {
    match (declared, live) {
        (Value::Map(fields), Some(Value::Map(held))) => {
            for (name, value) in fields {
                walk(value, held.get(name), &at.field(name), manifest, changes);
            }
        }
        (declared, Some(live)) if declared == live => {}
        (declared, None) if declared.is_empty() => {}
        (declared, live) => changes.push(FieldChange {
            path: at.clone(),
            class: if live.is_some() { Class::Changed } else { Class::Deleted },
            counts: true,
            cause: Cause::Unknown,
            desired: Some(declared.clone()),
            live: live.cloned(),
            writer: None,
            origin: Some(manifest.origin.clone()),
            declared: None,
            note: None,
        }),
    }
}
