//! Defines what a write does to an object, leaf by leaf, from the object before it and the object that the API server's
//! dry run returns.
//!
//! Both come from the server in the same version, so they are compared as they are; the schema is needed to pair the
//! items of lists, and to tell where an empty value says no more than none.

use super::bind;
use crate::drift::is_unset;
use crate::model::field;
use crate::model::field_path::Scalar;
use crate::model::schema::{ListKind, NodeId, Shape};
use crate::model::sealed::LAST_APPLIED;
use crate::model::{
    Effect, FieldChange, FieldPath, GroupVersionKind, LiveObject, Map, Schema, Segment, Step, Value,
};
use std::collections::BTreeSet;

/// Fields of `metadata` that the server keeps by itself.
const SERVER_METADATA: [&str; 6] =
    ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"];

/// Returns every leaf that differs. Status, the server's own metadata and kubectl's last-applied do not count.
pub fn effects(schema: &Schema, before: &LiveObject, after: &LiveObject) -> Vec<Effect> {
    let walk = Walk { schema, kind: &after.kind };
    let root = root(schema, &after.kind);
    let mut found = Vec::new();
    let (before, after) = (bare(before), bare(after));
    walk.compare(root, Some(&before), Some(&after), &FieldPath::root(), &mut found);
    found
}

/// Returns whether a change shows an effect: the leaf lies where the change points, or the change points into the leaf.
/// An order is shown by the order of that list, or by what changes as a whole around it; it shows nothing of the items.
pub fn shows(change: &FieldChange, effect: &Effect) -> bool {
    let (shown, leaf) = (&change.path, &effect.path);
    match (change.is_order(), effect.is_order()) {
        (true, _) => leaf == shown,
        (false, true) => leaf.is_under(shown),
        (false, false) => leaf.is_under(shown) || shown.is_under(leaf),
    }
}

/// Holds what a dry run shows now against what it showed when the step was planned, and returns the paths that differ.
///
/// What the server adds by itself may have another value each time (a webhook's time stamp), but no other place.
pub fn same_effect(step: &Step, planned: &[Effect], now: &[Effect]) -> Result<(), Vec<String>> {
    let shown = |effect: &Effect| step.changes.iter().any(|c| c.counts && shows(c, effect));
    let same_after = |a: &Effect, b: &Effect| {
        if a.is_order() { in_one_order(a.after.as_ref(), b.after.as_ref()) } else { a.after == b.after }
    };
    let alike = |a: &Effect, b: &Effect| {
        a.path == b.path && a.order_by == b.order_by && (!shown(a) || same_after(a, b))
    };
    let lacks = |these: &'_ [Effect], in_those: &'_ [Effect]| -> Vec<String> {
        let unlike = these.iter().filter(|a| !in_those.iter().any(|b| alike(a, b)));
        unlike.map(|effect| effect.path.to_string()).collect()
    };
    let mut paths = lacks(planned, now);
    paths.extend(lacks(now, planned));
    paths.sort();
    paths.dedup();
    if paths.is_empty() { Ok(()) } else { Err(paths) }
}

/// Returns whether the items that two lists have in common stand in one order. The lists may differ: a step before may
/// have removed an item.
fn in_one_order(a: Option<&Value>, b: Option<&Value>) -> bool {
    let (a, b) = (items(a), items(b));
    common(a, b) == common(b, a)
}

fn common(these: &[Value], those: &[Value]) -> Vec<Value> {
    these.iter().filter(|item| those.contains(item)).cloned().collect()
}

fn items(list: Option<&Value>) -> &[Value] {
    list.and_then(Value::as_list).unwrap_or_default()
}

fn root(schema: &Schema, kind: &GroupVersionKind) -> Option<NodeId> {
    schema.kind(kind).or_else(|| schema.any_version(&kind.group_kind())).map(|k| k.root)
}

