//! Keeps the connection to one API server: made when first needed, made anew after it broke, with credentials renewed.

use super::Options;
use super::credentials::{self, Handed};
use super::gate::Ask;
use super::kubeconfig::Sources;
use super::refusal;
use crate::cluster::ClusterError;
use crate::model::Timestamp;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use kube::config::{Config, ExecConfig};
use std::time::Duration;
use tokio::sync::Mutex;

/// Bytes of one answer that are read; a page of a list is far below.
const ANSWER_BYTES: usize = 512 << 20;
/// Time to connect, TLS included.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long a plugin that failed is left alone, unless somebody asks for it.
pub const PLUGIN_RESTS: Duration = Duration::from_secs(300);
/// So long before its end a credential is renewed.
const RENEW_BEFORE: Duration = Duration::from_secs(60);

/// A whole answer of success.
pub(super) struct Answer {
    pub body: Bytes,
}

pub(super) struct Session {
    context: String,
    sources: Sources,
    options: Options,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Resolved once: a context that is pointed elsewhere meanwhile must not swap the cluster under its watches.
    resolved: Option<(Config, Option<ExecConfig>)>,
    handed: Option<Handed>,
    client: Option<Client>,
    /// Counts the clients, so that only the one that broke is dropped.
    generation: u64,
    /// When and why the plugin gave no credentials. It is not run again for a while: it may open a window each time.
    plugin_failed: Option<(Timestamp, ClusterError)>,
}

impl Session {
    pub fn new(context: &str, sources: Sources, options: Options) -> Self {
        Self { context: context.to_owned(), sources, options, state: Mutex::default() }
    }

    /// Returns the server's URL and a hash of its certificate authority.
    pub async fn server(&self) -> Result<(String, String), ClusterError> {
        let mut state = self.state.lock().await;
        let (config, _) = self.resolve(&mut state)?;
        let mut hasher = blake3::Hasher::new();
        for certificate in config.root_cert.iter().flatten() {
            hasher.update(certificate);
        }
        let hash: String = hasher.finalize().to_hex().chars().take(16).collect();
        Ok((config.cluster_url.to_string(), hash))
    }

    /// Sends a request and reads the whole answer.
    pub async fn ask(&self, ask: &Ask) -> Result<Answer, ClusterError> {
        let limit = self.options.request_timeout;
        let Ok(answer) = tokio::time::timeout(limit, self.ask_patiently(ask)).await else {
            self.forget(None).await;
            return Err(ClusterError::TimedOut { after: limit });
        };
        answer
    }

    async fn ask_patiently(&self, ask: &Ask) -> Result<Answer, ClusterError> {
        let (response, generation) = self.send(ask).await?;
        match read_whole(response.into_body()).await {
            Ok(body) => Ok(Answer { body }),
            Err(error) => {
                self.forget(Some(generation)).await;
                Err(error)
            }
        }
    }

    /// Begins an answer that goes on: a watch. The time limit is on its beginning only.
    pub async fn open(&self, ask: &Ask) -> Result<Body, ClusterError> {
        let limit = self.options.request_timeout;
        let Ok(opened) = tokio::time::timeout(limit, self.send(ask)).await else {
            self.forget(None).await;
            return Err(ClusterError::TimedOut { after: limit });
        };
        Ok(opened?.0.into_body())
    }

    /// Drops the connection, so that the next request makes a new one: a broken one may look alive for minutes.
    pub async fn forget(&self, generation: Option<u64>) {
        let mut state = self.state.lock().await;
        if generation.is_none_or(|broken| broken == state.generation) {
            state.client = None;
        }
    }

    /// Sends a request and returns the answer's head if it is a success. Where the server refuses the credentials, they
    /// are renewed once: those of a plugin by asking it, others by reading the kubeconfig again.
    async fn send(&self, ask: &Ask) -> Result<(http::Response<Body>, u64), ClusterError> {
        let mut renewed = false;
        loop {
            let (client, generation) = self.client().await?;
            let request = ask
                .request()
                .map_err(|error| ClusterError::Server { status: 400, reason: error.to_string() })?;
            let response = match client.send(request).await {
                Ok(response) => response,
                Err(error) => {
                    self.forget(Some(generation)).await;
                    return Err(self.broken(&error).await);
                }
            };
            let code = response.status().as_u16();
            if response.status().is_success() {
                return Ok((response, generation));
            }
            let retry_after = response
                .headers()
                .get(http::header::RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.trim().parse().ok());
            let body = read_whole(response.into_body()).await.unwrap_or_default();
            if code == 401 && !renewed {
                renewed = true;
                if self.renew(generation).await {
                    continue;
                }
            }
            return Err(refusal::read(&ask.about, code, retry_after, &body));
        }
    }

    /// Lets go of credentials that the server refused. Returns whether others may be had.
    async fn renew(&self, refused: u64) -> bool {
        let mut state = self.state.lock().await;
        if state.generation != refused {
            return true;
        }
        let Some((known, exec)) = &state.resolved else { return true };
        let by_plugin = exec.is_some();
        let reread = self.configured().ok().filter(|(config, _)| {
            // Another server, or one that vouches for itself otherwise, is another cluster.
            config.cluster_url == known.cluster_url && config.root_cert == known.root_cert
        });
        if reread.is_none() && !by_plugin {
            return false;
        }
        state.resolved = reread.or_else(|| state.resolved.take());
        state.plugin_failed = None;
        state.handed = None;
        state.client = None;
        true
    }

