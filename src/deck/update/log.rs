//! Defines what is kept in the log behind `!` of what goes by: fetches that moved something, changes of a cluster's
//! connection, outcomes of steps. What the status line says is kept where it is said.

use crate::deck::state::State;
use crate::deck::words;
use crate::model::status::{ClusterState, ClusterStatus, RepoStatus};
use crate::model::update::Update;
use crate::model::{ClusterId, ResourceId, Revision, StepOutcome, Timestamp};

/// Keeps what an update changes in what is known so far.
pub(super) fn update(state: &mut State, at: Timestamp, update: &Update) {
    let line = match update {
        Update::Repo { status, .. } => repo(state, status),
        Update::Cluster { status, was } => cluster(state, status, was.as_ref()),
        _ => None,
    };
    if let Some(line) = line {
        state.log(at, line);
    }
}

/// Keeps what became of a step.
pub(super) fn step(
    state: &mut State,
    at: Timestamp,
    resource: &ResourceId,
    cluster: &ClusterId,
    outcome: &StepOutcome,
) {
    let (kind, name) = (&resource.kind.kind, words::name(resource));
    let why = match outcome {
        StepOutcome::Skipped(why) => format!(", {why}"),
        other => other.notice().map(|notice| format!(", {}", notice.title)).unwrap_or_default(),
    };
    let line = format!("{kind} {name} on {}: {}{why}", state.world.called(cluster), outcome.word());
    state.log(at, line);
}

fn repo(state: &State, status: &RepoStatus) -> Option<String> {
    let now = status.revision.as_ref()?;
    let was = state.world.repo(&status.id)?.revision.as_ref()?;
    let name = &status.name;
    if let (Some(commit), Some(old)) = (&now.commit, &was.commit)
        && commit != old
    {
        let subject = status.subject.as_ref().map(|subject| format!(" \"{subject}\"")).unwrap_or_default();
        let author = status.author.as_ref().map(|author| format!(", {author}")).unwrap_or_default();
        return Some(format!("{name}: {}{subject}{author}; was {}", now.words(), old.short()));
    }
    let apart = |revision: &Revision| (revision.behind, revision.ahead);
    if apart(now) == apart(was) {
        return None;
    }
    let distance = Revision { dirty: false, ..now.clone() }.distance();
    Some(format!("{name}: {}", distance.unwrap_or_else(|| "level with its upstream".to_owned())))
}

fn cluster(state: &State, status: &ClusterStatus, was: Option<&ClusterId>) -> Option<String> {
    let known = state.world.cluster(&status.id).or_else(|| state.world.cluster(was?));
    let before = known.map_or(&ClusterState::Connecting, |known| &known.state);
    // A cluster that still does not answer says so with each try.
    if std::mem::discriminant(before) == std::mem::discriminant(&status.state) {
        return None;
    }
    let words = words::cluster_state(&status.state, state.now, &state.options.zone);
    Some(format!("{}: {words}", status.name))
}
