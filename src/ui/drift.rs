//! Draws the drift of what is selected: resources with their changes, desired to live.

use super::columns::mark_role;
use super::cursor_row;
use super::header::cluster_role;
use super::pen::{Cut, Pen, after, first};
use crate::config::theme::Role;
use crate::deck::state::DriftRow;
use crate::deck::{Column, Rect, ResourceKey, State, marks, words};
use crate::model::status::{ClusterState, ClusterStatus, ResourceStatus};
use crate::model::{AppId, Automation, DeploymentId, Fetched, FieldChange, FieldPath, Verdict};

pub(super) fn draw(pen: &mut Pen, state: &State, at: Rect) {
    title(pen, state, at.top(1));
    let rows = at.below(1);
    let focused = state.focus == Column::Drift && state.layers.is_empty();
    if state.drift.rows().is_empty() {
        nothing(pen, state, rows);
    }
    for line in 0..rows.height {
        let Some(at) = state.drift.row_at_line(line.into()) else { continue };
        let Some(row) = state.drift.rows().get(at) else { continue };
        let place = rows.row(line);
        draw_row(pen, state, place, row);
        if at == state.drift.cursor() {
            cursor_row(pen, place, focused);
            if focused {
                let cursor = pen.glyphs.cursor;
                pen.put(first(after(place, 1), 1), cursor, Role::Accent);
            }
        }
    }
}

/// Says why nothing is listed: of each cluster that has never let the app be compared, how it is reached.
fn nothing(pen: &mut Pen, state: &State, rows: Rect) {
    if let Some(app) = state.selected_app().filter(|_| state.drift.filter.is_none()) {
        let mut line = 0;
        for cluster in state.world.awaited(app, state.selected_cluster()) {
            let place = after(rows.row(line), 3);
            let head = format!("{} on {}: ", app.name, cluster.name);
            let mut states = words::cluster_states(&cluster.state, state.now, &state.options.zone);
            let room = place.width.saturating_sub(pen.width(&head) + 1);
            let fits = states.iter().position(|words| pen.width(words) <= room);
            let text = states.swap_remove(fits.unwrap_or(states.len() - 1));
            let used = pen.put(place, &head, Role::Dim);
            pen.put(after(place, used), &text, cluster_role(cluster));
            line += 1;
        }
        if line > 0 {
            return;
        }
    }
    pen.put(after(rows.row(0), 3), &why_nothing(state), Role::Dim);
}

fn why_nothing(state: &State) -> String {
    match state.selected_app() {
        Some(_) if state.drift.filter.is_some() => "no resource matches".to_owned(),
        Some(app) if state.world.settled => format!("{} has no resources here", app.name),
        Some(app) => format!("comparing {}", app.name),
        None if state.world.settled => "no app is selected".to_owned(),
        None => String::new(),
    }
}

/// Draws what is compared: `web on prod-eu ──── desired fleet@3f2c1d9 …, Ana, 2h → live now`.
fn title(pen: &mut Pen, state: &State, at: Rect) {
    pen.rule(at);
    let Some(app) = state.selected_app() else {
        pen.put_all(at, [(" ", Role::Text), ("Drift", Role::Title), (" desired ", Role::Desired)]);
        let arrow = pen.glyphs.arrow;
        pen.put_all(after(at, 15), [(arrow, Role::Dim), (" live ", Role::Live)]);
        return;
    };
    let focused = state.focus == Column::Drift && state.layers.is_empty();
    let awaited = never_compared(state, app).map(|cluster| &cluster.id);
    let name =
        match (state.deployment().map(|id| &id.cluster).or(awaited), state.world.deployments_of(app).count())
        {
            (Some(id), _) => format!("{} on {}", app.name, state.world.called(id)),
            (None, n) => format!("{} in {}", app.name, words::count(n, "cluster")),
        };
    let mut used = 0;
    if state.layout().wide {
        used += pen.put(at, " ", Role::Text);
        let most = first(after(at, used), at.width / 3);
        used += pen.put_cut(most, &name, if focused { Role::Accent } else { Role::Title }, Cut::Middle);
        used += pen.put(after(at, used), " ", Role::Text);
    }
    let room = after(at, used + 2);
    let sides = sides(pen, state, app);
    let fixed: u16 = sides.iter().map(|(text, _)| pen.width(text)).sum();
    let start = if state.layout().wide { room.width.saturating_sub(fixed) } else { 0 };
    let mut place = if state.layout().wide { after(room, start) } else { at };
    // What is desired gives way, so that which side is which always stays.
    let over = fixed.saturating_sub(place.width);
    for (i, (text, role)) in sides.iter().enumerate() {
        let width = if i == 1 { pen.width(text).saturating_sub(over) } else { pen.width(text) };
        let used = pen.put(first(place, width), text, *role);
        place = after(place, used);
    }
}

