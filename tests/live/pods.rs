//! What runs, from a real API server: the pods that its controllers made, their events, and lines that a kubelet hands out.

use crate::support::{Https, Namespace, Repository, Run, Terminal};
use serde_json::json;

const CANARY: &str = "driftdeck-canary-of-a-log";

const WEB: &str = "\
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

/// A node whose kubelet is the test's own; it is taken away when it goes out of scope.
struct Node {
    namespace: Namespace,
    kubelet: Https,
}

impl Node {
    fn new(namespace: Namespace) -> Self {
        let kubelet = Https::serve(&namespace.plane, "text/plain", |seen| {
            format!(
                "{} previous={} tail={}\npassword={CANARY}\n\u{1b}]0;title\u{7}\n",
                seen.path.rsplit('/').next().unwrap_or_default(),
                seen.query.contains("previous=true"),
                seen.query.contains("tailLines=30"),
            )
        });
        let node = Self { namespace, kubelet };
        let name = &node.namespace.name;
        let made = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}});
        node.namespace.plane.try_kubectl(&["create", "-f", "-"], &made.to_string()).exits(0);
        let status = json!({"status": {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": node.kubelet.address.port()}},
        }});
        let status = status.to_string();
        node.namespace.plane.kubectl(&[
            "patch",
            "node",
            name,
            "--subresource=status",
            "--type=merge",
            "-p",
            &status,
        ]);
        node
    }

    /// Lets a pod run on the node, with one container that ends again and again.
    fn takes(&self, pod: &str) {
        let namespace = &self.namespace.name;
        let binding = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod, "namespace": namespace},
            "target": {"apiVersion": "v1", "kind": "Node", "name": namespace}});
        let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/binding");
        let bound: Run =
            self.namespace.plane.try_kubectl(&["create", "--raw", &path, "-f", "-"], &binding.to_string());
        bound.exits(0);
        let status = json!({"status": {"phase": "Running", "containerStatuses": [{
            "name": "app", "image": "web:1", "imageID": "", "ready": false, "restartCount": 4,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}},
            "lastState": {"terminated": {"exitCode": 2, "reason": "Error"}},
        }]}});
        let status = status.to_string();
        self.namespace.kubectl(&["patch", "pod", pod, "--subresource=status", "--type=merge", "-p", &status]);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Best effort: the whole control plane is thrown away at the end of the run.
        let _ =
            self.namespace.plane.try_kubectl(&["delete", "node", &self.namespace.name, "--wait=false"], "");
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn the_pods_of_a_deployment_say_why_they_do_not_come_up_and_what_they_printed_last() {
    let node = Node::new(Namespace::new("pods"));
    let namespace = &node.namespace;
    let repository = Repository::new();
    repository.write("web/all.yaml", WEB).commit("Add web");
    namespace.apply(WEB);
    let set = namespace
        .await_object("replicasets", "its pod is there", |sets| sets["items"][0]["status"]["replicas"] == 1);
    let set = set["items"][0]["metadata"]["name"].as_str().unwrap().to_owned();
    let pods = namespace.get("pods").unwrap();
    let pod = pods["items"][0]["metadata"]["name"].as_str().unwrap().to_owned();
    node.takes(&pod);
    // What somebody else runs here is nobody's business.
    namespace.kubectl(&["run", "stranger", "--image=registry.invalid/other:1"]);

    let home = namespace.home();
    let program = env!("CARGO_BIN_EXE_driftdeck");
    let mut deck = Terminal::start::<&str>(&home, repository.path(), program, &[], 150, 40);
    deck.await_text("all in sync");
    deck.keys("p");
    deck.await_text("last lines, before it ended");
    let screen = deck.await_text("as of ");
    for part in [
        &format!("! {pod}"),
        "0/1  CrashLoopBackOff         4",
        "app: CrashLoopBackOff: back-off 40s restarting failed container",
        &format!("SuccessfulCreate  ReplicaSet {set}: Created pod: {pod}"),
        &format!("ScalingReplicaSet  Deployment web: Scaled up replica set {set}"),
        &format!("{pod} app  last lines, before it ended"),
        "app previous=true",
        "<hidden: it looks like a secret>",
    ] {
        assert!(screen.contains(part), "{part} is in\n{screen}");
    }
    assert!(!screen.contains("stranger"), "{screen}");
    let raw = String::from_utf8_lossy(&deck.raw()).into_owned();
    assert!(
        !raw.contains(CANARY) && !raw.contains("\u{1b}]0;title"),
        "nothing secret or hostile reaches the terminal"
    );
    deck.keys("<esc>q");
    assert_eq!(deck.await_exit(), (0, None));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn who_may_see_pods_but_not_their_logs_or_events_is_told_so() {
    let namespace = Namespace::new("pods-denied");
    let repository = Repository::new();
    repository.write("web/all.yaml", WEB).commit("Add web");
    namespace.apply(WEB);
    namespace.await_object("pods", "its pod is there", |pods| pods["items"][0].is_object());
    namespace.allow("ana", "get,list,watch", "deployments.apps,replicasets.apps,pods");
    let home = crate::support::Home::new();
    namespace.plane.access("ana").in_namespace(&namespace.name).write_into(&home);
    let program = env!("CARGO_BIN_EXE_driftdeck");
    let mut deck = Terminal::start::<&str>(&home, repository.path(), program, &[], 150, 40);
    deck.await_text("web");
    deck.await_text("in sync");
    deck.keys("p");
    let screen = deck.await_text("as of ");
    assert!(screen.contains("Pending"), "{screen}");
    let gap = format!("not told: events of namespace {}: not allowed to list events", namespace.name);
    assert!(screen.contains(&gap), "{screen}");
}
