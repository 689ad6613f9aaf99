//! What changed anywhere, from a real API server: who edited what where, newest first, in one command.

use std::time::Duration;

use crate::support::{Home, Namespace, Repository, Run, Terminal, eventually};
use serde_json::Value;

const APP: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: 'registry.invalid/web:1'}]}
";

/// The manifests in a namespace of their own.
fn within(namespace: &str) -> String {
    APP.replace(
        "metadata: {name: settings}",
        &format!("metadata: {{name: settings, namespace: {namespace}}}"),
    )
    .replace("metadata: {name: web}", &format!("metadata: {{name: web, namespace: {namespace}}}"))
}

fn changes(home: &Home, repository: &Repository, words: &[&str]) -> Run {
    let all = ["changes", "--since", "1h"].iter().chain(words);
    home.driftdeck_in(repository.path(), all, "")
}

/// Each change of a kind as app, path and who.
fn told(document: &Value, kind: &str) -> Vec<[String; 3]> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let all = document["changes"].as_array().unwrap().iter();
    let of_kind = all.filter(|change| change["kind"] == kind);
    of_kind.map(|change| ["app", "path", "who"].map(|field| text(&change[field]))).collect()
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn five_edits_by_hand_in_five_places_are_named_in_order_with_syncs_rollouts_and_warnings() {
    let repository = Repository::new();
    let namespaces: Vec<Namespace> = (0..5).map(|at| Namespace::new(&format!("changes-{at}"))).collect();
    for (at, namespace) in namespaces.iter().enumerate() {
        let manifests = within(&namespace.name);
        repository.write(&format!("app{at}/all.yaml"), &manifests);
        namespace.apply(&manifests);
    }
    repository.commit("Add five apps");
    let hostile = serde_json::json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "odd"}, "type": "Warning", "reason": "Odd",
        "message": "\u{1b}]0;title\u{7}\u{202e}evil", "lastTimestamp": "2126-01-01T00:00:00Z", "source": {"component": "test"},
        "involvedObject": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": namespaces[0].name, "name": "web"},
    });
    let made = namespaces[0].try_kubectl(&["create", "-f", "-"], &hostile.to_string());
    made.exits(0);
    let order = [3, 0, 4, 1, 2];
    for at in order {
        #[allow(clippy::disallowed_methods, reason = "managed fields know whole seconds")]
        std::thread::sleep(Duration::from_millis(1100));
        let image = r#"{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"registry.invalid/web:2"}]}}}}"#;
        namespaces[at].patch("deployment/web", "strategic", image, "kubectl-edit");
    }
    let home = namespaces[0].home();
    let document = eventually("the rollouts have begun", || {
        let document = changes(&home, &repository, &["-o", "json"]).exits(0).json();
        (told(&document, "rollout").len() >= 10).then_some(document)
    });
    let path = r#".spec.template.spec.containers[name="app"].image"#;
    let edits = order.iter().rev().map(|at| [format!("app{at}"), path.to_owned(), "kubectl-edit".to_owned()]);
    assert_eq!(told(&document, "field"), edits.collect::<Vec<_>>(), "{document:#}");
    assert_eq!(told(&document, "sync").len(), 5, "{document:#}");
    assert_eq!(told(&document, "event"), [["app0".to_owned(), "-".to_owned(), "test".to_owned()]]);
    let times: Vec<&str> = document["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["time"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    let blind = document["blind"].to_string();
    assert!(blind.contains("deletions and overwritten writes before"), "{blind}");
    let text = changes(&home, &repository, &[]).exits(0).stdout;
    assert!(text.contains("image  by hand, kubectl edit") && text.contains("cannot know: "), "{text}");
    assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn whoever_may_read_little_is_told_what_is_not_known() {
    let (namespace, repository) = (Namespace::new("changes-little"), Repository::new());
    let manifests = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: blue}\n";
    repository.write("web/all.yaml", manifests).commit("Add web");
    namespace.apply(manifests);
    namespace.patch("configmap/settings", "merge", r#"{"data":{"colour":"red"}}"#, "kubectl-edit");
    namespace.allow("ana", "get,list,watch", "configmaps");
    let home = Home::new();
    namespace.plane.access("ana").in_namespace(&namespace.name).write_into(&home);
    let document = eventually("the grant is in force", || {
        let document = changes(&home, &repository, &["-o", "json"]).exits(0).json();
        (!told(&document, "field").is_empty()).then_some(document)
    });
    assert_eq!(
        told(&document, "field"),
        [["web".to_owned(), ".data.colour".to_owned(), "kubectl-edit".to_owned()]]
    );
    let blind = document["blind"].to_string();
    for what in ["warning events in namespace", "rollouts in namespace"] {
        assert!(blind.contains(what), "{blind}");
    }
}

/// A chart of one ConfigMap, so that nothing but Helm itself is needed.
const CHART: &str = "apiVersion: v2\nname: lamp\nversion: 1.0.0\n";

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn the_revisions_of_a_helm_release_are_told_with_their_status() {
    let namespace = Namespace::new("changes-helm");
    let home = namespace.home();
    home.write("repo/lamp/Chart.yaml", CHART);
    home.write("repo/lamp/values.yaml", "colour: blue\n");
    let template =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lamp}\ndata: {colour: '{{ .Values.colour }}'}\n";
    home.write("repo/lamp/templates/lamp.yaml", template);
    for words in [&["install", "lamp", "."][..], &["upgrade", "lamp", ".", "--set", "colour=red"]] {
        let mut helm = home.command("helm");
        helm.args(words).args(["--namespace", &namespace.name]).current_dir(home.path().join("repo/lamp"));
        Run::of(&mut helm).exits(0);
    }
    let document = home.driftdeck(["changes", "repo", "--since", "1h", "-o", "json"]).exits(0).json();
    let all = document["changes"].as_array().unwrap().iter();
    let mut releases: Vec<&str> = all
        .filter(|change| change["kind"] == "release")
        .map(|change| change["what"].as_str().unwrap())
        .collect();
    releases.sort_unstable();
    assert_eq!(
        releases,
        ["release lamp revision 1, superseded", "release lamp revision 2, deployed"],
        "{document:#}"
    );
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_managed_fields_do_not_tell_is_told_by_a_deck_that_was_open_and_said_to_be_unknown_otherwise() {
    let (namespace, repository) = (Namespace::new("changes-open"), Repository::new());
    let policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: open}\n\
        spec: {podSelector: {}, ingress: [{}], egress: [{}]}\n";
    let limited =
        APP.replace("image: 'registry", "resources: {limits: {cpu: 1, memory: 1Gi}}, image: 'registry");
    let manifests = format!("{limited}---\n{policy}");
    repository.write("web/all.yaml", &manifests).commit("Add web");
    namespace.apply(&manifests);
    let home = namespace.home();
    let program = env!("CARGO_BIN_EXE_driftdeck");
    let mut deck = Terminal::start::<&str>(&home, repository.path(), program, &[], 160, 40);
    deck.await_text("all in sync");
    for replicas in ["6", "3"] {
        namespace.kubectl(&["scale", "deployment/web", &format!("--replicas={replicas}")]);
    }
    namespace.patch("networkpolicy/open", "merge", r#"{"spec":{"ingress":null}}"#, "kubectl-patch");
    let no_limit = r#"[{"op":"remove","path":"/spec/template/spec/containers/0/resources/limits/cpu"}]"#;
    namespace.patch("deployment/web", "json", no_limit, "kubectl-patch");
    namespace.kubectl(&["label", "configmap/settings", "team=night"]);
    deck.keys("t");
    deck.await_text("label team");
    let screen = deck.text();
    for (what, who) in [
        ("replicas, overwritten since", "by hand, kubectl"),
        ("replicas  ", "by hand, kubectl"),
        ("removed ingress", "not recorded"),
        ("removed limits cpu", "not recorded"),
        ("label team", "by hand, kubectl label"),
    ] {
        let lines = screen.lines().filter(|line| line.contains(what) && line.contains(who));
        assert_eq!(lines.count(), 1, "{what}: {screen}");
    }
    let text = changes(&home, &repository, &[]).exits(0).stdout;
    let unknown =
        format!("cannot know: when kubectl wrote replicas of Deployment.apps/{}/web", namespace.name);
    assert!(text.contains(&unknown), "{text}");
}
