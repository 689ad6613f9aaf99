//! Defines how results leave the program: one document or text on stdout, notices on stderr.
//!
//! A closed pipe ends quietly. JSON and YAML escape control and bidirectional characters, so that a document shown on a terminal
//! carries nothing but text; a reader of the document gets the original characters back.

use crate::model::{Level, Notice};
use crate::text as encode;
use serde::Serialize;
use serde_json::Value as Json;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter};
use std::io::{self, IsTerminal, Write};

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
    Yaml,
}

/// The way out for results.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub format: Format,
    pub quiet: bool,
    pub colour: bool,
}

impl Output {
    /// Decides about colour: to a terminal, unless it was refused by `--no-color`, `NO_COLOR` or a dumb terminal.
    pub fn new(format: Format, quiet: bool, no_color: bool) -> Self {
        let refused = no_color
            || std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|t| t == "dumb");
        Self { format, quiet, colour: !refused && io::stdout().is_terminal() }
    }

    /// Writes a document in the chosen form. For text, `as_text` makes it.
    pub fn document(
        &self,
        document: impl FnOnce() -> Json,
        as_text: impl FnOnce() -> String,
    ) -> io::Result<()> {
        match self.format {
            Format::Text => self::text(&as_text()),
            Format::Json => quiet_pipe(write_all(&json_text(&document()))),
            Format::Yaml => quiet_pipe(write_all(&encode::yaml::write(&document().into()))),
        }
    }

    /// Writes a line about what is waited for to stderr, unless it is not wanted there: quiet, or for a program.
    pub fn progress(&self, line: &str) {
        if !self.quiet && self.format == Format::Text {
            // Nobody can be told that stderr is closed.
            let _ = writeln!(io::stderr().lock(), "{}", encode::terminal(line));
        }
    }

    /// Writes notices to stderr, unless the document carries them or quiet was asked for.
    pub fn notices(&self, notices: &[Notice]) {
        if self.format != Format::Text {
            return;
        }
        for notice in notices.iter().filter(|n| !self.quiet || n.level == Level::Error) {
            self::notice(notice);
        }
    }
}

/// Writes text to stdout. It must have gone through the terminal's encoder already.
pub fn text(text: &str) -> io::Result<()> {
    quiet_pipe(write_all(text))
}

/// Writes one notice to stderr.
pub fn notice(notice: &Notice) {
    let mut line = format!("{}: {}", notice.level.word(), encode::terminal(&notice.title));
    if let Some(object) = &notice.object {
        line += &format!(" ({})", encode::terminal(object));
    }
    if let Some(file) = &notice.file {
        line += &format!(" at {}", encode::terminal(file));
        if let Some(number) = notice.line {
            line += &format!(":{number}");
        }
    }
    for (word, more) in [("cause", &notice.cause), ("hint", &notice.hint)] {
        if let Some(more) = more {
            line += &format!("\n  {word}: {}", encode::terminal_lines(more).replace('\n', "\n    "));
        }
    }
    // Nobody can be told that stderr is closed.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Returns a document as indented JSON with a final newline.
pub fn json_text(document: &Json) -> String {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Escaping(PrettyFormatter::new()));
    // Writing JSON values into memory cannot fail.
    let _ = document.serialize(&mut serializer);
    bytes.push(b'\n');
    String::from_utf8(bytes).unwrap_or_default()
}

fn write_all(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

fn quiet_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Pretty JSON in which everything that a terminal could act on is escaped.
struct Escaping<'a>(PrettyFormatter<'a>);

impl Formatter for Escaping<'_> {
    fn begin_array<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.begin_array(w)
    }
    fn end_array<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.end_array(w)
    }
    fn begin_array_value<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(w, first)
    }
    fn end_array_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.end_array_value(w)
    }
    fn begin_object<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.begin_object(w)
    }
    fn end_object<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.end_object(w)
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(w, first)
    }
    fn begin_object_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.begin_object_value(w)
    }
    fn end_object_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        self.0.end_object_value(w)
    }
    fn write_string_fragment<W: ?Sized + Write>(&mut self, w: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (at, character) in fragment.char_indices().filter(|(_, c)| !encode::is_plain(*c)) {
            w.write_all(&fragment.as_bytes()[plain..at])?;
            let mut units = [0_u16; 2];
            for unit in character.encode_utf16(&mut units) {
                write!(w, "\\u{unit:04x}")?;
            }
            plain = at + character.len_utf8();
        }
        w.write_all(&fragment.as_bytes()[plain..])
    }
    fn write_char_escape<W: ?Sized + Write>(&mut self, w: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(w, escape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_on_a_terminal_carries_no_control_or_bidirectional_character() {
        let hostile = serde_json::json!({ "name": "a\u{1b}[2J\u{202e}b\u{9b}31m\u{7f}\u{2066}" });
        let text = json_text(&hostile);
        assert!(text.chars().all(|c| c == '\n' || encode::is_plain(c)), "{text:?}");
        assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), hostile, "a reader gets the original back");
    }
}
