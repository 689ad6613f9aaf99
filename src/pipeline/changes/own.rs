//! Tells what driftdeck itself did, from the journal of this machine.
//!
//! It writes as an app's deployer on purpose, so that managed fields name the deployer. Where the journal has a write, it
//! stands for what managed fields tell of the same; where there is no journal, nothing is said.

use super::Ground;
use crate::action::journal::{Entry, Journal};
use crate::model::{By, DeploymentId, Happening, HappeningKind, ResourceId, Timestamp, Who};
use jiff::SignedDuration;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// How far the clocks of this machine and of a cluster may be apart.
const APART: SignedDuration = SignedDuration::from_secs(5);
/// How long an action took at most of which the end is not recorded.
const CUT_SHORT: SignedDuration = SignedDuration::from_secs(60);

/// What was done in the clusters of the deck.
#[derive(Default)]
pub(super) struct Own {
    actions: Vec<Done>,
}

/// An action, as far as it was done.
struct Done {
    place: usize,
    app: String,
    began: Timestamp,
    ended: Timestamp,
    command: String,
    outcome: String,
    user: Option<String>,
    steps: Vec<Step>,
}

struct Step {
    group: String,
    kind: String,
    namespace: Option<String>,
    name: Option<String>,
    manager: String,
    deletes: bool,
}

impl Own {
    /// Reads what was done in the ground's clusters since a time. A journal that cannot be read tells nothing.
    pub fn read(journal: &Journal, ground: &Ground, since: Timestamp) -> Self {
        let entries = journal.entries().unwrap_or_default();
        let done = entries.into_iter().filter_map(|entry| Done::of(entry, ground));
        Self { actions: done.filter(|done| done.ended >= since).collect() }
    }

    /// Tells each action.
    pub fn happenings<'o>(&'o self, ground: &'o Ground) -> impl Iterator<Item = Happening> + 'o {
        self.actions.iter().map(|done| {
            let deployment: Option<&DeploymentId> =
                ground.places.get(done.place).and_then(|place| place.apps.get(&done.app));
            Happening {
                time: done.ended,
                kind: HappeningKind::Sync,
                at: ground.at(done.place, deployment),
                resource: None,
                path: None,
                what: done.words(),
                who: done.who(),
            }
        })
    }

    /// Returns whether a write is one of driftdeck's own. Who removed a field is not recorded: there only the object and the
    /// time tell.
    pub fn stands_for(&self, place: usize, id: &ResourceId, manager: Option<&str>, at: Timestamp) -> bool {
        let is_it = |step: &Step| !step.deletes && manager.is_none_or(|manager| step.manager == manager);
        self.step(place, id, at, is_it).is_some()
    }

    /// Returns who deleted an object, where driftdeck did.
    pub fn deleted(&self, place: usize, id: &ResourceId, at: Timestamp) -> Option<Who> {
        self.step(place, id, at, |step| step.deletes).map(Done::who)
    }

    fn step(
        &self,
        place: usize,
        id: &ResourceId,
        at: Timestamp,
        is_it: impl Fn(&Step) -> bool,
    ) -> Option<&Done> {
        self.actions.iter().find(|done| {
            done.place == place
                && at.duration_since(done.began) >= -APART
                && at.duration_since(done.ended) <= APART
                && done.steps.iter().any(|step| step.is_of(id) && is_it(step))
        })
    }
}

impl Done {
    fn of(entry: Entry, ground: &Ground) -> Option<Self> {
        let place = ground.places.iter().position(|place| *place.id.0 == *entry.cluster_id)?;
        let began: Timestamp = entry.time.parse().ok()?;
        let ended = entry.ended.and_then(|time| time.parse().ok());
        let ended = ended.or_else(|| began.checked_add(CUT_SHORT).ok())?;
        let steps = entry.plan.get("steps").and_then(Json::as_array)?;
        let steps: Vec<Step> = steps.iter().filter_map(Step::read).collect();
        (!steps.is_empty()).then_some(Self {
            place,
            app: entry.app,
            began,
            ended,
            command: entry.command,
            outcome: entry.outcome,
            user: entry.user,
            steps,
        })
    }

    fn who(&self) -> Who {
        let user = self.user.as_ref().map(|user| format!("driftdeck, {user}"));
        Who { name: Some("driftdeck".to_owned()), called: user, by: By::Deployer }
    }

    /// `5 objects synced, 1 deleted`; of what did not all turn out well also how it did.
    fn words(&self) -> String {
        let count = |deletes: bool| {
            let of = self.steps.iter().filter(|step| step.deletes == deletes);
            of.map(|step| (&step.group, &step.kind, &step.namespace, &step.name))
                .collect::<BTreeSet<_>>()
                .len()
        };
        let objects =
            |count: usize| if count == 1 { "1 object".to_owned() } else { format!("{count} objects") };
        let done = match self.command.as_str() {
            "sync" => "synced",
            "undo" => "undone",
            _ => "applied",
        };
        let mut words = match (count(false), count(true)) {
            (written, 0) => format!("{} {done}", objects(written)),
            (0, deleted) => format!("{} deleted", objects(deleted)),
            (written, deleted) => format!("{} {done}, {deleted} deleted", objects(written)),
        };
        if !matches!(self.outcome.as_str(), "applied" | "unchanged") {
            words.push_str(&format!("; some {}", self.outcome));
        }
        words
    }
}

impl Step {
    /// Reads a step that was done; the others changed nothing.
    fn read(step: &Json) -> Option<Self> {
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let resource = step.get("resource")?;
        (step.get("outcome").and_then(Json::as_str) == Some("applied")).then_some(())?;
        Some(Self {
            group: resource.get("group").and_then(text).unwrap_or_default(),
            kind: resource.get("kind").and_then(text)?,
            namespace: resource.get("namespace").and_then(text),
            name: resource.get("name").and_then(text),
            manager: step.get("manager").and_then(text).unwrap_or_default(),
            deletes: step.get("action").and_then(Json::as_str) == Some("delete"),
        })
    }

    fn is_of(&self, id: &ResourceId) -> bool {
        id.kind.group == self.group
            && id.kind.kind == self.kind
            && id.namespace == self.namespace
            && id.name == self.name
    }
}
