//! Defines who is behind a field manager: the autoscaler that scales through the controller manager, the injector whose
//! webhook changed somebody else's request, the operator that looks after an object.
//!
//! Managed fields name the client that sent a request. A webhook's changes stand there under the name of whoever sent
//! it, and an autoscaler's under that of the process that all controllers share; so the name alone is not the cause.

use super::ownership::Provenance;
use crate::model::field_path::{FieldPath, Segment};
use crate::model::{Cause, LiveObject, Value};

/// What an injector puts into the objects of others.
struct Injected {
    /// Names of items; `*` at the end stands for any text.
    items: &'static [&'static str],
    /// What it leaves behind besides, and nobody asks it for: one of these tells that it was there.
    marks: &'static [Trace],
    called: &'static str,
}

/// Something that an injector leaves behind, by its name; `*` at the end stands for any text.
enum Trace {
    Annotation(&'static str),
    Label(&'static str),
    Container(&'static str),
    Volume(&'static str),
}

/// Sources: the projects' own injectors. Istio sets `sidecar.istio.io/status`, Linkerd `linkerd.io/proxy-version`, Vault
/// `vault.hashicorp.com/agent-inject-status`, Consul `consul.hashicorp.com/connect-inject-status`, Kuma
/// `kuma.io/sidecar-injected`; Dapr the label `dapr.io/sidecar-injected` (`pkg/injector/consts.go`), OpenTelemetry the label
/// `sidecar.opentelemetry.io/injected` beside a collector (`internal/sidecar`), and beside the init container of an automatic
/// instrumentation a volume of the same name; Datadog init containers with the volumes that they fill. What only asks for an
/// injection (`dapr.io/enabled`, `instrumentation.opentelemetry.io/...`, `admission.datadoghq.com/...`) is the user's.
const INJECTED: [Injected; 8] = [
    Injected {
        items: &["istio-*", "workload-socket", "credential-socket", "workload-certs"],
        marks: &[Trace::Annotation("sidecar.istio.io/status")],
        called: "Istio sidecar injector",
    },
    Injected {
        items: &["linkerd-*"],
        marks: &[Trace::Annotation("linkerd.io/proxy-version")],
        called: "Linkerd proxy injector",
    },
    Injected {
        items: &["vault-agent*", "home-sidecar", "home-init", "vault-secrets"],
        marks: &[Trace::Annotation("vault.hashicorp.com/agent-inject-status")],
        called: "Vault agent injector",
    },
    Injected {
        items: &["consul-*"],
        marks: &[Trace::Annotation("consul.hashicorp.com/connect-inject-status")],
        called: "Consul injector",
    },
    Injected {
        items: &["daprd", "dapr-*"],
        marks: &[Trace::Label("dapr.io/sidecar-injected")],
        called: "Dapr sidecar injector",
    },
    Injected {
        items: &["kuma-*"],
        marks: &[Trace::Annotation("kuma.io/sidecar-injected")],
        called: "Kuma injector",
    },
    Injected {
        items: &["opentelemetry-auto-instrumentation*", "otc-container"],
        marks: &[
            Trace::Label("sidecar.opentelemetry.io/injected"),
            Trace::Container("opentelemetry-auto-instrumentation*"),
            Trace::Volume("opentelemetry-auto-instrumentation*"),
        ],
        called: "OpenTelemetry operator",
    },
    Injected {
        items: &["datadog", "datadog-*"],
        marks: &[
            Trace::Container("datadog-lib-*"),
            Trace::Container("datadog-init-*"),
            Trace::Volume("datadog"),
            Trace::Volume("datadog-auto-instrumentation"),
        ],
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

/// Returns the injector that put an item at or above a path, where something else that it leaves behind is on the object, or
/// in its pods' template.
fn injector(live: &LiveObject, path: &FieldPath) -> Option<&'static str> {
    let names = path.0.iter().filter_map(|segment| match segment {
        Segment::Keys(keys) => {
            keys.iter().find(|(key, _)| key == "name").and_then(|(_, name)| name.0.as_str())
        }
        Segment::Field(name) => Some(name.as_str()),
        Segment::Item(_) | Segment::Index(_) => None,
    });
    let names: Vec<&str> = names.collect();
    let put = |injected: &&Injected| {
        let items = &injected.items;
        names.iter().any(|name| items.iter().any(|item| fits(item, name)))
            && injected.marks.iter().any(|mark| is_marked(&live.body, mark, path))
    };
    INJECTED.iter().find(put).map(|injected| injected.called)
}

/// Returns whether a name is one, or begins as one with a `*` at its end does.
fn fits(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |start| name.starts_with(start))
}

/// Returns whether an object bears a trace that is not what the path itself leads to: that cannot tell who put it there.
fn is_marked(body: &Value, trace: &Trace, path: &FieldPath) -> bool {
    let (metadata, spec): (&[&str], &[&str]) = (&["metadata"], &["spec"]);
    let (template, pod): (&[&str], &[&str]) =
        (&["spec", "template", "metadata"], &["spec", "template", "spec"]);
    let (pattern, within, parts): (&str, [&[&str]; 2], &[&str]) = match trace {
        Trace::Annotation(pattern) => (pattern, [metadata, template], &["annotations"]),
        Trace::Label(pattern) => (pattern, [metadata, template], &["labels"]),
        Trace::Container(pattern) => (pattern, [spec, pod], &["containers", "initContainers"]),
        Trace::Volume(pattern) => (pattern, [spec, pod], &["volumes"]),
    };
    let lists = within.iter().flat_map(|at| parts.iter().map(move |part| (*at, *part)));
    lists.into_iter().any(|(at, part)| {
        let fields: Vec<&str> = at.iter().copied().chain([part]).collect();
        let leads_here = path.0.len() >= fields.len()
            && path
                .0
                .iter()
                .zip(&fields)
                .all(|(segment, field)| matches!(segment, Segment::Field(name) if name == field));
        match body.at(&fields) {
            _ if leads_here => false,
            Some(Value::Map(entries)) => entries.keys().any(|key| fits(pattern, key)),
            Some(Value::List(items)) => {
                items.iter().any(|item| item.str_at(&["name"]).is_some_and(|name| fits(pattern, name)))
            }
            _ => false,
        }
    })
}

/// Returns the object that owns this one, as people name it, and whether it is a custom resource: its controller, or the
/// first of its owners where none is said to be that.
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

    fn pods(template: &Value) -> LiveObject {
        let mut body = value!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}});
        let spec = Value::Map([("template".to_owned(), template.clone())].into_iter().collect());
        body.as_map_mut().unwrap().insert("spec".to_owned(), spec);
        LiveObject::read(&ClusterId("c".into()), body).unwrap()
    }

