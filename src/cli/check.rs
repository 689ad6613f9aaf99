//! `driftdeck check`: the verdict of every discovered app against its cluster.

use crate::cli::arguments::{Options, Places};
use crate::cli::document::Findings;
use crate::cli::gather::Gathered;
use crate::cli::output::{Format, Output};
use crate::cli::report::{self, Style};
use crate::cli::{Exit, Failed, declared, exact, hold, now, opening, written};
use crate::model::Notice;
use crate::pipeline::opening::Opened;
use crate::pipeline::run::{Handle, start};

/// Compares everything once and prints it.
pub async fn run(places: &Places, options: &Options, output: &Output) -> Result<Exit, Failed> {
    let (gathered, handle) = gather(&places.places, options, output).await?;
    let mut findings = gathered.findings();
    hold::look_up(&mut findings, &handle).await;
    if output.format != Format::Text {
        // Text says nothing of single fields.
        declared::look_up(&mut findings, &handle).await;
    }
    let style = Style::of(output, options);
    output.notices(&findings.notices);
    written(output.document(|| findings.to_json("check", now()), || report::verdicts(&findings, style)))?;
    Ok(exit(&gathered, &findings, options))
}

/// Runs the pipeline once over what was asked for. The handle answers questions about single objects until it is dropped.
pub async fn gather(
    places: &[String],
    options: &Options,
    output: &Output,
) -> Result<(Gathered, Handle), Failed> {
    gather_opened(opening::open(places, options, false)?, options, output).await
}

/// As [`gather`], over what was opened already.
pub async fn gather_opened(
    opened: Opened,
    options: &Options,
    output: &Output,
) -> Result<(Gathered, Handle), Failed> {
    let mut gathered = Gathered::default();
    gathered.notices.extend(opened.notices);
    let (handle, mut updates) = start(opened.setup);
    let looking = async {
        gathered.until_settled(&mut updates, None, output).await;
        if options.exact {
            exact::ask(&mut gathered, &handle, &mut updates, output).await;
        }
    };
    match options.timeout {
        None => looking.await,
        Some(limit) => {
            if tokio::time::timeout(limit, looking).await.is_err() {
                gathered.settled = false;
                gathered.notices.push(
                    Notice::error(format!("not everything was compared within {}s", limit.as_secs()))
                        .hint("allow more with --timeout, or look at fewer apps with --app"),
                );
            }
        }
    }
    Ok((gathered, handle))
}

/// Returns the exit of a run that only looked. Out of time, not one repo that could be read, or an app that is not there:
/// it could not do what was asked.
pub fn exit(gathered: &Gathered, findings: &Findings, options: &Options) -> Exit {
    if !gathered.settled || gathered.read_nothing() || gathered.lacks(&options.apps) {
        return Exit::Failure;
    }
    Exit::of(findings, options.strict, options.exit_zero)
}
