//! Draws overlays: help, notices, palette, menus, the prompt for a protected cluster's name, who wrote what, what runs.

use super::cursor_row;
use super::frame::spinner;
use super::pen::{Cut, Pen, after, first};
use crate::config::theme::Role;
use crate::deck::layer::{CopyItem, Layer, Menu, WhoView};
use crate::deck::picker::Picker;
use crate::deck::pods_view::PodsView;
use crate::deck::reading;
use crate::deck::wrap::Words;
use crate::deck::{Rect, State, words};
use crate::model::Fetched;
use crate::model::command::{Command, Place};

pub(super) fn draw(pen: &mut Pen, state: &State, layer: &Layer) {
    let at = reading::place(state, layer);
    match layer {
        Layer::Help(view) => {
            let below = state.layers.iter().rev().nth(1).map_or(Place::Lists, Layer::place);
            let inner = boxed(pen, at, &format!("Keys of {}", below.words()), "esc back");
            lines(pen, inner, &reading::lines(state, layer), view.scroll.top);
        }
        Layer::Journal(view) => {
            let inner = boxed(pen, at, "Journal", "y copies it as Markdown   esc back");
            lines(pen, inner, &reading::lines(state, layer), view.scroll.top);
        }
        Layer::Notices(scroll) => {
            let inner = boxed(pen, at, "Notices and log", "esc back");
            lines(pen, inner, &reading::lines(state, layer), scroll.top);
        }
        Layer::Palette(picker) => palette(pen, state, at, picker),
        Layer::Copy(menu) => copy(pen, at, menu),
        Layer::Everything(menu) => everything(pen, state, at, menu),
        Layer::Confirm(confirm) => {
            let role = if confirm.is_answered() { Role::Good } else { Role::Text };
            let titles = ("Confirm", "esc leaves, nothing is written");
            ask(pen, at, titles, &reading::lines(state, layer), (&confirm.typed, role));
        }
        Layer::Hold(prompt) => {
            let titles = ("Hold", "esc leaves, nothing is written");
            ask(pen, at, titles, &reading::lines(state, layer), (&prompt.typed, Role::Text));
        }
        Layer::Message(prompt) => {
            let titles = ("Subject", "esc leaves it as it was");
            ask(pen, at, titles, &reading::lines(state, layer), (&prompt.typed, Role::Text));
        }
        _ => {}
    }
}

/// Draws a frame with a title and how to get out, and returns what is within it.
fn boxed(pen: &mut Pen, at: Rect, title: &str, out: &str) -> Rect {
    pen.clear(at);
    if at.width < 4 || at.height < 3 {
        return at;
    }
    let [top_left, top_right, bottom_left, bottom_right] = pen.glyphs.corners;
    let bar = pen.glyphs.bar;
    let (last_x, last_y) = (at.width - 1, at.height - 1);
    for line in [0, last_y] {
        pen.rule(at.row(line));
    }
    for line in 0..at.height {
        let (left, right) = match line {
            0 => (top_left, top_right),
            l if l == last_y => (bottom_left, bottom_right),
            _ => (bar, bar),
        };
        pen.put(first(at.row(line), 1), left, Role::Rule);
        pen.put(after(at.row(line), last_x), right, Role::Rule);
    }
    let head = Rect { x: at.x + 2, width: at.width.saturating_sub(4), ..at.row(0) };
    let used = pen.put_all(head, [(" ", Role::Text), (title, Role::Title), (" ", Role::Text)]);
    // It may hide all that says which side is which.
    let arrow = format!(" {} ", pen.glyphs.arrow);
    let sides = [("desired", Role::Desired), (arrow.as_str(), Role::Dim), ("live ", Role::Live)];
    let width: u16 = sides.iter().map(|(text, _)| pen.width(text)).sum();
    if used + width <= head.width {
        pen.put_all(after(head, head.width - width), sides);
    }
    let foot = Rect { x: at.x + 2, width: at.width.saturating_sub(4), ..at.row(last_y) };
    pen.put_right(foot, &format!(" {out} "), Role::Dim, Cut::End);
    Rect { x: at.x + 2, y: at.y + 1, width: at.width - 4, height: at.height - 2 }
}

pub(super) fn lines(pen: &mut Pen, at: Rect, lines: &[Words], top: usize) {
    let top = top.min(lines.len().saturating_sub(at.height.into()));
    for (i, line) in lines.iter().skip(top).take(at.height.into()).enumerate() {
        let place = at.row(u16::try_from(i).unwrap_or(u16::MAX));
        pen.put_all(place, line.iter().map(|(text, role)| (text.as_str(), *role)));
    }
    pen.cursor = Some((at.x, at.y));
}

pub(super) fn who(pen: &mut Pen, state: &State, layer: &Layer, view: &WhoView, at: Rect) {
    pen.clear(at);
    let id = &view.key.id;
    let context = state.world.called(&view.key.deployment.cluster);
    let title = format!("Who wrote {} {} on {context}", id.kind.kind, words::name(id));
    let arrow = format!(" {} ", pen.glyphs.arrow);
    let sides = [("desired", Role::Desired), (arrow.as_str(), Role::Dim), ("live ", Role::Live)];
    let width: u16 = sides.iter().map(|(text, _)| pen.width(text)).sum();
    let head = after(at.row(0), 1);
    pen.put_cut(first(head, head.width.saturating_sub(width + 2)), &title, Role::Title, Cut::Middle);
    pen.put_all(after(at.row(0), at.width.saturating_sub(width)), sides);
    lines(pen, at.below(1), &reading::lines(state, layer), view.scroll.top);
}

