//! Defines what is new: changes that came up while the deck was open and have not been under the cursor yet.

use super::world::ResourceKey;
use crate::model::{Judgement, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// What is known of each faulty resource, and what of it was not looked at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Unseen {
    known: BTreeMap<Arc<ResourceKey>, Known>,
    new: BTreeMap<Arc<ResourceKey>, New>,
}

/// A fault as it was when it was last told.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    verdict: &'static str,
    /// Each changed field with a digest of its live value.
    fields: BTreeMap<String, u64>,
}

/// What of a resource was not looked at.
#[derive(Debug, Clone, PartialEq, Default)]
struct New {
    /// The resource itself: its verdict is another one.
    whole: bool,
    fields: BTreeSet<String>,
}

impl Unseen {
    /// Takes in a judgement. Only what came up after the first full picture is new.
    pub fn note(&mut self, key: &Arc<ResourceKey>, judgement: &Judgement, settled: bool) {
        // What could not be compared for a while is not new when it comes back as it was.
        if matches!(judgement.verdict, Verdict::Unknown(_)) {
            return;
        }
        if !judgement.verdict.is_drift() && !matches!(judgement.verdict, Verdict::Terminating) {
            self.forget(key);
            return;
        }
        let now = Known { verdict: judgement.verdict.word(), fields: fields(judgement) };
        let before = self.known.insert(Arc::clone(key), now.clone());
        if !settled {
            return;
        }
        let mut new = self.new.remove(key).unwrap_or_default();
        new.fields.retain(|path| now.fields.contains_key(path));
        new.whole |= before.as_ref().is_none_or(|b| b.verdict != now.verdict);
        let others = now
            .fields
            .into_iter()
            .filter(|(path, live)| before.as_ref().is_none_or(|b| b.fields.get(path) != Some(live)));
        new.fields.extend(others.map(|(path, _)| path));
        if new != New::default() {
            self.new.insert(Arc::clone(key), new);
        }
    }

    /// Drops everything about a resource that is gone or in order.
    pub fn forget(&mut self, key: &ResourceKey) {
        self.known.remove(key);
        self.new.remove(key);
    }

    /// Marks the resource's row as looked at.
    pub fn look(&mut self, key: &ResourceKey) {
        self.update(key, |new| new.whole = false);
    }

    /// Marks a field's row as looked at.
    pub fn look_at_field(&mut self, key: &ResourceKey, path: &str) {
        self.update(key, |new| {
            new.fields.remove(path);
        });
    }

    /// Marks the resource with all its fields as looked at.
    pub fn look_at_all(&mut self, key: &ResourceKey) {
        self.new.remove(key);
    }

    fn update(&mut self, key: &ResourceKey, change: impl FnOnce(&mut New)) {
        if let Some(new) = self.new.get_mut(key) {
            change(new);
            if *new == New::default() {
                self.new.remove(key);
            }
        }
    }

    pub fn is_new(&self, key: &ResourceKey) -> bool {
        self.new.get(key).is_some_and(|new| new.whole)
    }

    pub fn is_field_new(&self, key: &ResourceKey, path: &str) -> bool {
        self.new.get(key).is_some_and(|new| new.fields.contains(path))
    }

    /// Returns every resource with something new.
    pub fn resources(&self) -> impl Iterator<Item = &Arc<ResourceKey>> {
        self.new.keys()
    }

    /// Returns how many changes were not looked at.
    pub fn count(&self) -> usize {
        self.new.values().map(|new| usize::from(new.whole) + new.fields.len()).sum()
    }
}

fn fields(judgement: &Judgement) -> BTreeMap<String, u64> {
    judgement
        .counted()
        .map(|change| {
            let mut hasher = DefaultHasher::new();
            // Sealed leaves print one word: a Secret's field is new when it appears, not each time it changes.
            format!("{:?} {:?}", change.class, change.live).hash(&mut hasher);
            (change.path.to_string(), hasher.finish())
        })
        .collect()
}
