//! Defines what a chart says of itself, and which files rendering it needs.
//!
//! Source: https://helm.sh/docs/topics/charts/.

use crate::model::manifest::FieldLines;
use crate::model::tree::EntryKind;
use crate::model::{Tree, TreeError, Value, limits};
use crate::render::error::RenderError;
use crate::render::export::Files;
use crate::render::paths;
use crate::text::yaml::read_documents;

/// Returns whether a file of this name declares a chart.
pub fn is_chart_file(name: &str) -> bool {
    name == "Chart.yaml"
}

/// What a chart says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The path of its `Chart.yaml`.
    pub file: String,
    pub name: String,
    /// Other charts use it; by itself it renders nothing.
    pub is_library: bool,
    pub dependencies: Vec<Dependency>,
}

/// A chart that another one needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    pub name: String,
    /// A URL; `file://` with a path relative to the chart; or empty, where the chart carries it.
    pub repository: String,
    /// The file that lists it: `Chart.yaml`, or `requirements.yaml` of older charts.
    pub file: String,
    pub line: Option<usize>,
}

impl Chart {
    /// Reads the chart of a folder.
    pub fn read(tree: &dyn Tree, folder: &str) -> Result<Self, RenderError> {
        let file = paths::child(folder, "Chart.yaml");
        let text = match tree.read(&file) {
            Err(TreeError::NotFound { .. }) => {
                return Err(RenderError::NothingThere { folder: folder.to_owned(), wanted: "Chart.yaml" });
            }
            text => text?,
        };
        let (value, lines) = document(&file, &text)?;
        let mut dependencies = dependencies(&file, &value, &lines);
        let requirements = paths::child(folder, "requirements.yaml");
        if value.str_at(&["apiVersion"]) != Some("v2")
            && let Ok(text) = tree.read(&requirements)
            && let Ok((value, lines)) = document(&requirements, &text)
        {
            dependencies.extend(self::dependencies(&requirements, &value, &lines));
        }
        let name = value.str_at(&["name"]).unwrap_or(paths::name(folder)).to_owned();
        Ok(Self { file, name, is_library: value.str_at(&["type"]) == Some("library"), dependencies })
    }
}

impl Dependency {
    /// Returns the folder that a dependency of the chart in `folder` stands in, where it is one of the tree.
    pub fn folder_in_tree(&self, folder: &str) -> Option<String> {
        paths::join(folder, self.repository.strip_prefix("file://")?)
    }
}

fn document(file: &str, text: &[u8]) -> Result<(Value, FieldLines), RenderError> {
    let unreadable = |line, fault: String| RenderError::Unreadable { file: file.to_owned(), line, fault };
    match read_documents(text).into_iter().next() {
        Some(Ok(document)) => Ok((document.value, document.lines)),
        Some(Err(error)) => Err(unreadable(error.line, error.fault.to_string())),
        None => Err(unreadable(None, "it is empty".to_owned())),
    }
}

fn dependencies(file: &str, value: &Value, lines: &FieldLines) -> Vec<Dependency> {
    let listed = value.get("dependencies").and_then(Value::as_list).unwrap_or_default();
    listed
        .iter()
        .enumerate()
        .filter_map(|(index, dependency)| {
            Some(Dependency {
                name: dependency.str_at(&["name"])?.to_owned(),
                repository: dependency.str_at(&["repository"]).unwrap_or_default().to_owned(),
                file: file.to_owned(),
                line: lines.line_at(["dependencies", &index.to_string()]),
            })
        })
        .collect()
}

/// A chart with everything that rendering it needs.
#[derive(Debug)]
pub(super) struct Exported {
    pub chart: Chart,
    pub files: Files,
    /// The chart's folder.
    folder: String,
    /// Folders of the tree that stand in the copy as vendored charts: the copy's path and the tree's.
    vendored: Vec<(String, String)>,
}

/// Collects a chart with its dependencies.
pub(super) fn export(tree: &dyn Tree, folder: &str) -> Result<Exported, RenderError> {
    let chart = Chart::read(tree, folder)?;
    if chart.is_library {
        return Err(RenderError::LibraryChart { file: chart.file });
    }
    let mut files = Files::of(folder);
    files.add_folder(tree, folder)?;
    let mut vendored = Vec::new();
    vendor(tree, &chart, folder, folder, &mut files, &mut vendored, 0)?;
    Ok(Exported { chart, files, folder: folder.to_owned(), vendored })
}

/// Returns the folders of the tree outside of a chart that its export reads: charts that it depends on by a path, and
/// those that they depend on. Where one is not there, those that are found all the same.
pub(super) fn sources(tree: &dyn Tree, folder: &str) -> Vec<String> {
    let mut vendored = Vec::new();
    if let Ok(chart) = Chart::read(tree, folder) {
        // Why the export fails is said where the chart is rendered.
        let _ = vendor(tree, &chart, folder, folder, &mut Files::of(folder), &mut vendored, 0);
    }
    vendored.into_iter().map(|(_, source)| source).collect()
}

