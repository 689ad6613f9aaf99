//! Defines how a folder on disk is read as a tree: beneath its root, never through a link, and never anything but
//! regular files.
//!
//! Links are resolved first (see `resolve`); what is then opened is walked segment by segment from the root's own
//! descriptor with `O_NOFOLLOW`, so that a link put there in between is refused and not followed.

use super::resolve::{Node, is_git_folder, join, missing, unreadable};
use crate::model::TreeError;
use crate::model::limits;
use crate::model::tree::{EntryKind, TreeEntry};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A folder on disk.
pub(super) struct Disk {
    root: PathBuf,
}

/// What a file looked like when it was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: i128,
    inode: u128,
    modified: i128,
    changed: i128,
}

/// Digests of files, kept as long as size, inode and times stay the same.
///
/// A digest is trusted only if the file's status changed at least a second before the newest such change that had been
/// seen anywhere when it was hashed (nobody but the kernel sets that time, so it is a clock that lags): a file that is written twice within the clock's grain would otherwise keep its first
/// digest (Git calls such entries racily clean, see its documentation, technical/racy-git).
#[derive(Default)]
pub(super) struct Hashes(Mutex<Known>);

#[derive(Default)]
struct Known {
    newest: i128,
    files: HashMap<PathBuf, (Stamp, String)>,
}

const SECOND: i128 = 1_000_000_000;

