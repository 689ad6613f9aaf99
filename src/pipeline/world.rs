//! Defines what the pipeline knows: repos with their apps, clusters with their objects, and deployments with their
//! verdicts. It is a plain state machine without I/O: events go in, updates and work come out.

mod autoscaled;
mod earlier;
mod elsewhere;
mod exact;
mod pods;
pub mod reaching;
mod twins;
mod undeclared;
mod verdicts;
pub mod watched;

use crate::cluster::{WatchEvent, builtin};
use crate::drift::{Admission, Autoscaled, HealthRules, IgnoreRules, Managers};
use crate::model::status::{AppStatus, ClusterState, ClusterStatus, Fetching, RepoStatus};
use crate::model::update::Update;
use crate::model::{
    App, ClusterFacts, DeploymentId, GroupVersionKind, Manifest, Notice, Packed, RepoId, ResourceId,
    Revision, Schema, Timestamp, Tree, limits,
};
use crate::pipeline::declared::Declared;
use crate::pipeline::deployment::{Deployment, Member, Rendering, Role, summary};
use crate::pipeline::elsewhere::Elsewhere;
use crate::pipeline::judging::{Item, Knowledge, Trust};
use crate::pipeline::rules::Ledger;
use crate::pipeline::scopes::{self, Wanted};
use crate::pipeline::store::{ObjectKey, Store, WatchKey, WatchState};
use crate::pipeline::troubles::Troubles;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use watched::Watched;

/// What is said of a watch that was silent for too long.
pub const SILENT: &str = "the cluster has not answered";

/// A repo with what was read of it.
pub struct Repo {
    pub status: RepoStatus,
    pub tree: Option<Arc<dyn Tree>>,
    /// All of its apps, each with what it is in this run.
    pub apps: Vec<Member>,
    /// The ignore rules that hold for it.
    pub rules: Arc<IgnoreRules>,
    /// It was read, or could not be.
    pub settled: bool,
}

/// A cluster with what was read of it.
pub struct ClusterEntry {
    pub status: ClusterStatus,
    pub namespace: Option<String>,
    pub facts: Option<Arc<ClusterFacts>>,
    pub schema: Option<Arc<Schema>>,
    /// The number of the newest question for a schema that has no answer yet: until then nothing is judged, because a
    /// schema without some kinds would make drift of what the server fills in.
    pub schema_awaited: Option<u64>,
    pub store: Store,
    pub wanted: BTreeMap<WatchKey, Wanted>,
    /// Extras of kinds that nobody needs to watch.
    elsewhere: Elsewhere,
    /// Watches of everything that were denied: one in each namespace stands in for them.
    denied: BTreeSet<WatchKey>,
    pub not_served: BTreeSet<GroupVersionKind>,
    /// Connected, or could not be.
    pub settled: bool,
    /// When it last answered.
    answered: Option<Timestamp>,
    pub autoscaled: Arc<Autoscaled>,
    /// The mutating webhooks and policies, as far as they may be read.
    pub admission: Arc<Admission>,
    /// Exact answers to what was asked before are of no use: what the API server does to objects has changed since.
    answers_count_from: Option<Timestamp>,
    /// Workloads that are not doing well, and what their pods say.
    pub troubles: Troubles,
}

impl ClusterEntry {
    /// Makes the entry of a cluster that was not asked anything yet.
    pub fn new(status: ClusterStatus, namespace: Option<String>) -> Self {
        Self {
            status,
            namespace,
            facts: None,
            schema: None,
            schema_awaited: None,
            store: Store::default(),
            wanted: BTreeMap::new(),
            elsewhere: Elsewhere::default(),
            denied: BTreeSet::new(),
            not_served: BTreeSet::new(),
            settled: false,
            answered: None,
            autoscaled: Arc::default(),
            admission: Arc::default(),
            answers_count_from: None,
            troubles: Troubles::default(),
        }
    }

    /// Returns an object as the cluster holds it, as far as it is watched.
    pub fn live(&self, kind: &GroupVersionKind, id: &ResourceId) -> Option<&Arc<Packed>> {
        self.store.object(kind, id.namespace.as_deref(), id.name.as_deref().unwrap_or_default())
    }

