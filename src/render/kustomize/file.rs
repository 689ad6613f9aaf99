//! Defines what a kustomization file says, as far as driftdeck needs it: what it refers to.
//!
//! Source of the fields: sigs.k8s.io/kustomize/api/types/kustomization.go, and the builtin plugins' own types.

use crate::model::manifest::FieldLines;
use crate::model::{GroupVersionKind, Tree, TreeError, Value};
use crate::render::error::RenderError;
use crate::render::paths;
use crate::text::yaml::read_documents;

/// The names that kustomize looks for, in its order.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Returns whether a file of this name is a kustomization.
pub fn is_kustomization_file(name: &str) -> bool {
    NAMES.contains(&name)
}

/// One kustomization file.
#[derive(Debug, Clone)]
pub struct Kustomization {
    /// Its path in the tree.
    pub file: String,
    pub(in crate::render) text: Vec<u8>,
    pub(in crate::render) value: Value,
    pub(in crate::render) lines: FieldLines,
}

/// What a kustomization refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// As it stands there: a path relative to the kustomization's folder, or something on the network.
    pub text: String,
    pub line: Option<usize>,
    pub usage: Use,
}

/// What kustomize does with a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// A manifest, or a folder with a kustomization.
    Resource,
    /// A folder with a component.
    Component,
    /// The configuration of generators, transformers and validators: a file, or a folder with a kustomization.
    Plugin,
    /// The same, written out in the kustomization itself.
    InlinePlugin,
    /// A file of any kind.
    File,
    /// A chart's folder in the tree.
    Chart,
    /// A chart of a repository on the network.
    RemoteChart,
}

impl Kustomization {
    /// Returns the path of the kustomization that stands in a folder, if any.
    pub fn find(tree: &dyn Tree, folder: &str) -> Result<Option<String>, TreeError> {
        let entries = tree.list(folder)?;
        let name = NAMES.iter().find(|name| entries.iter().any(|entry| entry.name == **name));
        Ok(name.map(|name| paths::child(folder, name)))
    }

    /// Reads a kustomization file. Errors: it cannot be read, or is no map.
    pub fn read(tree: &dyn Tree, file: &str) -> Result<Self, RenderError> {
        Self::parse(file, tree.read(file)?)
    }

    pub(in crate::render) fn parse(file: &str, text: Vec<u8>) -> Result<Self, RenderError> {
        let unreadable = |line, fault: &str| RenderError::Unreadable {
            file: file.to_owned(),
            line,
            fault: fault.to_owned(),
        };
        let document = match read_documents(&text).into_iter().next() {
            None => return Err(unreadable(None, "it is empty")),
            Some(Err(error)) => return Err(unreadable(error.line, &error.fault.to_string())),
            Some(Ok(document)) => document,
        };
        if document.value.as_map().is_none() {
            return Err(unreadable(Some(document.line), "it is no map"));
        }
        Ok(Self { file: file.to_owned(), value: document.value, lines: document.lines, text })
    }

    /// Returns the folder that its references are counted from.
    pub fn folder(&self) -> &str {
        paths::parent(&self.file)
    }

    /// Returns whether it is a component, which only other kustomizations use.
    pub fn is_component(&self) -> bool {
        self.value.str_at(&["kind"]) == Some("Component")
    }

    /// Returns everything that it refers to, in the order of kustomize's fields.
    pub fn references(&self) -> Vec<Reference> {
        let mut found = Found { value: &self.value, lines: &self.lines, references: Vec::new() };
        found.texts("resources", Use::Resource);
        found.texts("bases", Use::Resource);
        found.texts("components", Use::Component);
        for field in ["generators", "transformers", "validators"] {
            found.texts(field, Use::Plugin);
        }
        for field in ["crds", "configurations", "patchesStrategicMerge"] {
            found.texts(field, Use::File);
        }
        for field in ["patches", "patchesJson6902", "replacements"] {
            found.each(field, |item, add| add(item.get("path"), Use::File));
        }
        found.add(self.value.at(&["openapi", "path"]), &["openapi", "path"], Use::File);
        for field in ["configMapGenerator", "secretGenerator"] {
            found.each(field, generator_files);
        }
        let home = self.value.str_at(&["helmGlobals", "chartHome"]).unwrap_or("charts");
        for field in ["helmCharts", "helmChartInflationGenerator"] {
            found.each(field, |item, add| helm_chart(item, home, add));
        }
        found.references
    }
}

type Add<'a> = dyn FnMut(Option<&Value>, Use) + 'a;

struct Found<'a> {
    value: &'a Value,
    lines: &'a FieldLines,
    references: Vec<Reference>,
}

impl Found<'_> {
    /// Adds a text, unless it is a patch or plugin written out in place.
    fn add(&mut self, value: Option<&Value>, steps: &[&str], usage: Use) {
        let Some(text) = value.and_then(Value::as_str) else { return };
        let usage = match usage {
            _ if !text.trim_end().contains('\n') && !text.trim_start().starts_with('{') => usage,
            Use::Plugin => Use::InlinePlugin,
            _ => return,
        };
        let line = self.lines.line_at(steps.iter().copied());
        if !text.is_empty() {
            self.references.push(Reference { text: text.to_owned(), line, usage });
        }
    }

    fn texts(&mut self, field: &str, usage: Use) {
        for (index, item) in list(self.value, field).iter().enumerate() {
            self.add(Some(item), &[field, &index.to_string()], usage);
        }
    }

    fn each(&mut self, field: &str, of_item: impl Fn(&Value, &mut Add<'_>)) {
        for (index, item) in list(self.value, field).iter().enumerate() {
            let index = index.to_string();
            of_item(item, &mut |value, usage| self.add(value, &[field, &index], usage));
        }
    }
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_list).unwrap_or_default()
}

