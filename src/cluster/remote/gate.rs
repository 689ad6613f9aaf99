//! The one gate that every request to a cluster passes: reads, named reviews, dry runs, and writes.
//!
//! Requests are made here and nowhere else. A write needs a [`WriteRight`], which is only made for a cluster that is
//! not read-only.

use crate::cluster::{ClusterError, LogOf, Patch, Propagation, Write, body};
use crate::model::{Scope, Selector, ServedKind, Value};
use std::fmt::Write as _;
use zeroize::Zeroizing;

/// One request. Its method and body are chosen here alone.
pub(super) struct Ask {
    method: http::Method,
    target: String,
    accept: &'static str,
    body: Option<(&'static str, Zeroizing<Vec<u8>>)>,
    /// What it is about, for errors.
    pub about: About,
}

/// What a request is about.
#[derive(Clone, Default)]
pub(super) struct About {
    pub verb: &'static str,
    /// As RBAC names it, such as `deployments.apps`.
    pub resource: String,
    pub namespace: Option<String>,
    pub name: Option<String>,
    /// The object has sealed values: the server's words about it are not repeated.
    pub sealed: bool,
}

/// The right to change a cluster.
pub(super) struct WriteRight(());

impl WriteRight {
    /// Gives the right, unless the cluster is read-only.
    pub fn unless(read_only: bool) -> Option<Self> {
        (!read_only).then_some(Self(()))
    }
}

const JSON: &str = "application/json";
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

impl Ask {
    /// Reads a fixed path of the API (`/version`, `/openapi/v3`).
    pub fn read(target: impl Into<String>, accept: &'static str) -> Self {
        let target = target.into();
        let about = About { verb: "get", resource: target.clone(), ..About::default() };
        Self { method: http::Method::GET, target, accept, body: None, about }
    }

    /// Lists one page.
    pub fn list(kind: &ServedKind, scope: &Scope, limit: u32, token: Option<&str>, metadata: bool) -> Self {
        let mut target = format!("{}?limit={limit}", collection(kind, scope));
        if let Some(token) = token {
            let _ = write!(target, "&continue={}", encoded(token));
        }
        let accept = if metadata { METADATA } else { JSON };
        Self { method: http::Method::GET, target, accept, body: None, about: About::of("list", kind, scope) }
    }

    /// Lists one page of what a label selector picks.
    pub fn list_part(kind: &ServedKind, scope: &Scope, labels: Option<&Selector>, most: u32) -> Self {
        let mut ask = Self::list(kind, scope, most, None, false);
        if let Some(labels) = labels {
            let _ = write!(ask.target, "&labelSelector={}", encoded(&labels.to_string()));
        }
        ask
    }

    /// Reads the end of what a container printed.
    pub fn log(of: &LogOf) -> Self {
        let LogOf { namespace, pod, container, previous, lines, bytes } = of;
        let target = format!(
            "/api/v1/namespaces/{}/pods/{}/log?container={}&previous={previous}&tailLines={lines}&limitBytes={bytes}",
            encoded(namespace),
            encoded(pod),
            encoded(container)
        );
        let about = About {
            verb: "get",
            resource: "pods/log".to_owned(),
            namespace: Some(namespace.clone()),
            name: Some(pod.clone()),
            sealed: false,
        };
        // It is text where it is had, and JSON where it is refused.
        Self { method: http::Method::GET, target, accept: "*/*", body: None, about }
    }

    /// Watches from a resource version, with bookmarks, for at most some seconds.
    pub fn watch(kind: &ServedKind, scope: &Scope, from: &str, seconds: u64) -> Self {
        let target = format!(
            "{}?watch=true&allowWatchBookmarks=true&resourceVersion={}&timeoutSeconds={seconds}",
            collection(kind, scope),
            encoded(from)
        );
        Self {
            method: http::Method::GET,
            target,
            accept: JSON,
            body: None,
            about: About::of("watch", kind, scope),
        }
    }

    pub fn get(kind: &ServedKind, namespace: Option<&str>, name: &str) -> Self {
        let target = object(kind, namespace, name);
        let about = About::of_object("get", kind, namespace, name);
        Self { method: http::Method::GET, target, accept: JSON, body: None, about }
    }

    /// Asks who the user is.
    pub fn self_review(version: &str) -> Self {
        let api_version = format!("authentication.k8s.io/{version}");
        let target = format!("/apis/{api_version}/selfsubjectreviews");
        let body = serde_json::json!({ "apiVersion": api_version, "kind": "SelfSubjectReview" });
        Self::review(target, &body)
    }

