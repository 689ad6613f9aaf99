//! Defines a live object as the store keeps it: compressed bytes with a hash, decoded when it is looked at.

use super::cluster::ServedKind;
use super::id::{ClusterId, Identity, ResourceId};
use super::live::{LiveObject, NotAnObject};
use super::value::Value;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// A live object as compressed JSON. Its bytes have no way out but [`Packed::open`], which seals what is secret.
pub struct Packed {
    pub id: ResourceId,
    pub uid: Option<String>,
    pub resource_version: Option<String>,
    /// Of the object without `metadata.resourceVersion` and the times of managed fields, which move although nothing
    /// else does: equal hashes need no new verdict.
    pub hash: u64,
    bytes: Zeroizing<Vec<u8>>,
}

/// Why bytes cannot be packed or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    #[error("the bytes are no JSON object")]
    Damaged,
    #[error(transparent)]
    NotAnObject(#[from] NotAnObject),
}

/// What of an object is read to pack it; the rest stays as it stands.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "apiVersion", default, borrow)]
    api_version: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(default, borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    namespace: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    uid: Option<Cow<'a, str>>,
    #[serde(rename = "resourceVersion", default, borrow)]
    resource_version: Option<Cow<'a, str>>,
}

/// The fields of an object as they stand.
type Fields<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

impl Packed {
    /// Compresses an object that was just read from its JSON bytes.
    pub fn pack(object: &LiveObject, json: &[u8]) -> Self {
        let text = std::str::from_utf8(json).unwrap_or_default();
        Self {
            id: object.id.clone(),
            uid: object.uid.clone(),
            resource_version: object.resource_version.clone(),
            hash: hash(text).unwrap_or_default(),
            bytes: Zeroizing::new(lz4_flex::compress_prepend_size(json)),
        }
    }

    /// Compresses an object from its JSON as a server sends it. Items of typed lists lack apiVersion and kind: there
    /// those of `kind` are put in.
    pub fn read(cluster: &ClusterId, kind: &ServedKind, json: &str) -> Result<Self, UnpackError> {
        let head: Head = serde_json::from_str(json).map_err(|_| UnpackError::Damaged)?;
        let metadata = head.metadata.as_ref().ok_or(NotAnObject::Lacks("metadata"))?;
        let text = |text: &Option<Cow<'_, str>>| text.as_deref().filter(|t| !t.is_empty()).map(str::to_owned);
        let name = text(&metadata.name).ok_or(NotAnObject::Lacks("metadata.name"))?;
        let complete = if head.api_version.is_some() && head.kind.is_some() {
            Cow::Borrowed(json)
        } else {
            Cow::Owned(with_type(kind, json)?)
        };
        Ok(Self {
            id: ResourceId::from(Identity {
                cluster: cluster.clone(),
                kind: kind.kind.group_kind(),
                namespace: text(&metadata.namespace),
                name: Some(name),
            }),
            uid: text(&metadata.uid),
            resource_version: text(&metadata.resource_version),
            hash: hash(json).ok_or(UnpackError::Damaged)?,
            bytes: Zeroizing::new(lz4_flex::compress_prepend_size(complete.as_bytes())),
        })
    }

    /// Decodes the object and seals what is secret.
    pub fn open(&self, cluster: &ClusterId) -> Result<LiveObject, UnpackError> {
        let json = Zeroizing::new(
            lz4_flex::decompress_size_prepended(&self.bytes).map_err(|_| UnpackError::Damaged)?,
        );
        let body = Value::from_json_slice(&json).map_err(|_| UnpackError::Damaged)?;
        Ok(LiveObject::read(cluster, body)?)
    }

