//! Runs the pipeline: owns the [`World`], starts the tasks that talk to Git and clusters, and turns what they bring into
//! updates.
//!
//! One task holds all state; every other task only brings it events through a bounded channel, so a slow reader slows
//! the sources instead of filling memory. Judging runs on a blocking thread, one batch at a time, after a short calm.

mod asked;
mod background;
mod handle;
mod pods;
mod schemas;

pub use handle::Handle;

use crate::action::exact::Answer;
use crate::cluster::remote::PLUGIN_RESTS;
use crate::cluster::{Cluster, ClusterError, WatchEvent};
use crate::drift::{Admission, IgnoreRules};
use crate::git;
use crate::model::Glob;
use crate::model::status::{ClusterState, ClusterStatus, Fetching, RepoStatus, ResourceStatus};
use crate::model::update::Update;
use crate::model::{
    App, AppId, ClusterFacts, ClusterId, DeploymentId, Engine, GroupVersionKind, Mark, Notice, Packed,
    RepoId, ResourceId, Revision, Schema, Timestamp, limits,
};
use crate::pipeline::calm::Calm;
use crate::pipeline::changes::Ground;
use crate::pipeline::configured::absent;
use crate::pipeline::deployment::{LookedBack, Member, Rendering, Role};
use crate::pipeline::elsewhere::{self, Found, Question};
use crate::pipeline::exact::Work;
use crate::pipeline::history;
use crate::pipeline::judging::{Judged, Knowledge, judge_batch};
use crate::pipeline::reading::{self, Read};
use crate::pipeline::remotes;
use crate::pipeline::rendering::{For, Renderer};
use crate::pipeline::running;
use crate::pipeline::scopes::Wanted;
use crate::pipeline::setup::{Setup, Source};
use crate::pipeline::store::WatchKey;
use crate::pipeline::story::Inputs;
use crate::pipeline::unsynced::Past;
use crate::pipeline::world::{ClusterEntry, Repo, World, reaching};
use futures::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How long the pipeline waits after an event for more of them before it judges, and how long at most.
const CALM: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(250));
/// How often clusters are asked whether they still answer, and watches looked at for silence.
const HEARTBEAT: Duration = Duration::from_secs(4);
/// How often a cluster that lacks a kind is asked what it serves.
const REDISCOVERY: Duration = Duration::from_secs(10);
/// How soon a cluster that refused the user is asked again.
const DENIED_AGAIN: Duration = Duration::from_secs(30);
/// Events taken in at once before updates go out.
const DRAIN: usize = 512;

/// What can be asked of a running pipeline.
pub enum Request {
    /// Read repos anew and ask clusters again.
    Refresh,
    /// Everything that is known of one object.
    Inspect { deployment: DeploymentId, resource: ResourceId, reply: oneshot::Sender<Option<Inspected>> },
    /// Everything that planning a sync needs.
    Deployed { deployment: DeploymentId, reply: oneshot::Sender<Option<Deployed>> },
    /// Everything that acting on a deployment without its files needs.
    Reached { deployment: DeploymentId, reply: oneshot::Sender<Option<Reached>> },
    /// The objects of a deployment that the API server can be asked about; none named: all of them.
    Exact { deployment: DeploymentId, resources: Vec<ResourceId>, reply: oneshot::Sender<Option<Work>> },
    /// What the API server said; `judged` is told once every verdict has taken it in.
    Answers { deployment: DeploymentId, answers: Vec<Answer>, judged: Option<oneshot::Sender<()>> },
    /// What a deployment's app renders to right now, whether or not the change was noticed yet.
    Render { deployment: DeploymentId, reply: oneshot::Sender<Option<Rendered>> },
    /// What is needed to ask what runs of an object; of none: of the whole app.
    Running {
        deployment: DeploymentId,
        resource: Option<ResourceId>,
        reply: oneshot::Sender<Option<running::Question>>,
    },
    /// What is needed to tell the history of an app, and where a cluster is named, to hold it against that.
    Past { app: AppId, cluster: Option<ClusterId>, reply: oneshot::Sender<Option<history::Ground>> },
    /// What differs and counts in every deployment of a repo's apps.
    Differing { repo: RepoId, reply: oneshot::Sender<Vec<Candidate>> },
    /// What is held of all clusters and repos, to tell from it what changed.
    Ground { reply: oneshot::Sender<Ground> },
}

