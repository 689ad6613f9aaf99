//! Defines sets of fields as `metadata.managedFields` holds them (the `FieldsV1` format).
//!
//! Source of the format: `sigs.k8s.io/structured-merge-diff`, `fieldpath/serialize-pe.go`: keys `f:NAME` for fields,
//! `k:{…}` for items of keyed lists, `v:VALUE` for set items, `i:N` for positions, and `.` for the thing itself.

use super::field_path::{FieldPath, Scalar, Segment};
use super::value::Value;
use std::collections::BTreeMap;

/// A set of fields, as a tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldSet {
    /// Whether the path up to here is itself a member.
    pub owned: bool,
    pub children: BTreeMap<Segment, FieldSet>,
}

impl FieldSet {
    /// Decodes a `fieldsV1` value. Entries that cannot be read are left out: an unknown owner is better than a lie.
    pub fn from_fields_v1(fields: &Value) -> Self {
        let mut set = FieldSet::default();
        let Some(map) = fields.as_map() else { return set };
        for (key, below) in map {
            if key == "." {
                set.owned = true;
            } else if let Some(segment) = segment(key) {
                let mut child = FieldSet::from_fields_v1(below);
                if child.children.is_empty() {
                    child.owned = true;
                }
                set.children.insert(segment, child);
            }
        }
        set
    }

    /// Returns the set at a path, if any member lies at or under it.
    pub fn at(&self, path: &FieldPath) -> Option<&FieldSet> {
        path.0.iter().try_fold(self, |set, segment| set.children.get(segment))
    }

    /// Returns whether the path itself is a member.
    pub fn owns(&self, path: &FieldPath) -> bool {
        self.at(path).is_some_and(|set| set.owned)
    }

    /// Returns whether the path or anything under it is a member.
    pub fn touches(&self, path: &FieldPath) -> bool {
        self.at(path).is_some()
    }

    /// Returns the deepest member that is the path or lies above it, as the number of segments it shares.
    pub fn deepest_owner(&self, path: &FieldPath) -> Option<usize> {
        let mut set = self;
        let mut found = if self.owned { Some(0) } else { None };
        for (depth, segment) in path.0.iter().enumerate() {
            match set.children.get(segment) {
                Some(child) => set = child,
                None => break,
            }
            if set.owned {
                found = Some(depth + 1);
            }
        }
        found
    }

    /// Calls `visit` with every member's path.
    pub fn each(&self, visit: &mut impl FnMut(&FieldPath)) {
        fn walk(set: &FieldSet, at: &mut FieldPath, visit: &mut impl FnMut(&FieldPath)) {
            if set.owned {
                visit(at);
            }
            for (segment, child) in &set.children {
                at.0.push(segment.clone());
                walk(child, at, visit);
                at.0.pop();
            }
        }
        walk(self, &mut FieldPath::root(), visit);
    }
}

fn segment(key: &str) -> Option<Segment> {
    let (sort, text) = key.split_at_checked(2)?;
    match sort {
        "f:" => Some(Segment::Field(text.to_owned())),
        "k:" => {
            let keys = Value::from_json_slice(text.as_bytes()).ok()?;
            Some(Segment::Keys(keys.as_map()?.iter().map(|(k, v)| (k.clone(), Scalar(v.clone()))).collect()))
        }
        "v:" => Some(Segment::Item(Scalar(Value::from_json_slice(text.as_bytes()).ok()?))),
        "i:" => text.parse().ok().map(Segment::Index),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn fields_v1_is_read_with_keys_sets_and_dots() {
        let set = FieldSet::from_fields_v1(&value!({
            "f:metadata": {"f:finalizers": {".": {}, "v:\"a/b\"": {}}},
            "f:spec": {"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}, "f:replicas": {}}
        }));
        let mut members = Vec::new();
        set.each(&mut |path| members.push(path.to_string()));
        assert_eq!(
            members,
            [
                ".metadata.finalizers",
                r#".metadata.finalizers[="a/b"]"#,
                r#".spec.ports[port=80,protocol="TCP"]"#,
                r#".spec.ports[port=80,protocol="TCP"].port"#,
                ".spec.replicas",
            ]
        );
    }
}
