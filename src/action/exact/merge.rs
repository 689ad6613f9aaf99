//! Joins what the API server said of an object with the local judgement of it.

use super::problems::steps;
use super::{Answer, Said};
use crate::action::effect::shows;
use crate::drift::{IgnoreRules, canonical_desired};
use crate::model::change::{BROUGHT_ALONG, add_note};
use crate::model::field;
use crate::model::verdict::RuleUse;
use crate::model::{
    Cause, Class, Confidence, Disagreement, Effect, Exact, FieldChange, FieldPath, Judgement, LiveObject,
    Manifest, Operation, Problem, Verdict, Writer,
};

const EXACT_ON_VALUES: &str = "the API server has the last word on values";
const EXACT_ON_VALIDITY: &str = "the API server has the last word on what it takes";
const LOCAL_ON_LEFTOVERS: &str =
    "what Git no longer declares is told by what was applied last, not by a dry run";

const LOCAL_ON_DELEGATED: &str = "a controller fills it in again at once";

/// Returns the judgement of an object with the API server's answer taken in: exact wins on values and validity, local
/// wins on leftovers and foreign fields, and rules hide what only the server sees as they hide everything else. Verdicts
/// that no dry run can change are returned as they are.
pub fn merged(
    local: &Judgement,
    answer: &Answer,
    live: Option<&LiveObject>,
    rules: &IgnoreRules,
) -> Judgement {
    let mut judgement = local.clone();
    if !is_about(&local.verdict) {
        return judgement;
    }
    let desired = &*answer.desired;
    let mut join = Join { desired, live, rules, disagreements: Vec::new() };
    let contending = match &answer.said {
        Said::Silent(why) => {
            judgement.needs_exact = Some(why.clone());
            return judgement;
        }
        Said::Takes { effects, contending, typed } => {
            if live.is_some() {
                join.values(&mut judgement, effects);
            }
            if *typed {
                join.valid(&mut judgement.problems);
            }
            contending
        }
        Said::Refuses { immutable: true, contending, .. } if judgement.counted().next().is_some() => {
            judgement.needs_replace = true;
            contending
        }
        Said::Refuses { problems, contending, .. } => {
            join.invalid(&mut judgement.problems, problems);
            contending
        }
    };
    for change in &mut judgement.changes {
        name_contending(change, contending);
    }
    let drifts = judgement.counted().next().is_some();
    judgement.needs_replace &= drifts;
    judgement.verdict = match live {
        _ if !judgement.problems.is_empty() => Verdict::Invalid,
        None => Verdict::Missing,
        Some(_) if drifts => Verdict::Drifted,
        Some(_) => Verdict::InSync,
    };
    judgement.confidence = Confidence::Exact;
    judgement.needs_exact = None;
    let disagreements = join.disagreements;
    judgement.exact = Some(Exact { at: answer.at, contending: contending.clone(), disagreements });
    judgement
}

/// Returns whether a dry run says anything about an object with this verdict.
pub fn is_about(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::InSync | Verdict::Drifted | Verdict::Missing | Verdict::Invalid)
}

struct Join<'a> {
    desired: &'a Manifest,
    live: Option<&'a LiveObject>,
    rules: &'a IgnoreRules,
    disagreements: Vec<Disagreement>,
}

