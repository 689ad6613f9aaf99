//! Tells what changed in all clusters and repos since some time: who wrote which fields, commits, what engines and
//! controllers did, warnings, and deletions that watches showed.
//!
//! What is known without asking comes first ([`known`]): managed fields of the objects that are held, commits, what watches
//! showed. Then clusters are asked for the rest ([`asked`]), within a time, and only then.

mod asked;
mod engines;

pub use asked::{TIME, asked, asking};

use crate::cluster::Cluster;
use crate::drift::{Managers, Written, writes};
use crate::git;
use crate::model::status::{ClusterState, RepoStatus};
use crate::model::{
    Blind, By, ClusterFacts, ClusterId, DeploymentId, Happening, HappeningKind, LiveObject, Mark, Packed,
    Past, ResourceId, Timestamp, Where, Who,
};
use crate::pipeline::store::WatchState;
use crate::pipeline::world::World;
use crate::pipeline::world::watched::Seen;
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Commits of one repo that are told at most.
const COMMITS: usize = 500;
/// A deployer's writes with no longer a pause between them are one sync.
const ONE_SYNC: SignedDuration = SignedDuration::from_secs(60);

/// What is held of all clusters and repos at one time.
pub struct Ground {
    pub places: Vec<Place>,
    pub held: Vec<Held>,
    pub seen: Vec<Seen>,
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
                let (namespace, name) = (status.id.namespace.as_deref(), status.id.name.as_deref());
                let object = entry.store.object(&status.kind, namespace, name.unwrap_or_default());
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
        let seen = world.watched.all().cloned().collect();
        Self { places, held, seen, repos, managers: Arc::clone(&world.managers), began, blind }
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

/// Tells what is known without asking anybody. Blocks on the disk, and reads every object that is held.
pub fn known(ground: &Ground, since: Timestamp, stop: &CancellationToken) -> Known {
    let mut known = Known::default();
    known.past.blind.extend(ground.blind.iter().cloned());
    let mut syncs: Syncs = BTreeMap::new();
    let mut told = HashSet::new();
    let mut hidden = 0_usize;
    for Held { place, deployment, object } in &ground.held {
        if stop.is_cancelled() {
            return known;
        }
        let Some(live) = open(ground, *place, object) else { continue };
        hidden += usize::from(live.managed.is_none());
        if let Some(Mark::Helm { namespace, .. }) =
            Mark::of(&live).into_iter().find(|m| matches!(m, Mark::Helm { .. }))
        {
            known.helm.insert((*place, namespace));
        }
        for written in writes(&live, &ground.managers, since) {
            told.insert((*place, live.id.clone(), written.who.name.clone(), written.at));
            take(ground, *place, deployment, &live.id, written, &mut syncs, &mut known.past.happenings);
        }
    }
    if hidden > 0 {
        let words = format!("who wrote {hidden} objects: their source hides managed fields");
        known.past.blind.push(Blind::Said(words));
    }
    for Seen { at, cluster, deployment, object, deleted } in ground.seen.iter().rev() {
        let Some(live) = open(ground, *cluster, object) else { continue };
        if *deleted && *at >= since {
            known.past.happenings.push(Happening {
                time: *at,
                kind: HappeningKind::Deleted,
                at: ground.at(*cluster, Some(deployment)),
                resource: Some(live.id.clone()),
                path: None,
                what: "deleted".to_owned(),
                who: Who::unknown(),
            });
        }
        for mut written in writes(&live, &ground.managers, since) {
            if told.insert((*cluster, live.id.clone(), written.who.name.clone(), written.at)) {
                if !*deleted && !written.applied {
                    written.what.push_str(", overwritten since");
                }
                take(ground, *cluster, deployment, &live.id, written, &mut syncs, &mut known.past.happenings);
            }
        }
    }
    push_syncs(ground, syncs, &mut known.past.happenings);
    for (repo, status) in &ground.repos {
        commits(repo, status, since, stop, &mut known.past);
    }
    known.past = Past::joined([std::mem::take(&mut known.past)]);
    known
}

fn open(ground: &Ground, place: usize, object: &Packed) -> Option<LiveObject> {
    object.open(&ground.places.get(place)?.id).ok()
}

/// A deployer's writes in one app of one cluster.
type Syncs = BTreeMap<(usize, DeploymentId, Who), Vec<(Timestamp, ResourceId, bool)>>;

fn take(
    ground: &Ground,
    place: usize,
    deployment: &DeploymentId,
    id: &ResourceId,
    written: Written,
    syncs: &mut Syncs,
    happenings: &mut Vec<Happening>,
) {
    if written.applied {
        let sync = syncs.entry((place, deployment.clone(), written.who)).or_default();
        sync.push((written.at, id.clone(), written.created));
        return;
    }
    happenings.push(Happening {
        time: written.at,
        kind: HappeningKind::Field,
        at: ground.at(place, Some(deployment)),
        resource: Some(id.clone()),
        path: written.path.map(|path| path.to_string()),
        what: written.what,
        who: written.who,
    });
}

/// Tells what deployers applied, one line for what was applied together.
fn push_syncs(ground: &Ground, syncs: Syncs, happenings: &mut Vec<Happening>) {
    for ((place, deployment, who), mut writes) in syncs {
        writes.sort();
        let mut at_once: Vec<Vec<(Timestamp, ResourceId, bool)>> = Vec::new();
        for write in writes {
            let goes_on = |group: &&mut Vec<(Timestamp, ResourceId, bool)>| {
                group.last().is_some_and(|(last, ..)| write.0.duration_since(*last) <= ONE_SYNC)
            };
            match at_once.last_mut().filter(goes_on) {
                Some(group) => group.push(write),
                None => at_once.push(vec![write]),
            }
        }
        for group in at_once {
            let created = group.iter().all(|(.., created)| *created);
            let done = if created { "created" } else { "applied" };
            let Some((time, last, _)) = group.last() else { continue };
            let alone = group.len() == 1;
            happenings.push(Happening {
                time: *time,
                kind: HappeningKind::Sync,
                at: ground.at(place, Some(&deployment)),
                resource: alone.then(|| last.clone()),
                path: None,
                what: if alone { done.to_owned() } else { format!("{} objects {done}", group.len()) },
                who: who.clone(),
            });
        }
    }
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
