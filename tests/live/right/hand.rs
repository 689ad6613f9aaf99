//! What somebody does by hand to one object: drawn at random, always the same for the same seed.

use serde_json::{Value, json};
use std::fmt;

/// What is done to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Changed,
    Deleted,
    Added,
}

/// Numbers that look random and are the same each time (a linear congruential generator, Knuth's MMIX).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides.max(1)
    }

    /// Returns up to `most` different numbers below `count`.
    pub fn some_of(&mut self, count: usize, most: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..count).collect();
        for at in (1..all.len()).rev() {
            all.swap(at, self.roll(at + 1));
        }
        all.truncate(most);
        all
    }
}

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Key(String),
    At(usize),
}

/// What was done to one object.
#[derive(Debug)]
pub struct Tampering {
    kind: Kind,
    spot: Vec<Step>,
    /// As a JSON patch.
    pub patch: Value,
    /// The object afterwards.
    pub after: Value,
}

impl fmt::Display for Tampering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.kind, self.patch)
    }
}

/// Fields by which the items of some list are told apart: changing one makes another item of it.
const KEYS: [&str; 14] = [
    "name",
    "port",
    "containerPort",
    "protocol",
    "mountPath",
    "ip",
    "type",
    "topologyKey",
    "key",
    "uid",
    "devicePath",
    "whenUnsatisfiable",
    "resourceName",
    "kind",
];

fn pointer(spot: &[Step]) -> String {
    let step = |step: &Step| match step {
        Step::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Step::At(at) => format!("/{at}"),
    };
    spot.iter().map(step).collect()
}

fn at<'v>(value: &'v Value, spot: &[Step]) -> Option<&'v Value> {
    value.pointer(&pointer(spot))
}

