//! Defines how a kustomization declares the data of a ConfigMap that it generates: by literals, files, and files of
//! environment variables.

use super::Reason;
use super::candidate::{Blocked, Candidate, state};
use super::kustomize::{Overlay, after_resources, field, named};
use crate::model::field_path::{FieldPath, Segment};
use crate::model::value::map_of;
use crate::model::{Tree as _, Value};
use crate::render::paths;
use crate::text::yaml::Edit;

const LIST: &str = "configMapGenerator";

/// Returns the candidates for one key of a generated ConfigMap.
pub(super) fn places(overlay: &Overlay<'_>) -> Vec<Result<Candidate, Blocked>> {
    let origin = &overlay.manifest.origin;
    let [Segment::Field(data), Segment::Field(key)] = overlay.wish.path.0.as_slice() else {
        return vec![Err(Blocked::at(Reason::NoPlace { spec: "kustomize" }, &origin.file, origin.line))];
    };
    if data != "data" {
        return vec![Err(Blocked::at(Reason::NoPlace { spec: "kustomize" }, &origin.file, origin.line))];
    }
    let rendered = overlay.manifest.id.name.as_deref().unwrap_or_default();
    let own = overlay
        .list(LIST)
        .iter()
        .filter(|generator| generator.str_at(&["name"]).is_some_and(|name| rendered.contains(name)))
        .max_by_key(|generator| generator.str_at(&["name"]).map_or(0, str::len));
    let mut places = Vec::new();
    if let Some(generator) = own {
        places.extend(in_generator(overlay, generator, key));
    } else {
        places.extend(merged_into(overlay, key));
    }
    if places.is_empty() {
        places.push(Err(Blocked::at(Reason::Shared, &origin.file, origin.line)));
    }
    places
}

