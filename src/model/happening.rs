//! Defines what happened in clusters and repos: the lines of "what changed".

use super::id::{DeploymentId, Oid, RepoId, ResourceId};
use super::notice::Notice;
use jiff::Timestamp;

/// Something that happened, as far as it can still be known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Happening {
    pub time: Timestamp,
    pub kind: HappeningKind,
    pub at: Where,
    /// The object that it happened to; `None` for commits, and for several objects at once.
    pub resource: Option<ResourceId>,
    /// The one field that was written, printed as the API server prints it; of several the path that they share.
    pub path: Option<String>,
    /// What happened, in few words: `image, env DEBUG`.
    pub what: String,
    pub who: Who,
}

impl Happening {
    /// Returns the object that is to be named before what happened; `None` where that names it already.
    pub fn named(&self) -> Option<&ResourceId> {
        let names_it = |id: &&ResourceId| self.what.starts_with(&id.kind.kind);
        self.resource.as_ref().filter(|_| self.kind != HappeningKind::Release).filter(|id| !names_it(id))
    }
}

/// Where something happened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Where {
    Cluster {
        /// The context's name.
        context: String,
        /// What people call the cluster.
        called: String,
        /// The app that the object belongs to, where it is one of the deck's.
        deployment: Option<DeploymentId>,
    },
    Repo {
        id: RepoId,
        name: String,
        /// The branch, tag or commit that was asked for.
        asked: String,
        commit: Oid,
    },
}

/// What sort of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HappeningKind {
    /// Fields of an object were written.
    Field,
    Commit,
    /// A deployer or engine brought objects to what they are declared as.
    Sync,
    /// A Helm release got a new revision.
    Release,
    /// A workload began to replace its pods.
    Rollout,
    /// The cluster warned.
    Event,
    Deleted,
}

impl HappeningKind {
    /// Returns the kind's word in documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::Commit => "commit",
            Self::Sync => "sync",
            Self::Release => "release",
            Self::Rollout => "rollout",
            Self::Event => "event",
            Self::Deleted => "deleted",
        }
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Who {
    /// The field manager, author, engine or component; `None` where nobody recorded it.
    pub name: Option<String>,
    /// The name that people know it by, where that is another.
    pub called: Option<String>,
    pub by: By,
}

/// What somebody is who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    Hand,
    Controller,
    Deployer,
    /// The author of a commit.
    Author,
    Unknown,
}

impl By {
    /// Returns the word in documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hand => "by-hand",
            Self::Controller => "controller",
            Self::Deployer => "deployer",
            Self::Author => "author",
            Self::Unknown => "unknown",
        }
    }
}

impl Who {
    pub fn new(name: impl Into<String>, by: By) -> Self {
        Self { name: Some(name.into()), called: None, by }
    }

    /// Returns somebody who was not recorded.
    pub fn unknown() -> Self {
        Self { name: None, called: None, by: By::Unknown }
    }

    /// Returns it for people: `by hand, kubectl edit`.
    pub fn words(&self) -> String {
        let name = self.called.as_deref().or(self.name.as_deref());
        match (self.by, name) {
            (By::Hand, Some(name)) => format!("by hand, {name}"),
            (By::Controller, Some(name)) => format!("controller, {name}"),
            (_, Some(name)) => name.to_owned(),
            (_, None) => "not recorded".to_owned(),
        }
    }
}

/// What happened since some time, newest first, and what cannot be known of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Past {
    pub happenings: Vec<Happening>,
    pub blind: Vec<Blind>,
    pub notices: Vec<Notice>,
}

/// What happened that is told at most, newest first.
pub const TOLD: usize = 2_000;

impl Past {
    /// Joins what several sources tell, newest first; the oldest of too many are counted instead.
    pub fn joined(parts: impl IntoIterator<Item = Past>) -> Self {
        let mut past = Self::default();
        for part in parts {
            past.happenings.extend(part.happenings);
            past.blind.extend(part.blind);
            past.notices.extend(part.notices);
        }
        newest_first(&mut past.happenings);
        if past.happenings.len() > TOLD {
            let older = past.happenings.len() - TOLD;
            past.happenings.truncate(TOLD);
            past.blind.push(Blind::Said(format!("{older} older changes: no more than {TOLD} are listed")));
        }
        past.blind.sort();
        past.blind.dedup();
        past
    }
}

/// What "what changed" cannot know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Blind {
    /// What nobody watched: deletions and overwritten writes before driftdeck started.
    Before(Timestamp),
    /// What managed fields forget: they keep one time for each manager of an object.
    Earlier,
    /// Anything else, as a sentence without its full stop.
    Said(String),
}

impl Blind {
    /// Returns it in words; `clock` writes a time.
    pub fn words(&self, clock: impl Fn(Timestamp) -> String) -> String {
        match self {
            Self::Before(at) => {
                format!("deletions and overwritten writes before {}, when this driftdeck started", clock(*at))
            }
            Self::Earlier => {
                "earlier writes of a manager to an object: its last one stands for all that it owns there"
                    .to_owned()
            }
            Self::Said(words) => words.clone(),
        }
    }
}

/// Sorts what happened, newest first; of the same time those that a person did come first. What was deleted comes below
/// them: what is there now was made after that.
fn newest_first(happenings: &mut [Happening]) {
    happenings.sort_by(|a, b| {
        let key = |h: &Happening| (h.kind == HappeningKind::Deleted, h.who.by, h.kind);
        (b.time.cmp(&a.time)).then_with(|| key(a).cmp(&key(b))).then_with(|| {
            let place = |h: &Happening| match &h.at {
                Where::Cluster { context, .. } => context.clone(),
                Where::Repo { name, .. } => name.clone(),
            };
            (place(a), &a.resource, &a.what).cmp(&(place(b), &b.resource, &b.what))
        })
    });
}
