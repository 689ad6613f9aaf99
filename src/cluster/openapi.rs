//! Reads the OpenAPI v3 documents that a cluster publishes into the schema that the comparison walks. Pure.
//!
//! Sources of the rules: the extensions `x-kubernetes-*` as documented for CustomResourceDefinitions, and
//! `k8s.io/kube-openapi/pkg/schemaconv`, by which the API server itself builds its merge types from the same documents.
//! A built-in type is told from a custom one by the name of its component: built-in ones carry their Go package
//! (`io.k8s.api.apps.v1.Deployment`), custom ones the reversed group alone (`io.argoproj.v1alpha1.Application`).

use crate::model::GroupVersionKind;
use crate::model::schema::{KindSchema, ListKind, Node, NodeId, Schema, Shape};
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Levels of inline schemas below one another that are followed; deeper is plain data.
const DEPTH: usize = 100;

/// Why a document is no OpenAPI v3 document.
#[derive(Debug, thiserror::Error)]
pub enum OpenApiError {
    #[error("it is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    #[error("it has no components")]
    NoComponents,
}

/// Reads one group and version's document (`/openapi/v3/apis/apps/v1`).
pub fn read(document: &[u8]) -> Result<Schema, OpenApiError> {
    let json: Json = serde_json::from_slice(document)?;
    let components =
        json.pointer("/components/schemas").and_then(Json::as_object).ok_or(OpenApiError::NoComponents)?;
    let paths = Paths::read(json.get("paths").and_then(Json::as_object));
    let mut reader = Reader { components, schema: Schema::default(), done: HashMap::new(), same: Vec::new() };
    for (name, component) in components {
        // Other groups' types stand in the document too (a StatefulSet holds PersistentVolumeClaims), without paths.
        if let Some(kind) = kind_of(component).filter(|kind| paths.is_own(kind)) {
            let root = reader.component(name);
            reader.schema.add_kind(KindSchema {
                namespaced: paths.namespaced.contains(&kind),
                status_subresource: paths.status.contains(&kind),
                custom: !is_built_in(name),
                root,
                kind,
            });
        }
    }
    let mut schema = reader.finish();
    compact(&mut schema);
    Ok(schema)
}

/// Reads the schemas that a CustomResourceDefinition declares, as the server would publish them.
///
/// A version without a schema, and a definition that cannot be read, gives no kind.
pub fn read_definition(definition: &Json) -> Schema {
    let text = |pointer: &str| definition.pointer(pointer).and_then(Json::as_str);
    let mut schema = Schema::default();
    let (Some(group), Some(kind)) = (text("/spec/group"), text("/spec/names/kind")) else { return schema };
    for version in definition.pointer("/spec/versions").and_then(Json::as_array).into_iter().flatten() {
        let (Some(name), Some(declared)) =
            (version.get("name").and_then(Json::as_str), version.pointer("/schema/openAPIV3Schema"))
        else {
            continue;
        };
        let metadata = builtin_metadata(&mut schema);
        let nothing = Map::new();
        let mut reader = Reader { components: &nothing, schema, done: HashMap::new(), same: Vec::new() };
        let root = reader.node(declared, false, 0);
        schema = reader.finish();
        if let Some(Node { shape: Shape::Struct { fields, .. }, .. }) = schema.nodes.get_mut(root.0 as usize)
        {
            fields.extend(metadata);
        }
        schema.add_kind(KindSchema {
            kind: GroupVersionKind::new(group, name, kind),
            root,
            namespaced: text("/spec/scope") == Some("Namespaced"),
            status_subresource: version.pointer("/subresources/status").is_some(),
            custom: true,
        });
    }
    schema
}

/// Adds the fields that every object has to a schema, taken from the built-in schema of ConfigMap.
fn builtin_metadata(schema: &mut Schema) -> Vec<(String, NodeId)> {
    let mut own = (*super::builtin::schema()).clone();
    own.kinds.retain(|kind| kind.kind == GroupVersionKind::new("", "v1", "ConfigMap"));
    compact(&mut own);
    let root = own.kinds.first().and_then(|kind| own.node(kind.root));
    let Some(Shape::Struct { fields, .. }) = root.map(|node| node.shape.clone()) else { return Vec::new() };
    own.kinds.clear();
    let base = schema.nodes.len();
    schema.merge(own);
    #[allow(clippy::cast_possible_truncation)] // a schema's arena is numbered in 32 bits
    let shift = base as u32;
    ["apiVersion", "kind", "metadata"]
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), NodeId(fields.get(*name)?.0 + shift))))
        .collect()
}

