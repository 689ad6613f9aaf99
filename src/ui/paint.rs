//! Defines how a theme becomes what the terminal can show: true colour, 256, 16, or none.

use crate::config::theme::{Rgb, Role, Style as Themed, Theme};
use ratatui::style::{Color, Modifier, Style};
use std::collections::BTreeMap;

/// How many colours the terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// None: weight, underlining and reversal only.
    Plain,
    Sixteen,
    TwoHundredFiftySix,
    True,
}

/// A theme, ready for one terminal.
#[derive(Debug, Clone, PartialEq)]
pub struct Paint {
    styles: BTreeMap<Role, Style>,
}

impl Depth {
    /// Tells the depth from what the environment says, as programs agree on it.
    ///
    /// Sources: no-color.org for `NO_COLOR`; `COLORTERM=truecolor|24bit`; `-256color` in `TERM`.
    pub fn of(no_color: Option<&str>, colorterm: Option<&str>, term: Option<&str>) -> Self {
        if no_color.is_some_and(|value| !value.is_empty()) || term == Some("dumb") {
            return Depth::Plain;
        }
        if colorterm.is_some_and(|value| matches!(value, "truecolor" | "24bit")) {
            return Depth::True;
        }
        match term {
            Some(term) if term.contains("direct") => Depth::True,
            Some(term) if term.contains("256color") || term.starts_with("xterm-kitty") => {
                Depth::TwoHundredFiftySix
            }
            Some(term) if term.starts_with("vt") => Depth::Plain,
            _ => Depth::Sixteen,
        }
    }
}

impl Paint {
    pub fn new(theme: &Theme, depth: Depth) -> Self {
        // Without colours the theme without colours is the one that still tells things apart.
        let plain = (depth == Depth::Plain).then(|| Theme::built_in("none")).flatten();
        let theme = plain.as_ref().unwrap_or(theme);
        Self { styles: Role::ALL.iter().map(|role| (*role, style(&theme.style(*role), depth))).collect() }
    }

    pub fn style(&self, role: Role) -> Style {
        self.styles.get(&role).copied().unwrap_or_default()
    }
}

fn style(themed: &Themed, depth: Depth) -> Style {
    let mut style = Style::default();
    if let Some(fg) = color(themed.fg, themed.fg16, depth) {
        style = style.fg(fg);
    }
    if let Some(bg) = color(themed.bg, themed.bg16, depth) {
        style = style.bg(bg);
    }
    let modifiers = [
        (themed.bold, Modifier::BOLD),
        (themed.dim, Modifier::DIM),
        (themed.italic, Modifier::ITALIC),
        (themed.underline, Modifier::UNDERLINED),
        (themed.reverse, Modifier::REVERSED),
    ];
    for (_, modifier) in modifiers.into_iter().filter(|(wanted, _)| *wanted) {
        style = style.add_modifier(modifier);
    }
    style
}

fn color(rgb: Option<Rgb>, sixteen: Option<u8>, depth: Depth) -> Option<Color> {
    let rgb = rgb?;
    Some(match depth {
        Depth::Plain => return None,
        Depth::True => Color::Rgb(rgb.0, rgb.1, rgb.2),
        Depth::TwoHundredFiftySix => Color::Indexed(rgb.to_256()),
        Depth::Sixteen => Color::Indexed(sixteen.unwrap_or_else(|| rgb.to_16())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_tells_the_depth() {
        let cases = [
            ((None, Some("truecolor"), Some("xterm-256color")), Depth::True),
            ((None, None, Some("xterm-256color")), Depth::TwoHundredFiftySix),
            ((None, None, Some("linux")), Depth::Sixteen),
            ((None, None, None), Depth::Sixteen),
            ((Some("1"), Some("truecolor"), Some("xterm-256color")), Depth::Plain),
            ((Some(""), Some("truecolor"), None), Depth::True),
            ((None, Some("truecolor"), Some("dumb")), Depth::Plain),
        ];
        for ((no_color, colorterm, term), depth) in cases {
            assert_eq!(Depth::of(no_color, colorterm, term), depth);
        }
    }

    #[test]
    fn fewer_colours_never_become_more() {
        let theme = Theme::built_in("dark").unwrap();
        for role in Role::ALL {
            assert_eq!(Paint::new(&theme, Depth::Plain).style(role).fg, None, "{role:?}");
            let sixteen = Paint::new(&theme, Depth::Sixteen).style(role);
            for color in [sixteen.fg, sixteen.bg].into_iter().flatten() {
                assert!(matches!(color, Color::Indexed(0..16)), "{role:?} {color:?}");
            }
        }
    }
}
