//! Defines where a step of an edit cuts the text of maps and lists in brackets, JSON included.

use super::super::compose::{Kind, NodeId, Style};
use super::EditFault;
use super::block::{Writer, colon_of};
use super::blocks::in_order;
use super::piece::{Cut, Piece};
use super::scalar::{self, Manner};
use crate::model::Value;

/// How the neighbours are written.
struct Marks {
    /// Behind a comma.
    gap: &'static str,
    /// Behind a colon.
    colon_gap: &'static str,
    /// Keys stand in double quotes.
    quoted_keys: bool,
}

impl Default for Marks {
    fn default() -> Self {
        Self { gap: " ", colon_gap: " ", quoted_keys: false }
    }
}

/// Returns a value on one line.
pub(super) fn written(writer: &Writer<'_>, value: &Value, was: Option<Style>) -> String {
    write(writer, value, was, &marks_of_document(writer.piece))
}

fn write(writer: &Writer<'_>, value: &Value, was: Option<Style>, marks: &Marks) -> String {
    let separator = format!(",{}", marks.gap);
    match value {
        Value::Map(fields) if !fields.is_empty() => {
            let fields =
                in_order(fields).into_iter().map(|(name, value)| entry(writer, Some(name), value, marks));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(&separator))
        }
        Value::List(items) if !items.is_empty() => {
            let items = items.iter().map(|item| write(writer, item, None, marks));
            format!("[{}]", items.collect::<Vec<_>>().join(&separator))
        }
        _ => scalar::inline(value, manner(writer, was)),
    }
}

fn manner(writer: &Writer<'_>, was: Option<Style>) -> Manner {
    Manner {
        attempt: writer.layout.attempt,
        flow: true,
        json: writer.piece.is_json,
        was,
        quotes: writer.layout.shape.quotes,
    }
}

fn entry(writer: &Writer<'_>, key: Option<&str>, value: &Value, marks: &Marks) -> String {
    let text = write(writer, value, None, marks);
    let Some(key) = key else { return text };
    let was = marks.quoted_keys.then_some(Style::Double);
    format!("{}:{}{text}", scalar::string(key, manner(writer, was)), marks.colon_gap)
}

/// Returns how a document is written whose first map in brackets shows it.
fn marks_of_document(piece: &Piece) -> Marks {
    let is_map = |id: &NodeId| {
        let node = &piece.tree.nodes[*id];
        node.style == Style::Flow && matches!(&node.kind, Kind::Map(fields) if !fields.is_empty())
    };
    (0..piece.tree.nodes.len()).find(is_map).map_or_else(Marks::default, |map| marks_of(piece, map))
}

fn marks_of(piece: &Piece, node: NodeId) -> Marks {
    let mut marks = if matches!(piece.tree.nodes[node].kind, Kind::Map(_)) {
        Marks::default()
    } else {
        marks_of_document(piece)
    };
    if let Kind::Map(fields) = &piece.tree.nodes[node].kind {
        if let Some((key, _)) = fields.first() {
            marks.quoted_keys = piece.tree.nodes[*key].style == Style::Double;
        }
        if let Some(colon) = colon_of(piece, node, 0)
            && marks.quoted_keys
            && piece.byte(colon).is_some_and(|byte| !byte.is_ascii_whitespace())
        {
            (marks.colon_gap, marks.gap) = ("", "");
        }
    }
    let spans = spans(piece, node);
    if let [first, second, ..] = spans.as_slice() {
        let between = piece.text.get(first.1..second.0).unwrap_or_default();
        marks.gap = if between == b"," { "" } else { " " };
    }
    marks
}

/// Returns where the entries of a map or list begin and end.
fn spans(piece: &Piece, node: NodeId) -> Vec<(usize, usize)> {
    match &piece.tree.nodes[node].kind {
        Kind::List(items) => items.iter().map(|item| (piece.start(*item), piece.end(*item))).collect(),
        Kind::Map(fields) => fields
            .iter()
            .enumerate()
            .map(|(at, (key, value))| {
                let colon = colon_of(piece, node, at).unwrap_or(0);
                (piece.start(*key), piece.end(*value).max(piece.end(*key)).max(colon))
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Removes one of several entries, with one comma.
pub(super) fn remove(piece: &Piece, node: NodeId, at: usize) -> Result<Vec<Cut>, EditFault> {
    let spans = spans(piece, node);
    let (start, end) = spans.get(at).copied().ok_or(EditFault::NoPlaces)?;
    let cut = match at.checked_sub(1).and_then(|before| spans.get(before)) {
        Some((_, before)) => *before..end,
        None => start..spans.get(at + 1).ok_or(EditFault::NoPlaces)?.0,
    };
    Ok(vec![Cut::new(cut, "")])
}

/// Adds an entry before the `at`th of some.
pub(super) fn insert(
    writer: &Writer<'_>,
    node: NodeId,
    at: usize,
    key: Option<&String>,
    value: &Value,
) -> Result<Vec<Cut>, EditFault> {
    let piece = writer.piece;
    let spans = spans(piece, node);
    let marks = marks_of(piece, node);
    let new = entry(writer, key.map(String::as_str), value, &marks);
    let indent = |start: usize| {
        piece.begins_line(start).then(|| piece.slice(&(piece.line_start(start)..start)).into_owned())
    };
    if let Some((next, _)) = spans.get(at) {
        let gap = indent(*next).map_or_else(|| marks.gap.to_owned(), |indent| format!("\n{indent}"));
        return Ok(vec![Cut::new(*next..*next, format!("{new},{gap}"))]);
    }
    let (start, end) = spans.last().copied().ok_or(EditFault::NoPlaces)?;
    let line_end = piece.line_end(end);
    let comma = comma_behind(piece, end);
    match indent(start) {
        Some(indent) if closes_later(piece, end) => {
            let ended = if comma.is_some() { "," } else { "" };
            let mut cuts = vec![Cut::new(line_end..line_end, format!("\n{indent}{new}{ended}"))];
            match comma {
                Some(comma) if comma < line_end => {}
                Some(_) => return Err(EditFault::SharedLine),
                None if end == line_end => {
                    cuts = vec![Cut::new(end..end, format!(",\n{indent}{new}"))];
                }
                None => cuts.insert(0, Cut::new(end..end, ",")),
            }
            Ok(cuts)
        }
        _ => Ok(vec![Cut::new(end..end, format!(",{}{new}", marks.gap))]),
    }
}

/// Returns the place of a comma behind the last entry.
fn comma_behind(piece: &Piece, end: usize) -> Option<usize> {
    let mut at = end;
    loop {
        match piece.byte(at)? {
            b',' => return Some(at),
            b'#' => at = piece.line_end(at),
            byte if byte.is_ascii_whitespace() => at += 1,
            _ => return None,
        }
    }
}

/// Returns whether nothing but a comma and a comment follows on a line.
fn closes_later(piece: &Piece, end: usize) -> bool {
    let rest = piece.text.get(end..piece.line_end(end)).unwrap_or_default();
    let rest = rest.trim_ascii();
    let rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
    rest.is_empty() || rest.starts_with(b"#")
}
