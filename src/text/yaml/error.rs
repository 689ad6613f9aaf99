//! Defines why a document cannot be read. No text of the document is repeated: it may be a Secret.

use crate::model::limits;

/// A document that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct DocumentError {
    /// Its place in the file, counted from 0.
    pub index: usize,
    /// Counted from 1 in the file.
    pub line: Option<usize>,
    pub fault: Fault,
}

impl DocumentError {
    pub(super) fn over_the_limit(index: usize) -> Self {
        Self { index, line: None, fault: Fault::TooManyDocuments }
    }
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The words are the parser's.
    #[error("{what}{}", if context.is_empty() { String::new() } else { format!(" ({context})") })]
    Yaml { what: &'static str, context: &'static str },
    #[error("a tag is written in a way that cannot be read")]
    ParserFailed,
    #[error("{what}")]
    Json { what: &'static str },
    #[error("only a comment may follow `---` on its line")]
    TextAfterSeparator,
    #[error("an alias names an anchor that is not there")]
    UnknownAnchor,
    #[error("an anchor's value contains itself")]
    AnchorInItself,
    #[error("the document is made of too many aliases")]
    TooManyAliases,
    #[error("`<<` wants a map or a list of maps")]
    MergeWantsMaps,
    #[error("a map or a list cannot be a key")]
    CollectionAsKey,
    #[error("{what} cannot be a key")]
    ValueAsKey { what: &'static str },
    #[error("the value is not what its tag `{tag}` says")]
    NotAsTagged { tag: &'static str },
    #[error("JSON has no {what}")]
    NotInJson { what: &'static str },
    #[error("maps and lists lie more than {} deep", limits::DOCUMENT_DEPTH)]
    TooDeep,
    #[error("it holds more than {} values", limits::DOCUMENT_NODES)]
    TooManyValues,
    #[error("the file holds more than {} documents", limits::DOCUMENTS_PER_FILE)]
    TooManyDocuments,
}
