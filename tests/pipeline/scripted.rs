//! A cluster in memory that answers some questions with errors first.

use driftdeck::cluster::offline::Offline;
use driftdeck::cluster::{Cluster, ClusterError, LogOf, Part, WatchEvent, Write, Writer};
use driftdeck::model::{
    ClusterFacts, GroupVersionKind, LiveObject, Packed, Schema, Scope, Selector, ServedKind,
};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

/// What a [`Scripted`] cluster is told to say.
#[derive(Default)]
pub struct Script {
    /// The next answers to questions for facts; none left: the facts.
    pub facts: VecDeque<ClusterError>,
    /// The next answers to questions for a schema; none left: the schema.
    pub schemas: VecDeque<Arc<Schema>>,
    /// Kinds that may not be listed everywhere.
    pub narrow: Vec<String>,
    /// Kinds of which no question is ever answered.
    pub mute: Vec<String>,
    /// The next answers to reading one object; none left: the object.
    pub gets: VecDeque<ClusterError>,
    /// How many dry runs were asked for.
    pub dry_runs: usize,
    /// The next dry run waits for this, and its task ends in a panic.
    pub held: Option<oneshot::Receiver<()>>,
    /// Dry runs change nothing, as if a webhook set everything to what it is.
    pub keeps: bool,
}

/// Clones share one script.
#[derive(Clone)]
pub struct Scripted {
    pub inner: Offline,
    pub script: Arc<Mutex<Script>>,
}

impl Scripted {
    pub fn new(inner: Offline, script: Script) -> Self {
        Self { inner, script: Arc::new(Mutex::new(script)) }
    }

    fn is_mute(&self, kind: &ServedKind) -> bool {
        self.script.lock().unwrap().mute.contains(&kind.kind.kind)
    }

    fn denies(&self, kind: &ServedKind, scope: &Scope) -> Option<ClusterError> {
        let denied = *scope == Scope::All && self.script.lock().unwrap().narrow.contains(&kind.kind.kind);
        denied.then(|| ClusterError::Denied {
            verb: "list".into(),
            resource: kind.resource(),
            namespace: None,
            reason: "forbidden".into(),
        })
    }
}

impl Cluster for Scripted {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn facts(&self) -> BoxFuture<'_, Result<Arc<ClusterFacts>, ClusterError>> {
        let scripted = self.script.lock().unwrap().facts.pop_front();
        match scripted {
            Some(error) => async { Err(error) }.boxed(),
            None => self.inner.facts(),
        }
    }

    fn schema(&self, kinds: Vec<GroupVersionKind>) -> BoxFuture<'_, Result<Arc<Schema>, ClusterError>> {
        let scripted = self.script.lock().unwrap().schemas.pop_front();
        match scripted {
            Some(schema) => async { Ok(schema) }.boxed(),
            None => self.inner.schema(kinds),
        }
    }

    fn list(&self, kind: ServedKind, scope: Scope) -> BoxFuture<'_, Result<Vec<Packed>, ClusterError>> {
        match self.denies(&kind, &scope) {
            Some(error) => async { Err(error) }.boxed(),
            None if self.is_mute(&kind) => std::future::pending().boxed(),
            None => self.inner.list(kind, scope),
        }
    }

    fn list_part(
        &self,
        kind: ServedKind,
        scope: Scope,
        labels: Option<Selector>,
        most: u32,
    ) -> BoxFuture<'_, Result<Part, ClusterError>> {
        match self.denies(&kind, &scope) {
            Some(error) => async { Err(error) }.boxed(),
            None => self.inner.list_part(kind, scope, labels, most),
        }
    }

    fn log(&self, of: LogOf) -> BoxFuture<'_, Result<String, ClusterError>> {
        self.inner.log(of)
    }

    fn list_metadata(
        &self,
        kind: ServedKind,
        scope: Scope,
    ) -> BoxFuture<'_, Result<Vec<LiveObject>, ClusterError>> {
        match self.denies(&kind, &scope) {
            Some(error) => async { Err(error) }.boxed(),
            None if self.is_mute(&kind) => std::future::pending().boxed(),
            None => self.inner.list_metadata(kind, scope),
        }
    }

    fn watch(&self, kind: ServedKind, scope: Scope) -> BoxStream<'static, WatchEvent> {
        match self.denies(&kind, &scope) {
            Some(error) => {
                let event = WatchEvent::Interrupted { error, retry_in: std::time::Duration::from_secs(30) };
                Box::pin(futures::stream::once(async { event }).chain(futures::stream::pending()))
            }
            None => self.inner.watch(kind, scope),
        }
    }

    fn get(
        &self,
        kind: ServedKind,
        namespace: Option<String>,
        name: String,
    ) -> BoxFuture<'_, Result<Option<LiveObject>, ClusterError>> {
        if self.is_mute(&kind) {
            return std::future::pending().boxed();
        }
        let scripted = self.script.lock().unwrap().gets.pop_front();
        match scripted {
            Some(error) => async { Err(error) }.boxed(),
            None => self.inner.get(kind, namespace, name),
        }
    }

    fn confirm(&self) -> BoxFuture<'_, Result<(), ClusterError>> {
        self.inner.confirm()
    }

    fn may(
        &self,
        verb: &'static str,
        kind: ServedKind,
        scope: Scope,
    ) -> BoxFuture<'_, Result<bool, ClusterError>> {
        self.inner.may(verb, kind, scope)
    }

    fn dry_run(&self, write: Write) -> BoxFuture<'_, Result<Option<LiveObject>, ClusterError>> {
        let (held, keeps) = {
            let mut script = self.script.lock().unwrap();
            script.dry_runs += 1;
            (script.held.take(), script.keeps)
        };
        async move {
            if let Some(held) = held {
                let _ = held.await;
                panic!("the script says so");
            }
            match &write {
                Write::Apply { kind, namespace, name, .. } if keeps => {
                    self.inner.get(kind.clone(), namespace.clone(), name.clone()).await
                }
                _ => self.inner.dry_run(write).await,
            }
        }
        .boxed()
    }

    fn writer(&self) -> Option<Arc<dyn Writer>> {
        self.inner.writer()
    }
}
