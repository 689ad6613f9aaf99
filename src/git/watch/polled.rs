//! Defines watching by looking every so often: size, times and inode of every file, and the text of every ref.

use super::{Changed, ChangedFiles, WatchError, Watched};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior};

pub(super) struct Polled {
    watched: Watched,
    every: Duration,
    /// Made at the first use: it belongs to the runtime that uses it.
    ticks: Option<Interval>,
    last: Arc<Look>,
}

/// What was there at one look.
#[derive(PartialEq, Eq)]
struct Look {
    files: BTreeMap<String, Stamp>,
    refs: BTreeMap<std::path::PathBuf, Stamp>,
}

type Stamp = (u64, u64, i64, i64);

impl Polled {
    pub(super) fn start(watched: Watched, every: Duration) -> Result<Self, WatchError> {
        let last = Arc::new(look(&watched)?);
        Ok(Self { watched, every, ticks: None, last })
    }

    pub(super) async fn next(&mut self) -> Option<Changed> {
        loop {
            let every = self.every;
            let ticks = self.ticks.get_or_insert_with(|| {
                let mut ticks = tokio::time::interval(every);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                ticks
            });
            ticks.tick().await;
            let watched = self.watched.clone();
            let looked = tokio::task::spawn_blocking(move || look(&watched)).await;
            // A root that is away for a moment is looked for again.
            let Ok(Ok(now)) = looked else { continue };
            let changed = difference(&self.last, &now);
            self.last = Arc::new(now);
            if !changed.is_empty() {
                return Some(changed);
            }
        }
    }
}

fn look(watched: &Watched) -> Result<Look, WatchError> {
    let (_, files) = watched.walk("")?;
    let root = watched.repo.root();
    let files =
        files.into_iter().filter_map(|file| stamp(&root.join(&file)).map(|stamp| (file, stamp))).collect();
    let mut refs = BTreeMap::new();
    for folder in watched.ref_folders() {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()).filter(|path| watched.is_ref(path)) {
            if let Some(stamp) = stamp(&path) {
                refs.insert(path, stamp);
            }
        }
    }
    Ok(Look { files, refs })
}

fn stamp(path: &Path) -> Option<Stamp> {
    let found = path.symlink_metadata().ok()?;
    (!found.is_dir()).then(|| (found.size(), found.ino(), found.mtime(), found.mtime_nsec()))
}

fn difference(before: &Look, now: &Look) -> Changed {
    let names: BTreeSet<&String> = before.files.keys().chain(now.files.keys()).collect();
    let files =
        names.into_iter().filter(|name| before.files.get(*name) != now.files.get(*name)).cloned().collect();
    Changed { files: ChangedFiles::These(files), refs: before.refs != now.refs }
}
