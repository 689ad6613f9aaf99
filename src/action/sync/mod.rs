//! Defines the sync: what must be written so that a deployment is as Git declares it.
//!
//! [`plan`] reads the objects anew, judges them, drafts the steps (pure, [`draft`]) and has the API server check each of
//! them with a dry run ([`prove`]). It writes nothing. The steps are exactly the differences that the judgements show,
//! each object in its deployer's way, so that the deployer's next run finds nothing strange.

mod dependent;
mod draft;
pub(super) mod prove;
mod read;
mod selection;
pub(super) mod words;

pub use selection::{BadOnly, Only, Selection};

use super::bind;
use crate::cluster::{Cluster, ClusterError};
use crate::drift::{Autoscaled, HealthRules, IgnoreRules, Managers};
use crate::model::{
    ClusterFacts, DeploymentId, Engine, GroupVersionKind, Judgement, LiveObject, Manifest, Plan, ResourceId,
    Revision, Schema, Timestamp,
};
use std::sync::Arc;

/// Everything that a sync is planned from.
pub struct Inputs<'a> {
    pub cluster: &'a dyn Cluster,
    pub facts: &'a ClusterFacts,
    pub schema: &'a Schema,
    pub managers: &'a Managers,
    pub autoscaled: &'a Autoscaled,
    pub health: &'a HealthRules,
    /// Which differences do not count: they are left alone.
    pub rules: &'a IgnoreRules,
    pub deployment: &'a DeploymentId,
    pub namespace: Option<&'a str>,
    pub revision: &'a Revision,
    pub engine: Engine,
    /// The field manager of the engine that owns the app, where one does.
    pub engine_manager: Option<&'a str>,
    /// What Git renders to.
    pub manifests: &'a [Arc<Manifest>],
    /// Objects that are the deployment's and not in Git (verdict `extra`), as the pipeline found them.
    pub extras: &'a [(GroupVersionKind, ResourceId)],
    /// Why the rendering or the lists are not all there (a failed render, a denied or stale kind, a broken aggregated
    /// API): nothing is pruned then. Empty: complete and fresh.
    pub incomplete: &'a [String],
    /// The cluster's name must be typed before anything is written.
    pub protected: bool,
    pub options: &'a Options,
    pub now: Timestamp,
}

/// What the user asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    pub selection: Selection,
    /// Ticks the deletion of extras.
    pub prune: bool,
    /// Writes as this field manager instead of each object's deployer.
    pub manager: Option<String>,
    /// As whom single objects are written that several managers apply equally much of.
    pub deployers: Vec<(ResourceId, String)>,
    /// Takes uncommitted and unpushed files too.
    pub dirty: bool,
    /// How many objects may be deleted at most.
    pub max_deletions: Option<usize>,
}

/// One object with both its sides and what comparing them came to.
#[derive(Debug, Clone)]
pub struct Target {
    pub id: ResourceId,
    pub kind: GroupVersionKind,
    pub desired: Option<Arc<Manifest>>,
    pub live: Option<LiveObject>,
    pub judgement: Judgement,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("the working folder has uncommitted changes")]
    Dirty,
    #[error("{ahead} commits are not pushed")]
    Unpushed { ahead: usize },
    #[error("{context} is another cluster now: {found} instead of {known}")]
    OtherCluster { context: String, known: String, found: String },
    #[error("nothing of {app} is called {only}")]
    NothingCalled { app: String, only: String },
    #[error("{resource}: {} apply equally many of its fields", .managers.join(" and "))]
    Tie { resource: ResourceId, managers: Vec<String> },
    #[error("an ignore rule cannot be read, so what it leaves alone is not known: {mistake}")]
    Rules { mistake: String },
    #[error("nothing can be pruned: {}", .why.join("; "))]
    NoPruning { why: Vec<String> },
    #[error("{planned} objects would be deleted, and at most {limit} may be")]
    TooManyDeletions { planned: usize, limit: usize },
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl PlanError {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Dirty => "commit them, or sync them as they are with --dirty".to_owned(),
            Self::Unpushed { .. } => "push them, or sync them as they are with --dirty".to_owned(),
            Self::OtherCluster { .. } => "look at it again before anything is written".to_owned(),
            Self::NothingCalled { .. } => "--only takes KIND[.GROUP]/[NAMESPACE/]NAME".to_owned(),
            Self::Tie { .. } => "choose one with --manager".to_owned(),
            Self::Rules { .. } => "mend the rule, or take it out; until then nothing is written".to_owned(),
            Self::NoPruning { .. } => "mend that first, or leave out --prune to sync the rest".to_owned(),
            Self::TooManyDeletions { .. } => "allow more with --max-deletions".to_owned(),
            Self::Cluster(_) => return None,
        })
    }
}

/// Plans a sync. Reads and dry runs only.
pub async fn plan(inputs: &Inputs<'_>) -> Result<Plan, PlanError> {
    if let Some(mistake) = inputs.rules.mistake() {
        return Err(PlanError::Rules { mistake: mistake.to_owned() });
    }
    if !inputs.options.dirty {
        if inputs.revision.dirty {
            return Err(PlanError::Dirty);
        }
        if inputs.revision.ahead > 0 {
            return Err(PlanError::Unpushed { ahead: inputs.revision.ahead });
        }
    }
    let found = inputs.cluster.facts().await?;
    if found.id != inputs.deployment.cluster {
        return Err(PlanError::OtherCluster {
            context: inputs.cluster.name().to_owned(),
            known: inputs.deployment.cluster.0.to_string(),
            found: found.id.0.to_string(),
        });
    }
    // What the cluster serves was asked a while ago; whether it is all there must be true now.
    let inputs = &Inputs { facts: &found, ..*inputs };
    let targets = read::targets(inputs).await;
    let mut plan = draft::draft(inputs, &targets)?;
    if inputs.options.prune && !plan.no_pruning.is_empty() {
        return Err(PlanError::NoPruning { why: plan.no_pruning });
    }
    let live = |id: &ResourceId| targets.iter().find(|t| t.id == *id).and_then(|t| t.live.as_ref());
    let with = prove::Asked { cluster: inputs.cluster, facts: inputs.facts, schema: inputs.schema };
    prove::prove(&mut plan, &live, &with).await;
    let planned = plan.deletions().count();
    if let Some(limit) = inputs.options.max_deletions.filter(|limit| planned > *limit) {
        return Err(PlanError::TooManyDeletions { planned, limit });
    }
    for step in &mut plan.steps {
        let live = targets.iter().find(|t| t.id == step.resource).and_then(|t| t.live.as_ref());
        step.bound.lasting = live.map(bind::lasting);
    }
    plan.bound_to = bind::plan(
        &plan.rendered,
        inputs.revision,
        &inputs.deployment.cluster.0,
        plan.steps.iter().map(|step| (step.resource.to_string(), &step.bound)),
    );
    plan.id = words::plan_id(inputs.now, &plan.bound_to);
    Ok(plan)
}
