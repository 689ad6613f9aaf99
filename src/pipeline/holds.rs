//! Tells whether the engines of apps act by themselves, plans their pauses, and finds every pause in clusters.

use super::run::Reached;
use super::setup::ClusterSetup;
use crate::action::Planned;
use crate::action::hold::{Ask, HoldError, Inputs, plan};
use crate::cluster::{Cluster, ClusterError};
use crate::gitops::{self, Owner};
use crate::model::cluster::Scope;
use crate::model::{Automation, Hold, Notice, Timestamp};
use futures::StreamExt as _;
use std::sync::Arc;

/// Clusters that are asked at the same time.
const AT_ONCE: usize = 8;

impl Reached {
    /// Returns who owns the app's objects. What Flux Operator owns is not known by its marks: there the objects are read.
    fn owners(&self) -> Vec<Owner> {
        let mut owners: Vec<Owner> = self.marks.iter().filter_map(Owner::behind).collect();
        if owners.is_empty() {
            let objects = self.objects.iter().filter_map(|packed| packed.open(&self.facts.id).ok());
            owners = gitops::owners(objects);
        }
        owners.sort();
        owners.dedup();
        owners
    }
}

/// Returns whether an engine that can be paused leaves its mark on the app.
pub fn has_engine(reached: &Reached) -> bool {
    reached.marks.iter().any(|mark| Owner::behind(mark).is_some())
}

/// Reads whether the engine of a deployment acts by itself.
pub async fn automation(reached: &Reached) -> Result<Automation, ClusterError> {
    gitops::automation(&reached.owners(), &*reached.cluster, &reached.facts).await
}

/// Plans a hold of a deployment's engine, or its end. Reads and dry runs only.
pub async fn plan_hold(reached: &Reached, ask: &Ask, now: Timestamp) -> Result<Planned, HoldError> {
    // Marks are what the objects said when they were judged; the facts are asked anew, for kinds that came since.
    let facts = reached.cluster.facts().await?;
    plan(&Inputs {
        cluster: &*reached.cluster,
        facts: &facts,
        app: &reached.id.app,
        namespace: reached.namespace.as_deref(),
        revision: &reached.revision,
        owners: &reached.owners(),
        ask,
        protected: reached.cluster_status.protected,
        now,
    })
    .await
}

/// A pause that was found in a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The cluster's context.
    pub context: String,
    pub hold: Hold,
}

/// Finds every pause in clusters, of driftdeck and of others, and says what could not be read.
pub async fn list(clusters: &[ClusterSetup]) -> (Vec<Listed>, Vec<Notice>) {
    let asked = clusters.iter().map(|setup| {
        let cluster = Arc::clone(&setup.cluster);
        async move { list_of(&*cluster).await }
    });
    let found: Vec<(Vec<Listed>, Vec<Notice>)> =
        futures::stream::iter(asked).buffered(AT_ONCE).collect().await;
    let (mut holds, mut notices) = (Vec::new(), Vec::new());
    for (listed, said) in found {
        holds.extend(listed);
        notices.extend(said);
    }
    (holds, notices)
}

async fn list_of(cluster: &dyn Cluster) -> (Vec<Listed>, Vec<Notice>) {
    let context = cluster.name().to_owned();
    let facts = match cluster.facts().await {
        Ok(facts) => facts,
        Err(error) => {
            let notice =
                Notice::error(format!("the holds of {context} are not known")).cause(error.to_string());
            return (Vec::new(), vec![notice]);
        }
    };
    let (mut holds, mut notices) = (Vec::new(), Vec::new());
    for (_, kind) in gitops::kinds() {
        let Some(served) = facts.preferred(&kind).cloned() else { continue };
        match cluster.list(served, Scope::All).await {
            Ok(objects) => {
                let read = objects.iter().filter_map(|packed| packed.open(&facts.id).ok());
                let held = read.filter_map(|object| gitops::standing(&object).hold().cloned());
                holds.extend(held.map(|hold| Listed { context: context.clone(), hold }));
            }
            Err(error) => {
                let title = format!("holds of {} in {context} are not known", kind.kind);
                notices.push(Notice::error(title).cause(error.to_string()));
            }
        }
    }
    holds.sort_by(|a, b| a.hold.object.cmp(&b.hold.object));
    (holds, notices)
}

/// Says what a hold is that has ended and that nobody has taken back.
pub fn expired(app: &str, context: &str, hold: &Hold, now: Timestamp) -> Option<Notice> {
    let until = hold.until.filter(|_| hold.is_expired(now))?;
    let title = format!(
        "the hold of {app} on {context} by {} expired at {}",
        hold.who(),
        until.strftime("%Y-%m-%dT%H:%M:%SZ")
    );
    Some(
        Notice::warning(title)
            .hint(format!("driftdeck resume {app} --context {context} lets its engine go on")),
    )
}
