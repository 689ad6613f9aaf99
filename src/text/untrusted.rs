//! Defines text from outside (a cluster, Git, a forge, a child program) as a type, and how it is shown on a terminal.
//!
//! [`Outside`] has no way to print itself raw: `Display` and `Debug` go through the terminal's encoder, and every other
//! sink has its own encoder in [`super::sink`]. Encoding twice does no harm: what an encoder writes, it leaves alone.

use std::borrow::Cow;
use std::fmt;

/// Text from outside. It prints with everything made visible that a terminal would act on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Outside(String);

impl Outside {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Takes bytes that should be UTF-8; what is not becomes U+FFFD.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(String::from_utf8_lossy(bytes).into_owned())
    }

    /// Returns the text as it came. It must not reach a sink: compare it, parse it, or hand it to an encoder.
    pub fn raw(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the last line that is not blank, which is where most programs say what went wrong.
    pub fn last_line(&self) -> Option<&str> {
        self.0.lines().rev().map(str::trim).find(|line| !line.is_empty())
    }
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&terminal_lines(&self.0))
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", terminal(&self.0))
    }
}

impl From<&str> for Outside {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Outside {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Returns the text as one line for a terminal: control characters as their pictures (`␛`, `␊`), characters that
/// reorder or hide text as `\u{202e}`.
pub fn terminal(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    text.chars().for_each(|c| push_visible(&mut shown, c));
    Cow::Owned(shown)
}

/// Returns the text for a terminal with its line breaks kept and tabs as four spaces; the rest as [`terminal`].
pub fn terminal_lines(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| c == '\n' || is_plain(c)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => shown.push('\n'),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\t' => shown.push_str("    "),
            _ => push_visible(&mut shown, c),
        }
    }
    Cow::Owned(shown)
}

/// Returns whether a terminal only ever draws this character.
pub fn is_plain(c: char) -> bool {
    !c.is_control() && !is_invisible(c)
}

/// Appends a character as it is, or made visible.
pub(super) fn push_visible(shown: &mut String, c: char) {
    match c {
        // The control pictures stand in the order of the control characters.
        '\u{0}'..='\u{1f}' => shown.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
        '\u{7f}' => shown.push('␡'),
        c if is_plain(c) => shown.push(c),
        c => shown.extend(c.escape_unicode()),
    }
}

/// Returns whether a character reorders, joins, hides or breaks text without being seen.
///
/// Source: the Unicode categories Cf, Zl and Zp and the default ignorable code points, without the variation selectors
/// FE00 to FE0F that emoji need.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
        | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_bidirectional_characters_are_made_visible() {
        assert_eq!(terminal("a\x1b[31mb\r\n\t\x7f\u{9b}c\u{202e}d"), "a␛[31mb␍␊␉␡\\u{9b}c\\u{202e}d");
        assert_eq!(terminal_lines("a\r\nb\tc\rd\x07"), "a\nb    c␍d␇");
    }

    #[test]
    fn plain_text_is_not_copied() {
        for plain in ["", "é 日本 👍🏽", "a:b \"c\" \\ {d}"] {
            assert!(matches!(terminal(plain), Cow::Borrowed(same) if same == plain));
        }
    }

    #[test]
    fn encoding_twice_changes_nothing() {
        let all: String = (0..0x3000).filter_map(char::from_u32).collect();
        let once = terminal(&all).into_owned();
        assert_eq!(terminal(&once), once);
        assert!(!once.chars().any(char::is_control));
    }
}