    /// Returns how many bytes the object takes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// Puts apiVersion and kind before the other fields of an object that lacks them.
fn with_type(kind: &ServedKind, json: &str) -> Result<String, UnpackError> {
    let mut fields: Fields = serde_json::from_str(json).map_err(|_| UnpackError::Damaged)?;
    let quoted = |text: &str| RawValue::from_string(serde_json::Value::from(text).to_string());
    let api_version = quoted(&kind.kind.api_version()).map_err(|_| UnpackError::Damaged)?;
    let kind = quoted(&kind.kind.kind).map_err(|_| UnpackError::Damaged)?;
    fields.insert("apiVersion".into(), &api_version);
    fields.insert("kind".into(), &kind);
    serde_json::to_string(&fields).map_err(|_| UnpackError::Damaged)
}

/// Hashes what may matter to a verdict, from the text of the fields.
fn hash(json: &str) -> Option<u64> {
    let mut hasher = blake3::Hasher::new();
    let mut feed = |name: &str, value: &str| {
        for part in [name, value] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    };
    let fields: Fields = serde_json::from_str(json).ok()?;
    for (name, value) in &fields {
        match name.as_ref() {
            // Absent in items of lists, present in events of watches.
            "apiVersion" | "kind" => {}
            "metadata" => {
                let metadata: Fields = serde_json::from_str(value.get()).ok()?;
                for (name, value) in &metadata {
                    match name.as_ref() {
                        "resourceVersion" => {}
                        "managedFields" => {
                            let entries: Vec<Fields> = serde_json::from_str(value.get()).ok()?;
                            for (name, value) in entries.iter().flatten().filter(|(name, _)| *name != "time")
                            {
                                feed(name, value.get());
                            }
                        }
                        _ => feed(name, value.get()),
                    }
                }
            }
            _ => feed(name, value.get()),
        }
    }
    let mut first = [0_u8; 8];
    first.copy_from_slice(hasher.finalize().as_bytes().get(..8)?);
    Some(u64::from_le_bytes(first))
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({}, {} bytes)", self.id, self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GroupVersionKind;

    fn config_maps() -> ServedKind {
        ServedKind {
            kind: GroupVersionKind::new("", "v1", "ConfigMap"),
            plural: "configmaps".into(),
            namespaced: true,
            verbs: Vec::new(),
            preferred: true,
            status_subresource: false,
        }
    }

    fn pack(json: &str) -> Packed {
        Packed::read(&ClusterId("c".into()), &config_maps(), json).unwrap()
    }

    #[test]
    fn an_item_of_a_list_gains_its_type_and_loses_nothing() {
        let packed = pack(r#"{"metadata":{"name":"a","namespace":"n","uid":"u"},"data":{"k\"\\":"é\n"}}"#);
        let live = packed.open(&ClusterId("c".into())).unwrap();
        assert_eq!(live.kind, config_maps().kind);
        assert_eq!(live.id.to_string(), "ConfigMap/n/a");
        assert_eq!(live.body.str_at(&["data", "k\"\\"]), Some("é\n"));
        assert_eq!((packed.uid.as_deref(), packed.resource_version.as_deref()), (Some("u"), None));
    }

    #[test]
    fn a_heartbeat_keeps_the_hash_and_any_other_change_moves_it() {
        let object = |version: u8, time: u8, owner: &str, data: &str| {
            pack(&format!(
                r#"{{"metadata":{{"name":"a","resourceVersion":"{version}","managedFields":[
                {{"manager":"{owner}","time":"{time}","fieldsV1":{{}}}}]}},"data":{{"k":"{data}"}}}}"#
            ))
            .hash
        };
        let first = object(1, 1, "m", "x");
        assert_eq!(first, object(2, 2, "m", "x"));
        assert_ne!(first, object(1, 1, "o", "x"));
        assert_ne!(first, object(1, 1, "m", "y"));
        let typed = pack(r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{}}"#).hash;
        assert_eq!(typed, pack(r#"{"metadata":{"name":"a"},"data":{}}"#).hash);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        let cluster = ClusterId("c".into());
        for json in ["", "[]", r#"{"metadata":{"name":"a"#, r#"{"metadata":{}}"#, "{}"] {
            assert!(Packed::read(&cluster, &config_maps(), json).is_err(), "{json}");
        }
    }
}
