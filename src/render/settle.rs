//! Defines how declared objects get their identity in a cluster: namespaces, scopes, and what is declared twice.

use super::context::RenderContext;
use super::declared::{Declared, Reading};
use crate::model::manifest::BodyLines;
use crate::model::{App, GroupKind, Identity, Manifest, Notice, Origin, ResourceId, Value};
use std::collections::HashMap;

/// What rendering an app came to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rendered {
    /// In the order of the files, or of the tool's output. Each id stands at most once, except those without a name.
    pub manifests: Vec<Manifest>,
    pub notices: Vec<Notice>,
    /// Nothing is left out: every document could be read and the tool, if one was needed, succeeded.
    pub complete: bool,
}

impl Rendered {
    pub(super) fn failed(title: impl Into<String>) -> Self {
        Self { manifests: Vec::new(), notices: vec![Notice::error(title)], complete: false }
    }
}

/// Gives every object its identity in the context's cluster.
///
/// A cluster-scoped object has no namespace, whatever it says. An object whose scope nobody knows gets only a namespace
/// that somebody asked for: the manifest, the command line or the configuration. Of an object that is declared twice the
/// last stays, as when both are applied, with a warning that names both.
pub(super) fn settle(reading: Reading, app: &App, context: &RenderContext) -> Rendered {
    let Reading { objects, mut notices, incomplete } = reading;
    let scopes = scopes_of_definitions(&objects);
    let default = context.namespace(app.namespace.as_deref());
    let mut manifests: Vec<Option<Manifest>> = Vec::with_capacity(objects.len());
    let mut places: HashMap<ResourceId, usize> = HashMap::new();
    for object in objects {
        let group_kind = object.kind.group_kind();
        let namespaced = (context.namespaced)(&object.kind).or_else(|| scopes.get(&group_kind).copied());
        let manifest = identify(object, group_kind, namespaced, &default, context);
        if manifest.id.name.is_some()
            && let Some(earlier) = places.insert(manifest.id.clone(), manifests.len())
            && let Some(first) = manifests.get_mut(earlier).and_then(Option::take)
        {
            notices.push(declared_twice(&first, &manifest));
        }
        manifests.push(Some(manifest));
    }
    Rendered { manifests: manifests.into_iter().flatten().collect(), notices, complete: !incomplete }
}

fn identify(
    object: Declared,
    kind: GroupKind,
    namespaced: Option<bool>,
    (default, asked): &(String, bool),
    context: &RenderContext,
) -> Manifest {
    let Declared { kind: version, name, mut body, origin, problems, lines, overlay } = object;
    let own = body.str_at(&["metadata", "namespace"]).filter(|own| !own.is_empty()).map(ToOwned::to_owned);
    let namespace = match namespaced {
        Some(false) => {
            if let Some(metadata) =
                body.as_map_mut().and_then(|b| b.get_mut("metadata")).and_then(Value::as_map_mut)
            {
                metadata.remove("namespace");
            }
            None
        }
        Some(true) => own.or_else(|| Some(default.clone())),
        None => own.or_else(|| asked.then(|| default.clone())),
    };
    let id = ResourceId::from(Identity { cluster: context.cluster.clone(), kind, namespace, name });
    let lines = BodyLines::of(&lines, &body);
    Manifest { id, kind: version, body, origin, problems, lines, overlay }
}

/// Returns the scopes that the rendering's own CustomResourceDefinitions declare: the cluster may not serve them yet.
fn scopes_of_definitions(objects: &[Declared]) -> HashMap<GroupKind, bool> {
    objects
        .iter()
        .filter(|o| o.kind.group == "apiextensions.k8s.io" && o.kind.kind == "CustomResourceDefinition")
        .filter_map(|definition| {
            let body = &definition.body;
            let kind =
                GroupKind::new(body.str_at(&["spec", "group"])?, body.str_at(&["spec", "names", "kind"])?);
            Some((kind, body.str_at(&["spec", "scope"])? == "Namespaced"))
        })
        .collect()
}

fn declared_twice(first: &Manifest, last: &Manifest) -> Notice {
    Notice::warning(format!("{} is declared twice", last.id))
        .cause(format!("in {} and in {}; the last counts", place(&first.origin), place(&last.origin)))
        .file(&last.origin.file, last.origin.line)
        .object(last.id.to_string())
}

fn place(origin: &Origin) -> String {
    match origin.line {
        Some(line) => format!("{}:{line}", origin.file),
        None => origin.file.clone(),
    }
}
