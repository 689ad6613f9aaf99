//! `driftdeck apply`: carries out a plan that another run, perhaps of somebody else, wrote to a file.
//!
//! What is written is made anew from Git and the cluster, with what the plan was asked for; the file only says what was
//! approved. It is carried out where the plan of now is bound to the same and shows the same: the same cluster by its
//! identity (whatever the context is called here), the same commit, rendering and objects, the same steps. Steps are
//! ticked as in the file, so that whoever approves may untick some. Otherwise nothing is written, and the plan of now is
//! printed, for the file to be made again; but for another cluster, where a plan would only invite to a mistake.
//!
//! Values of Secrets and what looks like them take part by what they come from: the commit, and the object's resource
//! version. Of uncommitted files nothing would tell that such a value is another, so those with a Secret are refused.

use crate::action::sync::PlanError;
use crate::cli::acting::{Acting, Ground, Planned, failed};
use crate::cli::arguments::{ApplyArguments, Options};
use crate::cli::gather::Gathered;
use crate::cli::output::{Output, json_text};
use crate::cli::plan_file::{BadPlanFile, PlanFile};
use crate::cli::sync::no_such_app;
use crate::cli::{Exit, Failed, now, stdin};
use crate::model::status::ClusterState;
use crate::model::{DeploymentId, Notice, Plan, StepAction};
use crate::pipeline::acting;
use tokio_util::sync::CancellationToken;

/// Carries out the plan of a file.
pub async fn run(
    what: &ApplyArguments,
    options: &Options,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failed> {
    let bytes = tokio::select! {
        read = stdin::whole(&what.plan) => read?,
        () = cancel.cancelled() => return Ok(Exit::Interrupted),
    };
    let called = if what.plan == "-" { "standard input" } else { &what.plan };
    let file = PlanFile::read(&bytes).map_err(|error| unreadable(&error, called))?;
    // What is typed wins: where it leads to something else, that is found.
    let options = &Options {
        revision: options.revision.clone().or_else(|| file.revision.clone()),
        namespace: options.namespace.clone().or_else(|| file.namespace.clone()),
        ..options.clone()
    };
    let how = Acting {
        command: "apply",
        places: &what.places,
        yes: what.yes,
        confirm: &what.confirm,
        dry_run: false,
        no_wait: what.no_wait,
        options,
        output,
        cancel,
    };
    let Some(ground) = Ground::look(&file.app, &how).await? else { return Ok(Exit::Interrupted) };
    let deployed = ground.deployed(choose(&ground.gathered, &file)?).await?;
    let mut said = ground.said(&deployed).await?;
    let plan = acting::plan_sync(&deployed, &file.sync, now()).await.map_err(|e| not_planned(&e))?;
    let planned = Planned { plan, sync: file.sync.clone() };
    match approved(&file, planned, &how)? {
        Ok(planned) => how.carry_out(ground, deployed, planned, said).await,
        Err(Refused { planned, why }) => {
            said.insert(0, why);
            how.print(&planned.plan, &planned.sync, None, &said)?;
            Ok(Exit::Failure)
        }
    }
}

/// A plan of now that is not the one that was approved.
struct Refused {
    planned: Planned,
    why: Notice,
}

/// Returns the plan of now, ticked as in the file, if it is the file's.
fn approved(
    file: &PlanFile,
    mut planned: Planned,
    how: &Acting<'_>,
) -> Result<Result<Planned, Refused>, Failed> {
    // Both have gone through the same text.
    let text = json_text(&how.document(&planned.plan, &planned.sync, None, &[]));
    let of_now = PlanFile::read(text.as_bytes()).map_err(|error| unreadable(&error, "the plan of now"))?;
    let mut why = file.differences(&of_now);
    if why.is_empty() {
        why = not_to_be_told(&planned.plan);
    }
    if why.is_empty() {
        why = tick(file, &mut planned);
    }
    if why.is_empty() {
        planned.plan.remarks.push(format!("approved as the plan {}", file.id));
        return Ok(Ok(planned));
    }
    let why = Notice::error("nothing was written: the plan is no longer valid")
        .cause(why.join("\n"))
        .hint("this is the plan of now: have it approved instead");
    Ok(Err(Refused { planned, why }))
}

/// Says which Secrets of uncommitted files would be written: whether they hold what was approved cannot be told.
fn not_to_be_told(plan: &Plan) -> Vec<String> {
    let is_declared = plan.steps.iter().filter(|step| step.action != StepAction::Delete);
    let secrets = is_declared.filter(|step| plan.revision.dirty && step.resource.kind.is_secret());
    secrets
        .map(|step| {
            format!("{}: whether an uncommitted Secret is the one of then cannot be told", step.resource)
        })
        .collect()
}

/// Ticks the plan's steps as those of the file. Says why one cannot be.
fn tick(file: &PlanFile, planned: &mut Planned) -> Vec<String> {
    let mut why = Vec::new();
    for (at, step) in file.steps.iter().enumerate() {
        if planned.plan.steps.get(at).is_some_and(|now| now.ticked != step.ticked)
            && let Err(error) = planned.plan.tick(at, step.ticked)
        {
            why.push(format!("{}: {error}", step.object));
        }
    }
    let deletions = planned.plan.deletions().count();
    if let Some(limit) = planned.sync.max_deletions.filter(|limit| deletions > *limit) {
        why.push(PlanError::TooManyDeletions { planned: deletions, limit }.to_string());
    }
    why
}

/// Finds the deployment that the plan is for. Its cluster is known by its identity: others may be silent or hold the app.
fn choose(gathered: &Gathered, file: &PlanFile) -> Result<DeploymentId, Failed> {
    let found = gathered.deployments_of(&file.app);
    if let Some(deployment) = found.iter().find(|d| d.id.cluster == file.cluster) {
        return Ok(deployment.id.clone());
    }
    if found.is_empty() {
        return Err(no_such_app(gathered, &file.app));
    }
    let mut here: Vec<String> = found.iter().map(|d| gathered.context(&d.id.cluster)).collect();
    let silent = gathered.clusters.values().filter(|c| c.state != ClusterState::Live);
    here.extend(silent.map(|c| format!("{} (it does not answer)", c.context)));
    here.sort();
    here.dedup();
    let title = "nothing was written: the plan is for another cluster";
    Err(Box::new(
        Notice::error(title)
            .cause(format!("it was made for {}, and this is {}", file.context, here.join(", ")))
            .hint("choose the plan's cluster with --context"),
    ))
}

/// Says why there is no plan of now.
fn not_planned(error: &PlanError) -> Failed {
    let hint = match error {
        // It was not asked for when the plan was made, and cannot be here.
        PlanError::Dirty | PlanError::Unpushed { .. } => {
            Some("the plan is of what is committed and pushed".to_owned())
        }
        error => error.hint(),
    };
    let mut notice = failed(error, hint);
    notice.title = format!("nothing was written: {}", notice.title);
    notice
}

fn unreadable(error: &BadPlanFile, called: &str) -> Failed {
    let line = match error {
        BadPlanFile::NotJson { error } => Some(error.line()),
        _ => None,
    };
    Box::new(
        Notice::error("the plan cannot be read")
            .cause(error.to_string())
            .hint("apply takes what driftdeck sync APP --dry-run -o json wrote")
            .file(called, line),
    )
}