    /// Asks whether the user may do something.
    pub fn access_review(verb: &str, kind: &ServedKind, scope: &Scope) -> Self {
        let namespace = if let Scope::Namespace(namespace) = scope { namespace.as_str() } else { "" };
        let body = serde_json::json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "verb": verb, "group": kind.kind.group, "version": kind.kind.version, "resource": kind.plural,
                "namespace": namespace
            }}
        });
        Self::review("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".to_owned(), &body)
    }

    fn review(target: String, body: &serde_json::Value) -> Self {
        let about = About { verb: "create", resource: target.clone(), ..About::default() };
        let body = Some((JSON, Zeroizing::new(body.to_string().into_bytes())));
        Self { method: http::Method::POST, target, accept: JSON, body, about }
    }

    /// Does everything but keep it (`dryRun=All`).
    pub fn dry_run(write: &Write) -> Result<Self, ClusterError> {
        Self::change(write, "&dryRun=All")
    }

    /// As [`Ask::dry_run`], with fields refused that the server would drop.
    pub fn dry_run_strictly(write: &Write) -> Result<Self, ClusterError> {
        Self::change(write, "&dryRun=All&fieldValidation=Strict")
    }

    pub fn write(write: &Write, _: &WriteRight) -> Result<Self, ClusterError> {
        Self::change(write, "")
    }

    fn change(write: &Write, options: &str) -> Result<Self, ClusterError> {
        let kind = write.kind();
        let query = |manager: &str| format!("?fieldManager={}{options}", encoded(manager));
        let dry = !options.is_empty();
        let bytes = |value: &Value| Zeroizing::new(body::to_json(value).to_string().into_bytes());
        let (method, target, sent, about) = match write {
            Write::Create { namespace, body, manager, .. } => {
                let scope = namespace.clone().map_or(Scope::All, Scope::Namespace);
                let target = collection(kind, &scope) + &query(manager);
                let mut about = About::of("create", kind, &scope);
                about.name = body.str_at(&["metadata", "name"]).map(str::to_owned);
                (http::Method::POST, target, (JSON, bytes(body)), about)
            }
            Write::Apply { namespace, name, body, manager, force, .. } => {
                let force = if *force { "&force=true" } else { "" };
                let target = object(kind, namespace.as_deref(), name) + &query(manager) + force;
                let about = About::of_object("patch", kind, namespace.as_deref(), name);
                // JSON is YAML, and the server reads it as such.
                (http::Method::PATCH, target, ("application/apply-patch+yaml", bytes(body)), about)
            }
            Write::Patch { namespace, name, patch, manager, .. } => {
                let target = object(kind, namespace.as_deref(), name) + &query(manager);
                let about = About::of_object("patch", kind, namespace.as_deref(), name);
                let sent = match patch {
                    Patch::Json(operations) => {
                        ("application/json-patch+json", bytes(&Value::List(operations.clone())))
                    }
                    Patch::Merge(patch) => ("application/merge-patch+json", bytes(patch)),
                    Patch::Strategic(patch) => ("application/strategic-merge-patch+json", bytes(patch)),
                };
                (http::Method::PATCH, target, sent, about)
            }
            Write::Delete { namespace, name, uid, resource_version, propagation, .. } => {
                // The server reads the body; in the query it is for whoever reads along.
                let target = object(kind, namespace.as_deref(), name) + if dry { "?dryRun=All" } else { "" };
                let about = About::of_object("delete", kind, namespace.as_deref(), name);
                let options = delete_options(uid.as_deref(), resource_version.as_deref(), *propagation, dry);
                (http::Method::DELETE, target, (JSON, options), about)
            }
        };
        if about.name.as_deref() == Some("") {
            // An empty name would make the path that of the whole collection.
            return Err(ClusterError::Invalid {
                resource: about.resource,
                reason: "it has no name".to_owned(),
                fields: Vec::new(),
            });
        }
        Ok(Self { method, target, accept: JSON, body: Some(sent), about })
    }

    /// Makes the HTTP request.
    pub fn request(&self) -> Result<http::Request<kube::client::Body>, http::Error> {
        let mut request = http::Request::builder()
            .method(&self.method)
            .uri(&self.target)
            .header(http::header::ACCEPT, self.accept)
            .header(http::header::USER_AGENT, concat!("driftdeck/", env!("CARGO_PKG_VERSION")));
        match &self.body {
            Some((content_type, bytes)) => {
                request = request.header(http::header::CONTENT_TYPE, *content_type);
                request.body(bytes.to_vec().into())
            }
            None => request.body(kube::client::Body::empty()),
        }
    }
}

impl About {
    fn of(verb: &'static str, kind: &ServedKind, scope: &Scope) -> Self {
        Self {
            verb,
            resource: kind.resource(),
            namespace: if let Scope::Namespace(namespace) = scope { Some(namespace.clone()) } else { None },
            name: None,
            sealed: kind.kind.group_kind().is_secret(),
        }
    }

    fn of_object(verb: &'static str, kind: &ServedKind, namespace: Option<&str>, name: &str) -> Self {
        let scope = namespace.map_or(Scope::All, |namespace| Scope::Namespace(namespace.to_owned()));
        Self { name: Some(name.to_owned()), ..Self::of(verb, kind, &scope) }
    }

    /// Names the object or the collection, such as `deployments.apps/api in namespace shop`.
    pub fn shown(&self) -> String {
        let mut shown = self.resource.clone();
        if let Some(name) = &self.name {
            let _ = write!(shown, "/{name}");
        }
        if let Some(namespace) = &self.namespace {
            let _ = write!(shown, " in namespace {namespace}");
        }
        shown
    }
}

