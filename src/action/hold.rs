//! Defines the plans that pause the automation of an app's engine, and let it go on.
//!
//! They write the engine's own object, and nothing of the app. Like every plan they are shown first, bound to what the
//! objects are, checked by a dry run, and carried out by [`execute`](super::execute).

use super::bind;
use super::dry_run::served_kind;
use super::live::Planned;
use super::sync::{prove, words};
use crate::cluster::{Cluster, ClusterError, Patch, Write, builtin};
use crate::drift::DRIFTDECK;
use crate::gitops::{self, CannotSwitch, Owner, Wanted, argocd};
use crate::model::hold::{HOLD, RESUME};
use crate::model::{
    AppId, ClusterFacts, FieldChange, FieldPath, LastApplied, LiveObject, Plan, ResourceId, Revision, Step,
    StepAction, StepOutcome, Timestamp, Value, Way, field,
};
use crate::text::shell_word;
use jiff::SignedDuration;
use std::fmt::Write as _;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    Hold { reason: String, lasting: SignedDuration },
    Resume,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    #[error("no engine owns {app} on {context}: nothing of it is marked as Argo CD's or Flux's")]
    NoEngine { app: String, context: String },
    #[error("{owner} owns {app} on {context}, and is not there")]
    NotThere { owner: String, app: String, context: String },
    #[error("a hold needs a reason: colleagues read it")]
    NoReason,
    #[error("a hold lasts longer than no time, and a year at most")]
    NoTime,
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl HoldError {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoEngine { .. } => "there is nothing to pause".to_owned(),
            Self::NotThere { .. } => {
                "the engine may run in another cluster: choose that one's context".to_owned()
            }
            Self::NoReason => "say it with --reason".to_owned(),
            Self::NoTime => "say how long with --for, such as 30m, 2h or 3d".to_owned(),
            Self::Cluster(_) => return None,
        })
    }
}

/// The longest that a hold may be asked for.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366);

/// Everything that a hold is planned from.
pub struct Inputs<'a> {
    pub cluster: &'a dyn Cluster,
    pub facts: &'a ClusterFacts,
    pub app: &'a AppId,
    pub namespace: Option<&'a str>,
    pub revision: &'a Revision,
    /// Who owns the app's objects.
    pub owners: &'a [Owner],
    pub ask: &'a Ask,
    /// The cluster's name must be typed before anything is written.
    pub protected: bool,
    pub now: Timestamp,
}

/// Plans a hold, or its end. Reads and dry runs only.
pub async fn plan(inputs: &Inputs<'_>) -> Result<Planned, HoldError> {
    if let Ask::Hold { reason, lasting } = inputs.ask {
        if reason.trim().is_empty() {
            return Err(HoldError::NoReason);
        }
        if *lasting <= SignedDuration::ZERO || *lasting > LONGEST {
            return Err(HoldError::NoTime);
        }
    }
    let (app, context) = (inputs.app.name.clone(), inputs.cluster.name().to_owned());
    let mut objects = Vec::new();
    for owner in inputs.owners {
        objects.extend(owner.read(inputs.cluster, inputs.facts).await?);
    }
    if objects.is_empty() {
        return Err(match inputs.owners.first() {
            None => HoldError::NoEngine { app, context },
            Some(owner) => HoldError::NotThere { owner: owner.called(), app, context },
        });
    }
    let kinds = objects.iter().map(|object| object.kind.clone()).collect();
    let schema = inputs.cluster.schema(kinds).await.unwrap_or_else(|_| builtin::schema());
    let mut plan = empty(inputs, objects.len());
    for object in &objects {
        draft(inputs, object, &mut plan).await?;
    }
    let live = |id: &ResourceId| objects.iter().find(|object| object.id == *id);
    prove::prove(
        &mut plan,
        &live,
        &prove::Asked { cluster: inputs.cluster, facts: inputs.facts, schema: &schema },
    )
    .await;
    for step in &mut plan.steps {
        step.bound.lasting = live(&step.resource).map(bind::lasting);
    }
    plan.bound_to = bind::plan(
        &plan.rendered,
        &plan.revision,
        &inputs.facts.id.0,
        plan.steps.iter().map(|step| (step.resource.to_string(), &step.bound)),
    );
    plan.id = words::plan_id(inputs.now, &plan.bound_to);
    Ok(Planned { plan, schema })
}

/// Adds the step on one of the engine's objects, and what is to be known of it.
async fn draft(inputs: &Inputs<'_>, object: &LiveObject, plan: &mut Plan) -> Result<(), HoldError> {
    let changes = match inputs.ask {
        Ask::Hold { reason, lasting } => {
            let until = inputs.now.checked_add(*lasting).map_err(|_| HoldError::NoTime)?;
            let wanted = Wanted {
                owner: inputs.facts.user.clone().unwrap_or_else(|| "unknown".to_owned()),
                reason: reason.trim().to_owned(),
                since: inputs.now,
                until,
            };
            let knows = knows_switch(inputs, object).await?;
            gitops::changes_of_hold(object, &wanted, knows)
        }
        Ask::Resume => gitops::changes_of_resume(object),
    };
    match changes {
        Ok(changes) => {
            plan.steps.push(step(object, changes));
            match inputs.ask {
                Ask::Hold { .. } => plan.remarks.extend(gitops::parents(object)),
                Ask::Resume => plan.remarks.extend(goes_on(object)),
            }
        }
        Err(why) => plan.will_not.push(refusal(inputs, object, &why)),
    }
    Ok(())
}

