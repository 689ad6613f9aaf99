//! Defines the terminal app as data: state, messages, effects, layout, and the pure update between them.
//!
//! [`update()`] takes the state and a message and returns effects. It is synchronous, cannot fail, and has no clock:
//! time arrives in messages. What cannot be done here (reading, writing, the terminal) is an [`Effect`] that runtime
//! and shell perform and answer with messages. Drawing is the business of `ui`, which reads the state only.

mod anchor;
pub mod changes_view;
pub mod commit_view;
pub mod copy;
pub mod cut;
pub mod effect;
pub mod forge;
pub mod history_view;
pub mod layer;
pub mod layout;
pub mod list;
pub mod marks;
pub mod message;
pub mod picker;
pub mod plan_lines;
pub mod plan_view;
pub mod pods_view;
pub mod possible;
pub mod reading;
pub mod rows;
pub mod state;
pub mod unseen;
mod update;
pub mod view;
pub mod words;
pub mod world;
pub mod wrap;

pub use effect::{Effect, HoldRequest, Pause, PlanRequest, SyncRequest, Ticket, UndoRequest};
pub use layer::Layer;
pub use layout::{Column, Layout, Rect, Size};
pub use message::{Copied, Message, Mouse};
pub use state::{Options, State};
pub use update::{update, update_all};
pub use world::ResourceKey;
