//! Waiting for what another program will do: always for a condition, always with a bound.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long a test waits for something that should come within a second or two, on a machine that is busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The pause between two looks at something that cannot wake its observer, such as an API server.
const PAUSE: Duration = Duration::from_millis(40);

/// Asks until there is an answer, and returns it; panics with `what` after [`PATIENCE`].
pub fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, what, ask)
}

/// As [`eventually`], with a bound of its own.
pub fn eventually_within<T>(bound: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + bound;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "waited {bound:?}, and not yet: {what}");
        rest(PAUSE);
    }
}

/// Asserts that something does not come about for a while. Only for what would come at once if it came at all.
pub fn never_within(bound: Duration, what: &str, mut happened: impl FnMut() -> bool) {
    let end = Instant::now() + bound;
    while Instant::now() < end {
        assert!(!happened(), "should not have come about: {what}");
        rest(PAUSE);
    }
}

/// Rests between two looks.
pub fn rest(pause: Duration) {
    let nobody_wakes_it = Mutex::new(());
    let held = nobody_wakes_it.lock().expect("a lock of its own");
    drop(Condvar::new().wait_timeout(held, pause).expect("a lock of its own"));
}
