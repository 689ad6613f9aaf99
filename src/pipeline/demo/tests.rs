//! Tests that the demo's world is what it promises.

use super::*;
use crate::action::journal::Journal;
use crate::action::{confirm, sync};
use crate::cluster::Cluster;
use crate::git::{Ask, Repo};
use crate::model::status::{ClusterStatus, DeploymentStatus, ResourceStatus};
use crate::model::update::Update;
use crate::model::{
    ClusterId, DeploymentId, ManagedEntry, Plan, ResourceId, Scope, StepOutcome, Timestamp, Value,
};
use crate::pipeline::{acting, run};
use std::collections::{BTreeMap, BTreeSet};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A world that stands still at one time, and what the pipeline says of it.
struct Judged {
    world: DemoWorld,
    ground: TempDir,
    handle: run::Handle,
    updates: mpsc::Receiver<Update>,
    clusters: BTreeMap<ClusterId, ClusterStatus>,
    deployments: BTreeMap<DeploymentId, DeploymentStatus>,
    resources: BTreeMap<(DeploymentId, ResourceId), ResourceStatus>,
}

fn noon() -> Clock {
    let at: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    Arc::new(move || at)
}

async fn judged() -> Judged {
    let ground = tempfile::tempdir().unwrap();
    let world = DemoWorld::build(ground.path(), &noon()).unwrap();
    let (handle, updates) = run::start(world.setup(noon()));
    let (clusters, deployments, resources) = Default::default();
    let mut judged = Judged { world, ground, handle, updates, clusters, deployments, resources };
    while let Some(update) = judged.updates.recv().await {
        if update == Update::Settled {
            break;
        }
        judged.take(update);
    }
    judged
}

impl Judged {
    fn take(&mut self, update: Update) {
        match update {
            Update::Cluster { status, was } => {
                was.map(|id| self.clusters.remove(&id));
                self.clusters.insert(status.id.clone(), status);
            }
            Update::Deployment(status) => {
                self.deployments.insert(status.id.clone(), status);
            }
            Update::Resources { deployment, changed, gone } => {
                for id in gone {
                    self.resources.remove(&(deployment.clone(), id));
                }
                for status in changed {
                    self.resources.insert((deployment.clone(), status.id.clone()), status);
                }
            }
            _ => {}
        }
    }

    /// Plans a sync of a deployment and carries it out; every question is answered.
    async fn sync(&self, id: &DeploymentId) -> Plan {
        let deployed = self.handle.deployed(id.clone()).await.unwrap();
        let options = sync::Options { prune: deployed.not_fresh.is_empty(), ..sync::Options::default() };
        let now = noon()();
        let plan = acting::plan_sync(&deployed, &options, now).await.unwrap();
        let journal = Journal::at(self.ground.path().join("state"));
        let answers: Vec<String> = confirm::asks(&plan).into_iter().flat_map(|ask| ask.words).collect();
        let (cancel, mut progress) = (CancellationToken::new(), |_: &Plan| {});
        acting::carry_out(plan, &deployed, &journal, &noon(), &answers, &cancel, &mut progress).await.unwrap()
    }

    /// Says what is not simply in sync, and not simply elsewhere.
    fn findings(&self) -> String {
        let mut lines = Vec::new();
        for ((deployment, id), status) in &self.resources {
            let (verdict, changes) = (status.verdict(), &status.judgement.changes);
            let elsewhere = verdict.why() == Some("not deployed here");
            if elsewhere || (verdict.word() == "in-sync" && changes.is_empty()) {
                continue;
            }
            let cluster = &self.clusters[&deployment.cluster].context;
            lines.push(format!("{cluster} {id} {}", verdict.word()));
            for change in changes {
                let writer = change.writer.as_ref().map_or("nobody", |w| &w.manager);
                let counts = if change.counts { "" } else { ", not counted" };
                let (class, cause) = (change.class.word(), change.cause.word());
                lines.push(format!("  {class} {} {cause}, {writer}{counts}", change.path));
            }
            lines.extend(verdict.why().map(|why| format!("  {why}")));
            let problems = status.judgement.problems.iter();
            lines.extend(problems.map(|p| format!("  {} {}", p.path, p.title)));
            let finalizers = status.judgement.finalizers.iter();
            lines.extend(finalizers.map(|finalizer| format!("  held by {finalizer}")));
        }
        lines.join("\n")
    }

