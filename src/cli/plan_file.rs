//! Defines plan files: what `sync --dry-run -o json` wrote, as `apply` reads it back, and how two of them differ.
//!
//! A plan file holds no secret value, so nothing in it can be sent to a cluster. It says what was approved: with what
//! the plan was asked for, what it is bound to, and what each step shows. `apply` plans anew and holds the document of
//! the new plan against the file. A file is believed in nothing but that, and it is not signed: who may write the file
//! decides what is approved.
//!
//! What is compared is the same in every run: fingerprints of values, which are keyed by run, are not. The values are
//! held by what they came from: the commit, and of live objects with such values the resource version.

use crate::action::sync::{Only, Options as SyncOptions, Selection};
use crate::cli::document::SCHEMA;
use crate::model::{ClusterId, GroupKind, Identity, ResourceId};
use serde_json::{Value as Json, json};
use std::collections::{HashMap, HashSet};

/// What a plan is written with; `apply` writes the new plan where it refuses one.
const COMMANDS: [&str; 2] = ["sync", "apply"];
/// What may have become of a step when it was planned: the API server may have refused its dry run.
const BEFORE: [&str; 2] = ["planned", "refused"];
/// What became of steps that were carried out.
const OUTCOMES: [&str; 6] = ["applied", "unchanged", "failed", "indeterminate", "skipped", "cancelled"];
/// The path of a whole object.
const WHOLE: &str = ".";

/// A plan as it stands in a file.
#[derive(Debug)]
pub struct PlanFile {
    pub id: String,
    pub app: String,
    pub cluster: ClusterId,
    /// The context through which the cluster was reached where the plan was made.
    pub context: String,
    /// The revision and the namespace that were asked for.
    pub revision: Option<String>,
    pub namespace: Option<String>,
    pub sync: SyncOptions,
    pub steps: Vec<PlannedStep>,
    commit: Option<String>,
    dirty: bool,
    bound_to: String,
}

/// One step of a plan in a file.
#[derive(Debug)]
pub struct PlannedStep {
    pub object: String,
    pub ticked: bool,
    action: String,
    /// How many steps before it do the same to the same object.
    nth: usize,
    uid: Option<String>,
    digest: Option<String>,
    /// What of the step is the same in every run.
    shown: Json,
}

