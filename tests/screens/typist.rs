//! Types keys as text into the deck, gathers its effects, and reads its screen.

use crate::world;
use driftdeck::config::theme::Theme;
use driftdeck::deck::{Effect, Message, Options, Size, State, update, update_all};
use driftdeck::model::update::Update;
use driftdeck::model::{Key, Timestamp};
use driftdeck::ui::{Depth, Paint, draw};
use jiff::SignedDuration;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The deck with somebody in front of it.
pub struct Typist {
    pub state: State,
    pub effects: Vec<Effect>,
    pub now: Timestamp,
}

impl Typist {
    /// Opens the deck on the made-up world.
    pub fn at(width: u16, height: u16) -> Self {
        Self::with(width, height, Options::default())
    }

    pub fn with(width: u16, height: u16, options: Options) -> Self {
        let mut typist = Self::empty(width, height, options);
        typist.tell(world::updates());
        typist
    }

    /// Opens the deck before anything is known.
    pub fn empty(width: u16, height: u16, options: Options) -> Self {
        let now = world::now();
        Self { state: State::new(Size { width, height }, now, options), effects: Vec::new(), now }
    }

    pub fn tell(&mut self, updates: Vec<Update>) {
        let at = self.now;
        let messages = updates.into_iter().map(|update| Message::Pipeline { at, update });
        self.effects.extend(update_all(&mut self.state, messages));
    }

    pub fn send(&mut self, message: Message) {
        self.effects.extend(update(&mut self.state, message));
    }

    /// Types keys by their names, with a second between them; words in quotes are typed letter by letter.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        for name in keys.split(' ').filter(|name| !name.is_empty()) {
            match name.strip_prefix('\'') {
                Some(text) => text.chars().for_each(|c| self.key(Key::char(c))),
                None => self.key(Key::parse(name).unwrap_or_else(|| panic!("{name} is a key"))),
            }
        }
        self
    }

    pub fn key(&mut self, key: Key) {
        self.now += SignedDuration::from_secs(1);
        self.send(Message::Key { at: self.now, key });
    }

    pub fn wait(&mut self, time: SignedDuration) -> &mut Self {
        self.now += time;
        self.send(Message::Tick { now: self.now });
        self
    }

    /// Takes the effects since the last call, but for questions to engines: those come with looking.
    pub fn effects(&mut self) -> Vec<Effect> {
        let mut effects = std::mem::take(&mut self.effects);
        effects.retain(|effect| !matches!(effect, Effect::LoadAutomation { .. }));
        effects
    }

    pub fn said(&self) -> &str {
        self.state.said.as_ref().map_or("", |said| &said.text)
    }

    pub fn buffer(&self, theme: &str, depth: Depth) -> (Buffer, Option<(u16, u16)>) {
        let size = self.state.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, size.width, size.height));
        let paint = Paint::new(&Theme::built_in(theme).unwrap(), depth);
        let cursor = draw(&mut buffer, &self.state, &paint);
        (buffer, cursor)
    }

    /// Returns the screen as text, without spaces at the ends of its lines.
    pub fn screen(&self) -> String {
        let (buffer, _) = self.buffer("dark", Depth::True);
        text_of(&buffer)
    }

    /// Returns one line of the screen.
    pub fn line_with(&self, text: &str) -> String {
        let screen = self.screen();
        screen
            .lines()
            .find(|line| line.contains(text))
            .unwrap_or_else(|| panic!("{text} is in\n{screen}"))
            .to_owned()
    }
}

pub fn text_of(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            if skip > 0 {
                skip -= 1;
                continue;
            }
            line.push_str(symbol);
            skip = unicode_width::UnicodeWidthStr::width(symbol).saturating_sub(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
