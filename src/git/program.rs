//! Defines the one wrapper through which the user's `git` program is run.
//!
//! The user's own configuration (global and system) is honoured, as are ssh agents, credential helpers and proxies: that is
//! why the program is used at all. Nothing that a repository says is: git only ever runs on a repository whose
//! configuration this room wrote, the settings that name programs are overridden on top, nothing is asked on a terminal
//! or in a window, and only https and ssh are spoken, whatever a URL is rewritten to.

use crate::model::limits;
use crate::process::{self, ChildError, Finished, Job, Limits};
use crate::text::Outside;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The oldest git that knows all that is asked of it (`--no-write-fetch-head` came with 2.29).
const OLDEST: (u32, u32) = (2, 30);
/// Time for questions that need no network.
const QUESTION_TIME: Duration = Duration::from_secs(20);

/// Variables of the user that git, ssh, and credential helpers need. Everything else stays behind: what redirects git
/// (`GIT_DIR`, `GIT_EXEC_PATH`, `GIT_TRACE`), and secrets that are meant for other programs.
const PASSED: [&str; 46] = [
    "HOME",
    "PATH",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "GIT_SSH",
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
    "EMAIL",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
    "GIT_SSL_NO_VERIFY",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "GNUPGHOME",
    "PASSWORD_STORE_DIR",
    "KRB5CCNAME",
    "KRB5_CONFIG",
    "GH_CONFIG_DIR",
    "AWS_PROFILE",
    "AWS_CONFIG_FILE",
    "CLOUDSDK_CONFIG",
    "AZURE_CONFIG_DIR",
];

/// What is set on top.
const SET: [(&str, &str); 12] = [
    ("LC_ALL", "C"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ASKPASS", ""),
    ("SSH_ASKPASS", ""),
    ("SSH_ASKPASS_REQUIRE", "never"),
    ("GCM_INTERACTIVE", "never"),
    ("GIT_ALLOW_PROTOCOL", "https:ssh"),
    ("GIT_PAGER", "cat"),
    ("GIT_EDITOR", ":"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_ATTR_NOSYSTEM", "1"),
];

/// Settings that name programs or reach further than the one remote, overridden whoever set them. Credential helpers and
/// the ssh command are the user's own: the repository's configuration has neither.
const OVERRIDDEN: [&str; 14] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.editor=:",
    "core.askPass=",
    "credential.interactive=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "transfer.bundleURI=false",
    // A redirect leads to a host that the user has not named.
    "http.followRedirects=false",
    "log.showSignature=false",
];

/// Why the program cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error("git is not installed, or not on PATH")]
    Missing,
    #[error("git {found} is too old: {}.{} or newer is needed", OLDEST.0, OLDEST.1)]
    TooOld { found: String },
    #[error("git could not say its version")]
    NoVersion { source: ChildError },
}

impl GitError {
    /// Returns what to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            GitError::Missing | GitError::TooOld { .. } => {
                "install a current git; repositories on this machine are read without it"
            }
            GitError::NoVersion { .. } => "run git version by hand",
        }
    }
}

/// The user's `git`, found and asked for its version.
#[derive(Clone)]
pub struct Git {
    program: PathBuf,
    env: Vec<(OsString, OsString)>,
    version: String,
}

impl Git {
    /// Finds git on the user's `PATH` and makes the environment that it will run in.
    ///
    /// `env` is the environment of driftdeck itself; what git does not need of it is left behind.
    pub async fn find(
        env: impl IntoIterator<Item = (OsString, OsString)>,
        cancel: &CancellationToken,
    ) -> Result<Self, GitError> {
        let mut env: Vec<_> = env.into_iter().filter(|(name, _)| PASSED.iter().any(|p| name == p)).collect();
        env.sort();
        let path = value(&env, "PATH").unwrap_or_default().to_owned();
        let program = process::find_program("git", &path).ok_or(GitError::Missing)?;
        env.extend(SET.iter().map(|(name, value)| (name.into(), value.into())));
        let mut git = Self { program, env, version: String::new() };
        let said = git.ask(&["version"], cancel).await.map_err(|source| GitError::NoVersion { source })?;
        git.version = version_of(&String::from_utf8_lossy(&said.stdout));
        if numbers(&git.version) < Some(OLDEST) {
            return Err(GitError::TooOld { found: git.version });
        }
        git.keep_ssh_quiet(cancel).await;
        Ok(git)
    }

    /// Returns the version, such as `2.39.5`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns where the program was found.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Runs git on a bare repository whose configuration this room wrote.
    ///
    /// `arguments` are the command and its options, `operands` what is never an option, whatever it looks like. Every
    /// line of standard error goes to `on_line`.
    pub(super) async fn run(
        &self,
        bare: &Path,
        arguments: &[&str],
        operands: &[&str],
        time: Duration,
        cancel: &CancellationToken,
        on_line: &mut (dyn FnMut(&Outside) + Send),
    ) -> Result<Finished, ChildError> {
        self.run_with(bare, &[], arguments, operands, time, cancel, on_line).await?.success()
    }

    /// Runs git as [`Git::run`] does and returns how it ended, also where it failed. `env` says where the objects are.
    #[allow(clippy::too_many_arguments, reason = "each is another thing, and there are two callers")]
    pub(super) async fn run_with(
        &self,
        bare: &Path,
        env: &[(&str, &Path)],
        arguments: &[&str],
        operands: &[&str],
        time: Duration,
        cancel: &CancellationToken,
        on_line: &mut (dyn FnMut(&Outside) + Send),
    ) -> Result<Finished, ChildError> {
        let end = (!operands.is_empty()).then_some("--");
        let job = self.job(bare, env, arguments, time).args(end).args(operands);
        process::run_with_progress(job, cancel, on_line).await
    }

