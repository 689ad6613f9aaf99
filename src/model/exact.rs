//! Defines what the API server's own dry run adds to a verdict.

use super::verdict::Confidence;
use jiff::Timestamp;

/// When the API server was asked, and what came of it beside the verdict itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exact {
    pub at: Timestamp,
    /// Managers that would lose fields to what Git declares, each with the fields, as the server's conflict names them.
    pub contending: Vec<(String, Vec<String>)>,
    /// Where the comparison here and the server disagree.
    pub disagreements: Vec<Disagreement>,
}

/// One point in which the comparison here and the API server disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The field as printed; `.` for the whole object.
    pub path: String,
    /// What the comparison here says of it.
    pub local: String,
    /// What the API server says of it.
    pub exact: String,
    /// Which of the two is shown.
    pub shown: Confidence,
    pub why: &'static str,
}

impl Confidence {
    /// Returns the word of the headless contract.
    pub fn word(self) -> &'static str {
        match self {
            Confidence::Local => "local",
            Confidence::Exact => "exact",
        }
    }
}

impl Disagreement {
    /// Returns it as a sentence: both sides, which one is shown, and why.
    pub fn words(&self) -> String {
        let Self { path, local, exact, shown, why } = self;
        format!("{path}: compared here {local}, by the API server {exact}; shown is {}: {why}", shown.word())
    }
}
