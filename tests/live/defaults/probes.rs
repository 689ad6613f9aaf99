//! The minimal objects, and what the API server made of each one in a dry run.

use super::cluster;
use crate::support::Plane;
use driftdeck::model::{GroupVersionKind, LiveObject};
use serde::Deserialize as _;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// One step to a value in a JSON document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Field(String),
    Item(usize),
}

impl Place {
    pub fn of<'v>(&self, value: &'v Value) -> &'v Value {
        match self {
            Place::Field(name) => &value[name],
            Place::Item(at) => &value[*at],
        }
    }
}

/// What was sent, and what came back: twice, under two names, so that what is made anew each time is told apart.
pub struct Answer {
    pub kind: GroupVersionKind,
    pub sent: Value,
    pub got: Value,
    pub got_again: Value,
}

impl Answer {
    /// Returns the places of every value that came back and was not sent, but those in metadata and status.
    pub fn filled(&self) -> Vec<Vec<Place>> {
        let mut found = Vec::new();
        let (Some(sent), Some(got)) = (self.sent.as_object(), self.got.as_object()) else { return found };
        for (name, value) in got.iter().filter(|(name, _)| !["metadata", "status"].contains(&name.as_str())) {
            filled(sent.get(name), value, &mut vec![Place::Field(name.clone())], &mut found);
        }
        found
    }
}

fn filled(sent: Option<&Value>, got: &Value, at: &mut Vec<Place>, found: &mut Vec<Vec<Place>>) {
    let sent = sent.filter(|value| !value.is_null());
    if sent.is_none() {
        found.push(at.clone());
    }
    match (sent, got) {
        (_, Value::Object(fields)) => {
            for (name, below) in fields {
                at.push(Place::Field(name.clone()));
                filled(sent.and_then(|s| s.get(name)), below, at, found);
                at.pop();
            }
        }
        (Some(Value::Array(sent)), Value::Array(got)) => {
            assert_eq!(sent.len(), got.len(), "the server added an item at {at:?}");
            for (index, (sent, got)) in sent.iter().zip(got).enumerate() {
                at.push(Place::Item(index));
                filled(Some(sent), got, at, found);
                at.pop();
            }
        }
        _ => {}
    }
}

/// Changes the value at a place to another one of its type; not what is a map or null.
pub fn change(value: &mut Value, place: &[Place]) -> bool {
    let slot = place.iter().try_fold(value, |value, step| match step {
        Place::Field(name) => value.get_mut(name),
        Place::Item(at) => value.get_mut(*at),
    });
    let Some(slot) = slot else { return false };
    *slot = match slot {
        Value::Bool(b) => Value::Bool(!*b),
        Value::Number(n) => json!(n.as_i64().unwrap_or_default() + 1),
        Value::String(text) if text.starts_with(|c: char| c.is_ascii_digit()) => json!(format!("9{text}")),
        Value::String(text) => json!(format!("{text}x")),
        Value::Array(items) if items.iter().all(Value::is_string) => json!([items.first(), "x"]),
        Value::Array(items) if items.len() > 1 => json!([items.first()]),
        Value::Array(items) => json!([items.first(), items.first()]),
        Value::Null | Value::Object(_) => return false,
    };
    true
}

pub fn live(body: Value) -> LiveObject {
    LiveObject::read(&cluster(), body.into()).expect("an object")
}

/// Returns the answers of the API server of this run.
pub fn answers() -> &'static [Answer] {
    static ANSWERS: OnceLock<Vec<Answer>> = OnceLock::new();
    ANSWERS.get_or_init(ask)
}

fn ask() -> Vec<Answer> {
    let plane = Plane::of_this_run();
    let sent: Vec<Value> = objects();
    let mut rounds = ["a", "b"].map(|round| {
        let named: Vec<Value> =
            sent.iter().enumerate().map(|(at, object)| named(object, round, at)).collect();
        let mut got: BTreeMap<String, Value> =
            created(&plane, &named).into_iter().map(|object| (identity(&object), object)).collect();
        let taken = |object: Value| {
            let answer = got.remove(&identity(&object)).unwrap_or_else(|| panic!("no answer to {object}"));
            (object, answer)
        };
        named.into_iter().map(taken).collect::<Vec<_>>()
    });
    let again = std::mem::take(&mut rounds[1]);
    let first = std::mem::take(&mut rounds[0]);
    first
        .into_iter()
        .zip(again)
        .map(|((sent, got), (_, got_again))| {
            let text = |name: &str| sent[name].as_str().expect("a probe says its kind");
            Answer {
                kind: GroupVersionKind::from_api_version(text("apiVersion"), text("kind")),
                sent,
                got,
                got_again,
            }
        })
        .collect()
}

