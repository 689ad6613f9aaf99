//! Asks what a cluster is and serves: identity, version, user, kinds.

use super::gate::Ask;
use super::session::Session;
use crate::cluster::{ClusterError, discovery};
use crate::model::{ClusterFacts, ClusterId, GroupVersionKind, ServedKind};
use serde_json::Value as Json;

const JSON: &str = "application/json";

/// Asks everything. A credential plugin that failed before is run again: this is asked rarely, or by the user.
pub(super) async fn ask(session: &Session) -> Result<ClusterFacts, ClusterError> {
    session.try_plugin_again().await;
    let version = version(session).await?;
    let (id, user, discovered) = futures::join!(identity(session), user(session), kinds(session));
    let (kinds, failed_groups) = discovered?;
    Ok(ClusterFacts { id: id?, version, user: user?, kinds, failed_groups })
}

/// Returns the uid of the kube-system namespace; where that may not be read, the server's URL and CA hash.
pub(super) async fn identity(session: &Session) -> Result<ClusterId, ClusterError> {
    match session.ask(&Ask::get(&namespaces(), None, "kube-system")).await {
        Ok(answer) => {
            let json: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
            if let Some(uid) = json.pointer("/metadata/uid").and_then(Json::as_str) {
                return Ok(ClusterId(uid.into()));
            }
        }
        Err(
            ClusterError::Denied { .. }
            | ClusterError::NotFound { .. }
            | ClusterError::NotServed { .. }
            | ClusterError::Refused { .. },
        ) => {}
        Err(error) => return Err(error),
    }
    let (server, certificate) = session.server().await?;
    Ok(ClusterId(format!("{server}#{certificate}").into()))
}

fn namespaces() -> ServedKind {
    ServedKind {
        kind: GroupVersionKind::new("", "v1", "Namespace"),
        plural: "namespaces".to_owned(),
        namespaced: false,
        verbs: Vec::new(),
        preferred: true,
        status_subresource: true,
    }
}

/// Returns the version as `1.36`, where the server tells it.
async fn version(session: &Session) -> Result<Option<String>, ClusterError> {
    match session.ask(&Ask::read("/version", JSON)).await {
        Ok(answer) => {
            let json: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
            Ok(json.get("gitVersion").and_then(Json::as_str).and_then(short_version))
        }
        Err(ClusterError::Denied { .. } | ClusterError::NotServed { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn short_version(git_version: &str) -> Option<String> {
    let mut parts = git_version.trim_start_matches('v').split('.');
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
    let (major, minor) = (digits(parts.next()?), digits(parts.next()?));
    (!major.is_empty() && !minor.is_empty()).then(|| format!("{major}.{minor}"))
}

/// Returns who the user is to the cluster; `None` where it does not tell (before 1.28 the review is a beta).
async fn user(session: &Session) -> Result<Option<String>, ClusterError> {
    for version in ["v1", "v1beta1"] {
        match session.ask(&Ask::self_review(version)).await {
            Ok(answer) => {
                let json: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
                let user = json.pointer("/status/userInfo/username").and_then(Json::as_str);
                return Ok(user.map(str::to_owned));
            }
            Err(ClusterError::NotServed { .. } | ClusterError::NotFound { .. }) => {}
            Err(error) if error.is_passing() => return Err(error),
            Err(_) => return Ok(None),
        }
    }
    Ok(None)
}

type Kinds = (Vec<ServedKind>, Vec<(String, String)>);

/// Returns the kinds, and the groups whose own server did not answer.
async fn kinds(session: &Session) -> Result<Kinds, ClusterError> {
    let mut kinds = Vec::new();
    let mut failed = Vec::new();
    for root in ["/api", "/apis"] {
        let answer = session.ask(&Ask::read(root, discovery::ACCEPT_AGGREGATED)).await?;
        let found = discovery::read_root(&answer.body)
            .map_err(|_| ClusterError::Lost { reason: "the discovery document breaks off".to_owned() })?;
        kinds.extend(found.kinds);
        failed.extend(
            found.failed.into_iter().map(|group| (group, "its API server does not answer".to_owned())),
        );
        for (group_version, preferred) in found.versions {
            let asked = session.ask(&Ask::read(format!("{root}/{group_version}"), JSON)).await;
            let read = asked.map_err(|error| error.to_string()).and_then(|answer| {
                discovery::read_legacy(&answer.body, preferred)
                    .map_err(|_| "its document is broken".to_owned())
            });
            match read {
                Ok(served) => kinds.extend(served),
                Err(reason) => failed.push((group_version, reason)),
            }
        }
    }
    Ok((kinds, failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_every_vendor_become_major_and_minor() {
        for (said, short) in [("v1.36.3", "1.36"), ("v1.27.3-gke.100", "1.27"), ("v1.31+", "1.31")] {
            assert_eq!(short_version(said).as_deref(), Some(short));
        }
        assert_eq!(short_version("unknown"), None);
    }
}
