//! Edits the YAML files of the corpus, one leaf at a time: each reads back as wanted, and touches its own lines alone.

use crate::corpus;
use driftdeck::model::field_path::Segment;
use driftdeck::model::manifest::FieldLines;
use driftdeck::model::{FieldPath, Value};
use driftdeck::text::yaml::{Document, Edit, edit, read_documents};
use std::path::{Path, PathBuf};

/// Leaves of one document that are edited.
const LEAVES: usize = 2;
/// Files above this many bytes are left out: reading them thrice for each edit takes too long for a test.
const LARGEST: usize = 100 << 10;
/// Edits that were carried out before, of those that were tried.
const REACHED: f64 = 0.99;

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            files(&entry, into);
        } else if entry.extension().is_some_and(|end| end == "yaml" || end == "yml") {
            into.push(entry);
        }
    }
}

/// Returns the leaves below the document's top fields, each with its lines.
fn leaves(value: &Value, lines: &FieldLines, at: &FieldPath, into: &mut Vec<(FieldPath, usize)>) {
    let below = |step: &str| lines.children.iter().rev().find(|(key, _)| key == step).map(|(_, lines)| lines);
    match value {
        Value::Map(fields) if !fields.is_empty() => {
            for (name, field) in fields {
                if let Some(lines) = below(name) {
                    leaves(field, lines, &at.field(name), into);
                }
            }
        }
        Value::List(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                if let Some(lines) = below(&index.to_string()) {
                    leaves(item, lines, &at.join(Segment::Index(index)), into);
                }
            }
        }
        _ => into.push((at.clone(), lines.line as usize)),
    }
}

fn with(value: &Value, path: &[Segment], new: Option<&Value>) -> Option<Value> {
    let Some((segment, rest)) = path.split_first() else { return new.cloned() };
    match (segment, value) {
        (Segment::Field(name), Value::Map(fields)) => {
            let others =
                fields.iter().filter(|(other, _)| *other != name).map(|(k, v)| (k.clone(), v.clone()));
            let changed = with(fields.get(name.as_str())?, rest, new).map(|value| (name.clone(), value));
            Some(Value::Map(others.chain(changed).collect()))
        }
        (Segment::Index(at), Value::List(items)) => {
            let mut items = items.clone();
            match with(&items[*at], rest, new) {
                Some(value) => items[*at] = value,
                None => drop(items.remove(*at)),
            }
            Some(Value::List(items))
        }
        _ => None,
    }
}

/// Returns how many lines a text has in common with another at its beginning, and at its end.
fn in_common(before: &str, after: &str) -> (usize, usize) {
    let (a, b): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let end = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    (start, end)
}

#[test]
fn every_leaf_of_the_corpus_can_be_set_and_removed_on_its_own_lines() {
    let Some(corpus) = corpus() else { return };
    let mut all = Vec::new();
    files(&corpus, &mut all);
    let (mut tried, mut done, mut refused) = (0_u32, 0_u32, Vec::new());
    for file in &all {
        let Ok(text) = std::fs::read_to_string(file) else { continue };
        if text.len() > LARGEST {
            continue;
        }
        let documents: Vec<Document> = read_documents(text.as_bytes()).into_iter().flatten().collect();
        for document in documents.iter().take(4) {
            let mut found = Vec::new();
            leaves(&document.value, &document.lines, &FieldPath::root(), &mut found);
            let step = found.len().div_ceil(LEAVES).max(1);
            for (path, line) in found.iter().step_by(step) {
                let values = [
                    Some(Value::string("yes")),
                    Some(Value::int(7)),
                    Some(Value::string("a b: c\nd\n")),
                    None,
                ];
                for new in values {
                    let wanted = with(&document.value, &path.0, new.as_ref());
                    let change = match &new {
                        Some(new) => Edit::set(path.clone(), new.clone()),
                        None => Edit::remove(path.clone()),
                    };
                    tried += 1;
                    let after = match edit(text.as_bytes(), document.index, &[change]) {
                        Ok(after) => String::from_utf8(after).expect("text"),
                        Err(error) => {
                            refused.push(format!("{}:{line} {path}: {error}", file.display()));
                            continue;
                        }
                    };
                    done += 1;
                    let read = read_documents(after.as_bytes()).into_iter().flatten();
                    let read =
                        read.into_iter().find(|read| read.index == document.index).map(|read| read.value);
                    assert_eq!(read, wanted, "{} {path}", file.display());
                    let (start, end) = in_common(&text, &after);
                    let changed = text.lines().count().saturating_sub(start + end);
                    let lines = match new {
                        // The last of a map or list leaves that empty, on the line of its name.
                        None => *line - start.min(*line) <= 2,
                        Some(_) => start + 1 >= *line,
                    };
                    let is_one_line =
                        document.value.at(&[]).is_some() && changed <= 1 + count(&document.value, path);
                    assert!(
                        lines && is_one_line,
                        "{}:{line} {path} touches lines {start} to -{end}",
                        file.display()
                    );
                }
            }
        }
    }
    crate::say(&format!("edits: {done} of {tried} in {} files; refused: {}", all.len(), refused.len()));
    for refusal in refused.iter().take(20) {
        crate::say(refusal);
    }
    assert!(f64::from(done) >= f64::from(tried) * REACHED, "{refused:#?}");
}

/// Returns how many lines a leaf may take.
fn count(document: &Value, path: &FieldPath) -> usize {
    let leaf = path.0.iter().try_fold(document, |value, segment| match segment {
        Segment::Field(name) => value.get(name),
        Segment::Index(at) => value.as_list()?.get(*at),
        _ => None,
    });
    match leaf {
        Some(Value::String(text)) => 2 + text.lines().count() + text.len() / 20,
        _ => 2,
    }
}
