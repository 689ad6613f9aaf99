//! Defines where a step of an edit cuts the text of maps and lists in block style.

use super::super::compose::{Kind, NodeId, Style};
use super::EditFault;
use super::blocks::{Layout, indented, is_filled};
use super::find::{Act, Op, Slot, is_in_flow};
use super::flow;
use super::piece::{Cut, Piece};
use super::scalar::{self, Attempt, Manner};
use crate::model::Value;
use std::ops::Range;

/// Returns the cuts that a step makes.
pub(super) fn cuts(piece: &Piece, op: &Op, attempt: Attempt) -> Result<Vec<Cut>, EditFault> {
    let is_flow = |node: NodeId| piece.tree.nodes[node].style == Style::Flow;
    let writer = Writer { piece, layout: Layout { shape: piece.shape(), attempt } };
    match &op.act {
        Act::Replace { node, slot, value } => writer.replace(*node, *slot, value),
        Act::RemoveEntry { map, at, .. } if is_flow(*map) => flow::remove(piece, *map, *at),
        Act::RemoveItem { list, at } if is_flow(*list) => flow::remove(piece, *list, *at),
        Act::InsertKey { map, at, key, value } if is_flow(*map) => {
            flow::insert(&writer, *map, *at, Some(key), value)
        }
        Act::InsertItem { list, at, value } if is_flow(*list) => {
            flow::insert(&writer, *list, *at, None, value)
        }
        Act::RemoveEntry { map, at, .. } => writer.remove_entry(*map, *at),
        Act::RemoveItem { list, at } => writer.remove_item(*list, *at),
        Act::InsertKey { map, at, key, value } => writer.insert_key(*map, *at, key, value),
        Act::InsertItem { list, at, value } => writer.insert_item(*list, *at, value),
    }
}

pub(super) struct Writer<'p> {
    pub piece: &'p Piece,
    pub layout: Layout,
}

/// Where a value stands that another takes the place of.
struct Cleared {
    /// What one line of the new value takes the place of.
    head: Range<usize>,
    /// The lines below that belong to the old value.
    tail: Range<usize>,
}

