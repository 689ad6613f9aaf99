//! Edits one by one.

use super::*;

const DEPLOYMENT: &str = "\
# the shop
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}   # flow
spec:
  # how many
  replicas: 3 # at night too
  template:
    spec:
      containers:
      - name: app
        image: 'nginx:1.25'   # pinned
        args: [\"-x\", q]
        env:
        - {name: A, value: \"1\"}
        # the second
        - name: B
          value: two

      - name: side
        image: side:1
";

/// Returns the lines of a text with one of them, or several, put in the place of those that are counted from 1.
fn with(text: &str, from: usize, until: usize, new: &str) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    [&lines[..from - 1].concat(), new, &lines[until - 1..].concat()].concat()
}

#[test]
fn only_the_lines_of_the_edit_change() {
    let app = r#".spec.template.spec.containers[name="app"]"#;
    let env = |rest: &str| format!("{app}.env{rest}");
    let at = |rest: &str| format!("{app}{rest}");
    for (edit, from, until, new) in [
        (set(".spec.replicas", value!(5)), 9, 10, "  replicas: 5 # at night too\n"),
        (remove(".spec.replicas"), 9, 10, ""),
        (set(&at(".image"), value!("nginx:2")), 14, 15, "        image: 'nginx:2'   # pinned\n"),
        (set(&at(".image"), value!("it's")), 14, 15, "        image: 'it''s'   # pinned\n"),
        (set(&at(".args"), value!(["-x", "z"])), 15, 16, "        args: [\"-x\", z]\n"),
        (set(&at(".args"), value!(["-x", "q", "1"])), 15, 16, "        args: [\"-x\", q, \"1\"]\n"),
        (set(&at(".args"), value!(["q"])), 15, 16, "        args: [q]\n"),
        (remove(&at(".args")), 15, 16, ""),
        (set(&env(r#"[name="A"].value"#), value!("2")), 17, 18, "        - {name: A, value: \"2\"}\n"),
        (remove(&env(r#"[name="A"].value"#)), 17, 18, "        - {name: A}\n"),
        (remove(&env(r#"[name="A"]"#)), 17, 18, ""),
        (remove(&env(r#"[name="B"]"#)), 19, 21, ""),
        (set(&env(r#"[name="B"].value"#), value!("true")), 20, 21, "          value: \"true\"\n"),
        (remove(&env(r#"[name="B"].name"#)), 19, 21, "        - value: two\n"),
        (set(&env(r#"[name="C"].value"#), value!("c")), 21, 21, "        - name: C\n          value: c\n"),
        (
            set(&env(r#"[name="C"]"#), value!({"name": "C", "value": "c"}))
                .after(vec![path(r#".x[name="A"]"#).0.remove(1)]),
            18,
            18,
            "        - name: C\n          value: c\n",
        ),
        (
            set(&at(".imagePullPolicy"), value!("Always")).after(vec![Segment::Field("image".into())]),
            15,
            15,
            "        imagePullPolicy: Always\n",
        ),
        (
            set(&at(".resources.limits.cpu"), value!("1")),
            21,
            21,
            "        resources:\n          limits:\n            cpu: \"1\"\n",
        ),
        (set(".metadata.labels.tier", value!("a b")), 6, 7, "  labels: {app: web, tier: \"a b\"}   # flow\n"),
        (remove(".metadata.labels.app"), 6, 7, "  labels: {}   # flow\n"),
        (remove(".metadata.labels"), 6, 7, ""),
        (set(".metadata.labels", value!("x")), 6, 7, "  labels: x   # flow\n"),
        (
            set(".metadata.annotations.a", value!("b")).after(vec![Segment::Field("name".into())]),
            6,
            6,
            "  annotations:\n    a: b\n",
        ),
        (set(".status", value!({"x": [1, {"a": null}]})), 24, 24, "status:\n  x:\n  - 1\n  - a: null\n"),
        (remove(r#".spec.template.spec.containers[name="side"]"#), 22, 24, ""),
        (set(&at(".env"), value!([])), 16, 21, "        env: []\n        # the second\n"),
    ] {
        let wanted = with(DEPLOYMENT, from, until, new);
        // What is no part of the value stays, whatever becomes of that.
        let wanted =
            if until == 21 && from == 16 { with(DEPLOYMENT, 16, 22, "        env: []\n\n") } else { wanted };
        assert_eq!(edited(DEPLOYMENT, &edit), wanted, "{edit:?}");
    }
}

#[test]
fn a_text_keeps_its_line_ends_its_mark_and_its_missing_end() {
    for (text, edit, wanted) in [
        ("a: 1\r\nb: 2\r\n", set(".a", value!({"x": 1})), "a:\r\n  x: 1\r\nb: 2\r\n"),
        ("a: 1\r\nb: 2", set(".b", value!(3)), "a: 1\r\nb: 3"),
        ("a: 1\r\nb: 2", set(".c", value!(3)), "a: 1\r\nb: 2\r\nc: 3"),
        ("a: 1\nb: 2", remove(".b"), "a: 1\n"),
        ("a: 1\nb: 2", set(".b", value!({"c": [1]})), "a: 1\nb:\n  c:\n  - 1"),
        ("a: 1\nb: 2", set(".b", value!("x\ny\n")), "a: 1\nb: |\n  x\n  y"),
        ("\u{feff}a: 1\nb: 2\n", set(".a", value!(2)), "\u{feff}a: 2\nb: 2\n"),
        ("\u{feff}b: 1\n", set(".a", value!(2)), "\u{feff}b: 1\na: 2\n"),
        ("---\n# x\na: 1\n...\n", set(".a", value!(2)), "---\n# x\na: 2\n...\n"),
        ("a: 1\t# tab\n", set(".a", value!(2)), "a: 2\t# tab\n"),
        ("a: 1 # ünïcödé\nb: \"é\"\n", set(".b", value!("ü")), "a: 1 # ünïcödé\nb: \"ü\"\n"),
    ] {
        assert_eq!(edited(text, &edit), wanted, "{text:?}");
    }
}

#[test]
fn other_documents_stay_as_they_are() {
    let text = "# one\na: 1\n---\n\n---\nb: 1   # b\n---\nbroken: [\n---\n{c: 1}\n";
    let edit = |document, at: &str| {
        let text = super::edit(text.as_bytes(), document, &[set(at, value!(7))]).expect("edited");
        String::from_utf8(text).expect("text")
    };
    assert_eq!(edit(0, ".a"), text.replace("a: 1", "a: 7"));
    assert_eq!(edit(2, ".b"), text.replace("b: 1", "b: 7"));
    assert_eq!(edit(4, ".c"), text.replace("c: 1", "c: 7"));
}

#[test]
fn blocks_of_text_keep_their_style_and_indentation() {
    let text = "a: |\n   one\n   two\n\nb: >-\n  folded\n  text\nc: |+\n  kept\n\nd: plain\n  over two\ne: |2-\n    x\nf: \"q\n  r\"\n";
    for (edit, old, new) in [
        (set(".a", value!("one\nthree\n")), "   two\n", "   three\n"),
        (set(".a", value!("one")), "a: |\n   one\n   two\n", "a: |-\n   one\n"),
        // The empty line behind it would become part of a block that keeps such lines.
        (set(".a", value!("one\n\n")), "a: |\n   one\n   two\n", "a: \"one\\n\\n\"\n"),
        (set(".a", value!(1)), "a: |\n   one\n   two\n", "a: 1\n"),
        (set(".a", value!({"x": 1})), "a: |\n   one\n   two\n", "a:\n  x: 1\n"),
        (set(".a", value!("")), "a: |\n   one\n   two\n", "a: \"\"\n"),
        (set(".b", value!("new\ntext")), "  folded\n  text\n", "  new\n\n  text\n"),
        (set(".b", value!("more\n\n  deep\nx")), ">-\n  folded\n  text\n", "|-\n  more\n\n    deep\n  x\n"),
        (set(".c", value!("kept\n\n\n")), "  kept\n\n", "  kept\n\n\n"),
        (set(".c.x", value!(1)), "", ""),
        (remove(".c"), "c: |+\n  kept\n\n", ""),
        (set(".d", value!("one line")), "d: plain\n  over two\n", "d: one line\n"),
        (set(".d", value!("two\nlines\n")), "d: plain\n  over two\n", "d: |\n  two\n  lines\n"),
        (set(".e", value!("  y")), "    x\n", "    y\n"),
        (set(".f", value!("s")), "\"q\n  r\"", "\"s\""),
        (set(".f", value!("bell\u{7}")), "\"q\n  r\"", "\"bell\\u0007\""),
    ] {
        if old.is_empty() {
            assert!(super::edit(text.as_bytes(), 0, &[edit]).is_err());
            continue;
        }
        assert_eq!(edited(text, &edit), text.replace(old, new), "{edit:?}");
    }
}

#[test]
fn text_is_quoted_where_another_reader_would_read_something_else() {
    for text in [
        "1",
        "1.0",
        "1e3",
        "0x1f",
        "012",
        "0o17",
        "1_000",
        "12:30",
        "true",
        "yes",
        "No",
        "on",
        "y",
        "N",
        "null",
        "~",
        "",
        " a",
        "a ",
        "a: b",
        "a #b",
        "- a",
        "-",
        "#",
        "*a",
        "&a",
        "!x",
        "| x",
        "%a",
        "@a",
        "`a",
        "<<",
        "=",
        "{a",
        "[a",
        "2001-01-01",
        ".inf",
        "a:",
        "'a'",
        "\"",
        "\u{202e}",
        "a\tb",
        "---",
        "...",
        "{{ x }}",
        "é\u{feff}",
    ] {
        for (file, at) in
            [("v: old\n", ".v"), ("v: [old]\n", ".v[0]"), ("v: {x: old}\n", ".v.x"), ("- old\n", "[0]")]
        {
            let new = edited(file, &set(at, value!(text)));
            assert!(new.contains(['"']), "{text:?}: {new}");
        }
    }
    for text in ["a", "nginx", "-Xmx1g", "a-b_c.d/e", "http://x/y?z", "nginx:1.25", "a b", "1.2.3", "é"] {
        assert_eq!(edited("v: old\n", &set(".v", value!(text))), format!("v: {text}\n"));
    }
    for (value, wanted) in [
        (value!(true), "true"),
        (value!(null), "null"),
        (value!(-7), "-7"),
        (value!(1.5), "1.5"),
        (value!({}), "{}"),
        (value!([]), "[]"),
    ] {
        assert_eq!(edited("v: 'old'\n", &set(".v", value)), format!("v: {wanted}\n"));
    }
}

#[test]
fn what_needs_quotes_gets_those_of_the_file() {
    assert_eq!(edited("a: 'x'\nv: old\n", &set(".v", value!("1"))), "a: 'x'\nv: '1'\n");
    assert_eq!(edited("a: \"x\"\nv: old\n", &set(".v", value!("1"))), "a: \"x\"\nv: \"1\"\n");
}

#[test]
fn lists_follow_the_indentation_of_their_neighbours() {
    let indented = "a:\n    b:\n      - x\n      - w: 1\n        z: 2\n";
    assert_eq!(edited(indented, &set(".a.b[0]", value!("q"))), indented.replace("- x", "- q"));
    assert_eq!(edited(indented, &set(".a.c", value!(["x"]))), format!("{indented}    c:\n      - x\n"));
    assert_eq!(
        edited(indented, &set(".a.b[2]", value!({"k": [1]}))),
        format!("{indented}      - k:\n          - 1\n")
    );
    assert_eq!(
        edited("a:\n-   x: 1\n    w: 2\n", &set(".a[1].x", value!(2))),
        "a:\n-   x: 1\n    w: 2\n-   x: 2\n"
    );
    assert_eq!(edited("a:\n- 1\n- 2\n", &set(".a", value!([0, 1, 2]))), "a:\n- 0\n- 1\n- 2\n");
    assert_eq!(edited("a:\n- 1\n- 2\n", &set(".a", value!([2]))), "a:\n- 2\n");
    assert_eq!(edited("a:\n-\n  - 1\n  - 2\n", &set(".a[0][1]", value!(3))), "a:\n-\n  - 1\n  - 3\n");
    assert_eq!(edited("- - 1\n  - 2\n", &remove("[0][0]")), "- - 2\n");
    assert_eq!(edited("-\n- a: 1\n", &set("[0]", value!({"b": 1, "c": 2}))), "- b: 1\n  c: 2\n- a: 1\n");
    assert_eq!(edited("- a: 1 # x\n  b: 2\n", &remove("[0].a")), "- b: 2\n");
    assert_eq!(edited("- a: 1\n  # x\n  b: 2\n", &remove("[0].a")), "- \n  # x\n  b: 2\n");
    assert_eq!(edited("- a: 1\n  b: 2\n- c\n", &set("[0]", value!("x"))), "- x\n- c\n");
    assert_eq!(edited("a:\nb: 1\n", &set(".a.c", value!(1))), "a:\n  c: 1\nb: 1\n");
    assert_eq!(edited("a: # none\nb: 1\n", &set(".a", value!(2))), "a: 2 # none\nb: 1\n");
    assert_eq!(
        edited("a: # none\nb: 1\n", &set(".a[x=1].z", value!(2))),
        "a: # none\n- x: 1\n  z: 2\nb: 1\n"
    );
    assert_eq!(edited("a: {}\n", &set(".a.b.c", value!(2))), "a:\n  b:\n    c: 2\n");
}

#[test]
fn a_value_may_take_away_what_names_it() {
    assert_eq!(edited("- a\n- b\n", &set("[=\"a\"]", value!("c"))), "- c\n- b\n");
    assert_eq!(edited("- p: 1\n  q: 1\n", &set("[p=1]", value!({"p": 2, "q": 2}))), "- p: 2\n  q: 2\n");
    assert_eq!(edited("- a\n", &set("[=\"b\"]", value!("c"))), "- a\n- c\n");
}

#[test]
fn new_fields_stand_in_the_order_of_those_that_are_there() {
    assert_eq!(edited("a: 1\nc: 2\n", &set(".b", value!(3))), "a: 1\nb: 3\nc: 2\n");
    assert_eq!(edited("b: 1\nc: 2\n", &set(".a", value!(3))), "a: 3\nb: 1\nc: 2\n");
    assert_eq!(edited("c: 1\na: 2\n", &set(".b", value!(3))), "c: 1\na: 2\nb: 3\n");
    assert_eq!(edited("- b: 1\n  c: 2\n", &set("[0].a", value!(3))), "- a: 3\n  b: 1\n  c: 2\n");
    assert_eq!(edited("l:\n  - 1\n", &set(".l", value!([0, 1]))), "l:\n  - 0\n  - 1\n");
}

#[test]
fn brackets_keep_their_style() {
    for (text, edit, wanted) in [
        ("a: { x: 1 }\n", set(".a.z", value!(2)), "a: { x: 1, z: 2 }\n"),
        ("a: {x: 1,w: 2}\n", set(".a.z", value!(2)), "a: {x: 1,w: 2,z: 2}\n"),
        ("a: {x: 1, w: 2}\n", remove(".a.x"), "a: {w: 2}\n"),
        ("a: {x: 1, w: 2}\n", remove(".a.w"), "a: {x: 1}\n"),
        ("a: [1, 2, 3]\n", remove(".a[1]"), "a: [1, 3]\n"),
        ("a: [1, 2, ]\n", set(".a[2]", value!(3)), "a: [1, 2, 3, ]\n"),
        (
            "a: [\n  1, # one\n  2 # two\n]\n",
            set(".a[2]", value!(3)),
            "a: [\n  1, # one\n  2, # two\n  3\n]\n",
        ),
        ("a: [\n  1,\n  2, # two\n]\n", set(".a[2]", value!(3)), "a: [\n  1,\n  2, # two\n  3,\n]\n"),
        ("a: [\n  1,\n  2\n]\n", set(".a", value!([0, 1, 2])), "a: [\n  0,\n  1,\n  2\n]\n"),
        (
            "a: {x: {w: [1]}}\n",
            set(".a.x.w[0]", value!({"k": "v w", "l": []})),
            "a: {x: {w: [{k: \"v w\", l: []}]}}\n",
        ),
        ("a: {}\n", set(".a", value!({"x": {}})), "a:\n  x: {}\n"),
        ("a: [{}]\n", set(".a[0].x", value!(1)), "a: [{x: 1}]\n"),
        ("a: {x: }\n", set(".a.x", value!(1)), "a: {x: 1}\n"),
    ] {
        assert_eq!(edited(text, &edit), wanted, "{text}");
    }
}

#[test]
fn json_stays_json() {
    let text = "{\n  \"a\": 1,\n  \"b\": {\"x\": [true]},\n  \"c\": []\n}\n";
    for (edit, old, new) in [
        (set(".a", value!("x\"y\n\u{1f600}")), "1,", "\"x\\\"y\\n\u{1f600}\","),
        (set(".b.y", value!({"k": "v"})), "[true]", "[true], \"y\": {\"k\": \"v\"}"),
        (set(".b.x[1]", value!("z")), "[true]", "[true, \"z\"]"),
        (set(".c[0]", value!(1)), "[]", "[1]"),
        (set(".d", value!(null)), "[]\n", "[],\n  \"d\": null\n"),
        (remove(".a"), "\"a\": 1,\n  ", ""),
        (remove(".c"), ",\n  \"c\": []", ""),
    ] {
        let after = edited(text, &edit);
        assert_eq!(after, text.replace(old, new), "{edit:?}");
        assert!(serde_json::from_str::<serde_json::Value>(&after).is_ok(), "{after}");
        let windows = edited(&text.replace('\n', "\r\n"), &edit);
        assert_eq!(windows, after.replace('\n', "\r\n"), "{edit:?}");
    }
    let dense = r#"{"a":{"b":1,"c":"x"}}{"second":[1,2]}"#;
    assert_eq!(
        edited(dense, &set(".a.d", value!({"y": [1, "z"]}))),
        r#"{"a":{"b":1,"c":"x","d":{"y":[1,"z"]}}}{"second":[1,2]}"#
    );
    let second = super::edit(dense.as_bytes(), 1, &[set(".second[2]", value!(3))]).expect("edited");
    assert_eq!(String::from_utf8(second).expect("text"), r#"{"a":{"b":1,"c":"x"}}{"second":[1,2,3]}"#);
}

#[test]
fn documents_are_taken_out_with_one_separator() {
    let text = "# head\n---\na: 1\n---\n# two\nb: 1\n---\nc: 1\n";
    let without = |document| {
        String::from_utf8(remove_document(text.as_bytes(), document).expect("removed")).expect("text")
    };
    assert_eq!(without(1), "# head\n---\na: 1\n---\nc: 1\n");
    assert_eq!(without(2), "# head\n---\na: 1\n---\n# two\nb: 1\n");
    let read: Vec<_> =
        read_documents(without(0).as_bytes()).into_iter().map(|read| read.expect("read").value).collect();
    assert_eq!(read, [value!({"b": 1}), value!({"c": 1})]);
}

#[test]
fn a_new_document_is_laid_out_like_its_neighbours() {
    let object = value!({"kind": "ConfigMap", "apiVersion": "v1", "data": {"a": "1", "t": "x\ny\n"},
        "metadata": {"name": "c", "finalizers": ["f"]}});
    assert_eq!(
        document(&object, Some(b"a:\n    b:\n      - 1\n    c:\n      - 'x'\n")),
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n    name: c\n    finalizers:\n      - f\ndata:\n    a: '1'\n    t: |\n        x\n        y\n"
    );
    assert_eq!(
        document(&object, None),
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n  finalizers:\n  - f\ndata:\n  a: \"1\"\n  t: |\n    x\n    y\n"
    );
}
