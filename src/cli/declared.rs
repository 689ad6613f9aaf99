//! Fills in which commits declared the values that differ, and which syncs failed, for what is printed.

use crate::cli::document::Findings;
use crate::model::{Cause, Class, Declared, FieldChange};
use crate::pipeline::failed_sync::Engines;
use crate::pipeline::run::Handle;
use crate::pipeline::story::{Blames, story};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long commits are searched for in a run, over all objects.
const TIME: Duration = Duration::from_secs(15);

/// Looks up the commits of every change that says what Git declares, and asks the engines of what they did not bring. What is not found in time says so.
pub async fn look_up(findings: &mut Findings, handle: &Handle) {
    let (blames, engines, end) = (Arc::new(Blames::default()), Engines::default(), Instant::now() + TIME);
    for entry in &mut findings.resources {
        let is_told = |change: &FieldChange| {
            change.desired.is_some()
                || change.cause == Cause::UnsyncedCommit
                || change.class == Class::Leftover
        };
        if !entry.status.judgement.changes.iter().any(is_told) {
            continue;
        }
        let id = (entry.status.deployment.clone(), entry.status.id.clone());
        let told = async {
            let inspected = handle.inspect(id.0, id.1).await?;
            Some(story(inspected, blames.clone(), &engines, false).await)
        };
        let told = tokio::time::timeout_at(end, told).await;
        let changes = &mut Arc::make_mut(&mut entry.status.judgement).changes;
        match told {
            Ok(Some(told)) => changes.iter_mut().for_each(|change| told.tell(change)),
            Ok(None) => {}
            Err(_) => give_up(changes),
        }
    }
}

fn give_up(changes: &mut [FieldChange]) {
    for change in changes.iter_mut().filter(|change| change.desired.is_some()) {
        change.declared = Some(Declared::Unknown("the search for its commit took too long".to_owned()));
    }
}
