//! Writes findings as text for people.

use crate::cli::arguments::Options;
use crate::cli::document::{AppEntry, Findings, ResourceEntry};
use crate::cli::output::Output;
use crate::model::status::{RepoStatus, ResourceStatus};
use crate::model::text_diff::Side;
use crate::model::{AsAt, Cause, Class, Declared, FieldChange, Hidden, TextDiff, Told, Verdict};
use crate::text::{self, redact};
use serde_json::Value as Json;
use std::fmt::Write as _;

/// How text is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub colour: bool,
    pub ascii: bool,
}

/// What text is about, for its colour.
#[derive(Debug, Clone, Copy)]
enum Hue {
    Desired,
    Live,
    Dim,
    Strong,
    Alarm,
}

impl Style {
    /// Returns how text is written to this output.
    pub fn of(output: &Output, options: &Options) -> Self {
        Self { colour: output.colour, ascii: options.ascii }
    }

    fn paint(self, hue: Hue, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match hue {
            Hue::Desired => "38;5;75",
            Hue::Live => "38;5;215",
            Hue::Dim => "2",
            Hue::Strong => "1",
            Hue::Alarm => "1;38;5;203",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    fn mark(self, verdict: &Verdict) -> &'static str {
        match (verdict, self.ascii) {
            (Verdict::Drifted, false) => "✗",
            (Verdict::Missing, false) => "○",
            (Verdict::Extra, false) => "⊕",
            (Verdict::Terminating, false) => "↓",
            (Verdict::InSync, false) => "✓",
            (Verdict::Excluded(_), false) => "·",
            (Verdict::Drifted, true) => "x",
            (Verdict::Missing, true) => "o",
            (Verdict::Extra, true) => "+",
            (Verdict::Terminating, true) => "v",
            (Verdict::InSync, true) => "=",
            (Verdict::Excluded(_), true) => ".",
            (Verdict::Invalid, _) => "!",
            (Verdict::Unknown(_), _) => "?",
        }
    }

    pub fn arrow(self) -> &'static str {
        if self.ascii { "->" } else { "→" }
    }
}

/// Writes a line for each repo: what it was read at, and how far that is from its upstream and from what is committed. A
/// folder in no repository has none.
pub fn revisions<'a>(repos: impl IntoIterator<Item = &'a RepoStatus>, style: Style) -> String {
    let line = |repo: &RepoStatus| {
        let revision = repo.revision.as_ref().filter(|r| r.commit.is_some() || r.dirty)?;
        let distance = revision.distance().map(|words| format!(", {words}")).unwrap_or_default();
        let words = format!("{} {}{distance}", repo.name, revision.words());
        Some(style.paint(Hue::Dim, &text::terminal(&words)) + "\n")
    };
    repos.into_iter().filter_map(line).collect()
}

/// Writes one line for each repo, one for each app, and one for each object that is not in sync.
pub fn verdicts(findings: &Findings, style: Style) -> String {
    let mut out = revisions(&findings.repos, style);
    for app in &findings.apps {
        out += &app_line(app, style);
        let of_app = findings
            .resources
            .iter()
            .filter(|r| is_of(r, app) && !matches!(r.status.verdict(), Verdict::InSync));
        let hidden = matches!(app.status.verdict, Verdict::Excluded(_));
        for resource in of_app.filter(|r| !hidden && !matches!(r.status.verdict(), Verdict::Excluded(_))) {
            out += &resource_line(resource, style, "  ");
        }
    }
    for resource in findings.resources.iter().filter(|r| r.app.is_none()) {
        out += &resource_line(resource, style, "");
    }
    out += &summary(findings);
    out
}

/// Which side of a change is written first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Drift reads from Git to live.
    DesiredFirst,
    /// What is done reads from what is to what will be: a plan, and one commit after another.
    LiveFirst,
}

/// Writes every field that differs, with who wrote it and where Git declares it; with `all` also what does not count.
pub fn changes(findings: &Findings, style: Style, order: Order, all: bool) -> String {
    let mut out = revisions(&findings.repos, style);
    for resource in &findings.resources {
        let shown: Vec<&FieldChange> =
            resource.status.judgement.changes.iter().filter(|c| c.counts || all).collect();
        let silent = matches!(resource.status.verdict(), Verdict::InSync | Verdict::Excluded(_));
        let hidden = resource.status.judgement.hidden_by().is_some();
        if silent && ((shown.is_empty() && !hidden) || !all) {
            continue;
        }
        out += &resource_line(resource, style, "");
        for change in shown {
            out += &change_lines(change, &resource.status.id.to_string(), style, order);
        }
    }
    out += &summary(findings);
    out
}

fn is_of(resource: &ResourceEntry, app: &AppEntry) -> bool {
    resource.status.deployment == app.status.id
}

