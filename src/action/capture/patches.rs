//! Defines how a patch of a kustomization declares a field: one that is there for the object, else a new one, as a strategic
//! merge where that does it and as operations (RFC 6902) otherwise.

use super::Reason;
use super::candidate::{Blocked, Candidate, document, edited, in_document, state};
use super::kustomize::{Overlay, after_resources, field};
use crate::model::field_path::{FieldPath, Scalar, Segment};
use crate::model::value::map_of;
use crate::model::{FileState, Tree as _, Value, field as fields};
use crate::render::paths;
use crate::text::yaml::{self, Edit};

/// Returns the candidates that put a field into a strategic merge patch which the kustomization has for the object.
pub(super) fn existing(overlay: &Overlay<'_>) -> Vec<Result<Candidate, Blocked>> {
    let mut places = Vec::new();
    for list in ["patches", "patchesStrategicMerge"] {
        for (at, item) in overlay.list(list).iter().enumerate() {
            let fits = item.get("target").is_none_or(|target| is_target(overlay, target));
            let steps = FieldPath(vec![field(list), Segment::Index(at)]);
            let (text, inline_at) = match item.as_str() {
                Some(text) => (text, steps),
                None => match (item.str_at(&["path"]), item.str_at(&["patch"])) {
                    (Some(path), _) => (path, steps.field("path")),
                    (None, Some(patch)) => (patch, steps.field("patch")),
                    (None, None) => continue,
                },
            };
            if !fits {
                continue;
            }
            let targeted = item.get("target").is_some();
            let is_inline = text.trim_end().contains('\n') || text.trim_start().starts_with('{');
            if is_inline {
                places.extend(in_text(overlay, text, &inline_at, targeted));
            } else if let Some(file) =
                paths::join(paths::parent(&overlay.file), text).filter(|file| overlay.is_own(file))
            {
                places.extend(in_file(overlay, &file, targeted));
            }
        }
    }
    places
}

/// Returns whether a patch's target is this object alone.
fn is_target(overlay: &Overlay<'_>, target: &Value) -> bool {
    let name = target.str_at(&["name"]);
    let rendered = overlay.manifest.id.name.as_deref();
    target.str_at(&["kind"]).is_none_or(|kind| *kind == *overlay.manifest.kind.kind)
        && (name == Some(&overlay.name) || (name.is_some() && name == rendered))
}

/// Returns whether a document is a strategic merge patch for the object.
fn is_patch(overlay: &Overlay<'_>, patch: &Value, targeted: bool) -> bool {
    let is_named = || {
        let name = patch.str_at(&["metadata", "name"]);
        name == Some(&overlay.name) || (name.is_some() && name == overlay.manifest.id.name.as_deref())
    };
    patch.as_map().is_some()
        && (targeted || (patch.str_at(&["kind"]) == Some(&overlay.manifest.kind.kind) && is_named()))
}

/// Returns the edits of a patch that may do: what removes a field may also have to say so.
fn edits(overlay: &Overlay<'_>, patch: &Value) -> Vec<Edit> {
    let wish = overlay.wish;
    let path = &wish.path;
    let Some(live) = &wish.live else {
        let taken = fields::at(patch, path).is_some().then(|| Edit::remove(path.clone()));
        return taken.into_iter().chain([removal(path).after(wish.after.clone())]).collect();
    };
    vec![Edit::set(path.clone(), live.clone()).after(wish.after.clone())]
}

/// Returns the edit by which a strategic merge patch takes something away.
fn removal(path: &FieldPath) -> Edit {
    match path.0.last() {
        Some(Segment::Keys(keys)) => {
            let keys = keys.iter().map(|(key, Scalar(value))| (key.clone(), value.clone()));
            let item = keys.chain([("$patch".to_owned(), Value::string("delete"))]).collect();
            Edit::set(path.clone(), Value::Map(map_of(item)))
        }
        _ => Edit::set(path.clone(), Value::Null),
    }
}

