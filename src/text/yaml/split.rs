//! Defines how a file falls into documents.
//!
//! Source: `k8s.io/apimachinery/pkg/util/yaml/decoder.go`. A file whose first character that is no space is `{` is read
//! as JSON values; where that fails at the first or second value, the rest is read as YAML. YAML is cut at every line
//! that starts with `---`, before any parsing, and carriage returns at the ends of lines are dropped.

use super::error::{DocumentError, Fault};
use super::{Decoded, json};
use crate::model::limits;

/// One part of a file.
pub(super) enum Part {
    Yaml(Chunk),
    Json {
        index: usize,
        decoded: Decoded,
        /// Where in the file its bytes stand.
        at: std::ops::Range<usize>,
    },
    Unreadable(DocumentError),
}

/// The text of one YAML document.
pub(super) struct Chunk {
    pub index: usize,
    /// The line of the file, counted from 1, that the text begins on.
    pub first_line: usize,
    /// Where in the file the text begins, in bytes.
    pub start: usize,
    pub text: Vec<u8>,
    /// What was wrong with the text as JSON, which is more telling where it is no YAML either.
    pub json_fault: Option<Fault>,
}

/// Returns the parts of a file in order, at most one more than the documents that a file may have.
pub(super) fn split(bytes: &[u8]) -> Vec<Part> {
    let mut splitter = Splitter { length: bytes.len(), rest: bytes, line: 1, index: 0, parts: Vec::new() };
    let starts_as_json = bytes.trim_ascii_start().starts_with(b"{");
    if starts_as_json {
        splitter.json();
    } else {
        splitter.yaml(None);
    }
    splitter.parts
}

struct Splitter<'a> {
    /// Bytes of the file.
    length: usize,
    rest: &'a [u8],
    /// The line that `rest` begins on.
    line: usize,
    /// The document that comes next.
    index: usize,
    parts: Vec<Part>,
}

impl<'a> Splitter<'a> {
    /// Reads JSON values, and hands over to YAML where it turns out to be none.
    fn json(&mut self) {
        for count in 0_usize.. {
            self.advance(self.rest.len() - self.rest.trim_ascii_start().len());
            if self.rest.is_empty() || self.is_full() {
                return;
            }
            match json::read_value(self.rest, self.line) {
                Ok((decoded, used)) => {
                    let at = self.place()..self.place() + used;
                    self.advance(used);
                    match decoded {
                        Ok(decoded) => {
                            let index = self.next_index();
                            self.parts.push(Part::Json { index, decoded, at });
                        }
                        Err(refused) => self.unreadable(refused.line, refused.fault),
                    }
                }
                // Two values make it a stream of JSON for good.
                Err(refused) if count > 1 => {
                    self.unreadable(refused.line, refused.fault);
                    self.find_separator();
                    return self.yaml(None);
                }
                Err(refused) => return self.yaml(Some(refused.fault)),
            }
        }
    }

    /// Cuts the rest at its separators.
    fn yaml(&mut self, mut json_fault: Option<Fault>) {
        let mut text = Vec::new();
        let mut first_line = self.line;
        let mut start = self.place();
        let mut line_start = start;
        // Comments before the first separator belong to the document behind it.
        let mut prologue = self.index == 0;
        while let Some(line) = self.take_line() {
            let this_start = std::mem::replace(&mut line_start, self.place());
            let separator = line.strip_prefix(b"---").map(<[u8]>::trim_ascii);
            if let Some(behind) = separator {
                let is_prologue = std::mem::take(&mut prologue) && is_only_comments(&text);
                let whole = std::mem::take(&mut text);
                let was_empty = whole.is_empty();
                if !is_prologue {
                    self.chunk(whole, (first_line, start), &mut json_fault);
                }
                if self.is_full() {
                    return;
                }
                if !(behind.is_empty() || behind.starts_with(b"#")) {
                    self.unreadable(Some(self.line - 1), Fault::TextAfterSeparator);
                    self.find_separator();
                    line_start = self.place();
                    continue;
                }
                if !was_empty {
                    continue;
                }
                // kubectl keeps a separator that nothing stands before.
            }
            if text.is_empty() {
                (first_line, start) = (self.line - 1, this_start);
            }
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        self.chunk(text, (first_line, start), &mut json_fault);
    }

    /// Returns the place in the file, in bytes, of what comes next.
    fn place(&self) -> usize {
        self.length - self.rest.len()
    }

    fn chunk(&mut self, text: Vec<u8>, (first_line, start): (usize, usize), json_fault: &mut Option<Fault>) {
        if !text.is_empty() {
            let index = self.next_index();
            let json_fault = json_fault.take();
            self.parts.push(Part::Yaml(Chunk { index, first_line, start, text, json_fault }));
        }
    }

    fn unreadable(&mut self, line: Option<usize>, fault: Fault) {
        let index = self.next_index();
        self.parts.push(Part::Unreadable(DocumentError { index, line, fault }));
    }

    /// Skips to the next separator, so that one unreadable document does not hide those behind it.
    fn find_separator(&mut self) {
        while !self.rest.is_empty() && !self.rest.starts_with(b"---") {
            self.take_line();
        }
    }

    fn next_index(&mut self) -> usize {
        self.index += 1;
        self.index - 1
    }

    fn is_full(&self) -> bool {
        self.parts.len() > limits::DOCUMENTS_PER_FILE
    }

    /// Takes a line without its end.
    fn take_line(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let (line, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.get(1..).unwrap_or_default();
        self.line += 1;
        Some(line.strip_suffix(b"\r").filter(|_| end.is_some()).unwrap_or(line))
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        #[allow(clippy::naive_bytecount)] // a few lines at a time
        let lines = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line += lines;
        self.rest = rest;
    }
}

fn is_only_comments(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .all(|line| line.is_empty() || line.starts_with(b"#"))
}
