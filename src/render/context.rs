//! Defines what a rendering depends on besides the app's own files: the cluster that it is for.

use crate::model::{ClusterFacts, ClusterId, GroupVersionKind};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Tells whether a kind lives in namespaces; `None` where nobody knows.
pub type Namespaced = Arc<dyn Fn(&GroupVersionKind) -> Option<bool> + Send + Sync>;

/// The cluster that an app is rendered for, as far as rendering asks.
///
/// A namespace comes from, in this order: the manifest, the kustomization, `namespace_asked`, the app's own (the
/// configuration's), `namespace_of_context`, `default`.
#[derive(Clone)]
pub struct RenderContext {
    pub cluster: ClusterId,
    /// `--namespace`.
    pub namespace_asked: Option<String>,
    /// The namespace of the kubeconfig's context.
    pub namespace_of_context: Option<String>,
    /// For helm's `.Capabilities.KubeVersion`; `None`: the version of the built-in schema.
    pub kube_version: Option<String>,
    /// For helm's `.Capabilities.APIVersions`: `group/version` and `group/version/Kind`.
    pub api_versions: Arc<Vec<String>>,
    pub namespaced: Namespaced,
}

impl RenderContext {
    /// Returns a context in which nothing is known about kinds.
    pub fn unknown(cluster: ClusterId) -> Self {
        Self {
            cluster,
            namespace_asked: None,
            namespace_of_context: None,
            kube_version: None,
            api_versions: Arc::default(),
            namespaced: Arc::new(|_| None),
        }
    }

    /// Returns the context of a cluster by what it says of itself. Kinds that it does not serve are asked of `fallback`.
    pub fn of(
        facts: &ClusterFacts,
        fallback: impl Fn(&GroupVersionKind) -> Option<bool> + Send + Sync + 'static,
    ) -> Self {
        let mut scopes = HashMap::new();
        let mut api_versions = Vec::new();
        for served in &facts.kinds {
            // Scope does not depend on the version.
            scopes.insert(served.kind.group_kind(), served.namespaced);
            let version = served.kind.api_version();
            api_versions.push(format!("{version}/{}", served.kind.kind));
            api_versions.push(version);
        }
        api_versions.sort();
        api_versions.dedup();
        Self {
            kube_version: facts.version.clone(),
            api_versions: Arc::new(api_versions),
            namespaced: Arc::new(move |kind| {
                scopes.get(&kind.group_kind()).copied().or_else(|| fallback(kind))
            }),
            ..Self::unknown(facts.id.clone())
        }
    }

    /// Returns the namespace of whatever names none itself, with whether somebody asked for it.
    pub(super) fn namespace(&self, of_app: Option<&str>) -> (String, bool) {
        let asked = self.namespace_asked.as_deref().or(of_app).filter(|name| !name.is_empty());
        let context = self.namespace_of_context.as_deref().filter(|name| !name.is_empty());
        (asked.or(context).unwrap_or("default").to_owned(), asked.is_some())
    }
}

impl fmt::Debug for RenderContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenderContext")
            .field("cluster", &self.cluster)
            .field("namespace_asked", &self.namespace_asked)
            .field("namespace_of_context", &self.namespace_of_context)
            .field("kube_version", &self.kube_version)
            .field("api_versions", &self.api_versions.len())
            .finish_non_exhaustive()
    }
}