    /// Returns the kinds that are watched and of which the schema knows nothing.
    pub fn without_schema(&self) -> BTreeSet<GroupVersionKind> {
        let unknown = |kind: &&GroupVersionKind| self.schema.as_ref().is_some_and(|s| s.kind(kind).is_none());
        self.wanted.keys().map(|key| &key.kind).filter(unknown).cloned().collect()
    }

    /// Returns whether the newest question for a schema was answered.
    fn knows_schema(&self) -> bool {
        self.schema.is_some() && self.schema_awaited.is_none()
    }
}

/// Everything that the pipeline knows.
pub struct World {
    pub repos: Vec<Repo>,
    pub clusters: Vec<ClusterEntry>,
    pub deployments: BTreeMap<DeploymentId, Deployment>,
    pub managers: Arc<Managers>,
    pub health: Arc<HealthRules>,
    dirty: BTreeMap<DeploymentId, Dirty>,
    declared: Declared,
    /// What deployments claim, or where something is watched, has changed since extras were looked for elsewhere.
    claims_moved: bool,
    updates: Vec<Update>,
    /// Deployments that were seen for the first time since this was last taken.
    appeared: Vec<DeploymentId>,
    /// What ignore rules have done.
    ledger: Ledger,
    /// What watches showed that no list shows any more.
    pub watched: Watched,
}

#[derive(Default)]
struct Dirty {
    all: bool,
    /// What the deployment claims has changed: every object that Git does not declare.
    extras: bool,
    objects: BTreeSet<(GroupVersionKind, ObjectKey)>,
}

impl World {
    pub fn new(managers: Arc<Managers>, health: Arc<HealthRules>) -> Self {
        Self {
            repos: Vec::new(),
            clusters: Vec::new(),
            deployments: BTreeMap::new(),
            managers,
            health,
            dirty: BTreeMap::new(),
            declared: Declared::default(),
            claims_moved: true,
            updates: Vec::new(),
            appeared: Vec::new(),
            ledger: Ledger::default(),
            watched: Watched::default(),
        }
    }

    /// Takes the updates that came up since the last call.
    pub fn take_updates(&mut self) -> Vec<Update> {
        std::mem::take(&mut self.updates)
    }

    /// Takes the deployments that were seen for the first time since the last call.
    pub fn take_appeared(&mut self) -> Vec<DeploymentId> {
        std::mem::take(&mut self.appeared)
    }

    pub fn tell(&mut self, update: Update) {
        self.updates.push(update);
    }

    /// Takes in a repo that was read anew, or could not be.
    pub fn set_repo(&mut self, at: usize, status: RepoStatus, read: Option<(Arc<dyn Tree>, Vec<Member>)>) {
        let Some(repo) = self.repos.get_mut(at) else { return };
        repo.settled = true;
        if read.is_none() && repo.tree.is_some() {
            // What was read before stays, with the reason why it is not newer.
            repo.status.notice = status.notice;
            repo.status.fetching = None;
            let status = repo.status.clone();
            self.tell(Update::Repo { status, was: None });
            return;
        }
        let before = std::mem::replace(&mut repo.status, status);
        if let Some((tree, apps)) = read {
            repo.tree = Some(tree);
            repo.apps = apps;
        }
        let (status, id) = (repo.status.clone(), repo.status.id.clone());
        // Another path may still lead to what this one was known as.
        let was = Some(before.id).filter(|was| self.repos.iter().all(|repo| repo.status.id != *was));
        self.tell(Update::Repo { status, was });
        let apps = self.apps_of(&id).into_iter().map(|app| AppStatus { app, notice: None }).collect();
        self.tell(Update::Apps { repo: id, apps });
    }

    /// Takes in how far a fetch has come.
    pub fn set_fetching(&mut self, at: usize, fetching: Fetching) {
        let Some(repo) = self.repos.get_mut(at).filter(|repo| repo.status.fetching != Some(fetching)) else {
            return;
        };
        repo.status.fetching = Some(fetching);
        let status = repo.status.clone();
        self.tell(Update::Repo { status, was: None });
    }

