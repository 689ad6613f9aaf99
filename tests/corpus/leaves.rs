//! One leaf of a built-in object with every field: deleted live, or added live by a person's hand.

use crate::api;
use crate::mutation::{Raw, at, covers, leaves, without};
use crate::objects;
use driftdeck::cluster::builtin;
use driftdeck::drift::{Autoscaled, Context, Managers, judge};
use driftdeck::model::{
    Cause, Class, FieldPath, FieldSet, LiveObject, ManagedEntry, Operation, Value, Verdict,
};

/// Returns whether a place is a field by which a keyed list tells its items apart, or the only field of an item: taking it
/// away makes another item of it.
fn tells_apart(place: &[Raw], object: &Value) -> bool {
    let [above @ .., Raw::Item(_), Raw::Field(name)] = place else { return false };
    let keys =
        ["name", "mountPath", "devicePath", "containerPort", "protocol", "port", "ip", "key", "type", "uid"];
    let keys = [
        &keys[..],
        &[
            "topologyKey",
            "whenUnsatisfiable",
            "conditionType",
            "podIP",
            "request",
            "driver",
            "device",
            "pool",
            "shareID",
        ],
    ]
    .concat();
    at(object, above).is_some() && keys.contains(&name.as_str())
}

fn edit(path: &FieldPath) -> ManagedEntry {
    let mut set = FieldSet { owned: true, ..FieldSet::default() };
    for segment in path.0.iter().rev() {
        set = FieldSet { owned: false, children: [(segment.clone(), set)].into() };
    }
    ManagedEntry {
        manager: "kubectl-edit".to_owned(),
        operation: Operation::Update,
        subresource: None,
        api_version: "v1".to_owned(),
        time: None,
        fields: set.into(),
    }
}

/// Calls `look` with each object and the place of each leaf outside metadata and status.
fn each_leaf(mut look: impl FnMut(&str, &Value, &[Raw])) {
    for (name, body) in api::all() {
        if objects::live(body.clone()).is_none() {
            continue;
        }
        for place in leaves(&body) {
            // A server never gives `stringData` back.
            let written = place.first() == Some(&Raw::Field("stringData".to_owned()));
            if !api::outside(&place) && !tells_apart(&place, &body) && !written {
                look(&name, &body, &place);
            }
        }
    }
}

#[test]
fn every_deleted_leaf_of_a_built_in_object_is_drift_at_its_own_path() {
    let (schema, managers, autoscaled) = (builtin::schema(), Managers::built_in(), Autoscaled::default());
    let context = Context::new(&schema, &managers, &autoscaled);
    let (mut got, mut total, mut defaults) = (0, 0, 0);
    each_leaf(|name, body, place| {
        let Some(live) = without(body, place).and_then(objects::live) else { return };
        let judgement = judge(Some(&objects::desired(body.clone())), Some(&live), &context);
        if judgement.verdict == Verdict::InSync && judgement.changes.is_empty() {
            // What is declared is the default: the server would have filled it in again.
            defaults += 1;
            return;
        }
        total += 1;
        let counted: Vec<_> = judgement.counted().collect();
        let right = counted.len() == 1
            && counted
                .iter()
                .all(|c| covers(&c.path, place, body) && matches!(c.class, Class::Deleted | Class::Changed));
        if right {
            got += 1;
        } else {
            println!("{name} {place:?}: {:?} {:?}", judgement.verdict, judgement.changes);
        }
    });
    crate::say(&format!("api, one leaf deleted: {got}/{total} ({defaults} are the default)"));
    assert_eq!(got, total);
    assert!(defaults * 100 < total.max(100), "{defaults} of {total}");
}

#[test]
fn every_leaf_that_a_person_adds_to_a_built_in_object_is_drift_at_its_own_path_by_hand() {
    let (schema, managers, autoscaled) = (builtin::schema(), Managers::built_in(), Autoscaled::default());
    let context = Context::new(&schema, &managers, &autoscaled);
    let (mut got, mut total, mut allocated) = (0, 0, 0);
    each_leaf(|name, body, place| {
        let Some(desired) = without(body, place).map(objects::desired) else { return };
        let mut live: LiveObject = objects::live(body.clone()).expect("an object");
        // Without managed fields the path alone is told; with them, who wrote it.
        let shown = judge(Some(&desired), Some(&live), &context);
        let [change] = shown.changes.as_slice() else {
            // What the server may have allocated is nobody's without a writer.
            allocated += usize::from(shown.changes.is_empty());
            if !shown.changes.is_empty() {
                total += 1;
                println!("{name} {place:?}: {:?}", shown.changes);
            }
            return;
        };
        total += 1;
        live.managed = Some(vec![edit(&change.path)]);
        let judgement = judge(Some(&desired), Some(&live), &context);
        let right = match judgement.changes.as_slice() {
            [change] => {
                change.counts
                    && judgement.verdict == Verdict::Drifted
                    && covers(&change.path, place, body)
                    && change.cause == Cause::ByHand
                    && matches!(change.class, Class::Foreign | Class::Changed)
            }
            _ => false,
        };
        if right {
            got += 1;
        } else {
            println!("{name} {place:?}: {:?} {:?}", judgement.verdict, judgement.changes);
        }
    });
    crate::say(&format!("api, one leaf added by hand: {got}/{total} ({allocated} may be the server's)"));
    assert_eq!(got, total);
    assert!(allocated * 20 < total.max(20), "{allocated} of {total}");
}
