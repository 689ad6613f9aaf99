//! Defines where a value is set that no manifest declares as it is: the patch, the image or replica count, the literal of a
//! kustomization, or the line of a chart's values that a template puts there.
//!
//! A place is named only where the value stands in it: a guess would send people to the wrong line.

use super::helm;
use super::kustomize::{Kustomization, Use};
use super::paths;
use super::place::Place;
use crate::model::app::HelmSpec;
use crate::model::field_path::{FieldPath, Scalar, Segment};
use crate::model::manifest::FieldLines;
use crate::model::{App, Manifest, Origin, RenderSpec, Sealed, Tree, Value};
use crate::text::yaml::read_documents;
use std::collections::{BTreeSet, VecDeque};

/// Kustomizations that are looked through at most.
const KUSTOMIZATIONS: usize = 200;

/// Where a value is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub origin: Origin,
    /// `None` where it cannot be found again in other versions of the file: within a block of text, and in files that are
    /// no YAML.
    pub place: Option<Place>,
}

/// What is looked for: a field of an object, with the value that is declared for it.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    manifest: &'a Manifest,
    path: &'a FieldPath,
    desired: &'a Value,
}

impl Wanted<'_> {
    fn name(&self) -> &str {
        self.manifest.id.name.as_deref().unwrap_or_default()
    }

    /// Returns whether a text is the wanted value; what is sealed is compared by what it means.
    fn is(&self, text: &str) -> bool {
        match self.desired {
            Value::Sealed(sealed) => Sealed::text(text.to_owned()).same(sealed),
            desired => same(&Value::string(text), desired),
        }
    }
}

/// Returns where a field's declared value is set, if that is another place than its manifest. Blocks on the disk.
pub fn setting(
    app: &App,
    tree: &dyn Tree,
    manifest: &Manifest,
    path: &FieldPath,
    desired: &Value,
) -> Option<Setting> {
    let wanted = Wanted { manifest, path, desired };
    match &app.spec {
        RenderSpec::Plain { .. } => None,
        RenderSpec::Kustomize => in_kustomizations(tree, &app.path, wanted),
        RenderSpec::Helm(spec) => in_values(tree, app, spec, wanted),
    }
}

/// Looks through a kustomization, then through those that it is made of: what is nearer to the top was applied later.
fn in_kustomizations(tree: &dyn Tree, folder: &str, wanted: Wanted<'_>) -> Option<Setting> {
    let (mut folders, mut seen) = (VecDeque::from([folder.to_owned()]), BTreeSet::new());
    while let Some(folder) = folders.pop_front() {
        if seen.len() >= KUSTOMIZATIONS || !seen.insert(folder.clone()) {
            continue;
        }
        let Some(file) = Kustomization::find(tree, &folder).ok().flatten() else { continue };
        let Ok(kustomization) = Kustomization::read(tree, &file) else { continue };
        let found = in_patches(tree, &kustomization, wanted)
            .or_else(|| in_transformers(&kustomization, wanted))
            .or_else(|| in_generators(tree, &kustomization, wanted));
        if found.is_some() {
            return found;
        }
        let inner = kustomization.references().into_iter();
        let inner = inner.filter(|r| matches!(r.usage, Use::Resource | Use::Component));
        folders.extend(inner.filter_map(|r| paths::join(&folder, &r.text)));
    }
    None
}

