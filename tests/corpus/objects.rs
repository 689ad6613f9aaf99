//! Reads the corpus' objects as the comparison wants them.

use driftdeck::model::manifest::BodyLines;
use driftdeck::model::sealed::{number_to_json, seal_object};
use driftdeck::model::{
    ClusterId, GroupVersionKind, Identity, LiveObject, Manifest, Origin, ResourceId, Value,
};
use driftdeck::text::yaml::read_documents;
use std::path::Path;

/// The cluster that all objects are said to be in.
pub fn cluster() -> ClusterId {
    ClusterId("corpus".into())
}

/// Reads the first document of a JSON or YAML file.
pub fn document(path: &Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let first = read_documents(&bytes).into_iter().next().expect("a document");
    first.unwrap_or_else(|e| panic!("{}: {e}", path.display())).value
}

/// Returns an object as Git declares it.
pub fn desired(mut body: Value) -> Manifest {
    let text = |path: &[&str]| body.str_at(path).map(str::to_owned);
    let kind = GroupVersionKind::from_api_version(
        body.str_at(&["apiVersion"]).unwrap_or_default(),
        body.str_at(&["kind"]).unwrap_or_default(),
    );
    let id = ResourceId::from(Identity {
        cluster: cluster(),
        kind: kind.group_kind(),
        namespace: text(&["metadata", "namespace"]),
        name: text(&["metadata", "name"]),
    });
    seal_object(&id.kind, &mut body);
    let (origin, lines) = (Origin::default(), BodyLines::default());
    Manifest { id, kind, body, origin, problems: Vec::new(), lines, overlay: None }
}

/// Returns an object as a cluster holds it.
pub fn live(body: Value) -> Option<LiveObject> {
    LiveObject::read(&cluster(), body).ok()
}

/// Returns a value that holds nothing sealed as JSON, as it is.
pub fn plain(value: &Value) -> serde_json::Value {
    match value {
        Value::Map(fields) => fields
            .iter()
            .map(|(name, below)| (name.clone(), plain(below)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::List(items) => items.iter().map(plain).collect(),
        Value::String(text) => text.as_str().into(),
        Value::Bool(is) => (*is).into(),
        Value::Number(number) => number_to_json(*number),
        _ => serde_json::Value::Null,
    }
}
