//! Defines how a document is laid out, so that what is added looks like what is there.

use super::super::compose::{Kind, NodeId, Style};
use super::block::dash_of;
use super::piece::Piece;
use std::collections::BTreeMap;

/// How a document is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Columns that a map is deeper than the key that it stands below.
    pub step: usize,
    /// Columns that the dashes of a list are deeper than the key that it stands below.
    pub dashes: usize,
    /// The quotes of text that needs some, where either will do.
    pub quotes: Style,
}

impl Default for Shape {
    fn default() -> Self {
        Self { step: 2, dashes: 0, quotes: Style::Double }
    }
}

impl Piece {
    /// Returns how most of the document is laid out.
    pub fn shape(&self) -> Shape {
        let (mut steps, mut dashes) = (BTreeMap::new(), BTreeMap::new());
        let nodes = &self.tree.nodes;
        for (id, node) in nodes.iter().enumerate() {
            let (Kind::Map(fields), Style::Block) = (&node.kind, node.style) else { continue };
            let Some(column) = self.column_of_map(id) else { continue };
            for (key, value) in fields {
                let below = &nodes[*value];
                if below.style != Style::Block || below.line == nodes[*key].line {
                    continue;
                }
                let (found, into) = match &below.kind {
                    Kind::Map(_) => (self.column_of_map(*value), &mut steps),
                    Kind::List(_) => (dash_of(self, *value, 0).map(|dash| self.column(dash)), &mut dashes),
                    _ => continue,
                };
                if let Some(deeper) = found.and_then(|found| found.checked_sub(column)) {
                    *into.entry(deeper).or_insert(0_usize) += 1;
                }
            }
        }
        let most = |of: &BTreeMap<usize, usize>| {
            of.iter().max_by_key(|(_, count)| **count).map(|(deeper, _)| *deeper)
        };
        let quoted = |style| nodes.iter().filter(|node| node.style == style).count();
        let usual = Shape::default();
        let quotes =
            if quoted(Style::Single) > quoted(Style::Double) { Style::Single } else { Style::Double };
        let step = most(&steps).filter(|step| *step > 0).unwrap_or(usual.step);
        Shape { step, dashes: most(&dashes).unwrap_or(usual.dashes), quotes }
    }

    /// Returns the column of the keys of a map in block style.
    pub fn column_of_map(&self, map: NodeId) -> Option<usize> {
        let Kind::Map(fields) = &self.tree.nodes.get(map)?.kind else { return None };
        fields.first().map(|(key, _)| self.column(self.start(*key)))
    }
}
