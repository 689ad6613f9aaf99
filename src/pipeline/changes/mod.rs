//! Tells what changed in all clusters and repos since some time: who wrote which fields, commits, what engines and
//! controllers did, warnings, and deletions that watches showed.
//!
//! What is known without asking comes first ([`known`]): managed fields of the objects that are held, commits, what watches
//! showed, what driftdeck itself did. Then clusters are asked for the rest ([`asked`]), within a time, and only then.

mod asked;
mod engines;
mod own;
mod telling;

pub use asked::{TIME, asked, asking};

use crate::action::journal::Journal;
use crate::cluster::Cluster;
use crate::drift::Managers;
use crate::git;
use crate::model::status::{ClusterState, RepoStatus};
use crate::model::{
    Blind, By, ClusterFacts, ClusterId, DeploymentId, Happening, HappeningKind, Packed, Past, ResourceId,
    Timestamp, Where, Who,
};
use crate::pipeline::store::WatchState;
use crate::pipeline::world::World;
use crate::pipeline::world::watched::{Edited, Seen};
use own::Own;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use telling::Telling;
use tokio_util::sync::CancellationToken;

/// Commits of one repo that are told at most.
const COMMITS: usize = 500;

/// What is held of all clusters and repos at one time.
pub struct Ground {
    pub places: Vec<Place>,
    pub held: Vec<Held>,
    pub seen: Vec<Seen>,
    /// What updates changed while they were watched, oldest first.
    pub edits: Vec<Edited>,
    pub repos: Vec<(git::Repo, RepoStatus)>,
    pub managers: Arc<Managers>,
    /// When driftdeck began to watch.
    pub began: Timestamp,
    blind: BTreeSet<Blind>,
}

/// A cluster, and where its apps are.
pub struct Place {
    pub id: ClusterId,
    pub context: String,
    pub called: String,
    pub cluster: Arc<dyn Cluster>,
    /// `None` until it has answered.
    pub facts: Option<Arc<ClusterFacts>>,
    /// The namespaces of its apps, each with one that is there.
    pub namespaces: BTreeMap<String, DeploymentId>,
    /// Its apps by their names.
    pub apps: BTreeMap<String, DeploymentId>,
}

/// An object of a deployment.
pub struct Held {
    pub place: usize,
    pub deployment: DeploymentId,
    pub object: Arc<Packed>,
}

/// What is known without asking anybody.
#[derive(Default)]
pub struct Known {
    pub past: Past,
    /// Namespaces with releases of Helm, each with its cluster's place.
    helm: BTreeSet<(usize, String)>,
}

impl Ground {
    pub(super) fn of(
        world: &World,
        repos: Vec<(git::Repo, RepoStatus)>,
        connections: Vec<Arc<dyn Cluster>>,
        began: Timestamp,
    ) -> Self {
        let mut blind = BTreeSet::from([Blind::Before(began), Blind::Earlier]);
        let mut places: Vec<Place> = Vec::new();
        for (entry, cluster) in world.clusters.iter().zip(connections) {
            let called = entry.status.name.clone();
            match &entry.status.state {
                ClusterState::Live => {}
                ClusterState::Connecting => {
                    blind.insert(Blind::Said(format!("anything in {called}: it has not answered yet")));
                }
                ClusterState::Stale { why, .. }
                | ClusterState::Denied { why, .. }
                | ClusterState::Unreachable { why, .. } => {
                    blind.insert(Blind::Said(format!("what happens now in {called}: {why}")));
                }
            }
            for (kind, scope, state) in entry.store.watches() {
                let why = match state {
                    WatchState::Failed { error } => error.to_string(),
                    WatchState::Stale { why, .. } if entry.status.state == ClusterState::Live => why.clone(),
                    _ => continue,
                };
                let within = match scope {
                    crate::model::Scope::All => String::new(),
                    crate::model::Scope::Namespace(namespace) => format!(" in namespace {namespace}"),
                };
                let what = format!("writes to {}{within} of {called}: {why}", kind.group_kind());
                blind.insert(Blind::Said(what));
            }
            places.push(Place {
                id: entry.status.id.clone(),
                context: entry.status.context.clone(),
                called,
                cluster,
                facts: entry.facts.clone(),
                namespaces: BTreeMap::new(),
                apps: BTreeMap::new(),
            });
        }
        let mut held = Vec::new();
        let mut told = HashSet::new();
        // Where one app's objects are another's too, the one that was asked for itself comes first.
        let mut deployments: Vec<_> = world.deployments.iter().filter(|(_, d)| d.role.is_asked()).collect();
        deployments.sort_by_key(|(_, d)| std::cmp::Reverse(d.role));
        for (id, deployment) in deployments {
            let at = deployment.cluster;
            let (Some(entry), Some(place)) = (world.clusters.get(at), places.get_mut(at)) else { continue };
            let mut is_there = false;
            for status in deployment.statuses.values() {
                let namespace = status.id.namespace.as_deref();
                let object = entry.live(&status.kind, &status.id);
                let Some(object) = object.filter(|object| told.insert((at, object.id.clone()))) else {
                    continue;
                };
                is_there = true;
                if let Some(namespace) = namespace {
                    place.namespaces.entry(namespace.to_owned()).or_insert_with(|| id.clone());
                }
                held.push(Held { place: at, deployment: id.clone(), object: Arc::clone(object) });
            }
            if is_there {
                place.apps.insert(id.app.name.clone(), id.clone());
            }
        }
        blind.extend(world.watched.forgotten().map(Blind::Said));
        let seen = world.watched.all().cloned().collect();
        let edits = world.watched.edits().cloned().collect();
        Self { places, held, seen, edits, repos, managers: Arc::clone(&world.managers), began, blind }
    }

