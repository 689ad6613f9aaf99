//! Renders apps for a cluster: the place where Git's files become manifests with full identities.

use crate::cluster::builtin;
use crate::git::{Ask, Known, PastState, Repo};
use crate::model::{
    App, AppId, ClusterFacts, ClusterId, GroupVersionKind, Manifest, Notice, RenderSpec, Tree,
};
use crate::pipeline::deployment::{LookedBack, Rendering};
use crate::pipeline::setup::Setup;
use crate::pipeline::unsynced::Past;
use crate::render::{self, RenderContext, Rendered, Tools};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Renderings that run at the same time: each may be a child program.
const AT_ONCE: usize = 4;
/// Earlier states of plain manifests that are looked at for objects that Git no longer declares.
const EARLIER_PLAIN: usize = 20;
/// Earlier states that need a child program each.
const EARLIER_RENDERED: usize = 3;

/// Renders apps, a few at a time.
pub struct Renderer {
    tools: Arc<Tools>,
    turns: Semaphore,
    namespace: Option<String>,
    contexts: HashMap<String, String>,
    /// The last rendering of each app of plain manifests for each cluster: reading thousands of files again because one
    /// of another app has changed takes longer than everything else. What child programs render is kept by the tools.
    plain: Mutex<HashMap<(AppId, ClusterId), Plain>>,
}

/// A rendering of plain manifests, with all that it depends on.
struct Plain {
    digest: String,
    app: App,
    facts: Arc<ClusterFacts>,
    manifests: Vec<Arc<Manifest>>,
    notices: Vec<Notice>,
    complete: bool,
}

/// For whom something is rendered.
#[derive(Clone, Copy)]
pub struct For<'a> {
    pub facts: &'a Arc<ClusterFacts>,
    /// The kubeconfig context, by which its namespace is known.
    pub context: &'a str,
}

impl Renderer {
    /// Finds the programs and remembers the namespaces that were asked for.
    pub fn new(setup: &Setup) -> Self {
        let contexts = setup
            .clusters
            .iter()
            .filter_map(|c| Some((c.cluster.name().to_owned(), c.namespace.clone()?)))
            .collect();
        Self {
            tools: setup.tools.clone(),
            turns: Semaphore::new(AT_ONCE),
            namespace: setup.namespace.clone(),
            contexts,
            plain: Mutex::default(),
        }
    }

    /// Renders an app for a cluster. Manifests that are the same as before are the very same values.
    pub async fn render(
        &self,
        app: &App,
        tree: Arc<dyn Tree>,
        whom: For<'_>,
        cancel: &CancellationToken,
    ) -> Rendering {
        let (facts, key) = (whom.facts.clone(), (app.id.clone(), whom.facts.id.clone()));
        let digest = match app.spec {
            RenderSpec::Plain { .. } => digest_of(app, &tree).await,
            RenderSpec::Kustomize | RenderSpec::Helm(_) => None,
        };
        if let Some(known) = digest.as_ref().and_then(|digest| self.known(&key, digest, app, &facts)) {
            return known;
        }
        let Rendered { manifests, notices, complete } = self.rendered(app, &tree, whom, cancel).await;
        let manifests: Vec<_> = manifests.into_iter().map(Arc::new).collect();
        if let Some(digest) = digest.filter(|_| !cancel.is_cancelled()) {
            let (app, manifests, notices) = (app.clone(), manifests.clone(), notices.clone());
            let plain = Plain { digest, app, facts, manifests, notices, complete };
            self.plain.lock().unwrap_or_else(PoisonError::into_inner).insert(key, plain);
        }
        Rendering::new(manifests, notices, complete)
    }

    fn known(
        &self,
        key: &(AppId, ClusterId),
        digest: &str,
        app: &App,
        facts: &ClusterFacts,
    ) -> Option<Rendering> {
        let plain = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |plain: &&Plain| plain.digest == digest && plain.app == *app && *plain.facts == *facts;
        let Plain { manifests, notices, complete, .. } = plain.get(key).filter(same)?;
        Some(Rendering::new(manifests.clone(), notices.clone(), *complete))
    }

