//! Defines capture: live values written back into the source files that declare them. Nothing is written here: what comes
//! out are the files as they would be.
//!
//! For each field that is to be captured the places are tried that may declare it, in the order in which people would want
//! them: see [`plain`], [`kustomize`] and [`helm`]. A place counts only if the edited tree, rendered again, holds the live
//! value at the field, and if nothing else of the app renders otherwise (see [`check`]). So a guess does no harm, and what
//! cannot be captured is refused with the reason.
//!
//! Secrets are never captured, and what looks like a secret is refused: in Git it would stay for ever.

mod candidate;
mod check;
mod generator;
mod helm;
mod images;
mod kustomize;
mod objects;
mod order;
mod patches;
mod plain;
mod refusal;
mod wish;

#[cfg(test)]
mod tests;

pub use refusal::{Reason, Refusal};

use crate::model::{
    App, FieldChange, FieldPath, FileEdit, LiveObject, Manifest, Overlaid, RenderSpec, ResourceId, Tree,
    TreeError,
};
use crate::render::{self, RenderContext, Rendered, Tools};
use candidate::{Blocked, Candidate};
use check::{Goal, Judged};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use wish::Wish;

/// Fields and objects that are captured at once, at most: each takes a rendering.
const MOST: usize = 200;
/// Places that are tried for one field: each takes a rendering.
const PLACES: usize = 24;

/// What a deployment is rendered from.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    pub app: &'a App,
    pub tree: &'a Arc<dyn Tree>,
    pub tools: &'a Tools,
    pub context: &'a RenderContext,
}

/// What is to be captured of one object.
#[derive(Debug, Clone)]
pub struct Chosen {
    pub id: ResourceId,
    /// As the cluster holds it; `None`: it is not there, and what declares it goes too.
    pub live: Option<LiveObject>,
    /// The fields; none of an object that Git does not declare, or that the cluster does not hold.
    pub changes: Vec<FieldChange>,
}

/// What capturing came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Captured {
    /// The files that change, by path; none where everything was refused.
    pub edits: Vec<FileEdit>,
    pub told: Vec<Told>,
    pub refused: Vec<Refusal>,
    /// What the app renders to with the edits.
    pub rendered: Rendered,
}

/// What was done for one field or object. The words hold no values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub object: ResourceId,
    /// `None`: the object as a whole.
    pub path: Option<FieldPath>,
    pub file: String,
    /// The line, as the file will be; of what is removed, as it is.
    pub line: Option<usize>,
    /// What was done: `set in web.yaml`.
    pub done: String,
    /// What comes along with it.
    pub also: Vec<String>,
}

/// Why nothing can be captured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    #[error("what Git declares cannot be rendered completely: {why}")]
    Incomplete { why: String },
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error("more than {MOST} fields are to be captured at once")]
    TooMany,
    #[error("it was cancelled")]
    Cancelled,
}

/// Finds the edits that make Git declare what the cluster holds.
///
/// What cannot be captured is refused one by one, and does not hold up the rest.
pub async fn capture(
    ground: &Ground<'_>,
    chosen: &[Chosen],
    cancel: &CancellationToken,
) -> Result<Captured, CaptureError> {
    if chosen.iter().map(|one| one.changes.len().max(1)).sum::<usize>() > MOST {
        return Err(CaptureError::TooMany);
    }
    let rendered = render::render(ground.app, ground.tree, ground.tools, ground.context, cancel).await;
    if cancel.is_cancelled() {
        return Err(CaptureError::Cancelled);
    }
    if !rendered.complete {
        let why = check::why_incomplete(&rendered);
        return Err(CaptureError::Incomplete { why });
    }
    let tree = Overlaid::over(Arc::clone(ground.tree));
    let mut capturing =
        Capturing { ground, cancel, tree, rendered, told: Vec::new(), at: Vec::new(), refused: Vec::new() };
    for one in chosen {
        capturing.object(one).await?;
    }
    let Capturing { tree, rendered, mut told, at, refused, .. } = capturing;
    for (told, at) in told.iter_mut().zip(at) {
        // What came later may have moved it.
        if let Some((document, path)) = at
            && let Ok(bytes) = tree.read(&told.file)
        {
            told.line = candidate::line_of(&bytes, document, &path);
        }
    }
    Ok(Captured { edits: tree.edits()?, told, refused, rendered })
}

struct Capturing<'a> {
    ground: &'a Ground<'a>,
    cancel: &'a CancellationToken,
    tree: Overlaid,
    rendered: Rendered,
    told: Vec<Told>,
    /// Of each of those, the document and the path of the value.
    at: Vec<Option<(usize, FieldPath)>>,
    refused: Vec<Refusal>,
}

