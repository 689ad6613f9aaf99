//! Remembers things from run to run in a file of the state folder: one line each, as JSON, only ever added to, so that
//! several driftdecks can share it.

use crate::config::private::{PrivateError, PrivateFolder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// What this user has seen, in this run or an earlier one.
pub struct Remembered<T> {
    folder: PrivateFolder,
    file: &'static str,
    known: Mutex<BTreeSet<T>>,
}

impl<T: Ord + Clone + Serialize + DeserializeOwned> Remembered<T> {
    /// Reads what earlier runs left in a file of the state folder. A line that cannot be read is passed over.
    pub fn open(state: &Path, file: &'static str) -> Result<Self, PrivateError> {
        let folder = PrivateFolder::open(state)?;
        let text = folder.read(file)?.unwrap_or_default();
        let lines = text.split(|byte| *byte == b'\n');
        let known = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
        Ok(Self { folder, file, known: Mutex::new(known) })
    }

    pub fn contains(&self, thing: &T) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(thing)
    }

    /// Remembers a thing, and returns whether it is new. Blocks on the disk where it is.
    pub fn add(&self, thing: &T) -> bool {
        !self.add_all(vec![thing.clone()]).is_empty()
    }

    /// Remembers things with one write, and returns those that are new. Blocks on the disk where any is.
    pub fn add_all(&self, things: Vec<T>) -> Vec<T> {
        let new: Vec<T> = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            things.into_iter().filter(|thing| known.insert(thing.clone())).collect()
        };
        let lines: Vec<Vec<u8>> = new.iter().filter_map(|thing| serde_json::to_vec(thing).ok()).collect();
        if !lines.is_empty()
            && let Err(error) = self.folder.append_line(self.file, &lines.join(&b'\n'))
        {
            tracing::warn!(%error, file = self.file, "what was seen cannot be remembered");
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_things_are_remembered_as_a_line_each() {
        let state = tempfile::tempdir().unwrap();
        let open = || Remembered::<String>::open(state.path(), "things").unwrap();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let things = open();
        assert_eq!(things.add_all(words(&["a", "b", "a"])), words(&["a", "b"]));
        assert_eq!(things.add_all(words(&["b", "c"])), words(&["c"]));
        assert!(open().add_all(words(&["a", "b", "c"])).is_empty());
        assert_eq!(std::fs::read_to_string(state.path().join("things")).unwrap(), "\"a\"\n\"b\"\n\"c\"\n");
    }
}
