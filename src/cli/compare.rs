//! `driftdeck compare`: desired against live from files or folders, without a cluster.

use crate::cli::arguments::{CompareArguments, Options};
use crate::cli::document::{Findings, ResourceEntry};
use crate::cli::output::Output;
use crate::cli::report::{self, Order, Style};
use crate::cli::{Exit, Failed, now, opening, stdin::source, written};
use crate::model::{Level, Notice};
use crate::pipeline::offline;
use crate::pipeline::rules::Ledger;
use tokio_util::sync::CancellationToken;

/// The one place that rules are from.
const HERE: &str = "";

/// Compares and prints every change.
pub async fn run(what: &CompareArguments, options: &Options, output: &Output) -> Result<Exit, Failed> {
    if what.desired == "-" && what.live == "-" {
        return Err(Box::new(Notice::error("DESIRED and LIVE cannot both be standard input")));
    }
    let (desired, live) = (source(&what.desired).await?, source(&what.live).await?);
    let cancel = CancellationToken::new();
    let (how, said) = opening::offline(&what.desired, options)?;
    let rendered = offline::render(desired, options.revision.clone(), &how, &cancel).await?;
    let dump = tokio::task::spawn_blocking(move || offline::read_dump(live)).await.unwrap_or_else(|_| {
        Err(Box::new(Notice::error("driftdeck failed while reading; the log says where")))
    })?;
    // It is ended with the command: a jq expression may take its time.
    let _running = how.ignoring.running();
    let work = tokio::task::spawn_blocking(move || {
        let statuses = offline::compare(&rendered, &dump, &how.managers, &how.health);
        let hidden = offline::hidden_extras(&rendered, &dump);
        (statuses, hidden, rendered, dump)
    });
    let (statuses, hidden, rendered, dump) = work
        .await
        .map_err(|_| Box::new(Notice::error("driftdeck failed while comparing; the log says where")))?;
    let mut findings = Findings {
        resources: statuses
            .into_iter()
            .map(|status| ResourceEntry { status, app: None, cluster: None })
            .collect(),
        incomplete: !rendered.complete || !dump.complete,
        ..Findings::default()
    };
    let mut ledger = Ledger::default();
    for entry in &findings.resources {
        findings.notices.extend(ledger.record(HERE, &entry.status.judgement.rules));
    }
    ledger.record(HERE, &hidden);
    if rendered.whole && rendered.complete && dump.complete {
        findings.notices.extend(ledger.idle([(HERE.to_owned(), rendered.rules.clone())]));
    }
    findings.notices.extend(said);
    findings.notices.extend(rendered.notices);
    findings.notices.extend(dump.notices);
    findings.sort();
    let style = Style::of(output, options);
    output.notices(&findings.notices);
    written(output.document(
        || findings.to_json("compare", now()),
        || report::changes(&findings, style, Order::DesiredFirst, what.all),
    ))?;
    if findings.resources.is_empty() && findings.notices.iter().any(|n| n.level == Level::Error) {
        return Ok(Exit::Failure);
    }
    Ok(Exit::of(&findings, options.strict, options.exit_zero))
}
