//! Tells the history of an app: the commits that touch what it is rendered from, how far a cluster is off each of them, and
//! what each of them would be against the cluster, against what Git declares now, and against another commit.

use crate::drift::{self, IgnoreRules};
use crate::git::{Ask, Git, HistoryError};
use crate::model::history::{Against, Step};
use crate::model::status::ResourceStatus;
use crate::model::{
    App, ClusterFacts, DeploymentId, Health, HealthStatus, History, Judgement, LiveObject, Manifest, Oid,
    Packed, PastCommit, RenderSpec, RepoId, ResourceId, Signature, Tree, Verdict, limits,
};
use crate::pipeline::deployment::Rendering;
use crate::pipeline::judging::Knowledge;
use crate::pipeline::offline::{self, Offline};
use crate::pipeline::rendering::{For, Renderer};
use crate::pipeline::story::Inputs;
use crate::text::guarded;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OnceCell, mpsc};
use tokio_util::sync::CancellationToken;

/// Histories that are remembered; beyond that all are forgotten.
const REMEMBERED: usize = 64;
/// Commits whose distance is worked out: of plain manifests, and where each takes a child program.
const DISTANCES: (usize, usize) = (limits::HISTORY_PAGE, 12);
/// How long distances are worked out.
const DISTANCE_TIME: Duration = Duration::from_secs(20);

/// An app whose history is asked for.
#[derive(Clone)]
pub struct Ground {
    pub inputs: Inputs,
    pub renderer: Arc<Renderer>,
    /// `None`: no cluster is meant, or it has not answered.
    pub deployed: Option<Arc<At>>,
    /// The other apps of the repo.
    pub others: Vec<App>,
}

/// The cluster that an app is compared with.
pub struct At {
    pub id: DeploymentId,
    pub context: String,
    /// The cluster's name must be typed before anything is written.
    pub protected: bool,
    pub facts: Arc<ClusterFacts>,
    pub knowledge: Knowledge,
    pub rules: Arc<IgnoreRules>,
    pub deployer: Option<&'static str>,
    /// What Git declares now.
    pub desired: Arc<Rendering>,
    /// The objects that are judged, with what is live of them.
    pub live: HashMap<ResourceId, Option<Arc<Packed>>>,
    /// Why not everything that is live is known.
    pub unknown: Option<String>,
}

/// A walk: the repo, the commit that it begins at, and the paths.
type Walk = (RepoId, Oid, Vec<String>);

/// Walks of history, remembered as long as the commit that they begin at is the newest.
#[derive(Default)]
pub struct Histories {
    git: OnceCell<Option<Git>>,
    known: Mutex<HashMap<Walk, History>>,
}

impl Histories {
    async fn git(&self) -> Option<&Git> {
        let env: Vec<_> = std::env::vars_os().collect();
        let find = || async { Git::find(env, &CancellationToken::new()).await.ok() };
        self.git.get_or_init(find).await.as_ref()
    }

