//! Defines how child programs run: bounded in time, output, memory and processes, in a session of their own without a
//! terminal, with exactly the environment that they are given, and killed as a whole family.
//!
//! A family is the program with everything that it started, also what left its process group or became a daemon: on
//! Linux driftdeck is the reaper of such orphans and finds them by their session, their parents, or the mark that every
//! job carries in its environment. Elsewhere the process group is all that can be reached.

mod closing;
mod error;
mod family;
mod find;
mod job;
mod run;
#[cfg(test)]
mod tests;

pub use closing::close;
pub use error::ChildError;
pub use find::find_program;
pub use job::{Finished, Job, Limits};
pub use run::{run, run_with_progress};