impl Writer<'_> {
    fn replace(&self, node: NodeId, slot: Slot, value: &Value) -> Result<Vec<Cut>, EditFault> {
        let piece = self.piece;
        let old = &piece.tree.nodes[node];
        if old.anchored {
            return Err(EditFault::Anchored);
        }
        if old.tagged && !matches!(old.kind, Kind::Scalar { .. }) {
            return Err(EditFault::Tagged);
        }
        if slot == Slot::Root {
            return Err(EditFault::WholeDocument);
        }
        if is_in_flow(piece, slot) {
            let at = piece.start(node)..piece.end(node);
            let pad = self.pad(&at);
            return Ok(vec![Cut::new(at, pad + &flow::written(self, value, Some(old.style)))]);
        }
        let marker = self.marker(slot)?;
        let Cleared { head, tail } = self.cleared(node, marker);
        if is_filled(value) {
            return self.filled(slot, value, marker, head, tail);
        }
        if let Some((header, body)) = self.block_of_text(node, slot, value)? {
            let pad = self.pad(&head);
            let body: String = body.into_iter().map(|line| line + "\n").collect();
            return Ok(vec![Cut::new(head, pad + &header), Cut::new(tail, body)]);
        }
        let text = scalar::inline(value, self.manner(Some(old.style)));
        let pad = self.pad(&head);
        Ok(vec![Cut::new(head, pad + &text), Cut::new(tail, "")])
    }

    /// Returns the cuts for a map or list that takes lines of its own.
    fn filled(
        &self,
        slot: Slot,
        value: &Value,
        marker: usize,
        head: Range<usize>,
        tail: Range<usize>,
    ) -> Result<Vec<Cut>, EditFault> {
        let piece = self.piece;
        let joined = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        match slot {
            Slot::Root => Err(EditFault::WholeDocument),
            Slot::Entry { map, .. } => {
                let column = piece.column_of_map(map).ok_or(EditFault::NoPlaces)?;
                let shape = self.layout.shape;
                let deeper = if matches!(value, Value::List(_)) { shape.dashes } else { shape.step };
                let lines = self.layout.lines(value, column + deeper);
                Ok(vec![Cut::new(marker..head.end, ""), Cut::new(tail, joined(&lines))])
            }
            Slot::Item { .. } => {
                let pad = self.pad(&head);
                let column = piece.column(head.start) + pad.len();
                let lines = self.layout.lines(value, column);
                let (first, rest) = lines.split_first().ok_or(EditFault::NoPlaces)?;
                let first = pad + first.trim_start_matches(' ');
                Ok(vec![Cut::new(head, first), Cut::new(tail, joined(rest))])
            }
        }
    }

    /// Returns a text as a block, if it is to be written as one.
    fn block_of_text(
        &self,
        node: NodeId,
        slot: Slot,
        value: &Value,
    ) -> Result<Option<(String, Vec<String>)>, EditFault> {
        let Value::String(text) = value else { return Ok(None) };
        let piece = self.piece;
        let style = piece.tree.nodes[node].style;
        let was_block = matches!(style, Style::Literal | Style::Folded);
        if self.layout.attempt == Attempt::Quoted || !(was_block || text.contains('\n')) {
            return Ok(None);
        }
        let above = match slot {
            Slot::Root => 0,
            Slot::Entry { map, .. } => piece.column_of_map(map).ok_or(EditFault::NoPlaces)?,
            Slot::Item { list, at } => piece.column(dash_of(piece, list, at).ok_or(EditFault::NoPlaces)?),
        };
        let header = if was_block { piece.slice(&piece.header(node)).into_owned() } else { String::new() };
        let digit = header.chars().find_map(|c| c.to_digit(10)).and_then(|digit| usize::try_from(digit).ok());
        let kept = match digit {
            Some(digit) => Some(above + digit),
            None => was_block.then(|| self.column_of_block(node)).flatten(),
        };
        let column = kept.unwrap_or(above + self.layout.shape.step);
        let folded = style == Style::Folded && self.layout.attempt == Attempt::Kept;
        let Some((mut new, body)) = scalar::block(text, folded, column.saturating_sub(above)) else {
            return Ok(None);
        };
        // A digit that was there stays, so that the line stays as it is.
        let signs = |header: &str| {
            let mut signs: Vec<char> = header.chars().filter(|c| !c.is_ascii_digit()).collect();
            signs.sort_unstable();
            signs
        };
        if signs(&header) == signs(&new) {
            new = header;
        }
        Ok(Some((new, body.iter().map(|line| indented(line, column)).collect())))
    }

    /// Returns the column of the lines of a block of text; `None` where it has none.
    fn column_of_block(&self, node: NodeId) -> Option<usize> {
        let piece = self.piece;
        let (start, end) = (piece.next_line(piece.header(node).end), piece.end(node));
        let body = piece.text.get(start..end)?;
        let spaces = |line: &[u8]| line.iter().take_while(|byte| **byte == b' ').count();
        let lines = body.split(|byte| *byte == b'\n');
        lines.filter(|line| line.iter().any(|byte| *byte != b' ')).map(spaces).min()
    }

    fn manner(&self, was: Option<Style>) -> Manner {
        Manner {
            attempt: self.layout.attempt,
            flow: false,
            json: self.piece.is_json,
            was,
            quotes: self.layout.shape.quotes,
        }
    }

    /// Returns the space that is missing before a value.
    fn pad(&self, head: &Range<usize>) -> String {
        let before = head.start.checked_sub(1).and_then(|at| self.piece.byte(at));
        if matches!(before, Some(b':' | b'-')) { " ".to_owned() } else { String::new() }
    }

    /// Returns the place behind the colon or dash that a value belongs to.
    fn marker(&self, slot: Slot) -> Result<usize, EditFault> {
        match slot {
            Slot::Root => Err(EditFault::WholeDocument),
            Slot::Entry { map, at } => colon_of(self.piece, map, at).ok_or(EditFault::ExplicitKey),
            Slot::Item { list, at } => {
                dash_of(self.piece, list, at).map(|dash| dash + 1).ok_or(EditFault::NoPlaces)
            }
        }
    }

    fn cleared(&self, node: NodeId, marker: usize) -> Cleared {
        let piece = self.piece;
        let (start, end) = (piece.start(node), piece.end(node));
        let nothing = |at: usize| at..at;
        match piece.tree.nodes[node].style {
            Style::Literal | Style::Folded => {
                let header = piece.header(node);
                let next = piece.next_line(header.end);
                Cleared { head: start..header.end, tail: next..piece.next_line(end).max(next) }
            }
            Style::Block if piece.line_start(start) != piece.line_start(marker) => {
                Cleared { head: nothing(marker), tail: piece.line_start(start)..piece.next_line(end) }
            }
            _ => Cleared { head: start..end, tail: nothing(piece.next_line(end)) },
        }
    }

    fn remove_entry(&self, map: NodeId, at: usize) -> Result<Vec<Cut>, EditFault> {
        let piece = self.piece;
        let Kind::Map(fields) = &piece.tree.nodes[map].kind else { return Err(EditFault::NoPlaces) };
        let (key, value) = fields.get(at).copied().ok_or(EditFault::NoPlaces)?;
        let end = piece.end(value).max(piece.end(key));
        let start = piece.start(key);
        if piece.begins_line(start) {
            return Ok(vec![Cut::new(piece.line_start(start)..piece.next_line(end), "")]);
        }
        // It shares its line with the dash of an item.
        let next = fields.get(at + 1).map(|(next, _)| piece.start(*next)).ok_or(EditFault::SharedLine)?;
        let until = if piece.line_start(next) == piece.next_line(end) { next } else { end };
        Ok(vec![Cut::new(start..until, "")])
    }

    fn remove_item(&self, list: NodeId, at: usize) -> Result<Vec<Cut>, EditFault> {
        let piece = self.piece;
        let Kind::List(items) = &piece.tree.nodes[list].kind else { return Err(EditFault::NoPlaces) };
        let item = items.get(at).copied().ok_or(EditFault::NoPlaces)?;
        let dash = dash_of(piece, list, at).ok_or(EditFault::NoPlaces)?;
        let end = piece.end(item);
        if piece.begins_line(dash) {
            return Ok(vec![Cut::new(piece.line_start(dash)..piece.next_line(end), "")]);
        }
        let next = dash_of(piece, list, at + 1).ok_or(EditFault::SharedLine)?;
        if piece.line_start(next) == piece.next_line(end) {
            Ok(vec![Cut::new(dash..next, "")])
        } else {
            Err(EditFault::SharedLine)
        }
    }

    fn insert_key(&self, map: NodeId, at: usize, key: &str, value: &Value) -> Result<Vec<Cut>, EditFault> {
        let piece = self.piece;
        let Kind::Map(fields) = &piece.tree.nodes[map].kind else { return Err(EditFault::NoPlaces) };
        let column = piece.column_of_map(map).ok_or(EditFault::NoPlaces)?;
        let mut lines = Vec::new();
        self.layout.field(key, value, column, &mut lines);
        if let Some((key, value)) = at.checked_sub(1).and_then(|before| fields.get(before)) {
            let place = piece.next_line(piece.end(*value).max(piece.end(*key)));
            return Ok(vec![self.own_lines(place, &lines)]);
        }
        let first = fields.first().map(|(key, _)| piece.start(*key)).ok_or(EditFault::NoPlaces)?;
        Ok(vec![self.before(first, column, &lines)])
    }

    fn insert_item(&self, list: NodeId, at: usize, value: &Value) -> Result<Vec<Cut>, EditFault> {
        let piece = self.piece;
        let Kind::List(items) = &piece.tree.nodes[list].kind else { return Err(EditFault::NoPlaces) };
        let first = dash_of(piece, list, 0).ok_or(EditFault::NoPlaces)?;
        let column = piece.column(first);
        let content = items.first().map(|item| piece.start(*item)).ok_or(EditFault::NoPlaces)?;
        let same_line = piece.line_start(content) == piece.line_start(first);
        let offset = if same_line && content > first + 1 { content - first } else { 2 };
        let mut lines = Vec::new();
        self.layout.item(value, column, offset, &mut lines);
        match at.checked_sub(1).and_then(|before| items.get(before)) {
            Some(item) => Ok(vec![self.own_lines(piece.next_line(piece.end(*item)), &lines)]),
            None => Ok(vec![self.before(first, column, &lines)]),
        }
    }

    /// Returns the cut that puts lines where a line begins.
    fn own_lines(&self, place: usize, lines: &[String]) -> Cut {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        // A text whose last line has no end, as JSON has none.
        let begun = self.piece.line_start(place) != place;
        Cut::new(place..place, if begun { format!("\n{}", text.trim_end_matches('\n')) } else { text })
    }

    /// Returns the cut that puts lines before what stands at a place.
    fn before(&self, place: usize, column: usize, lines: &[String]) -> Cut {
        if self.piece.begins_line(place) {
            return self.own_lines(self.piece.line_start(place), lines);
        }
        let text = lines.join("\n");
        Cut::new(place..place, format!("{}\n{}", text.trim_start_matches(' '), " ".repeat(column)))
    }
}