    fn known(&self, key: &Walk) -> Option<History> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn remember(&self, key: Walk, history: &History) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(key, history.clone());
    }

    /// Tells the history step by step: the first page, then all of it with its signatures, then how far the cluster is off.
    pub async fn tell(
        &self,
        ground: &Ground,
        cancel: &CancellationToken,
        steps: &mpsc::Sender<Step>,
    ) -> Result<(), HistoryError> {
        let Inputs { repo, app, tree, revision } = &ground.inputs;
        let Some(from) = revision.commit.clone() else {
            say(steps, Step::Commits(History::default())).await;
            return Ok(());
        };
        let (app, tree) = (app.clone(), tree.clone());
        let paths = tokio::task::spawn_blocking(move || crate::render::inputs(&app, &*tree)).await;
        let paths = paths.unwrap_or_else(|_| vec![ground.inputs.app.path.clone()]);
        let key = (repo.id().clone(), from.clone(), paths.clone());
        let whole = if let Some(known) = self.known(&key) {
            say(steps, Step::Commits(known.clone())).await;
            known
        } else {
            let git = self.git().await;
            let first = repo.history(git, &from, &paths, limits::HISTORY_PAGE, cancel).await?;
            say(steps, Step::Commits(first.clone())).await;
            let mut whole = first;
            if whole.more {
                whole = repo.history(git, &from, &paths, limits::HISTORY, cancel).await?;
            }
            if let Some(git) = git {
                whole.of = repo.count(git, &from, cancel).await;
            }
            say(steps, Step::Commits(whole.clone())).await;
            if let Some(git) = git {
                let checked = self.check(git, ground, &mut whole, cancel).await;
                say(steps, Step::Signatures(checked)).await;
            }
            if !cancel.is_cancelled() {
                self.remember(key, &whole);
            }
            whole
        };
        if ground.deployed.is_some() {
            // What is not known in time stays unknown.
            let distances = distances(ground, &whole.commits, cancel, steps);
            let _ = tokio::time::timeout(DISTANCE_TIME, distances).await;
        }
        Ok(())
    }

    /// Checks the signatures of the first page.
    async fn check(
        &self,
        git: &Git,
        ground: &Ground,
        history: &mut History,
        cancel: &CancellationToken,
    ) -> HashMap<Oid, Signature> {
        let page = || history.commits.iter().take(limits::HISTORY_PAGE);
        let signed = page().filter(|commit| commit.signature == Signature::Unchecked);
        let signed: Vec<Oid> = signed.map(|commit| commit.id.clone()).collect();
        if signed.is_empty() {
            return HashMap::new();
        }
        let checked = ground.inputs.repo.signatures(git, &signed, cancel).await;
        for commit in &mut history.commits {
            if let Some(signature) = checked.get(&commit.id) {
                commit.signature = *signature;
            }
        }
        checked
    }
}

/// Tells a step; nobody may want it any more.
async fn say(steps: &mpsc::Sender<Step>, step: Step) {
    let _ = steps.send(step).await;
}

async fn distances(
    ground: &Ground,
    commits: &[PastCommit],
    cancel: &CancellationToken,
    steps: &mpsc::Sender<Step>,
) {
    let most = match ground.inputs.app.spec {
        RenderSpec::Plain { .. } => DISTANCES.0,
        RenderSpec::Kustomize | RenderSpec::Helm(_) => DISTANCES.1,
    };
    for commit in commits.iter().take(most) {
        if cancel.is_cancelled() {
            return;
        }
        let distance = match against(ground, &commit.id, &Against::Live, cancel).await {
            Ok(effect) => Ok(distance(&effect)),
            Err(why) => Err(why),
        };
        say(steps, Step::Distance(commit.id.clone(), distance)).await;
    }
}

/// Returns by how much something differs: each field, and each object that is there on one side only, counts once.
pub fn distance(effect: &[ResourceStatus]) -> usize {
    let of = |status: &ResourceStatus| match status.verdict() {
        Verdict::Drifted => status.judgement.counted().count().max(1),
        Verdict::Missing | Verdict::Extra => 1,
        _ => 0,
    };
    effect.iter().map(of).sum()
}

/// Returns what differs between a commit of an app (as what is desired) and what it is held against, only objects that
/// differ. Errors: why it cannot be told.
pub async fn against(
    ground: &Ground,
    commit: &Oid,
    other: &Against,
    cancel: &CancellationToken,
) -> Result<Vec<ResourceStatus>, String> {
    let at = ground.deployed.clone().ok_or("no cluster is known to render it for")?;
    let rendered = rendered(ground, &at, commit, cancel).await?;
    let other = match other {
        Against::Live => None,
        Against::Desired => Some(at.desired.manifests.iter().map(|m| (**m).clone()).collect()),
        Against::Commit(other) => Some(self::rendered(ground, &at, other, cancel).await?),
    };
    match other {
        None => held_to_live(&at, rendered).await,
        Some(other) => worked(move || between(&at.id, other, rendered)).await,
    }
}

/// Returns what differs between a rendering and what is live. Errors: why it cannot be told.
pub async fn held_to_live(at: &Arc<At>, rendered: Vec<Manifest>) -> Result<Vec<ResourceStatus>, String> {
    if let Some(why) = &at.unknown {
        return Err(why.clone());
    }
    let at = at.clone();
    worked(move || off_live(&at, &rendered)).await
}

