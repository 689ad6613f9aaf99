//! Defines the way to a running pipeline: what can be asked of it, and how it ends.

use super::{Candidate, Deployed, Inspected, Reached, Rendered, Request};
use crate::model::{AppId, ClusterId, DeploymentId, RepoId, ResourceId};
use crate::pipeline::changes::Ground;
use crate::pipeline::history;
use crate::pipeline::running::Question;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// The way to a running pipeline. Dropping it ends the pipeline.
pub struct Handle {
    pub requests: mpsc::Sender<Request>,
    pub(super) cancel: CancellationToken,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Handle {
    /// Returns everything that is known of one object; `None` if it is not known any more.
    pub async fn inspect(&self, deployment: DeploymentId, resource: ResourceId) -> Option<Inspected> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Inspect { deployment, resource, reply }).await.ok()?;
        answer.await.ok().flatten()
    }

    /// Returns what a deployment's app renders to right now; `None` if it is not known any more or cannot be read.
    pub async fn rendered_now(&self, deployment: DeploymentId) -> Option<Rendered> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Render { deployment, reply }).await.ok()?;
        answer.await.ok().flatten()
    }

    /// Returns what is needed to ask what runs of an object, or of the whole app; `None` if it is not known any more or its
    /// cluster not connected.
    pub async fn running(&self, deployment: DeploymentId, resource: Option<ResourceId>) -> Option<Question> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Running { deployment, resource, reply }).await.ok()?;
        answer.await.ok().flatten()
    }

    /// Returns what is needed to tell the history of an app; `None` if it is not known, or its repo could not be read.
    pub async fn past(&self, app: AppId, cluster: Option<ClusterId>) -> Option<history::Ground> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Past { app, cluster, reply }).await.ok()?;
        answer.await.ok().flatten()
    }

    /// Returns what differs and counts in every deployment of a repo's apps; nothing if the pipeline has ended.
    pub async fn differing(&self, repo: RepoId) -> Vec<Candidate> {
        let (reply, answer) = oneshot::channel();
        if self.requests.send(Request::Differing { repo, reply }).await.is_err() {
            return Vec::new();
        }
        answer.await.unwrap_or_default()
    }

    /// Returns what is held of all clusters and repos; `None` if the pipeline has ended.
    pub async fn ground(&self) -> Option<Ground> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Ground { reply }).await.ok()?;
        answer.await.ok()
    }

    /// Returns what is needed to act on a deployment without its files; `None` if its cluster is not connected.
    pub async fn reached(&self, deployment: DeploymentId) -> Option<Reached> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Reached { deployment, reply }).await.ok()?;
        answer.await.ok().flatten()
    }

    /// Returns everything that acting on a deployment needs; `None` if it is not rendered or its cluster not connected.
    pub async fn deployed(&self, deployment: DeploymentId) -> Option<Deployed> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Deployed { deployment, reply }).await.ok()?;
        answer.await.ok().flatten()
    }
}
