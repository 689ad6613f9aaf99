//! `driftdeck undo`: plan what undoes an action of the journal, print the plan, ask, write.
//!
//! No repo is needed: the journal says on which cluster it was, and the cluster what it holds now. There is no verdict to
//! wait for: Git goes on declaring what was undone.

use crate::action::journal::{Entry, Journal};
use crate::action::undo::{self, Inputs, Planned, UndoError};
use crate::action::{ExecuteError, Execution};
use crate::cli::acting::{Asked, confirmed, exit_of_plan, failed, tell};
use crate::cli::arguments::{Options, UndoArguments};
use crate::cli::document::worst_first;
use crate::cli::output::Output;
use crate::cli::plan::{to_json, to_text};
use crate::cli::report::Style;
use crate::cli::{Exit, Failed, now, opening, written};
use crate::model::plan::UNDO;
use crate::model::{Notice, Plan};
use crate::pipeline::acting::close_abandoned;
use crate::pipeline::opening::system_clock;
use crate::pipeline::setup::ClusterSetup;
use tokio_util::sync::CancellationToken;

/// Undoes one action. When it is cancelled, nothing more is begun.
pub async fn run(
    what: &UndoArguments,
    options: &Options,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failed> {
    let style = Style { colour: output.colour, ascii: options.ascii };
    let journal = opening::journal()?;
    let entries = || journal.entries().map_err(|error| failed(&error, None));
    let context = undo::find(&entries()?, &what.id).map_err(|error| no_plan(&error))?.cluster.clone();
    let (place, mut said) = opening::cluster_of(options, context)?;
    let finding = async {
        said.extend(closed(&journal, &place).await?);
        let entry = undo::find(&entries()?, &what.id).map_err(|error| no_plan(&error))?.clone();
        let planned = plan(&journal, &entry, &place).await?;
        Ok((entry, planned))
    };
    let (entry, Planned { plan: planned, schema }) = tokio::select! {
        found = opening::in_time(options.timeout, finding) => found?,
        () = cancel.cancelled() => return Ok(Exit::Interrupted),
    };
    worst_first(&mut said);
    let show = |plan: &Plan, said: &[Notice]| {
        output.notices(said);
        written(output.document(|| to_json(UNDO, Some(plan), None, said), || to_text(plan, style)))
    };
    if what.dry_run || planned.ticked().next().is_none() {
        show(&planned, &said)?;
        let impossible = planned.steps.is_empty() && !planned.will_not.is_empty();
        return Ok(if impossible { Exit::Failure } else { exit_of_plan(&planned, None) });
    }
    let answers = match confirmed(&planned, what.yes, &what.confirm, style, output, cancel).await? {
        Asked::Answers(answers) => answers,
        Asked::Unconfirmed(why) => {
            said.insert(0, why);
            show(&planned, &said)?;
            return Ok(Exit::Failure);
        }
        Asked::Interrupted => return Ok(Exit::Interrupted),
    };
    let clock = system_clock();
    let with = Execution {
        cluster: &*place.cluster,
        schema: &schema,
        journal: &journal,
        clock: &*clock,
        cancel,
        answers: &answers,
        acting_as: options.as_user.as_deref(),
    };
    let done = crate::action::execute(planned, &with, &mut |plan: &Plan| tell(plan, output)).await;
    let done = match done {
        Err(error @ ExecuteError::Moved { .. }) => {
            said.push(Notice::error(format!("nothing was written: {error}")).hint("this is the new plan"));
            show(&plan(&journal, &entry, &place).await?.plan, &said)?;
            return Ok(Exit::Failure);
        }
        done => done.map_err(|error| failed(&error, None))?,
    };
    said.extend(done.notices.iter().cloned());
    show(&done, &said)?;
    Ok(if cancel.is_cancelled() { Exit::Interrupted } else { exit_of_plan(&done, None) })
}

async fn plan(journal: &Journal, entry: &Entry, place: &ClusterSetup) -> Result<Planned, Failed> {
    let inputs = Inputs { cluster: &*place.cluster, journal, entry, protected: place.protected, now: now() };
    undo::plan(&inputs).await.map_err(|error| no_plan(&error))
}

/// Closes what a killed driftdeck left open on the cluster, and returns what is to be said of it.
async fn closed(journal: &Journal, place: &ClusterSetup) -> Result<Vec<Notice>, Failed> {
    let facts = place.cluster.facts().await.map_err(|error| failed(&error, None))?;
    let closed = close_abandoned(&*place.cluster, &facts, journal, now()).await;
    closed.map_err(|error| failed(&error, None))
}

fn no_plan(error: &UndoError) -> Failed {
    failed(error, error.hint())
}
