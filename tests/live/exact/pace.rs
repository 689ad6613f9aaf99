//! How the API server is asked: few at a time, fewer when it asks to wait, not at all where the user may not.

use super::{exactly, resource};
use crate::catalogue::{Stage, Way, deployment};
use crate::support::{Fault, FaultProxy, Home, Matching};
use serde_json::{Value, json};

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_busy_server_is_waited_for_and_every_object_gets_its_verdict() {
    let manifests = (0..40).fold(String::new(), |text, n| {
        text + &format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings-{n}}}\ndata: {{a: b}}\n"
        )
    });
    let stage = Stage::applied("busy", Way::ServerSide, &manifests);
    let proxy = FaultProxy::in_front_of(&stage.namespace.plane);
    proxy.through(stage.namespace.access()).write_into(&stage.home);
    let dry = || Matching::verbs(&["patch"]).dry_run(true);
    proxy.after(5, 15, dry(), Fault::too_many_requests(1));
    let document = exactly(&stage);
    let resources = document["resources"].as_array().unwrap();
    assert_eq!(resources.len(), 40);
    assert!(
        resources.iter().all(|r| r["confidence"] == "exact" && r["verdict"] == "in-sync"),
        "{document:#}"
    );
    let statuses = proxy.seen_matching(&dry());
    let busy = statuses.iter().filter(|seen| seen.status == Some(429)).count();
    assert_eq!((busy, statuses.len()), (15, 55), "{}", proxy.listing());
    assert_eq!(proxy.seen_matching(&Matching::writes()).len(), 0, "a dry run writes nothing");
    assert!(statuses.iter().all(|seen| seen.query.contains("fieldValidation=Strict")));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn each_objects_failure_is_its_own() {
    let manifests = deployment("", "")
        + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n";
    let stage = Stage::applied("own", Way::ClientSide, &manifests);
    let proxy = FaultProxy::in_front_of(&stage.namespace.plane);
    proxy.through(stage.namespace.access()).write_into(&stage.home);
    proxy.always(
        Matching::verbs(&["patch"]).resource("deployments"),
        Fault::status(500, "InternalError", "etcd is on fire"),
    );
    let document = exactly(&stage);
    let failed = resource(&document, "Deployment", "web");
    assert_eq!((&failed["verdict"], &failed["confidence"]), (&json!("in-sync"), &json!("local")));
    assert!(failed["needsExact"].as_str().unwrap().contains("etcd is on fire"), "{failed:#}");
    assert_eq!(resource(&document, "ConfigMap", "settings")["confidence"], "exact");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn who_may_not_patch_is_told_so_and_keeps_the_local_verdict_and_read_only_may_ask() {
    let stage = Stage::applied(
        "denied",
        Way::ClientSide,
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n",
    );
    let run = stage.home.driftdeck(["check", "repo", "--exact", "--read-only"]).exits(0);
    assert!(run.stdout.contains("1 by the API server's own dry run"), "{}", run.stdout);
    let home = Home::new();
    stage.namespace.plane.access("ana").in_namespace(&stage.namespace.name).write_into(&home);
    stage.namespace.allow("ana", "get,list,watch", "configmaps");
    home.write(
        "repo/app.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n",
    );
    crate::support::eventually("the rights are in force", || {
        let document = home.driftdeck(["check", "repo", "--exact", "-o", "json"]).json();
        let found = document["resources"].as_array().unwrap().first().cloned().unwrap_or_default();
        (found["verdict"] == "in-sync").then_some(())?;
        assert_eq!(found["confidence"], "local");
        let why = format!(
            "you may not patch configmaps in namespace {}, so no dry run can be had",
            stage.namespace.name
        );
        assert_eq!(found["needsExact"], Value::String(why));
        Some(())
    });
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_conflict_names_the_managers_and_the_verdict_lasts_until_either_side_changes() {
    let stage = Stage::applied("conflict", Way::ServerSide, &deployment("", ""));
    stage.namespace.kubectl(&["set", "image", "deployment/web", "app=web:2", "--field-manager=kubectl-set"]);
    let exact = resource(&exactly(&stage), "Deployment", "web");
    let at = r#".spec.template.spec.containers[name="app"].image"#;
    assert_eq!(
        exact["exact"]["contending"],
        json!([{"manager": "kubectl-set", "fields": [at]}]),
        "{exact:#}"
    );
    assert_eq!(super::counted(&exact), [(at.to_owned(), "changed".to_owned())]);
}
