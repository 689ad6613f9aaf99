//! Defines what a plan is bound to: digests of what it was computed from.
//!
//! A live object's digest leaves out its status, resource version, generation and the times of its managed fields, and
//! whatever was written through the status subresource (the Deployment controller keeps its revision annotation that
//! way), so that a status update never spoils a plan, and a changed field always does.

use crate::model::field;
use crate::model::{
    Bound, FieldPath, FieldSet, LiveObject, ManagedEntry, Manifest, Revision, Segment, Value,
};
use crate::text::redact;

/// Returns what a step on this object is bound to; an object that does not exist is bound to its absence.
pub fn bound(live: Option<&LiveObject>) -> Bound {
    live.map_or_else(Bound::default, |live| Bound {
        uid: live.uid.clone(),
        digest: Some(digest(live)),
        resource_version: live.resource_version.clone(),
        lasting: None,
    })
}

/// Returns the digest of a live object, for this run only where it holds sealed values.
pub fn digest(live: &LiveObject) -> String {
    hash_live(live, Sealing::OfThisRun)
}

/// Returns the digest of a live object that another run can compare too. It tells nothing of sealed values.
pub fn lasting_digest(live: &LiveObject) -> String {
    hash_live(live, Sealing::Blank)
}

/// Returns what a plan in a file is bound to, which another run compares: the lasting digest of a live object, but its
/// resource version where it holds values that are secret or look like it. A digest of such values could be searched
/// for them, and without them it would not notice their change; so there anything that is written to the object, its
/// status too, makes the plan another one.
pub fn lasting(live: &LiveObject) -> String {
    if !redact::hides(&without_status(live), &FieldPath::root()) {
        return lasting_digest(live);
    }
    let mut digest = Digest::new(Sealing::Blank, String::new());
    digest.word("version");
    digest.word(live.resource_version.as_deref().unwrap_or_default());
    digest.finish()
}

/// Digests a rendering: every desired object, in the order of their identities.
pub fn rendered(manifests: impl IntoIterator<Item = impl AsRef<Manifest>>) -> String {
    let mut each: Vec<String> = manifests
        .into_iter()
        .map(|manifest| {
            let manifest = manifest.as_ref();
            let mut hasher = Digest::new(Sealing::Blank, String::new());
            hasher.word(&manifest.id.to_string());
            hasher.value(&manifest.body, &mut FieldPath::root());
            hasher.finish()
        })
        .collect();
    each.sort();
    let mut whole = Digest::new(Sealing::Blank, String::new());
    for digest in &each {
        whole.word(digest);
    }
    whole.finish()
}

/// Returns the digest of everything that a plan depends on, the same in every run. Objects take part by what is
/// [`lasting`] of them, so that the digest tells nothing of what is secret.
pub fn plan<'a>(
    rendered: &str,
    revision: &Revision,
    cluster: &str,
    objects: impl IntoIterator<Item = (String, &'a Bound)>,
) -> String {
    let mut whole = Digest::new(Sealing::Blank, String::new());
    whole.word(rendered);
    whole.word(revision.commit.as_ref().filter(|_| !revision.dirty).map_or("", |c| c.0.as_str()));
    whole.word(cluster);
    for (id, bound) in objects {
        whole.word(&id);
        whole.word(bound.uid.as_deref().unwrap_or_default());
        whole.word(bound.lasting.as_deref().unwrap_or("absent"));
    }
    whole.finish()
}

#[derive(Clone, Copy, PartialEq)]
enum Sealing {
    /// A fingerprint keyed by this run, the object and the path.
    OfThisRun,
    /// That there is something sealed, and nothing else of it.
    Blank,
}

struct Digest {
    hasher: blake3::Hasher,
    sealing: Sealing,
    object: String,
}

impl Digest {
    fn new(sealing: Sealing, object: String) -> Self {
        Self { hasher: blake3::Hasher::new(), sealing, object }
    }

    /// Adds a word with its length, so that no two sequences of words are one.
    fn word(&mut self, word: &str) {
        self.hasher.update(&(word.len() as u64).to_le_bytes());
        self.hasher.update(word.as_bytes());
    }

