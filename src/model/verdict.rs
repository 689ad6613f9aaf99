//! Defines verdicts: what comparing one object came to.

use super::change::FieldChange;
use super::exact::Exact;
use super::health::Health;
use super::id::Oid;
use super::ignore::IgnoreRule;
use super::manifest::Problem;
use std::sync::Arc;

/// What an object's verdict is. The changes stand beside it in [`Judgement`], because an object that is in sync may
/// have changes too that do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    InSync,
    Drifted,
    Missing,
    Extra,
    Terminating,
    Invalid,
    Unknown(Why),
    Excluded(Why),
}

/// Why something was not compared, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Why(pub String);

impl Why {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The reason of deployments none of whose objects exist.
    pub fn not_deployed_here() -> Self {
        Self("not deployed here".to_owned())
    }
}

impl Verdict {
    /// Returns the word of the headless contract.
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::InSync => "in-sync",
            Verdict::Drifted => "drifted",
            Verdict::Missing => "missing",
            Verdict::Extra => "extra",
            Verdict::Terminating => "terminating",
            Verdict::Invalid => "invalid",
            Verdict::Unknown(_) => "unknown",
            Verdict::Excluded(_) => "excluded",
        }
    }

    pub fn why(&self) -> Option<&str> {
        match self {
            Verdict::Unknown(why) | Verdict::Excluded(why) => Some(&why.0),
            _ => None,
        }
    }

    /// Returns the place in a list that shows the worst first.
    pub fn severity(&self) -> u8 {
        match self {
            Verdict::Drifted => 0,
            Verdict::Missing => 1,
            Verdict::Extra => 2,
            Verdict::Invalid => 3,
            Verdict::Unknown(_) => 4,
            Verdict::Terminating => 5,
            Verdict::InSync => 6,
            Verdict::Excluded(_) => 7,
        }
    }

    /// Returns whether this needs a person.
    pub fn is_fault(&self) -> bool {
        !matches!(self, Verdict::InSync | Verdict::Excluded(_))
    }

    /// Returns whether this is drift for the run's verdict: drifted, missing, extra, invalid.
    pub fn is_drift(&self) -> bool {
        matches!(self, Verdict::Drifted | Verdict::Missing | Verdict::Extra | Verdict::Invalid)
    }
}

/// How sure a verdict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidence {
    /// Compared here, by the schema and the rules.
    Local,
    /// The API server's own dry run.
    Exact,
}

/// A verdict with everything that supports it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    pub verdict: Verdict,
    /// Sorted by the bytes of the printed path.
    pub changes: Vec<FieldChange>,
    pub confidence: Confidence,
    /// Why only the API server could say more.
    pub needs_exact: Option<String>,
    /// What the API server said, where the verdict is its own.
    pub exact: Option<Exact>,
    /// A changed field cannot be changed in place.
    pub needs_replace: bool,
    pub problems: Vec<Problem>,
    /// What holds a terminating object.
    pub finalizers: Vec<String>,
    pub health: Health,
    /// It drifts because the cluster has not got what was committed since: all of it is as this commit had it.
    pub as_at: Option<AsAt>,
    /// What the ignore rules that are about this object did.
    pub rules: Vec<RuleUse>,
}

/// The commit that something in a cluster is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsAt {
    pub commit: Oid,
    /// How many commits have changed the app since; 0: only uncommitted changes have.
    pub behind: usize,
}

impl AsAt {
    /// Returns `at 9c1f07e, 2 commits behind`.
    pub fn words(&self) -> String {
        let commit = self.commit.short();
        match self.behind {
            0 => format!("at {commit}, without the uncommitted changes"),
            1 => format!("at {commit}, 1 commit behind"),
            n => format!("at {commit}, {n} commits behind"),
        }
    }
}

/// What an ignore rule did to one object that it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleUse {
    pub rule: Arc<IgnoreRule>,
    /// It names something that is there, on either side.
    pub names: bool,
    /// Changes that do not count because of it.
    pub hides: usize,
    /// Why some of it could not be looked at: then it hides less than it says.
    pub failed: Option<String>,
}

