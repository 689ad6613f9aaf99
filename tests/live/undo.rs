//! `driftdeck undo`: a sync is undone against what the cluster holds by then, from the journal alone.

use crate::headless_sync::named;
use crate::support::{Home, Namespace, Repository, canary};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: app, image: 'registry.invalid/web:1', ports: [{containerPort: 80}]}]
";

fn map(name: &str, data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {data}\n")
}

/// How an app was deployed, and what its objects are changed by.
type Deploy = fn(&Namespace, &str);

/// The app `web`, deployed, and then changed by hand: a Deployment's replicas and image, a ConfigMap's fields, one
/// ConfigMap missing, and one that Git does not declare any more.
fn drifted(subject: &str, deploy: Deploy) -> (Namespace, Home, Repository) {
    let (namespace, repo) = (Namespace::new(subject), Repository::named("fleet"));
    let (flags, old) = (map("flags", "{a: '1', b: '1'}"), map("old", "{k: '1'}"));
    repo.write("web/web.yaml", WEB)
        .write("web/flags.yaml", &flags)
        .write("web/old.yaml", &old)
        .commit("Add web");
    repo.remove("web/old.yaml");
    repo.write("web/new.yaml", map("new", "{k: '1'}")).commit("Replace old by new");
    deploy(&namespace, &format!("{WEB}---\n{flags}---\n{old}"));
    let by_hand = r#"{"spec":{"replicas":5,"template":{"spec":{"containers":[{"name":"app","image":"registry.invalid/web:2"}]}}}}"#;
    namespace.patch("deployment/web", "strategic", by_hand, "kubectl-edit");
    namespace.patch("configmap/flags", "merge", r#"{"data":{"a":"2","b":"2","c":"2"}}"#, "kubectl-edit");
    let home = namespace.home();
    (namespace, home, repo)
}

fn sync(home: &Home, repo: &Repository, more: &[&str]) {
    let words =
        ["sync", "web", repo.path().to_str().unwrap(), "--prune", "--no-wait", "--yes", "--confirm", "web"];
    home.driftdeck(words.iter().chain(more).copied()).exits(0);
}

/// The ids of the journal, oldest first.
fn ids(home: &Home) -> Vec<String> {
    let journal = home.driftdeck(["journal", "-o", "json"]).exits(0).json();
    let entries = journal["entries"].as_array().expect("entries").iter();
    entries.map(|entry| entry["id"].as_str().expect("an id").to_owned()).collect()
}

fn last(home: &Home) -> String {
    ids(home).pop().expect("an entry")
}

/// What of the app's objects a person would call their state.
fn state(namespace: &Namespace) -> Value {
    let data = |name: &str| namespace.get(&format!("configmap/{name}")).map(|live| live["data"].clone());
    let web = namespace.get("deployment/web").expect("it is there");
    json!({
        "replicas": web["spec"]["replicas"], "image": web["spec"]["template"]["spec"]["containers"][0]["image"],
        "flags": data("flags"), "old": data("old"), "new": data("new"),
    })
}

fn steps(document: &Value) -> Vec<Value> {
    let list = document["plan"]["steps"].as_array().expect("steps").iter();
    list.map(|s| json!([s["action"], s["resource"]["name"], s["outcome"]])).collect()
}

fn brings_each_object_back(subject: &str, deploy: Deploy) {
    let (namespace, home, repo) = drifted(subject, deploy);
    let by_hand = state(&namespace);
    sync(&home, &repo, &[]);
    let synced = state(&namespace);
    assert_ne!(by_hand, synced);
    assert_eq!(
        (&synced["replicas"], &synced["old"], &synced["new"]),
        (&json!(2), &Value::Null, &json!({"k": "1"}))
    );
    let id = last(&home);

    let planned = home.driftdeck(["undo", &id, "--dry-run"]).exits(0).stdout;
    for said in [
        "Undo what was done to web on",
        "create ConfigMap/",
        "patch Deployment.apps/",
        ".spec.replicas  2 ",
        "template changes: a rollout of 2 replicas follows; scales from 2 to 5",
        "delete ConfigMap/",
        "Git still declares what was written then: web drifts after this, and the next sync writes it again",
    ] {
        assert!(planned.contains(said), "{said:?} in {planned}");
    }
    assert_eq!(state(&namespace), synced, "a dry run writes nothing");
    // A deletion wants the app's name, whatever --yes says.
    let run = home.driftdeck(["undo", &id, "--yes"]).exits(2);
    assert!(
        run.stderr.contains("it wants --confirm web (deletes 1 object of web that it created)"),
        "{}",
        run.stderr
    );
    assert_eq!(state(&namespace), synced);

    let done = home.driftdeck(["undo", &id, "--confirm", "web", "-o", "json"]).exits(0).json();
    assert!(steps(&done).iter().all(|step| step[2] == "applied"), "{:?}", steps(&done));
    assert_eq!(done["command"], "undo");
    assert_eq!(state(&namespace), by_hand);
    let journal = home.driftdeck(["journal"]).exits(0).stdout;
    let told: Vec<&str> = journal.lines().filter(|line| !line.starts_with(' ')).collect();
    assert!(told.last().unwrap().contains(" undo web on "), "{journal}");
    assert!(
        journal.lines().any(|line| line.contains("    patch Deployment ") && line.contains(".spec.replicas")),
        "{journal}"
    );

    // Undoing the undo is as the sync left it, and another sync finds nothing to do.
    home.driftdeck(["undo", &last(&home), "--confirm", "web"]).exits(0);
    assert_eq!(state(&namespace), synced);
    let again =
        home.driftdeck(["sync", "web", repo.path().to_str().unwrap(), "--dry-run", "--prune"]).exits(0);
    assert!(again.stdout.contains("nothing to write"), "{}", again.stdout);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_was_applied_client_side_is_brought_back_by_an_undo() {
    brings_each_object_back("undo-client-side", |namespace, manifests| {
        namespace.apply(manifests);
    });
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn what_was_applied_server_side_is_brought_back_by_an_undo() {
    brings_each_object_back("undo-server-side", |namespace, manifests| {
        namespace.apply_server_side(manifests, "deployer");
    });
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn after_an_undo_the_app_drifts_as_it_did_and_the_next_sync_writes_what_git_declares_again() {
    let deploys: [(&str, Deploy); 2] = [
        ("undo-then-apply", |namespace, manifests| drop(namespace.apply(manifests))),
        ("undo-then-sync", |namespace, manifests| drop(namespace.apply_server_side(manifests, "deployer"))),
    ];
    for (subject, deploy) in deploys {
        drifts_as_it_did(subject, deploy);
    }
}

fn drifts_as_it_did(subject: &str, deploy: Deploy) {
    let (namespace, home, repo) = drifted(subject, deploy);
    sync(&home, &repo, &[]);
    let synced = state(&namespace);
    home.driftdeck(["undo", &last(&home), "--confirm", "web"]).exits(0);
    let drift = home.driftdeck(["diff", repo.path().to_str().unwrap()]).exits(1).stdout;
    for said in [".spec.replicas", ".data.c", "by hand, last write by driftdeck undo", "/old"] {
        assert!(drift.contains(said), "{said:?} in {drift}");
    }
    sync(&home, &repo, &[]);
    assert_eq!(state(&namespace), synced);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_field_that_somebody_changed_since_is_left_alone_and_said() {
    let (namespace, home, repo) = drifted("undo-since", |namespace, manifests| {
        namespace.apply(manifests);
    });
    sync(&home, &repo, &[]);
    let id = last(&home);
    namespace.patch("configmap/flags", "merge", r#"{"data":{"a":"7"}}"#, "kubectl-patch");
    namespace.patch("deployment/web", "merge", r#"{"spec":{"replicas":9}}"#, "kubectl-scale");
    namespace.kubectl(&["delete", "configmap", "new"]);
    namespace.apply(&map("new", "{mine: '1'}"));
    let run = home.driftdeck(["undo", &id, "--yes"]).exits(0);
    for said in [
        format!(
            "will not: put back .data.a of ConfigMap/{}/flags: it was changed since; kubectl-patch wrote it last",
            namespace.name
        ),
        format!(
            "will not: put back .spec.replicas of Deployment.apps/{}/web: it was changed since; kubectl-scale wrote it last",
            namespace.name
        ),
        format!("will not: delete ConfigMap/{}/new: it is another one than was created then", namespace.name),
    ] {
        assert!(run.stdout.contains(&said), "{said:?} in {}", run.stdout);
    }
    let now = state(&namespace);
    assert_eq!(now["flags"], json!({"a": "7", "b": "2", "c": "2"}));
    assert_eq!((&now["replicas"], &now["image"]), (&json!(9), &json!("registry.invalid/web:2")));
    assert_eq!(now["new"], json!({"mine": "1"}));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn the_plan_of_an_undo_reads_as_people_confirm_it() {
    let (namespace, home, repo) = drifted("undo-text", |namespace, manifests| {
        namespace.apply(manifests);
    });
    sync(&home, &repo, &[]);
    let id = last(&home);
    namespace.patch("configmap/flags", "merge", r#"{"data":{"a":"7"}}"#, "kubectl-patch");
    let text = home.driftdeck(["undo", &id, "--dry-run"]).exits(0).stdout;
    insta::assert_snapshot!("plan", named(&text.replace(&id, "ID"), &namespace, &repo));
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn secrets_and_what_looks_like_one_are_not_stored_and_the_plan_says_so() {
    let (namespace, repo) = (Namespace::new("undo-secrets"), Repository::new());
    let home = namespace.home();
    namespace.apply(&canary::manifests(&canary::LIVE, canary::PASSWORDS[1]));
    namespace.apply(&map("plain", "{a: '2'}"));
    repo.write("web/all.yaml", canary::manifests(&canary::DECLARED, canary::PASSWORDS[0]))
        .write("web/plain.yaml", map("plain", "{a: '1'}"))
        .commit("Add web");
    sync(&home, &repo, &[]);
    let run = home.driftdeck(["undo", &last(&home), "--yes"]).exits(0);
    for said in [
        "/in-data: Secrets are never stored",
        "/in-string-data: Secrets are never stored",
        "/web: it held a value that looks like a secret, and such objects are not stored",
        "patch ConfigMap/",
    ] {
        assert!(run.stdout.contains(said), "{said:?} in {}", run.stdout);
    }
    canary::absent("the plan of an undo", format!("{}{}", run.stdout, run.stderr).as_bytes());
    let before = home.path().join("state/driftdeck/journal/before");
    let files: Vec<_> = std::fs::read_dir(&before).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            file.display()
        );
    }
    assert_eq!(std::fs::metadata(&before).unwrap().permissions().mode() & 0o777, 0o700);
    canary::absent_below(&home.path().join("state"));
    assert_eq!(namespace.get("configmap/plain").unwrap()["data"]["a"], "2");
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn a_claim_a_job_and_a_definition_are_never_undone() {
    let (namespace, repo) = (Namespace::new("undo-never"), Repository::new());
    let home = namespace.home();
    let group = format!("{}.example.com", namespace.name);
    repo.write(
        "web/all.yaml",
        format!(
            "apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data}}
spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {{name: once}}
spec: {{suspend: true, template: {{spec: {{restartPolicy: Never, containers: [{{name: a, image: registry.invalid/a:1}}]}}}}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: things.{group}}}
spec:
  group: {group}
  scope: Namespaced
  names: {{kind: Thing, plural: things}}
  versions: [{{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object}}}}}}]
"
        ),
    )
    .commit("Add web");
    sync(
        &home,
        &repo,
        &[
            "--only",
            "PersistentVolumeClaim/data",
            "--only",
            "Job.batch/once",
            "--only",
            &format!("CustomResourceDefinition.apiextensions.k8s.io/things.{group}"),
        ],
    );
    let run = home.driftdeck(["undo", &last(&home), "--yes"]).exits(2);
    for said in [
        "nothing to write",
        "its data would not come back",
        "what it ran cannot be undone",
        "the objects of its kind would not come back",
    ] {
        assert!(run.stdout.contains(said), "{said:?} in {}", run.stdout);
    }
    assert!(namespace.get("persistentvolumeclaim/data").is_some() && namespace.get("job/once").is_some());
    namespace.kubectl(&["delete", "crd", &format!("things.{group}")]);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn an_unknown_or_ambiguous_id_and_another_cluster_are_errors() {
    let (namespace, home, repo) = drifted("undo-ids", |namespace, manifests| {
        namespace.apply(manifests);
    });
    let run = home.driftdeck(["undo", "nowhere"]).exits(2);
    assert_eq!(run.stderr, "error: the journal has no action nowhere\n  hint: the journal is empty\n");
    sync(&home, &repo, &[]);
    namespace.patch("configmap/flags", "merge", r#"{"data":{"a":"2"}}"#, "kubectl-edit");
    sync(&home, &repo, &[]);
    let ids = ids(&home);
    for asked in ["nowhere", "20"] {
        let document = home.driftdeck(["undo", asked, "-o", "json"]).exits(2).json();
        let hint = document["notices"][0]["hint"].as_str().unwrap();
        assert!(ids.iter().all(|id| hint.contains(id)), "{hint}");
        assert_eq!((&document["command"], &document["plan"]), (&json!("undo"), &Value::Null));
    }
    let other = crate::support::Plane::second().access("admin").named("other");
    other.write_into(&home);
    let run = home.driftdeck(["undo", &ids[0], "--context", "other", "--yes"]).exits(2);
    assert!(run.stderr.contains("other is another cluster than"), "{}", run.stderr);
}

#[test]
#[ignore = "needs the control plane: run tests/run"]
fn read_only_refuses_an_undo_and_a_protected_cluster_wants_its_name() {
    let (namespace, home, repo) = drifted("undo-protected", |namespace, manifests| {
        namespace.apply(manifests);
    });
    sync(&home, &repo, &["--only", "ConfigMap/flags"]);
    let (id, synced) = (last(&home), state(&namespace));
    let run = home.driftdeck(["undo", &id, "--yes", "--read-only"]).exits(2);
    assert!(run.stderr.contains("is read-only here"), "{}", run.stderr);
    // A context is protected by its name.
    namespace.access().named("prod-eu").write_into(&home);
    let run = home.driftdeck(["undo", &id, "--yes", "--context", "prod-eu"]).exits(2);
    assert!(run.stderr.contains("it wants --confirm prod-eu (prod-eu is protected)"), "{}", run.stderr);
    assert!(run.stdout.contains("PROTECTED"), "{}", run.stdout);
    assert_eq!(state(&namespace), synced);
    home.driftdeck(["undo", &id, "--context", "prod-eu", "--confirm", "prod-eu"]).exits(0);
    assert_eq!(state(&namespace)["flags"], json!({"a": "2", "b": "2", "c": "2"}));
}
