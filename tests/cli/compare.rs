//! `driftdeck compare`.

use crate::support::{Home, Repository};
use serde_json::json;

const DESIRED: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: web:1
        ports:
        - containerPort: 80
";

fn live(image: &str, more: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels: {{app: web}}
  uid: u
  resourceVersion: '7'
  generation: 3
  creationTimestamp: '2026-01-01T00:00:00Z'
  managedFields:
  - manager: kubectl-client-side-apply
    operation: Update
    apiVersion: apps/v1
    time: '2026-01-01T00:00:00Z'
    fieldsType: FieldsV1
    fieldsV1: {{'f:spec': {{'f:replicas': {{}}}}}}
  - manager: kubectl-edit
    operation: Update
    apiVersion: apps/v1
    time: '2026-01-02T02:41:00Z'
    fieldsType: FieldsV1
    fieldsV1:
      f:spec:
        f:template:
          f:spec:
            f:containers:
              'k:{{\"name\":\"app\"}}':
                f:image: {{}}
                f:env: {{'.': {{}}, 'k:{{\"name\":\"DEBUG\"}}': {{'.': {{}}, 'f:name': {{}}, 'f:value': {{}}}}}}
spec:
  progressDeadlineSeconds: 600
  replicas: 2
  revisionHistoryLimit: 10
  selector: {{matchLabels: {{app: web}}}}
  strategy: {{type: RollingUpdate, rollingUpdate: {{maxSurge: 25%, maxUnavailable: 25%}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      - name: app
        image: {image}
        imagePullPolicy: IfNotPresent
        ports:
        - {{containerPort: 80, protocol: TCP}}
        resources: {{}}
        terminationMessagePath: /dev/termination-log
        terminationMessagePolicy: File
{more}
      dnsPolicy: ClusterFirst
      restartPolicy: Always
      schedulerName: default-scheduler
      securityContext: {{}}
      terminationGracePeriodSeconds: 30
status: {{}}
"
    )
}

#[test]
fn what_the_server_fills_in_is_no_drift() {
    let home = Home::new();
    home.write("desired.yaml", DESIRED);
    home.write("live.yaml", live("web:1", ""));
    let run = home.driftdeck(["compare", "desired.yaml", "live.yaml", "-o", "json"]);
    let run = run.exits(0);
    let document = run.json();
    assert_eq!(document["schema"], "driftdeck/v1");
    assert_eq!(document["command"], "compare");
    assert_eq!(document["verdict"], "in-sync");
    assert_eq!(document["complete"], true);
    assert_eq!(document["apps"], json!([]));
    let resource = &document["resources"][0];
    assert_eq!((&resource["app"], &resource["cluster"]), (&json!(null), &json!(null)));
    assert_eq!(resource["line"], 1);
    assert_eq!(resource["file"].as_str().unwrap().rsplit('/').next(), Some("desired.yaml"));
}

#[test]
fn an_edit_by_hand_is_named_with_path_writer_and_line() {
    let home = Home::new();
    home.write("desired.yaml", DESIRED);
    home.write("live.yaml", live("web:2", "        env: [{name: DEBUG, value: '1'}]"));
    let run = home.driftdeck(["compare", "desired.yaml", "live.yaml", "-o", "json"]);
    let run = run.exits(1);
    let document = run.json();
    assert_eq!(document["verdict"], "drifted");
    let changes: Vec<_> = document["resources"][0]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["counts"] == true)
        .map(|c| {
            json!([
                c["path"],
                c["class"],
                c["cause"],
                c["desired"],
                c["live"],
                c["manager"],
                c["operation"],
                c["time"],
                c["line"]
            ])
        })
        .collect();
    let env = r#".spec.template.spec.containers[name="app"].env"#;
    let image = r#".spec.template.spec.containers[name="app"].image"#;
    assert_eq!(
        changes,
        [
            json!([env, "foreign", "by-hand", null, [{"name": "DEBUG", "value": "1"}], "kubectl-edit", "Update", "2026-01-02T02:41:00Z", null]),
            json!([
                image,
                "changed",
                "by-hand",
                "web:1",
                "web:2",
                "kubectl-edit",
                "Update",
                "2026-01-02T02:41:00Z",
                12
            ]),
        ]
    );
}

#[test]
fn segments_spell_out_the_keys_of_a_path() {
    let home = Home::new();
    home.write("desired.yaml", DESIRED);
    home.write("live.yaml", live("web:2", ""));
    let document = home.driftdeck(["compare", "desired.yaml", "live.yaml", "-o", "json"]).json();
    assert_eq!(
        document["resources"][0]["changes"][0]["segments"],
        json!(["spec", "template", "spec", "containers", {"keys": {"name": "app"}}, "image"])
    );
}

#[test]
fn one_side_may_be_standard_input_and_a_list_is_flattened() {
    let home = Home::new();
    home.write("desired.yaml", DESIRED);
    let list = json!({"apiVersion": "v1", "kind": "List", "items": []}).to_string();
    let run = home.driftdeck_in(home.path(), ["compare", "desired.yaml", "-", "-o", "json"], list.as_str());
    let run = run.exits(1);
    assert_eq!(run.json()["resources"][0]["verdict"], "missing");
    home.driftdeck(["compare", "-", "-"]).exits(2);
}

#[test]
fn a_document_that_cannot_be_read_is_named_and_the_rest_is_compared() {
    let home = Home::new();
    home.write("desired.yaml", format!("{DESIRED}---\na: [\n"));
    home.write("live.yaml", live("web:1", ""));
    let run = home.driftdeck(["compare", "desired.yaml", "live.yaml", "-o", "json"]);
    let run = run.exits(3);
    let document = run.json();
    assert_eq!(document["complete"], false);
    assert_eq!(document["resources"][0]["verdict"], "in-sync");
    let notice = &document["notices"].as_array().unwrap().iter().find(|n| n["level"] == "error").unwrap();
    assert!(notice["line"].as_u64().unwrap() > 14, "{notice}");
}

#[test]
fn duplicate_keys_make_the_object_invalid_with_their_line() {
    let home = Home::new();
    home.write("desired.yaml", DESIRED.replace("  replicas: 2\n", "  replicas: 1\n  replicas: 2\n"));
    home.write("live.yaml", live("web:1", ""));
    let run = home.driftdeck(["compare", "desired.yaml", "live.yaml", "-o", "json"]);
    let run = run.exits(1);
    let resource = &run.json()["resources"][0];
    assert_eq!(resource["verdict"], "invalid");
    assert_eq!(resource["problems"][0]["line"], 6);
}

#[test]
fn values_of_secrets_are_fingerprints_that_agree_within_a_run() {
    let home = Home::new();
    let secret = |value: &str, extra: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: s, namespace: shop}}\ntype: Opaque\n{extra}: {{p: {value}}}\n"
        )
    };
    home.write("desired.yaml", secret("canary-one", "stringData"));
    home.write("same.yaml", secret("Y2FuYXJ5LW9uZQ==", "data"));
    home.write("other.yaml", secret("Y2FuYXJ5LXR3bw==", "data"));
    home.driftdeck(["compare", "desired.yaml", "same.yaml"]).exits(0);
    for form in ["json", "yaml", "text"] {
        let run = home.driftdeck(["compare", "desired.yaml", "other.yaml", "-o", form]);
        let run = run.exits(1);
        for canary in ["canary", "Y2FuYXJ5"] {
            assert!(!run.stdout.contains(canary) && !run.stderr.contains(canary), "{form}: {}", run.stdout);
        }
    }
    let change = home.driftdeck(["compare", "desired.yaml", "other.yaml", "-o", "json"]).json()["resources"]
        [0]["changes"][0]
        .clone();
    assert!(change["desired"]["fingerprint"].is_string() && change["desired"] != change["live"], "{change}");
}

