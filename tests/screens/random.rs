//! Random keys, sizes and news: the deck never panics and never draws outside its screen.

use crate::typist::Typist;
use crate::world;
use driftdeck::deck::{Message, Mouse, Size};
use driftdeck::model::{Key, KeyCode};
use driftdeck::ui::Depth;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Event {
    Key(Key),
    Resize(u16, u16),
    Click(u16, u16),
    Paste(String),
    News(usize),
    Answer,
    Wait(i64),
}

fn key() -> impl Strategy<Value = Key> {
    let named = [
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Backspace,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::PageDown,
        KeyCode::PageUp,
    ];
    prop_oneof![
        6 => proptest::sample::select("jkhlgG123 4vwdfimst*/n:?!uyaSA]}[{zreq".chars().collect::<Vec<_>>())
            .prop_map(Key::char),
        2 => proptest::sample::select(named.to_vec()).prop_map(Key::plain),
        1 => proptest::sample::select("dulrp".chars().collect::<Vec<_>>()).prop_map(Key::ctrl),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => key().prop_map(Event::Key),
        1 => (1_u16..200, 1_u16..60).prop_map(|(w, h)| Event::Resize(w, h)),
        1 => (0_u16..200, 0_u16..60).prop_map(|(x, y)| Event::Click(x, y)),
        1 => ".{0,20}".prop_map(Event::Paste),
        2 => (0_usize..40).prop_map(Event::News),
        1 => Just(Event::Answer),
        1 => (0_i64..10).prop_map(Event::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_use_of_the_deck_makes_it_panic(
        width in 1_u16..180,
        height in 1_u16..60,
        events in proptest::collection::vec(event(), 1..60),
    ) {
        let mut typist = Typist::at(width, height);
        let news = world::updates();
        for event in events {
            match event {
                Event::Key(key) => typist.key(key),
                Event::Resize(width, height) => typist.send(Message::Resize { size: Size { width, height } }),
                Event::Click(x, y) => typist.send(Message::Mouse { at: typist.now, event: Mouse::Click { x, y } }),
                Event::Paste(text) => typist.send(Message::Paste { at: typist.now, text }),
                Event::News(n) => typist.tell(news.iter().cycle().skip(n).take(3).cloned().collect()),
                Event::Answer => crate::screens::answer_diffs(&mut typist),
                Event::Wait(seconds) => {
                    typist.wait(jiff::SignedDuration::from_secs(seconds));
                }
            }
            let (buffer, cursor) = typist.buffer("none", Depth::Plain);
            if let Some((x, y)) = cursor {
                prop_assert!(x <= buffer.area.width && y < buffer.area.height, "the cursor is at {x},{y}");
            }
        }
    }
}
