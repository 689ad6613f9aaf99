//! Defines the traits through which everything above reads and writes a cluster.

use crate::model::{
    ClusterFacts, ClusterId, GroupVersionKind, Identity, LiveObject, Packed, ResourceId, Schema, Scope,
    Selector, ServedKind, Value,
};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use std::sync::Arc;
use std::time::Duration;

/// One cluster, for reading. It is cheap to share behind an [`Arc`].
pub trait Cluster: Send + Sync {
    /// Returns the context or the snapshot's path: the name that people call it by.
    fn name(&self) -> &str;

    /// Asks what the cluster is and serves: identity, version, user, kinds. It is asked anew at each call.
    fn facts(&self) -> BoxFuture<'_, Result<Arc<ClusterFacts>, ClusterError>>;

    /// Returns the schema of at least these kinds, as far as the cluster publishes one (cached by its hash).
    fn schema(&self, kinds: Vec<GroupVersionKind>) -> BoxFuture<'_, Result<Arc<Schema>, ClusterError>>;

    /// Lists once, in pages, and returns every object or an error; never a part.
    fn list(&self, kind: ServedKind, scope: Scope) -> BoxFuture<'_, Result<Vec<Packed>, ClusterError>>;

    /// Lists at most so many objects, in one request: those that a label selector picks, all where there is none.
    fn list_part(
        &self,
        kind: ServedKind,
        scope: Scope,
        labels: Option<Selector>,
        most: u32,
    ) -> BoxFuture<'_, Result<Part, ClusterError>>;

    /// Lists the metadata alone (`PartialObjectMetadataList`): for finding extras of kinds that nobody watches.
    fn list_metadata(
        &self,
        kind: ServedKind,
        scope: Scope,
    ) -> BoxFuture<'_, Result<Vec<LiveObject>, ClusterError>>;

    /// Lists and watches until it is dropped. It resumes by itself after errors and says so in its events.
    fn watch(&self, kind: ServedKind, scope: Scope) -> BoxStream<'static, WatchEvent>;

    /// Reads one object anew; `None` if it does not exist.
    fn get(
        &self,
        kind: ServedKind,
        namespace: Option<String>,
        name: String,
    ) -> BoxFuture<'_, Result<Option<LiveObject>, ClusterError>>;

    /// Returns the last lines of what a container printed, invalid bytes replaced.
    fn log(&self, of: LogOf) -> BoxFuture<'_, Result<String, ClusterError>>;

    /// Sends the smallest request that shows that the cluster still answers.
    fn confirm(&self) -> BoxFuture<'_, Result<(), ClusterError>>;

    /// Asks whether the user may do something (a SelfSubjectAccessReview).
    fn may(
        &self,
        verb: &'static str,
        kind: ServedKind,
        scope: Scope,
    ) -> BoxFuture<'_, Result<bool, ClusterError>>;

    /// Sends a write with `dryRun=All` and returns what the object would be; `None` for a deletion.
    fn dry_run(&self, write: Write) -> BoxFuture<'_, Result<Option<LiveObject>, ClusterError>>;

    /// As [`Cluster::dry_run`], and refuses fields that the server would drop (`fieldValidation=Strict`). Only an exact
    /// check asks so.
    fn dry_run_strictly(&self, write: Write) -> BoxFuture<'_, Result<Option<LiveObject>, ClusterError>> {
        self.dry_run(write)
    }

    /// Returns the way to log in by hand, where a plugin gives the credentials.
    fn login(&self) -> Option<Login> {
        None
    }

    /// Returns the way to write; `None` in read-only.
    fn writer(&self) -> Option<Arc<dyn Writer>>;
}

/// Logs in by hand: runs the credential plugin with the terminal, and blocks until it has ended. The terminal must have
/// been given back, and no async task may run on the thread.
pub type Login = Box<dyn FnOnce() -> Result<(), ClusterError> + Send>;

/// The way to write to a cluster.
pub trait Writer: Send + Sync {
    /// Sends one write and returns what the object is now; `None` for a deletion.
    fn write(&self, write: Write) -> BoxFuture<'_, Result<Option<LiveObject>, ClusterError>>;
}

/// A part of what a list would hold.
#[derive(Debug)]
pub struct Part {
    pub objects: Vec<Packed>,
    /// There are more than those.
    pub more: bool,
}

/// What is to be read of a container's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOf {
    pub namespace: String,
    pub pod: String,
    pub container: String,
    /// Of the container that ended before the present one was started.
    pub previous: bool,
    /// So many lines at most, from the end.
    pub lines: u32,
    /// So many bytes of them at most.
    pub bytes: u32,
}

/// What a watch tells.
#[derive(Debug)]
pub enum WatchEvent {
    /// Everything there is, swapped in whole.
    Listed(Vec<Packed>),
    Applied(Packed),
    Deleted(ResourceId),
    /// The server showed (by a bookmark) that the watch is up to date.
    Confirmed,
    /// The watch broke; it is tried again by itself after `retry_in`. What was listed before is stale.
    Interrupted {
        error: ClusterError,
        retry_in: Duration,
    },
}

