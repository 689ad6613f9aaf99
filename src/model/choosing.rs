//! Defines how a field of an object is named by a person: by its path as it is printed, or by a JSON pointer.

use super::change::FieldChange;
use super::field;
use super::value::Value;

/// Why a name means no one change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOne {
    #[error("nothing differs at {asked}")]
    None { asked: String, known: Vec<String> },
    #[error("{asked} is more than one field: {}", .found.join(" and "))]
    Several { asked: String, found: Vec<String> },
}

impl NotOne {
    /// Returns what does differ, for a hint.
    pub fn known(&self) -> &[String] {
        match self {
            NotOne::None { known, .. } => known,
            NotOne::Several { .. } => &[],
        }
    }
}

/// Finds the changes that a name means. `bodies` are the object's sides, in which a pointer's positions are counted.
///
/// Source: the headless contract, "Reading a path back": printed paths of the object's own fields are compared, two
/// matches are an error that lists both, and a JSON pointer (RFC 6901) works too.
pub fn change<'c>(
    asked: &str,
    changes: &'c [FieldChange],
    bodies: &[&Value],
) -> Result<&'c FieldChange, NotOne> {
    let is_meant = |change: &&FieldChange| {
        if asked.starts_with('/') {
            bodies.iter().any(|body| field::pointer(&change.path, body).as_deref() == Some(asked))
        } else {
            change.path.to_string() == asked
        }
    };
    let found: Vec<&FieldChange> = changes.iter().filter(is_meant).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(NotOne::None {
            asked: asked.to_owned(),
            known: changes.iter().filter(|change| change.counts).map(|c| c.path.to_string()).collect(),
        }),
        several => Err(NotOne::Several {
            asked: asked.to_owned(),
            found: several
                .iter()
                .map(|change| format!("{} ({})", change.path, change.class.word()))
                .collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Class, FieldPath, Segment};

    fn differs(path: &str) -> FieldChange {
        FieldChange::new(FieldPath::parse(path).unwrap(), Class::Changed)
    }

    #[test]
    fn a_printed_path_and_a_pointer_mean_the_same_field() {
        let body = crate::value!({"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]},
            "metadata": {"labels": {"example.com/a~b": "1"}}});
        let changes = [
            differs(r#".spec.containers[name="b"].image"#),
            FieldChange::new(
                FieldPath::fields(&["metadata", "labels"]).join(Segment::Field("example.com/a~b".into())),
                Class::Foreign,
            ),
        ];
        for (asked, at) in [
            (r#".spec.containers[name="b"].image"#, 0),
            ("/spec/containers/1/image", 0),
            (".metadata.labels.example.com/a~b", 1),
            ("/metadata/labels/example.com~1a~0b", 1),
        ] {
            assert_eq!(change(asked, &changes, &[&body]), Ok(&changes[at]), "{asked}");
        }
        let none = change("/spec/containers/0/image", &changes, &[&body]).unwrap_err();
        assert_eq!(none.known().len(), 2);
        let twice = [differs(".spec.a"), differs(".spec.a")];
        assert_eq!(
            change(".spec.a", &twice, &[]).unwrap_err().to_string(),
            ".spec.a is more than one field: .spec.a (changed) and .spec.a (changed)"
        );
    }
}
