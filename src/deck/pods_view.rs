//! Defines the screen of what runs: pods, events, and the last lines that containers printed. What it shows is its own, and
//! gone with it.

use super::cut;
use super::effect::Ticket;
use super::layer::Scroll;
use super::state::State;
use super::words;
use super::wrap::Words;
use crate::config::theme::Role;
use crate::model::running::{Log, Pod, TheirEvent};
use crate::model::{DeploymentId, Fetched, HealthStatus, ResourceId, Running};
use crate::text::{markdown as code, markdown_block};
use std::fmt::Write as _;

/// The screen.
#[derive(Debug, Clone, PartialEq)]
pub struct PodsView {
    pub deployment: DeploymentId,
    /// `None`: the whole app.
    pub resource: Option<ResourceId>,
    /// What is being asked for; `None`: nothing.
    pub ticket: Option<Ticket>,
    pub running: Fetched<Running>,
    pub scroll: Scroll,
}

impl PodsView {
    pub fn new(deployment: DeploymentId, resource: Option<ResourceId>, ticket: Ticket) -> Self {
        let running = Fetched::Loading { last: None };
        Self { deployment, resource, ticket: Some(ticket), running, scroll: Scroll::default() }
    }

    /// Names what it is about, such as `Deployment shop/web on prod-eu`.
    pub fn title(&self, state: &State) -> String {
        let of = match &self.resource {
            Some(id) => format!("{} {}", id.kind.kind, words::name(id)),
            None => self.deployment.app.name.clone(),
        };
        format!("Pods, events and last lines of {of} on {}", state.world.called(&self.deployment.cluster))
    }
}

/// Returns the lines of the screen.
pub fn lines(state: &State, view: &PodsView) -> Vec<Words> {
    let mut lines = Vec::new();
    if let Fetched::Failed { notice, .. } = &view.running {
        lines.push(vec![(format!(" {}", notice.title), Role::Error)]);
        let more = [&notice.cause, &notice.hint].into_iter().flatten();
        lines.extend(more.map(|words| vec![(format!(" {words}"), Role::Dim)]));
    }
    let Some(running) = view.running.value() else {
        if view.ticket.is_some() {
            lines.push(vec![(" asking the cluster".to_owned(), Role::Dim)]);
        }
        return lines;
    };
    let is_whole = view.ticket.is_none();
    push_pods(state, running, &mut lines);
    if !running.events.is_empty() || is_whole {
        lines.push(Vec::new());
        push_events(state, running, &mut lines);
    }
    for log in &running.logs {
        lines.push(Vec::new());
        push_log(log, &mut lines);
    }
    if !is_whole {
        lines.push(vec![(" asking for events and last lines".to_owned(), Role::Dim)]);
    }
    if !running.gaps.is_empty() {
        lines.push(Vec::new());
    }
    for gap in &running.gaps {
        lines.push(vec![(" not told: ".to_owned(), Role::Dim), (gap.clone(), Role::Warning)]);
    }
    lines
}

fn push_pods(state: &State, running: &Running, lines: &mut Vec<Words>) {
    if running.pods.is_empty() {
        let words = if running.gaps.is_empty() { " no pods" } else { " no pods, as far as they are told" };
        lines.push(vec![(words.to_owned(), Role::Dim)]);
        return;
    }
    let columns = Columns::of(state, &running.pods);
    lines.push(vec![(columns.row(["", "pods", "ready", "status", "restarts", "age", "node"]), Role::Title)]);
    for pod in &running.pods {
        let role = role(pod);
        let age = pod.created.map(|at| words::age(at, state.now, &state.options.zone)).unwrap_or_default();
        let row = columns.row([
            if pod.is_in_trouble() { "!" } else { "" },
            pod.id.name.as_deref().unwrap_or_default(),
            &format!("{}/{}", pod.ready, pod.containers),
            &pod.status,
            &pod.restarts.to_string(),
            &age,
            pod.node.as_deref().unwrap_or(words::ABSENT),
        ]);
        lines.push(vec![(row, role)]);
        if let Some(message) = pod.health.message.as_ref().filter(|_| pod.is_in_trouble()) {
            lines.push(vec![("     ".to_owned(), Role::Dim), (message.clone(), role)]);
        }
    }
}

/// The widths of the table of pods, in characters: names give way where there is not enough room, then the nodes go.
struct Columns {
    name: usize,
    status: usize,
    with_node: bool,
    cut: char,
}

