//! Proves that manifests are read as kubectl reads them, with their lines.

use super::*;
use crate::value;
use proptest::prelude::*;

fn read(text: &str) -> Vec<Document> {
    read_documents(text.as_bytes()).into_iter().map(|read| read.unwrap()).collect()
}

/// Reads one value: what stands behind `v: `.
fn scalar(text: &str) -> Result<Value, Fault> {
    let read = read_documents(format!("v: {text}").as_bytes()).remove(0).map_err(|error| error.fault)?;
    Ok(read.value.get("v").unwrap().clone())
}

fn faults(text: &str) -> Vec<(usize, Option<usize>, Fault)> {
    let refused = read_documents(text.as_bytes()).into_iter().filter_map(Result::err);
    refused.map(|error| (error.index, error.line, error.fault)).collect()
}

#[test]
fn plain_scalars_have_the_types_of_yaml_1_1() {
    for (text, wanted) in [
        ("0b-1", value!(-1)),
        ("+_", value!("+_")),
        ("-_1", value!(-1)),
        ("0x_1F", value!(31)),
        ("0o_17", value!(15)),
        ("0xFFFFFFFFFFFFFFFF", value!(18_446_744_073_709_551_615.0_f64)),
        ("-9223372036854775808", value!(i64::MIN)),
        (".5_0", value!(0.5)),
        ("._5", value!("._5")),
        (".5_", value!(".5_")),
        ("0x1p-2", value!("0x1p-2")),
        ("inf", value!("inf")),
        ("1e18", value!(1_000_000_000_000_000_000_i64)),
        ("2001-13-01", value!("2001-13-01")),
        ("<<", value!("<<")),
        ("=", value!("=")),
        ("! 12", value!("12")),
        ("! \"12\"", value!("12")),
        ("!!str 12", value!("12")),
        ("!!str", value!("")),
        ("!!float 0x10", value!(16)),
        ("!!binary aGVsbG8=", value!("hello")),
        ("!!binary /w==", value!("\u{fffd}")),
        ("!!timestamp 2001-01-01", value!("2001-01-01")),
        ("!!timestamp 2001-12-14 21:59:43.10", value!("2001-12-14 21:59:43.10")),
        ("!other 12", value!("12")),
        ("!!null", Value::Null),
    ] {
        assert_eq!(scalar(text), Ok(wanted), "{text}");
    }
}

#[test]
fn a_value_that_contradicts_its_tag_is_refused() {
    for (text, tag) in [
        ("!!int x", "!!int"),
        ("!!int 1.5", "!!int"),
        ("!!bool 1", "!!bool"),
        ("!!float x", "!!float"),
        ("!!float 0xFFFFFFFFFFFFFFFF", "!!float"),
        ("!!null x", "!!null"),
        ("!!binary x", "!!binary"),
        ("!!timestamp 2001-02-30", "!!timestamp"),
        ("!!timestamp 2001-12-14 21:59:43 +1", "!!timestamp"),
    ] {
        assert_eq!(scalar(text), Err(Fault::NotAsTagged { tag }), "{text}");
    }
    assert_eq!(scalar("-.INF"), Err(Fault::NotInJson { what: "infinity" }));
    assert_eq!(scalar(".nan"), Err(Fault::NotInJson { what: "not-a-number" }));
}

#[test]
fn keys_become_strings_as_sigs_yaml_makes_them() {
    let document =
        &read("1: a\n0x10: b\n1.5: c\n1000000.0: d\n0.00001: e\ntrue: f\n2001-01-01: g\n0.1: h\n")[0];
    let wanted = value!({"1": "a", "16": "b", "1.5": "c", "1e+06": "d", "1e-05": "e", "true": "f", "2001-01-01": "g", "0.1": "h"});
    assert_eq!(document.value, wanted);
    for key in ["~", "18446744073709551615", "[a]", "{a: b}"] {
        assert_eq!(read_documents(format!("? {key}\n: 1\n").as_bytes()).len(), 1);
        assert!(read_documents(format!("? {key}\n: 1\n").as_bytes())[0].is_err(), "{key}");
    }
}

