//! Defines ignore rules: which differences do not count, by whose word, and the spots of a document that a rule names.

use super::change::Class;
use super::glob::Glob;
use super::limits;
use super::manifest::Origin;
use std::fmt;
use std::sync::Arc;

/// One rule. Everything that it says must hold; of several fields, pointers and expressions one is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoreRule {
    pub objects: Objects,
    /// The fields that it names; empty: every field that one of `managers` owns.
    pub fields: Vec<Fields>,
    /// Only what one of these field managers owns; empty: whoever wrote it.
    pub managers: Vec<Glob>,
    /// Why, in the words of whoever wrote the rule.
    pub reason: Option<String>,
    pub source: RuleSource,
    /// The file and line of the rule.
    pub declared: Origin,
}

/// Which objects a rule is about. `None`: any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Objects {
    /// The empty pattern is the core group.
    pub group: Option<Glob>,
    pub kind: Option<Glob>,
    pub namespace: Option<Glob>,
    pub name: Option<Glob>,
    /// Labels that the object carries, on either side; without a value, any.
    pub labels: Vec<(String, Option<Glob>)>,
}

/// How a rule names fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fields {
    /// A path as it is printed, with `*` for any text of one segment.
    Path(FieldPattern),
    /// A JSON pointer (RFC 6901), its tokens decoded.
    Pointer(Vec<String>),
    /// A jq path expression: what `path(…)` of it yields.
    Jq(String),
}

/// Whose rule it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleSource {
    /// The user's `config.yaml`.
    Configuration,
    /// The repo's `.driftdeck.yaml`.
    Repository,
}

impl RuleSource {
    pub fn word(self) -> &'static str {
        match self {
            RuleSource::Configuration => "configuration",
            RuleSource::Repository => "repository",
        }
    }
}

/// By which rule a change does not count, and what it would be without.
#[derive(Debug, Clone, PartialEq)]
pub struct Ignored {
    pub rule: Arc<IgnoreRule>,
    pub class: Class,
}

impl IgnoreRule {
    /// Returns where the rule stands, as people say it: `.driftdeck.yaml:12`.
    pub fn place(&self) -> String {
        match self.declared.line {
            Some(line) => format!("{}:{line}", self.declared.file),
            None => self.declared.file.clone(),
        }
    }
}

impl fmt::Display for IgnoreRule {
    /// Prints what the rule says, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Objects { group, kind, namespace, name, labels } = &self.objects;
        let mut said = Vec::new();
        for (key, glob) in [("group", group), ("kind", kind), ("namespace", namespace), ("name", name)] {
            said.extend(glob.as_ref().map(|glob| format!("{key} {}", glob.as_str())));
        }
        for (key, value) in labels {
            let value = value.as_ref().map_or(String::new(), |value| format!("={}", value.as_str()));
            said.push(format!("label {key}{value}"));
        }
        said.extend(self.managers.iter().map(|glob| format!("manager {}", glob.as_str())));
        said.extend(self.fields.iter().map(Fields::to_string));
        f.write_str(&said.join(", "))
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fields::Path(pattern) => f.write_str(pattern.as_str()),
            Fields::Pointer(tokens) => {
                tokens.iter().try_for_each(|t| write!(f, "/{}", t.replace('~', "~0").replace('/', "~1")))
            }
            Fields::Jq(expression) => write!(f, "jq {expression}"),
        }
    }
}

/// One step to a spot of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Token {
    Key(String),
    Index(usize),
}

/// A spot of one document, by its own keys and list positions: the same item may stand elsewhere on the other side.
pub type Spot = Vec<Token>;

/// A printed field path with wildcards: `*` stands for any text within one segment, `[*]` for any item.
///
/// It names what is at a path and everything under it. Where a key holds dots, as in
/// `.metadata.labels.app.kubernetes.io/name`, the object's own keys decide where a segment ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPattern {
    text: String,
    parts: Vec<PatternPart>,
}

/// A piece of a pattern between brackets, or within them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternPart {
    /// Field names with a dot before each.
    Fields(String),
    AnyItem,
    Index(usize),
    /// An item of a set.
    Member(Glob),
    /// An item of a keyed list.
    Keys(Vec<(String, Glob)>),
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("it has more than {} characters", limits::PATTERN_CHARS)]
    TooLong,
    #[error("a path starts with a dot, such as .spec.replicas")]
    NoDot,
    #[error("a field name is missing")]
    NoName,
    #[error("a bracket holds *, a position, =\"a value\" or key=\"value\"")]
    Bracket,
    #[error("a bracket is not closed")]
    Open,
}

