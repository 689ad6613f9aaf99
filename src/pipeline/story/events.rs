//! Reads what the cluster's events say of one object.

use crate::cluster::Cluster;
use crate::model::cluster::{Scope, ServedKind};
use crate::model::story::Event;
use crate::model::{ClusterFacts, GroupKind, ResourceId};
use crate::pipeline::event::read_event;

/// Events that are told, newest first.
const EVENTS: usize = 10;

/// Reads the events about one object, once. Errors: why they cannot be read.
pub(super) async fn about(
    cluster: &dyn Cluster,
    facts: &ClusterFacts,
    of: &ResourceId,
) -> Result<Vec<Event>, String> {
    let Some(served) = facts.preferred(&GroupKind::new("", "Event")).cloned() else {
        return Err("the cluster serves no events".to_owned());
    };
    let served: ServedKind = served;
    let namespace = of.namespace.clone().unwrap_or_else(|| "default".to_owned());
    let objects =
        cluster.list(served, Scope::Namespace(namespace)).await.map_err(|error| error.to_string())?;
    let mut events: Vec<Event> = objects
        .iter()
        .filter_map(|packed| packed.open(&of.cluster).ok())
        .filter(|event| {
            let about = |field: &str| event.body.str_at(&["involvedObject", field]);
            about("kind") == Some(&of.kind.kind) && about("name") == of.name.as_deref()
        })
        .map(|event| read_event(&event.body))
        .collect();
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
    events.truncate(EVENTS);
    Ok(events)
}
