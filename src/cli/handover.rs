//! `driftdeck report`: for handing over, as Markdown: what is held, what is open, what was done, and what still drifts.

use crate::action::journal::Entry;
use crate::action::recorded;
use crate::cli::arguments::{Options, ReportArguments};
use crate::cli::document::{Findings, SCHEMA, notices, time, worst_first};
use crate::cli::output::Output;
use crate::cli::{Exit, Failed, check, hold, journal, now, opening, written};
use crate::model::{Notice, Timestamp, Verdict};
use crate::pipeline::holds::{self, Listed};
use crate::text::markdown as code;
use serde_json::{Value as Json, json};
use std::fmt::Write as _;

/// What the report tells.
struct Told {
    at: Timestamp,
    from: Timestamp,
    holds: Vec<Listed>,
    /// Begun and not ended: by a driftdeck that runs, or by one that was killed.
    unfinished: Vec<(Entry, bool)>,
    entries: Vec<Entry>,
    findings: Findings,
    notices: Vec<Notice>,
}

/// Looks at everything once and prints the report.
pub async fn run(what: &ReportArguments, options: &Options, output: &Output) -> Result<Exit, Failed> {
    let at = now();
    let unfinished = opening::journal()?.unfinished();
    let unfinished = unfinished
        .map_err(|error| Box::new(Notice::error("the journal cannot be read").cause(error.to_string())))?;
    let mut told = Told {
        at,
        from: at.checked_sub(what.since).unwrap_or(Timestamp::MIN),
        holds: Vec::new(),
        unfinished,
        entries: journal::entries(Some(what.since))?,
        findings: Findings::default(),
        notices: Vec::new(),
    };
    let mut complete = true;
    match opening::clusters(options) {
        Ok((clusters, said)) => {
            let looking = async { Ok(holds::list(&clusters).await) };
            let (found, unknown) = opening::in_time(options.timeout, looking).await?;
            complete &= unknown.is_empty();
            told.holds = found;
            told.notices.extend(said.into_iter().chain(unknown));
        }
        Err(notice) => told.notices.push(*notice),
    }
    match check::gather(&what.places, options, output).await {
        Ok((gathered, _handle)) => {
            told.findings = gathered.findings();
            complete &= gathered.settled && told.findings.complete();
            told.notices.append(&mut told.findings.notices);
        }
        Err(notice) => {
            complete = false;
            told.notices.push(*notice);
        }
    }
    worst_first(&mut told.notices);
    told.notices.dedup();
    output.notices(&told.notices);
    written(output.document(|| told.json(complete), || told.markdown()))?;
    Ok(if complete { Exit::Success } else { Exit::Incomplete })
}

impl Told {
    /// Returns the actions of which it is not known what came of them.
    fn unclear(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.outcome == "indeterminate")
    }

    /// Returns the requests that were opened.
    fn requests(&self) -> Vec<(&Entry, String)> {
        let request = |entry: &Entry| recorded::action(entry).request;
        self.entries.iter().filter_map(|entry| Some((entry, request(entry)?))).collect()
    }

    fn markdown(&self) -> String {
        let mut out =
            format!("# What was done since {}, and how it stands at {}\n", time(self.from), time(self.at));
        let mut section = |title: &str, none: &str, lines: Vec<String>| {
            let _ = writeln!(out, "\n## {title}\n");
            let _ = if lines.is_empty() {
                writeln!(out, "{none}")
            } else {
                writeln!(out, "{}", lines.join("\n"))
            };
        };
        let holds = self.holds.iter().map(|one| {
            let words = hold::words(&one.hold, self.at);
            format!("- {} on {}: {}", code(&one.hold.object.to_string()), code(&one.context), code(&words))
        });
        section("Holds", "nothing is held", holds.collect());
        let unfinished = self.unfinished.iter().map(|(entry, runs)| {
            let how = if *runs {
                "is being carried out"
            } else {
                "was cut short; the next run reads back what became of it"
            };
            format!("- {} {how}", named(entry))
        });
        let unclear = self.unclear().map(|entry| format!("- {} may or may not have been done", named(entry)));
        section("Open plans", "nothing is open", unfinished.chain(unclear).collect());
        let requests = self.requests();
        let requests =
            requests.iter().map(|(entry, request)| format!("- {}: {}", named(entry), code(request)));
        section("Requests that were opened", "none", requests.collect());
        section("Drift now", "everything that was compared is in sync", self.drift());
        section("Done", "nothing was done", self.done());
        out
    }

    fn done(&self) -> Vec<String> {
        self.entries.iter().map(|entry| recorded::action(entry).markdown()).collect()
    }

    /// Returns a line for each app that is not in sync, and for each of its objects that differ.
    fn drift(&self) -> Vec<String> {
        let is_fine = |verdict: &Verdict| matches!(verdict, Verdict::InSync | Verdict::Excluded(_));
        let mut lines = Vec::new();
        for app in self.findings.apps.iter().filter(|app| !is_fine(&app.status.verdict)) {
            let why = app.status.why().map(|why| format!(", {}", code(&why))).unwrap_or_default();
            let name = &app.status.id.app.name;
            lines.push(format!(
                "- {} on {}: {}{why}",
                code(name),
                code(&app.cluster),
                app.status.verdict.word()
            ));
            let own = self.findings.resources.iter().filter(|resource| {
                resource.status.deployment == app.status.id && !is_fine(resource.status.verdict())
            });
            for resource in own {
                let object = code(&resource.status.id.to_string());
                lines.push(format!("  - {object}: {}", resource.status.verdict().word()));
                for change in resource.status.judgement.counted() {
                    let by =
                        change.writer.as_ref().map(|w| format!(", {}", code(&w.manager))).unwrap_or_default();
                    lines.push(format!("    - {}{by}", code(&change.path.to_string())));
                }
            }
        }
        lines
    }

    fn json(&self, complete: bool) -> Json {
        let findings = self.findings.to_json("report", self.at);
        json!({
            "schema": SCHEMA, "command": "report", "at": time(self.at), "since": time(self.from), "complete": complete,
            "holds": self.holds.iter().map(|one| hold::listed_json(one, self.at)).collect::<Vec<_>>(),
            "unfinished": self.unfinished.iter().map(|(entry, runs)| json!({"entry": entry, "running": runs})).collect::<Vec<_>>(),
            "requests": self.requests().iter().map(|(entry, request)| json!({"id": entry.id, "app": entry.app, "pullRequest": request})).collect::<Vec<_>>(),
            "entries": self.entries,
            "verdict": findings.get("verdict"), "apps": findings.get("apps"), "resources": findings.get("resources"),
            "notices": notices(&self.notices),
        })
    }
}

/// Names an action within a line.
fn named(entry: &Entry) -> String {
    let on = if entry.cluster.is_empty() { String::new() } else { format!(" on {}", code(&entry.cluster)) };
    format!("{} {} of {}{on}", code(&entry.time), code(&entry.command), code(&entry.app))
}
