//! Laws of the sync: it converges, and it touches nothing that it does not show.

use super::{World, deployment, said};
use crate::model::Value;
use crate::value;
use proptest::prelude::*;

/// One thing that somebody does to the Deployment.
#[derive(Debug, Clone)]
enum Deed {
    Scale(i64),
    Image(&'static str),
    Label(&'static str, &'static str),
    Unlabel,
    Environment(&'static str),
    Pause,
    DropPort,
}

impl Deed {
    fn patch(&self) -> Value {
        let container =
            |fields: Value| value!({"spec": {"template": {"spec": {"containers": null}}}}).set(fields);
        match self {
            Deed::Scale(n) => value!({"spec": {"replicas": n}}),
            Deed::Image(image) => container(
                value!({"name": "app", "image": image, "ports": [{"containerPort": 80, "protocol": "TCP"}]}),
            ),
            Deed::Label(key, text) => value!({"metadata": {"labels": {*key: text}}}),
            Deed::Unlabel => value!({"metadata": {"labels": {"app": null}}}),
            Deed::Environment(name) => container(value!({"name": "app", "image": "a:1",
                "env": [{"name": name, "value": "1"}], "ports": [{"containerPort": 80, "protocol": "TCP"}]})),
            Deed::Pause => value!({"spec": {"paused": true}}),
            Deed::DropPort => container(value!({"name": "app", "image": "a:1"})),
        }
    }
}

trait Set {
    fn set(self, container: Value) -> Self;
}

impl Set for Value {
    fn set(mut self, container: Value) -> Self {
        let mut at = &mut self;
        for name in ["spec", "template", "spec"] {
            at = at.as_map_mut().unwrap().get_mut(name).unwrap();
        }
        at.as_map_mut().unwrap().insert("containers".into(), Value::List(vec![container]));
        self
    }
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (0..9_i64).prop_map(Deed::Scale),
        prop_oneof![Just("a:2"), Just("b:1")].prop_map(Deed::Image),
        (prop_oneof![Just("app"), Just("team"), Just("a.b/c")], prop_oneof![Just("x"), Just("y")])
            .prop_map(|(key, text)| Deed::Label(key, text)),
        Just(Deed::Unlabel),
        prop_oneof![Just("DEBUG"), Just("LEVEL")].prop_map(Deed::Environment),
        Just(Deed::Pause),
        Just(Deed::DropPort),
    ]
}

fn manager() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("kubectl-edit"), Just("k9s"), Just("kube-controller-manager")]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_second_sync_plans_nothing(deeds in prop::collection::vec((deed(), manager()), 0..5), server_side: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            if server_side {
                world.server_side(deployment("api", 2, "a:1"), "deployer");
            } else {
                world.client_side(deployment("api", 2, "a:1"));
            }
            for (deed, manager) in &deeds {
                world.edit("Deployment/api", deed.patch(), manager);
            }
            let before = world.live("Deployment/api").await.unwrap();
            let plan = world.plan().await.unwrap();
            let shown: Vec<_> = plan.ticked().flat_map(|s| s.changes.clone()).collect();
            let done = world.execute(plan).await.unwrap();
            prop_assert!(done.steps.iter().all(|s| !s.ticked || s.outcome.word() == "applied"), "{:?}", said(&done));

            let after = world.live("Deployment/api").await.unwrap();
            let schema = crate::cluster::builtin::schema();
            for leaf in crate::action::effect::effects(&schema, &before, &after) {
                let told = shown.iter().any(|change| crate::action::effect::shows(change, &leaf));
                prop_assert!(told, "{} was written and not shown", leaf.path);
            }
            let second = world.plan().await.unwrap();
            let ticked: Vec<_> = second.ticked().collect();
            prop_assert!(ticked.is_empty(), "{:?}", said(&second));
            Ok(())
        })?;
    }
}
