//! Defines how a tree of YAML nodes becomes a value: aliases followed, merge keys applied, keys made strings.
//!
//! Source: go-yaml v2, `decode.go`. Fields are set in the order in which they stand, so that a merge key that stands
//! behind a field overrides it.

use super::compose::{Kind, NodeId, Tree};
use super::error::Fault;
use super::resolve::{self, MERGE, Scalar};
use super::{Decoded, Refused};
use crate::model::Value;
use crate::model::field_path::{FieldPath, Segment};
use crate::model::limits;
use crate::model::manifest::{FieldLines, Problem};
use crate::model::value::map_of;
use std::collections::HashSet;

/// Decodes a document.
pub(super) fn decode(tree: &Tree) -> Result<Decoded, Refused> {
    decode_node(tree, tree.root)
}

/// Decodes one node of a document.
pub(super) fn decode_node(tree: &Tree, node: NodeId) -> Result<Decoded, Refused> {
    // go-yaml counts the document itself.
    let mut decoder = Decoder {
        tree,
        open: HashSet::new(),
        path: Vec::new(),
        problems: Vec::new(),
        decoded: 1,
        aliased: 0,
    };
    let (value, lines) = decoder.value(node)?;
    Ok(Decoded { value, lines, problems: decoder.problems })
}

/// Returns the text of a key that is a scalar.
pub(super) fn key_of(tree: &Tree, key: NodeId) -> Option<String> {
    let Kind::Scalar { value, tag, implicit } = &tree.nodes.get(key)?.kind else { return None };
    resolve::resolve(value, tag.as_deref(), *implicit).and_then(Scalar::into_key).ok()
}

/// Returns whether a key is the merge key.
pub(super) fn is_merge(tree: &Tree, key: NodeId) -> bool {
    matches!(&tree.nodes[key].kind, Kind::Scalar { value, tag, implicit }
        if value == "<<" && (*implicit || tag.as_deref() == Some(MERGE)))
}

struct Decoder<'a> {
    tree: &'a Tree,
    /// The aliases that are being followed.
    open: HashSet<NodeId>,
    path: Vec<Segment>,
    problems: Vec<Problem>,
    decoded: usize,
    aliased: usize,
}

