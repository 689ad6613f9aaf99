//! Draws the three columns: repos, apps, clusters.

use super::cursor_row;
use super::frame::spinner;
use super::header::{cluster_role, guard};
use super::pen::{Cut, Pen, after, first};
use crate::config::theme::Role;
use crate::deck::list::{List, Row};
use crate::deck::state::Choice;
use crate::deck::world::Standing;
use crate::deck::{Column, Rect, ResourceKey, State, marks, words};
use crate::model::status::{ClusterState, ClusterStatus, Fetching};
use crate::model::{AppId, HealthStatus, Revision, Verdict};

/// Draws a column's title and rule, and returns the place of its rows without the rule on the right.
fn column_frame(pen: &mut Pen, state: &State, column: Column, at: Rect, more: &str) -> Rect {
    let focused = state.focus == column && state.layers.is_empty();
    pen.rule(at.top(1));
    let role = if focused { Role::Accent } else { Role::Title };
    let title = at.top(1);
    let mut used = 0;
    if state.layout().wide {
        used += pen.put_all(title, [(" ", Role::Text), (column.title(), role)]);
    } else {
        used += tabs(pen, state, title);
    }
    if !more.is_empty() {
        used += pen.put(after(title, used), &format!(" {} {more}", pen.glyphs.dot), Role::Dim);
    }
    pen.put(after(title, used), " ", Role::Text);
    let rows = at.below(1);
    // The last column has nothing to its right that it must be told apart from.
    if !state.layout().wide || column == Column::Clusters {
        return rows;
    }
    let edge = at.width.saturating_sub(1);
    let tee = pen.glyphs.tee;
    pen.put(after(title, edge), tee, Role::Rule);
    let bar = pen.glyphs.bar;
    for line in 0..rows.height {
        pen.put(after(rows.row(line), edge), bar, Role::Rule);
    }
    first(rows, edge)
}

/// Draws what is seen of a list, each row with the function given, and marks the one under the cursor.
fn rows<K: Row>(
    pen: &mut Pen,
    state: &State,
    column: Column,
    at: Rect,
    list: &List<K>,
    mut draw: impl FnMut(&mut Pen, Rect, &K),
) {
    let focused = state.focus == column && state.layers.is_empty();
    for line in 0..at.height {
        let Some(row) = list.row_at_line(line.into()) else { continue };
        let Some(key) = list.rows().get(row) else { continue };
        let place = at.row(line);
        draw(pen, place, key);
        if row == list.cursor() {
            cursor_row(pen, place, focused);
            let cursor = pen.glyphs.cursor;
            pen.put(first(after(place, 1), 1), cursor, Role::Accent);
        }
    }
}

/// Draws the names of all columns where only one is seen at a time, with the keys that lead to them.
fn tabs(pen: &mut Pen, state: &State, at: Rect) -> u16 {
    let arrow = format!(" {} ", pen.glyphs.arrow);
    let sides = [(" desired", Role::Desired), (arrow.as_str(), Role::Dim), ("live ", Role::Live)];
    let width: u16 = sides.iter().map(|(text, _)| pen.width(text)).sum();
    let titles: u16 = Column::ALL.iter().map(|column| pen.width(column.title()) + 4).sum();
    let mut used = 0;
    for (i, column) in Column::ALL.iter().enumerate() {
        let here = state.focus == *column;
        let role = if here { Role::Accent } else { Role::Dim };
        let key = format!(" {} ", i + 1);
        used += pen.put(after(at, used), &key, Role::Dim);
        // The names of the others give way to which side is which.
        if here || titles + width < at.width {
            used += pen.put_all(after(at, used), [(column.title(), role), (" ", Role::Text)]);
        }
    }
    pen.put_all(after(at, at.width.saturating_sub(width).max(used)), sides);
    used
}

fn empty(pen: &mut Pen, at: Rect, text: &str) {
    pen.put(after(at.row(0), 3), text, Role::Dim);
}

