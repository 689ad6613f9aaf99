//! Defines how a step becomes a write, from the object as it is right now.

use super::patch::Patcher;
use crate::cluster::{Patch, Propagation, Write};
use crate::drift::is_tracking;
use crate::model::last_applied::last_applied;
use crate::model::sealed::LAST_APPLIED;
use crate::model::{
    FieldChange, FieldPath, LastApplied, LiveObject, ManagedEntry, Manifest, Map, Operation, Segment,
    ServedKind, Step, Value, Way, field,
};

/// How tightly a write is tied to the object that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// To the object, in whatever version: for dry runs.
    Object,
    /// To the very version that was read: for writes.
    Version,
}

/// Returns the write of a step; `None` where the object that it needs does not exist, or must not exist and does.
pub fn write(step: &Step, kind: &ServedKind, live: Option<&LiveObject>, pin: Pin) -> Option<Write> {
    let kind = kind.clone();
    let namespace = step.resource.namespace.clone();
    let name = step.resource.name.clone()?;
    let manager = step.manager.clone();
    let uid = live.and_then(|l| l.uid.as_deref());
    let version = live.and_then(|l| l.resource_version.as_deref()).filter(|_| pin == Pin::Version);
    match &step.way {
        Way::ServerSide { force, without, keeping } => {
            let mut body = declared(step.desired.as_deref()?);
            for path in without {
                for path in declared_at(step.desired.as_deref()?, path) {
                    field::take_out(&mut body, &path);
                }
            }
            if let Some(live) = live {
                // What is left alone and the deployer applies now would be taken away with it.
                let kept: Vec<&FieldPath> = keeping.iter().chain(without).collect();
                body = keep_applied(body, live, &manager, &kept);
                keep_marks(&mut body, live, &manager);
            }
            for (field, value) in [("uid", uid), ("resourceVersion", version)] {
                if let (Some(value), Some(metadata)) = (value, metadata(&mut body)) {
                    metadata.insert(field.to_owned(), Value::string(value));
                }
            }
            Some(Write::Apply { kind, namespace, name, body, manager, force: *force })
        }
        Way::Patch { last_applied } => {
            let live = live?;
            let mut patcher = Patcher::of(live.body.clone());
            apply_changes(&mut patcher, step);
            match last_applied {
                LastApplied::Untouched => {}
                LastApplied::Was(Some(recorded)) => set_last_applied(&mut patcher, recorded),
                LastApplied::Was(None) => {
                    patcher.remove(&FieldPath::fields(&["metadata", "annotations", LAST_APPLIED]));
                }
                LastApplied::Declared => set_last_applied(&mut patcher, &declared(step.desired.as_deref()?)),
                LastApplied::Keeping(paths) => {
                    let record = with_record_of(paths, declared(step.desired.as_deref()?), live);
                    set_last_applied(&mut patcher, &record);
                }
            }
            let patch = Patch::Json(patcher.finish(uid, version));
            Some(Write::Patch { kind, namespace, name, patch, manager })
        }
        Way::Create { last_applied: keeps, marks } => {
            if live.is_some() {
                return None;
            }
            let mut patcher = Patcher::of(declared(step.desired.as_deref()?));
            if *keeps == LastApplied::Declared {
                set_last_applied(&mut patcher, &declared(step.desired.as_deref()?));
            }
            for (path, value) in marks {
                patcher.set(path, Value::string(value.as_str()));
            }
            Some(Write::Create { kind, namespace, body: patcher.into_body(), manager })
        }
        Way::Delete => {
            let live = live?;
            Some(Write::Delete {
                kind,
                namespace,
                name,
                uid: live.uid.clone(),
                resource_version: version.map(str::to_owned),
                propagation: Propagation::Background,
            })
        }
    }
}

