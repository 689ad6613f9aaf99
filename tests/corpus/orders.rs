//! Orders that mean nothing: of documents, and of the keys of a YAML text.

use crate::{api, objects};
use driftdeck::drift::{HealthRules, IgnoreRules, Managers};
use driftdeck::model::{BuiltIns, Value};
use driftdeck::pipeline::offline::{Dump, Offline, Source, compare, read_dump};
use driftdeck::text::yaml::read_documents;
use std::fmt::Write as _;
use std::sync::Arc;

const GIT: [&str; 4] = [
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: x}, data: {k: v}}",
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: x}, data: {k: v}}",
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: x}, spec: {replicas: 2}}",
    "{apiVersion: v1, kind: Service, metadata: {name: gone, namespace: x}, spec: {ports: [{port: 80}]}}",
];
const CLUSTER: [&str; 3] = [
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: x}, data: {k: v}}",
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: x}, data: {k: other}}",
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: x}, spec: {replicas: 3}}",
];

fn text(documents: &[&str]) -> String {
    documents.join("\n---\n")
}

fn dump(documents: &[&str]) -> Dump {
    let Ok(dump) = read_dump(Source::Bytes(text(documents).into_bytes())) else {
        panic!("the test's own dump")
    };
    dump
}

/// Returns what is said of each object, in the order of their names.
fn said(git: &[&str], cluster: &[&str]) -> Vec<(String, String)> {
    let documents = read_documents(text(git).as_bytes()).into_iter().flatten();
    let offline = Offline {
        manifests: documents.map(|document| objects::desired(document.value)).collect(),
        notices: Vec::new(),
        complete: true,
        whole: false,
        revision: None,
        rules: Arc::new(IgnoreRules::new(Vec::new(), None, BuiltIns::ALL)),
    };
    let statuses = compare(&offline, &dump(cluster), &Managers::built_in(), HealthRules::built_in());
    let mut said: Vec<_> = statuses
        .iter()
        .map(|s| {
            let paths: Vec<String> = s.judgement.counted().map(|c| c.path.to_string()).collect();
            (s.id.to_string(), format!("{} {}", s.verdict().word(), paths.join(" ")))
        })
        .collect();
    said.sort();
    said
}

/// Returns every order of some things.
fn orders<'t>(things: &[&'t str]) -> Vec<Vec<&'t str>> {
    let Some((first, rest)) = things.split_first() else { return vec![Vec::new()] };
    let with_first = |order: Vec<&'t str>| {
        (0..=order.len()).map(move |at| {
            let mut order = order.clone();
            order.insert(at, *first);
            order
        })
    };
    orders(rest).into_iter().flat_map(with_first).collect()
}

#[test]
fn the_order_of_documents_changes_no_verdict() {
    let expected = said(&GIT, &CLUSTER);
    assert_eq!(expected.len(), 4, "{expected:?}");
    for git in orders(&GIT) {
        for cluster in orders(&CLUSTER) {
            assert_eq!(said(&git, &cluster), expected, "{git:#?}\n{cluster:#?}");
        }
    }
}

/// Writes a value as block YAML with the keys of every map in reverse, or in the order that they have.
fn block(value: &Value, indent: usize, reversed: bool, out: &mut String) {
    match value {
        Value::Map(fields) if !fields.is_empty() => {
            let mut fields: Vec<_> = fields.iter().collect();
            if reversed {
                fields.reverse();
            }
            for (name, below) in fields {
                let _ = write!(out, "\n{:indent$}{}:", "", serde_json::Value::from(name.as_str()));
                block(below, indent + 2, reversed, out);
            }
        }
        Value::List(items) if !items.is_empty() => {
            for below in items {
                let _ = write!(out, "\n{:indent$}-", "");
                block(below, indent + 2, reversed, out);
            }
        }
        scalar => {
            let _ = write!(out, " {}", objects::plain(scalar));
        }
    }
}

#[test]
fn the_order_of_keys_in_a_text_changes_nothing_that_is_read() {
    for (name, body) in api::all() {
        let read = |reversed: bool| {
            let mut text = String::new();
            block(&body, 0, reversed, &mut text);
            let mut documents = read_documents(text.as_bytes());
            assert_eq!(documents.len(), 1, "{name}\n{text}");
            documents.remove(0).unwrap_or_else(|e| panic!("{name}: {e}\n{text}")).value
        };
        let (one, other) = (read(false), read(true));
        assert_eq!(one, body, "{name}");
        assert_eq!(other, body, "{name}");
    }
}
