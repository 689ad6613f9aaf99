//! Set arithmetic on managed fields, and their encoding as `fieldsV1`.

use crate::model::field_path::Scalar;
use crate::model::{FieldSet, Map, Segment, Value};

/// Returns the union of two sets.
pub(super) fn union(a: &FieldSet, b: &FieldSet) -> FieldSet {
    let mut all = a.clone();
    add(&mut all, b);
    all
}

/// Adds every member of `other`.
pub(super) fn add(set: &mut FieldSet, other: &FieldSet) {
    set.owned |= other.owned;
    for (segment, below) in &other.children {
        add(set.children.entry(segment.clone()).or_default(), below);
    }
}

/// Returns the members of `a` that are not in `b`.
pub(super) fn difference(a: &FieldSet, b: &FieldSet) -> FieldSet {
    let children = a.children.iter().filter_map(|(segment, below)| {
        let rest = match b.children.get(segment) {
            Some(other) => difference(below, other),
            None => below.clone(),
        };
        (!is_empty(&rest)).then(|| (segment.clone(), rest))
    });
    FieldSet { owned: a.owned && !b.owned, children: children.collect() }
}

/// Returns the members that both sets have.
pub(super) fn intersection(a: &FieldSet, b: &FieldSet) -> FieldSet {
    let children = a.children.iter().filter_map(|(segment, below)| {
        let both = intersection(below, b.children.get(segment)?);
        (!is_empty(&both)).then(|| (segment.clone(), both))
    });
    FieldSet { owned: a.owned && b.owned, children: children.collect() }
}

pub(super) fn is_empty(set: &FieldSet) -> bool {
    !set.owned && set.children.values().all(is_empty)
}

/// Makes a path a member.
pub(super) fn insert(set: &mut FieldSet, path: &[Segment]) {
    match path.split_first() {
        None => set.owned = true,
        Some((first, rest)) => insert(set.children.entry(first.clone()).or_default(), rest),
    }
}

/// Encodes a set as the API server does (`sigs.k8s.io/structured-merge-diff`, `fieldpath/serialize.go`).
pub(super) fn to_fields_v1(set: &FieldSet) -> Value {
    let mut fields = Map::new();
    for (segment, below) in &set.children {
        let mut value = to_fields_v1(below);
        if below.owned
            && !below.children.is_empty()
            && let Some(map) = value.as_map_mut()
        {
            map.insert(".".to_owned(), Value::Map(Map::new()));
        }
        fields.insert(key(segment), value);
    }
    Value::Map(fields)
}

fn key(segment: &Segment) -> String {
    match segment {
        Segment::Field(name) => format!("f:{name}"),
        Segment::Item(value) => format!("v:{value}"),
        Segment::Index(index) => format!("i:{index}"),
        Segment::Keys(keys) => {
            let keys: Vec<String> =
                keys.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
            format!("k:{{{}}}", keys.join(","))
        }
    }
}

fn quoted(name: &str) -> Scalar {
    Scalar(Value::string(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    fn set(fields: &Value) -> FieldSet {
        FieldSet::from_fields_v1(fields)
    }

    #[test]
    fn a_set_is_encoded_as_it_was_read() {
        let fields = value!({
            "f:metadata": {"f:finalizers": {".": {}, "v:\"a/b\"": {}}},
            "f:spec": {"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}, "f:replicas": {}}
        });
        assert_eq!(to_fields_v1(&set(&fields)), fields);
    }

    #[test]
    fn sets_add_up_and_come_apart() {
        let (a, b) = (value!({"f:a": {"f:x": {}, "f:y": {}}}), value!({"f:a": {"f:y": {}}, "f:b": {}}));
        let (a, b) = (set(&a), set(&b));
        assert_eq!(to_fields_v1(&union(&a, &b)), value!({"f:a": {"f:x": {}, "f:y": {}}, "f:b": {}}));
        assert_eq!(to_fields_v1(&difference(&a, &b)), value!({"f:a": {"f:x": {}}}));
        assert_eq!(to_fields_v1(&intersection(&a, &b)), value!({"f:a": {"f:y": {}}}));
        assert!(is_empty(&difference(&a, &a)));
    }
}