fn bare(live: &LiveObject) -> Value {
    // A status update may come between the read and the dry run.
    let mut body = bind::without_status(live);
    if let Some(metadata) =
        body.as_map_mut().and_then(|object| object.get_mut("metadata")).and_then(Value::as_map_mut)
    {
        metadata.retain(|name, _| !SERVER_METADATA.contains(&name.as_str()));
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_map_mut) {
            annotations.remove(LAST_APPLIED);
        }
    }
    body
}

struct Walk<'a> {
    schema: &'a Schema,
    kind: &'a GroupVersionKind,
}

impl Walk<'_> {
    fn compare(
        &self,
        node: Option<NodeId>,
        before: Option<&Value>,
        after: Option<&Value>,
        at: &FieldPath,
        found: &mut Vec<Effect>,
    ) {
        if before == after {
            return;
        }
        let (before, after) = (before.filter(|v| !v.is_null()), after.filter(|v| !v.is_null()));
        let told = found.len();
        let looked_inside = match (before.or(after), before, after) {
            (Some(Value::Map(_)), None | Some(Value::Map(_)), None | Some(Value::Map(_)))
                if !self.is_atomic(node) =>
            {
                self.maps(node, before.and_then(Value::as_map), after.and_then(Value::as_map), at, found);
                true
            }
            (Some(Value::List(_)), None | Some(Value::List(_)), None | Some(Value::List(_)))
                if self.pairing(node).is_some() =>
            {
                self.lists(node, before, after, at, found);
                true
            }
            _ => false,
        };
        // What comes or goes without a leaf of its own is one itself.
        if looked_inside && (found.len() > told || (before.is_some() && after.is_some())) {
            return;
        }
        if !self.is_nothing(before, at) || !self.is_nothing(after, at) {
            let (before, after) = (before.cloned(), after.cloned());
            found.push(Effect { path: at.clone(), before, after, order_by: None });
        }
    }

    fn maps(
        &self,
        node: Option<NodeId>,
        before: Option<&Map>,
        after: Option<&Map>,
        at: &FieldPath,
        found: &mut Vec<Effect>,
    ) {
        let names: BTreeSet<&String> = before.into_iter().chain(after).flat_map(Map::keys).collect();
        for name in names {
            let value = |map: Option<&'_ Map>| map.and_then(|m| m.get(name)).cloned();
            let (b, a) = (value(before), value(after));
            self.compare(self.field(node, name), b.as_ref(), a.as_ref(), &at.field(name), found);
        }
    }

    fn lists(
        &self,
        node: Option<NodeId>,
        before: Option<&Value>,
        after: Option<&Value>,
        at: &FieldPath,
        found: &mut Vec<Effect>,
    ) {
        let Some((kind, item)) = self.pairing(node) else { return };
        let mut segments = Vec::new();
        for value in before.into_iter().chain(after).filter_map(Value::as_list).flatten() {
            let segment = segment(kind, value);
            if !segments.contains(&segment) {
                segments.push(segment);
            }
        }
        for segment in segments {
            let find = |list: Option<&Value>| list.and_then(|l| field::child(l, &segment)).cloned();
            let (b, a) = (find(before), find(after));
            self.compare(Some(item), b.as_ref(), a.as_ref(), &at.join(segment), found);
        }
        found.extend(reordered(kind, items(before), items(after), at));
    }

    /// Returns whether a value says no more than its absence, as the comparison of this kind takes it.
    fn is_nothing(&self, value: Option<&Value>, at: &FieldPath) -> bool {
        let holds_others = |value: &Value| matches!(value, Value::Map(_) | Value::List(_));
        value.is_none_or(|value| {
            (value.is_empty() || holds_others(value)) && is_unset(self.schema, self.kind, at, value)
        })
    }

    fn is_atomic(&self, node: Option<NodeId>) -> bool {
        node.and_then(|id| self.schema.node(id)).is_some_and(|n| {
            matches!(n.shape, Shape::Struct { atomic: true, .. } | Shape::Map { atomic: true, .. })
        })
    }

    fn field(&self, node: Option<NodeId>, name: &str) -> Option<NodeId> {
        match &self.schema.node(node?)?.shape {
            Shape::Struct { fields, .. } => fields.get(name).copied(),
            Shape::Map { value, .. } => Some(*value),
            _ => None,
        }
    }

    /// Returns how the items of a list are paired; `None` where the list is one value.
    fn pairing(&self, node: Option<NodeId>) -> Option<(&ListKind, NodeId)> {
        match &self.schema.node(node?)?.shape {
            Shape::List { kind: ListKind::Atomic, .. } => None,
            Shape::List { kind, item } => Some((kind, *item)),
            _ => None,
        }
    }
}

