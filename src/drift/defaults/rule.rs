//! Defines the rules of the defaulting table: what a field would have been set to, given the fields beside it.

use crate::model::{Map, Value};

/// What a field would have been set to.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// This value. An empty map says that the server creates the part; what is in it has rules of its own.
    Literal(Value),
    /// The value of the field beside it.
    Sibling(String),
    /// The field beside it with a suffix.
    Derived { field: String, lower: bool, suffix: String },
    /// The pull policy that follows from the image in the field beside it.
    PullPolicy(String),
    /// Whatever the server or an admission plugin allocates.
    Allocated,
    /// Only where the field beside it is there and not empty, or only where it is not.
    When { field: String, there: bool, rule: Box<Rule> },
}

impl Rule {
    /// Reads one rule in the notation of the table.
    pub fn read(text: &str) -> Option<Self> {
        for (word, there) in [(" if ", true), (" unless ", false)] {
            if let Some((rule, field)) = text.rsplit_once(word) {
                let rule = Box::new(Self::read(rule.trim())?);
                return Some(Rule::When { field: field.trim().to_owned(), there, rule });
            }
        }
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let mut rest = rest.split_whitespace();
        let mut next = || rest.next().unwrap_or_default().to_owned();
        match word {
            "?" => Some(Rule::Allocated),
            "=" => Some(Rule::Sibling(next())),
            "~" => Some(Rule::Derived { field: next(), lower: true, suffix: next() }),
            "^" => Some(Rule::Derived { field: next(), lower: false, suffix: next() }),
            "image" => Some(Rule::PullPolicy(next())),
            _ => Value::from_json_slice(text.as_bytes()).ok().map(Rule::Literal),
        }
    }

    /// Returns the value that the rule gives beside these fields; `None` where it gives none, or any.
    pub fn value<'v>(&'v self, beside: &'v Map) -> Option<std::borrow::Cow<'v, Value>> {
        use std::borrow::Cow;
        match self {
            Rule::Literal(value) => Some(Cow::Borrowed(value)),
            Rule::Sibling(field) => beside.get(field).map(Cow::Borrowed),
            Rule::Derived { field, lower, suffix } => {
                let text = beside.get(field)?.as_str()?;
                let text = if *lower { text.to_lowercase() } else { text.to_owned() };
                Some(Cow::Owned(Value::String(text + suffix)))
            }
            Rule::PullPolicy(field) => {
                let image = beside.get(field).and_then(Value::as_str).unwrap_or_default();
                Some(Cow::Owned(Value::string(pull_policy(image))))
            }
            Rule::When { field, there, rule } => {
                let is_there = beside.get(field).is_some_and(|value| !value.is_empty());
                if is_there == *there { rule.value(beside) } else { None }
            }
            Rule::Allocated => None,
        }
    }

    /// Returns whether the rule says that the server creates a part by itself.
    pub fn creates_part(&self) -> bool {
        matches!(self, Rule::Literal(Value::Map(fields)) if fields.is_empty())
    }

    /// Returns whether the value depends on more than the field's place.
    pub fn is_computed(&self) -> bool {
        !matches!(self, Rule::Literal(_))
    }
}

/// Returns the pull policy of a container whose manifest names none: `Always` for the tag `latest` or none at all.
///
/// Source: kubernetes, `SetDefaults_Container` and `parsers.ParseImageName`, where a digest without a tag is no `latest`.
fn pull_policy(image: &str) -> &'static str {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        Some((_, "latest")) => "Always",
        None if digest.is_none() => "Always",
        _ => "IfNotPresent",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn the_pull_policy_follows_from_the_tag() {
        for (image, policy) in [
            ("nginx", "Always"),
            ("nginx:latest", "Always"),
            ("nginx:1.2", "IfNotPresent"),
            ("host:5000/nginx", "Always"),
            ("host:5000/nginx:1", "IfNotPresent"),
            ("nginx@sha256:00", "IfNotPresent"),
        ] {
            assert_eq!(pull_policy(image), policy, "{image}");
        }
    }

    #[test]
    fn a_rule_may_hang_on_the_field_beside_it() {
        let rules = ["6 unless backoffLimitPerIndex", "2147483647 if backoffLimitPerIndex"];
        let rules = rules.map(|text| Rule::read(text).unwrap());
        let given = |beside: Value| {
            let beside = beside.as_map().unwrap().clone();
            let values =
                rules.iter().filter_map(|rule| rule.value(&beside).map(std::borrow::Cow::into_owned));
            values.collect::<Vec<_>>()
        };
        assert_eq!(given(value!({})), [value!(6)]);
        assert_eq!(given(value!({"backoffLimitPerIndex": 1})), [value!(2_147_483_647)]);
    }
}
