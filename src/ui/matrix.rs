//! Draws the matrix: apps against clusters.

use super::columns::mark_role;
use super::cursor_row;
use super::header::guard;
use super::pen::{Cut, Pen, after, first};
use crate::config::theme::Role;
use crate::deck::layer::MatrixView;
use crate::deck::{Rect, State, marks, words};
use crate::model::{DeploymentId, Verdict};

/// The fewest cells in which a cluster's column says something.
const NARROWEST: u16 = 14;

pub(super) fn draw(pen: &mut Pen, state: &State, view: &MatrixView, at: Rect) {
    pen.clear(at);
    let apps_width = (at.width / 4).clamp(12, 32).min(at.width);
    let cells = after(at, apps_width);
    let shown = usize::from((cells.width / NARROWEST).max(1)).min(view.clusters.len().max(1));
    let width = (cells.width / u16::try_from(shown).unwrap_or(1).max(1)).min(26);
    // The column under the cursor is always among those that are seen.
    let left = (view.column + 1).saturating_sub(shown);
    title(pen, view, at.row(0), left, shown);
    for (i, cluster) in view.clusters.iter().enumerate().skip(left).take(shown) {
        let place = column(cells.row(1), i - left, width);
        let status = state.world.cluster(cluster);
        let role = if i == view.column { Role::Accent } else { Role::Title };
        // The guard stands at its own name, with a gap to the next one; the header has it for the cell under the cursor.
        let place = first(place, place.width.saturating_sub(1));
        let guard = status.and_then(|c| guard(state, c)).filter(|_| width > 22).unwrap_or("");
        let most = place.width.saturating_sub(pen.width(guard) + 1);
        let used = pen.put_cut(first(place, most), state.world.called(cluster), role, Cut::Middle);
        pen.put(after(place, used + 1), guard, Role::Warning);
    }
    let rows = at.below(2);
    for line in 0..rows.height {
        let index = view.top + usize::from(line);
        let Some(app) = view.apps.get(index) else { break };
        let place = rows.row(line);
        pen.put_cut(first(after(place, 3), apps_width.saturating_sub(4)), &app.name, Role::Text, Cut::Middle);
        if index == view.row {
            cursor_row(pen, place, false);
            let cursor = pen.glyphs.cursor;
            pen.put(first(after(place, 1), 1), cursor, Role::Accent);
        }
        for (i, cluster) in view.clusters.iter().enumerate().skip(left).take(shown) {
            let cell = column(after(place, apps_width), i - left, width);
            let id = DeploymentId::new(app.clone(), cluster.clone());
            draw_cell(pen, state, cell, &id);
            if index == view.row && i == view.column {
                cursor_row(pen, cell, true);
            }
        }
    }
    if view.apps.is_empty() {
        pen.put(after(rows.row(0), 3), "no app", Role::Dim);
    }
}

fn column(at: Rect, index: usize, width: u16) -> Rect {
    let place = after(at, width.saturating_mul(u16::try_from(index).unwrap_or(u16::MAX)));
    first(place, width.saturating_sub(1))
}

fn title(pen: &mut Pen, view: &MatrixView, at: Rect, left: usize, shown: usize) {
    let arrow = format!(" {} ", pen.glyphs.arrow);
    let used = pen.put_all(
        at,
        [
            (" Apps against clusters, ", Role::Title),
            ("desired", Role::Desired),
            (arrow.as_str(), Role::Dim),
            ("live", Role::Live),
        ],
    );
    if shown < view.clusters.len() {
        let which = format!("clusters {} to {} of {} ", left + 1, left + shown, view.clusters.len());
        pen.put_right(after(at, used), &which, Role::Dim, Cut::End);
    }
}

fn draw_cell(pen: &mut Pen, state: &State, at: Rect, id: &DeploymentId) {
    let Some(status) = state.world.deployments.get(id) else { return };
    let mark = marks::verdict(&status.verdict, &state.options);
    let role = mark_role(&status.verdict);
    let text = match &status.verdict {
        Verdict::InSync => status.counts.in_sync.to_string(),
        Verdict::Excluded(why) | Verdict::Unknown(why) => why.0.clone(),
        _ => words::count(status.counts.drifting(), "resource"),
    };
    let used = pen.put_all(at, [(mark, role), (" ", Role::Text)]);
    pen.put(after(at, used), &text, if role == Role::Drift { Role::Text } else { role });
}
