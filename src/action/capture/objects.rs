//! Defines how whole objects are captured: one that Git does not declare as a new file beside its neighbours, one that the
//! cluster does not hold by taking out what declares it.

use super::candidate::{Blocked, Candidate, document, edited, state};
use super::kustomize::{after_resources, field, named};
use super::plain::prefix_of;
use super::{Ground, Reason};
use crate::cluster::builtin;
use crate::drift;
use crate::model::field_path::{FieldPath, Segment};
use crate::model::value::{Map, map_of};
use crate::model::{FileState, LiveObject, Manifest, Overlaid, RenderSpec, Tree as _, Value};
use crate::render::{Kustomization, Rendered, is_kustomization_file, is_manifest_file, paths};
use crate::text::redact;
use crate::text::yaml::{self, Edit};

/// Returns a live object as a person would declare it: without what the server and deployers keep, and without defaults.
pub(super) fn cleaned(live: &LiveObject) -> Result<Value, Reason> {
    if live.has_owner() {
        let owners =
            live.body.at(&["metadata", "ownerReferences"]).and_then(Value::as_list).unwrap_or_default();
        let name = |owner: &Value| {
            let text = |field: &str| owner.str_at(&[field]).unwrap_or_default().to_owned();
            format!("{}/{}", text("kind"), text("name"))
        };
        return Err(Reason::Owned { owner: owners.first().map(name).unwrap_or_default() });
    }
    if live.body.holds_sealed() {
        return Err(Reason::Secret);
    }
    let body = drift::declarable(live, &builtin::schema());
    if redact::hides(&body, &FieldPath::root()) {
        return Err(Reason::LooksSecret);
    }
    Ok(body)
}

/// Returns the candidates that add a file for an object.
pub(super) fn added(
    ground: &Ground<'_>,
    tree: &Overlaid,
    rendered: &Rendered,
    live: &LiveObject,
    body: &Value,
) -> Vec<Result<Candidate, Blocked>> {
    let app = ground.app;
    let folder = match &app.spec {
        RenderSpec::Helm(_) => return vec![Err(Blocked::at(Reason::Templates, &app.declared.file, None))],
        // An app of one file: the new one would not be read, were it beside it.
        RenderSpec::Plain { .. } if tree.list(&app.path).is_err() => app.path.clone(),
        RenderSpec::Plain { .. } | RenderSpec::Kustomize => app.path.clone(),
    };
    let neighbour = rendered
        .manifests
        .iter()
        .map(|manifest| &manifest.origin.file)
        .find(|file| paths::is_within(file, &folder) && !is_kustomization_file(paths::name(file)));
    let like = neighbour.and_then(|file| tree.read(file).ok());
    // A namespace that the app gives to everything need not be written.
    let without = {
        let mut body = body.clone();
        crate::model::field::take_out(&mut body, &FieldPath::fields(&["metadata", "namespace"]));
        body
    };
    [&without, body]
        .into_iter()
        .map(|body| {
            let text = yaml::document(body, like.as_deref());
            if tree.list(&folder).is_err() {
                return appended(tree, &folder, &text);
            }
            let file = free_name(tree, &folder, live)
                .ok_or_else(|| Blocked::because(Reason::NoPlace { spec: "plain" }))?;
            let new = (file.clone(), Some(FileState::regular(text.into_bytes())));
            let done = format!("added as {file}");
            if matches!(app.spec, RenderSpec::Plain { .. }) {
                return Ok(Candidate {
                    files: vec![new],
                    file,
                    line: Some(1),
                    at: None,
                    done,
                    also: Vec::new(),
                });
            }
            let kustomization = Kustomization::find(tree, &folder).ok().flatten();
            let kustomization =
                kustomization.ok_or_else(|| Blocked::because(Reason::NoPlace { spec: "kustomize" }))?;
            let read = document(tree, &kustomization, 0);
            let count =
                read.and_then(|read| Some(read.value.get("resources")?.as_list()?.len())).unwrap_or(0);
            let at = FieldPath(vec![field("resources"), Segment::Index(count)]);
            let edit = Edit::set(at, Value::string(paths::name(&file)));
            let after = edited(tree, &kustomization, 0, &[edit])?;
            let also = vec![format!("{kustomization} names it")];
            Ok(Candidate {
                files: vec![new, (kustomization, Some(after))],
                file,
                line: Some(1),
                at: None,
                done,
                also,
            })
        })
        .collect()
}

