//! Plain manifests.

use super::*;
use crate::value;

const WEB: &str = "\
# the shop
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  mode: fast   # or slow
  colour: red
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3 # at night too
  template:
    spec:
      containers:
      - name: web
        image: nginx:1.25
        env:
        - name: MODE
          value: fast
";

#[tokio::test]
async fn each_field_is_put_on_its_own_line_of_the_manifest() {
    let by_hand: &[ByHand<'_>] = &[
        (
            "Deployment.apps/default/web",
            &[
                (".spec.replicas", Some(value!(5))),
                (r#".spec.template.spec.containers[name="web"].image"#, Some(value!("nginx:1.26"))),
                (r#".spec.template.spec.containers[name="web"].imagePullPolicy"#, Some(value!("Always"))),
                (
                    r#".spec.template.spec.containers[name="web"].env[name="LEVEL"]"#,
                    Some(value!({"name": "LEVEL", "value": "3"})),
                ),
            ],
        ),
        ("ConfigMap/default/settings", &[(".data.colour", None), (".data.mode", Some(value!("slow")))]),
    ];
    assert_eq!(
        capture_all(&plain("web"), files(&[("web/all.yaml", WEB), ("web/other.txt", "x")]), by_hand).await,
        "\
web/all.yaml
-   mode: fast   # or slow
-   colour: red
+   mode: slow   # or slow
-   replicas: 3 # at night too
+   replicas: 5 # at night too
-         image: nginx:1.25
+         image: nginx:1.26
+         imagePullPolicy: Always
+         - name: LEVEL
+           value: \"3\"
.spec.replicas: set in web/all.yaml, line 14
.spec.template.spec.containers[name=\"web\"].image: set in web/all.yaml, line 19
.spec.template.spec.containers[name=\"web\"].imagePullPolicy: added to web/all.yaml, line 20
.spec.template.spec.containers[name=\"web\"].env[name=\"LEVEL\"]: added to web/all.yaml, line 24
.data.colour: removed from web/all.yaml, line 8
.data.mode: set in web/all.yaml, line 7
"
    );
}

#[tokio::test]
async fn the_last_field_takes_its_map_with_it_where_the_cluster_has_none() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  only: x\n";
    let by_hand: &[ByHand<'_>] = &[("ConfigMap/default/c", &[(".data", None)])];
    assert_eq!(
        capture_all(&plain("web"), files(&[("web/c.yaml", text)]), by_hand).await,
        "web/c.yaml\n- data:\n-   only: x\n.data: removed from web/c.yaml, line 4\n"
    );
}

#[tokio::test]
async fn an_item_of_a_list_of_objects_is_changed_where_it_stands() {
    let text = "\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: a}
  data: {x: \"1\"}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: b}
  data: {x: \"1\"}
";
    let by_hand: &[ByHand<'_>] = &[("ConfigMap/default/b", &[(".data.x", Some(value!("2")))])];
    assert_eq!(
        capture_all(&plain("web"), files(&[("web/c.yaml", text)]), by_hand).await,
        "web/c.yaml\n-   data: {x: \"1\"}\n+   data: {x: \"2\"}\n.data.x: set in web/c.yaml, line 11\n"
    );
}

#[tokio::test]
async fn what_may_not_or_cannot_be_captured_is_refused_one_by_one() {
    let text = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: &labels {app: web}
  annotations: {note: '{{ x }}'}
spec:
  replicas: 1
  paused: false
  paused: false
  selector:
    matchLabels: *labels
";
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: canary}\n";
    let tree = files(&[("web/w.yaml", text), ("web/s.yaml", secret)]);
    let by_hand: &[ByHand<'_>] = &[(
        "Deployment.apps/default/web",
        &[
            (".metadata.labels.app", Some(value!("shop"))),
            (".spec.selector.matchLabels.app", Some(value!("shop"))),
            (".metadata.annotations.note", Some(value!("y"))),
            (".spec.paused", Some(value!(true))),
            (".metadata.annotations.password", Some(value!("hunter2"))),
            (
                ".spec.template.metadata.annotations.a",
                Some(value!("ghp_0123456789abcdefghijABCDEFGHIJ012345")),
            ),
            (".status.replicas", Some(value!(1))),
            (".metadata.uid", Some(value!("u"))),
            (".spec.replicas", Some(value!(2))),
        ],
    )];
    let said = capture_all(&plain("web"), tree.clone(), by_hand).await;
    assert_eq!(
        said,
        "\
web/w.yaml
-   replicas: 1
+   replicas: 2
.spec.replicas: set in web/w.yaml, line 8
.metadata.labels.app refused: the value carries an anchor, or stands below one: whatever refers to it would change too (web/w.yaml:5)
.spec.selector.matchLabels.app refused: the value is an alias: it stands where its anchor is, and may stand in other places too (web/w.yaml:12)
.metadata.annotations.note refused: the line is a template (web/w.yaml:6)
.spec.paused refused: the key stands there twice (web/w.yaml:10)
.metadata.annotations.password refused: the live value looks like a secret: in Git it would stay for ever (web/w.yaml:6)
.spec.template.metadata.annotations.a refused: the live value looks like a secret: in Git it would stay for ever (web/w.yaml:7)
.status.replicas refused: the cluster keeps it by itself: nobody declares it (web/w.yaml:1)
.metadata.uid refused: the cluster keeps it by itself: nobody declares it (web/w.yaml:3)
"
    );
    assert!(!said.contains("hunter2"));
    let tree: Arc<dyn Tree> = Arc::new(tree);
    let rendered =
        render::render(&plain("web"), &tree, &tools(), &context(), &CancellationToken::new()).await;
    let of_secret =
        Chosen { id: manifest(&rendered, "Secret/default/s").id, live: None, changes: Vec::new() };
    assert_eq!(
        super::said(&plain("web"), &tree, &[of_secret]).await,
        "whole refused: it is a Secret, which is never captured\n"
    );
}

#[tokio::test]
async fn a_file_behind_a_link_is_refused() {
    let tree = files(&[(
        "shared/c.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: \"1\"}\n",
    )])
    .link("web/c.yaml", "shared/c.yaml");
    let by_hand: &[ByHand<'_>] = &[("ConfigMap/default/c", &[(".data.a", Some(value!("2")))])];
    assert_eq!(
        capture_all(&plain("web"), tree, by_hand).await,
        ".data.a refused: the file is reached through a symbolic link (web/c.yaml)\n"
    );
}

#[tokio::test]
async fn nothing_is_captured_of_what_cannot_be_rendered() {
    let tree: Arc<dyn Tree> = Arc::new(files(&[("web/c.yaml", "a: [\n")]));
    let (tools, context, cancel) = (tools(), context(), CancellationToken::new());
    let app = plain("web");
    let ground = Ground { app: &app, tree: &tree, tools: &tools, context: &context };
    let refused = capture(&ground, &[], &cancel).await;
    assert_eq!(
        refused,
        Err(CaptureError::Incomplete { why: "document 1 of web/c.yaml cannot be read".into() })
    );
}
