//! Remembers which deployments were once seen in a cluster: an app that was there and is gone is missing, never `not
//! deployed here`.

use crate::config::private::PrivateError;
use crate::model::DeploymentId;
use crate::pipeline::remembered::Remembered;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One line each, as JSON: app, cluster, namespace. Several driftdecks append to it.
const FILE: &str = "seen.jsonl";

/// Where a deployment was seen: in another namespace it may well not be deployed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Sighting {
    #[serde(flatten)]
    deployment: DeploymentId,
    #[serde(default)]
    namespace: Option<String>,
}

/// The deployments that were seen by this user, in this run or an earlier one.
pub struct Seen(Remembered<Sighting>);

impl Seen {
    /// Reads what earlier runs left in the state folder. A line that cannot be read is passed over.
    pub fn open(state: &Path) -> Result<Self, PrivateError> {
        Remembered::open(state, FILE).map(Self)
    }

    pub fn contains(&self, deployment: &DeploymentId, namespace: Option<&str>) -> bool {
        self.0.contains(&sighting(deployment, namespace))
    }

    /// Remembers a deployment in its namespace. Blocks on the disk the first time.
    pub fn remember(&self, deployment: &DeploymentId, namespace: Option<&str>) {
        self.0.add(&sighting(deployment, namespace));
    }
}

fn sighting(deployment: &DeploymentId, namespace: Option<&str>) -> Sighting {
    Sighting { deployment: deployment.clone(), namespace: namespace.map(str::to_owned) }
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
        seen.remember(&id("web"), Some("shop"));
        seen.remember(&id("web"), Some("shop"));
        let later = Seen::open(state.path()).unwrap();
        assert!(later.contains(&id("web"), Some("shop")) && !later.contains(&id("cart"), Some("shop")));
        assert!(!later.contains(&id("web"), None), "it may never have been in another namespace");
        let text = std::fs::read_to_string(state.path().join(FILE)).unwrap();
        assert_eq!(text.lines().count(), 1);
    }
}
