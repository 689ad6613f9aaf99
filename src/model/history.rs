//! Defines the history of an app: the commits that touch what it is rendered from.

use super::id::Oid;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// The commits that touch an app, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    pub commits: Vec<PastCommit>,
    /// There are older ones.
    pub more: bool,
    /// All commits that lead to the newest, whatever they touch; `None` until they are counted.
    pub of: Option<usize>,
    /// What is not known of it, and why.
    pub gap: Option<String>,
}

/// A commit that touches an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastCommit {
    pub id: Oid,
    pub author: String,
    pub email: String,
    /// `None` where the commit's time is no time.
    pub authored: Option<Timestamp>,
    /// The first paragraph of the message on one line.
    pub subject: String,
    /// The files of the app that it changes, against its first parent.
    pub files: Vec<String>,
    /// As the forge writes it: `#412`, `!45`.
    pub pull_request: Option<String>,
    pub signature: Signature,
}

/// Whether a commit is signed, and what is known of the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signature {
    #[default]
    None,
    /// There is one; nobody has looked whether it is good.
    Unchecked,
    Good,
    /// Good, by a key that nobody has said to trust.
    Untrusted,
    /// Good, and its key or itself has expired since.
    Expired,
    Revoked,
    /// Its key is not known here, or there is nothing to check it with.
    NoKey,
    Bad,
}

impl Signature {
    /// Reads what git says of a signature. Source: `%G?` in git-log(1).
    pub fn of_git(letter: &str) -> Self {
        match letter {
            "G" => Self::Good,
            "U" => Self::Untrusted,
            "X" | "Y" => Self::Expired,
            "R" => Self::Revoked,
            "E" => Self::NoKey,
            "B" => Self::Bad,
            _ => Self::None,
        }
    }

    /// Returns the word of the document and the screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "unsigned",
            Self::Unchecked => "signed",
            Self::Good => "good",
            Self::Untrusted => "untrusted",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::NoKey => "unknown-key",
            Self::Bad => "bad",
        }
    }
}

/// What a commit is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    Live,
    Desired,
    Commit(Oid),
}

/// What is known of a history after each step.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The commits; more may follow.
    Commits(History),
    /// How many fields (and whole objects) the cluster is off a commit, or why that is not known.
    Distance(Oid, Result<usize, String>),
    /// Their signatures were checked.
    Signatures(HashMap<Oid, Signature>),
}

/// Returns the commit that the cluster fits best, the newest of several; `None` while no distance is known.
pub fn best<'c>(
    commits: impl Iterator<Item = &'c PastCommit>,
    distances: &BTreeMap<Oid, Result<usize, String>>,
) -> Option<(&'c Oid, usize)> {
    let known = commits.filter_map(|commit| {
        let distance = distances.get(&commit.id)?.as_ref().ok()?;
        Some((&commit.id, *distance))
    });
    known.min_by_key(|(_, distance)| *distance)
}

/// Returns the forge's number of the pull or merge request that a commit came with, where its message tells it.
///
/// Source: what forges write when they merge: GitHub, Gitea and Forgejo `Subject (#412)` and `Merge pull request #412
/// from …`, GitLab `See merge request group/project!45`, Bitbucket `Merged in … (pull request #7)`.
pub fn pull_request(message: &str) -> Option<String> {
    let number = |rest: &str| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        (1..=9).contains(&digits.len()).then_some(digits)
    };
    let subject = message.lines().next().unwrap_or_default().trim_end();
    if let Some(open) = subject.rfind('(')
        && let Some(within) = subject.get(open + 1..).and_then(|rest| rest.strip_suffix(')'))
    {
        let hash = within.strip_prefix("pull request #").or_else(|| within.strip_prefix('#'));
        if let Some(digits) = hash.and_then(number).filter(|digits| within.ends_with(digits.as_str())) {
            return Some(format!("#{digits}"));
        }
        if let Some(digits) =
            within.strip_prefix('!').and_then(number).filter(|d| within.len() == d.len() + 1)
        {
            return Some(format!("!{digits}"));
        }
    }
    if let Some(digits) = subject.strip_prefix("Merge pull request #").and_then(number) {
        return Some(format!("#{digits}"));
    }
    let line = message.lines().find_map(|line| line.trim().strip_prefix("See merge request "))?;
    let (_, rest) = line.rsplit_once('!')?;
    number(rest).filter(|digits| digits == rest).map(|digits| format!("!{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_request_is_read_as_forges_write_it() {
        let cases = [
            ("Raise memory of web (#412)", Some("#412")),
            ("Raise memory of web (#412) again", None),
            ("Raise memory (see #1) of web (!45)", Some("!45")),
            ("Merge pull request #7 from ana/web\n\nRaise memory", Some("#7")),
            ("Merged in ana/web (pull request #9)\n\nRaise", Some("#9")),
            (
                "Merge branch 'web' into 'main'\n\nRaise memory\n\nSee merge request shop/fleet!45",
                Some("!45"),
            ),
            ("See merge request shop/fleet!45; rm", None),
            ("Release 1.4.2", None),
            ("(#)", None),
            ("(#12345678901234567890)", None),
            ("", None),
        ];
        for (message, expected) in cases {
            assert_eq!(pull_request(message).as_deref(), expected, "{message}");
        }
    }
}
