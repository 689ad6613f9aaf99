//! Defines what comes as text: the reader of YAML and JSON with lines, and text from outside with an encoder for each
//! sink.

mod guard;
mod untrusted;
pub mod yaml;

pub use guard::{guarded, is_guarded};
pub use untrusted::{Outside, terminal, terminal_lines};
