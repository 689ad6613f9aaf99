//! Defines which apps a repo holds, without any configuration.
//!
//! - every kustomization that no other one includes, except components;
//! - every chart that nobody includes as a dependency, except library charts;
//! - every topmost folder that holds plain manifests which belong to neither, with its subfolders.
//!
//! Hidden folders are skipped, and files that only look like manifests do not count (see [`render::is_served_kind`]).

mod belonging;
mod naming;
mod survey;
#[cfg(test)]
mod tests;

use crate::model::app::HelmSpec;
use crate::model::{App, AppId, Engine, Notice, Origin, RenderSpec, RepoId, Tree, TreeError};
use crate::render::{self, paths};
use belonging::Belonging;
use naming::Place;
use std::collections::BTreeSet;
use survey::{Folder, Survey};

/// What was found in a repo.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Discovered {
    /// Sorted by path. Names are unique.
    pub apps: Vec<App>,
    /// The repo's other apps, where less than the whole repo was asked for.
    pub others: Vec<App>,
    /// Those of `apps` that the whole repo does not have as such: a file of an app, or a base of one.
    pub parts: BTreeSet<AppId>,
    pub notices: Vec<Notice>,
}

/// Finds the apps of a repo. Their names depend on the files and on `repo_name` alone.
///
/// Reads the tree once: file names everywhere, kustomizations and charts whole, and of other YAML and JSON only until the
/// first manifest of a folder. Blocks; at most `limits::REPO_FILES` files are looked at, with a warning beyond.
pub fn discover(tree: &dyn Tree, repo: &RepoId, repo_name: &str) -> Discovered {
    let survey = Survey::of(tree, "");
    let found = find(tree, &survey);
    Discovered { apps: name(found, repo, repo_name), notices: survey.notices, ..Discovered::default() }
}

/// Finds what a path that the user gave stands for: a file, a folder, a kustomization or a chart.
///
/// A kustomization or chart is exactly that, also where another one includes it. Of a folder it is whatever can be
/// rendered under it. If it is one app it is `expected`. What else the repo holds comes as `others`. Errors: there is nothing at the path, or it cannot be read.
pub fn discover_at(
    tree: &dyn Tree,
    repo: &RepoId,
    repo_name: &str,
    path: &str,
) -> Result<Discovered, TreeError> {
    let (found, mut notices) = find_at(tree, path)?;
    let whole = discover(tree, repo, repo_name);
    let mut apps = Vec::with_capacity(found.len());
    let mut unknown = Vec::new();
    for candidate in found {
        let same = |app: &&App| app.path == candidate.path && app.spec.word() == candidate.spec.word();
        match whole.apps.iter().find(same) {
            Some(app) => apps.push(App { spec: candidate.spec, declared: candidate.declared, ..app.clone() }),
            None => unknown.push(candidate),
        }
    }
    let others = whole.apps.iter().filter(|app| !apps.iter().any(|asked| asked.id == app.id));
    let others: Vec<App> = others.cloned().collect();
    let mut parts = BTreeSet::new();
    if !unknown.is_empty() {
        let named = name_beside(unknown, &whole.apps, repo, repo_name);
        parts.extend(named.iter().map(|app| app.id.clone()));
        apps.extend(named);
    }
    let alone = apps.len() == 1;
    for app in &mut apps {
        app.expected = alone;
    }
    notices.extend(whole.notices.into_iter().filter(|_| path.is_empty()));
    notices.dedup();
    Ok(Discovered { apps, others, parts, notices })
}

/// An app that has no name yet.
#[derive(Debug, Clone, PartialEq)]
struct Candidate {
    path: String,
    spec: RenderSpec,
    declared: Origin,
    /// The path is one file's.
    is_file: bool,
}

fn find_at(tree: &dyn Tree, path: &str) -> Result<(Vec<Candidate>, Vec<Notice>), TreeError> {
    let entries = match tree.list(path) {
        Ok(entries) => entries,
        Err(no_folder) => {
            return match tree.read(path) {
                Ok(text) => Ok((vec![of_file(tree, path, &text)], Vec::new())),
                Err(TreeError::IsFolder { .. }) => Err(no_folder),
                Err(error) => Err(error),
            };
        }
    };
    let kustomization = entries.iter().find(|e| render::is_kustomization_file(&e.name));
    let chart = entries.iter().find(|e| render::is_chart_file(&e.name));
    let survey = Survey::of(tree, path);
    match (kustomization, chart) {
        (Some(_), _) if survey.root.kustomization.is_some() => {
            Ok((survey.root.kustomization.iter().map(|k| kustomize(&k.file)).collect(), survey.notices))
        }
        (_, Some(_)) => Ok((vec![helm(tree, path)], survey.notices)),
        _ => Ok((find(tree, &survey), survey.notices)),
    }
}

fn of_file(tree: &dyn Tree, path: &str, text: &[u8]) -> Candidate {
    let name = paths::name(path);
    if render::is_kustomization_file(name) && survey::is_kustomization(tree, path) {
        return kustomize(path);
    }
    if render::is_chart_file(name) {
        return helm(tree, paths::parent(path));
    }
    let declared = Origin { file: path.to_owned(), document: 0, line: render::first_manifest(text) };
    Candidate {
        path: path.to_owned(),
        spec: RenderSpec::Plain { exclude: Vec::new() },
        declared,
        is_file: true,
    }
}

