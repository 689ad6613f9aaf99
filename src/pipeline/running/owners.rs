//! Follows owner references upwards, from pods to what was asked about.

use super::{AT_ONCE, Question, within};
use crate::model::{GroupKind, LiveObject, Value};
use crate::pipeline::event;
use futures::StreamExt as _;
use std::collections::{BTreeMap, BTreeSet};

/// Owners one above the other that are followed.
const DEEP: usize = 5;
/// Owners that are looked up.
const LOOKED_UP: usize = 200;

/// An object by group, kind, namespace and name; versions do not tell objects apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named {
    kind: GroupKind,
    namespace: Option<String>,
    name: String,
}

impl Named {
    pub fn of(object: &LiveObject) -> Self {
        Self {
            kind: object.kind.group_kind(),
            namespace: object.id.namespace.clone(),
            name: object.id.name.clone().unwrap_or_default(),
        }
    }

    /// Returns what an event is about, where it says so.
    pub fn regarding(event: &LiveObject) -> Option<Self> {
        let id = event::regarding(event);
        let kind = Some(id.kind.clone()).filter(|kind| !kind.kind.is_empty())?;
        Some(Self { kind, namespace: id.namespace.clone(), name: id.name.clone()? })
    }

    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.kind.group == group && self.kind.kind == kind
    }

    /// Names it as people do, such as `Pod web-5c9f-a`.
    pub fn words(&self) -> String {
        format!("{} {}", self.kind.kind, self.name)
    }
}

/// Returns what an object says that it belongs to, its controller first.
pub(super) fn of(object: &LiveObject) -> Vec<Named> {
    let owners = object.body.at(&["metadata", "ownerReferences"]).and_then(Value::as_list);
    let mut owners: Vec<&Value> = owners.unwrap_or_default().iter().collect();
    owners.sort_by_key(|owner| owner.get("controller").and_then(Value::as_bool) != Some(true));
    let named = owners.into_iter().filter_map(|owner| {
        let kind = GroupKind::new(group(owner.str_at(&["apiVersion"])?), owner.str_at(&["kind"])?);
        Some(Named {
            kind,
            namespace: object.id.namespace.clone(),
            name: owner.str_at(&["name"])?.to_owned(),
        })
    });
    named.collect()
}

fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// What was asked about, and what is known of owners.
pub(super) struct Owners {
    members: BTreeSet<Named>,
    known: BTreeMap<Named, Vec<Named>>,
}

impl Owners {
    pub fn new(members: BTreeSet<Named>) -> Self {
        Self { members, known: BTreeMap::new() }
    }

    /// Looks up the owners of pods, one level after the other, until what was asked about. Returns what could not be
    /// looked up.
    pub async fn look_up(&mut self, question: &Question, pods: &[LiveObject]) -> Vec<String> {
        let mut gaps = BTreeSet::new();
        let mut next: BTreeSet<Named> =
            pods.iter().filter(|pod| !self.members.contains(&Named::of(pod))).flat_map(of).collect();
        for _ in 0..DEEP {
            next.retain(|owner| !self.members.contains(owner) && !self.known.contains_key(owner));
            if self.known.len() + next.len() > LOOKED_UP {
                gaps.insert(format!("pods whose owners are beyond the first {LOOKED_UP}"));
                next = next.into_iter().take(LOOKED_UP.saturating_sub(self.known.len())).collect();
            }
            let asked = std::mem::take(&mut next).into_iter().filter_map(|owner| {
                // A Node is the owner of what the kubelet runs by itself, and belongs to nobody.
                let kind = question.facts.preferred(&owner.kind).filter(|_| !owner.is("", "Node"))?.clone();
                let namespace = owner.namespace.clone().filter(|_| kind.namespaced);
                let getting = question.cluster.get(kind, namespace, owner.name.clone());
                Some(async move { (owner, within(getting).await) })
            });
            let answers: Vec<_> = futures::stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
            for (owner, answer) in answers {
                let owners = match answer {
                    Ok(found) => found.map(|object| of(&object)).unwrap_or_default(),
                    Err(why) => {
                        gaps.insert(format!("pods of {}: {why}", owner.words()));
                        Vec::new()
                    }
                };
                next.extend(owners.iter().cloned());
                self.known.insert(owner, owners);
            }
            if next.is_empty() {
                break;
            }
        }
        gaps.into_iter().collect()
    }

    /// Returns whether a pod is what was asked about, or belongs to it.
    pub fn lead_from(&self, pod: &LiveObject) -> bool {
        self.members.contains(&Named::of(pod)) || of(pod).iter().any(|owner| self.leads(owner, DEEP))
    }

    /// Returns what stands between what was asked about and its pods.
    pub fn between(&self) -> impl Iterator<Item = Named> + '_ {
        self.known.keys().filter(|owner| self.leads(owner, DEEP)).cloned()
    }

    fn leads(&self, from: &Named, deep: usize) -> bool {
        self.members.contains(from)
            || (deep > 0
                && self.known.get(from).is_some_and(|above| above.iter().any(|o| self.leads(o, deep - 1))))
    }
}
