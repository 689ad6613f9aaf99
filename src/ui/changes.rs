//! Draws the screen "what changed".

use super::cursor_row;
use super::frame::spinner;
use super::pen::{Cut, Pen, after, first};
use crate::config::theme::Role;
use crate::deck::changes_view::{Cells, ChangesView, blind_lines};
use crate::deck::{Layer, Rect, State, words};
use crate::model::{By, Happening, HappeningKind};

pub(super) fn draw(pen: &mut Pen, state: &State, view: &ChangesView, at: Rect) {
    pen.clear(at);
    title(pen, state, view, at.row(0));
    let blind = blind_lines(state, view);
    let foot = u16::try_from(blind.len()).unwrap_or(0);
    let body = Rect { height: at.height.saturating_sub(1 + foot), ..at.below(1) };
    let all: Vec<Cells> =
        view.rows.rows().iter().map(|h| Cells::of(h, state.now, &state.options.zone)).collect();
    let widest = |pen: &Pen, cell: fn(&Cells) -> &str, most: u16| {
        all.iter().map(|cells| pen.width(cell(cells))).max().unwrap_or(0).min(most)
    };
    let (narrow, wide) = (at.width / 8, at.width / 4);
    let columns = Columns {
        time: widest(pen, |c| &c.time, 11),
        place: widest(pen, |c| &c.place, narrow.max(9)),
        of: widest(pen, |c| &c.of, narrow.max(9)),
        who: widest(pen, |c| &c.who, wide),
        is_brief: false,
    };
    let columns = columns.within(at.width, widest(pen, |c| &c.what, at.width));
    let focused = matches!(state.layers.last(), Some(Layer::Changes(_)));
    for line in 0..body.height {
        let Some(index) = view.rows.row_at_line(usize::from(line)) else { continue };
        let (Some(cells), Some(happening)) = (all.get(index), view.rows.rows().get(index)) else { continue };
        let place = body.row(line);
        draw_row(pen, place, cells, happening, &columns);
        if index == view.rows.cursor() {
            cursor_row(pen, place, focused);
            let cursor = pen.glyphs.cursor;
            pen.put(first(place, 1), cursor, Role::Accent);
        }
    }
    if all.is_empty() {
        let words = match (view.ticket, view.all) {
            (Some(_), 0) => "looking",
            (_, 0) => "nothing changed, as far as it can be known",
            _ => "nothing matches the filter",
        };
        pen.put(after(body.row(0), 2), words, Role::Dim);
    }
    for (line, words) in blind.iter().enumerate() {
        let place = at.row(at.height.saturating_sub(foot) + u16::try_from(line).unwrap_or(0));
        pen.put(after(place, 1), words, Role::Dim);
    }
}

fn title(pen: &mut Pen, state: &State, view: &ChangesView, at: Rect) {
    let at = Rect { x: at.x + 1, width: at.width.saturating_sub(2), ..at };
    let title = format!("What changed in the last {}, everywhere", view.span());
    let used = pen.put(at, &title, Role::Title);
    let mut right = format!("{}, {} by hand", words::count(view.all, "change"), view.by_hand);
    if let Some(filter) = &view.rows.filter {
        right = format!("{} of {right}, filter {filter}", view.rows.rows().len());
    }
    if let Some(asked) = view.asked_at(state.now).filter(|_| at.width >= 60) {
        right = format!("clusters asked at {}   {right}", words::when(asked, state.now, &state.options.zone));
    }
    if view.ticket.is_some() {
        right = format!("{} asking clusters   {right}", spinner(pen, state));
    }
    pen.put_right(after(at, used + 2), &right, Role::Dim, Cut::End);
}

/// How wide the columns are; 0: not shown.
struct Columns {
    time: u16,
    place: u16,
    of: u16,
    who: u16,
    /// Objects are named without their kind and namespace.
    is_brief: bool,
}

impl Columns {
    /// Narrower than this nobody is told from another.
    const WHO: u16 = 12;

    /// Makes room for what changed, which comes first: for as much of it as there is, up to half of the screen.
    fn within(mut self, width: u16, what: u16) -> Self {
        let wanted = what.min(width / 2);
        let lacks = |columns: &Self| wanted.saturating_sub(columns.room(width));
        self.who = self.who.saturating_sub(lacks(&self)).max(self.who.min(Self::WHO));
        if lacks(&self) > 0 {
            self.of = 0;
        }
        if lacks(&self) > 0 {
            self.place = 0;
        }
        self.is_brief = lacks(&self) > 0;
        self
    }

    /// Returns the cells that are left for what changed.
    fn room(&self, width: u16) -> u16 {
        let shown = [self.time, self.place, self.of, self.who].into_iter().filter(|column| *column > 0);
        width.saturating_sub(3 + shown.map(|column| column + 2).sum::<u16>())
    }
}

fn draw_row(pen: &mut Pen, at: Rect, cells: &Cells, happening: &Happening, columns: &Columns) {
    let Columns { time, place, of, who, is_brief } = *columns;
    let role = match (happening.who.by, happening.kind) {
        (_, HappeningKind::Event | HappeningKind::Deleted) => Role::Warning,
        (By::Hand, _) => Role::Text,
        _ => Role::Dim,
    };
    let mut rest = after(at, 2);
    for (text, width, cut) in
        [(&cells.time, time, Cut::End), (&cells.place, place, Cut::Middle), (&cells.of, of, Cut::Middle)]
    {
        if width > 0 {
            pen.put_cut(first(rest, width), text, role, cut);
            rest = after(rest, width + 2);
        }
    }
    let rest = Rect { width: rest.width.saturating_sub(1), ..rest };
    pen.put(
        first(rest, rest.width.saturating_sub(who + 2)),
        if is_brief { &cells.brief } else { &cells.what },
        role,
    );
    let at = after(rest, rest.width.saturating_sub(who));
    pen.put(at, &cells.who, if happening.who.by == By::Hand { Role::Drift } else { Role::Dim });
}
