//! Defines how apps are named: by the repository alone, so that a name means the same on every machine.
//!
//! An app has the last segment of its folder that is no word of layout or environment, else the repository's name. Where
//! several have the same, all of them gain the segment before it, until they differ. Overlays of one app have the same
//! segments before: they gain those behind it, the last first (`web-dev`, `web-prod`).

use std::collections::{BTreeMap, BTreeSet};

/// Segments that say how a repository is laid out, or for which environment, and not what an app is.
const LAYOUT: [&str; 47] = [
    "base",
    "bases",
    "chart",
    "charts",
    "config",
    "configs",
    "deploy",
    "deployment",
    "deployments",
    "env",
    "environment",
    "environments",
    "envs",
    "helm",
    "k8s",
    "kube",
    "kubernetes",
    "kustomization",
    "kustomize",
    "manifest",
    "manifests",
    "overlay",
    "overlays",
    "resources",
    "variant",
    "variants",
    "yaml",
    "yamls",
    "acceptance",
    "dev",
    "develop",
    "development",
    "integration",
    "live",
    "local",
    "nonprod",
    "prd",
    "preprod",
    "preview",
    "prod",
    "production",
    "qa",
    "sandbox",
    "stage",
    "staging",
    "test",
    "uat",
];

/// Where an app stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    segments: Vec<String>,
    /// The index of the segment that names it.
    named_by: Option<usize>,
    /// What can be gained behind the name.
    behind: Vec<String>,
    gained_before: usize,
    gained_behind: usize,
}

impl Place {
    /// Takes an app's folder, its file's name if it is one file, and the word for how it renders.
    pub fn new(folder: &str, file: Option<&str>, word: &str) -> Self {
        let segments: Vec<String> =
            folder.split('/').filter(|segment| !segment.is_empty()).map(ToOwned::to_owned).collect();
        let named_by = segments.iter().rposition(|segment| !is_layout(segment));
        let mut behind = vec![word.to_owned()];
        behind.extend(segments.iter().skip(named_by.map_or(0, |at| at + 1)).cloned());
        behind.extend(file.map(|file| file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_owned()));
        Self { segments, named_by, behind, gained_before: 0, gained_behind: 0 }
    }

    fn name(&self, repo_name: &str) -> String {
        let mut parts: Vec<&str> = match self.named_by {
            Some(at) => self.segments[at - self.gained_before..=at].iter().map(String::as_str).collect(),
            None => vec![repo_name],
        };
        parts.extend(self.behind[self.behind.len() - self.gained_behind..].iter().map(String::as_str));
        parts.join("-")
    }

    /// Returns the path that ends with the segment that names it.
    fn base(&self) -> &[String] {
        self.named_by.map_or(&[], |at| &self.segments[..=at])
    }

    fn gain_before(&mut self) -> bool {
        let more = self.named_by.is_some_and(|at| self.gained_before < at);
        self.gained_before += usize::from(more);
        more
    }

    fn gain_behind(&mut self) -> bool {
        let more = self.gained_behind < self.behind.len();
        self.gained_behind += usize::from(more);
        more
    }
}

fn is_layout(segment: &str) -> bool {
    LAYOUT.iter().any(|word| segment.eq_ignore_ascii_case(word))
}

/// Returns a name for each place, all different.
pub(super) fn names(places: &[Place], repo_name: &str) -> Vec<String> {
    names_beside(places, repo_name, &[])
}

/// Returns a name for each place, all different and none of those that are taken.
pub(super) fn names_beside(places: &[Place], repo_name: &str, taken: &[&str]) -> Vec<String> {
    let mut places = places.to_vec();
    let taken: BTreeSet<&str> = taken.iter().copied().collect();
    let mut stuck = BTreeSet::new();
    loop {
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, place) in places.iter().enumerate() {
            groups.entry(place.name(repo_name)).or_default().push(at);
        }
        let collided = groups.into_iter().find(|(name, group)| {
            (group.len() > 1 || taken.contains(name.as_str())) && !stuck.contains(name)
        });
        let Some((name, group)) = collided else { break };
        if !tell_apart(&mut places, &group) {
            stuck.insert(name);
        }
    }
    number(places.iter().map(|place| place.name(repo_name)).collect(), &taken)
}