fn refusal(inputs: &Inputs<'_>, object: &LiveObject, why: &CannotSwitch) -> String {
    let (what, app) = (&object.id, &inputs.app.name);
    match (inputs.ask, why) {
        (Ask::Hold { .. }, CannotSwitch::PausedByOthers { .. }) => {
            format!("hold {what}: {why}; driftdeck resume {app} lets it go on")
        }
        (Ask::Hold { .. }, _) => format!("hold {what}: {why}"),
        (Ask::Resume, _) => format!("resume {what}: {why}"),
    }
}

/// Says what follows from letting an engine go on.
fn goes_on(object: &LiveObject) -> Option<String> {
    let hold = gitops::standing(object).hold().cloned()?;
    let then = "its engine writes what Git declares again, by itself";
    Some(match (hold.ours, &hold.reason) {
        (true, Some(reason)) => format!("it was held by {}: {reason}; {then}", hold.who()),
        (true, None) => format!("it was held by {}; {then}", hold.who()),
        (false, _) => format!("it was not driftdeck that paused it, but {}; {then}", hold.who()),
    })
}

/// Returns whether the cluster's Argo CD knows the switch of an Application's automation: an API server drops a field that
/// its definition does not have.
async fn knows_switch(inputs: &Inputs<'_>, object: &LiveObject) -> Result<bool, HoldError> {
    if object.id.kind != argocd::application() || argocd::switch(object).is_none() {
        return Ok(true);
    }
    let Some(kind) = served_kind(inputs.facts, &object.kind) else { return Ok(true) };
    let write = Write::Patch {
        kind,
        namespace: object.id.namespace.clone(),
        name: object.id.name.clone().unwrap_or_default(),
        patch: Patch::Merge(nested(&argocd::enabled(), Value::Bool(false))),
        manager: DRIFTDECK.to_owned(),
    };
    let would_be = inputs.cluster.dry_run(write).await?;
    Ok(would_be.is_some_and(|object| field::at(&object.body, &argocd::enabled()).is_some()))
}

/// Returns a value in maps as its path names them.
fn nested(path: &FieldPath, value: Value) -> Value {
    path.0.iter().rev().fold(value, |value, segment| match segment {
        crate::model::Segment::Field(name) => Value::Map([(name.clone(), value)].into_iter().collect()),
        _ => value,
    })
}

fn step(object: &LiveObject, changes: Vec<FieldChange>) -> Step {
    Step {
        resource: object.id.clone(),
        kind: object.kind.clone(),
        action: StepAction::Engine,
        manager: DRIFTDECK.to_owned(),
        changes,
        takes_over_from: Vec::new(),
        note: None,
        ticked: true,
        outcome: StepOutcome::Planned,
        way: Way::Patch { last_applied: LastApplied::Untouched },
        desired: None,
        bound: bind::bound(Some(object)),
        effect: None,
    }
}

fn empty(inputs: &Inputs<'_>, objects: usize) -> Plan {
    let remarks = match inputs.ask {
        Ask::Hold { lasting, .. } => {
            let until = inputs.now.checked_add(*lasting).unwrap_or(Timestamp::MAX);
            vec![format!(
                "nothing ends the hold by itself: from {} on it is shown as expired",
                until.strftime("%Y-%m-%dT%H:%M:%SZ")
            )]
        }
        Ask::Resume => Vec::new(),
    };
    Plan {
        id: String::new(),
        command: if *inputs.ask == Ask::Resume { RESUME } else { HOLD },
        undoes: None,
        app: inputs.app.clone(),
        cluster: inputs.facts.id.clone(),
        context: inputs.cluster.name().to_owned(),
        namespace: inputs.namespace.map(str::to_owned),
        revision: Revision::clone(inputs.revision),
        manager: DRIFTDECK.to_owned(),
        steps: Vec::new(),
        rendered: String::new(),
        bound_to: String::new(),
        protected: inputs.protected,
        will_not: Vec::new(),
        no_pruning: Vec::new(),
        objects,
        remarks,
        headless: headless(inputs),
        notices: Vec::new(),
    }
}

/// Returns the headless command that does the same.
fn headless(inputs: &Inputs<'_>) -> String {
    let context = shell_word(inputs.cluster.name());
    let app = shell_word(&inputs.app.name);
    let mut command = match inputs.ask {
        Ask::Hold { reason, lasting } => {
            format!("driftdeck hold {app} --reason {} --for {lasting:#}", shell_word(reason.trim()))
        }
        Ask::Resume => format!("driftdeck resume {app}"),
    };
    let _ = write!(command, " --context {context}");
    if inputs.protected {
        let _ = write!(command, " --confirm {context}");
    }
    command
}