/// Returns the one cluster at hand, if the app waits for it and was compared nowhere.
fn never_compared<'a>(state: &'a State, app: &'a AppId) -> Option<&'a ClusterStatus> {
    let cluster = state.deployment().is_none().then(|| state.cluster()).flatten()?;
    state.world.awaited(app, Some(&cluster.id)).next()
}

fn sides(pen: &Pen, state: &State, app: &AppId) -> Vec<(String, Role)> {
    let deployment = state.deployment().or_else(|| state.world.deployments_of(app).next().map(|d| &d.id));
    let status = deployment.and_then(|id| state.world.deployments.get(id));
    let desired = match (status, state.world.repo(&app.repo)) {
        (Some(status), Some(repo)) => words::desired(repo, &status.revision, state.now, &state.options.zone),
        (None, Some(repo)) => repo.name.clone(),
        _ => String::new(),
    };
    let behind = match status.map(|s| s.revision.behind).filter(|_| !state.layout().wide) {
        Some(behind) if behind > 0 => format!(" ({behind} behind)"),
        _ => String::new(),
    };
    let cluster = state.deployment().and_then(|id| state.world.cluster(&id.cluster));
    let cluster = cluster.or_else(|| never_compared(state, app));
    let (live, role) = match cluster.map(|c| &c.state) {
        Some(ClusterState::Live) => match status.and_then(|s| s.as_at.as_ref()) {
            Some(at) => (format!("live {}", at.words()), Role::Live),
            None => ("live now".to_owned(), Role::Live),
        },
        Some(ClusterState::Stale { since, .. }) => (
            format!("live, stale since {}", words::when(*since, state.now, &state.options.zone)),
            Role::Warning,
        ),
        Some(ClusterState::Connecting) | None => ("live".to_owned(), Role::Live),
        Some(ClusterState::Unreachable { since, next_try, .. }) => {
            let zone = &state.options.zone;
            let next =
                if state.layout().wide { words::trying(*next_try, state.now, zone) } else { String::new() };
            let since = words::when(*since, state.now, zone);
            (format!("live, no answer since {since}{next}"), Role::Warning)
        }
        Some(ClusterState::Denied { .. }) => ("live, not reached".to_owned(), Role::Warning),
    };
    vec![
        (" desired ".to_owned(), Role::Desired),
        (desired, Role::Text),
        (behind, Role::Warning),
        (format!(" {} ", pen.glyphs.arrow), Role::Dim),
        (live, role),
        (" ".to_owned(), Role::Text),
    ]
}

fn draw_row(pen: &mut Pen, state: &State, place: Rect, row: &DriftRow) {
    match row {
        DriftRow::Deployment(id) => deployment(pen, state, place, id),
        DriftRow::Notice(id, at) => {
            if let Some(notice) = state.world.deployments.get(id).and_then(|d| d.notices.get(*at)) {
                let cause = notice.cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
                let place = after(place, 2);
                let used =
                    pen.put_all(place, [("! ", Role::Warning), (notice.title.as_str(), Role::Warning)]);
                pen.put(after(place, used), &cause, Role::Dim);
            }
        }
        DriftRow::Held(id) => {
            let known = state.holds.get(id).and_then(Fetched::value).and_then(Automation::hold);
            if let Some(hold) = known {
                let role = if hold.is_expired(state.now) { Role::Error } else { Role::Warning };
                let words = words::hold(hold, state.now, &state.options.zone);
                pen.put(after(place, 2), &words, role);
            }
        }
        DriftRow::Resource(key) => {
            if let Some(status) = state.world.resource(key) {
                resource(pen, state, place, key, status);
            }
        }
        DriftRow::Why(key, at) => {
            let about = state.world.resource(key).map(words::about).unwrap_or_default();
            if let Some(line) = about.get(*at) {
                pen.put(after(place, 6), line, Role::Warning);
            }
        }
        DriftRow::Change(key, path) => {
            if let Some(change) = find(state, key, path) {
                change_row(pen, state, place, key, change);
            }
        }
        DriftRow::Values(key, path) => {
            if let Some(change) = find(state, key, path) {
                let writer = words::writer(change, state.now, &state.options.zone);
                let place = after(place, 6);
                let (desired, live) = words::sides(change);
                let wanted = pen.width(&desired).saturating_add(pen.width(&live)).saturating_add(6);
                // The values go before the writer, whom one key shows in full.
                let most = place.width.saturating_sub(wanted.min(place.width * 2 / 3)).min(place.width / 2);
                let right = Rect { x: place.x + place.width - most, width: most.saturating_sub(1), ..place };
                let used = pen.put_right(right, &writer, Role::Dim, Cut::End);
                values(pen, first(place, place.width.saturating_sub(used + 3)), change);
            }
        }
        DriftRow::InSync(id) => {
            // Those that are listed all the same, for the way they are in, are not counted again.
            let listed = state.drift.rows().iter().filter(|row| match row {
                DriftRow::Resource(key) if key.deployment == *id => {
                    state.world.resource(key).is_some_and(|status| *status.verdict() == Verdict::InSync)
                }
                _ => false,
            });
            let all = state.world.deployments.get(id).map_or(0, |d| d.counts.in_sync);
            let count = all.saturating_sub(listed.count());
            let mark = marks::verdict(&Verdict::InSync, &state.options);
            let hidden = state.world.deployments.get(id).map(|d| d.hidden).unwrap_or_default();
            let ignored = hidden.words().map(|words| format!(", {words}")).unwrap_or_default();
            let text = format!("{mark} {} in sync{ignored}", words::count(count, "resource"));
            pen.put(after(place, 2), &text, Role::Dim);
        }
        DriftRow::Excluded(id) => {
            let Some(status) = state.world.deployments.get(id) else { return };
            let mark = marks::verdict_word("excluded", &state.options);
            let text = match status.why().filter(|_| matches!(status.verdict, Verdict::Excluded(_))) {
                Some(why) => format!("{mark} {why}"),
                None => format!("{mark} {} excluded", words::count(status.counts.excluded, "resource")),
            };
            pen.put(after(place, 2), &text, Role::Dim);
        }
    }
}