    /// Returns the apps of a repo that were asked for, each once; the repo may have been asked for at several paths.
    fn apps_of(&self, id: &RepoId) -> Vec<App> {
        let same = self.repos.iter().filter(|repo| repo.status.id == *id);
        let asked = same.flat_map(|repo| &repo.apps).filter(|member| member.role.is_asked());
        let mut told = BTreeSet::new();
        asked.map(|member| &member.app).filter(|app| told.insert(&app.id)).cloned().collect()
    }

    /// Takes in what a cluster says of itself. Its identity may be another than the context's name, that stood in.
    pub fn set_facts(&mut self, at: usize, facts: Arc<ClusterFacts>, now: Timestamp) {
        if let Some(twin) = self.twin_of(at, &facts.id) {
            return self.set_twins(twin, at);
        }
        let Some(cluster) = self.clusters.get_mut(at) else { return };
        cluster.answered = Some(now);
        let was = (cluster.status.id != facts.id).then(|| cluster.status.id.clone());
        cluster.status.id = facts.id.clone();
        cluster.status.version.clone_from(&facts.version);
        cluster.status.user.clone_from(&facts.user);
        cluster.status.state = ClusterState::Live;
        cluster.facts = Some(facts);
        cluster.settled = true;
        let status = cluster.status.clone();
        self.tell(Update::Cluster { status, was });
    }

    /// Takes in how a cluster is reached.
    pub fn set_state(&mut self, at: usize, state: ClusterState) {
        let Some(cluster) = self.clusters.get_mut(at) else { return };
        if !matches!(state, ClusterState::Connecting) {
            cluster.settled = true;
        }
        if cluster.status.state != state {
            cluster.status.state = state;
            let status = cluster.status.clone();
            self.tell(Update::Cluster { status, was: None });
        }
    }

    /// Takes in the answer to a question for a schema, unless a newer one was asked meanwhile. Without an answer what
    /// was known stays, and where nothing was, the built-in schema stands in.
    pub fn set_schema(&mut self, at: usize, question: u64, answer: Option<Arc<Schema>>, now: Timestamp) {
        let Some(cluster) = self.clusters.get_mut(at) else { return };
        if cluster.schema_awaited != Some(question) {
            return;
        }
        cluster.schema_awaited = None;
        let answer = answer.or_else(|| cluster.schema.is_none().then(builtin::schema));
        let differs = |schema: &Arc<Schema>| !cluster.schema.as_ref().is_some_and(|s| Arc::ptr_eq(s, schema));
        if let Some(schema) = answer.filter(differs) {
            cluster.schema = Some(schema);
            self.forget_answers(at, now);
            self.mark_cluster(at);
        }
    }

    /// Adds the deployments of a repo's apps to the connected clusters and drops those that are gone. Returns the ones
    /// to render, each with the number of its rendering.
    pub fn match_apps(
        &mut self,
        seen: &dyn Fn(&DeploymentId, Option<&str>) -> bool,
    ) -> Vec<(DeploymentId, u64)> {
        let mut wanted: BTreeMap<DeploymentId, (App, Role, usize, usize, Revision)> = BTreeMap::new();
        for (repo_at, repo) in self.repos.iter().enumerate() {
            let Some(revision) = repo.status.revision.clone() else { continue };
            for Member { app, role } in &repo.apps {
                for (cluster_at, cluster) in self.clusters.iter().enumerate() {
                    let named = app.contexts.is_empty() || app.contexts.contains(&cluster.status.context);
                    if cluster.facts.is_some() && named {
                        let id = DeploymentId::new(app.id.clone(), cluster.status.id.clone());
                        // A repo that was asked for at several paths has each app several times.
                        if wanted.get(&id).is_none_or(|(_, other, ..)| other < role) {
                            wanted.insert(id, (app.clone(), *role, repo_at, cluster_at, revision.clone()));
                        }
                    }
                }
            }
        }
        // One that is asked for now and was not before, or the other way round, begins anew.
        let stays = |id: &DeploymentId, d: &Deployment| {
            wanted.get(id).is_some_and(|(_, role, ..)| role.is_asked() == d.role.is_asked())
        };
        let gone = self.deployments.iter().filter(|(id, d)| !stays(id, d));
        let gone: Vec<DeploymentId> = gone.map(|(id, _)| id.clone()).collect();
        for id in gone {
            let mut asked = false;
            if let Some(gone) = self.deployments.remove(&id) {
                asked = gone.role.is_asked();
                let manifests = gone.rendered.as_ref().map_or(&[][..], |rendered| &rendered.manifests);
                self.declared.remove(&id, gone.cluster, manifests);
                if let Some(cluster) = self.clusters.get_mut(gone.cluster) {
                    for id in gone.statuses.keys() {
                        cluster.troubles.note(id, None);
                    }
                }
            }
            self.dirty.remove(&id);
            if asked {
                self.tell(Update::DeploymentGone(id));
            }
        }
        self.claims_moved = true;
        let mut render = Vec::new();
        for (id, (app, role, repo, cluster, revision)) in wanted {
            let namespace = app
                .namespace
                .clone()
                .or_else(|| self.clusters.get(cluster).and_then(|c| c.namespace.clone()));
            let deployment = self.deployments.entry(id.clone()).or_insert_with(|| Deployment {
                app: app.clone(),
                role,
                repo,
                cluster,
                namespace: namespace.clone(),
                revision: revision.clone(),
                generation: 0,
                rendered: None,
                planned: false,
                statuses: BTreeMap::new(),
                present: BTreeSet::new(),
                claims: Arc::default(),
                engine: app.engine,
                told: None,
                looked_back: None,
                past: Arc::default(),
                fits: BTreeMap::new(),
                seen_before: seen(&id, namespace.as_deref()),
                answers: BTreeMap::new(),
                extras_unknown: None,
            });
            deployment.app = app;
            deployment.role = role;
            deployment.repo = repo;
            deployment.revision = revision;
            deployment.namespace = namespace;
            deployment.generation += 1;
            render.push((id, deployment.generation));
        }
        render
    }

