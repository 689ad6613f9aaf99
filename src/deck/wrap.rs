//! Defines how lines that are too long for their place go on in the next, and how a text is shown at all: encoded for
//! the terminal, and in ASCII where that is wanted.

use super::cut;
use super::words::ABSENT;
use crate::config::theme::Role;
use crate::text;
use std::borrow::Cow;

/// A line of words, each with what it is for.
pub type Words = Vec<(String, Role)>;

/// Returns a text as it may reach the terminal.
pub fn shown(text: &str, ascii: bool) -> Cow<'_, str> {
    let shown = text::terminal(text);
    if ascii && !shown.is_ascii() { Cow::Owned(in_ascii(&shown)) } else { shown }
}

/// Replaces our own signs by ASCII; what came from outside in other characters stays as it is written there.
fn in_ascii(text: &str) -> String {
    if text == ABSENT {
        return "(none)".to_owned();
    }
    let mut ascii = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '→' => ascii.push_str("->"),
            '—' => ascii.push('-'),
            '…' => ascii.push('~'),
            '·' => ascii.push('.'),
            '•' => ascii.push('*'),
            c => ascii.push(c),
        }
    }
    ascii
}

/// Returns a line as lines of at most so many cells, broken at spaces where that leaves most of the room used.
///
/// What goes on stands below where the text began: behind the labels, which are the leading words that end in a space.
pub fn wrap(line: &Words, cells: usize, ascii: bool) -> Vec<Words> {
    let line: Words = line.iter().map(|(text, role)| (shown(text, ascii).into_owned(), *role)).collect();
    let total: usize = line.iter().map(|(text, _)| cut::width(text)).sum();
    if total <= cells || cells == 0 {
        return vec![line];
    }
    let indent = indent(&line, cells);
    let mut lines: Vec<Words> = vec![Vec::new()];
    let mut left = cells;
    for (text, role) in line {
        let mut rest = text.as_str();
        while !rest.is_empty() {
            if cut::width(rest) <= left {
                left -= cut::width(rest);
                push(&mut lines, rest, role);
                break;
            }
            // A whole new line holds what this one has no room for, unless it is longer than that as well.
            let head = broken(rest, left, cells - indent);
            push(&mut lines, head.trim_end(), role);
            rest = rest.get(head.len()..).unwrap_or("").trim_start();
            lines.push(if indent > 0 { vec![(" ".repeat(indent), Role::Text)] } else { Vec::new() });
            left = cells - indent;
        }
    }
    lines
}

fn push(lines: &mut [Words], text: &str, role: Role) {
    if let Some(line) = lines.last_mut().filter(|_| !text.is_empty()) {
        line.push((text.to_owned(), role));
    }
}

fn indent(line: &Words, cells: usize) -> usize {
    let mut indent = 0;
    for (text, _) in line {
        let leading = cut::width(text) - cut::width(text.trim_start());
        if !text.ends_with(' ') || text.trim().is_empty() {
            indent += leading;
            break;
        }
        indent += cut::width(text);
    }
    if indent <= cells / 2 { indent } else { 2.min(cells - 1) }
}

/// Returns the start of a text that goes into this line: up to a space, or what fits of a word that no line holds.
fn broken(text: &str, left: usize, whole: usize) -> &str {
    let head = cut::head(text, left);
    if text.get(head.len()..).is_some_and(|rest| rest.starts_with(' ')) {
        return head;
    }
    let word_starts = head.trim_start().rfind(' ').map(|at| at + 1 + (head.len() - head.trim_start().len()));
    let start = word_starts.unwrap_or(0);
    let word = text.get(start..).and_then(|rest| rest.trim_start().split(' ').next()).unwrap_or("");
    if cut::width(word) <= whole {
        return text.get(..start).unwrap_or(head);
    }
    // At least one character moves on, or nothing ever would.
    if head.is_empty() && left >= whole {
        let first = text.chars().next().map_or(0, char::len_utf8);
        return text.get(..first).unwrap_or(text);
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(line: &[&str], cells: usize) -> Vec<String> {
        let line: Words = line.iter().map(|text| ((*text).to_owned(), Role::Text)).collect();
        wrap(&line, cells, false).iter().map(|l| l.iter().map(|(text, _)| text.as_str()).collect()).collect()
    }

    #[test]
    fn what_fits_stays_one_line() {
        assert_eq!(wrapped(&["  w   ", "who wrote it"], 18), ["  w   who wrote it"]);
    }

    #[test]
    fn what_goes_on_stands_below_where_the_text_began() {
        assert_eq!(
            wrapped(&["  w   ", "who wrote each side, when"], 18),
            ["  w   who wrote", "      each side,", "      when"]
        );
        assert_eq!(wrapped(&["   by hand, kubectl"], 14), ["   by hand,", "   kubectl"]);
    }

    #[test]
    fn a_word_that_no_line_holds_is_broken_and_nothing_of_it_is_lost() {
        let path = r#".spec.template.spec.containers[name="app"].image"#;
        let lines = wrapped(&[" C ", path], 20);
        assert!(lines.iter().all(|line| cut::width(line) <= 20), "{lines:?}");
        assert_eq!(lines.iter().map(|l| l.trim().trim_start_matches("C ")).collect::<String>(), path);
    }

    #[test]
    fn wrapping_ends_at_any_width_and_keeps_every_word() {
        for text in
            ["a bb ccc dddd", "日本語 のクラスタ", "x", "", "   ", "👍🏽👍🏽 👍🏽", "e\u{301}e\u{301} e\u{301}"]
        {
            for cells in 1..12 {
                let lines = wrapped(&["> ", text], cells);
                let joined: String = lines.concat().split_whitespace().collect();
                let wanted: String = format!("> {text}").split_whitespace().collect();
                assert_eq!(joined, wanted, "{text} in {cells}");
            }
        }
    }

    #[test]
    fn only_a_value_that_is_not_there_is_called_so_in_ascii() {
        assert_eq!(shown("—", true), "(none)");
        assert_eq!(shown("Release 2 — at last", true), "Release 2 - at last");
    }
}