impl Join<'_> {
    fn disagree(&mut self, path: String, local: &str, exact: &str, shown: Confidence, why: &'static str) {
        let (local, exact) = (local.to_owned(), exact.to_owned());
        self.disagreements.push(Disagreement { path, local, exact, shown, why });
    }

    /// Takes in what the dry run would change.
    fn values(&mut self, judgement: &mut Judgement, effects: &[Effect]) {
        let changes = &mut judgement.changes;
        let effects: Vec<&Effect> = effects.iter().filter(|effect| !effect.is_order()).collect();
        for change in changes.iter_mut().filter(|c| is_value(c)) {
            if effects.iter().any(|effect| shows(change, effect)) {
                continue;
            }
            if change.counts {
                let path = change.path.to_string();
                self.disagree(path, change.class.word(), "unchanged", Confidence::Exact, EXACT_ON_VALUES);
            }
            change.counts = false;
            change.cause = Cause::Webhook;
            let note = "applying it changes nothing, says the API server's dry run: a webhook, a policy or its own code sets the live value";
            add_note(&mut change.note, note);
        }
        let mut more = Vec::new();
        for effect in effects {
            if !changes.iter().any(|change| shows(change, effect)) {
                more.push(self.unseen(effect));
            }
        }
        if !more.is_empty() {
            let used = self.rules.apply(self.desired, self.live, &mut more);
            note_uses(&mut judgement.rules, used);
            for change in more.iter().filter(|change| change.ignored.is_some()) {
                let path = change.path.to_string();
                self.disagreements.retain(|disagreement| disagreement.path != path);
            }
        }
        changes.append(&mut more);
        changes.sort_by_cached_key(|change| change.path.to_string());
    }

    /// Returns an effect that the comparison here did not see as a change.
    fn unseen(&mut self, effect: &Effect) -> FieldChange {
        let path = effect.path.to_string();
        let body = canonical_desired(self.desired, self.live);
        let is_declared = field::at(&body, &effect.path).is_some_and(|value| !value.is_null());
        let mut change = FieldChange {
            counts: false,
            cause: Cause::Webhook,
            desired: effect.after.clone(),
            live: effect.before.clone(),
            note: Some(BROUGHT_ALONG.to_owned()),
            ..FieldChange::new(effect.path.clone(), Class::Changed)
        };
        if is_declared && is_a_controllers(self.desired, &effect.path) {
            change.class = Class::Delegated;
            change.cause = Cause::Controller;
            change.note = Some("its controller writes the rules of an aggregated ClusterRole".to_owned());
            self.disagree(path, "delegated", "changed", Confidence::Local, LOCAL_ON_DELEGATED);
        } else if is_declared {
            change.class = if effect.before.is_none() { Class::Deleted } else { Class::Changed };
            change.counts = true;
            change.writer = self.live.and_then(|live| last_writer(live, &effect.path));
            change.cause = Cause::Unknown;
            let steps = steps(&self.desired.body, &effect.path);
            change.origin = Some(self.desired.origin_of(steps.iter().map(String::as_str)));
            change.note = Some("only the API server's dry run shows it".to_owned());
            let word = change.class.word();
            self.disagree(path, "equal", word, Confidence::Exact, EXACT_ON_VALUES);
        } else if effect.after.is_none() && self.live.is_some_and(|live| applies(live, &effect.path)) {
            change.class = Class::Leftover;
            change.cause = Cause::Unknown;
            change.note = Some("the API server's dry run takes it away".to_owned());
            self.disagree(path, "no leftover", "taken away", Confidence::Local, LOCAL_ON_LEFTOVERS);
        }
        change
    }

    /// Takes in that the server takes the object: what was found wrong here and is not wrong for it is dropped. What is
    /// wrong with the file itself (a key that stands there twice) never reaches the server, and stays.
    fn valid(&mut self, problems: &mut Vec<Problem>) {
        let of_file = &self.desired.problems;
        for problem in problems.iter().filter(|p| !of_file.contains(p)) {
            self.disagree(problem.path.clone(), "invalid", "valid", Confidence::Exact, EXACT_ON_VALIDITY);
        }
        problems.retain(|problem| of_file.contains(problem));
    }

    /// Takes in that the server refuses the object; what was found here at the same place is said already.
    fn invalid(&mut self, problems: &mut Vec<Problem>, said: &[Problem]) {
        let is_near = |known: &Problem, new: &Problem| {
            new.path != "." && (known.path.starts_with(&new.path) || new.path.starts_with(&known.path))
        };
        let local_valid = problems.is_empty();
        let new: Vec<Problem> =
            said.iter().filter(|new| !problems.iter().any(|known| is_near(known, new))).cloned().collect();
        if local_valid {
            for problem in &new {
                self.disagree(problem.path.clone(), "valid", "invalid", Confidence::Exact, EXACT_ON_VALIDITY);
            }
        }
        problems.extend(new);
    }
}