    /// Lets the plugin be run again although it failed before.
    pub async fn try_plugin_again(&self) {
        self.state.lock().await.plugin_failed = None;
    }

    /// Returns the plugin that gives the context's credentials, as the kubeconfig has it now.
    pub fn plugin(&self) -> Option<ExecConfig> {
        self.sources.resolve(&self.context).ok()?.1
    }

    /// Runs the plugin with the terminal and takes what it hands out. Blocks, also on requests that are being made.
    pub fn log_in(&self, plugin: &ExecConfig) -> Result<(), ClusterError> {
        let handed = credentials::ask_by_hand(&self.context, plugin)?;
        let mut state = self.state.blocking_lock();
        state.handed = Some(handed);
        state.client = None;
        state.plugin_failed = None;
        // A refusal of what was used before says nothing about these.
        state.generation += 1;
        Ok(())
    }

    /// Returns the client and its number.
    async fn client(&self) -> Result<(Client, u64), ClusterError> {
        let mut state = self.state.lock().await;
        let (mut config, exec) = self.resolve(&mut state)?;
        if let Some(exec) = &exec {
            let now: Timestamp = (self.options.clock)();
            let is_over = |handed: &Handed| {
                handed.until.is_some_and(|until| {
                    until.duration_since(now).as_secs() < RENEW_BEFORE.as_secs().cast_signed()
                })
            };
            if state.handed.as_ref().is_none_or(is_over) {
                let rests = |at: Timestamp| now.duration_since(at).unsigned_abs() < PLUGIN_RESTS;
                if let Some((_, error)) = state.plugin_failed.as_ref().filter(|(at, _)| rests(*at)) {
                    return Err(error.clone());
                }
                let handed = credentials::ask(&self.context, exec).await;
                state.plugin_failed = handed.as_ref().err().map(|error| (now, error.clone()));
                state.handed = Some(handed?);
                state.client = None;
            }
        }
        if let Some(client) = &state.client {
            return Ok((client.clone(), state.generation));
        }
        if let Some(handed) = &state.handed {
            handed.put_into(&mut config.auth_info);
        }
        let client = Client::try_from(config).map_err(|error| self.unusable(&error))?;
        state.generation += 1;
        state.client = Some(client.clone());
        Ok((client, state.generation))
    }

    fn resolve(&self, state: &mut State) -> Result<(Config, Option<ExecConfig>), ClusterError> {
        if let Some(resolved) = &state.resolved {
            return Ok(resolved.clone());
        }
        let resolved = self.configured()?;
        state.resolved = Some(resolved.clone());
        Ok(resolved)
    }

    /// Reads the configuration of the context.
    fn configured(&self) -> Result<(Config, Option<ExecConfig>), ClusterError> {
        let (mut config, exec) = self.sources.resolve(&self.context)?;
        config.connect_timeout = Some(CONNECT_TIME.min(self.options.request_timeout));
        config.read_timeout = None;
        // What is asked again, and when, is decided by who asks.
        config.default_retry = false;
        if let Some(user) = &self.options.impersonate {
            config.auth_info.impersonate = Some(user.clone());
        }
        if !self.options.impersonate_groups.is_empty() {
            config.auth_info.impersonate_groups = Some(self.options.impersonate_groups.clone());
        }
        Ok((config, exec))
    }

    /// Says why a client cannot be made: what is wrong with certificates and keys, without their text.
    fn unusable(&self, error: &kube::Error) -> ClusterError {
        ClusterError::Credentials { context: self.context.clone(), reason: deepest(error) }
    }

    /// Says how a request failed: before anybody heard of it, or after it may have been heard.
    async fn broken(&self, error: &kube::Error) -> ClusterError {
        let reason = deepest(error);
        let is_connecting = match error {
            kube::Error::Service(inner) => inner
                .downcast_ref::<hyper_util::client::legacy::Error>()
                .is_some_and(hyper_util::client::legacy::Error::is_connect),
            kube::Error::Auth(_) => {
                return ClusterError::Credentials { context: self.context.clone(), reason };
            }
            _ => false,
        };
        if is_connecting {
            let server = self.server().await.map_or_else(|_| self.context.clone(), |(url, _)| url);
            ClusterError::Unreachable { server: without_userinfo(&server), reason }
        } else {
            ClusterError::Lost { reason }
        }
    }
}

fn without_userinfo(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            format!("{}{}", url.get(..scheme + 3).unwrap_or_default(), url.get(at + 1..).unwrap_or_default())
        }
        _ => url.trim_end_matches('/').to_owned(),
    }
}

/// Returns the words of the innermost cause: `Connection refused (os error 111)` instead of a chain of wrappers.
fn deepest(error: &kube::Error) -> String {
    let mut at: &dyn std::error::Error = error;
    if let kube::Error::Service(inner) = error {
        at = inner.as_ref();
    }
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}

async fn read_whole(mut body: Body) -> Result<Bytes, ClusterError> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ClusterError::Lost { reason: deepest(&error) })?;
        if let Ok(data) = frame.into_data() {
            if whole.len() + data.len() > ANSWER_BYTES {
                return Err(ClusterError::Server {
                    status: 200,
                    reason: "the answer is too long".to_owned(),
                });
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(whole.freeze())
}
