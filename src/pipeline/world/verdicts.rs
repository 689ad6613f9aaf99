//! Takes in what was judged: what is new of it is told, and what follows from it is noted.

use super::World;
use super::earlier::place_of;
use crate::model::update::Update;
use crate::model::{DeploymentId, Engine, Mark, ResourceId};
use crate::pipeline::deployment::{settle_absence, still_there, summary};
use crate::pipeline::judging::{Claims, Judged};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl World {
    /// Takes in verdicts. What a newer rendering no longer declares is dropped, and what changed is told.
    pub fn set_judged(&mut self, judged: Vec<Judged>) {
        let mut touched: BTreeMap<DeploymentId, Vec<Judged>> = BTreeMap::new();
        for one in judged {
            touched.entry(one.deployment.clone()).or_default().push(one);
        }
        let mut updates = Vec::new();
        for (id, judged) in &touched {
            let repo = self.deployments.get(id).and_then(|deployment| self.repos.get(deployment.repo));
            let Some(repo) = repo else { continue };
            for status in judged.iter().filter_map(|one| one.status.as_ref()) {
                let said = self.ledger.record(&repo.status.location, &status.judgement.rules);
                updates.extend(said.into_iter().map(Update::Notice));
            }
        }
        for (id, judged) in touched {
            let Some(deployment) = self.deployments.get_mut(&id) else { continue };
            let mut marks = deployment.claims.marks.clone();
            let mut appliers = deployment.claims.appliers.clone();
            for one in &judged {
                let declares = deployment.rendered.as_ref().is_some_and(|r| r.declares(&one.id));
                if declares {
                    marks.extend(one.marks.iter().cloned());
                    appliers.extend(one.applier.clone());
                }
                if one.exists && declares {
                    deployment.present.insert(one.id.clone());
                } else {
                    deployment.present.remove(&one.id);
                }
            }
            if !deployment.present.is_empty() && !deployment.seen_before {
                deployment.seen_before = true;
                self.appeared.push(id.clone());
            }
            if marks != deployment.claims.marks || appliers != deployment.claims.appliers {
                let deployer = deployment.engine_manager();
                if let Some(engine) = marks.iter().map(Mark::engine).find(|e| *e != Engine::None) {
                    deployment.engine = engine;
                }
                let earlier = deployment.claims.earlier.clone();
                deployment.claims = Arc::new(Claims { marks, earlier, appliers });
                // Who deploys the app decides whose fields are its own.
                self.dirty.entry(id.clone()).or_default().all |= deployment.engine_manager() != deployer;
                self.claims_moved = true;
                self.dirty.entry(id.clone()).or_default().extras = true;
            }
            let mut changed = BTreeMap::new();
            let mut gone = BTreeSet::new();
            if let Some(cluster) = self.clusters.get_mut(deployment.cluster) {
                cluster.troubles.note_judged(&judged);
            }
            for one in judged {
                let drifts = one.status.as_ref().is_some_and(|s| s.verdict().is_drift());
                if !Arc::ptr_eq(&one.past, &deployment.past)
                    && let Some(status) = one.status.as_ref()
                    && (drifts || deployment.past.differs_in(&one.id))
                {
                    // The past was learnt while this was judged.
                    self.dirty.entry(id.clone()).or_default().objects.insert(place_of(status));
                }
                match one.fits {
                    Some(fits) => drop(deployment.fits.insert(one.id.clone(), fits)),
                    None => drop(deployment.fits.remove(&one.id)),
                }
                match one.status {
                    Some(status) => {
                        if deployment.statuses.get(&one.id) != Some(&status) {
                            changed.insert(one.id.clone(), status.clone());
                        }
                        deployment.statuses.insert(one.id, status);
                    }
                    None => {
                        if deployment.statuses.remove(&one.id).is_some() {
                            gone.insert(one.id);
                        }
                    }
                }
            }
            let stale: Vec<ResourceId> =
                deployment.statuses.keys().filter(|r| !still_there(deployment, r)).cloned().collect();
            for id in stale {
                let cluster = self.clusters.get(deployment.cluster);
                let lives = cluster.is_some_and(|c| {
                    deployment.statuses.get(&id).is_some_and(|s| {
                        c.store
                            .object(&s.kind, id.namespace.as_deref(), id.name.as_deref().unwrap_or_default())
                            .is_some()
                    })
                });
                if !lives {
                    deployment.statuses.remove(&id);
                    changed.remove(&id);
                    gone.insert(id);
                }
            }
            if let Some(cluster) = self.clusters.get_mut(deployment.cluster) {
                for id in &gone {
                    cluster.troubles.note(id, None);
                }
            }
            for id in &gone {
                deployment.fits.remove(id);
            }
            let settled = settle_absence(deployment);
            if settled.came_back {
                // What was excused with the rest, an invalid manifest say, is judged on its own again.
                self.dirty.entry(id.clone()).or_default().all = true;
            }
            changed.extend(settled.flipped);
            if !changed.is_empty() || !gone.is_empty() {
                updates.push(Update::Resources {
                    deployment: id.clone(),
                    changed: changed.into_values().collect(),
                    gone: gone.into_iter().collect(),
                });
            }
            let status = summary(&id, deployment);
            if deployment.told.as_ref() != Some(&status) {
                deployment.told = Some(status.clone());
                updates.push(Update::Deployment(status));
            }
        }
        self.updates.extend(updates);
    }
}
