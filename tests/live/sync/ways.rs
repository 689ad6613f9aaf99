//! Each deployer's way, and what the deployer finds afterwards.

use super::{Ground, at};
use crate::support::{Namespace, Plane};
use driftdeck::value;

const SHOP: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: registry.invalid/web:1
        resources: {requests: {cpu: 1000m, memory: 128Mi}}
        ports: [{containerPort: 80}]
        env: [{name: LEVEL, value: "info"}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 80}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web, annotations: {note: "<&>"}}
data: {a: "1", b: "2"}
---
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {password: hunter2}
"#;

const OBJECTS: [&str; 4] = ["deployment/web", "service/web", "configmap/web", "secret/web"];

/// What people do at three in the morning.
fn disturb(ground: &Ground) {
    let namespace = &ground.namespace;
    namespace.kubectl(&["scale", "deployment/web", "--replicas=5"]);
    namespace.patch(
        "deployment/web",
        "strategic",
        r#"{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"registry.invalid/web:hot","env":[{"name":"DEBUG","value":"1"}]}]}}}}"#,
        "kubectl-edit",
    );
    namespace.kubectl(&["label", "deployment/web", "by=hand", "app=changed", "--overwrite"]);
    namespace.patch("configmap/web", "merge", r#"{"data":{"a":"9","c":"3"}}"#, "kubectl-edit");
    namespace.kubectl(&["delete", "service/web"]);
    namespace.patch("secret/web", "merge", r#"{"data":{"password":"b3RoZXI="}}"#, "kubectl-edit");
}

/// Applies the files with kubectl, client-side, and asserts that the server changed nothing.
fn applying_changes_nothing(ground: &Ground, files: &str) {
    let before = OBJECTS.map(|object| ground.version(object));
    ground.namespace.apply(files);
    let after = OBJECTS.map(|object| ground.version(object));
    for ((object, before), after) in OBJECTS.iter().zip(&before).zip(&after) {
        assert_eq!(before.0, after.0, "{object}: generation");
        // The Deployment's controller writes its status whenever it likes.
        if *object != "deployment/web" {
            assert_eq!(before.1, after.1, "{object}: resource version");
        }
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_people_changed_is_put_right_and_kubectl_apply_of_the_same_files_changes_nothing() {
    let mut ground = Ground::new("client-side");
    ground.namespace.apply(SHOP);
    ground.declare(SHOP);
    assert_eq!(ground.planned(), Vec::<String>::new(), "freshly applied");
    disturb(&ground);
    let (planned, outcomes) = ground.sync();
    let kubectl = "kubectl-client-side-apply";
    assert_eq!(
        planned,
        [
            format!("patch Secret/web as {kubectl}: .data.password"),
            format!("patch ConfigMap/web as {kubectl}: .data.a .data.c"),
            format!("create Service/web as {kubectl}: ."),
            format!(
                r#"patch Deployment/web as {kubectl}: .metadata.labels.app .metadata.labels.by .spec.replicas .spec.template.spec.containers[name="app"].env[name="DEBUG"] .spec.template.spec.containers[name="app"].image"#
            ),
        ]
    );
    assert_eq!(outcomes, ["applied"; 4]);
    assert_eq!(ground.planned(), Vec::<String>::new(), "a second sync plans nothing");
    applying_changes_nothing(&ground, SHOP);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_order_alone_is_put_right_by_either_way_and_a_second_sync_plans_nothing() {
    let with = |names: [&str; 2]| {
        let items = names.map(|name| format!("      - {{name: {name}, image: 'registry.invalid/init:1'}}\n"));
        let list = format!("      initContainers:\n{}      containers:\n", items.concat());
        SHOP.replace("      containers:\n", &list)
    };
    for (server_side, does) in [
        (false, "patch Deployment/web as kubectl-client-side-apply"),
        (true, "apply Deployment/web as deployer"),
    ] {
        let mut ground = Ground::new("order");
        if server_side {
            ground.namespace.apply_server_side(&with(["one", "two"]), "deployer");
        } else {
            ground.namespace.apply(&with(["one", "two"]));
        }
        ground.declare(&with(["two", "one"]));
        let (planned, outcomes) = ground.sync();
        assert_eq!(planned, [format!("{does}: .spec.template.spec.initContainers")]);
        assert_eq!(outcomes, ["applied"]);
        let live = ground.namespace.get("deployment/web").expect("it is there");
        let names = [0, 1].map(|i| at(&live, &format!("/spec/template/spec/initContainers/{i}/name")));
        assert_eq!(names, [value!("two"), value!("one")]);
        assert_eq!(ground.planned(), Vec::<String>::new(), "a second sync plans nothing");
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_leftover_goes_and_kubectl_apply_of_the_new_files_changes_nothing() {
    let mut ground = Ground::new("leftover");
    ground.namespace.apply(SHOP);
    let newer = SHOP
        .replace("data: {a: \"1\", b: \"2\"}", "data: {a: \"2\"}")
        .replace("        env: [{name: LEVEL, value: \"info\"}]\n", "");
    ground.declare(&newer);
    let (planned, outcomes) = ground.sync();
    let kubectl = "kubectl-client-side-apply";
    assert_eq!(
        planned,
        [
            format!("patch ConfigMap/web as {kubectl}: .data.b"),
            format!("patch ConfigMap/web as {kubectl}: .data.a"),
            format!(r#"patch Deployment/web as {kubectl}: .spec.template.spec.containers[name="app"].env"#),
        ]
    );
    assert_eq!(outcomes, ["applied"; 3]);
    assert_eq!(ground.planned(), Vec::<String>::new());
    applying_changes_nothing(&ground, &newer);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn server_side_applied_objects_stay_their_managers() {
    let mut ground = Ground::new("server-side");
    let files = SHOP.replace("stringData: {password: hunter2}", "data: {password: aHVudGVyMg==}");
    ground.namespace.apply_server_side(&files, "fleet");
    ground.declare(&files);
    assert_eq!(ground.planned(), Vec::<String>::new(), "freshly applied");
    disturb(&ground);
    let plan = ground.plan(&ground.admin()).expect("a plan");
    let taken: Vec<&str> = plan
        .steps
        .iter()
        .find(|s| s.resource.kind.kind == "Deployment")
        .map(|s| s.takes_over_from.iter().map(|w| w.manager.as_str()).collect())
        .expect("the Deployment");
    assert!(taken.contains(&"kubectl-edit"), "{taken:?}");
    let (planned, outcomes) = ground.sync();
    assert_eq!(
        planned,
        [
            "apply Secret/web as fleet: .data.password",
            "apply ConfigMap/web as fleet: .data.a",
            "patch ConfigMap/web as fleet: .data.c",
            "create Service/web as fleet: .",
            r#"apply Deployment/web as fleet: .metadata.labels.app .spec.replicas .spec.template.spec.containers[name="app"].image"#,
            r#"patch Deployment/web as fleet: .metadata.labels.by .spec.template.spec.containers[name="app"].env[name="DEBUG"]"#,
        ]
    );
    assert_eq!(outcomes, ["applied"; 6]);
    assert_eq!(ground.planned(), Vec::<String>::new(), "a second sync plans nothing");
    let generation = ground.version("deployment/web").0;
    ground.namespace.apply_server_side(&files, "fleet");
    assert_eq!(ground.version("deployment/web").0, generation);
    let live = ground.namespace.get("deployment/web").expect("it is there");
    let managers: Vec<&str> = live["metadata"]["managedFields"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|e| e["manager"].as_str())
        .collect();
    assert!(!managers.contains(&"driftdeck"), "{managers:?}");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_custom_resource_is_created_after_its_definition_is_served() {
    let mut ground = Ground::new("custom");
    let group = format!("{}.example.com", ground.namespace.name);
    let files = format!(
        r"
apiVersion: {group}/v1
kind: Widget
metadata: {{name: one}}
spec: {{size: 3}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.{group}}}
spec:
  group: {group}
  names: {{kind: Widget, plural: widgets}}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, properties: {{spec: {{type: object, properties: {{size: {{type: integer}}}}}}}}}}}}
"
    );
    ground.declare(&files);
    let (planned, outcomes) = ground.sync();
    assert_eq!(
        planned,
        [
            format!("create CustomResourceDefinition/widgets.{group} as driftdeck: ."),
            "create Widget/one as driftdeck: .".to_owned()
        ]
    );
    assert_eq!(outcomes, ["applied", "applied"]);
    let live = ground.namespace.get(&format!("widgets.{group}/one")).expect("it was created");
    assert_eq!(at(&live, "/spec/size"), value!(3));
    ground.namespace.plane.kubectl(&["delete", "crd", &format!("widgets.{group}"), "--wait=false"]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_a_policy_adds_is_shown_and_what_it_forbids_is_refused() {
    let mut ground = Ground::new("policy");
    let name = ground.namespace.name.clone();
    let policy = format!(
        r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: {name}}}
spec:
  matchConstraints:
    resourceRules: [{{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}}]
    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {name}}}}}
  validations: [{{expression: "!has(object.data) || !('forbidden' in object.data)", message: "no forbidden key"}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: {name}}}
spec: {{policyName: {name}, validationActions: [Deny]}}
"#
    );
    let map = |name: &str, data: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{{data}: \"1\"}}\n")
    };
    ground.namespace.apply(&format!("{}---\n{}", map("good", "a"), map("bad", "a")));
    ground.namespace.apply(&policy);
    crate::support::eventually("the policy is in force", || {
        let refused = ground.namespace.try_kubectl(
            &["create", "configmap", "probe", "--from-literal=forbidden=1", "--dry-run=server"],
            "",
        );
        (refused.code != 0).then_some(())
    });
    ground.declare(&format!("{}---\n{}", map("good", "b"), map("bad", "forbidden")));
    let cluster = ground.admin();
    let plan = ground.plan(&cluster).expect("a plan");
    let refused: Vec<String> = plan
        .steps
        .iter()
        .filter_map(|s| {
            Some(format!("{} {}", s.resource.name.as_deref()?, s.outcome.notice()?.cause.as_deref()?))
        })
        .collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].starts_with("bad ") && refused[0].contains("no forbidden key"), "{refused:?}");
    let done = ground.execute(&cluster, plan).expect("carried out");
    ground.namespace.plane.kubectl(&[
        "delete",
        "validatingadmissionpolicybinding,validatingadmissionpolicy",
        &name,
    ]);
    let good: Vec<&str> = done
        .steps
        .iter()
        .filter(|s| s.resource.name.as_deref() == Some("good"))
        .map(|s| s.outcome.word())
        .collect();
    assert_eq!(good, ["applied", "applied"]);
    let live = ground.namespace.get("configmap/good").expect("it is there");
    assert_eq!(at(&live, "/data"), value!({"b": "1"}));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_extra_is_pruned_with_uid_and_version_and_only_if_all_is_known() {
    let mut ground = Ground::new("prune");
    ground.namespace.apply(SHOP);
    ground.declare(SHOP);
    let at = ground.manifests.iter().position(|m| m.kind.kind == "ConfigMap").expect("the ConfigMap");
    let gone = ground.manifests.remove(at);
    ground.extras.push((gone.kind.clone(), gone.id.clone()));
    ground.options.prune = true;
    ground.incomplete = vec!["not allowed to list secrets".to_owned()];
    assert!(ground.plan(&ground.admin()).is_err());
    ground.incomplete.clear();
    let (planned, outcomes) = ground.sync();
    assert_eq!(
        (planned.as_slice(), outcomes.as_slice()),
        (&["delete ConfigMap/web as driftdeck: .".to_owned()][..], &["applied"][..])
    );
    assert_eq!(ground.namespace.get("configmap/web"), None);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn nothing_is_pruned_while_an_aggregated_api_is_broken_though_it_worked_when_the_cluster_was_asked() {
    // Nobody prunes in the second server meanwhile.
    let mut ground = Ground::within(Namespace::on(Plane::second(), "broken-api"));
    ground.namespace.apply(SHOP);
    ground.declare(SHOP);
    let at = ground.manifests.iter().position(|m| m.kind.kind == "ConfigMap").expect("the ConfigMap");
    let gone = ground.manifests.remove(at);
    ground.extras.push((gone.kind.clone(), gone.id.clone()));
    ground.options.prune = true;
    let cluster = ground.admin();
    let before = ground.facts(&cluster);
    let group = format!("{}.example.com", ground.namespace.name);
    let service = format!(
        "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {{name: v1.{group}}}\n\
         spec: {{group: {group}, version: v1, groupPriorityMinimum: 100, versionPriority: 1, \
         insecureSkipTLSVerify: true, service: {{name: nowhere, namespace: {}}}}}\n",
        ground.namespace.name
    );
    ground.namespace.apply(&service);
    crate::support::eventually("the broken API is known", || {
        ground.facts(&cluster).failed_groups.iter().any(|(failed, _)| failed.contains(&group)).then_some(())
    });
    let refused = ground.plan_knowing(&cluster, &before).expect_err("no plan").to_string();
    ground.namespace.plane.kubectl(&["delete", "apiservice", &format!("v1.{group}")]);
    assert!(refused.starts_with("nothing can be pruned") && refused.contains(&group), "{refused}");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_service_of_another_type_goes_back_with_all_that_the_server_keeps_for_that_type_only() {
    let mut ground = Ground::new("service-type");
    ground.namespace.apply(SHOP);
    ground.declare(SHOP);
    let node_port = r#".spec.ports[port=80,protocol="TCP"].nodePort"#;
    for (patch, shown) in [
        (r#"{"type":"NodePort"}"#, vec![".spec.externalTrafficPolicy", node_port]),
        (
            r#"{"type":"LoadBalancer"}"#,
            vec![".spec.allocateLoadBalancerNodePorts", ".spec.externalTrafficPolicy", node_port],
        ),
    ] {
        ground.namespace.kubectl(&["patch", "service/web", "-p", &format!(r#"{{"spec":{patch}}}"#)]);
        let plan = ground.plan(&ground.admin()).expect("a plan");
        let brought: Vec<(String, Option<&str>)> = plan
            .steps
            .iter()
            .flat_map(|step| &step.changes)
            .filter(|change| !change.counts)
            .map(|change| (change.path.to_string(), change.note.as_deref()))
            .collect();
        let note = Some("the API server takes it away with the change of .spec.type");
        let expected: Vec<_> = shown.into_iter().map(|path| (path.to_owned(), note)).collect();
        assert_eq!(brought, expected, "{patch}");
        let step = "patch Service/web as kubectl-client-side-apply: .spec.type".to_owned();
        assert_eq!(ground.sync(), (vec![step], vec!["applied"]), "{patch}");
        assert_eq!(ground.planned(), Vec::<String>::new(), "a second sync plans nothing");
        applying_changes_nothing(&ground, SHOP);
    }
}
