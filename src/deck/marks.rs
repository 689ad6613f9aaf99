//! Defines marks: the one character, or four letters, by which a verdict or class is told apart without colour.

use super::state::Options;
use crate::model::{Class, Verdict};

/// Characters of marks, rules and cuts, in Unicode or in ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    pub new: &'static str,
    pub cursor: &'static str,
    pub tick: &'static str,
    pub arrow: &'static str,
    pub cut: char,
    pub rule: &'static str,
    pub bar: &'static str,
    pub tee: &'static str,
    pub absent: &'static str,
    pub fold: &'static str,
    pub dot: &'static str,
    /// Behind and ahead of the upstream.
    pub distance: [&'static str; 2],
    pub corners: [&'static str; 4],
    pub spinner: [&'static str; 8],
}

const UNICODE: Glyphs = Glyphs {
    new: "▌",
    cursor: "›",
    tick: "■",
    arrow: "→",
    cut: '…',
    rule: "─",
    bar: "│",
    tee: "┬",
    absent: "—",
    fold: "⋯",
    dot: "·",
    distance: ["↓", "↑"],
    corners: ["┌", "┐", "└", "┘"],
    spinner: ["⠋", "⠙", "⠸", "⠴", "⠦", "⠧", "⠇", "⠏"],
};

const ASCII: Glyphs = Glyphs {
    new: "|",
    cursor: ">",
    tick: "#",
    arrow: "->",
    cut: '~',
    rule: "-",
    bar: "|",
    tee: "+",
    absent: "(none)",
    fold: "...",
    dot: ".",
    distance: ["-", "+"],
    corners: ["+", "+", "+", "+"],
    spinner: ["|", "/", "-", "\\", "|", "/", "-", "\\"],
};

impl Glyphs {
    pub fn of(options: &Options) -> Self {
        if options.ascii { ASCII } else { UNICODE }
    }
}

/// Returns a verdict's mark.
pub fn verdict(verdict: &Verdict, options: &Options) -> &'static str {
    verdict_word(verdict.word(), options)
}

/// Returns the mark of a verdict by its word.
pub fn verdict_word(word: &str, options: &Options) -> &'static str {
    let (glyph, ascii, letters) = match word {
        "drifted" => ("✗", "x", "DRFT"),
        "missing" => ("○", "o", "MISS"),
        "extra" => ("⊕", "+", "XTRA"),
        "terminating" => ("↓", "v", "TERM"),
        "invalid" => ("!", "!", "INVL"),
        "in-sync" => ("✓", "=", "OK  "),
        "excluded" => ("·", ".", "SKIP"),
        _ => ("?", "?", "UNKN"),
    };
    match (options.words, options.ascii) {
        (true, _) => letters,
        (false, true) => ascii,
        (false, false) => glyph,
    }
}

/// Returns how many cells a verdict's mark takes.
pub fn width(options: &Options) -> u16 {
    if options.words { 4 } else { 1 }
}

/// Returns a class's letter. `H` is by hand: what Git does not declare and somebody else than the deployer set. Where that was
/// a controller or a webhook, the line says so.
pub fn class(class: Class) -> &'static str {
    match class {
        Class::Changed => "C",
        Class::Deleted => "D",
        Class::Foreign => "H",
        Class::Leftover => "L",
        Class::Contended => "W",
        Class::Delegated => "P",
        Class::Ignored => "I",
        Class::Order => "O",
    }
}
