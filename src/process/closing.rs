//! Defines how an async runtime ends, so that nothing of its tasks outlives the program.

use std::time::Duration;

/// How long work that cannot be cut off (a file that is being written or removed) may still take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Ends a runtime: its tasks are dropped, and with them their child programs and exported copies. Blocks until that is
/// done, two seconds at most.
pub fn close(runtime: tokio::runtime::Runtime) {
    runtime.shutdown_timeout(PATIENCE);
}
