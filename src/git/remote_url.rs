//! Defines the URLs of remote repos: https and ssh only, without a password, and nothing that a program could take for
//! an option.
//!
//! The forms are those of git's documentation ("GIT URLS" of git-fetch): `https://host[:port]/path`,
//! `ssh://[user@]host[:port]/path` and the scp-like `[user@]host:path`.

use std::fmt;

/// The URL of a remote repo.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemoteUrl {
    transport: Transport,
    user: Option<String>,
    host: String,
    port: Option<u16>,
    /// Without the leading `/`.
    path: String,
    /// Written as `[user@]host:path`, where git takes the path relative to the user's home. For the forges that is the
    /// same as an absolute path, so the canonical form does not tell them apart.
    scp_like: bool,
}

/// How a remote is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    Https,
    Ssh,
}

/// Why a text is not the URL of a remote repo that is contacted. No variant holds a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("{text} is no URL")]
    NotUrl { text: String },
    #[error("{scheme} is not contacted: only https and ssh are")]
    Scheme { scheme: String },
    #[error("the URL of {host} holds a password or token")]
    Password { host: String },
    #[error("the URL {text} holds characters that no repository's URL has")]
    Hostile { text: String },
}

impl UrlError {
    /// Returns what to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            UrlError::NotUrl { .. } => {
                "name a folder, https://host/path, ssh://user@host/path or user@host:path"
            }
            UrlError::Scheme { .. } => "use https or ssh, or clone the repository and name the folder",
            UrlError::Password { .. } => {
                "leave it out and give it to git's credential helper (git help credentials)"
            }
            UrlError::Hostile { .. } => "check where this URL comes from",
        }
    }
}

/// What may follow `user` before it is taken for a token: forges' user names are shorter.
const LONGEST_USER: usize = 39;
const TOKEN_PREFIXES: [&str; 6] = ["ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "ATBB"];

impl RemoteUrl {
    /// Returns whether a text looks like a URL rather than like a path, as git tells them apart.
    pub fn looks_like(text: &str) -> bool {
        if text.contains("://") || text.contains("::") {
            return true;
        }
        match text.split_once(':') {
            Some((host, _)) => host.len() > 1 && !host.contains('/'),
            None => false,
        }
    }

    /// Reads a URL.
    pub fn read(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        let hostile = || UrlError::Hostile { text: without_userinfo(text) };
        if text.starts_with('-') || text.chars().any(|c| c.is_control() || c.is_whitespace() || !is_plain(c))
        {
            return Err(hostile());
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let transport = match scheme.to_ascii_lowercase().as_str() {
                "https" => Transport::Https,
                "ssh" | "git+ssh" | "ssh+git" => Transport::Ssh,
                _ => return Err(UrlError::Scheme { scheme: scheme.to_owned() }),
            };
            let (authority, path) = rest.split_once('/').ok_or_else(|| not_url(text))?;
            return Self::assemble(text, transport, authority, path, false);
        }
        if let Some((helper, _)) = text.split_once("::") {
            return Err(UrlError::Scheme { scheme: format!("{helper}::") });
        }
        match text.split_once(':') {
            Some((authority, path)) if !authority.contains('/') && !authority.is_empty() => {
                Self::assemble(text, Transport::Ssh, authority, path, !path.starts_with('/'))
            }
            _ => Err(not_url(text)),
        }
    }

    fn assemble(
        text: &str,
        transport: Transport,
        authority: &str,
        path: &str,
        scp_like: bool,
    ) -> Result<Self, UrlError> {
        let (userinfo, address) = match authority.rsplit_once('@') {
            Some((userinfo, address)) => (Some(userinfo), address),
            None => (None, authority),
        };
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                (host, Some(port.parse::<u16>().map_err(|_| not_url(text))?))
            }
            _ => (address, None),
        };
        if let Some(userinfo) = userinfo
            && (userinfo.contains(':')
                || (transport == Transport::Https
                    && (userinfo.len() > LONGEST_USER
                        || TOKEN_PREFIXES.iter().any(|prefix| userinfo.starts_with(prefix)))))
        {
            return Err(UrlError::Password { host: host.to_owned() });
        }
        let path = path.trim_matches('/');
        if host.is_empty() || path.is_empty() || userinfo == Some("") {
            return Err(not_url(text));
        }
        let user = userinfo.map(str::to_owned);
        // A host, user or path with a leading dash becomes an option of ssh or of the remote's own program.
        let dashed = |part: &str| part.starts_with('-');
        if dashed(host)
            || user.as_deref().is_some_and(dashed)
            || dashed(path)
            || path.split('/').any(|s| s == "..")
        {
            return Err(UrlError::Hostile { text: without_userinfo(text) });
        }
        Ok(Self { transport, user, host: host.to_ascii_lowercase(), port, path: path.to_owned(), scp_like })
    }

    pub fn transport(&self) -> Transport {
        self.transport
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port, where the URL names one.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Returns the path without a leading `/` and without `.git`, such as `shop/fleet`.
    pub fn path(&self) -> &str {
        self.path.strip_suffix(".git").unwrap_or(&self.path)
    }

    /// Returns the short name for people: the last segment of the path without `.git`.
    pub fn name(&self) -> &str {
        self.path().rsplit('/').next().unwrap_or(&self.path)
    }

    /// Returns the one form in which a repo is known, however it was written: without user, default port and `.git`.
    pub fn canonical(&self) -> String {
        let (scheme, default) = match self.transport {
            Transport::Https => ("https", 443),
            Transport::Ssh => ("ssh", 22),
        };
        let port = match self.port {
            Some(port) if port != default => format!(":{port}"),
            _ => String::new(),
        };
        format!("{scheme}://{}{port}/{}", self.host, self.path())
    }

    /// Returns what git is given. It holds a user name at most, never a password.
    pub(super) fn for_git(&self) -> String {
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let (host, path) = (&self.host, &self.path);
        match (self.transport, self.scp_like) {
            (Transport::Https, _) => format!("https://{user}{host}{port}/{path}"),
            (Transport::Ssh, false) => format!("ssh://{user}{host}{port}/{path}"),
            (Transport::Ssh, true) => format!("{user}{host}:{path}"),
        }
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.canonical())
    }
}

