//! Plays the controllers of the demo's clusters: what objects say of themselves after somebody changed them.
//!
//! Their pods are played by `pods`. One step of a rollout moves one replica to the new template, so that it can be watched.

use crate::model::{LiveObject, Map, Value};
use crate::value;

/// The field manager of what is written here.
pub(super) const CONTROLLER: &str = "kube-controller-manager";

/// The kinds whose status is written here: group, version, kind.
pub(super) const KINDS: [(&str, &str, &str); 6] = [
    ("", "v1", "Namespace"),
    ("", "v1", "PersistentVolumeClaim"),
    ("apps", "v1", "Deployment"),
    ("apps", "v1", "StatefulSet"),
    ("networking.k8s.io", "v1", "Ingress"),
    ("policy", "v1", "PodDisruptionBudget"),
];

/// How far a rollout goes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// To its end.
    Whole,
    /// Until so many replicas have the new template.
    Until(i64),
    /// One replica more.
    Step,
}

/// How far the rollout of a workload is.
struct Progress {
    generation: i64,
    wanted: i64,
    /// Replicas that have the new template.
    updated: i64,
    ready: i64,
    crashes: bool,
    /// The name of the ReplicaSet, or of the revision.
    set: String,
}

/// Returns the status that follows, as a merge patch; `None` if it is there already.
pub(super) fn next_status(object: &LiveObject, pace: Pace, crashing: &[String]) -> Option<Value> {
    let next = match object.id.kind.kind.as_str() {
        "Deployment" => Progress::of(object, pace, crashing).deployment(),
        "StatefulSet" => Progress::of(object, pace, crashing).stateful_set(),
        "Namespace" => value!({"phase": "Active"}),
        "PersistentVolumeClaim" => value!({"phase": "Bound"}),
        // An address of the range that is kept for documentation (RFC 5737).
        "Ingress" => value!({"loadBalancer": {"ingress": [{"ip": "192.0.2.10"}]}}),
        "PodDisruptionBudget" => {
            value!({"conditions": [{"type": "DisruptionAllowed", "status": "True", "reason": "SufficientPods"}]})
        }
        _ => return None,
    };
    let known = object.body.get("status");
    let is_there = next
        .as_map()
        .into_iter()
        .flatten()
        .all(|(name, value)| known.and_then(|s| s.get(name)) == Some(value));
    (!is_there).then(|| Value::Map(Map::from_iter([("status".to_owned(), next)])))
}

impl Progress {
    fn of(workload: &LiveObject, pace: Pace, crashing: &[String]) -> Self {
        let body = &workload.body;
        let number = |path: &[&str]| body.at(path).and_then(Value::as_i64);
        let wanted = number(&["spec", "replicas"]).unwrap_or(1);
        let set = set_name(workload);
        let begun =
            if speaks_of(body, &set) { number(&["status", "updatedReplicas"]).unwrap_or(0) } else { 0 };
        let crashes = crashes(body, crashing);
        let updated = match pace {
            _ if crashes => 1,
            Pace::Whole => wanted,
            Pace::Until(updated) => updated,
            Pace::Step => begun + 1,
        }
        .min(wanted);
        let served = number(&["status", "readyReplicas"]);
        let ready = match pace {
            _ if crashes => wanted - 1,
            Pace::Whole => wanted,
            // Replicas of the template before serve until they are replaced.
            Pace::Until(_) => served.unwrap_or(wanted),
            Pace::Step => served.unwrap_or(0).max(updated),
        }
        .clamp(0, wanted.max(0));
        let generation = number(&["metadata", "generation"]).unwrap_or(1);
        Self { generation, wanted, updated, ready, crashes, set }
    }

