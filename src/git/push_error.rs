//! Defines how a push can fail, as situations with the server's own words and with what to do about each.
//!
//! Sources of the words that are looked for: git's own `builtin/send-pack.c` and `remote-curl.c`, and the answers of
//! GitHub (GH006, GH013), GitLab, Gitea, Forgejo and Bitbucket to pushes that they refuse.

use super::RemoteUrl;
use super::fetch_error::FetchError;
use super::push::{Before, Push};
use crate::model::{Notice, Oid};
use crate::process::{ChildError, Finished};
use crate::text::Outside;

/// Why a push does not count. The commit stays where it is, and can be pushed again.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    #[error("{branch} of {remote} is protected")]
    Protected { remote: RemoteUrl, branch: String, words: Vec<Outside> },
    #[error("a hook of {remote} refused {branch}")]
    Hook { remote: RemoteUrl, branch: String, words: Vec<Outside> },
    #[error("someone else pushed to {branch} of {remote}")]
    Moved {
        remote: RemoteUrl,
        branch: String,
        /// Where the branch is now; `None`: it is gone, or it could not be asked.
        found: Option<Oid>,
    },
    #[error("{remote} has a branch {branch} already")]
    Exists { remote: RemoteUrl, branch: String, found: Option<Oid> },
    #[error("the commit does not follow on what {branch} of {remote} holds, and history is never rewritten")]
    NotForward { remote: RemoteUrl, branch: String },
    #[error("this user may not push to {remote}")]
    NoPermission { remote: RemoteUrl, words: Vec<Outside> },
    #[error("{remote} is archived and takes nothing new")]
    Archived { remote: RemoteUrl, words: Vec<Outside> },
    #[error("{remote} refused {branch}")]
    Refused { remote: RemoteUrl, branch: String, words: Vec<Outside> },
    #[error("{source}")]
    NotReached { source: Box<FetchError> },
    #[error("pushing {branch} to {remote} broke off")]
    BrokenOff { remote: RemoteUrl, branch: String, words: Vec<Outside> },
    #[error("whether {branch} was pushed to {remote} is not known")]
    Indeterminate { remote: RemoteUrl, branch: String, source: Box<FetchError> },
    #[error("pushing {branch} to {remote} was cancelled, and may have happened")]
    Cancelled { remote: RemoteUrl, branch: String },
    #[error("{branch} is no name for a branch")]
    BadName { branch: String },
    #[error("the commit cannot be read: {reason}")]
    Unreadable { reason: String },
}

impl PushError {
    /// Returns whether the branch may be at the commit all the same, so that it has to be read back before anything is
    /// said of it.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Indeterminate { .. } | Self::Cancelled { .. })
    }

    /// Returns what the server said.
    pub fn words(&self) -> &[Outside] {
        match self {
            Self::Protected { words, .. }
            | Self::Hook { words, .. }
            | Self::NoPermission { words, .. }
            | Self::Archived { words, .. }
            | Self::Refused { words, .. }
            | Self::BrokenOff { words, .. } => words,
            _ => &[],
        }
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Protected { .. } => "open a pull request from a branch of its own".into(),
            Self::Hook { .. } | Self::Refused { .. } => {
                "do as it says, then push again: the commit is kept".into()
            }
            Self::Moved { .. } => "fetch, look at what came, and make the change on top of it".into(),
            Self::Exists { .. } => {
                "choose another name, or go on with the request that is open for it".into()
            }
            Self::NotForward { .. } => "fetch, and make the change on top of it".into(),
            Self::NoPermission { .. } => "ask for the right to write, or use credentials that have it".into(),
            Self::Archived { .. } => "ask an owner to unarchive it, or push elsewhere".into(),
            Self::NotReached { source } | Self::Indeterminate { source, .. } => match source.as_ref() {
                FetchError::NoAnswer { .. } | FetchError::TimedOut { .. } => {
                    "check the network, VPN and proxy, then push again: the commit is kept".into()
                }
                source => return source.hint(),
            },
            Self::BrokenOff { .. } => "push again: the commit is kept".into(),
            Self::Cancelled { .. } => "push again: what is there already is left as it is".into(),
            Self::BadName { .. } => "see git help check-ref-format".into(),
            Self::Unreadable { .. } => return None,
        })
    }

    /// Returns it as the user reads it.
    pub fn notice(&self) -> Notice {
        let words: Vec<String> = self.words().iter().map(ToString::to_string).collect();
        let mut notice = match self {
            Self::NotReached { source } => source.notice(),
            Self::Indeterminate { source, .. } => Notice::error(self.to_string()).cause(source.to_string()),
            _ => Notice::error(self.to_string()),
        };
        if !words.is_empty() {
            notice.cause = Some(words.join("\n"));
        }
        notice.hint = self.hint();
        notice
    }

    /// Returns whether the push ended before the server was asked to move the branch.
    pub(super) fn is_before_sending(&self) -> bool {
        match self {
            Self::NotReached { source } => {
                !matches!(**source, FetchError::NoAnswer { .. } | FetchError::TimedOut { .. })
            }
            Self::NoPermission { .. } | Self::Archived { .. } => true,
            _ => false,
        }
    }
}

