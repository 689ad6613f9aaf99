//! Builds the demo's clusters: everything that was applied to them and done to them, each at its time.

use super::DemoError;
use super::assets::{self, File};
use super::history::Past;
use super::pods;
use super::rollout::{self, Pace};
use super::script::{Applied, ClusterScript, Deed, How, On};
use crate::cluster::offline::{Clock, Target};
use crate::cluster::{ClusterError, Offline, Patch, Propagation, Write};
use crate::model::sealed::LAST_APPLIED;
use crate::model::{ClusterId, GroupVersionKind, LiveObject, Map, Timestamp, Value};
use crate::text::yaml;
use std::collections::BTreeMap;

/// The namespace in which Flux is said to run.
const FLUX_NAMESPACE: &str = "flux-system";

/// Objects that a controller looks after, as they were last written.
type Tended = BTreeMap<On, LiveObject>;

/// Builds a cluster as it is now.
pub(super) fn build(
    script: &ClusterScript,
    past: &Past,
    crashing: &[String],
    now: Timestamp,
    clock: Clock,
) -> Result<Offline, DemoError> {
    let mut builder = Offline::builder(&script.name, clock)
        .id(ClusterId(format!("demo:{}", script.name).into()))
        .version(&script.version)
        .user(&script.user);
    for kind in &script.denied {
        builder = builder.deny(kind.0.clone());
    }
    let cluster = builder.build();
    for present in &script.present {
        for object in documents(&present.object, embedded(assets::OBJECTS, &present.object)?)? {
            cluster.put(&object, present.ago.before(now));
        }
    }
    let mut tended = Tended::new();
    for (at, event) in events(script, now) {
        match event {
            Event::Applied(applied) => apply(&cluster, applied, past, at, &mut tended)?,
            Event::Done(deed) => remember(&mut tended, act(&cluster, deed, at)?),
        }
    }
    for (on, live) in &tended {
        let unfinished = script.rollouts.iter().find(|rollout| rollout.on == *on);
        let pace = unfinished.map_or(Pace::Whole, |rollout| Pace::Until(rollout.updated));
        let Some(status) = rollout::next_status(live, pace, crashing) else { continue };
        match cluster.edit(&target(on), Patch::Merge(status), rollout::CONTROLLER, Some("status"), now) {
            // It was deleted since.
            Ok(None) | Err(ClusterError::NotFound { .. }) => {}
            Ok(Some(workload)) => {
                let since = last_written(live).unwrap_or(now);
                pods::tend(&cluster, &workload, crashing, (since, now))?;
            }
            Err(error) => return Err(failed(&cluster, on, error)),
        }
    }
    Ok(cluster)
}

/// Returns when somebody last wrote to an object's own fields: since then it runs as it does.
fn last_written(object: &LiveObject) -> Option<Timestamp> {
    object.managed.iter().flatten().filter(|entry| entry.subresource.is_none()).filter_map(|e| e.time).max()
}