/// Looks in the patches of a kustomization. Names may have got prefixes and suffixes, so several may fit: the one whose name
/// fits most of the object's is meant, of those the last, which is applied last.
fn in_patches(tree: &dyn Tree, of: &Kustomization, wanted: Wanted<'_>) -> Option<Setting> {
    let mut found: Vec<(usize, Setting)> = Vec::new();
    for field in ["patches", "patchesJson6902", "patchesStrategicMerge"] {
        let items = of.value.get(field).and_then(Value::as_list).unwrap_or_default();
        for (at, item) in items.iter().enumerate() {
            let at = at.to_string();
            let target = match item.get("target") {
                Some(target) => match fitting_target(target, wanted.manifest) {
                    Some(name) => Some(name),
                    None => continue,
                },
                None => None,
            };
            let (text, steps) = match item.as_str() {
                Some(text) => (text, vec![field, &at]),
                None => match (item.str_at(&["path"]), item.str_at(&["patch"])) {
                    (Some(path), _) => (path, vec![field, &at, "path"]),
                    (None, Some(patch)) => (patch, vec![field, &at, "patch"]),
                    (None, None) => continue,
                },
            };
            let is_inline = text.trim_end().contains('\n') || text.trim_start().starts_with('{');
            let set = if is_inline {
                // The text of a block begins on the line below its key.
                let Some(line) = of.lines.line_at(steps) else { continue };
                let set = in_patch(&of.file, text.as_bytes(), line, target, wanted);
                set.map(|(name, set)| (name, Setting { place: None, ..set }))
            } else {
                let Some(file) = paths::join(of.folder(), text) else { continue };
                let Ok(bytes) = tree.read(&file) else { continue };
                in_patch(&file, &bytes, 0, target, wanted)
            };
            found.extend(set);
        }
    }
    found.into_iter().max_by_key(|(name, _)| *name).map(|(_, set)| set)
}

/// Looks in the documents of a patch: strategic merge, or the operations of JSON Patch (RFC 6902). `target`: the length of
/// the name that the patch is said to be for. Returns the setting with the length of the name by which the patch fits.
fn in_patch(
    file: &str,
    text: &[u8],
    below: usize,
    target: Option<usize>,
    wanted: Wanted<'_>,
) -> Option<(usize, Setting)> {
    read_documents(text).into_iter().flatten().find_map(|document| {
        let own = fitting_patch(&document.value, wanted.manifest);
        let (line, place) = match &document.value {
            Value::List(operations) => in_operations(operations, &document.lines, wanted)?,
            value if target.is_some() || own.is_some() => {
                let (found, line) = follow(value, &document.lines, &wanted.path.0)?;
                let place = match own {
                    Some(_) => Place::Own,
                    None => Place::At { path: wanted.path.clone(), literal: None },
                };
                same(found, wanted.desired).then_some((line, place))?
            }
            _ => return None,
        };
        let origin = Origin { file: file.to_owned(), document: document.index, line: Some(line + below) };
        Some((target.or(own).unwrap_or(0), Setting { origin, place: Some(place) }))
    })
}

fn in_operations(operations: &[Value], lines: &FieldLines, wanted: Wanted<'_>) -> Option<(usize, Place)> {
    let pointer = pointer(&wanted.manifest.body, &wanted.path.0)?;
    operations.iter().enumerate().rev().find_map(|(at, operation)| {
        let value = operation.get("value")?;
        let path = operation.str_at(&["path"])?;
        // `/a/b` is above `/a/b/c`, and not above `/a/bc`.
        let rest = pointer.strip_prefix(path).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        let mut steps = vec![named("path", path), Segment::Field("value".to_owned())];
        let mut found = value;
        for step in rest.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let (next, segment) = match found {
                Value::List(items) => {
                    let position = step.parse().ok()?;
                    (items.get(position)?, Segment::Index(position))
                }
                other => (other.get(&step)?, Segment::Field(step)),
            };
            found = next;
            steps.push(segment);
        }
        let at = at.to_string();
        let line = || lines.line_at([at.as_str(), "value"]).or_else(|| lines.line_at([at.as_str()]));
        let place = Place::At { path: FieldPath(steps), literal: None };
        same(found, wanted.desired).then(|| Some((line()?, place)))?
    })
}

/// Returns the segment of an item by one of its fields.
fn named(field: &str, value: &str) -> Segment {
    Segment::Keys(vec![(field.to_owned(), Scalar(Value::string(value)))])
}

fn field(name: &str) -> Segment {
    Segment::Field(name.to_owned())
}

