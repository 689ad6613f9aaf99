//! Laws of the comparison, on made-up Deployments.

use crate::objects;
use driftdeck::cluster::builtin;
use driftdeck::drift::{Autoscaled, Context, Managers, judge};
use driftdeck::model::field_path::Scalar;
use driftdeck::model::{FieldChange, Judgement, Map, Segment, Value, Verdict};
use driftdeck::value;
use proptest::prelude::*;

fn judged(desired: &Value, live: &Value) -> Judgement {
    let (schema, managers, autoscaled) = (builtin::schema(), Managers::built_in(), Autoscaled::default());
    let live = objects::live(live.clone()).expect("a made-up object");
    judge(
        Some(&objects::desired(desired.clone())),
        Some(&live),
        &Context::new(&schema, &managers, &autoscaled),
    )
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "d"]).prop_map(str::to_owned)
}

fn texts() -> impl Strategy<Value = Map> {
    prop::collection::btree_map(text(), text().prop_map(Value::String), 0..3).prop_map(Map::from_iter)
}

/// A list of items that are told apart by a name.
fn named(item: impl Strategy<Value = Map>) -> impl Strategy<Value = Value> {
    prop::collection::btree_map(text(), item, 0..4).prop_map(|items| {
        let named = items.into_iter().map(|(name, mut item)| {
            item.insert("name".to_owned(), Value::String(name));
            Value::Map(item)
        });
        Value::List(named.collect())
    })
}

fn container() -> impl Strategy<Value = Map> {
    let env = named(text().prop_map(|v| Map::from_iter([("value".to_owned(), Value::String(v))])));
    let limits = prop::option::of(prop::sample::select(vec!["1", "1000m", "2"]));
    let args = prop::collection::vec(text().prop_map(Value::String), 0..3);
    (text(), env, limits, args).prop_map(|(image, env, cpu, args)| {
        let mut item = Map::from_iter([("image".to_owned(), Value::String(image)), ("env".to_owned(), env)]);
        if !args.is_empty() {
            item.insert("args".to_owned(), Value::List(args));
        }
        if let Some(cpu) = cpu {
            item.insert("resources".to_owned(), value!({"limits": {"cpu": cpu}}));
        }
        item
    })
}

fn object() -> impl Strategy<Value = Value> {
    (texts(), texts(), named(container()), prop::option::of(0..3_i64)).prop_map(
        |(labels, nodes, containers, replicas)| {
            let mut object = value!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "made-up"},
                "spec": {"template": {"spec": {}}}
            });
            set(&mut object, &["metadata", "labels"], Value::Map(labels));
            set(&mut object, &["spec", "template", "spec", "nodeSelector"], Value::Map(nodes));
            set(&mut object, &["spec", "template", "spec", "containers"], containers);
            if let Some(replicas) = replicas {
                set(&mut object, &["spec", "replicas"], Value::int(replicas));
            }
            object
        },
    )
}

fn set(object: &mut Value, path: &[&str], value: Value) {
    let (last, steps) = path.split_last().expect("a path");
    let slot = steps.iter().fold(object, |at, step| at.as_map_mut().unwrap().get_mut(*step).unwrap());
    slot.as_map_mut().unwrap().insert((*last).to_owned(), value);
}

/// Puts one change right in the live object.
fn put_right(live: &mut Value, change: &FieldChange) {
    let (last, steps) = change.path.0.split_last().expect("no change is of the whole object");
    let mut at = live;
    for step in steps {
        at = match step {
            Segment::Field(name) => {
                at.as_map_mut().unwrap().entry(name.clone()).or_insert_with(|| Value::Map(Map::new()))
            }
            Segment::Keys(keys) => {
                let Value::List(items) = at else { panic!("{} is no list", change.path) };
                items.iter_mut().find(|item| is_item(item, keys)).expect("the item is there")
            }
            _ => panic!("{} is not made up here", change.path),
        };
    }
    match (last, &change.desired) {
        (Segment::Field(name), Some(value)) => {
            at.as_map_mut().unwrap().insert(name.clone(), value.clone());
        }
        (Segment::Field(name), None) => {
            at.as_map_mut().unwrap().remove(name);
        }
        (Segment::Keys(keys), desired) => {
            let Value::List(items) = at else { panic!("{} is no list", change.path) };
            items.retain(|item| !is_item(item, keys));
            items.extend(desired.clone());
        }
        _ => panic!("{} is not made up here", change.path),
    }
}

