//! Applies JSON patches, merge patches and strategic merge patches to an object.

use crate::model::schema::{ListKind, NodeId, Shape};
use crate::model::{Map, Schema, Value};

/// Why a patch does not fit the object.
#[derive(Debug, PartialEq)]
pub(super) enum Misfit {
    /// A `test` of a JSON patch failed at this pointer.
    Test(String),
    /// The pointer leads nowhere, or an operation is none.
    Pointer(String),
}

/// Applies a JSON patch (RFC 6902), all of it or nothing.
pub(super) fn json(object: &mut Value, operations: &[Value]) -> Result<(), Misfit> {
    let mut patched = object.clone();
    for operation in operations {
        let path =
            operation.str_at(&["path"]).ok_or_else(|| Misfit::Pointer("an operation without path".into()))?;
        let from = operation.str_at(&["from"]).unwrap_or_default();
        let value = || operation.get("value").cloned().unwrap_or_default();
        match operation.str_at(&["op"]) {
            Some("test") if at_pointer(&patched, path) == Some(&value()) => {}
            Some("test") => return Err(Misfit::Test(path.to_owned())),
            Some("add") => insert(&mut patched, path, value())?,
            Some("replace") => {
                remove(&mut patched, path)?;
                insert(&mut patched, path, value())?;
            }
            Some("remove") => {
                remove(&mut patched, path)?;
            }
            Some("move") => {
                let moved = remove(&mut patched, from)?;
                insert(&mut patched, path, moved)?;
            }
            Some("copy") => {
                let copied =
                    at_pointer(&patched, from).cloned().ok_or_else(|| Misfit::Pointer(from.to_owned()))?;
                insert(&mut patched, path, copied)?;
            }
            _ => return Err(Misfit::Pointer(path.to_owned())),
        }
    }
    *object = patched;
    Ok(())
}

fn steps(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}

fn at_pointer<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    steps(pointer).iter().try_fold(object, |value, step| match value {
        Value::Map(map) => map.get(step),
        Value::List(list) => list.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

fn parent<'a>(object: &'a mut Value, pointer: &str) -> Result<(&'a mut Value, String), Misfit> {
    let misfit = || Misfit::Pointer(pointer.to_owned());
    let mut steps = steps(pointer);
    let last = steps.pop().ok_or_else(misfit)?;
    let mut value = object;
    for step in steps {
        value = match value {
            Value::Map(map) => map.get_mut(&step),
            Value::List(list) => step.parse::<usize>().ok().and_then(|at| list.get_mut(at)),
            _ => None,
        }
        .ok_or_else(misfit)?;
    }
    Ok((value, last))
}

fn insert(object: &mut Value, pointer: &str, new: Value) -> Result<(), Misfit> {
    if pointer.is_empty() {
        *object = new;
        return Ok(());
    }
    let misfit = || Misfit::Pointer(pointer.to_owned());
    match parent(object, pointer)? {
        (Value::Map(map), last) => {
            map.insert(last, new);
        }
        (Value::List(list), last) => {
            let at = if last == "-" { list.len() } else { last.parse().map_err(|_| misfit())? };
            if at > list.len() {
                return Err(misfit());
            }
            list.insert(at, new);
        }
        _ => return Err(misfit()),
    }
    Ok(())
}

fn remove(object: &mut Value, pointer: &str) -> Result<Value, Misfit> {
    let misfit = || Misfit::Pointer(pointer.to_owned());
    match parent(object, pointer)? {
        (Value::Map(map), last) => map.remove(&last).ok_or_else(misfit),
        (Value::List(list), last) => {
            let at = last.parse().ok().filter(|at| *at < list.len()).ok_or_else(misfit)?;
            Ok(list.remove(at))
        }
        _ => Err(misfit()),
    }
}

/// Applies a merge patch (RFC 7386): null removes, maps merge, everything else replaces.
pub(super) fn merge(object: &mut Value, patch: &Value) {
    let Value::Map(changes) = patch else {
        *object = patch.clone();
        return;
    };
    if !matches!(object, Value::Map(_)) {
        *object = Value::Map(Map::new());
    }
    let Value::Map(map) = object else { return };
    for (name, change) in changes {
        if change.is_null() {
            map.remove(name);
        } else {
            merge(map.entry(name.clone()).or_default(), change);
        }
    }
}

/// Applies a strategic merge patch: keyed lists merge by the first of their keys, sets by value, with `$patch`,
/// `$retainKeys`, `$deleteFromPrimitiveList` and `$setElementOrder`.
///
/// Source: `k8s.io/apimachinery/pkg/util/strategicpatch`. The published schema does not tell the few keyed lists that
/// strategic merge replaces whole; they merge here.
pub(super) fn strategic(schema: &Schema, node: Option<NodeId>, object: &mut Value, patch: &Value) {
    let Value::Map(changes) = patch else {
        *object = patch.clone();
        return;
    };
    if changes.get("$patch").and_then(Value::as_str) == Some("replace") || !matches!(object, Value::Map(_)) {
        *object = Value::Map(Map::new());
    }
    let Value::Map(map) = object else { return };
    if let Some(retain) = changes.get("$retainKeys").and_then(Value::as_list) {
        map.retain(|name, _| retain.iter().any(|kept| kept.as_str() == Some(name)));
    }
    let shape = node.and_then(|id| schema.node(id)).map(|node| &node.shape);
    let below = |name: &str| match shape? {
        Shape::Struct { fields, .. } => fields.get(name).copied(),
        Shape::Map { value, .. } => Some(*value),
        _ => None,
    };
    for (name, change) in changes {
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = change.as_list().unwrap_or_default();
            if let Some(Value::List(items)) = map.get_mut(list) {
                items.retain(|item| !gone.contains(item));
            }
        } else if name.starts_with('$') {
            // `$setElementOrder` only orders; the items' own order is kept.
        } else if change.is_null() {
            map.remove(name);
        } else {
            let node = below(name);
            let value = map.entry(name.clone()).or_default();
            match (node.and_then(|id| schema.node(id)).map(|node| &node.shape), change) {
                (Some(Shape::List { item, kind }), Value::List(change)) if kind != &ListKind::Atomic => {
                    let key = if let ListKind::Keyed(keys) = kind { keys.first() } else { None };
                    strategic_list(schema, *item, key.map(String::as_str), value, change);
                }
                (_, Value::Map(_)) => strategic(schema, node, value, change),
                _ => *value = change.clone(),
            }
        }
    }
}