/// Returns every declared spot that is live as it is declared: scalars, and with `whole` items and maps too.
fn declared(desired: &Value, live: &Value, whole: bool) -> Vec<Vec<Step>> {
    fn walk(desired: &Value, live: &Value, whole: bool, spot: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
        let in_item = matches!(spot.len().checked_sub(2).and_then(|at| spot.get(at)), Some(Step::At(_)));
        let is_key = in_item && matches!(spot.last(), Some(Step::Key(key)) if KEYS.contains(&key.as_str()));
        let scalar = !desired.is_object() && !desired.is_array();
        if !is_key && (scalar || (whole && spot.len() > 1)) {
            found.push(spot.clone());
        }
        match (desired, live) {
            (Value::Object(d), Value::Object(l)) => {
                for (key, below) in d {
                    if let Some(live) = l.get(key) {
                        spot.push(Step::Key(key.clone()));
                        walk(below, live, whole, spot, found);
                        spot.pop();
                    }
                }
            }
            (Value::Array(d), Value::Array(l)) if d.len() == l.len() => {
                for (at, (below, live)) in d.iter().zip(l).enumerate() {
                    if below.get("name") == live.get("name") {
                        spot.push(Step::At(at));
                        walk(below, live, whole, spot, found);
                        spot.pop();
                    }
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for top in desired.as_object().into_iter().flatten().map(|(key, _)| key) {
        if ["apiVersion", "kind", "metadata", "status", "stringData"].contains(&top.as_str()) {
            continue;
        }
        if let (Some(d), Some(l)) = (desired.get(top), live.get(top)) {
            walk(d, l, whole, &mut vec![Step::Key(top.clone())], &mut found);
        }
    }
    for marks in ["labels", "annotations"] {
        if let (Some(d), Some(l)) = (desired["metadata"].get(marks), live["metadata"].get(marks)) {
            let mut spot = vec![Step::Key("metadata".to_owned()), Step::Key(marks.to_owned())];
            for (key, value) in d.as_object().into_iter().flatten() {
                spot.push(Step::Key(key.clone()));
                if let Some(live) = l.get(key) {
                    walk(value, live, false, &mut spot, &mut found);
                }
                spot.pop();
            }
        }
    }
    found.retain(|spot| at(desired, spot).is_some_and(|value| !value.is_null()) && at(live, spot).is_some());
    found
}

/// Draws something to do to an object. `None`: nothing of this kind can be done to it.
pub fn draw(desired: &Value, live: &Value, kind: Kind, dice: &mut Dice) -> Option<Tampering> {
    match kind {
        Kind::Changed => {
            let mut spots = declared(desired, live, false);
            let spot = (!spots.is_empty()).then(|| spots.swap_remove(dice.roll(spots.len())))?;
            let before = at(live, &spot)?.clone();
            let after = other(&before, dice)?;
            let path = pointer(&spot);
            Some(Tampering {
                kind,
                spot,
                patch: json!([{"op": "replace", "path": path, "value": after}]),
                after: Value::Null,
            })
        }
        Kind::Deleted => {
            let mut spots = declared(desired, live, true);
            let spot = (!spots.is_empty()).then(|| spots.swap_remove(dice.roll(spots.len())))?;
            let path = pointer(&spot);
            Some(Tampering { kind, spot, patch: json!([{"op": "remove", "path": path}]), after: Value::Null })
        }
        Kind::Added => added(live, dice),
    }
}

/// Returns another value of the same type that a server may well accept.
fn other(value: &Value, dice: &mut Dice) -> Option<Value> {
    Some(match value {
        Value::Bool(truth) => json!(!truth),
        Value::Number(number) => json!(number.as_i64()? + 1),
        Value::String(text) if text.ends_with('%') => json!("33%"),
        Value::String(text) if text.ends_with("Mi") => json!("77Mi"),
        Value::String(text) if text.ends_with('m') && text.len() < 6 => json!("77m"),
        Value::String(text) if text.ends_with('s') && text.len() < 5 => json!("77s"),
        Value::String(text) => match dice.roll(2) {
            0 => json!(format!("{text}x")),
            _ => json!(format!("x{text}")),
        },
        _ => return None,
    })
}

/// Draws something that nobody declares: a label, an annotation, a variable, a port, a key, another default.
fn added(live: &Value, dice: &mut Dice) -> Option<Tampering> {
    let key = |text: &str| Step::Key(text.to_owned());
    let keys = |texts: &[&str]| -> Vec<Step> { texts.iter().map(|text| key(text)).collect() };
    let mut places: Vec<(Vec<Step>, Value)> = vec![
        (keys(&["metadata", "labels", "by-hand"]), json!("yes")),
        (keys(&["metadata", "annotations", "example.com/by-hand"]), json!("yes")),
    ];
    let pod = keys(&["spec", "template"]);
    if let Some(containers) = live.pointer("/spec/template/spec/containers").and_then(Value::as_array) {
        places.push((
            [&pod[..], &keys(&["metadata", "annotations", "example.com/by-hand"])].concat(),
            json!("yes"),
        ));
        for container in 0..containers.len() {
            let within = [&pod[..], &keys(&["spec", "containers"]), &[Step::At(container)]].concat();
            let item = |list: &str, value: Value| {
                let spot = [&within[..], &[key(list)]].concat();
                let count = at(live, &spot).and_then(Value::as_array).map_or(0, Vec::len);
                ([&spot[..], &[Step::At(count)]].concat(), value)
            };
            places.push(item("env", json!({"name": "BY_HAND", "value": "1"})));
            places.push(item("ports", json!({"name": "by-hand", "containerPort": 7007, "protocol": "TCP"})));
        }
    }
    if live["kind"] == "ConfigMap" {
        places.push((keys(&["data", "by-hand"]), json!("yes")));
    }
    if live["kind"] == "Service" {
        let count = live["spec"]["ports"].as_array().map_or(0, Vec::len);
        let spot = [&keys(&["spec", "ports"])[..], &[Step::At(count)]].concat();
        places.push((spot, json!({"name": "by-hand", "port": 7007, "protocol": "TCP", "targetPort": 7007})));
    }
    let (mut spot, mut value) = places.swap_remove(dice.roll(places.len()));
    // Where the map or list that it belongs to is not there, that comes along.
    while at(live, spot.split_last()?.1).is_none() {
        value = match spot.pop()? {
            Step::Key(key) => json!({ key: value }),
            Step::At(_) => json!([value]),
        };
    }
    let path = pointer(&spot);
    let patch = json!([{"op": "add", "path": path, "value": value}]);
    Some(Tampering { kind: Kind::Added, spot, patch, after: Value::Null })
}

/// Returns the JSON patch that makes an object what it was, part by part.
pub fn back(was: &Value, is: &Value) -> Value {
    let mut patch = Vec::new();
    let mut part = |path: String, was: Option<&Value>, is: Option<&Value>| match (was, is) {
        (Some(was), is) if Some(was) != is => patch.push(json!({"op": "add", "path": path, "value": was})),
        (None, Some(_)) => patch.push(json!({"op": "remove", "path": path})),
        _ => {}
    };
    let revision = is.pointer(&format!("/metadata/annotations/{}", REVISION.replace('/', "~1"))).cloned();
    let (mut was, mut is) = (settled(was), settled(is));
    for object in [&mut was, &mut is] {
        if let (Some(annotations), Some(revision)) =
            (object["metadata"]["annotations"].as_object_mut(), &revision)
        {
            annotations.insert(REVISION.to_owned(), revision.clone());
        }
    }
    for marks in ["labels", "annotations"] {
        part(format!("/metadata/{marks}"), was["metadata"].get(marks), is["metadata"].get(marks));
    }
    let keys = [&was, &is].map(|object| object.as_object().into_iter().flatten().map(|(key, _)| key.clone()));
    let mut keys: Vec<String> = keys.into_iter().flatten().collect();
    keys.sort();
    keys.dedup();
    for key in keys.into_iter().filter(|key| key != "metadata") {
        part(pointer(&[Step::Key(key.clone())]), was.get(&key), is.get(&key));
    }
    Value::Array(patch)
}

/// What the Deployment controller counts, and nobody else.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// Takes out what moves with every write.
fn settled(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(field);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(REVISION);
        }
    }
    object
}

impl Tampering {
    /// Returns whether an object differs at the tampered spot and nowhere else.
    pub fn is_all(&self, before: &Value, after: &Value) -> bool {
        let (mut before, mut after) = (settled(before), settled(after));
        let (was, is) = (at(&before, &self.spot).cloned(), at(&after, &self.spot).cloned());
        if was == is {
            return false;
        }
        for object in [&mut before, &mut after] {
            take_out(object, &self.spot);
        }
        before == after
    }

    /// Returns whether what driftdeck says of the object is this and nothing else, or why not.
    pub fn is_found(&self, said: Option<&Value>, desired: &Value) -> Result<(), String> {
        let Some(said) = said else { return Err("nothing is said of it".to_owned()) };
        let changes = said["changes"].as_array().cloned().unwrap_or_default();
        let counted: Vec<&Value> = changes.iter().filter(|change| change["counts"] == true).collect();
        let spot = |change: &Value| {
            let segments = change["segments"].as_array().cloned().unwrap_or_default();
            [desired, &self.after].into_iter().find_map(|side| spot_of(&segments, side))
        };
        // A part that was deleted and that the server filled in again differs below, where its defaults do.
        let is_below = |spot: Vec<Step>| spot.len() > self.spot.len() && spot.starts_with(&self.spot);
        let below = |change: &&Value| spot(change).is_some_and(is_below);
        if self.kind == Kind::Deleted && !counted.is_empty() && counted.iter().all(below) {
            return Ok(());
        }
        let [change] = counted.as_slice() else {
            let paths: Vec<String> =
                counted.iter().map(|c| format!("{} {}", c["class"], c["path"])).collect();
            return Err(format!("{} {}", said["verdict"], paths.join(", ")));
        };
        let path = change["path"].as_str().unwrap_or_default();
        let class = change["class"].as_str().unwrap_or_default();
        let exact = spot(change).is_some_and(|reported| {
            reported == self.spot
                || self.is_whole(&reported)
                // The map came along with its only key.
                || (self.kind == Kind::Added && reported.starts_with(&self.spot))
        });
        if !exact {
            return Err(format!("{class} {path}"));
        }
        let fits = match self.kind {
            Kind::Changed => class == "changed" && change["manager"] == "kubectl-edit",
            // What was deleted may come back with the server's default, and within a whole it is a change.
            Kind::Deleted => ["deleted", "changed"].contains(&class),
            Kind::Added => class == "foreign" && change["manager"] == "kubectl-edit",
        };
        if fits { Ok(()) } else { Err(format!("{class} {path} by {}", change["manager"])) }
    }

    /// Returns whether a list or map above the spot is reported, which must be one that is compared as a whole.
    fn is_whole(&self, reported: &[Step]) -> bool {
        let live = &self.after;
        let whole = at(live, reported);
        let keyed = [
            "containers",
            "initContainers",
            "env",
            "ports",
            "volumes",
            "volumeMounts",
            "labels",
            "annotations",
            "data",
        ];
        let named = matches!(reported.last(), Some(Step::Key(key)) if keyed.contains(&key.as_str()));
        // Custom resources have no keys that their definitions do not name: there every list is a whole.
        self.spot.starts_with(reported)
            && self.kind != Kind::Added
            && (!named || live["apiVersion"].as_str().is_some_and(|v| v.contains("monitoring.coreos.com")))
            && whole.is_some_and(|value| value.is_array() || value.is_object())
    }
}

fn take_out(object: &mut Value, spot: &[Step]) {
    let Some((last, above)) = spot.split_last() else { return };
    match (object.pointer_mut(&pointer(above)), last) {
        (Some(Value::Object(fields)), Step::Key(key)) => drop(fields.remove(key)),
        (Some(Value::Array(items)), Step::At(at)) if *at < items.len() => drop(items.remove(*at)),
        _ => {}
    }
}

/// Finds the spot of a path as driftdeck writes its segments in JSON.
fn spot_of(segments: &[Value], object: &Value) -> Option<Vec<Step>> {
    let mut value = object;
    segments
        .iter()
        .map(|segment| {
            let step = if let Some(name) = segment.as_str() {
                Step::Key(name.to_owned())
            } else if let Some(index) = segment["index"].as_u64() {
                Step::At(usize::try_from(index).ok()?)
            } else {
                let fits = |item: &Value| match segment["keys"].as_object() {
                    Some(keys) => keys.iter().all(|(key, of)| item.get(key).is_none_or(|value| value == of)),
                    None => *item == segment["value"],
                };
                Step::At(value.as_array()?.iter().position(fits)?)
            };
            value = at(value, std::slice::from_ref(&step))?;
            Some(step)
        })
        .collect()
}
