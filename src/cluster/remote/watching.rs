//! Watches one kind in one scope: lists, follows what happens, resumes after errors, and says so.
//!
//! Source: "Efficient detection of changes" in the Kubernetes API concepts. Bookmarks keep the version fresh, a version
//! that is gone (410) is listed anew, and a list is only told when it is whole.

use super::gate::Ask;
use super::{Inner, listing};
use crate::cluster::{ClusterError, WatchEvent};
use crate::model::{ClusterId, Packed, Scope, ServedKind};
use bytes::{Buf as _, BytesMut};
use futures::stream::{self, BoxStream, StreamExt as _};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// Seconds after which the server ends a watch, so that every server of a group gets its share; jitter comes on top.
const WATCH_SECONDS: u64 = 300;
/// The server sends a bookmark about every minute; after this long in silence the watch is given up and listed anew.
const SILENCE: Duration = Duration::from_secs(100);
/// Bytes of one event; etcd keeps no object above a few megabytes.
const EVENT_BYTES: usize = 64 << 20;
/// The first pause after an error, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Watches until it is dropped.
pub(super) fn watch(inner: Arc<Inner>, kind: ServedKind, scope: Scope) -> BoxStream<'static, WatchEvent> {
    let watcher = Watcher { inner, kind, scope, phase: Phase::List, pause: None, failures: 0 };
    stream::unfold(watcher, |mut watcher| async move {
        let event = watcher.next().await;
        Some((event, watcher))
    })
    .boxed()
}

struct Watcher {
    inner: Arc<Inner>,
    kind: ServedKind,
    scope: Scope,
    phase: Phase,
    /// To be waited before the next request.
    pause: Option<Duration>,
    /// Failures in a row.
    failures: u32,
}

enum Phase {
    List,
    /// About to watch from a version.
    Open {
        cluster: ClusterId,
        version: String,
        resumed: bool,
    },
    Follow(Following),
}

struct Following {
    cluster: ClusterId,
    version: String,
    body: Body,
    buffer: BytesMut,
    /// How many lines were read: a watch that ends at once without any is not tried again at once.
    lines: usize,
}