/// Returns the JSON pointer of a field in a rendered object.
fn pointer(body: &Value, path: &[Segment]) -> Option<String> {
    let (mut at, mut pointer) = (body, String::new());
    for segment in path {
        let (next, step) = match (segment, at) {
            (Segment::Field(name), at) => (at.get(name)?, name.replace('~', "~0").replace('/', "~1")),
            (segment, Value::List(items)) => {
                let position = position(items, segment)?;
                (items.get(position)?, position.to_string())
            }
            _ => return None,
        };
        at = next;
        pointer.push('/');
        pointer.push_str(&step);
    }
    Some(pointer)
}

/// Looks in what a kustomization says of images, replicas and labels.
fn in_transformers(of: &Kustomization, wanted: Wanted<'_>) -> Option<Setting> {
    let here = |steps: &[&str], path: Option<Vec<Segment>>| {
        let line = of.lines.line_at(steps.iter().copied())?;
        let origin = Origin { file: of.file.clone(), document: 0, line: Some(line) };
        let place = path.map(|path| Place::At { path: FieldPath(path), literal: None });
        Some(Setting { origin, place })
    };
    let list = |field: &str| of.value.get(field).and_then(Value::as_list).unwrap_or_default();
    // What an item of a list sets, by the item's name.
    let of_item = |list: &str, item: &Value, set: &str| {
        item.str_at(&["name"]).map(|name| vec![field(list), named("name", name), field(set)])
    };
    let last = wanted.path.last_field()?;
    if last == "image"
        && let Some(image) = wanted.desired.as_str()
    {
        return list("images").iter().enumerate().find_map(|(at, item)| {
            let name = item.str_at(&["newName"]).or_else(|| item.str_at(&["name"]))?;
            let rest =
                image.strip_prefix(name).filter(|rest| rest.is_empty() || rest.starts_with([':', '@']))?;
            let at = at.to_string();
            let tag = ["newTag", "digest"].into_iter().find(|field| {
                let value = item.get(field).map(plain);
                value.is_some_and(|value| rest.strip_prefix([':', '@']) == Some(&value))
            });
            let set = tag.or_else(|| item.get("newName").map(|_| "newName"))?;
            here(&["images", &at, set], of_item("images", item, set))
        });
    }
    if last == "replicas" {
        let items = list("replicas").iter().enumerate();
        let fitting = items.filter_map(|(at, item)| Some((fitting(wanted.name(), item)?, at, item)));
        let (_, at, item) = longest(fitting.collect(), |(name, ..)| *name).into_iter().next()?;
        let is_it = item.get("count").is_some_and(|count| same(count, wanted.desired));
        return is_it
            .then(|| here(&["replicas", &at.to_string(), "count"], of_item("replicas", item, "count")))?;
    }
    let is_mark =
        |field: &str| wanted.path.0.iter().any(|s| matches!(s, Segment::Field(name) if name == field));
    let holds = |map: Option<&Value>| map.and_then(|m| m.get(last)).is_some_and(|v| same(v, wanted.desired));
    let common = |list: &str| here(&[list, last], Some(vec![field(list), field(last)]));
    if is_mark("labels") || is_mark("matchLabels") || is_mark("selector") {
        if holds(of.value.get("commonLabels")) {
            return common("commonLabels");
        }
        let at = list("labels").iter().position(|item| holds(item.get("pairs")))?;
        let path = vec![field("labels"), Segment::Index(at), field("pairs"), field(last)];
        return here(&["labels", &at.to_string(), "pairs", last], Some(path));
    }
    let annotated = is_mark("annotations") && holds(of.value.get("commonAnnotations"));
    annotated.then(|| common("commonAnnotations"))?
}

