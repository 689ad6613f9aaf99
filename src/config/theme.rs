//! Defines themes: which role on the screen has which colour and weight, read from YAML.
//!
//! A theme is data. It names colours as `#rrggbb`, with the one of the sixteen that stands in for it where the
//! terminal has no more; without that, the nearest is taken.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// What a piece of the screen is for. Every role has a style in every theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Ordinary text.
    Text,
    /// What is in order, or only explains: it recedes.
    Dim,
    /// Rules between columns.
    Rule,
    /// Titles of columns and screens.
    Title,
    /// The focused column's title, and keys in footer and help.
    Accent,
    /// The row under the cursor, where the keys go.
    Cursor,
    /// The row under the cursor of a column that is not focused.
    Selected,
    /// What Git declares.
    Desired,
    /// What the cluster holds.
    Live,
    /// Words that differ, on the desired side.
    DesiredWord,
    /// Words that differ, on the live side.
    LiveWord,
    /// Marks and counts of drift.
    Drift,
    /// Unknown, stale, invalid, behind, dirty: what could mislead.
    Warning,
    /// Failures.
    Error,
    /// What came right just now: an applied step.
    Good,
    /// The bar and count of what was not looked at yet.
    New,
    /// The words PROTECTED and READ-ONLY.
    Guard,
    /// Letters that match a filter or search.
    Match,
    /// YAML: keys.
    Key,
    /// YAML: strings.
    String,
    /// YAML: numbers.
    Number,
    /// YAML: true, false, null.
    Constant,
    /// YAML: comments.
    Comment,
}

impl Role {
    pub const ALL: [Role; 23] = [
        Role::Text,
        Role::Dim,
        Role::Rule,
        Role::Title,
        Role::Accent,
        Role::Cursor,
        Role::Selected,
        Role::Desired,
        Role::Live,
        Role::DesiredWord,
        Role::LiveWord,
        Role::Drift,
        Role::Warning,
        Role::Error,
        Role::Good,
        Role::New,
        Role::Guard,
        Role::Match,
        Role::Key,
        Role::String,
        Role::Number,
        Role::Constant,
        Role::Comment,
    ];
}

/// A colour of eight bits a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// How a role looks. Absent colours are the terminal's own.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Style {
    pub fg: Option<Rgb>,
    pub bg: Option<Rgb>,
    /// The one of the sixteen colours, 0 to 15, that stands in for `fg`.
    pub fg16: Option<u8>,
    /// The one of the sixteen colours, 0 to 15, that stands in for `bg`.
    pub bg16: Option<u8>,
    pub bold: bool,
    pub dim: bool,
    pub italic: bool,
    pub underline: bool,
    pub reverse: bool,
}

/// Every role's style.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    pub name: String,
    /// The background that the colours were chosen for. It is not painted.
    pub background: Rgb,
    styles: BTreeMap<Role, Style>,
}

/// What is wrong with a theme file.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    #[error("{file}: {source}")]
    Syntax { file: String, source: serde_yaml::Error },
    #[error("{file}: the role {role:?} has no style")]
    MissingRole { file: String, role: Role },
    #[error("{file}: {role:?} names colour {number} of 16; they are counted from 0 to 15")]
    NoSuchColour { file: String, role: Role, number: u8 },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    background: Rgb,
    roles: BTreeMap<Role, Style>,
}

impl Theme {
    /// Reads a theme. `file` names it in errors.
    pub fn read(file: &str, text: &str) -> Result<Self, ThemeError> {
        let read: File = serde_yaml::from_str(text)
            .map_err(|source| ThemeError::Syntax { file: file.to_owned(), source })?;
        for role in Role::ALL {
            let Some(style) = read.roles.get(&role) else {
                return Err(ThemeError::MissingRole { file: file.to_owned(), role });
            };
            if let Some(number) = [style.fg16, style.bg16].into_iter().flatten().find(|n| *n > 15) {
                return Err(ThemeError::NoSuchColour { file: file.to_owned(), role, number });
            }
        }
        Ok(Self { name: read.name, background: read.background, styles: read.roles })
    }

