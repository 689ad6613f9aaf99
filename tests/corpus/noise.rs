//! What an API server and its controllers add to what was applied: none of it is drift, in whatever combination.

use crate::objects::{self, plain};
use driftdeck::cluster::builtin;
use driftdeck::drift::{Autoscaled, Context, Managers, judge};
use driftdeck::model::schema::{ListKind, NodeId, Shape};
use driftdeck::model::{GroupVersionKind, Map, Schema, Value, Verdict};
use driftdeck::value;
use serde_json::{Map as JsonMap, Value as Json, json};

/// What is added; each is a bit of a combination.
const SERVER_MARKS: usize = 1;
const MANAGED_FIELDS: usize = 1 << 1;
const SERVER_SIDE: usize = 1 << 2;
const STATUS: usize = 1 << 3;
const LAST_APPLIED: usize = 1 << 4;
const CONTROLLER_MARKS: usize = 1 << 5;
const REORDERED: usize = 1 << 6;
const RESPELLED: usize = 1 << 7;
const DEFAULTS: usize = 1 << 8;
const ALL: usize = 1 << 9;

/// Combinations that each kind is tried with; kind after kind goes on where the last one ended.
const EACH: usize = 48;

struct Walk<'s> {
    schema: &'s Schema,
    noise: usize,
}

impl Walk<'_> {
    /// Makes of a value what Git declares and what the cluster holds of it.
    fn pair(&self, value: &Value, node: Option<NodeId>) -> (Value, Value) {
        let shape = node.and_then(|id| self.schema.node(id)).map(|node| &node.shape);
        match (value, shape) {
            (Value::Map(fields), shape) => {
                let (mut desired, mut live) = (Map::new(), Map::new());
                for (name, below) in fields {
                    let node = match shape {
                        Some(Shape::Struct { fields, .. }) => fields.get(name).copied(),
                        Some(Shape::Map { value, .. }) => Some(*value),
                        _ => None,
                    };
                    // Init containers run one after the other: their order means something.
                    let noise = if name == "initContainers" { self.noise & !REORDERED } else { self.noise };
                    let (ours, theirs) = Walk { noise, ..*self }.pair(below, node);
                    // A zero that the schema gives as a default stands for no value.
                    let filled_in = matches!(shape, Some(Shape::Struct { .. })) && self.noise & DEFAULTS != 0;
                    let default = node.and_then(|id| self.schema.node(id)?.default.clone());
                    let is_value = |d: &Json| !d.is_object() && *d != "" && *d != 0 && *d != false;
                    if let Some(default) = default.filter(|d| filled_in && is_value(d)) {
                        live.insert(name.clone(), Value::from(default));
                    } else {
                        desired.insert(name.clone(), ours);
                        live.insert(name.clone(), theirs);
                    }
                }
                (Value::Map(desired), Value::Map(live))
            }
            (Value::List(items), Some(Shape::List { item, kind })) => {
                let pairs = items.iter().map(|below| self.pair(below, Some(*item)));
                let (mut desired, mut live): (Vec<_>, Vec<_>) = pairs.unzip();
                if let (ListKind::Keyed(keys), true) = (kind, self.noise & REORDERED != 0) {
                    let others = |items: &[Value]| -> Vec<Value> {
                        items.iter().filter_map(|item| another(item, keys)).collect()
                    };
                    let (more, theirs) = (others(&desired), others(&live));
                    if more.len() == theirs.len() {
                        desired.extend(more);
                        live.splice(0..0, theirs);
                    }
                }
                (Value::List(desired), Value::List(live))
            }
            (Value::String(_), Some(Shape::Quantity)) if self.noise & RESPELLED != 0 => {
                (value!("1"), value!("1000m"))
            }
            (value, _) => (value.clone(), value.clone()),
        }
    }

    /// Returns the `fieldsV1` of an owner of everything in a value.
    fn owned(&self, value: &Value, node: Option<NodeId>) -> Json {
        let shape = node.and_then(|id| self.schema.node(id)).map(|node| &node.shape);
        let mut owned = JsonMap::new();
        match (value, shape) {
            (Value::Map(_), Some(Shape::Struct { atomic: true, .. } | Shape::Map { atomic: true, .. })) => {}
            (Value::Map(fields), Some(Shape::Struct { fields: nodes, .. })) => {
                for (name, below) in fields {
                    owned.insert(format!("f:{name}"), self.owned(below, nodes.get(name).copied()));
                }
            }
            (Value::Map(fields), Some(Shape::Map { value, .. })) => {
                owned.insert(".".to_owned(), json!({}));
                for (name, below) in fields {
                    owned.insert(format!("f:{name}"), self.owned(below, Some(*value)));
                }
            }
            (Value::List(items), Some(Shape::List { item, kind: ListKind::Keyed(keys) })) => {
                for below in items {
                    let key: JsonMap<String, Json> =
                        keys.iter().filter_map(|key| Some((key.clone(), plain(below.get(key)?)))).collect();
                    let mut set = self.owned(below, Some(*item));
                    if let Some(set) = set.as_object_mut() {
                        set.insert(".".to_owned(), json!({}));
                    }
                    owned.insert(format!("k:{}", Json::Object(key)), set);
                }
            }
            (Value::List(items), Some(Shape::List { kind: ListKind::Set, .. })) => {
                for below in items {
                    owned.insert(format!("v:{}", plain(below)), json!({}));
                }
            }
            _ => {}
        }
        Json::Object(owned)
    }
}

