//! Defines where new fields and items usually stand: fields in the order in which people write them, items in the order of
//! the cluster.

use crate::model::field_path::{FieldPath, Scalar, Segment};
use crate::model::{Value, field};

/// Fields in the order in which manifests usually have them, by what they belong to.
const USUAL: [(&str, &[&str]); 9] = [
    (
        "",
        &[
            "apiVersion",
            "kind",
            "metadata",
            "type",
            "immutable",
            "data",
            "binaryData",
            "spec",
            "rules",
            "subjects",
        ],
    ),
    ("metadata", &["name", "generateName", "namespace", "labels", "annotations", "finalizers"]),
    (
        "spec",
        &[
            "type",
            "replicas",
            "revisionHistoryLimit",
            "minReadySeconds",
            "paused",
            "selector",
            "serviceName",
            "strategy",
            "updateStrategy",
            "serviceAccountName",
            "securityContext",
            "initContainers",
            "containers",
            "ports",
            "volumes",
            "template",
        ],
    ),
    (
        "containers",
        &[
            "name",
            "image",
            "imagePullPolicy",
            "command",
            "args",
            "workingDir",
            "ports",
            "envFrom",
            "env",
            "resources",
            "volumeMounts",
            "startupProbe",
            "livenessProbe",
            "readinessProbe",
            "lifecycle",
            "securityContext",
        ],
    ),
    ("env", &["name", "value", "valueFrom"]),
    ("ports", &["name", "port", "containerPort", "targetPort", "nodePort", "protocol"]),
    ("resources", &["requests", "limits"]),
    ("volumeMounts", &["name", "mountPath", "subPath", "readOnly"]),
    ("template", &["metadata", "spec"]),
];

/// Returns what the last segment of a path comes after, the nearest first.
pub(super) fn after(path: &FieldPath, live: &Value) -> Vec<Segment> {
    let Some((last, above)) = path.0.split_last() else { return Vec::new() };
    match last {
        Segment::Field(name) => {
            let parent = above.iter().rev().find_map(|segment| match segment {
                Segment::Field(name) => Some(name.as_str()),
                _ => None,
            });
            let parent = match parent.unwrap_or_default() {
                "initContainers" | "ephemeralContainers" => "containers",
                other => other,
            };
            let usual = USUAL.iter().find(|(of, _)| *of == parent).map_or(&[][..], |(_, fields)| fields);
            let at = usual.iter().position(|field| field == name).unwrap_or(0);
            usual.iter().take(at).rev().map(|field| Segment::Field((*field).to_owned())).collect()
        }
        item => {
            let list = field::at(live, &FieldPath(above.to_vec()));
            let Some((Value::List(items), at)) =
                list.and_then(|list| Some((list, field::position(list, item)?)))
            else {
                return Vec::new();
            };
            items.iter().take(at).rev().filter_map(|other| named_like(item, other)).collect()
        }
    }
}

/// Returns the segment of an item by the keys of another.
fn named_like(segment: &Segment, item: &Value) -> Option<Segment> {
    match segment {
        Segment::Keys(keys) => {
            let keys = keys.iter().filter_map(|(key, _)| Some((key.clone(), Scalar(item.get(key)?.clone()))));
            let keys: Vec<_> = keys.collect();
            (!keys.is_empty()).then_some(Segment::Keys(keys))
        }
        Segment::Item(_) => Some(Segment::Item(Scalar(item.clone()))),
        Segment::Index(_) | Segment::Field(_) => None,
    }
}
