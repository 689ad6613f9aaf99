//! `driftdeck journal`: what was done, by whom, with what outcome.

use crate::action::journal::Entry;
use crate::cli::document::SCHEMA;
use crate::cli::output::Output;
use crate::cli::{Exit, Failed, opening, written};
use crate::model::Notice;
use crate::text;
use serde_json::json;

/// Prints the journal, oldest first.
pub fn run(output: &Output) -> Result<Exit, Failed> {
    let entries = opening::journal()?
        .entries()
        .map_err(|error| Box::new(Notice::error("the journal cannot be read").cause(error.to_string())))?;
    let document = json!({ "schema": SCHEMA, "command": "journal", "entries": entries, "notices": [] });
    written(output.document(|| document, || entries.iter().map(line).collect()))?;
    Ok(Exit::Success)
}

fn line(entry: &Entry) -> String {
    let whom = entry.user.as_deref().unwrap_or("unknown");
    let acting = entry.acted_as.as_ref().map(|a| format!(" as {a}")).unwrap_or_default();
    let said = format!(
        "{}  {}  {} {} on {}  {}  by {whom}{acting}",
        entry.time, entry.id, entry.command, entry.app, entry.cluster, entry.outcome
    );
    text::terminal(&said).into_owned() + "\n"
}
