//! A backend that writes nothing when nothing changed, and each frame in one piece.
//!
//! ratatui tells its backend at every frame where the cursor is and whether it shows. Here that is passed on only if it
//! differs from what the terminal already has, so a frame without changes is no bytes at all. What a frame does write is
//! gathered and sent in one write, within a synchronised update.

use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use crossterm::{Command, queue};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

/// Bytes of a frame that wait for the end of it.
#[derive(Debug, Clone, Default)]
struct Gathered(Rc<RefCell<Vec<u8>>>);

impl Write for Gathered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The backend of the deck's terminal.
pub struct CalmBackend<W: Write> {
    inner: CrosstermBackend<Gathered>,
    gathered: Gathered,
    out: W,
    cursor: Option<Position>,
    shown: Option<bool>,
    gathered_cursor: Option<Position>,
}

impl<W: Write> CalmBackend<W> {
    pub fn new(out: W) -> Self {
        let gathered = Gathered::default();
        Self {
            inner: CrosstermBackend::new(gathered.clone()),
            gathered,
            out,
            cursor: None,
            shown: None,
            gathered_cursor: None,
        }
    }

    /// Forgets what the terminal has: the next frame says everything again.
    pub fn forget(&mut self) {
        self.cursor = None;
        self.shown = None;
    }

    /// Writes a command of its own at once, such as a copy to the clipboard.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out.flush()
    }
}

impl<W: Write> Backend for CalmBackend<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        // Drawing moves the terminal's cursor.
        self.cursor = None;
        self.inner.draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.shown == Some(false) {
            return Ok(());
        }
        self.shown = Some(false);
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.shown == Some(true) {
            return Ok(());
        }
        self.shown = Some(true);
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.gathered_cursor.unwrap_or_default())
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        if self.cursor == Some(position) {
            return Ok(());
        }
        self.cursor = Some(position);
        self.gathered_cursor = Some(position);
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.forget();
        self.inner.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.forget();
        self.inner.clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        let (width, height) = crossterm::terminal::size()?;
        Ok(Size { width, height })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        let size = self.size()?;
        Ok(WindowSize { columns_rows: size, pixels: Size::default() })
    }

    /// Sends what was gathered, if anything was.
    fn flush(&mut self) -> io::Result<()> {
        let gathered = self.gathered.0.take();
        if gathered.is_empty() {
            return Ok(());
        }
        let mut frame = Vec::with_capacity(gathered.len() + 16);
        write_command(&mut frame, BeginSynchronizedUpdate)?;
        frame.extend_from_slice(&gathered);
        write_command(&mut frame, EndSynchronizedUpdate)?;
        self.send(&frame)
    }
}

fn write_command(frame: &mut Vec<u8>, command: impl Command) -> io::Result<()> {
    queue!(frame, command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::Terminal;
    use ratatui::layout::Rect;
    use ratatui::{TerminalOptions, Viewport};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Wire(Arc<Mutex<Vec<Vec<u8>>>>);

    impl Write for Wire {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push(bytes.to_vec());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_frame_is_one_write_and_an_unchanged_one_is_none() {
        let wire = Wire::default();
        let viewport = Viewport::Fixed(Rect::new(0, 0, 20, 2));
        let mut terminal =
            Terminal::with_options(CalmBackend::new(wire.clone()), TerminalOptions { viewport }).unwrap();
        let mut draw = |text: &str| {
            terminal
                .draw(|frame| {
                    frame.render_widget(text, frame.area());
                    frame.set_cursor_position((3, 1));
                })
                .unwrap();
        };
        draw("drift");
        assert_eq!(wire.0.lock().unwrap().len(), 1);
        draw("drift");
        assert_eq!(wire.0.lock().unwrap().len(), 1, "nothing changed");
        draw("drifts");
        let writes = wire.0.lock().unwrap();
        assert_eq!(writes.len(), 2);
        assert!(
            writes[1].starts_with(b"\x1b[?2026h") && writes[1].ends_with(b"\x1b[?2026l"),
            "{:?}",
            writes[1]
        );
    }
}
