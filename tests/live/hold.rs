//! Holds, on upstream's definitions of the engines' objects: `driftdeck hold`, `resume` and `hold --list`.

use crate::support::{Fault, FaultProxy, Home, Matching, Namespace, Plane, Repository};
use crate::who::install;
use serde_json::{Value, json};
use std::path::PathBuf;

pub const KUSTOMIZATION: &str = "kustomization.kustomize.toolkit.fluxcd.io/web";
const HELM_RELEASE: &str = "helmrelease.helm.toolkit.fluxcd.io/web";
const APPLICATION: &str = "application.argoproj.io/web";

/// An app whose objects carry an engine's mark, and the engine's object.
pub struct Stage {
    namespace: Namespace,
    pub home: Home,
    pub repository: Repository,
}

impl Stage {
    /// `mark`: the metadata that the engine leaves on the app's objects, with `NS` for the namespace.
    fn new(plane: Plane, subject: &str, mark: &str, engine: &Value) -> Self {
        let (namespace, repository) = (Namespace::on(plane, subject), Repository::new());
        let settings = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata: {colour: blue}\n";
        repository.write("web/all.yaml", settings).commit("Be blue");
        let mark = mark.replace("NS", &namespace.name);
        let marked = settings.replace("  name: settings\n", &format!("  name: settings\n  {mark}\n"));
        namespace.apply_server_side(&marked, "engine");
        namespace.try_kubectl(&["create", "-f", "-"], &engine.to_string()).exits(0);
        let home = namespace.home();
        Self { namespace, home, repository }
    }

    pub fn flux(subject: &str) -> Self {
        let plane = Plane::second();
        install(&plane, "flux-kustomizations.yaml", "kustomizations.kustomize.toolkit.fluxcd.io");
        Self::new(
            plane,
            subject,
            "labels: {kustomize.toolkit.fluxcd.io/name: web, kustomize.toolkit.fluxcd.io/namespace: NS}",
            &json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": "web"},
                "spec": {"interval": "10m", "prune": true, "path": "web", "sourceRef": {"kind": "GitRepository", "name": "fleet"}}}),
        )
    }

    fn helm(subject: &str) -> Self {
        let plane = Plane::second();
        install(&plane, "flux-helmreleases.yaml", "helmreleases.helm.toolkit.fluxcd.io");
        Self::new(
            plane,
            subject,
            "labels: {helm.toolkit.fluxcd.io/name: web, helm.toolkit.fluxcd.io/namespace: NS}",
            &json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "web"},
                "spec": {"interval": "10m", "chartRef": {"kind": "OCIRepository", "name": "web"}, "suspend": false}}),
        )
    }

    fn argo(plane: Plane, subject: &str, policy: &Value) -> Self {
        Self::new(
            plane,
            subject,
            "annotations: {argocd.argoproj.io/tracking-id: 'NS_web:/ConfigMap:NS/settings'}",
            &json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "web"},
                "spec": {"project": "default", "destination": {"namespace": "x", "server": "https://kubernetes.default.svc"},
                    "source": {"repoURL": "https://example.com/fleet.git", "path": "web"}, "syncPolicy": policy}}),
        )
    }

    pub fn name(&self) -> String {
        self.namespace.name.clone()
    }

    /// Changes the app's object by hand.
    pub fn change(&self, patch: &str) {
        self.namespace.patch("configmap/settings", "merge", patch, "kubectl-edit");
    }

    pub fn run<const N: usize>(&self, words: [&str; N]) -> crate::support::Run {
        self.home.driftdeck_in(self.repository.path(), words, "")
    }

    /// The hold of the app in `check`.
    fn told(&self) -> Value {
        let document = self.run(["check", "-o", "json"]).exits(0).json();
        document["apps"][0]["hold"].clone()
    }

    /// The hold of this test in the list.
    fn listed(&self) -> Vec<Value> {
        let document = self.run(["hold", "--list", "-o", "json"]).exits(0).json();
        let holds = document["holds"].as_array().expect("holds").iter();
        holds.filter(|hold| hold["object"]["namespace"] == self.namespace.name.as_str()).cloned().collect()
    }

    /// What of the engine's object is not the server's own business.
    pub fn engine(&self, object: &str) -> Value {
        let live = self.namespace.get(object).expect("it is there");
        json!({"spec": live["spec"], "annotations": live["metadata"]["annotations"], "labels": live["metadata"]["labels"]})
    }
}

