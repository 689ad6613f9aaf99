//! Defines what field managers are: people, deployers, controllers, or names that nobody knows.

use std::collections::HashMap;

/// What a field manager is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ManagerKind {
    /// Writes by hand, or for a hand: kubectl, k9s, dashboards, browsers, scripts.
    Person,
    /// Brings objects from somewhere else: Git, a chart, a plan.
    Deployer,
    /// Runs in or beside the cluster and writes by itself.
    Controller,
    /// A name that stands in no table.
    Unknown,
}

/// The table of known managers.
#[derive(Debug, Clone, Default)]
pub struct Managers {
    exact: HashMap<String, ManagerKind>,
    /// Longest first, so that the most specific pattern wins.
    patterns: Vec<(String, ManagerKind)>,
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
                _ => continue,
            };
            words.for_each(|name| table.add(name, kind));
        }
        table
    }

    /// Adds a name or pattern; it replaces what the table said of the same one.
    pub fn add(&mut self, name: &str, kind: ManagerKind) {
        if name.contains('*') {
            self.patterns.retain(|(pattern, _)| pattern != name);
            let at = self.patterns.partition_point(|(pattern, _)| pattern.len() >= name.len());
            self.patterns.insert(at, (name.to_owned(), kind));
        } else {
            self.exact.insert(name.to_owned(), kind);
        }
    }

    /// Returns what a manager is.
    pub fn kind(&self, manager: &str) -> ManagerKind {
        if let Some(kind) = self.exact.get(manager) {
            return *kind;
        }
        self.patterns
            .iter()
            .find(|(pattern, _)| matches(pattern, manager))
            .map_or(ManagerKind::Unknown, |(_, kind)| *kind)
    }
}

/// Returns whether a name fits a pattern in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or(""),
            None => return false,
        }
    }
    rest.ends_with(last)
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
    fn an_added_name_wins_over_the_table() {
        let mut table = Managers::built_in();
        table.add("kubectl", ManagerKind::Controller);
        table.add("mystery*", ManagerKind::Person);
        assert_eq!(table.kind("kubectl"), ManagerKind::Controller);
        assert_eq!(table.kind("mystery-tool"), ManagerKind::Person);
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, fits) in [
            ("a*", "a", true),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("*b", "ba", false),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abde", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
