//! Who, when and why, on the real API server: what the engine's own object says of a sync that failed, who scaled, who
//! injected, and the whole story of an object.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Home, Namespace, Plane, Repository, Run, Terminal};

const PROGRAM: &str = env!("CARGO_BIN_EXE_driftdeck");

/// Installs an upstream CRD, and waits until it is served.
pub fn install(plane: &Plane, file: &str, name: &str) {
    let folder = std::env::var_os("DRIFTDECK_CRDS").expect("DRIFTDECK_CRDS names the CRDs");
    let path = PathBuf::from(folder).join(file);
    plane.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", path.to_str().unwrap()]);
    plane.established(&[&format!("crd/{name}")]);
}

/// The one change that counts.
#[track_caller]
fn change(home: &Home, repository: &Repository) -> Value {
    let document = home.driftdeck_in(repository.path(), ["check", "-o", "json"], "").json();
    let changes = crate::catalogue::counted(&document);
    assert_eq!(changes.len(), 1, "{document:#}");
    changes[0].clone()
}

fn settings(colour: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  colour: {colour}\n")
}

/// A repository whose newest commit has not reached the cluster, and the engine's mark on the object there.
fn unsynced(namespace: &Namespace, mark: &str, manager: &str) -> Repository {
    let repository = Repository::new();
    repository.write("web/all.yaml", settings("blue")).commit("Be blue");
    let marked = settings("blue").replace("  name: settings\n", &format!("  name: settings\n{mark}"));
    namespace.apply_server_side(&marked, manager);
    repository.write("web/all.yaml", settings("red")).commit("Be red");
    repository
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_argo_cd_could_not_sync_is_a_failed_sync_in_its_own_words() {
    let namespace = Namespace::on(Plane::second(), "argo-failed");
    install(&namespace.plane, "argocd-application.yaml", "applications.argoproj.io");
    let name = &namespace.name;
    let mark = format!(
        "  annotations: {{argocd.argoproj.io/tracking-id: '{name}_shop:/ConfigMap:{name}/settings'}}\n"
    );
    let repository = unsynced(&namespace, &mark, "argocd-controller");
    let home = namespace.home();
    let waits = change(&home, &repository);
    assert_eq!((&waits["cause"], &waits["path"]), (&json!("unsynced-commit"), &json!(".data.colour")));

    let application = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "shop"},
        "spec": {"project": "default", "destination": {"namespace": name, "server": "https://kubernetes.default.svc"},
            "source": {"repoURL": "https://example.com/fleet.git", "path": "web"}},
    });
    namespace.apply(&application.to_string());
    assert_eq!(
        change(&home, &repository)["cause"],
        "unsynced-commit",
        "the engine says nothing of a failure"
    );
    let state = |phase: &str, result: &str, message: &str| {
        json!({"status": {"operationState": {
            "phase": phase, "startedAt": "2026-11-20T08:00:00Z", "message": "one or more objects failed to apply",
            "operation": {"sync": {}},
            "syncResult": {"revision": repository.head(), "resources": [{"group": "", "version": "v1",
                "kind": "ConfigMap", "namespace": name, "name": "settings", "status": result, "message": message}]},
        }}})
        .to_string()
    };
    let say = |status: &str| namespace.patch("application.argoproj.io/shop", "merge", status, "argocd");
    say(&state("Failed", "SyncFailed", "admission webhook \"policy\" denied the request"));
    let failed = change(&home, &repository);
    assert_eq!((&failed["cause"], &failed["author"]), (&json!("failed-sync"), &waits["author"]));
    let note = failed["note"].as_str().unwrap();
    let words = format!(
        "1 commit behind; Argo CD's application {name}/shop: admission webhook \"policy\" denied the request"
    );
    assert!(note.ends_with(&words), "{note}");
    let text = home.driftdeck_in(repository.path(), ["diff"], "").stdout;
    assert!(text.contains("failed sync, ") && text.contains("denied the request"), "{text}");

    say(&state("Succeeded", "Synced", "configured"));
    assert_eq!(change(&home, &repository)["cause"], "unsynced-commit", "it has yet to be told of the commit");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_flux_could_not_apply_is_a_failed_sync_in_its_own_words() {
    let namespace = Namespace::on(Plane::second(), "flux-failed");
    install(&namespace.plane, "flux-kustomizations.yaml", "kustomizations.kustomize.toolkit.fluxcd.io");
    let name = &namespace.name;
    let prefix = "kustomize.toolkit.fluxcd.io";
    let mark = format!("  labels: {{{prefix}/name: apps, {prefix}/namespace: {name}}}\n");
    let repository = unsynced(&namespace, &mark, "kustomize-controller");
    let home = namespace.home();
    let kustomization = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": "apps"},
        "spec": {"interval": "10m", "prune": true, "path": "web", "sourceRef": {"kind": "GitRepository", "name": "fleet"}},
    });
    namespace.apply(&kustomization.to_string());
    for (status, reason, cause) in [
        ("Unknown", "Progressing", "unsynced-commit"),
        ("False", "BuildFailed", "failed-sync"),
        ("False", "ReconciliationFailed", "failed-sync"),
        ("True", "ReconciliationSucceeded", "unsynced-commit"),
    ] {
        let patch = json!({"status": {"conditions": [{"type": "Ready", "status": status, "reason": reason,
            "message": "kustomize build failed: no such file", "lastTransitionTime": "2026-11-20T08:00:00Z"}]}});
        let object = "kustomization.kustomize.toolkit.fluxcd.io/apps";
        let words = ["patch", object, "--subresource=status", "--type=merge", "--patch"];
        namespace.kubectl(&[&words[..], &[&patch.to_string()]].concat());
        let said = change(&home, &repository);
        assert_eq!(said["cause"], cause, "{reason}");
        let note = said["note"].as_str().unwrap();
        let words =
            format!("; Flux's kustomization {name}/apps: {reason}: kustomize build failed: no such file");
        assert_eq!(note.ends_with(&words), cause == "failed-sync", "{note}");
    }
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn replicas_that_a_person_scaled_name_the_program_and_the_subresource() {
    let (namespace, repository) = (Namespace::new("scaled"), Repository::new());
    let web = crate::catalogue::deployment("", "");
    repository.write("web/all.yaml", &web).commit("Add web");
    namespace.apply(&web);
    namespace.kubectl(&["scale", "deployment/web", "--replicas=3"]);
    let said = change(&namespace.home(), &repository);
    assert_eq!(
        ["path", "class", "cause", "manager", "subresource", "agent"].map(|field| &said[field]),
        [
            &json!(".spec.replicas"),
            &json!("changed"),
            &json!("by-hand"),
            &json!("kubectl"),
            &json!("scale"),
            &Value::Null
        ]
    );
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_sidecar_that_a_mesh_injected_is_the_injectors_and_does_not_count() {
    let (namespace, repository) = (Namespace::new("injected"), Repository::new());
    let web = crate::catalogue::deployment("", "");
    repository.write("web/all.yaml", &web).commit("Add web");
    namespace.apply(&web);
    let sidecar = json!({"spec": {"template": {
        "metadata": {"annotations": {"sidecar.istio.io/status": "{}"}},
        "spec": {"containers": [{"name": "istio-proxy", "image": "istio:1"}]},
    }}});
    namespace.patch("deployment/web", "strategic", &sidecar.to_string(), "istio-sidecar-injector");
    let home = namespace.home();
    let document = home.driftdeck_in(repository.path(), ["check", "-o", "json"], "").exits(0).json();
    let said = document["resources"][0]["changes"].as_array().unwrap();
    let proxy = said.iter().find(|change| change["path"].as_str().unwrap().contains("istio-proxy"));
    let proxy = proxy.unwrap_or_else(|| panic!("the sidecar is said: {document:#}"));
    assert_eq!(
        ["class", "counts", "cause", "agent", "manager"].map(|field| &proxy[field]),
        [
            &json!("foreign"),
            &json!(false),
            &json!("webhook"),
            &json!("Istio sidecar injector"),
            &json!("istio-sidecar-injector")
        ]
    );
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn the_whole_story_shows_the_commit_the_hand_and_the_warnings_of_the_object() {
    let (namespace, repository) = (Namespace::new("story"), Repository::new());
    repository.write("web/all.yaml", settings("green")).commit("Be green");
    repository.write("web/all.yaml", settings("blue")).commit("Be blue");
    namespace.apply(&settings("blue"));
    namespace.patch("configmap/settings", "merge", r#"{"data":{"colour":"red"}}"#, "kubectl-edit");
    let event = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "odd"}, "type": "Warning", "reason": "FailedMount",
        "message": "no such key", "lastTimestamp": "2026-11-20T08:00:00Z", "source": {"component": "kubelet"}, "count": 4,
        "involvedObject": {"apiVersion": "v1", "kind": "ConfigMap", "namespace": namespace.name, "name": "settings"},
    });
    namespace.try_kubectl(&["create", "-f", "-"], &event.to_string()).exits(0);
    let home = namespace.home();
    let mut deck = Terminal::start::<&str>(&home, repository.path(), PROGRAM, &[], 150, 40);
    deck.await_text(".data.colour");
    deck.keys("4w");
    for words in ["FailedMount", "no such key (4 times)", "kubelet", "Be blue", "Be green", "kubectl-edit"] {
        deck.await_text(words);
    }
    deck.keys("<esc>q");
}