/// What an app renders to, and of which revision.
pub struct Rendered {
    pub revision: Revision,
    pub rendering: Arc<Rendering>,
}

/// An object that differs, with what its sides are made from.
pub struct Candidate {
    pub context: String,
    pub status: ResourceStatus,
    pub desired: Option<Arc<crate::model::Manifest>>,
    pub live: Option<Arc<crate::model::Packed>>,
}

/// One object with both its sides.
pub struct Inspected {
    pub status: ResourceStatus,
    pub desired: Option<Arc<crate::model::Manifest>>,
    pub live: Option<crate::model::LiveObject>,
    pub revision: Revision,
    /// What its app is read from, while that is known.
    pub inputs: Option<Inputs>,
    /// What its app rendered to before.
    pub past: Arc<Past>,
    pub cluster: Arc<dyn Cluster>,
    pub facts: Arc<ClusterFacts>,
}

/// A deployment with what acting on it needs where it does not matter what Git declares.
pub struct Reached {
    pub id: DeploymentId,
    pub cluster: Arc<dyn Cluster>,
    pub cluster_status: ClusterStatus,
    pub facts: Arc<ClusterFacts>,
    /// Whom the user acts as in the cluster.
    pub acting_as: Option<String>,
    pub namespace: Option<String>,
    pub revision: Revision,
    /// The marks that its live objects carry.
    pub marks: Vec<Mark>,
    /// The first of its live objects.
    pub objects: Vec<Arc<Packed>>,
}

/// A deployment with all that acting on it needs.
pub struct Deployed {
    pub id: DeploymentId,
    pub app: App,
    pub engine: Engine,
    /// The marks that its live objects carry.
    pub marks: Vec<Mark>,
    /// Whom the user acts as in the cluster.
    pub acting_as: Option<String>,
    pub cluster: Arc<dyn Cluster>,
    pub cluster_status: ClusterStatus,
    pub facts: Arc<ClusterFacts>,
    pub knowledge: Knowledge,
    /// Which differences do not count.
    pub rules: Arc<IgnoreRules>,
    pub revision: Revision,
    pub namespace: Option<String>,
    pub manifests: Vec<Arc<crate::model::Manifest>>,
    /// The rendering left nothing out.
    pub complete: bool,
    pub render_notices: Vec<Notice>,
    /// Its objects that nobody declares, whatever a verdict that has not been renewed yet may say.
    pub extras: Vec<(GroupVersionKind, ResourceId)>,
    /// Other apps of the cluster whose rendering left something out: what they declare may look like an extra.
    pub others_incomplete: Vec<String>,
    /// Why some kind's list is not fresh, each as kind and reason.
    pub not_fresh: Vec<(String, String)>,
}

/// Starts the pipeline on the current runtime. It ends when the handle is dropped.
pub fn start(setup: Setup) -> (Handle, mpsc::Receiver<Update>) {
    let (updates, inbox) = mpsc::channel(limits::CHANNEL);
    let (requests, asked) = mpsc::channel(limits::CHANNEL);
    let cancel = CancellationToken::new();
    tokio::spawn(Conductor::new(setup, updates, cancel.clone()).run(asked));
    (Handle { requests, cancel }, inbox)
}

/// What the tasks bring.
enum Event {
    Repo {
        at: usize,
        turn: u64,
        read: Box<Result<Read, RepoStatus>>,
    },
    RepoMoved {
        at: usize,
    },
    Fetching {
        at: usize,
        turn: u64,
        fetching: Fetching,
    },
    Said(Notice),
    Facts {
        at: usize,
        facts: Result<Arc<ClusterFacts>, ClusterError>,
    },
    SchemaWanted {
        at: usize,
    },
    Schema {
        at: usize,
        question: u64,
        answer: Result<Arc<Schema>, ClusterError>,
        admission: Option<Admission>,
    },
    Rendered {
        id: DeploymentId,
        generation: u64,
        rendering: Rendering,
    },
    Earlier {
        id: DeploymentId,
        looked: Box<LookedBack>,
        past: Past,
    },
    Watch {
        at: usize,
        key: WatchKey,
        event: WatchEvent,
    },
    Elsewhere {
        at: usize,
        question: Box<Question>,
        found: Found,
    },
    Judged(Vec<Judged>),
    /// The API server was asked about an object unasked.
    Exact {
        deployment: DeploymentId,
        answer: Option<Box<Answer>>,
    },
    Answered {
        at: usize,
        answer: Result<(), ClusterError>,
    },
    Pods {
        at: usize,
        namespace: String,
        event: WatchEvent,
    },
}

