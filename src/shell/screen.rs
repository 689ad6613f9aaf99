//! Takes the terminal and gives it back, in every way out.

use super::calm_backend::CalmBackend;
use crossterm::cursor::{SetCursorStyle, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{execute, queue};
use ratatui::{Frame, Terminal};
use std::io::{self, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the terminal is ours right now: what is given back is given back once.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while the deck has it. Dropping it gives the terminal back.
pub struct Screen {
    terminal: Terminal<CalmBackend<Stdout>>,
    mouse: bool,
}

impl Screen {
    /// Takes the terminal: raw mode, the alternate screen, bracketed paste; the mouse stays the terminal's. What was
    /// taken before a failure is given back.
    pub fn take() -> io::Result<Self> {
        Self::taken().inspect_err(|_| give_back())
    }

    fn taken() -> io::Result<Self> {
        enter()?;
        let mut terminal = Terminal::new(CalmBackend::new(io::stdout()))?;
        terminal.clear()?;
        Ok(Self { terminal, mouse: false })
    }

    /// Draws a frame: what differs from the frame before, in one write.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(|_| ())
    }

    /// Draws every cell anew at the next frame.
    pub fn redraw(&mut self) -> io::Result<()> {
        self.terminal.backend_mut().forget();
        self.terminal.clear()
    }

    /// Writes a sequence that draws nothing, such as a copy to the clipboard.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.terminal.backend_mut().send(bytes)
    }

    /// Takes the mouse, or leaves it to the terminal.
    pub fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        if on {
            execute!(io::stdout(), EnableMouseCapture)
        } else {
            execute!(io::stdout(), DisableMouseCapture)
        }
    }

    /// Gives the terminal back while something else has it, and takes it again afterwards.
    pub fn lend<T>(&mut self, meanwhile: impl FnOnce() -> T) -> io::Result<T> {
        give_back();
        let done = meanwhile();
        enter()?;
        if self.mouse {
            self.mouse(true)?;
        }
        self.redraw()?;
        Ok(done)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)
}

/// Gives the terminal back as it was. Safe to call at any time, more than once, and in a panic.
pub fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    // A terminal that is gone cannot be told anything.
    let _ = queue!(
        out,
        DisableMouseCapture,
        DisableBracketedPaste,
        SetCursorStyle::DefaultUserShape,
        LeaveAlternateScreen,
        Show
    );
    let _ = out.flush();
    let _ = disable_raw_mode();
}
