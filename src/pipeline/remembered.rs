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
        let new = self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(thing.clone());
        if new {
            let line = serde_json::to_vec(thing).unwrap_or_default();
            if let Err(error) = self.folder.append_line(self.file, &line) {
                tracing::warn!(%error, file = self.file, "what was seen cannot be remembered");
            }
        }
        new
    }
}
