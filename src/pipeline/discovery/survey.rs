//! Defines the one pass over a repo's folders: where kustomizations, charts and files that may be manifests are.

use crate::model::tree::EntryKind;
use crate::model::{Notice, Tree, TreeEntry, limits};
use crate::render::{self, Kustomization, paths};

/// The folders of a chart whose files are the chart's own.
///
/// Source: <https://helm.sh/docs/topics/charts/>, and chart-testing's `ci` folder.
const CHART_FOLDERS: [&str; 6] = ["charts", "ci", "crds", "files", "templates", "tests"];

/// What was seen of a repo.
#[derive(Debug)]
pub(super) struct Survey {
    pub root: Folder,
    pub notices: Vec<Notice>,
}

/// One folder as it was seen.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub path: String,
    pub kustomization: Option<Found>,
    pub is_chart: bool,
    /// Names of files that may be manifests.
    pub files: Vec<String>,
    pub folders: Vec<Folder>,
    /// Its files are other projects'.
    pub skipped: bool,
}

/// A kustomization file.
#[derive(Debug)]
pub(super) struct Found {
    pub file: String,
    /// `None`: it cannot be read, which rendering it will say.
    pub read: Option<Kustomization>,
}

impl Folder {
    /// Returns whether the folder's own files belong to a kustomization or a chart.
    pub fn is_app_of_its_own(&self) -> bool {
        self.kustomization.is_some() || self.is_chart
    }
}

impl Survey {
    /// Looks through a folder and everything below it.
    pub fn of(tree: &dyn Tree, path: &str) -> Self {
        let mut walk = Walk { tree, files: 0, notices: Vec::new() };
        let root = walk.folder(path, 0);
        if walk.files >= limits::REPO_FILES {
            let title = format!("only the first {} files were looked at", limits::REPO_FILES);
            walk.notices.push(Notice::warning(title).hint("Name the apps' paths to look at these alone."));
        }
        Self { root, notices: walk.notices }
    }
}

struct Walk<'a> {
    tree: &'a dyn Tree,
    files: usize,
    notices: Vec<Notice>,
}

impl Walk<'_> {
    fn folder(&mut self, path: &str, depth: usize) -> Folder {
        let mut folder = Folder { path: path.to_owned(), ..Folder::default() };
        if depth > limits::FOLDER_DEPTH {
            let title = format!("folders more than {} deep are not looked at", limits::FOLDER_DEPTH);
            self.notices.push(Notice::warning(title).file(path, None));
            return folder;
        }
        let entries = match self.tree.list(path) {
            Ok(entries) => entries,
            Err(error) => {
                self.notices.push(Notice::warning(error.to_string()).file(path, None));
                return folder;
            }
        };
        if is_of_others(path, &entries) {
            folder.skipped = true;
            return folder;
        }
        self.files += entries.len();
        folder.is_chart =
            entries.iter().any(|entry| entry.kind != EntryKind::Folder && render::is_chart_file(&entry.name));
        for entry in &entries {
            if !paths::is_hidden(&entry.name) && self.files < limits::REPO_FILES {
                self.entry(&mut folder, entry, depth);
            }
        }
        folder
    }

    fn entry(&mut self, folder: &mut Folder, entry: &TreeEntry, depth: usize) {
        let path = paths::child(&folder.path, &entry.name);
        match entry.kind {
            EntryKind::Folder => {
                let belongs_to_chart = folder.is_chart && CHART_FOLDERS.contains(&entry.name.as_str());
                if !belongs_to_chart {
                    folder.folders.push(self.folder(&path, depth + 1));
                }
            }
            EntryKind::File | EntryKind::Link => {
                if render::is_kustomization_file(&entry.name)
                    && folder.kustomization.is_none()
                    && is_kustomization(self.tree, &path)
                {
                    let read = Kustomization::read(self.tree, &path).ok();
                    folder.kustomization = Some(Found { file: path, read });
                } else if paths::is_manifest_file(&entry.name) {
                    folder.files.push(entry.name.clone());
                }
            }
            EntryKind::Submodule => {}
        }
    }
}

/// Returns whether a file of that name is what it seems: other objects of that kind, such as Flux's, are manifests.
pub(super) fn is_kustomization(tree: &dyn Tree, path: &str) -> bool {
    tree.read(path).is_ok_and(|text| render::first_manifest(&text).is_none())
}

/// Returns whether a folder holds what a package manager put there: `node_modules`, and `vendor` as Go fills it.
fn is_of_others(path: &str, entries: &[TreeEntry]) -> bool {
    match paths::name(path) {
        "node_modules" => true,
        "vendor" => entries.iter().any(|entry| entry.name == "modules.txt"),
        _ => false,
    }
}
