//! Defines the exported copy: the files that a program needs, in a private folder that is removed again.
//!
//! Links are resolved within the tree before anything is written, so that the copy holds regular files only.

use super::error::RenderError;
use super::paths;
use super::repeated::Values;
use crate::model::tree::EntryKind;
use crate::model::{Tree, TreeError, limits};
use crate::process::ChildError;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files to export, by their paths in the tree.
#[derive(Debug, Clone)]
pub(super) struct Files {
    /// The app's path, for messages.
    of: String,
    texts: BTreeMap<String, Arc<[u8]>>,
    bytes: u64,
}

impl Files {
    pub fn of(path: &str) -> Self {
        Self { of: path.to_owned(), texts: BTreeMap::new(), bytes: 0 }
    }

    /// Returns the paths in the tree.
    pub fn paths(&self) -> impl Iterator<Item = &String> {
        self.texts.keys()
    }

    /// Adds a file. Errors: it is one too many, or they are too large together.
    pub fn add(&mut self, path: &str, bytes: Vec<u8>) -> Result<(), RenderError> {
        if self.texts.contains_key(path) {
            return Ok(());
        }
        self.bytes += bytes.len() as u64;
        if self.bytes > limits::EXPORT_BYTES {
            return Err(RenderError::TooManyBytes { path: self.of.clone() });
        }
        if self.texts.len() >= limits::EXPORT_FILES {
            return Err(RenderError::TooManyFiles { path: self.of.clone() });
        }
        self.texts.insert(path.to_owned(), bytes.into());
        Ok(())
    }

    /// Adds a folder with all that is in it; a link stands for what it leads to.
    pub fn add_folder(&mut self, tree: &dyn Tree, folder: &str) -> Result<(), RenderError> {
        self.add_folder_as(tree, folder, folder, 0)
    }

    /// Adds a folder under another path.
    pub fn add_folder_as(
        &mut self,
        tree: &dyn Tree,
        folder: &str,
        target: &str,
        depth: usize,
    ) -> Result<(), RenderError> {
        if depth > limits::FOLDER_DEPTH {
            return Err(RenderError::TooDeep { path: folder.to_owned() });
        }
        for entry in tree.list(folder)? {
            let (from, to) = (paths::child(folder, &entry.name), paths::child(target, &entry.name));
            match entry.kind {
                EntryKind::Submodule => {}
                EntryKind::Folder => self.add_folder_as(tree, &from, &to, depth + 1)?,
                EntryKind::File => self.add(&to, tree.read(&from)?)?,
                EntryKind::Link => match tree.read(&from) {
                    Ok(bytes) => self.add(&to, bytes)?,
                    Err(TreeError::IsFolder { .. }) => self.add_folder_as(tree, &from, &to, depth + 1)?,
                    // A link to nothing.
                    Err(TreeError::NotFound { .. }) => {}
                    Err(error) => return Err(error.into()),
                },
            }
        }
        Ok(())
    }

    pub fn replace(&mut self, path: &str, bytes: Vec<u8>) {
        self.texts.insert(path.to_owned(), bytes.into());
    }

    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.texts.get(path).map(AsRef::as_ref)
    }

    /// Returns every path with its bytes.
    pub fn each(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.texts.iter().map(|(path, bytes)| (path.as_str(), bytes.as_ref()))
    }

    /// Returns the paths below a folder.
    pub fn under<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        self.texts.keys().map(String::as_str).filter(move |path| paths::is_within(path, folder))
    }

    /// Returns a digest of all files and of everything else that the result depends on.
    pub fn key(&self, parameters: &[&str]) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        };
        add(&parameters.len().to_le_bytes());
        for parameter in parameters {
            add(parameter.as_bytes());
        }
        for (path, bytes) in &self.texts {
            add(path.as_bytes());
            add(bytes);
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Returns whether any file speaks of Secrets, so that a program's words about them may repeat values.
    pub fn mention_secrets(&self) -> bool {
        let words: [&[u8]; 2] = [b"Secret", b"secret"];
        self.texts.values().any(|text| {
            memchr_any(text, b"Ss").any(|at| words.iter().any(|word| text[at..].starts_with(word)))
        })
    }
}

/// Returns where any of these bytes stands.
fn memchr_any<'a>(text: &'a [u8], any: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    text.iter().enumerate().filter(|(_, byte)| any.contains(byte)).map(|(at, _)| at)
}

/// A private folder with an exported copy. Dropping it removes the folder.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: tempfile::TempDir,
    home: PathBuf,
}

