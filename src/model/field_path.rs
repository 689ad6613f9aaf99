//! Defines paths of fields, printed as the API server prints them in managed fields and conflicts.
//!
//! Source of the notation: `sigs.k8s.io/structured-merge-diff`, `fieldpath.Path.String`.

use super::value::{Number, Value};
use std::cmp::Ordering;
use std::fmt;

/// A path from an object's root to a field, item or subtree. The empty path is the whole object and prints as `.`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FieldPath(pub Vec<Segment>);

/// One step of a [`FieldPath`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A field of a struct or a key of a map: `.name`.
    Field(String),
    /// An item of a keyed list by its map keys, in alphabetical order: `[port=80,protocol="TCP"]`.
    Keys(Vec<(String, Scalar)>),
    /// An item of a set by its value: `[="a/b"]`.
    Item(Scalar),
    /// An item of any other list by its position: `[0]`.
    Index(usize),
}

/// A scalar within a path: what keys and set items are made of.
#[derive(Clone)]
pub struct Scalar(pub Value);

impl Scalar {
    fn rank(&self) -> u8 {
        match &self.0 {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Number(_) => 2,
            Value::String(_) => 3,
            _ => 4,
        }
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scalar {}

impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scalar {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => a.as_f64().total_cmp(&b.as_f64()),
            },
            (Value::String(a), Value::String(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl std::hash::Hash for Scalar {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match &self.0 {
            Value::Bool(b) => b.hash(state),
            Value::Number(n) => n.as_f64().to_bits().hash(state),
            Value::String(s) => s.hash(state),
            _ => {}
        }
    }
}

impl fmt::Display for Scalar {
    /// Prints the scalar as JSON; anything that is no plain scalar prints as `null`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::Bool(b) => write!(f, "{b}"),
            Value::Number(n) => write!(f, "{n}"),
            Value::String(s) => f.write_str(&serde_json::Value::from(s.as_str()).to_string()),
            _ => f.write_str("null"),
        }
    }
}

impl FieldPath {
    /// Returns the path of the whole object.
    pub fn root() -> Self {
        Self::default()
    }

    /// Builds a path of plain fields.
    pub fn fields(names: &[&str]) -> Self {
        Self(names.iter().map(|n| Segment::Field((*n).to_owned())).collect())
    }

    /// Returns this path with one more segment.
    #[must_use]
    pub fn join(&self, segment: Segment) -> Self {
        let mut segments = Vec::with_capacity(self.0.len() + 1);
        segments.extend_from_slice(&self.0);
        segments.push(segment);
        Self(segments)
    }

    /// Returns this path with one more field.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        self.join(Segment::Field(name.to_owned()))
    }

    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the path one step up; `None` for the whole object.
    pub fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, rest)| Self(rest.to_vec()))
    }

    /// Returns whether this path is `other` or lies under it.
    pub fn is_under(&self, other: &FieldPath) -> bool {
        self.0.starts_with(&other.0)
    }

    /// Returns the last plain field name on the path, the one that says what the value is.
    pub fn last_field(&self) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find_map(|s| if let Segment::Field(name) = s { Some(name.as_str()) } else { None })
    }

    /// Reads a printed path. A dot always separates, so a key that itself holds a dot is read as several fields:
    /// compare printed paths instead where keys come from outside.
    pub fn parse(text: &str) -> Result<Self, PathSyntax> {
        parse::path(text)
    }

    /// Returns the segments as `cli.md` writes them in JSON.
    pub fn to_json(&self) -> serde_json::Value {
        self.0.iter().map(Segment::to_json).collect()
    }
}