    /// Takes in a rendering, unless a newer one was asked for meanwhile. Returns whether it was taken.
    pub fn set_rendering(&mut self, id: &DeploymentId, generation: u64, rendering: Rendering) -> bool {
        let Some(deployment) = self.deployments.get_mut(id) else { return false };
        if deployment.generation != generation {
            return false;
        }
        let (at, now) = (deployment.cluster, Arc::new(rendering));
        let before = deployment.rendered.replace(now.clone());
        let (planned, asked) = (deployment.planned, deployment.role.is_asked());
        if let Some(before) = &before {
            self.declared.remove(id, at, &before.manifests);
        }
        let deployments = &self.deployments;
        let notices = self.declared.add(id, at, &now.manifests, |owners| {
            let mut roles = owners.iter().filter_map(|id| deployments.get(id)).map(|d| d.role);
            roles.clone().any(Role::is_asked) && roles.all(|role| role != Role::Part)
        });
        self.updates.extend(notices.into_iter().map(Update::Notice));
        let changed = before.as_ref().map(|before| now.differs_from(before));
        match &changed {
            _ if !asked => {}
            Some(changed) if planned => self.mark_objects(id, changed),
            _ => self.dirty.entry(id.clone()).or_default().all = true,
        }
        self.tell_deployment(id);
        if before.is_none_or(|before| !before.complete) || !now.complete {
            // Whether something is an extra can be said only where every rendering of the cluster is whole.
            self.mark_extras(at);
        } else {
            // What one app no longer declares may be another's now, and the other way round.
            for other in self.asked_in(at).filter(|other| other != id).collect::<Vec<_>>() {
                self.mark_objects(&other, changed.as_deref().unwrap_or_default());
            }
        }
        true
    }

    /// Returns the deployments of a cluster that are to be judged.
    fn asked_in(&self, at: usize) -> impl Iterator<Item = DeploymentId> {
        self.deployments
            .iter()
            .filter(move |(_, d)| d.cluster == at && d.role.is_asked())
            .map(|(id, _)| id.clone())
    }

    /// Returns whether every deployment that is to be judged has a rendering.
    pub fn all_rendered(&self, cluster: usize) -> bool {
        let asked = self.deployments.values().filter(|d| d.cluster == cluster && d.role.is_asked());
        asked.into_iter().all(|d| d.rendered.is_some())
    }

