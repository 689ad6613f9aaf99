//! Defines which spots of a document a rule names, and how spots and printed paths meet.

use crate::model::ignore::{FieldPattern, PatternPart, Spot, Token};
use crate::model::{FieldPath, Glob, Segment, Value, field, limits};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Bound;

/// What is left of the work that following patterns may take on one object.
///
/// A pattern may come from a repository, and keys of the object from anybody: what they cost together is counted, in
/// comparisons of a character of the one with a character of the other.
pub(super) struct Steps(usize);

/// Following a pattern takes more work than is allowed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMuch;

impl Steps {
    /// Returns what is allowed for all patterns on one object.
    pub(super) fn of_one_object() -> Self {
        Self(limits::PATTERN_STEPS)
    }

    fn take(&mut self, steps: usize) -> Result<(), TooMuch> {
        let left = self.0.checked_sub(steps);
        self.0 = left.unwrap_or(0);
        left.map(drop).ok_or(TooMuch)
    }
}

/// Returns the spots of a document that a pattern names.
pub(super) fn of_pattern(
    pattern: &FieldPattern,
    body: &Value,
    steps: &mut Steps,
) -> Result<Vec<Spot>, TooMuch> {
    let mut walk = Walk { steps, seen: HashSet::new(), at: Vec::new(), found: Vec::new() };
    walk.follow(pattern.parts(), body)?;
    Ok(walk.found)
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

/// A pattern on its way through a document.
struct Walk<'s> {
    steps: &'s mut Steps,
    /// The values that were reached, each with what was left of the pattern: parts, and bytes of the names before them.
    /// Keys with dots let many ways lead to the same pair, and each way goes on as the first did.
    seen: HashSet<(*const Value, usize, Option<usize>)>,
    at: Spot,
    found: Vec<Spot>,
}

