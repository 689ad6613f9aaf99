//! Defines the JSON documents of the headless contract, schema `driftdeck/v1`.
//!
//! A field may be added here, never renamed. Nothing is left out: an absent value is `null`. Values that are secret or
//! look like it become fingerprints in [`crate::text::redact`].

use crate::cli::hold::hold_json;
use crate::model::status::{DeploymentStatus, RepoStatus, ResourceStatus};
use crate::model::{
    AsAt, Counts, Declared, Disagreement, Exact, FieldChange, Hold, Ignored, Notice, Problem, Revision,
    Timestamp, Verdict, Writer,
};
use crate::text::redact;
use serde_json::{Value as Json, json};
use std::collections::HashSet;

/// The name and version of the documents.
pub const SCHEMA: &str = "driftdeck/v1";

/// What `check`, `compare` and `diff` found.
#[derive(Debug, Default)]
pub struct Findings {
    pub repos: Vec<RepoStatus>,
    pub apps: Vec<AppEntry>,
    pub resources: Vec<ResourceEntry>,
    pub notices: Vec<Notice>,
    /// Something could not be compared that no resource stands for (an app that did not render, a cluster that did not answer).
    pub incomplete: bool,
}

/// A deployment's entry, with the names that people use.
#[derive(Debug)]
pub struct AppEntry {
    pub status: DeploymentStatus,
    pub repo: String,
    /// The context's name.
    pub cluster: String,
    /// What people call the cluster.
    pub called: String,
    /// A pause of its engine, where it was looked for one.
    pub hold: Option<Hold>,
}

/// A resource's entry; `compare` has neither app nor cluster.
#[derive(Debug)]
pub struct ResourceEntry {
    pub status: ResourceStatus,
    pub app: Option<String>,
    pub cluster: Option<String>,
}

impl Findings {
    /// Returns the counts over all resources.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.resources.iter().for_each(|r| counts.add(r.status.verdict()));
        counts
    }

    /// Returns the run's verdict: the worst of its parts.
    pub fn verdict(&self) -> Verdict {
        match self.counts().verdict() {
            drifted @ Verdict::Drifted => drifted,
            _ if self.incomplete => {
                Verdict::Unknown(crate::model::Why::new("not everything could be compared"))
            }
            other => other,
        }
    }

    /// Returns whether everything could be compared.
    pub fn complete(&self) -> bool {
        !self.incomplete && self.counts().unknown == 0
    }

    /// Sorts as the contract says: app, cluster, worst verdict first, group, kind, namespace, name.
    pub fn sort(&mut self) {
        self.apps
            .sort_by(|a, b| (&a.status.id.app.name, &a.cluster).cmp(&(&b.status.id.app.name, &b.cluster)));
        self.resources.sort_by(|a, b| {
            let place = |e: &ResourceEntry| e.status.verdict().severity();
            (&a.app, &a.cluster, place(a)).cmp(&(&b.app, &b.cluster, place(b))).then_with(|| {
                let (a, b) = (&a.status.id, &b.status.id);
                (&a.kind, &a.namespace, &a.name).cmp(&(&b.kind, &b.namespace, &b.name))
            })
        });
        worst_first(&mut self.notices);
    }

    /// Returns the document.
    pub fn to_json(&self, command: &str, at: Timestamp) -> Json {
        let mut document = json!({
            "schema": SCHEMA,
            "command": command,
            "at": time(at),
            "verdict": self.verdict().word(),
            "complete": self.complete(),
        });
        // `json!` would copy what is put into it: of many thousand resources that is felt.
        if let Some(fields) = document.as_object_mut() {
            fields.insert("apps".to_owned(), self.apps.iter().map(|entry| app(entry, at)).collect());
            fields.insert("resources".to_owned(), self.resources.iter().map(resource).collect());
            fields.insert("notices".to_owned(), notices(&self.notices).into());
        }
        document
    }
}