/// One write. Bodies may hold sealed leaves; only a [`Cluster`] or [`Writer`] opens them.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    Create {
        kind: ServedKind,
        namespace: Option<String>,
        body: Value,
        manager: String,
    },
    /// Server-side apply. With `uid` and `resource_version` set in the body, the server refuses if the object moved.
    Apply {
        kind: ServedKind,
        namespace: Option<String>,
        name: String,
        body: Value,
        manager: String,
        force: bool,
    },
    Patch {
        kind: ServedKind,
        namespace: Option<String>,
        name: String,
        patch: Patch,
        manager: String,
    },
    Delete {
        kind: ServedKind,
        namespace: Option<String>,
        name: String,
        /// Preconditions: the server refuses if the object is another one or has moved.
        uid: Option<String>,
        resource_version: Option<String>,
        propagation: Propagation,
    },
}

/// The body of a patch.
#[derive(Debug, Clone, PartialEq)]
pub enum Patch {
    /// RFC 6902: operations as JSON objects; a `test` that fails refuses the whole.
    Json(Vec<Value>),
    /// RFC 7386.
    Merge(Value),
    /// Kubernetes' strategic merge patch, for built-in kinds.
    Strategic(Value),
}

/// What becomes of a deleted object's dependents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    Background,
    Foreground,
}

/// Why a cluster did not do what was asked. Texts of the server are already free of sealed values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    #[error("{file} cannot be read as a kubeconfig: {reason}")]
    Kubeconfig { file: String, reason: String },
    #[error("there is no context named {name}")]
    NoContext { name: String },
    #[error("the credentials of {context} cannot be had: {reason}")]
    Credentials { context: String, reason: String },
    #[error("{server} does not answer: {reason}")]
    Unreachable { server: String, reason: String },
    #[error("no answer within {}s", .after.as_secs())]
    TimedOut { after: Duration },
    #[error("not allowed to {verb} {resource}{}: {reason}", .namespace.as_ref().map(|n| format!(" in namespace {n}")).unwrap_or_default())]
    Denied { verb: String, resource: String, namespace: Option<String>, reason: String },
    #[error("the server refuses the credentials: {reason}")]
    Unauthenticated { reason: String },
    #[error("the server does not serve {kind}")]
    NotServed { kind: String },
    #[error("{resource} does not exist")]
    NotFound { resource: String },
    #[error("{resource} has moved: {reason}")]
    Conflict {
        resource: String,
        reason: String,
        /// For server-side apply: each manager with the fields (as printed) that it would lose.
        managers: Vec<(String, Vec<String>)>,
    },
    #[error("{resource} is refused: {reason}")]
    Invalid {
        resource: String,
        reason: String,
        /// The fields that the server names, each with its message.
        fields: Vec<(String, String)>,
    },
    #[error("an admission webhook or policy refuses {resource}: {reason}")]
    Refused { resource: String, reason: String },
    #[error("the webhook {webhook} has side effects and refuses dry runs")]
    NoDryRun { webhook: String },
    #[error("the server asks to wait {}s", .after.as_secs())]
    Busy { after: Duration },
    #[error("the connection was lost after the request was sent: {reason}")]
    Lost { reason: String },
    #[error("{resource} has more than {limit} objects")]
    TooMany { resource: String, limit: usize },
    #[error("the server answered {status}: {reason}")]
    Server { status: u16, reason: String },
    #[error("this cluster is read-only")]
    ReadOnly,
}

impl ClusterError {
    /// Returns whether trying again later may help without anybody doing anything.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::TimedOut { .. }
                | Self::Busy { .. }
                | Self::Lost { .. }
                | Self::Server { status: 500.., .. }
        )
    }
}

impl Write {
    pub fn kind(&self) -> &ServedKind {
        match self {
            Write::Create { kind, .. }
            | Write::Apply { kind, .. }
            | Write::Patch { kind, .. }
            | Write::Delete { kind, .. } => kind,
        }
    }

    /// Returns the object that is written; a created object's name is in its body.
    pub fn resource(&self, cluster: &ClusterId) -> ResourceId {
        let (kind, namespace, name) = match self {
            Write::Create { kind, namespace, body, .. } => {
                (kind, namespace, body.str_at(&["metadata", "name"]).map(str::to_owned))
            }
            Write::Apply { kind, namespace, name, .. }
            | Write::Patch { kind, namespace, name, .. }
            | Write::Delete { kind, namespace, name, .. } => (kind, namespace, Some(name.clone())),
        };
        ResourceId::from(Identity {
            cluster: cluster.clone(),
            kind: kind.kind.group_kind(),
            namespace: namespace.clone(),
            name,
        })
    }
}
