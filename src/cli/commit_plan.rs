//! Writes plans of commits: their document, and the text that people confirm.

use crate::cli::document::{SCHEMA, change, notices};
use crate::cli::report::{self, Order, Style};
use crate::model::commit_plan::{CommitPlan, Hidden, Landing};
use crate::model::status::ResourceStatus;
use crate::model::{Notice, StepOutcome, Verdict};
use crate::text;
use serde_json::{Value as Json, json};
use std::fmt::Write as _;

/// Returns the document of a plan, before or after it was carried out.
pub fn to_json(plan: &CommitPlan, said: &[Notice]) -> Json {
    json!({
        "schema": SCHEMA,
        "command": plan.command,
        "plan": plan_json(plan),
        "verdict": null,
        "commit": plan.commit.as_ref().map(|commit| &commit.0),
        "branch": plan.landing.branch(),
        "pullRequest": plan.request,
        "notices": notices(said),
    })
}

fn plan_json(plan: &CommitPlan) -> Json {
    let steps = plan.steps.iter().map(|step| {
        json!({
            "resource": null,
            "action": step.action.word(),
            "changes": [],
            "takesOverFrom": [],
            "note": step.note,
            "outcome": step.outcome.word(),
            "notice": step.outcome.notice().map(|n| notices(std::slice::from_ref(n)).pop()),
        })
    });
    let files = plan.files.iter().map(|file| {
        json!({
            "path": file.path,
            "change": file.kind.word(),
            "added": file.lines.map(|(added, _)| added),
            "removed": file.lines.map(|(_, removed)| removed),
        })
    });
    let included = plan.included.iter().map(|i| json!({"path": i.path, "ticked": i.ticked}));
    json!({
        "id": plan.id,
        "app": plan.app.name,
        "cluster": plan.context(),
        "namespace": plan.namespace,
        "revision": {"asked": plan.landing.branch(), "commit": plan.base.0, "dirty": false, "behind": 0},
        "manager": null,
        "boundTo": plan.bound_to,
        "steps": steps.collect::<Vec<_>>(),
        "repo": plan.location,
        "newBranch": matches!(plan.landing, Landing::New { .. }),
        "files": files.collect::<Vec<_>>(),
        "included": included.collect::<Vec<_>>(),
        "message": plan.message,
        "author": plan.author.to_string(),
        "committer": plan.committer.to_string(),
        "signed": plan.signed,
        "sharedWith": plan.shared_with,
        "hides": plan.hides.as_ref().map(|hides| hides.iter().map(hidden_json).collect::<Vec<_>>()),
        "declared": effect_json(&plan.rendered),
        "live": effect_json(&plan.effect),
        "willNot": plan.will_not,
        "remarks": plan.remarks,
        "headless": plan.headless,
    })
}

fn hidden_json(hidden: &Hidden) -> Json {
    json!({
        "app": hidden.app,
        "cluster": hidden.context,
        "resource": {
            "group": hidden.resource.kind.group, "kind": hidden.resource.kind.kind,
            "namespace": hidden.resource.namespace, "name": hidden.resource.name,
        },
        "path": hidden.path.to_string(),
        "class": hidden.class.word(),
    })
}

/// Returns resources with their changes; why they are not known stands in `why`.
fn effect_json(effect: &Result<Vec<ResourceStatus>, String>) -> Json {
    let resources = effect.iter().flatten().map(|status| {
        let object = status.id.to_string();
        json!({
            "group": status.kind.group, "version": status.kind.version, "kind": status.kind.kind,
            "namespace": status.id.namespace, "name": status.id.name,
            "verdict": status.verdict().word(),
            "changes": status.judgement.counted().map(|c| change(c, &object)).collect::<Vec<_>>(),
        })
    });
    json!({"why": effect.as_ref().err(), "resources": resources.collect::<Vec<_>>()})
}

/// Writes a plan as people read it before they confirm it.
pub fn to_text(plan: &CommitPlan, style: Style) -> String {
    let mut out = String::new();
    let signed = plan.signed.as_ref().map(|how| format!(", signed with {how}")).unwrap_or_default();
    let _ = writeln!(out, "{}", text::terminal(plan.subject()));
    let _ = writeln!(
        out,
        "one commit in {} on top of {}, by {}{signed}",
        text::terminal(&plan.repo_name),
        plan.base.short(),
        text::terminal(&plan.author.to_string()),
    );
    for step in &plan.steps {
        let outcome = match &step.outcome {
            StepOutcome::Planned => String::new(),
            outcome => format!("  {}", outcome.word()),
        };
        let note = step.note.as_deref().unwrap_or_default();
        let _ = writeln!(out, "  {} {}{outcome}", step.action.word(), text::terminal(note));
        if let Some(notice) = step.outcome.notice() {
            let _ = writeln!(out, "    {}", text::terminal(&notice.title));
            for more in notice.cause.iter().chain(&notice.hint) {
                let _ = writeln!(out, "      {}", text::terminal(more));
            }
        }
    }
    if let Some(commit) = &plan.commit {
        let _ = writeln!(out, "commit {} on {}", commit.0, text::terminal(plan.landing.branch()));
    }
    out += "files:\n";
    for file in &plan.files {
        let _ = writeln!(out, "  {} {}  {}", file.kind.word(), text::terminal(&file.path), file.counted());
    }
    if plan.files.is_empty() {
        out += "  none\n";
    }
    if let Some(hides) = &plan.hides {
        let _ = writeln!(out, "hides now, of what counts: {}", hides.len());
        for hidden in hides {
            let line = format!(
                "{} on {}: {} {} ({})",
                hidden.app,
                hidden.context,
                hidden.resource,
                hidden.path,
                hidden.class.word()
            );
            let _ = writeln!(out, "  {}", text::terminal(&line));
        }
    } else {
        out += &effect_text(
            &plan.rendered,
            style,
            "what Git declares would change, from now to then",
            ["comes in", "goes out"],
        );
        out += &effect_text(
            &plan.effect,
            style,
            "against what is live then: what a sync would write",
            ["would be created", "would be extra"],
        );
    }
    out += "message:\n";
    for line in plan.message.trim_end().lines() {
        let _ = writeln!(out, "  | {}", text::terminal(line));
    }
    for sentence in &plan.will_not {
        let _ = writeln!(out, "will not: {}", text::terminal(sentence));
    }
    for sentence in &plan.remarks {
        let _ = writeln!(out, "{}", text::terminal(sentence));
    }
    out
}

fn effect_text(
    effect: &Result<Vec<ResourceStatus>, String>,
    style: Style,
    title: &str,
    [missing, extra]: [&str; 2],
) -> String {
    let statuses = match effect {
        Err(why) => return format!("{title}: not known, {}\n", text::terminal(why)),
        Ok(statuses) if statuses.is_empty() => return format!("{title}: nothing\n"),
        Ok(statuses) => statuses,
    };
    let mut out = format!("{title}:\n");
    for status in statuses {
        let object = status.id.to_string();
        let said = match status.verdict() {
            Verdict::Missing => format!("  {missing}"),
            Verdict::Extra => format!("  {extra}"),
            Verdict::Invalid => "  invalid".to_owned(),
            _ => String::new(),
        };
        let _ = writeln!(out, "  {}{said}", text::terminal(&object));
        for change in status.judgement.counted().filter(|change| !change.path.is_root()) {
            out += &report::change_lines(change, &object, style, Order::LiveFirst);
        }
    }
    out
}
