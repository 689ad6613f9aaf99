//! Defines desired objects with where they come from.

use super::id::{GroupVersionKind, ResourceId};
use super::value::Value;

/// One desired object. Its body is sealed where it is secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    pub id: ResourceId,
    pub kind: GroupVersionKind,
    pub body: Value,
    pub origin: Origin,
    /// What is wrong with it, found while reading: duplicate keys and the like.
    pub problems: Vec<Problem>,
    /// Lines of fields where the source has them (plain files): paths as printed, with the 1-based line.
    pub lines: FieldLines,
}

/// Where something was declared: a file of the repo's tree, relative to its root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Origin {
    pub file: String,
    /// The document within the file, counted from 0.
    pub document: usize,
    /// The first line of the document, counted from 1; of a field, the field's own line.
    pub line: Option<usize>,
}

/// What is wrong with a desired object, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The field's path as printed; `.` for the whole object.
    pub path: String,
    pub title: String,
    pub file: Option<String>,
    pub line: Option<usize>,
}

/// The lines on which a document declares its fields, as a tree beside the body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldLines {
    /// Line of the key, or of the list item, counted from 1; 0 where unknown.
    pub line: u32,
    /// Fields of a map in source order, or items of a list under their positions as text (`0`, `1`, …).
    pub children: Vec<(String, FieldLines)>,
}

impl FieldLines {
    /// Follows raw keys and list positions, and returns the line of the deepest step that is known.
    pub fn line_at<'a>(&self, steps: impl IntoIterator<Item = &'a str>) -> Option<usize> {
        let mut node = self;
        for step in steps {
            // The last of duplicate keys wins, as in the body.
            match node.children.iter().rev().find(|(key, _)| key == step) {
                Some((_, child)) => node = child,
                None => break,
            }
        }
        (node.line > 0).then_some(node.line as usize)
    }
}
