//! `driftdeck ignore`: a commit that brings an ignore rule for a field that differs.

use crate::action::ignore::Draft;
use crate::cli::acting::failed;
use crate::cli::arguments::{IgnoreArguments, Options, ReachArgument};
use crate::cli::committing::{Committing, looked, meant};
use crate::cli::output::Output;
use crate::cli::sync::{choose, no_such_app, only};
use crate::cli::{Exit, Failed};
use crate::model::commit_plan::Reach;
use crate::model::{FieldPath, choosing};
use crate::pipeline::committing::What;
use crate::pipeline::run::Inspected;
use tokio_util::sync::CancellationToken;

/// Plans the commit, and makes it once it is confirmed.
pub async fn run(
    what: &IgnoreArguments,
    options: &Options,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failed> {
    let only = only(&what.only)?;
    // Every app is looked at: a rule may reach further than this one.
    let looking = looked(&what.places, options, output, cancel);
    let Some((gathered, handle)) = looking.await? else { return Ok(Exit::Interrupted) };
    let deployment = choose(&gathered, &what.name)?;
    let said = gathered.notices.clone();
    let resource = meant(&gathered, &deployment, &only)?.swap_remove(0);
    let inspected = handle.inspect(deployment.clone(), resource.clone()).await;
    let inspected = inspected.ok_or_else(|| no_such_app(&gathered, &what.name))?;
    let path = path(&inspected, &what.field)?;
    let ground = handle.past(deployment.app.clone(), Some(deployment.cluster.clone())).await;
    let ground = ground.ok_or_else(|| no_such_app(&gathered, &what.name))?;
    let reach = match what.reach {
        ReachArgument::Object => Reach::Object,
        ReachArgument::Kind => Reach::Kind,
        ReachArgument::Path => Reach::Path,
    };
    let how = Committing { asked: &what.commit, options, output, cancel };
    let wanted = how.wanted(What::Ignore(Draft { resource, path, reach, reason: what.reason.clone() }));
    how.run(&handle, &ground, &wanted, said).await
}

/// Finds the field that is meant among those that differ.
pub(super) fn path(inspected: &Inspected, asked: &str) -> Result<FieldPath, Failed> {
    if asked == "." {
        return Ok(FieldPath::root());
    }
    let bodies = [inspected.desired.as_ref().map(|m| &m.body), inspected.live.as_ref().map(|l| &l.body)];
    let bodies: Vec<_> = bodies.into_iter().flatten().collect();
    let found = choosing::change(asked, &inspected.status.judgement.changes, &bodies);
    found.map(|change| change.path.clone()).map_err(|error| {
        let hint = match error.known() {
            [] => None,
            known => Some(format!("what differs: {}", known.join(", "))),
        };
        failed(&error, hint)
    })
}