impl Segment {
    /// Returns the segment as `cli.md` writes it: a string, `{"keys": {…}}`, `{"value": …}` or `{"index": n}`.
    pub fn to_json(&self) -> serde_json::Value {
        fn scalar(value: &Scalar) -> serde_json::Value {
            match &value.0 {
                Value::Bool(b) => (*b).into(),
                Value::Number(n) => super::sealed::number_to_json(*n),
                Value::String(s) => s.as_str().into(),
                _ => serde_json::Value::Null,
            }
        }
        match self {
            Segment::Field(name) => name.as_str().into(),
            Segment::Keys(keys) => {
                let keys: serde_json::Map<_, _> = keys.iter().map(|(k, v)| (k.clone(), scalar(v))).collect();
                serde_json::json!({ "keys": keys })
            }
            Segment::Item(value) => serde_json::json!({ "value": scalar(value) }),
            Segment::Index(index) => serde_json::json!({ "index": index }),
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(".");
        }
        self.0.iter().try_for_each(|segment| fmt::Display::fmt(segment, f))
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Segment::Field(name) => write!(f, ".{name}"),
            Segment::Keys(keys) => {
                f.write_str("[")?;
                for (i, (key, value)) in keys.iter().enumerate() {
                    write!(f, "{}{key}={value}", if i == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            Segment::Item(value) => write!(f, "[={value}]"),
            Segment::Index(index) => write!(f, "[{index}]"),
        }
    }
}

impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is wrong with the text of a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no field path: {what} at character {at}")]
pub struct PathSyntax {
    pub text: String,
    pub what: &'static str,
    /// Counted in characters from 1.
    pub at: usize,
}

mod parse {
    use super::{FieldPath, Number, PathSyntax, Scalar, Segment, Value};

    pub fn path(text: &str) -> Result<FieldPath, PathSyntax> {
        let mut reader = Reader { text, rest: text };
        if text == "." {
            return Ok(FieldPath::root());
        }
        let mut segments = Vec::new();
        while let Some(first) = reader.rest.chars().next() {
            match first {
                '.' => {
                    reader.skip(1);
                    let end = reader.rest.find(['.', '[']).unwrap_or(reader.rest.len());
                    if end == 0 {
                        return Err(reader.error("a field name is missing"));
                    }
                    segments.push(Segment::Field(reader.take(end)));
                }
                '[' => {
                    reader.skip(1);
                    segments.push(reader.bracket()?);
                }
                _ => return Err(reader.error("expected `.` or `[`")),
            }
        }
        if segments.is_empty() { Err(reader.error("it is empty")) } else { Ok(FieldPath(segments)) }
    }

    struct Reader<'a> {
        text: &'a str,
        rest: &'a str,
    }

    impl Reader<'_> {
        fn skip(&mut self, bytes: usize) {
            self.rest = self.rest.get(bytes..).unwrap_or("");
        }

        fn take(&mut self, bytes: usize) -> String {
            let taken = self.rest.get(..bytes).unwrap_or("").to_owned();
            self.skip(bytes);
            taken
        }

        fn error(&self, what: &'static str) -> PathSyntax {
            let done = self.text.len() - self.rest.len();
            PathSyntax {
                text: self.text.to_owned(),
                what,
                at: self.text.get(..done).map_or(0, |t| t.chars().count()) + 1,
            }
        }

        fn bracket(&mut self) -> Result<Segment, PathSyntax> {
            if self.rest.starts_with('=') {
                self.skip(1);
                let value = self.scalar()?;
                self.close()?;
                return Ok(Segment::Item(value));
            }
            if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
                let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
                let index = self.take(end).parse().map_err(|_| self.error("the index is too large"))?;
                self.close()?;
                return Ok(Segment::Index(index));
            }
            let mut keys = Vec::new();
            loop {
                let Some(end) = self.rest.find('=').filter(|end| *end > 0) else {
                    return Err(self.error("expected `key=value`"));
                };
                let key = self.take(end);
                // What is no name would be read otherwise once it is printed.
                if key.contains([',', '[', ']', '"']) || key.starts_with(|c: char| c.is_ascii_digit()) {
                    return Err(self.error("expected `key=value`"));
                }
                self.skip(1);
                keys.push((key, self.scalar()?));
                if self.rest.starts_with(',') {
                    self.skip(1);
                } else {
                    self.close()?;
                    keys.sort();
                    return Ok(Segment::Keys(keys));
                }
            }
        }

        fn close(&mut self) -> Result<(), PathSyntax> {
            if self.rest.starts_with(']') {
                self.skip(1);
                Ok(())
            } else {
                Err(self.error("expected `]`"))
            }
        }

        fn scalar(&mut self) -> Result<Scalar, PathSyntax> {
            if self.rest.starts_with('"') {
                let mut stream = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
                let Some(Ok(text)) = stream.next() else { return Err(self.error("a string is not closed")) };
                let used = stream.byte_offset();
                self.skip(used);
                return Ok(Scalar(Value::String(text)));
            }
            let end = self.rest.find([',', ']']).unwrap_or(self.rest.len());
            let word = self.rest.get(..end).unwrap_or("");
            let value = match word {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "null" => Value::Null,
                _ => match (word.parse::<i64>(), word.parse::<f64>()) {
                    (Ok(i), _) => Value::Number(Number::Int(i)),
                    (_, Ok(x)) if x.is_finite() => Value::Number(Number::Float(x)),
                    _ => return Err(self.error("expected a JSON scalar")),
                },
            };
            self.skip(end);
            Ok(Scalar(value))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_print_as_they_are_read() {
        for text in [
            ".",
            ".spec.replicas",
            r#".spec.template.spec.containers[name="app"].image"#,
            r#".spec.ports[port=80,protocol="TCP"].targetPort"#,
            r#".metadata.finalizers[="a/b"]"#,
            ".spec.metrics[2].type",
            r#".x[name="with \"quote\" and ]"]"#,
        ] {
            assert_eq!(FieldPath::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_broken_path_says_where() {
        for (text, at) in [("", 1), ("spec", 1), (".a..b", 4), (".a[", 4), (".a[x=1", 7), (".a[=\"x", 5)] {
            assert_eq!(FieldPath::parse(text).unwrap_err().at, at, "{text}");
        }
    }

    fn any_scalar() -> impl Strategy<Value = Scalar> {
        let value = prop_oneof![
            any::<String>().prop_map(Value::String),
            any::<i64>().prop_map(Value::int),
            any::<bool>().prop_map(Value::Bool),
        ];
        value.prop_map(Scalar)
    }

    fn any_segment() -> impl Strategy<Value = Segment> {
        prop_oneof![
            r"[^.\[]{1,10}".prop_map(Segment::Field),
            proptest::collection::btree_map("[a-zA-Z]{1,8}", any_scalar(), 1..3)
                .prop_map(|keys| Segment::Keys(keys.into_iter().collect())),
            any_scalar().prop_map(Segment::Item),
            any::<usize>().prop_map(Segment::Index),
        ]
    }

    proptest! {
        #[test]
        fn every_path_reads_back_as_it_prints(segments in proptest::collection::vec(any_segment(), 0..6)) {
            let path = FieldPath(segments);
            prop_assert_eq!(FieldPath::parse(&path.to_string()), Ok(path));
        }

        #[test]
        fn no_text_makes_the_reader_of_paths_panic(text in r#"([.\[\]=,"\\0-9a-z-]|é|\PC){0,40}"#) {
            if let Ok(path) = FieldPath::parse(&text) {
                prop_assert_eq!(FieldPath::parse(&path.to_string()), Ok(path));
            }
        }
    }
}
