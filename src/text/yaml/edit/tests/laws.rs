//! Laws over random documents, written in many styles by a writer of the tests' own.

use super::*;
use crate::model::field_path::Scalar;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRng};
use std::fmt::Write as _;

/// Decides at random, the same for the same seed.
struct Dice(TestRng);

impl Dice {
    fn one_in(&mut self, n: u32) -> bool {
        self.0.next_u32().is_multiple_of(n)
    }

    fn below(&mut self, n: usize) -> usize {
        self.0.next_u32() as usize % n.max(1)
    }
}

/// Writes a value as a person might.
struct Hand {
    dice: Dice,
    step: usize,
    dashes: usize,
    text: String,
}

impl Hand {
    fn comment(&mut self) -> &'static str {
        if self.dice.one_in(5) { "  # note" } else { "" }
    }

    fn between(&mut self, column: usize) {
        if self.dice.one_in(8) {
            self.text.push('\n');
        }
        if self.dice.one_in(8) {
            let _ = writeln!(self.text, "{}# about what follows", " ".repeat(column));
        }
    }

    fn scalar(&mut self, value: &Value, flow: bool) -> String {
        let Value::String(text) = value else {
            return match value {
                Value::Null if !flow && self.dice.one_in(2) => String::new(),
                Value::Null => "~".to_owned(),
                Value::Bool(true) if self.dice.one_in(3) => "yes".to_owned(),
                Value::Bool(b) => b.to_string(),
                Value::Number(number) => number.to_string(),
                Value::Map(_) => "{}".to_owned(),
                _ => "[]".to_owned(),
            };
        };
        let simple = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphabetic());
        match self.dice.below(3) {
            0 if simple && !["y", "Y", "n", "N", "no", "on", "null", "yes"].contains(&text.as_str()) => {
                text.clone()
            }
            1 if !text.contains(['\n', '\t']) => format!("'{}'", text.replace('\'', "''")),
            _ => serde_json::Value::from(text.as_str()).to_string(),
        }
    }

    fn flow(&mut self, value: &Value) -> String {
        let gap = if self.dice.one_in(2) { ", " } else { ",  " };
        match value {
            Value::Map(fields) if !fields.is_empty() => {
                let fields: Vec<String> =
                    fields.iter().map(|(key, value)| format!("{key}: {}", self.flow(value))).collect();
                format!("{{{}}}", fields.join(gap))
            }
            Value::List(items) if !items.is_empty() => {
                let items: Vec<String> = items.iter().map(|item| self.flow(item)).collect();
                format!("[{}]", items.join(gap))
            }
            value => self.scalar(value, true),
        }
    }

    /// Writes what stands behind a colon or dash that has just been written.
    fn value(&mut self, value: &Value, column: usize, in_item: bool) {
        let is_filled = match value {
            Value::Map(fields) => !fields.is_empty(),
            Value::List(items) => !items.is_empty(),
            _ => false,
        };
        if is_filled && self.dice.one_in(4) {
            let flow = self.flow(value);
            let comment = self.comment();
            let _ = writeln!(self.text, " {flow}{comment}");
            return;
        }
        if let (Value::String(text), true) = (value, self.dice.one_in(2))
            && text.contains('\n')
            && let Some((header, lines)) = scalar::block(text, false, self.step)
        {
            let comment = self.comment();
            let _ = writeln!(self.text, " {header}{comment}");
            for line in lines {
                let _ = writeln!(self.text, "{}", blocks::indented(&line, column + self.step));
            }
            return;
        }
        if !is_filled {
            let scalar = self.scalar(value, false);
            let gap = if scalar.is_empty() { "" } else { " " };
            let comment = self.comment();
            let _ = writeln!(self.text, "{gap}{scalar}{comment}");
            return;
        }
        if in_item && self.dice.one_in(3) {
            self.text.push(' ');
            self.lines(value, column + 2, true);
            return;
        }
        let comment = self.comment();
        let _ = writeln!(self.text, "{comment}");
        let deeper = match value {
            Value::List(_) if !in_item => self.dashes,
            _ => self.step,
        };
        self.lines(value, column + deeper, false);
    }

    /// Writes the lines of a map or list; `begun`: the first line is indented already.
    fn lines(&mut self, value: &Value, column: usize, begun: bool) {
        let mut begun = begun;
        let begin = |hand: &mut Self, begun: bool| {
            if !begun {
                hand.between(column);
                hand.text.push_str(&" ".repeat(column));
            }
        };
        match value {
            Value::Map(fields) => {
                let mut fields: Vec<_> = fields.iter().collect();
                if self.dice.one_in(2) {
                    fields.reverse();
                }
                for (key, value) in fields {
                    begin(self, std::mem::take(&mut begun));
                    let _ = write!(self.text, "{key}:");
                    self.value(value, column, false);
                }
            }
            Value::List(items) => {
                for item in items {
                    begin(self, std::mem::take(&mut begun));
                    self.text.push('-');
                    self.value(item, column, true);
                }
            }
            _ => {}
        }
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-z]{1,6}",
        "[ -~]{0,10}",
        "[a-z]{0,4}(\n[a-z ]{0,4}){1,3}\n{0,2}",
        "(yes|no|on|null|~|true|1e3|0x1F|012|1_0|2001-01-01|<<|=|12:30|y|é)",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-1000..1000_i64).prop_map(Value::int),
        text.prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            proptest::collection::btree_map("k[a-z]{0,3}", inner, 0..4)
                .prop_map(|fields| Value::Map(fields.into_iter().collect())),
        ]
    })
}

