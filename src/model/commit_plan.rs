//! Defines plans of commits: what an action would put into a repo, shown before any of it is there.

use super::app::App;
use super::change::Class;
use super::confirm::Ask;
use super::field_path::FieldPath;
use super::id::{AppId, ClusterId, Oid, RepoId, ResourceId};
use super::notice::Notice;
use super::plan::StepOutcome;
use super::status::ResourceStatus;

/// The exact commit that an action would make, and what is done with it.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitPlan {
    /// Names the plan in the journal.
    pub id: String,
    /// `revert`, `capture` or `ignore`.
    pub command: &'static str,
    pub app: AppId,
    pub repo: RepoId,
    /// The repo's name and where it is, for people.
    pub repo_name: String,
    pub location: String,
    /// The cluster that its effect is told for, with the context through which that is reached.
    pub cluster: Option<(ClusterId, String)>,
    pub namespace: Option<String>,
    /// The commit that it builds on.
    pub base: Oid,
    pub landing: Landing,
    /// Where it is pushed.
    pub to: Option<To>,
    /// What must be typed before it is carried out: the context of a protected cluster whose app is pushed to the branch
    /// that an engine may follow.
    pub asks: Option<Ask>,
    /// The files that change, sorted by path.
    pub files: Vec<ChangedFile>,
    /// Files that the app includes and that differ as well, and stay as they are unless they are asked for.
    pub included: Vec<Included>,
    /// The message as it will be written, trailers included.
    pub message: String,
    pub author: Identity,
    pub committer: Identity,
    /// How the commit is signed: `gpg` or `ssh`; `None`: it is not.
    pub signed: Option<String>,
    pub steps: Vec<CommitStep>,
    /// What the rendered result would be against live, resource by resource, only those that differ. `Err`: why that is not
    /// known.
    pub effect: Result<Vec<ResourceStatus>, String>,
    /// What is declared then and is another value now, field by field. `Err`: why that is not known.
    pub rendered: Result<Vec<ResourceStatus>, String>,
    /// What the rule that the commit brings would hide now, in every app that it reaches; `None`: it brings none.
    pub hides: Option<Vec<Hidden>>,
    /// Other apps that read files which change.
    pub shared_with: Vec<String>,
    /// What the plan will not do, and why, one sentence each.
    pub will_not: Vec<String>,
    /// Predictions and warnings about the whole, one sentence each.
    pub remarks: Vec<String>,
    /// The headless command that does the same.
    pub headless: String,
    /// Digest of everything that the plan depends on: the commit that it builds on, the tree that it makes, where it lands.
    pub bound_to: String,
    /// The commit, once it is made.
    pub commit: Option<Oid>,
    /// Where the request is, once it is open.
    pub request: Option<String>,
    /// What went wrong while it was carried out, besides its steps.
    pub notices: Vec<Notice>,
}

/// Where a commit lands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landing {
    /// The branch that is checked out, its files included. Of `keeps`, which have uncommitted changes, the files stay.
    CheckedOut { branch: String, keeps: Vec<String> },
    /// A branch that is checked out nowhere.
    Branch { branch: String },
    /// A new branch on this machine; `why` it is no other, where there is something to say.
    New { branch: String, why: Option<String> },
    /// A branch of the remote alone: the repo is a copy in the cache folder.
    Remote { branch: String },
}

/// Where a commit is pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct To {
    /// The remote's URL, without userinfo.
    pub url: String,
    pub branch: String,
    /// The branch that a request asks to be merged into; `None`: it is pushed and no more.
    pub onto: Option<String>,
}

impl Landing {
    /// Returns the branch's name.
    pub fn branch(&self) -> &str {
        match self {
            Landing::CheckedOut { branch, .. }
            | Landing::Branch { branch }
            | Landing::New { branch, .. }
            | Landing::Remote { branch } => branch,
        }
    }
}

/// Who a commit is by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub name: String,
    pub email: String,
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} <{}>", self.name, self.email)
    }
}

/// A file that a commit changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    pub path: String,
    pub kind: FileChange,
    /// Lines that come and go; `None` for what is no text.
    pub lines: Option<(usize, usize)>,
}

