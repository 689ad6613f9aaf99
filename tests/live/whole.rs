//! Whole projects as people deploy them: nothing drifts that nobody changed, what was changed shows at exactly its path
//! with the right manager, a sync puts it right, and kubectl finds nothing to do afterwards.

use std::path::Path;

use crate::exact::agreement::assert_agrees;
use crate::support::{Home, Plane, Repository, Run, corpus};
use serde_json::Value;

/// Copies a folder of the corpus into a repository.
fn copied(from: &Path, repository: &Repository, to: &str) {
    for entry in walkdir::WalkDir::new(from).into_iter().map(|entry| entry.expect("a file of the corpus")) {
        if entry.file_type().is_file() {
            let below = entry.path().strip_prefix(from).expect("below the folder").display().to_string();
            repository.write(&format!("{to}/{below}"), std::fs::read(entry.path()).expect("a file"));
        }
    }
}

/// Whoever applies kube-prometheus to the second server has it for itself.
pub static MONITORING: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// A repository, a server that has no controllers, and a home that leads to it.
struct Stage {
    repository: Repository,
    plane: Plane,
    home: Home,
}

impl Stage {
    fn new() -> Self {
        let (plane, home) = (Plane::second(), Home::new());
        plane.access("admin").write_into(&home);
        Self { repository: Repository::new(), plane, home }
    }

    fn driftdeck(&self, words: &[&str]) -> Run {
        self.home.driftdeck_in(self.repository.path(), words, "")
    }

    /// What drifts, in a line each: object, class, path, manager.
    fn drift(&self) -> Vec<String> {
        let run = self.driftdeck(&["check", "-o", "json"]);
        let document = run.json();
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let mut lines = Vec::new();
        for resource in document["resources"].as_array().expect("resources") {
            let object = format!("{}/{}", text(&resource["kind"]), text(&resource["name"]));
            let verdict = text(&resource["verdict"]);
            let changes = resource["changes"].as_array().expect("changes");
            let counted: Vec<&Value> = changes.iter().filter(|c| c["counts"] == true).collect();
            if counted.is_empty() && verdict != "in-sync" {
                lines.push(format!("{object} {verdict} {}", text(&resource["why"])));
            }
            for change in counted {
                let (class, path) = (text(&change["class"]), text(&change["path"]));
                lines.push(format!("{object} {class} {path} {}", text(&change["manager"])));
            }
        }
        lines.sort();
        lines
    }

    /// The comparison here and the API server's own dry run agree on every object.
    fn assert_agrees(&self, subject: &str) {
        let path = self.repository.path().display().to_string();
        assert_agrees(&self.home, &path, 100, subject);
    }

    fn sync(&self) {
        let run = self.driftdeck(&["sync", "monitoring", "--yes"]);
        assert_eq!(run.code, 0, "{}\n{}", run.stdout, run.stderr);
        assert_eq!(self.drift(), Vec::<String>::new(), "nothing drifts after the sync");
    }

    fn kubectl_on_files(&self, words: &[&str]) -> String {
        let folder = self.repository.path().join("monitoring").display().to_string();
        self.plane.kubectl(&[words, &["-f", folder.as_str()]].concat())
    }

    /// The version of every object; without controllers only writes move them.
    fn versions(&self) -> String {
        let each = "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}\n{end}";
        self.kubectl_on_files(&["get", "-o", each])
    }

    /// What happens at three in the morning. The adapter's replicas are what a commit says that was not synced.
    fn disturb(&self, replicas: usize) {
        let image = r#"{"spec":{"template":{"spec":{"containers":[{"name":"grafana","image":"grafana/grafana:hot"}]}}}}"#;
        let within = ["--namespace", "monitoring"];
        let kubectl = |words: &[&str]| self.plane.kubectl(&[&within[..], words].concat());
        kubectl(&["patch", "deployment", "grafana", "--field-manager=kubectl-edit", "--patch", image]);
        kubectl(&["scale", "deployment", "prometheus-operator", "--replicas=3"]);
        kubectl(&["label", "service", "grafana", "by=hand"]);
        kubectl(&["delete", "configmap", "adapter-config"]);
        let file = "monitoring/prometheusAdapter-deployment.yaml";
        let path = self.repository.path().join(file);
        let text = std::fs::read_to_string(path).expect("the adapter");
        let other = |line: &str| match line.strip_prefix("  replicas: ") {
            Some(_) => format!("  replicas: {replicas}\n"),
            None => format!("{line}\n"),
        };
        self.repository.write(file, text.lines().map(other).collect::<String>()).commit("Other adapters");
    }
}

const DISTURBED: [&str; 5] = [
    "ConfigMap/adapter-config missing -",
    "Deployment/grafana changed .spec.template.spec.containers[name=\"grafana\"].image kubectl-edit",
    "Deployment/prometheus-adapter changed .spec.replicas MANAGER",
    "Deployment/prometheus-operator changed .spec.replicas kubectl",
    "Service/grafana foreign .metadata.labels.by kubectl-label",
];

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn kube_prometheus_drifts_only_where_it_was_changed_and_a_sync_puts_it_right_for_either_apply() {
    let Some(folder) = corpus("manifests/kube-prometheus/manifests") else { return };
    let _alone = MONITORING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let stage = Stage::new();
    copied(&folder.join("setup"), &stage.repository, "setup");
    copied(&folder, &stage.repository, "monitoring");
    stage.repository.remove("monitoring/setup");
    stage.repository.commit("Add kube-prometheus");
    let setup = stage.repository.path().join("setup").display().to_string();
    // Its definitions are too long for last-applied: its own README applies them so.
    stage.plane.kubectl(&["apply", "--server-side", "-f", &setup]);
    stage.plane.established(&["crd", "--all"]);
    let ways: [(&[&str], &str, usize); 2] = [
        (&["apply"], "kubectl-client-side-apply", 4),
        (&["apply", "--server-side", "--field-manager=fleet"], "fleet", 5),
    ];
    for (apply, manager, replicas) in ways {
        stage.kubectl_on_files(apply);
        assert_eq!(stage.drift(), Vec::<String>::new(), "freshly applied: {apply:?}");
        stage.assert_agrees(manager);
        stage.disturb(replicas);
        let disturbed = DISTURBED.map(|line| line.replace("MANAGER", manager));
        assert_eq!(stage.drift(), disturbed, "{apply:?}");
        stage.assert_agrees(manager);
        stage.sync();
        let before = stage.versions();
        stage.kubectl_on_files(apply);
        assert_eq!(stage.versions(), before, "kubectl changes nothing: {apply:?}");
        stage.kubectl_on_files(&["delete", "--wait=true"]);
    }
}