/// Adds what rules did to what they have done to the same object.
fn note_uses(rules: &mut Vec<RuleUse>, used: Vec<RuleUse>) {
    for more in used {
        match rules.iter_mut().find(|known| known.rule == more.rule) {
            Some(known) => {
                known.names |= more.names;
                known.hides += more.hides;
                known.failed = known.failed.take().or(more.failed);
            }
            None => rules.push(more),
        }
    }
}

/// Returns whether a declared field is filled by a controller whatever is declared: row 8 of the catalogue.
fn is_a_controllers(desired: &Manifest, path: &FieldPath) -> bool {
    desired.id.kind.kind == "ClusterRole"
        && desired.body.get("aggregationRule").is_some_and(|rule| !rule.is_empty())
        && path.is_under(&FieldPath::fields(&["rules"]))
}

/// Returns whether a change is one of values that Git declares: the API server's word counts for those.
fn is_value(change: &FieldChange) -> bool {
    matches!(change.class, Class::Changed | Class::Deleted | Class::Contended) && !change.is_order()
}

fn name_contending(change: &mut FieldChange, contending: &[(String, Vec<String>)]) {
    let path = change.path.to_string();
    let owners = contending.iter().filter(|(manager, fields)| {
        change.writer.as_ref().is_none_or(|writer| writer.manager != *manager)
            && fields.iter().any(|field| *field == path || field.starts_with(&format!("{path}.")))
    });
    let owners: Vec<&str> = owners.map(|(manager, _)| manager.as_str()).collect();
    if !owners.is_empty() {
        let note = format!("the API server names {} as owner", owners.join(" and "));
        add_note(&mut change.note, &note);
    }
}

/// Returns whether somebody applies a field server-side.
fn applies(live: &LiveObject, path: &FieldPath) -> bool {
    let applies =
        |e: &&crate::model::ManagedEntry| e.operation == Operation::Apply && e.subresource.is_none();
    live.managed.iter().flatten().filter(applies).any(|entry| entry.fields.touches(path))
}

