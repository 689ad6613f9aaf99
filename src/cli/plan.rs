//! Writes plans and outcomes: the document of every command that writes, and the text that people confirm.

use crate::cli::document::{SCHEMA, change, notices, revision};
use crate::cli::report::{self, Order, Style};
use crate::model::hold::{HOLD, RESUME};
use crate::model::plan::UNDO;
use crate::model::{Notice, Plan, Step, StepOutcome, Verdict};
use crate::text;
use serde_json::{Value as Json, json};
use std::fmt::Write as _;

/// Returns the document of a plan, before or after it was carried out.
pub fn to_json(command: &str, plan: Option<&Plan>, verdict: Option<&Verdict>, said: &[Notice]) -> Json {
    json!({
        "schema": SCHEMA,
        "command": command,
        "plan": plan.map(plan_json),
        "verdict": verdict.map(Verdict::word),
        "commit": null,
        "branch": null,
        "pullRequest": null,
        "notices": notices(said),
    })
}

fn plan_json(plan: &Plan) -> Json {
    json!({
        "id": plan.id,
        "app": plan.app.name,
        "cluster": plan.context,
        "clusterId": plan.cluster.0,
        "namespace": plan.namespace,
        "revision": revision(&plan.revision),
        "manager": plan.manager,
        "boundTo": plan.bound_to,
        "protected": plan.protected,
        "steps": plan.steps.iter().map(step_json).collect::<Vec<_>>(),
        "willNot": plan.will_not,
        "remarks": plan.remarks,
    })
}

fn step_json(step: &Step) -> Json {
    let object = step.resource.to_string();
    json!({
        "resource": {
            "group": step.kind.group, "version": step.kind.version, "kind": step.kind.kind,
            "namespace": step.resource.namespace, "name": step.resource.name,
        },
        "action": step.action.word(),
        "manager": step.manager,
        "ticked": step.ticked,
        "changes": step.changes.iter().map(|c| change(c, &object)).collect::<Vec<_>>(),
        "takesOverFrom": step.takes_over_from.iter().map(|w| w.manager.as_str()).collect::<Vec<_>>(),
        "note": step.note,
        "bound": { "uid": step.bound.uid, "digest": step.bound.lasting },
        "outcome": step.outcome.word(),
        "notice": step.outcome.notice().map(|n| notices(std::slice::from_ref(n)).pop()),
    })
}

/// Writes a plan as people read it before they confirm it.
pub fn to_text(plan: &Plan, style: Style) -> String {
    let mut out = String::new();
    let protected = if plan.protected { "  PROTECTED" } else { "" };
    let commit = plan.revision.commit.as_ref().map(|c| format!("@{}", c.short())).unwrap_or_default();
    let dirty = if plan.revision.dirty { ", with uncommitted changes" } else { "" };
    let (app, context) = (text::terminal(&plan.app.name), text::terminal(&plan.context));
    let manager = text::terminal(&plan.manager);
    let _ = match plan.command {
        UNDO => writeln!(out, "Undo what was done to {app} on {context}{protected}\nas {manager}"),
        HOLD => writeln!(out, "Hold the engine of {app} on {context}{protected}\nas {manager}"),
        RESUME => writeln!(out, "Let the engine of {app} go on on {context}{protected}\nas {manager}"),
        _ => {
            let asked = text::terminal(plan.revision.asked.words());
            writeln!(out, "Sync {app} to {context}{protected}\nfrom {asked}{commit}{dirty}, as {manager}")
        }
    };
    if !plan.steps.is_empty() {
        let _ =
            writeln!(out, "each change from what is live to what will be: live {} desired", style.arrow());
    }
    for step in &plan.steps {
        out += &step_text(step, style);
    }
    if plan.steps.is_empty() {
        out += "  nothing to write\n";
    }
    for sentence in &plan.will_not {
        let _ = writeln!(out, "will not: {}", text::terminal(sentence));
    }
    for sentence in &plan.remarks {
        let _ = writeln!(out, "{}", text::terminal(sentence));
    }
    out
}

fn step_text(step: &Step, style: Style) -> String {
    let tick = if step.ticked { "" } else { "[not ticked] " };
    let outcome = if step.outcome == StepOutcome::Planned {
        String::new()
    } else {
        format!("  {}", step.outcome.word())
    };
    let mut out =
        format!("  {tick}{} {}{outcome}\n", step.action.word(), text::terminal(&step.resource.to_string()));
    // That a whole object comes or goes is said already.
    for change in step.changes.iter().filter(|change| !change.path.is_root()) {
        out += &report::change_lines(change, &step.resource.to_string(), style, Order::LiveFirst);
    }
    if !step.takes_over_from.is_empty() {
        let from: Vec<_> = step.takes_over_from.iter().map(|w| text::terminal(&w.manager)).collect();
        let _ = writeln!(out, "    takes over from {}", from.join(", "));
    }
    if let Some(note) = &step.note {
        let _ = writeln!(out, "    {}", text::terminal(note));
    }
    if let Some(notice) = step.outcome.notice() {
        let _ = writeln!(out, "    {}", text::terminal(&notice.title));
        if let Some(cause) = &notice.cause {
            let _ = writeln!(out, "      {}", text::terminal(cause));
        }
    } else if let StepOutcome::Skipped(why) = &step.outcome {
        let _ = writeln!(out, "    {}", text::terminal(why));
    }
    out
}
