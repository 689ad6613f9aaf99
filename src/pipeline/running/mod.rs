//! Tells what runs of an app or an object: its pods, what events say of them, and the last lines that they printed. Only
//! of what somebody looks at, when they look, and within bounds.
//!
//! An object's pods are those that its owner chain leads to it, whatever controllers stand between (a custom resource, its
//! StatefulSet); a Service's are those that it selects.

mod owners;
mod pod;

use crate::cluster::{Cluster, ClusterError, LogOf};
use crate::drift::HealthRules;
use crate::model::running::{Log, Pod, Running, TheirEvent};
use crate::model::{ClusterFacts, ClusterId, GroupKind, LiveObject, Packed, Scope, Selector, ServedKind};
use crate::pipeline::event::read_event;
use crate::text::redact;
use futures::StreamExt as _;
use owners::{Named, Owners};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How long each of the questions is waited for: pods, events, one log.
const TIME: Duration = Duration::from_secs(8);
/// Namespaces of an app that are looked at.
const NAMESPACES: usize = 20;
/// Pods of one namespace that are looked at.
const PODS: u32 = 1000;
/// Pods that are told.
const TOLD: usize = 100;
/// Events of one namespace that are looked at.
const LOOKED_AT: u32 = 2000;
/// Events that are told, newest first.
const EVENTS: usize = 30;
/// Containers whose last lines are told.
const LOGS: usize = 6;
/// Lines of each container, for one object and for a whole app.
const LINES: (u32, u32) = (30, 10);
/// Bytes of each container's lines.
const BYTES: u32 = 64 << 10;
/// Characters of one line.
const WIDTH: usize = 2000;
/// Requests that run at the same time.
const AT_ONCE: usize = 4;

/// What is asked about.
pub struct Question {
    pub cluster: Arc<dyn Cluster>,
    pub id: ClusterId,
    pub facts: Arc<ClusterFacts>,
    pub health: Arc<HealthRules>,
    /// The live objects: one, or all of an app.
    pub objects: Vec<Arc<Packed>>,
    /// It is about one object.
    pub one: bool,
}

/// The pods that were found, and what leads to them.
pub struct Found {
    pods: Vec<Shown>,
    /// Those that were asked about, and what stands between them and their pods.
    related: BTreeSet<Named>,
    namespaces: BTreeSet<String>,
    gaps: Vec<String>,
}

/// A pod as it is told, with its object.
struct Shown {
    pod: Pod,
    live: LiveObject,
    /// What made it.
    owner: Option<Named>,
}

impl Found {
    /// Returns what is known so far.
    pub fn running(&self) -> Running {
        let pods = self.pods.iter().take(TOLD).map(|shown| shown.pod.clone()).collect();
        let mut gaps = self.gaps.clone();
        if self.pods.len() > TOLD {
            gaps.push(format!("{} more pods", self.pods.len() - TOLD));
        }
        Running { pods, gaps, ..Running::default() }
    }
}

/// Finds the pods.
pub async fn pods(question: &Question) -> Found {
    let objects: Vec<LiveObject> =
        question.objects.iter().filter_map(|packed| packed.open(&question.id).ok()).collect();
    let members: BTreeSet<Named> = objects.iter().map(Named::of).collect();
    let mut namespaces: BTreeSet<String> = objects.iter().filter_map(|o| o.id.namespace.clone()).collect();
    let mut gaps = Vec::new();
    if namespaces.len() > NAMESPACES {
        gaps.push(format!("what is in {} more namespaces", namespaces.len() - NAMESPACES));
        namespaces = namespaces.into_iter().take(NAMESPACES).collect();
    }
    // What a Service selects is its own, whoever made it.
    let service = objects.iter().find(|o| question.one && Named::of(o).is("", "Service"));
    let selector = objects.iter().filter(|_| question.one).find_map(selector);
    let mut found: Vec<LiveObject> = Vec::new();
    let nothing_runs = question.one && !objects.iter().any(may_run);
    match question.facts.preferred(&GroupKind::new("", "Pod")) {
        _ if nothing_runs => {}
        None => gaps.push("pods: the cluster serves none".to_owned()),
        Some(_) if service.is_some() && selector.is_none() => {}
        Some(kind) => {
            let listings = namespaces.iter().cloned().map(|namespace| {
                let scope = Scope::Namespace(namespace.clone());
                let listing = question.cluster.list_part(kind.clone(), scope, selector.clone(), PODS);
                async move { (namespace, within(listing).await) }
            });
            let listed: Vec<_> = futures::stream::iter(listings).buffer_unordered(AT_ONCE).collect().await;
            for (namespace, answer) in listed {
                match answer {
                    Ok(part) => {
                        if part.more {
                            gaps.push(format!("pods of namespace {namespace} beyond the first {PODS}"));
                        }
                        found.extend(part.objects.iter().filter_map(|p| p.open(&question.id).ok()));
                    }
                    Err(why) => gaps.push(format!("pods of namespace {namespace}: {why}")),
                }
            }
        }
    }
    let mut owners = Owners::new(members.clone());
    if question.objects.is_empty() {
        gaps.push("anything that runs: nothing of it is in the cluster".to_owned());
    }
    if service.is_none() {
        gaps.extend(owners.look_up(question, &found).await);
        found.retain(|pod| owners.lead_from(pod));
    }
    let mut related = members;
    related.extend(owners.between());
    let pods = found.into_iter().map(|live| Shown {
        pod: pod::read(&live, &question.health),
        owner: owners::of(&live).into_iter().next(),
        live,
    });
    let mut pods: Vec<Shown> = pods.collect();
    pods.sort_by(|a, b| pod::worst_first(&a.pod, &b.pod));
    related.extend(pods.iter().map(|shown| Named::of(&shown.live)));
    Found { pods, related, namespaces, gaps }
}

