//! Defines how values in the text of a YAML or JSON file are changed, while everything else of the text stays as it is:
//! comments, order, quotes, anchors, indentation, line ends, the byte order mark, other documents, a missing final newline.
//!
//! An edit is carried out in steps, each of which replaces, adds or removes one value where the reader found it (see
//! [`find`]). After each step the whole file is read again: the document must hold exactly the wanted value, and every
//! other document what it held before. What cannot be written so is refused, and the text is left alone.
//!
//! `yamlpatch`, which does the like for workflow files, was looked at in its version 1.25: it reads with a parser and
//! scalars of its own (YAML 1.2, where kubectl has 1.1), takes no flow lists, refuses flow maps over several lines, knows one
//! document to a file and no carriage returns, adds at the end only, and needs a C compiler.

mod block;
mod blocks;
mod error;
mod find;
mod flow;
mod piece;
mod scalar;
mod shape;
#[cfg(test)]
mod tests;

pub use error::{EditFault, EditRefused};

use super::read_documents;
use crate::model::field_path::{FieldPath, Segment};
use crate::model::value::Map;
use crate::model::{Value, limits};
use find::{Act, Op, Step};
use piece::Piece;
use std::borrow::Cow;

/// Steps that one edit may take: each reads the file anew.
const STEPS: usize = 2_000;

/// One change of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// What is changed. Items of lists are named by their keys or their value where they have some; an item that is not
    /// there is added by [`Change::Set`], as is one at the position behind the last.
    pub path: FieldPath,
    pub change: Change,
    /// What a new field or item comes directly after: the first of these that is there. Without any, a field goes where
    /// the order of names puts it if those that are there are in that order, and everything else to the end.
    pub after: Vec<Segment>,
}

/// What is done at a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The path holds this value; of a map or list, only what differs is touched.
    Set(Value),
    /// Nothing stands at the path. What is not there needs no removing.
    Remove,
}

impl Edit {
    pub fn set(path: FieldPath, value: Value) -> Self {
        Self { path, change: Change::Set(value), after: Vec::new() }
    }

    pub fn remove(path: FieldPath) -> Self {
        Self { path, change: Change::Remove, after: Vec::new() }
    }

    #[must_use]
    pub fn after(self, after: Vec<Segment>) -> Self {
        Self { after, ..self }
    }
}

/// Returns a file's text with a document changed, the document being counted as the reader counts it.
///
/// Errors: the first edit that cannot be carried out, with the reason; none is carried out then.
pub fn edit(text: &[u8], document: usize, edits: &[Edit]) -> Result<Vec<u8>, EditRefused> {
    let mut now = text.to_vec();
    for edit in edits {
        now = carried_out(now, document, edit)?;
    }
    Ok(now)
}

/// Returns a file's text without one of its documents, the line that separates it included.
///
/// Errors: there is no such document, or the rest would be read differently without it.
pub fn remove_document(text: &[u8], document: usize) -> Result<Vec<u8>, EditRefused> {
    let kept = |text: &[u8]| -> Vec<Value> {
        let documents = read_documents(text).into_iter().flatten();
        documents.map(|document| document.value).collect()
    };
    let wanted: Vec<Value> = read_documents(text)
        .into_iter()
        .flatten()
        .filter(|read| read.index != document)
        .map(|read| read.value)
        .collect();
    let piece = Piece::find(text, document)?;
    for lines in piece.whole(text) {
        let (before, behind) = (text.get(..lines.start), text.get(lines.end..));
        let without = [before.unwrap_or_default(), behind.unwrap_or_default()].concat();
        if kept(&without) == wanted && read_documents(&without).iter().all(Result::is_ok) {
            return Ok(without);
        }
    }
    Err(piece.refused(piece.first_line, EditFault::NotAsWanted))
}

