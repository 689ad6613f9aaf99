//! Defines the exact check of one object: the API server's own dry run of what Git declares says which values it would
//! change, and whether it takes the object at all.
//!
//! It is a server-side apply with `dryRun=All` under the deployer's own field manager, for a fresh name cannot see what
//! the deployer would take away; first without force, so that a conflict names who else wrote the fields, then with. For
//! what is deployed client-side or by Helm the deployer's entry is an Update: nothing is taken away then, and the values
//! and their validity are what is asked for. Where only the merge of server-side apply is refused (a union such as a
//! strategy whose defaults nobody owns), the patch that such a deployer sends is asked too.
//!
//! [`merged`] joins the answer with the local judgement: exact wins on values and validity, local wins on leftovers and
//! foreign fields.

mod ask;
mod merge;
mod problems;

pub use ask::{Subject, ask};
pub use merge::{is_about, merged};

use crate::model::{Bound, Effect, FieldPath, Judgement, LiveObject, Manifest, Problem, Timestamp};
use std::sync::Arc;

/// What the API server said of one object, bound to both sides as they were.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub at: Timestamp,
    pub desired: Arc<Manifest>,
    /// Declared paths that it was not asked about, because rules hide what differs there.
    pub ignored: Vec<FieldPath>,
    bound: Bound,
    said: Said,
}

#[derive(Debug, Clone, PartialEq)]
enum Said {
    /// It would take the object.
    Takes {
        /// What it would change of the live object; nothing of one that is not there.
        effects: Vec<Effect>,
        contending: Vec<(String, Vec<String>)>,
        /// By a server-side apply, which checks all fields and list keys.
        typed: bool,
    },
    Refuses {
        problems: Vec<Problem>,
        contending: Vec<(String, Vec<String>)>,
        /// A field that cannot be changed in place is all that is wrong.
        immutable: bool,
    },
    /// It could not be asked, or did not come to an answer: why.
    Silent(String),
}

impl Answer {
    /// Makes the answer that there is none, and why.
    pub fn silent(at: Timestamp, subject: Subject, why: String) -> Self {
        Self::to(at, subject, Said::Silent(why))
    }

    fn to(at: Timestamp, subject: Subject, said: Said) -> Self {
        let Subject { desired, live, ignored, .. } = subject;
        Self { at, desired, ignored, bound: super::bind::bound(live.as_ref()), said }
    }

    /// Returns why there is no answer.
    pub fn why_silent(&self) -> Option<&str> {
        if let Said::Silent(why) = &self.said { Some(why) } else { None }
    }

    /// Returns whether both sides are still what was asked about, and the rules hide the same of them; `local` is how they
    /// are judged here now. A status update changes neither side.
    pub fn fits(&self, local: &Judgement, desired: &Arc<Manifest>, live: Option<&LiveObject>) -> bool {
        let same = Arc::ptr_eq(&self.desired, desired) || self.desired == *desired;
        let now = super::bind::bound(live);
        same && self.bound.uid == now.uid && self.bound.digest == now.digest && self.ignored == ignored(local)
    }
}

/// Returns the declared paths at which rules hide what was found here to differ.
pub fn ignored(local: &Judgement) -> Vec<FieldPath> {
    let hidden = local.changes.iter().filter(|c| c.ignored.is_some() && c.desired.is_some());
    hidden.map(|change| change.path.clone()).collect()
}