fn app_line(app: &AppEntry, style: Style) -> String {
    let status = &app.status;
    let hue = if status.verdict.is_drift() { Hue::Strong } else { Hue::Dim };
    let counts = &status.counts;
    let mut parts: Vec<String> = Vec::new();
    for (n, word) in [
        (counts.drifted, "drifted"),
        (counts.missing, "missing"),
        (counts.extra, "extra"),
        (counts.invalid, "invalid"),
        (counts.terminating, "terminating"),
        (counts.unknown, "unknown"),
        (counts.in_sync, "in sync"),
    ] {
        if n > 0 {
            parts.push(format!("{n} {word}"));
        }
    }
    parts.extend(status.hidden.words());
    if let Some(why) = status.why() {
        parts.insert(0, text::terminal(&why).into_owned());
    }
    parts.extend(status.as_at.as_ref().map(AsAt::words));
    let line = format!(
        "{} {} on {}  {}",
        style.mark(&status.verdict),
        text::terminal(&status.id.app.name),
        text::terminal(&app.called),
        parts.join(", ")
    );
    style.paint(hue, &line) + "\n"
}

fn resource_line(resource: &ResourceEntry, style: Style, indent: &str) -> String {
    let status = &resource.status;
    let mut line = format!(
        "{indent}{} {} {}",
        style.mark(status.verdict()),
        status.verdict().word(),
        text::terminal(&status.id.to_string())
    );
    let counted = status.judgement.counted().count();
    if counted > 0 {
        let _ = write!(line, "  {counted} {}", if counted == 1 { "field" } else { "fields" });
    }
    if let Some(why) = status.verdict().why() {
        let _ = write!(line, "  {}", text::terminal(why));
    }
    if let Some(at) = &status.judgement.as_at {
        let _ = write!(line, "  {}", at.words());
    }
    if let Some(origin) = &status.origin {
        let _ = write!(line, "  {}", text::terminal(&origin.file));
        if let Some(number) = origin.line {
            let _ = write!(line, ":{number}");
        }
    }
    let hue = if status.verdict().is_drift() { Hue::Alarm } else { Hue::Dim };
    let mut out = style.paint(hue, &line) + "\n";
    for problem in &status.judgement.problems {
        let place = problem.line.map(|n| format!(" (line {n})")).unwrap_or_default();
        let _ = writeln!(
            out,
            "{indent}    ! {} {}{place}",
            text::terminal(&problem.path),
            text::terminal(&problem.title)
        );
    }
    for disagreement in status.judgement.exact.iter().flat_map(|exact| &exact.disagreements) {
        let words = text::terminal(&disagreement.words()).into_owned();
        let _ = writeln!(out, "{indent}    {}", style.paint(Hue::Dim, &words));
    }
    if let Some(why) = &status.judgement.needs_exact {
        let words = format!("compared here, not by the API server: {}", text::terminal(why));
        let _ = writeln!(out, "{indent}    {}", style.paint(Hue::Dim, &words));
    }
    if !status.judgement.finalizers.is_empty() {
        let held = status.judgement.finalizers.join(", ");
        let _ = writeln!(out, "{indent}    held by {}", text::terminal(&held));
    }
    out
}

/// Writes one change with who wrote it and where Git declares it.
pub fn change_lines(change: &FieldChange, object: &str, style: Style, order: Order) -> String {
    let (desired, live) =
        redact::json_sides(change.desired.as_ref(), change.live.as_ref(), object, &change.path);
    let side = |value: Option<Json>, hue: Hue| match value {
        None => style.paint(Hue::Dim, if style.ascii { "-" } else { "—" }),
        Some(value) => style.paint(hue, &short(&value)),
    };
    let (desired, live) = (side(desired, Hue::Desired), side(live, Hue::Live));
    let (from, to) = if order == Order::DesiredFirst { (desired, live) } else { (live, desired) };
    let mut out = format!(
        "    {} {}  {from} {} {to}",
        letter(change),
        text::terminal(&change.path.to_string()),
        style.arrow(),
    );
    let mut said = Vec::new();
    if let Some(writer) = &change.writer {
        let mut who = match change.cause {
            Cause::ByHand => "by hand, ".to_owned(),
            Cause::Controller => "controller, ".to_owned(),
            Cause::Webhook => "webhook, ".to_owned(),
            Cause::FailedSync => "failed sync, ".to_owned(),
            Cause::UnsyncedCommit => "unsynced commit, ".to_owned(),
            Cause::Unknown => String::new(),
        };
        if let Some(agent) = &change.agent {
            who += &text::terminal(agent);
            who += ", ";
        }
        who += "last write by ";
        who += &text::terminal(writer.name());
        if let Some(time) = writer.time {
            let _ = write!(who, ", {}", crate::cli::document::time(time));
        }
        said.push(who);
    }
    if let Some(origin) = &change.origin {
        let place = origin.line.map_or_else(
            || text::terminal(&origin.file).into_owned(),
            |n| format!("{}:{n}", text::terminal(&origin.file)),
        );
        let since = change.declared.as_ref().map(declared).filter(|words| !words.is_empty());
        said.push(since.map_or_else(|| place.clone(), |since| format!("{place}, {since}")));
    } else if change.desired.is_none() {
        said.extend(change.declared.as_ref().map(declared));
    }
    if let Some(note) = &change.note {
        said.push(text::terminal(note).into_owned());
    }
    if !said.is_empty() {
        let _ = write!(out, "\n        {}", style.paint(Hue::Dim, &said.join("; ")));
    }
    out + "\n"
}

