//! Finds out what driftdeck has to work with: programs and files of this machine, and of each cluster its version, the
//! user's rights, where schemas come from, and what may rewrite what is applied. Reads and named reviews only.

use super::admission;
use crate::config::paths::Folders;
use crate::git::Git;
use crate::model::{BuiltIn, BuiltIns, ClusterFacts, GroupVersionKind, Manifest, Scope, ServedKind};
use crate::pipeline::setup::ClusterSetup;
use crate::render::{Tool, Tools};
use futures::StreamExt as _;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Named reviews that run at the same time.
const AT_ONCE: usize = 8;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    Fine,
    /// It works, and something follows from how it is.
    Limited,
    Missing,
}

impl Condition {
    /// Returns the word of the document.
    pub fn word(self) -> &'static str {
        match self {
            Condition::Fine => "fine",
            Condition::Limited => "limited",
            Condition::Missing => "missing",
        }
    }
}

/// One thing that was found, or found missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it belongs to: `machine`, or a cluster's context.
    pub area: String,
    /// What it is: `helm`, `rights`.
    pub subject: &'static str,
    pub condition: Condition,
    pub says: String,
    /// What follows from it, where it is not fine.
    pub follows: Option<String>,
}

impl Finding {
    pub fn fine(area: &str, subject: &'static str, says: impl Into<String>) -> Self {
        let (area, says) = (area.to_owned(), says.into());
        Self { area, subject, condition: Condition::Fine, says, follows: None }
    }

    pub fn limited(
        area: &str,
        subject: &'static str,
        says: impl Into<String>,
        follows: impl Into<String>,
    ) -> Self {
        let follows = Some(follows.into());
        Self { condition: Condition::Limited, follows, ..Self::fine(area, subject, says) }
    }

    pub fn missing(
        area: &str,
        subject: &'static str,
        says: impl Into<String>,
        follows: impl Into<String>,
    ) -> Self {
        Self { condition: Condition::Missing, ..Self::limited(area, subject, says, follows) }
    }
}

const MACHINE: &str = "machine";

/// Examines the programs and files of this machine. `configuration`: the file that was asked for.
pub async fn machine(tools: &Tools, folders: Option<&Folders>, configuration: Option<&Path>) -> Vec<Finding> {
    let mut found = vec![git().await];
    for tool in Tool::ALL {
        found.push(renderer(tools, tool).await);
    }
    found.extend(files(folders, configuration));
    found
}

async fn git() -> Finding {
    match Git::find(std::env::vars_os(), &CancellationToken::new()).await {
        Ok(git) => Finding::fine(MACHINE, "git", format!("{}, {}", git.version(), git.program().display())),
        Err(error) => {
            let follows = "remote repositories are not fetched; local ones are read all the same";
            Finding::missing(MACHINE, "git", error.to_string(), follows)
        }
    }
}

async fn renderer(tools: &Tools, tool: Tool) -> Finding {
    let Some(path) = tools.path(tool) else {
        let follows = match tool {
            Tool::Helm => "apps that are charts are not rendered",
            Tool::Kustomize if tools.path(Tool::Kubectl).is_some() => {
                "kubectl renders kustomizations instead"
            }
            Tool::Kubectl if tools.path(Tool::Kustomize).is_some() => {
                "nothing: kustomize renders kustomizations"
            }
            Tool::Kustomize | Tool::Kubectl => "apps that are kustomizations are not rendered",
        };
        return Finding::missing(MACHINE, tool.program(), "not on the PATH", follows);
    };
    let version = tools.version(tool).await.unwrap_or("it does not say its version");
    Finding::fine(MACHINE, tool.program(), format!("{version}, {}", path.display()))
}

fn files(folders: Option<&Folders>, configuration: Option<&Path>) -> Vec<Finding> {
    let Some(folders) = folders else {
        let follows = "nothing is cached or recorded, and nothing is written to a cluster: set HOME";
        return vec![Finding::missing(MACHINE, "folders", "no home folder is known", follows)];
    };
    let place = |path: &Path| {
        if path.exists() { path.display().to_string() } else { format!("{}, not there yet", path.display()) }
    };
    let file = configuration.map_or_else(|| folders.config.join("config.yaml"), Path::to_owned);
    let configuration = if file.exists() {
        file.display().to_string()
    } else {
        format!("none at {}; none is needed", file.display())
    };
    vec![
        Finding::fine(MACHINE, "configuration", configuration),
        Finding::fine(MACHINE, "state", place(&folders.state)),
        Finding::fine(MACHINE, "cache", place(&folders.cache)),
    ]
}

/// Lists the built-in ignore rules: what each hides, and whether it holds.
pub fn built_in_rules(holding: BuiltIns) -> Vec<Finding> {
    const AREA: &str = "built-in ignore rules";
    let rule = |rule: BuiltIn| {
        let hides = rule.hides();
        if holding.holds(rule) {
            Finding::fine(AREA, rule.name(), format!("on: {hides}"))
        } else {
            let follows = "the configuration switches it off: such differences count";
            Finding::limited(AREA, rule.name(), format!("off: {hides}"), follows)
        }
    };
    BuiltIn::ALL.map(rule).into()
}

/// Examines a cluster for what is declared for it.
pub async fn cluster(setup: &ClusterSetup, declared: &[Arc<Manifest>]) -> Vec<Finding> {
    let area = setup.cluster.name().to_owned();
    let facts = match setup.cluster.facts().await {
        Ok(facts) => facts,
        Err(error) => {
            let follows = "nothing of it is compared";
            return vec![Finding::missing(&area, "connection", error.to_string(), follows)];
        }
    };
    let mut found = vec![connection(&area, &facts), guard(&area, setup)];
    found.extend(facts.failed_groups.iter().map(|(group, why)| {
        let says = format!("the API group {group} does not answer: {why}");
        Finding::limited(&area, "discovery", says, "its kinds are unknown until it does")
    }));
    let kinds: BTreeSet<GroupVersionKind> = declared.iter().map(|m| m.kind.clone()).collect();
    found.extend(schema(&area, setup, kinds).await);
    found.push(rights(&area, setup, &facts, declared).await);
    found.push(mutators(&area, setup, &facts, declared).await);
    found
}

