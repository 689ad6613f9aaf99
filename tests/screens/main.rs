//! The deck as people see and use it: screens at several sizes, keys typed as text, hostile names, random use.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what cannot happen ends a test; clippy spares only the test functions themselves"
)]

mod changes;
mod commits;
mod demo;
mod exact;
mod history;
mod holds;
mod hostile;
mod live;
mod looks;
mod plans;
mod pods;
mod random;
mod readme;
mod screens;
mod typing;
mod typist;
mod world;
