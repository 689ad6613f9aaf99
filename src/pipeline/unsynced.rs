//! Defines at which commit the cluster is: live equals what an earlier commit rendered to.
//!
//! Whatever is not yet synced looks like an edit until one knows what Git said before. The earlier renderings of an app
//! are few and mostly equal to the newest: only what differs of them is kept, and only objects that differ from Git are
//! compared with them.

use crate::drift::{self, Context};
use crate::git::PastState;
use crate::model::change::add_note;
use crate::model::{
    AsAt, Cause, Class, FieldChange, FieldPath, Judgement, LiveObject, Manifest, Oid, ResourceId, Verdict,
    field,
};
use crate::pipeline::deployment::Rendering;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Which of an app's earlier states an object fits, one bit for each, the newest lowest.
pub type Fits = u32;

/// What an app rendered to before, newest first.
#[derive(Default)]
pub struct Past {
    /// The rendering that the states were compared with.
    base: Arc<Rendering>,
    states: Vec<State>,
    /// Every object of them.
    pub ids: BTreeSet<ResourceId>,
}

/// What took something out of Git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remover {
    Commit(Oid),
    /// The newest commit of what the app is rendered from.
    Newest,
    Uncommitted,
}

struct State {
    at: AsAt,
    /// The objects that were other than in the base; `None`: not declared then.
    differs: HashMap<ResourceId, Option<Arc<Manifest>>>,
}

impl Past {
    /// Begins without states. States are compared with this rendering.
    pub fn of(base: Arc<Rendering>) -> Self {
        Self { base, states: Vec::new(), ids: BTreeSet::new() }
    }

    /// Takes in what an earlier state rendered to; one that left something out tells only what it declares.
    pub fn add(&mut self, state: &PastState, rendered: Vec<Manifest>, complete: bool) {
        let newest: HashMap<&ResourceId, &Arc<Manifest>> =
            self.base.manifests.iter().map(|m| (&m.id, m)).collect();
        let ids: BTreeSet<ResourceId> = rendered.iter().map(|m| m.id.clone()).collect();
        if complete && self.states.len() < Fits::BITS as usize {
            let gone = newest.keys().filter(|id| !ids.contains(**id)).map(|id| ((*id).clone(), None));
            let mut differs: HashMap<_, _> = gone.collect();
            for manifest in rendered {
                let same = newest
                    .get(&manifest.id)
                    .is_some_and(|m| m.kind == manifest.kind && m.body == manifest.body);
                if !same {
                    differs.insert(manifest.id.clone(), Some(Arc::new(manifest)));
                }
            }
            let at = AsAt { commit: state.since.facts.id.clone(), behind: state.behind };
            self.states.push(State { at, differs });
        }
        self.ids.extend(ids);
    }

    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// Returns what took a field of an object out of Git, as far as the states tell: the newest that had it is the one
    /// before.
    pub fn remover(&self, id: &ResourceId, path: &FieldPath) -> Option<Remover> {
        let declares = |state: &State| {
            let manifest = state.differs.get(id).and_then(Option::as_ref);
            manifest.is_some_and(|manifest| field::at(&manifest.body, path).is_some())
        };
        let had = self.states.iter().position(declares)?;
        Some(match had.checked_sub(1).and_then(|after| self.states.get(after)) {
            Some(after) => Remover::Commit(after.at.commit.clone()),
            // What stands on the commit itself is not committed.
            None if self.states.first().is_some_and(|state| state.at.behind == 0) => Remover::Uncommitted,
            None => Remover::Newest,
        })
    }

    /// Returns whether a state declared an object otherwise than it is declared now.
    pub fn differs_in(&self, id: &ResourceId) -> bool {
        self.states.iter().any(|state| state.differs.contains_key(id))
    }

    /// Returns the newest of the states that everything fits.
    pub fn newest_of(&self, fits: Fits) -> Option<&AsAt> {
        let at = usize::try_from(fits.trailing_zeros()).ok()?;
        self.states.get(at).map(|state| &state.at)
    }

    /// Returns the fits of what every state agrees with.
    pub fn all(&self) -> Fits {
        let states = u32::try_from(self.states.len()).unwrap_or(Fits::BITS);
        Fits::MAX.checked_shr(Fits::BITS - states).unwrap_or(0)
    }

