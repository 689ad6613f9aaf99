//! What undoes a sync, against what the cluster holds by then.

use super::{World, config, deployment, said};
use crate::action::confirm;
use crate::action::undo::{self, Inputs, UndoError, find};
use crate::model::{Plan, StepOutcome, Timestamp, Value};
use crate::value;

/// A world whose sync changes, creates and deletes: a Deployment and a ConfigMap that were edited, one that is missing,
/// and one that Git does not declare any more.
fn world() -> World {
    let mut world = World::new();
    world.client_side(deployment("web", 2, "web:1"));
    world.server_side(config("flags", &value!({"a": "1", "b": "1"})), "deployer");
    world.client_side(config("old", &value!({"k": "1"})));
    world.forget("ConfigMap/old");
    world.declare(config("new", &value!({"k": "1"})));
    world.edit("Deployment/web", value!({"spec": {"replicas": 5}}), "kubectl-edit");
    world.edit("ConfigMap/flags", value!({"data": {"a": "2", "b": "2"}}), "kubectl-edit");
    world.options.prune = true;
    world
}

impl World {
    /// Plans the undo of the last action, as a new minute has begun.
    async fn undo(&self) -> Plan {
        self.plan_undo(1_700_003_000).await.unwrap()
    }

    async fn plan_undo(&self, second: i64) -> Result<Plan, UndoError> {
        let journal = self.journal();
        let entries = journal.entries().unwrap();
        let inputs = Inputs {
            cluster: &self.cluster,
            journal: &journal,
            entry: entries.last().unwrap(),
            protected: self.protected,
            now: Timestamp::from_second(second).unwrap(),
        };
        undo::plan(&inputs).await.map(|planned| planned.plan)
    }

    async fn data(&self, object: &str) -> Option<Value> {
        self.live(object).await.and_then(|live| live.body.get("data").cloned())
    }

    async fn replicas(&self) -> Option<i64> {
        self.live("Deployment/web").await.and_then(|live| live.body.at(&["spec", "replicas"])?.as_i64())
    }
}

fn outcomes(plan: &Plan) -> Vec<&'static str> {
    plan.steps.iter().map(|step| step.outcome.word()).collect()
}

#[tokio::test]
async fn what_a_sync_changed_created_and_deleted_is_brought_back_and_undoing_that_too() {
    let mut world = world();
    assert_eq!(world.sync().await, ["applied"; 4]);
    let synced = world.plan().await.unwrap();
    assert!(synced.steps.is_empty(), "{:?}", said(&synced));

    world.answers = vec!["web".into()];
    let plan = world.undo().await;
    assert_eq!(
        said(&plan),
        [
            "x create ConfigMap/shop/old as driftdeck-undo: .",
            "x patch Deployment.apps/shop/web as driftdeck-undo: .spec.replicas",
            "x delete ConfigMap/shop/new as driftdeck-undo: .",
            "x patch ConfigMap/shop/flags as driftdeck-undo: .data.a .data.b",
        ]
    );
    assert_eq!(plan.steps[1].note.as_deref(), Some("scales from 2 to 5"));
    assert!(plan.will_not.is_empty(), "{:?}", plan.will_not);
    assert!(plan.remarks.iter().any(|said| said.starts_with("Git still declares")), "{:?}", plan.remarks);
    assert!(plan.headless.ends_with("--context prod --confirm web"), "{}", plan.headless);
    assert_eq!(outcomes(&world.execute(plan).await.unwrap()), ["applied"; 4]);
    assert_eq!(world.replicas().await, Some(5));
    assert_eq!(world.data("ConfigMap/flags").await, Some(value!({"a": "2", "b": "2"})));
    assert_eq!(world.data("ConfigMap/old").await, Some(value!({"k": "1"})));
    assert_eq!(world.data("ConfigMap/new").await, None);

    let again = world.plan_undo(1_700_004_000).await.unwrap();
    assert!(!again.remarks.iter().any(|said| said.starts_with("Git still declares")), "{:?}", again.remarks);
    assert_eq!(outcomes(&world.execute(again).await.unwrap()), ["applied"; 4]);
    let synced = world.plan().await.unwrap();
    assert!(synced.steps.is_empty(), "all is as Git declares it again: {:?}", said(&synced));
}

#[tokio::test]
async fn what_kubectl_recorded_as_applied_becomes_what_it_was_too() {
    let mut world = World::new();
    world.client_side(config("flags", &value!({"a": "1", "gone": "1"})));
    world.declare(config("flags", &value!({"a": "1"})));
    let before = world.live("ConfigMap/flags").await.unwrap();
    assert!(world.sync().await.contains(&"applied"));
    assert_eq!(world.data("ConfigMap/flags").await, Some(value!({"a": "1"})));
    let plan = world.undo().await;
    assert_eq!(said(&plan), ["x patch ConfigMap/shop/flags as driftdeck-undo: .data.gone"]);
    world.execute(plan).await.unwrap();
    let after = world.live("ConfigMap/flags").await.unwrap();
    assert_eq!(
        (&after.body.get("data"), &after.last_applied),
        (&before.body.get("data"), &before.last_applied)
    );
}

