//! Defines the user's configuration and where files are kept: files become typed values, and a mistake names file, line
//! and key.
//!
//! [`Settings`] is what `config.yaml` says; [`InForce`] keeps the last good ones while the file is broken, and says
//! which clusters are read-only because of it.

mod cursor;
mod health;
pub mod ignore;
mod in_force;
pub mod keymap;
pub mod log;
pub mod paths;
pub mod private;
mod read;
pub mod settings;
pub mod theme;

pub use in_force::{ClusterRules, InForce};
pub use read::{Broken, Doubt};
pub use settings::Settings;
