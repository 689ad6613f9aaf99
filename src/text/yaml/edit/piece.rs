//! Defines the text of one document with the places of its values, and how changes of it get into the file.

use super::super::compose::{self, Kind, NodeId, Style, Tree};
use super::super::split::{self, Part};
use super::{EditFault, EditRefused};
use std::ops::Range;

/// One document of a file.
pub(super) struct Piece {
    /// With line feeds alone, as the reader gets it.
    pub text: Vec<u8>,
    pub tree: Tree,
    pub is_json: bool,
    /// The line of the file, counted from 1, that the text begins on.
    pub first_line: usize,
    /// Bytes of a byte order mark at the start of the text.
    skipped: usize,
    /// Where in the file each line of the text begins, and where the last ends.
    lines: Vec<usize>,
    /// Where each line of the text begins, and where the last ends.
    own_lines: Vec<usize>,
    line_end: &'static str,
    /// The file's last line, which is this text's last too, has no line end.
    unended: bool,
}

/// What stands at a place of the text instead of what stood there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    pub at: Range<usize>,
    pub text: String,
}

impl Cut {
    pub fn new(at: Range<usize>, text: impl Into<String>) -> Self {
        Self { at, text: text.into() }
    }
}

impl Piece {
    /// Finds a document of a file. Errors: it is not there, cannot be read, or has no places.
    pub fn find(file: &[u8], document: usize) -> Result<Self, EditRefused> {
        let none = EditRefused { line: None, fault: EditFault::NoDocument };
        for part in split::split(file) {
            match part {
                Part::Yaml(chunk) if chunk.index == document => {
                    return Self::of(file, chunk.text, chunk.start, chunk.first_line, false);
                }
                Part::Json { index, at, .. } if index == document => {
                    let text = file.get(at.clone()).unwrap_or_default().to_vec();
                    let first_line = 1 + line_feeds(file.get(..at.start).unwrap_or_default());
                    return Self::of(file, text, at.start, first_line, true);
                }
                Part::Unreadable(error) if error.index == document => {
                    return Err(EditRefused { line: error.line, fault: EditFault::Unreadable(error.fault) });
                }
                _ => {}
            }
        }
        Err(none)
    }

    fn of(
        file: &[u8],
        text: Vec<u8>,
        start: usize,
        first_line: usize,
        is_json: bool,
    ) -> Result<Self, EditRefused> {
        let refused =
            |line: Option<usize>, fault| EditRefused { line: line.map(|line| line + first_line - 1), fault };
        let tree = compose::compose(&text)
            .map_err(|error| refused(error.line, EditFault::Unreadable(error.fault)))?
            .ok_or_else(|| refused(None, EditFault::NoDocument))?;
        let has_odd_breaks = |text: &[u8]| {
            let is_odd = |three: &[u8]| three == "\u{2028}".as_bytes() || three == "\u{2029}".as_bytes();
            text.contains(&b'\r')
                || text.windows(2).any(|two| two == "\u{85}".as_bytes())
                || text.windows(3).any(is_odd)
        };
        let skipped = match tree.skipped {
            Some(skipped) if is_json || !has_odd_breaks(&text) => skipped,
            _ => return Err(refused(None, EditFault::NoPlaces)),
        };
        let own_lines = line_starts(&text);
        let lines: Vec<usize> = if is_json {
            own_lines.iter().map(|at| at + start).collect()
        } else {
            let rest = file.get(start..).unwrap_or_default();
            let mut starts = line_starts(rest);
            starts.truncate(own_lines.len());
            starts.into_iter().map(|at| at + start).collect()
        };
        let unended = !is_json && lines.last() == Some(&file.len()) && file.last() != Some(&b'\n');
        let end = file.iter().position(|byte| *byte == b'\n');
        let has_returns =
            end.and_then(|end| end.checked_sub(1)).is_some_and(|at| file.get(at) == Some(&b'\r'));
        let line_end = if has_returns { "\r\n" } else { "\n" };
        Ok(Self { text, tree, is_json, first_line, skipped, lines, own_lines, line_end, unended })
    }

    /// Makes a refusal at a line of the text, counted from 1.
    pub fn refused(&self, line: usize, fault: EditFault) -> EditRefused {
        EditRefused { line: (line > 0).then(|| line + self.first_line - 1), fault }
    }

