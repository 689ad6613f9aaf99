//! Draws the deck's state into its layout. It decides nothing: what is listed, where it stands and what is selected is
//! the deck's.

mod changes;
mod columns;
mod drift;
mod frame;
mod header;
mod history;
mod matrix;
mod overlays;
pub mod paint;
mod pen;
mod plan;
mod resource;

pub use paint::{Depth, Paint};

use crate::config::theme::Role;
use crate::deck::layer::Layer;
use crate::deck::{Column, Rect, State};
use pen::Pen;
use ratatui::buffer::Buffer;

/// Draws the whole screen and returns where the terminal's cursor goes: on the focused row, or in the prompt.
pub fn draw(buffer: &mut Buffer, state: &State, paint: &Paint) -> Option<(u16, u16)> {
    let mut pen = Pen::new(buffer, paint, state);
    let area = Rect::new(0, 0, state.size.width, state.size.height);
    pen.clear(area);
    let layout = state.layout();
    header::draw(&mut pen, state, layout.header);
    let screen = state.layers.iter().rposition(Layer::is_screen);
    if screen.is_none() {
        deck(&mut pen, state);
    }
    for layer in state.layers.iter().skip(screen.unwrap_or(0)) {
        draw_layer(&mut pen, state, layer);
    }
    frame::status(&mut pen, state, layout.status);
    frame::footer(&mut pen, state, layout.footer);
    pen.cursor.filter(|(x, y)| *x < area.width && *y < area.height)
}

fn deck(pen: &mut Pen, state: &State) {
    let layout = state.layout();
    let columns: &[Column] = if layout.wide { &Column::ALL } else { std::slice::from_ref(&state.focus) };
    for column in columns {
        let at = layout.column(*column);
        match column {
            Column::Repos => columns::repos(pen, state, at),
            Column::Apps => columns::apps(pen, state, at),
            Column::Clusters => columns::clusters(pen, state, at),
            Column::Drift => drift::draw(pen, state, at),
        }
    }
}

fn draw_layer(pen: &mut Pen, state: &State, layer: &Layer) {
    let body = state.layout().body;
    match layer {
        Layer::Resource(view) => resource::draw(pen, state, view, body),
        Layer::Plan(view) => plan::draw(pen, state, view, body),
        Layer::Commit(view) => plan::commit(pen, state, layer, view, body),
        Layer::Matrix(view) => matrix::draw(pen, state, view, body),
        Layer::Changes(view) => changes::draw(pen, state, view, body),
        Layer::Who(view) => overlays::who(pen, state, layer, view, body),
        Layer::History(view) => history::draw(pen, state, view, body),
        Layer::Effect(view) => history::effect(pen, state, layer, view, body),
        Layer::Pods(view) => overlays::pods(pen, state, layer, view, body),
        Layer::Search(_) => {}
        _ => overlays::draw(pen, state, layer),
    }
}

/// Marks the row under the cursor: where the keys go, or only what is selected.
fn cursor_row(pen: &mut Pen, at: Rect, focused: bool) {
    pen.look(at, if focused { Role::Cursor } else { Role::Selected });
    if focused && at.height > 0 {
        pen.cursor = Some((at.x, at.y));
    }
}
