//! The pipeline over real Git repositories and clusters in memory: what becomes of changes on either side.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what cannot happen ends a test")]

#[path = "../support/mod.rs"]
mod support;

mod acting;
mod autoscaled;
mod changes;
mod deployers;
mod exact;
mod extras;
mod ground;
mod history;
mod late;
mod narrow;
mod past;
mod pods;
mod reaching;
mod running;
mod scripted;
mod story;
mod unsynced;