impl Walk<'_> {
    fn is_new(&mut self, value: &Value, parts: &[PatternPart], names: Option<&str>) -> bool {
        self.seen.insert((std::ptr::from_ref(value), parts.len(), names.map(str::len)))
    }

    fn follow(&mut self, parts: &[PatternPart], value: &Value) -> Result<(), TooMuch> {
        if !self.is_new(value, parts, None) {
            return Ok(());
        }
        let Some((part, rest)) = parts.split_first() else {
            self.steps.take(1 + self.at.len())?;
            self.found.push(self.at.clone());
            return Ok(());
        };
        match (part, value) {
            (PatternPart::Fields(names), Value::Map(_)) => self.fields(names, rest, value)?,
            (_, Value::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    if names(part, index, item, self.steps)? {
                        self.at.push(Token::Index(index));
                        self.follow(rest, item)?;
                        self.at.pop();
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Follows `.a.b.c`: every key of the map that the text can begin with is tried, because keys may hold dots.
    fn fields(&mut self, names: &str, rest: &[PatternPart], value: &Value) -> Result<(), TooMuch> {
        let Some(names) = names.strip_prefix('.').filter(|names| self.is_new(value, rest, Some(names)))
        else {
            return Ok(());
        };
        let pattern: Vec<char> = names.chars().collect();
        self.steps.take(pattern.len())?;
        for (key, below) in value.as_map().into_iter().flatten() {
            for end in ends(&pattern, key, self.steps)? {
                // A key has taken its part: nothing is left, or what begins with a dot.
                let after = names.char_indices().nth(end).map_or("", |(at, _)| names.get(at..).unwrap_or(""));
                self.at.push(Token::Key(key.clone()));
                match after {
                    "" => self.follow(rest, below)?,
                    after if after.starts_with('.') => self.fields(after, rest, below)?,
                    _ => {}
                }
                self.at.pop();
            }
        }
        Ok(())
    }
}

/// Returns up to which characters of a pattern, other than up to a star, the whole of a text can be read, as [`Glob`] reads
/// it, in rising order.
fn ends(pattern: &[char], text: &str, steps: &mut Steps) -> Result<Vec<usize>, TooMuch> {
    // Where the pattern may stand: a star may have read enough at any time.
    let enter = |places: &mut Vec<usize>, mut place: usize| {
        while places.last().is_none_or(|last| *last < place) {
            places.push(place);
            if pattern.get(place) != Some(&'*') {
                break;
            }
            place += 1;
        }
    };
    let mut places = Vec::new();
    enter(&mut places, 0);
    for c in text.chars() {
        steps.take(1 + places.len())?;
        let mut next = Vec::with_capacity(places.len());
        for place in places {
            match pattern.get(place) {
                Some('*') => enter(&mut next, place),
                Some(p) if *p == '?' || *p == c => enter(&mut next, place + 1),
                _ => {}
            }
        }
        places = next;
        if places.is_empty() {
            break;
        }
    }
    // Before a star nothing ends: with it, it reads the same.
    places.retain(|place| pattern.get(*place) != Some(&'*'));
    Ok(places)
}

/// Returns whether the whole of a text matches.
fn matches(glob: &Glob, text: &str, steps: &mut Steps) -> Result<bool, TooMuch> {
    let pattern: Vec<char> = glob.as_str().chars().collect();
    Ok(ends(&pattern, text, steps)?.last() == Some(&pattern.len()))
}

/// Returns whether a bracket names an item of a list.
fn names(part: &PatternPart, index: usize, item: &Value, steps: &mut Steps) -> Result<bool, TooMuch> {
    steps.take(1)?;
    let mut says = |value: &Value, glob: &Glob| match text(value) {
        Some(text) => matches(glob, &text, steps),
        None => Ok(false),
    };
    match part {
        PatternPart::Fields(_) => Ok(false),
        PatternPart::AnyItem => Ok(true),
        PatternPart::Index(at) => Ok(*at == index),
        PatternPart::Member(glob) => says(item, glob),
        PatternPart::Keys(keys) => {
            // A key that has a default, such as a port's protocol, need not be spelled out.
            let mut spelled = keys.iter().filter_map(|(key, glob)| Some((item.get(key)?, glob))).peekable();
            let any = spelled.peek().is_some();
            for (value, glob) in spelled {
                if !says(value, glob)? {
                    return Ok(false);
                }
            }
            Ok(any)
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

/// Returns whether something is at one of some spots, or under it.
pub(super) fn lies_in(at: &[Token], spots: &BTreeSet<Spot>) -> bool {
    (0..=at.len()).filter_map(|end| at.get(..end)).any(|above| spots.contains(above))
}

/// Returns those of some spots that are under another one, from there on.
pub(super) fn under<'s>(at: &[Token], spots: &'s BTreeSet<Spot>) -> Vec<&'s [Token]> {
    let from = spots.range::<[Token], _>((Bound::Included(at), Bound::Unbounded));
    from.map_while(|spot| spot.strip_prefix(at)).collect()
}

/// Takes what is at some spots out of a value, and everything that is empty then. Spots are relative to the value.
pub(super) fn without(value: &Value, spots: &[&[Token]]) -> Option<Value> {
    if spots.iter().any(|spot| spot.is_empty()) {
        return None;
    }
    let mut parts: BTreeMap<&Token, Vec<&[Token]>> = BTreeMap::new();
    for (first, rest) in spots.iter().filter_map(|spot| spot.split_first()) {
        parts.entry(first).or_default().push(rest);
    }
    let below = |step: &Token| parts.get(step).map_or(&[][..], Vec::as_slice);
    let pruned = match value {
        Value::Map(fields) => Value::Map(
            fields
                .iter()
                .filter_map(|(key, value)| {
                    Some((key.clone(), without(value, below(&Token::Key(key.clone())))?))
                })
                .collect(),
        ),
        Value::List(items) => Value::List(
            items
                .iter()
                .enumerate()
                .filter_map(|(at, item)| without(item, below(&Token::Index(at))))
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

    fn steps() -> Steps {
        Steps::of_one_object()
    }

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
                shown(&of_pattern(&FieldPattern::read(pattern).unwrap(), &body, &mut steps()).unwrap()),
                expected,
                "{pattern}"
            );
        }
    }

    #[test]
    fn a_pattern_that_keys_with_dots_can_take_in_many_ways_names_each_spot_once() {
        let one = |key: &str, below| Value::Map([(key.to_owned(), below)].into_iter().collect());
        let deep = |depth| (0..depth).fold(value!(1), |below, _| one("a.a", below));
        // Each key takes one star or two.
        for (stars, depth, expected) in [(2, 2, 2), (4, 3, 2), (130, 60, 0), (130, 200, 66)] {
            let pattern = FieldPattern::read(&".*".repeat(stars)).unwrap();
            let found = of_pattern(&pattern, &deep(depth), &mut steps()).unwrap();
            let once: BTreeSet<&Spot> = found.iter().collect();
            assert_eq!((found.len(), once.len()), (expected, expected), "{stars} in {depth}");
        }
    }

    #[test]
    fn a_pattern_that_takes_too_much_work_says_so() {
        let pattern = FieldPattern::read(&".*".repeat(400)).unwrap();
        let key = |n: usize| (format!("{n}{}", ".a".repeat(400)), value!(1));
        let wide = Value::Map((0..1000).map(key).collect());
        assert_eq!(of_pattern(&pattern, &wide, &mut steps()), Err(TooMuch));
        let mut few = Steps(3);
        assert_eq!(few.take(2), Ok(()));
        assert_eq!((few.take(2), few.take(1)), (Err(TooMuch), Err(TooMuch)));
    }

    #[test]
    fn a_text_ends_where_a_pattern_that_is_cut_there_matches_the_whole_of_it() {
        for (pattern, text) in [
            ("a.b", "a"),
            ("a.b", "a.b"),
            ("*", ""),
            ("*.*", "a.b"),
            ("**x", "xx"),
            ("a?*.c", "ab.c"),
            ("?", "é"),
            ("", "x"),
            ("", ""),
            ("*a*b*", "xxaxxbxx"),
            ("a**", "a"),
            ("*.x", ".x.x"),
        ] {
            let chars: Vec<char> = pattern.chars().collect();
            let whole = |end: &usize| {
                chars.get(*end) != Some(&'*')
                    && Glob::new(chars.iter().take(*end).collect::<String>()).matches_exactly(text)
            };
            let expected: Vec<usize> = (0..=chars.len()).filter(whole).collect();
            assert_eq!(ends(&chars, text, &mut steps()).unwrap(), expected, "{pattern} {text}");
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
