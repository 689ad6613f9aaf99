//! Defines what ignore rules do to the changes of an object: what a rule hides does not count, and says by which rule.
//!
//! A rule hides a change that lies at or under a spot which it names, on either side. Where the change is reported above
//! such spots (a map that was added whole, a list that is compared as a whole), it is hidden if nothing differs once they
//! are taken out of both sides, which is how Argo CD compares under its `ignoreDifferences`.

mod spots;

use super::canonical_desired;
use crate::model::ignore::{Fields, Objects, Spot};
use crate::model::verdict::RuleUse;
use crate::model::{
    BuiltIn, BuiltIns, Class, FieldChange, Glob, IgnoreRule, Ignored, LiveObject, Manifest, Value,
};
use spots::Steps;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The rules that hold for the objects of one app.
#[derive(Clone, Default)]
pub struct IgnoreRules {
    rules: Vec<Arc<IgnoreRule>>,
    selector: Option<Arc<dyn Selector>>,
    built_in: BuiltIns,
    /// What is wrong with a rule of theirs that is not among them.
    mistake: Option<String>,
}

/// Finds what jq expressions name. An expression comes from a repository: whoever runs it bounds its time and memory.
pub trait Selector: Send + Sync {
    /// Returns for each expression the spots that it names in each of the documents, or why it could not be run.
    /// Blocks until it is done.
    fn select(&self, expressions: &[&str], documents: &[&Value]) -> Vec<Result<Vec<Vec<Spot>>, String>>;

    /// Ends what runs, and runs nothing any more: nobody waits for the answers.
    fn stop(&self);
}

/// What is said of an expression where nothing can run it.
const NO_JQ: &str = "jq expressions cannot be run here";

/// What is said of a pattern that takes too much work.
const TOO_MUCH: &str = "its paths take too much work on an object";

impl IgnoreRules {
    /// Gathers rules. Without a selector those of jq hide nothing, and say so.
    pub fn new(rules: Vec<Arc<IgnoreRule>>, selector: Option<Arc<dyn Selector>>, built_in: BuiltIns) -> Self {
        Self { rules, selector, built_in, mistake: None }
    }

    /// Says what is wrong with a rule that is not among them: what it was to hide is not known.
    #[must_use]
    pub fn but(mut self, mistake: Option<String>) -> Self {
        self.mistake = mistake;
        self
    }

    /// Returns what is wrong with a rule that is not among them.
    pub fn mistake(&self) -> Option<&str> {
        self.mistake.as_deref()
    }

    /// Returns no rules but the built-in ones.
    pub fn none() -> &'static Self {
        static NONE: IgnoreRules =
            IgnoreRules { rules: Vec::new(), selector: None, built_in: BuiltIns::ALL, mistake: None };
        &NONE
    }

    /// Returns whether a built-in rule holds.
    pub(super) fn holds(&self, rule: BuiltIn) -> bool {
        self.built_in.holds(rule)
    }

    /// Returns the rules in the order of their files.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<IgnoreRule>> {
        self.rules.iter()
    }

    /// Returns which rule hides an object that Git does not declare, so that it is no extra: one that names the whole
    /// object.
    pub fn hides_extra(&self, live: &LiveObject) -> Option<RuleUse> {
        self.hides_whole(&Sides { id: &live.id, bodies: &[&live.body] })
    }

    /// Returns which rule hides an object that is declared and not there, so that it is not missing.
    pub fn hides_missing(&self, manifest: &Manifest) -> Option<RuleUse> {
        self.hides_whole(&Sides { id: &manifest.id, bodies: &[&manifest.body] })
    }

    fn hides_whole(&self, sides: &Sides<'_>) -> Option<RuleUse> {
        let whole = |fields: &Fields| matches!(fields, Fields::Path(pattern) if pattern.parts().is_empty());
        let rule = self.rules.iter().find(|rule| {
            rule.managers.is_empty() && rule.fields.iter().any(whole) && is_about(&rule.objects, sides)
        })?;
        Some(RuleUse { rule: rule.clone(), names: true, hides: 1, failed: None })
    }

    /// Hides the changes that rules name, and returns what each rule about this object did.
    pub fn apply(
        &self,
        manifest: &Manifest,
        live: Option<&LiveObject>,
        changes: &mut [FieldChange],
    ) -> Vec<RuleUse> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let desired = canonical_desired(manifest, live);
        let bodies: Vec<&Value> = [&*desired].into_iter().chain(live.map(|live| &live.body)).collect();
        let sides = Sides { id: &manifest.id, bodies: &bodies };
        let about: Vec<&Arc<IgnoreRule>> =
            self.rules.iter().filter(|rule| is_about(&rule.objects, &sides)).collect();
        let differs = changes.iter().any(|change| change.counts);
        let mut selected = self.selected(&about, &bodies, differs).into_iter();
        let mut steps = Steps::of_one_object();
        let hide = |rule| hide(rule, &bodies, live, changes, &mut selected, &mut steps);
        about.into_iter().map(hide).collect()
    }

    /// Returns what the jq expressions of some rules name, in their order; they are run only where something differs.
    fn selected(&self, rules: &[&Arc<IgnoreRule>], bodies: &[&Value], differs: bool) -> Vec<Selected> {
        let expressions: Vec<&str> = rules
            .iter()
            .flat_map(|rule| &rule.fields)
            .filter_map(|f| if let Fields::Jq(expression) = f { Some(expression.as_str()) } else { None })
            .collect();
        match &self.selector {
            _ if expressions.is_empty() || !differs => expressions.iter().map(|_| None).collect(),
            Some(selector) => selector.select(&expressions, bodies).into_iter().map(Some).collect(),
            None => expressions.iter().map(|_| Some(Err(NO_JQ.to_owned()))).collect(),
        }
    }
}