impl Decoder<'_> {
    fn value(&mut self, id: NodeId) -> Result<(Value, FieldLines), Refused> {
        let line = self.tree.nodes[id].line;
        self.count(line)?;
        match &self.tree.nodes[id].kind {
            Kind::Scalar { value, tag, implicit } => {
                let scalar = resolve::resolve(value, tag.as_deref(), *implicit).and_then(Scalar::into_value);
                Ok((scalar.map_err(|fault| Refused::at(line, fault))?, leaf(line)))
            }
            Kind::Alias(target) => self.follow(id, |decoder| decoder.value(*target)),
            Kind::List(items) => self.list(items, line),
            Kind::Map(fields) => {
                let mut decoded = Vec::with_capacity(fields.len());
                let mut lines = leaf(line);
                lines.children.reserve_exact(fields.len());
                self.map(fields, &mut decoded, &mut lines)?;
                Ok((Value::Map(map_of(decoded)), lines))
            }
        }
    }

    fn list(&mut self, items: &[NodeId], line: u32) -> Result<(Value, FieldLines), Refused> {
        let mut list = Vec::with_capacity(items.len());
        let mut lines = leaf(line);
        for (index, item) in items.iter().enumerate() {
            let (value, mut at) = self.below(Segment::Index(index), |decoder| decoder.value(*item))?;
            at.line = self.tree.nodes[*item].line;
            list.push(value);
            lines.children.push((index.to_string(), at));
        }
        Ok((Value::List(list), lines))
    }

    /// Sets a mapping's fields, and those that it merges, in the order in which they stand.
    fn map(
        &mut self,
        fields: &[(NodeId, NodeId)],
        map: &mut Vec<(String, Value)>,
        lines: &mut FieldLines,
    ) -> Result<(), Refused> {
        let mut own = HashSet::new();
        for (key, value) in fields {
            if self.is_merge(*key) {
                self.merge(*value, map, lines)?;
                continue;
            }
            let line = self.tree.nodes[*key].line;
            let name = self.key(*key)?;
            if !own.insert(name.clone()) {
                self.report_duplicate(&name, line);
            }
            let (value, mut at) =
                self.below(Segment::Field(name.clone()), |decoder| decoder.value(*value))?;
            at.line = line;
            lines.children.push((name.clone(), at));
            map.push((name, value));
        }
        Ok(())
    }

    fn key(&mut self, id: NodeId) -> Result<String, Refused> {
        let node = &self.tree.nodes[id];
        self.count(node.line)?;
        match &node.kind {
            Kind::Scalar { value, tag, implicit } => resolve::resolve(value, tag.as_deref(), *implicit)
                .and_then(Scalar::into_key)
                .map_err(|fault| Refused::at(node.line, fault)),
            Kind::Alias(target) => self.follow(id, |decoder| decoder.key(*target)),
            Kind::List(_) | Kind::Map(_) => Err(Refused::at(node.line, Fault::CollectionAsKey)),
        }
    }

    fn is_merge(&self, key: NodeId) -> bool {
        is_merge(self.tree, key)
    }

    fn merge(
        &mut self,
        from: NodeId,
        map: &mut Vec<(String, Value)>,
        lines: &mut FieldLines,
    ) -> Result<(), Refused> {
        match &self.tree.nodes[from].kind {
            // From the last to the first: earlier maps take precedence.
            Kind::List(items) => items.iter().rev().try_for_each(|item| self.merge_map(*item, map, lines)),
            _ => self.merge_map(from, map, lines),
        }
    }

    fn merge_map(
        &mut self,
        from: NodeId,
        map: &mut Vec<(String, Value)>,
        lines: &mut FieldLines,
    ) -> Result<(), Refused> {
        let node = &self.tree.nodes[from];
        self.count(node.line)?;
        match &node.kind {
            Kind::Map(fields) => self.map(fields, map, lines),
            Kind::Alias(target) if matches!(self.tree.nodes[*target].kind, Kind::Map(_)) => {
                self.follow(from, |decoder| decoder.merge_map(*target, map, lines))
            }
            _ => Err(Refused::at(node.line, Fault::MergeWantsMaps)),
        }
    }

    /// Follows an alias, which must not lead back to itself.
    fn follow<T>(
        &mut self,
        alias: NodeId,
        decode: impl FnOnce(&mut Self) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        if !self.open.insert(alias) {
            return Err(Refused::at(self.tree.nodes[alias].line, Fault::AnchorInItself));
        }
        let decoded = decode(self);
        self.open.remove(&alias);
        decoded
    }

    fn below<T>(
        &mut self,
        segment: Segment,
        decode: impl FnOnce(&mut Self) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        self.path.push(segment);
        let decoded = decode(self);
        self.path.pop();
        decoded
    }

    /// Reports a key that stands twice in one mapping; what an alias repeats was reported where it is written.
    fn report_duplicate(&mut self, name: &str, line: u32) {
        if self.open.is_empty() {
            let path = FieldPath(self.path.clone()).field(name);
            self.problems.push(super::duplicate_key(&path, line));
        }
    }

    /// Counts one value, against our limits and go-yaml's: so many of them may come from aliases.
    fn count(&mut self, line: u32) -> Result<(), Refused> {
        self.decoded += 1;
        if !self.open.is_empty() {
            self.aliased += 1;
        }
        if self.path.len() + self.open.len() > 2 * limits::DOCUMENT_DEPTH {
            return Err(Refused::at(line, Fault::TooDeep));
        }
        if self.decoded > limits::DOCUMENT_NODES {
            return Err(Refused::at(line, Fault::TooManyValues));
        }
        #[allow(clippy::cast_precision_loss)] // a few millions
        let ratio = self.aliased as f64 / self.decoded as f64;
        if self.aliased > 100 && self.decoded > 1000 && ratio > allowed_alias_ratio(self.decoded) {
            return Err(Refused::at(line, Fault::TooManyAliases));
        }
        Ok(())
    }
}

/// Returns how much of a document may come from aliases: 99 % up to 400,000 values, falling to 10 % at 4,000,000.
fn allowed_alias_ratio(decoded: usize) -> f64 {
    const LOW: f64 = 400_000.0;
    const HIGH: f64 = 4_000_000.0;
    #[allow(clippy::cast_precision_loss)] // a few millions
    let decoded = (decoded as f64).clamp(LOW, HIGH);
    0.99 - 0.89 * ((decoded - LOW) / (HIGH - LOW))
}

fn leaf(line: u32) -> FieldLines {
    FieldLines { line, children: Vec::new() }
}
