//! Reads what was written to an object, by whom and when, from its managed fields: one write for each manager, the last
//! that it made.
//!
//! Managed fields keep the last time of each manager, not each of its writes: what it wrote before is not told.

use super::bookkeeping::{is_server_owned, is_tracking};
use super::managers::Managers;
use crate::model::field_path::{FieldPath, Segment};
use crate::model::manager::ManagerKind;
use crate::model::{By, FieldSet, LiveObject, ManagedEntry, Operation, Timestamp, Who};

/// Fields that are named before the rest is counted.
const NAMED: usize = 4;

/// A manager's last write of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    pub at: Timestamp,
    pub who: Who,
    /// The fields that the manager owns since, in few words; `created` where the write made the object.
    pub what: String,
    /// The field, where it is one; of several the path that they share, if they share more than the object.
    pub path: Option<FieldPath>,
    /// A deployer brought the object to what it is declared as.
    pub applied: bool,
    /// The write made the object.
    pub created: bool,
}

/// Returns the writes of an object that managed fields tell of, from a time on. Writes of the status, and of what servers
/// and deployers keep for themselves, are none that anybody asks for.
pub fn writes(live: &LiveObject, managers: &Managers, since: Timestamp) -> Vec<Written> {
    let entries = live.managed.as_deref().unwrap_or_default();
    let creator = creator(live, entries);
    let written = entries.iter().enumerate().filter_map(|(at, entry)| {
        let time = entry.time.filter(|time| *time >= since)?;
        write(entry, time, creator == Some(at), managers)
    });
    written.collect()
}

/// Returns which entry made the object: of those of its second the one that owns most. Times are whole seconds, and
/// somebody may have been quick.
fn creator(live: &LiveObject, entries: &[ManagedEntry]) -> Option<usize> {
    let created: Timestamp = live.body.str_at(&["metadata", "creationTimestamp"])?.parse().ok()?;
    let then = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.time == Some(created) && entry.subresource.is_none());
    let owned = |entry: &ManagedEntry| {
        let mut owned = 0_usize;
        entry.fields.each(&mut |_| owned += 1);
        owned
    };
    then.max_by_key(|(_, entry)| owned(entry)).map(|(at, _)| at)
}

fn write(entry: &ManagedEntry, at: Timestamp, created: bool, managers: &Managers) -> Option<Written> {
    if entry.subresource.as_deref() == Some("status") {
        return None;
    }
    let kind = managers.kind(&entry.manager);
    let applies = entry.operation == Operation::Apply || entry.manager == "kubectl-client-side-apply";
    let by = match kind {
        _ if applies && kind != ManagerKind::Controller => By::Deployer,
        ManagerKind::Person => By::Hand,
        ManagerKind::Deployer => By::Deployer,
        ManagerKind::Controller => By::Controller,
        ManagerKind::Unknown => By::Unknown,
    };
    let who = Who {
        name: Some(entry.manager.clone()).filter(|name| !name.is_empty()),
        called: managers.called(&entry.manager).map(str::to_owned),
        by,
    };
    let mut fields = Fields::default();
    fields.collect(&entry.fields, &mut FieldPath::root());
    // A set that cannot be read is a write all the same.
    if fields.all == 0 && !entry.fields.children.is_empty() {
        return None;
    }
    let what = if created { "created".to_owned() } else { fields.words() };
    let path = fields.shared.filter(|path| !path.is_root() && !created);
    Some(Written { at, who, what, path, applied: by == By::Deployer, created })
}

/// The fields of one write, and what is said of them.
#[derive(Default)]
struct Fields {
    named: Vec<String>,
    all: usize,
    shared: Option<FieldPath>,
}

impl Fields {
    fn collect(&mut self, set: &FieldSet, at: &mut FieldPath) {
        for (segment, child) in &set.children {
            at.0.push(segment.clone());
            if !is_kept_by_itself(&at.0) {
                // An item that was put in as a whole is one thing, whatever it consists of.
                let whole = child.owned && matches!(segment, Segment::Keys(_));
                if whole || child.children.is_empty() {
                    self.add(at);
                } else {
                    self.collect(child, at);
                }
            }
            at.0.pop();
        }
    }

