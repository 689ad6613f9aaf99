//! Carries out a plan, step by step.
//!
//! Before anything is written, every object of the plan is read: if one has moved, nothing is written. Directly before
//! each write its object is read again and the dry run repeated, and the write is tied to the version that was read. A
//! step that fails does not stop the others, but for those that need it.

use super::before::{Kept, Store};
use super::dry_run::{Shown, dry_run, served};
use super::effect::same_effect;
use super::journal::{self, Action, Journal, JournalError};
use super::read_back::{self, ReadBack, Sent};
use super::write::{Pin, write};
use super::{bind, confirm, document, notices, order};
use crate::cluster::{Cluster, ClusterError, Writer};
use crate::model::{
    Bound, Class, ClusterFacts, FieldPath, LastApplied, LiveObject, Plan, ResourceId, Schema, ServedKind,
    Step, StepAction, StepOutcome, Timestamp, Way,
};
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a write is tried again after the object moved in between.
const TRIES_AFTER_CONFLICT: usize = 3;
/// How long a kind may take to be served after its definition was written: looks, and the pause between them.
const LOOKS_FOR_KIND: usize = 60;
const PAUSE_FOR_KIND: Duration = Duration::from_millis(500);
/// The pauses before each reading back of a write whose answer was lost.
const READ_BACK_AFTER: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
/// The longest that is waited because the server asked to.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Requests that run at the same time.
const AT_ONCE: usize = 8;

/// With what a plan is carried out.
pub struct Execution<'a> {
    pub cluster: &'a dyn Cluster,
    pub schema: &'a Schema,
    pub journal: &'a Journal,
    pub clock: &'a (dyn Fn() -> Timestamp + Send + Sync),
    pub cancel: &'a CancellationToken,
    /// What was typed to confirm: see [`confirm::asks`].
    pub answers: &'a [String],
    /// Whom the user acts as.
    pub acting_as: Option<&'a str>,
}

/// Why nothing of a plan was written.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    #[error("{context} is read-only here")]
    ReadOnly { context: String },
    #[error("not confirmed: {}", .asks.iter().map(|a| a.why.as_str()).collect::<Vec<_>>().join(", "))]
    NotConfirmed { asks: Vec<confirm::Ask> },
    #[error("{context} is another cluster than the plan was made for")]
    OtherCluster { context: String },
    #[error("what Git declares has moved since the plan was made")]
    FilesMoved,
    #[error("the plan is no longer valid: {}", .moved.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Moved { moved: Vec<Moved> },
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl ExecuteError {
    /// Returns whether what the plan is bound to has moved, so that another plan is to be made.
    pub fn is_moved(&self) -> bool {
        matches!(self, Self::FilesMoved | Self::Moved { .. })
    }
}

/// An object that is not what the plan was made for any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{resource} {how}")]
pub struct Moved {
    pub resource: ResourceId,
    pub how: &'static str,
}

/// Carries out the ticked steps of a plan and returns it with their outcomes; `progress` is told after each of them.
pub async fn execute(
    mut plan: Plan,
    with: &Execution<'_>,
    progress: &mut (dyn FnMut(&Plan) + Send),
) -> Result<Plan, ExecuteError> {
    let context = plan.context.clone();
    let writer = with.cluster.writer().ok_or_else(|| ExecuteError::ReadOnly { context: context.clone() })?;
    let asks = confirm::unanswered(&plan, with.answers);
    if !asks.is_empty() {
        return Err(ExecuteError::NotConfirmed { asks });
    }
    let facts = with.cluster.facts().await?;
    if facts.id != plan.cluster {
        return Err(ExecuteError::OtherCluster { context });
    }
    let moved = moved(&plan, with.cluster, &facts).await;
    if !moved.is_empty() {
        return Err(ExecuteError::Moved { moved });
    }
    keep_record_of_leftovers(&mut plan);
    let entry = journal::entry(&plan, facts.user.clone(), with.acting_as.map(str::to_owned), (with.clock)());
    let action = with.journal.begin(entry)?;
    let store = Store::beside(with.journal);
    if let Err(error) = store.make_room((with.clock)()) {
        tracing::warn!(%error, "what was kept for undoing could not be looked through");
    }
    let steps = plan.steps.len();
    let mut run = Run {
        plan,
        with,
        writer,
        facts,
        action,
        store,
        unkept: Vec::new(),
        now_bound: HashMap::new(),
        digests: vec![document::Digests::default(); steps],
        no_journal: false,
    };
    for at in 0..steps {
        run.step(at).await;
        progress(&run.plan);
    }
    Ok(run.close())
}