fn find<'a>(state: &'a State, key: &ResourceKey, path: &FieldPath) -> Option<&'a FieldChange> {
    state.world.resource(key)?.judgement.changes.iter().find(|change| change.path == *path)
}

/// Heads the resources of one deployment, where several are listed.
fn deployment(pen: &mut Pen, state: &State, place: Rect, id: &DeploymentId) {
    let Some(status) = state.world.deployments.get(id) else { return };
    let place = after(place, 2);
    let mark_width = marks::width(&state.options);
    pen.put(
        first(place, mark_width),
        marks::verdict(&status.verdict, &state.options),
        mark_role(&status.verdict),
    );
    let place = after(place, mark_width + 1);
    let mut used = pen.put_all(place, [("on ", Role::Dim), (state.world.called(&id.cluster), Role::Title)]);
    if let Some(namespace) = &status.namespace {
        used += pen.put(after(place, used), &format!(" in {namespace}"), Role::Dim);
    }
    if let Some(cluster) = state.world.cluster(&id.cluster) {
        let words = words::cluster_state(&cluster.state, state.now, &state.options.zone);
        used += pen.put(after(place, used), &format!("  {words}"), super::header::cluster_role(cluster));
    }
    let rest = after(place, used + 1);
    pen.rule(Rect { width: rest.width.saturating_sub(1), ..rest });
}