    /// Renders an app as it is in any tree; nothing of it is kept.
    pub async fn rendered(
        &self,
        app: &App,
        tree: &Arc<dyn Tree>,
        whom: For<'_>,
        cancel: &CancellationToken,
    ) -> Rendered {
        let context = self.context(whom);
        // The semaphore is never closed, and a rendering without a turn only costs time.
        let _turn = self.turns.acquire().await.ok();
        render::render(app, tree, &self.tools, &context, cancel).await
    }

    /// Returns the programs that render.
    pub fn tools(&self) -> &Tools {
        &self.tools
    }

    /// Returns what rendering for a cluster depends on besides the files.
    pub fn context(&self, whom: For<'_>) -> RenderContext {
        let mut context = RenderContext::of(whom.facts, is_namespaced);
        context.namespace_asked.clone_from(&self.namespace);
        context.namespace_of_context = self.contexts.get(whom.context).cloned();
        context
    }

    /// Returns what an app rendered to for a cluster before a revision, as far as it is cheap to know. What is committed is
    /// the past of uncommitted changes.
    pub async fn past(
        &self,
        repo: &Repo,
        tree: Arc<dyn Tree>,
        looked: &LookedBack,
        rendered: Arc<Rendering>,
        whom: For<'_>,
        cancel: &CancellationToken,
    ) -> Past {
        let app = &looked.app;
        let limit = match app.spec {
            RenderSpec::Plain { .. } => EARLIER_PLAIN,
            RenderSpec::Kustomize | RenderSpec::Helm(_) => EARLIER_RENDERED,
        };
        let (repo, of, stop) = (repo.clone(), looked.clone(), cancel.clone());
        let states = tokio::task::spawn_blocking(move || earlier_trees(&repo, &*tree, &of, limit, &stop))
            .await
            .unwrap_or_default();
        let mut past = Past::of(rendered);
        for (state, tree) in states {
            let whom = For { facts: whom.facts, context: whom.context };
            let rendered = self.rendered(app, &tree, whom, cancel).await;
            past.add(&state, rendered.manifests, rendered.complete);
        }
        past
    }
}

/// Returns the digest of an app's files; `None` where they cannot all be read.
async fn digest_of(app: &App, tree: &Arc<dyn Tree>) -> Option<String> {
    let (tree, path) = (tree.clone(), app.path.clone());
    tokio::task::spawn_blocking(move || tree.digest(&path).ok()).await.ok().flatten()
}

fn earlier_trees(
    repo: &Repo,
    tree: &dyn Tree,
    looked: &LookedBack,
    limit: usize,
    stop: &CancellationToken,
) -> Vec<(PastState, Arc<dyn Tree>)> {
    let Some(commit) = &looked.commit else { return Vec::new() };
    let inputs = render::inputs(&looked.app, tree);
    let committed = looked.dirty.then(|| repo.commit_facts(commit).ok()).flatten();
    let committed = committed.map(|facts| PastState { since: Known { facts, or_earlier: false }, behind: 0 });
    committed
        .into_iter()
        .chain(repo.past_states(commit, &inputs, limit, stop))
        .filter_map(|state| {
            let read = repo.revision(&Ask::Name(state.since.facts.id.0.clone())).ok()?;
            Some((state, read.tree))
        })
        .collect()
}

/// Returns whether a built-in kind lives in namespaces; `None` for other kinds.
pub fn is_namespaced(kind: &GroupVersionKind) -> Option<bool> {
    static SCOPES: LazyLock<HashMap<crate::model::GroupKind, bool>> =
        LazyLock::new(|| builtin::kinds().iter().map(|k| (k.kind.group_kind(), k.namespaced)).collect());
    SCOPES.get(&kind.group_kind()).copied()
}
