//! Defines where a chart's values declare a field: in a value that a template passes through unchanged.
//!
//! Templates are programs, so that nobody can read off which value a field comes from. Values are guessed by what they hold
//! and by the names in the template; rendering with the changed value tells whether it is the one.

use super::candidate::{Blocked, Candidate, document, in_document, state};
use super::wish::Wish;
use super::{Reason, plain};
use crate::model::app::HelmSpec;
use crate::model::field_path::{FieldPath, Segment};
use crate::model::value::Map;
use crate::model::{App, Manifest, Number, Overlaid, Tree as _, Value, field};
use crate::render::{self, paths};
use crate::text::yaml::{self, Edit};

/// Values that are tried for one field.
const GUESSES: usize = 16;

/// One of the files that values come from.
struct Source {
    file: String,
    value: Value,
    document: Option<usize>,
}

/// The values of a chart: each file, and what they are together.
struct Values {
    /// Those that win stand behind the others; the chart's own are the first.
    sources: Vec<Source>,
    merged: Value,
    /// The file that values are written into which only the chart itself sets.
    own: Option<usize>,
}

/// A value that may be passed through to the field, and what it would be.
#[derive(Debug, Clone, PartialEq)]
struct Guess {
    path: FieldPath,
    new: Option<Value>,
}

/// Returns the places that may declare a field, the likeliest first.
pub(super) fn places(
    app: &App,
    spec: &HelmSpec,
    tree: &Overlaid,
    manifest: &Manifest,
    wish: &Wish,
) -> Vec<Result<Candidate, Blocked>> {
    let template = tree.read(&manifest.origin.file).unwrap_or_default();
    let template = String::from_utf8_lossy(&template);
    if !template.contains("{{") {
        return vec![plain::in_manifest(tree, manifest, manifest.id.name.as_deref(), wish)];
    }
    let values = Values::read(app, spec, tree);
    let mut guesses: Vec<Guess> = Vec::new();
    for guess in values.guesses(app, tree, &template, manifest, wish) {
        if !guesses.contains(&guess) && guesses.len() < GUESSES {
            guesses.push(guess);
        }
    }
    let mut places: Vec<_> = guesses.iter().map(|guess| values.candidate(tree, guess, wish)).collect();
    let file = &manifest.origin.file;
    places.push(Err(Blocked::at(Reason::NoValue, file, line_of_field(&template, &wish.path))));
    places
}

/// Returns the line of a template on which a field of that name stands first.
fn line_of_field(template: &str, path: &FieldPath) -> Option<usize> {
    let fields = path.0.iter().rev().filter_map(|segment| match segment {
        Segment::Field(name) => Some(name),
        _ => None,
    });
    fields.map(|name| format!("{name}:")).find_map(|field| {
        let stands = |line: &str| line.trim_start().trim_start_matches("- ").starts_with(&field);
        template.lines().position(stands).map(|at| at + 1)
    })
}

impl Values {
    fn read(app: &App, spec: &HelmSpec, tree: &Overlaid) -> Self {
        let mut sources = Vec::new();
        let chart = paths::child(&app.path, "values.yaml");
        for file in std::iter::once(&chart).chain(&spec.values) {
            let Ok(bytes) = tree.read(file) else { continue };
            let read = yaml::read_documents(&bytes).into_iter().flatten().next();
            let (value, document) =
                read.map_or((Value::Map(Map::new()), None), |read| (read.value, Some(read.index)));
            sources.push(Source { file: file.clone(), value, document });
        }
        let merged =
            sources.iter().fold(Value::Map(Map::new()), |merged, source| merge(merged, &source.value));
        let named =
            spec.values.last().and_then(|last| sources.iter().rposition(|source| source.file == *last));
        let own = named.or_else(|| sources.iter().position(|source| source.file == chart));
        Self { sources, merged, own }
    }

