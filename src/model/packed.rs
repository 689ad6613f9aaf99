//! Defines a live object as the store keeps it: compressed bytes with a hash, decoded when it is looked at.

use super::cluster::ServedKind;
use super::id::{ClusterId, Identity, ResourceId};
use super::live::{LiveObject, NotAnObject};
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

/// The fields of an object as they stand.
type Fields<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

impl Packed {
    /// Compresses an object that was just read from its JSON bytes.
    pub fn pack(object: &LiveObject, json: &[u8]) -> Self {
        let fields: Fields = serde_json::from_slice(json).unwrap_or_default();
        let metadata: Option<Fields> =
            fields.get("metadata").and_then(|metadata| serde_json::from_str(metadata.get()).ok());
        Self {
            id: object.id.clone(),
            uid: object.uid.clone(),
            resource_version: object.resource_version.clone(),
            hash: hash(&fields, metadata.as_ref()).unwrap_or_default(),
            bytes: Zeroizing::new(lz4_flex::compress_prepend_size(json)),
        }
    }

    /// Compresses an object from its JSON as a server sends it. Items of typed lists lack apiVersion and kind: there
    /// those of `kind` are put in.
    pub fn read(cluster: &ClusterId, kind: &ServedKind, json: &str) -> Result<Self, UnpackError> {
        let fields: Fields = serde_json::from_str(json).map_err(|_| UnpackError::Damaged)?;
        let metadata = fields.get("metadata").ok_or(NotAnObject::Lacks("metadata"))?;
        let metadata: Fields = serde_json::from_str(metadata.get()).map_err(|_| UnpackError::Damaged)?;
        let text = |name: &str| {
            let text: Option<String> = serde_json::from_str(metadata.get(name)?.get()).ok()?;
            text.filter(|text| !text.is_empty())
        };
        let name = text("name").ok_or(NotAnObject::Lacks("metadata.name"))?;
        Ok(Self {
            id: ResourceId::from(Identity {
                cluster: cluster.clone(),
                kind: kind.kind.group_kind(),
                namespace: text("namespace"),
                name: Some(name),
            }),
            uid: text("uid"),
            resource_version: text("resourceVersion"),
            hash: hash(&fields, Some(&metadata)).ok_or(UnpackError::Damaged)?,
            bytes: Zeroizing::new(lz4_flex::compress_prepend_size(
                with_type(kind, json, &fields)?.as_bytes(),
            )),
        })
    }

    /// Decodes the object and seals what is secret.
    pub fn open(&self, cluster: &ClusterId) -> Result<LiveObject, UnpackError> {
        let json = Zeroizing::new(
            lz4_flex::decompress_size_prepended(&self.bytes).map_err(|_| UnpackError::Damaged)?,
        );
        Ok(LiveObject::from_json(cluster, &json)?)
    }

    /// Returns how many bytes the object takes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// Puts apiVersion and kind before the other fields of an object that lacks them.
fn with_type<'a>(kind: &ServedKind, json: &'a str, fields: &Fields) -> Result<Cow<'a, str>, UnpackError> {
    if fields.contains_key("apiVersion") && fields.contains_key("kind") {
        return Ok(Cow::Borrowed(json));
    }
    let (open, rest) = json.split_once('{').ok_or(UnpackError::Damaged)?;
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let (api_version, kind) = (quoted(&kind.kind.api_version()), quoted(&kind.kind.kind));
    // Of a field that stands twice the last one is read, so one that is there already wins.
    Ok(Cow::Owned(format!(r#"{open}{{"apiVersion":{api_version},"kind":{kind},{rest}"#)))
}

/// Hashes what may matter to a verdict, from the text of the fields; `None` where managed fields are no list of maps.
fn hash(fields: &Fields, metadata: Option<&Fields>) -> Option<u64> {
    let mut hasher = blake3::Hasher::new();
    let mut feed = |name: &str, value: &str| {
        for part in [name, value] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    };
    for (name, value) in fields {
        match name.as_ref() {
            // Absent in items of lists, present in events of watches.
            "apiVersion" | "kind" => {}
            "metadata" => {
                for (name, value) in metadata.into_iter().flatten() {
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
