//! Defines who is behind a field manager: the autoscaler that scales through the controller manager, the injector whose
//! webhook changed somebody else's request, the operator that looks after an object.
//!
//! Managed fields name the client that sent a request. A webhook's changes stand there under the name of whoever sent
//! it, and an autoscaler's under that of the process that all controllers share; so the name alone is not the cause.

use super::ownership::Provenance;
use crate::model::field_path::{FieldPath, Segment};
use crate::model::{Cause, LiveObject, Value};

/// What an injector puts into the objects of others: an item of this name, and a mark of its own on them.
struct Injected {
    /// Names of items; `*` at the end stands for any text.
    items: &'static [&'static str],
    /// An annotation that the injector alone writes, by its beginning.
    mark: &'static str,
    called: &'static str,
}

/// Sources: the projects' own injection templates and documentation (Istio `sidecar.istio.io/status`, Linkerd
/// `linkerd.io/proxy-version`, Vault `vault.hashicorp.com/agent-inject-status`, Consul
/// `consul.hashicorp.com/connect-inject-status`, Dapr, Kuma, the OpenTelemetry and Datadog operators).
const INJECTED: [Injected; 8] = [
    Injected {
        items: &["istio-*", "workload-socket", "credential-socket", "workload-certs"],
        mark: "sidecar.istio.io/status",
        called: "Istio sidecar injector",
    },
    Injected { items: &["linkerd-*"], mark: "linkerd.io/proxy-version", called: "Linkerd proxy injector" },
    Injected {
        items: &["vault-agent*", "home-sidecar", "home-init", "vault-secrets"],
        mark: "vault.hashicorp.com/agent-inject-status",
        called: "Vault agent injector",
    },
    Injected {
        items: &["consul-*"],
        mark: "consul.hashicorp.com/connect-inject-status",
        called: "Consul injector",
    },
    Injected { items: &["daprd"], mark: "dapr.io/enabled", called: "Dapr sidecar injector" },
    Injected { items: &["kuma-*"], mark: "kuma.io/sidecar-injected", called: "Kuma injector" },
    Injected {
        items: &["opentelemetry-*", "otc-container"],
        mark: "instrumentation.opentelemetry.io/",
        called: "OpenTelemetry operator",
    },
    Injected {
        items: &["datadog-*"],
        mark: "admission.datadoghq.com/",
        called: "Datadog admission controller",
    },
];

/// Says who is behind a difference, and mends its cause where that tells more than the manager's name.
///
/// `autoscaler`: which one sets this field, where one does and is active.
pub(super) fn behind(
    live: &LiveObject,
    path: &FieldPath,
    autoscaler: Option<String>,
    found: &mut Provenance,
) -> Option<String> {
    if let Some(injector) = injector(live, path)
        && found.live_is_new()
    {
        found.cause = Cause::Webhook;
        return Some(injector.to_owned());
    }
    if found.cause != Cause::ByHand
        && let Some(autoscaler) = autoscaler
        && found.writer.is_some()
        && found.cause != Cause::UnsyncedCommit
    {
        found.cause = Cause::Controller;
        return Some(autoscaler);
    }
    if path.last_field() == Some("caBundle") && found.cause == Cause::Controller {
        return live
            .annotation("cert-manager.io/inject-ca-from")
            .map(|from| format!("the CA injector, from {from}"));
    }
    let writes_by_itself =
        matches!(found.cause, Cause::Controller | Cause::Unknown) && found.writer.is_some();
    let (owner, is_custom) = writes_by_itself.then(|| owner(live)).flatten()?;
    if !is_custom {
        return (found.cause == Cause::Controller).then(|| format!("for {owner}, its owner"));
    }
    // What a custom resource owns is its operator's to write, whatever name that has.
    found.cause = Cause::Controller;
    Some(format!("operator of {owner}"))
}

/// Returns the injector that put an item at or above a path, where its mark is on the object or on its pods' template.
fn injector(live: &LiveObject, path: &FieldPath) -> Option<&'static str> {
    let names = path.0.iter().filter_map(|segment| match segment {
        Segment::Keys(keys) => {
            keys.iter().find(|(key, _)| key == "name").and_then(|(_, name)| name.0.as_str())
        }
        Segment::Field(name) => Some(name.as_str()),
        Segment::Item(_) | Segment::Index(_) => None,
    });
    let names: Vec<&str> = names.collect();
    let is_marked = |mark: &str| {
        [&["metadata", "annotations"][..], &["spec", "template", "metadata", "annotations"]]
            .iter()
            .filter_map(|at| live.body.at(at)?.as_map())
            .any(|annotations| annotations.keys().any(|key| key.starts_with(mark)))
    };
    let put = |injected: &&Injected| {
        names.iter().any(|name| {
            name.starts_with(injected.mark)
                || injected.items.iter().any(|item| match item.strip_suffix('*') {
                    Some(start) => name.starts_with(start),
                    None => name == item,
                })
        }) && is_marked(injected.mark)
    };
    INJECTED.iter().find(put).map(|injected| injected.called)
}

