//! Answers what is asked of a running pipeline.

use super::{Candidate, Conductor, Deployed, Inspected, Reached, Rendered, Request};
use crate::action::exact::{ignored, is_about};
use crate::model::status::ResourceStatus;
use crate::model::{
    AppId, ClusterId, DeploymentId, GroupVersionKind, Manifest, RepoId, ResourceId, Revision, Verdict,
};
use crate::pipeline::changes::Ground;
use crate::pipeline::deployment::Deployment;
use crate::pipeline::exact::{Object, Work};
use crate::pipeline::history;
use crate::pipeline::reading;
use crate::pipeline::rendering::For;
use crate::pipeline::running::Question;
use crate::pipeline::setup::Place;
use crate::pipeline::story::Inputs;
use crate::render;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// How many of an app's objects are looked at for who owns them.
const LOOKED_AT: usize = 50;

impl Inputs {
    /// Returns the revision as it is for this app: changes of files that it does not read are none of its own. What
    /// cannot be told counts as a change.
    async fn own_dirtiness(self, mut revision: Revision) -> Revision {
        if revision.dirty {
            let told = tokio::task::spawn_blocking(move || {
                self.repo.dirty_under(&render::inputs(&self.app, &*self.tree))
            });
            revision.dirty = told.await.ok().and_then(Result::ok).unwrap_or(true);
        }
        revision
    }
}

impl Conductor {
    fn inputs(&self, id: &DeploymentId) -> Option<Inputs> {
        let deployment = self.world.deployments.get(id)?;
        Some(Inputs {
            repo: self.opened.get(&deployment.repo)?.clone(),
            app: deployment.app.clone(),
            tree: self.world.repos.get(deployment.repo)?.tree.clone()?,
            revision: deployment.revision.clone(),
        })
    }

    /// Reads and renders one app anew, and changes nothing that is known. A remote is what was fetched last.
    fn render_now(&self, id: &DeploymentId, reply: oneshot::Sender<Option<Rendered>>) {
        let known = || {
            let deployment = self.world.deployments.get(id)?;
            let rendering = deployment.rendered.clone()?;
            Some(Rendered { revision: deployment.revision.clone(), rendering })
        };
        let anew = || {
            let deployment = self.world.deployments.get(id)?;
            let source = self.setup.sources.get(deployment.repo)?.clone();
            let cluster = self.world.clusters.get(deployment.cluster)?;
            let facts = cluster.facts.clone()?;
            matches!(source.place, Place::Local(_))
                .then(|| (source, deployment.app.clone(), facts, cluster.status.context.clone()))
        };
        let Some((source, app, facts, context)) = anew() else { return drop(reply.send(known())) };
        let (setup, renderer, cancel) = (self.setup.clone(), self.renderer.clone(), self.cancel.clone());
        tokio::spawn(async move {
            let rendered = async {
                let read = reading::read(&source, &setup, &mut |_| {}, &cancel).await.ok()?;
                let whom = For { facts: &facts, context: &context };
                let rendering = renderer.render(&app, read.tree.clone(), whom, &cancel).await;
                let revision = read.status.revision?;
                let inputs = Inputs { repo: read.repo, app, tree: read.tree, revision: revision.clone() };
                let revision = inputs.own_dirtiness(revision).await;
                Some(Rendered { revision, rendering: Arc::new(rendering) })
            };
            // Who asked may have gone.
            drop(reply.send(rendered.await));
        });
    }

    pub(super) fn answer(&mut self, request: Request) {
        match request {
            Request::Refresh => {
                for at in 0..self.world.repos.len() {
                    self.read(at);
                }
                for at in 0..self.lines.len() {
                    self.ask_facts(at, Duration::ZERO);
                    // What webhooks and policies do may be other now.
                    if self.world.clusters.get(at).is_some_and(|c| c.schema.is_some()) {
                        self.ask_schema(at);
                    }
                }
            }
            // Who asked may have gone.
            Request::Inspect { deployment, resource, reply } => {
                drop(reply.send(self.inspect(&deployment, &resource)));
            }
            Request::Deployed { deployment, reply } => {
                let deployed = self.deployed(&deployment);
                let inputs = self.inputs(&deployment);
                tokio::spawn(async move {
                    let deployed = match (deployed, inputs) {
                        (Some(mut deployed), Some(inputs)) => {
                            deployed.revision = inputs.own_dirtiness(deployed.revision).await;
                            Some(deployed)
                        }
                        (deployed, _) => deployed,
                    };
                    drop(reply.send(deployed));
                });
            }
            Request::Reached { deployment, reply } => drop(reply.send(self.reached(&deployment))),
            Request::Render { deployment, reply } => self.render_now(&deployment, reply),
            Request::Exact { deployment, resources, reply } => {
                drop(reply.send(self.exact(&deployment, &resources)));
            }
            Request::Answers { deployment, answers, judged } => {
                self.world.set_answers(&deployment, answers);
                self.waiting.extend(judged);
            }
            Request::Past { app, cluster, reply } => drop(reply.send(self.past(&app, cluster.as_ref()))),
            Request::Running { deployment, resource, reply } => {
                drop(reply.send(self.running(&deployment, resource.as_ref())));
            }
            Request::Differing { repo, reply } => drop(reply.send(self.differing(&repo))),
            Request::Ground { reply } => drop(reply.send(self.ground())),
        }
    }

