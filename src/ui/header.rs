//! Draws the first line of every screen: where one is and as whom, how far the checkout is from its upstream, and counts.
//!
//! How a cluster is reached, the guard and the distance are never cut, at any width: names give way to them.

use super::frame::spinner;
use super::pen::{Cut, Pen, after, first};
use crate::config::theme::Role;
use crate::deck::layer::Layer;
use crate::deck::world::AppCounts;
use crate::deck::{Column, Rect, State, marks, words};
use crate::model::Revision;
use crate::model::status::{ClusterState, ClusterStatus, RepoStatus};

/// Draws the header.
pub(super) fn draw(pen: &mut Pen, state: &State, at: Rect) {
    let at = after(at, 1);
    if state.layout().wide { wide(pen, state, at) } else { narrow(pen, state, at) }
}

/// Cluster and guard: the name of the one at hand, or how many there are and how many of them are guarded.
struct Where {
    name: String,
    cut: Cut,
    role: Role,
    /// That what is shown of it is not of now; empty where it is.
    silence: &'static str,
    guard: String,
}

fn place(state: &State) -> Where {
    let badge = |word: &str| format!(" {word} ");
    if let Some(cluster) = state.cluster() {
        let guard = guard(state, cluster).map(badge).unwrap_or_default();
        let (name, silence) = (cluster.name.clone(), silence(cluster));
        return Where { name, cut: Cut::Middle, role: cluster_role(cluster), silence, guard };
    }
    let clusters = &state.world.clusters;
    let protected = clusters.iter().filter(|c| c.protected).count();
    let read_only = state.options.read_only || clusters.iter().all(|c| c.read_only);
    let (name, guard) = match clusters.len() {
        0 if state.world.settled => ("no cluster".to_owned(), String::new()),
        0 => ("connecting".to_owned(), String::new()),
        n if read_only => (words::count(n, "cluster"), badge("READ-ONLY")),
        n if protected > 0 => (words::count(n, "cluster"), badge(&format!("{protected} PROTECTED"))),
        n => (words::count(n, "cluster"), String::new()),
    };
    Where { name, cut: Cut::End, role: Role::Text, silence: "", guard }
}

/// Returns the word that says that a cluster does not answer now.
fn silence(cluster: &ClusterStatus) -> &'static str {
    match cluster.state {
        ClusterState::Live | ClusterState::Connecting => "",
        ClusterState::Stale { .. } => "stale",
        ClusterState::Denied { .. } => "denied",
        ClusterState::Unreachable { .. } => "no answer",
    }
}

/// Returns the word that says what may not be done to a cluster just so.
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

/// How far the checkout at hand is from its upstream and from what is committed, in words and in a few cells.
fn distance(pen: &Pen, state: &State) -> (String, String) {
    let revision = state.repo().and_then(|repo| repo.revision.as_ref());
    let words = revision.and_then(Revision::distance).unwrap_or_default();
    let short = revision.and_then(|revision| words::distance_short(revision, pen.glyphs.distance));
    (words, short.unwrap_or_default())
}

/// Repo and revision on the left; counts, distance, guard and cluster on the right.
fn wide(pen: &mut Pen, state: &State, at: Rect) {
    let place = place(state);
    let name = format!(" {} ", place.name);
    let mut used = pen.put_right(last_third(at), &name, place.role, place.cut);
    if !place.silence.is_empty() {
        used += pen.put_right(but(at, used), &format!(" {}", place.silence), place.role, Cut::End);
    }
    used += pen.put_right(but(at, used), &place.guard, Role::Guard, Cut::End);
    let (words, short) = distance(pen, state);
    let repo = state.repo();
    let named = repo.map(revision_words).unwrap_or_default();
    let dot = format!(" {} ", pen.glyphs.dot);
    let brand = "driftdeck   ";
    let (parts, counted) = counts(pen, state);
    let gap = 2;
    let wanted = [brand, &named, &dot, &words].iter().map(|text| pen.width(text)).sum::<u16>();
    let fits = wanted + 3 + counted + gap + used <= at.width;
    if !fits && !short.is_empty() {
        used += pen.put_right(but(at, used), &format!("{short} "), Role::Warning, Cut::End);
    }
    used += gap;
    let right = but(at, used);
    let counts = Rect { x: right.x + right.width.saturating_sub(counted), width: counted, ..right };
    pen.put_all(first(counts, right.width), parts.iter().map(|(text, role)| (text.as_str(), *role)));
    let room = but(right, counted + 3);
    let mut used = pen.put(room, brand, Role::Title);
    let Some(repo) = repo else {
        pen.put(after(room, used), &state.options.opening, Role::Dim);
        return;
    };
    used += pen.put(after(room, used), &named, Role::Text);
    if fits && !words.is_empty() {
        used += pen.put(after(room, used), &dot, Role::Dim);
        used += pen.put(after(room, used), &words, Role::Warning);
    }
    if let Some(notice) = &repo.notice {
        pen.put(after(room, used + 2), &notice.title, Role::Error);
    }
}

