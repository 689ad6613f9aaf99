//! Defines which spots of a document a rule names, and how spots and printed paths meet.

use crate::model::ignore::{FieldPattern, PatternPart, Spot, Token};
use crate::model::{FieldPath, Glob, Segment, Value, field};

/// Returns the spots of a document that a pattern names.
pub(super) fn of_pattern(pattern: &FieldPattern, body: &Value) -> Vec<Spot> {
    let mut found = Vec::new();
    follow(pattern.parts(), body, &mut Vec::new(), &mut found);
    found
}

/// Returns the spot that a JSON pointer names, if it is there. `-` names no item (RFC 6901): it stands for the one after
/// the last.
pub(super) fn of_pointer(tokens: &[String], body: &Value) -> Vec<Spot> {
    let mut spot = Vec::with_capacity(tokens.len());
    let mut value = body;
    for token in tokens {
        let next = match value {
            Value::Map(fields) => fields.get(token).map(|next| (Token::Key(token.clone()), next)),
            Value::List(items) => {
                token.parse::<usize>().ok().and_then(|at| Some((Token::Index(at), items.get(at)?)))
            }
            _ => None,
        };
        let Some((step, next)) = next else { return Vec::new() };
        spot.push(step);
        value = next;
    }
    vec![spot]
}

/// Returns the spot of a printed path in a document, if it is there.
pub(super) fn of_path(path: &FieldPath, body: &Value) -> Option<Spot> {
    let mut value = body;
    path.0
        .iter()
        .map(|segment| {
            let (step, next) = if let Segment::Field(name) = segment {
                (Token::Key(name.clone()), value.get(name)?)
            } else {
                let at = field::position(value, segment)?;
                (Token::Index(at), value.as_list()?.get(at)?)
            };
            value = next;
            Some(step)
        })
        .collect()
}

fn follow(parts: &[PatternPart], value: &Value, at: &mut Spot, found: &mut Vec<Spot>) {
    let Some((part, rest)) = parts.split_first() else {
        found.push(at.clone());
        return;
    };
    match (part, value) {
        (PatternPart::Fields(names), Value::Map(_)) => fields(names, rest, value, at, found),
        (_, Value::List(items)) => {
            for (index, item) in items.iter().enumerate().filter(|(index, item)| names(part, *index, item)) {
                at.push(Token::Index(index));
                follow(rest, item, at, found);
                at.pop();
            }
        }
        _ => {}
    }
}

/// Follows `.a.b.c`: every key of the map that the text can begin with is tried, because keys may hold dots.
fn fields(names: &str, rest: &[PatternPart], value: &Value, at: &mut Spot, found: &mut Vec<Spot>) {
    let Some(names) = names.strip_prefix('.') else { return };
    for (key, below) in value.as_map().into_iter().flatten() {
        for after in remainders(names, key) {
            at.push(Token::Key(key.clone()));
            if after.is_empty() {
                follow(rest, below, at, found);
            } else {
                fields(after, rest, below, at, found);
            }
            at.pop();
        }
    }
}

/// Returns what can be left of a text of names once a key has taken its part: nothing, or from a dot on.
fn remainders<'t>(names: &'t str, key: &'t str) -> impl Iterator<Item = &'t str> {
    let ends = names.match_indices('.').map(|(at, _)| at).chain([names.len()]);
    ends.filter_map(move |end| {
        let (name, rest) = names.split_at_checked(end)?;
        Glob::new(name).matches_exactly(key).then_some(rest)
    })
}

