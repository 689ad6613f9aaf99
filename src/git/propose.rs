//! Defines files changed on top of a commit, before any of it is in the repository: what a plan shows is made beside the
//! repository, in a folder of its own onto the objects of the other, and is copied over when it is carried out.

use super::commit_tree::CommitTree;
use super::repo::{Handle, Repo};
use crate::model::commit_plan::{ChangedFile, FileChange};
use crate::model::{Asked, FileEdit, FileState, Oid, Revision, Tree, TreeEntry, TreeError, limits};
use git2::{Delta, DiffOptions, IndexEntry, IndexTime, ObjectType, Repository};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// Files of one commit at most.
const FILES: usize = 5_000;

/// How the files of a commit to be made come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipe {
    /// What stands at these paths becomes what another commit has there; everything else stays.
    Back { to: Oid, paths: Vec<String> },
    /// What one commit changed is taken out again, as `git revert` does; of a merge, what it brought to its first parent.
    Undo { commit: Oid },
    /// These files become what is said.
    Files(Vec<FileEdit>),
}

/// Files changed on top of a commit. Nothing of it is in the repository yet; it is gone when this is dropped.
pub struct Proposed {
    pub base: Oid,
    /// The files that change, sorted by path.
    pub files: Vec<ChangedFile>,
    /// The whole tree as it would be.
    pub tree: Arc<dyn Tree>,
    root: git2::Oid,
    beside: Handle,
    _folder: Arc<TempDir>,
}

impl std::fmt::Debug for Proposed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proposed").field("base", &self.base).field("root", &self.root).finish_non_exhaustive()
    }
}

/// Why files cannot be changed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    #[error("{repo} is in no Git repository: nothing can be committed there")]
    NoRepository { repo: String },
    #[error("{path} is not in {commit}: going back to it would delete {path}")]
    NotThere { path: String, commit: String },
    #[error("{commit} cannot be taken out again: {} since", conflicting(.files))]
    Conflict { commit: String, files: Vec<String> },
    #[error("{file} is not what the plan was made from any more")]
    Moved { file: String },
    #[error("it would change {files} files; more than {limit} are not changed at once")]
    TooMany { files: usize, limit: usize },
    #[error("{commit} is not in this clone")]
    NotInClone { commit: String },
    #[error("the commit cannot be prepared: {reason}")]
    Failed { reason: String },
}

fn conflicting(files: &[String]) -> String {
    let verb = if files.len() == 1 { "was" } else { "were" };
    let shown: Vec<&str> = files.iter().take(5).map(String::as_str).collect();
    let more = files.len().saturating_sub(shown.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more} {verb} changed in the same places", shown.join(", "))
}

impl ProposeError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            ProposeError::NotThere { .. } => "choose a commit in which it exists, or remove it by hand",
            ProposeError::Conflict { .. } => {
                "go back to an earlier commit of the app instead, or resolve it by hand with git revert"
            }
            ProposeError::Moved { .. } => "plan again",
            ProposeError::NotInClone { .. } => "git fetch may bring it",
            ProposeError::NoRepository { .. }
            | ProposeError::TooMany { .. }
            | ProposeError::Failed { .. } => {
                return None;
            }
        })
    }
}

impl From<git2::Error> for ProposeError {
    fn from(error: git2::Error) -> Self {
        ProposeError::Failed { reason: error.message().to_owned() }
    }
}

impl Repo {
    /// Returns what a commit on top of `base` would hold. Blocks on the disk; the repository is only read.
    pub fn propose(&self, base: &Oid, recipe: &Recipe) -> Result<Proposed, ProposeError> {
        let none = || ProposeError::NoRepository { repo: self.name().to_owned() };
        let (objects, path) = {
            let repo = self.inner.handle.as_ref().ok_or_else(none)?.lock();
            (repo.commondir().join("objects"), repo.path().to_owned())
        };
        let failed = |error: std::io::Error| ProposeError::Failed { reason: error.to_string() };
        let folder = TempDir::with_prefix("driftdeck-commit-").map_err(failed)?;
        let beside = Repository::init_bare(folder.path())?;
        let objects = objects.to_str().ok_or_else(|| ProposeError::Failed {
            reason: format!("the path of {} is not UTF-8", path.display()),
        })?;
        beside.odb()?.add_disk_alternate(objects)?;
        let root = made(&beside, base, recipe)?;
        let before = found(&beside, base)?.tree()?;
        let files = changed(&beside, &before, &beside.find_tree(root)?)?;
        drop(before);
        let handle = Handle::new(beside);
        let asked = Asked::Name("proposed".to_owned());
        let revision = Revision { asked, commit: None, dirty: false, behind: 0, ahead: 0 };
        let folder = Arc::new(folder);
        let files_of_it = CommitTree::new(handle.clone(), root, revision);
        let tree = Arc::new(Kept { tree: files_of_it, _folder: folder.clone() });
        Ok(Proposed { base: base.clone(), files, tree, root, beside: handle, _folder: folder })
    }
}

