//! Brings what the pipeline knows of a deployment to the actions.

use crate::action::journal::{self, Entry, Journal, JournalError};
use crate::action::sync::{self, Inputs, Options, PlanError};
use crate::action::{ExecuteError, Execution};
use crate::model::{Notice, Plan, Timestamp};
use crate::pipeline::judging::engine_manager;
use crate::pipeline::run::Deployed;
use crate::pipeline::setup::Clock;
use tokio_util::sync::CancellationToken;

/// Plans a sync of a deployment. Reads and dry runs only.
pub async fn plan_sync(deployed: &Deployed, options: &Options, now: Timestamp) -> Result<Plan, PlanError> {
    let mut incomplete: Vec<String> =
        deployed.not_fresh.iter().map(|(kind, why)| format!("{kind}: {why}")).collect();
    if !deployed.complete {
        let why = deployed.render_notices.first().map_or("it left something out", |n| n.title.as_str());
        incomplete.push(format!("the rendering is incomplete: {why}"));
    }
    let others = deployed.others_incomplete.iter();
    incomplete.extend(
        others.map(|app| format!("the rendering of {app} is incomplete, so what it declares is not known")),
    );
    if deployed.manifests.is_empty() {
        incomplete.push("the rendering is empty".to_owned());
    }
    sync::plan(&Inputs {
        cluster: &*deployed.cluster,
        facts: &deployed.facts,
        schema: &deployed.knowledge.schema,
        managers: &deployed.knowledge.managers,
        autoscaled: &deployed.knowledge.autoscaled,
        deployment: &deployed.id,
        namespace: deployed.namespace.as_deref(),
        revision: &deployed.revision,
        engine: deployed.engine,
        engine_manager: engine_manager(deployed.engine, &deployed.marks),
        manifests: &deployed.manifests,
        extras: &deployed.extras,
        incomplete: &incomplete,
        protected: deployed.cluster_status.protected,
        options,
        now,
    })
    .await
}

/// Carries out a plan; `progress` is told after each step.
pub async fn carry_out(
    plan: Plan,
    deployed: &Deployed,
    journal: &Journal,
    clock: &Clock,
    answers: &[String],
    cancel: &CancellationToken,
    progress: &mut (dyn FnMut(&Plan) + Send),
) -> Result<Plan, ExecuteError> {
    let with = Execution {
        cluster: &*deployed.cluster,
        schema: &deployed.knowledge.schema,
        journal,
        clock: &**clock,
        cancel,
        answers,
        acting_as: deployed.acting_as.as_deref(),
    };
    crate::action::execute(plan, &with, progress).await
}

/// Reads back what became of writes that a killed driftdeck left under way in the deployment's cluster. Returns what is
/// to be said of them.
pub async fn close_abandoned(
    deployed: &Deployed,
    journal: &Journal,
    now: Timestamp,
) -> Result<Vec<Notice>, JournalError> {
    let closed = journal::close_abandoned(journal, &*deployed.cluster, &deployed.facts, now).await?;
    let said = |entry: &Entry| {
        Notice::warning(format!(
            "an interrupted {} of {} ended as {}",
            entry.command, entry.app, entry.outcome
        ))
    };
    Ok(closed.iter().map(said).collect())
}
