//! Opens pull requests at forges: GitHub, GitLab, Gitea and Forgejo, Bitbucket, over their APIs.
//!
//! Only the host of the remote itself is asked, and for github.com and bitbucket.org the one that their API is at. A token is
//! one that the user has for exactly that host; it is in no error and in no log.

mod http;
mod token;
mod wire;

use super::RemoteUrl;
use super::program::Git;
use super::remote::Remote;
use super::repo::Repo;
use crate::model::Notice;
use crate::text::Outside;
use http::{Answer, Client};
use token::Token;
use tokio_util::sync::CancellationToken;

/// Which API a forge speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    GitHub,
    GitLab,
    /// Gitea and Forgejo.
    Gitea,
    Bitbucket,
}

/// A project at a forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    pub kind: Kind,
    /// `https://HOST[:PORT]`
    pub site: String,
    /// Where its API begins.
    pub api: String,
    /// `OWNER/NAME`, with more segments at GitLab.
    pub path: String,
}

/// A request to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub title: String,
    /// Markdown.
    pub body: String,
    /// The branch with the commit, and the one that it asks to be merged into.
    pub head: String,
    pub base: String,
}

/// A request that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The page that shows it: https.
    pub url: String,
    /// It had been opened for the branch before.
    pub was_there: bool,
}

/// Why no request was opened.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    #[error("{host} does not answer")]
    NoAnswer { host: String, reason: String },
    #[error("the certificate of {host} is not trusted")]
    Untrusted { host: String, reason: String },
    #[error("{host} did not take the token")]
    NotAllowed { host: String, words: Outside },
    #[error("{host} did not open the request ({status})")]
    Refused { host: String, status: u16, words: Outside },
    #[error("what {host} answered cannot be understood")]
    Strange { host: String },
}

impl ForgeError {
    /// Returns the error as the user reads it.
    pub fn notice(&self) -> Notice {
        let notice = Notice::error(self.to_string());
        match self {
            Self::NoAnswer { reason, .. } => {
                notice.cause(reason.clone()).hint("check the network, VPN and proxy")
            }
            Self::Untrusted { reason, .. } => notice
                .cause(reason.clone())
                .hint("name its authority to git: http.sslCAInfo, or GIT_SSL_CAINFO"),
            Self::NotAllowed { words, .. } => notice
                .cause(words.to_string())
                .hint("the token needs the right to open pull requests; the branch is pushed all the same"),
            Self::Refused { words, .. } => {
                notice.cause(words.to_string()).hint("the branch is pushed: open it by hand")
            }
            Self::Strange { .. } => notice.hint("the branch is pushed: open it by hand"),
        }
    }
}

/// What came of the wish to open a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Opened(Opened),
    /// No token is known for the host, or it is no forge that is known: a person opens it at this page.
    ByHand {
        link: Option<String>,
        why: String,
    },
}

impl Repo {
    /// Opens a request at the forge of a remote, or finds the one that is open for the branch already.
    ///
    /// `variable` reads the environment of the user.
    pub async fn open_request(
        &self,
        git: &Git,
        remote: &Remote,
        wish: &Wish,
        variable: &(dyn Fn(&str) -> Option<String> + Sync),
        cancel: &CancellationToken,
    ) -> Result<Asked, ForgeError> {
        let host = remote.url.host().to_owned();
        let client = Client::new(variable);
        let Some(project) = found(&remote.url, &client).await? else {
            return Ok(Asked::ByHand { link: None, why: format!("{host} is no forge that is known") });
        };
        let token = match token::of_environment(&project, &host, variable) {
            Some(token) => Some(token),
            None => match token::of_configuration(&project, &host, variable) {
                Some(token) => Some(token),
                None => self.credential(git, &project, cancel).await,
            },
        };
        let Some(token) = token else {
            let why = format!("no token for {host} is known");
            return Ok(Asked::ByHand { link: Some(wire::page(&project, wish)), why });
        };
        let headers = token.headers(project.kind);
        let list = client.get(&wire::list(&project, wish), &headers).await?;
        if let Some(url) = wire::listed(&project, wish, &ok(&host, &list)?) {
            return Ok(Asked::Opened(Opened { url, was_there: true }));
        }
        let (address, body) = wire::open(&project, wish);
        let answer = client.post(&address, &headers, &body).await?;
        let url = wire::opened(&project, &ok(&host, &answer)?);
        let url = url.ok_or(ForgeError::Strange { host })?;
        Ok(Asked::Opened(Opened { url, was_there: false }))
    }

    /// Asks git's credential helpers, which never ask back.
    async fn credential(&self, git: &Git, project: &Project, cancel: &CancellationToken) -> Option<Token> {
        let lens = self.lens().await.ok()?;
        git.credential(lens.folder(), &lens.env(), &project.site, cancel).await
    }
}

fn ok(host: &str, answer: &Answer) -> Result<serde_json::Value, ForgeError> {
    let host = host.to_owned();
    match answer.status {
        200..=299 => serde_json::from_slice(&answer.body).map_err(|_| ForgeError::Strange { host }),
        401 | 403 => Err(ForgeError::NotAllowed { host, words: wire::words(&answer.body) }),
        status => Err(ForgeError::Refused { host, status, words: wire::words(&answer.body) }),
    }
}

/// Finds out what speaks at the host of a remote.
async fn found(url: &RemoteUrl, client: &Client) -> Result<Option<Project>, ForgeError> {
    let host = url.host();
    let port = match (url.transport(), url.port()) {
        (super::Transport::Https, Some(port)) => format!(":{port}"),
        // The port of ssh says nothing of where the pages are.
        _ => String::new(),
    };
    let site = format!("https://{host}{port}");
    let project =
        |kind: Kind, api: String| Project { kind, site: site.clone(), api, path: url.path().to_owned() };
    let known = match host {
        "github.com" => Some(project(Kind::GitHub, "https://api.github.com".to_owned())),
        "gitlab.com" => Some(project(Kind::GitLab, format!("{site}/api/v4"))),
        "bitbucket.org" => Some(project(Kind::Bitbucket, "https://api.bitbucket.org/2.0".to_owned())),
        "codeberg.org" => Some(project(Kind::Gitea, format!("{site}/api/v1"))),
        _ => None,
    };
    if known.is_some() {
        return Ok(known);
    }
    for (kind, api, question) in [
        (Kind::Gitea, "/api/v1", "/version"),
        (Kind::GitLab, "/api/v4", "/version"),
        (Kind::GitHub, "/api/v3", "/meta"),
    ] {
        let answer = client.get(&format!("{site}{api}{question}"), &[]).await?;
        let is_json = serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok_and(|v| v.is_object());
        // GitLab wants a token even for its version, and says so as JSON.
        let speaks = answer.status == 200 || kind == Kind::GitLab && answer.status == 401;
        if speaks && is_json {
            return Ok(Some(project(kind, format!("{site}{api}"))));
        }
    }
    Ok(None)
}
