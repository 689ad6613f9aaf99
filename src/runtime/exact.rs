//! Has the API server asked about objects for the deck.

use super::Runtime;
use crate::deck::{Message, Ticket};
use crate::model::{DeploymentId, Notice, ResourceId};
use crate::pipeline::exact::silences;
use std::sync::Arc;

/// Asks about objects of a deployment; none named: all. What is found comes as verdicts; here only how far it has come,
/// and why some keep the local verdict.
pub(super) async fn check(
    runtime: Arc<Runtime>,
    ticket: Ticket,
    deployment: DeploymentId,
    resources: Vec<ResourceId>,
) {
    let token = runtime.begin(ticket);
    let messages = runtime.messages.clone();
    let mut progress = |done: usize, total: usize| {
        // One that finds no room is followed by others.
        let _ = messages.try_send(Message::ExactProgress { ticket, done, total });
    };
    let checked = runtime.handle.check_exactly(deployment, resources, &token, &mut progress).await;
    runtime.end(ticket);
    let at = (runtime.clock)();
    let (outcome, silent) = match checked {
        None => (
            Err(Notice::error("the app could not be rendered, or its cluster not reached")
                .hint("! shows why")),
            Vec::new(),
        ),
        Some(checked) => (Ok((checked.exact, checked.total)), silences(&checked)),
    };
    runtime.say(Message::ExactDone { at, ticket, outcome, silent }).await;
}
