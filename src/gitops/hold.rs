//! Defines how an engine's automation is paused and goes on: which fields of the engine's object change, and what a
//! pause leaves there for colleagues to see.
//!
//! A pause is written on the engine's own object, as annotations: `driftdeck.dev/hold-owner`, `hold-reason`, `hold-since`
//! and `hold-until` (times as RFC 3339 in UTC), and `hold-was`, the value that the switch had before, as JSON (`null`: none).
//! Letting the engine go on puts that back and takes exactly these annotations away. All of it is pure.

use super::{argocd, flux};
use crate::model::hold::{Automation, Hold};
use crate::model::sealed::without_secrets;
use crate::model::{
    Class, Engine, FieldChange, FieldPath, GroupKind, LiveObject, ManagedEntry, Timestamp, Value, field,
};
use crate::text::redact;

/// The annotations that a pause leaves, in the order in which they are written.
pub const ANNOTATIONS: [&str; 5] = [REASON, UNTIL, OWNER, SINCE, WAS];
const OWNER: &str = "driftdeck.dev/hold-owner";
const REASON: &str = "driftdeck.dev/hold-reason";
const SINCE: &str = "driftdeck.dev/hold-since";
const UNTIL: &str = "driftdeck.dev/hold-until";
const WAS: &str = "driftdeck.dev/hold-was";

/// Whether an engine acts on an object by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    On,
    Off,
}

/// What a pause is to say of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub owner: String,
    pub reason: String,
    pub since: Timestamp,
    pub until: Timestamp,
}

/// Why an engine's automation cannot be switched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotSwitch {
    #[error("it has no automation: it acts only when it is told to")]
    Manual,
    #[error("{who} has paused it already, and not by driftdeck")]
    PausedByOthers { who: String },
    #[error("it is not paused")]
    Running,
    #[error("driftdeck knows no switch of a {kind}")]
    Unknown { kind: String },
    #[error("what it was before cannot be read: the annotation {WAS} is damaged")]
    Damaged,
}

/// Returns whether an engine acts by itself on one of its objects.
pub fn standing(object: &LiveObject) -> Automation {
    let Some(engine) = engine(&object.id.kind) else { return Automation::NoEngine };
    let ours = is_ours(object);
    match switch(object, engine) {
        Some(Switch::On) => return Automation::Running,
        // Its policy was taken away to pause it, or it never had one.
        None if !ours => return Automation::Manual,
        Some(Switch::Off) | None => {}
    }
    let writer = writer(object, &place(object));
    let time = |name| object.annotation(name).and_then(|text| text.parse().ok());
    let text = |name| object.annotation(name).map(|text| redact::line(text).to_owned());
    Automation::Held(Hold {
        engine,
        object: object.id.clone(),
        ours,
        owner: text(OWNER),
        reason: text(REASON),
        since: time(SINCE),
        until: time(UNTIL),
        by: writer.map(|entry| entry.manager.clone()),
        at: writer.and_then(|entry| entry.time),
    })
}

/// Returns what pausing an engine changes on its object. `knows_switch`: of an Application, whether the cluster's version of
/// Argo CD has a switch of its own; without one the whole policy is taken away, and kept in the annotation. Of what driftdeck
/// paused before, owner, reason and time are written anew.
pub fn changes_of_hold(
    object: &LiveObject,
    wanted: &Wanted,
    knows_switch: bool,
) -> Result<Vec<FieldChange>, CannotSwitch> {
    let (mut changes, mut kept) = (Vec::new(), None);
    match standing(object) {
        Automation::NoEngine => return Err(CannotSwitch::Unknown { kind: object.id.kind.kind.clone() }),
        Automation::Manual => return Err(CannotSwitch::Manual),
        Automation::Held(hold) if !hold.ours => {
            return Err(CannotSwitch::PausedByOthers { who: hold.who().to_owned() });
        }
        Automation::Held(_) => {}
        Automation::Running => {
            let (path, off) = off(&object.id.kind, knows_switch);
            let was = field::at(&object.body, &path).map_or(serde_json::Value::Null, without_secrets);
            changes.push(change(object, path, off));
            kept = Some(change(object, annotation(WAS), Some(Value::string(was.to_string()))));
        }
    }
    let time = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    for (name, text) in [
        (REASON, wanted.reason.clone()),
        (UNTIL, time(wanted.until)),
        (OWNER, wanted.owner.clone()),
        (SINCE, time(wanted.since)),
    ] {
        changes.push(change(object, annotation(name), Some(Value::string(text))));
    }
    changes.extend(kept);
    changes.retain(|change| change.desired != change.live);
    Ok(changes)
}