    /// Returns the values that may be the field's, those before the others that the template names at it.
    fn guesses(
        &self,
        app: &App,
        tree: &Overlaid,
        template: &str,
        manifest: &Manifest,
        wish: &Wish,
    ) -> Vec<Guess> {
        let named: Vec<FieldPath> = names(template, &wish.path);
        let mut guesses = Vec::new();
        if let (Some(desired), Some(live)) = (&wish.desired, &wish.live)
            && let (Some(desired), true) = (scalar(desired), scalar(live).is_some())
        {
            let mut leaves = Vec::new();
            leaves_of(&self.merged, &FieldPath::root(), &mut leaves);
            leaves.sort_by_key(|(path, _)| !named.contains(path));
            let exact = |leaf: &Value| scalar(leaf).as_deref() == Some(&desired);
            for whole in [true, false] {
                for (path, leaf) in &leaves {
                    if exact(leaf) == whole
                        && let Some(new) = in_place_of(leaf, &desired, live)
                    {
                        guesses.push(Guess { path: path.clone(), new: Some(new) });
                    }
                }
            }
            // `{{ .Values.image.tag | default .Chart.AppVersion }}`: what is left out.
            if let Some(version) = app_version(app, tree) {
                for path in &named {
                    if field::at(&self.merged, path).is_none_or(Value::is_empty)
                        && let Some(new) = in_place_of(&Value::string(&version), &desired, live)
                    {
                        guesses.push(Guess { path: path.clone(), new: Some(new) });
                    }
                }
            }
        }
        self.blocks(template, manifest, wish, &mut guesses);
        guesses
    }

    /// Adds the guesses by which a whole map or list of the values is passed through, of which the field is a part.
    fn blocks(&self, template: &str, manifest: &Manifest, wish: &Wish, guesses: &mut Vec<Guess>) {
        let mut found = Vec::new();
        collections_of(&self.merged, &FieldPath::root(), &mut found);
        for split in (1..wish.path.0.len()).rev() {
            let (above, rest) = wish.path.0.split_at(split);
            let above = FieldPath(above.to_vec());
            let below = |path: &FieldPath| Guess {
                path: FieldPath(path.0.iter().chain(rest).cloned().collect()),
                new: wish.live.clone(),
            };
            guesses.extend(names(template, &above).iter().map(below));
            // `podAnnotations` is for `annotations`, `extraEnv` for `env`.
            if let Some(Segment::Field(last)) = above.0.last() {
                let last = last.to_ascii_lowercase();
                let is_called_so = |path: &FieldPath| {
                    path.last_field().is_some_and(|name| name.to_ascii_lowercase().ends_with(&last))
                };
                guesses
                    .extend(found.iter().filter(|(path, _)| is_called_so(path)).map(|(path, _)| below(path)));
            }
            let declared = field::at(&manifest.body, &above);
            let holds = |value: &Value| match (value, declared) {
                (value, _) if value.is_empty() => false,
                (Value::List(items), Some(Value::List(all))) => items.iter().all(|item| all.contains(item)),
                (value, Some(declared)) => value == declared,
                (_, None) => false,
            };
            guesses.extend(found.iter().filter(|(_, value)| holds(value)).map(|(path, _)| below(path)));
        }
        // The field as a whole is one of the values' maps or lists.
        if let Some(desired) = &wish.desired {
            let same = found.iter().filter(|(_, value)| value == desired);
            guesses.extend(same.map(|(path, _)| Guess { path: path.clone(), new: wish.live.clone() }));
        }
        guesses.extend(
            names(template, &wish.path).into_iter().map(|path| Guess { path, new: wish.live.clone() }),
        );
    }