    /// Returns the theme of this name that comes with driftdeck: `dark`, `light` or `none`.
    pub fn built_in(name: &str) -> Option<Self> {
        let text = match name {
            "dark" => include_str!("../../assets/themes/dark.yaml"),
            "light" => include_str!("../../assets/themes/light.yaml"),
            "none" => include_str!("../../assets/themes/none.yaml"),
            _ => return None,
        };
        Self::read(name, text).ok()
    }

    /// Returns a theme without any style, for terminals that were asked for no colour at all and for broken files.
    pub fn bare() -> Self {
        Self { name: "bare".to_owned(), background: Rgb(0, 0, 0), styles: BTreeMap::new() }
    }

    pub fn style(&self, role: Role) -> Style {
        self.styles.get(&role).cloned().unwrap_or_default()
    }
}

impl Rgb {
    /// Returns the contrast ratio of two colours, from 1 to 21.
    ///
    /// Source: WCAG 2.2, relative luminance and contrast ratio.
    pub fn contrast(self, other: Rgb) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        fn linear(channel: u8) -> f64 {
            let c = f64::from(channel) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        }
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// Returns the nearest of xterm's 256 colours, leaving out the first sixteen, which every terminal defines anew.
    pub fn to_256(self) -> u8 {
        const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
        let nearest = |channel: u8| {
            (0_u8..6).min_by_key(|i| STEPS[usize::from(*i)].abs_diff(channel)).unwrap_or_default()
        };
        let (r, g, b) = (nearest(self.0), nearest(self.1), nearest(self.2));
        let cube = Rgb(STEPS[usize::from(r)], STEPS[usize::from(g)], STEPS[usize::from(b)]);
        let mean = (u16::from(self.0) + u16::from(self.1) + u16::from(self.2)) / 3;
        let step = u8::try_from(mean.saturating_sub(3) / 10).unwrap_or(23).min(23);
        let level = 8 + 10 * step;
        let grey = Rgb(level, level, level);
        if self.distance(grey) < self.distance(cube) { 232 + step } else { 16 + 36 * r + 6 * g + b }
    }

    /// Returns the nearest of the sixteen colours as xterm draws them.
    pub fn to_16(self) -> u8 {
        const SIXTEEN: [Rgb; 16] = [
            Rgb(0, 0, 0),
            Rgb(205, 0, 0),
            Rgb(0, 205, 0),
            Rgb(205, 205, 0),
            Rgb(0, 0, 238),
            Rgb(205, 0, 205),
            Rgb(0, 205, 205),
            Rgb(229, 229, 229),
            Rgb(127, 127, 127),
            Rgb(255, 0, 0),
            Rgb(0, 255, 0),
            Rgb(255, 255, 0),
            Rgb(92, 92, 255),
            Rgb(255, 0, 255),
            Rgb(0, 255, 255),
            Rgb(255, 255, 255),
        ];
        (0_u8..16).min_by_key(|i| self.distance(SIXTEEN[usize::from(*i)])).unwrap_or_default()
    }

    fn distance(self, other: Rgb) -> u32 {
        let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
        square(self.0, other.0) + square(self.1, other.1) + square(self.2, other.2)
    }
}

impl<'de> Deserialize<'de> for Rgb {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let channel = |at: usize| text.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (text.len() == 7 && text.starts_with('#'), channel(1), channel(3), channel(5)) {
            (true, Some(r), Some(g), Some(b)) => Ok(Rgb(r, g, b)),
            _ => {
                Err(serde::de::Error::custom(format!("`{text}` is no colour: it is written as \"#rrggbb\"")))
            }
        }
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rules divide; everything else is read, also what recedes: who wrote a value, and when.
    fn is_read(role: &Role) -> bool {
        *role != Role::Rule
    }

    /// Returns what lies behind a role's text: its own background, or the terminal's, the cursor's, the selection's.
    fn behind(theme: &Theme, role: Role) -> Vec<Option<Style>> {
        match theme.style(role) {
            style if style.bg.is_some() => vec![Some(style)],
            _ => vec![None, Some(theme.style(Role::Cursor)), Some(theme.style(Role::Selected))],
        }
    }

