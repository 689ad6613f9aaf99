//! Reads the objects of a deployment anew and judges them.

use super::{Inputs, Target};
use crate::cluster::ClusterError;
use crate::drift::{Context, judge};
use crate::model::{
    Health, HealthStatus, Judgement, LiveObject, Manifest, ResourceId, ServedKind, Verdict, Why,
};
use futures::StreamExt as _;
use std::sync::Arc;

/// Requests that run at the same time.
pub const AT_ONCE: usize = 8;

/// Returns every selected object, read just now. What cannot be read is unknown, and the rest goes on.
pub async fn targets(inputs: &Inputs<'_>) -> Vec<Target> {
    let declared = inputs.manifests.iter().map(|m| (m.kind.clone(), m.id.clone(), Some(m.clone())));
    let extras = inputs.extras.iter().map(|(kind, id)| (kind.clone(), id.clone(), None));
    let wanted: Vec<_> = declared.chain(extras).collect();
    futures::stream::iter(wanted)
        .map(|(kind, id, desired)| async move {
            let read = read(inputs, &kind, &id).await;
            let (live, judgement) = judged(inputs, desired.as_ref(), read);
            Target { id, kind, desired, live, judgement }
        })
        .buffered(AT_ONCE)
        .collect()
        .await
}

async fn read(
    inputs: &Inputs<'_>,
    kind: &crate::model::GroupVersionKind,
    id: &ResourceId,
) -> Result<Option<LiveObject>, ClusterError> {
    let Some(name) = id.name.clone() else { return Ok(None) };
    let served: &ServedKind = inputs
        .facts
        .served(kind)
        .or_else(|| inputs.facts.preferred(&id.kind))
        .ok_or_else(|| ClusterError::NotServed { kind: id.kind.to_string() })?;
    inputs.cluster.get(served.clone(), id.namespace.clone(), name).await
}

fn judged(
    inputs: &Inputs<'_>,
    desired: Option<&Arc<Manifest>>,
    read: Result<Option<LiveObject>, ClusterError>,
) -> (Option<LiveObject>, Judgement) {
    let live = match read {
        Ok(live) => live,
        // A kind that its own definition brings is missing, not unknown: it comes with this plan.
        Err(ClusterError::NotServed { .. }) if desired.is_some_and(|d| comes_with_plan(inputs, d)) => None,
        Err(error) => return (None, unknown(&error)),
    };
    let mut context = Context::new(inputs.schema, inputs.managers, inputs.autoscaled);
    context.deployer = inputs.engine_manager;
    context.health = inputs.health;
    context.rules = inputs.rules;
    let judgement = judge(desired.map(AsRef::as_ref), live.as_ref(), &context);
    (live, judgement)
}

/// Returns whether a CustomResourceDefinition among the manifests defines the kind of this one.
pub fn comes_with_plan(inputs: &Inputs<'_>, manifest: &Manifest) -> bool {
    inputs.manifests.iter().any(|m| {
        super::super::order::is_crd(&m.id.kind)
            && m.body.str_at(&["spec", "group"]) == Some(&manifest.kind.group)
            && m.body.str_at(&["spec", "names", "kind"]) == Some(&manifest.kind.kind)
    })
}

fn unknown(error: &ClusterError) -> Judgement {
    Judgement::plain(Verdict::Unknown(Why::new(error.to_string())), Health::of(HealthStatus::Unknown))
}
