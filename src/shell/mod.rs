//! The terminal, the event loop, frame pacing, signals.
//!
//! The loop has three sources: the terminal's events, messages of the runtime, and signals. Each becomes a message; the
//! deck's update turns it into effects; those that concern the terminal are performed here and the rest handed to the
//! runtime. At most one frame is drawn every 16 ms, and a frame in which nothing changed writes nothing.

mod abilities;
mod calm_backend;
mod clipboard;
mod deck;
mod editor;
pub mod hooks;
mod keys;
pub mod screen;

pub use deck::deck;

use crate::deck::{Effect, Message, State, update};
use crate::model::{Notice, Timestamp};
use crate::runtime::Logins;
use clipboard::Clipboard;
use crossterm::event::EventStream;
use futures::StreamExt;
use ratatui::Frame;
use screen::Screen;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// The least time between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// Messages that are taken in before a frame is drawn.
const DRAIN: usize = 1024;

/// What the shell is started with.
pub struct Wiring {
    /// Effects for the runtime.
    pub effects: mpsc::Sender<Effect>,
    /// Messages of the runtime.
    pub messages: mpsc::Receiver<Message>,
    pub clock: Box<dyn Fn() -> Timestamp>,
    /// Where copies are saved.
    pub state_folder: Option<PathBuf>,
    pub logins: Logins,
}

/// Returns the size of the terminal; 80x24 where it does not tell.
pub fn size() -> crate::deck::Size {
    let (width, height) = crossterm::terminal::size().unwrap_or((80, 24));
    crate::deck::Size { width, height }
}