    /// Returns one of xterm's colours from 16 on.
    fn of_256(number: u8) -> Rgb {
        const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
        let step = |at: u8| STEPS[usize::from(at % 6)];
        match number {
            232.. => Rgb(8 + 10 * (number - 232), 8 + 10 * (number - 232), 8 + 10 * (number - 232)),
            _ => Rgb(step((number - 16) / 36), step((number - 16) / 6), step(number - 16)),
        }
    }

    #[test]
    fn text_has_a_contrast_of_seven_to_one_also_under_the_cursor_and_with_256_colours() {
        for name in ["dark", "light"] {
            let theme = Theme::built_in(name).unwrap();
            let text = theme.style(Role::Text).fg.unwrap();
            for (role, few) in Role::ALL.into_iter().filter(is_read).flat_map(|r| [(r, false), (r, true)]) {
                let shown = |color: Rgb| if few { of_256(color.to_256()) } else { color };
                let fg = shown(theme.style(role).fg.unwrap_or(text));
                for under in behind(&theme, role) {
                    let bg = under.and_then(|style| style.bg).map_or(theme.background, shown);
                    let ratio = fg.contrast(bg);
                    assert!(ratio >= 7.0, "{name} {role:?} {fg} on {bg}: {ratio:.2}");
                }
            }
        }
    }

    #[test]
    fn no_text_has_the_colour_of_what_is_behind_it_where_there_are_sixteen() {
        for name in ["dark", "light"] {
            let theme = Theme::built_in(name).unwrap();
            let sixteen = |own: Option<u8>, rgb: Option<Rgb>| own.or_else(|| rgb.map(Rgb::to_16));
            for role in Role::ALL {
                let style = theme.style(role);
                let fg = sixteen(style.fg16, style.fg.or(theme.style(Role::Text).fg));
                for under in behind(&theme, role) {
                    let bg = match under {
                        Some(under) => sixteen(under.bg16, under.bg),
                        None => Some(theme.background.to_16()),
                    };
                    assert_ne!(fg, bg, "{name} {role:?}");
                }
            }
        }
    }

    #[test]
    fn desired_is_blue_and_live_is_orange_in_every_theme_with_colours() {
        for name in ["dark", "light"] {
            let theme = Theme::built_in(name).unwrap();
            let (desired, live) = (theme.style(Role::Desired), theme.style(Role::Live));
            let (Rgb(dr, _, db), Rgb(lr, lg, lb)) = (desired.fg.unwrap(), live.fg.unwrap());
            assert!(db > dr && lr > lg && lg >= lb, "{name}");
            assert_ne!(desired.fg16, live.fg16);
        }
    }

    #[test]
    fn the_theme_without_colours_has_none() {
        let theme = Theme::built_in("none").unwrap();
        assert!(Role::ALL.iter().all(|r| theme.style(*r).fg.is_none() && theme.style(*r).bg.is_none()));
    }

    #[test]
    fn colours_fall_back_to_the_nearest() {
        assert_eq!(Rgb(255, 0, 0).to_256(), 196);
        assert_eq!(Rgb(128, 128, 128).to_256(), 244);
        assert_eq!(Rgb(250, 250, 250).to_16(), 15);
        assert_eq!(Rgb(10, 0, 230).to_16(), 4);
    }

    #[test]
    fn a_mistake_names_the_file_and_what_is_wrong() {
        let error = Theme::read("mine.yaml", "name: x\nbackground: \"red\"\nroles: {}\n").unwrap_err();
        assert!(error.to_string().starts_with("mine.yaml: "), "{error}");
        assert!(error.to_string().contains("`red` is no colour"), "{error}");
        let error = Theme::read("mine.yaml", "name: x\nbackground: \"#000000\"\nroles: {}\n").unwrap_err();
        assert_eq!(error.to_string(), "mine.yaml: the role Text has no style");
    }
}
