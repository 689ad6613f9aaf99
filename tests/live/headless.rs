//! `driftdeck check` against clusters that are only partly open, partly there, or filled by other tools.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Home, Namespace, Plane, Run, corpus, eventually};

const APP: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
";
const SECRET: &str = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {key: canary}\n";

/// Returns each resource as kind, name and verdict.
fn verdicts(document: &Value) -> Vec<[String; 3]> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let resources = document["resources"].as_array().unwrap();
    resources.iter().map(|r| [text(&r["kind"]), text(&r["name"]), text(&r["verdict"])]).collect()
}

/// Returns each deployment as app, cluster and verdict.
fn deployments(document: &Value) -> Vec<[&str; 3]> {
    let apps = document["apps"].as_array().unwrap();
    apps.iter().map(|a| ["name", "cluster", "verdict"].map(|field| a[field].as_str().unwrap())).collect()
}

/// A home whose kubeconfig is Ana's, in this namespace alone.
fn anas_home(namespace: &Namespace, resources: &str) -> Home {
    namespace.allow("ana", "get,list,watch", resources);
    let home = Home::new();
    namespace.plane.access("ana").in_namespace(&namespace.name).write_into(&home);
    // The authorizer reads roles from a watch of its own.
    eventually("the grant is in force", || {
        let listed = Run::of(home.command("kubectl").args(["get", resources, "-o", "name"]));
        (listed.code == 0).then_some(())
    });
    home
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn rights_in_one_namespace_are_enough_for_what_lives_in_it() {
    let namespace = Namespace::new("one-namespace");
    namespace.apply(APP);
    let home = anas_home(&namespace, "configmaps,services");
    home.write("repo/app.yaml", APP);
    let document = home.driftdeck(["check", "repo", "-o", "json"]).exits(0).json();
    assert_eq!(
        (&document["verdict"], &document["complete"]),
        (&json!("in-sync"), &json!(true)),
        "{document:#}"
    );
    assert_eq!(document["resources"].as_array().unwrap().len(), 2);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_denied_kind_is_unknown_with_what_was_denied_and_the_rest_goes_on() {
    let namespace = Namespace::new("denied");
    let all = format!("{APP}{SECRET}");
    namespace.apply(&all);
    let home = anas_home(&namespace, "configmaps,services");
    home.write("repo/app.yaml", &all);
    let document = home.driftdeck(["check", "repo", "-o", "json"]).exits(3).json();
    assert_eq!((&document["verdict"], &document["complete"]), (&json!("unknown"), &json!(false)));
    assert_eq!(
        verdicts(&document),
        [["Secret", "key", "unknown"], ["ConfigMap", "settings", "in-sync"], ["Service", "web", "in-sync"]]
    );
    let why = document["resources"][0]["why"].as_str().unwrap();
    for part in ["list", "secrets", &namespace.name] {
        assert!(why.contains(part), "{why}");
    }
    assert!(!document.to_string().contains("canary"));

    namespace.patch("configmap/settings", "merge", r#"{"data":{"colour":"red"}}"#, "kubectl-edit");
    home.driftdeck(["check", "repo"]).exits(1);
    home.driftdeck(["check", "repo", "--strict"]).exits(3);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn two_contexts_are_compared_at_once() {
    let first = Namespace::new("both");
    let second = Namespace::on(Plane::second(), "both");
    let mut home = Home::new();
    let here = home.write("here", first.access().named("here").kubeconfig());
    let mut access = second.access().named("there");
    // In merged kubeconfigs the first user of a name wins.
    "admin-there".clone_into(&mut access.user);
    let there = home.write("there", access.kubeconfig());
    home.set("KUBECONFIG", format!("{}:{}", here.display(), there.display()));
    home.write("repo/app.yaml", APP);
    first.apply(APP);
    second.apply(APP);
    second.patch("configmap/settings", "merge", r#"{"data":{"colour":"red"}}"#, "kubectl-edit");
    let both = ["check", "repo", "--context", "here", "--context", "there", "-o", "json"];
    let document = home.driftdeck(both).exits(1).json();
    assert_eq!(deployments(&document), [["repo", "here", "in-sync"], ["repo", "there", "drifted"]]);
    let clusters: Vec<_> =
        document["resources"].as_array().unwrap().iter().map(|r| r["cluster"].as_str().unwrap()).collect();
    assert_eq!(clusters, ["here", "here", "there", "there"]);
    let namespaces: Vec<_> = document["apps"].as_array().unwrap().iter().map(|a| &a["namespace"]).collect();
    assert_eq!(namespaces, [&first.name, &second.name], "each context has its own namespace");
    home.driftdeck(["check", "repo", "--context", "here"]).exits(0);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn two_contexts_of_one_cluster_are_one_that_is_protected_as_soon_as_either_is() {
    let namespace = Namespace::new("twins");
    namespace.apply(APP);
    namespace.patch("configmap/settings", "merge", r#"{"data":{"colour":"red"}}"#, "kubectl-edit");
    let mut home = Home::new();
    let plain = home.write("plain", namespace.access().named("plain").kubeconfig());
    let mut access = namespace.access().named("prod-x");
    "admin-x".clone_into(&mut access.user);
    let production = home.write("production", access.kubeconfig());
    home.set("KUBECONFIG", format!("{}:{}", plain.display(), production.display()));
    home.write("repo/app.yaml", APP);
    for (first, second) in [("plain", "prod-x"), ("prod-x", "plain")] {
        let both = ["--context", first, "--context", second];
        let check = [&["check", "repo", "-o", "json"][..], &both].concat();
        let document = home.driftdeck(check).exits(1).json();
        assert_eq!(deployments(&document), [["repo", first, "drifted"]]);
        let title = format!("{second} leads to the same cluster as {first}");
        assert_eq!(document["notices"][0]["title"], title.as_str());
        let sync = [&["sync", "repo", "repo", "--yes"][..], &both].concat();
        let refused = home.driftdeck(sync).exits(2);
        assert!(refused.stderr.contains(&format!("--confirm {first}")), "{}", refused.stderr);
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_namespace_that_is_applied_twice_is_in_sync() {
    let plane = Plane::of_this_run();
    let name = format!("{}-twice", Namespace::new("applied").name);
    let home = Home::new();
    plane.access("admin").write_into(&home);
    let file = home.write(
        "repo/namespace.yaml",
        format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n"),
    );
    for _ in 0..2 {
        plane.kubectl(&["apply", "--server-side", "-f", &file.display().to_string()]);
        home.driftdeck(["check", "repo"]).exits(0);
    }
    plane.kubectl(&["delete", "namespace", &name, "--wait=false"]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_cluster_that_does_not_answer_is_named_and_the_other_is_compared() {
    let namespace = Namespace::new("half");
    namespace.apply(APP);
    // A port that was just free: nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut home = Home::new();
    let here = home.write("here", namespace.access().named("here").kubeconfig());
    let gone =
        home.write("gone", namespace.access().named("gone").by(format!("https://{closed}")).kubeconfig());
    home.set("KUBECONFIG", format!("{}:{}", here.display(), gone.display()));
    home.write("repo/app.yaml", APP);

    let both = ["check", "repo", "--context", "here", "--context", "gone", "-o", "json"];
    let document = home.driftdeck(both).exits(3).json();
    assert_eq!((&document["verdict"], &document["complete"]), (&json!("unknown"), &json!(false)));
    assert_eq!(deployments(&document), [["repo", "gone", "unknown"], ["repo", "here", "in-sync"]]);

    let run = home.driftdeck(["check", "repo", "--context", "gone"]).exits(3);
    assert!(
        run.stderr.contains("gone could not be compared") && run.stderr.contains(&closed.to_string()),
        "{}",
        run.stderr
    );
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_kind_without_its_definition_is_unknown_and_the_rest_goes_on() {
    let namespace = Namespace::new("no-definition");
    namespace.apply(APP);
    let home = namespace.home();
    let widget = "---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 3}\n";
    home.write("repo/app.yaml", format!("{APP}{widget}"));
    let document = home.driftdeck(["check", "repo", "-o", "json"]).exits(3).json();
    assert_eq!(
        verdicts(&document),
        [["Widget", "w", "unknown"], ["ConfigMap", "settings", "in-sync"], ["Service", "web", "in-sync"]]
    );
    assert!(document["resources"][0]["why"].as_str().unwrap().contains("Widget example.com/v1"));
}

/// Changes one declared field of an object live and asserts that this is the only drift.
#[track_caller]
fn assert_sees_one_change(
    namespace: &Namespace,
    home: &Home,
    place: &str,
    object: &str,
    patch: &str,
    path: &str,
) {
    namespace.patch(object, "json", patch, "kubectl-edit");
    let document = home.driftdeck(["check", place, "-o", "json"]).exits(1).json();
    let resources = document["resources"].as_array().unwrap();
    let counted =
        resources.iter().flat_map(|r| r["changes"].as_array().unwrap()).filter(|c| c["counts"] == true);
    let paths: Vec<_> = counted.map(|c| c["path"].as_str().unwrap()).collect();
    assert_eq!(paths, [path], "{document:#}");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_release_that_helm_installed_is_in_sync_with_its_chart() {
    let Some(podinfo) = corpus("manifests/podinfo") else { return };
    let namespace = Namespace::new("helm");
    let home = namespace.home();
    let chart = home.copy(&podinfo.join("charts/podinfo"), "repo/charts/podinfo");
    let install = ["install", "podinfo", ".", "--namespace", &namespace.name];
    Run::of(home.command("helm").current_dir(&chart).args(install)).exits(0);
    let document = home.driftdeck(["check", "repo/charts/podinfo", "-o", "json"]).exits(0).json();
    assert_eq!(
        (&document["verdict"], &document["apps"][0]["engine"]),
        (&json!("in-sync"), &json!("helm")),
        "{document:#}"
    );
    assert_sees_one_change(
        &namespace,
        &home,
        "repo/charts/podinfo",
        "service/podinfo",
        r#"[{"op":"replace","path":"/spec/ports/0/targetPort","value":"grpc"}]"#,
        r#".spec.ports[port=9898,protocol="TCP"].targetPort"#,
    );
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_kustomization_that_kubectl_applied_is_in_sync() {
    let Some(podinfo) = corpus("manifests/podinfo") else { return };
    for (way, subject) in [(&[][..], "kustomize"), (&["--server-side"][..], "kustomize-server-side")] {
        let (namespace, home) = kustomized(&podinfo.join("kustomize"), subject, way);
        assert_sees_one_change(
            &namespace,
            &home,
            "repo",
            "deployment/podinfo",
            r#"[{"op":"replace","path":"/spec/minReadySeconds","value":9}]"#,
            ".spec.minReadySeconds",
        );
    }
}

/// A namespace into which kubectl applied a kustomization, and a home with the kustomization, seen in sync.
#[track_caller]
fn kustomized(kustomization: &Path, subject: &str, way: &[&str]) -> (Namespace, Home) {
    let namespace = Namespace::new(subject);
    let home = namespace.home();
    let folder = home.copy(kustomization, "repo");
    namespace.kubectl(&[&["apply", "-k", &folder.display().to_string()], way].concat());
    let document = home.driftdeck(["check", "repo", "-o", "json"]).exits(0).json();
    assert_eq!(document["verdict"], "in-sync", "{document:#}");
    (namespace, home)
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_overlay_that_kubectl_applied_is_in_sync() {
    let Some(podinfo) = corpus("manifests/podinfo") else { return };
    let plane = Plane::of_this_run();
    let namespace = Namespace::new("overlay");
    let home = Home::new();
    plane.access("admin").write_into(&home);
    let deploy = home.copy(&podinfo.join("deploy"), "repo");
    // Its bases are beside it, and only what is in one repository is read.
    Run::of(home.command("git").args(["init", "--quiet"]).current_dir(&deploy)).exits(0);
    // The overlay names its namespace itself; here it is one that no other test uses.
    for file in ["kustomization.yaml", "namespace.yaml"] {
        let path = format!("repo/overlays/dev/{file}");
        let text = std::fs::read_to_string(home.path().join(&path)).unwrap();
        home.write(path, text.replace(" dev\n", &format!(" {}\n", namespace.name)));
    }
    plane.kubectl(&["apply", "-k", &deploy.join("overlays/dev").display().to_string()]);
    let document = home.driftdeck(["check", "repo/overlays/dev", "-o", "json"]).exits(0).json();
    assert_eq!(
        (&document["verdict"], &document["complete"]),
        (&json!("in-sync"), &json!(true)),
        "{document:#}"
    );
    assert!(document["resources"].as_array().unwrap().len() > 15, "{document:#}");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_check_acts_as_whom_it_is_told_and_goes_where_it_is_told() {
    let namespace = Namespace::new("acting");
    namespace.apply(APP);
    let home = Home::new();
    home.write("repo/app.yaml", APP);
    let elsewhere = home.write("elsewhere", namespace.access().kubeconfig());
    let check = |more: &[&str]| {
        let words = ["check", "repo", "-o", "json", "--kubeconfig", elsewhere.to_str().unwrap()];
        home.driftdeck(words.iter().chain(more).copied())
    };
    check(&[]).exits(0);
    let denied = check(&["--as", "nobody-at-all"]).exits(3).json();
    assert_eq!(denied["verdict"], "unknown", "{denied:#}");
    check(&["--as", "nobody-at-all", "--as-group", "system:masters"]).exits(0);
    home.driftdeck(["check", "repo"]).exits(2);
    let late = check(&["--timeout", "0s"]).exits(2).json();
    assert!(
        late["notices"][0]["title"].as_str().unwrap().starts_with("not everything was compared"),
        "{late:#}"
    );
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_unreadable_document_is_not_compared_and_drift_beside_it_still_is() {
    let namespace = Namespace::new("unreadable");
    namespace.apply(APP);
    let home = namespace.home();
    home.write("repo/app.yaml", APP);
    home.write("repo/broken.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: [\n");
    let document = home.driftdeck(["check", "repo", "-o", "json"]).exits(3).json();
    assert_eq!((&document["complete"], &document["notices"][0]["level"]), (&json!(false), &json!("error")));
    assert!(document["notices"][0]["file"].as_str().unwrap().ends_with("broken.yaml"), "{document:#}");
    let quiet = home.driftdeck(["check", "repo", "-q"]).exits(3).stderr;
    assert!(quiet.starts_with("error: ") && !quiet.contains("info: "), "{quiet}");
    namespace.patch("configmap/settings", "merge", r#"{"data":{"colour":"red"}}"#, "kubectl-edit");
    home.driftdeck(["check", "repo"]).exits(1);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_run_that_compared_nothing_says_so_and_could_not_do_what_was_asked() {
    let namespace = Namespace::new("nothing");
    let (home, repo) = (namespace.home(), crate::support::Repository::new());
    for app in ["a", "b"] {
        repo.write(&format!("{app}/app.yaml"), APP);
    }
    repo.commit("Add two apps");
    let document = home.driftdeck(["check", repo.path().to_str().unwrap(), "-o", "json"]).exits(2).json();
    assert_eq!(
        [&document["verdict"], &document["notices"][0]["title"]],
        [&json!("excluded"), &json!("nothing was compared")]
    );
}
