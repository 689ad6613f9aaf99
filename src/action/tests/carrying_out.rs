//! How a plan is carried out.

use super::{World, config, deployment};
use crate::action::journal::close_abandoned;
use crate::action::{ExecuteError, confirm};
use crate::cluster::{Cluster, ClusterError, LogOf, Part, WatchEvent, Write, Writer};
use crate::model::{
    ClusterFacts, GroupVersionKind, LiveObject, Packed, Schema, Scope, Selector, ServedKind, StepOutcome,
    Timestamp,
};
use crate::value;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use std::sync::{Arc, Mutex};

/// What happens to writes on their way.
type Fault = Arc<dyn Fn(&Write) -> Fate + Send + Sync>;

enum Fate {
    Passes,
    /// The answer is an error, and the server has not heard of it.
    Fails(ClusterError),
    /// The server acts, and the answer is lost.
    LosesAnswer,
}

/// An offline cluster with something in its way.
struct Faulty {
    world: crate::cluster::offline::Offline,
    fault: Fault,
    writes: Mutex<usize>,
    /// Happens before each dry run.
    on_dry_run: Box<dyn Fn() + Send + Sync>,
}

impl Faulty {
    fn new(world: &World, fault: impl Fn(&Write) -> Fate + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            world: world.cluster.clone(),
            fault: Arc::new(fault),
            writes: Mutex::new(0),
            on_dry_run: Box::new(|| {}),
        })
    }
}

struct FaultyWriter(Arc<dyn Writer>, Fault);

impl Writer for FaultyWriter {
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Option<LiveObject>, ClusterError>> {
        Box::pin(async move {
            match (self.1)(&write) {
                Fate::Passes => self.0.write(write).await,
                Fate::Fails(error) => Err(error),
                Fate::LosesAnswer => {
                    self.0.write(write).await?;
                    Err(lost())
                }
            }
        })
    }
}

fn lost() -> ClusterError {
    ClusterError::Lost { reason: "connection reset".into() }
}

impl Cluster for Faulty {
    fn name(&self) -> &str {
        self.world.name()
    }
    fn facts(&self) -> BoxFuture<'_, Result<Arc<ClusterFacts>, ClusterError>> {
        self.world.facts()
    }
    fn schema(&self, kinds: Vec<GroupVersionKind>) -> BoxFuture<'_, Result<Arc<Schema>, ClusterError>> {
        self.world.schema(kinds)
    }
    fn list(&self, kind: ServedKind, scope: Scope) -> BoxFuture<'_, Result<Vec<Packed>, ClusterError>> {
        self.world.list(kind, scope)
    }
    fn list_part(
        &self,
        kind: ServedKind,
        scope: Scope,
        labels: Option<Selector>,
        most: u32,
    ) -> BoxFuture<'_, Result<Part, ClusterError>> {
        self.world.list_part(kind, scope, labels, most)
    }
    fn log(&self, of: LogOf) -> BoxFuture<'_, Result<String, ClusterError>> {
        self.world.log(of)
    }
    fn list_metadata(
        &self,
        kind: ServedKind,
        scope: Scope,
    ) -> BoxFuture<'_, Result<Vec<LiveObject>, ClusterError>> {
        self.world.list_metadata(kind, scope)
    }
    fn watch(&self, kind: ServedKind, scope: Scope) -> BoxStream<'static, WatchEvent> {
        self.world.watch(kind, scope)
    }
    fn get(
        &self,
        kind: ServedKind,
        namespace: Option<String>,
        name: String,
    ) -> BoxFuture<'_, Result<Option<LiveObject>, ClusterError>> {
        self.world.get(kind, namespace, name)
    }
    fn confirm(&self) -> BoxFuture<'_, Result<(), ClusterError>> {
        self.world.confirm()
    }
    fn may(
        &self,
        verb: &'static str,
        kind: ServedKind,
        scope: Scope,
    ) -> BoxFuture<'_, Result<bool, ClusterError>> {
        self.world.may(verb, kind, scope)
    }
    fn dry_run(&self, write: Write) -> BoxFuture<'_, Result<Option<LiveObject>, ClusterError>> {
        (self.on_dry_run)();
        self.world.dry_run(write)
    }
    fn writer(&self) -> Option<Arc<dyn Writer>> {
        *self.writes.lock().unwrap() += 1;
        let writer = self.world.writer()?;
        Some(Arc::new(FaultyWriter(writer, self.fault.clone())))
    }
}

