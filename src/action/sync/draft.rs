//! Drafts the steps of a sync from what was read. Pure: it asks the cluster nothing.

use super::{Inputs, PlanError, Target, words};
use crate::action::{bind, order};
use crate::drift::{DRIFTDECK, Deployer, DeployerTie, deployer};
use crate::model::plan::SYNC;
use crate::model::{
    Class, FieldChange, FieldPath, LastApplied, LiveObject, Manifest, Plan, Revision, Step, StepAction,
    StepOutcome, Value, Verdict, Way, Writer,
};
use std::sync::Arc;

/// What kubectl's client-side apply writes as.
const CLIENT_SIDE: &str = "kubectl-client-side-apply";

/// Returns the steps in the order in which they are done, ticked as the options say.
pub fn draft(inputs: &Inputs<'_>, targets: &[Target]) -> Result<Plan, PlanError> {
    if let Some(only) = inputs.options.selection.unmatched(&targets.iter().map(|t| &t.id)) {
        let app = inputs.deployment.app.name.clone();
        return Err(PlanError::NothingCalled { app, only: only.to_string() });
    }
    let usual = usual_deployer(inputs, targets);
    let mut plan = empty(inputs, &usual);
    plan.objects = targets.iter().filter(|t| t.live.is_some()).count();
    let mut drafted: Vec<(Place, Step)> = Vec::new();
    for target in targets.iter().filter(|t| inputs.options.selection.holds(&t.id)) {
        let at = Place::of(target);
        let steps = steps_of(inputs, target, targets, &usual, &mut plan)?;
        drafted.extend(steps.into_iter().map(|step| (at.clone(), step)));
    }
    drafted.sort_by(|a, b| a.0.cmp(&b.0));
    plan.steps = drafted.into_iter().map(|(_, step)| step).collect();
    Ok(plan)
}

/// Where a step stands: deletions come last and the other way round.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    deletion: bool,
    wave: i64,
    kind: i64,
    namespace: Option<String>,
    name: Option<String>,
}

impl Place {
    fn of(target: &Target) -> Self {
        let place = i64::try_from(order::place(&target.id.kind)).unwrap_or(i64::MAX);
        let wave = match (&target.desired, &target.live) {
            (Some(desired), _) => order::wave(desired),
            (None, Some(live)) => order::live_wave(live),
            (None, None) => 0,
        };
        let deletion = target.desired.is_none();
        let sign = if deletion { -1 } else { 1 };
        Self {
            deletion,
            wave: sign * wave,
            kind: sign * place,
            namespace: target.id.namespace.clone(),
            name: target.id.name.clone(),
        }
    }
}

fn empty(inputs: &Inputs<'_>, usual: &Deployer) -> Plan {
    let mut no_pruning: Vec<String> = inputs.incomplete.to_vec();
    if inputs.manifests.is_empty() {
        no_pruning.push("Git renders to nothing".to_owned());
    }
    no_pruning.extend(
        inputs
            .facts
            .failed_groups
            .iter()
            .map(|(group, why)| format!("the API group {group} does not answer: {why}")),
    );
    Plan {
        id: String::new(),
        command: SYNC,
        undoes: None,
        app: inputs.deployment.app.clone(),
        cluster: inputs.deployment.cluster.clone(),
        context: inputs.cluster.name().to_owned(),
        namespace: inputs.namespace.map(str::to_owned),
        revision: Revision::clone(inputs.revision),
        manager: usual.manager().to_owned(),
        steps: Vec::new(),
        rendered: bind::rendered(inputs.manifests),
        bound_to: String::new(),
        protected: inputs.protected,
        will_not: Vec::new(),
        no_pruning,
        objects: 0,
        remarks: words::remarks(inputs),
        headless: words::headless(inputs),
        notices: Vec::new(),
    }
}

/// Returns how most of the app's objects are deployed: what is missing is created the same way.
fn usual_deployer(inputs: &Inputs<'_>, targets: &[Target]) -> Deployer {
    if let Some(manager) = &inputs.options.manager {
        return named(manager);
    }
    let mut votes: Vec<(Deployer, usize)> = Vec::new();
    for target in targets {
        let (Some(live), Some(desired)) = (&target.live, &target.desired) else { continue };
        let Ok(found) = found_deployer(inputs, target, desired, live) else { continue };
        match votes.iter_mut().find(|(d, _)| *d == found) {
            Some((_, count)) => *count += 1,
            None => votes.push((found, 1)),
        }
    }
    // The first of equals, so that the plan is the same each time.
    let most = votes.iter().map(|(_, count)| *count).max().unwrap_or(0);
    match votes.into_iter().find(|(_, count)| *count == most) {
        Some((deployer, _)) => deployer,
        None => inputs
            .engine_manager
            .map_or(Deployer::Driftdeck, |manager| Deployer::ServerSide { manager: manager.to_owned() }),
    }
}

fn named(manager: &str) -> Deployer {
    match manager {
        CLIENT_SIDE => Deployer::ClientSide,
        DRIFTDECK => Deployer::Driftdeck,
        other => Deployer::ServerSide { manager: other.to_owned() },
    }
}

