//! Tests of reading OpenAPI documents.

use super::*;
use serde_json::json;

fn document(schemas: &Json) -> Schema {
    let document = json!({
        "paths": {
            "/apis/example.com/v1/namespaces/{namespace}/things/{name}": {"get": {
                "x-kubernetes-group-version-kind": {"group": "example.com", "version": "v1", "kind": "Thing"}}},
            "/apis/example.com/v1/namespaces/{namespace}/things/{name}/status": {"get": {
                "x-kubernetes-group-version-kind": {"group": "example.com", "version": "v1", "kind": "Thing"}}}
        },
        "components": {"schemas": schemas}
    });
    read(document.to_string().as_bytes()).unwrap()
}

fn thing(properties: &Json) -> Schema {
    document(&json!({"com.example.v1.Thing": {
        "type": "object", "properties": properties,
        "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Thing"}]
    }}))
}

fn field<'a>(schema: &'a Schema, path: &[&str]) -> &'a Node {
    let kind = schema.kind(&GroupVersionKind::new("example.com", "v1", "Thing")).unwrap();
    path.iter().fold(schema.node(kind.root).unwrap(), |node, name| {
        let id = match &node.shape {
            Shape::Struct { fields, .. } => fields[*name],
            Shape::Map { value, .. } => *value,
            Shape::List { item, .. } => *item,
            other => panic!("{other:?} has no {name}"),
        };
        schema.node(id).unwrap()
    })
}

#[test]
fn scope_status_and_custom_come_from_paths_and_names() {
    let schema = thing(&json!({}));
    let kind = schema.kind(&GroupVersionKind::new("example.com", "v1", "Thing")).unwrap();
    assert!(kind.namespaced && kind.status_subresource && kind.custom);
}

#[test]
fn every_list_type_is_read_and_the_patch_strategy_stands_in() {
    let schema = thing(&json!({
        "atomic": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "atomic"},
        "plain": {"type": "array", "items": {"type": "string"}},
        "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "map": {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["port", "protocol"]},
        "merged": {"type": "array", "items": {"type": "object"}, "x-kubernetes-patch-strategy": "merge,retainKeys",
                   "x-kubernetes-patch-merge-key": "name"},
        "added": {"type": "array", "items": {"type": "string"}, "x-kubernetes-patch-strategy": "merge"}
    }));
    let kind = |name: &str| match &field(&schema, &[name]).shape {
        Shape::List { kind, .. } => kind.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(kind("atomic"), ListKind::Atomic);
    assert_eq!(kind("plain"), ListKind::Atomic);
    assert_eq!(kind("set"), ListKind::Set);
    assert_eq!(kind("map"), ListKind::Keyed(vec!["port".into(), "protocol".into()]));
    assert_eq!(kind("merged"), ListKind::Keyed(vec!["name".into()]));
    assert_eq!(kind("added"), ListKind::Set);
}

#[test]
fn scalars_of_custom_resources_stay_as_they_are_spelled() {
    let schema = thing(&json!({
        "when": {"type": "string", "format": "date-time"},
        "blob": {"type": "string", "format": "byte"},
        "port": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        "memory": {"x-kubernetes-int-or-string": true,
                   "pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"},
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "untyped": {"x-kubernetes-preserve-unknown-fields": true},
        "empty": {"type": "object", "nullable": true},
        "embedded": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
        "on": {"type": "boolean", "default": true}
    }));
    let shape = |name: &str| &field(&schema, &[name]).shape;
    assert_eq!(shape("when"), &Shape::String);
    assert_eq!(shape("blob"), &Shape::String);
    assert_eq!(shape("port"), &Shape::IntOrString);
    assert_eq!(shape("memory"), &Shape::Quantity);
    assert_eq!(shape("any"), &Shape::Any);
    assert_eq!(shape("untyped"), &Shape::Any);
    assert!(matches!(shape("empty"), Shape::Struct { preserve_unknown: false, .. }));
    assert!(field(&schema, &["empty"]).nullable);
    assert!(matches!(shape("embedded"), Shape::Struct { embedded: true, preserve_unknown: true, .. }));
    assert_eq!(field(&schema, &["on"]).default, Some(json!(true)));
}

#[test]
fn a_reference_keeps_its_own_default_and_map_type_over_a_recursive_type() {
    let schema = document(&json!({
        "com.example.v1.Thing": {
            "type": "object",
            "properties": {
                "tree": {"allOf": [{"$ref": "#/components/schemas/io.k8s.api.x.v1.Tree"}], "default": {"leaf": 1},
                         "x-kubernetes-map-type": "atomic"},
                "time": {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.Time"},
                "share": {"allOf": [{"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity"}]}
            },
            "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Thing"}]
        },
        "io.k8s.api.x.v1.Tree": {"type": "object", "properties": {
            "leaf": {"type": "integer"},
            "below": {"type": "array", "items": {"default": {}, "allOf": [{"$ref": "#/components/schemas/io.k8s.api.x.v1.Tree"}]}}
        }},
        "io.k8s.apimachinery.pkg.apis.meta.v1.Time": {"type": "string", "format": "date-time"},
        "io.k8s.apimachinery.pkg.api.resource.Quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]}
    }));
    let tree = field(&schema, &["tree"]);
    assert_eq!(tree.default, Some(json!({"leaf": 1})));
    assert!(matches!(tree.shape, Shape::Struct { atomic: true, .. }));
    let inner = field(&schema, &["tree", "below", "", "below", ""]);
    assert!(matches!(inner.shape, Shape::Struct { atomic: false, .. }));
    assert_eq!(field(&schema, &["time"]).shape, Shape::DateTime);
    assert_eq!(field(&schema, &["share"]).shape, Shape::Quantity);
}

#[test]
fn lists_shared_options_and_other_groups_types_are_no_kinds_of_a_document() {
    let schema = document(&json!({
        "com.example.v1.ThingList": {"type": "object",
            "properties": {"metadata": {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"}},
            "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "ThingList"}]},
        "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions": {"type": "object",
            "x-kubernetes-group-version-kind": [
                {"group": "a", "version": "v1", "kind": "DeleteOptions"}, {"group": "b", "version": "v1", "kind": "DeleteOptions"}]},
        "io.k8s.api.core.v1.PersistentVolumeClaim": {"type": "object",
            "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "PersistentVolumeClaim"}]}
    }));
    assert_eq!(schema.kinds, []);
}

#[test]
fn compacting_keeps_what_can_be_reached_and_nothing_twice() {
    let mut schema = thing(&json!({
        "a": {"type": "object", "properties": {"x": {"type": "string"}, "y": {"type": "string"}}},
        "b": {"type": "object", "properties": {"x": {"type": "string"}, "y": {"type": "string"}}}
    }));
    assert_eq!(schema.nodes.len(), 3, "the kind, the struct that a and b share, and the string");
    let before = schema.clone();
    compact(&mut schema);
    assert_eq!(schema.nodes.len(), before.nodes.len());
}

#[test]
fn what_is_no_openapi_document_is_refused() {
    assert!(matches!(read(b"{"), Err(OpenApiError::NotJson(_))));
    assert!(matches!(read(b"{}"), Err(OpenApiError::NoComponents)));
}
