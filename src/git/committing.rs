//! Defines how a commit is made as its person would make it: by git's own program, with the author, the committer and the
//! signature that their configuration says, on top of a tree that is in the repository's objects already.
//!
//! The commit is an object and nothing more: no branch leads to it, no hook was run for it. What the repository's own
//! configuration says of who commits is honoured (a work address in a work repository is the rule), what it says of which
//! program signs is not: that a repository came with such a setting is no reason to run it.

use super::history::Lens;
use super::program::Git;
use super::repo::Repo;
use crate::model::Oid;
use crate::model::commit_plan::Identity;
use crate::process::ChildError;
use crate::text::Outside;
use std::path::Path;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time for signing: an agent may ask its person outside of the terminal.
const COMMIT_TIME: Duration = Duration::from_secs(60);
const QUESTION_TIME: Duration = Duration::from_secs(20);

/// Settings that say who commits, and whether and with which key it is signed: taken from wherever git finds them.
const WHO: [&str; 11] = [
    "user.name",
    "user.email",
    "user.useconfigonly",
    "user.signingkey",
    "author.name",
    "author.email",
    "committer.name",
    "committer.email",
    "commit.gpgsign",
    "gpg.format",
    "core.sharedrepository",
];
/// Settings that name programs or files of keys: the person's own alone count, not those that a repository brings.
const PROGRAMS: [&str; 6] = [
    "gpg.program",
    "gpg.openpgp.program",
    "gpg.x509.program",
    "gpg.ssh.program",
    "gpg.ssh.defaultkeycommand",
    "gpg.minTrustLevel",
];

/// How commits are made in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committing {
    pub author: Identity,
    pub committer: Identity,
    /// How it is signed: `gpg`, `ssh` or `x509`.
    pub signed: Option<String>,
    /// `name=value`, for the program.
    settings: Vec<String>,
}

/// Why no commit was made.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    #[error("{repo} is in no Git repository: nothing can be committed there")]
    NoRepository { repo: String },
    #[error("git does not know who commits")]
    NobodyKnown { words: Outside },
    #[error("the commit could not be signed with {how}")]
    NotSigned { how: String, words: Outside },
    #[error("git could not make the commit")]
    Failed { words: Outside },
    #[error("git could not be asked")]
    NotRun { source: ChildError },
    #[error("the commit cannot be made: {reason}")]
    Unwritable { reason: String },
}

impl CommitError {
    /// Returns what git said.
    pub fn words(&self) -> Option<&Outside> {
        match self {
            CommitError::NobodyKnown { words }
            | CommitError::NotSigned { words, .. }
            | CommitError::Failed { words } => Some(words),
            _ => None,
        }
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            CommitError::NobodyKnown { .. } => {
                "git config --global user.name \"Your Name\", and user.email likewise"
            }
            CommitError::NotSigned { .. } => {
                "unlock the key (gpg-agent, ssh-agent) and plan again, or commit.gpgSign=false for this repository"
            }
            _ => return None,
        })
    }

    fn of(error: ChildError, understood: impl Fn(Outside) -> Self) -> Self {
        match error.stderr() {
            Some(words) => understood(words.clone()),
            None => CommitError::NotRun { source: error },
        }
    }
}

impl Repo {
    /// Returns who would commit here, and how it would be signed.
    pub async fn committing(&self, git: &Git, cancel: &CancellationToken) -> Result<Committing, CommitError> {
        let lens = self.commit_lens().await?;
        let folder = self.git_folder().ok_or_else(|| self.no_repository())?;
        let said = git
            .settings(&folder, QUESTION_TIME, cancel)
            .await
            .map_err(|source| CommitError::NotRun { source })?;
        let settings = taken(&said);
        let value = |name: &str| {
            let of = settings.iter().rev().find_map(|(key, value)| (key == name).then_some(value.as_str()));
            of.map(str::to_owned)
        };
        let is_signed = value("commit.gpgsign").is_some_and(|value| is_true(&value));
        let signed = is_signed.then(|| match value("gpg.format").as_deref() {
            Some("ssh") => "ssh".to_owned(),
            Some("x509") => "x509".to_owned(),
            _ => "gpg".to_owned(),
        });
        let settings: Vec<String> =
            settings.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut who = Vec::new();
        for of in ["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"] {
            let arguments = with(&settings, &["var", of]);
            let done = git
                .write(lens.folder(), &lens.env(), &arguments, Vec::new(), QUESTION_TIME, cancel)
                .await
                .map_err(|error| CommitError::of(error, |words| CommitError::NobodyKnown { words }))?;
            let said = Outside::from_bytes(&done.stdout);
            let words = || CommitError::NobodyKnown { words: said.clone() };
            who.push(identity(said.raw()).ok_or_else(words)?);
        }
        let mut who = who.into_iter();
        let (Some(author), Some(committer)) = (who.next(), who.next()) else {
            return Err(CommitError::NobodyKnown { words: Outside::new("") });
        };
        Ok(Committing { author, committer, signed, settings })
    }

