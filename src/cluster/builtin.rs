//! Defines the built-in schema: the kinds of Kubernetes itself, for `compare`, `render` and the offline cluster.
//!
//! It is generated from the API server of the tests by `tests/control-plane/schema` (all APIs switched on, betas and
//! alphas too) and kept as LZ4 of JSON. A kind that no current server serves is not in it; the comparison then treats
//! its objects as plain data, or by another version of the same kind.

use super::openapi;
use crate::model::{GroupVersionKind, Schema, ServedKind};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, LazyLock};

/// The file in the source tree, for the tool that writes it.
pub const ASSET: &str = "assets/schema-1.36.json.lz4";

static BYTES: &[u8] = include_bytes!("../../assets/schema-1.36.json.lz4");

static DECODED: LazyLock<(Arc<Schema>, Arc<[ServedKind]>)> = LazyLock::new(|| {
    // The tests decode the asset, so that a damaged one never ships.
    let published = Published::decode(BYTES).unwrap_or_default();
    (Arc::new(published.schema), published.kinds.into_iter().map(ServedKind::from).collect())
});

/// Returns the structure of the built-in kinds. The first call decodes it.
pub fn schema() -> Arc<Schema> {
    Arc::clone(&DECODED.0)
}

/// Returns the built-in kinds as Kubernetes 1.36 serves them with every API switched on.
pub fn kinds() -> Arc<[ServedKind]> {
    Arc::clone(&DECODED.1)
}

/// What a server publishes of its kinds, in the form of the asset.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Published {
    schema: Schema,
    kinds: Vec<Kind>,
}

/// A served kind in the form of the asset.
#[allow(clippy::struct_field_names)] // named as in the model
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Kind {
    kind: GroupVersionKind,
    plural: String,
    namespaced: bool,
    preferred: bool,
    status: bool,
    verbs: Vec<String>,
}

/// Why bytes are no published schema.
#[derive(Debug, thiserror::Error)]
pub enum AssetError {
    #[error("it is not LZ4: {0}")]
    NotCompressed(#[from] lz4_flex::block::DecompressError),
    #[error("it is not a schema: {0}")]
    NotASchema(#[from] serde_json::Error),
}

impl Published {
    /// Puts together what a server's OpenAPI documents and discovery say, in an order that does not change.
    pub fn new(schemas: Vec<Schema>, kinds: Vec<ServedKind>) -> Self {
        let mut schema = Schema::default();
        for other in schemas {
            schema.merge(other);
        }
        schema.kinds.sort_by(|a, b| a.kind.cmp(&b.kind));
        openapi::compact(&mut schema);
        let mut kinds: Vec<Kind> = kinds
            .into_iter()
            .map(|k| Kind {
                kind: k.kind,
                plural: k.plural,
                namespaced: k.namespaced,
                preferred: k.preferred,
                status: k.status_subresource,
                verbs: k.verbs,
            })
            .collect();
        kinds.sort();
        Self { schema, kinds }
    }

    /// Returns the asset's bytes.
    pub fn encode(&self) -> Result<Vec<u8>, AssetError> {
        Ok(lz4_flex::compress_prepend_size(&serde_json::to_vec(self)?))
    }

    /// Reads the asset's bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, AssetError> {
        let json = lz4_flex::decompress_size_prepended(bytes)?;
        let mut read: Self = serde_json::from_slice(&json)?;
        read.schema.reindex();
        Ok(read)
    }
}

impl From<Kind> for ServedKind {
    fn from(kind: Kind) -> Self {
        Self {
            kind: kind.kind,
            plural: kind.plural,
            namespaced: kind.namespaced,
            verbs: kind.verbs,
            preferred: kind.preferred,
            status_subresource: kind.status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schema::{ListKind, Shape};

    #[test]
    fn the_asset_decodes_and_knows_scope_and_structure() {
        let published = Published::decode(BYTES).unwrap();
        assert!(published.kinds.len() > 80, "{}", published.kinds.len());
        let kinds = kinds();
        let deployment =
            kinds.iter().find(|k| k.kind == GroupVersionKind::new("apps", "v1", "Deployment")).unwrap();
        assert!(deployment.namespaced && deployment.preferred && deployment.status_subresource);
        assert_eq!(deployment.plural, "deployments");
        assert!(deployment.can("patch"));

        let schema = schema();
        let mut at = schema.kind(&deployment.kind).unwrap().root;
        for name in ["spec", "template", "spec", "containers"] {
            let Shape::Struct { fields, .. } = &schema.node(at).unwrap().shape else { panic!("{name}") };
            at = fields[name];
        }
        let Shape::List { kind, .. } = &schema.node(at).unwrap().shape else { panic!("containers") };
        assert_eq!(kind, &ListKind::Keyed(vec!["name".into()]));
    }
}