/// Returns whether a bracket names an item of a list.
fn names(part: &PatternPart, index: usize, item: &Value) -> bool {
    match part {
        PatternPart::Fields(_) => false,
        PatternPart::AnyItem => true,
        PatternPart::Index(at) => *at == index,
        PatternPart::Member(glob) => text(item).is_some_and(|text| glob.matches_exactly(&text)),
        PatternPart::Keys(keys) => {
            // A key that has a default, such as a port's protocol, need not be spelled out.
            let mut spelled = keys.iter().filter_map(|(key, glob)| Some((item.get(key)?, glob))).peekable();
            spelled.peek().is_some()
                && spelled.all(|(value, glob)| text(value).is_some_and(|text| glob.matches_exactly(&text)))
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Takes what is at some spots out of a value, and everything that is empty then. Spots are relative to the value.
pub(super) fn without(value: &Value, spots: &[&[Token]]) -> Option<Value> {
    if spots.iter().any(|spot| spot.is_empty()) {
        return None;
    }
    let below = |step: &Token| -> Vec<&[Token]> {
        spots
            .iter()
            .filter_map(|spot| spot.split_first())
            .filter(|(first, _)| *first == step)
            .map(|(_, rest)| rest)
            .collect()
    };
    let pruned = match value {
        Value::Map(fields) => Value::Map(
            fields
                .iter()
                .filter_map(|(key, value)| {
                    Some((key.clone(), without(value, &below(&Token::Key(key.clone())))?))
                })
                .collect(),
        ),
        Value::List(items) => Value::List(
            items
                .iter()
                .enumerate()
                .filter_map(|(at, item)| without(item, &below(&Token::Index(at))))
                .collect(),
        ),
        other => other.clone(),
    };
    // What was empty before says something; what has become empty does not.
    (!pruned.is_empty() || value.is_empty()).then_some(pruned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    fn shown(spots: &[Spot]) -> Vec<String> {
        let step = |token: &Token| match token {
            Token::Key(key) => key.clone(),
            Token::Index(at) => at.to_string(),
        };
        spots.iter().map(|spot| spot.iter().map(step).collect::<Vec<_>>().join("/")).collect()
    }

    #[test]
    fn a_pattern_names_keys_with_dots_items_by_key_and_wildcards() {
        let body = value!({
            "metadata": {"labels": {"app.kubernetes.io/name": "a", "app": "b"}, "finalizers": ["x/y", "z"]},
            "spec": {"ports": [{"port": 80, "name": "web"}, {"port": 80, "protocol": "UDP"}],
                     "containers": [{"name": "app", "image": "i"}, {"name": "istio-proxy", "image": "j"}]},
        });
        for (pattern, expected) in [
            (".metadata.labels.app.kubernetes.io/name", vec!["metadata/labels/app.kubernetes.io/name"]),
            (".metadata.labels.app", vec!["metadata/labels/app"]),
            (".metadata.labels.app*", vec!["metadata/labels/app", "metadata/labels/app.kubernetes.io/name"]),
            (r#".metadata.finalizers[="x/*"]"#, vec!["metadata/finalizers/0"]),
            (".spec.containers[*].image", vec!["spec/containers/0/image", "spec/containers/1/image"]),
            (r#".spec.containers[name="istio-*"]"#, vec!["spec/containers/1"]),
            (r#".spec.ports[port=80,protocol="TCP"]"#, vec!["spec/ports/0"]),
            (".spec.ports[1].protocol", vec!["spec/ports/1/protocol"]),
            (
                ".spec.*[*].name",
                vec!["spec/containers/0/name", "spec/containers/1/name", "spec/ports/0/name"],
            ),
            (".", vec![""]),
            (".spec.nothing", vec![]),
        ] {
            assert_eq!(
                shown(&of_pattern(&FieldPattern::read(pattern).unwrap(), &body)),
                expected,
                "{pattern}"
            );
        }
    }

    #[test]
    fn a_pointer_names_what_is_there_and_nothing_else() {
        let body = value!({"a": [{"b/c": 1}], "d": {"0": true}});
        let tokens = |text: &[&str]| text.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        assert_eq!(shown(&of_pointer(&tokens(&["a", "0", "b/c"]), &body)), ["a/0/b/c"]);
        assert_eq!(shown(&of_pointer(&tokens(&["d", "0"]), &body)), ["d/0"]);
        assert!(of_pointer(&tokens(&["a", "-"]), &body).is_empty());
        assert!(of_pointer(&tokens(&["a", "1"]), &body).is_empty());
    }

    #[test]
    fn what_becomes_empty_goes_and_what_was_empty_stays() {
        let value = value!({"a": {"b": 1}, "c": {}, "d": [{"e": 1, "f": 2}]});
        let key = |k: &str| Token::Key(k.to_owned());
        let spots = [vec![key("a"), key("b")], vec![key("d"), Token::Index(0), key("e")]];
        let spots: Vec<&[Token]> = spots.iter().map(Vec::as_slice).collect();
        assert_eq!(without(&value, &spots), Some(value!({"c": {}, "d": [{"f": 2}]})));
        assert_eq!(without(&value!({"a": 1}), &[&[key("a")]]), None);
    }
}
