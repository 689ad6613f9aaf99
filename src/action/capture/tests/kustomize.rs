//! Kustomizations, built by the real kustomize.

use super::*;
use crate::value;

const BASE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {tier: front}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: registry.example.com/web:1.4.2
        args: [a]
        envFrom:
        - configMapRef: {name: settings}
        env:
        - name: MODE
          value: fast
      - name: side
        image: side:1
";

const OF_BASE: &str =
    "resources:\n- web.yaml\nconfigMapGenerator:\n- name: settings\n  literals: [a=1, b=2]\n";

fn tree(overlay: &str, more: &[(&str, &str)]) -> MemoryTree {
    let base = files(&[
        ("prod/kustomization.yaml", overlay),
        ("base/kustomization.yaml", OF_BASE),
        ("base/web.yaml", BASE),
    ]);
    more.iter().fold(base, |tree, (path, text)| tree.file(path, *text))
}

async fn changed(overlay: &str, more: &[(&str, &str)], by_hand: &[(&str, Option<Value>)]) -> String {
    capture_all(&kustomize("prod"), tree(overlay, more), &[("Deployment.apps/default/web", by_hand)]).await
}

const IMAGE: &str = r#".spec.template.spec.containers[name="web"].image"#;

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn images_and_replicas_are_set_by_the_entries_of_the_overlay() {
    let overlay = "\
# production
resources:
- ../base
images:
- name: registry.example.com/web
  newTag: 1.4.3 # pinned
replicas:
- name: web
  count: 3
";
    let by_hand =
        [(IMAGE, Some(value!("registry.example.com/web:1.5.0"))), (".spec.replicas", Some(value!(5)))];
    assert_eq!(
        changed(overlay, &[], &by_hand).await,
        "\
prod/kustomization.yaml
-   newTag: 1.4.3 # pinned
+   newTag: 1.5.0 # pinned
-   count: 3
+   count: 5
.spec.template.spec.containers[name=\"web\"].image: set in `images` of prod/kustomization.yaml, line 6
.spec.replicas: set in prod/kustomization.yaml, line 9
"
    );
    let by_hand = [(IMAGE, Some(value!("mirror.example.com/web@sha256:00")))];
    assert_eq!(
        changed(overlay, &[], &by_hand).await,
        "\
prod/kustomization.yaml
-   newTag: 1.4.3 # pinned
+   newName: mirror.example.com/web
+   digest: sha256:00
.spec.template.spec.containers[name=\"web\"].image: set in `images` of prod/kustomization.yaml, line 6
"
    );
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn an_overlay_without_entries_gets_them() {
    let by_hand = [
        (IMAGE, Some(value!("registry.example.com/web:1.5.0"))),
        (".spec.replicas", Some(value!(5))),
        (r#".spec.template.spec.containers[name="side"].image"#, Some(value!("side:2"))),
    ];
    assert_eq!(
        changed("namePrefix: \"\"\nresources:\n  - ../base # all\n", &[], &by_hand).await,
        "\
prod/kustomization.yaml
+ images:
+   - name: registry.example.com/web
+     newTag: 1.5.0
+   - name: side
+     newTag: \"2\"
+ replicas:
+   - name: web
+     count: 5
.spec.template.spec.containers[name=\"web\"].image: set in `images` of prod/kustomization.yaml, line 5
.spec.replicas: set in `replicas` of prod/kustomization.yaml, line 11
.spec.template.spec.containers[name=\"side\"].image: set in `images` of prod/kustomization.yaml, line 7
"
    );
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn a_patch_that_is_there_is_edited_whatever_its_kind() {
    let overlay = "\
resources: [../base]
patches:
- path: memory.yaml
- target: {kind: Deployment, name: web}
  patch: |-
    # in place
    - op: add
      path: /spec/revisionHistoryLimit
      value: 5
";
    let memory = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      # the app
      - name: web
        resources: {limits: {memory: 512Mi}}
";
    let at = |rest: &str| format!(r#".spec.template.spec.containers[name="web"]{rest}"#);
    let (memory_at, env) = (at(".resources.limits.memory"), at(r#".env[name="MODE"].value"#));
    let by_hand = [
        (memory_at.as_str(), Some(value!("1Gi"))),
        (env.as_str(), Some(value!("slow"))),
        (".spec.revisionHistoryLimit", Some(value!(2))),
    ];
    assert_eq!(
        changed(overlay, &[("prod/memory.yaml", memory)], &by_hand).await,
        "\
prod/kustomization.yaml
-       value: 5
+       value: 2
prod/memory.yaml
-         resources: {limits: {memory: 512Mi}}
+         env:
+         - name: MODE
+           value: slow
+         resources: {limits: {memory: 1Gi}}
.spec.template.spec.containers[name=\"web\"].resources.limits.memory: set in prod/memory.yaml, line 13
.spec.template.spec.containers[name=\"web\"].env[name=\"MODE\"].value: set in prod/memory.yaml, line 12
.spec.revisionHistoryLimit: set in a patch of prod/kustomization.yaml, line 5
"
    );
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn what_nothing_sets_yet_becomes_a_patch_that_the_kustomization_names() {
    let overlay = "# production\nnamePrefix: prod-\nresources:\n- ../base\n# no more\n";
    let at = |rest: &str| format!(r#".spec.template.spec.containers[name="web"]{rest}"#);
    let (added, args) = (at(r#".env[name="LEVEL"]"#), at(".args"));
    let by_hand: &[ByHand<'_>] = &[(
        "Deployment.apps/default/prod-web",
        &[
            (&added, Some(value!({"name": "LEVEL", "value": "3"}))),
            (&args, None),
            (".metadata.annotations.note", Some(value!("kept"))),
        ],
    )];
    assert_eq!(
        capture_all(&kustomize("prod"), tree(overlay, &[]), by_hand).await,
        "\
prod/kustomization.yaml
+ patches:
+ - path: web-deployment-patch.yaml
+   target:
+     kind: Deployment
+     name: web
prod/web-deployment-patch.yaml
+ apiVersion: apps/v1
+ kind: Deployment
+ metadata:
+   name: web
+   annotations:
+     note: kept
+ spec:
+   template:
+     spec:
+       containers:
+       - name: web
+         args: null
+         env:
+         - name: LEVEL
+           value: \"3\"
.spec.template.spec.containers[name=\"web\"].env[name=\"LEVEL\"]: set in the new patch prod/web-deployment-patch.yaml, line 14
  prod/kustomization.yaml names it
.spec.template.spec.containers[name=\"web\"].args: set in prod/web-deployment-patch.yaml, line 12
.metadata.annotations.note: set in prod/web-deployment-patch.yaml, line 6
"
    );
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn what_a_merge_cannot_say_becomes_operations() {
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec:\n  rules:\n  - {a: 1, b: 1}\n  - {a: 2, b: 2}\n";
    let tree = files(&[
        ("prod/kustomization.yaml", "resources:\n- ../base\n"),
        ("base/kustomization.yaml", "resources: [w.yaml]\n"),
        ("base/w.yaml", widget),
    ]);
    let by_hand: &[ByHand<'_>] = &[(
        "Widget.example.com/default/w",
        &[(".spec.rules[1].b", Some(value!(3))), (".spec.rules[0].c", Some(value!("x")))],
    )];
    assert_eq!(
        capture_all(&kustomize("prod"), tree, by_hand).await,
        "\
prod/kustomization.yaml
+ patches:
+ - path: w-widget-operations.yaml
+   target:
+     kind: Widget
+     name: w
prod/w-widget-operations.yaml
+ - op: replace
+   path: /spec/rules/1/b
+   value: 3
+ - op: add
+   path: /spec/rules/0/c
+   value: x
.spec.rules[1].b: set in the new patch prod/w-widget-operations.yaml, line 1
  prod/kustomization.yaml names it
.spec.rules[0].c: set in prod/w-widget-operations.yaml, line 4
"
    );
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn the_data_of_a_generated_config_map_follows_with_the_hash_of_its_name() {
    let overlay = "\
resources: [../base]
configMapGenerator:
- name: settings
  behavior: merge
  literals:
  - c=3 # here
  files: [page=page.html]
  envs: [vars.env]
";
    let more = [("prod/page.html", "<p>\n"), ("prod/vars.env", "# vars\nV=1\nW=2\n")];
    let by_hand: &[(&str, Option<Value>)] = &[
        (".data.c", Some(value!("4"))),
        (".data.page", Some(value!("<b>\n"))),
        (".data.V", Some(value!("9"))),
        (".data.new", Some(value!("x"))),
        (".data.W", None),
    ];
    let tree = tree(overlay, &more);
    let said = capture_all(&kustomize("prod"), tree, &[("ConfigMap/default/settings", by_hand)]).await;
    // The hashes are kustomize's.
    let said: String =
        said.lines().filter(|line| !line.contains("hash follows")).map(|line| format!("{line}\n")).collect();
    assert_eq!(
        said,
        "\
prod/kustomization.yaml
-   - c=3 # here
+   - c=4 # here
+   - new=x
prod/page.html
- <p>
+ <b>
prod/vars.env
- V=1
- W=2
+ V=9
.data.c: set in `configMapGenerator` of prod/kustomization.yaml, line 6
.data.page: set in prod/page.html, line 1
.data.V: set in prod/vars.env, line 2
.data.new: added to `configMapGenerator` of prod/kustomization.yaml, line 7
.data.W: removed from prod/vars.env, line 3
"
    );
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn what_a_base_generates_is_merged_into_by_the_overlay() {
    let by_hand: &[(&str, Option<Value>)] = &[(".data.a", Some(value!("9"))), (".data.b", None)];
    let tree = tree("resources:\n- ../base\n", &[]);
    let said = capture_all(&kustomize("prod"), tree, &[("ConfigMap/default/settings", by_hand)]).await;
    let said: String =
        said.lines().filter(|line| !line.contains("hash follows")).map(|line| format!("{line}\n")).collect();
    assert_eq!(
        said,
        "\
prod/kustomization.yaml
+ configMapGenerator:
+ - name: settings
+   behavior: merge
+   literals:
+   - a=9
.data.a: added to `configMapGenerator` of prod/kustomization.yaml, line 4
.data.b refused: it is declared outside of the app, where other apps may use it (base/kustomization.yaml:4)
"
    );
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn a_manifest_of_the_apps_own_is_edited_itself() {
    let tree = files(&[
        ("prod/kustomization.yaml", "resources: [web.yaml]\nlabels:\n- pairs: {team: shop}\n"),
        ("prod/web.yaml", &BASE.replace("        envFrom:\n        - configMapRef: {name: settings}\n", "")),
    ]);
    let by_hand: &[ByHand<'_>] = &[(
        "Deployment.apps/default/web",
        &[
            (".spec.replicas", Some(value!(4))),
            (IMAGE, Some(value!("registry.example.com/web:2"))),
            (".metadata.labels.team", Some(value!("other"))),
        ],
    )];
    assert_eq!(
        capture_all(&kustomize("prod"), tree, by_hand).await,
        "\
prod/web.yaml
-   replicas: 1
+   replicas: 4
-         image: registry.example.com/web:1.4.2
+         image: registry.example.com/web:2
.spec.replicas: set in prod/web.yaml, line 7
.spec.template.spec.containers[name=\"web\"].image: set in prod/web.yaml, line 14
.metadata.labels.team refused: `labels` of the kustomization sets it on many objects (prod/kustomization.yaml:3)
"
    );
}