impl FieldPattern {
    /// Reads a pattern: a path as driftdeck prints it is one.
    pub fn read(text: &str) -> Result<Self, PatternError> {
        let mut parts = Vec::new();
        let mut rest = text;
        if text.chars().count() > limits::PATTERN_CHARS {
            return Err(PatternError::TooLong);
        }
        if !rest.starts_with('.') {
            return Err(PatternError::NoDot);
        }
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let (part, after) = bracket(inside)?;
                parts.push(part);
                rest = after;
                continue;
            }
            let end = rest.find('[').unwrap_or(rest.len());
            let (fields, after) = rest.split_at(end);
            let whole = text == ".";
            if !fields.starts_with('.') || (!whole && (fields.ends_with('.') || fields.contains(".."))) {
                return Err(PatternError::NoName);
            }
            if !whole {
                parts.push(PatternPart::Fields(fields.to_owned()));
            }
            rest = after;
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// Returns the pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns its pieces; none: the whole object.
    pub fn parts(&self) -> &[PatternPart] {
        &self.parts
    }
}

/// Reads what stands in a bracket, and returns it with what follows the bracket.
fn bracket(text: &str) -> Result<(PatternPart, &str), PatternError> {
    if let Some(rest) = text.strip_prefix("*]") {
        return Ok((PatternPart::AnyItem, rest));
    }
    if let Some(rest) = text.strip_prefix('=') {
        let (value, rest) = scalar(rest)?;
        return Ok((PatternPart::Member(value), rest.strip_prefix(']').ok_or(PatternError::Open)?));
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let (digits, rest) = text.split_once(']').ok_or(PatternError::Open)?;
        return Ok((PatternPart::Index(digits.parse().map_err(|_| PatternError::Bracket)?), rest));
    }
    let (mut keys, mut rest) = (Vec::new(), text);
    loop {
        let (key, after) = rest.split_once('=').ok_or(PatternError::Bracket)?;
        if key.is_empty() || key.contains([']', '[', '"']) {
            return Err(PatternError::Bracket);
        }
        let (value, after) = scalar(after)?;
        keys.push((key.trim().to_owned(), value));
        match (after.strip_prefix(','), after.strip_prefix(']')) {
            (Some(after), _) => rest = after,
            (_, Some(after)) => return Ok((PatternPart::Keys(keys), after)),
            _ => return Err(PatternError::Open),
        }
    }
}

/// Reads a JSON string, or a bare word up to the next `,` or `]`.
fn scalar(text: &str) -> Result<(Glob, &str), PatternError> {
    if text.starts_with('"') {
        let mut stream = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let Some(Ok(value)) = stream.next() else { return Err(PatternError::Bracket) };
        return Ok((Glob::new(value), text.get(stream.byte_offset()..).unwrap_or("")));
    }
    let end = text.find([',', ']']).ok_or(PatternError::Open)?;
    let (word, rest) = text.split_at(end);
    if word.is_empty() { Err(PatternError::Bracket) } else { Ok((Glob::new(word), rest)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_printed_path_is_a_pattern_and_a_broken_one_says_what_is_missing() {
        for text in [
            ".",
            ".spec.replicas",
            ".spec.template.spec.containers[*].image",
            r#".spec.template.spec.containers[name="istio-*"]"#,
            r#".spec.ports[port=80,protocol="TCP"].nodePort"#,
            r#".metadata.finalizers[="a/b"]"#,
            ".metadata.annotations.example.com/*",
            ".spec.metrics[2]",
        ] {
            assert_eq!(FieldPattern::read(text).unwrap().as_str(), text);
        }
        for (text, error) in [
            ("", PatternError::NoDot),
            ("spec", PatternError::NoDot),
            (".spec..x", PatternError::NoName),
            (".spec.", PatternError::NoName),
            (".a[", PatternError::Bracket),
            (".a[name=\"x\"", PatternError::Open),
            (".a[]", PatternError::Bracket),
        ] {
            assert_eq!(FieldPattern::read(text), Err(error), "{text}");
        }
        let longest = ".".to_owned() + &"a".repeat(limits::PATTERN_CHARS - 1);
        assert!(FieldPattern::read(&longest).is_ok());
        assert_eq!(FieldPattern::read(&(longest + "a")), Err(PatternError::TooLong));
    }
}
