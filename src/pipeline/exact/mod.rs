//! Asks the API server about the objects of a deployment: at most [`AT_ONCE`] at the same time, fewer where it asks to
//! wait, each object's error its own. What it says replaces the local verdicts until either side changes.

mod pace;

pub use pace::AT_ONCE;

use crate::action::exact::{Answer, Subject, ask};
use crate::cluster::{Cluster, ClusterError};
use crate::model::{
    ClusterFacts, ClusterId, DeploymentId, FieldPath, Manifest, Notice, Packed, ResourceId, Schema,
};
use crate::pipeline::run::{Handle, Request};
use crate::pipeline::setup::Clock;
use futures::stream::{FuturesUnordered, StreamExt as _};
use pace::Pace;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Answers that become verdicts together.
const BATCH: usize = 32;
/// How often one object is asked about before the server counts as too busy for it.
const PATIENCE: usize = 20;

/// The objects of a deployment that the API server is to be asked about.
#[derive(Clone)]
pub struct Work {
    pub deployment: DeploymentId,
    pub(super) cluster: Arc<dyn Cluster>,
    pub(super) id: ClusterId,
    pub(super) facts: Arc<ClusterFacts>,
    pub(super) schema: Arc<Schema>,
    pub(super) engine: Option<&'static str>,
    pub(super) objects: Vec<Object>,
    pub(super) clock: Clock,
}

/// One object to ask about.
#[derive(Clone)]
pub(super) struct Object {
    pub desired: Arc<Manifest>,
    pub live: Option<Arc<Packed>>,
    /// Declared paths that are left as they are.
    pub ignored: Vec<FieldPath>,
}

/// What asking came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Objects that could be asked about.
    pub total: usize,
    /// Those that the API server gave an answer to.
    pub exact: usize,
    /// Why the others have none, each with how many.
    pub silent: BTreeMap<String, usize>,
    pub cancelled: bool,
}

impl Checked {
    /// Adds another deployment's.
    pub fn add(&mut self, other: Checked) {
        self.total += other.total;
        self.exact += other.exact;
        for (why, count) in other.silent {
            *self.silent.entry(why).or_default() += count;
        }
        self.cancelled |= other.cancelled;
    }
}

/// Returns what is to be said of objects that have no exact verdict.
pub fn silences(checked: &Checked) -> Vec<Notice> {
    let said = checked.silent.iter().map(|(why, count)| {
        let objects =
            if *count == 1 { "1 object keeps its".to_owned() } else { format!("{count} objects keep their") };
        Notice::warning(format!("{objects} local verdict")).cause(why.clone())
    });
    said.collect()
}

impl Handle {
    /// Asks the API server about objects of a deployment (none named: all) and has its answers taken into the verdicts.
    /// `progress` is told how many of how many are done. `None`: the deployment is not known any more. Updates must be
    /// received meanwhile.
    pub async fn check_exactly(
        &self,
        deployment: DeploymentId,
        resources: Vec<ResourceId>,
        cancel: &CancellationToken,
        progress: &mut (dyn FnMut(usize, usize) + Send),
    ) -> Option<Checked> {
        let (reply, work) = oneshot::channel();
        let asked = Request::Exact { deployment: deployment.clone(), resources, reply };
        self.requests.send(asked).await.ok()?;
        let work = work.await.ok().flatten()?;
        let mut checked = Checked { total: work.objects.len(), ..Checked::default() };
        let total = checked.total;
        progress(0, total);
        let mut done = 0;
        let mut batch = Vec::new();
        let mut asking = Asking::of(work);
        loop {
            let next = tokio::select! {
                biased;
                () = cancel.cancelled() => {
                    checked.cancelled = true;
                    None
                }
                next = asking.next() => next,
            };
            let Some(answer) = next else { break };
            done += 1;
            match answer.why_silent() {
                Some(why) => *checked.silent.entry(why.to_owned()).or_default() += 1,
                None => checked.exact += 1,
            }
            batch.push(answer);
            progress(done, total);
            if batch.len() >= BATCH {
                let answers = std::mem::take(&mut batch);
                let deployment = deployment.clone();
                self.requests.send(Request::Answers { deployment, answers, judged: None }).await.ok()?;
            }
        }
        let (judged, taken_in) = oneshot::channel();
        let judged = Some(judged);
        self.requests.send(Request::Answers { deployment, answers: batch, judged }).await.ok()?;
        // The pipeline has ended: nobody will judge.
        let _ = taken_in.await;
        Some(checked)
    }
}

/// A run over objects: which are under way, which wait, and how many may be under way.
pub(super) struct Asking {
    work: Arc<Work>,
    /// Places in the work, each with how often it was asked about.
    waiting: VecDeque<(usize, usize)>,
    running: FuturesUnordered<futures::future::BoxFuture<'static, Asked>>,
    pace: Pace,
}

/// One request's end.
struct Asked {
    at: usize,
    tries: usize,
    /// Which pace it was sent at.
    turn: u64,
    answer: Result<Answer, ClusterError>,
}

impl Asking {
    pub fn of(work: Work) -> Self {
        let waiting = (0..work.objects.len()).map(|at| (at, 0)).collect();
        Self { work: Arc::new(work), waiting, running: FuturesUnordered::new(), pace: Pace::default() }
    }

    /// Returns the next answer, in whatever order they come; `None` at the end.
    pub async fn next(&mut self) -> Option<Answer> {
        loop {
            let rests_until = self.pace.rests_until(Instant::now());
            while rests_until.is_none() && self.running.len() < self.pace.allowed() {
                let Some((at, tries)) = self.waiting.pop_front() else { break };
                self.start(at, tries);
            }
            if self.running.is_empty() && self.waiting.is_empty() {
                return None;
            }
            let asked = tokio::select! {
                Some(asked) = self.running.next() => asked,
                () = tokio::time::sleep_until(rests_until.unwrap_or_else(Instant::now)), if rests_until.is_some() => continue,
            };
            match asked.answer {
                Ok(answer) => {
                    self.pace.went_well();
                    return Some(answer);
                }
                Err(ClusterError::Busy { after }) if asked.tries < PATIENCE => {
                    self.pace.was_busy(asked.turn, Instant::now(), after);
                    self.waiting.push_front((asked.at, asked.tries));
                }
                Err(error) => return self.silent(asked.at, &error),
            }
        }
    }

    fn start(&mut self, at: usize, tries: usize) {
        let (work, turn) = (self.work.clone(), self.pace.turn());
        self.running.push(Box::pin(async move {
            let answer = work.ask(at).await;
            Asked { at, tries: tries + 1, turn, answer }
        }));
    }

    fn silent(&self, at: usize, error: &ClusterError) -> Option<Answer> {
        let subject = self.work.subject(at)?;
        Some(Answer::silent((self.work.clock)(), subject, error.to_string()))
    }
}

impl Work {
    async fn ask(&self, at: usize) -> Result<Answer, ClusterError> {
        let gone = || ClusterError::NotFound { resource: "the object".to_owned() };
        let subject = self.subject(at).ok_or_else(gone)?;
        ask(&*self.cluster, &self.facts, &self.schema, subject, (self.clock)()).await
    }

    fn subject(&self, at: usize) -> Option<Subject> {
        let Object { desired, live, ignored } = self.objects.get(at)?;
        let live = live.as_ref().and_then(|packed| packed.open(&self.id).ok());
        Some(Subject { desired: desired.clone(), live, ignored: ignored.clone(), engine: self.engine })
    }
}