#[test]
fn plain_scalars_in_braces_end_where_go_yaml_ends_them() {
    for (text, wanted) in [
        ("{a:}", value!({"a:": null})),
        ("{a:, it's:: , b: [c:,\n é d:]}", value!({"a:": null, "it's:": null, "b": ["c:", "é d:"]})),
        ("{a:1, b: c:d}", value!({"a:1": null, "b": "c:d"})),
        ("a?b", value!("a?b")),
        ("['a?b']", value!(["a?b"])),
    ] {
        assert_eq!(scalar(text), Ok(wanted), "{text}");
    }
    for text in ["[http://a/?b=c]", "{a?: b}"] {
        assert!(matches!(scalar(text), Err(Fault::Yaml { .. })), "{text}");
    }
}

#[test]
fn every_field_has_its_line_and_duplicates_are_reported() {
    let text = "# c\n---\na: 1\nb:\n  - x: 1\n  - x: 2\n    x: 3\na: &k\n  z: 1\nc: *k\n";
    let document = &read(text)[0];
    assert_eq!(document.value, value!({"a": {"z": 1}, "b": [{"x": 1}, {"x": 3}], "c": {"z": 1}}));
    assert_eq!((document.index, document.line), (0, 3));
    let line = |steps: &[&str]| document.lines.line_at(steps.iter().copied());
    assert_eq!(line(&["a"]), Some(8));
    assert_eq!(line(&["a", "z"]), Some(9));
    assert_eq!(line(&["b", "1"]), Some(6));
    assert_eq!(line(&["b", "1", "x"]), Some(7));
    assert_eq!(line(&["c"]), Some(10));
    assert_eq!(line(&["c", "z"]), Some(9), "an alias's fields stand where the anchor is");
    let problems: Vec<_> = document.problems.iter().map(|p| (p.path.as_str(), p.line.unwrap())).collect();
    assert_eq!(problems, [(".b[1].x", 7), (".a", 8)]);
}

#[test]
fn documents_are_cut_as_kubectl_cuts_them() {
    let text =
        "\n# only a comment\n--- # comment\na: 1\n---\n---\n# nothing\n---\r\nb: |\r\n  x\r\n  y\r\n---\n";
    let found: Vec<_> = read(text).into_iter().map(|d| (d.index, d.line, d.value)).collect();
    assert_eq!(found, [(0, 4, value!({"a": 1})), (2, 9, value!({"b": "x\ny\n"}))]);
    assert_eq!(read(""), []);
    assert_eq!(read("---\n"), []);
    assert_eq!(read("a: 1\n...\nb: 2\n").len(), 1, "what follows the end of a document is not looked at");
    assert_eq!(read("\n---\n\u{feff}a: 1")[0].line, 3);
    assert_eq!(read("\u{feff}a: 1")[0].value, value!({"a": 1}));
    assert_eq!(read("ｆ: 1")[0].value, value!({"ｆ": 1}));
}

#[test]
fn one_unreadable_document_does_not_hide_the_others() {
    let text = "a: 1\n---\nb: [\n---\nc: 3\n--- d: 4\ne: 5\n---\nf: 6\n";
    let read: Vec<_> = read_documents(text.as_bytes())
        .into_iter()
        .map(|read| read.map(|d| (d.index, d.value)).map_err(|e| (e.index, e.line)))
        .collect();
    assert_eq!(
        read,
        [
            Ok((0, value!({"a": 1}))),
            Err((1, Some(4))),
            Ok((2, value!({"c": 3}))),
            Err((3, Some(6))),
            Ok((4, value!({"f": 6}))),
        ]
    );
}

#[test]
fn errors_have_their_line() {
    for (text, line, fault) in [
        ("a: *nope", 1, Fault::UnknownAnchor),
        ("a: 1\nb: &b [*b]", 2, Fault::AnchorInItself),
        ("a: &a {b: *a}", 1, Fault::AnchorInItself),
        ("a:\n  <<: 1", 2, Fault::MergeWantsMaps),
        ("a:\n  <<: [{b: 1}, 2]", 2, Fault::MergeWantsMaps),
        ("a: 1\nb: !!int x", 2, Fault::NotAsTagged { tag: "!!int" }),
    ] {
        assert_eq!(faults(text), [(0, Some(line), fault)], "{text}");
    }
}

