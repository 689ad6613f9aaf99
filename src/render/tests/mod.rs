//! Proves rendering on whole apps.

mod hostile;
mod plain;
mod real;
mod setting;

use super::*;
use crate::model::app::HelmSpec;
use crate::model::{
    AppId, ClusterId, Engine, GroupVersionKind, Level, Manifest, MemoryTree, Notice, Origin, RepoId,
};
use std::ffi::OsStr;

/// Kinds of the tests that live outside namespaces; `Widget` is known to nobody.
fn namespaced(kind: &GroupVersionKind) -> Option<bool> {
    match kind.kind.as_str() {
        "Namespace" | "ClusterRole" | "CustomResourceDefinition" => Some(false),
        "Widget" => None,
        _ => Some(true),
    }
}

fn context() -> RenderContext {
    RenderContext {
        namespaced: Arc::new(namespaced),
        namespace_of_context: Some("of-context".to_owned()),
        ..RenderContext::unknown(ClusterId("c".into()))
    }
}

fn app(path: &str, spec: RenderSpec) -> App {
    App {
        id: AppId { repo: RepoId("/r".into()), name: "shop".to_owned() },
        path: path.to_owned(),
        spec,
        engine: Engine::None,
        namespace: None,
        contexts: Vec::new(),
        revision: None,
        declared: Origin { file: "declared.yaml".to_owned(), document: 0, line: Some(1) },
        expected: false,
    }
}

fn plain_app(path: &str) -> App {
    app(path, RenderSpec::Plain { exclude: Vec::new() })
}

fn kustomize_app(path: &str) -> App {
    app(path, RenderSpec::Kustomize)
}

fn helm_app(path: &str, values: &[&str]) -> App {
    let values = values.iter().map(|file| (*file).to_owned()).collect();
    app(path, RenderSpec::Helm(HelmSpec { release: "shop".to_owned(), values, include_crds: true }))
}

#[test]
fn what_can_have_set_a_value_is_its_file_or_its_template_with_the_values() {
    let files = ["Chart.yaml", "README.md", "values.yaml", ".helmignore", "templates/web.yaml"];
    let files = files.into_iter().chain(["templates/db.yaml", "templates/_names.tpl"]);
    let files: Vec<(String, &str)> = files.map(|file| (format!("chart/{file}"), "")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(file, text)| (file.as_str(), *text)).collect();
    let tree = with(&files);
    let helm = helm_app("chart", &["values/prod.yaml"]);
    assert_eq!(
        inputs_of(&helm, &tree, "chart/templates/web.yaml"),
        [
            "chart/Chart.yaml",
            "chart/templates/_names.tpl",
            "chart/templates/web.yaml",
            "chart/values.yaml",
            "values/prod.yaml"
        ]
    );
    assert_eq!(inputs_of(&plain_app("web"), &tree, "web/a.yaml"), ["web/a.yaml"]);
    let kustomize = kustomize_app("web");
    assert!(!is_told_apart(&kustomize, "web/kustomization.yaml"), "any patch may have set it");
    assert!(is_told_apart(&kustomize, "web/app.conf") && is_told_apart(&helm, "chart/templates/web.yaml"));
}

#[test]
fn a_chart_reads_its_values_files_and_the_charts_that_it_depends_on_by_a_path() {
    let needs = |names: &[&str]| {
        let one = |n: &&str| format!("- name: {n}\n  version: 1.0.0\n  repository: file://../{n}\n");
        let list: String = names.iter().map(one).collect();
        format!("apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n{list}")
    };
    let tree = with(&[
        ("charts/web/Chart.yaml", &needs(&["common", "gone"])),
        ("charts/common/Chart.yaml", &needs(&["base"])),
        ("charts/base/Chart.yaml", "apiVersion: v2\nname: base\nversion: 1.0.0\n"),
    ]);
    assert_eq!(
        inputs(&helm_app("charts/web", &["values/prod.yaml", "charts/web/x.yaml"]), &tree),
        ["charts/web", "values/prod.yaml", "charts/common", "charts/base", "charts/gone"]
    );
}

fn with(files: &[(&str, &str)]) -> MemoryTree {
    files.iter().fold(MemoryTree::default(), |tree, (path, text)| tree.file(path, *text))
}

fn tools_on(search_path: impl AsRef<OsStr>) -> Tools {
    Tools::on(search_path.as_ref(), std::env::temp_dir())
}

async fn render_with(app: &App, tree: MemoryTree, tools: &Tools, context: &RenderContext) -> Rendered {
    let tree: Arc<dyn Tree> = Arc::new(tree);
    render(app, &tree, tools, context, &CancellationToken::new()).await
}

/// Prints manifests as `id file#document:line`.
fn shown(rendered: &Rendered) -> Vec<String> {
    rendered.manifests.iter().map(one).collect()
}

fn one(manifest: &Manifest) -> String {
    let line = manifest.origin.line.map_or("?".to_owned(), |line| line.to_string());
    format!("{} {}#{}:{line}", manifest.id, manifest.origin.file, manifest.origin.document)
}

/// Prints notices as `level title (cause) file:line`.
fn said(notices: &[Notice]) -> Vec<String> {
    let line = |notice: &Notice| {
        let cause = notice.cause.as_ref().map_or(String::new(), |cause| format!(" ({cause})"));
        let place = match (&notice.file, notice.line) {
            (Some(file), Some(line)) => format!(" {file}:{line}"),
            (Some(file), None) => format!(" {file}"),
            _ => String::new(),
        };
        format!("{} {}{cause}{place}", notice.level.word(), notice.title)
    };
    notices.iter().map(line).collect()
}
