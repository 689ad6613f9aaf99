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
    /// Whether the terminal is known to take copies.
    sends: bool,
}

impl Clipboard {
    pub fn new(state: Option<PathBuf>, sends: bool) -> Self {
        Self { state, sends }
    }

    /// Returns the sequence to send to the terminal, if it can take it, and what became of the copy.
    pub fn copy(&self, content: &str) -> (Option<String>, Copied) {
        let file = match self.state.as_deref().map(|state| save(state, content)) {
            Some(Ok(file)) => Some(file),
            Some(Err(notice)) => return (None, Copied::Failed(*notice)),
            None => None,
        };
        if let Some(sequence) = text::terminal_clipboard(content).filter(|_| self.sends) {
            return (Some(sequence), Copied::Sent { file });
        }
        let copied = match file {
            Some(file) => Copied::Saved { file },
            None => Copied::Failed(
                Notice::error("the copy has nowhere to go: the terminal is not known to take it")
                    .hint("set HOME or XDG_STATE_HOME, and copies are saved to a file"),
            ),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_copy_is_what_became_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let file = state.join(FILE).display().to_string();
        let (sequence, how) = Clipboard::new(Some(state.clone()), true).copy("shop/web");
        assert!(sequence.is_some_and(|sequence| sequence.starts_with("\x1b]52;c;")));
        assert_eq!(how, Copied::Sent { file: Some(file.clone()) });
        let (sequence, how) = Clipboard::new(Some(state), false).copy("shop/api");
        assert_eq!((sequence, how), (None, Copied::Saved { file: file.clone() }));
        assert_eq!(std::fs::read_to_string(file).unwrap(), "shop/api");
        assert!(matches!(Clipboard::new(None, false).copy("x"), (None, Copied::Failed(_))));
    }
}