    /// Works out anew which watches a cluster needs. Returns those to start and those to end.
    pub fn plan_watches(
        &mut self,
        at: usize,
        secrets_everywhere: bool,
    ) -> (Vec<(WatchKey, Wanted)>, Vec<WatchKey>) {
        let Some(cluster) = self.clusters.get_mut(at) else { return Default::default() };
        let Some(facts) = cluster.facts.clone() else { return Default::default() };
        for deployment in self.deployments.values_mut().filter(|d| d.cluster == at && d.rendered.is_some()) {
            deployment.planned = true;
        }
        let manifests = self
            .deployments
            .values()
            .filter(|d| d.cluster == at && d.role.is_asked())
            .filter_map(|d| d.rendered.as_ref())
            .flat_map(|r| r.manifests.iter().map(Arc::as_ref));
        self.claims_moved = true;
        let mut needed = scopes::needed(manifests, &facts, secrets_everywhere);
        cluster.elsewhere.join(&mut needed);
        needed.narrow(&cluster.denied);
        let start: Vec<_> = needed
            .watches
            .iter()
            .filter(|(key, _)| !cluster.wanted.contains_key(key))
            .map(|(k, w)| (k.clone(), w.clone()))
            .collect();
        let end: Vec<_> =
            cluster.wanted.keys().filter(|key| !needed.watches.contains_key(key)).cloned().collect();
        for (key, _) in &start {
            cluster.store.expect(key.clone());
        }
        for key in &end {
            cluster.store.forget(key);
        }
        let served_moved = cluster.not_served != needed.not_served;
        cluster.wanted = needed.watches;
        cluster.not_served = needed.not_served;
        if served_moved || !start.is_empty() || !end.is_empty() {
            self.mark_cluster(at);
        }
        (start, end)
    }

    /// Replaces a cluster-wide watch that was denied by one per namespace. Returns the ones to start.
    pub fn narrow(&mut self, at: usize, key: &WatchKey) -> Vec<(WatchKey, Wanted)> {
        let Some(cluster) = self.clusters.get_mut(at) else { return Vec::new() };
        let Some(wanted) = cluster.wanted.get(key).filter(|w| !w.instead.is_empty()).cloned() else {
            return Vec::new();
        };
        cluster.store.forget(key);
        cluster.wanted.remove(key);
        cluster.denied.insert(key.clone());
        let mut start = scopes::narrower(key, &wanted);
        start.retain(|(narrow, _)| !cluster.wanted.contains_key(narrow));
        for (narrow, wanted) in &start {
            cluster.store.expect(narrow.clone());
            cluster.wanted.insert(narrow.clone(), wanted.clone());
        }
        self.mark_cluster(at);
        start
    }

    /// Takes in an event of a watch.
    pub fn watch_event(&mut self, at: usize, key: &WatchKey, event: WatchEvent, now: Timestamp) {
        let before = self.held_before(at, key, &event);
        let one_write = !matches!(event, WatchEvent::Listed(_));
        let Some(cluster) = self.clusters.get_mut(at) else { return };
        let changed = cluster.store.apply(key, event, now);
        self.keep_past(at, key, &changed.objects, before, one_write, now);
        if changed.trust || !changed.objects.is_empty() {
            self.gather_autoscalers(at, &key.kind);
        }
        if changed.trust {
            self.mark_kind(at, &key.kind);
        }
        for object in changed.objects {
            self.mark_object(at, &key.kind, &object);
        }
    }

    /// Takes in that a cluster answered.
    pub fn confirmed(&mut self, at: usize, now: Timestamp) {
        let Some(cluster) = self.clusters.get_mut(at) else { return };
        cluster.answered = Some(now);
        if cluster.store.confirm(now, SILENT) {
            self.mark_cluster(at);
        }
        if self.clusters.get(at).is_some_and(|c| c.facts.is_some()) {
            self.set_state(at, ClusterState::Live);
        }
    }

    /// Marks what was not confirmed in time as stale.
    pub fn expire(&mut self, now: Timestamp) {
        let Ok(limit) = jiff::SignedDuration::try_from(limits::STALE_AFTER) else { return };
        let Ok(before) = now.checked_sub(limit) else { return };
        for at in 0..self.clusters.len() {
            let Some(cluster) = self.clusters.get_mut(at) else { continue };
            let silent = cluster.answered.filter(|answered| *answered < before);
            if cluster.store.expire(before, SILENT) {
                self.mark_cluster(at);
            }
            let Some(cluster) = self.clusters.get(at) else { continue };
            if let Some(since) = silent.filter(|_| cluster.status.state == ClusterState::Live) {
                self.set_state(at, ClusterState::Stale { since, why: SILENT.to_owned() });
            }
        }
    }