/// Guesses a kind's name in URLs where nothing tells it, as `kubectl` guesses it for unknown kinds.
pub fn guess_plural(kind: &str) -> String {
    let singular = kind.to_lowercase();
    match singular.chars().last() {
        Some('s') => format!("{singular}es"),
        Some('y') => format!("{}ies", singular.trim_end_matches('y')),
        _ => format!("{singular}s"),
    }
}

/// Merges nodes that are equal all the way down, and drops those that no kind reaches.
///
/// Types recurse, so equality is found from above: all nodes of one form start as one class, and a class is split
/// until all its members' children are of the same classes.
pub fn compact(schema: &mut Schema) {
    fn children(shape: &Shape) -> Vec<usize> {
        match shape {
            Shape::Struct { fields, .. } => fields.values().map(|id| id.0 as usize).collect(),
            Shape::Map { value, .. } => vec![value.0 as usize],
            Shape::List { item, .. } => vec![item.0 as usize],
            _ => Vec::new(),
        }
    }
    let forms: Vec<String> = schema
        .nodes
        .iter()
        .map(|node| {
            let mut form = node.clone();
            point_all_at(&mut form.shape, NodeId(0));
            serde_json::to_string(&form).unwrap_or_default()
        })
        .collect();
    let below: Vec<Vec<usize>> = schema.nodes.iter().map(|node| children(&node.shape)).collect();
    let mut class = number(forms.iter());
    let mut classes = class.iter().max().map_or(0, |max| max + 1);
    loop {
        let signatures: Vec<(usize, Vec<usize>)> = (0..class.len())
            .map(|at| {
                (class[at], below[at].iter().map(|&child| class.get(child).copied().unwrap_or(0)).collect())
            })
            .collect();
        class = number(signatures.iter());
        let now = class.iter().max().map_or(0, |max| max + 1);
        if now == classes {
            break;
        }
        classes = now;
    }
    let old = std::mem::take(schema);
    let mut kept: HashMap<usize, NodeId> = HashMap::new();
    let mut waiting = Vec::new();
    for mut kind in old.kinds {
        kind.root = keep(kind.root, &class, &mut kept, schema, &mut waiting);
        schema.add_kind(kind);
    }
    while let Some((from, to)) = waiting.pop() {
        let Some(mut node) = old.nodes.get(from).cloned() else { continue };
        each_child(&mut node.shape, &mut |id| *id = keep(*id, &class, &mut kept, schema, &mut waiting));
        if let Some(slot) = schema.nodes.get_mut(to.0 as usize) {
            *slot = node;
        }
    }
}

/// Returns the new number of a node's class, and queues the node to be copied if it is the first of its class.
fn keep(
    id: NodeId,
    class: &[usize],
    kept: &mut HashMap<usize, NodeId>,
    schema: &mut Schema,
    waiting: &mut Vec<(usize, NodeId)>,
) -> NodeId {
    let at = id.0 as usize;
    let Some(&class) = class.get(at) else { return id };
    *kept.entry(class).or_insert_with(|| {
        let to = schema.add(Node { shape: Shape::Any, default: None, nullable: false });
        waiting.push((at, to));
        to
    })
}

fn number<T: std::hash::Hash + Eq>(items: impl Iterator<Item = T>) -> Vec<usize> {
    let mut numbers = HashMap::new();
    items
        .map(|item| {
            let next = numbers.len();
            *numbers.entry(item).or_insert(next)
        })
        .collect()
}

fn each_child(shape: &mut Shape, visit: &mut impl FnMut(&mut NodeId)) {
    match shape {
        Shape::Struct { fields, .. } => fields.values_mut().for_each(visit),
        Shape::Map { value, .. } => visit(value),
        Shape::List { item, .. } => visit(item),
        _ => {}
    }
}

fn point_all_at(shape: &mut Shape, to: NodeId) {
    each_child(shape, &mut |id| *id = to);
}

/// What the document's paths tell of its kinds.
#[derive(Default)]
struct Paths {
    /// The `apiVersion`s that the document is of: one.
    own: BTreeSet<String>,
    namespaced: BTreeSet<GroupVersionKind>,
    status: BTreeSet<GroupVersionKind>,
}

impl Paths {
    fn read(paths: Option<&Map<String, Json>>) -> Self {
        let mut read = Self::default();
        for (path, operations) in paths.into_iter().flatten() {
            let mut steps = path.trim_start_matches('/').split('/');
            match (steps.next(), steps.next(), steps.next()) {
                (Some("api"), Some(version), _) => read.own.insert(version.to_owned()),
                (Some("apis"), Some(group), Some(version)) => read.own.insert(format!("{group}/{version}")),
                _ => false,
            };
            for operation in operations.as_object().into_iter().flat_map(Map::values) {
                let Some(kind) = operation.get("x-kubernetes-group-version-kind").and_then(gvk) else {
                    continue;
                };
                if path.contains("/namespaces/{namespace}/") {
                    read.namespaced.insert(kind.clone());
                }
                if path.ends_with("/{name}/status") {
                    read.status.insert(kind);
                }
            }
        }
        read
    }
}

