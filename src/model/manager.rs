//! Defines what field managers are: people, deployers, controllers, or names that nobody knows.

use super::manifest::Origin;

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

/// What the configuration says of a field manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownManager {
    /// The manager's name, or a pattern in which `*` stands for any text and `?` for any character.
    pub name: String,
    /// `None`: as the built-in table says.
    pub kind: Option<ManagerKind>,
    /// The name for people.
    pub called: Option<String>,
    pub declared: Origin,
}
