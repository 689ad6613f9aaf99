//! Defines the text of kubectl's last-applied annotation, to the byte as kubectl writes it.
//!
//! Source: `k8s.io/kubectl/pkg/util/apply.go`, `GetModifiedConfiguration`: the object as it was declared, its annotations
//! always there and without last-applied itself, through Go's JSON encoder (keys sorted, `<`, `>`, `&`, U+2028 and U+2029
//! escaped) with a newline at the end. kubectl compares the text, so a single other byte is a change to it.

use super::sealed::{LAST_APPLIED, Opener, Sealed};
use super::value::{Map, Number, Value};
use std::fmt::Write as _;

/// Returns the annotation's value for a declared object; sealed where the object holds anything sealed.
pub fn last_applied(declared: &Value) -> Value {
    let mut object = declared.clone();
    if let Some(metadata) =
        object.as_map_mut().and_then(|o| o.get_mut("metadata")).and_then(Value::as_map_mut)
    {
        let annotations = metadata.entry("annotations".to_owned()).or_default();
        if annotations.is_null() {
            *annotations = Value::Map(Map::new());
        }
        if let Some(annotations) = annotations.as_map_mut() {
            annotations.remove(LAST_APPLIED);
        }
    }
    let mut text = String::new();
    write_value(&mut text, &object, &Opener::new());
    text.push('\n');
    if object.holds_sealed() { Value::Sealed(Sealed::text(text)) } else { Value::String(text) }
}

fn write_value(out: &mut String, value: &Value, opener: &Opener) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => write_number(out, *n),
        Value::String(s) => write_string(out, s),
        Value::Sealed(s) => write_string(out, s.open(opener)),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_value(out, item, opener);
            }
            out.push(']');
        }
        Value::Map(fields) => {
            out.push('{');
            for (at, (name, field)) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_string(out, name);
                out.push(':');
                write_value(out, field, opener);
            }
            out.push('}');
        }
    }
}

/// Writes a string as Go's `encoding/json` does with its HTML escapes on.
fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// Writes a number as Go's `encoding/json` does: floats in plain notation from 1e-6 to below 1e21, else with an exponent.
fn write_number(out: &mut String, number: Number) {
    let x = match number {
        Number::Int(i) => {
            let _ = write!(out, "{i}");
            return;
        }
        Number::UInt(u) => {
            let _ = write!(out, "{u}");
            return;
        }
        Number::Float(x) => x,
    };
    if !x.is_finite() {
        out.push_str("null");
    } else if x != 0.0 && (x.abs() < 1e-6 || x.abs() >= 1e21) {
        // Rust prints 1e-7 and 1e21, Go 1e-07 made to 1e-7, and 1e+21.
        let text = format!("{x:e}");
        match text.split_once('e') {
            Some((mantissa, exponent)) if !exponent.starts_with('-') => {
                let _ = write!(out, "{mantissa}e+{exponent}");
            }
            _ => out.push_str(&text),
        }
    } else {
        let _ = write!(out, "{x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GroupKind;
    use crate::model::sealed::seal_object;
    use crate::value;

    fn text(declared: &Value) -> String {
        last_applied(declared).as_str().expect("nothing is sealed").to_owned()
    }

    #[test]
    fn the_text_is_what_kubectl_writes() {
        let declared = value!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a", "namespace": "b",
            "annotations": {"x": "1", LAST_APPLIED: "gone"}}, "data": {"html": "<a href=\"x\">&\u{2028}\u{1}</a>\n"}});
        assert_eq!(
            text(&declared),
            "{\"apiVersion\":\"v1\",\"data\":{\"html\":\"\\u003ca href=\\\"x\\\"\\u003e\\u0026\\u2028\\u0001\\u003c/a\\u003e\\n\"},\
             \"kind\":\"ConfigMap\",\"metadata\":{\"annotations\":{\"x\":\"1\"},\"name\":\"a\",\"namespace\":\"b\"}}\n"
        );
    }

    #[test]
    fn annotations_are_there_even_where_none_are_declared() {
        assert_eq!(
            text(&value!({"metadata": {"name": "a"}})),
            "{\"metadata\":{\"annotations\":{},\"name\":\"a\"}}\n"
        );
        assert_eq!(
            text(&value!({"metadata": {"name": "a", "annotations": null}})),
            "{\"metadata\":{\"annotations\":{},\"name\":\"a\"}}\n"
        );
    }

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        for (number, written) in [
            (value!(1), "1"),
            (value!(1.0), "1"),
            (value!(0.5), "0.5"),
            (value!(1e21), "1e+21"),
            (value!(1e20), "100000000000000000000"),
            (value!(1e-7), "1e-7"),
            (value!(0.000_001), "0.000001"),
            (value!(u64::MAX), "18446744073709551615"),
        ] {
            let mut out = String::new();
            write_value(&mut out, &number, &Opener::new());
            assert_eq!(out, written);
        }
    }

    #[test]
    fn what_holds_a_secret_stays_sealed() {
        let mut declared = value!({"kind": "Secret", "metadata": {"name": "s"}, "data": {"p": "Y2FuYXJ5"}});
        seal_object(&GroupKind::new("", "Secret"), &mut declared);
        let annotation = last_applied(&declared);
        assert!(!format!("{annotation:?}").contains("Y2FuYXJ5"));
        assert_eq!(
            annotation,
            Value::Sealed(Sealed::text(
                "{\"data\":{\"p\":\"Y2FuYXJ5\"},\"kind\":\"Secret\",\"metadata\":{\"annotations\":{},\"name\":\"s\"}}\n"
                    .to_owned()
            ))
        );
    }
}