    /// Returns where something is in a cluster.
    fn at(&self, place: usize, deployment: Option<&DeploymentId>) -> Where {
        let (context, called) = self
            .places
            .get(place)
            .map(|place| (place.context.clone(), place.called.clone()))
            .unwrap_or_default();
        Where::Cluster { context, called, deployment: deployment.cloned() }
    }
}

/// Tells what is known without asking anybody; `journal` is that of this machine. Blocks on the disk, and reads every object
/// that is held.
pub fn known(
    ground: &Ground,
    journal: Option<&Journal>,
    since: Timestamp,
    stop: &CancellationToken,
) -> Known {
    let own = journal.map(|journal| Own::read(journal, ground, since)).unwrap_or_default();
    let mut telling = Telling::new(ground, &own, since);
    for edited in &ground.edits {
        telling.edited(edited);
    }
    for held in &ground.held {
        if stop.is_cancelled() {
            return Known::default();
        }
        telling.held(held);
    }
    for seen in ground.seen.iter().rev() {
        telling.seen(seen);
    }
    let mut known = telling.known();
    known.past.blind.extend(ground.blind.iter().cloned());
    known.past.happenings.extend(own.happenings(ground));
    for (repo, status) in &ground.repos {
        commits(repo, status, since, stop, &mut known.past);
    }
    known.past = Past::joined([std::mem::take(&mut known.past)]);
    known
}

fn commits(
    repo: &git::Repo,
    status: &RepoStatus,
    since: Timestamp,
    stop: &CancellationToken,
    past: &mut Past,
) {
    let Some((revision, from)) = status.revision.as_ref().and_then(|r| Some((r, r.commit.as_ref()?))) else {
        return;
    };
    let (log, more) = repo.log(from, since, COMMITS, stop);
    if more {
        let words = format!("older commits of {} than the {} that are listed", status.name, log.len());
        past.blind.push(Blind::Said(words));
    }
    for logged in log {
        let at = Where::Repo {
            id: status.id.clone(),
            name: status.name.clone(),
            asked: revision.asked.words().to_owned(),
            commit: logged.facts.id.clone(),
        };
        // One repo that was asked for at several paths is one all the same.
        let is_told = |h: &Happening| h.kind == HappeningKind::Commit && h.at == at;
        if past.happenings.iter().rev().take_while(|h| h.kind == HappeningKind::Commit).any(is_told) {
            continue;
        }
        past.happenings.push(Happening {
            time: logged.committed,
            kind: HappeningKind::Commit,
            resource: None,
            path: None,
            what: format!("{} \"{}\"", logged.facts.id.short(), logged.facts.subject),
            who: Who::new(logged.facts.author, By::Author),
            at,
        });
    }
}

/// Which workload of the deck a pod or replica set belongs to.
pub(super) struct Owners<'g> {
    held: HashMap<(Option<&'g str>, &'g str), &'g DeploymentId>,
    by_id: HashMap<&'g ResourceId, &'g DeploymentId>,
}

impl<'g> Owners<'g> {
    pub fn of(ground: &'g Ground, place: usize) -> Self {
        const WORKLOADS: [&str; 6] = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Rollout"];
        let here = || ground.held.iter().filter(|held| held.place == place);
        let workloads = here().filter(|held| WORKLOADS.contains(&held.object.id.kind.kind.as_str()));
        let named = workloads.map(|held| {
            let id = &held.object.id;
            ((id.namespace.as_deref(), id.name.as_deref().unwrap_or_default()), &held.deployment)
        });
        let by_id = here().map(|held| (&held.object.id, &held.deployment));
        Self { held: named.collect(), by_id: by_id.collect() }
    }

    /// Returns the deployment of an object: one that is held, or what a workload made, whose name goes on from that of the
    /// workload.
    pub fn deployment(&self, id: &ResourceId) -> Option<&'g DeploymentId> {
        if let Some(deployment) = self.by_id.get(id) {
            return Some(deployment);
        }
        let mut name = id.name.as_deref()?;
        while let Some((shorter, _)) = name.rsplit_once('-') {
            name = shorter;
            if let Some(deployment) = self.held.get(&(id.namespace.as_deref(), name)) {
                return Some(deployment);
            }
        }
        None
    }
}
