//! Remembers which deployments were once seen in a cluster: an app that was there and is gone is missing, never `not
//! deployed here`.

use crate::config::private::{PrivateError, PrivateFolder};
use crate::model::DeploymentId;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// One line each: repo, app and cluster as a JSON array. Several driftdecks append to it.
const FILE: &str = "seen.jsonl";

/// The deployments that were seen by this user, in this run or an earlier one.
pub struct Seen {
    folder: PrivateFolder,
    known: Mutex<BTreeSet<DeploymentId>>,
}

impl Seen {
    /// Reads what earlier runs left in the state folder. A line that cannot be read is passed over.
    pub fn open(state: &Path) -> Result<Self, PrivateError> {
        let folder = PrivateFolder::open(state)?;
        let text = folder.read(FILE)?.unwrap_or_default();
        let lines = text.split(|byte| *byte == b'\n');
        let known = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
        Ok(Self { folder, known: Mutex::new(known) })
    }

    pub fn contains(&self, deployment: &DeploymentId) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(deployment)
    }

    /// Remembers a deployment. Blocks on the disk the first time.
    pub fn remember(&self, deployment: &DeploymentId) {
        let new = self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(deployment.clone());
        if !new {
            return;
        }
        let line = serde_json::to_vec(deployment).unwrap_or_default();
        if let Err(error) = self.folder.append_line(FILE, &line) {
            tracing::warn!(%error, "what was seen cannot be remembered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AppId, ClusterId, RepoId};

    #[test]
    fn what_was_seen_is_known_to_the_next_run() {
        let state = tempfile::tempdir().unwrap();
        let id = |app: &str| {
            DeploymentId::new(AppId { repo: RepoId("fleet".into()), name: app.into() }, ClusterId("c".into()))
        };
        let seen = Seen::open(state.path()).unwrap();
        seen.remember(&id("web"));
        seen.remember(&id("web"));
        let later = Seen::open(state.path()).unwrap();
        assert!(later.contains(&id("web")) && !later.contains(&id("cart")));
        let text = std::fs::read_to_string(state.path().join(FILE)).unwrap();
        assert_eq!(text.lines().count(), 1);
    }
}
