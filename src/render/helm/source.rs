//! Defines how rendered objects are traced to their templates: by the comments that helm writes before each document.
//!
//! Helm prints `---` and `# Source: chart/templates/file.yaml` before every document (pkg/action/action.go,
//! `renderResources`). A comment counts only directly behind a separator: text inside a document cannot fake one.

use super::chart::Exported;
use crate::model::Origin;
use crate::model::manifest::FieldLines;
use crate::render::declared::{Reading, of_output};
use crate::render::locate::Sources;
use std::collections::HashMap;

/// The comments of an output, in order.
pub(super) struct Marks {
    /// The line, counted from 1, and what stands behind `# Source: `.
    marks: Vec<(usize, String)>,
}

impl Marks {
    pub fn of(output: &[u8]) -> Self {
        let mut marks = Vec::new();
        let mut behind_separator = false;
        for (index, line) in output.split(|b| *b == b'\n').enumerate() {
            if behind_separator && let Some(source) = line.strip_prefix(b"# Source: ") {
                marks.push((index + 1, String::from_utf8_lossy(source).trim().to_owned()));
            }
            behind_separator = line.starts_with(b"---");
        }
        Self { marks }
    }

    /// Returns what the last comment before a line says.
    fn before(&self, line: usize) -> Option<&str> {
        let after = self.marks.partition_point(|(at, _)| *at <= line);
        self.marks.get(after.checked_sub(1)?).map(|(_, source)| source.as_str())
    }

    /// Gives objects and notices the files that they came from.
    ///
    /// A file that is no template (CRDs, a template without actions) declares the object as it stands, with lines; of
    /// the others only the file is known, and which of its documents, as helm counts them.
    pub fn apply(&self, exported: &Exported, reading: &mut Reading) {
        let mut sources = Sources::of(&exported.files);
        let mut documents: HashMap<String, Vec<usize>> = HashMap::new();
        for object in &mut reading.objects {
            let source = object.origin.line.and_then(|line| self.before(line));
            let file = source.and_then(|source| exported.file_of(source));
            let file = file.unwrap_or_else(|| exported.chart.file.clone());
            let of_file = documents.entry(file.clone()).or_default();
            let printed = object.origin.document;
            let document = of_file.iter().position(|at| *at == printed).unwrap_or_else(|| {
                of_file.push(printed);
                of_file.len() - 1
            });
            let is_template =
                exported.files.get(&file).is_none_or(|text| text.windows(2).any(|two| two == b"{{"));
            object.lines = FieldLines::default();
            object.origin = Origin { file: file.clone(), document, line: None };
            if !is_template {
                object.problems.clear();
                sources.trace(object, &file);
            }
            for problem in &mut object.problems {
                problem.file = Some(object.origin.file.clone());
                problem.line = problem.line.filter(|_| !is_template);
            }
        }
        for notice in &mut reading.notices {
            let source = notice.line.and_then(|line| self.before(line));
            let file = source.and_then(|source| exported.file_of(source));
            let file = file.unwrap_or_else(|| exported.chart.file.clone());
            of_output(notice, &exported.chart.file, &format!("what {file} renders to"));
            notice.file = Some(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_inside_a_document_is_no_mark() {
        let marks = Marks::of(
            b"---\n# Source: c/templates/a.yaml\na: |\n  x\n# Source: c/templates/b.yaml\n---\nb: 1\n",
        );
        assert_eq!(marks.before(3), Some("c/templates/a.yaml"));
        assert_eq!(marks.before(7), Some("c/templates/a.yaml"), "as long as no other comes");
        assert_eq!(marks.before(1), None);
    }
}
