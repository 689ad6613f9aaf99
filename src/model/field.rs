//! Defines how a path finds its place in an object: fields by name, items of keyed lists by their keys.

use super::field_path::{FieldPath, Segment};
use super::value::Value;

/// Returns the value at a path.
pub fn at<'v>(value: &'v Value, path: &FieldPath) -> Option<&'v Value> {
    path.0.iter().try_fold(value, |value, segment| child(value, segment))
}

/// Returns the JSON pointer (RFC 6901) of a path in a document; `None` where an item on the way is not there.
pub fn pointer(path: &FieldPath, document: &Value) -> Option<String> {
    let mut value = Some(document);
    let mut pointer = String::new();
    for segment in &path.0 {
        pointer.push('/');
        match segment {
            Segment::Field(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
            _ => pointer.push_str(&position(value?, segment)?.to_string()),
        }
        value = value.and_then(|value| child(value, segment));
    }
    Some(pointer)
}

/// Returns the value one segment below.
pub fn child<'v>(value: &'v Value, segment: &Segment) -> Option<&'v Value> {
    match segment {
        Segment::Field(name) => value.get(name),
        _ => value.as_list()?.get(position(value, segment)?),
    }
}

/// Returns where in a list the item of a segment stands.
///
/// An item that spells out every key wins; a declared item may leave out keys that have a default.
pub fn position(list: &Value, segment: &Segment) -> Option<usize> {
    let items = list.as_list()?;
    match segment {
        Segment::Field(_) => None,
        Segment::Index(index) => (*index < items.len()).then_some(*index),
        Segment::Item(scalar) => items.iter().position(|item| *item == scalar.0),
        Segment::Keys(keys) => items
            .iter()
            .position(|item| keys.iter().all(|(key, scalar)| item.get(key) == Some(&scalar.0)))
            .or_else(|| {
                items.iter().position(|item| {
                    let mut spelled =
                        keys.iter().filter_map(|(key, scalar)| Some((item.get(key)?, &scalar.0))).peekable();
                    spelled.peek().is_some() && spelled.all(|(value, key)| value == key)
                })
            }),
    }
}

/// Takes what is at a path out of a value; what is not there is left alone.
pub fn take_out(value: &mut Value, path: &FieldPath) {
    let Some((last, above)) = path.0.split_last() else { return };
    let mut parent = value;
    for segment in above {
        let next = match segment {
            Segment::Field(name) => parent.as_map_mut().and_then(|m| m.get_mut(name)),
            _ => match (position(parent, segment), parent) {
                (Some(at), Value::List(items)) => items.get_mut(at),
                _ => None,
            },
        };
        match next {
            Some(next) => parent = next,
            None => return,
        }
    }
    match last {
        Segment::Field(name) => {
            if let Some(fields) = parent.as_map_mut() {
                fields.remove(name);
            }
        }
        _ => {
            if let (Some(at), Value::List(items)) = (position(parent, last), parent) {
                items.remove(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    #[test]
    fn an_item_is_found_by_its_keys_even_where_a_default_is_not_spelled_out() {
        let declared =
            value!({"ports": [{"port": 53, "name": "tcp"}, {"port": 53, "protocol": "UDP", "name": "udp"}]});
        for (path, name) in [
            (r#".ports[port=53,protocol="TCP"].name"#, Some("tcp")),
            (r#".ports[port=53,protocol="UDP"].name"#, Some("udp")),
            (r#".ports[port=54,protocol="UDP"].name"#, None),
        ] {
            assert_eq!(
                at(&declared, &FieldPath::parse(path).unwrap()).and_then(Value::as_str),
                name,
                "{path}"
            );
        }
    }

    #[test]
    fn taking_out_leaves_the_rest() {
        let mut object =
            value!({"a": {"b": 1, "c": [{"name": "x", "v": 1}, {"name": "y"}]}, "s": ["p", "q"]});
        for path in
            [".a.b", r#".a.c[name="x"].v"#, r#".a.c[name="y"]"#, r#".s[="p"]"#, ".a.gone.deeper", ".s.t"]
        {
            take_out(&mut object, &FieldPath::parse(path).unwrap());
        }
        assert_eq!(object, value!({"a": {"c": [{"name": "x"}]}, "s": ["q"]}));
    }
}
