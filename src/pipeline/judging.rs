//! Defines how one object of a deployment gets its verdict from what is known at that moment.
//!
//! It runs off the async threads, over shared values only: a batch holds everything that it needs.

use crate::action::exact::{self, Answer};
use crate::drift::{
    self, Admission, Autoscaled, Context, Deployer, HealthRules, IgnoreRules, Managers, Pods,
};
use crate::model::status::ResourceStatus;
use crate::model::{
    Class, ClusterId, DeploymentId, Engine, FieldChange, GroupVersionKind, Health, HealthStatus, Judgement,
    LiveObject, Manifest, Mark, Operation, Packed, Problem, ResourceId, Schema, Verdict, Why,
};
use crate::pipeline::unsynced::{Fits, Past};
use crate::text::guarded;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What judging needs to know of a cluster.
#[derive(Clone)]
pub struct Knowledge {
    pub cluster: ClusterId,
    pub schema: Arc<Schema>,
    pub managers: Arc<Managers>,
    pub autoscaled: Arc<Autoscaled>,
    pub health: Arc<HealthRules>,
    /// What may rewrite declared values.
    pub admission: Arc<Admission>,
    /// What pods say of workloads that are not doing well.
    pub pods: Arc<Pods>,
}

/// One object to be judged for one deployment.
pub struct Item {
    pub deployment: DeploymentId,
    pub id: ResourceId,
    pub kind: GroupVersionKind,
    pub desired: Option<Arc<Manifest>>,
    pub live: Option<Arc<Packed>>,
    pub trust: Trust,
    /// By which marks and earlier commits the deployment claims objects that Git does not declare.
    pub claims: Arc<Claims>,
    /// The field manager of the engine that owns the app, where one does.
    pub deployer: Option<&'static str>,
    /// What the app rendered to before.
    pub past: Arc<Past>,
    /// Which differences do not count.
    pub rules: Arc<IgnoreRules>,
    /// What the API server said of it, if it was asked; it may be out of date.
    pub answer: Option<Arc<Answer>>,
}

/// Returns the field manager under which an engine writes. Source: each engine's own code, see its documentation of
/// server-side apply; Helm's is left to the object, since its versions differ.
pub fn engine_manager<'m>(engine: Engine, marks: impl IntoIterator<Item = &'m Mark>) -> Option<&'static str> {
    match engine {
        Engine::ArgoCd => Some("argocd-controller"),
        Engine::Flux if marks.into_iter().any(|m| matches!(m, Mark::Flux { helm: true, .. })) => {
            Some("helm-controller")
        }
        Engine::Flux => Some("kustomize-controller"),
        _ => None,
    }
}

/// How far the live side of an item can be trusted.
#[derive(Debug, Clone, PartialEq)]
pub enum Trust {
    Fresh,
    /// What is known is old: it may still show drift, but nothing of it is green.
    Stale(String),
    /// Nothing is known.
    Unknown(String),
}

/// What a deployment claims beyond what Git declares now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claims {
    /// Marks that its declared objects carry in the cluster.
    pub marks: BTreeSet<Mark>,
    /// Objects of its renderings at earlier commits.
    pub earlier: BTreeSet<ResourceId>,
    /// The field managers under which its declared objects are applied; none: nobody knows.
    pub appliers: BTreeSet<String>,
}

/// The outcome for one item.
pub struct Judged {
    pub deployment: DeploymentId,
    pub id: ResourceId,
    /// `None`: the object is none of this deployment's business.
    pub status: Option<ResourceStatus>,
    pub exists: bool,
    pub marks: Vec<Mark>,
    /// The field manager under which it is applied, where it is declared and applied server-side.
    pub applier: Option<String>,
    /// Which of the app's earlier states it fits; `None`: all of them.
    pub fits: Option<Fits>,
    /// The past that this was told by.
    pub past: Arc<Past>,
}

/// Items that one thread judges before another is worth starting.
const PER_THREAD: usize = 256;

/// Judges a batch, on several threads where it is large; the outcomes are in the items' order. A panic makes its own
/// object unknown and nothing else. Blocks until all is done.
pub fn judge_batch(items: &[Item], knowledge: &Knowledge) -> Vec<Judged> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = items.len().div_ceil(threads).max(PER_THREAD);
    let judge = |part: &[Item]| part.iter().map(|item| judge_item(item, knowledge)).collect::<Vec<_>>();
    let (own, others) = items.split_at(share.min(items.len()));
    std::thread::scope(|scope| {
        let others: Vec<_> =
            others.chunks(share).map(|part| (part, scope.spawn(move || judge(part)))).collect();
        let mut judged = judge(own);
        for (part, thread) in others {
            // A thread cannot panic: each item is guarded. If it did all the same, its part is judged here.
            judged.extend(thread.join().unwrap_or_else(|_| judge(part)));
        }
        judged
    })
}

