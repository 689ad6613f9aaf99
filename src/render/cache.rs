//! Defines what is kept of earlier renderings, so that the same files are not rendered twice by the same program.
//!
//! A rendering's key is a digest of every exported file, the program with its version, and every argument. What a
//! program printed is kept compressed; a rendering that holds sealed values is kept only as sealed objects and only in
//! memory, so that no Secret's text outlives its reading.

use super::declared::Reading;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Renderings that are kept in memory.
const RENDERINGS: usize = 512;
/// Bytes of compressed output that are kept in memory.
const BYTES: usize = 32 << 20;

/// A place outside this process where renderings without Secrets are kept. The bytes are opaque to it.
pub trait Store: Send + Sync {
    /// Returns what was saved under a key of hexadecimal digits; `None` if it is gone.
    fn load(&self, key: &str) -> Option<Vec<u8>>;

    /// Saves bytes under a key. A failure is not told: the rendering is then made again.
    fn save(&self, key: &str, bytes: &[u8]);
}

/// What is kept of one rendering.
#[derive(Clone)]
pub(super) enum Kept {
    /// What the program printed.
    Output(Vec<u8>),
    /// What was read of it: it holds sealed values.
    Reading(Arc<Reading>),
}

/// Earlier renderings.
#[derive(Default)]
pub(super) struct Cache {
    memory: Mutex<Memory>,
    store: Option<Arc<dyn Store>>,
}

#[derive(Default)]
struct Memory {
    kept: HashMap<String, Compact>,
    /// The keys, the oldest first.
    order: VecDeque<String>,
    bytes: usize,
}

#[derive(Clone)]
enum Compact {
    Output(Arc<[u8]>),
    Reading(Arc<Reading>),
}

impl Compact {
    fn bytes(&self) -> usize {
        match self {
            Compact::Output(bytes) => bytes.len(),
            Compact::Reading(_) => 0,
        }
    }
}

impl Cache {
    pub fn over(store: Arc<dyn Store>) -> Self {
        Self { memory: Mutex::default(), store: Some(store) }
    }

    /// Returns what is kept under a key. Reads the disk where a store is there.
    pub fn get(&self, key: &str) -> Option<Kept> {
        let compact = self.lock().kept.get(key).cloned();
        match compact {
            Some(Compact::Reading(reading)) => Some(Kept::Reading(reading)),
            Some(Compact::Output(bytes)) => unpack(&bytes).map(Kept::Output),
            None => {
                let bytes = self.store.as_ref()?.load(key)?;
                let output = unpack(&bytes)?;
                self.put(key, Compact::Output(bytes.into()));
                Some(Kept::Output(output))
            }
        }
    }

    /// Keeps a rendering: what the program printed if nothing of it is sealed, else only what was read of it.
    pub fn keep(&self, key: &str, output: &[u8], reading: &Reading) {
        if reading.may_hold_secrets() {
            self.put(key, Compact::Reading(Arc::new(reading.clone())));
            return;
        }
        let packed = lz4_flex::compress_prepend_size(output);
        if let Some(store) = &self.store {
            store.save(key, &packed);
        }
        self.put(key, Compact::Output(packed.into()));
    }

    fn put(&self, key: &str, compact: Compact) {
        let mut memory = self.lock();
        memory.bytes += compact.bytes();
        match memory.kept.insert(key.to_owned(), compact) {
            Some(before) => memory.bytes -= before.bytes(),
            None => memory.order.push_back(key.to_owned()),
        }
        while memory.order.len() > RENDERINGS || memory.bytes > BYTES {
            let Some(oldest) = memory.order.pop_front() else { break };
            if let Some(gone) = memory.kept.remove(&oldest) {
                memory.bytes -= gone.bytes();
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the output of packed bytes. What somebody else wrote may be anything: a size over the limit is refused.
fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    let size = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?);
    if size as usize > crate::model::limits::CHILD_OUTPUT_BYTES {
        return None;
    }
    lz4_flex::decompress_size_prepended(bytes).ok()
}
