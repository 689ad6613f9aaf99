//! Defines the next step of an edit: which value is replaced, added or removed, found as the reader reads the document.

use super::super::compose::{Kind, NodeId, Style};
use super::super::decode;
use super::piece::Piece;
use super::{Change, Edit, EditFault, EditRefused, map_with};
use crate::model::Value;
use crate::model::field_path::{FieldPath, Scalar, Segment};
use crate::model::value::map_of;

/// A step from a value to one below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Field(String),
    Item(usize),
}

/// What a value stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Root,
    Entry { map: NodeId, at: usize },
    Item { list: NodeId, at: usize },
}

/// One change of the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Op {
    /// From the root to the value that is changed or gets or loses something.
    pub steps: Vec<Step>,
    pub act: Act,
    /// The line, counted from 1 in the text.
    pub line: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Act {
    Replace {
        node: NodeId,
        slot: Slot,
        value: Value,
    },
    /// One of several fields goes.
    RemoveEntry {
        map: NodeId,
        at: usize,
        name: String,
    },
    /// One of several items goes.
    RemoveItem {
        list: NodeId,
        at: usize,
    },
    /// A field comes to stand before the `at`th of a map that has some.
    InsertKey {
        map: NodeId,
        at: usize,
        key: String,
        value: Value,
    },
    /// An item comes to stand before the `at`th of a list that has some.
    InsertItem {
        list: NodeId,
        at: usize,
        value: Value,
    },
}

/// Returns the next step of an edit, with the path of what is changed by positions, where more may be left to do there;
/// `None` where the document is as it should be.
pub(super) fn next(piece: &Piece, edit: &Edit) -> Result<Option<(Op, Option<FieldPath>)>, EditRefused> {
    let mut walk = Walk { piece, steps: Vec::new(), slot: Slot::Root, node: piece.tree.root };
    let path = &edit.path.0;
    for (index, segment) in path.iter().enumerate() {
        walk.pass()?;
        let rest = path.get(index + 1..).unwrap_or_default();
        if !walk.descend(segment)? {
            return match &edit.change {
                Change::Remove => Ok(None),
                Change::Set(value) => {
                    walk.add(segment, nested(rest, value.clone()), &edit.after).map(|op| Some((op, None)))
                }
            };
        }
    }
    match &edit.change {
        Change::Remove => walk.remove().map(|op| Some((op, None))),
        Change::Set(value) => {
            let segments = walk.steps.iter().map(|step| match step {
                Step::Field(name) => Segment::Field(name.clone()),
                Step::Item(at) => Segment::Index(*at),
            });
            let target = FieldPath(segments.collect());
            Ok(walk.differs(value)?.map(|op| (op, Some(target))))
        }
    }
}

/// Returns a value below what a path names, none of which is there yet.
fn nested(path: &[Segment], value: Value) -> Value {
    path.iter().rev().fold(value, |value, segment| match segment {
        Segment::Field(name) => map_with(name, value),
        other => Value::List(vec![item(other, value)]),
    })
}

/// Returns a new item of a list with what names it.
fn item(segment: &Segment, value: Value) -> Value {
    match (segment, value) {
        (Segment::Keys(keys), Value::Map(mut fields)) => {
            for (key, Scalar(value)) in keys {
                if fields.get(key.as_str()).is_none() {
                    fields.insert(key.clone(), value.clone());
                }
            }
            Value::Map(fields)
        }
        (Segment::Keys(keys), Value::Null) => {
            Value::Map(map_of(keys.iter().map(|(key, value)| (key.clone(), value.0.clone())).collect()))
        }
        (_, value) => value,
    }
}

struct Walk<'p> {
    piece: &'p Piece,
    steps: Vec<Step>,
    slot: Slot,
    node: NodeId,
}

