//! Defines how built objects are traced to their files: by kustomize's origin annotation, which is then removed.
//!
//! Source: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/buildmetadata/ (`path`, counted from the
//! kustomization that is built; `repo` and `ref` for remote ones; `configuredIn` for what a generator made).
//!
//! The annotation names the file that declared an object first, and not what overlays set in it: a field that is not as
//! that file declares it belongs to the kustomization that is built. Editing the base would change every environment.

use super::closure::Closure;
use super::inject::asks_for_origins;
use crate::model::{Map, Origin, Value};
use crate::render::declared::{Declared, Reading, of_output};
use crate::render::locate::Sources;
use crate::render::paths;
use crate::text::yaml::read_documents;

const ANNOTATION: &str = "config.kubernetes.io/origin";

/// Gives every object the place of its source, and removes the annotation unless the kustomization itself asked for it.
pub(super) fn apply(closure: &Closure, reading: &mut Reading) {
    let keep = asks_for_origins(&closure.top);
    let mut sources = Sources::of(&closure.files);
    for object in &mut reading.objects {
        let said = annotation(&object.body);
        if said.is_some() && !keep {
            remove_annotation(&mut object.body);
        }
        let place = said.and_then(|said| Place::read(&said));
        trace(object, place, closure, &mut sources);
    }
    for notice in &mut reading.notices {
        of_output(notice, &closure.top.file, &format!("what {} builds", closure.top.file));
    }
}

/// What an annotation says.
enum Place {
    Path(String),
    ConfiguredIn(String),
    Elsewhere,
}

impl Place {
    fn read(annotation: &str) -> Option<Self> {
        let document = read_documents(annotation.as_bytes()).into_iter().next()?.ok()?;
        let text = |field: &str| document.value.str_at(&[field]).map(ToOwned::to_owned);
        if document.value.get("repo").is_some() {
            return Some(Self::Elsewhere);
        }
        text("path").map(Self::Path).or_else(|| text("configuredIn").map(Self::ConfiguredIn))
    }
}

fn trace(object: &mut Declared, place: Option<Place>, closure: &Closure, sources: &mut Sources<'_>) {
    let folder = closure.top.folder();
    let in_tree = |path: &str| paths::join(folder, path).filter(|path| closure.files.get(path).is_some());
    object.origin = Origin { file: closure.top.file.clone(), document: 0, line: None };
    object.lines = crate::model::manifest::FieldLines::default();
    match place {
        Some(Place::Path(path)) => {
            if let Some(file) = in_tree(&path) {
                sources.trace(object, &file);
                object.overlay = Some(closure.top.file.clone());
            }
        }
        Some(Place::ConfiguredIn(path)) => {
            if let Some(file) = in_tree(&path) {
                let line = sources.line_of_generator(&file, object);
                // The annotation names the first of the generators that were merged.
                let merges = sources.line_of_generator(&closure.top.file, object).is_some();
                object.overlay = Some(closure.top.file.clone()).filter(|_| merges);
                object.origin = Origin { file, document: 0, line };
            }
        }
        Some(Place::Elsewhere) | None => {}
    }
    for problem in &mut object.problems {
        problem.file = Some(object.origin.file.clone());
        problem.line = object.origin.line;
    }
}

fn annotation(body: &Value) -> Option<String> {
    body.str_at(&["metadata", "annotations", ANNOTATION]).map(ToOwned::to_owned)
}

fn remove_annotation(body: &mut Value) {
    let Some(metadata) = body.as_map_mut().and_then(|b| b.get_mut("metadata")).and_then(Value::as_map_mut)
    else {
        return;
    };
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_map_mut) {
        annotations.remove(ANNOTATION);
    }
    if metadata.get("annotations").and_then(Value::as_map).is_some_and(Map::is_empty) {
        metadata.remove("annotations");
    }
}
