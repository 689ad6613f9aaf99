//! Colours and weights, as they reach the screen.

use crate::typist::Typist;
use driftdeck::ui::Depth;
use ratatui::style::{Color, Modifier};

#[test]
fn desired_and_live_have_two_hues_everywhere() {
    for theme in ["dark", "light"] {
        let mut typist = Typist::at(120, 40);
        typist.keys("j 3 j 4 j");
        let (buffer, _) = typist.buffer(theme, Depth::True);
        let mut hues = std::collections::BTreeMap::new();
        for (word, text) in [("desired", "web:1.4.2 "), ("live", "web:1.4.3-hotfix")] {
            let (x, y) = find(&buffer, text);
            hues.insert(word, buffer[(x, y)].fg);
        }
        assert_ne!(hues["desired"], hues["live"]);
        for (word, hue) in hues {
            let title = if word == "live" { "→ live" } else { "─ desired" };
            let (x, y) = find(&buffer, title);
            assert_eq!(buffer[(x + 2, y)].fg, hue, "{word} in {theme}");
        }
    }
}

#[test]
fn without_colours_nothing_is_coloured_and_the_cursor_is_still_seen() {
    let typist = Typist::at(120, 40);
    let (buffer, _) = typist.buffer("dark", Depth::Plain);
    assert!(buffer.content().iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    assert!(buffer.content().iter().any(|cell| cell.modifier.contains(Modifier::REVERSED)));
}

#[test]
fn fewer_colours_are_kept_to() {
    let typist = Typist::at(120, 40);
    for (depth, most) in [(Depth::Sixteen, 15), (Depth::TwoHundredFiftySix, 255)] {
        let (buffer, _) = typist.buffer("dark", depth);
        for cell in buffer.content() {
            for color in [cell.fg, cell.bg] {
                assert!(
                    matches!(color, Color::Reset) || matches!(color, Color::Indexed(n) if n <= most),
                    "{color:?}"
                );
            }
        }
    }
}

#[test]
fn nothing_is_written_in_the_colour_of_its_background() {
    for theme in ["dark", "light"] {
        for depth in [Depth::Sixteen, Depth::TwoHundredFiftySix, Depth::True] {
            for keys in ["", "j 3 j 4", "j 3 j 4 j", "j 3 j 4 enter d / 'image enter", "m", "?", "3 j 4 i G"]
            {
                let mut typist = Typist::at(120, 40);
                typist.keys(keys);
                let (buffer, _) = typist.buffer(theme, depth);
                for cell in buffer.content().iter().filter(|cell| cell.symbol() != " ") {
                    assert!(
                        cell.fg != cell.bg || cell.fg == Color::Reset,
                        "{cell:?} in {theme}, {depth:?} after {keys}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_was_searched_for_keeps_its_own_background_under_the_cursor() {
    let mut typist = Typist::at(120, 40);
    typist.keys("j 3 j 4 enter d");
    crate::screens::answer_diffs(&mut typist);
    typist.keys("/ 'image enter");
    let (buffer, _) = typist.buffer("dark", Depth::True);
    let (x, y) = find(&buffer, "image");
    assert_eq!(buffer[(x, y)].bg, Color::Rgb(0x7f, 0xdb, 0xca));
}

#[test]
fn the_terminals_cursor_sits_on_the_focused_row() {
    let mut typist = Typist::at(120, 40);
    typist.keys("j");
    let (buffer, cursor) = typist.buffer("dark", Depth::True);
    let (x, y) = cursor.unwrap();
    let row: String = (x..x + 20).map(|x| buffer[(x, y)].symbol()).collect();
    assert!(row.contains("web"), "{row}");
}

#[test]
fn the_same_state_draws_the_same_screen() {
    let typist = Typist::at(120, 40);
    assert_eq!(typist.buffer("dark", Depth::True).0, typist.buffer("dark", Depth::True).0);
}

fn find(buffer: &ratatui::buffer::Buffer, text: &str) -> (u16, u16) {
    let letters: Vec<char> = text.chars().collect();
    for y in 0..buffer.area.height {
        for x in 0..buffer.area.width.saturating_sub(u16::try_from(letters.len()).unwrap()) {
            let same = letters
                .iter()
                .enumerate()
                .all(|(i, c)| buffer[(x + u16::try_from(i).unwrap(), y)].symbol() == c.to_string());
            if same {
                return (x, y);
            }
        }
    }
    panic!("{text} is on the screen");
}
