//! Defines a live object as the comparison sees it: its body with everything secret sealed, and who wrote what.

use super::change::Operation;
use super::field_set::FieldSet;
use super::id::{ClusterId, GroupVersionKind, Identity, ResourceId};
use super::owned_fields::OwnedFields;
use super::sealed::{LAST_APPLIED, seal_object};
use super::value::{Map, Value, map_of};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

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
    pub fields: OwnedFields,
}

/// Why a document is no live object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAnObject {
    #[error("it has no `{0}`")]
    Lacks(&'static str),
    #[error("it is no JSON object")]
    Damaged,
}

impl LiveObject {
    /// Reads an object from its JSON, as a server sends it. The field sets of managed fields stay text until somebody
    /// looks at them.
    pub fn from_json(cluster: &ClusterId, json: &[u8]) -> Result<Self, NotAnObject> {
        if let Ok(Parts { body, managed }) = serde_json::from_slice(json) {
            return Self::assemble(cluster, Value::Map(body), managed);
        }
        // Its parts are not of the shape that a server gives them: what can be read of it is.
        Self::read(cluster, Value::from_json_slice(json).map_err(|_| NotAnObject::Damaged)?)
    }

    /// Reads an object; one without a name is none that a cluster holds, but files may. Takes out managed fields and
    /// last-applied, then seals what is secret.
    pub fn read(cluster: &ClusterId, mut body: Value) -> Result<Self, NotAnObject> {
        let managed = body
            .as_map_mut()
            .and_then(|o| o.get_mut("metadata"))
            .and_then(Value::as_map_mut)
            .and_then(|m| m.remove("managedFields"))
            .and_then(|list| {
                list.as_list().map(|entries| entries.iter().filter_map(ManagedEntry::read).collect())
            });
        Self::assemble(cluster, body, managed)
    }

    fn assemble(
        cluster: &ClusterId,
        mut body: Value,
        managed: Option<Vec<ManagedEntry>>,
    ) -> Result<Self, NotAnObject> {
        let api_version = body.str_at(&["apiVersion"]).ok_or(NotAnObject::Lacks("apiVersion"))?;
        let kind = body.str_at(&["kind"]).ok_or(NotAnObject::Lacks("kind"))?;
        let kind = GroupVersionKind::from_api_version(api_version, kind);
        let text = |path: &[&str]| body.str_at(path).filter(|s| !s.is_empty()).map(str::to_owned);
        let (name, namespace) = (text(&["metadata", "name"]), text(&["metadata", "namespace"]));
        let (uid, resource_version) = (text(&["metadata", "uid"]), text(&["metadata", "resourceVersion"]));
        let mut last_applied = body
            .str_at(&["metadata", "annotations", LAST_APPLIED])
            .and_then(|text| Value::from_json_slice(text.as_bytes()).ok());
        let group_kind = kind.group_kind();
        seal_object(&group_kind, &mut body);
        if let Some(applied) = &mut last_applied {
            seal_object(&group_kind, applied);
        }
        let id = ResourceId::from(Identity { cluster: cluster.clone(), kind: group_kind, namespace, name });
        Ok(Self { id, kind, uid, resource_version, body, managed, last_applied })
    }

    /// Returns whether another object owns this one, which then comes and goes with it.
    pub fn has_owner(&self) -> bool {
        self.body.at(&["metadata", "ownerReferences"]).is_some_and(|owners| !owners.is_empty())
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
        let text = |name: &str| entry.str_at(&[name]).map(str::to_owned);
        let fields = FieldSet::from_fields_v1(entry.get("fieldsV1").unwrap_or(&Value::Null));
        Self::of(
            EntryText {
                manager: text("manager"),
                operation: text("operation"),
                subresource: text("subresource"),
                api_version: text("apiVersion"),
                time: text("time"),
            },
            fields.into(),
        )
    }

    /// Makes an entry; without an operation it is none.
    fn of(text: EntryText, fields: OwnedFields) -> Option<Self> {
        Some(Self {
            manager: text.manager.unwrap_or_default(),
            operation: match text.operation?.as_str() {
                "Apply" => Operation::Apply,
                _ => Operation::Update,
            },
            subresource: text.subresource.filter(|s| !s.is_empty()),
            api_version: text.api_version.unwrap_or_default(),
            time: text.time.and_then(|t| t.parse().ok()),
            fields,
        })
    }
}