fn connection(area: &str, facts: &ClusterFacts) -> Finding {
    let version = facts.version.as_deref().unwrap_or("of no known version");
    let user = facts.user.as_deref().unwrap_or("a user whom it does not name");
    Finding::fine(
        area,
        "connection",
        format!("Kubernetes {version}, as {user}, {} kinds served", facts.kinds.len()),
    )
}

fn guard(area: &str, setup: &ClusterSetup) -> Finding {
    let says = match (setup.read_only, setup.protected) {
        (true, _) => "read-only: nothing is written; exact checks work, since a dry run writes nothing",
        (false, true) => "protected: its name is typed before anything is written",
        (false, false) => "may be written to, after a plan was confirmed",
    };
    Finding::fine(area, "guard", says)
}

async fn schema(area: &str, setup: &ClusterSetup, kinds: BTreeSet<GroupVersionKind>) -> Option<Finding> {
    if kinds.is_empty() {
        return None;
    }
    let schema = match setup.cluster.schema(kinds.iter().cloned().collect()).await {
        Ok(schema) => schema,
        Err(error) => {
            let follows = "the built-in schema is used; custom resources are compared as plain data";
            return Some(Finding::limited(area, "schema", error.to_string(), follows));
        }
    };
    let without: Vec<String> =
        kinds.iter().filter(|k| schema.kind(k).is_none()).map(|k| k.group_kind().to_string()).collect();
    let says = format!(
        "the cluster's own /openapi/v3 has {} of {} declared kinds",
        kinds.len() - without.len(),
        kinds.len()
    );
    Some(if without.is_empty() {
        Finding::fine(area, "schema", says)
    } else {
        let follows = format!("compared as plain data, and marked: {}", without.join(", "));
        Finding::limited(area, "schema", says, follows)
    })
}

/// Asks for each declared kind in each of its namespaces whether the user may list and patch it.
async fn rights(
    area: &str,
    setup: &ClusterSetup,
    facts: &ClusterFacts,
    declared: &[Arc<Manifest>],
) -> Finding {
    let mut places: BTreeMap<(String, Option<String>), (ServedKind, Scope)> = BTreeMap::new();
    for manifest in declared {
        let Some(served) = facts.served(&manifest.kind) else { continue };
        let scope = manifest.id.namespace.clone().map_or(Scope::All, Scope::Namespace);
        places.insert((served.resource(), manifest.id.namespace.clone()), (served.clone(), scope));
    }
    let asked = places.len();
    let answers: Vec<(String, &'static str, bool)> = futures::stream::iter(places)
        .flat_map(|(place, target)| {
            let questions = ["list", "patch"].map(|verb| (place.clone(), target.clone(), verb));
            futures::stream::iter(questions)
        })
        .map(|((resource, namespace), (kind, scope), verb)| async move {
            let may = setup.cluster.may(verb, kind, scope).await.unwrap_or(false);
            let place = namespace.map_or(resource.clone(), |namespace| format!("{resource} in {namespace}"));
            (place, verb, may)
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let denied = |verb: &str| -> Vec<String> {
        answers.iter().filter(|(_, v, may)| *v == verb && !may).map(|(place, ..)| place.clone()).collect()
    };
    let (unlisted, unpatched) = (denied("list"), denied("patch"));
    let says = format!(
        "may list {} and patch {} of {asked} declared kinds and namespaces",
        asked - unlisted.len(),
        asked - unpatched.len()
    );
    let mut follows = Vec::new();
    if !unlisted.is_empty() {
        follows.push(format!("unknown, because they may not be listed: {}", unlisted.join(", ")));
    }
    if !unpatched.is_empty() {
        follows.push(format!(
            "no exact check and no sync, because they may not be patched: {}",
            unpatched.join(", ")
        ));
    }
    if follows.is_empty() {
        Finding::fine(area, "rights", says)
    } else {
        Finding::limited(area, "rights", says, follows.join("; "))
    }
}

/// Names the webhooks and policies that may rewrite what is declared.
async fn mutators(
    area: &str,
    setup: &ClusterSetup,
    facts: &Arc<ClusterFacts>,
    declared: &[Arc<Manifest>],
) -> Finding {
    const SUBJECT: &str = "webhooks and policies";
    let admission = match admission::read(&*setup.cluster, Some(facts.clone())).await {
        Some(admission) if !admission.is_incomplete() => admission,
        _ => {
            let follows = "drift that one of them causes is not marked; --exact tells it all the same";
            return Finding::limited(area, SUBJECT, "they may not be read", follows);
        }
    };
    let mut objects: BTreeMap<&str, usize> = BTreeMap::new();
    for manifest in declared {
        for name in admission.matching(manifest, None) {
            *objects.entry(name).or_default() += 1;
        }
    }
    let count = admission.names().count();
    if objects.is_empty() {
        return Finding::fine(
            area,
            SUBJECT,
            format!("{count} that mutate, none of them what is declared here"),
        );
    }
    let named: Vec<String> = objects.iter().map(|(name, n)| format!("{name} ({n} objects)")).collect();
    let says = format!("{count} that mutate, of what is declared here: {}", named.join(", "));
    Finding::limited(
        area,
        SUBJECT,
        says,
        "declared values may be rewritten: such drift is marked, and --exact settles it",
    )
}
