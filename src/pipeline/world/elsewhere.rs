//! Looks for extras of a cluster's deployments beyond what is watched: when, for what, and what is said meanwhile.

use super::World;
use crate::model::update::Update;
use crate::model::{GroupKind, Notice};
use crate::pipeline::elsewhere::{Found, Question};
use std::collections::BTreeSet;

impl World {
    /// Returns, for each cluster, what is to be looked for now that everything that is watched has been judged. Each
    /// question is returned once; the deployments that wait for its answer say so.
    pub fn questions(&mut self, secrets_everywhere: bool) -> Vec<(usize, Question)> {
        if !self.claims_moved || !self.is_judged() {
            return Vec::new();
        }
        self.claims_moved = false;
        let mut open = Vec::new();
        for at in 0..self.clusters.len() {
            let Some(question) = self.question(at, secrets_everywhere) else { continue };
            let Some(cluster) = self.clusters.get_mut(at) else { continue };
            if !cluster.elsewhere.ask(&question) {
                continue;
            }
            let is_open = !cluster.elsewhere.is_answered();
            let pending = Notice::info("its extras of kinds that are not watched are not known yet");
            self.say_of_claimants(at, &question, Some(&pending).filter(|_| is_open));
            if is_open {
                open.push((at, question));
            }
        }
        open
    }

    fn question(&self, at: usize, secrets_everywhere: bool) -> Option<Question> {
        let cluster = self.clusters.get(at)?;
        let facts = cluster.facts.as_ref()?;
        let here = || self.deployments.values().filter(|d| d.cluster == at && d.role.is_asked());
        let marks = here().flat_map(|d| d.claims.marks.iter().cloned()).collect();
        let earlier = here().flat_map(|d| &d.claims.earlier).filter(|id| !self.declares(at, id));
        let declared = here().filter_map(|d| d.rendered.as_ref()).flat_map(|r| &r.places);
        let mut namespaces: BTreeSet<&str> =
            declared.filter_map(|(_, namespace)| namespace.as_deref()).collect();
        namespaces.extend(here().filter_map(|d| d.namespace.as_deref()));
        let earlier = earlier.cloned().collect();
        Some(cluster.elsewhere.question(facts, marks, earlier, &namespaces, secrets_everywhere))
    }

    /// Takes in what was found; the watches are to be planned anew then. Returns whether anybody still waits for it.
    pub fn set_found(&mut self, at: usize, question: &Question, found: Found) -> bool {
        let Some(cluster) = self.clusters.get_mut(at) else { return false };
        if !cluster.elsewhere.answer(question, found) {
            return false;
        }
        let not_listed = cluster.elsewhere.not_listed();
        let of_earlier = question.earlier.iter().any(|id| not_listed.contains_key(&id.kind));
        let notice = not_listed.values().next().map(|why| {
            let title = format!("extras of {} are not known", some_of(not_listed.keys()));
            // Where only marks could tell, hardly anybody may list every kind there is.
            let notice = if of_earlier { Notice::warning(title) } else { Notice::info(title) };
            notice.cause(why).hint("what Git no longer declares of them may still be there")
        });
        // What nobody expects there is no matter of the apps.
        self.say_of_claimants(at, question, notice.as_ref().filter(|_| of_earlier));
        if let Some(notice) = notice {
            self.tell(Update::Notice(notice));
        }
        true
    }

    /// Returns whether what is not watched has been looked at too, in every cluster that answered.
    pub(super) fn knows_extras(&self) -> bool {
        !self.claims_moved && self.clusters.iter().all(|c| c.facts.is_none() || c.elsewhere.is_answered())
    }

    fn say_of_claimants(&mut self, at: usize, question: &Question, notice: Option<&Notice>) {
        for id in self.asked_in(at).collect::<Vec<_>>() {
            let Some(deployment) = self.deployments.get_mut(&id) else { continue };
            let claims = &deployment.claims;
            let concerned = claims.marks.iter().any(|mark| question.marks.contains(mark))
                || claims.earlier.iter().any(|id| question.earlier.contains(id));
            deployment.extras_unknown = notice.filter(|_| concerned).cloned();
            self.tell_deployment(&id);
        }
    }
}

/// Names the first of several kinds, and counts the rest.
fn some_of<'a>(kinds: impl ExactSizeIterator<Item = &'a GroupKind>) -> String {
    const NAMED: usize = 3;
    let more = kinds.len().saturating_sub(NAMED);
    let named = kinds.take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{named} and {more} more kinds") } else { named }
}