    /// Says how the apps are, in a line each.
    fn summaries(&self) -> String {
        let line = |d: &DeploymentStatus| {
            let cluster = &self.clusters[&d.id.cluster].context;
            let (app, engine) = (&d.id.app.name, d.engine.word());
            format!("{cluster} {app} {engine} {} {}", d.verdict.word(), d.health.word())
        };
        self.deployments.values().map(line).collect::<Vec<_>>().join("\n")
    }
}

const FINDINGS: &str = r#"prod-eu ValidatingWebhookConfiguration.admissionregistration.k8s.io/shop-policies in-sync
  delegated .webhooks[name="images.shop.example.com"].clientConfig.caBundle controller, cainjector, not counted
prod-eu Secret/shop/api-database drifted
  changed .data.password by-hand, kubectl-patch
prod-eu Deployment.apps/shop/api drifted
  deleted .spec.template.spec.containers[name="app"].resources.limits.cpu unknown, nobody
prod-eu Campaign.shop.example.com/shop/black-friday drifted
  changed .spec.discountPercent by-hand, kubectl-edit
prod-us Campaign.shop.example.com/shop/black-friday unknown
  the cluster does not serve Campaign shop.example.com/v1: its CustomResourceDefinition of group shop.example.com is not installed
prod-us Campaign.shop.example.com/shop/free-shipping unknown
  the cluster does not serve Campaign shop.example.com/v1: its CustomResourceDefinition of group shop.example.com is not installed
prod-eu ConfigMap/shop/cart-config drifted
  leftover .data.LEGACY_CHECKOUT_URL unsynced-commit, kubectl-client-side-apply
prod-eu ConfigMap/shop/cart-migration extra
prod-eu Service/shop/checkout in-sync
  foreign .metadata.annotations.external-dns.alpha.kubernetes.io/hostname controller, external-dns, not counted
prod-eu Ingress.networking.k8s.io/shop/checkout terminating
  foreign .metadata.finalizers[="ingress.k8s.aws/resources"] controller, aws-load-balancer-controller, not counted
  held by ingress.k8s.aws/resources
prod-eu ConfigMap/shop/mail-templates invalid
  .data.order-confirmed.subject duplicate key: the last one wins
prod-eu Deployment.apps/shop/mail-worker in-sync
  order .spec.template.spec.containers[name="worker"].env unsynced-commit, kubectl, not counted
prod-eu CronJob.batch/shop/mail-digest invalid
  .spec.concurencyPolicy unknown field `concurencyPolicy`: the API server drops it; did you mean `concurrencyPolicy`?
prod-eu Job.batch/shop/mail-migrate excluded
  argocd.argoproj.io/hook: PreSync
prod-us ConfigMap/shop/mail-templates invalid
  .data.order-confirmed.subject duplicate key: the last one wins
prod-us CronJob.batch/shop/mail-digest invalid
  .spec.concurencyPolicy unknown field `concurencyPolicy`: the API server drops it; did you mean `concurrencyPolicy`?
prod-us Job.batch/shop/mail-migrate excluded
  argocd.argoproj.io/hook: PreSync
prod-eu Namespace/shop drifted
  foreign .metadata.labels.istio-injection by-hand, kubectl-label
prod-us Role.rbac.authorization.k8s.io/payments/payments unknown
  not allowed to watch roles.rbac.authorization.k8s.io in namespace payments: forbidden
prod-eu ConfigMap/shop/search-synonyms drifted
  changed .data.synonyms.txt by-hand, dashboard
prod-us Deployment.apps/shop/search drifted
  changed .spec.template.spec.containers[name="search"].image unsynced-commit, helm
prod-eu ConfigMap/shop/web-config drifted
  contended .data.app.properties controller, reloader
prod-eu ConfigMap/shop/web-feature-flags extra
prod-eu Deployment.apps/shop/web drifted
  contended .spec.replicas controller, kube-controller-manager, not counted
  foreign .spec.template.spec.containers[name="app"].env[name="DEBUG"] by-hand, kubectl-edit
  changed .spec.template.spec.containers[name="app"].image by-hand, kubectl-edit
  changed .spec.template.spec.containers[name="app"].resources.limits.memory unsynced-commit, kustomize-controller
