//! `driftdeck sync`: plan, print the plan, ask, write, wait for the verdict.

use crate::action::confirm::{self, Ask};
use crate::action::sync::{Only, Options as SyncOptions, Selection};
use crate::cli::arguments::{Options, SyncArguments};
use crate::cli::document::worst_first;
use crate::cli::gather::Gathered;
use crate::cli::output::{Format, Output};
use crate::cli::plan::{to_json, to_text};
use crate::cli::report::Style;
use crate::cli::{Exit, Failed, check, now, opening, stdin, written};
use crate::model::status::ClusterState;
use crate::model::{DeploymentId, Notice, Plan, StepOutcome, Verdict};
use crate::pipeline::acting;
use crate::pipeline::run::{Deployed, Handle, start};
use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the verdict is waited for after a sync, unless `--timeout` says otherwise.
const VERDICT_TIME: Duration = Duration::from_secs(30);

/// Syncs one app to one cluster.
///
/// When it is cancelled, nothing more is begun: before the first write it ends at once, afterwards with the outcomes.
pub async fn run(
    what: &SyncArguments,
    options: &Options,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failed> {
    let style = Style { colour: output.colour, ascii: options.ascii };
    // Every app of the repo is looked at: what another app declares must never be taken for an extra of this one.
    let everything = Options { apps: Vec::new(), ..options.clone() };
    let mut opened = opening::open(&what.places, &everything, false)?;
    opened.setup.expected = vec![what.name.clone()];
    let (journal, clock) = (opening::journal()?, opened.setup.clock.clone());
    let mut gathered = Gathered::default();
    gathered.notices.extend(opened.notices);
    let (handle, mut updates) = start(opened.setup);
    tokio::select! {
        () = gathered.until_settled(&mut updates, options.timeout, output) => {}
        () = cancel.cancelled() => return Ok(Exit::Interrupted),
    }
    if !gathered.settled {
        return Err(Box::new(
            Notice::error("not everything was compared in time; nothing was written")
                .hint("allow more with --timeout"),
        ));
    }
    let id = choose(&gathered, &what.name)?;
    let deployed = deployed(&handle, &gathered, id).await?;
    if deployed.manifests.is_empty() && !deployed.complete {
        // There is nothing to write because nothing is known of what to write.
        let why = deployed.render_notices.first().cloned();
        let unknown = || Notice::error(format!("{} could not be rendered", what.name));
        return Err(Box::new(why.unwrap_or_else(unknown)));
    }
    let mut said = gathered.notices.clone();
    said.extend(acting::close_abandoned(&deployed, &journal, now()).await.map_err(|e| failed(&e, None))?);
    worst_first(&mut said);
    let sync = sync_options(what)?;
    let plan = acting::plan_sync(&deployed, &sync, now()).await.map_err(|e| failed(&e, e.hint()))?;
    let nothing = plan.ticked().next().is_none();
    if what.dry_run || nothing {
        output.notices(&said);
        let verdict = gathered.deployments.get(&deployed.id).map(|d| d.verdict.clone());
        let document = to_json("sync", Some(&plan), verdict.as_ref(), &said);
        written(output.document(|| document, || to_text(&plan, style)))?;
        return Ok(exit_of_plan(&plan, verdict.as_ref()));
    }
    let open = confirm::unanswered(&plan, &what.confirm);
    // Naming a protected cluster is an answer to the question too.
    let named = open.is_empty() && !confirm::asks(&plan).is_empty();
    let sure = open.is_empty() && (what.yes || named);
    if !sure && !can_ask(output) {
        said.insert(0, unconfirmed(&open));
        output.notices(&said);
        written(output.document(|| to_json("sync", Some(&plan), None, &said), || to_text(&plan, style)))?;
        return Ok(Exit::Failure);
    }
    if output.format == Format::Text {
        eprint_text(&to_text(&plan, style));
    }
    let mut answers = what.confirm.clone();
    if !sure {
        let yes = what.yes;
        let asking = stdin::apart(move || ask(&open, yes));
        answers.extend(tokio::select! {
            typed = asking => typed?,
            () = cancel.cancelled() => return Ok(Exit::Interrupted),
        });
    }
    if cancel.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    let mut progress = |plan: &Plan| tell(plan, output);
    // While the plan was read, its files may have changed: nothing but what was shown is written.
    let deployed = acting::as_of_now(&handle, deployed).await.ok_or_else(not_readable)?;
    let done = acting::carry_out(plan, &deployed, &journal, &clock, &answers, cancel, &mut progress).await;
    let done = match done {
        Err(error) if error.is_moved() => {
            said.push(Notice::error(format!("nothing was written: {error}")).hint("this is the new plan"));
            let plan = acting::plan_sync(&deployed, &sync, now()).await.map_err(|e| failed(&e, e.hint()))?;
            output.notices(&said);
            let document = to_json("sync", Some(&plan), None, &said);
            written(output.document(|| document, || to_text(&plan, style)))?;
            return Ok(Exit::Failure);
        }
        done => done.map_err(|e| failed(&e, None))?,
    };
    said.extend(done.notices.iter().cloned());
    drop(handle);
    let wait = !what.no_wait && !cancel.is_cancelled();
    let (verdict, in_time) = if wait {
        let (verdict, in_time) = await_verdict(what, options, &deployed.id, output).await?;
        (Some(verdict), in_time)
    } else {
        (None, true)
    };
    if !in_time {
        said.insert(
            0,
            Notice::error("the verdict did not come in time")
                .hint("driftdeck check says how it stands; --timeout allows more"),
        );
    }
    output.notices(&said);
    let document = to_json("sync", Some(&done), verdict.as_ref(), &said);
    written(output.document(|| document, || to_text(&done, style) + &verdict_line(verdict.as_ref())))?;
    if cancel.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    Ok(if in_time { exit_of_plan(&done, verdict.as_ref()) } else { Exit::Failure })
}

/// Finds the one deployment that is meant.
fn choose(gathered: &Gathered, app: &str) -> Result<DeploymentId, Failed> {
    let found = gathered.deployments_of(app);
    // A cluster that does not answer may hold the app too: which one is meant must not depend on the network.
    let silent = gathered.clusters.values().filter(|c| c.state != ClusterState::Live);
    let silent: Vec<String> = silent.map(|c| c.context.clone()).collect();
    match found.as_slice() {
        [one] if silent.is_empty() => Ok(one.id.clone()),
        [] => {
            let findings = gathered.findings();
            let why = findings.notices.iter().find(|n| n.level == crate::model::Level::Error);
            let known: Vec<&str> = gathered.app_names().into_iter().collect();
            Err(Box::new(why.cloned().unwrap_or_else(|| {
                let hint = if known.is_empty() {
                    "driftdeck apps lists the apps".to_owned()
                } else {
                    format!("it has {}", known.join(", "))
                };
                Notice::error(format!("there is no app {app}")).hint(hint)
            })))
        }
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

async fn deployed(handle: &Handle, gathered: &Gathered, id: DeploymentId) -> Result<Deployed, Failed> {
    let notices = gathered.deployments.get(&id).map(|d| d.notices.clone()).unwrap_or_default();
    handle.deployed(id).await.ok_or_else(|| {
        Box::new(
            notices
                .into_iter()
                .next()
                .unwrap_or_else(|| Notice::error("the app could not be rendered or its cluster not reached")),
        )
    })
}

fn not_readable() -> Failed {
    Box::new(Notice::error("nothing was written: the app could not be read again"))
}

fn sync_options(what: &SyncArguments) -> Result<SyncOptions, Failed> {
    let only: Result<Vec<Only>, _> = what.only.iter().map(|text| text.parse::<Only>()).collect();
    let only =
        only.map_err(|error| failed(&error, Some("--only takes KIND[.GROUP]/[NAMESPACE/]NAME".to_owned())))?;
    Ok(SyncOptions {
        selection: if only.is_empty() { Selection::All } else { Selection::Only(only) },
        prune: what.prune,
        manager: what.manager.clone(),
        deployers: Vec::new(),
        dirty: what.dirty,
        max_deletions: what.max_deletions,
    })
}

/// Returns whether there is somebody who can be asked.
pub(super) fn can_ask(output: &Output) -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal() && output.format == Format::Text
}

/// Says which answers a plan still wants.
pub(super) fn unconfirmed(open: &[Ask]) -> Notice {
    let wants: Vec<String> =
        open.iter().map(|ask| format!("--confirm {} ({})", ask.words.join(" or "), ask.why)).collect();
    let wants = if wants.is_empty() { "--yes".to_owned() } else { wants.join(", ") };
    Notice::error("nothing was written: the plan is not confirmed").hint(format!("it wants {wants}"))
}

/// Asks for every answer that a plan still wants, and returns those that name something.
pub(super) fn ask(open: &[Ask], yes: bool) -> Result<Vec<String>, Failed> {
    let mut answers = Vec::new();
    for ask in open {
        let typed = prompt(&format!("{}; type {} to go on: ", ask.why, ask.words.join(" or ")))?;
        if !ask.words.contains(&typed) {
            return Err(Box::new(Notice::error("nothing was written: the name typed is another one")));
        }
        answers.push(typed);
    }
    if open.is_empty() && !yes {
        let typed = prompt("write this? [y/N] ")?;
        if !["y", "yes"].contains(&typed.to_lowercase().as_str()) {
            return Err(Box::new(Notice::error("nothing was written")));
        }
    }
    Ok(answers)
}

fn prompt(question: &str) -> Result<String, Failed> {
    eprint_text(&crate::text::terminal(question));
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| failed(&error, None))?;
    Ok(line.trim().to_owned())
}

pub(super) fn eprint_text(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // Nobody can be told that stderr is closed.
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// Tells how far a running plan is.
pub(super) fn tell(plan: &Plan, output: &Output) {
    let ended = plan.steps.iter().filter(|s| s.outcome.is_final()).count();
    if !output.quiet
        && let Some(step) = plan.steps.iter().rfind(|s| s.outcome.is_final())
    {
        let object = step.resource.to_string();
        eprint_text(&format!(
            "{ended}/{} {} {}\n",
            plan.steps.len(),
            step.outcome.word(),
            crate::text::terminal(&object)
        ));
    }
}

/// Looks again until nothing of the app is being deleted any more, or the time is over. Returns what was seen last, and
/// whether that was in time.
async fn await_verdict(
    what: &SyncArguments,
    options: &Options,
    id: &DeploymentId,
    output: &Output,
) -> Result<(Verdict, bool), Failed> {
    let limit = options.timeout.unwrap_or(VERDICT_TIME);
    let mut last = Verdict::Unknown(crate::model::Why::new("not looked at yet"));
    // The time is kept here; and all apps are looked at, as for the plan.
    let unlimited = Options { apps: Vec::new(), timeout: None, ..options.clone() };
    // What is waited for was said when the plan was made.
    let output = &Output { quiet: true, ..*output };
    let looking = async {
        loop {
            let (gathered, _handle) = check::gather(&what.places, &unlimited, output).await?;
            if let Some(status) = gathered.deployments.get(id) {
                last = status.verdict.clone();
            }
            // Drift that the sync did not touch stays drift; one look settles it, unless objects are still going.
            let going = gathered.deployments.get(id).is_some_and(|d| d.counts.terminating > 0);
            if !going {
                return Ok::<(), Failed>(());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let in_time = match tokio::time::timeout(limit, looking).await {
        Ok(looked) => looked.map(|()| true)?,
        Err(_) => false,
    };
    Ok((last, in_time))
}

fn verdict_line(verdict: Option<&Verdict>) -> String {
    verdict.map(|v| format!("now {}\n", v.word())).unwrap_or_default()
}

/// Returns 0 if all that was planned is done and the verdict is in sync, 1 if something still drifts, else 2.
pub(super) fn exit_of_plan(plan: &Plan, verdict: Option<&Verdict>) -> Exit {
    let undone = plan.steps.iter().filter(|s| s.ticked).any(|s| {
        matches!(
            s.outcome,
            StepOutcome::Refused(_)
                | StepOutcome::Skipped(_)
                | StepOutcome::Failed(_)
                | StepOutcome::Indeterminate(_)
                | StepOutcome::Cancelled
        )
    });
    match verdict {
        _ if undone => Exit::Failure,
        None | Some(Verdict::InSync) => Exit::Success,
        Some(Verdict::Unknown(_)) => Exit::Incomplete,
        Some(_) => Exit::Drift,
    }
}

pub(super) fn failed(error: &dyn std::error::Error, hint: Option<String>) -> Failed {
    let notice = Notice::error(error.to_string());
    Box::new(match hint {
        Some(hint) => notice.hint(hint),
        None => notice,
    })
}