/// Two drifted ConfigMaps.
fn drifted() -> World {
    let mut world = World::new();
    world.client_side(config("a", &value!({"k": "1"}))).client_side(config("b", &value!({"k": "1"})));
    world.edit("ConfigMap/a", value!({"data": {"k": "2"}}), "kubectl-edit");
    world.edit("ConfigMap/b", value!({"data": {"k": "2"}}), "kubectl-edit");
    world
}

async fn values(world: &World) -> Vec<String> {
    let mut values = Vec::new();
    for name in ["a", "b"] {
        let live = world.live(&format!("ConfigMap/{name}")).await.unwrap();
        values.push(live.body.str_at(&["data", "k"]).unwrap().to_owned());
    }
    values
}

fn words(plan: &crate::model::Plan) -> Vec<&'static str> {
    plan.steps.iter().map(|s| s.outcome.word()).collect()
}

#[tokio::test]
async fn a_status_that_moves_all_the_time_spoils_nothing() {
    let mut world = World::new();
    world.client_side(deployment("api", 1, "a:1"));
    world.edit("Deployment/api", value!({"spec": {"replicas": 3}}), "kubectl-edit");
    let plan = world.plan().await.unwrap();
    for n in 0..10 {
        world.edit_status(
            "Deployment/api",
            value!({"metadata": {"annotations": {"deployment.kubernetes.io/revision": n.to_string()}}, "status": {"replicas": n}}),
        );
    }
    assert_eq!(words(&world.execute(plan).await.unwrap()), ["applied"]);
}

#[tokio::test]
async fn an_object_that_was_edited_deleted_or_recreated_since_the_plan_lets_nothing_be_written() {
    for what in ["edited", "deleted", "recreated"] {
        let mut world = drifted();
        let plan = world.plan().await.unwrap();
        match what {
            "edited" => world.edit("ConfigMap/b", value!({"data": {"other": "3"}}), "kubectl-edit"),
            "deleted" => world.delete("ConfigMap/b"),
            _ => {
                world.delete("ConfigMap/b");
                world.client_side(config("b", &value!({"k": "2"})));
            }
        }
        let error = world.execute(plan).await.unwrap_err();
        assert!(matches!(&error, ExecuteError::Moved { moved } if moved.len() == 1), "{what}: {error}");
        let live = world.live("ConfigMap/a").await.unwrap();
        assert_eq!(live.body.str_at(&["data", "k"]), Some("2"), "{what}: nothing was written");
        assert_eq!(world.journal().entries().unwrap(), []);
    }
}

#[tokio::test]
async fn a_context_that_leads_to_another_cluster_is_refused() {
    let world = drifted();
    let plan = world.plan().await.unwrap();
    let other = World::new();
    assert!(matches!(
        world.execute_on(&crate_elsewhere(&other), plan).await,
        Err(ExecuteError::OtherCluster { .. })
    ));
    assert_eq!(values(&world).await, ["2", "2"]);
}

fn crate_elsewhere(_: &World) -> crate::cluster::offline::Offline {
    let clock: crate::cluster::offline::Clock = Arc::new(|| Timestamp::from_second(1_700_000_000).unwrap());
    crate::cluster::offline::Offline::builder("prod", clock)
        .id(crate::model::ClusterId("elsewhere".into()))
        .build()
}

#[tokio::test]
async fn a_lost_answer_is_read_back_either_way() {
    let world = drifted();
    let faulty = Faulty::new(&world, |write| {
        let resource = write.resource(&crate::model::ClusterId("c".into()));
        if resource.name.as_deref() == Some("a") { Fate::LosesAnswer } else { Fate::Fails(lost()) }
    });
    let plan = world.execute_on(&*faulty, world.plan().await.unwrap()).await.unwrap();
    assert_eq!(words(&plan), ["applied", "failed"]);
    assert_eq!(
        plan.steps[0].note.as_deref(),
        Some("the answer was lost; reading back shows that it was done")
    );
    assert_eq!(values(&world).await, ["1", "2"]);
    let entries = world.journal().entries().unwrap();
    assert_eq!((entries.len(), entries[0].outcome.as_str()), (1, "failed"));
    assert_eq!(world.sync().await, ["applied"], "the next sync continues");
}

#[tokio::test]
async fn a_conflict_is_tried_again_and_three_times_at_most() {
    let conflict =
        || ClusterError::Conflict { resource: "a".into(), reason: "moved".into(), managers: vec![] };
    for (conflicts, outcome) in [(3, "applied"), (4, "refused")] {
        let world = drifted();
        let left = Mutex::new(conflicts);
        let faulty = Faulty::new(&world, move |write| {
            let resource = write.resource(&crate::model::ClusterId("c".into()));
            let mut left = left.lock().unwrap();
            if resource.name.as_deref() == Some("a") && *left > 0 {
                *left -= 1;
                Fate::Fails(conflict())
            } else {
                Fate::Passes
            }
        });
        let plan = world.execute_on(&*faulty, world.plan().await.unwrap()).await.unwrap();
        assert_eq!(words(&plan), [outcome, "applied"], "{conflicts} conflicts");
    }
}