/// Why a file is no plan that can be carried out. The file's own values are never told: it may be any file.
#[derive(Debug, thiserror::Error)]
pub enum BadPlanFile {
    #[error("it is not JSON: {error}")]
    NotJson { error: serde_json::Error },
    #[error("it is no document of driftdeck")]
    NoDocument,
    #[error("it is written in another version than {SCHEMA}")]
    OtherSchema,
    #[error("it is a document of another command")]
    OtherCommand,
    #[error("it holds no plan, only what went wrong when one was to be made")]
    NoPlan,
    #[error("the plan was carried out already: {object} is {outcome}")]
    CarriedOut { object: String, outcome: &'static str },
    #[error("{at} {what}")]
    Field { at: String, what: &'static str },
}

impl PlanFile {
    /// Reads a document. Fields that it does not know are passed over.
    pub fn read(text: &[u8]) -> Result<Self, BadPlanFile> {
        let document: Json = serde_json::from_slice(text).map_err(|error| BadPlanFile::NotJson { error })?;
        let document = Place { value: &document, path: String::new() };
        let schema = document.at("schema").text().map_err(|_| BadPlanFile::NoDocument)?;
        if schema != SCHEMA {
            let of_driftdeck = schema.split('/').next() == SCHEMA.split('/').next();
            return Err(if of_driftdeck { BadPlanFile::OtherSchema } else { BadPlanFile::NoDocument });
        }
        if !document.at("command").text().is_ok_and(|command| COMMANDS.contains(&command)) {
            return Err(BadPlanFile::OtherCommand);
        }
        let plan = document.at("plan");
        if plan.value.is_null() {
            return Err(BadPlanFile::NoPlan);
        }
        let request = plan.at("request");
        let cluster = ClusterId(plan.at("clusterId").text()?.into());
        let mut steps: Vec<PlannedStep> = Vec::new();
        let mut counts: HashMap<(String, String), usize> = HashMap::new();
        for step in plan.at("steps").list()? {
            let mut step = PlannedStep::read(&step, &cluster)?;
            let count = counts.entry((step.object.clone(), step.action.clone())).or_default();
            step.nth = *count;
            *count += 1;
            steps.push(step);
        }
        Ok(Self {
            id: plan.at("id").text()?.to_owned(),
            app: plan.at("app").text()?.to_owned(),
            context: plan.at("cluster").text()?.to_owned(),
            revision: request.at("revision").text_or_null()?,
            namespace: request.at("namespace").text_or_null()?,
            sync: options(&request)?,
            steps,
            commit: plan.at("revision").at("commit").text_or_null()?,
            dirty: plan.at("revision").at("dirty").flag()?,
            bound_to: plan.at("boundTo").text()?.to_owned(),
            cluster,
        })
    }

    /// Says in words how the plan of now is another than this one; nothing where it is the same.
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.cluster != now.cluster {
            found.push("it is for another cluster".to_owned());
        }
        if self.commit != now.commit {
            found.push(format!(
                "it is of {}, and Git is at {} now",
                short(self.commit.as_deref()),
                short(now.commit.as_deref())
            ));
        }
        match (self.dirty, now.dirty) {
            (true, false) => {
                found.push("it is of uncommitted files, and everything is committed now".to_owned());
            }
            (false, true) => found.push("there are uncommitted files now".to_owned()),
            _ => {}
        }
        found.extend(differing_steps(&self.steps, &now.steps));
        if found.is_empty() && self.bound_to != now.bound_to {
            found.push("what Git declares renders to something else now".to_owned());
        }
        found
    }
}

/// Says which steps are others; of an object that moved, that alone.
fn differing_steps(then: &[PlannedStep], now: &[PlannedStep]) -> Vec<String> {
    let (steps_then, steps_now) = (by_place(then), by_place(now));
    let (objects_then, objects_now) = (by_object(then), by_object(now));
    let mut found: Vec<String> = Vec::new();
    let mut said = HashSet::new();
    let mut say = |words: String| {
        if said.insert(words.clone()) {
            found.push(words);
        }
    };
    for step in then {
        let same = steps_now.get(&step.place());
        let of_object = objects_now.get(step.object.as_str());
        if let Some(how) = of_object.and_then(|now| step.moved(now)) {
            say(format!("{} {how}", step.object));
        } else if same.is_none() {
            say(format!("{}: nothing is left to {} there", step.object, step.action));
        } else if same.is_some_and(|now| now.shown != step.shown) {
            say(format!("{}: to {} it has another effect now", step.object, step.action));
        }
    }
    for step in now.iter().filter(|step| !steps_then.contains_key(&step.place())) {
        let of_object = objects_then.get(step.object.as_str());
        // What moved is said above.
        if of_object.and_then(|then| then.moved(step)).is_none() {
            say(format!("{}: to {} it was not planned", step.object, step.action));
        }
    }
    let in_order = then.iter().zip(now).all(|(then, now)| then.place() == now.place());
    if found.is_empty() && !in_order {
        found.push("its steps come in another order now".to_owned());
    }
    found
}

fn by_place(steps: &[PlannedStep]) -> HashMap<(&str, &str, usize), &PlannedStep> {
    steps.iter().map(|step| (step.place(), step)).collect()
}

fn by_object(steps: &[PlannedStep]) -> HashMap<&str, &PlannedStep> {
    steps.iter().map(|step| (step.object.as_str(), step)).collect()
}

impl PlannedStep {
    fn read(step: &Place<'_>, cluster: &ClusterId) -> Result<Self, BadPlanFile> {
        let resource = step.at("resource");
        let object = ResourceId::from(Identity {
            cluster: cluster.clone(),
            kind: GroupKind::new(resource.at("group").text()?, resource.at("kind").text()?),
            namespace: resource.at("namespace").text_or_null()?,
            name: resource.at("name").text_or_null()?,
        })
        .to_string();
        let outcome = step.at("outcome");
        if !BEFORE.contains(&outcome.text()?) {
            return Err(
                match OUTCOMES.iter().find(|known| outcome.text().is_ok_and(|told| told == **known)) {
                    Some(outcome) => BadPlanFile::CarriedOut { object, outcome },
                    None => outcome.bad("is no outcome"),
                },
            );
        }
        let bound = step.at("bound");
        Ok(Self {
            ticked: step.at("ticked").flag()?,
            action: step.at("action").text()?.to_owned(),
            uid: bound.at("uid").text_or_null()?,
            digest: bound.at("digest").text_or_null()?,
            shown: shown(step)?,
            nth: 0,
            object,
        })
    }

    /// Returns what tells it from the other steps of its plan: its object, what it does, and how many before it do that.
    fn place(&self) -> (&str, &str, usize) {
        (&self.object, &self.action, self.nth)
    }