/// Makes the candidate that adds a document to a file.
fn appended(tree: &Overlaid, file: &str, text: &str) -> Result<Candidate, Blocked> {
    let before = state(tree, file)?;
    let mut bytes = before.bytes.to_vec();
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(b"---\n");
    let line = 1 + bytes.split(|byte| *byte == b'\n').count() - 1;
    bytes.extend_from_slice(text.as_bytes());
    let files = vec![(file.to_owned(), Some(before.with(bytes)))];
    let done = format!("added to {file}");
    Ok(Candidate { files, file: file.to_owned(), line: Some(line), at: None, done, also: Vec::new() })
}

/// Returns the path of a new file for an object: `web-service.yaml`.
fn free_name(tree: &Overlaid, folder: &str, live: &LiveObject) -> Option<String> {
    let name = live.id.name.as_deref()?;
    let stem = format!("{}-{}", name.replace([':', '/', '\\'], "-"), live.kind.kind.to_ascii_lowercase());
    if stem.starts_with('.') {
        return None;
    }
    let names =
        std::iter::once(format!("{stem}.yaml")).chain((2..10).map(|more| format!("{stem}-{more}.yaml")));
    let mut free = names.map(|name| paths::child(folder, &name));
    free.find(|path| tree.state(path) == Ok(None) && is_manifest_file(paths::name(path)))
}

/// Returns the candidates that take out what declares an object.
pub(super) fn removed(
    ground: &Ground<'_>,
    tree: &Overlaid,
    manifest: &Manifest,
) -> Vec<Result<Candidate, Blocked>> {
    let (app, file) = (ground.app, &manifest.origin.file);
    match &app.spec {
        RenderSpec::Helm(_) => vec![Err(Blocked::at(Reason::Templates, file, manifest.origin.line))],
        RenderSpec::Plain { .. } => vec![without(tree, manifest, manifest.id.name.as_deref())],
        RenderSpec::Kustomize => {
            let top = Kustomization::find(tree, &app.path).ok().flatten();
            let Some(top) = top else { return Vec::new() };
            if is_kustomization_file(paths::name(file)) {
                return vec![from_generators(tree, &top, manifest)];
            }
            let mut places = Vec::new();
            if paths::is_within(file, &app.path) {
                let names = [
                    manifest.id.name.as_deref(),
                    only_name(tree, manifest).as_deref().map(str::to_owned).as_deref(),
                ]
                .map(|name| name.map(str::to_owned));
                for name in names.iter().flatten() {
                    places.push(
                        without(tree, manifest, Some(name)).and_then(|gone| unlisted(tree, &top, file, gone)),
                    );
                }
            }
            places.push(deleted_by_patch(tree, &top, manifest));
            places
        }
    }
}

/// Returns the name that the document declares, where it declares one object.
fn only_name(tree: &Overlaid, manifest: &Manifest) -> Option<String> {
    let read = document(tree, &manifest.origin.file, manifest.origin.document)?;
    read.value.str_at(&["metadata", "name"]).map(str::to_owned)
}

/// Makes the candidate without the document, or the item of a list, that declares an object.
fn without(tree: &Overlaid, manifest: &Manifest, name: Option<&str>) -> Result<Candidate, Blocked> {
    let origin = &manifest.origin;
    let file = origin.file.clone();
    let gone = || Blocked::at(Reason::NowhereToBeFound, &file, origin.line);
    let before = state(tree, &file)?;
    let read = document(tree, &file, origin.document).ok_or_else(gone)?;
    let prefix = prefix_of(&read.value, manifest, name).ok_or_else(gone)?;
    let others = yaml::read_documents(&before.bytes).len() > 1;
    let after = if !prefix.is_root() {
        Some(edited(tree, &file, origin.document, &[Edit::remove(prefix)])?)
    } else if others {
        let bytes = yaml::remove_document(&before.bytes, origin.document)
            .map_err(|refused| Blocked::at(Reason::Edit(refused.fault), &file, refused.line))?;
        Some(before.with(bytes))
    } else {
        None
    };
    let done = if after.is_some() { format!("removed from {file}") } else { format!("{file} removed") };
    Ok(Candidate {
        files: vec![(file.clone(), after)],
        file,
        line: origin.line,
        at: None,
        done,
        also: Vec::new(),
    })
}

