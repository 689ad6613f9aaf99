//! Defines which watches a cluster needs: one per kind and scope, cluster-wide where few watches save many.

use crate::drift::{AUTOSCALERS, AutoscalerKind};
use crate::model::{ClusterFacts, GroupKind, GroupVersionKind, Manifest, Scope, ServedKind};
use crate::pipeline::store::WatchKey;
use std::collections::{BTreeMap, BTreeSet};

/// With more namespaces than this, one cluster-wide watch replaces one per namespace, where the user may.
pub const NAMESPACES_BEFORE_ALL: usize = 3;

/// What the manifests of a cluster need to be watched.
#[derive(Debug, Default, PartialEq)]
pub struct Needed {
    /// Each with the served kind and, for a cluster-wide watch of a namespaced kind, the namespaces to fall back to.
    pub watches: BTreeMap<WatchKey, Wanted>,
    /// Kinds that the cluster does not serve in the version asked for.
    pub not_served: BTreeSet<GroupVersionKind>,
}

/// How a watch is to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    pub served: ServedKind,
    /// Where to look instead if looking everywhere is denied; empty if there is no such place.
    pub instead: Vec<Scope>,
}

impl Needed {
    /// Replaces the watches that were denied everywhere by one in each namespace that needs it.
    pub fn narrow(&mut self, denied: &BTreeSet<WatchKey>) {
        for key in denied {
            if let Some(wide) = self.watches.remove(key) {
                if wide.instead.is_empty() {
                    self.watches.insert(key.clone(), wide);
                    continue;
                }
                for (key, wanted) in narrower(key, &wide) {
                    self.watches.entry(key).or_insert(wanted);
                }
            }
        }
    }
}

/// Returns the watches that stand in for a cluster-wide one.
pub fn narrower(key: &WatchKey, wide: &Wanted) -> Vec<(WatchKey, Wanted)> {
    let within = |scope: &Scope| {
        let key = WatchKey { kind: key.kind.clone(), scope: scope.clone() };
        (key, Wanted { served: wide.served.clone(), instead: Vec::new() })
    };
    wide.instead.iter().map(within).collect()
}

/// Returns the watches that these manifests need. Secrets are never watched cluster-wide unless `secrets_everywhere`.
pub fn needed<'a>(
    manifests: impl IntoIterator<Item = &'a Manifest>,
    facts: &ClusterFacts,
    secrets_everywhere: bool,
) -> Needed {
    let mut places: BTreeMap<&GroupVersionKind, BTreeSet<&str>> = BTreeMap::new();
    for manifest in manifests {
        let namespaces = places.entry(&manifest.kind).or_default();
        if let Some(namespace) = &manifest.id.namespace {
            namespaces.insert(namespace);
        }
    }
    let mut needed = Needed::default();
    for (kind, namespaces) in places {
        let Some(served) = facts.served(kind).filter(|k| k.can("list")) else {
            needed.not_served.insert(kind.clone());
            continue;
        };
        needed.watches.extend(watches_in(served, &namespaces, secrets_everywhere));
    }
    add_autoscalers(&mut needed, facts);
    needed
}

/// Returns the watches of one kind in these namespaces.
pub fn watches_in(
    served: &ServedKind,
    namespaces: &BTreeSet<&str>,
    secrets_everywhere: bool,
) -> Vec<(WatchKey, Wanted)> {
    let each: Vec<Scope> = namespaces.iter().map(|n| Scope::Namespace((*n).to_owned())).collect();
    let may_be_wide = secrets_everywhere || !served.kind.group_kind().is_secret();
    let scopes = if !served.namespaced {
        vec![(Scope::All, Vec::new())]
    } else if may_be_wide && each.len() > NAMESPACES_BEFORE_ALL {
        vec![(Scope::All, each)]
    } else {
        each.into_iter().map(|scope| (scope, Vec::new())).collect()
    };
    let watch = |(scope, instead)| {
        (WatchKey { kind: served.kind.clone(), scope }, Wanted { served: served.clone(), instead })
    };
    scopes.into_iter().map(watch).collect()
}

/// Autoscalers beside what they may scale, of the kinds that the cluster serves: whether a declared `replicas` counts
/// depends on them, and `resources` of containers.
fn add_autoscalers(needed: &mut Needed, facts: &ClusterFacts) {
    for autoscaler in &AUTOSCALERS {
        let kind = GroupKind::new(autoscaler.group, autoscaler.kind);
        // The API server reads in v2 what was written in v1, and not the other way round.
        let v2 = GroupVersionKind::new(autoscaler.group, "v2", autoscaler.kind);
        let served = facts.served(&v2).or_else(|| facts.preferred(&kind));
        if let Some(served) = served.filter(|kind| kind.can("list")) {
            add_autoscaler(needed, autoscaler, served);
        }
    }
}

