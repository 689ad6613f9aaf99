//! Keeps in the cache folder what can be made again: schemas of clusters, and renderings that hold no Secret.

use crate::cluster::remote::SchemaCache;
use crate::config::private::PrivateFolder;
use crate::render::Store;
use std::path::Path;
use std::sync::Arc;

/// Files of one sort that are kept; the oldest beyond that go when the program starts.
const FILES: usize = 2_000;

/// A folder below the cache folder. A key is a file's name.
pub struct Kept {
    folder: PrivateFolder,
}

impl Kept {
    /// Opens the folder of one sort of things, and drops its oldest files if there are too many. `None` where it cannot
    /// be private: then nothing is kept, and everything is made anew.
    pub fn open(cache: &Path, sort: &str) -> Option<Arc<Self>> {
        let path = cache.join(sort);
        match PrivateFolder::open(&path) {
            Ok(folder) => {
                drop_oldest(&path, FILES);
                Some(Arc::new(Self { folder }))
            }
            Err(error) => {
                tracing::warn!(%error, "nothing is cached");
                None
            }
        }
    }

    fn take(&self, key: &str) -> Option<Vec<u8>> {
        self.folder.read(key).ok().flatten()
    }

    fn put(&self, key: &str, bytes: &[u8]) {
        if let Err(error) = self.folder.replace(key, bytes) {
            tracing::warn!(%error, "something could not be cached");
        }
    }
}

impl SchemaCache for Kept {
    fn read(&self, key: &str) -> Option<Vec<u8>> {
        self.take(key)
    }

    fn write(&self, key: &str, bytes: &[u8]) {
        self.put(key, bytes);
    }
}

impl Store for Kept {
    fn load(&self, key: &str) -> Option<Vec<u8>> {
        self.take(key)
    }

    fn save(&self, key: &str, bytes: &[u8]) {
        self.put(key, bytes);
    }
}

/// Removes the files that were written longest ago, down to a number. Another driftdeck may do the same: a file that is
/// gone already is what was wanted.
fn drop_oldest(folder: &Path, keep: usize) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut files: Vec<_> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            Some((entry.metadata().ok().filter(std::fs::Metadata::is_file)?.modified().ok()?, entry.path()))
        })
        .collect();
    if files.len() <= keep {
        return;
    }
    files.sort();
    for (_, path) in files.iter().take(files.len() - keep) {
        let _ = std::fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_there_for_the_next_run_and_bounded() {
        let cache = tempfile::tempdir().unwrap();
        let kept = Kept::open(cache.path(), "renderings").unwrap();
        kept.save("aa", b"one");
        kept.save("bb", b"two");
        assert_eq!(Kept::open(cache.path(), "renderings").unwrap().load("aa").as_deref(), Some(&b"one"[..]));
        assert_eq!(kept.load("cc"), None);
        drop_oldest(&cache.path().join("renderings"), 1);
        let left = ["aa", "bb"].iter().filter(|key| kept.load(key).is_some()).count();
        assert_eq!(left, 1);
    }
}
