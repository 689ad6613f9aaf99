//! How figures are printed: a subject, then lines of what was seen, with what is aimed for.

use std::time::{Duration, Instant};

/// Prints the heading of a subject.
pub fn subject(title: &str) {
    println!("\n{title}");
}

/// Prints one figure.
pub fn figure(what: &str, seen: &str) {
    println!("  {what:<58} {seen}");
}

/// Prints one figure beside what is aimed for.
pub fn figure_and_aim(what: &str, seen: &str, aim: &str) {
    println!("  {what:<58} {seen}  (aim: {aim})");
}

/// Times one call.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let done = work();
    (began.elapsed(), done)
}

/// Times of the same thing, done several times.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
        self.0.sort_unstable();
    }

    /// The time that this share of all times did not exceed, by the nearest rank.
    pub fn quantile(&self, hundredths: usize) -> Duration {
        let rank = (self.0.len() * hundredths).div_ceil(100).max(1);
        self.0[rank - 1]
    }

    pub fn fastest(&self) -> Duration {
        self.0[0]
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = |hundredths| words(self.quantile(hundredths));
        write!(f, "p50 {}, p99 {}, of {} times", of(50), of(99), self.0.len())
    }
}

/// A time with three digits or so.
pub fn words(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..100_000 => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        100_000..1_000_000 => format!("{:.0} ms", time.as_secs_f64() * 1e3),
        _ => format!("{:.2} s", time.as_secs_f64()),
    }
}

/// The machine's size, and how busy it is: figures mean nothing without them.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let line = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default().to_owned();
        line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
    };
    let memory = line("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse::<u64>().unwrap_or(0) >> 20;
    let model = line("/proc/cpuinfo", "model name");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown").to_owned();
    format!("{cores} cores of {model}, {memory} GiB, load {load} at the beginning")
}