/// What is done to a world after its sync, and what the undo says then of the object.
type Since = (&'static str, fn(&World), &'static [&'static str], &'static [&'static str]);

#[tokio::test]
async fn what_somebody_has_changed_since_is_left_alone_and_said() {
    let table: &[Since] = &[
        (
            "one of two fields",
            |world| world.edit("ConfigMap/flags", value!({"data": {"a": "3"}}), "ana"),
            &["x patch ConfigMap/shop/flags as driftdeck-undo: .data.b"],
            &["put back .data.a of ConfigMap/shop/flags: it was changed since; ana wrote it last"],
        ),
        (
            "a field that the sync did not change",
            |world| world.edit("ConfigMap/flags", value!({"data": {"c": "3"}}), "ana"),
            &["x patch ConfigMap/shop/flags as driftdeck-undo: .data.a .data.b"],
            &[],
        ),
        (
            "a field is gone",
            |world| world.edit("ConfigMap/flags", value!({"data": {"a": null}}), "ana"),
            &["x patch ConfigMap/shop/flags as driftdeck-undo: .data.b"],
            &["put back .data.a of ConfigMap/shop/flags: it was changed since"],
        ),
        (
            "back by hand",
            |world| world.edit("ConfigMap/flags", value!({"data": {"a": "2", "b": "2"}}), "ana"),
            &[],
            &[],
        ),
        (
            "deleted",
            |world| world.delete("ConfigMap/flags"),
            &[],
            &["undo ConfigMap/shop/flags: it was deleted since"],
        ),
        (
            "another one by the name",
            |world| {
                world.delete("ConfigMap/flags");
                let kind = crate::model::GroupVersionKind::new("", "v1", "ConfigMap");
                world.act(&crate::cluster::Write::Create {
                    kind: world.cluster.served(&kind).unwrap(),
                    namespace: Some("shop".into()),
                    body: config("flags", &value!({"a": "1", "b": "1"})),
                    manager: "ana".into(),
                });
            },
            &[],
            &["undo ConfigMap/shop/flags: it was deleted and created anew since"],
        ),
    ];
    for (what, since, steps, will_not) in table {
        let mut world = World::new();
        world.server_side(config("flags", &value!({"a": "1", "b": "1"})), "deployer");
        world.edit("ConfigMap/flags", value!({"data": {"a": "2", "b": "2"}}), "kubectl-edit");
        assert_eq!(world.sync().await, ["applied"]);
        since(&world);
        let plan = world.undo().await;
        assert_eq!(said(&plan), *steps, "{what}");
        assert_eq!(plan.will_not, *will_not, "{what}");
    }
}

#[tokio::test]
async fn what_was_created_is_deleted_only_if_it_is_still_that_and_what_was_deleted_created_only_if_it_is_gone()
 {
    let create = |world: &World, name: &str| {
        let kind = crate::model::GroupVersionKind::new("", "v1", "ConfigMap");
        world.act(&crate::cluster::Write::Create {
            kind: world.cluster.served(&kind).unwrap(),
            namespace: Some("shop".into()),
            body: config(name, &value!({"mine": "1"})),
            manager: "ana".into(),
        });
    };
    let mut world = World::new();
    world.declare(config("new", &value!({"k": "1"}))).declare(config("edited", &value!({"k": "1"})));
    world.declare(config("gone", &value!({"k": "1"})));
    world.client_side(config("old", &value!({"k": "1"}))).forget("ConfigMap/old");
    world.options.prune = true;
    assert_eq!(world.sync().await, ["applied"; 4]);
    world.delete("ConfigMap/new");
    create(&world, "new");
    create(&world, "old");
    world.delete("ConfigMap/gone");
    world.edit("ConfigMap/edited", value!({"data": {"k": "2"}}), "ana");
    let plan = world.undo().await;
    assert_eq!(said(&plan), ["x delete ConfigMap/shop/edited as driftdeck-undo: ."]);
    assert_eq!(plan.steps[0].note.as_deref(), Some("it was changed since it was created"));
    assert_eq!(
        plan.will_not,
        [
            "create ConfigMap/shop/old: somebody has created it again since",
            "delete ConfigMap/shop/new: it is another one than was created then",
        ]
    );
    assert!(plan.remarks.contains(&"ConfigMap/shop/gone: what was created is gone already".to_owned()));
    let asks = confirm::asks(&plan);
    assert_eq!((asks.len(), asks[0].why.as_str()), (1, "deletes 1 object of web that it created"));
    assert!(matches!(world.execute(plan).await, Err(crate::action::ExecuteError::NotConfirmed { .. })));
}

#[tokio::test]
async fn what_cannot_be_undone_is_said_and_nothing_of_a_secret_is_stored() {
    let canary = "canary-77af";
    let mut world = World::new();
    let secret = |value: &str| value!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}, "stringData": {"p": value}});
    let env = |value: &str| {
        let mut app = deployment("web", 1, "web:1");
        let env = value!([{"name": "DB_PASSWORD", "value": value}]);
        let path =
            crate::model::FieldPath::parse(".spec.template.spec.containers[name=\"app\"].env").unwrap();
        let mut patcher = crate::action::patch::Patcher::of(app);
        patcher.set(&path, env);
        app = patcher.into_body();
        app
    };
    world.declare(secret(canary)).server_side(env(canary), "deployer");
    world.edit("Deployment/web", value!({"spec": {"replicas": 3}}), "kubectl-edit");
    for (api, kind) in [("batch/v1", "Job"), ("v1", "PersistentVolumeClaim")] {
        world.declare(value!({"apiVersion": api, "kind": kind, "metadata": {"name": "x", "namespace": "shop"}, "spec": {}}));
    }
    world.declare(value!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}}}]}}));
    assert_eq!(world.sync().await, ["applied"; 5]);
    let plan = world.undo().await;
    assert!(plan.steps.is_empty(), "{:?}", said(&plan));
    let mut will_not = plan.will_not.clone();
    will_not.sort();
    assert_eq!(
        will_not,
        [
            "undo CustomResourceDefinition.apiextensions.k8s.io/things.example.com: the objects of its kind would not come back, and could be lost with it",
            "undo Deployment.apps/shop/web: it held a value that looks like a secret, and such objects are not stored",
            "undo Job.batch/shop/x: what it ran cannot be undone",
            "undo PersistentVolumeClaim/shop/x: its data would not come back, and could be lost with it",
            "undo Secret/shop/s: Secrets are never stored",
        ]
    );
    let folder = world.home.path().join("state/before");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 5);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains(canary) && !text.contains("Y2FuYXJ5"), "{text}");
    }
    // What nobody kept, or what is too old, is said too.
    std::fs::remove_dir_all(folder).unwrap();
    let plan = world.undo().await;
    let gone = |line: &&String| line.contains("is not stored any more");
    assert_eq!(plan.will_not.iter().filter(gone).count(), 1, "{:?}", plan.will_not);
}

