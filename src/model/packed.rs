//! Defines a live object as the store keeps it: compressed bytes with a hash, decoded when it is looked at.

use super::id::{ClusterId, ResourceId};
use super::live::{LiveObject, NotAnObject};
use super::value::Value;
use std::fmt;
use zeroize::Zeroizing;

/// A live object as compressed JSON. Its bytes have no way out but [`Packed::open`], which seals what is secret.
pub struct Packed {
    pub id: ResourceId,
    pub uid: Option<String>,
    pub resource_version: Option<String>,
    /// Of the object without what every status heartbeat moves (`resourceVersion`): equal hashes need no new verdict.
    pub hash: u64,
    bytes: Zeroizing<Vec<u8>>,
}

/// Why bytes cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    #[error("the stored bytes are damaged")]
    Damaged,
    #[error(transparent)]
    NotAnObject(#[from] NotAnObject),
}

impl Packed {
    /// Compresses an object that was just read from its JSON bytes.
    pub fn pack(object: &LiveObject, json: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(json);
        let mut first = [0_u8; 8];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        Self {
            id: object.id.clone(),
            uid: object.uid.clone(),
            resource_version: object.resource_version.clone(),
            hash: u64::from_le_bytes(first),
            bytes: Zeroizing::new(lz4_flex::compress_prepend_size(json)),
        }
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

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({}, {} bytes)", self.id, self.bytes.len())
    }
}
