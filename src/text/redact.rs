//! Defines how values leave the program: sealed and masked leaves become fingerprints.
//!
//! A fingerprint is keyed by the run, the object and the path, so that two sides of one change can be told apart and
//! nothing else can be learned. The decision is made for both sides together: where one looks like a secret, so does
//! what it was changed to.

use super::mask::is_masked;
use crate::model::field_path::{FieldPath, Scalar, Segment};
use crate::model::sealed::number_to_json;
use crate::model::{Map, Sealed, Value};
use std::collections::BTreeSet;

/// Returns a value as JSON, with `{"fingerprint": "…"}` for what is sealed or masked. `object` is the object's printed
/// name and `path` where the value stands in it.
pub fn json(value: &Value, object: &str, path: &FieldPath) -> serde_json::Value {
    Redaction::of(object, path, &[value]).json(value)
}

/// Returns what stands on a screen for a value that is not shown: enough of its fingerprint to tell two apart.
pub fn sealed_words(fingerprint: &str) -> String {
    format!("<sealed {}>", fingerprint.get(..8).unwrap_or(fingerprint))
}

/// Returns a value for text views, with `<sealed 1a2b3c4d>` for what is sealed or masked.
pub fn value(value: &Value, object: &str, path: &FieldPath) -> Value {
    Redaction::of(object, path, &[value]).text(value)
}

/// Returns both sides of a change as JSON; what is masked on one side is masked on both.
pub fn json_sides(
    desired: Option<&Value>,
    live: Option<&Value>,
    object: &str,
    path: &FieldPath,
) -> (Option<serde_json::Value>, Option<serde_json::Value>) {
    let sides: Vec<&Value> = desired.into_iter().chain(live).collect();
    let redaction = Redaction::of(object, path, &sides);
    (desired.map(|side| redaction.json(side)), live.map(|side| redaction.json(side)))
}

/// Returns both sides of a change for text views; what is masked on one side is masked on both.
pub fn value_sides(
    desired: Option<&Value>,
    live: Option<&Value>,
    object: &str,
    path: &FieldPath,
) -> (Option<Value>, Option<Value>) {
    let sides: Vec<&Value> = desired.into_iter().chain(live).collect();
    let redaction = Redaction::of(object, path, &sides);
    (desired.map(|side| redaction.text(side)), live.map(|side| redaction.text(side)))
}

/// Returns a line of text from a server or program; one that looks like a secret, or gives a value to a secret's name, is
/// not shown.
pub fn line(text: &str) -> &str {
    if is_masked(&FieldPath::root(), &Value::string(text)) {
        "<hidden: it looks like a secret>"
    } else {
        text
    }
}

/// Returns whether anything in a value is sealed or masked.
pub fn hides(value: &Value, path: &FieldPath) -> bool {
    !Redaction::of("", path, &[value]).masked.is_empty()
}

/// What is to be hidden below a path of one object.
struct Redaction<'a> {
    object: &'a str,
    top: &'a FieldPath,
    /// The paths of masked scalars; what another side holds at or under them is masked too.
    masked: BTreeSet<FieldPath>,
}

impl<'a> Redaction<'a> {
    fn of(object: &'a str, top: &'a FieldPath, sides: &[&Value]) -> Self {
        let mut masked = BTreeSet::new();
        for side in sides {
            collect_masked(side, top, &mut masked);
        }
        Self { object, top, masked }
    }

    fn json(&self, value: &Value) -> serde_json::Value {
        self.walk(value, self.top, false, &|leaf| match leaf {
            Leaf::Hidden(fingerprint) => serde_json::json!({ "fingerprint": fingerprint }),
            Leaf::Shown(Value::Bool(b)) => (*b).into(),
            Leaf::Shown(Value::Number(n)) => number_to_json(*n),
            Leaf::Shown(Value::String(s)) => s.as_str().into(),
            Leaf::Shown(_) => serde_json::Value::Null,
            Leaf::List(items) => serde_json::Value::Array(items),
            Leaf::Map(fields) => serde_json::Value::Object(fields.into_iter().collect()),
        })
    }

    fn text(&self, value: &Value) -> Value {
        self.walk(value, self.top, false, &|leaf| match leaf {
            Leaf::Hidden(fingerprint) => Value::string(sealed_words(&fingerprint)),
            Leaf::Shown(value) => value.clone(),
            Leaf::List(items) => Value::List(items),
            Leaf::Map(fields) => Value::Map(fields.into_iter().collect::<Map>()),
        })
    }

    fn walk<T>(&self, value: &Value, path: &FieldPath, hidden: bool, make: &dyn Fn(Leaf<'_, T>) -> T) -> T {
        let hidden = hidden || self.masked.contains(path);
        match value {
            Value::List(items) => make(Leaf::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.walk(item, &path.join(item_segment(index, item)), hidden, make))
                    .collect(),
            )),
            Value::Map(fields) => make(Leaf::Map(
                fields
                    .iter()
                    .map(|(name, field)| (name.clone(), self.walk(field, &path.field(name), hidden, make)))
                    .collect(),
            )),
            Value::Sealed(sealed) => make(Leaf::Hidden(sealed.fingerprint(self.object, path))),
            Value::String(_) | Value::Number(_) if hidden => {
                make(Leaf::Hidden(self.fingerprint(value, path)))
            }
            shown => make(Leaf::Shown(shown)),
        }
    }

    fn fingerprint(&self, value: &Value, path: &FieldPath) -> String {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        Sealed::text(text).fingerprint(self.object, path)
    }
}