impl Proposed {
    /// Returns the id of the tree.
    pub fn root(&self) -> String {
        self.root.to_string()
    }

    /// Copies what is new into the repository's objects. No branch leads to it yet. Blocks on the disk.
    pub fn store(&self, repo: &Repo) -> Result<(), ProposeError> {
        let none = || ProposeError::NoRepository { repo: repo.name().to_owned() };
        let handle = repo.inner.handle.as_ref().ok_or_else(none)?;
        let (from, to) = (self.beside.lock(), handle.lock());
        let (from, to) = (from.odb()?, to.odb()?);
        copy(&from, &to, self.root, ObjectType::Tree)
    }
}

/// Copies an object and what it leads to, as far as that is not there.
fn copy(
    from: &git2::Odb<'_>,
    to: &git2::Odb<'_>,
    id: git2::Oid,
    kind: ObjectType,
) -> Result<(), ProposeError> {
    if to.exists(id) {
        return Ok(());
    }
    let object = from.read(id)?;
    if kind == ObjectType::Tree {
        for (mode, child) in children(object.data()) {
            match mode.as_slice() {
                b"40000" => copy(from, to, child, ObjectType::Tree)?,
                // A submodule's commit is in another repository.
                b"160000" => {}
                _ => copy(from, to, child, ObjectType::Blob)?,
            }
        }
    }
    to.write(kind, object.data())?;
    Ok(())
}

/// Returns mode and id of each entry of a tree's object: `mode SP name NUL id`, one after the other.
fn children(tree: &[u8]) -> Vec<(Vec<u8>, git2::Oid)> {
    let mut entries = Vec::new();
    let mut rest = tree;
    while let Some(space) = rest.iter().position(|byte| *byte == b' ')
        && let Some(end) = rest.iter().position(|byte| *byte == 0)
        && let (Some(mode), Some(id)) = (rest.get(..space), rest.get(end + 1..end + 21))
        && let Ok(id) = git2::Oid::from_bytes(id)
    {
        entries.push((mode.to_vec(), id));
        rest = rest.get(end + 21..).unwrap_or_default();
    }
    entries
}

/// Makes the tree beside the repository and returns its id.
fn made(beside: &Repository, base: &Oid, recipe: &Recipe) -> Result<git2::Oid, ProposeError> {
    let commit = found(beside, base)?;
    let mut index = git2::Index::new()?;
    match recipe {
        Recipe::Undo { commit: undone } => {
            let other = found(beside, undone)?;
            let mainline = u32::from(other.parent_count() > 1);
            index = beside.revert_commit(&other, &commit, mainline, None)?;
            let conflicts = index.conflicts()?.filter_map(Result::ok);
            let side = |c: git2::IndexConflict| c.our.or(c.their).or(c.ancestor);
            let mut files: Vec<String> =
                conflicts.filter_map(side).map(|e| String::from_utf8_lossy(&e.path).into_owned()).collect();
            if !files.is_empty() {
                files.sort();
                files.dedup();
                return Err(ProposeError::Conflict { commit: undone.short().to_owned(), files });
            }
        }
        Recipe::Back { to, paths } => {
            index.read_tree(&commit.tree()?)?;
            let other = found(beside, to)?.tree()?;
            let mut then = git2::Index::new()?;
            then.read_tree(&other)?;
            for path in paths {
                go_back(&mut index, &then, path, to)?;
            }
        }
        Recipe::Files(edits) => {
            index.read_tree(&commit.tree()?)?;
            for edit in edits {
                put(beside, &mut index, edit)?;
            }
        }
    }
    Ok(index.write_tree_to(beside)?)
}

