//! Plans and carries out syncs for the deck.

use super::{Runtime, redacted};
use crate::action::sync::{Options, PlanError, Selection};
use crate::deck::{Message, SyncRequest, Ticket};
use crate::model::{Notice, Plan, ResourceId};
use crate::pipeline::acting;
use crate::pipeline::run::Deployed;
use std::sync::{Arc, PoisonError};
use tokio::sync::mpsc;

/// A plan as it was made, with what it was made from.
pub(super) struct Kept {
    plan: Plan,
    request: SyncRequest,
}

/// Plans; writes nothing.
pub(super) async fn plan(runtime: Arc<Runtime>, ticket: Ticket, request: SyncRequest) {
    let token = runtime.begin(ticket);
    let message = tokio::select! {
        () = token.cancelled() => None,
        planned = planned(&runtime, &request) => Some(match planned {
            Ok((plan, _)) => {
                let shown = keep(&runtime, plan, request);
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
        }
    }
}

async fn planned(runtime: &Runtime, request: &SyncRequest) -> Result<(Plan, Deployed), NoPlan> {
    let deployed = deployed_now(runtime, request).await?;
    if let Some(journal) = &runtime.journal {
        let closed = acting::close_abandoned(&deployed, journal, (runtime.clock)()).await;
        let notices = closed.map_err(|error| Notice::error(error.to_string()))?;
        for notice in notices {
            runtime.say(Message::Notice { at: (runtime.clock)(), notice }).await;
        }
    }
    let selection =
        if request.only.is_empty() { Selection::All } else { Selection::These(request.only.clone()) };
    let (deployers, dirty) = (request.deployers.clone(), request.dirty);
    let options = Options { selection, deployers, dirty, ..Options::default() };
    match acting::plan_sync(&deployed, &options, (runtime.clock)()).await {
        Ok(plan) => Ok((plan, deployed)),
        Err(PlanError::Tie { resource, managers }) => Err(NoPlan::Tied { resource, managers }),
        Err(error) => Err(plan_notice(&error).into()),
    }
}

async fn deployed(runtime: &Runtime, request: &SyncRequest) -> Result<Deployed, Notice> {
    runtime.handle.deployed(request.deployment.clone()).await.ok_or_else(not_there)
}

/// Returns the deployment with what its files are at this moment.
async fn deployed_now(runtime: &Runtime, request: &SyncRequest) -> Result<Deployed, Notice> {
    let deployed = deployed(runtime, request).await?;
    acting::as_of_now(&runtime.handle, deployed).await.ok_or_else(not_there)
}

fn not_there() -> Notice {
    Notice::error("the app could not be rendered, or its cluster not reached").hint("! shows why")
}

fn plan_notice(error: &PlanError) -> Notice {
    let notice = Notice::error(error.to_string());
    if matches!(error, PlanError::Dirty | PlanError::Unpushed { .. }) {
        return notice.hint("commit and push first, or plan with them all the same: the command uncommitted");
    }
    match error.hint() {
        Some(hint) => notice.hint(hint),
        None => notice,
    }
}

/// Keeps a plan and returns the copy for the screen.
fn keep(runtime: &Runtime, plan: Plan, request: SyncRequest) -> Plan {
    let shown = redacted::plan(&plan);
    let mut plans = runtime.plans.lock().unwrap_or_else(PoisonError::into_inner);
    // Only what is on the screen can be carried out, and that is one plan at a time.
    plans.clear();
    plans.insert(plan.id.clone(), Kept { plan, request });
    shown
}

/// Carries out the kept plan with the ticks of the shown one.
pub(super) async fn apply(runtime: Arc<Runtime>, ticket: Ticket, shown: Box<Plan>, answers: Vec<String>) {
    let token = runtime.begin(ticket);
    let kept = runtime.plans.lock().unwrap_or_else(PoisonError::into_inner).remove(&shown.id);
    let message = match (kept, &runtime.journal) {
        (None, _) => {
            failed(&runtime, ticket, Notice::error("the plan is not known any more").hint("r plans again"))
        }
        (_, None) => failed(
            &runtime,
            ticket,
            Notice::error("nothing is written without a journal").hint("set HOME or XDG_STATE_HOME"),
        ),
        (Some(mut kept), Some(journal)) => {
            for (step, wanted) in kept.plan.steps.iter_mut().zip(&shown.steps) {
                step.ticked = wanted.ticked;
            }
            match deployed_now(&runtime, &kept.request).await {
                Err(notice) => failed(&runtime, ticket, notice),
                Ok(deployed) => {
                    let (told, outcomes) = mpsc::channel(crate::model::limits::CHANNEL);
                    let telling = tokio::spawn(tell(runtime.clone(), ticket, outcomes));
                    let mut ended = vec![false; kept.plan.steps.len()];
                    let mut progress = |plan: &Plan| {
                        for (at, step) in plan.steps.iter().enumerate().filter(|(_, s)| s.outcome.is_final())
                        {
                            if ended.get_mut(at).is_some_and(|done| !std::mem::replace(done, true)) {
                                // A full channel only delays what the end of the plan says anyway.
                                let _ = told.try_send((at, step.outcome.clone()));
                            }
                        }
                    };
                    let done = acting::carry_out(
                        kept.plan,
                        &deployed,
                        journal,
                        &runtime.clock,
                        &answers,
                        &token,
                        &mut progress,
                    )
                    .await;
                    if let Ok(plan) = &done {
                        progress(plan);
                    }
                    drop(told);
                    // The outcomes are shown before the end of the plan.
                    let _ = telling.await;
                    match done {
                        Ok(plan) => {
                            for notice in plan.notices {
                                runtime.say(Message::Notice { at: (runtime.clock)(), notice }).await;
                            }
                            Message::PlanDone { at: (runtime.clock)(), ticket, verdict: None }
                        }
                        Err(error) if error.is_moved() => {
                            plan_anew(&runtime, ticket, kept.request, &error.to_string()).await
                        }
                        Err(error) => failed(&runtime, ticket, Notice::error(error.to_string())),
                    }
                }
            }
        }
    };
    runtime.end(ticket);
    runtime.say(message).await;
}

async fn tell(
    runtime: Arc<Runtime>,
    ticket: Ticket,
    mut outcomes: mpsc::Receiver<(usize, crate::model::StepOutcome)>,
) {
    while let Some((step, outcome)) = outcomes.recv().await {
        runtime.say(Message::StepDone { ticket, step, outcome }).await;
    }
}

async fn plan_anew(runtime: &Runtime, ticket: Ticket, request: SyncRequest, why: &str) -> Message {
    match planned(runtime, &request).await {
        Ok((plan, _)) => {
            let shown = keep(runtime, plan, request);
            let why = why.to_owned();
            Message::PlanMoved { at: (runtime.clock)(), ticket, plan: Box::new(shown), why }
        }
        Err(why) => why.message(runtime, ticket),
    }
}

fn failed(runtime: &Runtime, ticket: Ticket, notice: Notice) -> Message {
    Message::PlanFailed { at: (runtime.clock)(), ticket, notice }
}