/// What ignore rules hide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hidden {
    /// Changes of objects that Git declares.
    pub fields: usize,
    /// Objects that would be extras.
    pub objects: usize,
}

impl Hidden {
    /// Returns how much it is in all.
    pub fn total(self) -> usize {
        self.fields + self.objects
    }

    /// Returns `2 fields and 1 object ignored`; `None` where nothing is hidden.
    pub fn words(self) -> Option<String> {
        let counted = [(self.fields, "field"), (self.objects, "object")];
        let some = counted.into_iter().filter(|(n, _)| *n > 0);
        let each = some.map(|(n, word)| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") });
        let words = each.collect::<Vec<_>>().join(" and ");
        (!words.is_empty()).then(|| words + " ignored")
    }
}

impl std::iter::Sum for Hidden {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            fields: sum.fields + one.fields,
            objects: sum.objects + one.objects,
        })
    }
}

impl Judgement {
    /// Builds a judgement that has nothing but its verdict.
    pub fn plain(verdict: Verdict, health: Health) -> Self {
        Self {
            verdict,
            changes: Vec::new(),
            confidence: Confidence::Local,
            needs_exact: None,
            exact: None,
            needs_replace: false,
            problems: Vec::new(),
            finalizers: Vec::new(),
            health,
            as_at: None,
            rules: Vec::new(),
        }
    }

    /// Returns how many changes ignore rules hide.
    pub fn ignored(&self) -> usize {
        self.changes.iter().filter(|change| change.ignored.is_some()).count()
    }

    /// Returns what ignore rules hide.
    pub fn hidden(&self) -> Hidden {
        Hidden { fields: self.ignored(), objects: usize::from(self.hidden_by().is_some()) }
    }

    /// Returns the rule that hides the object as a whole: without it, it would be an extra.
    pub fn hidden_by(&self) -> Option<&Arc<IgnoreRule>> {
        let whole = matches!(self.verdict, Verdict::Excluded(_)) && self.changes.is_empty();
        self.rules.iter().find(|used| whole && used.hides > 0).map(|used| &used.rule)
    }

    /// Returns the changes that are drift.
    pub fn counted(&self) -> impl Iterator<Item = &FieldChange> {
        self.changes.iter().filter(|c| c.counts)
    }
}

/// How many objects of a deployment have which verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub in_sync: usize,
    pub drifted: usize,
    pub missing: usize,
    pub extra: usize,
    pub terminating: usize,
    pub invalid: usize,
    pub unknown: usize,
    pub excluded: usize,
}

impl Counts {
    /// Counts one more object.
    pub fn add(&mut self, verdict: &Verdict) {
        *match verdict {
            Verdict::InSync => &mut self.in_sync,
            Verdict::Drifted => &mut self.drifted,
            Verdict::Missing => &mut self.missing,
            Verdict::Extra => &mut self.extra,
            Verdict::Terminating => &mut self.terminating,
            Verdict::Invalid => &mut self.invalid,
            Verdict::Unknown(_) => &mut self.unknown,
            Verdict::Excluded(_) => &mut self.excluded,
        } += 1;
    }

    pub fn total(&self) -> usize {
        self.in_sync + self.drifting() + self.terminating + self.unknown + self.excluded
    }

    /// Returns how many objects are drift: drifted, missing, extra and invalid.
    pub fn drifting(&self) -> usize {
        self.drifted + self.missing + self.extra + self.invalid
    }

    /// Returns the verdict of the whole: the worst of its parts, as the headless contract orders them. Excluded and
    /// terminating objects do not count alone; where nothing else is there, it is excluded.
    pub fn verdict(&self) -> Verdict {
        if self.drifting() > 0 {
            Verdict::Drifted
        } else if self.unknown > 0 {
            Verdict::Unknown(Why::new(format!("{} not compared", self.unknown)))
        } else if self.in_sync > 0 {
            Verdict::InSync
        } else if self.terminating > 0 {
            Verdict::Excluded(Why::new("terminating"))
        } else {
            Verdict::Excluded(Why::new("nothing to compare"))
        }
    }
}
