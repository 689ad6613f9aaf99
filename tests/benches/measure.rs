//! Measures what people wait for, and prints figures. It asserts nothing about time: machines differ.
//!
//! `cargo bench` runs what needs no cluster; `tests/control-plane/with cargo bench` runs everything, beside a real API
//! server that it fills with 10,000 objects. Words after `--` choose subjects: `cargo bench -- frame start`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a benchmark ends with whatever goes wrong, and printing is its purpose"
)]

#[path = "../support/mod.rs"]
mod support;

mod changes;
mod cold;
mod deck;
mod exact;
mod figures;
mod fleet;
mod frame;
mod history;
mod start;

fn main() {
    // Cargo adds `--bench`; what is no flag chooses.
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted =
        |subject: &str| chosen.is_empty() || chosen.iter().any(|word| subject.contains(word.as_str()));
    println!("machine: {}", figures::machine());

    if wanted("frame") {
        frame::measure();
    }
    if wanted("history") {
        history::measure();
    }
    if wanted("start") {
        start::measure();
    }
    let (cold, deck, exact, changes) = (wanted("cold"), wanted("deck"), wanted("exact"), wanted("changes"));
    if !cold && !deck && !exact && !changes {
        return;
    }
    if std::env::var_os("DRIFTDECK_TEST_KUBECONFIG").is_none() {
        println!(
            "\nNOT MEASURED without a control plane: cold, deck, exact, changes. Run: tests/control-plane/with cargo bench"
        );
        return;
    }
    let fleet = fleet::Fleet::create();
    if cold {
        cold::measure(&fleet);
    }
    if exact {
        exact::measure(&fleet);
    }
    if deck {
        deck::measure(&fleet);
    }
    // It leaves drift behind, so it is the last.
    if changes {
        changes::measure(&fleet);
    }
}