    /// Makes the candidate that puts a value into the file that sets it last.
    fn candidate(&self, tree: &Overlaid, guess: &Guess, wish: &Wish) -> Result<Candidate, Blocked> {
        let nowhere = || Blocked::because(Reason::NoValue);
        // Lists are not merged: whoever sets an item sets the whole.
        let list = guess.path.0.iter().position(|segment| !matches!(segment, Segment::Field(_)));
        let whole = FieldPath(guess.path.0.iter().take(list.unwrap_or(usize::MAX)).cloned().collect());
        let sets = |source: &&Source| field::at(&source.value, &whole).is_some();
        let last = self.sources.iter().rposition(|source| sets(&source));
        let own = self.own.ok_or_else(nowhere)?;
        let is_only_the_charts = last == Some(0) && own != 0;
        let at = last.filter(|_| !is_only_the_charts).unwrap_or(own);
        let source = self.sources.get(at).ok_or_else(nowhere)?;
        let lower = self.sources.iter().take(at).any(|source| sets(&source));
        let edit = match (&guess.new, list) {
            (Some(new), Some(_)) if is_only_the_charts || last.is_none() => {
                let mut merged = field::at(&self.merged, &whole).cloned().unwrap_or_default();
                put(&mut merged, guess.path.0.get(whole.0.len()..).unwrap_or_default(), new.clone());
                Edit::set(whole, merged)
            }
            (None, Some(_)) if is_only_the_charts => {
                let mut merged = self.merged.clone();
                field::take_out(&mut merged, &guess.path);
                Edit::set(whole.clone(), field::at(&merged, &whole).cloned().unwrap_or_default())
            }
            (Some(new), _) => Edit::set(guess.path.clone(), new.clone()).after(wish.after.clone()),
            // Helm takes away what a file below sets where another says null.
            (None, None) if is_only_the_charts || lower => Edit::set(guess.path.clone(), Value::Null),
            (None, _) => Edit::remove(guess.path.clone()),
        };
        let done = format!("`{}` {} {}", values_name(&edit.path), wish.verb(), source.file);
        match source.document {
            Some(document) => in_document(tree, &source.file, document, &[edit], done),
            None => in_empty_file(tree, &source.file, &edit, done),
        }
    }
}

/// Makes the candidate that begins a file of values.
fn in_empty_file(tree: &Overlaid, file: &str, edit: &Edit, done: String) -> Result<Candidate, Blocked> {
    let nothing = || Blocked::at(Reason::NoValue, file, None);
    let yaml::Change::Set(new) = &edit.change else { return Err(nothing()) };
    let before = state(tree, file)?;
    let mut value = Value::Map(Map::new());
    put(&mut value, &edit.path.0, new.clone());
    let mut bytes = before.bytes.to_vec();
    if !bytes.is_empty() && !bytes.ends_with(b"\n") {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(yaml::document(&value, None).as_bytes());
    let line = super::candidate::line_of(&bytes, 0, &edit.path);
    let files = vec![(file.to_owned(), Some(before.with(bytes)))];
    Ok(Candidate { files, file: file.to_owned(), line, at: None, done, also: Vec::new() })
}

/// Returns a path as values are spoken of: `image.tag`.
fn values_name(path: &FieldPath) -> String {
    path.to_string().trim_start_matches('.').to_owned()
}

/// Returns the values that the template names at the last field of a path.
fn names(template: &str, path: &FieldPath) -> Vec<FieldPath> {
    let Some(Segment::Field(last)) = path.0.last() else { return Vec::new() };
    let found = render::values_at(template, last).into_iter();
    found.map(|name| FieldPath::fields(&name.split('.').collect::<Vec<_>>())).collect()
}

fn app_version(app: &App, tree: &Overlaid) -> Option<String> {
    let read = document(tree, &paths::child(&app.path, "Chart.yaml"), 0)?;
    scalar(read.value.get("appVersion")?).filter(|version| !version.is_empty())
}

/// Merges values as helm does: maps field by field, null takes away, everything else replaces.
fn merge(below: Value, above: &Value) -> Value {
    match (below, above) {
        (Value::Map(mut below), Value::Map(above)) => {
            for (name, value) in above {
                if value.is_null() {
                    below.remove(name.as_str());
                } else {
                    let under = below.remove(name.as_str()).unwrap_or_default();
                    below.insert(name.clone(), merge(under, value));
                }
            }
            Value::Map(below)
        }
        (_, above) => above.clone(),
    }
}

/// Puts a value at a path, with what is missing above it.
pub(super) fn put(value: &mut Value, path: &[Segment], new: Value) {
    let Some((segment, rest)) = path.split_first() else {
        *value = new;
        return;
    };
    match segment {
        Segment::Field(name) => {
            if value.as_map().is_none() {
                *value = Value::Map(Map::new());
            }
            if let Some(fields) = value.as_map_mut() {
                let mut below = fields.remove(name.as_str()).unwrap_or_default();
                put(&mut below, rest, new);
                fields.insert(name.clone(), below);
            }
        }
        segment => {
            let at = field::position(value, segment);
            if value.as_list().is_none() {
                *value = Value::List(Vec::new());
            }
            let Value::List(items) = value else { return };
            if let Some(item) = at.and_then(|at| items.get_mut(at)) {
                return put(item, rest, new);
            }
            let mut item = Value::Null;
            put(&mut item, rest, new);
            if let (Segment::Keys(keys), Some(fields)) = (segment, item.as_map_mut()) {
                for (key, wanted) in keys {
                    fields.entry(key.clone()).or_insert_with(|| wanted.0.clone());
                }
            }
            items.push(item);
        }
    }
}

/// Returns a scalar as templates print it.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

/// Returns what a value must be so that what it is part of becomes another: `1.26` of `nginx:1.26` for `1.25` of
/// `nginx:1.25`. It stays text where it is text.
fn in_place_of(leaf: &Value, desired: &str, live: &Value) -> Option<Value> {
    let (text, wanted) = (scalar(leaf)?, scalar(live)?);
    if text.is_empty() {
        return None;
    }
    let new = if text == desired {
        wanted
    } else {
        let (before, behind) = desired.split_once(&text)?;
        wanted.strip_prefix(before)?.strip_suffix(behind)?.to_owned()
    };
    if new.is_empty() || new == text {
        return None;
    }
    if matches!(leaf, Value::String(_)) {
        return Some(Value::String(new));
    }
    let number = new.parse::<i64>().ok().map(Value::int);
    let float = || new.parse::<f64>().ok().filter(|x| x.is_finite()).map(|x| Value::Number(Number::Float(x)));
    let truth = || new.parse::<bool>().ok().map(Value::Bool);
    let typed = number.or_else(float).or_else(truth);
    // `1.10` is no number that prints like that.
    Some(typed.filter(|typed| scalar(typed).as_deref() == Some(&new)).unwrap_or(Value::String(new)))
}

fn leaves_of(value: &Value, at: &FieldPath, into: &mut Vec<(FieldPath, Value)>) {
    match value {
        Value::Map(fields) => fields.iter().for_each(|(name, value)| leaves_of(value, &at.field(name), into)),
        Value::List(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, item)| leaves_of(item, &at.join(Segment::Index(index)), into)),
        leaf => into.push((at.clone(), leaf.clone())),
    }
}