fn holds_and_resumes(stage: &Stage, object: &str, held: &dyn Fn(&Value) -> bool) {
    let before = stage.engine(object);
    assert_eq!((stage.told(), stage.listed()), (Value::Null, vec![]));
    let planned =
        stage.run(["hold", "web", "--reason", "hot fix", "--for", "2h", "--dry-run"]).exits(0).stdout;
    for said in [
        "Hold the engine of web on",
        "as driftdeck",
        "engine ",
        "hold-reason",
        "nothing ends the hold by itself",
    ] {
        assert!(planned.contains(said), "{said:?} in {planned}");
    }
    stage.run(["hold", "web", "--reason", "hot fix", "--for", "2h"]).exits(2);
    assert_eq!(stage.engine(object), before, "neither a dry run nor an unconfirmed plan writes");

    let done = stage
        .run(["hold", "web", "--reason", "hot fix", "--for", "2h", "--yes", "-o", "json"])
        .exits(0)
        .json();
    assert_eq!((&done["command"], &done["verdict"]), (&json!("hold"), &Value::Null));
    let step = &done["plan"]["steps"][0];
    assert_eq!(
        (&step["action"], &step["outcome"], &step["manager"]),
        (&json!("engine"), &json!("applied"), &json!("driftdeck"))
    );
    let live = stage.engine(object);
    assert!(held(&live["spec"]), "{live}");
    assert_eq!(live["annotations"]["driftdeck.dev/hold-reason"], "hot fix");
    let hold = stage.told();
    assert_eq!(
        (&hold["ours"], &hold["reason"], &hold["expired"]),
        (&json!(true), &json!("hot fix"), &json!(false))
    );
    assert_eq!(hold["owner"], live["annotations"]["driftdeck.dev/hold-owner"]);
    assert_eq!(stage.listed().len(), 1);
    let text = stage.run(["hold", "--list"]).exits(0).stdout;
    let line = text.lines().find(|line| line.contains(&stage.namespace.name)).expect("it is listed");
    assert!(line.contains("held until 20") && line.ends_with(": hot fix"), "{line}");

    // Held again it is the same hold with another reason.
    stage.run(["hold", "web", "--reason", "still at it", "--yes"]).exits(0);
    assert_eq!(stage.told()["reason"], "still at it");

    let done = stage.run(["resume", "web", "--yes", "-o", "json"]).exits(0).json();
    assert_eq!(done["plan"]["steps"][0]["outcome"], "applied", "{done:#}");
    assert_eq!(stage.engine(object), before, "it is as it was");
    assert_eq!((stage.told(), stage.listed()), (Value::Null, vec![]));
    let again = stage.run(["resume", "web", "--yes"]).exits(2);
    assert!(again.stdout.contains("it is not paused"), "{}", again.stdout);
    let journal = stage.run(["journal", "-o", "json"]).exits(0).json();
    let entries = journal["entries"].as_array().expect("entries").iter();
    let commands: Vec<&Value> = entries.map(|entry| &entry["command"]).collect();
    assert_eq!(commands, ["hold", "hold", "resume"]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_kustomization_is_suspended_and_goes_on_as_it_was() {
    let stage = Stage::flux("hold-flux");
    holds_and_resumes(&stage, KUSTOMIZATION, &|spec| spec["suspend"] == true);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_helm_release_is_suspended_and_goes_on_as_it_was() {
    let stage = Stage::helm("hold-helm");
    holds_and_resumes(&stage, HELM_RELEASE, &|spec| spec["suspend"] == true);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_applications_automation_is_switched_off_and_on_again() {
    let plane = Plane::second();
    install(&plane, "argocd-application.yaml", "applications.argoproj.io");
    let policy = json!({"automated": {"prune": true, "selfHeal": true}});
    let stage = Stage::argo(plane, "hold-argo", &policy);
    holds_and_resumes(&stage, APPLICATION, &|spec| {
        spec["syncPolicy"]["automated"] == json!({"prune": true, "selfHeal": true, "enabled": false})
    });
}

/// Installs the definition of Applications as it was before their automation had a switch.
fn install_older(plane: &Plane) {
    let folder = PathBuf::from(std::env::var_os("DRIFTDECK_CRDS").expect("DRIFTDECK_CRDS names the CRDs"));
    let text = std::fs::read_to_string(folder.join("argocd-application.yaml")).expect("the definition");
    let mut older = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let depth = line.len() - line.trim_start().len();
        if line.trim() == "enabled:" {
            while lines.peek().is_some_and(|next| next.len() - next.trim_start().len() > depth) {
                lines.next();
            }
            continue;
        }
        older.push_str(line);
        older.push('\n');
    }
    assert_ne!(older.len(), text.len());
    plane.try_kubectl(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &older).exits(0);
    plane.established(&["crd/applications.argoproj.io"]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_argo_cd_without_that_switch_has_its_policy_kept_and_put_back() {
    let plane = Plane::of_this_run();
    install_older(&plane);
    let policy = json!({"automated": {"prune": true}, "retry": {"limit": 2}});
    let stage = Stage::argo(plane, "hold-older", &policy);
    holds_and_resumes(&stage, APPLICATION, &|spec| spec["syncPolicy"] == json!({"retry": {"limit": 2}}));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_others_suspended_is_told_with_who_did_it_and_is_not_taken_over() {
    let stage = Stage::flux("hold-others");
    stage.namespace.patch(KUSTOMIZATION, "merge", r#"{"spec":{"suspend":true}}"#, "flux");
    let [hold] = &stage.listed()[..] else { panic!("it is listed") };
    assert_eq!(
        (&hold["ours"], &hold["pausedBy"], &hold["until"]),
        (&json!(false), &json!("flux"), &Value::Null)
    );
    assert!(hold["pausedAt"].as_str().is_some_and(|at| at.ends_with('Z')), "{hold}");
    assert_eq!(stage.told()["pausedBy"], "flux");
    let before = stage.engine(KUSTOMIZATION);
    let run = stage.run(["hold", "web", "--reason", "mine", "--yes"]).exits(2);
    assert!(
        run.stdout.contains("flux has paused it already, and not by driftdeck; driftdeck resume web"),
        "{}",
        run.stdout
    );
    assert_eq!(stage.engine(KUSTOMIZATION), before);
    let run = stage.run(["resume", "web", "--yes"]).exits(0);
    assert!(run.stdout.contains("it was not driftdeck that paused it, but flux"), "{}", run.stdout);
    assert_eq!(stage.engine(KUSTOMIZATION)["spec"]["suspend"], false);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_expired_hold_stays_and_is_told_wherever_it_is_seen() {
    let stage = Stage::flux("hold-expired");
    stage.run(["hold", "web", "--reason", "hot fix", "--yes"]).exits(0);
    let past = json!({"metadata": {"annotations": {"driftdeck.dev/hold-until": "2026-01-01T00:00:00Z"}}});
    stage.namespace.patch(KUSTOMIZATION, "merge", &past.to_string(), "test");
    assert_eq!(stage.told()["expired"], true);
    let run = stage.run(["check"]).exits(0);
    assert!(
        run.stderr.contains("expired at 2026-01-01T00:00:00Z") && run.stderr.contains("driftdeck resume web"),
        "{}",
        run.stderr
    );
    assert_eq!(stage.listed()[0]["expired"], true);
    assert_eq!(stage.engine(KUSTOMIZATION)["spec"]["suspend"], true, "nothing resumes by itself");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_parent_that_will_undo_a_hold_is_named_on_its_plan() {
    let stage = Stage::flux("hold-parent");
    let name = &stage.namespace.name;
    let labels = json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "root", "kustomize.toolkit.fluxcd.io/namespace": name}}});
    stage.namespace.patch(KUSTOMIZATION, "merge", &labels.to_string(), "kustomize-controller");
    let planned = stage.run(["hold", "web", "--reason", "x", "--dry-run"]).exits(0).stdout;
    let parent = format!(
        "Flux's Kustomization {name}/root deploys this Kustomization: if Git declares its spec.suspend"
    );
    assert!(planned.contains(&parent), "{planned}");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_hold_of_what_no_engine_owns_or_that_says_no_reason_is_refused() {
    let (namespace, repository) = (Namespace::new("hold-none"), Repository::new());
    let settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: blue}\n";
    repository.write("web/all.yaml", settings).commit("Be blue");
    namespace.apply(settings);
    let home = namespace.home();
    let run =
        |words: &[&str]| home.driftdeck_in(repository.path(), words.iter().copied(), "").exits(2).stderr;
    let said = run(&["hold", "web", "--reason", "x", "--yes"]);
    assert!(said.contains("no engine owns web on"), "{said}");
    let said = run(&["resume", "web", "--yes"]);
    assert!(said.contains("no engine owns web on"), "{said}");
    assert!(run(&["hold", "web", "--reason", " ", "--yes"]).contains("a hold needs a reason"));
    assert!(run(&["hold", "web", "--yes"]).contains("--reason"));
    assert!(run(&["hold", "web", "--reason", "x", "--for", "0s", "--yes"]).contains("longer than no time"));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn protected_read_only_and_broken_connections_are_as_for_a_sync() {
    let stage = Stage::flux("hold-guarded");
    let before = stage.engine(KUSTOMIZATION);
    let said = stage.run(["hold", "web", "--reason", "x", "--yes", "--read-only"]).exits(2).stderr;
    assert!(said.contains("read-only"), "{said}");

    let proxy = FaultProxy::in_front_of(&stage.namespace.plane);
    let home = Home::new();
    proxy.through(stage.namespace.access().named("prod-eu")).write_into(&home);
    let run = |words: &[&str]| home.driftdeck_in(stage.repository.path(), words.iter().copied(), "");
    let said = run(&["hold", "web", "--reason", "x", "--yes"]).exits(2).stderr;
    assert!(said.contains("--confirm prod-eu"), "{said}");
    let writes = || Matching::writes().resource("kustomizations");
    proxy.once(writes(), Fault::forbidden());
    let refused =
        run(&["hold", "web", "--reason", "x", "--confirm", "prod-eu", "-o", "json"]).exits(2).json();
    assert_eq!(refused["plan"]["steps"][0]["outcome"], "failed");
    proxy.once(writes(), Fault::DropBefore);
    let failed = run(&["hold", "web", "--reason", "x", "--confirm", "prod-eu", "-o", "json"]).exits(2).json();
    assert_eq!(failed["plan"]["steps"][0]["outcome"], "failed");
    assert_eq!(stage.engine(KUSTOMIZATION), before);
    proxy.once(writes(), Fault::DropAfter);
    let done = run(&["hold", "web", "--reason", "x", "--confirm", "prod-eu", "-o", "json"]).exits(0).json();
    assert_eq!(done["plan"]["steps"][0]["outcome"], "applied", "it was read back");
    assert_eq!(stage.engine(KUSTOMIZATION)["spec"]["suspend"], true);
    let journal = run(&["journal", "-o", "json"]).exits(0).json();
    let entries = journal["entries"].as_array().expect("entries").iter();
    let outcomes: Vec<&Value> = entries.map(|entry| &entry["outcome"]).collect();
    assert_eq!(outcomes, ["failed", "failed", "applied"]);
}
