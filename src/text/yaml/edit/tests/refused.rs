//! What is refused, with its line, and left alone.

use super::*;

#[test]
fn what_would_be_damaged_is_refused_with_its_line() {
    for (text, edit, line, fault) in [
        ("a: &x 1\nb: *x\n", set(".b", value!(2)), 2, EditFault::Alias),
        ("a: &x 1\nb: *x\n", set(".a", value!(2)), 1, EditFault::Anchored),
        ("a: &x\n  c: 1\nb: *x\n", set(".a.c", value!(2)), 1, EditFault::Anchored),
        ("a: &x\n  c: 1\nb: *x\n", set(".b.c", value!(2)), 3, EditFault::Alias),
        ("a: &x\n  c: 1\nb: *x\n", remove(".a"), 1, EditFault::Anchored),
        ("a: &x 1\n", set(".a", value!(2)), 1, EditFault::Anchored),
        ("a: &x {c: 1}\nb:\n  <<: *x\n  d: 1\n", set(".b.c", value!(2)), 3, EditFault::Merged),
        ("a: &x {c: 1}\nb:\n  <<: *x\n  d: 1\n", remove(".b.c"), 3, EditFault::Merged),
        ("a: 1\nb: x\nb: y\n", set(".b", value!(2)), 3, EditFault::DuplicateKey),
        ("a: \"{{ .Values.x }}\"\n", set(".a", value!(2)), 1, EditFault::Templated),
        ("b: 1\na: 1 # {{ x }}\n", remove(".a"), 2, EditFault::Templated),
        ("? a\n: 1\n", set(".a", value!(2)), 2, EditFault::ExplicitKey),
        ("a: 1\n", set(".a.b", value!(2)), 1, EditFault::NotThere),
        ("a: [{p: 1, v: 1}, {p: 1, v: 2}]\n", set(".a[p=1].v", value!(2)), 1, EditFault::Ambiguous),
        ("a: [1]\n", set(".a[3]", value!(2)), 1, EditFault::NotThere),
        ("a: !x\n  b: 1\n", set(".a", value!(2)), 1, EditFault::Tagged),
        ("a: 1\n", remove(".a"), 1, EditFault::WholeDocument),
        ("a: 1\n", set(".", value!(2)), 1, EditFault::WholeDocument),
        ("x: 1\n\na: \"b\u{2028}\"\n", set(".x", value!(2)), 0, EditFault::NoPlaces),
    ] {
        let refused = super::super::edit(text.as_bytes(), 0, &[edit]).expect_err(text);
        assert_eq!(refused, EditRefused { line: (line > 0).then_some(line), fault }, "{text}");
    }
}

#[test]
fn a_refusal_counts_the_lines_of_the_file() {
    let text = "a: 1\n---\n# x\nb: &x 1\nc: *x\n";
    let refused = super::super::edit(text.as_bytes(), 1, &[set(".c", value!(2))]).expect_err("refused");
    assert_eq!(refused.line, Some(5));
    let refused = super::super::edit(b"a: [\n", 0, &[set(".c", value!(2))]).expect_err("refused");
    assert!(matches!(refused.fault, EditFault::Unreadable(_)));
    let refused = super::super::edit(b"a: 1\n", 3, &[set(".c", value!(2))]).expect_err("refused");
    assert_eq!(refused.fault, EditFault::NoDocument);
}

#[test]
fn nothing_is_done_where_nothing_differs() {
    let text = "a:   1\nb: {}\n\n";
    for edit in [
        set(".a", value!(1)),
        set(".b", value!({})),
        remove(".c"),
        remove(".c.d"),
        set(".", value!({"a": 1, "b": {}})),
    ] {
        assert_eq!(edited(text, &edit), text);
    }
}

#[test]
fn anchors_elsewhere_in_the_document_stay() {
    let text = "a: &x {c: 1}\nb: *x\nd: 1\ne: &unused\n  f: 1\n";
    assert_eq!(edited(text, &set(".d", value!(2))), text.replace("d: 1", "d: 2"));
    assert_eq!(edited(text, &set(".e.f", value!(2))), text.replace("f: 1", "f: 2"));
    assert_eq!(edited(text, &remove(".b")), text.replace("b: *x\n", ""));
}
