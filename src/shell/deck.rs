//! Opens the deck and runs it until it is closed.

use super::{Wiring, run, size};
use crate::deck::State;
use crate::model::Notice;
use crate::process;
use crate::runtime::opening::{Opened, Wanted, open};
use crate::ui::{self, Depth, Paint};
use ratatui::Frame;
use std::process::ExitCode;

/// Opens the deck; returns 0 when the user closed it, 2 when it could not be opened.
pub fn deck(wanted: &Wanted) -> Result<ExitCode, Box<Notice>> {
    let failed = |what: &str, error: std::io::Error| Box::new(Notice::error(what).cause(error.to_string()));
    if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        return Err(Box::new(
            Notice::error("the deck needs a terminal")
                .hint("driftdeck check -o json is for scripts; --help lists the rest"),
        ));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| failed("the async runtime cannot start", error))?;
    let done = runtime.block_on(async {
        let Opened { ends, options, theme, clock, state_folder, ground } = open(wanted)?;
        let variable = |name| std::env::var(name).ok();
        let (no_color, colorterm, term) = (variable("NO_COLOR"), variable("COLORTERM"), variable("TERM"));
        let depth = Depth::of(no_color.as_deref(), colorterm.as_deref(), term.as_deref());
        let paint = Paint::new(&theme, depth);
        let state = State::new(size(), clock(), options);
        let wiring = Wiring {
            effects: ends.effects,
            messages: ends.messages,
            clock: Box::new(move || clock()),
            state_folder,
            logins: ends.logins,
        };
        let done = run(state, wiring, |frame, state| draw(frame, state, &paint)).await;
        if let Some(ground) = ground {
            ground.close().await;
        }
        done.map_err(|error| failed("the terminal cannot be used", error))
    });
    // Child programs and exported copies go with the tasks that made them.
    process::close(runtime);
    done.map(|()| ExitCode::SUCCESS)
}

/// Draws the state, unless the terminal has another size by now: then the message of that is on its way.
fn draw(frame: &mut Frame<'_>, state: &State, paint: &Paint) {
    let area = frame.area();
    if (area.width, area.height) != (state.size.width, state.size.height) {
        return;
    }
    if let Some(cursor) = ui::draw(frame.buffer_mut(), state, paint) {
        frame.set_cursor_position(cursor);
    }
}
