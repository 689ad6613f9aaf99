//! Defines how maps and lists are written over several lines.

use super::scalar::{self, Attempt, Manner};
use super::shape::Shape;
use crate::model::Value;
use crate::model::value::Map;

/// How what is written looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub shape: Shape,
    pub attempt: Attempt,
}

impl Layout {
    fn manner(self) -> Manner {
        Manner { attempt: self.attempt, flow: false, json: false, was: None, quotes: self.shape.quotes }
    }

    pub fn key(self, name: &str) -> String {
        scalar::string(name, self.manner())
    }

    /// Returns the lines of a map or list that is not empty, with the columns that each is to be indented.
    pub fn lines(self, value: &Value, column: usize) -> Vec<String> {
        let mut lines = Vec::new();
        match value {
            Value::Map(fields) => {
                for (name, value) in in_order(fields) {
                    self.field(name, value, column, &mut lines);
                }
            }
            Value::List(items) => {
                for item in items {
                    self.item(item, column, 2, &mut lines);
                }
            }
            _ => {}
        }
        lines
    }

    /// Adds the lines of a field whose key stands in a column.
    pub fn field(self, name: &str, value: &Value, column: usize, lines: &mut Vec<String>) {
        let begin = format!("{}{}:", " ".repeat(column), self.key(name));
        let deeper = match value {
            Value::List(_) => column + self.shape.dashes,
            _ => column + self.shape.step,
        };
        self.value(begin, value, column, deeper, lines);
    }

    /// Adds the lines of an item whose dash stands in a column, and its content `offset` columns behind.
    pub fn item(self, value: &Value, column: usize, offset: usize, lines: &mut Vec<String>) {
        let dash = format!("{}-", " ".repeat(column));
        if is_filled(value) {
            let mut own = self.lines(value, column + offset).into_iter();
            let first = own.next().unwrap_or_default();
            lines.push(format!("{dash}{}{}", " ".repeat(offset - 1), first.trim_start_matches(' ')));
            lines.extend(own);
        } else {
            self.value(dash, value, column, column + offset, lines);
        }
    }

    /// Adds a value behind what begins its line; `deeper`: the column of what takes more lines.
    fn value(self, begin: String, value: &Value, column: usize, deeper: usize, lines: &mut Vec<String>) {
        if is_filled(value) {
            lines.push(begin);
            lines.extend(self.lines(value, deeper));
            return;
        }
        if let (Value::String(text), true) = (value, self.attempt != Attempt::Quoted)
            && text.contains('\n')
            && let Some((header, body)) = scalar::block(text, false, deeper - column)
        {
            lines.push(format!("{begin} {header}"));
            lines.extend(body.into_iter().map(|line| indented(&line, deeper)));
            return;
        }
        lines.push(format!("{begin} {}", scalar::inline(value, self.manner())));
    }
}

/// Returns a line of a block of text; an empty one stays empty.
pub(super) fn indented(line: &str, column: usize) -> String {
    if line.is_empty() { String::new() } else { format!("{}{line}", " ".repeat(column)) }
}

/// Returns whether a value is a map or list that is not empty.
pub(super) fn is_filled(value: &Value) -> bool {
    match value {
        Value::Map(fields) => !fields.is_empty(),
        Value::List(items) => !items.is_empty(),
        _ => false,
    }
}

/// Returns a map's fields, those first that say what it is.
pub(super) fn in_order(fields: &Map) -> Vec<(&String, &Value)> {
    const FIRST: [&str; 6] = ["apiVersion", "kind", "metadata", "op", "name", "key"];
    let mut ordered: Vec<(&String, &Value)> = fields.iter().collect();
    ordered.sort_by_key(|(name, _)| FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len()));
    ordered
}

/// Returns a value as the lines of a document.
pub(super) fn document(value: &Value, shape: Shape, attempt: Attempt) -> String {
    let layout = Layout { shape, attempt };
    if !is_filled(value) {
        return format!("{}\n", scalar::inline(value, layout.manner()));
    }
    layout.lines(value, 0).into_iter().map(|line| line + "\n").collect()
}