/// Returns a list's item with other keys.
fn another(item: &Value, keys: &[String]) -> Option<Value> {
    let mut item = item.clone();
    let fields = item.as_map_mut()?;
    let mut changed = false;
    for key in keys {
        match fields.get_mut(key) {
            Some(Value::String(text)) if key != "protocol" => {
                *text = format!("{text}-2");
                changed = true;
            }
            Some(number @ Value::Number(_)) => {
                *number = Value::int(number.as_i64()? + 1);
                changed = true;
            }
            _ => {}
        }
    }
    changed.then_some(item)
}

/// Returns what Git declares: of metadata what people write, and no status.
fn declared(body: &Value) -> Option<Value> {
    let mut body = body.clone();
    let fields = body.as_map_mut()?;
    fields.remove("status");
    let metadata = fields.get_mut("metadata")?.as_map_mut()?;
    let kept = ["name", "namespace", "labels", "annotations"];
    *metadata = metadata
        .iter()
        .filter(|(name, _)| kept.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Some(body)
}

fn put(object: &mut Value, path: &[&str], value: Value) {
    let (last, steps) = path.split_last().expect("a path");
    let slot = steps.iter().fold(object, |at, step| {
        let fields = at.as_map_mut().expect("a map");
        fields.entry((*step).to_owned()).or_insert_with(|| Value::Map(Map::new()))
    });
    slot.as_map_mut().expect("a map").insert((*last).to_owned(), value);
}

/// Makes of an object of the corpus what Git declares, and what a cluster holds after it was applied.
fn applied(body: &Value, noise: usize, schema: &Schema) -> Option<(Value, Value)> {
    let kind = GroupVersionKind::from_api_version(body.str_at(&["apiVersion"])?, body.str_at(&["kind"])?);
    let root = schema.kind(&kind)?.root;
    let walk = Walk { schema, noise };
    let (desired, mut live) = walk.pair(&declared(body)?, Some(root));
    let mut entries = Vec::new();
    let entry = |manager: &str, operation: &str, subresource: Option<&str>, fields: Json| {
        let mut entry = json!({
            "manager": manager, "operation": operation, "apiVersion": body.str_at(&["apiVersion"]),
            "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": fields,
        });
        if let Some(subresource) = subresource {
            entry["subresource"] = subresource.into();
        }
        Value::from(entry)
    };
    let deployers = |side: usize, desired: &Value, live: &Value| {
        // An update owns what the server filled in with it, an apply only what was sent.
        if side == 0 {
            entry("kubectl-client-side-apply", "Update", None, walk.owned(live, Some(root)))
        } else {
            entry("kubectl", "Apply", None, walk.owned(desired, Some(root)))
        }
    };
    if noise & MANAGED_FIELDS != 0 {
        entries.push(deployers(noise & SERVER_SIDE, &desired, &live));
    }
    if noise & STATUS != 0 && body.get("status").is_some() && schema.kind(&kind)?.status_subresource {
        put(&mut live, &["status"], body.get("status")?.clone());
        entries.push(entry("kube-controller-manager", "Update", Some("status"), json!({"f:status": {}})));
    }
    if noise & LAST_APPLIED != 0 && noise & SERVER_SIDE == 0 && kind.kind != "Secret" {
        let path = ["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"];
        put(&mut live, &path, Value::string(plain(&desired).to_string()));
    }
    if noise & CONTROLLER_MARKS != 0 && kind.kind == "Deployment" {
        put(&mut live, &["metadata", "annotations", "deployment.kubernetes.io/revision"], value!("3"));
        let fields = json!({"f:metadata": {"f:annotations": {"f:deployment.kubernetes.io/revision": {}}}});
        entries.push(entry("kube-controller-manager", "Update", Some("status"), fields));
    }
    if noise & SERVER_MARKS != 0 {
        put(&mut live, &["metadata", "uid"], value!("0b1f5c1e-0000-4000-8000-000000000000"));
        put(&mut live, &["metadata", "resourceVersion"], value!("4711"));
        put(&mut live, &["metadata", "creationTimestamp"], value!("2026-01-01T00:00:00Z"));
        put(&mut live, &["metadata", "generation"], Value::int(3));
    }
    if noise & MANAGED_FIELDS != 0 {
        put(&mut live, &["metadata", "managedFields"], Value::List(entries));
    }
    Some((desired, live))
}

#[test]
fn what_the_server_and_its_controllers_add_is_no_drift_in_any_combination() {
    let (schema, managers, autoscaled) = (builtin::schema(), Managers::built_in(), Autoscaled::default());
    let context = Context::new(&schema, &managers, &autoscaled);
    let (mut got, mut total, mut next) = (0, 0, 0);
    for (name, body) in crate::api::all() {
        for _ in 0..EACH {
            // A step that shares no factor with the number of combinations comes by all of them.
            next = (next + 211) % ALL;
            let Some((desired, live)) = applied(&body, next, &schema) else { continue };
            let Some(live) = objects::live(live) else { continue };
            total += 1;
            let judgement = judge(Some(&objects::desired(desired)), Some(&live), &context);
            if judgement.verdict == Verdict::InSync {
                got += 1;
            } else {
                println!("{name} {next:09b}: {:?}", judgement.counted().collect::<Vec<_>>());
            }
        }
    }
    crate::say(&format!("api, as a server holds it: {got}/{total}"));
    assert_eq!(got, total);
}
