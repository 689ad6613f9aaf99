//! Drafts the steps of an undo from what the action did, what was kept of it, and what is there now. Pure: it asks the
//! cluster nothing.

use super::UNDOER;
use super::past::Past;
use crate::action::before::Kept;
use crate::action::effect::effects;
use crate::action::sync::words;
use crate::action::{bind, order};
use crate::model::change::add_note;
use crate::model::manifest::BodyLines;
use crate::model::{
    Class, Effect, Engine, FieldChange, FieldPath, GroupKind, LastApplied, LiveObject, Manifest, Origin,
    Schema, Step, StepAction, StepOutcome, Value, Way,
};
use std::sync::Arc;

/// One object of the action, with everything that undoing it needs.
pub struct Subject {
    pub past: Past,
    /// What was kept of the first step that was done, and of the last; why nothing can be said of it.
    pub kept: Result<(Kept, Kept), String>,
    /// The object as it is now, or why it cannot be read.
    pub now: Result<Option<LiveObject>, String>,
}

/// What comes of one object.
#[derive(Debug, Default, PartialEq)]
pub struct Draft {
    pub step: Option<Step>,
    /// What the plan will not do, and why.
    pub will_not: Vec<String>,
    /// What needs no step.
    pub remarks: Vec<String>,
}

impl Draft {
    fn no(what: String) -> Self {
        Self { will_not: vec![what], ..Self::default() }
    }

    fn idle(what: String) -> Self {
        Self { remarks: vec![what], ..Self::default() }
    }
}

/// Returns why nothing of a kind can be undone.
fn cannot(kind: &GroupKind) -> Option<&'static str> {
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Secret") => Some("Secrets are never stored"),
        ("", "PersistentVolumeClaim" | "PersistentVolume") => {
            Some("its data would not come back, and could be lost with it")
        }
        ("batch", "Job") => Some("what it ran cannot be undone"),
        _ if order::is_crd(kind) => {
            Some("the objects of its kind would not come back, and could be lost with it")
        }
        _ => None,
    }
}

/// Drafts what undoes the steps on one object.
pub fn draft(subject: &Subject, schema: &Schema) -> Draft {
    let Past { resource, done, unclear, .. } = &subject.past;
    if *unclear {
        return Draft::no(format!("undo {resource}: it may or may not have been written then"));
    }
    if done.is_empty() {
        return Draft::default();
    }
    if let Some(why) = cannot(&resource.kind) {
        return Draft::no(format!("undo {resource}: {why}"));
    }
    let (first, last) = match &subject.kept {
        Ok(kept) => kept,
        Err(why) => return Draft::no(format!("undo {resource}: {why}")),
    };
    let now = match &subject.now {
        Ok(now) => now.as_ref(),
        Err(why) => return Draft::no(format!("undo {resource}: {why}")),
    };
    if now.is_some_and(|now| now.body.at(&["metadata", "deletionTimestamp"]).is_some()) {
        return Draft::no(format!("undo {resource}: it is being deleted"));
    }
    match (first, last, now) {
        (Kept::Not { why }, _, _) | (_, Kept::Not { why }, _) => Draft::no(format!("undo {resource}: {why}")),
        (Kept::Created { .. }, _, None) => {
            Draft::idle(format!("{resource}: what was created is gone already"))
        }
        (Kept::Created { uid }, _, Some(now)) => deletion(subject, uid.as_deref(), now),
        (
            Kept::Deleted { before, .. } | Kept::Changed { before, .. },
            Kept::Deleted { applied_by, .. },
            now,
        ) => match (read(before, subject), now) {
            (None, _) => Draft::no(damaged(subject)),
            (Some(before), None) => creation(subject, &before, applied_by.as_deref()),
            (Some(_), Some(_)) => {
                Draft::no(format!("create {resource}: somebody has created it again since"))
            }
        },
        (Kept::Changed { before, .. }, Kept::Changed { after, .. }, Some(now)) => {
            match (read(before, subject), read(after, subject)) {
                (Some(before), Some(after)) => changes(subject, &before, &after, now, schema),
                _ => Draft::no(damaged(subject)),
            }
        }
        (Kept::Changed { .. }, _, None) => Draft::no(format!("undo {resource}: it was deleted since")),
        (Kept::Changed { .. } | Kept::Deleted { .. }, _, Some(_)) | (Kept::Deleted { .. }, _, None) => {
            Draft::no(damaged(subject))
        }
    }
}

fn damaged(subject: &Subject) -> String {
    format!("undo {}: what was stored of it cannot be read", subject.past.resource)
}

/// Reads an object as it was kept; it must be the one that the journal tells of.
fn read(kept: &serde_json::Value, subject: &Subject) -> Option<LiveObject> {
    let resource = &subject.past.resource;
    LiveObject::read(&resource.cluster, kept.clone().into()).ok().filter(|read| read.id == *resource)
}

/// What the action created is deleted, if it is still that.
fn deletion(subject: &Subject, uid: Option<&str>, now: &LiveObject) -> Draft {
    let resource = &subject.past.resource;
    match uid {
        None => {
            return Draft::no(format!(
                "delete {resource}: whether it is still the one that was created is not known"
            ));
        }
        Some(uid) if now.uid.as_deref() != Some(uid) => {
            return Draft::no(format!("delete {resource}: it is another one than was created then"));
        }
        Some(_) if now.has_owner() => {
            return Draft::no(format!("delete {resource}: another object owns it by now"));
        }
        Some(_) => {}
    }
    let change =
        FieldChange { live: Some(now.body.clone()), ..FieldChange::new(FieldPath::root(), Class::Leftover) };
    let mut step = step(subject, Some(now), StepAction::Delete, Way::Delete, vec![change]);
    if subject.past.after.as_ref().is_some_and(|after| *after != bind::lasting_digest(now)) {
        add_note(&mut step.note, "it was changed since it was created");
    }
    if order::is_namespace(&resource.kind) {
        add_note(&mut step.note, "whatever is in it goes with it");
    }
    fights(&mut step, now);
    Draft { step: Some(step), ..Draft::default() }
}