/// Runs the deck until the user quits, the terminal goes away, or somebody ends the process.
pub async fn run(mut state: State, wiring: Wiring, draw: impl Fn(&mut Frame<'_>, &State)) -> io::Result<()> {
    let Wiring { effects, mut messages, clock, state_folder, logins } = wiring;
    let mut screen = Screen::take()?;
    screen.draw(|frame| draw(frame, &state))?;
    let mut events = Some(EventStream::new());
    let mut ends = Ends::listen()?;
    let clipboard = Clipboard::new(state_folder, abilities::takes_copies(|name| std::env::var(name).ok()));
    let mut last_frame = Instant::now();
    let mut changed = false;
    let mut gone = false;
    while !state.is_quitting() && !gone {
        // A tick that is overdue, after a slow frame, is due at once.
        let until_tick = Duration::try_from(state.next_tick().duration_since(clock())).unwrap_or_default();
        let frame_due = last_frame + FRAME;
        let mut second = None;
        let message = tokio::select! {
            event = next_event(&mut events) => match event {
                Some(Ok(event)) => {
                    let (first, then) = keys::messages(event, clock());
                    second = then;
                    first
                }
                // The terminal went away.
                Some(Err(_)) | None => Some(Message::Terminate),
            },
            Some(message) = messages.recv() => Some(message),
            signal = ends.next() => match signal {
                End::Asked => Some(Message::Terminate),
                End::HungUp => { gone = true; Some(Message::Terminate) }
                End::Stop => {
                    // Whoever reads the terminal meanwhile must not lose keys to the stream.
                    events = None;
                    stop(&mut screen)?;
                    Some(Message::Resumed { at: clock() })
                }
            },
            () = tokio::time::sleep_until(frame_due), if changed => {
                // A size that changed while somebody else had the terminal was told to them, not to us.
                let now = size();
                if now == state.size {
                    screen.draw(|frame| draw(frame, &state))?;
                    last_frame = Instant::now();
                    changed = false;
                    None
                } else {
                    Some(Message::Resize { size: now })
                }
            }
            () = tokio::time::sleep(until_tick) => Some(Message::Tick { now: clock() }),
        };
        let mut next = message;
        for _ in 0..DRAIN {
            let Some(message) = next.take() else { break };
            changed = true;
            for effect in update(&mut state, message) {
                let answer = if let Effect::LogIn { context } = &effect {
                    events = None;
                    let result = screen.lend(|| logins.by_hand(context))?;
                    // Ctrl-c was for the plugin.
                    ends.forget_keys()?;
                    let result = result.map_err(|notice| *notice);
                    Some(Message::LoggedIn { at: clock(), context: context.clone(), result })
                } else if effect.is_for_the_shell() {
                    let answer = perform(&effect, &mut screen, &mut events, &clipboard, &*clock)?;
                    if matches!(effect, Effect::OpenEditor { .. }) {
                        // Ctrl-c and ctrl-z were for the editor.
                        ends.forget_keys()?;
                    }
                    answer
                } else {
                    // The runtime ends only with the shell; an effect that finds no room is dropped with a word.
                    effects.try_send(effect).err().map(|_| busy(clock()))
                };
                if let Some(answer) = answer {
                    let more = update(&mut state, answer);
                    for effect in more.into_iter().filter(|e| !e.is_for_the_shell()) {
                        let _ = effects.try_send(effect);
                    }
                }
            }
            next = second.take().or_else(|| messages.try_recv().ok());
        }
    }
    Ok(())
}

/// Returns the next event of the terminal. The stream is made when it is asked: while something else reads the terminal
/// there must be none, or keys would be lost to it.
async fn next_event(events: &mut Option<EventStream>) -> Option<io::Result<crossterm::event::Event>> {
    events.get_or_insert_with(EventStream::new).next().await
}

fn busy(at: Timestamp) -> Message {
    Message::Notice { at, notice: Notice::warning("too much is going on; try again in a moment") }
}

/// Performs an effect that concerns the terminal. Returns the message that answers it.
fn perform(
    effect: &Effect,
    screen: &mut Screen,
    events: &mut Option<EventStream>,
    clipboard: &Clipboard,
    clock: &dyn Fn() -> Timestamp,
) -> io::Result<Option<Message>> {
    Ok(match effect {
        Effect::Copy { what, text } => {
            let (sequence, how) = clipboard.copy(text);
            if let Some(sequence) = sequence {
                screen.send(sequence.as_bytes())?;
            }
            Some(Message::Copied { what: what.clone(), how })
        }
        Effect::OpenEditor { file, line } => {
            *events = None;
            let result = screen.lend(|| editor::open(file, *line))?;
            Some(Message::EditorClosed { at: clock(), result: result.map_err(|notice| *notice) })
        }
        Effect::EditMessage { ticket, text } => {
            *events = None;
            let result = screen.lend(|| editor::write(text))?;
            let result = result.map_err(|notice| *notice);
            Some(Message::MessageWritten { at: clock(), ticket: *ticket, result })
        }
        Effect::OpenUrl { url } => {
            // A program on a bastion host has no browser: the link is copied, and said, so that it can be clicked.
            let (sequence, how) = clipboard.copy(url);
            if let Some(sequence) = sequence {
                screen.send(sequence.as_bytes())?;
            }
            Some(Message::Copied { what: url.clone(), how })
        }
        Effect::Redraw => {
            screen.redraw()?;
            None
        }
        Effect::Mouse { on } => {
            screen.mouse(*on)?;
            None
        }
        Effect::Suspend => {
            *events = None;
            stop(screen)?;
            Some(Message::Resumed { at: clock() })
        }
        _ => None,
    })
}

/// Gives the terminal back, stops the process until the shell continues it, and takes the terminal again.
fn stop(screen: &mut Screen) -> io::Result<()> {
    screen.lend(|| {
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP)
            .map_err(io::Error::from)
    })?
}

/// Why the process is to end or to stop.
enum End {
    Asked,
    HungUp,
    Stop,
}

/// The signals that the deck answers.
struct Ends {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    stop: Signal,
}

impl Ends {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            stop: stop_key()?,
        })
    }

    /// Forgets the signals of keys that were typed while another program had the terminal.
    fn forget_keys(&mut self) -> io::Result<()> {
        self.interrupt = signal(SignalKind::interrupt())?;
        self.stop = stop_key()?;
        Ok(())
    }

    async fn next(&mut self) -> End {
        tokio::select! {
            _ = self.terminate.recv() => End::Asked,
            _ = self.interrupt.recv() => End::Asked,
            _ = self.hang_up.recv() => End::HungUp,
            _ = self.stop.recv() => End::Stop,
        }
    }
}

fn stop_key() -> io::Result<Signal> {
    signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use rustix::process::{Signal as Sent, getpid, kill_process};

    #[tokio::test]
    async fn an_interrupt_is_forgotten_with_the_keys_and_a_hang_up_is_not() {
        let mut ends = Ends::listen().unwrap();
        let mut came = Ends::listen().unwrap();
        kill_process(getpid(), Sent::INT).unwrap();
        kill_process(getpid(), Sent::HUP).unwrap();
        came.interrupt.recv().await;
        came.hang_up.recv().await;
        ends.forget_keys().unwrap();
        assert!(matches!(ends.next().now_or_never(), Some(End::HungUp)));
        assert!(ends.next().now_or_never().is_none());
    }
}
