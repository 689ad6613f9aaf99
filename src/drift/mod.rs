//! Defines how desired and live are compared: verdicts, ownership, leftovers, health, text diffs.
//!
//! Everything here is pure: schema, tables and both objects come in, a judgement goes out. It never asks the cluster
//! anything and knows no clock, so it can run on every watch event. What only the API server can settle is marked
//! `needs exact`. The behaviour is the drift catalogue's.

mod admission;
mod agents;
mod autoscaled;
mod bookkeeping;
mod compare;
mod declarable;
mod defaults;
mod deployer;
mod edits;
mod excluded;
mod health;
mod ignore;
mod immutable;
mod invalid;
mod judge;
mod keyed;
mod managers;
mod ownership;
mod path;
mod scalar;
mod text_diff;
mod types;
mod walk;
mod writes;

pub use admission::{ADMISSION_GROUP, ADMISSION_KINDS, Admission};
pub use autoscaled::{AUTOSCALERS, Autoscaled, AutoscalerKind, Scales};
pub use bookkeeping::is_tracking;
pub use compare::canonical_desired;
pub use declarable::declarable;
pub use deployer::{DRIFTDECK, Deployer, DeployerTie, deployer};
pub use edits::{Change, edits};
pub use health::{HealthRules, Pods, Workload, health, trouble};
pub use ignore::{IgnoreRules, Selector};
pub use judge::{Context, judge};
pub use managers::Managers;
pub use scalar::is_respelled;
pub use text_diff::text_diff;
pub use types::is_unset;
pub use writes::{Written, undated, writes};