    fn differing(&self, repo: &RepoId) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        for (id, deployment) in &self.world.deployments {
            let Some(cluster) = self.world.clusters.get(deployment.cluster) else { continue };
            if id.app.repo != *repo {
                continue;
            }
            let differs = |status: &&ResourceStatus| {
                matches!(status.verdict(), Verdict::Drifted | Verdict::Missing | Verdict::Extra)
            };
            let manifests = deployment.rendered.iter().flat_map(|rendered| &rendered.manifests);
            let manifests: HashMap<&ResourceId, &Arc<Manifest>> = manifests.map(|m| (&m.id, m)).collect();
            for status in deployment.statuses.values().filter(differs) {
                candidates.push(Candidate {
                    context: cluster.status.context.clone(),
                    desired: manifests.get(&status.id).map(|manifest| (*manifest).clone()),
                    live: cluster.live(&status.kind, &status.id).cloned(),
                    status: status.clone(),
                });
            }
        }
        candidates
    }

    fn inspect(&self, id: &DeploymentId, resource: &ResourceId) -> Option<Inspected> {
        let inputs = self.inputs(id);
        let deployment = self.world.deployments.get(id)?;
        let cluster = self.world.clusters.get(deployment.cluster)?;
        let status = deployment.statuses.get(resource)?.clone();
        let live = cluster.live(&status.kind, resource);
        Some(Inspected {
            desired: deployment.rendered.as_ref()?.manifests.iter().find(|m| &m.id == resource).cloned(),
            live: live.and_then(|packed| packed.open(&cluster.status.id).ok()),
            revision: deployment.revision.clone(),
            inputs,
            past: deployment.past.clone(),
            cluster: self.setup.clusters.get(deployment.cluster)?.cluster.clone(),
            facts: cluster.facts.clone()?,
            status,
        })
    }

    /// Returns what the API server can be asked about: declared objects whose verdict a dry run can settle.
    pub(super) fn exact(&self, id: &DeploymentId, resources: &[ResourceId]) -> Option<Work> {
        let deployment = self.world.deployments.get(id)?;
        let cluster = self.world.clusters.get(deployment.cluster)?;
        let object = |manifest: &Arc<Manifest>| {
            if !resources.is_empty() && !resources.contains(&manifest.id) {
                return None;
            }
            let judgement =
                &deployment.statuses.get(&manifest.id).filter(|s| is_about(s.verdict()))?.judgement;
            // Rules hide more of a verdict that is exact than was found here.
            let before = deployment.answers.get(&manifest.id).filter(|_| judgement.exact.is_some());
            let ignored = before.map_or_else(|| ignored(judgement), |answer| answer.ignored.clone());
            let live = cluster.live(&manifest.kind, &manifest.id).cloned();
            Some(Object { desired: manifest.clone(), live, ignored })
        };
        let manifests = &deployment.rendered.as_ref()?.manifests;
        Some(Work {
            deployment: id.clone(),
            cluster: self.setup.clusters.get(deployment.cluster)?.cluster.clone(),
            id: cluster.status.id.clone(),
            facts: cluster.facts.clone()?,
            schema: cluster.schema.clone()?,
            engine: deployment.engine_manager(),
            objects: manifests.iter().filter_map(object).collect(),
            clock: self.setup.clock.clone(),
        })
    }

    fn past(&self, app: &AppId, cluster: Option<&ClusterId>) -> Option<history::Ground> {
        let at = self.world.repos.iter().position(|repo| repo.status.id == app.repo)?;
        let repo = self.world.repos.get(at)?;
        let inputs = Inputs {
            repo: self.opened.get(&at)?.clone(),
            app: repo.apps.iter().find(|member| member.app.id == *app)?.app.clone(),
            tree: repo.tree.clone()?,
            revision: repo.status.revision.clone()?,
        };
        let deployed =
            cluster.and_then(|cluster| self.held_against(&DeploymentId::new(app.clone(), cluster.clone())));
        let others = repo.apps.iter().map(|member| &member.app).filter(|other| other.id != *app);
        Some(history::Ground {
            others: others.cloned().collect(),
            inputs,
            renderer: self.renderer.clone(),
            deployed: deployed.map(Arc::new),
        })
    }

    fn held_against(&self, id: &DeploymentId) -> Option<history::At> {
        let deployment = self.world.deployments.get(id)?;
        let cluster = self.world.clusters.get(deployment.cluster)?;
        let live = deployment
            .statuses
            .values()
            .map(|status| (status.id.clone(), cluster.live(&status.kind, &status.id).cloned()));
        Some(history::At {
            id: id.clone(),
            context: cluster.status.context.clone(),
            protected: cluster.status.protected,
            facts: cluster.facts.clone()?,
            knowledge: self.world.knowledge(deployment.cluster)?,
            rules: self.world.rules_of(deployment),
            deployer: deployment.engine_manager(),
            desired: deployment.rendered.clone()?,
            live: live.collect(),
            unknown: unknown(deployment),
        })
    }

    fn running(&self, id: &DeploymentId, resource: Option<&ResourceId>) -> Option<Question> {
        let deployment = self.world.deployments.get(id)?;
        let cluster = self.world.clusters.get(deployment.cluster)?;
        let statuses = deployment.statuses.values().filter(|s| resource.is_none_or(|wanted| *wanted == s.id));
        let objects = statuses.filter_map(|status| cluster.live(&status.kind, &status.id).cloned());
        Some(Question {
            cluster: self.setup.clusters.get(deployment.cluster)?.cluster.clone(),
            id: cluster.status.id.clone(),
            facts: cluster.facts.clone()?,
            health: self.setup.health.clone(),
            objects: objects.collect(),
            one: resource.is_some(),
        })
    }

    fn ground(&self) -> Ground {
        let repos = self
            .world
            .repos
            .iter()
            .enumerate()
            .filter_map(|(at, repo)| Some((self.opened.get(&at)?.clone(), repo.status.clone())));
        let connections = self.setup.clusters.iter().map(|setup| setup.cluster.clone());
        Ground::of(&self.world, repos.collect(), connections.collect(), self.began)
    }

    fn extras(&self, deployment: &Deployment) -> Vec<(GroupVersionKind, ResourceId)> {
        let statuses = deployment.statuses.values().filter(|s| *s.verdict() == Verdict::Extra);
        let undeclared = statuses.filter(|s| !self.world.declares(deployment.cluster, &s.id));
        undeclared.map(|s| (s.kind.clone(), s.id.clone())).collect()
    }

    fn reached(&self, id: &DeploymentId) -> Option<Reached> {
        let deployment = self.world.deployments.get(id)?;
        let cluster = self.world.clusters.get(deployment.cluster)?;
        Some(Reached {
            id: id.clone(),
            cluster: self.setup.clusters.get(deployment.cluster)?.cluster.clone(),
            cluster_status: cluster.status.clone(),
            facts: cluster.facts.clone()?,
            acting_as: self.setup.acting_as.clone(),
            namespace: deployment.namespace.clone(),
            revision: deployment.revision.clone(),
            marks: deployment.claims.marks.iter().cloned().collect(),
            objects: deployment
                .statuses
                .values()
                .filter_map(|status| cluster.live(&status.kind, &status.id).cloned())
                .take(LOOKED_AT)
                .collect(),
        })
    }

    fn deployed(&self, id: &DeploymentId) -> Option<Deployed> {
        let deployment = self.world.deployments.get(id)?;
        let cluster = self.world.clusters.get(deployment.cluster)?;
        let rendering = deployment.rendered.as_ref()?;
        Some(Deployed {
            id: id.clone(),
            app: deployment.app.clone(),
            engine: deployment.engine,
            marks: deployment.claims.marks.iter().cloned().collect(),
            acting_as: self.setup.acting_as.clone(),
            cluster: self.setup.clusters.get(deployment.cluster)?.cluster.clone(),
            cluster_status: cluster.status.clone(),
            facts: cluster.facts.clone()?,
            knowledge: self.world.knowledge(deployment.cluster)?,
            rules: self.world.rules_of(deployment),
            revision: deployment.revision.clone(),
            namespace: deployment.namespace.clone(),
            manifests: rendering.manifests.clone(),
            complete: rendering.complete,
            render_notices: rendering.notices.clone(),
            extras: self.extras(deployment),
            not_fresh: self.world.not_fresh(deployment),
            others_incomplete: self.world.others_incomplete(id, deployment.cluster),
        })
    }
}

/// Returns why not everything that is live of a deployment is known.
fn unknown(deployment: &Deployment) -> Option<String> {
    if deployment.statuses.is_empty() {
        return Some("nothing of it has been compared yet".to_owned());
    }
    deployment.statuses.values().find_map(|status| match status.verdict() {
        Verdict::Unknown(why) => Some(format!("{}: {}", status.id, why.0)),
        _ => None,
    })
}
