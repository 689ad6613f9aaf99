//! Plans and makes commits for the deck.

use super::plans::{self, NotDone};
use super::{Runtime, redacted};
use crate::action::commit::{self, MakeError};
use crate::action::ignore::Draft;
use crate::action::journal::Journal;
use crate::deck::commit_view::{CommitRequest, CommitWhat};
use crate::deck::{Message, Ticket};
use crate::model::commit_plan::CommitPlan;
use crate::model::{Notice, Oid, ResourceId};
use crate::pipeline::committing::{Prepared, Wanted, What, Wish, prepare};
use std::sync::{Arc, PoisonError};
use tokio_util::sync::CancellationToken;

/// A plan as it was made, with what it is made of and what was asked.
pub(super) struct Kept {
    prepared: Prepared,
    request: CommitRequest,
}

/// Plans; writes nothing.
pub(super) async fn plan(runtime: Arc<Runtime>, ticket: Ticket, request: CommitRequest) {
    let token = runtime.begin(ticket);
    let message = tokio::select! {
        () = token.cancelled() => None,
        message = ready(&runtime, ticket, request, None, &token) => Some(message),
    };
    runtime.end(ticket);
    if let Some(message) = message {
        runtime.say(message).await;
    }
}

/// Says what became of commits that a killed driftdeck left under way, with what to do about each.
pub(super) async fn close_abandoned(runtime: Arc<Runtime>) {
    let Some(journal) = runtime.journal.clone() else { return };
    let now = (runtime.clock)();
    let closing = tokio::task::spawn_blocking(move || commit::close_abandoned(&journal, now));
    let notices = match closing.await {
        Ok(Ok(notices)) => notices,
        Ok(Err(error)) => vec![Notice::error(error.to_string())],
        Err(_) => Vec::new(),
    };
    for notice in notices {
        runtime.say(Message::Notice { at: (runtime.clock)(), notice }).await;
    }
}

async fn planned(
    runtime: &Runtime,
    request: &CommitRequest,
    token: &CancellationToken,
) -> Result<Prepared, Notice> {
    let ground = runtime.handle.past(request.app.clone(), request.cluster.clone()).await;
    let ground = ground.ok_or_else(|| Notice::error("it is not known any more").hint("esc goes back"))?;
    let git = runtime.committer.git().await?;
    let named = |commit: &Oid| commit.0.clone();
    let what = match &request.what {
        CommitWhat::Back { to } => What::Back { to: named(to) },
        CommitWhat::Undo { commit } => What::Undo { commit: named(commit) },
        CommitWhat::Capture { resources, field } => {
            let fields: Vec<_> = field.iter().cloned().collect();
            let wish = |id: &ResourceId| Wish { resource: id.clone(), fields: fields.clone() };
            What::Capture(resources.iter().map(wish).collect())
        }
        CommitWhat::Ignore { resource, path, reach } => What::Ignore(Draft {
            resource: resource.clone(),
            path: path.clone(),
            reach: *reach,
            reason: None,
        }),
    };
    let wanted = Wanted {
        publish: request.publish,
        include_all: request.include,
        dirty: request.dirty,
        message: request.message.clone(),
        ..Wanted::new(what)
    };
    prepare(&runtime.handle, &ground, &git, &wanted, (runtime.clock)(), token).await.map_err(|notice| *notice)
}

/// Returns the plan for the screen; `moved`: why it is another one than a moment ago.
async fn ready(
    runtime: &Runtime,
    ticket: Ticket,
    request: CommitRequest,
    moved: Option<String>,
    token: &CancellationToken,
) -> Message {
    match planned(runtime, &request, token).await {
        Ok(prepared) => {
            let plan = Box::new(keep(runtime, prepared, request));
            Message::CommitReady { at: (runtime.clock)(), ticket, plan, moved }
        }
        Err(notice) => failed(runtime, ticket, notice),
    }
}

/// Keeps a plan and returns the copy for the screen.
fn keep(runtime: &Runtime, prepared: Prepared, request: CommitRequest) -> CommitPlan {
    let shown = redacted::commit_plan(&prepared.plan);
    // Only what is on the screen can be carried out, and that is one plan at a time.
    *runtime.commits.lock().unwrap_or_else(PoisonError::into_inner) = Some(Kept { prepared, request });
    shown
}

/// Carries out the kept plan.
pub(super) async fn make(runtime: Arc<Runtime>, ticket: Ticket, id: String) {
    let token = runtime.begin(ticket);
    let kept = runtime.commits.lock().unwrap_or_else(PoisonError::into_inner).take();
    let message = match (kept.filter(|kept| kept.prepared.plan.id == id), &runtime.journal) {
        (None, _) => failed(&runtime, ticket, plans::not_known()),
        (_, None) => failed(&runtime, ticket, plans::no_journal()),
        (Some(Kept { prepared, request }), Some(journal)) => {
            match made(&runtime, prepared, journal, &token).await {
                Ok(done) => {
                    let plan = Box::new(redacted::commit_plan(&done));
                    Message::CommitDone { at: (runtime.clock)(), ticket, plan }
                }
                Err(NotDone::Moved(why)) => ready(&runtime, ticket, request, Some(why), &token).await,
                Err(NotDone::Failed(notice)) => failed(&runtime, ticket, notice),
            }
        }
    };
    runtime.end(ticket);
    runtime.say(message).await;
}

async fn made(
    runtime: &Runtime,
    prepared: Prepared,
    journal: &Journal,
    token: &CancellationToken,
) -> Result<CommitPlan, NotDone> {
    let git = runtime.committer.git().await?;
    prepared.carry_out(&git, journal, &runtime.clock, token).await.map_err(|error| match error {
        MakeError::Moved(_) | MakeError::Overtaken(_) => NotDone::Moved(error.to_string()),
        MakeError::Journal(_) => NotDone::Failed(Notice::error(error.to_string())),
    })
}

fn failed(runtime: &Runtime, ticket: Ticket, notice: Notice) -> Message {
    Message::CommitFailed { at: (runtime.clock)(), ticket, notice }
}
