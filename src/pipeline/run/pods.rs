//! Defines when pods are watched: while a workload of their namespace is not doing well, to say why.

use super::{Conductor, Event};
use crate::cluster::{ClusterError, WatchEvent};
use crate::model::{GroupVersionKind, Scope};
use futures::StreamExt as _;

impl Conductor {
    /// Starts and ends watches of pods so that they fit what is not doing well. One look does without: it would wait for
    /// pods that nobody asked for.
    pub(super) fn look_at_pods(&mut self) {
        if !self.setup.follow {
            return;
        }
        let pod = GroupVersionKind::new("", "v1", "Pod");
        for (at, line) in self.lines.iter_mut().enumerate() {
            let (Some(setup), Some(entry)) = (self.setup.clusters.get(at), self.world.clusters.get_mut(at))
            else {
                continue;
            };
            let served = entry.facts.as_ref().and_then(|facts| facts.served(&pod));
            let Some(served) = served.filter(|kind| kind.can("list") && kind.can("watch")).cloned() else {
                continue;
            };
            let wanted = entry.troubles.namespaces();
            let over: Vec<String> = line.pods.keys().filter(|of| !wanted.contains(*of)).cloned().collect();
            for namespace in over {
                if let Some(task) = line.pods.remove(&namespace) {
                    task.abort();
                }
                entry.troubles.forget(&namespace);
            }
            for namespace in wanted {
                if line.pods.contains_key(&namespace) {
                    continue;
                }
                let (cluster, events, served) = (setup.cluster.clone(), self.events.clone(), served.clone());
                let of = namespace.clone();
                let task = tokio::spawn(async move {
                    let mut stream = cluster.watch(served, Scope::Namespace(of.clone()));
                    while let Some(event) = stream.next().await {
                        // Who may not read pods has to do with the workload's own words.
                        let denied = matches!(
                            &event,
                            WatchEvent::Interrupted { error: ClusterError::Denied { .. }, .. }
                        );
                        let told = events.send(Event::Pods { at, namespace: of.clone(), event }).await;
                        if denied || told.is_err() {
                            break;
                        }
                    }
                });
                line.pods.insert(namespace, task);
            }
        }
    }
}
