//! Fetches the OpenAPI v3 documents of the group versions that are needed, and keeps what they say by the server's hash.

use super::SchemaCache;
use super::gate::Ask;
use super::session::Session;
use crate::cluster::{ClusterError, builtin, openapi};
use crate::model::{GroupVersionKind, Schema};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Changes when the form of what is kept changes.
const FORM: &str = "schema-1";
const JSON: &str = "application/json";

#[derive(Deserialize)]
struct Index {
    paths: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    /// With the document's hash: another hash is another document.
    #[serde(rename = "serverRelativeURL")]
    server_relative_url: String,
}

/// Schemas that were read in this run, by the documents' URLs with their hashes.
#[derive(Default)]
pub(super) struct Schemas {
    read: Mutex<Read>,
}

#[derive(Default)]
struct Read {
    documents: HashMap<String, Arc<Schema>>,
    /// The last merge, and what it was made of.
    merged: Option<(BTreeSet<String>, Arc<Schema>)>,
}

impl Schemas {
    /// Returns the schema of the kinds' group versions. A group that publishes none is left out: its kinds are plain data.
    /// For a document that cannot be had now the built-in schema stands in, as far as it knows its kinds.
    pub async fn of(
        &self,
        session: &Session,
        cache: Option<&dyn SchemaCache>,
        kinds: &[GroupVersionKind],
    ) -> Result<Arc<Schema>, ClusterError> {
        let wanted: BTreeSet<String> = kinds
            .iter()
            .map(|kind| {
                let root = if kind.group.is_empty() { "api" } else { "apis" };
                format!("{root}/{}", kind.api_version())
            })
            .collect();
        let answer = match session.ask(&Ask::read("/openapi/v3", JSON)).await {
            Ok(answer) => answer,
            Err(error) if error.is_passing() => return Err(error),
            Err(_) => return Ok(Arc::new(Schema::default())),
        };
        let index: Index = serde_json::from_slice(&answer.body).map_err(|_| ClusterError::Lost {
            reason: "the index of OpenAPI documents breaks off".to_owned(),
        })?;
        let urls: BTreeSet<String> = wanted
            .iter()
            .filter_map(|path| Some(index.paths.get(path)?.server_relative_url.clone()))
            .filter(|url| url.starts_with("/openapi/v3/"))
            .collect();

        let mut read = self.read.lock().await;
        if let Some((made_of, merged)) = &read.merged
            && made_of == &urls
        {
            return Ok(Arc::clone(merged));
        }
        let mut failed = None;
        let mut schema = Schema::default();
        for url in &urls {
            let document = match read.documents.get(url) {
                Some(known) => Arc::clone(known),
                None => match fetch(session, cache, url).await {
                    Ok(fetched) => {
                        let fetched = Arc::new(fetched);
                        read.documents.insert(url.clone(), Arc::clone(&fetched));
                        fetched
                    }
                    // The connection has gone: asking for the others would only wait as long for each.
                    Err(
                        error @ (ClusterError::Unreachable { .. }
                        | ClusterError::TimedOut { .. }
                        | ClusterError::Lost { .. }),
                    ) => return Err(error),
                    Err(error) => {
                        tracing::warn!(%error, url, "a document of the schema could not be had");
                        failed.get_or_insert(error);
                        continue;
                    }
                },
            };
            schema.merge((*document).clone());
        }
        if let Some(error) = failed {
            // One document that fails takes no other along; where none came, there is no schema.
            if schema.kinds.is_empty() {
                return Err(error);
            }
            let mut stand_in = (*builtin::schema()).clone();
            stand_in.merge(schema);
            return Ok(Arc::new(stand_in));
        }
        let schema = Arc::new(schema);
        read.merged = Some((urls, Arc::clone(&schema)));
        Ok(schema)
    }
}

async fn fetch(
    session: &Session,
    cache: Option<&dyn SchemaCache>,
    url: &str,
) -> Result<Schema, ClusterError> {
    let (server, certificate) = session.server().await?;
    // Of this server alone: another one may claim the same hash for another document.
    let key = blake3::hash(format!("{FORM}\n{server}\n{certificate}\n{url}").as_bytes()).to_hex().to_string();
    let cacheable = url.contains("hash=");
    if let Some(kept) =
        cache.filter(|_| cacheable).and_then(|cache| cache.read(&key)).and_then(|b| decoded(&b))
    {
        return Ok(kept);
    }
    let answer = session.ask(&Ask::read(url, JSON)).await?;
    let parsed = tokio::task::spawn_blocking(move || openapi::read(&answer.body)).await;
    let schema = match parsed {
        Ok(Ok(schema)) => schema,
        Ok(Err(error)) => {
            let reason = format!("its OpenAPI document cannot be read: {error}");
            return Err(ClusterError::Server { status: 500, reason });
        }
        Err(_) => {
            let reason = "its OpenAPI document cannot be read".to_owned();
            return Err(ClusterError::Server { status: 500, reason });
        }
    };
    if let (Some(cache), true, Ok(json)) = (cache, cacheable, serde_json::to_vec(&schema)) {
        cache.write(&key, &lz4_flex::compress_prepend_size(&json));
    }
    Ok(schema)
}

fn decoded(bytes: &[u8]) -> Option<Schema> {
    let json = lz4_flex::decompress_size_prepended(bytes).ok()?;
    let mut schema: Schema = serde_json::from_slice(&json).ok()?;
    schema.reindex();
    Some(schema)
}