/// What an entry of managed fields says beside its fields.
struct EntryText {
    manager: Option<String>,
    operation: Option<String>,
    subresource: Option<String>,
    api_version: Option<String>,
    time: Option<String>,
}

/// An entry as a server sends it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SentEntry {
    manager: Option<String>,
    operation: Option<String>,
    subresource: Option<String>,
    api_version: Option<String>,
    time: Option<String>,
    #[serde(rename = "fieldsV1")]
    fields: Option<Box<RawValue>>,
}

impl SentEntry {
    fn read(self) -> Option<ManagedEntry> {
        let Self { manager, operation, subresource, api_version, time, fields } = self;
        let fields = fields.map(|json| OwnedFields::from_json(json.into())).unwrap_or_default();
        ManagedEntry::of(EntryText { manager, operation, subresource, api_version, time }, fields)
    }
}

/// An object read from JSON, its managed fields apart.
struct Parts {
    body: Map,
    managed: Option<Vec<ManagedEntry>>,
}

/// An object's metadata, its managed fields apart.
struct MetadataParts {
    fields: Map,
    managed: Option<Vec<ManagedEntry>>,
}

impl<'de> Deserialize<'de> for Parts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;
        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Parts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Parts, A::Error> {
                let (mut body, mut managed) = (Vec::new(), None);
                while let Some(name) = entries.next_key::<String>()? {
                    let value = if name == "metadata" {
                        let metadata: MetadataParts = entries.next_value()?;
                        managed = metadata.managed;
                        Value::Map(metadata.fields)
                    } else {
                        entries.next_value()?
                    };
                    body.push((name, value));
                }
                Ok(Parts { body: map_of(body), managed })
            }
        }
        deserializer.deserialize_map(ObjectVisitor)
    }
}

impl<'de> Deserialize<'de> for MetadataParts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MetadataVisitor;
        impl<'de> Visitor<'de> for MetadataVisitor {
            type Value = MetadataParts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object's metadata")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<MetadataParts, A::Error> {
                let (mut fields, mut managed) = (Vec::new(), None);
                while let Some(name) = entries.next_key::<String>()? {
                    if name == "managedFields" {
                        let sent: Option<Vec<SentEntry>> = entries.next_value()?;
                        managed = sent.map(|sent| sent.into_iter().filter_map(SentEntry::read).collect());
                    } else {
                        fields.push((name, entries.next_value()?));
                    }
                }
                Ok(MetadataParts { fields: map_of(fields), managed })
            }
        }
        deserializer.deserialize_map(MetadataVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_the_same_whether_it_is_read_from_json_or_from_a_value() {
        let managed = r#"[{"manager":"kubectl","operation":"Apply","apiVersion":"v1","time":"2026-01-02T03:04:05Z",
            "fieldsType":"FieldsV1","fieldsV1":{"f:data":{"f:a":{}}}},{"manager":"nobody"},
            {"manager":"m","operation":"Update","subresource":"status","fieldsV1":{"f:status":{}}}]"#;
        let object = |metadata: &str| {
            format!(
                r#"{{"kind":"ConfigMap","apiVersion":"v1","metadata":{metadata},"data":{{"b":"2","a":"1"}}}}"#
            )
        };
        for json in [
            object(&format!(r#"{{"name":"a","managedFields":{managed},"namespace":"n"}}"#)),
            object(r#"{"name":"a","managedFields":null}"#),
            object(r#"{"name":"a","managedFields":"nonsense"}"#),
            object(r#"{"name":"a","managedFields":[{"manager":1,"operation":"Apply","time":7}]}"#),
            object(r#"{"name":"a"}"#),
            object("null"),
            object("7"),
        ] {
            let cluster = ClusterId("c".into());
            let read = LiveObject::read(&cluster, Value::from_json_slice(json.as_bytes()).unwrap());
            assert_eq!(LiveObject::from_json(&cluster, json.as_bytes()), read, "{json}");
        }
        assert_eq!(LiveObject::from_json(&ClusterId("c".into()), b"[1"), Err(NotAnObject::Damaged));
    }
}