/// Tells everything, the pods being known.
pub async fn whole(question: &Question, found: &Found) -> Running {
    let mut running = found.running();
    let (events, logs) = tokio::join!(events(question, found), logs(question, found));
    let (events, gaps) = events;
    running.events = events;
    running.logs = logs;
    running.gaps.extend(gaps);
    running
}

/// Waits for an answer within the time; says why there is none otherwise.
async fn within<T>(asking: impl Future<Output = Result<T, ClusterError>>) -> Result<T, String> {
    match tokio::time::timeout(TIME, asking).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {}s", TIME.as_secs())),
    }
}

/// Returns how an object selects its pods. Only kinds of which it is known that a selector is one of pods.
fn selector(object: &LiveObject) -> Option<Selector> {
    let is_workload = matches!(
        (object.kind.group.as_str(), object.kind.kind.as_str()),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            | ("batch", "Job")
            | ("", "Service" | "ReplicationController")
    );
    Selector::read(object.body.at(&["spec", "selector"]).filter(|_| is_workload)?)
}

/// Returns whether pods may belong to an object: a built-in kind that makes some, or any other whose controller may.
fn may_run(object: &LiveObject) -> bool {
    let (group, kind) = (object.kind.group.as_str(), object.kind.kind.as_str());
    match group {
        "" => matches!(kind, "Pod" | "Service" | "ReplicationController"),
        "apps" => kind != "ControllerRevision",
        "batch" => true,
        _ => group.contains('.') && !group.ends_with(".k8s.io"),
    }
}

async fn events(question: &Question, found: &Found) -> (Vec<TheirEvent>, Vec<String>) {
    let mut gaps = Vec::new();
    let Some(kind) = question.facts.preferred(&GroupKind::new("", "Event")).cloned() else {
        return (Vec::new(), vec!["events: the cluster serves none".to_owned()]);
    };
    let mut namespaces = found.namespaces.clone();
    if namespaces.is_empty() {
        // Events about what has no namespace are kept there.
        namespaces.insert("default".to_owned());
    }
    let listings = namespaces.into_iter().map(|namespace| {
        let kind: ServedKind = kind.clone();
        async move {
            let listing =
                question.cluster.list_part(kind, Scope::Namespace(namespace.clone()), None, LOOKED_AT);
            (within(listing).await, namespace)
        }
    });
    let listed: Vec<_> = futures::stream::iter(listings).buffer_unordered(AT_ONCE).collect().await;
    let mut events = Vec::new();
    for (answer, namespace) in listed {
        let part = match answer {
            Ok(part) => part,
            Err(why) => {
                gaps.push(format!("events of namespace {namespace}: {why}"));
                continue;
            }
        };
        if part.more {
            gaps.push(format!("events of namespace {namespace} beyond the first {LOOKED_AT}"));
        }
        for event in part.objects.iter().filter_map(|packed| packed.open(&question.id).ok()) {
            let Some(about) = Named::regarding(&event).filter(|about| found.related.contains(about)) else {
                continue;
            };
            events.push(TheirEvent { about: about.words(), event: read_event(&event.body) });
        }
    }
    events.sort_by_key(|told| std::cmp::Reverse(told.event.at));
    if events.len() > EVENTS {
        gaps.push(format!("{} older events", events.len() - EVENTS));
        events.truncate(EVENTS);
    }
    (events, gaps)
}

async fn logs(question: &Question, found: &Found) -> Vec<Log> {
    let lines = if question.one { LINES.0 } else { LINES.1 };
    let asked = to_read(&found.pods, question.one, lines).into_iter().map(|of| async move {
        let text = within(question.cluster.log(of.clone())).await;
        let lines =
            text.map(|text| text.lines().map(line).collect()).map_err(|why| redact::line(&why).to_owned());
        Log { pod: of.pod, container: of.container, previous: of.previous, lines }
    });
    futures::stream::iter(asked).buffered(AT_ONCE).collect().await
}

/// Returns a line as it may be shown.
fn line(text: &str) -> String {
    let mut cut: String = redact::line(text).chars().take(WIDTH).collect();
    if cut.len() < text.len() && text.chars().count() > WIDTH {
        cut.push('…');
    }
    cut
}

/// Chooses the containers whose lines are read: those in trouble first, then one pod of each owner, then the rest.
fn to_read(pods: &[Shown], one: bool, lines: u32) -> Vec<LogOf> {
    let mut seen = BTreeSet::new();
    let mut ranked: Vec<(u8, &Shown)> = Vec::new();
    for shown in pods {
        let rank =
            if shown.pod.is_in_trouble() { 0 } else { u8::from(!seen.insert(shown.owner.clone())) + 1 };
        ranked.push((rank, shown));
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    let containers = ranked.into_iter().flat_map(|(_, shown)| {
        let containers = pod::containers(&shown.live.body, one).into_iter();
        containers.map(|(container, previous)| LogOf {
            namespace: shown.live.id.namespace.clone().unwrap_or_default(),
            pod: shown.live.id.name.clone().unwrap_or_default(),
            container,
            previous,
            lines,
            bytes: BYTES,
        })
    });
    containers.take(LOGS).collect()
}