/// Looks in the generators of ConfigMaps and Secrets for a key of their data.
fn in_generators(tree: &dyn Tree, of: &Kustomization, wanted: Wanted<'_>) -> Option<Setting> {
    let list = match wanted.manifest.kind.kind.as_str() {
        "ConfigMap" => "configMapGenerator",
        "Secret" => "secretGenerator",
        _ => return None,
    };
    let [Segment::Field(data), Segment::Field(key)] = wanted.path.0.as_slice() else { return None };
    if data != "data" {
        return None;
    }
    let generators = of.value.get(list).and_then(Value::as_list).unwrap_or_default().iter().enumerate();
    let of_name = generators
        .filter_map(|(at, generator)| Some((fitting(wanted.name(), generator)?, at, generator)))
        .collect();
    for (_, at, generator) in longest(of_name, |(name, ..)| *name) {
        let at = at.to_string();
        let texts = |list: &str| {
            let items = generator.get(list).and_then(Value::as_list).unwrap_or_default();
            items.iter().map(|item| item.as_str().unwrap_or_default()).collect::<Vec<_>>()
        };
        let is_it =
            |line: &&str| literal_of(line).is_some_and(|(found, value)| found == key && wanted.is(value));
        if let Some(index) = texts("literals").iter().position(is_it) {
            let line = of.lines.line_at([list, &at, "literals", &index.to_string()]);
            let path = |name| FieldPath(vec![field(list), named("name", name), field("literals")]);
            let place = generator
                .str_at(&["name"])
                .map(|name| Place::At { path: path(name), literal: Some(key.clone()) });
            return Some(Setting { origin: Origin { file: of.file.clone(), document: 0, line }, place });
        }
        for file in texts("files") {
            let (named, path) =
                file.split_once('=').unwrap_or((file.rsplit('/').next().unwrap_or(file), file));
            let Some(file) = paths::join(of.folder(), path).filter(|_| named == key) else { continue };
            if tree.read(&file).is_ok_and(|text| wanted.is(&String::from_utf8_lossy(&text))) {
                return Some(Setting { origin: Origin { file, document: 0, line: None }, place: None });
            }
        }
        for env in texts("envs").into_iter().chain(generator.str_at(&["env"])) {
            let Some(file) = paths::join(of.folder(), env) else { continue };
            let Ok(text) = tree.read(&file) else { continue };
            let text = String::from_utf8_lossy(&text);
            let is_it = |line: &str| {
                line.trim_start()
                    .split_once('=')
                    .is_some_and(|(found, value)| found == key && wanted.is(value))
            };
            if let Some(line) = text.lines().position(is_it) {
                let origin = Origin { file, document: 0, line: Some(line + 1) };
                return Some(Setting { origin, place: None });
            }
        }
    }
    None
}

/// Returns key and value of a literal, as a generator reads it: quotes around the value are none of it.
///
/// Source: `parseLiteralSource` in sigs.k8s.io/kustomize/api/kv/kv.go.
pub(super) fn literal_of(literal: &str) -> Option<(&str, &str)> {
    let (key, value) = literal.split_once('=')?;
    let unquoted = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    Some((key, unquoted('"').or_else(|| unquoted('\'')).unwrap_or(value)))
}

/// Returns the length of an item's name, if it fits the name of an object. That may have got a prefix and a suffix since.
fn fitting(name: &str, item: &Value) -> Option<usize> {
    item.str_at(&["name"]).filter(|item| name.contains(item)).map(str::len)
}

/// Returns those of which the name that fits is the longest: `app-config` and not `app`.
fn longest<T>(mut found: Vec<T>, name: impl Fn(&T) -> usize) -> Vec<T> {
    let most = found.iter().map(&name).max().unwrap_or(0);
    found.retain(|one| name(one) == most);
    found
}

/// Looks in a chart's values for what a template puts at a field: `replicas: {{ .Values.replicaCount }}`, or a whole block
/// by `toYaml .Values.resources`.
fn in_values(tree: &dyn Tree, app: &App, spec: &HelmSpec, wanted: Wanted<'_>) -> Option<Setting> {
    let template = tree.read(&wanted.manifest.origin.file).ok()?;
    let template = String::from_utf8_lossy(&template);
    let fields: Vec<&str> = wanted
        .path
        .0
        .iter()
        .filter_map(|segment| if let Segment::Field(name) = segment { Some(name.as_str()) } else { None })
        .collect();
    // The last wins, and before all of them stand the chart's own.
    let own = paths::child(&app.path, "values.yaml");
    let files: Vec<&String> = spec.values.iter().rev().chain([&own]).collect();
    // From the field itself upwards: the nearest that is put there by values.
    for (at, field) in fields.iter().enumerate().rev() {
        let below = fields.get(at + 1..).unwrap_or_default();
        for reference in helm::values_at(&template, field).into_iter().rev() {
            let steps: Vec<&str> = reference.split('.').chain(below.iter().copied()).collect();
            if let Some(found) = files.iter().find_map(|file| in_file(tree, file, &steps, wanted.desired)) {
                return Some(found);
            }
        }
    }
    None
}

