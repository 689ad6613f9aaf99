//! Takes in what earlier commits of an app rendered to: for extras, and for the commit that the cluster is at.

use super::World;
use crate::model::status::ResourceStatus;
use crate::model::{DeploymentId, GroupVersionKind};
use crate::pipeline::deployment::LookedBack;
use crate::pipeline::judging::Claims;
use crate::pipeline::store::ObjectKey;
use crate::pipeline::unsynced::Past;
use std::sync::Arc;

impl World {
    /// Takes in what earlier commits of a deployment's app rendered to, unless the app has moved on meanwhile.
    pub fn set_earlier(&mut self, id: &DeploymentId, looked: LookedBack, past: Past) {
        if let Some(deployment) = self.deployments.get_mut(id).filter(|d| d.looks_back_for() == looked) {
            deployment.looked_back = Some(looked);
            let earlier = past.ids.clone();
            // What differs may be as one of the states had it, and what does not may fit none of them.
            let concerned = deployment.statuses.values().filter(|s| {
                s.verdict().is_drift() || past.differs_in(&s.id) || deployment.past.differs_in(&s.id)
            });
            let concerned: Vec<_> = concerned.map(place_of).collect();
            if (!past.is_empty() || !deployment.past.is_empty()) && !concerned.is_empty() {
                self.dirty.entry(id.clone()).or_default().objects.extend(concerned);
            }
            deployment.past = Arc::new(past);
            if deployment.claims.earlier == earlier {
                return;
            }
            deployment.claims = Arc::new(Claims { earlier, ..(*deployment.claims).clone() });
            self.claims_moved = true;
            self.dirty.entry(id.clone()).or_default().extras = true;
        }
    }
}

/// Returns where a judged object is looked for.
pub(super) fn place_of(status: &ResourceStatus) -> (GroupVersionKind, ObjectKey) {
    (status.kind.clone(), (status.id.namespace.clone(), status.id.name.clone().unwrap_or_default()))
}
