//! Defines the text diff of two renderings of one object, for the unified and the side-by-side view.

use crate::model::TextDiff;
use crate::model::limits::DIFF_LINES;
use crate::model::text_diff::{DiffLine, Piece, Side, Token};
use similar::{ChangeTag, TextDiff as Lines};

/// Compares two texts line by line, desired first, and marks within changed lines the words that differ.
///
/// Each text is cut at [`DIFF_LINES`] lines; `cut` then says so.
pub fn text_diff(desired: &str, live: &str) -> TextDiff {
    let (desired, desired_cut) = bounded(desired);
    let (live, live_cut) = bounded(live);
    let diff = Lines::from_lines(desired, live);
    let mut lines = Vec::new();
    for op in diff.ops() {
        for change in diff.iter_inline_changes(op) {
            let side = match change.tag() {
                ChangeTag::Equal => Side::Both,
                ChangeTag::Delete => Side::Desired,
                ChangeTag::Insert => Side::Live,
            };
            lines.push(DiffLine {
                side,
                pieces: pieces(change.iter_strings_lossy()),
                desired_line: change.old_index().map(|i| i + 1),
                live_line: change.new_index().map(|i| i + 1),
            });
        }
    }
    TextDiff { lines, cut: desired_cut || live_cut }
}

/// Returns the text up to the limit of lines, and whether there was more.
fn bounded(text: &str) -> (&str, bool) {
    match text.match_indices('\n').nth(DIFF_LINES - 1) {
        Some((at, _)) if at + 1 < text.len() => (text.get(..=at).unwrap_or(text), true),
        _ => (text, false),
    }
}

/// Returns a line's pieces without its end, neighbours of one kind joined.
fn pieces<'a>(parts: impl Iterator<Item = (bool, std::borrow::Cow<'a, str>)>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (emphasised, part) in parts {
        let text = part.trim_end_matches(['\n', '\r']);
        if text.is_empty() {
            continue;
        }
        match pieces.last_mut() {
            Some(last) if last.emphasised == emphasised => last.text.push_str(text),
            _ => pieces.push(Piece { text: text.to_owned(), emphasised, token: Token::Plain }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(diff: &TextDiff) -> String {
        let mut out = String::new();
        for line in &diff.lines {
            out.push(match line.side {
                Side::Both => ' ',
                Side::Desired => '-',
                Side::Live => '+',
            });
            for piece in &line.pieces {
                let text = &piece.text;
                out.push_str(&if piece.emphasised { format!("<{text}>") } else { text.clone() });
            }
            out.push('\n');
        }
        out
    }

    #[test]
    fn the_words_that_differ_are_emphasised() {
        let diff =
            text_diff("a: 1\nimage: shop:1.2 # pinned\nz: 3\n", "a: 1\nimage: shop:1.3 # pinned\nz: 3\n");
        assert_eq!(shown(&diff), " a: 1\n-image: <shop:1.2> # pinned\n+image: <shop:1.3> # pinned\n z: 3\n");
        assert_eq!((diff.lines[1].desired_line, diff.lines[1].live_line), (Some(2), None));
        assert_eq!((diff.lines[3].desired_line, diff.lines[3].live_line), (Some(3), Some(3)));
        assert!(!diff.cut);
    }

    #[test]
    fn an_added_line_has_no_desired_line() {
        let diff = text_diff("a\n", "a\nb\n");
        assert_eq!(shown(&diff), " a\n+b\n");
        assert_eq!(diff.lines[1].desired_line, None);
    }

    #[test]
    fn a_text_over_the_limit_is_cut_and_says_so() {
        let long = "x\n".repeat(DIFF_LINES + 5);
        let diff = text_diff(&long, &long);
        assert_eq!(diff.lines.len(), DIFF_LINES);
        assert!(diff.cut);
        assert!(!text_diff("x\n", "x\n").cut);
    }
}