impl PushError {
    /// Returns whether the server, or git before it, said no.
    fn is_refusal(&self) -> bool {
        !matches!(self, Self::NotReached { .. } | Self::BrokenOff { .. })
    }
}

/// What a push was about, to make its result of.
#[derive(Clone, Copy)]
pub(super) struct Evidence<'a> {
    pub remote: &'a RemoteUrl,
    pub branch: &'a str,
}

impl Evidence<'_> {
    pub fn not_forward(self) -> PushError {
        PushError::NotForward { remote: self.remote.clone(), branch: self.branch.to_owned() }
    }

    pub fn of_child(self, error: ChildError) -> PushError {
        PushError::NotReached { source: Box::new(FetchError::of_child(self.remote, error)) }
    }

    /// Understands how `git push --porcelain` ended, given what the server said.
    pub fn of_ending(self, ended: &Finished, words: &[Outside]) -> PushError {
        let report = String::from_utf8_lossy(&ended.stdout).into_owned();
        // `!<TAB>from:to<TAB>[remote rejected] (reason)`
        let refusal = report.lines().find_map(|line| line.strip_prefix("!\t")?.split_once('\t'));
        let said = words.iter().map(Outside::raw).collect::<Vec<_>>().join("\n").to_lowercase();
        let stderr = ended.stderr.raw().to_lowercase();
        match refusal {
            Some((_, reason)) => self.of_refusal(&reason.to_lowercase(), &said, words),
            None if is_archived(&stderr) => {
                PushError::Archived { remote: self.remote.clone(), words: words.to_vec() }
            }
            None if is_denied(&stderr) => {
                PushError::NoPermission { remote: self.remote.clone(), words: words.to_vec() }
            }
            None => match FetchError::of_words(self.remote, &ended.stderr) {
                FetchError::Failed { .. } => PushError::BrokenOff {
                    remote: self.remote.clone(),
                    branch: self.branch.to_owned(),
                    words: words.to_vec(),
                },
                source => PushError::NotReached { source: Box::new(source) },
            },
        }
    }

    fn of_refusal(self, reason: &str, said: &str, words: &[Outside]) -> PushError {
        let any = |text: &str, parts: &[&str]| parts.iter().any(|part| text.contains(part));
        let (remote, branch) = (self.remote.clone(), self.branch.to_owned());
        let both = format!("{reason}\n{said}");
        let words = words.to_vec();
        if any(reason, &["stale info", "fetch first", "non-fast-forward", "already exists", "needs force"])
            || any(
                reason,
                &["cannot lock ref", "failed to update ref", "failed to lock", "incorrect old value"],
            )
        {
            return PushError::Moved { remote, branch, found: None };
        }
        if is_archived(&both) {
            return PushError::Archived { remote, words };
        }
        if any(&both, &["protected", "gh006", "gh013", "repository rule violations", "branch permissions"]) {
            return PushError::Protected { remote, branch, words };
        }
        if is_denied(&both) {
            return PushError::NoPermission { remote, words };
        }
        if any(reason, &["hook declined"]) {
            return PushError::Hook { remote, branch, words };
        }
        // Where the server gives no words of its own, git's reason is all there is.
        let words = if words.is_empty() { vec![Outside::new(reason)] } else { words };
        PushError::Refused { remote, branch, words }
    }

    /// Decides what a push came to, by what the remote's branch is now; `None`: it counts.
    pub fn judge(
        self,
        push: &Push,
        failure: Option<PushError>,
        found: Result<Option<Oid>, FetchError>,
    ) -> Option<PushError> {
        let (remote, branch) = (self.remote.clone(), self.branch.to_owned());
        let found = match (found, failure) {
            (Ok(Some(found)), _) if found == push.commit => return None,
            (Ok(found), Some(PushError::Moved { .. }) | None) => found,
            // The server said no; that it cannot be asked again changes nothing.
            (_, Some(failure)) if failure.is_refusal() => return Some(failure),
            (Ok(_), Some(failure)) => return Some(failure),
            (Err(FetchError::Cancelled { .. }), _) => return Some(PushError::Cancelled { remote, branch }),
            (Err(source), _) => {
                return Some(PushError::Indeterminate { remote, branch, source: Box::new(source) });
            }
        };
        Some(match push.before {
            Before::Nothing if found.is_some() => PushError::Exists { remote, branch, found },
            _ => PushError::Moved { remote, branch, found },
        })
    }
}

