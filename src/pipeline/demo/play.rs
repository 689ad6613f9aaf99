//! Lets the demo's world move while somebody looks: rollouts go on, and an incident happens.

use super::rollout::{self, Pace};
use super::script::{Incident, Step};
use super::{DemoError, DemoWorld, pods, stage};
use crate::cluster::offline::Target;
use crate::cluster::{Cluster, Offline, Patch};
use crate::model::{GroupVersionKind, Scope};
use crate::pipeline::setup::Clock;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often rollouts move.
const ROLLOUTS_EVERY: Duration = Duration::from_secs(2);

/// Lets the world move until it is cancelled. `still`: nothing happens by itself, but workloads still follow what the
/// user writes.
pub async fn play(world: DemoWorld, still: bool, clock: Clock, cancel: CancellationToken) {
    let incident = async {
        if still {
            std::future::pending::<()>().await;
        }
        tell(&world, &clock).await;
    };
    tokio::select! {
        () = cancel.cancelled() => {}
        () = roll_out(&world, &clock) => {}
        () = incident => {}
    }
}

/// Tells the incident: its beginning once, then the rest round and round.
async fn tell(world: &DemoWorld, clock: &Clock) {
    let Incident { once, again, .. } = &world.incident;
    for step in once {
        tell_step(world, step, clock).await;
    }
    if again.is_empty() {
        std::future::pending::<()>().await;
    }
    loop {
        for step in again {
            tell_step(world, step, clock).await;
        }
    }
}

async fn tell_step(world: &DemoWorld, step: &Step, clock: &Clock) {
    tokio::time::sleep(step.after.0).await;
    if let Err(error) = do_step(world, step, clock).await {
        // The user may have deleted what the step is about: the incident goes on without it.
        tracing::debug!(%error, "a step of the demo was left out");
    }
}

pub(super) async fn do_step(world: &DemoWorld, step: &Step, clock: &Clock) -> Result<(), DemoError> {
    if let Some(commit) = &step.commit {
        let (repos, commit, now) = (world.repos.clone(), commit.clone(), clock());
        let received = tokio::task::spawn_blocking(move || repos.receive(&commit, now));
        received.await.unwrap_or(Ok(()))?;
    }
    if let Some(name) = &step.cluster {
        let found = world.clusters.iter().find(|c| c.cluster.name() == name);
        let cluster = found.ok_or_else(|| DemoError::NoCluster { name: name.clone() })?;
        stage::act(&cluster.cluster, &step.deed, clock())?;
    }
    Ok(())
}

/// Moves every rollout on, again and again.
async fn roll_out(world: &DemoWorld, clock: &Clock) {
    let mut every = tokio::time::interval(ROLLOUTS_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        for demo in &world.clusters {
            roll_on(&demo.cluster, &world.incident.crashing, clock).await;
        }
    }
}

/// Moves every rollout of a cluster on by one step; returns whether any moved.
pub(super) async fn roll_on(cluster: &Offline, crashing: &[String], clock: &Clock) -> bool {
    let mut moved = false;
    for (group, version, kind) in rollout::KINDS {
        let kind = GroupVersionKind::new(group, version, kind);
        let Ok(served) = cluster.served(&kind) else { continue };
        let Ok(listed) = cluster.list(served, Scope::All).await else { continue };
        for live in listed.iter().filter_map(|packed| packed.open(&packed.id.cluster).ok()) {
            let Some(status) = rollout::next_status(&live, Pace::Step, crashing) else { continue };
            let Some(name) = live.id.name.clone() else { continue };
            let target = Target { kind: kind.clone(), namespace: live.id.namespace.clone(), name };
            let patch = Patch::Merge(status);
            match cluster.edit(&target, patch, rollout::CONTROLLER, Some("status"), clock()) {
                Ok(workload) => {
                    moved = true;
                    let tended = workload.map(|w| pods::tend(cluster, &w, crashing, (clock(), clock())));
                    if let Some(Err(error)) = tended {
                        tracing::debug!(%error, "the pods of a workload of the demo were left alone");
                    }
                }
                Err(error) => tracing::debug!(%error, "a rollout of the demo did not move"),
            }
        }
    }
    moved
}