    fn value(&mut self, value: &Value, at: &mut FieldPath) {
        match value {
            Value::Null => self.word("n"),
            Value::Bool(b) => self.word(if *b { "t" } else { "f" }),
            Value::Number(n) => {
                self.word("i");
                self.word(&n.to_string());
            }
            Value::String(s) => {
                self.word("s");
                self.word(s);
            }
            Value::Sealed(sealed) => {
                self.word("x");
                if self.sealing == Sealing::OfThisRun {
                    let print = sealed.fingerprint(&self.object, at);
                    self.word(&print);
                }
            }
            Value::List(items) => {
                self.word("[");
                for (index, item) in items.iter().enumerate() {
                    at.0.push(Segment::Index(index));
                    self.value(item, at);
                    at.0.pop();
                }
                self.word("]");
            }
            Value::Map(fields) => {
                self.word("{");
                for (name, field) in fields {
                    self.word(name);
                    at.0.push(Segment::Field(name.clone()));
                    self.value(field, at);
                    at.0.pop();
                }
                self.word("}");
            }
        }
    }

    fn finish(self) -> String {
        self.hasher.finalize().to_hex()[..32].to_owned()
    }
}

/// Returns the body without its status, and without what else was written through the status subresource alone.
pub fn without_status(live: &LiveObject) -> Value {
    let mut body = live.body.clone();
    if let Some(object) = body.as_map_mut() {
        object.remove("status");
    }
    let entries = live.managed.as_deref().unwrap_or_default();
    for entry in entries.iter().filter(|e| is_status(e)) {
        entry.fields.each(&mut |path| {
            let is_leaf = entry.fields.at(path).is_some_and(|set| set.children.is_empty());
            let also_written = entries.iter().any(|e| !is_status(e) && e.fields.owns(path));
            if is_leaf && !also_written && only_fields(path) {
                take_out(&mut body, path);
            }
        });
    }
    body
}

/// Takes a plain field out of a body, and the maps around it that are empty without it.
fn take_out(body: &mut Value, path: &FieldPath) {
    if field::at(body, path).is_none() {
        return;
    }
    let mut path = path.clone();
    loop {
        field::take_out(body, &path);
        path.0.pop();
        if path.0.is_empty() || !field::at(body, &path).is_some_and(Value::is_empty) {
            return;
        }
    }
}

fn hash_live(live: &LiveObject, sealing: Sealing) -> String {
    let mut body = without_status(live);
    if let Some(metadata) =
        body.as_map_mut().and_then(|object| object.get_mut("metadata")).and_then(Value::as_map_mut)
    {
        metadata.remove("resourceVersion");
        metadata.remove("generation");
    }
    let entries = live.managed.as_deref().unwrap_or_default();
    let mut digest = Digest::new(sealing, live.id.to_string());
    digest.value(&body, &mut FieldPath::root());
    let mut owners: Vec<String> = entries.iter().filter(|e| !is_status(e)).filter_map(owner).collect();
    owners.sort();
    for owner in &owners {
        digest.word(owner);
    }
    digest.finish()
}

/// Returns whether an entry tells of the status subresource. A subresource such as `scale` writes the spec.
fn is_status(entry: &ManagedEntry) -> bool {
    entry.subresource.as_deref() == Some("status")
}

/// Paths below lists are left alone: what a status update writes outside of the status are plain fields.
fn only_fields(path: &FieldPath) -> bool {
    path.0.iter().all(|segment| matches!(segment, Segment::Field(_)))
}

