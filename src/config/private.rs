//! Defines how private files are opened; this is the one module that does.
//!
//! Folders are 0700 and files 0600, both must belong to the user, and a symbolic link in their place is refused, not
//! followed. A file is replaced atomically: whoever reads it finds the old content or the new one. What is appended is
//! appended under a lock, so that several driftdecks at once do not mix their lines.

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const FOLDER_MODE: Mode = Mode::RWXU;
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
/// Bytes of a private file that are read; more is refused.
const MOST_BYTES: u64 = 256 << 20;

/// Why a private file or folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    #[error("{} belongs to another user", path.display())]
    ForeignOwner { path: PathBuf },
    #[error("{} is a symbolic link", path.display())]
    Link { path: PathBuf },
    #[error("{} is not {}", path.display(), what)]
    WrongKind { path: PathBuf, what: &'static str },
    #[error("{} has a second name (a hard link)", path.display())]
    SecondName { path: PathBuf },
    #[error("`{name}` is no plain file name")]
    BadName { name: String },
    #[error("{} is larger than {most} bytes", path.display())]
    TooLarge { path: PathBuf, most: u64 },
    #[error("{} cannot be used: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
}

/// A private folder, held open: what is put in its place afterwards does not matter.
#[derive(Debug)]
pub struct PrivateFolder {
    path: PathBuf,
    folder: OwnedFd,
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
#[must_use = "the lock is released when it is dropped"]
pub struct Lock(#[allow(dead_code, reason = "held for its file lock")] File);

impl PrivateFolder {
    /// Opens a folder, and makes it and the folders above it where they are missing.
    ///
    /// One that others may enter is closed to them.
    pub fn open(path: &Path) -> Result<Self, PrivateError> {
        if let Some(above) = path.parent() {
            make_folders(above)?;
        }
        match rustix::fs::mkdir(path, FOLDER_MODE) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(failed(path, error)),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| match error {
            rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP if path.is_symlink() => {
                PrivateError::Link { path: path.to_owned() }
            }
            rustix::io::Errno::NOTDIR => PrivateError::WrongKind { path: path.to_owned(), what: "a folder" },
            error => failed(path, error),
        })?;
        close_to_others(&folder, path, FOLDER_MODE)?;
        Ok(Self { path: path.to_owned(), folder })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a private folder within this one.
    pub fn folder(&self, name: &str) -> Result<Self, PrivateError> {
        Self::open(&self.path.join(plain(name)?))
    }

    /// Reads a file; `None` where there is none.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, PrivateError> {
        let path = self.path.join(plain(name)?);
        let mut file = match self.open_file(name, OFlags::RDONLY) {
            Ok(file) => file,
            Err(PrivateError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        let read = std::io::Read::by_ref(&mut file).take(MOST_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|source| PrivateError::Io { path: path.clone(), source })?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(PrivateError::TooLarge { path, most: MOST_BYTES });
        }
        Ok(Some(bytes))
    }

    /// Replaces a file as a whole; it is on disk when this returns.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), PrivateError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let path = self.path.join(plain(name)?);
        let fail = |source| PrivateError::Io { path: path.clone(), source };
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let draft = format!(".{name}.{}.{next}.draft", std::process::id());
        let written =
            self.open_file(&draft, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL).and_then(|mut file| {
                file.write_all(bytes).and_then(|()| file.sync_all()).map_err(fail)?;
                rustix::fs::renameat(&self.folder, &draft, &self.folder, name)
                    .map_err(|error| failed(&path, error))?;
                rustix::fs::fsync(&self.folder).map_err(|error| failed(&path, error))
            });
        if written.is_err() {
            // Nothing more can be done about the draft than to say what went wrong before.
            let _ = rustix::fs::unlinkat(&self.folder, &draft, AtFlags::empty());
        }
        written
    }

    /// Appends one line to a file under a lock; it is on disk when this returns. `line` has no line break.
    ///
    /// A line that a crash cut short is ended first, so that it spoils no other.
    pub fn append_line(&self, name: &str, line: &[u8]) -> Result<(), PrivateError> {
        let path = self.path.join(plain(name)?);
        let fail = |source| PrivateError::Io { path: path.clone(), source };
        let mut file = self.open_file(name, OFlags::RDWR | OFlags::CREATE | OFlags::APPEND)?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive).map_err(|error| failed(&path, error))?;
        let mut whole = Vec::with_capacity(line.len() + 2);
        if file.seek(SeekFrom::End(0)).map_err(fail)? > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last)).map_err(fail)?;
            if last != *b"\n" {
                whole.push(b'\n');
            }
        }
        whole.extend_from_slice(line);
        whole.push(b'\n');
        file.write_all(&whole).and_then(|()| file.sync_data()).map_err(fail)
    }

    /// Opens a file to which is only ever appended, such as the log.
    pub fn appender(&self, name: &str) -> Result<File, PrivateError> {
        self.open_file(plain(name)?, OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND)
    }

    /// Gives a file another name within the folder, in place of what has that name.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), PrivateError> {
        let path = self.path.join(plain(from)?);
        rustix::fs::renameat(&self.folder, from, &self.folder, plain(to)?)
            .map_err(|error| failed(&path, error))
    }

    /// Removes a file; one that is not there is no error.
    pub fn remove(&self, name: &str) -> Result<(), PrivateError> {
        match rustix::fs::unlinkat(&self.folder, plain(name)?, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(error) => Err(failed(&self.path.join(name), error)),
        }
    }

    /// Takes a lock by a name if nobody holds it, in this process or another; `None`: somebody does.
    pub fn try_lock(&self, name: &str) -> Result<Option<Lock>, PrivateError> {
        let name = format!("{}.lock", plain(name)?);
        let file = self.open_file(&name, OFlags::RDWR | OFlags::CREATE)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(failed(&self.path.join(name), error)),
        }
    }

    fn open_file(&self, name: &str, flags: OFlags) -> Result<File, PrivateError> {
        let path = self.path.join(name);
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let opened = rustix::fs::openat(&self.folder, name, flags, FILE_MODE);
        check_file(opened, path)
    }
}

