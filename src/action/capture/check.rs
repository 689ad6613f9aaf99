//! Defines what counts as captured: the edited files render to the live value at the field, and all else stays as it was.
//!
//! Two things may come along, and are told: the hash in the name of what a generator makes, with everything that refers to
//! it, and annotations that a chart gives to pods so that they start anew when a configuration changes.

use crate::model::field_path::FieldPath;
use crate::model::value::Map;
use crate::model::{Manifest, ResourceId, Value, field};
use crate::render::Rendered;
use std::collections::{BTreeMap, HashMap};

/// What is to be different, and nothing else.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Goal {
    Field { id: ResourceId, path: FieldPath, live: Option<Value> },
    New { id: ResourceId },
    Gone { id: ResourceId },
}

/// What a rendering is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Judged {
    /// As wanted; `id`: the object's identity afterwards.
    Right {
        also: Vec<String>,
        id: ResourceId,
    },
    Wrong(String),
}

/// Returns why a rendering leaves something out.
pub(super) fn why_incomplete(rendered: &Rendered) -> String {
    let worst = rendered.notices.iter().min_by_key(|notice| notice.level);
    worst.map_or_else(|| "it does not say why".to_owned(), |notice| notice.title.clone())
}

/// Compares two renderings with what is wanted.
pub(super) fn judge(before: &Rendered, after: &Rendered, goal: &Goal) -> Judged {
    if !after.complete {
        return Judged::Wrong(why_incomplete(after));
    }
    let by_id = |rendered: &'_ Rendered| -> HashMap<ResourceId, Manifest> {
        rendered.manifests.iter().map(|manifest| (manifest.id.clone(), manifest.clone())).collect()
    };
    let (was, mut is) = (by_id(before), by_id(after));
    let mut gone: Vec<ResourceId> = was.keys().filter(|id| !is.contains_key(id)).cloned().collect();
    let mut new: Vec<ResourceId> = is.keys().filter(|id| !was.contains_key(id)).cloned().collect();
    gone.sort();
    new.sort();
    let mut also = Vec::new();
    let mut now = match goal {
        Goal::Field { id, .. } | Goal::New { id } | Goal::Gone { id } => id.clone(),
    };
    // What only got another hash is the same object.
    let mut renamed = BTreeMap::new();
    gone.retain(|old| {
        let Some(at) = new.iter().position(|new| is_renamed(old, new)) else { return true };
        let found = new.remove(at);
        if *old == now {
            now = found.clone();
        }
        if let (Some(old), Some(new)) = (&old.name, &found.name) {
            renamed.insert(new.clone(), old.clone());
            also.push(format!("the name's hash follows: {old} becomes {new} at the next sync"));
        }
        if let Some(manifest) = is.remove(&found) {
            is.insert(old.clone(), manifest);
        }
        false
    });
    let (may_go, may_come) = match goal {
        Goal::Field { .. } => (None, None),
        Goal::New { id } => (None, Some(id)),
        Goal::Gone { id } => (Some(id), None),
    };
    if let Some(other) = gone.iter().find(|id| Some(*id) != may_go) {
        return Judged::Wrong(format!("{other} would go"));
    }
    if let Some(other) = new.iter().find(|id| Some(*id) != may_come) {
        return Judged::Wrong(format!("{other} would come"));
    }
    if (may_go.is_some() && gone.is_empty()) || (may_come.is_some() && new.is_empty()) {
        return Judged::Wrong("nothing changes".to_owned());
    }
    let mut ids: Vec<&ResourceId> = was.keys().filter(|id| is.contains_key(*id)).collect();
    ids.sort();
    for id in ids {
        let (Some(old), Some(new)) = (was.get(id), is.get(id)) else { continue };
        let mut body = new.body.clone();
        if !renamed.is_empty() {
            rename(&mut body, &renamed);
        }
        let wanted = match goal {
            Goal::Field { id: of, path, live } if of == id => Some((path, live)),
            _ => None,
        };
        match wanted {
            None if body == old.body => {}
            None if without_checksums(&body) == without_checksums(&old.body) => {
                also.push(format!("the checksums of {id} follow: its pods start anew at the next sync"));
            }
            None => return Judged::Wrong(format!("{id} would change too")),
            Some((path, live)) => {
                if field::at(&new.body, path) != live.as_ref() {
                    return Judged::Wrong("the field would not be as the cluster has it".to_owned());
                }
                if without_checksums(&without(&body, path)) != without_checksums(&without(&old.body, path)) {
                    return Judged::Wrong(format!("more of {id} would change"));
                }
            }
        }
    }
    Judged::Right { also, id: now }
}

/// Returns whether two names differ in the hash alone that kustomize puts at the end: ten letters and digits.
fn is_renamed(old: &ResourceId, new: &ResourceId) -> bool {
    let stem = |name: &Option<String>| -> Option<String> {
        let (stem, hash) = name.as_deref()?.rsplit_once('-')?;
        let is_hash = hash.len() == 10 && hash.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        is_hash.then(|| stem.to_owned())
    };
    let is_generated = old.kind.group.is_empty() && matches!(&*old.kind.kind, "ConfigMap" | "Secret");
    let (old_stem, new_stem) = (stem(&old.name), stem(&new.name));
    is_generated
        && old.kind == new.kind
        && old.namespace == new.namespace
        && old_stem.is_some()
        && old_stem == new_stem
}

/// Puts old names where new ones stand.
fn rename(value: &mut Value, renamed: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(old) = renamed.get(text) {
                text.clone_from(old);
            }
        }
        Value::List(items) => items.iter_mut().for_each(|item| rename(item, renamed)),
        Value::Map(fields) => fields.iter_mut().for_each(|(_, field)| rename(field, renamed)),
        _ => {}
    }
}

/// Returns a body without what is at a path, and without the maps and lists that are empty then.
fn without(body: &Value, path: &FieldPath) -> Value {
    let mut body = body.clone();
    field::take_out(&mut body, path);
    let mut above = path.parent();
    while let Some(at) = above.filter(|at| !at.is_root()) {
        match field::at(&body, &at) {
            Some(found) if found.is_empty() => field::take_out(&mut body, &at),
            None => {}
            Some(_) => break,
        }
        above = at.parent();
    }
    body
}

/// Returns a body without the annotations by which charts start pods anew.
fn without_checksums(value: &Value) -> Value {
    match value {
        Value::Map(fields) => {
            let kept = fields.iter().map(|(name, field)| match field {
                Value::Map(annotations) if name == "annotations" => {
                    let kept = annotations.iter().filter(|(key, _)| !key.starts_with("checksum/"));
                    let kept: Map = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
                    (name.clone(), Value::Map(kept))
                }
                field => (name.clone(), without_checksums(field)),
            });
            Value::Map(kept.collect())
        }
        Value::List(items) => Value::List(items.iter().map(without_checksums).collect()),
        other => other.clone(),
    }
}
