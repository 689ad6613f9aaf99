//! The ground that the live tests stand on: what the support promises holds against the real API server.

use std::time::Duration;

use crate::support::{
    Fault, FaultProxy, Home, Matching, Namespace, Plane, Repository, Run, Terminal, eventually, never_within,
};

const CONFIG_MAP: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: blue}\n";

/// Runs kubectl through the kubeconfig of a home.
fn kubectl(home: &Home, arguments: &[&str]) -> Run {
    Run::of(home.command("kubectl").args(arguments))
}

/// A namespace with one ConfigMap, a proxy in front of its cluster, and a home that leads through the proxy.
fn behind_a_proxy(subject: &str) -> (Namespace, FaultProxy, Home) {
    let namespace = Namespace::new(subject);
    namespace.apply(CONFIG_MAP);
    let proxy = FaultProxy::in_front_of(&namespace.plane);
    let home = Home::new();
    proxy.through(namespace.access()).write_into(&home);
    (namespace, proxy, home)
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_applied_object_reads_back_with_its_manager() {
    let namespace = Namespace::new("ground");
    namespace.apply(CONFIG_MAP);
    let live = namespace.get("configmap/settings").expect("it was applied");
    assert_eq!(live["data"]["colour"], "blue");
    assert_eq!(live["metadata"]["managedFields"][0]["manager"], "kubectl-client-side-apply");
    namespace.apply_server_side(CONFIG_MAP, "deployer");
    namespace.patch("configmap/settings", "merge", r#"{"data":{"shape":"round"}}"#, "kubectl-edit");
    let live = namespace.get("configmap/settings").expect("it was applied");
    let managers: Vec<_> = live["metadata"]["managedFields"].as_array().expect("a list").iter().collect();
    assert!(managers.iter().any(|entry| entry["manager"] == "deployer" && entry["operation"] == "Apply"));
    assert!(
        managers.iter().any(|entry| entry["manager"] == "kubectl-edit" && entry["operation"] == "Update")
    );
    assert_eq!(namespace.get("configmap/nowhere"), None);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn controllers_run_and_the_second_server_is_another() {
    let namespace = Namespace::new("controllers");
    namespace.kubectl(&["create", "deployment", "web", "--image=registry.invalid/web:1", "--replicas=2"]);
    namespace.await_object("deployment/web", "two pods made", |live| live["status"]["replicas"] == 2);
    let uid =
        |plane: &Plane| plane.kubectl(&["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"]);
    assert_ne!(uid(&namespace.plane), uid(&Plane::second()));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_user_may_do_what_was_granted_and_nothing_else() {
    let namespace = Namespace::new("rights");
    let home = Home::new();
    namespace.plane.access("ana").in_namespace(&namespace.name).write_into(&home);
    kubectl(&home, &["get", "configmaps"]).exits(1);
    namespace.allow("ana", "get,list", "configmaps");
    // The authorizer reads roles from a watch of its own.
    eventually("the grant is in force", || (kubectl(&home, &["get", "configmaps"]).code == 0).then_some(()));
    kubectl(&home, &["get", "secrets"]).exits(1);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn the_proxy_hands_on_and_remembers_what_was_asked() {
    let (namespace, proxy, home) = behind_a_proxy("proxy");
    assert_eq!(
        kubectl(&home, &["get", "configmap", "settings", "-o", "jsonpath={.data.colour}"]).stdout,
        "blue"
    );
    let read = Matching::verbs(&["get"]).resource("configmaps").namespace(&namespace.name).name("settings");
    let seen = proxy.seen_matching(&read);
    assert_eq!(seen.len(), 1, "{}", proxy.listing());
    assert_eq!((seen[0].status, seen[0].fault), (Some(200), None));
    assert!(seen[0].user_agent().starts_with("kubectl/"), "{}", seen[0].user_agent());
    assert_eq!(proxy.seen_matching(&Matching::writes()).len(), 0);

    kubectl(&home, &["label", "configmap", "settings", "a=b", "--dry-run=server"]).exits(0);
    assert_eq!(proxy.seen_matching(&Matching::writes()).len(), 0, "a dry run writes nothing");
    kubectl(&home, &["label", "configmap", "settings", "a=b"]).exits(0);
    let writes = proxy.seen_matching(&Matching::writes());
    assert_eq!(writes.len(), 1, "{}", proxy.listing());
    assert_eq!(writes[0].verb, "patch");
    assert!(String::from_utf8_lossy(&writes[0].body).contains(r#""a":"b""#));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn each_fault_is_what_the_client_meets() {
    let (namespace, proxy, home) = behind_a_proxy("faults");
    let get = || kubectl(&home, &["get", "configmap", "settings", "--request-timeout=2s"]);
    let label =
        |label: &str| kubectl(&home, &["label", "configmap", "settings", label, "--request-timeout=2s"]);
    let labels = || namespace.get("configmap/settings").expect("it is there")["metadata"]["labels"].clone();
    let reads = || Matching::verbs(&["get"]).resource("configmaps");
    let patches = || Matching::verbs(&["patch"]).resource("configmaps");

    proxy.always(patches(), Fault::DropBefore);
    label("dropped=before").exits(1);
    assert_eq!(labels()["dropped"], serde_json::Value::Null, "the server has not heard of it");
    proxy.clear();

    proxy.always(patches(), Fault::DropAfter);
    label("dropped=after").exits(1);
    assert_eq!(labels()["dropped"], "after", "the server has acted");
    proxy.clear();

    let hole = proxy.always(reads(), Fault::BlackHole);
    get().exits(1);
    assert_eq!(
        proxy.seen_matching(&reads()).last().map(|seen| (seen.status, seen.fault)),
        Some((None, Some("black hole")))
    );
    proxy.remove(hole);
    get().exits(0);

    proxy.once(reads(), Fault::forbidden());
    assert!(get().exits(1).stderr.contains("Forbidden"));
    get().exits(0);

    proxy.forget();
    proxy.once(reads(), Fault::too_many_requests(1));
    get().exits(0);
    let statuses: Vec<_> = proxy.seen_matching(&reads()).iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, [Some(429), Some(200)], "kubectl came back: {}", proxy.listing());

    proxy.after(1, 1, reads(), Fault::unavailable());
    get().exits(0);
    assert!(get().exits(1).stderr.contains("unable to handle"));

    proxy.once(reads(), Fault::Truncate(40));
    assert!(get().exits(1).stderr.contains("unexpected EOF"));

    proxy.once(reads(), Fault::Delay(Duration::from_millis(200)));
    get().exits(0);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_object_can_be_changed_between_a_read_and_the_write_that_follows() {
    let (namespace, proxy, home) = behind_a_proxy("between");
    let (plane, name) = (namespace.plane.clone(), namespace.name.clone());
    proxy.before(Matching::verbs(&["patch"]).resource("configmaps"), 0, move || {
        plane.kubectl(&["--namespace", &name, "delete", "configmap", "settings"]);
    });
    let run = kubectl(&home, &["label", "configmap", "settings", "a=b"]);
    assert!(run.exits(1).stderr.contains("not found"));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_watch_streams_through_the_proxy_until_it_is_frozen_or_cut() {
    let (namespace, proxy, home) = behind_a_proxy("watching");
    let arguments = ["get", "configmaps", "--watch", "--output=name"];
    let mut watching = Terminal::start(&home, home.path(), "kubectl", &arguments, 80, 24);
    watching.await_text("configmap/settings");
    proxy.await_seen(&Matching::verbs(&["watch"]).resource("configmaps"), 1);
    namespace.kubectl(&["create", "configmap", "second"]);
    watching.await_text("configmap/second");

    proxy.freeze(true);
    namespace.kubectl(&["create", "configmap", "third"]);
    never_within(Duration::from_millis(500), "an event through a frozen proxy", || {
        watching.text().contains("configmap/third")
    });
    proxy.freeze(false);
    watching.await_text("configmap/third");

    proxy.cut_all();
    watching.await_exit();
    watching.assert_given_back();

    proxy.once(Matching::verbs(&["watch"]), Fault::GoneInWatch);
    let path = format!("/api/v1/namespaces/{}/configmaps?watch=true", namespace.name);
    assert!(kubectl(&home, &["get", "--raw", &path]).exits(0).stdout.contains(r#""code":410"#));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn the_built_programs_are_the_pinned_ones() {
    let home = Home::new();
    let version =
        |program: &str, argument: &str| Run::of(home.command(program).args([argument])).exits(0).stdout;
    assert!(version("helm", "version").contains("v3.22.0"));
    assert!(version("kustomize", "version").contains("v5.8.2"));
    assert!(Plane::of_this_run().kubectl(&["version"]).contains("Server Version: v1.36.3"));
}

#[test]
fn a_repository_gives_the_same_commits_every_time() {
    let commits = || {
        let repository = Repository::new();
        repository.write("app/one.yaml", CONFIG_MAP).commit("Add settings");
        repository.write("app/one.yaml", "").commit_as("Ben <ben@example.com>", "Empty settings")
    };
    assert_eq!(commits(), commits());
    let repository = Repository::new();
    repository.write("app/one.yaml", CONFIG_MAP).commit("Add settings");
    let origin = repository.with_bare_origin();
    assert!(origin.join("HEAD").is_file());
    assert_eq!(repository.git(&["status", "--short", "--branch"]), "## main...origin/main\n");
}

#[test]
fn a_terminal_shows_what_is_drawn_takes_keys_and_notices_what_was_left_behind() {
    let home = Home::new();
    let mut shell = Terminal::start(&home, home.path(), "bash", &["--norc", "--noprofile", "-i"], 60, 10);
    shell.keys("PS1='ready> '<enter>");
    shell.await_text("\nready> ");
    shell.keys("stty size<enter>");
    shell.await_text("10 60");
    shell.resize(50, 12);
    shell.keys("stty size<enter>");
    shell.await_text("12 50");
    shell.keys("printf '\\e[?1049h\\e[?25l'; stty -echo<enter>");
    shell.await_screen("the other screen", |screen| screen.alternate_screen() && screen.hide_cursor());
    let left = shell.left_behind();
    assert!(left.contains(&"alternate screen") && left.contains(&"hidden cursor"), "{left:?}");
    shell.keys("printf '\\e[?1049l\\e[?25h'; stty echo; exec true<enter>");
    assert_eq!(shell.await_exit(), (0, None));
    shell.assert_given_back();
}

#[test]
fn a_terminal_that_is_taken_away_hangs_its_program_up() {
    let home = Home::new();
    let mut program = Terminal::start(&home, home.path(), "sleep", &["100"], 80, 24);
    program.hang_up();
    let (_, signal) = program.await_exit();
    assert_eq!(signal.as_deref(), Some("Hangup"));
}