    /// Returns the place of a node's first byte in the text.
    pub fn start(&self, node: NodeId) -> usize {
        self.tree.nodes[node].start as usize + self.skipped
    }

    /// Returns the place behind a node's last byte, as far as it is its own: of a block, without the empty lines behind.
    pub fn end(&self, node: NodeId) -> usize {
        let found = &self.tree.nodes[node];
        let end = (found.end as usize + self.skipped).min(self.text.len());
        match (&found.kind, found.style) {
            (Kind::List(items), Style::Block) => items.last().map_or(end, |item| self.end(*item)),
            (Kind::Map(fields), Style::Block) => {
                fields.last().map_or(end, |(key, value)| self.end(*key).max(self.end(*value)))
            }
            (_, Style::Literal | Style::Folded) => self.end_of_block(node, end),
            _ => end,
        }
    }

    fn end_of_block(&self, node: NodeId, end: usize) -> usize {
        let header = self.header(node);
        let header_end = self.line_end(header.end);
        if self.slice(&header).contains('+') || end <= header_end {
            return end.saturating_sub(1).max(header.end);
        }
        let body = header_end + 1..end;
        let lines = self.text.get(body.clone()).unwrap_or_default();
        let spaces = |line: &[u8]| line.iter().take_while(|byte| **byte == b' ').count();
        let is_blank = |line: &[u8]| line.iter().all(|byte| *byte == b' ');
        let all: Vec<&[u8]> = lines.split(|byte| *byte == b'\n').collect();
        let indent = all.iter().find(|line| !is_blank(line)).map_or(0, |line| spaces(line));
        let mut last = header_end;
        let mut at = body.start;
        for line in all {
            if !(is_blank(line) && line.len() <= indent) {
                last = at + line.len();
            }
            at += line.len() + 1;
        }
        last.min(end)
    }

    /// Returns the place of a block scalar's `|` or `>` with what belongs to it.
    pub fn header(&self, node: NodeId) -> Range<usize> {
        let start = self.start(node);
        let line = self.text.get(start..self.line_end(start)).unwrap_or_default();
        let at = line.iter().position(|byte| matches!(byte, b'|' | b'>')).unwrap_or(0);
        let length = line.iter().skip(at).take_while(|byte| !byte.is_ascii_whitespace()).count();
        start + at..start + at + length
    }

    /// Returns where the line begins that a place is on.
    pub fn line_start(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or(&self.text);
        before.iter().rposition(|byte| *byte == b'\n').map_or(0, |feed| feed + 1)
    }

    /// Returns where the line ends that a place is on, its line end not included.
    pub fn line_end(&self, at: usize) -> usize {
        let end = self.feed(at);
        end - usize::from(end > at && self.byte(end - 1) == Some(b'\r'))
    }

    /// Returns where the line behind that of a place begins.
    pub fn next_line(&self, at: usize) -> usize {
        (self.feed(at) + 1).min(self.text.len())
    }

    fn feed(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        rest.iter().position(|byte| *byte == b'\n').map_or(self.text.len(), |feed| at + feed)
    }

    /// Returns how many bytes stand before a place on its line.
    pub fn column(&self, at: usize) -> usize {
        let start = self.line_start(at);
        at - if start == 0 { self.skipped.min(at) } else { start }
    }

    /// Returns whether nothing but spaces stands before a place on its line.
    pub fn begins_line(&self, at: usize) -> bool {
        let start = self.line_start(at);
        let start = if start == 0 { self.skipped.min(at) } else { start };
        self.text.get(start..at).unwrap_or_default().iter().all(|byte| matches!(byte, b' ' | b'\t'))
    }

    pub fn byte(&self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }

