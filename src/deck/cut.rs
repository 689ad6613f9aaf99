//! Defines how long texts are cut: by the cells that they take, never within a character, and never silently.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Returns how many cells a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Cuts a text at its end.
pub fn cut_end(text: &str, cells: usize, mark: char) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let mut cut = head(text, cells.saturating_sub(1)).to_owned();
    push_mark(&mut cut, cells, mark);
    cut
}

/// Cuts a path from the left: its end tells it apart.
pub fn cut_start(text: &str, cells: usize, mark: char) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let mut cut = String::new();
    push_mark(&mut cut, cells, mark);
    cut.push_str(tail(text, cells.saturating_sub(1)));
    cut
}

/// Cuts a name in its middle: both ends tell it apart.
pub fn cut_middle(text: &str, cells: usize, mark: char) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let room = cells.saturating_sub(1);
    let mut cut = head(text, room.div_ceil(2)).to_owned();
    let left = width(&cut);
    push_mark(&mut cut, cells, mark);
    cut.push_str(tail(text, room - left));
    cut
}

/// Cuts the path of a field from the left, at the start of a segment where that leaves most of the room used.
pub fn cut_path(path: &str, cells: usize, mark: char) -> String {
    let cut = cut_start(path, cells, mark);
    let Some(rest) = cut.strip_prefix(mark) else { return cut };
    let mut quoted =
        path.get(..path.len() - rest.len()).is_some_and(|gone| gone.matches('"').count() % 2 == 1);
    for (at, c) in rest.char_indices() {
        quoted ^= c == '"';
        if at * 2 > rest.len() {
            break;
        }
        if c == '.' && !quoted {
            return format!("{mark}{}", rest.get(at + 1..).unwrap_or(rest));
        }
    }
    cut
}

fn push_mark(cut: &mut String, cells: usize, mark: char) {
    if cells > 0 {
        cut.push(mark);
    }
}

/// Returns the longest start of a text that fits.
pub fn head(text: &str, cells: usize) -> &str {
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += grapheme.width();
        if used > cells {
            return text.get(..at).unwrap_or("");
        }
    }
    text
}

/// Returns the longest end of a text that fits.
pub fn tail(text: &str, cells: usize) -> &str {
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        used += grapheme.width();
        if used > cells {
            return text.get(at + grapheme.len()..).unwrap_or("");
        }
    }
    text
}

/// Returns what remains of a text after so many cells from its start; half a wide character becomes a space.
pub fn scrolled(text: &str, cells: usize) -> String {
    let skipped = head(text, cells);
    let rest = text.get(skipped.len()..).unwrap_or("");
    if width(skipped) < cells && !rest.is_empty() {
        let mut graphemes = rest.graphemes(true);
        graphemes.next();
        return format!(" {}", graphemes.as_str());
    }
    rest.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_not_cut() {
        for cut in [cut_end, cut_start, cut_middle] {
            assert_eq!(cut("shop/web", 8, '…'), "shop/web");
        }
    }

    #[test]
    fn each_way_keeps_what_tells_apart() {
        assert_eq!(cut_end("abcdefghij", 5, '…'), "abcd…");
        assert_eq!(cut_start("apps/web/deployment.yaml:24", 10, '…'), "…t.yaml:24");
        assert_eq!(cut_middle("web-7c9d8f-abcde", 9, '…'), "web-…bcde");
    }

    #[test]
    fn a_path_is_cut_where_a_segment_starts() {
        let path = r#".spec.template.spec.containers[name="app"].image"#;
        assert_eq!(cut_path(path, 60, '…'), path);
        assert_eq!(cut_path(path, 33, '…'), r#"…containers[name="app"].image"#);
        assert_eq!(cut_path(r#".a[name="x.y.zzzzzz"].b"#, 14, '…'), r#"….y.zzzzzz"].b"#);
    }

    #[test]
    fn wide_and_combining_characters_are_never_halved() {
        for text in ["日本語のクラスタ", "e\u{301}e\u{301}e\u{301}e\u{301}", "👍🏽👍🏽👍🏽👍🏽", "aあbいcうd"]
        {
            for cells in 0..12 {
                for cut in [cut_end, cut_start, cut_middle] {
                    assert!(width(&cut(text, cells, '…')) <= cells, "{text} in {cells}");
                }
            }
        }
        assert_eq!(cut_end("日本語", 4, '…'), "日…");
        assert_eq!(scrolled("日本語", 1), " 本語");
        assert_eq!(scrolled("abc", 5), "");
    }
}
