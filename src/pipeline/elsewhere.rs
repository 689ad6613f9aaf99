//! Finds extras where nothing is declared any more, and so nothing is watched: by one list of metadata for each kind that
//! may hold some. Where it finds one, its kind is watched there from then on, as everything else is.

use crate::cluster::{Cluster, ClusterError};
use crate::model::{ClusterFacts, GroupKind, LiveObject, Mark, ResourceId, Scope, ServedKind};
use crate::pipeline::scopes::{self, Needed, Wanted};
use crate::pipeline::store::WatchKey;
use futures::StreamExt as _;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Lists that run at the same time.
const AT_ONCE: usize = 8;
/// Kinds that the control plane derives from others, labels included, or that only tell what happened: no deployer
/// deploys them, and a mark on one of them is a copy.
const DERIVED: [(&str, &str); 5] = [
    ("", "Endpoints"),
    ("discovery.k8s.io", "EndpointSlice"),
    ("", "Event"),
    ("events.k8s.io", "Event"),
    ("coordination.k8s.io", "Lease"),
];

/// What is looked for, and where: the same question has the same answer until a watch tells otherwise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Question {
    /// Marks that the deployments claim.
    pub marks: BTreeSet<Mark>,
    /// Objects of earlier renderings that nobody declares, where nothing is watched.
    pub earlier: BTreeSet<ResourceId>,
    lists: BTreeMap<WatchKey, Wanted>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    places: BTreeMap<WatchKey, Wanted>,
    /// Kinds that could not be listed, each with the reason.
    pub not_listed: BTreeMap<GroupKind, String>,
}

/// How far looking elsewhere in one cluster has come.
#[derive(Debug, Default)]
pub struct Elsewhere {
    asked: Option<Question>,
    answered: Option<Question>,
    found: Found,
    /// Where something declared is watched.
    watched: BTreeSet<(GroupKind, Scope)>,
}

impl Elsewhere {
    /// Adds the watches of what was found to those that are needed for what is declared.
    pub fn join(&mut self, needed: &mut Needed) {
        let place = |key: &WatchKey| (key.kind.group_kind(), key.scope.clone());
        self.watched = needed.watches.keys().map(place).collect();
        let found = self.found.places.iter();
        let fresh = found.filter(|(key, _)| !self.watched.contains(&place(key)));
        needed.watches.extend(fresh.map(|(key, wanted)| (key.clone(), wanted.clone())));
    }

    fn covers(&self, kind: &GroupKind, namespace: Option<&str>) -> bool {
        let within = |scope| self.watched.contains(&(kind.clone(), scope));
        within(Scope::All) || namespace.is_some_and(|ns| within(Scope::Namespace(ns.to_owned())))
    }

    /// Returns what is to be asked for these claims. `namespaces`: where to look where one may not look everywhere.
    pub fn question(
        &self,
        facts: &ClusterFacts,
        marks: BTreeSet<Mark>,
        earlier: BTreeSet<ResourceId>,
        namespaces: &BTreeSet<&str>,
        secrets_everywhere: bool,
    ) -> Question {
        let uncovered = |id: &ResourceId| !self.covers(&id.kind, id.namespace.as_deref());
        let earlier: BTreeSet<ResourceId> = earlier.into_iter().filter(uncovered).collect();
        let mut lists = BTreeMap::new();
        let everywhere = |served: &ServedKind| {
            let instead = namespaces.iter().filter(|_| served.namespaced);
            let instead = instead.map(|ns| Scope::Namespace((*ns).to_owned())).collect();
            let key = WatchKey { kind: served.kind.clone(), scope: Scope::All };
            (key, Wanted { served: served.clone(), instead })
        };
        let mut of_kinds: BTreeMap<&GroupKind, BTreeSet<&str>> = BTreeMap::new();
        for id in &earlier {
            of_kinds.entry(&id.kind).or_default().extend(id.namespace.as_deref());
        }
        if !marks.is_empty() {
            let bears_marks = |k: &&ServedKind| may_be_deployed(k) && is_preferred(facts, k);
            for served in facts.kinds.iter().filter(bears_marks) {
                let kind = served.kind.group_kind();
                if kind.is_secret() && !secrets_everywhere {
                    let open = namespaces.iter().filter(|ns| !self.covers(&kind, Some(ns))).copied();
                    lists.extend(scopes::watches_in(served, &open.collect(), false));
                } else if !self.covers(&kind, None) {
                    lists.extend([everywhere(served)]);
                }
            }
        }
        for (kind, namespaces) in of_kinds {
            let Some(served) = facts.preferred(kind).filter(|k| k.can("list")) else { continue };
            let all = WatchKey { kind: served.kind.clone(), scope: Scope::All };
            if !lists.contains_key(&all) {
                lists.extend(scopes::watches_in(served, &namespaces, secrets_everywhere));
            }
        }
        Question { marks, earlier, lists }
    }