/// Opens a file that the user named, such as `--log-file`, to append to; it is made private as every other.
pub fn appender_at(path: &Path) -> Result<File, PrivateError> {
    let flags = OFlags::WRONLY
        | OFlags::CREATE
        | OFlags::APPEND
        | OFlags::NOFOLLOW
        | OFlags::CLOEXEC
        | OFlags::NONBLOCK;
    check_file(rustix::fs::open(path, flags, FILE_MODE), path.to_owned())
}

/// Forbids core dumps of this process and its children, which would hold what is sealed.
pub fn forbid_core_dumps() -> Result<(), std::io::Error> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    Ok(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?)
}

fn check_file(opened: rustix::io::Result<OwnedFd>, path: PathBuf) -> Result<File, PrivateError> {
    let file = match opened {
        Ok(file) => file,
        Err(rustix::io::Errno::LOOP) => return Err(PrivateError::Link { path }),
        Err(error) => return Err(failed(&path, error)),
    };
    let facts = rustix::fs::fstat(&file).map_err(|error| failed(&path, error))?;
    if FileType::from_raw_mode(facts.st_mode) != FileType::RegularFile {
        return Err(PrivateError::WrongKind { path, what: "a plain file" });
    }
    if facts.st_nlink > 1 {
        return Err(PrivateError::SecondName { path });
    }
    close_to_others(&file, &path, FILE_MODE)?;
    Ok(File::from(file))
}

/// Checks the owner, and takes away the rights that others have.
fn close_to_others(what: &OwnedFd, path: &Path, mode: Mode) -> Result<(), PrivateError> {
    let facts = rustix::fs::fstat(what).map_err(|error| failed(path, error))?;
    if facts.st_uid != rustix::process::geteuid().as_raw() {
        return Err(PrivateError::ForeignOwner { path: path.to_owned() });
    }
    if Mode::from_raw_mode(facts.st_mode).intersects(Mode::RWXG | Mode::RWXO) {
        rustix::fs::fchmod(what, mode).map_err(|error| failed(path, error))?;
    }
    Ok(())
}

fn make_folders(path: &Path) -> Result<(), PrivateError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| PrivateError::Io { path: path.to_owned(), source })
}

/// Returns a name that stays within its folder.
fn plain(name: &str) -> Result<&str, PrivateError> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
        return Err(PrivateError::BadName { name: name.to_owned() });
    }
    Ok(name)
}