fn is_archived(said: &str) -> bool {
    said.contains("archived")
        || said.contains("is a mirror")
        || said.contains("mirror repository is read-only")
}

fn is_denied(said: &str) -> bool {
    [
        "denied to",
        "permission denied for writing",
        "not authorized to write",
        "not allowed to push",
        "marked as read only",
        "write access to repository not granted",
        "does not have write",
        "returned error: 403",
        "access denied",
        "you don't have permission",
    ]
    .iter()
    .any(|part| said.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(stdout: &str, stderr: &str) -> Finished {
        Finished {
            program: "git".into(),
            code: Some(1),
            signal: None,
            stdout: stdout.as_bytes().to_vec(),
            stderr: stderr.into(),
        }
    }

    fn told(stdout: &str, stderr: &str) -> String {
        let remote = RemoteUrl::read("https://git.example.com/shop/fleet.git").unwrap();
        let evidence = Evidence { remote: &remote, branch: "main" };
        let ended = ended(stdout, stderr);
        let error = evidence.of_ending(&ended, &super::super::push_words::of_server(&ended.stderr));
        let notice = error.notice();
        assert!(notice.hint.is_some(), "what to do is said: {notice:?}");
        match notice.cause {
            Some(cause) => format!("{}: {cause}", notice.title),
            None => notice.title,
        }
    }

    #[test]
    fn what_forges_say_to_a_push_becomes_a_situation() {
        let refused =
            |reason: &str| format!("To x\n!\ta:refs/heads/main\t[remote rejected] ({reason})\nDone\n");
        for (stdout, stderr, wanted) in [
            (
                refused("protected branch hook declined"),
                "remote: error: GH006: Protected branch update failed for refs/heads/main.",
                "main of https://git.example.com/shop/fleet is protected: error: GH006: Protected branch update failed for refs/heads/main.",
            ),
            (
                refused("pre-receive hook declined"),
                "remote: GitLab: You are not allowed to push code to protected branches on this project.",
                "main of https://git.example.com/shop/fleet is protected: GitLab: You are not allowed to push code to protected branches on this project.",
            ),
            (
                refused("pre-receive hook declined"),
                "remote: Forgejo: Not allowed to push to protected branch main",
                "main of https://git.example.com/shop/fleet is protected: Forgejo: Not allowed to push to protected branch main",
            ),
            (
                refused("pre-receive hook declined"),
                "remote: no change on a Friday\nremote: ask ana",
                "a hook of https://git.example.com/shop/fleet refused main: no change on a Friday\nask ana",
            ),
            (
                refused("pre-receive hook declined"),
                "remote: GitLab: You are not allowed to push code to this project.",
                "this user may not push to https://git.example.com/shop/fleet: GitLab: You are not allowed to push code to this project.",
            ),
            (
                "!\ta:refs/heads/main\t[rejected] (stale info)\n".into(),
                "error: failed to push some refs to 'x'",
                "someone else pushed to main of https://git.example.com/shop/fleet",
            ),
            (
                refused("cannot lock ref 'refs/heads/main': is at 1 but expected 2"),
                "",
                "someone else pushed to main of https://git.example.com/shop/fleet",
            ),
            (
                String::new(),
                "remote: Permission to shop/fleet.git denied to ana.\nfatal: unable to access 'https://git.example.com/x/': The requested URL returned error: 403",
                "this user may not push to https://git.example.com/shop/fleet: Permission to shop/fleet.git denied to ana.",
            ),
            (
                String::new(),
                "ERROR: The key you are authenticating with has been marked as read only.\nfatal: Could not read from remote repository.",
                "this user may not push to https://git.example.com/shop/fleet: ERROR: The key you are authenticating with has been marked as read only.",
            ),
            (
                String::new(),
                "remote: This repository was archived so it is read-only.\nfatal: unable to access 'https://git.example.com/x/': The requested URL returned error: 403",
                "https://git.example.com/shop/fleet is archived and takes nothing new: This repository was archived so it is read-only.",
            ),
            (
                String::new(),
                "fatal: could not read Username for 'https://git.example.com': terminal prompts disabled",
                "https://git.example.com/shop/fleet asked for credentials and none were found that it takes",
            ),
            (
                String::new(),
                "No ED25519 host key is known for git.example.com\nHost key verification failed.",
                "the key of the host git.example.com is not known",
            ),
            (
                refused("internal server error"),
                "",
                "https://git.example.com/shop/fleet refused main: [remote rejected] (internal server error)",
            ),
        ] {
            assert_eq!(told(&stdout, stderr), wanted, "{stdout}{stderr}");
        }
    }

    #[test]
    fn only_what_the_remote_has_now_decides() {
        let remote = RemoteUrl::read("https://git.example.com/shop/fleet.git").unwrap();
        let evidence = Evidence { remote: &remote, branch: "main" };
        let push = |before| Push { commit: Oid("c".into()), branch: "main".into(), before };
        let onto = push(Before::Commit(Oid("b".into())));
        let oid = |name: &str| Ok(Some(Oid(name.into())));
        let lost = || {
            let words = Outside::new("Connection reset");
            Some(PushError::NotReached {
                source: Box::new(FetchError::NoAnswer { remote: remote.clone(), words }),
            })
        };
        let unreachable = || Err(FetchError::NoAnswer { remote: remote.clone(), words: "x".into() });
        let moved = || Some(PushError::Moved { remote: remote.clone(), branch: "main".into(), found: None });
        assert!(
            evidence.judge(&onto, lost(), oid("c")).is_none(),
            "it went through although nobody heard of it"
        );
        assert!(evidence.judge(&onto, None, oid("c")).is_none());
        assert!(matches!(evidence.judge(&onto, lost(), oid("b")), Some(PushError::NotReached { .. })));
        assert!(matches!(
            evidence.judge(&onto, lost(), unreachable()),
            Some(PushError::Indeterminate { .. })
        ));
        assert!(matches!(evidence.judge(&onto, None, unreachable()), Some(PushError::Indeterminate { .. })));
        assert!(matches!(evidence.judge(&onto, moved(), unreachable()), Some(PushError::Moved { .. })));
        let Some(PushError::Moved { found, .. }) = evidence.judge(&onto, None, oid("d")) else {
            panic!("the server said yes and its branch is elsewhere")
        };
        assert_eq!(found, Some(Oid("d".into())));
        let new = push(Before::Nothing);
        assert!(matches!(evidence.judge(&new, moved(), oid("d")), Some(PushError::Exists { .. })));
        assert!(matches!(evidence.judge(&new, moved(), Ok(None)), Some(PushError::Moved { .. })));
    }
}
