//! Defines the rules of health that are data, and how they are held against an object.
//!
//! The built-in table is `assets/health.txt`; what the configuration adds goes before it.

use super::conditions::{self, Condition};
use super::notation;
use crate::model::glob::matches_exactly as matches;
use crate::model::health_rule::{
    Amount, ConditionFits, HealthRule, HealthTest, KindPattern, Relation, RuleMessage, Sum, ValuePath,
    ValueStep,
};
use crate::model::{Health, Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

const BUILT_IN: &str = include_str!("../../../assets/health.txt");

/// The rules for kinds that are data.
#[derive(Debug, Clone, Default)]
pub struct HealthRules {
    /// The user's own, in their order: they go before everything else.
    added: Vec<(KindPattern, HealthRule)>,
    built_in: Arc<Table>,
}

/// Rules by group and kind.
#[derive(Debug, Default)]
struct Table {
    exact: HashMap<String, Vec<(String, Rules)>>,
    patterns: Vec<(KindPattern, Rules)>,
}

/// The rules of a kind, in their order; several kinds may share them.
type Rules = Arc<[HealthRule]>;

static TABLE: LazyLock<HealthRules> = LazyLock::new(|| {
    let built_in = Arc::new(Table::of(notation::read(BUILT_IN).0));
    HealthRules { added: Vec::new(), built_in }
});

impl HealthRules {
    /// Returns the built-in table, `assets/health.txt`.
    pub fn built_in() -> &'static Self {
        &TABLE
    }

    /// Returns the built-in table with rules before it. The first of them that holds speaks.
    #[must_use]
    pub fn with(added: Vec<(KindPattern, HealthRule)>) -> Self {
        Self { added, built_in: TABLE.built_in.clone() }
    }

    /// Returns what the user's rules say of an object, if one of them holds.
    pub(super) fn by_user(&self, group: &str, kind: &str, body: &Value) -> Option<Health> {
        let mut fitting = self.added.iter().filter(|(pattern, _)| fits_kind(pattern, group, kind));
        fitting.find_map(|(_, rule)| apply(rule, body))
    }

    /// Returns what the built-in table says of an object, if it knows the kind and one of the rules holds.
    pub(super) fn by_table(&self, group: &str, kind: &str, body: &Value) -> Option<Health> {
        let rules = self.built_in.of_kind(group, kind)?;
        rules.iter().find_map(|rule| apply(rule, body))
    }
}

impl Table {
    fn of(sections: Vec<(Vec<KindPattern>, Vec<HealthRule>)>) -> Self {
        let mut table = Self::default();
        for (kinds, rules) in sections {
            let rules: Rules = rules.into();
            for pattern in kinds {
                if pattern.group.contains('*') || pattern.kind.contains('*') {
                    table.patterns.push((pattern, rules.clone()));
                } else {
                    table.exact.entry(pattern.group).or_default().push((pattern.kind, rules.clone()));
                }
            }
        }
        table
    }

    fn of_kind(&self, group: &str, kind: &str) -> Option<&[HealthRule]> {
        let exact = self.exact.get(group).and_then(|kinds| kinds.iter().find(|(name, _)| name == kind));
        exact.map(|(_, rules)| &**rules).or_else(|| {
            self.patterns.iter().find(|(p, _)| fits_kind(p, group, kind)).map(|(_, rules)| &**rules)
        })
    }
}

fn fits_kind(pattern: &KindPattern, group: &str, kind: &str) -> bool {
    matches(&pattern.group, group) && matches(&pattern.kind, kind)
}

/// Returns the rule's word where all its tests hold.
fn apply(rule: &HealthRule, body: &Value) -> Option<Health> {
    let mut said = None;
    for test in &rule.tests {
        match hold(test, body) {
            Held::Not => return None,
            Held::Yes => {}
            Held::By(condition) => said = said.or(Some(condition)),
        }
    }
    let message = match &rule.message {
        Some(RuleMessage::Text(text)) => Some(text.clone()),
        Some(RuleMessage::Field(path)) => values(path, body).first().map(|v| text_of(v).into_owned()),
        None => said.map(|c| c.text().to_owned()).or_else(|| super::reported::message(body.get("status")?)),
    };
    Some(Health { status: rule.status, message: message.filter(|m| !m.is_empty()) })
}

/// How a test turned out.
enum Held<'a> {
    Not,
    Yes,
    /// This condition made it hold.
    By(Condition<'a>),
}

