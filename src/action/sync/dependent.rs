//! Defines which fields of a Service the API server takes away by itself, with a change of the field that they belong to.
//!
//! Source: kubernetes, `pkg/registry/core/service` (`dropTypeDependentFields`, the release of what was allocated) and
//! `SetDefaults_Service`. The managed fields name whoever sent the update in which they came as their owner.

use crate::model::{Effect, FieldPath, GroupKind, Segment};

/// The fields with what belongs to each; the items of a list are left out of the way.
const DEPENDENTS: [(&[&str], &[&[&str]]); 3] = [
    (
        &["spec", "type"],
        &[
            &["spec", "ports", "nodePort"],
            &["spec", "externalTrafficPolicy"],
            &["spec", "internalTrafficPolicy"],
            &["spec", "healthCheckNodePort"],
            &["spec", "allocateLoadBalancerNodePorts"],
            &["spec", "loadBalancerClass"],
            &["spec", "clusterIP"],
            &["spec", "clusterIPs"],
            &["spec", "ipFamilies"],
            &["spec", "ipFamilyPolicy"],
        ],
    ),
    (&["spec", "externalTrafficPolicy"], &[&["spec", "healthCheckNodePort"]]),
    (&["spec", "sessionAffinity"], &[&["spec", "sessionAffinityConfig"]]),
];

/// Returns the field, changed by the same write, with which the server takes this one away.
pub fn goes_with(kind: &GroupKind, leaf: &Effect, found: &[Effect]) -> Option<String> {
    if !kind.group.is_empty() || kind.kind != "Service" || leaf.after.is_some() {
        return None;
    }
    let gone = names(&leaf.path);
    let changed = |field: &[&str]| found.iter().any(|effect| names(&effect.path) == field);
    let of = |dependents: &[&[&str]]| dependents.iter().any(|dependent| gone.starts_with(dependent));
    let (field, _) = DEPENDENTS.iter().find(|(field, dependents)| of(dependents) && changed(field))?;
    Some(format!(".{}", field.join(".")))
}

fn names(path: &FieldPath) -> Vec<&str> {
    let names = path.0.iter().filter_map(|segment| match segment {
        Segment::Field(name) => Some(name.as_str()),
        _ => None,
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Value;
    use crate::value;

    fn effect(path: &str, after: Option<Value>) -> Effect {
        Effect { path: FieldPath::parse(path).unwrap(), before: Some(value!(1)), after, order_by: None }
    }

    #[test]
    fn what_belongs_to_the_type_goes_with_the_type_and_nothing_else_does() {
        let service = GroupKind::new("", "Service");
        let of_type = effect(".spec.type", Some(value!("ClusterIP")));
        let with = |path: &str, others: &[Effect]| goes_with(&service, &effect(path, None), others);
        let found = [of_type];
        let expected = Some(".spec.type".to_owned());
        assert_eq!(with(".spec.externalTrafficPolicy", &found), expected);
        assert_eq!(with(".spec.ports[port=80].nodePort", &found), expected);
        assert_eq!(with(".spec.ports[port=80].name", &found), None);
        assert_eq!(with(".spec.externalTrafficPolicy", &[]), None, "the type stays");
        assert_eq!(
            goes_with(&service, &effect(".spec.clusterIP", Some(value!(2))), &found),
            None,
            "it is there"
        );
        let other = GroupKind::new("example.com", "Service");
        assert_eq!(goes_with(&other, &effect(".spec.externalTrafficPolicy", None), &found), None);
    }
}
