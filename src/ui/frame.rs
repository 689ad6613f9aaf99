//! Draws what every screen carries: the header (where and as whom), the status line, and the line of keys.

use super::pen::{Cut, Pen, after};
use crate::config::theme::Role;
use crate::deck::layer::Layer;
use crate::deck::{Column, Rect, State, marks, reading, words};
use crate::model::Level;
use crate::model::command::Command;
use crate::model::status::{ClusterState, ClusterStatus};

/// Draws repo and revision on the left; counts and the cluster on the right. The cluster and its guard are never cut.
pub(super) fn header(pen: &mut Pen, state: &State, at: Rect) {
    if state.layout().wide {
        let left = after(at, 1);
        let right = cluster(pen, state, left) + 2;
        let counts = counts(pen, state, Rect { width: left.width.saturating_sub(right), ..left }) + 3;
        let room = Rect { width: left.width.saturating_sub(right + counts), ..left };
        let used = pen.put_all(room, [("driftdeck", Role::Title), ("   ", Role::Text)]);
        repo(pen, state, after(room, used));
    } else {
        let room = after(at, 1);
        let counts = counts(pen, state, room) + 2;
        breadcrumb(pen, state, Rect { width: room.width.saturating_sub(counts), ..room });
    }
}

fn repo(pen: &mut Pen, state: &State, at: Rect) {
    let Some(repo) = state.repo() else {
        pen.put(at, &state.options.opening, Role::Dim);
        return;
    };
    let mut used = pen.put_all(at, [(repo.name.as_str(), Role::Text), (" ", Role::Text)]);
    if let Some(revision) = &repo.revision {
        used += pen.put(after(at, used), &revision.marked(), Role::Text);
        if let Some(distance) = revision.distance() {
            let dot = format!(" {} ", pen.glyphs.dot);
            used += pen.put(after(at, used), &dot, Role::Dim);
            used += pen.put(after(at, used), &distance, Role::Warning);
        }
    }
    if let Some(notice) = &repo.notice {
        used += pen.put(after(at, used), "  ", Role::Text);
        pen.put(after(at, used), &notice.title, Role::Error);
    }
}

/// Draws the cluster with its guard at the right end, and returns the cells it took.
fn cluster(pen: &mut Pen, state: &State, at: Rect) -> u16 {
    let Some(cluster) = state.cluster() else {
        let text = clusters_words(state);
        return pen.put_right(at, &format!("{text} "), Role::Text, Cut::End);
    };
    let name = format!(" {} ", cluster.context);
    let used = pen.put_right(at, &name, cluster_role(cluster), Cut::Middle);
    let room = Rect { width: at.width.saturating_sub(used), ..at };
    used + guard(state, cluster)
        .map_or(0, |word| pen.put_right(room, &format!(" {word} "), Role::Guard, Cut::End))
}

fn clusters_words(state: &State) -> String {
    let protected = state.world.clusters.iter().filter(|c| c.protected).count();
    let read_only = state.options.read_only || state.world.clusters.iter().all(|c| c.read_only);
    match state.world.clusters.len() {
        0 => "no cluster".to_owned(),
        n if read_only => format!("READ-ONLY {}", words::count(n, "cluster")),
        n if protected > 0 => format!("{}, {protected} PROTECTED", words::count(n, "cluster")),
        n => words::count(n, "cluster"),
    }
}

pub(super) fn guard(state: &State, cluster: &ClusterStatus) -> Option<&'static str> {
    if state.options.read_only || cluster.read_only {
        Some("READ-ONLY")
    } else {
        cluster.protected.then_some("PROTECTED")
    }
}

/// A cluster that does not answer is coloured as such, wherever its name stands.
pub(super) fn cluster_role(cluster: &ClusterStatus) -> Role {
    match cluster.state {
        ClusterState::Live => Role::Text,
        ClusterState::Connecting => Role::Dim,
        ClusterState::Stale { .. } => Role::Warning,
        ClusterState::Denied { .. } | ClusterState::Unreachable { .. } => Role::Error,
    }
}

/// Draws the counts at the right end, and returns the cells they took.
fn counts(pen: &mut Pen, state: &State, at: Rect) -> u16 {
    let (drifted, unknown) = state.world.app_counts();
    let gap = if state.layout().wide { "   " } else { "  " };
    let mut parts: Vec<(String, Role)> = Vec::new();
    let mut push = |text: String, role: Role| {
        if !parts.is_empty() {
            parts.push((gap.to_owned(), Role::Text));
        }
        parts.push((text, role));
    };
    let new = state.unseen.count();
    let short = state.size.width < 70;
    let mark = |word: &str| marks::verdict_word(word, &state.options);
    for (n, text, role) in [
        (drifted, format!("{} drifted", words::count(drifted, "app")), Role::Drift),
        (unknown, format!("{unknown} unknown"), Role::Warning),
        (new, format!("{new} new"), Role::New),
    ] {
        let glyph = match role {
            Role::Drift => mark("drifted"),
            Role::Warning => mark("unknown"),
            _ => pen.glyphs.new,
        };
        if n > 0 {
            push(if short { format!("{glyph}{n}") } else { text }, role);
        }
    }
    if !state.world.settled {
        push(format!("{} reading", spinner(pen, state)), Role::Dim);
    } else if drifted == 0 && unknown == 0 && !state.world.deployments.is_empty() {
        push("all in sync".to_owned(), Role::Dim);
    }
    let total: u16 = parts.iter().map(|(text, _)| pen.width(text)).sum();
    let place = Rect { x: at.x + at.width.saturating_sub(total), width: total.min(at.width), ..at };
    pen.put_all(place, parts.iter().map(|(text, role)| (text.as_str(), *role)))
}