/// A subject, what writes the app, what renders it, and the file and line that declare the value.
type Case<'a> = (&'a str, &'a dyn Fn(&Repository), &'a [&'a str], &'a str, u64);

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_a_kustomize_patch_or_helm_values_set_is_that_lines_commit() {
    let base = crate::catalogue::deployment("", "");
    let patch = |replicas| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: {replicas}\n"
        )
    };
    let kustomize = |repository: &Repository| {
        repository
            .write("deploy/base/all.yaml", &base)
            .write("deploy/base/kustomization.yaml", "resources: [all.yaml]\n")
            .write(
                "deploy/overlays/prod/kustomization.yaml",
                "resources: [../../base]\npatches:\n- path: replicas.yaml\n",
            )
            .write("deploy/overlays/prod/replicas.yaml", patch(2))
            .commit("Add web");
        repository.write("deploy/overlays/prod/replicas.yaml", patch(3));
    };
    let helm = |repository: &Repository| {
        repository
            .write("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
            .write("web/values.yaml", "# how many\nreplicas: 2\n")
            .write("web/templates/web.yaml", base.replace("replicas: 1", "replicas: {{ .Values.replicas }}"))
            .commit("Add web");
        repository.write("web/values.yaml", "# how many\nreplicas: 3\n");
    };
    let cases: [Case<'_>; 2] = [
        (
            "kustomize",
            &kustomize,
            &["kustomize", "build", "deploy/overlays/prod"],
            "deploy/overlays/prod/replicas.yaml",
            6,
        ),
        ("helm", &helm, &["helm", "template", "web", "web"], "web/values.yaml", 2),
    ];
    for (subject, write, render, file, line) in cases {
        let (namespace, repository) = (Namespace::new(subject), Repository::new());
        write(&repository);
        let commit = repository.commit_as("Ben <ben@example.com>", "Run three");
        let home = namespace.home();
        let mut program = home.command(render[0]);
        let rendered = Run::of(program.args(&render[1..]).current_dir(repository.path())).exits(0).stdout;
        namespace.apply(&rendered);
        namespace.kubectl(&["scale", "deployment/web", "--replicas=5"]);
        let said = change(&home, &repository);
        assert_eq!(
            ["path", "desired", "file", "line", "commit", "author", "subject", "declaredBy"]
                .map(|field| said[field].clone()),
            [
                json!(".spec.replicas"),
                json!(3),
                json!(file),
                json!(line),
                json!(commit),
                json!("Ben"),
                json!("Run three"),
                json!("line")
            ],
            "{subject}"
        );
    }
}
