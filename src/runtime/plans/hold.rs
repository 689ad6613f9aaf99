//! Plans holds for the deck, and tells whether an app's engine acts by itself.

use super::NoPlan;
use crate::action::Planned;
use crate::action::hold::Ask;
use crate::deck::{HoldRequest, Message, PlanRequest};
use crate::model::{DeploymentId, Notice};
use crate::pipeline::{acting, holds};
use crate::runtime::Runtime;
use std::sync::Arc;

/// Plans the pause of an app's engine, or its end.
pub(super) async fn planned(runtime: &Runtime, request: &HoldRequest) -> Result<Planned, NoPlan> {
    let journal = runtime.journal.as_ref().ok_or_else(super::no_journal)?;
    let reached = super::reached(runtime, &PlanRequest::Hold(request.clone())).await?;
    let now = (runtime.clock)();
    let closed = acting::close_abandoned(&*reached.cluster, &reached.facts, journal, now).await;
    super::say_abandoned(runtime, closed).await?;
    let ask = match &request.pause {
        Some(pause) => Ask::Hold { reason: pause.reason.clone(), lasting: pause.lasting },
        None => Ask::Resume,
    };
    let planned = holds::plan_hold(&reached, &ask, now).await;
    planned.map_err(|error| Notice::error(error.to_string()).hinted(error.hint()).into())
}

/// Tells whether an app's engine acts by itself.
pub(in crate::runtime) async fn load(runtime: Arc<Runtime>, deployment: DeploymentId) {
    let unknown = || Notice::warning("whether the app is held is not known");
    let result = match runtime.handle.reached(deployment.clone()).await {
        None => Err(unknown().cause("the cluster is not reached")),
        Some(reached) => {
            holds::automation(&reached).await.map_err(|error| unknown().cause(error.to_string()))
        }
    };
    runtime.say(Message::Automation { at: (runtime.clock)(), deployment, result }).await;
}
