//! Defines the folder that a mirror lives in: private, made and configured by driftdeck alone, and made anew when broken.

use super::RemoteUrl;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// All that a mirror's configuration ever says: nothing that names a program, and no other host.
const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";
/// Stands in a mirror once a fetch has ended well.
const FILLED: &str = "driftdeck-filled";
const FOLDERS: [&str; 5] = ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info"];

/// Returns where the mirror of a remote lives: a name for people and a digest that tells it from others.
pub(super) fn of(url: &RemoteUrl, cache: &Path) -> PathBuf {
    let digest = blake3::hash(url.for_git().as_bytes()).to_hex();
    let name: String = url
        .name()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' })
        .collect();
    let name = name.get(..60).unwrap_or(&name);
    cache.join("mirrors").join(format!("{name}-{}.git", digest.get(..16).unwrap_or(&digest)))
}

/// Returns whether a fetch has ever ended well.
pub(super) fn is_filled(folder: &Path) -> bool {
    folder.join(FILLED).is_file()
}

pub(super) fn mark_filled(folder: &Path) -> Result<()> {
    if is_filled(folder) {
        return Ok(());
    }
    private_file().create(true).truncate(true).open(folder.join(FILLED)).map(drop)
}

/// Opens the file whose lock a fetch holds. It stands beside the mirror, so that the mirror can be made anew under it.
pub(super) fn open_lock(folder: &Path) -> Result<File> {
    let parent = folder.parent().ok_or_else(|| Error::other("the mirror has no parent folder"))?;
    make_private(parent)?;
    private_file().create(true).truncate(false).open(folder.with_extension("lock"))
}

/// Makes the mirror ready to be fetched into, and returns what `read` finds there. Call it under the lock.
///
/// A mirror that `read` cannot read is thrown away: everything in it can be had again.
pub(super) fn prepare<T>(folder: &Path, read: &dyn Fn(&Path) -> Result<T>) -> Result<T> {
    make_private(folder)?;
    if folder.join("HEAD").exists() {
        remove_left_locks(folder)?;
        write_config(folder)?;
        match read(folder) {
            Ok(found) => return Ok(found),
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "the mirror is broken and is made anew");
                std::fs::remove_dir_all(folder)?;
                make_private(folder)?;
            }
        }
    }
    for name in FOLDERS {
        private_folders().create(folder.join(name))?;
    }
    write_config(folder)?;
    write(&folder.join("HEAD"), "ref: refs/heads/main\n")?;
    read(folder)
}

/// Writes the configuration, and removes what else git would read: hooks, attributes, borrowed objects.
fn write_config(folder: &Path) -> Result<()> {
    write(&folder.join("config"), CONFIG)?;
    for name in ["config.worktree", "info/attributes", "info/grafts", "objects/info/alternates"] {
        absent_is_fine(std::fs::remove_file(folder.join(name)))?;
    }
    absent_is_fine(std::fs::remove_dir_all(folder.join("hooks")))
}

/// Removes the lock files of a git that was killed: nobody else writes here while the mirror's own lock is held.
fn remove_left_locks(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        remove_if_lock(&entry?.path())?;
    }
    let mut ahead = vec![folder.join("refs")];
    while let Some(at) = ahead.pop() {
        for entry in std::fs::read_dir(at)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                ahead.push(entry.path());
            } else {
                remove_if_lock(&entry.path())?;
            }
        }
    }
    Ok(())
}

fn remove_if_lock(file: &Path) -> Result<()> {
    if file.extension().is_some_and(|extension| extension == "lock") {
        absent_is_fine(std::fs::remove_file(file))?;
    }
    Ok(())
}

/// Makes a folder that only its owner may enter, or checks that it is one: no link, and the user's own.
fn make_private(folder: &Path) -> Result<()> {
    private_folders().create(folder)?;
    let found = folder.symlink_metadata()?;
    if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() {
        return Err(Error::new(ErrorKind::PermissionDenied, "not the user's own folder"));
    }
    if found.mode() & 0o077 != 0 {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(folder, mode)?;
    }
    Ok(())
}

fn private_folders() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    // A link that stands where the file should be is not followed.
    options.write(true).mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    options
}

fn write(file: &Path, text: &str) -> Result<()> {
    if std::fs::read(file).is_ok_and(|bytes| bytes == text.as_bytes()) && !file.is_symlink() {
        return Ok(());
    }
    absent_is_fine(std::fs::remove_file(file))?;
    private_file().create_new(true).open(file)?.write_all(text.as_bytes())
}

fn absent_is_fine(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
