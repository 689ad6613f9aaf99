//! Tells the history of an app step by step, and what one commit of it is against something, until nobody wants it any more.

use super::{Runtime, redacted};
use crate::deck::{Message, Ticket};
use crate::model::history::{Against, Step};
use crate::model::{AppId, ClusterId, DeploymentId, Notice, Oid, limits};
use crate::pipeline::history;
use std::sync::Arc;
use tokio::sync::mpsc;

pub async fn load(runtime: Arc<Runtime>, ticket: Ticket, app: AppId, cluster: Option<ClusterId>) {
    let stop = runtime.begin(ticket);
    let work = async {
        let Some(ground) = runtime.handle.past(app, cluster).await else {
            return say(&runtime, ticket, Err(gone())).await;
        };
        let (steps, mut told) = mpsc::channel(limits::CHANNEL);
        let telling = async {
            let result = runtime.histories.tell(&ground, &stop, &steps).await;
            drop(steps);
            result
        };
        let passing = async {
            while let Some(step) = told.recv().await {
                say(&runtime, ticket, Ok(step)).await;
            }
        };
        if let (Err(error), ()) = tokio::join!(telling, passing) {
            say(&runtime, ticket, Err(error.notice())).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
    let at = (runtime.clock)();
    runtime.say(Message::HistoryEnded { at, ticket }).await;
    runtime.end(ticket);
}

/// Tells what a commit is against something.
pub async fn effect(
    runtime: Arc<Runtime>,
    ticket: Ticket,
    deployment: DeploymentId,
    commit: Oid,
    against: Against,
) {
    let stop = runtime.begin(ticket);
    let work = async {
        let cluster = Some(deployment.cluster.clone());
        let result = match runtime.handle.past(deployment.app.clone(), cluster).await {
            None => Err(gone()),
            Some(ground) => match history::against(&ground, &commit, &against, &stop).await {
                Ok(statuses) => Ok(statuses.into_iter().map(redacted::status).collect()),
                Err(why) => Err(Notice::warning("it cannot be compared").cause(why)),
            },
        };
        let at = (runtime.clock)();
        runtime.say(Message::CommitEffect { at, ticket, result }).await;
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
    runtime.end(ticket);
}

fn gone() -> Notice {
    Notice::warning("it is not known any more").hint("esc goes back")
}

async fn say(runtime: &Runtime, ticket: Ticket, step: Result<Step, Notice>) {
    let at = (runtime.clock)();
    runtime.say(Message::HistoryStep { at, ticket, step: step.map(Box::new) }).await;
}