/// Cluster, guard, distance and app, always on top where there is room for one column only; counts on the right.
fn narrow(pen: &mut Pen, state: &State, at: Rect) {
    let place = place(state);
    let cell = state.layers.iter().rev().find_map(Layer::cell).map(|(app, _)| app);
    let app = cell.or_else(|| state.deployment().map(|d| &d.app)).or_else(|| state.selected_app());
    let app = app.filter(|_| state.focus != Column::Repos || !state.layers.is_empty());
    let last = match (app, state.repo()) {
        (Some(app), _) => app.name.clone(),
        (None, Some(repo)) => revision_words(repo),
        (None, None) => state.options.opening.clone(),
    };
    let (words, short) = distance(pen, state);
    let (parts, counted) = counts(pen, state);
    let arrow = format!("{} ", pen.glyphs.cursor);
    let spaced = |text: &str, pen: &Pen| if text.is_empty() { 0 } else { pen.width(text) + 1 };
    let guarded = spaced(place.silence, pen) + spaced(&place.guard, pen);
    let names = (pen.width(&place.name) + 1, pen.width(&arrow) + pen.width(&last));
    let total = names.0 + guarded + spaced(&words, pen) + names.1 + counted + 2;
    let distance = if total <= at.width { words } else { short };
    let fixed = guarded + spaced(&distance, pen);
    // Where not even that leaves room for a name, the counts go.
    let counted = if fixed + counted + 2 + 4 <= at.width { counted } else { 0 };
    let left = but(at, if counted > 0 { counted + 2 } else { 0 });
    let room = left.width.saturating_sub(fixed + 1);
    let name_width = (room / 2).max(room.saturating_sub(names.1));
    let mut used = pen.put_cut(first(left, name_width), &place.name, place.role, place.cut) + 1;
    let fixed = [
        (place.silence, place.role),
        (place.guard.as_str(), Role::Guard),
        (distance.as_str(), Role::Warning),
    ];
    for (text, role) in fixed {
        if !text.is_empty() {
            used += pen.put(after(left, used), text, role) + 1;
        }
    }
    let rest = after(left, used);
    if rest.width > pen.width(&arrow) {
        let used = pen.put(rest, &arrow, Role::Dim);
        pen.put_cut(after(rest, used), &last, Role::Title, Cut::Middle);
    }
    let counts = Rect { x: at.x + at.width - counted, width: counted, ..at };
    pen.put_all(counts, parts.iter().map(|(text, role)| (text.as_str(), *role)));
}

fn revision_words(repo: &RepoStatus) -> String {
    let revision = repo.revision.as_ref().map(Revision::marked).unwrap_or_default();
    format!("{} {revision}", repo.name)
}

/// Returns the counts with the cells that they take.
fn counts(pen: &Pen, state: &State) -> (Vec<(String, Role)>, u16) {
    let AppCounts { drifted, unknown, degraded } = state.world.app_counts();
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
        (degraded, format!("{degraded} degraded"), Role::Error),
        (new, format!("{new} new"), Role::New),
    ] {
        let glyph = match role {
            Role::Drift => mark("drifted"),
            Role::Warning => mark("unknown"),
            _ => pen.glyphs.new,
        };
        // In a few cells there is no mark for it; the rows say it.
        if n > 0 && !(short && role == Role::Error) {
            push(if short { format!("{glyph}{n}") } else { text }, role);
        }
    }
    if let Some(run) = &state.exact {
        let far = run.total.map(|total| format!(" {}/{total}", run.done)).unwrap_or_default();
        push(format!("{} exact{far}", spinner(pen, state)), Role::Dim);
    }
    if !state.world.settled {
        push(format!("{} reading", spinner(pen, state)), Role::Dim);
    } else if drifted == 0 && unknown == 0 && !state.world.deployments.is_empty() {
        push("all in sync".to_owned(), Role::Dim);
    }
    let width = parts.iter().map(|(text, _)| pen.width(text)).sum();
    (parts, width)
}

/// Returns a place without so many cells at its right end.
fn but(at: Rect, cells: u16) -> Rect {
    first(at, at.width.saturating_sub(cells))
}

/// Returns the part of a place that a name at its right end may take.
fn last_third(at: Rect) -> Rect {
    after(at, at.width - at.width / 3)
}
