//! Defines how the events of a YAML text become a tree of nodes, as go-yaml v2 composes it.

use super::Refused;
use super::error::Fault;
use crate::model::limits;
use libyaml_safer::{Event, EventData, MappingStyle, Parser, ScalarStyle, SequenceStyle};
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// The place of a node in its tree.
pub(super) type NodeId = usize;

/// One document as written: aliases are not followed, scalars not resolved.
pub(super) struct Tree {
    pub nodes: Vec<Node>,
    pub root: NodeId,
    /// Bytes of the text before the first that the nodes' places are counted from; `None`: the text had to be mended to be
    /// read, and places mean nothing.
    pub skipped: Option<usize>,
}

/// A node; those below it follow it directly.
pub(super) struct Node {
    /// Counted from 1.
    pub line: u32,
    /// Where it begins, its anchor and tag included, in bytes.
    pub start: u32,
    /// Where it ends, in bytes: of a collection in block style, and of a block scalar, where the parser went on.
    pub end: u32,
    pub style: Style,
    /// It carries an anchor.
    pub anchored: bool,
    /// It carries a tag.
    pub tagged: bool,
    pub kind: Kind,
}

/// How a node is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
    Folded,
    Alias,
    Block,
    Flow,
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

/// Plain scalars that are put into quotes, at most; see [`quote`].
const QUOTED_AT_MOST: usize = 100;

/// Composes the first document of a text; `None` where there is none. What follows it is not looked at, as in go-yaml.
pub(super) fn compose(text: &[u8]) -> Result<Option<Tree>, Refused> {
    let without_mark = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut skipped = Some(text.len() - without_mark.len());
    let mut text = Cow::Borrowed(without_mark);
    let mut lines_before = 0;
    if matches!(text.first(), Some(0xef | 0xfe | 0xff)) {
        // libyaml-safer takes such a first byte for a byte order mark.
        text = Cow::Owned([b"\n", &*text].concat());
        lines_before = 1;
        skipped = None;
    }
    for _ in 0..QUOTED_AT_MOST {
        let mut composer = Composer {
            parser: Parser::new(),
            nodes: Vec::new(),
            anchors: HashMap::new(),
            lines_before,
            text: &text,
            ends_with_colon: None,
        };
        composer.parser.set_input(&*text);
        // libyaml-safer panics over some tags, such as `[!x, y]`.
        let Some(composed) = crate::text::guarded(|| composer.document()) else {
            return Err(Refused { line: None, fault: Fault::ParserFailed });
        };
        match composer.ends_with_colon {
            Some(scalar) => {
                text = Cow::Owned(quote(&text, scalar));
                skipped = None;
            }
            None => {
                return composed.map(|root| root.map(|root| Tree { nodes: composer.nodes, root, skipped }));
            }
        }
    }
    Err(Refused { line: None, fault: Fault::Yaml { what: "found unexpected ':'", context: "" } })
}

/// Puts a plain scalar and the colon that ends it into quotes.
///
/// In `{a:}` the key is `a:` to go-yaml, while libyaml-safer follows a later libyaml and refuses it.
fn quote(text: &[u8], scalar: Range<usize>) -> Vec<u8> {
    let (Some(before), Some(plain), Some(behind)) =
        (text.get(..scalar.start), text.get(scalar.clone()), text.get(scalar.end..))
    else {
        return text.to_vec();
    };
    let doubled = plain.split(|byte| *byte == b'\'').collect::<Vec<_>>().join(&b"\'\'"[..]);
    [before, b"'", &doubled, b"'", behind].concat()
}

/// Returns whether a double-quoted scalar escapes a slash, which libyaml-safer reads and go-yaml v2 does not know.
fn escapes_a_slash(quoted: &[u8]) -> bool {
    let mut bytes = quoted.iter();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' && bytes.next() == Some(&b'/') {
            return true;
        }
    }
    false
}

struct Composer<'a> {
    parser: Parser<&'a [u8]>,
    nodes: Vec<Node>,
    anchors: HashMap<String, NodeId>,
    lines_before: u32,
    text: &'a [u8],
    /// The bytes of a plain scalar with the colon at its end that the parser stumbled over.
    ends_with_colon: Option<Range<usize>>,
}