#[tokio::test]
async fn a_store_that_cannot_be_written_lets_the_sync_go_on_and_its_outcome_say_so() {
    let mut world = World::new();
    world.server_side(config("flags", &value!({"a": "1"})), "deployer");
    world.edit("ConfigMap/flags", value!({"data": {"a": "2"}}), "kubectl-edit");
    std::fs::create_dir_all(world.home.path().join("state")).unwrap();
    std::fs::write(world.home.path().join("state/before"), "in the way").unwrap();
    let done = world.execute(world.plan().await.unwrap()).await.unwrap();
    assert_eq!(done.steps[0].outcome, StepOutcome::Applied);
    let note = done.steps[0].note.clone().unwrap_or_default();
    assert_eq!(note.matches("it cannot be undone: what it was could not be stored").count(), 1, "{note}");
    let plan = world.undo().await;
    assert_eq!(plan.will_not.len(), 1, "{:?}", plan.will_not);
}

#[tokio::test]
async fn a_field_that_moves_between_the_plan_and_the_write_lets_nothing_be_written() {
    let mut world = World::new();
    world.server_side(config("flags", &value!({"a": "1"})), "deployer");
    world.edit("ConfigMap/flags", value!({"data": {"a": "2"}}), "kubectl-edit");
    assert_eq!(world.sync().await, ["applied"]);
    let plan = world.undo().await;
    world.edit("ConfigMap/flags", value!({"data": {"a": "3"}}), "ana");
    let refused = world.execute(plan).await.unwrap_err();
    assert!(refused.is_moved(), "{refused}");
    assert_eq!(world.data("ConfigMap/flags").await, Some(value!({"a": "3"})));
}

#[tokio::test]
async fn an_action_is_found_by_its_id_or_its_beginning_and_else_the_last_ones_are_named() {
    let mut world = World::new();
    world.server_side(config("flags", &value!({"a": "1"})), "deployer");
    for value in ["2", "3"] {
        world.edit("ConfigMap/flags", value!({"data": {"a": value}}), "kubectl-edit");
        assert_eq!(world.sync().await, ["applied"]);
    }
    let entries = world.journal().entries().unwrap();
    let (one, two) = (&entries[0].id, &entries[1].id);
    assert_eq!(&find(&entries, one).unwrap().id, one);
    let beginning = &two[..two.len() - 1];
    assert_eq!(&find(&entries, beginning).unwrap().id, two);
    let Err(UndoError::Ambiguous { begin, .. }) = find(&entries, "2023") else { panic!() };
    assert_eq!(
        begin,
        [format!("{two} (sync web on prod, applied)"), format!("{one} (sync web on prod, applied)")]
    );
    for asked in ["", "nowhere"] {
        let Err(error @ UndoError::NoSuch { .. }) = find(&entries, asked) else { panic!() };
        assert!(error.hint().unwrap().contains(two.as_str()), "{:?}", error.hint());
    }
    assert_eq!(find(&[], "x").unwrap_err().hint().unwrap(), "the journal is empty");
}
