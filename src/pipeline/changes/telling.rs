//! Tells what the objects that are held, and what watches showed of them, say of the past: who wrote what, and deletions.
//!
//! What a watch showed to have changed is told rather than what managed fields tell of the same write: they name all that
//! its writer owns.

use super::own::Own;
use super::{Ground, Held, Known};
use crate::drift::{Written, undated, writes};
use crate::model::{
    Blind, By, DeploymentId, FieldPath, Happening, HappeningKind, LiveObject, Mark, Packed, Past, ResourceId,
    Timestamp, Who,
};
use crate::pipeline::world::watched::{Edited, Seen};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A deployer's writes with no longer a pause between them are one sync.
const ONE_SYNC: SignedDuration = SignedDuration::from_secs(60);

/// What is told so far.
pub(super) struct Telling<'g> {
    ground: &'g Ground,
    own: &'g Own,
    since: Timestamp,
    happenings: Vec<Happening>,
    helm: BTreeSet<(usize, String)>,
    syncs: Syncs,
    /// Writes that were told: managed fields of many versions tell the same.
    told: HashSet<(usize, ResourceId, Option<String>, Timestamp)>,
    /// What updates of an object changed.
    edits: HashMap<(usize, ResourceId), Vec<&'g Edited>>,
    /// Who made which object, as its oldest version has it.
    creations: HashMap<Made, (DeploymentId, Written)>,
    /// Of objects of the same name the one that was looked at last, and when it was made.
    next: HashMap<(usize, ResourceId), (Option<String>, Option<Timestamp>)>,
    /// Objects without managed fields.
    hidden: usize,
    /// Writes without a time.
    undated: Vec<(By, String)>,
}

/// An object, by its place and uid.
type Made = (usize, ResourceId, Option<String>);

/// A deployer's writes in one app of one cluster.
type Syncs = BTreeMap<(usize, DeploymentId, Who), Vec<(Timestamp, ResourceId, bool)>>;

impl<'g> Telling<'g> {
    pub fn new(ground: &'g Ground, own: &'g Own, since: Timestamp) -> Self {
        Self {
            ground,
            own,
            since,
            happenings: Vec::new(),
            helm: BTreeSet::new(),
            syncs: BTreeMap::new(),
            told: HashSet::new(),
            edits: HashMap::new(),
            creations: HashMap::new(),
            next: HashMap::new(),
            hidden: 0,
            undated: Vec::new(),
        }
    }

    /// Takes in what an update changed; what came later comes later.
    pub fn edited(&mut self, edited: &'g Edited) {
        let Edited { cluster, id, written, .. } = edited;
        self.told.insert((*cluster, id.clone(), written.who.name.clone(), written.at));
        self.edits.entry((*cluster, id.clone())).or_default().push(edited);
    }

    /// Tells of an object as it is.
    pub fn held(&mut self, Held { place, deployment, object }: &'g Held) {
        let Some(live) = open(self.ground, *place, object) else { return };
        self.hidden += usize::from(live.managed.is_none());
        if let Some(Mark::Helm { namespace, .. }) =
            Mark::of(&live).into_iter().find(|m| matches!(m, Mark::Helm { .. }))
        {
            self.helm.insert((*place, namespace));
        }
        let key = (*place, live.id.clone());
        for (who, what) in undated(&live, &self.ground.managers) {
            let seen = self.edits.get(&key).is_some_and(|edits| edits.iter().any(|e| e.written.who == who));
            if !seen {
                let name = who.called.or(who.name).unwrap_or_else(|| "somebody".to_owned());
                self.undated.push((who.by, format!("{name} wrote {what} of {}", live.id)));
            }
        }
        for written in writes(&live, &self.ground.managers, self.since) {
            self.written(*place, deployment, &live, written, |_| false);
        }
        self.next.insert(key, (live.uid.clone(), made(&live)));
    }

    /// Tells of a version that is there no more; those that were replaced later come first.
    pub fn seen(&mut self, Seen { update, at, cluster, deployment, object, deleted }: &Seen) {
        let Some(live) = open(self.ground, *cluster, object) else { return };
        let key = (*cluster, live.id.clone());
        if *deleted {
            // A watch shows a deletion after it was, and the server's clock is another: it was before the next one was made.
            let next = self.next.get(&key).filter(|(uid, _)| *uid != live.uid).and_then(|(_, made)| *made);
            let time = next.map_or(*at, |made| made.min(*at));
            if time >= self.since {
                self.happenings.push(Happening {
                    time,
                    kind: HappeningKind::Deleted,
                    at: self.ground.at(*cluster, Some(deployment)),
                    resource: Some(live.id.clone()),
                    path: None,
                    what: "deleted".to_owned(),
                    who: self.own.deleted(*cluster, &live.id, *at).unwrap_or_else(Who::unknown),
                });
            }
        }
        let later: Vec<&Edited> =
            self.edits.get(&key).into_iter().flatten().filter(|e| e.update >= *update).copied().collect();
        for written in writes(&live, &self.ground.managers, self.since) {
            let is_overwritten = |fields: &[FieldPath]| later.iter().any(|e| meet(&e.written.fields, fields));
            self.written(*cluster, deployment, &live, written, is_overwritten);
        }
        self.next.insert(key, (live.uid.clone(), made(&live)));
    }

