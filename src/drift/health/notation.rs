//! Defines the notation of the health table, `assets/health.txt`.
//!
//! ```text
//! GROUP KIND [KIND...]                         whose rules follow; either may be *, a group may begin with *.;
//!                                              core is the group without a name
//!   TEST [TEST...] -> STATUS [MESSAGE]         the first rule whose tests all hold speaks
//! ```
//!
//! A line that ends with `,` goes on with more kinds of another group. Tests:
//!
//! ```text
//! Ready=True|Unknown    a condition of this kind with one of these statuses; Ready=*:Reason also wants the reason,
//!                       Ready=*:!Reason any other
//! Ready  !Ready         there is such a condition, there is none; * stands for any text in a kind or value
//! .status.phase=A|B     one of the values there is one of these; != none stands there, or one that is none of these
//! .status.x  !.status.x something not empty stands there, or nothing does
//! .status.a<.status.b   sums of numbers: < <= == <> >= >, with + and - between fields, numbers and #FIELD (its length)
//! .a~.b  .a!~.b         the same values, other values
//! behind  stale         the status, or a condition, is of another generation than the object
//! ```
//!
//! In a path `*` is each item or value, a number the item at that place, `[type=Ready]` the items whose field has that
//! value, and `'...'` a name with dots. A word with spaces or `|` stands in `'...'`. A message that begins with a dot is
//! a field; without a message, what was tested says it.

use crate::model::HealthStatus;
use crate::model::health_rule::{
    Amount, ConditionFits, HealthRule, HealthTest, KindPattern, Relation, RuleMessage, Sum, Summand,
    ValuePath, outside_quotes,
};

type Section = (Vec<KindPattern>, Vec<HealthRule>);

/// Reads a table. What cannot be read is left out; the second part says which lines.
pub(super) fn read(text: &str) -> (Vec<Section>, Vec<String>) {
    let (mut sections, mut unread): (Vec<Section>, _) = (Vec::new(), Vec::new());
    let mut goes_on = false;
    for line in text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')) {
        if line.starts_with(' ') {
            match (rule(line.trim()), sections.last_mut()) {
                (Some(rule), Some((_, rules))) => rules.push(rule),
                _ => unread.push(line.to_owned()),
            }
            continue;
        }
        let more = line.trim_end().ends_with(',');
        let kinds = kinds(line.trim_end().trim_end_matches(','));
        match sections.last_mut() {
            Some((known, _)) if goes_on => known.extend(kinds),
            _ => sections.push((kinds, Vec::new())),
        }
        goes_on = more;
    }
    (sections, unread)
}

fn kinds(line: &str) -> Vec<KindPattern> {
    let mut words = line.split_whitespace().map(str::to_owned);
    let Some(group) = words.next() else { return Vec::new() };
    let group = if group == "core" { String::new() } else { group };
    words.map(|kind| KindPattern { group: group.clone(), kind }).collect()
}

fn rule(line: &str) -> Option<HealthRule> {
    let (tests, then) =
        if let Some(then) = line.strip_prefix("->") { ("", then) } else { line.split_once(" ->")? };
    let (status, message) = then.trim().split_once(' ').unwrap_or((then.trim(), ""));
    let tests = outside_quotes(tests, ' ').into_iter().filter(|t| !t.is_empty()).map(test);
    let message = match message.trim() {
        "" => None,
        text if text.starts_with('.') => Some(RuleMessage::Field(path(text)?)),
        text => Some(RuleMessage::Text(text.to_owned())),
    };
    Some(HealthRule { tests: tests.collect::<Option<_>>()?, status: HealthStatus::of_word(status)?, message })
}

