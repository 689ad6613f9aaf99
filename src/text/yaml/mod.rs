//! Defines how YAML and JSON manifests are read: exactly as kubectl reads them, with the line of every field.
//!
//! Source of the rules: kubectl reads with `k8s.io/apimachinery/pkg/util/yaml` (`YAMLOrJSONDecoder`), which converts
//! with `sigs.k8s.io/yaml`, which parses with go-yaml v2: scalars of YAML 1.1, merge keys, the last of duplicate keys
//! wins, keys that are no strings become some. go-yaml is a port of libyaml and so is libyaml-safer, whose events are
//! read here, so that both refuse the same texts.
//!
//! Where kubectl stops at the first document that it cannot read, this reader reports it and goes on with the next.

mod compose;
mod decode;
mod edit;
mod error;
mod json;
mod resolve;
mod split;
#[cfg(test)]
mod tests;
mod write;

pub use edit::{Change, Edit, EditFault, EditRefused, document, edit, remove_document};
pub use error::{DocumentError, Fault};
pub use write::write;

use crate::model::limits;
use crate::model::manifest::{FieldLines, Problem};
use crate::model::{FieldPath, Value};
use split::Part;

/// One document that could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its place in the file, counted from 0. Empty documents count; comments before the first `---` are none.
    pub index: usize,
    /// The line of its first value, counted from 1.
    pub line: usize,
    /// What it holds; never null: empty and comment-only documents are left out.
    pub value: Value,
    pub lines: FieldLines,
    /// Duplicate keys, each at its path with the line of the later one; the last wins.
    pub problems: Vec<Problem>,
}

/// Reads the documents of a file: YAML documents, or one JSON value after the other.
///
/// A file over the limit of documents ends with [`Fault::TooManyDocuments`].
pub fn read_documents(bytes: &[u8]) -> Vec<Result<Document, DocumentError>> {
    let mut documents = Vec::new();
    for (count, part) in split::split(bytes).into_iter().enumerate() {
        let over = count >= limits::DOCUMENTS_PER_FILE;
        documents.extend(if over {
            Some(Err(DocumentError::over_the_limit(count)))
        } else {
            read_part(part)
        });
    }
    documents
}

fn read_part(part: Part) -> Option<Result<Document, DocumentError>> {
    match part {
        Part::Yaml(chunk) => match compose::compose(&chunk.text)
            .and_then(|tree| tree.map(|tree| decode::decode(&tree)).transpose())
        {
            Ok(decoded) => whole(chunk.index, chunk.first_line - 1, decoded?).map(Ok),
            Err(refused) => Some(Err(DocumentError {
                index: chunk.index,
                line: refused.line.map(|line| line + chunk.first_line - 1),
                fault: chunk.json_fault.unwrap_or(refused.fault),
            })),
        },
        Part::Json { index, decoded, .. } => whole(index, 0, decoded).map(Ok),
        Part::Unreadable(error) => Some(Err(error)),
    }
}

/// What a reader of one document found, with lines counted from the start of its text.
struct Decoded {
    value: Value,
    lines: FieldLines,
    problems: Vec<Problem>,
}

/// Why a document was refused, with the line counted from the start of its text.
struct Refused {
    line: Option<usize>,
    fault: Fault,
}

impl Refused {
    fn at(line: u32, fault: Fault) -> Self {
        Self { line: Some(line as usize), fault }
    }
}

/// Makes a document of what was read, `before` lines into the file; nothing of an empty one.
fn whole(index: usize, before: usize, decoded: Decoded) -> Option<Document> {
    let Decoded { value, mut lines, mut problems } = decoded;
    if value.is_null() {
        return None;
    }
    if let (Ok(shift), true) = (u32::try_from(before), before > 0) {
        shift_lines(&mut lines, shift);
        for problem in &mut problems {
            problem.line = problem.line.map(|line| line + before);
        }
    }
    Some(Document { index, line: lines.line as usize, value, lines, problems })
}

fn shift_lines(lines: &mut FieldLines, by: u32) {
    lines.line += by;
    lines.children.iter_mut().for_each(|(_, child)| shift_lines(child, by));
}

/// Reports a key that stands twice in one map.
fn duplicate_key(path: &FieldPath, line: u32) -> Problem {
    Problem {
        path: path.to_string(),
        title: "duplicate key: the last one wins".to_owned(),
        file: None,
        line: Some(line as usize),
    }
}
