//! Reads from the journal what an action did to each object.

use super::UndoError;
use crate::action::journal::Entry;
use crate::model::{Asked, ClusterId, GroupVersionKind, Identity, Oid, ResourceId, Revision};
use serde_json::Value as Json;

/// What an action did to one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    pub resource: ResourceId,
    pub kind: GroupVersionKind,
    /// The steps that were done, by their place in the plan.
    pub done: Vec<usize>,
    /// A step that may or may not have been done.
    pub unclear: bool,
    /// The lasting digest of the object after the last step.
    pub after: Option<String>,
}

/// How many actions are named where one is not found.
const NAMED: usize = 5;

/// Finds an action by its id, or by the beginning of it where only one begins so.
pub fn find<'e>(entries: &'e [Entry], asked: &str) -> Result<&'e Entry, UndoError> {
    if let Some(entry) = entries.iter().rev().find(|entry| entry.id == asked) {
        return Ok(entry);
    }
    let begin: Vec<&Entry> =
        entries.iter().filter(|entry| !asked.is_empty() && entry.id.starts_with(asked)).collect();
    let last = |entries: &[&Entry]| {
        let named = entries.iter().rev().take(NAMED);
        named.map(|e| format!("{} ({} {} on {}, {})", e.id, e.command, e.app, e.cluster, e.outcome)).collect()
    };
    match begin.as_slice() {
        [one] => Ok(one),
        [] => Err(UndoError::NoSuch {
            asked: asked.to_owned(),
            last: last(&entries.iter().collect::<Vec<_>>()),
        }),
        several => Err(UndoError::Ambiguous { asked: asked.to_owned(), begin: last(several) }),
    }
}

/// Returns what an action did, in the order in which it began with the objects.
pub fn past(entry: &Entry, cluster: &ClusterId) -> Result<Vec<Past>, UndoError> {
    let not_undoable = || UndoError::NoWrites { id: entry.id.clone(), command: entry.command.clone() };
    let steps = entry.plan.get("steps").and_then(Json::as_array).ok_or_else(not_undoable)?;
    let mut all: Vec<Past> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let word = |name: &str| step.get(name).and_then(Json::as_str);
        if !["create", "apply", "patch", "delete"].contains(&word("action").unwrap_or_default()) {
            return Err(not_undoable());
        }
        let (kind, resource) = object(step, cluster).ok_or_else(not_undoable)?;
        let place = all.iter().position(|past| past.resource == resource).unwrap_or_else(|| {
            all.push(Past { resource, kind, done: Vec::new(), unclear: false, after: None });
            all.len() - 1
        });
        let Some(past) = all.get_mut(place) else { continue };
        match word("outcome") {
            Some("applied") => {
                past.done.push(at);
                past.after = word("after").map(str::to_owned);
            }
            Some("indeterminate") => past.unclear = true,
            _ => {}
        }
    }
    Ok(all)
}

fn object(step: &Json, cluster: &ClusterId) -> Option<(GroupVersionKind, ResourceId)> {
    let resource = step.get("resource")?;
    let word = |name: &str| resource.get(name).and_then(Json::as_str);
    let kind = GroupVersionKind::new(word("group")?, word("version")?, word("kind")?);
    let id = ResourceId::from(Identity {
        cluster: cluster.clone(),
        kind: kind.group_kind(),
        namespace: word("namespace").map(str::to_owned),
        name: Some(word("name")?.to_owned()),
    });
    Some((kind, id))
}

/// Returns the revision that an action wrote.
pub fn revision(entry: &Entry) -> Revision {
    let of = |name: &str| entry.plan.get("revision").and_then(|revision| revision.get(name));
    let count = |name: &str| {
        of(name).and_then(Json::as_u64).and_then(|count| usize::try_from(count).ok()).unwrap_or(0)
    };
    Revision {
        asked: Asked::Name(of("asked").and_then(Json::as_str).unwrap_or("unknown").to_owned()),
        commit: of("commit").and_then(Json::as_str).map(|commit| Oid(commit.to_owned())),
        dirty: of("dirty").and_then(Json::as_bool).unwrap_or(false),
        behind: count("behind"),
        ahead: count("ahead"),
    }
}
