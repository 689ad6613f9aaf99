//! `driftdeck hold` and `resume`: plan the pause of an engine's automation or its end, print the plan, ask, write; and
//! `hold --list`: every pause in every cluster, of driftdeck and of others.

use crate::action::hold::Ask;
use crate::cli::acting::{Acting, Ground, failed};
use crate::cli::arguments::{HoldArguments, Options, ResumeArguments};
use crate::cli::document::{Findings, SCHEMA, notices, time, worst_first};
use crate::cli::live::Live;
use crate::cli::output::Output;
use crate::cli::sync::choose;
use crate::cli::{Exit, Failed, now, opening, written};
use crate::model::hold::{HOLD, RESUME};
use crate::model::{DeploymentId, Hold, Notice, Timestamp};
use crate::pipeline::acting::{Place, close_abandoned};
use crate::pipeline::holds::{self, Listed};
use crate::pipeline::run::Handle;
use crate::text;
use futures::StreamExt as _;
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use std::fmt::Write as _;
use tokio_util::sync::CancellationToken;

/// Engines' objects that are read at the same time.
const AT_ONCE: usize = 8;

/// Pauses the engine of one app in one cluster, or lists all pauses.
pub async fn run(
    what: &HoldArguments,
    options: &Options,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failed> {
    if what.list {
        return opening::in_time(options.timeout, list(options, output)).await;
    }
    let Some(app) = &what.name else {
        return Err(Box::new(Notice::error("no app is named").hint("driftdeck hold APP, or hold --list")));
    };
    let lasting = SignedDuration::try_from(what.lasting).map_err(|error| failed(&error, None))?;
    let ask = Ask::Hold { reason: what.reason.clone().unwrap_or_default(), lasting };
    let how = Acting {
        command: HOLD,
        places: &what.places,
        yes: what.yes,
        confirm: &what.confirm,
        dry_run: what.dry_run,
        no_wait: true,
        options,
        output,
        cancel,
    };
    switch(app, &ask, &how).await
}

/// Lets the engine of one app in one cluster go on.
pub async fn resume(
    what: &ResumeArguments,
    options: &Options,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failed> {
    let how = Acting {
        command: RESUME,
        places: &what.places,
        yes: what.yes,
        confirm: &what.confirm,
        dry_run: what.dry_run,
        no_wait: true,
        options,
        output,
        cancel,
    };
    switch(&what.name, &Ask::Resume, &how).await
}

async fn switch(app: &str, ask: &Ask, how: &Acting<'_>) -> Result<Exit, Failed> {
    let Some(ground) = Ground::look(app, how).await? else { return Ok(Exit::Interrupted) };
    let id = choose(&ground.gathered, app)?;
    let not_there = || Box::new(Notice::error(format!("the cluster of {app} was not reached")));
    let reached = ground.handle.reached(id).await.ok_or_else(not_there)?;
    let journal = opening::journal()?;
    let mut said = ground.gathered.notices.clone();
    let closed = close_abandoned(&*reached.cluster, &reached.facts, &journal, now()).await;
    said.extend(closed.map_err(|error| failed(&error, None))?);
    worst_first(&mut said);
    let plan =
        async || holds::plan_hold(&reached, ask, now()).await.map_err(|error| failed(&error, error.hint()));
    let planned = plan().await?;
    let live = Live {
        command: how.command,
        dry_run: how.dry_run,
        yes: how.yes,
        confirm: how.confirm,
        options: how.options,
        output: how.output,
        cancel: how.cancel,
    };
    let acting_as = how.options.as_user.as_deref();
    let at = Place { cluster: &*reached.cluster, journal: &journal, acting_as };
    live.carry_out(planned, said, at, async { Ok(plan().await?.plan) }).await
}

/// Lists every pause in every cluster of the configuration, or of the contexts that are named.
async fn list(options: &Options, output: &Output) -> Result<Exit, Failed> {
    let (clusters, mut said) = opening::clusters(options)?;
    let (listed, notices_of_clusters) = holds::list(&clusters).await;
    let complete = notices_of_clusters.is_empty();
    said.extend(notices_of_clusters);
    worst_first(&mut said);
    output.notices(&said);
    let at = now();
    let document = || {
        json!({
            "schema": SCHEMA, "command": HOLD, "at": time(at), "complete": complete,
            "holds": listed.iter().map(|one| listed_json(one, at)).collect::<Vec<_>>(),
            "notices": notices(&said),
        })
    };
    written(output.document(document, || text_of(&listed, at)))?;
    Ok(if complete { Exit::Success } else { Exit::Incomplete })
}

/// Returns a hold with its cluster as the contract writes it.
pub fn listed_json(listed: &Listed, at: Timestamp) -> Json {
    let mut document = hold_json(&listed.hold, at);
    if let Some(fields) = document.as_object_mut() {
        fields.insert("cluster".to_owned(), json!(listed.context));
    }
    document
}

/// Returns a hold as the contract writes it.
pub fn hold_json(hold: &Hold, at: Timestamp) -> Json {
    let object = &hold.object;
    json!({
        "engine": hold.engine.word(),
        "object": {"group": object.kind.group, "kind": object.kind.kind, "namespace": object.namespace, "name": object.name},
        "ours": hold.ours,
        "owner": hold.owner,
        "reason": hold.reason,
        "since": hold.since.map(time),
        "until": hold.until.map(time),
        "expired": hold.is_expired(at),
        "pausedBy": hold.by,
        "pausedAt": hold.at.map(time),
    })
}

fn text_of(listed: &[Listed], at: Timestamp) -> String {
    if listed.is_empty() {
        return "nothing is held\n".to_owned();
    }
    listed.iter().fold(String::new(), |mut out, one| {
        let _ = writeln!(
            out,
            "{}  {}  {}",
            text::terminal(&one.context),
            text::terminal(&one.hold.object.to_string()),
            text::terminal(&words(&one.hold, at))
        );
        out
    })
}

/// Says of a hold who made it, how long it lasts, and why.
pub fn words(hold: &Hold, at: Timestamp) -> String {
    let reason = hold.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    match (hold.ours, hold.until) {
        (true, Some(until)) if hold.is_expired(at) => {
            format!("hold of {} expired at {}{reason}", hold.who(), time(until))
        }
        (true, Some(until)) => format!("held until {} by {}{reason}", time(until), hold.who()),
        (true, None) => format!("held by {}{reason}", hold.who()),
        (false, _) => {
            let since = hold.at.map(|at| format!(" at {}", time(at))).unwrap_or_default();
            format!("paused by {}{since}, not by driftdeck", hold.who())
        }
    }
}

/// Fills in which apps are held by whom, and says which of those holds have expired. What cannot be read says nothing.
pub async fn look_up(findings: &mut Findings, handle: &Handle) {
    let ids: Vec<DeploymentId> = findings.apps.iter().map(|app| app.status.id.clone()).collect();
    let reading = ids.into_iter().map(|id| async move {
        let reached = handle.reached(id).await.filter(holds::has_engine)?;
        holds::automation(&reached).await.ok()?.hold().cloned()
    });
    let held: Vec<Option<Hold>> = futures::stream::iter(reading).buffered(AT_ONCE).collect().await;
    for (app, hold) in findings.apps.iter_mut().zip(held) {
        let expired =
            hold.as_ref().and_then(|hold| holds::expired(&app.status.id.app.name, &app.cluster, hold, now()));
        findings.notices.extend(expired);
        app.hold = hold;
    }
    worst_first(&mut findings.notices);
}
