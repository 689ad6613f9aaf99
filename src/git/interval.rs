//! Defines when a remote is fetched next.

use std::time::Duration;

/// The longest wait between two tries of a remote that keeps failing.
const LONGEST: Duration = Duration::from_secs(3600);

/// Returns how long to wait before the next fetch: the interval, doubled for each failure in a row up to an hour (or the
/// interval, where that is longer), and moved by up to a tenth either way, so that many driftdecks do not ask at once.
///
/// `seed` tells one driftdeck and repo from another; the same arguments give the same wait.
pub fn next_fetch(interval: Duration, failures: u32, seed: u64) -> Duration {
    let wait = interval.saturating_mul(2_u32.saturating_pow(failures.min(16))).min(LONGEST.max(interval));
    let tenth = wait / 10;
    // A thousandth part is fine enough, and keeps the arithmetic whole.
    let part = u32::try_from(scatter(seed.wrapping_add(u64::from(failures))) % 2001).unwrap_or(1000);
    wait.saturating_sub(tenth).saturating_add(tenth.saturating_mul(part) / 1000)
}

/// Spreads neighbouring numbers over all numbers (splitmix64, Steele, Lea and Flood 2014).
fn scatter(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn waits_stay_within_a_tenth_and_differ_between_repos() {
        let waits: std::collections::BTreeSet<_> =
            (0..1000).map(|seed| next_fetch(MINUTE, 0, seed)).collect();
        assert!(waits.iter().all(|wait| (54..=66).contains(&wait.as_secs())));
        assert!(waits.len() > 700, "{} of 1000", waits.len());
        assert_eq!(next_fetch(MINUTE, 0, 7), next_fetch(MINUTE, 0, 7));
    }

    #[test]
    fn a_failing_remote_is_asked_ever_more_rarely_but_never_less_than_hourly() {
        let about = |failures| next_fetch(MINUTE, failures, 3).as_secs() / 54;
        assert_eq!([about(0), about(1), about(2)], [1, 2, 4]);
        for failures in 6..100 {
            assert!((3240..=3960).contains(&next_fetch(MINUTE, failures, 3).as_secs()));
        }
        assert!(next_fetch(Duration::from_secs(7200), 3, 1) >= Duration::from_secs(6480));
    }
}
