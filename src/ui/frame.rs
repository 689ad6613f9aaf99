//! Draws what every screen carries below: the status line, and the line of keys.

use super::pen::{Cut, Pen, after, first};
use crate::config::theme::Role;
use crate::deck::layer::Layer;
use crate::deck::reading::{self, Offer};
use crate::deck::{Column, Rect, State, words};
use crate::model::Level;
use crate::model::command::Command;

/// Returns the spinner's picture of this moment.
pub(super) fn spinner(pen: &Pen, state: &State) -> &'static str {
    let at = usize::try_from(state.now.as_millisecond() / 120).unwrap_or(0) % pen.glyphs.spinner.len();
    pen.glyphs.spinner.get(at).copied().unwrap_or("")
}

/// Draws what was said last, or the prompt of a filter; on the right what waits, as far as that leaves room.
pub(super) fn status(pen: &mut Pen, state: &State, at: Rect) {
    if at.height == 0 {
        return;
    }
    let room = after(at, 1);
    let used = said(pen, state, room);
    waiting(pen, state, after(room, if used > 0 { used + 2 } else { 0 }));
}

/// Draws what was said or is typed, and returns the cells it took.
fn said(pen: &mut Pen, state: &State, room: Rect) -> u16 {
    if let Some(Layer::Search(search)) = state.layers.last() {
        let used = pen.put_all(room, [("/", Role::Accent), (search.text.as_str(), Role::Text)]);
        pen.cursor = Some((room.x + used, room.y));
        return used;
    }
    if let Some(said) = &state.said {
        let role = match said.level {
            Level::Error => Role::Error,
            Level::Warning => Role::Warning,
            Level::Info => Role::Text,
        };
        return pen.put(room, &said.text, role);
    }
    let filter = match state.focus {
        Column::Repos => state.repos.filter.as_ref(),
        Column::Apps => state.apps.filter.as_ref(),
        Column::Clusters => state.clusters.filter.as_ref(),
        Column::Drift => state.drift.filter.as_ref(),
    };
    let Some(filter) = filter.filter(|_| state.layers.is_empty()) else { return 0 };
    let title = state.focus.title();
    pen.put_all(room, [(title, Role::Text), (" filtered by ", Role::Dim), (filter, Role::Match)])
}

/// Draws at the right end what waits, the most useful first; what has no room is left out, not cut.
fn waiting(pen: &mut Pen, state: &State, at: Rect) {
    let mut parts = Vec::new();
    let below = reading::below(state);
    if below > 0 {
        parts.push(format!("{below} more below"));
    }
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
    let room = first(at, at.width.saturating_sub(1));
    while !parts.is_empty() && pen.width(&parts.join(&gap)) > room.width {
        parts.pop();
    }
    pen.put_right(room, &parts.join(&gap), role, Cut::End);
}

/// Draws the keys of where the person is, as many as fit. The way out, what applies a plan, and help are always there.
pub(super) fn footer(pen: &mut Pen, state: &State, at: Rect) {
    let gap = if at.width >= 100 { 3 } else { 2 };
    let mut room = after(at, 1);
    room.width = room.width.saturating_sub(1);
    let (pinned, others): (Vec<Offer>, Vec<Offer>) =
        reading::footer(state).into_iter().partition(|o| o.pinned);
    for offer in pinned.iter().rev() {
        let width = pen.width(&offer.key) + 1 + pen.width(offer.word);
        let place = after(room, room.width.saturating_sub(width));
        put_offer(pen, place, offer);
        room.width = room.width.saturating_sub(width + gap);
    }
    for offer in &others {
        let width = pen.width(&offer.key) + 1 + pen.width(offer.word);
        if width > room.width {
            break;
        }
        put_offer(pen, room, offer);
        room = after(room, width + gap);
    }
}

fn put_offer(pen: &mut Pen, at: Rect, offer: &Offer) {
    pen.put_all(at, [(offer.key.as_str(), Role::Accent), (" ", Role::Text), (offer.word, Role::Text)]);
}