    /// Reads with git through a bare repository whose configuration this room wrote: the network is out of reach, paths are
    /// taken literally. `env` says where the objects are.
    pub(super) async fn read(
        &self,
        bare: &Path,
        env: &[(&str, &Path)],
        arguments: &[&str],
        paths: &[&str],
        time: Duration,
        cancel: &CancellationToken,
    ) -> Result<Finished, ChildError> {
        let job = self.local(bare, env, arguments, time).args(["--"]).args(paths);
        process::run(job, cancel).await?.success()
    }

    /// Runs git on this machine alone, with what it reads from standard input; paths are taken literally, no remote is in
    /// reach. `bare` is a repository whose configuration this room wrote, unless nothing is asked that its configuration
    /// could turn into a program.
    pub(super) async fn write(
        &self,
        bare: &Path,
        env: &[(&str, &Path)],
        arguments: &[&str],
        stdin: Vec<u8>,
        time: Duration,
        cancel: &CancellationToken,
    ) -> Result<Finished, ChildError> {
        let job = self.local(bare, env, arguments, time).stdin(stdin);
        process::run(job, cancel).await?.success()
    }

    /// Describes a run that takes paths literally and that no remote is in reach of.
    fn local(&self, bare: &Path, env: &[(&str, &Path)], arguments: &[&str], time: Duration) -> Job {
        self.job(bare, env, arguments, time)
            .env("GIT_LITERAL_PATHSPECS", "1")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_ALLOW_PROTOCOL", "none")
    }

    /// Describes a run in a repository, with everything overridden that its settings could turn into a program.
    fn job(&self, bare: &Path, env: &[(&str, &Path)], arguments: &[&str], time: Duration) -> Job {
        let settings = OVERRIDDEN.iter().flat_map(|setting| ["-c", setting]);
        let job = Job { env: self.env.clone(), ..Job::new(&self.program, bare, Limits::within(time)) }
            .args(settings)
            .args(arguments)
            .env("GIT_DIR", bare);
        env.iter().fold(job, |job, (name, path)| job.env(*name, path))
    }

    /// Asks git something that is about no repository.
    async fn ask(&self, arguments: &[&str], cancel: &CancellationToken) -> Result<Finished, ChildError> {
        let limits = Limits { stdout_bytes: limits::CHILD_ERROR_BYTES, ..Limits::within(QUESTION_TIME) };
        let job = Job { env: self.env.clone(), ..Job::new(&self.program, "/", limits) }
            .args(arguments)
            // No repository, also where `/` is one.
            .env("GIT_DIR", "/dev/null");
        process::run(job, cancel).await?.success()
    }

    /// Makes ssh fail where it would ask, while keeping the command that the user configured.
    ///
    /// The order is git's own: `GIT_SSH_COMMAND`, `core.sshCommand`, `GIT_SSH`, `ssh`. Programs other than OpenSSH know
    /// other options and are left as they are: without a terminal they cannot ask either.
    async fn keep_ssh_quiet(&mut self, cancel: &CancellationToken) {
        let configured = match value(&self.env, "GIT_SSH_COMMAND") {
            Some(command) => Some(command.to_string_lossy().into_owned()),
            None => match self.ask(&["config", "--get", "core.sshCommand"], cancel).await {
                Ok(said) => Some(String::from_utf8_lossy(&said.stdout).trim().to_owned()),
                Err(_) => None,
            },
        };
        let command = match configured.filter(|command| !command.is_empty()) {
            Some(command) => command,
            None if value(&self.env, "GIT_SSH").is_some() => return,
            None => "ssh".to_owned(),
        };
        if is_openssh(&command) {
            self.env.retain(|(name, _)| name != "GIT_SSH_COMMAND");
            self.env.push(("GIT_SSH_COMMAND".into(), format!("{command} -oBatchMode=yes").into()));
        }
    }
}

fn value<'a>(env: &'a [(OsString, OsString)], name: &str) -> Option<&'a OsStr> {
    env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
}

/// Returns whether a shell command runs OpenSSH: its first word ends in `ssh`.
fn is_openssh(command: &str) -> bool {
    let first = command.split_whitespace().next().unwrap_or_default().trim_matches(['"', '\'']);
    first.rsplit('/').next() == Some("ssh")
}

/// Returns `2.39.5` of `git version 2.39.5 (Apple Git-154)`.
fn version_of(said: &str) -> String {
    said.split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap_or("")
        .to_owned()
}

fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_the_vendors_print_them() {
        for (said, version, known) in [
            ("git version 2.39.5\n", "2.39.5", Some((2, 39))),
            ("git version 2.39.5 (Apple Git-154)\n", "2.39.5", Some((2, 39))),
            ("git version 2.45.0.windows.1\n", "2.45.0.windows.1", Some((2, 45))),
            ("hello", "", None),
        ] {
            assert_eq!((version_of(said).as_str(), numbers(&version_of(said))), (version, known));
        }
        assert!(numbers("2.29.9") < Some(OLDEST) && numbers("") < Some(OLDEST));
    }

    #[test]
    fn only_openssh_is_given_its_option() {
        for (command, openssh) in [
            ("ssh", true),
            ("/usr/bin/ssh -i ~/.ssh/fleet", true),
            ("'/opt/ssh' -v", true),
            ("plink -batch", false),
            ("sshpass -f x ssh", false),
            ("", false),
        ] {
            assert_eq!(is_openssh(command), openssh, "{command}");
        }
    }
}
