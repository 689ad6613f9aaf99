//! Defines what comes as text: the reader of YAML and JSON with lines, and text from outside with an encoder for each
//! sink.

mod guard;
#[doc(hidden)] // for the tests, also those outside the crate
pub mod hostile;
pub mod jq;
mod mask;
pub mod redact;
mod sink;
mod untrusted;
pub mod yaml;

pub use guard::{guarded, is_guarded};
pub use mask::{MaskRules, is_masked, use_mask_rules};
pub use sink::{
    commit_trailer, log_line, markdown, markdown_block, shell_word, terminal_clipboard, terminal_link,
};
pub use untrusted::{Outside, is_plain, terminal, terminal_lines};
