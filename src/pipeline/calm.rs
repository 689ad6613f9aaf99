//! Defines when what has happened is judged: once that nothing more happens for a moment, and not much later even if it
//! never stops.

use std::time::Duration;
use tokio::time::Instant;

/// Collects what happens until it is time to judge.
#[derive(Debug)]
pub struct Calm {
    quiet: Duration,
    longest: Duration,
    /// When the first and the last of what waits happened.
    waiting: Option<(Instant, Instant)>,
}

impl Calm {
    /// Waits until nothing has happened for `quiet`, and never longer than `longest` after the first.
    pub fn new(quiet: Duration, longest: Duration) -> Self {
        Self { quiet, longest, waiting: None }
    }

    /// Takes in that something happened.
    pub fn stir(&mut self, now: Instant) {
        let first = self.waiting.map_or(now, |(first, _)| first);
        self.waiting = Some((first, now));
    }

    /// Forgets what happened: it is being judged, or cannot be before something else happens.
    pub fn settle(&mut self) {
        self.waiting = None;
    }

    /// Returns when to judge; `None` while nothing has happened.
    pub fn due(&self) -> Option<Instant> {
        self.waiting.map(|(first, last)| (last + self.quiet).min(first + self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_that_never_stops_is_judged_all_the_same() {
        let ms = Duration::from_millis;
        let start = Instant::now();
        let mut calm = Calm::new(ms(25), ms(250));
        assert_eq!(calm.due(), None);
        calm.stir(start);
        assert_eq!(calm.due(), Some(start + ms(25)));
        for at in 1..100 {
            calm.stir(start + ms(10 * at));
        }
        assert_eq!(calm.due(), Some(start + ms(250)));
        calm.settle();
        assert_eq!(calm.due(), None);
        calm.stir(start + ms(1000));
        assert_eq!(calm.due(), Some(start + ms(1025)));
    }
}
