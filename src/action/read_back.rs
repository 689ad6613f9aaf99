//! Says what became of a write whose answer was lost, from the object as it is now.

use super::bind;
use crate::model::{Bound, LiveObject, StepAction};

/// What reading back shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadBack {
    Done,
    NotDone,
    /// Neither: the object has been changed since by somebody else.
    Unclear(&'static str),
}

/// What was known when the write was sent.
#[derive(Debug, Clone)]
pub struct Sent<'a> {
    pub action: StepAction,
    pub manager: &'a str,
    pub before: &'a Bound,
    /// The lasting digest of the object before, and as the dry run showed it afterwards.
    pub digest_before: Option<&'a str>,
    pub digest_after: Option<&'a str>,
}

/// Judges what became of a write.
pub fn judge(sent: &Sent<'_>, live: Option<&LiveObject>) -> ReadBack {
    match (sent.action, live) {
        (StepAction::Delete, live) => deletion(sent, live),
        (_, None) if sent.before.uid.is_none() => ReadBack::NotDone,
        (_, None) => ReadBack::Unclear("the object is gone"),
        (_, Some(live)) if sent.before.uid.is_none() => creation(sent, live),
        (_, Some(live)) => change(sent, live),
    }
}

fn deletion(sent: &Sent<'_>, live: Option<&LiveObject>) -> ReadBack {
    match live {
        None => ReadBack::Done,
        Some(live) if live.uid != sent.before.uid => ReadBack::Done,
        Some(live) if live.body.at(&["metadata", "deletionTimestamp"]).is_some() => ReadBack::Done,
        Some(_) => ReadBack::NotDone,
    }
}

fn creation(sent: &Sent<'_>, live: &LiveObject) -> ReadBack {
    let wrote =
        |managed: &Vec<_>| managed.iter().any(|e: &crate::model::ManagedEntry| e.manager == sent.manager);
    match &live.managed {
        Some(managed) if !wrote(managed) => ReadBack::Unclear("somebody else created it"),
        _ => ReadBack::Done,
    }
}

fn change(sent: &Sent<'_>, live: &LiveObject) -> ReadBack {
    if live.uid != sent.before.uid {
        return ReadBack::Unclear("the object was recreated");
    }
    if live.resource_version == sent.before.resource_version {
        return ReadBack::NotDone;
    }
    let now = bind::lasting_digest(live);
    // Digests tell nothing of a Secret's values: there both may be equal, and the version has moved.
    if sent.digest_after == Some(&now) {
        ReadBack::Done
    } else if sent.digest_before == Some(&now) {
        ReadBack::NotDone
    } else {
        ReadBack::Unclear("it has been changed since by somebody else")
    }
}
