//! What comes between reading and writing, and what becomes of it.

use super::{Ground, at, said, words};
use crate::support::{Fault, FaultProxy, Matching, Plane};
use driftdeck::action::ExecuteError;
use driftdeck::cluster::remote::Remote;
use driftdeck::model::StepOutcome;
use driftdeck::value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const MAPS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: one}
data: {k: \"1\"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two}
data: {k: \"1\"}
";

/// Two drifted ConfigMaps behind a fault proxy.
fn drifted(subject: &str) -> (Ground, FaultProxy, Remote) {
    let mut ground = Ground::new(subject);
    ground.namespace.apply(MAPS);
    ground.declare(MAPS);
    for name in ["configmap/one", "configmap/two"] {
        ground.namespace.patch(name, "merge", r#"{"data":{"k":"2"}}"#, "kubectl-edit");
    }
    let proxy = FaultProxy::in_front_of(&ground.namespace.plane);
    let cluster = ground.cluster(&proxy.through(ground.namespace.access()));
    (ground, proxy, cluster)
}

fn values(ground: &Ground) -> [driftdeck::model::Value; 2] {
    ["configmap/one", "configmap/two"]
        .map(|name| at(&ground.namespace.get(name).expect("it is there"), "/data/k"))
}

fn writes_of(name: &str) -> Matching {
    Matching::writes().resource("configmaps").name(name)
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_deployment_whose_status_changes_ten_times_a_second_can_be_synced() {
    let mut ground = Ground::new("busy");
    let files = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  \
                 selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    \
                 spec: {containers: [{name: app, image: registry.invalid/web:1}]}\n";
    ground.namespace.apply(files);
    ground.declare(files);
    ground.namespace.kubectl(&["scale", "deployment/web", "--replicas=3"]);
    let running = Arc::new(AtomicBool::new(true));
    let (plane, name) = (ground.namespace.plane.clone(), ground.namespace.name.clone());
    let status = std::thread::spawn({
        let running = Arc::clone(&running);
        move || {
            let mut n = 0;
            while running.load(Ordering::Relaxed) {
                n += 1;
                let patch = format!(
                    r#"{{"status":{{"conditions":[{{"type":"Busy","status":"True","reason":"N{n}","message":""}}]}}}}"#
                );
                let arguments = [
                    "-n",
                    &name,
                    "patch",
                    "deployment/web",
                    "--subresource=status",
                    "--type=merge",
                    "-p",
                    &patch,
                ];
                plane.try_kubectl(&arguments, "");
            }
            n
        }
    });
    let (planned, outcomes) = ground.sync();
    running.store(false, Ordering::Relaxed);
    let count = status.join().expect("the status writer");
    assert!(count > 0);
    assert_eq!((planned.len(), outcomes.as_slice()), (1, &["applied"][..]), "{planned:?}");
    assert_eq!(
        at(&ground.namespace.get("deployment/web").expect("it is there"), "/spec/replicas"),
        value!(1)
    );
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_moves_between_plan_and_apply_lets_nothing_be_written() {
    for how in ["edited", "deleted", "recreated"] {
        let (ground, proxy, cluster) = drifted("moved");
        let plan = ground.plan(&cluster).expect("a plan");
        match how {
            "edited" => ground.namespace.patch("configmap/two", "merge", r#"{"data":{"x":"1"}}"#, "k9s"),
            "deleted" => drop(ground.namespace.kubectl(&["delete", "configmap/two"])),
            _ => {
                ground.namespace.kubectl(&["delete", "configmap/two"]);
                ground.namespace.kubectl(&["create", "configmap", "two", "--from-literal=k=2"]);
            }
        }
        proxy.forget();
        let error = ground.execute(&cluster, plan).expect_err("refused");
        assert!(matches!(&error, ExecuteError::Moved { moved } if moved.len() == 1), "{how}: {error}");
        assert_eq!(proxy.seen_matching(&Matching::writes()).len(), 0, "{how}: {}", proxy.listing());
        assert_eq!(at(&ground.namespace.get("configmap/one").expect("it is there"), "/data/k"), value!("2"));
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_edit_between_the_last_read_and_the_write_refuses_that_step_alone() {
    let (ground, proxy, cluster) = drifted("late-edit");
    let plan = ground.plan(&cluster).expect("a plan");
    let (plane, name) = (ground.namespace.plane.clone(), ground.namespace.name.clone());
    proxy.before(writes_of("one"), 0, move || {
        plane.kubectl(&[
            "-n",
            &name,
            "patch",
            "configmap/one",
            "--type=merge",
            "-p",
            r#"{"data":{"k":"7"}}"#,
        ]);
    });
    let done = ground.execute(&cluster, plan).expect("carried out");
    assert_eq!(words(&done), ["refused", "applied"]);
    assert_eq!(values(&ground), [value!("7"), value!("1")]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_context_that_leads_to_another_api_server_is_refused() {
    let (ground, _proxy, cluster) = drifted("elsewhere");
    let plan = ground.plan(&cluster).expect("a plan");
    let other = ground.cluster(&Plane::second().access("admin"));
    let error = ground.execute(&other, plan).expect_err("refused");
    assert!(matches!(error, ExecuteError::OtherCluster { .. }), "{error}");
    assert_eq!(values(&ground), [value!("2"), value!("2")]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_connection_lost_before_and_after_the_server_acted_is_told_apart() {
    let (ground, proxy, cluster) = drifted("lost");
    let plan = ground.plan(&cluster).expect("a plan");
    proxy.once(writes_of("one"), Fault::DropBefore);
    proxy.once(writes_of("two"), Fault::DropAfter);
    let done = ground.execute(&cluster, plan).expect("carried out");
    assert_eq!(words(&done), ["failed", "applied"], "{}", proxy.listing());
    assert_eq!(values(&ground), [value!("2"), value!("1")]);
    let entries = ground.journal().entries().expect("a journal");
    assert_eq!(entries[0].plan["steps"][0]["outcome"], "failed");
    assert_eq!(entries[0].plan["steps"][1]["outcome"], "applied");
    proxy.clear();
    assert_eq!(ground.sync().1, ["applied"], "the next sync continues");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_lost_answer_that_cannot_be_read_back_is_indeterminate_and_the_next_sync_sees_how_it_turned_out() {
    let (ground, proxy, cluster) = drifted("blind");
    let plan = ground.plan(&cluster).expect("a plan");
    proxy.once(writes_of("one"), Fault::DropAfter);
    // Read twice when the plan is taken up, and once more directly before the write.
    let reads = Matching::verbs(&["get"]).resource("configmaps").name("one");
    proxy.after(3, usize::MAX, reads, Fault::unavailable());
    let done = ground.execute(&cluster, plan).expect("carried out");
    assert_eq!(words(&done), ["indeterminate", "applied"], "{}", proxy.listing());
    let StepOutcome::Indeterminate(notice) = &done.steps[0].outcome else { panic!("not indeterminate") };
    assert!(format!("{notice:?}").contains("one"), "it names the object: {notice:?}");
    let entries = ground.journal().entries().expect("a journal");
    assert_eq!(entries[0].plan["steps"][0]["outcome"], "indeterminate");
    assert_eq!(values(&ground), [value!("1"), value!("1")], "the server had acted");
    proxy.clear();
    assert_eq!(ground.planned(), Vec::<String>::new(), "nothing is left to do");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_the_server_refuses_at_the_write_is_told_in_its_words_and_the_others_go_on() {
    let (ground, proxy, cluster) = drifted("at-the-write");
    let plan = ground.plan(&cluster).expect("a plan");
    let denied = "admission webhook \"guard.example.com\" denied the request: not on a Friday";
    proxy.once(writes_of("one"), Fault::status(403, "Forbidden", denied));
    let done = ground.execute(&cluster, plan).expect("carried out");
    assert_eq!(words(&done), ["failed", "applied"], "{}", proxy.listing());
    let StepOutcome::Failed(notice) = &done.steps[0].outcome else { panic!("not failed") };
    assert!(format!("{notice:?}").contains("not on a Friday"), "{notice:?}");
    assert_eq!(values(&ground), [value!("2"), value!("1")]);

    let plan = ground.plan(&cluster).expect("a plan");
    let invalid = "ConfigMap \"one\" is invalid: data.k: Invalid value";
    proxy.once(writes_of("one"), Fault::status(422, "Invalid", invalid));
    let done = ground.execute(&cluster, plan).expect("carried out");
    assert_eq!(words(&done), ["failed"], "{}", proxy.listing());
    assert_eq!(ground.sync().1, ["applied"], "the next sync continues");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_field_that_a_controller_writes_is_planned_alone_marked_and_left_alone_unless_it_is_ticked() {
    let mut ground = Ground::new("contended");
    ground.namespace.apply(MAPS);
    ground.declare(MAPS);
    ground.namespace.patch("configmap/one", "merge", r#"{"data":{"k":"2"}}"#, "kube-controller-manager");
    let cluster = ground.admin();
    let plan = ground.plan(&cluster).expect("a plan");
    assert_eq!(plan.steps.len(), 1, "{:?}", said(&plan));
    assert!(!plan.steps[0].ticked, "a controller is likely to write it again");
    assert_eq!(plan.steps[0].changes[0].class.word(), "contended");
    let done = ground.execute(&cluster, plan.clone()).expect("carried out");
    assert_eq!(words(&done), ["skipped"]);
    assert_eq!(values(&ground), [value!("2"), value!("1")]);
    let mut ticked = ground.plan(&cluster).expect("a plan");
    ticked.steps[0].ticked = true;
    assert_eq!(words(&ground.execute(&cluster, ticked).expect("carried out")), ["applied"]);
    assert_eq!(values(&ground), [value!("1"), value!("1")]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_conflict_is_compared_again_and_written() {
    let (ground, proxy, cluster) = drifted("conflict");
    let plan = ground.plan(&cluster).expect("a plan");
    proxy.after(0, 2, writes_of("one"), Fault::conflict());
    proxy.once(writes_of("two"), Fault::too_many_requests(1));
    let done = ground.execute(&cluster, plan).expect("carried out");
    assert_eq!(words(&done), ["applied", "applied"], "{}", proxy.listing());
    assert_eq!(proxy.seen_matching(&writes_of("one")).len(), 3);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_kind_that_is_denied_does_not_stop_the_others() {
    let mut ground = Ground::new("denied");
    let files = format!(
        "{MAPS}---\napiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec: {{ports: [{{port: 80}}]}}\n"
    );
    ground.namespace.apply(&files);
    ground.declare(&files);
    ground.namespace.patch("configmap/one", "merge", r#"{"data":{"k":"2"}}"#, "kubectl-edit");
    ground.namespace.patch("service/web", "merge", r#"{"spec":{"ports":[{"port":81}]}}"#, "kubectl-edit");
    ground.namespace.allow("ana", "get,list,watch", "configmaps,services");
    ground.namespace.allow("ana", "patch", "services");
    let access = ground.namespace.plane.access("ana").in_namespace(&ground.namespace.name);
    let cluster = ground.cluster(&access);
    let plan = crate::support::eventually("the grant is in force", || {
        let plan = ground.plan(&cluster).ok()?;
        (words(&plan) == ["refused", "planned"]).then_some(plan)
    });
    let StepOutcome::Refused(notice) = &plan.steps[0].outcome else { panic!("not refused") };
    assert_eq!(notice.hint.as_deref(), Some("ask for the right to patch configmaps"));
    let done = ground.execute(&cluster, plan).expect("carried out");
    assert_eq!(words(&done), ["refused", "applied"]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn every_write_was_a_dry_run_first_and_carries_uid_and_version() {
    let (ground, proxy, cluster) = drifted("pinned");
    let plan = ground.plan(&cluster).expect("a plan");
    proxy.forget();
    let version = ground.version("configmap/one").1;
    assert_eq!(words(&ground.execute(&cluster, plan).expect("carried out")), ["applied", "applied"]);
    let of_one = Matching::any().resource("configmaps").name("one");
    let verbs: Vec<(String, bool)> =
        proxy.seen_matching(&of_one).iter().map(|s| (s.verb.clone(), s.is_dry_run())).collect();
    let (get, patch) = ("get".to_owned(), "patch".to_owned());
    assert_eq!(
        verbs,
        [(get.clone(), false), (get.clone(), false), (patch.clone(), true), (get, false), (patch, false)]
    );
    let writes = proxy.seen_matching(&writes_of("one"));
    let body = String::from_utf8_lossy(&writes[0].body).into_owned();
    assert!(body.contains("/metadata/uid") && body.contains(version.as_str().expect("a version")), "{body}");
    assert!(writes[0].query.contains("fieldManager=kubectl-client-side-apply"), "{}", writes[0].query);
}
