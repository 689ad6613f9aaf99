//! Defines where a plain manifest declares a field: on its own line.

use super::Reason;
use super::candidate::{Blocked, Candidate, document, in_document};
use super::wish::Wish;
use crate::model::field_path::{FieldPath, Segment};
use crate::model::{Manifest, Overlaid, Value};

/// Returns the one place: the document that declares the object.
pub(super) fn places(tree: &Overlaid, manifest: &Manifest, wish: &Wish) -> Vec<Result<Candidate, Blocked>> {
    let name = manifest.id.name.as_deref();
    vec![in_manifest(tree, manifest, name, wish)]
}

/// Makes the candidate that edits the document that declares an object under a name.
pub(super) fn in_manifest(
    tree: &Overlaid,
    manifest: &Manifest,
    name: Option<&str>,
    wish: &Wish,
) -> Result<Candidate, Blocked> {
    let origin = &manifest.origin;
    let gone = || Blocked::at(Reason::NowhereToBeFound, &origin.file, origin.line);
    let read = document(tree, &origin.file, origin.document).ok_or_else(gone)?;
    let prefix = prefix_of(&read.value, manifest, name).ok_or_else(gone)?;
    let done = format!("{} {}", wish.verb(), origin.file);
    in_document(tree, &origin.file, origin.document, &[wish.edit(&prefix)], done)
}

/// Returns where in a document an object stands: at its root, or among the items of a list.
pub(super) fn prefix_of(document: &Value, manifest: &Manifest, name: Option<&str>) -> Option<FieldPath> {
    let kind = &manifest.kind.kind;
    let is_it = |value: &Value| {
        let found = value.str_at(&["kind"]);
        found.is_none_or(|found| *found == **kind) && value.str_at(&["metadata", "name"]) == name
    };
    if document.str_at(&["kind"]) == Some(kind) && is_it(document) {
        return Some(FieldPath::root());
    }
    let items = document.get("items")?.as_list()?;
    // One namespace may hold an object of the same name as another.
    let namespace = manifest.id.namespace.as_deref();
    let mut fitting = items.iter().enumerate().filter(|(_, item)| {
        let own = item.str_at(&["metadata", "namespace"]);
        is_it(item) && own.is_none_or(|own| Some(own) == namespace)
    });
    let (at, _) = fitting.next()?;
    Some(FieldPath(vec![Segment::Field("items".to_owned()), Segment::Index(at)]))
}
