//! Asks clusters for what they tell of the past: warnings, replica sets, releases and syncs. Everything is bounded, and what
//! could not be read is said.

use super::{Ground, Known, Owners, Place, engines};
use crate::cluster::ClusterError;
use crate::model::{
    Blind, By, DeploymentId, GroupKind, Happening, HappeningKind, Identity, LiveObject, Past, ResourceId,
    Scope, ServedKind, Timestamp, Where, Who,
};
use crate::pipeline::event::read_event;
use futures::StreamExt as _;
use futures::future::{BoxFuture, FutureExt as _};
use std::sync::Arc;
use std::time::Duration;

/// How long a cluster is waited for.
const TIME: Duration = Duration::from_secs(8);
/// Requests that run at the same time.
const AT_ONCE: usize = 8;
/// Namespaces of one cluster that are asked about.
const NAMESPACES: usize = 50;
/// Warnings of one cluster that are told, newest first.
const WARNINGS: usize = 200;
/// How long API servers keep events unless told otherwise (`--event-ttl`).
const EVENTS_KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// Asks every cluster that answers for what it tells of the time since then.
pub async fn asked(ground: &Ground, known: &Known, since: Timestamp, now: Timestamp) -> Past {
    let mut past = Past::default();
    if since < now.checked_sub(EVENTS_KEPT).unwrap_or(now) {
        let words = "warning events of more than about an hour ago: clusters do not keep them";
        past.blind.push(Blind::Said(words.to_owned()));
    }
    let places = ground.places.iter().enumerate();
    let questions = places.flat_map(|(at, place)| {
        let owners = Owners::of(ground, at);
        questions(&Arc::new(Asking { ground, at, place, owners, since }), known)
    });
    let questions: Vec<_> = questions.collect();
    let answers: Vec<Answer> = futures::stream::iter(questions).buffer_unordered(AT_ONCE).collect().await;
    for answer in answers {
        match answer {
            Ok(happenings) => past.happenings.extend(happenings),
            Err(words) => past.blind.push(Blind::Said(words)),
        }
    }
    past
}

/// What one question was answered, or why it is not known.
type Answer = Result<Vec<Happening>, String>;

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

fn questions<'g>(asking: &Arc<Asking<'g>>, known: &Known) -> Vec<BoxFuture<'g, Answer>> {
    let mut questions: Vec<BoxFuture<'g, Answer>> = Vec::new();
    let Asking { place, at, .. } = **asking;
    let Some(facts) = place.facts.as_ref() else { return questions };
    if place.namespaces.len() > NAMESPACES {
        let words = format!(
            "warnings and rollouts in {} more namespaces of {}",
            place.namespaces.len() - NAMESPACES,
            place.called
        );
        questions.push(async move { Err(words) }.boxed());
    }
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
    questions
}

/// Waits for an answer within the time; says what is not known otherwise.
async fn within<T>(
    place: &Place,
    what: &str,
    asking: impl Future<Output = Result<T, ClusterError>>,
) -> Result<T, String> {
    let why = match tokio::time::timeout(TIME, asking).await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {}s", TIME.as_secs()),
    };
    Err(format!("{what} of {}: {why}", place.called))
}

async fn warnings(asking: Arc<Asking<'_>>, events: ServedKind, namespace: &str) -> Answer {
    let place = asking.place;
    let what = format!("warning events in namespace {namespace}");
    let scope = Scope::Namespace(namespace.to_owned());
    let listed = within(place, &what, place.cluster.list(events, scope)).await?;
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
    let text = |path: &[&str]| event.body.str_at(path).filter(|text| !text.is_empty()).map(str::to_owned);
    let time = told.at.filter(|time| asking.is_of_late(time))?;
    let about = |field: &str| text(&["involvedObject", field]);
    let group = about("apiVersion").and_then(|v| v.split_once('/').map(|(group, _)| group.to_owned()));
    let id = ResourceId::from(Identity {
        cluster: event.id.cluster.clone(),
        kind: GroupKind::new(group.unwrap_or_default(), about("kind").unwrap_or_default()),
        namespace: about("namespace"),
        name: about("name"),
    });
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
    let listed = within(place, &what, place.cluster.list_metadata(sets, scope)).await?;
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
    let listed = within(place, &what, listing).await?;
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
    let listed = within(place, &what, place.cluster.list(objects, Scope::All)).await?;
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
