//! Tests against a real API server. `tests/run` starts one; without it they are ignored, and `cargo test` says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test's own helpers")]

#[path = "../support/mod.rs"]
mod support;

mod apply;
mod canary;
mod capture;
mod captured;
mod catalogue;
mod changes;
mod cluster;
mod configured;
mod connection;
mod deck;
mod defaults;
mod exact;
mod forge;
mod ground;
mod headless;
mod headless_sync;
mod history;
mod hold;
mod ignore;
mod ignored;
mod incident;
mod killed;
mod login;
mod narrowed;
mod pods;
mod publish;
mod remotes;
mod report;
mod revert;
mod right;
mod signals;
mod sync;
mod undo;
mod who;
mod whole;
mod yaml;
