//! Defines how a fetch can fail, as situations with what to do about each.

use super::RemoteUrl;
use crate::model::Notice;
use crate::process::ChildError;
use crate::text::Outside;

/// Why a remote could not be fetched. The last good state stays readable.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("{remote} asked for credentials and none were found that it takes")]
    NoCredentials { remote: RemoteUrl },
    #[error("the key of the host {} is not known", remote.host())]
    HostUnknown { remote: RemoteUrl },
    #[error("the key of the host {} has changed", remote.host())]
    HostChanged { remote: RemoteUrl },
    #[error("the certificate of {} is not trusted", remote.host())]
    Untrusted { remote: RemoteUrl },
    #[error("there is no host {}", remote.host())]
    NoSuchHost { remote: RemoteUrl },
    #[error("{} does not answer", remote.host())]
    NoAnswer { remote: RemoteUrl, words: Outside },
    #[error("{remote} is not there, or not for this user")]
    NoSuchRepository { remote: RemoteUrl },
    #[error("{remote} refused to be read")]
    Refused { remote: RemoteUrl, words: Outside },
    #[error("{remote} points to another address")]
    Moved { remote: RemoteUrl },
    #[error("git's configuration turns {remote} into something that is neither https nor ssh")]
    Rewritten { remote: RemoteUrl },
    #[error("{remote} did not finish within {seconds} s")]
    TimedOut { remote: RemoteUrl, seconds: u64 },
    #[error("fetching {remote} was cancelled")]
    Cancelled { remote: RemoteUrl },
    #[error("another driftdeck has been fetching {remote} for {seconds} s")]
    Busy { remote: RemoteUrl, seconds: u64 },
    #[error("the disk is full, so {remote} could not be fetched")]
    DiskFull { remote: RemoteUrl },
    #[error("the cache folder {folder} belongs to someone else, or is a link")]
    NotPrivate { folder: String },
    #[error("the mirror in {folder} cannot be kept: {reason}")]
    Unwritable { folder: String, reason: String },
    #[error("{repo} cannot be read: {reason}")]
    Unreadable { repo: String, reason: String },
    #[error("git could not fetch {remote}")]
    Failed { remote: RemoteUrl, words: Outside },
    #[error("git could not be run")]
    NotRun { source: ChildError },
}

impl FetchError {
    /// Understands what git said when it failed. `LC_ALL=C` makes its words the ones that are looked for.
    pub(super) fn of_words(remote: &RemoteUrl, words: &Outside) -> Self {
        let remote = remote.clone();
        let said = words.raw();
        let any = |parts: &[&str]| parts.iter().any(|part| said.contains(part));
        let last = || Outside::new(told(said));
        if any(&["REMOTE HOST IDENTIFICATION HAS CHANGED"]) {
            return Self::HostChanged { remote };
        }
        if any(&["Host key verification failed", "host key is known for"]) {
            return Self::HostUnknown { remote };
        }
        if any(&[
            "SSL certificate problem",
            "certificate verif",
            "local issuer certificate",
            "no alternative certificate",
        ]) {
            return Self::Untrusted { remote };
        }
        if any(&[
            "could not read Username",
            "could not read Password",
            "Authentication failed",
            "Permission denied (",
            "Too many authentication failures",
            "returned error: 401",
        ]) {
            return Self::NoCredentials { remote };
        }
        if any(&["Could not resolve host", "Name or service not known", "nodename nor servname"]) {
            return Self::NoSuchHost { remote };
        }
        if any(&["transport '"]) && any(&["not allowed"]) {
            return Self::Rewritten { remote };
        }
        if any(&["from redirection", "redirects are not allowed", "returned error: 30"]) {
            return Self::Moved { remote };
        }
        if any(&["No space left on device", "Disk quota exceeded"]) {
            return Self::DiskFull { remote };
        }
        if any(&[
            "Repository not found",
            "' not found",
            "does not appear to be a git repository",
            "returned error: 404",
            "could not be found",
        ]) {
            return Self::NoSuchRepository { remote };
        }
        if any(&["returned error: 403", "access denied", "Access denied", "not authorized"]) {
            return Self::Refused { remote, words: last() };
        }
        if any(&[
            "Connection refused",
            "Connection timed out",
            "Operation timed out",
            "No route to host",
            "Network is unreachable",
            "Failed to connect",
            "Could not connect",
            "Connection reset",
            "Connection closed",
            "SSL_connect",
            "gnutls_handshake",
            "TLS connect error",
            "Empty reply from server",
            "returned error: 5",
            "Proxy CONNECT aborted",
        ]) {
            return Self::NoAnswer { remote, words: last() };
        }
        Self::Failed { remote, words: last() }
    }

