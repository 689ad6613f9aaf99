//! Tells what changed: what is known first, then what clusters are asked for, each as it answers, until nobody wants it any
//! more.

use super::Runtime;
use crate::deck::{Message, Ticket};
use crate::model::{Past, Timestamp};
use crate::pipeline::changes;
use futures::StreamExt as _;
use std::sync::Arc;

/// Answers with what is known, and with `ask` also with what clusters tell.
pub async fn load(runtime: Arc<Runtime>, ticket: Ticket, since: Timestamp, ask: bool) {
    let stop = runtime.begin(ticket);
    let work = async {
        let Some(ground) = runtime.handle.ground().await.map(Arc::new) else { return };
        let known = {
            let (ground, journal, stop) = (Arc::clone(&ground), runtime.journal.clone(), stop.clone());
            tokio::task::spawn_blocking(move || changes::known(&ground, journal.as_ref(), since, &stop)).await
        };
        let Ok(known) = known else { return say(&runtime, ticket, Past::default(), false, true).await };
        say(&runtime, ticket, known.past.clone(), false, !ask).await;
        if ask {
            let mut asking =
                Box::pin(changes::asking(&ground, &known, since, (runtime.clock)(), changes::TIME));
            let mut asked = Past::default();
            while let Some(past) = asking.next().await {
                asked = Past::joined([asked, past]);
                say(&runtime, ticket, asked.clone(), true, false).await;
            }
            say(&runtime, ticket, asked, true, true).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
    runtime.end(ticket);
}

async fn say(runtime: &Runtime, ticket: Ticket, past: Past, asked: bool, last: bool) {
    let at = (runtime.clock)();
    runtime.say(Message::Changes { at, ticket, past: Box::new(past), asked, last }).await;
}
