//! What a sync plans.

use super::{With as _, World, config, deployment, said};
use crate::action::patch::Patcher;
use crate::action::sync::PlanError;
use crate::drift::IgnoreRules;
use crate::model::{BuiltIns, FieldPath, Value};
use crate::value;

#[tokio::test]
async fn a_client_side_object_is_patched_as_kubectl_with_exactly_the_differences() {
    let mut world = World::new();
    world.client_side(deployment("api", 2, "a:1"));
    world.edit(
        "Deployment/api",
        value!({"metadata": {"labels": {"by": "hand"}}, "spec": {"replicas": 5}}),
        "kubectl-edit",
    );
    let plan = world.plan().await.unwrap();
    assert_eq!(
        said(&plan),
        ["x patch Deployment.apps/shop/api as kubectl-client-side-apply: .metadata.labels.by .spec.replicas"]
    );
    let step = &plan.steps[0];
    assert_eq!(step.takes_over_from.iter().map(|w| w.manager.as_str()).collect::<Vec<_>>(), ["kubectl-edit"]);
    assert_eq!(step.note.as_deref(), Some("scales from 5 to 2"));
    assert_eq!(plan.headless, "driftdeck sync web --context prod");
}

#[tokio::test]
async fn a_server_side_object_is_applied_and_what_people_added_is_a_patch_of_its_own() {
    let mut world = World::new();
    world.server_side(deployment("api", 2, "a:1"), "deployer");
    world.edit(
        "Deployment/api",
        value!({"metadata": {"labels": {"by": "hand"}}, "spec": {"template": {"spec": {"containers": [
            {"name": "app", "image": "a:hot", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}}}}),
        "kubectl-edit",
    );
    let plan = world.plan().await.unwrap();
    assert_eq!(
        said(&plan),
        [
            r#"x apply Deployment.apps/shop/api as deployer: .spec.template.spec.containers[name="app"].image"#,
            "x patch Deployment.apps/shop/api as deployer: .metadata.labels.by",
        ]
    );
    assert_eq!(plan.steps[0].note.as_deref(), Some("template changes: a rollout of 2 replicas follows"));
    assert_eq!(world.sync().await, ["applied", "applied"]);
    assert_eq!(said(&world.plan().await.unwrap()), Vec::<String>::new());
}

#[tokio::test]
async fn an_empty_part_that_somebody_took_away_is_planned_and_brought_back() {
    for server_side in [false, true] {
        let mut world = World::new();
        let spread = |selector: Value| {
            let constraint =
                value!({"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"});
            Value::List(vec![constraint.with("labelSelector", selector)])
        };
        let at = FieldPath::fields(&["spec", "template", "spec", "topologySpreadConstraints"]);
        let mut declared = Patcher::of(deployment("api", 2, "a:1"));
        declared.set(&at, spread(value!({})));
        let declared = declared.into_body();
        if server_side {
            world.server_side(declared, "deployer");
        } else {
            world.client_side(declared);
        }
        assert_eq!(said(&world.plan().await.unwrap()), Vec::<String>::new());
        let mut taken = Patcher::of(value!({}));
        taken.set(&at, spread(Value::Null));
        world.edit("Deployment/api", taken.into_body(), "kubectl-edit");
        let (action, manager) =
            if server_side { ("apply", "deployer") } else { ("patch", "kubectl-client-side-apply") };
        let item = r#"[topologyKey="zone",whenUnsatisfiable="DoNotSchedule"]"#;
        let path = format!("{at}{item}.labelSelector");
        assert_eq!(
            said(&world.plan().await.unwrap()),
            [format!("x {action} Deployment.apps/shop/api as {manager}: {path}")]
        );
        assert_eq!(world.sync().await, ["applied"]);
        assert_eq!(said(&world.plan().await.unwrap()), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_hidden_field_that_git_has_moved_on_is_left_as_the_deployer_applied_it() {
    for server_side in [false, true] {
        let mut world = World::new();
        if server_side {
            world.server_side(deployment("api", 2, "a:1"), "deployer");
        } else {
            world.client_side(deployment("api", 2, "a:1"));
        }
        world.declare(deployment("api", 2, "a:2"));
        let text = b"ignore:\n- {kind: Deployment, fields: '.spec.template.spec.containers[*].image'}\n";
        let (rules, mistakes) = crate::config::ignore::read_repository_file(text, "rules.yaml");
        assert_eq!(mistakes, []);
        world.rules = IgnoreRules::new(rules, None, BuiltIns::ALL);
        world.edit("Deployment/api", value!({"spec": {"replicas": 5}}), "kubectl-edit");
        let image = r#".spec.template.spec.containers[name="app"].image"#;
        let left = format!("write {image} of Deployment.apps/shop/api: ignored by rules.yaml:2");
        assert_eq!(world.plan().await.unwrap().will_not, [left]);
        assert_eq!(world.sync().await, ["applied"]);
        let live = world.live("Deployment/api").await.unwrap();
        let at = FieldPath::parse(r#".spec.template.spec.containers[name="app"].image"#).unwrap();
        let image = crate::model::field::at(&live.body, &at).and_then(Value::as_str);
        assert_eq!((image, live.body.at(&["spec", "replicas"])), (Some("a:1"), Some(&value!(2))));
        if server_side {
            let entry = live.managed.iter().flatten().find(|entry| entry.manager == "deployer").unwrap();
            assert!(entry.fields.owns(&at), "it is the deployer's still");
        }
    }
}

/// A Deployment with init containers of these names.
fn with_inits(names: &[&str]) -> Value {
    let mut declared = deployment("api", 2, "a:1");
    let spec = ["spec", "template", "spec"]
        .iter()
        .fold(&mut declared, |at, field| at.as_map_mut().unwrap().get_mut(*field).unwrap());
    spec.as_map_mut().unwrap().insert("initContainers".to_owned(), inits(names));
    declared
}

fn inits(names: &[&str]) -> Value {
    Value::List(names.iter().map(|name| value!({"name": *name, "image": "i"})).collect())
}

/// What makes these the init containers.
fn to_inits(names: &[&str]) -> Value {
    let spec = value!({}).with("initContainers", inits(names));
    value!({}).with("spec", value!({}).with("template", value!({}).with("spec", spec)))
}

async fn names_of_inits(world: &World) -> Vec<String> {
    let live = world.live("Deployment/api").await.unwrap();
    let list = live.body.at(&["spec", "template", "spec", "initContainers"]).unwrap().as_list().unwrap();
    list.iter().filter_map(|item| item.str_at(&["name"]).map(str::to_owned)).collect()
}

#[tokio::test]
async fn an_order_alone_is_put_right_whichever_way_an_object_is_deployed() {
    for server_side in [false, true] {
        let mut world = World::new();
        let declared = with_inits(&["one", "two"]);
        let does = if server_side {
            world.server_side(declared, "deployer");
            "apply Deployment.apps/shop/api as deployer"
        } else {
            world.client_side(declared);
            "patch Deployment.apps/shop/api as kubectl-client-side-apply"
        };
        world.edit("Deployment/api", to_inits(&["two", "one"]), "kubectl-edit");
        let plan = world.plan().await.unwrap();
        assert_eq!(said(&plan), [format!("x {does}: .spec.template.spec.initContainers")]);
        assert_eq!(plan.remarks, Vec::<String>::new());
        assert_eq!(plan.steps[0].changes[0].note.as_deref(), Some("another order"));
        assert_eq!(world.sync().await, ["applied"]);
        assert_eq!(names_of_inits(&world).await, ["one", "two"]);
        assert_eq!(said(&world.plan().await.unwrap()), Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_order_and_a_leftover_in_one_list_are_both_put_right_whether_or_not_the_leftover_goes() {
    for goes in [true, false] {
        let mut world = World::new();
        world.client_side(with_inits(&["one", "old", "two"]));
        world.declare(with_inits(&["two", "one"]));
        let mut plan = world.plan().await.unwrap();
        let patch = "x patch Deployment.apps/shop/api as kubectl-client-side-apply: ";
        let list = ".spec.template.spec.initContainers";
        assert_eq!(said(&plan), [format!(r#"{patch}{list}[name="old"]"#), format!("{patch}{list}")]);
        plan.tick(0, goes).unwrap();
        let done = world.execute(plan).await.unwrap();
        let outcomes: Vec<_> = done.steps.iter().map(|s| s.outcome.word()).collect();
        assert_eq!(outcomes, [if goes { "applied" } else { "skipped" }, "applied"], "{:?}", said(&done));
        let left: &[&str] = if goes { &["two", "one"] } else { &["two", "one", "old"] };
        assert_eq!(names_of_inits(&world).await, left);
    }
}

#[tokio::test]
async fn an_order_beside_another_change_keeps_what_others_added() {
    let mut world = World::new();
    world.client_side(with_inits(&["one", "two"]));
    world.edit("Deployment/api", to_inits(&["two", "one"]), "kubectl-edit");
    world.edit("Deployment/api", to_inits(&["two", "one", "injected"]), "argocd-controller");
    world.edit("Deployment/api", value!({"spec": {"replicas": 5}}), "kubectl-edit");
    assert_eq!(world.sync().await, ["applied"]);
    assert_eq!(names_of_inits(&world).await, ["one", "two", "injected"]);
    assert_eq!(said(&world.plan().await.unwrap()), Vec::<String>::new());
}

#[tokio::test]
async fn putting_an_order_right_keeps_what_others_added_and_converges() {
    let mut world = World::new();
    world.client_side(with_inits(&["one", "two", "three"]));
    world.edit("Deployment/api", to_inits(&["three", "one"]), "kubectl-edit");
    world.edit("Deployment/api", to_inits(&["three", "one", "injected"]), "argocd-controller");
    world.sync().await;
    assert_eq!(names_of_inits(&world).await, ["one", "two", "three", "injected"]);
    assert_eq!(said(&world.plan().await.unwrap()), Vec::<String>::new());
}

#[tokio::test]
async fn a_plan_names_everybody_from_whom_a_field_is_taken_over_and_nobody_else() {
    let mut world = World::new();
    world.server_side(config("c", &value!({"a": "1", "b": "1", "d": "1"})), "fleet");
    for other in ["one", "two"] {
        world.server_side(config("c", &value!({"a": "9"})), other);
    }
    world.server_side(config("c", &value!({"b": "1"})), "three");
    world.declare(config("c", &value!({"a": "1", "b": "1", "d": "1"})));
    let plan = world.plan().await.unwrap();
    assert_eq!(said(&plan), ["x apply ConfigMap/shop/c as fleet: .data.a"]);
    let mut from: Vec<_> = plan.steps[0].takes_over_from.iter().map(|w| w.manager.as_str()).collect();
    from.sort_unstable();
    assert_eq!(from, ["one", "two"]);
    assert_eq!(world.sync().await, ["applied"]);
    assert_eq!(said(&world.plan().await.unwrap()), Vec::<String>::new());
}

#[tokio::test]
async fn an_answer_to_a_tie_is_about_that_object_alone() {
    let mut world = World::new();
    for manager in ["one", "two"] {
        world.server_side(config("tied", &value!({"a": "1"})), manager);
    }
    world.client_side(config("other", &value!({"a": "1"})));
    world.declare(config("tied", &value!({"a": "2"}))).declare(config("other", &value!({"a": "2"})));
    let Err(PlanError::Tie { resource, managers }) = world.plan().await else { panic!("a plan") };
    assert_eq!(
        (resource.to_string().as_str(), managers),
        ("ConfigMap/shop/tied", vec!["one".into(), "two".into()])
    );
    world.options.deployers = vec![(resource.clone(), "two".into())];
    let plan = world.plan().await.unwrap();
    assert_eq!(
        said(&plan),
        [
            "x patch ConfigMap/shop/other as kubectl-client-side-apply: .data.a",
            "x apply ConfigMap/shop/tied as two: .data.a",
        ]
    );
    assert_eq!(plan.headless, "driftdeck sync web --context prod");
    world.options.selection = crate::action::sync::Selection::These(vec![resource]);
    let headless = world.plan().await.unwrap().headless;
    assert_eq!(headless, "driftdeck sync web --context prod --only ConfigMap/shop/tied --manager two");
}

#[tokio::test]
async fn a_leftover_of_client_side_apply_is_a_step_of_its_own_and_goes_from_last_applied() {
    let mut world = World::new();
    world.client_side(config("c", &value!({"a": "1", "b": "2"})));
    world.declare(config("c", &value!({"a": "2"})));
    let plan = world.plan().await.unwrap();
    assert_eq!(
        said(&plan),
        [
            "x patch ConfigMap/shop/c as kubectl-client-side-apply: .data.b",
            "x patch ConfigMap/shop/c as kubectl-client-side-apply: .data.a",
        ]
    );
    assert_eq!(world.sync().await, ["applied", "applied"]);
    let live = world.live("ConfigMap/c").await.unwrap();
    assert_eq!(live.body.get("data"), Some(&value!({"a": "2"})));
    assert_eq!(live.last_applied.unwrap().get("data"), Some(&value!({"a": "2"})));
}

#[tokio::test]
async fn a_leftover_that_another_manager_owns_too_stays_and_stays_a_leftover_for_every_deployer() {
    for server_side in [false, true] {
        let mut world = World::new();
        let (old, new) = (config("c", &value!({"a": "1", "b": "2"})), config("c", &value!({"a": "2"})));
        if server_side {
            world.server_side(old, "fleet");
        } else {
            world.client_side(old);
        }
        world.server_side(config("c", &value!({"b": "2"})), "someone");
        world.declare(new);
        let deployer = if server_side { "fleet" } else { "kubectl-client-side-apply" };
        let action = if server_side { "apply" } else { "patch" };
        let plan = world.plan().await.unwrap();
        assert_eq!(said(&plan), [format!("x {action} ConfigMap/shop/c as {deployer}: .data.a")]);
        let left = "remove .data.b of ConfigMap/shop/c: kept by someone";
        assert_eq!(plan.will_not, [left]);
        assert_eq!(world.sync().await, ["applied"]);
        let live = world.live("ConfigMap/c").await.unwrap();
        assert_eq!(live.body.get("data"), Some(&value!({"a": "2", "b": "2"})));
        let second = world.plan().await.unwrap();
        assert_eq!((said(&second), second.will_not.as_slice()), (Vec::new(), &[left.to_owned()][..]));
        if !server_side {
            let record = live.last_applied.unwrap();
            assert_eq!(record.get("data"), Some(&value!({"a": "2", "b": "2"})));
        }
    }
}

#[tokio::test]
async fn a_leftover_that_only_a_controller_owns_too_is_released_to_it() {
    let mut world = World::new();
    world.server_side(deployment("api", 2, "a:1"), "fleet");
    let write = value!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "api", "namespace": "shop"}, "spec": {"replicas": 2}});
    world.server_side(write, "kube-controller-manager");
    let mut declared = deployment("api", 2, "a:2");
    declared.as_map_mut().unwrap().get_mut("spec").unwrap().as_map_mut().unwrap().remove("replicas");
    world.declare(declared);
    assert_eq!(world.sync().await, ["applied"]);
    let live = world.live("Deployment/api").await.unwrap();
    assert_eq!(live.body.at(&["spec", "replicas"]), Some(&value!(2)));
    let replicas = FieldPath::fields(&["spec", "replicas"]);
    let owners = live.managed.iter().flatten().filter(|e| e.fields.owns(&replicas));
    assert_eq!(owners.map(|e| e.manager.as_str()).collect::<Vec<_>>(), ["kube-controller-manager"]);
    assert_eq!(said(&world.plan().await.unwrap()), Vec::<String>::new());
}

#[tokio::test]
async fn a_leftover_that_is_not_ticked_stays_on_record() {
    let mut world = World::new();
    world.client_side(config("c", &value!({"a": "1", "b": "2"})));
    world.declare(config("c", &value!({"a": "2"})));
    let mut plan = world.plan().await.unwrap();
    plan.tick(0, false).unwrap();
    world.execute(plan).await.unwrap();
    assert_eq!(
        said(&world.plan().await.unwrap()),
        ["x patch ConfigMap/shop/c as kubectl-client-side-apply: .data.b"]
    );
}

#[tokio::test]
async fn what_is_missing_is_created_as_the_others_are_deployed() {
    for server_side in [false, true] {
        let mut world = World::new();
        if server_side {
            world.server_side(config("c", &value!({"a": "1"})), "deployer");
        } else {
            world.client_side(config("c", &value!({"a": "1"})));
        }
        world.declare(deployment("api", 1, "a:1"));
        let plan = world.plan().await.unwrap();
        let manager = if server_side { "deployer" } else { "kubectl-client-side-apply" };
        assert_eq!(said(&plan), [format!("x create Deployment.apps/shop/api as {manager}: .")]);
        assert_eq!(world.sync().await, ["applied"]);
        let live = world.live("Deployment/api").await.unwrap();
        assert_eq!(live.last_applied.is_some(), !server_side);
        assert_eq!(live.managed.unwrap()[0].manager, manager);
        assert_eq!(said(&world.plan().await.unwrap()), Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_extra_is_deleted_only_if_it_is_ticked() {
    let mut world = World::new();
    world.client_side(config("c", &value!({"a": "1"}))).client_side(config("gone", &value!({"a": "1"})));
    world.forget("ConfigMap/gone");
    let plan = world.plan().await.unwrap();
    assert_eq!(said(&plan), ["- delete ConfigMap/shop/gone as driftdeck: ."]);
    assert_eq!(
        plan.will_not,
        ["delete ConfigMap/shop/gone: it is not in Git; --prune, or a tick in the deck, deletes it"]
    );
    assert_eq!(world.sync().await, ["skipped"]);
    assert!(world.live("ConfigMap/gone").await.is_some());
    world.options.prune = true;
    assert_eq!(world.sync().await, ["applied"]);
    assert!(world.live("ConfigMap/gone").await.is_none());
}

#[tokio::test]
async fn pruning_refuses_what_it_cannot_be_sure_of_and_says_which() {
    let mut world = World::new();
    world.client_side(config("gone", &value!({"a": "1"})));
    world.forget("ConfigMap/gone");
    world.options.prune = true;
    let why = |error: PlanError| match error {
        PlanError::NoPruning { why } => why,
        other => panic!("{other}"),
    };
    assert_eq!(why(world.plan().await.unwrap_err()), ["Git renders to nothing"]);
    world.client_side(config("c", &value!({"a": "1"})));
    world.incomplete = vec!["not allowed to list secrets in namespace shop".into()];
    assert_eq!(why(world.plan().await.unwrap_err()), world.incomplete);
    world.options.prune = false;
    let mut plan = world.plan().await.unwrap();
    assert!(plan.tick(0, true).is_err(), "nor can it be ticked by hand");
    world.incomplete.clear();
    world.options.prune = true;
    world.options.max_deletions = Some(0);
    assert!(matches!(world.plan().await, Err(PlanError::TooManyDeletions { planned: 1, limit: 0 })));
}

#[tokio::test]
async fn with_a_rule_that_cannot_be_read_nothing_is_planned() {
    let mut world = World::new();
    world.client_side(config("c", &value!({"a": "1"})));
    let mistake = ".driftdeck.yaml:3: feilds is no key".to_owned();
    world.rules = IgnoreRules::new(Vec::new(), None, BuiltIns::ALL).but(Some(mistake.clone()));
    let error = world.plan().await.unwrap_err();
    assert!(matches!(&error, PlanError::Rules { mistake: said } if *said == mistake), "{error}");
}

#[tokio::test]
async fn what_is_not_committed_or_not_pushed_needs_a_word() {
    let mut world = World::new();
    world.client_side(config("c", &value!({"a": "1"})));
    world.revision.dirty = true;
    assert!(matches!(world.plan().await, Err(PlanError::Dirty)));
    world.revision.dirty = false;
    world.revision.ahead = 2;
    assert!(matches!(world.plan().await, Err(PlanError::Unpushed { ahead: 2 })));
    world.options.dirty = true;
    assert!(world.plan().await.is_ok());
}

#[tokio::test]
async fn only_what_is_selected_is_planned() {
    let mut world = World::new();
    world.declare(config("a", &value!({"a": "1"}))).declare(config("b", &value!({"a": "1"})));
    world.options.selection = crate::action::sync::Selection::Only(vec!["ConfigMap/shop/b".parse().unwrap()]);
    assert_eq!(said(&world.plan().await.unwrap()), ["x create ConfigMap/shop/b as driftdeck: ."]);
    world.options.selection = crate::action::sync::Selection::Only(vec!["ConfigMap/c".parse().unwrap()]);
    assert!(matches!(world.plan().await, Err(PlanError::NothingCalled { .. })));
}

#[tokio::test]
async fn a_namespace_that_comes_with_the_plan_is_written_before_what_lies_in_it() {
    let mut world = World::new();
    world.declare(config("a", &value!({"a": "1"})).with_namespace("fresh"));
    world.declare(value!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fresh"}}));
    let plan = world.plan().await.unwrap();
    assert_eq!(
        said(&plan),
        ["x create Namespace/fresh as driftdeck: .", "x create ConfigMap/fresh/a as driftdeck: ."]
    );
    assert_eq!(
        plan.steps[1].note.as_deref(),
        Some("its namespace comes with this plan: checked as soon as it is there")
    );
    assert_eq!(world.sync().await, ["applied", "applied"]);
}

#[tokio::test]
async fn waves_come_before_kinds() {
    let mut world = World::new();
    let late = config("late", &value!({"a": "1"})).with_annotation("argocd.argoproj.io/sync-wave", "5");
    world.declare(late).declare(deployment("api", 1, "a:1"));
    assert_eq!(
        said(&world.plan().await.unwrap()),
        ["x create Deployment.apps/shop/api as driftdeck: .", "x create ConfigMap/shop/late as driftdeck: .",]
    );
}

#[tokio::test]
async fn what_an_engine_tracks_says_what_the_engine_will_do() {
    let mut world = World::new();
    let tracked = config("c", &value!({"a": "1"}))
        .with_annotation("argocd.argoproj.io/tracking-id", "shop:/ConfigMap:shop/c");
    world.server_side(tracked, "argocd-controller");
    world.edit("ConfigMap/c", value!({"data": {"a": "2"}}), "kubectl-edit");
    let plan = world.plan().await.unwrap();
    assert!(plan.steps[0].note.as_deref().unwrap().starts_with("Argo CD's application shop tracks it"));
}

trait Changed {
    fn with_namespace(self, namespace: &str) -> Self;
    fn with_annotation(self, key: &str, value: &str) -> Self;
}

impl Changed for crate::model::Value {
    fn with_namespace(mut self, namespace: &str) -> Self {
        let metadata = self.as_map_mut().unwrap().get_mut("metadata").unwrap().as_map_mut().unwrap();
        metadata.insert("namespace".into(), Self::string(namespace));
        self
    }

    fn with_annotation(mut self, key: &str, value: &str) -> Self {
        let metadata = self.as_map_mut().unwrap().get_mut("metadata").unwrap().as_map_mut().unwrap();
        metadata.insert("annotations".into(), crate::value!({key: value}));
        self
    }
}
