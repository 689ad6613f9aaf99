//! Defines why a text is not edited. No value is repeated: it may be a secret.

use super::super::error::Fault;

/// An edit that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct EditRefused {
    /// Counted from 1 in the file.
    pub line: Option<usize>,
    pub fault: EditFault,
}

/// What is in the way of an edit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditFault {
    #[error("the document is not there")]
    NoDocument,
    #[error("the document cannot be read: {0}")]
    Unreadable(Fault),
    #[error("the document is written in a way that does not tell where its values stand")]
    NoPlaces,
    #[error("the value is an alias: it stands where its anchor is, and may stand in other places too")]
    Alias,
    #[error("the value carries an anchor, or stands below one: whatever refers to it would change too")]
    Anchored,
    #[error("the value comes from a merge key (`<<`), or may")]
    Merged,
    #[error("the line is a template")]
    Templated,
    #[error("the key stands there twice")]
    DuplicateKey,
    #[error("several items of the list fit")]
    Ambiguous,
    #[error("nothing stands there that it could be part of")]
    NotThere,
    #[error("the value carries a tag")]
    Tagged,
    #[error("the key is written with `?`, or without a value")]
    ExplicitKey,
    #[error("it would have to be written on a line that other values share")]
    SharedLine,
    #[error("the value is sealed")]
    Sealed,
    #[error("the whole document would change")]
    WholeDocument,
    #[error("the value cannot be written there so that it reads back as it should")]
    NotAsWanted,
    #[error("the file would become too large")]
    TooLarge,
    #[error("too much differs")]
    TooManySteps,
}