/// What the action deleted is created again.
fn creation(subject: &Subject, before: &LiveObject, applied_by: Option<&str>) -> Draft {
    let desired = Arc::new(manifest(before));
    let change = FieldChange {
        desired: Some(desired.body.clone()),
        ..FieldChange::new(FieldPath::root(), Class::Deleted)
    };
    let way = match applied_by {
        Some(_) => Way::ServerSide { force: false, without: Vec::new(), keeping: Vec::new() },
        // The record of what was applied is in the body, where there is one.
        None => Way::Create { last_applied: LastApplied::Untouched, marks: Vec::new() },
    };
    let mut step = step(subject, None, StepAction::Create, way, vec![change]);
    if let Some(manager) = applied_by {
        manager.clone_into(&mut step.manager);
    }
    step.note = words::creation_note(&desired);
    if order::is_namespace(&subject.past.resource.kind) {
        add_note(&mut step.note, "what was in it does not come back with it");
    }
    step.desired = Some(desired);
    Draft { step: Some(step), ..Draft::default() }
}

/// The fields that the action changed become what they were, but for those that somebody has changed since.
fn changes(
    subject: &Subject,
    before: &LiveObject,
    after: &LiveObject,
    now: &LiveObject,
    schema: &Schema,
) -> Draft {
    let resource = &subject.past.resource;
    if before.uid != now.uid {
        return Draft::no(format!("undo {resource}: it was deleted and created anew since"));
    }
    if before.kind != now.kind {
        return Draft::no(format!("undo {resource}: it is read as {} now", now.kind.api_version()));
    }
    let since = effects(schema, after, now);
    let left = effects(schema, before, now);
    let mut draft = Draft::default();
    let mut back = Vec::new();
    for effect in effects(schema, before, after) {
        if !left.iter().any(|other| meet(&effect, other)) {
            continue;
        }
        if since.iter().any(|other| meet(&effect, other)) {
            draft.will_not.push(format!(
                "put back {} of {resource}: {}",
                effect.path,
                changed_by(now, &effect.path)
            ));
        } else {
            back.push(effect);
        }
    }
    if back.is_empty() {
        if draft.will_not.is_empty() {
            draft.remarks.push(format!("{resource}: it is as it was already"));
        }
        return draft;
    }
    let desired = Arc::new(manifest(before));
    let changes = back
        .into_iter()
        .map(|effect| FieldChange {
            desired: effect.before,
            live: effect.after,
            order_by: effect.order_by.clone(),
            ..FieldChange::new(
                effect.path,
                if effect.order_by.is_some() { Class::Order } else { Class::Changed },
            )
        })
        .collect();
    let record = before.last_applied != after.last_applied && after.last_applied == now.last_applied;
    let last_applied = if record {
        LastApplied::Was(before.last_applied.clone().map(Box::new))
    } else {
        LastApplied::Untouched
    };
    let mut step = step(subject, Some(now), StepAction::Patch, Way::Patch { last_applied }, changes);
    for said in words::what_follows(&step, &desired.body, now) {
        add_note(&mut step.note, &said);
    }
    fights(&mut step, now);
    step.desired = Some(desired);
    draft.step = Some(step);
    draft
}

/// Returns whether two changes of one object touch the same thing.
fn meet(one: &Effect, other: &Effect) -> bool {
    match (one.is_order(), other.is_order()) {
        (true, true) => one.path == other.path,
        // What comes or goes as a whole around it has its order too; an item does not make one.
        (true, false) => one.path.is_under(&other.path),
        (false, true) => false,
        (false, false) => one.path.is_under(&other.path) || other.path.is_under(&one.path),
    }
}

fn changed_by(now: &LiveObject, path: &FieldPath) -> String {
    let writers = now.managed.iter().flatten().filter(|entry| entry.fields.touches(path));
    match writers.max_by_key(|entry| entry.time) {
        Some(writer) => format!("it was changed since; {} wrote it last", writer.manager),
        None => "it was changed since".to_owned(),
    }
}

/// Says what an engine that tracks the object will do about it.
fn fights(step: &mut Step, now: &LiveObject) {
    if let Some(said) = words::marks_note(Engine::None, now) {
        add_note(&mut step.note, &said);
    }
}

/// Returns an object as it was, as one that is to be.
fn manifest(before: &LiveObject) -> Manifest {
    let mut body = before.body.clone();
    if let Some(metadata) = body.as_map_mut().and_then(|o| o.get_mut("metadata")).and_then(Value::as_map_mut)
    {
        metadata.remove("creationTimestamp");
    }
    Manifest {
        id: before.id.clone(),
        kind: before.kind.clone(),
        body,
        origin: Origin::default(),
        problems: Vec::new(),
        lines: BodyLines::default(),
        overlay: None,
    }
}

fn step(
    subject: &Subject,
    now: Option<&LiveObject>,
    action: StepAction,
    way: Way,
    changes: Vec<FieldChange>,
) -> Step {
    Step {
        resource: subject.past.resource.clone(),
        kind: now.map_or_else(|| subject.past.kind.clone(), |now| now.kind.clone()),
        action,
        manager: UNDOER.to_owned(),
        changes,
        takes_over_from: Vec::new(),
        note: None,
        ticked: true,
        outcome: StepOutcome::Planned,
        way,
        desired: None,
        bound: bind::bound(now),
        effect: None,
    }
}
