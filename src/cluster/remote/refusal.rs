//! Turns what a server answers instead of what was asked into errors with facts.
//!
//! Source: `metav1.Status` of the Kubernetes API conventions. Words about an object with sealed values are reduced to
//! reason and path, for a validation or a webhook may quote what it refuses; of others what looks like a secret is taken
//! out.

use super::gate::About;
use super::quoted::without_values;
use crate::cluster::ClusterError;
use serde::Deserialize;
use std::time::Duration;

/// Characters of a server's message that are kept.
const WORDS: usize = 4096;
/// Seconds to wait where a server asks to wait and does not say how long.
const WAIT: u64 = 1;

#[derive(Deserialize, Default)]
struct Status {
    #[serde(default)]
    message: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    details: Option<Details>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Details {
    #[serde(default)]
    name: String,
    #[serde(default)]
    causes: Vec<Cause>,
    #[serde(default)]
    retry_after_seconds: u64,
}

#[derive(Deserialize, Default)]
struct Cause {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    field: String,
}

/// Reads a refusal.
pub(super) fn read(about: &About, code: u16, retry_after: Option<u64>, body: &[u8]) -> ClusterError {
    let status = serde_json::from_slice::<Status>(body).unwrap_or_else(|_| Status {
        message: String::from_utf8_lossy(body.get(..body.len().min(WORDS)).unwrap_or_default())
            .trim()
            .to_owned(),
        ..Status::default()
    });
    let details = status.details.unwrap_or_default();
    let message = status.message;
    let told = |words: &str| without_values(words).chars().take(WORDS).collect::<String>();
    let resource = about.shown();
    // A denial by RBAC speaks of user, verb and resource only; whatever a webhook says may quote the object.
    let is_denial = code == 403
        && !is_refusal(&message)
        && message.contains("is forbidden: User \"")
        && message.contains(" cannot ")
        && message.contains(" resource ");
    let reason =
        if about.sealed && !is_denial { reduced(&status.reason, code, &message) } else { told(&message) };
    let fields = || {
        let causes = details.causes.iter().filter(|cause| !cause.field.is_empty());
        // The field stands before its words, as in the whole message: its name may say that the value is a secret.
        let words = |cause: &Cause| {
            let whole = told(&format!("{}: {}", cause.field, cause.message));
            let own = whole.strip_prefix(&cause.field).and_then(|rest| rest.strip_prefix(": "));
            own.unwrap_or(&whole).to_owned()
        };
        causes
            .map(|c| (c.field.clone(), if about.sealed { c.reason.clone() } else { words(c) }))
            .collect::<Vec<_>>()
    };
    if let Some(webhook) = no_dry_run(&message) {
        return ClusterError::NoDryRun { webhook };
    }
    if let Some(fields) = untyped(&message) {
        // What stands behind the path may quote a value.
        let fields = if about.sealed {
            fields
                .into_iter()
                .map(|(path, _)| (path, "it does not fit the schema of the kind".to_owned()))
                .collect()
        } else {
            let fields = untyped(&reason).unwrap_or_default().into_iter();
            fields.filter(|(path, _)| !path.starts_with('<')).collect()
        };
        return ClusterError::Invalid { resource, fields, reason };
    }
    match code {
        401 => ClusterError::Unauthenticated { reason },
        _ if is_refusal(&message) => ClusterError::Refused { resource, reason },
        403 if is_denial || matches!(about.verb, "get" | "list" | "watch") => ClusterError::Denied {
            verb: about.verb.to_owned(),
            resource: about.resource.clone(),
            namespace: about.namespace.clone(),
            reason,
        },
        // Forbidden, but not by rights: quotas, pod security, terminating namespaces and other admission.
        403 => ClusterError::Refused { resource, reason },
        404 if details.name.is_empty() => ClusterError::NotServed { kind: about.resource.clone() },
        404 => ClusterError::NotFound { resource: if about.verb == "create" { reason } else { resource } },
        409 => ClusterError::Conflict { resource, managers: managers(&details.causes), reason },
        400 | 413 | 415 | 422 => ClusterError::Invalid { resource, fields: fields(), reason },
        429 => {
            let said = retry_after.or(Some(details.retry_after_seconds)).filter(|seconds| *seconds > 0);
            ClusterError::Busy { after: Duration::from_secs(said.unwrap_or(WAIT).min(300)) }
        }
        _ => ClusterError::Server { status: code, reason },
    }
}

/// Returns whether it is an admission webhook or policy that speaks, or one that could not be asked.
fn is_refusal(message: &str) -> bool {
    (message.contains("admission webhook ") && message.contains("denied the request"))
        || message.contains("failed calling webhook")
        || message.contains("ValidatingAdmissionPolicy ")
}

/// Returns the webhook that refuses dry runs because it has side effects.
fn no_dry_run(message: &str) -> Option<String> {
    let (before, _) = message.split_once("\" does not support dry run")?;
    let (_, webhook) = before.rsplit_once("webhook \"")?;
    Some(webhook.to_owned())
}

/// Returns where a body does not fit the schema by which server-side apply merges, each place with the reason. The server
/// calls it its own failure (500), and it is the sender's.
///
/// Source: `failed to create typed patch object` in apimachinery's `managedfields/internal/structuredmerge.go`.
fn untyped(message: &str) -> Option<Vec<(String, String)>> {
    let (_, rest) = message.split_once("failed to create typed patch object (")?;
    let (_, errors) = rest.split_once("): ")?;
    let lines = errors.trim_start_matches("errors:").lines().map(str::trim);
    let said = lines.filter_map(|line| line.split_once(": "));
    Some(said.map(|(path, words)| (path.to_owned(), words.to_owned())).collect())
}

/// Returns what may be said of a refusal about an object with sealed values: the reason, and the webhook's name.
fn reduced(reason: &str, code: u16, message: &str) -> String {
    let reason = if reason.is_empty() { format!("status {code}") } else { reason.to_owned() };
    let hook =
        message.split_once("webhook \"").and_then(|(_, rest)| rest.split_once('"')).map(|(name, _)| name);
    let hook = hook.filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')));
    hook.map_or(reason.clone(), |hook| format!("{reason} by webhook {hook}"))
}

/// Gathers the causes of a server-side-apply conflict: each manager with the fields that it would lose.
fn managers(causes: &[Cause]) -> Vec<(String, Vec<String>)> {
    let mut managers: Vec<(String, Vec<String>)> = Vec::new();
    for cause in causes.iter().filter(|cause| cause.reason == "FieldManagerConflict") {
        // `conflict with "kubectl-edit" with subresource "scale" using apps/v1 at 2026-01-01T00:00:00Z`
        let quoted = cause.message.split_once('"').and_then(|(_, rest)| rest.split_once('"'));
        let manager = quoted.map_or("unknown", |(name, _)| name);
        match managers.iter_mut().find(|(known, _)| known == manager) {
            Some((_, fields)) => fields.push(cause.field.clone()),
            None => managers.push((manager.to_owned(), vec![cause.field.clone()])),
        }
    }
    managers
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn about(sealed: bool) -> About {
        About {
            verb: "patch",
            resource: if sealed { "secrets" } else { "deployments.apps" }.into(),
            namespace: Some("shop".into()),
            name: Some("api".into()),
            sealed,
        }
    }

    fn refused(sealed: bool, code: u16, body: &serde_json::Value) -> ClusterError {
        read(&about(sealed), code, None, body.to_string().as_bytes())
    }

    #[test]
    fn an_apply_conflict_names_each_manager_with_its_fields() {
        let body = json!({"reason": "Conflict", "message": "Apply failed with 3 conflicts", "details": {"name": "api", "causes": [
            {"reason": "FieldManagerConflict", "message": "conflict with \"kubectl-edit\" using apps/v1", "field": ".spec.replicas"},
            {"reason": "FieldManagerConflict", "message": "conflict with \"hpa\" with subresource \"scale\" using apps/v1 at 2026-01-01T00:00:00Z", "field": ".spec.x"},
            {"reason": "FieldManagerConflict", "message": "conflict with \"kubectl-edit\" using apps/v1", "field": ".spec.y"}]}});
        let ClusterError::Conflict { managers, .. } = refused(false, 409, &body) else { panic!() };
        assert_eq!(
            managers,
            [
                ("kubectl-edit".to_owned(), vec![".spec.replicas".to_owned(), ".spec.y".to_owned()]),
                ("hpa".to_owned(), vec![".spec.x".to_owned()])
            ]
        );
    }

    #[test]
    fn each_answer_becomes_the_situation_that_it_is() {
        let denied = json!({"reason": "Forbidden", "message": "deployments.apps \"api\" is forbidden: User \"ana\" cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"shop\""});
        assert!(matches!(refused(false, 403, &denied), ClusterError::Denied { verb, .. } if verb == "patch"));
        let quota = json!({"reason": "Forbidden", "message": "pods \"api\" is forbidden: exceeded quota: q"});
        assert!(matches!(refused(false, 403, &quota), ClusterError::Refused { .. }));
        let hook = json!({"reason": "BadRequest", "message": "admission webhook \"w.example.com\" denied the request: no"});
        assert!(matches!(refused(false, 400, &hook), ClusterError::Refused { .. }));
        let gone = json!({"reason": "NotFound", "message": "x", "details": {"name": "api"}});
        assert!(matches!(refused(false, 404, &gone), ClusterError::NotFound { .. }));
        assert!(matches!(
            read(&about(false), 404, None, b"404 page not found"),
            ClusterError::NotServed { .. }
        ));
        assert_eq!(
            read(&about(false), 429, Some(7), b""),
            ClusterError::Busy { after: Duration::from_secs(7) }
        );
        assert!(matches!(
            read(&about(false), 503, None, b"<html>"),
            ClusterError::Server { status: 503, .. }
        ));
    }

    #[test]
    fn what_only_a_dry_run_meets_is_told_apart() {
        let hook = json!({"reason": "BadRequest",
            "message": "admission webhook \"w.example.com\" does not support dry run"});
        for sealed in [false, true] {
            let error = refused(sealed, 400, &hook);
            assert_eq!(error, ClusterError::NoDryRun { webhook: "w.example.com".into() });
        }
        let message = "failed to create typed patch object (shop/api; apps/v1, Kind=Deployment): errors:\n  \
            .spec.imag: field not declared in schema\n  .spec.env: duplicate entries for key [name=\"A\"]";
        let fields = |sealed| match refused(sealed, 500, &json!({ "message": message })) {
            ClusterError::Invalid { fields, .. } => fields,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            fields(false),
            [
                (".spec.imag".to_owned(), "field not declared in schema".to_owned()),
                (".spec.env".to_owned(), "duplicate entries for key [name=\"A\"]".to_owned())
            ]
        );
        assert!(fields(true).iter().all(|(_, words)| words == "it does not fit the schema of the kind"));
    }

    #[test]
    fn what_the_server_quotes_and_what_looks_like_a_secret_is_not_told() {
        let template = "core.PodTemplateSpec{Env:[]core.EnvVar{{Name:\"DB_PASSWORD\", Value:\"hunter2\"}}}";
        let words = format!("Invalid value: {template}: field is immutable");
        let body = json!({"reason": "Invalid", "message": format!("Job.batch \"api\" is invalid: spec.template: {words}"),
            "details": {"name": "api", "causes": [{"reason": "FieldValueInvalid", "message": words, "field": "spec.template"}]}});
        assert_eq!(
            refused(false, 422, &body),
            ClusterError::Invalid {
                resource: "deployments.apps/api in namespace shop".into(),
                reason: "Job.batch \"api\" is invalid: spec.template: Invalid value: field is immutable"
                    .into(),
                fields: vec![("spec.template".into(), "Invalid value: field is immutable".into())],
            }
        );
        for (code, message) in [
            (400, "admission webhook \"w.example.com\" denied the request: DB_PASSWORD=hunter2 is weak"),
            (403, "pods \"api\" is forbidden: https://bot:hunter2@git.example.com is not allowed"),
            (
                500,
                "failed to create typed patch object (shop/api; apps/v1, Kind=Deployment): errors:\n  \
                .spec.a: expected list, got &{map[p:hunter2\nq: hunter2]}\n  .spec.b: token=hunter2",
            ),
            (500, "the backend says password=hunter2"),
        ] {
            let error = refused(false, code, &json!({ "message": message }));
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn words_about_a_secret_become_reason_and_path() {
        let invalid = json!({"reason": "Invalid", "message": "Secret \"api\" is invalid: data.p: Invalid value: \"canary\"",
            "details": {"name": "api", "causes": [{"reason": "FieldValueInvalid", "message": "Invalid value: \"canary\"", "field": "data.p"}]}});
        let error = refused(true, 422, &invalid);
        assert_eq!(
            error,
            ClusterError::Invalid {
                resource: "secrets/api in namespace shop".into(),
                reason: "Invalid".into(),
                fields: vec![("data.p".into(), "FieldValueInvalid".into())],
            }
        );
        let hook = json!({"reason": "BadRequest", "message": "admission webhook \"w.example.com\" denied the request: canary"});
        let error = refused(true, 400, &hook);
        assert_eq!(
            error.to_string(),
            "an admission webhook or policy refuses secrets/api in namespace shop: BadRequest by webhook w.example.com"
        );
        assert!(!format!("{:?}", read(&about(true), 500, None, b"canary")).contains("canary"));
    }
}