    /// Takes in what is to be asked now. Returns whether it is another question than before.
    pub fn ask(&mut self, question: &Question) -> bool {
        if self.asked.as_ref() == Some(question) {
            return false;
        }
        self.asked = Some(question.clone());
        if question.lists.is_empty() {
            // What was found before goes with the question.
            self.answer(question, Found::default());
        }
        true
    }

    /// Takes in an answer. Returns whether it is that of the newest question.
    pub fn answer(&mut self, question: &Question, found: Found) -> bool {
        if self.asked.as_ref() != Some(question) {
            return false;
        }
        self.answered = Some(question.clone());
        self.found = found;
        true
    }

    pub fn is_answered(&self) -> bool {
        self.asked.is_some() && self.asked == self.answered
    }

    /// Returns the kinds that could not be listed, each with the reason.
    pub fn not_listed(&self) -> &BTreeMap<GroupKind, String> {
        &self.found.not_listed
    }
}

fn may_be_deployed(served: &ServedKind) -> bool {
    let derived = DERIVED.contains(&(served.kind.group.as_str(), served.kind.kind.as_str()));
    // What cannot be deleted (metrics, reviews) cannot be an extra.
    !derived && served.can("list") && served.can("delete")
}

fn is_preferred(facts: &ClusterFacts, served: &ServedKind) -> bool {
    facts.preferred(&served.kind.group_kind()) == Some(served)
}

/// Answers a question: reads metadata, and nothing more. A kind that cannot be listed is named, and the rest goes on.
pub async fn look(cluster: Arc<dyn Cluster>, question: &Question) -> Found {
    let lists = question.lists.iter().map(|(key, wanted)| (key.clone(), wanted.clone()));
    let listed: Vec<_> = futures::stream::iter(lists.collect::<Vec<_>>())
        .map(|(key, wanted)| {
            let cluster = Arc::clone(&cluster);
            async move {
                let served = wanted.served.clone();
                // Of what may be very many objects only the places of the few that are ours are kept.
                let ours = list(&*cluster, key, wanted).await.map(|objects| question.places(&objects));
                (served, ours)
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut found = Found::default();
    for (served, listed) in listed {
        match listed {
            Ok(places) if places.is_empty() => {}
            Ok(places) => {
                let namespaces = places.iter().flatten().map(String::as_str).collect();
                found.places.extend(scopes::watches_in(&served, &namespaces, false));
            }
            Err(error) => {
                found.not_listed.insert(served.kind.group_kind(), error.to_string());
            }
        }
    }
    found
}

async fn list(cluster: &dyn Cluster, key: WatchKey, wanted: Wanted) -> Result<Vec<LiveObject>, ClusterError> {
    match cluster.list_metadata(wanted.served.clone(), key.scope).await {
        Err(ClusterError::Denied { .. }) if !wanted.instead.is_empty() => {
            let mut objects = Vec::new();
            for scope in wanted.instead {
                objects.extend(cluster.list_metadata(wanted.served.clone(), scope).await?);
            }
            Ok(objects)
        }
        // It went away since the cluster was asked what it serves.
        Err(ClusterError::NotServed { .. } | ClusterError::NotFound { .. }) => Ok(Vec::new()),
        listed => listed,
    }
}

impl Question {
    /// Returns where those of the objects are that are ours; `None` for what is in no namespace.
    fn places(&self, objects: &[LiveObject]) -> BTreeSet<Option<String>> {
        objects.iter().filter(|o| self.is_ours(o)).map(|o| o.id.namespace.clone()).collect()
    }

    fn is_ours(&self, object: &LiveObject) -> bool {
        !object.has_owner()
            && (self.earlier.contains(&object.id)
                || Mark::of(object).iter().any(|mark| self.marks.contains(mark)))
    }
}