/// Returns the place behind the colon of a field.
pub(super) fn colon_of(piece: &Piece, map: NodeId, at: usize) -> Option<usize> {
    let Kind::Map(fields) = &piece.tree.nodes.get(map)?.kind else { return None };
    let (key, _) = fields.get(at)?;
    let end = piece.end(*key);
    let rest = piece.text.get(end..)?;
    let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    (rest.get(spaces) == Some(&b':')).then_some(end + spaces + 1)
}

/// Returns the place of an item's dash.
pub(super) fn dash_of(piece: &Piece, list: NodeId, at: usize) -> Option<usize> {
    let Kind::List(items) = &piece.tree.nodes.get(list)?.kind else { return None };
    let start = piece.start(*items.get(at)?);
    let mut from = piece.line_start(start);
    let mut before = piece.text.get(from..start)?;
    loop {
        let code = match before.windows(2).position(|two| matches!(two, b" #" | b"\t#")) {
            Some(comment) => before.get(..comment)?,
            None if before.first() == Some(&b'#') => &[],
            None => before,
        };
        let trimmed = code.trim_ascii_end();
        if trimmed.last() == Some(&b'-') {
            return Some(from + trimmed.len() - 1);
        }
        if !trimmed.is_empty() || from == 0 {
            return None;
        }
        let end = from - 1;
        from = piece.line_start(end);
        before = piece.text.get(from..end)?;
    }
}
