//! Puts text on the clipboard through the terminal (OSC 52), and into a file, because no terminal says whether it did.

use crate::config::private::PrivateFolder;
use crate::deck::Copied;
use crate::model::Notice;
use crate::text;
use std::path::{Path, PathBuf};

/// The file in the state folder that the last copy is kept in.
const FILE: &str = "copied.txt";

/// Where copies are saved; `None` where no home is known.
pub struct Clipboard {
    state: Option<PathBuf>,
}

impl Clipboard {
    pub fn new(state: Option<PathBuf>) -> Self {
        Self { state }
    }

    /// Returns the sequence to send to the terminal, if it can take it, and what became of the copy.
    pub fn copy(&self, content: &str) -> (Option<String>, Copied) {
        let file = match self.state.as_deref().map(|state| save(state, content)) {
            Some(Ok(file)) => Some(file),
            Some(Err(notice)) => return (None, Copied::Failed(*notice)),
            None => None,
        };
        if let Some(sequence) = text::terminal_clipboard(content) {
            return (Some(sequence), Copied::Sent { file });
        }
        let copied = match file {
            Some(file) => Copied::Saved { file },
            None => Copied::Failed(Notice::error("the text is too long for the terminal's clipboard")),
        };
        (None, copied)
    }
}

fn save(state: &Path, content: &str) -> Result<String, Box<Notice>> {
    let failed = |error: &dyn std::error::Error| {
        Box::new(Notice::error("the copy could not be saved").cause(error.to_string()))
    };
    let folder = PrivateFolder::open(state).map_err(|error| failed(&error))?;
    folder.replace(FILE, content.as_bytes()).map_err(|error| failed(&error))?;
    Ok(state.join(FILE).display().to_string())
}
