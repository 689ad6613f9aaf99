//! Charts, rendered by the real helm.

use super::*;
use crate::value;

const TEMPLATE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-web
spec:
  replicas: {{ .Values.replicaCount }}
  minReadySeconds: 3
  template:
    metadata:
      annotations:
        checksum/config: {{ .Values.settings | toJson | sha256sum }}
        {{- with .Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      containers:
      - name: web
        image: \"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}\"
        env:
        - name: FIXED
          value: \"3\"
        {{- toYaml .Values.env | nindent 8 }}
        resources:
          {{- toYaml .Values.resources | nindent 10 }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  {{- toYaml .Values.settings | nindent 2 }}
  level: {{ printf \"%s-%s\" .Values.level .Release.Name | upper }}
";

const VALUES: &str = "\
# how many
replicaCount: 1
image:
  repository: registry.example.com/web
  tag: \"\"
env:
- name: MODE
  value: fast
podAnnotations: {}
resources:
  limits: {cpu: 100m}
settings:
  mode: fast
  colour: red
level: info
";

fn chart(prod: &str) -> MemoryTree {
    files(&[
        ("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: 1.4.2\n"),
        ("chart/values.yaml", VALUES),
        ("chart/templates/web.yaml", TEMPLATE),
        ("envs/prod.yaml", prod),
    ])
}

const IMAGE: &str = r#".spec.template.spec.containers[name="web"].image"#;
const ENV: &str = r#".spec.template.spec.containers[name="web"].env"#;

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn a_value_is_set_in_the_file_that_sets_it_last() {
    let level = format!(r#"{ENV}[name="MODE"].value"#);
    let by_hand: &[ByHand<'_>] = &[(
        "Deployment.apps/default/shop-web",
        &[
            (".spec.replicas", Some(value!(5))),
            (IMAGE, Some(value!("registry.example.com/web:1.5.0"))),
            (&level, Some(value!("slow"))),
            (r#".spec.template.spec.containers[name="web"].resources.limits.cpu"#, Some(value!("200m"))),
        ],
    )];
    let prod = "# production\nreplicaCount: 3 # enough\nimage:\n  tag: 1.4.3\n";
    assert_eq!(
        capture_all(&helm("chart", &["envs/prod.yaml"]), chart(prod), by_hand).await,
        "\
envs/prod.yaml
- replicaCount: 3 # enough
+ replicaCount: 5 # enough
-   tag: 1.4.3
+   tag: 1.5.0
+ env:
+ - name: MODE
+   value: slow
+ resources:
+   limits:
+     cpu: 200m
.spec.replicas: `replicaCount` set in envs/prod.yaml, line 2
.spec.template.spec.containers[name=\"web\"].image: `image.tag` set in envs/prod.yaml, line 4
.spec.template.spec.containers[name=\"web\"].env[name=\"MODE\"].value: `env` set in envs/prod.yaml, line 5
.spec.template.spec.containers[name=\"web\"].resources.limits.cpu: `resources.limits.cpu` set in envs/prod.yaml, line 10
"
    );
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn a_chart_without_values_files_of_the_apps_keeps_its_values_itself() {
    let added = format!(r#"{ENV}[name="LEVEL"]"#);
    let by_hand: &[ByHand<'_>] = &[
        (
            "Deployment.apps/default/shop-web",
            &[
                (".spec.replicas", Some(value!(5))),
                (IMAGE, Some(value!("registry.example.com/web:1.5.0"))),
                (&added, Some(value!({"name": "LEVEL", "value": "3"}))),
                (".spec.template.metadata.annotations.note", Some(value!("x"))),
            ],
        ),
        ("ConfigMap/default/settings", &[(".data.colour", None), (".data.mode", Some(value!("slow")))]),
    ];
    let said = capture_all(&helm("chart", &[]), chart(""), by_hand).await;
    assert_eq!(
        said,
        "\
chart/values.yaml
- replicaCount: 1
+ replicaCount: 5
-   tag: \"\"
+   tag: \"1.5.0\"
- podAnnotations: {}
+ - name: LEVEL
+   value: \"3\"
+ podAnnotations:
+   note: x
-   mode: fast
-   colour: red
+   mode: slow
.spec.replicas: `replicaCount` set in chart/values.yaml, line 2
.spec.template.spec.containers[name=\"web\"].image: `image.tag` set in chart/values.yaml, line 5
.spec.template.spec.containers[name=\"web\"].env[name=\"LEVEL\"]: `env[name=\"LEVEL\"]` added to chart/values.yaml, line 9
.spec.template.metadata.annotations.note: `podAnnotations.note` added to chart/values.yaml, line 12
.data.colour: `settings.colour` removed from chart/values.yaml, line 17
  the checksums of Deployment.apps/default/shop-web follow: its pods start anew at the next sync
.data.mode: `settings.mode` set in chart/values.yaml, line 16
  the checksums of Deployment.apps/default/shop-web follow: its pods start anew at the next sync
"
    );
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn what_no_value_is_passed_through_to_is_refused_with_the_line_of_the_template() {
    let fixed = format!(r#"{ENV}[name="FIXED"].value"#);
    let by_hand: &[ByHand<'_>] = &[
        (
            "Deployment.apps/default/shop-web",
            &[(".spec.minReadySeconds", Some(value!(9))), (&fixed, Some(value!("4")))],
        ),
        ("ConfigMap/default/settings", &[(".data.level", Some(value!("DEBUG-SHOP")))]),
    ];
    // A value that is the same by chance is found out by rendering.
    let prod = "replicaCount: 3\n";
    assert_eq!(
        capture_all(&helm("chart", &["envs/prod.yaml"]), chart(prod), by_hand).await,
        "\
.spec.minReadySeconds refused: no value of the chart is passed through to it unchanged (chart/templates/web.yaml:7)
.spec.template.spec.containers[name=\"web\"].env[name=\"FIXED\"].value refused: no value of the chart is passed through to it unchanged (chart/templates/web.yaml:21)
.data.level refused: no value of the chart is passed through to it unchanged (chart/templates/web.yaml:32)
"
    );
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn what_the_chart_alone_sets_is_taken_away_by_null_in_the_apps_own_file() {
    let by_hand: &[ByHand<'_>] = &[("ConfigMap/default/settings", &[(".data.colour", None)])];
    assert_eq!(
        capture_all(&helm("chart", &["envs/prod.yaml"]), chart("replicaCount: 1\n"), by_hand).await,
        "\
envs/prod.yaml
+ settings:
+   colour: null
.data.colour: `settings.colour` removed from envs/prod.yaml, line 3
  the checksums of Deployment.apps/default/shop-web follow: its pods start anew at the next sync
"
    );
}
