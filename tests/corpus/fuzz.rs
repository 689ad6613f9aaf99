//! Runs what is fuzzed over its corpus, and over mutations of it that are the same in every run.

use crate::fuzzed::{TARGETS, install_hook};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// Mutations that each target is tried with.
const MUTATIONS: u64 = 4_000;
/// What a mutation may be long, in bytes.
const LONGEST: usize = 16 << 10;
/// After this time without an answer an input counts as one that hangs: a thousand times what the slowest takes.
const HANGS: Duration = Duration::from_secs(60);

/// Pieces of text that mean something to one of the readers.
const PIECES: [&str; 40] = [
    ".",
    "..",
    "[",
    "]",
    "[*]",
    "[0]",
    "[=\"",
    "=\"",
    "\"]",
    "\\",
    "\"",
    "*",
    "**",
    ": ",
    "- ",
    "\n",
    "\n---\n",
    "---",
    "...",
    "&a ",
    "*a",
    "<<: ",
    "!!int ",
    "!x",
    ",",
    "{",
    "}",
    "{}",
    "[]",
    "null",
    "~",
    "0",
    "-1",
    "1e999",
    "f:",
    "k:{\"name\":\"",
    "v:",
    "i:",
    "\t",
    "\u{feff}",
];

/// A generator of numbers that gives the same ones for the same seed (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % end.max(1)
    }
}

/// Returns an input with a few changes, each of which may take from another one.
fn mutated(input: &[u8], other: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        let until = at + numbers.below((bytes.len() - at).min(64) + 1);
        match numbers.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            1 if at < bytes.len() => bytes[at] = u8::try_from(numbers.below(256)).unwrap_or(0),
            2 => drop(bytes.drain(at..until)),
            3 => {
                let again = bytes[at..until].repeat(1 + numbers.below(8));
                bytes.splice(at..at, again);
            }
            4 => {
                let from = numbers.below(other.len() + 1);
                bytes.splice(at..until, other[from..].iter().take(256).copied());
            }
            5 => bytes.truncate(at),
            _ => drop(bytes.splice(at..at, PIECES[numbers.below(PIECES.len())].bytes())),
        }
    }
    bytes.truncate(LONGEST);
    bytes
}

fn corpus_of(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file that can be read").path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).expect("a file that can be read")).collect()
}

/// Runs one target over its inputs on a thread of its own, and returns how many it was given.
fn run(name: &'static str, target: fn(&[u8])) -> u64 {
    let corpus = corpus_of(name);
    assert!(corpus.len() > 2, "{name} has a corpus");
    let (says, heard) = mpsc::sync_channel::<Vec<u8>>(0);
    let work = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        let mut numbers = Numbers(0x5eed_0000_0000_0001);
        let mutations = (0..MUTATIONS).map(|_| {
            let (one, other) = (numbers.below(corpus.len()), numbers.below(corpus.len()));
            mutated(&corpus[one], &corpus[other], &mut numbers)
        });
        let inputs: Vec<_> = corpus.iter().cloned().chain(mutations).collect();
        for input in inputs {
            // Whoever listens has given up.
            if says.send(input.clone()).is_err() {
                return;
            }
            let done = catch_unwind(AssertUnwindSafe(|| target(&input)));
            assert!(done.is_ok(), "{name}: {:?}", String::from_utf8_lossy(&input));
        }
    });
    let work = work.expect("a thread");
    let (mut count, mut last) = (0, Vec::new());
    loop {
        match heard.recv_timeout(HANGS) {
            Ok(input) => (count, last) = (count + 1, input),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                panic!("{name} hangs: {:?}", String::from_utf8_lossy(&last))
            }
        }
    }
    work.join().unwrap_or_else(|_| panic!("{name} fails: {:?}", String::from_utf8_lossy(&last)));
    count
}

#[test]
fn no_text_makes_what_reads_it_panic_or_hang() {
    install_hook();
    for (name, target) in TARGETS {
        let count = run(name, target);
        crate::say(&format!("fuzz, {name}: {count} inputs"));
        assert!(count > MUTATIONS);
    }
}
