//! Defines a real Kubernetes API, reached through a kubeconfig context. All of kube is here.
//!
//! Nothing is sent before something is asked for. Everything that is sent passes [`gate`]; nothing else is ever sent.

mod credentials;
mod facts;
mod gate;
mod kubeconfig;
mod listing;
mod quoted;
mod refusal;
mod schemas;
mod session;
mod watching;

pub use kubeconfig::{ContextInfo, IN_CLUSTER, Place, Sources};
pub use session::PLUGIN_RESTS;

use super::access::{Cluster, ClusterError, LogOf, Login, Part, WatchEvent, Write, Writer};
use crate::model::{
    ClusterFacts, ClusterId, GroupVersionKind, LiveObject, Packed, Schema, Scope, Selector, ServedKind,
    Timestamp,
};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use gate::{Ask, WriteRight};
use schemas::Schemas;
use session::Session;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Keeps the schemas of clusters between runs; what is written once is never changed.
pub trait SchemaCache: Send + Sync {
    /// Returns what was written under a key of letters and digits.
    fn read(&self, key: &str) -> Option<Vec<u8>>;
    /// Keeps bytes under a key. A failure only costs time later.
    fn write(&self, key: &str, bytes: &[u8]);
}

/// How a cluster is reached.
#[derive(Clone)]
pub struct Options {
    /// `--as`.
    pub impersonate: Option<String>,
    /// `--as-group`.
    pub impersonate_groups: Vec<String>,
    /// For one request; of a watch, for its beginning.
    pub request_timeout: Duration,
    /// No writer is made.
    pub read_only: bool,
    pub cache: Option<Arc<dyn SchemaCache>>,
    /// Tells when a credential is over.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Options {
    /// Returns the usual way: thirty seconds for a request, as oneself, with a writer, without a cache.
    pub fn new(clock: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Self {
        Self {
            impersonate: None,
            impersonate_groups: Vec::new(),
            request_timeout: Duration::from_secs(30),
            read_only: false,
            cache: None,
            clock,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("impersonate", &self.impersonate)
            .field("impersonate_groups", &self.impersonate_groups)
            .field("request_timeout", &self.request_timeout)
            .field("read_only", &self.read_only)
            .finish_non_exhaustive()
    }
}

/// A Kubernetes API behind a context.
#[derive(Clone)]
pub struct Remote {
    inner: Arc<Inner>,
}

struct Inner {
    context: String,
    session: Session,
    options: Options,
    schemas: Schemas,
    /// As last asked.
    id: Mutex<Option<ClusterId>>,
}

/// The way to write to a [`Remote`]; not made in read-only.
struct RemoteWriter {
    inner: Arc<Inner>,
    right: WriteRight,
}

impl Remote {
    /// Makes a cluster of a context. It connects when it is first asked something.
    pub fn new(context: &str, sources: Sources, options: Options) -> Self {
        let session = Session::new(context, sources, options.clone());
        let inner = Inner {
            context: context.to_owned(),
            session,
            options,
            schemas: Schemas::default(),
            id: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }
}

impl Inner {
    /// Returns the cluster's identity as objects carry it, asked for once if nobody has asked for facts yet.
    async fn id(&self) -> Result<ClusterId, ClusterError> {
        let known = self.id.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(id) = known {
            return Ok(id);
        }
        let id = facts::identity(&self.session).await?;
        self.set_id(&id);
        Ok(id)
    }

    fn set_id(&self, id: &ClusterId) {
        *self.id.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.clone());
    }

    /// Reads an answer that is an object; a deletion's answer is none.
    async fn object(&self, body: &[u8]) -> Result<LiveObject, ClusterError> {
        let lost = || ClusterError::Lost { reason: "the answer breaks off".to_owned() };
        LiveObject::from_json(&self.id().await?, body).map_err(|_| lost())
    }

    async fn changed(&self, ask: &Ask, write: &Write) -> Result<Option<LiveObject>, ClusterError> {
        let answer = self.session.ask(ask).await?;
        if matches!(write, Write::Delete { .. }) {
            return Ok(None);
        }
        self.object(&answer.body).await.map(Some)
    }
}

impl Cluster for Remote {
    fn name(&self) -> &str {
        &self.inner.context
    }

    fn facts(&self) -> BoxFuture<'_, Result<Arc<ClusterFacts>, ClusterError>> {
        async {
            let facts = facts::ask(&self.inner.session).await?;
            self.inner.set_id(&facts.id);
            Ok(Arc::new(facts))
        }
        .boxed()
    }

    fn schema(&self, kinds: Vec<GroupVersionKind>) -> BoxFuture<'_, Result<Arc<Schema>, ClusterError>> {
        async move {
            let cache = self.inner.options.cache.as_deref();
            self.inner.schemas.of(&self.inner.session, cache, &kinds).await
        }
        .boxed()
    }