fn failed(path: &Path, error: rustix::io::Errno) -> PrivateError {
    PrivateError::Io { path: path.to_owned(), source: error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    fn ground() -> (tempfile::TempDir, PrivateFolder) {
        let ground = tempfile::tempdir().unwrap();
        let folder = PrivateFolder::open(&ground.path().join("state/driftdeck")).unwrap();
        (ground, folder)
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn folders_and_files_are_closed_to_others() {
        let (ground, folder) = ground();
        folder.replace("a", b"1").unwrap();
        folder.append_line("b", b"2").unwrap();
        assert_eq!(mode(&ground.path().join("state")), 0o700);
        assert_eq!(mode(folder.path()), 0o700);
        assert_eq!((mode(&folder.path().join("a")), mode(&folder.path().join("b"))), (0o600, 0o600));
        for path in [folder.path().to_owned(), folder.path().join("a")] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let again = PrivateFolder::open(folder.path()).unwrap();
        assert_eq!(again.read("a").unwrap().unwrap(), b"1");
        assert_eq!((mode(folder.path()), mode(&folder.path().join("a"))), (0o700, 0o600));
    }

    #[test]
    fn links_are_not_followed() {
        let (ground, folder) = ground();
        let target = ground.path().join("target");
        std::fs::write(&target, "theirs").unwrap();
        symlink(&target, folder.path().join("a")).unwrap();
        assert!(matches!(folder.read("a"), Err(PrivateError::Link { .. })));
        assert!(matches!(folder.append_line("a", b"x"), Err(PrivateError::Link { .. })));
        assert!(matches!(appender_at(&folder.path().join("a")), Err(PrivateError::Link { .. })));
        folder.replace("a", b"ours").unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"theirs");
        std::fs::hard_link(&target, folder.path().join("hard")).unwrap();
        assert!(matches!(folder.read("hard"), Err(PrivateError::SecondName { .. })));
        symlink(ground.path(), ground.path().join("linked")).unwrap();
        assert!(matches!(PrivateFolder::open(&ground.path().join("linked")), Err(PrivateError::Link { .. })));
        assert!(matches!(PrivateFolder::open(&target), Err(PrivateError::WrongKind { .. })));
    }

    #[test]
    fn names_stay_in_their_folder() {
        let (_ground, folder) = ground();
        for name in ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\0b"] {
            assert!(matches!(folder.replace(name, b""), Err(PrivateError::BadName { .. })), "{name:?}");
        }
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_leaves_no_draft() {
        let (_ground, folder) = ground();
        assert_eq!(folder.read("a").unwrap(), None);
        folder.replace("a", b"one").unwrap();
        folder.replace("a", b"two").unwrap();
        assert_eq!(folder.read("a").unwrap().unwrap(), b"two");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        folder.remove("a").unwrap();
        folder.remove("a").unwrap();
        assert_eq!(folder.read("a").unwrap(), None);
    }

    #[test]
    fn lines_of_several_writers_do_not_mix() {
        let (_ground, folder) = ground();
        std::fs::write(folder.path().join("journal"), "cut sho").unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = folder.path();
                scope.spawn(move || {
                    let folder = PrivateFolder::open(path).unwrap();
                    for line in 0..25 {
                        folder
                            .append_line("journal", format!("{writer}-{line}").repeat(50).as_bytes())
                            .unwrap();
                    }
                });
            }
        });
        let journal = String::from_utf8(folder.read("journal").unwrap().unwrap()).unwrap();
        let mut lines: Vec<&str> = journal.lines().collect();
        assert_eq!(lines.remove(0), "cut sho");
        let mut wanted: Vec<String> = (0..4)
            .flat_map(|writer| (0..25).map(move |line| format!("{writer}-{line}").repeat(50)))
            .collect();
        wanted.sort_unstable();
        lines.sort_unstable();
        assert_eq!(lines, wanted);
    }

    #[test]
    fn a_lock_is_held_by_one() {
        let (_ground, folder) = ground();
        let held = folder.try_lock("mirror").unwrap();
        assert!(held.is_some());
        assert!(PrivateFolder::open(folder.path()).unwrap().try_lock("mirror").unwrap().is_none());
        drop(held);
        assert!(folder.try_lock("mirror").unwrap().is_some());
    }

    #[test]
    fn a_pipe_in_place_of_a_file_is_refused_without_waiting() {
        let (_ground, folder) = ground();
        rustix::fs::mknodat(&folder.folder, "pipe", FileType::Fifo, FILE_MODE, 0).unwrap();
        assert!(matches!(folder.read("pipe"), Err(PrivateError::WrongKind { .. })));
    }
}
