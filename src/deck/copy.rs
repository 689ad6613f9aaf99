//! Defines what can be copied: names, paths, commands, permalinks, and Markdown for the incident channel.

use super::layer::{CopyItem, Layer};
use super::plan_lines::takes_over;
use super::pods_view;
use super::possible;
use super::state::State;
use super::words;
use super::world::ResourceKey;
use crate::model::plan::SYNC;
use crate::model::recorded::RecordedAction;
use crate::model::status::ResourceStatus;
use crate::model::{FieldChange, Plan, StepOutcome};
use crate::text::{markdown as code, shell_word};
use std::fmt::Write as _;

/// Returns what can be copied of where the person is.
pub fn items(state: &State) -> Vec<CopyItem> {
    if let Some(Layer::Journal(view)) = state.layers.last() {
        let actions = view.actions.value().map_or(&[][..], Vec::as_slice);
        let told: Vec<String> = actions.iter().rev().map(RecordedAction::markdown).collect();
        let item = CopyItem { what: "journal, as Markdown", text: told.join("\n") };
        return if told.is_empty() { Vec::new() } else { vec![item] };
    }
    if let Some(items) = commit_items(state) {
        return items;
    }
    let mut items = Vec::new();
    let mut offer = |what: &'static str, text: String| items.push(CopyItem { what, text });
    let key = state.resource();
    let status = key.as_ref().and_then(|key| state.world.resource(key));
    if let (Some(key), Some(status)) = (&key, status) {
        offer("name", words::name(&key.id));
        if let Some((_, path)) = state.field() {
            offer("field path", path.to_string());
        }
        if let Some(origin) = &status.origin {
            let line = origin.line.map(|line| format!(":{line}")).unwrap_or_default();
            offer("file", format!("{}{line}", origin.file));
        }
        offer("kubectl command", kubectl(state, key));
    } else if let Some(app) = state.selected_app() {
        offer("name", app.name.clone());
    }
    if let Some(command) = headless(state) {
        offer("driftdeck command", command);
    }
    if let Ok(url) = possible::page(state) {
        offer("permalink", url);
    }
    if let Some(Layer::Pods(view)) = state.layers.last()
        && let Some(text) = pods_view::markdown(state, view)
    {
        offer("what runs, as Markdown", text);
    }
    if let Some(text) = report(state, status) {
        offer("Markdown", text);
    }
    items
}

/// Returns what can be copied of the commit under the cursor, or that is shown; `None` where no commit is.
fn commit_items(state: &State) -> Option<Vec<CopyItem>> {
    let (app, commit) = match state.layers.last()? {
        Layer::History(view) => (&view.app, view.current()?),
        Layer::Effect(view) => (&view.app, &view.commit),
        _ => return None,
    };
    let mut items = Vec::new();
    let mut offer = |what: &'static str, text: String| items.push(CopyItem { what, text });
    offer("commit", commit.id.0.clone());
    offer("subject", commit.subject.clone());
    if let Some(file) = commit.files.first() {
        offer("file", file.clone());
    }
    if let Some(repo) = state.world.repo(&app.repo) {
        let (name, place) = (shell_word(&app.name), shell_word(&repo.location));
        let mut command = format!("driftdeck history {name} {place}");
        if let Some(deployment) = state.deployment() {
            let _ = write!(command, " --context {}", shell_word(state.world.context(&deployment.cluster)));
        }
        offer("driftdeck command", command);
        if repo.location.starts_with('/') {
            offer("git command", format!("git -C {place} show {}", commit.id.0));
        }
    }
    if let Ok(url) = possible::page(state) {
        offer("permalink", url);
    }
    Some(items)
}

fn kubectl(state: &State, key: &ResourceKey) -> String {
    let mut words = vec!["kubectl".to_owned(), "--context".to_owned()];
    words.push(shell_word(state.world.context(&key.deployment.cluster)).into_owned());
    if let Some(namespace) = &key.id.namespace {
        words.push("-n".to_owned());
        words.push(shell_word(namespace).into_owned());
    }
    words.push("get".to_owned());
    words.push(shell_word(&key.id.kind.to_string()).into_owned());
    words.extend(key.id.name.as_deref().map(|name| shell_word(name).into_owned()));
    words.push("-o yaml".to_owned());
    words.join(" ")
}

fn headless(state: &State) -> Option<String> {
    let app = state.deployment().map(|d| &d.app).or_else(|| state.selected_app())?;
    let repo = state.world.repo(&app.repo)?;
    let mut command =
        format!("driftdeck diff {} --app {}", shell_word(&repo.location), shell_word(&app.name));
    if let Some(deployment) = state.deployment() {
        let _ = write!(command, " --context {}", shell_word(state.world.context(&deployment.cluster)));
    }
    Some(command)
}

