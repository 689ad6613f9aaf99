//! Defines how the events of a YAML text become a tree of nodes, as go-yaml v2 composes it.

use super::Refused;
use super::error::Fault;
use crate::model::limits;
use libyaml_safer::{Event, EventData, Parser};
use std::collections::HashMap;

/// The place of a node in its tree.
pub(super) type NodeId = usize;

/// One document as written: aliases are not followed, scalars not resolved.
pub(super) struct Tree {
    pub nodes: Vec<Node>,
    pub root: NodeId,
}

pub(super) struct Node {
    /// Counted from 1.
    pub line: u32,
    pub kind: Kind,
}

pub(super) enum Kind {
    Scalar {
        value: String,
        tag: Option<String>,
        /// Written plain, or with the tag `!`: its type follows from its text.
        implicit: bool,
    },
    List(Vec<NodeId>),
    Map(Vec<(NodeId, NodeId)>),
    Alias(NodeId),
}

/// Composes the first document of a text; `None` where there is none. What follows it is not looked at, as in go-yaml.
pub(super) fn compose(text: &[u8]) -> Result<Option<Tree>, Refused> {
    let mut text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut lines_before = 0;
    let padded;
    if matches!(text.first(), Some(0xef | 0xfe | 0xff)) {
        // libyaml-safer takes such a first byte for a byte order mark.
        padded = [b"\n", text].concat();
        text = &padded;
        lines_before = 1;
    }
    let mut composer =
        Composer { parser: Parser::new(), nodes: Vec::new(), anchors: HashMap::new(), lines_before };
    composer.parser.set_input(text);
    composer.document()
}

struct Composer<'a> {
    parser: Parser<&'a [u8]>,
    nodes: Vec<Node>,
    anchors: HashMap<String, NodeId>,
    lines_before: u32,
}

impl Composer<'_> {
    fn document(mut self) -> Result<Option<Tree>, Refused> {
        loop {
            let event = self.next()?;
            match event.data {
                EventData::StreamStart { .. } | EventData::DocumentStart { .. } => {}
                EventData::StreamEnd => return Ok(None),
                _ => {
                    let root = self.node(event, 0)?;
                    // The end of the document is read too: it may be what is wrong.
                    self.next()?;
                    return Ok(Some(Tree { nodes: self.nodes, root }));
                }
            }
        }
    }

    fn next(&mut self) -> Result<Event, Refused> {
        let before = self.lines_before as usize;
        self.parser.parse().map_err(|error| Refused {
            line: error
                .problem_mark()
                .and_then(|mark| usize::try_from(mark.line).ok())
                .map(|line| (line + 1).saturating_sub(before).max(1)),
            fault: Fault::Yaml { what: error.problem(), context: error.context().unwrap_or_default() },
        })
    }

    /// Composes the node that begins with this event, and everything below it.
    fn node(&mut self, event: Event, depth: usize) -> Result<NodeId, Refused> {
        let line = u32::try_from(event.start_mark.line).unwrap_or(u32::MAX - 1) + 1 - self.lines_before;
        if depth > limits::DOCUMENT_DEPTH {
            return Err(Refused::at(line, Fault::TooDeep));
        }
        if self.nodes.len() >= limits::DOCUMENT_NODES {
            return Err(Refused::at(line, Fault::TooManyValues));
        }
        let id = self.nodes.len();
        match event.data {
            EventData::Alias { anchor } => {
                let target =
                    *self.anchors.get(&anchor).ok_or_else(|| Refused::at(line, Fault::UnknownAnchor))?;
                self.nodes.push(Node { line, kind: Kind::Alias(target) });
            }
            EventData::Scalar { anchor, tag, value, plain_implicit, .. } => {
                self.push(line, anchor, Kind::Scalar { value, tag, implicit: plain_implicit });
            }
            EventData::SequenceStart { anchor, .. } => {
                self.push(line, anchor, Kind::List(Vec::new()));
                let mut items = Vec::new();
                loop {
                    let event = self.next()?;
                    if matches!(event.data, EventData::SequenceEnd) {
                        break;
                    }
                    items.push(self.node(event, depth + 1)?);
                }
                self.nodes[id].kind = Kind::List(items);
            }
            EventData::MappingStart { anchor, .. } => {
                self.push(line, anchor, Kind::Map(Vec::new()));
                let mut fields = Vec::new();
                loop {
                    let event = self.next()?;
                    if matches!(event.data, EventData::MappingEnd) {
                        break;
                    }
                    let key = self.node(event, depth + 1)?;
                    let event = self.next()?;
                    fields.push((key, self.node(event, depth + 1)?));
                }
                self.nodes[id].kind = Kind::Map(fields);
            }
            _ => {
                return Err(Refused::at(line, Fault::Yaml { what: "a value is missing", context: "" }));
            }
        }
        Ok(id)
    }

    /// Adds a node; its anchor stands for it from here on, also below itself.
    fn push(&mut self, line: u32, anchor: Option<String>, kind: Kind) {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, self.nodes.len());
        }
        self.nodes.push(Node { line, kind });
    }
}
