//! Defines notices: an error or news as the user reads it.

/// An error or news: a title, what caused it, and what to do.
///
/// The texts may hold words from outside; every sink encodes them (see `text`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Notice {
    pub level: Level,
    pub title: String,
    pub cause: Option<String>,
    pub hint: Option<String>,
    pub file: Option<String>,
    pub line: Option<usize>,
    /// The object it is about, printed as `Kind[.group]/[namespace/]name`.
    pub object: Option<String>,
}

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Error,
    Warning,
    Info,
}

impl Level {
    pub fn word(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
        }
    }
}

impl Notice {
    pub fn new(level: Level, title: impl Into<String>) -> Self {
        Self { level, title: title.into(), cause: None, hint: None, file: None, line: None, object: None }
    }

    pub fn error(title: impl Into<String>) -> Self {
        Self::new(Level::Error, title)
    }

    pub fn warning(title: impl Into<String>) -> Self {
        Self::new(Level::Warning, title)
    }

    pub fn info(title: impl Into<String>) -> Self {
        Self::new(Level::Info, title)
    }

    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what to do about it, where something is known.
    #[must_use]
    pub fn hinted(self, hint: Option<impl Into<String>>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    #[must_use]
    pub fn file(mut self, file: impl Into<String>, line: Option<usize>) -> Self {
        self.file = Some(file.into());
        self.line = line;
        self
    }

    #[must_use]
    pub fn object(mut self, object: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self
    }
}