    /// Says how the object moved from this step to that one; nothing where it did not.
    fn moved(&self, now: &Self) -> Option<&'static str> {
        match (&self.uid, &now.uid) {
            (None, Some(_)) => Some("was created since"),
            (Some(_), None) => Some("was deleted since"),
            (then, now) if then != now => Some("was deleted and created anew since"),
            _ => (self.digest != now.digest).then_some("was changed since"),
        }
    }
}

/// Returns what a step shows, without what differs from run to run: fingerprints, the values of what the API server adds
/// by itself (a webhook's time stamp; what counts must be the same), and of whole objects what is live, which they are
/// bound to.
fn shown(step: &Place<'_>) -> Result<Json, BadPlanFile> {
    let changes = step.at("changes").list()?.into_iter().map(|change| {
        let (path, counts) = (change.at("path").text()?, change.at("counts").flag()?);
        let value =
            |side: &str| if counts { without_fingerprints(change.at(side).value) } else { Json::Null };
        let live = if path == WHOLE { Json::Null } else { value("live") };
        Ok(json!({
            "path": path, "class": change.at("class").value, "counts": counts,
            "desired": value("desired"), "live": live,
        }))
    });
    let same = ["resource", "manager", "takesOverFrom", "outcome"].map(|field| step.at(field).value);
    Ok(json!([same, changes.collect::<Result<Vec<_>, BadPlanFile>>()?]))
}

/// Returns a value in which every fingerprint is the same.
fn without_fingerprints(value: &Json) -> Json {
    match value {
        Json::Object(fields)
            if fields.len() == 1 && fields.get("fingerprint").is_some_and(Json::is_string) =>
        {
            json!({ "fingerprint": null })
        }
        Json::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), without_fingerprints(field))).collect()
        }
        Json::Array(items) => items.iter().map(without_fingerprints).collect(),
        scalar => scalar.clone(),
    }
}

/// Returns with what a plan was asked for.
fn options(request: &Place<'_>) -> Result<SyncOptions, BadPlanFile> {
    let mut only: Vec<Only> = Vec::new();
    for object in request.at("only").list()? {
        only.push(object.text()?.parse().map_err(|_| object.bad("names no object"))?);
    }
    let limit = request.at("maxDeletions");
    let max_deletions = match limit.value {
        Json::Null => None,
        number => Some(
            number
                .as_u64()
                .and_then(|number| usize::try_from(number).ok())
                .ok_or_else(|| limit.bad("is no number of objects"))?,
        ),
    };
    Ok(SyncOptions {
        selection: if only.is_empty() { Selection::All } else { Selection::Only(only) },
        prune: request.at("prune").flag()?,
        manager: request.at("manager").text_or_null()?,
        deployers: Vec::new(),
        dirty: request.at("dirty").flag()?,
        max_deletions,
    })
}

fn short(commit: Option<&str>) -> &str {
    commit.map_or("no commit", |commit| commit.get(..7).unwrap_or(commit))
}

/// A value with where it stands in its document, such as `plan.steps[2].action`.
struct Place<'a> {
    value: &'a Json,
    path: String,
}

/// What is not there.
static NOTHING: Json = Json::Null;

impl<'a> Place<'a> {
    fn at(&self, field: &str) -> Place<'a> {
        let dot = if self.path.is_empty() { "" } else { "." };
        Place { value: self.value.get(field).unwrap_or(&NOTHING), path: format!("{}{dot}{field}", self.path) }
    }

    fn bad(&self, what: &'static str) -> BadPlanFile {
        let what = if self.value.is_null() { "is missing" } else { what };
        BadPlanFile::Field { at: self.path.clone(), what }
    }

    fn text(&self) -> Result<&'a str, BadPlanFile> {
        self.value.as_str().ok_or_else(|| self.bad("is no text"))
    }

    fn text_or_null(&self) -> Result<Option<String>, BadPlanFile> {
        if self.value.is_null() { Ok(None) } else { self.text().map(|text| Some(text.to_owned())) }
    }

    fn flag(&self) -> Result<bool, BadPlanFile> {
        self.value.as_bool().ok_or_else(|| self.bad("is neither true nor false"))
    }

    fn list(&self) -> Result<Vec<Place<'a>>, BadPlanFile> {
        let items = self.value.as_array().ok_or_else(|| self.bad("is no list"))?;
        let place = |(at, value)| Place { value, path: format!("{}[{at}]", self.path) };
        Ok(items.iter().enumerate().map(place).collect())
    }
}
