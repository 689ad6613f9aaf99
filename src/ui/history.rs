//! Draws the screen "history", and what one commit is against something.

use super::cursor_row;
use super::frame::spinner;
use super::pen::{Cut, Pen, after, first};
use crate::config::theme::Role;
use crate::deck::history_view::{Cells, EffectView, Held, HistoryView, Room};
use crate::deck::{Layer, Rect, State, reading};
use crate::model::PastCommit;
use crate::model::history::Against;

pub(super) fn draw(pen: &mut Pen, state: &State, view: &HistoryView, at: Rect) {
    pen.clear(at);
    title(pen, state, view, at.row(0));
    let body = at.below(1);
    let commits = &view.history.commits;
    let best = view.best().map(|(best, _)| best);
    let seen: Vec<(u16, usize, &PastCommit, Cells)> = (0..body.height)
        .filter_map(|line| {
            let index = view.rows.row_at_line(usize::from(line))?;
            let commit = view.commit(view.rows.rows().get(index)?)?;
            Some((line, index, commit, Cells::of(state, view, commit, best)))
        })
        .collect();
    let widest = |pen: &Pen, cell: fn(&Cells) -> &str, most: u16| {
        seen.iter().map(|(.., cells)| pen.width(cell(cells))).max().unwrap_or(0).min(most)
    };
    let widths = [
        widest(pen, |c| &c.id, 12),
        widest(pen, |c| &c.when, 11),
        widest(pen, |c| &c.author, at.width / 8),
        widest(pen, |c| &c.marks, at.width / 6),
        widest(pen, |c| &c.distance, at.width / 3),
    ];
    let focused = matches!(state.layers.last(), Some(Layer::History(_)));
    for (line, index, commit, cells) in &seen {
        let place = body.row(*line);
        let is_base = view.base.as_ref() == Some(&commit.id);
        row(pen, cells, place, widths, is_base, best == Some(&commit.id));
        if *index == view.rows.cursor() {
            cursor_row(pen, place, focused);
            let cursor = pen.glyphs.cursor;
            pen.put(first(place, 1), cursor, Role::Accent);
        }
    }
    if commits.is_empty() {
        let (text, role) = match (&view.failed, view.ticket) {
            (Some(notice), _) => (notice.title.clone(), Role::Error),
            (None, Some(_)) => ("walking the history".to_owned(), Role::Dim),
            (None, None) => ("no commit touches it".to_owned(), Role::Dim),
        };
        pen.put(after(body.row(0), 2), &text, role);
        if let Some(cause) = view.failed.as_ref().and_then(|notice| notice.cause.as_ref()) {
            pen.put(after(body.row(1), 2), cause, Role::Dim);
        }
    }
}

fn title(pen: &mut Pen, state: &State, view: &HistoryView, at: Rect) {
    let title = format!("History of {}", view.app.name);
    let used = pen.put(after(at, 1), &title, Role::Title);
    let mut rest = after(at, used + 4);
    if let Some(base) = &view.base {
        rest = after(rest, pen.put_all(rest, [("against ", Role::Dim), (base.short(), Role::Accent)]) + 3);
    } else {
        let is_tiny = Room::of(state) == Room::Tiny;
        for (at, held) in Held::ALL.into_iter().filter(|h| !is_tiny || *h == view.held).enumerate() {
            if at > 0 {
                let bar = format!(" {} ", pen.glyphs.bar);
                rest = after(rest, pen.put(rest, &bar, Role::Rule));
            }
            let role = if held == view.held { Role::Accent } else { Role::Dim };
            rest = after(rest, pen.put(rest, held.words(), role));
        }
    }
    let mut right = view.counted(state);
    if view.ticket.is_some() {
        right = format!("{} {right}", spinner(pen, state));
    }
    pen.put_right(after(rest, 2), &right, Role::Dim, Cut::End);
}

fn row(pen: &mut Pen, cells: &Cells, at: Rect, widths: [u16; 5], is_base: bool, is_best: bool) {
    let [id, when, author, marks, distance] = widths;
    let mut rest = after(at, 2);
    let id_role = if is_base { Role::Accent } else { Role::Text };
    for (text, width, cut, role) in [
        (&cells.id, id, Cut::End, id_role),
        (&cells.when, when, Cut::End, Role::Dim),
        (&cells.author, author, Cut::End, Role::Desired),
    ] {
        pen.put_cut(first(rest, width), text, role, cut);
        rest = after(rest, if width > 0 { width + 2 } else { 0 });
    }
    let rest = Rect { width: rest.width.saturating_sub(1), ..rest };
    let gap = |width: u16| if width > 0 { width + 2 } else { 0 };
    let room = rest.width.saturating_sub(gap(marks) + gap(distance));
    pen.put_cut(first(rest, room), &cells.subject, Role::Text, Cut::End);
    let rest = after(rest, room);
    if marks > 0 {
        pen.put_cut(first(after(rest, 2), marks), &cells.marks, Role::Dim, Cut::End);
    }
    if distance > 0 {
        let place = first(after(rest, gap(marks) + 2), distance);
        pen.put_cut(place, &cells.distance, if is_best { Role::Live } else { Role::Dim }, Cut::End);
    }
}

/// Draws what a commit is against something.
pub(super) fn effect(pen: &mut Pen, state: &State, layer: &Layer, view: &EffectView, at: Rect) {
    pen.clear(at);
    let [first_side, second_side] = view.sides();
    let place = match &view.against {
        Against::Live => format!(" on {}", state.world.called(&view.deployment.cluster)),
        Against::Desired | Against::Commit(_) => String::new(),
    };
    let title = format!("{} {first_side}{place}", view.app.name);
    let arrow = format!(" {} ", pen.glyphs.arrow);
    let second = if matches!(view.against, Against::Live) { Role::Live } else { Role::Text };
    let sides =
        [(first_side.as_str(), Role::Desired), (arrow.as_str(), Role::Dim), (second_side.as_str(), second)];
    let width: u16 = sides.iter().map(|(text, _)| pen.width(text)).sum();
    let head = after(at.row(0), 1);
    pen.put_cut(first(head, head.width.saturating_sub(width + 2)), &title, Role::Title, Cut::Middle);
    pen.put_all(after(at.row(0), at.width.saturating_sub(width + 1)), sides);
    super::overlays::lines(pen, at.below(1), &reading::lines(state, layer), view.scroll.top);
}