/// Takes a file that goes out of the kustomization's resources too.
fn unlisted(tree: &Overlaid, top: &str, file: &str, gone: Candidate) -> Result<Candidate, Blocked> {
    let mut gone = gone;
    if gone.files.iter().any(|(_, state)| state.is_some()) {
        return Ok(gone);
    }
    let read = document(tree, top, 0).ok_or_else(|| Blocked::at(Reason::NowhereToBeFound, top, None))?;
    let list = read.value.get("resources").and_then(Value::as_list).unwrap_or_default();
    let leads_there = |item: &Value| {
        let text = item.as_str().and_then(|text| paths::join(paths::parent(top), text));
        text.as_deref() == Some(file)
    };
    let at = list.iter().position(leads_there).ok_or_else(|| Blocked::at(Reason::Shared, file, None))?;
    let edit = Edit::remove(FieldPath(vec![field("resources"), Segment::Index(at)]));
    let after = edited(tree, top, 0, &[edit])?;
    gone.files.push((top.to_owned(), Some(after)));
    gone.also.push(format!("{top} names it no more"));
    Ok(gone)
}

/// Makes the candidate without the generator that makes a ConfigMap.
fn from_generators(tree: &Overlaid, top: &str, manifest: &Manifest) -> Result<Candidate, Blocked> {
    let origin = &manifest.origin;
    if origin.file != top {
        return Err(Blocked::at(Reason::Shared, &origin.file, origin.line));
    }
    let gone = || Blocked::at(Reason::NowhereToBeFound, top, None);
    let read = document(tree, top, 0).ok_or_else(gone)?;
    let list = read.value.get("configMapGenerator").and_then(Value::as_list).unwrap_or_default();
    let rendered = manifest.id.name.as_deref().unwrap_or_default();
    let names = list.iter().filter_map(|generator| generator.str_at(&["name"]));
    let name = names.filter(|name| rendered.contains(name)).max_by_key(|name| name.len()).ok_or_else(gone)?;
    let at = FieldPath::fields(&["configMapGenerator"]).join(named("name", name));
    let after = edited(tree, top, 0, &[Edit::remove(at)])?;
    let done = format!("removed from {top}");
    Ok(Candidate {
        files: vec![(top.to_owned(), Some(after))],
        file: top.to_owned(),
        line: origin.line,
        at: None,
        done,
        also: Vec::new(),
    })
}

/// Makes the candidate with a patch that takes an object of a base away.
fn deleted_by_patch(tree: &Overlaid, top: &str, manifest: &Manifest) -> Result<Candidate, Blocked> {
    let name = only_name(tree, manifest).or_else(|| manifest.id.name.clone()).unwrap_or_default();
    let kind = &*manifest.kind.kind;
    let metadata = Value::Map(map_of(vec![("name".to_owned(), Value::string(&name))]));
    let patch = Value::Map(Map::from_iter([
        ("apiVersion".to_owned(), Value::string(manifest.kind.api_version())),
        ("kind".to_owned(), Value::string(kind)),
        ("metadata".to_owned(), metadata),
        ("$patch".to_owned(), Value::string("delete")),
    ]));
    let target = Value::Map(map_of(vec![
        ("kind".to_owned(), Value::string(kind)),
        ("name".to_owned(), Value::string(&name)),
    ]));
    let before = state(tree, top)?;
    let entry = map_of(vec![
        ("patch".to_owned(), Value::string(yaml::document(&patch, Some(&before.bytes)))),
        ("target".to_owned(), target),
    ]);
    let read = document(tree, top, 0);
    let count = read.and_then(|read| Some(read.value.get("patches")?.as_list()?.len())).unwrap_or(0);
    let at = FieldPath(vec![field("patches"), Segment::Index(count)]);
    let edit = Edit::set(at.clone(), Value::Map(entry)).after(after_resources(&[
        "configMapGenerator",
        "replicas",
        "images",
    ]));
    let after = edited(tree, top, 0, &[edit])?;
    let line = super::candidate::line_of(&after.bytes, 0, &at);
    let done = format!("taken away by a patch in {top}");
    Ok(Candidate {
        files: vec![(top.to_owned(), Some(after))],
        file: top.to_owned(),
        line,
        at: None,
        done,
        also: Vec::new(),
    })
}