/// A cluster's tasks and the state of talking to it.
#[derive(Default)]
struct Line {
    watches: BTreeMap<WatchKey, JoinHandle<()>>,
    /// Watches of pods, by their namespace.
    pods: BTreeMap<String, JoinHandle<()>>,
    attempts: u32,
    asked: bool,
    kinds: BTreeSet<GroupVersionKind>,
    asking_facts: bool,
    /// Ends the wait before facts are asked for again.
    hurry: Arc<Notify>,
    /// How often the schema was asked for: the newest answer counts.
    schema_questions: u64,
    /// A definition of kinds was written since the schema was asked for.
    definitions_moved: bool,
    /// The watched kinds of which the last schema knew nothing, and how often it was asked for again because of them.
    without_schema: (BTreeSet<GroupVersionKind>, usize),
}

struct Conductor {
    setup: Setup,
    world: World,
    lines: Vec<Line>,
    /// The repos that were read, by their place in the setup.
    opened: BTreeMap<usize, git::Repo>,
    /// How often each repo was asked to be read.
    turns: Vec<u64>,
    /// The names of all apps that were found in each repo where it was looked, wanted or not.
    names: BTreeMap<usize, BTreeSet<String>>,
    /// What was to be said of each repo when it was last read: it is said again only once it was no longer so.
    said: BTreeMap<usize, Vec<Notice>>,
    /// How many fetches of each remote in a row have failed: it is asked more rarely then.
    fetches: BTreeMap<usize, watch::Sender<u32>>,
    renderer: Arc<Renderer>,
    /// What ends a deployment's rendering when a newer one is asked for.
    rendering: BTreeMap<DeploymentId, DropGuard>,
    /// For what each deployment's past was last looked at.
    looking: BTreeMap<DeploymentId, (LookedBack, DropGuard)>,
    updates: mpsc::Sender<Update>,
    events: mpsc::Sender<Event>,
    inbox: mpsc::Receiver<Event>,
    cancel: CancellationToken,
    judging: bool,
    /// What is asked of the API server unasked, until its answer is here.
    asking_unasked: Option<JoinHandle<()>>,
    /// Those who wait until every verdict has taken in what the API server said.
    waiting: Vec<oneshot::Sender<()>>,
    calm: Calm,
    settled: bool,
    /// When it began to watch.
    began: Timestamp,
}

impl Conductor {
    fn new(setup: Setup, updates: mpsc::Sender<Update>, cancel: CancellationToken) -> Self {
        let (events, inbox) = mpsc::channel(limits::CHANNEL);
        let renderer = Arc::new(Renderer::new(&setup));
        let began = (setup.clock)();
        let (quiet, longest) = if setup.follow { CALM } else { Default::default() };
        Self {
            calm: Calm::new(quiet, longest),
            world: World::new(setup.managers.clone(), setup.health.clone()),
            lines: setup.clusters.iter().map(|_| Line::default()).collect(),
            turns: vec![0; setup.sources.len()],
            opened: BTreeMap::new(),
            names: BTreeMap::new(),
            said: BTreeMap::new(),
            fetches: BTreeMap::new(),
            setup,
            renderer,
            rendering: BTreeMap::new(),
            looking: BTreeMap::new(),
            updates,
            events,
            inbox,
            cancel,
            judging: false,
            asking_unasked: None,
            waiting: Vec::new(),
            settled: false,
            began,
        }
    }