impl ChangedFile {
    /// Returns how many lines come and go, as people write it: `+1 -2`.
    pub fn counted(&self) -> String {
        match (self.kind, self.lines) {
            (_, None) => "no text".to_owned(),
            (FileChange::Added, Some((added, _))) => format!("+{added}"),
            (FileChange::Removed, Some((_, removed))) => format!("-{removed}"),
            (FileChange::Changed, Some((added, removed))) => format!("+{added} -{removed}"),
        }
    }
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileChange {
    Added,
    Changed,
    Removed,
}

impl FileChange {
    pub fn word(self) -> &'static str {
        match self {
            FileChange::Added => "added",
            FileChange::Changed => "changed",
            FileChange::Removed => "removed",
        }
    }
}

/// A path outside of the app that it reads, and that differs from what it was at the commit that is gone back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    pub path: String,
    /// Whether it goes back as well.
    pub ticked: bool,
}

/// How far an ignore rule reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Reach {
    /// The field of this object.
    #[default]
    Object,
    /// The field of every object of the kind.
    Kind,
    /// The field of every object.
    Path,
}

impl Reach {
    /// Returns the reach that comes after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Reach::Object => Reach::Kind,
            Reach::Kind => Reach::Path,
            Reach::Path => Reach::Object,
        }
    }
}

/// A difference that counts, and that a rule would hide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    pub app: String,
    /// The context of its cluster.
    pub context: String,
    pub resource: ResourceId,
    /// The root: the whole object.
    pub path: FieldPath,
    pub class: Class,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitStep {
    pub action: CommitAction,
    /// What it does, in a sentence.
    pub note: Option<String>,
    pub outcome: StepOutcome,
}

impl CommitStep {
    pub fn planned(action: CommitAction, note: Option<String>) -> Self {
        Self { action, note, outcome: StepOutcome::Planned }
    }
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommitAction {
    Commit,
    Push,
    PullRequest,
}

impl CommitAction {
    /// Returns the word of the headless contract.
    pub fn word(self) -> &'static str {
        match self {
            CommitAction::Commit => "commit",
            CommitAction::Push => "push",
            CommitAction::PullRequest => "pull-request",
        }
    }
}

/// What a commit is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Publish {
    /// It stays on this machine.
    #[default]
    No,
    /// It is pushed to the branch that it is made for.
    Push,
    /// It is pushed to a branch of its own, for which a request is opened.
    PullRequest,
}

impl Publish {
    /// Returns what comes after it where it is cycled through: a pull request is the usual way.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Publish::No => Publish::PullRequest,
            Publish::PullRequest => Publish::Push,
            Publish::Push => Publish::No,
        }
    }
}

impl CommitPlan {
    /// Returns the first line of the message.
    pub fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// Returns the context of the cluster that its effect is told for.
    pub fn context(&self) -> Option<&str> {
        self.cluster.as_ref().map(|(_, context)| context.as_str())
    }

    /// Returns what is still to be typed after these answers.
    pub fn unanswered(&self, answers: &[String]) -> Option<&Ask> {
        self.asks.as_ref().filter(|ask| !ask.words.iter().any(|word| answers.contains(word)))
    }

    /// Returns whether it is pushed to the branch itself, not to one of its own.
    pub fn is_pushed_onto(&self) -> bool {
        self.to.as_ref().is_some_and(|to| to.onto.is_none())
    }

    /// Returns whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// Returns the apps, other than one, of whose inputs a changed file is one. `inputs` are the paths that each reads.
pub fn sharing<'a>(
    files: &[ChangedFile],
    app: &AppId,
    others: impl Iterator<Item = (&'a App, Vec<String>)>,
) -> Vec<String> {
    let reads = |inputs: &[String]| {
        files.iter().any(|file| {
            inputs.iter().any(|input| {
                input.is_empty()
                    || *input == file.path
                    || file.path.strip_prefix(input.as_str()).is_some_and(|rest| rest.starts_with('/'))
            })
        })
    };
    let sharing = others.filter(|(other, inputs)| other.id != *app && reads(inputs));
    let mut names: Vec<String> = sharing.map(|(other, _)| other.id.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}