#[test]
fn json_is_read_with_lines_and_duplicates() {
    let text = "{\n \"a\": 1,\n \"b\": [true,\n  {\"c\": \"\\u00e9\\ud83d\\ude00\\ud800x\\/\"}],\n \"a\": 2.0}\n{\"d\": 12345678901234567890}";
    let documents = read(text);
    assert_eq!(documents[0].value, value!({"a": 2, "b": [true, {"c": "é😀\u{fffd}x/"}]}));
    assert_eq!(documents[0].lines.line_at(["b", "1", "c"]), Some(4));
    assert_eq!(
        documents[0].problems.iter().map(|p| (p.path.as_str(), p.line)).collect::<Vec<_>>(),
        [(".a", Some(5))]
    );
    assert_eq!((documents[1].index, documents[1].line), (1, 6));
    assert_eq!(documents[1].value, value!({"d": 12_345_678_901_234_567_890.0_f64}));
}

#[test]
fn what_begins_as_json_may_turn_out_to_be_yaml() {
    assert_eq!(read("{a: 1}")[0].value, value!({"a": 1}));
    let mixed = read("{\"a\": 1}\n---\nb: 2\n---\n{\"c\": 3}\n");
    let found: Vec<_> = mixed.into_iter().map(|d| (d.index, d.line, d.value)).collect();
    assert_eq!(found, [(0, 1, value!({"a": 1})), (1, 3, value!({"b": 2})), (2, 5, value!({"c": 3}))]);
    assert_eq!(
        faults("{\"a\": 1,\n \"b\": ]"),
        [(0, Some(2), Fault::Json { what: "a value is expected here" })],
        "neither: the words are about JSON"
    );
    assert_eq!(faults("{}{}{").len(), 1);
    assert_eq!(faults("{\"a\": 1E400}"), [(0, Some(1), Fault::Json { what: "a number is too large" })]);
}

#[test]
fn an_escape_that_go_yaml_does_not_know_is_refused() {
    assert_eq!(scalar(r#""é\\/ \x41""#), Ok(value!(r"é\/ A")));
    assert!(matches!(scalar(r#""é\/""#), Err(Fault::Yaml { what: "found unknown escape character", .. })));
    assert_eq!(scalar(r"'\/'"), Ok(value!(r"\/")));
}

#[test]
fn what_makes_the_parser_panic_is_refused() {
    assert_eq!(faults("a: [!x, y]"), [(0, None, Fault::ParserFailed)]);
    assert_eq!(read_documents(b"a: [!x, y]\n---\nb: 1").len(), 2);
}

#[test]
fn bombs_are_refused() {
    let level = |level: usize| {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        format!("a{level}: &a{level} [{items}]\n")
    };
    let laughs = format!("a0: &a0 [x, x]\n{}", (1..12).map(level).collect::<String>());
    assert!(matches!(faults(&laughs)[..], [(0, Some(_), Fault::TooManyAliases)]));
    let deep = |open: &str| open.repeat(100_000);
    assert!(matches!(faults(&deep("["))[..], [(0, _, Fault::TooDeep)]));
    assert!(matches!(faults(&deep("- "))[..], [(0, _, Fault::TooDeep)]));
    assert!(matches!(faults(&deep("{\"a\":"))[..], [(0, _, Fault::TooDeep)]));
    let many = "---\na: 1\n".repeat(limits::DOCUMENTS_PER_FILE + 5);
    let read = read_documents(many.as_bytes());
    assert_eq!(read.len(), limits::DOCUMENTS_PER_FILE + 1);
    assert_eq!(read.last().unwrap().as_ref().unwrap_err().fault, Fault::TooManyDocuments);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_documents(&bytes);
    }

    #[test]
    fn no_yaml_like_text_makes_the_reader_panic(text in r#"([-?:,\[\]{}&*!|>'"%@`#~<=. \n\t\r0-9a-cxoeyn_+\\]|---\n|\u{feff}|\u{85}|<<: |&a |\*a|!!int |\\u[0-9a-f]{4}|é){0,80}"#) {
        let _ = read_documents(text.as_bytes());
    }

    #[test]
    fn a_json_text_reads_alike_as_json_and_as_yaml(text in "[a-zA-Z0-9 é~<:#-]{0,12}", number in any::<i64>(), float in -1e15..1e15_f64) {
        let json = serde_json::json!({"s": text, "n": number, "f": float, "l": [text, null, true, {}]});
        let as_json = read(&json.to_string());
        let as_yaml = read(&format!("---\n{json}"));
        prop_assert_eq!(&as_json[0].value, &Value::from(json));
        prop_assert_eq!(&as_json[0].value, &as_yaml[0].value);
    }
}
