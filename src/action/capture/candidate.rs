//! Defines one place that may declare a value, with the files as they would be, and why a place cannot be used.

use super::Reason;
use crate::model::field_path::{FieldPath, Segment};
use crate::model::{FileMode, FileState, Overlaid, Tree, Value, field};
use crate::text::yaml::{self, Edit, EditFault};

/// A place, and what the files are if the value is put there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    /// `None`: the file goes.
    pub files: Vec<(String, Option<FileState>)>,
    pub file: String,
    pub line: Option<usize>,
    /// Where in its document the value stands, by which its line is found again when more has changed.
    pub at: Option<(usize, FieldPath)>,
    pub done: String,
    pub also: Vec<String>,
}

/// Why a place cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blocked {
    pub reason: Reason,
    pub file: Option<String>,
    pub line: Option<usize>,
}

impl Blocked {
    pub fn because(reason: Reason) -> Self {
        Self { reason, file: None, line: None }
    }

    pub fn at(reason: Reason, file: &str, line: Option<usize>) -> Self {
        Self { reason, file: Some(file.to_owned()), line }
    }

    /// Returns which of two reasons tells a person more: the first of those that say what is in the way.
    pub fn or_worse(self, before: Option<Self>) -> Self {
        let weight = |blocked: &Self| match blocked.reason {
            Reason::Edit(EditFault::NotThere) | Reason::Shared => 1,
            Reason::NotThatAlone { .. } => 2,
            Reason::NoPlace { .. } => 0,
            _ => 3,
        };
        match before {
            Some(before) if weight(&before) >= weight(&self) => before,
            _ => self,
        }
    }
}

/// Returns a file that may be edited: a regular one that is reached without links.
pub(super) fn state(tree: &Overlaid, file: &str) -> Result<FileState, Blocked> {
    let unreadable = |why: String| Blocked::at(Reason::Unreadable(why), file, None);
    // What only stands for a file elsewhere is refused here too.
    let read = tree.read(file).map_err(|error| unreadable(error.to_string()))?;
    match tree.state(file).map_err(|error| unreadable(error.to_string()))? {
        Some(state) if state.mode != FileMode::Link && *state.bytes == *read => Ok(state),
        _ => Err(Blocked::at(Reason::Linked, file, None)),
    }
}

/// Returns a file with edits of one of its documents.
pub(super) fn edited(
    tree: &Overlaid,
    file: &str,
    document: usize,
    edits: &[Edit],
) -> Result<FileState, Blocked> {
    let state = state(tree, file)?;
    let bytes = yaml::edit(&state.bytes, document, edits)
        .map_err(|refused| Blocked::at(Reason::Edit(refused.fault), file, refused.line))?;
    Ok(state.with(bytes))
}

/// Returns the line of a path in a document of a text, or of the deepest part of it that is there.
pub(super) fn line_of(text: &[u8], document: usize, path: &FieldPath) -> Option<usize> {
    let read = yaml::read_documents(text).into_iter().flatten().find(|read| read.index == document)?;
    let steps = steps(&read.value, path);
    read.lines.line_at(steps.iter().map(String::as_str))
}

/// Returns a path as raw keys and list positions, as far as it can be followed.
pub(super) fn steps(value: &Value, path: &FieldPath) -> Vec<String> {
    let mut at = value;
    let mut steps = Vec::new();
    for segment in &path.0 {
        let step = match segment {
            Segment::Field(name) => Some(name.clone()),
            segment => field::position(at, segment).map(|at| at.to_string()),
        };
        let (Some(step), Some(next)) = (step, field::child(at, segment)) else { break };
        steps.push(step);
        at = next;
    }
    steps
}

/// Makes the candidate that edits one document.
pub(super) fn in_document(
    tree: &Overlaid,
    file: &str,
    document: usize,
    edits: &[Edit],
    done: String,
) -> Result<Candidate, Blocked> {
    let before = state(tree, file)?;
    let after = edited(tree, file, document, edits)?;
    // Of an image several parts may change: the one that is there is shown.
    let set = edits.iter().find(|edit| matches!(edit.change, yaml::Change::Set(_)));
    let (line, at) = match (set, edits.first()) {
        (Some(edit), _) => (line_of(&after.bytes, document, &edit.path), Some((document, edit.path.clone()))),
        (None, Some(edit)) => (line_of(&before.bytes, document, &edit.path), None),
        (None, None) => (None, None),
    };
    let (file, files) = (file.to_owned(), vec![(file.to_owned(), Some(after))]);
    Ok(Candidate { files, file, line, at, done, also: Vec::new() })
}

/// Returns a document of a file as it is read, with its text.
pub(super) fn document(tree: &Overlaid, file: &str, index: usize) -> Option<yaml::Document> {
    let bytes = tree.read(file).ok()?;
    yaml::read_documents(&bytes).into_iter().flatten().find(|read| read.index == index)
}