/// Something that happened to a cluster.
enum Event<'a> {
    Applied(&'a Applied),
    Done(&'a Deed),
}

/// Returns what happened to a cluster in the order of time.
fn events(script: &ClusterScript, now: Timestamp) -> Vec<(Timestamp, Event<'_>)> {
    let applied = script.applied.iter().map(|a| (a.ago.before(now), Event::Applied(a)));
    let edits = script.edits.iter().map(|e| (e.ago.before(now), Event::Done(&e.deed)));
    let mut events: Vec<_> = applied.chain(edits).collect();
    events.sort_by_key(|(at, _)| *at);
    events
}

/// Applies a path of the repository at a commit, the way that its deployer does it.
fn apply(
    cluster: &Offline,
    applied: &Applied,
    past: &Past,
    at: Timestamp,
    tended: &mut Tended,
) -> Result<(), DemoError> {
    let below = format!("{}/", applied.path);
    for (file, text) in past.at(&applied.commit)?.iter().filter(|(file, _)| file.starts_with(&below)) {
        for mut body in documents(file, text)? {
            let on = identity(file, &body)?;
            if applied.except.contains(&on) {
                continue;
            }
            mark(&mut body, &on, applied);
            if applied.how == How::ClientSide {
                record(&mut body);
            }
            let fail = |error| failed(cluster, &on, error);
            let kind = cluster.served(&on.kind).map_err(fail)?;
            let (namespace, manager) = (on.namespace.clone(), applied.by.clone());
            let write = match applied.how {
                How::ServerSide => {
                    Write::Apply { kind, namespace, name: on.name.clone(), body, manager, force: true }
                }
                How::ClientSide | How::Helm => Write::Create { kind, namespace, body, manager },
            };
            remember(tended, cluster.act(&write, at).map_err(fail)?);
        }
    }
    Ok(())
}

/// Does something to a cluster, and returns what the object is then.
pub(super) fn act(cluster: &Offline, deed: &Deed, at: Timestamp) -> Result<Option<LiveObject>, DemoError> {
    if let Some(body) = &deed.apply {
        let on = identity("apply", &body.0)?;
        let fail = |error| failed(cluster, &on, error);
        let write = Write::Apply {
            kind: cluster.served(&on.kind).map_err(fail)?,
            namespace: on.namespace.clone(),
            name: on.name.clone(),
            body: body.0.clone(),
            manager: deed.by.clone(),
            force: true,
        };
        return cluster.act(&write, at).map_err(fail);
    }
    let on = deed.on.as_ref().ok_or(DemoError::Aimless)?;
    let fail = |error| failed(cluster, on, error);
    if deed.delete {
        let write = Write::Delete {
            kind: cluster.served(&on.kind).map_err(fail)?,
            namespace: on.namespace.clone(),
            name: on.name.clone(),
            uid: None,
            resource_version: None,
            propagation: Propagation::Background,
        };
        return cluster.act(&write, at).map_err(fail);
    }
    let patch = match (&deed.merge, &deed.strategic, &deed.json) {
        (Some(merge), None, None) => Patch::Merge(dated(&merge.0, at)),
        (None, Some(strategic), None) => Patch::Strategic(dated(&strategic.0, at)),
        (None, None, Some(operations)) => Patch::Json(operations.iter().map(|o| dated(&o.0, at)).collect()),
        _ => return Err(DemoError::NotOnePatch { object: shown(on) }),
    };
    cluster.edit(&target(on), patch, &deed.by, deed.through.as_deref(), at).map_err(fail)
}

/// Returns a value of the script with the time in the places of `NOW`.
fn dated(value: &Value, at: Timestamp) -> Value {
    match value {
        Value::String(text) if text == "NOW" => Value::string(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        Value::List(items) => Value::List(items.iter().map(|item| dated(item, at)).collect()),
        Value::Map(fields) => {
            Value::Map(fields.iter().map(|(name, field)| (name.clone(), dated(field, at))).collect())
        }
        other => other.clone(),
    }
}

fn remember(tended: &mut Tended, live: Option<LiveObject>) {
    let Some(live) = live else { return };
    let kind = (live.kind.group.as_str(), &*live.kind.version, live.kind.kind.as_str());
    if !rollout::KINDS.contains(&kind) {
        return;
    }
    if let Some(name) = live.id.name.clone() {
        let on = On { kind: live.kind.clone(), namespace: live.id.namespace.clone(), name };
        tended.insert(on, live);
    }
}

/// Puts the marks of the deployer on an object.
fn mark(body: &mut Value, on: &On, applied: &Applied) {
    let mut put = |part: &str, entries: &[(&str, String)]| {
        let Some(metadata) =
            body.as_map_mut().and_then(|b| b.get_mut("metadata")).and_then(Value::as_map_mut)
        else {
            return;
        };
        let part = metadata.entry(part.to_owned()).or_insert_with(|| Value::Map(Map::new()));
        if let Some(part) = part.as_map_mut() {
            part.extend(entries.iter().map(|(key, text)| ((*key).to_owned(), Value::string(text))));
        }
    };
    if let Some(name) = &applied.flux {
        put(
            "labels",
            &[
                ("kustomize.toolkit.fluxcd.io/name", name.clone()),
                ("kustomize.toolkit.fluxcd.io/namespace", FLUX_NAMESPACE.to_owned()),
            ],
        );
    }
    if let Some(app) = &applied.argocd {
        let (group, kind) = (&on.kind.group, &on.kind.kind);
        let namespace = on.namespace.as_deref().unwrap_or_default();
        let id = format!("{app}:{group}/{kind}:{namespace}/{}", on.name);
        put("annotations", &[("argocd.argoproj.io/tracking-id", id)]);
    }
    if let Some(release) = &applied.release {
        let namespace = on.namespace.clone().unwrap_or_default();
        put(
            "annotations",
            &[("meta.helm.sh/release-name", release.clone()), ("meta.helm.sh/release-namespace", namespace)],
        );
    }
}

/// Records in an object what is applied, as kubectl's client-side apply does.
fn record(body: &mut Value) {
    let json = to_json(body).to_string();
    let Some(metadata) = body.as_map_mut().and_then(|b| b.get_mut("metadata")).and_then(Value::as_map_mut)
    else {
        return;
    };
    let annotations = metadata.entry("annotations".to_owned()).or_insert_with(|| Value::Map(Map::new()));
    if let Some(annotations) = annotations.as_map_mut() {
        annotations.insert(LAST_APPLIED.to_owned(), Value::string(json));
    }
}

/// Prints a value that was read from the demo's own files, where nothing is sealed.
fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null | Value::Sealed(_) => serde_json::Value::Null,
        Value::Bool(yes) => (*yes).into(),
        Value::Number(number) => number.as_i64().map_or_else(|| number.as_f64().into(), Into::into),
        Value::String(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(fields) => serde_json::Value::Object(
            fields.iter().map(|(name, field)| (name.clone(), to_json(field))).collect(),
        ),
    }
}

fn embedded(files: &[File], name: &str) -> Result<&'static str, DemoError> {
    let found = files.iter().find(|(path, _)| *path == name);
    found.map(|(_, text)| *text).ok_or_else(|| DemoError::NoFile { file: name.to_owned() })
}

