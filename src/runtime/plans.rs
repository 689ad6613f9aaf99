//! Plans what writes to clusters, and carries it out, for the deck.

pub(super) mod hold;
mod sync;
mod undo;

use super::{Runtime, redacted};
use crate::action::journal::{Journal, JournalError};
use crate::action::{ExecuteError, Planned};
use crate::deck::message::OpenSync;
use crate::deck::{Message, PlanRequest, SyncRequest, Ticket};
use crate::model::{Notice, Plan, ResourceId, Schema, StepOutcome};
use crate::pipeline::acting::{self, Place};
use crate::pipeline::run::Reached;
use std::sync::{Arc, PoisonError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A plan as it was made, with what it was made from.
pub(super) struct Kept {
    plan: Plan,
    request: PlanRequest,
    basis: Basis,
}

/// What a plan was made from, and is carried out with.
enum Basis {
    /// What Git declares.
    Files(SyncRequest),
    /// What the cluster holds alone.
    Live(Arc<Schema>),
}

/// Plans; writes nothing.
pub(super) async fn plan(runtime: Arc<Runtime>, ticket: Ticket, request: PlanRequest) {
    let token = runtime.begin(ticket);
    let message = tokio::select! {
        () = token.cancelled() => None,
        planned = planned(&runtime, request) => Some(match planned {
            Ok(kept) => {
                let shown = keep(&runtime, kept);
                Message::PlanReady { at: (runtime.clock)(), ticket, plan: Box::new(shown) }
            }
            Err(why) => why.message(&runtime, ticket),
        }),
    };
    runtime.end(ticket);
    if let Some(message) = message {
        runtime.say(message).await;
    }
}

/// Why there is no plan.
enum NoPlan {
    Failed(Notice),
    /// The person must say as whom this object is written.
    Tied {
        resource: ResourceId,
        managers: Vec<String>,
    },
    /// The person must say which sync is to be undone.
    Open(Vec<OpenSync>),
}

impl From<Notice> for NoPlan {
    fn from(notice: Notice) -> Self {
        Self::Failed(notice)
    }
}

impl NoPlan {
    fn message(self, runtime: &Runtime, ticket: Ticket) -> Message {
        let at = (runtime.clock)();
        match self {
            Self::Failed(notice) => Message::PlanFailed { at, ticket, notice },
            Self::Tied { resource, managers } => Message::PlanTied { at, ticket, resource, managers },
            Self::Open(syncs) => Message::PlanOpen { at, ticket, syncs },
        }
    }
}

async fn planned(runtime: &Runtime, request: PlanRequest) -> Result<Kept, NoPlan> {
    let (plan, basis) = match &request {
        PlanRequest::Sync(request) => (sync::planned(runtime, request).await?, Basis::Files(request.clone())),
        PlanRequest::Undo(request) => {
            let planned = undo::planned(runtime, request).await?;
            (planned.plan, Basis::Live(planned.schema))
        }
        PlanRequest::Hold(request) => {
            let planned = hold::planned(runtime, request).await?;
            (planned.plan, Basis::Live(planned.schema))
        }
    };
    Ok(Kept { plan, request, basis })
}

/// Says what became of what a killed driftdeck left under way in the cluster that is planned for.
async fn say_abandoned(runtime: &Runtime, closed: Result<Vec<Notice>, JournalError>) -> Result<(), Notice> {
    for notice in closed.map_err(|error| Notice::error(error.to_string()))? {
        runtime.say(Message::Notice { at: (runtime.clock)(), notice }).await;
    }
    Ok(())
}

async fn reached(runtime: &Runtime, request: &PlanRequest) -> Result<Reached, Notice> {
    let not_there = || Notice::error("the cluster cannot be reached").hint("! shows why");
    runtime.handle.reached(request.deployment().clone()).await.ok_or_else(not_there)
}

/// Says that what was to be carried out is no longer kept.
pub(super) fn not_known() -> Notice {
    Notice::error("the plan is not known any more").hint("r plans again")
}

pub(super) fn no_journal() -> Notice {
    Notice::error("nothing is written without a journal").hint("set HOME or XDG_STATE_HOME")
}

/// Keeps a plan and returns the copy for the screen.
fn keep(runtime: &Runtime, kept: Kept) -> Plan {
    let shown = redacted::plan(&kept.plan);
    let mut plans = runtime.plans.lock().unwrap_or_else(PoisonError::into_inner);
    // Only what is on the screen can be carried out, and that is one plan at a time.
    plans.clear();
    plans.insert(kept.plan.id.clone(), kept);
    shown
}

/// Carries out the kept plan with the ticks of the shown one.
pub(super) async fn apply(runtime: Arc<Runtime>, ticket: Ticket, shown: Box<Plan>, answers: Vec<String>) {
    let token = runtime.begin(ticket);
    let kept = runtime.plans.lock().unwrap_or_else(PoisonError::into_inner).remove(&shown.id);
    let message = match (kept, &runtime.journal) {
        (None, _) => failed(&runtime, ticket, not_known()),
        (_, None) => failed(&runtime, ticket, no_journal()),
        (Some(mut kept), Some(journal)) => {
            for (step, wanted) in kept.plan.steps.iter_mut().zip(&shown.steps) {
                step.ticked = wanted.ticked;
            }
            let request = kept.request.clone();
            match carried_out(&runtime, ticket, kept, journal, &answers, &token).await {
                Ok(plan) => {
                    for notice in plan.notices {
                        runtime.say(Message::Notice { at: (runtime.clock)(), notice }).await;
                    }
                    Message::PlanDone { at: (runtime.clock)(), ticket, verdict: None }
                }
                Err(NotDone::Moved(why)) => plan_anew(&runtime, ticket, request, &why).await,
                Err(NotDone::Failed(notice)) => failed(&runtime, ticket, notice),
            }
        }
    };
    runtime.end(ticket);
    runtime.say(message).await;
}

/// Why nothing was written.
pub(super) enum NotDone {
    /// What the plan is bound to has moved.
    Moved(String),
    Failed(Notice),
}

impl From<Notice> for NotDone {
    fn from(notice: Notice) -> Self {
        Self::Failed(notice)
    }
}

impl From<ExecuteError> for NotDone {
    fn from(error: ExecuteError) -> Self {
        if error.is_moved() {
            Self::Moved(error.to_string())
        } else {
            Self::Failed(Notice::error(error.to_string()))
        }
    }
}

/// Carries out a plan, and tells each outcome as it comes.
async fn carried_out(
    runtime: &Arc<Runtime>,
    ticket: Ticket,
    kept: Kept,
    journal: &Journal,
    answers: &[String],
    cancel: &CancellationToken,
) -> Result<Plan, NotDone> {
    let Kept { plan, request, basis } = kept;
    let (told, outcomes) = mpsc::channel(crate::model::limits::CHANNEL);
    let telling = tokio::spawn(tell(runtime.clone(), ticket, outcomes));
    let mut ended = vec![false; plan.steps.len()];
    let mut progress = |plan: &Plan| {
        for (at, step) in plan.steps.iter().enumerate().filter(|(_, s)| s.outcome.is_final()) {
            if ended.get_mut(at).is_some_and(|done| !std::mem::replace(done, true)) {
                // A full channel only delays what the end of the plan says anyway.
                let _ = told.try_send((at, step.outcome.clone()));
            }
        }
    };
    let clock = &runtime.clock;
    let done = match basis {
        Basis::Files(request) => {
            let deployed = sync::deployed_now(runtime, &request).await?;
            acting::carry_out(plan, &deployed, journal, clock, answers, cancel, &mut progress).await
        }
        Basis::Live(schema) => {
            let at = reached(runtime, &request).await?;
            let place = Place { cluster: &*at.cluster, journal, acting_as: at.acting_as.as_deref() };
            let planned = Planned { plan, schema };
            acting::carry_out_live(planned, place, clock, answers, cancel, &mut progress).await
        }
    };
    if let Ok(plan) = &done {
        progress(plan);
    }
    drop(told);
    // The outcomes are shown before the end of the plan.
    let _ = telling.await;
    Ok(done?)
}

async fn tell(runtime: Arc<Runtime>, ticket: Ticket, mut outcomes: mpsc::Receiver<(usize, StepOutcome)>) {
    while let Some((step, outcome)) = outcomes.recv().await {
        runtime.say(Message::StepDone { ticket, step, outcome }).await;
    }
}

async fn plan_anew(runtime: &Runtime, ticket: Ticket, request: PlanRequest, why: &str) -> Message {
    match planned(runtime, request).await {
        Ok(kept) => {
            let shown = keep(runtime, kept);
            let why = why.to_owned();
            Message::PlanMoved { at: (runtime.clock)(), ticket, plan: Box::new(shown), why }
        }
        Err(why) => why.message(runtime, ticket),
    }
}

fn failed(runtime: &Runtime, ticket: Ticket, notice: Notice) -> Message {
    Message::PlanFailed { at: (runtime.clock)(), ticket, notice }
}
