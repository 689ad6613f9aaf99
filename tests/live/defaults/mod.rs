//! What the API server fills in where Git is silent: asked with minimal objects, compared with the table that driftdeck
//! carries, and judged.
//!
//! `tests/control-plane/defaults` writes the table (`assets/defaults-1.36.txt`) anew, for another Kubernetes version too.

mod learned;
mod probes;

use driftdeck::cluster::builtin;
use driftdeck::drift::{Autoscaled, Context, Managers, judge};
use driftdeck::model::field_path::Scalar;
use driftdeck::model::manifest::BodyLines;
use driftdeck::model::schema::{ListKind, Shape};
use driftdeck::model::{
    ClusterId, FieldPath, FieldSet, GroupVersionKind, Judgement, LiveObject, ManagedEntry, Manifest,
    Operation, Origin, Segment, Value, Verdict,
};
use probes::{Answer, Place};
use std::collections::BTreeSet;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/defaults-1.36.txt");

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn the_table_of_defaults_is_what_the_api_server_fills_in() {
    let learned = learned::table(probes::answers(), &probes::version());
    if std::env::var_os("DRIFTDECK_WRITE_DEFAULTS").is_some() {
        std::fs::write(TABLE, learned).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(TABLE).unwrap();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (kept_lines, learned_lines) = (lines(&kept), lines(&learned));
    let gone: Vec<_> = kept_lines.difference(&learned_lines).collect();
    let new: Vec<_> = learned_lines.difference(&kept_lines).collect();
    assert_eq!(kept, learned, "gone {gone:#?}, new {new:#?}: run tests/control-plane/defaults");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn every_built_in_kind_that_can_be_created_is_asked() {
    let asked: BTreeSet<String> =
        probes::answers().iter().map(|a| a.kind().group_kind().to_string()).collect();
    let served = probes::served_kinds();
    let left_out: Vec<&String> = served.iter().filter(|kind| !asked.contains(*kind)).collect();
    assert_eq!(left_out, ["Binding"], "of {served:?}");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_the_server_fills_in_is_in_sync_whoever_created_the_object() {
    let mut noise = Vec::new();
    for answer in probes::answers() {
        let mut live = answer.live();
        for hidden in [false, true] {
            if hidden {
                live.managed = None;
            }
            let judgement = judged(answer, &live);
            if judgement.verdict != Verdict::InSync || !judgement.changes.is_empty() {
                let paths: Vec<_> = judgement.changes.iter().map(|c| (c.path.to_string(), c.class)).collect();
                noise.push(format!(
                    "{} {:?} {paths:?} {:?}",
                    answer.sent, judgement.verdict, judgement.problems
                ));
            }
        }
    }
    assert!(noise.is_empty(), "{}: {noise:#?}", noise.len());
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn every_value_that_the_server_filled_in_is_drift_once_a_person_changes_it() {
    let mut gaps = Vec::new();
    let mut tried = 0;
    for answer in probes::answers() {
        for place in answer.filled() {
            let mut body = answer.got.clone();
            if is_kept_by_the_server(answer, &place) || !probes::change(&mut body, &place) {
                continue;
            }
            tried += 1;
            let mut live = probes::live(body);
            live.managed = Some(vec![edit(&owned_path(answer, &place))]);
            let judgement = judged(answer, &live);
            let counted: Vec<_> = judgement.counted().map(|c| c.path.to_string()).collect();
            if counted.len() != 1 {
                gaps.push(format!("{} at {}: {counted:?}", answer.name(), learned::printed(&place)));
            }
        }
    }
    assert!(tried > 1_000, "{tried}");
    assert!(gaps.is_empty(), "{} of {tried}: {gaps:#?}", gaps.len());
}

/// Marks that the server keeps for itself, and parts of templates that nothing is made of.
fn is_kept_by_the_server(answer: &Answer, place: &[Place]) -> bool {
    let has = |name: &str| place.iter().any(|step| matches!(step, Place::Field(f) if f == name));
    has("metadata") || (answer.kind().kind == "StatefulSet" && has("status"))
}

fn judged(answer: &Answer, live: &LiveObject) -> Judgement {
    let (schema, managers, autoscaled) = (builtin::schema(), Managers::built_in(), Autoscaled::default());
    let body = Value::from(answer.sent.clone());
    let manifest = Manifest {
        id: live.id.clone(),
        kind: live.kind.clone(),
        body,
        origin: Origin::default(),
        problems: Vec::new(),
        lines: BodyLines::default(),
        overlay: None,
    };
    judge(Some(&manifest), Some(live), &Context::new(&schema, &managers, &autoscaled))
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

/// Returns the path under which managed fields hold a place: down to the first part that is owned as a whole.
fn owned_path(answer: &Answer, place: &[Place]) -> FieldPath {
    let schema = builtin::schema();
    let mut node = schema.kind(answer.kind()).and_then(|k| schema.node(k.root)).expect("a built-in kind");
    let mut value = &answer.got;
    let mut path = FieldPath::root();
    for step in place {
        let next = match (&node.shape, step) {
            (Shape::Struct { fields, atomic: false, .. }, Place::Field(name)) => {
                path.0.push(Segment::Field(name.clone()));
                fields.get(name).copied()
            }
            (Shape::Map { value, atomic: false }, Place::Field(name)) => {
                path.0.push(Segment::Field(name.clone()));
                Some(*value)
            }
            (Shape::List { item, kind: ListKind::Keyed(keys) }, Place::Item(at)) => {
                let mut pairs: Vec<_> = keys
                    .iter()
                    .map(|key| (key.clone(), Scalar(Value::from(value[*at][key].clone()))))
                    .collect();
                pairs.sort();
                path.0.push(Segment::Keys(pairs));
                Some(*item)
            }
            _ => None,
        };
        value = step.of(value);
        match next.and_then(|id| schema.node(id)) {
            Some(below) => node = below,
            None => break,
        }
    }
    path
}

impl Answer {
    fn live(&self) -> LiveObject {
        probes::live(self.got.clone())
    }

    /// Returns the kind and the number of the probe.
    fn name(&self) -> String {
        format!("{} {}", self.kind.group_kind(), self.sent["metadata"]["name"])
    }

    fn kind(&self) -> &GroupVersionKind {
        &self.kind
    }
}

fn cluster() -> ClusterId {
    ClusterId("probed".into())
}