/// Returns the objects that are not what the plan was made for. What cannot be read now fails at its own step.
async fn moved(plan: &Plan, cluster: &dyn Cluster, facts: &ClusterFacts) -> Vec<Moved> {
    let mut seen = Vec::new();
    let steps = plan.ticked().filter(|step| {
        let first = !seen.contains(&&step.resource);
        seen.push(&step.resource);
        first
    });
    let reads: Vec<_> = steps.filter_map(|step| Some((step, served(facts, step)?))).collect();
    let checks: Vec<BoxFuture<'_, Option<Moved>>> = reads
        .into_iter()
        .map(|(step, kind)| {
            async move {
                let live = read(cluster, &kind, step).await.ok()?;
                let how = differs(&step.bound, live.as_ref())?;
                Some(Moved { resource: step.resource.clone(), how })
            }
            .boxed()
        })
        .collect();
    futures::stream::iter(checks).buffered(AT_ONCE).filter_map(|moved| async move { moved }).collect().await
}

/// Where the removal of leftovers is not ticked, last-applied goes on holding them: it is the only record of them.
fn keep_record_of_leftovers(plan: &mut Plan) {
    let unticked = plan.steps.iter().filter(|s| !s.ticked);
    let kept: Vec<(ResourceId, FieldPath)> = unticked
        .flat_map(|s| s.changes.iter().map(|change| (s.resource.clone(), change)))
        .filter(|(_, change)| change.counts && change.class == Class::Leftover)
        .map(|(resource, change)| (resource, change.path.clone()))
        .collect();
    for step in &mut plan.steps {
        let Way::Patch { last_applied } = &mut step.way else { continue };
        let mut paths = match &*last_applied {
            LastApplied::Untouched | LastApplied::Was(_) => continue,
            LastApplied::Declared => Vec::new(),
            LastApplied::Keeping(paths) => paths.clone(),
        };
        paths.extend(kept.iter().filter(|(of, _)| *of == step.resource).map(|(_, path)| path.clone()));
        if !paths.is_empty() {
            *last_applied = LastApplied::Keeping(paths);
        }
    }
}

/// Says how an object is not what a step is bound to; `None` if it is.
fn differs(bound: &Bound, live: Option<&LiveObject>) -> Option<&'static str> {
    match (bound.uid.is_some() || bound.digest.is_some(), live) {
        (false, None) => None,
        (false, Some(_)) => Some("was created since"),
        (true, None) => Some("was deleted since"),
        (true, Some(live)) if live.uid != bound.uid => Some("was deleted and created anew since"),
        (true, Some(live)) => (Some(bind::digest(live)) != bound.digest).then_some("was changed since"),
    }
}

async fn read(
    cluster: &dyn Cluster,
    kind: &ServedKind,
    step: &Step,
) -> Result<Option<LiveObject>, ClusterError> {
    let name = step.resource.name.clone().unwrap_or_default();
    cluster.get(kind.clone(), step.resource.namespace.clone(), name).await
}

struct Run<'a> {
    plan: Plan,
    with: &'a Execution<'a>,
    writer: Arc<dyn Writer>,
    facts: Arc<ClusterFacts>,
    action: Action,
    /// What objects were before, so that the action can be undone.
    store: Store,
    /// Steps of which nothing could be kept.
    unkept: Vec<usize>,
    /// What objects are bound to after this run wrote to them.
    now_bound: HashMap<ResourceId, Bound>,
    digests: Vec<document::Digests>,
    /// Nothing more can be put on disk, so nothing more is written.
    no_journal: bool,
}

