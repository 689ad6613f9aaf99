//! Defines which kustomizations, charts and files belong to another kustomization or chart.

use super::survey::Folder;
use crate::model::Tree;
use crate::render::{Chart, Kustomization, paths};
use std::collections::{BTreeMap, BTreeSet};

/// What includes what.
pub(super) struct Belonging {
    /// The kustomization file of each folder that has one, with the folders that it refers to.
    kustomizations: BTreeMap<String, Included>,
    charts: BTreeSet<String>,
    included_charts: BTreeSet<String>,
    /// Whatever a kustomization names: files, and folders.
    claimed: BTreeSet<String>,
}

struct Included {
    file: String,
    is_component: bool,
    folders: BTreeSet<String>,
}

impl Belonging {
    /// Works out what belongs to what in a survey.
    pub fn of(tree: &dyn Tree, root: &Folder) -> Self {
        let mut belonging = Self {
            kustomizations: BTreeMap::new(),
            charts: BTreeSet::new(),
            included_charts: BTreeSet::new(),
            claimed: BTreeSet::new(),
        };
        belonging.take(tree, root);
        belonging
    }

    fn take(&mut self, tree: &dyn Tree, folder: &Folder) {
        if let Some(found) = &folder.kustomization {
            let references = found.read.as_ref().map(Kustomization::references).unwrap_or_default();
            let named: BTreeSet<String> = references
                .iter()
                .filter_map(|reference| paths::join(&folder.path, &reference.text))
                .collect();
            self.claimed.extend(named.iter().cloned());
            self.included_charts.extend(named.iter().cloned());
            let is_component = found.read.as_ref().is_some_and(Kustomization::is_component);
            let included = Included { file: found.file.clone(), is_component, folders: named };
            self.kustomizations.insert(folder.path.clone(), included);
        }
        if folder.is_chart {
            let chart = Chart::read(tree, &folder.path).ok();
            if !chart.as_ref().is_some_and(|chart| chart.is_library) {
                self.charts.insert(folder.path.clone());
            }
            let dependencies = chart.iter().flat_map(|chart| &chart.dependencies);
            self.included_charts.extend(dependencies.filter_map(|d| d.folder_in_tree(&folder.path)));
        }
        folder.folders.iter().for_each(|below| self.take(tree, below));
    }

    /// Returns the files of the kustomizations that no other one includes, except components.
    ///
    /// Those that only include one another are led by the first of them: rendering it says what is wrong.
    pub fn top_kustomizations(&self) -> impl Iterator<Item = &str> {
        let included: BTreeSet<&str> = self
            .kustomizations
            .iter()
            .flat_map(|(folder, k)| k.folders.iter().filter(move |named| *named != folder))
            .map(String::as_str)
            .collect();
        let mut reached = BTreeSet::new();
        let mut top = BTreeSet::new();
        let roots = self.kustomizations.keys().filter(|folder| !included.contains(folder.as_str()));
        for folder in roots.chain(self.kustomizations.keys()) {
            if !reached.contains(folder.as_str()) {
                top.insert(folder.as_str());
                self.reach(folder, &mut reached);
            }
        }
        self.kustomizations
            .iter()
            .filter(move |(folder, k)| top.contains(folder.as_str()) && !k.is_component)
            .map(|(_, k)| k.file.as_str())
    }

    fn reach<'a>(&'a self, folder: &'a str, reached: &mut BTreeSet<&'a str>) {
        let mut open = vec![folder];
        while let Some(folder) = open.pop() {
            if let (true, Some(k)) = (reached.insert(folder), self.kustomizations.get(folder)) {
                open.extend(k.folders.iter().map(String::as_str));
            }
        }
    }

    /// Returns the folders of the charts that nothing includes.
    pub fn top_charts(&self) -> impl Iterator<Item = &str> {
        self.charts.difference(&self.included_charts).map(String::as_str)
    }

    /// Returns whether a kustomization names the file.
    pub fn claims(&self, file: &str) -> bool {
        self.claimed.contains(file)
    }
}