#[test]
fn exit_codes_bend_to_strict_and_exit_zero() {
    let home = Home::new();
    home.write("desired.yaml", format!("{DESIRED}---\na: [\n"));
    home.write("live.yaml", live("web:2", ""));
    home.driftdeck(["compare", "desired.yaml", "live.yaml"]).exits(1);
    home.driftdeck(["compare", "desired.yaml", "live.yaml", "--strict"]).exits(3);
    home.driftdeck(["compare", "desired.yaml", "live.yaml", "--exit-zero"]).exits(0);
    home.driftdeck(["compare", "nowhere.yaml", "live.yaml"]).exits(2);
    home.driftdeck(["compare", "desired.yaml"]).exits(2);
}

#[test]
fn ignored_files_count_where_somebody_names_them() {
    let (home, repo) = (Home::new(), Repository::named("fleet"));
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    repo.write(".gitignore", "live.yaml\ndumps/*.yaml\nout/\n");
    repo.write("a.yaml", manifest);
    repo.commit("Add a");
    for file in ["live.yaml", "dumps/live.yaml", "out/rendered/a.yaml", "out/rendered/more/README.md"] {
        repo.write(file, manifest);
    }
    let exits = |words: &[&str], code: i32| home.driftdeck_in(repo.path(), words, "").exits(code);
    for live in ["live.yaml", "dumps", "dumps/live.yaml", "out"] {
        exits(&["compare", "a.yaml", live], 0);
    }
    for desired in ["live.yaml", "dumps/live.yaml", "out", "out/rendered", "out/rendered/a.yaml"] {
        exits(&["compare", desired, "live.yaml"], 0);
        let document = exits(&["render", desired, "-o", "json"], 0).json();
        assert_eq!(document["manifests"].as_array().unwrap().len(), 1, "{desired}");
    }
    let document = exits(&["render", ".", "-o", "json"], 0).json();
    assert_eq!(document["manifests"].as_array().unwrap().len(), 1, "what nobody names stays ignored");
}

#[test]
fn live_objects_that_cannot_be_read_at_all_are_no_drift() {
    let home = Home::new();
    home.write("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    home.write("live.yaml", "a: [\n");
    let run = home.driftdeck(["compare", "a.yaml", "live.yaml"]).exits(2);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.starts_with("error: a document of live.yaml cannot be read"), "{}", run.stderr);
    home.write("live.yaml", "a: [\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n");
    home.driftdeck(["compare", "a.yaml", "live.yaml"]).exits(3);
}