    /// Makes a commit of a tree that is in the objects of the repository. No branch is moved.
    pub async fn commit(
        &self,
        git: &Git,
        how: &Committing,
        tree: &str,
        parent: &Oid,
        message: &str,
        cancel: &CancellationToken,
    ) -> Result<Oid, CommitError> {
        let lens = self.commit_lens().await?;
        let mut words = vec!["commit-tree", tree, "-p", parent.0.as_str(), "-F", "-"];
        if how.signed.is_some() {
            words.push("-S");
        }
        let arguments = with(&how.settings, &words);
        let message = format!("{}\n", message.trim_end()).into_bytes();
        let done = git
            .write(lens.folder(), &lens.env(), &arguments, message, COMMIT_TIME, cancel)
            .await
            .map_err(|error| {
                CommitError::of(error, |words| match &how.signed {
                    Some(how) => CommitError::NotSigned { how: how.clone(), words },
                    None => CommitError::Failed { words },
                })
            })?;
        let id = String::from_utf8_lossy(&done.stdout).trim().to_owned();
        if id.len() != 40 || !id.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(CommitError::Failed { words: Outside::from_bytes(&done.stdout) });
        }
        Ok(Oid(id))
    }

    async fn commit_lens(&self) -> Result<Lens, CommitError> {
        self.lens().await.map_err(|error| CommitError::Unwritable { reason: error.to_string() })
    }

    fn no_repository(&self) -> CommitError {
        CommitError::NoRepository { repo: self.name().to_owned() }
    }

    /// Returns Git's folder of this working folder, or of the bare repository.
    fn git_folder(&self) -> Option<std::path::PathBuf> {
        Some(self.inner.handle.as_ref()?.lock().path().to_owned())
    }
}

/// Returns `-c name=value` for each setting, then the words.
fn with<'w>(settings: &'w [String], words: &[&'w str]) -> Vec<&'w str> {
    settings.iter().flat_map(|setting| ["-c", setting.as_str()]).chain(words.iter().copied()).collect()
}

/// Takes what counts of all settings, in their order: the last of a name wins, as it does for git.
fn taken(said: &[(String, String, String)]) -> Vec<(String, String)> {
    let counts = |scope: &str, name: &str| {
        let is_named = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        is_named(&WHO) || is_named(&PROGRAMS) && !matches!(scope, "local" | "worktree" | "submodule")
    };
    let taken = said.iter().filter(|(scope, name, _)| counts(scope, name));
    taken.map(|(_, name, value)| (name.clone(), value.clone())).collect()
}

/// Returns whether git reads a value as true.
fn is_true(value: &str) -> bool {
    ["true", "yes", "on", "1", ""].iter().any(|word| word.eq_ignore_ascii_case(value))
}

/// Reads `Name <email> 1700000000 +0100`.
fn identity(said: &str) -> Option<Identity> {
    let (name, rest) = said.trim().split_once('<')?;
    let (email, _) = rest.rsplit_once('>')?;
    Some(Identity { name: name.trim().to_owned(), email: email.to_owned() })
}

impl Git {
    /// Returns every setting that git has for a repository, with its scope (`system`, `global`, `local`, …), in the order in
    /// which git reads them.
    ///
    /// It is the one question that is asked of git in a repository of others: no program that a setting names is run to
    /// list the settings, and only git knows all of its own rules for files that include others.
    async fn settings(
        &self,
        folder: &Path,
        time: Duration,
        cancel: &CancellationToken,
    ) -> Result<Vec<(String, String, String)>, ChildError> {
        let arguments = ["config", "--list", "--show-scope", "-z"];
        let done = self.write(folder, &[], &arguments, Vec::new(), time, cancel).await?;
        let text = String::from_utf8_lossy(&done.stdout);
        let mut parts = text.split('\0');
        let mut settings = Vec::new();
        while let (Some(scope), Some(setting)) = (parts.next(), parts.next()) {
            // A name without a value is true.
            let (name, value) = setting.split_once('\n').unwrap_or((setting, "true"));
            // What was given on the command line is driftdeck's own.
            if scope != "command" {
                settings.push((scope.to_owned(), name.to_owned(), value.to_owned()));
            }
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_says_who_commits_and_not_which_program_signs() {
        let said =
            |scope: &str, name: &str, value: &str| (scope.to_owned(), name.to_owned(), value.to_owned());
        let all = [
            said("global", "user.email", "ana@home.example"),
            said("global", "gpg.ssh.program", "/usr/bin/ssh-keygen"),
            said("global", "alias.x", "!rm"),
            said("local", "user.email", "ana@work.example"),
            said("local", "gpg.ssh.program", "./evil"),
            said("worktree", "gpg.program", "./evil"),
            said("local", "core.fsmonitor", "./evil"),
            said("local", "commit.gpgsign", "true"),
        ];
        let expected = [
            ("user.email", "ana@home.example"),
            ("gpg.ssh.program", "/usr/bin/ssh-keygen"),
            ("user.email", "ana@work.example"),
            ("commit.gpgsign", "true"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(taken(&all), expected);
    }

    #[test]
    fn an_identity_is_read_as_git_writes_it() {
        let ana = identity("Ana Lima <ana@example.com> 1772355600 +0100\n").unwrap();
        assert_eq!(ana.to_string(), "Ana Lima <ana@example.com>");
        assert_eq!(identity("nobody"), None);
    }
}
