//! Defines what field managers are: people, deployers, controllers, or names that nobody knows.

use crate::model::Glob;
use crate::model::manager::{KnownManager, ManagerKind};
use std::collections::HashMap;

/// The table of known managers.
#[derive(Debug, Clone, Default)]
pub struct Managers {
    exact: HashMap<String, ManagerKind>,
    /// Longest first, so that the most specific pattern wins.
    patterns: Vec<(Glob, ManagerKind)>,
    /// Names that people know, by exact name.
    called: HashMap<String, String>,
    /// The same by pattern, longest first.
    called_like: Vec<(Glob, String)>,
}

const BUILT_IN: &str = include_str!("../../assets/managers.txt");

impl Managers {
    /// Returns the built-in table, `assets/managers.txt`.
    pub fn built_in() -> Self {
        Self::read(BUILT_IN)
    }

    /// Reads a table in the notation of `assets/managers.txt`. A line of an unknown class is left out.
    pub fn read(text: &str) -> Self {
        let mut table = Self::default();
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let mut words = line.split_whitespace();
            let kind = match words.next() {
                Some("person") => ManagerKind::Person,
                Some("deployer") => ManagerKind::Deployer,
                Some("controller") => ManagerKind::Controller,
                Some("called") => {
                    let (name, called) = (words.next().unwrap_or_default(), words.collect::<Vec<_>>());
                    table.call(name, &called.join(" "));
                    continue;
                }
                _ => continue,
            };
            words.for_each(|name| table.add(name, kind));
        }
        table
    }

    /// Adds a name or pattern; it replaces what the table said of the same one.
    pub fn add(&mut self, name: &str, kind: ManagerKind) {
        let glob = Glob::new(name);
        if glob.is_pattern() {
            self.patterns.retain(|(pattern, _)| *pattern != glob);
            let at = self.patterns.partition_point(|(pattern, _)| pattern.as_str().len() >= name.len());
            self.patterns.insert(at, (glob, kind));
        } else {
            self.exact.insert(name.to_owned(), kind);
        }
    }

    /// Gives a name or pattern the name that people know; it replaces what the table said of the same one.
    pub fn call(&mut self, name: &str, called: &str) {
        let glob = Glob::new(name);
        if glob.is_pattern() {
            self.called_like.retain(|(pattern, _)| *pattern != glob);
            let at = self.called_like.partition_point(|(pattern, _)| pattern.as_str().len() >= name.len());
            self.called_like.insert(at, (glob, called.to_owned()));
        } else {
            self.called.insert(name.to_owned(), called.to_owned());
        }
    }

    /// Returns the name that people know a manager by, where the table has one.
    pub fn called(&self, manager: &str) -> Option<&str> {
        let like = || self.called_like.iter().find(|(pattern, _)| pattern.matches_exactly(manager));
        self.called.get(manager).or_else(|| like().map(|(_, called)| called)).map(String::as_str)
    }

    /// Adds what the configuration says of managers; it goes before the table.
    pub fn learn<'k>(&mut self, known: impl IntoIterator<Item = &'k KnownManager>) {
        for KnownManager { name, kind, called, .. } in known {
            if let Some(kind) = kind {
                self.add(name, *kind);
            }
            if let Some(called) = called {
                self.call(name, called);
            }
        }
    }

    /// Returns what a manager is.
    pub fn kind(&self, manager: &str) -> ManagerKind {
        if let Some(kind) = self.exact.get(manager) {
            return *kind;
        }
        self.patterns
            .iter()
            .find(|(pattern, _)| pattern.matches_exactly(manager))
            .map_or(ManagerKind::Unknown, |(_, kind)| *kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_deployers_controllers_and_strangers_are_told_apart() {
        let table = Managers::built_in();
        for (name, kind) in [
            ("kubectl", ManagerKind::Person),
            ("kubectl-edit", ManagerKind::Person),
            ("k9s", ManagerKind::Person),
            ("Mozilla", ManagerKind::Person),
            ("curl", ManagerKind::Person),
            ("node-fetch", ManagerKind::Person),
            ("argocd-controller", ManagerKind::Deployer),
            ("helm", ManagerKind::Deployer),
            ("kustomize-controller", ManagerKind::Deployer),
            ("kube-controller-manager", ManagerKind::Controller),
            ("my-own-operator", ManagerKind::Controller),
            ("keda-operator", ManagerKind::Controller),
            ("mystery", ManagerKind::Unknown),
            ("", ManagerKind::Unknown),
        ] {
            assert_eq!(table.kind(name), kind, "{name}");
        }
    }

    #[test]
    fn managers_have_the_names_that_people_know() {
        let mut table = Managers::built_in();
        for (manager, called) in [
            ("kubectl-edit", Some("kubectl edit")),
            ("kubectl-client-side-apply", Some("kubectl apply")),
            ("k9s", Some("K9s")),
            ("OpenLens", Some("Lens")),
            ("Mozilla", Some("a browser")),
            ("argocd-controller", Some("Argo CD")),
            ("kustomize-controller", Some("Flux kustomize-controller")),
            ("horizontal-pod-autoscaler", Some("Horizontal Pod Autoscaler")),
            ("istio-sidecar-injector", Some("Istio")),
            ("mystery", None),
        ] {
            assert_eq!(table.called(manager), called, "{manager}");
        }
        table.call("mystery*", "Our Deployer");
        table.call("k9s", "the night shift");
        assert_eq!(table.called("mystery-7"), Some("Our Deployer"));
        assert_eq!(table.called("k9s"), Some("the night shift"));
    }

    #[test]
    fn an_added_name_wins_over_the_table() {
        let mut table = Managers::built_in();
        table.add("kubectl", ManagerKind::Controller);
        table.add("mystery*", ManagerKind::Person);
        assert_eq!(table.kind("kubectl"), ManagerKind::Controller);
        assert_eq!(table.kind("mystery-tool"), ManagerKind::Person);
    }
}
