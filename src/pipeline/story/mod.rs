//! Tells the story of an object's fields: which commit declared each value, where it is set, what it was before, and what
//! the cluster's events say. Only of what somebody looks at, within a bound, and off the async threads.

mod declaring;
mod earlier;
mod events;

pub use declaring::Blames;

use crate::git;
use crate::model::{App, Cause, FieldChange, Revision, Story, Tree, Value, field, story::FieldStory};
use crate::pipeline::failed_sync::Engines;
use crate::pipeline::run::Inspected;
use crate::text::redact;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the past of one object is searched at most.
pub const STORY_TIME: Duration = Duration::from_secs(5);

/// What an app is read from.
#[derive(Clone)]
pub struct Inputs {
    pub repo: git::Repo,
    pub app: App,
    pub tree: Arc<dyn Tree>,
    pub revision: Revision,
}

/// Tells the story of an object. `whole`: with the values that its fields had before, and the cluster's events.
pub async fn story(inspected: Inspected, blames: Arc<Blames>, engines: &Engines, whole: bool) -> Story {
    let events = async {
        if !whole {
            return (Vec::new(), None);
        }
        let Inspected { cluster, facts, status, .. } = &inspected;
        let read = events::about(&**cluster, facts, &status.id);
        match tokio::time::timeout(STORY_TIME, read).await {
            Ok(Ok(events)) => (events, None),
            Ok(Err(why)) => (Vec::new(), Some(why)),
            Err(_) => (Vec::new(), Some("the cluster took too long".to_owned())),
        }
    };
    let failed = failed_sync(&inspected, engines);
    let ((events, no_events), fields, failed_sync) =
        tokio::join!(events, fields(&inspected, blames, whole), failed);
    Story { whole, fields, failed_sync, events, no_events }
}

/// Returns why an object that is as an earlier commit had it was not brought further, where its engine tells.
async fn failed_sync(inspected: &Inspected, engines: &Engines) -> Option<String> {
    let waits = |change: &FieldChange| change.cause == Cause::UnsyncedCommit;
    let live = inspected.live.as_ref()?;
    if !inspected.status.judgement.changes.iter().any(waits) {
        return None;
    }
    engines.failure(&*inspected.cluster, &inspected.facts, live).await
}

async fn fields(inspected: &Inspected, blames: Arc<Blames>, whole: bool) -> Vec<FieldStory> {
    let changes = inspected.status.judgement.changes.clone();
    let applied = inspected.live.as_ref().and_then(|live| live.last_applied.clone());
    let (inputs, desired) = (inspected.inputs.clone(), inspected.desired.clone());
    let (id, past) = (inspected.status.id.clone(), inspected.past.clone());
    let stop = CancellationToken::new();
    let given_up = stop.clone();
    let work = tokio::task::spawn_blocking(move || {
        let mut declared: Vec<_> = changes.into_iter().map(|change| (change, None)).collect();
        let from = inputs.as_ref().zip(desired.as_deref());
        if let Some((inputs, manifest)) = from {
            declaring::declare(inputs, manifest, &mut declared, &blames, &stop);
        }
        if let Some(inputs) = &inputs {
            declaring::removed(inputs, &id, &past, &mut declared, &blames, &stop);
        }
        declared
            .into_iter()
            .map(|(change, place)| {
                let (earlier, earlier_more) = match (from, &place) {
                    (Some((inputs, manifest)), Some(place)) if whole && !is_secret(&change) => {
                        earlier::earlier(inputs, manifest, &change, place, &stop)
                    }
                    _ => (Vec::new(), false),
                };
                let was = applied.as_ref().and_then(|applied| field::at(applied, &change.path));
                let applied = was.filter(|was| {
                    let same = |side: &Option<Value>| side.as_ref() == Some(was);
                    !same(&change.desired) && !same(&change.live)
                });
                FieldStory {
                    applied: applied.cloned(),
                    path: change.path,
                    origin: change.origin,
                    declared: change.declared,
                    earlier,
                    earlier_more,
                }
            })
            .collect()
    });
    // The walk looks at this at every step, and ends soon after.
    let timer = async {
        tokio::time::sleep(STORY_TIME).await;
        given_up.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        fields = work => fields.unwrap_or_default(),
        () = timer => Vec::new(),
    }
}

/// What is hidden now was a secret then too, whatever an old file holds at its place.
fn is_secret(change: &FieldChange) -> bool {
    let sides = [&change.desired, &change.live];
    sides.into_iter().flatten().any(|value| redact::hides(value, &change.path))
}
