//! Defines a deployment as the pipeline knows it: its rendering, its verdicts, and what they sum up to.

use crate::action::exact::Answer;
use crate::model::status::{DeploymentStatus, ResourceStatus};
use crate::model::{
    App, Counts, DeploymentId, Engine, GroupVersionKind, HealthStatus, Level, Manifest, Notice, Oid,
    ResourceId, Revision, Verdict, Why,
};
use crate::pipeline::judging::{Claims, engine_manager};
use crate::pipeline::store::ObjectKey;
use crate::pipeline::unsynced::{Fits, Past};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// What an app of a repo is in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Another app than those asked for: only what it declares counts, so that nothing of it is taken for an extra of
    /// theirs. It is rendered, but neither watched nor judged nor told of.
    Other,
    /// Asked for by a path that lies in another app, or is a base of one: that app declares the same objects, rightly.
    Part,
    /// Asked for.
    Asked,
}

impl Role {
    /// Returns whether it is to be judged.
    pub fn is_asked(self) -> bool {
        self != Self::Other
    }
}

/// An app of a repo with what it is in this run.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub app: App,
    pub role: Role,
}

/// A deployment with its rendering and its verdicts.
pub struct Deployment {
    pub app: App,
    pub role: Role,
    pub repo: usize,
    pub cluster: usize,
    pub namespace: Option<String>,
    pub revision: Revision,
    /// Counts renderings: an older one that arrives late is dropped.
    pub generation: u64,
    pub rendered: Option<Arc<Rendering>>,
    /// The cluster's watches were worked out with a rendering of it.
    pub(super) planned: bool,
    pub statuses: BTreeMap<ResourceId, ResourceStatus>,
    pub(super) present: BTreeSet<ResourceId>,
    pub claims: Arc<Claims>,
    pub engine: Engine,
    pub(super) told: Option<DeploymentStatus>,
    /// What earlier commits were looked at for; `None` before the first look has ended.
    pub looked_back: Option<LookedBack>,
    /// What it rendered to before.
    pub past: Arc<Past>,
    /// Which of those states its objects fit, where they do not fit all of them.
    pub(super) fits: BTreeMap<ResourceId, Fits>,
    /// An object of it was seen in this cluster before, so that its absence is `missing`.
    pub seen_before: bool,
    /// What the API server said of its objects, when it was asked.
    pub answers: BTreeMap<ResourceId, Arc<Answer>>,
    /// Says of which kinds its extras are not known.
    pub(super) extras_unknown: Option<Notice>,
}

/// What decides what the earlier commits of an app rendered to: where its past begins, and what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct LookedBack {
    pub commit: Option<Oid>,
    /// Uncommitted changes stand on the commit.
    pub dirty: bool,
    pub app: App,
}

impl Deployment {
    /// Returns the field manager of the engine that owns the app, where one does.
    pub fn engine_manager(&self) -> Option<&'static str> {
        engine_manager(self.engine, &self.claims.marks)
    }

    /// Returns what its earlier commits are to be looked at for now.
    pub fn looks_back_for(&self) -> LookedBack {
        let Revision { commit, dirty, .. } = &self.revision;
        LookedBack { commit: commit.clone(), dirty: *dirty, app: self.app.clone() }
    }
}

/// What rendering an app came to.
#[derive(Default)]
pub struct Rendering {
    pub manifests: Vec<Arc<Manifest>>,
    pub notices: Vec<Notice>,
    /// Nothing was left out.
    pub complete: bool,
    ids: HashSet<ResourceId>,
    /// Where its objects are looked for: each kind with each namespace, once.
    pub(super) places: HashSet<(GroupVersionKind, Option<String>)>,
}

impl Rendering {
    pub fn new(manifests: Vec<Arc<Manifest>>, notices: Vec<Notice>, complete: bool) -> Self {
        let ids = manifests.iter().map(|m| m.id.clone()).collect();
        let places = manifests.iter().map(|m| (m.kind.clone(), m.id.namespace.clone())).collect();
        Self { manifests, notices, complete, ids, places }
    }

    /// Returns the places of the objects that only one of two renderings declares, or that they declare in another way.
    pub(super) fn differs_from(&self, before: &Rendering) -> Vec<(GroupVersionKind, ObjectKey)> {
        let place =
            |m: &Manifest| (m.kind.clone(), (m.id.namespace.clone(), m.id.name.clone().unwrap_or_default()));
        let mut known: HashMap<_, Vec<&Arc<Manifest>>> = HashMap::new();
        for manifest in &before.manifests {
            known.entry(place(manifest)).or_default().push(manifest);
        }
        let mut changed = Vec::new();
        for manifest in &self.manifests {
            let place = place(manifest);
            let same = known.get_mut(&place).and_then(|same| {
                let at = same.iter().position(|b| Arc::ptr_eq(b, manifest) || b == &manifest)?;
                Some(same.swap_remove(at))
            });
            if same.is_none() {
                changed.push(place);
            }
        }
        changed.extend(known.into_iter().filter(|(_, left)| !left.is_empty()).map(|(place, _)| place));
        changed
    }