/// Adds the files of a generator of ConfigMaps or Secrets: `files` (`path` or `key=path`), `envs` and `env`.
fn generator_files(item: &Value, add: &mut Add<'_>) {
    for entry in list(item, "files") {
        let path =
            entry.as_str().map(|text| Value::string(text.split_once('=').map_or(text, |(_, path)| path)));
        add(path.as_ref(), Use::File);
    }
    for entry in list(item, "envs") {
        add(Some(entry), Use::File);
    }
    add(item.get("env"), Use::File);
}

/// Adds a chart that kustomize would inflate.
///
/// A chart with a repository is looked for in the chart home first, but under a name with its version, which is what
/// kustomize's own download leaves there; that is never part of a repository.
fn helm_chart(item: &Value, home: &str, add: &mut Add<'_>) {
    let name = item.str_at(&["name"]).or_else(|| item.str_at(&["chartName"])).unwrap_or_default();
    let repo = item.get("repo").or_else(|| item.get("chartRepoUrl")).filter(|repo| !repo.is_empty());
    if repo.is_some() {
        add(repo, Use::RemoteChart);
    } else {
        let home = item.str_at(&["chartHome"]).unwrap_or(home);
        add(Some(&Value::string(format!("{home}/{name}"))), Use::Chart);
    }
    add(item.get("valuesFile").or_else(|| item.get("values")), Use::File);
    for entry in list(item, "additionalValuesFiles") {
        add(Some(entry), Use::File);
    }
}

/// What a generator, transformer or validator is made by, and which files it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plugin {
    /// Set if it is no plugin that is built in: kustomize would run a program or a container.
    pub runs: Option<String>,
    pub references: Vec<Reference>,
}

/// Reads a plugin's configuration.
pub(super) fn plugin(value: &Value, lines: &FieldLines) -> Plugin {
    let kind = GroupVersionKind::from_api_version(
        value.str_at(&["apiVersion"]).unwrap_or_default(),
        value.str_at(&["kind"]).unwrap_or_default(),
    );
    let annotated = value.at(&["metadata", "annotations"]).is_some_and(|annotations| {
        ["config.kubernetes.io/function", "config.k8s.io/function"]
            .iter()
            .any(|name| annotations.get(name).is_some())
    });
    let built_in = kind.group.is_empty() && *kind.version == *"builtin";
    let runs = (annotated || !built_in).then(|| format!("{} {}", kind.api_version(), kind.kind));
    let mut found = Found { value, lines, references: Vec::new() };
    if kind.kind == "HelmChartInflationGenerator" {
        helm_chart(value, "charts", &mut |value, usage| found.add(value, &[], usage));
    }
    found.add(value.get("path"), &["path"], Use::File);
    found.add(value.get("jsonOp"), &["jsonOp"], Use::File);
    found.texts("paths", Use::File);
    found.each("replacements", |item, add| add(item.get("path"), Use::File));
    generator_files(value, &mut |value, usage| found.add(value, &[], usage));
    Plugin { runs, references: found.references }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_that_names_a_file_is_found_with_its_line() {
        let text = "\
resources:
- a.yaml
- ../base
components: [../c]
transformers:
- labels.yaml
- |-
  apiVersion: builtin
  kind: LabelTransformer
patches:
- path: p.yaml
- patch: |-
    a: 1
patchesStrategicMerge:
- s.yaml
- |-
  kind: X
  b: 1
configMapGenerator:
- name: x
  files: [k=f.txt, g.txt]
  envs: [e.env]
openapi: {path: schema.json}
helmCharts:
- name: local
  valuesFile: v.yaml
- name: far
  repo: https://charts.example.com
";
        let read = Kustomization::parse("k/kustomization.yaml", text.into()).unwrap();
        let references: Vec<_> =
            read.references().into_iter().map(|r| (r.text, r.line.unwrap_or(0), r.usage)).collect();
        let wanted = [
            ("a.yaml", 2, Use::Resource),
            ("../base", 3, Use::Resource),
            ("../c", 4, Use::Component),
            ("labels.yaml", 6, Use::Plugin),
            ("apiVersion: builtin\nkind: LabelTransformer", 7, Use::InlinePlugin),
            ("s.yaml", 15, Use::File),
            ("p.yaml", 11, Use::File),
            ("schema.json", 23, Use::File),
            ("f.txt", 20, Use::File),
            ("g.txt", 20, Use::File),
            ("e.env", 20, Use::File),
            ("charts/local", 25, Use::Chart),
            ("v.yaml", 25, Use::File),
            ("https://charts.example.com", 27, Use::RemoteChart),
        ];
        assert_eq!(references, wanted.map(|(text, line, usage)| (text.to_owned(), line, usage)));
    }
}
