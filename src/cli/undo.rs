//! `driftdeck undo`: plan what undoes an action of the journal, print the plan, ask, write.
//!
//! No repo is needed: the journal says on which cluster it was, and the cluster what it holds now. There is no verdict to
//! wait for: Git goes on declaring what was undone.

use crate::action::Planned;
use crate::action::journal::{Entry, Journal};
use crate::action::undo::{self, Inputs, UndoError};
use crate::cli::acting::failed;
use crate::cli::arguments::{Options, UndoArguments};
use crate::cli::document::worst_first;
use crate::cli::live::Live;
use crate::cli::output::Output;
use crate::cli::{Exit, Failed, now, opening};
use crate::model::Notice;
use crate::model::plan::UNDO;
use crate::pipeline::acting::{Place, close_abandoned};
use crate::pipeline::setup::ClusterSetup;
use tokio_util::sync::CancellationToken;

/// Undoes one action. When it is cancelled, nothing more is begun.
pub async fn run(
    what: &UndoArguments,
    options: &Options,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failed> {
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
    let (entry, planned) = tokio::select! {
        found = opening::in_time(options.timeout, finding) => found?,
        () = cancel.cancelled() => return Ok(Exit::Interrupted),
    };
    worst_first(&mut said);
    let live = Live {
        command: UNDO,
        dry_run: what.dry_run,
        yes: what.yes,
        confirm: &what.confirm,
        options,
        output,
        cancel,
    };
    let again = async { Ok(plan(&journal, &entry, &place).await?.plan) };
    let acting_as = options.as_user.as_deref();
    let at = Place { cluster: &*place.cluster, journal: &journal, acting_as };
    live.carry_out(planned, said, at, again).await
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