/// Returns what letting an engine go on changes on its object: what the pause had changed is put back, and its annotations
/// go. What somebody else paused is switched on.
pub fn changes_of_resume(object: &LiveObject) -> Result<Vec<FieldChange>, CannotSwitch> {
    let hold = match standing(object) {
        Automation::NoEngine => return Err(CannotSwitch::Unknown { kind: object.id.kind.kind.clone() }),
        Automation::Manual => return Err(CannotSwitch::Manual),
        Automation::Running if !is_ours(object) => return Err(CannotSwitch::Running),
        Automation::Running => None,
        Automation::Held(hold) => Some(hold),
    };
    let mut changes = Vec::new();
    if let Some(hold) = hold {
        let (path, on) = if hold.ours { was(object)? } else { on(&object.id.kind) };
        changes.push(change(object, path, on));
    }
    let there = ANNOTATIONS.into_iter().filter(|name| object.annotation(name).is_some());
    changes.extend(there.map(|name| change(object, annotation(name), None)));
    Ok(changes)
}

fn engine(kind: &GroupKind) -> Option<Engine> {
    super::kinds().into_iter().find(|(_, known)| known == kind).map(|(engine, _)| engine)
}

fn is_ours(object: &LiveObject) -> bool {
    object.annotation(WAS).is_some()
}

fn switch(object: &LiveObject, engine: Engine) -> Option<Switch> {
    if engine == Engine::ArgoCd { argocd::switch(object) } else { Some(flux::switch(object)) }
}

/// Returns where the switch of an object is, or what holds it.
fn place(object: &LiveObject) -> FieldPath {
    if object.id.kind == argocd::application() { argocd::enabled() } else { on(&object.id.kind).0 }
}

fn off(kind: &GroupKind, knows_switch: bool) -> (FieldPath, Option<Value>) {
    if *kind == argocd::application() {
        return if knows_switch {
            (argocd::enabled(), Some(Value::Bool(false)))
        } else {
            (argocd::automated(), None)
        };
    }
    if flux::is_operators(kind) {
        (flux::reconcile(), Some(Value::string("disabled")))
    } else {
        (flux::suspend(), Some(Value::Bool(true)))
    }
}

/// Returns what switches on what somebody else paused.
fn on(kind: &GroupKind) -> (FieldPath, Option<Value>) {
    if *kind == argocd::application() {
        (argocd::enabled(), Some(Value::Bool(true)))
    } else if flux::is_operators(kind) {
        (flux::reconcile(), Some(Value::string("enabled")))
    } else {
        (flux::suspend(), Some(Value::Bool(false)))
    }
}

/// Returns what the switch was before driftdeck paused the engine.
fn was(object: &LiveObject) -> Result<(FieldPath, Option<Value>), CannotSwitch> {
    let text = object.annotation(WAS).unwrap_or_default();
    let was = Value::from_json_slice(text.as_bytes()).map_err(|_| CannotSwitch::Damaged)?;
    let is_policy = matches!(was, Value::Map(_));
    let fits = match &was {
        Value::Null => true,
        Value::Map(_) => object.id.kind == argocd::application(),
        Value::Bool(_) => !flux::is_operators(&object.id.kind),
        Value::String(_) => flux::is_operators(&object.id.kind),
        _ => false,
    };
    if !fits {
        return Err(CannotSwitch::Damaged);
    }
    let (path, _) = off(&object.id.kind, !is_policy);
    Ok((path, Some(was).filter(|was| !was.is_null())))
}