    /// Compares an object with what Git declared of it before. Changes that are as an earlier commit had them are marked,
    /// and the object if all of it is. Returns which of the states it fits.
    pub fn explain(
        &self,
        id: &ResourceId,
        live: Option<&LiveObject>,
        judgement: &mut Judgement,
        context: &Context<'_>,
    ) -> Fits {
        if matches!(judgement.verdict, Verdict::Excluded(_) | Verdict::Unknown(_) | Verdict::Invalid) {
            return self.all();
        }
        let as_now = if matches!(judgement.verdict, Verdict::InSync) { self.all() } else { 0 };
        let mut fits = 0;
        let mut unexplained: Vec<bool> = judgement.changes.iter().map(may_be_explained).collect();
        for (at, state) in self.states.iter().enumerate() {
            let bit: Fits = 1 << at;
            let before = match state.differs.get(id) {
                Some(before) => before.as_deref(),
                // Declared neither then nor now: it is an extra of something older.
                None if judgement.verdict == Verdict::Extra => None,
                None => {
                    fits |= as_now & bit;
                    continue;
                }
            };
            let (Some(before), Some(live)) = (before, live) else {
                fits |= if before.is_none() == live.is_none() { bit } else { 0 };
                continue;
            };
            let was = drift::judge(Some(before), Some(live), context);
            if was.verdict == Verdict::InSync {
                fits |= bit;
            }
            for (change, open) in
                judgement.changes.iter_mut().zip(&mut unexplained).filter(|(_, open)| **open)
            {
                if !was.changes.iter().any(|other| overlap(&other.path, &change.path)) {
                    *open = false;
                    mark(change, &state.at);
                }
            }
        }
        let drifts = matches!(judgement.verdict, Verdict::Drifted | Verdict::Missing | Verdict::Extra);
        judgement.as_at = self.newest_of(fits).filter(|_| drifts).cloned();
        fits
    }
}

/// Only what Git declares, or declared, can be as it once was.
fn may_be_explained(change: &FieldChange) -> bool {
    change.counts && matches!(change.class, Class::Changed | Class::Deleted | Class::Leftover)
}

fn overlap(a: &FieldPath, b: &FieldPath) -> bool {
    a.0.iter().zip(&b.0).all(|(a, b)| a == b)
}

/// Says that a field is as a commit had it. Who changed it by hand did so all the same.
fn mark(change: &mut FieldChange, at: &AsAt) {
    if change.cause != Cause::ByHand {
        change.cause = Cause::UnsyncedCommit;
    }
    change.note = change.note.take().filter(|_| !change.kept_by.is_empty());
    add_note(&mut change.note, &format!("as {}", at.words()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::builtin;
    use crate::drift::{Autoscaled, Managers};
    use crate::git::{CommitFacts, Known};
    use crate::model::{ClusterId, GroupVersionKind, Value};
    use crate::value;

    fn manifest(name: &str, data: Value) -> Manifest {
        let mut body = value!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}});
        body.as_map_mut().unwrap().insert("data".to_owned(), data);
        let live = LiveObject::read(&ClusterId("c".into()), body.clone()).unwrap();
        Manifest {
            id: live.id,
            kind: GroupVersionKind::from_api_version("v1", "ConfigMap"),
            body,
            origin: crate::model::Origin::default(),
            problems: Vec::new(),
            lines: crate::model::manifest::BodyLines::default(),
            overlay: None,
        }
    }

    fn state(commit: &str, behind: usize) -> PastState {
        let facts = CommitFacts {
            id: Oid(commit.repeat(40)),
            author: "Ana".to_owned(),
            email: String::new(),
            authored: None,
            subject: String::new(),
        };
        PastState { since: Known { facts, or_earlier: false }, behind }
    }

    #[test]
    fn live_is_at_the_newest_commit_that_it_equals() {
        let newest = vec![manifest("web", value!({"a": "3", "b": "2"})), manifest("new", value!({"x": "1"}))];
        let newest: Vec<Arc<Manifest>> = newest.into_iter().map(Arc::new).collect();
        let mut past = Past::of(Arc::new(Rendering::new(newest.clone(), Vec::new(), true)));
        past.add(&state("2", 1), vec![manifest("web", value!({"a": "2", "b": "2"}))], true);
        past.add(
            &state("1", 2),
            vec![manifest("web", value!({"a": "1"})), manifest("old", value!({"x": "1"}))],
            true,
        );
        let (schema, managers, autoscaled) = (builtin::schema(), Managers::built_in(), Autoscaled::default());
        let context = Context::new(&schema, &managers, &autoscaled);
        let cluster = ClusterId("c".into());
        for (data, fits, at, notes) in [
            (value!({"a": "3", "b": "2"}), 0b00, None, vec![]),
            (value!({"a": "2", "b": "2"}), 0b01, Some(1), vec!["as at 2222222, 1 commit behind"]),
            (
                value!({"a": "1"}),
                0b10,
                Some(2),
                vec!["as at 1111111, 2 commits behind", "as at 1111111, 2 commits behind"],
            ),
            (value!({"a": "2", "b": "9"}), 0b00, None, vec!["as at 2222222, 1 commit behind", "-"]),
            (value!({"a": "7", "b": "2"}), 0b00, None, vec!["-"]),
        ] {
            let live = LiveObject::read(&cluster, manifest("web", data.clone()).body).unwrap();
            let mut judged = drift::judge(Some(&newest[0]), Some(&live), &context);
            let found = past.explain(&live.id, Some(&live), &mut judged, &context);
            let said: Vec<_> = judged.changes.iter().map(|c| c.note.as_deref().unwrap_or("-")).collect();
            let said: Vec<_> =
                said.into_iter().map(|n| if n.starts_with("as at") { n } else { "-" }).collect();
            assert_eq!((found, judged.as_at.map(|at| at.behind), said), (fits, at, notes), "{data:?}");
        }
        let id = &newest[1].id;
        let mut missing = drift::judge(Some(&newest[1]), None, &context);
        assert_eq!(past.explain(id, None, &mut missing, &context), 0b11, "neither state declares it");
        assert_eq!(past.all(), 0b11);
    }
}
