//! Proves which apps are found in layouts as people have them.

use super::*;
use crate::model::MemoryTree;
use std::path::Path;

const POD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n";

fn repo() -> RepoId {
    RepoId("/repo".into())
}

/// Prints what was found: `name: word path (excluded)`.
fn shown(found: &Discovered) -> Vec<String> {
    let line = |app: &App| {
        let excluded = match &app.spec {
            RenderSpec::Plain { exclude } if !exclude.is_empty() => format!(" without {}", exclude.join(" ")),
            _ => String::new(),
        };
        format!("{}: {} {}{excluded}", app.id.name, app.spec.word(), app.path)
    };
    found.apps.iter().map(line).collect()
}

fn found(tree: &MemoryTree) -> Vec<String> {
    let found = discover(tree, &repo(), "shop");
    assert_eq!(found.notices, []);
    shown(&found)
}

fn with(files: &[(&str, &str)]) -> MemoryTree {
    files.iter().fold(MemoryTree::default(), |tree, (path, text)| tree.file(path, *text))
}

#[test]
fn base_and_overlays_are_one_app_for_each_environment() {
    let overlay = "resources: [../../base]\ncomponents: [../../components/tls]\n";
    let tree = with(&[
        ("base/kustomization.yaml", "resources: [web.yaml]"),
        ("base/web.yaml", POD),
        ("base/left-over.yaml", POD),
        ("components/tls/kustomization.yaml", "kind: Component"),
        ("components/unused/kustomization.yml", "kind: Component"),
        ("overlays/dev/kustomization.yaml", overlay),
        ("overlays/staging/kustomization.yml", overlay),
        ("overlays/prod/Kustomization", overlay),
        ("overlays/prod/patches/p.yaml", "kind: Deployment\n"),
    ]);
    assert_eq!(
        found(&tree),
        [
            "shop-dev: kustomize overlays/dev",
            "shop-prod: kustomize overlays/prod",
            "shop-staging: kustomize overlays/staging"
        ]
    );
}

#[test]
fn the_topmost_folder_of_plain_manifests_takes_its_subfolders_except_apps_of_their_own() {
    let tree = with(&[
        ("README.md", "# x"),
        ("k8s/a.yaml", POD),
        ("k8s/more/b.yaml", POD),
        ("k8s/web/kustomization.yaml", "resources: [../shared.yaml]"),
        ("k8s/web/others/c.yaml", POD),
        ("k8s/shared.yaml", POD),
        ("k8s/redis/Chart.yaml", "apiVersion: v2\nname: redis\n"),
        ("k8s/redis/templates/x.yaml", POD),
        (".github/workflows/ci.yaml", POD),
        ("node_modules/x/y.yaml", POD),
    ]);
    assert_eq!(
        found(&tree),
        [
            "shop: plain k8s without k8s/shared.yaml k8s/redis k8s/web",
            "redis: helm k8s/redis",
            "web: kustomize k8s/web",
            "others: plain k8s/web/others",
        ]
    );
}

#[test]
fn settings_of_tools_are_no_apps() {
    let tree = with(&[
        ("skaffold.yaml", "apiVersion: skaffold/v4beta11\nkind: Config\n"),
        ("pkg/Kptfile", "apiVersion: kpt.dev/v1\nkind: Kptfile\n"),
        ("pkg/kpt.yaml", "apiVersion: kpt.dev/v1\nkind: Kptfile\n"),
        ("ci/kind.yaml", "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n"),
        ("ci/kubeadm.yml", "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n"),
        ("catalog-info.yaml", "apiVersion: backstage.io/v1alpha1\nkind: Component\n"),
        ("docker-compose.yaml", "version: '3'\nservices: {}\n"),
        ("values.yaml", "kind: Deployment\nimage: x\n"),
        (".gitlab-ci.yml", POD),
        ("package.json", "{\"name\": \"x\"}"),
    ]);
    assert_eq!(found(&tree), <[&str; 0]>::default());
}

