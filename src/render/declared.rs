//! Defines the objects that documents declare, before a cluster gives them an identity.

use super::kinds;
use crate::model::manifest::{FieldLines, Problem};
use crate::model::sealed::seal_object;
use crate::model::{GroupVersionKind, Map, Notice, Origin, Value};
use crate::text::yaml::{Document, DocumentError, read_documents};

/// One declared object. Its body is sealed where it is secret.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Declared {
    pub kind: GroupVersionKind,
    /// `None`: the object asks for `generateName`.
    pub name: Option<String>,
    pub body: Value,
    pub origin: Origin,
    pub problems: Vec<Problem>,
    pub lines: FieldLines,
    /// The file that sets what the origin's document does not declare so.
    pub overlay: Option<String>,
}

/// What was read of an app.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Reading {
    pub objects: Vec<Declared>,
    pub notices: Vec<Notice>,
    /// Something is left out.
    pub incomplete: bool,
}

impl Reading {
    /// Returns a reading that failed as a whole.
    pub fn failed(notice: Notice) -> Self {
        Self { objects: Vec::new(), notices: vec![notice], incomplete: true }
    }

    /// Adds an error about something that is left out.
    pub fn refuse(&mut self, notice: Notice) {
        self.notices.push(notice);
        self.incomplete = true;
    }

    /// Returns whether any object holds sealed values, or could not be read and so might.
    pub fn may_hold_secrets(&self) -> bool {
        self.incomplete || self.objects.iter().any(|object| object.body.holds_sealed())
    }
}

/// What a document that is no manifest means where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// A file among others: what has nothing of a manifest (values, settings of tools) is skipped.
    Lenient,
    /// A file that was asked for, or what a tool printed: everything must be a manifest.
    Strict,
}

/// Takes in the documents of a file.
pub(super) fn take_documents(
    file: &str,
    documents: Vec<Result<Document, DocumentError>>,
    strictness: Strictness,
    into: &mut Reading,
) {
    let among_manifests = documents.iter().flatten().any(|document| claims_to_be_manifest(&document.value));
    for document in documents {
        match document {
            Ok(document) => {
                let skip = strictness == Strictness::Lenient
                    && !(among_manifests && lacks_kind(&document.value))
                    && !claims_to_be_manifest(&document.value);
                if !skip {
                    take_document(file, document, strictness, into);
                }
            }
            Err(error) => into.refuse(unreadable(file, &error)),
        }
    }
}

/// Returns the notice of a document that cannot be read.
pub(super) fn unreadable(file: &str, error: &DocumentError) -> Notice {
    Notice::error(format!("document {} of {file} cannot be read", error.index + 1))
        .cause(error.fault.to_string())
        .file(file, error.line)
}

/// Makes a notice that was made of a tool's output, under the name `read_as`, speak of what people know.
///
/// Numbers and lines of the output mean nothing to them.
pub(super) fn of_output(notice: &mut Notice, read_as: &str, output: &str) {
    if let Some((_, fault)) = notice.title.split_once(read_as) {
        notice.title = format!("{output}{fault}");
    }
    notice.line = None;
}

/// Returns the objects that a file declares, sealed where they are secret, each with the place of its document in the
/// file, counted from 0; `None` where a document cannot be read.
pub fn objects(text: &[u8]) -> Option<Vec<(usize, Value)>> {
    let mut reading = Reading::default();
    take_documents("", read_documents(text), Strictness::Lenient, &mut reading);
    let objects = reading.objects.into_iter().map(|object| (object.origin.document, object.body));
    (!reading.incomplete).then(|| objects.collect())
}

/// Takes in one document: an object, or a list of them.
fn take_document(file: &str, document: Document, strictness: Strictness, into: &mut Reading) {
    let Document { index, line, value, lines, problems } = document;
    let problems = problems.into_iter().map(|p| Problem { file: Some(file.to_owned()), ..p }).collect();
    let origin = Origin { file: file.to_owned(), document: index, line: (line > 0).then_some(line) };
    take_object(Raw { value, lines, problems, origin }, strictness, into);
}

/// An object as it stands in its document.
pub(super) struct Raw {
    pub value: Value,
    pub lines: FieldLines,
    pub problems: Vec<Problem>,
    pub origin: Origin,
}

/// Takes in an object, or the items of a list.
pub(super) fn take_object(mut raw: Raw, strictness: Strictness, into: &mut Reading) {
    if is_list(&raw.value) {
        // As deep as documents may be.
        for item in items(raw) {
            take_object(item, Strictness::Strict, into);
        }
        return;
    }
    let (kind, name) = match identity(&raw.value) {
        Ok(identity) => identity,
        Err(fault) => {
            into.refuse(at(&raw.origin, &fault.to_string()));
            return;
        }
    };
    if strictness == Strictness::Lenient && !kinds::is_served_kind(&kind) {
        return;
    }
    seal_object(&kind.group_kind(), &mut raw.value);
    let Raw { value: body, lines, problems, origin } = raw;
    into.objects.push(Declared { kind, name, body, origin, problems, lines, overlay: None });
}

fn at(origin: &Origin, fault: &str) -> Notice {
    Notice::error(format!("document {} of {} is no manifest: {fault}", origin.document + 1, origin.file))
        .file(&origin.file, origin.line)
}

