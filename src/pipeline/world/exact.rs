//! Defines how the world takes in what the API server said of objects, and what may rewrite them.

use super::World;
use crate::action::exact::Answer;
use crate::drift::Admission;
use crate::model::DeploymentId;
use std::sync::Arc;

impl World {
    /// Takes in what the API server said of objects of a deployment.
    pub fn set_answers(&mut self, id: &DeploymentId, answers: Vec<Answer>) {
        let Some(deployment) = self.deployments.get_mut(id) else { return };
        let dirty = self.dirty.entry(id.clone()).or_default();
        for answer in answers {
            let desired = &answer.desired;
            let name = desired.id.name.clone().unwrap_or_default();
            dirty.objects.insert((desired.kind.clone(), (desired.id.namespace.clone(), name)));
            deployment.answers.insert(desired.id.clone(), Arc::new(answer));
        }
    }

    /// Takes in which webhooks and policies may rewrite what is applied.
    pub fn set_admission(&mut self, at: usize, admission: Admission) {
        let Some(cluster) = self.clusters.get_mut(at) else { return };
        if *cluster.admission != admission {
            cluster.admission = Arc::new(admission);
            self.mark_cluster(at);
        }
    }
}