impl Disk {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn look(&self, path: &str) -> Result<Node, TreeError> {
        let full = self.root.join(path);
        let stat = match rustix::fs::statat(CWD, &full, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Node::Missing),
            Err(error) => return Err(failed(path, error)),
        };
        Ok(match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Node::File,
            FileType::Directory => Node::Folder,
            FileType::Symlink => {
                let target =
                    rustix::fs::readlinkat(CWD, &full, Vec::new()).map_err(|error| failed(path, error))?;
                Node::Link(target.to_string_lossy().into_owned())
            }
            // Pipes, sockets and devices are never part of a Git tree.
            _ => Node::Missing,
        })
    }

    /// Lists a folder, sorted, without Git's own folder and without pipes, sockets and devices.
    pub(super) fn entries(&self, folder: &str) -> Result<Vec<TreeEntry>, TreeError> {
        let open = self.open(folder, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let dir = Dir::new(open).map_err(|error| failed(folder, error))?;
        let mut entries = Vec::new();
        for entry in dir {
            let entry = entry.map_err(|error| failed(folder, error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name == "." || name == ".." || is_git_folder(&name) {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::RegularFile => EntryKind::File,
                FileType::Directory => EntryKind::Folder,
                FileType::Symlink => EntryKind::Link,
                // Some file systems do not tell while listing.
                FileType::Unknown => match self.look(&join(folder, &name))? {
                    Node::File => EntryKind::File,
                    Node::Folder | Node::Submodule => EntryKind::Folder,
                    Node::Link(_) => EntryKind::Link,
                    Node::Missing => continue,
                },
                _ => continue,
            };
            if entries.len() == limits::FOLDER_ENTRIES {
                return Err(TreeError::TooMany { path: folder.to_owned(), limit: limits::FOLDER_ENTRIES });
            }
            entries.push(TreeEntry { name, kind });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    pub(super) fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        let (mut file, stat) = self.open_file(path)?;
        let too_large = |size| TreeError::TooLarge { path: path.to_owned(), size, limit: limits::FILE_BYTES };
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        if size > limits::FILE_BYTES {
            return Err(too_large(size));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        // It may grow while it is read.
        let read = (&mut file).take(limits::FILE_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| unreadable(path, &error.to_string()))?;
        if bytes.len() as u64 > limits::FILE_BYTES {
            return Err(too_large(bytes.len() as u64));
        }
        Ok(bytes)
    }

    /// Returns whether its owner may execute a file, which is what Git keeps of its mode.
    pub(super) fn is_executable(&self, path: &str) -> Result<bool, TreeError> {
        Ok(self.open_file(path)?.1.st_mode & 0o100 != 0)
    }

    /// Returns a digest of a file's bytes, from `hashes` where the file is known to be the same.
    ///
    /// A file that is too large to be read is not hashed: size and times stand in. One that may not be read has a digest
    /// of its own.
    pub(super) fn digest(&self, path: &str, hashes: &Hashes) -> Result<String, TreeError> {
        let (mut file, stat) = match self.open_file(path) {
            Err(TreeError::Unreadable { reason, .. }) => return Ok(format!("unreadable:{reason}")),
            opened => opened?,
        };
        let stamp = Stamp::of(&stat);
        if u64::try_from(stat.st_size).unwrap_or(0) > limits::FILE_BYTES {
            return Ok(format!("large:{}:{}:{}", stamp.size, stamp.modified, stamp.inode));
        }
        let full = self.root.join(path);
        if let Some(known) = hashes.known(&full, &stamp) {
            return Ok(known);
        }
        let mut hasher = blake3::Hasher::new();
        std::io::copy(&mut (&mut file).take(limits::FILE_BYTES + 1), &mut hasher)
            .map_err(|error| unreadable(path, &error.to_string()))?;
        let digest = format!("file:{}", hasher.finalize().to_hex());
        hashes.learn(full, stamp, &digest);
        Ok(digest)
    }

    fn open_file(&self, path: &str) -> Result<(File, Stat), TreeError> {
        // Without O_NONBLOCK, opening a pipe would wait for its other end.
        let open = self.open(path, OFlags::RDONLY | OFlags::NONBLOCK)?;
        let stat = rustix::fs::fstat(&open).map_err(|error| failed(path, error))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok((File::from(open), stat)),
            FileType::Directory => Err(TreeError::IsFolder { path: path.to_owned() }),
            _ => Err(missing(path)),
        }
    }

    fn open(&self, path: &str, flags: OFlags) -> Result<OwnedFd, TreeError> {
        let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut at =
            rustix::fs::open(&self.root, folder, Mode::empty()).map_err(|error| failed(path, error))?;
        let mut segments = path.split('/').filter(|s| !s.is_empty()).peekable();
        while let Some(segment) = segments.next() {
            let flags = if segments.peek().is_some() { folder } else { flags | OFlags::CLOEXEC };
            at = rustix::fs::openat(&at, segment, flags | OFlags::NOFOLLOW, Mode::empty())
                .map_err(|error| failed(path, error))?;
        }
        Ok(at)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }
}

impl Stamp {
    fn of(stat: &Stat) -> Self {
        Self {
            size: i128::from(stat.st_size),
            inode: u128::from(stat.st_ino),
            modified: nanoseconds(i128::from(stat.st_mtime), i128::from(stat.st_mtime_nsec)),
            changed: nanoseconds(i128::from(stat.st_ctime), i128::from(stat.st_ctime_nsec)),
        }
    }
}

fn nanoseconds(seconds: i128, nanoseconds: i128) -> i128 {
    seconds * SECOND + nanoseconds
}

impl Hashes {
    fn known(&self, file: &Path, stamp: &Stamp) -> Option<String> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.newest = known.newest.max(stamp.changed);
        known.files.get(file).filter(|(then, _)| then == stamp).map(|(_, digest)| digest.clone())
    }

    fn learn(&self, file: PathBuf, stamp: Stamp, digest: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if stamp.changed + SECOND > known.newest {
            known.files.remove(&file);
            return;
        }
        if known.files.len() >= limits::REPO_FILES {
            known.files.clear();
        }
        known.files.insert(file, (stamp, digest.to_owned()));
    }
}

fn failed(path: &str, error: Errno) -> TreeError {
    match error {
        Errno::NOENT | Errno::NOTDIR => missing(path),
        Errno::LOOP => TreeError::LeavesTree { path: path.to_owned() },
        error => unreadable(path, &std::io::Error::from(error).to_string()),
    }
}