fn test(text: &str) -> Option<HealthTest> {
    match text {
        "behind" => return Some(HealthTest::Behind),
        "stale" => return Some(HealthTest::Stale),
        _ => {}
    }
    if text.starts_with('.') || text.starts_with('#') {
        return field_test(text);
    }
    if let Some(rest) = text.strip_prefix('!') {
        return Some(if rest.starts_with('.') {
            HealthTest::Absent(path(rest)?)
        } else {
            HealthTest::NoCondition { kind: rest.to_owned() }
        });
    }
    let (kind, wanted) = text.split_once('=').unwrap_or((text, "*"));
    let (status, reason) = wanted.split_once(':').unwrap_or((wanted, ""));
    let patterns = |text: &str| if text.is_empty() || text == "*" { Vec::new() } else { patterns(text) };
    let fits = ConditionFits { status: patterns(status), reason: patterns(reason) };
    Some(HealthTest::Condition { kind: kind.to_owned(), fits })
}

fn field_test(text: &str) -> Option<HealthTest> {
    let Some((left, sign, right)) = at_sign(text) else { return Some(HealthTest::Present(path(text)?)) };
    let compared = |relation| Some(HealthTest::Compared { left: sum(left)?, relation, right: sum(right)? });
    let same = |same| Some(HealthTest::Same { left: path(left)?, right: path(right)?, same });
    match sign {
        "<>" => compared(Relation::Other),
        "<=" => compared(Relation::AtMost),
        ">=" => compared(Relation::AtLeast),
        "==" => compared(Relation::Equal),
        "<" => compared(Relation::Less),
        ">" => compared(Relation::More),
        "~" => same(true),
        "!~" => same(false),
        "!=" => Some(HealthTest::IsNot { path: path(left)?, patterns: patterns(right) }),
        _ => Some(HealthTest::Is { path: path(left)?, patterns: patterns(right) }),
    }
}

/// Splits at the first sign that is in no brackets and no quotes.
fn at_sign(text: &str) -> Option<(&str, &str, &str)> {
    // The longer sign before the one that it begins with.
    const SIGNS: [&str; 10] = ["<>", "<=", ">=", "==", "!=", "!~", "<", ">", "~", "="];
    let (mut quoted, mut depth) = (false, 0_i32);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth -= 1,
            _ if !quoted && depth == 0 => {
                let (left, rest) = text.split_at(at);
                if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
                    return Some((left, sign, rest.get(sign.len()..)?));
                }
            }
            _ => {}
        }
    }
    None
}

fn sum(text: &str) -> Option<Sum> {
    let mut summands = Vec::new();
    let (mut rest, mut minus) = (text, false);
    loop {
        // A sign stands before a field, a count or a number; a dash within a name stands before none of these.
        let next = rest.char_indices().skip(1).find(|(at, c)| {
            matches!(c, '+' | '-')
                && rest.get(at + 1..).is_some_and(|r| r.starts_with(['.', '#']) || r.parse::<i64>().is_ok())
        });
        let part = next.map_or(Some(rest), |(at, _)| rest.get(..at))?;
        let of = match part.strip_prefix('#') {
            Some(counted) => Amount::Count(path(counted)?),
            None if part.starts_with('.') => Amount::Values(path(part)?),
            None => Amount::Number(part.parse().ok()?),
        };
        summands.push(Summand { minus, of });
        let Some((at, sign)) = next else { return Some(Sum(summands)) };
        minus = sign == '-';
        rest = rest.get(at + 1..)?;
    }
}

fn patterns(text: &str) -> Vec<String> {
    outside_quotes(text, '|').into_iter().map(|word| word.trim_matches('\'').to_owned()).collect()
}

/// Reads a path, which begins with a dot here.
fn path(text: &str) -> Option<ValuePath> {
    ValuePath::parse(text.strip_prefix('.')?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_built_in_table_can_be_read() {
        let (sections, unread) = read(include_str!("../../../assets/health.txt"));
        assert_eq!(unread, Vec::<String>::new());
        assert!(sections.iter().all(|(kinds, rules)| !kinds.is_empty() && !rules.is_empty()));
    }
}
