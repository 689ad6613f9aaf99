//! Defines what is known of the kinds' structure: field types, list and map semantics, defaults.
//!
//! `cluster` fills it from a cluster's `/openapi/v3`, the built-in one in `assets` is of the same form, and `drift`
//! walks it. Nodes live in one arena and refer to each other by number, because types recurse (JSONSchemaProps).

use super::id::{GroupKind, GroupVersionKind};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// A node's number in its schema's arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u32);

/// The structure of a set of kinds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Schema {
    pub nodes: Vec<Node>,
    pub kinds: Vec<KindSchema>,
    #[serde(skip)]
    index: HashMap<GroupVersionKind, usize>,
}

/// One kind's entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KindSchema {
    pub kind: GroupVersionKind,
    pub root: NodeId,
    pub namespaced: bool,
    /// Whether the kind has a status subresource, so that a status in Git is never applied.
    pub status_subresource: bool,
    /// Whether it comes from a CustomResourceDefinition: no built-in canonicalisation applies.
    pub custom: bool,
}

/// The type of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    pub shape: Shape,
    /// The value that the server fills in where the field is absent, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nullable: bool,
}

/// The structure of a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Shape {
    /// Nothing is known: plain data (preserve-unknown-fields, `RawExtension`, a schema without a type).
    Any,
    Boolean,
    Integer,
    Number,
    String,
    /// Base64 text.
    Bytes,
    /// RFC 3339 text whose spelling may differ.
    DateTime,
    IntOrString,
    Quantity,
    /// A duration as Go prints it, which the server normalises (`1h` and `60m` are `1h0m0s`).
    Duration,
    Struct {
        fields: BTreeMap<String, NodeId>,
        atomic: bool,
        /// Fields that are not declared are kept by the server.
        preserve_unknown: bool,
        /// A whole object with apiVersion, kind and metadata (`x-kubernetes-embedded-resource`).
        embedded: bool,
        required: Vec<String>,
    },
    Map {
        value: NodeId,
        atomic: bool,
    },
    List {
        item: NodeId,
        kind: ListKind,
    },
}

/// How a list merges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ListKind {
    Atomic,
    Set,
    /// Items are told apart by these fields, in the order of the schema.
    Keyed(Vec<String>),
}

impl Schema {
    /// Adds a node and returns its number.
    #[allow(clippy::cast_possible_truncation)] // four thousand million nodes do not fit in memory
    pub fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// Adds a kind, replacing an earlier entry of the same kind and version.
    pub fn add_kind(&mut self, kind: KindSchema) {
        self.reindex();
        if let Some(&at) = self.index.get(&kind.kind) {
            if let Some(entry) = self.kinds.get_mut(at) {
                *entry = kind;
            }
        } else {
            self.index.insert(kind.kind.clone(), self.kinds.len());
            self.kinds.push(kind);
        }
    }

    /// Rebuilds the index after the schema was read from storage.
    pub fn reindex(&mut self) {
        if self.index.len() != self.kinds.len() {
            self.index = self.kinds.iter().enumerate().map(|(i, k)| (k.kind.clone(), i)).collect();
        }
    }

    /// Takes over another schema's kinds; they win over kinds already here.
    pub fn merge(&mut self, other: Schema) {
        #[allow(clippy::cast_possible_truncation)]
        let base = self.nodes.len() as u32;
        let shift = |id: NodeId| NodeId(id.0 + base);
        for mut node in other.nodes {
            match &mut node.shape {
                Shape::Struct { fields, .. } => fields.values_mut().for_each(|id| *id = shift(*id)),
                Shape::Map { value, .. } => *value = shift(*value),
                Shape::List { item, .. } => *item = shift(*item),
                _ => {}
            }
            self.nodes.push(node);
        }
        for mut kind in other.kinds {
            kind.root = shift(kind.root);
            self.add_kind(kind);
        }
    }

    /// Returns the entry of a kind in exactly this version. The schema must be indexed (see [`Schema::reindex`]).
    pub fn kind(&self, kind: &GroupVersionKind) -> Option<&KindSchema> {
        self.index.get(kind).and_then(|&at| self.kinds.get(at))
    }

    /// Returns any version's entry of a kind.
    pub fn any_version(&self, kind: &GroupKind) -> Option<&KindSchema> {
        self.kinds.iter().find(|k| k.kind.group == kind.group && k.kind.kind == kind.kind)
    }

    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }
}
