//! Defines which admission webhooks and policies may change what is applied: what they rewrite, no comparison here can
//! know.
//!
//! Source: `admissionregistration.k8s.io/v1`, as the API server matches rules and selectors. What a selector asks of a
//! namespace's labels is known for the name alone, and conditions are not evaluated: there it may match, and counts.

use crate::model::{ClusterFacts, GroupKind, GroupVersionKind, LiveObject, Manifest, Map, Value};
use std::collections::HashMap;

/// The group of webhook configurations and policies.
pub const ADMISSION_GROUP: &str = "admissionregistration.k8s.io";
/// The kinds that this is read from.
pub const ADMISSION_KINDS: [&str; 3] =
    ["MutatingWebhookConfiguration", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"];

/// The mutating webhooks and policies of a cluster.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Admission {
    mutators: Vec<Mutator>,
    /// Not all of them could be read.
    incomplete: bool,
    /// What each kind is called in rules.
    plurals: HashMap<GroupKind, (String, bool)>,
}

#[derive(Debug, Clone, PartialEq)]
struct Mutator {
    /// As it is named to people: `webhook pin.example.com`.
    name: String,
    rules: Vec<Rule>,
    excluded: Vec<Rule>,
    namespaces: Value,
    objects: Value,
}

#[derive(Debug, Clone, PartialEq)]
struct Rule {
    groups: Vec<String>,
    resources: Vec<String>,
    operations: Vec<String>,
    scope: Option<String>,
    names: Vec<String>,
}

impl Admission {
    /// Reads the objects of [`ADMISSION_KINDS`]. A policy that no binding names does nothing.
    /// `incomplete`: some kind could not be read.
    pub fn of(objects: &[LiveObject], facts: &ClusterFacts, incomplete: bool) -> Self {
        let bound: Vec<&str> = of_kind(objects, "MutatingAdmissionPolicyBinding")
            .filter_map(|binding| binding.body.str_at(&["spec", "policyName"]))
            .collect();
        let webhooks = of_kind(objects, "MutatingWebhookConfiguration")
            .flat_map(|configuration| list(&configuration.body, &["webhooks"]));
        let mut mutators: Vec<Mutator> = webhooks.map(webhook).collect();
        let policies = of_kind(objects, "MutatingAdmissionPolicy");
        mutators.extend(policies.filter_map(|policy| {
            let name = policy.id.name.as_deref()?;
            bound.contains(&name).then(|| self::policy(name, &policy.body))
        }));
        let kinds = facts.kinds.iter();
        let plurals = kinds.map(|k| (k.kind.group_kind(), (k.plural.clone(), k.namespaced))).collect();
        Self { mutators, incomplete, plurals }
    }

    /// Returns whether not all of them could be read.
    pub fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// Returns every webhook and policy, as it is named to people.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.mutators.iter().map(|mutator| mutator.name.as_str())
    }

    /// Returns the webhooks and policies that may change this object when it is applied.
    pub fn matching<'a>(
        &'a self,
        desired: &'a Manifest,
        live: Option<&'a LiveObject>,
    ) -> impl Iterator<Item = &'a str> {
        let plural = self.plurals.get(&desired.id.kind);
        self.mutators.iter().filter_map(move |mutator| {
            let (plural, namespaced) = plural?;
            let fits = mutator.fits(desired, live, plural, *namespaced);
            fits.then_some(mutator.name.as_str())
        })
    }
}

fn of_kind<'a>(objects: &'a [LiveObject], kind: &'a str) -> impl Iterator<Item = &'a LiveObject> {
    objects.iter().filter(move |object| object.id.kind.kind == kind)
}

fn list<'v>(value: &'v Value, path: &[&str]) -> &'v [Value] {
    value.at(path).and_then(Value::as_list).unwrap_or_default()
}

