//! Proves rendering with the real kustomize, kubectl and helm.

use super::*;
use crate::value;
use std::collections::BTreeSet;
use std::path::Path;

/// Returns the programs that the tests' control plane was built with.
fn tools() -> Tools {
    let programs =
        std::env::var_os("DRIFTDECK_TEST_BIN").expect("DRIFTDECK_TEST_BIN names the built programs");
    tools_on(programs)
}

fn corpus(name: &str) -> MemoryTree {
    let corpus = std::env::var_os("DRIFTDECK_CORPUS").expect("DRIFTDECK_CORPUS names the corpus");
    let root = Path::new(&corpus).join("manifests").join(name);
    let files =
        walkdir::WalkDir::new(&root).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    files.fold(MemoryTree::default(), |tree, entry| {
        let path = entry.path().strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        tree.file(&path, std::fs::read(entry.path()).unwrap())
    })
}

fn shop() -> MemoryTree {
    with(&[
        (
            "overlays/prod/kustomization.yaml",
            "namespace: shop\nnamePrefix: prod-\nresources:\n- ../../base\npatches:\n- path: replicas.yaml\n",
        ),
        (
            "overlays/prod/replicas.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n",
        ),
        (
            "base/kustomization.yaml",
            "resources: [all.yaml]\nconfigMapGenerator:\n- name: other\n  literals: [a=b]\n- name: settings\n  files: [app.properties]\nsecretGenerator:\n- name: token\n  literals: [t=canary]\n",
        ),
        ("base/app.properties", "a=1\n"),
        (
            "base/all.yaml",
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports: [{port: 80}]\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  annotations: {mine: kept}\nspec:\n  replicas: 1\n  paused: false\n",
        ),
    ])
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn kustomize_renders_with_origins_that_are_removed_again() {
    let rendered = render_with(&kustomize_app("overlays/prod"), shop(), &tools(), &context()).await;
    assert_eq!(said(&rendered.notices), <[&str; 0]>::default());
    let without_hash = |line: &String| {
        let (id, place) = line.split_once(' ').unwrap();
        let id = id.rsplit_once('-').filter(|(_, hash)| hash.len() == 10).map_or(id, |(id, _)| id);
        format!("{id} {place}")
    };
    let lines: BTreeSet<String> = shown(&rendered).iter().map(without_hash).collect();
    assert_eq!(
        lines.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "ConfigMap/shop/prod-other base/kustomization.yaml#0:3",
            "ConfigMap/shop/prod-settings base/kustomization.yaml#0:5",
            "Deployment.apps/shop/prod-web base/all.yaml#1:8",
            "Secret/shop/prod-token base/kustomization.yaml#0:8",
            "Service/shop/prod-web base/all.yaml#0:1",
        ]
    );
    let web = rendered.manifests.iter().find(|m| m.id.kind.kind == "Deployment").unwrap();
    assert_eq!(web.body.at(&["metadata", "annotations"]), Some(&value!({"mine": "kept"})));
    assert_eq!(web.body.at(&["spec", "replicas"]), Some(&value!(3)));
    let origin = |steps: &[&str]| web.origin_of(steps.iter().copied());
    assert_eq!(origin(&["spec", "paused"]).line, Some(15));
    let overlay = Origin { file: "overlays/prod/kustomization.yaml".to_owned(), document: 0, line: None };
    assert_eq!(origin(&["spec", "replicas"]), overlay, "the patch sets it");
    assert_eq!(origin(&["metadata", "name"]), overlay, "the prefix is the overlay's");
    let service = rendered.manifests.iter().find(|m| m.id.kind.kind == "Service").unwrap();
    assert_eq!(service.body.at(&["metadata", "annotations"]), None);
    assert!(!format!("{rendered:?}").contains("canary"));
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn what_a_kustomize_overlay_sets_is_declared_in_the_overlay_and_never_on_a_line_of_the_base() {
    let tree = with(&[
        (
            "overlays/prod/kustomization.yaml",
            "resources: [../../base]\nlabels:\n- pairs: {env: prod}\nimages:\n- {name: shop, newTag: 2.0.1}\nreplicas:\n- {name: shop, count: 3}\nconfigMapGenerator:\n- {name: settings, behavior: merge, literals: [b=2]}\n",
        ),
        (
            "base/kustomization.yaml",
            "resources: [shop/deployment.yaml]\nconfigMapGenerator:\n- {name: settings, literals: [a=1]}\n- {name: other, literals: [a=1]}\n",
        ),
        (
            "base/shop/deployment.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: shop\nspec:\n  template:\n    spec:\n      containers:\n      - name: shop\n        image: shop:2.0.0\n        args: [a]\n        env:\n        - name: A\n          value: b\n",
        ),
    ]);
    let rendered = render_with(&kustomize_app("overlays/prod"), tree, &tools(), &context()).await;
    assert_eq!(said(&rendered.notices), <[&str; 0]>::default());
    let of = |name: &str, path: &str| {
        let object = rendered.manifests.iter().find(|m| m.id.name.as_deref().unwrap().starts_with(name));
        let origin = object.unwrap().origin_of(path.split('.').filter(|step| !step.is_empty()));
        format!("{}:{}", origin.file, origin.line.map_or("?".to_owned(), |line| line.to_string()))
    };
    let (overlay, base) = ("overlays/prod/kustomization.yaml:?", "base/shop/deployment.yaml");
    for (path, at) in [
        ("", format!("{base}:1")),
        ("kind", format!("{base}:2")),
        ("metadata.name", format!("{base}:4")),
        ("metadata.labels.env", overlay.to_owned()),
        ("metadata", overlay.to_owned()),
        ("spec.replicas", overlay.to_owned()),
        ("spec.template.spec.containers.0", overlay.to_owned()),
        ("spec.template.spec.containers.0.image", overlay.to_owned()),
        ("spec.template.spec.containers.0.args.0", format!("{base}:11")),
        ("spec.template.spec.containers.0.env", format!("{base}:12")),
        ("spec.template.spec.containers.0.env.0.value", format!("{base}:14")),
    ] {
        assert_eq!(of("shop", path), at, "{path}");
    }
    assert_eq!(of("settings", "data.b"), overlay, "merged into the base's");
    assert_eq!(of("other", "data.a"), "base/kustomization.yaml:?");
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn kubectl_renders_the_same_as_kustomize() {
    let programs =
        std::env::var_os("DRIFTDECK_TEST_BIN").expect("DRIFTDECK_TEST_BIN names the built programs");
    let only_kubectl = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(Path::new(&programs).join("kubectl"), only_kubectl.path().join("kubectl"))
        .unwrap();
    let kubectl = tools_on(only_kubectl.path());
    assert_eq!(kubectl.path(Tool::Kustomize), None);
    let app = kustomize_app("overlays/prod");
    let by_kubectl = render_with(&app, shop(), &kubectl, &context()).await;
    let by_kustomize = render_with(&app, shop(), &tools(), &context()).await;
    assert_eq!(shown(&by_kubectl), shown(&by_kustomize));
    assert_eq!(by_kubectl.manifests, by_kustomize.manifests);
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn origins_that_the_kustomization_asks_for_are_kept() {
    let tree = with(&[
        ("kustomization.yaml", "buildMetadata: [originAnnotations]\nresources: [x.yaml]\n"),
        ("x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"),
    ]);
    let rendered = render_with(&kustomize_app(""), tree, &tools(), &context()).await;
    assert_eq!(shown(&rendered), ["ConfigMap/of-context/x x.yaml#0:1"]);
    let annotations = rendered.manifests[0].body.at(&["metadata", "annotations"]).unwrap();
    assert_eq!(annotations, &value!({"config.kubernetes.io/origin": "path: x.yaml\n"}));
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn a_broken_kustomization_is_told_in_kustomizes_words() {
    let tree = with(&[
        ("app/kustomization.yaml", "resources: [x.yaml]\npatches: [{path: p.yaml}]\n"),
        ("app/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"),
        ("app/p.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n"),
    ]);
    let rendered = render_with(&kustomize_app("app"), tree, &tools(), &context()).await;
    let said = said(&rendered.notices);
    assert!(said[0].contains("no matches for Id") && said[0].ends_with("app/kustomization.yaml"), "{said:?}");
    assert!(!said[0].contains("/tmp"), "{said:?}");
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn the_overlays_and_the_chart_of_podinfo_render() {
    let tree = corpus("podinfo");
    for overlay in ["dev", "staging", "production"] {
        let app = kustomize_app(&format!("deploy/overlays/{overlay}"));
        let rendered = render_with(&app, tree.clone(), &tools(), &context()).await;
        assert_eq!((said(&rendered.notices), rendered.complete), (Vec::new(), true));
        assert!(rendered.manifests.len() > 20, "{}", rendered.manifests.len());
        assert!(
            rendered
                .manifests
                .iter()
                .all(|m| m.id.namespace.as_deref() == Some(overlay) || m.id.kind.kind == "Namespace")
        );
        let untraced: Vec<_> =
            rendered.manifests.iter().filter(|m| m.origin.line.is_none()).map(one).collect();
        assert_eq!(untraced, <[&str; 0]>::default());
    }
    let chart = helm_app("charts/podinfo", &["charts/podinfo/values-prod.yaml"]);
    let rendered = render_with(&chart, tree, &tools(), &context()).await;
    assert_eq!((said(&rendered.notices), rendered.complete), (Vec::new(), true));
    let shown = shown(&rendered);
    assert!(
        shown.contains(
            &"Deployment.apps/of-context/shop-podinfo charts/podinfo/templates/deployment.yaml#0:?"
                .to_owned()
        ),
        "{shown:?}"
    );
    assert!(
        rendered.manifests.iter().any(|m| m.body.at(&["metadata", "annotations", "helm.sh/hook"]).is_some())
    );
}

fn chart() -> MemoryTree {
    with(&[
        (
            "charts/web/Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- name: common\n  version: 1.0.0\n  repository: file://../common\n",
        ),
        ("charts/web/values.yaml", "replicas: 1\n"),
        ("values/prod.yaml", "replicas: 5\n"),
        (
            "charts/web/templates/all.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata:\n  ns: {{ .Release.Namespace }}\n  replicas: '{{ .Values.replicas }}'\n  kube: {{ .Capabilities.KubeVersion.Minor | quote }}\n  has: '{{ .Capabilities.APIVersions.Has \"x.io/v1/Widget\" }}'\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: canary}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: second}\n",
        ),
        (
            "charts/web/templates/plain.yaml",
            "# no actions\napiVersion: v1\nkind: Service\nmetadata:\n  name: plain\n",
        ),
        (
            "charts/web/crds/crd.yaml",
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.x.io}\n",
        ),
        ("charts/common/Chart.yaml", "apiVersion: v2\nname: common\nversion: 1.0.0\n"),
        (
            "charts/common/templates/c.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: common-{{ .Release.Name }}}\n",
        ),
    ])
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn helm_renders_with_values_namespace_versions_and_vendored_dependencies() {
    let context = RenderContext {
        kube_version: Some("1.31".to_owned()),
        api_versions: Arc::new(vec!["x.io/v1/Widget".to_owned()]),
        namespace_asked: Some("asked".to_owned()),
        ..context()
    };
    let app = helm_app("charts/web", &["values/prod.yaml"]);
    let rendered = render_with(&app, chart(), &tools(), &context).await;
    assert_eq!((said(&rendered.notices), rendered.complete), (Vec::new(), true));
    let mut lines = shown(&rendered);
    lines.sort();
    assert_eq!(
        lines,
        [
            "ConfigMap/asked/common-shop charts/common/templates/c.yaml#0:?",
            "ConfigMap/asked/second charts/web/templates/all.yaml#2:?",
            "ConfigMap/asked/shop charts/web/templates/all.yaml#1:?",
            "CustomResourceDefinition.apiextensions.k8s.io/widgets.x.io charts/web/crds/crd.yaml#0:1",
            "Secret/asked/s charts/web/templates/all.yaml#0:?",
            "Service/asked/plain charts/web/templates/plain.yaml#0:2",
        ]
    );
    let data = rendered.manifests.iter().find(|m| m.id.name.as_deref() == Some("shop")).unwrap();
    let wanted = value!({"ns": "asked", "replicas": "5", "kube": "31", "has": "true"});
    assert_eq!(data.body.get("data"), Some(&wanted));
    assert!(!format!("{rendered:?}").contains("canary"));
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn a_template_that_fails_is_told_with_its_file_and_line() {
    let tree = chart().file("charts/web/templates/bad.yaml", "a: 1\nb: {{ fail \"no luck\" }}\n");
    let rendered = render_with(&helm_app("charts/web", &[]), tree, &tools(), &context()).await;
    let notice = &rendered.notices[0];
    assert_eq!(
        (notice.file.as_deref(), notice.line),
        (Some("charts/web/templates/bad.yaml"), Some(2)),
        "{notice:?}"
    );
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn what_a_template_renders_badly_is_told_with_the_template() {
    let tree = chart().file(
        "charts/web/templates/bad.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Values.none | quote }}}\n",
    );
    let rendered = render_with(&helm_app("charts/web", &[]), tree, &tools(), &context()).await;
    assert_eq!(
        said(&rendered.notices),
        [
            "error what charts/web/templates/bad.yaml renders to is no manifest: metadata.name is missing charts/web/templates/bad.yaml"
        ]
    );
    assert!(!rendered.complete && rendered.manifests.len() > 4);
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn missing_dependencies_and_library_charts_are_told_and_nothing_is_downloaded() {
    let tree = with(&[
        (
            "c/Chart.yaml",
            "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n- name: redis\n  version: 1.x\n  repository: https://charts.example.com\n",
        ),
        ("l/Chart.yaml", "apiVersion: v2\nname: l\nversion: 1.0.0\ntype: library\n"),
    ]);
    let missing = render_with(&helm_app("c", &[]), tree.clone(), &tools(), &context()).await;
    assert_eq!(
        said(&missing.notices),
        [
            "error shop could not be rendered (c/Chart.yaml lists the dependencies redis, which are not in its charts folder) c/Chart.yaml:5"
        ]
    );
    let library = render_with(&helm_app("l", &[]), tree, &tools(), &context()).await;
    assert!(said(&library.notices)[0].contains("library chart"));
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn an_archive_bomb_in_a_chart_ends_in_a_notice() {
    let folder = tempfile::tempdir().unwrap();
    let made = std::process::Command::new("sh")
        .args(["-c", "mkdir -p bomb/templates && printf 'apiVersion: v2\\nname: bomb\\nversion: 1.0.0\\n' > bomb/Chart.yaml && head -c 1500000000 /dev/zero > bomb/templates/zero.yaml && tar czf bomb-1.0.0.tgz bomb && rm -r bomb"])
        .current_dir(folder.path())
        .status()
        .unwrap();
    assert!(made.success());
    let archive = std::fs::read(folder.path().join("bomb-1.0.0.tgz")).unwrap();
    let tree = with(&[("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n")])
        .file("c/charts/bomb-1.0.0.tgz", archive);
    let rendered = render_with(&helm_app("c", &[]), tree, &tools(), &context()).await;
    assert_eq!((rendered.manifests.len(), rendered.notices.len(), rendered.complete), (0, 1, false));
    assert!(
        said(&rendered.notices)[0].starts_with("error helm could not render shop"),
        "{:?}",
        rendered.notices
    );
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn a_chart_that_fails_with_a_value_in_its_words_does_not_tell_the_value() {
    let tree = chart()
        .file("charts/web/values.yaml", "password: canary-value\n")
        .file("charts/web/templates/secret.yaml", "kind: Secret\nstringData:\n  a: {{ .Values.password }}\n")
        .file(
            "charts/web/templates/bad.yaml",
            "a: {{ fail (printf \"can't take %s or %s\" .Values.password (b64enc .Values.password)) }}\n",
        );
    let rendered = render_with(&helm_app("charts/web", &[]), tree, &tools(), &context()).await;
    let words = format!("{:?}", rendered.notices);
    assert!(words.contains("can't take … or …"), "{words}");
    assert!(!words.contains("canary"), "{words}");
}

#[tokio::test]
#[ignore = "needs the control plane: run tests/run"]
async fn a_values_file_may_have_a_comma_in_its_name() {
    let values = "charts/web/values,\"prod\".yaml";
    let tree = chart().file(values, "marker: 1\n").file(
        "charts/web/templates/marked.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"marked-{{ .Values.marker }}\"}\n",
    );
    let rendered = render_with(&helm_app("charts/web", &[values]), tree, &tools(), &context()).await;
    assert!(
        rendered.manifests.iter().any(|m| m.id.name.as_deref() == Some("marked-1")),
        "{:?}",
        rendered.notices
    );
}