/// What one step of following came to.
enum Step {
    Tell(WatchEvent),
    /// Only the version moved on, or nothing that matters.
    Nothing,
    /// The server ended the watch in order.
    Ended,
    /// The version is gone.
    Gone,
    Broke(ClusterError),
    Silent,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct Bookmark {
    metadata: BookmarkMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BookmarkMetadata {
    resource_version: String,
}

#[derive(Deserialize, Default)]
struct Failure {
    #[serde(default)]
    code: u16,
    #[serde(default)]
    reason: String,
}

impl Watcher {
    async fn next(&mut self) -> WatchEvent {
        loop {
            if let Some(pause) = self.pause.take() {
                tokio::time::sleep(pause).await;
            }
            let told = match std::mem::replace(&mut self.phase, Phase::List) {
                Phase::List => Some(self.list().await),
                Phase::Open { cluster, version, resumed } => self.open(cluster, version, resumed).await,
                Phase::Follow(following) => self.follow(following).await,
            };
            if let Some(event) = told {
                return event;
            }
        }
    }

    async fn list(&mut self) -> WatchEvent {
        let listed = async {
            let cluster = self.inner.id().await?;
            let listed = listing::packed(&self.inner.session, &cluster, &self.kind, &self.scope).await?;
            Ok((cluster, listed))
        };
        match listed.await {
            Ok((cluster, listed)) => {
                self.failures = 0;
                self.phase = Phase::Open { cluster, version: listed.version, resumed: false };
                WatchEvent::Listed(listed.objects)
            }
            Err(error) => self.interrupted(error),
        }
    }

    async fn open(&mut self, cluster: ClusterId, version: String, resumed: bool) -> Option<WatchEvent> {
        let seconds = WATCH_SECONDS + u64::from(random()) % 60;
        let ask = Ask::watch(&self.kind, &self.scope, &version, seconds);
        match self.inner.session.open(&ask).await {
            Ok(body) => {
                let buffer = BytesMut::new();
                self.phase = Phase::Follow(Following { cluster, version, body, buffer, lines: 0 });
                // The server sends what was missed at once, from its memory of events.
                resumed.then_some(WatchEvent::Confirmed)
            }
            Err(ClusterError::Server { status: 410, .. }) => None,
            Err(error) => {
                self.phase = Phase::Open { cluster, version, resumed: true };
                Some(self.interrupted(error))
            }
        }
    }

    async fn follow(&mut self, mut following: Following) -> Option<WatchEvent> {
        let step = following.step(&self.kind).await;
        let Following { cluster, version, lines, .. } = &following;
        let reopen = Phase::Open { cluster: cluster.clone(), version: version.clone(), resumed: true };
        match step {
            Step::Tell(event) => {
                self.failures = 0;
                self.phase = Phase::Follow(following);
                Some(event)
            }
            Step::Nothing => {
                self.phase = Phase::Follow(following);
                None
            }
            Step::Ended if *lines > 0 => {
                self.phase = reopen;
                None
            }
            Step::Ended => {
                self.phase = reopen;
                Some(self.interrupted(ClusterError::Lost { reason: "the watch ended at once".to_owned() }))
            }
            Step::Gone => None,
            Step::Broke(error) => {
                self.inner.session.forget(None).await;
                self.phase = reopen;
                Some(self.interrupted(error))
            }
            Step::Silent => {
                self.inner.session.forget(None).await;
                Some(self.interrupted(ClusterError::TimedOut { after: SILENCE }))
            }
        }
    }

    /// Tells that the watch broke, and pauses before it is tried again.
    fn interrupted(&mut self, error: ClusterError) -> WatchEvent {
        let retry_in = pause(&error, self.failures, random());
        self.failures = self.failures.saturating_add(1);
        self.pause = Some(retry_in);
        WatchEvent::Interrupted { error, retry_in }
    }
}

impl Following {
    async fn step(&mut self, kind: &ServedKind) -> Step {
        if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line = self.buffer.split_to(end);
            self.buffer.advance(1);
            self.lines += 1;
            return self.read(kind, &line);
        }
        if self.buffer.len() > EVENT_BYTES {
            return Step::Broke(ClusterError::Server {
                status: 200,
                reason: "an event is too long".to_owned(),
            });
        }
        match tokio::time::timeout(SILENCE, self.body.frame()).await {
            Err(_) => Step::Silent,
            Ok(None) => Step::Ended,
            Ok(Some(Err(error))) => Step::Broke(ClusterError::Lost { reason: error.to_string() }),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    self.buffer.extend_from_slice(&data);
                }
                Step::Nothing
            }
        }
    }

    fn read(&mut self, kind: &ServedKind, line: &[u8]) -> Step {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Step::Nothing;
        }
        let broken =
            |what: &str| Step::Broke(ClusterError::Lost { reason: format!("the watch sent {what}") });
        let Ok(line) = serde_json::from_slice::<Line>(line) else { return broken("half an event") };
        match line.kind.as_ref() {
            "ADDED" | "MODIFIED" | "DELETED" => {
                let Ok(packed) = Packed::read(&self.cluster, kind, line.object.get()) else {
                    return broken("an object that cannot be read");
                };
                if let Some(version) = &packed.resource_version {
                    self.version.clone_from(version);
                }
                Step::Tell(if line.kind == "DELETED" {
                    WatchEvent::Deleted(packed.id)
                } else {
                    WatchEvent::Applied(packed)
                })
            }
            "BOOKMARK" => match serde_json::from_str::<Bookmark>(line.object.get()) {
                Ok(bookmark) => {
                    self.version = bookmark.metadata.resource_version;
                    Step::Tell(WatchEvent::Confirmed)
                }
                Err(_) => broken("half a bookmark"),
            },
            "ERROR" => {
                let failure: Failure = serde_json::from_str(line.object.get()).unwrap_or_default();
                if failure.code == 410 || failure.reason == "Expired" || failure.reason == "Gone" {
                    Step::Gone
                } else {
                    Step::Broke(ClusterError::Server { status: failure.code, reason: failure.reason })
                }
            }
            _ => Step::Nothing,
        }
    }
}

/// Returns how long to wait after an error: doubled with each failure in a row, with jitter of a quarter either way.
fn pause(error: &ClusterError, failures: u32, random: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE);
    let least = match error {
        ClusterError::Busy { after } => *after,
        // Nothing that will mend itself soon; a definition that appears later should be found all the same.
        ClusterError::NotServed { .. } => Duration::from_secs(5),
        ClusterError::Denied { .. } | ClusterError::Unauthenticated { .. } => LONGEST_PAUSE,
        _ => Duration::ZERO,
    };
    let jittered = doubled.mul_f64(0.75 + f64::from(random % 1000) / 2000.0);
    jittered.max(least)
}

/// Returns a number for jitter; without a random source, none.
fn random() -> u32 {
    let mut bytes = [0_u8; 4];
    if getrandom::fill(&mut bytes).is_err() {
        return 500;
    }
    u32::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_keep_to_what_the_server_asks() {
        let lost = ClusterError::Lost { reason: String::new() };
        assert_eq!(pause(&lost, 0, 500), Duration::from_millis(500));
        assert_eq!(pause(&lost, 3, 500), Duration::from_secs(4));
        assert_eq!(pause(&lost, 99, 0), Duration::from_millis(22_500));
        assert!(pause(&lost, 99, 999) < Duration::from_secs(38));
        let busy = ClusterError::Busy { after: Duration::from_secs(60) };
        assert_eq!(pause(&busy, 0, 0), Duration::from_secs(60));
    }
}
