//! Defines how a value is written as YAML for people: as `kubectl get -o yaml` writes it, without folding long lines.
//!
//! Source: go-yaml v2, `encode.go`: keys sorted, text with line breaks as a block, text that would be read as something
//! else in double quotes. Reading it back gives the same value. A sealed leaf is written as `<sealed>`.
//!
//! What a terminal would act on (control, bidirectional and invisible characters) is escaped, unlike in go-yaml; a
//! document with such characters has everything beyond ASCII escaped, because the emitter knows no finer choice.

use super::resolve;
use crate::model::Value;
use crate::text::is_plain;
use libyaml_safer::{Emitter, Event, MappingStyle, ScalarStyle, SequenceStyle};

/// Returns a value as one YAML document.
pub fn write(value: &Value) -> String {
    let mut bytes = Vec::new();
    let written = crate::text::guarded(|| {
        let mut target: &mut Vec<u8> = &mut bytes;
        let mut emitter = Emitter::new();
        emitter.set_output(&mut target);
        emitter.set_unicode(!acts_on_terminal(value));
        emitter.set_width(-1);
        emit_document(&mut emitter, value)
    });
    if matches!(written, Some(Ok(()))) {
        String::from_utf8_lossy(&bytes).into_owned()
    } else {
        as_json(value)
    }
}

fn emit_document(emitter: &mut Emitter<'_>, value: &Value) -> Result<(), libyaml_safer::Error> {
    emitter.emit(Event::stream_start(libyaml_safer::Encoding::Utf8))?;
    emitter.emit(Event::document_start(None, &[], true))?;
    emit(emitter, value)?;
    emitter.emit(Event::document_end(true))?;
    emitter.emit(Event::stream_end())?;
    emitter.flush()
}

fn emit(emitter: &mut Emitter<'_>, value: &Value) -> Result<(), libyaml_safer::Error> {
    match value {
        Value::Null => plain(emitter, "null"),
        Value::Bool(b) => plain(emitter, &b.to_string()),
        Value::Number(n) => plain(emitter, &n.to_string()),
        Value::String(text) => string(emitter, text),
        Value::Sealed(_) => string(emitter, "<sealed>"),
        Value::List(items) => {
            emitter.emit(Event::sequence_start(None, None, true, SequenceStyle::Block))?;
            items.iter().try_for_each(|item| emit(emitter, item))?;
            emitter.emit(Event::sequence_end())
        }
        Value::Map(fields) => {
            emitter.emit(Event::mapping_start(None, None, true, MappingStyle::Block))?;
            for (name, field) in fields {
                string(emitter, name)?;
                emit(emitter, field)?;
            }
            emitter.emit(Event::mapping_end())
        }
    }
}

fn plain(emitter: &mut Emitter<'_>, text: &str) -> Result<(), libyaml_safer::Error> {
    emitter.emit(Event::scalar(None, None, text, true, false, ScalarStyle::Plain))
}

/// Returns whether a key or text in a value holds more than a terminal only draws. Line breaks and tabs are harmless.
fn acts_on_terminal(value: &Value) -> bool {
    match value {
        Value::String(text) => is_hostile(text),
        Value::List(items) => items.iter().any(acts_on_terminal),
        Value::Map(fields) => fields.iter().any(|(name, field)| is_hostile(name) || acts_on_terminal(field)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Sealed(_) => false,
    }
}

fn is_hostile(text: &str) -> bool {
    text.chars().any(|c| c != '\n' && c != '\t' && !is_plain(c))
}

fn string(emitter: &mut Emitter<'_>, text: &str) -> Result<(), libyaml_safer::Error> {
    let style = if is_hostile(text) {
        ScalarStyle::DoubleQuoted
    } else if text.contains('\n') {
        ScalarStyle::Literal
    } else if resolve::is_plain_text(text) && !is_base_60(text) && text != "<<" {
        ScalarStyle::Plain
    } else {
        ScalarStyle::DoubleQuoted
    };
    emitter.emit(Event::scalar(None, None, text, true, true, style))
}

/// Returns whether YAML 1.1 reads a text as a number of base 60, such as `12:30`, which go-yaml itself does not.
pub(super) fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let is_digits = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    parts.next().is_some_and(is_digits) && parts.clone().next().is_some() && parts.all(is_digits)
}

