//! Defines what driftdeck does to clusters: plans (they write nothing), their execution, and the journal of it.
//!
//! A plan is the exact list of writes, bound to what it was computed from; [`execute`] does it step by step, and refuses
//! whatever has moved since. Every action leaves a line in the [`journal`], and an intent on disk before each write; what an object was before is kept, so that a sync can be
//! [undone](undo).

mod before;
mod bind;
pub mod capture;
pub mod commit;
mod document;
mod dry_run;
mod effect;
pub mod exact;
mod execute;
pub mod hold;
pub mod ignore;
pub mod journal;
mod live;
mod notices;
mod order;
mod patch;
mod read_back;
pub mod recorded;
pub mod sync;
pub mod undo;
mod write;

pub use crate::model::confirm;
pub use bind::rendered;
pub use execute::{ExecuteError, Execution, Moved, execute};
pub use live::Planned;
pub use sync::words::plan_id;

#[cfg(test)]
mod tests;