impl Scratch {
    /// Writes the files to a new folder under `within` that only this user can read.
    pub fn with(within: &Path, files: &Files) -> Result<Self, RenderError> {
        Self::write(within, files).map_err(|source| RenderError::NoScratch { source })
    }

    fn write(within: &Path, files: &Files) -> std::io::Result<Self> {
        let private = std::fs::Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix("driftdeck-").permissions(private).tempdir_in(within)?;
        let home = folder.path().join("home");
        std::fs::create_dir(&home)?;
        let scratch = Self { folder, home };
        std::fs::create_dir(scratch.root())?;
        for (path, bytes) in &files.texts {
            let target = scratch.root().join(path);
            if let Some(parent) = target.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(target, bytes)?;
        }
        Ok(scratch)
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    /// Returns where a folder of the tree stands in the copy.
    pub fn folder(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Returns the empty home of the program.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Returns a program's own words with paths as they are in the tree. They may repeat values: see [`without_values`].
    pub fn words(&self, error: &ChildError) -> String {
        let Some(words) = error.stderr() else { return String::new() };
        let mut text = words.raw().trim().to_owned();
        for folder in [self.root(), self.folder.path().to_owned()] {
            if let Ok(real) = folder.canonicalize() {
                text = text
                    .replace(&format!("{}/", real.display()), "")
                    .replace(&real.display().to_string(), ".");
            }
            text = text
                .replace(&format!("{}/", folder.display()), "")
                .replace(&folder.display().to_string(), ".");
        }
        text
    }
}

/// Returns a program's words about exported files without their values, where the files speak of Secrets: neither those
/// that stand in the files nor what stands in quotation marks. `values_files`: those that a chart is rendered with.
pub(super) fn without_values(words: &str, files: &Files, values_files: &[String]) -> String {
    if files.mention_secrets() {
        without_quoted(&Values::of(files, values_files).blank(words, files))
    } else {
        words.to_owned()
    }
}

/// Returns a text with everything in quotation marks left out.
///
/// Kept are quoted paths, which end in a known extension or begin with `./` or `../`. An apostrophe within a word
/// (`can't`) is no quotation mark.
fn without_quoted(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = find_quote(rest, kept.chars().next_back()) {
        let quote = rest[start..].chars().next().unwrap_or('"');
        let after = &rest[start + 1..];
        let end = find_end(after, quote).unwrap_or(after.len());
        kept.push_str(&rest[..=start]);
        let quoted = &after[..end];
        let is_path =
            paths::is_manifest_file(quoted) || quoted.starts_with("../") || quoted.starts_with("./");
        kept.push_str(if is_path { quoted } else { "…" });
        rest = &after[end..];
        if let Some(next) = rest.strip_prefix(quote) {
            kept.push(quote);
            rest = next;
        }
    }
    kept.push_str(rest);
    kept
}

/// Returns where the first quotation mark stands that is no apostrophe; `before` stands before the text.
fn find_quote(text: &str, before: Option<char>) -> Option<usize> {
    let mut before = before;
    text.char_indices().find_map(|(at, c)| {
        let in_word = before.replace(c).is_some_and(char::is_alphanumeric);
        let is_quote = matches!(c, '"' | '`') || (c == '\'' && !in_word);
        is_quote.then_some(at)
    })
}

/// Returns where a quotation ends: at its mark, unless that is an apostrophe within a word.
fn find_end(text: &str, quote: char) -> Option<usize> {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.char_indices().filter(|(_, c)| *c == quote).map(|(at, _)| at).find(|at| {
        let (before, after) = (text[..*at].chars().next_back(), text[at + 1..].chars().next());
        quote != '\'' || !(is_word(before) && is_word(after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_left_out_of_words_and_an_apostrophe_quotes_nothing() {
        for (words, left) in [
            (
                "in 'a/b.yaml': cannot unmarshal \"hunter2\" at `x",
                "in 'a/b.yaml': cannot unmarshal \"…\" at `…",
            ),
            ("can't read 'hunter2' of it", "can't read '…' of it"),
            ("won't take \"it's\" or 'it's' but it's fine", "won't take \"…\" or '…' but it's fine"),
        ] {
            assert_eq!(without_quoted(words), left);
        }
    }

    #[test]
    fn a_key_depends_on_every_file_and_parameter() {
        let mut files = Files::of("a");
        files.add("a/x", b"1".to_vec()).unwrap();
        let key = files.key(&["p"]);
        assert_ne!(key, files.key(&["q"]));
        assert_ne!(key, files.key(&["p", ""]));
        files.replace("a/x", b"2".to_vec());
        assert_ne!(key, files.key(&["p"]));
    }
}
