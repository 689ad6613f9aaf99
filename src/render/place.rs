//! Defines where in a file a value is set, so that it is found again in another version of the file.

use super::setting::literal_of;
use crate::model::{FieldPath, Segment, Value};

/// Where in its document a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The document is the object, or a patch that names it: the value stands at the field's own path.
    Own,
    /// The document is a kustomization, a list of patch operations, a patch without a name, or a chart's values.
    At {
        /// Items of lists are named by what they say, not by where they stand.
        path: FieldPath,
        /// What is at the path is a list of `key=value`, and this is the key.
        literal: Option<String>,
    },
}

/// Several values could be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unclear;

/// Returns the value that a path leads to in a document, if one alone can be meant; of a list of `key=value`, the value of
/// the key `literal`.
///
/// An item by its position stands for the only one in which the rest of the path can be followed.
pub fn find(document: &Value, path: &FieldPath, literal: Option<&str>) -> Result<Option<Value>, Unclear> {
    let Some(found) = follow(document, &path.0)? else { return Ok(None) };
    let Some(key) = literal else { return Ok(Some(found.clone())) };
    let lines = found.as_list().unwrap_or_default().iter().filter_map(Value::as_str);
    let values = lines.filter_map(literal_of).filter(|(found, _)| *found == key);
    Ok(only(values.map(|(_, value)| Ok(Some(value))))?.map(Value::string))
}

fn follow<'v>(value: &'v Value, path: &[Segment]) -> Result<Option<&'v Value>, Unclear> {
    let Some((segment, rest)) = path.split_first() else { return Ok(Some(value)) };
    let items = value.as_list().unwrap_or_default().iter();
    match segment {
        Segment::Field(name) => value.get(name).map_or(Ok(None), |field| follow(field, rest)),
        Segment::Index(_) => only(items.map(|item| follow(item, rest))),
        Segment::Item(wanted) => only(items.filter(|item| **item == wanted.0).map(|item| follow(item, rest))),
        Segment::Keys(keys) => {
            let is_it = |item: &&Value| keys.iter().all(|(key, wanted)| item.get(key) == Some(&wanted.0));
            let item = only(items.filter(is_it).map(|item| Ok(Some(item))))?;
            item.map_or(Ok(None), |item| follow(item, rest))
        }
    }
}

/// Returns the one that was found.
fn only<T>(all: impl Iterator<Item = Result<Option<T>, Unclear>>) -> Result<Option<T>, Unclear> {
    let mut one = None;
    for found in all {
        if let Some(found) = found?
            && one.replace(found).is_some()
        {
            return Err(Unclear);
        }
    }
    Ok(one)
}