    fn mark_cluster(&mut self, at: usize) {
        for id in self.asked_in(at).collect::<Vec<_>>() {
            self.dirty.entry(id).or_default().all = true;
        }
    }

    fn mark_extras(&mut self, at: usize) {
        for id in self.asked_in(at).collect::<Vec<_>>() {
            self.dirty.entry(id).or_default().extras = true;
        }
    }

    fn mark_objects(&mut self, id: &DeploymentId, objects: &[(GroupVersionKind, ObjectKey)]) {
        if !objects.is_empty() {
            self.dirty.entry(id.clone()).or_default().objects.extend(objects.iter().cloned());
        }
    }

    fn mark_kind(&mut self, at: usize, kind: &GroupVersionKind) {
        let affected = self.deployments.iter().filter(|(_, d)| {
            d.cluster == at
                && d.role.is_asked()
                && d.rendered.as_ref().is_some_and(|r| r.places.iter().any(|(of, _)| of == kind))
        });
        for (id, _) in affected {
            self.dirty.entry(id.clone()).or_default().all = true;
        }
    }

    fn mark_object(&mut self, at: usize, kind: &GroupVersionKind, object: &ObjectKey) {
        let mut affected = self.declared.by(at, &kind.group_kind(), object).to_vec();
        if affected.is_empty() {
            // Nobody declares it: it may be an extra of any deployment that watches its kind.
            affected.extend(self.asked_in(at));
        }
        affected.retain(|id| self.deployments.get(id).is_some_and(|d| d.role.is_asked()));
        for id in affected {
            self.dirty.entry(id).or_default().objects.insert((kind.clone(), object.clone()));
        }
    }

    /// Returns whether anything waits to be judged.
    pub fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Returns the state of the slowest part of a deployment's watches: whether it can be judged at all.
    fn is_ready(&self, deployment: &Deployment) -> bool {
        let Some(cluster) = self.clusters.get(deployment.cluster) else { return false };
        let Some(rendering) = &deployment.rendered else { return false };
        deployment.planned
            && cluster.knows_schema()
            && rendering.places.iter().all(|(kind, namespace)| {
                !matches!(cluster.store.coverage(kind, namespace.as_deref()), Some(WatchState::Pending))
            })
    }

    /// Takes what waits to be judged and can be, cluster by cluster, with what judging it needs.
    pub fn take_work(&mut self) -> Vec<(Knowledge, Vec<Item>)> {
        let ready: Vec<DeploymentId> = self
            .dirty
            .keys()
            .filter(|id| self.deployments.get(id).is_none_or(|d| self.is_ready(d)))
            .cloned()
            .collect();
        let mut work: BTreeMap<usize, Vec<Item>> = BTreeMap::new();
        for id in ready {
            let Some(dirty) = self.dirty.remove(&id) else { continue };
            let Some(deployment) = self.deployments.get(&id) else { continue };
            let items = work.entry(deployment.cluster).or_default();
            self.items(&id, deployment, &dirty, items);
        }
        work.into_iter().filter_map(|(at, items)| Some((self.knowledge(at)?, items))).collect()
    }

    /// Returns what judging needs to know of a cluster; `None` before its schema is known.
    pub fn knowledge(&self, at: usize) -> Option<Knowledge> {
        let cluster = self.clusters.get(at)?;
        Some(Knowledge {
            cluster: cluster.status.id.clone(),
            schema: cluster.schema.clone()?,
            managers: self.managers.clone(),
            health: self.health.clone(),
            autoscaled: cluster.autoscaled.clone(),
            admission: cluster.admission.clone(),
            pods: cluster.troubles.pods(),
        })
    }

