//! Defines the programs that render: where they are, which version they are, and how they are run.

use super::cache::{Cache, Store};
use super::passage::Passage;
use crate::model::limits;
use crate::process::{ChildError, Finished, Job, Limits, find_program, run};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

/// A program that renders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tool {
    Kustomize,
    Kubectl,
    Helm,
}

impl Tool {
    pub const ALL: [Tool; 3] = [Tool::Kustomize, Tool::Kubectl, Tool::Helm];

    /// Returns the program's name.
    pub fn program(self) -> &'static str {
        match self {
            Tool::Kustomize => "kustomize",
            Tool::Kubectl => "kubectl",
            Tool::Helm => "helm",
        }
    }

    fn version_arguments(self) -> &'static [&'static str] {
        match self {
            Tool::Kustomize => &["version"],
            Tool::Kubectl => &["version", "--client"],
            Tool::Helm => &["version", "--short"],
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program())
    }
}

/// The programs that render, with what they rendered before. Clones share it.
#[derive(Clone)]
pub struct Tools {
    found: Arc<[Option<Found>; 3]>,
    git: Option<PathBuf>,
    scratch: PathBuf,
    allowed_hosts: BTreeSet<String>,
    pub(super) cache: Arc<Cache>,
}

/// One program on this machine.
struct Found {
    path: PathBuf,
    version: OnceCell<String>,
}

impl Tools {
    /// Looks for the programs on a search path, such as the value of `PATH`.
    ///
    /// `scratch` is an existing folder in which private folders for exported copies are made and removed again.
    pub fn on(search_path: &OsStr, scratch: impl Into<PathBuf>) -> Self {
        let found = Tool::ALL.map(|tool| {
            find_program(tool.program(), search_path).map(|path| Found { path, version: OnceCell::new() })
        });
        Self {
            found: Arc::new(found),
            git: find_program("git", search_path),
            scratch: scratch.into(),
            allowed_hosts: BTreeSet::new(),
            cache: Arc::default(),
        }
    }

    /// Allows kustomize to contact these hosts where a kustomization refers to them.
    #[must_use]
    pub fn allow_hosts(mut self, hosts: impl IntoIterator<Item = String>) -> Self {
        self.allowed_hosts.extend(hosts.into_iter().map(|host| host.to_ascii_lowercase()));
        self
    }

    /// Keeps renderings that hold no Secret in a store as well.
    #[must_use]
    pub fn keep_in(mut self, store: Arc<dyn Store>) -> Self {
        self.cache = Arc::new(Cache::over(store));
        self
    }

    /// Returns where a program is.
    pub fn path(&self, tool: Tool) -> Option<&Path> {
        self.entry(tool).map(|found| found.path.as_path())
    }

    /// Returns a program's version in its own words; `None` if it is absent or does not say.
    pub async fn version(&self, tool: Tool) -> Option<&str> {
        let found = self.entry(tool)?;
        let version = found
            .version
            .get_or_init(|| async {
                let said = self.ask_version(tool, &found.path).await.unwrap_or_default();
                String::from_utf8_lossy(&said).split_whitespace().collect::<Vec<_>>().join(" ")
            })
            .await;
        Some(version.as_str()).filter(|version| !version.is_empty())
    }

    pub(super) fn allows(&self, host: &str) -> bool {
        self.allowed_hosts.contains(&host.to_ascii_lowercase())
    }

    pub(super) fn scratch(&self) -> &Path {
        &self.scratch
    }

    fn entry(&self, tool: Tool) -> Option<&Found> {
        let index = Tool::ALL.iter().position(|one| *one == tool)?;
        self.found.get(index)?.as_ref()
    }

    async fn ask_version(&self, tool: Tool, path: &Path) -> Option<Vec<u8>> {
        let home = tempfile::tempdir_in(&self.scratch).ok()?;
        let job = isolated(path, home.path(), home.path(), None).args(tool.version_arguments());
        let finished = run(job, &CancellationToken::new()).await.ok()?;
        finished.succeeded().then_some(finished.stdout)
    }

    /// Runs a tool in a folder of an exported copy, with `home` as its empty home.
    ///
    /// Where `online`, it finds `git`, which fetches what allowed references name, and a proxy that leads to the allowed
    /// hosts (see [`super::passage`] for what it does not cover); else it finds no program at all, and a proxy that is not
    /// there.
    pub(super) async fn run(
        &self,
        tool: Tool,
        arguments: impl IntoIterator<Item = OsString>,
        dir: &Path,
        home: &Path,
        online: bool,
        cancel: &CancellationToken,
    ) -> Result<Finished, ChildError> {
        let Some(found) = self.entry(tool) else {
            return Err(ChildError::NotFound { program: tool.program().to_owned() });
        };
        let programs = if online { self.git.as_deref().and_then(Path::parent) } else { None };
        let mut job = isolated(&found.path, dir, home, programs).args(arguments);
        let passage = if online {
            let opened = Passage::to(self.allowed_hosts.clone()).await;
            let program = || tool.program().to_owned();
            Some(opened.map_err(|source| ChildError::Broken { program: program(), source })?)
        } else {
            None
        };
        // Port 9 (discard) of this machine: whatever still tries to reach out is refused at once.
        let proxy = passage.as_ref().map_or_else(|| "http://127.0.0.1:9".to_owned(), Passage::url);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            job = job.env(name, &proxy);
        }
        run(job, cancel).await?.success()
    }
}

/// Describes a run with an empty home, no kubeconfig and the limits of a rendering.
fn isolated(program: &Path, dir: &Path, home: &Path, programs: Option<&Path>) -> Job {
    let mut limits = Limits::within(limits::RENDER_TIME);
    limits.memory_bytes = Some(limits::RENDER_MEMORY_BYTES);
    let nothing = home.join("nothing");
    Job::new(program, dir, limits)
        .env("HOME", home)
        .env("TMPDIR", home)
        .env("PATH", programs.unwrap_or(&nothing))
        .env("KUBECONFIG", &nothing)
        .env("XDG_CONFIG_HOME", home)
        .env("XDG_CACHE_HOME", home)
        .env("XDG_DATA_HOME", home)
        .env("HELM_CACHE_HOME", home)
        .env("HELM_CONFIG_HOME", home)
        .env("HELM_DATA_HOME", home)
        .env("HELM_PLUGINS", &nothing)
        .env("KUSTOMIZE_PLUGIN_HOME", &nothing)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ALLOW_PROTOCOL", "https")
        .env("LANG", "C.UTF-8")
}

impl fmt::Debug for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found: Vec<_> = Tool::ALL.iter().filter_map(|tool| self.path(*tool)).collect();
        f.debug_struct("Tools")
            .field("found", &found)
            .field("hosts", &self.allowed_hosts)
            .finish_non_exhaustive()
    }
}
