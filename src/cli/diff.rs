//! `driftdeck diff`: what differs, for people; or two renderings against each other.

use crate::cli::arguments::{DiffArguments, Options};
use crate::cli::output::{self, Output};
use crate::cli::report::{self, Order, Style};
use crate::cli::{Exit, Failed, check, declared, now, opening, render, written};

/// Compares everything once and prints every change.
pub async fn run(what: &DiffArguments, options: &Options, output: &Output) -> Result<Exit, Failed> {
    if let Some(base) = &what.base {
        let between = render::between(base, &what.places, options, output);
        return opening::in_time(options.timeout, between).await;
    }
    let style = Style::of(output, options);
    if what.unified && output.format == crate::cli::output::Format::Text {
        return unified(what, options, output, style).await;
    }
    let (gathered, handle) = check::gather(&what.places, options, output).await?;
    let mut findings = gathered.findings();
    declared::look_up(&mut findings, &handle).await;
    output.notices(&findings.notices);
    written(output.document(
        || findings.to_json("diff", now()),
        || report::changes(&findings, style, Order::DesiredFirst, what.all),
    ))?;
    Ok(check::exit(&gathered, &findings, options))
}

/// Prints the whole objects that differ as unified text: `-` is Git, `+` is the cluster.
async fn unified(
    what: &DiffArguments,
    options: &Options,
    output: &Output,
    style: Style,
) -> Result<Exit, Failed> {
    let (gathered, handle) = check::gather(&what.places, options, output).await?;
    let findings = gathered.findings();
    output.notices(&findings.notices);
    let mut text = String::new();
    for entry in findings.resources.iter().filter(|r| r.status.verdict().is_drift()) {
        let id = (entry.status.deployment.clone(), entry.status.id.clone());
        if let Some(inspected) = handle.inspect(id.0, id.1).await {
            let texts = crate::pipeline::texts::texts(&inspected);
            text += &report::unified(&entry.status, &texts.diff(), style);
        }
    }
    written(output::text(&text))?;
    Ok(check::exit(&gathered, &findings, options))
}