    async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        self.open();
        let _running = self.setup.ignoring.running();
        let mut heartbeat = tokio::time::interval(HEARTBEAT);
        let mut rediscovery = tokio::time::interval(REDISCOVERY);
        heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        rediscovery.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut budget = background::budget(self.setup.exact_background);
        let cancel = self.cancel.clone();
        loop {
            if self.flush().await.is_err() {
                break;
            }
            let due = self.calm.due().filter(|_| !self.judging);
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                Some(request) = requests.recv() => {
                    self.calm.stir(Instant::now());
                    self.answer(request);
                }
                Some(event) = self.inbox.recv() => self.drain(event),
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.judge(),
                _ = heartbeat.tick(), if self.setup.follow => {
                    self.beat();
                    if self.world.is_dirty() {
                        self.calm.stir(Instant::now());
                    }
                }
                _ = rediscovery.tick(), if self.setup.follow => self.rediscover(),
                () = background::due(&mut budget), if self.setup.follow => self.ask_unasked(),
                else => break,
            }
        }
        for line in &self.lines {
            line.watches.values().chain(line.pods.values()).for_each(JoinHandle::abort);
        }
    }

    /// Sends updates on, and once that everything has been judged.
    async fn flush(&mut self) -> Result<(), mpsc::error::SendError<Update>> {
        if !self.judging {
            self.look_elsewhere();
        }
        for update in self.world.take_updates() {
            self.updates.send(update).await?;
        }
        if !self.judging && !self.world.is_dirty() {
            for waiting in self.waiting.drain(..) {
                // Who waited may have gone.
                let _ = waiting.send(());
            }
        }
        if !self.settled && !self.judging && self.world.is_settled() {
            self.settled = true;
            for notice in self.not_found().into_iter().chain(self.world.idle_rules()) {
                self.updates.send(Update::Notice(notice)).await?;
            }
            self.updates.send(Update::Settled).await?;
        }
        Ok(())
    }

    /// Starts looking for extras of kinds that nobody watches, once everything else is judged.
    fn look_elsewhere(&mut self) {
        for (at, question) in self.world.questions(self.setup.secrets_everywhere) {
            let Some(cluster) = self.setup.clusters.get(at).map(|c| c.cluster.clone()) else { continue };
            self.spawn(async move {
                let found = elsewhere::look(cluster, &question).await;
                Event::Elsewhere { at, question: Box::new(question), found }
            });
        }
    }

    fn drain(&mut self, first: Event) {
        self.calm.stir(Instant::now());
        self.take(first);
        for _ in 0..DRAIN {
            match self.inbox.try_recv() {
                Ok(event) => self.take(event),
                Err(_) => break,
            }
        }
    }

    fn open(&mut self) {
        for (at, source) in self.setup.sources.clone().into_iter().enumerate() {
            let status = reading::pending(&source);
            self.world.tell(Update::Repo { status: status.clone(), was: None });
            self.world.repos.push(Repo {
                status,
                tree: None,
                apps: Vec::new(),
                rules: self.setup.ignoring.with(&[]),
                settled: false,
            });
            self.read(at);
            if self.setup.follow {
                self.follow(at, source);
            }
        }
        for (at, setup) in self.setup.clusters.clone().into_iter().enumerate() {
            let context = setup.cluster.name().to_owned();
            let status = ClusterStatus {
                id: ClusterId(context.as_str().into()),
                context,
                name: setup.name.clone(),
                version: None,
                user: None,
                state: ClusterState::Connecting,
                protected: setup.protected,
                read_only: setup.read_only,
                has_login: setup.cluster.login().is_some(),
            };
            self.world.tell(Update::Cluster { status: status.clone(), was: None });
            let namespace = self.setup.namespace.clone().or(setup.namespace);
            self.world.clusters.push(ClusterEntry::new(status, namespace));
            self.ask_facts(at, Duration::ZERO);
        }
    }

    /// Starts reading a repo.
    fn read(&mut self, at: usize) {
        let (Some(source), Some(turn)) = (self.setup.sources.get(at).cloned(), self.turns.get_mut(at)) else {
            return;
        };
        *turn += 1;
        let turn = *turn;
        let (setup, cancel, events) = (self.setup.clone(), self.cancel.clone(), self.events.clone());
        self.spawn(async move {
            // One that finds no room is followed by others.
            let mut progress = |fetching| drop(events.try_send(Event::Fetching { at, turn, fetching }));
            let read = reading::read(&source, &setup, &mut progress, &cancel).await;
            Event::Repo { at, turn, read: Box::new(read) }
        });
    }

    /// Starts a task that tells when a repo moved.
    fn follow(&mut self, at: usize, source: Source) {
        let (tell, failures) = watch::channel(0);
        self.fetches.insert(at, tell);
        let (events, cancel) = (self.events.clone(), self.cancel.clone());
        tokio::spawn(async move {
            let (moved, mut told) = mpsc::channel(1);
            let (say, mut said) = mpsc::channel(1);
            let follow = reading::follow(source, failures, moved, say, cancel);
            let pass_on = async {
                loop {
                    let event = tokio::select! {
                        Some(()) = told.recv() => Event::RepoMoved { at },
                        Some(notice) = said.recv() => Event::Said(notice),
                        else => break,
                    };
                    if events.send(event).await.is_err() {
                        break;
                    }
                }
            };
            tokio::join!(follow, pass_on);
        });
    }

    fn ask_facts(&mut self, at: usize, after: Duration) {
        let (Some(setup), Some(line)) = (self.setup.clusters.get(at), self.lines.get_mut(at)) else { return };
        if std::mem::replace(&mut line.asking_facts, true) {
            if after.is_zero() {
                line.hurry.notify_one();
            }
            return;
        }
        let (cluster, hurry) = (setup.cluster.clone(), line.hurry.clone());
        self.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(after) => {}
                () = hurry.notified() => {}
            }
            Event::Facts { at, facts: cluster.facts().await }
        });
    }

    /// Runs a task whose event comes back here; it ends with the pipeline.
    fn spawn(&self, task: impl Future<Output = Event> + Send + 'static) -> JoinHandle<()> {
        let (events, cancel) = (self.events.clone(), self.cancel.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = cancel.cancelled() => {}
                event = task => {
                    // The pipeline has ended: nobody waits for the event.
                    let _ = events.send(event).await;
                }
            }
        })
    }

    fn take(&mut self, event: Event) {
        let now = (self.setup.clock)();
        match event {
            // An older reading that comes late would bring back what is no longer so.
            Event::Repo { at, turn, read } if self.turns.get(at) == Some(&turn) => self.take_repo(at, *read),
            Event::Fetching { at, turn, fetching } if self.turns.get(at) == Some(&turn) => {
                self.world.set_fetching(at, fetching);
            }
            Event::Repo { read, .. } => {
                // What is new is told once: it is remembered by now.
                if let Some(news) = read.ok().and_then(|read| read.news) {
                    self.world.tell(Update::Notice(news));
                }
            }
            Event::Fetching { .. } => {}
            Event::RepoMoved { at } => self.read(at),
            Event::Said(notice) => self.world.tell(Update::Notice(notice)),
            Event::Facts { at, facts } => self.take_facts(at, facts),
            Event::SchemaWanted { at } => self.ask_schema(at),
            Event::Schema { at, question, answer, admission } => {
                if let Some(admission) = admission {
                    self.world.set_admission(at, admission, now);
                }
                self.take_schema(at, question, answer, now);
            }
            Event::Rendered { id, generation, rendering } => self.take_rendering(&id, generation, rendering),
            Event::Earlier { id, looked, past } => self.world.set_earlier(&id, *looked, past),
            Event::Watch { at, key, event } => self.take_watch(at, &key, event, now),
            Event::Elsewhere { at, question, found } => {
                if self.world.set_found(at, &question, found) {
                    self.plan_watches(at);
                }
            }
            Event::Judged(judged) => {
                self.judging = false;
                self.world.set_judged(judged);
                self.look_at_pods();
                self.remember();
            }
            Event::Exact { deployment, answer } => {
                self.world.set_answers(&deployment, answer.map(|answer| *answer).into_iter().collect());
            }
            Event::Pods { at, namespace, event } => {
                // What was under way when its watch ended is of no use any more.
                if self.lines.get(at).is_some_and(|line| line.pods.contains_key(&namespace)) {
                    self.world.pod_event(at, &namespace, event);
                }
            }
            Event::Answered { at, answer } => {
                if let Some(line) = self.lines.get_mut(at) {
                    line.asked = false;
                }
                match answer {
                    // Who says that it is busy is there.
                    Ok(()) | Err(ClusterError::Busy { .. }) => self.world.confirmed(at, now),
                    Err(error) => {
                        tracing::info!(%error, "a cluster did not confirm");
                        self.world.not_reached(at, &error, now, now.checked_add(HEARTBEAT).ok());
                    }
                }
            }
        }
    }

    fn take_repo(&mut self, at: usize, read: Result<Read, RepoStatus>) {
        if let Some(tell) = self.fetches.get(&at) {
            let failed = read.as_ref().map_or(true, |read| read.status.fetched.is_none());
            tell.send_modify(|failures| *failures = remotes::failures_after(*failures, failed));
        }
        match read {
            Ok(Read { status, tree, repo, apps, notices, rules, rule_mistake, news }) => {
                self.opened.insert(at, repo);
                let asked = apps.iter().filter(|member| member.role.is_asked());
                self.names.insert(at, asked.map(|member| member.app.id.name.clone()).collect());
                let apps: Vec<_> = apps.into_iter().map(|member| self.narrowed(member)).collect();
                tracing::debug!(repo = %status.name, apps = apps.len(), "a repo was read");
                self.world.set_rules(at, self.setup.ignoring.with_mistake(&rules, rule_mistake));
                self.world.set_repo(at, status, Some((tree, apps)));
                if let Some(news) = news {
                    self.world.tell(Update::Notice(news));
                }
                let before = self.said.insert(at, notices.clone()).unwrap_or_default();
                for notice in notices.into_iter().filter(|notice| !before.contains(notice)) {
                    self.world.tell(Update::Notice(notice));
                }
                self.render_all();
            }
            Err(status) => self.world.set_repo(at, status, None),
        }
    }

    /// Returns what to say of the apps that were asked for by a name that none has.
    fn not_found(&self) -> Vec<Notice> {
        if self.names.len() < self.setup.sources.len() {
            // It may be in the repo that could not be read.
            return Vec::new();
        }
        absent(&self.setup.only_apps, &self.names.values().flatten().cloned().collect())
    }

    fn is_wanted(&self, app: &App) -> bool {
        self.setup.only_apps.is_empty()
            || self.setup.only_apps.iter().any(|glob| Glob::new(glob).matches(&app.id.name))
    }

    /// Applies what was asked for by name. Apps that were not asked for stay: what they declare is no extra of the others.
    fn narrowed(&self, mut member: Member) -> Member {
        if !self.is_wanted(&member.app) {
            member.role = Role::Other;
        }
        // An app that was asked for by its very name is expected to be deployed.
        let name = &member.app.id.name;
        member.app.expected |= self.setup.only_apps.contains(name) || self.setup.expected.contains(name);
        member
    }

    /// Writes down which deployments were seen for the first time.
    fn remember(&mut self) {
        let appeared = self.world.take_appeared();
        // A short line once in the life of a deployment; a run that looks once must not end before it is on disk.
        if let Some(seen) = &self.setup.seen {
            for id in &appeared {
                let namespace = self.world.deployments.get(id).and_then(|d| d.namespace.as_deref());
                seen.remember(id, namespace);
            }
        }
    }

    fn render_all(&mut self) {
        let seen = self.setup.seen.clone();
        let was_seen = |id: &DeploymentId, namespace: Option<&str>| {
            seen.as_ref().is_some_and(|seen| seen.contains(id, namespace))
        };
        for (id, generation) in self.world.match_apps(&was_seen) {
            self.render(id, generation);
        }
    }

    fn render(&mut self, id: DeploymentId, generation: u64) {
        let Some(deployment) = self.world.deployments.get(&id) else { return };
        let Some(tree) = self.world.repos.get(deployment.repo).and_then(|r| r.tree.clone()) else { return };
        let Some(cluster) = self.world.clusters.get(deployment.cluster) else { return };
        let Some(facts) = cluster.facts.clone() else { return };
        let (renderer, app, context) =
            (self.renderer.clone(), deployment.app.clone(), cluster.status.context.clone());
        let cancel = self.cancel.child_token();
        // The one before ends: its outcome would be dropped.
        self.rendering.insert(id.clone(), cancel.clone().drop_guard());
        self.spawn(async move {
            let whom = For { facts: &facts, context: &context };
            let rendering = renderer.render(&app, tree, whom, &cancel).await;
            Event::Rendered { id, generation, rendering }
        });
    }

    fn take_facts(&mut self, at: usize, facts: Result<Arc<ClusterFacts>, ClusterError>) {
        let now = (self.setup.clock)();
        let Some(line) = self.lines.get_mut(at) else { return };
        line.asking_facts = false;
        match &facts {
            Ok(facts) => tracing::debug!(cluster = %facts.id.0, "a cluster said what it serves"),
            Err(error) => tracing::info!(%error, "a cluster did not say what it serves"),
        }
        match facts {
            Ok(facts) => {
                line.attempts = 0;
                let before = self.world.clusters.get(at).and_then(|c| c.facts.clone());
                let same = before.as_ref().is_some_and(|before| **before == *facts);
                let known = before.map(|before| before.failed_groups.clone()).unwrap_or_default();
                for (group, reason) in facts.failed_groups.iter().filter(|failed| !known.contains(failed)) {
                    let title = format!("the API group {group} does not answer");
                    self.world.tell(Update::Notice(
                        Notice::warning(title).cause(reason).hint("its kinds are unknown until it does"),
                    ));
                }
                self.world.set_facts(at, facts, now);
                if !same {
                    self.render_all();
                    self.plan_watches(at);
                }
                if self.lines.get(at).is_some_and(|line| line.definitions_moved) {
                    self.ask_schema(at);
                }
            }
            Err(error) => {
                let wait = if matches!(error, ClusterError::Credentials { .. }) {
                    PLUGIN_RESTS
                } else if reaching::is_refusal(&error) {
                    // Somebody has to do something first: log in, grant a right.
                    DENIED_AGAIN
                } else {
                    Duration::from_secs([1, 2, 5, 10, 30][line.attempts.min(4) as usize])
                };
                line.attempts += 1;
                let next_try = self.setup.follow.then(|| now.checked_add(wait).ok()).flatten();
                if self.setup.follow {
                    self.ask_facts(at, wait);
                }
                self.world.not_reached(at, &error, now, next_try);
            }
        }
    }

    fn take_rendering(&mut self, id: &DeploymentId, generation: u64, rendering: Rendering) {
        let notices = rendering.notices.clone();
        if !self.world.set_rendering(id, generation, rendering) {
            return;
        }
        tracing::debug!(app = %id.app.name, cluster = %id.cluster.0, notices = notices.len(), "an app was rendered");
        let Some(deployment) = self.world.deployments.get(id) else { return };
        let (at, asked) = (deployment.cluster, deployment.role.is_asked());
        if !asked {
            return;
        }
        self.world.tell_empty(id);
        for notice in notices {
            self.world.tell(Update::Notice(notice));
        }
        if self.world.all_rendered(at) {
            self.plan_watches(at);
        }
        self.look_back(id);
    }

    /// Starts looking at what earlier commits rendered to: live objects of those are extras.
    fn look_back(&mut self, id: &DeploymentId) {
        let Some(deployment) = self.world.deployments.get(id) else { return };
        let looked = deployment.looks_back_for();
        if deployment.looked_back.as_ref() == Some(&looked)
            || self.looking.get(id).is_some_and(|(before, _)| *before == looked)
        {
            return;
        }
        let Some(rendered) = deployment.rendered.clone() else { return };
        let Some(tree) = self.world.repos.get(deployment.repo).and_then(|repo| repo.tree.clone()) else {
            return;
        };
        let Some(repo) = self.opened.get(&deployment.repo).cloned() else { return };
        let Some(cluster) = self.world.clusters.get(deployment.cluster) else { return };
        let Some(facts) = cluster.facts.clone() else { return };
        let (renderer, context) = (self.renderer.clone(), cluster.status.context.clone());
        let cancel = self.cancel.child_token();
        // The look before ends: the app has moved on.
        self.looking.insert(id.clone(), (looked.clone(), cancel.clone().drop_guard()));
        let id = id.clone();
        self.spawn(async move {
            let whom = For { facts: &facts, context: &context };
            let past = renderer.past(&repo, tree, &looked, rendered, whom, &cancel).await;
            Event::Earlier { id, looked: Box::new(looked), past }
        });
    }

    /// Starts and ends watches so that they fit what is rendered, and asks for the schema of new kinds.
    fn plan_watches(&mut self, at: usize) {
        let (start, end) = self.world.plan_watches(at, self.setup.secrets_everywhere);
        let Some(line) = self.lines.get_mut(at) else { return };
        for key in end {
            if let Some(task) = line.watches.remove(&key) {
                task.abort();
            }
        }
        let kinds: BTreeSet<_> = start.iter().map(|(key, _)| key.kind.clone()).collect();
        let unknown = kinds.iter().any(|kind| !line.kinds.contains(kind));
        line.kinds.extend(kinds);
        let schema_known = self.world.clusters.get(at).is_some_and(|c| c.schema.is_some());
        if unknown || !schema_known {
            self.ask_schema(at);
        }
        for (key, wanted) in start {
            self.watch(at, key, wanted);
        }
    }

    fn watch(&mut self, at: usize, key: WatchKey, wanted: Wanted) {
        let (Some(setup), Some(line)) = (self.setup.clusters.get(at), self.lines.get_mut(at)) else { return };
        let (cluster, events, follow) = (setup.cluster.clone(), self.events.clone(), self.setup.follow);
        let place = key.clone();
        let task = tokio::spawn(async move {
            let Wanted { served, .. } = wanted;
            if follow {
                let mut stream = cluster.watch(served, place.scope.clone());
                while let Some(event) = stream.next().await {
                    if events.send(Event::Watch { at, key: place.clone(), event }).await.is_err() {
                        break;
                    }
                }
            } else {
                let event = match cluster.list(served, place.scope.clone()).await {
                    Ok(objects) => WatchEvent::Listed(objects),
                    Err(error) => WatchEvent::Interrupted { error, retry_in: Duration::ZERO },
                };
                // The pipeline has ended: nobody waits for the event.
                let _ = events.send(Event::Watch { at, key: place, event }).await;
            }
        });
        if let Some(before) = line.watches.insert(key, task) {
            before.abort();
        }
    }

    fn take_watch(&mut self, at: usize, key: &WatchKey, event: WatchEvent, now: crate::model::Timestamp) {
        if let WatchEvent::Interrupted { error, .. } = &event {
            tracing::info!(kind = %key.kind.kind, %error, "a watch was interrupted");
        }
        if matches!(&event, WatchEvent::Interrupted { error: ClusterError::Denied { .. }, .. }) {
            let narrower = self.world.narrow(at, key);
            if !narrower.is_empty() {
                if let Some(task) = self.lines.get_mut(at).and_then(|line| line.watches.remove(key)) {
                    task.abort();
                }
                for (key, wanted) in narrower {
                    self.watch(at, key, wanted);
                }
                return;
            }
        }
        let serves_more =
            key.kind.kind == "CustomResourceDefinition" && matches!(event, WatchEvent::Applied(_));
        self.world.watch_event(at, key, event, now);
        if serves_more && self.setup.follow {
            if let Some(line) = self.lines.get_mut(at) {
                line.definitions_moved = true;
            }
            self.ask_facts(at, Duration::from_secs(1));
        }
    }

    fn judge(&mut self) {
        self.calm.settle();
        let work = self.world.take_work();
        if work.iter().all(|(_, items)| items.is_empty()) {
            return;
        }
        self.judging = true;
        let events = self.events.clone();
        tokio::task::spawn_blocking(move || {
            let judged = work.iter().flat_map(|(knowledge, items)| judge_batch(items, knowledge)).collect();
            // The pipeline has ended: nobody waits for the verdicts.
            let _ = events.blocking_send(Event::Judged(judged));
        });
    }

    /// Looks for silence, and asks quiet clusters whether they still answer.
    fn beat(&mut self) {
        self.world.expire((self.setup.clock)());
        for at in 0..self.lines.len() {
            let connected = self.world.clusters.get(at).is_some_and(|c| c.facts.is_some());
            let (Some(setup), Some(line)) = (self.setup.clusters.get(at), self.lines.get_mut(at)) else {
                continue;
            };
            if connected && !std::mem::replace(&mut line.asked, true) {
                let cluster = setup.cluster.clone();
                self.spawn(async move { Event::Answered { at, answer: cluster.confirm().await } });
            }
        }
    }

    /// Asks clusters that lack a kind again what they serve.
    fn rediscover(&mut self) {
        for at in 0..self.lines.len() {
            let lacks = |c: &ClusterEntry| c.status.state == ClusterState::Live && !c.not_served.is_empty();
            if self.world.clusters.get(at).is_some_and(lacks) {
                self.ask_facts(at, Duration::ZERO);
            }
        }
    }
}
