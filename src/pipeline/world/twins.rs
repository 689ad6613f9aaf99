//! Defines what becomes of two contexts that lead to one cluster.

use super::World;
use crate::model::status::ClusterState;
use crate::model::update::Update;

impl World {
    /// Returns another context that has turned out to lead to this cluster.
    pub(super) fn twin_of(&self, at: usize, id: &crate::model::ClusterId) -> Option<usize> {
        let others = self.clusters.iter().enumerate().filter(|(other, _)| *other != at);
        others
            .into_iter()
            .find(|(_, c)| c.facts.as_ref().is_some_and(|f| f.id == *id))
            .map(|(other, _)| other)
    }

    /// Takes in that two contexts lead to one cluster by different addresses: it is looked at through the first that
    /// answered, and protected if either says so.
    pub(super) fn set_twins(&mut self, first: usize, second: usize) {
        let protected = self.clusters.get(second).is_some_and(|c| c.status.protected);
        let Some(known) = self.clusters.get_mut(first) else { return };
        known.status.protected |= protected;
        let status = known.status.clone();
        let why = format!("it is the same cluster as {}, and looked at as that", status.context);
        self.tell(Update::Cluster { status, was: None });
        if let Some(cluster) = self.clusters.get_mut(second) {
            cluster.facts = None;
        }
        self.set_state(second, ClusterState::Denied { why, next_try: None });
    }
}