fn annotation(name: &str) -> FieldPath {
    FieldPath::fields(&["metadata", "annotations", name])
}

fn change(object: &LiveObject, path: FieldPath, desired: Option<Value>) -> FieldChange {
    let live = field::at(&object.body, &path).cloned();
    FieldChange { desired, live, ..FieldChange::new(path, Class::Changed) }
}

/// Returns who last wrote what is at a path.
fn writer<'o>(object: &'o LiveObject, path: &FieldPath) -> Option<&'o ManagedEntry> {
    let writers = object.managed.iter().flatten().filter(|entry| entry.fields.owns(path));
    writers.max_by_key(|entry| entry.time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ClusterId;
    use crate::value;
    use serde_json::json;

    fn object(api_version: &str, kind: &str, annotations: &Value, spec: &Value) -> LiveObject {
        let mut body = value!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web", "namespace": "x",
            "managedFields": [{"manager": "kubectl-edit", "operation": "Update", "apiVersion": api_version,
                "time": "2026-03-01T10:00:00Z", "fieldsV1": {"f:spec": {"f:suspend": {}}}}]}});
        let fields = body.as_map_mut().unwrap();
        fields.insert("spec".into(), spec.clone());
        fields
            .get_mut("metadata")
            .unwrap()
            .as_map_mut()
            .unwrap()
            .insert("annotations".into(), annotations.clone());
        LiveObject::read(&ClusterId("c".into()), body).unwrap()
    }

    fn application(annotations: &Value, policy: &Value) -> LiveObject {
        let spec = Value::Map([("syncPolicy".to_owned(), policy.clone())].into_iter().collect());
        object("argoproj.io/v1alpha1", "Application", annotations, &spec)
    }

    fn kustomization(annotations: &Value, spec: &Value) -> LiveObject {
        object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", annotations, spec)
    }

    fn set(annotations: &Value) -> LiveObject {
        object("fluxcd.controlplane.io/v1", "ResourceSet", annotations, &value!({}))
    }

    fn wanted() -> Wanted {
        Wanted {
            owner: "ana".into(),
            reason: "hot fix".into(),
            since: "2026-03-01T12:00:00Z".parse().unwrap(),
            until: "2026-03-01T13:00:00Z".parse().unwrap(),
        }
    }

    /// The object as changes make it.
    fn after(object: &LiveObject, changes: &[FieldChange]) -> LiveObject {
        let mut body = without_secrets(&object.body);
        for change in changes {
            let names: Vec<String> = change
                .path
                .0
                .iter()
                .map(|segment| match segment {
                    crate::model::Segment::Field(name) => name.clone(),
                    other => panic!("{other:?}"),
                })
                .collect();
            let (last, above) = names.split_last().unwrap();
            let mut at = &mut body;
            for name in above {
                at = at.as_object_mut().unwrap().entry(name).or_insert_with(|| json!({}));
            }
            let fields = at.as_object_mut().unwrap();
            match &change.desired {
                Some(value) => drop(fields.insert(last.clone(), without_secrets(value))),
                None => drop(fields.remove(last)),
            }
        }
        LiveObject::read(&ClusterId("c".into()), body.into()).unwrap()
    }

    #[test]
    fn resuming_leaves_an_engines_object_as_it_was_before_the_hold() {
        let none = value!({});
        let cases: [(LiveObject, bool); 9] = [
            (application(&none, &value!({"automated": {}})), true),
            (application(&none, &value!({"automated": {"enabled": true, "prune": true}})), true),
            (application(&none, &value!({"automated": {"selfHeal": true}, "retry": {"limit": 2}})), false),
            (kustomization(&none, &value!({"interval": "10m"})), false),
            (kustomization(&value!({"own": "1"}), &value!({"suspend": false})), true),
            (object("helm.toolkit.fluxcd.io/v2", "HelmRelease", &none, &value!({"interval": "5m"})), true),
            (set(&none), true),
            (set(&value!({"fluxcd.controlplane.io/reconcile": "enabled"})), true),
            (object("fluxcd.controlplane.io/v1", "FluxInstance", &none, &value!({})), true),
        ];
        for (object, knows_switch) in cases {
            assert_eq!(standing(&object), Automation::Running, "{:?}", object.body);
            let held = after(&object, &changes_of_hold(&object, &wanted(), knows_switch).unwrap());
            let Automation::Held(hold) = standing(&held) else { panic!("{:?}", held.body) };
            assert!(hold.ours);
            assert_eq!(
                (hold.owner.as_deref(), hold.reason.as_deref(), hold.since, hold.until),
                (Some("ana"), Some("hot fix"), Some(wanted().since), Some(wanted().until))
            );
            assert!(!hold.is_expired(wanted().since) && hold.is_expired(wanted().until));
            // Held again it is the same hold, to another time.
            let longer = Wanted { until: "2026-03-01T15:00:00Z".parse().unwrap(), ..wanted() };
            let changes = changes_of_hold(&held, &longer, knows_switch).unwrap();
            let paths: Vec<String> = changes.iter().map(|change| change.path.to_string()).collect();
            assert_eq!(paths, [".metadata.annotations.driftdeck.dev/hold-until"]);
            let held = after(&held, &changes);
            let back = after(&held, &changes_of_resume(&held).unwrap());
            assert_eq!(without_secrets(&back.body), without_secrets(&object.body));
        }
    }

    #[test]
    fn what_others_paused_and_what_has_no_automation_is_said() {
        let none = value!({});
        let suspended = kustomization(&none, &value!({"suspend": true}));
        let Automation::Held(hold) = standing(&suspended) else { panic!("it is paused") };
        assert!(!hold.ours && hold.until.is_none() && !hold.is_expired(Timestamp::MAX));
        assert_eq!((hold.who(), hold.at), ("kubectl-edit", Some("2026-03-01T10:00:00Z".parse().unwrap())));
        assert_eq!(
            changes_of_hold(&suspended, &wanted(), true),
            Err(CannotSwitch::PausedByOthers { who: "kubectl-edit".into() })
        );
        let changes = changes_of_resume(&suspended).unwrap();
        assert_eq!(changes.len(), 1);
        assert_eq!(standing(&after(&suspended, &changes)), Automation::Running);

        let manual = application(&none, &value!({}));
        assert_eq!(standing(&manual), Automation::Manual);
        assert_eq!(changes_of_hold(&manual, &wanted(), true), Err(CannotSwitch::Manual));
        let running = kustomization(&none, &value!({}));
        assert_eq!(changes_of_resume(&running), Err(CannotSwitch::Running));
        let other = object("v1", "ConfigMap", &none, &none);
        assert_eq!(standing(&other), Automation::NoEngine);
    }

    #[test]
    fn what_somebody_resumed_in_another_way_only_loses_the_annotations() {
        let left = value!({"driftdeck.dev/hold-was": "null", "driftdeck.dev/hold-owner": "ana", "own": "1"});
        let object = kustomization(&left, &value!({"suspend": false}));
        assert_eq!(standing(&object), Automation::Running);
        let changes = changes_of_resume(&object).unwrap();
        assert_eq!(changes.len(), 2);
        let back = after(&object, &changes);
        assert_eq!((back.annotation("own"), is_ours(&back)), (Some("1"), false));
    }

    #[test]
    fn what_an_annotation_says_that_was_tampered_with_is_not_written() {
        for was in ["", "{", "7", "[]", "\"x\"", "{\"prune\":true}"] {
            let object = kustomization(&value!({"driftdeck.dev/hold-was": was}), &value!({"suspend": true}));
            assert_eq!(changes_of_resume(&object), Err(CannotSwitch::Damaged), "{was}");
        }
    }
}
