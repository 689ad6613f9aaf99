//! Defines how the world takes in what the API server said of objects, and what may rewrite them.

use super::World;
use crate::action::exact::Answer;
use crate::drift::Admission;
use crate::model::{DeploymentId, Timestamp};
use std::sync::Arc;

impl World {
    /// Takes in what the API server said of objects of a deployment.
    pub fn set_answers(&mut self, id: &DeploymentId, answers: Vec<Answer>) {
        let Some(deployment) = self.deployments.get_mut(id) else { return };
        let since = self.clusters.get(deployment.cluster).and_then(|cluster| cluster.answers_count_from);
        let dirty = self.dirty.entry(id.clone()).or_default();
        for answer in answers.into_iter().filter(|answer| since.is_none_or(|since| answer.at >= since)) {
            let desired = &answer.desired;
            let name = desired.id.name.clone().unwrap_or_default();
            dirty.objects.insert((desired.kind.clone(), (desired.id.namespace.clone(), name)));
            deployment.answers.insert(desired.id.clone(), Arc::new(answer));
        }
    }

    /// Takes in which webhooks and policies may rewrite what is applied.
    pub fn set_admission(&mut self, at: usize, admission: Admission, now: Timestamp) {
        let Some(cluster) = self.clusters.get_mut(at) else { return };
        if *cluster.admission != admission {
            cluster.admission = Arc::new(admission);
            self.forget_answers(at, now);
            self.mark_cluster(at);
        }
    }

    /// Drops what the API server of a cluster said, and what it is asked right now: it may say something else from now on,
    /// of the same objects.
    pub(super) fn forget_answers(&mut self, at: usize, now: Timestamp) {
        if let Some(cluster) = self.clusters.get_mut(at) {
            cluster.answers_count_from = Some(now);
        }
        for deployment in self.deployments.values_mut().filter(|d| d.cluster == at) {
            deployment.answers.clear();
        }
    }
}