/// Returns what differs between a rendering (as what is desired) and what Git declares now.
pub async fn held_to_desired(at: &Arc<At>, rendered: Vec<Manifest>) -> Result<Vec<ResourceStatus>, String> {
    let at = at.clone();
    worked(move || {
        let now = at.desired.manifests.iter().map(|m| (**m).clone()).collect();
        between(&at.id, now, rendered)
    })
    .await
}

async fn worked(
    work: impl FnOnce() -> Vec<ResourceStatus> + Send + 'static,
) -> Result<Vec<ResourceStatus>, String> {
    let mut statuses = tokio::task::spawn_blocking(work).await.map_err(|_| failed())?;
    statuses.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(statuses)
}

fn failed() -> String {
    "driftdeck failed on it; the log says where".to_owned()
}

/// Renders an app at a commit.
async fn rendered(
    ground: &Ground,
    at: &At,
    commit: &Oid,
    cancel: &CancellationToken,
) -> Result<Vec<Manifest>, String> {
    let (repo, name) = (ground.inputs.repo.clone(), commit.0.clone());
    let read = tokio::task::spawn_blocking(move || repo.revision(&Ask::Name(name))).await;
    let tree = match read {
        Ok(Ok(snapshot)) => snapshot.tree,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err(failed()),
    };
    rendered_tree(ground, at, &tree, cancel).await
}

/// Renders an app from a tree. Errors: why it cannot be rendered whole.
pub async fn rendered_tree(
    ground: &Ground,
    at: &At,
    tree: &Arc<dyn Tree>,
    cancel: &CancellationToken,
) -> Result<Vec<Manifest>, String> {
    let whom = For { facts: &at.facts, context: &at.context };
    let rendered = ground.renderer.rendered(&ground.inputs.app, tree, whom, cancel).await;
    if rendered.complete {
        return Ok(rendered.manifests);
    }
    let why = rendered.notices.first().map_or("it left something out", |notice| notice.title.as_str());
    Err(format!("it cannot be rendered whole: {why}"))
}

/// Compares a rendering with what is live, as far as that is watched.
fn off_live(at: &At, rendered: &[Manifest]) -> Vec<ResourceStatus> {
    let knowledge = &at.knowledge;
    let context = knowledge.context(at.deployer, &at.rules);
    let live = |id: &ResourceId| {
        let packed = at.live.get(id).and_then(Option::as_ref)?;
        packed.open(&knowledge.cluster).ok()
    };
    let judged = rendered.iter().filter_map(|manifest| {
        let live: Option<LiveObject> = live(&manifest.id);
        let judgement = guarded(|| drift::judge(Some(manifest), live.as_ref(), &context))?;
        Some((manifest.id.clone(), manifest.kind.clone(), judgement))
    });
    let declared: std::collections::HashSet<&ResourceId> = rendered.iter().map(|m| &m.id).collect();
    // What is declared now and there, and was not declared then.
    let now = at.desired.manifests.iter().filter(|m| !declared.contains(&m.id));
    let extra = now.filter(|m| at.live.get(&m.id).is_some_and(Option::is_some)).map(|m| {
        let judgement = Judgement::plain(Verdict::Extra, Health::of(HealthStatus::Unknown));
        (m.id.clone(), m.kind.clone(), judgement)
    });
    let all = judged.chain(extra).map(|(id, kind, judgement)| ResourceStatus {
        deployment: at.id.clone(),
        id,
        kind,
        origin: None,
        judgement: Arc::new(judgement),
    });
    all.filter(differs).collect()
}

fn differs(status: &ResourceStatus) -> bool {
    matches!(status.verdict(), Verdict::Drifted | Verdict::Missing | Verdict::Extra | Verdict::Invalid)
}

/// Compares two renderings: the first stands where live would.
fn between(id: &DeploymentId, base: Vec<Manifest>, rendered: Vec<Manifest>) -> Vec<ResourceStatus> {
    let mut statuses = offline::between(&Offline::of(base), &Offline::of(rendered));
    statuses.retain(differs);
    for status in &mut statuses {
        status.deployment = id.clone();
    }
    statuses
}
