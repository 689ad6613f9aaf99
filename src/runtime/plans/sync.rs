//! Plans syncs for the deck.

use super::NoPlan;
use crate::action::sync::{Options, PlanError, Selection};
use crate::deck::SyncRequest;
use crate::model::{Notice, Plan};
use crate::pipeline::acting;
use crate::pipeline::run::Deployed;
use crate::runtime::Runtime;

/// Plans a sync of what the files are at this moment.
pub(super) async fn planned(runtime: &Runtime, request: &SyncRequest) -> Result<Plan, NoPlan> {
    let deployed = deployed_now(runtime, request).await?;
    if let Some(journal) = &runtime.journal {
        let now = (runtime.clock)();
        let closed = acting::close_abandoned(&*deployed.cluster, &deployed.facts, journal, now).await;
        super::say_abandoned(runtime, closed).await?;
    }
    let selection =
        if request.only.is_empty() { Selection::All } else { Selection::These(request.only.clone()) };
    let (deployers, dirty) = (request.deployers.clone(), request.dirty);
    let options = Options { selection, deployers, dirty, ..Options::default() };
    match acting::plan_sync(&deployed, &options, (runtime.clock)()).await {
        Ok(plan) => Ok(plan),
        Err(PlanError::Tie { resource, managers }) => Err(NoPlan::Tied { resource, managers }),
        Err(error) => Err(plan_notice(&error).into()),
    }
}

/// Returns the deployment with what its files are at this moment.
pub(super) async fn deployed_now(runtime: &Runtime, request: &SyncRequest) -> Result<Deployed, Notice> {
    let not_there =
        || Notice::error("the app could not be rendered, or its cluster not reached").hint("! shows why");
    let deployed = runtime.handle.deployed(request.deployment.clone()).await.ok_or_else(not_there)?;
    acting::as_of_now(&runtime.handle, deployed).await.ok_or_else(not_there)
}

fn plan_notice(error: &PlanError) -> Notice {
    let notice = Notice::error(error.to_string());
    if matches!(error, PlanError::Dirty | PlanError::Unpushed { .. }) {
        return notice.hint("commit and push first, or plan with them all the same: the command uncommitted");
    }
    notice.hinted(error.hint())
}
