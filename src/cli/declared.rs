//! Fills in which commits declared the values that differ, for what is printed.

use crate::cli::document::Findings;
use crate::model::{Declared, FieldChange, Story};
use crate::pipeline::run::Handle;
use crate::pipeline::story::{Blames, story};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long commits are searched for in a run, over all objects.
const TIME: Duration = Duration::from_secs(15);

/// Looks up the commits of every change that says what Git declares. What is not found in time says so.
pub async fn look_up(findings: &mut Findings, handle: &Handle) {
    let (blames, end) = (Arc::new(Blames::default()), Instant::now() + TIME);
    for entry in &mut findings.resources {
        if !entry.status.judgement.changes.iter().any(|change| change.desired.is_some()) {
            continue;
        }
        let id = (entry.status.deployment.clone(), entry.status.id.clone());
        let told = async {
            let inspected = handle.inspect(id.0, id.1).await?;
            Some(story(inspected, blames.clone(), false).await)
        };
        let told = tokio::time::timeout_at(end, told).await;
        let changes = &mut Arc::make_mut(&mut entry.status.judgement).changes;
        match told {
            Ok(Some(told)) => fill_in(changes, told),
            Ok(None) => {}
            Err(_) => give_up(changes),
        }
    }
}

fn fill_in(changes: &mut [FieldChange], told: Story) {
    for field in told.fields {
        // What was judged anew since is not found by its place.
        if let Some(change) = changes.iter_mut().find(|change| change.path == field.path) {
            change.origin = field.origin.or(change.origin.take());
            change.declared = field.declared;
        }
    }
}

fn give_up(changes: &mut [FieldChange]) {
    for change in changes.iter_mut().filter(|change| change.desired.is_some()) {
        change.declared = Some(Declared::Unknown("the search for its commit took too long".to_owned()));
    }
}