/// Returns a value as the lines of a new document, in the order that people know: `apiVersion`, `kind`, `metadata` first.
///
/// `like`: the text of a file whose indentation is followed.
pub fn document(value: &Value, like: Option<&[u8]>) -> String {
    let shape = like.and_then(|text| Piece::find(text, 0).ok()).map(|piece| piece.shape());
    let written = blocks::document(value, shape.unwrap_or_default(), scalar::Attempt::Kept);
    let reads_back = |text: &str| {
        let read = read_documents(text.as_bytes());
        matches!(read.as_slice(), [Ok(document)] if document.value == *value)
    };
    if reads_back(&written) { written } else { super::write(value) }
}

fn carried_out(mut text: Vec<u8>, document: usize, edit: &Edit) -> Result<Vec<u8>, EditRefused> {
    let mut edit = Cow::Borrowed(edit);
    for _ in 0..STEPS {
        let piece = Piece::find(&text, document)?;
        let Some((op, target)) = find::next(&piece, &edit)? else { return Ok(text) };
        text = step(&text, document, &piece, &op)?;
        match target {
            // What names the value may change with it.
            Some(positions) if positions != edit.path => edit.to_mut().path = positions,
            Some(_) => {}
            None => return Ok(text),
        }
        if text.len() as u64 > limits::FILE_BYTES {
            return Err(piece.refused(op.line, EditFault::TooLarge));
        }
    }
    Err(EditRefused { line: None, fault: EditFault::TooManySteps })
}

/// Carries out one step in the first of the ways of writing its value that reads back as it should.
fn step(text: &[u8], document: usize, piece: &Piece, op: &Op) -> Result<Vec<u8>, EditRefused> {
    let refused = |fault| piece.refused(op.line, fault);
    let before = read_documents(text);
    let mut wanted = Vec::with_capacity(before.len());
    for read in before {
        wanted.push(match read {
            Ok(read) if read.index == document => Ok((
                read.index,
                changed(read.value, &op.steps, &op.act).ok_or_else(|| refused(EditFault::NotAsWanted))?,
            )),
            Ok(read) => Ok((read.index, read.value)),
            Err(error) => Err((error.index, error.fault)),
        });
    }
    for attempt in scalar::ATTEMPTS {
        let cuts = block::cuts(piece, op, attempt).map_err(refused)?;
        let cuts = piece.trimmed(cuts);
        if piece.touches_template(&cuts) {
            return Err(refused(EditFault::Templated));
        }
        let after = piece.spliced(text, &cuts);
        let read: Vec<_> = read_documents(&after)
            .into_iter()
            .map(|read| match read {
                Ok(read) => Ok((read.index, read.value)),
                Err(error) => Err((error.index, error.fault)),
            })
            .collect();
        if read == wanted {
            return Ok(after);
        }
    }
    Err(refused(EditFault::NotAsWanted))
}

/// Returns a document's value as it is after a step.
fn changed(mut value: Value, steps: &[Step], act: &Act) -> Option<Value> {
    if let Some((step, rest)) = steps.split_first() {
        let below = match (step, &mut value) {
            (Step::Field(name), Value::Map(fields)) => fields.get_mut(name.as_str())?,
            (Step::Item(at), Value::List(items)) => items.get_mut(*at)?,
            _ => return None,
        };
        *below = changed(std::mem::take(below), rest, act)?;
        return Some(value);
    }
    match (act, &mut value) {
        (Act::Replace { value: new, .. }, _) => return Some(new.clone()),
        (Act::RemoveEntry { name, .. }, Value::Map(fields)) => drop(fields.remove(name.as_str())?),
        (Act::InsertKey { key, value: new, .. }, Value::Map(fields)) => {
            drop(fields.insert(key.clone(), new.clone()));
        }
        (Act::RemoveItem { at, .. }, Value::List(items)) if *at < items.len() => drop(items.remove(*at)),
        (Act::InsertItem { at, value: new, .. }, Value::List(items)) if *at <= items.len() => {
            items.insert(*at, new.clone());
        }
        _ => return None,
    }
    Some(value)
}

/// Returns a map of one field.
fn map_with(name: &str, value: Value) -> Value {
    Value::Map(Map::from_iter([(name.to_owned(), value)]))
}
