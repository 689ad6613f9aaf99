//! The deck on 10,000 objects: from a watch event and from a key to the terminal's bytes, memory, and silence.

use std::time::{Duration, Instant};

use crate::figures::{Times, figure, figure_and_aim, subject, words};
use crate::fleet::Fleet;
use crate::support::Terminal;

const EDITS: usize = 50;
const KEYS: usize = 100;
/// The pause between two measurements, so that none meets the work of the one before.
const APART: Duration = Duration::from_millis(300);

pub fn measure(fleet: &Fleet) {
    subject("deck: on the 10,000 objects, at 200x50");
    let home = fleet.home();
    let path = fleet.repository.path().display().to_string();
    let began = Instant::now();
    let mut deck = Terminal::driftdeck(&home, &[path.as_str()], 200, 50);
    deck.await_screen("all judged", |screen| screen.contents().contains("all in sync"));
    figure("from the start until all are judged", &words(began.elapsed()));
    figure_and_aim("resident memory then", &memory(&deck), "100 MB");

    idle(&deck);
    events(fleet, &deck);
    keys(&mut deck);
    figure_and_aim("resident memory at the end", &memory(&deck), "100 MB");
}

/// Edits one object again and again. The way to the API server and back is part of the time.
fn events(fleet: &Fleet, deck: &Terminal) {
    let (mut seen, mut answered) = (Times::default(), Times::default());
    for edit in 0..EDITS {
        let value = format!("edited-{edit:02}");
        deck.await_silence(APART);
        let began = Instant::now();
        fleet.edit(&value);
        answered.add(began.elapsed());
        deck.await_screen("the edit", |screen| screen.contents().contains(&value));
        seen.add(began.elapsed());
    }
    figure("an edit sent, until the API server has answered", &answered.to_string());
    figure_and_aim("an edit sent, until it is on the screen", &seen.to_string(), "100 ms");
}

fn keys(deck: &mut Terminal) {
    let mut times = Times::default();
    // To the list of apps, whose every row has another list of resources.
    deck.keys("2");
    for key in ["j", "k"].into_iter().cycle().take(KEYS) {
        deck.await_silence(APART);
        let before = deck.written();
        let began = Instant::now();
        deck.keys(key);
        times.add(deck.await_more_than(before).duration_since(began));
    }
    figure_and_aim("a key typed in the list of apps, until bytes come", &times.to_string(), "8 ms");
}

/// Listens for a minute. What is written then are ages that moved on: between two of these nothing is.
fn idle(deck: &Terminal) {
    deck.await_silence(Duration::from_secs(2));
    let (mut bursts, end) = (Vec::new(), Instant::now() + Duration::from_secs(60));
    let before = deck.written();
    while Instant::now() < end {
        let so_far = deck.written();
        crate::support::patience::rest(Duration::from_millis(100));
        let more = deck.written() - so_far;
        if more > 0 {
            bursts.push(more);
        }
    }
    let all = deck.written() - before;
    let seen = format!("{all} bytes in {} moments {bursts:?}", bursts.len());
    figure_and_aim("written in an idle minute", &seen, "0 bytes between age steps");
}

/// What the process has resident now, and had at most.
fn memory(deck: &Terminal) -> String {
    let status = std::fs::read_to_string(format!("/proc/{}/status", deck.pid())).unwrap_or_default();
    let of = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0);
        kibibytes * 1024 / 1_000_000
    };
    format!("{} MB, at most {} MB", of("VmRSS:"), of("VmHWM:"))
}