impl Walk<'_> {
    fn line(&self) -> usize {
        self.piece.tree.nodes[self.node].line as usize
    }

    fn refused(&self, fault: EditFault) -> EditRefused {
        self.piece.refused(self.line(), fault)
    }

    /// Refuses what may not be changed below: an alias, and what an alias stands for elsewhere.
    fn pass(&self) -> Result<(), EditRefused> {
        let node = &self.piece.tree.nodes[self.node];
        if matches!(node.kind, Kind::Alias(_)) {
            return Err(self.refused(EditFault::Alias));
        }
        let is_target =
            |other: &super::super::compose::Node| matches!(other.kind, Kind::Alias(to) if to == self.node);
        if node.anchored && self.piece.tree.nodes.iter().any(is_target) {
            return Err(self.refused(EditFault::Anchored));
        }
        Ok(())
    }

    fn kind(&self) -> &Kind {
        &self.piece.tree.nodes[self.node].kind
    }

    fn value(&self) -> Result<Value, EditRefused> {
        value_of(self.piece, self.node)
    }

    fn is_null(&self) -> bool {
        matches!(self.kind(), Kind::Scalar { .. }) && self.value().is_ok_and(|value| value.is_null())
    }

    /// Goes down one segment; returns whether there is something.
    fn descend(&mut self, segment: &Segment) -> Result<bool, EditRefused> {
        match (segment, self.kind()) {
            (Segment::Field(name), Kind::Map(_)) => self.field(name),
            (segment, Kind::List(_)) if !matches!(segment, Segment::Field(_)) => self.item(segment),
            _ if self.is_null() => Ok(false),
            _ => Err(self.refused(EditFault::NotThere)),
        }
    }

    fn field(&mut self, name: &str) -> Result<bool, EditRefused> {
        let Kind::Map(fields) = self.kind() else { return Ok(false) };
        let tree = &self.piece.tree;
        let mut found = fields.iter().enumerate().filter(|(_, (key, _))| {
            !decode::is_merge(tree, *key) && decode::key_of(tree, *key).as_deref() == Some(name)
        });
        let merges = fields.iter().any(|(key, _)| decode::is_merge(tree, *key));
        let (at, value) = match (found.next(), found.next()) {
            (Some((at, (_, value))), None) => (at, *value),
            (Some(_), Some((_, (key, _)))) => {
                let line = tree.nodes[*key].line as usize;
                return Err(self.piece.refused(line, EditFault::DuplicateKey));
            }
            (None, _) if merges => return Err(self.refused(EditFault::Merged)),
            (None, _) => return Ok(false),
        };
        self.slot = Slot::Entry { map: self.node, at };
        self.node = value;
        self.steps.push(Step::Field(name.to_owned()));
        Ok(true)
    }

    fn item(&mut self, segment: &Segment) -> Result<bool, EditRefused> {
        let Kind::List(items) = self.kind() else { return Ok(false) };
        let mut fitting = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let fits = match segment {
                Segment::Index(index) => at == *index,
                Segment::Item(wanted) => Scalar(value_of(self.piece, *item)?) == *wanted,
                Segment::Keys(keys) => {
                    let value = value_of(self.piece, *item)?;
                    // A key that an item leaves out is defaulted; one at least must stand there.
                    keys.iter().any(|(key, _)| value.get(key).is_some())
                        && keys.iter().all(|(key, wanted)| {
                            value.get(key).is_none_or(|found| Scalar(found.clone()) == *wanted)
                        })
                }
                Segment::Field(_) => false,
            };
            if fits {
                fitting.push((at, *item));
            }
        }
        match fitting.as_slice() {
            [(at, item)] => {
                self.slot = Slot::Item { list: self.node, at: *at };
                self.node = *item;
                self.steps.push(Step::Item(*at));
                Ok(true)
            }
            [] => match segment {
                Segment::Index(index) if *index > items.len() => Err(self.refused(EditFault::NotThere)),
                _ => Ok(false),
            },
            [_, (_, second), ..] => {
                let line = self.piece.tree.nodes[*second].line as usize;
                Err(self.piece.refused(line, EditFault::Ambiguous))
            }
        }
    }

    fn op(&self, act: Act) -> Op {
        Op { steps: self.steps.clone(), act, line: self.line() }
    }

    /// Puts another value where this stands.
    fn replace(&self, value: Value) -> Result<Op, EditRefused> {
        self.may_go(self.node)?;
        if self.slot == Slot::Root {
            return Err(self.refused(EditFault::WholeDocument));
        }
        Ok(self.op(Act::Replace { node: self.node, slot: self.slot, value }))
    }

    /// Adds what is not there below this node.
    fn add(&self, segment: &Segment, value: Value, after: &[Segment]) -> Result<Op, EditRefused> {
        if value.holds_sealed() {
            return Err(self.refused(EditFault::Sealed));
        }
        match (segment, self.kind()) {
            (Segment::Field(name), Kind::Map(fields)) if !fields.is_empty() => {
                let names: Vec<Option<String>> =
                    fields.iter().map(|(key, _)| decode::key_of(&self.piece.tree, *key)).collect();
                let at = place_of(name, &names, after);
                Ok(self.op(Act::InsertKey { map: self.node, at, key: name.clone(), value }))
            }
            (Segment::Field(name), _) => self.replace(map_with(name, value)),
            (segment, Kind::List(items)) if !items.is_empty() => {
                let mut behind = None;
                for wanted in after {
                    let mut other =
                        Walk { piece: self.piece, steps: Vec::new(), slot: Slot::Root, node: self.node };
                    if other.item(wanted).unwrap_or(false)
                        && let Slot::Item { at, .. } = other.slot
                    {
                        behind = Some(at + 1);
                        break;
                    }
                }
                let at = behind.unwrap_or(items.len());
                Ok(self.op(Act::InsertItem { list: self.node, at, value: item(segment, value) }))
            }
            (segment, _) => self.replace(Value::List(vec![item(segment, value)])),
        }
    }

    /// Takes this node away.
    fn remove(&self) -> Result<Op, EditRefused> {
        self.may_go(self.node)?;
        let steps = self.steps.split_last().map(|(_, above)| above.to_vec()).unwrap_or_default();
        let line = self.line();
        let above = |node: NodeId| {
            let emptied = match &self.piece.tree.nodes[node].kind {
                Kind::Map(fields) => (fields.len() == 1).then(|| Value::Map(map_of(Vec::new()))),
                Kind::List(items) => (items.len() == 1).then(|| Value::List(Vec::new())),
                _ => None,
            };
            emptied.map(|value| (slot_of(self.piece, node), value))
        };
        let act = match (self.slot, self.steps.last()) {
            (Slot::Entry { map, at }, Some(Step::Field(name))) => match above(map) {
                Some((Slot::Root, _)) => return Err(self.refused(EditFault::WholeDocument)),
                Some((slot, value)) => Act::Replace { node: map, slot, value },
                None => Act::RemoveEntry { map, at, name: name.clone() },
            },
            (Slot::Item { list, at }, _) => match above(list) {
                Some((Slot::Root, _)) => return Err(self.refused(EditFault::WholeDocument)),
                Some((slot, value)) => Act::Replace { node: list, slot, value },
                None => Act::RemoveItem { list, at },
            },
            _ => return Err(self.refused(EditFault::WholeDocument)),
        };
        Ok(Op { steps, act, line })
    }

    /// Refuses to take away what is referred to from elsewhere.
    fn may_go(&self, node: NodeId) -> Result<(), EditRefused> {
        let nodes = &self.piece.tree.nodes;
        let end = behind(self.piece, node);
        let is_needed = |to: NodeId| (node..end).contains(&to);
        let outside = nodes.iter().enumerate().find(|(at, other)| {
            !(node..end).contains(at) && matches!(other.kind, Kind::Alias(to) if is_needed(to))
        });
        match outside {
            Some(_) => Err(self.refused(EditFault::Anchored)),
            None => Ok(()),
        }
    }

    /// Returns the first step that makes this node what it should be.
    fn differs(&mut self, wanted: &Value) -> Result<Option<Op>, EditRefused> {
        if wanted.holds_sealed() {
            return Err(self.refused(EditFault::Sealed));
        }
        let found = self.value()?;
        if found == *wanted {
            return Ok(None);
        }
        self.pass()?;
        match (&found, wanted) {
            (Value::Map(old), Value::Map(new)) if !old.is_empty() && !new.is_empty() => {
                for (name, _) in old.iter().filter(|(name, _)| new.get(name.as_str()).is_none()) {
                    let mut below = self.fork();
                    if below.field(name)? {
                        return below.remove().map(Some);
                    }
                }
                for (name, value) in new {
                    match old.get(name.as_str()) {
                        Some(same) if same == value => {}
                        Some(_) => {
                            let mut below = self.fork();
                            if below.field(name)? {
                                return below.differs(value);
                            }
                        }
                        None => return self.add(&Segment::Field(name.clone()), value.clone(), &[]).map(Some),
                    }
                }
                Ok(None)
            }
            (Value::List(old), Value::List(new)) if !old.is_empty() && !new.is_empty() => {
                self.items_differ(old, new)
            }
            _ => self.replace(wanted.clone()).map(Some),
        }
    }

    fn items_differ(&mut self, old: &[Value], new: &[Value]) -> Result<Option<Op>, EditRefused> {
        let before = old.iter().zip(new).take_while(|(old, new)| old == new).count();
        let rest = |all: &[Value]| all.len() - before;
        let most = rest(old).min(rest(new));
        let behind =
            old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(old, new)| old == new).count();
        match (rest(old) - behind, rest(new) - behind, new.get(before)) {
            (0, _, Some(value)) => {
                Ok(Some(self.op(Act::InsertItem { list: self.node, at: before, value: value.clone() })))
            }
            (more, few, Some(value)) if few > 0 && more <= few => {
                let mut below = self.fork();
                below.item(&Segment::Index(before))?;
                below.differs(value)
            }
            _ => {
                let mut below = self.fork();
                below.item(&Segment::Index(before))?;
                below.remove().map(Some)
            }
        }
    }

    fn fork(&self) -> Self {
        Walk { piece: self.piece, steps: self.steps.clone(), slot: self.slot, node: self.node }
    }
}

