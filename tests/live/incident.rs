//! An incident from its beginning to its end, over the real API server and the real forge: from the keyboard, and by the
//! same steps in a shell script (`incident.sh`).
//!
//! Somebody scaled a Deployment and edited its image by hand. The one is captured into Git as a pull request, the other
//! is reverted by a sync. Then a bad commit is merged: it is found in the history, its rendered effect is seen, the revert
//! is opened as a pull request, merged in the forge, and the app is in sync.

use crate::support::{Forge, ForgeRepository, Home, Namespace, Repository, Run, Terminal};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_driftdeck");

fn web(image: &str) -> String {
    format!(
        "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1 # enough for now
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
        - name: web
          image: registry.invalid/web:{image}
"
    )
}

struct Incident {
    namespace: Namespace,
    home: Home,
    local: Repository,
    remote: ForgeRepository,
}

impl Incident {
    fn new(subject: &str) -> Self {
        let (namespace, local, forge) =
            (Namespace::new(subject), Repository::named("fleet"), Forge::of_this_run());
        local.write("web/web.yaml", web("1.4.2")).commit("Add web");
        let remote = forge.of_repository(subject, &local);
        namespace.apply(&web("1.4.2"));
        let home = forge.home(&forge.owner);
        namespace.access().write_into(&home);
        namespace.kubectl(&["scale", "deployment/web", "--replicas=3"]);
        namespace.kubectl(&["set", "image", "deployment/web", "web=registry.invalid/web:hotfix"]);
        Self { namespace, home, local, remote }
    }

    /// What a colleague does at the forge and in the clone: merge what is open, and pull.
    fn merge_and_pull(&self) {
        let open: Vec<u64> = self
            .remote
            .requests()
            .iter()
            .filter(|request| request["state"] == "open")
            .map(|request| request["number"].as_u64().expect("a number"))
            .collect();
        let [number] = open.as_slice() else { panic!("one open request: {open:?}") };
        self.remote.merge(*number);
        self.git(&["pull", "--quiet", "--ff-only"]);
    }

    /// Git as the person runs it, with the forge's credentials.
    fn git(&self, words: &[&str]) {
        Run::of(self.home.command("git").arg("-C").arg(self.local.path()).args(words)).exits(0);
    }

    /// A bad commit is merged, and its engine applies it.
    fn break_it(&self) {
        let text = std::fs::read_to_string(self.local.path().join("web/web.yaml")).expect("the manifest");
        let bad = text.replace("web:1.4.2", "web:broken");
        self.local.write("web/web.yaml", &bad).commit("Release 1.5");
        self.git(&["push", "--quiet", "origin", "main"]);
        self.namespace.apply(&bad);
    }

    /// Writes what Git declares to the cluster, from the keyboard.
    fn sync(&self, deck: &mut Terminal) {
        deck.keys("S");
        deck.await_text("1 of 1 ticked");
        rest();
        deck.keys("A");
        deck.await_text("1 of 1 as planned");
        deck.keys("<esc>");
        deck.await_text("1 in sync");
        assert_eq!(self.live(), (3, "registry.invalid/web:1.4.2".to_owned()));
    }

    fn live(&self) -> (i64, String) {
        let web = self.namespace.get("deployment/web").expect("web");
        let image = web["spec"]["template"]["spec"]["containers"][0]["image"].as_str().expect("an image");
        (web["spec"]["replicas"].as_i64().expect("replicas"), image.to_owned())
    }
}

/// Keys that come at once are taken to be meant for what was there before the plan.
fn rest() {
    crate::support::patience::rest(Duration::from_millis(600));
}

/// Turns the plan of a commit that is shown into a pull request, and opens it.
fn open_request(deck: &mut Terminal) {
    rest();
    deck.keys("P");
    deck.await_text("that asks to merge");
    rest();
    deck.keys("A");
    deck.await_text("3 of 3 as planned");
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn an_incident_is_put_right_from_the_keyboard() {
    let incident = Incident::new("incident");
    let mut deck = Terminal::start::<&str>(&incident.home, incident.local.path(), PROGRAM, &[], 150, 40);
    deck.await_text(".spec.replicas");
    deck.await_text("web:hotfix");

    // The number of replicas is right: capture it, as a pull request.
    deck.keys("4");
    deck.keys("j");
    deck.keys("C");
    deck.await_text("captures .spec.replicas");
    open_request(&mut deck);
    deck.keys("<esc>");
    incident.merge_and_pull();
    deck.await_text("1 field");

    // The image is not: sync.
    incident.sync(&mut deck);

    // A bad commit arrives. Its effect is looked at in the history, and it is taken back as a pull request.
    incident.break_it();
    deck.await_text("Release 1.5");
    deck.keys("c");
    deck.await_text("plane is here");
    deck.keys("d");
    deck.keys("d");
    deck.keys("<enter>");
    deck.await_text("web:broken");
    deck.keys("<esc>");
    deck.await_text("History of web");
    deck.keys("U");
    deck.await_text("Take out");
    deck.await_text("changed web/web.yaml");
    open_request(&mut deck);
    deck.keys("<esc>");
    deck.await_text("History of web");
    deck.keys("<esc>");
    incident.merge_and_pull();
    deck.await_text("web:broken");

    // What Git declares again is written to the cluster.
    incident.sync(&mut deck);
}

#[test]
#[ignore = "needs the forge: run tests/run"]
fn an_incident_is_put_right_by_the_same_steps_in_a_shell() {
    let incident = Incident::new("incident-shell");
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/incident.sh");
    let step = |name: &str| {
        let mut command = incident.home.command("sh");
        command
            .current_dir(incident.local.path())
            .arg("-eu")
            .arg(&script)
            .arg(name)
            .env("DRIFTDECK", PROGRAM);
        Run::of(&mut command).exits(0).stdout
    };
    step("capture");
    incident.merge_and_pull();
    step("sync");
    assert_eq!(incident.live(), (3, "registry.invalid/web:1.4.2".to_owned()));
    incident.break_it();
    let seen = step("look");
    assert!(seen.contains("Release 1.5") && seen.contains("web:broken"), "{seen}");
    step("revert");
    incident.merge_and_pull();
    step("sync");
    step("green");
    assert_eq!(incident.live(), (3, "registry.invalid/web:1.4.2".to_owned()));
}
