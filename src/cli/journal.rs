//! `driftdeck journal`: what was done, to what, by whom, with what outcome; for people, or as Markdown for an incident's
//! record.

use crate::action::journal::Entry;
use crate::action::recorded;
use crate::cli::arguments::JournalArguments;
use crate::cli::document::SCHEMA;
use crate::cli::output::Output;
use crate::cli::{Exit, Failed, now, opening, written};
use crate::model::{Notice, Timestamp};
use crate::text;
use serde_json::json;
use std::time::Duration;

/// Prints the journal, oldest first.
pub fn run(what: &JournalArguments, output: &Output) -> Result<Exit, Failed> {
    let entries = entries(what.since)?;
    let document = json!({ "schema": SCHEMA, "command": "journal", "entries": entries, "notices": [] });
    let text = || if what.markdown { markdown(&entries) } else { entries.iter().map(lines).collect() };
    written(output.document(|| document, text))?;
    Ok(Exit::Success)
}

/// Returns the actions that were begun so long ago at most, oldest first; without a bound, all.
pub fn entries(since: Option<Duration>) -> Result<Vec<Entry>, Failed> {
    let mut entries = opening::journal()?
        .entries()
        .map_err(|error| Box::new(Notice::error("the journal cannot be read").cause(error.to_string())))?;
    if let Some(since) = since {
        let from = now().checked_sub(since).unwrap_or(Timestamp::MIN);
        entries.retain(|entry| entry.time.parse::<Timestamp>().is_ok_and(|time| time >= from));
    }
    Ok(entries)
}

/// Returns actions as Markdown.
pub fn markdown(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "nothing was done\n".to_owned();
    }
    let told: Vec<String> = entries.iter().map(|entry| recorded::action(entry).markdown()).collect();
    told.join("\n")
}

fn lines(entry: &Entry) -> String {
    let action = recorded::action(entry);
    let on = if action.cluster.is_empty() { String::new() } else { format!(" on {}", action.cluster) };
    let said = format!(
        "{}  {}  {} {}{on}  {}  by {}",
        action.time,
        action.id,
        action.command,
        action.app,
        action.outcome,
        action.who()
    );
    let steps = action.lines().into_iter().map(|line| format!("    {}\n", text::terminal(&line)));
    text::terminal(&said).into_owned() + "\n" + &steps.collect::<String>()
}
