//! Defines by what a row of a resource's view is known again when changes or lines come and go: a field by its path, a
//! line by its side and text. Their numbers say nothing, for they are others after each change.

use super::view::ViewRow;
use super::world::ResourceKey;
use crate::model::text_diff::Side;
use crate::model::{FieldChange, TextDiff};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What a row is known by. Rows with the same text have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Anchor(u64);

impl Anchor {
    /// Returns what a row is known by, with the changes and the diff that its numbers mean.
    pub fn of(row: &ViewRow, key: &ResourceKey, changes: &[FieldChange], diff: Option<&TextDiff>) -> Self {
        let mut hasher = DefaultHasher::new();
        key.id.hash(&mut hasher);
        let text = |at: usize| {
            diff.and_then(|diff| diff.lines.get(at)).map(|line| {
                (line.side, line.pieces.iter().map(|piece| piece.text.as_str()).collect::<String>())
            })
        };
        match row {
            // A fold is its first line: what is under the cursor when it opens.
            ViewRow::Line { line, .. } | ViewRow::Fold { from: line, .. } => text(*line).hash(&mut hasher),
            ViewRow::Pair { desired, live, .. } => {
                let (desired, live) = (desired.and_then(text), live.and_then(text));
                match desired {
                    Some((Side::Both, _)) => desired.hash(&mut hasher),
                    _ => (desired, live).hash(&mut hasher),
                }
            }
            other => {
                std::mem::discriminant(other).hash(&mut hasher);
                let path = other.change().and_then(|(_, at)| changes.get(at)).map(|change| &change.path);
                path.map(ToString::to_string).hash(&mut hasher);
                if let ViewRow::About { line, .. } = other {
                    line.hash(&mut hasher);
                }
            }
        }
        Self(hasher.finish())
    }
}

/// Returns where the cursor goes among new rows: to its own row, the nearest of those that are the same; else to the
/// nearest neighbour that stays, below before above.
pub fn kept(old: &[Option<Anchor>], cursor: usize, new: &[Option<Anchor>]) -> Option<usize> {
    let mut places: HashMap<Anchor, Vec<usize>> = HashMap::new();
    for (at, anchor) in new.iter().enumerate() {
        if let Some(anchor) = anchor {
            places.entry(*anchor).or_default().push(at);
        }
    }
    let mut candidates = old.iter().skip(cursor).chain(old.iter().take(cursor).rev());
    candidates
        .find_map(|anchor| places.get(&(*anchor)?)?.iter().min_by_key(|at| at.abs_diff(cursor)).copied())
}