pub(super) fn repos(pen: &mut Pen, state: &State, at: Rect) {
    let at = column_frame(pen, state, Column::Repos, at, "");
    if state.world.repos.is_empty() {
        let text = if state.world.settled { "no repo" } else { "looking for repos" };
        return empty(pen, at, text);
    }
    rows(pen, state, Column::Repos, at, &state.repos, |pen, place, choice| {
        let place = after(place, 3);
        let Choice::One(id) = choice else {
            let all = format!("all {}", words::count(state.world.repos.len(), "repo"));
            pen.put(place, &all, Role::Text);
            return;
        };
        let Some(repo) = state.world.repo(id) else { return };
        let zone = &state.options.zone;
        let age = repo.fetched.or(repo.authored).map(|t| words::age(t, state.now, zone)).unwrap_or_default();
        let age_width = 9.min(place.width / 5);
        let right =
            Rect { x: place.x + place.width.saturating_sub(age_width + 1), width: age_width, ..place };
        if let Some(notice) = &repo.notice {
            let used = pen.put_cut(first(place, place.width / 2), &repo.name, Role::Text, Cut::Middle);
            pen.put(after(place, used + 2), &notice.title, Role::Error);
            return;
        }
        let state = match repo.fetching {
            Some(Fetching { percent: Some(percent) }) => format!("{percent}%"),
            Some(Fetching { percent: None }) => "fetch".to_owned(),
            None => age,
        };
        pen.put_right(right, &state, Role::Dim, Cut::End);
        let room = Rect { width: place.width.saturating_sub(age_width + 2), ..place };
        let revision = repo.revision.as_ref().map(Revision::marked).unwrap_or_default();
        let distance = repo.revision.as_ref().is_some_and(|r| r.behind > 0 || r.ahead > 0 || r.dirty);
        let role = if distance { Role::Warning } else { Role::Dim };
        let used = pen.put_right(room, &revision, role, Cut::Middle) + 1;
        pen.put_cut(
            Rect { width: room.width.saturating_sub(used), ..room },
            &repo.name,
            Role::Text,
            Cut::Middle,
        );
    });
}

pub(super) fn apps(pen: &mut Pen, state: &State, at: Rect) {
    let more = match state.selected_cluster() {
        Some(cluster) if state.world.clusters.len() > 1 => format!("on {}", state.world.called(cluster)),
        _ => String::new(),
    };
    let at = column_frame(pen, state, Column::Apps, at, &more);
    if state.apps.rows().is_empty() {
        let text = match (state.world.settled, state.apps.filter.is_some(), state.faults_only) {
            (_, true, _) => "no app matches",
            (true, _, true) => "nothing needs you",
            (true, ..) => "no app",
            (false, ..) => "looking for apps",
        };
        return empty(pen, at, text);
    }
    rows(pen, state, Column::Apps, at, &state.apps, |pen, place, id| app(pen, state, place, id));
}

fn app(pen: &mut Pen, state: &State, place: Rect, id: &AppId) {
    let Some(status) = state.world.app(id) else { return };
    let standing = state.world.standing(id, state.selected_cluster());
    let here = |key: &ResourceKey| {
        key.deployment.app == *id && state.selected_cluster().is_none_or(|c| key.deployment.cluster == *c)
    };
    if state.unseen.resources().any(|key| here(key)) {
        let new = pen.glyphs.new;
        pen.put(place, new, Role::New);
    }
    let mark_width = marks::width(&state.options);
    let place = after(place, 2);
    let (text, role) = standing_words(state, id, standing.as_ref());
    let quiet = matches!(role, Role::Dim);
    if let Some(standing) = &standing {
        let mark = marks::verdict(standing.marked(), &state.options);
        pen.put(first(place, mark_width), mark, mark_role(standing.marked()));
    } else {
        let turning = if state.world.settled { " " } else { spinner(pen, state) };
        pen.put(first(place, 1), turning, Role::Dim);
    }
    let place = after(place, mark_width + 1);
    let engine_width: u16 = 10;
    let longest = state.apps.rows().iter().map(|id| pen.width(&id.name)).max().unwrap_or(0);
    // Names have what they need, as long as the standing keeps its place.
    let detail_width = 14.min(place.width / 2);
    let name_width = place.width.saturating_sub(detail_width + engine_width + 1).min(longest.max(10));
    let name_role = if quiet { Role::Dim } else { Role::Text };
    pen.put_cut(first(place, name_width), &id.name, name_role, Cut::Middle);
    let engine = state.world.deployments_of(id).next().map_or(status.app.engine, |d| d.engine);
    let at = after(place, name_width + 1);
    let at = first(at, at.width.saturating_sub(1));
    let health = standing.as_ref().map_or(("", Role::Dim), health_words);
    let beside = pen.width(&text) + pen.width(health.0);
    // How an app is goes before what deploys it.
    let at = if health.0.is_empty() || engine_width + beside <= at.width {
        pen.put(first(at, engine_width - 1), words::engine(engine, &status.app.spec), Role::Dim);
        after(at, engine_width)
    } else {
        at
    };
    let used = pen.put(at, &text, role);
    if used + pen.width(health.0) <= at.width || health.1 == Role::Error {
        pen.put(after(at, used), health.0, health.1);
    }
}

/// Returns what stands beside an app's standing: how its worst object is, where that is not well.
fn health_words(standing: &Standing) -> (&'static str, Role) {
    match standing.health {
        HealthStatus::Degraded => (", Degraded", Role::Error),
        HealthStatus::Progressing => (", Progressing", Role::Warning),
        _ => ("", Role::Dim),
    }
}

