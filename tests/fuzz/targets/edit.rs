//! Fuzzes `fuzzed::edit`.
#![no_main]
#![allow(dead_code, reason = "each target uses one function of several")]

#[path = "../../corpus/fuzzed.rs"]
mod fuzzed;
#[path = "../../corpus/objects.rs"]
mod objects;

libfuzzer_sys::fuzz_target!(init: fuzzed::install_hook(), |bytes: &[u8]| fuzzed::edit(bytes));