/// Returns the line of a values file that sets a value, if it is the one that is declared or part of it.
fn in_file(tree: &dyn Tree, file: &str, steps: &[&str], desired: &Value) -> Option<Setting> {
    let document = read_documents(&tree.read(file).ok()?).into_iter().next()?.ok()?;
    let path: Vec<Segment> = steps.iter().map(|step| Segment::Field((*step).to_owned())).collect();
    let (found, line) = follow(&document.value, &document.lines, &path)?;
    let part = |text: &str| !plain(found).is_empty() && text.contains(&plain(found));
    let fits = same(found, desired) || desired.as_str().is_some_and(part);
    let origin = Origin { file: file.to_owned(), document: document.index, line: Some(line) };
    let place = Place::At { path: FieldPath(path), literal: None };
    fits.then_some(Setting { origin, place: Some(place) })
}

/// Follows a path through a document, and returns the value there with its line.
fn follow<'a>(value: &'a Value, lines: &FieldLines, path: &[Segment]) -> Option<(&'a Value, usize)> {
    let (mut value, mut node) = (value, lines);
    for segment in path {
        let (next, step) = match (segment, value) {
            (Segment::Field(name), value) => (value.get(name)?, name.clone()),
            (segment, Value::List(items)) => {
                let position = position(items, segment)?;
                (items.get(position)?, position.to_string())
            }
            _ => return None,
        };
        value = next;
        node = node.children.iter().rev().find(|(key, _)| *key == step).map(|(_, child)| child)?;
    }
    (node.line > 0).then_some((value, node.line as usize))
}

fn position(items: &[Value], segment: &Segment) -> Option<usize> {
    match segment {
        Segment::Index(at) => Some(*at),
        Segment::Item(item) => items.iter().position(|found| Scalar(found.clone()) == *item),
        Segment::Keys(keys) => items.iter().position(|found| {
            // A key that an item leaves out is defaulted; one at least must stand there.
            keys.iter().any(|(key, _)| found.get(key).is_some())
                && keys.iter().all(|(key, value)| found.get(key).is_none_or(|v| Scalar(v.clone()) == *value))
        }),
        Segment::Field(_) => None,
    }
}

/// Returns the length of the name of the object that a patch is for, if that may be this one.
fn fitting_patch(patch: &Value, manifest: &Manifest) -> Option<usize> {
    let name = manifest.id.name.as_deref().unwrap_or_default();
    let is_kind = patch.str_at(&["kind"]) == Some(&manifest.kind.kind);
    is_kind.then(|| fitting(name, patch.get("metadata")?))?
}

/// Returns the length of the name that a target asks for, none being 0, if this object may be one of its.
fn fitting_target(target: &Value, manifest: &Manifest) -> Option<usize> {
    let name = manifest.id.name.as_deref().unwrap_or_default();
    if target.str_at(&["kind"]).is_some_and(|kind| kind != &*manifest.kind.kind) {
        return None;
    }
    // A name may be a regular expression: only what is plain is compared.
    let plain = |text: &&str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
    match target.str_at(&["name"]).filter(plain) {
        Some(target) => name.contains(target).then_some(target.len()),
        None => Some(0),
    }
}

/// Scalars are compared as they are printed: `"3"` of values is `3` in a manifest.
fn same(found: &Value, desired: &Value) -> bool {
    match (found, desired) {
        (Value::Map(_) | Value::List(_), _) | (_, Value::Map(_) | Value::List(_)) => found == desired,
        (_, Value::Sealed(_)) | (Value::Sealed(_), _) => false,
        _ => plain(found) == plain(desired),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.as_str().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Sealed(_) => String::new(),
    }
}