fn segment(kind: &ListKind, item: &Value) -> Segment {
    match kind {
        ListKind::Keyed(keys) => {
            let mut keys: Vec<(String, Scalar)> =
                keys.iter().filter_map(|k| Some((k.clone(), Scalar(item.get(k)?.clone())))).collect();
            keys.sort();
            Segment::Keys(keys)
        }
        ListKind::Set | ListKind::Atomic => Segment::Item(Scalar(item.clone())),
    }
}

/// Returns the effect of items that stand in another order, those aside that are on one side only. A set has no order.
fn reordered(kind: &ListKind, before: &[Value], after: &[Value], at: &FieldPath) -> Option<Effect> {
    let ListKind::Keyed(keys) = kind else { return None };
    let keys_of = |items: &[Value]| -> Vec<Value> {
        let only =
            |item: &Value| keys.iter().filter_map(|k| Some((k.clone(), item.get(k)?.clone()))).collect();
        items.iter().map(|item| Value::Map(only(item))).collect()
    };
    let (before, after) = (keys_of(before), keys_of(after));
    let (before, after) = (common(&before, &after), common(&after, &before));
    (before != after).then(|| Effect {
        path: at.clone(),
        before: Some(Value::List(before)),
        after: Some(Value::List(after)),
        order_by: Some(keys.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ClusterId;
    use crate::value;

    fn deployment(spec: &Value, labels: &Value) -> LiveObject {
        let mut body = value!({"apiVersion": "apps/v1", "kind": "Deployment", "status": {"x": 1},
            "metadata": {"name": "web", "namespace": "shop", "resourceVersion": "1"}});
        if let Some(map) = body.as_map_mut() {
            map.insert("spec".into(), spec.clone());
            if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_map_mut) {
                metadata.insert("labels".into(), labels.clone());
            }
        }
        LiveObject::read(&ClusterId("c".into()), body).unwrap()
    }

    #[test]
    fn each_leaf_is_told_at_its_own_path() {
        let schema = crate::cluster::builtin::schema();
        let before = deployment(
            &value!({"replicas": 5, "template": {"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "gone"}]}}}),
            &value!({"by": "hand"}),
        );
        let after = deployment(
            &value!({"replicas": 2, "template": {"spec": {"containers": [{"name": "a", "image": "y", "env": []}]}}}),
            &value!({}),
        );
        let told: Vec<String> =
            effects(&schema, &before, &after).iter().map(|e| e.path.to_string()).collect();
        assert_eq!(
            told,
            [
                ".metadata.labels.by",
                ".spec.replicas",
                r#".spec.template.spec.containers[name="a"].image"#,
                r#".spec.template.spec.containers[name="gone"].name"#,
            ]
        );
        assert_eq!(effects(&schema, &after, &after), []);
    }

    #[test]
    fn an_empty_value_that_comes_or_goes_is_told_where_it_says_something() {
        let network = crate::cluster::builtin::schema();
        let custom = Schema::default();
        // The kind, the part that comes and goes, and where that is told.
        let cases: Vec<(&str, &str, Value, &[&str])> = vec![
            ("traefik.io/v1alpha1", "Middleware", value!({"compress": {}}), &[".spec.compress"]),
            (
                "cert-manager.io/v1",
                "Issuer",
                value!({"acme": {"solvers": [], "a": {}}}),
                &[".spec.acme.a", ".spec.acme.solvers"],
            ),
            (
                "example.com/v1",
                "Widget",
                value!({"text": "", "none": null, "in": {"none": null}}),
                &[".spec.in", ".spec.text"],
            ),
            ("networking.k8s.io/v1", "NetworkPolicy", value!({"podSelector": {}}), &[".spec.podSelector"]),
            (
                "v1",
                "Pod",
                value!({"volumes": [{"name": "tmp", "emptyDir": {}}], "securityContext": {}, "hostname": "", "tolerations": []}),
                &[r#".spec.volumes[name="tmp"].emptyDir"#, r#".spec.volumes[name="tmp"].name"#],
            ),
        ];
        for (api, kind, part, expected) in cases {
            let object = |spec: Value| {
                let mut body =
                    value!({"apiVersion": api, "kind": kind, "metadata": {"name": "x", "namespace": "shop"}});
                body.as_map_mut().unwrap().insert("spec".into(), spec);
                LiveObject::read(&ClusterId("c".into()), body).unwrap()
            };
            let schema = if kind == "Pod" || kind == "NetworkPolicy" { &network } else { &custom };
            let (without, with) = (object(value!({})), object(part));
            for (before, after) in [(&without, &with), (&with, &without)] {
                let told: Vec<String> =
                    effects(schema, before, after).iter().map(|e| e.path.to_string()).collect();
                assert_eq!(told, expected, "{kind}");
            }
        }
    }

    #[test]
    fn an_empty_value_of_a_key_that_somebody_chose_is_told_and_empty_marks_are_not() {
        let schema = crate::cluster::builtin::schema();
        let config = |metadata: Value, data: Value| {
            let mut body = value!({"apiVersion": "v1", "kind": "ConfigMap"});
            let map = body.as_map_mut().unwrap();
            map.insert("metadata".into(), metadata);
            map.insert("data".into(), data);
            LiveObject::read(&ClusterId("c".into()), body).unwrap()
        };
        let before =
            config(value!({"name": "x", "annotations": {}, "labels": {"a": ""}}), value!({"key": ""}));
        let after = config(value!({"name": "x"}), value!({}));
        let told: Vec<String> =
            effects(&schema, &before, &after).iter().map(|e| e.path.to_string()).collect();
        assert_eq!(told, [".data.key", ".metadata.labels.a"]);
    }

    #[test]
    fn another_order_is_told_at_the_list_and_what_comes_or_goes_is_no_order() {
        let schema = crate::cluster::builtin::schema();
        let list = |names: &[&str]| {
            let items = Value::List(names.iter().map(|name| value!({"name": *name})).collect());
            let mut pod = Map::new();
            pod.insert("initContainers".to_owned(), items);
            let mut spec = value!({"template": {}});
            let template = spec.as_map_mut().unwrap().get_mut("template").unwrap();
            template.as_map_mut().unwrap().insert("spec".to_owned(), Value::Map(pod));
            deployment(&spec, &value!({}))
        };
        let told = |before: &[&str], after: &[&str]| -> Vec<(String, bool)> {
            let found = effects(&schema, &list(before), &list(after));
            found.iter().map(|e| (e.path.to_string(), e.is_order())).collect()
        };
        let at = ".spec.template.spec.initContainers";
        assert_eq!(told(&["a", "b"], &["b", "a"]), [(at.to_owned(), true)]);
        assert_eq!(
            told(&["a", "gone", "b"], &["new", "a", "b"]),
            [(format!(r#"{at}[name="gone"].name"#), false), (format!(r#"{at}[name="new"].name"#), false)]
        );
    }
}