fn any_map() -> impl Strategy<Value = Value> {
    proptest::collection::btree_map("k[a-z]{0,3}", any_value(), 2..5)
        .prop_map(|fields| Value::Map(fields.into_iter().collect()))
}

fn map_of_two(one: (&str, Value), two: (&str, Value)) -> Value {
    Value::Map([one, two].into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Returns every path of a value, by positions.
fn paths(value: &Value, at: &FieldPath, into: &mut Vec<FieldPath>) {
    match value {
        Value::Map(fields) => fields.iter().for_each(|(name, value)| {
            into.push(at.field(name));
            paths(value, &at.field(name), into);
        }),
        Value::List(items) => items.iter().enumerate().for_each(|(index, item)| {
            let at = at.join(Segment::Index(index));
            into.push(at.clone());
            paths(item, &at, into);
        }),
        _ => {}
    }
}

/// Returns what a value becomes, by a way of its own.
fn applied(value: &Value, path: &[Segment], change: &Change) -> Value {
    let Some((segment, rest)) = path.split_first() else {
        let Change::Set(new) = change else { panic!("nothing is left") };
        return new.clone();
    };
    let gone = rest.is_empty() && *change == Change::Remove;
    match (segment, value) {
        (Segment::Field(name), Value::Map(fields)) => {
            let mut fields: std::collections::BTreeMap<String, Value> =
                fields.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
            if gone {
                fields.remove(name);
            } else {
                let below = fields.get(name).cloned().unwrap_or_default();
                fields.insert(name.clone(), applied(&below, rest, change));
            }
            Value::Map(fields.into_iter().collect())
        }
        (Segment::Index(at), Value::List(items)) => {
            let mut items = items.clone();
            if gone {
                items.remove(*at);
            } else if *at == items.len() {
                items.push(applied(&Value::Null, rest, change));
            } else {
                items[*at] = applied(&items[*at], rest, change);
            }
            Value::List(items)
        }
        (segment, other) => panic!("{segment} of {other:?}"),
    }
}

/// Adds every path with its line, in the order of the text.
fn all_lines(lines: &crate::model::manifest::FieldLines, at: &[String], all: &mut Vec<(Vec<String>, usize)>) {
    for (key, below) in &lines.children {
        let at = [at, std::slice::from_ref(key)].concat();
        all.push((at.clone(), below.line as usize));
        all_lines(below, &at, all);
    }
}

/// Returns the first line of a value, and the line of whatever comes behind it (or one more than there are).
fn lines_of(text: &str, path: &FieldPath) -> (usize, usize) {
    let read = read_documents(text.as_bytes()).remove(0).expect("a document");
    let steps: Vec<String> = path
        .0
        .iter()
        .map(|segment| match segment {
            Segment::Field(name) => name.clone(),
            Segment::Index(at) => at.to_string(),
            other => panic!("{other}"),
        })
        .collect();
    let mut all: Vec<(Vec<String>, usize)> = Vec::new();
    all_lines(&read.lines, &[], &mut all);
    let first = all.iter().find(|(at, _)| *at == steps).map_or(1, |(_, line)| *line);
    let mine = all.iter().position(|(at, _)| *at == steps).unwrap_or(0);
    let last = all.iter().filter(|(at, _)| at.starts_with(&steps)).map(|(_, line)| *line).max().unwrap_or(0);
    let is_behind = |(at, line): &&(Vec<String>, usize)| !at.starts_with(&steps) && *line > last;
    let behind = all.iter().skip(mine).find(is_behind).map(|(_, line)| *line);
    (first, behind.unwrap_or(text.split_inclusive('\n').count() + 1))
}

proptest! {
    // The same cases in every run: what a run by chance finds is added as a case of its own.
    #![proptest_config(ProptestConfig { cases: 1500, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn every_edit_reads_back_as_wanted_and_touches_only_its_own_lines(
        object in any_map(),
        new in any_value(),
        seed in any::<[u8; 32]>(),
        pick in any::<proptest::sample::Index>(),
        kind in 0..4_u8,
        returns in any::<bool>(),
        unended in any::<bool>(),
        mark in any::<bool>(),
    ) {
        let mut dice = Dice(TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &seed));
        let (step, dashes) = (1 + dice.below(4), dice.below(3));
        let mut hand = Hand { dice, step, dashes, text: String::new() };
        hand.lines(&object, 0, false);
        let mut text = hand.text.clone();
        let others = ("first: 1 # one\n---\n", "---\nlast: x\n");
        let framed = hand.dice.one_in(3);
        if framed {
            text = [others.0, &text, others.1].concat();
        }
        let document = usize::from(framed);
        if unended && !text.ends_with("\n\n") {
            text.truncate(text.trim_end_matches('\n').len());
        }
        if returns {
            text = text.replace('\n', "\r\n");
        }
        if mark && !framed {
            text.insert(0, '\u{feff}');
        }
        let read: Vec<_> = read_documents(text.as_bytes());
        let read = read[document].as_ref().map(|read| read.value.clone());
        // Without its end, a block of text may have lost a line feed.
        prop_assume!(read.as_ref() == Ok(&object));

        let mut all = Vec::new();
        paths(&object, &FieldPath::root(), &mut all);
        let target = pick.get(&all).clone();
        let (path, change) = match kind {
            0 => (target.clone(), Change::Remove),
            1 => (target.field("knew"), Change::Set(new)),
            2 => (target.join(Segment::Index(0)), Change::Set(new)),
            _ => (target.clone(), Change::Set(new)),
        };
        let value_at = target.0.iter().try_fold(&object, |value, segment| match segment {
            Segment::Field(name) => value.get(name),
            Segment::Index(at) => value.as_list()?.get(*at),
            _ => None,
        });
        let value_at = value_at.expect("a value");
        let (path, change) = match (kind, value_at) {
            (2, Value::List(items)) => (target.join(Segment::Index(items.len())), change),
            (0, _) | (1, Value::Map(_)) => (path, change),
            (_, _) => (target.clone(), change),
        };
        let wanted = applied(&object, &path.0, &change);
        let edit = Edit { path: path.clone(), change, after: Vec::new() };
        let after = match super::super::edit(text.as_bytes(), document, std::slice::from_ref(&edit)) {
            Ok(after) => String::from_utf8(after).expect("text"),
            Err(refused) => {
                prop_assert!(
                    refused.fault == EditFault::SharedLine || (refused.fault == EditFault::Templated && text.contains(['{', '}'])),
                    "{refused} at {:?}: {edit:?} of\n{text}", refused.line
                );
                return Ok(());
            }
        };
        let read: Vec<_> = read_documents(after.as_bytes()).into_iter().map(|read| read.expect("it reads").value).collect();
        prop_assert_eq!(read.get(document), Some(&wanted), "{:?} of\n{}\nbecame\n{}", edit, text, after);
        if framed {
            prop_assert!(after.starts_with(&text[..others.0.len()]));
            prop_assert_eq!(read.len(), 3);
        }
        if !framed {
            // Fields come in the order of their names where those that are there do: anywhere in the map that they are put into.
            // The last field or item leaves an empty map or list behind its name.
            let above = path.parent().filter(|_| edit.change == Change::Remove);
            let only = above.as_ref().filter(|above| {
                let found = above.0.iter().try_fold(&wanted, |value, segment| match segment {
                    Segment::Field(name) => value.get(name),
                    Segment::Index(at) => value.as_list()?.get(*at),
                    _ => None,
                });
                found.is_some_and(Value::is_empty)
            });
            let (mut first, behind) = lines_of(&text, only.unwrap_or(&target));
            let count = text.split_inclusive('\n').count();
            // A dash may stand above what it begins.
            let is_dash = |line: usize| {
                let line = text.split_inclusive('\n').nth(line - 1).unwrap_or_default();
                let line = line.split(" #").next().unwrap_or_default().trim();
                line.ends_with('-') || line.is_empty() || line.starts_with('#')
            };
            while first > 1 && is_dash(first - 1) {
                first -= 1;
            }
            let before: Vec<&str> = text.split_inclusive('\n').take(first - 1).collect();
            // The field behind the first of an item moves up to the dash.
            let at_dash = text.split_inclusive('\n').nth(first - 1).is_some_and(|line| line.trim().starts_with('-'));
            let joined = usize::from(edit.change == Change::Remove && at_dash);
            let rest: Vec<&str> = text.split_inclusive('\n').skip(behind - 1 + joined).collect();
            prop_assert!(after.starts_with(&before.concat()), "{:?} of\n{}\nbecame\n{}", edit, text, after);
            if behind <= count {
                prop_assert!(after.ends_with(&rest.concat()), "{:?} of\n{}\nbecame\n{}", edit, text, after);
            }
        }
        prop_assert_eq!(after.contains('\r'), text.contains('\r') && after.contains('\n'));
    }

    #[test]
    fn an_item_is_found_by_its_keys_wherever_it_stands(
        names in proptest::collection::btree_set("[a-z]{1,4}", 1..5),
        seed in any::<[u8; 32]>(),
        pick in any::<proptest::sample::Index>(),
    ) {
        let items: Vec<Value> = names.iter().map(|name| value!({"name": (name.as_str()), "value": "v"})).collect();
        let object = map_of_two(("env", Value::List(items)), ("x", Value::int(1)));
        let mut hand = Hand {
            dice: Dice(TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &seed)),
            step: 2,
            dashes: 0,
            text: String::new(),
        };
        hand.lines(&object, 0, false);
        let name = pick.get(&names.iter().cloned().collect::<Vec<_>>()).clone();
        let item = Segment::Keys(vec![("name".to_owned(), Scalar(Value::string(&name)))]);
        let edit = Edit::set(FieldPath::fields(&["env"]).join(item).field("value"), value!("new"));
        let after = edited(&hand.text, &edit);
        let read = read_documents(after.as_bytes()).remove(0).expect("it reads").value;
        let changed: Vec<&str> = read
            .get("env")
            .and_then(Value::as_list)
            .expect("a list")
            .iter()
            .filter(|item| item.str_at(&["value"]) == Some("new"))
            .filter_map(|item| item.str_at(&["name"]))
            .collect();
        prop_assert_eq!(changed, [name.as_str()]);
    }

    #[test]
    fn no_text_makes_an_edit_panic(text in "([a-c:\\-?&*!|>'\"%@`{}\\[\\],# \n\r\t0-9]|---\n|é|\u{85}|\u{feff}){0,60}", at in "[a-c]", new in any_value()) {
        for document in 0..2 {
            for edit in [Edit::set(FieldPath::fields(&[&at]), new.clone()), Edit::remove(FieldPath::fields(&[&at]))] {
                if let Ok(after) = super::super::edit(text.as_bytes(), document, std::slice::from_ref(&edit)) {
                    let read: Vec<_> = read_documents(&after);
                    let found = read.iter().flatten().find(|read| read.index == document);
                    let found = found.and_then(|read| read.value.get(&at).cloned());
                    let wanted = if let Change::Set(new) = &edit.change { Some(new.clone()) } else { None };
                    prop_assert_eq!(found, wanted, "{:?}", text);
                }
            }
        }
    }
}
