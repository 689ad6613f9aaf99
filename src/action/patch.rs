//! Defines how changes become a JSON patch (RFC 6902) against an object as it is right now.
//!
//! Each operation is made against the object as the operations before it leave it, so positions in lists are right as
//! long as the object is the one that was read: the patch carries its resource version.

use crate::model::{FieldPath, Map, Segment, Value, field};

/// Builds a patch and keeps the object as it will be.
pub struct Patcher {
    body: Value,
    operations: Vec<Value>,
}

/// One token of a JSON pointer.
#[derive(Debug, Clone)]
enum Token {
    Name(String),
    At(usize),
    /// After the last item of a list.
    End,
}

impl Patcher {
    /// Begins a patch of an object's body.
    pub fn of(body: Value) -> Self {
        Self { body, operations: Vec::new() }
    }

    /// Sets what is at a path, making whatever is missing above it.
    pub fn set(&mut self, path: &FieldPath, value: Value) {
        let mut pointer = Vec::new();
        let mut here = &self.body;
        for (depth, segment) in path.0.iter().enumerate() {
            let rest = path.0.get(depth..).unwrap_or_default();
            if here.is_null() {
                return self.operate("replace", &pointer, Some(nest(rest, value)));
            }
            if let (Some(token), Some(below)) = (token(here, segment), field::child(here, segment)) {
                pointer.push(token);
                here = below;
            } else {
                pointer.push(match segment {
                    Segment::Field(name) => Token::Name(name.clone()),
                    _ => Token::End,
                });
                let value = nest_below(segment, rest.get(1..).unwrap_or_default(), value);
                return self.operate("add", &pointer, Some(value));
            }
        }
        if *here != value {
            self.operate("replace", &pointer, Some(value));
        }
    }

    /// Removes what is at a path, and refuses the whole patch if it is not what it was. What is gone stays gone.
    pub fn remove(&mut self, path: &FieldPath) {
        let mut pointer = Vec::new();
        let mut here = &self.body;
        for segment in &path.0 {
            let (Some(token), Some(below)) = (token(here, segment), field::child(here, segment)) else {
                return;
            };
            pointer.push(token);
            here = below;
        }
        let held = here.clone();
        self.operate("test", &pointer, Some(held));
        self.operate("remove", &pointer, None);
    }

    /// Returns the operations; the server refuses them for another object or another version of it.
    pub fn finish(self, uid: Option<&str>, resource_version: Option<&str>) -> Vec<Value> {
        let mut operations = Vec::new();
        if let Some(uid) = uid {
            operations.push(operation("test", "/metadata/uid".to_owned(), Some(Value::string(uid))));
        }
        if let Some(version) = resource_version {
            // Set, not tested: the server then answers a moved object with a conflict, as for every other write.
            let version = Value::string(version);
            operations.push(operation("replace", "/metadata/resourceVersion".to_owned(), Some(version)));
        }
        operations.extend(self.operations);
        operations
    }

    /// Returns the object as it is so far.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// Returns the object as the patch makes it.
    pub fn into_body(self) -> Value {
        self.body
    }

    fn operate(&mut self, op: &str, pointer: &[Token], value: Option<Value>) {
        let printed: String = pointer.iter().map(print).collect();
        if op != "test" {
            change(&mut self.body, pointer, value.clone());
        }
        self.operations.push(operation(op, printed, value));
    }
}

fn operation(op: &str, path: String, value: Option<Value>) -> Value {
    let mut map = Map::new();
    map.insert("op".to_owned(), Value::string(op));
    map.insert("path".to_owned(), Value::String(path));
    if let Some(value) = value {
        map.insert("value".to_owned(), value);
    }
    Value::Map(map)
}

fn token(parent: &Value, segment: &Segment) -> Option<Token> {
    match segment {
        Segment::Field(name) => Some(Token::Name(name.clone())),
        _ => field::position(parent, segment).map(Token::At),
    }
}