/// Returns since when Git declares a value so: `Ana's 9c1f07e "Release 1.4.2" of 2026-11-20T08:00:00Z`.
fn declared(declared: &Declared) -> String {
    let commit = match declared {
        Declared::By(commit) => commit,
        Declared::Uncommitted => return "not committed".to_owned(),
        Declared::Unknown(why) => return text::terminal(why).into_owned(),
    };
    let mut words = format!(
        "{}'s {} \"{}\"",
        text::terminal(&commit.author),
        commit.commit.short(),
        text::terminal(&commit.subject)
    );
    if let Some(authored) = commit.authored {
        let _ = write!(words, " of {}", crate::cli::document::time(authored));
    }
    words
        + match (commit.told, commit.or_earlier) {
            (Told::Line, false) => "",
            (Told::Line, true) => " or earlier, history ends there",
            (Told::Files, false) => ", the last that touched the files that can set it",
            (Told::Files, true) => {
                ", the last that touched the files that can set it, or earlier: history ends there"
            }
            (Told::Inputs, false) => ", the last that touched the app's files",
            (Told::Inputs, true) => ", the last that touched the app's files, or earlier: history ends there",
            (Told::Removed, _) => " took it out of Git",
        }
}

/// Writes the lines of an object that differ, with three lines around them: `-` is Git, `+` is the cluster.
pub fn unified(status: &ResourceStatus, diff: &TextDiff, style: Style) -> String {
    const AROUND: usize = 3;
    let differs: Vec<usize> =
        diff.lines.iter().enumerate().filter(|(_, l)| l.side != Side::Both).map(|(at, _)| at).collect();
    let id = text::terminal(&status.id.to_string()).into_owned();
    let file = status.origin.as_ref().map(|o| format!("  {}", text::terminal(&o.file))).unwrap_or_default();
    let mut out = format!(
        "{}\n{}\n",
        style.paint(Hue::Desired, &format!("--- desired {id}{file}")),
        style.paint(Hue::Live, &format!("+++ live {id}")),
    );
    let mut before = None;
    for (at, line) in diff.lines.iter().enumerate() {
        if !differs.iter().any(|d| d.abs_diff(at) <= AROUND) {
            continue;
        }
        if before.is_some_and(|b| b + 1 != at) {
            out += "@@\n";
        }
        before = Some(at);
        let words: String = line.pieces.iter().map(|p| p.text.as_str()).collect();
        let words = text::terminal(&words);
        out += &match line.side {
            Side::Both => format!(" {words}\n"),
            Side::Desired => style.paint(Hue::Desired, &format!("-{words}")) + "\n",
            Side::Live => style.paint(Hue::Live, &format!("+{words}")) + "\n",
        };
    }
    out
}

/// Returns the letter of a field's class. `H` is whatever Git does not declare and somebody else than the deployer set,
/// which is by hand more often than not; who it was stands behind it.
fn letter(change: &FieldChange) -> char {
    match change.class {
        Class::Changed => 'C',
        Class::Deleted => 'D',
        Class::Foreign => 'H',
        Class::Leftover => 'L',
        Class::Contended => 'W',
        Class::Delegated => 'P',
        Class::Ignored => 'I',
        Class::Order => 'O',
    }
}

fn short(json: &Json) -> String {
    const WIDTH: usize = 160;
    let whole = json
        .get("fingerprint")
        .and_then(|f| f.as_str())
        .filter(|_| json.as_object().is_some_and(|o| o.len() == 1))
        .map_or_else(|| json.to_string(), redact::sealed_words);
    let shown = text::terminal(&whole).into_owned();
    if shown.chars().count() > WIDTH { shown.chars().take(WIDTH).collect::<String>() + "…" } else { shown }
}

fn summary(findings: &Findings) -> String {
    let counts = findings.counts();
    let mut words = vec![format!("{} in sync", counts.in_sync)];
    for (n, word) in [
        (counts.drifted, "drifted"),
        (counts.missing, "missing"),
        (counts.extra, "extra"),
        (counts.invalid, "invalid"),
        (counts.terminating, "terminating"),
        (counts.unknown, "unknown"),
        (counts.excluded, "excluded"),
    ] {
        if n > 0 {
            words.push(format!("{n} {word}"));
        }
    }
    // What rules hide is never hidden silently.
    words.extend(findings.resources.iter().map(|r| r.status.judgement.hidden()).sum::<Hidden>().words());
    let exact = findings.resources.iter().filter(|r| r.status.judgement.exact.is_some()).count();
    let exact = if exact > 0 { format!("; {exact} by the API server's own dry run") } else { String::new() };
    format!("{}: {}{exact}\n", findings.verdict().word(), words.join(", "))
}