/// Returns the server-side apply of what is declared under a field manager, with the marks by which the deployer tracks
/// the object, and with what is there at the paths that are `left` as they are. It is not tied to the object that was
/// read.
pub fn applied(
    desired: &Manifest,
    kind: &ServedKind,
    live: Option<&LiveObject>,
    left: &[FieldPath],
    manager: &str,
    force: bool,
) -> Option<Write> {
    let mut body = declared_but(desired, live, left);
    if let Some(live) = live {
        keep_marks(&mut body, live, manager);
    }
    Some(Write::Apply {
        kind: kind.clone(),
        namespace: desired.id.namespace.clone(),
        name: desired.id.name.clone()?,
        body,
        manager: manager.to_owned(),
        force,
    })
}

/// Returns the patch that sets everything that is declared and removes nothing: how client-side deployers write. What is
/// `left` is as in [`applied`].
pub fn merged_in(
    desired: &Manifest,
    kind: &ServedKind,
    live: Option<&LiveObject>,
    left: &[FieldPath],
    built_in: bool,
    manager: &str,
) -> Option<Write> {
    let body = declared_but(desired, live, left);
    Some(Write::Patch {
        kind: kind.clone(),
        namespace: desired.id.namespace.clone(),
        name: desired.id.name.clone()?,
        patch: if built_in { Patch::Strategic(body) } else { Patch::Merge(body) },
        manager: manager.to_owned(),
    })
}

/// Returns the body that a deployer would send: with its namespace, without what only a server sets.
pub fn declared(manifest: &Manifest) -> Value {
    let mut body = manifest.body.clone();
    if let Some(metadata) = metadata(&mut body) {
        for field in ["managedFields", "resourceVersion", "uid", "generation", "selfLink"] {
            metadata.remove(field);
        }
        match &manifest.id.namespace {
            Some(namespace) => {
                metadata.insert("namespace".to_owned(), Value::string(namespace.as_str()));
            }
            None => {
                metadata.remove("namespace");
            }
        }
    }
    body
}

/// Returns the body that a deployer would send, with what is there in the place of what is declared at some paths: the
/// server finds all that it demands, and nothing that differs. What is not there, or was read in another version, is left
/// out.
fn declared_but(desired: &Manifest, live: Option<&LiveObject>, left: &[FieldPath]) -> Value {
    let mut body = Patcher::of(declared(desired));
    let live = live.filter(|live| live.kind == desired.kind);
    for path in left {
        let there = live.and_then(|live| field::at(&live.body, path));
        let places = declared_at(desired, path).into_iter();
        let places: Vec<FieldPath> = places.filter(|at| field::at(body.body(), at).is_some()).collect();
        for at in places.iter().filter(|at| there.is_none() || *at != path) {
            body.remove(at);
        }
        if let (Some(there), false) = (there, places.is_empty()) {
            body.set(path, there.clone());
        }
    }
    body.into_body()
}

/// Returns where Git may declare what is at a path of the object: a Secret's `data` may be `stringData` there.
fn declared_at(desired: &Manifest, path: &FieldPath) -> Vec<FieldPath> {
    let mut places = vec![path.clone()];
    if desired.id.kind.is_secret()
        && let Some((Segment::Field(first), rest)) = path.0.split_first()
        && first == "data"
    {
        let text = Segment::Field("stringData".to_owned());
        places.push(FieldPath([text].into_iter().chain(rest.iter().cloned()).collect()));
    }
    places
}

