//! Defines how a rendered object is found in the file that it came from: its document, its line, and the lines of those
//! fields that the rendering left as they were.

use super::declared::{Declared, Reading, Strictness, take_documents};
use super::export::Files;
use crate::model::manifest::FieldLines;
use crate::model::{Origin, Value};
use crate::render::kustomize::Kustomization;
use crate::text::yaml::read_documents;
use std::collections::HashMap;

/// The source files of one rendering, each read at most once.
pub(super) struct Sources<'a> {
    files: &'a Files,
    read: HashMap<String, Vec<Declared>>,
    generators: HashMap<String, Option<Kustomization>>,
}

impl<'a> Sources<'a> {
    pub fn of(files: &'a Files) -> Self {
        Self { files, read: HashMap::new(), generators: HashMap::new() }
    }

    /// Sets an object's origin to a file, with document and lines where the file declares the object.
    pub fn trace(&mut self, object: &mut Declared, file: &str) {
        let origin = Origin { file: file.to_owned(), document: 0, line: None };
        object.origin = origin;
        let Some(source) = self.find(file, object) else { return };
        object.origin = source.origin.clone();
        object.lines = kept_lines(&source.lines, &source.body, &object.body);
        object.problems.extend(source.problems.iter().cloned());
    }

    /// Returns the object of a file that another was made from: by kind and name; by kind alone where only one has it;
    /// else the one whose name is part of the new one (prefixes, suffixes, hashes).
    fn find(&mut self, file: &str, object: &Declared) -> Option<&Declared> {
        let declared = self.objects(file);
        let of_kind = |d: &&Declared| d.kind.kind == object.kind.kind && d.kind.group == object.kind.group;
        let same = declared.iter().filter(of_kind).find(|d| d.name == object.name);
        if same.is_some() {
            return same;
        }
        let mut candidates = declared.iter().filter(of_kind);
        match (candidates.next(), candidates.next()) {
            (only, None) => only,
            _ => declared
                .iter()
                .filter(of_kind)
                .filter(|d| is_part_of(d.name.as_deref(), object))
                .max_by_key(|d| d.name.as_deref().map_or(0, str::len)),
        }
    }

    fn objects(&mut self, file: &str) -> &[Declared] {
        let files = self.files;
        self.read.entry(file.to_owned()).or_insert_with(|| {
            let mut reading = Reading::default();
            if let Some(text) = files.get(file) {
                take_documents(file, read_documents(text), Strictness::Lenient, &mut reading);
            }
            reading.objects
        })
    }

    /// Returns the line on which a kustomization's generator of this object begins.
    pub fn line_of_generator(&mut self, file: &str, object: &Declared) -> Option<usize> {
        let files = self.files;
        let kustomization = self
            .generators
            .entry(file.to_owned())
            .or_insert_with(|| Kustomization::parse(file, files.get(file)?.to_vec()).ok())
            .as_ref()?;
        let field = match object.kind.kind.as_str() {
            "ConfigMap" => "configMapGenerator",
            "Secret" => "secretGenerator",
            _ => return None,
        };
        let generators = kustomization.value.get(field).and_then(Value::as_list)?;
        let (index, _) = generators
            .iter()
            .enumerate()
            .filter_map(|(index, generator)| Some((index, generator.str_at(&["name"])?)))
            .filter(|(_, name)| is_part_of(Some(name), object))
            .max_by_key(|(_, name)| name.len())?;
        kustomization.lines.line_at([field, &index.to_string()])
    }
}

fn is_part_of(name: Option<&str>, object: &Declared) -> bool {
    matches!((name, object.name.as_deref()), (Some(part), Some(whole)) if whole.contains(part))
}

/// Returns the lines of a source for those fields that still have the source's values, with all that is below them.
fn kept_lines(lines: &FieldLines, source: &Value, rendered: &Value) -> FieldLines {
    let child = |key: &str, lines: &FieldLines| {
        let (source, rendered) = match (source, rendered) {
            (Value::Map(source), Value::Map(rendered)) => (source.get(key)?, rendered.get(key)?),
            (Value::List(source), Value::List(rendered)) => {
                let index: usize = key.parse().ok()?;
                (source.get(index)?, rendered.get(index)?)
            }
            _ => return None,
        };
        let same_shape = match (source, rendered) {
            (Value::Map(_), Value::Map(_)) => true,
            (Value::List(source), Value::List(rendered)) => source.len() == rendered.len(),
            (source, rendered) => source == rendered,
        };
        same_shape.then(|| (key.to_owned(), kept_lines(lines, source, rendered)))
    };
    let children = lines.children.iter().filter_map(|(key, lines)| child(key, lines)).collect();
    FieldLines { line: if source == rendered { lines.line } else { 0 }, children }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn only_fields_that_were_left_as_they_were_keep_their_lines() {
        let text = b"spec:\n  replicas: 1\n  image: a\n  list:\n  - x\n";
        let document = read_documents(text).remove(0).unwrap();
        let rendered = value!({"spec": {"replicas": 2, "image": "a", "list": ["x", "y"]}});
        let lines = kept_lines(&document.lines, &document.value, &rendered);
        assert_eq!(lines.line_at(["spec", "image"]), Some(3));
        assert_eq!(lines.line_at(["spec", "replicas"]), None, "not the line of spec");
        assert_eq!(lines.line_at(["spec", "list", "0"]), None);
        assert_eq!(lines.line_at(["spec"]), None, "it is not what it was");
    }
}