impl Columns {
    fn of(state: &State, pods: &[Pod]) -> Self {
        let widest = |of: &dyn Fn(&Pod) -> Option<&str>, least: usize| {
            pods.iter().filter_map(of).map(cut::width).max().unwrap_or(0).max(least)
        };
        let name = widest(&|pod| pod.id.name.as_deref(), 4);
        let status = widest(&|pod| Some(&pod.status), 6);
        let node = widest(&|pod| pod.node.as_deref(), 4);
        let room = usize::from(state.layout().body.width);
        // The mark, the gaps, and the columns that are always as wide: ready, restarts, age.
        let others = 3 + 2 + 5 + 2 + status + 2 + 8 + 2 + 9 + 2;
        let with_node = name + others + 2 + node <= room;
        let name = name.min(room.saturating_sub(others)).max(8);
        Self { name, status, with_node, cut: super::marks::Glyphs::of(&state.options).cut }
    }

    fn row(&self, [mark, name, ready, status, restarts, age, node]: [&str; 7]) -> String {
        let name = cut::cut_middle(name, self.name, self.cut);
        let pad = " ".repeat(self.name.saturating_sub(cut::width(&name)));
        let node = if self.with_node { format!("  {node}") } else { String::new() };
        let width = self.status;
        format!(" {mark:<1} {name}{pad}  {ready:>5}  {status:<width$}  {restarts:>8}  {age:<9}{node}")
            .trim_end()
            .to_owned()
    }
}

fn role(pod: &Pod) -> Role {
    match pod.health.status {
        HealthStatus::Degraded => Role::Error,
        HealthStatus::Unknown | HealthStatus::Missing => Role::Warning,
        HealthStatus::Progressing => Role::Text,
        HealthStatus::Healthy | HealthStatus::Suspended => Role::Dim,
    }
}

fn push_events(state: &State, running: &Running, lines: &mut Vec<Words>) {
    if running.events.is_empty() {
        lines.push(vec![(" no events: clusters keep them for about an hour".to_owned(), Role::Dim)]);
        return;
    }
    lines.push(vec![(" events".to_owned(), Role::Title)]);
    for TheirEvent { about, event } in &running.events {
        let at = event.at.map(|at| words::when(at, state.now, &state.options.zone)).unwrap_or_default();
        let role = if event.warning { Role::Warning } else { Role::Text };
        let times = if event.count > 1 { format!(" ({} times)", event.count) } else { String::new() };
        lines.push(vec![
            (format!("   {at:<10} "), Role::Dim),
            (format!("{}  ", event.reason), role),
            (format!("{about}: "), Role::Dim),
            (format!("{}{times}", event.message), Role::Text),
            (format!("  {}", event.by), Role::Dim),
        ]);
    }
}

fn push_log(log: &Log, lines: &mut Vec<Words>) {
    let when = if log.previous { ", before it ended" } else { "" };
    lines.push(vec![
        (format!(" {} {}", log.pod, log.container), Role::Title),
        (format!("  last lines{when}"), Role::Dim),
    ]);
    match &log.lines {
        Ok(printed) if printed.is_empty() => {
            lines.push(vec![("   it printed nothing".to_owned(), Role::Dim)]);
        }
        Ok(printed) => {
            lines.extend(
                printed.iter().map(|line| vec![("   ".to_owned(), Role::Dim), (line.clone(), Role::Text)]),
            );
        }
        Err(why) => lines.push(vec![("   not told: ".to_owned(), Role::Dim), (why.clone(), Role::Warning)]),
    }
}

/// Returns what is shown as Markdown, for the incident channel.
pub fn markdown(state: &State, view: &PodsView) -> Option<String> {
    let running = view.running.value()?;
    let zone = &state.options.zone;
    let mut report = format!("{}, at {}\n\n", code(&view.title(state)), words::clock(state.now, zone));
    for pod in &running.pods {
        let name = pod.id.name.as_deref().unwrap_or_default();
        let message = pod.health.message.as_ref().map(|m| format!(": {}", code(m))).unwrap_or_default();
        let _ = writeln!(
            report,
            "- {} {}/{} ready, {}, {}{message}",
            code(name),
            pod.ready,
            pod.containers,
            code(&pod.status),
            words::count(usize::try_from(pod.restarts).unwrap_or(usize::MAX), "restart")
        );
    }
    for TheirEvent { about, event } in &running.events {
        let at = event.at.map(|at| words::when(at, state.now, zone)).unwrap_or_default();
        let _ = writeln!(report, "- {at} {} {}: {}", code(about), code(&event.reason), code(&event.message));
    }
    for log in &running.logs {
        let when = if log.previous { ", before it ended" } else { "" };
        let _ = writeln!(report, "\n{} {}{when}:\n", code(&log.pod), code(&log.container));
        match &log.lines {
            Ok(printed) => report.push_str(&markdown_block("", &printed.join("\n"))),
            Err(why) => {
                let _ = writeln!(report, "not told: {}", code(why));
            }
        }
    }
    for gap in &running.gaps {
        let _ = writeln!(report, "\nnot told: {}", code(gap));
    }
    Some(report)
}