/// What one expression names in each of the documents, or why not; `None`: it was not run.
type Selected = Option<Result<Vec<Vec<Spot>>, String>>;

/// An object by its declared and its live body.
struct Sides<'a> {
    id: &'a crate::model::ResourceId,
    bodies: &'a [&'a Value],
}

fn is_about(objects: &Objects, sides: &Sides<'_>) -> bool {
    let fits = |glob: &Option<Glob>, text: &str| glob.as_ref().is_none_or(|glob| glob.matches_exactly(text));
    let id = sides.id;
    let carries = |(key, glob): &(String, Option<Glob>)| {
        let labels = sides.bodies.iter().filter_map(|body| body.str_at(&["metadata", "labels", key]));
        labels.into_iter().any(|value| glob.as_ref().is_none_or(|glob| glob.matches_exactly(value)))
    };
    fits(&objects.group, &id.kind.group)
        && fits(&objects.kind, &id.kind.kind)
        && fits(&objects.namespace, id.namespace.as_deref().unwrap_or_default())
        && fits(&objects.name, id.name.as_deref().unwrap_or_default())
        && objects.labels.iter().all(carries)
}

/// Hides what one rule names.
fn hide(
    rule: &Arc<IgnoreRule>,
    bodies: &[&Value],
    live: Option<&LiveObject>,
    changes: &mut [FieldChange],
    selected: &mut impl Iterator<Item = Selected>,
    steps: &mut Steps,
) -> RuleUse {
    let mut used = RuleUse { rule: rule.clone(), names: rule.fields.is_empty(), hides: 0, failed: None };
    let mut spots: Vec<BTreeSet<Spot>> = vec![BTreeSet::new(); bodies.len()];
    for fields in &rule.fields {
        let named: Vec<Vec<Spot>> = match fields {
            Fields::Path(pattern) => {
                let named = bodies.iter().map(|body| spots::of_pattern(pattern, body, steps));
                let Ok(named) = named.collect::<Result<_, spots::TooMuch>>() else {
                    used.failed = Some(TOO_MUCH.to_owned());
                    continue;
                };
                named
            }
            Fields::Pointer(tokens) => bodies.iter().map(|body| spots::of_pointer(tokens, body)).collect(),
            Fields::Jq(_) => match selected.next().flatten() {
                Some(Ok(named)) => named,
                Some(Err(why)) => {
                    used.failed = Some(why);
                    continue;
                }
                None => {
                    used.names = true;
                    continue;
                }
            },
        };
        for (all, more) in spots.iter_mut().zip(named) {
            all.extend(more);
        }
    }
    used.names |= spots.iter().any(|spots| !spots.is_empty());
    for change in changes.iter_mut().filter(|change| change.counts) {
        let by_manager = rule.managers.is_empty() || is_owned(change, live, &rule.managers);
        if by_manager && (rule.fields.is_empty() || is_named(change, bodies, &spots)) {
            change.ignored = Some(Box::new(Ignored { rule: rule.clone(), class: change.class }));
            change.class = Class::Ignored;
            change.counts = false;
            let reason = rule.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            change.note = Some(format!("ignored by {}{reason}", rule.place()));
            used.hides += 1;
        }
    }
    used
}

/// Returns whether one of the managers owns what differs, or something under it, or wrote it last.
fn is_owned(change: &FieldChange, live: Option<&LiveObject>, managers: &[Glob]) -> bool {
    let fits = |manager: &str| managers.iter().any(|glob| glob.matches_exactly(manager));
    change.writer.as_ref().is_some_and(|writer| fits(&writer.manager))
        || live
            .into_iter()
            .flat_map(|live| live.managed.iter().flatten())
            .any(|entry| fits(&entry.manager) && entry.fields.touches(&change.path))
}

/// Returns whether a change lies at or under a named spot, or differs by named spots alone.
fn is_named(change: &FieldChange, bodies: &[&Value], spots: &[BTreeSet<Spot>]) -> bool {
    let mut rest = Vec::with_capacity(bodies.len());
    for (body, spots) in bodies.iter().zip(spots) {
        let Some(at) = spots::of_path(&change.path, body) else {
            rest.push(Vec::new());
            continue;
        };
        if spots::lies_in(&at, spots) {
            return true;
        }
        rest.push(spots::under(&at, spots));
    }
    if change.is_order() || rest.iter().all(Vec::is_empty) {
        return false;
    }
    let mut rest = rest.into_iter();
    let mut pruned = |value: Option<&Value>| {
        let spots = rest.next().unwrap_or_default();
        value.and_then(|value| spots::without(value, &spots)).filter(|value| !value.is_empty())
    };
    pruned(change.desired.as_ref()) == pruned(change.live.as_ref())
}