fn in_generator(overlay: &Overlay<'_>, generator: &Value, key: &str) -> Vec<Result<Candidate, Blocked>> {
    let name = generator.str_at(&["name"]).unwrap_or_default();
    let at = FieldPath::fields(&[LIST]).join(named("name", name));
    let texts = |list: &str| {
        let items = generator.get(list).and_then(Value::as_list).unwrap_or_default();
        items.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let live = match &overlay.wish.live {
        Some(Value::String(text)) => Some(text.as_str()),
        None => None,
        Some(_) => return Vec::new(),
    };
    let literals = texts("literals");
    let position =
        literals.iter().position(|literal| literal.split_once('=').is_some_and(|(found, _)| found == key));
    if let Some(position) = position {
        let item = at.field("literals").join(Segment::Index(position));
        let edit = match live {
            Some(live) => Edit::set(item, Value::string(literal(key, live))),
            None => Edit::remove(item),
        };
        return vec![overlay.edit(&[edit], &format!("{} `{LIST}` of", overlay.wish.verb()))];
    }
    for (position, entry) in texts("files").iter().enumerate() {
        let (found, path) = entry.split_once('=').unwrap_or((paths::name(entry), entry));
        if found != key {
            continue;
        }
        let Some(live) = live else {
            let item = at.field("files").join(Segment::Index(position));
            return vec![overlay.edit(&[Edit::remove(item)], &format!("removed from `{LIST}` of"))];
        };
        return vec![in_file(overlay, path, |_| Some(live.as_bytes().to_vec()))];
    }
    for entry in texts("envs").iter().map(String::as_str).chain(generator.str_at(&["env"])) {
        let holds = |text: &[u8]| in_variables(text, key, live);
        let file = paths::join(paths::parent(&overlay.file), entry);
        let is_there =
            file.and_then(|file| overlay.tree.read(&file).ok()).is_some_and(|text| holds(&text).is_some());
        if is_there {
            return vec![in_file(overlay, entry, holds)];
        }
    }
    match live {
        Some(live) => {
            let item = at.field("literals").join(Segment::Index(literals.len()));
            let edit = Edit::set(item, Value::string(literal(key, live)))
                .after(vec![field("behavior"), field("name")]);
            vec![overlay.edit(&[edit], &format!("added to `{LIST}` of"))]
        }
        // It comes from what this generator is merged into.
        None => Vec::new(),
    }
}

/// Returns the candidate for a generator of a base: an entry of the app's own that is merged into it.
fn merged_into(overlay: &Overlay<'_>, key: &str) -> Vec<Result<Candidate, Blocked>> {
    let Some(Value::String(live)) = &overlay.wish.live else { return Vec::new() };
    let entry = map_of(vec![
        ("behavior".to_owned(), Value::string("merge")),
        ("literals".to_owned(), Value::List(vec![Value::string(literal(key, live))])),
        ("name".to_owned(), Value::string(generated_name(overlay))),
    ]);
    let at = FieldPath::fields(&[LIST]).join(named("name", &generated_name(overlay)));
    let edit = Edit::set(at, Value::Map(entry)).after(after_resources(&[]));
    vec![overlay.edit(&[edit], &format!("added to `{LIST}` of"))]
}

/// Returns the name that the generator of a base gives, which its line tells.
fn generated_name(overlay: &Overlay<'_>) -> String {
    let rendered = overlay.manifest.id.name.clone().unwrap_or_default();
    let read = super::candidate::document(overlay.tree, &overlay.manifest.origin.file, 0);
    let generators =
        read.as_ref().and_then(|read| read.value.get(LIST)).and_then(Value::as_list).unwrap_or_default();
    let names = generators.iter().filter_map(|generator| generator.str_at(&["name"]));
    let name = names.filter(|name| rendered.contains(name)).max_by_key(|name| name.len());
    name.map_or(rendered.clone(), str::to_owned)
}

/// Returns a literal. What stands in quotes as a whole loses them on the way, so it gets more.
fn literal(key: &str, value: &str) -> String {
    let is_quoted = |quote: char| value.len() > 1 && value.starts_with(quote) && value.ends_with(quote);
    if is_quoted('"') {
        format!("{key}='{value}'")
    } else if is_quoted('\'') {
        format!("{key}=\"{value}\"")
    } else {
        format!("{key}={value}")
    }
}

/// Makes the candidate that changes a file which a generator reads.
fn in_file(
    overlay: &Overlay<'_>,
    path: &str,
    change: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Result<Candidate, Blocked> {
    let file = paths::join(paths::parent(&overlay.file), path);
    let file =
        file.filter(|file| overlay.is_own(file)).ok_or_else(|| Blocked::at(Reason::Shared, path, None))?;
    let before = state(overlay.tree, &file)?;
    let after = change(&before.bytes).ok_or_else(|| Blocked::at(Reason::NowhereToBeFound, &file, None))?;
    let same = before.bytes.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let line = 1 + before.bytes.iter().take(same).filter(|byte| **byte == b'\n').count();
    let done = format!("{} {file}", overlay.wish.verb());
    let files = vec![(file.clone(), Some(before.with(after)))];
    Ok(Candidate { files, file, line: Some(line), at: None, done, also: Vec::new() })
}

/// Returns a file of variables with one of them changed, or taken out; `None` where it is not there, or would have more lines.
fn in_variables(text: &[u8], key: &str, live: Option<&str>) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    if live.is_some_and(|live| live.contains(['\n', '\r'])) {
        return None;
    }
    let is_it = |line: &str| line.trim_start().split_once('=').is_some_and(|(found, _)| found == key);
    if !text.lines().any(is_it) {
        return None;
    }
    let mut changed = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match (is_it(line), live) {
            (false, _) => changed.push_str(line),
            (true, None) => {}
            (true, Some(live)) => {
                let begin = line.find('=').map_or(0, |at| at + 1);
                let body = line.trim_end_matches(['\n', '\r']);
                changed.push_str(line.get(..begin)?);
                changed.push_str(live);
                changed.push_str(line.get(body.len()..)?);
            }
        }
    }
    Some(changed.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_variable_of_a_file_changes() {
        let text = "# x\r\nA=1\r\n B=2\nC=3";
        let changed = |key: &str, live: Option<&str>| {
            in_variables(text.as_bytes(), key, live).map(|text| String::from_utf8(text).expect("text"))
        };
        assert_eq!(changed("A", Some("9")).as_deref(), Some("# x\r\nA=9\r\n B=2\nC=3"));
        assert_eq!(changed("B", None).as_deref(), Some("# x\r\nA=1\r\nC=3"));
        assert_eq!(changed("C", Some("")).as_deref(), Some("# x\r\nA=1\r\n B=2\nC="));
        assert_eq!(changed("D", Some("1")), None);
        assert_eq!(changed("A", Some("1\n2")), None);
    }

    #[test]
    fn a_literal_in_quotes_keeps_them() {
        assert_eq!(literal("a", "b"), "a=b");
        assert_eq!(literal("a", "\"b\""), "a='\"b\"'");
        assert_eq!(literal("a", "'b'"), "a=\"'b'\"");
    }
}
