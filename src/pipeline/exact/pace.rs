//! Defines how many requests may be under way: as many as are allowed, fewer when the server asks to wait, slowly more
//! again when it answers.

use std::time::Duration;
use tokio::time::Instant;

/// Requests that are under way at the same time at most.
pub const AT_ONCE: usize = 10;

/// The pace of a run: halved once for each time that the server is busy, one more after as many answers as are allowed.
#[derive(Debug)]
pub(super) struct Pace {
    allowed: usize,
    well: usize,
    /// Counts how often it was slowed down: requests of before say nothing of the pace now.
    turn: u64,
    rests: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { allowed: AT_ONCE, well: 0, turn: 0, rests: None }
    }
}

impl Pace {
    pub fn allowed(&self) -> usize {
        self.allowed
    }

    pub fn turn(&self) -> u64 {
        self.turn
    }

    /// Returns until when nothing more is sent; `None`: now.
    pub fn rests_until(&mut self, now: Instant) -> Option<Instant> {
        self.rests = self.rests.filter(|until| *until > now);
        self.rests
    }

    pub fn went_well(&mut self) {
        self.well += 1;
        if self.well >= self.allowed && self.allowed < AT_ONCE {
            self.allowed += 1;
            self.well = 0;
        }
    }

    /// Takes in that the server asks to wait, in answer to a request that was sent at this turn.
    pub fn was_busy(&mut self, turn: u64, now: Instant, after: Duration) {
        let until = now + after;
        self.rests = Some(self.rests.map_or(until, |rests| rests.max(until)));
        if turn == self.turn {
            self.allowed = (self.allowed / 2).max(1);
            self.well = 0;
            self.turn += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_server_is_asked_less_at_once_after_the_wait_and_slowly_more_again() {
        let (mut pace, now, second) = (Pace::default(), Instant::now(), Duration::from_secs(1));
        let turn = pace.turn();
        pace.was_busy(turn, now, second);
        assert_eq!((pace.allowed(), pace.rests_until(now)), (5, Some(now + second)));
        pace.was_busy(turn, now, second * 3);
        assert_eq!(pace.allowed(), 5, "those that were under way already do not slow it further");
        assert_eq!(pace.rests_until(now + second * 2), Some(now + second * 3), "the longest wait counts");
        assert_eq!(pace.rests_until(now + second * 3), None);
        for _ in 0..5 {
            pace.went_well();
        }
        assert_eq!(pace.allowed(), 6);
        for _ in 0..200 {
            pace.went_well();
        }
        assert_eq!(pace.allowed(), AT_ONCE);
        for _ in 0..9 {
            pace.was_busy(pace.turn(), now, second);
        }
        assert_eq!(pace.allowed(), 1);
    }
}
