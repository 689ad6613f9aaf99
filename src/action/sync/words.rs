//! Says in words what a plan's steps bring about, what it will not do, and how to do the same from a shell.

use super::{Inputs, Selection, Target};
use crate::model::{
    Engine, FieldChange, FieldPath, LiveObject, Manifest, Mark, ResourceId, Segment, Step, Timestamp, Value,
};
use crate::text::shell_word;

/// Kinds whose pods are replaced when their template changes.
const ROLLED_OUT: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

/// Names a plan: when it was made, and the first digits of what it is bound to.
pub fn plan_id(now: Timestamp, bound_to: &str) -> String {
    format!("{}-{}", time_in_id(now), bound_to.get(..6).unwrap_or(bound_to))
}

/// Returns a time as a plan's name begins with it: the later, the later in the order of texts.
pub fn time_in_id(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// What is to be known of the plan as a whole.
pub fn remarks(inputs: &Inputs<'_>) -> Vec<String> {
    let mut remarks = Vec::new();
    let revision = inputs.revision;
    if revision.behind > 0 {
        let commits = if revision.behind == 1 { "commit" } else { "commits" };
        remarks.push(format!("the checkout is {} {commits} behind its upstream", revision.behind));
    }
    if revision.dirty {
        remarks.push("uncommitted files are written to the cluster".to_owned());
    } else if revision.ahead > 0 {
        remarks.push(format!("{} commits that are not pushed are written to the cluster", revision.ahead));
    }
    remarks
}

/// Returns the headless command that does the same.
pub fn headless(inputs: &Inputs<'_>) -> String {
    let mut words: Vec<String> = vec!["driftdeck".into(), "sync".into(), inputs.deployment.app.name.clone()];
    let mut option = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
    option("--context", inputs.cluster.name());
    match &inputs.options.selection {
        Selection::All => {}
        Selection::Only(only) => only.iter().for_each(|o| option("--only", &o.to_string())),
        Selection::These(ids) => ids.iter().for_each(|id| option("--only", &id.to_string())),
    }
    if let Some(manager) = inputs.options.manager.as_deref().or_else(|| answered(inputs)) {
        option("--manager", manager);
    }
    if let Some(limit) = inputs.options.max_deletions {
        option("--max-deletions", &limit.to_string());
    }
    if inputs.protected {
        option("--confirm", inputs.cluster.name());
    }
    for (is_set, name) in [(inputs.options.prune, "--prune"), (inputs.options.dirty, "--dirty")] {
        if is_set {
            words.push(name.to_owned());
        }
    }
    let quoted: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
    quoted.join(" ")
}

/// Returns the manager that was answered for each of the selected objects. A command cannot say it for some alone.
fn answered<'a>(inputs: &Inputs<'a>) -> Option<&'a str> {
    let Selection::These(ids) = &inputs.options.selection else { return None };
    let answers = &inputs.options.deployers;
    let (_, manager) = answers.first()?;
    let is_so = |id: &ResourceId| answers.iter().any(|(of, who)| of == id && who == manager);
    ids.iter().all(is_so).then_some(manager.as_str())
}

/// What is wrong with an invalid object.
pub fn problems(target: &Target) -> String {
    let first = target.judgement.problems.first();
    first.map_or_else(|| "it is invalid".to_owned(), |p| format!("it is invalid: {} {}", p.path, p.title))
}

pub fn terminating(target: &Target) -> String {
    let held = &target.judgement.finalizers;
    if held.is_empty() {
        "it is being deleted".to_owned()
    } else {
        format!("it is being deleted, held by {}", held.join(", "))
    }
}

pub fn contended(id: &ResourceId, change: &FieldChange) -> String {
    let who = change.writer.as_ref().map_or("a controller", |w| w.manager.as_str());
    format!("write {} of {id}: contended with {who}, left alone unless ticked in the deck", change.path)
}

/// Says which rule leaves a field alone.
pub fn ignored(id: &ResourceId, change: &FieldChange) -> Option<String> {
    let rule = &change.ignored.as_ref()?.rule;
    Some(format!("write {} of {id}: ignored by {}", change.path, rule.place()))
}

pub fn kept(id: &ResourceId, change: &FieldChange) -> String {
    let why = change.note.as_deref().unwrap_or("another manager owns it");
    format!("remove {} of {id}: {why}", change.path)
}