/// How one attempt at a step ended.
enum Attempt {
    Over(StepOutcome),
    /// The object moved between reading and writing, or the server asked to wait: once more.
    Again,
}

impl Run<'_> {
    async fn step(&mut self, at: usize) {
        let Some(step) = self.plan.steps.get(at) else { return };
        if step.outcome.is_final() {
            return;
        }
        let outcome = if !step.ticked {
            StepOutcome::Skipped("not ticked".to_owned())
        } else if self.no_journal {
            StepOutcome::Skipped("the journal cannot be written".to_owned())
        } else if self.with.cancel.is_cancelled() {
            StepOutcome::Cancelled
        } else if let Some(why) = self.blocked(step) {
            StepOutcome::Skipped(why)
        } else {
            self.attempts(at).await
        };
        let digests = self.digests.get(at).cloned().unwrap_or_default();
        let told = journal::told(at, &outcome, (self.with.clock)(), digests.before, digests.after);
        if let Some(step) = self.plan.steps.get_mut(at) {
            tracing::info!(plan = %self.plan.id, resource = %step.resource, outcome = outcome.word(), "a step ended");
            step.outcome = outcome;
        }
        if self.action.tell(&told).is_err() {
            self.no_journal = true;
        }
    }

    /// Returns why a step cannot be done after what became of those before it.
    fn blocked(&self, step: &Step) -> Option<String> {
        let undone = |s: &&Step| {
            s.ticked
                && s.outcome.is_final()
                && !matches!(s.outcome, StepOutcome::Applied | StepOutcome::Unchanged)
        };
        self.plan.steps.iter().filter(undone).find_map(|before| {
            let needed = if before.resource == step.resource {
                "an earlier step on it"
            } else if order::is_namespace(&before.resource.kind)
                && before.action == StepAction::Create
                && before.resource.name == step.resource.namespace
            {
                "its namespace"
            } else if defines(before, step) {
                "the definition of its kind"
            } else {
                return None;
            };
            Some(format!("{needed} was not written"))
        })
    }

    async fn attempts(&mut self, at: usize) -> StepOutcome {
        let mut conflicts = 0;
        loop {
            let Some(step) = self.plan.steps.get(at).cloned() else { return StepOutcome::Cancelled };
            match self.attempt(at, &step).await {
                Attempt::Over(outcome) => return outcome,
                Attempt::Again if conflicts == TRIES_AFTER_CONFLICT => {
                    return StepOutcome::Refused(notices::keeps_moving(&step));
                }
                Attempt::Again if self.with.cancel.is_cancelled() => return StepOutcome::Cancelled,
                Attempt::Again => conflicts += 1,
            }
        }
    }

    async fn attempt(&mut self, at: usize, step: &Step) -> Attempt {
        let Some(kind) = self.await_kind(step).await else {
            let missing = ClusterError::NotServed { kind: step.resource.kind.to_string() };
            return Attempt::Over(StepOutcome::Failed(notices::failed(step, &missing)));
        };
        let failed = |error: &ClusterError| Attempt::Over(StepOutcome::Failed(notices::failed(step, error)));
        let live = match self.read_bound(step, &kind).await {
            Ok(live) => live,
            Err(refused) => return refused,
        };
        let shown = match dry_run(self.with.cluster, self.with.schema, step, &kind, live.as_ref()).await {
            Ok(shown) => shown,
            Err(ClusterError::Busy { after }) => return self.wait(after).await,
            Err(error) => return failed(&error),
        };
        if let (Some(planned), Some(now)) = (&step.effect, &shown.effects)
            && let Some(paths) = same_effect(step, planned, now).err()
        {
            return Attempt::Over(StepOutcome::Refused(notices::other_effect(step, &paths)));
        }
        // Read once more: the write is tied to this very version, and a status that moves all the time moves less often
        // in the time of one request than of two.
        let live = match self.read_bound(step, &kind).await {
            Ok(live) => live,
            Err(refused) => return refused,
        };
        self.send(at, step, &kind, live.as_ref(), &shown).await
    }

    /// Reads the object of a step and refuses the step if it is not what it is bound to.
    async fn read_bound(&self, step: &Step, kind: &ServedKind) -> Result<Option<LiveObject>, Attempt> {
        let live = read(self.with.cluster, kind, step)
            .await
            .map_err(|error| Attempt::Over(StepOutcome::Failed(notices::failed(step, &error))))?;
        let bound = self.now_bound.get(&step.resource).unwrap_or(&step.bound);
        match differs(bound, live.as_ref()) {
            Some(how) => Err(Attempt::Over(StepOutcome::Refused(notices::moved(step, &format!("it {how}"))))),
            None => Ok(live),
        }
    }

    async fn send(
        &mut self,
        at: usize,
        step: &Step,
        kind: &ServedKind,
        live: Option<&LiveObject>,
        shown: &Shown,
    ) -> Attempt {
        let Some(write) = write(step, kind, live, Pin::Version) else {
            return Attempt::Over(StepOutcome::Refused(notices::moved(
                step,
                "it is not there, or there already",
            )));
        };
        let intent = journal::intent(at, step, (self.with.clock)(), live, shown.result.as_ref());
        if let Some(digests) = self.digests.get_mut(at) {
            digests.before.clone_from(&intent.before);
        }
        if let Err(error) = self.action.intend(&intent) {
            self.no_journal = true;
            return Attempt::Over(StepOutcome::Failed(notices::no_intent(step, &error)));
        }
        self.keep(at, step, live, shown.result.as_ref(), false);
        match self.writer.write(write).await {
            Ok(result) => {
                let unmoved = result.as_ref().is_some_and(|now| {
                    live.is_some_and(|l| {
                        l.resource_version.is_some() && l.resource_version == now.resource_version
                    })
                });
                self.written(at, step, live, result.as_ref());
                Attempt::Over(if unmoved { StepOutcome::Unchanged } else { StepOutcome::Applied })
            }
            Err(ClusterError::Conflict { managers, .. }) if managers.is_empty() => Attempt::Again,
            Err(ClusterError::Busy { after }) => self.wait(after).await,
            Err(error @ ClusterError::Conflict { .. }) => {
                Attempt::Over(StepOutcome::Refused(notices::failed(step, &error)))
            }
            Err(ClusterError::NotFound { .. }) if live.is_some() => {
                Attempt::Over(StepOutcome::Refused(notices::moved(step, "it was deleted since")))
            }
            Err(
                error @ (ClusterError::Lost { .. }
                | ClusterError::TimedOut { .. }
                | ClusterError::Unreachable { .. }
                | ClusterError::Server { status: 500.., .. }),
            ) => Attempt::Over(self.read_back(at, step, kind, live, shown, &error).await),
            Err(error) => Attempt::Over(StepOutcome::Failed(notices::failed(step, &error))),
        }
    }

    fn written(&mut self, at: usize, step: &Step, before: Option<&LiveObject>, result: Option<&LiveObject>) {
        if step.action != StepAction::Delete {
            self.keep(at, step, before, result, true);
        }
        if let Some(digests) = self.digests.get_mut(at) {
            digests.after = result.map(bind::lasting_digest);
        }
        self.now_bound.insert(step.resource.clone(), bind::bound(result));
    }

    /// Keeps what the object of a step is before it, and what it becomes. Where that fails the step is done all the same,
    /// and says that it cannot be undone.
    fn keep(
        &mut self,
        at: usize,
        step: &Step,
        before: Option<&LiveObject>,
        after: Option<&LiveObject>,
        answered: bool,
    ) {
        if self.unkept.contains(&at) {
            return;
        }
        let kept = Kept::of(step.action, before, after, answered);
        if let Err(error) = self.store.keep(&self.plan.id, at, &kept) {
            self.unkept.push(at);
            self.add_note(at, &format!("it cannot be undone: what it was could not be stored: {error}"));
        }
    }

    /// Finds out what became of a write whose answer was lost. That nothing was written counts only when it is seen
    /// twice: the server may still be at it.
    async fn read_back(
        &mut self,
        at: usize,
        step: &Step,
        kind: &ServedKind,
        live: Option<&LiveObject>,
        shown: &Shown,
        lost: &ClusterError,
    ) -> StepOutcome {
        let before = bind::bound(live);
        let digest_before = live.map(bind::lasting_digest);
        let digest_after = shown.result.as_ref().map(bind::lasting_digest);
        let sent = Sent {
            action: step.action,
            manager: &step.manager,
            before: &before,
            digest_before: digest_before.as_deref(),
            digest_after: digest_after.as_deref(),
        };
        let mut not_done = 0;
        let mut why = "the cluster could not be read since".to_owned();
        for pause in READ_BACK_AFTER {
            tokio::time::sleep(pause).await;
            let now = match read(self.with.cluster, kind, step).await {
                Ok(now) => now,
                Err(error) => {
                    why = error.to_string();
                    continue;
                }
            };
            match read_back::judge(&sent, now.as_ref()) {
                ReadBack::Done => {
                    self.written(at, step, live, now.as_ref());
                    self.add_note(at, "the answer was lost; reading back shows that it was done");
                    return StepOutcome::Applied;
                }
                ReadBack::NotDone if not_done > 0 => {
                    return StepOutcome::Failed(notices::lost_before(step, lost));
                }
                ReadBack::NotDone => not_done += 1,
                ReadBack::Unclear(unclear) => {
                    return StepOutcome::Indeterminate(notices::indeterminate(step, lost, unclear));
                }
            }
        }
        StepOutcome::Indeterminate(notices::indeterminate(step, lost, &why))
    }

    fn add_note(&mut self, at: usize, note: &str) {
        if let Some(step) = self.plan.steps.get_mut(at) {
            crate::model::change::add_note(&mut step.note, note);
        }
    }

    /// Returns the kind of a step, once it is served; waits for what a definition of this plan brings.
    async fn await_kind(&mut self, step: &Step) -> Option<ServedKind> {
        for look in 0..LOOKS_FOR_KIND {
            if let Some(kind) = served(&self.facts, step) {
                return Some(kind);
            }
            if !self.plan.steps.iter().any(|s| defines(s, step)) || self.with.cancel.is_cancelled() {
                return None;
            }
            if look > 0 {
                tokio::time::sleep(PAUSE_FOR_KIND).await;
            }
            if let Ok(facts) = self.with.cluster.facts().await {
                self.facts = facts;
            }
        }
        served(&self.facts, step)
    }

    async fn wait(&self, after: Duration) -> Attempt {
        tokio::select! {
            () = tokio::time::sleep(after.min(LONGEST_WAIT)) => {}
            () = self.with.cancel.cancelled() => {}
        }
        Attempt::Again
    }

    /// Puts the action into the journal. What was written is written: where that fails, the outcomes are handed on all
    /// the same, and the intents stay for the next run to close.
    fn close(mut self) -> Plan {
        let outcome = journal::overall(self.plan.steps.iter().map(document::outcome));
        let recorded = document::recorded(&self.plan, &self.digests);
        let closed = self.action.close(outcome, recorded, (self.with.clock)());
        if let Err(error) = closed {
            self.plan.notices.push(notices::not_recorded(&error));
        }
        self.plan
    }
}

/// Returns whether a step writes the CustomResourceDefinition of another step's kind.
fn defines(definition: &Step, step: &Step) -> bool {
    order::is_crd(&definition.resource.kind)
        && definition.desired.as_ref().is_some_and(|crd| {
            crd.body.str_at(&["spec", "group"]) == Some(&step.resource.kind.group)
                && crd.body.str_at(&["spec", "names", "kind"]) == Some(&step.resource.kind.kind)
        })
}
