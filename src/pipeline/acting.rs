//! Brings what the pipeline knows of a deployment to the actions.

use crate::action::journal::{self, Entry, Journal, JournalError};
use crate::action::sync::{self, Inputs, Options, PlanError};
use crate::action::{self, ExecuteError, Execution, Planned};
use crate::cluster::Cluster;
use crate::model::{ClusterFacts, Notice, Plan, Timestamp};
use crate::pipeline::judging::engine_manager;
use crate::pipeline::run::{Deployed, Handle, Rendered};
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
        health: &deployed.knowledge.health,
        rules: &deployed.rules,
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

/// Returns the deployment with what its app renders to right now, whether or not a change of it was noticed yet.
pub async fn as_of_now(handle: &Handle, mut deployed: Deployed) -> Option<Deployed> {
    let Rendered { revision, rendering } = handle.rendered_now(deployed.id.clone()).await?;
    deployed.revision = revision;
    deployed.manifests.clone_from(&rendering.manifests);
    deployed.complete = rendering.complete;
    deployed.render_notices.clone_from(&rendering.notices);
    Some(deployed)
}

/// Returns whether a plan is of what Git declares now: the same rendering of the same commit, or of uncommitted files.
fn is_of_the_same_files(plan: &Plan, deployed: &Deployed) -> bool {
    let (planned, now) = (&plan.revision, &deployed.revision);
    let same_commit = planned.commit == now.commit || planned.dirty;
    same_commit && planned.dirty == now.dirty && plan.rendered == action::rendered(&deployed.manifests)
}

/// Carries out a plan; `progress` is told after each step. `deployed` is as of now: nothing is written if Git declares
/// something else than the plan was made of.
pub async fn carry_out(
    plan: Plan,
    deployed: &Deployed,
    journal: &Journal,
    clock: &Clock,
    answers: &[String],
    cancel: &CancellationToken,
    progress: &mut (dyn FnMut(&Plan) + Send),
) -> Result<Plan, ExecuteError> {
    if !is_of_the_same_files(&plan, deployed) {
        return Err(ExecuteError::FilesMoved);
    }
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

/// A cluster, for plans that are made of what it holds alone.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub cluster: &'a dyn Cluster,
    pub journal: &'a Journal,
    /// Whom the user acts as.
    pub acting_as: Option<&'a str>,
}

/// Carries out a plan that was made of what a cluster holds alone; `progress` is told after each step.
pub async fn carry_out_live(
    planned: Planned,
    place: Place<'_>,
    clock: &Clock,
    answers: &[String],
    cancel: &CancellationToken,
    progress: &mut (dyn FnMut(&Plan) + Send),
) -> Result<Plan, ExecuteError> {
    let Planned { plan, schema } = planned;
    let Place { cluster, journal, acting_as } = place;
    let with = Execution { cluster, schema: &schema, journal, clock: &**clock, cancel, answers, acting_as };
    crate::action::execute(plan, &with, progress).await
}

/// Reads back what became of writes that a killed driftdeck left under way in a cluster. Returns what is to be said of
/// them.
pub async fn close_abandoned(
    cluster: &dyn Cluster,
    facts: &ClusterFacts,
    journal: &Journal,
    now: Timestamp,
) -> Result<Vec<Notice>, JournalError> {
    let closed = journal::close_abandoned(journal, cluster, facts, now).await?;
    Ok(closed.iter().map(interrupted).collect())
}

/// Says what became of an action that a killed driftdeck left behind.
fn interrupted(entry: &Entry) -> Notice {
    Notice::warning(format!("an interrupted {} of {} ended as {}", entry.command, entry.app, entry.outcome))
}
