//! Defines how a panic over hostile input is contained: the one document or object that caused it is refused, and the
//! rest goes on.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Does the work and returns its result, or `None` if it panicked. What the work changed before must not be used after.
///
/// The panic hook still runs: it must do nothing where [`is_guarded`], above all not give back the terminal.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            DEPTH.set(DEPTH.get().saturating_sub(1));
        }
    }
    DEPTH.set(DEPTH.get() + 1);
    let _leave = Leave;
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// Returns whether this thread does guarded work, so that a panic hook knows that the panic will be caught.
pub fn is_guarded() -> bool {
    DEPTH.get() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_contained_and_known_to_be() {
        assert_eq!(guarded(is_guarded), Some(true));
        assert_eq!(guarded(|| assert!(!is_guarded())), None);
        assert!(!is_guarded());
    }
}