fn kustomize(file: &str) -> Candidate {
    let declared = Origin { file: file.to_owned(), document: 0, line: Some(1) };
    let path = paths::parent(file).to_owned();
    Candidate { path, spec: RenderSpec::Kustomize, declared, is_file: false }
}

/// A chart is rendered under its own name: that is what most people install it as.
fn helm(tree: &dyn Tree, folder: &str) -> Candidate {
    let file = paths::child(folder, "Chart.yaml");
    let release =
        render::Chart::read(tree, folder).map_or_else(|_| paths::name(folder).to_owned(), |chart| chart.name);
    let spec = HelmSpec { release, values: Vec::new(), include_crds: true };
    let declared = Origin { file, document: 0, line: Some(1) };
    Candidate { path: folder.to_owned(), spec: RenderSpec::Helm(spec), declared, is_file: false }
}

/// Finds the apps of a survey, sorted by path.
fn find(tree: &dyn Tree, survey: &Survey) -> Vec<Candidate> {
    let belonging = Belonging::of(tree, &survey.root);
    let mut found: Vec<Candidate> = belonging.top_kustomizations().map(kustomize).collect();
    found.extend(belonging.top_charts().map(|folder| helm(tree, folder)));
    find_plain(tree, &survey.root, &belonging, None, &mut found);
    found.sort_by(|a, b| (&a.path, a.spec.word()).cmp(&(&b.path, b.spec.word())));
    found
}

/// Finds the topmost folders of plain manifests at and below a folder; `within`: the one that is being looked through.
fn find_plain(
    tree: &dyn Tree,
    folder: &Folder,
    belonging: &Belonging,
    within: Option<usize>,
    found: &mut Vec<Candidate>,
) {
    let exclude = |path: &str, within: Option<usize>, found: &mut Vec<Candidate>| {
        if let Some(Candidate { spec: RenderSpec::Plain { exclude }, .. }) =
            within.and_then(|at| found.get_mut(at))
        {
            exclude.push(path.to_owned());
        }
    };
    if folder.skipped || folder.is_app_of_its_own() {
        exclude(&folder.path, within, found);
        for below in &folder.folders {
            find_plain(tree, below, belonging, None, found);
        }
        return;
    }
    let within = within.or_else(|| {
        let (file, line) = first_manifest(tree, folder, belonging)?;
        found.push(Candidate {
            path: folder.path.clone(),
            spec: RenderSpec::Plain { exclude: Vec::new() },
            declared: Origin { file, document: 0, line: Some(line) },
            is_file: false,
        });
        Some(found.len() - 1)
    });
    for file in folder.files.iter().map(|name| paths::child(&folder.path, name)) {
        if belonging.claims(&file) {
            exclude(&file, within, found);
        }
    }
    for below in &folder.folders {
        find_plain(tree, below, belonging, within, found);
    }
}

/// Returns the first file of a folder that holds a manifest of its own, with the manifest's line.
fn first_manifest(tree: &dyn Tree, folder: &Folder, belonging: &Belonging) -> Option<(String, usize)> {
    let files = folder.files.iter().map(|name| paths::child(&folder.path, name));
    files.filter(|file| !belonging.claims(file)).find_map(|file| {
        let text = tree.read(&file).ok()?;
        let line = render::first_manifest(&text)?;
        Some((file, line))
    })
}

fn name(found: Vec<Candidate>, repo: &RepoId, repo_name: &str) -> Vec<App> {
    let places: Vec<Place> = found.iter().map(place).collect();
    let names = naming::names(&places, repo_name);
    found.into_iter().zip(names).map(|(candidate, name)| app(candidate, name, repo)).collect()
}

/// Names apps that discovery itself would not find, without giving a name of `others` again.
fn name_beside(found: Vec<Candidate>, others: &[App], repo: &RepoId, repo_name: &str) -> Vec<App> {
    let taken: Vec<&str> = others.iter().map(|app| app.id.name.as_str()).collect();
    let places: Vec<Place> = found.iter().map(place).collect();
    let names = naming::names_beside(&places, repo_name, &taken);
    found.into_iter().zip(names).map(|(candidate, name)| app(candidate, name, repo)).collect()
}

fn place(candidate: &Candidate) -> Place {
    let (folder, file) = if candidate.is_file {
        (paths::parent(&candidate.path), Some(paths::name(&candidate.path)))
    } else {
        (candidate.path.as_str(), None)
    };
    Place::new(folder, file, candidate.spec.word())
}

fn app(candidate: Candidate, name: String, repo: &RepoId) -> App {
    App {
        id: AppId { repo: repo.clone(), name },
        path: candidate.path,
        spec: candidate.spec,
        engine: Engine::None,
        namespace: None,
        contexts: Vec::new(),
        revision: None,
        declared: candidate.declared,
        expected: false,
    }
}
