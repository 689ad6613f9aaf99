//! Asks clusters for what they tell of the past: warnings, replica sets, releases and syncs. Everything is bounded, and what
//! could not be read is said.

use super::{Ground, Known, Owners, Place, engines};
use crate::cluster::ClusterError;
use crate::model::{
    Blind, By, DeploymentId, GroupKind, Happening, HappeningKind, Identity, LiveObject, Past, ResourceId,
    Scope, ServedKind, Timestamp, Where, Who,
};
use crate::pipeline::event::{read_event, regarding};
use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::FuturesUnordered;
use futures::{Stream, StreamExt as _};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a cluster is waited for, however much it is asked.
pub const TIME: Duration = Duration::from_secs(8);
/// Requests to one cluster that run at the same time.
const AT_ONCE: usize = 8;
/// Namespaces of one cluster that are asked about.
const NAMESPACES: usize = 50;
/// Warnings of one cluster that are told, newest first.
const WARNINGS: usize = 200;
/// How long API servers keep events unless told otherwise (`--event-ttl`).
const EVENTS_KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// Asks every cluster that answers for what it tells of the time since then.
pub async fn asked(ground: &Ground, known: &Known, since: Timestamp, now: Timestamp) -> Past {
    Past::joined(asking(ground, known, since, now, TIME).collect::<Vec<_>>().await)
}

/// Asks every cluster that answers for what it tells of the time since then. Each tells by itself, `within` a time: none waits
/// for another.
pub fn asking<'g>(
    ground: &'g Ground,
    known: &Known,
    since: Timestamp,
    now: Timestamp,
    within: Duration,
) -> impl Stream<Item = Past> + Send + use<'g> {
    let mut past = Past::default();
    if since < now.checked_sub(EVENTS_KEPT).unwrap_or(now) {
        let words = "warning events of more than about an hour ago: clusters do not keep them";
        past.blind.push(Blind::Said(words.to_owned()));
    }
    let places = ground.places.iter().enumerate();
    let clusters: FuturesUnordered<_> = places
        .map(|(at, place)| {
            let owners = Owners::of(ground, at);
            let (more, questions) = questions(&Arc::new(Asking { ground, at, place, owners, since }), known);
            one_cluster(place, more, questions, within)
        })
        .collect();
    futures::stream::iter([past]).chain(clusters)
}

/// Waits for what one cluster answers within its time.
async fn one_cluster(
    place: &Place,
    more: Option<String>,
    questions: Vec<BoxFuture<'_, Answer>>,
    within: Duration,
) -> Past {
    let mut past = Past::default();
    past.blind.extend(more.map(Blind::Said));
    let deadline = Instant::now() + within;
    let (all, mut answered) = (questions.len(), 0_usize);
    // What the answers do not tell, by the reason: many namespaces may have the same.
    let mut unknown: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut answers = futures::stream::iter(questions).buffer_unordered(AT_ONCE);
    loop {
        match tokio::time::timeout_at(deadline, answers.next()).await {
            Ok(Some(Ok(happenings))) => past.happenings.extend(happenings),
            Ok(Some(Err(Unknown { what, why }))) => unknown.entry(why).or_default().push(what),
            Ok(None) => break,
            Err(_) => {
                let of = if answered == 0 {
                    String::new()
                } else {
                    format!("{} of {all} lists of ", all - answered)
                };
                let words = format!(
                    "{of}warnings, rollouts, releases and syncs of {}: no answer within {}s",
                    place.called,
                    within.as_secs()
                );
                past.blind.push(Blind::Said(words));
                break;
            }
        }
        answered += 1;
    }
    for (why, mut what) in unknown {
        what.sort();
        let more = what.len().saturating_sub(1);
        let first = what.into_iter().next().unwrap_or_default();
        let more = if more > 0 { format!(" and {more} more such lists") } else { String::new() };
        past.blind.push(Blind::Said(format!("{first}{more} of {}: {why}", place.called)));
    }
    past
}

