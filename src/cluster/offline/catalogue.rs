//! Knows which kinds an offline cluster serves, and their schema: the built-in ones and those of its CRDs.

use crate::cluster::{builtin, openapi};
use crate::model::{GroupVersionKind, Schema, ServedKind, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an API server lets users do with most kinds.
const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

pub(super) struct Catalogue {
    /// Built-in kinds, and kinds that were met without a definition.
    known: Vec<ServedKind>,
    /// By the name of the CustomResourceDefinition.
    defined: BTreeMap<String, Vec<ServedKind>>,
    defined_schemas: BTreeMap<String, Schema>,
    schema: Arc<Schema>,
}

impl Catalogue {
    pub fn built_in() -> Self {
        Self {
            known: builtin::kinds().to_vec(),
            defined: BTreeMap::new(),
            defined_schemas: BTreeMap::new(),
            schema: builtin::schema(),
        }
    }

    pub fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.schema)
    }

    pub fn kinds(&self) -> Vec<ServedKind> {
        self.known.iter().chain(self.defined.values().flatten()).cloned().collect()
    }

    pub fn served(&self, kind: &GroupVersionKind) -> Option<&ServedKind> {
        self.known.iter().chain(self.defined.values().flatten()).find(|k| &k.kind == kind)
    }

    /// Takes in a kind of an object that came without a definition of its kind, so that it can be listed.
    pub fn meet(&mut self, kind: &GroupVersionKind, namespaced: bool) {
        if self.served(kind).is_none() {
            self.known.push(ServedKind {
                kind: kind.clone(),
                plural: openapi::guess_plural(&kind.kind),
                namespaced,
                verbs: VERBS.map(str::to_owned).to_vec(),
                preferred: true,
                status_subresource: false,
            });
        }
    }

    /// Takes in a CustomResourceDefinition, or forgets it.
    pub fn learn(&mut self, name: &str, definition: Option<&Value>) {
        let kinds = definition.map(kinds_of).unwrap_or_default();
        let schema = definition.map(|d| openapi::read_definition(&crate::cluster::body::to_json(d)));
        if let Some(schema) = schema.filter(|_| !kinds.is_empty()) {
            self.known.retain(|known| !kinds.iter().any(|k| k.kind == known.kind));
            self.defined.insert(name.to_owned(), kinds);
            self.defined_schemas.insert(name.to_owned(), schema);
        } else {
            self.defined.remove(name);
            self.defined_schemas.remove(name);
        }
        let mut schema = (*builtin::schema()).clone();
        for defined in self.defined_schemas.values() {
            schema.merge(defined.clone());
        }
        self.schema = Arc::new(schema);
    }
}

fn kinds_of(definition: &Value) -> Vec<ServedKind> {
    let Some(group) = definition.str_at(&["spec", "group"]) else { return Vec::new() };
    let names = |name: &str| definition.str_at(&["spec", "names", name]).map(str::to_owned);
    let (Some(kind), Some(plural)) = (names("kind"), names("plural")) else { return Vec::new() };
    let versions = definition.at(&["spec", "versions"]).and_then(Value::as_list).unwrap_or_default();
    let served = versions.iter().filter(|v| v.get("served").and_then(Value::as_bool).unwrap_or(true));
    served
        .filter_map(|version| {
            Some(ServedKind {
                kind: GroupVersionKind::new(group, version.str_at(&["name"])?, &kind),
                plural: plural.clone(),
                namespaced: definition.str_at(&["spec", "scope"]) == Some("Namespaced"),
                verbs: VERBS.map(str::to_owned).to_vec(),
                preferred: version.get("storage").and_then(Value::as_bool).unwrap_or(false),
                status_subresource: version.at(&["subresources", "status"]).is_some(),
            })
        })
        .collect()
}
