//! Defines how a scalar is written so that kubectl, and whoever else reads YAML 1.1 or 1.2, reads exactly the value.

use super::super::compose::Style;
use super::super::resolve;
use super::super::write::is_base_60;
use crate::model::Value;
use crate::text::is_plain;

/// How hard it is tried to keep the way in which a value was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// Quotes and folding as they were where the value allows, text with line breaks as a block.
    Kept,
    /// Without folding.
    Unfolded,
    /// All text in double quotes.
    Quoted,
}

pub(super) const ATTEMPTS: [Attempt; 3] = [Attempt::Kept, Attempt::Unfolded, Attempt::Quoted];

/// Where a scalar is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub attempt: Attempt,
    /// Within brackets.
    pub flow: bool,
    pub json: bool,
    /// The style of what stood there.
    pub was: Option<Style>,
    /// Where either quotes will do.
    pub quotes: Style,
}

/// Returns a scalar, or an empty map or list, on one line.
pub(super) fn inline(value: &Value, manner: Manner) -> String {
    match value {
        Value::Null | Value::Sealed(_) => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => string(text, manner),
        Value::List(_) => "[]".to_owned(),
        Value::Map(_) => "{}".to_owned(),
    }
}

/// Returns a text on one line.
pub(super) fn string(text: &str, manner: Manner) -> String {
    if manner.json || manner.attempt == Attempt::Quoted {
        return double(text, manner.json);
    }
    let may_be_plain = may_be_plain(text, manner.flow);
    let quotes = match manner.was {
        Some(Style::Single) => Style::Single,
        Some(Style::Double) => Style::Double,
        _ if may_be_plain => return text.to_owned(),
        _ => manner.quotes,
    };
    let may_be_single = text.chars().all(is_plain);
    if quotes == Style::Single && may_be_single {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        double(text, false)
    }
}

/// Returns a text in double quotes. YAML reads what is written for JSON alike.
fn double(text: &str, json: bool) -> String {
    use std::fmt::Write as _;
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if is_plain(c) && c != '\u{feff}' => quoted.push(c),
            c if c.len_utf16() == 1 => drop(write!(quoted, "\\u{:04x}", u32::from(c))),
            // JSON escapes it as two halves, which YAML cannot read.
            c if json => quoted.push(c),
            c => drop(write!(quoted, "\\U{:08x}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns whether a text that is written plain reads back as that text, to YAML 1.1 and 1.2.
pub(super) fn may_be_plain(text: &str, flow: bool) -> bool {
    let mut chars = text.chars();
    let (Some(first), last) = (chars.next(), text.chars().next_back()) else { return false };
    let second = chars.next();
    let begins_well = match first {
        '-' | ':' => second.is_some_and(|c| !c.is_whitespace() && c != '-'),
        '?' | ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
        | '`' => false,
        c => !c.is_whitespace(),
    };
    let has_structure = text.contains(": ") || text.contains(" #") || text.contains("{{");
    let within_brackets = |c: char| c.is_alphanumeric() || "_-./+".contains(c);
    begins_well
        && last.is_some_and(|c| !c.is_whitespace() && c != ':')
        && !has_structure
        && text.chars().all(|c| is_plain(c) && c != '\u{feff}')
        && (!flow || text.chars().all(within_brackets))
        && resolve::is_plain_text(text)
        && !is_base_60(text)
        && !["<<", "="].contains(&text)
        && !text.starts_with("...")
}

/// Returns the header and the lines of a block scalar for a text; `None` where it cannot be written so.
///
/// `deeper`: columns that its lines are deeper than what it stands below, for a text that begins with a space.
pub(super) fn block(text: &str, folded: bool, deeper: usize) -> Option<(String, Vec<String>)> {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let is_clean = text.chars().all(|c| c == '\n' || c == '\t' || (is_plain(c) && c != '\u{feff}'));
    if body.is_empty() || !is_clean || body.ends_with('\n') && body.trim_end_matches('\n').is_empty() {
        return None;
    }
    let keep = body.len() < text.len() && body.ends_with('\n');
    let chomp = if keep {
        "+"
    } else if body.len() == text.len() {
        if body.ends_with('\n') {
            return None;
        }
        "-"
    } else {
        ""
    };
    let lines: Vec<&str> = body.split('\n').collect();
    let first = lines.iter().find(|line| !line.is_empty()).copied().unwrap_or_default();
    let digit = if first.starts_with(' ')
        || lines.first().is_some_and(|line| line.is_empty()) && first.starts_with('\t')
    {
        (1..=9).contains(&deeper).then(|| deeper.to_string())?
    } else {
        String::new()
    };
    let sign = if folded { '>' } else { '|' };
    let lines = if folded { folded_lines(&lines) } else { lines.into_iter().map(str::to_owned).collect() };
    Some((format!("{sign}{digit}{chomp}"), lines))
}

/// Returns lines as a folded block writes them: a break between two that are no deeper takes an empty line.
fn folded_lines(lines: &[&str]) -> Vec<String> {
    let mut folded: Vec<String> = Vec::new();
    let is_deeper = |line: &str| line.starts_with([' ', '\t']);
    for (at, line) in lines.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| lines.get(at));
        let folds = before.is_some_and(|before| !is_deeper(before) && !before.is_empty() && !is_deeper(line));
        if folds {
            folded.push(String::new());
        }
        folded.push((*line).to_owned());
    }
    folded
}
