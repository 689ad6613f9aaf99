//! Reads a cluster's discovery documents into the kinds that it serves. Pure.
//!
//! Two forms exist: the aggregated one (`apidiscovery.k8s.io`, v2 from Kubernetes 1.30, v2beta1 before), which tells
//! everything in two requests and marks groups whose server does not answer as stale, and the legacy one, with one
//! document for each group and version.
#![allow(clippy::struct_field_names)] // the fields are named as in the documents

use crate::model::{GroupVersionKind, ServedKind};
use serde::Deserialize;

/// What to accept at `/api` and `/apis`: the aggregated form where the server has it.
pub const ACCEPT_AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// What one discovery document tells.
#[derive(Debug, Default, PartialEq)]
pub struct Discovered {
    pub kinds: Vec<ServedKind>,
    /// Groups (as `group/version`) whose server did not answer.
    pub failed: Vec<String>,
    /// Legacy only: the group's versions to ask next, each with whether the server prefers it.
    pub versions: Vec<(String, bool)>,
}

#[derive(Deserialize)]
struct Document {
    kind: String,
    #[serde(default)]
    items: Vec<Group>,
    #[serde(default)]
    groups: Vec<LegacyGroup>,
    #[serde(default)]
    versions: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: Named,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Deserialize, Default)]
struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    version: String,
    #[serde(default)]
    freshness: String,
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    resource: String,
    response_kind: Option<Kind>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    subresources: Vec<Subresource>,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    group: String,
    #[serde(default)]
    version: String,
    kind: String,
}

#[derive(Deserialize)]
struct Subresource {
    subresource: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LegacyGroup {
    #[serde(default)]
    versions: Vec<LegacyVersion>,
    preferred_version: Option<LegacyVersion>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct LegacyVersion {
    group_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LegacyList {
    group_version: String,
    #[serde(default)]
    resources: Vec<LegacyResource>,
}

#[derive(Deserialize)]
struct LegacyResource {
    name: String,
    #[serde(default)]
    namespaced: bool,
    kind: String,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    verbs: Vec<String>,
}

/// Reads what `/api` or `/apis` answered, in either form.
pub fn read_root(document: &[u8]) -> Result<Discovered, serde_json::Error> {
    let document: Document = serde_json::from_slice(document)?;
    let mut found = Discovered::default();
    match document.kind.as_str() {
        "APIGroupDiscoveryList" => document.items.into_iter().for_each(|group| read_group(group, &mut found)),
        "APIGroupList" => {
            for group in document.groups {
                for version in group.versions {
                    let preferred = group.preferred_version.as_ref() == Some(&version);
                    found.versions.push((version.group_version, preferred));
                }
            }
        }
        // `APIVersions`, of the core group.
        _ => {
            let versions = document.versions.iter().filter_map(serde_json::Value::as_str);
            found.versions = versions.enumerate().map(|(at, v)| (v.to_owned(), at == 0)).collect();
        }
    }
    Ok(found)
}

fn read_group(group: Group, found: &mut Discovered) {
    let name = group.metadata.name;
    // The first version is the one that the server prefers.
    for (at, version) in group.versions.into_iter().enumerate() {
        if version.freshness == "Stale" {
            found.failed.push(if name.is_empty() {
                version.version.clone()
            } else {
                format!("{name}/{}", version.version)
            });
        }
        for resource in version.resources {
            let Some(kind) = resource.response_kind else { continue };
            let or = |said: String, else_: &str| if said.is_empty() { else_.to_owned() } else { said };
            found.kinds.push(ServedKind {
                kind: GroupVersionKind::new(
                    or(kind.group, &name),
                    or(kind.version, &version.version),
                    kind.kind,
                ),
                plural: resource.resource,
                namespaced: resource.scope == "Namespaced",
                verbs: resource.verbs,
                preferred: at == 0,
                status_subresource: resource.subresources.iter().any(|s| s.subresource == "status"),
            });
        }
    }
}

/// Reads a legacy document of one group and version (`/apis/apps/v1`).
pub fn read_legacy(document: &[u8], preferred: bool) -> Result<Vec<ServedKind>, serde_json::Error> {
    let list: LegacyList = serde_json::from_slice(document)?;
    let subresources: Vec<String> =
        list.resources.iter().filter_map(|r| r.name.strip_suffix("/status").map(str::to_owned)).collect();
    let served = list.resources.into_iter().filter(|r| !r.name.contains('/')).map(|resource| {
        let own = GroupVersionKind::from_api_version(&list.group_version, &resource.kind);
        let said = |said: Option<String>, own: &str| said.filter(|s| !s.is_empty()).unwrap_or(own.to_owned());
        ServedKind {
            status_subresource: subresources.contains(&resource.name),
            kind: GroupVersionKind::new(
                said(resource.group, &own.group),
                said(resource.version, &own.version),
                &own.kind,
            ),
            plural: resource.name,
            namespaced: resource.namespaced,
            verbs: resource.verbs,
            preferred,
        }
    });
    Ok(served.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployments() -> ServedKind {
        ServedKind {
            kind: GroupVersionKind::new("apps", "v1", "Deployment"),
            plural: "deployments".into(),
            namespaced: true,
            verbs: vec!["get".into(), "list".into()],
            preferred: true,
            status_subresource: true,
        }
    }

    #[test]
    fn aggregated_discovery_tells_kinds_and_groups_that_do_not_answer() {
        let document = json!({
            "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
            "items": [
                {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "freshness": "Current", "resources": [
                    {"resource": "deployments", "responseKind": {"group": "", "version": "", "kind": "Deployment"},
                     "scope": "Namespaced", "verbs": ["get", "list"],
                     "subresources": [{"subresource": "scale"}, {"subresource": "status"}]}]}]},
                {"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1beta1", "freshness": "Stale"}]}
            ]
        });
        let found = read_root(document.to_string().as_bytes()).unwrap();
        assert_eq!(found.kinds, [deployments()]);
        assert_eq!(found.failed, ["metrics.k8s.io/v1beta1"]);
        assert_eq!(found.versions, []);
    }

    #[test]
    fn legacy_discovery_tells_the_same_in_more_documents() {
        let root = json!({"kind": "APIGroupList", "groups": [
            {"name": "apps", "versions": [{"groupVersion": "apps/v1", "version": "v1"}, {"groupVersion": "apps/v1beta1"}],
             "preferredVersion": {"groupVersion": "apps/v1"}}]});
        assert_eq!(
            read_root(root.to_string().as_bytes()).unwrap().versions,
            [("apps/v1".to_owned(), true), ("apps/v1beta1".to_owned(), false)]
        );
        let core = json!({"kind": "APIVersions", "versions": ["v1"]});
        assert_eq!(read_root(core.to_string().as_bytes()).unwrap().versions, [("v1".to_owned(), true)]);
        let list = json!({"kind": "APIResourceList", "groupVersion": "apps/v1", "resources": [
            {"name": "deployments", "namespaced": true, "kind": "Deployment", "verbs": ["get", "list"]},
            {"name": "deployments/status", "namespaced": true, "kind": "Deployment", "verbs": ["get"]},
            {"name": "deployments/scale", "namespaced": true, "group": "autoscaling", "version": "v1", "kind": "Scale", "verbs": ["get"]}
        ]});
        assert_eq!(read_legacy(list.to_string().as_bytes(), true).unwrap(), [deployments()]);
    }
}
