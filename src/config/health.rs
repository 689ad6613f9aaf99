//! Defines how the rules of health in `config.yaml` are read: each a condition or a field against values.

use super::cursor::{Cursor, Mistakes, nearest};
use crate::model::health_rule::{ConditionFits, HealthTest, RuleMessage, ValuePath};
use crate::model::{HealthRule, HealthStatus, KindPattern, Value};

const KNOWN: [&str; 8] = ["group", "kind", "condition", "reason", "field", "is", "status", "message"];

/// Reads one rule; `None` where it has mistakes, which are reported.
pub(super) fn read_rule(at: &Cursor<'_>, mistakes: &mut Mistakes<'_>) -> Option<(KindPattern, HealthRule)> {
    if !at.only(&KNOWN, mistakes) {
        return None;
    }
    let before = mistakes.notices.len();
    let group = at.text("group", mistakes).unwrap_or_default();
    let kind = needed(at, "kind", mistakes);
    let test = read_test(at, mistakes);
    let status = read_status(at, mistakes);
    let message = at.text("message", mistakes).map(RuleMessage::Text);
    if mistakes.notices.len() > before {
        return None;
    }
    let rule = HealthRule { tests: vec![test?], status: status?, message };
    Some((KindPattern { group, kind: kind? }, rule))
}

fn read_test(at: &Cursor<'_>, mistakes: &mut Mistakes<'_>) -> Option<HealthTest> {
    let patterns = at.get("is").map(|is| read_values(&is, mistakes));
    match (at.text("condition", mistakes), at.text("field", mistakes)) {
        (Some(kind), None) => {
            let reason = at.get("reason").map(|reason| read_values(&reason, mistakes)).unwrap_or_default();
            // Conditions are true unless said otherwise.
            let status = patterns.unwrap_or_else(|| vec!["True".to_owned()]);
            let status = status.iter().map(|word| condition_word(word)).collect();
            Some(HealthTest::Condition { kind, fits: ConditionFits { status, reason } })
        }
        (None, Some(field)) => {
            if let Some(reason) = at.get("reason") {
                mistakes.report(&reason, "only a condition has a reason");
            }
            let Some(path) = ValuePath::parse(&field) else {
                let field = at.get("field")?;
                mistakes.wants(&field, "names of fields with dots between, such as status.phase");
                return None;
            };
            Some(match patterns {
                Some(patterns) => HealthTest::Is { path, patterns },
                None => HealthTest::Present(path),
            })
        }
        (Some(_), Some(_)) => {
            mistakes.report(at, "a rule of health has either a condition or a field");
            None
        }
        (None, None) => {
            // Where one is there but no text, that is said already.
            if at.get("condition").is_none() && at.get("field").is_none() {
                mistakes.report(at, "a rule of health needs a condition or a field");
            }
            None
        }
    }
}

/// The API writes a condition's status as text; YAML reads the same words as booleans.
fn condition_word(word: &str) -> String {
    match word {
        "true" => "True".to_owned(),
        "false" => "False".to_owned(),
        other => other.to_owned(),
    }
}

/// Reads one value or a list of them.
fn read_values(at: &Cursor<'_>, mistakes: &mut Mistakes<'_>) -> Vec<String> {
    let items = if at.value.as_list().is_some() { at.items(mistakes) } else { vec![at.clone()] };
    items
        .iter()
        .filter_map(|item| match item.value {
            Value::String(text) => Some(text.clone()),
            Value::Bool(yes) => Some(yes.to_string()),
            Value::Number(number) => Some(number.to_string()),
            _ => {
                mistakes.wants(item, "a text, a number, true or false");
                None
            }
        })
        .collect()
}

fn read_status(at: &Cursor<'_>, mistakes: &mut Mistakes<'_>) -> Option<HealthStatus> {
    let word = needed(at, "status", mistakes)?;
    let status = HealthStatus::of_word(&word);
    if status.is_none() {
        let words = HealthStatus::ALL.map(HealthStatus::word);
        let found = at.get("status")?;
        let notice = mistakes.report(&found, &format!("this wants one of {}", words.join(", ")));
        notice.hint = nearest(&word, &words).map(|near| format!("did you mean {near}?"));
    }
    status
}

fn needed(at: &Cursor<'_>, name: &str, mistakes: &mut Mistakes<'_>) -> Option<String> {
    if at.get(name).is_none() {
        mistakes.report(at, &format!("a rule of health needs a {name}"));
    }
    at.text(name, mistakes)
}
