//! The headless contract: what other programs read from driftdeck. No control plane is needed here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what cannot happen ends a test")]

#[path = "../support/mod.rs"]
mod support;

mod apply;
mod canary;
mod compare;
mod configured;
mod demo;
mod doctor;
mod failing;
mod history;
mod hostile;
mod ignored;
mod mistakes;
mod render;
mod repositories;
mod revert;
mod signals;