/// Returns the place in the text, in bytes, of a mark.
fn place(index: u64) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// Returns a place as a node keeps it: files are far shorter than what it can tell.
fn short(index: u64) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl Composer<'_> {
    fn document(&mut self) -> Result<Option<NodeId>, Refused> {
        loop {
            let event = self.next()?;
            match event.data {
                EventData::StreamStart { .. } | EventData::DocumentStart { .. } => {}
                EventData::StreamEnd => return Ok(None),
                _ => {
                    let root = self.node(event, 0, false)?;
                    // The end of the document is read too: it may be what is wrong.
                    self.next()?;
                    return Ok(Some(root));
                }
            }
        }
    }

    fn next(&mut self) -> Result<Event, Refused> {
        self.parser.parse().map_err(|error| {
            let before = self.lines_before as usize;
            if error.problem() == "found unexpected ':'"
                && let (Some(start), Some(colon)) = (error.context_mark(), error.problem_mark())
            {
                self.ends_with_colon = Some(place(start.index)..place(colon.index).saturating_add(1));
            }
            Refused {
                line: error
                    .problem_mark()
                    .and_then(|mark| usize::try_from(mark.line).ok())
                    .map(|line| (line + 1).saturating_sub(before).max(1)),
                fault: Fault::Yaml {
                    what: plainly(error.problem()),
                    context: error.context().unwrap_or_default(),
                },
            }
        })
    }

    /// Composes the node that begins with this event, and everything below it.
    fn node(&mut self, event: Event, depth: usize, in_flow: bool) -> Result<NodeId, Refused> {
        let line = u32::try_from(event.start_mark.line).unwrap_or(u32::MAX - 1) + 1 - self.lines_before;
        if depth > limits::DOCUMENT_DEPTH {
            return Err(Refused::at(line, Fault::TooDeep));
        }
        if self.nodes.len() >= limits::DOCUMENT_NODES {
            return Err(Refused::at(line, Fault::TooManyValues));
        }
        let id = self.nodes.len();
        let span = (event.start_mark.index, event.end_mark.index);
        match event.data {
            EventData::Alias { anchor } => {
                let target =
                    *self.anchors.get(&anchor).ok_or_else(|| Refused::at(line, Fault::UnknownAnchor))?;
                self.push(line, span, Style::Alias, None, false, Kind::Alias(target));
            }
            EventData::Scalar { anchor, tag, value, plain_implicit, style, .. } => {
                let written = place(event.start_mark.index)..place(event.end_mark.index);
                if style == ScalarStyle::DoubleQuoted && self.text.get(written).is_some_and(escapes_a_slash) {
                    let fault = Fault::Yaml {
                        what: "found unknown escape character",
                        context: "while parsing a quoted scalar",
                    };
                    return Err(Refused::at(line, fault));
                }
                if in_flow && style == ScalarStyle::Plain && value.contains('?') {
                    // go-yaml ends a plain scalar there, and then misses a comma.
                    let fault =
                        Fault::Yaml { what: "did not find expected ',', ']' or '}' before '?'", context: "" };
                    return Err(Refused::at(line, fault));
                }
                let style = match style {
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                    _ => Style::Plain,
                };
                let tagged = tag.is_some();
                let kind = Kind::Scalar { value, tag, implicit: plain_implicit };
                self.push(line, span, style, anchor, tagged, kind);
            }
            EventData::SequenceStart { anchor, tag, style, .. } => {
                let in_flow = style == SequenceStyle::Flow;
                let style = if in_flow { Style::Flow } else { Style::Block };
                self.push(line, span, style, anchor, tag.is_some(), Kind::List(Vec::new()));
                let mut items = Vec::new();
                loop {
                    let event = self.next()?;
                    if matches!(event.data, EventData::SequenceEnd) {
                        self.nodes[id].end = short(event.end_mark.index);
                        break;
                    }
                    items.push(self.node(event, depth + 1, in_flow)?);
                }
                self.nodes[id].kind = Kind::List(items);
            }
            EventData::MappingStart { anchor, tag, style, .. } => {
                let in_flow = style == MappingStyle::Flow;
                let style = if in_flow { Style::Flow } else { Style::Block };
                self.push(line, span, style, anchor, tag.is_some(), Kind::Map(Vec::new()));
                let mut fields = Vec::new();
                loop {
                    let event = self.next()?;
                    if matches!(event.data, EventData::MappingEnd) {
                        self.nodes[id].end = short(event.end_mark.index);
                        break;
                    }
                    let key = self.node(event, depth + 1, in_flow)?;
                    let event = self.next()?;
                    fields.push((key, self.node(event, depth + 1, in_flow)?));
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
    fn push(
        &mut self,
        line: u32,
        (start, end): (u64, u64),
        style: Style,
        anchor: Option<String>,
        tagged: bool,
        kind: Kind,
    ) {
        let anchored = anchor.is_some();
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, self.nodes.len());
        }
        let (start, end) = (short(start), short(end));
        self.nodes.push(Node { line, start, end, style, anchored, tagged, kind });
    }
}

/// Returns the parser's words, and plainer ones for the mistake that people make most.
fn plainly(problem: &'static str) -> &'static str {
    match problem {
        "found character that cannot start any token" => {
            "found character that cannot start any token, a tab perhaps: YAML is indented by spaces"
        }
        other => other,
    }
}