fn judge_item(item: &Item, knowledge: &Knowledge) -> Judged {
    let outcome = guarded(|| {
        let live = item.live.as_ref().and_then(|packed| packed.open(&knowledge.cluster).ok());
        let marks = live.as_ref().map(Mark::of).unwrap_or_default();
        let applier = live.as_ref().and_then(|live| applier(item, live));
        let mut judgement = judgement(item, live.as_ref(), &marks, knowledge);
        let fits = match &mut judgement {
            Some(judgement) if item.trust == Trust::Fresh => {
                let fits = item.past.explain(
                    &item.id,
                    live.as_ref(),
                    judgement,
                    &knowledge.context(item.deployer, &item.rules),
                );
                Some(fits).filter(|fits| *fits != item.past.all())
            }
            _ => None,
        };
        (judgement, live.is_some(), marks, applier, fits)
    });
    let (judgement, exists, marks, applier, fits) = outcome.unwrap_or_else(|| {
        let why = Why::new("driftdeck failed on this object; the log says where");
        (
            Some(Judgement::plain(Verdict::Unknown(why), Health::of(HealthStatus::Unknown))),
            item.live.is_some(),
            vec![],
            None,
            None,
        )
    });
    let status = judgement.map(|judgement| ResourceStatus {
        deployment: item.deployment.clone(),
        id: item.id.clone(),
        kind: item.kind.clone(),
        origin: item.desired.as_ref().map(|d| d.origin.clone()),
        judgement: Arc::new(judgement),
    });
    Judged {
        deployment: item.deployment.clone(),
        id: item.id.clone(),
        status,
        exists,
        marks,
        applier,
        fits,
        past: item.past.clone(),
    }
}

fn applier(item: &Item, live: &LiveObject) -> Option<String> {
    match drift::deployer(live, item.desired.as_deref()?, item.deployer) {
        Ok(Deployer::ServerSide { manager }) => Some(manager),
        _ => None,
    }
}

fn judgement(
    item: &Item,
    live: Option<&LiveObject>,
    marks: &[Mark],
    knowledge: &Knowledge,
) -> Option<Judgement> {
    let context = knowledge.context(item.deployer, &item.rules);
    let Some(desired) = item.desired.as_deref() else {
        let live = live.filter(|live| is_claimed(live, marks, &item.claims))?;
        if let Trust::Unknown(why) = &item.trust {
            return Some(unknown(why, Vec::new()));
        }
        return Some(trusted(drift::judge(None, Some(live), &context), &item.trust));
    };
    if let Trust::Unknown(why) = &item.trust {
        let judged = drift::judge(Some(desired), None, &context);
        // What Git alone settles (excluded, invalid) needs no cluster.
        return Some(match judged.verdict {
            Verdict::Excluded(_) | Verdict::Invalid => judged,
            _ => unknown(why, judged.problems),
        });
    }
    let mut local = drift::judge(Some(desired), live, &context);
    mark_rewritten(&mut local, desired, live, &knowledge.admission);
    Some(trusted(with_answer(local, item, live), &item.trust))
}

/// Marks drift of values that a mutating webhook or policy may have set: rows 18-21 of the catalogue.
fn mark_rewritten(
    local: &mut Judgement,
    desired: &Manifest,
    live: Option<&LiveObject>,
    admission: &Admission,
) {
    let differs = |c: &FieldChange| matches!(c.class, Class::Changed | Class::Deleted);
    if !local.counted().any(differs) {
        return;
    }
    let names: Vec<&str> = admission.matching(desired, live).collect();
    if !names.is_empty() {
        let named = format!("{} may rewrite it", names.join(" and "));
        // That some webhook may have is said better by its name.
        let other = local.needs_exact.take().filter(|why| !why.contains("webhook"));
        local.needs_exact = Some(other.map_or(named.clone(), |why| format!("{why}; {named}")));
    }
}

/// Takes in what the API server said, as long as it was asked about just this.
fn with_answer(local: Judgement, item: &Item, live: Option<&LiveObject>) -> Judgement {
    let (Some(answer), Some(desired)) = (&item.answer, &item.desired) else { return local };
    if answer.fits(&local, desired, live) { exact::merged(&local, answer, live, &item.rules) } else { local }
}

impl Knowledge {
    /// Returns what an object of an app is judged with.
    pub fn context<'k>(&'k self, deployer: Option<&'k str>, rules: &'k IgnoreRules) -> Context<'k> {
        let mut context = Context::new(&self.schema, &self.managers, &self.autoscaled);
        context.deployer = deployer;
        context.health = &self.health;
        context.rules = rules;
        context.pods = Some(&self.pods);
        context
    }
}

/// Returns whether a live object that Git does not declare is the deployment's: tracked and owned by nobody else.
fn is_claimed(live: &LiveObject, marks: &[Mark], claims: &Claims) -> bool {
    if live.has_owner() {
        return false;
    }
    let is_the_apps = |manager| claims.appliers.is_empty() || claims.appliers.contains(manager);
    let applied = live.last_applied.is_some()
        || live.managed.iter().flatten().any(|e| {
            // What somebody else applies now has been taken over from the app.
            e.operation == Operation::Apply && e.subresource.is_none() && is_the_apps(&e.manager)
        });
    marks.iter().any(|mark| claims.marks.contains(mark)) || (applied && claims.earlier.contains(&live.id))
}

/// Nothing old is green.
fn trusted(mut judgement: Judgement, trust: &Trust) -> Judgement {
    if let Trust::Stale(why) = trust
        && matches!(judgement.verdict, Verdict::InSync | Verdict::Missing)
    {
        judgement.verdict = Verdict::Unknown(Why::new(why));
    }
    judgement
}

fn unknown(why: &str, problems: Vec<Problem>) -> Judgement {
    let mut judgement = Judgement::plain(Verdict::Unknown(Why::new(why)), Health::of(HealthStatus::Unknown));
    judgement.problems = problems;
    judgement
}
