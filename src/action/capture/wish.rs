//! Defines what is wanted of one field, and what is refused whoever asks for it.

use super::{Reason, order};
use crate::model::field_path::{FieldPath, Segment};
use crate::model::{FieldChange, LiveObject, Manifest, Origin, ResourceId, Value, field};
use crate::text::redact;
use crate::text::yaml::Edit;

/// A field and what it is to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wish {
    pub path: FieldPath,
    /// What is declared now.
    pub desired: Option<Value>,
    /// `None`: it goes.
    pub live: Option<Value>,
    /// What it comes after if it is new, the nearest first.
    pub after: Vec<Segment>,
}

impl Wish {
    /// Returns the edit of a document in which the object stands at `prefix`.
    pub fn edit(&self, prefix: &FieldPath) -> Edit {
        let path = FieldPath(prefix.0.iter().chain(&self.path.0).cloned().collect());
        match &self.live {
            Some(value) => Edit::set(path, value.clone()).after(self.after.clone()),
            None => Edit::remove(path),
        }
    }

    /// Returns the verb of what is done.
    pub fn verb(&self) -> &'static str {
        match (&self.desired, &self.live) {
            (_, None) => "removed from",
            (None, Some(_)) => "added to",
            (Some(_), Some(_)) => "set in",
        }
    }

    /// Returns whether a manifest is as it should be already.
    pub fn is_granted(&self, manifest: &Manifest) -> bool {
        field::at(&manifest.body, &self.path) == self.live.as_ref()
    }
}

/// Refuses objects whose values never go into Git.
pub(super) fn may_be_captured(id: &ResourceId) -> Result<(), Reason> {
    let is_secret = id.kind.group.is_empty() && *id.kind.kind == *"Secret";
    if is_secret { Err(Reason::Secret) } else { Ok(()) }
}

/// Returns what is wanted of a field.
pub(super) fn of(change: &FieldChange, manifest: &Manifest, live: &LiveObject) -> Result<Wish, Reason> {
    let path = removed_whole(change, manifest, live);
    if is_the_clusters(&path) {
        return Err(Reason::ClustersOwn);
    }
    let value = change.live.clone();
    if let Some(value) = &value {
        if value.holds_sealed() {
            return Err(Reason::Secret);
        }
        if redact::hides(value, &path) {
            return Err(Reason::LooksSecret);
        }
    }
    let desired = field::at(&manifest.body, &path).cloned();
    let after = order::after(&path, &live.body);
    Ok(Wish { path, desired, live: value, after })
}

/// Returns the path of what goes: with the last field or item of a map or list that the cluster does not hold any more, that
/// map or list too.
fn removed_whole(change: &FieldChange, manifest: &Manifest, live: &LiveObject) -> FieldPath {
    let mut path = change.path.clone();
    if change.live.is_some() {
        return path;
    }
    while let Some(above) = path.parent().filter(|above| !above.is_root()) {
        let only = match field::at(&manifest.body, &above) {
            Some(Value::Map(fields)) => fields.len() == 1,
            Some(Value::List(items)) => items.len() == 1,
            _ => false,
        };
        if !only || field::at(&live.body, &above).is_some() {
            break;
        }
        path = above;
    }
    path
}

/// Returns whether the server keeps a field by itself, or it says which object it is.
fn is_the_clusters(path: &FieldPath) -> bool {
    const OF_METADATA: [&str; 11] = [
        "name",
        "namespace",
        "generateName",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "managedFields",
        "selfLink",
        "ownerReferences",
    ];
    match path.0.as_slice() {
        [] => true,
        [Segment::Field(first), ..] if first == "status" => true,
        [Segment::Field(first)] => matches!(first.as_str(), "apiVersion" | "kind" | "metadata"),
        [Segment::Field(first), Segment::Field(name), ..] => {
            first == "metadata" && OF_METADATA.contains(&name.as_str())
        }
        _ => false,
    }
}

/// Returns where a field is declared.
pub(super) fn origin_of(manifest: &Manifest, path: &FieldPath) -> Origin {
    let steps = super::candidate::steps(&manifest.body, path);
    manifest.origin_of(steps.iter().map(String::as_str))
}