#[tokio::test]
async fn one_denied_object_does_not_stop_the_others() {
    let world = drifted();
    let faulty = Faulty::new(&world, |write| {
        let resource = write.resource(&crate::model::ClusterId("c".into()));
        if resource.name.as_deref() == Some("a") {
            Fate::Fails(ClusterError::Denied {
                verb: "patch".into(),
                resource: "configmaps".into(),
                namespace: Some("shop".into()),
                reason: "forbidden".into(),
            })
        } else {
            Fate::Passes
        }
    });
    let plan = world.execute_on(&*faulty, world.plan().await.unwrap()).await.unwrap();
    assert_eq!(words(&plan), ["failed", "applied"]);
    let StepOutcome::Failed(notice) = &plan.steps[0].outcome else { panic!("not failed") };
    assert_eq!(notice.title, "patch ConfigMap/shop/a: not done");
    assert_eq!(notice.hint.as_deref(), Some("ask for the right to patch configmaps"));
}

#[tokio::test]
async fn without_a_place_for_the_intent_nothing_is_written() {
    let world = drifted();
    std::fs::write(world.home.path().join("state"), "a file where the folder should be").unwrap();
    let error = world.execute(world.plan().await.unwrap()).await.unwrap_err();
    assert!(matches!(error, ExecuteError::Journal(_)), "{error}");
    assert_eq!(values(&world).await, ["2", "2"]);
}

/// Takes the journal's folder away, as a full disk does with the rest of it.
fn lose_journal(home: &std::path::Path) {
    let state = home.join("state");
    if state.is_dir() {
        std::fs::remove_dir_all(&state).unwrap();
        std::fs::write(state, "a file where the folder should be").unwrap();
    }
}

#[tokio::test]
async fn a_journal_that_fails_before_or_after_the_first_write_loses_no_outcome() {
    for (before, outcomes, live) in
        [(true, ["failed", "skipped"], ["2", "2"]), (false, ["applied", "skipped"], ["1", "2"])]
    {
        let world = drifted();
        let plan = world.plan().await.unwrap();
        let (home, other) = (world.home.path().to_owned(), world.home.path().to_owned());
        let mut cluster = Faulty::new(&world, move |_| {
            lose_journal(&home);
            Fate::Passes
        });
        if before {
            Arc::get_mut(&mut cluster).unwrap().on_dry_run = Box::new(move || lose_journal(&other));
        }
        let done = world.execute_on(&*cluster, plan).await.unwrap();
        assert_eq!(words(&done), outcomes);
        assert_eq!(values(&world).await, live);
        let titles: Vec<_> = done.notices.iter().map(|notice| notice.title.as_str()).collect();
        assert_eq!(titles, ["the journal does not tell all that was done"]);
    }
}

#[tokio::test]
async fn a_protected_cluster_and_the_deletion_of_everything_want_a_name() {
    let mut world = drifted();
    world.protected = true;
    let plan = world.plan().await.unwrap();
    let error = world.execute(plan.clone()).await.unwrap_err();
    assert!(matches!(error, ExecuteError::NotConfirmed { .. }), "{error}");
    world.answers = vec!["prod".into()];
    assert_eq!(words(&world.execute(plan).await.unwrap()), ["applied", "applied"]);

    world.protected = false;
    world.options.prune = true;
    world.forget("ConfigMap/a").forget("ConfigMap/b");
    world.declare(config("never-there", &value!({})));
    let plan = world.plan().await.unwrap();
    assert!(!plan.deletes_everything(), "something is created");
    world.options.selection = crate::action::sync::Selection::Only(
        ["ConfigMap/a", "ConfigMap/b"].map(|only| only.parse().unwrap()).to_vec(),
    );
    let plan = world.plan().await.unwrap();
    assert_eq!(confirm::asks(&plan)[0].words, ["web"]);
}

