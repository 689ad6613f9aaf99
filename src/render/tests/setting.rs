//! Where a value is set that no manifest declares as it is.

use super::*;
use crate::model::manifest::BodyLines;
use crate::model::{FieldPath, Identity, ResourceId, Value};
use crate::text::yaml::read_documents;

/// The rendered object that a document stands for.
fn rendered(text: &str, file: &str) -> Manifest {
    let body = read_documents(text.as_bytes()).remove(0).unwrap().value;
    let kind = GroupVersionKind::from_api_version(
        body.str_at(&["apiVersion"]).unwrap(),
        body.str_at(&["kind"]).unwrap(),
    );
    let identity = Identity {
        cluster: ClusterId("c".into()),
        kind: kind.group_kind(),
        namespace: Some("shop".to_owned()),
        name: body.str_at(&["metadata", "name"]).map(str::to_owned),
    };
    Manifest {
        id: ResourceId::from(identity),
        kind,
        body,
        origin: Origin { file: file.to_owned(), document: 0, line: None },
        problems: Vec::new(),
        lines: BodyLines::default(),
        overlay: None,
    }
}

/// Says where a field is set, as `file:line`.
fn place(app: &App, tree: &MemoryTree, manifest: &Manifest, path: &str, desired: impl Into<Value>) -> String {
    let found = setting(app, tree, manifest, &FieldPath::parse(path).unwrap(), &desired.into());
    found.map_or_else(
        || "-".to_owned(),
        |Setting { origin, .. }| {
            format!("{}:{}", origin.file, origin.line.map_or("?".to_owned(), |line| line.to_string()))
        },
    )
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: prod-web
  labels: {team: shop, tier: front}
spec:
  replicas: 3
  paused: false
  revisionHistoryLimit: 5
  template:
    spec:
      containers:
      - name: side
        image: side:1
      - name: app
        image: registry.example.com/web:1.4.2
        env:
        - {name: MODE, value: fast}
        resources: {limits: {memory: 512Mi}}
";

#[test]
fn what_a_kustomization_sets_is_on_the_line_that_sets_it() {
    let tree = with(&[
        (
            "prod/kustomization.yaml",
            "\
resources: [../base]
namePrefix: prod-
labels:
- pairs:
    team: shop
commonLabels: {tier: front}
images:
- name: registry.example.com/web
  newTag: 1.4.2
replicas:
- name: web
  count: 3
patches:
- path: memory.yaml
- target: {kind: Deployment}
  patch: |-
    - op: replace
      path: /spec/revisionHistoryLimit
      value: 5
    - op: add
      path: /spec/template/spec/containers/1/env
      value:
      - {name: MODE, value: fast}
",
        ),
        (
            "prod/memory.yaml",
            "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - name: app
        resources:
          limits:
            memory: 512Mi
",
        ),
        ("base/kustomization.yaml", "patchesStrategicMerge: [paused.yaml]\n"),
        (
            "base/paused.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  paused: false\n",
        ),
    ]);
    let (app, manifest) = (kustomize_app("prod"), rendered(DEPLOYMENT, "base/web.yaml"));
    let text = |value: &str| Value::string(value);
    for (path, desired, found) in [
        (
            r#".spec.template.spec.containers[name="app"].resources.limits.memory"#,
            text("512Mi"),
            "prod/memory.yaml:11",
        ),
        (
            r#".spec.template.spec.containers[name="app"].image"#,
            text("registry.example.com/web:1.4.2"),
            "prod/kustomization.yaml:9",
        ),
        (r#".spec.template.spec.containers[name="side"].image"#, text("side:1"), "-"),
        (".spec.replicas", text("3"), "prod/kustomization.yaml:12"),
        (".spec.replicas", text("4"), "-"),
        (".spec.revisionHistoryLimit", text("5"), "prod/kustomization.yaml:19"),
        (
            r#".spec.template.spec.containers[name="app"].env[name="MODE"].value"#,
            text("fast"),
            "prod/kustomization.yaml:22",
        ),
        (".metadata.labels.team", text("shop"), "prod/kustomization.yaml:5"),
        (".metadata.labels.tier", text("front"), "prod/kustomization.yaml:6"),
        (".spec.paused", text("false"), "base/paused.yaml:5"),
    ] {
        assert_eq!(place(&app, &tree, &manifest, path, desired), found, "{path}");
    }
}

#[test]
fn what_a_generator_makes_is_on_the_line_of_its_key() {
    let tree = with(&[
        (
            "prod/kustomization.yaml",
            "\
configMapGenerator:
- name: other
  literals: [MODE=slow]
- name: web
  literals:
  - LEVEL=info
  - MODE='fast'
  files: [app.conf, named=deep/x.conf]
  envs: [absent.env, web.env]
- name: web-more
  literals: [LEVEL=debug]
",
        ),
        ("prod/web.env", "# comment\nHOST=example.com\n"),
        ("prod/deep/x.conf", "a=b\n"),
    ]);
    let config_map = |name: &str, key: &str, value: Value| {
        let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
        let manifest = rendered(&text, "prod/kustomization.yaml");
        place(&kustomize_app("prod"), &tree, &manifest, &format!(".data.{key}"), value)
    };
    for (name, key, value, found) in [
        ("web-7c9f", "MODE", "fast", "prod/kustomization.yaml:7"),
        ("web-7c9f", "MODE", "slow", "-"),
        ("web-7c9f", "HOST", "example.com", "prod/web.env:2"),
        ("web-7c9f", "named", "a=b\n", "prod/deep/x.conf:?"),
        ("web-7c9f", "named", "other", "-"),
        ("web-7c9f", "ABSENT", "x", "-"),
        // The longest name that fits is meant, and the value is compared.
        ("web-more-7c9f", "LEVEL", "debug", "prod/kustomization.yaml:11"),
        ("web-more-7c9f", "LEVEL", "info", "-"),
        ("web-7c9f", "LEVEL", "debug", "-"),
    ] {
        assert_eq!(config_map(name, key, Value::string(value)), found, "{name} {key} {value}");
    }
    let sealed = |text: &str| Value::Sealed(crate::model::Sealed::text(text.to_owned()));
    assert_eq!(config_map("web-7c9f", "MODE", sealed("fast")), "prod/kustomization.yaml:7");
    assert_eq!(config_map("web-7c9f", "MODE", sealed("slow")), "-");
}

#[test]
fn a_patch_that_is_not_there_and_one_of_another_field_or_object_hide_no_other() {
    let patch = |name: &str, replicas: u8| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{replicas: {replicas}}}\n"
        )
    };
    let tree = with(&[
        (
            "prod/kustomization.yaml",
            "\
patches:
- path: absent.yaml
- path: ../../outside.yaml
- path: short.yaml
- path: long.yaml
- path: operations.yaml
  target: {kind: Deployment, name: prod-web}
",
        ),
        ("prod/short.yaml", &patch("web", 3)),
        ("prod/long.yaml", &patch("prod-web", 3)),
        (
            "prod/operations.yaml",
            "\
- op: add
  path: /metadata/labels/app
  value: web
- op: add
  path: /metadata/labels/app.kubernetes.io~1name
  value: web
- op: add
  path: /metadata/labels/app
  value: web
",
        ),
    ]);
    let text = DEPLOYMENT.replace("team: shop", "app: web, app.kubernetes.io/name: web");
    let (app, manifest) = (kustomize_app("prod"), rendered(&text, "base/web.yaml"));
    for (path, desired, found) in [
        (".spec.replicas", "3", "prod/long.yaml:4"),
        (".metadata.labels.app", "web", "prod/operations.yaml:9"),
    ] {
        assert_eq!(place(&app, &tree, &manifest, path, Value::string(desired)), found, "{path}");
    }
    let dotted = FieldPath::parse(".metadata.labels").unwrap().field("app.kubernetes.io/name");
    let found = setting(&app, &tree, &manifest, &dotted, &Value::string("web")).unwrap();
    assert_eq!(found.origin.line, Some(6), "by `/metadata/labels/app.kubernetes.io~1name`");
}

