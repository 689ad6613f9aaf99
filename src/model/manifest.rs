//! Defines desired objects with where they come from.

use super::id::{GroupVersionKind, ResourceId};
use super::value::Value;

/// One desired object. Its body is sealed where it is secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    pub id: ResourceId,
    pub kind: GroupVersionKind,
    pub body: Value,
    pub origin: Origin,
    /// What is wrong with it, found while reading: duplicate keys and the like.
    pub problems: Vec<Problem>,
    /// Lines of the fields that the origin's document declares as they are here.
    pub lines: FieldLines,
    /// The file that sets what the origin's document does not declare so: the kustomization that is built.
    pub overlay: Option<String>,
}

impl Manifest {
    /// Returns where a field is declared, by raw keys and list positions.
    ///
    /// What an overlay sets, or may have set, is its own: a base's line is the line of every environment.
    pub fn origin_of<'a>(&self, steps: impl IntoIterator<Item = &'a str>) -> Origin {
        let mut steps = steps.into_iter().peekable();
        if steps.peek().is_none() {
            return self.origin.clone();
        }
        match (self.lines.line_at(steps), &self.overlay) {
            (None, Some(file)) => Origin { file: file.clone(), document: 0, line: None },
            (line, _) => Origin { line, ..self.origin.clone() },
        }
    }
}

/// Where something was declared: a file of the repo's tree, relative to its root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Origin {
    pub file: String,
    /// The document within the file, counted from 0.
    pub document: usize,
    /// The first line of the document, counted from 1; of a field, the field's own line.
    pub line: Option<usize>,
}

/// What is wrong with a desired object, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The field's path as printed; `.` for the whole object.
    pub path: String,
    pub title: String,
    pub file: Option<String>,
    pub line: Option<usize>,
}

/// The lines on which a document declares its fields, as a tree beside the body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldLines {
    /// Line of the key, or of the list item, counted from 1; 0 where unknown, and where rendering changed what is below.
    pub line: u32,
    /// Fields of a map in source order, or items of a list under their positions as text (`0`, `1`, …).
    pub children: Vec<(String, FieldLines)>,
}

impl FieldLines {
    /// Follows raw keys and list positions, and returns the line of the deepest step that is known.
    pub fn line_at<'a>(&self, steps: impl IntoIterator<Item = &'a str>) -> Option<usize> {
        let mut node = self;
        for step in steps {
            // The last of duplicate keys wins, as in the body.
            match node.children.iter().rev().find(|(key, _)| key == step) {
                Some((_, child)) => node = child,
                None => break,
            }
        }
        (node.line > 0).then_some(node.line as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClusterId, Identity};

    fn lines(line: u32, children: &[(&str, FieldLines)]) -> FieldLines {
        let children = children.iter().map(|(key, lines)| ((*key).to_owned(), lines.clone())).collect();
        FieldLines { line, children }
    }

    #[test]
    fn a_field_that_the_base_does_not_declare_as_it_is_belongs_to_the_overlay() {
        let kind = GroupVersionKind::from_api_version("apps/v1", "Deployment");
        let identity = Identity {
            cluster: ClusterId("c".into()),
            kind: kind.group_kind(),
            namespace: None,
            name: Some("web".into()),
        };
        let origin = Origin { file: "base/web.yaml".into(), document: 1, line: Some(7) };
        let mut web = Manifest {
            id: ResourceId::from(identity),
            kind,
            body: Value::default(),
            origin: origin.clone(),
            problems: Vec::new(),
            // The overlay sets the replicas: `spec` is another than the base's.
            lines: lines(0, &[("spec", lines(0, &[("paused", lines(12, &[]))]))]),
            overlay: Some("prod/kustomization.yaml".into()),
        };
        let overlay = Origin { file: "prod/kustomization.yaml".into(), document: 0, line: None };
        assert_eq!(web.origin_of([]), origin, "the object itself");
        assert_eq!(web.origin_of(["spec", "paused"]), Origin { line: Some(12), ..origin.clone() });
        assert_eq!(web.origin_of(["spec", "replicas"]), overlay);
        assert_eq!(web.origin_of(["spec"]), overlay);
        web.overlay = None;
        assert_eq!(web.origin_of(["spec", "replicas"]), Origin { line: None, ..origin });
    }
}
