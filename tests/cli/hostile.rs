//! Hostile texts in repositories and dumps: nothing that acts on a terminal or reorders text reaches stdout or stderr.

use crate::support::{Home, Repository, Run};
use driftdeck::text::hostile::STRINGS;
use std::fmt::Write as _;

/// Returns a text as a double-quoted YAML scalar of plain characters only.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            ' '..='~' => quoted.push(c),
            other => write!(quoted, "\\U{:08X}", u32::from(other)).unwrap(),
        }
    }
    quoted + "\""
}

/// A ConfigMap with hostile texts wherever a text can stand; `side` tells the two sides' data apart.
fn object(number: usize, text: &str, side: &str) -> String {
    let (hostile, value) = (quoted(text), quoted(&format!("{side}{text}")));
    format!(
        "apiVersion: v1
kind: ConfigMap
metadata:
  name: c{number}
  namespace: shop
  labels: {{label: {value}, {hostile}: a}}
  annotations: {{note: {value}, {hostile}: {value}}}
  managedFields:
  - manager: {hostile}
    operation: Update
    apiVersion: v1
    time: '2026-01-02T02:41:00Z'
    fieldsType: FieldsV1
    fieldsV1: {{'f:data': {{'f:key': {{}}}}}}
data:
  key: {value}
  lines: {lines}
  {hostile}: {value}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: {hostile}, namespace: {hostile}}}
data: {{side: {side}}}
---
apiVersion: {hostile}
kind: {hostile}
metadata: {{name: n{number}, namespace: shop}}
spec: {{{hostile}: {value}}}
",
        lines = quoted(&format!("first\n{side}{text}\nlast\n")),
    )
}

fn objects(side: &str) -> String {
    let objects: Vec<_> = STRINGS.iter().enumerate().map(|(i, text)| object(i, text, side)).collect();
    objects.join("---\n")
}

/// Control characters, and those that reorder text or cannot be seen.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[track_caller]
fn is_harmless(what: &str, run: &Run) {
    for (stream, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        if let Some(line) = text.lines().find(|line| line.chars().any(acts)) {
            panic!("{what} writes this to {stream}: {line:?}");
        }
    }
    assert!(run.code <= 3, "{what} exits with {}: {}", run.code, run.stderr);
    assert!(!run.stdout.is_empty(), "{what} says nothing: {}", run.stderr);
}

const FORMS: [&str; 3] = ["text", "json", "yaml"];

#[test]
fn compare_and_render_write_no_character_that_acts() {
    let home = Home::new();
    home.write("desired.yaml", objects("desired "));
    home.write("live.yaml", objects("live "));
    for form in FORMS {
        is_harmless(
            &format!("compare as {form}"),
            &home.driftdeck(["compare", "desired.yaml", "live.yaml", "-o", form]),
        );
        is_harmless(&format!("render as {form}"), &home.driftdeck(["render", "desired.yaml", "-o", form]));
    }
}

#[test]
fn each_hostile_text_alone_is_harmless_too() {
    let home = Home::new();
    for (number, text) in STRINGS.iter().enumerate() {
        home.write("desired.yaml", object(number, text, "desired "));
        home.write("live.yaml", object(number, text, "live "));
        let run = home.driftdeck(["compare", "desired.yaml", "live.yaml"]);
        is_harmless(&format!("compare of {text:?}"), &run);
        assert!(run.stdout.contains(&format!("c{number}")), "{text:?}: {}", run.stdout);
    }
}

#[test]
fn two_revisions_with_hostile_files_names_and_commits_are_listed_harmlessly() {
    let (home, repo) = (Home::new(), Repository::new());
    repo.write("web/web.yaml", objects("desired ")).commit("First");
    // A file's name takes no zero byte and no slash, a commit's author no line break.
    for text in STRINGS.iter().filter(|text| !text.contains(['\0', '/'])) {
        let manifest = object(99, text, "file ");
        repo.write(&format!("more/{text}/{text}.yaml"), manifest);
    }
    repo.write("web/web.yaml", objects("live "));
    repo.commit_as("\u{202e}\x1b[31mAna <ana@example.com>", "\x1b]0;title\x07\u{202e}subject");
    let path = repo.path().to_str().unwrap();
    for form in FORMS {
        is_harmless(&format!("apps as {form}"), &home.driftdeck(["apps", path, "-o", form]));
        let run = home.driftdeck(["diff", path, "--base", "HEAD~1", "--revision", "HEAD", "-o", form]);
        is_harmless(&format!("diff as {form}"), &run);
    }
    let unified = ["diff", path, "--base", "HEAD~1", "--revision", "HEAD", "--unified"];
    is_harmless("diff --unified", &home.driftdeck(unified));
}
