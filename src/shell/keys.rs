//! Turns what the terminal sends into the deck's messages.

use crate::deck::{Message, Mouse, Size};
use crate::model::Timestamp;
use crate::model::key::{Key, KeyCode};
use crossterm::event::{
    Event, KeyCode as Code, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

/// Returns the message of a terminal event; `None` for what means nothing here.
pub fn message(event: Event, at: Timestamp) -> Option<Message> {
    match event {
        Event::Key(key) => Some(Message::Key { at, key: of(key)? }),
        Event::Paste(text) => Some(Message::Paste { at, text }),
        Event::Resize(width, height) => Some(Message::Resize { size: Size { width, height } }),
        Event::Mouse(event) => Some(Message::Mouse { at, event: mouse(event)? }),
        Event::FocusGained | Event::FocusLost => None,
    }
}

fn of(event: KeyEvent) -> Option<Key> {
    // With Alt a key is none of ours: a bare Esc and a quick key after it must not become a chord.
    let foreign = KeyModifiers::ALT | KeyModifiers::META | KeyModifiers::SUPER | KeyModifiers::HYPER;
    if event.kind == KeyEventKind::Release || event.modifiers.intersects(foreign) {
        return None;
    }
    let code = match event.code {
        Code::Char(c) => KeyCode::Char(c),
        Code::Enter => KeyCode::Enter,
        Code::Esc => KeyCode::Esc,
        Code::Tab => KeyCode::Tab,
        Code::BackTab => KeyCode::BackTab,
        Code::Backspace => KeyCode::Backspace,
        Code::Delete => KeyCode::Delete,
        Code::Up => KeyCode::Up,
        Code::Down => KeyCode::Down,
        Code::Left => KeyCode::Left,
        Code::Right => KeyCode::Right,
        Code::Home => KeyCode::Home,
        Code::End => KeyCode::End,
        Code::PageUp => KeyCode::PageUp,
        Code::PageDown => KeyCode::PageDown,
        Code::F(n) => KeyCode::Function(n),
        _ => return None,
    };
    Some(Key { code, ctrl: event.modifiers.contains(KeyModifiers::CONTROL) })
}

fn mouse(event: MouseEvent) -> Option<Mouse> {
    let (x, y) = (event.column, event.row);
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Mouse::Click { x, y }),
        MouseEventKind::ScrollUp => Some(Mouse::WheelUp { x, y }),
        MouseEventKind::ScrollDown => Some(Mouse::WheelDown { x, y }),
        _ => None,
    }
}
