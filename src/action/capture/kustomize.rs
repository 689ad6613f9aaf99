//! Defines where a kustomization declares a field: where it is set already, else the manifest if the app itself declares it,
//! else an entry of `images` or `replicas`, else a patch. Never a file outside of the app's own folder, which other apps
//! may use.

use super::candidate::{Blocked, Candidate, document, in_document};
use super::wish::Wish;
use super::{Reason, generator, images, patches, plain};
use crate::model::field_path::{FieldPath, Scalar, Segment};
use crate::model::{App, Manifest, Overlaid, Value};
use crate::render::{self, Kustomization, Place, Setting, is_kustomization_file, paths};
use crate::text::yaml::Edit;

/// What all places of one field have in common.
pub(super) struct Overlay<'a> {
    pub tree: &'a Overlaid,
    pub manifest: &'a Manifest,
    pub wish: &'a Wish,
    /// The kustomization that is built.
    pub file: String,
    pub top: Value,
    /// The object's name before prefixes, suffixes and hashes.
    pub name: String,
}

impl Overlay<'_> {
    /// Returns whether the app alone has a file.
    pub fn is_own(&self, file: &str) -> bool {
        paths::is_within(file, paths::parent(&self.file))
    }

    pub fn list(&self, field: &str) -> &[Value] {
        self.top.get(field).and_then(Value::as_list).unwrap_or_default()
    }

    /// Makes the candidate that edits the kustomization itself.
    pub fn edit(&self, edits: &[Edit], done: &str) -> Result<Candidate, Blocked> {
        in_document(self.tree, &self.file, 0, edits, format!("{done} {}", self.file))
    }

    /// Returns the path of a file beside the kustomization, as it is and as the kustomization names it.
    pub fn beside(&self, name: &str) -> String {
        paths::child(paths::parent(&self.file), name)
    }
}

/// Returns what a new list of a kustomization comes after, the nearest first: what it is made of stands before what is done
/// to it.
pub(super) fn after_resources(nearest: &[&str]) -> Vec<Segment> {
    let usual = ["components", "resources", "bases", "namespace"];
    nearest.iter().chain(&usual).map(|name| field(name)).collect()
}

/// Returns a field's name as a segment.
pub(super) fn field(name: &str) -> Segment {
    Segment::Field(name.to_owned())
}

/// Returns the segment of an item by one of its fields.
pub(super) fn named(key: &str, value: &str) -> Segment {
    Segment::Keys(vec![(key.to_owned(), Scalar(Value::string(value)))])
}

/// Returns the places that may declare a field, the best first.
pub(super) fn places(
    app: &App,
    tree: &Overlaid,
    manifest: &Manifest,
    wish: &Wish,
) -> Vec<Result<Candidate, Blocked>> {
    let Ok(Some(file)) = Kustomization::find(tree, &app.path) else { return Vec::new() };
    let Some(read) = document(tree, &file, 0) else { return Vec::new() };
    let name = declared_name(tree, manifest);
    let overlay = Overlay { tree, manifest, wish, file, top: read.value, name };
    let set =
        wish.desired.as_ref().and_then(|desired| render::setting(app, tree, manifest, &wish.path, desired));
    if let Some((Setting { origin, .. }, list)) =
        set.as_ref().and_then(|set| Some((set, on_many_objects(set)?)))
    {
        return vec![Err(Blocked::at(Reason::OnManyObjects { list }, &origin.file, origin.line))];
    }
    if is_kustomization_file(paths::name(&manifest.origin.file)) && &*manifest.kind.kind == "ConfigMap" {
        return generator::places(&overlay);
    }
    let mut places = Vec::new();
    if let Some(set) = &set {
        places.extend(where_it_is_set(&overlay, set));
    }
    if overlay.is_own(&manifest.origin.file) && !is_kustomization_file(paths::name(&manifest.origin.file)) {
        places.push(plain::in_manifest(tree, manifest, Some(&overlay.name), wish));
    }
    places.extend(images::places(&overlay));
    places.extend(images::replicas(&overlay));
    places.extend(patches::existing(&overlay));
    places.extend(patches::new(&overlay));
    if !overlay.is_own(&manifest.origin.file) {
        let origin = super::wish::origin_of(manifest, &wish.path);
        places.push(Err(Blocked::at(Reason::Shared, &origin.file, origin.line)));
    }
    places
}

/// Returns the name by which the object's own file declares it.
fn declared_name(tree: &Overlaid, manifest: &Manifest) -> String {
    let rendered = manifest.id.name.clone().unwrap_or_default();
    let Some(read) = document(tree, &manifest.origin.file, manifest.origin.document) else { return rendered };
    let kind = &*manifest.kind.kind;
    let objects: Vec<&Value> = match read.value.get("items").and_then(Value::as_list) {
        Some(items) => items.iter().collect(),
        None => vec![&read.value],
    };
    let names = objects
        .into_iter()
        .filter(|object| object.str_at(&["kind"]) == Some(kind))
        .filter_map(|object| object.str_at(&["metadata", "name"]))
        .filter(|name| rendered.contains(name));
    names.max_by_key(|name| name.len()).map_or(rendered.clone(), str::to_owned)
}

/// Returns the list of the kustomization that sets labels or annotations on everything, if that is where a value comes
/// from.
fn on_many_objects(set: &Setting) -> Option<String> {
    let Some(Place::At { path, .. }) = &set.place else { return None };
    let Some(Segment::Field(list)) = path.0.first() else { return None };
    ["labels", "commonLabels", "commonAnnotations"].contains(&list.as_str()).then(|| list.clone())
}

/// Returns the candidates that change a value where it is set.
fn where_it_is_set(overlay: &Overlay<'_>, set: &Setting) -> Vec<Result<Candidate, Blocked>> {
    let Setting { origin, place } = set;
    if !overlay.is_own(&origin.file) {
        return Vec::new();
    }
    let wish = overlay.wish;
    let done = format!("{} {}", wish.verb(), origin.file);
    let at = |path: &FieldPath| {
        let edit = match &wish.live {
            Some(live) => Edit::set(path.clone(), live.clone()),
            None => Edit::remove(path.clone()),
        };
        in_document(overlay.tree, &origin.file, origin.document, &[edit], done.clone())
    };
    match place {
        Some(Place::Own) => vec![at(&wish.path)],
        // Images have parts, and are looked at for themselves.
        Some(Place::At { path, literal: None }) if path.0.first() != Some(&field("images")) => vec![at(path)],
        _ => Vec::new(),
    }
}