/// Says of what carries an engine's marks what the engine will do about a direct write.
pub fn marks_note(engine: Engine, live: &LiveObject) -> Option<String> {
    let said: Vec<String> = Mark::of(live)
        .into_iter()
        .filter_map(|mark| match mark {
            Mark::ArgoCd { app } => Some(format!(
                "Argo CD's application {app} tracks it: where it syncs automatically it writes its own revision again"
            )),
            Mark::Flux { helm: false, namespace, name } => Some(format!(
                "Flux's Kustomization {namespace}/{name} writes its own revision again when it next reconciles"
            )),
            Mark::Flux { helm: true, namespace, name } => Some(format!(
                "Flux's HelmRelease {namespace}/{name} may write its own values again when it next reconciles"
            )),
            Mark::JenkinsX { scope } => {
                Some(format!("Jenkins X applies its scope {scope} again with the next boot job"))
            }
            Mark::Helm { namespace, name } if engine != Engine::Flux => Some(format!(
                "Helm's record of the release {namespace}/{name} stays as it is; its next upgrade compares with that"
            )),
            Mark::Helm { .. } | Mark::ApplySet { .. } => None,
        })
        .collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// Says what follows from creating an object.
pub fn creation_note(desired: &Manifest) -> Option<String> {
    if !rolls_out(&desired.kind.kind) {
        return None;
    }
    let pods = desired.body.at(&["spec", "replicas"]).and_then(Value::as_i64).unwrap_or(1);
    Some(if desired.kind.kind == "DaemonSet" {
        "its pods start on every node that fits".to_owned()
    } else {
        format!("{pods} {} start", if pods == 1 { "pod will" } else { "pods will" })
    })
}

/// Says what follows from a repair: a rollout, another number of pods, an engine that fights it.
pub fn repair_note(
    inputs: &Inputs<'_>,
    step: &Step,
    desired: &Manifest,
    live: &LiveObject,
    ticked: bool,
) -> Option<String> {
    let mut said = Vec::new();
    if !ticked {
        let who: Vec<&str> =
            step.changes.iter().filter_map(|c| c.writer.as_ref()).map(|w| w.manager.as_str()).collect();
        let who = who.first().copied().unwrap_or("a controller");
        said.push(format!("contended with {who}, which is likely to write it again"));
    }
    said.extend(what_follows(step, &desired.body, live));
    said.extend(marks_note(inputs.engine, live));
    (!said.is_empty()).then(|| said.join("; "))
}

/// Says what a cluster does about a step's changes: a rollout, another number of pods.
pub fn what_follows(step: &Step, desired: &Value, live: &LiveObject) -> Vec<String> {
    let mut said = Vec::new();
    if rolls_out(&live.kind.kind)
        && step.changes.iter().any(|c| c.counts && starts(&c.path, &["spec", "template"]))
    {
        said.push(match live.body.at(&["spec", "replicas"]).and_then(Value::as_i64) {
            Some(1) => "template changes: a rollout of 1 replica follows".to_owned(),
            Some(n) => format!("template changes: a rollout of {n} replicas follows"),
            None => "template changes: a rollout follows".to_owned(),
        });
    }
    let replicas = |body: &Value| body.at(&["spec", "replicas"]).and_then(Value::as_i64);
    if step.changes.iter().any(|c| c.counts && starts(&c.path, &["spec", "replicas"]))
        && let (Some(from), Some(to)) = (replicas(&live.body), replicas(desired))
    {
        said.push(format!("scales from {from} to {to}"));
    }
    said
}

fn rolls_out(kind: &str) -> bool {
    ROLLED_OUT.contains(&kind)
}

fn starts(path: &FieldPath, fields: &[&str]) -> bool {
    path.is_under(&FieldPath::fields(fields))
}

/// Returns what Helm adds to each object of a release, for an object that is created in its stead: the release is that
/// of the app's other objects.
///
/// Source: Helm, `pkg/action/validate.go`, `setMetadataVisitor`.
pub fn helm_marks(targets: &[Target]) -> Vec<(FieldPath, String)> {
    let release =
        targets.iter().filter_map(|t| t.live.as_ref()).flat_map(Mark::of).find_map(|mark| match mark {
            Mark::Helm { namespace, name } => Some((namespace, name)),
            _ => None,
        });
    let Some((namespace, name)) = release else { return Vec::new() };
    let field = |kind: &str, key: &str| {
        FieldPath(["metadata", kind, key].map(|name| Segment::Field(name.to_owned())).to_vec())
    };
    vec![
        (field("labels", "app.kubernetes.io/managed-by"), "Helm".to_owned()),
        (field("annotations", "meta.helm.sh/release-name"), name),
        (field("annotations", "meta.helm.sh/release-namespace"), namespace),
    ]
}