fn words(value: &Value, name: &str) -> Vec<String> {
    list(value, &[name]).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn rules(value: &Value, path: &[&str]) -> Vec<Rule> {
    let rule = |rule: &Value| Rule {
        groups: words(rule, "apiGroups"),
        resources: words(rule, "resources"),
        operations: words(rule, "operations"),
        scope: rule.str_at(&["scope"]).filter(|scope| *scope != "*").map(str::to_owned),
        names: words(rule, "resourceNames"),
    };
    list(value, path).iter().map(rule).collect()
}

fn webhook(webhook: &Value) -> Mutator {
    let selector = |name: &str| webhook.get(name).cloned().unwrap_or_default();
    Mutator {
        name: format!("webhook {}", webhook.str_at(&["name"]).unwrap_or_default()),
        rules: rules(webhook, &["rules"]),
        excluded: Vec::new(),
        namespaces: selector("namespaceSelector"),
        objects: selector("objectSelector"),
    }
}

fn policy(name: &str, body: &Value) -> Mutator {
    let constraints = body.at(&["spec", "matchConstraints"]).cloned().unwrap_or_default();
    let selector = |name: &str| constraints.get(name).cloned().unwrap_or_default();
    Mutator {
        name: format!("policy {name}"),
        rules: rules(&constraints, &["resourceRules"]),
        excluded: rules(&constraints, &["excludeResourceRules"]),
        namespaces: selector("namespaceSelector"),
        objects: selector("objectSelector"),
    }
}

impl Mutator {
    fn fits(&self, desired: &Manifest, live: Option<&LiveObject>, plural: &str, namespaced: bool) -> bool {
        let name = desired.id.name.as_deref().unwrap_or_default();
        let fits = |rule: &Rule| rule.fits(&desired.kind, name, plural, namespaced, live.is_some());
        if !self.rules.iter().any(fits) || self.excluded.iter().any(fits) {
            return false;
        }
        let namespace = match (&desired.id.namespace, desired.id.kind.kind.as_str()) {
            (Some(namespace), _) => Some(namespace.as_str()),
            (None, "Namespace") => Some(name),
            (None, _) => None,
        };
        let in_namespace = namespace.is_none_or(|namespace| {
            selects(&self.namespaces, |key| match key {
                "kubernetes.io/metadata.name" => Label::Is(namespace),
                _ => Label::Unknown,
            })
        });
        let has = |labels: Option<&Map>| {
            selects(&self.objects, |key| {
                labels.and_then(|l| l.get(key)).and_then(Value::as_str).map_or(Label::Absent, Label::Is)
            })
        };
        // The API server asks for either of the object before and the object after.
        let labels = |body: &'_ Value| body.at(&["metadata", "labels"]).and_then(Value::as_map).cloned();
        let (desired, live) = (labels(&desired.body), live.and_then(|live| labels(&live.body)));
        in_namespace && (has(desired.as_ref()) || has(live.as_ref()))
    }
}

impl Rule {
    fn fits(
        &self,
        kind: &GroupVersionKind,
        name: &str,
        plural: &str,
        namespaced: bool,
        is_there: bool,
    ) -> bool {
        let any = |words: &[String], word: &str| words.iter().any(|w| w == "*" || w == word);
        let operation = if is_there { "UPDATE" } else { "CREATE" };
        let scope = if namespaced { "Namespaced" } else { "Cluster" };
        any(&self.groups, &kind.group)
            && (any(&self.resources, plural) || self.resources.iter().any(|r| r == "*/*"))
            && any(&self.operations, operation)
            && self.scope.as_deref().is_none_or(|wanted| wanted == scope)
            && (self.names.is_empty() || self.names.iter().any(|n| n == name))
    }
}

/// What is known of a label.
#[derive(Clone, Copy)]
enum Label<'a> {
    Is(&'a str),
    Absent,
    Unknown,
}

/// Returns whether a label selector selects, or may select.
fn selects<'a>(selector: &Value, label: impl Fn(&str) -> Label<'a>) -> bool {
    let labels = selector.get("matchLabels").and_then(Value::as_map).into_iter().flatten();
    let equal = labels.map(|(key, value)| match label(key) {
        Label::Is(is) => value.as_str() == Some(is),
        Label::Absent => false,
        Label::Unknown => true,
    });
    let expressions = list(selector, &["matchExpressions"]).iter().map(|expression| {
        let values = words(expression, "values");
        let label = label(expression.str_at(&["key"]).unwrap_or_default());
        let is_one = |is: &str| values.iter().any(|value| value == is);
        match (expression.str_at(&["operator"]).unwrap_or_default(), label) {
            ("In", Label::Is(is)) => is_one(is),
            ("NotIn", Label::Is(is)) => !is_one(is),
            (_, Label::Unknown) | ("Exists", Label::Is(_)) | ("NotIn" | "DoesNotExist", Label::Absent) => {
                true
            }
            _ => false,
        }
    });
    equal.chain(expressions).all(|holds| holds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::manifest::BodyLines;
    use crate::model::{ClusterId, Identity, Origin, ResourceId, ServedKind};
    use crate::value;

    fn manifest(labels: Value) -> Manifest {
        let kind = GroupVersionKind::from_api_version("apps/v1", "Deployment");
        let identity = Identity {
            cluster: ClusterId("c".into()),
            kind: kind.group_kind(),
            namespace: Some("shop".into()),
            name: Some("web".into()),
        };
        let mut body = value!({"metadata": {}});
        let metadata = body.as_map_mut().unwrap().get_mut("metadata").unwrap().as_map_mut().unwrap();
        metadata.insert("labels".into(), labels);
        let (id, origin) = (ResourceId::from(identity), Origin::default());
        Manifest { id, kind, body, origin, problems: Vec::new(), lines: BodyLines::default(), overlay: None }
    }

    fn facts() -> ClusterFacts {
        let kind = GroupVersionKind::from_api_version("apps/v1", "Deployment");
        let served = ServedKind {
            kind,
            plural: "deployments".into(),
            namespaced: true,
            verbs: Vec::new(),
            preferred: true,
            status_subresource: true,
        };
        ClusterFacts {
            id: ClusterId("c".into()),
            version: None,
            user: None,
            kinds: vec![served],
            failed_groups: Vec::new(),
        }
    }

    fn matches(webhook: &str, labels: Value) -> bool {
        let text = format!(
            r#"{{"apiVersion":"admissionregistration.k8s.io/v1","kind":"MutatingWebhookConfiguration","metadata":{{"name":"x"}},
            "webhooks":[{webhook}]}}"#
        );
        let object = LiveObject::from_json(&ClusterId("c".into()), text.as_bytes()).unwrap();
        let admission = Admission::of(&[object], &facts(), false);
        let found: Vec<String> = admission.matching(&manifest(labels), None).map(str::to_owned).collect();
        assert!(found.iter().all(|name| name == "webhook w"));
        !found.is_empty()
    }

    #[test]
    fn a_webhook_matches_by_rule_namespace_and_labels_as_far_as_they_are_known() {
        let rule = r#""rules":[{"apiGroups":["apps"],"resources":["deployments"],"operations":["CREATE"]}]"#;
        let with = |more: &str| format!(r#"{{"name":"w",{rule}{more}}}"#);
        let any = r#"{"name":"w","rules":[{"apiGroups":["*"],"resources":["*/*"],"operations":["*"]}]}"#;
        let pods = r#"{"name":"w","rules":[{"apiGroups":[""],"resources":["pods"],"operations":["*"]}]}"#;
        let here = r#","namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"shop"}}"#;
        let there = r#","namespaceSelector":{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["shop"]}]}"#;
        let unknown = r#","namespaceSelector":{"matchLabels":{"inject":"yes"}}"#;
        let labelled = r#","objectSelector":{"matchExpressions":[{"key":"inject","operator":"Exists"}]}"#;
        let none = || value!({});
        for (webhook, labels, expected) in [
            (with(""), none(), true),
            (any.to_owned(), none(), true),
            (pods.to_owned(), none(), false),
            (with(here), none(), true),
            (with(there), none(), false),
            (with(unknown), none(), true),
            (with(labelled), none(), false),
            (with(labelled), value!({"inject": "yes"}), true),
        ] {
            assert_eq!(matches(&webhook, labels), expected, "{webhook}");
        }
    }

    #[test]
    fn a_policy_counts_once_it_is_bound() {
        let policy = r#"{"apiVersion":"admissionregistration.k8s.io/v1","kind":"MutatingAdmissionPolicy","metadata":{"name":"p"},
            "spec":{"matchConstraints":{"resourceRules":[{"apiGroups":["apps"],"resources":["deployments"],"operations":["*"]}]}}}"#;
        let binding = r#"{"apiVersion":"admissionregistration.k8s.io/v1","kind":"MutatingAdmissionPolicyBinding","metadata":{"name":"b"},
            "spec":{"policyName":"p"}}"#;
        let read = |text: &str| LiveObject::from_json(&ClusterId("c".into()), text.as_bytes()).unwrap();
        let names = |objects: &[LiveObject]| -> Vec<String> {
            let admission = Admission::of(objects, &facts(), false);
            admission.matching(&manifest(value!({})), None).map(str::to_owned).collect()
        };
        assert_eq!(names(&[read(policy)]), Vec::<String>::new());
        assert_eq!(names(&[read(policy), read(binding)]), ["policy p"]);
    }
}