    fn add(&mut self, path: &FieldPath) {
        self.all += 1;
        let name = name(&path.0);
        if !self.named.contains(&name) {
            self.named.push(name);
        }
        match &mut self.shared {
            None => self.shared = Some(path.clone()),
            Some(shared) => {
                let same = shared.0.iter().zip(&path.0).take_while(|(a, b)| a == b).count();
                shared.0.truncate(same);
            }
        }
    }

    fn words(&self) -> String {
        let more = self.named.len().saturating_sub(NAMED);
        let mut words = self.named.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        if more > 0 {
            words.push_str(&format!(" and {more} more"));
        }
        if words.is_empty() { "written".to_owned() } else { words }
    }
}

/// Returns whether nobody asks who wrote this: the status, and marks of servers and deployers.
fn is_kept_by_itself(path: &[Segment]) -> bool {
    let names: Vec<&str> = path
        .iter()
        .map(|segment| if let Segment::Field(name) = segment { name.as_str() } else { "" })
        .collect();
    match names.as_slice() {
        ["metadata", "annotations" | "labels", key] => is_server_owned(key) || is_tracking(key, None),
        ["status", ..] | ["metadata", "managedFields" | "resourceVersion" | "generation", ..] => true,
        _ => false,
    }
}

/// Returns what people call a field: `image`, `env DEBUG`, `label team`.
fn name(path: &[Segment]) -> String {
    let field = |segment: Option<&Segment>| match segment {
        Some(Segment::Field(name)) => Some(name.clone()),
        _ => None,
    };
    let item = |segment: &Segment| match segment {
        Segment::Keys(keys) => {
            let named = keys.iter().find(|(key, _)| key == "name").or_else(|| keys.first());
            named.map(|(_, value)| plain(&value.0)).unwrap_or_default()
        }
        Segment::Item(value) => plain(&value.0),
        Segment::Index(at) => at.to_string(),
        Segment::Field(name) => name.clone(),
    };
    let Some((last, before)) = path.split_last() else { return ".".to_owned() };
    let above = before.last();
    match last {
        Segment::Field(name) => match above {
            Some(Segment::Keys(_)) => {
                let list = field(before.iter().nth_back(1)).unwrap_or_default();
                let of = above.map(item).unwrap_or_default();
                match name.as_str() {
                    "value" | "valueFrom" => format!("{list} {of}"),
                    _ if list == "containers" => name.clone(),
                    _ => format!("{name} of {of}"),
                }
            }
            Some(Segment::Field(map)) => match map.as_str() {
                "labels" => format!("label {name}"),
                "annotations" => format!("annotation {name}"),
                "data" | "stringData" | "binaryData" | "matchLabels" | "nodeSelector" | "limits"
                | "requests" => {
                    format!("{map} {name}")
                }
                _ => name.clone(),
            },
            _ => name.clone(),
        },
        item_at => match field(above) {
            Some(list) => format!("{list} {}", item(item_at)),
            None => item(item_at),
        },
    }
}