/// What one question was answered, or why it is not known.
type Answer = Result<Vec<Happening>, Unknown>;

/// What could not be read, and why.
struct Unknown {
    what: String,
    why: String,
}

/// A cluster that is asked, and what its answers are read with.
struct Asking<'g> {
    ground: &'g Ground,
    at: usize,
    place: &'g Place,
    owners: Owners<'g>,
    since: Timestamp,
}

impl Asking<'_> {
    fn is_of_late(&self, time: &Timestamp) -> bool {
        *time >= self.since
    }

    fn at(&self, deployment: Option<&DeploymentId>) -> Where {
        self.ground.at(self.at, deployment)
    }
}

/// Returns what a cluster is to be asked, and what it is not asked for because that would be too much.
fn questions<'g>(asking: &Arc<Asking<'g>>, known: &Known) -> (Option<String>, Vec<BoxFuture<'g, Answer>>) {
    let mut questions: Vec<BoxFuture<'g, Answer>> = Vec::new();
    let Asking { place, at, .. } = **asking;
    let Some(facts) = place.facts.as_ref() else { return (None, questions) };
    let more = place.namespaces.len().saturating_sub(NAMESPACES);
    let more =
        (more > 0).then(|| format!("warnings and rollouts in {more} more namespaces of {}", place.called));
    let served = |group: &str, kind: &str| {
        facts.preferred(&GroupKind::new(group, kind)).filter(|k| k.can("list")).cloned()
    };
    for namespace in place.namespaces.keys().take(NAMESPACES) {
        if let Some(events) = served("", "Event") {
            questions.push(warnings(asking.clone(), events, namespace).boxed());
        }
        if let Some(sets) = served("apps", "ReplicaSet") {
            questions.push(rollouts(asking.clone(), sets, namespace).boxed());
        }
        if known.helm.contains(&(at, namespace.clone()))
            && let Some(secrets) = served("", "Secret")
        {
            questions.push(releases(asking.clone(), secrets, namespace).boxed());
        }
    }
    for (group, kind) in engines::KINDS {
        if let Some(objects) = served(group, kind) {
            questions.push(syncs(asking.clone(), objects).boxed());
        }
    }
    (more, questions)
}

/// Waits for an answer; says what is not known otherwise.
async fn answer<T>(
    what: String,
    asking: impl Future<Output = Result<T, ClusterError>>,
) -> Result<T, Unknown> {
    asking.await.map_err(|error| Unknown { what, why: error.to_string() })
}

async fn warnings(asking: Arc<Asking<'_>>, events: ServedKind, namespace: &str) -> Answer {
    let place = asking.place;
    let what = format!("warning events in namespace {namespace}");
    let scope = Scope::Namespace(namespace.to_owned());
    let listed = answer(what, place.cluster.list(events, scope)).await?;
    let mut told: Vec<Happening> = listed
        .iter()
        .filter_map(|packed| packed.open(&place.id).ok())
        .filter_map(|event| warning(&asking, &event))
        .collect();
    told.sort_by_key(|warning| std::cmp::Reverse(warning.time));
    told.truncate(WARNINGS);
    Ok(told)
}

fn warning(asking: &Asking<'_>, event: &LiveObject) -> Option<Happening> {
    let told = read_event(&event.body);
    if !told.warning {
        return None;
    }
    let time = told.at.filter(|time| asking.is_of_late(time))?;
    let id = regarding(event);
    let times = if told.count > 1 { format!(" ({} times)", told.count) } else { String::new() };
    Some(Happening {
        time,
        kind: HappeningKind::Event,
        at: asking.at(asking.owners.deployment(&id)),
        what: format!("{}: {}{times}", told.reason, told.message),
        path: None,
        resource: Some(id),
        who: if told.by.is_empty() { Who::unknown() } else { Who::new(told.by, By::Unknown) },
    })
}