fn hold<'a>(test: &HealthTest, body: &'a Value) -> Held<'a> {
    let generation = body.at(&["metadata", "generation"]).and_then(Value::as_i64);
    let all_of = |it: bool| if it { Held::Yes } else { Held::Not };
    let by = |found: Option<Condition<'a>>| found.map_or(Held::Not, Held::By);
    match test {
        HealthTest::Behind => all_of(super::is_behind(body)),
        HealthTest::Stale => {
            let other = |c: &Condition<'_>| matches!((generation, c.observed_generation), (Some(g), Some(o)) if g != o);
            all_of(conditions::all(body).iter().any(other))
        }
        HealthTest::Condition { kind, fits } => {
            // Several parents may each have a say.
            let mut named = conditions::all(body).into_iter().filter(|c| matches(kind, c.kind));
            by(named.find(|c| fits_condition(fits, c)))
        }
        HealthTest::NoCondition { kind } => {
            all_of(!conditions::all(body).iter().any(|c| matches(kind, c.kind)))
        }
        HealthTest::Present(path) => all_of(values(path, body).iter().any(|v| !v.is_empty())),
        HealthTest::Absent(path) => all_of(values(path, body).iter().all(|v| v.is_empty())),
        HealthTest::Is { path, patterns } => {
            all_of(values(path, body).iter().any(|v| is_one_of(v, patterns)))
        }
        HealthTest::IsNot { path, patterns } => {
            let found = values(path, body);
            all_of(found.is_empty() || found.iter().any(|v| !is_one_of(v, patterns)))
        }
        HealthTest::Compared { left, relation, right } => {
            let (left, right) = (sum(left, body), sum(right, body));
            all_of(match relation {
                Relation::Less => left < right,
                Relation::AtMost => left <= right,
                Relation::Equal => left == right,
                Relation::Other => left != right,
                Relation::AtLeast => left >= right,
                Relation::More => left > right,
            })
        }
        HealthTest::Same { left, right, same } => {
            let (left, right) = (values(left, body), values(right, body));
            let equal = match right.as_slice() {
                [one] => left.iter().all(|v| v == one) && !left.is_empty(),
                many => left == many,
            };
            all_of(equal == *same)
        }
    }
}

fn fits_condition(fits: &ConditionFits, condition: &Condition<'_>) -> bool {
    let one_of = |patterns: &[String], text: &str| {
        patterns.is_empty()
            || patterns.iter().any(|pattern| match pattern.strip_prefix('!') {
                Some(other) => !matches(other, text),
                None => matches(pattern, text),
            })
    };
    one_of(&fits.status, condition.status) && one_of(&fits.reason, condition.reason)
}

fn is_one_of(value: &Value, patterns: &[String]) -> bool {
    let text = text_of(value);
    patterns.iter().any(|pattern| if pattern == "n/n" { is_complete(&text) } else { matches(pattern, &text) })
}

/// Returns whether a text such as `3/3` says that all is there.
fn is_complete(text: &str) -> bool {
    text.split_once('/').is_some_and(|(ready, all)| ready == all && ready.parse::<u32>().is_ok())
}

fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Number(n) => Cow::Owned(n.to_string()),
        _ => Cow::Borrowed(""),
    }
}

fn sum(sum: &Sum, body: &Value) -> i64 {
    let mut total: i64 = 0;
    for summand in &sum.0 {
        let amount = match &summand.of {
            Amount::Number(number) => *number,
            Amount::Values(path) => {
                values(path, body).iter().filter_map(|v| number(v)).fold(0, i64::saturating_add)
            }
            Amount::Count(path) => {
                let found = values(path, body);
                let size = |v: &&Value| v.as_list().map(<[_]>::len).or_else(|| v.as_map().map(Map::len));
                let all = match path.0.last() {
                    // Several values: they are what is counted.
                    Some(ValueStep::Each | ValueStep::Where { .. }) => found.len(),
                    _ => found.iter().filter_map(size).sum(),
                };
                i64::try_from(all).unwrap_or(i64::MAX)
            }
        };
        total = if summand.minus { total.saturating_sub(amount) } else { total.saturating_add(amount) };
    }
    total
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// Returns the values that a path leads to, nulls left out.
fn values<'a>(path: &ValuePath, body: &'a Value) -> Vec<&'a Value> {
    let mut found = vec![body];
    for step in &path.0 {
        let mut next = Vec::new();
        for value in found {
            match step {
                ValueStep::Field(name) => next.extend(value.get(name)),
                ValueStep::Index(at) => next.extend(value.as_list().and_then(|l| l.get(*at))),
                ValueStep::Each => match value {
                    Value::List(items) => next.extend(items),
                    Value::Map(fields) => next.extend(fields.values()),
                    _ => {}
                },
                ValueStep::Where { field, is } => next.extend(
                    value.as_list().unwrap_or_default().iter().filter(|i| i.str_at(&[field]) == Some(is)),
                ),
            }
        }
        found = next;
    }
    found.retain(|v| !v.is_null());
    found
}
