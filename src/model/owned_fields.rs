//! Defines the field set of one entry of managed fields as it is kept: as text, and decoded when a difference asks for it.

use super::field_set::FieldSet;
use super::value::Value;
use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

/// A field set that is decoded when it is first looked at. Of most objects nothing differs, and nobody looks.
#[derive(Clone, Default)]
pub struct OwnedFields {
    /// `fieldsV1` as JSON; empty once there is nothing to decode.
    json: Box<str>,
    set: OnceLock<FieldSet>,
}

impl OwnedFields {
    /// Keeps the JSON of a `fieldsV1` value. Text that is none owns nothing.
    pub fn from_json(json: Box<str>) -> Self {
        Self { json, set: OnceLock::new() }
    }
}

impl From<FieldSet> for OwnedFields {
    fn from(set: FieldSet) -> Self {
        Self { json: Box::default(), set: set.into() }
    }
}

impl Deref for OwnedFields {
    type Target = FieldSet;

    fn deref(&self) -> &FieldSet {
        self.set.get_or_init(|| {
            let fields = Value::from_json_slice(self.json.as_bytes()).unwrap_or_default();
            FieldSet::from_fields_v1(&fields)
        })
    }
}

impl PartialEq for OwnedFields {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for OwnedFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FieldPath;
    use crate::value;

    #[test]
    fn text_and_set_are_the_same_fields() {
        let json = r#"{"f:spec":{"f:replicas":{}}}"#;
        let (kept, decoded) = (
            OwnedFields::from_json(json.into()),
            FieldSet::from_fields_v1(&value!({
                "f:spec": {"f:replicas": {}}
            })),
        );
        assert!(kept.owns(&FieldPath::fields(&["spec", "replicas"])));
        assert_eq!(kept, OwnedFields::from(decoded));
        assert_eq!(*OwnedFields::from_json("no JSON".into()), FieldSet::default());
    }
}
