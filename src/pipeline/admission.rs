//! Reads which admission webhooks and policies a cluster has, with one short list of each kind.

use crate::cluster::Cluster;
use crate::drift::{ADMISSION_GROUP, ADMISSION_KINDS, Admission};
use crate::model::{ClusterFacts, GroupKind, LiveObject, Scope};
use std::sync::Arc;

/// Returns what may rewrite objects that are applied; `None` where nothing is known of the cluster. What the user may
/// not read, or the cluster does not serve, is not known either: nothing is marked because of it.
pub async fn read(cluster: &dyn Cluster, facts: Option<Arc<ClusterFacts>>) -> Option<Admission> {
    let facts = facts?;
    let mut objects: Vec<LiveObject> = Vec::new();
    let mut incomplete = false;
    for kind in ADMISSION_KINDS {
        let kind = GroupKind::new(ADMISSION_GROUP, kind);
        let Some(served) = facts.preferred(&kind).filter(|served| served.can("list")) else { continue };
        match cluster.list(served.clone(), Scope::All).await {
            Ok(listed) => objects.extend(listed.iter().filter_map(|packed| packed.open(&facts.id).ok())),
            Err(error) => {
                tracing::debug!(%error, "webhooks and policies are not known");
                incomplete = true;
            }
        }
    }
    Some(Admission::of(&objects, &facts, incomplete))
}
