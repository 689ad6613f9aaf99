//! Defines the pen: the only way by which text gets on the screen, encoded for the terminal and cut to its place.

use super::paint::Paint;
use crate::config::theme::Role;
use crate::deck::marks::Glyphs;
use crate::deck::state::{Options, State};
use crate::deck::{Rect, cut, wrap};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect as Cells;
use ratatui::style::{Color, Style};
use std::borrow::Cow;

/// How a text that is too long is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    End,
    /// For paths.
    Start,
    /// For names.
    Middle,
    /// For paths of fields.
    Field,
}

/// Draws texts into a buffer.
pub struct Pen<'a> {
    buffer: &'a mut Buffer,
    paint: &'a Paint,
    pub glyphs: Glyphs,
    ascii: bool,
    /// Where the terminal's cursor goes.
    pub cursor: Option<(u16, u16)>,
}

impl<'a> Pen<'a> {
    pub fn new(buffer: &'a mut Buffer, paint: &'a Paint, state: &State) -> Self {
        let options: &Options = &state.options;
        Self { buffer, paint, glyphs: Glyphs::of(options), ascii: options.ascii, cursor: None }
    }

    /// Writes a text at the start of a place and returns how many cells it took.
    pub fn put(&mut self, at: Rect, text: &str, role: Role) -> u16 {
        self.put_cut(at, text, role, Cut::End)
    }

    /// Writes a text at the start of a place, cut as it should be.
    pub fn put_cut(&mut self, at: Rect, text: &str, role: Role, how: Cut) -> u16 {
        let cells = usize::from(at.width);
        if at.height == 0 || cells == 0 {
            return 0;
        }
        let text = self.shown(text);
        let fitted = match how {
            Cut::End => cut::cut_end(&text, cells, self.glyphs.cut),
            Cut::Start => cut::cut_start(&text, cells, self.glyphs.cut),
            Cut::Middle => cut::cut_middle(&text, cells, self.glyphs.cut),
            Cut::Field => cut::cut_path(&text, cells, self.glyphs.cut),
        };
        let width = cut::width(&fitted);
        self.buffer.set_stringn(at.x, at.y, &fitted, cells, self.paint.style(role));
        u16::try_from(width).unwrap_or(at.width).min(at.width)
    }

    /// Writes a text at the end of a place and returns how many cells it took.
    pub fn put_right(&mut self, at: Rect, text: &str, role: Role, how: Cut) -> u16 {
        let width = self.width(text).min(at.width);
        self.put_cut(Rect { x: at.x + at.width - width, width, ..at }, text, role, how)
    }

    /// Writes pieces one after the other and returns how many cells they took.
    pub fn put_all<'t>(&mut self, at: Rect, pieces: impl IntoIterator<Item = (&'t str, Role)>) -> u16 {
        let mut used = 0;
        for (text, role) in pieces {
            used += self.put(after(at, used), text, role);
        }
        used
    }

    /// Repeats a glyph over a place's first row.
    pub fn rule(&mut self, at: Rect) {
        let line = self.glyphs.rule.repeat(usize::from(at.width));
        if at.height > 0 {
            self.buffer.set_stringn(at.x, at.y, line, at.width.into(), self.paint.style(Role::Rule));
        }
    }

    /// Gives a place the look of a role, on top of what is written there. What has a background of its own keeps it: its
    /// letters were chosen for that one.
    pub fn look(&mut self, at: Rect, role: Role) {
        let style = self.paint.style(role);
        let at = cells(at).intersection(self.buffer.area);
        for position in at.positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                let style = if cell.bg == Color::Reset { style } else { Style { bg: None, ..style } };
                cell.set_style(style);
            }
        }
    }

    /// Empties a place.
    pub fn clear(&mut self, at: Rect) {
        let at = cells(at).intersection(self.buffer.area);
        for y in at.top()..at.bottom() {
            for x in at.left()..at.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                    cell.set_style(self.paint.style(Role::Text));
                }
            }
        }
    }

    /// Returns how many cells a text takes once it is encoded.
    pub fn width(&self, text: &str) -> u16 {
        u16::try_from(cut::width(&self.shown(text))).unwrap_or(u16::MAX)
    }

    /// Returns a text as it may reach the terminal.
    pub fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        wrap::shown(text, self.ascii)
    }
}

/// Returns what remains of a place after so many cells.
pub fn after(at: Rect, cells: u16) -> Rect {
    let cells = cells.min(at.width);
    Rect { x: at.x + cells, width: at.width - cells, ..at }
}

/// Returns the first cells of a place.
pub fn first(at: Rect, cells: u16) -> Rect {
    Rect { width: cells.min(at.width), ..at }
}

fn cells(at: Rect) -> Cells {
    Cells { x: at.x, y: at.y, width: at.width, height: at.height }
}