fn named(object: &Value, round: &str, at: usize) -> Value {
    let mut object = object.clone();
    let metadata = object["metadata"].as_object_mut();
    let mut metadata = metadata.map(std::mem::take).unwrap_or_default();
    metadata.entry("name").or_insert_with(|| json!(format!("probe-{round}-{at}")));
    object["metadata"] = Value::Object(metadata);
    object
}

fn identity(object: &Value) -> String {
    format!("{} {} {}", object["apiVersion"], object["kind"], object["metadata"]["name"])
}

fn created(plane: &Plane, objects: &[Value]) -> Vec<Value> {
    let text: String = objects.iter().map(|object| format!("---\n{object}\n")).collect();
    let words = ["create", "--dry-run=server", "--show-managed-fields", "-o", "json", "-f", "-"];
    let run = plane.try_kubectl(&words, &text).exits(0);
    let objects = serde_json::Deserializer::from_str(&run.stdout).into_iter();
    objects.collect::<Result<_, _>>().expect("JSON objects, one after the other")
}

fn documents(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).expect("the test's own YAML"))
        .collect()
}

/// Where a kind holds a pod template; `Pod` is one itself.
pub const TEMPLATES: [(&str, &str, &str); 9] = [
    ("v1", "Pod", "spec"),
    ("v1", "PodTemplate", "template.spec"),
    ("v1", "ReplicationController", "spec.template.spec"),
    ("apps/v1", "Deployment", "spec.template.spec"),
    ("apps/v1", "ReplicaSet", "spec.template.spec"),
    ("apps/v1", "DaemonSet", "spec.template.spec"),
    ("apps/v1", "StatefulSet", "spec.template.spec"),
    ("batch/v1", "Job", "spec.template.spec"),
    ("batch/v1", "CronJob", "spec.jobTemplate.spec.template.spec"),
];

/// Returns every probe: the objects, those with a pod template completed, and every pod spec in every kind that has one.
fn objects() -> Vec<Value> {
    let specs = documents(include_str!("pods.yaml"));
    let mut all: Vec<Value> = Vec::new();
    for spec in &specs {
        all.extend(TEMPLATES.iter().map(|(api_version, kind, _)| with_pod(api_version, kind, spec)));
    }
    for mut object in documents(include_str!("objects.yaml")) {
        if let Some((api_version, kind, _)) = TEMPLATES.iter().find(|(_, kind, _)| object["kind"] == *kind) {
            complete(&mut object, &with_pod(api_version, kind, &specs[0]));
        }
        all.push(object);
    }
    all
}

fn with_pod(api_version: &str, kind: &str, spec: &Value) -> Value {
    let mut spec = spec.clone();
    let labels = json!({"a": "b"});
    if ["Job", "CronJob"].contains(&kind) {
        spec["restartPolicy"] = json!("Never");
        let template = json!({"template": {"metadata": {"labels": labels}, "spec": spec}});
        let spec = match kind {
            "Job" => template,
            _ => json!({"schedule": "* * * * *", "jobTemplate": {"spec": template}}),
        };
        return json!({"apiVersion": api_version, "kind": kind, "spec": spec});
    }
    let template = json!({"metadata": {"labels": labels}, "spec": spec});
    match kind {
        "Pod" => json!({"apiVersion": api_version, "kind": kind, "spec": spec}),
        "PodTemplate" => json!({"apiVersion": api_version, "kind": kind, "template": template}),
        "ReplicationController" => {
            json!({"apiVersion": api_version, "kind": kind, "spec": {"template": template}})
        }
        _ => json!({
            "apiVersion": api_version, "kind": kind,
            "spec": {"selector": {"matchLabels": labels}, "template": template}
        }),
    }
}

/// Adds what an object lacks.
fn complete(object: &mut Value, from: &Value) {
    let (Some(fields), Some(from)) = (object.as_object_mut(), from.as_object()) else { return };
    for (name, value) in from {
        match fields.get_mut(name) {
            Some(own) => complete(own, value),
            None => drop(fields.insert(name.clone(), value.clone())),
        }
    }
}

/// Returns the version of the API server, as `v1.36.3`.
pub fn version() -> String {
    let versions: Map<String, Value> =
        serde_json::from_str(&Plane::of_this_run().kubectl(&["version", "-o", "json"])).expect("versions");
    versions["serverVersion"]["gitVersion"].as_str().expect("a version").to_owned()
}

/// Returns the built-in kinds that this server lets anybody create and list.
pub fn served_kinds() -> BTreeSet<String> {
    let listing = Plane::of_this_run().kubectl(&["api-resources", "--verbs=create", "--no-headers"]);
    let mut kinds = BTreeSet::new();
    for line in listing.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [.., api_version, _, kind] = words.as_slice() else { panic!("{line}") };
        let kind = GroupVersionKind::from_api_version(api_version, kind).group_kind();
        let is_own = !kind.group.contains('.') || kind.group.ends_with(".k8s.io");
        if is_own && !kind.kind.ends_with("Review") {
            kinds.insert(kind.to_string());
        }
    }
    kinds
}
