//! Defines the engines: which of their objects own an app, and how their automation is paused and goes on.
//!
//! Each engine has a module of its own, which says where the switch of its automation is. What a pause keeps on the
//! engine's object is in [`hold`]; which object owns what is in [`owner`].

pub mod argocd;
pub mod flux;
pub mod hold;
pub mod owner;
pub mod parent;

pub use hold::{CannotSwitch, Wanted, changes_of_hold, changes_of_resume, standing};
pub use owner::{Owner, automation, kinds, owners};
pub use parent::parents;