pub(super) fn pods(pen: &mut Pen, state: &State, layer: &Layer, view: &PodsView, at: Rect) {
    pen.clear(at);
    let right = match &view.running {
        _ if view.ticket.is_some() => format!("{} asking", spinner(pen, state)),
        Fetched::Ready { at, .. } => format!("as of {}", words::clock(*at, &state.options.zone)),
        _ => String::new(),
    };
    let head = after(at.row(0), 1);
    let used = pen.put_right(head, &right, Role::Dim, Cut::End);
    let room = first(head, head.width.saturating_sub(used + 2));
    pen.put_cut(room, &view.title(state), Role::Title, Cut::Middle);
    lines(pen, at.below(1), &reading::lines(state, layer), view.scroll.top);
}

fn palette(pen: &mut Pen, state: &State, at: Rect, picker: &Picker) {
    let out = format!("{} of {}", picker.found.len(), picker.items.len());
    let inner = boxed(pen, at, "Find by name", &out);
    let prompt = inner.row(0);
    let used = pen.put_all(prompt, [(": ", Role::Accent), (picker.text.as_str(), Role::Text)]);
    let rows = inner.below(1);
    let height = usize::from(rows.height).max(1);
    let top = (picker.cursor + 1).saturating_sub(height);
    let name_width = 26.min(rows.width / 2);
    for (i, (item, letters)) in picker.found.iter().enumerate().skip(top).take(height) {
        let Some(item) = picker.items.get(*item) else { continue };
        let place = rows.row(u16::try_from(i - top).unwrap_or(u16::MAX));
        let key = match &item.pick {
            crate::deck::picker::Pick::Command(command) => state.options.keymap.key(*command),
            _ => None,
        };
        let key = key.map(|key| key.to_string()).unwrap_or_default();
        let used = pen.put_right(place, &key, Role::Accent, Cut::End) + 1;
        let room = Rect { width: place.width.saturating_sub(used), ..place };
        let role = if item.refused.is_some() { Role::Dim } else { Role::Text };
        matched(pen, first(room, name_width), &item.name, letters, role);
        let about = item.refused.as_deref().unwrap_or(&item.about);
        pen.put(after(room, name_width + 1), about, Role::Dim);
        if i == picker.cursor {
            cursor_row(pen, place, true);
        }
    }
    if picker.found.is_empty() {
        pen.put(rows.row(0), "nothing is called so", Role::Dim);
    }
    pen.cursor = Some((prompt.x + used, prompt.y));
}

/// Draws a name with the letters that were found.
fn matched(pen: &mut Pen, at: Rect, name: &str, letters: &[u32], role: Role) {
    let mut at = at;
    for (i, c) in name.chars().enumerate() {
        let found = u32::try_from(i).is_ok_and(|i| letters.binary_search(&i).is_ok());
        let used = pen.put(at, c.encode_utf8(&mut [0; 4]), if found { Role::Accent } else { role });
        at = after(at, used);
    }
}

fn copy(pen: &mut Pen, at: Rect, menu: &Menu<CopyItem>) {
    let inner = boxed(pen, at, "Copy", "enter or its number copies");
    for (i, item) in menu.items.iter().enumerate().take(inner.height.into()) {
        let place = inner.row(u16::try_from(i).unwrap_or(u16::MAX));
        let number = format!("{} ", i + 1);
        let used = pen.put_all(place, [(number.as_str(), Role::Accent), (item.what, Role::Text)]);
        let line = item.text.lines().next().unwrap_or("");
        let how = match item.what {
            "field path" => Cut::Field,
            "file" | "permalink" => Cut::Start,
            _ => Cut::End,
        };
        pen.put_cut(after(place, used.max(20)), line, Role::Dim, how);
        if i == menu.cursor {
            cursor_row(pen, place, true);
        }
    }
}

fn everything(pen: &mut Pen, state: &State, at: Rect, menu: &Menu<Command>) {
    let inner = boxed(pen, at, "Possible here", "enter or its key does it");
    let height = usize::from(inner.height).max(1);
    let top = (menu.cursor + 1).saturating_sub(height);
    for (i, command) in menu.items.iter().enumerate().skip(top).take(height) {
        let place = inner.row(u16::try_from(i - top).unwrap_or(u16::MAX));
        let entry = command.entry();
        let key = state.options.keymap.key(*command).map(|key| key.to_string()).unwrap_or_default();
        pen.put(first(place, 9), &key, Role::Accent);
        let room = after(place, 10);
        let fits = pen.width(entry.help) <= room.width;
        pen.put(room, if fits { entry.help } else { entry.name }, Role::Text);
        if i == menu.cursor {
            cursor_row(pen, place, true);
        }
    }
}

fn ask(pen: &mut Pen, at: Rect, (title, out): (&str, &str), question: &[Words], (typed, role): (&str, Role)) {
    let inner = boxed(pen, at, title, out);
    // What is typed is always seen.
    let place = inner.row(inner.height.saturating_sub(1));
    lines(pen, inner.top(inner.height.saturating_sub(1)), question, 0);
    let used = pen.put(place, "> ", Role::Accent);
    // Of a long line its end is seen, where the cursor is.
    let room = after(place, used);
    let used = used + pen.put_cut(first(room, room.width.saturating_sub(1)), typed, role, Cut::Start);
    pen.cursor = Some((place.x + used, place.y));
}