    #[test]
    fn what_an_injector_leaves_behind_tells_of_it_and_what_asks_for_it_does_not() {
        const DAPR: &str = r#".spec.template.spec.containers[name="daprd"]"#;
        const COLLECTOR: &str = r#".spec.template.spec.containers[name="otc-container"]"#;
        const JAVA: &str =
            r#".spec.template.spec.initContainers[name="opentelemetry-auto-instrumentation-java"]"#;
        const DATADOG: &str = r#".spec.template.spec.initContainers[name="datadog-lib-python-init"]"#;
        let asks = value!({"metadata": {"annotations": {
            "dapr.io/enabled": "true", "instrumentation.opentelemetry.io/inject-java": "true",
            "admission.datadoghq.com/python-lib.version": "v2"}, "labels": {"admission.datadoghq.com/enabled": "true"}}});
        let dapr = value!({"metadata": {"labels": {"dapr.io/sidecar-injected": "true"}}});
        let collector = value!({"metadata": {"labels": {"sidecar.opentelemetry.io/injected": "shop.otel"}}});
        let java = value!({"spec": {
            "initContainers": [{"name": "opentelemetry-auto-instrumentation-java"}],
            "volumes": [{"name": "opentelemetry-auto-instrumentation-java"}]}});
        let java_alone =
            value!({"spec": {"initContainers": [{"name": "opentelemetry-auto-instrumentation-java"}]}});
        let datadog = value!({"spec": {
            "initContainers": [{"name": "datadog-lib-python-init"}], "volumes": [{"name": "datadog-auto-instrumentation"}]}});
        for (template, path, called) in [
            (&asks, ".spec.template.metadata.annotations.dapr.io/enabled", None),
            (&asks, ".spec.template.metadata.annotations.instrumentation.opentelemetry.io/inject-java", None),
            (&asks, ".spec.template.metadata.labels.admission.datadoghq.com/enabled", None),
            (&asks, DAPR, None),
            (&asks, DATADOG, None),
            (&dapr, ".spec.template.metadata.labels.dapr.io/sidecar-injected", None),
            (&dapr, DAPR, Some("Dapr sidecar injector")),
            (&collector, COLLECTOR, Some("OpenTelemetry operator")),
            (&java, JAVA, Some("OpenTelemetry operator")),
            (
                &java,
                r#".spec.template.spec.volumes[name="opentelemetry-auto-instrumentation-java"]"#,
                Some("OpenTelemetry operator"),
            ),
            (&java, ".spec.replicas", None),
            (&java_alone, JAVA, None),
            (&datadog, DATADOG, Some("Datadog admission controller")),
        ] {
            assert_eq!(injector(&pods(template), &FieldPath::parse(path).unwrap()), called, "{path}");
        }
    }
}
