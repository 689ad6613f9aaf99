//! Defines how a live object is compared with the object that Git renders to.

use super::ownership::Ownership;
use super::types::Types;
use super::walk::Walk;
use super::{Context, Scales};
use crate::model::{BuiltIn, FieldChange, LiveObject, Manifest, Map, Value};
use std::borrow::Cow;

/// What a comparison came to.
pub(super) struct Compared {
    /// Sorted by the bytes of the printed path.
    pub changes: Vec<FieldChange>,
    pub needs_exact: Option<String>,
}

/// Compares two objects.
pub(super) fn compare(
    types: Types<'_>,
    desired: &Manifest,
    live: &LiveObject,
    context: &Context<'_>,
) -> Compared {
    let ownership = Ownership::of(live, desired, context);
    let body = canonical_desired(desired, Some(live));
    let none = Map::new();
    let scales = context.autoscaled.scales(live);
    let scales = if context.rules.holds(BuiltIn::ActiveAutoscaler) { scales } else { Scales::default() };
    let mut walk = Walk::new(types, &ownership, desired, scales);
    if !types.known() {
        walk.note_exact(format!("the schema of {} is not known", desired.kind.group_kind()));
    } else if live.kind.version != desired.kind.version {
        walk.note_exact(format!("live was read as {}", live.kind.api_version()));
    }
    walk.objects(body.as_map().unwrap_or(&none), live.body.as_map().unwrap_or(&none));
    let Walk { mut changes, needs_exact, .. } = walk;
    changes.sort_by_cached_key(|change| change.path.to_string());
    Compared { changes, needs_exact }
}

/// Returns what Git declares in the form in which the API server keeps it: a Secret's `stringData` is folded into `data`, and
/// a LimitRange's defaults follow from its limits.
///
/// A live object that has `stringData` of its own comes from no API server; its keys are then compared where they are.
pub fn canonical_desired<'m>(desired: &'m Manifest, live: Option<&LiveObject>) -> Cow<'m, Value> {
    let kept = match (desired.kind.group.as_str(), desired.kind.kind.as_str()) {
        ("", "Secret") => fold_string_data(&desired.body, live),
        ("", "LimitRange") => complete_limits(&desired.body),
        _ => None,
    };
    kept.map_or(Cow::Borrowed(&desired.body), Cow::Owned)
}

fn fold_string_data(body: &Value, live: Option<&LiveObject>) -> Option<Value> {
    let text = body.get("stringData")?.as_map()?;
    let kept = live.and_then(|l| l.body.get("stringData")).and_then(Value::as_map);
    let mut object = body.as_map()?.clone();
    let mut data = object.remove("data").and_then(|d| if let Value::Map(m) = d { Some(m) } else { None });
    let mut rest = Map::new();
    for (key, value) in text {
        if kept.is_some_and(|k| k.contains_key(key)) {
            rest.insert(key.clone(), value.clone());
        } else {
            data.get_or_insert_default().insert(key.clone(), value.clone());
        }
    }
    object.remove("stringData");
    if let Some(data) = data {
        object.insert("data".to_owned(), Value::Map(data));
    }
    if !rest.is_empty() {
        object.insert("stringData".to_owned(), Value::Map(rest));
    }
    Some(Value::Map(object))
}

/// Fills in what containers get by default where a limit says it: `default` from `max`, `defaultRequest` from `default` and
/// `min`, for each resource that they lack.
///
/// Source: kubernetes, `SetDefaults_LimitRangeItem`.
fn complete_limits(body: &Value) -> Option<Value> {
    let mut object = body.clone();
    let Some(Value::List(limits)) = object
        .as_map_mut()?
        .get_mut("spec")
        .and_then(Value::as_map_mut)
        .and_then(|spec| spec.get_mut("limits"))
    else {
        return None;
    };
    for limit in limits.iter_mut().filter_map(Value::as_map_mut) {
        if limit.get("type").and_then(Value::as_str) != Some("Container") {
            continue;
        }
        for (name, from) in [("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")] {
            let Some(from) = limit.get(from).and_then(Value::as_map).cloned() else { continue };
            let mut filled = limit.get(name).and_then(Value::as_map).cloned().unwrap_or_default();
            for (resource, amount) in &from {
                filled.entry(resource.clone()).or_insert_with(|| amount.clone());
            }
            limit.insert(name.to_owned(), Value::Map(filled));
        }
    }
    Some(object)
}