/// Returns who last wrote a field, as far as managed fields tell.
fn last_writer(live: &LiveObject, path: &FieldPath) -> Option<Writer> {
    let owners = live.managed.iter().flatten().filter(|entry| entry.fields.owns(path));
    let last = owners.max_by_key(|entry| entry.time)?;
    Some(Writer {
        manager: last.manager.clone(),
        called: None,
        operation: last.operation,
        subresource: last.subresource.clone(),
        time: last.time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        ClusterId, GroupVersionKind, Health, HealthStatus, Identity, Origin, ResourceId, Timestamp, Value,
    };
    use crate::value;
    use std::sync::Arc;

    fn manifest(spec: Value) -> Arc<Manifest> {
        let kind = GroupVersionKind::from_api_version("apps/v1", "Deployment");
        let identity = Identity {
            cluster: ClusterId("c".into()),
            kind: kind.group_kind(),
            namespace: Some("shop".into()),
            name: Some("web".into()),
        };
        let mut body = value!({"apiVersion": "apps/v1", "kind": "Deployment"});
        body.as_map_mut().unwrap().insert("spec".into(), spec);
        let origin = Origin { file: "web.yaml".into(), document: 0, line: Some(1) };
        Arc::new(Manifest {
            id: ResourceId::from(identity),
            kind,
            body,
            origin,
            problems: Vec::new(),
            lines: crate::model::manifest::BodyLines::default(),
            overlay: None,
        })
    }

    fn live() -> LiveObject {
        let body = value!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "uid": "u"},
            "spec": {"replicas": 5}});
        LiveObject::read(&ClusterId("c".into()), body).unwrap()
    }

    fn local(verdict: Verdict, paths: &[(&str, Class)]) -> Judgement {
        let change =
            |(path, class): &(&str, Class)| FieldChange::new(FieldPath::parse(path).unwrap(), *class);
        let changes = paths.iter().map(change).collect();
        Judgement { changes, ..Judgement::plain(verdict, Health::of(HealthStatus::Healthy)) }
    }

    fn answer(desired: &Arc<Manifest>, said: Said) -> Answer {
        let bound = crate::action::bind::bound(Some(&live()));
        Answer { at: Timestamp::UNIX_EPOCH, desired: desired.clone(), ignored: Vec::new(), bound, said }
    }

    fn takes(effects: &[(&str, Option<Value>, Option<Value>)]) -> Said {
        let effect = |(path, before, after): &(&str, Option<Value>, Option<Value>)| Effect {
            path: FieldPath::parse(path).unwrap(),
            before: before.clone(),
            after: after.clone(),
            order_by: None,
        };
        Said::Takes { effects: effects.iter().map(effect).collect(), contending: Vec::new(), typed: true }
    }

    /// A name, what is judged here, what the server says, and what comes of it as [`told`].
    type Case<'a> = (&'a str, Judgement, Said, (&'a str, &'a [&'a str], &'a [&'a str]));

    /// The verdict's word, each change as path, class and whether it counts, and each disagreement.
    fn told(judgement: &Judgement) -> (&'static str, Vec<String>, Vec<String>) {
        let change = |c: &FieldChange| format!("{} {} {}", c.path, c.class.word(), c.counts);
        let disagreements = judgement.exact.iter().flat_map(|e| &e.disagreements);
        (
            judgement.verdict.word(),
            judgement.changes.iter().map(change).collect(),
            disagreements.map(|d| format!("{} {} {} {}", d.path, d.local, d.exact, d.shown.word())).collect(),
        )
    }

    #[test]
    fn exact_wins_on_values_and_local_on_leftovers_and_foreign_fields() {
        let desired = manifest(value!({"replicas": 2, "paused": true}));
        let (two, five) = (Some(value!(2)), Some(value!(5)));
        let cases: Vec<Case> = vec![
            (
                "both say that it changes",
                local(Verdict::Drifted, &[(".spec.replicas", Class::Changed)]),
                takes(&[(".spec.replicas", five.clone(), two.clone())]),
                ("drifted", &[".spec.replicas changed true"], &[]),
            ),
            (
                "a webhook sets the live value",
                local(Verdict::Drifted, &[(".spec.replicas", Class::Changed)]),
                takes(&[]),
                ("in-sync", &[".spec.replicas changed false"], &[".spec.replicas changed unchanged exact"]),
            ),
            (
                "only the server sees it",
                local(Verdict::InSync, &[]),
                takes(&[(".spec.paused", None, Some(value!(true)))]),
                ("drifted", &[".spec.paused deleted true"], &[".spec.paused equal deleted exact"]),
            ),
            (
                "a webhook brings something along",
                local(Verdict::InSync, &[]),
                takes(&[(".spec.injected", None, Some(value!(1)))]),
                ("in-sync", &[".spec.injected changed false"], &[]),
            ),
            (
                "a leftover and a foreign field are local",
                local(Verdict::Drifted, &[(".spec.a", Class::Leftover), (".spec.b", Class::Foreign)]),
                takes(&[]),
                ("drifted", &[".spec.a leftover true", ".spec.b foreign true"], &[]),
            ),
        ];
        for (name, local, said, (verdict, changes, disagreements)) in cases {
            let judged = merged(&local, &answer(&desired, said), Some(&live()), IgnoreRules::none());
            let strings = |these: &[&str]| these.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
            assert_eq!(told(&judged), (verdict, strings(changes), strings(disagreements)), "{name}");
            assert_eq!((judged.confidence, judged.needs_exact), (Confidence::Exact, None), "{name}");
        }
    }

    /// Rules in the notation of a repository's file.
    fn rules(text: &str) -> IgnoreRules {
        let (rules, mistakes) = crate::config::ignore::read_repository_file(text.as_bytes(), "rules.yaml");
        assert_eq!(mistakes, []);
        IgnoreRules::new(rules, None, crate::model::BuiltIns::ALL)
    }

    #[test]
    fn a_rule_hides_what_only_the_server_sees_and_the_verdict_and_the_agreement_are_of_the_rest() {
        let desired = manifest(value!({"replicas": 2, "paused": true}));
        let (two, five, yes) = (Some(value!(2)), Some(value!(5)), Some(value!(true)));
        let said = takes(&[(".spec.paused", None, yes), (".spec.replicas", five, two)]);
        let rules = rules(
            "ignore:\n- {kind: Deployment, fields: .spec.paused}\n- {kind: Deployment, fields: .spec.replicas}\n",
        );
        let mut here = local(Verdict::InSync, &[(".spec.replicas", Class::Changed)]);
        here.changes[0].counts = true;
        here.rules = rules.apply(&desired, Some(&live()), &mut here.changes);
        let judged = merged(&here, &answer(&desired, said), Some(&live()), &rules);
        let changes = [".spec.paused ignored false", ".spec.replicas ignored false"].map(str::to_owned);
        assert_eq!(told(&judged), ("in-sync", changes.to_vec(), Vec::new()));
        assert_eq!(judged.confidence, Confidence::Exact);
        assert_eq!(judged.rules.iter().map(|used| used.hides).collect::<Vec<_>>(), [1, 1]);
    }

    #[test]
    fn what_the_server_refuses_is_invalid_unless_it_only_cannot_be_changed_in_place() {
        let desired = manifest(value!({"replicas": -1}));
        let problem = |path: &str| Problem { path: path.into(), title: "no".into(), file: None, line: None };
        let refuses = |immutable| Said::Refuses {
            problems: vec![problem(".spec.replicas")],
            contending: Vec::new(),
            immutable,
        };
        let sync = local(Verdict::InSync, &[]);
        let drifted = local(Verdict::Drifted, &[(".spec.replicas", Class::Changed)]);
        let judged = merged(&sync, &answer(&desired, refuses(false)), Some(&live()), IgnoreRules::none());
        assert_eq!((judged.verdict.word(), judged.problems.len()), ("invalid", 1));
        let judged = merged(&drifted, &answer(&desired, refuses(true)), Some(&live()), IgnoreRules::none());
        assert_eq!((judged.verdict.word(), judged.needs_replace), ("drifted", true));
        let silent = Said::Silent("you may not patch".into());
        let judged = merged(&drifted, &answer(&desired, silent), Some(&live()), IgnoreRules::none());
        assert_eq!(
            (judged.confidence, judged.needs_exact.as_deref()),
            (Confidence::Local, Some("you may not patch"))
        );
        let mut invalid = local(Verdict::Invalid, &[]);
        invalid.problems.push(problem(".spec.imag"));
        let judged = merged(&invalid, &answer(&desired, takes(&[])), Some(&live()), IgnoreRules::none());
        assert_eq!((judged.verdict.word(), judged.problems.len()), ("in-sync", 0));
    }

    #[test]
    fn an_answer_holds_until_either_side_changes() {
        let desired = manifest(value!({"replicas": 2}));
        let answer = answer(&desired, takes(&[]));
        let sync = local(Verdict::InSync, &[]);
        assert!(answer.fits(&sync, &desired, Some(&live())));
        let mut status = live();
        status.resource_version = Some("9".into());
        status.body.as_map_mut().unwrap().insert("status".into(), value!({"replicas": 1}));
        assert!(answer.fits(&sync, &desired, Some(&status)), "a status update changes neither side");
        assert!(!answer.fits(&sync, &manifest(value!({"replicas": 3})), Some(&live())));
        assert!(!answer.fits(&sync, &desired, None));
        let mut other = live();
        other.body.as_map_mut().unwrap().insert("spec".into(), value!({"replicas": 6}));
        assert!(!answer.fits(&sync, &desired, Some(&other)));
        // A rule that was not there when it was asked, or one that is gone since.
        let rules = rules("ignore:\n- {kind: Deployment, fields: .spec.replicas}\n");
        let mut hidden = local(Verdict::InSync, &[(".spec.replicas", Class::Changed)]);
        hidden.changes[0].desired = Some(value!(2));
        rules.apply(&desired, Some(&live()), &mut hidden.changes);
        assert!(!answer.fits(&hidden, &desired, Some(&live())));
        let asked_without = Answer { ignored: super::super::ignored(&hidden), ..answer };
        assert!(asked_without.fits(&hidden, &desired, Some(&live())));
        assert!(!asked_without.fits(&sync, &desired, Some(&live())));
    }
}
