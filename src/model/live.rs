//! Defines a live object as the comparison sees it: its body with everything secret sealed, and who wrote what.

use super::change::Operation;
use super::field_set::FieldSet;
use super::id::{ClusterId, GroupVersionKind, Identity, ResourceId};
use super::sealed::{LAST_APPLIED, seal_object};
use super::value::Value;
use jiff::Timestamp;

/// A live object. `body` has no `metadata.managedFields`: those are decoded into `managed`.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveObject {
    pub id: ResourceId,
    /// The kind and the version in which the object was read.
    pub kind: GroupVersionKind,
    pub uid: Option<String>,
    pub resource_version: Option<String>,
    pub body: Value,
    /// `None` where the source hides managed fields (`kubectl get -o yaml`): then nobody can tell who added what.
    pub managed: Option<Vec<ManagedEntry>>,
    /// What kubectl's client-side apply recorded, parsed and sealed like a body of its own.
    pub last_applied: Option<Value>,
}

/// One entry of `metadata.managedFields`.
#[derive(Debug, Clone, PartialEq)]
pub struct ManagedEntry {
    pub manager: String,
    pub operation: Operation,
    pub subresource: Option<String>,
    pub api_version: String,
    pub time: Option<Timestamp>,
    pub fields: FieldSet,
}

/// Why a document is no live object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnObject {
    #[error("it has no `{0}`")]
    Lacks(&'static str),
}

impl LiveObject {
    /// Reads an object; one without a name is none that a cluster holds, but files may. Takes out managed fields and last-applied, then seals what is secret.
    pub fn read(cluster: &ClusterId, mut body: Value) -> Result<Self, NotAnObject> {
        let api_version = body.str_at(&["apiVersion"]).ok_or(NotAnObject::Lacks("apiVersion"))?;
        let kind = body.str_at(&["kind"]).ok_or(NotAnObject::Lacks("kind"))?;
        let kind = GroupVersionKind::from_api_version(api_version, kind);
        let text = |path: &[&str]| body.str_at(path).filter(|s| !s.is_empty()).map(str::to_owned);
        let (name, namespace) = (text(&["metadata", "name"]), text(&["metadata", "namespace"]));
        let (uid, resource_version) = (text(&["metadata", "uid"]), text(&["metadata", "resourceVersion"]));
        let mut last_applied = body
            .str_at(&["metadata", "annotations", LAST_APPLIED])
            .and_then(|text| Value::from_json_slice(text.as_bytes()).ok());
        let managed = body
            .as_map_mut()
            .and_then(|o| o.get_mut("metadata"))
            .and_then(Value::as_map_mut)
            .and_then(|m| m.remove("managedFields"))
            .and_then(|list| {
                list.as_list().map(|entries| entries.iter().filter_map(ManagedEntry::read).collect())
            });
        let group_kind = kind.group_kind();
        seal_object(&group_kind, &mut body);
        if let Some(applied) = &mut last_applied {
            seal_object(&group_kind, applied);
        }
        let id = ResourceId::from(Identity { cluster: cluster.clone(), kind: group_kind, namespace, name });
        Ok(Self { id, kind, uid, resource_version, body, managed, last_applied })
    }

    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.body.str_at(&["metadata", "annotations", key])
    }

    pub fn label(&self, key: &str) -> Option<&str> {
        self.body.str_at(&["metadata", "labels", key])
    }
}

impl ManagedEntry {
    /// Reads one entry as it stands in an object's metadata.
    pub(crate) fn read(entry: &Value) -> Option<Self> {
        Some(Self {
            manager: entry.str_at(&["manager"]).unwrap_or_default().to_owned(),
            operation: match entry.str_at(&["operation"])? {
                "Apply" => Operation::Apply,
                _ => Operation::Update,
            },
            subresource: entry.str_at(&["subresource"]).filter(|s| !s.is_empty()).map(str::to_owned),
            api_version: entry.str_at(&["apiVersion"]).unwrap_or_default().to_owned(),
            time: entry.str_at(&["time"]).and_then(|t| t.parse().ok()),
            fields: FieldSet::from_fields_v1(entry.get("fieldsV1").unwrap_or(&Value::Null)),
        })
    }
}
