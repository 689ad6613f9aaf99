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
/// Fields of one write that are kept.
const KEPT: usize = 64;

/// A manager's last write of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    pub at: Timestamp,
    pub who: Who,
    /// The fields that the manager owns since, in few words; `created` where the write made the object.
    pub what: String,
    /// The field, where it is one; of several the path that they share, if they share more than the object.
    pub path: Option<FieldPath>,
    /// The fields, as many as are kept.
    pub fields: Vec<FieldPath>,
    /// A deployer brought the object to what it is declared as.
    pub applied: bool,
    /// The write made the object.
    pub created: bool,
}

/// Returns the writes of an object that managed fields tell of, from a time on. Writes of the status, and of what servers
/// and deployers keep for themselves, are none that anybody asks for.
///
/// An object that was made since counts as made by its earliest writer, where the one who made it has written again.
pub fn writes(live: &LiveObject, managers: &Managers, since: Timestamp) -> Vec<Written> {
    let entries = live.managed.as_deref().unwrap_or_default();
    let made = made(live);
    let creator = made.and_then(|made| creator(made, entries));
    let mut written: Vec<Written> = entries
        .iter()
        .enumerate()
        .filter_map(|(at, entry)| {
            let created = creator == Some(at);
            let time = if created { made } else { entry.time };
            write(entry, time.filter(|time| *time >= since)?, created, managers)
        })
        .collect();
    if let Some(made) = made.filter(|made| creator.is_none() && *made >= since) {
        let earliest = entries.iter().filter(|entry| is_of_object(entry)).min_by_key(|entry| entry.time);
        let who = earliest.map_or_else(Who::unknown, |entry| who(entry, managers));
        written.push(Written {
            at: made,
            applied: who.by == By::Deployer,
            who,
            what: "created".to_owned(),
            path: None,
            fields: Vec::new(),
            created: true,
        });
    }
    written
}

/// Returns who wrote what of an object at a time that nobody recorded: the API server keeps none of what is written
/// through `scale`.
///
/// Source: kubernetes, `managedfields.ScaleHandler.ToParent` (seen with 1.36).
pub fn undated(live: &LiveObject, managers: &Managers) -> Vec<(Who, String)> {
    let entries = live.managed.as_deref().unwrap_or_default().iter().filter(|entry| entry.time.is_none());
    entries
        .filter_map(|entry| write(entry, Timestamp::UNIX_EPOCH, false, managers))
        .map(|written| (written.who, written.what))
        .collect()
}

/// Returns when an object was made.
pub(super) fn made(live: &LiveObject) -> Option<Timestamp> {
    live.body.str_at(&["metadata", "creationTimestamp"])?.parse().ok()
}

/// Returns whether an entry is of a dated write of the object itself.
fn is_of_object(entry: &ManagedEntry) -> bool {
    entry.time.is_some() && entry.subresource.is_none()
}

/// Returns which entry made the object: of those that are no younger than it the one that owns most. Times are whole
/// seconds, and somebody may have been quick.
fn creator(made: Timestamp, entries: &[ManagedEntry]) -> Option<usize> {
    let then = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| is_of_object(entry) && entry.time.is_some_and(|time| time <= made));
    let owned = |entry: &ManagedEntry| {
        let mut owned = 0_usize;
        entry.fields.each(&mut |_| owned += 1);
        owned
    };
    then.max_by_key(|(_, entry)| owned(entry)).map(|(at, _)| at)
}

/// Returns whether nobody asks what an entry wrote.
pub(super) fn is_of_status(entry: &ManagedEntry) -> bool {
    entry.subresource.as_deref() == Some("status")
}

/// Returns who stands behind an entry.
pub(super) fn who(entry: &ManagedEntry, managers: &Managers) -> Who {
    let kind = managers.kind(&entry.manager);
    let applies = entry.operation == Operation::Apply || entry.manager == "kubectl-client-side-apply";
    let by = match kind {
        _ if applies && kind != ManagerKind::Controller => By::Deployer,
        ManagerKind::Person => By::Hand,
        ManagerKind::Deployer => By::Deployer,
        ManagerKind::Controller => By::Controller,
        ManagerKind::Unknown => By::Unknown,
    };
    Who {
        name: Some(entry.manager.clone()).filter(|name| !name.is_empty()),
        called: managers.called(&entry.manager).map(str::to_owned),
        by,
    }
}

