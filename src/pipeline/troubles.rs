//! Defines where pods are looked at: in the namespaces of workloads that are not doing well, and only as long as that is so.
//!
//! Of a pod nothing is kept but what is wrong with it.

use crate::cluster::WatchEvent;
use crate::drift::{Pods, Workload, trouble};
use crate::model::{ClusterId, Health, HealthStatus, Packed, ResourceId};
use crate::pipeline::judging::Judged;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// In how many namespaces of a cluster pods are looked at, at most.
const NAMESPACES: usize = 8;

/// What is wrong in one cluster, and with which pods.
#[derive(Default)]
pub struct Troubles {
    /// Workloads that are not doing well.
    unwell: BTreeSet<ResourceId>,
    /// By namespace and name of the pod.
    found: BTreeMap<(String, String), (Workload, String)>,
    pods: Arc<Pods>,
}

impl Troubles {
    /// Takes in how an object is doing; `None`: it is gone.
    pub fn note(&mut self, id: &ResourceId, health: Option<&Health>) {
        let runs_pods = matches!(
            (id.kind.group.as_str(), id.kind.kind.as_str()),
            ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch", "Job")
        );
        let unwell =
            |health: &Health| matches!(health.status, HealthStatus::Progressing | HealthStatus::Degraded);
        if runs_pods && health.is_some_and(unwell) {
            self.unwell.insert(id.clone());
        } else if !self.unwell.is_empty() {
            self.unwell.remove(id);
        }
    }

    /// Takes in verdicts.
    pub fn note_judged(&mut self, judged: &[Judged]) {
        for one in judged {
            self.note(&one.id, one.status.as_ref().map(|status| &status.judgement.health));
        }
    }

    /// Returns the namespaces whose pods are to be looked at.
    pub fn namespaces(&self) -> BTreeSet<String> {
        let all: BTreeSet<&String> = self.unwell.iter().filter_map(|id| id.namespace.as_ref()).collect();
        all.into_iter().take(NAMESPACES).cloned().collect()
    }

    /// Returns what the pods say.
    pub fn pods(&self) -> Arc<Pods> {
        self.pods.clone()
    }

    /// Takes in an event of the watch of a namespace's pods. Returns the workloads of which now something else is said.
    pub fn take(&mut self, cluster: &ClusterId, namespace: &str, event: WatchEvent) -> Vec<ResourceId> {
        match event {
            WatchEvent::Listed(pods) => {
                self.found.retain(|(of, _), _| of != namespace);
                for pod in &pods {
                    self.look_at(cluster, namespace, pod);
                }
            }
            WatchEvent::Applied(pod) => self.look_at(cluster, namespace, &pod),
            WatchEvent::Deleted(id) => {
                let name = id.name.clone().unwrap_or_default();
                self.found.remove(&(namespace.to_owned(), name));
            }
            // What was seen last is still the best that is known.
            WatchEvent::Confirmed | WatchEvent::Interrupted { .. } => return Vec::new(),
        }
        self.gather()
    }

    /// Forgets the pods of a namespace that is no longer looked at: its workloads are well, or gone.
    pub fn forget(&mut self, namespace: &str) {
        self.found.retain(|(of, _), _| of != namespace);
        self.gather();
    }

    fn look_at(&mut self, cluster: &ClusterId, namespace: &str, pod: &Packed) {
        let key = (namespace.to_owned(), pod.id.name.clone().unwrap_or_default());
        match pod.open(cluster).ok().as_ref().and_then(trouble) {
            Some(trouble) => self.found.insert(key, trouble),
            None => self.found.remove(&key),
        };
    }

    fn gather(&mut self) -> Vec<ResourceId> {
        let mut pods = Pods::default();
        for ((_, pod), (workload, why)) in &self.found {
            pods.add(workload.clone(), pod.clone(), why.clone());
        }
        let moved = |id: &&ResourceId| pods.of_workload(id) != self.pods.of_workload(id);
        let moved = self.unwell.iter().filter(moved).cloned().collect();
        self.pods = Arc::new(pods);
        moved
    }
}