async fn rollouts(asking: Arc<Asking<'_>>, sets: ServedKind, namespace: &str) -> Answer {
    let place = asking.place;
    let what = format!("rollouts in namespace {namespace}");
    let scope = Scope::Namespace(namespace.to_owned());
    let listed = answer(what, place.cluster.list_metadata(sets, scope)).await?;
    let made = listed.into_iter().filter_map(|set| {
        let time = created(&set).filter(|time| asking.is_of_late(time))?;
        // A replica set that nobody rolls out is an object like others.
        set.has_owner().then(|| Happening {
            time,
            kind: HappeningKind::Rollout,
            at: asking.at(asking.owners.deployment(&set.id)),
            what: format!("ReplicaSet {} created", set.id.name.as_deref().unwrap_or_default()),
            path: None,
            resource: Some(set.id.clone()),
            who: Who::new("rollout", By::Unknown),
        })
    });
    Ok(made.collect())
}

/// Reads the labels of Helm's release Secrets: their payload is not asked for.
///
/// Source of the labels: Helm, `pkg/storage/driver/secrets.go` (`owner`, `name`, `version`, `status`).
async fn releases(asking: Arc<Asking<'_>>, secrets: ServedKind, namespace: &str) -> Answer {
    let place = asking.place;
    let what = format!("Helm revisions in namespace {namespace}");
    let scope = Scope::Namespace(namespace.to_owned());
    let listing = async {
        if !place.cluster.may("list", secrets.clone(), scope.clone()).await? {
            return Err(ClusterError::Denied {
                verb: "list".to_owned(),
                resource: secrets.resource(),
                namespace: Some(namespace.to_owned()),
                reason: "they are kept in Secrets".to_owned(),
            });
        }
        place.cluster.list_metadata(secrets.clone(), scope.clone()).await
    };
    let listed = answer(what, listing).await?;
    let made =
        listed.into_iter().filter(|secret| secret.label("owner") == Some("helm")).filter_map(|secret| {
            let time = created(&secret).filter(|time| asking.is_of_late(time))?;
            let label = |name: &str| secret.label(name).unwrap_or("?").to_owned();
            let release = label("name");
            let id = ResourceId::from(Identity {
                cluster: place.id.clone(),
                kind: GroupKind::new("", "Secret"),
                namespace: Some(namespace.to_owned()),
                name: Some(release.clone()),
            });
            let deployment = place.apps.get(&release).or_else(|| asking.owners.deployment(&id));
            Some(Happening {
                time,
                kind: HappeningKind::Release,
                at: asking.at(deployment.or_else(|| place.namespaces.get(namespace))),
                what: format!("release {release} revision {}, {}", label("version"), label("status")),
                path: None,
                resource: Some(secret.id.clone()),
                who: Who { name: Some("helm".to_owned()), called: Some("Helm".to_owned()), by: By::Deployer },
            })
        });
    Ok(made.collect())
}

async fn syncs(asking: Arc<Asking<'_>>, objects: ServedKind) -> Answer {
    let place = asking.place;
    let what = format!("syncs that {} tell of", objects.resource());
    let listed = answer(what, place.cluster.list(objects, Scope::All)).await?;
    let mut told = Vec::new();
    for object in listed.iter().filter_map(|packed| packed.open(&place.id).ok()) {
        let name = object.id.name.clone().unwrap_or_default();
        let deployment = place.apps.get(&name).or_else(|| asking.owners.deployment(&object.id));
        for synced in engines::syncs(&object).into_iter().filter(|synced| asking.is_of_late(&synced.time)) {
            told.push(Happening {
                time: synced.time,
                kind: synced.kind,
                at: asking.at(deployment),
                resource: Some(object.id.clone()),
                path: None,
                what: synced.what,
                who: synced.who,
            });
        }
    }
    Ok(told)
}

fn created(object: &LiveObject) -> Option<Timestamp> {
    object.body.str_at(&["metadata", "creationTimestamp"])?.parse().ok()
}