/// Adds the dependencies of the chart in `folder`, whose copy stands at `target`, that are charts of the tree.
fn vendor(
    tree: &dyn Tree,
    chart: &Chart,
    folder: &str,
    target: &str,
    files: &mut Files,
    vendored: &mut Vec<(String, String)>,
    depth: usize,
) -> Result<(), RenderError> {
    if depth > limits::LINKS_FOLLOWED {
        return Err(RenderError::TooDeep { path: folder.to_owned() });
    }
    let present = Present::in_charts_of(tree, folder)?;
    let mut missing = Vec::new();
    for dependency in &chart.dependencies {
        if present.holds(&dependency.name) {
            continue;
        }
        if dependency.repository.starts_with("file://") {
            let source = dependency.folder_in_tree(folder).ok_or_else(|| RenderError::LeavesTree {
                file: dependency.file.clone(),
                line: dependency.line,
                reference: dependency.repository.clone(),
            })?;
            let copy = format!("{}/{}", paths::child(target, "charts"), dependency.name);
            vendored.push((copy.clone(), source.clone()));
            let needed = Chart::read(tree, &source).map_err(|_| RenderError::Missing {
                file: dependency.file.clone(),
                line: dependency.line,
                reference: dependency.repository.clone(),
            })?;
            files.add_folder_as(tree, &source, &copy, 0)?;
            vendor(tree, &needed, &source, &copy, files, vendored, depth + 1)?;
        } else if !present.unnamed_archive {
            missing.push(dependency);
        }
    }
    match missing.first() {
        None => Ok(()),
        Some(first) => Err(RenderError::MissingDependencies {
            file: first.file.clone(),
            line: first.line,
            names: missing.iter().map(|d| d.name.clone()).collect(),
        }),
    }
}

/// What a chart's `charts` folder holds.
struct Present {
    folders: Vec<String>,
    /// Names of archives without their ending, such as `redis-19.0.1`.
    archives: Vec<String>,
    /// An archive whose name does not tell which chart it is: only helm can say.
    unnamed_archive: bool,
}

impl Present {
    fn in_charts_of(tree: &dyn Tree, folder: &str) -> Result<Self, RenderError> {
        let charts = paths::child(folder, "charts");
        let entries = match tree.list(&charts) {
            Err(TreeError::NotFound { .. }) => Vec::new(),
            entries => entries?,
        };
        let mut present = Self { folders: Vec::new(), archives: Vec::new(), unnamed_archive: false };
        for entry in entries {
            if let Some(stem) = entry.name.strip_suffix(".tgz") {
                present.unnamed_archive |= !stem.contains('-');
                present.archives.push(stem.to_owned());
            } else if entry.kind != EntryKind::File {
                let folder = paths::child(&charts, &entry.name);
                present.folders.extend(Chart::read(tree, &folder).ok().map(|chart| chart.name));
            }
        }
        Ok(present)
    }

    fn holds(&self, name: &str) -> bool {
        self.folders.iter().any(|folder| folder == name)
            || self.archives.iter().any(|archive| {
                archive == name || archive.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'))
            })
    }
}

impl Exported {
    /// Returns the file of the tree that helm calls `chart/path`; where it is packed in an archive, the archive.
    pub fn file_of(&self, named: &str) -> Option<String> {
        let (_, path) = named.split_once('/')?;
        let in_copy = paths::join(&self.folder, path)?;
        if let Some(file) = self.in_tree(&in_copy) {
            return Some(file);
        }
        let archive = in_copy.split("/charts/").nth(1)?.split('/').next()?;
        let charts = paths::child(&self.folder, "charts");
        let found = self.files.under(&charts).find(|file| {
            paths::name(file)
                .strip_prefix(archive)
                .is_some_and(|rest| rest.starts_with('-') && rest.strip_suffix(".tgz").is_some())
        });
        found.map(ToOwned::to_owned)
    }

    fn in_tree(&self, in_copy: &str) -> Option<String> {
        self.files.get(in_copy)?;
        let vendored = self.vendored.iter().filter(|(copy, _)| paths::is_within(in_copy, copy));
        let Some((copy, source)) = vendored.max_by_key(|(copy, _)| copy.len()) else {
            return Some(in_copy.to_owned());
        };
        Some(format!("{source}{}", &in_copy[copy.len()..]))
    }

    /// Returns the template and line that helm's words speak of, such as `(shop/templates/web.yaml:12:3)`.
    pub fn place_in(&self, words: &str) -> Option<(String, usize)> {
        let is_edge = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"' | '\'' | ',' | '<' | '>');
        // The last place is the innermost.
        words.split(is_edge).rev().find_map(|word| {
            let mut parts = word.trim_end_matches(':').split(':');
            let file = self.file_of(parts.next()?)?;
            Some((file, parts.next()?.parse().ok()?))
        })
    }
}
