//! Defines rules of health that are data: of which kinds, what must hold of an object, and how it is then doing.
//!
//! The built-in table and the user's configuration both say what they know as such rules; no kind needs code for them.

use super::health::HealthStatus;

/// One rule: it speaks where every test holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthRule {
    /// Without any, the rule always holds.
    pub tests: Vec<HealthTest>,
    pub status: HealthStatus,
    /// `None`: what the conditions or fields that were tested say themselves.
    pub message: Option<RuleMessage>,
}

/// Where a rule's message comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleMessage {
    Text(String),
    Field(ValuePath),
}

/// Which kinds a list of rules is for. Either part may be `*`, a group may begin with `*.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindPattern {
    pub group: String,
    pub kind: String,
}

/// What must hold of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthTest {
    /// The status is of another generation than the object.
    Behind,
    /// One of the conditions is of another generation than the object.
    Stale,
    /// There is a condition of this kind (`*`: of any kind) that fits.
    Condition { kind: String, fits: ConditionFits },
    /// There is no condition of this kind.
    NoCondition { kind: String },
    /// Something that is not empty stands there.
    Present(ValuePath),
    /// Nothing stands there, or something empty.
    Absent(ValuePath),
    /// One of the values there fits one of the patterns.
    Is { path: ValuePath, patterns: Vec<String> },
    /// Nothing stands there, or one of the values there fits none of the patterns.
    IsNot { path: ValuePath, patterns: Vec<String> },
    /// Two sums are in this relation. What is absent counts as zero.
    Compared { left: Sum, relation: Relation, right: Sum },
    /// All values of one path are the values of the other, in their order; one value on the right is compared with each.
    Same { left: ValuePath, right: ValuePath, same: bool },
}

/// What a condition must be like. An empty list of patterns fits anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConditionFits {
    pub status: Vec<String>,
    pub reason: Vec<String>,
}

/// How two numbers may stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    Less,
    AtMost,
    Equal,
    Other,
    AtLeast,
    More,
}

/// Numbers that are added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum(pub Vec<Summand>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summand {
    pub minus: bool,
    pub of: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amount {
    Number(i64),
    /// The sum of the numbers there.
    Values(ValuePath),
    /// How many items or entries stand there.
    Count(ValuePath),
}

/// Leads from an object to values: several where it crosses a list or map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuePath(pub Vec<ValueStep>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueStep {
    Field(String),
    /// The item at a position.
    Index(usize),
    /// Every item of a list, every value of a map.
    Each,
    /// The items of a list whose field has this value.
    Where {
        field: String,
        is: String,
    },
}

impl ValuePath {
    /// Reads names with dots between, such as `status.phase` or `metadata.labels.'a.b/c'`. `*` is each item or value, a
    /// number the item at that place, `[type=Ready]` the items whose field has that value. `None`: it cannot be read.
    pub fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        for part in outside_quotes(text, '.') {
            let (name, filter) = match part.split_once('[') {
                Some((name, filter)) => (name, Some(filter.strip_suffix(']')?)),
                None => (part, None),
            };
            steps.push(match name.trim_matches('\'') {
                "" => return None,
                "*" => ValueStep::Each,
                name => name.parse().map_or_else(|_| ValueStep::Field(name.to_owned()), ValueStep::Index),
            });
            if let Some(filter) = filter {
                let (field, is) = filter.split_once('=')?;
                steps.push(ValueStep::Where { field: field.to_owned(), is: is.to_owned() });
            }
        }
        Some(Self(steps))
    }
}

/// Splits at a sign that is not within `'...'`.
pub fn outside_quotes(text: &str, sign: char) -> Vec<&str> {
    let mut quoted = false;
    text.split(|c| {
        if c == '\'' {
            quoted = !quoted;
        }
        c == sign && !quoted
    })
    .collect()
}