/// Returns the drift of one resource, or of the deployment's faulty ones, as Markdown.
fn report(state: &State, status: Option<&ResourceStatus>) -> Option<String> {
    let deployment = state.deployment()?;
    let app = &deployment.app.name;
    let context = state.world.context(&deployment.cluster);
    let mut report = format!("{} on {}", code(app), code(context));
    if let Some(known) = state.world.deployments.get(deployment)
        && let Some(repo) = state.world.repo(&deployment.app.repo)
    {
        let desired = words::desired(repo, &known.revision, state.now, &state.options.zone);
        let _ = write!(report, ", desired {}", code(&desired));
    }
    let zone = state.options.zone.clone();
    let _ = writeln!(report, ", at {} {}", words::clock(state.now, &zone), zone_name(state));
    let statuses: Vec<&ResourceStatus> = if let Some(status) = status {
        vec![status]
    } else {
        let faulty = super::rows::faulty(state, deployment);
        faulty.iter().filter_map(|key| state.world.resource(key)).collect()
    };
    for status in statuses {
        let name = words::name(&status.id);
        let _ = writeln!(
            report,
            "\n- {} {}: {}",
            code(&status.id.kind.kind),
            code(&name),
            status.verdict().word()
        );
        for change in status.judgement.counted() {
            let _ = writeln!(report, "  - {}", change_markdown(state, change));
        }
    }
    Some(report)
}

fn change_markdown(state: &State, change: &FieldChange) -> String {
    let (desired, live) = match words::lines_differ(change) {
        Some(lines) => ("text".to_owned(), lines),
        None => words::sides(change),
    };
    let by = words::writer(change, state.now, &state.options.zone);
    let by = if by.is_empty() { by } else { format!(" ({})", code(&by)) };
    format!("{}: {} → {}{by}", code(&change.path.to_string()), code(&desired), code(&live))
}

/// A write goes from live to what will be, as the plan's screen shows it. Only a sync writes what Git desires.
pub(super) fn write_markdown(change: &FieldChange, is_sync: bool) -> String {
    let path = code(&change.path.to_string());
    let becomes = if is_sync { "as desired" } else { "as it was" };
    if let Some(lines) = words::lines_differ(change) {
        return format!("{path}: {}, becomes {becomes}", code(&lines));
    }
    let (desired, live) = words::sides(change);
    let desired = if change.desired.is_none() { "removed".to_owned() } else { desired };
    let whose = if is_sync { "desired " } else { "" };
    format!("{path}: live {} → {whose}{}", code(&live), code(&desired))
}

/// Returns a plan as Markdown.
pub fn plan_markdown(plan: &Plan) -> String {
    let (app, context) = (code(&plan.app.name), code(&plan.context));
    let is_sync = plan.command == SYNC;
    let mut report = if is_sync {
        format!("{} {app} to {context} from {}\n", plan.command, code(&plan.revision.marked()))
    } else {
        format!("{} {app} on {context}\n", plan.command)
    };
    for step in &plan.steps {
        let tick = if step.ticked { "x" } else { " " };
        let name = words::name(&step.resource);
        let _ = writeln!(
            report,
            "\n- [{tick}] {} {} {}: {}",
            step.action.word(),
            code(&step.resource.kind.kind),
            code(&name),
            step.outcome.word()
        );
        for change in &step.changes {
            let _ = writeln!(report, "  - {}", write_markdown(change, is_sync));
        }
        let notice = step.outcome.notice().map(|notice| {
            let more = [&notice.cause, &notice.hint].into_iter().flatten();
            more.fold(notice.title.clone(), |text, more| format!("{text}. {more}"))
        });
        let skipped = match &step.outcome {
            StepOutcome::Skipped(why) => Some(why.clone()),
            _ => None,
        };
        let takes_over = Some(takes_over(step)).filter(|text| !text.is_empty());
        for sentence in [takes_over, step.note.clone(), notice, skipped].into_iter().flatten() {
            let _ = writeln!(report, "  - {}", code(&sentence));
        }
    }
    for sentence in &plan.will_not {
        let _ = writeln!(report, "\nwill not: {}", code(sentence));
    }
    for sentence in &plan.remarks {
        let _ = writeln!(report, "\n{}", code(sentence));
    }
    let _ = writeln!(report, "\nthe same from a shell: {}", code(&plan.headless));
    report
}

fn zone_name(state: &State) -> String {
    state.now.to_zoned(state.options.zone.clone()).strftime("%Z").to_string()
}
