//! Opens bodies for the ones that keep them: the API server, and the offline world that stands in for it.
//!
//! This is the only place of the room where sealed values are opened.

use crate::model::sealed::{Opener, open_value};
use crate::model::{Map, Value};

/// Returns a body as the JSON that a server is sent.
pub(super) fn to_json(body: &Value) -> serde_json::Value {
    open_value(body, &Opener::new())
}

/// Returns a body with every sealed leaf opened, for the offline world to keep as a server does.
pub(super) fn opened(body: &Value) -> Value {
    fn open(value: &Value, opener: &Opener) -> Value {
        match value {
            Value::Sealed(sealed) => Value::string(sealed.open(opener)),
            Value::List(items) => Value::List(items.iter().map(|item| open(item, opener)).collect()),
            Value::Map(fields) => {
                Value::Map(fields.iter().map(|(k, v)| (k.clone(), open(v, opener))).collect::<Map>())
            }
            other => other.clone(),
        }
    }
    open(body, &Opener::new())
}
