//! Has the API server say what a step would do right now.

use super::effect::effects;
use super::write::{Pin, write};
use crate::cluster::{Cluster, ClusterError};
use crate::model::{ClusterFacts, Effect, GroupVersionKind, LiveObject, Schema, ServedKind, Step};

/// What a dry run shows.
pub struct Shown {
    /// What it changes, leaf by leaf; `None` for a deletion or a new object.
    pub effects: Option<Vec<Effect>>,
    /// The object as it would be; `None` for a deletion.
    pub result: Option<LiveObject>,
}

/// Returns the kind of a step as the cluster serves it now.
pub fn served(facts: &ClusterFacts, step: &Step) -> Option<ServedKind> {
    served_kind(facts, &step.kind)
}

/// Returns a kind in its own version where that is served, else in the version that the server prefers.
pub fn served_kind(facts: &ClusterFacts, kind: &GroupVersionKind) -> Option<ServedKind> {
    facts.served(kind).or_else(|| facts.preferred(&kind.group_kind())).cloned()
}

/// Sends the dry run of a step.
pub async fn dry_run(
    cluster: &dyn Cluster,
    schema: &Schema,
    step: &Step,
    kind: &ServedKind,
    live: Option<&LiveObject>,
) -> Result<Shown, ClusterError> {
    let Some(write) = write(step, kind, live, Pin::Object) else {
        return Ok(Shown { effects: None, result: None });
    };
    let result = cluster.dry_run(write).await?;
    let effects = match (live, &result) {
        (Some(before), Some(after)) => Some(effects(schema, before, after)),
        _ => None,
    };
    Ok(Shown { effects, result })
}
