//! Asks the API server about one object.

use super::problems::problems;
use super::{Answer, Said};
use crate::action::dry_run::served_kind;
use crate::action::effect::effects;
use crate::action::write::{applied, merged_in};
use crate::cluster::{Cluster, ClusterError, Write};
use crate::drift::{Deployer, deployer, is_respelled};
use crate::model::{ClusterFacts, Effect, FieldPath, LiveObject, Manifest, Schema, ServedKind, Timestamp};
use std::sync::Arc;

/// How often an object that moves while it is asked about is read and asked about anew.
const TRIES: usize = 3;

/// One object to be asked about.
#[derive(Debug, Clone)]
pub struct Subject {
    pub desired: Arc<Manifest>,
    pub live: Option<LiveObject>,
    /// Declared paths that are left as they are, because rules hide what differs there.
    pub ignored: Vec<FieldPath>,
    /// The field manager of the engine that owns the app, where one does.
    pub engine: Option<&'static str>,
}

/// Managers that would lose fields, each with the fields.
type Contending = Vec<(String, Vec<String>)>;

/// What one dry run came to.
struct Shown {
    result: LiveObject,
    contending: Contending,
    typed: bool,
}

/// Asks about one object with one dry run, two where others own fields. Fails only where the server asks to wait:
/// everything else is an answer of its own.
pub async fn ask(
    cluster: &dyn Cluster,
    facts: &ClusterFacts,
    schema: &Schema,
    mut subject: Subject,
    at: Timestamp,
) -> Result<Answer, ClusterError> {
    let Some(kind) = served_kind(facts, &subject.desired.kind) else {
        let why = format!("the cluster does not serve {}", subject.desired.kind.group_kind());
        return Ok(Answer::silent(at, subject, why));
    };
    for _ in 0..TRIES {
        let mut contending = Contending::new();
        let error = match dry_run(cluster, schema, &subject, &kind, &mut contending).await {
            Ok(shown) => {
                let now = (shown.result.uid.as_ref(), shown.result.resource_version.as_ref());
                let known = subject.live.as_ref().map(|l| (l.uid.as_ref(), l.resource_version.as_ref()));
                // A dry run that creates has made up a uid of its own.
                if known.is_none_or(|known| known == now) {
                    let live = subject.live.as_ref();
                    let effects = live.map(|live| changes(schema, live, &shown.result)).unwrap_or_default();
                    let said = Said::Takes { effects, contending: shown.contending, typed: shown.typed };
                    return Ok(Answer::to(at, subject, said));
                }
                let (namespace, name) =
                    (subject.desired.id.namespace.clone(), subject.desired.id.name.clone());
                match cluster.get(kind.clone(), namespace, name.unwrap_or_default()).await {
                    Ok(live) => {
                        subject.live = live;
                        continue;
                    }
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        if matches!(error, ClusterError::Busy { .. }) {
            return Err(error);
        }
        let said = said(&subject, &error, contending);
        return Ok(Answer::to(at, subject, said));
    }
    let why = "it changes faster than the API server can be asked about it".to_owned();
    Ok(Answer::silent(at, subject, why))
}

/// Returns what a dry run changes; the live value in another spelling is no change.
fn changes(schema: &Schema, live: &LiveObject, result: &LiveObject) -> Vec<Effect> {
    let mut effects = effects(schema, live, result);
    effects.retain(|effect| match (&effect.before, &effect.after) {
        (Some(before), Some(after)) => !is_respelled(schema, &result.kind, &effect.path, before, after),
        _ => true,
    });
    effects
}

async fn dry_run(
    cluster: &dyn Cluster,
    schema: &Schema,
    subject: &Subject,
    kind: &ServedKind,
    contending: &mut Contending,
) -> Result<Shown, ClusterError> {
    let Subject { desired, live, ignored, engine } = subject;
    let (desired, live, engine) = (&**desired, live.as_ref(), *engine);
    let deployer = live.map_or(Ok(Deployer::Driftdeck), |live| deployer(live, desired, engine));
    // Those who are tied own the same declared fields: under either name the values and their validity are the same.
    let deployer = deployer.unwrap_or_else(|tie| Deployer::ServerSide {
        manager: tie.managers.into_iter().next().unwrap_or_default(),
    });
    let manager = match (&deployer, live, engine) {
        (_, None, Some(engine)) => engine,
        _ => deployer.manager(),
    };
    let apply = |force| applied(desired, kind, live, ignored, manager, force);
    let first = run(cluster, apply(false)).await;
    let second = match first {
        Err(ClusterError::Conflict { managers, .. }) if !managers.is_empty() => {
            *contending = managers;
            run(cluster, apply(true)).await
        }
        other => other,
    };
    let refused = match second {
        Ok(result) => return Ok(Shown { result, contending: contending.clone(), typed: true }),
        Err(error) => error,
    };
    let patches = matches!(deployer, Deployer::ClientSide | Deployer::Helm) && live.is_some();
    if patches && matches!(refused, ClusterError::Invalid { .. }) {
        let built_in = schema.kind(&desired.kind).is_some_and(|k| !k.custom);
        let patch = merged_in(desired, kind, live, ignored, built_in, manager);
        if let Ok(result) = run(cluster, patch).await {
            return Ok(Shown { result, contending: contending.clone(), typed: false });
        }
    }
    Err(refused)
}

async fn run(cluster: &dyn Cluster, write: Option<Write>) -> Result<LiveObject, ClusterError> {
    let nothing = || ClusterError::Lost { reason: "the answer to the dry run has no object".to_owned() };
    let nameless = || ClusterError::NotFound { resource: "an object without a name".to_owned() };
    cluster.dry_run_strictly(write.ok_or_else(nameless)?).await?.ok_or_else(nothing)
}

/// Returns what an error says of the object: that it is refused, or nothing, and why.
fn said(subject: &Subject, error: &ClusterError, contending: Contending) -> Said {
    let Subject { desired, live, .. } = subject;
    match error {
        ClusterError::Refused { reason, .. } if is_unasked(reason) => {
            Said::Silent(format!("a webhook could not be asked: {reason}"))
        }
        ClusterError::Refused { reason, .. } if is_of_the_dry_run(reason) => {
            Said::Silent(format!("dry runs are refused: {reason}"))
        }
        ClusterError::Invalid { .. } | ClusterError::Refused { .. } => Said::Refuses {
            problems: problems(desired, error),
            contending,
            immutable: live.is_some() && is_immutable(error),
        },
        ClusterError::Denied { verb, resource, namespace, .. } => {
            let place = namespace.as_ref().map(|n| format!(" in namespace {n}")).unwrap_or_default();
            Said::Silent(format!("you may not {verb} {resource}{place}, so no dry run can be had"))
        }
        ClusterError::NotFound { .. } if live.is_none() => {
            let namespace = desired.id.namespace.as_deref().unwrap_or("default");
            Said::Silent(format!(
                "the namespace {namespace} does not exist yet: nothing in it can be dry-run"
            ))
        }
        other => Said::Silent(other.to_string()),
    }
}

/// Returns whether a webhook did not answer, which says nothing of the object.
fn is_unasked(reason: &str) -> bool {
    reason.contains("failed calling webhook") || reason.starts_with("InternalError by webhook")
}

/// Returns whether a webhook or policy refuses the dry run as such: it has side effects, and says so in its own words.
fn is_of_the_dry_run(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    ["dry run", "dry-run", "dryrun"].iter().any(|words| reason.contains(words))
}

/// Returns whether all that is wrong is that a field is changed that cannot be changed in place.
///
/// Source: the words of the `Validate…Update` functions of kubernetes 1.36, `pkg/apis/*/validation`.
fn is_immutable(error: &ClusterError) -> bool {
    const WORDS: [&str; 6] = [
        "immutable",
        "may not change",
        "updates to statefulset spec for fields other than",
        "cannot change roleRef",
        "may not be changed",
        "updates to provisioner are forbidden",
    ];
    let ClusterError::Invalid { fields, .. } = error else { return false };
    !fields.is_empty() && fields.iter().all(|(_, words)| WORDS.iter().any(|fixed| words.contains(fixed)))
}