fn standing_words(state: &State, id: &AppId, standing: Option<&Standing>) -> (String, Role) {
    let Some(standing) = standing else {
        let connecting = state.world.awaited(id, state.selected_cluster()).next().is_some();
        let text = match (connecting, state.world.settled) {
            (true, _) => "connecting",
            (false, true) => "no cluster",
            (false, false) => "",
        };
        return (text.to_owned(), Role::Dim);
    };
    match &standing.verdict {
        Verdict::InSync if standing.counts.terminating > 0 => {
            (format!("{} terminating", standing.counts.terminating), Role::Warning)
        }
        Verdict::InSync => (format!("{} in sync", standing.counts.in_sync), Role::Dim),
        Verdict::Excluded(why) => (why.0.trim_end_matches(" here").to_owned(), Role::Dim),
        Verdict::Unknown(why) => (why.0.clone(), Role::Warning),
        _ if standing.counts.drifting() > 0 => {
            (words::count(standing.counts.drifting(), "resource"), Role::Drift)
        }
        other => (other.word().to_owned(), Role::Drift),
    }
}

/// Returns the role of a verdict's mark: only what needs a person has colour and weight.
pub(super) fn mark_role(verdict: &Verdict) -> Role {
    match verdict {
        Verdict::InSync | Verdict::Excluded(_) => Role::Dim,
        Verdict::Unknown(_) | Verdict::Terminating => Role::Warning,
        Verdict::Invalid => Role::Error,
        Verdict::Drifted | Verdict::Missing | Verdict::Extra => Role::Drift,
    }
}

pub(super) fn clusters(pen: &mut Pen, state: &State, at: Rect) {
    let at = column_frame(pen, state, Column::Clusters, at, "");
    if state.world.clusters.is_empty() {
        let text = if state.world.settled { "no cluster" } else { "connecting" };
        return empty(pen, at, text);
    }
    let longest = state.world.clusters.iter().map(|c| pen.width(&c.name)).max().unwrap_or(0);
    rows(pen, state, Column::Clusters, at, &state.clusters, |pen, place, choice| match choice {
        Choice::All => {
            let all = format!("all {}", words::count(state.world.clusters.len(), "cluster"));
            pen.put(after(place, 3 + marks::width(&state.options)), &all, Role::Text);
        }
        Choice::One(id) => {
            if let Some(cluster) = state.world.cluster(id) {
                self::cluster(pen, state, place, cluster, longest);
            }
        }
    });
}

fn cluster(pen: &mut Pen, state: &State, place: Rect, cluster: &ClusterStatus, longest: u16) {
    let standing = state.selected_app().and_then(|app| state.world.standing(app, Some(&cluster.id)));
    if state.unseen.resources().any(|key| key.deployment.cluster == cluster.id) {
        let new = pen.glyphs.new;
        pen.put(place, new, Role::New);
    }
    let mark_width = marks::width(&state.options);
    let place = after(place, 2);
    if let Some(standing) = &standing {
        pen.put(
            first(place, mark_width),
            marks::verdict(standing.marked(), &state.options),
            mark_role(standing.marked()),
        );
    }
    let place = after(place, mark_width + 1);
    let name_width = longest.min(place.width * 2 / 5);
    pen.put_cut(first(place, name_width), &cluster.name, Role::Text, Cut::Middle);
    let mut at = after(place, name_width + 2);
    let live = cluster.state == ClusterState::Live;
    // What is wrong has the room of the version.
    if live || cluster.state == ClusterState::Connecting {
        let version = cluster.version.as_deref().unwrap_or("");
        pen.put(first(at, 5), version, Role::Dim);
        at = after(at, 6);
    }
    // As whom, and the guard, stand at the end; what the state says has the rest.
    let mut room = Rect { width: at.width.saturating_sub(1), ..at };
    if let Some(word) = guard(state, cluster)
        && room.width > 15
    {
        let used = pen.put_right(room, word, Role::Warning, Cut::End) + 1;
        room.width = room.width.saturating_sub(used);
    }
    // As whom matters where one can act.
    if let Some(user) = cluster.user.as_deref().filter(|_| live && room.width > 14) {
        let most = room.width.saturating_sub(8);
        let place = Rect { x: room.x + room.width - most, width: most, ..room };
        let used = pen.put_right(place, &format!("as {user}"), Role::Dim, Cut::Middle) + 1;
        room.width = room.width.saturating_sub(used);
    }
    let mut states = words::cluster_states(&cluster.state, state.now, &state.options.zone);
    let fits = states.iter().position(|words| pen.width(words) <= room.width);
    let state_words = states.swap_remove(fits.unwrap_or(states.len() - 1));
    let role = cluster_role(cluster);
    let role = if role == Role::Text { Role::Dim } else { role };
    pen.put(room, &state_words, role);
}