/// Lets the places of a group gain one segment each. Returns whether any could.
fn tell_apart(places: &mut [Place], group: &[usize]) -> bool {
    let bases: BTreeSet<&[String]> = group.iter().map(|at| places[*at].base()).collect();
    let differ_before = bases.len() > 1;
    let mut gained = false;
    if differ_before || group.len() == 1 {
        for at in group {
            gained |= places[*at].gain_before();
        }
    }
    if !gained {
        for at in group {
            gained |= places[*at].gain_behind();
        }
    }
    gained
}

/// Numbers what is still the same, from the second on: `a-b/c` and `a/b-c`.
fn number(mut names: Vec<String>, taken: &BTreeSet<&str>) -> Vec<String> {
    let mut given: BTreeSet<String> = taken.iter().map(|name| (*name).to_owned()).collect();
    for name in &mut names {
        let mut count = 2;
        let plain = name.clone();
        while !given.insert(name.clone()) {
            *name = format!("{plain}-{count}");
            count += 1;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(folders: &[&str]) -> Vec<String> {
        let places: Vec<Place> = folders.iter().map(|folder| Place::new(folder, None, "plain")).collect();
        names(&places, "shop")
    }

    #[test]
    fn a_name_is_the_last_segment_that_says_what_the_app_is() {
        assert_eq!(named(&["apps/web/overlays/prod"]), ["web"]);
        assert_eq!(named(&["apps/web"]), ["web"]);
        assert_eq!(named(&["deploy/k8s"]), ["shop"]);
        assert_eq!(named(&[""]), ["shop"]);
        assert_eq!(named(&["Kubernetes/Prod"]), ["shop"]);
    }

    #[test]
    fn all_that_collide_gain_the_segment_before_until_unique() {
        assert_eq!(named(&["a/web", "b/web", "db"]), ["a-web", "b-web", "db"]);
        assert_eq!(named(&["a/x/web", "b/x/web"]), ["a-x-web", "b-x-web"]);
        assert_eq!(named(&["team-a/web/deploy", "team-b/web/deploy"]), ["team-a-web", "team-b-web"]);
        assert_eq!(named(&["web", "b/web"]), ["web", "b-web"]);
    }

    #[test]
    fn overlays_of_one_app_gain_their_environment() {
        assert_eq!(
            named(&["apps/web/overlays/dev", "apps/web/overlays/prod", "apps/db/overlays/dev"]),
            ["web-dev", "web-prod", "db"]
        );
        assert_eq!(
            named(&["overlays/dev", "overlays/staging", "overlays/prod"]),
            ["shop-dev", "shop-staging", "shop-prod"]
        );
        assert_eq!(
            named(&["a/web/overlays/dev", "a/web/overlays/prod", "b/web"]),
            ["a-web-dev", "a-web-prod", "b-web"]
        );
        assert_eq!(named(&["web/k8s/dev", "web/helm/dev"]), ["web-k8s-dev", "web-helm-dev"]);
    }

    #[test]
    fn names_are_unique_whatever_the_paths() {
        assert_eq!(named(&["a-b/c", "a/b-c", "x/a/b-c", "c"]).len(), 4);
        let mut names = named(&["a-b/c", "a/b-c", "c", "b-c", "a/a/b-c", "shop", "", "deploy"]);
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 8, "{names:?}");
        let twice = [Place::new("web", None, "helm"), Place::new("web", None, "kustomize")];
        assert_eq!(super::names(&twice, "shop"), ["web-helm", "web-kustomize"]);
    }
}
