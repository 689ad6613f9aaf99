//! Defines the one value type for what Git declares and what a cluster holds: JSON, plus leaves that are sealed.

use super::sealed::Sealed;
use litemap::LiteMap;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::sync::Arc;

/// An object's fields, in the byte order of their names.
///
/// A sorted vector: most maps have a handful of fields, and there are very many maps. Where many fields may come in any
/// order, [`map_of`] builds it; inserting them one by one would move all that stand behind each of them.
pub type Map = LiteMap<String, Value>;

/// Builds a map from fields in any order. Of several with the same name the last one stays.
pub fn map_of(fields: Vec<(String, Value)>) -> Map {
    let mut sorted = if fields.is_sorted_by(|(a, _), (b, _)| a < b) {
        fields
    } else {
        Map::from_iter(fields).into_tuple_vec()
    };
    sorted.shrink_to_fit();
    Map::from_sorted_store_unchecked(sorted)
}

/// A JSON value whose secret leaves are sealed.
///
/// It has no `Serialize` on purpose: every way out is a function that knows what to do with a sealed leaf
/// (`text` for people and JSON, the cluster's writer for the API server).
#[derive(Clone, PartialEq, Default)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    List(Vec<Value>),
    Map(Map),
    /// A secret leaf. Shared, never copied: a clone of the value points at the same sealed bytes.
    Sealed(Arc<Sealed>),
}

/// A JSON number. Two numbers are equal if they have the same value, however they are written.
#[derive(Clone, Copy)]
pub enum Number {
    Int(i64),
    UInt(u64),
    Float(f64),
}

impl Number {
    /// Returns the value as an integer where it is one and fits.
    pub fn as_i64(self) -> Option<i64> {
        match self {
            Number::Int(i) => Some(i),
            Number::UInt(u) => i64::try_from(u).ok(),
            #[allow(clippy::cast_possible_truncation)] // guarded: integral and within the exact range of f64
            Number::Float(f) if f.fract() == 0.0 && f.abs() < 9_007_199_254_740_992.0 => Some(f as i64),
            Number::Float(_) => None,
        }
    }

    #[allow(clippy::cast_precision_loss)] // what a JSON reader without big integers does
    pub fn as_f64(self) -> f64 {
        match self {
            Number::Int(i) => i as f64,
            Number::UInt(u) => u as f64,
            Number::Float(f) => f,
        }
    }
}

impl PartialEq for Number {
    #[allow(clippy::float_cmp)] // equality by value is the point
    fn eq(&self, other: &Self) -> bool {
        match (self.as_i64(), other.as_i64()) {
            (Some(a), Some(b)) => a == b,
            (None, None) => self.as_f64() == other.as_f64(),
            _ => false,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Int(i) => write!(f, "{i}"),
            Number::UInt(u) => write!(f, "{u}"),
            Number::Float(x) => match serde_json::Number::from_f64(*x) {
                Some(n) => write!(f, "{n}"),
                None => f.write_str("null"),
            },
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Value {
    pub fn string(text: impl Into<String>) -> Self {
        Value::String(text.into())
    }

    pub fn int(i: i64) -> Self {
        Value::Number(Number::Int(i))
    }

    /// Returns the field `name` of a map; `None` for anything else.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_map().and_then(|m| m.get(name))
    }

    /// Follows field names from here.
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(self, |value, name| value.get(name))
    }

    /// Follows field names to a string.
    pub fn str_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).and_then(Value::as_str)
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(s) = self { Some(s) } else { None }
    }

    pub fn as_map(&self) -> Option<&Map> {
        if let Value::Map(m) = self { Some(m) } else { None }
    }

    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        if let Value::Map(m) = self { Some(m) } else { None }
    }

    pub fn as_list(&self) -> Option<&[Value]> {
        if let Value::List(l) = self { Some(l) } else { None }
    }

    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(b) = self { Some(*b) } else { None }
    }

    pub fn as_i64(&self) -> Option<i64> {
        if let Value::Number(n) = self { n.as_i64() } else { None }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Returns whether the value is null, or an empty string, list or map.
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Null => true,
            Value::String(s) => s.is_empty(),
            Value::List(l) => l.is_empty(),
            Value::Map(m) => m.is_empty(),
            _ => false,
        }
    }

    /// Returns whether any leaf below is sealed.
    pub fn holds_sealed(&self) -> bool {
        match self {
            Value::Sealed(_) => true,
            Value::List(l) => l.iter().any(Value::holds_sealed),
            Value::Map(m) => m.values().any(Value::holds_sealed),
            _ => false,
        }
    }

    /// Reads a JSON document. Duplicate keys: the last wins, as with kubectl.
    pub fn from_json_slice(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(b),
            serde_json::Value::Number(n) => Value::Number(n.as_i64().map_or_else(
                || n.as_u64().map_or_else(|| Number::Float(n.as_f64().unwrap_or(0.0)), Number::UInt),
                Number::Int,
            )),
            serde_json::Value::String(s) => Value::String(s),
            serde_json::Value::Array(a) => Value::List(a.into_iter().map(Value::from).collect()),
            serde_json::Value::Object(o) => {
                Value::Map(map_of(o.into_iter().map(|(k, v)| (k, Value::from(v))).collect()))
            }
        }
    }
}

impl fmt::Debug for Value {
    /// Prints JSON, with `<sealed>` where a leaf is sealed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(b) => write!(f, "{b}"),
            Value::Number(n) => write!(f, "{n}"),
            Value::String(s) => write!(f, "{s:?}"),
            Value::List(l) => f.debug_list().entries(l).finish(),
            Value::Map(m) => f.debug_map().entries(m).finish(),
            Value::Sealed(s) => write!(f, "{s:?}"),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;
        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }
            fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
                Ok(Value::Bool(b))
            }
            fn visit_i64<E>(self, i: i64) -> Result<Value, E> {
                Ok(Value::Number(Number::Int(i)))
            }
            fn visit_u64<E>(self, u: u64) -> Result<Value, E> {
                Ok(Value::Number(i64::try_from(u).map_or(Number::UInt(u), Number::Int)))
            }
            fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
                Ok(Value::Number(Number::Float(x)))
            }
            fn visit_str<E>(self, s: &str) -> Result<Value, E> {
                Ok(Value::String(s.to_owned()))
            }
            fn visit_string<E>(self, s: String) -> Result<Value, E> {
                Ok(Value::String(s))
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_none<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
                Value::deserialize(d)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Value::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = entries.next_entry()? {
                    fields.push(field);
                }
                Ok(Value::Map(map_of(fields)))
            }
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// Writes a [`Value`] in the notation of JSON, for tests and built-in tables.
#[macro_export]
macro_rules! value {
    ($($json:tt)+) => { $crate::model::Value::from(::serde_json::json!($($json)+)) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_by_value() {
        assert_eq!(value!(1), value!(1.0));
        assert_ne!(value!(1), value!(1.5));
        assert_eq!(Value::Number(Number::UInt(7)), value!(7));
        assert_ne!(value!(u64::MAX), value!(-1));
    }

    #[test]
    fn reading_json_keeps_every_value() {
        let read =
            Value::from_json_slice(br#"{"a":[1,-2,3.5,true,null,"x"],"b":{"c":18446744073709551615}}"#)
                .unwrap();
        assert_eq!(
            format!("{read:?}"),
            r#"{"a": [1, -2, 3.5, true, null, "x"], "b": {"c": 18446744073709551615}}"#
        );
    }
}
