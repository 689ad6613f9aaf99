//! Defines the undo of an action of the journal: what it changed is put back, what it created is deleted, what it deleted
//! is created again.
//!
//! It is a plan like any other, made against what the cluster holds now, and carried out by [`execute`](super::execute):
//! with its own line in the journal, so that it can be undone too. Only the fields that the action changed are put back; a
//! field that somebody has changed since is left alone. Fields are written under a manager that stands for a person: what is
//! put back drifts from Git as it did before. Only what a deployer had applied server-side is created again in its name, so
//! that it is known as the app's.

mod draft;
mod open;
mod past;

pub use open::open;
pub use past::find;

use super::before::{Kept, Store};
use super::bind;
use super::dry_run::served_kind;
use super::journal::{Entry, Journal};
use super::live::Planned;
use super::sync::{prove, words};
use crate::cluster::{Cluster, ClusterError, builtin};
use crate::model::plan::UNDO;
use crate::model::{AppId, ClusterFacts, LiveObject, Plan, RepoId, ResourceId, Step, Timestamp};
use crate::text::shell_word;
use draft::{Draft, Subject};
use futures::StreamExt as _;
use past::Past;

/// The field manager of what is put back.
const UNDOER: &str = "driftdeck-undo";
/// Requests that run at the same time.
const AT_ONCE: usize = 8;

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    #[error("the journal has no action {asked}")]
    NoSuch { asked: String, last: Vec<String> },
    #[error("several actions of the journal begin with {asked}")]
    Ambiguous { asked: String, begin: Vec<String> },
    #[error("{id} cannot be undone: {command} writes no objects of a cluster")]
    NoWrites { id: String, command: String },
    #[error("{context} is another cluster than {id} was carried out on")]
    OtherCluster { context: String, id: String },
    #[error(transparent)]
    Cluster(#[from] ClusterError),
}

impl UndoError {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSuch { last, .. } if last.is_empty() => "the journal is empty".to_owned(),
            Self::NoSuch { last, .. } => format!("the last ones are {}", last.join(", ")),
            Self::Ambiguous { begin, .. } => format!("they are {}", begin.join(", ")),
            Self::NoWrites { .. } => "driftdeck journal lists what was done".to_owned(),
            Self::OtherCluster { .. } => "choose its context with --context".to_owned(),
            Self::Cluster(_) => return None,
        })
    }
}

/// Everything that an undo is planned from.
pub struct Inputs<'a> {
    pub cluster: &'a dyn Cluster,
    pub journal: &'a Journal,
    /// What is to be undone.
    pub entry: &'a Entry,
    /// The cluster's name must be typed before anything is written.
    pub protected: bool,
    pub now: Timestamp,
}

/// Plans an undo. Reads and dry runs only.
pub async fn plan(inputs: &Inputs<'_>) -> Result<Planned, UndoError> {
    let (cluster, entry) = (inputs.cluster, inputs.entry);
    let facts = cluster.facts().await?;
    if *facts.id.0 != *entry.cluster_id {
        return Err(UndoError::OtherCluster { context: cluster.name().to_owned(), id: entry.id.clone() });
    }
    let past = past::past(entry, &facts.id)?;
    let kinds = past.iter().map(|past| past.kind.clone()).collect();
    let schema = cluster.schema(kinds).await.unwrap_or_else(|_| builtin::schema());
    let subjects: Vec<Subject> = futures::stream::iter(past)
        .map(|past| subject(inputs, &facts, past))
        .buffered(AT_ONCE)
        .collect()
        .await;
    let mut plan = empty(inputs, &facts);
    plan.objects = subjects.iter().filter(|subject| matches!(subject.now, Ok(Some(_)))).count();
    // What was done first is undone last.
    for subject in subjects.iter().rev() {
        let Draft { step, will_not, remarks } = draft::draft(subject, &schema);
        plan.steps.extend(step);
        plan.will_not.extend(will_not);
        plan.remarks.extend(remarks);
    }
    let live = |id: &ResourceId| -> Option<&LiveObject> {
        let subject = subjects.iter().find(|subject| subject.past.resource == *id)?;
        subject.now.as_ref().ok()?.as_ref()
    };
    let asked = prove::Asked { cluster, facts: &facts, schema: &schema };
    prove::prove(&mut plan, &live, &asked).await;
    if !plan.steps.is_empty() && entry.command != UNDO {
        plan.remarks.push(format!(
            "Git still declares what was written then: {} drifts after this, and the next sync writes it again",
            entry.app
        ));
    }
    plan.headless = headless(inputs, &plan.steps);
    for step in &mut plan.steps {
        step.bound.lasting = live(&step.resource).map(bind::lasting);
    }
    plan.bound_to = bind::plan(
        &plan.rendered,
        &plan.revision,
        &facts.id.0,
        plan.steps.iter().map(|step| (step.resource.to_string(), &step.bound)),
    );
    plan.id = words::plan_id(inputs.now, &plan.bound_to);
    Ok(Planned { plan, schema })
}

/// Reads the object of an action, and what was kept of it.
async fn subject(inputs: &Inputs<'_>, facts: &ClusterFacts, past: Past) -> Subject {
    let store = Store::beside(inputs.journal);
    let kept = |step: Option<&usize>| -> Result<Kept, String> {
        let gone =
            || "what it was is not stored any more: that is kept for 30 days, and 500 MB at most".to_owned();
        let step = step.ok_or_else(gone)?;
        let read = store.read(&inputs.entry.id, *step);
        read.map_err(|error| format!("what it was cannot be read: {error}"))?.ok_or_else(gone)
    };
    let kept = kept(past.done.first()).and_then(|first| Ok((first, kept(past.done.last())?)));
    let now = match served_kind(facts, &past.kind) {
        Some(kind) => {
            let name = past.resource.name.clone().unwrap_or_default();
            let read = inputs.cluster.get(kind, past.resource.namespace.clone(), name).await;
            read.map_err(|error| error.to_string())
        }
        None => Err(ClusterError::NotServed { kind: past.resource.kind.to_string() }.to_string()),
    };
    Subject { past, kept, now }
}

fn empty(inputs: &Inputs<'_>, facts: &ClusterFacts) -> Plan {
    let entry = inputs.entry;
    Plan {
        id: String::new(),
        command: UNDO,
        undoes: Some(entry.id.clone()),
        // The journal names the app alone; which repo it was in is not asked of an undo.
        app: AppId { repo: RepoId("".into()), name: entry.app.clone() },
        cluster: facts.id.clone(),
        context: inputs.cluster.name().to_owned(),
        namespace: entry.plan.get("namespace").and_then(serde_json::Value::as_str).map(str::to_owned),
        revision: past::revision(entry),
        manager: UNDOER.to_owned(),
        steps: Vec::new(),
        rendered: String::new(),
        bound_to: String::new(),
        protected: inputs.protected,
        will_not: Vec::new(),
        no_pruning: Vec::new(),
        objects: 0,
        remarks: vec![format!("undoes the {} {} of {}", entry.command, entry.id, entry.time)],
        headless: String::new(),
        notices: Vec::new(),
    }
}

/// Returns the headless command that does the same.
fn headless(inputs: &Inputs<'_>, steps: &[Step]) -> String {
    let context = inputs.cluster.name();
    let mut words = vec!["driftdeck", UNDO, &inputs.entry.id, "--context", context];
    if inputs.protected {
        words.extend(["--confirm", context]);
    }
    if steps.iter().any(|step| step.action == crate::model::StepAction::Delete) {
        words.extend(["--confirm", &inputs.entry.app]);
    }
    let quoted: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
    quoted.join(" ")
}
