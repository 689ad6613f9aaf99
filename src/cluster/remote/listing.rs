//! Lists in pages and returns every object or an error, never a part.

use super::gate::Ask;
use super::session::Session;
use crate::cluster::{ClusterError, Part};
use crate::model::{ClusterId, LiveObject, Packed, Scope, ServedKind, Value, limits};
use serde::Deserialize;
use serde_json::value::RawValue;

/// How often a list is begun anew when its pages expire under it.
const BEGINNINGS: usize = 3;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(default, borrow)]
    items: Option<Vec<&'a RawValue>>,
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    resource_version: String,
    #[serde(rename = "continue", default)]
    token: String,
}

/// A whole list, and the version to watch from.
pub(super) struct Listed<T> {
    pub objects: Vec<T>,
    pub version: String,
}

/// Lists the objects as they are kept.
pub(super) async fn packed(
    session: &Session,
    cluster: &ClusterId,
    kind: &ServedKind,
    scope: &Scope,
) -> Result<Listed<Packed>, ClusterError> {
    pages(session, kind, scope, false, &|item| {
        Packed::read(cluster, kind, item.get()).map_err(|error| unreadable(kind, &error.to_string()))
    })
    .await
}

/// Lists the metadata alone, without managed fields.
pub(super) async fn metadata(
    session: &Session,
    cluster: &ClusterId,
    kind: &ServedKind,
    scope: &Scope,
) -> Result<Listed<LiveObject>, ClusterError> {
    pages(session, kind, scope, true, &|item| {
        let mut body =
            Value::from_json_slice(item.get().as_bytes()).map_err(|_| unreadable(kind, "it is no JSON"))?;
        if let Value::Map(fields) = &mut body {
            // A server that cannot cut objects down sends them whole.
            fields.retain(|name, _| name == "metadata");
            // The largest part of it, which nobody who lists metadata looks at.
            if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_map_mut) {
                metadata.remove("managedFields");
            }
            fields.insert("apiVersion".to_owned(), Value::string(kind.kind.api_version()));
            fields.insert("kind".to_owned(), Value::string(&kind.kind.kind));
        }
        LiveObject::read(cluster, body).map_err(|error| unreadable(kind, &error.to_string()))
    })
    .await
}

/// Lists what one request gives.
pub(super) async fn part(
    session: &Session,
    cluster: &ClusterId,
    kind: &ServedKind,
    ask: &Ask,
) -> Result<Part, ClusterError> {
    let answer = session.ask(ask).await?;
    let page = read_page(&answer.body)?;
    let read = page.items.iter().flatten().map(|item| {
        Packed::read(cluster, kind, item.get()).map_err(|error| unreadable(kind, &error.to_string()))
    });
    Ok(Part { objects: read.collect::<Result<_, _>>()?, more: !page.metadata.token.is_empty() })
}

fn read_page(body: &[u8]) -> Result<Page<'_>, ClusterError> {
    serde_json::from_slice(body).map_err(|_| ClusterError::Lost { reason: "the list breaks off".to_owned() })
}

async fn pages<T>(
    session: &Session,
    kind: &ServedKind,
    scope: &Scope,
    metadata: bool,
    read: &(dyn Fn(&RawValue) -> Result<T, ClusterError> + Sync),
) -> Result<Listed<T>, ClusterError> {
    let mut beginnings = 0;
    'anew: loop {
        beginnings += 1;
        let mut objects = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let ask = Ask::list(kind, scope, limits::LIST_PAGE, token.as_deref(), metadata);
            let answer = match session.ask(&ask).await {
                // The pages' snapshot has expired: objects of two times must not be mixed.
                Err(ClusterError::Server { status: 410, .. }) if beginnings < BEGINNINGS => continue 'anew,
                other => other?,
            };
            let page = read_page(&answer.body)?;
            for item in page.items.iter().flatten() {
                objects.push(read(item)?);
            }
            if objects.len() > limits::OBJECTS_PER_KIND {
                return Err(ClusterError::TooMany {
                    resource: kind.resource(),
                    limit: limits::OBJECTS_PER_KIND,
                });
            }
            if page.metadata.token.is_empty() {
                return Ok(Listed { objects, version: page.metadata.resource_version });
            }
            token = Some(page.metadata.token);
        }
    }
}

fn unreadable(kind: &ServedKind, reason: &str) -> ClusterError {
    ClusterError::Server {
        status: 200,
        reason: format!("an object of {} cannot be read: {reason}", kind.resource()),
    }
}
