//! Defines how plain manifests are read: a file, or a folder with its subfolders.

use super::declared::{Reading, Strictness, take_documents};
use super::paths;
use crate::model::tree::EntryKind;
use crate::model::{Notice, Tree, TreeError, limits};
use crate::text::yaml::read_documents;
use zeroize::Zeroizing;

/// Reads a file, or a folder without what is excluded.
///
/// Hidden files and folders are skipped, as are documents that have nothing of a manifest; of a file that was asked for
/// by name nothing is skipped.
pub(super) fn read(tree: &dyn Tree, path: &str, exclude: &[String]) -> Reading {
    let mut reading = Reading::default();
    match tree.list(path) {
        Ok(_) => read_folder(tree, path, exclude, 0, &mut reading),
        Err(_) => read_file(tree, path, Strictness::Strict, &mut reading),
    }
    if reading.objects.is_empty() && !reading.incomplete {
        reading.notices.push(if path.is_empty() {
            Notice::warning("the folder holds no manifests")
        } else {
            Notice::warning(format!("{path} holds no manifests")).file(path, None)
        });
    }
    reading
}

fn read_folder(tree: &dyn Tree, folder: &str, exclude: &[String], depth: usize, reading: &mut Reading) {
    if depth > limits::FOLDER_DEPTH {
        let title = format!("folders lie more than {} deep in {folder}", limits::FOLDER_DEPTH);
        reading.refuse(Notice::error(title).file(folder, None));
        return;
    }
    let entries = match tree.list(folder) {
        Ok(entries) => entries,
        Err(error) => {
            reading.refuse(unreadable(folder, &error));
            return;
        }
    };
    for entry in entries {
        let path = paths::child(folder, &entry.name);
        if paths::is_hidden(&entry.name) || exclude.contains(&path) {
            continue;
        }
        match entry.kind {
            EntryKind::Folder => read_folder(tree, &path, exclude, depth + 1, reading),
            EntryKind::File | EntryKind::Link if paths::is_manifest_file(&entry.name) => {
                read_file(tree, &path, Strictness::Lenient, reading);
            }
            // As kubectl: links to folders are not entered.
            EntryKind::File | EntryKind::Link | EntryKind::Submodule => {}
        }
    }
}

fn read_file(tree: &dyn Tree, path: &str, strictness: Strictness, reading: &mut Reading) {
    match tree.read(path).map(Zeroizing::new) {
        Ok(bytes) => take_documents(path, read_documents(&bytes), strictness, reading),
        Err(TreeError::IsFolder { .. }) if strictness == Strictness::Lenient => {}
        Err(error) => reading.refuse(unreadable(path, &error)),
    }
}

/// Returns the notice of a file or folder that cannot be read.
fn unreadable(path: &str, error: &TreeError) -> Notice {
    let notice = Notice::error(error.to_string()).file(path, None);
    match error {
        TreeError::LeavesTree { .. } => notice.hint("Links are followed only within the repository."),
        _ => notice,
    }
}
