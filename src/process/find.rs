//! Defines where programs are found.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Returns the absolute path of a program on a search path such as the value of `PATH`.
///
/// Parts of the search path that are empty or relative are skipped, so that a program that lies in the current folder,
/// such as a hostile repository, is never taken.
pub fn find_program(name: &str, search_path: &OsStr) -> Option<PathBuf> {
    if name.is_empty() || name.contains('/') {
        return None;
    }
    std::env::split_paths(search_path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|candidate| is_program(candidate))
}

fn is_program(candidate: &Path) -> bool {
    candidate.is_file() && rustix::fs::access(candidate, rustix::fs::Access::EXEC_OK).is_ok()
}