    fn list(&self, kind: ServedKind, scope: Scope) -> BoxFuture<'_, Result<Vec<Packed>, ClusterError>> {
        async move {
            let id = self.inner.id().await?;
            Ok(listing::packed(&self.inner.session, &id, &kind, &scope).await?.objects)
        }
        .boxed()
    }

    fn list_part(
        &self,
        kind: ServedKind,
        scope: Scope,
        labels: Option<Selector>,
        most: u32,
    ) -> BoxFuture<'_, Result<Part, ClusterError>> {
        async move {
            let id = self.inner.id().await?;
            let ask = Ask::list_part(&kind, &scope, labels.as_ref(), most);
            listing::part(&self.inner.session, &id, &kind, &ask).await
        }
        .boxed()
    }

    fn list_metadata(
        &self,
        kind: ServedKind,
        scope: Scope,
    ) -> BoxFuture<'_, Result<Vec<LiveObject>, ClusterError>> {
        async move {
            let id = self.inner.id().await?;
            Ok(listing::metadata(&self.inner.session, &id, &kind, &scope).await?.objects)
        }
        .boxed()
    }

    fn watch(&self, kind: ServedKind, scope: Scope) -> BoxStream<'static, WatchEvent> {
        watching::watch(Arc::clone(&self.inner), kind, scope)
    }

    fn get(
        &self,
        kind: ServedKind,
        namespace: Option<String>,
        name: String,
    ) -> BoxFuture<'_, Result<Option<LiveObject>, ClusterError>> {
        async move {
            match self.inner.session.ask(&Ask::get(&kind, namespace.as_deref(), &name)).await {
                Ok(answer) => self.inner.object(&answer.body).await.map(Some),
                Err(ClusterError::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        }
        .boxed()
    }

    fn log(&self, of: LogOf) -> BoxFuture<'_, Result<String, ClusterError>> {
        async move {
            let answer = self.inner.session.ask(&Ask::log(&of)).await?;
            Ok(String::from_utf8_lossy(&answer.body).into_owned())
        }
        .boxed()
    }

    /// Asks for `/version`: small, answered without looking at storage, and open to every user who is known
    /// (`system:public-info-viewer`). An answer that forbids even that is an answer too.
    fn confirm(&self) -> BoxFuture<'_, Result<(), ClusterError>> {
        async {
            match self.inner.session.ask(&Ask::read("/version", "application/json")).await {
                Ok(_) | Err(ClusterError::Denied { .. } | ClusterError::NotServed { .. }) => Ok(()),
                Err(error) => Err(error),
            }
        }
        .boxed()
    }

    fn may(
        &self,
        verb: &'static str,
        kind: ServedKind,
        scope: Scope,
    ) -> BoxFuture<'_, Result<bool, ClusterError>> {
        async move {
            let answer = self.inner.session.ask(&Ask::access_review(verb, &kind, &scope)).await?;
            let json: serde_json::Value = serde_json::from_slice(&answer.body)
                .map_err(|_| ClusterError::Lost { reason: "the answer breaks off".to_owned() })?;
            Ok(json.pointer("/status/allowed").and_then(serde_json::Value::as_bool).unwrap_or(false))
        }
        .boxed()
    }

    fn dry_run(&self, write: Write) -> BoxFuture<'_, Result<Option<LiveObject>, ClusterError>> {
        async move { self.inner.changed(&Ask::dry_run(&write)?, &write).await }.boxed()
    }

    fn dry_run_strictly(&self, write: Write) -> BoxFuture<'_, Result<Option<LiveObject>, ClusterError>> {
        async move { self.inner.changed(&Ask::dry_run_strictly(&write)?, &write).await }.boxed()
    }

    fn login(&self) -> Option<Login> {
        let plugin = self.inner.session.plugin()?;
        let inner = Arc::clone(&self.inner);
        Some(Box::new(move || inner.session.log_in(&plugin)))
    }

    fn writer(&self) -> Option<Arc<dyn Writer>> {
        let right = WriteRight::unless(self.inner.options.read_only)?;
        Some(Arc::new(RemoteWriter { inner: Arc::clone(&self.inner), right }))
    }
}

impl Writer for RemoteWriter {
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Option<LiveObject>, ClusterError>> {
        async move { self.inner.changed(&Ask::write(&write, &self.right)?, &write).await }.boxed()
    }
}