fn plain(value: &crate::model::Value) -> String {
    value.as_str().map_or_else(|| format!("{value:?}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClusterId, Value};
    use crate::value;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn entry(manager: &str, operation: &str, time: &str, fields: Value) -> Value {
        let mut entry = value!({"apiVersion": "apps/v1", "fieldsType": "FieldsV1"});
        let map = entry.as_map_mut().unwrap();
        for (name, text) in [("manager", manager), ("operation", operation), ("time", time)] {
            map.insert(name.to_owned(), Value::string(text));
        }
        map.insert("fieldsV1".to_owned(), fields);
        entry
    }

    fn read(entries: Vec<Value>) -> Vec<Written> {
        let mut object = value!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {
            "name": "web", "namespace": "shop", "creationTimestamp": "2026-11-20T00:00:00Z"}});
        let metadata = object.as_map_mut().unwrap().get_mut("metadata").unwrap().as_map_mut().unwrap();
        metadata.insert("managedFields".to_owned(), Value::List(entries));
        let live = LiveObject::read(&ClusterId("c".into()), object).unwrap();
        writes(&live, &Managers::built_in(), at("2026-11-20T00:00:00Z"))
    }

    #[test]
    fn fields_are_told_in_the_words_that_people_use() {
        let app = |below: Value| {
            let mut template = value!({"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}});
            let containers = ["f:spec", "f:template", "f:spec", "f:containers"]
                .iter()
                .try_fold(&mut template, |v, name| v.as_map_mut()?.get_mut(*name))
                .unwrap();
            containers.as_map_mut().unwrap().insert("k:{\"name\":\"app\"}".to_owned(), below);
            template
        };
        for (fields, what, path) in [
            (value!({"f:spec": {"f:replicas": {}}}), "replicas", Some(".spec.replicas")),
            (
                app(value!({"f:image": {}})),
                "image",
                Some(r#".spec.template.spec.containers[name="app"].image"#),
            ),
            (
                app(
                    value!({"f:image": {}, "f:env": {"k:{\"name\":\"DEBUG\"}": {".": {}, "f:name": {}, "f:value": {}}}}),
                ),
                "env DEBUG, image",
                Some(r#".spec.template.spec.containers[name="app"]"#),
            ),
            (
                app(value!({"f:env": {"k:{\"name\":\"DEBUG\"}": {"f:value": {}}}})),
                "env DEBUG",
                Some(r#".spec.template.spec.containers[name="app"].env[name="DEBUG"].value"#),
            ),
            (
                value!({"f:metadata": {"f:labels": {"f:team": {}}}}),
                "label team",
                Some(".metadata.labels.team"),
            ),
            (
                value!({"f:metadata": {"f:annotations": {"f:deployment.kubernetes.io/revision": {}}}, "f:spec": {"f:paused": {}}}),
                "paused",
                Some(".spec.paused"),
            ),
            (
                value!({"f:data": {"f:a": {}, "f:b": {}, "f:c": {}, "f:d": {}, "f:e": {}, "f:f": {}}}),
                "data a, data b, data c, data d and 2 more",
                Some(".data"),
            ),
        ] {
            let told = read(vec![entry("kubectl-edit", "Update", "2026-11-21T02:41:00Z", fields)]);
            assert_eq!(told.len(), 1, "{what}");
            let printed = told[0].path.as_ref().map(ToString::to_string);
            assert_eq!((told[0].what.as_str(), printed.as_deref()), (what, path));
            assert_eq!(told[0].who.words(), "by hand, kubectl edit");
        }
    }

    #[test]
    fn status_writes_and_old_ones_are_left_out_and_deployers_apply() {
        let replicas = || value!({"f:spec": {"f:replicas": {}}});
        let mut status = entry("kube-controller-manager", "Update", "2026-11-21T02:41:00Z", replicas());
        status.as_map_mut().unwrap().insert("subresource".to_owned(), Value::string("status"));
        let told = read(vec![
            status,
            entry("k9s", "Update", "2026-11-19T02:41:00Z", replicas()),
            entry(
                "kube-controller-manager",
                "Update",
                "2026-11-21T02:42:00Z",
                value!({"f:status": {"f:replicas": {}}}),
            ),
            entry("argocd-controller", "Apply", "2026-11-21T02:43:00Z", replicas()),
            entry("kubectl-client-side-apply", "Update", "2026-11-21T02:44:00Z", replicas()),
            entry("kubectl", "Apply", "2026-11-21T02:45:00Z", replicas()),
            entry("k9s", "Update", "2026-11-20T00:00:00Z", replicas()),
            entry(
                "kubectl-create",
                "Update",
                "2026-11-20T00:00:00Z",
                value!({"f:spec": {"f:replicas": {}, "f:paused": {}}}),
            ),
            entry("mystery", "Update", "2026-11-21T02:46:00Z", replicas()),
        ]);
        let told: Vec<_> =
            told.iter().map(|w| (w.who.name.as_deref().unwrap(), w.applied, w.what.as_str())).collect();
        assert_eq!(
            told,
            [
                ("argocd-controller", true, "replicas"),
                ("kubectl-client-side-apply", true, "replicas"),
                ("kubectl", true, "replicas"),
                ("k9s", false, "replicas"),
                ("kubectl-create", false, "created"),
                ("mystery", false, "replicas"),
            ]
        );
    }
}