    fn items(&self, id: &DeploymentId, deployment: &Deployment, dirty: &Dirty, items: &mut Vec<Item>) {
        let Some(cluster) = self.clusters.get(deployment.cluster) else { return };
        let Some(rendering) = &deployment.rendered else { return };
        let touched: HashSet<(&GroupVersionKind, Option<&str>, &str)> = dirty
            .objects
            .iter()
            .map(|(kind, (space, name))| (kind, space.as_deref(), name.as_str()))
            .collect();
        let rules = self.rules_of(deployment);
        for manifest in &rendering.manifests {
            let (space, name) = (manifest.id.namespace.as_deref(), manifest.id.name.as_deref());
            let name = name.unwrap_or_default();
            if dirty.all || touched.contains(&(&manifest.kind, space, name)) {
                items.push(Item {
                    deployment: id.clone(),
                    id: manifest.id.clone(),
                    kind: manifest.kind.clone(),
                    live: cluster.store.object(&manifest.kind, space, name).cloned(),
                    desired: Some(manifest.clone()),
                    trust: Self::trust(cluster, manifest),
                    claims: deployment.claims.clone(),
                    deployer: deployment.engine_manager(),
                    past: deployment.past.clone(),
                    rules: rules.clone(),
                    answer: deployment.answers.get(&manifest.id).cloned(),
                });
            }
        }
        self.undeclared(id, deployment, dirty, items);
    }

    /// Returns the ignore rules that hold for a deployment's app.
    pub fn rules_of(&self, deployment: &Deployment) -> Arc<IgnoreRules> {
        self.repos.get(deployment.repo).map(|repo| repo.rules.clone()).unwrap_or_default()
    }