prod-eu Ingress.networking.k8s.io/shop/web in-sync
  foreign .metadata.annotations.cert-manager.io/issue-temporary-certificate controller, cert-manager-controller, not counted
prod-eu PodDisruptionBudget.policy/shop/web missing
prod-us Deployment.apps/shop/web drifted
  changed .spec.template.spec.containers[name="app"].image unsynced-commit, kustomize-controller
  changed .spec.template.spec.containers[name="app"].resources.limits.memory unsynced-commit, kustomize-controller"#;

/// What a sync leaves alone: what Git gets wrong, what a controller fights for, what is not compared.
const FINDINGS_AFTER_SYNC: &str = r#"prod-eu ValidatingWebhookConfiguration.admissionregistration.k8s.io/shop-policies in-sync
  delegated .webhooks[name="images.shop.example.com"].clientConfig.caBundle controller, cainjector, not counted
prod-us Campaign.shop.example.com/shop/black-friday unknown
  the cluster does not serve Campaign shop.example.com/v1: its CustomResourceDefinition of group shop.example.com is not installed
prod-us Campaign.shop.example.com/shop/free-shipping unknown
  the cluster does not serve Campaign shop.example.com/v1: its CustomResourceDefinition of group shop.example.com is not installed
prod-eu Service/shop/checkout in-sync
  foreign .metadata.annotations.external-dns.alpha.kubernetes.io/hostname controller, external-dns, not counted
prod-eu Ingress.networking.k8s.io/shop/checkout terminating
  foreign .metadata.finalizers[="ingress.k8s.aws/resources"] controller, aws-load-balancer-controller, not counted
  held by ingress.k8s.aws/resources
prod-eu ConfigMap/shop/mail-templates invalid
  .data.order-confirmed.subject duplicate key: the last one wins
prod-eu Deployment.apps/shop/mail-worker in-sync
  order .spec.template.spec.containers[name="worker"].env unsynced-commit, kubectl, not counted
prod-eu CronJob.batch/shop/mail-digest invalid
  .spec.concurencyPolicy unknown field `concurencyPolicy`: the API server drops it; did you mean `concurrencyPolicy`?
prod-eu Job.batch/shop/mail-migrate excluded
  argocd.argoproj.io/hook: PreSync
prod-us ConfigMap/shop/mail-templates invalid
  .data.order-confirmed.subject duplicate key: the last one wins
prod-us CronJob.batch/shop/mail-digest invalid
  .spec.concurencyPolicy unknown field `concurencyPolicy`: the API server drops it; did you mean `concurrencyPolicy`?
prod-us Job.batch/shop/mail-migrate excluded
  argocd.argoproj.io/hook: PreSync
prod-us Role.rbac.authorization.k8s.io/payments/payments unknown
  not allowed to watch roles.rbac.authorization.k8s.io in namespace payments: forbidden
prod-eu ConfigMap/shop/web-config drifted
  contended .data.app.properties controller, reloader
prod-eu Deployment.apps/shop/web in-sync
  contended .spec.replicas controller, kube-controller-manager, not counted
prod-eu Ingress.networking.k8s.io/shop/web in-sync
  foreign .metadata.annotations.cert-manager.io/issue-temporary-certificate controller, cert-manager-controller, not counted"#;

const SUMMARIES: &str = "prod-eu admission none in-sync Healthy
prod-us admission none excluded Healthy
prod-eu api argocd drifted Healthy
prod-us api argocd in-sync Healthy
prod-eu campaigns none drifted Healthy
prod-us campaigns none unknown Unknown
prod-eu cart none drifted Healthy
prod-us cart none in-sync Healthy
prod-eu checkout argocd in-sync Progressing
prod-us checkout argocd in-sync Healthy
prod-eu debug-tools none excluded Healthy
prod-us debug-tools none in-sync Healthy
prod-eu mail none drifted Missing
prod-us mail none drifted Missing
prod-eu namespaces none drifted Healthy
prod-us namespaces none in-sync Healthy
prod-eu payments flux in-sync Healthy
prod-us payments flux unknown Unknown
prod-eu search helm drifted Degraded
prod-us search helm drifted Healthy
prod-eu web flux drifted Missing
prod-us web flux drifted Healthy";