fn steps_of(
    inputs: &Inputs<'_>,
    target: &Target,
    targets: &[Target],
    usual: &Deployer,
    plan: &mut Plan,
) -> Result<Vec<Step>, PlanError> {
    let id = &target.id;
    plan.will_not.extend(target.judgement.changes.iter().filter_map(|change| words::ignored(id, change)));
    let mut will_not = |what: String| plan.will_not.push(what);
    match &target.judgement.verdict {
        Verdict::InSync => {}
        Verdict::Excluded(why) => {
            if target.desired.is_some() {
                will_not(format!("write {id}: {}", why.0));
            }
        }
        Verdict::Unknown(why) => will_not(format!("write {id}: {}", why.0)),
        Verdict::Invalid => will_not(format!("write {id}: {}", words::problems(target))),
        Verdict::Terminating => will_not(format!("write {id}: {}", words::terminating(target))),
        Verdict::Extra => return Ok(deletion(inputs, target, plan).into_iter().collect()),
        Verdict::Missing => {
            if let Some(desired) = &target.desired {
                return Ok(vec![creation(target, desired, usual, targets)]);
            }
        }
        Verdict::Drifted => {
            if let (Some(desired), Some(live)) = (&target.desired, &target.live) {
                return repairs(inputs, target, desired, live, usual, plan);
            }
        }
    }
    Ok(Vec::new())
}

fn deletion(inputs: &Inputs<'_>, target: &Target, plan: &mut Plan) -> Option<Step> {
    let live = target.live.as_ref()?;
    if inputs.manifests.iter().any(|manifest| manifest.id == target.id) {
        return None;
    }
    if live.has_owner() {
        plan.will_not.push(format!("delete {}: another object owns it", target.id));
        return None;
    }
    let ticked = inputs.options.prune && plan.no_pruning.is_empty();
    if !ticked {
        plan.will_not.push(format!(
            "delete {}: it is not in Git; --prune, or a tick in the deck, deletes it",
            target.id
        ));
    }
    let whole = whole_object(Class::Leftover, None, Some(live.body.clone()), None);
    let mut step = step(target, StepAction::Delete, DRIFTDECK, Way::Delete, vec![whole]);
    step.ticked = ticked;
    step.note = words::marks_note(inputs.engine, live);
    Some(step)
}

fn creation(target: &Target, desired: &Arc<Manifest>, usual: &Deployer, targets: &[Target]) -> Step {
    let way = match usual {
        Deployer::ServerSide { .. } | Deployer::Driftdeck => {
            Way::ServerSide { force: false, without: Vec::new(), keeping: Vec::new() }
        }
        Deployer::ClientSide => Way::Create { last_applied: LastApplied::Declared, marks: Vec::new() },
        Deployer::Helm => {
            Way::Create { last_applied: LastApplied::Untouched, marks: words::helm_marks(targets) }
        }
    };
    let whole = whole_object(Class::Deleted, Some(desired.body.clone()), None, Some(desired));
    let mut step = step(target, StepAction::Create, usual.manager(), way, vec![whole]);
    step.note = words::creation_note(desired);
    step
}

/// Returns how an object is deployed, as it shows itself, or as was answered for it where it does not.
fn found_deployer(
    inputs: &Inputs<'_>,
    target: &Target,
    desired: &Manifest,
    live: &LiveObject,
) -> Result<Deployer, DeployerTie> {
    deployer(live, desired, inputs.engine_manager).or_else(|tie| {
        let answer = inputs.options.deployers.iter().find(|(id, _)| *id == target.id);
        answer.map(|(_, manager)| named(manager)).ok_or(tie)
    })
}

/// Returns how an object is deployed. One that has lost its deployer's entry, because somebody wrote over all that it
/// declares, is written as the app's others are where that is server-side apply, whose next run then finds its own.
fn deployer_of(
    inputs: &Inputs<'_>,
    target: &Target,
    desired: &Manifest,
    live: &LiveObject,
    usual: &Deployer,
) -> Result<Deployer, PlanError> {
    if let Some(manager) = &inputs.options.manager {
        return Ok(named(manager));
    }
    let found = found_deployer(inputs, target, desired, live)
        .map_err(|tie| PlanError::Tie { resource: target.id.clone(), managers: tie.managers })?;
    Ok(match (found, usual) {
        (Deployer::Driftdeck, Deployer::ServerSide { .. }) => usual.clone(),
        (found, _) => found,
    })
}