#[tokio::test]
async fn the_journal_tells_what_was_done_by_whom_and_how_it_turned_out() {
    let world = drifted();
    world.sync().await;
    let entries = world.journal().entries().unwrap();
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!(
        (entry.user.as_deref(), entry.command.as_str(), entry.app.as_str(), entry.cluster.as_str()),
        (Some("ana"), "sync", "web", "prod")
    );
    assert_eq!(entry.outcome, "applied");
    assert_eq!(entry.plan["headless"], "driftdeck sync web --context prod");
    let step = &entry.plan["steps"][0];
    assert_eq!(step["outcome"], "applied");
    assert_ne!(step["before"], step["after"]);
    assert_eq!(std::fs::read_dir(world.home.path().join("state/intents")).unwrap().count(), 0);
}

#[tokio::test]
async fn what_a_killed_run_left_behind_is_read_back_and_closed() {
    for done in [false, true] {
        let world = drifted();
        let plan = world.plan().await.unwrap();
        let facts = world.cluster.facts().await.unwrap();
        let now = Timestamp::from_second(1_700_003_000).unwrap();
        // As a run that is killed after its first intent, before or after the server acted.
        let action = world
            .journal()
            .begin(crate::action::journal::entry(&plan, Some("ana".into()), None, now))
            .unwrap();
        let live = world.live("ConfigMap/a").await;
        let kind = world.cluster.served(&plan.steps[0].kind).unwrap();
        let dry = crate::action::write::write(
            &plan.steps[0],
            &kind,
            live.as_ref(),
            crate::action::write::Pin::Object,
        )
        .unwrap();
        let after = world.cluster.dry_run(dry.clone()).await.unwrap();
        action
            .intend(&crate::action::journal::intent(0, &plan.steps[0], now, live.as_ref(), after.as_ref()))
            .unwrap();
        if done {
            world.act(&dry);
        }
        drop(action);
        let closed = close_abandoned(&world.journal(), &world.cluster, &facts, now).await.unwrap();
        let outcome = |at: usize| closed[0].plan["steps"][at]["outcome"].as_str().unwrap().to_owned();
        assert_eq!(
            (outcome(0).as_str(), outcome(1).as_str()),
            (if done { "applied" } else { "failed" }, "cancelled")
        );
        assert_eq!(world.journal().entries().unwrap(), closed);
        let again = close_abandoned(&world.journal(), &world.cluster, &facts, now).await.unwrap();
        assert_eq!(again, [], "once is enough");
    }
}

#[tokio::test]
async fn a_running_action_is_not_taken_for_an_abandoned_one() {
    let world = drifted();
    let plan = world.plan().await.unwrap();
    let now = Timestamp::from_second(1_700_003_000).unwrap();
    let running = world.journal().begin(crate::action::journal::entry(&plan, None, None, now)).unwrap();
    let facts = world.cluster.facts().await.unwrap();
    assert_eq!(close_abandoned(&world.journal(), &world.cluster, &facts, now).await.unwrap(), []);
    drop(running);
}

#[tokio::test]
async fn a_secrets_value_is_written_in_base64_and_stays_out_of_the_journal() {
    let mut world = World::new();
    let secret = |field: &str, text: &str| value!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}, field: {"p": text}});
    world.client_side(secret("data", "b25l"));
    world.declare(secret("stringData", "canary-two"));
    assert_eq!(world.sync().await, ["applied"]);
    assert_eq!(world.sync().await, Vec::<&str>::new());
    let live = world.live("Secret/s").await.unwrap();
    let wanted = crate::model::Value::Sealed(crate::model::Sealed::text("canary-two".into()));
    assert_eq!(live.body.at(&["data", "p"]), Some(&wanted));
    let text = std::fs::read_to_string(world.home.path().join("state/journal.jsonl")).unwrap();
    assert!(!text.contains("canary") && !text.contains("Y2FuYXJ5"), "{text}");
}

#[tokio::test]
async fn an_engines_marks_that_git_does_not_declare_stay_on_what_is_applied_in_its_name() {
    let mut world = World::new();
    let mut marked = deployment("api", 2, "a:1");
    let marks =
        value!({"kustomize.toolkit.fluxcd.io/name": "api", "kustomize.toolkit.fluxcd.io/namespace": "flux"});
    let metadata = marked.as_map_mut().unwrap().get_mut("metadata").unwrap().as_map_mut().unwrap();
    metadata.insert("labels".into(), marks.clone());
    world.server_side(marked, "kustomize-controller").declare(deployment("api", 3, "a:1"));
    assert_eq!(world.sync().await, ["applied"]);
    let live = world.live("Deployment/api").await.unwrap();
    assert_eq!(live.body.at(&["spec", "replicas"]), Some(&value!(3)));
    assert!(marks.as_map().unwrap().iter().all(|(key, name)| live.label(key) == name.as_str()));
}