/// Reads the objects of a file; files that hold none, such as a README, have no objects.
fn documents(file: &str, text: &str) -> Result<Vec<Value>, DemoError> {
    let read = yaml::read_documents(text.as_bytes()).into_iter().map(|document| match document {
        Ok(document) => Ok(document.value),
        Err(error) => Err(DemoError::Unreadable { file: file.to_owned(), reason: error.to_string() }),
    });
    read.collect()
}

fn identity(file: &str, body: &Value) -> Result<On, DemoError> {
    let text = |path: &[&str]| body.str_at(path).map(str::to_owned);
    let (Some(api_version), Some(kind), Some(name)) =
        (text(&["apiVersion"]), text(&["kind"]), text(&["metadata", "name"]))
    else {
        return Err(DemoError::Unreadable { file: file.to_owned(), reason: "it holds no object".to_owned() });
    };
    let kind = GroupVersionKind::from_api_version(&api_version, &kind);
    Ok(On { kind, namespace: text(&["metadata", "namespace"]), name })
}

pub(super) fn target(on: &On) -> Target {
    Target { kind: on.kind.clone(), namespace: on.namespace.clone(), name: on.name.clone() }
}

fn shown(on: &On) -> String {
    let namespace = on.namespace.as_ref().map(|n| format!("{n}/")).unwrap_or_default();
    format!("{} {namespace}{}", on.kind.kind, on.name)
}

fn failed(cluster: &Offline, on: &On, error: ClusterError) -> DemoError {
    let cluster = crate::cluster::Cluster::name(cluster).to_owned();
    DemoError::Refused { cluster, object: shown(on), error: Box::new(error) }
}
