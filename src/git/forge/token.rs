//! Finds the token that the user has for a forge: in the environment, in the configuration of `gh` and `glab`, or with git's
//! credential helpers. A token is only ever taken for the host that it is meant for.

use super::http::Header;
use super::{Kind, Project};
use crate::git::program::Git;
use crate::text::yaml::read_documents;
use base64::Engine as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const TIME: Duration = Duration::from_secs(20);

/// A token, or a user with a password. It prints nowhere.
pub struct Token {
    user: Option<String>,
    secret: String,
}

type Variable<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

impl Token {
    fn new(secret: String) -> Option<Self> {
        (!secret.is_empty()).then_some(Self { user: None, secret })
    }

    /// Returns the headers by which it is shown to a forge.
    pub fn headers(&self, kind: Kind) -> Vec<Header> {
        let secret = &self.secret;
        match (kind, &self.user) {
            // What a helper knows may be a password; GitLab takes none over its API, only tokens.
            (Kind::GitLab, _) => vec![("private-token", secret.clone())],
            (Kind::GitHub, _) | (Kind::Bitbucket, None) => {
                vec![("authorization", format!("Bearer {secret}"))]
            }
            (Kind::Gitea | Kind::Bitbucket, Some(user)) => {
                let both = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{secret}"));
                vec![("authorization", format!("Basic {both}"))]
            }
            (Kind::Gitea, None) => vec![("authorization", format!("token {secret}"))],
        }
    }
}

/// Returns the token that a variable holds for this host.
///
/// Sources: `gh help environment`, `glab` ("Environment variables"), Gitea's `tea`.
pub fn of_environment(project: &Project, host: &str, variable: Variable<'_>) -> Option<Token> {
    let names: &[&str] = match project.kind {
        Kind::GitHub if host == "github.com" => &["GH_TOKEN", "GITHUB_TOKEN"],
        Kind::GitHub if variable("GH_HOST").as_deref() == Some(host) => {
            &["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"]
        }
        Kind::GitLab if host == variable("GITLAB_HOST").as_deref().map_or("gitlab.com", without_scheme) => {
            &["GITLAB_TOKEN"]
        }
        Kind::Gitea
            if variable("GITEA_SERVER_URL").is_some_and(|url| url.trim_end_matches('/') == project.site) =>
        {
            &["GITEA_SERVER_TOKEN", "GITEA_TOKEN"]
        }
        Kind::Bitbucket => &["BITBUCKET_TOKEN"],
        _ => &[],
    };
    names.iter().find_map(|name| variable(name)).and_then(Token::new)
}

fn without_scheme(url: &str) -> &str {
    url.trim_start_matches("https://").trim_end_matches('/')
}

/// Returns the token that `gh` or `glab` keeps for this host in a file.
pub fn of_configuration(project: &Project, host: &str, variable: Variable<'_>) -> Option<Token> {
    let folder = |own: &str, name: &str| {
        let own = variable(own).map(PathBuf::from);
        let xdg = || Some(PathBuf::from(variable("XDG_CONFIG_HOME")?).join(name));
        let home = || Some(PathBuf::from(variable("HOME")?).join(".config").join(name));
        own.or_else(xdg).or_else(home)
    };
    let (file, path) = match project.kind {
        Kind::GitHub => (folder("GH_CONFIG_DIR", "gh")?.join("hosts.yml"), vec![host, "oauth_token"]),
        Kind::GitLab => {
            (folder("GLAB_CONFIG_DIR", "glab-cli")?.join("config.yml"), vec!["hosts", host, "token"])
        }
        Kind::Gitea | Kind::Bitbucket => return None,
    };
    let bytes = std::fs::read(file).ok()?;
    let document = read_documents(&bytes).into_iter().next()?.ok()?;
    Token::new(document.value.str_at(&path)?.to_owned())
}

impl Git {
    /// Asks the credential helpers that git is configured with for a site; nobody is asked back.
    pub(super) async fn credential(
        &self,
        bare: &Path,
        env: &[(&str, &Path)],
        site: &str,
        cancel: &CancellationToken,
    ) -> Option<Token> {
        let question = format!("url={site}\n\n").into_bytes();
        let done = self.write(bare, env, &["credential", "fill"], question, TIME, cancel).await.ok()?;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let of = |name: &str| said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        let secret = of("password")?.to_owned();
        Some(Token { user: of("username").map(str::to_owned), secret })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(kind: Kind, host: &str) -> Project {
        let site = format!("https://{host}");
        Project { kind, api: format!("{site}/api"), path: "shop/fleet".into(), site }
    }

    fn secret(token: Option<Token>) -> Option<String> {
        token.map(|token| token.secret)
    }

    #[test]
    fn a_token_is_for_its_own_host_alone() {
        let all = |name: &str| match name {
            "GH_TOKEN" => Some("gh".to_owned()),
            "GH_ENTERPRISE_TOKEN" => Some("ghe".to_owned()),
            "GH_HOST" => Some("git.example.com".to_owned()),
            "GITLAB_TOKEN" => Some("gl".to_owned()),
            "GITEA_SERVER_URL" => Some("https://gitea.example.com/".to_owned()),
            "GITEA_TOKEN" => Some("tea".to_owned()),
            _ => None,
        };
        for (kind, host, expected) in [
            (Kind::GitHub, "github.com", Some("gh")),
            (Kind::GitHub, "git.example.com", Some("ghe")),
            (Kind::GitHub, "evil.example.com", None),
            (Kind::GitLab, "gitlab.com", Some("gl")),
            (Kind::GitLab, "evil.example.com", None),
            (Kind::Gitea, "gitea.example.com", Some("tea")),
            (Kind::Gitea, "evil.example.com", None),
            (Kind::Bitbucket, "bitbucket.org", None),
        ] {
            let found = secret(of_environment(&project(kind, host), host, &all));
            assert_eq!(found.as_deref(), expected, "{kind:?} {host}");
        }
    }

    #[test]
    fn what_gh_and_glab_keep_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().to_owned();
        std::fs::create_dir_all(at.join("gh")).unwrap();
        std::fs::create_dir_all(at.join("glab-cli")).unwrap();
        std::fs::write(at.join("gh/hosts.yml"), "github.com:\n    user: ana\n    oauth_token: gho\n")
            .unwrap();
        std::fs::write(at.join("glab-cli/config.yml"), "hosts:\n    gitlab.com:\n        token: glpat\n")
            .unwrap();
        let variable = |name: &str| (name == "XDG_CONFIG_HOME").then(|| at.display().to_string());
        let found = |kind, host: &str| secret(of_configuration(&project(kind, host), host, &variable));
        assert_eq!(found(Kind::GitHub, "github.com").as_deref(), Some("gho"));
        assert_eq!(found(Kind::GitLab, "gitlab.com").as_deref(), Some("glpat"));
        assert_eq!(found(Kind::GitHub, "git.example.com"), None);
    }
}