    fn deployment(&self) -> Value {
        let Self { generation, wanted, updated, ready, set, .. } = self;
        let (progressing, reason, message) = if self.crashes {
            let message = format!(
                "ReplicaSet \"{set}\" has timed out progressing: its container ends as soon as it starts."
            );
            ("False", "ProgressDeadlineExceeded", message)
        } else if updated < wanted {
            ("True", "ReplicaSetUpdated", format!("ReplicaSet \"{set}\" is progressing."))
        } else {
            ("True", "NewReplicaSetAvailable", format!("ReplicaSet \"{set}\" has successfully progressed."))
        };
        let available = "Deployment has minimum availability.";
        value!({
            "observedGeneration": generation, "replicas": wanted, "updatedReplicas": updated,
            "readyReplicas": ready, "availableReplicas": ready,
            "conditions": [
                {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable", "message": available},
                {"type": "Progressing", "status": progressing, "reason": reason, "message": message},
            ],
        })
    }

    fn stateful_set(&self) -> Value {
        let Self { generation, wanted, updated, ready, set, .. } = self;
        value!({
            "observedGeneration": generation, "replicas": wanted, "readyReplicas": ready,
            "availableReplicas": ready, "updatedReplicas": updated, "currentReplicas": updated,
            "currentRevision": set, "updateRevision": set,
        })
    }
}

/// Returns whether the status is that of this template: it names its ReplicaSet, or its revision.
fn speaks_of(body: &Value, set: &str) -> bool {
    let conditions = body.at(&["status", "conditions"]).and_then(Value::as_list);
    let mut messages = conditions.into_iter().flatten().filter_map(|c| c.str_at(&["message"]));
    let quoted = format!("\"{set}\"");
    body.str_at(&["status", "updateRevision"]) == Some(set)
        || messages.any(|message| message.contains(&quoted))
}

pub(super) fn crashes(body: &Value, crashing: &[String]) -> bool {
    let containers = body.at(&["spec", "template", "spec", "containers"]).and_then(Value::as_list);
    let mut images = containers.into_iter().flatten().filter_map(|c| c.str_at(&["image"]));
    images.any(|image| crashing.iter().any(|c| c == image))
}

/// Names the ReplicaSet of the template after a digest of it, as the controller does.
pub(super) fn set_name(workload: &LiveObject) -> String {
    let template = workload.body.at(&["spec", "template"]);
    let digest = blake3::hash(format!("{template:?}").as_bytes()).to_hex();
    let name = workload.id.name.as_deref().unwrap_or_default();
    format!("{name}-{}", digest.get(..10).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ClusterId;

    fn deployment(replicas: i64, image: &str, status: Option<&Value>) -> LiveObject {
        let mut body = value!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop", "generation": replicas},
            "spec": {"replicas": replicas, "template": {"spec": {"containers": [{"name": "app", "image": image}]}}}});
        if let (Some(fields), Some(patch)) = (body.as_map_mut(), status) {
            fields.insert("status".into(), patch.get("status").unwrap().clone());
        }
        LiveObject::read(&ClusterId("c".into()), body).unwrap()
    }

    fn replicas(patch: &Value) -> [i64; 3] {
        ["replicas", "updatedReplicas", "readyReplicas"]
            .map(|f| patch.at(&["status", f]).unwrap().as_i64().unwrap())
    }

    #[test]
    fn a_rollout_moves_one_replica_at_a_time_and_then_rests() {
        let mut status = next_status(&deployment(3, "a:1", None), Pace::Whole, &[]).unwrap();
        assert_eq!(replicas(&status), [3, 3, 3]);
        let mut seen = Vec::new();
        while let Some(next) = next_status(&deployment(3, "a:2", Some(&status)), Pace::Step, &[]) {
            seen.push(replicas(&next));
            status = next;
        }
        assert_eq!(seen, [[3, 1, 3], [3, 2, 3], [3, 3, 3]]);
    }

    #[test]
    fn what_is_created_or_scaled_up_is_ready_little_by_little() {
        let first = next_status(&deployment(3, "a:1", None), Pace::Step, &[]).unwrap();
        assert_eq!(replicas(&first), [3, 1, 1]);
        let whole = next_status(&deployment(2, "a:1", None), Pace::Whole, &[]).unwrap();
        let scaled = next_status(&deployment(4, "a:1", Some(&whole)), Pace::Step, &[]).unwrap();
        assert_eq!(replicas(&scaled), [4, 3, 3]);
    }

    #[test]
    fn an_image_that_crashes_ends_its_rollout_at_the_first_replica() {
        let crashing = ["a:2".to_owned()];
        let whole = next_status(&deployment(3, "a:1", None), Pace::Whole, &crashing).unwrap();
        let stuck = next_status(&deployment(3, "a:2", Some(&whole)), Pace::Step, &crashing).unwrap();
        assert_eq!(replicas(&stuck), [3, 1, 2]);
        let object = deployment(3, "a:2", Some(&stuck));
        assert_eq!(next_status(&object, Pace::Step, &crashing), None);
        let conditions = object.body.at(&["status", "conditions"]).unwrap().as_list().unwrap();
        assert_eq!(conditions[1].str_at(&["reason"]), Some("ProgressDeadlineExceeded"));
    }
}
