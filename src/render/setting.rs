//! Defines where a value is set that no manifest declares as it is: the patch, the image or replica count, the literal of a
//! kustomization, or the line of a chart's values that a template puts there.
//!
//! A place is named only where the value stands in it: a guess would send people to the wrong line.

use super::helm;
use super::kustomize::{Kustomization, Use};
use super::paths;
use crate::model::app::HelmSpec;
use crate::model::field_path::{FieldPath, Scalar, Segment};
use crate::model::manifest::FieldLines;
use crate::model::{App, Manifest, Origin, RenderSpec, Tree, Value};
use crate::text::yaml::read_documents;
use std::collections::{BTreeSet, VecDeque};

/// Kustomizations that are looked through at most.
const KUSTOMIZATIONS: usize = 200;

/// What is looked for: a field of an object, with the value that is declared for it.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    manifest: &'a Manifest,
    path: &'a FieldPath,
    desired: &'a Value,
}

/// Returns where a field's declared value is set, if that is another place than its manifest. Blocks on the disk.
pub fn setting(
    app: &App,
    tree: &dyn Tree,
    manifest: &Manifest,
    path: &FieldPath,
    desired: &Value,
) -> Option<Origin> {
    let wanted = Wanted { manifest, path, desired };
    match &app.spec {
        RenderSpec::Plain { .. } => None,
        RenderSpec::Kustomize => in_kustomizations(tree, &app.path, wanted),
        RenderSpec::Helm(spec) => in_values(tree, app, spec, wanted),
    }
}

