//! Makes the two texts that the unified and the side-by-side view compare.
//!
//! A textual diff of what Git says and what the cluster holds would drown the drift in defaults. So the desired text is
//! the live object with every reported change put back to what Git declares: the two differ exactly where the verdict
//! says that they do. Secret values are fingerprints in both.

use crate::drift;
use crate::model::field_path::{FieldPath, Scalar, Segment};
use crate::model::sealed::LAST_APPLIED;
use crate::model::{FieldChange, Map, TextDiff, Value};
use crate::pipeline::run::Inspected;
use crate::text::{redact, yaml};

/// The texts of one object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Texts {
    pub desired: String,
    pub live: String,
}

impl Texts {
    /// Compares the texts line by line, and within lines that correspond word by word.
    pub fn diff(&self) -> TextDiff {
        drift::text_diff(&self.desired, &self.live)
    }
}

/// Returns the texts of an object; the side that does not exist is empty.
pub fn texts(inspected: &Inspected) -> Texts {
    let object = inspected.status.id.to_string();
    let print = |body: &Value| yaml::write(&redact::value(body, &object, &FieldPath::root()));
    let desired = inspected.desired.as_deref().map(|d| &d.body);
    match (desired, &inspected.live) {
        (None, None) => Texts::default(),
        (Some(desired), None) => Texts { desired: print(desired), live: String::new() },
        (None, Some(live)) => Texts { desired: String::new(), live: print(&readable(&live.body)) },
        (Some(_), Some(live)) => {
            let live = readable(&live.body);
            let mut declared = live.clone();
            for change in &inspected.status.judgement.changes {
                put_back(&mut declared, change);
            }
            Texts { desired: print(&declared), live: print(&live) }
        }
    }
}

/// Returns a live object without what the server keeps for itself.
fn readable(body: &Value) -> Value {
    let mut body = body.clone();
    let Some(object) = body.as_map_mut() else { return body };
    object.remove("status");
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_map_mut) {
        for field in ["uid", "resourceVersion", "generation", "creationTimestamp", "selfLink"] {
            metadata.remove(field);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_map_mut) {
            annotations.remove(LAST_APPLIED);
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }
    body
}

/// Makes a value at a change's path what Git declares.
fn put_back(body: &mut Value, change: &FieldChange) {
    let Some((last, way)) = change.path.0.split_last() else {
        *body = change.desired.clone().unwrap_or_default();
        return;
    };
    let Some(parent) = way.iter().try_fold(body, step) else { return };
    match (last, &change.desired) {
        (Segment::Field(name), Some(value)) => {
            if parent.is_null() {
                *parent = Value::Map(Map::new());
            }
            if let Some(map) = parent.as_map_mut() {
                map.insert(name.clone(), value.clone());
            }
        }
        (Segment::Field(name), None) => {
            if let Some(map) = parent.as_map_mut() {
                map.remove(name);
            }
        }
        (segment, desired) => {
            if parent.is_null() {
                *parent = Value::List(Vec::new());
            }
            let Value::List(items) = parent else { return };
            match (position(items, segment), desired) {
                (Some(at), Some(value)) => {
                    if let Some(item) = items.get_mut(at) {
                        *item = value.clone();
                    }
                }
                (Some(at), None) => {
                    items.remove(at);
                }
                (None, Some(value)) => items.push(value.clone()),
                (None, None) => {}
            }
        }
    }
}

fn step<'a>(value: &'a mut Value, segment: &Segment) -> Option<&'a mut Value> {
    match (segment, value) {
        (Segment::Field(name), Value::Map(map)) => Some(map.entry(name.clone()).or_default()),
        (segment, Value::List(items)) => {
            let at = position(items, segment)?;
            items.get_mut(at)
        }
        _ => None,
    }
}

fn position(items: &[Value], segment: &Segment) -> Option<usize> {
    match segment {
        Segment::Index(at) => (*at < items.len()).then_some(*at),
        Segment::Item(value) => items.iter().position(|item| Scalar(item.clone()) == *value),
        Segment::Keys(keys) => items.iter().position(|item| {
            // A key that the item leaves out is the schema's default, which the path spells out.
            keys.iter().all(|(key, value)| item.get(key).is_none_or(|v| Scalar(v.clone()) == *value))
        }),
        Segment::Field(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Class;
    use crate::value;

    fn change(path: &str, desired: Option<Value>) -> FieldChange {
        FieldChange { desired, ..FieldChange::new(FieldPath::parse(path).unwrap(), Class::Changed) }
    }

    #[test]
    fn changes_are_put_back_at_exactly_their_paths() {
        let mut body =
            value!({"spec": {"replicas": 3, "ports": [{"port": 80}, {"port": 81}], "set": ["a", "b"]}});
        put_back(&mut body, &change(".spec.replicas", Some(value!(2))));
        put_back(&mut body, &change(".spec.ports[port=81]", None));
        put_back(&mut body, &change(".spec.ports[port=82]", Some(value!({"port": 82}))));
        put_back(&mut body, &change(".spec.ports[port=80].name", Some(value!("http"))));
        put_back(&mut body, &change(r#".spec.set[="b"]"#, None));
        put_back(&mut body, &change(".spec.paused", Some(value!(true))));
        assert_eq!(
            body,
            value!({"spec": {"replicas": 2, "paused": true, "set": ["a"],
                "ports": [{"port": 80, "name": "http"}, {"port": 82}]}})
        );
    }
}