/// Returns the spinner's picture of this moment.
pub(super) fn spinner(pen: &Pen, state: &State) -> &'static str {
    let at = usize::try_from(state.now.as_millisecond() / 120).unwrap_or(0) % pen.glyphs.spinner.len();
    pen.glyphs.spinner.get(at).copied().unwrap_or("")
}

/// Draws cluster and app, always on top where there is room for one column only.
fn breadcrumb(pen: &mut Pen, state: &State, at: Rect) {
    let mut used = 0;
    if let Some(cluster) = state.cluster() {
        // The guard is never cut: the name gives way to it.
        let guard = guard(state, cluster).map(|word| format!(" {word} ")).unwrap_or_default();
        let most = Rect { width: (at.width / 2).min(at.width.saturating_sub(pen.width(&guard) + 1)), ..at };
        used += pen.put_cut(most, &cluster.context, cluster_role(cluster), Cut::Middle);
        used += pen.put(after(at, used), " ", Role::Text);
        used += pen.put(after(at, used), &guard, Role::Guard);
        used += pen.put(after(at, used), if guard.is_empty() { "" } else { " " }, Role::Text);
    } else {
        used += pen.put(at, &clusters_words(state), Role::Text);
        used += pen.put(after(at, used), " ", Role::Text);
    }
    let app = state.deployment().map(|d| &d.app).or_else(|| state.selected_app());
    if let Some(app) = app.filter(|_| state.focus != Column::Repos || !state.layers.is_empty()) {
        let arrow = format!("{} ", pen.glyphs.cursor);
        used += pen.put(after(at, used), &arrow, Role::Dim);
        pen.put_cut(after(at, used), &app.name, Role::Title, Cut::Middle);
    } else {
        repo(pen, state, after(at, used));
    }
}

/// Draws what was said last, or the prompt of a filter; on the right what waits.
pub(super) fn status(pen: &mut Pen, state: &State, at: Rect) {
    if at.height == 0 {
        return;
    }
    let room = after(at, 1);
    let right = waiting(pen, state, room);
    let room = Rect { width: room.width.saturating_sub(right + 1), ..room };
    if let Some(Layer::Search(search)) = state.layers.last() {
        let used = pen.put_all(room, [("/", Role::Accent), (search.text.as_str(), Role::Text)]);
        pen.cursor = Some((room.x + used, room.y));
        return;
    }
    if let Some(said) = &state.said {
        let role = match said.level {
            Level::Error => Role::Error,
            Level::Warning => Role::Warning,
            Level::Info => Role::Text,
        };
        pen.put(room, &said.text, role);
        return;
    }
    let filter = match state.focus {
        Column::Repos => state.repos.filter.as_ref(),
        Column::Apps => state.apps.filter.as_ref(),
        Column::Clusters => state.clusters.filter.as_ref(),
        Column::Drift => state.drift.filter.as_ref(),
    };
    if let Some(filter) = filter.filter(|_| state.layers.is_empty()) {
        let title = state.focus.title();
        pen.put_all(room, [(title, Role::Text), (" filtered by ", Role::Dim), (filter, Role::Match)]);
    }
}

fn waiting(pen: &mut Pen, state: &State, at: Rect) -> u16 {
    let mut parts = Vec::new();
    if state.apps.waits() || state.clusters.waits() || state.drift.waits() {
        parts.push("sorting waits".to_owned());
    }
    if state.faults_only {
        parts.push("faults only".to_owned());
    }
    if !state.ticks.is_empty() {
        parts.push(format!("{} ticked", state.ticks.len()));
    }
    if state.unread > 0 {
        let key = state.options.keymap.key(Command::Notices).map(|k| format!("{k} ")).unwrap_or_default();
        parts.push(format!("{key}{}", words::count(state.unread, "notice")));
    }
    parts.push(format!("times in {}", state.now.to_zoned(state.options.zone.clone()).strftime("%Z")));
    let gap = format!(" {} ", pen.glyphs.dot);
    let role = if state.unread > 0 { Role::Warning } else { Role::Dim };
    pen.put_right(Rect { width: at.width.saturating_sub(1), ..at }, &parts.join(&gap), role, Cut::End) + 1
}

/// Draws the keys of where the person is, as many as fit; help is always the last.
pub(super) fn footer(pen: &mut Pen, state: &State, at: Rect) {
    let gap = if at.width >= 100 { 3 } else { 2 };
    let mut room = after(at, 1);
    if let Some(help) = state.options.keymap.key(Command::Help) {
        let (key, word) = (help.to_string(), " help ");
        let width = pen.width(&key) + 6;
        let place =
            Rect { x: room.x + room.width.saturating_sub(width), width: width.min(room.width), ..room };
        pen.put_all(place, [(key.as_str(), Role::Accent), (word, Role::Text)]);
        room.width = room.width.saturating_sub(width + gap);
    }
    for (key, word) in reading::footer(state) {
        let width = pen.width(&key) + 1 + pen.width(word);
        if width > room.width {
            break;
        }
        pen.put_all(room, [(key.as_str(), Role::Accent), (" ", Role::Text), (word, Role::Text)]);
        room = after(room, width + gap);
    }
}
