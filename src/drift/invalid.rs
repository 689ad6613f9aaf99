//! Defines what is wrong with a desired object before any cluster is asked: items of a list that cannot be told apart, and
//! fields that the server would drop.

use super::keyed;
use super::path::{Step, Steps};
use super::types::{Field, Structure, Typed, Types};
use crate::model::schema::Shape;
use crate::model::{LiveObject, Manifest, Problem, Value};
use std::collections::HashSet;

/// Returns what is wrong with a desired object. `body` is what it declares, `live` what the cluster holds of it: a field
/// that is there cannot be one that the server drops, whatever the schema says.
pub(super) fn problems<'a>(
    types: Types<'a>,
    manifest: &'a Manifest,
    body: &'a Value,
    live: Option<&'a LiveObject>,
) -> Vec<Problem> {
    let mut check =
        Check { types, manifest, live: live.map(|l| &l.body), steps: Steps::default(), problems: Vec::new() };
    if types.known() {
        let root = Field::plain("", types.root);
        check.value(&root, body, live.map(|l| &l.body));
    }
    check.problems
}

struct Check<'a> {
    types: Types<'a>,
    manifest: &'a Manifest,
    live: Option<&'a Value>,
    steps: Steps<'a>,
    problems: Vec<Problem>,
}

impl<'a> Check<'a> {
    fn value(&mut self, field: &Field<'a>, value: &'a Value, live: Option<&'a Value>) {
        match value {
            Value::Map(fields) => {
                for (name, below) in fields {
                    let held = live.and_then(|l| l.get(name));
                    let next = self.types.field(field.typed, name);
                    self.steps.push(Step::Field(name));
                    if next.typed.node.is_none() && held.is_none() && !below.is_null() {
                        self.unknown_field(field.typed, name);
                    }
                    // A status is not applied, so nothing in it can be wrong.
                    if !self.steps.are(&["status"]) {
                        self.value(&next, below, held);
                    }
                    self.steps.pop();
                }
            }
            Value::List(items) => self.list(field, items, live),
            _ => {}
        }
    }

    fn list(&mut self, field: &Field<'a>, items: &'a [Value], live: Option<&'a Value>) {
        let typed = self.types.item(field.typed);
        let held = live.and_then(Value::as_list).unwrap_or_default();
        let keys = match field.typed.structure() {
            Structure::Keyed(keys) => keys,
            structure => {
                if matches!(structure, Structure::Set) {
                    self.repeated_members(items, held);
                }
                for (at, item) in items.iter().enumerate() {
                    self.steps.push(Step::Index(at));
                    self.value(&Field::plain("", typed), item, held.get(at));
                    self.steps.pop();
                }
                return;
            }
        };
        let mut seen = HashSet::new();
        for (at, item) in items.iter().enumerate() {
            let same = |other: &&'a Value| keyed::same_item(&self.types, typed, keys, item, other);
            let repeated = if items.len() > keyed::FEW {
                !seen.insert(keyed::printed(&self.types, typed, keys, item))
            } else {
                items.get(..at).unwrap_or_default().iter().any(|before| same(&before))
            };
            // Most items stand where they were declared.
            let counterpart = held.get(at).filter(same).or_else(|| held.iter().find(same));
            self.steps.push_item(Step::Keyed { item, keys, typed }, Some(at));
            if repeated && !is_twice_live(&self.types, typed, keys, item, held) {
                let keys = keys.join(" and ");
                self.problem(format!(
                    "another item of the list has the same {keys}: only one of them can hold"
                ));
            }
            self.value(&Field::plain("", typed), item, counterpart);
            self.steps.pop();
        }
    }

    fn repeated_members(&mut self, items: &'a [Value], held: &'a [Value]) {
        for (at, item) in items.iter().enumerate() {
            let twice = items.get(..at).is_some_and(|before| before.contains(item));
            if twice && held.iter().filter(|h| *h == item).count() < 2 {
                self.steps.push_item(Step::Member(item), Some(at));
                self.problem("the value stands in the list twice".to_owned());
                self.steps.pop();
            }
        }
    }

    /// Reports a field that the schema of exactly this version lacks.
    fn unknown_field(&mut self, of: Typed<'a>, name: &'a str) {
        if !self.types.exact {
            return;
        }
        let Some(Shape::Struct { fields, preserve_unknown: false, embedded: false, .. }) =
            of.node.map(|n| &n.shape)
        else {
            return;
        };
        // A struct of which nothing is published is one of which nothing is known.
        if fields.is_empty() || (self.steps.start_with(&["metadata"]) && !self.types.built_in) {
            return;
        }
        if matches!(name, "apiVersion" | "kind" | "metadata") {
            return;
        }
        let names: Vec<&str> = self.steps.all_fields().collect();
        if self.live.is_some_and(|live| holds_somewhere(live, &names)) {
            return;
        }
        let nearest = fields
            .keys()
            .map(|known| (distance(known, name), known))
            .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
            .min();
        let hint = nearest.map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"));
        self.problem(format!("unknown field `{name}`: the API server drops it{hint}"));
    }

    fn problem(&mut self, title: String) {
        let raw = self.steps.raw();
        let origin = self.manifest.origin_of(raw.iter().map(String::as_str));
        let of_object = &self.manifest.origin;
        self.problems.push(Problem {
            path: self.steps.path(&self.types).to_string(),
            title,
            line: origin.line.or(of_object.line.filter(|_| origin.file == of_object.file)),
            file: Some(origin.file).filter(|f| !f.is_empty()),
        });
    }
}

/// Returns whether a live object has a field under these names, in whatever items of the lists on the way: then the server
/// does know it, and the schema is older than the server.
fn holds_somewhere(live: &Value, names: &[&str]) -> bool {
    match (live, names) {
        (Value::List(items), _) => items.iter().any(|item| holds_somewhere(item, names)),
        (_, []) => true,
        (live, [first, rest @ ..]) => live.get(first).is_some_and(|below| holds_somewhere(below, rest)),
    }
}

/// Returns whether the cluster holds two items with these keys, as an old client-side apply may have left them.
fn is_twice_live<'a>(
    types: &Types<'a>,
    typed: Typed<'a>,
    keys: &'a [String],
    item: &'a Value,
    held: &'a [Value],
) -> bool {
    held.iter().filter(|l| keyed::same_item(types, typed, keys, item, l)).count() > 1
}

/// Returns how many letters must be added, taken away, changed or swapped with their neighbour to make one word of another.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.to_lowercase().chars().collect(), b.to_lowercase().chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &Vec<usize>, j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let mut best =
                (at(&last, j) + usize::from(x != y)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_of_two_words_counts_their_slips() {
        for (a, b, slips) in
            [("replicas", "replicas", 0), ("replicas", "repicas", 1), ("image", "iamge", 1), ("a", "xyz", 3)]
        {
            assert_eq!(distance(a, b), slips, "{a} {b}");
        }
    }
}