impl Paths {
    fn is_own(&self, kind: &GroupVersionKind) -> bool {
        self.own.contains(&kind.api_version())
    }
}

fn gvk(json: &Json) -> Option<GroupVersionKind> {
    let text = |field: &str| json.get(field).and_then(Json::as_str);
    Some(GroupVersionKind::new(text("group").unwrap_or_default(), text("version")?, text("kind")?))
}

/// Returns the kind that a component is the type of; lists and options that many groups share are no kinds here.
fn kind_of(component: &Json) -> Option<GroupVersionKind> {
    let [only] = component.get("x-kubernetes-group-version-kind")?.as_array()?.as_slice() else {
        return None;
    };
    let is_list = component
        .pointer("/properties/metadata")
        .and_then(reference)
        .is_some_and(|name| name.ends_with(".ListMeta"));
    if is_list { None } else { gvk(only) }
}

/// Returns the component that a schema refers to, directly or as the only member of `allOf`.
fn reference(schema: &Json) -> Option<&str> {
    let target = schema.get("$ref").or_else(|| match schema.get("allOf")?.as_array()?.as_slice() {
        [only] => only.get("$ref"),
        _ => None,
    })?;
    target.as_str()?.strip_prefix("#/components/schemas/")
}

fn is_built_in(component: &str) -> bool {
    component.starts_with("io.k8s.api.")
        || component.starts_with("io.k8s.apimachinery.")
        || component.contains(".pkg.apis.")
        || component.contains(".pkg.runtime.")
}

/// Returns the shape of the types whose Go code reads and writes JSON in its own way.
fn own_shape(component: &str) -> Option<Shape> {
    if !is_built_in(component) {
        return None;
    }
    match component.rsplit('.').next()? {
        "Quantity" => Some(Shape::Quantity),
        "IntOrString" => Some(Shape::IntOrString),
        "Time" | "MicroTime" => Some(Shape::DateTime),
        "Duration" => Some(Shape::Duration),
        "RawExtension"
        | "FieldsV1"
        | "Patch"
        | "JSON"
        | "JSONSchemaPropsOrArray"
        | "JSONSchemaPropsOrBool"
        | "JSONSchemaPropsOrStringArray" => Some(Shape::Any),
        _ => None,
    }
}

struct Reader<'a> {
    components: &'a Map<String, Json>,
    schema: Schema,
    done: HashMap<String, NodeId>,
    /// Nodes that take over the shape of another node once all are read: a reference with its own default.
    same: Vec<Same>,
}

struct Same {
    node: NodeId,
    target: NodeId,
    /// Said at the reference: it wins over what the type says.
    atomic: Option<bool>,
}