fn add_autoscaler(needed: &mut Needed, autoscaler: &AutoscalerKind, served: &ServedKind) {
    let scalable = |key: &WatchKey| autoscaler.scales.contains(&key.kind.kind.as_str());
    let scaled: Vec<(Scope, Vec<Scope>)> = needed
        .watches
        .iter()
        .filter(|(key, _)| scalable(key))
        .map(|(key, wanted)| (key.scope.clone(), wanted.instead.clone()))
        .collect();
    for (scope, instead) in scaled {
        let key = WatchKey { kind: served.kind.clone(), scope };
        let wanted = needed.watches.entry(key);
        let wanted = wanted.or_insert_with(|| Wanted { served: served.clone(), instead: Vec::new() });
        let more: Vec<Scope> = instead.into_iter().filter(|scope| !wanted.instead.contains(scope)).collect();
        wanted.instead.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::manifest::BodyLines;
    use crate::model::{ClusterId, Identity, Origin, ResourceId, Value};

    fn facts() -> ClusterFacts {
        let kind = |group: &str, version: &str, kind: &str, plural: &str, namespaced| ServedKind {
            kind: GroupVersionKind::new(group, version, kind),
            plural: plural.into(),
            namespaced,
            verbs: vec!["list".into(), "watch".into()],
            preferred: true,
            status_subresource: false,
        };
        ClusterFacts {
            id: ClusterId("c".into()),
            version: None,
            user: None,
            kinds: vec![
                kind("", "v1", "ConfigMap", "configmaps", true),
                kind("", "v1", "Secret", "secrets", true),
                kind("", "v1", "Namespace", "namespaces", false),
                kind("apps", "v1", "Deployment", "deployments", true),
                kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true),
            ],
            failed_groups: vec![],
        }
    }

    fn manifest(group: &str, kind: &str, namespace: Option<&str>) -> Manifest {
        let kind = GroupVersionKind::new(group, "v1", kind);
        Manifest {
            id: ResourceId::from(Identity {
                cluster: ClusterId("c".into()),
                kind: kind.group_kind(),
                namespace: namespace.map(str::to_owned),
                name: Some("x".into()),
            }),
            kind,
            body: Value::Null,
            origin: Origin::default(),
            problems: vec![],
            lines: BodyLines::default(),
            overlay: None,
        }
    }

    fn words(needed: &Needed) -> Vec<String> {
        needed.watches.keys().map(|k| format!("{} {:?}", k.kind.kind, k.scope)).collect()
    }

    #[test]
    fn few_namespaces_are_watched_one_by_one_and_many_at_once() {
        let few = [manifest("", "ConfigMap", Some("a")), manifest("", "ConfigMap", Some("b"))];
        assert_eq!(
            words(&needed(&few, &facts(), false)),
            ["ConfigMap Namespace(\"a\")", "ConfigMap Namespace(\"b\")"]
        );
        let many = ["a", "b", "c", "d"].map(|n| manifest("", "ConfigMap", Some(n)));
        assert_eq!(words(&needed(&many, &facts(), false)), ["ConfigMap All"]);
    }

    #[test]
    fn secrets_are_never_watched_everywhere_unless_configured() {
        let many = ["a", "b", "c", "d"].map(|n| manifest("", "Secret", Some(n)));
        assert_eq!(needed(&many, &facts(), false).watches.len(), 4);
        assert_eq!(words(&needed(&many, &facts(), true)), ["Secret All"]);
    }

    #[test]
    fn autoscalers_are_watched_where_something_scalable_is_declared() {
        let apps = [manifest("apps", "Deployment", Some("shop")), manifest("", "Namespace", None)];
        assert_eq!(
            words(&needed(&apps, &facts(), false)),
            [
                "Namespace All",
                "Deployment Namespace(\"shop\")",
                "HorizontalPodAutoscaler Namespace(\"shop\")"
            ]
        );
    }

    #[test]
    fn other_autoscalers_are_watched_where_they_are_served() {
        let mut facts = facts();
        let served = |group: &str, kind: &str, plural: &str| ServedKind {
            kind: GroupVersionKind::new(group, "v1", kind),
            plural: plural.into(),
            namespaced: true,
            verbs: vec!["list".into(), "watch".into()],
            preferred: true,
            status_subresource: true,
        };
        facts.kinds.extend([
            served("apps", "DaemonSet", "daemonsets"),
            served("keda.sh", "ScaledObject", "scaledobjects"),
            served("autoscaling.k8s.io", "VerticalPodAutoscaler", "verticalpodautoscalers"),
        ]);
        let apps = [manifest("apps", "DaemonSet", Some("logs")), manifest("", "ConfigMap", Some("shop"))];
        assert_eq!(
            words(&needed(&apps, &facts, false)),
            [
                "ConfigMap Namespace(\"shop\")",
                "DaemonSet Namespace(\"logs\")",
                "VerticalPodAutoscaler Namespace(\"logs\")"
            ]
        );
        let apps = [manifest("apps", "Deployment", Some("shop"))];
        assert_eq!(
            words(&needed(&apps, &facts, false)),
            [
                "Deployment Namespace(\"shop\")",
                "HorizontalPodAutoscaler Namespace(\"shop\")",
                "VerticalPodAutoscaler Namespace(\"shop\")",
                "ScaledObject Namespace(\"shop\")"
            ]
        );
    }

    #[test]
    fn what_is_denied_everywhere_is_watched_in_each_namespace_autoscalers_too() {
        let many = ["a", "b", "c", "d"].map(|n| manifest("apps", "Deployment", Some(n)));
        let mut needed = needed(&many, &facts(), false);
        let denied: BTreeSet<WatchKey> = needed.watches.keys().cloned().collect();
        assert_eq!(denied.len(), 2, "both everywhere");
        needed.narrow(&denied);
        let words = words(&needed);
        assert_eq!(words.len(), 8);
        assert!(words.contains(&"HorizontalPodAutoscaler Namespace(\"d\")".to_owned()), "{words:?}");
        let nodes = [manifest("", "Namespace", None)];
        let mut fixed = super::needed(&nodes, &facts(), false);
        fixed.narrow(&fixed.watches.keys().cloned().collect());
        assert_eq!(self::words(&fixed), ["Namespace All"], "there is no narrower place");
    }

    #[test]
    fn a_kind_that_is_not_served_is_named() {
        let unknown = [manifest("example.com", "Widget", Some("a"))];
        assert_eq!(needed(&unknown, &facts(), false).not_served.len(), 1);
    }
}