    pub(super) fn of_child(remote: &RemoteUrl, error: ChildError) -> Self {
        match error {
            ChildError::Failed { stderr, .. } => Self::of_words(remote, &stderr),
            ChildError::TimedOut { after, .. } => {
                Self::TimedOut { remote: remote.clone(), seconds: after.as_secs() }
            }
            ChildError::Cancelled { .. } => Self::Cancelled { remote: remote.clone() },
            source => Self::NotRun { source },
        }
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoCredentials { remote } => match remote.transport() {
                super::Transport::Ssh => {
                    "add a key to your agent (ssh-add), or name one in ~/.ssh/config".into()
                }
                super::Transport::Https => "set credential.helper in your git configuration".into(),
            },
            Self::HostUnknown { remote } => {
                format!("compare its key and accept it once: ssh -T {}", remote.host())
            }
            Self::HostChanged { .. } => {
                "ask the host's owner before you change ~/.ssh/known_hosts: someone may be in between".into()
            }
            Self::Untrusted { .. } => {
                "set http.sslCAInfo in your git configuration to the authority's file".into()
            }
            Self::NoSuchHost { .. } => "check the URL and the name server".into(),
            Self::NoAnswer { .. } | Self::TimedOut { .. } => {
                "check the network, VPN and proxy; the last fetched state is shown meanwhile".into()
            }
            Self::NoSuchRepository { .. } | Self::Refused { .. } => {
                "check the URL and your rights on it".into()
            }
            Self::Moved { .. } => {
                "redirects are not followed: write the URL as the forge shows it for cloning".into()
            }
            Self::Rewritten { .. } => "see git config --get-regexp insteadof".into(),
            Self::Busy { .. } => "it is fetched again later".into(),
            Self::DiskFull { .. } => "make room in the cache folder".into(),
            Self::NotPrivate { .. } => "name another cache folder (XDG_CACHE_HOME)".into(),
            Self::Cancelled { .. }
            | Self::Unwritable { .. }
            | Self::Unreadable { .. }
            | Self::Failed { .. }
            | Self::NotRun { .. } => return None,
        })
    }

    /// Returns it as the user reads it.
    pub fn notice(&self) -> Notice {
        let mut notice = Notice::error(self.to_string());
        notice.hint = self.hint();
        notice.cause = match self {
            Self::NoAnswer { words, .. } | Self::Refused { words, .. } | Self::Failed { words, .. } => {
                Some(words.to_string())
            }
            Self::NotRun { source } => Some(source.to_string()),
            _ => None,
        };
        notice
    }
}

/// Returns the line that tells most: the last `fatal:` or `error:`, else the last one.
fn told(said: &str) -> &str {
    let lines = || said.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let marked =
        lines().find_map(|line| line.strip_prefix("fatal: ").or_else(|| line.strip_prefix("error: ")));
    marked.or_else(|| lines().next()).unwrap_or("git gave no reason")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote() -> RemoteUrl {
        RemoteUrl::read("https://git.example.com/shop/fleet.git").unwrap()
    }

    #[test]
    fn what_git_says_becomes_a_situation() {
        for (said, title) in [
            (
                "fatal: could not read Username for 'https://git.example.com': terminal prompts disabled",
                "https://git.example.com/shop/fleet asked for credentials and none were found that it takes",
            ),
            (
                "git@git.example.com: Permission denied (publickey).\nfatal: Could not read from remote repository.",
                "https://git.example.com/shop/fleet asked for credentials and none were found that it takes",
            ),
            (
                "No ED25519 host key is known for git.example.com\nHost key verification failed.\nfatal: Could not read",
                "the key of the host git.example.com is not known",
            ),
            (
                "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.",
                "the key of the host git.example.com has changed",
            ),
            (
                "fatal: unable to access 'https://x/': SSL certificate problem: self-signed certificate",
                "the certificate of git.example.com is not trusted",
            ),
            (
                "fatal: unable to access 'https://x/': Could not resolve host: git.example.com",
                "there is no host git.example.com",
            ),
            (
                "remote: Repository not found.\nfatal: repository 'https://git.example.com/shop/fleet.git/' not found",
                "https://git.example.com/shop/fleet is not there, or not for this user",
            ),
            (
                "fatal: unable to access 'https://x/': The requested URL returned error: 403",
                "https://git.example.com/shop/fleet refused to be read",
            ),
            (
                "fatal: unable to access 'https://x/': The requested URL returned error: 302",
                "https://git.example.com/shop/fleet points to another address",
            ),
            (
                "fatal: transport 'http' not allowed",
                "git's configuration turns https://git.example.com/shop/fleet into something that is neither https nor ssh",
            ),
            (
                "fatal: unable to access 'https://x/': Failed to connect to x port 443: Connection refused",
                "git.example.com does not answer",
            ),
            (
                "fatal: write error: No space left on device",
                "the disk is full, so https://git.example.com/shop/fleet could not be fetched",
            ),
            ("fatal: bad object", "git could not fetch https://git.example.com/shop/fleet"),
        ] {
            assert_eq!(FetchError::of_words(&remote(), &said.into()).to_string(), title, "{said}");
        }
    }

    #[test]
    fn words_of_a_remote_are_encoded_in_the_notice() {
        let error = FetchError::of_words(&remote(), &"hint: x\nfatal: \u{1b}]52;c;x\u{7} broken".into());
        let cause = error.notice().cause.unwrap();
        assert!(cause.contains("broken") && !cause.contains(['\u{1b}', '\u{7}']), "{cause}");
    }
}
