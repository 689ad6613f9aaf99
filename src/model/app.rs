//! Defines apps: deployable units, each a path in a repo with the way to render it.

use super::id::AppId;
use super::manifest::Origin;

/// One deployable unit: a path in a repo, declared once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    pub id: AppId,
    /// The folder, or the file, relative to the repo's root; empty for the root itself.
    pub path: String,
    pub spec: RenderSpec,
    pub engine: Engine,
    /// The namespace that the configuration or an engine names for it.
    pub namespace: Option<String>,
    /// The contexts that the configuration or an engine names for it; empty: every cluster of the run.
    pub contexts: Vec<String>,
    /// The revision that the configuration or an engine names for it.
    pub revision: Option<String>,
    /// Where it was found: the kustomization, the chart, the first manifest, or the configuration's line.
    pub declared: Origin,
    /// Named by the user (as a path, `--app`, the configuration) or by an engine: its absence is `missing`, never
    /// `not deployed here`.
    pub expected: bool,
}

/// How an app renders.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RenderSpec {
    /// Plain manifests of a folder, without those of these subfolders, which are apps of their own or no manifests.
    Plain {
        exclude: Vec<String>,
    },
    Kustomize,
    Helm(HelmSpec),
}

/// What a chart is rendered with.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct HelmSpec {
    pub release: String,
    /// Values files relative to the repo's root, the last wins.
    pub values: Vec<String>,
    pub include_crds: bool,
}

impl RenderSpec {
    /// Returns the word for it: `plain`, `kustomize` or `helm`.
    pub fn word(&self) -> &'static str {
        match self {
            RenderSpec::Plain { .. } => "plain",
            RenderSpec::Kustomize => "kustomize",
            RenderSpec::Helm(_) => "helm",
        }
    }
}

/// The GitOps system that owns an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Engine {
    #[default]
    None,
    ArgoCd,
    Flux,
    JenkinsX,
    Helm,
    Terraform,
}

impl Engine {
    /// Returns the word of the headless contract.
    pub fn word(self) -> &'static str {
        match self {
            Engine::None => "none",
            Engine::ArgoCd => "argocd",
            Engine::Flux => "flux",
            Engine::JenkinsX => "jenkinsx",
            Engine::Helm => "helm",
            Engine::Terraform => "terraform",
        }
    }
}
