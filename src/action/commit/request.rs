//! Writes the request for a commit on a branch of its own: what differs, where, who wrote it, and what would become of it.
//!
//! Whatever comes from a cluster or a repository stands in code, where no forge reads mentions, references to issues,
//! quick actions or links; in the title, which is no Markdown, those characters are written out.

use crate::model::commit_plan::CommitPlan;
use crate::model::status::ResourceStatus;
use crate::model::{FieldChange, Verdict};
use crate::text::{markdown, markdown_block, redact, terminal};
use std::fmt::Write as _;

/// Characters of a title: forges cut longer ones, or refuse them.
const TITLE: usize = 200;
/// Lines of the diff of what is declared; the rest is counted.
const LINES: usize = 400;

/// A request as it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub title: String,
    /// Markdown.
    pub body: String,
}

/// Writes the request of a plan.
pub fn text(plan: &CommitPlan) -> Text {
    Text { title: title(plan.subject()), body: body(plan) }
}

/// Returns a line that no forge takes for a mention, a reference or a quick action.
fn title(line: &str) -> String {
    let line = terminal(line);
    let line = line.trim().trim_start_matches('/');
    let plain = line.replace('@', "(at)").replace(['#', '!'], "no. ");
    plain.chars().take(TITLE).collect()
}

fn body(plan: &CommitPlan) -> String {
    let mut out = String::new();
    let place = match plan.context() {
        Some(context) => format!(" (held against {})", markdown(context)),
        None => String::new(),
    };
    let _ = writeln!(out, "{} of {}{place}.\n", words(plan.command), markdown(&plan.app.name));
    let own = plan.message.trim_end();
    let own = own.rsplit_once("\n\n").map_or(own, |(own, _)| own);
    let own = own.split_once('\n').map_or("", |(_, rest)| rest.trim());
    if !own.is_empty() {
        let _ = writeln!(out, "{}", markdown_block("text", own));
    }
    out += "### Files\n\n";
    for file in &plan.files {
        let _ = writeln!(out, "- {} {}", file.kind.word(), markdown(&file.path));
    }
    if let Some(hides) = &plan.hides {
        let _ = writeln!(out, "\n### The rule would hide now: {}\n", hides.len());
        for hidden in hides {
            let line = format!("{} on {}: {} {}", hidden.app, hidden.context, hidden.resource, hidden.path);
            let _ = writeln!(out, "- {} ({})", markdown(&line), hidden.class.word());
        }
    } else {
        out += &section("What Git declares", "from now to then", &plan.rendered);
        out += &section("What is live", "from live to what a sync would write then", &plan.effect);
        out += &writers(&plan.effect);
    }
    if !plan.shared_with.is_empty() {
        let _ = writeln!(out, "\nThe files are read by {} too.", markdown(&plan.shared_with.join(", ")));
    }
    let _ = writeln!(out, "\ndriftdeck, action {}", markdown(&plan.id));
    out
}

fn words(command: &str) -> &'static str {
    match command {
        "capture" => "Capture of what is live",
        "ignore" => "Ignore rule",
        _ => "Revert",
    }
}

/// Writes what differs as a diff: `-` is what is, `+` what would be.
fn section(title: &str, sides: &str, effect: &Result<Vec<ResourceStatus>, String>) -> String {
    let statuses = match effect {
        Err(why) => return format!("\n### {title}\n\nnot known: {}\n", markdown(why)),
        Ok(statuses) if statuses.is_empty() => return format!("\n### {title}\n\nnothing differs\n"),
        Ok(statuses) => statuses,
    };
    let mut diff = Vec::new();
    for status in statuses {
        diff.push(format!("  {}", status.id));
        match status.verdict() {
            Verdict::Missing => diff.push("+ the whole object".to_owned()),
            Verdict::Extra => diff.push("- the whole object".to_owned()),
            _ => {}
        }
        for change in status.judgement.counted().filter(|change| !change.path.is_root()) {
            diff.extend(lines(change, &status.id.to_string()));
        }
    }
    let rest = diff.len().saturating_sub(LINES);
    diff.truncate(LINES);
    if rest > 0 {
        diff.push(format!("  and {rest} lines more"));
    }
    format!("\n### {title}\n\n{sides}:\n\n{}", markdown_block("diff", &diff.join("\n")))
}

fn lines(change: &FieldChange, object: &str) -> Vec<String> {
    let (desired, live) =
        redact::json_sides(change.desired.as_ref(), change.live.as_ref(), object, &change.path);
    let mut lines = Vec::new();
    for (sign, value) in [("-", live), ("+", desired)] {
        if let Some(value) = value {
            lines.push(format!("{sign}   {}: {value}", change.path));
        }
    }
    lines
}

/// Names who wrote what differs from live.
fn writers(effect: &Result<Vec<ResourceStatus>, String>) -> String {
    let mut out = String::new();
    for status in effect.iter().flatten() {
        for change in status.judgement.counted() {
            let Some(writer) = &change.writer else { continue };
            let when = writer.time.map(|at| format!(", {at}")).unwrap_or_default();
            let line = format!("{} {}", status.id, change.path);
            let _ = writeln!(out, "- {}: last write by {}{when}", markdown(&line), markdown(writer.name()));
        }
    }
    if out.is_empty() { out } else { format!("\n### Who wrote what is live\n\n{out}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_mentions_nobody_and_refers_to_nothing() {
        for (line, expected) in [
            ("Revert web to 3f2c1d9", "Revert web to 3f2c1d9"),
            ("Ignore @all of #7", "Ignore (at)all of no. 7"),
            ("/close me", "close me"),
            ("a\nb", "a␊b"),
        ] {
            assert_eq!(title(line), expected);
        }
        assert_eq!(title(&"x".repeat(1000)).len(), TITLE);
    }
}
