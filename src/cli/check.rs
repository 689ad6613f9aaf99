//! `driftdeck check`: the verdict of every discovered app against its cluster.

use crate::cli::arguments::{Options, Places};
use crate::cli::gather::Gathered;
use crate::cli::output::Output;
use crate::cli::report::{self, Style};
use crate::cli::{Exit, Failed, now, opening, written};

/// Compares everything once and prints it.
pub async fn run(places: &Places, options: &Options, output: &Output) -> Result<Exit, Failed> {
    let gathered = gather(&places.places, options).await?;
    let findings = gathered.findings();
    let style = Style { colour: output.colour, ascii: options.ascii };
    let document = findings.to_json("check", now());
    output.notices(&findings.notices);
    written(output.document(&document, || report::verdicts(&findings, style)))?;
    if !gathered.settled || gathered.read_nothing() {
        // Out of time, or not one repo could be read: it could not do what was asked.
        return Ok(Exit::Failure);
    }
    Ok(Exit::of(&findings, options.strict, options.exit_zero))
}

/// Runs the pipeline once over what was asked for.
pub async fn gather(places: &[String], options: &Options) -> Result<Gathered, Failed> {
    let opened = opening::open(places, options, false)?;
    let mut gathered = Gathered::default();
    gathered.notices.extend(opened.notices);
    let (_handle, mut updates) = crate::pipeline::run::start(opened.setup);
    gathered.until_settled(&mut updates, options.timeout).await;
    Ok(gathered)
}
