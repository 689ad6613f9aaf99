//! Turns what the terminal sends into the deck's messages.

use crate::deck::{Message, Mouse, Size};
use crate::model::Timestamp;
use crate::model::key::{Key, KeyCode};
use crossterm::event::{
    Event, KeyCode as Code, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

/// Returns the message of a terminal event with the one that follows it; `None` for what means nothing here.
///
/// A terminal sends Alt with a key as Esc and the key, and a slow line brings a bare Esc together with what was typed
/// next. Nothing here is on Alt, so it is read as what was more likely meant: Esc, then the key.
pub fn messages(event: Event, at: Timestamp) -> (Option<Message>, Option<Message>) {
    if let Event::Key(key) = &event
        && key.modifiers.contains(KeyModifiers::ALT)
        && key.kind != KeyEventKind::Release
    {
        let typed = KeyEvent { modifiers: key.modifiers - KeyModifiers::ALT, ..*key };
        let esc = Key { code: KeyCode::Esc, ctrl: false };
        let then = of(typed).map(|key| Message::Key { at, key });
        return (Some(Message::Key { at, key: esc }), then);
    }
    (message(event, at), None)
}

fn message(event: Event, at: Timestamp) -> Option<Message> {
    match event {
        Event::Key(key) => Some(Message::Key { at, key: of(key)? }),
        Event::Paste(text) => Some(Message::Paste { at, text }),
        Event::Resize(width, height) => Some(Message::Resize { size: Size { width, height } }),
        Event::Mouse(event) => Some(Message::Mouse { at, event: mouse(event)? }),
        Event::FocusGained | Event::FocusLost => None,
    }
}

fn of(event: KeyEvent) -> Option<Key> {
    let foreign = KeyModifiers::META | KeyModifiers::SUPER | KeyModifiers::HYPER;
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