fn is_item(item: &Value, keys: &[(String, Scalar)]) -> bool {
    keys.iter().all(|(key, value)| item.get(key) == Some(&value.0))
}

fn reversed(value: &Value) -> Value {
    match value {
        Value::Map(fields) => Value::Map(
            fields
                .iter()
                .map(|(name, below)| {
                    let keyed = ["containers", "env"].contains(&name.as_str());
                    let below = match below {
                        Value::List(items) if keyed => {
                            Value::List(items.iter().rev().map(reversed).collect())
                        }
                        below => reversed(below),
                    };
                    (name.clone(), below)
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn an_object_is_in_sync_with_itself(object in object()) {
        let judgement = judged(&object, &object);
        prop_assert_eq!(judgement.verdict, Verdict::InSync);
        prop_assert_eq!(judgement.changes, Vec::new());
    }

    #[test]
    fn putting_right_what_was_reported_leaves_nothing_to_report(desired in object(), live in object()) {
        let mut mended = live.clone();
        for change in judged(&desired, &live).changes {
            put_right(&mut mended, &change);
        }
        let again = judged(&desired, &mended);
        prop_assert_eq!(again.verdict, Verdict::InSync);
        prop_assert!(again.changes.iter().all(|c| c.class == driftdeck::model::Class::Order), "{:?}", again.changes);
    }

    #[test]
    fn the_order_of_managed_fields_changes_nothing(desired in object(), live in object(), seed in 0..6_usize) {
        let entry = |manager: &str, operation: &str, fields: serde_json::Value| value!({
            "manager": manager, "operation": operation, "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
            "time": "2026-01-01T00:00:00Z", "fieldsV1": fields
        });
        let replicas = serde_json::json!({"f:spec": {"f:replicas": {}}});
        let labels = serde_json::json!({"f:metadata": {"f:labels": {"f:a": {}, "f:b": {}}}, "f:spec": {"f:replicas": {}}});
        let entries = [
            entry("kubectl-edit", "Update", labels),
            entry("deployer", "Apply", replicas.clone()),
            entry("some-operator", "Update", replicas),
        ];
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let with = |order: [usize; 3]| {
            let mut live = live.clone();
            let list = order.iter().map(|at| entries[*at].clone()).collect();
            set(&mut live, &["metadata", "managedFields"], Value::List(list));
            judged(&desired, &live)
        };
        prop_assert_eq!(with(orders[0]), with(orders[seed]));
    }

    #[test]
    fn another_spelling_that_means_the_same_is_no_drift(live in object()) {
        fn respelled(value: &Value) -> Value {
            match value {
                Value::Map(fields) => {
                    Value::Map(fields.iter().map(|(name, below)| (name.clone(), respelled(below))).collect())
                }
                Value::List(items) => Value::List(items.iter().map(respelled).collect()),
                Value::String(text) if text == "1" => value!("1000m"),
                Value::String(text) if text == "1000m" => value!("1"),
                Value::String(text) if text == "2" => value!("2000m"),
                other => other.clone(),
            }
        }
        let judgement = judged(&respelled(&live), &live);
        prop_assert_eq!((judgement.verdict, judgement.changes), (Verdict::InSync, Vec::new()));
    }

    #[test]
    fn the_order_of_keyed_lists_changes_no_verdict(desired in object(), live in object()) {
        let (one, other) = (judged(&desired, &live), judged(&desired, &reversed(&live)));
        let counted = |j: &Judgement| j.counted().map(|c| c.path.clone()).collect::<Vec<_>>();
        prop_assert_eq!(counted(&one), counted(&other));
        prop_assert_eq!(one.verdict, other.verdict);
    }
}