fn delete_options(
    uid: Option<&str>,
    resource_version: Option<&str>,
    propagation: Propagation,
    dry: bool,
) -> Zeroizing<Vec<u8>> {
    let mut preconditions = serde_json::Map::new();
    for (name, value) in [("uid", uid), ("resourceVersion", resource_version)] {
        if let Some(value) = value {
            preconditions.insert(name.to_owned(), value.into());
        }
    }
    let policy = match propagation {
        Propagation::Background => "Background",
        Propagation::Foreground => "Foreground",
    };
    let mut options = serde_json::json!({
        "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": policy, "preconditions": preconditions
    });
    if let (true, Some(options)) = (dry, options.as_object_mut()) {
        options.insert("dryRun".to_owned(), serde_json::json!(["All"]));
    }
    Zeroizing::new(options.to_string().into_bytes())
}

fn collection(kind: &ServedKind, scope: &Scope) -> String {
    let mut path = if kind.kind.group.is_empty() {
        format!("/api/{}", encoded(&kind.kind.version))
    } else {
        format!("/apis/{}/{}", encoded(&kind.kind.group), encoded(&kind.kind.version))
    };
    if let (Scope::Namespace(namespace), true) = (scope, kind.namespaced) {
        let _ = write!(path, "/namespaces/{}", encoded(namespace));
    }
    let _ = write!(path, "/{}", encoded(&kind.plural));
    path
}

fn object(kind: &ServedKind, namespace: Option<&str>, name: &str) -> String {
    let scope = namespace.map_or(Scope::All, |namespace| Scope::Namespace(namespace.to_owned()));
    format!("{}/{}", collection(kind, &scope), encoded(name))
}

/// Encodes text for one segment of a path or one value of a query. Names come from Git and may be anything: `..` and
/// `/` must not lead elsewhere.
fn encoded(text: &str) -> String {
    if text.chars().all(|c| c == '.') {
        return text.replace('.', "%2E");
    }
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GroupVersionKind;
    use crate::value;

    fn deployments() -> ServedKind {
        ServedKind {
            kind: GroupVersionKind::new("apps", "v1", "Deployment"),
            plural: "deployments".into(),
            namespaced: true,
            verbs: Vec::new(),
            preferred: true,
            status_subresource: true,
        }
    }

    fn apply(name: &str) -> Write {
        Write::Apply {
            kind: deployments(),
            namespace: Some("shop".into()),
            name: name.into(),
            body: value!({"spec": {}}),
            manager: "a b&c".into(),
            force: true,
        }
    }

    #[test]
    fn a_dry_run_says_so_and_a_write_does_not() {
        let path = "/apis/apps/v1/namespaces/shop/deployments/api?fieldManager=a%20b%26c";
        let dry = Ask::dry_run(&apply("api")).unwrap();
        assert_eq!(dry.target, format!("{path}&dryRun=All&force=true"));
        let strict = Ask::dry_run_strictly(&apply("api")).unwrap();
        assert_eq!(strict.target, format!("{path}&dryRun=All&fieldValidation=Strict&force=true"));
        let right = WriteRight::unless(false).unwrap();
        assert_eq!(Ask::write(&apply("api"), &right).unwrap().target, format!("{path}&force=true"));
        assert!(WriteRight::unless(true).is_none());
        let delete = Write::Delete {
            kind: deployments(),
            namespace: Some("shop".into()),
            name: "api".into(),
            uid: Some("u".into()),
            resource_version: None,
            propagation: Propagation::Background,
        };
        let dry = Ask::dry_run(&delete).unwrap();
        let body: serde_json::Value = serde_json::from_slice(&dry.body.unwrap().1).unwrap();
        assert_eq!(body["dryRun"], serde_json::json!(["All"]));
        assert_eq!(body["preconditions"], serde_json::json!({"uid": "u"}));
    }

    #[test]
    fn a_log_is_asked_for_within_bounds() {
        let of = LogOf {
            namespace: "shop".into(),
            pod: "../x".into(),
            container: "a&b".into(),
            previous: true,
            lines: 10,
            bytes: 4096,
        };
        assert_eq!(
            Ask::log(&of).target,
            "/api/v1/namespaces/shop/pods/..%2Fx/log?container=a%26b&previous=true&tailLines=10&limitBytes=4096"
        );
        let labels = Selector::read(&value!({"app": "a", "x": "&"})).unwrap();
        let part = Ask::list_part(&deployments(), &Scope::All, Some(&labels), 7);
        let query = "limit=7&labelSelector=app%20in%20%28a%29%2Cx%20in%20%28%26%29";
        assert_eq!(part.target, format!("/apis/apps/v1/deployments?{query}"));
    }

    #[test]
    fn a_hostile_name_stays_one_segment() {
        for (name, segment) in [("../../x", "..%2F..%2Fx"), ("..", "%2E%2E"), ("a?b#c%", "a%3Fb%23c%25")] {
            let ask = Ask::get(&deployments(), Some("shop"), name);
            assert_eq!(ask.target, format!("/apis/apps/v1/namespaces/shop/deployments/{segment}"));
            assert!(ask.request().is_ok());
        }
        assert!(Ask::dry_run(&apply("")).is_err());
    }
}
