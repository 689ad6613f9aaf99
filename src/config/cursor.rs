//! Defines how a document of the user's own is walked: every value with its line and the path of its key, every mistake
//! collected rather than the first one only.

use super::read::Doubt;
use crate::model::manifest::FieldLines;
use crate::model::{Map, Notice, Value};

/// A value in the document.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    pub value: &'a Value,
    lines: Option<&'a FieldLines>,
    pub line: usize,
    /// Such as `clusters[0].context`; empty for the document.
    pub key: String,
}

/// The mistakes found so far.
pub(super) struct Mistakes<'a> {
    file: &'a str,
    pub notices: Vec<Notice>,
    pub doubt: Doubt,
    /// One of them may concern what is masked.
    pub masks_unknown: bool,
}

impl<'a> Cursor<'a> {
    pub(super) fn document(value: &'a Value, lines: &'a FieldLines, line: usize) -> Self {
        Self { value, lines: Some(lines), line, key: String::new() }
    }

    fn child(&self, step: &str, key: String, value: &'a Value) -> Self {
        let lines = self.lines.and_then(|lines| {
            lines.children.iter().rev().find(|(name, _)| name == step).map(|(_, lines)| lines)
        });
        let line = lines.map(|lines| lines.line as usize).filter(|line| *line > 0).unwrap_or(self.line);
        Self { value, lines, line, key }
    }

    /// Returns the value of a key of a map; an empty value (`key:`) is as good as none.
    pub(super) fn get(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(self.entry(name, value))
    }

    fn entry(&self, name: &str, value: &'a Value) -> Self {
        let key = if self.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.key) };
        self.child(name, key, value)
    }

    /// Returns the entries of a map, and reports anything else.
    pub(super) fn entries(&self, mistakes: &mut Mistakes<'_>) -> Vec<(&'a str, Self)> {
        let Some(map) = self.map(mistakes) else { return Vec::new() };
        map.iter().map(|(name, value)| (name.as_ref(), self.entry(name, value))).collect()
    }

    /// Returns the items of a list, and reports anything else.
    pub(super) fn items(&self, mistakes: &mut Mistakes<'_>) -> Vec<Self> {
        let Some(list) = self.value.as_list() else {
            mistakes.wants(self, "a list");
            return Vec::new();
        };
        let item = |(n, value)| self.child(&format!("{n}"), format!("{}[{n}]", self.key), value);
        list.iter().enumerate().map(item).collect()
    }

    fn map(&self, mistakes: &mut Mistakes<'_>) -> Option<&'a Map> {
        let map = self.value.as_map();
        if map.is_none() {
            mistakes.wants(self, "keys and values");
        }
        map
    }

    /// Reports keys that are none of `known`, and anything that is no map. Returns whether it is a map.
    pub(super) fn only(&self, known: &[&str], mistakes: &mut Mistakes<'_>) -> bool {
        let Some(map) = self.map(mistakes) else { return false };
        for (name, value) in map {
            if !known.contains(&name.as_ref()) {
                mistakes.unknown(&self.entry(name, value), name, known);
            }
        }
        true
    }

    pub(super) fn text(&self, name: &str, mistakes: &mut Mistakes<'_>) -> Option<String> {
        self.get(name)?.as_text(mistakes)
    }

    /// Returns a text that is not blank, and reports anything else.
    pub(super) fn as_text(&self, mistakes: &mut Mistakes<'_>) -> Option<String> {
        match self.value.as_str().map(str::trim) {
            Some(text) if !text.is_empty() => Some(text.to_owned()),
            Some(_) => {
                mistakes.wants(self, "a text that is not empty");
                None
            }
            // A branch or namespace may look like a number or a date.
            None => {
                mistakes.wants(self, "a text (put it in quotes)");
                None
            }
        }
    }

    pub(super) fn texts(&self, name: &str, mistakes: &mut Mistakes<'_>) -> Vec<String> {
        let Some(list) = self.get(name) else { return Vec::new() };
        list.items(mistakes).iter().filter_map(|item| item.as_text(mistakes)).collect()
    }

    pub(super) fn switch(&self, name: &str, mistakes: &mut Mistakes<'_>) -> Option<bool> {
        let found = self.get(name)?;
        let switch = found.value.as_bool();
        if switch.is_none() {
            mistakes.wants(&found, "true or false");
        }
        switch
    }

    /// Returns a whole number from 0 to 6000, and reports anything else.
    pub(super) fn count(&self, name: &str, mistakes: &mut Mistakes<'_>) -> Option<u32> {
        let found = self.get(name)?;
        let count = found.value.as_i64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= 6000);
        if count.is_none() {
            mistakes.wants(&found, "a whole number from 0 to 6000");
        }
        count
    }
}

impl<'a> Mistakes<'a> {
    pub(super) fn new(file: &'a str) -> Self {
        Self { file, notices: Vec::new(), doubt: Doubt::none(), masks_unknown: false }
    }

    pub(super) fn report(&mut self, at: &Cursor<'_>, title: &str) -> &mut Notice {
        let title = if at.key.is_empty() { title.to_owned() } else { format!("{}: {title}", at.key) };
        self.notices.push(Notice::error(title).file(self.file, Some(at.line)));
        // It was pushed just now.
        let last = self.notices.len() - 1;
        &mut self.notices[last]
    }

    pub(super) fn wants(&mut self, at: &Cursor<'_>, what: &str) {
        self.report(at, &format!("this wants {what}"));
    }

    fn unknown(&mut self, at: &Cursor<'_>, name: &str, known: &[&str]) {
        let near = nearest(name, known);
        self.report(at, "there is no such key").hint = Some(match near {
            Some(near) => format!("did you mean {near}?"),
            None => format!("known here: {}", known.join(", ")),
        });
    }
}

/// Returns the known word that is closest to one, if any is close.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}
