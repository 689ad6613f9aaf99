//! Defines who deploys an object: by which field manager, and in which of the ways that Kubernetes knows.

use crate::model::field_path::Segment;
use crate::model::sealed::LAST_APPLIED;
use crate::model::{FieldSet, LiveObject, ManagedEntry, Manifest, Operation, Value};

/// How an object is written by whatever deploys it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Deployer {
    /// Server-side apply under this manager.
    ServerSide { manager: String },
    /// kubectl's client-side apply, or an engine's that works the same way: a patch with last-applied brought up to date.
    ClientSide,
    /// Helm's own patches, without last-applied.
    Helm,
    /// Nobody yet: driftdeck itself, by server-side apply.
    Driftdeck,
}

/// Several managers own equally many of the declared fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} apply equally many of its fields: choose one with --manager", .managers.join(" and "))]
pub struct DeployerTie {
    pub managers: Vec<String>,
}

/// The field manager under which driftdeck writes what nobody deployed before.
pub const DRIFTDECK: &str = "driftdeck";

impl Deployer {
    /// Returns the field manager to write under.
    pub fn manager(&self) -> &str {
        match self {
            Deployer::ServerSide { manager } => manager,
            Deployer::ClientSide => "kubectl-client-side-apply",
            Deployer::Helm => "helm",
            Deployer::Driftdeck => DRIFTDECK,
        }
    }
}

/// Where a deployer keeps what it last applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    /// In the annotation of client-side apply.
    LastApplied,
    /// In the engine's own Apply entry.
    Engine,
    /// In the Apply entry of whoever it is, in Helm's release, or nowhere.
    None,
}

/// Returns where what was last applied is kept, as far as annotations and the names of managers tell: no field set is
/// looked at.
pub(super) fn record(live: &LiveObject, engine: Option<&str>) -> Record {
    let client_side = live.annotation(LAST_APPLIED).is_some() || live.last_applied.is_some();
    let Some(engine) = engine else {
        return if client_side { Record::LastApplied } else { Record::None };
    };
    let entries = live.managed.as_deref().unwrap_or_default();
    let applies = entries.iter().any(|e| e.manager == engine && applies_objects(e));
    if client_side && !applies { Record::LastApplied } else { Record::Engine }
}

/// Returns how a live object is deployed: by the engine's manager; else, where last-applied is present, by client-side
/// apply; else by the Apply entry (no subresource) that owns most of the declared paths; else by Helm where its
/// annotations are; else by driftdeck.
///
/// An engine that has no Apply entry of its own but left last-applied works client-side.
pub fn deployer(
    live: &LiveObject,
    desired: &Manifest,
    engine: Option<&str>,
) -> Result<Deployer, DeployerTie> {
    let entries = live.managed.as_deref().unwrap_or_default();
    match (record(live, engine), engine) {
        (Record::LastApplied, _) => return Ok(Deployer::ClientSide),
        (Record::Engine, Some(engine)) => return Ok(Deployer::ServerSide { manager: engine.to_owned() }),
        (Record::Engine | Record::None, _) => {}
    }
    let mut best = 0;
    let mut managers: Vec<&str> = Vec::new();
    for entry in entries.iter().filter(|e| applies_objects(e)) {
        let owned = declared_members(&entry.fields, &desired.body);
        if owned > best {
            best = owned;
            managers.clear();
        }
        if owned == best && owned > 0 {
            managers.push(&entry.manager);
        }
    }
    // The order of the entries decides nothing.
    managers.sort_unstable();
    match managers.as_slice() {
        [] if live.annotation("meta.helm.sh/release-name").is_some() => Ok(Deployer::Helm),
        [] => Ok(Deployer::Driftdeck),
        [manager] => Ok(Deployer::ServerSide { manager: (*manager).to_owned() }),
        several => Err(DeployerTie { managers: several.iter().map(|m| (*m).to_owned()).collect() }),
    }
}

fn applies_objects(entry: &ManagedEntry) -> bool {
    entry.operation == Operation::Apply && entry.subresource.is_none()
}

/// Counts the members of a field set that the value declares. A keyed item is found by those of its keys that the
/// value spells out, because the others are defaulted.
fn declared_members(set: &FieldSet, value: &Value) -> usize {
    let below: usize = set
        .children
        .iter()
        .filter_map(|(segment, child)| find(value, segment).map(|found| declared_members(child, found)))
        .sum();
    below + usize::from(set.owned)
}

fn find<'v>(value: &'v Value, segment: &Segment) -> Option<&'v Value> {
    match segment {
        Segment::Field(name) => value.get(name),
        Segment::Keys(keys) => value.as_list()?.iter().find(|item| {
            let spelled = keys.iter().filter_map(|(key, scalar)| item.get(key).map(|v| v == &scalar.0));
            let (mut some, mut all) = (false, true);
            spelled.for_each(|equal| {
                some = true;
                all &= equal;
            });
            some && all
        }),
        Segment::Item(scalar) => value.as_list()?.iter().find(|item| **item == scalar.0),
        Segment::Index(at) => value.as_list()?.get(*at),
    }
}