    fn written(
        &mut self,
        place: usize,
        deployment: &DeploymentId,
        live: &LiveObject,
        mut written: Written,
        is_overwritten: impl Fn(&[FieldPath]) -> bool,
    ) {
        if written.created {
            // The oldest version knows best, and comes last.
            let made = (place, live.id.clone(), live.uid.clone());
            self.creations.insert(made, (deployment.clone(), written));
            return;
        }
        if self.told.insert((place, live.id.clone(), written.who.name.clone(), written.at)) {
            if !written.applied && is_overwritten(&written.fields) {
                written.what.push_str(", overwritten since");
            }
            self.take(place, deployment, &live.id, written);
        }
    }

    fn take(&mut self, place: usize, deployment: &DeploymentId, id: &ResourceId, written: Written) {
        if written.at < self.since || self.own.stands_for(place, id, written.who.name.as_deref(), written.at)
        {
            return;
        }
        if written.applied {
            let sync = self.syncs.entry((place, deployment.clone(), written.who)).or_default();
            sync.push((written.at, id.clone(), written.created));
            return;
        }
        self.happenings.push(Happening {
            time: written.at,
            kind: HappeningKind::Field,
            at: self.ground.at(place, Some(deployment)),
            resource: Some(id.clone()),
            path: written.path.map(|path| path.to_string()),
            what: written.what,
            who: written.who,
        });
    }

    /// Returns all that was told.
    pub fn known(mut self) -> Known {
        for ((place, id), edits) in std::mem::take(&mut self.edits) {
            for (at, edited) in edits.iter().enumerate() {
                let mut written = edited.written.clone();
                let mut later = edits.iter().skip(at + 1).filter(|e| e.update > edited.update);
                if !written.applied && later.any(|e| meet(&e.written.fields, &written.fields)) {
                    written.what.push_str(", overwritten since");
                }
                self.take(place, &edited.deployment, &id, written);
            }
        }
        for ((place, id, _), (deployment, written)) in std::mem::take(&mut self.creations) {
            self.take(place, &deployment, &id, written);
        }
        let mut past = Past::default();
        if self.hidden > 0 {
            let words = format!("who wrote {} objects: their source hides managed fields", self.hidden);
            past.blind.push(Blind::Said(words));
        }
        self.undated.sort();
        let more = self.undated.len().saturating_sub(1);
        if let Some((_, first)) = self.undated.first() {
            let more = if more > 0 { format!(", and {more} more such writes") } else { String::new() };
            let words = format!("when {first}{more}: the API server keeps no time of it");
            past.blind.push(Blind::Said(words));
        }
        self.push_syncs();
        past.happenings = self.happenings;
        Known { past, helm: self.helm }
    }

    /// Tells what deployers applied, one line for what was applied together.
    fn push_syncs(&mut self) {
        for ((place, deployment, who), mut writes) in std::mem::take(&mut self.syncs) {
            writes.sort();
            let mut at_once: Vec<Vec<(Timestamp, ResourceId, bool)>> = Vec::new();
            for write in writes {
                let goes_on = |group: &&mut Vec<(Timestamp, ResourceId, bool)>| {
                    group.last().is_some_and(|(last, ..)| write.0.duration_since(*last) <= ONE_SYNC)
                };
                match at_once.last_mut().filter(goes_on) {
                    Some(group) => group.push(write),
                    None => at_once.push(vec![write]),
                }
            }
            for group in at_once {
                let Some((time, last, _)) = group.last() else { continue };
                let all: BTreeSet<&ResourceId> = group.iter().map(|(_, id, _)| id).collect();
                let created: BTreeSet<&ResourceId> =
                    group.iter().filter(|(.., created)| *created).map(|(_, id, _)| id).collect();
                let done = if created.len() == all.len() { "created" } else { "applied" };
                let alone = all.len() == 1;
                let what = match (alone, created.len()) {
                    (true, _) => done.to_owned(),
                    (_, some) if some > 0 && some < all.len() => {
                        format!("{} objects applied, {some} of them created", all.len())
                    }
                    _ => format!("{} objects {done}", all.len()),
                };
                self.happenings.push(Happening {
                    time: *time,
                    kind: HappeningKind::Sync,
                    at: self.ground.at(place, Some(&deployment)),
                    resource: alone.then(|| last.clone()),
                    path: None,
                    what,
                    who: who.clone(),
                });
            }
        }
    }
}

/// Returns whether one of these fields is, lies in, or holds one of those.
fn meet(these: &[FieldPath], those: &[FieldPath]) -> bool {
    these.iter().any(|this| those.iter().any(|that| this.is_under(that) || that.is_under(this)))
}

fn open(ground: &Ground, place: usize, object: &Packed) -> Option<LiveObject> {
    object.open(&ground.places.get(place)?.id).ok()
}

fn made(live: &LiveObject) -> Option<Timestamp> {
    live.body.str_at(&["metadata", "creationTimestamp"])?.parse().ok()
}