/// Writes JSON, which is YAML too; for what the emitter cannot write.
fn as_json(value: &Value) -> String {
    fn convert(value: &Value) -> serde_json::Value {
        match value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(b) => (*b).into(),
            Value::Number(n) => crate::model::sealed::number_to_json(*n),
            Value::String(text) => text.as_str().into(),
            Value::Sealed(_) => "<sealed>".into(),
            Value::List(items) => items.iter().map(convert).collect(),
            Value::Map(fields) => serde_json::Value::Object(
                fields.iter().map(|(name, field)| (name.clone(), convert(field))).collect(),
            ),
        }
    }
    format!("{}\n", convert(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::yaml::read_documents;
    use crate::value;
    use proptest::prelude::*;

    #[test]
    fn a_value_is_written_as_kubectl_writes_it() {
        let object = value!({
            "spec": {"list": ["a", {"b": 1, "a": [true]}, []], "empty": {}, "none": null},
            "metadata": {"annotations": {"on": "yes", "n": "12", "t": "12:30", "d": "2001-01-01", "e": "", "s": "a: b", "q": "it's", "h": "#x"}},
            "data": {"f": "one\ntwo\n", "g": "a\nb", "long": "word ".repeat(40) + "end", "c": "\u{1b}[0m"},
        });
        let wanted = [
            "data:",
            r#"  c: "\e[0m""#,
            "  f: |",
            "    one",
            "    two",
            "  g: |-",
            "    a",
            "    b",
            &format!("  long: {}end", "word ".repeat(40)),
            "metadata:",
            "  annotations:",
            r#"    d: "2001-01-01""#,
            r#"    e: """#,
            "    h: '#x'",
            r#"    "n": "12""#,
            r#"    "on": "yes""#,
            "    q: it's",
            "    s: 'a: b'",
            r#"    t: "12:30""#,
            "spec:",
            "  empty: {}",
            "  list:",
            "  - a",
            "  - a:",
            "    - true",
            "    b: 1",
            "  - []",
            "  none: null",
            "",
        ];
        assert_eq!(write(&object), wanted.join("\n"));
    }

    #[test]
    fn what_a_terminal_would_act_on_is_escaped_and_reads_back() {
        let hostile = value!({"k\u{202e}": "a\u{1b}[2J\u{9b}31m\r\n\u{2066}b", "plain": "é"});
        let text = write(&hostile);
        assert!(text.chars().all(|c| c == '\n' || is_plain(c)), "{text:?}");
        assert_eq!(read_documents(text.as_bytes())[0].as_ref().map(|d| &d.value), Ok(&hostile));
        assert_eq!(write(&value!({"plain": "é"})), "plain: é\n");
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            any::<String>(),
            "[ -~\n\t]{0,12}",
            r"[-+0-9_.:xobeEyYnN~#'!&*<>\[\]{}, \n]{0,8}",
            "(yes|no|on|null|~|true|1e3|0x1F|012|1_0|2001-01-01|<<|=|\\.inf)",
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::int),
            (-1e30..1e30_f64).prop_map(|x| Value::Number(crate::model::Number::Float(x))),
            text.clone().prop_map(Value::String),
        ];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
                proptest::collection::btree_map(text.clone(), inner, 0..4)
                    .prop_map(|fields| Value::Map(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]

        #[test]
        fn what_is_written_reads_back_the_same(value in any_value()) {
            let text = write(&Value::Map(crate::model::Map::from_iter([("v".to_owned(), value.clone())])));
            let read: Vec<_> = read_documents(text.as_bytes());
            prop_assert_eq!(read.len(), 1, "{}", text);
            let read = read[0].as_ref().map(|document| document.value.get("v").cloned());
            prop_assert_eq!(read, Ok(Some(value)), "{}", text);
        }
    }
}