/// Returns who owns what in words, without the time and without the status; `None` where nothing is left.
fn owner(entry: &ManagedEntry) -> Option<String> {
    let mut fields = FieldSet::clone(&entry.fields);
    fields.children.remove(&Segment::Field("status".to_owned()));
    if fields.children.is_empty() {
        return None;
    }
    let mut words = format!(
        "{}\n{}\n{}",
        entry.manager,
        entry.operation.word(),
        entry.subresource.as_deref().unwrap_or_default()
    );
    fields.each(&mut |path| {
        words.push('\n');
        words.push_str(&path.to_string());
    });
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ClusterId;
    use crate::value;

    fn object(replicas: i64, status: i64, version: &str, time: &str, revision: &str) -> LiveObject {
        let body = value!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": version, "generation": status,
                "annotations": {"deployment.kubernetes.io/revision": revision, "own": "1"},
                "managedFields": [
                    {"manager": "kubectl", "operation": "Update", "apiVersion": "apps/v1", "time": time,
                        "fieldsV1": {"f:metadata": {"f:annotations": {".": {}, "f:own": {}}}, "f:spec": {"f:replicas": {}}}},
                    {"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "apps/v1", "subresource": "status",
                        "time": time, "fieldsV1": {"f:metadata": {"f:annotations": {".": {}, "f:deployment.kubernetes.io/revision": {}}},
                            "f:status": {"f:replicas": {}}}}]},
            "spec": {"replicas": replicas}, "status": {"replicas": status}});
        LiveObject::read(&ClusterId("c".into()), body).unwrap()
    }

    #[test]
    fn a_status_update_never_spoils_and_a_changed_field_does() {
        let planned = digest(&object(1, 1, "1", "2026-01-01T00:00:00Z", "1"));
        assert_eq!(planned, digest(&object(1, 7, "9", "2026-01-02T00:00:00Z", "2")));
        assert_ne!(planned, digest(&object(2, 1, "1", "2026-01-01T00:00:00Z", "1")));
    }

    #[test]
    fn an_annotation_of_the_status_leaves_no_trace_where_it_is_the_only_one() {
        let of = |body: Value| LiveObject::read(&ClusterId("c".into()), body).unwrap();
        let managed = value!([{"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "apps/v1",
            "subresource": "status", "fieldsV1": {"f:metadata": {"f:annotations": {".": {}, "f:revision": {}}}}}]);
        let mut told = value!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "annotations": {"revision": "1"}}});
        let metadata = told.as_map_mut().unwrap().get_mut("metadata").unwrap();
        metadata.as_map_mut().unwrap().insert("managedFields".into(), managed);
        let untold = value!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}});
        assert_eq!(digest(&of(told)), digest(&of(untold)));
    }

    #[test]
    fn an_empty_value_that_comes_goes_or_becomes_another_is_a_change() {
        let policy = |spec: Value| {
            let mut body = value!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "x"}});
            body.as_map_mut().unwrap().insert("spec".into(), spec);
            LiveObject::read(&ClusterId("c".into()), body).unwrap()
        };
        let all = [
            policy(value!({"ingress": [{"from": [{"podSelector": {}}]}]})),
            policy(value!({"ingress": [{"from": [{"podSelector": {}, "namespaceSelector": {}}]}]})),
            policy(value!({"ingress": [{"from": [{}]}]})),
            policy(value!({"ingress": [{}]})),
            policy(value!({"ingress": []})),
            policy(value!({"ingress": {}})),
            policy(value!({"ingress": null})),
            policy(value!({})),
        ];
        let digests: std::collections::BTreeSet<String> = all.iter().map(digest).collect();
        assert_eq!(digests.len(), all.len());
    }

    #[test]
    fn a_secrets_value_changes_this_runs_digest_and_not_the_lasting_one() {
        let secret = |text: &str| {
            let body = value!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"p": text}});
            LiveObject::read(&ClusterId("c".into()), body).unwrap()
        };
        assert_ne!(digest(&secret("YQ==")), digest(&secret("Yg==")));
        assert_eq!(lasting_digest(&secret("YQ==")), lasting_digest(&secret("Yg==")));
    }

    #[test]
    fn what_looks_like_a_secret_binds_a_plan_in_a_file_by_its_version_alone() {
        let workload = |variable: &str, value: &str, version: &str, ready: i64| {
            let body = value!({"apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "web", "resourceVersion": version},
                "spec": {"template": {"spec": {"containers": [
                    {"name": "app", "env": [{"name": variable, "value": value}]}]}}},
                "status": {"readyReplicas": ready}});
            lasting(&LiveObject::read(&ClusterId("c".into()), body).unwrap())
        };
        let hidden = workload("PASSWORD", "a", "1", 1);
        assert_eq!(hidden, workload("PASSWORD", "b", "1", 1), "it tells nothing of the value");
        assert_ne!(hidden, workload("PASSWORD", "a", "2", 2));
        let shown = workload("COLOUR", "a", "1", 1);
        assert_ne!(shown, workload("COLOUR", "b", "1", 1));
        assert_eq!(shown, workload("COLOUR", "a", "2", 2), "a status update does not spoil it");
    }
}