fn in_file(overlay: &Overlay<'_>, file: &str, targeted: bool) -> Vec<Result<Candidate, Blocked>> {
    let Ok(bytes) = overlay.tree.read(file) else { return Vec::new() };
    let documents = yaml::read_documents(&bytes).into_iter().flatten();
    let fitting = documents.filter(|read| is_patch(overlay, &read.value, targeted));
    fitting
        .flat_map(|read| {
            let all = edits(overlay, &read.value).into_iter();
            let done = format!("set in {file}");
            all.map(move |edit| in_document(overlay.tree, file, read.index, &[edit], done.clone()))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Returns the candidates that edit a patch which is written out in the kustomization.
fn in_text(
    overlay: &Overlay<'_>,
    text: &str,
    at: &FieldPath,
    targeted: bool,
) -> Vec<Result<Candidate, Blocked>> {
    let Some(Ok(read)) = yaml::read_documents(text.as_bytes()).into_iter().next() else { return Vec::new() };
    let line = super::candidate::line_of(&overlay.tree.read(&overlay.file).unwrap_or_default(), 0, at);
    let all = if is_patch(overlay, &read.value, targeted) {
        edits(overlay, &read.value)
    } else {
        match operation(overlay, &read.value) {
            Some(edit) => vec![edit],
            None => return Vec::new(),
        }
    };
    all.into_iter()
        .map(|edit| {
            let changed = yaml::edit(text.as_bytes(), 0, &[edit]).map_err(|refused| {
                // The text begins on the line below its key.
                let line = refused.line.zip(line).map(|(inner, line)| inner + line);
                Blocked::at(Reason::Edit(refused.fault), &overlay.file, line)
            })?;
            let changed = Value::string(String::from_utf8_lossy(&changed));
            overlay.edit(&[Edit::set(at.clone(), changed)], "set in a patch of")
        })
        .collect()
}

/// Returns the edit of the operation that sets exactly the field.
fn operation(overlay: &Overlay<'_>, operations: &Value) -> Option<Edit> {
    let pointer = pointer(&overlay.manifest.body, &overlay.wish.path)?;
    let at =
        operations.as_list()?.iter().rposition(|operation| operation.str_at(&["path"]) == Some(&pointer))?;
    let path = FieldPath(vec![Segment::Index(at)]);
    match &overlay.wish.live {
        Some(live) => Some(Edit::set(path.field("value"), live.clone())),
        None => Some(Edit::remove(path)),
    }
}

/// Returns the candidates that add a patch in a file of its own.
pub(super) fn new(overlay: &Overlay<'_>) -> Vec<Result<Candidate, Blocked>> {
    let kind = overlay.manifest.kind.kind.to_ascii_lowercase();
    let mut merge = format!("{}-{kind}-patch.yaml", overlay.name);
    let mut operations = format!("{}-{kind}-operations.yaml", overlay.name);
    for name in [&mut merge, &mut operations] {
        if name.contains(['/', '\\']) || name.starts_with('.') {
            return Vec::new();
        }
        let stem = name.trim_end_matches(".yaml").to_owned();
        for more in 2..10 {
            if overlay.tree.read(&overlay.beside(name)).is_err() {
                break;
            }
            *name = format!("{stem}-{more}.yaml");
        }
    }
    let merge = strategic(overlay).map(|patch| added(overlay, &merge, &patch, overlay.wish.path.clone()));
    // What an earlier field put into operations is followed by further ones.
    let operations = operations_for(overlay).map(|operations_now| {
        let listed = overlay.list("patches").iter().find_map(|item| {
            let target = item.get("target").filter(|target| is_target(overlay, target))?;
            let path = item.str_at(&["path"])?;
            let file = paths::join(paths::parent(&overlay.file), path).filter(|file| overlay.is_own(file))?;
            let read = document(overlay.tree, &file, 0)?;
            (target.str_at(&["name"]).is_some() && read.value.as_list().is_some()).then_some((file, read))
        });
        match listed {
            Some((file, read)) => {
                let count = read.value.as_list().map_or(0, <[Value]>::len);
                let at = FieldPath(vec![Segment::Index(count)]);
                in_document(
                    overlay.tree,
                    &file,
                    0,
                    &[Edit::set(at, operations_now)],
                    format!("set in {file}"),
                )
            }
            None => added(
                overlay,
                &operations,
                &Value::List(vec![operations_now]),
                FieldPath(vec![Segment::Index(0)]),
            ),
        }
    });
    merge.into_iter().chain(operations).collect()
}

/// Makes the candidate with a new patch file that the kustomization names.
///
/// `value_at`: where in the patch the value stands.
fn added(
    overlay: &Overlay<'_>,
    name: &str,
    patch: &Value,
    value_at: FieldPath,
) -> Result<Candidate, Blocked> {
    let entry = map_of(vec![
        ("path".to_owned(), Value::string(name)),
        (
            "target".to_owned(),
            Value::Map(map_of(vec![
                ("kind".to_owned(), Value::string(&*overlay.manifest.kind.kind)),
                ("name".to_owned(), Value::string(&overlay.name)),
            ])),
        ),
    ]);
    let before = state(overlay.tree, &overlay.file)?;
    let at = FieldPath(vec![field("patches"), Segment::Index(overlay.list("patches").len())]);
    let edit = Edit::set(at, Value::Map(entry)).after(after_resources(&[
        "configMapGenerator",
        "replicas",
        "images",
    ]));
    let after = edited(overlay.tree, &overlay.file, 0, &[edit])?;
    let text = yaml::document(patch, Some(&before.bytes));
    let file = overlay.beside(name);
    let line = super::candidate::line_of(text.as_bytes(), 0, &value_at);
    Ok(Candidate {
        files: vec![
            (overlay.file.clone(), Some(after)),
            (file.clone(), Some(FileState::regular(text.into_bytes()))),
        ],
        line,
        at: Some((0, value_at)),
        done: format!("set in the new patch {file}"),
        also: vec![format!("{} names it", overlay.file)],
        file,
    })
}

/// Returns a strategic merge patch that sets the field alone.
fn strategic(overlay: &Overlay<'_>) -> Option<Value> {
    let manifest = overlay.manifest;
    let (path, value) = match &overlay.wish.live {
        Some(live) => (&overlay.wish.path, live.clone()),
        None => match removal(&overlay.wish.path).change {
            yaml::Change::Set(value) => (&overlay.wish.path, value),
            yaml::Change::Remove => return None,
        },
    };
    let nested = path.0.iter().rev().try_fold(value, |value, segment| {
        Some(match segment {
            Segment::Field(name) => Value::Map(map_of(vec![(name.clone(), value)])),
            Segment::Keys(keys) => {
                let Value::Map(mut item) = value else { return None };
                for (key, Scalar(wanted)) in keys {
                    item.entry(key.clone()).or_insert_with(|| wanted.clone());
                }
                Value::List(vec![Value::Map(item)])
            }
            Segment::Item(_) => Value::List(vec![value]),
            Segment::Index(_) => return None,
        })
    })?;
    let Value::Map(mut patch) = nested else { return None };
    patch.insert("apiVersion".to_owned(), Value::string(manifest.kind.api_version()));
    patch.insert("kind".to_owned(), Value::string(&*manifest.kind.kind));
    let mut metadata = patch.get("metadata").and_then(Value::as_map).cloned().unwrap_or_default();
    metadata.insert("name".to_owned(), Value::string(&overlay.name));
    patch.insert("metadata".to_owned(), Value::Map(metadata));
    Some(Value::Map(patch))
}

/// Returns the one operation that does it.
fn operations_for(overlay: &Overlay<'_>) -> Option<Value> {
    let (body, path) = (&overlay.manifest.body, &overlay.wish.path);
    let operation = |op: &str, pointer: String, value: Option<Value>| {
        let value = value.map(|value| ("value".to_owned(), value));
        let parts = [("op".to_owned(), Value::string(op)), ("path".to_owned(), Value::string(pointer))];
        Value::Map(parts.into_iter().chain(value).collect())
    };
    let Some(live) = &overlay.wish.live else {
        return Some(operation("remove", pointer(body, path)?, None));
    };
    if let Some(pointer) = pointer(body, path) {
        return Some(operation("replace", pointer, Some(live.clone())));
    }
    // The deepest part that is there gets what is missing as one value.
    let mut value = live.clone();
    let mut rest = path.clone();
    loop {
        let last = rest.0.pop()?;
        if let Some(above) = pointer(body, &rest) {
            let step = match &last {
                Segment::Field(name) => escaped(name),
                _ => "-".to_owned(),
            };
            return Some(operation("add", format!("{above}/{step}"), Some(value)));
        }
        value = match last {
            Segment::Field(name) => Value::Map(map_of(vec![(name, value)])),
            _ => Value::List(vec![value]),
        };
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Returns the JSON pointer of a field (RFC 6901); `None` where it is not there.
fn pointer(body: &Value, path: &FieldPath) -> Option<String> {
    fields::at(body, path)?;
    let mut at = body;
    let mut pointer = String::new();
    for segment in &path.0 {
        pointer.push('/');
        match segment {
            Segment::Field(name) => pointer.push_str(&escaped(name)),
            segment => pointer.push_str(&fields::position(at, segment)?.to_string()),
        }
        at = fields::child(at, segment)?;
    }
    Some(pointer)
}