fn write(entry: &ManagedEntry, at: Timestamp, created: bool, managers: &Managers) -> Option<Written> {
    if is_of_status(entry) {
        return None;
    }
    let mut fields = Fields::default();
    fields.collect(&entry.fields, &mut FieldPath::root());
    // A set that cannot be read is a write all the same.
    if fields.all == 0 && !entry.fields.children.is_empty() {
        return None;
    }
    let mut written = fields.written(at, who(entry, managers));
    if created {
        written = Written { what: "created".to_owned(), path: None, created, ..written };
    }
    Some(written)
}

/// The fields of one write, and what is said of them.
#[derive(Default)]
pub(super) struct Fields {
    named: Vec<String>,
    all: usize,
    shared: Option<FieldPath>,
    kept: Vec<FieldPath>,
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

    pub(super) fn add(&mut self, path: &FieldPath) {
        self.add_as(path, name(&path.0));
    }

    pub(super) fn add_removed(&mut self, path: &FieldPath) {
        self.add_as(path, format!("removed {}", name(&path.0)));
    }

    fn add_as(&mut self, path: &FieldPath, name: String) {
        self.all += 1;
        if self.kept.len() < KEPT {
            self.kept.push(path.clone());
        }
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

    /// Returns the write of these fields.
    pub(super) fn written(self, at: Timestamp, who: Who) -> Written {
        let (what, applied) = (self.words(), who.by == By::Deployer);
        let path = self.shared.filter(|path| !path.is_root());
        Written { at, who, what, path, fields: self.kept, applied, created: false }
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
pub(super) fn is_kept_by_itself(path: &[Segment]) -> bool {
    let names: Vec<&str> = path
        .iter()
        .map(|segment| if let Segment::Field(name) = segment { name.as_str() } else { "" })
        .collect();
    match names.as_slice() {
        ["metadata", "annotations" | "labels", key] => is_server_owned(key) || is_tracking(key, None),
        ["status", ..] => true,
        ["metadata", field, ..] => matches!(
            *field,
            "managedFields"
                | "resourceVersion"
                | "generation"
                | "uid"
                | "selfLink"
                | "creationTimestamp"
                | "deletionTimestamp"
                | "deletionGracePeriodSeconds"
        ),
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
        writes(&object(entries), &Managers::built_in(), at("2026-11-20T00:00:00Z"))
    }

    fn object(entries: Vec<Value>) -> LiveObject {
        let mut object = value!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {
            "name": "web", "namespace": "shop", "creationTimestamp": "2026-11-20T00:00:00Z"}});
        let metadata = object.as_map_mut().unwrap().get_mut("metadata").unwrap().as_map_mut().unwrap();
        metadata.insert("managedFields".to_owned(), Value::List(entries));
        LiveObject::read(&ClusterId("c".into()), object).unwrap()
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
            let mut told = read(vec![entry("kubectl-edit", "Update", "2026-11-21T02:41:00Z", fields)]);
            told.retain(|written| !written.created);
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
    #[test]
    fn an_object_is_made_by_who_wrote_first_even_where_that_writer_has_written_again() {
        let replicas = || value!({"f:spec": {"f:replicas": {}}});
        let told = |entries| {
            let line = |w: &Written| format!("{} {} by {}", w.at, w.what, w.who.words());
            read(entries).iter().map(line).collect::<Vec<_>>()
        };
        assert_eq!(
            told(vec![entry("kubectl-create", "Update", "2026-11-19T23:59:59Z", replicas())]),
            ["2026-11-20T00:00:00Z created by by hand, kubectl create"],
            "its entry is written before the object has its time"
        );
        assert_eq!(
            told(vec![
                entry("k9s", "Update", "2026-11-20T00:00:09Z", replicas()),
                entry("kubectl-create", "Update", "2026-11-20T00:00:05Z", replicas()),
            ]),
            [
                "2026-11-20T00:00:09Z replicas by by hand, K9s",
                "2026-11-20T00:00:05Z replicas by by hand, kubectl create",
                "2026-11-20T00:00:00Z created by by hand, kubectl create",
            ]
        );
    }

    #[test]
    fn a_write_through_scale_has_no_time() {
        let mut scaled = entry("kubectl", "Update", "", value!({"f:spec": {"f:replicas": {}}}));
        let map = scaled.as_map_mut().unwrap();
        map.remove("time");
        map.insert("subresource".to_owned(), Value::string("scale"));
        let told = undated(&object(vec![scaled]), &Managers::built_in());
        assert_eq!(told, [(Who::new("kubectl", By::Hand), "replicas".to_owned())]);
    }
}