#[tokio::test]
async fn the_clusters_have_drifted_in_every_way() {
    let judged = judged().await;
    assert_eq!(judged.findings(), FINDINGS);
    assert_eq!(judged.summaries(), SUMMARIES);
}

#[tokio::test]
async fn every_class_and_every_verdict_is_there() {
    let judged = judged().await;
    let judgements = || judged.resources.values().map(|status| &status.judgement);
    let verdicts: BTreeSet<&str> = judgements().map(|j| j.verdict.word()).collect();
    let every = "drifted excluded extra in-sync invalid missing terminating unknown";
    assert_eq!(verdicts.into_iter().collect::<Vec<_>>().join(" "), every);
    let classes: BTreeSet<&str> = judgements().flat_map(|j| &j.changes).map(|c| c.class.word()).collect();
    // Nothing is `ignored`: there are no ignore rules in it.
    let every = "changed contended delegated deleted foreign leftover order";
    assert_eq!(classes.into_iter().collect::<Vec<_>>().join(" "), every);
    let health: BTreeSet<&str> = judgements().map(|j| j.health.status.word()).collect();
    assert!(health.is_superset(&["Degraded", "Healthy", "Progressing"].into()), "{health:?}");
    let there = judgements().filter(|j| j.health.status.word() != "Missing").count();
    assert!((60..=80).contains(&there), "{there} objects");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_puts_right_what_it_may_and_the_cells_follow() {
    let mut judged = judged().await;
    let drifted = |d: &&DeploymentStatus| d.verdict.word() == "drifted";
    let ids: Vec<DeploymentId> = judged.deployments.values().filter(drifted).map(|d| d.id.clone()).collect();
    for id in &ids {
        let done = judged.sync(id).await;
        for step in done.steps.iter().filter(|step| step.ticked) {
            assert_eq!(step.outcome, StepOutcome::Applied, "{}", step.resource);
        }
    }
    let patience = std::time::Duration::from_secs(8);
    while judged.findings() != FINDINGS_AFTER_SYNC {
        let Ok(update) = tokio::time::timeout(patience, judged.updates.recv()).await else { break };
        judged.take(update.unwrap());
    }
    assert_eq!(judged.findings(), FINDINGS_AFTER_SYNC);
}

#[tokio::test]
async fn no_value_of_a_secret_is_told() {
    let judged = judged().await;
    let told = format!("{:?}", judged.resources);
    let text = |name: &str| assets::REPO.iter().find(|(path, _)| path.ends_with(name)).unwrap().1;
    assert!(text("database.yaml").contains("demo-canary-") && text("provider.yaml").contains("demo-canary-"));
    for canary in ["demo-canary", "ZGVtby1jYW5hcnk"] {
        assert!(!told.contains(canary), "{canary}");
    }
}

#[tokio::test]
async fn the_same_time_gives_the_same_world() {
    let (one, other) = (judged().await, judged().await);
    let head = |judged: &Judged| {
        let repo = Repo::open(judged.world.folder()).unwrap();
        repo.revision(&Ask::Default).unwrap().revision
    };
    assert_eq!(head(&one), head(&other));
    assert_eq!(contents(&one.world).await, contents(&other.world).await);
}

#[test]
fn the_history_is_of_several_authors_over_days() {
    let ground = tempfile::tempdir().unwrap();
    let world = DemoWorld::build(ground.path(), &noon()).unwrap();
    let git = std::process::Command::new("git")
        .args(["log", "--reverse", "--format=%as %an: %s"])
        .current_dir(world.folder())
        .output()
        .unwrap();
    let log = String::from_utf8(git.stdout).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.first(), Some(&"2026-02-10 Jonas Weber: Bring the shop under Git"));
    assert_eq!(lines.last(), Some(&"2026-03-01 Ana Lindqvist: Raise memory of web"));
    let authors: BTreeSet<&str> =
        lines.iter().filter_map(|l| l.get(11..)?.split_once(':')).map(|l| l.0).collect();
    assert_eq!((lines.len(), authors.len()), (18, 5));
}

