//! The table of what the API server filled in, in the notation of `assets/defaults.txt`.

use super::probes::{Answer, Place, TEMPLATES};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The values that were filled in at each path of a part.
type Facts = BTreeMap<String, BTreeSet<String>>;

/// Writes the table. What every pod template has stands once, as a type.
pub fn table(answers: &[Answer], version: &str) -> String {
    let mut kinds: BTreeMap<String, Facts> = BTreeMap::new();
    for answer in answers {
        let group = &answer.kind.group;
        let kind =
            if group.is_empty() { answer.kind.kind.clone() } else { format!("{}.{group}", answer.kind.kind) };
        let facts = kinds.entry(kind).or_default();
        for place in answer.filled().iter().filter(|place| !is_in_metadata(place)) {
            let (value, again) = (at(&answer.got, place), at(&answer.got_again, place));
            let value = match value {
                Value::Null => continue,
                Value::Object(_) => "{}".to_owned(),
                value if value != again => "?".to_owned(),
                value => value.to_string(),
            };
            facts.entry(printed(place)).or_default().insert(value);
        }
    }
    let mut templates: Facts = BTreeMap::new();
    for (kind, facts) in &kinds {
        if let Some(prefix) = template_of(kind).filter(|_| kind != "Pod") {
            for (path, values) in facts {
                if let Some(below) = path.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('.')) {
                    templates.entry(below.to_owned()).or_default().extend(values.iter().cloned());
                }
            }
        }
    }
    let mut text = format!(
        "# What kube-apiserver {version} fills into minimal objects (tests/live/defaults). Written by\n\
         # tests/control-plane/defaults; the notation is that of defaults.txt, which wins where both speak of a field.\n\
         \ntype PodSpec\n"
    );
    for (path, values) in &templates {
        line(&mut text, path, values);
    }
    for (kind, facts) in &kinds {
        let prefix = template_of(kind);
        let mut own = String::new();
        if let Some(prefix) = prefix {
            own.push_str(&format!("  {prefix} : PodSpec\n"));
        }
        for (path, values) in facts {
            let below =
                prefix.and_then(|prefix| path.strip_prefix(prefix)).and_then(|rest| rest.strip_prefix('.'));
            if below.and_then(|below| templates.get(below)) != Some(values)
                && below.is_none_or(|b| is_of_pods(kind, b, &templates))
            {
                line(&mut own, path, values);
            }
        }
        if !own.is_empty() {
            text.push_str(&format!("\nkind {kind}\n{own}"));
        }
    }
    text
}

/// Of pod templates only what the type lacks is said again: that a kind has fewer of its values is chance.
fn is_of_pods(kind: &str, below: &str, templates: &Facts) -> bool {
    kind == "Pod" && !templates.contains_key(below)
}

fn template_of(kind: &str) -> Option<&'static str> {
    let name = kind.split('.').next().unwrap_or(kind);
    TEMPLATES.iter().find(|(_, kind, _)| *kind == name).map(|(_, _, prefix)| *prefix)
}

fn line(text: &mut String, path: &str, values: &BTreeSet<String>) {
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    text.push_str(&format!("  {path} {}\n", values.join(" | ")));
}

/// Returns a place as the table writes it.
pub fn printed(place: &[Place]) -> String {
    let mut path = String::new();
    for step in place {
        match step {
            Place::Field(name) if path.is_empty() => path.push_str(name),
            Place::Field(name) => path.push_str(&format!(".{name}")),
            Place::Item(_) => path.push_str("[]"),
        }
    }
    path
}

/// Labels of templates are made of the object's own name and uid.
fn is_in_metadata(place: &[Place]) -> bool {
    let above = place.split_last().map(|(_, above)| above).unwrap_or_default();
    above.iter().any(|step| matches!(step, Place::Field(name) if name == "metadata"))
}

fn at<'v>(value: &'v Value, place: &[Place]) -> &'v Value {
    place.iter().fold(value, |value, step| step.of(value))
}