/// Drafts the steps that put one drifted object right: at most one removal of leftovers, one write of the differences,
/// one removal of what people added, and one, unticked, of what a controller contends for.
fn repairs(
    inputs: &Inputs<'_>,
    target: &Target,
    desired: &Manifest,
    live: &LiveObject,
    usual: &Deployer,
    plan: &mut Plan,
) -> Result<Vec<Step>, PlanError> {
    let deployer = deployer_of(inputs, target, desired, live, usual)?;
    let mut sorted = Sorted::of(&target.judgement.changes);
    let mut steps = Vec::new();
    let mut add = |action, way, changes: Vec<FieldChange>, ticked: bool| {
        if changes.is_empty() {
            return;
        }
        let mut step = step(target, action, deployer.manager(), way, changes);
        step.takes_over_from = losers(&step);
        step.note = words::repair_note(inputs, &step, desired, live, ticked);
        step.ticked = ticked;
        steps.push(step);
    };
    for change in &sorted.contended {
        plan.will_not.push(words::contended(&target.id, change));
    }
    let is_kept = |c: &&FieldChange| c.class == Class::Leftover && (!c.counts || !c.kept_by.is_empty());
    for change in target.judgement.changes.iter().filter(is_kept) {
        plan.will_not.push(words::kept(&target.id, change));
    }
    match &deployer {
        Deployer::ServerSide { .. } | Deployer::Driftdeck => {
            // Applying gives up what is no longer declared: the server removes those leftovers by itself.
            sorted.differences.append(&mut sorted.leftovers);
            let (without, keeping) = (sorted.left_alone.clone(), sorted.kept);
            // Without force, so that the server names everybody from whom something would be taken over.
            let way = Way::ServerSide { force: false, without: without.clone(), keeping: keeping.clone() };
            add(StepAction::Apply, way, sorted.differences, true);
            add(StepAction::Patch, patch(LastApplied::Untouched), sorted.foreign, true);
            let contended: Vec<FieldPath> = sorted.contended.iter().map(|c| c.path.clone()).collect();
            let without = without.into_iter().filter(|path| !contended.contains(path)).collect();
            let way = Way::ServerSide { force: false, without, keeping };
            add(StepAction::Apply, way, sorted.contended, false);
        }
        Deployer::ClientSide | Deployer::Helm => {
            let keeps = match deployer {
                Deployer::ClientSide if sorted.kept.is_empty() => LastApplied::Declared,
                Deployer::ClientSide => LastApplied::Keeping(sorted.kept),
                _ => LastApplied::Untouched,
            };
            sorted.differences.append(&mut sorted.foreign);
            // The last patch of the object brings last-applied up to date.
            let first = if sorted.differences.is_empty() { keeps.clone() } else { LastApplied::Untouched };
            add(StepAction::Patch, patch(first), sorted.leftovers, true);
            add(StepAction::Patch, patch(keeps.clone()), sorted.differences, true);
            add(StepAction::Patch, patch(keeps), sorted.contended, false);
        }
    }
    Ok(steps)
}

fn patch(last_applied: LastApplied) -> Way {
    Way::Patch { last_applied }
}

/// The changes of an object, by what is done about them.
#[derive(Default)]
struct Sorted {
    differences: Vec<FieldChange>,
    leftovers: Vec<FieldChange>,
    foreign: Vec<FieldChange>,
    contended: Vec<FieldChange>,
    /// Declared fields that are not written: contended, delegated, ignored.
    left_alone: Vec<FieldPath>,
    /// Leftovers that others own too. Those that only controllers own are released: they are the controllers' then.
    kept: Vec<FieldPath>,
}

impl Sorted {
    fn of(changes: &[FieldChange]) -> Self {
        let mut sorted = Self::default();
        for change in changes {
            match (change.class, change.counts) {
                (Class::Contended, true) => {
                    sorted.left_alone.push(change.path.clone());
                    sorted.contended.push(change.clone());
                }
                (Class::Order, false) => {}
                (_, false) => {
                    if change.desired.is_some() {
                        sorted.left_alone.push(change.path.clone());
                    }
                }
                (Class::Leftover, true) if !change.kept_by.is_empty() => {
                    sorted.kept.push(change.path.clone());
                }
                (Class::Leftover, true) => sorted.leftovers.push(change.clone()),
                (Class::Foreign, true) => sorted.foreign.push(change.clone()),
                (_, true) => sorted.differences.push(change.clone()),
            }
        }
        sorted
    }
}

fn step(target: &Target, action: StepAction, manager: &str, way: Way, changes: Vec<FieldChange>) -> Step {
    Step {
        resource: target.id.clone(),
        kind: target.live.as_ref().map_or_else(|| target.kind.clone(), |live| live.kind.clone()),
        action,
        manager: manager.to_owned(),
        changes,
        takes_over_from: Vec::new(),
        note: None,
        ticked: true,
        outcome: StepOutcome::Planned,
        way,
        desired: target.desired.clone(),
        bound: bind::bound(target.live.as_ref()),
        effect: None,
    }
}

fn whole_object(
    class: Class,
    desired: Option<Value>,
    live: Option<Value>,
    manifest: Option<&Arc<Manifest>>,
) -> FieldChange {
    FieldChange {
        desired,
        live,
        origin: manifest.map(|m| m.origin.clone()),
        ..FieldChange::new(FieldPath::root(), class)
    }
}

/// Returns who loses a field by a step: the writers of what it changes, but for the manager that it writes as.
fn losers(step: &Step) -> Vec<Writer> {
    let mut losers: Vec<Writer> = step
        .changes
        .iter()
        .filter_map(|change| change.writer.clone())
        .filter(|writer| writer.manager != step.manager)
        .collect();
    losers.sort();
    losers.dedup();
    losers
}
