//! Defines how the items of keyed lists are told apart: by the list's map keys, with their defaults filled in.

use super::types::{Typed, Types, equals_json, is_zero_json};
use crate::model::Value;
use std::collections::HashMap;

/// The value of one key of an item.
#[derive(Debug, Clone, Copy)]
enum Key<'a> {
    Given(&'a Value),
    /// Filled in from the schema.
    Schema(&'a serde_json::Value),
    /// Filled in from the table of defaults.
    Table(&'a Value),
    Absent,
}

fn key<'a>(types: &Types<'a>, item_type: Typed<'a>, item: &'a Value, name: &'a str) -> Key<'a> {
    if let Some(value) = item.get(name).filter(|v| !v.is_null()) {
        return Key::Given(value);
    }
    let field = types.field(item_type, name);
    if let Some(default) = field.typed.node.and_then(|n| n.default.as_ref()).filter(|d| !is_zero_json(d)) {
        return Key::Schema(default);
    }
    if let Some(super::defaults::Rule::Literal(value)) = field.fact.and_then(|f| f.rules.first()) {
        return Key::Table(value);
    }
    Key::Absent
}

impl Key<'_> {
    fn same(self, other: Key<'_>) -> bool {
        match (self, other) {
            (Key::Absent, Key::Absent) => true,
            (Key::Given(a) | Key::Table(a), Key::Given(b) | Key::Table(b)) => a == b,
            (Key::Schema(a), Key::Schema(b)) => a == b,
            (Key::Given(a) | Key::Table(a), Key::Schema(b))
            | (Key::Schema(b), Key::Given(a) | Key::Table(a)) => equals_json(a, b),
            _ => false,
        }
    }

    fn value(self) -> Option<Value> {
        match self {
            Key::Given(value) | Key::Table(value) => Some(value.clone()),
            Key::Schema(json) => Some(Value::from(json.clone())),
            Key::Absent => None,
        }
    }
}

/// Returns the value of one key of an item, its default filled in.
pub(super) fn key_value<'a>(
    types: &Types<'a>,
    item_type: Typed<'a>,
    item: &'a Value,
    name: &'a str,
) -> Option<Value> {
    key(types, item_type, item, name).value()
}

/// Returns whether two items are the same one.
pub(super) fn same_item<'a>(
    types: &Types<'a>,
    item_type: Typed<'a>,
    keys: &'a [String],
    a: &'a Value,
    b: &'a Value,
) -> bool {
    keys.iter().all(|name| key(types, item_type, a, name).same(key(types, item_type, b, name)))
}

/// Items of two lists, paired.
#[derive(Debug, Default)]
pub(super) struct Paired {
    /// For each declared item, the position of its live one.
    pub live_of: Vec<Option<usize>>,
    /// Live items that no declared one pairs with.
    pub extra: Vec<usize>,
    /// Two declared items have the same keys.
    pub duplicates: bool,
}

/// Returns the live items in the declared order, with declared items that are not there in their places and those that
/// nobody declares at the end.
pub(super) fn arranged(paired: &Paired, desired: &[Value], live: &[Value]) -> Vec<Value> {
    let held = paired.live_of.iter().map(|at| at.and_then(|at| live.get(at)));
    let declared = desired.iter().zip(held).map(|(item, held)| held.unwrap_or(item));
    declared.chain(paired.extra.iter().filter_map(|at| live.get(*at))).cloned().collect()
}

/// Above this many items, items are found by their printed keys instead of one by one.
pub(super) const FEW: usize = 32;

/// Pairs the items of two lists by their keys. An item pairs at most once; of several with the same keys the first.
pub(super) fn pair<'a>(
    types: &Types<'a>,
    item_type: Typed<'a>,
    keys: &'a [String],
    desired: &'a [Value],
    live: &'a [Value],
) -> Paired {
    let mut taken = vec![false; live.len()];
    let mut paired = Paired::default();
    let index = (desired.len() > FEW && live.len() > FEW).then(|| Index::of(types, item_type, keys, live));
    for (at, item) in desired.iter().enumerate() {
        let same = |i: &usize| live.get(*i).is_some_and(|l| same_item(types, item_type, keys, item, l));
        let free = |i: &usize| taken.get(*i) == Some(&false);
        let found = if free(&at) && same(&at) {
            Some(at)
        } else if let Some(index) = &index {
            index.find(types, item_type, keys, item).filter(free)
        } else {
            (0..live.len()).find(|i| free(i) && same(i))
        };
        if let Some(slot) = found.and_then(|i| taken.get_mut(i)) {
            *slot = true;
        }
        paired.live_of.push(found);
    }
    paired.extra = (0..live.len()).filter(|i| taken.get(*i) == Some(&false)).collect();
    paired.duplicates = paired
        .extra
        .iter()
        .filter_map(|i| live.get(*i))
        .any(|extra| desired.iter().any(|item| same_item(types, item_type, keys, item, extra)))
        || desired.iter().zip(&paired.live_of).any(|(item, found)| {
            found.is_none() && live.iter().any(|l| same_item(types, item_type, keys, item, l))
        });
    paired
}

/// Returns the keys of an item as one text, the same for items that are the same one.
pub(super) fn printed<'a>(
    types: &Types<'a>,
    typed: Typed<'a>,
    keys: &'a [String],
    item: &'a Value,
) -> String {
    format!("{:?}", keys.iter().map(|k| key_value(types, typed, item, k)).collect::<Vec<_>>())
}

struct Index(HashMap<String, usize>);

impl Index {
    fn of<'a>(types: &Types<'a>, item_type: Typed<'a>, keys: &'a [String], live: &'a [Value]) -> Self {
        let mut index = HashMap::with_capacity(live.len());
        for (at, item) in live.iter().enumerate() {
            index.entry(printed(types, item_type, keys, item)).or_insert(at);
        }
        Self(index)
    }

    fn find<'a>(
        &self,
        types: &Types<'a>,
        typed: Typed<'a>,
        keys: &'a [String],
        item: &'a Value,
    ) -> Option<usize> {
        self.0.get(&printed(types, typed, keys, item)).copied()
    }
}

/// Returns whether the declared items that are live stand there in another order.
pub(super) fn reordered(paired: &Paired) -> bool {
    let mut last = None;
    for found in paired.live_of.iter().flatten() {
        if last.is_some_and(|last| *found < last) {
            return true;
        }
        last = Some(*found);
    }
    false
}
