//! Defines repos: how a place that the user named becomes one, and what can be asked of it.

use super::RemoteUrl;
use super::disk::Hashes;
use super::ignores::Ignores;
use super::revision::CommitFacts;
use super::working_tree::WorkingTree;
use crate::model::status::RepoStatus;
use crate::model::{Asked, Level, Notice, RepoId, Revision};
use git2::{ErrorClass, ErrorCode, RepositoryOpenFlags, RepositoryState};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A repository, or a folder that is in none, opened for reading. Cheap to clone; clones share caches.
#[derive(Clone)]
pub struct Repo {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    id: RepoId,
    name: String,
    location: String,
    kind: Kind,
    /// The working folder; for a bare repository, the repository itself.
    root: PathBuf,
    /// What the user named, relative to `root`.
    prefix: String,
    pub(super) handle: Option<Handle>,
    pub(super) hashes: Arc<Hashes>,
}

/// What sort of repo it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A repository with its working folder.
    Checkout,
    /// A further working folder of a repository (`git worktree add`).
    LinkedWorktree,
    /// The checkout of a submodule, opened on its own.
    Submodule,
    Bare,
    /// A bare copy of a remote in the cache folder.
    Mirror,
    /// A folder that is in no repository.
    Folder,
}

/// Why a place cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("there is no {path}")]
    NoSuchPlace { path: String },
    #[error("{path} is in a repository that belongs to another user")]
    NotOwned { path: String },
    #[error("the repository of {path} uses {feature}, which is not supported")]
    Unsupported { path: String, feature: String },
    #[error("the repository of {path} says that its working folder is {claimed}")]
    WorkingFolderElsewhere { path: String, claimed: String },
    #[error("the repository of {path} cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
}

impl OpenError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            OpenError::NoSuchPlace { .. } => return None,
            OpenError::NotOwned { path } => {
                format!("if you trust it: git config --global --add safe.directory {path}")
            }
            OpenError::Unsupported { .. } => "name a plain clone of it, or its URL".into(),
            OpenError::WorkingFolderElsewhere { .. } => {
                "its configuration sets core.worktree; unset it".into()
            }
            OpenError::Unreadable { .. } => "git fsck may say more".into(),
        })
    }

    /// Returns it as the user reads it.
    pub fn notice(&self) -> Notice {
        Notice::error(self.to_string()).hinted(self.hint())
    }
}

/// A repository of libgit2 that several threads share: it is `Send` but not `Sync`.
#[derive(Clone)]
pub(super) struct Handle(Arc<Mutex<git2::Repository>>);

