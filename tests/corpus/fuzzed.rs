//! What is fuzzed: one function for each reader of text from outside. cargo-fuzz runs them without end (`tests/fuzz`), and
//! `fuzz.rs` with as many inputs as a test run has time for.

use crate::objects;
use driftdeck::cluster::builtin;
use driftdeck::drift::{Autoscaled, Context, IgnoreRules, Managers, judge};
use driftdeck::model::ignore::{FieldPattern, Fields, Objects, RuleSource};
use driftdeck::model::{
    BuiltIns, FieldPath, FieldSet, IgnoreRule, LiveObject, Origin, OwnedFields, Packed, Schema, Segment,
    Value, limits,
};
use driftdeck::text::{is_guarded, yaml};
use driftdeck::value;
use std::sync::{Arc, LazyLock};

/// What is fuzzed, by its name.
pub type Target = (&'static str, fn(&[u8]));

/// The targets by their names, which are those of their corpora too.
pub const TARGETS: [Target; 6] = [
    ("yaml", yaml),
    ("edit", edit),
    ("path", path),
    ("managed_fields", managed_fields),
    ("compare", compare),
    ("pattern", pattern),
];

static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(builtin::schema);
static MANAGERS: LazyLock<Managers> = LazyLock::new(Managers::built_in);

/// Lets the panic hook say nothing of panics that are caught, as the program does. Those of a parser's are no finding.
pub fn install_hook() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !is_guarded() {
            hook(info);
        }
    }));
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Map(fields) => fields.values().map(nodes).sum(),
        Value::List(items) => items.iter().map(nodes).sum::<usize>(),
        _ => 0,
    }
}

/// The YAML reader: whatever it reads is within its bounds, however often aliases repeat it, and can be written.
pub fn yaml(bytes: &[u8]) {
    for document in yaml::read_documents(bytes).into_iter().flatten() {
        assert!(nodes(&document.value) <= limits::DOCUMENT_NODES);
        let _ = yaml::write(&document.value);
    }
}

/// The edits of YAML text: the first line is the path, the second the new value as JSON, or nothing to remove what is there,
/// the rest the text. Whatever comes out holds what was wanted there, and all other documents as they were.
pub fn edit(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let (Some(path), Some(value), Some(text)) = (parts.next(), parts.next(), parts.next()) else { return };
    let Ok(path) = FieldPath::parse(&String::from_utf8_lossy(path)) else { return };
    let new = Value::from_json_slice(value).ok();
    let edit = match &new {
        Some(new) => yaml::Edit::set(path.clone(), new.clone()),
        None => yaml::Edit::remove(path.clone()),
    };
    let before = yaml::read_documents(text);
    for document in 0..3 {
        let Ok(after) = yaml::edit(text, document, std::slice::from_ref(&edit)) else { continue };
        let after = yaml::read_documents(&after);
        assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(&after) {
            match (before, after) {
                (Ok(before), Ok(after)) if before.index == document => {
                    let fields: Option<Vec<&str>> = path
                        .0
                        .iter()
                        .map(
                            |segment| {
                                if let Segment::Field(name) = segment { Some(name.as_str()) } else { None }
                            },
                        )
                        .collect();
                    if let Some(fields) = fields {
                        assert_eq!(after.value.at(&fields), new.as_ref());
                    }
                }
                (Ok(before), Ok(after)) => assert_eq!(before.value, after.value),
                (before, after) => assert_eq!(before.is_err(), after.is_err()),
            }
        }
    }
}

/// The reader of field paths: what it reads, it prints so that it reads it again.
pub fn path(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(path) = FieldPath::parse(&text) {
        assert!(FieldPath::parse(&path.to_string()).is_ok(), "{text:?}");
        let _ = path.to_json();
    }
}

/// Managed fields: of a whole object as the server sends it, packed and opened too, or of one field set.
pub fn managed_fields(bytes: &[u8]) {
    let cluster = objects::cluster();
    if let Ok(object) = LiveObject::from_json(&cluster, bytes) {
        for entry in object.managed.iter().flatten() {
            let _ = entry.fields.owns(&FieldPath::fields(&["spec", "replicas"]));
        }
        let opened = Packed::pack(&object, bytes).open(&cluster);
        assert_eq!(opened.ok().as_ref(), Some(&object));
    }
    if let Ok(fields) = Value::from_json_slice(bytes) {
        let set = FieldSet::from_fields_v1(&fields);
        let text = String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(*OwnedFields::from_json(text.into()), set);
    }
}

/// The comparison of two objects that are said to be the same one of a built-in kind: documents of one text, the first as
/// Git declares it, the second as the cluster holds it.
pub fn compare(bytes: &[u8]) {
    let mut documents = yaml::read_documents(bytes).into_iter().flatten().map(|document| document.value);
    let Some(desired) = documents.next() else { return };
    let mut live = documents.next().unwrap_or_else(|| desired.clone());
    if let Some(body) = live.as_map_mut() {
        for part in ["apiVersion", "kind"] {
            body.extend(desired.get(part).map(|value| (part.to_owned(), value.clone())));
        }
    }
    let autoscaled = Autoscaled::default();
    let context = Context::new(&SCHEMA, &MANAGERS, &autoscaled);
    let desired = objects::desired(desired);
    let live = objects::live(live);
    for (desired, live) in [(Some(&desired), live.as_ref()), (Some(&desired), None), (None, live.as_ref())] {
        let judgement = judge(desired, live, &context);
        assert!(judgement.changes.len() <= bytes.len() + 64, "more differs than there is");
    }
}

/// The patterns of ignore rules: one stays as it was written, and finds its way through an object. The first line is the
/// pattern, the rest what the object holds.
pub fn pattern(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (text, held) = text.split_once('\n').unwrap_or((&text, ""));
    let Ok(pattern) = FieldPattern::read(text) else { return };
    assert_eq!(pattern.as_str(), text);
    assert!(pattern.parts().len() <= text.len());
    let held = yaml::read_documents(held.as_bytes()).into_iter().flatten().next();
    let Some(held) = held.map(|document| document.value) else { return };
    let body = |spec: Value| {
        let mut body = value!({"apiVersion": "example.com/v1", "kind": "Held", "metadata": {"name": "x"}});
        body.as_map_mut().into_iter().for_each(|body| drop(body.insert("spec".to_owned(), spec.clone())));
        body
    };
    let (desired, live) = (objects::desired(body(held)), objects::live(body(Value::Null)));
    let rule = IgnoreRule {
        objects: Objects::default(),
        fields: vec![Fields::Path(pattern)],
        managers: Vec::new(),
        reason: None,
        source: RuleSource::Repository,
        declared: Origin::default(),
    };
    let rules = IgnoreRules::new(vec![Arc::new(rule)], None, BuiltIns::ALL);
    let autoscaled = Autoscaled::default();
    let mut context = Context::new(&SCHEMA, &MANAGERS, &autoscaled);
    context.rules = &rules;
    let judgement = judge(Some(&desired), live.as_ref(), &context);
    assert_eq!(judgement.rules.len(), 1);
}