/// Replaces everything at and below a path by what another commit has there.
fn go_back(index: &mut git2::Index, then: &git2::Index, path: &str, to: &Oid) -> Result<(), ProposeError> {
    let is_within = |at: &[u8]| {
        path.is_empty()
            || at == path.as_bytes()
            || at.strip_prefix(path.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
    };
    let now: Vec<IndexEntry> = index.iter().filter(|entry| is_within(&entry.path)).collect();
    let earlier: Vec<IndexEntry> = then.iter().filter(|entry| is_within(&entry.path)).collect();
    if earlier.is_empty() && !now.is_empty() {
        return Err(ProposeError::NotThere { path: path.to_owned(), commit: to.short().to_owned() });
    }
    for entry in now {
        index.remove(&path_of(&entry), 0)?;
    }
    for entry in earlier {
        index.add(&entry)?;
    }
    Ok(())
}

#[cfg(unix)]
fn path_of(entry: &IndexEntry) -> std::path::PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    Path::new(std::ffi::OsStr::from_bytes(&entry.path)).to_owned()
}

fn put(beside: &Repository, index: &mut git2::Index, edit: &FileEdit) -> Result<(), ProposeError> {
    let path = Path::new(&edit.path);
    let now = index.get_path(path, 0);
    let moved = || ProposeError::Moved { file: edit.path.clone() };
    let as_planned = match (&now, &edit.before) {
        (None, None) => true,
        (Some(entry), Some(before)) => {
            entry.id == git2::Oid::hash_object(ObjectType::Blob, &before.bytes)?
                && entry.mode == before.mode.bits()
        }
        _ => false,
    };
    if !as_planned {
        return Err(moved());
    }
    match &edit.after {
        None => index.remove(path, 0)?,
        Some(after) => {
            let id = beside.blob(&after.bytes)?;
            index.add(&index_entry(&edit.path, after.mode.bits(), id))?;
        }
    }
    Ok(())
}

/// Makes an entry of an index that knows nothing of the working folder.
pub(super) fn index_entry(path: &str, mode: u32, id: git2::Oid) -> IndexEntry {
    let time = IndexTime::new(0, 0);
    IndexEntry {
        ctime: time,
        mtime: time,
        dev: 0,
        ino: 0,
        mode,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}

fn found<'r>(repo: &'r Repository, id: &Oid) -> Result<git2::Commit<'r>, ProposeError> {
    let none = |_| ProposeError::NotInClone { commit: id.short().to_owned() };
    repo.find_commit(git2::Oid::from_str(&id.0).map_err(none)?).map_err(none)
}

/// Returns the files in which two trees differ, with how many lines come and go.
fn changed(
    repo: &Repository,
    before: &git2::Tree<'_>,
    after: &git2::Tree<'_>,
) -> Result<Vec<ChangedFile>, ProposeError> {
    let mut options = DiffOptions::new();
    options.max_size(i64::try_from(limits::FILE_BYTES).unwrap_or(i64::MAX));
    let diff = repo.diff_tree_to_tree(Some(before), Some(after), Some(&mut options))?;
    let count = diff.deltas().len();
    if count > FILES {
        return Err(ProposeError::TooMany { files: count, limit: FILES });
    }
    let mut files = Vec::with_capacity(count);
    for (at, delta) in diff.deltas().enumerate() {
        let side = if delta.status() == Delta::Deleted { delta.old_file() } else { delta.new_file() };
        let path = String::from_utf8_lossy(side.path_bytes().unwrap_or_default()).into_owned();
        let kind = match delta.status() {
            Delta::Added => FileChange::Added,
            Delta::Deleted => FileChange::Removed,
            _ => FileChange::Changed,
        };
        let lines = git2::Patch::from_diff(&diff, at)?.and_then(|patch| {
            let (_, added, removed) = patch.line_stats().ok()?;
            let is_binary = patch.delta().flags().is_binary();
            (!is_binary).then_some((added, removed))
        });
        files.push(ChangedFile { path, kind, lines });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// A tree together with the folder that its objects are in.
struct Kept {
    tree: CommitTree,
    _folder: Arc<TempDir>,
}

impl Tree for Kept {
    fn list(&self, folder: &str) -> Result<Vec<TreeEntry>, TreeError> {
        self.tree.list(folder)
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, TreeError> {
        self.tree.read(file)
    }

    fn resolve(&self, path: &str) -> Result<String, TreeError> {
        self.tree.resolve(path)
    }

    fn state(&self, path: &str) -> Result<Option<FileState>, TreeError> {
        self.tree.state(path)
    }

    fn digest(&self, path: &str) -> Result<String, TreeError> {
        self.tree.digest(path)
    }

    fn revision(&self) -> &Revision {
        self.tree.revision()
    }
}
