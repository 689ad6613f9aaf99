//! Defines which objects an active autoscaler writes to: what it sets there is contended, but no drift.

use crate::model::{GroupKind, LiveObject, Value};
use std::collections::HashMap;

/// What an autoscaler sets on its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scales {
    /// HorizontalPodAutoscaler or KEDA: `.spec.replicas`.
    pub replicas: bool,
    /// VerticalPodAutoscaler: the containers' `resources`.
    pub resources: bool,
}

/// The targets of the active autoscalers of a cluster, by group, kind, namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Autoscaled {
    targets: HashMap<(GroupKind, Option<String>, String), Target>,
}

/// What is set on one object, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Target {
    scales: Scales,
    /// The autoscalers as people name them.
    replicas_by: Option<String>,
    resources_by: Option<String>,
}

/// What a kind of autoscaler may set on which kinds.
pub struct AutoscalerKind {
    pub group: &'static str,
    pub kind: &'static str,
    /// The kinds that it scales as a rule.
    pub scales: &'static [&'static str],
}

/// The kinds of autoscalers that [`Autoscaled::of`] reads.
pub const AUTOSCALERS: [AutoscalerKind; 3] = [
    AutoscalerKind {
        group: "autoscaling",
        kind: "HorizontalPodAutoscaler",
        scales: &["Deployment", "StatefulSet", "ReplicaSet", "Rollout"],
    },
    AutoscalerKind {
        group: "keda.sh",
        kind: "ScaledObject",
        scales: &["Deployment", "StatefulSet", "ReplicaSet", "Rollout"],
    },
    AutoscalerKind {
        group: "autoscaling.k8s.io",
        kind: "VerticalPodAutoscaler",
        scales: &["Deployment", "StatefulSet", "ReplicaSet", "DaemonSet", "Rollout", "Job", "CronJob"],
    },
];

impl AutoscalerKind {
    /// Returns whether a kind is this one, in whichever version.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }
}

impl Autoscaled {
    /// Gathers the targets from live objects; anything but autoscalers is passed over.
    ///
    /// Sources: HorizontalPodAutoscaler `scaleTargetRef` (not active while its condition `ScalingActive` is `False` with the
    /// reason `ScalingDisabled`), VerticalPodAutoscaler `targetRef` (`updateMode` `Off` and `Initial` write nothing to
    /// the target), KEDA ScaledObject `scaleTargetRef` (the annotation `autoscaling.keda.sh/paused` stops it).
    pub fn of<'a>(objects: impl IntoIterator<Item = &'a LiveObject>) -> Self {
        let mut gathered = Self::default();
        objects.into_iter().for_each(|object| gathered.add(object));
        gathered
    }

    fn add(&mut self, object: &LiveObject) {
        let (field, group, replicas, called) = match (object.kind.group.as_str(), object.kind.kind.as_str()) {
            ("autoscaling", "HorizontalPodAutoscaler") if !scaling_disabled(&object.body) => {
                ("scaleTargetRef", "", true, "Horizontal Pod Autoscaler")
            }
            ("autoscaling.k8s.io", "VerticalPodAutoscaler") if !vpa_only_looks(&object.body) => {
                ("targetRef", "", false, "Vertical Pod Autoscaler")
            }
            ("keda.sh", "ScaledObject") if !keda_paused(object) => ("scaleTargetRef", "apps", true, "KEDA"),
            _ => return,
        };
        let Some(target) = object.body.at(&["spec", field]) else { return };
        let Some(name) = target.str_at(&["name"]) else { return };
        let kind = target.str_at(&["kind"]).unwrap_or("Deployment");
        let group = match target.str_at(&["apiVersion"]) {
            Some(api_version) => api_version.split_once('/').map_or("", |(group, _)| group),
            None => group,
        };
        let key = (GroupKind::new(group, kind), object.id.namespace.clone(), name.to_owned());
        let target = self.targets.entry(key).or_default();
        let place = object.id.namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
        let by = format!("{called} {place}{}", object.id.name.as_deref().unwrap_or_default());
        if replicas {
            target.scales.replicas = true;
            target.replicas_by.get_or_insert(by);
        } else {
            target.scales.resources = true;
            target.resources_by.get_or_insert(by);
        }
    }

    /// Returns what autoscalers set on an object.
    pub fn scales(&self, object: &LiveObject) -> Scales {
        self.target(object).map(|target| target.scales).unwrap_or_default()
    }

    /// Returns the autoscaler that sets an object's replicas, or its containers' resources, as people name it.
    pub fn by(&self, object: &LiveObject, replicas: bool) -> Option<&str> {
        let target = self.target(object)?;
        if replicas { target.replicas_by.as_deref() } else { target.resources_by.as_deref() }
    }

    fn target(&self, object: &LiveObject) -> Option<&Target> {
        if self.targets.is_empty() {
            return None;
        }
        let key = (object.id.kind.clone(), object.id.namespace.clone(), object.id.name.clone()?);
        self.targets.get(&key)
    }
}

fn scaling_disabled(body: &Value) -> bool {
    body.at(&["status", "conditions"]).and_then(Value::as_list).is_some_and(|conditions| {
        conditions.iter().any(|c| {
            c.str_at(&["type"]) == Some("ScalingActive")
                && c.str_at(&["status"]) == Some("False")
                && c.str_at(&["reason"]) == Some("ScalingDisabled")
        })
    })
}

fn vpa_only_looks(body: &Value) -> bool {
    matches!(body.str_at(&["spec", "updatePolicy", "updateMode"]), Some("Off" | "Initial"))
}

fn keda_paused(object: &LiveObject) -> bool {
    object.annotation("autoscaling.keda.sh/paused").is_some_and(|value| value != "false")
}