/// Returns where a new field goes.
fn place_of(name: &str, names: &[Option<String>], after: &[Segment]) -> usize {
    let position = |wanted: &Segment| match wanted {
        Segment::Field(wanted) => names.iter().position(|name| name.as_ref() == Some(wanted)),
        _ => None,
    };
    if let Some(at) = after.iter().find_map(position) {
        return at + 1;
    }
    let in_order = names.len() > 1 && names.is_sorted_by(|a, b| a < b);
    if in_order { names.partition_point(|other| other.as_deref() < Some(name)) } else { names.len() }
}

pub(super) fn value_of(piece: &Piece, node: NodeId) -> Result<Value, EditRefused> {
    decode::decode_node(&piece.tree, node).map(|decoded| decoded.value).map_err(|error| EditRefused {
        line: error.line.map(|line| line + piece.first_line - 1),
        fault: EditFault::Unreadable(error.fault),
    })
}

/// Returns the id behind those of a node and of all below it.
fn behind(piece: &Piece, node: NodeId) -> NodeId {
    match &piece.tree.nodes[node].kind {
        Kind::List(items) => items.last().map_or(node + 1, |last| behind(piece, *last)),
        Kind::Map(fields) => fields.last().map_or(node + 1, |(_, last)| behind(piece, *last)),
        _ => node + 1,
    }
}

/// Returns what a node stands in.
pub(super) fn slot_of(piece: &Piece, node: NodeId) -> Slot {
    for (id, other) in piece.tree.nodes.iter().enumerate() {
        match &other.kind {
            Kind::List(items) => {
                if let Some(at) = items.iter().position(|item| *item == node) {
                    return Slot::Item { list: id, at };
                }
            }
            Kind::Map(fields) => {
                if let Some(at) = fields.iter().position(|(_, value)| *value == node) {
                    return Slot::Entry { map: id, at };
                }
            }
            _ => {}
        }
    }
    Slot::Root
}

/// Returns whether what stands in a slot is within brackets.
pub(super) fn is_in_flow(piece: &Piece, slot: Slot) -> bool {
    match slot {
        Slot::Root => false,
        Slot::Entry { map: above, .. } | Slot::Item { list: above, .. } => {
            piece.tree.nodes[above].style == Style::Flow
        }
    }
}