/// Why a document is no object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoObject {
    #[error("it is no map")]
    NoMap,
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} is no text")]
    NoText(&'static str),
}

/// Returns an object's kind and name.
fn identity(value: &Value) -> Result<(GroupVersionKind, Option<String>), NoObject> {
    let Value::Map(fields) = value else { return Err(NoObject::NoMap) };
    let api_version = text(fields, "apiVersion", "apiVersion")?.ok_or(NoObject::Missing("apiVersion"))?;
    let kind = text(fields, "kind", "kind")?.ok_or(NoObject::Missing("kind"))?;
    let nameless = Map::new();
    let metadata = match fields.get("metadata") {
        Some(Value::Map(metadata)) => metadata,
        Some(Value::Null) | None => &nameless,
        Some(_) => return Err(NoObject::NoText("metadata.name")),
    };
    let name = text(metadata, "name", "metadata.name")?;
    if name.is_none() && text(metadata, "generateName", "metadata.generateName")?.is_none() {
        return Err(NoObject::Missing("metadata.name"));
    }
    text(metadata, "namespace", "metadata.namespace")?;
    Ok((GroupVersionKind::from_api_version(api_version, kind), name.map(ToOwned::to_owned)))
}

/// Returns a field's text; of an empty or null one, nothing.
fn text<'a>(fields: &'a Map, field: &str, path: &'static str) -> Result<Option<&'a str>, NoObject> {
    match fields.get(field) {
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(Value::Null) | None => Ok(None),
        Some(_) => Err(NoObject::NoText(path)),
    }
}

/// Returns whether a document has what no file but a manifest has.
fn claims_to_be_manifest(value: &Value) -> bool {
    match (value.get("apiVersion"), value.get("kind")) {
        (Some(api_version), Some(kind)) => match (api_version.as_str(), kind.as_str()) {
            (Some(api_version), Some(kind)) => {
                kinds::is_served_kind(&GroupVersionKind::from_api_version(api_version, kind))
            }
            _ => false,
        },
        // One of them was forgotten or misspelled.
        (Some(api_version), None) => {
            value.get("metadata").is_some() && api_version.as_str().is_some_and(kinds::is_served_version)
        }
        (None, Some(kind)) => value.get("metadata").is_some() && kind.as_str().is_some(),
        (None, None) => false,
    }
}

fn lacks_kind(value: &Value) -> bool {
    value.get("apiVersion").is_none() || value.get("kind").is_none()
}

/// Returns whether an object is a list of objects: `kind: List`, or typed such as `ConfigMapList`.
fn is_list(value: &Value) -> bool {
    value.str_at(&["kind"]).is_some_and(|kind| kind.ends_with("List"))
        && matches!(value.get("items"), Some(Value::List(_) | Value::Null))
        && value.at(&["metadata", "name"]).is_none()
}

/// Returns the items of a list, each with its own line and the problems that stand on its lines.
///
/// An item of a typed list need not repeat apiVersion and kind. Source: `decodeToList` in
/// k8s.io/apimachinery/pkg/apis/meta/v1/unstructured/helpers.go.
fn items(list: Raw) -> Vec<Raw> {
    let Raw { mut value, mut lines, problems, origin } = list;
    let kind = value.str_at(&["kind"]).unwrap_or_default().trim_end_matches("List").to_owned();
    let api_version = value.get("apiVersion").cloned();
    let Some(Value::List(items)) = value.as_map_mut().and_then(|fields| fields.remove("items")) else {
        return Vec::new();
    };
    let mut item_lines = lines
        .children
        .iter_mut()
        .rev()
        .find(|(key, _)| key == "items")
        .map(|(_, lines)| std::mem::take(&mut lines.children))
        .unwrap_or_default();
    item_lines.resize_with(items.len(), Default::default);
    let starts: Vec<usize> = item_lines.iter().map(|(_, lines)| lines.line as usize).collect();
    let mut raws = Vec::with_capacity(items.len());
    for (index, (mut item, (_, lines))) in items.into_iter().zip(item_lines).enumerate() {
        if let (false, Some(fields)) = (kind.is_empty(), item.as_map_mut()) {
            fields.entry("kind".to_owned()).or_insert_with(|| Value::string(&kind));
            if let Some(api_version) = &api_version {
                fields.entry("apiVersion".to_owned()).or_insert_with(|| api_version.clone());
            }
        }
        let start = starts.get(index).copied().filter(|line| *line > 0);
        let end = starts.get(index + 1).copied().filter(|line| *line > 0).unwrap_or(usize::MAX);
        let prefix = format!(".items[{index}]");
        let problems = problems
            .iter()
            .filter(|p| match (p.line, start) {
                (Some(line), Some(start)) => (start..end).contains(&line),
                _ => false,
            })
            .map(|p| Problem {
                path: p.path.strip_prefix(&prefix).unwrap_or(&p.path).to_owned(),
                ..p.clone()
            })
            .collect();
        let origin = Origin { line: start.or(origin.line), ..origin.clone() };
        raws.push(Raw { value: item, lines, problems, origin });
    }
    raws
}
