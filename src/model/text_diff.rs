//! Defines a text diff as data without styles: what the unified and the side-by-side view draw.

/// A diff of two texts, desired first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextDiff {
    pub lines: Vec<DiffLine>,
    /// The diff was cut at the limit of lines.
    pub cut: bool,
}

/// One line of a diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    pub side: Side,
    /// The line's pieces in order; together they are the line without its end.
    pub pieces: Vec<Piece>,
    /// The line's number in the desired text, from 1.
    pub desired_line: Option<usize>,
    /// The line's number in the live text, from 1.
    pub live_line: Option<usize>,
}

/// Which text a line is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    Both,
    Desired,
    Live,
}

/// A stretch of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    /// Differs from the other side's line.
    pub emphasised: bool,
    pub token: Token,
}

/// What a stretch is in the syntax of YAML; a theme gives it a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Token {
    #[default]
    Plain,
    Key,
    Text,
    Number,
    Constant,
    Comment,
    Punctuation,
}
