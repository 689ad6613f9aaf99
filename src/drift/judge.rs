//! Defines the verdict of one object from what Git declares and what the cluster holds.

use super::types::Types;
use super::{
    Autoscaled, HealthRules, IgnoreRules, Managers, Pods, compare, excluded, health, immutable, invalid,
};
use crate::model::{Health, HealthStatus, Judgement, LiveObject, Manifest, Schema, Value, Verdict, Why};

/// What a comparison knows besides the two objects.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub schema: &'a Schema,
    pub managers: &'a Managers,
    pub autoscaled: &'a Autoscaled,
    pub health: &'a HealthRules,
    /// What pods say of their workloads, as far as pods are looked at.
    pub pods: Option<&'a Pods>,
    /// The field manager of the engine that owns the app, where one does.
    pub deployer: Option<&'a str>,
    /// What Helm's previous release declared of this object, where it is known: what is gone from it is a leftover.
    pub previous: Option<&'a Value>,
    /// What does not count although it differs.
    pub rules: &'a IgnoreRules,
}

impl<'a> Context<'a> {
    /// Builds a context that knows of no engine and of no rules but the built-in ones.
    pub fn new(schema: &'a Schema, managers: &'a Managers, autoscaled: &'a Autoscaled) -> Self {
        let (health, rules) = (HealthRules::built_in(), IgnoreRules::none());
        Self { schema, managers, autoscaled, health, pods: None, deployer: None, previous: None, rules }
    }
}

/// Judges one object. `desired` is `None` for what is tracked and no longer in Git, `live` for what is not there.
pub fn judge(desired: Option<&Manifest>, live: Option<&LiveObject>, context: &Context<'_>) -> Judgement {
    let health = live.map_or_else(|| Health::of(HealthStatus::Missing), |live| health_of(live, context));
    let finalizers = live.map(terminating).unwrap_or_default();
    let mut judgement = match (desired, live) {
        (None, None) => Judgement::plain(Verdict::Excluded(Why::new("neither declared nor there")), health),
        (None, Some(live)) => {
            let rule = context.rules.hides_extra(live);
            let hidden = || rule.as_ref().map(|used| Why::new(format!("ignored by {}", used.rule.place())));
            let why = excluded::why_extra(live, context.rules).or_else(hidden);
            let mut judgement = Judgement::plain(why.map_or(Verdict::Extra, Verdict::Excluded), health);
            judgement.rules.extend(rule);
            judgement
        }
        (Some(desired), live) => against_desired(desired, live, context, health),
    };
    if let Some(finalizers) = finalizers {
        judgement.verdict = Verdict::Terminating;
        judgement.finalizers = finalizers;
    }
    judgement
}

fn health_of(live: &LiveObject, context: &Context<'_>) -> Health {
    let health = health::health(live, context.health);
    match context.pods {
        Some(pods) => pods.told(live, health),
        None => health,
    }
}

fn against_desired(
    desired: &Manifest,
    live: Option<&LiveObject>,
    context: &Context<'_>,
    health: Health,
) -> Judgement {
    if let Some(why) = excluded::why_declared(desired, live, context.rules) {
        let health = if live.is_some() { health } else { Health::of(HealthStatus::Unknown) };
        return Judgement::plain(Verdict::Excluded(why), health);
    }
    let types = Types::of(context.schema, &desired.kind);
    let mut judgement = Judgement::plain(Verdict::Missing, health);
    judgement.problems.clone_from(&desired.problems);
    judgement.problems.extend(invalid::problems(types, desired, &desired.body, live));
    if let Some(live) = live {
        let compared = compare::compare(types, desired, live, context);
        judgement.changes = compared.changes;
        judgement.rules = context.rules.apply(desired, Some(live), &mut judgement.changes);
        judgement.needs_exact = compared.needs_exact;
        let needs_replace = judgement.counted().any(|c| immutable::needs_replace(live, c));
        judgement.needs_replace = needs_replace;
        let drifted = judgement.counted().next().is_some();
        judgement.verdict = if drifted { Verdict::Drifted } else { Verdict::InSync };
    }
    if live.is_none() {
        judgement.rules = context.rules.apply(desired, None, &mut []);
        if let Some(used) = context.rules.hides_missing(desired) {
            judgement.verdict = Verdict::Excluded(Why::new(format!("ignored by {}", used.rule.place())));
            judgement.rules.retain(|other| other.rule != used.rule);
            judgement.rules.push(used);
            return judgement;
        }
    }
    if !judgement.problems.is_empty() {
        judgement.verdict = Verdict::Invalid;
    }
    judgement
}

/// Returns the finalizers that hold an object which is being deleted; `None` for one that is not.
fn terminating(live: &LiveObject) -> Option<Vec<String>> {
    live.body.at(&["metadata", "deletionTimestamp"]).filter(|t| !t.is_null())?;
    let finalizers = live.body.at(&["metadata", "finalizers"]).and_then(Value::as_list).unwrap_or_default();
    Some(finalizers.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}