impl Capturing<'_> {
    async fn object(&mut self, chosen: &Chosen) -> Result<(), CaptureError> {
        let id = &chosen.id;
        if let Err(reason) = wish::may_be_captured(id) {
            self.refuse(Refusal::of(id, None, reason, None));
            return Ok(());
        }
        let manifest = self.rendered.manifests.iter().find(|manifest| manifest.id == *id).cloned();
        match (manifest, &chosen.live) {
            (None, Some(live)) => {
                let goal = Goal::New { id: id.clone() };
                let places = match objects::cleaned(live) {
                    Ok(body) => objects::added(self.ground, &self.tree, &self.rendered, live, &body),
                    Err(reason) => vec![Err(Blocked::because(reason))],
                };
                self.try_all(id, None, &goal, places).await.map(|_| ())
            }
            (Some(manifest), None) => {
                let goal = Goal::Gone { id: id.clone() };
                let places = objects::removed(self.ground, &self.tree, &manifest);
                self.try_all(id, None, &goal, places).await.map(|_| ())
            }
            (None, None) => {
                self.refuse(Refusal::of(id, None, Reason::NowhereToBeFound, None));
                Ok(())
            }
            (Some(_), Some(live)) => self.fields(chosen, live).await,
        }
    }

    async fn fields(&mut self, chosen: &Chosen, live: &LiveObject) -> Result<(), CaptureError> {
        let mut id = chosen.id.clone();
        for change in &chosen.changes {
            // What was captured before may have changed where this is declared, and its name's hash.
            let Some(manifest) = self.rendered.manifests.iter().find(|manifest| manifest.id == id).cloned()
            else {
                self.refuse(Refusal::of(&chosen.id, Some(&change.path), Reason::NowhereToBeFound, None));
                continue;
            };
            let wish = match wish::of(change, &manifest, live) {
                Ok(wish) => wish,
                Err(reason) => {
                    self.refuse(Refusal::of(&chosen.id, Some(&change.path), reason, Some(&manifest)));
                    continue;
                }
            };
            if wish.is_granted(&manifest) {
                continue;
            }
            let goal = Goal::Field { id: id.clone(), path: wish.path.clone(), live: wish.live.clone() };
            let places = self.places(&manifest, &wish).await;
            if let Some(renamed) = self.try_all(&chosen.id, Some(&wish), &goal, places).await? {
                id = renamed;
            }
        }
        Ok(())
    }

    /// Returns the places that may declare a field, with the tree as each would make it. Reads files off the async threads.
    async fn places(&self, manifest: &Manifest, wish: &Wish) -> Vec<Result<Candidate, Blocked>> {
        let (app, tree) = (self.ground.app.clone(), self.tree.clone());
        let (manifest, wish) = (manifest.clone(), wish.clone());
        let find = move || match &app.spec {
            RenderSpec::Plain { .. } => plain::places(&tree, &manifest, &wish),
            RenderSpec::Kustomize => kustomize::places(&app, &tree, &manifest, &wish),
            RenderSpec::Helm(spec) => helm::places(&app, spec, &tree, &manifest, &wish),
        };
        tokio::task::spawn_blocking(find).await.unwrap_or_default()
    }

    /// Takes the first place that does what is wanted and nothing else. Returns the object's identity afterwards, if it
    /// was captured.
    async fn try_all(
        &mut self,
        id: &ResourceId,
        wish: Option<&Wish>,
        goal: &Goal,
        places: Vec<Result<Candidate, Blocked>>,
    ) -> Result<Option<ResourceId>, CaptureError> {
        let mut blocked: Option<Blocked> = None;
        for place in places.into_iter().take(PLACES) {
            let candidate = match place {
                Ok(candidate) => candidate,
                Err(why) => {
                    blocked = Some(why.or_worse(blocked));
                    continue;
                }
            };
            let mut tree = self.tree.clone();
            for (path, state) in &candidate.files {
                tree.put(path, state.clone());
            }
            let edited: Arc<dyn Tree> = Arc::new(tree.clone());
            let Ground { app, tools, context, .. } = *self.ground;
            let rendered = render::render(app, &edited, tools, context, self.cancel).await;
            if self.cancel.is_cancelled() {
                return Err(CaptureError::Cancelled);
            }
            match check::judge(&self.rendered, &rendered, goal) {
                Judged::Right { also, id: now } => {
                    let also = candidate.also.iter().cloned().chain(also).collect();
                    self.at.push(candidate.at);
                    self.told.push(Told {
                        object: id.clone(),
                        path: wish.map(|wish| wish.path.clone()),
                        file: candidate.file,
                        line: candidate.line,
                        done: candidate.done,
                        also,
                    });
                    (self.tree, self.rendered) = (tree, rendered);
                    return Ok(Some(now));
                }
                Judged::Wrong(why) => {
                    let why = Blocked {
                        reason: Reason::NotThatAlone { why },
                        file: Some(candidate.file),
                        line: candidate.line,
                    };
                    blocked = Some(why.or_worse(blocked));
                }
            }
        }
        let manifest = self.rendered.manifests.iter().find(|manifest| manifest.id == *id);
        let Blocked { reason, file, line } = blocked
            .unwrap_or_else(|| Blocked::because(Reason::NoPlace { spec: self.ground.app.spec.word() }));
        let mut refusal = Refusal::of(id, wish.map(|wish| &wish.path), reason, manifest);
        if file.is_some() {
            (refusal.file, refusal.line) = (file, line);
        }
        self.refuse(refusal);
        Ok(None)
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.refused.push(refusal);
    }
}
