//! Defines the palette: commands, apps, clusters and repos found by a few letters of their names.

use crate::model::command::Command;
use crate::model::{AppId, ClusterId, RepoId, ResourceId};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// What can be picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    Command(Command),
    App(AppId),
    Cluster(ClusterId),
    Repo(RepoId),
    /// The field manager to write an object as.
    Manager {
        resource: ResourceId,
        manager: String,
    },
    /// The sync of the journal to undo.
    Undo(String),
}

/// Something to pick, with what is matched against and what is shown beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub pick: Pick,
    pub name: String,
    pub about: String,
    /// Why it cannot be done here.
    pub refused: Option<String>,
}

/// A prompt with the items that match it, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Picker {
    pub text: String,
    pub items: Vec<Item>,
    /// Positions of the items that match, with the positions of the characters that matched.
    pub found: Vec<(usize, Vec<u32>)>,
    pub cursor: usize,
}

impl Picker {
    pub fn new(items: Vec<Item>) -> Self {
        let found = (0..items.len()).map(|i| (i, Vec::new())).collect();
        Self { text: String::new(), items, found, cursor: 0 }
    }

    pub fn set_text(&mut self, text: String) {
        self.found = ranked(&text, self.items.iter().map(|item| item.name.as_str()));
        // What can be done goes before what cannot; the order is otherwise kept.
        self.found.sort_by_key(|(at, _)| self.items.get(*at).is_some_and(|item| item.refused.is_some()));
        self.text = text;
        self.cursor = 0;
    }

    pub fn step(&mut self, by: isize) {
        self.cursor = self.cursor.saturating_add_signed(by).min(self.found.len().saturating_sub(1));
    }

    pub fn current(&self) -> Option<&Item> {
        self.items.get(self.found.get(self.cursor)?.0)
    }
}

/// Returns which names match, best first, with the positions of the characters that matched.
pub fn ranked<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Vec<(usize, Vec<u32>)> {
    let pattern = Pattern::parse(text, CaseMatching::Smart, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut found = Vec::new();
    for (at, name) in names.enumerate() {
        let mut letters = Vec::new();
        if let Some(score) = pattern.indices(Utf32Str::new(name, &mut buffer), &mut matcher, &mut letters) {
            letters.sort_unstable();
            letters.dedup();
            found.push((score, at, letters));
        }
    }
    found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    found.into_iter().map(|(_, at, letters)| (at, letters)).collect()
}

/// Filters names by a text, reusing what the matching needs.
pub struct Sieve {
    pattern: Pattern,
    matcher: Matcher,
    buffer: Vec<char>,
}

impl Sieve {
    pub fn new(text: &str) -> Self {
        Self {
            pattern: Pattern::parse(text, CaseMatching::Smart, Normalization::Smart),
            matcher: Matcher::new(Config::DEFAULT),
            buffer: Vec::new(),
        }
    }

    pub fn lets_through(&mut self, name: &str) -> bool {
        self.pattern.score(Utf32Str::new(name, &mut self.buffer), &mut self.matcher).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_letters_find_the_best_name_first() {
        let names = ["column left", "faults only", "clusters", "filter"];
        let found: Vec<_> =
            ranked("fo", names.iter().copied()).into_iter().map(|(at, _)| names[at]).collect();
        assert_eq!(found, ["faults only"]);
        assert_eq!(ranked("", names.iter().copied()).len(), 4);
        assert!(ranked("zzz", names.iter().copied()).is_empty());
    }

    #[test]
    fn the_letters_that_matched_are_told() {
        assert_eq!(ranked("who", ["who"].into_iter()), [(0, vec![0, 1, 2])]);
    }
}
