//! Defines the one pipeline from a change to a verdict: discover, match, render, watch, judge.
//!
//! It feeds the deck and the headless commands alike with neutral [`Update`](crate::model::update::Update)s.

pub mod acting;
pub mod admission;
mod calm;
pub mod changes;
pub mod committer;
pub mod committing;
mod configured;
mod contexts;
mod declared;
pub mod demo;
pub mod deployment;
pub mod discovery;
mod elsewhere;
mod event;
pub mod exact;
pub mod examine;
pub mod failed_sync;
pub mod history;
pub mod holds;
pub mod judging;
mod kept;
pub mod offline;
pub mod opening;
pub mod reading;
mod remembered;
mod remotes;
pub mod rendering;
pub mod rules;
pub mod run;
pub mod running;
pub mod scopes;
pub mod seen;
pub mod selecting;
pub mod setup;
mod sources;
pub mod store;
pub mod story;
pub mod texts;
mod troubles;
mod unsynced;
pub mod world;