#[tokio::test]
async fn the_incident_goes_round_without_growing() {
    let ground = tempfile::tempdir().unwrap();
    let world = DemoWorld::build(ground.path(), &noon()).unwrap();
    let incident = world.incident.clone();
    assert!(incident.once[0].after.0.as_secs() <= 5, "something happens while the first look lasts");
    for step in &incident.once {
        play::do_step(&world, step, &noon()).await.unwrap();
    }
    let repo = Repo::open(world.folder()).unwrap();
    assert_eq!(repo.revision(&Ask::Default).unwrap().revision.behind, 1, "Ana's commit has arrived");
    let mut rounds = Vec::new();
    for _ in 0..3 {
        for step in &incident.again {
            play::do_step(&world, step, &noon()).await.unwrap();
        }
        rounds.push(contents(&world).await);
    }
    assert_eq!(rounds[0], rounds[1]);
    assert_eq!(rounds[1], rounds[2]);
}

#[tokio::test]
async fn rollouts_come_to_their_end_and_rest() {
    let ground = tempfile::tempdir().unwrap();
    let world = DemoWorld::build(ground.path(), &noon()).unwrap();
    let demo = &world.clusters[0].cluster;
    let mut steps = 0;
    while play::roll_on(demo, &world.incident.crashing, &noon()).await {
        steps += 1;
        assert!(steps < 20, "a rollout never rests");
    }
    assert_eq!(steps, 2, "checkout had two of its four replicas");
}

#[tokio::test(flavor = "multi_thread")]
async fn playing_ends_when_it_is_cancelled() {
    let ground = tempfile::tempdir().unwrap();
    let world = DemoWorld::build(ground.path(), &noon()).unwrap();
    let cancel = CancellationToken::new();
    let playing = tokio::spawn(play(world, false, noon(), cancel.clone()));
    cancel.cancel();
    playing.await.unwrap();
}

/// Returns what the clusters hold, and who wrote what of it, without what counts versions.
async fn contents(world: &DemoWorld) -> BTreeMap<ResourceId, (Value, Vec<String>)> {
    let mut contents = BTreeMap::new();
    for demo in &world.clusters {
        let facts = demo.cluster.facts().await.unwrap();
        for kind in facts.kinds.iter().filter(|kind| kind.can("list")) {
            // What is denied is not looked at.
            let Ok(listed) = demo.cluster.list(kind.clone(), Scope::All).await else { continue };
            for packed in listed {
                let mut live = packed.open(&facts.id).unwrap();
                for (part, counted) in [
                    ("metadata", "resourceVersion"),
                    ("metadata", "generation"),
                    ("status", "observedGeneration"),
                ] {
                    let part =
                        live.body.as_map_mut().and_then(|b| b.get_mut(part)).and_then(Value::as_map_mut);
                    part.map(|part| part.remove(counted));
                }
                let entry = |e: &ManagedEntry| {
                    format!("{} {:?} {:?} {:?}", e.manager, e.operation, e.subresource, e.fields)
                };
                let managed = live.managed.iter().flatten().map(entry).collect();
                contents.insert(live.id, (live.body, managed));
            }
        }
    }
    contents
}

#[tokio::test]
async fn the_clusters_answer_exact_checks_and_agree_with_the_comparison_here() {
    let mut judged = judged().await;
    let before = judged.resources.clone();
    let ids: Vec<DeploymentId> = judged.deployments.keys().cloned().collect();
    let (mut told, cancel) = (Vec::new(), CancellationToken::new());
    for id in ids {
        let mut progress = |_, _| {};
        let checking = judged.handle.check_exactly(id, Vec::new(), &cancel, &mut progress);
        tokio::pin!(checking);
        loop {
            tokio::select! {
                checked = &mut checking => {
                    assert_eq!(checked.unwrap().silent, BTreeMap::new());
                    break;
                }
                Some(update) = judged.updates.recv() => told.push(update),
            }
        }
    }
    while let Ok(update) = judged.updates.try_recv() {
        told.push(update);
    }
    for update in told {
        judged.take(update);
    }
    let asked = |status: &&ResourceStatus| crate::action::exact::is_about(status.verdict());
    for status in judged.resources.values().filter(asked) {
        let exact = status.judgement.exact.as_ref();
        let exact = exact.unwrap_or_else(|| panic!("{} has no exact verdict", status.id));
        assert_eq!(exact.disagreements, [], "{}", status.id);
        let local = &before[&(status.deployment.clone(), status.id.clone())];
        assert_eq!(status.verdict(), local.verdict(), "{}", status.id);
    }
}