    pub fn slice(&self, at: &Range<usize>) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.text.get(at.clone()).unwrap_or_default())
    }

    /// Returns the cuts without what they leave as it is at their beginning and end, line by line.
    pub fn trimmed(&self, cuts: Vec<Cut>) -> Vec<Cut> {
        let trim = |Cut { mut at, text }: Cut| {
            let mut new: &str = &text;
            loop {
                let old = self.text.get(at.clone()).unwrap_or_default();
                let (Some(line), Some(of_old)) = (first_line(new.as_bytes()), first_line(old)) else { break };
                if line != of_old || self.line_start(at.start) != at.start {
                    break;
                }
                at.start += line.len();
                new = new.get(line.len()..).unwrap_or_default();
            }
            loop {
                let old = self.text.get(at.clone()).unwrap_or_default();
                let (Some(line), Some(of_old)) = (last_line(new.as_bytes()), last_line(old)) else { break };
                if line != of_old || (line.len() == old.len() && self.line_start(at.start) != at.start) {
                    break;
                }
                at.end -= line.len();
                new = new.get(..new.len() - line.len()).unwrap_or_default();
            }
            Cut { at, text: new.to_owned() }
        };
        let is_something = |cut: &Cut| !(cut.at.is_empty() && cut.text.is_empty());
        cuts.into_iter().map(trim).filter(is_something).collect()
    }

    /// Returns whether cuts change or remove lines that are templates.
    pub fn touches_template(&self, cuts: &[Cut]) -> bool {
        cuts.iter().any(|cut| {
            let between_lines = cut.at.is_empty() && self.line_start(cut.at.start) == cut.at.start;
            // What ends with a line does not touch the next.
            let last = cut.at.end.saturating_sub(usize::from(cut.at.end > cut.at.start));
            let lines = self.line_start(cut.at.start)..self.line_end(last);
            let text = self.text.get(lines).unwrap_or_default();
            !self.is_json && !between_lines && text.windows(2).any(|two| two == b"{{")
        })
    }

    /// Returns the file with the cuts made. They do not overlap.
    pub fn spliced(&self, file: &[u8], cuts: &[Cut]) -> Vec<u8> {
        let mut cuts: Vec<&Cut> = cuts.iter().collect();
        cuts.sort_by_key(|cut| (cut.at.start, cut.at.end));
        let mut spliced = Vec::with_capacity(file.len());
        let mut at = 0;
        for cut in cuts {
            let (start, end) = (self.in_file(cut.at.start), self.in_file(cut.at.end));
            spliced.extend_from_slice(file.get(at..start).unwrap_or_default());
            let at_the_end = self.unended && cut.at.end == self.text.len();
            let mut text = cut.text.replace('\n', self.line_end);
            if at_the_end && !text.is_empty() {
                text.truncate(text.strip_suffix(self.line_end).map_or(text.len(), str::len));
                if cut.at.is_empty() {
                    text.insert_str(0, self.line_end);
                }
            }
            spliced.extend_from_slice(text.as_bytes());
            at = end.max(at);
        }
        spliced.extend_from_slice(file.get(at..).unwrap_or_default());
        spliced
    }

    /// Returns where in the file a place of the text is.
    fn in_file(&self, at: usize) -> usize {
        let line = self.own_lines.partition_point(|start| *start <= at).saturating_sub(1);
        let (Some(own), Some(start)) = (self.own_lines.get(line), self.lines.get(line)) else {
            return self.lines.last().copied().unwrap_or(0);
        };
        start + (at - own)
    }

    /// Returns the lines of the file that could be taken out with the document: with the separator before it, or the one
    /// behind it.
    pub fn whole(&self, file: &[u8]) -> Vec<Range<usize>> {
        let (Some(start), Some(end)) = (self.lines.first().copied(), self.lines.last().copied()) else {
            return Vec::new();
        };
        let is_separator = |line: &[u8]| line.starts_with(b"---");
        let before = file.get(..start).unwrap_or_default();
        let with_before =
            last_line(before).filter(|line| is_separator(line)).map(|line| start - line.len()..end);
        let behind = file.get(end..).unwrap_or_default();
        let with_behind =
            first_line(behind).filter(|line| is_separator(line)).map(|line| start..end + line.len());
        with_before.into_iter().chain(with_behind).chain(std::iter::once(start..end)).collect()
    }
}

fn line_feeds(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

/// Returns where each line begins, and the end.
fn line_starts(text: &[u8]) -> Vec<usize> {
    let feeds = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let mut starts: Vec<usize> = [0].into_iter().chain(feeds).collect();
    if starts.last() != Some(&text.len()) {
        starts.push(text.len());
    }
    starts
}

/// Returns the first line with its line feed.
fn first_line(text: &[u8]) -> Option<&[u8]> {
    text.iter().position(|byte| *byte == b'\n').and_then(|feed| text.get(..=feed))
}

/// Returns the last line, if the text ends with a line feed.
fn last_line(text: &[u8]) -> Option<&[u8]> {
    let body = text.strip_suffix(b"\n")?;
    let start = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |feed| feed + 1);
    text.get(start..)
}