/// Looks through a kustomization, then through those that it is made of: what is nearer to the top was applied later.
fn in_kustomizations(tree: &dyn Tree, folder: &str, wanted: Wanted<'_>) -> Option<Origin> {
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

fn in_patches(tree: &dyn Tree, of: &Kustomization, wanted: Wanted<'_>) -> Option<Origin> {
    for field in ["patches", "patchesJson6902", "patchesStrategicMerge"] {
        let items = of.value.get(field).and_then(Value::as_list).unwrap_or_default();
        for (at, item) in items.iter().enumerate() {
            let at = at.to_string();
            let targeted = item.get("target").map(|target| fits_target(target, wanted.manifest));
            if targeted == Some(false) {
                continue;
            }
            let (text, steps) = match item.as_str() {
                Some(text) => (text, vec![field, &at]),
                None => match (item.str_at(&["path"]), item.str_at(&["patch"])) {
                    (Some(path), _) => (path, vec![field, &at, "path"]),
                    (None, Some(patch)) => (patch, vec![field, &at, "patch"]),
                    (None, None) => continue,
                },
            };
            let is_inline = text.trim_end().contains('\n') || text.trim_start().starts_with('{');
            let found = if is_inline {
                // The text of a block begins on the line below its key.
                let line = of.lines.line_at(steps)?;
                in_patch(&of.file, text.as_bytes(), line, targeted.is_some(), wanted)
            } else {
                let file = paths::join(of.folder(), text)?;
                let bytes = tree.read(&file).ok()?;
                in_patch(&file, &bytes, 0, targeted.is_some(), wanted)
            };
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

/// Looks in the documents of a patch: strategic merge, or the operations of JSON Patch (RFC 6902).
fn in_patch(file: &str, text: &[u8], below: usize, targeted: bool, wanted: Wanted<'_>) -> Option<Origin> {
    read_documents(text).into_iter().flatten().find_map(|document| {
        let line = match &document.value {
            Value::List(operations) => in_operations(operations, &document.lines, wanted),
            value if targeted || fits_patch(value, wanted.manifest) => {
                let (found, line) = follow(value, &document.lines, &wanted.path.0)?;
                same(found, wanted.desired).then_some(line)
            }
            _ => None,
        };
        Some(Origin { file: file.to_owned(), document: document.index, line: Some(line? + below) })
    })
}

fn in_operations(operations: &[Value], lines: &FieldLines, wanted: Wanted<'_>) -> Option<usize> {
    let pointer = pointer(&wanted.manifest.body, &wanted.path.0)?;
    operations.iter().enumerate().rev().find_map(|(at, operation)| {
        let value = operation.get("value")?;
        let rest = pointer.strip_prefix(operation.str_at(&["path"])?)?;
        let mut found = Some(value);
        for step in rest.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            found = found.and_then(|found| match found {
                Value::List(items) => items.get(step.parse::<usize>().ok()?),
                other => other.get(&step),
            });
        }
        let at = at.to_string();
        let line = || lines.line_at([at.as_str(), "value"]).or_else(|| lines.line_at([at.as_str()]));
        found.filter(|found| same(found, wanted.desired)).and_then(|_| line())
    })
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
fn in_transformers(of: &Kustomization, wanted: Wanted<'_>) -> Option<Origin> {
    let here = |steps: &[&str]| {
        let line = of.lines.line_at(steps.iter().copied())?;
        Some(Origin { file: of.file.clone(), document: 0, line: Some(line) })
    };
    let list = |field: &str| of.value.get(field).and_then(Value::as_list).unwrap_or_default();
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
            here(&["images", &at, tag.or_else(|| item.get("newName").map(|_| "newName"))?])
        });
    }
    if last == "replicas" {
        let is_it = |item: &Value| {
            let name = wanted.manifest.id.name.as_deref().unwrap_or_default();
            item.str_at(&["name"]).is_some_and(|wanted| name.contains(wanted))
                && item.get("count").is_some_and(|count| same(count, wanted.desired))
        };
        let at = list("replicas").iter().position(is_it)?.to_string();
        return here(&["replicas", &at, "count"]);
    }
    let is_mark =
        |field: &str| wanted.path.0.iter().any(|s| matches!(s, Segment::Field(name) if name == field));
    let holds = |map: Option<&Value>| map.and_then(|m| m.get(last)).is_some_and(|v| same(v, wanted.desired));
    if is_mark("labels") || is_mark("matchLabels") || is_mark("selector") {
        if holds(of.value.get("commonLabels")) {
            return here(&["commonLabels", last]);
        }
        let at = list("labels").iter().position(|item| holds(item.get("pairs")))?.to_string();
        return here(&["labels", &at, "pairs", last]);
    }
    (is_mark("annotations") && holds(of.value.get("commonAnnotations")))
        .then(|| here(&["commonAnnotations", last]))
        .flatten()
}

/// Looks in the generators of ConfigMaps and Secrets for a key of their data.
fn in_generators(tree: &dyn Tree, of: &Kustomization, wanted: Wanted<'_>) -> Option<Origin> {
    let field = match wanted.manifest.kind.kind.as_str() {
        "ConfigMap" => "configMapGenerator",
        "Secret" => "secretGenerator",
        _ => return None,
    };
    let [Segment::Field(data), Segment::Field(key)] = wanted.path.0.as_slice() else { return None };
    if data != "data" {
        return None;
    }
    let name = wanted.manifest.id.name.as_deref().unwrap_or_default();
    let generators = of.value.get(field).and_then(Value::as_list).unwrap_or_default();
    let of_name =
        generators.iter().enumerate().filter(|(_, g)| g.str_at(&["name"]).is_some_and(|n| name.contains(n)));
    for (at, generator) in of_name {
        let at = at.to_string();
        let texts = |list: &str| {
            let items = generator.get(list).and_then(Value::as_list).unwrap_or_default();
            items.iter().map(|item| item.as_str().unwrap_or_default()).collect::<Vec<_>>()
        };
        let is_key = |line: &&str| line.split_once('=').is_some_and(|(found, _)| found.trim() == key);
        if let Some(index) = texts("literals").iter().position(is_key) {
            let line = of.lines.line_at([field, &at, "literals", &index.to_string()]);
            return Some(Origin { file: of.file.clone(), document: 0, line });
        }
        for file in texts("files") {
            let (named, path) =
                file.split_once('=').unwrap_or((file.rsplit('/').next().unwrap_or(file), file));
            if named == key {
                return Some(Origin { file: paths::join(of.folder(), path)?, document: 0, line: None });
            }
        }
        for env in texts("envs").into_iter().chain(generator.str_at(&["env"])) {
            let file = paths::join(of.folder(), env)?;
            let text = tree.read(&file).ok()?;
            let text = String::from_utf8_lossy(&text);
            if let Some(line) = text.lines().position(|line| is_key(&line)) {
                return Some(Origin { file, document: 0, line: Some(line + 1) });
            }
        }
    }
    None
}

/// Looks in a chart's values for what a template puts at a field: `replicas: {{ .Values.replicaCount }}`, or a whole block
/// by `toYaml .Values.resources`.
fn in_values(tree: &dyn Tree, app: &App, spec: &HelmSpec, wanted: Wanted<'_>) -> Option<Origin> {
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
            if let Some(origin) = files.iter().find_map(|file| in_file(tree, file, &steps, wanted.desired)) {
                return Some(origin);
            }
        }
    }
    None
}

/// Returns the line of a values file that sets a value, if it is the one that is declared or part of it.
fn in_file(tree: &dyn Tree, file: &str, steps: &[&str], desired: &Value) -> Option<Origin> {
    let document = read_documents(&tree.read(file).ok()?).into_iter().next()?.ok()?;
    let path: Vec<Segment> = steps.iter().map(|step| Segment::Field((*step).to_owned())).collect();
    let (found, line) = follow(&document.value, &document.lines, &path)?;
    let part = |text: &str| !plain(found).is_empty() && text.contains(&plain(found));
    let fits = same(found, desired) || desired.as_str().is_some_and(part);
    fits.then(|| Origin { file: file.to_owned(), document: document.index, line: Some(line) })
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

fn fits_patch(patch: &Value, manifest: &Manifest) -> bool {
    let name = manifest.id.name.as_deref().unwrap_or_default();
    patch.str_at(&["kind"]) == Some(&manifest.kind.kind)
        && patch.str_at(&["metadata", "name"]).is_some_and(|patched| name.contains(patched))
}

fn fits_target(target: &Value, manifest: &Manifest) -> bool {
    let name = manifest.id.name.as_deref().unwrap_or_default();
    let kind = target.str_at(&["kind"]).is_none_or(|kind| kind == &*manifest.kind.kind);
    // A name may be a regular expression: only what is plain is compared.
    let plain = |text: &&str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
    kind && target.str_at(&["name"]).filter(plain).is_none_or(|target| name.contains(target))
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