/// Adds the marks by which the deployer tracks an object (Flux's labels, Argo CD's tracking id), as they are there.
///
/// Git does not declare them, the deployer applies them along with what Git declares: an apply in its name without them
/// would take them off, and the engine would no longer know its object.
fn keep_marks(body: &mut Value, live: &LiveObject, manager: &str) {
    let applied: Vec<_> = live.managed.iter().flatten().filter(|e| is_apply_of(e, manager)).collect();
    for part in ["labels", "annotations"] {
        let marks = live.body.at(&["metadata", part]).and_then(Value::as_map).into_iter().flatten();
        for (key, value) in marks.filter(|(key, value)| is_tracking(key, value.as_str())) {
            let path = FieldPath::fields(&["metadata", part, key]);
            let Some(metadata) = metadata(body).filter(|_| applied.iter().any(|e| e.fields.owns(&path)))
            else {
                continue;
            };
            if let Value::Map(declared) =
                metadata.entry(part.to_owned()).or_insert_with(|| Value::Map(Map::new()))
            {
                declared.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
    }
}

fn is_apply_of(entry: &ManagedEntry, manager: &str) -> bool {
    entry.manager == manager && entry.operation == Operation::Apply && entry.subresource.is_none()
}

fn metadata(body: &mut Value) -> Option<&mut Map> {
    body.as_map_mut().and_then(|b| b.get_mut("metadata")).and_then(Value::as_map_mut)
}

/// Adds the leaves under some paths that the deployer applies now, as they are there.
fn keep_applied(body: Value, live: &LiveObject, manager: &str, keeping: &[&FieldPath]) -> Value {
    let mut kept = Patcher::of(body);
    for entry in live.managed.iter().flatten().filter(|e| is_apply_of(e, manager)) {
        entry.fields.each(&mut |leaf| {
            let is_leaf = entry.fields.at(leaf).is_some_and(|set| set.children.is_empty());
            if is_leaf
                && keeping.iter().any(|path| leaf.is_under(path))
                && let Some(value) = field::at(&live.body, leaf)
            {
                kept.set(leaf, value.clone());
            }
        });
    }
    kept.into_body()
}

/// Adds to what is declared what was applied last at some paths.
fn with_record_of(paths: &[FieldPath], declared: Value, live: &LiveObject) -> Value {
    let mut record = Patcher::of(declared);
    for path in paths {
        if let Some(applied) = live.last_applied.as_ref().and_then(|applied| field::at(applied, path)) {
            record.set(path, applied.clone());
        }
    }
    record.into_body()
}

fn set_last_applied(patcher: &mut Patcher, applied: &Value) {
    let path = FieldPath::fields(&["metadata", "annotations", LAST_APPLIED]);
    patcher.set(&path, last_applied(applied));
}

fn apply_changes(patcher: &mut Patcher, step: &Step) {
    // What does not count is what the server adds by itself: shown, not sent.
    for change in step.changes.iter().filter(|c| c.counts) {
        let value = match &change.order_by {
            Some(keys) => in_declared_order(patcher.body(), step, change, keys),
            None => desired_value(change, step.desired.as_deref()),
        };
        match value {
            Some(value) => patcher.set(&change.path, value),
            None => patcher.remove(&change.path),
        }
    }
}

/// Returns the items that a list has now in the declared order, with declared items that the step adds in their places
/// and those that nobody declares at the end. What an earlier step removed does not come back.
fn in_declared_order(body: &Value, step: &Step, change: &FieldChange, keys: &[String]) -> Option<Value> {
    let list = |body: &Value| field::at(body, &change.path).and_then(Value::as_list).map(<[Value]>::to_vec);
    let (Some(mut rest), Some(declared)) = (list(body), step.desired.as_deref().and_then(|d| list(&d.body)))
    else {
        return change.desired.clone();
    };
    if keys.is_empty() {
        return change.desired.clone();
    }
    let mut arranged = Vec::with_capacity(rest.len());
    for item in declared {
        let same = |other: &Value| keys.iter().all(|key| other.get(key) == item.get(key));
        match rest.iter().position(same) {
            Some(at) => arranged.push(rest.remove(at)),
            None if adds(step, &change.path, &item) => arranged.push(item),
            None => {}
        }
    }
    arranged.append(&mut rest);
    Some(Value::List(arranged))
}

/// Returns whether a step adds this item to a list.
fn adds(step: &Step, list: &FieldPath, item: &Value) -> bool {
    step.changes.iter().any(|change| match change.path.0.split_last() {
        Some((Segment::Keys(keys), above)) if change.counts && above == list.0 => {
            keys.iter().all(|(key, scalar)| item.get(key).is_none_or(|value| *value == scalar.0))
        }
        _ => false,
    })
}

/// Returns the value to write: as Git spells it, and in a Secret's `data` always in base64.
fn desired_value(change: &FieldChange, desired: Option<&Manifest>) -> Option<Value> {
    let shown = change.desired.as_ref()?;
    let spelled = desired.and_then(|d| field::at(&d.body, &change.path)).unwrap_or(shown);
    let is_secret_data = desired.is_some_and(|d| d.id.kind.is_secret())
        && change.path.0.first() == Some(&Segment::Field("data".to_owned()));
    Some(if is_secret_data { in_base64(spelled) } else { spelled.clone() })
}

fn in_base64(value: &Value) -> Value {
    match value {
        Value::Sealed(sealed) => Value::Sealed(sealed.to_base64()),
        Value::Map(fields) => Value::Map(fields.iter().map(|(k, v)| (k.clone(), in_base64(v))).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::manifest::BodyLines;
    use crate::model::sealed::seal_object;
    use crate::model::{ClusterId, GroupVersionKind, Identity, Origin, ResourceId};
    use crate::value;

    fn manifest(mut body: Value) -> Manifest {
        let word = |field: &str| body.str_at(&[field]).unwrap().to_owned();
        let kind = GroupVersionKind::from_api_version(&word("apiVersion"), &word("kind"));
        seal_object(&kind.group_kind(), &mut body);
        let id = ResourceId::from(Identity {
            cluster: ClusterId("c".into()),
            kind: kind.group_kind(),
            namespace: None,
            name: Some("it".into()),
        });
        let (origin, lines) = (Origin::default(), BodyLines::default());
        Manifest { id, kind, body, origin, problems: Vec::new(), lines, overlay: None }
    }

    fn live(body: Value) -> LiveObject {
        LiveObject::read(&ClusterId("c".into()), body).unwrap()
    }

    fn paths(texts: &[&str]) -> Vec<FieldPath> {
        texts.iter().map(|text| FieldPath::parse(text).unwrap()).collect()
    }

    #[test]
    fn what_is_left_as_it_is_stands_in_a_body_as_it_is_there_and_not_at_all_where_it_is_not() {
        let job = |api: &str, spec: Value| {
            let mut body = value!({"apiVersion": api, "kind": "Job", "metadata": {"name": "it"}});
            body.as_map_mut().unwrap().insert("spec".into(), spec);
            body
        };
        let desired = manifest(job(
            "batch/v1",
            value!({"suspend": true, "parallelism": 1, "l": [{"name": "a", "v": 1}, {"name": "b", "v": 1}]}),
        ));
        let left =
            paths(&[".spec.suspend", ".spec.parallelism", r#".spec.l[name="a"].v"#, ".spec.undeclared"]);
        let there =
            value!({"suspend": false, "l": [{"name": "b", "v": 2}, {"name": "a", "v": 2}], "undeclared": 1});
        let body = declared_but(&desired, Some(&live(job("batch/v1", there.clone()))), &left);
        assert_eq!(
            body.get("spec"),
            Some(&value!({"suspend": false, "l": [{"name": "a", "v": 2}, {"name": "b", "v": 1}]}))
        );
        // What was read in another version may be of another form.
        let body = declared_but(&desired, Some(&live(job("batch/v2", there))), &left);
        assert_eq!(body.get("spec"), Some(&value!({"l": [{"name": "a"}, {"name": "b", "v": 1}]})));
        assert_eq!(declared_but(&desired, None, &[]), declared(&desired));
    }

    #[test]
    fn the_text_of_a_secret_is_left_as_its_data_is() {
        let secret = |field: &str, values: Value| {
            let mut body = value!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "it"}});
            body.as_map_mut().unwrap().insert(field.into(), values);
            body
        };
        let desired = manifest(secret("stringData", value!({"a": "new", "b": "new", "c": "new"})));
        let there = live(secret("data", value!({"a": "b2xk"})));
        let body = declared_but(&desired, Some(&there), &paths(&[".data.a", ".data.b"]));
        let keys = |field: &str| -> Vec<String> {
            body.get(field).and_then(Value::as_map).into_iter().flat_map(Map::keys).cloned().collect()
        };
        assert_eq!((keys("data"), keys("stringData")), (vec!["a".to_owned()], vec!["c".to_owned()]));
        assert_eq!(body.at(&["data", "a"]), there.body.at(&["data", "a"]));
    }
}