impl fmt::Debug for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a URL of a repository is made of; everything else would have to be escaped somewhere.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "-._~/:@+%[],=!()".contains(c)
}

fn not_url(text: &str) -> UrlError {
    UrlError::NotUrl { text: without_userinfo(text) }
}

/// Returns a text without whatever stands before an `@`, which may be a password.
/// Returns a URL that somebody typed as it may be shown: in its canonical form, or at least without userinfo.
pub fn shown_url(text: &str) -> String {
    RemoteUrl::read(text).map_or_else(|_| without_userinfo(text), |url| url.canonical())
}

fn without_userinfo(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((before, after)) => match before.split_once("://") {
            Some((scheme, _)) => format!("{scheme}://{after}"),
            None => after.to_owned(),
        },
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repo_has_one_canonical_form() {
        for (text, canonical, git) in [
            ("https://Git.Example.com/shop/fleet.git", "https://git.example.com/shop/fleet", None),
            ("https://git.example.com:443/shop/fleet/", "https://git.example.com/shop/fleet", None),
            ("https://ana@git.example.com:8443/fleet", "https://git.example.com:8443/fleet", None),
            (
                "git@git.example.com:shop/fleet.git",
                "ssh://git.example.com/shop/fleet",
                Some("git@git.example.com:shop/fleet.git"),
            ),
            (
                "git@git.example.com:/srv/fleet.git",
                "ssh://git.example.com/srv/fleet",
                Some("ssh://git@git.example.com/srv/fleet.git"),
            ),
            ("ssh://git@git.example.com:2222/~ana/x.git", "ssh://git.example.com:2222/~ana/x", None),
            ("ssh://[::1]/x", "ssh://[::1]/x", None),
        ] {
            let url = RemoteUrl::read(text).unwrap();
            assert_eq!(url.canonical(), canonical, "{text}");
            assert_eq!(format!("{url} {url:?}"), format!("{canonical} {canonical}"));
            if let Some(git) = git {
                assert_eq!(url.for_git(), git);
            }
        }
        assert_eq!(RemoteUrl::read("git@h.example:shop/fleet.git").unwrap().name(), "fleet");
    }

    #[test]
    fn other_transports_passwords_and_options_are_refused() {
        for (text, error) in [
            ("http://h.example/x", "http is not contacted: only https and ssh are"),
            ("git://h.example/x", "git is not contacted: only https and ssh are"),
            ("file:///etc", "file is not contacted: only https and ssh are"),
            ("ext::sh -c id", "the URL ext::sh -c id holds characters that no repository's URL has"),
            ("ext::id", "ext:: is not contacted: only https and ssh are"),
            ("https://ana:hunter2@h.example/x", "the URL of h.example holds a password or token"),
            ("https://ghp_0123@h.example/x", "the URL of h.example holds a password or token"),
            ("https://a:b@h.example", "https://h.example is no URL"),
            (
                "-oProxyCommand=id:x",
                "the URL -oProxyCommand=id:x holds characters that no repository's URL has",
            ),
            (
                "ssh://-oProxyCommand=id/x",
                "the URL ssh://-oProxyCommand=id/x holds characters that no repository's URL has",
            ),
            (
                "ssh://-l@h.example/x",
                "the URL ssh://h.example/x holds characters that no repository's URL has",
            ),
            ("h.example:-x", "the URL h.example:-x holds characters that no repository's URL has"),
            (
                "https://h.example/a/../../x",
                "the URL https://h.example/a/../../x holds characters that no repository's URL has",
            ),
            ("https://h.example/x\n", ""),
            (
                "https://h.exa\u{202e}mple/x",
                "the URL https://h.exa\u{202e}mple/x holds characters that no repository's URL has",
            ),
            ("./folder", "./folder is no URL"),
        ] {
            let found = RemoteUrl::read(text).map_err(|e| e.to_string());
            if error.is_empty() {
                assert!(found.is_ok(), "white space around it is no part of a URL");
            } else {
                assert_eq!(found, Err(error.to_owned()), "{text}");
            }
        }
    }

    #[test]
    fn a_path_is_not_taken_for_a_url() {
        for (text, looks) in [
            ("a/b:c", false),
            ("./x", false),
            ("C:x", false),
            ("host:x", true),
            ("ext::id", true),
            ("file:///x", true),
        ] {
            assert_eq!(RemoteUrl::looks_like(text), looks, "{text}");
        }
    }
}
