//! Defines how ignore rules are read: those under `ignore` in `config.yaml`, and those of a repo's `.driftdeck.yaml`.
//!
//! A rule with a mistake would hide more or less than is meant: it is not used, the others are.

use super::cursor::{Cursor, Mistakes};
use crate::model::ignore::{FieldPattern, Fields, Objects, RuleSource};
use crate::model::{Glob, IgnoreRule, Notice, Origin, Problem, limits};
use crate::text::{jq, yaml};
use std::sync::Arc;

/// The file of a repo that holds its own ignore rules, at the repo's root.
pub const REPOSITORY_FILE: &str = ".driftdeck.yaml";

/// Rules that one file may hold.
const MOST_RULES: usize = 1000;

const KEYS: [&str; 10] =
    ["group", "kind", "namespace", "name", "labels", "managers", "fields", "pointers", "jq", "reason"];

/// Reads the rules of a repo's own file. What is wrong with it is said, with file and line; the rest holds.
pub fn read_repository_file(bytes: &[u8], file: &str) -> (Vec<Arc<IgnoreRule>>, Vec<Notice>) {
    let mut documents = yaml::read_documents(bytes).into_iter();
    let document = match documents.next() {
        None => return Default::default(),
        Some(Ok(document)) => document,
        Some(Err(error)) => {
            let notice = Notice::error(format!("the ignore rules cannot be read: {error}"));
            return (Vec::new(), vec![notice.file(file, error.line)]);
        }
    };
    let mut mistakes = Mistakes::new(file);
    for problem in &document.problems {
        let key = problem.path.trim_start_matches('.');
        mistakes.notices.push(Notice::error(format!("{key}: {}", problem.title)).file(file, problem.line));
    }
    if documents.next().is_some() {
        mistakes.notices.push(Notice::error("ignore rules are one document").file(file, None));
    }
    let top = Cursor::document(&document.value, &document.lines, document.line);
    top.only(&["ignore"], &mut mistakes);
    let rules = read_rules(&top, file, RuleSource::Repository, &document.problems, &mut mistakes);
    (rules, mistakes.notices)
}

/// Reads the rules under `ignore`; those with a mistake are left out, and reported. So are those in which the document has
/// one of these problems, which have been reported: of a key that is there twice nobody knows which one is meant.
pub(super) fn read_rules(
    top: &Cursor<'_>,
    file: &str,
    source: RuleSource,
    problems: &[Problem],
    mistakes: &mut Mistakes<'_>,
) -> Vec<Arc<IgnoreRule>> {
    let Some(list) = top.get("ignore").filter(|_| problems.iter().all(|p| p.path != ".ignore")) else {
        return Vec::new();
    };
    let items = list.items(mistakes);
    if items.len() > MOST_RULES {
        mistakes.report(&list, &format!("there are more than {MOST_RULES} rules"));
        return Vec::new();
    }
    let mut rules = Vec::new();
    for at in items {
        if problems
            .iter()
            .any(|problem| problem.path.strip_prefix('.').is_some_and(|path| lies_in(path, &at.key)))
        {
            continue;
        }
        let before = mistakes.notices.len();
        let rule = read_rule(&at, file, source, mistakes);
        if mistakes.notices.len() == before {
            rules.extend(rule.map(Arc::new));
        }
    }
    rules
}

