//! `driftdeck changes`: what changed anywhere, newest first, and what cannot be known of it.

use crate::cli::arguments::{ChangesArguments, Options};
use crate::cli::document::{self, SCHEMA};
use crate::cli::output::Output;
use crate::cli::{Exit, Failed, check, now, opening, written};
use crate::model::{Happening, Notice, Past, Timestamp, Where};
use crate::pipeline::changes::{self, Known};
use crate::text;
use jiff::SignedDuration;
use serde_json::{Value as Json, json};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Looks once at everything and prints what changed.
pub async fn run(what: &ChangesArguments, options: &Options, output: &Output) -> Result<Exit, Failed> {
    let (gathered, handle) = check::gather(&what.places, options, output).await?;
    let at = now();
    let since = SignedDuration::try_from(what.since).ok().and_then(|span| at.checked_sub(span).ok());
    let since = since.unwrap_or(Timestamp::UNIX_EPOCH);
    let Some(ground) = handle.ground().await.map(Arc::new) else {
        return Err(Box::new(Notice::error("the pipeline has ended")));
    };
    let known = {
        let ground = Arc::clone(&ground);
        // Without folders there is no journal to read.
        let (journal, stop) = (opening::journal().ok(), CancellationToken::new());
        tokio::task::spawn_blocking(move || changes::known(&ground, journal.as_ref(), since, &stop)).await
    };
    let known: Known = known.unwrap_or_default();
    let asked = changes::asked(&ground, &known, since, at).await;
    let mut past = Past::joined([known.past, asked]);
    past.notices.extend(gathered.said());
    document::worst_first(&mut past.notices);
    output.notices(&past.notices);
    written(output.document(|| to_json(&past), || lines(&past)))?;
    let failed = !gathered.settled || gathered.read_nothing() || gathered.lacks(&options.apps);
    Ok(if failed { Exit::Failure } else { Exit::Success })
}

fn to_json(past: &Past) -> Json {
    json!({
        "schema": SCHEMA,
        "command": "changes",
        "changes": past.happenings.iter().map(entry).collect::<Vec<_>>(),
        "blind": past.blind.iter().map(|blind| blind.words(document::time)).collect::<Vec<_>>(),
        "notices": document::notices(&past.notices),
    })
}

fn entry(happening: &Happening) -> Json {
    let (cluster, app, repo, commit) = match &happening.at {
        Where::Cluster { context, deployment, .. } => {
            (Some(context.as_str()), deployment.as_ref().map(|d| d.app.name.as_str()), None, None)
        }
        Where::Repo { name, commit, .. } => (None, None, Some(name.as_str()), Some(commit.0.as_str())),
    };
    json!({
        "time": document::time(happening.time),
        "cluster": cluster,
        "app": app,
        "resource": happening.resource.as_ref().map(ToString::to_string),
        "path": happening.path,
        "kind": happening.kind.word(),
        "what": happening.what,
        "who": happening.who.name,
        "whoName": happening.who.called.as_ref().or(happening.who.name.as_ref()),
        "by": happening.who.by.word(),
        "repo": repo,
        "commit": commit,
    })
}

/// Writes a line for each change: time, place, app, what, who; then what cannot be known.
fn lines(past: &Past) -> String {
    let rows: Vec<[String; 5]> = past.happenings.iter().map(row).collect();
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or_default();
    let (place, app) = (width(1), width(2));
    let mut out = String::new();
    for [time, at, of, what, who] in &rows {
        let line = format!("{time}  {at:<place$}  {of:<app$}  {what}  {who}");
        out += &(text::terminal(&line).into_owned() + "\n");
    }
    if rows.is_empty() {
        out += "nothing changed\n";
    }
    for blind in &past.blind {
        let line = format!("cannot know: {}", blind.words(document::time));
        out += &(text::terminal(&line).into_owned() + "\n");
    }
    out
}

fn row(happening: &Happening) -> [String; 5] {
    let (at, of) = match &happening.at {
        Where::Cluster { called, deployment, .. } => {
            (called.clone(), deployment.as_ref().map_or_else(|| "-".to_owned(), |d| d.app.name.clone()))
        }
        Where::Repo { name, asked, .. } => (name.clone(), asked.clone()),
    };
    let named = happening.named().map(|id| format!("{id}  ")).unwrap_or_default();
    let what = format!("{named}{}", happening.what);
    [document::time(happening.time), at, of, what, happening.who.words()]
}