fn strategic_list(schema: &Schema, item: NodeId, key: Option<&str>, value: &mut Value, changes: &[Value]) {
    if !matches!(value, Value::List(_)) {
        *value = Value::List(Vec::new());
    }
    let Value::List(list) = value else { return };
    if changes.iter().any(|change| change.str_at(&["$patch"]) == Some("replace")) {
        list.clear();
    }
    for change in changes {
        let Some(key) = key else {
            if !list.contains(change) {
                list.push(change.clone());
            }
            continue;
        };
        let Some(wanted) = change.get(key) else { continue };
        let found = list.iter().position(|item| item.get(key) == Some(wanted));
        match (found, change.str_at(&["$patch"])) {
            (Some(at), Some("delete")) => {
                list.remove(at);
            }
            (None, Some("delete")) => {}
            (Some(at), _) => {
                if let Some(target) = list.get_mut(at) {
                    strategic(schema, Some(item), target, change);
                }
            }
            (None, _) => {
                let mut new = Value::Map(Map::new());
                strategic(schema, Some(item), &mut new, change);
                list.push(new);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::builtin;
    use crate::model::GroupVersionKind;
    use crate::value;

    #[test]
    fn a_json_patch_whose_test_fails_changes_nothing() {
        let mut object = value!({"spec": {"replicas": 1, "list": ["a"]}});
        let operations = [
            value!({"op": "replace", "path": "/spec/replicas", "value": 2}),
            value!({"op": "test", "path": "/spec/list/0", "value": "b"}),
        ];
        assert_eq!(json(&mut object, &operations), Err(Misfit::Test("/spec/list/0".into())));
        assert_eq!(object, value!({"spec": {"replicas": 1, "list": ["a"]}}));
    }

    #[test]
    fn json_patches_add_remove_and_move() {
        let mut object = value!({"a": {"x/y": 1}, "l": [1, 2]});
        let operations = [
            value!({"op": "test", "path": "/a/x~1y", "value": 1}),
            value!({"op": "remove", "path": "/a/x~1y"}),
            value!({"op": "add", "path": "/l/-", "value": 3}),
            value!({"op": "add", "path": "/l/0", "value": 0}),
            value!({"op": "move", "from": "/l/1", "path": "/first"}),
        ];
        json(&mut object, &operations).unwrap();
        assert_eq!(object, value!({"a": {}, "l": [0, 2, 3], "first": 1}));
        assert!(json(&mut object, &[value!({"op": "remove", "path": "/none"})]).is_err());
    }

    #[test]
    fn a_merge_patch_removes_by_null() {
        let mut object = value!({"a": {"b": 1, "c": 2}, "l": [1]});
        merge(&mut object, &value!({"a": {"b": null, "d": 3}, "l": [2]}));
        assert_eq!(object, value!({"a": {"c": 2, "d": 3}, "l": [2]}));
    }

    #[test]
    fn a_strategic_patch_merges_keyed_lists_and_deletes_items() {
        let schema = builtin::schema();
        let root = schema.kind(&GroupVersionKind::new("apps", "v1", "Deployment")).map(|k| k.root);
        let mut object = value!({"spec": {"template": {"spec": {"containers": [
            {"name": "app", "image": "a:1", "args": ["x"]}, {"name": "side", "image": "s:1"}]}}}});
        strategic(
            &schema,
            root,
            &mut object,
            &value!({"spec": {"template": {"spec": {"containers": [
            {"name": "app", "image": "a:2"}, {"name": "side", "$patch": "delete"}, {"name": "more", "image": "m"}]}}}}),
        );
        assert_eq!(
            object,
            value!({"spec": {"template": {"spec": {"containers": [
            {"name": "app", "image": "a:2", "args": ["x"]}, {"name": "more", "image": "m"}]}}}})
        );
    }
}
