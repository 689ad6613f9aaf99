//! Proves edits: each by the whole text that comes out, and by laws over random documents in many styles.

mod laws;
mod refused;
mod table;

use super::*;
use crate::value;

fn path(text: &str) -> FieldPath {
    FieldPath::parse(text).expect("a path")
}

fn set(at: &str, value: Value) -> Edit {
    Edit::set(path(at), value)
}

fn remove(at: &str) -> Edit {
    Edit::remove(path(at))
}

/// Returns what an edit of the first document makes of a text.
fn edited(text: &str, edit: &Edit) -> String {
    match super::edit(text.as_bytes(), 0, std::slice::from_ref(edit)) {
        Ok(text) => String::from_utf8(text).expect("text"),
        Err(refused) => panic!("{refused} at line {:?} of\n{text}", refused.line),
    }
}
