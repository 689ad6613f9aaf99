//! Defines watching by the file system's own notifications.
//!
//! Each folder is watched by itself rather than the root with everything below, so that ignored folders (build output,
//! dependencies) cost nothing; new folders are added as they appear. Only where the system watches whole trees for the
//! price of one (macOS) the root is watched at once.

use super::{Changed, ChangedFiles, WatchError, Watched};
use crate::model::limits;
use notify::event::{EventKind, MetadataKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Whether one watch of a folder covers all below it at no further price.
const WHOLE_TREES: bool = cfg!(target_os = "macos");

pub(super) struct Notified {
    inner: Arc<Mutex<Folders>>,
    events: mpsc::Receiver<Vec<PathBuf>>,
    /// Events came faster than they were read, or the system lost some.
    lost: Arc<AtomicBool>,
    /// The look at the last events. It is kept when `next` is dropped: what it found is found only once.
    looking: Option<JoinHandle<Changed>>,
}

/// The folders that are watched.
struct Folders {
    watched: Watched,
    watcher: RecommendedWatcher,
    known: BTreeSet<PathBuf>,
}

impl Notified {
    pub(super) fn start(watched: &Watched) -> Result<Self, WatchError> {
        let (sender, events) = mpsc::channel(limits::CHANNEL);
        let lost = Arc::new(AtomicBool::new(false));
        let is_lost = lost.clone();
        let on_event = move |event: notify::Result<Event>| {
            let paths = match event {
                Ok(event) if event.need_rescan() => None,
                Ok(event) if matters(event.kind) => Some(event.paths),
                Ok(_) => return,
                Err(_) => None,
            };
            if paths.is_none() {
                is_lost.store(true, Ordering::Release);
            }
            // An empty message wakes the reader, who then looks at the flag.
            if sender.try_send(paths.unwrap_or_default()).is_err() {
                is_lost.store(true, Ordering::Release);
            }
        };
        let refused = |source| WatchError::Refused { place: watched.place(), source };
        let watcher = notify::recommended_watcher(on_event).map_err(refused)?;
        let mut folders = Folders { watched: watched.clone(), watcher, known: BTreeSet::new() };
        folders.add_all()?;
        Ok(Self { inner: Arc::new(Mutex::new(folders)), events, lost, looking: None })
    }

    pub(super) async fn next(&mut self) -> Option<Changed> {
        loop {
            if self.looking.is_none() {
                let mut paths = self.events.recv().await?;
                while let Ok(more) = self.events.try_recv() {
                    paths.extend(more);
                }
                let inner = self.inner.clone();
                self.looking = Some(tokio::task::spawn_blocking(move || {
                    inner.lock().unwrap_or_else(PoisonError::into_inner).see(&paths)
                }));
            }
            let Some(looking) = &mut self.looking else { continue };
            let mut changed = looking.await.unwrap_or_else(|_| Changed::anything());
            self.looking = None;
            if self.lost.swap(false, Ordering::AcqRel) {
                changed = Changed::anything();
            }
            if !changed.is_empty() {
                return Some(changed);
            }
        }
    }
}

impl Folders {
    fn add_all(&mut self) -> Result<(), WatchError> {
        for folder in self.watched.ref_folders() {
            self.watch(&folder)?;
        }
        let root = self.watched.repo.root().to_owned();
        if WHOLE_TREES && self.watched.repo.has_working_folder() {
            return self
                .watcher
                .watch(&root, RecursiveMode::Recursive)
                .map_err(|source| self.refused(source));
        }
        let (folders, _) = self.watched.walk("")?;
        for folder in folders {
            self.watch(&root.join(folder))?;
        }
        Ok(())
    }

    fn watch(&mut self, folder: &Path) -> Result<(), WatchError> {
        if self.known.contains(folder) {
            return Ok(());
        }
        match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.known.insert(folder.to_owned());
                Ok(())
            }
            // It went away in the meantime, or may not be read.
            Err(error) if super::is_limit(&error) => Err(self.refused(error)),
            Err(_) if folder != self.watched.repo.root() => Ok(()),
            Err(error) => Err(self.refused(error)),
        }
    }

    fn refused(&self, source: notify::Error) -> WatchError {
        WatchError::Refused { place: self.watched.place(), source }
    }

    /// Turns paths of events into a change, and watches folders that are new.
    fn see(&mut self, paths: &[PathBuf]) -> Changed {
        let mut changed = Changed::default();
        for path in paths {
            if self.watched.git.iter().any(|git| path.starts_with(git)) {
                changed.refs |= self.watched.is_ref(path);
                self.see_folder(path, None, &mut changed);
                continue;
            }
            let Some(inside) = self.inside(path) else { continue };
            let is_folder = path.is_dir() && !path.is_symlink();
            if self.watched.repo.ignores(&inside, is_folder) {
                continue;
            }
            self.see_folder(path, Some(&inside), &mut changed);
            if inside == ".gitignore" || inside.ends_with("/.gitignore") {
                // What was ignored may no longer be.
                let folder = inside.strip_suffix(".gitignore").unwrap_or_default().trim_end_matches('/');
                self.watch_below(folder, &mut changed);
            }
            changed.add(Changed { files: ChangedFiles::These(BTreeSet::from([inside])), refs: false });
        }
        changed
    }

    /// Returns a path in the tree, if it is one.
    fn inside(&self, path: &Path) -> Option<String> {
        let inside = path.strip_prefix(self.watched.repo.root()).ok()?;
        let segments: Vec<_> = inside.iter().map(|segment| segment.to_string_lossy()).collect();
        let is_git = segments.iter().any(|segment| super::super::resolve::is_git_folder(segment));
        (!segments.is_empty() && !is_git).then(|| segments.join("/"))
    }

    /// Forgets a folder that is gone, and watches one that is new with all that already stands in it.
    fn see_folder(&mut self, path: &Path, inside: Option<&str>, changed: &mut Changed) {
        if WHOLE_TREES {
            return;
        }
        if path.is_dir() && !path.is_symlink() {
            match inside {
                Some(inside) if !self.known.contains(path) => self.watch_below(inside, changed),
                Some(_) => {}
                None => {
                    for folder in self.watched.ref_folders() {
                        let fresh = !self.known.contains(&folder);
                        changed.refs |= fresh;
                        if fresh && self.watch(&folder).is_err() {
                            changed.add(Changed::anything());
                        }
                    }
                }
            }
        } else if self.known.contains(path) {
            self.known.retain(|known| !known.starts_with(path));
        }
    }

    fn watch_below(&mut self, folder: &str, changed: &mut Changed) {
        let root = self.watched.repo.root().to_owned();
        let Ok((folders, files)) = self.watched.walk(folder) else { return };
        let mut fresh = Vec::new();
        for folder in folders {
            let full = root.join(&folder);
            if !self.known.contains(&full) {
                if let Err(error) = self.watch(&full) {
                    tracing::warn!(%error, folder = %full.display(), "a new folder is not watched");
                    changed.add(Changed::anything());
                }
                fresh.push(folder);
            }
        }
        // What was written before the watch began made no event.
        let in_fresh = |file: &String| {
            let parent = file.rsplit_once('/').map_or("", |(parent, _)| parent);
            fresh.iter().any(|folder| folder == parent)
        };
        let files = files.into_iter().filter(in_fresh).collect();
        changed.add(Changed { files: ChangedFiles::These(files), refs: false });
    }
}

/// Returns whether an event can mean other contents: reading a file is an event too.
fn matters(kind: EventKind) -> bool {
    !matches!(kind, EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(MetadataKind::AccessTime)))
}
