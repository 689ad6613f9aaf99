//! Says how a cluster that did not answer is reached: since when not, why, and when it is tried again.

use super::World;
use crate::cluster::ClusterError;
use crate::model::Timestamp;
use crate::model::status::ClusterState;

/// Returns whether an error means that the user is not let in, so that trying again helps only once somebody has done
/// something about it.
pub fn is_refusal(error: &ClusterError) -> bool {
    matches!(
        error,
        ClusterError::Denied { .. } | ClusterError::Unauthenticated { .. } | ClusterError::Credentials { .. }
    )
}

impl World {
    /// Takes in that a cluster did not answer what it was asked. It counts from its last answer, and through every try
    /// from the first that failed.
    pub fn not_reached(
        &mut self,
        at: usize,
        error: &ClusterError,
        now: Timestamp,
        next_try: Option<Timestamp>,
    ) {
        let Some(cluster) = self.clusters.get(at) else { return };
        let why = error.to_string();
        let since = match &cluster.status.state {
            ClusterState::Stale { since, .. } | ClusterState::Unreachable { since, .. } => *since,
            _ => cluster.answered.unwrap_or(now),
        };
        let state = if is_refusal(error) {
            ClusterState::Denied { why, next_try }
        } else {
            ClusterState::Unreachable { since, why, next_try }
        };
        self.set_state(at, state);
    }
}
