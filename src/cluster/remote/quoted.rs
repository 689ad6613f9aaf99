//! Takes out of a server's words the values that it quotes, where they are more than a short scalar or look like a secret.
//!
//! Source of the notation: `field.Error.ErrorBody` in k8s.io/apimachinery/pkg/util/validation/field/errors.go, which writes
//! `path: Invalid value: X: words`, X being a quoted text, a number, JSON, or a Go value with all its fields; and `expected
//! map, got &{X}` of sigs.k8s.io/structured-merge-diff.

use crate::model::{FieldPath, Value};
use crate::text::{is_masked, redact};

/// What stands before a value.
const MARKS: [&str; 6] =
    ["Invalid value: ", "Unsupported value: ", "Duplicate value: ", "Not found: ", "Too many: ", ", got &"];
/// Characters of a value that is told.
const SHORT: usize = 64;

/// Returns a server's words as they may be told. Of a value only a short scalar stays; a line that still looks like a
/// secret, or gives a value to a secret's name, is hidden.
pub(super) fn without_values(text: &str) -> String {
    let (mut told, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((at, mark)) = MARKS.iter().filter_map(|mark| Some((rest.find(mark)?, *mark))).min() {
        let (before, behind) = rest.split_at(at + mark.len());
        told.push_str(before);
        let (value, after) = value_of(behind);
        if is_short(value) && !looks_secret(before.get(..at).unwrap_or_default(), value) {
            told.push_str(value);
            rest = after;
        } else if let Some(words) = after.strip_prefix(": ").filter(|_| mark.ends_with(": ")) {
            rest = words;
        } else {
            let kept = if mark.ends_with(": ") { mark.len() - 2 } else { 0 };
            told.truncate(told.len() - mark.len() + kept);
            rest = after;
        }
    }
    told.push_str(rest);
    told.lines().map(redact::line).collect::<Vec<_>>().join("\n")
}

/// Returns the value that a text begins with, and what stands behind it. One that does not end is all of the text.
fn value_of(text: &str) -> (&str, &str) {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '`') => quote = Some(c),
            (None, '{' | '[' | '(') => depth += 1,
            (None, ':' | ',' | '\n' | '}' | ']' | ')') if depth == 0 => {
                let ends = c != ':'
                    || text.get(at + 1..).is_none_or(|rest| rest.is_empty() || rest.starts_with(' '));
                if ends {
                    return text.split_at(at);
                }
            }
            (None, '}' | ']' | ')') => depth -= 1,
            _ => {}
        }
    }
    (text, "")
}

fn is_short(value: &str) -> bool {
    let value = plain(value);
    value.chars().count() <= SHORT
        && (value.starts_with('"') || !value.contains(['{', '[', '(', '&', '`', '\n', ' ']))
}

/// Returns whether a value at the field that a text ends with looks like a secret.
fn looks_secret(before: &str, value: &str) -> bool {
    let field = before.trim_end_matches(": ").rsplit([' ', '[']).next().unwrap_or_default();
    let path = FieldPath::parse(&format!(".{}", field.trim_start_matches('.')));
    let value = plain(value);
    let text = serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned());
    is_masked(&path.unwrap_or_else(|_| FieldPath::root()), &Value::string(text))
}

/// Returns what `got &…` holds, if that is a scalar.
fn plain(value: &str) -> &str {
    let inner =
        value.strip_prefix("value.valueUnstructured{Value:").and_then(|inner| inner.strip_suffix('}'));
    inner.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_quoted_value_only_a_short_scalar_stays() {
        let long = format!("spec.x: Invalid value: \"{}\": too odd", "é".repeat(SHORT));
        for (said, told) in [
            // As they are.
            ("spec.replicas: Invalid value: -1: must be 0 or more", None),
            ("[spec.a: Required value, spec.b: Invalid value: \"x y\": no]", None),
            ("spec.type: Unsupported value: \"Odd\": supported values: \"ClusterIP\", \"NodePort\"", None),
            ("spec.ports[1]: Duplicate value: \"http\"", None),
            ("is invalid: <nil>: Invalid value: \"\": may not change once set", None),
            ("Invalid value: 0xc0: y", None),
            (".spec.x: expected string, got &value.valueUnstructured{Value:1}", None),
            ("quota: used=2, limited=3", None),
            // Without the value.
            (
                "spec.template: Invalid value: core.PodTemplateSpec{Name:\"DB_PASSWORD\", Value:\"hunter2: \\\"}\"}: field is immutable",
                Some("spec.template: Invalid value: field is immutable"),
            ),
            (
                "[a: Invalid value: {\"b\":[\"hunter2]\"]}: no, c: Duplicate value: map[p:hunter2 q:r], d: Invalid value: 3: e]",
                Some("[a: Invalid value: no, c: Duplicate value, d: Invalid value: 3: e]"),
            ),
            ("spec.selector: Invalid value: &v1.Label{A:\"hunter2", Some("spec.selector: Invalid value")),
            (&long, Some("spec.x: Invalid value: too odd")),
            (
                "spec.adminPassword: Invalid value: \"hunter2\": too short",
                Some("spec.adminPassword: Invalid value: too short"),
            ),
            (
                "(shop/api; Kind=Deployment): .spec.a: expected list, got &{map[p:hunter2\nq:r]}\n  .spec.b: no",
                Some("(shop/api; Kind=Deployment): .spec.a: expected list\n  .spec.b: no"),
            ),
            // What is left and looks like a secret.
            (
                "denied\ncannot reach https://bot:hunter2@git.example.com",
                Some("denied\n<hidden: it looks like a secret>"),
            ),
        ] {
            assert_eq!(without_values(said), told.unwrap_or(said));
        }
    }
}
