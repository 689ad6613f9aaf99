//! Tells what runs: the pods first, then events and last lines, until nobody wants it any more.

use super::Runtime;
use crate::deck::{Message, Ticket};
use crate::model::{DeploymentId, Notice, ResourceId, Running};
use crate::pipeline::running;
use std::sync::Arc;

pub async fn load(
    runtime: Arc<Runtime>,
    ticket: Ticket,
    deployment: DeploymentId,
    resource: Option<ResourceId>,
) {
    let stop = runtime.begin(ticket);
    let work = async {
        let Some(question) = runtime.handle.running(deployment, resource).await else {
            let gone = Notice::warning("it is not known any more").hint("esc goes back");
            return say(&runtime, ticket, Err(gone), true).await;
        };
        let found = running::pods(&question).await;
        say(&runtime, ticket, Ok(found.running()), false).await;
        say(&runtime, ticket, Ok(running::whole(&question, &found).await), true).await;
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
    runtime.end(ticket);
}

async fn say(runtime: &Runtime, ticket: Ticket, result: Result<Running, Notice>, last: bool) {
    let at = (runtime.clock)();
    runtime.say(Message::Running { at, ticket, result: result.map(Box::new), last }).await;
}