#[test]
fn what_a_template_takes_from_values_is_on_their_line() {
    let template = "\
spec:
  replicas: {{ .Values.replicaCount }}
  template:
    spec:
      containers:
      - name: app
        image: \"{{ .Values.image.repository }}:{{ .Values.image.tag }}\"
        resources:
          {{- toYaml .Values.resources | nindent 10 }}
";
    let values = "\
replicaCount: 1
image:
  repository: registry.example.com/web
  tag: 1.4.2
resources:
  limits:
    memory: 512Mi
";
    let tree = with(&[
        ("chart/templates/web.yaml", template),
        ("chart/values.yaml", values),
        ("values/prod.yaml", "# production\nreplicaCount: 3\n"),
    ]);
    let (app, manifest) =
        (helm_app("chart", &["values/prod.yaml"]), rendered(DEPLOYMENT, "chart/templates/web.yaml"));
    for (path, desired, found) in [
        (".spec.replicas", "3", "values/prod.yaml:2"),
        (".spec.replicas", "9", "-"),
        (
            r#".spec.template.spec.containers[name="app"].image"#,
            "registry.example.com/web:1.4.2",
            "chart/values.yaml:4",
        ),
        (
            r#".spec.template.spec.containers[name="app"].resources.limits.memory"#,
            "512Mi",
            "chart/values.yaml:7",
        ),
        (".spec.paused", "false", "-"),
    ] {
        assert_eq!(place(&app, &tree, &manifest, path, Value::string(desired)), found, "{path}");
    }
}