/// Returns the document of a command that could not begin: its own fields, empty, and the reason.
pub fn failure(command: &str, reason: &Notice, at: Timestamp) -> Json {
    let own = match command {
        "render" => json!({ "manifests": [] }),
        "apps" => json!({ "apps": [] }),
        "journal" => json!({ "entries": [] }),
        "report" => {
            json!({ "at": time(at), "complete": false, "holds": [], "unfinished": [], "requests": [], "entries": [], "verdict": "unknown", "apps": [], "resources": [] })
        }
        "doctor" => json!({ "at": time(at), "findings": [], "agreement": null }),
        "changes" => json!({ "changes": [], "blind": [] }),
        "history" => json!({ "commits": [] }),
        "hold" => {
            json!({ "plan": null, "holds": [], "verdict": null, "commit": null, "branch": null, "pullRequest": null })
        }
        "sync" | "apply" | "undo" | "resume" => {
            json!({ "plan": null, "verdict": null, "commit": null, "branch": null, "pullRequest": null })
        }
        _ => json!({ "at": time(at), "verdict": "unknown", "complete": false, "apps": [], "resources": [] }),
    };
    let mut document = json!({ "schema": SCHEMA, "command": command });
    if let (Some(fields), Json::Object(own)) = (document.as_object_mut(), own) {
        fields.extend(own);
        fields.insert("notices".to_owned(), notices(std::slice::from_ref(reason)).into());
    }
    document
}

/// Returns a time as RFC 3339 in UTC with whole seconds.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Returns a revision as the contract writes it.
pub fn revision(revision: &Revision) -> Json {
    json!({
        "asked": revision.asked.words(),
        "commit": revision.commit.as_ref().map(|c| c.0.as_str()),
        "dirty": revision.dirty,
        "behind": revision.behind,
        "ahead": revision.ahead,
    })
}

/// Returns counts with every verdict's word.
pub fn counts(counts: &Counts) -> Json {
    json!({
        "in-sync": counts.in_sync, "drifted": counts.drifted, "missing": counts.missing, "extra": counts.extra,
        "terminating": counts.terminating, "invalid": counts.invalid, "unknown": counts.unknown, "excluded": counts.excluded,
    })
}

fn app(entry: &AppEntry, at: Timestamp) -> Json {
    let status = &entry.status;
    json!({
        "name": status.id.app.name,
        "engine": status.engine.word(),
        "repo": entry.repo,
        "path": if status.path.is_empty() { "." } else { &status.path },
        "revision": revision(&status.revision),
        "cluster": entry.cluster,
        "namespace": status.namespace,
        "verdict": app_verdict(&status.verdict),
        "why": status.verdict.why(),
        "health": status.health.word(),
        "engineVerdict": Json::Null,
        "asAt": status.as_at.as_ref().map(as_at),
        "counts": counts(&status.counts),
        "ignored": status.hidden.total(),
        "hold": entry.hold.as_ref().map(|hold| hold_json(hold, at)),
    })
}

/// Returns the commit that a cluster is at, and how many commits that is behind.
fn as_at(at: &AsAt) -> Json {
    json!({ "commit": at.commit.0, "behind": at.behind })
}

/// A deployment is in-sync, drifted, unknown or excluded.
fn app_verdict(verdict: &Verdict) -> &'static str {
    if verdict.is_drift() { "drifted" } else { verdict.word() }
}

fn resource(entry: &ResourceEntry) -> Json {
    let status = &entry.status;
    let judgement = &status.judgement;
    let object = status.id.to_string();
    json!({
        "app": entry.app,
        "cluster": entry.cluster,
        "group": status.id.kind.group,
        "version": status.kind.version,
        "kind": status.id.kind.kind,
        "namespace": status.id.namespace,
        "name": status.id.name,
        "verdict": judgement.verdict.word(),
        "why": judgement.verdict.why(),
        "confidence": judgement.confidence.word(),
        "needsExact": judgement.needs_exact,
        "exact": judgement.exact.as_ref().map(exact),
        "needsReplace": judgement.needs_replace,
        "asAt": judgement.as_at.as_ref().map(as_at),
        "problems": problems(&judgement.problems),
        "finalizers": judgement.finalizers,
        "health": judgement.health.status.word(),
        "healthMessage": judgement.health.message,
        "file": status.origin.as_ref().map(|o| o.file.as_str()),
        "document": status.origin.as_ref().map(|o| o.document),
        "line": status.origin.as_ref().and_then(|o| o.line),
        "changes": judgement.changes.iter().map(|c| change(c, &object)).collect::<Vec<_>>(),
    })
}

