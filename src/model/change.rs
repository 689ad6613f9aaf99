//! Defines one difference between desired and live, with who wrote it on either side.

use super::field_path::FieldPath;
use super::id::Oid;
use super::ignore::Ignored;
use super::manifest::Origin;
use super::value::Value;
use jiff::Timestamp;

/// One field that differs. The classes are the drift catalogue's.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    pub path: FieldPath,
    pub class: Class,
    /// Whether it is drift; what does not count is shown all the same.
    pub counts: bool,
    pub cause: Cause,
    /// `None`: not declared.
    pub desired: Option<Value>,
    /// `None`: not there.
    pub live: Option<Value>,
    /// Who last wrote the live value, as far as managed fields tell.
    pub writer: Option<Writer>,
    /// Who is behind the writer, where more is known than its name: `Horizontal Pod Autoscaler shop/web`.
    pub agent: Option<String>,
    /// Where Git declares it.
    pub origin: Option<Origin>,
    /// Since which commit Git declares it so, filled in where it is looked at.
    pub declared: Option<Declared>,
    /// What else a person must know: the ignore rule, `kept by X`, `the actor is not recorded`.
    pub note: Option<String>,
    /// The rule that hides it, where it is ignored.
    pub ignored: Option<Box<Ignored>>,
    /// Of a leftover: the other managers that own it, so that it is not the deployer's to remove.
    pub kept_by: Vec<String>,
    /// Where the order of a list alone differs: the keys that tell its items apart, none where an item is one value.
    /// `desired` is then the live items in the declared order.
    pub order_by: Option<Vec<String>>,
}

/// What is noted of a list whose items are there in another order.
pub const ANOTHER_ORDER: &str = "another order";

/// What is noted of a change that nobody declared and that comes along with a write.
pub const BROUGHT_ALONG: &str = "the API server, or a webhook or policy in it, brings this along";

/// Adds words to a note that may say something already.
pub fn add_note(note: &mut Option<String>, more: &str) {
    *note = Some(match note.take() {
        Some(before) => format!("{before}; {more}"),
        None => more.to_owned(),
    });
}

impl FieldChange {
    /// Makes a change that counts and of which nothing else is known yet.
    pub fn new(path: FieldPath, class: Class) -> Self {
        Self {
            path,
            class,
            counts: true,
            cause: Cause::Unknown,
            desired: None,
            live: None,
            writer: None,
            agent: None,
            origin: None,
            declared: None,
            note: None,
            ignored: None,
            kept_by: Vec::new(),
            order_by: None,
        }
    }

    /// Returns whether it is the order of a list alone that differs, so that putting it right takes nothing away that
    /// others added.
    pub fn is_order(&self) -> bool {
        self.order_by.is_some()
    }
}

/// The class of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The declared value differs.
    Changed,
    /// The declared field is gone.
    Deleted,
    /// Was declared and applied, no longer in Git, still live.
    Leftover,
    /// Never declared, written by somebody else.
    Foreign,
    /// Declared here and also owned by a live controller that wrote it last.
    Contended,
    /// Declared as a placeholder that a controller fills.
    Delegated,
    /// A rule hides it.
    Ignored,
    /// A keyed list in another order.
    Order,
}

impl Class {
    /// Returns the word of the headless contract.
    pub fn word(self) -> &'static str {
        match self {
            Class::Changed => "changed",
            Class::Deleted => "deleted",
            Class::Leftover => "leftover",
            Class::Foreign => "foreign",
            Class::Contended => "contended",
            Class::Delegated => "delegated",
            Class::Ignored => "ignored",
            Class::Order => "order",
        }
    }
}

/// Why the live value is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    ByHand,
    Controller,
    UnsyncedCommit,
    FailedSync,
    Webhook,
    Unknown,
}

impl Cause {
    /// Returns the word of the headless contract.
    pub fn word(self) -> &'static str {
        match self {
            Cause::ByHand => "by-hand",
            Cause::Controller => "controller",
            Cause::UnsyncedCommit => "unsynced-commit",
            Cause::FailedSync => "failed-sync",
            Cause::Webhook => "webhook",
            Cause::Unknown => "unknown",
        }
    }
}

/// A field manager as managed fields record it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Writer {
    pub manager: String,
    /// The name that people know the manager by, where the table of managers has one.
    pub called: Option<String>,
    pub operation: Operation,
    pub subresource: Option<String>,
    pub time: Option<Timestamp>,
}

/// How a manager wrote: server-side apply, or anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    Apply,
    Update,
}

impl Operation {
    /// Returns the word of managed fields.
    pub fn word(self) -> &'static str {
        match self {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        }
    }
}

impl Writer {
    /// Returns the name that people know it by, else the manager's own.
    pub fn name(&self) -> &str {
        self.called.as_deref().unwrap_or(&self.manager)
    }
}

/// Since when Git declares a value so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declared {
    By(DeclaringCommit),
    /// The line is not committed.
    Uncommitted,
    /// It is not known, and why: the search took too long, there is no history.
    Unknown(String),
}

/// The commit that declared a value, as far as it can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaringCommit {
    pub commit: Oid,
    pub author: String,
    /// `None` where the commit's time is no time.
    pub authored: Option<Timestamp>,
    pub subject: String,
    pub told: Told,
    /// History ends there (a shallow clone): it may have been so before.
    pub or_earlier: bool,
}

/// By what a commit is known as the one that declared a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It wrote the line.
    Line,
    /// No line is known: it is the last that touched the files that can have set the value.
    Files,
    /// No line is known: it is the last that touched what the app is rendered from.
    Inputs,
    /// It took the value out of Git.
    Removed,
}

impl Declared {
    /// Returns the commit, where one is known.
    pub fn commit(&self) -> Option<&DeclaringCommit> {
        match self {
            Declared::By(commit) => Some(commit),
            Declared::Uncommitted | Declared::Unknown(_) => None,
        }
    }

    /// Returns the word of the headless contract for how it is known.
    pub fn word(&self) -> &'static str {
        match self {
            Declared::By(DeclaringCommit { told: Told::Line, .. }) => "line",
            Declared::By(DeclaringCommit { told: Told::Files, .. }) => "files",
            Declared::By(DeclaringCommit { told: Told::Inputs, .. }) => "inputs",
            Declared::By(DeclaringCommit { told: Told::Removed, .. }) => "removed",
            Declared::Uncommitted => "uncommitted",
            Declared::Unknown(_) => "unknown",
        }
    }
}