fn collections_of(value: &Value, at: &FieldPath, into: &mut Vec<(FieldPath, Value)>) {
    if let Value::Map(fields) = value {
        for (name, value) in fields {
            let at = at.field(name);
            if matches!(value, Value::Map(_) | Value::List(_)) {
                into.push((at.clone(), value.clone()));
            }
            collections_of(value, &at, into);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn a_value_that_is_part_of_a_field_takes_its_part_of_the_new_one() {
        for (leaf, desired, live, wanted) in [
            (value!("1.25"), "nginx:1.25", value!("nginx:1.26"), Some(value!("1.26"))),
            (value!("nginx"), "nginx:1.25", value!("httpd:1.25"), Some(value!("httpd"))),
            (value!("nginx"), "nginx:1.25", value!("httpd:1.26"), None),
            (value!(3), "3", value!(5), Some(value!(5))),
            (value!("3"), "3", value!(5), Some(value!("5"))),
            (value!(1.25), "nginx:1.25", value!("nginx:1.10"), Some(value!("1.10"))),
            (value!(true), "true", value!(false), Some(value!(false))),
            (value!(""), "a", value!("b"), None),
            (value!("x"), "nginx:1.25", value!("nginx:1.26"), None),
        ] {
            assert_eq!(in_place_of(&leaf, desired, &live), wanted, "{leaf:?} {desired}");
        }
    }

    #[test]
    fn values_are_merged_as_helm_merges_them() {
        let below = value!({"a": {"b": 1, "c": 2}, "l": [1, 2], "n": 1});
        let above = value!({"a": {"c": 3}, "l": [9], "n": null});
        assert_eq!(merge(below, &above), value!({"a": {"b": 1, "c": 3}, "l": [9]}));
    }
}