/// Returns what the API server said beside the verdict.
fn exact(exact: &Exact) -> Json {
    let contending = exact.contending.iter();
    let disagreements = exact.disagreements.iter();
    json!({
        "at": time(exact.at),
        "contending": contending.map(|(manager, fields)| json!({"manager": manager, "fields": fields})).collect::<Vec<_>>(),
        "disagreements": disagreements.map(disagreement).collect::<Vec<_>>(),
    })
}

/// Returns a point in which the comparison here and the API server disagree.
pub fn disagreement(d: &Disagreement) -> Json {
    json!({ "path": d.path, "local": d.local, "exact": d.exact, "shown": d.shown.word(), "why": d.why })
}

/// Returns problems as the contract writes them.
pub fn problems(problems: &[Problem]) -> Vec<Json> {
    problems
        .iter()
        .map(|p| json!({"path": p.path, "title": p.title, "file": p.file, "line": p.line}))
        .collect()
}

/// Returns a change as the contract writes it. `object` keys the fingerprints of its secret values.
pub fn change(change: &FieldChange, object: &str) -> Json {
    let (desired, live) =
        redact::json_sides(change.desired.as_ref(), change.live.as_ref(), object, &change.path);
    let writer = change.writer.as_ref();
    let declared = change.declared.as_ref();
    let commit = declared.and_then(Declared::commit);
    json!({
        "path": change.path.to_string(),
        "segments": change.path.to_json(),
        "class": change.class.word(),
        "counts": change.counts,
        "cause": change.cause.word(),
        "desired": desired,
        "live": live,
        "manager": writer.map(|w| w.manager.as_str()),
        "managerName": writer.map(Writer::name),
        "operation": writer.map(|w| w.operation.word()),
        "subresource": writer.and_then(|w| w.subresource.as_deref()),
        "time": writer.and_then(|w| w.time).map(time),
        "file": change.origin.as_ref().map(|o| o.file.as_str()),
        "line": change.origin.as_ref().and_then(|o| o.line),
        "agent": change.agent,
        "commit": commit.map(|c| c.commit.0.as_str()),
        "author": commit.map(|c| c.author.as_str()),
        "authored": commit.and_then(|c| c.authored).map(time),
        "subject": commit.map(|c| c.subject.as_str()),
        "declaredBy": declared.map(Declared::word),
        "orEarlier": commit.is_some_and(|c| c.or_earlier),
        "note": change.note,
        "rule": change.ignored.as_deref().map(ignored),
    })
}

/// Returns the rule by which a change does not count, and what its class would be without.
fn ignored(ignored: &Ignored) -> Json {
    let rule = &ignored.rule;
    json!({
        "source": rule.source.word(), "file": rule.declared.file, "line": rule.declared.line,
        "says": rule.to_string(), "reason": rule.reason, "class": ignored.class.word(),
    })
}

/// Puts notices in the order of their level, each once.
pub fn worst_first(notices: &mut Vec<Notice>) {
    let mut said = HashSet::new();
    notices.retain(|notice| said.insert(notice.clone()));
    notices.sort_by_key(|notice| notice.level);
}

/// Returns notices as the contract writes them.
pub fn notices(notices: &[Notice]) -> Vec<Json> {
    notices
        .iter()
        .map(|n| {
            json!({
                "level": n.level.word(), "title": n.title, "cause": n.cause, "hint": n.hint,
                "file": n.file, "line": n.line, "object": n.object,
            })
        })
        .collect()
}