/// Returns the object that owns this one as its controller, as people name it, and whether it is a custom resource.
fn owner(live: &LiveObject) -> Option<(String, bool)> {
    let owners = live.body.at(&["metadata", "ownerReferences"]).and_then(Value::as_list)?;
    let controls = |owner: &&Value| owner.get("controller") == Some(&Value::Bool(true));
    let owner = owners.iter().find(controls).or_else(|| owners.first())?;
    let (kind, name) = (owner.str_at(&["kind"])?, owner.str_at(&["name"])?);
    let group = owner.str_at(&["apiVersion"])?.split_once('/').map_or("", |(group, _)| group);
    let is_custom = group.contains('.') && !group.ends_with(".k8s.io");
    let place = live.id.namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
    Some((format!("{kind} {place}{name}"), is_custom))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Class, ClusterId, Operation, Writer};
    use crate::value;

    fn live(metadata: Value) -> LiveObject {
        let mut body = value!({"apiVersion": "apps/v1", "kind": "Deployment"});
        body.as_map_mut().unwrap().insert("metadata".to_owned(), metadata);
        LiveObject::read(&ClusterId("c".into()), body).unwrap()
    }

    fn found(class: Class, cause: Cause, manager: &str) -> Provenance {
        let writer = Writer {
            manager: manager.to_owned(),
            called: None,
            operation: Operation::Update,
            subresource: None,
            time: None,
        };
        Provenance { class, counts: true, cause, writer: Some(writer), note: None, kept_by: Vec::new() }
    }

    #[test]
    fn the_chain_turns_a_manager_into_a_cause() {
        let plain = value!({"name": "web", "namespace": "shop"});
        let meshed = value!({"name": "web", "namespace": "shop",
            "annotations": {"sidecar.istio.io/status": "{}"}});
        let operated = value!({"name": "web", "namespace": "shop", "ownerReferences": [
            {"apiVersion": "example.com/v1", "kind": "Shop", "name": "eu", "controller": true}]});
        let owned = value!({"name": "web", "namespace": "shop", "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7c9", "controller": true}]});
        let sidecar = r#".spec.template.spec.containers[name="istio-proxy"]"#;
        let hpa = || Some("Horizontal Pod Autoscaler shop/web".to_owned());
        let (replicas, image) = (".spec.replicas", ".spec.template.spec.containers[name=\"app\"].image");
        let (changed, foreign) = (Class::Changed, Class::Foreign);
        for (metadata, path, autoscaler, class, cause, then, agent) in [
            (
                &plain,
                replicas,
                hpa(),
                Class::Contended,
                Cause::Controller,
                Cause::Controller,
                Some("Horizontal Pod Autoscaler shop/web"),
            ),
            (&plain, replicas, hpa(), changed, Cause::ByHand, Cause::ByHand, None),
            (&plain, replicas, hpa(), changed, Cause::UnsyncedCommit, Cause::UnsyncedCommit, None),
            (&plain, replicas, None, Class::Contended, Cause::Controller, Cause::Controller, None),
            (&meshed, sidecar, None, foreign, Cause::ByHand, Cause::Webhook, Some("Istio sidecar injector")),
            (&meshed, sidecar, None, foreign, Cause::Webhook, Cause::Webhook, Some("Istio sidecar injector")),
            (&meshed, image, None, changed, Cause::ByHand, Cause::ByHand, None),
            (&plain, sidecar, None, foreign, Cause::ByHand, Cause::ByHand, None),
            (
                &operated,
                image,
                None,
                changed,
                Cause::Unknown,
                Cause::Controller,
                Some("operator of Shop shop/eu"),
            ),
            (&operated, image, None, changed, Cause::ByHand, Cause::ByHand, None),
            (&owned, image, None, changed, Cause::Unknown, Cause::Unknown, None),
            (
                &owned,
                image,
                None,
                Class::Contended,
                Cause::Controller,
                Cause::Controller,
                Some("for ReplicaSet shop/web-7c9, its owner"),
            ),
        ] {
            let mut said = found(class, cause, "somebody");
            let path = FieldPath::parse(path).unwrap();
            let behind = behind(&live(metadata.clone()), &path, autoscaler, &mut said);
            assert_eq!((said.cause, behind.as_deref()), (then, agent), "{path} {cause:?}");
        }
    }
}
