//! `driftdeck sync`: plan, print the plan, ask, write, wait for the verdict.

use crate::action::sync::{Only, Options as SyncOptions, Selection};
use crate::cli::acting::{Acting, Ground, Planned, failed};
use crate::cli::arguments::{Options, SyncArguments};
use crate::cli::gather::Gathered;
use crate::cli::output::Output;
use crate::cli::{Exit, Failed, now};
use crate::model::status::ClusterState;
use crate::model::{DeploymentId, Notice};
use crate::pipeline::acting;
use tokio_util::sync::CancellationToken;

/// Syncs one app to one cluster.
pub async fn run(
    what: &SyncArguments,
    options: &Options,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failed> {
    let how = Acting {
        command: "sync",
        places: &what.places,
        yes: what.yes,
        confirm: &what.confirm,
        dry_run: what.dry_run,
        no_wait: what.no_wait,
        options,
        output,
        cancel,
    };
    let Some(ground) = Ground::look(&what.name, &how).await? else { return Ok(Exit::Interrupted) };
    let deployed = ground.deployed(choose(&ground.gathered, &what.name)?).await?;
    let said = ground.said(&deployed).await?;
    let sync = sync_options(what)?;
    let plan = acting::plan_sync(&deployed, &sync, now()).await.map_err(|e| failed(&e, e.hint()))?;
    how.carry_out(ground, deployed, Planned { plan, sync }, said).await
}

/// Finds the one deployment that is meant.
pub fn choose(gathered: &Gathered, app: &str) -> Result<DeploymentId, Failed> {
    let found = gathered.deployments_of(app);
    // A cluster that does not answer may hold the app too: which one is meant must not depend on the network.
    let silent = gathered.clusters.values().filter(|c| c.state != ClusterState::Live);
    let silent: Vec<String> = silent.map(|c| c.context.clone()).collect();
    match found.as_slice() {
        [one] if silent.is_empty() => Ok(one.id.clone()),
        [] => Err(no_such_app(gathered, app)),
        several => {
            let mut names: Vec<String> = several.iter().map(|d| gathered.context(&d.id.cluster)).collect();
            names.extend(silent);
            names.sort();
            Err(Box::new(
                Notice::error(format!("{app} may be deployed in several clusters: {}", names.join(", ")))
                    .hint("choose one with --context"),
            ))
        }
    }
}

/// Says why there is no such app.
pub fn no_such_app(gathered: &Gathered, app: &str) -> Failed {
    let findings = gathered.findings();
    let why = findings.notices.iter().find(|n| n.level == crate::model::Level::Error);
    let known: Vec<&str> = gathered.app_names().into_iter().collect();
    Box::new(why.cloned().unwrap_or_else(|| {
        let hint = if known.is_empty() {
            "driftdeck apps lists the apps".to_owned()
        } else {
            format!("it has {}", known.join(", "))
        };
        Notice::error(format!("there is no app {app}")).hint(hint)
    }))
}

/// Reads one `--only`.
pub fn only(text: &str) -> Result<Only, Failed> {
    let form = || Some("--only takes KIND[.GROUP]/[NAMESPACE/]NAME".to_owned());
    text.parse().map_err(|error| failed(&error, form()))
}

fn sync_options(what: &SyncArguments) -> Result<SyncOptions, Failed> {
    let only = what.only.iter().map(|text| only(text)).collect::<Result<Vec<Only>, _>>()?;
    Ok(SyncOptions {
        selection: if only.is_empty() { Selection::All } else { Selection::Only(only) },
        prune: what.prune,
        manager: what.manager.clone(),
        deployers: Vec::new(),
        dirty: what.dirty,
        max_deletions: what.max_deletions,
    })
}