/// Returns whether a path is that of a value, or of something in it.
fn lies_in(path: &str, value: &str) -> bool {
    path.strip_prefix(value).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn read_rule(
    at: &Cursor<'_>,
    file: &str,
    source: RuleSource,
    mistakes: &mut Mistakes<'_>,
) -> Option<IgnoreRule> {
    let before = mistakes.notices.len();
    if !at.only(&KEYS, mistakes) {
        return None;
    }
    let mut fields = Vec::new();
    for item in texts(at, "fields", mistakes) {
        match item.value.as_str().map(|text| FieldPattern::read(text.trim())) {
            Some(Ok(pattern)) => fields.push(Fields::Path(pattern)),
            Some(Err(error)) => drop(mistakes.report(&item, &error.to_string())),
            None => mistakes.wants(&item, "a path, such as .spec.replicas"),
        }
    }
    for item in texts(at, "pointers", mistakes) {
        match item.value.as_str().and_then(pointer) {
            Some(tokens) => fields.push(Fields::Pointer(tokens)),
            None => mistakes.wants(&item, "a JSON pointer, such as /spec/replicas"),
        }
    }
    for item in texts(at, "jq", mistakes) {
        let Some(expression) = item.as_text(mistakes) else { continue };
        match jq::check(&expression) {
            Ok(()) => fields.push(Fields::Jq(expression)),
            Err(error) => drop(mistakes.report(&item, &error.to_string())),
        }
    }
    let managers: Vec<Glob> =
        texts(at, "managers", mistakes).iter().filter_map(|item| glob(item, mistakes)).collect();
    if fields.is_empty() && managers.is_empty() && mistakes.notices.len() == before {
        mistakes.report(at, "a rule needs fields, pointers, jq or managers").hint =
            Some("fields: ['.'] is the whole object".to_owned());
    }
    Some(IgnoreRule {
        objects: read_objects(at, mistakes),
        fields,
        managers,
        reason: at.text("reason", mistakes),
        source,
        declared: Origin { file: file.to_owned(), document: 0, line: Some(at.line) },
    })
}

fn read_objects(at: &Cursor<'_>, mistakes: &mut Mistakes<'_>) -> Objects {
    let mut named = |name: &str| {
        let found = at.get(name)?;
        match found.value.as_str() {
            // The core group has no name.
            Some("") if name == "group" => Some(Glob::new("")),
            _ => glob(&found, mistakes),
        }
    };
    let mut objects = Objects {
        group: named("group"),
        kind: named("kind"),
        namespace: named("namespace"),
        name: named("name"),
        labels: Vec::new(),
    };
    if let Some(labels) = at.get("labels") {
        for (key, value) in labels.entries(mistakes) {
            let glob = if value.value.as_str() == Some("*") { None } else { glob(&value, mistakes) };
            objects.labels.push((key.to_owned(), glob));
        }
    }
    objects
}

/// Reads a pattern for names.
fn glob(at: &Cursor<'_>, mistakes: &mut Mistakes<'_>) -> Option<Glob> {
    let text = at.as_text(mistakes)?;
    if text.chars().count() > limits::PATTERN_CHARS {
        mistakes.report(at, &format!("it has more than {} characters", limits::PATTERN_CHARS));
        return None;
    }
    Some(Glob::new(text))
}

/// Returns the items of a list; one text is as good as a list of one.
fn texts<'a>(at: &Cursor<'a>, name: &str, mistakes: &mut Mistakes<'_>) -> Vec<Cursor<'a>> {
    let Some(found) = at.get(name) else { return Vec::new() };
    if found.value.as_str().is_some() { vec![found] } else { found.items(mistakes) }
}

/// Reads a JSON pointer (RFC 6901); the empty one is the whole document, and written as `.` under `fields` here.
fn pointer(text: &str) -> Option<Vec<String>> {
    let tokens = text.strip_prefix('/')?;
    tokens
        .split('/')
        .map(|token| {
            let mut plain = token.split('~');
            let first = plain.next()?.to_owned();
            plain.try_fold(first, |read, rest| match rest.split_at_checked(1)? {
                ("0", rest) => Some(read + "~" + rest),
                ("1", rest) => Some(read + "/" + rest),
                _ => None,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Vec<String>) {
        let (rules, notices) = read_repository_file(text.as_bytes(), REPOSITORY_FILE);
        let said = |n: &Notice| format!("{}: {}", n.line.unwrap_or(0), n.title);
        (rules.iter().map(|r| format!("{} {r}", r.place())).collect(), notices.iter().map(said).collect())
    }

    #[test]
    fn every_way_to_name_objects_and_fields_is_read() {
        let text = r#"
ignore:
- group: apps
  kind: Deployment
  namespace: shop
  name: web-*
  labels: {team: payments, tier: "*"}
  managers: reloader
  fields: ['.spec.template.spec.containers[*].image']
  pointers: [/spec/replicas, /metadata/annotations/example.com~1a~0b]
  jq: '.spec.template.spec.initContainers[] | select(.name == "injected")'
  reason: the reloader's
- {group: "", kind: ConfigMap, fields: .}
"#;
        let expected = [
            ".driftdeck.yaml:3 group apps, kind Deployment, namespace shop, name web-*, label team=payments, \
             label tier, manager reloader, .spec.template.spec.containers[*].image, /spec/replicas, \
             /metadata/annotations/example.com~1a~0b, \
             jq .spec.template.spec.initContainers[] | select(.name == \"injected\")",
            ".driftdeck.yaml:13 group , kind ConfigMap, .",
        ];
        assert_eq!(read(text), (expected.map(str::to_owned).to_vec(), vec![]));
        assert_eq!(read(""), (vec![], vec![]));
    }

    #[test]
    fn a_rule_with_a_mistake_is_left_out_with_its_line_and_the_others_hold() {
        let text = r"
ignore:
- {kind: Deployment, fields: [spec.replicas]}
- {kind: Deployment}
- {kind: Deployment, pointers: [spec/replicas]}
- {kind: Deployment, jq: ['.spec[']}
- {kind: Deployment, felds: [.spec]}
- {kind: Deployment, fields: [.spec.paused]}
";
        let (rules, notices) = read(text);
        assert_eq!(rules, [".driftdeck.yaml:8 kind Deployment, .spec.paused"]);
        assert_eq!(
            notices,
            [
                "3: ignore[0].fields[0]: a path starts with a dot, such as .spec.replicas",
                "4: ignore[1]: a rule needs fields, pointers, jq or managers",
                "5: ignore[2].pointers[0]: this wants a JSON pointer, such as /spec/replicas",
                "6: ignore[3].jq[0]: it is no jq expression",
                "7: ignore[4].felds: there is no such key",
            ]
        );
        let (rules, notices) = read(
            "ignore:\n- {kind: A, kind: B, fields: .}\n- kind: A\n  labels: {a: b, a: c}\n  fields: .\n- {kind: C, fields: .}\n",
        );
        assert_eq!(rules, [".driftdeck.yaml:6 kind C, ."]);
        assert_eq!(
            notices,
            [
                "2: ignore[0].kind: duplicate key: the last one wins",
                "4: ignore[1].labels.a: duplicate key: the last one wins",
            ]
        );
        let (rules, notices) = read("ignore:\n- {kind: A, fields: .}\nignore:\n- {kind: B, fields: .}\n");
        assert_eq!((rules.len(), notices.len()), (0, 1), "which list is meant is not known");
        let long = format!("ignore:\n- {{kind: '{}', fields: .}}\n", "a".repeat(limits::PATTERN_CHARS + 1));
        assert_eq!(read(&long).1, ["2: ignore[0].kind: it has more than 1000 characters"]);
        let (rules, notices) = read("ignore: [\n");
        assert!(rules.is_empty() && notices.len() == 1);
    }
}