    /// Takes in the ignore rules that hold for a repo from now on: where they are others, all of it is judged anew.
    pub fn set_rules(&mut self, at: usize, rules: Arc<IgnoreRules>) {
        let Some(repo) = self
            .repos
            .get_mut(at)
            .filter(|repo| !repo.rules.iter().eq(rules.iter()) || repo.rules.mistake() != rules.mistake())
        else {
            return;
        };
        repo.rules = rules;
        let asked = self.deployments.iter().filter(|(_, d)| d.repo == at && d.role.is_asked());
        for id in asked.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.dirty.entry(id).or_default().all = true;
        }
    }

    /// Returns what is to be said of rules that did nothing, where the run looked at everything that they may be about.
    pub fn idle_rules(&self) -> Vec<Notice> {
        let whole =
            self.repos.iter().all(|repo| repo.settled && repo.apps.iter().all(|m| m.role != Role::Other))
                && self.clusters.iter().all(|c| c.status.state == ClusterState::Live)
                && self.deployments.values().all(|d| d.rendered.as_ref().is_some_and(|r| r.complete));
        if whole {
            let rules_of = |repo: &'_ Repo| (repo.status.location.clone(), repo.rules.clone());
            self.ledger.idle(self.repos.iter().map(rules_of))
        } else {
            Vec::new()
        }
    }

    fn trust(cluster: &ClusterEntry, manifest: &Manifest) -> Trust {
        if cluster.not_served.contains(&manifest.kind) {
            if let Some(why) = silent_group(cluster, &manifest.kind) {
                return Trust::Unknown(why);
            }
            return Trust::Unknown(not_served(cluster, &manifest.kind));
        }
        match cluster.store.coverage(&manifest.kind, manifest.id.namespace.as_deref()) {
            Some(WatchState::Fresh { .. }) => Trust::Fresh,
            // Since when stands with the cluster, in the time zone of whoever reads it.
            Some(WatchState::Stale { why, .. }) => Trust::Stale(format!("stale: {why}")),
            Some(WatchState::Failed { error }) => Trust::Unknown(error.to_string()),
            Some(WatchState::Pending) | None => Trust::Unknown("not listed yet".to_owned()),
        }
    }

    /// Tells of a deployment that has been told of before, if something about it is other now: its revision, say.
    fn tell_deployment(&mut self, id: &DeploymentId) {
        let Some(deployment) = self.deployments.get_mut(id).filter(|d| d.told.is_some()) else { return };
        let status = summary(id, deployment);
        if deployment.told.as_ref() != Some(&status) {
            deployment.told = Some(status.clone());
            self.tell(Update::Deployment(status));
        }
    }

    /// Tells again of a deployment whose rendering has nothing to judge (it failed, or is empty).
    pub fn tell_empty(&mut self, id: &DeploymentId) {
        let Some(deployment) = self.deployments.get_mut(id) else { return };
        if deployment.rendered.as_ref().is_some_and(|r| r.manifests.is_empty()) {
            let gone: Vec<ResourceId> = std::mem::take(&mut deployment.statuses).into_keys().collect();
            let status = summary(id, deployment);
            if deployment.told.as_ref() != Some(&status) {
                deployment.told = Some(status.clone());
                self.tell(Update::Resources { deployment: id.clone(), changed: Vec::new(), gone });
                self.tell(Update::Deployment(status));
            }
        }
    }

    /// Returns the other apps in a cluster that are not rendered completely.
    pub fn others_incomplete(&self, id: &DeploymentId, cluster: usize) -> Vec<String> {
        let others = self.deployments.iter().filter(|(other, d)| *other != id && d.cluster == cluster);
        let incomplete = others.filter(|(_, d)| d.rendered.as_ref().is_none_or(|r| !r.complete));
        incomplete.map(|(other, _)| other.app.name.clone()).collect()
    }

    /// Returns which kinds that concern a deployment are not listed freshly, each with the reason, and which API groups
    /// do not answer at all.
    pub fn not_fresh(&self, deployment: &Deployment) -> Vec<(String, String)> {
        let Some(cluster) = self.clusters.get(deployment.cluster) else { return Vec::new() };
        let declared = deployment.rendered.iter().flat_map(|r| r.manifests.iter().map(|m| &m.kind));
        let kinds: HashSet<&GroupVersionKind> =
            declared.chain(deployment.statuses.values().map(|s| &s.kind)).collect();
        let concerned = cluster.store.watches().filter(|(kind, _, _)| kinds.contains(kind));
        let watches = concerned.filter_map(|(kind, _, state)| match state {
            WatchState::Fresh { .. } => None,
            WatchState::Pending => Some((kind.group_kind().to_string(), "not listed yet".to_owned())),
            WatchState::Stale { why, .. } => Some((kind.group_kind().to_string(), why.clone())),
            WatchState::Failed { error } => Some((kind.group_kind().to_string(), error.to_string())),
        });
        let groups = cluster.facts.iter().flat_map(|f| f.failed_groups.clone());
        watches.chain(groups).collect()
    }

    /// Returns whether everything that was asked for has been judged once.
    pub fn is_settled(&self) -> bool {
        self.is_judged() && self.knows_extras()
    }

    /// Returns whether everything has been judged that is watched.
    fn is_judged(&self) -> bool {
        let watches_settled = |c: &ClusterEntry| {
            c.facts.is_none()
                || (c.knows_schema()
                    && c.store.watches().all(|(_, _, state)| !matches!(state, WatchState::Pending)))
        };
        self.repos.iter().all(|r| r.settled)
            && self.clusters.iter().all(|c| c.settled && watches_settled(c))
            && self.deployments.values().all(|d| {
                d.rendered.is_some() && (!d.role.is_asked() || d.looked_back == Some(d.looks_back_for()))
            })
            && self.dirty.is_empty()
    }
}

/// Returns why nothing is known of a kind whose API group does not answer: it may well be served.
fn silent_group(cluster: &ClusterEntry, kind: &GroupVersionKind) -> Option<String> {
    let failed = &cluster.facts.as_ref()?.failed_groups;
    let (group, reason) = failed.iter().find(|(group, _)| group.split('/').next() == Some(&kind.group))?;
    Some(format!("the API group {group} does not answer: {reason}"))
}

fn not_served(cluster: &ClusterEntry, kind: &GroupVersionKind) -> String {
    let other = cluster.facts.as_ref().and_then(|f| f.preferred(&kind.group_kind()));
    match other {
        Some(other) => format!(
            "the cluster does not serve {} {}; it serves {}",
            kind.kind,
            kind.api_version(),
            other.kind.api_version()
        ),
        None if kind.group.contains('.') && !kind.group.ends_with(".k8s.io") => format!(
            "the cluster does not serve {} {}: its CustomResourceDefinition of group {} is not installed",
            kind.kind,
            kind.api_version(),
            kind.group
        ),
        None => format!("the cluster does not serve {} {}", kind.kind, kind.api_version()),
    }
}
