//! Says what the API server refuses, at the line that declares it.

use crate::cluster::ClusterError;
use crate::model::field;
use crate::model::{FieldPath, Manifest, Origin, Problem, Segment, Value};

/// Returns what the server says is wrong, in its own words, each at the field that it names and the line of that field.
pub fn problems(desired: &Manifest, error: &ClusterError) -> Vec<Problem> {
    let mut problems: Vec<Problem> = match error {
        ClusterError::Invalid { fields, .. } if !fields.is_empty() => {
            fields.iter().map(|(field, words)| at_field(desired, field, words)).collect()
        }
        ClusterError::Invalid { reason, .. } => {
            let unknown = unknown_fields(reason);
            if unknown.is_empty() {
                vec![whole(desired, reason.clone())]
            } else {
                let words = "the API server would drop it: no such field";
                unknown.into_iter().map(|field| at_field(desired, field, words)).collect()
            }
        }
        ClusterError::Refused { reason, .. } => vec![whole(desired, reason.clone())],
        other => vec![whole(desired, other.to_string())],
    };
    problems.sort();
    problems.dedup();
    problems
}

fn whole(desired: &Manifest, title: String) -> Problem {
    let Origin { file, line, .. } = desired.origin.clone();
    Problem { path: ".".to_owned(), title, file: Some(file), line }
}

/// Returns the fields of a strict decoding error: `unknown field "spec.imag", unknown field "spec.b"`.
fn unknown_fields(reason: &str) -> Vec<&str> {
    let fields = reason.split("unknown field \"").skip(1);
    fields.filter_map(|rest| rest.split_once('"').map(|(field, _)| field)).collect()
}

fn at_field(desired: &Manifest, field: &str, words: &str) -> Problem {
    let dotted = if field.starts_with('.') { field.to_owned() } else { format!(".{field}") };
    let (path, steps) = declared(&desired.body, &dotted);
    let Origin { file, line, .. } = desired.origin_of(steps.iter().map(String::as_str));
    Problem { path, title: words.to_owned(), file: Some(file), line }
}

/// Returns a path as driftdeck prints it, with the raw keys and positions that lead to it, as far as it can be read.
fn declared(body: &Value, printed: &str) -> (String, Vec<String>) {
    let mut readable = printed;
    loop {
        if let Ok(path) = FieldPath::parse(readable) {
            return (printed.to_owned(), steps(body, &path));
        }
        // A key in brackets that is no path of ours: what stands before it can be found.
        match readable.rfind(['[', '.']) {
            Some(end) if end > 0 => readable = readable.get(..end).unwrap_or_default(),
            _ => return (printed.to_owned(), Vec::new()),
        }
    }
}

/// Returns the raw keys and list positions that lead to a path in a body, as far as it is there.
pub(super) fn steps(body: &Value, path: &FieldPath) -> Vec<String> {
    let mut steps = Vec::with_capacity(path.0.len());
    let mut value = body;
    for segment in &path.0 {
        let step = match segment {
            Segment::Field(name) => name.clone(),
            other => match field::position(value, other) {
                Some(at) => at.to_string(),
                None => break,
            },
        };
        let Some(next) = field::child(value, segment) else { break };
        steps.push(step);
        value = next;
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::manifest::BodyLines;
    use crate::model::{ClusterId, GroupVersionKind, Identity, ResourceId};
    use crate::text::yaml::read_documents;

    fn manifest(text: &str) -> Manifest {
        let document = read_documents(text.as_bytes()).remove(0).unwrap();
        let kind = GroupVersionKind::from_api_version("apps/v1", "Deployment");
        let identity = Identity {
            cluster: ClusterId("c".into()),
            kind: kind.group_kind(),
            namespace: None,
            name: Some("web".into()),
        };
        let lines = BodyLines::of(&document.lines, &document.value);
        let origin = Origin { file: "web.yaml".into(), document: 0, line: Some(1) };
        let (body, id) = (document.value, ResourceId::from(identity));
        Manifest { id, kind, body, origin, problems: Vec::new(), lines, overlay: None }
    }

    #[test]
    fn the_servers_words_stand_at_the_line_that_declares_the_field() {
        let desired = manifest(
            "spec:\n  replicas: -1\n  containers:\n  - name: a\n    imag: x\n  - name: b\n    env: []\n",
        );
        let invalid = |fields: &[(&str, &str)], reason: &str| ClusterError::Invalid {
            resource: "deployments.apps/web".into(),
            reason: reason.into(),
            fields: fields.iter().map(|(f, w)| ((*f).to_owned(), (*w).to_owned())).collect(),
        };
        let cases = [
            (invalid(&[("spec.replicas", "negative")], ""), (".spec.replicas", "negative", 2)),
            (
                invalid(&[(".spec.containers[name=\"b\"].env", "twice")], ""),
                (".spec.containers[name=\"b\"].env", "twice", 7),
            ),
            (invalid(&[("spec.containers[0].imag", "no")], ""), (".spec.containers[0].imag", "no", 5)),
            (invalid(&[("metadata.labels[a/b]", "bad")], ""), (".metadata.labels[a/b]", "bad", 1)),
            (
                invalid(&[], "strict decoding error: unknown field \"spec.containers[0].imag\""),
                (".spec.containers[0].imag", "the API server would drop it: no such field", 5),
            ),
            (invalid(&[], "nothing fits"), (".", "nothing fits", 1)),
        ];
        for (error, (path, title, line)) in cases {
            let expected = Problem {
                path: path.into(),
                title: title.into(),
                file: Some("web.yaml".into()),
                line: Some(line),
            };
            assert_eq!(problems(&desired, &error), [expected]);
        }
    }
}