#[test]
fn json_and_flow_style_are_manifests_too() {
    let tree = with(&[
        ("a/x.json", r#"{"kind": "List", "apiVersion": "v1", "items": []}"#),
        ("b/x.yaml", "{kind: Pod, apiVersion: v1, metadata: {name: x}}"),
        ("c/package.json", r#"{"kind": "a", "apiVersion": "b"}"#),
    ]);
    assert_eq!(found(&tree), ["a: plain a", "b: plain b"]);
}

#[test]
fn a_monorepo_of_charts_has_an_app_for_each_that_nobody_includes() {
    let tree = with(&[
        (
            "charts/web/Chart.yaml",
            "apiVersion: v2\nname: web\ndependencies:\n- name: common\n  repository: file://../common\n",
        ),
        ("charts/web/templates/d.yaml", "apiVersion: v1\nkind: {{ .Values.kind }}\n"),
        ("charts/web/charts/redis/Chart.yaml", "apiVersion: v2\nname: redis\n"),
        ("charts/web/crds/crd.yaml", POD),
        ("charts/web/ci/values.yaml", "a: 1"),
        ("charts/common/Chart.yaml", "apiVersion: v2\nname: common\n"),
        ("charts/lib/Chart.yaml", "apiVersion: v2\nname: lib\ntype: library\n"),
        ("charts/api/Chart.yaml", "apiVersion: v2\nname: the-api\n"),
    ]);
    let found = discover(&tree, &repo(), "shop");
    assert_eq!(shown(&found), ["api: helm charts/api", "web: helm charts/web"]);
    let RenderSpec::Helm(spec) = &found.apps[0].spec else { panic!("a chart") };
    assert_eq!((spec.release.as_str(), spec.include_crds), ("the-api", true));
}

#[test]
fn an_app_of_apps_is_an_app_and_so_is_what_it_points_to() {
    let application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web}\n";
    let tree = with(&[
        ("root/applications/web.yaml", application),
        ("root/applications/db.yaml", application),
        ("services/web/deploy/all.yaml", POD),
        ("services/db/deploy/all.yaml", POD),
        ("clusters/prod/flux-system/kustomization.yaml", "resources: [gotk-sync.yaml]"),
        ("clusters/prod/flux-system/gotk-sync.yaml", POD),
        (
            "clusters/prod/kustomization.yaml",
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n",
        ),
    ]);
    assert_eq!(
        found(&tree),
        [
            "clusters: plain clusters/prod without clusters/prod/flux-system",
            "flux-system: kustomize clusters/prod/flux-system",
            "applications: plain root/applications",
            "db: plain services/db/deploy",
            "web: plain services/web/deploy",
        ]
    );
}

#[test]
fn kustomizations_that_only_include_one_another_are_not_passed_over() {
    let tree =
        with(&[("a/kustomization.yaml", "resources: [../b]"), ("b/kustomization.yaml", "resources: [../a]")]);
    assert_eq!(found(&tree), ["a: kustomize a"]);
}

#[test]
fn a_broken_kustomization_or_chart_is_still_an_app() {
    let tree = with(&[("a/kustomization.yaml", "resources: ["), ("b/Chart.yaml", "name: [")]);
    assert_eq!(found(&tree), ["a: kustomize a", "b: helm b"]);
}

#[test]
fn a_chart_that_a_kustomization_inflates_belongs_to_it() {
    let tree = with(&[
        ("k/kustomization.yaml", "helmCharts:\n- name: web\n"),
        ("k/charts/web/Chart.yaml", "name: web\napiVersion: v2\n"),
    ]);
    assert_eq!(found(&tree), ["shop: kustomize k"].map(|line| line.replace("shop", "k")));
}

#[test]
fn a_given_path_is_what_stands_there_and_keeps_its_name() {
    let tree = with(&[
        ("base/kustomization.yaml", "resources: [web.yaml]"),
        ("base/web.yaml", POD),
        ("overlays/dev/kustomization.yaml", "resources: [../../base]"),
        ("overlays/prod/kustomization.yaml", "resources: [../../base]"),
        ("jobs/a.yaml", POD),
        ("jobs/nightly/b.yaml", POD),
        ("jobs/chart/Chart.yaml", "apiVersion: v2\nname: c\n"),
    ]);
    let at = |path: &str| {
        let found = discover_at(&tree, &repo(), "shop", path).unwrap();
        let expected = found.apps.iter().all(|app| app.expected);
        (shown(&found), expected)
    };
    let alone = |line: &str| (vec![line.to_owned()], true);
    assert_eq!(at("overlays/dev"), alone("shop-dev: kustomize overlays/dev"));
    assert_eq!(at("overlays/dev/kustomization.yaml"), alone("shop-dev: kustomize overlays/dev"));
    assert_eq!(at("base"), alone("shop: kustomize base"));
    assert_eq!(at("base/web.yaml"), alone("shop: plain base/web.yaml"));
    assert_eq!(at("jobs/chart/Chart.yaml"), alone("jobs-chart: helm jobs/chart"));
    assert_eq!(at("jobs/nightly"), alone("nightly: plain jobs/nightly"));
    assert!(!at("jobs").1, "several things are not one that was named");
    assert_eq!(at("").0.len(), 4);
    assert_eq!(
        discover_at(&tree, &repo(), "shop", "nowhere"),
        Err(TreeError::NotFound { path: "nowhere".into() })
    );
}

#[test]
fn the_manifests_of_real_projects_are_found() {
    let Some(corpus) = std::env::var_os("DRIFTDECK_CORPUS") else {
        eprintln!("left out: DRIFTDECK_CORPUS is not set");
        return;
    };
    let at = |name: &str| {
        let root = Path::new(&corpus).join("manifests").join(name);
        let mut tree = MemoryTree::default();
        for entry in walkdir::WalkDir::new(&root).into_iter().flatten().filter(|e| e.file_type().is_file()) {
            let path = entry.path().strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            tree = tree.file(&path, std::fs::read(entry.path()).unwrap());
        }
        shown(&discover(&tree, &repo(), name))
    };
    assert_eq!(at("kube-prometheus"), ["kube-prometheus: plain manifests"]);
    assert_eq!(
        at("podinfo"),
        [
            "charts-podinfo: helm charts/podinfo",
            "podinfo-dev: kustomize deploy/overlays/dev",
            "podinfo-production: kustomize deploy/overlays/production",
            "podinfo-staging: kustomize deploy/overlays/staging",
            "secure-backend: plain deploy/secure/backend",
            "secure-common: plain deploy/secure/common",
            "secure-frontend: plain deploy/secure/frontend",
            "webapp-backend: plain deploy/webapp/backend",
            "webapp-common: plain deploy/webapp/common",
            "webapp-frontend: plain deploy/webapp/frontend",
            "podinfo-kustomize: kustomize kustomize",
        ]
    );
}

#[test]
fn of_a_path_the_rest_of_the_repo_is_known_too() {
    let tree = with(&[
        ("apps/web/web.yaml", POD),
        ("apps/web/shape.yaml", POD),
        ("apps/cart/base/kustomization.yaml", "resources: [cart.yaml]"),
        ("apps/cart/base/cart.yaml", POD),
        ("apps/cart/overlays/prod/kustomization.yaml", "resources: [../../base]"),
    ]);
    for (path, apps, others, parts) in [
        ("", &["cart", "web"][..], &[][..], &[][..]),
        ("apps/web", &["web"], &["cart"], &[]),
        ("apps/web/web.yaml", &["apps-web"], &["cart", "web"], &["apps-web"]),
        ("apps/cart/base", &["apps-cart"], &["cart", "web"], &["apps-cart"]),
    ] {
        let found = discover_at(&tree, &repo(), "shop", path).unwrap();
        let names = |apps: &[App]| apps.iter().map(|app| app.id.name.clone()).collect::<Vec<_>>();
        let marked: Vec<&str> = found.parts.iter().map(|id| id.name.as_str()).collect();
        assert_eq!(
            (names(&found.apps), names(&found.others), marked),
            (
                apps.iter().map(|name| (*name).to_owned()).collect(),
                others.iter().map(|name| (*name).to_owned()).collect(),
                parts.to_vec(),
            ),
            "{path}"
        );
    }
}