impl Handle {
    pub(super) fn new(repository: git2::Repository) -> Self {
        Self(Arc::new(Mutex::new(repository)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, git2::Repository> {
        // A panic elsewhere leaves libgit2's own state whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Repo {
    /// Opens the repository that a folder or file is in, looking upwards as git does; a folder in no repository opens as a
    /// plain folder. The environment (`GIT_DIR`) is not asked, and no program is run. Blocks on the disk.
    pub fn open(place: &Path) -> Result<Self, OpenError> {
        let shown = place.display().to_string();
        let place = found(place)?;
        let start = if place.is_dir() { place.as_path() } else { place.parent().unwrap_or(&place) };
        let none: [&OsStr; 0] = [];
        match git2::Repository::open_ext(start, RepositoryOpenFlags::empty(), none) {
            Ok(repository) => Self::of_repository(repository, &place, &shown),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(Self::of_folder(start, &place)),
            Err(error) => Err(refusal(&shown, start, &error)),
        }
    }

    /// Opens a folder, or the one that a file is in, without a look at the repository that it may be in: every file counts.
    pub fn open_plain(place: &Path) -> Result<Self, OpenError> {
        let place = found(place)?;
        let start = if place.is_dir() { place.as_path() } else { place.parent().unwrap_or(&place) };
        Ok(Self::of_folder(start, &place))
    }

    /// Opens a mirror that `Mirror::fetch` has filled.
    pub(super) fn open_mirror(folder: &Path, url: &RemoteUrl) -> Result<Self, OpenError> {
        let none: [&OsStr; 0] = [];
        let flags = RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::BARE;
        let repository = git2::Repository::open_ext(folder, flags, none)
            .map_err(|error| refusal(&url.canonical(), folder, &error))?;
        Ok(Self::assemble(Inner {
            id: RepoId(url.canonical().into()),
            name: url.name().to_owned(),
            location: url.canonical(),
            kind: Kind::Mirror,
            root: folder.to_owned(),
            prefix: String::new(),
            handle: Some(Handle::new(repository)),
            hashes: Arc::default(),
        }))
    }

    fn of_repository(repository: git2::Repository, place: &Path, shown: &str) -> Result<Self, OpenError> {
        let unreadable =
            |error: std::io::Error| OpenError::Unreadable { path: shown.into(), reason: error.to_string() };
        let (root, kind) = match repository.workdir() {
            None => (repository.path().canonicalize().map_err(unreadable)?, Kind::Bare),
            Some(claimed) => {
                let claimed = claimed.canonicalize().map_err(unreadable)?;
                check_working_folder(&repository, place, &claimed, shown)?;
                let kind = if repository.is_worktree() {
                    Kind::LinkedWorktree
                } else if claimed.join(".git").is_file() {
                    Kind::Submodule
                } else {
                    Kind::Checkout
                };
                (claimed, kind)
            }
        };
        let prefix = match (kind, relative(&root, place)) {
            (Kind::Bare, _) | (_, None) => String::new(),
            (_, Some(prefix)) if prefix == ".git" || prefix.starts_with(".git/") => String::new(),
            (_, Some(prefix)) => prefix,
        };
        Ok(Self::assemble(Inner {
            id: RepoId(root.display().to_string().into()),
            name: name_of(&repository, &root),
            location: root.display().to_string(),
            kind,
            root,
            prefix,
            handle: Some(Handle::new(repository)),
            hashes: Arc::default(),
        }))
    }

    fn of_folder(root: &Path, place: &Path) -> Self {
        Self::assemble(Inner {
            id: RepoId(root.display().to_string().into()),
            name: last_segment(root),
            location: root.display().to_string(),
            kind: Kind::Folder,
            root: root.to_owned(),
            prefix: relative(root, place).unwrap_or_default(),
            handle: None,
            hashes: Arc::default(),
        })
    }

    fn assemble(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    pub fn id(&self) -> &RepoId {
        &self.inner.id
    }

    /// Returns the short name for people: the last segment of `origin`'s URL, else the folder's name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Returns the remote URL without userinfo, or the local path.
    pub fn location(&self) -> &str {
        &self.inner.location
    }

    pub fn kind(&self) -> Kind {
        self.inner.kind
    }

    /// Returns the working folder or plain folder; for a bare repository and a mirror, the repository itself.
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// Returns what the user named, relative to the root: a folder or a file; empty for the root itself.
    pub fn prefix(&self) -> &str {
        &self.inner.prefix
    }

    /// Returns whether files are read from a folder that people edit.
    pub fn has_working_folder(&self) -> bool {
        !matches!(self.inner.kind, Kind::Bare | Kind::Mirror)
    }

    /// Returns the URL of the remote `origin`, where it is one that driftdeck would contact: for links to the forge.
    pub fn origin_url(&self) -> Option<RemoteUrl> {
        let handle = self.inner.handle.as_ref()?;
        let repo = handle.lock();
        let text = origin_text(&repo)?;
        RemoteUrl::read(&text).ok()
    }

    /// Returns Git's own folders: that of this working folder, and that of the repository where it is another.
    pub(super) fn git_folders(&self) -> BTreeSet<PathBuf> {
        let Some(handle) = &self.inner.handle else { return BTreeSet::new() };
        let repo = handle.lock();
        [repo.path(), repo.commondir()].iter().filter_map(|folder| folder.canonicalize().ok()).collect()
    }

    /// Returns the working files without a look at commits and changes; `None` where there are none.
    pub(super) fn working_files(&self) -> Option<WorkingTree> {
        if !self.has_working_folder() {
            return None;
        }
        let asked = Asked::WorkingFolder { branch: None };
        let revision = Revision { asked, commit: None, dirty: false, behind: 0, ahead: 0 };
        let ignores = self.inner.handle.clone().map(|handle| Ignores::new(handle, self.prefix()));
        Some(WorkingTree::new(self.root().into(), self.inner.hashes.clone(), ignores, revision))
    }

    /// Returns whether a working file would never be committed.
    pub(super) fn ignores(&self, path: &str, is_folder: bool) -> bool {
        self.inner
            .handle
            .clone()
            .is_some_and(|handle| Ignores::new(handle, self.prefix()).hides(path, is_folder))
    }

    /// Returns what a person should know before they trust what is read from this repo.
    pub fn notices(&self) -> Vec<Notice> {
        let Some(handle) = &self.inner.handle else {
            let title = format!("{} is in no Git repository", self.inner.location);
            return vec![Notice::info(title).cause("files are read as they are, without history")];
        };
        let repo = handle.lock();
        let name = &self.inner.name;
        let mut notices = Vec::new();
        if repo.is_shallow() {
            notices.push(
                Notice::info(format!("{name} is a shallow clone"))
                    .cause("older commits, and how far it is behind, are not known")
                    .hint("git fetch --unshallow"),
            );
        }
        let sparse = repo.config().and_then(|config| config.get_bool("core.sparseCheckout")).unwrap_or(false);
        if sparse && self.has_working_folder() {
            notices.push(
                Notice::warning(format!("{name} is a sparse checkout"))
                    .cause("apps and bases outside of it are not seen in the working folder")
                    .hint("name a revision to read everything: --revision HEAD"),
            );
        }
        if let Some(doing) = in_progress(repo.state()) {
            notices.push(
                Notice::new(Level::Warning, format!("{name} is in the middle of a {doing}"))
                    .cause("its working files may be of neither side"),
            );
        }
        notices
    }

    /// Returns it as a row of the deck; `fetched`, `fetching` and `notice` are for the caller to fill.
    pub fn status(&self, snapshot: Option<&super::Snapshot>) -> RepoStatus {
        let commit: Option<&CommitFacts> = snapshot.and_then(|s| s.commit.as_ref());
        RepoStatus {
            id: self.inner.id.clone(),
            name: self.inner.name.clone(),
            location: self.inner.location.clone(),
            upstream: self.has_working_folder().then(|| self.origin_url()).flatten().map(|u| u.canonical()),
            revision: snapshot.map(|s| s.revision.clone()),
            author: commit.map(|c| c.author.clone()),
            subject: commit.map(|c| c.subject.clone()),
            authored: commit.and_then(|c| c.authored),
            fetched: None,
            fetching: None,
            notice: None,
        }
    }
}

/// Returns where a place is on the disk.
fn found(place: &Path) -> Result<PathBuf, OpenError> {
    let path = || place.display().to_string();
    place.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
            OpenError::NoSuchPlace { path: path() }
        }
        _ => OpenError::Unreadable { path: path(), reason: error.to_string() },
    })
}

/// Refuses a working folder that only the repository's own configuration (`core.worktree`) points to.
///
/// In every layout that git itself makes (checkout, linked worktree, submodule), the working folder holds a `.git` that
/// leads back to the repository, and the place that was opened lies within.
fn check_working_folder(
    repository: &git2::Repository,
    place: &Path,
    claimed: &Path,
    shown: &str,
) -> Result<(), OpenError> {
    let elsewhere = || OpenError::WorkingFolderElsewhere {
        path: shown.to_owned(),
        claimed: claimed.display().to_string(),
    };
    if !place.starts_with(claimed) {
        return Err(elsewhere());
    }
    let none: [&OsStr; 0] = [];
    let back =
        git2::Repository::open_ext(claimed, RepositoryOpenFlags::NO_SEARCH, none).map_err(|_| elsewhere())?;
    if same(back.path(), repository.path()) { Ok(()) } else { Err(elsewhere()) }
}

fn same(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn relative(root: &Path, place: &Path) -> Option<String> {
    let inside = place.strip_prefix(root).ok()?;
    let segments: Vec<_> = inside.iter().map(OsStr::to_string_lossy).collect();
    Some(segments.join("/"))
}

fn name_of(repo: &git2::Repository, root: &Path) -> String {
    if let Some(origin) = origin_text(repo) {
        let name = origin.trim_end_matches('/').rsplit(['/', ':', '\\']).next().unwrap_or_default();
        let name = name.strip_suffix(".git").unwrap_or(name);
        if !name.is_empty() {
            return name.to_owned();
        }
    }
    // A linked worktree is named after its repository, not after its own folder.
    let common = repo.commondir().canonicalize().unwrap_or_else(|_| repo.commondir().to_owned());
    match common.parent() {
        Some(main) if common.file_name() == Some(OsStr::new(".git")) => last_segment(main),
        _ => last_segment(root),
    }
}

fn origin_text(repo: &git2::Repository) -> Option<String> {
    let config = repo.config().and_then(|mut config| config.snapshot()).ok()?;
    config.get_str("remote.origin.url").ok().map(str::to_owned)
}

fn last_segment(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy();
    name.strip_suffix(".git").filter(|name| !name.is_empty()).unwrap_or(&name).to_owned()
}

fn refusal(shown: &str, place: &Path, error: &git2::Error) -> OpenError {
    let path = shown.to_owned();
    if error.code() == ErrorCode::Owner {
        return OpenError::NotOwned { path: place.display().to_string() };
    }
    let message = error.message();
    if error.class() == ErrorClass::Repository && message.contains("unsupported") {
        // libgit2 names it at the end: "unsupported extension name extensions.partialclone".
        let feature = message.rsplit(' ').next().unwrap_or(message);
        return OpenError::Unsupported { path, feature: feature.to_owned() };
    }
    OpenError::Unreadable { path, reason: message.to_owned() }
}

pub(super) fn in_progress(state: RepositoryState) -> Option<&'static str> {
    Some(match state {
        RepositoryState::Clean => return None,
        RepositoryState::Merge => "merge",
        RepositoryState::Revert | RepositoryState::RevertSequence => "revert",
        RepositoryState::CherryPick | RepositoryState::CherryPickSequence => "cherry-pick",
        RepositoryState::Bisect => "bisect",
        RepositoryState::Rebase | RepositoryState::RebaseInteractive | RepositoryState::RebaseMerge => {
            "rebase"
        }
        RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => "git am",
    })
}