fn resource(pen: &mut Pen, state: &State, place: Rect, key: &ResourceKey, status: &ResourceStatus) {
    let verdict = status.verdict();
    if state.unseen.is_new(key) {
        let new = pen.glyphs.new;
        pen.put(place, new, Role::New);
    }
    let ticked = state.ticks.contains(key);
    let mark_width = marks::width(&state.options);
    let at = after(place, 2);
    pen.put(first(at, mark_width), marks::verdict(verdict, &state.options), mark_role(verdict));
    if ticked {
        let tick = pen.glyphs.tick;
        pen.put(first(after(at, mark_width), 1), tick, Role::Accent);
    }
    let at = after(at, mark_width + 1);
    let quiet = matches!(verdict, Verdict::InSync | Verdict::Excluded(_));
    let text = if quiet { Role::Dim } else { Role::Text };
    let kind = &status.id.kind.kind;
    let widths = state.drift_widths;
    let kind_width =
        if state.layout().wide { widths.kind.min(at.width / 5) } else { pen.width(kind).min(at.width / 3) };
    pen.put_cut(first(at, kind_width), kind, text, Cut::Middle);
    let at = after(at, kind_width + 1);
    let name = words::name(&status.id);
    let summary = words::summary(status);
    let summary_role = if quiet { Role::Dim } else { mark_role(verdict) };
    let health = words::health(status);
    let health_role = match status.health().status {
        crate::model::HealthStatus::Degraded => Role::Error,
        crate::model::HealthStatus::Progressing => Role::Warning,
        _ => Role::Dim,
    };
    if !state.layout().wide {
        let name_width = pen.width(&name).min(at.width / 2);
        let mut used = pen.put_cut(first(at, name_width), &name, text, Cut::Middle) + 2;
        used += pen.put(after(at, used), &summary, summary_role) + 2;
        pen.put(after(at, used), &health, health_role);
        return;
    }
    let name_width = widths.name.min(at.width * 2 / 5);
    pen.put_cut(first(at, name_width), &name, text, Cut::Middle);
    let at = after(at, name_width + 2);
    let summary_width = widths.summary.min(at.width / 3);
    pen.put(first(at, summary_width), &summary, summary_role);
    let at = after(at, summary_width + 2);
    let at = Rect { width: at.width.saturating_sub(1), ..at };
    let origin = match &status.origin {
        Some(origin) => match origin.line {
            Some(line) => format!("{}:{line}", origin.file),
            None => origin.file.clone(),
        },
        None => "declared nowhere".to_owned(),
    };
    // How it is goes before where it is declared, of which the end tells most.
    let health_width = pen.width(&health).min(at.width * 2 / 3);
    let origin_width = pen.width(&origin).min(at.width.saturating_sub(health_width + 2));
    let right = Rect { x: at.x + at.width - origin_width, width: origin_width, ..at };
    pen.put_cut(right, &origin, Role::Dim, Cut::Start);
    pen.put(first(at, at.width.saturating_sub(origin_width + 2)), &health, health_role);
}

fn change_row(pen: &mut Pen, state: &State, place: Rect, key: &ResourceKey, change: &FieldChange) {
    let path = change.path.to_string();
    if state.unseen.is_field_new(key, &path) {
        let new = pen.glyphs.new;
        pen.put(place, new, Role::New);
    }
    let (letter_role, path_role) =
        if change.counts { (Role::Drift, Role::Text) } else { (Role::Dim, Role::Dim) };
    let at = after(place, 4);
    pen.put(first(at, 1), marks::class(change.class), letter_role);
    let at = after(at, 2);
    if !state.layout().wide {
        pen.put_cut(Rect { width: at.width.saturating_sub(1), ..at }, &path, path_role, Cut::Field);
        return;
    }
    let path_width = state.drift_widths.path.min(at.width * 45 / 100);
    pen.put_cut(first(at, path_width), &path, path_role, Cut::Field);
    let at = after(at, path_width + 2);
    let at = Rect { width: at.width.saturating_sub(1), ..at };
    let writer = words::writer(change, state.now, &state.options.zone);
    // Who wrote it has what the values leave, and half of the room in any case.
    let (desired, live) = words::sides(change);
    let wanted = match words::lines_differ(change) {
        Some(lines) => pen.width(&lines),
        None => pen.width(&desired).saturating_add(pen.width(&live)).saturating_add(3),
    };
    let most = (at.width / 2).max(at.width.saturating_sub(wanted.saturating_add(2)));
    let writer_width = pen.width(&writer).min(most);
    let right = Rect { x: at.x + at.width - writer_width, width: writer_width, ..at };
    pen.put(right, &writer, Role::Dim);
    values(pen, first(at, at.width.saturating_sub(writer_width + 2)), change);
}

/// Draws `desired → live`, each in its hue. The longer side gives way.
pub(super) fn values(pen: &mut Pen, at: Rect, change: &FieldChange) {
    if let Some(lines) = words::lines_differ(change) {
        pen.put(at, &lines, if change.counts { Role::Text } else { Role::Dim });
        return;
    }
    let (desired, live) = words::sides(change);
    // What is not there, and what does not count, recedes.
    let role =
        |text: &str, role: Role| if !change.counts || text == words::ABSENT { Role::Dim } else { role };
    let (desired_role, live_role) = (role(&desired, Role::Desired), role(&live, Role::Live));
    let arrow = format!(" {} ", pen.glyphs.arrow);
    let arrow_width = pen.width(&arrow);
    let room = at.width.saturating_sub(arrow_width);
    let (a, b) = (pen.width(&desired), pen.width(&live));
    let (a, b) = if a.saturating_add(b) <= room {
        (a, b)
    } else if a <= room / 2 {
        (a, room - a)
    } else if b <= room / 2 {
        (room - b, b)
    } else {
        (room / 2, room - room / 2)
    };
    let used = pen.put_cut(first(at, a), &desired, desired_role, Cut::Middle);
    let used = used + pen.put(after(at, used), &arrow, Role::Dim);
    pen.put_cut(first(after(at, used), b), &live, live_role, Cut::Middle);
}
