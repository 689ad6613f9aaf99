//! Defines how the demo's world is written down: the repository's history, what happened to each cluster, and what
//! happens by itself while one looks. `assets/demo` holds the texts, with what each key means.

use crate::model::{GroupKind, GroupVersionKind, Timestamp, Value};
use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use std::collections::BTreeMap;
use std::time::Duration;

/// How the repository came to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Names with addresses, by the short names that commits use.
    pub authors: BTreeMap<String, Person>,
    /// The oldest first.
    pub commits: Vec<PastCommit>,
}

/// A person as Git writes them: `Name <address>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub email: String,
}

/// A commit of the history.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastCommit {
    /// The name that clusters use for it.
    pub id: String,
    pub ago: Span,
    pub by: String,
    pub message: String,
    /// Files and folders that it brought.
    #[serde(default)]
    pub adds: Vec<String>,
    #[serde(default)]
    pub changes: Vec<Change>,
    #[serde(default)]
    pub removes: Vec<Removal>,
}

/// Text that stood once in a file, before and after a commit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub file: String,
    pub was: String,
    pub is: String,
}

/// A file that a commit removed, with what it held.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    pub file: String,
    pub held: String,
}

/// A cluster and what happened to it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterScript {
    pub name: String,
    pub version: String,
    pub user: String,
    #[serde(default)]
    pub protected: bool,
    /// Kinds that the user may not read.
    #[serde(default)]
    pub denied: Vec<Denied>,
    /// What was there before anybody applied anything.
    #[serde(default)]
    pub present: Vec<Present>,
    pub applied: Vec<Applied>,
    #[serde(default)]
    pub edits: Vec<Edit>,
    #[serde(default)]
    pub rollouts: Vec<Unfinished>,
}

/// An object from a file beside the clusters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Present {
    pub ago: Span,
    pub object: String,
}

/// A path of the repository at a commit, brought to the cluster.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applied {
    pub path: String,
    pub commit: String,
    pub ago: Span,
    /// The field manager.
    pub by: String,
    pub how: How,
    /// The Flux Kustomization, Argo CD Application or Helm release whose marks the objects carry.
    pub flux: Option<String>,
    pub argocd: Option<String>,
    pub release: Option<String>,
    /// Objects that never arrived.
    #[serde(default)]
    pub except: Vec<On>,
}

/// In which of the ways that Kubernetes knows something is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    ServerSide,
    /// As kubectl: created with last-applied.
    ClientSide,
    /// Created as Helm does, without a record in the object.
    Helm,
}

/// Something that somebody did to an object, some time ago.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    pub ago: Span,
    #[serde(flatten)]
    pub deed: Deed,
}

/// Something that is done to an object.
#[derive(Debug, Clone, Deserialize)]
pub struct Deed {
    /// The field manager; a deletion has none.
    #[serde(default)]
    pub by: String,
    /// The object; what `apply` writes names its own.
    pub on: Option<On>,
    /// The subresource through which it is written.
    pub through: Option<String>,
    pub merge: Option<Plain>,
    pub strategic: Option<Plain>,
    pub json: Option<Vec<Plain>>,
    pub apply: Option<Plain>,
    #[serde(default)]
    pub delete: bool,
}

/// A workload whose rollout is not finished.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unfinished {
    pub on: On,
    /// How many replicas have the new template.
    pub updated: i64,
}

/// What happens by itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// Images whose containers end as soon as they start.
    pub crashing: Vec<String>,
    pub once: Vec<Step>,
    pub again: Vec<Step>,
}

/// One step of the incident.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// How long after the step before.
    pub after: Span,
    /// The cluster in which `deed` is done.
    pub cluster: Option<String>,
    /// A commit that arrives on the remote.
    pub commit: Option<NextCommit>,
    #[serde(flatten)]
    pub deed: Deed,
}

/// A commit on top of the newest one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextCommit {
    pub by: String,
    pub message: String,
    pub changes: Vec<Change>,
}

/// A span of time as written: a number with `s`, `m`, `h` or `d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl Span {
    /// Returns the time that lies this span before another.
    pub fn before(self, now: Timestamp) -> Timestamp {
        SignedDuration::try_from(self.0).ok().and_then(|span| now.checked_sub(span).ok()).unwrap_or(now)
    }
}

/// An object as written: `apps/v1 Deployment shop/web`, without the namespace for what is in none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct On {
    pub kind: GroupVersionKind,
    pub namespace: Option<String>,
    pub name: String,
}

/// A kind as written: `rbac.authorization.k8s.io Role`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied(pub GroupKind);

/// A value of the script.
#[derive(Debug, Clone, PartialEq)]
pub struct Plain(pub Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Plain)
    }
}

/// Reads a type from a text of one line.
macro_rules! from_text {
    ($type:ty, $read:expr, $form:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                $read(text.as_str()).ok_or_else(|| D::Error::custom(format!("{text:?} is not {}", $form)))
            }
        }
    };
}

from_text!(Span, read_span, "a number with s, m, h or d");
from_text!(On, read_object, "an apiVersion, a kind and a name");
from_text!(Denied, read_denied, "a group and a kind");
from_text!(Person, read_person, "a name and an address");

fn read_span(text: &str) -> Option<Span> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return None,
    };
    Some(Span(Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(seconds)?)))
}

fn read_object(text: &str) -> Option<On> {
    let mut words = text.split(' ');
    let (api_version, kind, place) = (words.next()?, words.next()?, words.next()?);
    let (namespace, name) = match place.split_once('/') {
        Some((namespace, name)) => (Some(namespace.to_owned()), name),
        None => (None, place),
    };
    let kind = GroupVersionKind::from_api_version(api_version, kind);
    words.next().is_none().then(|| On { kind, namespace, name: name.to_owned() })
}

fn read_denied(text: &str) -> Option<Denied> {
    let (group, kind) = text.split_once(' ')?;
    Some(Denied(GroupKind::new(group, kind)))
}

fn read_person(text: &str) -> Option<Person> {
    let (name, address) = text.split_once(" <")?;
    Some(Person { name: name.to_owned(), email: address.strip_suffix('>')?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_objects_and_people_are_read_from_one_line() {
        assert_eq!(read_span("26h"), Some(Span(Duration::from_secs(26 * 3600))));
        assert_eq!(read_span("3d"), Some(Span(Duration::from_secs(3 * 86400))));
        assert_eq!([read_span(""), read_span("h"), read_span("3w"), read_span("3 h")], [None; 4]);
        let web = read_object("apps/v1 Deployment shop/web").unwrap();
        assert_eq!(
            (web.kind.group.as_str(), web.namespace.as_deref(), web.name.as_str()),
            ("apps", Some("shop"), "web")
        );
        assert_eq!(read_object("v1 Namespace shop").unwrap().namespace, None);
        assert_eq!([read_object("v1 Namespace"), read_object("v1 Namespace shop again")], [None, None]);
        assert_eq!(
            read_person("Ana L <a@b.c>").unwrap(),
            Person { name: "Ana L".into(), email: "a@b.c".into() }
        );
    }
}
