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
    pub lines: BodyLines,
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
        match (self.lines.line_at(&self.body, steps), &self.overlay) {
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

/// The lines of a body's values: one for each, in the order of a walk from the top; 0 where it is unknown.
///
/// It names no field again: there are very many manifests, and the body beside it has the names. It belongs to the body
/// that it was made for, as that was then.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BodyLines(Box<[u32]>);

impl BodyLines {
    /// Returns what a document's lines say of a body.
    pub fn of(lines: &FieldLines, body: &Value) -> Self {
        let mut all = Vec::new();
        collect(Some(lines), body, &mut all);
        if all.iter().all(|line| *line == 0) { Self::default() } else { Self(all.into()) }
    }

    /// Follows raw keys and list positions through the body, and returns the line of the deepest step that it has.
    fn line_at<'a>(&self, body: &Value, steps: impl IntoIterator<Item = &'a str>) -> Option<usize> {
        let (mut value, mut at) = (body, 0);
        for step in steps {
            let Some((next, before)) = child(value, step) else { break };
            (value, at) = (next, at + 1 + before);
        }
        self.0.get(at).filter(|line| **line > 0).map(|line| *line as usize)
    }
}

fn collect(lines: Option<&FieldLines>, value: &Value, all: &mut Vec<u32>) {
    all.push(lines.map_or(0, |lines| lines.line));
    let mut known: Vec<&(String, FieldLines)> = lines.iter().flat_map(|lines| &lines.children).collect();
    known.sort_by_key(|(key, _)| key);
    // The last of duplicate keys wins, as in the body.
    let of = |key: &str| {
        let behind = known.partition_point(|(known, _)| known.as_str() <= key);
        known.get(behind.checked_sub(1)?).filter(|(known, _)| known == key).map(|(_, lines)| lines)
    };
    match value {
        Value::Map(fields) => fields.iter().for_each(|(key, value)| collect(of(key), value, all)),
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(of(&index.to_string()), item, all);
            }
        }
        _ => {}
    }
}

/// Returns the value below a step, and how many values stand before it.
fn child<'v>(value: &'v Value, step: &str) -> Option<(&'v Value, usize)> {
    match value {
        Value::Map(fields) => {
            let before =
                || fields.iter().take_while(|(key, _)| key.as_str() < step).map(|(_, value)| count(value));
            fields.get(step).map(|found| (found, before().sum()))
        }
        Value::List(items) => {
            let (before, rest) = items.split_at_checked(step.parse().ok()?)?;
            Some((rest.first()?, before.iter().map(count).sum()))
        }
        _ => None,
    }
}

/// Returns how many values there are in a value, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Map(fields) => fields.values().map(count).sum(),
        Value::List(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClusterId, Identity};
    use crate::value;

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
        let body = value!({"spec": {"paused": true, "replicas": 2}});
        let mut web = Manifest {
            id: ResourceId::from(identity),
            kind,
            body: body.clone(),
            origin: origin.clone(),
            problems: Vec::new(),
            // The overlay sets the replicas: `spec` is another than the base's.
            lines: BodyLines::of(&lines(0, &[("spec", lines(0, &[("paused", lines(12, &[]))]))]), &body),
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

    #[test]
    fn every_value_of_a_body_has_its_line_wherever_it_stands() {
        let leaf = |line| lines(line, &[]);
        let known = lines(
            1,
            &[
                ("z", leaf(2)),
                ("list", lines(3, &[("0", lines(4, &[("b", leaf(4)), ("a", leaf(5))])), ("1", leaf(6))])),
                ("twice", lines(7, &[("old", leaf(8))])),
                ("twice", leaf(9)),
            ],
        );
        let body = value!({"list": [{"a": 1, "b": 2}, "x"], "more": {"m": 1}, "twice": 2, "z": 3});
        let kept = BodyLines::of(&known, &body);
        for (steps, line) in [
            (&[][..], Some(1)),
            (&["z"], Some(2)),
            (&["list"], Some(3)),
            (&["list", "0", "a"], Some(5)),
            (&["list", "0", "b"], Some(4)),
            (&["list", "1"], Some(6)),
            (&["list", "2"], Some(3)),
            (&["twice"], Some(9)),
            (&["z", "none"], Some(2)),
            (&["more", "m"], None),
        ] {
            assert_eq!(kept.line_at(&body, steps.iter().copied()), line, "{steps:?}");
        }
        assert_eq!(BodyLines::of(&FieldLines::default(), &body), BodyLines::default());
    }
}