/// Prints one token with its slash, escaped as RFC 6901 says.
fn print(token: &Token) -> String {
    match token {
        Token::Name(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
        Token::At(index) => format!("/{index}"),
        Token::End => "/-".to_owned(),
    }
}

/// Wraps a value in what the segments say is around it.
fn nest(segments: &[Segment], value: Value) -> Value {
    let Some((first, rest)) = segments.split_first() else { return value };
    let below = nest_below(first, rest, value);
    match first {
        Segment::Field(name) => Value::Map(Map::from_iter([(name.clone(), below)])),
        _ => Value::List(vec![below]),
    }
}

/// Wraps a value in what lies below a segment; a new item of a keyed list has its keys.
fn nest_below(segment: &Segment, rest: &[Segment], value: Value) -> Value {
    let mut below = nest(rest, value);
    if let (Segment::Keys(keys), false, Some(fields)) = (segment, rest.is_empty(), below.as_map_mut()) {
        for (key, scalar) in keys {
            fields.entry(key.clone()).or_insert_with(|| scalar.0.clone());
        }
    }
    below
}

/// Does to the body what the operation does: sets or appends with a value, removes without one.
fn change(body: &mut Value, pointer: &[Token], value: Option<Value>) {
    let Some((last, above)) = pointer.split_last() else {
        if let Some(value) = value {
            *body = value;
        }
        return;
    };
    let mut parent = body;
    for token in above {
        let next = match (token, parent) {
            (Token::Name(name), Value::Map(fields)) => fields.get_mut(name),
            (Token::At(index), Value::List(items)) => items.get_mut(*index),
            _ => None,
        };
        match next {
            Some(next) => parent = next,
            None => return,
        }
    }
    match (last, parent, value) {
        (Token::Name(name), Value::Map(fields), Some(value)) => {
            fields.insert(name.clone(), value);
        }
        (Token::Name(name), Value::Map(fields), None) => {
            fields.remove(name);
        }
        (Token::At(index), Value::List(items), Some(value)) => {
            if let Some(item) = items.get_mut(*index) {
                *item = value;
            }
        }
        (Token::At(index), Value::List(items), None) if *index < items.len() => {
            items.remove(*index);
        }
        (Token::End, Value::List(items), Some(value)) => items.push(value),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value;

    fn path(text: &str) -> FieldPath {
        FieldPath::parse(text).unwrap()
    }

    #[test]
    fn fields_and_items_are_set_where_they_are_and_made_where_they_are_not() {
        let mut patcher = Patcher::of(value!({"spec": {
            "replicas": 5, "null": null, "containers": [{"name": "a"}, {"name": "b", "image": "x"}]}}));
        patcher.set(&path(".spec.replicas"), value!(2));
        patcher.set(&path(r#".spec.containers[name="b"].image"#), value!("y"));
        patcher.set(&path(r#".spec.containers[name="b"].env[name="E"].value"#), value!("1"));
        patcher.set(&path(r#".spec.containers[name="c"]"#), value!({"name": "c"}));
        patcher.set(&path(".spec.null.deep"), value!(true));
        patcher.set(&path(".spec.replicas"), value!(2));
        assert_eq!(
            patcher.body,
            value!({"spec": {"replicas": 2, "null": {"deep": true}, "containers": [
                {"name": "a"}, {"name": "b", "image": "y", "env": [{"name": "E", "value": "1"}]}, {"name": "c"}]}})
        );
        assert_eq!(
            Value::List(patcher.finish(Some("u"), Some("7"))),
            value!([
                {"op": "test", "path": "/metadata/uid", "value": "u"},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
                {"op": "replace", "path": "/spec/replicas", "value": 2},
                {"op": "replace", "path": "/spec/containers/1/image", "value": "y"},
                {"op": "add", "path": "/spec/containers/1/env", "value": [{"name": "E", "value": "1"}]},
                {"op": "add", "path": "/spec/containers/-", "value": {"name": "c"}},
                {"op": "replace", "path": "/spec/null", "value": {"deep": true}},
            ])
        );
    }

    #[test]
    fn what_is_removed_is_tested_first_and_positions_follow() {
        let mut patcher = Patcher::of(
            value!({"metadata": {"labels": {"a/b~c": "1"}}, "l": [{"name": "x"}, {"name": "y"}]}),
        );
        patcher.remove(&path(r#".l[name="x"]"#));
        patcher.remove(&path(r#".l[name="y"]"#));
        patcher.remove(&FieldPath(vec![
            Segment::Field("metadata".into()),
            Segment::Field("labels".into()),
            Segment::Field("a/b~c".into()),
        ]));
        patcher.remove(&path(".gone"));
        assert_eq!(patcher.body, value!({"metadata": {"labels": {}}, "l": []}));
        assert_eq!(
            Value::List(patcher.finish(None, None)),
            value!([
                {"op": "test", "path": "/l/0", "value": {"name": "x"}},
                {"op": "remove", "path": "/l/0"},
                {"op": "test", "path": "/l/0", "value": {"name": "y"}},
                {"op": "remove", "path": "/l/0"},
                {"op": "test", "path": "/metadata/labels/a~1b~0c", "value": "1"},
                {"op": "remove", "path": "/metadata/labels/a~1b~0c"},
            ])
        );
    }
}