impl Reader<'_> {
    fn component(&mut self, name: &str) -> NodeId {
        if let Some(&id) = self.done.get(name) {
            return id;
        }
        let id = self.schema.add(Node { shape: Shape::Any, default: None, nullable: false });
        self.done.insert(name.to_owned(), id);
        let Some(json) = self.components.get(name) else { return id };
        let built_in = is_built_in(name);
        let shape = own_shape(name).unwrap_or_else(|| self.shape(json, built_in, 0));
        self.fill(id, Node { shape, default: json.get("default").cloned(), nullable: is_nullable(json) });
        id
    }

    fn fill(&mut self, id: NodeId, node: Node) {
        if let Some(slot) = self.schema.nodes.get_mut(id.0 as usize) {
            *slot = node;
        }
    }

    fn node(&mut self, json: &Json, built_in: bool, depth: usize) -> NodeId {
        let default = json.get("default").cloned();
        let nullable = is_nullable(json);
        if let Some(name) = reference(json) {
            let target = self.component(name);
            let atomic = map_type(json);
            if default.is_none() && !nullable && atomic.is_none() {
                return target;
            }
            let node = self.schema.add(Node { shape: Shape::Any, default, nullable });
            self.same.push(Same { node, target, atomic });
            return node;
        }
        let shape = if depth < DEPTH { self.shape(json, built_in, depth) } else { Shape::Any };
        self.schema.add(Node { shape, default, nullable })
    }

    fn shape(&mut self, json: &Json, built_in: bool, depth: usize) -> Shape {
        let flag = |name: &str| json.get(name).and_then(Json::as_bool).unwrap_or(false);
        if flag("x-kubernetes-int-or-string") {
            return if has_quantity_pattern(json) { Shape::Quantity } else { Shape::IntOrString };
        }
        // Only Go's own types are respelled by the server; in a custom resource such a string stays as it is.
        let format = json.get("format").and_then(Json::as_str).filter(|_| built_in);
        if format == Some("int-or-string") {
            return Shape::IntOrString;
        }
        match json.get("type").and_then(Json::as_str) {
            Some("boolean") => Shape::Boolean,
            Some("integer") => Shape::Integer,
            Some("number") => Shape::Number,
            Some("string") => match format {
                Some("byte") => Shape::Bytes,
                Some("date-time") => Shape::DateTime,
                _ => Shape::String,
            },
            Some("array") => {
                let kind = list_kind(json);
                let item = match json.get("items") {
                    Some(items) => self.node(items, built_in, depth + 1),
                    None => self.schema.add(Node { shape: Shape::Any, default: None, nullable: false }),
                };
                Shape::List { item, kind }
            }
            Some("object") => self.object(json, built_in, depth),
            _ if json.get("properties").is_some() => self.object(json, built_in, depth),
            _ => Shape::Any,
        }
    }

    fn object(&mut self, json: &Json, built_in: bool, depth: usize) -> Shape {
        let flag = |name: &str| json.get(name).and_then(Json::as_bool).unwrap_or(false);
        let preserve_unknown = flag("x-kubernetes-preserve-unknown-fields");
        let embedded = flag("x-kubernetes-embedded-resource");
        let atomic = map_type(json).unwrap_or(false);
        let properties = json.get("properties").and_then(Json::as_object);
        match json.get("additionalProperties") {
            Some(Json::Bool(false)) | None => {}
            Some(value) if properties.is_none_or(Map::is_empty) => {
                let value = self.node(value, built_in, depth + 1);
                return Shape::Map { value, atomic };
            }
            Some(_) => {}
        }
        if properties.is_none() && preserve_unknown && !embedded && !atomic {
            return Shape::Any;
        }
        let fields: BTreeMap<String, NodeId> = properties
            .into_iter()
            .flatten()
            .map(|(name, property)| (name.clone(), self.node(property, built_in, depth + 1)))
            .collect();
        let required = json
            .get("required")
            .and_then(Json::as_array)
            .map(|names| names.iter().filter_map(Json::as_str).map(str::to_owned).collect())
            .unwrap_or_default();
        Shape::Struct { fields, atomic, preserve_unknown, embedded, required }
    }

    fn finish(mut self) -> Schema {
        for Same { node, target, atomic } in std::mem::take(&mut self.same) {
            let Some(mut shape) = self.schema.node(target).map(|node| node.shape.clone()) else { continue };
            if let (Some(said), Shape::Struct { atomic, .. } | Shape::Map { atomic, .. }) =
                (atomic, &mut shape)
            {
                *atomic = said;
            }
            if let Some(slot) = self.schema.nodes.get_mut(node.0 as usize) {
                slot.shape = shape;
            }
        }
        self.schema
    }
}

fn is_nullable(json: &Json) -> bool {
    json.get("nullable").and_then(Json::as_bool).unwrap_or(false)
}

/// Returns whether a map or struct is said to be atomic, if anything is said.
fn map_type(json: &Json) -> Option<bool> {
    match json.get("x-kubernetes-map-type")?.as_str()? {
        "atomic" => Some(true),
        "granular" => Some(false),
        _ => None,
    }
}

/// Returns how a list merges. Without a list type the strategic merge patch's marks stand in; without either, atomic.
fn list_kind(json: &Json) -> ListKind {
    let text = |name: &str| json.get(name).and_then(Json::as_str);
    match text("x-kubernetes-list-type") {
        Some("set") => ListKind::Set,
        Some("map") => ListKind::Keyed(
            json.get("x-kubernetes-list-map-keys")
                .and_then(Json::as_array)
                .map(|keys| keys.iter().filter_map(Json::as_str).map(str::to_owned).collect())
                .unwrap_or_default(),
        ),
        Some(_) => ListKind::Atomic,
        None => {
            let merges =
                text("x-kubernetes-patch-strategy").is_some_and(|s| s.split(',').any(|s| s == "merge"));
            match (merges, text("x-kubernetes-patch-merge-key")) {
                (true, Some(key)) => ListKind::Keyed(vec![key.to_owned()]),
                (true, None) => ListKind::Set,
                _ => ListKind::Atomic,
            }
        }
    }
}

/// Returns whether a custom int-or-string is a quantity: controller-gen writes the quantity's own pattern beside it.
fn has_quantity_pattern(json: &Json) -> bool {
    json.get("pattern")
        .and_then(Json::as_str)
        .is_some_and(|pattern| pattern.starts_with(r"^(\+|-)?") && pattern.contains("[KMGTPE]i"))
}

#[cfg(test)]
mod tests;