/// What the walk hands to the maker of one kind of output.
enum Leaf<'a, T> {
    Hidden(String),
    Shown(&'a Value),
    List(Vec<T>),
    Map(Vec<(String, T)>),
}

fn collect_masked(value: &Value, path: &FieldPath, masked: &mut BTreeSet<FieldPath>) {
    match value {
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_masked(item, &path.join(item_segment(index, item)), masked);
            }
        }
        Value::Map(fields) => {
            for (name, field) in fields {
                collect_masked(field, &path.field(name), masked);
            }
        }
        scalar if is_masked(path, scalar) => {
            masked.insert(path.clone());
        }
        _ => {}
    }
}

/// Returns the segment of a list's item: by its name where it has one, as an environment variable has.
fn item_segment(index: usize, item: &Value) -> Segment {
    match item.get("name") {
        Some(name @ Value::String(_)) => Segment::Keys(vec![("name".to_owned(), Scalar(name.clone()))]),
        _ => Segment::Index(index),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GroupKind;
    use crate::model::sealed::seal_object;
    use crate::value;

    const CANARY: &str = "ca\"nary\\v7";

    fn forms_of_the_canary() -> Vec<String> {
        use base64::Engine as _;
        let escaped = serde_json::Value::from(CANARY).to_string();
        vec![
            CANARY.to_owned(),
            base64::engine::general_purpose::STANDARD.encode(CANARY),
            escaped.trim_matches('"').to_owned(),
            "nary".to_owned(),
        ]
    }

    fn assert_hidden(shown: &str) {
        for form in forms_of_the_canary() {
            assert!(!shown.contains(&form), "{form} in {shown}");
        }
    }

    #[test]
    fn a_secret_appears_in_no_output() {
        let encoded = &forms_of_the_canary()[1];
        let applied = serde_json::json!({"data": {"p": encoded}, "stringData": {"q": CANARY}}).to_string();
        let mut body = value!({
            "kind": "Secret",
            "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied, "note": "seen"}},
            "data": {"p": encoded, "list": [encoded]},
            "stringData": {"q": CANARY}
        });
        seal_object(&GroupKind::new("", "Secret"), &mut body);
        let root = FieldPath::root();
        let as_json = json(&body, "Secret/s", &root);
        let as_text = value(&body, "Secret/s", &root);
        for shown in [
            as_json.to_string(),
            format!("{as_text:?}"),
            format!("{body:?}"),
            crate::text::yaml::write(&as_text),
            crate::text::yaml::write(&body),
        ] {
            assert_hidden(&shown);
        }
        assert_eq!(as_json["metadata"]["annotations"]["note"], "seen");
        assert!(as_json["data"]["p"]["fingerprint"].is_string());
        assert!(as_text.str_at(&["stringData", "q"]).unwrap().starts_with("<sealed "));
    }

    #[test]
    fn a_masked_value_is_hidden_within_a_larger_subtree() {
        let container = value!({
            "name": "app",
            "env": [{"name": "LEVEL", "value": "info"}, {"name": "DB_PASSWORD", "value": CANARY}],
            "args": ["--level=info", format!("--token={CANARY}")]
        });
        let path = FieldPath::parse(r#".spec.template.spec.containers[name="app"]"#).unwrap();
        let shown = json(&container, "Deployment/a", &path);
        assert_hidden(&shown.to_string());
        assert_eq!(shown["env"][0]["value"], "info");
        assert_eq!(shown["env"][1]["name"], "DB_PASSWORD");
        assert_eq!(shown["args"][0], "--level=info");
        // The same leaf alone has the same fingerprint.
        let leaf =
            FieldPath::parse(r#".spec.template.spec.containers[name="app"].env[name="DB_PASSWORD"].value"#)
                .unwrap();
        assert_eq!(shown["env"][1]["value"], json(&value!(CANARY), "Deployment/a", &leaf));
    }

    #[test]
    fn what_is_masked_on_one_side_is_masked_on_both() {
        let path = FieldPath::parse(".spec.url").unwrap();
        let (desired, live) = (value!("postgres://app:old-nary@db/a"), value!("nary"));
        let (desired, live) = json_sides(Some(&desired), Some(&live), "Thing/a", &path);
        let (desired, live) = (desired.unwrap(), live.unwrap());
        assert_hidden(&format!("{desired} {live}"));
        assert_ne!(desired, live, "that they differ can be seen");
        let (_, live) =
            value_sides(Some(&value!("--password=x")), Some(&value!({"deep": ["nary"]})), "T", &path);
        assert_hidden(&format!("{live:?}"));
        assert_eq!(json_sides(None, Some(&value!("plain")), "T", &path), (None, Some("plain".into())));
    }
}