    /// Returns whether the object is declared.
    pub fn declares(&self, id: &ResourceId) -> bool {
        self.ids.contains(id)
    }
}

/// Returns whether a deployment still declares an object.
pub(super) fn still_there(deployment: &Deployment, id: &ResourceId) -> bool {
    deployment.rendered.as_ref().is_some_and(|r| r.declares(id))
}

/// What settling a deployment's absence changed.
#[derive(Default)]
pub(super) struct Absence {
    pub(super) flipped: Vec<(ResourceId, ResourceStatus)>,
    /// It was not deployed here, and now something of it is.
    pub(super) came_back: bool,
}

/// Makes a deployment none of whose objects exist `not deployed here`, and missing again once one does. Returns the
/// resources that this changed.
pub(super) fn settle_absence(deployment: &mut Deployment) -> Absence {
    let excusable = !deployment.app.expected && !deployment.seen_before;
    let blind = deployment.statuses.values().any(
        |s| matches!(s.verdict(), Verdict::Unknown(why) if !why.0.starts_with("the cluster does not serve")),
    );
    let absent = excusable && deployment.present.is_empty() && !blind;
    let mut settled = Absence::default();
    for (id, status) in &mut deployment.statuses {
        let not_here = Verdict::Excluded(Why::not_deployed_here());
        let next = match status.verdict() {
            Verdict::Missing | Verdict::Unknown(_) | Verdict::Invalid if absent => not_here,
            verdict if !absent && *verdict == not_here => {
                settled.came_back = true;
                Verdict::Missing
            }
            _ => continue,
        };
        let mut judgement = (*status.judgement).clone();
        judgement.verdict = next;
        status.judgement = Arc::new(judgement);
        settled.flipped.push((id.clone(), status.clone()));
    }
    settled
}

/// Sums up what is known of a deployment.
pub(super) fn summary(id: &DeploymentId, deployment: &Deployment) -> DeploymentStatus {
    let mut counts = Counts::default();
    let mut health = HealthStatus::Healthy;
    for status in deployment.statuses.values() {
        counts.add(status.verdict());
        if !matches!(status.verdict(), Verdict::Excluded(_)) {
            health = health.max(status.health().status);
        }
    }
    let rendering = deployment.rendered.as_ref();
    let failed = rendering.is_some_and(|r| !r.complete);
    let mut notices = rendering.map(|r| r.notices.clone()).unwrap_or_default();
    notices.extend(deployment.extras_unknown.clone());
    let verdict = match counts.verdict() {
        Verdict::Drifted => Verdict::Drifted,
        _ if failed => Verdict::Unknown(Why::new(
            notices
                .iter()
                .find(|n| n.level == Level::Error)
                .map_or("the render failed", |n| n.title.as_str()),
        )),
        Verdict::Excluded(_) if counts.excluded > 0 && deployment.present.is_empty() => {
            Verdict::Excluded(first_reason(deployment))
        }
        other => other,
    };
    let fits = deployment.fits.values().fold(deployment.past.all(), |all, fits| all & fits);
    let as_at = deployment.past.newest_of(fits).filter(|_| counts.verdict() == Verdict::Drifted).cloned();
    DeploymentStatus {
        id: id.clone(),
        namespace: deployment.namespace.clone(),
        engine: deployment.engine,
        path: deployment.app.path.clone(),
        revision: deployment.revision.clone(),
        verdict,
        health: if counts.total() == 0 { HealthStatus::Unknown } else { health },
        counts,
        hidden: deployment.statuses.values().map(|status| status.judgement.hidden()).sum(),
        notices,
        as_at,
    }
}

fn first_reason(deployment: &Deployment) -> Why {
    let mut reasons = deployment.statuses.values().filter_map(|s| match s.verdict() {
        Verdict::Excluded(why) => Some(why.clone()),
        _ => None,
    });
    let not_here = Why::not_deployed_here();
    let first = reasons.next().unwrap_or_else(|| Why::new("nothing to compare"));
    if first == not_here || reasons.any(|why| why == not_here) { not_here } else { first }
}
