//! Changes one leaf of an object, and knows at which paths that may be reported.

use driftdeck::model::{FieldPath, Number, Value};

/// One step of a leaf's place in the raw document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    Field(String),
    Item(usize),
}

/// Returns the places of all leaves: scalars, and empty lists and maps.
pub fn leaves(value: &Value) -> Vec<Vec<Raw>> {
    fn walk(value: &Value, at: &mut Vec<Raw>, found: &mut Vec<Vec<Raw>>) {
        match value {
            Value::Map(fields) => {
                for (name, below) in fields {
                    at.push(Raw::Field(name.clone()));
                    walk(below, at, found);
                    at.pop();
                }
            }
            Value::List(items) => {
                for (index, below) in items.iter().enumerate() {
                    at.push(Raw::Item(index));
                    walk(below, at, found);
                    at.pop();
                }
            }
            _ => found.push(at.clone()),
        }
    }
    let mut found = Vec::new();
    walk(value, &mut Vec::new(), &mut found);
    found
}

/// Returns the value at a place.
pub fn at<'v>(value: &'v Value, place: &[Raw]) -> Option<&'v Value> {
    place.iter().try_fold(value, |value, step| match step {
        Raw::Field(name) => value.get(name),
        Raw::Item(index) => value.as_list()?.get(*index),
    })
}

/// Returns the object with the leaf at a place changed to another value of its type; `None` for nulls.
pub fn changed(value: &Value, place: &[Raw]) -> Option<Value> {
    let mut copy = value.clone();
    let mut slot = &mut copy;
    for step in place {
        slot = match (step, slot) {
            (Raw::Field(name), Value::Map(fields)) => fields.get_mut(name)?,
            (Raw::Item(index), Value::List(items)) => items.get_mut(*index)?,
            _ => return None,
        };
    }
    *slot = other(slot)?;
    Some(copy)
}

/// Returns the object without the leaf at a place.
pub fn without(value: &Value, place: &[Raw]) -> Option<Value> {
    let mut copy = value.clone();
    let (last, above) = place.split_last()?;
    let mut slot = &mut copy;
    for step in above {
        slot = match (step, slot) {
            (Raw::Field(name), Value::Map(fields)) => fields.get_mut(name)?,
            (Raw::Item(index), Value::List(items)) => items.get_mut(*index)?,
            _ => return None,
        };
    }
    match (last, slot) {
        (Raw::Field(name), Value::Map(fields)) => drop(fields.remove(name)?),
        (Raw::Item(index), Value::List(items)) => drop(items.remove(*index)),
        _ => return None,
    }
    Some(copy)
}

fn other(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Bool(b) => Value::Bool(!b),
        Value::Number(Number::Float(x)) => Value::Number(Number::Float(x + 1.0)),
        Value::Number(n) => Value::int(n.as_i64()? + 1),
        Value::String(s) => Value::String(other_text(s)),
        _ => return None,
    })
}

/// Keeps the form of what has one: a changed time is a time, a changed quantity a quantity, changed bytes are bytes.
fn other_text(text: &str) -> String {
    if text.parse::<driftdeck::model::Timestamp>().is_ok() {
        return text.replacen('0', "1", 1);
    }
    if text.ends_with('=') {
        return format!("AAAA{text}");
    }
    match text.as_bytes().first() {
        Some(b'0'..=b'8') => format!("9{text}"),
        _ => format!("{text}x"),
    }
}

/// Returns whether a reported path is the leaf's place, or the list or map that holds it and is compared as a whole.
pub fn covers(reported: &FieldPath, place: &[Raw], object: &Value) -> bool {
    let mut value = object;
    for (segment, step) in reported.0.iter().zip(place) {
        let fits = match (segment, step) {
            (driftdeck::model::Segment::Field(a), Raw::Field(b)) => a == b,
            (driftdeck::model::Segment::Field(_), Raw::Item(_)) => false,
            (_, Raw::Item(_)) => true,
            _ => false,
        };
        if !fits {
            return false;
        }
        let next = match step {
            Raw::Field(name) => value.get(name),
            Raw::Item(index) => value.as_list().and_then(|l| l.get(*index)),
        };
        match next {
            Some(next) => value = next,
            None => return false,
        }
    }
    reported.0.len() <= place.len()
}
